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
    pub held: Vec<u64>,
    /// The rows of the unit that do not.
    pub left_out: u64,
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
        Sieve { conditions: conditions.iter().map(sifted).collect(), kept: Vec::new(), held: Vec::new(), left_out: 0 }
    }

    /// Takes the answers to all conditions together, for as many rows, of which the first is `row` of the file.
    pub fn settle(&mut self, row: u64, rows: usize) {
        self.kept.clear();
        if let [first, others @ ..] = self.conditions.as_mut_slice() {
            for other in others {
                first.codes.iter_mut().zip(&other.codes).for_each(|(all, one)| *all &= *one);
            }
            self.kept.extend((0..).zip(&first.codes).filter(|(_, code)| **code == YES).map(|(at, _)| at));
        }
        self.held.extend(self.kept.iter().map(|at| row + u64::from(*at)));
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

    /// The answer for no value.
    pub fn missing_code(&self) -> u8 {
        match self.plan.test {
            crate::data::Test::Missing => YES,
            _ => NO,
        }
    }
}
