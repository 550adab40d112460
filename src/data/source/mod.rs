//! Files: delimited text, plain or compressed, Parquet and Arrow's own, read straight into a tally.
//!
//! [`Source::tally`] reads row by row into counts, so memory does not grow with the rows, but for scores: of those the
//! tally keeps which there are, 20 bytes for each that is distinct (by group and label), up to
//! [`Limits::max_scores`]. What depends on
//! all rows at once (the best k of the scores, quantile bands) takes a first pass over the columns that
//! it needs, and that pass holds their numbers: 8 bytes a row and column, twice that while a cut is found.
//!
//! # Examples
//! ```
//! use evenhand::data::{Columns, source::Source};
//! use evenhand::tally::Limits;
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("campaign.csv");
//! std::fs::write(&path, "sex,responded,targeted\nf,yes,0\nm,no,1\nf,yes,1\n")?;
//! let columns = Columns::new().attribute("sex".parse()?).label("responded").decision("targeted");
//! let read = Source::open(&[&path])?.tally(&columns, &[], Limits::default())?;
//! assert_eq!(read.tally.rows(), 3);
//! assert_eq!(read.files[0].rows, 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "datafusion")]
mod batches;
#[cfg(feature = "csv")]
mod blocks;
mod cells;
#[cfg(feature = "parquet")]
mod chunk;
mod codes;
#[cfg(feature = "parquet")]
mod columnar;
mod copy;
#[cfg(feature = "csv")]
mod decode;
#[cfg(feature = "csv")]
mod delimited;
mod dialect;
#[cfg(feature = "parquet")]
mod digest;
mod gather;
#[cfg(feature = "parquet")]
mod guard;
#[cfg(feature = "parquet")]
mod hybrid;
#[cfg(feature = "parquet")]
mod indices;
mod intake;
mod intern;
#[cfg(feature = "parquet")]
mod ipc;
#[cfg(feature = "parquet")]
mod lookup;
#[cfg(feature = "parquet")]
mod messages;
#[cfg(feature = "parquet")]
mod pages;
#[cfg(feature = "parquet")]
mod parquet;
mod plan;
mod progress;
mod reading;
#[cfg(feature = "csv")]
mod records;
mod rows;
mod schedule;
mod sieve;
#[cfg(feature = "parquet")]
mod skip;
mod spool;
mod table;
mod texts;

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use copy::{Added, Changes};
pub use progress::Progress;
pub use rows::Rows;

use super::{Columns, Filtered, LevelColumn};
use crate::error::{Error, Place, Result};
use crate::tally::{Limits, Tally};
#[cfg(feature = "datafusion")]
pub(crate) use batches::Batches;
pub(crate) use cells::{CellColumns, CellSource, CellTable};
use intake::{Aim, Outcome};
use plan::Plan;
use progress::Listener;
use spool::Input;
pub(crate) use texts::Texts;

/// Files that together are one batch of rows.
///
/// What a file is, is found from its content: Parquet, Arrow, gzip, zstd, or else delimited text, whose delimiter
/// (comma, semicolon, tab, pipe) and header are found too. The files need the same columns by name, in
/// any order.
///
/// In text, fields are trimmed; blank lines are no rows; a byte order mark is skipped; a field in quotes may
/// hold delimiters and ends of lines. Text must be UTF-8 in the columns that are used.
pub struct Source {
    inputs: Vec<Input>,
    options: Options,
    threads: Option<usize>,
    listener: Option<Listener>,
}

/// How to read.
#[derive(Debug, Clone)]
struct Options {
    #[cfg_attr(not(feature = "csv"), allow(dead_code))]
    delimiter: Option<u8>,
    #[cfg_attr(not(feature = "csv"), allow(dead_code))]
    header: Option<bool>,
    chunk: usize,
    /// The bytes of text that a thread takes at a time.
    #[cfg_attr(not(feature = "csv"), allow(dead_code))]
    block: usize,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Format {
    /// Delimited text.
    #[serde(rename = "csv")]
    Csv,
    /// Delimited text, compressed by gzip.
    #[serde(rename = "csv.gz")]
    CsvGz,
    /// Delimited text, compressed by zstd.
    #[serde(rename = "csv.zst")]
    CsvZst,
    /// Parquet.
    #[serde(rename = "parquet")]
    Parquet,
    /// Arrow's own: a file (Feather) or a stream.
    #[serde(rename = "arrow")]
    Arrow,
}

impl Format {
    /// Whether its columns have types of their own.
    pub(crate) fn is_typed(self) -> bool {
        matches!(self, Format::Parquet | Format::Arrow)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Csv => "csv",
            Format::CsvGz => "csv.gz",
            Format::CsvZst => "csv.zst",
            Format::Parquet => "parquet",
            Format::Arrow => "arrow",
        })
    }
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileInfo {
    /// The path as given; `-` is standard input.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its rows.
    pub rows: u64,
    /// The BLAKE3 hash of its bytes, in hexadecimal digits.
    pub blake3: String,
    /// What it is.
    pub format: Format,
}

/// The counts of a source, and what they were read from.
#[derive(Debug, Clone)]
pub struct SourceTally {
    /// The counts.
    pub tally: Tally,
    /// The files, as given.
    pub files: Vec<FileInfo>,
    /// The texts that each label and decision holds (the first twenty of them), missing ones apart.
    pub values: BTreeMap<String, Vec<String>>,
    /// What the filter did, where there is one; `rows` of a file are all that it has.
    pub filtered: Option<Filtered>,
}

impl SourceTally {
    fn new(plan: &Plan, all: Outcome, files: &[FileInfo], asked: &Columns) -> Result<Self> {
        let Some(tally) = all.tally else {
            return Err(Error::Nothing { problem: nothing(plan), place: Place::default() });
        };
        let texts = |r: &super::BinaryReader| r.values().map(String::from).collect();
        let names = plan.binaries.iter().map(|b| plan.columns[b.column].clone());
        let values = names.zip(all.readers.iter().map(texts)).collect();
        let filtered = |condition: String| Filtered { condition, rows_left_out: Some(all.left_out) };
        let filtered = asked.filter.as_ref().map(|filter| filtered(filter.to_string()));
        Ok(SourceTally { tally, files: files.to_vec(), values, filtered })
    }
}

/// Why there is nothing to count.
fn nothing(plan: &Plan) -> &'static str {
    if plan.filter.is_empty() { "there are no rows" } else { "no row satisfies the filter" }
}

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnInfo {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: ColumnKind,
}

/// The type of a column. In text it is the narrowest that holds the first rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ColumnKind {
    /// True and false.
    Boolean,
    /// Whole numbers.
    Integer,
    /// Numbers.
    Number,
    /// Dates, with or without time.
    Date,
    /// Text.
    Text,
    /// Something that has no part in an audit: lists, structures, bytes.
    Other,
}

/// The first rows of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The columns.
    pub columns: Vec<ColumnInfo>,
    /// Their values as trimmed text, by column; a null is the empty text.
    pub values: Vec<Vec<String>>,
}

/// The rows that [`Source::columns`] looks at in a text to tell types.
const LOOKED_AT: usize = 1000;
/// Rows in a chunk: its columns stay in the second-level cache.
const CHUNK: usize = 1 << 16;
/// Bytes in a block of text. Fixed, so that sums of weights are added in the same order whatever the number of threads.
const BLOCK: usize = 1 << 23;

impl Source {
    /// Opens files as one batch. `-` is standard input; it is copied to a temporary file, since it may have to
    /// be read twice.
    ///
    /// # Errors
    /// [`Error::Nothing`] without a path or for an empty file, [`Error::Duplicate`] for a file given twice,
    /// [`Error::Io`], and [`Error::BadFile`] for a kind of file that cannot be read.
    pub fn open(paths: &[impl AsRef<Path>]) -> Result<Self> {
        if paths.is_empty() {
            return Err(Error::Nothing { problem: "give at least one file", place: Place::default() });
        }
        let mut seen = HashSet::new();
        for path in paths.iter().map(AsRef::as_ref) {
            let real = path.canonicalize().unwrap_or_else(|_| path.into());
            if !seen.insert(real) {
                return Err(Error::Duplicate { name: path.display().to_string() });
            }
        }
        let inputs = paths.iter().map(|p| Input::open(p.as_ref())).collect::<Result<_>>()?;
        let options = Options { delimiter: None, header: None, chunk: CHUNK, block: BLOCK };
        Ok(Source { inputs, options, threads: None, listener: None })
    }

    /// Sets the delimiter of texts; `None` finds it.
    #[must_use]
    pub fn delimiter(mut self, delimiter: Option<u8>) -> Self {
        self.options.delimiter = delimiter;
        self
    }

    /// Says whether texts have a header; `None` finds out. Without one, the columns are `column_1`, `column_2`
    /// and so on.
    #[must_use]
    pub fn header(mut self, header: Option<bool>) -> Self {
        self.options.header = header;
        self
    }

    /// Sets the number of threads; `None` leaves it to rayon's global pool. The tally is the same for any number.
    #[must_use]
    pub fn threads(mut self, threads: Option<usize>) -> Self {
        self.threads = threads;
        self
    }

    /// Sets the rows read at a time (65,536 if not set; at least 1). The counts are the same for any number;
    /// sums of weights and scores to rounding.
    #[must_use]
    pub fn chunk_rows(mut self, rows: usize) -> Self {
        self.options.chunk = rows.max(1);
        self
    }

    /// Calls back as the reading goes on, about once a chunk, from any of the threads.
    #[must_use]
    pub fn on_progress(mut self, listener: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.listener = Some(Arc::new(listener));
        self
    }

    /// What each file is, in the order given.
    pub fn formats(&self) -> Vec<Format> {
        self.inputs.iter().map(|input| input.format).collect()
    }

    /// The names and types of the columns, from the first file.
    ///
    /// # Errors
    /// As [`tally`](Self::tally), as far as the first rows go.
    pub fn columns(&self) -> Result<Vec<ColumnInfo>> {
        Ok(self.sample(LOOKED_AT)?.columns)
    }

    /// The first rows as text, from the first file.
    ///
    /// # Errors
    /// As [`tally`](Self::tally), as far as the rows go.
    pub fn sample(&self, rows: usize) -> Result<Sample> {
        match self.inputs.first() {
            Some(input) => self.sample_of(input, rows),
            None => Ok(Sample { columns: Vec::new(), values: Vec::new() }),
        }
    }

    fn sample_of(&self, input: &Input, rows: usize) -> Result<Sample> {
        match input.format {
            #[cfg(feature = "csv")]
            Format::Csv | Format::CsvGz | Format::CsvZst => delimited::sample(input, &self.options, rows),
            #[cfg(feature = "parquet")]
            Format::Parquet => parquet::sample(input, rows),
            #[cfg(feature = "parquet")]
            Format::Arrow => ipc::sample(input, rows),
            #[allow(unreachable_patterns)]
            format => Err(unsupported(input, format)),
        }
    }

    /// Counts the rows. `extra` are level columns to cross with the attributes, such as those that named groups
    /// are made of; one that is asked for already is not crossed twice.
    ///
    /// # Errors
    /// - of the question: [`Error::MissingColumn`] with the nearest name, [`Error::Duplicate`], [`Error::Unknown`] for
    ///   favourable values of a column without that part, [`Error::BadSetting`], [`Error::TooManyCells`];
    /// - of a value, with its file and row: [`Error::BadNumber`], [`Error::OutsideBands`],
    ///   [`Error::NotBinary`]; [`Error::FavorableAbsent`];
    /// - of a file: [`Error::Nothing`] without rows, [`Error::Malformed`] with line and field,
    ///   [`Error::BadFile`] (also if it changes while it is read), [`Error::Io`].
    pub fn tally(&self, columns: &Columns, extra: &[LevelColumn], limits: Limits) -> Result<SourceTally> {
        self.tally_then(columns, extra, limits, |_| ()).map(|(tally, ())| tally)
    }

    /// As [`tally`](Self::tally), with what is to be made of the counts: that is begun as soon as they are known, which may be
    /// before the last file has its hash.
    pub(crate) fn tally_then<T: Send>(
        &self,
        columns: &Columns,
        extra: &[LevelColumn],
        limits: Limits,
        then: impl FnOnce(&SourceTally) -> T + Send,
    ) -> Result<(SourceTally, T)> {
        let plan = Plan::new(columns, extra)?;
        let of = |plan: &Plan, all: Outcome, files: &[FileInfo]| {
            let tally = SourceTally::new(plan, all, files, columns)?;
            let found = then(&tally);
            Ok((tally, found))
        };
        let (_, files, (tally, found)) = self.on_threads(|| self.read(plan, Aim::Tally(limits), of))?;
        Ok((SourceTally { files, ..tally }, found))
    }

    /// Fails on a question that contradicts itself, as [`tally`](Self::tally) would.
    pub(crate) fn check(columns: &Columns, extra: &[LevelColumn]) -> Result<()> {
        Plan::new(columns, extra).map(|_| ())
    }

    /// Reads all rows into memory, for what needs rows: 4 bytes for each level, 1 for each label and decision and 8 for
    /// each number of a row. Nothing need be asked for but attributes.
    ///
    /// # Errors
    /// As for [`tally`](Self::tally).
    ///
    /// # Examples
    /// ```
    /// use evenhand::data::{Columns, source::Source};
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("campaign.csv");
    /// std::fs::write(&path, "sex,responded\nf,yes\nm,no\nf,no\n")?;
    /// let rows = Source::open(&[&path])?.rows(&Columns::new().attribute("sex".parse()?).label("responded"))?;
    /// let batch = rows.batch()?;
    /// assert_eq!((batch.rows(), batch.attributes()[0].levels().len()), (3, 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn rows(&self, columns: &Columns) -> Result<Rows> {
        self.rows_of(Plan::of_rows(columns, &[])?)
    }

    fn rows_of(&self, plan: Plan) -> Result<Rows> {
        let (plan, files, all) = self.on_threads(|| self.read(plan, Aim::Rows, |_, all, _| Ok(all)))?;
        match all.kept {
            Some(kept) => Ok(Rows::new(plan, kept, files)),
            None => Err(Error::Nothing { problem: nothing(&plan), place: Place::default() }),
        }
    }

    fn on_threads<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        match self.threads {
            None => work(),
            Some(threads) => {
                let wrong = |e| Error::setting("the number of threads", threads, format!("one that can be had ({e})"));
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(wrong)?;
                pool.install(work)
            }
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("inputs", &self.inputs).field("options", &self.options).finish_non_exhaustive()
    }
}

#[allow(dead_code)]
fn unsupported(input: &Input, format: Format) -> Error {
    let feature = if format.is_typed() { "parquet" } else { "csv" };
    input.bad(format!("it is {format}, and evenhand was built without the feature `{feature}`"))
}
