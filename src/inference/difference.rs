//! Intervals for the difference of two independent rates, `p1 − p2`.
//!
//! Each takes the successes and trials of both groups (fractional where weights make them effective counts) and answers
//! `None` where a group has no trials, a count is outside its range or not finite, or `level` is outside (0, 1). Limits
//! lie in [−1, 1] and hold the estimate.

use std::f64::consts::PI;

use super::interval::{Interval, checked_counts, checked_level, z_quantile};
use super::rate::wilson;
use super::roots::root;

/// Newcombe's hybrid score interval: square-and-add on Wilson's limits,
/// `[d − √((p1−l1)² + (u2−p2)²), d + √((u1−p1)² + (p2−l2)²)]`.
///
/// The crate's default for a difference: closed form, no trouble with empty cells, coverage near the level.
///
/// # References
/// Newcombe (1998), Interval estimation for the difference between independent proportions, Statistics in Medicine 17,
/// method 10.
///
/// ```
/// let i = evenhand::inference::difference::newcombe(56.0, 70.0, 48.0, 80.0, 0.95).expect("trials in both");
/// assert!((i.low - 0.0524).abs() < 5e-5 && (i.high - 0.3339).abs() < 5e-5);
/// ```
pub fn newcombe(x1: f64, n1: f64, x2: f64, n2: f64, level: f64) -> Option<Interval> {
    let first = wilson(x1, n1, level)?;
    let second = wilson(x2, n2, level)?;
    let (p1, p2) = ((x1 / n1).clamp(0.0, 1.0), (x2 / n2).clamp(0.0, 1.0));
    Some(mover_difference(p1, first, p2, second).clamp(-1.0, 1.0))
}

/// The interval of `t1 − t2` from the separate intervals of two independent quantities (MOVER, the method of variance
/// estimates recovery): `[d − √((t1−l1)² + (u2−t2)²), d + √((u1−t1)² + (t2−l2)²)]`.
///
/// Carries any interval, skewed or not, over to a difference: of AUCs, mean scores, weighted rates. For a sum, pass
/// `-t2` and `i2.negate()`. The inputs must be finite.
///
/// # References
/// Zou, Donner (2008), Construction of confidence limits about effect measures: a general approach, Statistics in
/// Medicine 27.
///
/// ```
/// use evenhand::inference::{Interval, difference::mover_difference};
/// let auc = |low, high| Interval { low, high };
/// let i = mover_difference(0.80, auc(0.76, 0.83), 0.70, auc(0.66, 0.74));
/// assert!((i.low - (0.1 - (0.04f64.powi(2) + 0.04f64.powi(2)).sqrt())).abs() < 1e-12);
/// ```
pub fn mover_difference(t1: f64, i1: Interval, t2: f64, i2: Interval) -> Interval {
    let d = t1 - t2;
    Interval { low: d - (t1 - i1.low).hypot(i2.high - t2), high: d + (i1.high - t1).hypot(t2 - i2.low) }
}

/// Miettinen and Nurminen's score interval: all δ with `|Z(δ)| <= z`, `Z` as in [`miettinen_nurminen_z`].
///
/// The best small-sample behaviour of the three here. The factor N/(N−1) of its variance needs more than one trial in
/// all: with fewer (fractional counts), `None`.
///
/// # References
/// Miettinen, Nurminen (1985), Comparative analysis of two rates, Statistics in Medicine 4. Limits as published by
/// Newcombe (1998), method 6; statsmodels' `method="score"` for differences has a slip and answers other figures.
///
/// ```
/// let i = evenhand::inference::difference::miettinen_nurminen(56.0, 70.0, 48.0, 80.0, 0.95).expect("trials in both");
/// assert!((i.low - 0.0528).abs() < 5e-5 && (i.high - 0.3382).abs() < 5e-5);
/// ```
pub fn miettinen_nurminen(x1: f64, n1: f64, x2: f64, n2: f64, level: f64) -> Option<Interval> {
    let n = n1 + n2;
    if !(n > 1.0) {
        return None;
    }
    score_interval(x1, n1, x2, n2, level, n / (n - 1.0))
}

/// Mee's score interval: Miettinen and Nurminen's without the factor N/(N−1) (the test is Farrington and Manning's).
///
/// # References
/// Mee (1984), Confidence bounds for the difference between two probabilities, Biometrics 40; Newcombe (1998), method 5.
///
/// ```
/// let i = evenhand::inference::difference::mee(56.0, 70.0, 48.0, 80.0, 0.95).expect("trials in both");
/// assert!((i.low - 0.0533).abs() < 5e-5 && (i.high - 0.3377).abs() < 5e-5);
/// ```
pub fn mee(x1: f64, n1: f64, x2: f64, n2: f64, level: f64) -> Option<Interval> {
    score_interval(x1, n1, x2, n2, level, 1.0)
}

/// Miettinen and Nurminen's test statistic of `p1 − p2 = delta`:
/// `Z = (p̂1 − p̂2 − δ) / √(N/(N−1) · (p̃1(1−p̃1)/n1 + p̃2(1−p̃2)/n2))`, with `p̃` the most likely rates that differ by δ.
///
/// Standard normal under the null; decreasing in δ. `None` where counts are out of range, `|delta| >= 1`, or there is not
/// more than one trial in all. Where no outcome varies at all (both rates 0 or both 1, δ = 0) it is 0.
///
/// # References
/// Miettinen, Nurminen (1985), Comparative analysis of two rates, Statistics in Medicine 4.
///
/// ```
/// use evenhand::inference::difference::miettinen_nurminen_z;
/// let z = miettinen_nurminen_z(500.0, 1000.0, 510.0, 1000.0, -0.05).expect("trials in both");
/// assert!((z - 1.790736).abs() < 1e-6);
/// ```
pub fn miettinen_nurminen_z(x1: f64, n1: f64, x2: f64, n2: f64, delta: f64) -> Option<f64> {
    let (x1, n1) = checked_counts(x1, n1)?;
    let (x2, n2) = checked_counts(x2, n2)?;
    let n = n1 + n2;
    if !(delta.abs() < 1.0 && n > 1.0) {
        return None;
    }
    let miss = x1 / n1 - x2 / n2 - delta;
    let variance = n / (n - 1.0) * null_variance(x1, n1, x2, n2, delta);
    if miss == 0.0 { Some(0.0) } else { (variance > 0.0).then(|| miss / variance.sqrt()) }
}

/// All δ whose score test does not reject, by two root searches.
fn score_interval(x1: f64, n1: f64, x2: f64, n2: f64, level: f64, factor: f64) -> Option<Interval> {
    let (x1, n1) = checked_counts(x1, n1)?;
    let (x2, n2) = checked_counts(x2, n2)?;
    let z = z_quantile(checked_level(level)?);
    let d = x1 / n1 - x2 / n2;
    let variance = |delta: f64| factor * null_variance(x1, n1, x2, n2, delta);
    // (d − δ) ∓ z√V(δ): bounded, negative (positive) at d and of the other sign past the limit.
    let below = |delta: f64| d - delta - z * variance(delta).sqrt();
    let above = |delta: f64| d - delta + z * variance(delta).sqrt();
    let guess = newcombe(x1, n1, x2, n2, level)?;
    let here = (z * variance(d).sqrt()).max(f64::MIN_POSITIVE);
    let low = limit(below, (d, -here), guess.low, -1.0);
    let high = limit(above, (d, here), guess.high, 1.0);
    Some(Interval { low, high }.covering(d).clamp(-1.0, 1.0))
}

/// The root between the estimate and `end` (−1 or 1), with a bracket that starts around `guess`.
fn limit(f: impl Fn(f64) -> f64, estimate: (f64, f64), guess: f64, end: f64) -> f64 {
    let d = estimate.0;
    if d == end {
        return d;
    }
    let mut inner = estimate;
    // Tenths of the way from the estimate to the guess; the true limit is nearly always within the first steps.
    let mut step = 0.1 * (guess - d);
    let mut at = guess - step;
    loop {
        let at_end = step == 0.0 || at * end >= 1.0;
        let place = if at_end { end } else { at };
        let outer = (place, f(place));
        if at_end || outer.1 * end <= 0.0 {
            return root(f, inner, outer, (1e-9 * (guess - d).abs()).max(1e-20));
        }
        inner = outer;
        at += 2.0 * step;
        step *= 2.0;
    }
}

/// The variance of the difference at the most likely rates that differ by `delta`, without the factor N/(N−1).
fn null_variance(x1: f64, n1: f64, x2: f64, n2: f64, delta: f64) -> f64 {
    // Counting the rarer outcome, and from the smaller of the two rates up, keeps digits near 0 and 1; both changes leave
    // the variance as it is.
    let rarer = x1 + x2 <= (n1 - x1) + (n2 - x2);
    let (x1, x2, delta) = if rarer { (x1, x2, delta) } else { (n1 - x1, n2 - x2, -delta) };
    let (x1, n1, x2, n2, delta) = if delta < 0.0 { (x2, n2, x1, n1, -delta) } else { (x1, n1, x2, n2, delta) };
    let p2 = smaller_rate(x1, n1, x2, n2, delta);
    let p1 = (p2 + delta).min(1.0);
    p1 * (1.0 - p1) / n1 + p2 * (1.0 - p2) / n2
}

/// The most likely `p2` under `p1 = p2 + delta`, `delta >= 0`: the middle root of the likelihood's cubic, the only one in
/// [0, 1 − delta].
///
/// Starts from the trigonometric closed form, which alone keeps half the digits and none for rates near 0, and ends with
/// Newton steps kept inside a shrinking bracket: one or two as a rule.
fn smaller_rate(x1: f64, n1: f64, x2: f64, n2: f64, delta: f64) -> f64 {
    let n = n1 + n2;
    let x = x1 + x2;
    let l2 = ((n1 + 2.0 * n2) * delta - n - x) / n;
    let l1 = ((n2 * delta - n - 2.0 * x2) * delta + x) / n;
    let l0 = x2 * delta * (1.0 - delta) / n;
    if l0 <= 0.0 {
        // No success in the second group, or no difference: the root at 0 splits off.
        return if l1 > 0.0 { 2.0 * l1 / ((l2 * l2 - 4.0 * l1).max(0.0).sqrt() - l2) } else { 0.0 }
            .clamp(0.0, 1.0 - delta);
    }
    let third = l2 / 3.0;
    let q = third * third * third - l1 * l2 / 6.0 + l0 / 2.0;
    let b = q.signum() * (third * third - l1 / 3.0).max(0.0).sqrt();
    let angle = if b == 0.0 { PI / 2.0 } else { (PI + (q / (b * b * b)).clamp(-1.0, 1.0).acos()) / 3.0 };
    // The cubic falls through its root from a positive value at 0 to a negative one at the top.
    let (mut low, mut high) = (0.0, 1.0 - delta);
    let mut p = (2.0 * b * angle.cos() - third).clamp(low, high);
    for _ in 0..60 {
        let value = ((p + l2) * p + l1) * p + l0;
        let slope = (3.0 * p + 2.0 * l2) * p + l1;
        if value > 0.0 {
            low = p
        } else {
            high = p
        }
        let newton = p - value / slope;
        let next = if newton >= low && newton <= high { newton } else { 0.5 * (low + high) };
        let done = (next - p).abs() <= 4.0 * f64::EPSILON * next;
        p = next;
        if done {
            break;
        }
    }
    p
}
