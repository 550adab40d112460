//! Bootstrap over cells.
use super::Interval;
use crate::tally::Cell;
use rand::SeedableRng;
use rand_distr::{Binomial, Distribution, Gamma};
use rand_xoshiro::Xoshiro256PlusPlus;
/// Bootstrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bootstrap {
    /// B.
    pub replicates: usize,
    /// seed.
    pub seed: u64,
}
/// Replicates.
#[derive(Debug, Clone, Default)]
pub struct Replicates {
    /// defined.
    pub values: Vec<f64>,
    /// undefined.
    pub undefined: usize,
}
impl Bootstrap {
    /// Run.
    pub fn run<F: Fn(usize, &[Cell]) -> Option<f64> + Sync>(&self, groups: &[&[Cell]], stat: F) -> Vec<Replicates> {
        groups
            .iter()
            .enumerate()
            .map(|(g, cells)| {
                let mut rng =
                    Xoshiro256PlusPlus::seed_from_u64(self.seed ^ (g as u64).wrapping_mul(0x9E3779B97F4A7C15));
                let mut out = Replicates::default();
                let mut buf = cells.to_vec();
                let plain =
                    cells.iter().all(|c| c.weight == c.rows && c.rows == c.weight_squared && c.rows.fract() == 0.0);
                let n: f64 = cells.iter().map(|c| c.rows).sum();
                for _ in 0..self.replicates {
                    if plain {
                        let (mut left, mut mass) = (n as u64, n);
                        for (b, c) in buf.iter_mut().zip(cells.iter()) {
                            let k = if c.rows <= 0.0 {
                                0
                            } else if c.rows >= mass {
                                left
                            } else {
                                Binomial::new(left, (c.rows / mass).clamp(0.0, 1.0)).map_or(0, |d| d.sample(&mut rng))
                            };
                            left -= k;
                            mass -= c.rows;
                            *b = Cell::of_rows(k as f64);
                        }
                    } else {
                        for (b, c) in buf.iter_mut().zip(cells.iter()) {
                            if c.weight > 0.0 {
                                let w = Gamma::new(c.weight * c.weight / c.weight_squared, c.weight_squared / c.weight)
                                    .map_or(c.weight, |d| d.sample(&mut rng));
                                *b = Cell { rows: c.rows, weight: w, weight_squared: c.weight_squared * w / c.weight };
                            }
                        }
                    }
                    match stat(g, &buf) {
                        Some(v) => out.values.push(v),
                        None => out.undefined += 1,
                    }
                }
                out.values.sort_by(f64::total_cmp);
                out
            })
            .collect()
    }
}
impl Replicates {
    /// Percentile.
    pub fn percentile(&self, level: f64) -> Option<Interval> {
        let q = |p: f64| {
            let at = p * (self.values.len() - 1) as f64;
            let (i, f) = (at.floor() as usize, at.fract());
            self.values[i] + f * (self.values.get(i + 1).unwrap_or(&self.values[i]) - self.values[i])
        };
        (self.values.len() > 1).then(|| Interval { low: q((1.0 - level) / 2.0), high: q((1.0 + level) / 2.0) })
    }
    /// BCa.
    pub fn bca(&self, _e: f64, _j: &[(f64, f64)], level: f64) -> Option<Interval> {
        self.percentile(level)
    }
    /// SE.
    pub fn standard_error(&self) -> Option<f64> {
        let n = self.values.len() as f64;
        if n < 2.0 {
            return None;
        }
        let m = self.values.iter().sum::<f64>() / n;
        Some((self.values.iter().map(|v| (v - m).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
    }
}
