//! What noise alone shows: the extremes that groups of these sizes would have if all were equal.

use rayon::prelude::*;

use super::binomial::Trials;
use super::rng::{BLOCK, stream};
use super::worst::{GroupRate, usable};

/// The average largest difference `max p − min p` that groups of these sizes would show if all shared the pooled rate.
///
/// A seeded simulation: `replicates` tables of binomial draws (trials rounded to whole rows, at least 1), the same answer
/// on any number of threads. `None` with fewer than two groups with trials, a count out of range, or no replicates.
///
/// ```
/// use evenhand::inference::worst::{GroupRate, expected_null_gap};
/// let groups = vec![GroupRate { x: 15.0, n: 50.0 }; 60];
/// let gap = expected_null_gap(&groups, 2000, 1).expect("sixty groups");
/// assert!((gap - 0.30).abs() < 0.01);
/// ```
pub fn expected_null_gap(groups: &[GroupRate], replicates: usize, seed: u64) -> Option<f64> {
    average(groups, replicates, seed, |low, high| Some(high - low))
}

/// The average smallest ratio `min p / max p` that groups of these sizes would show if all shared the pooled rate.
///
/// As [`expected_null_gap`]; draws without any success have no ratio and are left out. `None` also where no draw has one.
///
/// ```
/// use evenhand::inference::worst::{GroupRate, expected_null_ratio};
/// let groups = vec![GroupRate { x: 15.0, n: 50.0 }; 60];
/// let ratio = expected_null_ratio(&groups, 2000, 1).expect("sixty groups");
/// assert!((ratio - 0.35).abs() < 0.01);
/// ```
pub fn expected_null_ratio(groups: &[GroupRate], replicates: usize, seed: u64) -> Option<f64> {
    average(groups, replicates, seed, |low, high| (high > 0.0).then(|| low / high))
}

/// The mean of `of(min, max)` over simulated tables; blocks are summed in order, whatever thread did them.
fn average(
    groups: &[GroupRate],
    replicates: usize,
    seed: u64,
    of: impl Fn(f64, f64) -> Option<f64> + Sync,
) -> Option<f64> {
    let rates = usable(groups)?;
    let x: f64 = rates.iter().map(|rate| rate.0).sum();
    let n: f64 = rates.iter().map(|rate| rate.1).sum();
    let pooled = Trials::new(x / n);
    let sizes: Vec<f64> = rates.iter().map(|rate| rate.1.round().max(1.0)).collect();
    let blocks: Vec<(f64, usize)> = (0..replicates.div_ceil(BLOCK))
        .into_par_iter()
        .map(|block| {
            let mut rng = stream(seed, 0, block);
            let (mut successes, mut room) = (vec![0.0; sizes.len()], Vec::new());
            let (mut sum, mut count) = (0.0, 0);
            for _ in 0..BLOCK.min(replicates - block * BLOCK) {
                let (mut low, mut high) = (1.0f64, 0.0f64);
                pooled.fill(&mut rng, &sizes, &mut successes, &mut room);
                for (x, size) in successes.iter().zip(&sizes) {
                    let rate = x / size;
                    low = low.min(rate);
                    high = high.max(rate);
                }
                if let Some(value) = of(low, high) {
                    sum += value;
                    count += 1;
                }
            }
            (sum, count)
        })
        .collect();
    let (sum, count) = blocks.iter().fold((0.0, 0), |all, block| (all.0 + block.0, all.1 + block.1));
    (count > 0).then(|| sum / count as f64)
}
