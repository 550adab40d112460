//! The page of a document that is filled from a report.

use askama::Template;

use super::sheet::Sheet;
use super::{Frame, laid_out};
use crate::error::Result;
use crate::report::document::{BLANK, Block, Document, Table, harmless};
use crate::report::words::unglued;

#[derive(Template)]
#[template(path = "report/document.html")]
struct Page {
    frame: Frame,
    title: String,
    lead: String,
    blank: &'static str,
    parts: Vec<Part>,
}

/// A block as the template has it.
enum Part {
    Heading(String),
    Text(String),
    Blank(String),
    Facts(Vec<(String, String)>),
    List(Vec<String>),
    Table(Sheet),
}

fn sheet(table: &Table) -> Sheet {
    let heads: Vec<&str> = table.heads.iter().map(String::as_str).collect();
    let mut sheet = Sheet::new(table.caption.clone(), &heads);
    for row in &table.rows {
        let mut cells = row.iter().map(|c| unglued(&harmless(c)));
        let name = cells.next().unwrap_or_default();
        sheet.row(name, cells.collect());
    }
    sheet.notes.clone_from(&table.notes);
    sheet
}

impl Document {
    /// The document as one HTML file that opens anywhere, without a connection, in the style of
    /// [`Report::to_html`](crate::report::Report::to_html). Needs the feature `html`.
    ///
    /// # Errors
    /// [`Error::BadReport`](crate::Error::BadReport), which no document of a report gives.
    pub fn to_html(&self) -> Result<String> {
        let text = |t: &String| unglued(&harmless(t));
        let part = |block: &Block| match block {
            Block::Heading(t) => Part::Heading(text(t)),
            Block::Text(t) => Part::Text(text(t)),
            Block::Blank(t) => Part::Blank(text(t)),
            Block::Facts(facts) => Part::Facts(facts.iter().map(|(l, t)| (text(l), text(t))).collect()),
            Block::List(all) => Part::List(all.iter().map(text).collect()),
            Block::Table(table) => Part::Table(sheet(table)),
        };
        laid_out(&Page {
            frame: Frame::new(env!("CARGO_PKG_VERSION")),
            title: text(&self.title),
            lead: text(&self.lead),
            blank: BLANK,
            parts: self.blocks.iter().map(part).collect(),
        })
    }
}
