//! Intervals for the ratio of two independent rates, `p1 / p2` (the impact ratio against a fixed reference).
//!
//! Each takes the successes and trials of both groups (fractional where weights make them effective counts) and answers
//! `None` where a group has no trials, a count is outside its range or not finite, or `level` is outside (0, 1). Where the
//! reference has no success the ratio has no upper limit: [`RatioInterval::high`] is `None`, never an infinity.

use serde::{Deserialize, Serialize};

use super::interval::{Interval, checked_counts, checked_level, z_quantile};
use super::roots::root_of_decreasing;

/// An interval for a ratio: `[low, high]`, or `[low, ∞)` where `high` is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RatioInterval {
    /// The lower limit, 0 or more.
    pub low: f64,
    /// The upper limit; `None` where the data set none.
    pub high: Option<f64>,
}

impl RatioInterval {
    /// Whether `value` lies in the interval, limits included.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && self.high.is_none_or(|high| value <= high)
    }

    /// The interval as a bounded one; `None` where there is no upper limit.
    pub fn bounded(&self) -> Option<Interval> {
        self.high.map(|high| Interval { low: self.low, high })
    }

    /// The interval of the inverse ratio, `p2 / p1`: `[1 / high, 1 / low]`.
    #[must_use]
    pub fn invert(&self) -> Self {
        Self {
            low: self.high.map_or(0.0, |high| if high > 0.0 { 1.0 / high } else { f64::MAX }),
            high: (self.low > 0.0).then(|| 1.0 / self.low),
        }
    }

    /// The interval of the smaller over the larger, `min(r, 1/r)`: always within [0, 1].
    ///
    /// ```
    /// use evenhand::inference::ratio::RatioInterval;
    /// let i = RatioInterval { low: 0.5, high: Some(4.0) }.fold();
    /// assert_eq!((i.low, i.high), (0.25, 1.0));
    /// ```
    #[must_use]
    pub fn fold(&self) -> Interval {
        let inverse = self.invert();
        if self.low >= 1.0 {
            Interval { low: inverse.low, high: 1.0 / self.low }
        } else if let Some(high) = self.high.filter(|&high| high <= 1.0) {
            Interval { low: self.low, high }
        } else {
            Interval { low: self.low.min(inverse.low), high: 1.0 }
        }
    }
}

/// Katz's log interval: `ln(p1/p2) ± z √(1/x1 − 1/n1 + 1/x2 − 1/n2)`. `None` also where a group has no success.
///
/// Closed form and widely used, but too sure of itself for small counts: prefer [`koopman`].
///
/// # References
/// Katz, Baptista, Azen, Pike (1978), Obtaining confidence intervals for the risk ratio in cohort studies, Biometrics 34.
///
/// ```
/// let i = evenhand::inference::ratio::katz(56.0, 70.0, 48.0, 80.0, 0.95).expect("successes in both");
/// assert!((i.low - 1.076626).abs() < 1e-6 && (i.high.unwrap() - 1.651249).abs() < 1e-6);
/// ```
pub fn katz(x1: f64, n1: f64, x2: f64, n2: f64, level: f64) -> Option<RatioInterval> {
    let (x1, n1) = checked_counts(x1, n1)?;
    let (x2, n2) = checked_counts(x2, n2)?;
    let z = z_quantile(checked_level(level)?);
    if x1 == 0.0 || x2 == 0.0 {
        return None;
    }
    let centre = (x1 / n1 / (x2 / n2)).ln();
    let half = z * ((n1 - x1) / (x1 * n1) + (n2 - x2) / (x2 * n2)).sqrt();
    finite(RatioInterval { low: (centre - half).exp(), high: Some((centre + half).exp()) })
}

/// Koopman's score interval: all ratios R with `|Z(R)| <= z`, `Z = (p̂1 − R p̂2) / √(p̃1(1−p̃1)/n1 + R² p̃2(1−p̃2)/n2)`,
/// with `p̃` the most likely rates whose ratio is R.
///
/// The crate's default for a ratio. No success in the first group gives the lower limit 0, none in the second no upper
/// limit, none in both `[0, ∞)`. Some ten evaluations of a closed form per limit.
///
/// # References
/// Koopman (1984), Confidence intervals for the ratio of two binomial proportions, Biometrics 40.
///
/// ```
/// let i = evenhand::inference::ratio::koopman(56.0, 70.0, 48.0, 80.0, 0.95).expect("trials in both");
/// assert!((i.low - 1.0798).abs() < 5e-5 && (i.high.unwrap() - 1.6708).abs() < 5e-5);
/// ```
pub fn koopman(x1: f64, n1: f64, x2: f64, n2: f64, level: f64) -> Option<RatioInterval> {
    score_interval(x1, n1, x2, n2, z_quantile(checked_level(level)?))
}

/// Miettinen and Nurminen's score interval for the ratio: [`koopman`]'s with the variance times N/(N−1).
///
/// `None` also where there is not more than one trial in all (fractional counts).
///
/// # References
/// Miettinen, Nurminen (1985), Comparative analysis of two rates, Statistics in Medicine 4.
///
/// ```
/// use evenhand::inference::ratio::miettinen_nurminen_ratio;
/// let i = miettinen_nurminen_ratio(9.0, 10.0, 3.0, 10.0, 0.95).expect("trials in both");
/// assert!((i.low - 1.3280).abs() < 5e-5 && (i.high.unwrap() - 8.6919).abs() < 5e-5);
/// ```
pub fn miettinen_nurminen_ratio(x1: f64, n1: f64, x2: f64, n2: f64, level: f64) -> Option<RatioInterval> {
    let n = n1 + n2;
    if !(n > 1.0) {
        return None;
    }
    score_interval(x1, n1, x2, n2, z_quantile(checked_level(level)?) * (n / (n - 1.0)).sqrt())
}

/// Koopman's test statistic of `p1 / p2 = ratio`, standard normal under the null and decreasing in `ratio`.
///
/// `None` where counts are out of range or `ratio` is not positive and finite, or nothing can vary.
///
/// ```
/// use evenhand::inference::ratio::koopman_z;
/// let z = koopman_z(500.0, 1000.0, 510.0, 1000.0, 0.8).expect("trials in both");
/// assert!((z - 4.571935).abs() < 1e-6);
/// ```
pub fn koopman_z(x1: f64, n1: f64, x2: f64, n2: f64, ratio: f64) -> Option<f64> {
    let (x1, n1) = checked_counts(x1, n1)?;
    let (x2, n2) = checked_counts(x2, n2)?;
    if !(ratio > 0.0 && ratio.is_finite()) {
        return None;
    }
    Some(score(x1, n1, x2, n2, ratio)).filter(|z| z.is_finite())
}

/// The interval of `t1 / t2` from the separate intervals of two independent quantities that cannot be negative (MOVER).
///
/// With `a = u2 (2 t2 − u2)`, `c = l1 (2 t1 − l1)`: `low = [t1 t2 − √(t1² t2² − a c)] / a`; the upper limit likewise from
/// `a = l2 (2 t2 − l2)`, `c = u1 (2 t1 − u1)`, and none where `l2 = 0`. `None` where `t2 <= 0`, a limit is negative, or an
/// interval does not hold its estimate.
///
/// # References
/// Donner, Zou (2012), Closed-form confidence intervals for functions of the normal mean and standard deviation,
/// Statistical Methods in Medical Research 21.
///
/// ```
/// use evenhand::inference::{rate::wilson, ratio::mover_ratio};
/// let (i1, i2) = (wilson(56.0, 70.0, 0.95).unwrap(), wilson(48.0, 80.0, 0.95).unwrap());
/// let i = mover_ratio(0.8, i1, 0.6, i2).expect("positive rates");
/// assert!((i.low - 1.07829).abs() < 5e-6 && (i.high.unwrap() - 1.66292).abs() < 5e-6);
/// ```
pub fn mover_ratio(t1: f64, i1: Interval, t2: f64, i2: Interval) -> Option<RatioInterval> {
    let valid = t2 > 0.0
        && i1.low >= 0.0
        && i2.low >= 0.0
        && i1.contains(t1)
        && i2.contains(t2)
        && i1.high.is_finite()
        && i2.high.is_finite();
    if !valid {
        return None;
    }
    let product = t1 * t2;
    let part = |a: f64, c: f64| (product * product - a * c).max(0.0).sqrt();
    let (a, c) = (i2.high * (2.0 * t2 - i2.high), i1.low * (2.0 * t1 - i1.low));
    let low = if c > 0.0 { c / (product + part(a, c)) } else { 0.0 };
    let (a, c) = (i2.low * (2.0 * t2 - i2.low), i1.high * (2.0 * t1 - i1.high));
    let high = (a > 0.0).then(|| (product + part(a, c)) / a);
    finite(RatioInterval { low: low.min(t1 / t2), high: high.map(|high| high.max(t1 / t2)) })
}

/// What Fieller's theorem says of a ratio: not always an interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FiellerSet {
    /// The ratio lies in the interval: the denominator is clearly not zero.
    Interval(Interval),
    /// The ratio is at most `up_to` or at least `from` (either may be missing): the denominator may be zero.
    Outside {
        /// The end of the part that reaches down to −∞.
        up_to: Option<f64>,
        /// The start of the part that reaches up to +∞.
        from: Option<f64>,
    },
    /// Any ratio agrees with the data.
    Everything,
}

/// Fieller's confidence set of `t1 / t2` for two jointly normal estimates with variances `v11`, `v22` and covariance
/// `v12`: all R with `(t1 − R t2)² <= z² (v11 − 2 R v12 + R² v22)`.
///
/// Bounded exactly where `t2² > z² v22`; otherwise the answer says so instead of inventing limits. `None` where something
/// is not finite, a variance is negative, `v12² > v11 v22`, or `level` is outside (0, 1).
///
/// # References
/// Fieller (1954), Some problems in interval estimation, J. Royal Statistical Society B 16.
///
/// ```
/// use evenhand::inference::ratio::{FiellerSet, fieller};
/// let Some(FiellerSet::Interval(i)) = fieller(2.0, 1.0, 0.01, 0.01, 0.0, 0.95) else { panic!("t2 is far from 0") };
/// assert!((i.low - 1.625883).abs() < 1e-6 && (i.high - 2.533914).abs() < 1e-6);
/// ```
pub fn fieller(t1: f64, t2: f64, v11: f64, v22: f64, v12: f64, level: f64) -> Option<FiellerSet> {
    let z = z_quantile(checked_level(level)?);
    let valid = [t1, t2, v11, v22, v12].iter().all(|v| v.is_finite())
        && v11 >= 0.0
        && v22 >= 0.0
        && v12 * v12 <= v11 * v22 * (1.0 + 1e-9);
    if !valid {
        return None;
    }
    // a R² − 2 b R + c <= 0.
    let a = t2 * t2 - z * z * v22;
    let b = t1 * t2 - z * z * v12;
    let c = t1 * t1 - z * z * v11;
    let discriminant = b * b - a * c;
    if a > 0.0 {
        // Stable roots: the larger in size by the sum, the other by the product.
        let far = b + discriminant.max(0.0).sqrt().copysign(b);
        let (r1, r2) = (far / a, if far == 0.0 { 0.0 } else { c / far });
        return Some(FiellerSet::Interval(Interval { low: r1.min(r2), high: r1.max(r2) }))
            .filter(|_| r1.is_finite() && r2.is_finite());
    }
    if a == 0.0 {
        let edge = c / (2.0 * b);
        return Some(match b {
            _ if !edge.is_finite() => FiellerSet::Everything,
            b if b > 0.0 => FiellerSet::Outside { up_to: None, from: Some(edge) },
            _ => FiellerSet::Outside { up_to: Some(edge), from: None },
        });
    }
    if discriminant <= 0.0 {
        return Some(FiellerSet::Everything);
    }
    let far = b + discriminant.sqrt().copysign(b);
    let (r1, r2) = (far / a, c / far);
    Some(FiellerSet::Outside { up_to: Some(r1.min(r2)), from: Some(r1.max(r2)) })
        .filter(|_| r1.is_finite() && r2.is_finite())
}

/// All ratios whose score test does not reject at `z`.
fn score_interval(x1: f64, n1: f64, x2: f64, n2: f64, z: f64) -> Option<RatioInterval> {
    let (x1, n1) = checked_counts(x1, n1)?;
    let (x2, n2) = checked_counts(x2, n2)?;
    // Walters' log interval starts the search.
    let (h1, h2) = (x1 + 0.5, x2 + 0.5);
    let centre = (h1 / (n1 + 0.5) / (h2 / (n2 + 0.5))).ln();
    let half = z * (1.0 / h1 - 1.0 / (n1 + 0.5) + 1.0 / h2 - 1.0 / (n2 + 0.5)).max(0.0).sqrt();
    let step = (0.1 * half).max(1e-9);
    let tolerance = 1e-13 + 1e-10 * half;
    let z_at = |log: f64| score(x1, n1, x2, n2, log.exp());
    let low = if x1 > 0.0 {
        root_of_decreasing(|log| z_at(log) - z, centre - half, step, 600.0, tolerance)?.exp()
    } else {
        0.0
    };
    let high = if x2 > 0.0 {
        Some(root_of_decreasing(|log| z_at(log) + z, centre + half, step, 600.0, tolerance)?.exp())
    } else {
        None
    };
    let estimate = x1 / n1 / (x2 / n2);
    let low = if x2 > 0.0 { low.min(estimate) } else { low };
    finite(RatioInterval { low, high: high.map(|high| high.max(estimate)) })
}

/// Koopman's Z at the ratio `r`; ± infinity where only the numerator is left.
fn score(x1: f64, n1: f64, x2: f64, n2: f64, r: f64) -> f64 {
    // p̃2 solves n r p² − b p + x = 0. Its discriminant and the complements 1 − p̃ are written in the failures, as sums
    // without cancellation, since rates near 1 and ratios near 1 are common.
    let (n, x) = (n1 + n2, x1 + x2);
    let (fail1, fail2, e) = (n1 - x1, n2 - x2, 1.0 - r);
    let b = n1 * r + x1 + n2 + x2 * r;
    let g = fail1 + fail2 + e * (n1 + x2);
    let h = fail1 + fail2 - e * (n + fail2);
    let s = if e < 0.0 { g * g - 4.0 * n * fail1 * e } else { h * h + 4.0 * n * r * fail2 * e }.sqrt();
    let q1 = if g >= 0.0 { (g + s) / (2.0 * n) } else { 2.0 * fail1 * e / (g - s) };
    let q2 = if h >= 0.0 { (h + s) / (2.0 * n * r) } else { 2.0 * fail2 * e / (s - h) };
    let p2 = 2.0 * x / (b + s);
    let variance = r * p2 * q1.max(0.0) / n1 + r * r * p2 * q2.max(0.0) / n2;
    let miss = x1 / n1 - r * x2 / n2;
    if miss == 0.0 {
        0.0
    } else if variance > 0.0 {
        miss / variance.sqrt()
    } else {
        miss.signum() * f64::INFINITY
    }
}

/// The interval, if its limits are numbers.
fn finite(interval: RatioInterval) -> Option<RatioInterval> {
    let finite = interval.low.is_finite() && interval.high.is_none_or(f64::is_finite);
    finite.then_some(interval)
}
