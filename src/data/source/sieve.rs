//! Which rows of a chunk satisfy the filter, before anything else is read of them.

use super::intake::Fault;
#[cfg(feature = "csv")]
use super::intake::{First, extend};
use super::intern::TextCache;
use super::plan::{FilterPlan, Missing};

/// The answers of a test as codes.
const NO: u8 = 0;
const YES: u8 = 1;

/// Finds the rows of one unit that satisfy all conditions.
pub(super) struct Sieve<'p> {
    pub conditions: Vec<Sifted<'p>>,
    /// The rows of the chunk, from 0, that do.
    pub kept: Vec<u32>,
    /// Of the rows that the sinks hold, which of the file they are.
    pub held: Held,
    /// The rows of the unit that do not.
    pub left_out: u64,
}

/// Rows of the file, in the order in which they were added.
#[derive(Default)]
pub(super) struct Held {
    /// How far each is behind the first row of its chunk.
    at: Vec<u32>,
    /// Of every chunk, how many rows were there before it and its first row.
    chunks: Vec<(usize, u64)>,
}

impl Held {
    fn add(&mut self, row: u64, kept: &[u32]) {
        self.chunks.push((self.at.len(), row));
        self.at.extend_from_slice(kept);
    }

    pub fn row(&self, index: usize) -> Option<u64> {
        let at = self.at.get(index)?;
        let chunk = self.chunks.partition_point(|(before, _)| *before <= index).checked_sub(1)?;
        Some(self.chunks[chunk].1 + u64::from(*at))
    }

    pub fn clear(&mut self) {
        self.at.clear();
        self.chunks.clear();
    }
}

/// A condition and what is known of its column's values.
pub(super) struct Sifted<'p> {
    pub plan: &'p FilterPlan,
    missing: &'p Missing,
    cache: TextCache,
    /// The answer for each row of the chunk.
    pub codes: Vec<u8>,
}

impl<'p> Sieve<'p> {
    pub fn new(conditions: &'p [FilterPlan], missing: &'p Missing) -> Self {
        let sifted = |plan: &'p FilterPlan| Sifted { plan, missing, cache: TextCache::new(), codes: Vec::new() };
        Sieve {
            conditions: conditions.iter().map(sifted).collect(),
            kept: Vec::new(),
            held: Held::default(),
            left_out: 0,
        }
    }

    /// Takes the answers to all conditions together, for as many rows, of which the first is `row` of the file.
    pub fn settle(&mut self, row: u64, rows: usize) {
        let mut kept = 0;
        if let [first, others @ ..] = self.conditions.as_mut_slice() {
            for other in others {
                first.codes.iter_mut().zip(&other.codes).for_each(|(all, one)| *all &= *one);
            }
            // Every row is written where the next kept one belongs: which are kept is no branch.
            self.kept.resize(rows, 0);
            for (at, code) in (0..).zip(&first.codes) {
                self.kept[kept] = at;
                kept += usize::from(*code == YES);
            }
        }
        self.kept.truncate(kept);
        self.held.add(row, &self.kept);
        self.left_out += (rows - self.kept.len()) as u64;
    }

    /// Tests rows of texts; `field` gives the text of one of them in a column. The fault is that of the first row.
    #[cfg(feature = "csv")]
    pub fn texts<'r>(
        &mut self,
        row: u64,
        rows: usize,
        field: impl Fn(usize, usize) -> &'r [u8],
    ) -> Result<(), (usize, usize, Fault)> {
        let mut failed = First::default();
        for condition in &mut self.conditions {
            let column = condition.plan.column;
            let mut codes = std::mem::take(&mut condition.codes);
            codes.clear();
            let code = |at| condition.find(field(at, column)).map_err(|fault| (at, fault));
            failed.keep(column, extend(&mut codes, (0..rows).map(code)));
            condition.codes = codes;
        }
        failed.done()?;
        self.settle(row, rows);
        Ok(())
    }
}

impl Sifted<'_> {
    /// The answer for a text that has likely been met before.
    #[inline]
    pub fn find(&mut self, raw: &[u8]) -> Result<u8, Fault> {
        match self.cache.get(raw) {
            Ok(code) => Ok(code as u8),
            Err(slot) => {
                let code = self.code(std::str::from_utf8(raw).map_err(|_| Fault::Utf8)?)?;
                self.cache.put(slot, raw, code.into());
                Ok(code)
            }
        }
    }

    /// The answer for a text.
    pub fn code(&self, raw: &str) -> Result<u8, Fault> {
        let text = raw.trim();
        if self.missing.has(text) {
            return Ok(self.missing_code());
        }
        let test = &self.plan.test;
        let wrong = || Fault::Number { value: text.into(), expected: test.expected() };
        test.holds(text).map(u8::from).ok_or_else(wrong)
    }

    /// The answer for a number that is compared with numbers.
    #[cfg(feature = "parquet")]
    pub fn number(&self, value: f64) -> Result<u8, Fault> {
        if self.missing.has_number(value) || (value.is_nan() && self.missing.has("NaN")) {
            return Ok(self.missing_code());
        }
        if !value.is_finite() {
            return Err(Fault::Number { value: value.to_string(), expected: self.plan.test.expected() });
        }
        Ok(u8::from(self.plan.test.holds_number(value)))
    }

    /// Adds the answers for numbers that are all compared with one, and says whether they are.
    #[cfg(feature = "parquet")]
    pub fn numbers(&self, values: &[f64], codes: &mut Vec<u8>) -> bool {
        let crate::data::Test::Number(side, bound) = &self.plan.test else { return false };
        if self.missing.has_numbers() || !values.iter().fold(true, |all, value| all & value.is_finite()) {
            return false;
        }
        codes.extend(values.iter().map(|value| u8::from(side.holds(value, bound))));
        true
    }

    /// The answer for no value.
    pub fn missing_code(&self) -> u8 {
        match self.plan.test {
            crate::data::Test::Missing => YES,
            _ => NO,
        }
    }
}
