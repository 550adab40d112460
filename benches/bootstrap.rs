//! How much does a bootstrap over cells save over one that resamples rows?
//!
//! 1,000 replicates of a figure of each of 60 groups, whatever the rows: of the accuracy from label × decision, of the
//! entropy of 12 segments, of the AUC from label × 100 and 1,024 scores. Beside them one replicate by resampling 100,000
//! rows, which a thousand would take a thousand times.

use criterion::{Criterion, criterion_group, criterion_main};
use evenhand::inference::bootstrap::Bootstrap;
use evenhand::tally::Cell;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

const GROUPS: usize = 60;
const ROWS: usize = 100_000;

fn accuracy(weights: [f64; 4]) -> Option<f64> {
    let all: f64 = weights.iter().sum();
    (all > 0.0).then(|| (weights[0] + weights[3]) / all)
}

/// A figure of one group's cells.
type Figure = fn(&[Cell]) -> Option<f64>;

/// Of the segments' shares.
fn entropy(cells: &[Cell]) -> Option<f64> {
    let all: f64 = cells.iter().map(|c| c.weight).sum();
    let term = |c: &Cell| if c.weight > 0.0 { -(c.weight / all) * (c.weight / all).ln() } else { 0.0 };
    (all > 0.0).then(|| cells.iter().map(term).sum())
}

/// Of cells by rising score: without a label, with one, and again.
fn auc(cells: &[Cell]) -> Option<f64> {
    let (mut below, mut positives, mut wins) = (0.0, 0.0, 0.0);
    for pair in cells.chunks_exact(2) {
        let [negative, positive] = [pair[0].weight, pair[1].weight];
        wins += positive * (below + 0.5 * negative);
        below += negative;
        positives += positive;
    }
    (below * positives > 0.0).then(|| wins / (below * positives))
}

/// So many cells in every group, all with some rows.
fn many(cells: usize) -> Vec<Vec<Cell>> {
    let of = |group: usize, cell: usize| Cell::of_rows((20 + 3 * group + 7 * cell % 211) as f64);
    (0..GROUPS).map(|group| (0..cells).map(|cell| of(group, cell)).collect()).collect()
}

fn cells(weighted: bool) -> Vec<[Cell; 4]> {
    let of = |group: usize, cell: usize| {
        let rows = (100 + 37 * group + 211 * cell) as f64;
        let spread = if weighted { 1.3 } else { 1.0 };
        Cell { rows, weight: rows, weight_squared: spread * rows }
    };
    (0..GROUPS).map(|group| [0, 1, 2, 3].map(|cell| of(group, cell))).collect()
}

fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("bootstrap");
    group.sample_size(10);
    for weighted in [false, true] {
        let cells = cells(weighted);
        let groups: Vec<&[Cell]> = cells.iter().map(|c| c.as_slice()).collect();
        let name = if weighted { "1000 replicates by cells, weighted" } else { "1000 replicates by cells" };
        let run = Bootstrap { replicates: 1000, seed: 1 };
        group.bench_function(name, |b| {
            b.iter(|| run.run(&groups, |_, c| accuracy([c[0].weight, c[1].weight, c[2].weight, c[3].weight])));
        });
    }
    let figures: [(&str, usize, Figure); 3] =
        [("entropy of 12 segments", 12, entropy), ("AUC of 100 scores", 200, auc), ("AUC of 1,024 scores", 2048, auc)];
    for (name, size, figure) in figures {
        let cells = many(size);
        let groups: Vec<&[Cell]> = cells.iter().map(Vec::as_slice).collect();
        let run = Bootstrap { replicates: 1000, seed: 1 };
        group.bench_function(format!("1000 replicates, {name}"), |b| b.iter(|| run.run(&groups, |_, c| figure(c))));
    }
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let rows: Vec<(u8, u8)> = (0..ROWS).map(|_| (rng.gen_range(0..GROUPS as u8), rng.gen_range(0..4))).collect();
    group.bench_function("1 replicate by 100,000 rows", |b| {
        b.iter(|| {
            let mut table = [[0.0f64; 4]; GROUPS];
            for _ in 0..ROWS {
                let (group, cell) = rows[rng.gen_range(0..ROWS)];
                table[usize::from(group)][usize::from(cell)] += 1.0;
            }
            table.map(accuracy)
        });
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
