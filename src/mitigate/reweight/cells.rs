//! The weights of cells of group and label: found from counts, written row by row.

use serde::{Deserialize, Serialize};

use super::Scheme;
use crate::data::{Batch, Categorical, Codes};
use crate::{Error, Place, Result};

/// Groups up to which tables are kept; each takes some 100 bytes.
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
            Some(row) => Err(grid.empty(grid.key_at(row), grid.labels[row] == 1, Place::row(row))),
        }
    }
}

/// Rows, weight and squared weight of a group by label.
type Sums = [[f64; 3]; 2];

pub(super) fn fit(scheme: Scheme, attributes: &[String], batch: &Batch) -> Result<CellWeights> {
    let grid = Grid::of(batch, attributes)?;
    let mut table: Vec<[[f64; 3]; 3]> = vec![Default::default(); grid.size];
    let given = batch.weight.as_ref().map(|w| &w.values[..]);
    grid.chunks(|start, keys, labels| {
        let rows = keys.iter().zip(labels);
        let mut count = |key: u32, label: u8, weight: f64| {
            let [n, sum, squares] = &mut table[key as usize][usize::from(label)];
            *n += 1.0;
            *sum += weight;
            *squares += weight * weight;
        };
        match given {
            Some(given) => rows.zip(&given[start..]).for_each(|((key, label), weight)| count(*key, *label, *weight)),
            None => rows.for_each(|(key, label)| count(*key, *label, 1.0)),
        }
    });
    let known: Vec<(usize, Sums)> = (0..grid.size)
        .filter(|key| grid.known(*key))
        .map(|key| (key, [table[key][0], table[key][1]]))
        .filter(|(_, [no, yes])| no[1] + yes[1] > 0.0)
        .collect();
    let whole: f64 = known.iter().map(|(_, [no, yes])| no[1] + yes[1]).sum();
    if whole <= 0.0 {
        return Err(Error::Nothing {
            problem: "no row has a known group, a known label and a weight",
            place: Place::default(),
        });
    }
    let of_label = [0, 1].map(|y| known.iter().map(|(_, sums)| sums[y][1]).sum::<f64>());
    let (mut cells, mut groups) = (Vec::with_capacity(2 * known.len()), Vec::with_capacity(known.len()));
    let (mut squares, mut squares_before, mut after_all, mut largest) = (0.0, 0.0, 0.0, 0.0f64);
    let mut counted = 0.0;
    for (key, sums) in &known {
        let group = sums[0][1] + sums[1][1];
        let mut after = [0.0; 2];
        for label in [0, 1] {
            let [rows, weight, squared] = sums[label];
            if weight <= 0.0 && (of_label[label] > 0.0 || scheme == Scheme::FairBalance) {
                return Err(grid.empty(*key, label == 1, Place::default()));
            }
            counted += rows;
            if weight <= 0.0 {
                continue;
            }
            let factor = match scheme {
                Scheme::KamiranCalders => (group / whole) * (of_label[label] / weight),
                Scheme::FairBalance => group / (2.0 * weight),
            };
            after[label] = factor * weight;
            after_all += after[label];
            squares += factor * factor * squared;
            squares_before += squared;
            largest = largest.max(factor);
            cells.push(WeightedCell {
                levels: grid.levels_of(*key),
                favorable: label == 1,
                rows: rows as u64,
                weight,
                factor,
            });
        }
        groups.push(GroupBalance {
            group: grid.levels_of(*key).join(" & "),
            share: group / whole,
            before: sums[1][1] / group,
            after: after[1] / (after[0] + after[1]),
        });
    }
    Ok(CellWeights {
        scheme,
        attributes: grid.columns.iter().map(|c| c.name().to_string()).collect(),
        cells,
        groups,
        left_alone: batch.rows() as u64 - counted as u64,
        effective_size_before: whole * whole / squares_before,
        effective_size: after_all * after_all / squares,
        largest_factor: largest,
    })
}

/// The groups that attributes make, numbered by mixed digits: 0 for missing, level + 1.
struct Grid<'b> {
    columns: Vec<&'b Categorical<'b>>,
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
            let parts: Vec<String> = columns.iter().map(|c| format!("{} ({})", c.name(), c.levels().len())).collect();
            return Err(Error::TooManyCells { attributes: parts.join(" × "), cells, limit: LIMIT });
        }
        Ok(Grid { columns, labels: labels.codes(), size: cells as usize })
    }

    /// Gives each chunk of rows its first row, its rows' numbers of groups and labels.
    fn chunks(&self, mut each: impl FnMut(usize, &[u32], &[u8])) {
        let mut keys = [0u32; CHUNK];
        for start in (0..self.labels.len()).step_by(CHUNK) {
            let labels = &self.labels[start..self.labels.len().min(start + CHUNK)];
            let keys = &mut keys[..labels.len()];
            keys.fill(0);
            for column in &self.columns {
                let base = column.levels().len() as u32 + 1;
                // Missing is the largest code: adding one in the code's own type makes it 0.
                macro_rules! add {
                    ($codes:expr) => {
                        keys.iter_mut()
                            .zip(&$codes[start..])
                            .for_each(|(key, code)| *key = *key * base + code.wrapping_add(1) as u32)
                    };
                }
                match column.codes() {
                    Codes::U8(codes) => add!(codes),
                    Codes::U16(codes) => add!(codes),
                    Codes::U32(codes) => add!(codes),
                }
            }
            each(start, keys, labels);
        }
    }

    fn digits(&self, mut key: usize) -> Vec<usize> {
        let mut digits: Vec<usize> = self
            .columns
            .iter()
            .rev()
            .map(|c| {
                let base = c.levels().len() + 1;
                let digit = key % base;
                key /= base;
                digit
            })
            .collect();
        digits.reverse();
        digits
    }

    /// Whether every attribute is known.
    fn known(&self, key: usize) -> bool {
        self.digits(key).iter().all(|d| *d > 0)
    }

    fn levels_of(&self, key: usize) -> Vec<String> {
        let level = |(c, d): (&&Categorical, usize)| c.levels().get(d.wrapping_sub(1)).cloned().unwrap_or_default();
        self.columns.iter().zip(self.digits(key)).map(level).collect()
    }

    /// The group of these levels, where this batch has them all.
    fn key_of(&self, levels: &[String]) -> Option<usize> {
        self.columns.iter().zip(levels).try_fold(0, |key, (c, level)| {
            let at = c.levels().iter().position(|l| l == level)?;
            Some(key * (c.levels().len() + 1) + at + 1)
        })
    }

    fn key_at(&self, row: usize) -> usize {
        self.columns.iter().fold(0, |key, c| key * (c.levels().len() + 1) + c.codes().get(row).map_or(0, |l| l + 1))
    }

    fn empty(&self, key: usize, favorable: bool, place: Place) -> Error {
        Error::EmptyCell { group: self.levels_of(key).join(" & "), favorable, place }
    }
}
