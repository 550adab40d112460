//! What needs the rows themselves: how well a segmentation fits the people of each group in the space of their features.
//!
//! Everything else in this crate is a function of counts; these are of distances between people and centres of segments.
//! All distances are Euclidean, so features should be on scales that compare (standardised, say).
//!
//! ```
//! use evenhand::individual::{Clustering, social_fairness};
//! use evenhand::metrics::Confidence;
//! use ndarray::array;
//!
//! let features = array![[0.0], [2.0], [1.0], [10.0], [14.0], [12.0]];
//! let segments = [0, 0, 0, 1, 1, 1];
//! let groups = [0, 0, 1, 0, 0, 1];
//! let rows = Clustering::new(features.view(), &segments, &groups, None)?;
//! let fairness = social_fairness(&rows, None, true, Confidence::at(0.95))?;
//! // Group 0 is 1, 1, 2 and 2 away from the centres 1 and 12; group 1 is on them.
//! assert_eq!(fairness.groups[0].value, Some(2.5));
//! assert_eq!(fairness.groups[1].value, Some(0.0));
//! # Ok::<(), evenhand::Error>(())
//! ```

#![allow(
    clippy::neg_cmp_op_on_partial_ord,
    reason = "a negated comparison turns NaN away along with what is out of range"
)]

mod distance;
mod price;
mod sample;
mod silhouette;
mod social;

use ndarray::{Array2, ArrayView2};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::error::{Error, Place, Result};
use crate::metrics::{Estimate, Support, Undefined};
use crate::tally::Cell;

pub use distance::{DistanceFairness, distance_fairness};
pub use price::price_of_fairness;
pub use sample::Limit;
pub use silhouette::{Silhouette, silhouette};
pub use social::{SocialFairness, social_fairness};

/// The code of a row without a segment, or without a group.
pub const MISSING: u32 = u32::MAX;

/// Rows with features, a segment, a group and a weight, checked once.
#[derive(Debug, Clone, Copy)]
pub struct Clustering<'a> {
    features: ArrayView2<'a, f64>,
    segments: &'a [u32],
    groups: &'a [u32],
    weights: Option<&'a [f64]>,
    segment_count: usize,
    group_count: usize,
}

impl<'a> Clustering<'a> {
    /// Features (a row for each person, finite), codes of segments and of groups (from 0 up, [`MISSING`] for none), and
    /// weights (finite, at least 0; `None`: 1 each).
    ///
    /// There are as many groups (segments) as the largest code says. Rows without a segment count nowhere; rows without a
    /// group belong to their segment, but to no group.
    ///
    /// # Errors
    /// [`Error::UnequalLengths`] where something has not a value for each row, [`Error::BadNumber`] for a feature or weight
    /// out of range, [`Error::BadCode`] for a code that is not below the number of rows.
    pub fn new(
        features: ArrayView2<'a, f64>,
        segments: &'a [u32],
        groups: &'a [u32],
        weights: Option<&'a [f64]>,
    ) -> Result<Self> {
        let expected = features.nrows();
        for (column, rows) in
            [("segment", segments.len()), ("group", groups.len()), ("weight", weights.map_or(expected, <[f64]>::len))]
        {
            if rows != expected {
                return Err(Error::UnequalLengths { column: column.into(), rows, expected });
            }
        }
        for (row, of) in features.outer_iter().enumerate() {
            if let Some(value) = of.iter().find(|v| !v.is_finite()) {
                return Err(bad("feature", row, *value, "a finite number"));
            }
        }
        if let Some((row, weight)) =
            weights.and_then(|w| w.iter().enumerate().find(|(_, w)| !(**w >= 0.0 && w.is_finite())))
        {
            return Err(bad("weight", row, *weight, "a finite number of at least 0"));
        }
        let segment_count = count("segment", segments)?;
        let group_count = count("group", groups)?;
        Ok(Clustering { features, segments, groups, weights, segment_count, group_count })
    }

    /// How many segments there are.
    pub fn segments(&self) -> usize {
        self.segment_count
    }

    /// How many groups there are.
    pub fn groups(&self) -> usize {
        self.group_count
    }

    fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |w| w[row])
    }

    fn segment(&self, row: usize) -> Option<usize> {
        Some(self.segments[row]).filter(|s| *s != MISSING).map(|s| s as usize)
    }

    fn group(&self, row: usize) -> Option<usize> {
        Some(self.groups[row]).filter(|g| *g != MISSING).map(|g| g as usize)
    }

    /// The rows with a segment and some weight.
    fn placed(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let of = |row| Some((row, self.segment(row)?));
        (0..self.segments.len()).filter_map(of).filter(|(row, _)| self.weight(*row) > 0.0)
    }

    /// The weighted mean of each segment's features; NaN for a segment without weight, which no row is in.
    fn means(&self) -> Array2<f64> {
        let mut means = Array2::zeros((self.segment_count, self.features.ncols()));
        let mut weights = vec![0.0; self.segment_count];
        for (row, segment) in self.placed() {
            let weight = self.weight(row);
            weights[segment] += weight;
            // A running mean: sums of large features would lose their digits.
            let share = weight / weights[segment];
            for (mean, value) in means.row_mut(segment).iter_mut().zip(self.features.row(row)) {
                *mean += share * (value - *mean);
            }
        }
        for (segment, weight) in weights.iter().enumerate() {
            if *weight <= 0.0 {
                means.row_mut(segment).fill(f64::NAN);
            }
        }
        means
    }

    /// The centres given, if they fit; otherwise the segments' means.
    fn centres(&self, given: Option<ArrayView2<f64>>) -> Result<Array2<f64>> {
        let Some(given) = given else { return Ok(self.means()) };
        if given.ncols() != self.features.ncols() {
            let (rows, expected) = (given.ncols(), self.features.ncols());
            return Err(Error::setting(
                "number of the centroids' features",
                rows,
                format!("{expected}, as the rows have"),
            ));
        }
        if given.nrows() < self.segment_count {
            let expected = format!("at least {}, one for each segment", self.segment_count);
            return Err(Error::setting("number of centroids", given.nrows(), expected));
        }
        match given.outer_iter().enumerate().find(|(_, c)| c.iter().any(|v| !v.is_finite())) {
            Some((at, _)) => Err(bad("centroid", at, f64::NAN, "finite numbers")),
            None => Ok(given.to_owned()),
        }
    }
}

fn bad(column: &str, row: usize, value: f64, expected: &'static str) -> Error {
    Error::BadNumber { column: column.into(), value: value.to_string(), place: Place::row(row), expected }
}

/// One more than the largest code. Codes stand for few things: one beyond the rows is a mistake (and would cost memory).
fn count(column: &str, codes: &[u32]) -> Result<usize> {
    let largest = codes.iter().copied().enumerate().filter(|(_, c)| *c != MISSING).max_by_key(|(_, c)| *c);
    match largest {
        Some((row, code)) if code as usize >= codes.len() => Err(Error::BadCode {
            column: column.into(),
            code: code.into(),
            levels: codes.len(),
            place: Place::row(row),
        }),
        Some((_, code)) => Ok(code as usize + 1),
        None => Ok(0),
    }
}

/// Student's two-sided quantile.
fn student(level: f64, freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::NAN, |t| t.inverse_cdf((1.0 + level) / 2.0))
}

/// The squared Euclidean distance.
fn squared(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}

/// Sums over weighted values, for their mean and what chance makes of it.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    cell: Cell,
    /// Σ w v, Σ w² v, Σ w² v².
    first: f64,
    squares: [f64; 2],
}

impl Sums {
    fn push(&mut self, weight: f64, value: f64) {
        let squared = weight * weight;
        self.cell.rows += 1.0;
        self.cell.weight += weight;
        self.cell.weight_squared += squared;
        self.first += weight * value;
        self.squares[0] += squared * value;
        self.squares[1] += squared * value * value;
    }

    /// The mean with Student's interval on the effective size, and its standard error; the interval is left out with fewer
    /// than two effective rows.
    fn mean(&self, level: f64) -> (Estimate, Option<f64>) {
        let support = Support::from(self.cell);
        if self.cell.weight <= 0.0 {
            let reason = if self.cell.rows > 0.0 { Undefined::NoWeight } else { Undefined::NoRows };
            return (Estimate::undefined(reason, support), None);
        }
        let mean = self.first / self.cell.weight;
        let estimate = Estimate::of(mean, support);
        let n = self.cell.effective();
        let spread = self.squares[1] - 2.0 * mean * self.squares[0] + mean * mean * self.cell.weight_squared;
        let error = (spread.max(0.0) * n / (n - 1.0)).sqrt() / self.cell.weight;
        if !(n > 1.0 + 1e-9 && error.is_finite() && estimate.value.is_some()) {
            return (estimate, None);
        }
        let half = student(level, n - 1.0) * error;
        (estimate.between(mean - half, mean + half), Some(error))
    }
}

#[cfg(test)]
mod tests;
