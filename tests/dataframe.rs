//! Data frames of DataFusion: counted there, they give the tally of the same rows in a file, cell by cell.

#![cfg(feature = "datafusion")]

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Float32Array, Float64Array, Int32Array, RecordBatch, StringArray,
};
use arrow_schema::DataType;
use datafusion::arrow::compute::cast;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext, col, lit};
use evenhand::Error;
use evenhand::audit::{AuditPlan, NamedGroup, Policy};
use evenhand::data::source::Source;
use evenhand::data::{Columns, SegmentColumns, Top};
use evenhand::engine::tally_dataframe;
use parquet::arrow::ArrowWriter;

// Names that end a statement where they are not quoted.
const SEX: &str = "sex\"; DROP TABLE rows; --";
const AGE: &str = "age `in` years";
const REGION: &str = "Région's";
const LABEL: &str = "bought\\ it";
const DECISION: &str = "tar\"get;ed";
const SCORE: &str = "score.of (model)";
const TIER: &str = "tier {a} = 日本";
const BEFORE: &str = "tier/before";
const WEIGHT: &str = "w$1";

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap().block_on(future)
}

/// Draws the same numbers every time.
struct Draw(u64);

impl Draw {
    fn of<T: Clone>(&mut self, pool: &[T]) -> T {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        pool[(self.0 >> 33) as usize % pool.len()].clone()
    }

    fn column<T: Clone, A: FromIterator<T> + datafusion::arrow::array::Array + 'static>(
        &mut self,
        pool: &[T],
        rows: usize,
    ) -> ArrayRef {
        Arc::new((0..rows).map(|_| self.of(pool)).collect::<A>())
    }
}

/// Rows with everything that texts and numbers can do; weights and scores are parts of powers of two, so that sums do not
/// depend on their order.
fn people(seed: u64, rows: usize) -> RecordBatch {
    let mut draw = Draw(seed);
    let sexes = [
        "f",
        " f",
        "f\u{3000}",
        "\tf\n",
        "F",
        "O'Neil\"; --",
        "back\\slash",
        "a,b",
        "two\nlines",
        "`tick`",
        "NA",
        "",
        " ",
    ];
    let sexes: Vec<Option<&str>> = sexes.map(Some).into_iter().chain([None]).collect();
    let ages =
        [Some(18.0), Some(25.0), Some(26.0), Some(33.5), Some(40.5), Some(40.6), Some(-1.0), Some(f64::NAN), None];
    let scores = [Some(0.0f32), Some(-0.0), Some(0.125), Some(0.5), Some(0.75), Some(1.0), Some(-1.0), None];
    let columns: [(&str, ArrayRef); 9] = [
        (SEX, draw.column::<_, StringArray>(&sexes, rows)),
        (AGE, draw.column::<_, Float64Array>(&ages, rows)),
        (REGION, draw.column::<_, Int32Array>(&[Some(1), Some(2), Some(-7), Some(-1), None], rows)),
        (
            LABEL,
            draw.column::<_, StringArray>(
                &[Some("it's \\ \"good\""), Some(" it's \\ \"good\" "), Some("bad"), Some(""), None],
                rows,
            ),
        ),
        (DECISION, draw.column::<_, StringArray>(&[Some("yes"), Some("No"), Some("YES "), Some("NULL"), None], rows)),
        (SCORE, draw.column::<_, Float32Array>(&scores, rows)),
        (TIER, draw.column::<_, BooleanArray>(&[Some(true), Some(false), None], rows)),
        (BEFORE, draw.column::<_, Date32Array>(&[Some(19_753), Some(10_926), None], rows)),
        (WEIGHT, draw.column::<_, Float64Array>(&[Some(0.0), Some(0.125), Some(1.0), Some(2.5)], rows)),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap()
}

fn columns() -> Columns {
    let mut columns = Columns::new()
        .attribute(format!("{SEX}:wo'men=f+F,NA=back\\slash").parse().unwrap())
        .attribute(format!("{AGE}:<=25,26-40.5,>40.5").parse().unwrap())
        .stratum(REGION.parse().unwrap())
        .label(LABEL)
        .favorable(LABEL, "it's \\ \"good\"")
        .decision(DECISION)
        .score(SCORE)
        .segments(SegmentColumns { earlier: Some(BEFORE.into()), ..SegmentColumns::plain(TIER) })
        .weight(WEIGHT);
    columns.missing.push("-1".into());
    columns.thresholds = vec![0.5];
    columns.top = vec![Top::Share(0.1)];
    columns
}

fn plan() -> AuditPlan {
    AuditPlan::new().columns(columns()).replicates(20).policy(Policy::preset("four-fifths").unwrap())
}

/// A plain question about `sex` and `d`.
fn small(more: impl FnOnce(Columns) -> Columns) -> AuditPlan {
    AuditPlan::new().columns(more(Columns::new().attribute("sex".parse().unwrap()).decision("d")))
}

fn batch(columns: &[(&str, ArrayRef)]) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.iter().map(|(name, array)| (*name, array.clone(), true))).unwrap()
}

fn texts<const N: usize>(values: [&str; N]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn numbers<const N: usize>(values: [f64; N]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

fn write(folder: &Path, rows: &RecordBatch) -> PathBuf {
    let path = folder.join("rows.parquet");
    let mut writer = ArrowWriter::try_new(std::fs::File::create(&path).unwrap(), rows.schema(), None).unwrap();
    writer.write(rows).unwrap();
    writer.close().unwrap();
    path
}

/// The rows in three partitions.
fn frame(context: &SessionContext, rows: &RecordBatch) -> DataFrame {
    let third = rows.num_rows() / 3;
    let rest = rows.num_rows() - 2 * third;
    let parts = [(0, third), (third, third), (2 * third, rest)].map(|(from, rows_)| vec![rows.slice(from, rows_)]);
    context.read_table(Arc::new(MemTable::try_new(rows.schema(), parts.to_vec()).unwrap())).unwrap()
}

fn check(plan: &AuditPlan, rows: &RecordBatch, context: &SessionContext) {
    let folder = tempfile::tempdir().unwrap();
    let source = Source::open(&[write(folder.path(), rows)]).unwrap();
    let local = plan.tally_files(&source).unwrap();
    let counted = wait(tally_dataframe(plan, frame(context, rows))).unwrap();
    assert_eq!(counted.tally, local.tally);
    assert_eq!(counted.tally.digest(), local.tally.digest());
    assert_eq!(counted.values.keys().collect::<Vec<_>>(), local.values.keys().collect::<Vec<_>>());
    let mut of_rows = plan.audit_files(&source).unwrap();
    let report = wait(plan.audit_dataframe(frame(context, rows))).unwrap();
    of_rows.provenance.inputs.clear();
    assert_eq!(report, of_rows);
}

#[test]
fn a_frame_is_counted_as_its_rows_in_a_file() {
    check(&plan(), &people(7, 6000), &SessionContext::new());
}

#[test]
fn texts_may_be_of_any_type_of_text_and_numbers_may_be_texts() {
    let rows = people(11, 3000);
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let kinds = [
        (SEX, dictionary),
        (AGE, DataType::Utf8View),
        (REGION, DataType::UInt64),
        (LABEL, DataType::LargeUtf8),
        (DECISION, DataType::Utf8View),
        (SCORE, DataType::Utf8),
        (WEIGHT, DataType::Float32),
        (TIER, DataType::Decimal128(5, 2)),
    ];
    let schema = rows.schema();
    let columns = schema.fields().iter().zip(rows.columns()).map(|(field, array)| {
        let kind = kinds.iter().find(|(name, _)| name == field.name()).map(|(_, kind)| kind.clone());
        let array = match kind {
            // Truth as 0.00 and 1.00.
            Some(kind @ DataType::Decimal128(..)) => cast(&cast(array, &DataType::Int32).unwrap(), &kind).unwrap(),
            Some(kind) => cast(array, &kind).unwrap(),
            None => array.clone(),
        };
        (field.name().clone(), array, true)
    });
    let rows = RecordBatch::try_from_iter_with_nullable(columns.collect::<Vec<_>>()).unwrap();
    check(&plan(), &rows, &SessionContext::new());
}

#[test]
fn whole_numbers_are_missing_as_they_are_written() {
    let ages: ArrayRef = Arc::new(Int32Array::from_iter((0..60).map(|n| (n % 7 != 0).then_some(n - 2))));
    let sex: ArrayRef = Arc::new(StringArray::from_iter((0..60).map(|n| Some(["f", "m"][n % 2]))));
    let decisions: ArrayRef =
        Arc::new(Float64Array::from_iter((0..60).map(|n| [Some(1.0), Some(0.0), Some(f64::NAN), None][n % 4])));
    for missing in ["-1", "-1.0", "007", "7"] {
        let plan = small(|mut columns| {
            columns.missing.push(missing.into());
            columns.attribute("age:<=25,>25".parse().unwrap()).favorable("d", "1")
        });
        let floats = cast(&ages, &DataType::Float64).unwrap();
        for ages in [ages.clone(), floats] {
            check(
                &plan,
                &batch(&[("sex", sex.clone()), ("age", ages), ("d", decisions.clone())]),
                &SessionContext::new(),
            );
        }
    }
}

#[test]
fn named_groups_are_counted_from_their_columns() {
    let group: NamedGroup = "young women: sex=f & age=1".parse().unwrap();
    let sex: ArrayRef = Arc::new(StringArray::from_iter((0..200).map(|n| Some(["f", "m", "x"][n % 3]))));
    let age: ArrayRef = Arc::new(Int32Array::from_iter_values((0..200).map(|n| n % 4)));
    let decision: ArrayRef = Arc::new(BooleanArray::from_iter((0..200).map(|n| Some(n % 5 < 2))));
    check(&small(|c| c).group(group), &batch(&[("sex", sex), ("age", age), ("d", decision)]), &SessionContext::new());
}

#[test]
fn what_the_context_is_set_to_and_has_does_not_matter_and_stays() {
    let config = SessionConfig::new()
        .set_str("datafusion.sql_parser.dialect", "mysql")
        .set_bool("datafusion.sql_parser.enable_ident_normalization", false)
        .with_create_default_catalog_and_schema(false)
        .with_target_partitions(3);
    let context = SessionContext::new_with_config(config);
    check(&plan(), &people(3, 900), &context);
    let context = SessionContext::new();
    let rows = batch(&[("sex", texts(["f", "m", "f", "x"])), ("d", numbers([1.0, 0.0, 0.0, 1.0]))]);
    context.register_batch("rows", rows).unwrap();
    // A filter and a computed column, over a table that is called as the statement calls its own.
    let frame = wait(context.table("rows")).unwrap().filter(col("sex").not_eq(lit("x"))).unwrap();
    let frame = frame.with_column("sex", datafusion::functions::expr_fn::upper(col("sex"))).unwrap();
    let counted = wait(tally_dataframe(&small(|c| c), frame)).unwrap();
    assert_eq!(counted.tally.rows(), 3);
    assert_eq!(counted.values["d"], ["0", "1"]);
    let report = small(|c| c).evaluate(&counted.tally).unwrap();
    assert_eq!(report.metric("selection_rate").unwrap().group("F").unwrap().value(), Ok(0.5));
    assert_eq!(wait(wait(context.table("rows")).unwrap().count()).unwrap(), 4);
}

/// What conditions look at: texts with spaces, quotes and missing ones, numbers of each kind, days, true and false.
fn looked_at(rows: usize) -> RecordBatch {
    let mut draw = Draw(17);
    let texts =
        [Some(" x"), Some("x"), Some("it's; --"), Some("NA"), None, Some(""), Some("5"), Some("\\"), Some("\"")];
    let numbers = [Some(1.0), Some(-1.0), Some(2.5), None, Some(1e300), Some(0.0), Some(-999.0), Some(f64::NAN)];
    let whole: Vec<Option<i32>> = (-5..6).map(Some).chain([None]).collect();
    let days: Vec<Option<i32>> = (19_750..19_762).map(Some).chain([None]).collect();
    batch(&[
        ("sex", draw.column::<_, StringArray>(&[Some("f"), Some("m"), None], rows)),
        ("d", draw.column::<_, Int32Array>(&[Some(0), Some(1)], rows)),
        ("n", draw.column::<_, Float64Array>(&numbers, rows)),
        ("i", draw.column::<_, Int32Array>(&whole, rows)),
        ("te xt", draw.column::<_, StringArray>(&texts, rows)),
        ("day", draw.column::<_, Date32Array>(&days, rows)),
        ("agreed", draw.column::<_, BooleanArray>(&[Some(true), Some(false), None], rows)),
        ("s", draw.column::<_, Float32Array>(&[Some(0.25f32), Some(0.5), None], rows)),
    ])
}

#[test]
fn rows_that_a_filter_leaves_out_of_a_file_it_leaves_out_of_a_frame() {
    let (context, rows, folder) = (SessionContext::new(), looked_at(1200), tempfile::tempdir().unwrap());
    let source = Source::open(&[write(folder.path(), &rows)]).unwrap();
    let conditions = [
        "n >= 0",
        "n != 1 and n < 3",
        "n in (1, 2.5, -998)",
        "n not in (0)",
        "n is missing",
        "n is not missing",
        "i <= -2",
        "i = 3 and n > -5",
        "i not in (1, 2, 3)",
        "\"te xt\" = 'x'",
        "\"te xt\" != 'x'",
        "\"te xt\" in ('it''s; --', '\\', '\"')",
        "\"te xt\" not in ('x', '5') and i >= 0",
        "\"te xt\" is missing",
        "day > '2024-02-05'",
        "day <= '2024-02-05' and day >= '2024-02-02'",
        "day is missing and sex is not missing",
        "agreed = 'true'",
        "agreed != 'true' and s >= 0.5",
        "s in (0.25) and d = '1'",
    ];
    for condition in conditions {
        let plan = small(|mut columns| {
            columns.missing.push("-999".into());
            columns.filter(condition.parse().unwrap())
        });
        let local = plan.tally_files(&source).unwrap();
        let counted = wait(tally_dataframe(&plan, frame(&context, &rows))).unwrap();
        assert_eq!(counted.tally, local.tally, "{condition}");
        assert_eq!(counted.values, local.values, "{condition}");
        // It leaves out some rows; an engine does not say how many.
        let left_out = local.filtered.unwrap().rows_left_out.unwrap();
        assert!(left_out > 0 && left_out + counted.tally.rows() == 1200, "{condition}: {left_out}");
        assert_eq!(counted.filtered.unwrap().rows_left_out, None);
    }
    let plan = small(|c| c.filter("i >= 0".parse().unwrap()));
    let report = wait(plan.audit_dataframe(frame(&context, &rows))).unwrap();
    let filtered = report.data.filter.unwrap();
    assert_eq!((filtered.condition.as_str(), filtered.rows_left_out), ("i >= 0", None));
    assert!(report.data.rows < 1200);
    let nobody = small(|c| c.filter("i > 100".parse().unwrap()));
    assert!(matches!(wait(tally_dataframe(&nobody, frame(&context, &rows))).unwrap_err(), Error::Nothing { .. }));
    assert!(matches!(nobody.tally_files(&source).unwrap_err(), Error::Nothing { .. }));
    // What cannot be compared is refused, not left out.
    for (condition, column) in [("\"te xt\" > 1", "te xt"), ("sex > '2024-01-01'", "sex")] {
        let plan = small(|c| c.filter(condition.parse().unwrap()));
        assert!(plan.tally_files(&source).is_err(), "{condition}");
        let error = wait(tally_dataframe(&plan, frame(&context, &rows))).unwrap_err().to_string();
        assert!(error.contains(&format!("`{column}`")), "{error}");
    }
    match wait(tally_dataframe(&small(|c| c.filter("gone = 'x'".parse().unwrap())), frame(&context, &rows))) {
        Err(Error::MissingColumn { column, .. }) => assert_eq!(column, "gone"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn tallies_of_frames_merge() {
    let context = SessionContext::new();
    let rows = people(5, 2000);
    // The best so many of two days are not the best of both.
    let plan = AuditPlan::new().columns(Columns { top: Vec::new(), ..columns() });
    let tally = |rows: &RecordBatch| wait(tally_dataframe(&plan, frame(&context, rows))).unwrap().tally;
    let mut both = tally(&rows.slice(0, 700));
    both.merge(&tally(&rows.slice(700, 1300))).unwrap();
    assert_eq!(both, tally(&rows));
}

#[test]
fn what_a_file_is_refused_for_a_frame_is_refused_for() {
    let f_and_m = texts(["f", "m", "f"]);
    let d = numbers([1.0, 0.0, 1.0]);
    let third = texts(["yes", "no", "maybe"]);
    let nan = numbers([0.5, f64::NAN, 0.5]);
    let cases: [(&str, RecordBatch, AuditPlan); 8] = [
        (
            "`w`",
            batch(&[("sex", f_and_m.clone()), ("d", d.clone()), ("w", numbers([1.0, -1.0, 1.0]))]),
            small(|c| c.weight("w")),
        ),
        (
            "`w`",
            batch(&[("sex", f_and_m.clone()), ("d", d.clone()), ("w", numbers([1.0, 1e-101, 1.0]))]),
            small(|c| c.weight("w")),
        ),
        ("`s`", batch(&[("sex", f_and_m.clone()), ("d", d.clone()), ("s", nan.clone())]), small(|c| c.score("s"))),
        (
            "`s`",
            batch(&[("sex", f_and_m.clone()), ("d", d.clone()), ("s", texts(["1", "1_0", "2"]))]),
            small(|c| c.score("s")),
        ),
        (
            "`age`",
            batch(&[("sex", f_and_m.clone()), ("d", d.clone()), ("age", numbers([20.0, 25.5, 30.0]))]),
            small(|c| c.attribute("age:<=25,26-40".parse().unwrap())),
        ),
        (
            "`age`",
            batch(&[("sex", f_and_m.clone()), ("d", d.clone()), ("age", numbers([20.0, f64::INFINITY, 30.0]))]),
            small(|c| c.attribute("age:<=25,>25".parse().unwrap())),
        ),
        ("`d`", batch(&[("sex", f_and_m.clone()), ("d", third)]), small(|c| c)),
        ("`d`", batch(&[("sex", f_and_m.clone()), ("d", d.clone())]), small(|c| c.favorable("d", "sold"))),
    ];
    let context = SessionContext::new();
    for (said, rows, plan) in cases {
        let folder = tempfile::tempdir().unwrap();
        assert!(plan.tally_files(&Source::open(&[write(folder.path(), &rows)]).unwrap()).is_err(), "{said}");
        let error = wait(tally_dataframe(&plan, frame(&context, &rows))).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    // Numbers that a file could be read of and an engine would write otherwise are refused, not guessed.
    let rows = batch(&[("sex", numbers([1.5, 2.0, 1.5])), ("d", d)]);
    let error = wait(tally_dataframe(&small(|c| c), frame(&context, &rows))).unwrap_err().to_string();
    assert!(error.contains("`sex`") && error.contains("cast") && error.contains("2 rows"), "{error}");
}

#[test]
fn frames_without_the_columns_or_without_rows_are_refused() {
    let context = SessionContext::new();
    let rows = batch(&[("sex", texts(["f", "m", "f"])), ("d", numbers([1.0, 0.0, 1.0]))]);
    let of = |plan: &AuditPlan, rows: &RecordBatch| wait(tally_dataframe(plan, frame(&context, rows))).unwrap_err();
    match of(&small(|c| c.weight("dd")), &rows) {
        Error::MissingColumn { column, available, .. } => assert_eq!((column.as_str(), available.len()), ("dd", 2)),
        other => panic!("{other}"),
    }
    assert!(matches!(of(&small(|c| c), &rows.slice(0, 0)), Error::Nothing { .. }));
    assert!(matches!(of(&small(|c| c.attribute("age:quantiles:4".parse().unwrap())), &rows), Error::BadSetting { .. }));
    // What fails while it runs.
    let broken = wait(context.sql("SELECT 'f' AS sex, 1 / (column1 - 1) AS d FROM (VALUES (1), (2))")).unwrap();
    match wait(tally_dataframe(&small(|c| c), broken)).unwrap_err() {
        Error::Engine { problem } => assert!(problem.to_lowercase().contains("divide by zero"), "{problem}"),
        other => panic!("{other}"),
    }
    // What cannot be text.
    let lists = wait(context.sql("SELECT struct(1, 2) AS sex, 1 AS d")).unwrap();
    let error = wait(tally_dataframe(&small(|c| c), lists)).unwrap_err();
    assert!(matches!(error, Error::Engine { .. } | Error::BadTally { .. }), "{error}");
}
