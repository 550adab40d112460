//! Why the tool could not do its work: one readable line, and a second one on what to do.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use evenhand::Error;

use crate::manner;

/// An error as the tool shows it.
#[derive(Debug)]
pub struct Failure {
    /// What could not be done.
    message: String,
    /// What to do about it.
    hint: Option<String>,
}

impl Failure {
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Failure { message: message.into(), hint: Some(hint.into()) }
    }

    /// The system would not let a file be written.
    pub fn unwritable(path: &std::path::Path, error: &std::io::Error) -> Self {
        let message = format!("cannot write {}: {error}", path.display());
        Failure { message, hint: Some("nothing was written; choose another place with `--output`".into()) }
    }

    /// Says which policy file is at fault.
    #[must_use]
    pub fn in_policy(mut self, path: &std::path::Path) -> Self {
        let name = path.display().to_string();
        if !self.message.contains(&name) {
            self.message = format!("in the policy {name}: {}", self.message);
        }
        self
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let hint = hint(&error);
        Failure { message: error.to_string(), hint }
    }
}

/// What to do, where the message does not say it already.
fn hint(error: &Error) -> Option<String> {
    let number = |text: &str| text.trim().parse::<f64>().is_ok();
    let fixed = match error {
        Error::MissingColumn { column, .. } if column.contains(',') => {
            let (first, second) = (column.split(',').next(), column.split(',').next_back());
            return first.zip(second).map(|(first, second)| {
                format!("several are named one by one: `--attribute {} --attribute {}`", first.trim(), second.trim())
            });
        }
        Error::MissingColumn { available, .. } if available.first().is_some_and(|name| name == "column_1") => {
            "the file has no header, so that its columns are numbered from the left"
        }
        Error::MissingColumn { suggestion: None, available, .. } if available.len() > 12 => {
            "`evenhand init FILE --output -` lists all columns"
        }
        Error::NotBinary { values, .. } if values.len() > 2 && values.iter().all(|v| number(v)) => {
            "a score is named by `--score COLUMN`; `--threshold NUMBER` or `--top 10%` decides by it"
        }
        Error::NotBinary { .. } => {
            "`--favorable` and `--missing` may be repeated; `[columns]` in a policy file has both"
        }
        Error::FavorableAbsent { .. } => "correct `--favorable COLUMN=VALUE`; capitals count",
        Error::BadNumber { value, .. } if value.contains(',') && number(&value.replace(',', ".")) => {
            return Some(format!("numbers are written with a point: {}", value.replace(',', ".")));
        }
        Error::BadNumber { .. } => "if the text means that there is none, say so: `--missing TEXT`",
        Error::TooManyCells { .. } => {
            "`--attribute 'age:<=25,26-40,>40'` cuts into bands; `--max-cells` sets the limit"
        }
        Error::Unknown { kind: "chart", .. } => "`evenhand chart REPORT` lists the charts of a report",
        Error::Unknown { kind: "metric" | "criterion", .. } => "`evenhand metrics` lists metrics and criteria",
        Error::BadPolicy { .. } => "`evenhand init FILE` writes a policy file in which every setting is explained",
        Error::Malformed { .. } => "if fields are separated otherwise, say by what: `--delimiter CHARACTER`",
        _ => return None,
    };
    Some(fixed.into())
}

impl Failure {
    /// Tells it on standard error: a line for the fault and one for the hint, broken between words at a terminal.
    pub fn tell(&self) {
        let (width, color) = (manner::width_of_errors(), manner::color_of_errors());
        let mut text = String::new();
        for (kind, style, said) in [("error: ", "1;31", Some(&self.message)), ("hint: ", "1;36", self.hint.as_ref())] {
            let Some(said) = said else { continue };
            let (start, indent) = (kind.len(), 2);
            let said = width.map_or_else(|| one_line(said), |w| manner::wrap(&one_line(said), start, indent, w));
            let _ = if color {
                writeln!(text, "\u{1b}[{style}m{}\u{1b}[0m {said}", kind.trim_end())
            } else {
                writeln!(text, "{kind}{said}")
            };
        }
        // Where even stderr is closed, the exit status still tells.
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}

/// Names in messages come from data: an end of line or an escape sequence in one is written out.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.trim().chars() {
        if c.is_control() { line.extend(c.escape_default()) } else { line.push(c) }
    }
    line
}

/// A policy file that cannot be read.
pub fn bad_policy(file: PathBuf, problem: impl Into<String>) -> Failure {
    Error::BadPolicy { place: evenhand::Place { file: Some(file), row: None }, problem: problem.into() }.into()
}
