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

#[cfg(test)]
mod tests {
    use super::*;

    /// AIF360 0.6.1, ClassificationMetric.generalized_*.
    #[cfg(feature = "csv")]
    #[test]
    fn rates_are_those_of_aif360() {
        use crate::metrics::scores::fixtures::Data;
        let german = Data::german();
        let at = Confidence::at(0.95);
        for (group, tpr, fpr, fnr, tnr) in [
            ("old", 0.7708352892156862, 0.5605900543933054, 0.22916471078431375, 0.4394099456066946),
            ("young", 0.7024798181818181, 0.5416991147540984, 0.2975201818181818, 0.4583008852459017),
        ] {
            let rows = german.group("age_ge25", group, true).scored("y_true");
            for (ours, theirs) in [
                (generalized_true_positive_rate(&rows, at), tpr),
                (generalized_false_positive_rate(&rows, at), fpr),
                (generalized_false_negative_rate(&rows, at), fnr),
                (generalized_true_negative_rate(&rows, at), tnr),
            ] {
                assert!((ours.value.unwrap() - theirs).abs() < 1e-12);
                assert!(ours.low.unwrap() < theirs && theirs < ours.high.unwrap());
            }
        }
        // generalized_fpr and generalized_fnr of its scikit-learn interface; mean_absolute_error of fairlearn 0.15.0.
        let female = Data::adult().group("sex", "Female", true).scored("label");
        assert!((generalized_false_positive_rate(&female, at).value.unwrap() - 0.06838805928799004).abs() < 1e-12);
        assert!((generalized_false_negative_rate(&female, at).value.unwrap() - 0.5236758426966293).abs() < 1e-12);
        let old = german.group("age_gt25", "old", true).scored("y_true");
        assert!((generalized_accuracy(&old, at).value.unwrap() - (1.0 - 0.3178561543209876)).abs() < 1e-12);
    }

    #[test]
    fn empty_parts_have_reasons() {
        let at = Confidence::at(0.95);
        let of = |s: &[f64], l: &[u8], w: Option<&[f64]>| ScoredGroup::from_rows(s, l, w);
        let positives = |g: &ScoredGroup| generalized_true_positive_rate(g, at).reason;
        assert_eq!(positives(&ScoredGroup::default()), Some(Undefined::NoRows));
        assert_eq!(positives(&of(&[0.5], &[2], None)), Some(Undefined::NoLabels));
        assert_eq!(positives(&of(&[0.5], &[0], None)), Some(Undefined::NoPositives));
        assert_eq!(positives(&of(&[0.5], &[1], Some(&[0.0]))), Some(Undefined::NoWeight));
        assert_eq!(positives(&of(&[1.5], &[1], None)), Some(Undefined::NotProbabilities));
        assert_eq!(generalized_accuracy(&of(&[0.5], &[2], None), at).reason, Some(Undefined::NoLabels));
        // All alike: the interval still says how little two rows tell.
        let e = generalized_true_positive_rate(&of(&[0.5, 0.5], &[1, 1], None), at);
        assert!(e.low.unwrap() < 0.3 && e.high.unwrap() > 0.7);
    }
}
