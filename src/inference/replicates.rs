//! What a bootstrap found, and the intervals read from it.

use serde::{Deserialize, Serialize};

use super::interval::{Interval, checked_level, z_quantile};
use super::special::{normal_cdf, normal_quantile};

/// The replicates of one statistic.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Replicates {
    /// The defined values, in the order of drawing; all finite.
    pub replicates: Vec<f64>,
    /// How many replicates had none, such as a rate whose denominator drew empty.
    pub undefined: usize,
}

impl Replicates {
    /// The percentile interval: the `(1−level)/2` and `(1+level)/2` quantiles of the defined replicates.
    ///
    /// `None` with fewer than two, or where `level` is outside (0, 1). Not for a maximum minus a minimum over groups: see
    /// [`worst`](crate::inference::worst).
    ///
    /// # References
    /// Efron (1979), Bootstrap methods: another look at the jackknife, Annals of Statistics 7.
    ///
    /// ```
    /// use evenhand::inference::bootstrap::Replicates;
    /// let r = Replicates { replicates: (0..=100).map(f64::from).collect(), undefined: 0 };
    /// let i = r.percentile(0.9).expect("101 values");
    /// assert!((i.low - 5.0).abs() < 1e-9 && (i.high - 95.0).abs() < 1e-9);
    /// ```
    pub fn percentile(&self, level: f64) -> Option<Interval> {
        let tail = (1.0 - checked_level(level)?) / 2.0;
        let mut values = self.usable()?;
        Some(Interval { low: values.quantile(tail), high: values.quantile(1.0 - tail) })
    }

    /// Efron's bias-corrected and accelerated interval: quantiles at `Φ(z0 + (z0 ± z) / (1 − a (z0 ± z)))`.
    ///
    /// `estimate` is the statistic of the data; `jackknife` holds, for each cell with rows, how many rows it has and the
    /// statistic without one of them (see [`jackknife`](crate::inference::bootstrap::jackknife)).
    /// `z0 = Φ⁻¹(share of replicates below the estimate, ties counting half)` and `a = Σ N (θ̄−θ)³ / 6 (Σ N (θ̄−θ)²)^1.5`.
    /// An empty or constant jackknife means no acceleration. `None` with fewer than two replicates, something not finite,
    /// or `level` outside (0, 1).
    ///
    /// # References
    /// Efron (1987), Better bootstrap confidence intervals, JASA 82.
    pub fn bca(&self, estimate: f64, jackknife: &[(f64, f64)], level: f64) -> Option<Interval> {
        let z = z_quantile(checked_level(level)?);
        let mut values = self.usable()?;
        let usable = jackknife.iter().all(|(rows, value)| *rows >= 0.0 && rows.is_finite() && value.is_finite());
        if !estimate.is_finite() || !usable {
            return None;
        }
        let count = self.replicates.len() as f64;
        let below = self.replicates.iter().filter(|&&value| value < estimate).count() as f64;
        let up_to = self.replicates.iter().filter(|&&value| value <= estimate).count() as f64;
        // With all replicates on one side, half a replicate keeps the correction finite.
        let share = (0.5 * (below + up_to) / count).clamp(0.5 / count, 1.0 - 0.5 / count);
        let z0 = normal_quantile(share);
        let a = acceleration(jackknife);
        let place = |z: f64| {
            let shifted = z0 + z;
            let stretch = 1.0 - a * shifted;
            if stretch > 0.0 { normal_cdf(z0 + shifted / stretch) } else { normal_cdf(z0 + shifted.signum() * 40.0) }
        };
        Some(Interval { low: values.quantile(place(-z)), high: values.quantile(place(z)) })
    }

    /// The standard deviation of the defined replicates; `None` with fewer than two.
    pub fn standard_error(&self) -> Option<f64> {
        let (_, se) = self.moments()?;
        Some(se).filter(|se| se.is_finite())
    }

    /// The mean and the standard deviation.
    fn moments(&self) -> Option<(f64, f64)> {
        let count = self.replicates.len() as f64;
        if count < 2.0 {
            return None;
        }
        let mean = self.replicates.iter().sum::<f64>() / count;
        let squares: f64 = self.replicates.iter().map(|value| (value - mean) * (value - mean)).sum();
        Some((mean, (squares / (count - 1.0)).sqrt()))
    }

    /// The values, if there are two and all are finite.
    fn usable(&self) -> Option<Ordered<'_>> {
        let moments = self.moments()?;
        let finite = self.replicates.iter().fold(true, |all, value| all & value.is_finite());
        finite.then(|| Ordered { values: &self.replicates, moments, room: Vec::new() })
    }
}

/// A sixth of the skewness of the rows' influences over the root of their number.
fn acceleration(jackknife: &[(f64, f64)]) -> f64 {
    let rows: f64 = jackknife.iter().map(|cell| cell.0).sum();
    let mean = jackknife.iter().map(|(n, value)| n * value).sum::<f64>() / rows;
    let power = |k: i32| jackknife.iter().map(|(n, value)| n * (mean - value).powi(k)).sum::<f64>();
    let a = power(3) / (6.0 * power(2).powf(1.5));
    if a.is_finite() { a } else { 0.0 }
}

/// Values by their order.
struct Ordered<'v> {
    values: &'v [f64],
    moments: (f64, f64),
    room: Vec<f64>,
}

impl Ordered<'_> {
    /// A quantile, linear between order statistics (Hyndman and Fan's type 7).
    ///
    /// Seen from its end of the values it is one of few: only those beyond a point are looked at, of which a normal sample of
    /// this mean and deviation would have about twice as many. Where these are too few, all are.
    fn quantile(&mut self, p: f64) -> f64 {
        let (count, (mean, sd), room) = (self.values.len(), self.moments, &mut self.room);
        let at = p.clamp(0.0, 1.0) * (count - 1) as f64;
        let index = (at as usize).min(count - 1);
        let low = index < count / 2;
        let needed = if low { index + 2 } else { count - index };
        let share = (2 * needed + 8) as f64 / count as f64;
        room.clear();
        if share < 0.5 {
            let reach = -sd * normal_quantile(share);
            let beyond = |value: &f64| if low { *value <= mean - reach } else { *value >= mean + reach };
            room.extend(self.values.iter().copied().filter(beyond));
        }
        if room.len() < needed {
            room.clear();
            room.extend_from_slice(self.values);
        }
        let place = if low { index } else { index + room.len() - count };
        let (_, lower, above) = room.select_nth_unstable_by(place, f64::total_cmp);
        let lower = *lower;
        let next = above.iter().copied().min_by(f64::total_cmp).unwrap_or(lower);
        lower + (at - index as f64) * (next - lower)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_sorted_values() {
        let mixed = |i: u32| f64::from(i.wrapping_mul(2_654_435_761) >> 7);
        let shapes: [fn(f64) -> f64; 5] = [|v| v, |v| v.powi(5), |v| (v / 1e6).floor(), |_| 0.1, |v| -v.ln_1p()];
        for count in [2, 3, 5, 10, 40, 250, 1000, 1001] {
            for shape in shapes {
                let all = Replicates { replicates: (0..count).map(|i| shape(mixed(i))).collect(), undefined: 0 };
                let mut sorted = all.replicates.clone();
                sorted.sort_by(f64::total_cmp);
                let mut values = all.usable().unwrap();
                for p in [0.0, 1e-9, 0.001, 0.02, 0.025, 0.3, 0.5, 0.501, 0.9, 0.975, 0.9999, 1.0] {
                    let at = p * f64::from(count - 1);
                    let (from, to) = (sorted[at as usize], sorted[(at as usize + 1).min(sorted.len() - 1)]);
                    assert_eq!(values.quantile(p), from + at.fract() * (to - from), "{p} of {count}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_finite_has_no_quantiles() {
        for values in [vec![], vec![1.0], vec![1.0, f64::NAN, 2.0], vec![1.0, f64::INFINITY]] {
            assert!(Replicates { replicates: values, undefined: 0 }.usable().is_none());
        }
    }
}
