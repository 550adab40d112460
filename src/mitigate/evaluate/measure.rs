//! What is measured of decisions on held-out rows, with its interval.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::area::Areas;
use super::moments::{Joint, Moments, mean};
use crate::inference::rate::wilson;
use crate::inference::worst::{GroupRate, gap_interval, ratio_interval};
use crate::inference::{Interval, z_quantile};
use crate::metrics::{Estimate, Undefined};
use crate::tally::Cell;

/// A measure of a model's decisions or scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Measure {
    /// The share of rows decided as their label says.
    Accuracy,
    /// The mean of the true positive and the true negative rate.
    BalancedAccuracy,
    /// The area under the ROC curve, within each part that one model scored.
    Auc,
    /// The mean [`Utility`] of a row.
    Profit,
    /// The share selected.
    SelectionRate,
    /// The largest difference between two groups' selection rates.
    DemographicParityDifference,
    /// The smallest ratio of two groups' selection rates.
    DemographicParityRatio,
    /// The largest difference between two groups' true positive rates.
    EqualOpportunityDifference,
    /// The larger one of the largest differences in true positive and in false positive rates.
    EqualizedOddsDifference,
}

impl Measure {
    /// All measures, in the order of reports.
    pub const ALL: [Measure; 9] = [
        Measure::Accuracy,
        Measure::BalancedAccuracy,
        Measure::Auc,
        Measure::Profit,
        Measure::SelectionRate,
        Measure::DemographicParityDifference,
        Measure::DemographicParityRatio,
        Measure::EqualOpportunityDifference,
        Measure::EqualizedOddsDifference,
    ];

    /// Whether it compares groups.
    pub fn is_disparity(self) -> bool {
        !self.rates().is_empty()
    }

    /// Whether a larger value is better: `None` for the selection rate, which is neither.
    pub fn larger_is_better(self) -> Option<bool> {
        match self {
            Measure::SelectionRate => None,
            Measure::DemographicParityRatio => Some(true),
            measure => Some(!measure.is_disparity()),
        }
    }

    /// The rates whose groups are compared.
    pub(super) fn rates(self) -> &'static [Rate] {
        match self {
            Measure::DemographicParityDifference | Measure::DemographicParityRatio => &[Rate::Selection],
            Measure::EqualOpportunityDifference => &[Rate::TruePositive],
            Measure::EqualizedOddsDifference => &[Rate::TruePositive, Rate::FalsePositive],
            _ => &[],
        }
    }

    /// In words.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Measure::Accuracy => "accuracy",
            Measure::BalancedAccuracy => "balanced accuracy",
            Measure::Auc => "AUC",
            Measure::Profit => "profit of a row",
            Measure::SelectionRate => "selection rate",
            Measure::DemographicParityDifference => "demographic parity difference",
            Measure::DemographicParityRatio => "demographic parity ratio",
            Measure::EqualOpportunityDifference => "equal opportunity difference",
            Measure::EqualizedOddsDifference => "equalized odds difference",
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

/// A rate of a group that a disparity compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Rate {
    /// Of all.
    Selection,
    /// Of those with a favourable label.
    TruePositive,
    /// Of those with an unfavourable label.
    FalsePositive,
}

impl Rate {
    pub(crate) fn title(self) -> &'static str {
        match self {
            Rate::Selection => "selection rate",
            Rate::TruePositive => "true positive rate",
            Rate::FalsePositive => "false positive rate",
        }
    }

    /// A group's rows that it is a rate of.
    pub(super) fn rows(self, cells: &[Moments; 2]) -> Moments {
        match self {
            Rate::Selection => Moments::merged(cells),
            Rate::TruePositive => cells[1],
            Rate::FalsePositive => cells[0],
        }
    }
}

/// What each kind of decision is worth, in any unit of money.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Utility {
    /// Selected, and the label is favourable.
    pub true_positive: f64,
    /// Selected, and the label is unfavourable.
    pub false_positive: f64,
    /// Not selected, and the label is favourable.
    pub false_negative: f64,
    /// Not selected, and the label is unfavourable.
    pub true_negative: f64,
}

impl Utility {
    pub(super) fn of(&self, label: bool, selected: bool) -> f64 {
        match (label, selected) {
            (true, true) => self.true_positive,
            (false, true) => self.false_positive,
            (true, false) => self.false_negative,
            (false, false) => self.true_negative,
        }
    }

    /// What selecting a row of a label adds.
    pub(super) fn gain(&self, label: bool) -> f64 {
        self.of(label, true) - self.of(label, false)
    }
}

/// The pair of groups that a disparity is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// The rate in which they differ.
    pub rate: Rate,
    /// The group with the higher rate.
    pub highest: String,
    /// The group with the lower rate.
    pub lowest: String,
}

/// Two groups of which `high` has the higher rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Extremes {
    pub rate: Rate,
    pub high: usize,
    pub low: usize,
    pub rates: [f64; 2],
}

impl Extremes {
    pub fn gap(&self) -> f64 {
        self.rates[0] - self.rates[1]
    }

    pub fn ratio(&self) -> Option<f64> {
        (self.rates[0] > 0.0).then(|| self.rates[1] / self.rates[0])
    }
}

/// How figures are made.
pub(super) struct Rules<'a> {
    pub level: f64,
    pub utility: Option<&'a Utility>,
    /// The groups that are compared.
    pub judged: &'a [usize],
}

/// The groups furthest apart before (side 0) or after (side 1), in the rate where they are most so.
pub(super) fn extremes(joint: &Joint, measure: Measure, side: usize, judged: &[usize]) -> Option<Extremes> {
    let mut widest: Option<Extremes> = None;
    for rate in measure.rates() {
        let of = |g: &usize| Some((*g, rate.rows(&joint.cells[*g]).rate(side)?));
        let rates: Vec<(usize, f64)> = judged.iter().filter_map(of).collect();
        let first = rates.first().filter(|_| rates.len() > 1)?;
        let high = rates.iter().fold(first, |best, r| if r.1 > best.1 { r } else { best });
        // Another group also where all are alike.
        let low = rates.iter().filter(|r| r.0 != high.0).min_by(|a, b| a.1.total_cmp(&b.1))?;
        let found = Extremes { rate: *rate, high: high.0, low: low.0, rates: [high.1, low.1] };
        if widest.is_none_or(|w| found.gap() > w.gap()) {
            widest = Some(found);
        }
    }
    widest
}

/// A measure's value before or after, without its interval.
pub(super) fn value(joint: &Joint, measure: Measure, side: usize, rules: &Rules) -> Result<f64, Undefined> {
    let rate = |label: Option<bool>| joint.label(label).rate(side);
    let both = || {
        Ok::<_, Undefined>([
            rate(Some(true)).ok_or(Undefined::NoPositives)?,
            rate(Some(false)).ok_or(Undefined::NoNegatives)?,
        ])
    };
    match measure {
        Measure::BalancedAccuracy => both().map(|[tpr, fpr]| (tpr + 1.0 - fpr) / 2.0),
        Measure::SelectionRate => rate(None).ok_or(Undefined::NoWeight),
        Measure::Accuracy | Measure::Profit => {
            let worth = utility_of(measure, rules).ok_or(Undefined::NoValues)?;
            mean_utility(joint, &worth, side).map(|n| n.0).ok_or(Undefined::NoWeight)
        }
        Measure::Auc => Err(Undefined::NoScores),
        disparity => {
            let extremes = extremes(joint, disparity, side, rules.judged).ok_or(Undefined::TooFewGroups)?;
            match disparity {
                Measure::DemographicParityRatio => extremes.ratio().ok_or(Undefined::OverZero),
                _ => Ok(extremes.gap()),
            }
        }
    }
}

/// Accuracy is the utility of right decisions.
pub(super) fn utility_of(measure: Measure, rules: &Rules) -> Option<Utility> {
    let right = Utility { true_positive: 1.0, false_positive: 0.0, false_negative: 0.0, true_negative: 1.0 };
    if measure == Measure::Accuracy { Some(right) } else { rules.utility.copied() }
}

/// The mean utility of a row, its standard error and its rows.
fn mean_utility(joint: &Joint, worth: &Utility, side: usize) -> Option<(f64, f64, Cell)> {
    let (positives, negatives) = (joint.label(Some(true)), joint.label(Some(false)));
    let of = |label: bool| {
        let gain = worth.gain(label);
        if side == 0 { (gain, 0.0, worth.of(label, false)) } else { (0.0, gain, worth.of(label, false)) }
    };
    let parts = [(&positives, of(true)), (&negatives, of(false))].map(|(m, (b, a, c))| (m, b, a, c));
    let n = mean(&parts)?;
    Some((n.value, n.error(), joint.label(None).cell))
}

/// A measure's value before or after, with its interval: a simultaneous one for the extremes of groups.
pub(super) fn estimate(joint: &Joint, measure: Measure, side: usize, areas: Option<&Areas>, rules: &Rules) -> Estimate {
    let all = joint.label(None).cell;
    if measure == Measure::Auc {
        return match areas.and_then(|areas| Some((areas.value()?, areas.error()))) {
            Some((value, error)) => area_estimate(value, error, all, rules.level),
            None => Estimate::undefined(Undefined::NoScores, all.into()),
        };
    }
    let value = match value(joint, measure, side, rules) {
        Ok(value) => value,
        Err(reason) => return Estimate::undefined(reason, all.into()),
    };
    let estimate = Estimate::of(value, all.into());
    match interval(joint, measure, side, value, rules) {
        Some(Interval { low, high }) => estimate.between(low.min(value), high.max(value)),
        None => estimate,
    }
}

fn interval(joint: &Joint, measure: Measure, side: usize, value: f64, rules: &Rules) -> Option<Interval> {
    let level = rules.level;
    match measure {
        Measure::Accuracy => {
            let n = joint.label(None).cell.effective();
            wilson((value * n).min(n), n, level)
        }
        Measure::SelectionRate => rate_interval(&joint.label(None), side, level),
        Measure::BalancedAccuracy => {
            let [p, n] = [true, false].map(|label| joint.label(Some(label)));
            let (tpr, fpr) = (p.rate(side)?, n.rate(side)?);
            let (of_p, of_n) = (rate_interval(&p, side, level)?, rate_interval(&n, side, level)?);
            let down = (tpr - of_p.low).hypot(of_n.high - fpr) / 2.0;
            let up = (of_p.high - tpr).hypot(fpr - of_n.low) / 2.0;
            Some(Interval { low: value - down, high: value + up })
        }
        Measure::Profit => {
            let (_, error, _) = mean_utility(joint, rules.utility?, side)?;
            let arm = z_quantile(level) * error;
            Some(Interval { low: value - arm, high: value + arm })
        }
        Measure::Auc => None,
        disparity => {
            // Of several rates, each at a part of the error.
            let rates = disparity.rates();
            let level = 1.0 - (1.0 - level) / rates.len() as f64;
            let mut widest: Option<Interval> = None;
            for rate in rates {
                let groups: Vec<GroupRate> =
                    rules.judged.iter().filter_map(|g| group_rate(&rate.rows(&joint.cells[*g]), side)).collect();
                let found = match disparity {
                    Measure::DemographicParityRatio => ratio_interval(&groups, level)?,
                    _ => gap_interval(&groups, level)?,
                };
                let wider = |w: Interval| Interval { low: w.low.max(found.low), high: w.high.max(found.high) };
                widest = Some(widest.map_or(found, wider));
            }
            widest
        }
    }
}

fn group_rate(rows: &Moments, side: usize) -> Option<GroupRate> {
    let n = rows.cell.effective();
    Some(GroupRate { x: (rows.rate(side)? * n).clamp(0.0, n), n })
}

fn rate_interval(rows: &Moments, side: usize, level: f64) -> Option<Interval> {
    let GroupRate { x, n } = group_rate(rows, side)?;
    wilson(x, n, level)
}

/// On the logit scale.
fn area_estimate(value: f64, error: f64, rows: Cell, level: f64) -> Estimate {
    let estimate = Estimate::of(value, rows.into());
    if !(value > 0.0 && value < 1.0) || error <= 0.0 {
        return estimate;
    }
    let (middle, arm) = ((value / (1.0 - value)).ln(), z_quantile(level) * error / (value * (1.0 - value)));
    let back = |x: f64| 1.0 / (1.0 + (-x).exp());
    estimate.between(back(middle - arm), back(middle + arm))
}
