//! A whole file as text, for the audits whose rows are few and of their own kind.

use std::path::Path;

use super::Source;
use crate::data::default_missing;
use crate::error::{Error, Place, Result};

/// The columns of a file as text, with the place of each value for what is told of a slip.
pub(crate) struct Texts<'p> {
    path: &'p Path,
    names: Vec<String>,
    values: Vec<Vec<String>>,
    missing: Vec<String>,
}

impl<'p> Texts<'p> {
    /// Reads every row; a file without any is an error.
    pub fn read(path: &'p Path, source: &Source) -> Result<Self> {
        let sample = source.sample(usize::MAX)?;
        let names = sample.columns.into_iter().map(|c| c.name).collect();
        let texts = Texts { path, names, values: sample.values, missing: default_missing() };
        if texts.values.iter().all(Vec::is_empty) {
            return Err(Error::Nothing { problem: "the file has no rows", place: texts.place(None) });
        }
        Ok(texts)
    }

    /// Drops the values of columns that are not wanted.
    pub fn keep(&mut self, wanted: &[&String]) {
        for (name, values) in self.names.iter().zip(&mut self.values) {
            if !wanted.contains(&name) {
                *values = Vec::new();
            }
        }
    }

    /// A column's values.
    pub fn column(&self, name: &str) -> Result<&[String]> {
        match self.names.iter().position(|n| n == name) {
            Some(at) => Ok(&self.values[at]),
            None => Err(Error::missing_column(name, Some(self.path.into()), self.names.clone())),
        }
    }

    /// Whether a text says that there is no value.
    pub fn is_missing(&self, text: &str) -> bool {
        self.missing.iter().any(|m| m == text)
    }

    /// A value that is not what is expected, with its row and file.
    pub fn bad(&self, column: &str, row: usize, value: &str, expected: &'static str) -> Error {
        Error::BadNumber { column: column.into(), value: value.into(), place: self.place(Some(row)), expected }
    }

    fn place(&self, row: Option<usize>) -> Place {
        Place { file: Some(self.path.into()), row: row.map(|r| r as u64 + 1) }
    }
}
