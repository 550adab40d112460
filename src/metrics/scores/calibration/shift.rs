//! How far scores are off as a whole: the scores moved by a constant on the logit scale until they fit.

use super::levels::Labelled;
use crate::inference::roots::root;

/// Scores nearer to 0 or 1 than this are moved to it before their logit is taken.
pub const LOGIT_CLIP: f64 = 1e-6;

/// The log odds of a score, clipped.
pub(crate) fn logit(score: f64) -> f64 {
    let s = score.clamp(LOGIT_CLIP, 1.0 - LOGIT_CLIP);
    (s / (1.0 - s)).ln()
}

pub(crate) fn logistic(x: f64) -> f64 {
    if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}

/// Far enough for any clipped score to be moved to the other end.
const FAR: f64 = 60.0;

/// What the labels would be if the log odds of every score were moved by the same constant.
///
/// Its score test inverts to an interval for the observed rate that allows for the spread of the scores: the sum of the
/// labels then has the Poisson-binomial variance Σw²p(1 − p). For a constant score it is Wilson's interval.
pub(crate) struct Shift {
    /// Σw and Σw² by logit.
    levels: Vec<(f64, f64, f64)>,
    weight: f64,
    /// Σw·y.
    observed: f64,
    negative: f64,
}

impl Shift {
    pub fn new(labelled: &Labelled) -> Self {
        let levels = labelled.levels.iter().map(|l| {
            let whole = l.whole();
            (logit(l.score), whole.weight, whole.weight_squared)
        });
        Shift {
            levels: levels.collect(),
            weight: labelled.total().weight,
            observed: labelled.positive.weight,
            negative: labelled.negative.weight,
        }
    }

    /// Σw·p and Σw²·p(1 − p) after a move.
    fn moments(&self, shift: f64) -> (f64, f64) {
        self.levels.iter().fold((0.0, 0.0), |(mean, variance), (logit, weight, squared)| {
            let p = logistic(logit + shift);
            (mean + weight * p, variance + squared * p * logistic(-logit - shift))
        })
    }

    /// The mean of the moved scores: 0 or 1 for a move without end.
    pub fn mean(&self, shift: f64) -> f64 {
        if shift.is_finite() { self.moments(shift).0 / self.weight } else { f64::from(shift > 0.0) }
    }

    /// The move that makes the mean score the observed rate; infinite where all labels are alike.
    pub fn fitted(&self) -> f64 {
        if !(self.observed > 0.0) {
            return f64::NEG_INFINITY;
        }
        if !(self.negative > 0.0) {
            return f64::INFINITY;
        }
        self.solve(-FAR, FAR, |mean, _| self.observed - mean)
    }

    /// The variance of Σw·y at the fitted move.
    pub fn fitted_variance(&self) -> f64 {
        let fitted = self.fitted();
        if fitted.is_finite() { self.moments(fitted).1 } else { 0.0 }
    }

    /// All moves that the score test at `z` does not reject, where the variance is `spread` times the model's.
    pub fn limits(&self, z: f64, spread: f64) -> (f64, f64) {
        let fitted = self.fitted();
        let inside = fitted.clamp(-FAR, FAR);
        let room = |variance: f64| z * (spread * variance).sqrt();
        let low = if self.observed > 0.0 {
            self.solve(-FAR, inside, |mean, variance| self.observed - mean - room(variance))
        } else {
            f64::NEG_INFINITY
        };
        let high = if self.negative > 0.0 {
            self.solve(inside, FAR, |mean, variance| self.observed - mean + room(variance))
        } else {
            f64::INFINITY
        };
        (low, high)
    }

    fn solve(&self, low: f64, high: f64, f: impl Fn(f64, f64) -> f64) -> f64 {
        let at = |shift: f64| {
            let (mean, variance) = self.moments(shift);
            f(mean, variance)
        };
        root(at, (low, at(low)), (high, at(high)), 1e-11)
    }
}
