//! SMOTE and SMOTE-NC of one cell, and the parts that they share with the other methods.

use rand::Rng;
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;

use super::Work;
use super::frame::{Frame, Of};
use super::made::{Made, Origin, Values, wide};
use super::neighbors::{Near, Points};
use super::resample::even_draw;
use crate::data::Categorical;
use crate::inference::rng::stream;

/// New rows that share a stream of random numbers.
pub(super) const BLOCK: usize = 1024;

/// How neighbours are found.
pub(super) struct Search {
    pub neighbors: usize,
    pub standardize: bool,
    /// Whether levels have a part in the distance, and a new row's level is that of most neighbours.
    pub levels: bool,
}

/// The nearest rows of the rows that new ones are made from.
pub(super) struct Neighborhood {
    /// The row that each new row is made from; the first `distinct` are all different, then they come again.
    pub base: Vec<u32>,
    pub distinct: usize,
    /// Neighbours of each.
    pub k: usize,
    near: Vec<u32>,
}

impl Neighborhood {
    /// Of a cell of two rows or more.
    pub fn of(work: &Work, search: &Search) -> Self {
        let (rows, n) = (work.rows, work.rows.len());
        let base = even_draw(rows, work.extra, work.seed, work.cell);
        let distinct = work.extra.min(n);
        let k = search.neighbors.min(n - 1);
        let points = points(work.frame, work.features, rows, search.standardize, search.levels);
        // Rows of a cell are in order.
        let queries: Vec<u32> =
            base[..distinct].par_iter().map(|row| rows.partition_point(|own| own < row) as u32).collect();
        let near = points.nearest(&queries, n, k);
        // There are k others; were one not found, the row would stand for it.
        let row = |(at, near): (usize, Near)| rows.get(near.row as usize).copied().unwrap_or(base[at / k]);
        let near = near.into_iter().enumerate().map(row).collect();
        Neighborhood { base, distinct, k, near }
    }

    /// The nearest rows of the row that a new row is made from.
    pub fn near(&self, new: usize) -> &[u32] {
        let at = new % self.distinct * self.k;
        &self.near[at..at + self.k]
    }
}

/// The features of rows, as points.
pub(super) fn points(frame: &Frame, features: &[usize], rows: &[u32], standardize: bool, levels: bool) -> Points {
    let numbers = |column: &usize| match &frame.columns()[*column].1 {
        Of::Number(values) | Of::Integer(values) => {
            Some(rows.iter().map(|row| values[*row as usize]).collect::<Vec<f64>>())
        }
        Of::Level(_) => None,
    };
    let mut columns: Vec<Vec<f64>> = features.par_iter().filter_map(numbers).collect();
    let mut mismatch = 1.0;
    if standardize || levels {
        let mut deviations: Vec<f64> = columns.par_iter().map(|column| deviation(column)).collect();
        if standardize {
            columns.par_iter_mut().zip(&mut deviations).for_each(|(column, deviation)| {
                // A constant column makes no distance.
                let by = if *deviation > 0.0 { *deviation } else { 1.0 };
                column.iter_mut().for_each(|v| *v /= by);
                *deviation /= by;
            });
        }
        if let Some(median) = median(&mut deviations) {
            mismatch = median;
        }
    }
    let codes = |column: &usize| match &frame.columns()[*column].1 {
        Of::Level(column) if levels => Some(wide(column, rows.iter().map(|row| *row as usize))),
        _ => None,
    };
    let codes: Vec<Vec<u32>> = features.par_iter().filter_map(codes).collect();
    Points::new(rows.len(), &columns, &codes, if codes.is_empty() { 0.0 } else { mismatch })
}

/// The standard deviation of finite numbers (divisor n), which no magnitude overflows.
fn deviation(values: &[f64]) -> f64 {
    let scale = values.iter().fold(0.0f64, |most, v| most.max(v.abs()));
    let first = values.first().copied().unwrap_or(0.0);
    if scale == 0.0 || values.iter().all(|v| *v == first) {
        return 0.0;
    }
    let n = values.len() as f64;
    let mean = values.iter().map(|v| v / scale).sum::<f64>() / n;
    scale * (values.iter().map(|v| (v / scale - mean).powi(2)).sum::<f64>() / n).sqrt()
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let n = values.len();
    (n > 0).then(|| 0.5 * values[n / 2] + 0.5 * values[(n - 1) / 2])
}

/// Two rows, and how far between them a new one is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Between {
    pub rows: [u32; 2],
    /// The second one's share.
    pub share: f64,
    /// Where the row's own stream starts, which decides about levels.
    pub salt: u64,
}

/// Draws something for each new row, in blocks that have streams of their own.
pub(super) fn each_new<T: Send>(work: &Work, draw: impl Fn(usize, &mut Xoshiro256PlusPlus) -> T + Sync) -> Vec<T> {
    let blocks = work.extra.div_ceil(BLOCK);
    let block = |block: usize| {
        let mut rng = stream(work.seed, work.cell, block + 1);
        let news = block * BLOCK..work.extra.min((block + 1) * BLOCK);
        news.map(|new| draw(new, &mut rng)).collect::<Vec<T>>()
    };
    (0..blocks).into_par_iter().flat_map_iter(block).collect()
}

/// New values of each column that is a feature; the others have those of the row that a new one is made from.
pub(super) fn each_feature(work: &Work, values: impl Fn(usize, &Of) -> Values + Sync) -> Vec<Values> {
    let columns = work.frame.columns().par_iter().enumerate();
    columns
        .map(|(at, (_, column))| if work.features.contains(&at) { values(at, column) } else { Values::Base })
        .collect()
}

/// Rows between pairs of rows.
pub(super) fn interpolate(
    work: &Work,
    pairs: &[Between],
    level: impl Fn(usize, &Categorical) -> Vec<u32> + Sync,
) -> Made {
    let columns = each_feature(work, |at, column| match column {
        Of::Number(_) | Of::Integer(_) => Values::Between,
        Of::Level(column) => Values::Codes(level(at, column)),
    });
    let origin = |pair: &Between| Origin::Between { rows: pair.rows.map(|row| row as usize), share: pair.share };
    Made {
        base: pairs.iter().map(|pair| pair.rows[0]).collect(),
        origin: pairs.iter().map(origin).collect(),
        columns,
        neighbors: None,
        shrinkage: None,
    }
}

/// The level of either row, the second with the probability of its share.
pub(super) fn either(at: usize, column: &Categorical, pairs: &[Between]) -> Vec<u32> {
    let choose = |pair: &Between| {
        let second = stream(pair.salt, at, 0).r#gen::<f64>() < pair.share;
        pair.rows[usize::from(second)] as usize
    };
    wide(column, pairs.iter().map(choose))
}

/// The code that most have; of several `own` if it is among them, else the lowest.
pub(super) fn mode(own: u32, codes: &mut [u32]) -> u32 {
    codes.sort_unstable();
    let (mut best, mut most) = (own, 0);
    for same in codes.chunk_by(|a, b| a == b) {
        if same.len() > most || (same.len() == most && same[0] == own) {
            (best, most) = (same[0], same.len());
        }
    }
    best
}

/// New rows by SMOTE, or SMOTE-NC where levels have a part in the distance. The cell has two rows or more.
pub(super) fn smote(work: &Work, search: &Search) -> Made {
    let around = Neighborhood::of(work, search);
    let pairs = each_new(work, |new, rng| {
        let near = around.near(new);
        Between { rows: [around.base[new], near[rng.gen_range(0..near.len())]], share: rng.r#gen(), salt: rng.r#gen() }
    });
    let vote = |column: &Categorical| {
        let code = |row: u32| column.codes().get(row as usize).map_or(u32::MAX, |code| code as u32);
        let mut codes = Vec::with_capacity(around.k);
        let mut of_base = |new: usize| {
            codes.clear();
            codes.extend(around.near(new).iter().map(|row| code(*row)));
            mode(code(around.base[new]), &mut codes)
        };
        let voted: Vec<u32> = (0..around.distinct).map(&mut of_base).collect();
        voted.iter().copied().cycle().take(work.extra).collect()
    };
    let mut made =
        interpolate(work, &pairs, |at, column| if search.levels { vote(column) } else { either(at, column, &pairs) });
    made.neighbors = Some(around.k);
    made
}
