//! Rows that new ones are made from: those of a table, or of an array of numbers, neither of which is copied.

use std::borrow::Cow;

use ndarray::{ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;

use crate::data::{Categorical, Column, Table};
use crate::{Error, Place, Result};

/// A column.
pub(super) enum Of<'r> {
    Number(ArrayView1<'r, f64>),
    /// Whole numbers.
    Integer(ArrayView1<'r, f64>),
    Level(&'r Categorical<'static>),
}

/// Columns of the same rows, with their names.
pub(super) struct Frame<'r> {
    rows: usize,
    columns: Vec<(Cow<'r, str>, Of<'r>)>,
}

impl<'r> Frame<'r> {
    pub fn of(table: &'r Table) -> Self {
        let column = |(name, column): &'r (String, Column)| {
            let column = match column {
                Column::Number(values) => Of::Number(ArrayView1::from(values)),
                Column::Integer(values) => Of::Integer(ArrayView1::from(values)),
                Column::Level(column) => Of::Level(column),
            };
            (Cow::from(name), column)
        };
        Frame { rows: table.rows(), columns: table.columns().iter().map(column).collect() }
    }

    /// Of an array, whose columns are called `x0`, `x1`, ...
    ///
    /// # Errors
    /// [`Error::BadNumber`] for an infinite number.
    pub fn of_array(features: ArrayView2<'r, f64>) -> Result<Self> {
        let rows = (0..features.nrows()).into_par_iter();
        // Without a way out it takes one instruction for several numbers.
        let any = rows.any(|row| features.row(row).iter().fold(false, |any, v| any | v.is_infinite()));
        let columns = (0..features.ncols()).map(|at| (name(at), Of::Number(features.index_axis_move(Axis(1), at))));
        let frame = Frame { rows: features.nrows(), columns: columns.collect() };
        if !any {
            return Ok(frame);
        }
        let infinite = |at: usize| features.column(at).iter().position(|v| v.is_infinite()).map(|row| (at, row));
        let Some((at, row)) = (0..features.ncols()).find_map(infinite) else { return Ok(frame) };
        Err(Error::BadNumber {
            column: name(at).into(),
            value: features[[row, at]].to_string(),
            place: Place::row(row),
            expected: "a finite number",
        })
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn columns(&self) -> &[(Cow<'r, str>, Of<'r>)] {
        &self.columns
    }

    /// Where the column of a name stands.
    ///
    /// # Errors
    /// [`Error::MissingColumn`], with the nearest name there is.
    pub fn position(&self, name: &str) -> Result<usize> {
        let names = || self.columns.iter().map(|(name, _)| name.to_string()).collect();
        let at = self.columns.iter().position(|(own, _)| own == name);
        at.ok_or_else(|| Error::missing_column(name, None, names()))
    }
}

fn name<'r>(at: usize) -> Cow<'r, str> {
    Cow::from(format!("x{at}"))
}
