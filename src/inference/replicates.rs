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
        let sorted = self.sorted()?;
        Some(Interval { low: quantile(&sorted, tail), high: quantile(&sorted, 1.0 - tail) })
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
        let sorted = self.sorted()?;
        let usable = jackknife.iter().all(|(rows, value)| *rows >= 0.0 && rows.is_finite() && value.is_finite());
        if !estimate.is_finite() || !usable {
            return None;
        }
        let count = sorted.len() as f64;
        let below = sorted.partition_point(|&value| value < estimate) as f64;
        let up_to = sorted.partition_point(|&value| value <= estimate) as f64;
        // With all replicates on one side, half a replicate keeps the correction finite.
        let share = (0.5 * (below + up_to) / count).clamp(0.5 / count, 1.0 - 0.5 / count);
        let z0 = normal_quantile(share);
        let a = acceleration(jackknife);
        let place = |z: f64| {
            let shifted = z0 + z;
            let stretch = 1.0 - a * shifted;
            if stretch > 0.0 { normal_cdf(z0 + shifted / stretch) } else { normal_cdf(z0 + shifted.signum() * 40.0) }
        };
        Some(Interval { low: quantile(&sorted, place(-z)), high: quantile(&sorted, place(z)) })
    }

    /// The standard deviation of the defined replicates; `None` with fewer than two.
    pub fn standard_error(&self) -> Option<f64> {
        let count = self.replicates.len() as f64;
        if count < 2.0 {
            return None;
        }
        let mean = self.replicates.iter().sum::<f64>() / count;
        let squares: f64 = self.replicates.iter().map(|value| (value - mean) * (value - mean)).sum();
        Some((squares / (count - 1.0)).sqrt()).filter(|se| se.is_finite())
    }

    /// The values in order, if there are two and all are finite.
    fn sorted(&self) -> Option<Vec<f64>> {
        let mut sorted = self.replicates.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        (sorted.len() >= 2 && sorted.iter().all(|value| value.is_finite())).then_some(sorted)
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

/// The quantile of sorted values, linear between order statistics (Hyndman and Fan's type 7).
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let at = p.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let index = (at as usize).min(sorted.len() - 1);
    let next = (index + 1).min(sorted.len() - 1);
    sorted[index] + (at - index as f64) * (sorted[next] - sorted[index])
}
