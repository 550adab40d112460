//! Measures of uplift targeting: who is treated among those whom it would move.
//!
//! The data are a hold-out in which some were treated and some were not, at random or with known propensities: for each
//! person the arm, the outcome, and what the policy under audit would do (its decision, its uplift score). Nobody is
//! seen in both arms, so that nobody's own effect is known; what groups gain and lose on average is.
//!
//! | question | where |
//! |---|---|
//! | what does the treatment do in each group? | [`effects`] |
//! | does it reach those whom it would move, in each group alike? | [`targeting`] |
//! | does the score rank them as well in each group? | [`curves`] |
//! | are the predicted effects true in each group? | [`calibration`] |
//! | what can be said without assuming that nobody is harmed? | [`quadrants`] |
//! | all of it, for all groups, as a report | [`UpliftAudit`] |
//!
//! # Examples
//! ```
//! use evenhand::metrics::uplift::{Assignment, Trial, UpliftGroup, effects};
//!
//! // 100 treated of whom 30 bought, 100 held out of whom 20 did.
//! let rows = (0..200).map(|i| Trial::new(i % 2 == 0, f64::from(u8::from(i < if i % 2 == 0 { 60 } else { 40 })))).collect();
//! let group = UpliftGroup::new(rows, Assignment::Randomised { propensity: None })?;
//! let effect = effects::average_treatment_effect(&group, 0.95).estimate;
//! assert!((effect.value().unwrap() - 0.1).abs() < 1e-12);
//! # Ok::<(), evenhand::Error>(())
//! ```

mod arms;
mod audit;
pub mod calibration;
pub mod curves;
pub mod effects;
mod entries;
mod findings;
mod pseudo;
pub mod quadrants;
mod report;
#[cfg(any(feature = "csv", feature = "parquet"))]
mod table;
pub mod targeting;
#[cfg(test)]
mod tests;
mod text;

use super::measure::Measured;
use super::{Estimate, Support, Undefined};
use crate::error::{Error, Place, Result};
use crate::inference::worst::GroupRate;

pub use audit::UpliftAudit;
pub use entries::MEASURES;
pub use report::{UpliftComparison, UpliftGroupResult, UpliftReport, UpliftSettings, UpliftTable};
#[cfg(any(feature = "csv", feature = "parquet"))]
pub use table::{HoldOut, HoldOutColumns, PropensitySource};

/// How people came to be treated. There is no default: effects read from data in which treatment depended on who
/// somebody is, without saying how, are not effects.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Assignment<'a> {
    /// At random, everybody with the same probability.
    Randomised {
        /// The probability of being treated, where it is known by design; `None` takes the share treated in each
        /// group.
        propensity: Option<f64>,
    },
    /// Each row's probability of being treated, in (0, 1): by design where it varied, or from a model of data that
    /// were not randomised. Then every effect stands on that model.
    Propensities(&'a [f64]),
}

/// A person of the hold-out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trial {
    /// Whether the person was treated (got the offer).
    pub treated: bool,
    /// What came of it: 0 or 1, or a number such as revenue.
    pub outcome: f64,
    /// The weight, finite and at least 0.
    pub weight: f64,
    /// Whether the policy under audit would treat the person; `None` where that is unknown.
    pub decision: Option<bool>,
    /// The uplift that the model predicts, in the outcome's unit; `None` where that is unknown.
    pub score: Option<f64>,
    /// The outcome that some model, fitted on other data, predicts without and with the treatment.
    pub predicted: Option<[f64; 2]>,
    /// A stratum of like people, for [`quadrants`].
    pub stratum: u32,
    /// The probability of being treated. [`UpliftGroup::new`] sets it by the assignment: what stood here is not read.
    pub propensity: f64,
}

impl Trial {
    /// A person of weight 1 of whom nothing else is known.
    pub fn new(treated: bool, outcome: f64) -> Self {
        let (decision, score, predicted) = (None, None, None);
        Trial { treated, outcome, weight: 1.0, decision, score, predicted, stratum: 0, propensity: 0.5 }
    }

    /// The probability of the arm that the person was in.
    fn chance(&self) -> f64 {
        if self.treated { self.propensity } else { 1.0 - self.propensity }
    }
}

/// The people of one group in the hold-out.
#[derive(Debug, Clone, PartialEq)]
pub struct UpliftGroup {
    rows: Vec<Trial>,
    /// Whether everybody had the same chance to be treated.
    randomised: bool,
    /// Whether outcomes are 0 or 1.
    binary: bool,
}

impl UpliftGroup {
    /// Checks the rows and gives each its propensity.
    ///
    /// # Errors
    /// [`Error::BadSetting`] for a propensity outside (0, 1), [`Error::UnequalLengths`] for another number of
    /// propensities than rows, [`Error::BadNumber`] for an outcome, score or prediction that is not finite, or a weight
    /// that is not finite and at least 0.
    pub fn new(mut rows: Vec<Trial>, assignment: Assignment<'_>) -> Result<Self> {
        assignment.check(rows.len())?;
        let bad = |column: &str, value: f64, row, expected| Error::BadNumber {
            column: column.into(),
            value: value.to_string(),
            place: Place::row(row),
            expected,
        };
        for (at, row) in rows.iter().enumerate() {
            if !row.outcome.is_finite() {
                return Err(bad("outcome", row.outcome, at, "a finite number"));
            }
            if !(row.weight.is_finite() && row.weight >= 0.0) {
                return Err(bad("weight", row.weight, at, "a finite weight of at least 0"));
            }
            let model = row.predicted.into_iter().flatten().chain(row.score);
            if let Some(v) = model.into_iter().find(|v| !v.is_finite()) {
                return Err(bad("a prediction", v, at, "a finite number"));
            }
        }
        let constant = assignment.constant(&rows);
        for (at, row) in rows.iter_mut().enumerate() {
            row.propensity = match assignment {
                Assignment::Propensities(each) => each[at],
                Assignment::Randomised { .. } => constant,
            };
        }
        let binary = is_binary(rows.iter().map(|r| r.outcome));
        Ok(UpliftGroup { rows, randomised: matches!(assignment, Assignment::Randomised { .. }), binary })
    }

    /// The rows, as given.
    pub fn rows(&self) -> &[Trial] {
        &self.rows
    }

    /// Whether every row has outcome predictions, so that effects are doubly robust.
    fn is_predicted(&self) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(|r| r.predicted.is_some())
    }

    /// The weight of a row in its arm: by inverse propensity where that is not the same for all.
    fn arm_weight(&self, row: &Trial) -> f64 {
        if self.randomised { row.weight } else { row.weight / row.chance() }
    }
}

impl Assignment<'_> {
    fn check(&self, rows: usize) -> Result<()> {
        match self {
            Assignment::Randomised { propensity: Some(p) } if !is_propensity(*p) => {
                Err(Error::setting("the propensity", p, "a number above 0 and below 1"))
            }
            Assignment::Propensities(each) if each.len() != rows => {
                Err(Error::UnequalLengths { column: "propensity".into(), rows: each.len(), expected: rows })
            }
            Assignment::Propensities(each) => match each.iter().position(|p| !is_propensity(*p)) {
                Some(at) => Err(Error::BadNumber {
                    column: "propensity".into(),
                    value: each[at].to_string(),
                    place: Place::row(at),
                    expected: "a number above 0 and below 1: who can only be in one arm tells nothing of the other",
                }),
                None => Ok(()),
            },
            Assignment::Randomised { .. } => Ok(()),
        }
    }

    /// The propensity of all rows of a randomised group: as known, or the share treated.
    fn constant(&self, rows: &[Trial]) -> f64 {
        match self {
            Assignment::Randomised { propensity: Some(p) } => *p,
            _ => {
                let all: f64 = rows.iter().map(|r| r.weight).sum();
                let treated: f64 = rows.iter().filter(|r| r.treated).map(|r| r.weight).sum();
                treated / all
            }
        }
    }
}

fn is_propensity(p: f64) -> bool {
    p > 0.0 && p < 1.0
}

fn is_binary(mut outcomes: impl Iterator<Item = f64>) -> bool {
    outcomes.all(|v| v == 0.0 || v == 1.0)
}

/// A figure of a group with its standard error.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The figure with its interval and support, or why there is none.
    pub estimate: Estimate,
    /// The standard error, where it is known.
    pub error: Option<f64>,
    /// The effective counts of a plain rate.
    pub(crate) share: Option<GroupRate>,
}

impl Figure {
    fn undefined(reason: Undefined, support: Support) -> Self {
        Figure { estimate: Estimate::undefined(reason, support), error: None, share: None }
    }

    /// A figure and its standard error with an interval of so many degrees of freedom.
    fn with_error(value: f64, variance: Option<f64>, df: f64, level: f64, support: Support) -> Self {
        let estimate = Estimate::of(value, support);
        // No variance at all is no certainty: all outcomes alike say nothing of how they vary.
        let error = variance.map(f64::sqrt).filter(|e| e.is_finite() && *e > 0.0);
        match error {
            Some(e) if estimate.value.is_some() => {
                let reach = arms::t_quantile(level, df) * e;
                let estimate =
                    if reach.is_finite() { estimate.between(value - reach, value + reach) } else { estimate };
                Figure { estimate, error, share: None }
            }
            _ => Figure { estimate, error: None, share: None },
        }
    }

    /// The same with its interval held to a range.
    fn within(mut self, least: f64, most: f64) -> Self {
        self.estimate.low = self.estimate.low.map(|v| v.clamp(least, most));
        self.estimate.high = self.estimate.high.map(|v| v.clamp(least, most));
        self
    }
}

impl From<Figure> for Measured {
    fn from(figure: Figure) -> Self {
        Measured { estimate: figure.estimate, share: figure.share, plain: false, error: figure.error }
    }
}
