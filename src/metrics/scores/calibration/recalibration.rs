//! Logistic recalibration: the line through log odds of scores that fits the labels best.

use super::levels::Labelled;
use super::shift::{logistic, logit};
use crate::metrics::measure::Measured;
use crate::metrics::scores::ScoredGroup;
use crate::metrics::scores::mean::{measured, t_quantile};
use crate::metrics::{Confidence, Estimate, Undefined};

/// The logistic recalibration of a group's scores, `logit P(y = 1) = intercept + slope · logit(s)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Recalibration {
    /// The intercept beside a free slope; 0 where scores are true. With the slope held at 1 it is
    /// [`calibration_intercept`](super::calibration_intercept).
    pub intercept: Estimate,
    /// The slope; 1 where scores are true, less where they are too extreme, more where they are too timid.
    pub slope: Estimate,
}

/// Fits the logistic recalibration by maximum (weighted) likelihood, with intervals from the sandwich variance.
///
/// Scores are clipped to [1e-6, 1 − 1e-6] first; many scores of exactly 0 or 1 pull the slope towards where the clip
/// puts them. Undefined without positives or negatives, where all scores are the same (no variation), or where the
/// scores separate the labels, since the slope would be infinite.
///
/// # References
/// Cox (1958), Two further applications of a model for binary regression, Biometrika 45; Miller, Hui, Tierney (1991),
/// Validation techniques for logistic regression models, Statistics in Medicine 10.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, recalibration}};
/// // Odds of 1/3 and 3 were promised, 2/3 and 3/2 seen: ln(3/2) / ln 3.
/// let scores: Vec<f64> = [0.25, 0.75].iter().flat_map(|s| [*s; 50]).collect();
/// let labels: Vec<u8> = (0..100).map(|i| u8::from(if i < 50 { i < 20 } else { i < 80 })).collect();
/// let fit = recalibration(&ScoredGroup::from_rows(&scores, &labels, None), Confidence::at(0.95));
/// assert!((fit.slope.value.unwrap() - 1.5f64.ln() / 3f64.ln()).abs() < 1e-9);
/// assert!(fit.intercept.value.unwrap().abs() < 1e-9);
/// ```
pub fn recalibration(group: &ScoredGroup, confidence: Confidence) -> Recalibration {
    let [intercept, slope] = recalibrate(group, confidence);
    Recalibration { intercept: intercept.estimate, slope: slope.estimate }
}

/// The calibration slope: the slope of the logistic [`recalibration`].
///
/// 1 where scores are true; below 1 they are too extreme for the group, above 1 too timid.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, Undefined, scores::{ScoredGroup, calibration_slope}};
/// let group = ScoredGroup::from_rows(&[0.1, 0.2, 0.8, 0.9], &[0, 0, 1, 1], None);
/// assert_eq!(calibration_slope(&group, Confidence::at(0.95)).value(), Err(Undefined::Separated));
/// ```
pub fn calibration_slope(group: &ScoredGroup, confidence: Confidence) -> Estimate {
    slope(group, confidence).estimate
}

pub(super) fn slope(group: &ScoredGroup, confidence: Confidence) -> Measured {
    let [_, slope] = recalibrate(group, confidence);
    slope
}

/// Rows of one logit: weights and squared weights of negatives and positives.
struct Row {
    x: f64,
    weight: [f64; 2],
    squared: [f64; 2],
}

fn recalibrate(group: &ScoredGroup, confidence: Confidence) -> [Measured; 2] {
    let labelled = match Labelled::of(group) {
        Ok(labelled) => labelled,
        Err((reason, support)) => return [(); 2].map(|()| Measured::undefined(reason, support)),
    };
    let support = labelled.support();
    let rows: Vec<Row> = labelled
        .levels
        .iter()
        .map(|l| Row {
            x: logit(l.score),
            weight: [l.negative.weight, l.positive.weight],
            squared: [l.negative.weight_squared, l.positive.weight_squared],
        })
        .collect();
    let fit = obstacle(&rows).map_or_else(|| newton(&rows).ok_or(Undefined::NotFinite), Err);
    let fit = match fit {
        Ok(fit) => fit,
        Err(reason) => return [(); 2].map(|()| Measured::undefined(reason, support)),
    };
    let df = support.effective_size - 2.0;
    let quantile = t_quantile(confidence.level, df);
    [0, 1].map(|at| {
        let estimate = Estimate::of(fit.values[at], support);
        let error = (df > 0.0).then(|| fit.errors[at] * (support.effective_size / df).sqrt());
        match error.zip(quantile) {
            Some((error, q)) => {
                measured(estimate.between(fit.values[at] - q * error, fit.values[at] + q * error), Some(error))
            }
            None => measured(estimate, error),
        }
    })
}

/// Why there is no finite fit.
fn obstacle(rows: &[Row]) -> Option<Undefined> {
    // The lowest and highest logit of negatives and of positives.
    let mut ends = [(f64::INFINITY, f64::NEG_INFINITY); 2];
    for row in rows {
        for (_, end) in ends.iter_mut().enumerate().filter(|(label, _)| row.weight[*label] > 0.0) {
            *end = (end.0.min(row.x), end.1.max(row.x));
        }
    }
    let [negative, positive] = ends;
    if positive.0 > positive.1 {
        Some(Undefined::NoPositives)
    } else if negative.0 > negative.1 {
        Some(Undefined::NoNegatives)
    } else if negative.0.min(positive.0) >= negative.1.max(positive.1) {
        Some(Undefined::NoVariation)
    } else if negative.1 <= positive.0 || positive.1 <= negative.0 {
        Some(Undefined::Separated)
    } else {
        None
    }
}

/// Intercept and slope, and their sandwich standard errors.
struct Fit {
    values: [f64; 2],
    errors: [f64; 2],
}

fn newton(rows: &[Row]) -> Option<Fit> {
    let total: f64 = rows.iter().flat_map(|r| r.weight).sum();
    let centre = rows.iter().map(|r| r.x * (r.weight[0] + r.weight[1])).sum::<f64>() / total;
    let log_likelihood = |[a, b]: [f64; 2]| -> f64 {
        // ln p = −ln(1 + e^−η), without overflow.
        let soft = |eta: f64| eta.max(0.0) + (-eta.abs()).exp().ln_1p();
        rows.iter()
            .map(|r| {
                let eta = a + b * (r.x - centre);
                -r.weight[1] * soft(-eta) - r.weight[0] * soft(eta)
            })
            .sum()
    };
    let mut fit = [rows.iter().map(|r| r.weight[1]).sum::<f64>() / total, 1.0];
    fit[0] = logit(fit[0]);
    let mut best = log_likelihood(fit);
    for _ in 0..100 {
        let (gradient, [h00, h01, h11]) = derivatives(rows, centre, fit);
        let determinant = h00 * h11 - h01 * h01;
        if !(determinant > 0.0) {
            return None;
        }
        let step = [
            (h11 * gradient[0] - h01 * gradient[1]) / determinant,
            (h00 * gradient[1] - h01 * gradient[0]) / determinant,
        ];
        let mut length = 1.0;
        let (next, likelihood) = loop {
            let next = [fit[0] + length * step[0], fit[1] + length * step[1]];
            let likelihood = log_likelihood(next);
            if likelihood >= best - 1e-12 * best.abs() || length < 1e-6 {
                break (next, likelihood);
            }
            length /= 2.0;
        };
        fit = next;
        best = likelihood;
        if step[0].abs() <= 1e-12 * (1.0 + fit[0].abs()) && step[1].abs() <= 1e-12 * (1.0 + fit[1].abs()) {
            break;
        }
    }
    let [a, b] = fit;
    let (_, [h00, h01, h11]) = derivatives(rows, centre, fit);
    let determinant = h00 * h11 - h01 * h01;
    // The sandwich: the squared scores between two inverse Hessians.
    let (mut m00, mut m01, mut m11) = (0.0, 0.0, 0.0);
    for row in rows {
        let x = row.x - centre;
        let eta = a + b * x;
        let square = row.squared[1] * logistic(-eta).powi(2) + row.squared[0] * logistic(eta).powi(2);
        m00 += square;
        m01 += square * x;
        m11 += square * x * x;
    }
    let variance = |u: f64, v: f64| {
        // Of the linear form u·a + v·b: the row (u, v) times the inverse Hessian, on either side of the squares.
        let (p, q) = ((u * h11 - v * h01) / determinant, (v * h00 - u * h01) / determinant);
        (p * p * m00 + 2.0 * p * q * m01 + q * q * m11).max(0.0).sqrt()
    };
    let errors = [variance(1.0, -centre), variance(0.0, 1.0)];
    let values = [a - b * centre, b];
    (determinant > 0.0 && values.iter().chain(&errors).all(|v| v.is_finite())).then_some(Fit { values, errors })
}

/// The gradient of the log likelihood, and the negative of its second derivatives.
fn derivatives(rows: &[Row], centre: f64, [a, b]: [f64; 2]) -> ([f64; 2], [f64; 3]) {
    let (mut gradient, mut curvature) = ([0.0; 2], [0.0; 3]);
    for row in rows {
        let x = row.x - centre;
        let eta = a + b * x;
        let (p, q) = (logistic(eta), logistic(-eta));
        let residual = row.weight[1] * q - row.weight[0] * p;
        let information = (row.weight[0] + row.weight[1]) * p * q;
        gradient[0] += residual;
        gradient[1] += residual * x;
        curvature[0] += information;
        curvature[1] += information * x;
        curvature[2] += information * x * x;
    }
    (gradient, curvature)
}
