//! Weights for 10 million rows, beside a plain loop that counts four cells and looks each row's weight up; thresholds and
//! budgets for a million rows, beside one sort of their scores; a fit under a constraint, beside so many fits without.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use evenhand::data::{Batch, Categorical};
use evenhand::mitigate::learn::{Learner, Logistic};
use evenhand::mitigate::postprocess::budget::Budget;
use evenhand::mitigate::postprocess::score_repair::ScoreRepair;
use evenhand::mitigate::postprocess::thresholds::{Constraint, RejectOption, ThresholdOptimizer};
use evenhand::mitigate::reductions::{Constraint as Kept, ExponentiatedGradient};
use evenhand::mitigate::reweight::Reweight;
use ndarray::Array2;
use rand::{Rng, SeedableRng};
use rand_distr::StandardNormal;
use rand_xoshiro::Xoshiro256PlusPlus;

const WEIGHED: usize = 10_000_000;
const SCORED: usize = 1_000_000;
const TRAINED: usize = 20_000;

/// Kamiran and Calders' weights of two groups as one would write them first.
fn plain_weights(groups: &[u8], labels: &[u8]) -> Vec<f64> {
    let mut cells = [[0u64; 2]; 2];
    for (group, label) in groups.iter().zip(labels) {
        cells[usize::from(*group)][usize::from(*label)] += 1;
    }
    let all: u64 = cells.iter().flatten().sum();
    let factor = |g: usize, l: usize| {
        let (of_group, of_label) = (cells[g][0] + cells[g][1], cells[0][l] + cells[1][l]);
        of_group as f64 * of_label as f64 / (all as f64 * cells[g][l] as f64)
    };
    let factors = [[factor(0, 0), factor(0, 1)], [factor(1, 0), factor(1, 1)]];
    groups.iter().zip(labels).map(|(g, l)| factors[usize::from(*g)][usize::from(*l)]).collect()
}

fn weights(c: &mut Criterion) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let groups: Vec<u8> = (0..WEIGHED).map(|_| u8::from(rng.gen_bool(0.4))).collect();
    let labels: Vec<u8> = groups.iter().map(|g| u8::from(rng.gen_bool(0.4 - 0.2 * f64::from(*g)))).collect();
    let sex = Categorical::from_codes("sex", ["m", "f"], &groups).expect("codes");
    let batch = Batch::builder().attribute(sex).label(&labels).build().expect("a batch");
    let ours = || Reweight::new().fit(&batch).expect("cells").weights(&batch).expect("weights");
    let apart = ours().iter().zip(plain_weights(&groups, &labels)).fold(0.0f64, |m, (a, b)| m.max((a - b).abs()));
    assert!(apart < 1e-12);
    let mut runs = c.benchmark_group("weights of 10 M rows");
    runs.sample_size(10).throughput(Throughput::Elements(WEIGHED as u64));
    runs.bench_function("reweight", |b| b.iter(ours));
    runs.bench_function("the plain loop", |b| b.iter(|| plain_weights(black_box(&groups), &labels)));
    runs.finish();
}

fn after_scoring(c: &mut Criterion) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
    let groups: Vec<u8> = (0..SCORED).map(|_| u8::from(rng.gen_bool(0.4))).collect();
    let labels: Vec<u8> = groups.iter().map(|g| u8::from(rng.gen_bool(0.4 - 0.2 * f64::from(*g)))).collect();
    let score = |l: &u8| -> f64 { 1.0 / (1.0 + (-1.2 * f64::from(*l) - rng.sample::<f64, _>(StandardNormal)).exp()) };
    let scores: Vec<f64> = labels.iter().map(score).collect();
    let sex = Categorical::from_codes("sex", ["m", "f"], &groups).expect("codes");
    let batch = Batch::builder().attribute(sex).label(&labels).score(&scores).build().expect("a batch");
    let mut runs = c.benchmark_group("after scoring, 1 M rows");
    runs.sample_size(10).throughput(Throughput::Elements(SCORED as u64));
    for (name, constraint) in [
        ("thresholds, parity", Constraint::DemographicParity),
        ("thresholds, opportunity", Constraint::EqualOpportunity),
        ("thresholds, odds", Constraint::EqualizedOdds),
    ] {
        let optimizer = ThresholdOptimizer::new(constraint);
        runs.bench_function(name, |b| b.iter(|| optimizer.fit(black_box(&batch)).expect("thresholds")));
    }
    let reject = RejectOption::new(Constraint::DemographicParity).slack(0.02);
    runs.bench_function("reject option", |b| b.iter(|| reject.fit(black_box(&batch)).expect("a margin")));
    let budget = Budget::new(SCORED / 10).gap(0.02);
    runs.bench_function("a budget of 100,000", |b| b.iter(|| budget.apply(black_box(&batch)).expect("people")));
    runs.bench_function("score repair", |b| b.iter(|| ScoreRepair::new().fit(black_box(&batch)).expect("moves")));
    let sorted = |mut scores: Vec<f64>| {
        scores.sort_unstable_by(|a, b| b.total_cmp(a));
        scores
    };
    runs.bench_function("one sort of the scores", |b| b.iter_batched(|| scores.clone(), sorted, BatchSize::LargeInput));
    runs.finish();
}

fn under_a_constraint(c: &mut Criterion) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    let groups: Vec<u8> = (0..TRAINED).map(|_| u8::from(rng.gen_bool(0.4))).collect();
    let features = Array2::from_shape_fn((TRAINED, 10), |(row, at)| {
        rng.sample::<f64, _>(StandardNormal) + if at < 3 { 0.8 * f64::from(groups[row]) } else { 0.0 }
    });
    let label = |row: ndarray::ArrayView1<f64>, noise: f64| row.iter().take(5).sum::<f64>() + 2.0 * noise > 1.0;
    let labels: Vec<bool> = features.outer_iter().map(|row| label(row, rng.sample(StandardNormal))).collect();
    let sex = Categorical::from_codes("sex", ["m", "f"], &groups).expect("codes");
    let batch = Batch::builder().attribute(sex).label(&labels).build().expect("a batch");
    let gradient = ExponentiatedGradient::new(Kept::DemographicParity).slack(0.02);
    let run = || gradient.fit(&Logistic::new(), features.view(), &batch).expect("a mixture");
    let fits = run().summary.fits;
    let ones = vec![1.0; TRAINED];
    let mut runs = c.benchmark_group("20,000 rows of 10 numbers");
    runs.sample_size(10);
    runs.bench_function("exponentiated gradient", |b| b.iter(run));
    runs.bench_function("as many fits from nothing", |b| {
        b.iter(|| (0..fits).for_each(|_| drop(black_box(Logistic::new().fit(features.view(), &labels, &ones)))))
    });
    runs.finish();
}

criterion_group!(benches, weights, after_scoring, under_a_constraint);
criterion_main!(benches);
