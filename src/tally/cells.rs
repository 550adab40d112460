//! What is kept of the rows: sums in the cells of a table.

use serde::{Deserialize, Serialize};

/// Label states × decision states of one group: unfavourable, favourable, unknown × not selected,
/// selected, missing, tied at the edge of a selection.
pub(crate) const SLOTS: usize = 12;
/// Decision states in a slot index.
pub(crate) const DECISIONS: usize = 4;
/// The decision state of rows tied at the edge.
pub(crate) const EDGE: u8 = 3;

/// The rows of one cell: how many, their weight, and the sum of their squared weights, which the
/// variance of a weighted figure needs. Counts are `f64` because rows tied at the edge of a selection
/// count in part.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Cell {
    /// Rows.
    pub rows: f64,
    /// Σw; equals the rows where there are no weights.
    pub weight: f64,
    /// Σw²; equals the rows where there are no weights.
    pub weight_squared: f64,
}

impl Cell {
    /// So many rows of weight 1.
    pub const fn of_rows(rows: f64) -> Self {
        Cell { rows, weight: rows, weight_squared: rows }
    }

    /// Adds the share of another cell.
    pub(crate) fn add(&mut self, other: &Cell, share: f64) {
        self.rows += share * other.rows;
        self.weight += share * other.weight;
        self.weight_squared += share * other.weight_squared;
    }

    /// Whether all rows weigh the same, so that weights say nothing about how sure one is: then
    /// (Σw)² = n·Σw². Rows count as alike if their weights vary by less than some 0.003 %.
    pub(crate) fn is_uniform(&self) -> bool {
        let square = self.weight * self.weight;
        (square - self.rows * self.weight_squared).abs() <= 1e-9 * square
    }

    /// Kish's effective size, (Σw)² / Σw²: the rows that weights leave. 0 for no weight.
    pub fn effective(&self) -> f64 {
        if self.weight_squared > 0.0 { self.weight * self.weight / self.weight_squared } else { 0.0 }
    }
}

/// Sums over the rows of a cell that have a score.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ScoreSums {
    /// Rows with a score.
    pub rows: f64,
    /// Σw.
    pub weight: f64,
    /// Σw².
    pub weight_squared: f64,
    /// Σw·s.
    pub score: f64,
    /// Σw²·s.
    pub score_weighted: f64,
    /// Σw²·s².
    pub score_squared: f64,
}

impl ScoreSums {
    pub(crate) fn push(&mut self, weight: f64, score: f64) {
        let squared = weight * weight;
        self.rows += 1.0;
        self.weight += weight;
        self.weight_squared += squared;
        self.score += weight * score;
        self.score_weighted += squared * score;
        self.score_squared += squared * score * score;
    }

    /// Adds rows of one score, with their Σw and Σw².
    pub(crate) fn push_cell(&mut self, rows: u64, [weight, squared]: [f64; 2], score: f64) {
        self.rows += rows as f64;
        self.weight += weight;
        self.weight_squared += squared;
        self.score += weight * score;
        self.score_weighted += squared * score;
        self.score_squared += squared * score * score;
    }

    pub(crate) fn add(&mut self, other: &ScoreSums, share: f64) {
        self.rows += share * other.rows;
        self.weight += share * other.weight;
        self.weight_squared += share * other.weight_squared;
        self.score += share * other.score;
        self.score_weighted += share * other.score_weighted;
        self.score_squared += share * other.score_squared;
    }
}

/// The cells of one group, whole: label (unfavourable, favourable, unknown) × decision (not selected,
/// selected, missing). Every group metric is a function of these.
///
/// # Examples
/// ```
/// use evenhand::tally::Counts;
/// let counts = Counts::of_confusion(6.0, 2.0, 1.0, 11.0); // tp, fp, fn, tn
/// assert_eq!(counts.selected().rows, 8.0);
/// assert_eq!(counts.total().rows, 20.0);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Counts {
    /// `cells[label][decision]`.
    pub cells: [[Cell; 3]; 3],
    /// The same cells' scores, where the model has scores.
    pub scores: Option<Box<[[ScoreSums; 3]; 3]>>,
}

impl Counts {
    /// From the four numbers of a confusion matrix, unweighted.
    pub fn of_confusion(tp: f64, fp: f64, fn_: f64, tn: f64) -> Self {
        let mut counts = Counts::default();
        counts.cells[0][0] = Cell::of_rows(tn);
        counts.cells[0][1] = Cell::of_rows(fp);
        counts.cells[1][0] = Cell::of_rows(fn_);
        counts.cells[1][1] = Cell::of_rows(tp);
        counts
    }

    /// True positives: label favourable, selected.
    pub fn tp(&self) -> Cell {
        self.cells[1][1]
    }

    /// False positives: label unfavourable, selected.
    pub fn fp(&self) -> Cell {
        self.cells[0][1]
    }

    /// False negatives: label favourable, not selected.
    pub fn fn_(&self) -> Cell {
        self.cells[1][0]
    }

    /// True negatives: label unfavourable, not selected.
    pub fn tn(&self) -> Cell {
        self.cells[0][0]
    }

    /// From parts of rows to rows.
    pub(crate) fn in_rows(&mut self, unit: u32, weighted: bool) {
        for cell in self.cells.iter_mut().flatten() {
            cell.rows /= f64::from(unit);
            if !weighted {
                *cell = Cell::of_rows(cell.rows);
            }
        }
    }

    /// The sum of the cells that a test picks by label and decision.
    pub fn sum(&self, pick: impl Fn(usize, usize) -> bool) -> Cell {
        let mut total = Cell::default();
        for (label, row) in self.cells.iter().enumerate() {
            for (decision, cell) in row.iter().enumerate() {
                if pick(label, decision) {
                    total.add(cell, 1.0);
                }
            }
        }
        total
    }

    /// All rows.
    pub fn total(&self) -> Cell {
        self.sum(|_, _| true)
    }

    /// The rows selected, whatever their label.
    pub fn selected(&self) -> Cell {
        self.sum(|_, decision| decision == 1)
    }

    /// The rows whose label is known, whatever their decision.
    pub fn labelled(&self) -> Cell {
        self.sum(|label, _| label < 2)
    }

    /// Adds another group's cells.
    pub(crate) fn add(&mut self, other: &Counts) {
        for (mine, theirs) in self.cells.iter_mut().flatten().zip(other.cells.iter().flatten()) {
            mine.add(theirs, 1.0);
        }
        if let Some(theirs) = &other.scores {
            let mine = self.scores.get_or_insert_default();
            for (mine, theirs) in mine.iter_mut().flatten().zip(theirs.iter().flatten()) {
                mine.add(theirs, 1.0);
            }
        }
    }

    /// These cells without a part of them.
    pub(crate) fn without(&self, part: &Counts) -> Counts {
        let mut rest = self.clone();
        for (mine, theirs) in rest.cells.iter_mut().flatten().zip(part.cells.iter().flatten()) {
            mine.add(theirs, -1.0);
            // What rounding leaves of a cell without rows is not weight.
            if mine.rows <= 1e-9 {
                *mine = Cell::default();
            }
        }
        if let (Some(mine), Some(theirs)) = (&mut rest.scores, &part.scores) {
            for (mine, theirs) in mine.iter_mut().flatten().zip(theirs.iter().flatten()) {
                mine.add(theirs, -1.0);
                if mine.rows <= 1e-9 {
                    *mine = ScoreSums::default();
                }
            }
        }
        rest
    }
}

/// The sums of all cells of one model: slot `group * SLOTS + label * DECISIONS + decision`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Table {
    pub rows: Vec<u64>,
    /// Σw and Σw², where there are weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Vec<[f64; 2]>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scores: Option<Vec<ScoreSums>>,
}

impl Table {
    pub fn zeros(slots: usize, weighted: bool, scored: bool) -> Self {
        Table {
            rows: vec![0; slots],
            weights: weighted.then(|| vec![[0.0; 2]; slots]),
            scores: scored.then(|| vec![ScoreSums::default(); slots]),
        }
    }

    pub fn grow(&mut self, slots: usize) {
        self.rows.resize(slots, 0);
        if let Some(weights) = &mut self.weights {
            weights.resize(slots, [0.0; 2]);
        }
        if let Some(scores) = &mut self.scores {
            scores.resize(slots, ScoreSums::default());
        }
    }

    /// Adds all of a table of the same shape.
    pub fn add(&mut self, other: &Table) {
        for slot in 0..self.rows.len() {
            self.add_slot(slot, other, slot);
        }
    }

    /// Adds one group of another table to one group of this.
    pub fn add_group(&mut self, to: usize, other: &Table, from: usize) {
        for slot in 0..SLOTS {
            self.add_slot(to * SLOTS + slot, other, from * SLOTS + slot);
        }
    }

    /// Adds one slot of another table to one slot of this.
    pub fn add_slot(&mut self, to: usize, other: &Table, from: usize) {
        self.rows[to] += other.rows[from];
        if let (Some(mine), Some(theirs)) = (&mut self.weights, &other.weights) {
            mine[to][0] += theirs[from][0];
            mine[to][1] += theirs[from][1];
        }
        if let (Some(mine), Some(theirs)) = (&mut self.scores, &other.scores) {
            mine[to].add(&theirs[from], 1.0);
        }
    }

    /// Takes one group of another table out of one group of this; false if rows would go below zero.
    pub fn subtract_group(&mut self, to: usize, other: &Table, from: usize) -> bool {
        for slot in 0..SLOTS {
            let (to, from) = (to * SLOTS + slot, from * SLOTS + slot);
            let Some(left) = self.rows[to].checked_sub(other.rows[from]) else { return false };
            self.rows[to] = left;
            if let (Some(mine), Some(theirs)) = (&mut self.weights, &other.weights) {
                let (mine, theirs) = (&mut mine[to], theirs[from]);
                *mine =
                    if left == 0 { [0.0; 2] } else { [(mine[0] - theirs[0]).max(0.0), (mine[1] - theirs[1]).max(0.0)] };
            }
            if let (Some(mine), Some(theirs)) = (&mut self.scores, &other.scores) {
                mine[to].add(&theirs[from], -1.0);
                if mine[to].rows <= 0.0 {
                    mine[to] = ScoreSums::default();
                }
            }
        }
        true
    }

    pub fn group_rows(&self, group: usize) -> u64 {
        self.rows[group * SLOTS..(group + 1) * SLOTS].iter().sum()
    }

    pub fn is_group_empty(&self, group: usize) -> bool {
        self.rows[group * SLOTS..(group + 1) * SLOTS].iter().all(|r| *r == 0)
    }

    /// One group's cells, the rows tied at the edge shared out: `edge` of them are selected.
    pub fn counts(&self, group: usize, edge: f64) -> Counts {
        let mut counts = Counts { cells: Default::default(), scores: self.scores.as_ref().map(|_| Box::default()) };
        for label in 0..3 {
            for decision in 0..DECISIONS {
                let slot = group * SLOTS + label * DECISIONS + decision;
                let rows = self.rows[slot] as f64;
                if rows == 0.0 {
                    continue;
                }
                let [weight, weight_squared] = self.weights.as_ref().map_or([rows; 2], |w| w[slot]);
                let cell = Cell { rows, weight, weight_squared };
                let shares: &[(usize, f64)] =
                    if decision == usize::from(EDGE) { &[(0, 1.0 - edge), (1, edge)] } else { &[(decision, 1.0)] };
                for (to, share) in shares {
                    counts.cells[label][*to].add(&cell, *share);
                    if let (Some(to_scores), Some(scores)) = (&mut counts.scores, &self.scores) {
                        to_scores[label][*to].add(&scores[slot], *share);
                    }
                }
            }
        }
        counts
    }
}
