//! The answer of an engine: what is right is the tally of the rows, what is wrong is refused with file, row and column.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use evenhand::audit::{AuditPlan, Policy};
use evenhand::data::source::Source;
use evenhand::data::{Columns, SegmentColumns, Top};
use evenhand::{Error, Place};
use proptest::prelude::*;

/// Levels that text formats stumble over.
const LEVELS: [&str; 6] = ["a,b", "say \"hi\"", "one\nmore", "O'Neil; DROP TABLE t", "ünï", "\\N x"];
const LABELS: [&str; 4] = ["yes", "No", "", "NA"];

/// sex, age, region, label, decision, score, tier, weight: by place in what each can be; age and score may be missing.
type Row = (usize, Option<u8>, usize, usize, usize, Option<u8>, usize, u8);

fn row() -> impl Strategy<Value = Row> {
    let level = || 0..LEVELS.len() + 1;
    (level(), prop::option::of(0u8..90), level(), 0usize..4, 0usize..4, prop::option::of(0u8..8), level(), 0u8..5)
}

fn level(at: usize) -> &'static str {
    LEVELS.get(at).copied().unwrap_or("")
}

fn number(of: Option<u8>, scale: f64) -> String {
    of.map_or(String::new(), |n| (f64::from(n) / scale).to_string())
}

fn band(age: Option<u8>) -> &'static str {
    match age {
        None => "",
        Some(..=25) => "<=25",
        Some(26..=40) => "26-40",
        Some(_) => ">40",
    }
}

/// 1, 0 or nothing, and the text that says so.
fn state(at: usize) -> (&'static str, &'static str) {
    [("1", "yes"), ("0", "No"), ("", ""), ("", "")][at]
}

fn write(folder: &Path, name: &str, header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> PathBuf {
    let path = folder.join(name);
    let mut csv = csv::Writer::from_path(&path).unwrap();
    csv.write_record(header).unwrap();
    rows.into_iter().for_each(|row| csv.write_record(row).unwrap());
    csv.flush().unwrap();
    path
}

fn plan(weighted: bool) -> AuditPlan {
    let columns = Columns::new()
        .attribute("sex:'=O'Neil; DROP TABLE t".parse().unwrap())
        .attribute("age:<=25,26-40,>40".parse().unwrap())
        .stratum("region".parse().unwrap())
        .label("label")
        .decision("decision")
        .score("score")
        .segments(SegmentColumns::plain("tier"));
    let columns = Columns { thresholds: vec![0.5], top: vec![Top::Share(0.3), Top::AboveMedian], ..columns };
    let columns = if weighted { columns.weight("weight") } else { columns };
    AuditPlan::new().columns(columns).replicates(10).policy(Policy::preset("four-fifths").unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_answer_is_the_tally_of_its_rows(rows in prop::collection::vec(row(), 4..60), weighted: bool) {
        prop_assume!(rows.iter().filter(|r| r.5.is_some()).count() > 3);
        let folder = tempfile::tempdir().unwrap();
        let texts = rows.iter().map(|r| {
            let (sex, region, tier) = (level(r.0), level(r.2), level(r.6));
            let text = [sex, &number(r.1, 1.0), region, LABELS[r.3], LABELS[r.4], &number(r.5, 8.0), tier, &number(Some(r.7), 4.0)];
            text.map(String::from).to_vec()
        });
        let header = ["sex", "age", "region", "label", "decision", "score", "tier", "weight"];
        let people = write(folder.path(), "people.csv", &header, texts);

        let mut cells: BTreeMap<Vec<String>, (u64, f64, f64)> = BTreeMap::new();
        for r in &rows {
            let sex = if level(r.0).starts_with("O'") { "'" } else { level(r.0) };
            let (label, decision) = (state(r.3), state(r.4));
            let key = [sex, band(r.1), level(r.2), level(r.6), label.0, decision.0, &number(r.5, 8.0), label.1, label.1, decision.1, decision.1];
            let (cell, w) = (cells.entry(key.map(String::from).to_vec()).or_default(), f64::from(r.7) / 4.0);
            *cell = (cell.0 + 1, cell.1 + w, cell.2 + w * w);
        }
        let mut header = vec!["attribute_1", "attribute_2", "stratum_1", "segment_1", "label", "decision_1", "score_1"];
        header.extend(["label_least", "label_most", "decision_1_least", "decision_1_most", "row_count", "weight", "weight_squared"]);
        let counts = cells.into_iter().map(|(key, (n, w, s))| {
            key.into_iter().chain([n.to_string(), w.to_string(), s.to_string()]).collect()
        });
        let counts = write(folder.path(), "counts.csv", &header, counts);

        let plan = plan(weighted);
        let of_rows = plan.tally_files(&Source::open(&[people]).unwrap()).unwrap();
        let counted = plan.tally_counted(&Source::open(&[counts]).unwrap()).unwrap();
        prop_assert_eq!(counted.tally.digest(), of_rows.tally.digest());
        prop_assert_eq!(&counted.values["label"], &of_rows.values["label"]);
        prop_assert_eq!(counted.tally, of_rows.tally);
    }
}

/// Writes an answer to a small question and reads it.
fn read(counts: &str) -> evenhand::Result<u64> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("counts.csv");
    std::fs::write(&path, counts).unwrap();
    let columns = Columns::new()
        .attribute("sex".parse().unwrap())
        .attribute("age:<=25,>25".parse().unwrap())
        .decision("targeted")
        .favorable("targeted", "in")
        .weight("w");
    let read = AuditPlan::new().columns(columns).tally_counted(&Source::open(&[path])?)?;
    Ok(read.tally.rows())
}

const HEADER: &str = "attribute_1,attribute_2,decision_1,fault,row_count,weight,weight_squared";

#[test]
fn what_no_rows_give_is_refused_where_it_stands() {
    assert_eq!(read(&format!("{HEADER}\nf,<=25,1,0,3,3,3\n,>25,,0,2,4,8\n")).unwrap(), 5);
    for (row, said) in [
        ("f,>25,1,0,-3,3,3", "row_count"),
        ("f,>25,1,0,2.5,3,3", "row_count"),
        ("f,>25,1,0,0,0,0", "row_count"),
        ("f,>25,1,0,9007199254740993,3,3", "row_count"),
        ("f,>25,1,0,1e400,3,3", "row_count"),
        ("f,>25,1,0,,3,3", "row_count"),
        ("f,>25,1,0,three,3,3", "row_count"),
        ("f,>25,1,0,3,-3,3", "weight"),
        ("f,>25,1,0,3,NaN,3", "weight"),
        ("f,>25,1,0,3,,3", "weight"),
        ("f,>25,1,0,3,3,2.9", "weight_squared"),
        ("f,>25,1,0,3,3,9.1", "weight_squared"),
        ("f,>25,2,0,3,3,3", "decision_1"),
        ("f,25,1,0,3,3,3", "attribute_2"),
        ("f,>25,1,1,3,3,3", "`sex`"),
        ("f,>25,1,2,3,3,3", "`age`"),
        ("f,>25,1,3,3,3,3", "`targeted`"),
        ("f,>25,1,4,3,3,3", "`w`"),
        ("f,>25,1,5,3,3,3", "`a` and `A`"),
        ("m,<=25,0,0,1,1,1", "already in row 1"),
        ("\\N,<=25,0,0,1,1,1", "nothing for NULL"),
    ] {
        let error = read(&format!("{HEADER}\nm,<=25,0,0,3,3,3\n{row}\n")).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(said) && text.contains("row 2 of") && text.contains("counts.csv"), "{row}: {text}");
    }
    assert!(matches!(read("attribute_1\nf\n"), Err(Error::MissingColumn { .. })));
    assert!(matches!(read(&format!("{HEADER}\n")), Err(Error::Nothing { .. })));
}

#[test]
fn labels_and_questions_are_checked_again() {
    let header =
        "question,attribute_1,attribute_2,decision_1,decision_1_least,decision_1_most,row_count,weight,weight_squared";
    let other = read(&format!("{header}\n0123456789abcdef,f,>25,1,in,in,3,3,3\n")).unwrap_err();
    assert!(
        matches!(&other, Error::BadTally { place: Place { row: Some(1), .. }, problem } if problem.contains("another question"))
    );
    let header = header.replace("question,", "");
    assert_eq!(read(&format!("{header}\nf,>25,1,in,in,3,3,3\nf,>25,0,no,out,3,3,3\n")).unwrap(), 6);
    let changed = read(&format!("{header}\nf,>25,0,in,in,3,3,3\n")).unwrap_err().to_string();
    assert!(changed.contains("`in`") && changed.contains("row 1"), "{changed}");
    // Of two values neither is the favourable one: a slip of the pen, as in files.
    let absent = read(&format!("{header}\nf,>25,0,no,out,3,3,3\n"));
    assert!(matches!(absent, Err(Error::FavorableAbsent { .. })));
    // Several pairs of plain values do not mix, even where they stand in different cells.
    let columns = Columns::new().attribute("sex".parse().unwrap()).decision("d");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("counts.csv");
    std::fs::write(
        &path,
        "attribute_1,decision_1,row_count,decision_1_least,decision_1_most\nf,1,2,yes,yes\nm,0,2,0,0\n",
    )
    .unwrap();
    let mixed = AuditPlan::new().columns(columns).tally_counted(&Source::open(&[path]).unwrap());
    assert!(matches!(mixed, Err(Error::NotBinary { place: Place { row: Some(2), .. }, .. })));
}

#[test]
fn one_answer_may_be_in_parts_and_its_report_names_them() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = ["one.csv", "two.csv"].map(|name| folder.path().join(name));
    std::fs::write(&one, "attribute_1,decision_1,row_count\nf,1,40\nf,0,60\n").unwrap();
    std::fs::write(&two, "row_count,attribute_1,decision_1\n80,m,1\n20,m,0\n").unwrap();
    let people = folder.path().join("people.csv");
    let rows = |sex: &str, in_: usize, out: usize| format!("{sex},1\n").repeat(in_) + &format!("{sex},0\n").repeat(out);
    std::fs::write(&people, format!("sex,targeted\n{}{}", rows("f", 40, 60), rows("m", 80, 20))).unwrap();
    let columns = Columns::new().attribute("sex".parse().unwrap()).decision("targeted");
    let plan = AuditPlan::new().columns(columns).policy(Policy::preset("four-fifths").unwrap());
    let mut counted = plan.audit_counted(&Source::open(&[&one, &two]).unwrap()).unwrap();
    let of_rows = plan.audit_files(&Source::open(&[people]).unwrap()).unwrap();
    let formats: Vec<(&str, u64)> = counted.provenance.inputs.iter().map(|i| (i.format.as_str(), i.rows)).collect();
    assert_eq!(formats, [("tally csv", 2), ("tally csv", 2)]);
    counted.provenance.inputs.clone_from(&of_rows.provenance.inputs);
    assert_eq!(counted, of_rows);
    // The same part twice is no answer.
    let again = folder.path().join("again.csv");
    std::fs::copy(&one, &again).unwrap();
    let twice = plan.audit_counted(&Source::open(&[&one, &again]).unwrap()).unwrap_err().to_string();
    assert!(twice.contains("in row 1 of") && twice.contains("again.csv") && twice.contains("one.csv"), "{twice}");
}
