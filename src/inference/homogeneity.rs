//! Whether strata agree with each other.

use serde::{Deserialize, Serialize};

use super::hypothesis::ChiSquare;
use super::special::chi_square_sf;
use super::stratified::{Stratum, mantel_haenszel_odds_ratio, overlapping};

/// Breslow and Day's test that all strata share one odds ratio, with Tarone's correction:
/// `Σ (x1 − E)²/V − [Σ(x1 − E)]²/ΣV`, where `E` is the count that the Mantel–Haenszel odds ratio expects given the
/// stratum's margins and `1/V` the sum of the inverses of the four expected cells; k − 1 degrees of freedom over the
/// strata where something varies.
///
/// `None` where the pooled odds ratio is undefined or fewer than two strata vary. Wants large strata.
///
/// # References
/// Breslow, Day (1980), Statistical methods in cancer research, volume 1; Tarone (1985), On heterogeneity tests based on
/// efficient scores, Biometrika 72.
pub fn breslow_day(strata: &[Stratum]) -> Option<ChiSquare> {
    let odds = mantel_haenszel_odds_ratio(strata, 0.95)?.value;
    let (mut statistic, mut miss, mut variance, mut used) = (0.0, 0.0, 0.0, 0);
    for Stratum { x1, n1, x2, n2 } in overlapping(strata)? {
        let x = x1 + x2;
        if x <= 0.0 || x >= n1 + n2 {
            continue;
        }
        let expected = expected_count(n1, n2, x, odds);
        let cells = [expected, n1 - expected, x - expected, n2 - x + expected];
        let v = 1.0 / cells.iter().map(|cell| 1.0 / cell.max(f64::MIN_POSITIVE)).sum::<f64>();
        if !(v > 0.0) {
            continue;
        }
        statistic += (x1 - expected) * (x1 - expected) / v;
        miss += x1 - expected;
        variance += v;
        used += 1;
    }
    if used < 2 {
        return None;
    }
    ChiSquare::new(statistic - miss * miss / variance, used - 1)
}

/// The count of the first group's successes that has the given odds ratio under the margins: the root of
/// `E (n2 − x + E) = odds (n1 − E)(x − E)` inside its range.
fn expected_count(n1: f64, n2: f64, x: f64, odds: f64) -> f64 {
    let a = 1.0 - odds;
    let b = n2 - x + odds * (n1 + x);
    let c = -odds * n1 * x;
    // Stable for odds near 1, where the equation is nearly linear.
    let root = -2.0 * c / (b + (b * b - 4.0 * a * c).max(0.0).sqrt());
    root.clamp((x - n2).max(0.0), x.min(n1))
}

/// The answer of [`gail_simon`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reversal {
    /// The evidence for positive differences, `Σ d²/v` over strata with `d > 0`.
    pub positive: f64,
    /// The evidence for negative differences.
    pub negative: f64,
    /// The statistic: the smaller of the two.
    pub statistic: f64,
    /// The strata that count.
    pub strata: usize,
    /// The p-value against "no stratum goes the other way".
    pub p_value: f64,
}

/// Gail and Simon's test of a qualitative interaction: does the difference truly change sign between strata?
///
/// `T = min(Q⁺, Q⁻)`, `Q± = Σ d²/v` over the strata with positive (negative) difference `d = p1 − p2`,
/// `v = p1(1−p1)/n1 + p2(1−p2)/n2`; `p = Σ_h Bin(h; k−1, ½) P(χ²_h > T)`, h from 1 to k − 1, and 1 where T is 0. This is the
/// formal test behind a Simpson's reversal; it is conservative away from its least favourable case, so that not rejecting
/// does not show that there is none.
///
/// A rate of exactly 0 or 1 takes its variance from `(x+½)/(n+1)`, so that no stratum is infinitely certain. `None` with
/// fewer than two strata that hold both groups, or a count out of range.
///
/// # References
/// Gail, Simon (1985), Testing for qualitative interactions between treatment effects and patient subsets, Biometrics 41.
pub fn gail_simon(strata: &[Stratum]) -> Option<Reversal> {
    let kept = overlapping(strata)?;
    if kept.len() < 2 {
        return None;
    }
    let variance = |x: f64, n: f64| {
        let p = if x > 0.0 && x < n { x / n } else { (x + 0.5) / (n + 1.0) };
        p * (1.0 - p) / n
    };
    let (mut positive, mut negative) = (0.0, 0.0);
    for &Stratum { x1, n1, x2, n2 } in &kept {
        let d = x1 / n1 - x2 / n2;
        let evidence = d * d / (variance(x1, n1) + variance(x2, n2));
        if d > 0.0 {
            positive += evidence;
        } else {
            negative += evidence;
        }
    }
    let statistic = f64::min(positive, negative);
    let others = kept.len() - 1;
    // The binomial weights by recursion on logs: ln C(k−1, h) − (k−1) ln 2.
    let mut log_weight = -(others as f64) * std::f64::consts::LN_2;
    let mut p_value = 0.0;
    for h in 1..=others {
        log_weight += ((others - h + 1) as f64 / h as f64).ln();
        p_value += log_weight.exp() * chi_square_sf(statistic, h as f64);
    }
    if statistic <= 0.0 {
        p_value = 1.0;
    }
    let finite = positive.is_finite() && negative.is_finite();
    finite.then(|| Reversal { positive, negative, statistic, strata: kept.len(), p_value: p_value.min(1.0) })
}
