//! Coverage of the intervals of calibration, and what its errors show by chance, by simulation with fixed seeds.

use evenhand::metrics::scores::*;
use evenhand::metrics::{Confidence, Estimate};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

type Figure = fn(&ScoredGroup) -> Estimate;

fn at() -> Confidence {
    Confidence::at(0.95)
}

/// Those with a truth that a sum over scores gives.
const SMOOTH: [(&str, Figure); 7] = [
    ("in the large", |g| calibration_in_the_large(g, at())),
    ("ratio", |g| observed_expected_ratio(g, at())),
    ("intercept", |g| calibration_intercept(g, at())),
    ("slope", |g| calibration_slope(g, at())),
    ("brier", |g| brier_score(g, at())),
    ("skill", |g| brier_skill_score(g, at())),
    ("log loss", |g| log_loss(g, LOG_LOSS_CLIP, at())),
];

/// Those in bins.
const BINNED: [(&str, Figure); 3] = [
    ("plain", |g| expected_calibration_error(g, 10, at())),
    ("debiased", |g| expected_calibration_error_debiased(g, 10, at())),
    ("root", |g| root_calibration_error_debiased(g, 10, at())),
];

/// Scores U^k of the given mean, with a label drawn at the rate that `truth` gives each.
fn drawn(seed: u64, rows: usize, mean: f64, truth: impl Fn(f64) -> f64) -> ScoredGroup {
    let mut rng = StdRng::seed_from_u64(seed);
    let scores: Vec<f64> = (0..rows).map(|_| rng.gen_range(0.0f64..1.0).powf(1.0 / mean - 1.0)).collect();
    let labels: Vec<u8> = scores.iter().map(|s| u8::from(rng.gen_range(0.0..1.0) < truth(*s))).collect();
    ScoredGroup::from_rows(&scores, &labels, None)
}

fn moved(score: f64, by: f64) -> f64 {
    let odds = score / (1.0 - score) * by.exp();
    odds / (1.0 + odds)
}

/// The share of samples whose interval holds the truth.
fn coverage(figure: Figure, truth: f64, samples: usize, draw: impl Fn(u64) -> ScoredGroup) -> f64 {
    let held = (0..samples).filter(|i| {
        let e = figure(&draw(*i as u64));
        e.low.is_none_or(|l| l <= truth + 1e-12) && e.high.is_none_or(|h| truth - 1e-12 <= h)
    });
    held.count() as f64 / samples as f64
}

/// Intervals hold at 95 %, for common and for rare labels, small groups and miscalibrated scores.
#[test]
fn intervals_cover() {
    let samples = 1000;
    // Mean of U^k is 1 / (k + 1); of its square 1 / (2k + 1).
    for (rows, mean, bend) in [(60, 0.4, 0.0), (400, 0.3, 0.0), (150, 0.05, 0.0), (400, 0.4, 0.8)] {
        let truth = move |s: f64| if bend == 0.0 { s } else { moved(s, bend) };
        let draw = |seed: u64| drawn(seed * 31 + rows as u64, rows, mean, truth);
        // The truths by fine sums.
        let k = 1.0 / mean - 1.0;
        let grid: Vec<f64> = (0..200_000).map(|i| ((f64::from(i) + 0.5) / 200_000.0f64).powf(k)).collect();
        let average = |f: &dyn Fn(f64) -> f64| grid.iter().map(|s| f(*s)).sum::<f64>() / grid.len() as f64;
        let (observed, expected) = (average(&truth), average(&|s| s));
        let brier = average(&|s| truth(s) * (1.0 - s).powi(2) + (1.0 - truth(s)) * s * s);
        let log = average(&|s| -truth(s) * s.max(1e-300).ln() - (1.0 - truth(s)) * (-s).ln_1p());
        let truths = [
            observed - expected,
            observed / expected,
            bend,
            1.0,
            brier,
            1.0 - brier / (observed * (1.0 - observed)),
            log,
        ];
        let least = if mean < 0.1 { 0.9 } else { 0.925 };
        for ((name, figure), truth) in SMOOTH.into_iter().zip(truths) {
            let share = coverage(figure, truth, samples, draw);
            assert!(share >= least, "{name} rows {rows} mean {mean}: {share}");
        }
    }
}

/// What a perfectly calibrated score shows by chance, and what a wrong one shows, from 300 rows in 15 bins.
#[test]
fn the_debiased_error_has_no_bias() {
    let samples = 2000;
    let average = |figure: &dyn Fn(&ScoredGroup) -> f64, truth: fn(f64) -> f64| {
        (0..samples).map(|i| figure(&uniform(i, 300, truth))).sum::<f64>() / samples as f64
    };
    fn uniform(seed: u64, rows: usize, truth: fn(f64) -> f64) -> ScoredGroup {
        drawn(seed + 5000, rows, 0.5, truth)
    }
    let plain = average(&|g| expected_calibration_error(g, 15, at()).value.unwrap(), |s| s);
    let squared = average(&|g| expected_calibration_error_debiased(g, 15, at()).value.unwrap(), |s| s);
    assert!((plain - 0.075).abs() < 0.006, "{plain}");
    assert!(squared.abs() < 0.0003, "{squared}");
    // Wrong by 0.1 everywhere.
    let wrong = average(&|g| expected_calibration_error_debiased(g, 15, at()).value.unwrap(), |s| {
        if s < 0.5 { s + 0.1 } else { s - 0.1 }
    });
    assert!((wrong - 0.0098).abs() < 0.0008, "{wrong}");
}

/// On true scores the lower end is 0 (or below) as often as promised; on wrong ones the interval holds the truth.
#[test]
fn calibration_errors_have_honest_intervals() {
    let samples = 1000;
    for (rows, mean) in [(200, 0.5), (1000, 0.3), (400, 0.05)] {
        let mut above = [0.0; 3];
        for seed in 0..samples {
            let group = drawn(seed + 90_000, rows, mean, |s| s);
            for (count, figure) in above.iter_mut().zip(BINNED) {
                *count += f64::from(u8::from(figure.1(&group).low.unwrap() > 0.0)) / samples as f64;
            }
        }
        assert!(above.iter().all(|a| *a < 0.025 + 0.015), "{rows} {mean}: {above:?}");
    }
    // Wrong by 0.1 either way, in 10 bins of a uniform score: 0.1 in each bin.
    let shifted = |s: f64| if s < 0.5 { s + 0.1 } else { s - 0.1 };
    for rows in [200, 2000] {
        let draw = |seed: u64| drawn(seed + 70_000, rows, 0.5, shifted);
        for (at, truth) in [(0, 0.1), (1, 0.01), (2, 0.1)] {
            let share = coverage(BINNED[at].1, truth, samples as usize, draw);
            assert!(share >= 0.93, "{} of {rows} rows: {share}", BINNED[at].0);
        }
    }
}
