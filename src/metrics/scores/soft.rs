//! Soft rates: what the confusion matrix would hold if each score were the chance of being selected.

use super::mean::{Mean, each, missing};
use super::{ScoredGroup, Scoring};
use crate::metrics::catalog::Direction;
use crate::metrics::family::{Compute, Measure};
use crate::metrics::measure::Measured;
use crate::metrics::{Confidence, Estimate, MeasureEntry, Need, Of, Support, Undefined};
use crate::tally::Cell;

/// The mean score of the positives: the true positive rate if each were selected by chance, as likely as the score says.
///
/// `Σw·s / Σw` over favourable labels; in [0, 1]. The interval is Student's on the effective size. Undefined without
/// labels or positives, or where a score is no probability.
///
/// # References
/// Pleiss et al. (2017), On fairness and calibration, NeurIPS; AIF360's `generalized_true_positive_rate`.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, generalized_true_positive_rate}};
/// let group = ScoredGroup::from_rows(&[0.2, 0.4, 0.6, 0.8], &[0, 1, 0, 1], None);
/// let rate = generalized_true_positive_rate(&group, Confidence::at(0.95));
/// assert!((rate.value.unwrap() - 0.6).abs() < 1e-12);
/// ```
pub fn generalized_true_positive_rate(group: &ScoredGroup, confidence: Confidence) -> Estimate {
    soft(group, Label::Positive, false, confidence).estimate
}

/// The mean of one minus the score of the positives: the soft false negative rate.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, generalized_false_negative_rate}};
/// let group = ScoredGroup::from_rows(&[0.2, 0.4, 0.6, 0.8], &[0, 1, 0, 1], None);
/// let rate = generalized_false_negative_rate(&group, Confidence::at(0.95));
/// assert!((rate.value.unwrap() - 0.4).abs() < 1e-12);
/// ```
pub fn generalized_false_negative_rate(group: &ScoredGroup, confidence: Confidence) -> Estimate {
    soft(group, Label::Positive, true, confidence).estimate
}

/// The mean score of the negatives: the soft false positive rate.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, generalized_false_positive_rate}};
/// let group = ScoredGroup::from_rows(&[0.1, 0.4, 0.6, 0.8], &[0, 1, 0, 1], None);
/// let rate = generalized_false_positive_rate(&group, Confidence::at(0.95));
/// assert!((rate.value.unwrap() - 0.35).abs() < 1e-12);
/// ```
pub fn generalized_false_positive_rate(group: &ScoredGroup, confidence: Confidence) -> Estimate {
    soft(group, Label::Negative, false, confidence).estimate
}

/// The mean of one minus the score of the negatives: the soft true negative rate.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, generalized_true_negative_rate}};
/// let group = ScoredGroup::from_rows(&[0.1, 0.4, 0.6, 0.8], &[0, 1, 0, 1], None);
/// let rate = generalized_true_negative_rate(&group, Confidence::at(0.95));
/// assert!((rate.value.unwrap() - 0.65).abs() < 1e-12);
/// ```
pub fn generalized_true_negative_rate(group: &ScoredGroup, confidence: Confidence) -> Estimate {
    soft(group, Label::Negative, true, confidence).estimate
}

/// The soft accuracy: the mean over the labelled of the score where the label is favourable, and of one minus the score
/// where it is not.
///
/// One minus the mean absolute error of the score as a forecast of the label; in [0, 1].
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, generalized_accuracy}};
/// let group = ScoredGroup::from_rows(&[0.1, 0.4, 0.6, 0.8], &[0, 1, 0, 1], None);
/// let rate = generalized_accuracy(&group, Confidence::at(0.95));
/// assert!((rate.value.unwrap() - (0.9 + 0.4 + 0.4 + 0.8) / 4.0).abs() < 1e-12);
/// ```
pub fn generalized_accuracy(group: &ScoredGroup, confidence: Confidence) -> Estimate {
    soft(group, Label::Any, false, confidence).estimate
}

/// Whose scores are averaged.
#[derive(Clone, Copy, PartialEq)]
enum Label {
    Negative,
    Positive,
    Any,
}

fn soft(group: &ScoredGroup, of: Label, turned: bool, confidence: Confidence) -> Measured {
    let (mut labelled, mut chosen) = (Cell::default(), Cell::default());
    let mut probabilities = true;
    let wanted = |label: u8| match of {
        Label::Negative => label == 0,
        Label::Positive => label == 1,
        Label::Any => label < 2,
    };
    for point in group.points.iter().filter(|p| p.label < 2) {
        labelled.add(&point.cell, 1.0);
        if wanted(point.label) {
            chosen.add(&point.cell, 1.0);
            probabilities &= (0.0..=1.0).contains(&point.score);
        }
    }
    let support = Support::from(chosen);
    let empty = match of {
        Label::Negative => Undefined::NoNegatives,
        Label::Positive => Undefined::NoPositives,
        Label::Any => Undefined::NoLabels,
    };
    if group.points.is_empty() {
        return Measured::undefined(Undefined::NoRows, support);
    }
    if !(labelled.rows > 0.0) {
        return Measured::undefined(Undefined::NoLabels, support);
    }
    if !probabilities {
        return Measured::undefined(Undefined::NotProbabilities, support);
    }
    let rows = group.points.iter().filter(|p| wanted(p.label)).map(|p| {
        let turned = if of == Label::Any { p.label == 0 } else { turned };
        (p.cell, if turned { 1.0 - p.score } else { p.score })
    });
    match Mean::of(rows) {
        Some(mean) => mean.plain((0.0, 1.0), confidence.level),
        None => Measured::undefined(missing(chosen.rows, empty), support),
    }
}

const fn entry(
    name: &'static str,
    title: &'static str,
    formula: &'static str,
    direction: Direction,
    also: &'static str,
) -> MeasureEntry {
    MeasureEntry {
        name,
        title,
        formula,
        needs: &[Need::Probability, Need::Label],
        of: Of::Group,
        direction,
        least: Some(0.0),
        most: Some(1.0),
        fair: None,
        source: "Pleiss et al. 2017",
        also,
    }
}

/// The soft rates.
pub(crate) const MEASURES: &[Measure<ScoredGroup, Scoring>] = &[
    Measure {
        entry: entry(
            "generalized_true_positive_rate",
            "mean score of the positives",
            "sum(s y) / sum(y)",
            Direction::Higher,
            "generalized_true_positive_rate (aif360)",
        ),
        compute: Compute::Group(|groups, c, at| each(groups, c, |g| soft(g, Label::Positive, false, at))),
    },
    Measure {
        entry: entry(
            "generalized_false_negative_rate",
            "mean of one minus the score of the positives",
            "sum((1 - s) y) / sum(y)",
            Direction::Lower,
            "generalized_false_negative_rate, generalized_fnr (aif360)",
        ),
        compute: Compute::Group(|groups, c, at| each(groups, c, |g| soft(g, Label::Positive, true, at))),
    },
    Measure {
        entry: entry(
            "generalized_false_positive_rate",
            "mean score of the negatives",
            "sum(s (1 - y)) / sum(1 - y)",
            Direction::Lower,
            "generalized_false_positive_rate, generalized_fpr (aif360)",
        ),
        compute: Compute::Group(|groups, c, at| each(groups, c, |g| soft(g, Label::Negative, false, at))),
    },
    Measure {
        entry: entry(
            "generalized_true_negative_rate",
            "mean of one minus the score of the negatives",
            "sum((1 - s) (1 - y)) / sum(1 - y)",
            Direction::Higher,
            "generalized_true_negative_rate (aif360)",
        ),
        compute: Compute::Group(|groups, c, at| each(groups, c, |g| soft(g, Label::Negative, true, at))),
    },
    Measure {
        entry: entry(
            "generalized_accuracy",
            "mean chance that the score gives to the label that came",
            "mean(s y + (1 - s) (1 - y))",
            Direction::Higher,
            "1 - mean_absolute_error (scikit-learn)",
        ),
        compute: Compute::Group(|groups, c, at| each(groups, c, |g| soft(g, Label::Any, false, at))),
    },
];
