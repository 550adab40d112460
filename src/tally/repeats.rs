//! Rows that each stand for many: counts that were made elsewhere become a tally.

use super::accumulate::{State, chunks, full};
use super::cells::{DECISIONS, SLOTS};
use super::kernel::{CHUNK, Span};
use super::scores::{ScoreTable, key_of};
use super::{Accumulator, Limits, Tally};
use crate::data::parts::WHOLE;
use crate::data::{Batch, Rule};
use crate::error::{Error, Place, Result};

/// How far apart sums that different engines round differently may be, of their size.
const ROUNDING: f64 = 1e-6;

/// For how many people each row of a batch stands, and the sums of their weights.
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical};
/// use evenhand::tally::{Cells, Tally};
/// // SELECT sex, targeted, COUNT(*) ... GROUP BY sex, targeted
/// let sex = Categorical::from_values("sex", ["f", "f", "m"]);
/// let batch = Batch::builder().attribute(sex).decision([0, 1, 1]).build()?;
/// let tally = Tally::of_cells(&batch, &Cells::new(&[30, 10, 40]))?;
/// assert_eq!((tally.rows(), tally.occupied()), (80, 2));
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Cells<'a> {
    rows: &'a [u64],
    weights: Option<[&'a [f64]; 2]>,
}

impl<'a> Cells<'a> {
    /// So many people of weight 1 for each row of the batch, at least one.
    pub fn new(rows: &'a [u64]) -> Self {
        Cells { rows, weights: None }
    }

    /// Adds Σw and Σw² of the people of each row.
    #[must_use]
    pub fn weights(self, sums: &'a [f64], squares: &'a [f64]) -> Self {
        Cells { weights: Some([sums, squares]), ..self }
    }

    pub(super) fn is_weighted(&self) -> bool {
        self.weights.is_some()
    }

    /// The people of a row, Σw and Σw².
    fn at(&self, row: usize) -> (u64, [f64; 2]) {
        let rows = self.rows[row];
        (rows, self.weights.map_or([rows as f64; 2], |[sums, squares]| [sums[row], squares[row]]))
    }

    /// All people, if they can be counted.
    fn total(&self) -> Option<u64> {
        self.rows.iter().try_fold(0u64, |sum, rows| sum.checked_add(*rows))
    }

    fn check(&self, rows: usize) -> Result<()> {
        let [sums, squares] = self.weights.unwrap_or([&[], &[]]);
        let lengths = [("rows", self.rows.len()), ("weight", sums.len()), ("weight_squared", squares.len())];
        let given = if self.is_weighted() { 3 } else { 1 };
        for (column, found) in lengths.into_iter().take(given) {
            if found != rows {
                return Err(Error::UnequalLengths { column: column.into(), rows: found, expected: rows });
            }
        }
        for row in 0..rows {
            if let Err((column, value, expected)) = check_cell(self.rows[row], self.weights.map(|w| w.map(|w| w[row])))
            {
                return Err(Error::BadNumber { column: column.into(), value, place: Place::row(row), expected });
            }
        }
        Ok(())
    }
}

/// What is wrong with a cell: the column, what it holds and what it needs.
pub(crate) type Wrong = (&'static str, String, &'static str);

/// Checks that there can be so many people with these sums of weights and of squared weights.
pub(crate) fn check_cell(rows: u64, weights: Option<[f64; 2]>) -> std::result::Result<(), Wrong> {
    if rows == 0 {
        return Err(("rows", "0".into(), "at least one row in every cell; leave cells without rows out"));
    }
    let Some([sum, squares]) = weights else { return Ok(()) };
    let sound = |v: f64| v.is_finite() && v >= 0.0;
    if !sound(sum) {
        return Err(("weight", sum.to_string(), "a finite sum of weights of at least 0"));
    }
    if !sound(squares) {
        return Err(("weight_squared", squares.to_string(), "a finite sum of squared weights of at least 0"));
    }
    // Cauchy-Schwarz, (Σw)² ≤ n·Σw², and Σw² ≤ (Σw)² where no weight is below 0. Roots keep it in range.
    let (root, n) = (squares.sqrt(), (rows as f64).sqrt());
    if sum > n * root * (1.0 + ROUNDING) || root > sum * (1.0 + ROUNDING) {
        let expected = "a sum of squares that so many weights of that sum can have: from (Σw)² / rows to (Σw)²";
        return Err(("weight_squared", format!("{squares} beside the sum {sum} of {rows} rows"), expected));
    }
    Ok(())
}

impl Accumulator {
    /// Adds a batch whose rows each stand for many people: those of a cell of a table of counts. Every part of a row is
    /// read as in [`update`](Self::update), but that weights come as sums. A cell may stand in several rows.
    ///
    /// # Errors
    /// As for [`update`](Self::update); [`Error::UnequalLengths`]; [`Error::BadNumber`] with column and row for a count
    /// of 0 and for sums that no weights have; [`Error::BadSetting`] for a batch with weights by row, or one that selects
    /// the best of its rows, which are not people; [`Error::Mismatch`] where the counts exceed what 64 bits hold.
    pub fn update_cells(&mut self, batch: &Batch, cells: &Cells) -> Result<()> {
        if let Some(model) = batch.models.iter().find(|m| matches!(m.rule, Rule::Cut(_))) {
            let setting = format!("the selection of the best of `{}`", model.name);
            return Err(Error::setting(
                &setting,
                "made from rows that stand for many",
                "a threshold, or decisions given",
            ));
        }
        self.add_cells(batch, cells)
    }

    /// The same for a batch whose selections are right.
    pub(crate) fn add_cells(&mut self, batch: &Batch, cells: &Cells) -> Result<()> {
        if batch.weight.is_some() {
            return Err(Error::setting("the weight", "given for each row", "sums for each cell, by `Cells::weights`"));
        }
        cells.check(batch.rows)?;
        let soft = batch.segmentations.iter().any(|s| s.parts.is_some());
        let most = if soft { u64::MAX / u64::from(WHOLE) } else { u64::MAX };
        let total = cells.total().and_then(|total| total.checked_add(self.rows_so_far()));
        if total.is_none_or(|total| total > most) {
            return Err(Error::Mismatch { problem: format!("they count more than {most} rows") });
        }
        self.take(batch, Some(cells))
    }
}

impl Tally {
    /// Counts a batch whose rows each stand for many people: one [`Accumulator::update_cells`] with usual limits.
    ///
    /// # Errors
    /// As for [`Accumulator::update_cells`].
    pub fn of_cells(batch: &Batch, cells: &Cells) -> Result<Self> {
        let mut accumulator = Accumulator::new(Limits::default());
        accumulator.update_cells(batch, cells)?;
        let nothing = Error::Nothing { problem: "there are no rows", place: Place::default() };
        accumulator.finish()?.ok_or(nothing)
    }
}

impl State {
    /// Adds rows that each stand for many, one by one: there are few.
    pub(super) fn add_cells(&mut self, batch: &Batch, cells: &Cells, limits: Limits) -> Result<()> {
        if !self.is_derived() {
            for model in 0..self.tables.len() {
                self.add_cells_of(model, batch, cells, limits)?;
            }
        }
        for (all, segments) in self.segmentations.iter_mut().zip(&batch.segmentations) {
            segments.as_axes(batch).iter().try_for_each(|pass| all.take(pass, Some(cells)))?;
        }
        let units: u64 = match batch.parts {
            Some(parts) => cells.rows.iter().zip(parts).map(|(rows, part)| rows * u64::from(*part)).sum(),
            None => cells.rows.iter().sum(),
        };
        self.units += units;
        Ok(())
    }

    fn add_cells_of(&mut self, model: usize, batch: &Batch, cells: &Cells, limits: Limits) -> Result<()> {
        let full = full(batch, model, &self.radices);
        let scores = batch.models.get(model).and_then(|m| m.score.as_ref()).map(|s| &*s.values);
        let mut kept = Vec::new();
        let mut keys = [0u64; CHUNK];
        for chunk in chunks(Span { from: 0, to: batch.rows }) {
            let keys = &mut keys[..chunk.to - chunk.from];
            full.stage(keys, chunk);
            for (row, key) in (chunk.from..chunk.to).zip(keys.iter().map(|k| *k as usize)) {
                let (rows, [weight, squared]) = cells.at(row);
                let part = batch.parts.map_or(1, |parts| parts[row]);
                if part == 0 {
                    continue;
                }
                let share = if batch.parts.is_some() { f64::from(part) / f64::from(WHOLE) } else { 1.0 };
                let slot = self.group_number((key / SLOTS) as u64, limits)? * SLOTS + key % SLOTS;
                let table = &mut self.tables[model];
                table.rows[slot] += rows * u64::from(part);
                if let Some(weights) = &mut table.weights {
                    weights[slot][0] += share * weight;
                    weights[slot][1] += share * squared;
                }
                let Some(score) = scores.map(|s| s[row]).filter(|s| !s.is_nan()) else { continue };
                if let Some(sums) = &mut table.scores {
                    sums[slot].push_cell(rows, [weight, squared], score);
                }
                kept.push((key_of(score), (slot / DECISIONS) as u32, rows, [weight, squared]));
            }
        }
        if let Some(runs) = &mut self.scores[model] {
            let weighted = self.schema.weighted;
            runs.add(ScoreTable::of_cells(kept, weighted), weighted, limits.max_scores);
        }
        Ok(())
    }
}
