//! Calibration as a whole: whether a group gets, on average, what its scores promise.

use super::levels::Labelled;
use super::shift::Shift;
use crate::inference::z_quantile;
use crate::metrics::measure::Measured;
use crate::metrics::scores::ScoredGroup;
use crate::metrics::scores::mean::measured;
use crate::metrics::{Confidence, Estimate, Undefined};

/// Mean label minus mean score: `ȳ − s̄`.
///
/// Above 0 the scores promise the group too little, below 0 too much. In [−1, 1]. The interval inverts the score test of
/// scores moved by a constant on the logit scale, so that it allows for the spread of the scores and holds for rare
/// labels: for a constant score it is Wilson's. Undefined without labels, or where a score is no probability.
///
/// # References
/// Van Calster et al. (2019), Calibration: the Achilles heel of predictive analytics, BMC Medicine 17.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, calibration_in_the_large}};
/// let group = ScoredGroup::from_rows(&[0.2, 0.4, 0.6, 0.8], &[0, 1, 1, 1], None);
/// let off = calibration_in_the_large(&group, Confidence::at(0.95));
/// assert!((off.value.unwrap() - (0.75 - 0.5)).abs() < 1e-12);
/// ```
pub fn calibration_in_the_large(group: &ScoredGroup, confidence: Confidence) -> Estimate {
    in_the_large(group, confidence).estimate
}

/// Observed over expected: `O/E = Σw·y / Σw·s`.
///
/// 1 where the group gets what its scores promise; 2 where it gets twice that. At least 0, without an upper limit. Its
/// interval is that of [`calibration_in_the_large`], as a ratio to the mean score. Undefined without labels, where a
/// score is no probability, or where all scores are 0.
///
/// # References
/// Debray et al. (2017), A guide to systematic review and meta-analysis of prediction model performance, BMJ 356.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, observed_expected_ratio}};
/// let group = ScoredGroup::from_rows(&[0.2, 0.4, 0.6, 0.8], &[0, 1, 1, 1], None);
/// let ratio = observed_expected_ratio(&group, Confidence::at(0.95));
/// assert!((ratio.value.unwrap() - 1.5).abs() < 1e-12);
/// ```
pub fn observed_expected_ratio(group: &ScoredGroup, confidence: Confidence) -> Estimate {
    observed_expected(group, confidence).estimate
}

/// The calibration intercept: the constant that, added to the log odds of every score, makes the mean score the
/// observed rate: `a` of `logit P(y = 1) = a + logit(s)`.
///
/// 0 where the scores are right on average, above 0 where they promise too little. In units of log odds, without limits.
/// Scores are clipped to [1e-6, 1 − 1e-6] first. The interval inverts the score test. Undefined without labels, without
/// positives or negatives (it would be infinite), or where a score is no probability.
///
/// # References
/// Cox (1958), Two further applications of a model for binary regression, Biometrika 45; Van Calster et al. (2019),
/// BMC Medicine 17. The intercept of the fit with a free slope is in [`recalibration`](super::recalibration).
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, calibration_intercept}};
/// // Observed odds 3, promised odds 1.
/// let group = ScoredGroup::from_rows(&[0.5; 4], &[0, 1, 1, 1], None);
/// let intercept = calibration_intercept(&group, Confidence::at(0.95));
/// assert!((intercept.value.unwrap() - 3f64.ln()).abs() < 1e-9);
/// ```
pub fn calibration_intercept(group: &ScoredGroup, confidence: Confidence) -> Estimate {
    intercept(group, confidence).estimate
}

/// How much more Σw·(y − r·s) varies than the moved scores say: the rows' own spread over the model's, if larger.
///
/// It is where the scores are wrong in ways that a constant does not mend, or where weights go with labels.
fn spread(labelled: &Labelled, shift: &Shift, offset: f64, factor: f64) -> f64 {
    let model = shift.fitted_variance();
    if !(model > 0.0) {
        return 1.0;
    }
    let squares: f64 = labelled
        .rows()
        .map(|(cell, y, s)| {
            let residual = y - factor * s - offset;
            cell.weight_squared * residual * residual
        })
        .sum();
    (squares / model).max(1.0)
}

pub(super) fn in_the_large(group: &ScoredGroup, confidence: Confidence) -> Measured {
    let labelled = match Labelled::of(group) {
        Ok(labelled) => labelled,
        Err((reason, support)) => return Measured::undefined(reason, support),
    };
    let expected = mean_score(&labelled);
    let value = labelled.base_rate() - expected;
    let shift = Shift::new(&labelled);
    let z = z_quantile(confidence.level);
    let (low, high) = shift.limits(z, spread(&labelled, &shift, value, 1.0));
    let low = (shift.mean(low) - expected).min(value);
    let high = (shift.mean(high) - expected).max(value);
    measured(Estimate::of(value, labelled.support()).between(low, high), Some((high - low) / (2.0 * z)))
}

pub(super) fn observed_expected(group: &ScoredGroup, confidence: Confidence) -> Measured {
    let labelled = match Labelled::of(group) {
        Ok(labelled) => labelled,
        Err((reason, support)) => return Measured::undefined(reason, support),
    };
    let expected = mean_score(&labelled);
    if !(expected > 0.0) {
        return Measured::undefined(Undefined::OverZero, labelled.support());
    }
    let value = labelled.base_rate() / expected;
    let shift = Shift::new(&labelled);
    let z = z_quantile(confidence.level);
    let (low, high) = shift.limits(z, spread(&labelled, &shift, 0.0, value));
    let low = (shift.mean(low) / expected).min(value);
    let high = (shift.mean(high) / expected).max(value);
    measured(Estimate::of(value, labelled.support()).between(low, high), Some((high - low) / (2.0 * z)))
}

pub(super) fn intercept(group: &ScoredGroup, confidence: Confidence) -> Measured {
    let labelled = match Labelled::of(group) {
        Ok(labelled) => labelled,
        Err((reason, support)) => return Measured::undefined(reason, support),
    };
    let shift = Shift::new(&labelled);
    let value = shift.fitted();
    if !value.is_finite() {
        let reason = if value < 0.0 { Undefined::NoPositives } else { Undefined::NoNegatives };
        return Measured::undefined(reason, labelled.support());
    }
    let z = z_quantile(confidence.level);
    let offset = labelled.base_rate() - mean_score(&labelled);
    let (low, high) = shift.limits(z, spread(&labelled, &shift, offset, 1.0));
    let (low, high) = (low.min(value), high.max(value));
    measured(Estimate::of(value, labelled.support()).between(low, high), Some((high - low) / (2.0 * z)))
}

fn mean_score(labelled: &Labelled) -> f64 {
    labelled.levels.iter().map(|l| l.whole().weight * l.score).sum::<f64>() / labelled.total().weight
}
