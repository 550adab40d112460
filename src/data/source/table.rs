//! Whole columns of a source as a table of numbers and levels.

use super::dialect::column;
use super::{ColumnKind, Source};
use crate::data::{Categorical, Column, Table};
use crate::error::{Error, Place, Result};

impl Source {
    /// Reads columns of all files into a table: those of numbers as numbers, all others as levels. None named: all columns
    /// of the first file but those that hold lists, structures or bytes. Text is a column of numbers where all of its values
    /// are; `missing` lists the texts that say that there is no value.
    ///
    /// The columns pass through memory as text: some 30 bytes a value and more.
    ///
    /// # Errors
    /// [`Error::MissingColumn`] with the nearest name, [`Error::BadNumber`] for an infinite number, and those of
    /// [`sample`](Self::sample).
    ///
    /// # Examples
    /// ```
    /// use evenhand::data::{Column, source::Source};
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("customers.csv");
    /// std::fs::write(&path, "plan,visits,spend\nbasic,3,1.5\n,4,NA\n")?;
    /// let table = Source::open(&[&path])?.table(&[], &["".into(), "NA".into()])?;
    /// assert!(matches!(table.column("visits")?, Column::Integer(values) if values[..] == [3.0, 4.0]));
    /// assert!(table.column("spend")?.is_missing(1) && table.column("plan")?.is_missing(1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn table(&self, names: &[String], missing: &[String]) -> Result<Table> {
        let mut texts: Vec<(String, ColumnKind, Vec<String>)> = Vec::new();
        for (at, input) in self.inputs.iter().enumerate() {
            let sample = self.sample_of(input, usize::MAX)?;
            let mut found: Vec<_> = sample.columns.into_iter().zip(sample.values).collect();
            if at == 0 {
                let all = || found.iter().filter(|(c, _)| c.kind != ColumnKind::Other).map(|(c, _)| c.name.clone());
                let wanted: Vec<String> = if names.is_empty() { all().collect() } else { names.to_vec() };
                texts = wanted.into_iter().map(|name| (name, ColumnKind::Text, Vec::new())).collect();
            }
            for (name, kind, values) in &mut texts {
                let Some(place) = found.iter().position(|(c, _)| c.name == *name) else {
                    let there = found.into_iter().map(|(c, _)| c.name).collect();
                    return Err(Error::missing_column(name, Some(input.given.clone()), there));
                };
                let (about, more) = found.swap_remove(place);
                *kind = about.kind;
                values.extend(more);
            }
        }
        let typed = self.inputs.iter().all(|i| i.format.is_typed());
        let column = |(name, kind, texts): (String, ColumnKind, Vec<String>)| {
            let column = as_column(&name, typed.then_some(kind), &texts, missing)?;
            Ok((name, column))
        };
        Table::new(texts.into_iter().map(column).collect::<Result<_>>()?)
    }
}

/// A column of texts by its kind, or by what its values are.
fn as_column(name: &str, kind: Option<ColumnKind>, texts: &[String], missing: &[String]) -> Result<Column> {
    let is_missing = |text: &String| text.is_empty() || missing.contains(text);
    let kind = kind.unwrap_or_else(|| {
        let known: Vec<String> = texts.iter().filter(|t| !is_missing(t)).cloned().collect();
        column(name, &known).kind
    });
    let numbers = || -> Result<Vec<f64>> {
        let number = |(row, text): (usize, &String)| match text.parse::<f64>() {
            _ if is_missing(text) => Ok(f64::NAN),
            Ok(value) if value.is_finite() => Ok(value),
            _ => Err(Error::BadNumber {
                column: name.into(),
                value: text.clone(),
                place: Place::row(row),
                expected: "a finite number",
            }),
        };
        texts.iter().enumerate().map(number).collect()
    };
    Ok(match kind {
        ColumnKind::Integer => Column::Integer(numbers()?),
        ColumnKind::Number => Column::Number(numbers()?),
        _ => Column::Level(Categorical::from_options(name, texts.iter().map(|t| (!is_missing(t)).then_some(t)))),
    })
}
