//! Logistic regression that reads weights.

mod rows;

use linfa::ParamGuard;
use linfa::dataset::{AsSingleTargets, DatasetBase};
use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array1, ArrayBase, ArrayView1, ArrayView2, Axis, Data, Ix2, Slice};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Learner, Scorer};
use crate::{Error, Place, Result};
use rows::{MANY, Rows};

/// The largest component that the gradient may keep, per unit of weight.
const TOLERANCE: f64 = 1e-9;
/// The same for a fit that starts from another one: its labels and weights are a step on a way, not the end of it.
const AGAIN: f64 = 1e-6;
/// Of many rows, a part of the standard error of a coefficient, which is some 1/√n.
const PART: f64 = 5e-3;
/// A fit that stops short of it, but not further than this from it, is near enough for rounding to be the reason.
const NEAR: f64 = 1e-6;
/// Rows that a thread works on at once.
const TASK: usize = 4096;

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
        let coefficients = ArrayView1::from(&self.coefficients[..]);
        let mut log_odds = vec![self.intercept; features.nrows()];
        log_odds.par_chunks_mut(TASK).enumerate().for_each(|(task, log_odds)| {
            let from = task * TASK;
            let rows = features.slice_axis(Axis(0), Slice::from(from..from + log_odds.len()));
            log_odds.iter_mut().zip(rows.outer_iter()).for_each(|(odds, row)| *odds += row.dot(&coefficients));
        });
        log_odds
    }
}

fn score(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

impl Scorer for LogisticModel {
    fn scores(&self, features: ArrayView2<f64>) -> Vec<f64> {
        self.log_odds(features).into_iter().map(score).collect()
    }

    fn decisions(&self, features: ArrayView2<f64>) -> Vec<bool> {
        // Only next to 0 does rounding have a say; elsewhere the sign tells, which costs less.
        let decide = |u: f64| if u.abs() > 1e-12 { u > 0.0 } else { score(u) >= 0.5 };
        self.log_odds(features).into_iter().map(decide).collect()
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
        let rows = Rows::new(features.view(), labels, shares, self.intercept, self.penalty / total);
        let (mut start, mut tolerance) = (vec![0.0; features.ncols() + 1], TOLERANCE);
        if let Some(last) = last.filter(|last| last.coefficients.len() == features.ncols()) {
            (start, tolerance) = (rows.inwards(last.intercept, &last.coefficients), AGAIN);
            if labels.len() >= MANY {
                tolerance = tolerance.max(PART / (labels.len() as f64).sqrt());
            }
        }
        let found = rows.fit(start, tolerance);
        let far = found.at.iter().any(|b| !b.is_finite()) || found.steepest > tolerance.max(NEAR);
        if far {
            // A number that is none spoils every sum that it is in: only then are all looked at.
            check_finite(features)?;
        }
        // Without a penalty, coefficients of separable labels have no end; scores of 0 and 1 tell.
        let apart = self.penalty == 0.0 && rows.are_apart(&found.at);
        if far || apart {
            return Err(Error::setting(
                "the penalty",
                self.penalty,
                "more than 0: the features tell the labels apart, so that coefficients have no end",
            ));
        }
        let (intercept, coefficients) = rows.outwards(&found.at);
        Ok(LogisticModel { intercept, coefficients, steps: found.steps })
    }
}

/// Checks labels and weights; answers the sum of the weights.
fn check(features: ArrayView2<f64>, labels: &[bool], weights: &[f64]) -> Result<f64> {
    let expected = features.nrows();
    for (column, rows) in [("label", labels.len()), ("weight", weights.len())] {
        if rows != expected {
            return Err(Error::UnequalLengths { column: column.into(), rows, expected });
        }
    }
    let is_weight = |w: &f64| w.is_finite() && *w >= 0.0;
    // The weights of unfavourable and of favourable labels, and whether all are weights.
    let part = |(labels, weights): (&[bool], &[f64])| {
        let (mut sums, mut fine) = ([0.0; 2], true);
        for (label, weight) in labels.iter().zip(weights) {
            let favorable = f64::from(u8::from(*label)) * weight;
            sums = [sums[0] + (weight - favorable), sums[1] + favorable];
            fine &= is_weight(weight);
        }
        (sums, fine)
    };
    let parts: Vec<([f64; 2], bool)> = labels.par_chunks(TASK).zip(weights.par_chunks(TASK)).map(part).collect();
    if parts.iter().any(|(_, fine)| !fine)
        && let Some(row) = weights.iter().position(|w| !is_weight(w))
    {
        return Err(bad_number("weight".into(), row, weights[row], "a finite weight of at least 0"));
    }
    let of = |label: bool| -> f64 { parts.iter().map(|(sums, _)| sums[usize::from(label)]).sum() };
    match [of(true), of(false)] {
        [favorable, _] if favorable <= 0.0 => Err(one_label("unfavourable")),
        [_, unfavorable] if unfavorable <= 0.0 => Err(one_label("favourable")),
        [favorable, unfavorable] => Ok(favorable + unfavorable),
    }
}

fn check_finite(features: ArrayView2<f64>) -> Result<()> {
    match features.indexed_iter().find(|(_, value)| !value.is_finite()) {
        Some(((row, at), value)) => Err(bad_number(format!("feature {}", at + 1), row, *value, "a finite number")),
        None => Ok(()),
    }
}

fn bad_number(column: String, row: usize, value: f64, expected: &'static str) -> Error {
    Error::BadNumber { column, value: value.to_string(), place: Place::row(row), expected }
}

fn one_label(only: &'static str) -> Error {
    let problem = match only {
        "favourable" => "all rows with a weight have a favourable label; a model needs both",
        _ => "no row with a weight has a favourable label; a model needs both",
    };
    Error::Nothing { problem, place: Place::default() }
}
