//! Every metric with its name, formula, needs, direction, range and source.

mod criteria;
mod method;

pub use criteria::{CRITERIA, CriterionEntry, Join};
pub use method::{Method, method};

use super::family::MeasureEntry;
use super::{Undefined, families};

/// A set of cells by label and decision: bit `label * 3 + decision`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mask(u16);

impl Mask {
    pub fn holds(self, label: usize, decision: usize) -> bool {
        self.0 >> (label * 3 + decision) & 1 == 1
    }
}

const TN: u16 = 1;
const FP: u16 = 1 << 1;
const FN: u16 = 1 << 3;
const TP: u16 = 1 << 4;
/// All cells of a selected decision, whatever the label.
const SELECTED: u16 = 0b010_010_010;
/// All cells of a known decision.
const DECIDED: u16 = 0b011_011_011;
/// All cells of a favourable label, whatever the decision.
const POSITIVE: u16 = 0b000_111_000;
/// All cells of a known label.
const LABELLED: u16 = 0b000_111_111;
const EVERY: u16 = 0b111_111_111;

/// How a metric is computed from a group's cells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Form {
    /// The weight of some cells over the weight of more: a rate.
    Share { part: Mask, whole: Mask },
    /// A rate q as 2q / (1 + q).
    Harmonic { part: Mask, whole: Mask },
    /// A rate q as q / (1 − q).
    Odds { part: Mask, whole: Mask },
    /// The mean of two rates on separate rows.
    MeanOf { first: (Mask, Mask), second: (Mask, Mask) },
    /// The weight of some cells over that of others that overlap them.
    Quotient { top: Mask, bottom: Mask },
    /// Matthews' correlation of label and decision.
    Correlation,
    /// The mean score of some cells.
    MeanScore { of: Mask },
}

/// What a metric needs to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Needs {
    /// A label.
    pub label: bool,
    /// A decision.
    pub decision: bool,
    /// A score.
    pub score: bool,
}

/// Which way is better for the people of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
    /// It depends, or 1 is best.
    Neither,
}

/// An entry of the catalog: a metric of one group.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct Entry {
    /// The name used in reports, policies and the tool.
    pub name: &'static str,
    /// What it says, in a few words.
    pub title: &'static str,
    /// The formula, over TP, FP, FN, TN and other sums of weights.
    pub formula: &'static str,
    /// What must be known.
    pub needs: Needs,
    /// Which way is better for a group.
    pub direction: Direction,
    /// The least it can be.
    pub least: f64,
    /// The most it can be; `None` where there is no limit.
    pub most: Option<f64>,
    /// Where it comes from.
    pub source: &'static str,
    /// What the peers call it.
    pub also: &'static str,
    #[serde(skip)]
    pub(crate) form: Form,
    /// The reason when its denominator is empty.
    #[serde(skip)]
    pub(crate) empty: Undefined,
}

const LABEL: Needs = Needs { label: true, decision: false, score: false };
const DECISION: Needs = Needs { label: false, decision: true, score: false };
const BOTH: Needs = Needs { label: true, decision: true, score: false };
const SCORE: Needs = Needs { label: false, decision: false, score: true };
const LABEL_SCORE: Needs = Needs { label: true, decision: false, score: true };

const CONFUSION: &str = "Fawcett 2006, An introduction to ROC analysis";

const fn share(part: u16, whole: u16) -> Form {
    Form::Share { part: Mask(part), whole: Mask(whole) }
}

/// An entry with the range of a rate, [0, 1].
#[allow(clippy::too_many_arguments)]
const fn rate(
    name: &'static str,
    title: &'static str,
    formula: &'static str,
    needs: Needs,
    direction: Direction,
    form: Form,
    empty: Undefined,
    also: &'static str,
) -> Entry {
    Entry { name, title, formula, needs, direction, least: 0.0, most: Some(1.0), source: CONFUSION, also, form, empty }
}

use Direction::{Higher, Lower, Neither};

/// The metrics of one group.
pub const METRICS: &[Entry] = &[
    rate(
        "selection_rate",
        "share selected",
        "selected / decided",
        DECISION,
        Higher,
        share(SELECTED, DECIDED),
        Undefined::NoDecisions,
        "selection_rate (fairlearn, aif360), pprev (aequitas), success_rate (holisticai)",
    ),
    rate(
        "base_rate",
        "share with a favourable label",
        "positives / labelled",
        LABEL,
        Neither,
        share(POSITIVE, LABELLED),
        Undefined::NoLabels,
        "base_rate (aif360), prev (aequitas)",
    ),
    rate(
        "true_positive_rate",
        "share of the positives selected (recall)",
        "TP / (TP + FN)",
        BOTH,
        Higher,
        share(TP, TP | FN),
        Undefined::NoPositives,
        "true_positive_rate (fairlearn), tpr (aequitas), recall",
    ),
    rate(
        "false_positive_rate",
        "share of the negatives selected",
        "FP / (FP + TN)",
        BOTH,
        Lower,
        share(FP, FP | TN),
        Undefined::NoNegatives,
        "false_positive_rate (fairlearn), fpr (aequitas)",
    ),
    rate(
        "true_negative_rate",
        "share of the negatives not selected",
        "TN / (TN + FP)",
        BOTH,
        Higher,
        share(TN, FP | TN),
        Undefined::NoNegatives,
        "true_negative_rate (fairlearn), tnr (aequitas), specificity",
    ),
    rate(
        "false_negative_rate",
        "share of the positives not selected",
        "FN / (FN + TP)",
        BOTH,
        Lower,
        share(FN, TP | FN),
        Undefined::NoPositives,
        "false_negative_rate (fairlearn), fnr (aequitas)",
    ),
    rate(
        "precision",
        "share of the selected with a favourable label",
        "TP / (TP + FP)",
        BOTH,
        Higher,
        share(TP, TP | FP),
        Undefined::NobodySelected,
        "positive_predictive_value (aif360), precision (aequitas)",
    ),
    rate(
        "negative_predictive_value",
        "share of the not selected with an unfavourable label",
        "TN / (TN + FN)",
        BOTH,
        Higher,
        share(TN, TN | FN),
        Undefined::EverybodySelected,
        "npv (aequitas)",
    ),
    rate(
        "false_discovery_rate",
        "share of the selected with an unfavourable label",
        "FP / (FP + TP)",
        BOTH,
        Lower,
        share(FP, TP | FP),
        Undefined::NobodySelected,
        "fdr (aequitas)",
    ),
    rate(
        "false_omission_rate",
        "share of the not selected with a favourable label",
        "FN / (FN + TN)",
        BOTH,
        Lower,
        share(FN, TN | FN),
        Undefined::EverybodySelected,
        "for (aequitas)",
    ),
    rate(
        "accuracy",
        "share decided as labelled",
        "(TP + TN) / (TP + FP + FN + TN)",
        BOTH,
        Higher,
        share(TP | TN, TP | FP | FN | TN),
        Undefined::NoLabels,
        "accuracy_score (fairlearn)",
    ),
    rate(
        "balanced_accuracy",
        "mean of true positive and true negative rate",
        "(TPR + TNR) / 2",
        BOTH,
        Higher,
        Form::MeanOf { first: (Mask(TP), Mask(TP | FN)), second: (Mask(TN), Mask(FP | TN)) },
        Undefined::NoPositives,
        "balanced_accuracy_score (fairlearn)",
    ),
    rate(
        "f1",
        "harmonic mean of precision and recall",
        "2 TP / (2 TP + FP + FN)",
        BOTH,
        Higher,
        Form::Harmonic { part: Mask(TP), whole: Mask(TP | FP | FN) },
        Undefined::NoPositives,
        "f1_score (fairlearn)",
    ),
    Entry {
        least: -1.0,
        source: "Matthews 1975",
        ..rate(
            "mcc",
            "correlation of label and decision",
            "(TP TN - FP FN) / sqrt((TP+FP)(TP+FN)(TN+FP)(TN+FN))",
            BOTH,
            Higher,
            Form::Correlation,
            Undefined::NoVariation,
            "matthews_corrcoef (scikit-learn)",
        )
    },
    Entry {
        most: None,
        source: "Saleiro et al. 2018, Aequitas",
        ..rate(
            "prevalence_ratio",
            "predicted over observed prevalence",
            "(TP + FP) / (TP + FN)",
            BOTH,
            Neither,
            Form::Quotient { top: Mask(TP | FP), bottom: Mask(TP | FN) },
            Undefined::NoPositives,
            "",
        )
    },
    Entry {
        most: None,
        source: "Berk et al. 2018",
        ..rate(
            "error_ratio",
            "false negatives for each false positive",
            "FN / FP",
            BOTH,
            Neither,
            Form::Odds { part: Mask(FN), whole: Mask(FP | FN) },
            Undefined::NoErrors,
            "treatment equality (SageMaker Clarify: TE, FN / FP)",
        )
    },
    Entry {
        source: "Hardt, Price, Srebro 2016",
        ..rate(
            "average_odds_rate",
            "mean of true and false positive rate",
            "(TPR + FPR) / 2",
            BOTH,
            Neither,
            Form::MeanOf { first: (Mask(TP), Mask(TP | FN)), second: (Mask(FP), Mask(FP | TN)) },
            Undefined::NoPositives,
            "its difference is average_odds_difference (aif360)",
        )
    },
    Entry {
        least: f64::MIN,
        most: None,
        source: "a weighted mean",
        ..rate(
            "mean_score",
            "mean score",
            "sum of w s / sum of w",
            SCORE,
            Neither,
            Form::MeanScore { of: Mask(EVERY) },
            Undefined::NoScores,
            "mean_prediction (fairlearn), avg_score (holisticai)",
        )
    },
    Entry {
        least: f64::MIN,
        most: None,
        source: "Kleinberg, Mullainathan, Raghavan 2017 (balance for the positive class)",
        ..rate(
            "mean_score_positives",
            "mean score of the positives",
            "mean of s where label = 1",
            LABEL_SCORE,
            Higher,
            Form::MeanScore { of: Mask(POSITIVE) },
            Undefined::NoPositives,
            "generalized true positive rate (aif360)",
        )
    },
    Entry {
        least: f64::MIN,
        most: None,
        source: "Kleinberg, Mullainathan, Raghavan 2017 (balance for the negative class)",
        ..rate(
            "mean_score_negatives",
            "mean score of the negatives",
            "mean of s where label = 0",
            LABEL_SCORE,
            Lower,
            Form::MeanScore { of: Mask(LABELLED & !POSITIVE) },
            Undefined::NoNegatives,
            "generalized false positive rate (aif360)",
        )
    },
];

/// The entry of a metric.
pub fn metric(name: &str) -> Option<&'static Entry> {
    METRICS.iter().find(|m| m.name == name)
}

/// The entry of a criterion.
pub fn criterion_entry(name: &str) -> Option<&'static CriterionEntry> {
    CRITERIA.iter().find(|c| c.name == name)
}

/// Measures of one kind, as a page lists them.
#[derive(Debug, Clone)]
pub struct MeasureFamily {
    /// Its name, in small letters.
    pub name: &'static str,
    /// What its measures are of.
    pub title: &'static str,
    /// Its measures.
    pub measures: Vec<&'static MeasureEntry>,
}

/// The measures by what they are of; each is in one family.
pub fn measure_families() -> Vec<MeasureFamily> {
    families::named()
}

/// The measures of segments, scores and uplift.
pub fn measures() -> impl Iterator<Item = &'static MeasureEntry> {
    families::entries().chain(families::entries_elsewhere())
}

/// The entry of a measure.
pub fn measure(name: &str) -> Option<&'static MeasureEntry> {
    measures().find(|m| m.name == name)
}

/// The names of all metrics, criteria and measures.
pub fn names() -> impl Iterator<Item = &'static str> {
    METRICS.iter().map(|m| m.name).chain(CRITERIA.iter().map(|c| c.name)).chain(measures().map(|m| m.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_criteria_rest_on_metrics() {
        let all: std::collections::BTreeSet<_> = names().collect();
        assert_eq!(all.len(), METRICS.len() + CRITERIA.len() + measures().count(), "a name stands twice");
        for criterion in CRITERIA {
            assert!(criterion.metrics.iter().all(|m| metric(m).is_some()), "{}", criterion.name);
            assert!(criterion.difference || criterion.ratio);
        }
    }

    #[test]
    fn every_entry_tells_its_interval_and_is_in_one_family() {
        for name in names() {
            assert!(method(name).is_some_and(|m| !m.interval.is_empty() && !m.undefined.is_empty()), "{name}");
        }
        assert_eq!(method("fairness"), None);
        let listed = measure_families().iter().flat_map(|f| f.measures.clone()).map(|m| m.name).collect::<Vec<_>>();
        assert_eq!(listed, measures().map(|m| m.name).collect::<Vec<_>>());
    }
}
