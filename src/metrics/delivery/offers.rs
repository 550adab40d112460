//! The value of offers: discounts, prices or limits of two groups, within strata that may justify a difference.

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::inference::rate;
use crate::metrics::{Estimate, Support, Tested, Undefined};

/// How far two groups' offers are apart, in the unit of the value.
#[derive(Debug, Clone, PartialEq)]
pub struct OfferGap {
    /// The mean of the first group less that of the others, with Welch's test.
    pub mean: Tested,
    /// The quantile of the first group less that of the others.
    pub quantile: Estimate,
}

/// The gap of offer values between the rows of a group (`in_group`) and all others, averaged over strata with weights
/// `n1 n2 / (n1 + n2)`.
///
/// The mean's interval and test are Welch's, with Satterthwaite's degrees of freedom over all strata. The quantile's
/// (½ for the median; linear between order statistics) takes the order statistics at Wilson's limits of the quantile in
/// each group and stratum and combines them by MOVER: free of the values' distribution, given only where every side has
/// rows enough for limits on both sides (6 for a median at 0.95). Rows whose value is not finite are left out
/// (unknown); strata with one side, for the mean with fewer than 2 rows on a side, as well.
///
/// Undefined where nothing is left ([`Undefined::NoRows`]), no stratum holds both sides ([`Undefined::NoOverlap`]), or
/// the slices differ in length ([`Undefined::DifferentSupports`]); the quantile also where it is asked for outside (0, 1)
/// ([`Undefined::NotFinite`]). Values that do not vary have a gap and no test.
///
/// # References
/// Welch (1947), Biometrika 34; Zou, Donner (2008), Statistics in Medicine 27 (MOVER).
///
/// # Examples
/// ```
/// let value = [10.0, 12.0, 14.0, 20.0, 21.0, 22.0];
/// let women = [true, true, true, false, false, false];
/// let gap = evenhand::metrics::delivery::offer_gap(&value, &women, None, 0.5, 0.95);
/// assert!((gap.mean.estimate.value.unwrap() + 9.0).abs() < 1e-12);
/// assert_eq!(gap.quantile.value, Some(-9.0));
/// ```
pub fn offer_gap(values: &[f64], in_group: &[bool], strata: Option<&[usize]>, quantile: f64, level: f64) -> OfferGap {
    let both = |why| OfferGap {
        mean: Tested::untested(Estimate::undefined(why, Support::default())),
        quantile: Estimate::undefined(why, Support::default()),
    };
    if values.len() != in_group.len() || strata.is_some_and(|s| s.len() != values.len()) {
        return both(Undefined::DifferentSupports);
    }
    let mut rows: Vec<(usize, bool, f64)> = (0..values.len())
        .filter(|&i| values[i].is_finite())
        .map(|i| (strata.map_or(0, |s| s[i]), in_group[i], values[i]))
        .collect();
    if rows.is_empty() {
        return both(Undefined::NoRows);
    }
    rows.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)));
    let cells: Vec<(Vec<f64>, Vec<f64>)> = rows
        .chunk_by(|a, b| a.0 == b.0)
        .map(|stratum| {
            let side = |own: bool| stratum.iter().filter(|r| r.1 == own).map(|r| r.2).collect();
            (side(true), side(false))
        })
        .collect();
    OfferGap { mean: mean_gap(&cells, level), quantile: quantile_gap(&cells, quantile, level) }
}

type Cells = [(Vec<f64>, Vec<f64>)];

/// A stratum's weight, and the values of both groups in it.
type Weighed<'c> = (f64, &'c [f64], &'c [f64]);

/// The strata with at least `least` rows on both sides, their weights, and the rows they rest on.
fn usable(cells: &Cells, least: usize) -> (Vec<Weighed<'_>>, Support) {
    let kept: Vec<_> = cells.iter().filter(|(a, b)| a.len() >= least && b.len() >= least).collect();
    let weight = |a: &[f64], b: &[f64]| a.len() as f64 * b.len() as f64 / (a.len() + b.len()) as f64;
    let total: f64 = kept.iter().map(|(a, b)| weight(a, b)).sum();
    let rows: f64 = kept.iter().map(|(a, b)| (a.len() + b.len()) as f64).sum();
    let strata = kept.iter().map(|(a, b)| (weight(a, b) / total, a.as_slice(), b.as_slice())).collect();
    (strata, Support { rows, weight: rows, effective_size: rows })
}

fn mean_gap(cells: &Cells, level: f64) -> Tested {
    let (strata, support) = usable(cells, 2);
    if strata.is_empty() {
        return Tested::untested(Estimate::undefined(Undefined::NoOverlap, support));
    }
    let (mut gap, mut variance, mut spread) = (0.0, 0.0, 0.0);
    for (w, a, b) in strata {
        let mut side = |values: &[f64]| {
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let v = w * w * values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0) / n;
            variance += v;
            spread += v * v / (n - 1.0);
            mean
        };
        gap += w * (side(a) - side(b));
    }
    let estimate = Estimate::of(gap, support);
    let Some(t) = StudentsT::new(0.0, 1.0, variance * variance / spread).ok().filter(|_| variance > 0.0) else {
        return Tested::untested(estimate);
    };
    let half = t.inverse_cdf((1.0 + level) / 2.0) * variance.sqrt();
    Tested::by(estimate.between(gap - half, gap + half), (2.0 * t.cdf(-gap.abs() / variance.sqrt())).min(1.0), "Welch")
}

fn quantile_gap(cells: &Cells, q: f64, level: f64) -> Estimate {
    let (strata, support) = usable(cells, 1);
    if !(q > 0.0 && q < 1.0) {
        return Estimate::undefined(Undefined::NotFinite, support);
    }
    if strata.is_empty() {
        return Estimate::undefined(Undefined::NoOverlap, support);
    }
    let (mut gap, mut below, mut above, mut sure) = (0.0, 0.0, 0.0, true);
    for (w, a, b) in strata {
        let (ma, mb) = (quantile(a, q), quantile(b, q));
        gap += w * (ma - mb);
        match limits(a, q, level).zip(limits(b, q, level)) {
            Some(((la, ha), (lb, hb))) => {
                below += w * w * ((ma - la).powi(2) + (hb - mb).powi(2));
                above += w * w * ((ha - ma).powi(2) + (mb - lb).powi(2));
            }
            None => sure = false,
        }
    }
    let estimate = Estimate::of(gap, support);
    if sure { estimate.between(gap - below.sqrt(), gap + above.sqrt()) } else { estimate }
}

/// A quantile of sorted values (not empty), linear between order statistics.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let last = sorted.len() - 1;
    let at = q * last as f64;
    let (low, part) = (at.floor() as usize, at - at.floor());
    let high = (low + 1).min(last);
    sorted[low.min(last)] * (1.0 - part) + sorted[high] * part
}

/// The order statistics between which the quantile lies, `None` with too few values.
fn limits(sorted: &[f64], q: f64, level: f64) -> Option<(f64, f64)> {
    let n = sorted.len();
    let i = rate::wilson(q * n as f64, n as f64, level)?;
    let (low, high) = ((n as f64 * i.low).floor() as usize, (n as f64 * i.high).ceil() as usize);
    Some((*sorted.get(low.checked_sub(1)?)?, *sorted.get(high)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::rng::stream;
    use rand_distr::{Distribution, LogNormal};

    #[test]
    fn intervals_cover_within_strata() {
        let mut rng = stream(41, 0, 0);
        let offers = LogNormal::new(0.0, 0.5).unwrap();
        let (mut mean, mut median, mut upper, mut wrong) = (0, 0, 0, 0);
        for _ in 0..1500 {
            // Strata differ in level and in who is there; within them, the group gets 0.3 less.
            let rows: Vec<(f64, bool, usize)> = (0..240)
                .map(|i| {
                    let stratum = i % 2;
                    let own = if stratum == 0 { i % 3 == 0 } else { i % 3 != 0 };
                    (offers.sample(&mut rng) + 2.0 * stratum as f64, own, stratum)
                })
                .collect();
            let (own, strata): (Vec<bool>, Vec<usize>) = rows.iter().map(|r| (r.1, r.2)).unzip();
            let fair: Vec<f64> = rows.iter().map(|r| r.0).collect();
            let less: Vec<f64> = rows.iter().map(|r| r.0 - if r.1 { 0.3 } else { 0.0 }).collect();
            let found = offer_gap(&less, &own, Some(&strata), 0.5, 0.95);
            let holds = |e: &Estimate| e.interval().is_some_and(|(l, h)| l <= -0.3 && -0.3 <= h);
            mean += usize::from(holds(&found.mean.estimate));
            median += usize::from(holds(&found.quantile));
            upper += usize::from(holds(&offer_gap(&less, &own, Some(&strata), 0.8, 0.95).quantile));
            wrong += usize::from(offer_gap(&fair, &own, Some(&strata), 0.5, 0.95).mean.p_value.unwrap() < 0.05);
        }
        let [mean, median, upper, wrong] = [mean, median, upper, wrong].map(|n| n as f64 / 1500.0);
        assert!((0.93..0.97).contains(&mean) && median > 0.94 && upper > 0.94 && (0.03..0.07).contains(&wrong));
    }

    #[test]
    fn nasty_input() {
        let reason = |v: &[f64], g: &[bool]| offer_gap(v, g, None, 0.5, 0.95).quantile.reason;
        assert_eq!(reason(&[], &[]), Some(Undefined::NoRows));
        assert_eq!(reason(&[1.0], &[]), Some(Undefined::DifferentSupports));
        assert_eq!(reason(&[f64::NAN, f64::INFINITY], &[true, false]), Some(Undefined::NoRows));
        assert_eq!(reason(&[1.0, 2.0], &[true, true]), Some(Undefined::NoOverlap));
        let tied = offer_gap(&[5.0; 20], &std::array::from_fn::<bool, 20, _>(|i| i % 2 == 0), None, 0.5, 0.95);
        assert_eq!((tied.mean.estimate.value, tied.mean.p_value), (Some(0.0), None));
        assert_eq!(reason(&[1.0, 2.0], &[true, false]), None);
        assert_eq!(
            offer_gap(&[1.0, 2.0], &[true, false], None, f64::NAN, 0.95).quantile.reason,
            Some(Undefined::NotFinite)
        );
        assert_eq!(tied.quantile.interval(), Some((0.0, 0.0)));
        assert_eq!(
            offer_gap(&[1.0, 2.0], &[true, false], Some(&[0, 1]), 0.5, 0.95).quantile.reason,
            Some(Undefined::NoOverlap)
        );
    }
}
