//! Rows drawn from a Gaussian copula of a cell.

use ndarray::Array2;
use rand::Rng;
use rand::seq::SliceRandom;
use rand_distr::StandardNormal;
use rayon::prelude::*;

use super::Work;
use super::frame::Of;
use super::made::{Made, Origin, Values, wide};
use super::resample::even_draw;
use super::smote::{BLOCK, each_feature};
use crate::inference::rng::stream;
use crate::inference::special::{normal_cdf, normal_quantile};

/// What correlations are shrunk by, tried in this order; at the last there are none.
const SHRINKAGE: [f64; 17] =
    [0.0, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0];
/// The least part of a variable of variance 1 that the others may leave unexplained.
const PIVOT: f64 = 1e-9;

/// The values of a column in order.
enum Sorted {
    Numbers(Vec<f64>),
    Whole(Vec<f64>),
    Codes(Vec<u32>),
}

/// The values of a cell's rows in order, and each row's rank; the ranks of equal values are in random order.
fn ranked(column: &Of, rows: &[u32], mut order: Vec<u32>) -> (Sorted, Vec<u32>) {
    let sorted = match column {
        Of::Number(values) | Of::Integer(values) => {
            let value = |at: u32| values[rows[at as usize] as usize];
            order.sort_by(|a, b| value(*a).total_cmp(&value(*b)));
            let sorted = order.iter().map(|at| value(*at)).collect();
            if matches!(column, Of::Number(_)) { Sorted::Numbers(sorted) } else { Sorted::Whole(sorted) }
        }
        Of::Level(column) => {
            let codes = wide(column, rows.iter().map(|row| *row as usize));
            order.sort_by_key(|at| codes[*at as usize]);
            Sorted::Codes(order.iter().map(|at| codes[*at as usize]).collect())
        }
    };
    let mut rank = vec![0; rows.len()];
    order.iter().enumerate().for_each(|(place, at)| rank[*at as usize] = place as u32);
    (sorted, rank)
}

/// The lower factor of a matrix with ones on its diagonal whose other elements are shrunk; `None` where it is not positive
/// definite.
fn factor(correlation: &Array2<f64>, shrinkage: f64) -> Option<Array2<f64>> {
    let d = correlation.nrows();
    let mut lower = Array2::<f64>::zeros((d, d));
    for i in 0..d {
        for j in 0..=i {
            let element = if i == j { 1.0 } else { (1.0 - shrinkage) * correlation[[i, j]] };
            let rest = element - (0..j).map(|m| lower[[i, m]] * lower[[j, m]]).sum::<f64>();
            lower[[i, j]] = if i == j {
                if rest <= PIVOT {
                    return None;
                }
                rest.sqrt()
            } else {
                rest / lower[[j, j]]
            };
        }
    }
    Some(lower)
}

/// New rows of a cell of two rows or more.
pub(super) fn draw(work: &Work) -> Made {
    let (n, d) = (work.rows.len(), work.features.len());
    let ranks = |(number, column): (usize, &usize)| {
        let mut order: Vec<u32> = (0..n as u32).collect();
        order.shuffle(&mut stream(work.seed, work.cell, usize::MAX - number));
        ranked(&work.frame.columns()[*column].1, work.rows, order)
    };
    let columns: Vec<(Sorted, Vec<u32>)> = work.features.par_iter().enumerate().map(ranks).collect();
    let score: Vec<f64> = (0..n).map(|rank| normal_quantile((rank as f64 + 0.5) / n as f64)).collect();
    let scores = Array2::from_shape_fn((n, d), |(row, column)| score[columns[column].1[row] as usize]);
    // Every column has the same scores in another order, of mean 0.
    let correlation = scores.t().dot(&scores) / score.iter().map(|z| z * z).sum::<f64>();
    let (shrinkage, lower) = SHRINKAGE
        .iter()
        .find_map(|shrinkage| Some((*shrinkage, factor(&correlation, *shrinkage)?)))
        .unwrap_or((1.0, Array2::eye(d)));
    // Where each new value stands among the old ones of its column, in [0, 1]; row by row.
    let mut places = vec![0.0; work.extra * d];
    places.par_chunks_mut((BLOCK * d).max(1)).enumerate().for_each(|(block, places)| {
        let mut rng = stream(work.seed, work.cell, block + 1);
        let mut normal = vec![0.0; d];
        for row in places.chunks_mut(d.max(1)) {
            normal.iter_mut().for_each(|z| *z = rng.sample(StandardNormal));
            for (j, place) in row.iter_mut().enumerate() {
                *place = normal_cdf((0..=j).map(|m| lower[[j, m]] * normal[m]).sum());
            }
        }
    });
    let values = each_feature(work, |at, _| {
        let Some(number) = work.features.iter().position(|column| *column == at) else { return Values::Base };
        let places = places.iter().skip(number).step_by(d);
        let observed = |place: &f64| ((place * n as f64) as usize).min(n - 1);
        match &columns[number].0 {
            Sorted::Numbers(sorted) => Values::Numbers(places.map(|place| quantile(sorted, *place)).collect()),
            Sorted::Whole(sorted) => Values::Numbers(places.map(|place| sorted[observed(place)]).collect()),
            Sorted::Codes(sorted) => Values::Codes(places.map(|place| sorted[observed(place)]).collect()),
        }
    });
    Made {
        base: even_draw(work.rows, work.extra, work.seed, work.cell),
        origin: vec![Origin::Drawn; work.extra],
        columns: values,
        neighbors: None,
        shrinkage: Some(shrinkage),
    }
}

/// The quantile of sorted numbers, interpolated between two.
fn quantile(sorted: &[f64], place: f64) -> f64 {
    let at = place * (sorted.len() - 1) as f64;
    let below = (at as usize).min(sorted.len() - 1);
    let above = (below + 1).min(sorted.len() - 1);
    let (low, high, part) = (sorted[below], sorted[above], at - below as f64);
    ((1.0 - part) * low + part * high).max(low).min(high)
}
