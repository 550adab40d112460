//! Measures of error: of one group each, compared between groups like any other.

use super::moments::{ErrorSums, of_forecast};
use crate::metrics::catalog::Direction;
use crate::metrics::family::{Compute, Measure};
use crate::metrics::measure::Measured;
use crate::metrics::scores::mean::{measured, t_quantile};
use crate::metrics::{Confidence, Estimate, MeasureEntry, Need, Of, Support, Undefined};

/// The mean absolute error: `Σw|p − y| / Σw`.
///
/// In units of the target, at least 0; 0 is best. The interval is on the log scale, by the linearised variance and
/// Student's t on the effective size. Undefined without rows or weight.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ErrorSums, mean_absolute_error}};
/// let sums = ErrorSums::by_group(&[3.0, -0.5, 2.0, 7.0], &[2.5, 0.0, 2.0, 8.0], &[0; 4], None, 1);
/// assert_eq!(mean_absolute_error(&sums[0], Confidence::at(0.95)).value, Some(0.5));
/// ```
pub fn mean_absolute_error(sums: &ErrorSums, confidence: Confidence) -> Estimate {
    absolute(sums, confidence).estimate
}

/// The root mean squared error: `√(Σw(p − y)² / Σw)`.
///
/// In units of the target, at least 0; 0 is best. The interval is on the log scale. Undefined without rows or weight.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ErrorSums, root_mean_squared_error}};
/// let sums = ErrorSums::by_group(&[3.0, -0.5, 2.0, 7.0], &[2.5, 0.0, 2.0, 8.0], &[0; 4], None, 1);
/// let root = root_mean_squared_error(&sums[0], Confidence::at(0.95)).value.unwrap();
/// assert!((root - 0.375f64.sqrt()).abs() < 1e-12);
/// ```
pub fn root_mean_squared_error(sums: &ErrorSums, confidence: Confidence) -> Estimate {
    root(sums, confidence).estimate
}

/// The mean error, or bias: `Σw(p − y) / Σw`; above 0 the forecasts are too high.
///
/// In units of the target. The interval is Student's on the effective size. Undefined without rows or weight.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ErrorSums, mean_error}};
/// let sums = ErrorSums::by_group(&[3.0, -0.5, 2.0, 7.0], &[2.5, 0.0, 2.0, 8.0], &[0; 4], None, 1);
/// assert_eq!(mean_error(&sums[0], Confidence::at(0.95)).value, Some(0.25));
/// ```
pub fn mean_error(sums: &ErrorSums, confidence: Confidence) -> Estimate {
    bias(sums, confidence).estimate
}

/// The coefficient of determination: `R² = 1 − Σw(p − y)² / Σw(y − ȳ)²`, `ȳ` the group's own mean.
///
/// At most 1; 0 is as good as the group's mean, below 0 worse. It depends on how much the targets of a group vary, so
/// that groups with the same errors can differ. The interval is from the linearised variance. Undefined where the
/// targets do not vary.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ErrorSums, r2}};
/// let sums = ErrorSums::by_group(&[3.0, -0.5, 2.0, 7.0], &[2.5, 0.0, 2.0, 8.0], &[0; 4], None, 1);
/// assert!((r2(&sums[0], Confidence::at(0.95)).value.unwrap() - 0.9486081370449679).abs() < 1e-12);
/// ```
pub fn r2(sums: &ErrorSums, confidence: Confidence) -> Estimate {
    determination(sums, confidence).estimate
}

/// Pearson's correlation of forecast and target.
///
/// In [−1, 1]. The interval is on Fisher's scale (artanh) with the linearised variance, which does not ask for normal
/// values. Undefined where either does not vary.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ErrorSums, correlation}};
/// let sums = ErrorSums::by_group(&[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 4.0], &[0; 4], None, 1);
/// assert!((correlation(&sums[0], Confidence::at(0.95)).value.unwrap() - 0.8).abs() < 1e-12);
/// ```
pub fn correlation(sums: &ErrorSums, confidence: Confidence) -> Estimate {
    pearson(sums, confidence).estimate
}

/// Sums of means of `n` effective rows: the support, Σw, and Student's factor for what `spent` parameters take away.
struct Base {
    support: Support,
    weight: f64,
    /// `n / (n − spent)`.
    factor: f64,
    quantile: Option<f64>,
}

fn base(sums: &ErrorSums, spent: f64, confidence: Confidence) -> Result<Base, Measured> {
    let cell = sums.cell();
    let support = Support::from(cell);
    if !(cell.rows > 0.0) {
        return Err(Measured::undefined(Undefined::NoRows, support));
    }
    if !(cell.weight > 0.0) {
        return Err(Measured::undefined(Undefined::NoWeight, support));
    }
    let size = support.effective_size;
    let factor = if size > spent { size / (size - spent) } else { f64::NAN };
    Ok(Base { support, weight: cell.weight, factor, quantile: t_quantile(confidence.level, size - spent) })
}

impl Base {
    /// The standard error of a figure whose rows move it by their influence over n, from Σw²·influence².
    fn error(&self, squares: f64) -> Option<f64> {
        let error = (squares.max(0.0) * self.factor).sqrt() / self.weight;
        error.is_finite().then_some(error)
    }

    fn symmetric(&self, value: f64, error: Option<f64>, most: f64) -> Measured {
        let estimate = Estimate::of(value, self.support);
        match error.zip(self.quantile) {
            Some((error, q)) => {
                measured(estimate.between(value - q * error, (value + q * error).min(most).max(value)), Some(error))
            }
            None => measured(estimate, error),
        }
    }

    /// On the log scale, for what is positive.
    fn positive(&self, value: f64, error: Option<f64>) -> Measured {
        if !(value > 0.0) {
            // Without a single error there is nothing to say how large the next one may be.
            return measured(Estimate::of(value, self.support), None);
        }
        let estimate = Estimate::of(value, self.support);
        match error.zip(self.quantile) {
            Some((error, q)) => {
                let factor = (q * error / value).exp();
                measured(estimate.between(value / factor, value * factor), Some(error))
            }
            None => measured(estimate, error),
        }
    }
}

/// Σw²(x − m)² from Σw²x², Σw²x and Σw².
fn about(squares: f64, sum: f64, count: f64, m: f64) -> f64 {
    squares - 2.0 * m * sum + m * m * count
}

fn absolute(sums: &ErrorSums, confidence: Confidence) -> Measured {
    let base = match base(sums, 1.0, confidence) {
        Ok(base) => base,
        Err(undefined) => return undefined,
    };
    let [sum, weighted] = sums.absolute();
    let value = sum / base.weight;
    let squares = about(sums.errors(true, 2), weighted, sums.cell().weight_squared, value);
    base.positive(value, base.error(squares))
}

fn root(sums: &ErrorSums, confidence: Confidence) -> Measured {
    let base = match base(sums, 1.0, confidence) {
        Ok(base) => base,
        Err(undefined) => return undefined,
    };
    let square = sums.errors(false, 2) / base.weight;
    let squares = about(sums.errors(true, 4), sums.errors(true, 2), sums.cell().weight_squared, square);
    let value = square.sqrt();
    base.positive(value, base.error(squares).map(|error| error / (2.0 * value)))
}

fn bias(sums: &ErrorSums, confidence: Confidence) -> Measured {
    let base = match base(sums, 1.0, confidence) {
        Ok(base) => base,
        Err(undefined) => return undefined,
    };
    let value = sums.errors(false, 1) / base.weight;
    let squares = about(sums.errors(true, 2), sums.errors(true, 1), sums.cell().weight_squared, value);
    base.symmetric(value, base.error(squares), f64::INFINITY)
}

/// A variance that is no more than what rounding leaves of equal values.
fn constant(variance: f64, mean: f64) -> bool {
    !(variance > 1e-24 * mean * mean)
}

fn determination(sums: &ErrorSums, confidence: Confidence) -> Measured {
    let base = match base(sums, 2.0, confidence) {
        Ok(base) => base,
        Err(undefined) => return undefined,
    };
    let [plain, squared] = sums.about_mean(0.0);
    let (error, spread) = (plain[0][2] / base.weight, plain[2][0] / base.weight);
    if constant(spread, sums.mean_target()) {
        return Measured::undefined(Undefined::NoVariation, base.support);
    }
    let ratio = error / spread;
    // A row moves it by (ratio·(y − ȳ)² − e²) / spread.
    let squares = (ratio * ratio * squared[4][0] - 2.0 * ratio * squared[2][2] + squared[0][4]) / (spread * spread);
    base.symmetric(1.0 - ratio, base.error(squares), 1.0)
}

fn pearson(sums: &ErrorSums, confidence: Confidence) -> Measured {
    // Fisher's normal variance is 1 / (n − 3).
    let base = match base(sums, 3.0, confidence) {
        Ok(base) => base,
        Err(undefined) => return undefined,
    };
    let error = sums.errors(false, 1) / base.weight;
    let [plain, squared] = sums.about_mean(error).map(|table| of_forecast(&table));
    let (y, p) = (plain[2][0] / base.weight, plain[0][2] / base.weight);
    let mean = sums.mean_target();
    if constant(y, mean) || constant(p, mean + error) || constant(p, mean) {
        return Measured::undefined(Undefined::NoVariation, base.support);
    }
    let r = (plain[1][1] / base.weight / (y.sqrt() * p.sqrt())).clamp(-1.0, 1.0);
    let estimate = Estimate::of(r, base.support);
    if 1.0 - r.abs() < 1e-12 {
        return measured(estimate, None);
    }
    // On the scale of standard deviations u and v a row moves r by uv − r(u² + v²)/2.
    let (u, v) = (y.sqrt(), p.sqrt());
    let scaled = |i: usize, j: usize| squared[i][j] / (u.powi(i as i32) * v.powi(j as i32));
    let squares = scaled(2, 2) * (1.0 + r * r / 2.0) - r * (scaled(3, 1) + scaled(1, 3))
        + r * r / 4.0 * (scaled(4, 0) + scaled(0, 4));
    let error = base.error(squares);
    match error.zip(base.quantile) {
        Some((error, q)) => {
            let half = q * error / (1.0 - r * r);
            measured(estimate.between((r.atanh() - half).tanh(), (r.atanh() + half).tanh()), Some(error))
        }
        None => measured(estimate, error),
    }
}

const fn entry(
    name: &'static str,
    title: &'static str,
    formula: &'static str,
    direction: Direction,
    also: &'static str,
) -> MeasureEntry {
    MeasureEntry {
        name,
        title,
        formula,
        // In an audit of a batch the forecast is the score; what it forecasts is the target, or the label where there is none.
        needs: &[Need::Score, Need::LabelOrTarget],
        of: Of::Group,
        direction,
        least: None,
        most: None,
        fair: None,
        source: "Hastie, Tibshirani and Friedman 2009",
        also,
    }
}

/// The measures of error of a forecast.
pub(super) const ALL: &[Measure<ErrorSums, ()>] = &[
    Measure {
        entry: MeasureEntry {
            least: Some(0.0),
            ..entry(
                "mean_absolute_error",
                "mean distance of forecast and target",
                "mean(|p - y|)",
                Direction::Lower,
                "mean_absolute_error (scikit-learn); mae_ratio (holisticai)",
            )
        },
        compute: Compute::Group(|groups, (), at| groups.iter().map(|g| absolute(g, at)).collect()),
    },
    Measure {
        entry: MeasureEntry {
            least: Some(0.0),
            ..entry(
                "root_mean_squared_error",
                "root of the mean squared error",
                "sqrt(mean((p - y)^2))",
                Direction::Lower,
                "root_mean_squared_error (scikit-learn); rmse_ratio (holisticai)",
            )
        },
        compute: Compute::Group(|groups, (), at| groups.iter().map(|g| root(g, at)).collect()),
    },
    Measure {
        entry: entry("mean_error", "mean of forecast minus target (bias)", "mean(p - y)", Direction::Neither, ""),
        compute: Compute::Group(|groups, (), at| groups.iter().map(|g| bias(g, at)).collect()),
    },
    Measure {
        entry: MeasureEntry {
            most: Some(1.0),
            ..entry(
                "r2",
                "coefficient of determination",
                "1 - mean((p - y)^2) / var(y)",
                Direction::Higher,
                "r2_score (scikit-learn)",
            )
        },
        compute: Compute::Group(|groups, (), at| groups.iter().map(|g| determination(g, at)).collect()),
    },
    Measure {
        entry: MeasureEntry {
            least: Some(-1.0),
            most: Some(1.0),
            ..entry(
                "correlation",
                "Pearson's correlation of forecast and target",
                "cov(y, p) / (sd(y) sd(p))",
                Direction::Higher,
                "correlation_diff (holisticai)",
            )
        },
        compute: Compute::Group(|groups, (), at| groups.iter().map(|g| pearson(g, at)).collect()),
    },
];
