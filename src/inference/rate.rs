//! Intervals for one rate.
use super::{Interval, z_quantile};

/// Wilson's score interval.
pub fn wilson(x: f64, n: f64, level: f64) -> Option<Interval> {
    if !(n > 0.0 && n.is_finite() && (0.0..=n * (1.0 + 1e-12)).contains(&x)) {
        return None;
    }
    let (p, z) = ((x / n).min(1.0), z_quantile(level));
    let z2 = z * z;
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    Some(Interval {
        low: if x <= 0.0 { 0.0 } else { (centre - half).max(0.0) },
        high: if p >= 1.0 { 1.0 } else { (centre + half).min(1.0) },
    })
}

/// Clopper.
pub fn clopper_pearson(x: f64, n: f64, level: f64) -> Option<Interval> {
    use statrs::distribution::{Beta, ContinuousCDF};
    let tail = (1.0 - level) / 2.0;
    let low = if x <= 0.0 { 0.0 } else { Beta::new(x, n - x + 1.0).ok()?.inverse_cdf(tail) };
    let high = if x >= n { 1.0 } else { Beta::new(x + 1.0, n - x).ok()?.inverse_cdf(1.0 - tail) };
    Some(Interval { low, high })
}
