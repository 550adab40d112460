//! Parquet files with flipped bytes: no panic reaches the caller, and no count is short.
#![cfg(feature = "parquet")]

use std::sync::Arc;

use arrow_array::*;
use evenhand::data::{Columns, source::Source};
use evenhand::tally::Limits;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

const ROWS: usize = 300;

fn target() -> Vec<u8> {
    let n = ROWS as i64;
    let columns: [(&str, ArrayRef); 5] = [
        ("sex", Arc::new(StringArray::from_iter((0..n).map(|i| ["f", "m", "x"].get((i % 4) as usize).copied())))),
        ("age", Arc::new(Int64Array::from_iter((0..n).map(|i| (i % 11 != 3).then_some(i * 37 % 80))))),
        ("paid", Arc::new(BooleanArray::from_iter((0..n).map(|i| (i % 13 != 5).then_some(i % 3 == 0))))),
        ("offer", Arc::new(Int32Array::from_iter_values((0..ROWS as i32).map(|i| i * 5 % 2)))),
        ("score", Arc::new(Float64Array::from_iter((0..n).map(|i| (i % 19 != 4).then_some(i as f64 / 300.0))))),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns.map(|(name, c)| (name, c, true))).unwrap();
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(150))
        .set_data_page_row_count_limit(75)
        .set_write_batch_size(75)
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn flipped_bytes_never_panic_and_never_give_a_short_count() {
    let bytes = target();
    let columns = Columns::new().attribute("sex".parse().unwrap()).attribute("age".parse().unwrap());
    let columns = columns.label("paid").decision("offer").score("score");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.parquet");
    // The panics that the reader catches are expected by the hundred.
    std::panic::set_hook(Box::new(|_| {}));
    let (mut failed, mut read, mut panics, mut short) = (0, 0, Vec::new(), Vec::new());
    for at in 0..bytes.len() {
        let flip = [0x01, 0x80, 0xff, 0x10][at % 4];
        let mut damaged = bytes.clone();
        damaged[at] ^= flip;
        std::fs::write(&path, &damaged).unwrap();
        let result = std::panic::catch_unwind(|| {
            let source = Source::open(&[&path])?;
            source.sample(10).ok();
            source.tally(&columns, &[], Limits::default())
        });
        match result {
            Err(_) => panics.push((at, flip)),
            Ok(Err(error)) => {
                failed += 1;
                assert!(!error.to_string().is_empty());
            }
            Ok(Ok(found)) if found.tally.rows() == ROWS as u64 => read += 1,
            Ok(Ok(found)) => short.push((at, flip, found.tally.rows())),
        }
    }
    drop(std::panic::take_hook());
    assert!(panics.is_empty(), "{} panics: {:?}", panics.len(), &panics[..panics.len().min(20)]);
    assert!(short.is_empty(), "{short:?}");
    assert!(failed > 100 && read > 100, "{failed} failed, {read} were read");
}
