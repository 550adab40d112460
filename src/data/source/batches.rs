//! Counts that are in memory: batches of Arrow's.

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;

use super::cells::{CellColumns, CellSource, CellTable};
use super::columnar::{self, Lookups};
use super::indices::Values;
use super::intake::{Aim, Intake};
use super::plan::Plan;
use super::rows::Rows;
use super::spool::Input;
use super::{FileInfo, nothing};
use crate::error::{Error, Result};

/// Batches of one table.
pub(crate) struct Batches {
    input: Input,
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

impl Batches {
    /// A table under a name for messages.
    pub fn new(name: &str, schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        Batches { input: Input::in_memory(name), schema, batches }
    }
}

impl CellSource for Batches {
    fn names(&self) -> Result<Vec<String>> {
        Ok(self.schema.fields().iter().map(|field| field.name().clone()).collect())
    }

    fn cells(&self, columns: &CellColumns) -> Result<CellTable> {
        let plan = Plan::of_cells(columns)?;
        let input = &self.input;
        let places = plan.locate(&self.names()?, &input.given)?;
        let unreadable = |at: &&usize| !columnar::is_readable(self.schema.field(**at).data_type());
        if let Some(at) = places.iter().find(unreadable) {
            return Err(columnar::unreadable(input, self.schema.field(*at)));
        }
        let mut intake = Intake::new(&plan, input, Aim::Rows);
        let mut lookups = Lookups::new(&intake);
        let mut row = 0;
        for batch in &self.batches {
            let arrays: &[ArrayRef] = batch.columns();
            let short = || input.bad("one of its batches has fewer columns than the others");
            if arrays.len() < self.schema.fields().len() {
                return Err(short());
            }
            let rows = batch.num_rows();
            let held = columnar::push(&mut intake, &mut lookups, (row, rows), |column| {
                Values::Array(&arrays[places[column]])
            })?;
            row += rows as u64;
            intake.flush(held, row)?;
        }
        let kept = intake.finish()?.kept.filter(|_| row > 0);
        let kept = kept.ok_or_else(|| Error::Nothing { problem: nothing(&plan), place: Default::default() })?;
        let (bytes, blake3) = Default::default();
        let file = FileInfo { path: input.given.clone(), bytes, rows: row, blake3, format: input.format };
        Ok(Rows::new(plan, kept, vec![file]).into_cells())
    }
}
