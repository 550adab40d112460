//! Files copied with changes: columns and rows added, rows repeated or left out. What is not changed stays as it stands in
//! the file, text for text and type for type.

#[cfg(feature = "parquet")]
mod columnar;
#[cfg(feature = "csv")]
mod text;

use std::io::Write;

use super::progress::Meter;
use super::spool::Input;
use super::{Format, Source, unsupported};
use crate::data::Table;
use crate::error::{Error, Place, Result};

/// The values of a column that is added: one for each row of the files, then one for each new row.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Added<'a> {
    /// Numbers, NaN for none.
    Number(&'a [f64]),
    /// Yes or no: 1 or 0 in text, true or false in Parquet.
    Flag(&'a [bool]),
    /// Text, which may be none.
    Text(&'a [Option<String>]),
}

impl Added<'_> {
    fn len(&self) -> usize {
        match self {
            Added::Number(values) => values.len(),
            Added::Flag(values) => values.len(),
            Added::Text(values) => values.len(),
        }
    }
}

/// What is changed in a copy. Rows are those of all files, one after the other.
///
/// # Examples
/// ```
/// use evenhand::data::source::{Added, Changes, Format, Source};
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("campaign.csv");
/// std::fs::write(&path, "sex,note\nf,\"late, but paid\"\nm,007\n")?;
/// let source = Source::open(&[&path])?;
/// let changes = Changes::new().times(&[1, 2]).column("weight", Added::Number(&[0.5, 1.25]));
/// let mut copy = Vec::new();
/// assert_eq!(source.copy(&changes, Format::Csv, &mut copy)?, 3);
/// assert_eq!(String::from_utf8(copy)?, "sex,note,weight\nf,\"late, but paid\",0.5\nm,007,1.25\nm,007,1.25\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Changes<'a> {
    times: Option<&'a [u32]>,
    columns: Vec<(String, Added<'a>)>,
    rows: Option<&'a Table>,
}

impl<'a> Changes<'a> {
    /// No change.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many times each row of the files is written, one behind the other; 0 leaves it out.
    #[must_use]
    pub fn times(mut self, times: &'a [u32]) -> Self {
        self.times = Some(times);
        self
    }

    /// A column behind those of the files.
    #[must_use]
    pub fn column(mut self, name: impl Into<String>, values: Added<'a>) -> Self {
        self.columns.push((name.into(), values));
        self
    }

    /// Rows behind those of the files. Columns that the table has not are left empty in them.
    #[must_use]
    pub fn rows(mut self, rows: &'a Table) -> Self {
        self.rows = Some(rows);
        self
    }

    /// Checks them against the columns of the files.
    fn check(&self, names: &[String]) -> Result<()> {
        for (name, _) in &self.columns {
            if names.contains(name) || self.columns.iter().filter(|(other, _)| other == name).count() > 1 {
                return Err(Error::setting(
                    "the name of a column to add",
                    format!("`{name}`, which is there already"),
                    "a name of its own",
                ));
            }
        }
        let made = self.rows.map_or(&[][..], Table::columns);
        match made.iter().find(|(name, _)| !names.contains(name)) {
            Some((name, _)) => Err(Error::missing_column(name, None, names.to_vec())),
            None => Ok(()),
        }
    }

    /// Checks that everything is for so many rows of the files.
    fn check_rows(&self, rows: usize) -> Result<()> {
        let all = rows + self.rows.map_or(0, Table::rows);
        let columns = self.columns.iter().map(|(name, values)| (name.as_str(), values.len(), all));
        let times = self.times.map(|times| ("times", times.len(), rows));
        match columns.chain(times).find(|(_, found, expected)| found != expected) {
            Some((name, found, expected)) => Err(Error::UnequalLengths { column: name.into(), rows: found, expected }),
            None => Ok(()),
        }
    }

    fn times_of(&self, row: usize) -> u32 {
        self.times.map_or(1, |times| times.get(row).copied().unwrap_or(0))
    }
}

impl Source {
    /// Copies the files into one, with changes, row by row: memory does not grow with the rows. The columns are those of the
    /// first file, in its order; text always gets a header. Answers how many rows were written.
    ///
    /// # Errors
    /// [`Error::BadSetting`] for a form of another family than that of the files (text, Parquet) or a column that is there
    /// already, [`Error::UnequalLengths`] where a change is not for as many rows as there are (known at the end only: what
    /// was written until then is then no whole copy), [`Error::MissingColumn`], and those of reading; [`Error::Io`] of
    /// writing.
    pub fn copy(&self, changes: &Changes, format: Format, out: impl Write + Send) -> Result<u64> {
        let Some(first) = self.inputs.first() else {
            return Err(Error::Nothing { problem: "give at least one file", place: Place::default() });
        };
        if let Some(arrow) = self.inputs.iter().find(|i| i.format == Format::Arrow) {
            return Err(arrow.bad("it is an Arrow file, which is read and not copied; save it as Parquet first"));
        }
        let is_parquet = |format| format == Format::Parquet;
        if let Some(other) = self.inputs.iter().find(|i| is_parquet(i.format) != is_parquet(format)) {
            let expected =
                if is_parquet(other.format) { "parquet, as the files are" } else { "csv, csv.gz or csv.zst" };
            return Err(Error::setting("the form of the copy", format, expected));
        }
        let stamps = self.inputs.iter().map(Input::stamp).collect::<Result<Vec<_>>>()?;
        let meter = Meter::new(stamps.iter().map(|s| s.bytes).sum(), self.listener.clone());
        let written = match first.format {
            #[cfg(feature = "csv")]
            Format::Csv | Format::CsvGz | Format::CsvZst => {
                text::copy(&self.inputs, &self.options, changes, format, out, &meter)?
            }
            #[cfg(feature = "parquet")]
            Format::Parquet => columnar::copy(&self.inputs, changes, out, &meter)?,
            #[allow(unreachable_patterns)]
            format => return Err(unsupported(first, format)),
        };
        for (input, stamp) in self.inputs.iter().zip(stamps) {
            input.unchanged(stamp)?;
        }
        Ok(written)
    }
}

/// What the system says of writing.
fn unwritten(source: std::io::Error) -> Error {
    Error::Io { action: "write", path: "the copy".into(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Categorical, Column};

    fn copied(text: &str, changes: &Changes) -> Result<String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.csv");
        std::fs::write(&path, text).unwrap();
        let mut copy = Vec::new();
        Source::open(&[&path])?.copy(changes, Format::Csv, &mut copy)?;
        Ok(String::from_utf8(copy).unwrap())
    }

    #[test]
    fn new_rows_follow_and_what_they_lack_is_empty() {
        let table = Table::new(vec![
            ("n".into(), Column::Integer(vec![3.0, f64::NAN])),
            ("sex".into(), Column::Level(Categorical::from_options("sex", [None, Some("a;b")]))),
        ])
        .unwrap();
        let marks = [None, Some("new".to_string()), Some("1, 1".into())];
        let changes = Changes::new().rows(&table).column("origin", Added::Text(&marks));
        let copy = copied("sex;x;n\r\nf;\"1;2\";7\r\n", &changes).unwrap();
        assert_eq!(copy, "sex;x;n;origin\nf;\"1;2\";7;\n;;3;new\n\"a;b\";;;1, 1\n");
    }

    #[test]
    fn changes_that_do_not_fit_are_named() {
        let text = "a,b\n1,2\n3,4\n";
        let fails = |changes: &Changes| copied(text, changes).unwrap_err().to_string();
        assert!(fails(&Changes::new().column("b", Added::Flag(&[true, false]))).contains("`b`"));
        assert!(fails(&Changes::new().column("c", Added::Flag(&[true]))).contains("`c` has 1 rows"));
        assert!(fails(&Changes::new().times(&[1, 1, 1])).contains("`times` has 3 rows"));
        let table = Table::new(vec![("bb".into(), Column::Number(vec![1.0]))]).unwrap();
        assert!(fails(&Changes::new().rows(&table)).contains("`bb`"));
        assert_eq!(copied(text, &Changes::new().times(&[0, 1])).unwrap(), "a,b\n3,4\n");
        assert_eq!(copied("1,2\n3,4\n", &Changes::new()).unwrap(), "column_1,column_2\n1,2\n3,4\n");
    }
}
