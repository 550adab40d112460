//! The weights of cells of group and label: found from counts, written row by row.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Diagnostics, Reweight, Scheme};
use crate::data::{Batch, Binary, POSITIVE, UNKNOWN};
use crate::mitigate::groups::{Groups, MISSING, NEW, group_of_row};
use crate::tally::Cell;
use crate::{Error, Place, Result};

/// One group's rows with one label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeightedCell {
    /// The level of each attribute, then of each stratum.
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

/// A group's share and weighted rate of favourable labels, in a stratum where there are strata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupBalance {
    /// Its levels, joined by ` & `.
    pub group: String,
    /// The stratum's levels, joined by ` & `.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stratum: Option<String>,
    /// Its share of the weight (of the stratum), the same before and after.
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
    /// The strata within which groups are balanced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strata: Vec<String>,
    /// The cells with rows.
    pub cells: Vec<WeightedCell>,
    /// The groups.
    pub groups: Vec<GroupBalance>,
    /// Rows left as they are, because their group, their stratum or their label is not known.
    pub left_alone: u64,
    /// What the weights of the other rows cost.
    pub diagnostics: Diagnostics,
}

impl CellWeights {
    /// The largest difference between the groups' weighted rates of favourable labels (within a stratum, where there are
    /// strata), before and after.
    pub fn gaps(&self) -> [f64; 2] {
        [|g: &GroupBalance| g.before, |g: &GroupBalance| g.after].map(|rate| {
            let mut ends: BTreeMap<Option<&str>, (f64, f64)> = BTreeMap::new();
            for group in &self.groups {
                let (low, high) = ends.entry(group.stratum.as_deref()).or_insert((1.0, 0.0));
                (*low, *high) = (low.min(rate(group)), high.max(rate(group)));
            }
            ends.values().map(|(low, high)| high - low).fold(0.0, f64::max)
        })
    }

    /// The weight of each row of a batch: its factor times the weight that it has. Rows of an unknown group, stratum or label
    /// keep theirs.
    ///
    /// # Errors
    /// [`Error::MissingColumn`] for an attribute or stratum that the batch lacks, [`Error::Nothing`] without a label,
    /// [`Error::EmptyCell`] where a row's group and label were not met when it was fitted.
    pub fn weights(&self, batch: &Batch) -> Result<Vec<f64>> {
        let labels = labels_of(batch)?;
        let columns: Vec<String> = self.attributes.iter().chain(&self.strata).cloned().collect();
        // Cells of one group stand together.
        let mut levels: Vec<Vec<String>> = Vec::new();
        let mut factors: Vec<[f64; 3]> = Vec::new();
        for cell in &self.cells {
            if levels.last() != Some(&cell.levels) {
                levels.push(cell.levels.clone());
                factors.push([f64::NAN, f64::NAN, 1.0]);
            }
            if let Some(of_group) = factors.last_mut() {
                of_group[usize::from(cell.favorable)] = cell.factor;
            }
        }
        let groups = Groups::matching(&columns, &levels, batch)?;
        // Behind the groups: rows of new ones, and those that are left alone.
        let (new, alone) = (factors.len(), factors.len() + 1);
        factors.extend([[f64::NAN, f64::NAN, 1.0], [1.0; 3]]);
        let given = batch.weight.as_ref().map(|w| &w.values[..]);
        let mut weights = Vec::with_capacity(batch.rows());
        for (row, (group, label)) in groups.iter().zip(labels.codes()).enumerate() {
            let at = match *group {
                MISSING => alone,
                NEW => new,
                group => group as usize,
            };
            let factor = factors[at][usize::from(*label)];
            weights.push(match given.map(|given| given[row]) {
                None => factor,
                // A row without weight needs no factor.
                Some(0.0) => 0.0,
                Some(weight) => factor * weight,
            });
        }
        match weights.iter().position(|w| w.is_nan()) {
            None => Ok(weights),
            Some(row) => {
                let group = group_of_row(batch, &columns, row);
                Err(Error::EmptyCell { group, favorable: labels.codes()[row] == POSITIVE, place: Place::row(row) })
            }
        }
    }
}

/// The label of a batch that must have one.
pub(super) fn labels_of<'b>(batch: &'b Batch<'b>) -> Result<&'b Binary<'b>> {
    let problem = "weights by label need a label; add one to the batch";
    batch.label.as_ref().ok_or(Error::Nothing { problem, place: Place::default() })
}

/// The rows of each group by label (unfavourable, favourable), of those whose group and label are known.
fn count(groups: &Groups, labels: &[u8], weights: Option<&[f64]>) -> Vec<[Cell; 2]> {
    let mut cells = vec![[Cell::default(); 2]; groups.len()];
    for (row, (group, label)) in groups.of_row.iter().zip(labels).enumerate() {
        if *group != MISSING && *label != UNKNOWN {
            let weight = weights.map_or(1.0, |w| w[row]);
            let cell = &mut cells[*group as usize][usize::from(*label)];
            cell.rows += 1.0;
            cell.weight += weight;
            cell.weight_squared += weight * weight;
        }
    }
    cells
}

pub(super) fn fit(asked: &Reweight, batch: &Batch) -> Result<CellWeights> {
    let labels = labels_of(batch)?;
    let mut columns = asked.attributes.clone();
    if columns.is_empty() {
        columns = batch.attributes().iter().map(|c| c.name().to_string()).collect();
    }
    let width = columns.len();
    if width > 0 {
        columns.extend(asked.strata.iter().cloned());
    }
    let groups = Groups::of(batch, &columns)?;
    let counted = count(&groups, labels.codes(), batch.weight.as_ref().map(|w| &w.values[..]));
    // The groups with weight of each stratum; there is one stratum where none is asked for.
    let mut strata: BTreeMap<&[String], Vec<usize>> = BTreeMap::new();
    for (group, cells) in counted.iter().enumerate() {
        if cells[0].weight + cells[1].weight > 0.0 {
            strata.entry(&groups.levels[group][width..]).or_default().push(group);
        }
    }
    if strata.is_empty() {
        let problem = "no row has a known group, a known label and a weight";
        return Err(Error::Nothing { problem, place: Place::default() });
    }
    let mut factors = vec![[0.0; 2]; groups.len()];
    let mut balances: Vec<(usize, GroupBalance)> = Vec::new();
    for (stratum, members) in strata {
        let of_label = [0, 1].map(|y| members.iter().map(|g| counted[*g][y].weight).sum::<f64>());
        let whole = of_label[0] + of_label[1];
        for group in members {
            let cells = &counted[group];
            let sum = cells[0].weight + cells[1].weight;
            let mut after = [0.0; 2];
            for label in [0, 1] {
                let weight = cells[label].weight;
                if weight <= 0.0 {
                    // Where nobody has the label, independence asks for nothing.
                    if of_label[label] > 0.0 || asked.scheme == Scheme::FairBalance {
                        let group = groups.name(group);
                        return Err(Error::EmptyCell { group, favorable: label == 1, place: Place::default() });
                    }
                    continue;
                }
                factors[group][label] = match asked.scheme {
                    Scheme::KamiranCalders => (sum / whole) * (of_label[label] / weight),
                    Scheme::FairBalance => sum / (2.0 * weight),
                };
                after[label] = factors[group][label] * weight;
            }
            let balance = GroupBalance {
                group: groups.levels[group][..width].join(" & "),
                stratum: (!stratum.is_empty()).then(|| stratum.join(" & ")),
                share: sum / whole,
                before: cells[1].weight / sum,
                after: after[1] / (after[0] + after[1]),
            };
            balances.push((group, balance));
        }
    }
    balances.sort_by_key(|(group, _)| *group);
    let mut cells = Vec::with_capacity(2 * groups.len());
    for (group, (counted, factors)) in counted.iter().zip(&factors).enumerate() {
        for label in [0, 1] {
            let (cell, factor) = (counted[label], factors[label]);
            if cell.weight > 0.0 {
                cells.push(WeightedCell {
                    levels: groups.levels[group].clone(),
                    favorable: label == 1,
                    rows: cell.rows as u64,
                    weight: cell.weight,
                    factor,
                });
            }
        }
    }
    let pairs = counted.iter().flatten().zip(factors.iter().flatten()).filter(|(cell, _)| cell.weight > 0.0);
    let known: f64 = counted.iter().flatten().map(|cell| cell.rows).sum();
    Ok(CellWeights {
        scheme: asked.scheme,
        strata: asked.strata.clone(),
        attributes: groups.attributes[..width].to_vec(),
        cells,
        groups: balances.into_iter().map(|(_, balance)| balance).collect(),
        left_alone: batch.rows() as u64 - known as u64,
        diagnostics: Diagnostics::of_cells(pairs.map(|(cell, factor)| (*cell, *factor))),
    })
}
