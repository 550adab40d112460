//! How far shares may be from the truth, many at once: errors drawn from their normal limit.
//!
//! A distance between shares (a norm of their differences) is never below 0, and biased upward; resampling copies that
//! bias. But by the triangle inequality the distance of the observed shares is never further from the true distance
//! than the norm of the errors is long: a quantile of that norm makes an interval that holds at its level wherever the
//! truth is, near 0 above all.

use rand::Rng;
use rand_distr::StandardNormal;

use crate::inference::rng::stream;
use crate::inference::special::normal_sf;
use crate::inference::z_quantile;
use crate::metrics::{Confidence, Estimate, Support, Tested};
use crate::tally::Cell;

/// Draws beyond the farthest quantile that is read off directly.
const TAIL: f64 = 10.0;
/// Draws for each replicate asked for: they are cheap, and a quantile needs more of them than a standard error.
const DRAWS: usize = 4;

/// A group's shares of some cells, and what chance makes of them.
#[derive(Debug, Clone)]
pub(super) struct Shares {
    pub p: Vec<f64>,
    /// The shares after z²/2 more rows, dealt to all cells alike: as in Agresti and Caffo's interval, they keep the error
    /// of a share of 0 or 1 from vanishing.
    pub smooth: Vec<f64>,
    /// The weight of the rows over the weight with those added.
    kept: f64,
    /// The standard errors of the cells' weights, over the weight of all. Figures are of the shares as they are, not drawn
    /// towards each other as in Agresti and Caffo's interval: so their errors are not either.
    sd: Vec<f64>,
}

impl Shares {
    /// `None` without weight.
    pub fn of(cells: &[Cell], level: f64) -> Option<Self> {
        let (weight, squared) = cells.iter().fold((0.0, 0.0), |s, c| (s.0 + c.weight, s.1 + c.weight_squared));
        if !(weight > 0.0 && squared > 0.0) {
            return None;
        }
        let z = z_quantile(level);
        let (row, more) = (squared / weight, z * z / 2.0 / cells.len() as f64);
        let all = weight + more * row * cells.len() as f64;
        Some(Shares {
            p: cells.iter().map(|c| (c.weight / weight).clamp(0.0, 1.0)).collect(),
            smooth: cells.iter().map(|c| (c.weight + more * row) / all).collect(),
            kept: weight / all,
            sd: cells.iter().map(|c| (c.weight_squared + more * row * row).sqrt() / weight).collect(),
        })
    }

    /// The standard error of Σ v p of the smoothed shares.
    pub fn error(&self, values: impl Iterator<Item = f64> + Clone) -> f64 {
        let mean: f64 = self.smooth.iter().zip(values.clone()).map(|(p, v)| p * v).sum();
        self.kept * self.sd.iter().zip(values).map(|(sd, v)| (sd * (v - mean)).powi(2)).sum::<f64>().sqrt()
    }

    fn draw(&self, rng: &mut impl Rng, errors: &mut Vec<f64>) {
        let start = errors.len();
        errors.extend(self.sd.iter().map(|sd| sd * rng.sample::<f64, _>(StandardNormal)));
        let sum: f64 = errors[start..].iter().sum();
        errors[start..].iter_mut().zip(&self.smooth).for_each(|(error, p)| *error -= p * sum);
    }
}

/// Norms of drawn errors.
pub(super) struct Norms {
    sorted: Vec<f64>,
}

impl Norms {
    /// The norms of the errors of all shares, one set after the other; `None` without a draw, or where one is not finite.
    pub fn of(shares: &[Shares], confidence: Confidence, norm: impl Fn(&[f64]) -> f64) -> Option<Self> {
        let mut rng = stream(confidence.bootstrap.seed, shares.len(), 0);
        let mut errors = Vec::with_capacity(shares.iter().map(|s| s.p.len()).sum());
        let draw = |_| {
            errors.clear();
            shares.iter().for_each(|s| s.draw(&mut rng, &mut errors));
            norm(&errors)
        };
        Self::drawn(confidence, draw)
    }

    pub fn drawn(confidence: Confidence, norm: impl FnMut(usize) -> f64) -> Option<Self> {
        let mut norms: Vec<f64> = (0..DRAWS.saturating_mul(confidence.bootstrap.replicates)).map(norm).collect();
        norms.sort_unstable_by(f64::total_cmp);
        (!norms.is_empty() && norms.iter().all(|n| n.is_finite())).then_some(Norms { sorted: norms })
    }

    /// The farthest level that the draws say anything of.
    fn reach(&self) -> f64 {
        (1.0 - TAIL / (self.sorted.len() as f64 + 1.0)).max(0.5)
    }

    fn read(&self, level: f64) -> f64 {
        let at = ((self.sorted.len() as f64 + 1.0) * level).ceil() as usize;
        self.sorted[at.clamp(1, self.sorted.len()) - 1]
    }

    /// The norm that errors reach with a chance of 1 − level. Beyond the draws it grows as a normal quantile does: norms
    /// of normal errors grow no faster.
    pub fn quantile(&self, level: f64) -> f64 {
        let reach = self.reach();
        if level <= reach { self.read(level) } else { self.read(reach) * z_quantile(level) / z_quantile(reach) }
    }

    /// The chance of a norm as large as `value`.
    pub fn chance(&self, value: f64) -> f64 {
        let (reach, count) = (self.reach(), self.sorted.len() as f64);
        let far = self.read(reach);
        if value > far && far > 0.0 {
            let z = z_quantile(reach) * value / far;
            return (2.0 * normal_sf(z)).clamp(0.0, 1.0);
        }
        let below = self.sorted.partition_point(|n| *n < value * (1.0 - 1e-12)) as f64;
        ((1.0 + count - below) / (1.0 + count)).min(1.0)
    }
}

/// A distance: a norm of the differences of shares, with an interval that holds 0 on fair shares as often as it says.
pub(super) fn distance(
    shares: &[Shares],
    confidence: Confidence,
    (most, support): (f64, Support),
    norm: impl Fn(&[f64]) -> f64,
) -> Tested {
    let observed: Vec<f64> = shares.iter().flat_map(|s| &s.p).copied().collect();
    let value = norm(&observed).clamp(0.0, most);
    within(value, Norms::of(shares, confidence, norm), confidence.level, (0.0, most), support)
}

/// A figure no further from the truth than the errors are long. `least` is what it is without disparity.
pub(super) fn within(
    value: f64,
    norms: Option<Norms>,
    level: f64,
    (least, most): (f64, f64),
    support: Support,
) -> Tested {
    let estimate = Estimate::of(value, support);
    match norms.filter(|_| estimate.value.is_some() && level > 0.0 && level < 1.0) {
        Some(norms) => {
            let q = norms.quantile(level);
            let estimate = estimate.between((value - q).max(least).min(value), (value + q).min(most).max(value));
            Tested::by(estimate, norms.chance(value - least), "simulated errors")
        }
        None => Tested::untested(estimate),
    }
}

/// The p-value of a z statistic, both sides.
pub(super) fn two_sided(z: f64) -> f64 {
    (2.0 * normal_sf(z.abs())).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn norms(k: usize, confidence: Confidence) -> Norms {
        let cells = vec![Cell::of_rows(500.0); k];
        let shares = [Shares::of(&cells, 0.95).unwrap()];
        Norms::of(&shares, confidence, |e| e[0].abs()).unwrap()
    }

    #[test]
    fn the_norm_of_one_error_is_a_normal_quantile() {
        let confidence = Confidence::at(0.95);
        let n = norms(2, confidence);
        let sd = 0.5 * (1000.0f64 + 1.96 * 1.96 / 2.0).sqrt() / 1000.0;
        for level in [0.5, 0.9, 0.95, 0.98, 0.999, 0.99999] {
            let ratio = n.quantile(level) / (z_quantile(level) * sd);
            assert!((ratio - 1.0).abs() < 0.1, "{level}: {ratio}");
        }
        for p in [0.2, 0.05, 0.01, 1e-4] {
            let chance = n.chance(z_quantile(1.0 - p) * sd);
            assert!((chance / p).ln().abs() < 0.8, "{p}: {chance}");
        }
        assert_eq!(n.chance(0.0), 1.0);
        assert!(Shares::of(&[Cell::default(); 2], 0.95).is_none());
    }

    #[test]
    fn linear_errors_agree_with_their_draws() {
        let cells = [30.0, 50.0, 20.0].map(Cell::of_rows);
        let shares = Shares::of(&cells, 0.95).unwrap();
        let values = [1.0, 4.0, -2.0];
        let of = |e: &[f64]| e.iter().zip(values).map(|(e, v)| e * v).sum::<f64>().abs();
        let drawn = Norms::of(std::slice::from_ref(&shares), Confidence::at(0.95), of).unwrap();
        let error = shares.error(values.into_iter());
        assert!((drawn.quantile(0.95) / (1.96 * error) - 1.0).abs() < 0.08);
    }
}
