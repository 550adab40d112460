//! How much a figure changed between two independent batches, from the two figures and their intervals alone.
//!
//! [`change`] carries the two intervals over to the difference by square-and-add (MOVER, as
//! [`mover_difference`](super::difference::mover_difference)), whatever they came from: a closed form, a bootstrap, or the
//! simultaneous limits of a worst case.
//!
//! What is asked of a disparity is not whether it moved but whether it grew. [`Scale::Difference`] and [`Scale::Ratio`]
//! therefore compare its *size*, its distance from parity, which has two traps:
//! - A disparity that turns round (Δ to −Δ) has moved and has not grown. Signs are taken off both figures first, each with
//!   its own interval, *unfolded*: the arm towards parity keeps its whole length even where it reaches beyond. Where a true
//!   disparity is none, its size can only be overrated, and the whole error of 1 − level is on that side; elsewhere it is
//!   split as usual. So the level holds everywhere.
//! - The limits of a worst case (max − min, min / max) are cut off at parity. An arm that ends there says how far the figure
//!   is from parity, not how sure it is: it is taken to be as long as the other arm (for a ratio, by its logarithm).
//!
//! A worst case over more than two groups is overrated by noise, and the more so in the smaller batch. Its arms are
//! simultaneous over all pairs, which is wider than what its figure strays by its bias and noise together: square-and-add of
//! such arms is conservative. `tests/coverage_compare.rs` has how much.
//!
//! Where the two batches share rows, the figures are not independent. If they move together, as two models' do that select
//! much the same people, the interval is too wide and a claim is safe; if they move against each other, it is too narrow.

use serde::{Deserialize, Serialize};

use super::interval::{checked_level, z_quantile};
use super::special::normal_sf;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Scale {
    /// The figures as they are.
    Figure,
    /// The sizes of two differences: `|after| − |before|`, parity at 0.
    Difference,
    /// The sizes of two ratios: `min(r, 1/r)` of each, parity at 1; larger is fairer.
    Ratio,
}

/// A figure with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// The figure.
    pub value: f64,
    /// The lower end of its interval; `None` where it is unbounded.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// The level of the interval, in (0, 1).
    pub level: f64,
}

/// How much a figure, or the size of a disparity, changed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// After minus before.
    pub difference: f64,
    /// The lower end of its interval; `None` where the data set none.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// The two-sided chance of a change at least this large were there none: the interval at level `1 − p` ends at 0.
    pub p_value: Option<f64>,
}

/// A figure with the lengths of its arms in standard errors: at a level, an arm is so many times z long.
#[derive(Debug, Clone, Copy)]
struct Arms {
    value: f64,
    down: f64,
    up: f64,
}

impl Arms {
    fn of(known: &Known) -> Option<Self> {
        let z = z_quantile(checked_level(known.level)?);
        let ends = [known.low, known.high].into_iter().flatten();
        if !known.value.is_finite() || !ends.clone().all(f64::is_finite) || ends.count() == 0 {
            return None;
        }
        let arm = |end: Option<f64>, sign: f64| end.map_or(f64::INFINITY, |e| (sign * (e - known.value)).max(0.0) / z);
        Some(Arms { value: known.value, down: arm(known.low, -1.0), up: arm(known.high, 1.0) })
    }
}

impl Known {
    /// The size of a difference, its interval unfolded.
    fn size_of_difference(self) -> Self {
        let turned = if self.value < 0.0 {
            Known { value: -self.value, low: self.high.map(|v| -v), high: self.low.map(|v| -v), ..self }
        } else {
            self
        };
        match (turned.low, turned.high) {
            (Some(0.0), Some(high)) => Known { low: Some((2.0 * turned.value - high).min(0.0)), ..turned },
            (Some(0.0), None) => Known { low: None, ..turned },
            _ => turned,
        }
    }

    /// The smaller of a ratio and its inverse, its interval unfolded; `None` for what is no ratio.
    fn size_of_ratio(self) -> Option<Self> {
        let inverse = |v: f64| (v > 0.0).then(|| 1.0 / v);
        if self.value < 0.0 || self.low.is_some_and(|low| low < 0.0) {
            return None;
        }
        let turned = if self.value > 1.0 {
            let low = self.high.and_then(inverse).unwrap_or(0.0);
            Known { value: 1.0 / self.value, low: Some(low), high: self.low.and_then(inverse), ..self }
        } else {
            self
        };
        Some(match (turned.low, turned.high) {
            (Some(low), Some(1.0)) if low > 0.0 => {
                Known { high: Some((turned.value * turned.value / low).max(1.0)), ..turned }
            }
            (_, Some(1.0)) => Known { high: None, ..turned },
            _ => turned,
        })
    }
}

/// How much a figure changed from one independent batch to another: `d = after − before`, with the interval
/// `[d − √((a−l_a)² + (u_b−b)²), d + √((u_a−a)² + (b−l_b)²)]` at `level`.
///
/// Intervals at another level than that are stretched to it by the ratio of normal quantiles. For
/// [`Scale::Difference`] and [`Scale::Ratio`] the figures are those of sizes, see the [module](self). `None` where something
/// is not finite, a level is outside (0, 1), a figure has no interval at all, or a ratio is negative. Where neither interval
/// has any width on the side that counts, nothing tells how sure the change is, and it has no interval and no p-value.
///
/// # References
/// Zou, Donner (2008), Construction of confidence limits about effect measures: a general approach, Statistics in
/// Medicine 27; Newcombe (1998), Statistics in Medicine 17 (square-and-add).
///
/// # Examples
/// ```
/// use evenhand::inference::change::{Known, Scale, change};
///
/// let gap = |value, low, high| Known { value, low: Some(low), high: Some(high), level: 0.95 };
/// // A gap of 12 points [8, 16] before and of 20 [15, 25] after: 8 more.
/// let c = change(&gap(0.12, 0.08, 0.16), &gap(0.20, 0.15, 0.25), Scale::Difference, 0.95).expect("both are known");
/// assert!((c.difference - 0.08).abs() < 1e-12);
/// assert!((c.low.unwrap() - (0.08 - 0.05f64.hypot(0.04))).abs() < 1e-12);
/// assert!(c.p_value.unwrap() < 0.05);
/// // Turned round, it has moved and not grown.
/// let c = change(&gap(0.12, 0.08, 0.16), &gap(-0.12, -0.16, -0.08), Scale::Difference, 0.95).expect("both are known");
/// assert!(c.difference == 0.0 && c.p_value == Some(1.0));
/// ```
pub fn change(before: &Known, after: &Known, scale: Scale, level: f64) -> Option<Change> {
    let z = z_quantile(checked_level(level)?);
    let sized = |known: &Known| match scale {
        Scale::Figure => Some(*known),
        Scale::Difference => Some(known.size_of_difference()),
        Scale::Ratio => known.size_of_ratio(),
    };
    let (before, after) = (Arms::of(&sized(before)?)?, Arms::of(&sized(after)?)?);
    let d = after.value - before.value;
    let (down, up) = (after.down.hypot(before.up), after.up.hypot(before.down));
    let towards = if d > 0.0 { down } else { up };
    let sure = towards > 0.0;
    let p_value = match d {
        0.0 => Some(1.0),
        _ => sure.then(|| (2.0 * normal_sf(d.abs() / towards)).min(1.0)),
    };
    // A ratio's size lies in [0, 1], and so its change in [−1, 1].
    let bound = |v: f64| if scale == Scale::Ratio { v.clamp(-1.0, 1.0) } else { v };
    let end = |v: f64| Some(bound(v)).filter(|v| v.is_finite() && (sure || d == 0.0));
    Some(Change { difference: d, low: end(d - z * down), high: end(d + z * up), p_value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::difference::{mover_difference, newcombe};
    use crate::inference::ratio::koopman;
    use crate::inference::{Interval, rate};

    fn known(value: f64, low: f64, high: f64) -> Known {
        Known { value, low: Some(low), high: Some(high), level: 0.95 }
    }

    #[test]
    fn of_two_rates_it_is_newcombes_interval() {
        let of = |x: f64, n: f64| {
            let i = rate::wilson(x, n, 0.95).unwrap();
            known(x / n, i.low, i.high)
        };
        let c = change(&of(48.0, 80.0), &of(56.0, 70.0), Scale::Figure, 0.95).unwrap();
        let i = newcombe(56.0, 70.0, 48.0, 80.0, 0.95).unwrap();
        assert!((c.low.unwrap() - i.low).abs() < 1e-12 && (c.high.unwrap() - i.high).abs() < 1e-12);
    }

    #[test]
    fn the_p_value_is_that_of_the_interval_which_ends_at_zero() {
        let (before, after) = (known(0.10, 0.06, 0.15), known(0.16, 0.13, 0.19));
        let c = change(&before, &after, Scale::Figure, 0.95).unwrap();
        let p = c.p_value.unwrap();
        let at = change(&before, &after, Scale::Figure, 1.0 - p).unwrap();
        assert!(at.low.unwrap().abs() < 1e-9, "{at:?}");
        let back = change(&after, &before, Scale::Figure, 0.95).unwrap();
        assert!((back.low.unwrap() + c.high.unwrap()).abs() < 1e-12 && (back.p_value.unwrap() - p).abs() < 1e-12);
    }

    #[test]
    fn signs_do_not_matter_for_a_size() {
        let (a, b) = (known(0.05, -0.01, 0.10), known(-0.12, -0.18, -0.05));
        let turned = |k: &Known| Known { value: -k.value, low: k.high.map(|v| -v), high: k.low.map(|v| -v), ..*k };
        let expected = change(&a, &b, Scale::Difference, 0.95).unwrap();
        assert!((expected.difference - 0.07).abs() < 1e-12);
        for (x, y) in [(turned(&a), b), (a, turned(&b)), (turned(&a), turned(&b))] {
            assert_eq!(change(&x, &y, Scale::Difference, 0.95).unwrap(), expected);
        }
        let inverse = |k: &Known| Known {
            value: 1.0 / k.value,
            low: k.high.map(|v| 1.0 / v),
            high: k.low.map(|v| 1.0 / v),
            ..*k
        };
        let (a, b) = (known(0.9, 0.7, 1.2), known(0.6, 0.5, 0.75));
        let c = change(&a, &b, Scale::Ratio, 0.95).unwrap();
        let d = change(&inverse(&a), &inverse(&b), Scale::Ratio, 0.95).unwrap();
        assert!((c.difference - d.difference).abs() < 1e-12 && (c.low.unwrap() - d.low.unwrap()).abs() < 1e-12);
    }

    /// The folded interval of two groups' gap gives back nearly what the signed one gives.
    #[test]
    fn an_arm_that_is_cut_at_parity_is_as_long_as_the_other() {
        let before = known(0.30, 0.25, 0.35);
        let signed = newcombe(52.0, 100.0, 50.0, 100.0, 0.95).unwrap();
        let folded = signed.fold();
        let of = |i: Interval| change(&before, &known(0.02, i.low, i.high), Scale::Difference, 0.95).unwrap();
        let (a, b) = (of(signed), of(folded));
        assert_eq!(folded.low, 0.0);
        assert!((a.low.unwrap() - b.low.unwrap()).abs() < 0.003 && (a.high.unwrap() - b.high.unwrap()).abs() < 0.003);
        let signed = koopman(48.0, 100.0, 50.0, 100.0, 0.95).unwrap();
        let (low, high) = (signed.low, signed.high.unwrap());
        let of = |high: f64| change(&known(0.5, 0.4, 0.6), &known(0.96, low, high), Scale::Ratio, 0.95).unwrap();
        let (a, b) = (of(high), of(1.0));
        assert!((a.high.unwrap() - b.high.unwrap()).abs() < 0.02, "{a:?} {b:?}");
    }

    #[test]
    fn other_levels_are_stretched_to_the_one_asked_for() {
        let narrow = Known { low: Some(0.2 - 1.644853627), high: Some(0.2 + 1.644853627), level: 0.90, value: 0.2 };
        let wide = known(0.2, 0.2 - 1.959963985, 0.2 + 1.959963985);
        let zero = known(0.0, -1.0, 1.0);
        let (a, b) = (change(&zero, &narrow, Scale::Figure, 0.95), change(&zero, &wide, Scale::Figure, 0.95));
        assert!((a.unwrap().low.unwrap() - b.unwrap().low.unwrap()).abs() < 1e-8);
    }

    #[test]
    fn what_cannot_be_known_is_left_out() {
        let good = known(0.2, 0.1, 0.3);
        for bad in [
            Known { low: None, high: None, ..good },
            Known { value: f64::NAN, ..good },
            Known { high: Some(f64::INFINITY), ..good },
            Known { level: 1.0, ..good },
        ] {
            assert_eq!(change(&good, &bad, Scale::Difference, 0.95), None, "{bad:?}");
        }
        assert_eq!(change(&good, &good, Scale::Figure, 0.0), None);
        assert_eq!(change(&good, &known(-0.2, -0.3, 0.1), Scale::Ratio, 0.95), None);
        // Nothing tells how sure.
        let point = |v: f64| known(v, v, v);
        let c = change(&point(0.1), &point(0.2), Scale::Figure, 0.95).unwrap();
        assert_eq!((c.low, c.high, c.p_value), (None, None, None));
        // A side without a limit gives none, and shows nothing.
        let open = Known { high: None, ..good };
        let c = change(&good, &open, Scale::Figure, 0.95).unwrap();
        assert!(c.high.is_none() && c.low.is_some());
        let c = change(&open, &known(0.9, 0.8, 1.0), Scale::Figure, 0.95).unwrap();
        assert!(c.low.is_none() && c.p_value == Some(1.0));
        // The size of a ratio stays in [0, 1].
        let c = change(&known(1.0, 0.0, 1.0), &known(0.0, 0.0, 0.9), Scale::Ratio, 0.95).unwrap();
        assert!(c.low == Some(-1.0) && c.high.unwrap() <= 1.0, "{c:?}");
    }

    #[test]
    fn it_is_square_and_add() {
        let (a, b) = (known(0.3, 0.2, 0.45), known(0.5, 0.42, 0.55));
        let c = change(&a, &b, Scale::Difference, 0.95).unwrap();
        let i = mover_difference(0.5, Interval { low: 0.42, high: 0.55 }, 0.3, Interval { low: 0.2, high: 0.45 });
        assert!((c.low.unwrap() - i.low).abs() < 1e-12 && (c.high.unwrap() - i.high).abs() < 1e-12);
    }
}
