//! How much can be seen with so many rows, and how many rows it takes.

use super::difference::newcombe;
use super::interval::{checked_level, z_quantile};
use super::special::{normal_cdf, normal_quantile};

/// The chance that the two-proportion z test at `level` finds the difference between true rates `p1` and `p2`:
/// `Φ((|p1−p2| − z s0) / s1)`, with `s0² = p̄(1−p̄)(1/n1 + 1/n2)` (`p̄` the pooled rate) and
/// `s1² = p1(1−p1)/n1 + p2(1−p2)/n2`.
///
/// Rates outside [0, 1], no trials, or a level outside (0, 1) give 0: such a test finds nothing.
///
/// # References
/// Fleiss, Levin, Paik (2003), Statistical methods for rates and proportions, chapter 4 (without continuity correction).
///
/// ```
/// let power = evenhand::inference::power::power_two_proportions(0.3, 500.0, 0.384, 500.0, 0.95);
/// assert!((power - 0.8).abs() < 2e-3);
/// ```
pub fn power_two_proportions(p1: f64, n1: f64, p2: f64, n2: f64, level: f64) -> f64 {
    let rate = |p: f64| (0.0..=1.0).contains(&p);
    let trials = |n: f64| n > 0.0 && n.is_finite();
    let Some(level) = checked_level(level).filter(|_| rate(p1) && rate(p2) && trials(n1) && trials(n2)) else {
        return 0.0;
    };
    let pooled = (p1 * n1 + p2 * n2) / (n1 + n2);
    let s0 = (pooled * (1.0 - pooled) * (1.0 / n1 + 1.0 / n2)).sqrt();
    let s1 = (p1 * (1.0 - p1) / n1 + p2 * (1.0 - p2) / n2).sqrt();
    let excess = (p1 - p2).abs() - z_quantile(level) * s0;
    if s1 > 0.0 {
        normal_cdf(excess / s1)
    } else if excess > 0.0 {
        1.0
    } else {
        0.0
    }
}

/// The smallest difference from rate `p` (of a group with `n1` rows) that a group with `n2` rows can be shown to have,
/// with the given `power` at `level`.
///
/// Where the other rate could lie on either side, the larger of the two answers; where only one side has room, that one's.
/// `None` where neither side has, or an argument is out of range.
///
/// ```
/// let d = evenhand::inference::power::minimum_detectable_difference(0.3, 500.0, 500.0, 0.95, 0.8).expect("room");
/// assert!((d - 0.0840).abs() < 5e-5);
/// ```
pub fn minimum_detectable_difference(p: f64, n1: f64, n2: f64, level: f64, power: f64) -> Option<f64> {
    let side = |sign: f64, room: f64| -> Option<f64> {
        let found = |d: f64| power_two_proportions(p, n1, (p + sign * d).clamp(0.0, 1.0), n2, level);
        if !(room > 0.0 && found(room) >= power) {
            return None;
        }
        let (mut low, mut high) = (0.0, room);
        while high - low > 1e-9 * room {
            let middle = 0.5 * (low + high);
            if found(middle) >= power { high = middle } else { low = middle }
        }
        Some(high)
    };
    if !(power > 0.0 && power < 1.0 && (0.0..=1.0).contains(&p)) {
        return None;
    }
    match (side(1.0, 1.0 - p), side(-1.0, p)) {
        (Some(up), Some(down)) => Some(up.max(down)),
        (up, down) => up.or(down),
    }
}

/// The rows that the first group needs so that rates `p1` and `p2` are told apart with the given `power` at `level`, when
/// the second group has `allocation` times as many:
/// `n1 = [z √(p̄q̄(1 + 1/r)) + z_power √(p1q1 + p2q2/r)]² / (p1 − p2)²`, rounded up.
///
/// `None` where the rates are equal or outside [0, 1], `allocation <= 0`, or level or power outside (0, 1).
///
/// # References
/// Fleiss, Levin, Paik (2003), Statistical methods for rates and proportions, section 4.2.
///
/// ```
/// let rows = evenhand::inference::power::rows_for_difference(0.3, 0.4, 0.95, 0.8, 1.0).expect("rates differ");
/// assert_eq!(rows, 356.0);
/// ```
pub fn rows_for_difference(p1: f64, p2: f64, level: f64, power: f64, allocation: f64) -> Option<f64> {
    let level = checked_level(level)?;
    let rate = |p: f64| (0.0..=1.0).contains(&p);
    let valid =
        rate(p1) && rate(p2) && p1 != p2 && power > 0.0 && power < 1.0 && allocation > 0.0 && allocation.is_finite();
    if !valid {
        return None;
    }
    let pooled = (p1 + allocation * p2) / (1.0 + allocation);
    let null = z_quantile(level) * (pooled * (1.0 - pooled) * (1.0 + 1.0 / allocation)).sqrt();
    let alternative = -normal_quantile(1.0 - power) * (p1 * (1.0 - p1) + p2 * (1.0 - p2) / allocation).sqrt();
    let root = (null + alternative).max(0.0) / (p1 - p2);
    Some((root * root).ceil().max(1.0)).filter(|rows| rows.is_finite())
}

/// By what factor both groups must grow, at their present rates, until Newcombe's interval of `p1 − p2` no longer
/// holds `bound`; 1 where it already does not.
///
/// The rows still missing are `(factor − 1)(n1 + n2)`. `None` where counts are out of range or the present difference is
/// so near the bound that growing a billionfold would not decide.
///
/// ```
/// let factor = evenhand::inference::power::growth_to_decide(30.0, 100.0, 36.0, 100.0, 0.0, 0.95).expect("they differ");
/// assert!((factor - 4.72).abs() < 0.02);
/// ```
pub fn growth_to_decide(x1: f64, n1: f64, x2: f64, n2: f64, bound: f64, level: f64) -> Option<f64> {
    let decided = |factor: f64| {
        newcombe(x1 * factor, n1 * factor, x2 * factor, n2 * factor, level).map(|interval| !interval.contains(bound))
    };
    if decided(1.0)? {
        return Some(1.0);
    }
    let (mut low, mut high) = (1.0, 2.0);
    while !decided(high)? {
        if high > 1e9 {
            return None;
        }
        (low, high) = (high, 2.0 * high);
    }
    while high - low > 1e-6 * high {
        let middle = 0.5 * (low + high);
        if decided(middle)? { high = middle } else { low = middle }
    }
    Some(high)
}
