//! Copies of Parquet files with changes, read back.
#![cfg(feature = "parquet")]

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, DictionaryArray, Int16Array, RecordBatch, StringArray, types::Int32Type};
use evenhand::data::source::{Added, Changes, Format, Source};
use evenhand::data::{Categorical, Column, Columns, Table};
use parquet::arrow::ArrowWriter;

fn write(path: &Path, sex: [&str; 2], visits: [Option<i16>; 2]) {
    let sex: DictionaryArray<Int32Type> = sex.into_iter().collect();
    let notes = StringArray::from(vec![Some("a,b"), None]);
    let columns: [(&str, ArrayRef); 3] =
        [("sex", Arc::new(sex)), ("visits", Arc::new(Int16Array::from(visits.to_vec()))), ("note", Arc::new(notes))];
    let batch = RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn parquet_keeps_its_types_and_takes_columns_and_rows() {
    let dir = tempfile::tempdir().unwrap();
    let paths = ["a", "b", "copy"].map(|name| dir.path().join(format!("{name}.parquet")));
    write(&paths[0], ["f", "m"], [Some(3), None]);
    write(&paths[1], ["x", "f"], [Some(-4), Some(5)]);
    let source = Source::open(&paths[..2]).unwrap();
    let made = Table::new(vec![
        ("visits".into(), Column::Integer(vec![7.0, f64::NAN])),
        ("sex".into(), Column::Level(Categorical::from_options("sex", [Some("new"), None]))),
    ])
    .unwrap();
    let weights = [0.5, 1.0, f64::NAN, 2.0, 3.0, 4.0];
    let synthetic = [false, false, false, false, true, true];
    let changes = Changes::new()
        .times(&[2, 0, 1, 1])
        .column("weight", Added::Number(&weights))
        .column("synthetic", Added::Flag(&synthetic))
        .rows(&made);
    assert_eq!(source.copy(&changes, Format::Parquet, File::create(&paths[2]).unwrap()).unwrap(), 6);

    let copy = Source::open(&paths[2..]).unwrap();
    let sample = copy.sample(100).unwrap();
    let column = |name: &str| {
        let at = sample.columns.iter().position(|c| c.name == name).unwrap();
        sample.values[at].clone()
    };
    assert_eq!(column("sex"), ["f", "f", "x", "f", "new", ""]);
    assert_eq!(column("visits"), ["3", "3", "-4", "5", "7", ""]);
    assert_eq!(column("note"), ["a,b", "a,b", "a,b", "", "", ""]);
    assert_eq!(column("weight"), ["0.5", "0.5", "", "2", "3", "4"]);
    assert_eq!(column("synthetic"), ["false", "false", "false", "false", "true", "true"]);

    // All rows in memory: levels of both files are coded alike.
    let rows = source.rows(&Columns::new().attribute("sex".parse().unwrap()).score("visits")).unwrap();
    let batch = rows.batch().unwrap();
    let sex = &batch.attributes()[0];
    let levels: Vec<&str> = (0..4).map(|row| sex.levels()[sex.codes().get(row).unwrap()].as_str()).collect();
    assert_eq!(levels, ["f", "m", "x", "f"]);
    assert_eq!(rows.scores(0).unwrap()[2..], [-4.0, 5.0]);
    assert!(rows.scores(0).unwrap()[1].is_nan() && rows.scores(1).is_none());
}

#[test]
fn what_does_not_fit_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.parquet");
    write(&path, ["f", "m"], [Some(3), None]);
    let source = Source::open(&[&path]).unwrap();
    let fails = |changes: &Changes, format| source.copy(changes, format, Vec::new()).unwrap_err().to_string();
    assert!(fails(&Changes::new(), Format::Csv).contains("parquet"));
    assert!(fails(&Changes::new().column("weight", Added::Number(&[1.0])), Format::Parquet).contains("`weight`"));
    let table = |value: f64| Table::new(vec![("visits".into(), Column::Number(vec![value]))]).unwrap();
    let large = table(40_000.0);
    assert!(fails(&Changes::new().rows(&large), Format::Parquet).contains("`visits` holds `40000`"));
    let text = Table::new(vec![("note".into(), Column::Number(vec![1.0]))]).unwrap();
    assert!(fails(&Changes::new().rows(&text), Format::Parquet).contains("`note`"));
}
