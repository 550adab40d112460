//! What trains a model on weighted rows: the one trait behind which any learner stands.
//!
//! Weights mend nothing that a learner does not read. Of those of `linfa` 0.8, as tests of this crate try them:
//!
//! | learner | reads weights |
//! |---|---|
//! | `linfa_trees::DecisionTree` | yes |
//! | `linfa_logistic::LogisticRegression` | no |
//! | `linfa_svm::Svm` | no |
//! | `linfa_bayes::GaussianNb` | no |
//! | [`Logistic`] of this crate | yes |
//!
//! None of those that do not says so. [`require_weights`] fits a learner twice and fails where weights change nothing;
//! [`Resampled`] lets a learner feel them all the same, by rows drawn in proportion.

mod adapters;
mod honours;
mod logistic;
#[cfg(test)]
mod tests;

pub use adapters::{Linfa, Resampled};
pub use honours::{WeightCheck, check_weights, require_weights};
pub use logistic::{Logistic, LogisticModel, LogisticParams};

use ndarray::ArrayView2;

use crate::Result;

/// Something that fits a model of a label to weighted rows.
///
/// A function of features, labels and weights is one; so are the adapters of `linfa` learners in this room. A learner that
/// does not read weights must not be passed by a function that ignores them: [`Resampled`] draws its rows by them.
///
/// # Examples
/// ```
/// use evenhand::mitigate::learn::{Learner, Scorer};
/// use ndarray::{ArrayView2, array};
///
/// // The weighted share of favourable labels, whatever the features.
/// let share = |_: ArrayView2<f64>, labels: &[bool], weights: &[f64]| {
///     let favorable: f64 = labels.iter().zip(weights).filter(|(label, _)| **label).map(|(_, w)| w).sum();
///     let share = favorable / weights.iter().sum::<f64>();
///     Ok(move |rows: ArrayView2<f64>| vec![share; rows.nrows()])
/// };
/// let features = array![[1.0], [2.0]];
/// let model = share.fit(features.view(), &[true, false], &[3.0, 1.0])?;
/// assert_eq!(model.scores(features.view()), [0.75, 0.75]);
/// # Ok::<(), evenhand::Error>(())
/// ```
pub trait Learner: Sync {
    /// What it fits.
    type Model: Scorer;

    /// Fits a model: features (a row for each person, finite), whether each row's label is favourable, and each row's
    /// weight (finite, at least 0, not all 0). All three have the same rows.
    ///
    /// # Errors
    /// What the learner cannot do, named.
    fn fit(&self, features: ArrayView2<f64>, labels: &[bool], weights: &[f64]) -> Result<Self::Model>;

    /// Fits anew where a model of like rows is known, from which a learner may start. The model is that of
    /// [`fit`](Self::fit), to a precision that decisions hardly feel: training under a constraint asks for many.
    ///
    /// # Errors
    /// As for [`fit`](Self::fit).
    fn refit(
        &self,
        last: &Self::Model,
        features: ArrayView2<f64>,
        labels: &[bool],
        weights: &[f64],
    ) -> Result<Self::Model> {
        let _ = last;
        self.fit(features, labels, weights)
    }
}

/// A fitted model: a score in [0, 1] for each row, larger where the label is more likely favourable. It decides for a row
/// whose score is at least a half.
pub trait Scorer: Send + Sync {
    /// The score of each row.
    fn scores(&self, features: ArrayView2<f64>) -> Vec<f64>;

    /// Whether each row's score is at least a half.
    fn decisions(&self, features: ArrayView2<f64>) -> Vec<bool> {
        self.scores(features).into_iter().map(|score| score >= 0.5).collect()
    }
}

impl<F, M> Learner for F
where
    F: Fn(ArrayView2<f64>, &[bool], &[f64]) -> Result<M> + Sync,
    M: Scorer,
{
    type Model = M;

    fn fit(&self, features: ArrayView2<f64>, labels: &[bool], weights: &[f64]) -> Result<M> {
        self(features, labels, weights)
    }
}

impl<F> Scorer for F
where
    F: Fn(ArrayView2<f64>) -> Vec<f64> + Send + Sync,
{
    fn scores(&self, features: ArrayView2<f64>) -> Vec<f64> {
        self(features)
    }
}
