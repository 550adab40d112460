//! Scores moved so that each group's are distributed alike, and no further than need be.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{check_rows, scores_of};
use crate::data::Batch;
use crate::mitigate::groups::{Groups, MISSING, NEW, not_among};
pub use crate::mitigate::quantiles::RepairTarget;
use crate::mitigate::quantiles::{Quantiles, Step, moved};
use crate::mitigate::random::uniform;
use crate::{Error, Place, Result};

#[cfg(test)]
mod tests;

/// Repairs scores by degree: a score s of group g becomes `(1 − degree) s + degree T(F_g(s))`.
///
/// F_g is the group's distribution and T the quantile function that all are brought to. With the mean of the groups'
/// quantile functions, weighted by their size, T is their Wasserstein barycentre: at degree 1 any threshold selects the same
/// share of every group, and no other scores that do so differ less from the model's, in mean squares. Ranks within groups
/// are kept. At degree d the mean square of the moves is d² of the whole.
///
/// F_g has a step's middle at each score that the group has, and is linear between them; a score beyond those seen is moved
/// as the nearest of them. People of a group with one score stay alike: so where many share one, rates stay apart by up to
/// their share. [`repair_spread`](RepairedScores::repair_spread) draws them apart instead.
///
/// What scores say of labels is not looked at: repaired scores are no longer calibrated. It needs the attribute of each new
/// person.
///
/// # References
/// Chzhen, Denis, Hebiri, Oneto, Pontil (2020), Fair regression with Wasserstein barycenters, NeurIPS; Le Gouic, Loubes,
/// Rigollet (2020), Projection to fairness in statistical learning; Jiang, Pacchiano, Stepleton, Jiang, Chiappa (2019),
/// Wasserstein fair classification, UAI.
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical};
/// use evenhand::mitigate::postprocess::score_repair::ScoreRepair;
/// let batch = Batch::builder()
///     .attribute(Categorical::from_values("sex", ["f", "f", "f", "f", "m", "m"]))
///     .score([0.1, 0.2, 0.3, 0.4, 0.5, 0.8])
///     .build()?;
/// let fitted = ScoreRepair::new().fit(&batch)?;
/// let repaired = fitted.repair(&batch, &[0.1, 0.2, 0.3, 0.4, 0.5, 0.8])?;
/// // The lower half of men stands where women's lower half has its middle, one third of the way from hers to his.
/// assert!((repaired[4] - (2.0 / 3.0 * 0.15 + 1.0 / 3.0 * 0.5)).abs() < 1e-12);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreRepair {
    degree: f64,
    target: RepairTarget,
    attributes: Vec<String>,
    model: Option<String>,
    shrink: f64,
    points: usize,
}

impl Default for ScoreRepair {
    fn default() -> Self {
        ScoreRepair {
            degree: 1.0,
            target: RepairTarget::Mean,
            attributes: Vec::new(),
            model: None,
            shrink: 0.0,
            points: 10_000,
        }
    }
}

/// A score that a group has, and what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ScoreMove {
    /// The score.
    pub score: f64,
    /// The score at degree 1.
    pub repaired: f64,
    /// The share of the group's weight below it, and half of that at it.
    pub share: f64,
    /// Half of the share at it.
    pub half: f64,
}

/// The scores of one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreMoves {
    /// The group's level of each attribute.
    pub levels: Vec<String>,
    /// Its rows with a score and a weight above 0.
    pub rows: u64,
    /// Their weight.
    pub weight: f64,
    /// Its scores in rising order; of many, some at equal distances in number.
    pub moves: Vec<ScoreMove>,
}

/// Fitted moves of scores, ready for new batches. They serialise, and hold scores of the rows that they were fitted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RepairedScores {
    /// How far scores are moved, in [0, 1].
    pub degree: f64,
    /// What they are moved to.
    pub target: RepairTarget,
    /// The attributes that make the groups; they must be known at run time.
    pub attributes: Vec<String>,
    /// The groups.
    pub groups: Vec<ScoreMoves>,
    /// The weighted mean square of the moves of the rows that were fitted on.
    pub cost: f64,
    /// Whether all scores were in [0, 1]: then repaired ones are too.
    pub unit: bool,
    /// Rows that were not fitted on: their group or their score is not known.
    pub left_alone: u64,
}

impl ScoreRepair {
    /// Fully, to the barycentre, for the intersections of all attributes.
    pub fn new() -> Self {
        Self::default()
    }

    /// How far scores are moved, in [0, 1]: 0 not at all, 1 until the groups' distributions are one.
    #[must_use]
    pub fn degree(mut self, degree: f64) -> Self {
        self.degree = degree;
        self
    }

    /// To another distribution: the median of the groups' quantile functions lets no one group decide.
    #[must_use]
    pub fn target(mut self, target: RepairTarget) -> Self {
        self.target = target;
        self
    }

    /// Only these attributes make the groups.
    #[must_use]
    pub fn attributes<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.attributes = names.into_iter().map(Into::into).collect();
        self
    }

    /// The model whose scores are moved; needed where a batch has several with scores.
    #[must_use]
    pub fn model(mut self, name: impl Into<String>) -> Self {
        self.model = Some(name.into());
        self
    }

    /// Draws the quantile function of a group of n rows towards that of all rows, by `rows / (n + rows)`: a small group's own
    /// is noise in good part. At 0, as is, it is left.
    #[must_use]
    pub fn shrink(mut self, rows: f64) -> Self {
        self.shrink = rows;
        self
    }

    /// How many scores of a group are kept at most, at least 2; 10,000 if not set. Those between are moved in proportion.
    #[must_use]
    pub fn points(mut self, points: usize) -> Self {
        self.points = points;
        self
    }

    /// Finds each group's distribution, and what all are brought to, on rows with scores and perhaps weights.
    ///
    /// # Errors
    /// [`Error::BadSetting`]; [`Error::Nothing`] without scores or without a weighted row of a known group;
    /// [`Error::Unknown`], [`Error::MissingColumn`], [`Error::TooManyCells`].
    pub fn fit(&self, batch: &Batch) -> Result<RepairedScores> {
        if !(0.0..=1.0).contains(&self.degree) {
            return Err(Error::setting("the degree of repair", self.degree, "a number in [0, 1]"));
        }
        if !(self.shrink.is_finite() && self.shrink >= 0.0) {
            return Err(Error::setting("the rows to shrink by", self.shrink, "a finite number from 0 on"));
        }
        if self.points < 2 {
            return Err(Error::setting("the points of a group", self.points, "at least 2"));
        }
        let scores = scores_of(batch, self.model.as_deref())?;
        let groups = Groups::of(batch, &self.attributes)?;
        let mut of: Vec<Vec<(f64, f64)>> = vec![Vec::new(); groups.len()];
        let (mut unit, mut left_alone) = (true, 0);
        for (row, (group, score)) in groups.of_row.iter().zip(scores).enumerate() {
            let weight = batch.weight.as_ref().map_or(1.0, |w| w.values[row]);
            match of.get_mut(*group as usize) {
                Some(own) if !score.is_nan() => {
                    if weight > 0.0 {
                        // Both zeros are one score.
                        own.push((score + 0.0, weight));
                        unit &= (0.0..=1.0).contains(score);
                    }
                }
                _ => left_alone += 1,
            }
        }
        let kept: Vec<usize> = (0..of.len()).filter(|g| !of[*g].is_empty()).collect();
        if kept.is_empty() {
            let problem = "no row has a known group, a score and a weight";
            return Err(Error::Nothing { problem, place: Place::default() });
        }
        let pool = (self.shrink > 0.0).then(|| Quantiles::of(of.concat()));
        let quantiles: Vec<Quantiles> =
            kept.iter().map(|g| self.drawn(Quantiles::of(of[*g].clone()), of[*g].len(), pool.as_ref())).collect();
        let moves = |own: &Quantiles| -> Vec<ScoreMove> {
            let own = thinned(own, self.points);
            let repaired = self.target.along(&quantiles, &own.shares());
            let made = own.steps.iter().zip(repaired);
            made.map(|(s, repaired)| ScoreMove { score: s.value, repaired, share: s.share, half: s.half }).collect()
        };
        let moves = |(group, own): (&usize, &Quantiles)| ScoreMoves {
            levels: groups.levels[*group].clone(),
            rows: of[*group].len() as u64,
            weight: own.weight,
            moves: moves(own),
        };
        let mut fitted = RepairedScores {
            degree: self.degree,
            target: self.target,
            groups: kept.par_iter().zip(&quantiles).map(moves).collect(),
            attributes: groups.attributes,
            cost: 0.0,
            unit,
            left_alone,
        };
        let whole: f64 = quantiles.iter().map(|q| q.weight).sum();
        let squares = fitted.groups.iter().zip(&kept).map(|(group, of_group)| {
            let moves = group.pairs();
            of[*of_group].iter().map(|(s, w)| w * (fitted.placed(*s, moved(&moves, *s)) - s).powi(2)).sum::<f64>()
        });
        fitted.cost = squares.sum::<f64>() / whole;
        Ok(fitted)
    }

    /// A group's quantile function, drawn towards that of all.
    fn drawn(&self, own: Quantiles, rows: usize, pool: Option<&Quantiles>) -> Quantiles {
        let Some(pool) = pool else { return own };
        let towards = self.shrink / (rows as f64 + self.shrink);
        let all = pool.along(&own.shares());
        let step = |(step, all): (&Step, f64)| Step { value: (1.0 - towards) * step.value + towards * all, ..*step };
        Quantiles { steps: own.steps.iter().zip(all).map(step).collect(), weight: own.weight }
    }
}

impl ScoreMoves {
    /// Its levels, joined by ` & `.
    pub fn name(&self) -> String {
        self.levels.join(" & ")
    }

    fn pairs(&self) -> Vec<[f64; 2]> {
        self.moves.iter().map(|m| [m.score, m.repaired]).collect()
    }

    fn quantiles(&self) -> Quantiles {
        let step = |m: &ScoreMove| Step { value: m.score, share: m.share, half: m.half };
        Quantiles { steps: self.moves.iter().map(step).collect(), weight: self.weight }
    }
}

impl RepairedScores {
    /// The repaired scores of a batch's rows: one that is missing stays so, and one of a person of no known group is left as it is.
    ///
    /// # Errors
    /// [`Error::UnequalLengths`], [`Error::MissingColumn`]; [`Error::Unknown`] with the row for a group that was not met when
    /// they were fitted.
    pub fn repair(&self, batch: &Batch, scores: &[f64]) -> Result<Vec<f64>> {
        let pairs: Vec<Vec<[f64; 2]>> = self.groups.iter().map(ScoreMoves::pairs).collect();
        self.each(batch, scores, |_, group, score| moved(&pairs[group], score))
    }

    /// The same, with people of one score drawn apart at random within the share that has it: then no threshold selects more
    /// of one group than of another but by chance. A person of one id meets the same draw under one seed. People who are
    /// alike are treated unlike: that is its price.
    ///
    /// # Errors
    /// As for [`repair`](Self::repair).
    pub fn repair_spread(&self, batch: &Batch, scores: &[f64], ids: &[u64], seed: u64) -> Result<Vec<f64>> {
        check_rows("id", ids.len(), batch)?;
        let pairs: Vec<Vec<[f64; 2]>> = self.groups.iter().map(ScoreMoves::pairs).collect();
        let quantiles: Vec<Quantiles> = self.groups.iter().map(ScoreMoves::quantiles).collect();
        self.each(batch, scores, |row, group, score| {
            let moves = &self.groups[group].moves;
            match moves.get(moves.partition_point(|m| m.score < score)) {
                Some(m) if m.score == score => {
                    let share = m.share + (2.0 * uniform(seed, ids[row]) - 1.0) * m.half;
                    self.target.at(&quantiles, share)
                }
                _ => moved(&pairs[group], score),
            }
        })
    }

    fn each(
        &self,
        batch: &Batch,
        scores: &[f64],
        repaired: impl Fn(usize, usize, f64) -> f64 + Sync,
    ) -> Result<Vec<f64>> {
        check_rows("score", scores.len(), batch)?;
        let levels: Vec<Vec<String>> = self.groups.iter().map(|g| g.levels.clone()).collect();
        let groups = Groups::matching(&self.attributes, &levels, batch)?;
        if let Some(row) = groups.iter().position(|g| *g == NEW) {
            let context = format!(" among those that the repair was fitted on (row {} has it)", row + 1);
            return Err(not_among(batch, &self.attributes, &levels, row, context));
        }
        let each = |(row, (group, score)): (usize, (&u32, &f64))| match *group {
            MISSING => *score,
            _ if score.is_nan() => *score,
            group => self.placed(*score, repaired(row, group as usize, score + 0.0)),
        };
        Ok(groups.par_iter().zip(scores).enumerate().map(each).collect())
    }

    /// A score, moved by the degree.
    fn placed(&self, score: f64, repaired: f64) -> f64 {
        let to = (1.0 - self.degree) * score + self.degree * repaired;
        if self.unit { to.clamp(0.0, 1.0) } else { to }
    }
}

/// At most so many of a distribution's values, at equal distances in number, both ends among them.
fn thinned(all: &Quantiles, points: usize) -> Quantiles {
    let last = all.steps.len() - 1;
    let steps = match points {
        enough if enough > last => all.steps.clone(),
        _ => (0..points).map(|i| all.steps[(i as u128 * last as u128 / (points as u128 - 1)) as usize]).collect(),
    };
    Quantiles { steps, weight: all.weight }
}
