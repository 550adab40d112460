//! AUC by group of ten million rows, beside sorting the same scores once and beside the plain way (sort all rows by group
//! and score, then walk once): figures are ratios to these. On one thread and on all.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use evenhand::metrics::{Confidence, scores::auc_by_group};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

const ROWS: usize = 10_000_000;
const GROUPS: usize = 60;

/// The AUCs alone, without variances: less work than what it is compared with.
fn plain(scores: &[f32], labels: &[u8], groups: &[u16]) -> Vec<f64> {
    let mut rows: Vec<(u16, f32, u8)> = (0..scores.len()).map(|i| (groups[i], scores[i], labels[i])).collect();
    rows.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let auc = |group: &[(u16, f32, u8)]| {
        let (mut below, mut positives, mut wins) = (0.0, 0.0, 0.0);
        for tied in group.chunk_by(|a, b| a.1 == b.1) {
            let up = tied.iter().filter(|r| r.2 == 1).count() as f64;
            let down = tied.len() as f64 - up;
            wins += up * (below + 0.5 * down);
            below += down;
            positives += up;
        }
        wins / (below * positives)
    };
    rows.chunk_by(|a, b| a.0 == b.0).map(auc).collect()
}

fn bench(c: &mut Criterion) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let labels: Vec<u8> = (0..ROWS).map(|_| u8::from(rng.gen_bool(0.2))).collect();
    let scores: Vec<f32> = labels.iter().map(|l| rng.r#gen::<f32>() + 0.2 * f32::from(*l)).collect();
    let groups: Vec<u16> = (0..ROWS).map(|_| rng.gen_range(0..GROUPS as u16)).collect();
    let figures = auc_by_group(&scores, &labels, &groups, GROUPS, Confidence::at(0.95));
    for (figure, expected) in figures.iter().zip(plain(&scores, &labels, &groups)) {
        assert!((figure.value.expect("both labels") - expected).abs() < 1e-9);
    }
    let mut runs = c.benchmark_group("auc of 10M rows, 60 groups");
    runs.sample_size(10).throughput(Throughput::Elements(ROWS as u64));
    runs.bench_function("auc_by_group", |b| {
        b.iter(|| auc_by_group(black_box(&scores), &labels, &groups, GROUPS, Confidence::at(0.95)))
    });
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    runs.bench_function("auc_by_group, one thread", |b| {
        b.iter(|| one.install(|| auc_by_group(black_box(&scores), &labels, &groups, GROUPS, Confidence::at(0.95))))
    });
    runs.bench_function("one sort of all scores", |b| {
        b.iter_batched(|| scores.clone(), |mut s| s.sort_unstable_by(f32::total_cmp), BatchSize::LargeInput)
    });
    runs.bench_function("the plain way", |b| b.iter(|| plain(black_box(&scores), &labels, &groups)));
    runs.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
