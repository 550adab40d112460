//! What can go wrong, where, and what to do about it.

use std::fmt;
use std::path::PathBuf;

/// A result with evenhand's [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an audit could not be done.
///
/// Every message names the column, row, level or file at fault and says what to do. Rows are counted
/// from 1, not counting a header.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A named column is not in the data.
    #[error("there is no column `{column}`{place}; {}", offer(suggestion, available, "column"))]
    MissingColumn {
        /// The column asked for.
        column: String,
        /// Where it was looked for.
        place: Place,
        /// The nearest name that does exist.
        suggestion: Option<String>,
        /// The columns that do exist.
        available: Vec<String>,
    },
    /// A column is used twice where it can have only one part.
    #[error("`{name}` is given twice; give it once")]
    Duplicate {
        /// The repeated name.
        name: String,
    },
    /// Columns of one batch differ in length.
    #[error(
        "column `{column}` has {rows} rows where {expected} were expected; every column of a batch needs the same rows"
    )]
    UnequalLengths {
        /// The column at fault.
        column: String,
        /// Its rows.
        rows: usize,
        /// The rows of the columns before it.
        expected: usize,
    },
    /// A label or decision has values that are not plainly two.
    #[error("column `{column}` is not plainly binary: it holds {}{}; say which value is favourable, as in `--favorable {column}={}`, or which mean missing", quoted(values), first_odd(place), values.first().map_or("yes", String::as_str))]
    NotBinary {
        /// The column at fault.
        column: String,
        /// The values found, as far as the file was read.
        values: Vec<String>,
        /// Where the first value that does not fit stands.
        place: Place,
    },
    /// The favourable value never occurs.
    #[error(
        "the favourable value {} of column `{column}` never occurs; the column holds {}",
        quoted(favorable),
        quoted(values)
    )]
    FavorableAbsent {
        /// The column at fault.
        column: String,
        /// What was declared favourable.
        favorable: Vec<String>,
        /// What the column holds.
        values: Vec<String>,
    },
    /// A number is not one that its column can hold.
    #[error("column `{column}` holds `{value}`{place}; it needs {expected}")]
    BadNumber {
        /// The column at fault.
        column: String,
        /// The text or number found.
        value: String,
        /// Where.
        place: Place,
        /// What would be right.
        expected: &'static str,
    },
    /// A code has no level.
    #[error("column `{column}` has the code {code}{place}, but only {levels} levels (codes 0 to {}); the largest value of the code's type stands for missing", levels.saturating_sub(1))]
    BadCode {
        /// The column at fault.
        column: String,
        /// The code found.
        code: u64,
        /// How many levels there are.
        levels: usize,
        /// Where.
        place: Place,
    },
    /// A number falls in no band.
    #[error(
        "the value {value} of column `{column}`{place} falls in none of the bands {bands}; close the gap, or add an open band"
    )]
    OutsideBands {
        /// The column at fault.
        column: String,
        /// The number found.
        value: f64,
        /// The bands, as given.
        bands: String,
        /// Where.
        place: Place,
    },
    /// A setting is outside its range or cannot be read.
    #[error("{setting} is {value}; it needs {expected}")]
    BadSetting {
        /// The setting's name.
        setting: String,
        /// What was given.
        value: String,
        /// What would be right.
        expected: String,
    },
    /// A policy names something that is not there.
    #[error("there is no {kind} `{name}`{context}; {}", offer(suggestion, available, kind))]
    Unknown {
        /// What kind of thing: metric, attribute, level, preset, ...
        kind: &'static str,
        /// The name asked for.
        name: String,
        /// Where it was asked for, as text to append (may be empty).
        context: String,
        /// The nearest name that does exist.
        suggestion: Option<String>,
        /// What does exist.
        available: Vec<String>,
    },
    /// A policy file cannot be read.
    #[error("the policy{place} cannot be read: {problem}")]
    BadPolicy {
        /// Where.
        place: Place,
        /// What is wrong with it, with its line where known.
        problem: String,
    },
    /// There is nothing to audit.
    #[error("there is nothing to audit{place}: {problem}")]
    Nothing {
        /// What is missing.
        problem: &'static str,
        /// Where.
        place: Place,
    },
    /// The cross table of the attributes would not fit in memory.
    #[error(
        "the intersection of {attributes} has {cells} cells, more than the limit of {limit}; leave an attribute out, merge levels or cut numbers into bands, or raise the limit"
    )]
    TooManyCells {
        /// The attributes and their levels, as text.
        attributes: String,
        /// The cells it would have (or has so far).
        cells: u128,
        /// The limit in force.
        limit: usize,
    },
    /// A group has no row of one label, so that no weight can give it one.
    #[error("the group `{group}`{place} has no weighted row with {} label in the rows that weights were fitted on; merge it with another group, leave it out, or add rows", if *favorable { "a favourable" } else { "an unfavourable" })]
    EmptyCell {
        /// The group.
        group: String,
        /// Which label it lacks.
        favorable: bool,
        /// Where it was met.
        place: Place,
    },
    /// No answer keeps what was asked for.
    #[error("{asked} cannot be kept: {problem}; {remedy}")]
    Infeasible {
        /// The bound, share or target.
        asked: String,
        /// What stands against it, with the group or segment at fault.
        problem: String,
        /// What to do, with the nearest value that can be kept where it is known.
        remedy: String,
    },
    /// A learner could not fit a model.
    #[error("the learner failed: {problem}")]
    Learner {
        /// What it says.
        problem: String,
    },
    /// A learner that has to read weights does not.
    #[error(
        "weights change nothing in what the learner fits: it does not read them, so that reweighting would mend nothing; wrap it in `mitigate::learn::Resampled`, or take one that reads them"
    )]
    WeightsIgnored,
    /// `linfa` refused.
    #[error("linfa: {0}")]
    Linfa(#[from] linfa::Error),
    /// A mitigation that was to be compared with others could not be fitted or applied.
    #[error("the mitigation `{name}` failed: {source}")]
    Mitigation {
        /// Its name.
        name: String,
        /// Why.
        source: Box<Error>,
    },
    /// Two tallies were made by different questions.
    #[error("the tallies cannot be combined: {problem}")]
    Mismatch {
        /// What differs.
        problem: String,
    },
    /// More was subtracted than was there.
    #[error(
        "cannot subtract: the group `{group}` would have fewer than no rows; only rows that were tallied can be taken out"
    )]
    Negative {
        /// The group at fault.
        group: String,
    },
    /// A delimited text file is malformed.
    #[error("{} line {line}{}: {problem}", file.display(), field.map(|f| format!(", field {f}")).unwrap_or_default())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// The line, from 1, the header included.
        line: u64,
        /// The field, from 1.
        field: Option<u64>,
        /// What is wrong with it and what to do.
        problem: String,
    },
    /// A file is truncated, corrupt, changing or of a kind that cannot be read.
    #[error("{} cannot be read{}: {problem}", file.display(), row_group.map(|g| format!(" at row group {g}")).unwrap_or_default())]
    BadFile {
        /// The file.
        file: PathBuf,
        /// The row group, from 0.
        row_group: Option<usize>,
        /// What is wrong with it and what to do.
        problem: String,
    },
    /// A table of counts is not one, or not of these rows.
    #[error("the counts{place} cannot be used: {problem}")]
    BadTally {
        /// Where.
        place: Place,
        /// What is wrong with them and what to do.
        problem: String,
    },
    /// An engine did not count.
    #[error("DataFusion could not count the rows: {problem}")]
    Engine {
        /// What it says.
        problem: String,
    },
    /// A report in JSON is of another version or malformed.
    #[error("the report cannot be read: {problem}")]
    BadReport {
        /// What is wrong with it and what to do.
        problem: String,
    },
    /// Two reports have nothing that could be set side by side.
    #[error("{after} and {before} have nothing in common to compare: {problem}")]
    NothingInCommon {
        /// The earlier report, as it was named.
        before: String,
        /// The later report.
        after: String,
        /// What each has, and what to do.
        problem: String,
    },
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried: open, read, write.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// Where in the input something was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The file, where there is one.
    pub file: Option<PathBuf>,
    /// The row, from 1, the header not counted.
    pub row: Option<u64>,
}

impl Place {
    /// A row of a batch in memory, given by its index from 0.
    pub(crate) fn row(index: usize) -> Self {
        Place { file: None, row: Some(index as u64 + 1) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(row) = self.row {
            write!(f, " in row {row}")?;
        }
        if let Some(file) = &self.file {
            write!(f, " of {}", file.display())?;
        }
        Ok(())
    }
}

/// Where the first value that does not fit stands, to append.
fn first_odd(place: &Place) -> String {
    match (place.row, &place.file) {
        (Some(row), _) if row > 1 => format!(" (the first that does not fit is{place})"),
        (_, Some(file)) => format!(" in {}", file.display()),
        _ => String::new(),
    }
}

/// How many names a message lists before it stops.
const LISTED: usize = 12;

fn quoted(values: &[String]) -> String {
    let mut text = values.iter().take(LISTED).map(|v| format!("`{v}`")).collect::<Vec<_>>().join(", ");
    if values.len() > LISTED {
        text.push_str(&format!(" and {} more", values.len() - LISTED));
    }
    if text.is_empty() { "no value".into() } else { text }
}

fn offer(suggestion: &Option<String>, available: &[String], kind: &str) -> String {
    match suggestion {
        Some(name) => format!("did you mean `{name}`?"),
        None if available.is_empty() => format!("there is no {kind} at all"),
        None => format!("choose from {}", quoted(available)),
    }
}

/// The name nearest to `wanted`, where one is near enough to be a slip.
pub(crate) fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let wanted = wanted.to_lowercase();
    names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name.to_string())
}

impl Error {
    /// A name that is not among those there are, with the nearest one suggested.
    pub(crate) fn unknown<'a>(
        kind: &'static str,
        name: &str,
        context: impl Into<String>,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let available: Vec<String> = names.into_iter().map(String::from).collect();
        Error::Unknown {
            kind,
            name: name.into(),
            context: context.into(),
            suggestion: nearest(name, available.iter().map(String::as_str)),
            available,
        }
    }

    /// A column that is not among those there are.
    pub(crate) fn missing_column(column: &str, file: Option<PathBuf>, available: Vec<String>) -> Self {
        Error::MissingColumn {
            column: column.into(),
            place: Place { file, row: None },
            suggestion: nearest(column, available.iter().map(String::as_str)),
            available,
        }
    }

    /// A setting outside its range.
    pub(crate) fn setting(setting: &str, value: impl fmt::Display, expected: impl Into<String>) -> Self {
        Error::BadSetting { setting: setting.into(), value: value.to_string(), expected: expected.into() }
    }
}
