//! Reliability in bins, and how far off calibration they are in all.

use serde::{Deserialize, Serialize};

use super::levels::{Bin, Labelled};
use crate::inference::roots::root;
use crate::inference::special::{normal_cdf, normal_quantile};
use crate::inference::z_quantile;
use crate::metrics::measure::Measured;
use crate::metrics::scores::ScoredGroup;
use crate::metrics::scores::mean::measured;
use crate::metrics::{Confidence, Estimate, Undefined};

/// How many bins the calibration measures of the catalog use.
pub const CALIBRATION_BINS: usize = 10;

/// One point of a reliability curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// The lowest score in the bin.
    pub low: f64,
    /// The highest score in the bin.
    pub high: f64,
    /// The mean score: what is promised.
    pub mean_score: f64,
    /// The observed rate of favourable labels, with Wilson's interval.
    pub observed: Estimate,
}

/// The reliability curve of a group: its labelled rows in `bins` bins of equal weight, by rising score.
///
/// Rows of one score are never split, so that bins may be fewer and of unequal weight: a score goes to the bin that the
/// middle of its weight falls into.
///
/// # Errors
/// There is no curve without labels, without weight, or where a score lies outside [0, 1].
///
/// # References
/// Murphy, Winkler (1977), Reliability of subjective probability forecasts, Applied Statistics 26.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, reliability_curve}};
/// let group = ScoredGroup::from_rows(&[0.1, 0.1, 0.3, 0.8], &[0, 0, 1, 1], None);
/// let curve = reliability_curve(&group, 2, Confidence::at(0.95)).unwrap();
/// assert_eq!(curve.len(), 2);
/// assert_eq!((curve[0].low, curve[0].high, curve[0].observed.value), (0.1, 0.1, Some(0.0)));
/// assert!((curve[1].mean_score - 0.55).abs() < 1e-12);
/// ```
pub fn reliability_curve(
    group: &ScoredGroup,
    bins: usize,
    confidence: Confidence,
) -> Result<Vec<ReliabilityBin>, Undefined> {
    let labelled = Labelled::of(group).map_err(|(reason, _)| reason)?;
    let bin = |b: &Bin| ReliabilityBin {
        low: b.low,
        high: b.high,
        mean_score: b.mean_score(),
        observed: b.observed(confidence.level),
    };
    Ok(labelled.bins(bins).iter().map(bin).collect())
}

/// The expected calibration error: `Σ_b W_b/W · |ȳ_b − s̄_b|` over `bins` bins of equal weight (see
/// [`reliability_curve`]).
///
/// In [0, 1]; 0 is best. It is biased upwards, the more the fewer the rows: of 300 rows in 15 bins a perfectly calibrated
/// score shows 0.075. **Compare groups of unequal size by [`expected_calibration_error_debiased`].** The interval is
/// honest about the bias: its lower end is 0 unless the error is more than the noise of the bins can show (with the
/// chance (1 + level)/2), its upper end allows for noise that hides error. Undefined as the curve is.
///
/// # References
/// Naeini, Cooper, Hauskrecht (2015), Obtaining well calibrated probabilities using Bayesian binning, AAAI; bins of equal
/// mass: Nguyen, O'Connor (2015), EMNLP.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, expected_calibration_error}};
/// let group = ScoredGroup::from_rows(&[0.1, 0.1, 0.3, 0.8], &[0, 0, 1, 1], None);
/// let error = expected_calibration_error(&group, 2, Confidence::at(0.95));
/// assert!((error.value.unwrap() - (0.5 * 0.1 + 0.5 * 0.45)).abs() < 1e-12);
/// assert_eq!(error.low, Some(0.0));
/// ```
pub fn expected_calibration_error(group: &ScoredGroup, bins: usize, confidence: Confidence) -> Estimate {
    absolute(group, bins, confidence).estimate
}

/// The mean squared calibration error without its bias: `Σ_b W_b/W · [(ȳ_b − s̄_b)² − v_b]` with `v_b` the unbiased
/// variance of the bin's rate, `ȳ_b(1 − ȳ_b)/(n_b − 1)` without weights, over `bins` bins of equal weight; bins of fewer
/// than two rows are left out of the sum.
///
/// On average it is the true mean squared error of the bins, whatever the number of rows, so that groups of unequal size
/// compare; by chance it may be below 0 where the scores are true (read that as 0). At most 1. The interval inverts a
/// noncentral chi-square; its lower end is above 0 only where the error is more than noise. Undefined as the curve is, or
/// (a part is undefined) where no bin has two rows.
///
/// # References
/// Bröcker (2012), Estimating reliability and resolution of probability forecasts through decomposition of the empirical
/// score, Climate Dynamics 39; Kumar, Liang, Ma (2019), Verified uncertainty calibration, NeurIPS.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, expected_calibration_error_debiased}};
/// let group = ScoredGroup::from_rows(&[0.5; 10], &[0, 0, 0, 0, 0, 0, 0, 0, 1, 1], None);
/// let squared = expected_calibration_error_debiased(&group, 10, Confidence::at(0.95));
/// assert!((squared.value.unwrap() - (0.09 - 0.2 * 0.8 / 9.0)).abs() < 1e-12);
/// ```
pub fn expected_calibration_error_debiased(group: &ScoredGroup, bins: usize, confidence: Confidence) -> Estimate {
    debiased(group, bins, confidence).estimate
}

/// The root of [`expected_calibration_error_debiased`], in units of probability; 0 where that is below 0.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, root_calibration_error_debiased}};
/// let group = ScoredGroup::from_rows(&[0.5; 10], &[0, 0, 0, 0, 0, 0, 0, 0, 1, 1], None);
/// let root = root_calibration_error_debiased(&group, 10, Confidence::at(0.95));
/// assert!((root.value.unwrap() - (0.09f64 - 0.16 / 9.0).sqrt()).abs() < 1e-12);
/// ```
pub fn root_calibration_error_debiased(group: &ScoredGroup, bins: usize, confidence: Confidence) -> Estimate {
    root_debiased(group, bins, confidence).estimate
}

pub(super) fn absolute(group: &ScoredGroup, bins: usize, confidence: Confidence) -> Measured {
    let labelled = match Labelled::of(group) {
        Ok(labelled) => labelled,
        Err((reason, support)) => return Measured::undefined(reason, support),
    };
    let total = labelled.total().weight;
    let z = z_quantile(confidence.level);
    let (mut value, mut variance) = (0.0, 0.0);
    // Mean and third cumulant of the noise Σ π|ε|, ε normal: a sum of half-normals.
    let (mut mean, mut third) = (0.0, 0.0);
    for bin in labelled.bins(bins) {
        let share = bin.whole.weight / total;
        let scale = share * bin.guarded_variance().sqrt();
        value += share * bin.gap().abs();
        variance += scale * scale;
        mean += scale * HALF_NORMAL_MEAN;
        third += scale.powi(3) * HALF_NORMAL_THIRD;
    }
    // By the triangle inequality the figure exceeds the truth by no more than the noise (a Cornish–Fisher quantile of it).
    let deviation = (variance * (1.0 - HALF_NORMAL_MEAN * HALF_NORMAL_MEAN)).sqrt();
    let skewness = if deviation > 0.0 { third / deviation.powi(3) } else { 0.0 };
    let noise = mean + deviation * (z + (z * z - 1.0) * skewness / 6.0);
    // With the signs of the true gaps the figure is at least a sum whose noise is normal.
    let above = z * variance.sqrt();
    let estimate = Estimate::of(value, labelled.support());
    let estimate = estimate.between((value - noise).max(0.0), (value + above).min(1.0).max(value));
    measured(estimate, Some(noise.max(above) / z))
}

/// E|ε| = √(2/π) of a standard normal ε, and its third cumulant √(2/π)(4/π − 1).
const HALF_NORMAL_MEAN: f64 = 0.797_884_560_802_865_4;
const HALF_NORMAL_THIRD: f64 = 0.218_013_614_146_005_6;

/// The debiased mean square, its standard error, and limits of the true mean square (the lower one below 0 by as much as
/// noise alone could add, where noise alone explains the figure).
struct Squared {
    value: f64,
    error: f64,
    low: f64,
    high: f64,
}

fn squared(labelled: &Labelled, bins: usize, level: f64) -> Option<Squared> {
    let total = labelled.total().weight;
    let tail = (1.0 - level) / 2.0;
    // Sums over the bins: π·gap², and of π·v and (π·v)² with the unbiased and with the guarded variance.
    let (mut sum, mut bias, mut spread) = (0.0, [0.0; 2], [0.0; 2]);
    let mut variance = 0.0;
    let mut largest: f64 = 0.0;
    for bin in labelled.bins(bins) {
        let Some(plain) = bin.variance() else { continue };
        let share = bin.whole.weight / total;
        let square = bin.gap().powi(2);
        sum += share * square;
        for (at, v) in [plain, bin.guarded_variance()].into_iter().enumerate() {
            bias[at] += share * v;
            spread[at] += (share * v).powi(2);
        }
        variance += share * share * (4.0 * (square - plain).max(0.0) * plain + 2.0 * plain * plain);
        largest = largest.max(share * bin.guarded_variance());
    }
    if !(bias[1] > 0.0) {
        return None;
    }
    let value = sum - bias[0];
    // Σ π·gap² is about c·χ²(k, |δ|²/c), c and k by its first two moments.
    let shape = |at: usize| (spread[at] / bias[at], bias[at] * bias[at] / spread[at]);
    let (c, k) = shape(1);
    let noise = c * chi_square_quantile(1.0 - tail, k);
    let low = if sum > noise { c * noncentrality(sum / c, k, 1.0 - tail) } else { value.min(sum - noise) };
    let high = if bias[0] > 0.0 {
        let (c, k) = shape(0);
        c * noncentrality(sum / c, k, tail)
    } else {
        // Labels do not vary within bins: the figure's root is off by no more than the largest bin's noise.
        (sum.sqrt() - normal_quantile(tail) * largest.sqrt()).powi(2)
    };
    Some(Squared { value, error: variance.sqrt(), low: low.min(value), high: high.max(value).min(1.0) })
}

pub(super) fn debiased(group: &ScoredGroup, bins: usize, confidence: Confidence) -> Measured {
    let labelled = match Labelled::of(group) {
        Ok(labelled) => labelled,
        Err((reason, support)) => return Measured::undefined(reason, support),
    };
    let Some(s) = squared(&labelled, bins, confidence.level) else {
        return Measured::undefined(Undefined::UndefinedPart, labelled.support());
    };
    // Where labels do not vary the error is known only from the interval.
    let width = (s.high - s.low) / (2.0 * z_quantile(confidence.level));
    let error = if s.error > 0.0 { s.error } else { width };
    measured(Estimate::of(s.value, labelled.support()).between(s.low, s.high), Some(error))
}

pub(super) fn root_debiased(group: &ScoredGroup, bins: usize, confidence: Confidence) -> Measured {
    let labelled = match Labelled::of(group) {
        Ok(labelled) => labelled,
        Err((reason, support)) => return Measured::undefined(reason, support),
    };
    let Some(s) = squared(&labelled, bins, confidence.level) else {
        return Measured::undefined(Undefined::UndefinedPart, labelled.support());
    };
    let [value, low, high] = [s.value, s.low, s.high].map(|v| v.max(0.0).sqrt());
    let error = (high - value).max(value - low) / z_quantile(confidence.level);
    measured(Estimate::of(value, labelled.support()).between(low, high), Some(error))
}

/// P(X <= x) of a noncentral chi-square by Sankaran's approximation, off by some thousandths.
///
/// Sankaran (1963), Approximations to the non-central chi-square distribution, Biometrika 50.
fn noncentral_cdf(x: f64, k: f64, lambda: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let (one, two, three) = (k + lambda, k + 2.0 * lambda, k + 3.0 * lambda);
    let h = 1.0 - 2.0 / 3.0 * one * three / (two * two);
    let p = two / (one * one);
    let m = (h - 1.0) * (1.0 - 3.0 * h);
    let centre = 1.0 + h * p * (h - 1.0 - 0.5 * (2.0 - h) * m * p);
    normal_cdf(((x / one).powf(h) - centre) / (h * (2.0 * p).sqrt() * (1.0 + 0.5 * m * p)))
}

/// The noncentrality at which `x` is the quantile at `p`; 0 where it is below that already.
fn noncentrality(x: f64, k: f64, p: f64) -> f64 {
    let at = |lambda: f64| noncentral_cdf(x, k, lambda) - p;
    let start = at(0.0);
    if start <= 0.0 {
        return 0.0;
    }
    let mut far = (x + 1.0).max(1.0);
    for _ in 0..60 {
        if at(far) < 0.0 {
            break;
        }
        far *= 2.0;
    }
    root(at, (0.0, start), (far, at(far)), 1e-9)
}

/// The quantile of chi-square, by the same approximation as its noncentral kin, so that limits meet at 0.
fn chi_square_quantile(p: f64, k: f64) -> f64 {
    let at = |x: f64| noncentral_cdf(x, k, 0.0) - p;
    let mut far = k + 10.0;
    for _ in 0..60 {
        if at(far) > 0.0 {
            break;
        }
        far *= 2.0;
    }
    root(at, (0.0, -p), (far, at(far)), 1e-10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_noncentral_approximation_is_near_tables() {
        // Tables of chi-square; the approximation is worst for a single degree of freedom.
        assert!((chi_square_quantile(0.975, 10.0) - 20.4832).abs() < 0.03);
        assert!((chi_square_quantile(0.95, 1.0) - 3.8415).abs() < 0.1);
        // Mean and spread of a large one: normal.
        assert!((noncentral_cdf(1e6 + 10.0, 10.0, 1e6) - 0.5).abs() < 1e-3);
        // λ and x meet again.
        let lambda = noncentrality(30.0, 10.0, 0.975);
        assert!((noncentral_cdf(30.0, 10.0, lambda) - 0.975).abs() < 1e-6);
    }
}
