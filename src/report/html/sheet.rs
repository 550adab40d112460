//! Tables: the first column names, the others hold figures.

use crate::report::grid::Grid;
use crate::report::marks;
use crate::report::view::NAME;
use crate::report::words::{name, unglued};

/// A table as the page has it.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub caption: String,
    /// All headings, that of the names first.
    pub heads: Vec<String>,
    pub rows: Vec<Row>,
    pub notes: Vec<String>,
    /// Whether the cells hold text rather than figures.
    pub text: bool,
}

/// A line of a table.
#[derive(Debug)]
pub(super) struct Row {
    pub name: String,
    pub cells: Vec<String>,
}

impl Sheet {
    pub fn new(caption: impl Into<String>, heads: &[&str]) -> Self {
        Sheet { caption: caption.into(), heads: heads.iter().map(|h| h.to_string()).collect(), ..Sheet::default() }
    }

    pub fn row(&mut self, name: impl Into<String>, cells: Vec<String>) {
        self.rows.push(Row { name: name.into(), cells });
    }

    /// Of a grid that other forms show too; the padding of its figures is for terminals.
    pub fn of_grid(caption: impl Into<String>, grid: Grid) -> Self {
        let figure = |c: &String| marks::figure(&unglued(c));
        let row = |r: &crate::report::grid::GridRow| Row {
            name: format!("{}{}", name(&r.group, 2 * NAME), r.mark),
            cells: r.cells.iter().map(figure).collect(),
        };
        Sheet {
            caption: caption.into(),
            heads: std::iter::once("Group".to_string()).chain(grid.heads.iter().map(|h| unglued(h))).collect(),
            rows: grid.rows.iter().map(row).collect(),
            notes: grid.notes,
            text: false,
        }
    }
}
