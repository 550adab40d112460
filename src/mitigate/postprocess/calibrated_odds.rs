//! Scores of the groups that are served better, mixed with nothing but their base rate until all are served alike.

use serde::{Deserialize, Serialize};

use super::{check_rows, labels_of, scores_of};
use crate::data::{Batch, POSITIVE, UNKNOWN};
use crate::mitigate::groups::{Groups, MISSING, NEW, not_among};
use crate::mitigate::random::uniform;
use crate::{Error, Place, Result};

#[cfg(test)]
mod tests;

/// What a model's scores cost a group. All are in [0, 1], and smaller is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ScoreCost {
    /// The mean of 1 − score over favourable labels: the generalised false negative rate.
    FalseNegativeRate,
    /// The mean score over unfavourable labels: the generalised false positive rate.
    FalsePositiveRate,
    /// The mean distance of score and label, over all: both, by how many there are of each label.
    MeanError,
}

/// Equalises one cost of scores between groups and leaves them as calibrated as they are (calibrated equalized odds).
///
/// Some of the people of a group that is served better get the group's base rate μ_g in place of their score. Such a score
/// is calibrated, and says nothing: with a share `a_g = (c* − c_g) / (t_g − c_g)` of them the cost becomes c*, the highest of
/// any group, where c_g is the group's cost and t_g what the base rate costs. Both false positive and false negative rates
/// cannot be equalised so, save where the model is perfect; and nobody is served better for it. For calibrated scores only.
///
/// # References
/// Pleiss, Raghavan, Wu, Kleinberg, Weinberger (2017), On fairness and calibration, NeurIPS.
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical};
/// use evenhand::mitigate::postprocess::calibrated_odds::{CalibratedOdds, ScoreCost};
/// let batch = Batch::builder()
///     .attribute(Categorical::from_values("sex", ["f", "f", "f", "f", "m", "m", "m", "m"]))
///     .label([0, 1, 0, 1, 0, 1, 0, 1])
///     .score([0.3, 0.7, 0.3, 0.7, 0.1, 0.9, 0.1, 0.9])
///     .build()?;
/// let fitted = CalibratedOdds::new(ScoreCost::FalseNegativeRate).fit(&batch)?;
/// // Women are missed by 0.3, men by 0.1, and by 0.5 where all that is said is that half of them buy.
/// assert!((fitted.groups[1].mix - 0.5).abs() < 1e-12);
/// assert_eq!(fitted.groups[0].mix, 0.0);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CalibratedOdds {
    cost: ScoreCost,
    attributes: Vec<String>,
    model: Option<String>,
}

/// How many of a group get its base rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MixedGroup {
    /// The group's level of each attribute.
    pub levels: Vec<String>,
    /// Rows with a known label and a score.
    pub rows: u64,
    /// The share of favourable labels.
    pub base_rate: f64,
    /// What the model's scores cost it.
    pub cost: f64,
    /// What its base rate in place of each score costs it.
    pub trivial_cost: f64,
    /// The share that gets the base rate, in [0, 1].
    pub mix: f64,
}

impl MixedGroup {
    /// Its levels, joined by ` & `.
    pub fn name(&self) -> String {
        self.levels.join(" & ")
    }
}

/// Fitted shares, ready for new batches. They serialise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibratedScores {
    /// What is equal.
    pub equal: ScoreCost,
    /// The attributes that make the groups; they must be known at run time.
    pub attributes: Vec<String>,
    /// The groups.
    pub groups: Vec<MixedGroup>,
    /// The cost of every group, as expected where it was fitted: that of the group that was served worst.
    pub cost: f64,
    /// Rows that were not looked at: their group, label or score is not known.
    pub left_out: u64,
}

/// Sums over a group's rows.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    rows: u64,
    /// The weight, by label.
    weight: [f64; 2],
    /// Weighted scores, by label.
    score: [f64; 2],
}

impl Sums {
    /// Of scores whose sums by label these are.
    fn cost(&self, cost: ScoreCost, score: [f64; 2]) -> f64 {
        let missed = self.weight[1] - score[1];
        match cost {
            ScoreCost::FalseNegativeRate => missed / self.weight[1],
            ScoreCost::FalsePositiveRate => score[0] / self.weight[0],
            ScoreCost::MeanError => (score[0] + missed) / (self.weight[0] + self.weight[1]),
        }
    }
}

impl CalibratedOdds {
    /// Groups by all attributes of a batch.
    pub fn new(cost: ScoreCost) -> Self {
        CalibratedOdds { cost, attributes: Vec::new(), model: None }
    }

    /// Only these attributes make the groups.
    #[must_use]
    pub fn attributes<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.attributes = names.into_iter().map(Into::into).collect();
        self
    }

    /// The model whose scores are mixed; needed where a batch has several with scores.
    #[must_use]
    pub fn model(mut self, name: impl Into<String>) -> Self {
        self.model = Some(name.into());
        self
    }

    /// Finds the shares on rows with attributes, labels, scores in [0, 1] and perhaps weights.
    ///
    /// # Errors
    /// [`Error::Infeasible`] naming a group whose base rate serves it better than the worst served group is: no mixing makes
    /// it as bad; [`Error::EmptyCell`] naming a group without a label of which the cost needs a rate; [`Error::BadNumber`]
    /// for a score outside [0, 1]; [`Error::Nothing`], [`Error::Unknown`], [`Error::BadSetting`],
    /// [`Error::MissingColumn`], [`Error::TooManyCells`].
    pub fn fit(&self, batch: &Batch) -> Result<CalibratedScores> {
        let scores = scores_of(batch, self.model.as_deref())?;
        let label = labels_of(batch, "calibrated odds need a label; add one to the batch")?;
        let groups = Groups::of(batch, &self.attributes)?;
        let mut sums = vec![Sums::default(); groups.len()];
        let mut left_out = 0;
        for (row, (group, score)) in groups.of_row.iter().zip(scores).enumerate() {
            check(row, *score)?;
            let weight = batch.weight.as_ref().map_or(1.0, |w| w.values[row]);
            match sums.get_mut(*group as usize) {
                Some(own) if label[row] != UNKNOWN && !score.is_nan() => {
                    if weight > 0.0 {
                        let label = usize::from(label[row] == POSITIVE);
                        own.rows += 1;
                        own.weight[label] += weight;
                        own.score[label] += weight * score;
                    }
                }
                _ => left_out += 1,
            }
        }
        let needed: &[usize] = match self.cost {
            ScoreCost::FalseNegativeRate => &[1],
            ScoreCost::FalsePositiveRate => &[0],
            ScoreCost::MeanError => &[],
        };
        let present: Vec<usize> = (0..sums.len()).filter(|g| sums[*g].rows > 0).collect();
        if present.is_empty() {
            let problem = "no row has a known group, a known label, a score and a weight";
            return Err(Error::Nothing { problem, place: Place::default() });
        }
        let mut mixed = Vec::with_capacity(present.len());
        for group in present {
            let own = &sums[group];
            if let Some(label) = needed.iter().find(|label| own.weight[**label] <= 0.0) {
                let group = groups.name(group);
                return Err(Error::EmptyCell { group, favorable: *label == 1, place: Place::default() });
            }
            let base_rate = own.weight[1] / (own.weight[0] + own.weight[1]);
            mixed.push(MixedGroup {
                levels: groups.levels[group].clone(),
                rows: own.rows,
                base_rate,
                cost: own.cost(self.cost, own.score),
                trivial_cost: own.cost(self.cost, own.weight.map(|w| w * base_rate)),
                mix: 0.0,
            });
        }
        let worst = mixed.iter().max_by(|a, b| a.cost.total_cmp(&b.cost)).map(|g| (g.cost, g.name()));
        let (cost, worst) = worst.unwrap_or_default();
        for group in &mut mixed {
            if group.cost < cost {
                if group.trivial_cost < cost {
                    return Err(Error::Infeasible {
                        asked: "an equal cost of scores for all groups".into(),
                        problem: format!(
                            "`{worst}` is at {cost:.4}, and even its base rate in place of every score brings `{}` to {:.4} only",
                            group.name(),
                            group.trivial_cost
                        ),
                        remedy: "equalise another cost, or better the scores of the group that is served worst".into(),
                    });
                }
                group.mix = ((cost - group.cost) / (group.trivial_cost - group.cost)).clamp(0.0, 1.0);
            }
        }
        Ok(CalibratedScores { equal: self.cost, attributes: groups.attributes, groups: mixed, cost, left_out })
    }
}

impl CalibratedScores {
    /// Scores of a batch's rows: a share of each group, drawn at random, has the group's base rate in place of its own. A
    /// person of one id meets the same draw under one seed. A missing score stays so, and that of a person of no known group is left.
    ///
    /// # Errors
    /// [`Error::UnequalLengths`], [`Error::MissingColumn`]; [`Error::BadNumber`] with the row for a score outside [0, 1];
    /// [`Error::Unknown`] with the row for a group that was not met when they were fitted.
    pub fn mix(&self, batch: &Batch, scores: &[f64], ids: &[u64], seed: u64) -> Result<Vec<f64>> {
        check_rows("score", scores.len(), batch)?;
        check_rows("id", ids.len(), batch)?;
        let levels: Vec<Vec<String>> = self.groups.iter().map(|g| g.levels.clone()).collect();
        let groups = Groups::matching(&self.attributes, &levels, batch)?;
        let mixed = |(row, (group, score)): (usize, (&u32, &f64))| {
            check(row, *score)?;
            match *group {
                NEW => {
                    let context = format!(" among those that were fitted (row {} has it)", row + 1);
                    Err(not_among(batch, &self.attributes, &levels, row, context))
                }
                MISSING => Ok(*score),
                _ if score.is_nan() => Ok(*score),
                group => {
                    let group = &self.groups[group as usize];
                    Ok(if uniform(seed, ids[row]) < group.mix { group.base_rate } else { *score })
                }
            }
        };
        groups.iter().zip(scores).enumerate().map(mixed).collect()
    }
}

/// Fails on a score that is no share; NaN is a missing one.
fn check(row: usize, score: f64) -> Result<()> {
    if !score.is_nan() && !(0.0..=1.0).contains(&score) {
        return Err(Error::BadNumber {
            column: "score".into(),
            value: score.to_string(),
            place: Place::row(row),
            expected: "a number in [0, 1]",
        });
    }
    Ok(())
}
