//! Entropy balancing: the weights nearest to those that rows had which bring any means where they are wanted.

use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::Diagnostics;
use crate::mitigate::newton::{Local, minimize};
use crate::{Error, Place, Result};

/// How near a weighted mean is brought to what is wanted, in standard deviations of the moment.
const TOLERANCE: f64 = 1e-10;
/// What is past it is told as not reached.
const REACHED: f64 = 1e-9;

/// A mean that the weights are to have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// What it is of.
    pub name: String,
    /// The weighted mean that was wanted.
    pub wanted: f64,
    /// The weighted mean with the weights that rows had.
    pub before: f64,
    /// The weighted mean with the new weights.
    pub after: f64,
}

/// Weights found by [`balance`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Balanced {
    /// The weight of each row; they add up to what the weights that rows had did.
    pub weights: Vec<f64>,
    /// What each moment was, and is.
    pub moments: Vec<Moment>,
    /// Newton steps that it took.
    pub steps: usize,
    /// What the weights cost.
    pub diagnostics: Diagnostics,
}

/// The weights nearest to `base` (`None`: 1 each) with which every column of `moments` (a row for each person, finite) has
/// the weighted mean that `wanted` says, by name.
///
/// Without bounds, `Σ w ln(w / base)` is least: weights are `base · exp(λ'x)`. With bounds `(l, u)`, `0 <= l < 1 < u`, each
/// weight stays between l and u times its base, by Deville and Särndal's logit distance. λ is found by Newton's method; a
/// moment that depends on others changes nothing. Rows without base weight keep none.
///
/// # Errors
/// [`Error::UnequalLengths`], [`Error::BadNumber`] for a moment or weight that is not finite, [`Error::BadSetting`] for
/// bounds out of range, [`Error::Nothing`] without weight, [`Error::Infeasible`] naming a moment whose mean no weights
/// (within bounds) can bring there together with the others.
///
/// # References
/// Hainmueller (2012), Entropy balancing for causal effects, Political Analysis 20; Deville, Särndal (1992), Calibration
/// estimators in survey sampling, Journal of the American Statistical Association 87.
///
/// # Examples
/// ```
/// use evenhand::mitigate::reweight::balance;
/// use ndarray::array;
/// let x = array![[0.0], [1.0], [2.0], [3.0]];
/// let balanced = balance(None, x.view(), &[("visits", 1.2)], None)?;
/// let mean: f64 = (0..4).map(|i| balanced.weights[i] * i as f64).sum::<f64>() / 4.0;
/// assert!((mean - 1.2).abs() < 1e-9 && (balanced.weights[0] / 4.0 - 0.347440).abs() < 1e-6);
///
/// let error = balance(None, x.view(), &[("visits", 3.5)], None).unwrap_err().to_string();
/// assert!(error.contains("`visits`"));
/// # Ok::<(), evenhand::Error>(())
/// ```
pub fn balance(
    base: Option<&[f64]>,
    moments: ArrayView2<f64>,
    wanted: &[(&str, f64)],
    bounds: Option<(f64, f64)>,
) -> Result<Balanced> {
    let problem = Problem::new(base, moments, wanted, bounds)?;
    let start = vec![0.0; wanted.len() + 1];
    let found = minimize(start, TOLERANCE, |lambda| problem.local(lambda));
    let factors = problem.factors(&found.at);
    let balanced = problem.told(&factors, found.steps, moments, wanted);
    let miss = |at: usize| (balanced.moments[at].after - wanted[at].1).abs() / problem.scale[at];
    // One that is not a number is not reached either.
    let worst = (0..wanted.len()).max_by(|a, b| miss(*a).total_cmp(&miss(*b)));
    match worst.filter(|at| miss(*at).is_nan() || miss(*at) > REACHED) {
        None => Ok(balanced),
        Some(at) => Err(problem.infeasible(at, moments, wanted, bounds.is_some())),
    }
}

/// The distance that weights keep to their base: how factors follow from `u = λ'x`.
#[derive(Clone, Copy)]
enum Distance {
    Entropy,
    Logit { low: f64, high: f64 },
}

impl Distance {
    /// The factor at `u`, its derivative, and its integral from anywhere.
    fn at(self, u: f64) -> (f64, f64, f64) {
        match self {
            Distance::Entropy => {
                let factor = u.exp();
                (factor, factor, factor)
            }
            Distance::Logit { low, high } => {
                let a = (high - low) / ((1.0 - low) * (high - 1.0));
                // The share of the way from low to high, and ln of what it is over, kept from overflow.
                let (up, down) = ((1.0 - low).ln() + a * u, (high - 1.0f64).ln());
                let largest = up.max(down);
                let log = largest + ((up - largest).exp() + (down - largest).exp()).ln();
                let factor = low + (high - low) * (up - log).exp();
                let slope = (factor - low) * (high - factor) / ((1.0 - low) * (high - 1.0));
                (factor, slope, low * u + (high - low) / a * log)
            }
        }
    }
}

struct Problem {
    /// The share of the weight of each row.
    shares: Vec<f64>,
    total: f64,
    /// A column of ones, then the moments less what is wanted, in standard deviations.
    columns: Array2<f64>,
    scale: Vec<f64>,
    distance: Distance,
}

impl Problem {
    fn new(
        base: Option<&[f64]>,
        moments: ArrayView2<f64>,
        wanted: &[(&str, f64)],
        bounds: Option<(f64, f64)>,
    ) -> Result<Self> {
        let rows = moments.nrows();
        let unequal =
            |column: &str, found, expected| Error::UnequalLengths { column: column.into(), rows: found, expected };
        if moments.ncols() != wanted.len() {
            return Err(unequal("wanted means", wanted.len(), moments.ncols()));
        }
        if let Some(base) = base.filter(|base| base.len() != rows) {
            return Err(unequal("weight", base.len(), rows));
        }
        let bad = |column: &str, row: usize, value: f64, expected| Error::BadNumber {
            column: column.into(),
            value: value.to_string(),
            place: Place::row(row),
            expected,
        };
        let given = |row: usize| base.map_or(1.0, |base| base[row]);
        if let Some(row) = (0..rows).find(|row| !(given(*row).is_finite() && given(*row) >= 0.0)) {
            return Err(bad("weight", row, given(row), "a finite weight of at least 0"));
        }
        for ((name, goal), column) in wanted.iter().zip(moments.axis_iter(Axis(1))) {
            if !goal.is_finite() {
                return Err(Error::setting(&format!("the wanted mean of `{name}`"), goal, "a finite number"));
            }
            if let Some((row, value)) = column.iter().enumerate().find(|(_, value)| !value.is_finite()) {
                return Err(bad(name, row, *value, "a finite number"));
            }
        }
        let distance = match bounds {
            None => Distance::Entropy,
            Some((low, high)) if (0.0..1.0).contains(&low) && high > 1.0 && high.is_finite() => {
                Distance::Logit { low, high }
            }
            Some((low, high)) => {
                let expected = "a lower one from 0 to below 1 and an upper one above 1";
                return Err(Error::setting("the bounds of weights", format!("{low} to {high}"), expected));
            }
        };
        let largest = (0..rows).map(given).fold(0.0, f64::max);
        let sum: f64 = (0..rows).map(|row| given(row) / largest).sum();
        if largest <= 0.0 {
            return Err(Error::Nothing { problem: "no row has a weight", place: Place::default() });
        }
        let shares: Vec<f64> = (0..rows).map(|row| given(row) / largest / sum).collect();
        let mut columns = Array2::ones((rows, wanted.len() + 1));
        let mut scale = Vec::with_capacity(wanted.len());
        for (at, (_, goal)) in wanted.iter().enumerate() {
            let column = moments.column(at);
            let mean: f64 = column.iter().zip(&shares).map(|(x, s)| x * s).sum();
            let variance: f64 = column.iter().zip(&shares).map(|(x, s)| s * (x - mean) * (x - mean)).sum();
            // A constant has no deviation: it is where it is.
            let deviation = if variance > 0.0 { variance.sqrt() } else { mean.abs().max(goal.abs()).max(1.0) };
            scale.push(deviation);
            for (into, x) in columns.column_mut(at + 1).iter_mut().zip(column) {
                *into = (x - goal) / deviation;
            }
        }
        Ok(Problem { shares, total: largest * sum, columns, scale, distance })
    }

    /// `Σ s ∫F(λ'x) − λ₀`, whose gradient is 0 where the factors have the means that are wanted.
    fn local(&self, lambda: &[f64]) -> Local {
        let n = lambda.len();
        let (mut value, mut gradient) = (-lambda[0], vec![0.0; n]);
        gradient[0] = -1.0;
        let mut curvature = Array2::zeros((n, n));
        for (row, share) in self.columns.outer_iter().zip(&self.shares).filter(|(_, share)| **share > 0.0) {
            let u: f64 = row.iter().zip(lambda).map(|(x, l)| x * l).sum();
            let (factor, slope, integral) = self.distance.at(u);
            value += share * integral;
            for i in 0..n {
                gradient[i] += share * factor * row[i];
                for j in 0..=i {
                    curvature[[i, j]] += share * slope * row[i] * row[j];
                }
            }
        }
        for i in 0..n {
            for j in 0..i {
                curvature[[j, i]] = curvature[[i, j]];
            }
        }
        Local { value, gradient, curvature }
    }

    fn factors(&self, lambda: &[f64]) -> Vec<f64> {
        let u = |row: ndarray::ArrayView1<f64>| row.iter().zip(lambda).map(|(x, l)| x * l).sum::<f64>();
        self.columns.outer_iter().map(|row| self.distance.at(u(row)).0).collect()
    }

    fn told(&self, factors: &[f64], steps: usize, moments: ArrayView2<f64>, wanted: &[(&str, f64)]) -> Balanced {
        let sum: f64 = self.shares.iter().zip(factors).map(|(s, f)| s * f).sum();
        let mean = |at: usize, factors: &dyn Fn(usize) -> f64| -> f64 {
            let column = moments.column(at);
            (0..column.len()).map(|row| self.shares[row] * factors(row) * column[row]).sum()
        };
        let told = wanted.iter().enumerate().map(|(at, (name, goal))| Moment {
            name: (*name).into(),
            wanted: *goal,
            before: mean(at, &|_| 1.0),
            after: mean(at, &|row| factors[row]) / sum,
        });
        Balanced {
            weights: self.shares.iter().zip(factors).map(|(s, f)| self.total * s * f / sum).collect(),
            moments: told.collect(),
            steps,
            diagnostics: Diagnostics::of_rows(Some(&self.shares), factors),
        }
    }

    fn infeasible(&self, at: usize, moments: ArrayView2<f64>, wanted: &[(&str, f64)], bounded: bool) -> Error {
        // A mean outside of what rows have is past all weights; it is the one to name.
        let range = |at: usize| {
            let of = moments.column(at).into_iter().zip(&self.shares).filter(|(_, s)| **s > 0.0).map(|(x, _)| *x);
            of.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
        };
        let outside = (0..wanted.len()).find(|at| {
            let (low, high) = range(*at);
            !(low..=high).contains(&wanted[*at].1)
        });
        let at = outside.unwrap_or(at);
        let (low, high) = range(at);
        let (name, goal) = wanted[at];
        Error::Infeasible {
            asked: format!("a mean of {goal} of `{name}`"),
            problem: match outside {
                Some(_) => format!("it is from {low} to {high} in the rows"),
                None if bounded => "no weights within the bounds have it together with the other means".into(),
                None => "no weights have it together with the other means".into(),
            },
            remedy: if bounded {
                "widen the bounds, or ask for less"
            } else {
                "ask for less, or leave one of them out"
            }
            .into(),
        }
    }
}
