//! Arrow's own files and streams read into tallies: the same counts as from text, and no damage unnoticed.
#![cfg(all(feature = "parquet", feature = "csv"))]

mod source_support;

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use arrow_array::types::{Int8Type, UInt32Type};
use arrow_array::*;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use evenhand::Result;
use evenhand::data::source::{Changes, ColumnKind, Format, Source, SourceTally};
use evenhand::data::{Columns, Top};
use evenhand::tally::Limits;
use source_support::Files;

const SEXES: [Option<&str>; 4] = [Some("f"), Some("m"), None, Some("x")];

fn sex(i: usize) -> Option<&'static str> {
    SEXES[i * i % 7 % 4]
}

fn region(i: usize) -> String {
    format!("r{}", i * i % 5)
}

/// So many rows from the row `start`, with dictionaries of other keys and values than Parquet's readers make.
fn batch(start: usize, rows: usize) -> RecordBatch {
    let values = StringArray::from_iter_values(["f", "m", "x"]);
    let key = |i| sex(i).map(|s| ["f", "m", "x"].iter().position(|v| *v == s).unwrap() as i8);
    let keys = Int8Array::from_iter((start..start + rows).map(key));
    batch_with(start, rows, DictionaryArray::new(keys, Arc::new(values)))
}

/// The same with a dictionary in the order in which values are met.
fn shifting(start: usize, rows: usize) -> RecordBatch {
    batch_with(start, rows, (start..start + rows).map(sex).collect())
}

fn batch_with(start: usize, rows: usize, sexes: DictionaryArray<Int8Type>) -> RecordBatch {
    let all = start..start + rows;
    let regions = StringViewArray::from_iter_values(["r4", "r3", "r2", "r1", "r0"]);
    let keys = UInt32Array::from_iter_values(all.clone().map(|i| 4 - (i * i % 5) as u32));
    let columns: [(&str, ArrayRef); 6] = [
        ("note", Arc::new(LargeStringArray::from_iter_values(all.clone().map(|i| format!("unused {i}"))))),
        ("region", Arc::new(DictionaryArray::<UInt32Type>::new(keys, Arc::new(regions)))),
        ("sex", Arc::new(sexes)),
        ("offer", Arc::new(Int64Array::from_iter(all.clone().map(|i| (i % 17 != 2).then_some(i as i64 * 5 % 4 % 2))))),
        ("paid", Arc::new(BooleanArray::from_iter(all.clone().map(|i| (i % 13 != 5).then_some(i % 3 == 0))))),
        ("score", Arc::new(Float32Array::from_iter(all.map(|i| (i % 19 != 4).then_some((i * 31 % 64) as f32 / 64.0))))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
}

fn text(rows: usize) -> String {
    let mut text = String::from("sex,region,paid,offer,score\n");
    for i in 0..rows {
        let paid = if i % 13 == 5 { "" } else { ["false", "true"][usize::from(i % 3 == 0)] };
        let offer = if i % 17 == 2 { String::new() } else { (i * 5 % 4 % 2).to_string() };
        let score = if i % 19 == 4 { String::new() } else { ((i * 31 % 64) as f64 / 64.0).to_string() };
        writeln!(text, "{},{},{paid},{offer},{score}", sex(i).unwrap_or("NA"), region(i)).unwrap();
    }
    text
}

fn columns() -> Columns {
    let mut columns = Columns::new().attribute("sex".parse().unwrap()).attribute("region".parse().unwrap());
    columns = columns.label("paid").decision("offer").score("score");
    columns.top = vec![Top::Share(0.335)];
    columns
}

fn read(source: Source) -> Result<SourceTally> {
    source.tally(&columns(), &[], Limits::default())
}

fn options(compression: Option<CompressionType>) -> IpcWriteOptions {
    IpcWriteOptions::default().try_with_compression(compression).unwrap()
}

fn file(batches: &[RecordBatch], compression: Option<CompressionType>) -> Vec<u8> {
    let mut writer = FileWriter::try_new_with_options(Vec::new(), &batches[0].schema(), options(compression)).unwrap();
    batches.iter().for_each(|b| writer.write(b).unwrap());
    writer.into_inner().unwrap()
}

fn stream(batches: &[RecordBatch], compression: Option<CompressionType>) -> Vec<u8> {
    let mut writer =
        StreamWriter::try_new_with_options(Vec::new(), &batches[0].schema(), options(compression)).unwrap();
    batches.iter().for_each(|b| writer.write(b).unwrap());
    writer.into_inner().unwrap()
}

/// What Polars makes of the first 80 rows, in batches of 40.
const POLARS: &[u8] = include_bytes!("data/polars.arrow");

fn failure(bytes: &[u8]) -> String {
    let files = Files::new();
    let error = Source::open(&[files.put("in.arrow", bytes)]).and_then(read).expect_err("this should fail");
    error.to_string()
}

#[test]
fn files_streams_batches_and_threads_change_nothing() {
    let files = Files::new();
    let text = files.put("rows.csv", text(700));
    let expected = read(Source::open(&[&text]).unwrap()).unwrap().tally;
    let one = [batch(0, 700)];
    let many = [batch(0, 300), batch(300, 0), batch(300, 1), batch(301, 399)];
    for (name, bytes) in [
        ("file", file(&one, None)),
        ("many.file", file(&many, None)),
        ("lz4", file(&many, Some(CompressionType::LZ4_FRAME))),
        ("zstd", stream(&many, Some(CompressionType::ZSTD))),
        ("stream", stream(&one, None)),
        ("dictionaries", stream(&[shifting(0, 3), shifting(3, 300), shifting(303, 397)], None)),
    ] {
        let path = files.put(name, bytes);
        for (chunk, threads) in [(1 << 16, 1), (7, 2), (300, 3)] {
            let found = read(Source::open(&[&path]).unwrap().chunk_rows(chunk).threads(Some(threads))).unwrap();
            assert_eq!((found.files[0].format, found.files[0].rows), (Format::Arrow, 700));
            assert_eq!(found.tally, expected, "{name}, chunks of {chunk}");
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(found.files[0].blake3, blake3::hash(&bytes).to_hex().to_string());
        }
    }
}

#[test]
fn what_polars_writes_is_read() {
    let files = Files::new();
    let expected = read(Source::open(&[files.put("rows.csv", text(80))]).unwrap()).unwrap().tally;
    let source = Source::open(&[files.put("polars.arrow", POLARS)]).unwrap();
    assert_eq!(source.sample(1).unwrap().columns[0].name, "region");
    assert_eq!(read(source).unwrap().tally, expected);
}

#[test]
fn rows_beyond_a_unit_of_work_are_counted_once() {
    let files = Files::new();
    let rows = 600_000;
    let text = files.put("rows.csv", text(rows));
    let expected = read(Source::open(&[&text]).unwrap()).unwrap().tally;
    let small: Vec<RecordBatch> = (0..60).map(|at| batch(at * 10_000, 10_000)).collect();
    for (name, bytes) in [
        ("one batch", file(&[batch(0, rows)], None)),
        ("many", file(&small, Some(CompressionType::LZ4_FRAME))),
        ("a stream of many", stream(&small, None)),
    ] {
        let path = files.put("large", bytes);
        let found = read(Source::open(&[&path]).unwrap().threads(Some(3))).unwrap();
        assert_eq!(found.tally, expected, "{name}");
    }
}

#[test]
fn files_of_any_kind_are_one_batch() {
    let files = Files::new();
    let (header, rows) = (text(0), text(700));
    let rest = header.clone() + &rows.lines().skip(301).map(|l| format!("{l}\n")).collect::<String>();
    let paths = [files.put("a", stream(&[batch(0, 300)], None)), files.put("b.csv", rest)];
    let whole = files.put("rows.csv", rows);
    let found = read(Source::open(&paths).unwrap()).unwrap();
    assert_eq!(found.tally, read(Source::open(&[&whole]).unwrap()).unwrap().tally);
}

#[test]
fn columns_and_samples_show_what_there_is() {
    let files = Files::new();
    let path = files.put("in.arrow", file(&[batch(0, 2), batch(2, 3)], None));
    let source = Source::open(&[&path]).unwrap();
    let sample = source.sample(4).unwrap();
    let kinds: Vec<(&str, ColumnKind)> = sample.columns.iter().map(|c| (c.name.as_str(), c.kind)).collect();
    assert_eq!(kinds[0], ("note", ColumnKind::Text));
    assert_eq!(kinds[1..3], [("region", ColumnKind::Text), ("sex", ColumnKind::Text)]);
    assert_eq!(kinds[4..], [("paid", ColumnKind::Boolean), ("score", ColumnKind::Number)]);
    assert_eq!(sample.values[1], (0..4).map(region).collect::<Vec<_>>());
    assert_eq!(sample.values[2], (0..4).map(|i| sex(i).unwrap_or("")).collect::<Vec<_>>());
    let error = source.copy(&Changes::new(), Format::Csv, Vec::new()).unwrap_err().to_string();
    assert!(error.contains("in.arrow") && error.contains("save it as Parquet"), "{error}");
    let lists = ListArray::from_iter_primitive::<Int8Type, _, _>([Some([Some(1)])]);
    let batch = RecordBatch::try_from_iter([("sex", Arc::new(lists) as ArrayRef)]).unwrap();
    let asked = Columns::new().attribute("sex".parse().unwrap()).label("sex");
    let path = files.put("lists", file(&[batch], None));
    let error = Source::open(&[&path]).unwrap().tally(&asked, &[], Limits::default()).unwrap_err().to_string();
    assert!(error.contains("`sex` holds List"), "{error}");
}

#[test]
fn bad_values_name_row_and_file() {
    let files = Files::new();
    let asked = Columns::new().attribute("sex".parse().unwrap()).label("region");
    let path = files.put("in.arrow", stream(&[batch(0, 2), batch(2, 2)], None));
    let error = Source::open(&[&path]).unwrap().tally(&asked, &[], Limits::default()).unwrap_err().to_string();
    assert!(error.contains("`region`") && error.contains("`r1`") && error.contains("in.arrow"), "{error}");
    // What is odd in a later row is looked for there.
    let labels = |labels: Vec<&str>| {
        let labels: ArrayRef = Arc::new(StringArray::from(labels));
        RecordBatch::try_from_iter([("sex", labels.clone()), ("region", labels)]).unwrap()
    };
    let odd = labels(vec!["yes", "no", "maybe"]);
    for (before, place) in [(vec![], "in row 3 of"), (vec![labels(vec!["yes"; 300_000])], "in row 300003 of")] {
        let path = files.put("odd.arrow", file(&[before, vec![odd.clone()]].concat(), None));
        let error = Source::open(&[&path]).unwrap().tally(&asked, &[], Limits::default()).unwrap_err().to_string();
        assert!(error.contains(place) && error.contains("odd.arrow"), "{error}");
    }
}

#[test]
fn truncation_is_never_a_short_count() {
    for whole in [
        file(&[batch(0, 40), batch(40, 40)], None),
        stream(&[batch(0, 40), batch(40, 40)], Some(CompressionType::LZ4_FRAME)),
        POLARS.to_vec(),
    ] {
        for cut in (8..whole.len()).step_by(3).chain(whole.len() - 20..whole.len()) {
            let text = failure(&whole[..cut]);
            assert!(text.contains("in.arrow"), "cut at {cut}: {text}");
        }
        let text = failure(&whole[..whole.len() - 30]);
        assert!(text.contains("truncated"), "{text}");
        failure(&[&whole[..], b"more"].concat());
    }
}

#[test]
fn a_footer_that_leaves_batches_out_is_damage() {
    let whole = file(&[batch(0, 40), batch(40, 40)], None);
    let (left, length) = whole.split_at(whole.len() - 10);
    let from = left.len() - u32::from_le_bytes(length[..4].try_into().unwrap()) as usize;
    let footer = arrow_ipc::root_as_footer(&left[from..]).unwrap();
    let blocks: Vec<[u8; 24]> = footer.recordBatches().unwrap().iter().map(|block| block.0).collect();
    let listed = from + left[from..].windows(48).position(|bytes| *bytes == *blocks.as_flattened()).unwrap();
    assert_eq!(whole[listed - 4..listed], 2u32.to_le_bytes());
    let changed = |at: usize, to: &[u8]| {
        let mut bytes = whole.clone();
        bytes[at..at + to.len()].copy_from_slice(to);
        bytes
    };
    // The last is left out; the first is listed twice; the first is left out.
    for bytes in
        [changed(listed - 4, &1u32.to_le_bytes()), changed(listed + 24, &blocks[0]), changed(listed, &blocks[1])]
    {
        let text = failure(&bytes);
        assert!(text.contains("its footer does not list what it holds"), "{text}");
    }
    // Neither does it matter in which order they stand, nor whether the end of the messages is marked.
    let files = Files::new();
    let expected = read(Source::open(&[files.put("whole", &whole)]).unwrap()).unwrap().tally;
    let turned = changed(listed, &[blocks[1], blocks[0]].concat());
    let unmarked = [&whole[..from - 8], &whole[from..]].concat();
    assert_eq!(whole[from - 8..from], [255, 255, 255, 255, 0, 0, 0, 0]);
    for bytes in [turned, unmarked] {
        let path = files.put("other", bytes);
        assert_eq!(read(Source::open(&[path]).unwrap()).unwrap().tally, expected);
    }
}

#[test]
fn damage_in_a_listed_batch_names_it() {
    let whole = file(&[batch(0, 2000), batch(2000, 2000), batch(4000, 2000)], Some(CompressionType::LZ4_FRAME));
    let (left, length) = whole.split_at(whole.len() - 10);
    let from = left.len() - u32::from_le_bytes(length[..4].try_into().unwrap()) as usize;
    let footer = arrow_ipc::root_as_footer(&left[from..]).unwrap();
    for (at, block) in footer.recordBatches().unwrap().iter().enumerate() {
        let (message, body) = (block.offset() as usize, block.offset() as usize + block.metaDataLength() as usize);
        let described = arrow_ipc::root_as_message(&whole[message + 8..]).unwrap();
        let mut damaged = whole.clone();
        // Every compressed buffer of it, behind its size, no longer begins as such.
        for buffer in described.header_as_record_batch().unwrap().buffers().unwrap() {
            let begin = body + buffer.offset() as usize + 8;
            if buffer.length() > 16 && whole[begin..begin + 4] == [0x04, 0x22, 0x4d, 0x18] {
                damaged[begin] ^= 0xff;
            }
        }
        assert_ne!(damaged, whole);
        let files = Files::new();
        let error = Source::open(&[files.put("in.arrow", damaged)]).and_then(read).unwrap_err();
        let row_group = if let evenhand::Error::BadFile { row_group, .. } = error { row_group } else { None };
        assert_eq!(row_group, Some(at), "{error}");
    }
}

#[test]
fn a_file_that_grows_while_it_is_read_is_refused() {
    let files = Files::new();
    let path = files.put("in.arrow", stream(&[batch(0, 2000)], None));
    let growing = path.clone();
    let source = Source::open(&[&path]).unwrap().on_progress(move |_| {
        let mut file = std::fs::OpenOptions::new().append(true).open(&growing).unwrap();
        file.write_all(b"more").unwrap();
    });
    let error = read(source).unwrap_err().to_string();
    assert!(error.contains("changed while it was read"), "{error}");
}

#[test]
fn flipped_bytes_never_panic_and_never_give_a_short_count() {
    std::panic::set_hook(Box::new(|_| {}));
    let files = Files::new();
    let (mut failed, mut read_all, mut panics, mut short) = (0, 0, Vec::new(), Vec::new());
    for whole in [
        file(&[batch(0, 40), batch(40, 40)], None),
        stream(&[batch(0, 40), batch(40, 40)], Some(CompressionType::LZ4_FRAME)),
        POLARS.to_vec(),
    ] {
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= [0x01, 0x80, 0xff, 0x10][at % 4];
            let path = files.put("in.arrow", &damaged);
            let result = std::panic::catch_unwind(|| {
                let source = Source::open(&[&path])?;
                source.sample(10).ok();
                read(source)
            });
            match result {
                Err(_) => panics.push(at),
                Ok(Err(error)) => {
                    failed += 1;
                    assert!(!error.to_string().is_empty());
                }
                Ok(Ok(found)) if found.tally.rows() == 80 => read_all += 1,
                Ok(Ok(found)) => short.push((at, found.tally.rows())),
            }
        }
    }
    drop(std::panic::take_hook());
    assert!(panics.is_empty(), "{} panics: {:?}", panics.len(), &panics[..panics.len().min(20)]);
    assert!(short.is_empty(), "{short:?}");
    assert!(failed > 100 && read_all > 100, "{failed} failed, {read_all} were read");
}
