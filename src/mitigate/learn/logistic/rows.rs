//! The rows of a logistic regression: standardised as they are read, their loss and its derivatives.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, Slice};
use rayon::prelude::*;

use super::score;
use crate::mitigate::newton::{Found, Local, follow, minimize};

/// Rows worked on at once, in the cache. (No power of two: the same row of all columns would share a place in it.)
const BLOCK: usize = 248;
/// Rows that a thread works on at once.
const TASK: usize = 32 * BLOCK;
/// Of so many rows a sample is fitted first.
pub(super) const MANY: usize = 20_000;
/// The rows of each block that are in the sample: an eighth. They lie together, since memory is read in pieces.
const SAMPLED: usize = BLOCK / 8;
/// The largest component of the gradient that is left of those: what a sample says is not more precise.
const ROUGH: f64 = 1e-3;
/// Spreads from 0 at which a feature is far from it.
const FAR: f64 = 1e4;

/// The rows of a fit. Features are standardised as they are read, with a column of ones in front.
pub(super) struct Rows<'a> {
    features: ArrayView2<'a, f64>,
    intercept: bool,
    centers: Vec<f64>,
    scales: Vec<f64>,
    /// One over each scale.
    factors: Vec<f64>,
    labels: &'a [bool],
    /// Shares of the weight.
    shares: Vec<f64>,
    /// The penalty of each standardised coefficient, per unit of weight.
    penalty: Vec<f64>,
    /// Of many rows.
    sample: Option<Sample>,
}

/// Some rows of many, with shares of their own weight.
struct Sample {
    features: Array2<f64>,
    labels: Vec<bool>,
    shares: Vec<f64>,
}

impl Sample {
    /// Some of many rows, if they have both labels.
    fn of(features: ArrayView2<f64>, labels: &[bool], shares: &[f64]) -> Option<Sample> {
        if labels.len() < MANY {
            return None;
        }
        let pieces = || (0..labels.len()).step_by(BLOCK).map(|from| from..labels.len().min(from + SAMPLED));
        let (mut some, mut end) = (Array2::zeros((pieces().map(|piece| piece.len()).sum(), features.ncols())), 0);
        for piece in pieces() {
            let place = Slice::from(end..end + piece.len());
            end += piece.len();
            some.slice_axis_mut(Axis(0), place).assign(&features.slice_axis(Axis(0), Slice::from(piece)));
        }
        let labels: Vec<bool> = pieces().flat_map(|piece| &labels[piece]).copied().collect();
        let mut shares: Vec<f64> = pieces().flat_map(|piece| &shares[piece]).copied().collect();
        let of =
            |label: bool| -> f64 { labels.iter().zip(&shares).filter(|(l, _)| **l == label).map(|(_, s)| s).sum() };
        let (favorable, unfavorable) = (of(true), of(false));
        shares.iter_mut().for_each(|share| *share /= favorable + unfavorable);
        (favorable > 0.0 && unfavorable > 0.0).then_some(Sample { features: some, labels, shares })
    }
}

/// Each feature's weighted mean, 0 where no intercept can take it up, and its spread about that. The spread of a constant
/// feature is infinite: centred it is 0, and so is its coefficient.
fn standard(features: ArrayView2<f64>, shares: &[f64], intercept: bool) -> [Vec<f64>; 2] {
    let zeros = vec![0.0; features.ncols()];
    let centers = if intercept { sums(features, shares, |x, _| x, &zeros) } else { zeros };
    let squares = sums(features, shares, |x, center| (x - center) * (x - center), &centers);
    let spread = |(square, center): (f64, &f64)| {
        if square > 1e-24 * (center * center).max(f64::MIN_POSITIVE) { square.sqrt() } else { f64::INFINITY }
    };
    let scales = squares.into_iter().zip(&centers).map(spread).collect();
    [centers, scales]
}

/// Each feature's weighted sum of a function of its values and its own constant.
fn sums(features: ArrayView2<f64>, shares: &[f64], of: impl Fn(f64, f64) -> f64 + Sync, constants: &[f64]) -> Vec<f64> {
    let part = |(task, shares): (usize, &[f64])| {
        let mut sums = vec![0.0; constants.len()];
        for (share, row) in shares.iter().zip(task * TASK..) {
            let row = features.row(row);
            let add = |((sum, x), constant): ((&mut f64, &f64), &f64)| *sum += share * of(*x, *constant);
            // Rows that lie in a piece are read several numbers at once.
            match row.as_slice() {
                Some(row) => sums.iter_mut().zip(row).zip(constants).for_each(add),
                None => sums.iter_mut().zip(row.iter()).zip(constants).for_each(add),
            }
        }
        sums
    };
    let parts: Vec<Vec<f64>> = shares.par_chunks(TASK).enumerate().map(part).collect();
    (0..constants.len()).map(|at| parts.iter().map(|part| part[at]).sum()).collect()
}

impl<'a> Rows<'a> {
    /// Of checked rows, whose shares of the weight add up to 1, with a penalty per unit of weight.
    pub fn new(
        features: ArrayView2<'a, f64>,
        labels: &'a [bool],
        shares: Vec<f64>,
        intercept: bool,
        penalty: f64,
    ) -> Self {
        // Only constant features must be known from all rows; how others lie need not be.
        let sample = Sample::of(features, labels, &shares);
        let of_some = sample.as_ref().map(|some| standard(some.features.view(), &some.shares, intercept));
        let of_some = of_some.filter(|[_, scales]| scales.iter().all(|scale| scale.is_finite()));
        let [centers, scales] = of_some.unwrap_or_else(|| standard(features, &shares, intercept));
        let held = scales.iter().map(|scale| penalty / (scale * scale));
        let penalty = std::iter::once(0.0).chain(held).collect();
        let factors = scales.iter().map(|scale| scale.recip()).collect();
        Rows { features, intercept, centers, scales, factors, labels, shares, penalty, sample }
    }

    /// The intercept and coefficients of standardised features.
    pub fn inwards(&self, intercept: f64, coefficients: &[f64]) -> Vec<f64> {
        let centered = intercept + coefficients.iter().zip(&self.centers).map(|(b, c)| b * c).sum::<f64>();
        let scaled = coefficients.iter().zip(&self.scales).map(|(b, s)| if s.is_finite() { b * s } else { 0.0 });
        std::iter::once(centered).chain(scaled).collect()
    }

    /// The intercept and coefficients of the features as given.
    pub fn outwards(&self, at: &[f64]) -> (f64, Vec<f64>) {
        let coefficients: Vec<f64> = at[1..].iter().zip(&self.scales).map(|(b, s)| b / s).collect();
        (at[0] - coefficients.iter().zip(&self.centers).map(|(b, c)| b * c).sum::<f64>(), coefficients)
    }

    /// The coefficients of least loss, from a start. Of many rows, a sample tells most of the way, and how
    /// the loss curves.
    pub fn fit(&self, start: Vec<f64>, tolerance: f64) -> Found {
        let Some(mut near) = self.near(&start) else {
            return minimize(start, tolerance, |at| self.local(at));
        };
        if self.is_near_zero() {
            near = follow(near, tolerance, |at| self.gradient(at));
            if near.steepest <= tolerance {
                return near;
            }
        }
        let before = near.steps;
        let found = minimize(near.at, tolerance, |at| self.local(at));
        Found { steps: before + found.steps, ..found }
    }

    /// What a sample says from the start given.
    fn near(&self, start: &[f64]) -> Option<Found> {
        let sample = self.sample.as_ref()?;
        let some = Rows {
            features: sample.features.view(),
            intercept: self.intercept,
            centers: self.centers.clone(),
            scales: self.scales.clone(),
            factors: self.factors.clone(),
            labels: &sample.labels,
            shares: sample.shares.clone(),
            penalty: self.penalty.clone(),
            sample: None,
        };
        let found = minimize(start.to_vec(), ROUGH, |at| some.local(at));
        // A few rows may be told apart where all are not: their end is far away.
        (found.steepest <= ROUGH && found.at.iter().all(|b| b.abs() < 30.0)).then_some(found)
    }

    /// Whether no feature is so far from 0 for its spread that centring its sums alone would cost digits.
    fn is_near_zero(&self) -> bool {
        self.centers.iter().zip(&self.scales).all(|(center, scale)| center.abs() <= FAR * scale)
    }

    /// The gradient alone, of features near zero: rows are read as they lie, which the products of the curvature do not
    /// allow.
    fn gradient(&self, at: &[f64]) -> Vec<f64> {
        let slopes: Array1<f64> = at[1..].iter().zip(&self.factors).map(|(b, factor)| b * factor).collect();
        let centered: f64 = slopes.iter().zip(&self.centers).map(|(b, center)| b * center).sum();
        let first = if self.intercept { at[0] } else { 0.0 } - centered;
        let width = slopes.len();
        let part = |(task, shares): (usize, &[f64])| {
            let (mut sum, mut sums) = (0.0, vec![0.0; width]);
            let mut block = [0.0; BLOCK];
            for (from, shares) in (task * TASK..).step_by(BLOCK).zip(shares.chunks(BLOCK)) {
                let rows = self.features.slice_axis(Axis(0), Slice::from(from..from + shares.len()));
                let block = &mut block[..shares.len()];
                block.iter_mut().zip(rows.outer_iter()).for_each(|(u, row)| *u = first + row.dot(&slopes));
                for ((u, share), label) in block.iter_mut().zip(shares).zip(&self.labels[from..]) {
                    *u = share * (score(*u) - f64::from(u8::from(*label)));
                    sum += *u;
                }
                for (slope, given) in block.iter().zip(rows.outer_iter()) {
                    let add = |(sum, x): (&mut f64, &f64)| *sum += slope * x;
                    match given.as_slice() {
                        Some(given) => sums.iter_mut().zip(given).for_each(add),
                        None => sums.iter_mut().zip(given.iter()).for_each(add),
                    }
                }
            }
            (sum, sums)
        };
        let parts: Vec<(f64, Vec<f64>)> = self.shares.par_chunks(TASK).enumerate().map(part).collect();
        let sum: f64 = parts.iter().map(|part| part.0).sum();
        let of = |j: usize| parts.iter().map(|part| part.1[j]).sum::<f64>() - self.centers[j] * sum;
        let standard = (0..width).map(|j| self.factors[j] * of(j) + self.penalty[j + 1] * at[j + 1]);
        std::iter::once(if self.intercept { sum } else { 0.0 }).chain(standard).collect()
    }

    /// Parts of rows, whose sums are added in their order: so they are the same on any number of threads.
    pub fn local(&self, at: &[f64]) -> Local {
        let n = at.len();
        let tasks = self.labels.len().div_ceil(TASK);
        let parts: Vec<_> = (0..tasks).into_par_iter().map(|task| self.part(task, at)).collect();
        let (mut value, mut gradient) = (0.0, Array1::<f64>::zeros(n));
        let mut curvature = Array2::<f64>::zeros((n, n));
        for part in parts {
            value += part.0;
            gradient += &part.1;
            curvature += &part.2;
        }
        for (i, penalty) in self.penalty.iter().enumerate().filter(|(_, penalty)| **penalty > 0.0) {
            value += 0.5 * penalty * at[i] * at[i];
            gradient[i] += penalty * at[i];
            curvature[[i, i]] += penalty;
        }
        Local { value, gradient: gradient.to_vec(), curvature }
    }

    fn part(&self, task: usize, at: &[f64]) -> (f64, Array1<f64>, Array2<f64>) {
        let n = at.len();
        let (mut value, mut gradient, mut curvature) = (0.0, Array1::zeros(n), Array2::zeros((n, n)));
        let mut columns = Array2::zeros((n, BLOCK));
        let end = self.labels.len().min((task + 1) * TASK);
        for from in (task * TASK..end).step_by(BLOCK) {
            self.standardize(from, end.min(from + BLOCK), &mut columns);
            // Rows past the end have no weight.
            let (mut slopes, mut roots) = ([0.0; BLOCK], [0.0; BLOCK]);
            for (b, column) in at.iter().zip(columns.outer_iter()) {
                slopes.iter_mut().zip(column).for_each(|(u, x)| *u += b * x);
            }
            let rows = slopes.iter_mut().zip(&mut roots).zip(&self.shares[from..end]).zip(&self.labels[from..end]);
            for (((u, root), share), label) in rows {
                // Labels are as good as random: nothing may depend on them by a jump.
                let label = f64::from(u8::from(*label));
                // One power serves the score, from its smaller side, and its logarithm, kept from overflow.
                let power = (-u.abs()).exp();
                let small = power / (1.0 + power);
                let score = if *u > 0.0 { 1.0 - small } else { small };
                value += share * (u.max(0.0) - label * *u + (1.0 + power).ln());
                *root = (share * small * (1.0 - small)).sqrt();
                *u = share * (score - label);
            }
            slopes[(end - from).min(BLOCK)..].fill(0.0);
            gradient += &columns.dot(&ArrayView1::from(&slopes));
            // Columns scaled by the roots of the curvature, whose products it is the sum of.
            for mut column in columns.outer_iter_mut() {
                column.iter_mut().zip(&roots).for_each(|(x, root)| *x *= root);
            }
            general_mat_mul(1.0, &columns, &columns.t(), 1.0, &mut curvature);
        }
        (value, gradient, curvature)
    }

    /// The features of some rows, at most [`BLOCK`], each column behind the other, after one of ones.
    fn standardize(&self, from: usize, to: usize, columns: &mut Array2<f64>) {
        columns.row_mut(0).fill(if self.intercept { 1.0 } else { 0.0 });
        let Some(flat) = columns.as_slice_mut() else { return };
        let (_, flat) = flat.split_at_mut(BLOCK);
        for (at, row) in self.features.slice_axis(Axis(0), Slice::from(from..to)).outer_iter().enumerate() {
            let mut place = at;
            let set = |((x, center), factor): ((&f64, &f64), &f64)| {
                flat[place] = (x - center) * factor;
                place += BLOCK;
            };
            // Rows that lie in a piece are read without steps.
            match row.as_slice() {
                Some(row) => row.iter().zip(&self.centers).zip(&self.factors).for_each(set),
                None => row.iter().zip(&self.centers).zip(&self.factors).for_each(set),
            }
        }
    }

    /// Whether every row with weight has a score that is all but its label.
    pub fn are_apart(&self, at: &[f64]) -> bool {
        let (intercept, coefficients) = self.outwards(at);
        let scores = self.features.dot(&ArrayView1::from(&coefficients)) + intercept;
        let rows = scores.iter().zip(self.labels).zip(&self.shares).filter(|(_, share)| **share > 0.0);
        rows.map(|((u, label), _)| if *label { *u } else { -*u }).all(|margin| margin > 12.0)
    }
}
