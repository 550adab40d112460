//! How close does the tally come to a loop written by hand?
//!
//! Ten million rows in memory, byte codes. Beside each shape stand, in the same run, the loop an expert would write for
//! exactly that shape (keys fused by hand, eight sub-tables, no missing values, no checks) and the reading of the columns
//! alone. A batch is checked once, when it is built, and counted as often as one likes: counting is compared with the hand's
//! loop, and what building and checking add is told beside. `cargo bench --bench tally` ends with a table of the ratios, best
//! of several interleaved runs, since the machine's noise moves absolute figures.

mod shapes;

use std::hint::black_box;
use std::ops::Range;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use rayon::prelude::*;
use shapes::{Columns, Data, Shape, batch, count, data, evenhand};

const LANES: usize = 8;
const CHUNK: usize = 4096;

/// Keys by hand: the digits of label, decision and attributes, no room for missing.
fn keys<'k>(c: &Columns, shape: Shape, from: usize, to: usize, buffer: &'k mut [u16; CHUNK]) -> &'k [u16] {
    let keys = &mut buffer[..to - from];
    let mut stride = 1u16;
    if shape == Shape::Segments {
        keys.fill(0);
    } else {
        for ((key, y), d) in keys.iter_mut().zip(&c.label[from..to]).zip(&c.decision[from..to]) {
            *key = u16::from(y * 2 + d);
        }
        stride = 4;
    }
    for (codes, levels) in &c.attributes {
        for (key, code) in keys.iter_mut().zip(&codes[from..to]) {
            *key += stride * u16::from(*code);
        }
        stride *= *levels as u16;
    }
    keys
}

fn by_hand(c: &Columns, shape: Shape, span: Range<usize>) -> u64 {
    let mut tables = vec![[0u32; 4096]; LANES];
    let mut buffer = [0u16; CHUNK];
    for from in span.clone().step_by(CHUNK) {
        let keys = keys(c, shape, from, (from + CHUNK).min(span.end), &mut buffer);
        let [a, b, d, e, f, g, h, i] = tables.as_mut_slice() else { unreachable!() };
        let at = |key: u16| usize::from(key) & 4095;
        let mut eights = keys.chunks_exact(LANES);
        for k in &mut eights {
            a[at(k[0])] += 1;
            b[at(k[1])] += 1;
            d[at(k[2])] += 1;
            e[at(k[3])] += 1;
            f[at(k[4])] += 1;
            g[at(k[5])] += 1;
            h[at(k[6])] += 1;
            i[at(k[7])] += 1;
        }
        eights.remainder().iter().for_each(|k| a[at(*k)] += 1);
    }
    tables.iter().flatten().map(|n| u64::from(*n)).sum()
}

/// Weights (Σw, Σw²) and sums of scores by hand; of scores the crate also keeps how many rows have which, so there the
/// hand sorts them too, or counts the bins that it knows they fall in.
fn by_hand_sums(c: &Columns, shape: Shape, span: Range<usize>) -> u64 {
    let (weighted, sorting, binned) = (shape == Shape::Weighted, shape == Shape::Scored, shape == Shape::Binned);
    let scored = sorting || binned;
    let mut bins = vec![0u32; if binned { 4096 * 1024 } else { 0 }];
    let mut sorted: Vec<(u64, u16)> = Vec::with_capacity(if sorting { span.len() } else { 0 });
    let mut sums = vec![[[0.0f64; 3]; 4096]; 4];
    let mut scores = vec![[[0.0f64; 3]; 4096]; 4];
    let mut buffer = [0u16; CHUNK];
    for from in span.clone().step_by(CHUNK) {
        let to = (from + CHUNK).min(span.end);
        let keys = keys(c, shape, from, to, &mut buffer);
        if sorting {
            sorted.extend(c.score[from..to].iter().zip(keys).map(|(s, key)| (s.to_bits(), *key)));
        }
        for (i, key) in keys.iter().enumerate() {
            let (lane, at) = (i % 4, usize::from(*key) & 4095);
            let w = if weighted { c.weight[from + i] } else { 1.0 };
            let sum = &mut sums[lane][at];
            *sum = [sum[0] + 1.0, sum[1] + w, sum[2] + w * w];
            if scored {
                let s = c.score[from + i];
                if binned {
                    bins[at * 1024 + (s * 1024.0) as usize] += 1;
                }
                let sum = &mut scores[lane][at];
                *sum = [sum[0] + w * s, sum[1] + w * w * s, sum[2] + w * w * s * s];
            }
        }
    }
    sorted.sort_unstable();
    black_box((&scores, &sorted, &bins));
    sums.iter().flatten().map(|s| s[0] as u64).sum()
}

/// Reading alone: no table can be faster.
fn reading(c: &Columns) -> u64 {
    let bytes = c.attributes.iter().map(|a| &a.0).chain([&c.label, &c.decision]);
    bytes.map(|column| column.chunks(64).map(|b| u64::from(b.iter().fold(0u8, |s, v| s ^ v))).sum::<u64>()).sum()
}

type Run<'a> = Box<dyn Fn() -> u64 + Send + Sync + 'a>;

/// Who counts.
const CONTENDERS: [&str; 4] = ["evenhand", "by hand", "reading", "evenhand, with checks"];

/// The shapes, each with its contenders. The hand shares the rows out among the threads there are.
fn shapes<'a>(all: &'a [Data]) -> Vec<(&'static str, usize, [Run<'a>; 4])> {
    let each = |(name, c, shape): &'a Data| {
        let (shape, rows) = (*shape, c.label.len());
        let hand = move |span| match shape {
            Shape::Weighted | Shape::Scored | Shape::Binned => by_hand_sums(c, shape, span),
            Shape::Decisions | Shape::Segments => by_hand(c, shape, span),
        };
        let batch = batch(c, shape);
        let contenders: [Run; 4] = [
            Box::new(move || count(&batch)),
            Box::new(move || {
                let step = rows.div_ceil(rayon::current_num_threads());
                (0..rows).into_par_iter().step_by(step).map(|from| hand(from..rows.min(from + step))).sum()
            }),
            Box::new(move || reading(c)),
            Box::new(move || evenhand(c, shape)),
        ];
        (*name, rows, contenders)
    };
    all.iter().map(each).collect()
}

fn rows() -> usize {
    // `cargo bench -- --test` only checks that everything runs.
    if std::env::args().any(|a| a == "--test") { 100_000 } else { 10_000_000 }
}

fn bench(c: &mut Criterion) {
    let all = data(rows());
    for (name, rows, contenders) in shapes(&all) {
        let counted = [0, 1, 3].map(|who| contenders[who]());
        assert_eq!(counted, [rows as u64; 3], "every row is counted once");
        let mut group = c.benchmark_group(format!("tally/{name}"));
        group.sample_size(10).measurement_time(Duration::from_secs(2)).throughput(Throughput::Elements(rows as u64));
        for (who, run) in CONTENDERS.iter().zip(&contenders) {
            group.bench_function(BenchmarkId::from_parameter(who), |b| b.iter(run));
        }
        group.finish();
    }
}

criterion_group!(benches, bench);

/// Best of several rounds in which the contenders take turns, so that noise strikes all alike.
fn table() {
    let all = data(rows());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for threads in if cores > 1 { vec![1, cores] } else { vec![1] } {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        println!(
            "\n{:<24}{:>10}{:>10}{:>10}{:>8}{:>14}{:>8}",
            format!("{threads} thread(s), M rows/s"),
            "evenhand",
            "by hand",
            "reading",
            "ratio",
            "with checks",
            "ratio"
        );
        for (name, rows, contenders) in shapes(&all) {
            let mut best = [f64::INFINITY; 4];
            for _ in 0..if rows > 1_000_000 { 12 } else { 1 } {
                for (best, run) in best.iter_mut().zip(&contenders) {
                    let start = Instant::now();
                    black_box(pool.install(run));
                    *best = best.min(start.elapsed().as_secs_f64());
                }
            }
            let [own, hand, reading, checked] = best.map(|b| rows as f64 / b / 1e6);
            let (ratio, with_checks) = (100.0 * own / hand, 100.0 * checked / hand);
            println!("{name:<24}{own:>10.0}{hand:>10.0}{reading:>10.0}{ratio:>7.0}%{checked:>14.0}{with_checks:>7.0}%");
        }
    }
}

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    table();
}
