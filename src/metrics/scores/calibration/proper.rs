//! Proper scoring rules: the Brier score with its parts, and log loss.

use super::levels::Labelled;
use crate::metrics::measure::Measured;
use crate::metrics::scores::ScoredGroup;
use crate::metrics::scores::mean::{Mean, measured, t_quantile};
use crate::metrics::{Confidence, Estimate, Undefined};

/// Where [`log_loss`] of the catalog clips scores: as scikit-learn does for doubles.
pub const LOG_LOSS_CLIP: f64 = f64::EPSILON;

/// The Brier score: the mean square of score minus label, `Σw(s − y)² / Σw`.
///
/// In [0, 1]; 0 is best, 0.25 is a score of one half for everybody. The interval is Student's on the effective size,
/// corrected for skewness. It mixes calibration with how hard a group is to predict: see [`brier_decomposition`].
/// Undefined without labels, or where a score is no probability.
///
/// # References
/// Brier (1950), Verification of forecasts expressed in terms of probability, Monthly Weather Review 78.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, brier_score}};
/// let group = ScoredGroup::from_rows(&[0.1, 0.9, 0.8, 0.3], &[0, 1, 1, 0], None);
/// assert!((brier_score(&group, Confidence::at(0.95)).value.unwrap() - 0.0375).abs() < 1e-12);
/// ```
pub fn brier_score(group: &ScoredGroup, confidence: Confidence) -> Estimate {
    brier(group, confidence).estimate
}

/// The mean log loss: `−Σw[y ln s + (1 − y) ln(1 − s)] / Σw`, scores clipped to `[clip, 1 − clip]`.
///
/// In nats, at least 0; ln 2 is a score of one half for everybody. At most −ln(clip), where one certain and wrong score
/// weighs as much as hundreds of others. The interval is Student's, corrected for skewness. Undefined without labels, or
/// where a score is no probability.
///
/// # References
/// Good (1952), Rational decisions, JRSS B 14. scikit-learn's `log_loss` clips at 2.2e-16, as
/// [`LOG_LOSS_CLIP`] does.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{LOG_LOSS_CLIP, ScoredGroup, log_loss}};
/// let group = ScoredGroup::from_rows(&[0.1, 0.9, 0.8, 0.35], &[0, 1, 1, 0], None);
/// let loss = log_loss(&group, LOG_LOSS_CLIP, Confidence::at(0.95));
/// assert!((loss.value.unwrap() - 0.21616187468057912).abs() < 1e-12);
/// ```
pub fn log_loss(group: &ScoredGroup, clip: f64, confidence: Confidence) -> Estimate {
    logarithmic(group, clip, confidence).estimate
}

/// The Brier score against that of the base rate for everybody: `1 − Brier / (ȳ(1 − ȳ))`.
///
/// At most 1; 0 where the scores say no more than the group's base rate does, below 0 where they say less. The interval
/// is from the linearised variance. Undefined without labels, without positives or negatives, or where a score is no
/// probability.
///
/// # References
/// Murphy (1973), A new vector partition of the probability score, Journal of Applied Meteorology 12.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, brier_skill_score}};
/// let group = ScoredGroup::from_rows(&[0.1, 0.9, 0.8, 0.3], &[0, 1, 1, 0], None);
/// assert!((brier_skill_score(&group, Confidence::at(0.95)).value.unwrap() - (1.0 - 0.0375 / 0.25)).abs() < 1e-12);
/// ```
pub fn brier_skill_score(group: &ScoredGroup, confidence: Confidence) -> Estimate {
    skill(group, confidence).estimate
}

/// The parts of a Brier score; they add up: `brier = reliability − resolution + uncertainty + within_variance −
/// 2·within_covariance`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BrierDecomposition {
    /// The Brier score.
    pub brier: f64,
    /// Miscalibration: `Σ W_b/W (s̄_b − ȳ_b)²`; 0 is best.
    pub reliability: f64,
    /// What the bins tell apart: `Σ W_b/W (ȳ_b − ȳ)²`; more is better.
    pub resolution: f64,
    /// How uncertain labels are by themselves: `ȳ(1 − ȳ)`; the group's, not the model's.
    pub uncertainty: f64,
    /// The variance of scores within bins, `Σ W_b/W Var_b(s)`.
    pub within_variance: f64,
    /// The covariance of scores and labels within bins, `Σ W_b/W Cov_b(s, y)`.
    pub within_covariance: f64,
}

/// Murphy's decomposition of the Brier score over `bins` bins of equal weight (see
/// [`reliability_curve`](super::reliability_curve)), with the parts within bins, so that it adds up exactly.
///
/// # Errors
/// As the reliability curve.
///
/// # References
/// Murphy (1973), Journal of Applied Meteorology 12; Stephenson, Coelho, Jolliffe (2008), Two extra components in the
/// Brier score decomposition, Weather and Forecasting 23.
///
/// # Examples
/// ```
/// use evenhand::metrics::scores::{ScoredGroup, brier_decomposition};
/// let group = ScoredGroup::from_rows(&[0.2, 0.2, 0.9, 0.9], &[0, 1, 1, 1], None);
/// let parts = brier_decomposition(&group, 2).unwrap();
/// assert!((parts.reliability - (0.5 * 0.09 + 0.5 * 0.01)).abs() < 1e-12);
/// assert!((parts.uncertainty - 0.1875).abs() < 1e-12);
/// ```
pub fn brier_decomposition(group: &ScoredGroup, bins: usize) -> Result<BrierDecomposition, Undefined> {
    let labelled = Labelled::of(group).map_err(|(reason, _)| reason)?;
    let total = labelled.total().weight;
    let base = labelled.base_rate();
    let brier = labelled.rows().map(|(cell, y, s)| cell.weight * (s - y) * (s - y)).sum::<f64>() / total;
    let mut parts = BrierDecomposition {
        brier,
        reliability: 0.0,
        resolution: 0.0,
        uncertainty: base * (1.0 - base),
        within_variance: 0.0,
        within_covariance: 0.0,
    };
    for bin in labelled.bins(bins) {
        let share = bin.whole.weight / total;
        parts.reliability += share * bin.gap().powi(2);
        parts.resolution += share * (bin.rate() - base).powi(2);
        parts.within_variance += share * bin.score_variance();
        parts.within_covariance += share * bin.covariance();
    }
    Ok(parts)
}

/// The mean of a loss of label and score.
fn loss(group: &ScoredGroup, confidence: Confidence, most: f64, loss: impl Fn(f64, f64) -> f64 + Copy) -> Measured {
    let labelled = match Labelled::of(group) {
        Ok(labelled) => labelled,
        Err((reason, support)) => return Measured::undefined(reason, support),
    };
    match Mean::of(labelled.rows().map(|(cell, y, s)| (cell, loss(y, s)))) {
        Some(mean) => mean.skewed((0.0, most), confidence.level),
        None => Measured::undefined(Undefined::NoWeight, labelled.support()),
    }
}

pub(super) fn brier(group: &ScoredGroup, confidence: Confidence) -> Measured {
    loss(group, confidence, 1.0, |y, s| (s - y) * (s - y))
}

pub(super) fn logarithmic(group: &ScoredGroup, clip: f64, confidence: Confidence) -> Measured {
    let clip = if clip > 0.0 { clip.min(0.5) } else { LOG_LOSS_CLIP };
    loss(group, confidence, f64::INFINITY, |y, s| {
        let s = s.clamp(clip, 1.0 - clip);
        // Adding 0 turns the -0 of a certain and right score into 0.
        if y > 0.0 { -s.ln() + 0.0 } else { -(-s).ln_1p() + 0.0 }
    })
}

pub(super) fn skill(group: &ScoredGroup, confidence: Confidence) -> Measured {
    let labelled = match Labelled::of(group) {
        Ok(labelled) => labelled,
        Err((reason, support)) => return Measured::undefined(reason, support),
    };
    let base = labelled.base_rate();
    let uncertainty = base * (1.0 - base);
    let support = labelled.support();
    if !(labelled.positive.weight > 0.0) {
        return Measured::undefined(Undefined::NoPositives, support);
    }
    if !(labelled.negative.weight > 0.0) {
        return Measured::undefined(Undefined::NoNegatives, support);
    }
    let square = |y: f64, s: f64| (s - y) * (s - y);
    let brier = labelled.rows().map(|(cell, y, s)| cell.weight * square(y, s)).sum::<f64>() / support.weight;
    // How each row moves the figure.
    let influence =
        |y: f64, s: f64| (brier / uncertainty * (1.0 - 2.0 * base) * (y - base) - (square(y, s) - brier)) / uncertainty;
    let moves = Mean::of(labelled.rows().map(|(cell, y, s)| (cell, influence(y, s))));
    let estimate = Estimate::of(1.0 - brier / uncertainty, support);
    let error = moves.and_then(|m| m.error);
    match error.zip(t_quantile(confidence.level, support.effective_size - 1.0)).zip(estimate.value) {
        Some(((error, q), value)) => {
            measured(estimate.between(value - q * error, (value + q * error).min(1.0)), Some(error))
        }
        None => measured(estimate, error),
    }
}
