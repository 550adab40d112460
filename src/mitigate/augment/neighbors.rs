//! The nearest rows of each row, exactly: all pairs in blocks, or a tree where there are few dimensions.
//!
//! Blocks of squared distances are products of matrices in `f32`, and serve both rows of a pair ([`super::pairs`]). What may
//! be among the nearest by them, with a bound on their rounding, is measured again in `f64`; so the answer is that of a plain
//! loop. Measured on 10,000 rows and two threads: a tree is faster up to four dimensions (two times at four), and
//! four times slower at eight.

use linfa_nn::{KdTree, NearestNeighbour, distance::L2Dist};
use ndarray::{ArrayView2, Axis, Slice};
use rayon::prelude::*;

use super::pairs::{TOGETHER, by_pairs};

/// Dimensions up to which a tree is used, and the rows from which.
const TREE_DIMENSIONS: usize = 4;
const TREE_ROWS: usize = 2000;
/// What tells that there is no row.
pub(super) const NOBODY: u32 = u32::MAX;

/// A neighbour: the square of its distance (in the scale of [`Points`]) and its row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Near {
    pub square: f64,
    pub row: u32,
}

impl Near {
    /// Where nobody was found.
    pub const NONE: Near = Near { square: f64::INFINITY, row: NOBODY };
}

/// Rows of numbers and codes. The square of a distance is the sum of the squares of the differences of numbers, and
/// `penalty` for each code that differs.
pub(super) struct Points {
    pub rows: usize,
    pub dimensions: usize,
    /// Row by row, so scaled that no square overflows.
    pub values: Vec<f64>,
    pub kinds: usize,
    pub codes: Vec<u32>,
    pub penalty: f64,
    /// What the squares were divided by.
    unit: f64,
}

impl Points {
    /// From columns of finite numbers and columns of codes, all of `rows` rows, and the distance that a code that differs
    /// alone makes.
    pub fn new(rows: usize, numbers: &[Vec<f64>], codes: &[Vec<u32>], mismatch: f64) -> Self {
        let most = numbers.iter().flatten().fold(mismatch, |most, v| most.max(v.abs()));
        // A power of two changes no digit.
        let exponent = if most > 0.0 { most.log2().ceil().clamp(-1000.0, 1000.0) } else { 0.0 };
        let unit = exponent.exp2();
        let (dimensions, kinds) = (numbers.len(), codes.len());
        let mut values = vec![0.0; rows * dimensions];
        for (j, column) in numbers.iter().enumerate() {
            for (i, value) in column.iter().enumerate() {
                values[i * dimensions + j] = value / unit;
            }
        }
        let mut flat = vec![0; rows * kinds];
        for (j, column) in codes.iter().enumerate() {
            for (i, code) in column.iter().enumerate() {
                flat[i * kinds + j] = *code;
            }
        }
        Points { rows, dimensions, values, kinds, codes: flat, penalty: (mismatch / unit).powi(2), unit }
    }

    /// A distance in the scale of the columns.
    pub fn distance(&self, near: Near) -> f64 {
        near.square.sqrt() * self.unit
    }

    /// The square of the distance of two rows.
    pub fn square(&self, a: usize, b: usize) -> f64 {
        let d = self.dimensions;
        let numbers = self.values[a * d..(a + 1) * d].iter().zip(&self.values[b * d..(b + 1) * d]);
        let square: f64 = numbers.map(|(x, y)| (x - y) * (x - y)).sum();
        if self.kinds == 0 {
            return square;
        }
        let k = self.kinds;
        let codes = self.codes[a * k..(a + 1) * k].iter().zip(&self.codes[b * k..(b + 1) * k]);
        square + self.penalty * codes.filter(|(x, y)| x != y).count() as f64
    }

    /// The `k` nearest of the first `among` rows to each row of `queries`, itself apart, the nearest first; of rows at the
    /// same distance the first (where a tree is used, any, but the same every time). Where there are fewer than `k`,
    /// [`NOBODY`] at an infinite distance follows. `k` for each query, at least 1.
    pub fn nearest(&self, queries: &[u32], among: usize, k: usize) -> Vec<Near> {
        let mut near = vec![Near::NONE; queries.len() * k];
        if among == 0 || k == 0 {
            return near;
        }
        let few = (1..=TREE_DIMENSIONS).contains(&self.dimensions) && self.kinds == 0;
        if !(few && among >= TREE_ROWS && self.by_tree(queries, among, k, &mut near)) {
            by_pairs(self, queries, among, k, TOGETHER, &mut near);
        }
        near
    }

    /// By a k-d tree; false where none can be made.
    fn by_tree(&self, queries: &[u32], among: usize, k: usize, near: &mut [Near]) -> bool {
        let d = self.dimensions;
        let Ok(points) = ArrayView2::from_shape((self.rows, d), &self.values) else { return false };
        let among = points.slice_axis(Axis(0), Slice::from(..among));
        let Ok(tree) = KdTree.from_batch(&among, L2Dist) else { return false };
        near.par_chunks_mut(k).zip(queries).all(|(near, query)| {
            let Ok(found) = tree.k_nearest(points.row(*query as usize), k + 1) else { return false };
            let others = found.into_iter().map(|(_, row)| row).filter(|row| *row != *query as usize);
            for (near, row) in near.iter_mut().zip(others) {
                *near = Near { square: self.square(*query as usize, row), row: row as u32 };
            }
            true
        })
    }
}
