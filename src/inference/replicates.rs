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
        self.usable()?.percentile(level)
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
        self.usable()?.bca(estimate, jackknife, level)
    }

    /// The interval of [`bca`](Self::bca), or of [`percentile`](Self::percentile) where there is none, and the
    /// [`standard_error`](Self::standard_error): at the price of one.
    pub(crate) fn spread(
        &self,
        estimate: f64,
        jackknife: &[(f64, f64)],
        level: f64,
    ) -> (Option<Interval>, Option<f64>) {
        let Some(mut values) = self.usable() else { return (None, None) };
        let interval = values.bca(estimate, jackknife, level).or_else(|| values.percentile(level));
        (interval, Some(values.moments.1).filter(|se| se.is_finite()))
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
        let mean = sum(&self.replicates, |value| value) / count;
        let squares = sum(&self.replicates, |value| (value - mean) * (value - mean));
        Some((mean, (squares / (count - 1.0)).sqrt()))
    }

    /// The values, if there are two and all are finite.
    fn usable(&self) -> Option<Ordered<'_>> {
        let moments = self.moments()?;
        // A value that is not finite leaves no finite sum; sums of finite ones may still be too large.
        let finite = moments.1.is_finite() || self.replicates.iter().all(|value| value.is_finite());
        finite.then(|| Ordered { values: &self.replicates, moments, room: vec![0.0; self.replicates.len()] })
    }
}

/// The sum of something of each value, in eight parts side by side.
fn sum(values: &[f64], of: impl Fn(f64) -> f64) -> f64 {
    let mut sums = [0.0; 8];
    let (chunks, rest) = values.as_chunks::<8>();
    for chunk in chunks {
        sums.iter_mut().zip(chunk).for_each(|(sum, value)| *sum += of(*value));
    }
    sums.iter().sum::<f64>() + rest.iter().map(|value| of(*value)).sum::<f64>()
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
    /// As many as values, to put some of them apart.
    room: Vec<f64>,
}

impl Ordered<'_> {
    fn percentile(&mut self, level: f64) -> Option<Interval> {
        let tail = (1.0 - checked_level(level)?) / 2.0;
        Some(Interval { low: self.quantile(tail), high: self.quantile(1.0 - tail) })
    }

    fn bca(&mut self, estimate: f64, jackknife: &[(f64, f64)], level: f64) -> Option<Interval> {
        let z = z_quantile(checked_level(level)?);
        let usable = jackknife.iter().all(|(rows, value)| *rows >= 0.0 && rows.is_finite() && value.is_finite());
        if !estimate.is_finite() || !usable {
            return None;
        }
        let count = self.values.len() as f64;
        // Twice those below, for ties count half.
        let below = self.values.iter().map(|value| u64::from(*value < estimate) + u64::from(*value <= estimate));
        // With all replicates on one side, half a replicate keeps the correction finite.
        let share = (0.5 * below.sum::<u64>() as f64 / count).clamp(0.5 / count, 1.0 - 0.5 / count);
        let z0 = normal_quantile(share);
        let a = acceleration(jackknife);
        let place = |z: f64| {
            let shifted = z0 + z;
            let stretch = 1.0 - a * shifted;
            if stretch > 0.0 { normal_cdf(z0 + shifted / stretch) } else { normal_cdf(z0 + shifted.signum() * 40.0) }
        };
        Some(Interval { low: self.quantile(place(-z)), high: self.quantile(place(z)) })
    }

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
        let mut few = 0;
        if share < 0.5 {
            let end = mean + if low { sd } else { -sd } * normal_quantile(share);
            for value in self.values {
                // Overwritten by the next where it is not one of them.
                room[few] = *value;
                few += usize::from(if low { *value <= end } else { *value >= end });
            }
        }
        if few < needed {
            room.copy_from_slice(self.values);
            few = count;
        }
        let room = &mut room[..few];
        let place = if low { index } else { index + few - count };
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
