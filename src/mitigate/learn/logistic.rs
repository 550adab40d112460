//! Logistic regression that reads weights.

use linfa::ParamGuard;
use linfa::dataset::{AsSingleTargets, DatasetBase};
use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array1, Array2, ArrayBase, ArrayView1, ArrayView2, Axis, Data, Ix2, Slice};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Learner, Scorer};
use crate::mitigate::newton::{Local, minimize};
use crate::{Error, Place, Result};

/// The largest component that the gradient may keep, per unit of weight.
const TOLERANCE: f64 = 1e-9;
/// The same for a fit that starts from another one: its labels and weights are a step on a way, not the end of it.
const AGAIN: f64 = 1e-6;
/// A fit that stops short of it, but not further than this from it, is near enough for rounding to be the reason.
const NEAR: f64 = 1e-6;
/// Rows worked on at once, in the cache.
const BLOCK: usize = 512;
/// Rows that a thread works on at once.
const TASK: usize = 16 * BLOCK;

/// The parameters of a weighted logistic regression, checked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LogisticParams {
    penalty: f64,
    intercept: bool,
}

/// A logistic regression with weights and an L2 penalty, unlike linfa's, which ignores weights.
///
/// It finds the intercept b and the coefficients β that make
/// `Σ w ln(1 + exp(−s (b + β'x))) + ½ penalty Σ β²` least, s being 1 for a favourable label and −1 for another: as
/// scikit-learn's with `C = 1 / penalty`. Newton's method, in features that are standardised for it and given back on their
/// own scale; the penalty is on the coefficients as given. A feature that depends on others gets a coefficient of 0 where
/// there is no penalty.
///
/// # References
/// McCullagh, Nelder (1989), Generalized linear models, 2nd edition, chapter 4.
///
/// # Examples
/// ```
/// use evenhand::mitigate::learn::{Learner, Logistic, Scorer};
/// use ndarray::array;
/// let features = array![[0.0], [0.0], [1.0], [1.0]];
/// let labels = [false, true, false, true];
/// let model = Logistic::new().penalty(0.0).fit(features.view(), &labels, &[3.0, 1.0, 1.0, 4.0])?;
/// let scores = model.scores(features.view());
/// assert!((scores[0] - 0.25).abs() < 1e-9 && (scores[2] - 0.8).abs() < 1e-9);
/// # Ok::<(), evenhand::Error>(())
/// ```
///
/// As any learner of linfa, which reads the weights of the dataset:
/// ```
/// use evenhand::mitigate::learn::Logistic;
/// use linfa::prelude::*;
/// use ndarray::array;
/// let train = Dataset::new(array![[0.0], [0.0], [1.0], [1.0]], array![false, true, false, true])
///     .with_weights(array![3.0, 1.0, 1.0, 4.0]);
/// let model = linfa::traits::Fit::fit(&Logistic::new(), &train)?;
/// assert_eq!(model.predict(&array![[0.0], [1.0]]), array![false, true]);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Logistic(LogisticParams);

impl Default for Logistic {
    fn default() -> Self {
        Self::new()
    }
}

impl Logistic {
    /// With an intercept and a penalty of 1.
    pub fn new() -> Self {
        Logistic(LogisticParams { penalty: 1.0, intercept: true })
    }

    /// How much coefficients are held towards 0, at least 0: 1 if not set.
    #[must_use]
    pub fn penalty(mut self, penalty: f64) -> Self {
        self.0.penalty = penalty;
        self
    }

    /// Whether there is an intercept, which no penalty holds: yes if not set.
    #[must_use]
    pub fn intercept(mut self, yes: bool) -> Self {
        self.0.intercept = yes;
        self
    }
}

impl ParamGuard for Logistic {
    type Checked = LogisticParams;
    type Error = Error;

    fn check_ref(&self) -> Result<&LogisticParams> {
        match self.0.penalty {
            penalty if penalty >= 0.0 && penalty.is_finite() => Ok(&self.0),
            penalty => Err(Error::setting("the penalty", penalty, "a finite number of at least 0")),
        }
    }

    fn check(self) -> Result<LogisticParams> {
        self.check_ref()?;
        Ok(self.0)
    }
}

/// A fitted logistic regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogisticModel {
    /// The log-odds of a favourable label where all features are 0.
    pub intercept: f64,
    /// What each feature adds to the log-odds, by its unit.
    pub coefficients: Vec<f64>,
    /// Newton steps that it took.
    pub steps: usize,
}

impl LogisticModel {
    /// The log-odds of a favourable label for each row.
    pub fn log_odds(&self, features: ArrayView2<f64>) -> Vec<f64> {
        (features.dot(&ArrayView1::from(&self.coefficients[..])) + self.intercept).into_raw_vec_and_offset().0
    }
}

impl Scorer for LogisticModel {
    fn scores(&self, features: ArrayView2<f64>) -> Vec<f64> {
        self.log_odds(features).into_iter().map(|u| 1.0 / (1.0 + (-u).exp())).collect()
    }
}

impl Learner for Logistic {
    type Model = LogisticModel;

    fn fit(&self, features: ArrayView2<f64>, labels: &[bool], weights: &[f64]) -> Result<LogisticModel> {
        self.check_ref()?.fit_from(features, labels, weights, None)
    }

    fn refit(
        &self,
        last: &LogisticModel,
        features: ArrayView2<f64>,
        labels: &[bool],
        weights: &[f64],
    ) -> Result<LogisticModel> {
        self.check_ref()?.fit_from(features, labels, weights, Some(last))
    }
}

impl<D, T> Fit<ArrayBase<D, Ix2>, T, Error> for LogisticParams
where
    D: Data<Elem = f64>,
    T: AsSingleTargets<Elem = bool>,
{
    type Object = LogisticModel;

    /// Weights of the dataset count; without any, each row weighs 1.
    ///
    /// # Errors
    /// As [`Learner::fit`] of [`Logistic`].
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<LogisticModel> {
        let labels: Vec<bool> = dataset.as_single_targets().iter().copied().collect();
        let weights: Vec<f64> = match dataset.weights() {
            Some(weights) => weights.iter().map(|w| f64::from(*w)).collect(),
            None => vec![1.0; labels.len()],
        };
        self.fit_from(dataset.records().view(), &labels, &weights, None)
    }
}

impl<D: Data<Elem = f64>> PredictInplace<ArrayBase<D, Ix2>, Array1<bool>> for LogisticModel {
    fn predict_inplace(&self, records: &ArrayBase<D, Ix2>, decisions: &mut Array1<bool>) {
        for (decision, score) in decisions.iter_mut().zip(self.log_odds(records.view())) {
            *decision = score >= 0.0;
        }
    }

    fn default_target(&self, records: &ArrayBase<D, Ix2>) -> Array1<bool> {
        Array1::from_elem(records.nrows(), false)
    }
}

/// The rows of a fit. Features are standardised as they are read, with a column of ones in front.
struct Rows<'a> {
    features: ArrayView2<'a, f64>,
    intercept: bool,
    centers: Vec<f64>,
    scales: Vec<f64>,
    labels: &'a [bool],
    /// Shares of the weight.
    shares: Vec<f64>,
    /// The penalty of each standardised coefficient, per unit of weight.
    penalty: Vec<f64>,
}

impl LogisticParams {
    fn fit_from(
        &self,
        features: ArrayView2<f64>,
        labels: &[bool],
        weights: &[f64],
        last: Option<&LogisticModel>,
    ) -> Result<LogisticModel> {
        let total = check(features, labels, weights)?;
        let shares: Vec<f64> = weights.iter().map(|w| w / total).collect();
        let [centers, scales] = standard(features, &shares, self.intercept);
        let held = scales.iter().map(|scale| self.penalty / total / (scale * scale));
        let penalty = std::iter::once(0.0).chain(held).collect();
        let rows =
            Rows { features: features.view(), intercept: self.intercept, centers, scales, labels, shares, penalty };
        let (centers, scales) = (&rows.centers, &rows.scales);
        let mut start = vec![0.0; features.ncols() + 1];
        let mut tolerance = TOLERANCE;
        if let Some(last) = last.filter(|last| last.coefficients.len() == features.ncols()) {
            tolerance = AGAIN;
            start[0] = last.intercept + last.coefficients.iter().zip(centers).map(|(b, c)| b * c).sum::<f64>();
            for at in 0..scales.len() {
                start[at + 1] = if scales[at].is_finite() { last.coefficients[at] * scales[at] } else { 0.0 };
            }
        }
        let found = minimize(start, tolerance, |at| rows.local(at));
        let far = found.at.iter().any(|b| !b.is_finite()) || found.steepest > tolerance.max(NEAR);
        // Without a penalty, coefficients of separable labels have no end; scores of 0 and 1 tell.
        let apart = self.penalty == 0.0 && rows.are_apart(&found.at);
        if far || apart {
            return Err(Error::setting(
                "the penalty",
                self.penalty,
                "more than 0: the features tell the labels apart, so that coefficients have no end",
            ));
        }
        let coefficients: Vec<f64> = found.at[1..].iter().zip(scales).map(|(b, s)| b / s).collect();
        let intercept = found.at[0] - coefficients.iter().zip(centers).map(|(b, c)| b * c).sum::<f64>();
        Ok(LogisticModel { intercept, coefficients, steps: found.steps })
    }
}

/// Each feature's weighted mean, 0 where no intercept can take it up, and its spread about that. The spread of a constant
/// feature is infinite: centred it is 0, and so is its coefficient.
fn standard(features: ArrayView2<f64>, shares: &[f64], intercept: bool) -> [Vec<f64>; 2] {
    let tasks = features.nrows().div_ceil(TASK);
    let sums = |of: &(dyn Fn(f64, usize) -> f64 + Sync)| -> Vec<f64> {
        let part = |task: usize| {
            let mut sums = vec![0.0; features.ncols()];
            let shares = shares.chunks(TASK).nth(task).unwrap_or_default();
            for (share, row) in shares.iter().zip(task * TASK..) {
                for ((at, sum), x) in sums.iter_mut().enumerate().zip(features.row(row)) {
                    *sum += share * of(*x, at);
                }
            }
            sums
        };
        let parts: Vec<Vec<f64>> = (0..tasks).into_par_iter().map(part).collect();
        (0..features.ncols()).map(|at| parts.iter().map(|part| part[at]).sum()).collect()
    };
    let centers = if intercept { sums(&|x, _| x) } else { vec![0.0; features.ncols()] };
    let squares = sums(&|x, at| (x - centers[at]) * (x - centers[at]));
    let spread = |(square, center): (f64, &f64)| {
        if square > 1e-24 * (center * center).max(f64::MIN_POSITIVE) { square.sqrt() } else { f64::INFINITY }
    };
    let scales = squares.into_iter().zip(&centers).map(spread).collect();
    [centers, scales]
}

/// Checks the rows; answers the sum of the weights.
fn check(features: ArrayView2<f64>, labels: &[bool], weights: &[f64]) -> Result<f64> {
    let expected = features.nrows();
    for (column, rows) in [("label", labels.len()), ("weight", weights.len())] {
        if rows != expected {
            return Err(Error::UnequalLengths { column: column.into(), rows, expected });
        }
    }
    let bad = |column: String, row: usize, value: f64, expected| Error::BadNumber {
        column,
        value: value.to_string(),
        place: Place::row(row),
        expected,
    };
    if !features.iter().all(|value| value.is_finite())
        && let Some(((row, at), value)) = features.indexed_iter().find(|(_, value)| !value.is_finite())
    {
        return Err(bad(format!("feature {}", at + 1), row, *value, "a finite number"));
    }
    if let Some(row) = weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
        return Err(bad("weight".into(), row, weights[row], "a finite weight of at least 0"));
    }
    let of = |label: bool| -> f64 { labels.iter().zip(weights).filter(|(l, _)| **l == label).map(|(_, w)| w).sum() };
    match [of(true), of(false)] {
        [favorable, _] if favorable <= 0.0 => Err(one_label("unfavourable")),
        [_, unfavorable] if unfavorable <= 0.0 => Err(one_label("favourable")),
        [favorable, unfavorable] => Ok(favorable + unfavorable),
    }
}

fn one_label(only: &'static str) -> Error {
    let problem = match only {
        "favourable" => "all rows with a weight have a favourable label; a model needs both",
        _ => "no row with a weight has a favourable label; a model needs both",
    };
    Error::Nothing { problem, place: Place::default() }
}

impl Rows<'_> {
    /// Parts of rows, whose sums are added in their order: so they are the same on any number of threads.
    fn local(&self, at: &[f64]) -> Local {
        let n = at.len();
        let tasks = self.labels.len().div_ceil(TASK);
        let parts: Vec<_> = (0..tasks).into_par_iter().map(|task| self.part(task, ArrayView1::from(at))).collect();
        let (mut value, mut gradient) = (0.0, Array1::<f64>::zeros(n));
        let mut curvature = Array2::<f64>::zeros((n, n));
        for part in parts {
            value += part.0;
            gradient += &part.1;
            curvature += &part.2;
        }
        for (i, penalty) in self.penalty.iter().enumerate().filter(|(_, penalty)| **penalty > 0.0) {
            value += 0.5 * penalty * at[i] * at[i];
            gradient[i] += penalty * at[i];
            curvature[[i, i]] += penalty;
        }
        Local { value, gradient: gradient.to_vec(), curvature }
    }

    fn part(&self, task: usize, at: ArrayView1<f64>) -> (f64, Array1<f64>, Array2<f64>) {
        let n = at.len();
        let (mut value, mut gradient, mut curvature) = (0.0, Array1::zeros(n), Array2::zeros((n, n)));
        let end = self.labels.len().min((task + 1) * TASK);
        for from in (task * TASK..end).step_by(BLOCK) {
            let mut columns = self.standardized(from, end.min(from + BLOCK));
            let mut slopes = at.dot(&columns);
            let mut roots = Array1::zeros(slopes.len());
            for ((u, root), row) in slopes.iter_mut().zip(&mut roots).zip(from..) {
                let (share, label) = (self.shares[row], self.labels[row]);
                // One power serves the score, from its smaller side, and its logarithm, kept from overflow.
                let power = (-u.abs()).exp();
                let small = power / (1.0 + power);
                let score = if *u > 0.0 { 1.0 - small } else { small };
                let wrong = if label { (-*u).max(0.0) } else { u.max(0.0) };
                value += share * (wrong + power.ln_1p());
                *root = (share * small * (1.0 - small)).sqrt();
                *u = share * if label { score - 1.0 } else { score };
            }
            for (sum, column) in gradient.iter_mut().zip(columns.outer_iter()) {
                *sum += column.dot(&slopes);
            }
            // Columns scaled by the roots of the curvature, whose products it is the sum of.
            for mut column in columns.outer_iter_mut() {
                column *= &roots;
            }
            for i in 0..n {
                for j in 0..=i {
                    curvature[[i, j]] += columns.row(i).dot(&columns.row(j));
                }
            }
        }
        for i in 0..n {
            for j in i + 1..n {
                curvature[[i, j]] = curvature[[j, i]];
            }
        }
        (value, gradient, curvature)
    }

    /// The features of some rows, a row of the answer each, after one of ones.
    fn standardized(&self, from: usize, to: usize) -> Array2<f64> {
        let mut columns = Array2::zeros((self.centers.len() + 1, to - from));
        if self.intercept {
            columns.row_mut(0).fill(1.0);
        }
        let block = self.features.slice_axis(Axis(0), Slice::from(from..to));
        let made = columns.outer_iter_mut().skip(1).zip(block.axis_iter(Axis(1)));
        for ((mut made, given), (center, scale)) in made.zip(self.centers.iter().zip(&self.scales)) {
            let factor = scale.recip();
            made.iter_mut().zip(given).for_each(|(out, x)| *out = (x - center) * factor);
        }
        columns
    }

    /// Whether every row with weight has a score that is all but its label.
    fn are_apart(&self, at: &[f64]) -> bool {
        let scores = ArrayView1::from(at).dot(&self.standardized(0, self.labels.len()));
        let rows = scores.iter().zip(self.labels).zip(&self.shares).filter(|(_, share)| **share > 0.0);
        rows.map(|((u, label), _)| if *label { *u } else { -*u }).all(|margin| margin > 12.0)
    }
}
