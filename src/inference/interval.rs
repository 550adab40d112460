//! What every interval method answers, and the levels it is asked at.

use std::cell::Cell;

use serde::{Deserialize, Serialize};

use super::special::normal_quantile;

/// A closed interval `[low, high]` of finite numbers, `low <= high`.
///
/// ```
/// use evenhand::inference::Interval;
/// let i = Interval { low: -0.1, high: 0.3 };
/// assert!(i.contains(0.0));
/// assert_eq!(i.negate(), Interval { low: -0.3, high: 0.1 });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower limit.
    pub low: f64,
    /// The upper limit.
    pub high: f64,
}

impl Interval {
    /// The length `high − low`.
    pub fn width(&self) -> f64 {
        self.high - self.low
    }

    /// Whether `value` lies in the interval, limits included.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Both limits moved into `[low, high]`.
    #[must_use]
    pub fn clamp(&self, low: f64, high: f64) -> Self {
        Self { low: self.low.max(low).min(high), high: self.high.min(high).max(low) }
    }

    /// The interval of the negated quantity: `[−high, −low]`.
    #[must_use]
    pub fn negate(&self) -> Self {
        Self { low: -self.high, high: -self.low }
    }

    /// The interval of the quantity times `factor`; limits swap where the factor is negative.
    #[must_use]
    pub fn scale(&self, factor: f64) -> Self {
        let (a, b) = (self.low * factor, self.high * factor);
        Self { low: a.min(b), high: a.max(b) }
    }

    /// The interval of the quantity's absolute value: `[0, max]` where zero is inside.
    ///
    /// ```
    /// use evenhand::inference::Interval;
    /// let i = Interval { low: -0.1, high: 0.3 };
    /// assert_eq!(i.fold(), Interval { low: 0.0, high: 0.3 });
    /// ```
    #[must_use]
    pub fn fold(&self) -> Self {
        if self.low >= 0.0 {
            *self
        } else if self.high <= 0.0 {
            self.negate()
        } else {
            Self { low: 0.0, high: self.high.max(-self.low) }
        }
    }

    /// The interval, widened just enough to hold `value` (rounding, or a shrunk centre).
    pub(crate) fn covering(self, value: f64) -> Self {
        Self { low: self.low.min(value), high: self.high.max(value) }
    }
}

/// The two-sided normal quantile of a confidence level: `z = Φ⁻¹((1 + level) / 2)`.
///
/// A level outside (0, 1) is moved to its nearest end: 0 or less (or NaN) gives 0, 1 or more gives 8.2095
/// (the largest level below 1 that `f64` holds), so that the answer is always finite.
///
/// ```
/// let z = evenhand::inference::z_quantile(0.95);
/// assert!((z - 1.959963984540054).abs() < 1e-12);
/// ```
pub fn z_quantile(level: f64) -> f64 {
    thread_local! {
        /// The last question of this thread and its answer: intervals of one audit are nearly all at one level.
        static LAST: Cell<(f64, f64)> = const { Cell::new((0.0, 0.0)) };
    }
    let last = LAST.get();
    if last.0 == level {
        return last.1;
    }
    if !(level > 0.0) {
        return 0.0;
    }
    // The upper tail is computed from 1 − level, which is exact for levels of 0.5 and more.
    let z = -normal_quantile(((1.0 - level) / 2.0).max(f64::EPSILON / 4.0));
    LAST.set((level, z));
    z
}

/// Šidák's level for each of `m` independent intervals that shall hold together: `level^(1/m)`.
///
/// Use it for k − 1 groups against one reference (m = k − 1; positively dependent, so it is conservative) and for k
/// limits at once (m = k). `m = 0` answers `level`.
///
/// # References
/// Šidák (1967), Rectangular confidence regions for the means of multivariate normal distributions, JASA 62.
///
/// ```
/// let one = evenhand::inference::sidak_level(0.95, 10);
/// assert!((one - 0.994883803).abs() < 1e-9);
/// ```
pub fn sidak_level(level: f64, m: usize) -> f64 {
    level.powf(1.0 / m.max(1) as f64)
}

/// The level, if it is one.
pub(crate) fn checked_level(level: f64) -> Option<f64> {
    (level > 0.0 && level < 1.0).then_some(level)
}

/// `(x, n)` if they are counts: `0 <= x <= n` and `n` from 1e-12 to 1e15, beyond which products of counts lose their
/// meaning; sums of weights may miss the ends by rounding (1e-9 of n).
pub(crate) fn checked_counts(x: f64, n: f64) -> Option<(f64, f64)> {
    let slack = 1e-9 * n;
    let valid = (1e-12..=1e15).contains(&n) && x >= -slack && x <= n + slack;
    valid.then(|| (x.clamp(0.0, n), n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_match_tables() {
        // R qnorm to 10 digits.
        for (level, z) in [(0.90, 1.6448536270), (0.95, 1.9599639845), (0.99, 2.5758293035), (0.999, 3.2905267315)] {
            assert!((z_quantile(level) - z).abs() < 1e-9, "{level}");
        }
        assert_eq!(z_quantile(0.0), 0.0);
        assert_eq!(z_quantile(f64::NAN), 0.0);
        assert!(z_quantile(1.0).is_finite());
    }

    #[test]
    fn folding_keeps_absolute_values() {
        let i = Interval { low: -0.4, high: -0.1 };
        assert_eq!(i.fold(), Interval { low: 0.1, high: 0.4 });
        assert_eq!(i.scale(-2.0), Interval { low: 0.2, high: 0.8 });
        assert_eq!(i.clamp(-0.2, 1.0).low, -0.2);
    }

    #[test]
    fn counts_are_checked() {
        assert_eq!(checked_counts(3.0, 10.0), Some((3.0, 10.0)));
        assert_eq!(checked_counts(10.0 + 1e-12, 10.0), Some((10.0, 10.0)));
        for (x, n) in [(0.0, 0.0), (-1.0, 5.0), (6.0, 5.0), (f64::NAN, 5.0), (1.0, f64::INFINITY)] {
            assert_eq!(checked_counts(x, n), None);
        }
    }
}
