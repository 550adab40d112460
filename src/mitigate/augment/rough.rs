//! Rows in `f32`, as factors of the products that make squares of distances.

use ndarray::{Array2, ArrayView2, Axis, Slice, linalg::general_mat_mul};
use std::ops::Range;

use super::neighbors::Points;

/// Columns of levels up to which each level is a dimension of the product; the others only widen what is looked at again.
const LEVELS: usize = 16;

/// Factors whose product is |a|^2 + |b|^2 - 2 ab for every query a and every candidate b.
pub(super) struct Rough {
    /// For each query a row: its numbers and levels, the square of its norm, and a one.
    queries: Array2<f32>,
    /// For each candidate a column: minus twice its numbers and levels, a one, and the square of its norm.
    candidates: Array2<f32>,
    /// The most that the codes that are no dimension add to a square.
    pub unseen: f32,
    /// The relative bound on the rounding of one product.
    rounding: f32,
}

impl Rough {
    /// Of the rows that are asked for and those that answer.
    pub fn of(points: &Points, queries: &[u32], candidates: &[u32]) -> Self {
        let (n, d) = (points.rows, points.dimensions);
        // Numbers near their means lose the least by rounding.
        let mut means = vec![0.0; d];
        for row in points.values.chunks_exact(d.max(1)).take(if d > 0 { n } else { 0 }) {
            means.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / n as f64);
        }
        let levels: Vec<Option<Vec<u32>>> = (0..points.kinds).map(|kind| seen(points, kind)).collect();
        let inner = d + levels.iter().flatten().map(Vec::len).sum::<usize>();
        let unseen = points.penalty * levels.iter().filter(|seen| seen.is_none()).count() as f64;
        // Two different levels are two differences.
        let side = (points.penalty / 2.0).sqrt() as f32;
        let fill = |point: u32, row: &mut [f32]| -> f32 {
            let point = point as usize;
            for ((new, value), mean) in row.iter_mut().zip(&points.values[point * d..(point + 1) * d]).zip(&means) {
                *new = (value - mean) as f32;
            }
            row[d..].fill(0.0);
            let mut at = d;
            for (seen, code) in levels.iter().zip(&points.codes[point * points.kinds..]) {
                let Some(seen) = seen else { continue };
                if let Some(level) = seen.iter().position(|own| own == code) {
                    row[at + level] = side;
                }
                at += seen.len();
            }
            row.iter().map(|v| v * v).sum()
        };
        let mut row = vec![0.0; inner];
        let mut left = Array2::ones((queries.len(), inner + 2));
        for (query, mut left) in queries.iter().zip(left.rows_mut()) {
            left[inner] = fill(*query, &mut row);
            left.iter_mut().zip(&row).for_each(|(left, v)| *left = *v);
        }
        let mut right = Array2::ones((inner + 2, candidates.len()));
        for (candidate, mut right) in candidates.iter().zip(right.columns_mut()) {
            right[inner + 1] = fill(*candidate, &mut row);
            right.iter_mut().zip(&row).for_each(|(right, v)| *right = -2.0 * v);
        }
        let rounding = 3.0 * (inner as f32 + 6.0) * f32::EPSILON;
        Rough { queries: left, candidates: right, unseen: unseen as f32 * (1.0 + f32::EPSILON), rounding }
    }

    /// The square of the norm of a query.
    pub fn query_norm(&self, at: usize) -> f32 {
        self.queries[[at, self.queries.ncols() - 2]]
    }

    /// The largest square of a norm among candidates.
    pub fn largest_norm(&self, candidates: Range<usize>) -> f32 {
        let norms = self.candidates.row(self.candidates.nrows() - 1);
        norms.slice_axis(Axis(0), Slice::from(candidates)).iter().fold(0.0, |most, norm| most.max(*norm))
    }

    /// How far a square may be off, of a row and others of norms up to the largest. (The sum of the magnitudes that are
    /// added up is at most twice the sum of the two norms; what is below the range of `f32` is in the constant.)
    pub fn slack(&self, norm: f32, largest: f32) -> f32 {
        self.rounding * (norm + largest) + 1e-30
    }

    /// The squares of all pairs of some queries and some candidates.
    pub fn squares<'a>(
        &self,
        queries: Range<usize>,
        candidates: Range<usize>,
        into: &'a mut Array2<f32>,
    ) -> ArrayView2<'a, f32> {
        let (rows, columns) = (queries.len(), candidates.len());
        let queries = self.queries.slice_axis(Axis(0), Slice::from(queries));
        let candidates = self.candidates.slice_axis(Axis(1), Slice::from(candidates));
        let mut part = into.slice_axis_mut(Axis(0), Slice::from(..rows));
        let mut part = part.slice_axis_mut(Axis(1), Slice::from(..columns));
        general_mat_mul(1.0, &queries, &candidates, 0.0, &mut part);
        let mut squares = into.view();
        squares.slice_axis_inplace(Axis(0), Slice::from(..rows));
        squares.slice_axis_inplace(Axis(1), Slice::from(..columns));
        squares
    }
}

/// The levels of a column of codes, unless they are too many.
fn seen(points: &Points, kind: usize) -> Option<Vec<u32>> {
    let mut seen: Vec<u32> = Vec::new();
    for code in points.codes.iter().skip(kind).step_by(points.kinds) {
        if !seen.contains(code) {
            if seen.len() == LEVELS {
                return None;
            }
            seen.push(*code);
        }
    }
    Some(seen)
}
