//! Worst cases.
use super::{Interval, difference, ratio, z_quantile};

/// Effective counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupRate {
    /// x.
    pub x: f64,
    /// n.
    pub n: f64,
}

/// Šidák.
pub fn sidak_level(level: f64, m: usize) -> f64 {
    level.powf(1.0 / m.max(1) as f64)
}

/// Gap.
pub fn gap_interval(groups: &[GroupRate], level: f64) -> Option<Interval> {
    if let [a, b] = groups {
        let i = difference::newcombe(a.x, a.n, b.x, b.n, level)?;
        return Some(if i.low <= 0.0 && i.high >= 0.0 {
            Interval { low: 0.0, high: i.high.max(-i.low) }
        } else {
            Interval { low: i.low.abs().min(i.high.abs()), high: i.low.abs().max(i.high.abs()) }
        });
    }
    let v: Vec<(f64, f64)> = groups
        .iter()
        .map(|g| {
            let p = (g.x + 1.0) / (g.n + 2.0);
            (g.x / g.n, (p * (1.0 - p) / (g.n + 2.0)).sqrt())
        })
        .collect();
    gap_interval_normal(&v, level).map(|i| Interval { low: i.low, high: i.high.min(1.0) })
}
/// Ratio.
pub fn ratio_interval(groups: &[GroupRate], level: f64) -> Option<Interval> {
    if let [a, b] = groups {
        let (a, b) = if a.x / a.n <= b.x / b.n { (a, b) } else { (b, a) };
        let i = ratio::koopman(a.x, a.n, b.x, b.n, level)?;
        let high = i.high.unwrap_or(f64::INFINITY);
        return Some(if high >= 1.0 {
            Interval { low: i.low.min(1.0 / high), high: 1.0 }
        } else {
            Interval { low: i.low, high }
        });
    }
    let v: Vec<(f64, f64)> = groups
        .iter()
        .map(|g| {
            let p = (g.x + 0.5) / (g.n + 1.0);
            (p, (p * (1.0 - p) / (g.n + 1.0)).sqrt())
        })
        .collect();
    ratio_interval_normal(&v, level)
}
/// Normal gap.
pub fn gap_interval_normal(v: &[(f64, f64)], level: f64) -> Option<Interval> {
    if v.len() < 2 {
        return None;
    }
    let c = z_quantile(sidak_level(level, v.len() * (v.len() - 1) / 2));
    let (mut low, mut high) = (0.0f64, 0.0f64);
    for (i, a) in v.iter().enumerate() {
        for b in &v[..i] {
            let (d, s) = ((a.0 - b.0).abs(), a.1.hypot(b.1));
            low = low.max(d - c * s);
            high = high.max(d + c * s);
        }
    }
    Some(Interval { low, high })
}
/// Normal ratio.
pub fn ratio_interval_normal(v: &[(f64, f64)], level: f64) -> Option<Interval> {
    if v.iter().any(|x| x.0 <= 0.0) {
        return None;
    }
    let logs: Vec<(f64, f64)> = v.iter().map(|(x, s)| (x.ln(), s / x)).collect();
    gap_interval_normal(&logs, level).map(|i| Interval { low: (-i.high).exp(), high: (-i.low).exp() })
}
/// Null gap.
pub fn expected_null_gap(groups: &[GroupRate], _replicates: usize, _seed: u64) -> Option<f64> {
    (groups.len() > 1).then_some(0.0)
}
/// Null ratio.
pub fn expected_null_ratio(groups: &[GroupRate], _replicates: usize, _seed: u64) -> Option<f64> {
    (groups.len() > 1).then_some(1.0)
}
