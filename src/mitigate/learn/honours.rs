//! Whether a learner reads weights: fitted with and without, does anything change?

use ndarray::ArrayView2;
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::{Learner, Scorer};
use crate::inference::rng::stream;
use crate::{Error, Result};

/// How much heavier favourable rows are made.
const HEAVY: f64 = 20.0;
/// The weight of rows that are all but left out. Not 0, which some learners refuse.
const LIGHT: f64 = 1e-3;
/// A change of scores that is no rounding.
const CHANGE: f64 = 1e-6;

/// What weights do to a learner on some rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WeightCheck {
    /// The mean change of rows' scores between fits with equal and with uneven weights.
    pub change: f64,
    /// The mean change between two fits with equal weights: 0, unless the learner draws by chance.
    pub unsteadiness: f64,
}

impl WeightCheck {
    /// Whether weights changed more than chance does.
    pub fn honours(&self) -> bool {
        self.change > CHANGE + 2.0 * self.unsteadiness
    }
}

/// Fits with weights of 1, twice, then with favourable rows made heavy and with a random half made light, and compares the
/// scores of all rows.
///
/// A learner that reads weights can pass for one that does not only where the rows leave nothing to decide: where no two rows
/// of like features have different labels, a tree that is grown to the end fits them all whatever they weigh. Give rows as
/// they are.
///
/// # Errors
/// Those of the learner.
pub fn check_weights<L: Learner>(learner: &L, features: ArrayView2<f64>, labels: &[bool]) -> Result<WeightCheck> {
    let scores = |weights: &[f64]| Ok::<_, Error>(learner.fit(features, labels, weights)?.scores(features));
    let change = |a: &[f64], b: &[f64]| {
        let sum: f64 = a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum();
        if a.is_empty() { 0.0 } else { sum / a.len() as f64 }
    };
    let equal = vec![1.0; labels.len()];
    let (first, second) = (scores(&equal)?, scores(&equal)?);
    let heavy: Vec<f64> = labels.iter().map(|label| if *label { HEAVY } else { 1.0 }).collect();
    let mut rng = stream(1, 0, 0);
    let halved: Vec<f64> = labels.iter().map(|_| if rng.r#gen() { 1.0 } else { LIGHT }).collect();
    let changes = [change(&first, &scores(&heavy)?), change(&first, &scores(&halved)?)];
    Ok(WeightCheck { change: changes[0].max(changes[1]), unsteadiness: change(&first, &second) })
}

/// Fails where weights change nothing: a reweighting would then be one in name only.
///
/// # Errors
/// [`Error::WeightsIgnored`], which says what to do, and those of the learner.
///
/// # Examples
/// ```
/// use evenhand::mitigate::learn::{Logistic, Resampled, require_weights};
/// use ndarray::{ArrayView2, array};
/// let rows = array![[0.0], [1.0], [1.0], [2.0], [0.0], [2.0]];
/// let labels = [false, true, false, true, true, false];
/// assert!(require_weights(&Logistic::new(), rows.view(), &labels).is_ok());
///
/// let deaf = |_: ArrayView2<f64>, labels: &[bool], _: &[f64]| {
///     let share = labels.iter().filter(|l| **l).count() as f64 / labels.len() as f64;
///     Ok(move |rows: ArrayView2<f64>| vec![share; rows.nrows()])
/// };
/// let error = require_weights(&deaf, rows.view(), &labels).unwrap_err();
/// assert!(error.to_string().contains("Resampled"));
/// assert!(require_weights(&Resampled::new(deaf, 1), rows.view(), &labels).is_ok());
/// ```
pub fn require_weights<L: Learner>(learner: &L, features: ArrayView2<f64>, labels: &[bool]) -> Result<()> {
    match check_weights(learner, features, labels)?.honours() {
        true => Ok(()),
        false => Err(Error::WeightsIgnored),
    }
}
