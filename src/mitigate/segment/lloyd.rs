//! Plain k-means of weighted rows: where the fair ones start from, and what they are compared with.

use ndarray::ArrayView2;
use rand::Rng;
use rayon::prelude::*;

use super::{FairKMeansValidParams, Found};
use crate::individual::MISSING;
use crate::inference::rng::stream;
use crate::{Error, Result};

/// Rows whose nearest centres are found at once.
const CHUNK: usize = 4096;

/// The largest feature, times the root of the largest weight.
const LARGEST: f64 = 1e100;

/// Rows of features, one after another, and their weights.
pub(super) struct Points {
    pub values: Vec<f64>,
    pub width: usize,
    pub weights: Vec<f64>,
}

/// Centres, one after another.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Centres {
    pub values: Vec<f64>,
    pub width: usize,
    pub count: usize,
}

impl Centres {
    pub fn row(&self, at: usize) -> &[f64] {
        &self.values[at * self.width..(at + 1) * self.width]
    }

    pub fn row_mut(&mut self, at: usize) -> &mut [f64] {
        &mut self.values[at * self.width..(at + 1) * self.width]
    }

    pub fn rows(&self) -> Vec<Vec<f64>> {
        (0..self.count).map(|at| self.row(at).to_vec()).collect()
    }
}

pub(super) fn squared(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}

/// The largest of the costs that there are.
pub(super) fn worst(costs: &[Option<f64>]) -> f64 {
    costs.iter().flatten().copied().fold(0.0, f64::max)
}

impl Points {
    pub fn of(features: ArrayView2<f64>, weights: Option<&[f64]>) -> Self {
        let weights = weights.map_or_else(|| vec![1.0; features.nrows()], <[f64]>::to_vec);
        Points { values: features.iter().copied().collect(), width: features.ncols(), weights }
    }

    /// Refuses features so large that weighted squared distances of them, and of centres, would not be finite.
    pub fn check(&self, centres: &[f64]) -> Result<()> {
        let largest = |values: &[f64]| values.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
        let reach = largest(&self.values).max(largest(centres)) * largest(&self.weights).sqrt().max(1.0);
        if reach <= LARGEST {
            return Ok(());
        }
        let expected = format!("at most {LARGEST:e}, times the root of the largest weight; scale them");
        Err(Error::setting("the largest feature", reach, expected))
    }

    pub fn len(&self) -> usize {
        self.weights.len()
    }

    pub fn row(&self, at: usize) -> &[f64] {
        &self.values[at * self.width..(at + 1) * self.width]
    }

    /// The nearest centre of each row, the first of those that are equally near.
    pub fn nearest(&self, centres: &Centres) -> Vec<u32> {
        let mut segments = vec![0; self.len()];
        segments.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, segments)| {
            for (at, segment) in segments.iter_mut().enumerate() {
                let row = self.row(chunk * CHUNK + at);
                let each = (0..centres.count).map(|c| (c, squared(row, centres.row(c))));
                *segment = each.fold((0, f64::INFINITY), |best, of| if of.1 < best.1 { of } else { best }).0 as u32;
            }
        });
        segments
    }

    /// The weighted mean of each segment; a segment without weight keeps its centre.
    pub fn means(&self, segments: &[u32], old: &Centres) -> Centres {
        let mut centres = old.clone();
        let mut weights = vec![0.0; old.count];
        for (row, segment) in segments.iter().enumerate() {
            let (segment, weight) = (*segment as usize, self.weights[row]);
            if weight > 0.0 {
                if weights[segment] == 0.0 {
                    centres.row_mut(segment).fill(0.0);
                }
                weights[segment] += weight;
                // A running mean: sums of large features would lose their digits.
                let share = weight / weights[segment];
                let centre = centres.row_mut(segment);
                centre.iter_mut().zip(self.row(row)).for_each(|(c, x)| *c += share * (x - *c));
            }
        }
        centres
    }

    /// Each group's mean squared distance to its rows' centres, and that of all.
    pub fn costs(&self, centres: &Centres, segments: &[u32], groups: &[u32], count: usize) -> (Vec<Option<f64>>, f64) {
        let mut sums = vec![(0.0, 0.0); count + 1];
        for (row, segment) in segments.iter().enumerate() {
            let weight = self.weights[row];
            let cost = weight * squared(self.row(row), centres.row(*segment as usize));
            let group = if groups[row] == MISSING { count } else { groups[row] as usize };
            sums[group].0 += cost;
            sums[group].1 += weight;
        }
        let mean = |(cost, weight): &(f64, f64)| (*weight > 0.0).then(|| cost / weight);
        let all = sums.iter().fold((0.0, 0.0), |all, of| (all.0 + of.0, all.1 + of.1));
        (sums[..count].iter().map(mean).collect(), mean(&all).unwrap_or(0.0))
    }

    /// Centres drawn from the rows, each with a chance that grows with its weighted squared distance from those before.
    ///
    /// # References
    /// Arthur, Vassilvitskii (2007), k-means++: the advantages of careful seeding, SODA.
    pub fn plus_plus(&self, count: usize, rng: &mut impl Rng) -> Centres {
        let mut centres = Centres { values: Vec::with_capacity(count * self.width), width: self.width, count };
        let mut chances = self.weights.clone();
        let mut distances = vec![f64::INFINITY; self.len()];
        for _ in 0..count {
            let at = draw(&chances, rng).or_else(|| draw(&self.weights, rng)).unwrap_or(0);
            let centre = self.row(at);
            centres.values.extend_from_slice(centre);
            for (row, distance) in distances.iter_mut().enumerate() {
                *distance = distance.min(squared(self.row(row), centre));
                chances[row] = self.weights[row] * *distance;
            }
        }
        centres
    }

    /// Lloyd's algorithm: rows to the nearest centres, centres to the means of their rows, and again.
    pub fn lloyd(&self, mut centres: Centres, iterations: usize, tolerance: f64) -> (Found, f64) {
        let (mut segments, mut last, mut done) = (Vec::new(), f64::INFINITY, iterations);
        for iteration in 0..=iterations {
            segments = self.nearest(&centres);
            let (_, cost) = self.costs(&centres, &segments, &vec![MISSING; self.len()], 0);
            let ends = iteration > 0 && last - cost <= tolerance * cost;
            last = cost;
            if ends || iteration == iterations {
                done = iteration;
                break;
            }
            centres = self.means(&segments, &centres);
        }
        (Found { centres, segments, iterations: done }, last)
    }
}

/// An index with a chance in proportion to its (finite) value; `None` where all are 0.
fn draw(chances: &[f64], rng: &mut impl Rng) -> Option<usize> {
    let sum: f64 = chances.iter().sum();
    if !(sum > 0.0 && sum.is_finite()) {
        return None;
    }
    let mut left = rng.r#gen::<f64>() * sum;
    for (at, chance) in chances.iter().enumerate() {
        left -= chance;
        if left < 0.0 {
            return Some(at);
        }
    }
    // What rounding leaves falls on the last.
    chances.iter().rposition(|chance| *chance > 0.0)
}

impl FairKMeansValidParams {
    /// The best of so many runs of plain k-means.
    pub(super) fn plain(&self, points: &Points) -> Found {
        let run = |run: usize| {
            let start = points.plus_plus(self.clusters, &mut stream(self.seed, run, 0));
            points.lloyd(start, self.iterations, self.tolerance)
        };
        let first = run(0);
        (1..self.runs).map(run).fold(first, |best, found| if found.1 < best.1 { found } else { best }).0
    }
}
