//! The bootstrap over cells: resampling rows at the cost of resampling a table.
//!
//! Rows of one cell are exchangeable and carry nothing else, so that n rows drawn with replacement and tallied are
//! *distributed identically* to one multinomial draw over the cells: a thousand replicates cost the same for a thousand
//! rows or a billion. Where rows carry weights, each cell's weight is a gamma draw with the mean and variance that random
//! exponential multipliers on its rows would give (the Bayesian bootstrap); multiplying multinomial counts by mean weights
//! instead would understate the error.
//!
//! Groups are resampled independently of each other (stratified). A cell without rows stays empty.
//!
//! # References
//! Efron, Tibshirani (1993), An introduction to the bootstrap; Rubin (1981), The Bayesian bootstrap, Annals of
//! Statistics 9.

use rand::Rng;
use rand_distr::{Distribution, Gamma};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::multinomial::Multinomial;
use super::rng::{BLOCK, binomial, stream};
use crate::tally::Cell;

pub use super::replicates::Replicates;

/// A bootstrap of so many replicates, from a seed.
///
/// ```
/// use evenhand::inference::bootstrap::Bootstrap;
/// use evenhand::tally::Cell;
///
/// // Selected and not selected, in two groups.
/// let (a, b) = ([300.0, 700.0].map(Cell::of_rows), [120.0, 380.0].map(Cell::of_rows));
/// let rate = |_group: usize, cells: &[Cell]| Some(cells[0].weight / (cells[0].weight + cells[1].weight));
/// let replicates = Bootstrap { replicates: 2000, seed: 1 }.run(&[&a, &b], rate);
/// let se = replicates[0].standard_error().expect("all are defined");
/// assert!((se - (0.3f64 * 0.7 / 1000.0).sqrt()).abs() < 0.0008);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bootstrap {
    /// How many replicates; 1,000 for intervals, more for far tails.
    pub replicates: usize,
    /// The seed; the same one gives the same replicates on any number of threads.
    pub seed: u64,
}

impl Bootstrap {
    /// Resamples every group's cells and evaluates `stat(group, cells)` on each replicate; one [`Replicates`] per group.
    ///
    /// A group whose rows all weigh the same is resampled as rows (a multinomial of its total, rounded to whole rows); any other by gamma weights, with `rows` kept and `weight_squared` scaled like
    /// the weight. Replicate number r of a group is the same whatever the number of threads, and, as streams belong to
    /// `(group, block)`, whatever the other groups are. `None` and values that are not finite are counted as undefined.
    pub fn run<F>(&self, groups: &[&[Cell]], stat: F) -> Vec<Replicates>
    where
        F: Fn(usize, &[Cell]) -> Option<f64> + Sync,
    {
        let alone = |group: usize, cells: &[Cell], found: &mut [Option<f64>]| found[0] = stat(group, cells);
        self.run_all(groups, 1, alone, |_, mut all| all.pop().unwrap_or_default())
    }

    /// As [`run`](Self::run) for several statistics of the same replicates, which are drawn once: `stats(group, cells, found)`
    /// fills in as many as are wanted, and `of(group, replicates)` is what becomes of those of a group, which are then
    /// forgotten.
    pub(crate) fn run_all<F, G, T>(&self, groups: &[&[Cell]], wanted: usize, stats: F, of: G) -> Vec<T>
    where
        F: Fn(usize, &[Cell], &mut [Option<f64>]) + Sync,
        G: Fn(usize, Vec<Replicates>) -> T + Sync,
        T: Send,
    {
        let of_group = |(group, cells): (usize, &&[Cell])| {
            // Made here and not for all groups at once: the tables of a sampler may take megabytes.
            let sampler = Sampler::new(cells);
            let of_block = |block: usize| {
                let size = BLOCK.min(self.replicates - block * BLOCK);
                let mut rng = stream(self.seed, group, block);
                let (mut drawn, mut counts) = (cells.to_vec(), Vec::new());
                let mut found = vec![None; wanted];
                let mut values = vec![Vec::with_capacity(size); wanted];
                for _ in 0..size {
                    sampler.draw(cells, &mut drawn, &mut counts, &mut rng);
                    stats(group, &drawn, &mut found);
                    for (values, found) in values.iter_mut().zip(&found) {
                        values.extend(found.filter(|value| value.is_finite()));
                    }
                }
                values
            };
            let blocks: Vec<Vec<Vec<f64>>> =
                (0..self.replicates.div_ceil(BLOCK)).into_par_iter().map(of_block).collect();
            let of_stat = |stat: usize| {
                let values = blocks.iter().map(|block| block[stat].as_slice()).collect::<Vec<_>>().concat();
                Replicates { undefined: self.replicates - values.len(), replicates: values }
            };
            of(group, (0..wanted).map(of_stat).collect())
        };
        groups.par_iter().enumerate().map(of_group).collect()
    }
}

/// The leave-one-row-out values that [`Replicates::bca`] asks for: `(rows, value without one row)` of each cell with rows.
///
/// A cell loses one row's share of its weight and squared weight. `None` where the statistic is undefined without some
/// row.
pub fn jackknife<F>(cells: &[Cell], stat: F) -> Option<Vec<(f64, f64)>>
where
    F: Fn(&[Cell]) -> Option<f64>,
{
    let mut reduced = cells.to_vec();
    let mut values = Vec::with_capacity(cells.len());
    for (index, cell) in cells.iter().enumerate().filter(|(_, cell)| cell.rows > 0.0) {
        let share = ((cell.rows - 1.0) / cell.rows).max(0.0);
        reduced[index] = Cell {
            rows: (cell.rows - 1.0).max(0.0),
            weight: cell.weight * share,
            weight_squared: cell.weight_squared * share,
        };
        values.push((cell.rows, stat(&reduced).filter(|value| value.is_finite())?));
        reduced[index] = *cell;
    }
    Some(values)
}

/// How a group's cells are drawn.
enum Sampler {
    /// A multinomial of this many rows, each of this weight.
    Rows(f64, f64),
    /// The same over many cells.
    Spread(Multinomial, f64),
    /// Independent gamma weights; `None` for a cell that stays as it is (no weight).
    Weights(Vec<Option<Gamma<f64>>>),
}

impl Sampler {
    fn new(cells: &[Cell]) -> Self {
        let mut total = Cell::default();
        cells.iter().for_each(|cell| total.add(cell, 1.0));
        if total.is_uniform() {
            let weight = if total.rows > 0.0 { total.weight / total.rows } else { 1.0 };
            let rows = if total.rows.is_finite() { total.rows.max(0.0).round() } else { 0.0 };
            return match Multinomial::new(rows, cells.iter().map(|cell| cell.rows)) {
                Some(multinomial) => Self::Spread(multinomial, weight),
                None => Self::Rows(rows, weight),
            };
        }
        let gamma = |cell: &Cell| {
            let shape = cell.weight * cell.weight / cell.weight_squared;
            let scale = cell.weight_squared / cell.weight;
            let valid = shape > 0.0 && scale > 0.0 && shape.is_finite() && scale.is_finite();
            valid.then(|| Gamma::new(shape, scale).ok()).flatten()
        };
        Self::Weights(cells.iter().map(gamma).collect())
    }

    /// Draws every cell with rows anew; `counts` is only room to work in.
    fn draw<R: Rng>(&self, cells: &[Cell], drawn: &mut [Cell], counts: &mut Vec<u64>, rng: &mut R) {
        let of_count = |count: f64, weight: f64| Cell {
            rows: count,
            weight: count * weight,
            weight_squared: count * weight * weight,
        };
        match self {
            Self::Spread(multinomial, weight) => {
                multinomial.draw(counts, rng, |at, count| drawn[at] = of_count(count, *weight));
            }
            Self::Rows(total, weight) => {
                let (mut left, mut mass) = (*total, *total);
                for (cell, new) in cells.iter().zip(drawn) {
                    let rows = cell.rows.max(0.0);
                    // The last cell with mass takes what is left: there its share is 1, up to rounding.
                    let share = if mass > rows * (1.0 + 1e-12) { rows / mass } else { 1.0 };
                    let count = if rows > 0.0 { binomial(rng, left, share) } else { 0.0 };
                    left -= count;
                    mass -= rows;
                    *new = of_count(count, *weight);
                }
            }
            Self::Weights(gammas) => {
                for ((cell, new), gamma) in cells.iter().zip(drawn).zip(gammas) {
                    if let Some(gamma) = gamma {
                        new.weight = gamma.sample(rng);
                        new.weight_squared = cell.weight_squared * (new.weight / cell.weight);
                    }
                }
            }
        }
    }
}
