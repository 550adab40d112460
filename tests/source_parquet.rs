//! Parquet files read into tallies: the same counts as from text and memory, and no damage unnoticed.
#![cfg(all(feature = "parquet", feature = "csv"))]

mod source_support;

use std::fmt::Write as _;
use std::sync::Arc;

use arrow_array::types::{Int8Type, Int32Type};
use arrow_array::*;
use arrow_schema::{DataType, Field, Schema};
use evenhand::audit::AuditPlan;
use evenhand::data::source::{ColumnKind, Format, Source, SourceTally};
use evenhand::data::{Bands, Batch, Binary, Categorical, Columns, LevelColumn, Model, Top};
use evenhand::tally::{Limits, Tally};
use evenhand::{Error, Result};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};
use source_support::Files;

fn level(text: &str) -> LevelColumn {
    text.parse().unwrap()
}

fn columns() -> Columns {
    Columns::new().attribute(level("sex")).label("paid").decision("offer")
}

fn read(source: Source, columns: &Columns) -> Result<SourceTally> {
    source.tally(columns, &[], Limits::default())
}

fn file(columns: Vec<(&str, ArrayRef)>, properties: WriterProperties) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn plain(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    file(columns, WriterProperties::builder().build())
}

fn tally_of(bytes: &[u8], columns: &Columns) -> Result<Tally> {
    let files = Files::new();
    Ok(read(Source::open(&[files.put("in.parquet", bytes)])?, columns)?.tally)
}

fn failure(bytes: &[u8], columns: &Columns) -> String {
    let files = Files::new();
    let path = files.put("in.parquet", bytes);
    let error = Source::open(&[&path]).and_then(|s| read(s, columns)).expect_err("this should fail");
    error.to_string().replace(&*path.parent().unwrap().to_string_lossy(), "")
}

/// `n` rows with every kind of column: as arrays, as text, and as a tally of the batch in memory.
struct People {
    sex: Vec<Option<&'static str>>,
    age: Vec<Option<i64>>,
    region: Vec<String>,
    paid: Vec<Option<bool>>,
    offer: Vec<Option<i64>>,
    score: Vec<Option<f64>>,
    weight: Vec<f64>,
}

impl People {
    fn new(n: usize) -> Self {
        let sexes = [Some("f"), Some("m"), None, Some("x, y")];
        People {
            sex: (0..n).map(|i| sexes[i * i % 7 % 4]).collect(),
            age: (0..n).map(|i| (i % 11 != 3).then_some((i * 37 % 80) as i64)).collect(),
            region: (0..n).map(|i| format!("r{}", i * i % 5)).collect(),
            paid: (0..n).map(|i| (i % 13 != 5).then_some(i * 7 % 3 == 0)).collect(),
            offer: (0..n).map(|i| (i % 17 != 2).then_some(i64::from(i * 5 % 4 == 1))).collect(),
            score: (0..n).map(|i| (i % 19 != 4).then_some((i * 31 % 64) as f64 / 64.0)).collect(),
            weight: (0..n).map(|i| (i % 9) as f64 / 4.0).collect(),
        }
    }

    fn arrays(&self) -> Vec<(&'static str, ArrayRef)> {
        vec![
            ("id", Arc::new(Int64Array::from_iter_values(0..self.sex.len() as i64)) as ArrayRef),
            ("sex", Arc::new(self.sex.iter().copied().collect::<StringArray>())),
            ("age", Arc::new(self.age.iter().copied().collect::<Int64Array>())),
            ("region", Arc::new(StringArray::from_iter_values(&self.region))),
            ("paid", Arc::new(self.paid.iter().copied().collect::<BooleanArray>())),
            ("offer", Arc::new(self.offer.iter().copied().collect::<Int64Array>())),
            ("score", Arc::new(self.score.iter().copied().collect::<Float64Array>())),
            ("weight", Arc::new(Float64Array::from(self.weight.clone()))),
        ]
    }

    /// The same people in other types of the same meaning.
    fn other_arrays(&self) -> Vec<(&'static str, ArrayRef)> {
        let tiny = |v: &Option<i64>| v.map(|v| v as i8);
        let real = |v: &Option<bool>| v.map(|v| f64::from(u8::from(v)));
        vec![
            ("weight", Arc::new(Float32Array::from_iter_values(self.weight.iter().map(|w| *w as f32))) as ArrayRef),
            ("score", Arc::new(self.score.iter().map(|s| s.map(|s| s as f32)).collect::<Float32Array>())),
            ("offer", Arc::new(self.offer.iter().map(|o| o.map(|o| o as u8)).collect::<UInt8Array>())),
            ("paid", Arc::new(self.paid.iter().map(real).collect::<Float64Array>())),
            ("region", Arc::new(StringViewArray::from_iter_values(&self.region))),
            ("age", Arc::new(self.age.iter().map(tiny).collect::<Int8Array>())),
            ("sex", Arc::new(self.sex.iter().copied().collect::<DictionaryArray<Int8Type>>())),
        ]
    }

    fn text(&self) -> String {
        let mut text = String::from("sex,age,region,paid,offer,score,weight\n");
        for i in 0..self.sex.len() {
            let sex = self.sex[i].unwrap_or("NA");
            let [age, offer] = [self.age[i], self.offer[i]].map(|v| v.map_or(String::new(), |v| v.to_string()));
            let paid = self.paid[i].map_or("null".into(), |p| p.to_string());
            let score = self.score[i].map_or(String::new(), |s| s.to_string());
            writeln!(text, "\"{sex}\",{age},{},{paid},{offer},{score},{}", self.region[i], self.weight[i]).unwrap();
        }
        text
    }

    fn tally(&self) -> Tally {
        let bands: Bands = "<18,18-64,>64".parse().unwrap();
        let ages: Vec<f64> = self.age.iter().map(|a| a.map_or(f64::NAN, |a| a as f64)).collect();
        let offer: Vec<Option<bool>> = self.offer.iter().map(|o| o.map(|o| o == 1)).collect();
        let batch = Batch::builder()
            .attribute(Categorical::from_options("sex", self.sex.iter().copied()))
            .attribute(Categorical::from_numbers("age", &ages, &bands).unwrap())
            .stratum(Categorical::from_values("region", &self.region))
            .label(Binary::from(self.paid.as_slice()))
            .model(
                Model::decision("offer", Binary::from(offer.as_slice())).with_score(&self.score).score_named("score"),
            )
            .model(Model::threshold("score >= 0.5", &self.score, 0.5).score_named("score"))
            .model(Model::top("score top 33.5%", &self.score, Top::Share(0.335)).score_named("score"))
            .weight(&self.weight)
            .build()
            .unwrap();
        Tally::of(&batch).unwrap()
    }
}

fn people_columns() -> Columns {
    let mut columns =
        columns().attribute(level("age:<18,18-64,>64")).stratum(level("region")).score("score").weight("weight");
    columns.thresholds = vec![0.5];
    columns.top = vec![Top::Share(0.335)];
    columns
}

#[test]
fn parquet_text_and_memory_count_the_same() {
    let people = People::new(1000);
    let expected = people.tally();
    let files = Files::new();
    let text = read(Source::open(&[files.put("in.csv", people.text())]).unwrap(), &people_columns()).unwrap();
    assert_eq!(text.tally, expected);
    assert_eq!(tally_of(&plain(people.arrays()), &people_columns()).unwrap(), expected);
    let mut other = people.other_arrays();
    assert_eq!(tally_of(&plain(other.clone()), &people_columns()).unwrap(), expected);
    // Strings in the wider types.
    let wide = LargeStringArray::from_iter_values(&people.region);
    other[4].1 = Arc::new(wide);
    assert_eq!(tally_of(&plain(other), &people_columns()).unwrap(), expected);
}

#[test]
fn encodings_compressions_row_groups_chunks_and_threads_change_nothing() {
    let people = People::new(3000);
    let expected = people.tally();
    let files = Files::new();
    let builder = WriterProperties::builder;
    for (name, properties) in [
        ("snappy", builder().set_compression(Compression::SNAPPY)),
        (
            "zstd",
            builder().set_compression(Compression::ZSTD(ZstdLevel::default())).set_max_row_group_row_count(Some(7)),
        ),
        ("no dictionary", builder().set_dictionary_enabled(false)),
        (
            "full dictionary",
            builder().set_dictionary_page_size_limit(8).set_data_page_row_count_limit(100).set_write_batch_size(64),
        ),
        ("version 2", builder().set_writer_version(WriterVersion::PARQUET_2_0).set_max_row_group_row_count(Some(1000))),
        (
            "small pages",
            builder().set_data_page_row_count_limit(10).set_write_batch_size(10).set_max_row_group_row_count(Some(333)),
        ),
    ] {
        let bytes = file(people.arrays(), properties.build());
        let path = files.put(name, &bytes);
        for chunk in [1, 13, 999, 1 << 16] {
            let source = Source::open(&[&path]).unwrap().chunk_rows(chunk).threads(Some(1 + chunk % 3));
            let found = read(source, &people_columns()).unwrap();
            assert_eq!(found.tally, expected, "{name}, chunks of {chunk}");
            let info = &found.files[0];
            assert_eq!((info.rows, info.bytes, info.format), (3000, bytes.len() as u64, Format::Parquet));
            assert_eq!(info.blake3, blake3::hash(&bytes).to_hex().to_string());
        }
    }
}

#[test]
fn files_of_any_kind_are_one_batch() {
    let people = People::new(900);
    let slice = |columns: Vec<(&'static str, ArrayRef)>, from: usize, n: usize| {
        columns.into_iter().map(|(name, c)| (name, c.slice(from, n))).collect::<Vec<_>>()
    };
    let text = people.text();
    let lines: Vec<&str> = text.lines().collect();
    let files = Files::new();
    let paths = [
        files.put("a.parquet", plain(slice(people.arrays(), 0, 400))),
        files.put("b.csv", format!("{}\n{}\n", lines[0], lines[401..701].join("\n"))),
        files.put("c.parquet", plain(slice(people.other_arrays(), 700, 200))),
    ];
    // The label is true and false in two files and 0.0 and 1.0 in the third: plain in each, but not together.
    let error = read(Source::open(&paths).unwrap(), &people_columns()).unwrap_err().to_string();
    assert!(error.contains("c.parquet") && error.contains("`paid`") && error.contains("`true`"), "{error}");
    let rule = people_columns().favorable("paid", "true").favorable("paid", "1");
    for threads in [1, 2, 4] {
        let found = read(Source::open(&paths).unwrap().threads(Some(threads)), &rule).unwrap();
        assert_eq!(found.tally, people.tally());
        assert_eq!(found.files.iter().map(|f| f.rows).collect::<Vec<_>>(), [400, 300, 200]);
        assert_eq!(found.values["paid"], ["0", "1", "false", "true"]);
    }
}

#[test]
fn an_audit_begun_before_the_last_hash_is_the_whole_audit() {
    let people = People::new(900);
    let half = |from| people.arrays().into_iter().map(|(name, c)| (name, c.slice(from, 450))).collect::<Vec<_>>();
    let files = Files::new();
    let bytes = [plain(half(0)), plain(half(450))];
    let paths = [files.put("a.parquet", &bytes[0]), files.put("b.parquet", &bytes[1])];
    let plan = AuditPlan::new().columns(people_columns()).replicates(50);
    for threads in 1..4 {
        let source = || Source::open(&paths).unwrap().threads(Some(threads));
        let report = plan.audit_files(&source()).unwrap();
        for (input, bytes) in report.provenance.inputs.iter().zip(&bytes) {
            assert_eq!((input.rows, &input.blake3), (450, &blake3::hash(bytes).to_hex().to_string()));
        }
        let counted = plan.tally_files(&source()).unwrap();
        assert_eq!(report.models, plan.evaluate(&counted.tally).unwrap().models);
        // What the audit refuses is told, and what is wrong with a file before it.
        let unknown = plan.clone().reference("sex", "neither");
        assert!(matches!(unknown.audit_files(&source()), Err(Error::Unknown { .. })));
        let damaged = files.put("c.parquet", &bytes[1][..bytes[1].len() - 1]);
        let source = Source::open(&[&paths[0], &damaged]).and_then(|source| unknown.audit_files(&source));
        assert!(matches!(source, Err(Error::BadFile { .. })));
    }
}

#[test]
fn threads_do_not_change_sums_of_weights() {
    let n = 600_000;
    let sex = StringArray::from_iter_values((0..n).map(|i| ["f", "m", "x"][i % 3]));
    let weight = Float64Array::from_iter_values((0..n).map(|i| 1.0 / (i + 1) as f64));
    let paid = BooleanArray::from_iter((0..n).map(|i| Some(i % 2 == 0)));
    let arrays: Vec<(&str, ArrayRef)> = vec![
        ("sex", Arc::new(sex)),
        ("paid", Arc::new(paid.clone())),
        ("offer", Arc::new(paid)),
        ("w", Arc::new(weight)),
    ];
    let bytes = file(arrays, WriterProperties::builder().set_max_row_group_row_count(Some(10_000)).build());
    let files = Files::new();
    let paths = ["a", "b", "c"].map(|name| files.put(name, &bytes));
    let digest = |threads| {
        let source = Source::open(&paths).unwrap().threads(Some(threads));
        read(source, &columns().weight("w")).unwrap().tally.digest()
    };
    let one = digest(1);
    for threads in [2, 3, 8] {
        assert_eq!(digest(threads), one);
    }
}

fn strings(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn two(sex: [&str; 2]) -> Vec<(&str, ArrayRef)> {
    vec![("sex", strings(&sex)), ("paid", strings(&["yes", "no"])), ("offer", Arc::new(Int32Array::from(vec![1, 0])))]
}

#[test]
fn values_are_trimmed_renamed_and_missing_as_in_text() {
    let mut arrays = two([" f ", "?"]);
    arrays.push(("n", Arc::new(Int16Array::from(vec![-9, 4]))));
    arrays.push(("r", Arc::new(Float64Array::from(vec![f64::NAN, 1.0]))));
    let mut asked = columns().attribute(level("n")).attribute(level("r:one=1"));
    asked.attributes[0] = level("sex:F=f");
    asked.missing.extend(["?".into(), "-9".into()]);
    let same = Batch::builder()
        .attribute(Categorical::from_options("sex", [Some("F"), None]))
        .attribute(Categorical::from_options("n", [None, Some("4")]))
        .attribute(Categorical::from_options("r", [None, Some("one")]))
        .label([1, 0])
        .model(Model::decision("offer", [1, 0]));
    assert_eq!(tally_of(&plain(arrays), &asked).unwrap(), Tally::of(&same.build().unwrap()).unwrap());
}

#[test]
fn dates_and_decimals_are_levels_and_decimals_are_numbers() {
    let mut arrays = two(["f", "m"]);
    arrays.push(("since", Arc::new(Date32Array::from(vec![19_753, 0]))));
    arrays.push((
        "at",
        Arc::new(TimestampMillisecondArray::from(vec![Some(1_700_000_000_000), None]).with_timezone("UTC")),
    ));
    let decimals = Decimal128Array::from(vec![150, -25]).with_precision_and_scale(10, 2).unwrap();
    arrays.push(("price", Arc::new(decimals)));
    let asked = columns().attribute(level("since")).attribute(level("at")).attribute(level("price")).score("price");
    let same = Batch::builder()
        .attribute(Categorical::from_values("sex", ["f", "m"]))
        .attribute(Categorical::from_values("since", ["2024-01-31", "1970-01-01"]))
        .attribute(Categorical::from_options("at", [Some("2023-11-14 22:13:20"), None]))
        .attribute(Categorical::from_values("price", ["1.50", "-0.25"]))
        .label([1, 0])
        .model(Model::decision("offer", [1, 0]).with_score([1.5, -0.25]));
    assert_eq!(tally_of(&plain(arrays), &asked).unwrap(), Tally::of(&same.build().unwrap()).unwrap());
}

#[test]
fn integers_of_wide_and_shifting_ranges_keep_their_rows() {
    let n = 4000i64;
    for step in [1, 40, 1 << 40] {
        let value = |i: i64| (i * i % 1009) * step - 500 * step;
        let arrays: Vec<(&str, ArrayRef)> = vec![
            ("sex", Arc::new(Int64Array::from_iter((0..n).map(|i| (i % 10 != 0).then_some(value(i)))))),
            ("paid", Arc::new(Int64Array::from_iter_values((0..n).map(|i| i % 2 * 7)))),
            ("offer", Arc::new(UInt64Array::from_iter_values((0..n).map(|i| (i % 3) as u64 * (u64::MAX / 2))))),
        ];
        let asked = columns().favorable("paid", "7").favorable("offer", (u64::MAX / 2 * 2).to_string());
        let levels = (0..n).map(|i| (i % 10 != 0).then_some(value(i).to_string()));
        let label: Vec<u8> = (0..n).map(|i| (i % 2) as u8).collect();
        let offer: Vec<u8> = (0..n).map(|i| u8::from(i % 3 == 2)).collect();
        let same = Batch::builder()
            .attribute(Categorical::from_options("sex", levels))
            .label(&label)
            .model(Model::decision("offer", &offer));
        let files = Files::new();
        let source = Source::open(&[files.put("in.parquet", plain(arrays))]).unwrap().chunk_rows(100);
        assert_eq!(read(source, &asked).unwrap().tally, Tally::of(&same.build().unwrap()).unwrap(), "step {step}");
    }
}

#[test]
fn ten_thousand_levels_keep_their_rows() {
    let values: Vec<String> = (0..40_000).map(|i| format!("level {}", i * 7 % 10_000)).collect();
    let paid: Vec<bool> = (0..40_000).map(|i| i % 3 == 0).collect();
    let arrays: Vec<(&str, ArrayRef)> = vec![
        ("sex", Arc::new(StringArray::from_iter_values(&values))),
        ("paid", Arc::new(BooleanArray::from(paid.clone()))),
        ("offer", Arc::new(BooleanArray::from(vec![true; 40_000]))),
    ];
    let same = Batch::builder()
        .attribute(Categorical::from_values("sex", &values))
        .label(&paid)
        .model(Model::decision("offer", vec![1; 40_000]));
    let expected = Tally::of(&same.build().unwrap()).unwrap();
    let properties = || WriterProperties::builder().set_max_row_group_row_count(Some(9_000));
    for properties in [properties(), properties().set_dictionary_page_size_limit(20_000).set_write_batch_size(500)] {
        assert_eq!(tally_of(&file(arrays.clone(), properties.build()), &columns()).unwrap(), expected);
    }
}

#[test]
fn quantiles_are_those_of_all_rows() {
    let ages: Vec<Option<f64>> = (0..500).map(|i| (i % 7 != 0).then_some(f64::from(i * i % 101))).collect();
    let n = ages.len();
    let arrays: Vec<(&str, ArrayRef)> = vec![
        ("age", Arc::new(Float64Array::from(ages.clone()))),
        ("paid", Arc::new(BooleanArray::from(vec![true; n]))),
        ("offer", Arc::new(BooleanArray::from(vec![false; n]))),
    ];
    let bytes = file(arrays, WriterProperties::builder().set_max_row_group_row_count(Some(64)).build());
    let all: Vec<f64> = ages.iter().map(|a| a.unwrap_or(f64::NAN)).collect();
    let same = Batch::builder()
        .attribute(Categorical::from_numbers("age", &all, &Bands::Quantiles(5)).unwrap())
        .label(vec![1; n])
        .model(Model::decision("offer", vec![0; n]));
    let asked = Columns { attributes: vec![level("age:quantiles:5")], ..columns() };
    assert_eq!(tally_of(&bytes, &asked).unwrap(), Tally::of(&same.build().unwrap()).unwrap());
}

#[test]
fn bad_values_name_column_value_row_and_file() {
    let floats = |v: &[Option<f64>]| Arc::new(Float64Array::from(v.to_vec())) as ArrayRef;
    let asked = |column: &str| match column {
        "s" => columns().score("s"),
        "w" => columns().weight("w"),
        _ => columns().attribute(level("age:<=25,26-40")),
    };
    for (column, array, value) in [
        ("s", floats(&[Some(1.0), Some(f64::NAN)]), "NaN"),
        ("s", floats(&[None, Some(f64::INFINITY)]), "inf"),
        ("s", strings(&["1", "high"]), "high"),
        ("w", floats(&[Some(1.0), Some(-0.5)]), "-0.5"),
        ("w", floats(&[Some(1.0), None]), "null"),
        ("w", Arc::new(Int32Array::from(vec![1, -3])), "-3"),
        ("age", floats(&[Some(1.0), Some(25.5)]), "25.5"),
        ("age", floats(&[Some(1.0), Some(f64::INFINITY)]), "inf"),
        ("age", Arc::new(Int32Array::from(vec![25, 41])), "41"),
        ("age", Arc::new(Int64Array::from(vec![25, 1 << 40])), "1099511627776"),
        ("age", strings(&["20", "old"]), "old"),
    ] {
        let mut arrays = two(["f", "m"]);
        arrays.push((column, array));
        let text = failure(&plain(arrays.clone()), &asked(column));
        assert!(text.contains(&format!("column `{column}`")) && text.contains(value), "{text}");
        assert!(text.contains("in row 2 of /in.parquet"), "{text}");
        // Rows are those of the file, not of the row group.
        let single = WriterProperties::builder().set_max_row_group_row_count(Some(1)).build();
        let text = failure(&file(arrays, single), &asked(column));
        assert!(text.contains("in row 2 of /in.parquet"), "{text}");
    }
    let mut arrays = two(["f", "m"]);
    arrays.push(("s", Arc::new(BooleanArray::from(vec![true, false]))));
    assert!(failure(&plain(arrays), &asked("s")).contains("column `s`"));
}

#[test]
fn labels_that_are_not_binary_name_values_row_and_file() {
    let arrays = |paid: ArrayRef| vec![("sex", strings(&["f"; 4])), ("paid", paid.clone()), ("offer", paid)];
    let groups = || WriterProperties::builder().set_max_row_group_row_count(Some(3)).build();
    for (paid, values) in [
        (strings(&["good", "bad", "good", "so-so"]), ["`good`", "`so-so`"]),
        (Arc::new(Int32Array::from(vec![1, 0, 1, 2])) as ArrayRef, ["`2`", "row 4 "]),
        (Arc::new(Float32Array::from(vec![1.0, 0.0, 0.5, 1.0])), ["`0.5`", "row 3 "]),
    ] {
        let text = failure(&file(arrays(paid), groups()), &columns());
        for fact in values.into_iter().chain(["`paid`", "/in.parquet"]) {
            assert!(text.contains(fact), "{text}");
        }
    }
    let slip = columns().favorable("paid", "Good").favorable("offer", "good");
    let text = failure(&plain(arrays(strings(&["good", "bad", "good", "bad"]))), &slip);
    assert!(text.contains("`Good`") && text.contains("never occurs"), "{text}");
}

#[test]
fn columns_that_are_not_there_or_not_readable_are_named() {
    let text = failure(&plain(two(["f", "m"])), &columns().score("offfer"));
    assert!(text.contains("there is no column `offfer` of /in.parquet; did you mean `offer`?"), "{text}");
    let mut arrays = two(["f", "m"]);
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1)]), None]);
    arrays.push(("list", Arc::new(list)));
    let bytes = plain(arrays);
    assert!(tally_of(&bytes, &columns()).is_ok());
    let text = failure(&bytes, &columns().score("list"));
    assert!(text.contains("/in.parquet") && text.contains("column `list` holds"), "{text}");
    // Two columns of one name.
    let schema = Schema::new(vec![Field::new("sex", DataType::Utf8, false), Field::new("sex", DataType::Utf8, false)]);
    let batch = RecordBatch::try_new(Arc::new(schema), vec![strings(&["f"]), strings(&["m"])]).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    assert!(failure(&bytes, &columns()).contains("two columns named `sex`"));
}

#[test]
fn a_file_without_rows_is_named() {
    let empty: Vec<(&str, ArrayRef)> = two(["f", "m"]).into_iter().map(|(n, c)| (n, c.slice(0, 0))).collect();
    assert_eq!(failure(&plain(empty), &columns()), "there is nothing to audit of /in.parquet: the file has no rows");
}

#[test]
fn columns_and_samples_show_what_there_is() {
    let people = People::new(100);
    let mut arrays = people.arrays();
    arrays.push(("since", Arc::new(Date32Array::from(vec![0; 100]))));
    arrays.push(("raw", Arc::new(FixedSizeBinaryArray::try_from_iter((0..100u8).map(|i| [i; 3])).unwrap())));
    let bytes = file(arrays, WriterProperties::builder().set_max_row_group_row_count(Some(30)).build());
    let files = Files::new();
    let source = Source::open(&[files.put("in.parquet", bytes)]).unwrap();
    let kinds: Vec<ColumnKind> = source.columns().unwrap().into_iter().map(|c| c.kind).collect();
    use ColumnKind::*;
    assert_eq!(kinds, [Integer, Text, Integer, Text, Boolean, Integer, Number, Number, Date, Other]);
    let sample = source.sample(40).unwrap();
    assert!(sample.values.iter().all(|v| v.len() == 40));
    assert_eq!(sample.values[1][..3], ["f", "m", "f"].map(String::from));
    assert_eq!(sample.values[1][2], people.sex[2].unwrap_or_default());
    assert_eq!((sample.values[8][39].as_str(), sample.values[9][39].as_str()), ("1970-01-01", ""));
    assert_eq!(source.sample(1000).unwrap().values[0].len(), 100);
}

/// A file with several row groups and pages, small enough to damage everywhere.
fn target() -> (Vec<u8>, Columns) {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(100))
        .set_data_page_row_count_limit(50)
        .set_write_batch_size(50);
    (file(People::new(300).arrays(), properties.build()), people_columns())
}

#[test]
fn a_truncated_file_is_never_a_short_count() {
    let (bytes, columns) = target();
    for cut in (1..bytes.len()).step_by(61).chain(bytes.len() - 16..bytes.len()).chain(1..16) {
        let text = failure(&bytes[..cut], &columns);
        assert!(text.contains("/in.parquet"), "cut at {cut}: {text}");
    }
    let text = failure(&bytes[..bytes.len() / 2], &columns);
    assert!(text.contains("/in.parquet cannot be read") && text.contains("truncated"), "{text}");
}

#[test]
fn damage_in_the_data_names_the_row_group() {
    let (mut bytes, columns) = target();
    // Zeros over the pages of the second row group, found by what the footer says of them.
    let files = Files::new();
    let whole = std::fs::File::open(files.put("whole.parquet", &bytes)).unwrap();
    let footer = parquet::file::metadata::ParquetMetaDataReader::new().parse_and_finish(&whole).unwrap();
    let (start, length) = footer.row_group(1).column(1).byte_range();
    bytes[start as usize..(start + length) as usize].fill(0xff);
    let text = failure(&bytes, &columns);
    assert!(text.contains("/in.parquet cannot be read at row group 1"), "{text}");
}

#[test]
fn kinds_of_errors_can_be_told_apart() {
    let (bytes, columns) = target();
    let error = tally_of(&bytes[..200], &columns).unwrap_err();
    assert!(matches!(error, Error::BadFile { row_group: None, .. }), "{error}");
}
