//! SMOTE of 100,000 rows of 20 numbers, of which 10,000 have the rarer label: 80,000 new rows; beside the plain way, which
//! finds the same neighbours by a heap for one row at a time. On one thread and on all. Then SMOTE-NC of 15 numbers and 5
//! columns of levels.

use std::collections::BinaryHeap;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use evenhand::data::{Batch, Categorical, Column, Table};
use evenhand::mitigate::augment::{Augment, Augmented, Origin};
use ndarray::{Array2, Axis, Slice};
use rand::{Rng, SeedableRng};
use rand_distr::StandardNormal;
use rand_xoshiro::Xoshiro256PlusPlus;

const ROWS: usize = 100_000;
const RARE: usize = 10_000;
const COLUMNS: usize = 20;
const NEIGHBORS: usize = 5;

/// A distance that can be sorted.
#[derive(PartialEq)]
struct Square(f64, usize);

impl Eq for Square {}

impl PartialOrd for Square {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Square {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0).then(self.1.cmp(&other.1))
    }
}

/// The nearest of each of the first rows, in any order.
fn plain_neighbors(features: &Array2<f64>, rows: usize) -> Vec<Vec<usize>> {
    let values = features.as_slice().expect("row by row");
    let row = |at: usize| &values[at * COLUMNS..(at + 1) * COLUMNS];
    let near = |query: usize| {
        let mut heap: BinaryHeap<Square> = BinaryHeap::with_capacity(NEIGHBORS + 1);
        let own = row(query);
        for other in (0..rows).filter(|other| *other != query) {
            let square = own.iter().zip(row(other)).map(|(a, b)| (a - b) * (a - b)).sum();
            if heap.len() < NEIGHBORS || heap.peek().is_some_and(|worst| square < worst.0) {
                heap.push(Square(square, other));
                if heap.len() > NEIGHBORS {
                    heap.pop();
                }
            }
        }
        heap.into_iter().map(|near| near.1).collect()
    };
    (0..rows).map(near).collect()
}

/// SMOTE as one would write it first.
fn plain(features: &Array2<f64>, rng: &mut Xoshiro256PlusPlus) -> Array2<f64> {
    let near = plain_neighbors(features, RARE);
    let mut all = Array2::zeros((2 * (ROWS - RARE), COLUMNS));
    all.slice_axis_mut(Axis(0), Slice::from(..ROWS)).assign(features);
    for new in ROWS..all.nrows() {
        let base = rng.gen_range(0..RARE);
        let (other, share) = (near[base][rng.gen_range(0..NEIGHBORS)], rng.r#gen::<f64>());
        for column in 0..COLUMNS {
            let (a, b) = (features[[base, column]], features[[other, column]]);
            all[[new, column]] = a + share * (b - a);
        }
    }
    all
}

fn bench(c: &mut Criterion) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let shift = |row: usize| if row < RARE { 0.5 } else { 0.0 };
    let features = Array2::from_shape_fn((ROWS, COLUMNS), |(row, _)| rng.sample::<f64, _>(StandardNormal) + shift(row));
    let numbers = |j: usize| (format!("x{j}"), Column::Number(features.column(j).to_vec()));
    let table = Table::new((0..COLUMNS).map(numbers).collect()).expect("finite numbers");
    let labels: Vec<u8> = (0..ROWS).map(|row| u8::from(row < RARE)).collect();
    let batch = Batch::builder().attribute(Categorical::from_values("all", vec!["all"; ROWS])).label(&labels);
    let batch = batch.build().expect("a batch");
    let smote = Augment::smote().neighbors(NEIGHBORS).standardize(false).seed(7);
    let run = |augment: &Augment, table: &Table| -> Augmented { augment.fit_resample(table, &batch).expect("rows") };

    let near = plain_neighbors(&features, RARE);
    let result = run(&smote, &table);
    assert_eq!(result.table.rows(), 2 * (ROWS - RARE));
    for origin in &result.record.origin[ROWS..] {
        let Origin::Between { rows: [base, other], .. } = *origin else { panic!("{origin:?}") };
        assert!(near[base].contains(&other));
    }

    let mut runs = c.benchmark_group("SMOTE of 100k rows of 20 numbers, 80k new");
    runs.sample_size(10).throughput(Throughput::Elements((ROWS - 2 * RARE) as u64));
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    runs.bench_function("smote", |b| b.iter(|| run(black_box(&smote), &table)));
    runs.bench_function("smote, one thread", |b| b.iter(|| one.install(|| run(black_box(&smote), &table))));
    runs.bench_function("smote of an array", |b| {
        b.iter(|| black_box(&smote).fit_resample_array(features.view(), &batch).expect("rows"))
    });
    runs.bench_function("the plain way", |b| b.iter(|| plain(black_box(&features), &mut rng)));
    runs.finish();

    let level = |j: usize| {
        let texts = (0..ROWS).map(|row| ["a", "b", "c", "d", "e", "f"][(features[[row, j]].abs() * 2.5) as usize % 6]);
        (format!("k{j}"), Column::Level(Categorical::from_values(format!("k{j}"), texts)))
    };
    let mixed = (0..15).map(numbers).chain((15..COLUMNS).map(level)).collect();
    let mixed = Table::new(mixed).expect("finite numbers");
    let smote_nc = Augment::smote_nc().neighbors(NEIGHBORS).standardize(false).seed(7);
    let mut runs = c.benchmark_group("SMOTE-NC of 100k rows of 15 numbers and 5 columns of 6 levels, 80k new");
    runs.sample_size(10).throughput(Throughput::Elements((ROWS - 2 * RARE) as u64));
    runs.bench_function("smote_nc", |b| b.iter(|| run(black_box(&smote_nc), &mixed)));
    runs.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
