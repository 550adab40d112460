//! Logistic regression that reads weights.

use linfa::ParamGuard;
use linfa::dataset::{AsSingleTargets, DatasetBase};
use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array1, Array2, ArrayBase, ArrayView1, ArrayView2, Axis, Data, Ix2};
use serde::{Deserialize, Serialize};

use super::{Learner, Scorer};
use crate::mitigate::newton::{Local, minimize};
use crate::{Error, Place, Result};

/// The largest component that the gradient may keep, per unit of weight.
const TOLERANCE: f64 = 1e-9;
/// A fit that stops short of it, but not further than this from it, is near enough for rounding to be the reason.
const NEAR: f64 = 1e-6;
/// Rows worked on at once, in the cache.
const BLOCK: usize = 512;

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

/// The rows of a fit: standardised features with a column of ones in front.
struct Rows<'a> {
    columns: Array2<f64>,
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
        // Features are centred only where an intercept can take it up.
        let mean = |x: ArrayView1<f64>| -> f64 { x.iter().zip(&shares).map(|(x, s)| x * s).sum() };
        let centers: Vec<f64> = match self.intercept {
            true => features.axis_iter(Axis(1)).map(mean).collect(),
            false => vec![0.0; features.ncols()],
        };
        let spread = |(x, center): (ArrayView1<f64>, &f64)| {
            let square: f64 = x.iter().zip(&shares).map(|(x, s)| s * (x - center) * (x - center)).sum();
            // A constant feature is left as it is: centred it is 0, and so is its coefficient.
            if square > 1e-24 * (center * center).max(f64::MIN_POSITIVE) { square.sqrt() } else { f64::INFINITY }
        };
        let scales: Vec<f64> = features.axis_iter(Axis(1)).zip(&centers).map(spread).collect();
        let mut columns = Array2::ones((features.nrows(), features.ncols() + 1));
        for (mut row, given) in columns.outer_iter_mut().zip(features.outer_iter()) {
            for (at, x) in given.iter().enumerate() {
                row[at + 1] = (x - centers[at]) / scales[at];
            }
            if !self.intercept {
                row[0] = 0.0;
            }
        }
        let held = scales.iter().map(|scale| self.penalty / total / (scale * scale));
        let penalty = std::iter::once(0.0).chain(held).collect();
        let rows = Rows { columns, labels, shares, penalty };
        let mut start = vec![0.0; features.ncols() + 1];
        if let Some(last) = last.filter(|last| last.coefficients.len() == features.ncols()) {
            start[0] = last.intercept + last.coefficients.iter().zip(&centers).map(|(b, c)| b * c).sum::<f64>();
            for at in 0..scales.len() {
                start[at + 1] = if scales[at].is_finite() { last.coefficients[at] * scales[at] } else { 0.0 };
            }
        }
        let found = minimize(start, TOLERANCE, |at| rows.local(at));
        let steepest = rows.local(&found.at).gradient.iter().fold(0.0f64, |most, g| most.max(g.abs()));
        let far = found.at.iter().any(|b| !b.is_finite()) || steepest.is_nan() || steepest > NEAR;
        // Without a penalty, coefficients of separable labels have no end; scores of 0 and 1 tell.
        let apart = self.penalty == 0.0 && rows.are_apart(&found.at);
        if far || apart {
            return Err(Error::setting(
                "the penalty",
                self.penalty,
                "more than 0: the features tell the labels apart, so that coefficients have no end",
            ));
        }
        let coefficients: Vec<f64> = found.at[1..].iter().zip(&scales).map(|(b, s)| b / s).collect();
        let intercept = found.at[0] - coefficients.iter().zip(&centers).map(|(b, c)| b * c).sum::<f64>();
        Ok(LogisticModel { intercept, coefficients, steps: found.steps })
    }
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
    if let Some(((row, at), value)) = features.indexed_iter().find(|(_, value)| !value.is_finite()) {
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
    fn local(&self, at: &[f64]) -> Local {
        let n = at.len();
        let at_view = ArrayView1::from(at);
        let (mut value, mut gradient) = (0.0, Array1::<f64>::zeros(n));
        let mut curvature = Array2::<f64>::zeros((n, n));
        let mut from = 0;
        for block in self.columns.axis_chunks_iter(Axis(0), BLOCK) {
            let to = from + block.nrows();
            let mut slopes = block.dot(&at_view);
            // Rows scaled by the roots of their curvature, whose squares are a product of matrices.
            let mut scaled = block.to_owned();
            for ((u, mut row), row_at) in slopes.iter_mut().zip(scaled.outer_iter_mut()).zip(from..to) {
                let share = self.shares[row_at];
                let score = 1.0 / (1.0 + (-*u).exp());
                let signed = if self.labels[row_at] { -*u } else { *u };
                // ln(1 + exp(v)), kept from overflow.
                value += share * (signed.max(0.0) + (-signed.abs()).exp().ln_1p());
                row *= (share * score * (1.0 - score)).sqrt();
                *u = share * (score - f64::from(u8::from(self.labels[row_at])));
            }
            gradient += &block.t().dot(&slopes);
            curvature += &scaled.t().dot(&scaled);
            from = to;
        }
        for (i, penalty) in self.penalty.iter().enumerate().filter(|(_, penalty)| **penalty > 0.0) {
            value += 0.5 * penalty * at[i] * at[i];
            gradient[i] += penalty * at[i];
            curvature[[i, i]] += penalty;
        }
        Local { value, gradient: gradient.to_vec(), curvature }
    }

    /// Whether every row with weight has a score that is all but its label.
    fn are_apart(&self, at: &[f64]) -> bool {
        let scores = self.columns.dot(&ArrayView1::from(at));
        let rows = scores.iter().zip(self.labels).zip(&self.shares).filter(|(_, share)| **share > 0.0);
        rows.map(|((u, label), _)| if *label { *u } else { -*u }).all(|margin| margin > 12.0)
    }
}
