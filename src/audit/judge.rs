//! From a disparity to a verdict: the interval against the bound, and what it would take to decide.

use super::{Comparison, Criterion, Verdict};
use crate::metrics::Estimate;

/// Slack for rounding when an interval's end is compared with a bound.
const ROUNDING: f64 = 1e-12;

/// What is allowed, on the scale on which an interval is symmetric: differences and values as they are, ratios by
/// their logarithm.
struct Scale {
    figure: f64,
    low: f64,
    high: f64,
    /// The least and the most that are allowed.
    least: f64,
    most: f64,
}

impl Scale {
    fn of(estimate: &Estimate, criterion: &Criterion) -> Option<Self> {
        let figure = estimate.value?;
        let (low, high) = (estimate.low.unwrap_or(f64::NEG_INFINITY), estimate.high.unwrap_or(f64::INFINITY));
        Some(match criterion.comparison {
            Comparison::Difference => {
                let most = criterion.maximum?;
                Scale { figure, low, high, least: -most, most }
            }
            Comparison::Ratio => {
                let least = criterion.minimum?.ln();
                Scale { figure: figure.ln(), low: low.max(0.0).ln(), high: high.ln(), least, most: -least }
            }
            Comparison::Value => {
                let least = criterion.minimum.unwrap_or(f64::NEG_INFINITY);
                Scale { figure, low, high, least, most: criterion.maximum.unwrap_or(f64::INFINITY) }
            }
        })
    }

    fn allowed(&self, v: f64) -> bool {
        v >= self.least - ROUNDING && v <= self.most + ROUNDING
    }

    fn verdict(&self) -> Verdict {
        let (low, high) = (self.low.min(self.figure), self.high.max(self.figure));
        if self.allowed(low) && self.allowed(high) {
            Verdict::Pass
        } else if low > self.most + ROUNDING || high < self.least - ROUNDING {
            Verdict::Fail
        } else {
            Verdict::Inconclusive
        }
    }
}

/// Pass if the whole interval satisfies the bound, fail if none of it does, inconclusive otherwise. A
/// figure without an interval, or none at all, decides nothing.
pub(crate) fn verdict(estimate: &Estimate, criterion: &Criterion) -> Verdict {
    if estimate.low.is_none() && estimate.high.is_none() {
        return Verdict::Inconclusive;
    }
    Scale::of(estimate, criterion).map_or(Verdict::Inconclusive, |s| s.verdict())
}

/// About how many more rows would decide, were the figure to stay: the arms of an interval shrink with
/// the root of the rows. `None` where it is decided, or where no number would.
pub(crate) fn rows_to_decide(estimate: &Estimate, criterion: &Criterion) -> Option<u64> {
    let scale = Scale::of(estimate, criterion)?;
    if scale.verdict() != Verdict::Inconclusive {
        return None;
    }
    // The arms that reach across a bound, over the way from the figure to it.
    let Scale { figure, low, high, least, most } = scale;
    let reach = if figure > most {
        (figure - low) / (figure - most)
    } else if figure < least {
        (high - figure) / (least - figure)
    } else {
        ((high - figure) / (most - figure)).max((figure - low) / (figure - least))
    };
    let factor = reach.powi(2);
    let rows = (factor - 1.0) * estimate.support.rows;
    (rows.is_finite() && rows < 1e15).then(|| rows.max(1.0).ceil() as u64)
}

/// How far a disparity is beyond what is allowed (above 0) or within it: the size of a difference minus the
/// maximum; the minimum minus the smaller of the ratio and its inverse; a value's way beyond the nearer bound.
pub(crate) fn gravity(estimate: &Estimate, criterion: &Criterion) -> f64 {
    let excess = || {
        let figure = estimate.value?;
        Some(match criterion.comparison {
            Comparison::Difference => figure.abs() - criterion.maximum?,
            Comparison::Ratio => criterion.minimum? - figure.min(1.0 / figure),
            Comparison::Value => {
                let above = criterion.maximum.map_or(f64::NEG_INFINITY, |most| figure - most);
                above.max(criterion.minimum.map_or(f64::NEG_INFINITY, |least| least - figure))
            }
        })
    };
    excess().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Support;

    fn criterion(comparison: Comparison, bound: f64) -> Criterion {
        let (maximum, minimum) =
            if comparison == Comparison::Difference { (Some(bound), None) } else { (None, Some(bound)) };
        Criterion { metric: "x".into(), comparison, against: Default::default(), maximum, minimum, attributes: vec![] }
    }

    fn estimate(value: f64, low: f64, high: f64) -> Estimate {
        Estimate::of(value, Support { rows: 1000.0, weight: 1000.0, effective_size: 1000.0 }).between(low, high)
    }

    #[test]
    fn the_interval_decides_not_the_figure() {
        let within = criterion(Comparison::Difference, 0.1);
        for (value, low, high, expected) in [
            (0.02, -0.05, 0.09, Verdict::Pass),
            (0.02, -0.12, 0.16, Verdict::Inconclusive),
            (0.2, 0.11, 0.29, Verdict::Fail),
            (-0.2, -0.29, -0.11, Verdict::Fail),
            (0.2, 0.09, 0.31, Verdict::Inconclusive),
            (0.1, 0.1, 0.1, Verdict::Pass),
        ] {
            assert_eq!(verdict(&estimate(value, low, high), &within), expected, "{value} [{low}, {high}]");
        }
        let four_fifths = criterion(Comparison::Ratio, 0.8);
        for (value, low, high, expected) in [
            (0.9, 0.81, 1.0, Verdict::Pass),
            (0.7, 0.6, 0.79, Verdict::Fail),
            (0.7, 0.6, 0.85, Verdict::Inconclusive),
            (1.5, 1.3, 1.7, Verdict::Fail), // the other group is the worse off
            (1.1, 1.0, 1.24, Verdict::Pass),
            (0.0, 0.0, 0.5, Verdict::Fail),
        ] {
            assert_eq!(verdict(&estimate(value, low, high), &four_fifths), expected, "{value} [{low}, {high}]");
        }
    }

    #[test]
    fn without_an_interval_nothing_is_decided() {
        let four_fifths = criterion(Comparison::Ratio, 0.8);
        assert_eq!(verdict(&Estimate::of(1.0, Support::default()), &four_fifths), Verdict::Inconclusive);
        let unbounded = Estimate::of(2.0, Support::default()).between(0.9, f64::INFINITY);
        assert_eq!(verdict(&unbounded, &four_fifths), Verdict::Inconclusive);
        let far = Estimate::of(2.0, Support::default()).between(1.3, f64::INFINITY);
        assert_eq!(verdict(&far, &four_fifths), Verdict::Fail);
    }

    #[test]
    fn more_rows_shrink_the_arm_to_the_bound() {
        // An arm of 0.08 with 0.04 to go: four times the rows, three thousand more.
        let rows = rows_to_decide(&estimate(0.06, -0.02, 0.14), &criterion(Comparison::Difference, 0.1));
        assert_eq!(rows, Some(3000));
        assert_eq!(rows_to_decide(&estimate(0.1, 0.02, 0.18), &criterion(Comparison::Difference, 0.1)), None);
        assert_eq!(rows_to_decide(&estimate(0.2, 0.11, 0.3), &criterion(Comparison::Difference, 0.1)), None);
    }
}
