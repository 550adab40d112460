//! Tests.
use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};
use statrs::function::gamma::ln_gamma;

/// A z test.
pub struct ZTest {
    /// z.
    pub z: f64,
    /// p.
    pub p_value: f64,
}
/// A chi-square test.
pub struct ChiSquare {
    /// statistic.
    pub statistic: f64,
    /// df.
    pub df: f64,
    /// p.
    pub p_value: f64,
}

/// Pooled z.
pub fn two_proportion_z(x1: f64, n1: f64, x2: f64, n2: f64) -> Option<ZTest> {
    let p = (x1 + x2) / (n1 + n2);
    let v = p * (1.0 - p) * (1.0 / n1 + 1.0 / n2);
    (v > 0.0).then(|| {
        let z = (x1 / n1 - x2 / n2) / v.sqrt();
        ZTest { z, p_value: (2.0 * Normal::standard().cdf(-z.abs())).min(1.0) }
    })
}

/// Fisher.
pub fn fisher_exact(a: u64, b: u64, c: u64, d: u64) -> f64 {
    let lf = |n: u64| ln_gamma(n as f64 + 1.0);
    let (r1, r2, c1) = (a + b, c + d, a + c);
    let n = r1 + r2;
    let base = lf(r1) + lf(r2) + lf(c1) + lf(n - c1) - lf(n);
    let ln_p = |k: u64| base - lf(k) - lf(r1 - k) - lf(c1 - k) - lf(r2 + k - c1);
    let (lo, hi) = (c1.saturating_sub(r2), r1.min(c1));
    let seen = ln_p(a);
    (lo..=hi).map(ln_p).filter(|p| *p <= seen + 1e-7).map(f64::exp).sum::<f64>().min(1.0)
}

/// Homogeneity.
pub fn chi_square_homogeneity(groups: &[(f64, f64)]) -> Option<ChiSquare> {
    let (x, n) = groups.iter().fold((0.0, 0.0), |s, g| (s.0 + g.0, s.1 + g.1));
    let p = x / n;
    if !(p > 0.0 && p < 1.0) || groups.len() < 2 {
        return None;
    }
    let statistic = groups.iter().map(|(x, n)| (x - n * p).powi(2) / (n * p * (1.0 - p))).sum();
    let df = (groups.len() - 1) as f64;
    Some(ChiSquare { statistic, df, p_value: ChiSquared::new(df).ok()?.sf(statistic) })
}
