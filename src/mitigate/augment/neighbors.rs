//! The nearest rows of each row, exactly: all pairs in blocks, or a tree where there are few dimensions.
//!
//! Blocks of squared distances, less a part that is the same for the whole row, are products of matrices in `f32`. What
//! may be among the nearest by them, with a bound on their rounding, is measured again in `f64`; so the answer is that of a
//! plain loop. Measured on 10,000 rows and two threads: a tree is faster up to four dimensions (two times at four), and
//! four times slower at eight.

use linfa_nn::{KdTree, NearestNeighbour, distance::L2Dist};
use ndarray::{Array2, ArrayView2, Axis, Slice, linalg::general_mat_mul};
use rayon::prelude::*;

/// Rows whose neighbours are found at once, and rows that they are compared with at once: a block stays in the cache.
const QUERIES: usize = 128;
const POINTS: usize = 256;
/// Distances that one comparison turns away together.
const LANES: usize = 16;
/// Rows kept for a second look before they get it.
const PENDING: usize = 1024;
/// Columns of levels up to which each level is a dimension of the product; the others only widen what is looked at again.
const LEVELS: usize = 16;
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

/// Rows of numbers and codes. The square of a distance is the sum of the squares of the differences of numbers, and
/// `penalty` for each code that differs.
pub(super) struct Points {
    rows: usize,
    dimensions: usize,
    /// Row by row, so scaled that no square overflows.
    values: Vec<f64>,
    kinds: usize,
    codes: Vec<u32>,
    penalty: f64,
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
    fn square(&self, a: usize, b: usize) -> f64 {
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
        let mut near = vec![Near { square: f64::INFINITY, row: NOBODY }; queries.len() * k];
        if among == 0 || k == 0 {
            return near;
        }
        let few = (1..=TREE_DIMENSIONS).contains(&self.dimensions) && self.kinds == 0;
        if !(few && among >= TREE_ROWS && self.by_tree(queries, among, k, &mut near)) {
            self.by_blocks(queries, among, k, &mut near);
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

    fn by_blocks(&self, queries: &[u32], among: usize, k: usize, near: &mut [Near]) {
        let rough = Rough::of(self, among);
        let largest: Vec<f32> =
            rough.norms[..among].chunks(POINTS).map(|block| block.iter().fold(0.0, |a: f32, b| a.max(*b))).collect();
        near.par_chunks_mut(QUERIES * k).zip(queries.par_chunks(QUERIES)).for_each_init(
            || (Array2::<f32>::zeros((QUERIES, POINTS)), Array2::<f32>::zeros((QUERIES, rough.width))),
            |(block, mine), (near, queries)| {
                for (query, mut row) in queries.iter().zip(mine.rows_mut()) {
                    row.assign(&rough.rows.row(*query as usize));
                }
                let mine = mine.slice_axis(Axis(0), Slice::from(..queries.len()));
                let mut searches: Vec<Search> = queries.iter().map(|query| Search::new(*query, k)).collect();
                for (number, start) in (0..among).step_by(POINTS).enumerate() {
                    let width = POINTS.min(among - start);
                    let points = rough.columns.slice_axis(Axis(1), Slice::from(start..start + width));
                    let mut squares = block.slice_axis_mut(Axis(0), Slice::from(..queries.len()));
                    let mut squares = squares.slice_axis_mut(Axis(1), Slice::from(..width));
                    general_mat_mul(1.0, &mine, &points, 0.0, &mut squares);
                    for ((search, near), squares) in searches.iter_mut().zip(near.chunks_mut(k)).zip(block.rows()) {
                        let norm = rough.norms[search.query as usize];
                        search.widen(rough.slack(norm, largest[number]), rough.unseen);
                        if let Some(squares) = squares.to_slice() {
                            search.scan(&squares[..width], start);
                        }
                        if search.pending.len() >= PENDING {
                            search.thin_out();
                            if search.pending.len() >= PENDING / 2 {
                                self.look_again(search.query, &search.pending, near);
                                search.pending.clear();
                            }
                        }
                    }
                }
                for (search, near) in searches.iter_mut().zip(near.chunks_mut(k)) {
                    search.thin_out();
                    self.look_again(search.query, &search.pending, near);
                }
            },
        );
    }

    /// Measures rows exactly, in their order, and keeps the nearest.
    fn look_again(&self, query: u32, pending: &[(f32, u32)], near: &mut [Near]) {
        let last = near.len() - 1;
        for (_, row) in pending {
            let square = self.square(query as usize, *row as usize);
            if square < near[last].square {
                let at = near.partition_point(|n| n.square <= square);
                near[at..].rotate_right(1);
                near[at] = Near { square, row: *row };
            }
        }
    }
}

/// The rows in `f32`, as factors of the products that make distances.
struct Rough {
    width: usize,
    /// Row by row: its numbers, its levels and a one.
    rows: Array2<f32>,
    /// For each row a column: minus twice its numbers and levels, and the square of its norm.
    columns: Array2<f32>,
    norms: Vec<f32>,
    /// The most that the codes that are no dimension add to a square.
    unseen: f32,
    /// The relative bound on the rounding of one product.
    rounding: f32,
}

impl Rough {
    fn of(points: &Points, among: usize) -> Self {
        let (n, d) = (points.rows, points.dimensions);
        // Numbers near their means lose the least by rounding.
        let mut means = vec![0.0; d];
        for row in points.values.chunks_exact(d.max(1)).take(if d > 0 { n } else { 0 }) {
            means.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / n as f64);
        }
        let mut levels: Vec<Option<Vec<u32>>> = Vec::with_capacity(points.kinds);
        for kind in 0..points.kinds {
            let mut seen: Vec<u32> = Vec::new();
            for code in points.codes.iter().skip(kind).step_by(points.kinds) {
                if !seen.contains(code) && seen.len() <= LEVELS {
                    seen.push(*code);
                }
            }
            levels.push((seen.len() <= LEVELS).then_some(seen));
        }
        let width = d + levels.iter().flatten().map(Vec::len).sum::<usize>() + 1;
        let unseen = points.penalty * levels.iter().filter(|seen| seen.is_none()).count() as f64;
        // Two different levels are two differences.
        let side = (points.penalty / 2.0).sqrt() as f32;
        let (mut rows, mut columns) = (Array2::zeros((n, width)), Array2::zeros((width, among)));
        let mut norms = vec![0.0f32; n];
        for (i, mut row) in rows.rows_mut().into_iter().enumerate() {
            for (j, value) in points.values[i * d..(i + 1) * d].iter().enumerate() {
                row[j] = (value - means[j]) as f32;
            }
            let mut at = d;
            for (seen, code) in levels.iter().zip(&points.codes[i * points.kinds..]) {
                let Some(seen) = seen else { continue };
                if let Some(level) = seen.iter().position(|own| own == code) {
                    row[at + level] = side;
                }
                at += seen.len();
            }
            norms[i] = row.iter().map(|v| v * v).sum();
            if i < among {
                columns.column_mut(i).iter_mut().zip(&row).for_each(|(column, v)| *column = -2.0 * v);
                columns[[width - 1, i]] = norms[i];
            }
            row[width - 1] = 1.0;
        }
        let rounding = 3.0 * (width as f32 + 4.0) * f32::EPSILON;
        Rough { width, rows, columns, norms, unseen: unseen as f32 * (1.0 + f32::EPSILON), rounding }
    }

    /// How far a square may be off, of a row and others of norms up to the largest. (The sum of the magnitudes that are
    /// added up is at most twice the sum of the two norms; what is below the range of `f32` is in the constant.)
    fn slack(&self, norm: f32, largest: f32) -> f32 {
        self.rounding * (norm + largest) + 1e-30
    }
}

/// One row's search.
struct Search {
    query: u32,
    /// The `k` smallest squares so far, less the row's own part.
    best: Vec<f32>,
    slack: f32,
    unseen: f32,
    /// What is above it is not among the nearest, whatever the rounding.
    cut: f32,
    /// What may be: square and row.
    pending: Vec<(f32, u32)>,
}

impl Search {
    fn new(query: u32, k: usize) -> Self {
        Search {
            query,
            best: vec![f32::INFINITY; k],
            slack: 0.0,
            unseen: 0.0,
            cut: f32::INFINITY,
            pending: Vec::with_capacity(16 * k.min(16)),
        }
    }

    /// Takes a bound on the rounding of what comes next.
    fn widen(&mut self, slack: f32, unseen: f32) {
        self.slack = self.slack.max(slack);
        self.unseen = unseen;
        self.lower();
    }

    fn lower(&mut self) {
        self.cut = self.best[self.best.len() - 1] + 2.0 * self.slack + self.unseen;
    }

    fn scan(&mut self, squares: &[f32], start: usize) {
        for (number, lanes) in squares.chunks(LANES).enumerate() {
            let cut = self.cut;
            // Of a known length and without a way out, it takes one instruction for several distances.
            let one_is_near = |lanes: &[f32; LANES]| lanes.iter().fold(false, |any, square| any | (*square <= cut));
            if <&[f32; LANES]>::try_from(lanes).is_ok_and(|lanes| !one_is_near(lanes)) {
                continue;
            }
            for (lane, square) in lanes.iter().enumerate() {
                let row = (start + number * LANES + lane) as u32;
                if *square <= self.cut && row != self.query {
                    self.pending.push((*square, row));
                    if *square < self.best[self.best.len() - 1] {
                        let at = self.best.partition_point(|best| best <= square);
                        self.best[at..].rotate_right(1);
                        self.best[at] = *square;
                        self.lower();
                    }
                }
            }
        }
    }

    /// Forgets what turned out to be too far.
    fn thin_out(&mut self) {
        let cut = self.cut;
        self.pending.retain(|(square, _)| *square <= cut);
    }
}
