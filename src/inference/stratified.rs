//! Two groups compared within strata: is the difference explained by what they are stratified by?
//!
//! A stratum without trials in one of the groups (no overlap) says nothing about a difference and is left out everywhere.

use serde::{Deserialize, Serialize};

use super::hypothesis::ChiSquare;
use super::interval::{Interval, checked_counts, checked_level, z_quantile};

pub use super::homogeneity::{Reversal, breslow_day, gail_simon};

/// The counts of both groups in one stratum.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Stratum {
    /// Successes of the first group.
    pub x1: f64,
    /// Trials of the first group.
    pub n1: f64,
    /// Successes of the second group.
    pub x2: f64,
    /// Trials of the second group.
    pub n2: f64,
}

/// An effect pooled over strata.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pooled {
    /// The pooled difference, ratio or odds ratio.
    pub value: f64,
    /// Its standard error: of the value for a difference, of its logarithm for a ratio or an odds ratio.
    pub se: f64,
    /// Its interval.
    pub interval: Interval,
}

/// The Mantel–Haenszel difference `Σ w d / Σ w`, `w = n1 n2 / N`, `d = p1 − p2`, with Sato's variance
/// `[D ΣP + ΣQ] / (Σw)²`, `P = (n1² x2 − n2² x1 + n1 n2 (n2 − n1)/2) / N²`, `Q = (x1 (n2−x2) + x2 (n1−x1)) / 2N`: sound for
/// few large strata and for many small ones.
///
/// `None` where no stratum holds both groups, a count is out of range, or `level` is outside (0, 1).
///
/// # References
/// Mantel, Haenszel (1959), JNCI 22; Sato (1989), On the variance estimator for the Mantel–Haenszel risk difference,
/// Biometrics 45.
///
/// ```
/// use evenhand::inference::stratified::{Stratum, mantel_haenszel_difference};
/// let strata = [
///     Stratum { x1: 10.0, n1: 50.0, x2: 30.0, n2: 120.0 },
///     Stratum { x1: 40.0, n1: 80.0, x2: 20.0, n2: 40.0 },
/// ];
/// let pooled = mantel_haenszel_difference(&strata, 0.95).expect("both groups in both strata");
/// assert!((pooled.value + 0.0284810).abs() < 1e-7 && (pooled.se - 0.0575250).abs() < 1e-7);
/// ```
pub fn mantel_haenszel_difference(strata: &[Stratum], level: f64) -> Option<Pooled> {
    let z = z_quantile(checked_level(level)?);
    let (mut weight, mut sum, mut p, mut q) = (0.0, 0.0, 0.0, 0.0);
    for Stratum { x1, n1, x2, n2 } in overlapping(strata)? {
        let n = n1 + n2;
        let (s1, s2) = (n1 / n, n2 / n);
        weight += n1 * s2;
        sum += x1 * s2 - x2 * s1;
        p += s1 * s1 * x2 - s2 * s2 * x1 + s1 * s2 * (n2 - n1) / 2.0;
        q += (x1 * ((n2 - x2) / n) + x2 * ((n1 - x1) / n)) / 2.0;
    }
    let value = sum / weight;
    let se = (value * p + q).max(0.0).sqrt() / weight;
    let interval = Interval { low: value - z * se, high: value + z * se };
    (value.is_finite() && se.is_finite()).then(|| Pooled { value, se, interval: interval.clamp(-1.0, 1.0) })
}

/// The Mantel–Haenszel ratio of rates `ΣR / ΣS`, `R = x1 n2 / N`, `S = x2 n1 / N`, with Greenland and Robins' variance of
/// its log `Σ[(n1 n2 X − x1 x2 N) / N²] / (ΣR ΣS)`, `X = x1 + x2`.
///
/// `None` also where a group has no success in any stratum.
///
/// # References
/// Greenland, Robins (1985), Estimation of a common effect parameter from sparse follow-up data, Biometrics 41.
pub fn mantel_haenszel_ratio(strata: &[Stratum], level: f64) -> Option<Pooled> {
    let z = z_quantile(checked_level(level)?);
    let (mut r, mut s, mut v) = (0.0, 0.0, 0.0);
    for Stratum { x1, n1, x2, n2 } in overlapping(strata)? {
        let n = n1 + n2;
        r += x1 * (n2 / n);
        s += x2 * (n1 / n);
        v += n1 / n * (n2 / n) * (x1 + x2) - x1 / n * x2;
    }
    on_logs(r / s, v / (r * s), z)
}

/// The Mantel–Haenszel odds ratio `ΣR / ΣS`, `R = x1 (n2 − x2) / N`, `S = x2 (n1 − x1) / N`, with the variance of its log by
/// Robins, Breslow and Greenland.
///
/// `None` also where ΣR or ΣS is 0.
///
/// # References
/// Mantel, Haenszel (1959), JNCI 22; Robins, Breslow, Greenland (1986), Estimators of the Mantel–Haenszel variance
/// consistent in both sparse data and large-strata limiting models, Biometrics 42.
///
/// ```
/// use evenhand::inference::stratified::{Stratum, mantel_haenszel_odds_ratio};
/// // Berkeley admissions 1973, men against women in six departments (R: mantelhaen.test(UCBAdmissions)).
/// let strata: Vec<Stratum> = [
///     (512.0, 825.0, 89.0, 108.0), (353.0, 560.0, 17.0, 25.0), (120.0, 325.0, 202.0, 593.0),
///     (138.0, 417.0, 131.0, 375.0), (53.0, 191.0, 94.0, 393.0), (22.0, 373.0, 24.0, 341.0),
/// ].map(|(x1, n1, x2, n2)| Stratum { x1, n1, x2, n2 }).to_vec();
/// let pooled = mantel_haenszel_odds_ratio(&strata, 0.95).expect("six departments");
/// assert!((pooled.value - 0.9046968).abs() < 1e-7);
/// assert!((pooled.interval.low - 0.7719074).abs() < 1e-7 && (pooled.interval.high - 1.0603298).abs() < 1e-7);
/// ```
pub fn mantel_haenszel_odds_ratio(strata: &[Stratum], level: f64) -> Option<Pooled> {
    let z = z_quantile(checked_level(level)?);
    let (mut r, mut s, mut pr, mut ps_qr, mut qs) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for Stratum { x1, n1, x2, n2 } in overlapping(strata)? {
        let n = n1 + n2;
        let (a, b, c, d) = (x1, n1 - x1, x2, n2 - x2);
        let (p, q) = ((a + d) / n, (b + c) / n);
        let (ri, si) = (a * (d / n), b * (c / n));
        r += ri;
        s += si;
        pr += p * ri;
        ps_qr += p * si + q * ri;
        qs += q * si;
    }
    on_logs(r / s, pr / (2.0 * r * r) + ps_qr / (2.0 * r * s) + qs / (2.0 * s * s), z)
}

/// The Cochran–Mantel–Haenszel test of no association within strata, without continuity correction:
/// `[Σ(x1 − n1 X/N)]² / Σ[n1 n2 X (N−X) / (N² (N−1))]` on 1 degree of freedom.
///
/// `None` where nothing varies within any stratum, no stratum holds both groups, or a count is out of range. (R corrects
/// for continuity unless told not to.)
///
/// # References
/// Cochran (1954), Biometrics 10; Mantel, Haenszel (1959), JNCI 22.
///
/// ```
/// use evenhand::inference::stratified::{Stratum, cmh_test};
/// let strata = [
///     Stratum { x1: 10.0, n1: 50.0, x2: 30.0, n2: 120.0 },
///     Stratum { x1: 40.0, n1: 80.0, x2: 20.0, n2: 40.0 },
/// ];
/// assert!((cmh_test(&strata).expect("varies").statistic - 0.2375290).abs() < 1e-7);
/// ```
pub fn cmh_test(strata: &[Stratum]) -> Option<ChiSquare> {
    let (mut sum, mut variance) = (0.0, 0.0);
    for Stratum { x1, n1, x2, n2 } in overlapping(strata)? {
        let (x, n) = (x1 + x2, n1 + n2);
        if n > 1.0 {
            sum += x1 - n1 * (x / n);
            variance += n1 / n * (n2 / n) * x * ((n - x) / (n - 1.0));
        }
    }
    if variance > 0.0 { ChiSquare::new(sum * sum / variance, 1) } else { None }
}

/// The strata that hold both groups, if there is one and all counts are in range.
pub(crate) fn overlapping(strata: &[Stratum]) -> Option<Vec<Stratum>> {
    let kept: Option<Vec<Stratum>> = strata
        .iter()
        .filter(|s| s.n1 != 0.0 && s.n2 != 0.0)
        .map(|s| {
            let (x1, n1) = checked_counts(s.x1, s.n1)?;
            let (x2, n2) = checked_counts(s.x2, s.n2)?;
            Some(Stratum { x1, n1, x2, n2 })
        })
        .collect();
    kept.filter(|kept| !kept.is_empty())
}

/// A positive value with an interval that is symmetric on logs.
fn on_logs(value: f64, variance: f64, z: f64) -> Option<Pooled> {
    let se = variance.max(0.0).sqrt();
    let interval = Interval { low: value * (-z * se).exp(), high: value * (z * se).exp() };
    (value > 0.0 && interval.high.is_finite() && se.is_finite()).then_some(Pooled { value, se, interval })
}
