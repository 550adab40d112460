//! Effect sizes of two selection rates.

use crate::inference::difference::mover_difference;
use crate::inference::hypothesis::two_proportion_z;
use crate::inference::roots::root_of_decreasing;
use crate::inference::{Interval, rate, z_quantile};
use crate::metrics::catalog::Direction;
use crate::metrics::family::{Compute, Measure};
use crate::metrics::scores::mean::effective_counts;
use crate::metrics::{Confidence, Estimate, MeasureEntry, Need, Of, Support, Tested, Undefined};
use crate::tally::{Cell, Counts};

/// Cohen's h of two rates, `2 asin √p₁ − 2 asin √p₂`, from successes and trials (effective ones, where weighted).
///
/// In [−π, π]; 0.2 is called small, 0.5 medium, 0.8 large. The interval is square-and-add on Wilson's limits. Undefined
/// where a group has no trials.
///
/// # References
/// Cohen (1988), Statistical power analysis for the behavioral sciences, chapter 6.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, selection::cohens_h};
/// let h = cohens_h((50.0, 100.0), (25.0, 100.0), Confidence::at(0.95));
/// // 2 asin √½ = π/2 and 2 asin ½ = π/3.
/// assert!((h.value.unwrap() - std::f64::consts::FRAC_PI_6).abs() < 1e-12);
/// ```
pub fn cohens_h(first: (f64, f64), second: (f64, f64), confidence: Confidence) -> Estimate {
    let support = joint(first, second);
    let turned = |p: f64| 2.0 * p.clamp(0.0, 1.0).sqrt().asin();
    let side = |(x, n): (f64, f64)| {
        let limits = rate::wilson(x, n, confidence.level)?;
        Some((turned(x / n), Interval { low: turned(limits.low), high: turned(limits.high) }))
    };
    let (Some((a, i)), Some((b, j))) = (side(first), side(second)) else {
        return Estimate::undefined(Undefined::NoDecisions, support);
    };
    let interval = mover_difference(a, i, b, j);
    let most = std::f64::consts::PI;
    Estimate::of(a - b, support).between(interval.low.max(-most), interval.high.min(most))
}

/// The odds ratio of two rates, `x₁(n₂ − x₂) / ((n₁ − x₁) x₂)`, from successes and trials (effective ones, where
/// weighted).
///
/// At least 0, 1 for equal rates. The interval inverts the score test, without trouble from empty cells; its upper end is
/// open where nobody of the second group or everybody of the first was selected, and the figure then undefined (over
/// zero). Undefined also where a group has no trials, or where nobody or everybody is selected.
///
/// # References
/// Cornfield (1956), A statistical problem arising from retrospective studies, Third Berkeley Symposium; Miettinen,
/// Nurminen (1985), Comparative analysis of two rates, Statistics in Medicine 4.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, selection::odds_ratio};
/// let ratio = odds_ratio((30.0, 100.0), (10.0, 100.0), Confidence::at(0.95));
/// assert!((ratio.value.unwrap() - 27.0 / 7.0).abs() < 1e-12);
/// assert!(ratio.low.unwrap() > 1.7 && ratio.high.unwrap() < 8.6);
/// ```
pub fn odds_ratio(first: (f64, f64), second: (f64, f64), confidence: Confidence) -> Estimate {
    let support = joint(first, second);
    let ((x1, n1), (x2, n2)) = (first, second);
    let checked = |(x, n)| rate::wilson(x, n, confidence.level).is_some();
    if !checked(first) || !checked(second) {
        return Estimate::undefined(Undefined::NoDecisions, support);
    }
    let (y1, y2) = ((n1 - x1).max(0.0), (n2 - x2).max(0.0));
    let (x1, x2) = (x1.max(0.0), x2.max(0.0));
    if x1 + x2 <= 0.0 || y1 + y2 <= 0.0 {
        let reason = if x1 + x2 <= 0.0 { Undefined::NobodySelected } else { Undefined::EverybodySelected };
        return Estimate::undefined(reason, support);
    }
    if y1 <= 0.0 || x2 <= 0.0 {
        return Estimate::undefined(Undefined::OverZero, support);
    }
    let value = x1 / y1 * (y2 / x2);
    let z = z_quantile(confidence.level);
    let statistic = |log_ratio: f64| score_z((x1, n1), (x2, n2), log_ratio);
    // A rough width to start from; half a person in each cell keeps it finite.
    let width = [x1, y1, x2, y2].map(|count| 1.0 / (count + 0.5)).iter().sum::<f64>().sqrt();
    let middle = ((x1 + 0.5) * (y2 + 0.5) / ((y1 + 0.5) * (x2 + 0.5))).ln();
    let limit = |target: f64, from: f64| {
        root_of_decreasing(|t| statistic(t) - target, from, 0.5 * width + 1e-3, 200.0, 1e-11).map(f64::exp)
    };
    let low = if x1 > 0.0 && y2 > 0.0 { limit(z, middle - width) } else { Some(0.0) };
    let high = limit(-z, middle + width);
    let estimate = Estimate::of(value, support);
    match (low, high) {
        (Some(low), Some(high)) => estimate.between(low.min(value), high.max(value)),
        _ => estimate,
    }
}

/// The score statistic of a log odds ratio: `(x₁ − n₁p̃₁) √(1/(n₁p̃₁q̃₁) + 1/(n₂p̃₂q̃₂))` with the likeliest rates that
/// have that odds ratio; decreasing in it.
fn score_z((x1, n1): (f64, f64), (x2, n2): (f64, f64), log_ratio: f64) -> f64 {
    // The ratio is taken below 1, where the quadratic below loses no digits: the other way round, roles swap.
    if log_ratio > 0.0 {
        return -score_z((x2, n2), (x1, n1), -log_ratio);
    }
    let ratio = log_ratio.exp();
    let x = x1 + x2;
    // p̃₂ solves a p² + b p − x = 0, p̃₁ has the odds ratio to it.
    let a = n2 * (ratio - 1.0);
    let b = n1 * ratio + n2 - x * (ratio - 1.0);
    // b > 0 and a <= 0: this form of the root has no cancellation.
    let second = (2.0 * x / (b + (b * b + 4.0 * a * x).max(0.0).sqrt())).clamp(0.0, 1.0);
    let odds = ratio * second / (1.0 - second);
    let first = if odds.is_finite() { odds / (1.0 + odds) } else { 1.0 };
    let information = |n: f64, p: f64| 1.0 / (n * p * (1.0 - p));
    (x1 - n1 * first) * (information(n1, first) + information(n2, second)).sqrt()
}

fn joint((_, n1): (f64, f64), (_, n2): (f64, f64)) -> Support {
    let n = n1 + n2;
    let n = if n.is_finite() { n.max(0.0) } else { 0.0 };
    Support { rows: n, weight: n, effective_size: n }
}

/// Effective successes and trials of a group's selection, and its decided rows.
fn selected(counts: &Counts) -> ((f64, f64), Cell) {
    let (part, whole) = (counts.selected(), counts.sum(|_, decision| decision < 2));
    (effective_counts(&part, &whole), whole)
}

fn pair(
    first: &Counts,
    second: &Counts,
    confidence: Confidence,
    figure: impl Fn((f64, f64), (f64, f64), Confidence) -> Estimate,
) -> Tested {
    let ((one, all), (other, rest)) = (selected(first), selected(second));
    let mut whole = all;
    whole.add(&rest, 1.0);
    let estimate = Estimate { support: whole.into(), ..figure(one, other, confidence) };
    if estimate.value.is_none() {
        return Tested::untested(estimate);
    }
    match two_proportion_z(one.0, one.1, other.0, other.1) {
        Some(test) => Tested::by(estimate, test.p_value, "two-proportion z"),
        None => Tested::untested(estimate),
    }
}

const fn entry(name: &'static str, title: &'static str, formula: &'static str, fair: f64) -> MeasureEntry {
    MeasureEntry {
        name,
        title,
        formula,
        needs: &[Need::Decision],
        of: Of::Pair,
        direction: Direction::Neither,
        least: Some(0.0),
        most: None,
        fair: Some(fair),
        source: "",
        also: "",
    }
}

pub(super) const ALL: &[Measure<Counts, ()>] = &[
    Measure {
        entry: MeasureEntry {
            least: Some(-std::f64::consts::PI),
            most: Some(std::f64::consts::PI),
            source: "Cohen 1988",
            ..entry(
                "cohens_h",
                "difference of selection rates on the arcsine scale",
                "2 asin(sqrt(SR_1)) - 2 asin(sqrt(SR_2))",
                0.0,
            )
        },
        compute: Compute::Pair(|a, b, (), at| pair(a, b, at, cohens_h)),
    },
    Measure {
        entry: MeasureEntry {
            source: "Cornfield 1956",
            ..entry(
                "odds_ratio",
                "ratio of the odds of being selected",
                "(SR_1 / (1 - SR_1)) / (SR_2 / (1 - SR_2))",
                1.0,
            )
        },
        compute: Compute::Pair(|a, b, (), at| pair(a, b, at, odds_ratio)),
    },
];
