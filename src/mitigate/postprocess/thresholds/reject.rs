//! Near the threshold, where a model knows least, the disadvantaged are selected and the others are not.

use std::collections::VecDeque;

use rayon::slice::ParallelSliceMut;
use serde::{Deserialize, Serialize};

use super::curve::{Curve, NOBODY, Point};
use super::optimize::{self, Worth};
use super::{Constraint, Objective, UnknownGroup, check_slack, labels_of, places, scores_of};
use crate::data::{Batch, POSITIVE, UNKNOWN};
use crate::mitigate::groups::{Groups, MISSING};
use crate::{Error, Place, Result};

/// Finds the threshold and the margin about it within which the disadvantaged are selected and the others are not (reject
/// option classification).
///
/// Above the margin everybody is selected, below it nobody. So the disadvantaged have the threshold less the margin, the
/// others the threshold and the margin: of all such pairs the one is found that is worth most while the constrained rate of
/// the disadvantaged together and that of the others together are within the slack of each other. All pairs of scores are
/// looked at, and no draw is made: equal scores of a group are decided alike.
///
/// Two sets of people are told apart, however many groups there are; rates within a set may differ, as
/// [`ThresholdOptimizer`](super::ThresholdOptimizer) does not let them. Nothing in the margin but the attribute decides.
///
/// # References
/// Kamiran, Karim, Zhang (2012), Decision theory for discrimination-aware classification, ICDM.
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical};
/// use evenhand::mitigate::postprocess::thresholds::{Constraint, RejectOption};
/// let batch = Batch::builder()
///     .attribute(Categorical::from_values("sex", ["f", "f", "f", "f", "m", "m", "m", "m"]))
///     .label([0, 0, 1, 1, 0, 0, 1, 1])
///     .score([0.1, 0.2, 0.4, 0.6, 0.3, 0.5, 0.7, 0.9])
///     .build()?;
/// let fitted = RejectOption::new(Constraint::DemographicParity).fit(&batch)?;
/// assert_eq!(fitted.disadvantaged, [["f"]]);
/// assert_eq!((fitted.lower, fitted.upper, fitted.value), (0.4, 0.7, 1.0));
/// assert!((fitted.threshold() - 0.55).abs() < 1e-12 && (fitted.margin() - 0.15).abs() < 1e-12);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RejectOption {
    constraint: Constraint,
    objective: Objective,
    slack: f64,
    disadvantaged: Vec<Vec<String>>,
    attributes: Vec<String>,
    model: Option<String>,
    unknown: UnknownGroup,
}

/// A fitted threshold and margin, ready to decide. They serialise, and apply to new batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RejectRule {
    /// What is alike.
    pub constraint: Constraint,
    /// What it is worth most by.
    pub objective: Objective,
    /// The largest gap allowed.
    pub slack: f64,
    /// The attributes that make the groups; they must be known at run time.
    pub attributes: Vec<String>,
    /// The groups that are selected within the margin: each one's level of each attribute.
    pub disadvantaged: Vec<Vec<String>>,
    /// The other groups.
    pub others: Vec<Vec<String>>,
    /// The disadvantaged are selected from this score on. The largest number that there is stands for nobody.
    pub lower: f64,
    /// The others are selected from this score on.
    pub upper: f64,
    /// The threshold for rows of unknown groups: the best one for all, without a constraint. None where they are refused.
    pub pooled: Option<f64>,
    /// The largest gap between the two sets in a rate that the constraint is on.
    pub gap: f64,
    /// The objective, on the rows of known groups that it was fitted on.
    pub value: f64,
    /// The objective of the best one threshold for all.
    pub common: f64,
    /// Rows that were not looked at: no known group, no known label, or no score.
    pub left_out: u64,
}

impl RejectOption {
    /// Balanced accuracy without slack, groups by all attributes of a batch. The disadvantaged are the groups whose rate of
    /// selection under the best one threshold is below that of all.
    pub fn new(constraint: Constraint) -> Self {
        RejectOption {
            constraint,
            objective: Objective::BalancedAccuracy,
            slack: 0.0,
            disadvantaged: Vec::new(),
            attributes: Vec::new(),
            model: None,
            unknown: UnknownGroup::Pooled,
        }
    }

    /// What decisions are worth.
    #[must_use]
    pub fn objective(mut self, objective: Objective) -> Self {
        self.objective = objective;
        self
    }

    /// The largest gap between the two sets' rates, in [0, 1].
    #[must_use]
    pub fn slack(mut self, slack: f64) -> Self {
        self.slack = slack;
        self
    }

    /// A group that is selected within the margin, by its level of each attribute; call it again for more.
    #[must_use]
    pub fn disadvantaged<S: Into<String>>(mut self, levels: impl IntoIterator<Item = S>) -> Self {
        self.disadvantaged.push(levels.into_iter().map(Into::into).collect());
        self
    }

    /// Only these attributes make the groups.
    #[must_use]
    pub fn attributes<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.attributes = names.into_iter().map(Into::into).collect();
        self
    }

    /// The model whose scores are cut; needed where a batch has several with scores.
    #[must_use]
    pub fn model(mut self, name: impl Into<String>) -> Self {
        self.model = Some(name.into());
        self
    }

    /// Who decides for rows whose attribute is not known.
    #[must_use]
    pub fn unknown(mut self, unknown: UnknownGroup) -> Self {
        self.unknown = unknown;
        self
    }

    /// Finds the rule on rows with attributes, labels, scores and perhaps weights; of rules that are worth the same, the one
    /// with the highest thresholds.
    ///
    /// # Errors
    /// [`Error::EmptyCell`] naming a set without a label of which the constraint needs a rate; [`Error::Unknown`] for a
    /// group that is not there; [`Error::BadSetting`] where no group or every group is disadvantaged; [`Error::Nothing`],
    /// [`Error::MissingColumn`], [`Error::TooManyCells`].
    pub fn fit(&self, batch: &Batch) -> Result<RejectRule> {
        check_slack(self.slack)?;
        let scores = scores_of(batch, self.model.as_deref())?;
        let label = labels_of(batch, "the reject option needs a label; add one to the batch")?;
        let groups = Groups::of(batch, &self.attributes)?;
        let mut rows: Vec<(f64, bool, f64, u32)> = Vec::with_capacity(batch.rows());
        let mut left_out = 0;
        for (row, group) in groups.of_row.iter().enumerate() {
            let weight = batch.weight.as_ref().map_or(1.0, |w| w.values[row]);
            if *group == MISSING || label[row] == UNKNOWN || scores[row].is_nan() {
                left_out += 1;
            } else if weight > 0.0 {
                // Both zeros are one score.
                rows.push((scores[row] + 0.0, label[row] == POSITIVE, weight, *group));
            }
        }
        rows.par_sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let curve = |keep: &dyn Fn(u32) -> bool| {
            let kept: Vec<(f64, bool, f64)> = rows.iter().filter(|r| keep(r.3)).map(|r| (r.0, r.1, r.2)).collect();
            Curve::of(&kept)
        };
        let all = curve(&|_| true);
        let whole = all.weights[0] + all.weights[1];
        if whole <= 0.0 {
            let problem = "no row has a known group, a known label, a score and a weight";
            return Err(Error::Nothing { problem, place: Place::default() });
        }
        let utilities = self.objective.utilities(all.weights[1] / whole)?;
        let of_all = Worth::of(utilities, &all, whole);
        let best = all.points.iter().map(|p| (of_all.at(p), p.threshold)).reduce(|a, b| if b.0 > a.0 { b } else { a });
        let (common, pooled) = best.unwrap_or((0.0, NOBODY));
        let behind = self.behind(&groups, &rows, pooled)?;
        let names = |side: bool| -> Vec<Vec<String>> {
            (0..groups.len()).filter(|g| behind[*g] == side).map(|g| groups.levels[g].clone()).collect()
        };
        let curves = [true, false].map(|side| {
            let mut own = curve(&|group| behind[group as usize] == side);
            // A margin has ends: everybody is who reaches the lowest score.
            let lowest = rows.iter().rev().find(|r| behind[r.3 as usize] == side);
            if let (Some(last), Some(row)) = (own.points.last_mut(), lowest) {
                last.threshold = row.0;
            }
            own
        });
        for (curve, side) in curves.iter().zip([true, false]) {
            if let Some(label) = self.constraint.labels().iter().find(|label| curve.weights[**label] <= 0.0) {
                let group = names(side).iter().map(|levels| levels.join(" & ")).collect::<Vec<_>>().join("`, `");
                return Err(Error::EmptyCell { group, favorable: *label == 1, place: Place::default() });
            }
        }
        let worths = curves.each_ref().map(|curve| Worth::of(utilities, curve, whole));
        let (low, high) = self.search(&curves, &worths);
        let gaps = rates(self.constraint).iter().map(|rate| (rate(&curves[0], &low) - rate(&curves[1], &high)).abs());
        let nobody = optimize::nobody(utilities, &all, whole);
        Ok(RejectRule {
            constraint: self.constraint,
            objective: self.objective,
            slack: self.slack,
            disadvantaged: names(true),
            others: names(false),
            // Lower than need be where nobody of theirs is between.
            lower: low.threshold.min(high.threshold),
            upper: high.threshold,
            pooled: (self.unknown == UnknownGroup::Pooled).then_some(pooled),
            gap: gaps.fold(0.0, f64::max),
            value: nobody + worths[0].at(&low) + worths[1].at(&high),
            common: nobody + common,
            left_out,
            attributes: groups.attributes,
        })
    }

    /// Whether each group is among the disadvantaged.
    fn behind(&self, groups: &Groups, rows: &[(f64, bool, f64, u32)], threshold: f64) -> Result<Vec<bool>> {
        let mut behind = vec![false; groups.len()];
        for levels in &self.disadvantaged {
            let names: Vec<String> = (0..groups.len()).map(|g| groups.name(g)).collect();
            let at = groups.levels.iter().position(|own| own == levels).ok_or_else(|| {
                let of = format!(" of {}", groups.attributes.join(" and "));
                Error::unknown("group", &levels.join(" & "), of, names.iter().map(String::as_str))
            })?;
            behind[at] = true;
        }
        let mut sums = vec![[0.0; 2]; groups.len()];
        for (score, _, weight, group) in rows {
            let of = &mut sums[*group as usize];
            of[0] += weight;
            if *score >= threshold {
                of[1] += weight;
            }
        }
        if self.disadvantaged.is_empty() {
            let all = sums.iter().fold([0.0; 2], |all, of| [all[0] + of[0], all[1] + of[1]]);
            for (behind, of) in behind.iter_mut().zip(&sums) {
                *behind = of[0] > 0.0 && of[1] / of[0] < all[1] / all[0];
            }
        }
        let some = |side: bool| behind.iter().zip(&sums).any(|(own, of)| *own == side && of[0] > 0.0);
        if some(true) && some(false) {
            return Ok(behind);
        }
        let given = match &self.disadvantaged[..] {
            [] => "not given, and the best threshold for all selects none less than others".into(),
            named => named.iter().map(|levels| levels.join(" & ")).collect::<Vec<_>>().join(", "),
        };
        Err(Error::setting("the disadvantaged", given, "groups with labelled and scored rows, but not all of them"))
    }

    /// The pair of points that is worth most. Rates rise along both curves, so the partners that a point of the others may
    /// have lie in a window that only moves on; its best is kept at the front of a queue of falling worth.
    fn search(&self, curves: &[Curve; 2], worths: &[Worth; 2]) -> (Point, Point) {
        let [low, high] = curves.each_ref().map(|curve| &curve.points);
        let rates = rates(self.constraint);
        let apart =
            |i: usize, j: usize| rates.iter().map(move |rate| rate(&curves[0], &low[i]) - rate(&curves[1], &high[j]));
        // The same of the disadvantaged are selected from any score above the next one on.
        let next = |i: usize| low.get(i + 1).map_or(f64::NEG_INFINITY, |p| p.threshold);
        let slack = self.slack + 1e-12;
        let (mut from, mut to) = (0, 0);
        let mut queue: VecDeque<usize> = VecDeque::new();
        let mut best: Option<(f64, usize, usize)> = None;
        for (j, point) in high.iter().enumerate() {
            while to < low.len() && apart(to, j).all(|gap| gap <= slack) {
                let worth = worths[0].at(&low[to]);
                while queue.back().is_some_and(|i| worths[0].at(&low[*i]) < worth) {
                    queue.pop_back();
                }
                queue.push_back(to);
                to += 1;
            }
            while from < low.len() && (next(from) >= point.threshold || apart(from, j).any(|gap| gap < -slack)) {
                from += 1;
            }
            while queue.front().is_some_and(|i| *i < from) {
                queue.pop_front();
            }
            if let Some(i) = queue.front() {
                let worth = worths[0].at(&low[*i]) + worths[1].at(point);
                if best.is_none_or(|(most, ..)| worth > most) {
                    best = Some((worth, *i, j));
                }
            }
        }
        // Nobody of either is always a pair.
        best.map_or((low[0], high[0]), |(_, i, j)| (low[i], high[j]))
    }
}

type Rate = fn(&Curve, &Point) -> f64;

/// The rates that a constraint is on.
fn rates(constraint: Constraint) -> &'static [Rate] {
    const TPR: Rate = |_, p| p.tpr;
    const FPR: Rate = |_, p| p.fpr;
    match constraint {
        Constraint::DemographicParity => &[Curve::selected],
        Constraint::EqualOpportunity => &[TPR],
        Constraint::FalsePositiveRateParity => &[FPR],
        Constraint::EqualizedOdds => &[TPR, FPR],
    }
}

impl RejectRule {
    /// The middle of the region where the attribute decides; where a set has nobody selected, the other's threshold.
    pub fn threshold(&self) -> f64 {
        let [lower, upper] = self.ends();
        lower / 2.0 + upper / 2.0
    }

    /// How far the region reaches from its middle, at least 0.
    pub fn margin(&self) -> f64 {
        let [lower, upper] = self.ends();
        upper / 2.0 - lower / 2.0
    }

    fn ends(&self) -> [f64; 2] {
        [self.lower, if self.upper == NOBODY { self.lower } else { self.upper }]
    }

    /// Decides for each row of a batch.
    ///
    /// # Errors
    /// [`Error::UnequalLengths`], [`Error::BadNumber`] for a score that is missing, [`Error::Unknown`] with the row for a
    /// group that was not met when the rule was fitted, or one that is not known where those are refused;
    /// [`Error::MissingColumn`].
    pub fn decide(&self, batch: &Batch, scores: &[f64]) -> Result<Vec<bool>> {
        let known: Vec<Vec<String>> = self.disadvantaged.iter().chain(&self.others).cloned().collect();
        let rule = (self.pooled.is_some(), "in the rule");
        let places = places(batch, scores, (&self.attributes, &known), rule)?;
        let from = |place: Option<usize>| match place {
            None => self.pooled.unwrap_or(NOBODY),
            Some(group) if group < self.disadvantaged.len() => self.lower,
            Some(_) => self.upper,
        };
        Ok(places.into_iter().zip(scores).map(|(place, score)| *score >= from(place)).collect())
    }
}
