//! Weighted means over points, with intervals: what losses and mean scores share.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{ScoredGroup, Scoring};
use crate::inference::{Interval, rate};
use crate::metrics::measure::{Measured, share_counts};
use crate::metrics::{Estimate, Support, Undefined};
use crate::tally::Cell;

/// The two-sided quantile of Student's t; `None` where there are no degrees of freedom or the level is out of range.
pub(crate) fn t_quantile(level: f64, df: f64) -> Option<f64> {
    if !(df > 0.0 && level > 0.0 && level < 1.0) {
        return None;
    }
    StudentsT::new(0.0, 1.0, df).ok().map(|t| t.inverse_cdf((1.0 + level) / 2.0)).filter(|q| q.is_finite())
}

/// A figure with its standard error, which comparisons between groups need.
pub(crate) fn measured(estimate: Estimate, error: Option<f64>) -> Measured {
    let error = error.filter(|e| e.is_finite() && estimate.value.is_some());
    Measured { estimate, share: None, plain: false, error }
}

/// The mean of a value over weighted rows, `m = Σw·v / Σw`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mean {
    pub value: f64,
    /// The linearised standard error, `√(Σw²(v − m)²) / Σw · √(n / (n − 1))`; `None` for one row or fewer.
    pub error: Option<f64>,
    pub support: Support,
    /// The skewness of the mean, that of a row over √n.
    skewness: f64,
}

impl Mean {
    /// `None` without weight.
    pub fn of(rows: impl Iterator<Item = (Cell, f64)> + Clone) -> Option<Self> {
        let mut total = Cell::default();
        let mut sum = 0.0;
        for (cell, value) in rows.clone().filter(|(cell, _)| cell.weight > 0.0) {
            total.add(&cell, 1.0);
            sum += cell.weight * value;
        }
        if !(total.weight > 0.0) {
            return None;
        }
        let value = sum / total.weight;
        let (mut squares, mut cubes) = (0.0, 0.0);
        for (cell, v) in rows.filter(|(cell, _)| cell.weight > 0.0) {
            let apart = v - value;
            let square = cell.weight_squared * apart * apart;
            squares += square;
            // Σw³ is not kept; it is (Σw²)² / Σw where the rows of a point weigh the same.
            cubes += square * apart * (cell.weight_squared / cell.weight);
        }
        let size = total.effective();
        let error = (size > 1.0).then(|| squares.sqrt() / total.weight * (size / (size - 1.0)).sqrt());
        let skewness = if squares > 0.0 { cubes / squares.powf(1.5) } else { 0.0 };
        // Rounding leaves a spread of its own where all values are the same.
        let error = error.map(|e| if e <= 1e-12 * value.abs() { 0.0 } else { e });
        Some(Mean { value, error, support: total.into(), skewness })
    }

    /// Student's interval on the effective size, within `[least, most]`.
    pub fn plain(&self, (least, most): (f64, f64), level: f64) -> Measured {
        self.interval(0.0, (least, most), level)
    }

    /// Student's interval corrected for skewness by Hall's monotone cubic transformation, within `[least, most]`:
    /// losses have a long upper tail, which the symmetric interval misses.
    ///
    /// Hall (1992), On the removal of skewness by transformation, JRSS B 54.
    pub fn skewed(&self, (least, most): (f64, f64), level: f64) -> Measured {
        self.interval(self.skewness, (least, most), level)
    }

    fn interval(&self, skewness: f64, (least, most): (f64, f64), level: f64) -> Measured {
        let estimate = Estimate::of(self.value, self.support);
        let Some(error) = self.error else { return measured(estimate, None) };
        if error == 0.0 {
            // Rows that are all alike say nothing of their spread, only how rare other values must be.
            let size = self.support.effective_size;
            let unseen = rate::wilson(0.0, size, level).filter(|_| least.is_finite() && most.is_finite());
            let Some(Interval { high, .. }) = unseen else { return measured(estimate, None) };
            let (low, high) = (self.value - high * (self.value - least), self.value + high * (most - self.value));
            let error = (high - low) / (2.0 * crate::inference::z_quantile(level));
            return measured(estimate.between(low, high), Some(error));
        }
        let Some(quantile) = t_quantile(level, self.support.effective_size - 1.0) else {
            return measured(estimate, Some(error));
        };
        let place = |x: f64| {
            if skewness.abs() < 1e-6 {
                x
            } else {
                3.0 / skewness * ((1.0 + skewness * (x - skewness / 6.0)).cbrt() - 1.0)
            }
        };
        let (low, high) = (self.value - error * place(quantile), self.value - error * place(-quantile));
        let (low, high) = (low.min(self.value).max(least), high.max(self.value).min(most));
        measured(estimate.between(low, high), Some(error))
    }
}

/// Why there is no mean over rows that should be there.
pub(crate) fn missing(rows: f64, reason: Undefined) -> Undefined {
    if rows > 0.0 { Undefined::NoWeight } else { reason }
}

/// Every group's figure; none where the model's scores are no probabilities, even if a group's happen to be in [0, 1].
pub(crate) fn each(
    groups: &[&ScoredGroup],
    scoring: &Scoring,
    one: impl Fn(&ScoredGroup) -> Measured,
) -> Vec<Measured> {
    let figure = |group: &&ScoredGroup| {
        let figure = one(group);
        if scoring.probabilities || figure.estimate.value.is_none() {
            return figure;
        }
        Measured::undefined(Undefined::NotProbabilities, figure.estimate.support)
    };
    groups.iter().map(figure).collect()
}

/// The counts that a weighted rate is worth: those whose binomial variance is the rate's linearised variance.
pub(crate) fn effective_counts(part: &Cell, whole: &Cell) -> (f64, f64) {
    share_counts(*part, *whole).map_or((0.0, 0.0), |rate| (rate.x, rate.n))
}
