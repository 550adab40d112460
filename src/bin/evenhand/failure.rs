//! Why the tool could not do its work: one readable line, and a second one on what to do.

use std::fmt;
use std::path::PathBuf;

use evenhand::Error;

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
        let hint = hint(&error).map(String::from);
        Failure { message: error.to_string(), hint }
    }
}

/// What to do, where the message does not say it already.
fn hint(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::MissingColumn { .. } => {
            "`evenhand init FILE --output -` lists the columns; a file without a header needs `--no-header`"
        }
        Error::NotBinary { .. } => {
            "`--favorable` and `--missing` may be repeated; `[columns]` in a policy file has both"
        }
        Error::FavorableAbsent { .. } => "correct `--favorable COLUMN=VALUE`; capitals count",
        Error::BadNumber { .. } => "if the text means that there is none, say so: `--missing TEXT`",
        Error::TooManyCells { .. } => {
            "`--attribute 'age:<=25,26-40,>40'` cuts into bands; `--max-cells` sets the limit"
        }
        Error::Unknown { kind: "chart", .. } => "`evenhand chart REPORT` lists the charts of a report",
        Error::Unknown { kind: "metric" | "criterion", .. } => "`evenhand metrics` lists metrics and criteria",
        Error::BadPolicy { .. } => "`evenhand init FILE` writes a policy file in which every setting is explained",
        Error::Malformed { .. } => "if fields are separated otherwise, say by what: `--delimiter CHARACTER`",
        _ => return None,
    })
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", one_line(&self.message))?;
        self.hint.iter().try_for_each(|hint| writeln!(f, "hint: {}", one_line(hint)))
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
