//! Documents that are filled from a report as far as it goes: what it cannot know is left as a blank that is marked.

use super::Report;
use super::grid::{Grid, GridRow};
use super::marks::{self, Marks, escape};
use super::view::MORE;
use super::words::{clean, count, counted, cut, name};

/// What a blank begins with.
pub(super) const BLANK: &str = "To be filled in:";

/// The files that a document lists.
const FILES: usize = 20;

/// A part of a document.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Block {
    Heading(String),
    Text(String),
    /// What somebody has to add by hand.
    Blank(String),
    /// A heading and a text.
    Facts(Vec<(String, String)>),
    List(Vec<String>),
    Table(Table),
}

/// A table: the first column holds names.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Table {
    pub caption: String,
    pub heads: Vec<String>,
    pub rows: Vec<Vec<String>>,
    pub notes: Vec<String>,
}

impl Table {
    pub fn of_grid(caption: impl Into<String>, first: &str, grid: &Grid) -> Self {
        let row = |r: &GridRow| {
            let named = format!("{}{}", name(&r.group, 60), r.mark);
            std::iter::once(named).chain(r.cells.iter().map(|cell| marks::figure(cell))).collect()
        };
        Table {
            caption: caption.into(),
            heads: std::iter::once(first.to_string()).chain(grid.heads.iter().cloned()).collect(),
            rows: grid.rows.iter().map(row).collect(),
            notes: grid.notes.clone(),
        }
    }
}

/// A document made from a report: a model card, a data card, the summary that a law asks for.
///
/// What the audit cannot know is in it as "To be filled in: ...". Names from the data are escaped in every form.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    pub(super) title: String,
    pub(super) lead: String,
    pub(super) blocks: Vec<Block>,
}

impl Report {
    /// The files that were read, as facts of a document.
    pub(super) fn files(&self, behind_name: &str) -> Vec<(String, String)> {
        let fact = |text: String| ("File".to_string(), text);
        let inputs = &self.provenance.inputs;
        let file = |f: &super::InputFile| {
            let (rows, hash) = (counted(f.rows, "row", "rows"), name(&f.blake3, 64));
            fact(format!("{}{behind_name}{rows}, blake3 {hash}", name(&f.path, 60)))
        };
        let more = inputs.len().saturating_sub(FILES) as u64;
        let rest = (more > 0).then(|| fact(format!("and {} more, {MORE}", count(more))));
        inputs.iter().take(FILES).map(file).chain(rest).collect()
    }
}

impl Document {
    pub(super) fn new(title: impl Into<String>, lead: impl Into<String>) -> Self {
        Document { title: title.into(), lead: lead.into(), blocks: Vec::new() }
    }

    pub(super) fn heading(&mut self, text: &str) {
        self.blocks.push(Block::Heading(text.into()));
    }

    pub(super) fn text(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Text(text.into()));
    }

    pub(super) fn blank(&mut self, text: &str) {
        self.blocks.push(Block::Blank(text.into()));
    }

    pub(super) fn blanks(&mut self, texts: &[&str]) {
        texts.iter().for_each(|text| self.blank(text));
    }

    pub(super) fn facts(&mut self, facts: Vec<(String, String)>) {
        if !facts.is_empty() {
            self.blocks.push(Block::Facts(facts));
        }
    }

    pub(super) fn list(&mut self, texts: Vec<String>) {
        if !texts.is_empty() {
            self.blocks.push(Block::List(texts));
        }
    }

    pub(super) fn table(&mut self, table: Table) {
        self.blocks.push(Block::Table(table));
    }

    /// How many blanks are left to be filled in.
    pub fn blanks_left(&self) -> usize {
        self.blocks.iter().filter(|b| matches!(b, Block::Blank(_))).count()
    }

    /// The document as GitHub-flavoured Markdown, to be edited further.
    pub fn to_markdown(&self) -> String {
        let mut page = Marks::default();
        page.line(&format!("# {}\n\n{}", escape(&self.title), escape(&harmless(&self.lead))));
        for block in &self.blocks {
            match block {
                Block::Heading(text) => page.heading(2, text),
                Block::Text(text) => page.line(&format!("\n{}", escape(&harmless(text)))),
                Block::Blank(text) => page.line(&format!("\n**{BLANK}** *{}*", escape(text))),
                Block::Facts(facts) => {
                    page.line("");
                    facts.iter().for_each(|(label, text)| page.item(label, &harmless(text)));
                }
                Block::List(texts) => {
                    page.line("");
                    texts.iter().for_each(|text| page.line(&format!("- {}", escape(&harmless(text)))));
                }
                Block::Table(table) => {
                    page.line(&format!("\n{}:\n", escape(&table.caption)));
                    page.row(table.heads.iter().map(|h| escape(h)));
                    let rule = (0..table.heads.len()).map(|i| if i == 0 { ":--" } else { "--:" }.to_string());
                    page.row(rule);
                    table.rows.iter().for_each(|row| page.row(row.iter().map(|c| escape(&harmless(c)))));
                    page.line("");
                    table.notes.iter().for_each(|n| page.line(&format!("{}  ", escape(n))));
                }
            }
        }
        page.finish()
    }
}

/// Text that may hold hostile names.
pub(super) fn harmless(text: &str) -> String {
    cut(clean(text).trim(), 1000)
}
