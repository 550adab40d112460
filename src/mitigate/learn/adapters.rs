//! Learners of `linfa` behind the trait: those that read weights, and those that need rows drawn by them.

use std::marker::PhantomData;

use linfa::dataset::DatasetBase;
use linfa::traits::Fit;
use ndarray::{Array1, Array2, ArrayView2, Axis};

use super::{Learner, Scorer};
use crate::mitigate::reweight::resample;
use crate::{Error, Result};

/// Parameters of a `linfa` learner that reads the weights of its dataset, as decision trees do. One that does not belongs
/// into [`Resampled`].
///
/// `scores` says how a fitted model scores rows, in [0, 1]: by its probabilities, or by its predictions as 0 and 1.
///
/// # Examples
/// ```
/// use evenhand::mitigate::learn::{Learner, Linfa, Logistic, LogisticModel, Scorer};
/// use linfa::ParamGuard;
/// use ndarray::{ArrayView2, array};
/// let params = Logistic::new().penalty(0.5).check()?;
/// let learner = Linfa::new(params, |model: &LogisticModel, rows: ArrayView2<f64>| model.scores(rows));
/// let model = learner.fit(array![[0.0], [1.0]].view(), &[false, true], &[1.0, 2.0])?;
/// assert!(model.scores(array![[1.0]].view())[0] > 0.5);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug)]
pub struct Linfa<P, S, T, E> {
    params: P,
    scores: S,
    label: fn(bool) -> T,
    error: PhantomData<fn() -> E>,
}

// Errors of learners need not be ones that can be cloned.
impl<P: Clone, S: Clone, T, E> Clone for Linfa<P, S, T, E> {
    fn clone(&self) -> Self {
        Linfa { params: self.params.clone(), scores: self.scores.clone(), label: self.label, error: PhantomData }
    }
}

impl<P, S, E> Linfa<P, S, bool, E>
where
    P: Fit<Array2<f64>, Array1<bool>, E>,
    E: std::error::Error + From<linfa::Error>,
{
    /// A learner of labels `false` and `true`.
    pub fn new(params: P, scores: S) -> Self {
        Linfa { params, scores, label: |label| label, error: PhantomData }
    }
}

impl<P, S, E> Linfa<P, S, usize, E>
where
    P: Fit<Array2<f64>, Array1<usize>, E>,
    E: std::error::Error + From<linfa::Error>,
{
    /// A learner of labels 0 and 1.
    pub fn of_classes(params: P, scores: S) -> Self {
        Linfa { params, scores, label: usize::from, error: PhantomData }
    }
}

/// A fitted model of `linfa` with its way to score.
#[derive(Debug, Clone)]
pub struct LinfaModel<M, S> {
    model: M,
    scores: S,
}

impl<M, S> Scorer for LinfaModel<M, S>
where
    M: Send + Sync,
    S: Fn(&M, ArrayView2<f64>) -> Vec<f64> + Send + Sync,
{
    fn scores(&self, features: ArrayView2<f64>) -> Vec<f64> {
        (self.scores)(&self.model, features)
    }
}

impl<P, S, T, E> Learner for Linfa<P, S, T, E>
where
    P: Fit<Array2<f64>, Array1<T>, E> + Sync,
    P::Object: Send + Sync,
    S: Fn(&P::Object, ArrayView2<f64>) -> Vec<f64> + Clone + Send + Sync,
    E: std::error::Error + From<linfa::Error>,
{
    type Model = LinfaModel<P::Object, S>;

    fn fit(&self, features: ArrayView2<f64>, labels: &[bool], weights: &[f64]) -> Result<Self::Model> {
        let targets: Array1<T> = labels.iter().map(|label| (self.label)(*label)).collect();
        let weights: Array1<f32> = weights.iter().map(|w| *w as f32).collect();
        let dataset = DatasetBase::new(features.to_owned(), targets).with_weights(weights);
        let fitted = self.params.fit(&dataset);
        let model = fitted.map_err(|e| Error::Learner { problem: e.to_string() })?;
        Ok(LinfaModel { model, scores: self.scores.clone() })
    }
}

/// A learner that is given rows drawn in proportion to their weights (as [`resample`] draws them, as many as there are),
/// so that it feels weights that it does not read.
///
/// # Examples
/// ```
/// use evenhand::mitigate::learn::{Learner, Resampled, Scorer};
/// use ndarray::{ArrayView2, array};
/// // It ignores weights.
/// let share = |_: ArrayView2<f64>, labels: &[bool], _: &[f64]| {
///     let share = labels.iter().filter(|l| **l).count() as f64 / labels.len() as f64;
///     Ok(move |rows: ArrayView2<f64>| vec![share; rows.nrows()])
/// };
/// let rows = array![[0.0], [0.0], [0.0], [0.0]];
/// let model = Resampled::new(share, 7).fit(rows.view(), &[true, false, false, false], &[3.0, 0.5, 0.5, 0.0])?;
/// assert_eq!(model.scores(rows.view())[0], 0.75);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Resampled<L> {
    learner: L,
    seed: u64,
}

impl<L> Resampled<L> {
    /// The learner, and the seed of the draw.
    pub fn new(learner: L, seed: u64) -> Self {
        Resampled { learner, seed }
    }
}

impl<L: Learner> Learner for Resampled<L> {
    type Model = L::Model;

    fn fit(&self, features: ArrayView2<f64>, labels: &[bool], weights: &[f64]) -> Result<L::Model> {
        let drawn = resample(weights, features.nrows(), self.seed)?;
        let labels: Vec<bool> = drawn.iter().filter_map(|row| labels.get(*row).copied()).collect();
        let features = features.select(Axis(0), &drawn);
        self.learner.fit(features.view(), &labels, &vec![1.0; drawn.len()])
    }
}
