//! The rows of each cell of group and label, and the columns of a table that must stay in step with them.

use super::frame::{Frame, Of};
use crate::data::{Batch, Categorical, NEGATIVE, POSITIVE};
use crate::mitigate::groups::{Groups, MISSING};
use crate::{Error, Place, Result};

/// The rows of every cell: group g with label y is cell 2 g + y.
pub(super) struct Cells {
    pub groups: Groups,
    pub rows: Vec<Vec<u32>>,
    /// Rows of an unknown group or label.
    pub left_alone: usize,
}

impl Cells {
    pub fn of(batch: &Batch, attributes: &[String]) -> Result<Self> {
        let nothing = |problem| Error::Nothing { problem, place: Place::default() };
        let label = batch.label.as_ref().ok_or(nothing("augmentation needs a label; add one to the batch"))?;
        let groups = Groups::of(batch, attributes)?;
        let mut rows = vec![Vec::new(); 2 * groups.len()];
        for (row, (group, label)) in groups.of_row.iter().zip(label.codes()).enumerate() {
            if *group != MISSING && matches!(*label, NEGATIVE | POSITIVE) {
                rows[2 * *group as usize + usize::from(*label)].push(row as u32);
            }
        }
        let known: usize = rows.iter().map(Vec::len).sum();
        if known == 0 {
            return Err(nothing("no row has a known group and a known label"));
        }
        Ok(Cells { groups, rows, left_alone: batch.rows() - known })
    }

    /// How a message calls a cell.
    pub fn name(&self, cell: usize) -> String {
        cell_name(&self.groups.levels[cell / 2], cell % 2 == 1)
    }
}

/// How a message calls a cell: its levels and its label.
pub(super) fn cell_name(levels: &[String], favorable: bool) -> String {
    format!("{}, {}", levels.join(" & "), if favorable { "favourable" } else { "unfavourable" })
}

/// Which columns of a table are features, and which hold an attribute or the label and so go with the cell.
pub(super) struct Layout {
    /// Whether each column is a feature.
    pub feature: Vec<bool>,
    /// Where each attribute of the batch stands in the table, if it does.
    pub of_attribute: Vec<Option<usize>>,
}

impl Layout {
    /// Finds the columns by name and checks that those that hold attributes say what the batch says.
    pub fn of(frame: &Frame, batch: &Batch, label: Option<&str>, carried: &[String]) -> Result<Self> {
        if frame.rows() != batch.rows() {
            let column = frame.columns().first().map_or("the table", |(name, _)| name).to_string();
            return Err(Error::UnequalLengths { column, rows: frame.rows(), expected: batch.rows() });
        }
        if frame.rows() > u32::MAX as usize / 2 {
            return Err(Error::setting("the number of rows", frame.rows(), "at most 2^31; augment a sample"));
        }
        let mut feature = vec![true; frame.columns().len()];
        for name in label.into_iter().chain(carried.iter().map(String::as_str)) {
            feature[frame.position(name)?] = false;
        }
        let mut of_attribute = Vec::with_capacity(batch.attributes().len());
        for attribute in batch.attributes() {
            let at = frame.columns().iter().position(|(name, _)| name == attribute.name());
            if let Some(at) = at {
                feature[at] = false;
                in_step(attribute, &frame.columns()[at].1)?;
            }
            of_attribute.push(at);
        }
        Ok(Layout { feature, of_attribute })
    }

    /// The columns that are features.
    pub fn features(&self) -> impl Iterator<Item = usize> + '_ {
        self.feature.iter().enumerate().filter(|(_, feature)| **feature).map(|(column, _)| column)
    }
}

/// That a column of levels holds the same levels as the attribute of its name. (Of numbers that is not asked: which level
/// a number means is not known here.)
fn in_step(attribute: &Categorical, column: &Of) -> Result<()> {
    let Of::Level(column) = column else { return Ok(()) };
    let same: Vec<Option<usize>> =
        attribute.levels().iter().map(|level| column.levels().iter().position(|own| own == level)).collect();
    for row in 0..attribute.codes().len() {
        let (theirs, own) = (attribute.codes().get(row), column.codes().get(row));
        if theirs.and_then(|code| same[code]) != own || theirs.is_some() != own.is_some() {
            return Err(Error::BadNumber {
                column: attribute.name().into(),
                value: own.map_or(String::new(), |code| column.levels()[code].clone()),
                place: Place::row(row),
                expected: "the level that the batch's attribute of that name has",
            });
        }
    }
    Ok(())
}

/// That no row of a cell lacks a number that new rows are computed from.
pub(super) fn complete(frame: &Frame, features: &[usize], rows: &[u32]) -> Result<()> {
    for column in features {
        let (name, column) = &frame.columns()[*column];
        let (Of::Number(values) | Of::Integer(values)) = column else { continue };
        if let Some(row) = rows.iter().find(|row| values[**row as usize].is_nan()) {
            return Err(Error::BadNumber {
                column: name.to_string(),
                value: String::new(),
                place: Place::row(*row as usize),
                expected: "a number to make new rows from: fill missing values first, or keep the column out",
            });
        }
    }
    Ok(())
}
