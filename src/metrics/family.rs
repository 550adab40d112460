//! Families of measures that need more of a group than its confusion cells: segments, scores.
//!
//! A family measures groups of one kind `G` (segment counts, scored rows) in a context `C` (what holds for all
//! groups: the segments' values, the seed). Each of its measures has an entry, which the catalog lists, and a
//! function; the audit then computes, compares, judges and reports all of them in the same way.

use super::measure::Measured;
use super::{Estimate, catalog::Direction};
use crate::inference::bootstrap::Bootstrap;

/// What a measure needs to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Need {
    /// A label.
    Label,
    /// A label, or a number that scores forecast.
    LabelOrTarget,
    /// A decision.
    Decision,
    /// A score.
    Score,
    /// A score that is a probability, in [0, 1].
    Probability,
    /// A segment.
    Segments,
    /// An order of the segments.
    Order,
    /// A value of each segment.
    Values,
    /// The true class of each row.
    Classes,
    /// An earlier segment of each row.
    Earlier,
    /// A stratum.
    Strata,
    /// Who was treated, and how that came about.
    Treatment,
    /// What came of it: 0 or 1, or a number.
    Outcome,
    /// A predicted uplift.
    Uplift,
    /// Outcomes predicted with and without the treatment.
    Predictions,
    /// Counts of a campaign's delivery, or the values of offers.
    Delivery,
}

/// What a measure is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// One group: compared between groups by difference and ratio.
    Group,
    /// Two groups: a disparity by itself.
    Pair,
    /// All groups of an attribute at once: a disparity by itself.
    Table,
}

/// A measure of a family, as the catalog lists it.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct MeasureEntry {
    /// The name used in reports, policies and the tool.
    pub name: &'static str,
    /// What it says, in a few words.
    pub title: &'static str,
    /// The formula, in plain text.
    pub formula: &'static str,
    /// What must be known.
    pub needs: &'static [Need],
    /// What it is of.
    pub of: Of,
    /// Which way is better for a group; of a pair or a table, which way is fairer.
    pub direction: Direction,
    /// The least it can be; `None` where there is no limit.
    pub least: Option<f64>,
    /// The most it can be; `None` where there is no limit.
    pub most: Option<f64>,
    /// What it is where groups are treated alike; `None` for a measure of one group.
    pub fair: Option<f64>,
    /// Where it comes from.
    pub source: &'static str,
    /// What the peers call it.
    pub also: &'static str,
}

/// How sure intervals are to be, and the draws behind those that have no closed form.
#[derive(Debug, Clone, Copy)]
pub struct Confidence {
    /// The level of every interval, in (0, 1).
    pub level: f64,
    /// The draws.
    pub bootstrap: Bootstrap,
}

impl Confidence {
    /// A level with 1,000 replicates and seed 0.
    pub fn at(level: f64) -> Self {
        Confidence { level, bootstrap: Bootstrap { replicates: 1000, seed: 0 } }
    }
}

/// A figure with the test of what it would be if groups were treated alike.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tested {
    /// The figure.
    pub estimate: Estimate,
    /// The chance of so large a disparity if there were none; `None` where there is no test.
    pub p_value: Option<f64>,
    /// The test's name.
    pub test: Option<&'static str>,
}

impl Tested {
    /// A figure without a test.
    pub fn untested(estimate: Estimate) -> Self {
        Tested { estimate, p_value: None, test: None }
    }

    /// A figure with its test.
    pub fn by(estimate: Estimate, p_value: f64, test: &'static str) -> Self {
        Tested { estimate, p_value: Some(p_value), test: Some(test) }
    }
}

/// A measure: its entry and its function.
#[derive(Debug)]
pub(crate) struct Measure<G: 'static, C: 'static> {
    pub entry: MeasureEntry,
    pub compute: Compute<G, C>,
}

/// How a measure is computed from groups `G` in a context `C`. A pair's function must give an interval that holds
/// at whatever level it is asked for: the worst of many pairs is taken at a level that pays for all of them.
#[derive(Debug)]
pub(crate) enum Compute<G: 'static, C: 'static> {
    /// A figure of every group, in the groups' order.
    Group(fn(&[&G], &C, Confidence) -> Vec<Measured>),
    /// The first group against the second.
    Pair(fn(&G, &G, &C, Confidence) -> Tested),
    /// All groups at once.
    Table(fn(&[&G], &C, Confidence) -> Tested),
}
