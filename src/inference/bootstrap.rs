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

use super::binomial::Trials;
use super::doubling::Doubling;
use super::multinomial::Multinomial;
use super::rng::{BLOCK, stream};
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
        let alone = |group: usize, drawn: &Drawn, found: &mut [Vec<f64>]| {
            let mut cells = drawn.cells.to_vec();
            for at in 0..drawn.replicates() {
                drawn.replicate(at, &mut cells);
                found[0].extend(stat(group, &cells).filter(|value| value.is_finite()));
            }
        };
        self.run_all(groups, 1, alone, |_, mut all| all.pop().unwrap_or_default())
    }

    /// As [`run`](Self::run) for several statistics of the same replicates, which are drawn once: `stats(group, drawn, found)`
    /// adds to each of `found`, one for each statistic `wanted`, its values in some replicates that are defined and finite;
    /// `of(group, replicates)` is what becomes of those of a group, which are then forgotten.
    pub(crate) fn run_all<F, G, T>(&self, groups: &[&[Cell]], wanted: usize, stats: F, of: G) -> Vec<T>
    where
        F: Fn(usize, &Drawn, &mut [Vec<f64>]) + Sync,
        G: Fn(usize, Vec<Replicates>) -> T + Sync,
        T: Send,
    {
        let of_group = |(group, cells): (usize, &&[Cell])| {
            // Made here and not for all groups at once: the tables of a sampler may take megabytes.
            let sampler = Sampler::new(cells, self.replicates);
            let of_block = |block: usize, values: &mut [Vec<f64>], drawn: &mut Drawn| {
                let size = BLOCK.min(self.replicates - block * BLOCK);
                let mut rng = stream(self.seed, group, block);
                let at_once = (ROOM / cells.len().max(1)).clamp(1, size);
                for from in (0..size).step_by(at_once) {
                    drawn.draw(at_once.min(size - from), &mut rng);
                    stats(group, drawn, values);
                }
            };
            let none = || (0..wanted).map(|_| Vec::with_capacity(self.replicates)).collect::<Vec<_>>();
            // What one thread draws is in one place from the start, and all in the order of the blocks.
            let values = (0..self.replicates.div_ceil(BLOCK))
                .into_par_iter()
                .fold(
                    || (none(), Drawn::new(cells, &sampler)),
                    |(mut values, mut drawn), block| {
                        of_block(block, &mut values, &mut drawn);
                        (values, drawn)
                    },
                )
                .map(|(values, _)| values)
                .reduce_with(|mut values, more| {
                    values.iter_mut().zip(more).for_each(|(values, mut more)| values.append(&mut more));
                    values
                });
            let of_stat =
                |values: Vec<f64>| Replicates { undefined: self.replicates - values.len(), replicates: values };
            of(group, values.unwrap_or_else(none).into_iter().map(of_stat).collect())
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

/// Amounts that are drawn at once: they stay in the nearest cache.
const ROOM: usize = 4096;

/// Some replicates of a group, cell by cell.
pub(crate) struct Drawn<'a> {
    cells: &'a [Cell],
    sampler: &'a Sampler,
    replicates: usize,
    /// Of each cell the rows in every replicate, or the weight.
    amounts: Vec<f64>,
    left: Vec<f64>,
    room: Vec<f64>,
    counts: Vec<u64>,
}

impl<'a> Drawn<'a> {
    fn new(cells: &'a [Cell], sampler: &'a Sampler) -> Self {
        let (amounts, left, room) = (Vec::new(), Vec::new(), Vec::new());
        Self { cells, sampler, replicates: 0, amounts, left, room, counts: Vec::new() }
    }

    /// How many replicates these are.
    pub(crate) fn replicates(&self) -> usize {
        self.replicates
    }

    /// The weight of a cell in each of them.
    pub(crate) fn weights(&self, cell: usize) -> impl Iterator<Item = f64> {
        let each = match self.sampler {
            Sampler::Rows(_, weight) | Sampler::Few(_, _, weight) | Sampler::Spread(_, weight) => *weight,
            Sampler::Weights(_) => 1.0,
        };
        self.amounts[cell * self.replicates..(cell + 1) * self.replicates].iter().map(move |amount| amount * each)
    }

    /// All cells of one of them.
    pub(crate) fn replicate(&self, at: usize, cells: &mut [Cell]) {
        for (index, (cell, new)) in self.cells.iter().zip(cells).enumerate() {
            let drawn = self.amounts[index * self.replicates + at];
            *new = match self.sampler {
                Sampler::Rows(_, weight) | Sampler::Few(_, _, weight) | Sampler::Spread(_, weight) => {
                    Cell { rows: drawn, weight: drawn * weight, weight_squared: drawn * weight * weight }
                }
                Sampler::Weights(gammas) if gammas[index].is_some() => {
                    Cell { weight: drawn, weight_squared: cell.weight_squared * (drawn / cell.weight), ..*cell }
                }
                Sampler::Weights(_) => *cell,
            };
        }
    }

    /// Draws so many anew.
    fn draw<R: Rng>(&mut self, replicates: usize, rng: &mut R) {
        self.replicates = replicates;
        self.amounts.resize(self.cells.len() * replicates, 0.0);
        match self.sampler {
            Sampler::Spread(multinomial, _) => {
                self.amounts.fill(0.0);
                for at in 0..replicates {
                    let put = |cell: usize, count: f64| self.amounts[cell * replicates + at] = count;
                    multinomial.draw(&mut self.counts, rng, put);
                }
            }
            Sampler::Rows(total, _) => {
                self.left.clear();
                self.left.resize(replicates, *total);
                for (share, drawn) in shares(self.cells).zip(self.amounts.chunks_mut(replicates)) {
                    if share <= 0.0 {
                        drawn.fill(0.0);
                        continue;
                    }
                    Trials::new(share).fill(rng, &self.left, drawn, &mut self.room);
                    drawn.iter().zip(&mut self.left).for_each(|(drawn, left)| *left -= drawn);
                }
            }
            Sampler::Few(total, parts, _) => {
                self.left.clear();
                self.left.resize(replicates, f64::from(*total));
                for (part, drawn) in parts.iter().zip(self.amounts.chunks_mut(replicates)) {
                    for (drawn, left) in drawn.iter_mut().zip(&mut self.left) {
                        *drawn = match part {
                            Part::Nothing => 0.0,
                            Part::Share(trials) => f64::from(trials.draw(rng, *left as u32)),
                            Part::Rest => *left,
                        };
                        *left -= *drawn;
                    }
                }
            }
            Sampler::Weights(gammas) => {
                for ((cell, drawn), gamma) in self.cells.iter().zip(self.amounts.chunks_mut(replicates)).zip(gammas) {
                    match gamma {
                        Some(gamma) => drawn.iter_mut().for_each(|weight| *weight = gamma.sample(rng)),
                        None => drawn.fill(cell.weight),
                    }
                }
            }
        }
    }
}

/// Of each cell the share of its rows in those of it and all cells behind it, exactly 1 for the last with rows, 0 for one
/// without.
fn shares(cells: &[Cell]) -> impl Iterator<Item = f64> {
    let rows = |cell: &Cell| cell.rows.max(0.0);
    let mut mass: f64 = cells.iter().map(rows).sum();
    cells.iter().map(move |cell| {
        let (rows, all) = (rows(cell), mass);
        mass -= rows;
        // Up to rounding.
        if all > rows * (1.0 + 1e-12) { rows / all } else { f64::from(u8::from(rows > 0.0)) }
    })
}

/// A group of up to so many rows is drawn by tables, if it is drawn so often.
const FEW: (f64, usize) = (200.0, 100);

/// The rows of a cell, of those that the cells before it have left.
enum Part {
    Nothing,
    Share(Doubling),
    Rest,
}

/// How a group's cells are drawn.
enum Sampler {
    /// A multinomial of this many rows, each of this weight.
    Rows(f64, f64),
    /// The same of few rows.
    Few(u32, Vec<Part>, f64),
    /// The same over many cells.
    Spread(Multinomial, f64),
    /// Independent gamma weights; `None` for a cell that stays as it is (no weight).
    Weights(Vec<Option<Gamma<f64>>>),
}

impl Sampler {
    fn new(cells: &[Cell], replicates: usize) -> Self {
        let mut total = Cell::default();
        cells.iter().for_each(|cell| total.add(cell, 1.0));
        if total.is_uniform() {
            let weight = if total.rows > 0.0 { total.weight / total.rows } else { 1.0 };
            let rows = if total.rows.is_finite() { total.rows.max(0.0).round() } else { 0.0 };
            if let Some(multinomial) = Multinomial::new(rows, cells.iter().map(|cell| cell.rows)) {
                return Self::Spread(multinomial, weight);
            }
            if rows > FEW.0 || replicates < FEW.1 {
                return Self::Rows(rows, weight);
            }
            let part = |share: f64| match share {
                share if share >= 1.0 => Part::Rest,
                share if share > 0.0 => Part::Share(Doubling::new(share, rows as u32)),
                _ => Part::Nothing,
            };
            return Self::Few(rows as u32, shares(cells).map(part).collect(), weight);
        }
        let gamma = |cell: &Cell| {
            let shape = cell.weight * cell.weight / cell.weight_squared;
            let scale = cell.weight_squared / cell.weight;
            let valid = shape > 0.0 && scale > 0.0 && shape.is_finite() && scale.is_finite();
            valid.then(|| Gamma::new(shape, scale).ok()).flatten()
        };
        Self::Weights(cells.iter().map(gamma).collect())
    }
}
