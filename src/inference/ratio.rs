//! Intervals for the ratio of two rates.
use super::{Interval, z_quantile};

/// An interval for a ratio, unbounded above where `high` is `None`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioInterval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: Option<f64>,
}

/// Koopman's score interval.
pub fn koopman(x1: f64, n1: f64, x2: f64, n2: f64, level: f64) -> Option<RatioInterval> {
    if !(n1 > 0.0 && n2 > 0.0) {
        return None;
    }
    let z = z_quantile(level);
    let score = |r: f64| {
        let (a, b, c) = ((n1 + n2) * r, -(n1 * r + x1 + n2 + x2 * r), x1 + x2);
        let p2 = (-b - (b * b - 4.0 * a * c).max(0.0).sqrt()) / (2.0 * a);
        let p1 = r * p2;
        let v = p1 * (1.0 - p1) / n1 + r * r * p2 * (1.0 - p2) / n2;
        let d = x1 / n1 - r * x2 / n2;
        if v <= 0.0 { if d == 0.0 { 0.0 } else { d.signum() * f64::INFINITY } } else { d / v.sqrt() }
    };
    let find = |target: f64| {
        let (mut lo, mut hi) = (-40.0f64, 40.0f64);
        for _ in 0..60 {
            let m = (lo + hi) / 2.0;
            if score(m.exp()) > target { lo = m } else { hi = m }
        }
        ((lo + hi) / 2.0).exp()
    };
    if x1 <= 0.0 && x2 <= 0.0 {
        return Some(RatioInterval { low: 0.0, high: None });
    }
    let low = if x1 <= 0.0 { 0.0 } else { find(z) };
    let high = if x2 <= 0.0 { None } else { Some(find(-z)) };
    Some(RatioInterval { low, high })
}

/// MOVER for a ratio.
pub fn mover_ratio(t1: f64, i1: Interval, t2: f64, i2: Interval) -> Option<RatioInterval> {
    if t2 <= 0.0 || i1.low < 0.0 || i2.low < 0.0 || t1 < 0.0 {
        return None;
    }
    let p = t1 * t2;
    let low = (p - (p * p - i1.low * i2.high * (2.0 * t1 - i1.low) * (2.0 * t2 - i2.high)).max(0.0).sqrt())
        / (i2.high * (2.0 * t2 - i2.high));
    let high = (i2.low > 0.0).then(|| {
        (p + (p * p - i1.high * i2.low * (2.0 * t1 - i1.high) * (2.0 * t2 - i2.low)).max(0.0).sqrt())
            / (i2.low * (2.0 * t2 - i2.low))
    });
    (low.is_finite()).then_some(RatioInterval { low: low.max(0.0), high: high.filter(|h| h.is_finite()) })
}
