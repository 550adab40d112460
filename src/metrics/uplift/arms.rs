//! Weighted means of the arms, with their errors.

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::inference::z_quantile;
use crate::metrics::{Support, Undefined};

/// The mean of some weighted rows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Arm {
    pub rows: f64,
    pub weight: f64,
    pub squared: f64,
    pub mean: f64,
    /// Σ w² (y − ȳ)² / W² · n/(n − 1): the variance of the mean, by Kish's size n. Equal weights: s²/n. `None` for n of
    /// one or less.
    pub variance: Option<f64>,
}

impl Arm {
    /// Of rows `(weight, value)`; those without weight count as rows only.
    pub fn of(rows: impl Iterator<Item = (f64, f64)> + Clone) -> Self {
        let mut arm = Arm::default();
        let mut sum = 0.0;
        for (w, y) in rows.clone() {
            arm.rows += 1.0;
            arm.weight += w;
            arm.squared += w * w;
            sum += w * y;
        }
        if arm.weight > 0.0 {
            arm.mean = sum / arm.weight;
            let mean = arm.mean;
            let squares: f64 = rows.map(|(w, y)| (w * (y - mean)).powi(2)).sum();
            let n = arm.size();
            arm.variance = (n > 1.0 + 1e-9).then(|| squares / (arm.weight * arm.weight) * n / (n - 1.0));
        }
        arm
    }

    /// Kish's effective size.
    pub fn size(&self) -> f64 {
        if self.squared > 0.0 { self.weight * self.weight / self.squared } else { 0.0 }
    }

    pub fn support(&self) -> Support {
        Support { rows: self.rows, weight: self.weight, effective_size: self.size() }
    }

    /// Of an outcome of 0 and 1, the effective successes and trials: p(1 − p) / Var(p), or Kish's size at the ends.
    pub fn counts(&self) -> (f64, f64) {
        let (p, kish) = (self.mean.clamp(0.0, 1.0), self.size());
        let n = match self.variance {
            // The factor n/(n − 1) is the sample's own; Wilson's interval has none.
            Some(v) if v > 0.0 && kish > 1.0 => (p * (1.0 - p) / (v * (kish - 1.0) / kish)).min(self.rows),
            _ => kish,
        };
        (p * n, n)
    }
}

/// Why two arms give no difference, if they do not.
pub(super) fn missing(treated: &Arm, control: &Arm) -> Option<Undefined> {
    if treated.rows + control.rows == 0.0 {
        Some(Undefined::NoRows)
    } else if treated.weight + control.weight <= 0.0 {
        Some(Undefined::NoWeight)
    } else if treated.weight <= 0.0 {
        Some(Undefined::NoTreated)
    } else if control.weight <= 0.0 {
        Some(Undefined::NoControl)
    } else {
        None
    }
}

/// Satterthwaite's degrees of freedom of a sum of variances `(variance, degrees of freedom)`.
pub(super) fn satterthwaite(parts: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (sum, squares) = parts.filter(|(v, _)| *v > 0.0).fold((0.0, 0.0), |(s, q), (v, df)| (s + v, q + v * v / df));
    if squares > 0.0 { sum * sum / squares } else { f64::INFINITY }
}

/// Student's two-sided quantile; the normal one for so many degrees of freedom that they are the same.
pub(super) fn t_quantile(level: f64, df: f64) -> f64 {
    if !(level > 0.0 && level < 1.0) {
        return f64::NAN;
    }
    if df > 1e5 {
        return z_quantile(level);
    }
    StudentsT::new(0.0, 1.0, df).map_or(f64::NAN, |t| t.inverse_cdf((1.0 + level) / 2.0))
}
