//! Tests of equal rates, and tests that rates are near enough.

use serde::{Deserialize, Serialize};

use super::difference::miettinen_nurminen_z;
use super::interval::checked_counts;
use super::ratio::koopman_z;
use super::special::{chi_square_sf, normal_cdf, normal_sf};

pub use super::exact::{BOSCHLOO_LIMIT, boschloo, fisher_exact};

/// The answer of a z test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ZTest {
    /// The statistic: standard normal under the null.
    pub z: f64,
    /// The two-sided p-value.
    pub p_value: f64,
}

/// The answer of a chi-square test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ChiSquare {
    /// The statistic.
    pub statistic: f64,
    /// Its degrees of freedom.
    pub df: usize,
    /// The upper tail probability.
    pub p_value: f64,
}

impl ChiSquare {
    /// The test of a statistic on `df` degrees of freedom; `None` without any, or where the statistic is not finite.
    pub(crate) fn new(statistic: f64, df: usize) -> Option<Self> {
        let statistic = statistic.max(0.0);
        (df > 0 && statistic.is_finite()).then(|| Self { statistic, df, p_value: chi_square_sf(statistic, df as f64) })
    }
}

/// The two one-sided tests of equivalence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tost {
    /// The statistic against "at or below the lower bound": large and positive where it is rejected.
    pub z_low: f64,
    /// The statistic against "at or above the upper bound": large and negative where it is rejected.
    pub z_high: f64,
    /// The larger of the two one-sided p-values: below α, equivalence is shown at level α.
    pub p_value: f64,
}

impl Tost {
    fn new(z_low: f64, z_high: f64) -> Self {
        Self { z_low, z_high, p_value: normal_sf(z_low).max(normal_cdf(z_high)) }
    }
}

/// The pooled two-proportion z test: `z = (p1 − p2) / √(p̄(1−p̄)(1/n1 + 1/n2))`, `p̄ = (x1+x2)/(n1+n2)`.
///
/// Its absolute value is the "number of standard deviations" of the legal practice (2 or more is significant), its square
/// the chi-square without Yates' correction. `None` where a group has no trials, a count is out of range, or nothing
/// varies (both rates 0 or both 1).
///
/// # References
/// Hazelwood School District v. United States, 433 U.S. 299 (1977), footnote 17, for the two or three deviations.
///
/// ```
/// let t = evenhand::inference::hypothesis::two_proportion_z(48.0, 80.0, 12.0, 40.0).expect("both vary");
/// assert!((t.z - 3.0983867).abs() < 1e-7);
/// ```
pub fn two_proportion_z(x1: f64, n1: f64, x2: f64, n2: f64) -> Option<ZTest> {
    let (x1, n1) = checked_counts(x1, n1)?;
    let (x2, n2) = checked_counts(x2, n2)?;
    let (x, n) = (x1 + x2, n1 + n2);
    let variance = x / n * ((n - x) / n) * (1.0 / n1 + 1.0 / n2);
    let z = (x1 / n1 - x2 / n2) / variance.sqrt();
    (variance > 0.0 && z.is_finite()).then(|| ZTest { z, p_value: (2.0 * normal_sf(z.abs())).min(1.0) })
}

/// Pearson's chi-square of equal rates over groups `(x, n)`: `Σ (x − n p̄)² / (n p̄ (1−p̄))` on k − 1 degrees of freedom.
///
/// Groups without trials are left out. `None` where fewer than two are left, a count is out of range, or nothing varies.
/// The approximation wants expected counts of 5 and more.
///
/// # References
/// Pearson (1900), Philosophical Magazine 50.
///
/// ```
/// let t = evenhand::inference::hypothesis::chi_square_homogeneity(&[(48.0, 80.0), (12.0, 40.0)]).expect("varies");
/// assert!((t.p_value - 0.0019457737).abs() < 1e-9 && t.df == 1);
/// ```
pub fn chi_square_homogeneity(groups: &[(f64, f64)]) -> Option<ChiSquare> {
    homogeneity(groups, |observed, expected| (observed - expected) * (observed - expected) / expected)
}

/// The likelihood-ratio (G) test of equal rates over groups `(x, n)`: `2 Σ O ln(O/E)` on k − 1 degrees of freedom.
///
/// As [`chi_square_homogeneity`] otherwise.
///
/// # References
/// Woolf (1957), The log likelihood ratio test (the G-test), Annals of Human Genetics 21.
///
/// ```
/// let t = evenhand::inference::hypothesis::g_test(&[(48.0, 80.0), (12.0, 40.0)]).expect("varies");
/// assert!((t.statistic - 9.804312).abs() < 1e-6);
/// ```
pub fn g_test(groups: &[(f64, f64)]) -> Option<ChiSquare> {
    homogeneity(groups, likelihood_ratio)
}

/// Pearson's chi-square of independence in a table of counts, row by row with `columns` columns, on
/// (rows − 1)(columns − 1) degrees of freedom.
///
/// Rows and columns without any count are left out (of the degrees of freedom too). `None` where fewer than two of either
/// are left, a count is negative or not finite, or the cells do not fill whole rows.
///
/// ```
/// let counts = [10.0, 20.0, 30.0, 6.0, 9.0, 17.0];
/// let t = evenhand::inference::hypothesis::chi_square_table(&counts, 3).expect("two rows, three columns");
/// assert!((t.statistic - 0.2715747).abs() < 1e-6 && t.df == 2);
/// ```
pub fn chi_square_table(counts: &[f64], columns: usize) -> Option<ChiSquare> {
    table(counts, columns, |observed, expected| (observed - expected) * (observed - expected) / expected)
}

/// The likelihood-ratio (G) test of independence in a table: see [`chi_square_table`].
pub fn g_test_table(counts: &[f64], columns: usize) -> Option<ChiSquare> {
    table(counts, columns, likelihood_ratio)
}

/// Equivalence by difference: two one-sided Miettinen–Nurminen tests that `−eps < p1 − p2 < eps`.
///
/// Equivalence at level α where the p-value is below α; the same as the 1 − 2α score interval inside (−eps, eps). `None`
/// where counts are out of range or `eps` is outside (0, 1).
///
/// # References
/// Schuirmann (1987), A comparison of the two one-sided tests procedure, J. Pharmacokinetics and Biopharmaceutics 15.
///
/// ```
/// let t = evenhand::inference::hypothesis::tost_difference(500.0, 1000.0, 510.0, 1000.0, 0.05).expect("in range");
/// assert!((t.p_value - 0.0366678).abs() < 1e-7);
/// ```
pub fn tost_difference(x1: f64, n1: f64, x2: f64, n2: f64, eps: f64) -> Option<Tost> {
    if !(eps > 0.0) {
        return None;
    }
    let low = miettinen_nurminen_z(x1, n1, x2, n2, -eps)?;
    let high = miettinen_nurminen_z(x1, n1, x2, n2, eps)?;
    Some(Tost::new(low, high))
}

/// Equivalence by ratio: two one-sided Miettinen–Nurminen score tests that `low < p1 / p2 < high`.
///
/// `None` where counts are out of range, there is not more than one trial, or not `0 < low < high`.
///
/// ```
/// let t = evenhand::inference::hypothesis::tost_ratio(500.0, 1000.0, 510.0, 1000.0, 0.8, 1.25).expect("in range");
/// assert!((t.z_low - 4.570792).abs() < 1e-6 && (t.z_high + 5.465245).abs() < 1e-6);
/// ```
pub fn tost_ratio(x1: f64, n1: f64, x2: f64, n2: f64, low: f64, high: f64) -> Option<Tost> {
    let n = n1 + n2;
    if !(low < high && n > 1.0) {
        return None;
    }
    let factor = ((n - 1.0) / n).sqrt();
    let z_low = koopman_z(x1, n1, x2, n2, low)? * factor;
    let z_high = koopman_z(x1, n1, x2, n2, high)? * factor;
    Some(Tost::new(z_low, z_high))
}

/// A cell's part of G.
fn likelihood_ratio(observed: f64, expected: f64) -> f64 {
    if observed > 0.0 { 2.0 * observed * (observed / expected).ln() } else { 0.0 }
}

/// A sum over the 2 × k table of successes and failures.
fn homogeneity(groups: &[(f64, f64)], part: impl Fn(f64, f64) -> f64) -> Option<ChiSquare> {
    let (mut x, mut n, mut used) = (0.0, 0.0, 0);
    for &(gx, gn) in groups.iter().filter(|group| group.1 != 0.0) {
        let (gx, gn) = checked_counts(gx, gn)?;
        (x, n, used) = (x + gx, n + gn, used + 1);
    }
    if used < 2 || !(x > 0.0 && x < n) {
        return None;
    }
    let rate = x / n;
    let statistic = groups
        .iter()
        .filter(|group| group.1 != 0.0)
        .map(|&(gx, gn)| part(gx, gn * rate) + part((gn - gx).max(0.0), gn * (1.0 - rate)))
        .sum();
    ChiSquare::new(statistic, used - 1)
}

/// A sum over the cells of a table.
fn table(counts: &[f64], columns: usize, part: impl Fn(f64, f64) -> f64) -> Option<ChiSquare> {
    let valid = columns > 0
        && counts.len().is_multiple_of(columns)
        && counts.iter().all(|&count| count >= 0.0 && count.is_finite());
    if !valid {
        return None;
    }
    let rows: Vec<f64> = counts.chunks(columns).map(|row| row.iter().sum()).collect();
    let mut sums = vec![0.0; columns];
    for row in counts.chunks(columns) {
        for (sum, count) in sums.iter_mut().zip(row) {
            *sum += count;
        }
    }
    let total: f64 = rows.iter().sum();
    let filled = |totals: &[f64]| totals.iter().filter(|&&t| t > 0.0).count();
    let (r, c) = (filled(&rows), filled(&sums));
    if r < 2 || c < 2 {
        return None;
    }
    let mut statistic = 0.0;
    for (row, &in_row) in counts.chunks(columns).zip(&rows) {
        for (&count, &in_column) in row.iter().zip(&sums) {
            if in_row > 0.0 && in_column > 0.0 {
                statistic += part(count, in_row * (in_column / total));
            }
        }
    }
    ChiSquare::new(statistic, (r - 1) * (c - 1))
}
