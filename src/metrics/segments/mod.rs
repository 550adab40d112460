//! Measures of a segmentation: who is put into which segment.

pub mod association;
pub mod balance;
pub mod benefit;
pub mod classes;
pub mod divergence;
pub mod flow;
pub mod information;
pub mod leakage;
pub mod ordered;
mod quadratic;
mod sampling;
pub mod shares;
#[cfg(test)]
mod simulate;
mod table;

use crate::tally::Cell;

/// The people of one group by segment, and by true class (or earlier segment) where there is one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SegmentCounts {
    /// How many segments there are.
    pub segments: usize,
    /// `cells[class * segments + segment]`; a single class where there are no classes. Soft assignments count
    /// in part.
    pub cells: Vec<Cell>,
    /// The rows without a segment, or whose class is not known.
    pub unassigned: Cell,
}

/// What holds for all groups of a segmentation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Segmentation {
    /// The segments' names; from worst to best where `ordered`.
    pub segments: Vec<String>,
    /// Whether the segments have an order, from worst to best.
    pub ordered: bool,
    /// What each segment is worth to those in it.
    pub values: Option<Vec<f64>>,
    /// The names of the true classes or earlier segments; empty where there are none.
    pub classes: Vec<String>,
    /// Whether the classes are an earlier assignment to the same segments (a flow), not the truth.
    pub earlier: bool,
}

impl SegmentCounts {
    /// Of plain rows: how many of the group are in each segment.
    pub fn of_rows(rows: &[f64]) -> Self {
        SegmentCounts {
            segments: rows.len(),
            cells: rows.iter().map(|r| Cell::of_rows(*r)).collect(),
            unassigned: Cell::default(),
        }
    }

    /// The people of several groups together.
    pub fn joined(groups: &[&SegmentCounts]) -> Self {
        let mut all = groups.first().map_or_else(SegmentCounts::default, |g| (*g).clone());
        for group in groups.iter().skip(1) {
            all.cells.iter_mut().zip(&group.cells).for_each(|(sum, cell)| sum.add(cell, 1.0));
            all.unassigned.add(&group.unassigned, 1.0);
        }
        all
    }

    /// The people in each segment, whatever their class.
    pub fn by_segment(&self) -> Vec<Cell> {
        let mut sums = vec![Cell::default(); self.segments];
        for row in self.cells.chunks(self.segments.max(1)) {
            sums.iter_mut().zip(row).for_each(|(sum, cell)| sum.add(cell, 1.0));
        }
        sums
    }
}
