//! New rows, and how they are put behind the old ones.

use std::borrow::Cow;

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Method, Target};
use crate::data::{Batch, Binary, Categorical, Codes, Column, Numbers, Table, UNKNOWN};
use crate::mitigate::groups::Groups;
use crate::{Error, Result};

/// Rows copied at once, in the cache.
const ROWS: usize = 128;

/// Where a row of the result comes from. Rows are those of the table that was given, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Origin {
    /// An original row, as it was.
    Original(usize),
    /// A copy of a row.
    Copied(usize),
    /// Between two rows: numbers are `(1 - share)` of the first and `share` of the second.
    Between {
        /// The two rows; the first one's cell is the new row's.
        rows: [usize; 2],
        /// The second one's share, in [0, 1].
        share: f64,
    },
    /// A row changed by the difference of two others.
    Crossed {
        /// The row that was changed, and the two others.
        rows: [usize; 3],
    },
    /// Drawn from a model of its cell.
    Drawn,
    /// A row with another level of an attribute.
    Exchanged(usize),
}

/// A cell of group and label, before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AugmentedCell {
    /// The level of each attribute.
    pub levels: Vec<String>,
    /// The label: favourable or not.
    pub favorable: bool,
    /// Its rows before.
    pub before: usize,
    /// Its rows after.
    pub after: usize,
    /// How many neighbours its rows had to be combined with, where neighbours were used: fewer than asked for where the
    /// cell has not more.
    pub neighbors: Option<usize>,
    /// How far its correlations were shrunk towards none, in [0, 1], where a copula was used.
    pub shrinkage: Option<f64>,
}

/// What was done: everything about the result but its rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// How.
    pub method: Method,
    /// To what end; `None` where the method has none.
    pub target: Option<Target>,
    /// What random numbers were drawn from.
    pub seed: u64,
    /// The attributes whose levels make the groups.
    pub attributes: Vec<String>,
    /// The cells, those without rows before and after left out.
    pub cells: Vec<AugmentedCell>,
    /// Rows of an unknown group or label: kept, and nothing was made of them.
    pub left_alone: usize,
    /// Rows that were taken away.
    pub removed: Vec<usize>,
    /// Where each row comes from.
    pub origin: Vec<Origin>,
}

impl Record {
    /// How many rows are new.
    pub fn new_rows(&self) -> usize {
        self.origin.iter().filter(|origin| !matches!(origin, Origin::Original(_))).count()
    }
}

/// Original rows in their order, then new ones.
#[derive(Debug, Clone)]
pub struct Augmented {
    /// The rows.
    pub table: Table,
    /// All attributes of the batch, for the same rows.
    pub attributes: Vec<Categorical<'static>>,
    /// Each row's label: 0 unfavourable, 1 favourable, 2 unknown.
    pub labels: Vec<u8>,
    /// Each row's weight, where the batch has weights or the method makes them: a new row has that of the row it was made
    /// from.
    pub weights: Option<Vec<f64>>,
    /// What was done.
    pub record: Record,
}

impl Augmented {
    /// The rows that are new.
    ///
    /// # Errors
    /// [`Error::BadSetting`] where the record is of another table.
    pub fn new_rows(&self) -> Result<Table> {
        let origins = self.record.origin.iter().enumerate();
        let new = origins.filter(|(_, origin)| !matches!(origin, Origin::Original(_))).map(|(row, _)| row);
        self.table.select(&new.collect::<Vec<_>>())
    }

    /// The attributes, labels and weights as a batch, for what is fitted next.
    ///
    /// # Errors
    /// [`Error::Nothing`] where no row is left.
    pub fn batch(&self) -> Result<Batch<'_>> {
        let mut builder = Batch::builder().label(&self.labels);
        for attribute in &self.attributes {
            builder = builder.attribute(attribute.borrowed());
        }
        if let Some(weights) = &self.weights {
            builder = builder.weight(weights);
        }
        builder.build()
    }
}

/// The same for an array of features, as `linfa` takes it.
#[derive(Debug, Clone)]
pub struct AugmentedArray {
    /// A row for each person, a column for each feature.
    pub features: Array2<f64>,
    /// As for [`Augmented`].
    pub attributes: Vec<Categorical<'static>>,
    /// As for [`Augmented`].
    pub labels: Vec<u8>,
    /// As for [`Augmented`].
    pub weights: Option<Vec<f64>>,
    /// As for [`Augmented`].
    pub record: Record,
}

/// What a method gives to a column of new rows.
pub(super) enum Values {
    /// What the row it was made from has.
    Base,
    /// Numbers between those of the two rows of its origin: computed when the rows are put together.
    Between,
    Numbers(Vec<f64>),
    /// Codes of the column's levels, `u32::MAX` where missing.
    Codes(Vec<u32>),
}

/// New rows of one cell.
pub(super) struct Made {
    /// The row that each was made from.
    pub base: Vec<u32>,
    pub origin: Vec<Origin>,
    /// For each column of the table.
    pub columns: Vec<Values>,
    pub neighbors: Option<usize>,
    pub shrinkage: Option<f64>,
}

/// `a + share (b - a)`, never beyond either.
fn between(a: f64, b: f64, share: f64) -> f64 {
    let step = b - a;
    let value = if step.is_finite() { a + share * step } else { (1.0 - share) * a + share * b };
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    // The numbers are finite: comparing them takes one instruction, where `clamp` asks for more.
    let value = if value < low { low } else { value };
    if value > high { high } else { value }
}

impl Made {
    /// The two rows and the share of the second, of a new row that is between two.
    fn pair(&self, new: usize) -> ([usize; 2], f64) {
        match self.origin[new] {
            Origin::Between { rows, share } => (rows, share),
            _ => ([self.base[new] as usize; 2], 0.0),
        }
    }

    /// Copies of rows.
    pub fn copies(base: Vec<u32>, columns: usize) -> Self {
        Made {
            origin: base.iter().map(|row| Origin::Copied(*row as usize)).collect(),
            base,
            columns: (0..columns).map(|_| Values::Base).collect(),
            neighbors: None,
            shrinkage: None,
        }
    }
}

/// The codes of a column, `u32::MAX` where missing.
pub(super) fn wide(column: &Categorical, rows: impl Iterator<Item = usize>) -> Vec<u32> {
    rows.map(|row| column.codes().get(row).map_or(u32::MAX, |code| code as u32)).collect()
}

/// A column of levels with other codes, in the narrowest type.
pub(super) fn relabelled(column: &Categorical, codes: Vec<u32>) -> Categorical<'static> {
    let codes = match column.levels().len() {
        // The largest code is cut to the largest of the narrower type: missing stays missing.
        ..=254 => Codes::U8(codes.into_iter().map(|code| code as u8).collect()),
        _ => Codes::U32(Cow::Owned(codes)),
    };
    column.owned_with(codes)
}

/// Puts new rows behind the kept ones. `kept` is `None` where all are.
pub(super) fn assemble(table: &Table, kept: Option<&[u32]>, made: &[Made]) -> Table {
    let new: usize = made.iter().map(|m| m.base.len()).sum();
    let numbers = |at: usize, values: &[f64], whole: bool| -> Vec<f64> {
        let mut all = Vec::with_capacity(values.len() + new);
        match kept {
            Some(rows) => all.extend(rows.iter().map(|row| values[*row as usize])),
            None => all.extend_from_slice(values),
        }
        for made in made {
            match &made.columns[at] {
                Values::Numbers(new) => all.extend_from_slice(new),
                Values::Between => all.extend((0..made.base.len()).map(|new| {
                    let ([a, b], share) = made.pair(new);
                    let value = between(values[a], values[b], share);
                    // Between two whole numbers, a rounded one is no farther than they are.
                    if whole { value.round() } else { value }
                })),
                _ => all.extend(made.base.iter().map(|row| values[*row as usize])),
            }
        }
        all
    };
    let column = |(at, (name, column)): (usize, &(String, Column))| {
        let column = match column {
            Column::Number(values) => Column::Number(numbers(at, values, false)),
            Column::Integer(values) => Column::Integer(numbers(at, values, true)),
            Column::Level(old) => {
                let mut codes = match kept {
                    Some(rows) => wide(old, rows.iter().map(|row| *row as usize)),
                    None => wide(old, 0..old.codes().len()),
                };
                for made in made {
                    match &made.columns[at] {
                        Values::Codes(new) => codes.extend_from_slice(new),
                        _ => codes.extend(wide(old, made.base.iter().map(|row| *row as usize))),
                    }
                }
                Column::Level(relabelled(old, codes))
            }
        };
        (name.clone(), column)
    };
    Table::trusted(table.columns().par_iter().enumerate().map(column).collect())
}

/// The same of an array of features, whose columns are numbers.
pub(super) fn assemble_array(features: ArrayView2<f64>, kept: Option<&[u32]>, made: &[Made]) -> Array2<f64> {
    let old = kept.map_or(features.nrows(), <[u32]>::len);
    let new: usize = made.iter().map(|m| m.base.len()).sum();
    let mut all = Array2::zeros((old + new, features.ncols()));
    let width = features.ncols();
    let (Some(flat), true) = (all.as_slice_mut(), width > 0) else { return all };
    let (before, mut behind) = flat.split_at_mut(old * width);
    before.par_chunks_mut(width * ROWS).enumerate().for_each(|(block, rows)| {
        for (i, row) in rows.chunks_exact_mut(width).enumerate() {
            let at = block * ROWS + i;
            let from = features.row(kept.map_or(at, |rows| rows[at] as usize));
            // Rows that lie in a piece are copied as one.
            match from.as_slice() {
                Some(from) => row.copy_from_slice(from),
                None => row.iter_mut().zip(from).for_each(|(value, old)| *value = *old),
            }
        }
    });
    for made in made {
        let (these, rest) = std::mem::take(&mut behind).split_at_mut(made.base.len() * width);
        behind = rest;
        let all_between = made.columns.iter().all(|column| matches!(column, Values::Between));
        these.par_chunks_mut(width).enumerate().for_each(|(i, row)| {
            let ([a, b], share) = made.pair(i);
            let (a, b) = (features.row(a), features.row(b));
            if all_between {
                let set = |((value, a), b): ((&mut f64, &f64), &f64)| *value = between(*a, *b, share);
                match (a.as_slice(), b.as_slice()) {
                    (Some(a), Some(b)) => row.iter_mut().zip(a).zip(b).for_each(set),
                    _ => row.iter_mut().zip(a).zip(b).for_each(set),
                }
                return;
            }
            for (at, (value, column)) in row.iter_mut().zip(&made.columns).enumerate() {
                *value = match column {
                    Values::Numbers(new) => new[i],
                    Values::Between => between(a[at], b[at], share),
                    Values::Base | Values::Codes(_) => features[[made.base[i] as usize, at]],
                };
            }
        });
    }
    all
}

/// Everything about the rows but the table: attributes, labels, weights and origins.
pub(super) struct Rows {
    pub attributes: Vec<Categorical<'static>>,
    pub labels: Vec<u8>,
    pub weights: Option<Vec<f64>>,
    pub origin: Vec<Origin>,
}

/// The attributes, labels and weights of kept rows and of those made from them.
pub(super) fn rows_of(batch: &Batch, kept: Option<&[u32]>, made: &[Made]) -> Rows {
    let all = kept.map_or(batch.rows(), <[u32]>::len) + made.iter().map(|m| m.base.len()).sum::<usize>();
    let mut from: Vec<usize> = Vec::with_capacity(all);
    match kept {
        Some(rows) => from.extend(rows.iter().map(|row| *row as usize)),
        None => from.extend(0..batch.rows()),
    }
    let mut origin = Vec::with_capacity(all);
    origin.extend(from.iter().map(|row| Origin::Original(*row)));
    made.iter().for_each(|m| origin.extend_from_slice(&m.origin));
    made.iter().for_each(|m| from.extend(m.base.iter().map(|row| *row as usize)));
    let label = batch.label.as_ref().map_or(&[][..], Binary::codes);
    let weight = |Numbers { values, .. }: &Numbers| from.iter().map(|row| values[*row]).collect();
    Rows {
        attributes: batch.attributes().iter().map(|a| relabelled(a, wide(a, from.iter().copied()))).collect(),
        labels: from.iter().map(|row| label.get(*row).copied().unwrap_or(UNKNOWN)).collect(),
        weights: batch.weight.as_ref().map(weight),
        origin,
    }
}

/// The cells with rows before or after.
pub(super) fn cell_records(groups: &Groups, before: &[usize], after: &[usize]) -> Vec<AugmentedCell> {
    let cell = |cell: usize| AugmentedCell {
        levels: groups.levels[cell / 2].clone(),
        favorable: cell % 2 == 1,
        before: before[cell],
        after: after[cell],
        neighbors: None,
        shrinkage: None,
    };
    (0..before.len()).map(cell).collect()
}

/// That a cell of one row can be combined with nothing, and what to do.
pub(super) fn alone(cell: &str) -> Error {
    Error::setting(
        &format!("the number of rows of `{cell}`"),
        1,
        "two or more, since a new row is made from several; merge the group with another, or copy it by `Lone::Copy`",
    )
}
