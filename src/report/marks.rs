//! Markdown in which no name is markup.

use super::grid::Grid;
use super::words::{self, name};

/// Text in which nothing is markup: neither Markdown nor HTML, and no bare link.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let text = words::unglued(text);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied().unwrap_or(' ');
        match c {
            '<' if next.is_whitespace() => out.push(c),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' if next.is_alphanumeric() || next == '#' => out.push_str("&amp;"),
            // Inside a word an underscore is none, and a lone dash or plus only starts a list.
            '_' if before.is_alphanumeric() && next.is_alphanumeric() => out.push(c),
            '\\' | '|' | '`' | '*' | '_' | '~' | '#' | '!' | '$' => out.extend(['\\', c]),
            '[' | ']' if !is_figure(before, next) => out.extend(['\\', c]),
            ':' if next == '/' => out.extend(['\\', c]),
            '.' if out.ends_with("www") => out.extend(['\\', c]),
            '@' => out.push_str("&#64;"),
            c => out.push(c),
        }
        before = c;
    }
    out
}

/// The text as code, whatever backticks it holds.
pub(super) fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    format!("{fence} {text} {fence}")
}

/// A figure of a grid without its padding, which is for terminals.
pub(super) fn figure(cell: &str) -> String {
    cell.split_whitespace().collect::<Vec<_>>().join(" ").replace("[ ", "[")
}

/// Whether a bracket stands beside a digit on its inner side and opens or closes an interval.
fn is_figure(before: char, next: char) -> bool {
    (before == ' ' && (next.is_ascii_digit() || next == '-'))
        || (before.is_ascii_digit() && matches!(next, ' ' | ',' | '.' | ';' | ':' | ')'))
}

/// Markdown under construction.
#[derive(Default)]
pub(super) struct Marks {
    out: String,
}

impl Marks {
    /// The text.
    pub fn finish(self) -> String {
        words::unglued(&self.out).replace("\n\n\n", "\n\n")
    }

    pub fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    pub fn heading(&mut self, level: usize, text: &str) {
        let marks = "#".repeat(level);
        self.line(&format!("\n{marks} {}\n", escape(text)));
    }

    pub fn item(&mut self, label: &str, text: &str) {
        self.line(&format!("- **{}:** {}", escape(label), escape(text)));
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<String> = cells.into_iter().collect();
        self.line(&format!("| {} |", cells.join(" | ")));
    }

    pub fn grid(&mut self, grid: &Grid) {
        self.row(std::iter::once("Group".to_string()).chain(grid.heads.iter().map(|h| escape(h))));
        self.row(std::iter::once(":--".to_string()).chain(grid.heads.iter().map(|_| "--:".to_string())));
        for r in &grid.rows {
            let group = format!("{}{}", escape(&name(&r.group, 60)), r.mark);
            // Figures are written here and hold no markup.
            let figures = r.cells.iter().map(|cell| figure(cell));
            self.row(std::iter::once(group).chain(figures));
        }
        self.line("");
        for note in &grid.notes {
            self.line(&format!("{}  ", escape(note)));
        }
    }
}
