//! Lines of text for a terminal: wrapped, painted, none wider than asked.

use super::grid::Grid;
use super::words::{self, name, width};
use crate::audit::Verdict;

/// How [`Report::to_text`](super::Report::to_text) looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextStyle {
    /// Whether to use ANSI colours. Nothing is told by colour alone.
    pub color: bool,
    /// The columns of a line, at least 60: no line is wider.
    pub width: usize,
    /// Whether to show everything: all findings, groups, intersections and strata.
    pub full: bool,
}

impl Default for TextStyle {
    /// No colour, 80 columns, the gravest only.
    fn default() -> Self {
        TextStyle { color: false, width: 80, full: false }
    }
}

pub(super) const BOLD: &str = "1";
pub(super) const DIM: &str = "2";
/// The width of the headings of a list of facts.
const LABEL: usize = 12;
/// The widest that a table's first column gets.
const NAMES: usize = 34;

/// Text under construction.
pub(super) struct Lines {
    out: String,
    pub style: TextStyle,
}

impl Lines {
    pub fn new(style: TextStyle) -> Self {
        Lines { out: String::new(), style: TextStyle { width: style.width.max(60), ..style } }
    }

    /// The text.
    pub fn finish(self) -> String {
        words::unglued(&self.out)
    }

    pub fn paint(&self, code: &str, text: &str) -> String {
        if self.style.color && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.into() }
    }

    pub fn verdict(&self, v: Verdict, text: &str) -> String {
        let code = match v {
            Verdict::Pass => "1;32",
            Verdict::Inconclusive => "1;33",
            Verdict::Fail => "1;31",
        };
        self.paint(code, text)
    }

    pub fn limit(&self, short: usize) -> usize {
        if self.style.full { usize::MAX } else { short }
    }

    pub fn blank(&mut self) {
        self.out.push('\n');
    }

    /// A line that is known to fit.
    pub fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    /// Text in as many lines as it needs: the first after `first`, the others indented by as much.
    pub fn flow(&mut self, first: &str, text: &str, code: &str) {
        self.flow_after(first, width(first), text, code);
    }

    /// The same, after something painted of the given width.
    pub fn flow_after(&mut self, first: &str, indent: usize, text: &str, code: &str) {
        for (i, line) in words::wrap(text, self.style.width.saturating_sub(indent)).iter().enumerate() {
            let line = self.paint(code, line);
            let before = if i == 0 { first.to_string() } else { " ".repeat(indent) };
            self.line(&format!("{before}{line}"));
        }
    }

    pub fn heading(&mut self, text: &str) {
        let text = self.paint(BOLD, &words::cut(text, self.style.width));
        self.blank();
        self.line(&text);
    }

    /// A heading and a text; a heading that repeats is left out.
    pub fn facts<S: AsRef<str>>(&mut self, facts: &[(S, String)]) {
        let mut last = "";
        for (label, text) in facts {
            let label = label.as_ref();
            let shown = if label == last { "" } else { label };
            last = label;
            self.flow(&format!("  {shown:<LABEL$}"), text, "");
        }
    }

    /// A command in lines that can be pasted into a shell.
    pub fn command(&mut self, label: &str, command: &str) {
        let indent = LABEL + 2;
        let lines = words::wrap(command, self.style.width.saturating_sub(indent + 2));
        for (i, line) in lines.iter().enumerate() {
            let (label, more) = (if i == 0 { label } else { "" }, if i + 1 < lines.len() { " \\" } else { "" });
            self.line(&format!("  {label:<LABEL$}{line}{more}"));
        }
    }

    /// Whether the names have the room that they need.
    pub fn fits(&self, grid: &Grid) -> bool {
        let widest = grid.rows.iter().map(|r| width(&name(&r.group, NAMES)) + width(r.mark)).max().unwrap_or(0);
        widest <= self.room(grid)
    }

    /// The columns that a table's figures leave for the names.
    pub fn room(&self, grid: &Grid) -> usize {
        self.style.width.saturating_sub(2 + widths(grid).iter().map(|w| w + 2).sum::<usize>())
    }

    pub fn grid(&mut self, grid: &Grid) {
        let widths = widths(grid);
        let widest = grid.rows.iter().map(|r| width(&name(&r.group, NAMES)) + width(r.mark)).max().unwrap_or(0);
        let first = widest.max(5).min(self.room(grid).max(6));
        let row = |label: &str, cells: &[String]| {
            let mut line = format!("  {label}{}", " ".repeat(first.saturating_sub(width(label))));
            for (cell, w) in cells.iter().zip(&widths) {
                line.push_str(&format!("  {}{cell}", " ".repeat(w.saturating_sub(width(cell)))));
            }
            line
        };
        let head = row("Group", &grid.heads);
        self.line(&self.paint(BOLD, head.trim_end()));
        for r in &grid.rows {
            let label = format!("{}{}", name(&r.group, first.saturating_sub(width(r.mark))), r.mark);
            self.line(&row(&label, &r.cells));
        }
        for note in &grid.notes {
            self.flow("  ", note, DIM);
        }
    }
}

fn widths(grid: &Grid) -> Vec<usize> {
    let of = |i: usize| grid.rows.iter().map(|r| width(&r.cells[i])).chain([width(&grid.heads[i])]).max().unwrap_or(0);
    (0..grid.heads.len()).map(of).collect()
}
