//! Fair-SMOTE's new rows of one cell, by the crossover of differential evolution.

use rand::Rng;

use super::Work;
use super::frame::Of;
use super::made::{Made, Origin, Values, wide};
use super::smote::{Neighborhood, Search, each_feature, each_new};
use crate::inference::rng::stream;

/// How likely a value is changed.
const CROSSOVER: f64 = 0.8;
/// What part of a difference is added.
const MUTATION: f64 = 0.8;

/// New rows of a cell of two rows or more.
pub(super) fn cross(work: &Work, search: &Search) -> Made {
    let around = Neighborhood::of(work, search);
    let trios = each_new(work, |new, rng| {
        let (base, near) = (around.base[new], around.near(new));
        let first = rng.gen_range(0..near.len());
        let second = match near.len() {
            1 => base,
            n => near[(first + rng.gen_range(1..n)) % n],
        };
        ([base, near[first], second], rng.r#gen::<u64>())
    });
    let columns = each_feature(work, |at, column| {
        let (values, whole) = match column {
            Of::Number(values) => (values, false),
            Of::Integer(values) => (values, true),
            Of::Level(column) => {
                let choose = |(rows, salt): &([u32; 3], u64)| {
                    let mut rng = stream(*salt, at, 0);
                    let from = if rng.r#gen::<f64>() < CROSSOVER { rng.gen_range(0..3) } else { 0 };
                    rows[from] as usize
                };
                return Values::Codes(wide(column, trios.iter().map(choose)));
            }
        };
        let own = work.rows.iter().map(|row| values[*row as usize]);
        let (low, high) = own.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        let new = |(rows, salt): &([u32; 3], u64)| {
            let [x, a, b] = rows.map(|row| values[row as usize]);
            if stream(*salt, at, 0).r#gen::<f64>() >= CROSSOVER {
                return x;
            }
            // Each product is in range where the difference may not be.
            let value = x + (MUTATION * a - MUTATION * b);
            (if whole { value.round() } else { value }).max(low).min(high)
        };
        Values::Numbers(trios.iter().map(new).collect())
    });
    Made {
        base: trios.iter().map(|(rows, _)| rows[0]).collect(),
        origin: trios.iter().map(|(rows, _)| Origin::Crossed { rows: rows.map(|row| row as usize) }).collect(),
        columns,
        neighbors: Some(around.k),
        shrinkage: None,
    }
}
