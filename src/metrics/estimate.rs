//! What a metric answers: a value with its interval and support, or the reason why there is none.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::tally::Cell;

/// Why a figure is undefined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Undefined {
    /// There are no rows.
    NoRows,
    /// There are rows, but their weights are all zero.
    NoWeight,
    /// No label is known.
    NoLabels,
    /// No decision is known.
    NoDecisions,
    /// There are no scores.
    NoScores,
    /// No label is favourable.
    NoPositives,
    /// No label is unfavourable.
    NoNegatives,
    /// Nobody with a known label was selected.
    NobodySelected,
    /// Everybody with a known label was selected.
    EverybodySelected,
    /// There are no errors to compare.
    NoErrors,
    /// A ratio over zero.
    OverZero,
    /// Labels are known mostly on one side of the decision.
    SelectiveLabels,
    /// Fewer than two groups can be compared.
    TooFewGroups,
    /// A part that the figure is made of is undefined.
    UndefinedPart,
    /// No stratum holds both groups.
    NoOverlap,
    /// There is no group to compare with.
    NoReference,
    /// The metric is a constant of the group: it has no spread.
    NoVariation,
    /// There are too many groups to compare all pairs.
    TooManyGroups,
    /// No segment is known.
    NoSegments,
    /// There is only one segment with rows.
    OneSegment,
    /// Nobody, or nobody of the group, is in the segment.
    NobodyInSegment,
    /// A segment or value that one side has is never met on the other.
    DifferentSupports,
    /// No true class is known.
    NoClasses,
    /// Segments have no values.
    NoValues,
    /// A value is below 0, where inequality has no meaning.
    NegativeValues,
    /// A score lies outside [0, 1].
    NotProbabilities,
    /// Nobody was treated.
    NoTreated,
    /// Nobody was held out.
    NoControl,
    /// The effect is not above zero.
    NoEffect,
    /// Nothing of the group has merit.
    NoMerit,
    /// A group is there of which nothing is wanted, or the wanted shares are none.
    NoTarget,
    /// The groups do not stand on one list: they overlap.
    NotOneList,
    /// There are too many rows for the exact figure.
    TooManyRows,
    /// The scores separate the labels, so that a fit has no end.
    Separated,
    /// An outcome is neither 0 nor 1.
    NotBinary,
    /// No data of this kind can tell the figure, only its bounds.
    NotIdentified,
    /// A metric of the user's own gave no finite figure.
    NotFinite,
}

impl fmt::Display for Undefined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Undefined::NoRows => "no rows",
            Undefined::NoWeight => "all weights are zero",
            Undefined::NoLabels => "no known labels",
            Undefined::NoDecisions => "no known decisions",
            Undefined::NoScores => "no scores",
            Undefined::NoPositives => "no positives",
            Undefined::NoNegatives => "no negatives",
            Undefined::NobodySelected => "nobody selected",
            Undefined::EverybodySelected => "everybody selected",
            Undefined::NoErrors => "no errors",
            Undefined::OverZero => "ratio over zero",
            Undefined::SelectiveLabels => "selective labels",
            Undefined::TooFewGroups => "fewer than two groups to compare",
            Undefined::UndefinedPart => "a part of it is undefined",
            Undefined::NoOverlap => "no stratum holds both groups",
            Undefined::NoReference => "the reference group is undefined",
            Undefined::NoVariation => "no variation",
            Undefined::TooManyGroups => "too many groups to compare all pairs",
            Undefined::NoSegments => "no known segments",
            Undefined::OneSegment => "only one segment has rows",
            Undefined::NobodyInSegment => "nobody in the segment",
            Undefined::DifferentSupports => "one side never has what the other has",
            Undefined::NoClasses => "no known classes",
            Undefined::NoValues => "segments have no values",
            Undefined::NegativeValues => "values below zero",
            Undefined::NotProbabilities => "scores are not probabilities",
            Undefined::NoTreated => "nobody treated",
            Undefined::NoControl => "nobody held out",
            Undefined::NoEffect => "no effect above zero",
            Undefined::NoMerit => "no merit",
            Undefined::NoTarget => "no wanted share",
            Undefined::NotOneList => "groups that overlap make no list",
            Undefined::TooManyRows => "too many rows for the exact figure",
            Undefined::Separated => "the scores separate the labels",
            Undefined::NotBinary => "outcomes are not 0 and 1",
            Undefined::NotIdentified => "only bounds can be known",
            Undefined::NotFinite => "no finite figure",
        })
    }
}

/// The rows that a figure rests on.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Support {
    /// Rows in the denominator. Whole, but for rows tied at the edge of a selection.
    pub rows: f64,
    /// Their weight; equals the rows where there are no weights.
    pub weight: f64,
    /// Kish's effective size, (Σw)² / Σw².
    pub effective_size: f64,
}

impl From<Cell> for Support {
    fn from(cell: Cell) -> Self {
        Support { rows: cell.rows, weight: cell.weight, effective_size: cell.effective() }
    }
}

/// A figure with its interval and support, or the reason why it is undefined.
///
/// There is never a NaN or an infinity in it: a side on which the interval is unbounded is `None`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Estimate {
    /// The figure.
    pub value: Option<f64>,
    /// The lower end of its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// The upper end of its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Why there is no figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Undefined>,
    /// Where labels are unknown: the least and the most that the figure could be, whatever they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds: Option<[f64; 2]>,
    /// What it rests on.
    pub support: Support,
}

impl Estimate {
    /// A figure without an interval (yet).
    pub fn of(value: f64, support: Support) -> Self {
        if value.is_finite() {
            Estimate { value: Some(value), support, ..Estimate::default() }
        } else {
            Self::undefined(Undefined::NotFinite, support)
        }
    }

    /// No figure, and why.
    pub fn undefined(reason: Undefined, support: Support) -> Self {
        Estimate { reason: Some(reason), support, ..Estimate::default() }
    }

    /// Adds an interval; an infinite end is left out.
    #[must_use]
    pub fn between(mut self, low: f64, high: f64) -> Self {
        self.low = Some(low).filter(|v| v.is_finite());
        self.high = Some(high).filter(|v| v.is_finite());
        self
    }

    /// The figure, or why there is none.
    pub fn value(&self) -> Result<f64, Undefined> {
        self.value.ok_or(self.reason.unwrap_or(Undefined::NoRows))
    }

    /// The interval, where both its ends are known.
    pub fn interval(&self) -> Option<(f64, f64)> {
        self.low.zip(self.high)
    }
}
