//! Stratified.
use super::{Interval, hypothesis::ChiSquare, z_quantile};
use statrs::distribution::{ChiSquared, ContinuousCDF};
/// Two groups in a stratum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stratum {
    /// x1.
    pub x1: f64,
    /// n1.
    pub n1: f64,
    /// x2.
    pub x2: f64,
    /// n2.
    pub n2: f64,
}
/// Pooled.
pub struct Pooled {
    /// v.
    pub value: f64,
    /// se.
    pub se: f64,
    /// i.
    pub interval: Interval,
}
/// MH RD.
pub fn mantel_haenszel_difference(s: &[Stratum], level: f64) -> Option<Pooled> {
    let (mut w, mut d, mut p, mut q) = (0.0, 0.0, 0.0, 0.0);
    for t in s {
        let n = t.n1 + t.n2;
        let wl = t.n1 * t.n2 / n;
        w += wl;
        d += wl * (t.x1 / t.n1 - t.x2 / t.n2);
        p += (t.n1 * t.n1 * t.x2 - t.n2 * t.n2 * t.x1 + t.n1 * t.n2 * (t.n2 - t.n1) / 2.0) / (n * n);
        q += (t.x1 * (t.n2 - t.x2) + t.x2 * (t.n1 - t.x1)) / (2.0 * n);
    }
    if w <= 0.0 {
        return None;
    }
    let v = d / w;
    let se = ((v * p + q).max(0.0)).sqrt() / w;
    let z = z_quantile(level);
    Some(Pooled { value: v, se, interval: Interval { low: (v - z * se).max(-1.0), high: (v + z * se).min(1.0) } })
}
/// MH RR.
pub fn mantel_haenszel_ratio(s: &[Stratum], level: f64) -> Option<Pooled> {
    let (mut a, mut b, mut c) = (0.0, 0.0, 0.0);
    for t in s {
        let n = t.n1 + t.n2;
        a += t.x1 * t.n2 / n;
        b += t.x2 * t.n1 / n;
        c += (t.n1 * t.n2 * (t.x1 + t.x2) - t.x1 * t.x2 * n) / (n * n);
    }
    if !(a > 0.0 && b > 0.0) {
        return None;
    }
    let (v, se) = (a / b, (c / (a * b)).sqrt());
    let z = z_quantile(level);
    Some(Pooled { value: v, se, interval: Interval { low: v * (-z * se).exp(), high: v * (z * se).exp() } })
}
/// CMH.
pub fn cmh_test(s: &[Stratum]) -> Option<ChiSquare> {
    let (mut d, mut v) = (0.0, 0.0);
    for t in s {
        let n = t.n1 + t.n2;
        let x = t.x1 + t.x2;
        d += t.x1 - t.n1 * x / n;
        if n > 1.0 {
            v += t.n1 * t.n2 * x * (n - x) / (n * n * (n - 1.0));
        }
    }
    let statistic = d * d / v;
    (v > 0.0).then(|| ChiSquare { statistic, df: 1.0, p_value: ChiSquared::new(1.0).map_or(1.0, |c| c.sf(statistic)) })
}
