//! A column of a Parquet row group on its way in: by its pages where that can be, else by Arrow's reader.

use std::sync::Arc;

use arrow_array::{ArrayRef, NullArray};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

use super::guard::{damaged, guard};
use super::indices::Values;
use super::pages::Paged;
use super::parquet::{Footer, bad, next};
use super::spool::Input;
use crate::error::Result;

/// A column of a row group.
pub(super) struct Chunk<'f> {
    input: &'f Input,
    footer: &'f Footer,
    group: usize,
    column: usize,
    /// The rows to be read at a time.
    step: usize,
    by: By,
}

enum By {
    Pages(Box<Paged>),
    /// With the rows read last.
    Arrow(Box<ParquetRecordBatchReader>, ArrayRef),
}

impl<'f> Chunk<'f> {
    /// Begins to read a column by so many rows at a time. Where its values are needed as numbers, `leaf` is not given; else
    /// it tells where the column stands among those that hold values.
    pub fn open(
        (input, footer): (&'f Input, &'f Footer),
        (group, column): (usize, usize),
        leaf: Option<usize>,
        step: usize,
    ) -> Result<Self> {
        let pages = leaf.and_then(|leaf| {
            let (about, kind) = footer.about((group, column), leaf)?;
            // What the decoder stumbles over Arrow's reader will tell.
            guard(input, Some(group), || Ok(Paged::open(input, about, kind))).ok().flatten()
        });
        let by = match pages {
            Some(pages) => By::Pages(Box::new(pages)),
            None => By::arrow((input, footer), (group, column), 0, step)?,
        };
        Ok(Chunk { input, footer, group, column, step, by })
    }

    /// Reads the next rows, which are behind so many, and gives how many there were.
    pub fn read(&mut self, after: usize, rows: usize) -> Result<usize> {
        let (input, group) = (self.input, self.group);
        if let By::Pages(pages) = &mut self.by {
            if guard(input, Some(group), || Ok(pages.read(rows))).ok().flatten().is_some() {
                return Ok(rows);
            }
            self.by = By::arrow((input, self.footer), (group, self.column), after, self.step)?;
        }
        match &mut self.by {
            By::Pages(_) => Ok(0),
            By::Arrow(reader, array) => match next(reader, input, group)? {
                Some(batch) => {
                    *array = batch.column(0).clone();
                    Ok(batch.num_rows())
                }
                None => Ok(0),
            },
        }
    }

    /// The rows read last.
    pub fn values(&self) -> Values<'_> {
        match &self.by {
            By::Pages(pages) => pages.values(),
            By::Arrow(_, array) => Values::Array(array),
        }
    }

    /// Fails if there are further rows.
    pub fn finish(&mut self) -> Result<()> {
        let (input, group) = (self.input, self.group);
        let over = match &mut self.by {
            By::Pages(pages) => guard(input, Some(group), || pages.is_over().map_err(|e| bad(input, Some(group), &e)))?,
            By::Arrow(reader, _) => next(reader, input, group)?.is_none(),
        };
        if over { Ok(()) } else { Err(damaged(input, Some(group), "it holds more rows than it says")) }
    }
}

impl By {
    fn arrow(
        (input, footer): (&Input, &Footer),
        (group, column): (usize, usize),
        after: usize,
        step: usize,
    ) -> Result<Self> {
        let reader = footer.reader(input, &[column], (group, after), step)?;
        Ok(By::Arrow(Box::new(reader), Arc::new(NullArray::new(0))))
    }
}

#[cfg(test)]
mod tests;
