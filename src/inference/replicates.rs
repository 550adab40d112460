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
        Some(Interval { low: quantile(&mut values, tail), high: quantile(&mut values, 1.0 - tail) })
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
        let count = values.len() as f64;
        let below = values.iter().filter(|&&value| value < estimate).count() as f64;
        let up_to = values.iter().filter(|&&value| value <= estimate).count() as f64;
        // With all replicates on one side, half a replicate keeps the correction finite.
        let share = (0.5 * (below + up_to) / count).clamp(0.5 / count, 1.0 - 0.5 / count);
        let z0 = normal_quantile(share);
        let a = acceleration(jackknife);
        let place = |z: f64| {
            let shifted = z0 + z;
            let stretch = 1.0 - a * shifted;
            if stretch > 0.0 { normal_cdf(z0 + shifted / stretch) } else { normal_cdf(z0 + shifted.signum() * 40.0) }
        };
        Some(Interval { low: quantile(&mut values, place(-z)), high: quantile(&mut values, place(z)) })
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

    /// A copy of the values, if there are two and all are finite.
    fn usable(&self) -> Option<Vec<f64>> {
        let values = &self.replicates;
        (values.len() >= 2 && values.iter().all(|value| value.is_finite())).then(|| values.clone())
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

/// The quantile of values, linear between order statistics (Hyndman and Fan's type 7); their order is changed. Two of them are
/// found for less than all are sorted.
fn quantile(values: &mut [f64], p: f64) -> f64 {
    let at = p.clamp(0.0, 1.0) * (values.len() - 1) as f64;
    let index = (at as usize).min(values.len() - 1);
    let (_, lower, above) = values.select_nth_unstable_by(index, f64::total_cmp);
    let lower = *lower;
    let next = above.iter().copied().min_by(f64::total_cmp).unwrap_or(lower);
    lower + (at - index as f64) * (next - lower)
}
