//! Shares of counts, with the noise that was added to the counts.

use crate::inference::{Interval, rate, z_quantile};

/// The variance that noise in the counts gives to the share of the `i`-th:
/// `[ν_i (1 − s)² + s² Σ_{j≠i} ν_j] / N²`.
pub(super) fn share_noise(counts: &[f64], noise: &[f64], i: usize) -> f64 {
    let total: f64 = counts.iter().sum();
    let (Some(x), Some(own)) = (counts.get(i), noise.get(i)) else { return 0.0 };
    if !(total > 0.0) {
        return 0.0;
    }
    let s = x / total;
    let others = (noise.iter().sum::<f64>() - own).max(0.0);
    (own * (1.0 - s) * (1.0 - s) + s * s * others) / (total * total)
}

/// The number of trials that would by sampling alone give a share as unsure as `n` trials and noise of variance `extra`
/// do. Shares of 0 and 1 are moved inwards by half a count, or noise would leave nothing.
pub(super) fn effective(s: f64, n: f64, extra: f64) -> f64 {
    if !(extra > 0.0) {
        return n;
    }
    let p = (s * n + 0.5) / (n + 1.0);
    let sampling = p * (1.0 - p);
    sampling / (sampling / n + extra)
}

/// Wilson's interval of a share of `n` trials with noise.
pub(super) fn wilson(s: f64, n: f64, extra: f64, level: f64) -> Option<Interval> {
    let n = effective(s, n, extra);
    rate::wilson((s * n).clamp(0.0, n), n, level)
}

/// The interval of a share of a known population: noise alone moves it.
pub(super) fn known(s: f64, noise: f64, level: f64) -> Interval {
    let half = z_quantile(level) * noise.max(0.0).sqrt();
    Interval { low: (s - half).max(0.0), high: (s + half).min(1.0).max(s) }
}
