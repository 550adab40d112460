//! Thresholds of the scores, chosen so that groups' rates are equal or near, at the least cost.
//!
//! A model's scores are cut where it serves best, but not at one place for all: each group gets the threshold, or the draw
//! between two, that keeps the groups' rates within a gap of each other and is worth most. Nothing is trained anew.
//!
//! Deciding by [`GroupThresholds`] needs the attribute at run time, and treats people by it: ask whether that may be.
//! [`CommonThreshold`] decides without it, and reaches less. [`RejectOption`] looks at the attribute near the threshold only.

mod common;
mod curve;
mod optimize;
mod reject;
#[cfg(test)]
mod tests;

pub use common::{CommonThreshold, FoundThreshold};
pub use reject::{RejectOption, RejectRule};

use rayon::slice::ParallelSliceMut;
use serde::{Deserialize, Serialize};

use super::{check_rows, labels_of, scores_of};
use crate::data::{Batch, POSITIVE, UNKNOWN};
use crate::mitigate::groups::{Groups, MISSING, NEW, not_among};
use crate::mitigate::random::uniform;
use crate::{Error, Place, Result};
use curve::{Curve, Point};
use optimize::Worth;

/// What is to be alike between groups, within the slack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Constraint {
    /// Selection rates.
    DemographicParity,
    /// True positive rates.
    EqualOpportunity,
    /// False positive rates.
    FalsePositiveRateParity,
    /// True and false positive rates.
    EqualizedOdds,
}

impl Constraint {
    /// The labels of whose rates it is: 0 unfavourable, 1 favourable.
    fn labels(self) -> &'static [usize] {
        match self {
            Constraint::DemographicParity => &[],
            Constraint::EqualOpportunity => &[1],
            Constraint::FalsePositiveRateParity => &[0],
            Constraint::EqualizedOdds => &[0, 1],
        }
    }
}

/// What decisions are worth, on rows with a known label.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Objective {
    /// The share of right decisions.
    Accuracy,
    /// The mean of the true positive and the true negative rate of all together.
    BalancedAccuracy,
    /// The mean utility of a person: what a true positive, a false positive, a false negative and a true negative are worth.
    Utility {
        /// Selected with a favourable label.
        true_positive: f64,
        /// Selected with an unfavourable label.
        false_positive: f64,
        /// Not selected with a favourable label.
        false_negative: f64,
        /// Not selected with an unfavourable label.
        true_negative: f64,
    },
}

impl Objective {
    /// What a true positive, a false positive, a false negative and a true negative are worth, where so many are favourable.
    fn utilities(self, favorable: f64) -> Result<[f64; 4]> {
        let all = match self {
            Objective::Accuracy => [1.0, 0.0, 0.0, 1.0],
            Objective::BalancedAccuracy => [0.5 / favorable, 0.0, 0.0, 0.5 / (1.0 - favorable)],
            Objective::Utility { true_positive, false_positive, false_negative, true_negative } => {
                [true_positive, false_positive, false_negative, true_negative]
            }
        };
        if !all.iter().all(|u| u.is_finite()) {
            let expected = "finite numbers, and labels of both kinds for balanced accuracy";
            return Err(Error::setting("the utilities of decisions", format!("{self:?}"), expected));
        }
        Ok(all)
    }
}

/// Who decides for rows whose attribute is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownGroup {
    /// The threshold that serves all rows together best, without a constraint.
    #[default]
    Pooled,
    /// Nobody: it is an error that names the row.
    Refused,
}

/// Finds the thresholds of each group that are worth most while rates keep near (Hardt, Price and Srebro's
/// post-processing, exactly).
///
/// Of each group all thresholds are looked at, equal scores being one step, and all draws between two of them: the corners of
/// the concave hull of its ROC curve, or of its curve of worth against the constrained rate. For one rate, the best window of
/// rates is found by bisection over the corners; for equalized odds without slack, under the lowest hull of all; with slack,
/// by a linear program. There is no grid, so no answer is better.
///
/// # References
/// Hardt, Price, Srebro (2016), Equality of opportunity in supervised learning, NeurIPS; Corbett-Davies, Pierson, Feller,
/// Goel, Huq (2017), Algorithmic decision making and the cost of fairness, KDD.
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical};
/// use evenhand::mitigate::postprocess::thresholds::{Constraint, ThresholdOptimizer};
/// let batch = Batch::builder()
///     .attribute(Categorical::from_values("sex", ["f", "f", "f", "f", "m", "m", "m", "m"]))
///     .label([0, 0, 1, 1, 0, 1, 1, 1])
///     .score([0.1, 0.2, 0.3, 0.4, 0.3, 0.5, 0.7, 0.9])
///     .build()?;
/// let fitted = ThresholdOptimizer::new(Constraint::DemographicParity).fit(&batch)?;
/// // Each sex loses one person, or gains one: 7 of 8 decisions are right.
/// assert!((fitted.value - 0.875).abs() < 1e-12);
/// assert!(fitted.gap() < 1e-12);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdOptimizer {
    constraint: Constraint,
    objective: Objective,
    slack: f64,
    attributes: Vec<String>,
    model: Option<String>,
    unknown: UnknownGroup,
    flip: bool,
}

/// A threshold and the probability that it is the one that counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Mixed {
    /// Selected from this score on. The largest and the smallest number that there is stand for nobody and everybody.
    pub threshold: f64,
    /// Whether those below it are selected, rather than those who reach it; only where that was allowed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub below: bool,
    /// In (0, 1]; those of a group add up to 1.
    pub probability: f64,
}

/// A group's thresholds, and the rates that are expected of them on the rows that they were fitted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupThreshold {
    /// The group's level of each attribute.
    pub levels: Vec<String>,
    /// Rows with a known label and a score.
    pub rows: u64,
    /// The thresholds, highest first.
    pub thresholds: Vec<Mixed>,
    /// The share selected.
    pub selection_rate: f64,
    /// The share of favourable labels selected; none where there are none.
    pub true_positive_rate: Option<f64>,
    /// The share of unfavourable labels selected; none where there are none.
    pub false_positive_rate: Option<f64>,
}

impl GroupThreshold {
    /// Its levels, joined by ` & `.
    pub fn name(&self) -> String {
        self.levels.join(" & ")
    }
}

/// Thresholds of groups, ready to decide. They serialise, and apply to new batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupThresholds {
    /// What is alike.
    pub constraint: Constraint,
    /// What they are worth most by.
    pub objective: Objective,
    /// The largest gap allowed.
    pub slack: f64,
    /// The attributes that decide; they must be known at run time.
    pub attributes: Vec<String>,
    /// The groups.
    pub groups: Vec<GroupThreshold>,
    /// The threshold for rows of unknown groups; none where they are refused.
    pub pooled: Option<f64>,
    /// The objective that is expected, on rows of known groups.
    pub value: f64,
    /// The objective of each group's best threshold without a constraint: what the constraint costs is the difference.
    pub unconstrained: f64,
    /// The objective of the best one threshold for all.
    pub common: f64,
    /// Rows that were not looked at: no known label, or no score.
    pub left_out: u64,
}

impl ThresholdOptimizer {
    /// Accuracy without slack, groups by all attributes of a batch.
    pub fn new(constraint: Constraint) -> Self {
        ThresholdOptimizer {
            constraint,
            objective: Objective::Accuracy,
            slack: 0.0,
            attributes: Vec::new(),
            model: None,
            unknown: UnknownGroup::Pooled,
            flip: false,
        }
    }

    /// What decisions are worth.
    #[must_use]
    pub fn objective(mut self, objective: Objective) -> Self {
        self.objective = objective;
        self
    }

    /// The largest gap between any two groups' rates, in [0, 1].
    #[must_use]
    pub fn slack(mut self, slack: f64) -> Self {
        self.slack = slack;
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

    /// Lets those below a threshold be selected instead of those above, for groups whose scores say the opposite of what they
    /// should. It is allowed nowhere if not set: who scores low would be preferred to who scores high.
    #[must_use]
    pub fn flip(mut self, yes: bool) -> Self {
        self.flip = yes;
        self
    }

    /// Finds the thresholds on rows with attributes, labels, scores and perhaps weights. Fit them on rows that the model was
    /// not trained on: on its own rows it looks better than it is.
    ///
    /// # Errors
    /// [`Error::EmptyCell`] naming a group without a label of which the constraint needs a rate; [`Error::Nothing`] without
    /// label, score or rows; [`Error::BadSetting`], [`Error::Unknown`], [`Error::MissingColumn`],
    /// [`Error::TooManyCells`].
    pub fn fit(&self, batch: &Batch) -> Result<GroupThresholds> {
        check_slack(self.slack)?;
        let scores = scores_of(batch, self.model.as_deref())?;
        let label = labels_of(batch, NEED)?;
        let groups = Groups::of(batch, &self.attributes)?;
        let (mut rows, mut pool, mut left_out) = (vec![Vec::new(); groups.len()], Vec::new(), 0);
        for (row, group) in groups.of_row.iter().enumerate() {
            let weight = batch.weight.as_ref().map_or(1.0, |w| w.values[row]);
            if label[row] == UNKNOWN || scores[row].is_nan() {
                left_out += 1;
            } else if weight > 0.0 {
                // Both zeros are one score.
                let found = (scores[row] + 0.0, label[row] == POSITIVE, weight);
                pool.push(found);
                if *group != MISSING {
                    rows[*group as usize].push(found);
                }
            }
        }
        let curve = |rows: &mut Vec<(f64, bool, f64)>| {
            rows.par_sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
            Curve::of(rows)
        };
        let pooled = curve(&mut pool);
        // A group without such rows has nothing to be decided by.
        let present: Vec<usize> = (0..groups.len()).filter(|group| !rows[*group].is_empty()).collect();
        let mut curves: Vec<Curve> = present.iter().map(|group| curve(&mut rows[*group])).collect();
        self.check(&groups, &present, &curves)?;
        let whole: f64 = curves.iter().map(|c| c.weights[0] + c.weights[1]).sum();
        let favorable = curves.iter().map(|c| c.weights[1]).sum::<f64>() / whole;
        let utilities = self.objective.utilities(favorable)?;
        let worths: Vec<Worth> = curves.iter().map(|curve| Worth::of(utilities, curve, whole)).collect();
        let nobody: f64 = curves.iter().map(|curve| optimize::nobody(utilities, curve, whole)).sum();
        if self.flip {
            curves.iter_mut().for_each(Curve::flip);
        }
        let mixtures = optimize::solve(self.constraint, self.slack, &curves, &worths)?;
        let value = |(parts, w): (&Vec<(Point, f64)>, &Worth)| parts.iter().map(|(p, s)| s * w.at(p)).sum::<f64>();
        let upright = |curve: &Curve| curve.points.partition_point(|p| !p.below);
        let best =
            |(curve, w): (&Curve, &Worth)| curve.points.iter().map(|p| w.at(p)).fold(f64::NEG_INFINITY, f64::max);
        let of_pool = Worth::of(utilities, &pooled, pooled.weights[0] + pooled.weights[1]);
        let of_pool = |p: &&Point| of_pool.at(p);
        let common = pooled.points.iter().max_by(|a, b| of_pool(a).total_cmp(&of_pool(b)));
        let common = common.map_or(curve::NOBODY, |p| p.threshold);
        let of_common = |(curve, w): (&Curve, &Worth)| {
            let points = &curve.points[..upright(curve)];
            let at = points.partition_point(|p| p.threshold >= common).saturating_sub(1);
            w.at(&points[at])
        };
        let group = |((group, curve), parts): ((&usize, &Curve), &Vec<(Point, f64)>)| {
            let mean = |of: &dyn Fn(&Point) -> f64| parts.iter().map(|(p, share)| share * of(p)).sum::<f64>();
            GroupThreshold {
                levels: groups.levels[*group].clone(),
                rows: curve.rows,
                thresholds: optimize::told(parts),
                selection_rate: mean(&|p| curve.selected(p)),
                true_positive_rate: (curve.weights[1] > 0.0).then(|| mean(&|p| p.tpr)),
                false_positive_rate: (curve.weights[0] > 0.0).then(|| mean(&|p| p.fpr)),
            }
        };
        Ok(GroupThresholds {
            constraint: self.constraint,
            objective: self.objective,
            slack: self.slack,
            groups: present.iter().zip(&curves).zip(&mixtures).map(group).collect(),
            pooled: (self.unknown == UnknownGroup::Pooled).then_some(common),
            value: nobody + mixtures.iter().zip(&worths).map(value).sum::<f64>(),
            unconstrained: nobody + curves.iter().zip(&worths).map(best).sum::<f64>(),
            common: nobody + curves.iter().zip(&worths).map(of_common).sum::<f64>(),
            left_out,
            attributes: groups.attributes,
        })
    }

    fn check(&self, groups: &Groups, present: &[usize], curves: &[Curve]) -> Result<()> {
        if curves.is_empty() {
            let problem = "no row has a known group, a known label, a score and a weight";
            return Err(Error::Nothing { problem, place: Place::default() });
        }
        for (group, curve) in present.iter().zip(curves) {
            if let Some(label) = self.constraint.labels().iter().find(|label| curve.weights[**label] <= 0.0) {
                let group = groups.name(*group);
                return Err(Error::EmptyCell { group, favorable: *label == 1, place: Place::default() });
            }
        }
        Ok(())
    }
}

/// What thresholds say of a batch without labels.
const NEED: &str = "thresholds need a label; add one to the batch";

/// The place of each row's group among those known, or none where it is not known and that is allowed.
fn places(
    batch: &Batch,
    scores: &[f64],
    (attributes, known): (&[String], &[Vec<String>]),
    (missing_allowed, words): (bool, &str),
) -> Result<Vec<Option<usize>>> {
    check_rows("score", scores.len(), batch)?;
    let groups = Groups::matching(attributes, known, batch)?;
    let place = |(row, (group, score)): (usize, (&u32, &f64))| {
        if score.is_nan() {
            let (column, place) = ("score".into(), Place::row(row));
            return Err(Error::BadNumber { column, value: "NaN".into(), place, expected: "a score for each row" });
        }
        match *group {
            MISSING if missing_allowed => Ok(None),
            MISSING | NEW => Err(not_among(batch, attributes, known, row, format!(" {words}, in row {}", row + 1))),
            group => Ok(Some(group as usize)),
        }
    };
    groups.iter().zip(scores).enumerate().map(place).collect()
}

fn check_slack(slack: f64) -> Result<()> {
    if !(0.0..=1.0).contains(&slack) {
        return Err(Error::setting("the largest gap between rates", slack, "a number from 0 to 1"));
    }
    Ok(())
}

impl GroupThresholds {
    /// The largest gap between two groups in a rate that the constraint is on, as expected where it was fitted.
    pub fn gap(&self) -> f64 {
        let spread = |rate: &dyn Fn(&GroupThreshold) -> Option<f64>| {
            let rates = self.groups.iter().filter_map(rate);
            let (low, high) = rates.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), r| (l.min(r), h.max(r)));
            (high - low).max(0.0)
        };
        let (tpr, fpr) = (|g: &GroupThreshold| g.true_positive_rate, |g: &GroupThreshold| g.false_positive_rate);
        match self.constraint {
            Constraint::DemographicParity => spread(&|g| Some(g.selection_rate)),
            Constraint::EqualOpportunity => spread(&tpr),
            Constraint::FalsePositiveRateParity => spread(&fpr),
            Constraint::EqualizedOdds => spread(&tpr).max(spread(&fpr)),
        }
    }

    /// The same without draws: each group gets the one of its thresholds that is most likely, of two alike the higher one.
    /// Rates then miss the constraint by what a draw is for; they are told only where the thresholds are fitted, so audit
    /// the decisions.
    #[must_use]
    pub fn deterministic(&self) -> Self {
        let mut one = self.clone();
        for group in &mut one.groups {
            let most =
                group.thresholds.iter().copied().reduce(|a, b| if b.probability > a.probability { b } else { a });
            group.thresholds = most.map(|m| Mixed { probability: 1.0, ..m }).into_iter().collect();
        }
        one
    }

    /// The probability that each row of a batch is selected: 0 or 1, but for draws.
    ///
    /// # Errors
    /// [`Error::UnequalLengths`], [`Error::BadNumber`] for a score that is missing, [`Error::Unknown`] with the row for a
    /// group that was not met when they were fitted, or one that is not known where those are refused;
    /// [`Error::MissingColumn`].
    pub fn probabilities(&self, batch: &Batch, scores: &[f64]) -> Result<Vec<f64>> {
        let levels: Vec<Vec<String>> = self.groups.iter().map(|g| g.levels.clone()).collect();
        let pooled: Vec<Mixed> =
            self.pooled.iter().map(|t| Mixed { threshold: *t, below: false, probability: 1.0 }).collect();
        let rule = (self.pooled.is_some(), "with a threshold");
        let places = places(batch, scores, (&self.attributes, &levels), rule)?;
        let probability = |(place, score): (Option<usize>, &f64)| {
            let thresholds = place.map_or(&pooled, |group| &self.groups[group].thresholds);
            let reached = thresholds.iter().filter(|m| (*score >= m.threshold) != m.below);
            reached.map(|m| m.probability).sum::<f64>().min(1.0)
        };
        Ok(places.into_iter().zip(scores).map(probability).collect())
    }

    /// Decides for each row of a batch. A person of one id meets the same draw under one seed, whoever else is in the batch.
    ///
    /// # Errors
    /// As for [`probabilities`](Self::probabilities).
    pub fn decide(&self, batch: &Batch, scores: &[f64], ids: &[u64], seed: u64) -> Result<Vec<bool>> {
        check_rows("id", ids.len(), batch)?;
        let chances = self.probabilities(batch, scores)?;
        Ok(chances.iter().zip(ids).map(|(chance, id)| uniform(seed, *id) < *chance).collect())
    }
}
