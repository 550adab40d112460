//! The forms of an audit's report, by name and by the name of the file.

use std::path::Path;

use clap::ValueEnum;
use evenhand::report::{Document, Report, TextStyle};

use crate::failure::Failure;
use crate::output::extension;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people, at a terminal.
    Text,
    /// For programs: everything, to the last figure.
    Json,
    /// For a page or a pull request.
    Markdown,
    /// For a spreadsheet: one row a figure.
    Csv,
    /// For a data frame: the same with types; needs --output.
    Parquet,
    /// For a browser: one file with charts, which opens anywhere without a connection.
    Html,
    /// For a pipeline's list of tests: JUnit's XML.
    Junit,
    /// For a job on GitHub: annotations.
    Github,
    /// A model card to be completed: Markdown, or HTML by the name of the file.
    ModelCard,
    /// A data card to be completed: Markdown, or HTML by the name of the file.
    DataCard,
    /// The summary that NYC Local Law 144 asks to be published: Markdown, or HTML by the name of the file.
    #[value(name = "ll144")]
    LocalLaw144,
}

impl Format {
    /// The form asked for, or that of the file's name.
    pub fn of(asked: Option<Format>, output: Option<&Path>) -> Self {
        asked.unwrap_or(match extension(output).as_deref() {
            Some("json") => Format::Json,
            Some("md" | "markdown") => Format::Markdown,
            Some("csv") => Format::Csv,
            Some("parquet") => Format::Parquet,
            Some("html" | "htm") => Format::Html,
            Some("xml") => Format::Junit,
            _ => Format::Text,
        })
    }

    /// Whether it can be shown where it goes.
    pub fn check(self, output: Option<&Path>) -> Result<(), Failure> {
        match output {
            None if self == Format::Parquet => Err(Failure::new(
                "Parquet is for a file, not for standard output",
                "name one by `--output report.parquet`",
            )),
            _ => Ok(()),
        }
    }

    /// The report in this form.
    pub fn render(self, report: &Report, style: TextStyle, output: Option<&Path>) -> Result<Vec<u8>, Failure> {
        let document = |d: Document| match extension(output).as_deref() {
            Some("html" | "htm") => d.to_html(),
            _ => Ok(d.to_markdown()),
        };
        let mut bytes = match self {
            Format::Text => report.to_text(style),
            Format::Json => report.to_json()?,
            Format::Markdown => report.to_markdown(),
            Format::Csv => report.to_csv(),
            Format::Html => report.to_html()?,
            Format::Junit => report.to_junit(),
            Format::Github => report.to_annotations(),
            Format::ModelCard => document(report.model_card())?,
            Format::DataCard => document(report.data_card())?,
            Format::LocalLaw144 => document(report.local_law_144()?)?,
            Format::Parquet => {
                let mut bytes = Vec::new();
                report.write_parquet(&mut bytes)?;
                return Ok(bytes);
            }
        }
        .into_bytes();
        if bytes.last() != Some(&b'\n') {
            bytes.push(b'\n');
        }
        Ok(bytes)
    }
}
