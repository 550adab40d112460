//! Kitagawa's decomposition of a difference of rates.

use serde::{Deserialize, Serialize};

use super::stratified::{Decided, Stratified, joint_support, overlap};
use crate::inference::special::normal_sf;
use crate::inference::z_quantile;
use crate::metrics::{Confidence, Estimate, Tested, Undefined};

/// A difference of two selection rates in two parts: explained by the strata that people are in, and left over within
/// strata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kitagawa {
    /// The difference of the rates over the strata that hold both groups: explained + unexplained.
    pub difference: Estimate,
    /// `Σ (w_a − w_b)(r_a + r_b) / 2`: the groups are in different strata.
    pub explained: Estimate,
    /// `Σ (r_a − r_b)(w_a + w_b) / 2`: within strata they are treated differently.
    pub unexplained: Estimate,
    /// The chance of so much explained were there nothing.
    pub explained_p: Option<f64>,
    /// The chance of so much left over were there nothing.
    pub unexplained_p: Option<f64>,
    /// What each stratum adds to both parts.
    pub strata: Vec<KitagawaPart>,
}

/// What one stratum adds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct KitagawaPart {
    /// The stratum: its place in what [`Stratified::of_counts`] was given.
    pub stratum: u64,
    /// To what is explained: compare the parts among each other, the sum alone has a meaning by itself.
    pub explained: f64,
    /// To what is left over.
    pub unexplained: f64,
}

/// One group in one stratum, as shares.
struct Place {
    decided: Decided,
    /// The share of the group's weight (in common strata) that is in this stratum.
    share: f64,
    rate: f64,
}

/// Kitagawa's decomposition of the first group's selection rate minus the second's:
///
/// `p_a − p_b = Σ_l (w_al − w_bl)(r_al + r_bl)/2 + Σ_l (r_al − r_bl)(w_al + w_bl)/2`,
///
/// with w_l the share of a group that is in stratum l and r_l its selection rate there. Symmetric: swapping the groups
/// turns the signs. Over the strata that hold both groups. All parts are in [−1, 1]; both add up to the difference.
/// The intervals linearise in the shares and rates of both groups (weighted where there are weights).
///
/// # Errors
/// Without a stratum that holds both groups, an estimate with the reason.
///
/// # References
/// Kitagawa (1955), Components of a difference between two rates, JASA 50.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, conditional::{Stratified, kitagawa}};
/// let a = Stratified::of_counts(&[(140.0, 700.0), (150.0, 300.0)]); // 20 % of 700, 50 % of 300
/// let b = Stratified::of_counts(&[(75.0, 300.0), (385.0, 700.0)]); // 25 % of 300, 55 % of 700
/// let parts = kitagawa(&a, &b, Confidence::at(0.95)).unwrap();
/// assert!((parts.difference.value.unwrap() + 0.17).abs() < 1e-12);
/// assert!((parts.explained.value.unwrap() + 0.12).abs() < 1e-12);
/// assert!((parts.unexplained.value.unwrap() + 0.05).abs() < 1e-12);
/// ```
pub fn kitagawa(a: &Stratified, b: &Stratified, confidence: Confidence) -> Result<Kitagawa, Estimate> {
    let common = overlap(a, b);
    let support = joint_support(&common);
    let weight = |pick: fn(&(u64, Decided, Decided)) -> Decided| common.iter().map(|c| pick(c).all().weight).sum();
    let (all_a, all_b): (f64, f64) = (weight(|c| c.1), weight(|c| c.2));
    if !(all_a > 0.0 && all_b > 0.0) {
        return Err(Estimate::undefined(Undefined::NoOverlap, support));
    }
    let place = |decided: Decided, all: f64| Place { decided, share: decided.all().weight / all, rate: decided.rate() };
    let pairs: Vec<(Place, Place)> = common.iter().map(|c| (place(c.1, all_a), place(c.2, all_b))).collect();
    let parts: Vec<KitagawaPart> = common
        .iter()
        .zip(&pairs)
        .map(|((stratum, ..), (a, b))| KitagawaPart {
            stratum: *stratum,
            explained: (a.share - b.share) * (a.rate + b.rate) / 2.0,
            unexplained: (a.rate - b.rate) * (a.share + b.share) / 2.0,
        })
        .collect();
    let z = z_quantile(confidence.level);
    let sum = |of: fn(&KitagawaPart) -> f64| parts.iter().map(of).sum::<f64>();
    // How the part moves with the share and with the rate of one group in one stratum.
    let estimate = |value: f64, slopes: fn(&Place, &Place) -> (f64, f64)| {
        let of_a = variance(pairs.iter().map(|(a, b)| (a, slopes(a, b))), all_a);
        // In the second group's eyes both parts have the other sign, which a variance does not see.
        let of_b = variance(pairs.iter().map(|(a, b)| (b, slopes(b, a))), all_b);
        let se = (of_a + of_b).sqrt();
        let estimate = Estimate::of(value, support).between((value - z * se).max(-1.0), (value + z * se).min(1.0));
        (estimate, (se > 0.0).then(|| 2.0 * normal_sf((value / se).abs())))
    };
    let (explained, explained_p) =
        estimate(sum(|p| p.explained), |own, other| ((own.rate + other.rate) / 2.0, (own.share - other.share) / 2.0));
    let (unexplained, unexplained_p) =
        estimate(sum(|p| p.unexplained), |own, other| ((own.rate - other.rate) / 2.0, (own.share + other.share) / 2.0));
    let (difference, _) = estimate(sum(|p| p.explained + p.unexplained), |own, _| (own.rate, own.share));
    Ok(Kitagawa { difference, explained, unexplained, explained_p, unexplained_p, strata: parts })
}

/// The variance that one group's rows bring, from how the figure moves with its shares and rates.
fn variance<'p>(places: impl Iterator<Item = (&'p Place, (f64, f64))> + Clone, all: f64) -> f64 {
    let mean: f64 = places.clone().map(|(p, (by_share, _))| p.share * by_share).sum();
    let (mut sum, mut squares) = (0.0, 0.0);
    for (place, (by_share, by_rate)) in places {
        let per_row = if place.share > 0.0 { by_rate / place.share } else { 0.0 };
        let moved = |decision: f64| by_share - mean + per_row * (decision - place.rate);
        let Decided { selected, others } = place.decided;
        sum += selected.weight_squared * moved(1.0).powi(2) + others.weight_squared * moved(0.0).powi(2);
        squares += selected.weight_squared + others.weight_squared;
    }
    // As a sample variance has it, over the rows less one.
    let effective = all * all / squares.max(f64::MIN_POSITIVE);
    let less_one = if effective > 1.0 { effective / (effective - 1.0) } else { 1.0 };
    sum / (all * all) * less_one
}

/// One part of the decomposition with its test.
pub(super) fn part(found: Result<Kitagawa, Estimate>, pick: fn(Kitagawa) -> (Estimate, Option<f64>)) -> Tested {
    match found.map(pick) {
        Ok((estimate, Some(p_value))) => Tested::by(estimate, p_value, "z of the linearised part"),
        Ok((estimate, None)) => Tested::untested(estimate),
        Err(undefined) => Tested::untested(undefined),
    }
}
