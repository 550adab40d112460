//! What pages give is what Arrow gives, whatever the types, encodings and borders.

use std::path::Path;

use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::types::Int32Type;
use arrow_array::{
    BooleanArray, Date32Array, Float64Array, Int8Array, Int32Array, Int64Array, RecordBatch, StringArray, UInt16Array,
    UInt64Array,
};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, GzipLevel, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::super::columnar;
use super::super::indices::Indices;
use super::*;

/// A column of each type that is known, and others; with rows without a value where they may be.
fn batch(rows: usize, levels: usize, optional: bool, draw: &mut Xoshiro256PlusPlus) -> RecordBatch {
    // Long runs of one value, and values that change from row to row.
    let mut codes = Vec::with_capacity(rows);
    while codes.len() < rows {
        let (code, length) = (draw.gen_range(0..levels), [1, 1, 1, 1, 300][draw.gen_range(0..5)]);
        codes.extend(std::iter::repeat_n(code, length.min(rows - codes.len())));
    }
    let gap = [2, 7, 5000][draw.gen_range(0..3)];
    let there: Vec<bool> = (0..rows).map(|_| !optional || draw.gen_range(0..gap) > 0).collect();
    let some = || codes.iter().zip(&there).map(|(code, there)| there.then_some(*code));
    let texts: Vec<String> = (0..levels).map(|code| format!("level {code}")).collect();
    let mut dictionary = StringDictionaryBuilder::<Int32Type>::new();
    some().for_each(|code| dictionary.append_option(code.map(|code| &texts[code])));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("text", Arc::new(some().map(|c| c.map(|c| texts[c].as_str())).collect::<StringArray>())),
        ("dictionary", Arc::new(dictionary.finish())),
        ("whole", Arc::new(some().map(|c| c.map(|c| c as i64 - 3)).collect::<Int64Array>())),
        ("int", Arc::new(some().map(|c| c.map(|c| c as i32 * 1000)).collect::<Int32Array>())),
        ("tiny", Arc::new(some().map(|c| c.map(|c| c as i8)).collect::<Int8Array>())),
        ("unsigned", Arc::new(some().map(|c| c.map(|c| c as u16)).collect::<UInt16Array>())),
        ("huge", Arc::new(some().map(|c| c.map(|c| u64::MAX - c as u64)).collect::<UInt64Array>())),
        ("day", Arc::new(some().map(|c| c.map(|c| c as i32 + 19000)).collect::<Date32Array>())),
        ("yes", Arc::new(some().map(|c| c.map(|c| c % 3 == 0)).collect::<BooleanArray>())),
        ("number", Arc::new(some().map(|c| c.map(|c| c as f64 / 8.0)).collect::<Float64Array>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, optional))).unwrap()
}

fn write(path: &Path, batch: &RecordBatch, properties: WriterProperties) {
    let mut writer =
        ArrowWriter::try_new(std::fs::File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

/// The values read last, as texts.
fn texts(values: Values) -> Vec<Option<String>> {
    match values {
        Values::Array(array) => {
            let mut all = Vec::new();
            let push = |_: usize, text: Option<&str>| {
                all.push(text.map(String::from));
                Ok(())
            };
            columnar::texts(array, push).unwrap();
            all
        }
        Values::Indices(of, Indices::Bytes(indices)) => {
            indices.iter().map(|at| of.text(usize::from(*at)).map(String::from)).collect()
        }
        Values::Indices(of, Indices::Wide(indices)) => {
            indices.iter().map(|at| of.text(*at as usize).map(String::from)).collect()
        }
    }
}

/// Every column of every row group by its pages, which must be what Arrow gives. Gives the names of those that were
/// read by their pages to the end. Unless told to heed it, what the footer says of how pages are written is not known.
fn compare(path: &Path, batch: &RecordBatch, step: usize, heed: bool) -> Vec<String> {
    let input = Input::open(path).unwrap();
    let footer = Footer::open(&input).unwrap();
    let mut by_pages = Vec::new();
    for (column, field) in batch.schema().fields().iter().enumerate() {
        let mut all_by_pages = true;
        for (group, rows) in footer.groups().enumerate() {
            let leaf = footer.leaf(column);
            let mut chunk = Chunk::open((&input, &footer), (group, column), leaf, step).unwrap();
            if !heed {
                let (about, kind) = footer.about((group, column), leaf.unwrap()).unwrap();
                if let Some(pages) = Paged::begin(&input, about, kind) {
                    chunk.by = By::Pages(Box::new(pages));
                }
            }
            let mut arrow = Chunk::open((&input, &footer), (group, column), None, step).unwrap();
            let (rows, mut read) = (rows as usize, 0);
            while read < rows {
                let now = step.min(rows - read);
                assert_eq!((chunk.read(read, now).unwrap(), arrow.read(read, now).unwrap()), (now, now));
                assert_eq!(texts(chunk.values()), texts(arrow.values()), "{field} of group {group} from row {read}");
                read += now;
            }
            chunk.finish().unwrap();
            arrow.finish().unwrap();
            all_by_pages &= matches!(chunk.by, By::Pages(_));
        }
        if all_by_pages {
            by_pages.push(field.name().clone());
        }
    }
    by_pages
}

#[test]
fn pages_give_what_arrow_gives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.parquet");
    let mut draw = Xoshiro256PlusPlus::seed_from_u64(20_261_127);
    let compressions = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
    ];
    for case in 0..48 {
        let levels = [1, 2, 3, 100, 255, 256, 700][draw.gen_range(0..7)];
        let batch = batch(1 + draw.gen_range(0..4000), levels, case % 2 == 0, &mut draw);
        let version = [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0][case / 2 % 2];
        let properties = WriterProperties::builder()
            .set_writer_version(version)
            .set_compression(compressions[case / 4 % 4])
            .set_max_row_group_row_count(Some([500, 1 << 20][draw.gen_range(0..2)]))
            .set_data_page_row_count_limit([7, 1000, 20_000][draw.gen_range(0..3)])
            .set_write_batch_size(64)
            .build();
        write(&path, &batch, properties);
        let by_pages = compare(&path, &batch, [13, 64, 1000, 1 << 14][draw.gen_range(0..4)], true);
        // Numbers with a point are not known; what the other columns hold fits a dictionary.
        let known: Vec<&str> = by_pages.iter().map(String::as_str).collect();
        let all = ["text", "dictionary", "whole", "int", "tiny", "unsigned", "huge", "day", "yes"];
        assert_eq!(known, all, "case {case}");
    }
}

#[test]
fn dictionaries_of_more_than_65535_values_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.parquet");
    // Of more bytes than are read at once.
    let (rows, levels) = (800_000i64, 70_000);
    let values: Int64Array = (0..rows).map(|row| (row % 11 > 0).then_some(row * 7919 % levels)).collect();
    let batch = RecordBatch::try_from_iter([("whole", Arc::new(values) as ArrayRef)]).unwrap();
    write(&path, &batch, WriterProperties::builder().set_dictionary_page_size_limit(1 << 24).build());
    assert_eq!(compare(&path, &batch, 1 << 14, true), ["whole"]);
}

#[test]
fn pages_behind_a_full_dictionary_are_left_to_arrow() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.parquet");
    let mut draw = Xoshiro256PlusPlus::seed_from_u64(7);
    for optional in [false, true] {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            let batch = batch(60_000, 5000, optional, &mut draw);
            let properties = WriterProperties::builder()
                .set_writer_version(version)
                .set_dictionary_page_size_limit(2000)
                .set_data_page_row_count_limit(300)
                .set_write_batch_size(100)
                .build();
            write(&path, &batch, properties);
            for heed in [false, true] {
                assert_eq!(compare(&path, &batch, 128, heed), ["tiny", "yes"]);
            }
        }
    }
}

#[test]
fn other_encodings_are_left_to_arrow() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.parquet");
    let batch = batch(3000, 40, true, &mut Xoshiro256PlusPlus::seed_from_u64(11));
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_column_encoding("whole".into(), Encoding::DELTA_BINARY_PACKED)
        .set_column_encoding("text".into(), Encoding::DELTA_BYTE_ARRAY)
        .build();
    write(&path, &batch, properties);
    assert_eq!(compare(&path, &batch, 500, true), ["yes"]);
}
