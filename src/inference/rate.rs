//! Intervals for one rate.
//!
//! All take successes `x` and trials `n`, fractional where weights make them effective counts, and answer `None` where
//! `n <= 0`, `x` is outside `[0, n]`, anything is not finite, or `level` is outside (0, 1). Limits lie in [0, 1], hold the
//! estimate `x / n`, and are exactly 0 at `x = 0` and exactly 1 at `x = n`.

use super::interval::{Interval, checked_counts, checked_level, z_quantile};
use super::special::beta_quantile;

/// Wilson's score interval: `centre ± half`, with `centre = (p + z²/2n) / (1 + z²/n)` and
/// `half = z / (1 + z²/n) · √(p(1−p)/n + z²/4n²)`, `p = x/n`.
///
/// The crate's default: its coverage is near the level on average, for any rate and from small counts on.
///
/// # References
/// Wilson (1927), JASA 22. Brown, Cai, DasGupta (2001), Interval estimation for a binomial proportion, Statistical
/// Science 16.
///
/// ```
/// let i = evenhand::inference::rate::wilson(15.0, 148.0, 0.95).expect("148 trials");
/// assert!((i.low - 0.062386).abs() < 1e-6 && (i.high - 0.160487).abs() < 1e-6);
/// ```
pub fn wilson(x: f64, n: f64, level: f64) -> Option<Interval> {
    let (x, n) = checked_counts(x, n)?;
    Some(wilson_at(x, n, z_quantile(checked_level(level)?)))
}

/// Wilson's interval at `z` standard deviations, for checked counts.
pub(crate) fn wilson_at(x: f64, n: f64, z: f64) -> Interval {
    let z2 = z * z;
    let p = x / n;
    let centre = (x + z2 / 2.0) / (n + z2);
    let half = z / (n + z2) * (p * (n - x) + z2 / 4.0).sqrt();
    closed(centre - half, centre + half, x, n)
}

/// Clopper and Pearson's exact interval: the lower limit is the `α/2` quantile of Beta(x, n − x + 1), the upper one the
/// `1 − α/2` quantile of Beta(x + 1, n − x), `α = 1 − level`.
///
/// Never covers less than the level for binomial counts, at the price of width.
///
/// # References
/// Clopper, Pearson (1934), The use of confidence or fiducial limits illustrated in the case of the binomial,
/// Biometrika 26.
///
/// ```
/// let i = evenhand::inference::rate::clopper_pearson(0.0, 10.0, 0.95).expect("10 trials");
/// assert!(i.low == 0.0 && (i.high - 0.308497).abs() < 1e-6);
/// ```
pub fn clopper_pearson(x: f64, n: f64, level: f64) -> Option<Interval> {
    let (x, n) = checked_counts(x, n)?;
    let tail = (1.0 - checked_level(level)?) / 2.0;
    let low = if x > 0.0 { beta_quantile(tail, x, n - x + 1.0) } else { 0.0 };
    let high = if x < n { beta_quantile(1.0 - tail, x + 1.0, n - x) } else { 1.0 };
    Some(closed(low, high, x, n))
}

/// Jeffreys' interval: the `α/2` and `1 − α/2` quantiles of Beta(x + ½, n − x + ½), with the lower limit 0 at `x = 0` and
/// the upper limit 1 at `x = n`.
///
/// Shorter than Clopper and Pearson's and near the level on average. (statsmodels leaves out the rule for the two ends.)
///
/// # References
/// Brown, Cai, DasGupta (2001), Interval estimation for a binomial proportion, Statistical Science 16.
///
/// ```
/// let i = evenhand::inference::rate::jeffreys(1.0, 10.0, 0.95).expect("10 trials");
/// assert!((i.low - 0.011012).abs() < 1e-6 && (i.high - 0.381315).abs() < 1e-6);
/// ```
pub fn jeffreys(x: f64, n: f64, level: f64) -> Option<Interval> {
    let (x, n) = checked_counts(x, n)?;
    let tail = (1.0 - checked_level(level)?) / 2.0;
    let (a, b) = (x + 0.5, n - x + 0.5);
    Some(closed(beta_quantile(tail, a, b), beta_quantile(1.0 - tail, a, b), x, n))
}

/// The limits, in [0, 1], around the estimate, with exact ends.
fn closed(low: f64, high: f64, x: f64, n: f64) -> Interval {
    let low = if x > 0.0 { low.max(0.0) } else { 0.0 };
    let high = if x < n { high.min(1.0) } else { 1.0 };
    Interval { low, high }.covering(x / n)
}
