//! A table of columns that are numbers or levels: rows as people keep them, for what makes, changes or writes rows.

use std::collections::HashSet;

use ndarray::Array2;
use rayon::prelude::*;

use super::{Categorical, Codes};
use crate::error::{Error, Place, Result};

/// One column of a [`Table`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Column {
    /// Numbers; NaN where one is missing.
    Number(Vec<f64>),
    /// Whole numbers kept as `f64`, NaN where one is missing: what is made of them is rounded.
    Integer(Vec<f64>),
    /// Levels, which may be missing.
    Level(Categorical<'static>),
}

impl Column {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Column::Number(values) | Column::Integer(values) => values.len(),
            Column::Level(column) => column.codes().len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the value of a row is missing (or the row does not exist).
    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Column::Number(values) | Column::Integer(values) => values.get(row).is_none_or(|v| v.is_nan()),
            Column::Level(column) => column.codes().get(row).is_none(),
        }
    }
}

/// Columns of the same rows, each with a name of its own.
///
/// # Examples
/// ```
/// use evenhand::data::{Categorical, Column, Table};
/// let table = Table::new(vec![
///     ("tenure".into(), Column::Integer(vec![1.0, 24.0])),
///     ("plan".into(), Column::Level(Categorical::from_values("plan", ["basic", "gold"]))),
/// ])?;
/// assert_eq!((table.rows(), table.columns().len()), (2, 2));
/// assert!(table.column("plann").unwrap_err().to_string().contains("did you mean `plan`"));
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Table {
    columns: Vec<(String, Column)>,
}

impl Table {
    /// A table of named columns.
    ///
    /// # Errors
    /// [`Error::UnequalLengths`], [`Error::Duplicate`] for two columns of one name, [`Error::BadNumber`] for an infinite
    /// number, or one in a column of whole numbers that is none.
    pub fn new(columns: Vec<(String, Column)>) -> Result<Self> {
        let mut seen = HashSet::new();
        if let Some((name, _)) = columns.iter().find(|(name, _)| !seen.insert(name.as_str())) {
            return Err(Error::Duplicate { name: name.clone() });
        }
        let expected = columns.first().map_or(0, |(_, column)| column.len());
        let wrong = |(name, column): &(String, Column)| {
            if column.len() != expected {
                return Some(Error::UnequalLengths { column: name.clone(), rows: column.len(), expected });
            }
            let (values, row, expected) = match column {
                Column::Number(values) => {
                    // Without a way out it takes one instruction for several numbers.
                    let any = values.iter().fold(false, |any, v| any | v.is_infinite());
                    (values, any.then(|| values.iter().position(|v| v.is_infinite())).flatten(), "a finite number")
                }
                Column::Integer(values) => {
                    let bad = |v: &f64| v.is_infinite() || (!v.is_nan() && v.fract() != 0.0);
                    (values, values.iter().position(bad), "a whole number")
                }
                Column::Level(_) => return None,
            };
            let (row, column) = (row?, name.clone());
            Some(Error::BadNumber { column, value: values[row].to_string(), place: Place::row(row), expected })
        };
        if let Some(error) = columns.par_iter().find_map_first(wrong) {
            return Err(error);
        }
        Ok(Table { columns })
    }

    /// A table of columns that were made from a checked one's values and need no check.
    pub(crate) fn trusted(columns: Vec<(String, Column)>) -> Self {
        Table { columns }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }

    /// The columns with their names, in their order.
    pub fn columns(&self) -> &[(String, Column)] {
        &self.columns
    }

    /// The column of a name.
    ///
    /// # Errors
    /// [`Error::MissingColumn`], with the nearest name there is.
    pub fn column(&self, name: &str) -> Result<&Column> {
        let found = self.columns.iter().find(|(own, _)| own == name).map(|(_, column)| column);
        found.ok_or_else(|| {
            Error::missing_column(name, None, self.columns.iter().map(|(name, _)| name.clone()).collect())
        })
    }

    /// These rows, from 0, in this order; a row may be named several times.
    ///
    /// # Errors
    /// [`Error::BadSetting`] for a row that there is not.
    ///
    /// # Examples
    /// ```
    /// use evenhand::data::{Column, Table};
    /// let table = Table::new(vec![("visits".into(), Column::Integer(vec![3.0, 4.0, 5.0]))])?;
    /// assert!(matches!(table.select(&[2, 0])?.column("visits")?, Column::Integer(v) if v[..] == [5.0, 3.0]));
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn select(&self, rows: &[usize]) -> Result<Table> {
        if let Some(row) = rows.iter().find(|row| **row >= self.rows()) {
            return Err(Error::setting(
                "a row to select",
                row,
                format!("one below the {} rows of the table", self.rows()),
            ));
        }
        let of = |column: &Column| match column {
            Column::Number(values) => Column::Number(rows.iter().map(|row| values[*row]).collect()),
            Column::Integer(values) => Column::Integer(rows.iter().map(|row| values[*row]).collect()),
            Column::Level(column) => {
                let code = |row: &usize| column.codes().get(*row).map_or(u32::MAX, |code| code as u32);
                Column::Level(column.owned_with(Codes::U32(rows.iter().map(code).collect())))
            }
        };
        Ok(Table { columns: self.columns.iter().map(|(name, column)| (name.clone(), of(column))).collect() })
    }

    /// Columns as features for a learner, a row for each row, with the name of each feature: numbers as they are, levels as
    /// 0 or 1 for each level but the first (`plan=gold`).
    ///
    /// # Errors
    /// [`Error::MissingColumn`]; [`Error::BadNumber`] with the row for a number that is missing. A missing level is all 0.
    ///
    /// # Examples
    /// ```
    /// use evenhand::data::{Categorical, Column, Table};
    /// use ndarray::array;
    /// let table = Table::new(vec![
    ///     ("tenure".into(), Column::Integer(vec![1.0, 24.0, 7.0])),
    ///     ("plan".into(), Column::Level(Categorical::from_values("plan", ["basic", "gold", "silver"]))),
    /// ])?;
    /// let (features, names) = table.features(&["tenure", "plan"])?;
    /// assert_eq!(names, ["tenure", "plan=gold", "plan=silver"]);
    /// assert_eq!(features, array![[1.0, 0.0, 0.0], [24.0, 1.0, 0.0], [7.0, 0.0, 1.0]]);
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn features(&self, names: &[&str]) -> Result<(Array2<f64>, Vec<String>)> {
        let columns = names.iter().map(|name| Ok((*name, self.column(name)?))).collect::<Result<Vec<_>>>()?;
        let mut titles: Vec<String> = Vec::new();
        for (name, column) in &columns {
            match column {
                Column::Level(column) => titles.extend(column.levels().iter().skip(1).map(|l| format!("{name}={l}"))),
                _ => titles.push((*name).into()),
            }
        }
        let mut features = Array2::zeros((self.rows(), titles.len()));
        let mut at = 0;
        for (name, column) in columns {
            match column {
                Column::Number(values) | Column::Integer(values) => {
                    if let Some(row) = values.iter().position(|v| v.is_nan()) {
                        return Err(Error::BadNumber {
                            column: name.into(),
                            value: String::new(),
                            place: Place::row(row),
                            expected: "a number in every row; fill it in, or leave the column or the row out",
                        });
                    }
                    features.column_mut(at).iter_mut().zip(values).for_each(|(feature, value)| *feature = *value);
                    at += 1;
                }
                Column::Level(column) => {
                    for row in 0..self.rows() {
                        if let Some(code) = column.codes().get(row).filter(|code| *code > 0) {
                            features[[row, at + code - 1]] = 1.0;
                        }
                    }
                    at += column.levels().len().saturating_sub(1);
                }
            }
        }
        Ok((features, titles))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_named() {
        let make = |columns: Vec<(&str, Column)>| {
            let columns = columns.into_iter().map(|(name, column)| (name.to_string(), column)).collect();
            Table::new(columns).map_err(|e| e.to_string())
        };
        let number = |v: &[f64]| Column::Number(v.to_vec());
        assert!(make(vec![("a", number(&[1.0])), ("a", number(&[2.0]))]).unwrap_err().contains("`a` is given twice"));
        assert!(make(vec![("a", number(&[1.0])), ("b", number(&[]))]).unwrap_err().contains("`b` has 0 rows"));
        assert!(make(vec![("a", number(&[1.0, f64::INFINITY]))]).unwrap_err().contains("row 2"));
        assert!(make(vec![("a", Column::Integer(vec![f64::NAN, 0.5]))]).unwrap_err().contains("whole"));
        let table = make(vec![("a", number(&[1.0, f64::NAN]))]).unwrap();
        assert!(!table.column("a").unwrap().is_missing(0) && table.column("a").unwrap().is_missing(1));
        assert_eq!(Table::default().rows(), 0);
    }
}
