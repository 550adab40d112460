//! Tables of counts: rows that were counted elsewhere, column by column.

use super::plan::{NumberPart, Plan};
use super::{FileInfo, Source};
use crate::error::{Place, Result};

/// The columns of a table of counts by name, and what their texts mean.
#[derive(Debug, Default)]
pub(crate) struct CellColumns {
    pub levels: Vec<String>,
    /// The texts that mean a missing level.
    pub missing: Vec<String>,
    /// Of 0, 1 and nothing.
    pub binaries: Vec<String>,
    pub scores: Vec<String>,
    /// Whole numbers: of people, or of what was found wrong.
    pub counts: Vec<String>,
    /// Sums that are not below 0.
    pub sums: Vec<String>,
}

/// The columns of a table of counts in memory, in the order asked for.
#[derive(Debug)]
pub(crate) struct CellTable {
    pub rows: usize,
    pub names: Vec<Vec<String>>,
    pub levels: Vec<Vec<u32>>,
    pub binaries: Vec<Vec<u8>>,
    /// Scores, then counts, then sums.
    pub numbers: Vec<Vec<f64>>,
    pub files: Vec<FileInfo>,
}

impl CellTable {
    /// Where a row stands.
    pub fn place(&self, row: usize) -> Place {
        let mut row = row as u64;
        for file in &self.files {
            if row < file.rows {
                return Place { file: Some(file.path.clone()), row: Some(row + 1) };
            }
            row -= file.rows;
        }
        Place::default()
    }

    /// The level of a row, `None` where it is missing.
    pub fn level(&self, column: usize, row: usize) -> Option<&str> {
        self.names[column].get(self.levels[column][row] as usize).map(String::as_str)
    }
}

/// Where a table of counts is.
pub(crate) trait CellSource {
    /// The names of its columns.
    fn names(&self) -> Result<Vec<String>>;

    /// Reads it.
    fn cells(&self, columns: &CellColumns) -> Result<CellTable>;
}

impl CellSource for Source {
    fn names(&self) -> Result<Vec<String>> {
        Ok(self.columns()?.into_iter().map(|column| column.name).collect())
    }

    fn cells(&self, columns: &CellColumns) -> Result<CellTable> {
        Ok(self.rows_of(Plan::of_cells(columns)?)?.into_cells())
    }
}

impl Plan {
    pub(super) fn of_cells(columns: &CellColumns) -> Result<Self> {
        let mut plan = Plan::empty(&columns.missing);
        // What writers of text put where there is nothing.
        plan.set_marks(&["", "NULL", "null", "\\N"].map(String::from));
        for name in &columns.levels {
            plan.level(name)?;
        }
        for name in &columns.binaries {
            plan.binary(name, &Default::default());
        }
        for (names, part) in [
            (&columns.scores, NumberPart::Score),
            (&columns.counts, NumberPart::Count),
            (&columns.sums, NumberPart::Sum),
        ] {
            for name in names {
                plan.number(name, part);
            }
        }
        Ok(plan)
    }
}
