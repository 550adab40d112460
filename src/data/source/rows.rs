//! All rows of a source in memory, for what needs rows and not counts.

use super::FileInfo;
use super::cells::CellTable;
use super::codes::LevelCodes;
use super::intake::{Parted, batch};
use super::intern::{Levels, MISSING};
use super::plan::Plan;
use crate::data::{Batch, Codes, sorted_order};
use crate::error::{Place, Result};

/// The rows of a source, by the parts that their columns play.
#[derive(Debug)]
pub struct Rows {
    plan: Plan,
    kept: Kept,
    files: Vec<FileInfo>,
}

impl Rows {
    pub(super) fn new(plan: Plan, mut kept: Kept, files: Vec<FileInfo>) -> Self {
        // As everywhere, levels without an order of their own are sorted.
        let columns = kept.levels.iter_mut().zip(&mut kept.names).zip(&plan.levels);
        for ((codes, names), _) in columns.filter(|(_, level)| !level.ordered()) {
            let (order, rank) = sorted_order(names);
            codes.iter_mut().filter(|code| **code != MISSING).for_each(|code| *code = rank[*code as usize]);
            *names = order.iter().map(|at| std::mem::take(&mut names[*at])).collect();
        }
        Rows { plan, kept, files }
    }

    /// The rows as a batch that borrows them.
    ///
    /// # Errors
    /// [`Error::BadNumber`](crate::Error::BadNumber) where the shares of a row's segments do not add up.
    pub fn batch(&self) -> Result<Batch<'_>> {
        let kept = &self.kept;
        let parted = Parted {
            rows: kept.rows,
            levels: kept
                .names
                .iter()
                .zip(&kept.levels)
                .map(|(names, codes)| (&names[..], Codes::from(&codes[..])))
                .collect(),
            binaries: kept.binaries.iter().map(Vec::as_slice).collect(),
            numbers: kept.numbers.iter().map(Vec::as_slice).collect(),
        };
        batch(&self.plan, &parted, Place::row)
    }

    /// The scores of a model, by its number: NaN where one is missing. `None` where there is no such model or it has none.
    pub fn scores(&self, model: usize) -> Option<&[f64]> {
        let at = self.plan.models.get(model)?.score?;
        self.kept.numbers.get(at).map(Vec::as_slice)
    }

    /// The columns as they are.
    pub(super) fn into_cells(self) -> CellTable {
        let Kept { rows, names, levels, binaries, numbers } = self.kept;
        CellTable { rows, names, levels, binaries, numbers, files: self.files }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.kept.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.kept.rows == 0
    }

    /// The files that they were read from.
    pub fn files(&self) -> &[FileInfo] {
        &self.files
    }
}

/// The columns of a plan, in its order, for all rows so far.
#[derive(Debug)]
pub(super) struct Kept {
    rows: usize,
    /// The names of levels, by column.
    names: Vec<Vec<String>>,
    levels: Vec<Vec<u32>>,
    binaries: Vec<Vec<u8>>,
    numbers: Vec<Vec<f64>>,
}

impl Kept {
    pub fn new(plan: &Plan) -> Self {
        Kept {
            rows: 0,
            names: Vec::new(),
            levels: vec![Vec::new(); plan.levels.len()],
            binaries: vec![Vec::new(); plan.binaries.len()],
            numbers: vec![Vec::new(); plan.numbers.len()],
        }
    }

    /// Adds rows whose levels are coded alike.
    pub fn add<'a>(
        &mut self,
        rows: usize,
        levels: impl Iterator<Item = &'a LevelCodes>,
        binaries: impl Iterator<Item = &'a [u8]>,
        numbers: impl Iterator<Item = &'a [f64]>,
    ) {
        self.rows += rows;
        self.levels.iter_mut().zip(levels).for_each(|(all, part)| part.add_to(all));
        self.binaries.iter_mut().zip(binaries).for_each(|(all, part)| all.extend_from_slice(part));
        self.numbers.iter_mut().zip(numbers).for_each(|(all, part)| all.extend_from_slice(part));
    }

    /// Says what the codes of each column mean.
    pub fn name<'a>(&mut self, names: impl Iterator<Item = &'a [String]>) {
        self.names = names.map(<[String]>::to_vec).collect();
    }

    /// Adds the rows of another unit, which may have met levels in another order.
    pub fn append(&mut self, other: Kept) {
        for ((mine, names), (theirs, codes)) in
            self.levels.iter_mut().zip(&mut self.names).zip(other.names.iter().zip(&other.levels))
        {
            let mut known = Levels::met(std::mem::take(names));
            let code: Vec<u32> = theirs.iter().map(|name| known.code(name)).collect();
            *names = known.into_names();
            mine.extend(codes.iter().map(|c| if *c == MISSING { MISSING } else { code[*c as usize] }));
        }
        self.binaries.iter_mut().zip(other.binaries).for_each(|(all, part)| all.extend(part));
        self.numbers.iter_mut().zip(other.numbers).for_each(|(all, part)| all.extend(part));
        self.rows += other.rows;
    }
}
