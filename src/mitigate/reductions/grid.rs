//! Grid search: a classifier for each point of a grid of multipliers, and the one that trades error and violation best.

use ndarray::{ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::constraint::Problem;
use super::{Constraint, Game, Predictor, groups_of};
use crate::data::Batch;
use crate::mitigate::learn::Learner;
use crate::{Error, Result};

/// Trains one classifier for each of a grid of multipliers, and chooses one of them: no draw is needed to decide.
///
/// Multipliers are the points of a lattice whose sizes add up to at most the limit. It has a dimension for each event and
/// group, so that it is for few groups. The classifier with the least `(1 − weight) · error + weight · violation` is taken.
///
/// # References
/// Agarwal and others (2018), A reductions approach to fair classification, ICML, section 3.4.
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical};
/// use evenhand::mitigate::learn::Logistic;
/// use evenhand::mitigate::reductions::{Constraint, GridSearch};
/// use ndarray::Array2;
/// // Men score higher on a feature that says something, not all, of who responds.
/// let x = |i: usize| ((i * 37) % 97) as f64 / 97.0 + if i % 2 == 0 { 0.0 } else { 0.3 };
/// let sex = (0..400).map(|i| if i % 2 == 0 { "f" } else { "m" });
/// let responded: Vec<bool> = (0..400).map(|i| x(i) + ((i * 53) % 31) as f64 / 31.0 > 1.1).collect();
/// let features = Array2::from_shape_fn((400, 2), |(i, j)| if j == 0 { x(i) } else { (i % 2) as f64 });
/// let batch = Batch::builder().attribute(Categorical::from_values("sex", sex)).label(&responded).build()?;
/// let search = GridSearch::new(Constraint::DemographicParity).points(40);
/// let found = search.fit(&Logistic::new(), features.view(), &batch)?;
/// assert!(found.points[found.chosen].violation < found.points[found.unconstrained].violation);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct GridSearch {
    constraint: Constraint,
    attributes: Vec<String>,
    points: usize,
    limit: f64,
    weight: f64,
}

/// A point of the grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GridPoint {
    /// The multipliers, by event, then by group.
    pub multipliers: Vec<f64>,
    /// The weighted share of errors of the classifier that answers them, on the training rows.
    pub error: f64,
    /// How far the group furthest off is from what it is held to.
    pub violation: f64,
}

/// What a grid search found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Searched<M> {
    /// The classifier of each point.
    pub predictors: Vec<Predictor<M>>,
    /// The points.
    pub points: Vec<GridPoint>,
    /// The number of the point that was chosen.
    pub chosen: usize,
    /// The number of the point without multipliers.
    pub unconstrained: usize,
}

impl<M> Searched<M> {
    /// The classifier that was chosen.
    pub fn best(&self) -> &Predictor<M> {
        &self.predictors[self.chosen]
    }
}

impl GridSearch {
    /// Groups by all attributes of the batch, ten points or some more, multipliers of up to 2, error and violation alike.
    pub fn new(constraint: Constraint) -> Self {
        GridSearch { constraint, attributes: Vec::new(), points: 10, limit: 2.0, weight: 0.5 }
    }

    /// Only these attributes make the groups.
    #[must_use]
    pub fn attributes<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.attributes = names.into_iter().map(Into::into).collect();
        self
    }

    /// At least how many points, from 1 to 100,000; the lattice has as many as its spacing makes.
    #[must_use]
    pub fn points(mut self, points: usize) -> Self {
        self.points = points;
        self
    }

    /// What the sizes of multipliers add up to at most, above 0.
    #[must_use]
    pub fn limit(mut self, limit: f64) -> Self {
        self.limit = limit;
        self
    }

    /// How much the violation counts against the error in the choice, in [0, 1].
    #[must_use]
    pub fn violation_weight(mut self, weight: f64) -> Self {
        self.weight = weight;
        self
    }

    /// Trains a classifier for each point.
    ///
    /// # Errors
    /// As for [`ExponentiatedGradient::fit`](super::ExponentiatedGradient::fit).
    pub fn fit<L: Learner>(&self, learner: &L, features: ArrayView2<f64>, batch: &Batch) -> Result<Searched<L::Model>>
    where
        L::Model: Clone,
    {
        if !(self.limit > 0.0 && self.limit.is_finite()) {
            return Err(Error::setting("the limit of multipliers", self.limit, "a number above 0"));
        }
        if !(0.0..=1.0).contains(&self.weight) {
            return Err(Error::setting("the weight of violations", self.weight, "a number from 0 to 1"));
        }
        if !(1..=100_000).contains(&self.points) {
            return Err(Error::setting("the number of points", self.points, "from 1 to 100000"));
        }
        let groups = groups_of(features, batch, &self.attributes)?;
        let problem = Problem::new(self.constraint, &groups, batch)?;
        let features = features.select(Axis(0), &problem.rows);
        let mut game = Game::new(learner, features.view(), &problem, 0.0);
        let (mut points, mut predictors) = (Vec::new(), Vec::new());
        let one_sided = matches!(self.constraint, Constraint::BoundedGroupLoss(_));
        let lattice = lattice(problem.sides(), self.points, one_sided);
        let unconstrained = lattice.iter().position(|point| point.iter().all(|m| *m == 0)).unwrap_or(0);
        let units = lattice.iter().map(|p| p.iter().map(|m| m.unsigned_abs()).sum::<u64>()).max().unwrap_or(1).max(1);
        for point in lattice {
            let multipliers: Vec<f64> = point.iter().map(|m| *m as f64 * self.limit / units as f64).collect();
            let mut held: Vec<f64> = multipliers.iter().map(|m| m.max(0.0)).collect();
            if !one_sided {
                held.extend(multipliers.iter().map(|m| (-m).max(0.0)));
            }
            let answer = game.answer(&held)?;
            let column = &game.columns[answer];
            let violation = column.excess.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            points.push(GridPoint { multipliers, error: column.error, violation });
            predictors.push(game.predictors[answer].clone());
        }
        let traded = |point: &GridPoint| (1.0 - self.weight) * point.error + self.weight * point.violation.max(0.0);
        let least = (0..points.len()).min_by(|a, b| traded(&points[*a]).total_cmp(&traded(&points[*b])));
        Ok(Searched { predictors, points, chosen: least.unwrap_or(0), unconstrained })
    }
}

/// The whole points whose sizes add up to the least radius that holds enough of them, at least 1.
fn lattice(dimensions: usize, wanted: usize, positive: bool) -> Vec<Vec<i64>> {
    let mut radius = 1;
    loop {
        let mut points = Vec::new();
        extend(&mut Vec::new(), dimensions, radius, positive, wanted.saturating_mul(64).max(4096), &mut points);
        // In many dimensions the least radius has points enough, and no end of them is of use.
        if points.len() >= wanted {
            return points;
        }
        radius += 1;
    }
}

fn extend(point: &mut Vec<i64>, dimensions: usize, left: i64, positive: bool, most: usize, points: &mut Vec<Vec<i64>>) {
    if points.len() >= most {
        return;
    }
    if point.len() == dimensions {
        points.push(point.clone());
        return;
    }
    for value in if positive { 0 } else { -left }..=left {
        point.push(value);
        extend(point, dimensions, left - value.abs(), positive, most, points);
        point.pop();
    }
}
