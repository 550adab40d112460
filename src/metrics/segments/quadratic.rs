//! Honest intervals for figures that are 0 without disparity and cannot fall below it.

use crate::inference::Interval;
use crate::inference::noncentral::noncentrality;

/// A figure θ >= 0 that, where groups hardly differ, is a chi-square statistic over a scale: squared Cramér's V, mutual
/// information, the divergences.
///
/// Resampling copies the bias of such a figure, and its percentile interval never holds 0. Here the interval inverts
/// the noncentral chi-square distribution of `scale · θ̂`, which knows the bias; far from 0, where θ̂ may vary more than
/// that distribution does, the interval is stretched (on the scale of √θ) to what the delta method says.
pub(super) struct Quadratic {
    /// The observed figure.
    pub value: f64,
    /// What makes it chi-square distributed where there is no disparity.
    pub scale: f64,
    /// That distribution's degrees of freedom.
    pub df: f64,
    /// Its variance by the delta method.
    pub variance: f64,
}

impl Quadratic {
    /// The interval of θ; its low end is 0 unless a test has rejected that there is no disparity.
    pub fn interval(&self, level: f64, rejected: bool) -> Option<Interval> {
        let statistic = (self.scale * self.value).max(0.0);
        let lambda = noncentrality(statistic, self.df, level)?;
        let [low, high] = [lambda.low, lambda.high].map(|l| (l / self.scale).sqrt());
        let centre = ((statistic - self.df).max(0.0) / self.scale).sqrt().clamp(low, high);
        let stretch = (self.variance * self.scale / (4.0 * self.value)).sqrt();
        let stretch = if stretch > 1.0 && stretch.is_finite() { stretch } else { 1.0 };
        let low = if rejected { (centre - stretch * (centre - low)).max(0.0) } else { 0.0 };
        let high = centre + stretch * (high - centre);
        Some(Interval { low: low * low, high: high * high })
    }
}

/// The variance of values under shares: Σ p g² − (Σ p g)², of shares that sum to 1. Values without share do not count.
pub(super) fn spread(shares: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (mut first, mut second) = (0.0, 0.0);
    for (p, g) in shares.filter(|(p, _)| *p > 0.0) {
        first += p * g;
        second += p * g * g;
    }
    (second - first * first).max(0.0)
}
