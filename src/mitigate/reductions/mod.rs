//! Training under a fairness constraint, over any learner that reads weights: exponentiated gradient and grid search.
//!
//! A constraint is a linear function of decisions. With a multiplier on it, the best classifier is the one of least cost,
//! and costs are weights: a row whose cost of a decision is negative is labelled favourable, its weight is the cost's size. So
//! any [`Learner`] that reads weights can train under the constraint, and one that does not cannot:
//! [`require_weights`](super::learn::require_weights) tells.
//!
//! What is reached is reached on the training rows; held-out rows have their own say.

mod constraint;
mod grid;
mod program;
#[cfg(test)]
mod tests;

pub use constraint::{Constraint, GroupViolation};
pub use grid::{GridSearch, Searched};

use ndarray::{ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::groups::Groups;
use super::learn::{Learner, Scorer};
use super::random::uniform;
use crate::data::Batch;
use crate::{Error, Result};
use constraint::Problem;
use program::Column;

/// Iterations between two looks at whether steps are too long.
const PATIENCE: usize = 5;
/// Rounds before which it does not stop.
const ROUNDS: usize = 10;
/// How often nothing better is found before it stops.
const IDLE: usize = 2;
/// Parts of multipliers that are tried where they themselves are answered.
const NEARBY: [f64; 3] = [0.25, 0.75, 1.5];
/// At most so many are tried between those that the classifiers of a mixture answer.
const MIXED: usize = 6;
/// What steps are shortened by.
const SHORTER: f64 = 0.8;

/// Trains a randomised classifier under a constraint (Agarwal and others' exponentiated gradient).
///
/// Multipliers of the constraints and classifiers play against each other: multipliers grow where a constraint is hurt, the
/// learner answers them. Every round the best mixture of all classifiers so far is found by a linear program, and the learner
/// is asked for one that would do better against its multipliers; where none does by more than the tolerance, the mixture
/// is within that of the best there is.
///
/// # References
/// Agarwal, Beygelzimer, Dudík, Langford, Wallach (2018), A reductions approach to fair classification, ICML; Agarwal, Dudík,
/// Wu (2019), Fair regression: quantitative definitions and reduction-based algorithms, ICML (bounded group loss).
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical};
/// use evenhand::mitigate::learn::Logistic;
/// use evenhand::mitigate::reductions::{Constraint, ExponentiatedGradient};
/// use ndarray::Array2;
/// // Women responded less, and the feature knows them.
/// let sex = (0..400).map(|i| if i % 2 == 0 { "f" } else { "m" });
/// let responded: Vec<bool> = (0..400).map(|i| (i * 7) % 10 < if i % 2 == 0 { 3 } else { 7 }).collect();
/// let features = Array2::from_shape_fn((400, 2), |(i, j)| ((i * [7, 1][j]) % [10, 2][j]) as f64);
/// let batch = Batch::builder().attribute(Categorical::from_values("sex", sex)).label(&responded).build()?;
/// let fitted = ExponentiatedGradient::new(Constraint::DemographicParity)
///     .slack(0.02)
///     .fit(&Logistic::new(), features.view(), &batch)?;
/// assert!(fitted.summary.violation <= 0.02 + fitted.summary.gap);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ExponentiatedGradient {
    constraint: Constraint,
    attributes: Vec<String>,
    slack: f64,
    bound: Option<f64>,
    tolerance: Option<f64>,
    step: f64,
    iterations: usize,
}

/// What a reduction reached on its training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReductionSummary {
    /// The constraint.
    pub constraint: Constraint,
    /// How far groups may be from it.
    pub slack: f64,
    /// The attributes whose levels make the groups.
    pub attributes: Vec<String>,
    /// The weighted share of errors that the randomised classifier is expected to make.
    pub error: f64,
    /// How far the group furthest off is from what it is held to.
    pub violation: f64,
    /// At most how much better, in error plus the bound times what the violation is past the slack, any mixture of the
    /// learner's classifiers could be.
    pub gap: f64,
    /// The gap that was asked for.
    pub tolerance: f64,
    /// Whether it was reached.
    pub converged: bool,
    /// Each group's rates.
    pub groups: Vec<GroupViolation>,
    /// The error and violation of the learner's classifier without constraint.
    pub unconstrained: [f64; 2],
    /// The error and violation of the best single classifier.
    pub deterministic: [f64; 2],
    /// Each round's error, violation and gap of the best mixture.
    pub history: Vec<[f64; 3]>,
    /// Models that were fitted.
    pub fits: usize,
}

/// A classifier of a mixture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Predictor<M> {
    /// A fitted model.
    Model(M),
    /// All multipliers point one way: the same decision for everybody.
    Constant(bool),
}

impl<M: Scorer> Scorer for Predictor<M> {
    fn scores(&self, features: ArrayView2<f64>) -> Vec<f64> {
        match self {
            Predictor::Model(model) => model.scores(features),
            Predictor::Constant(decision) => vec![f64::from(u8::from(*decision)); features.nrows()],
        }
    }
}

/// A randomised classifier: one of several, drawn for each person anew.
///
/// As a [`Scorer`], its score is the probability of being selected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reduced<M> {
    /// The classifiers with a share of the draw, and those shares, adding up to 1.
    pub mixture: Vec<(Predictor<M>, f64)>,
    /// The best single classifier: of those within the slack the one of least error, or else the one nearest to it.
    pub best: Predictor<M>,
    /// What was reached.
    pub summary: ReductionSummary,
}

impl<M: Scorer> Reduced<M> {
    /// Decides for each row: person `ids[row]` always meets the same draw under the same seed, whoever else is decided on.
    ///
    /// # Errors
    /// [`Error::UnequalLengths`] where there is not an id for each row.
    pub fn decide(&self, features: ArrayView2<f64>, ids: &[u64], seed: u64) -> Result<Vec<bool>> {
        if ids.len() != features.nrows() {
            return Err(Error::UnequalLengths { column: "id".into(), rows: ids.len(), expected: features.nrows() });
        }
        let chances = self.scores(features);
        Ok(chances.iter().zip(ids).map(|(chance, id)| uniform(seed, *id) < *chance).collect())
    }
}

impl<M: Scorer> Scorer for Reduced<M> {
    fn scores(&self, features: ArrayView2<f64>) -> Vec<f64> {
        let mut chances = vec![0.0; features.nrows()];
        for (predictor, share) in &self.mixture {
            for (chance, decision) in chances.iter_mut().zip(predictor.decisions(features)) {
                *chance += if decision { *share } else { 0.0 };
            }
        }
        chances.into_iter().map(|chance: f64| chance.clamp(0.0, 1.0)).collect()
    }
}

impl ExponentiatedGradient {
    /// Groups by all attributes of the batch, a slack of 0.01, at most 50 rounds.
    pub fn new(constraint: Constraint) -> Self {
        let (slack, bound, tolerance) = (0.01, None, None);
        ExponentiatedGradient { constraint, attributes: Vec::new(), slack, bound, tolerance, step: 2.0, iterations: 50 }
    }

    /// Only these attributes make the groups.
    #[must_use]
    pub fn attributes<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.attributes = names.into_iter().map(Into::into).collect();
        self
    }

    /// How far a group's rate may be from what it is held to, above 0: 0.01 if not set. The gap between two groups may be
    /// twice that.
    #[must_use]
    pub fn slack(mut self, slack: f64) -> Self {
        self.slack = slack;
        self
    }

    /// What a violation past the slack costs, in errors (above 0): 1 over the slack if not set.
    #[must_use]
    pub fn bound(mut self, bound: f64) -> Self {
        self.bound = Some(bound);
        self
    }

    /// The gap at which it stops, above 0. If not set, half of the standard error of the learner's own error.
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = Some(tolerance);
        self
    }

    /// The most rounds, at least 1; each fits two models.
    #[must_use]
    pub fn iterations(mut self, iterations: usize) -> Self {
        self.iterations = iterations;
        self
    }

    /// Trains on rows with features, attributes, a label and perhaps weights. Rows without a known label are left out, those
    /// without a known group count for the error alone.
    ///
    /// # Errors
    /// [`Error::EmptyCell`] or [`Error::Infeasible`] naming a group without rows that its rate is of;
    /// [`Error::UnequalLengths`], [`Error::BadSetting`], [`Error::Nothing`], [`Error::MissingColumn`], and those of the
    /// learner.
    pub fn fit<L: Learner>(&self, learner: &L, features: ArrayView2<f64>, batch: &Batch) -> Result<Reduced<L::Model>>
    where
        L::Model: Clone,
    {
        for (name, value) in [
            ("the slack", Some(self.slack)),
            ("the bound on multipliers", self.bound),
            ("the tolerance", self.tolerance),
        ] {
            if value.is_some_and(|value| !(value > 0.0 && value.is_finite())) {
                return Err(Error::setting(name, value.unwrap_or_default(), "a number above 0"));
            }
        }
        if self.iterations == 0 {
            return Err(Error::setting("the number of rounds", 0, "at least 1"));
        }
        let groups = groups_of(features, batch, &self.attributes)?;
        let problem = Problem::new(self.constraint, &groups, batch)?;
        let features = features.select(Axis(0), &problem.rows);
        let mut game = Game::new(learner, features.view(), &problem, self.slack);
        self.play(&mut game)?;
        Ok(game.finish(self, groups.attributes.clone()))
    }

    fn play<L: Learner>(&self, game: &mut Game<L>) -> Result<()>
    where
        L::Model: Clone,
    {
        let bound = self.bound.unwrap_or(1.0 / self.slack);
        let count = game.problem.len();
        // The learner without constraint comes first, and says what its own error is worth.
        let first = game.answer(&vec![0.0; count])?;
        let error = game.columns[first].error;
        let size = 1.0 / game.problem.shares.iter().map(|s| s * s).sum::<f64>();
        game.tolerance = self.tolerance.unwrap_or(0.5 * (error.max(1e-4) * (1.0 - error).max(1e-4) / size).sqrt());
        let mut step = self.step / bound;
        let mut theta = game.columns[first].excess.iter().map(|excess| step * excess).collect::<Vec<f64>>();
        let (mut checked, mut last) = (PATIENCE, f64::INFINITY);
        let mut idle = 0;
        for round in 0..self.iterations {
            let largest = theta.iter().copied().fold(0.0, f64::max);
            let weights: Vec<f64> = theta.iter().map(|t| (t - largest).exp()).collect();
            let whole = (-largest).exp() + weights.iter().sum::<f64>();
            let held: Vec<f64> = weights.iter().map(|w| bound * w / whole).collect();
            let answer = game.answer(&held)?;
            theta.iter_mut().zip(&game.columns[answer].excess).for_each(|(t, excess)| *t += step * excess);

            let shares = program::mixture(&game.columns, bound)?;
            let high = game.value(&shares, bound);
            let against = program::multipliers(&game.columns, bound)?;
            let best = game.answer(&against)?;
            let low = game.lagrangian(best, &against);
            game.offer(shares, high, (high - low).max(0.0));
            // Multipliers that grow step by step find classifiers that those of the mixture alone never ask for.
            if game.gap <= game.tolerance && round + 1 >= ROUNDS.min(self.iterations) {
                // A learner is no exact answer to costs: where it finds nothing better against these multipliers, it may
                // against others.
                let (before, known) = (game.high, game.columns.len());
                for multipliers in game.around(&against) {
                    game.answer(&multipliers)?;
                }
                if game.columns.len() > known {
                    let shares = program::mixture(&game.columns, bound)?;
                    let high = game.value(&shares, bound);
                    game.offer(shares, high, 0.0f64.max(high - low));
                }
                idle = if before - game.high <= 0.1 * game.tolerance { idle + 1 } else { 0 };
                if idle == IDLE {
                    break;
                }
            }
            if round == checked {
                if game.gap > SHORTER * last {
                    step *= SHORTER;
                }
                (checked, last) = (checked + checked / 2 + 1, game.gap);
            }
        }
        // The last answers may have made the mixture better still.
        let shares = program::mixture(&game.columns, bound)?;
        let high = game.value(&shares, bound);
        let low = game.high - game.gap;
        game.offer(shares, high, (high - low).max(0.0));
        Ok(())
    }
}

fn groups_of(features: ArrayView2<f64>, batch: &Batch, attributes: &[String]) -> Result<Groups> {
    if features.nrows() != batch.rows() {
        return Err(Error::UnequalLengths {
            column: "features".into(),
            rows: features.nrows(),
            expected: batch.rows(),
        });
    }
    Groups::of(batch, attributes)
}

/// The classifiers so far, and the best mixture of them.
struct Game<'a, L: Learner> {
    learner: &'a L,
    features: ArrayView2<'a, f64>,
    problem: &'a Problem<'a>,
    slack: f64,
    predictors: Vec<Predictor<L::Model>>,
    decisions: Vec<Vec<bool>>,
    columns: Vec<Column>,
    /// Which of the multipliers asked it answered first.
    origins: Vec<usize>,
    /// The multipliers that were answered, each with the model, if it took one.
    asked: Vec<(Vec<f64>, Option<L::Model>)>,
    fits: usize,
    tolerance: f64,
    shares: Vec<f64>,
    high: f64,
    gap: f64,
    history: Vec<[f64; 3]>,
}

impl<'a, L: Learner> Game<'a, L>
where
    L::Model: Clone,
{
    fn new(learner: &'a L, features: ArrayView2<'a, f64>, problem: &'a Problem<'a>, slack: f64) -> Self {
        Game {
            learner,
            features,
            problem,
            slack,
            predictors: Vec::new(),
            decisions: Vec::new(),
            columns: Vec::new(),
            origins: Vec::new(),
            asked: Vec::new(),
            fits: 0,
            tolerance: 0.0,
            shares: Vec::new(),
            high: f64::INFINITY,
            gap: f64::INFINITY,
            history: Vec::new(),
        }
    }

    /// Asks the learner for its answer to some multipliers, and answers the number of the best one so far: a learner that makes
    /// other errors small than those that cost may have given a better one before.
    fn answer(&mut self, multipliers: &[f64]) -> Result<usize> {
        if self.asked.iter().any(|(asked, _)| asked == multipliers) {
            return Ok(self.best_against(multipliers));
        }
        let costs = self.problem.costs(multipliers);
        let labels: Vec<bool> = costs.iter().map(|cost| *cost < 0.0).collect();
        let sum: f64 = costs.iter().map(|cost| cost.abs()).sum();
        let scale = costs.len() as f64 / sum;
        let weights: Vec<f64> = costs.iter().map(|cost| cost.abs() * scale).collect();
        let any = |favorable: bool| labels.iter().zip(&weights).any(|(l, w)| *l == favorable && *w > 0.0);
        let predictor = match (any(true), any(false)) {
            (true, true) => {
                self.fits += 1;
                let model = match self.nearest(multipliers) {
                    Some(near) => self.learner.refit(near, self.features, &labels, &weights)?,
                    None => self.learner.fit(self.features, &labels, &weights)?,
                };
                self.asked.push((multipliers.to_vec(), Some(model.clone())));
                Predictor::Model(model)
            }
            (favorable, _) => {
                self.asked.push((multipliers.to_vec(), None));
                Predictor::Constant(favorable)
            }
        };
        let decisions = predictor.decisions(self.features);
        // A classifier that decides as one before it adds nothing.
        if self.decisions.contains(&decisions) {
            return Ok(self.best_against(multipliers));
        }
        let as_numbers: Vec<f64> = decisions.iter().map(|d| f64::from(u8::from(*d))).collect();
        let violations = self.problem.violations(&as_numbers);
        self.columns.push(Column {
            error: self.problem.error(&as_numbers),
            excess: violations.into_iter().map(|gap| gap - self.slack).collect(),
        });
        self.origins.push(self.asked.len() - 1);
        self.predictors.push(predictor);
        self.decisions.push(decisions);
        Ok(self.best_against(multipliers))
    }

    /// Multipliers to try beside these: weaker and stronger ones, and those half way between what the classifier with the
    /// most of the best mixture answered and what others of it did.
    fn around(&self, multipliers: &[f64]) -> Vec<Vec<f64>> {
        let mut around: Vec<Vec<f64>> =
            NEARBY.iter().map(|factor| multipliers.iter().map(|m| m * factor).collect()).collect();
        let mut mixed: Vec<(usize, f64)> = self.origins.iter().copied().zip(self.shares.iter().copied()).collect();
        mixed.retain(|(_, share)| *share > 0.0);
        mixed.sort_by(|a, b| b.1.total_cmp(&a.1));
        if let Some((most, others)) = mixed.split_first() {
            let asked = |of: &(usize, f64)| self.asked[of.0].0.iter().copied();
            let half_way = |other| asked(most).zip(asked(other)).map(|(a, b)| f64::midpoint(a, b)).collect();
            around.extend(others.iter().take(MIXED).map(half_way));
        }
        around
    }

    /// The model of the multipliers nearest to these, to start from.
    fn nearest(&self, multipliers: &[f64]) -> Option<&L::Model> {
        let apart = |asked: &[f64]| asked.iter().zip(multipliers).map(|(a, b)| (a - b).abs()).sum::<f64>();
        let models = self.asked.iter().filter_map(|(asked, model)| Some((apart(asked), model.as_ref()?)));
        models.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, model)| model)
    }

    /// The best of all classifiers so far against some multipliers.
    fn best_against(&self, multipliers: &[f64]) -> usize {
        let value = |at: &usize| self.lagrangian(*at, multipliers);
        (0..self.columns.len()).min_by(|a, b| value(a).total_cmp(&value(b))).unwrap_or(0)
    }

    /// Error plus multiplied constraints of one classifier.
    fn lagrangian(&self, at: usize, multipliers: &[f64]) -> f64 {
        let column = &self.columns[at];
        column.error + column.excess.iter().zip(multipliers).map(|(excess, m)| excess * m).sum::<f64>()
    }

    /// The error of a mixture, and how far the worst constraint is past its slack.
    fn of_mixture(&self, shares: &[f64]) -> (f64, f64) {
        let error = shares.iter().zip(&self.columns).map(|(s, c)| s * c.error).sum();
        let excess = |at: usize| shares.iter().zip(&self.columns).map(|(s, c)| s * c.excess[at]).sum::<f64>();
        (error, (0..self.problem.len()).map(excess).fold(f64::NEG_INFINITY, f64::max))
    }

    fn value(&self, shares: &[f64], bound: f64) -> f64 {
        let (error, excess) = self.of_mixture(shares);
        error + bound * excess.max(0.0)
    }

    /// Takes a mixture where it is nearer to the best that there can be.
    fn offer(&mut self, shares: Vec<f64>, high: f64, gap: f64) {
        // Of several that nothing is known to better, the best.
        let better =
            if gap <= self.tolerance && self.gap <= self.tolerance { high < self.high } else { gap < self.gap };
        if better {
            (self.shares, self.high, self.gap) = (shares, high, gap);
        }
        let (error, excess) = self.of_mixture(&self.shares);
        self.history.push([error, excess + self.slack, self.gap]);
    }

    fn finish(self, asked: &ExponentiatedGradient, attributes: Vec<String>) -> Reduced<L::Model> {
        let mut expected = vec![0.0; self.features.nrows()];
        for (share, decisions) in self.shares.iter().zip(&self.decisions) {
            expected.iter_mut().zip(decisions).for_each(|(e, d)| *e += if *d { *share } else { 0.0 });
        }
        let worst = |at: usize| {
            let excess = self.columns[at].excess.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            (excess.max(0.0), self.columns[at].error)
        };
        let told = |at: usize| {
            let excess = self.columns[at].excess.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            [self.columns[at].error, excess + self.slack]
        };
        let best = (0..self.columns.len()).min_by(|a, b| {
            let (a, b) = (worst(*a), worst(*b));
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
        });
        let best = best.unwrap_or(0);
        let (error, excess) = self.of_mixture(&self.shares);
        let summary = ReductionSummary {
            constraint: asked.constraint,
            slack: asked.slack,
            attributes,
            error,
            violation: excess + self.slack,
            gap: self.gap,
            tolerance: self.tolerance,
            converged: self.gap <= self.tolerance,
            groups: self.problem.told(&expected),
            unconstrained: told(0),
            deterministic: told(best),
            history: self.history,
            fits: self.fits,
        };
        let best = self.predictors[best].clone();
        let mixture = self.predictors.into_iter().zip(self.shares).filter(|(_, share)| *share > 1e-12).collect();
        Reduced { mixture, best, summary }
    }
}
