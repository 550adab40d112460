//! The weights of cells of group and label: found from counts, written row by row.

use serde::{Deserialize, Serialize};

use super::Scheme;
use crate::data::{Batch, Categorical};
use crate::tally::{Cell, Span, Tally, add_levels};
use crate::{Error, Place, Result};

/// Groups up to which a table of factors is made; each takes 24 bytes.
const LIMIT: usize = 4_000_000;
/// Rows whose groups are found at once, in the cache.
const CHUNK: usize = 4096;
/// The factor of a row that is left alone.
const ALONE: f64 = 1.0;

/// One group's rows with one label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeightedCell {
    /// The level of each attribute.
    pub levels: Vec<String>,
    /// The label: favourable or not.
    pub favorable: bool,
    /// The rows.
    pub rows: u64,
    /// Their weight before.
    pub weight: f64,
    /// What their weight is multiplied by.
    pub factor: f64,
}

/// A group's share and weighted rate of favourable labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupBalance {
    /// Its levels, joined by ` & `.
    pub group: String,
    /// Its share of the weight, the same before and after.
    pub share: f64,
    /// The rate before.
    pub before: f64,
    /// The rate after.
    pub after: f64,
}

/// The factor of every cell of group and label, and what it reaches on the rows that it was fitted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellWeights {
    /// How factors follow from counts.
    pub scheme: Scheme,
    /// The attributes whose levels make the groups.
    pub attributes: Vec<String>,
    /// The cells with rows.
    pub cells: Vec<WeightedCell>,
    /// The groups.
    pub groups: Vec<GroupBalance>,
    /// Rows left as they are, because their group or their label is not known.
    pub left_alone: u64,
    /// Kish's effective size of the other rows, `(Σw)² / Σw²`, with the weights that they had.
    pub effective_size_before: f64,
    /// The same with the new weights: what variance costs.
    pub effective_size: f64,
    /// The largest factor.
    pub largest_factor: f64,
}

impl CellWeights {
    /// The largest difference between the groups' weighted rates of favourable labels, before and after.
    pub fn gaps(&self) -> [f64; 2] {
        [|g: &GroupBalance| g.before, |g: &GroupBalance| g.after].map(|rate| {
            let (low, high) = self.groups.iter().map(rate).fold((1.0f64, 0.0f64), |(a, b), r| (a.min(r), b.max(r)));
            (high - low).max(0.0)
        })
    }

    /// The weight of each row of a batch: its factor times the weight that it has. Rows of an unknown group or label
    /// keep theirs.
    ///
    /// # Errors
    /// [`Error::MissingColumn`] for an attribute that the batch lacks, [`Error::Nothing`] without a label,
    /// [`Error::EmptyCell`] where a row's group and label were not met when it was fitted.
    pub fn weights(&self, batch: &Batch) -> Result<Vec<f64>> {
        let grid = Grid::of(batch, &self.attributes)?;
        let mut factors = vec![[f64::NAN, f64::NAN, ALONE]; grid.size];
        factors.iter_mut().enumerate().filter(|(key, _)| !grid.known(*key)).for_each(|(_, alone)| *alone = [ALONE; 3]);
        for cell in &self.cells {
            if let Some(key) = grid.key_of(&cell.levels) {
                factors[key][usize::from(cell.favorable)] = cell.factor;
            }
        }
        let mut weights = Vec::with_capacity(batch.rows());
        let given = batch.weight.as_ref().map(|w| &w.values[..]);
        grid.chunks(|start, keys, labels| {
            let of_row = keys.iter().zip(labels).map(|(key, label)| factors[*key as usize][usize::from(*label)]);
            match given {
                // A row without weight needs no factor.
                Some(given) => weights.extend(
                    of_row
                        .zip(&given[start..])
                        .map(|(factor, weight)| if *weight == 0.0 { 0.0 } else { factor * weight }),
                ),
                None => weights.extend(of_row),
            }
        });
        match weights.iter().position(|w| w.is_nan()) {
            None => Ok(weights),
            Some(row) => Err(empty(&grid.levels_at(row), grid.labels[row] == 1, Place::row(row))),
        }
    }
}

pub(super) fn fit(scheme: Scheme, attributes: &[String], batch: &Batch) -> Result<CellWeights> {
    let grid = Grid::of(batch, attributes)?;
    let counted = Batch {
        rows: batch.rows,
        attributes: grid.columns.iter().map(|c| c.borrowed()).collect(),
        strata: Vec::new(),
        label: batch.label.as_ref().map(|l| l.borrowed()),
        models: Vec::new(),
        segmentations: Vec::new(),
        weight: batch.weight.as_ref().map(|w| w.borrowed()),
        parts: None,
    };
    let tally = Tally::of(&counted)?;
    let axes = &tally.schema().attributes;
    let numbers: Vec<usize> = (0..axes.len()).collect();
    // Each group with its cell of either label.
    let mut known: Vec<(Vec<String>, [Cell; 2])> = Vec::new();
    for group in tally.margin(0, &numbers).groups {
        let sums = [0, 1].map(|y| group.whole.sum(|label, _| label == y));
        if sums[0].weight + sums[1].weight > 0.0 {
            known.push((axes.iter().zip(&group.levels).map(|(axis, l)| axis.levels[*l].clone()).collect(), sums));
        }
    }
    let of_label = [0, 1].map(|y| known.iter().map(|(_, sums)| sums[y].weight).sum::<f64>());
    let whole = of_label[0] + of_label[1];
    if whole <= 0.0 {
        return Err(Error::Nothing {
            problem: "no row has a known group, a known label and a weight",
            place: Place::default(),
        });
    }
    let (mut cells, mut groups) = (Vec::with_capacity(2 * known.len()), Vec::with_capacity(known.len()));
    let (mut before, mut after, mut largest) = (Cell::default(), Cell::default(), 0.0f64);
    for (levels, sums) in known {
        let group = sums[0].weight + sums[1].weight;
        let mut labels = [0.0; 2];
        for (label, cell) in sums.iter().enumerate() {
            before.add(cell, 1.0);
            if cell.weight <= 0.0 {
                // Where nobody has the label, independence asks for nothing.
                if of_label[label] > 0.0 || scheme == Scheme::FairBalance {
                    return Err(empty(&levels, label == 1, Place::default()));
                }
                continue;
            }
            let factor = match scheme {
                Scheme::KamiranCalders => (group / whole) * (of_label[label] / cell.weight),
                Scheme::FairBalance => group / (2.0 * cell.weight),
            };
            labels[label] = factor * cell.weight;
            after.add(
                &Cell { rows: cell.rows, weight: labels[label], weight_squared: factor * factor * cell.weight_squared },
                1.0,
            );
            largest = largest.max(factor);
            cells.push(WeightedCell {
                levels: levels.clone(),
                favorable: label == 1,
                rows: cell.rows as u64,
                weight: cell.weight,
                factor,
            });
        }
        groups.push(GroupBalance {
            group: levels.join(" & "),
            share: group / whole,
            before: sums[1].weight / group,
            after: labels[1] / (labels[0] + labels[1]),
        });
    }
    Ok(CellWeights {
        scheme,
        attributes: grid.columns.iter().map(|c| c.name().to_string()).collect(),
        cells,
        groups,
        left_alone: batch.rows() as u64 - before.rows as u64,
        effective_size_before: before.effective(),
        effective_size: after.effective(),
        largest_factor: largest,
    })
}

fn empty(levels: &[String], favorable: bool, place: Place) -> Error {
    Error::EmptyCell { group: levels.join(" & "), favorable, place }
}

/// The groups that attributes make, numbered by mixed digits: 0 for missing, level + 1.
struct Grid<'b> {
    columns: Vec<&'b Categorical<'b>>,
    /// What a level of each column adds to a group's number.
    strides: Vec<usize>,
    labels: &'b [u8],
    size: usize,
}

impl<'b> Grid<'b> {
    fn of(batch: &'b Batch<'b>, attributes: &[String]) -> Result<Self> {
        let nothing = |problem| Error::Nothing { problem, place: Place::default() };
        let labels = batch.label.as_ref().ok_or(nothing("reweighting needs a label; add one to the batch"))?;
        let find = |name: &String| {
            let found = batch.attributes.iter().find(|c| c.name() == name);
            let names = || batch.attributes.iter().map(|c| c.name().to_string()).collect();
            found.ok_or_else(|| Error::missing_column(name, None, names()))
        };
        let columns: Vec<&Categorical> = match attributes {
            [] => batch.attributes.iter().collect(),
            named => named.iter().map(find).collect::<Result<_>>()?,
        };
        if columns.is_empty() {
            return Err(nothing("reweighting needs a protected attribute; add one to the batch"));
        }
        let cells = columns.iter().fold(1u128, |size, c| size.saturating_mul(c.levels().len() as u128 + 1));
        if cells > LIMIT as u128 {
            let parts: Vec<String> =
                columns.iter().map(|c| format!("`{}` ({} levels)", c.name(), c.levels().len())).collect();
            return Err(Error::TooManyCells { attributes: parts.join(" × "), cells, limit: LIMIT });
        }
        let mut size = 1;
        let mut strides = Vec::with_capacity(columns.len());
        for column in &columns {
            strides.push(size);
            size *= column.levels().len() + 1;
        }
        Ok(Grid { columns, strides, labels: labels.codes(), size })
    }

    /// Gives each chunk of rows its first row, its rows' numbers of groups and labels.
    fn chunks(&self, mut each: impl FnMut(usize, &[u32], &[u8])) {
        let mut keys = [0u32; CHUNK];
        for (number, labels) in self.labels.chunks(CHUNK).enumerate() {
            let (keys, from) = (&mut keys[..labels.len()], number * CHUNK);
            keys.fill(0);
            for (column, stride) in self.columns.iter().zip(&self.strides) {
                add_levels(keys, column.codes(), Span { from, to: from + labels.len() }, *stride as u64);
            }
            each(from, keys, labels);
        }
    }

    /// Whether every attribute is known.
    fn known(&self, key: usize) -> bool {
        let digit = |(column, stride): (&&Categorical, &usize)| key / stride % (column.levels().len() + 1);
        self.columns.iter().zip(&self.strides).map(digit).all(|digit| digit > 0)
    }

    /// The group of these levels, where this batch has them all.
    fn key_of(&self, levels: &[String]) -> Option<usize> {
        self.columns.iter().zip(&self.strides).zip(levels).try_fold(0, |key, ((column, stride), level)| {
            let at = column.levels().iter().position(|l| l == level)?;
            Some(key + (at + 1) * stride)
        })
    }

    /// The levels of a row whose group is known.
    fn levels_at(&self, row: usize) -> Vec<String> {
        self.columns.iter().filter_map(|c| Some(c.levels()[c.codes().get(row)?].clone())).collect()
    }
}
