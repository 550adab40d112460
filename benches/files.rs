//! How much does the counting of a file cost beside the reading of it?
//!
//! The same rows in every form of file, in a temporary folder (the page cache holds them). Beside each form stand, in the same
//! run, the bare reading of its bytes and the plain reader of that form, which looks at no value: the loop of the `csv` crate
//! over its records, Parquet's and Arrow's own readers over the columns that are counted. `cargo bench --features cli --bench
//! files` ends with a table of ratios, best of several rounds in which all take turns, since the machine's noise moves absolute
//! figures. The last column says how many times as long as the counting alone a whole audit takes, which does not grow with
//! the rows beyond it: `ROWS=10000000` sets how many they are. `python3 benches/peers/files.py` sets the tool beside DuckDB and
//! Polars.

use std::fmt::Write as _;
use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use evenhand::audit::{AuditPlan, Policy};
use evenhand::data::{Columns, source::Source};
use evenhand::report::TextStyle;
use evenhand::tally::Limits;
use flate2::{Compression, write::GzEncoder};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::file::properties::WriterProperties;

const AGES: [&str; 6] = ["18-25", "26-35", "36-45", "46-55", "56-65", "over 65"];
const REGIONS: [&str; 5] = ["north", "south", "east", "west", "centre"];
/// The columns that are counted, by their places in the file.
const COUNTED: [usize; 5] = [1, 2, 3, 4, 5];

fn rows() -> usize {
    // `cargo bench -- --test` only checks that everything runs.
    let usual = if std::env::args().any(|a| a == "--test") { 50_000 } else { 2_000_000 };
    std::env::var("ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(usual)
}

/// A number without order that the row alone gives.
fn mix(row: usize, salt: u64) -> usize {
    let mut z = (row as u64).wrapping_add(salt.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    ((z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) >> 33) as usize
}

fn batch(rows: usize) -> RecordBatch {
    let texts =
        |of: &dyn Fn(usize) -> &'static str| Arc::new(StringArray::from_iter_values((0..rows).map(of))) as ArrayRef;
    let flags = |salt: u64, of: usize| {
        Arc::new(Int64Array::from_iter_values((0..rows).map(|i| i64::from(mix(i, salt).is_multiple_of(of)))))
    };
    RecordBatch::try_from_iter([
        ("customer_id", Arc::new(Int64Array::from_iter_values(0..rows as i64)) as ArrayRef),
        ("sex", texts(&|i| ["female", "male"][mix(i, 1) % 2])),
        ("age", texts(&|i| AGES[mix(i, 2) % 6])),
        ("region", texts(&|i| REGIONS[mix(i, 3) % 5])),
        ("responded", flags(4, 3)),
        ("targeted", flags(5, 4)),
        ("spend", Arc::new(Float64Array::from_iter_values((0..rows).map(|i| mix(i, 6) as f64 % 1e5 / 100.0)))),
    ])
    .expect("columns of one length")
}

fn text(rows: usize, quoted: bool) -> String {
    let mut text = String::from("customer_id,sex,age,region,responded,targeted,spend\n");
    let quote = if quoted { "\"" } else { "" };
    for i in 0..rows {
        let (sex, age, region) = (["female", "male"][mix(i, 1) % 2], AGES[mix(i, 2) % 6], REGIONS[mix(i, 3) % 5]);
        let (paid, offer) = (u8::from(mix(i, 4).is_multiple_of(3)), u8::from(mix(i, 5).is_multiple_of(4)));
        let spend = mix(i, 6) as f64 % 1e5 / 100.0;
        writeln!(text, "{i},{quote}{sex}{quote},{quote}{age}{quote},{quote}{region}{quote},{paid},{offer},{spend}")
            .expect("a string");
    }
    text
}

/// The forms of the same rows.
fn files(folder: &Path, rows: usize) -> Vec<(&'static str, PathBuf)> {
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).expect("room in the temporary folder");
        path
    };
    let plain = text(rows, false);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    std::io::Write::write_all(&mut gzip, plain.as_bytes()).expect("memory");
    let batch = batch(rows);
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(1 << 19)).build();
    let mut parquet = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).expect("a schema");
    parquet.write(&batch).expect("memory");
    let mut arrow = arrow_ipc::writer::FileWriter::try_new(Vec::new(), &batch.schema()).expect("a schema");
    (0..rows)
        .step_by(1 << 17)
        .for_each(|from| arrow.write(&batch.slice(from, (rows - from).min(1 << 17))).expect("memory"));
    vec![
        ("csv", put("rows.csv", plain.as_bytes())),
        ("csv, quoted texts", put("quoted.csv", text(rows, true).as_bytes())),
        ("csv.gz", put("rows.csv.gz", &gzip.finish().expect("memory"))),
        ("csv.zst", put("rows.csv.zst", &zstd::encode_all(plain.as_bytes(), 3).expect("memory"))),
        ("parquet", put("rows.parquet", &parquet.into_inner().expect("memory"))),
        ("arrow", put("rows.arrow", &arrow.into_inner().expect("memory"))),
    ]
}

fn columns() -> Columns {
    let columns = Columns::new().label("responded").decision("targeted");
    ["sex", "age", "region"].iter().fold(columns, |all, name| all.attribute(name.parse().expect("a name")))
}

fn evenhand(path: &Path, threads: Option<usize>) -> u64 {
    let source = Source::open(&[path]).expect("a file").threads(threads);
    source.tally(&columns(), &[], Limits::default()).expect("sound rows").tally.rows()
}

/// The same of half of the rows.
fn filtered(path: &Path) -> u64 {
    let columns = columns().filter("sex = 'female'".parse().expect("a condition"));
    let read = Source::open(&[path]).expect("a file").tally(&columns, &[], Limits::default()).expect("sound rows");
    read.tally.rows()
}

/// Reading, counting, every rate and disparity to order 3 with its interval, 1,000 replicates, verdicts, and the report.
fn audit(path: &Path) -> u64 {
    let policy = Policy::preset("equal-opportunity").expect("a preset");
    let plan = AuditPlan::new().columns(columns()).order(3).policy(policy).replicates(1000);
    let report = plan.audit_files(&Source::open(&[path]).expect("a file")).expect("sound rows");
    black_box(report.to_text(TextStyle::default()));
    report.data.rows
}

/// What no reader can be faster than, on one thread.
fn bytes(path: &Path) -> u64 {
    let mut file = File::open(path).expect("a file");
    let mut buffer = vec![0; 1 << 18];
    let mut sum = 0;
    loop {
        match file.read(&mut buffer).expect("a file") {
            0 => return sum,
            n => sum += black_box(&buffer)[..n].len() as u64,
        }
    }
}

/// The plain reader of a form: it decodes, and looks at nothing.
fn reader(path: &Path) -> u64 {
    let file = File::open(path).expect("a file");
    match path.extension().and_then(|e| e.to_str()) {
        Some("parquet") => {
            let builder = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet");
            let mask = ProjectionMask::roots(builder.parquet_schema(), COUNTED);
            let batches = builder.with_projection(mask).with_batch_size(1 << 14).build().expect("Parquet");
            batches.map(|b| b.expect("Parquet").num_rows() as u64).sum()
        }
        Some("arrow") => {
            let batches = arrow_ipc::reader::FileReader::try_new(file, Some(COUNTED.to_vec())).expect("Arrow");
            batches.map(|b| b.expect("Arrow").num_rows() as u64).sum()
        }
        Some("gz") => records(flate2::read::MultiGzDecoder::new(file)),
        Some("zst") => records(zstd::Decoder::new(file).expect("zstd")),
        _ => records(file),
    }
}

fn records(text: impl Read) -> u64 {
    let mut reader = csv::ReaderBuilder::new().buffer_capacity(1 << 18).from_reader(text);
    let mut record = csv::ByteRecord::new();
    let mut rows = 0;
    while reader.read_byte_record(&mut record).expect("sound text") {
        COUNTED.iter().for_each(|at| {
            black_box(&record[*at]);
        });
        rows += 1;
    }
    rows
}

fn bench(c: &mut Criterion) {
    let (folder, rows) = (tempfile::tempdir().expect("a temporary folder"), rows());
    for (name, path) in files(folder.path(), rows) {
        assert_eq!((evenhand(&path, None), reader(&path)), (rows as u64, rows as u64), "every row is counted once");
        let mut group = c.benchmark_group(format!("files/{name}"));
        group.sample_size(10).measurement_time(Duration::from_secs(2)).throughput(Throughput::Elements(rows as u64));
        for (who, run) in [
            ("evenhand", &(|| evenhand(&path, None)) as &dyn Fn() -> u64),
            ("evenhand, one thread", &|| evenhand(&path, Some(1))),
            ("plain reader", &|| reader(&path)),
            ("bytes", &|| bytes(&path)),
        ] {
            group.bench_function(BenchmarkId::from_parameter(who), |b| b.iter(run));
        }
        group.finish();
    }
}

criterion_group!(benches, bench);

/// Best of several rounds in which the contenders take turns, so that noise strikes all alike.
fn table() {
    let (folder, rows) = (tempfile::tempdir().expect("a temporary folder"), rows());
    println!(
        "\n{:<18}{:>12}{:>11}{:>10}{:>7}{:>13}{:>10}{:>13}{:>7}",
        "M rows/s", "evenhand, 1", "reader, 1", "bytes, 1", "ratio", "all threads", "filtered", "whole audit", "times"
    );
    for (name, path) in files(folder.path(), rows) {
        let mut best = [f64::INFINITY; 6];
        let mut time = |at: usize, run: &dyn Fn() -> u64| {
            let start = Instant::now();
            black_box(run());
            best[at] = best[at].min(start.elapsed().as_secs_f64());
        };
        for _ in 0..if rows > 100_000 { 8 } else { 1 } {
            time(0, &|| evenhand(&path, Some(1)));
            time(1, &|| reader(&path));
            time(2, &|| bytes(&path));
            time(3, &|| evenhand(&path, None));
            time(4, &|| filtered(&path));
            time(5, &|| audit(&path));
        }
        let speed = best.map(|b| rows as f64 / b / 1e6);
        let ratio = 100.0 * speed[0] / speed[1];
        let [one, reader, bytes, all, half, audit] = speed;
        let times = all / audit;
        println!(
            "{name:<18}{one:>12.1}{reader:>11.1}{bytes:>10.1}{ratio:>6.0}%{all:>13.1}{half:>10.1}{audit:>13.1}{times:>7.2}"
        );
    }
}

fn main() {
    // A process that counts one file and does nothing else, to be timed from without.
    if let Some(path) = std::env::args().skip_while(|argument| argument != "--count").nth(1) {
        println!("{} rows", evenhand(Path::new(&path), None));
        return;
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
    table();
}
