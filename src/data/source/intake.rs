//! From fields to batches: every column's part is played here, whatever the file's format.

use super::super::{Batch, Binary, BinaryReader, Categorical, Codes, Model, Numbers, Rule, Segments};
use super::codes::LevelCodes;
#[cfg(feature = "parquet")]
use super::digest::Hashed;
use super::intern::{Levels, MISSING, TextCache};
use super::plan::{LevelPlan, Missing, ModelPlan, NumberPart, Plan, RulePlan, SegmentPart, SegmentPlan, finite};
use super::rows::Kept;
use super::sieve::Sieve;
use super::spool::Input;
use crate::data::parts::{self, Parts};
use crate::error::{Error, Place, Result};
use crate::tally::{Accumulator, Limits, Tally};

/// A value that its column cannot hold; where it stands is known to who reads the file.
#[derive(Debug)]
pub(super) enum Fault {
    Utf8,
    Number {
        value: String,
        expected: &'static str,
    },
    Outside(f64),
    /// The file contradicts itself.
    #[cfg(feature = "parquet")]
    Damaged,
}

/// Of the faults of several columns the one in the first row, with its row and column.
#[derive(Debug, Default)]
pub(super) struct First(Option<(usize, usize, Fault)>);

impl First {
    /// What became of a column; a fault with its row.
    pub fn keep(&mut self, column: usize, done: Result<(), (usize, Fault)>) {
        if let Err((at, fault)) = done
            && self.0.as_ref().is_none_or(|(first, ..)| at < *first)
        {
            self.0 = Some((at, column, fault));
        }
    }

    pub fn done(self) -> Result<(), (usize, usize, Fault)> {
        self.0.map_or(Ok(()), Err)
    }
}

/// What one unit of reading gave.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub rows: u64,
    /// Those of the rows that the filter left out.
    pub left_out: u64,
    /// How many units gave it.
    pub units: usize,
    pub tally: Option<Tally>,
    pub readers: Vec<BinaryReader>,
    pub numbers: Vec<Vec<f64>>,
    pub kept: Option<Kept>,
    /// Of the file, where the unit saw all of its bytes.
    pub blake3: Option<String>,
    /// The next part of the file's hash, where the unit made that.
    #[cfg(feature = "parquet")]
    pub hashed: Option<Hashed>,
    /// What went wrong behind all this.
    pub failed: Option<Error>,
}

/// Takes the rows of one unit, chunk by chunk.
pub(super) struct Intake<'p> {
    pub plan: &'p Plan,
    pub input: &'p Input,
    pub levels: Vec<LevelSink<'p>>,
    pub binaries: Vec<BinarySink>,
    pub numbers: Vec<NumberSink<'p>>,
    /// Chooses rows, where there is a filter.
    pub sieve: Option<Box<Sieve<'p>>>,
    rows: u64,
    /// How many rows of the file are before those of the unit, where rows are not counted from the beginning of the file.
    before: Option<&'p dyn Fn() -> Result<u64>>,
    goal: Goal,
}

enum Goal {
    Tally(Box<Accumulator>),
    Numbers(Vec<Vec<f64>>),
    Rows(Box<Kept>),
}

/// What a read is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Aim {
    /// To count within limits.
    Tally(Limits),
    /// To collect the columns of numbers.
    Numbers,
    /// To keep all columns.
    Rows,
}

/// The columns of some rows, as the plan numbers them.
pub(super) struct Parted<'a> {
    pub rows: usize,
    /// Names and codes.
    pub levels: Vec<(&'a [String], Codes<'a>)>,
    pub binaries: Vec<&'a [u8]>,
    pub numbers: Vec<&'a [f64]>,
}

/// Collects the codes of a column of levels.
pub(super) struct LevelSink<'p> {
    plan: &'p LevelPlan,
    pub missing: &'p Missing,
    cache: TextCache,
    levels: Levels,
    pub codes: LevelCodes,
}

impl LevelSink<'_> {
    /// The code of a text that has likely been met before.
    #[inline]
    pub fn find(&mut self, raw: &[u8]) -> Result<u32, Fault> {
        match self.cache.get(raw) {
            Ok(code) => Ok(code),
            Err(slot) => {
                let code = self.code(std::str::from_utf8(raw).map_err(|_| Fault::Utf8)?)?;
                self.cache.put(slot, raw, code);
                Ok(code)
            }
        }
    }

    #[cfg(feature = "parquet")]
    pub fn column(&self) -> usize {
        self.plan.column
    }

    /// The levels met so far.
    #[cfg(feature = "parquet")]
    pub fn names(&self) -> &[String] {
        self.levels.names()
    }

    /// Whether numbers become bands as they are, with no regard to how they are written.
    #[cfg(feature = "parquet")]
    pub fn is_cut(&self) -> bool {
        self.plan.cuts.is_some() && self.plan.rename.is_empty()
    }

    /// The code of a text: trimmed, then renamed, then missing or cut.
    pub fn code(&mut self, raw: &str) -> Result<u32, Fault> {
        let text = raw.trim();
        let renamed = self.plan.rename.get(text);
        // A missing text that is given a name is a level; one that is used as a name says missing.
        if self.missing.has(renamed.map_or(text, String::as_str)) {
            return Ok(MISSING);
        }
        let text = renamed.map_or(text, String::as_str);
        match &self.plan.cuts {
            None => Ok(self.levels.code(text)),
            Some(_) => match finite(text) {
                Some(value) => self.band(value),
                None => Err(Fault::Number { value: text.into(), expected: NumberPart::Banded.expected() }),
            },
        }
    }

    /// The code of the band of a number.
    pub fn band(&self, value: f64) -> Result<u32, Fault> {
        let band = self.plan.cuts.as_ref().and_then(|cuts| cuts.band(value));
        band.map(|b| b as u32).ok_or(Fault::Outside(value))
    }
}

/// Collects the codes of a column of two values.
pub(super) struct BinarySink {
    pub column: usize,
    cache: TextCache,
    pub reader: BinaryReader,
    pub codes: Vec<u8>,
}

impl BinarySink {
    /// The code of a text that has likely been met before.
    #[inline]
    pub fn find(&mut self, raw: &[u8], row: u64) -> Result<u8, Fault> {
        match self.cache.get(raw) {
            Ok(code) => Ok(code as u8),
            Err(slot) => {
                let text = std::str::from_utf8(raw).map_err(|_| Fault::Utf8)?;
                let code = self.reader.code(text, row);
                self.cache.put(slot, raw, u32::from(code));
                Ok(code)
            }
        }
    }
}

/// Collects a column of numbers.
pub(super) struct NumberSink<'p> {
    pub column: usize,
    pub part: NumberPart,
    pub missing: &'p Missing,
    pub values: Vec<f64>,
}

impl NumberSink<'_> {
    /// The number in a text.
    pub fn parse(&self, text: &str) -> Result<f64, Fault> {
        let text = text.trim();
        let wrong = || Fault::Number { value: text.into(), expected: self.part.expected() };
        self.part.read(text, self.missing).ok_or_else(wrong)
    }
}

impl<'p> Intake<'p> {
    pub fn new(plan: &'p Plan, input: &'p Input, aim: Aim) -> Self {
        let level = |plan: &'p LevelPlan, missing| LevelSink {
            plan,
            missing,
            cache: TextCache::new(),
            // All bands are known beforehand, so that every unit has them in the same order.
            levels: plan.cuts.as_ref().map_or_else(Levels::default, |cuts| Levels::of(cuts.labels())),
            codes: LevelCodes::default(),
        };
        let readers = plan.binaries.iter().zip(plan.readers());
        Intake {
            plan,
            input,
            levels: plan.levels.iter().map(|l| level(l, &plan.missing)).collect(),
            binaries: readers
                .map(|(b, reader)| BinarySink { column: b.column, cache: TextCache::new(), reader, codes: Vec::new() })
                .collect(),
            numbers: plan
                .numbers
                .iter()
                .map(|n| NumberSink { column: n.column, part: n.part, missing: plan.marks(), values: Vec::new() })
                .collect(),
            sieve: (!plan.filter.is_empty()).then(|| Box::new(Sieve::new(&plan.filter, &plan.missing))),
            rows: 0,
            before: None,
            goal: match aim {
                Aim::Tally(limits) => Goal::Tally(Box::new(Accumulator::new(limits))),
                Aim::Numbers => Goal::Numbers(vec![Vec::new(); plan.numbers.len()]),
                Aim::Rows => Goal::Rows(Box::new(Kept::new(plan))),
            },
        }
    }

    /// Counts rows from a place in the file that `before` knows; it is asked on errors only.
    #[cfg(feature = "csv")]
    pub fn behind(mut self, before: &'p dyn Fn() -> Result<u64>) -> Self {
        self.before = Some(before);
        self
    }

    /// A row of the file, or that alone if the file can no longer be read.
    fn place(&self, row: u64) -> Place {
        place(self.input, self.before, row)
    }

    /// Takes rows of texts, of which the first is `row` of the file from 0, column by column; `field` gives the text of one
    /// of them in a column. Gives how many of them are held, those that satisfy the filter. Of several faults the one in the
    /// first row is told, with its column.
    #[cfg(feature = "csv")]
    pub fn push<'r>(
        &mut self,
        row: u64,
        rows: usize,
        field: impl Fn(usize, usize) -> &'r [u8],
    ) -> Result<usize, (usize, usize, Fault)> {
        let Some(mut sieve) = self.sieve.take() else {
            self.take(row, rows, |at| at, field)?;
            return Ok(rows);
        };
        sieve.texts(row, rows, &field)?;
        self.take(row, sieve.kept.len(), |at| sieve.kept[at] as usize, field)?;
        let held = sieve.kept.len();
        self.sieve = Some(sieve);
        Ok(held)
    }

    /// Takes so many rows of texts, `pick` giving the place of each.
    #[cfg(feature = "csv")]
    #[inline(always)]
    fn take<'r>(
        &mut self,
        row: u64,
        rows: usize,
        pick: impl Fn(usize) -> usize,
        field: impl Fn(usize, usize) -> &'r [u8],
    ) -> Result<(), (usize, usize, Fault)> {
        let mut failed = First::default();
        for sink in &mut self.levels {
            let column = sink.plan.column;
            let mut codes = std::mem::take(sink.codes.wide());
            let code = |at| sink.find(field(at, column)).map_err(|fault| (at, fault));
            failed.keep(column, extend(&mut codes, (0..rows).map(&pick).map(code)));
            *sink.codes.wide() = codes;
        }
        for sink in &mut self.binaries {
            let column = sink.column;
            let mut codes = std::mem::take(&mut sink.codes);
            let code = |at| sink.find(field(at, column), row + at as u64).map_err(|fault| (at, fault));
            failed.keep(column, extend(&mut codes, (0..rows).map(&pick).map(code)));
            sink.codes = codes;
        }
        for sink in &mut self.numbers {
            let column = sink.column;
            let mut values = std::mem::take(&mut sink.values);
            let value = |at| {
                let text = std::str::from_utf8(field(at, column)).map_err(|_| (at, Fault::Utf8))?;
                sink.parse(text).map_err(|fault| (at, fault))
            };
            failed.keep(column, extend(&mut values, (0..rows).map(&pick).map(value)));
            sink.values = values;
        }
        failed.done()
    }

    /// The error for a fault in a row of the file, from 0.
    pub fn error(&self, column: usize, fault: Fault, row: u64) -> Error {
        let name = self.plan.columns[column].clone();
        let place = self.place(row);
        match fault {
            Fault::Utf8 => Error::BadNumber { column: name, value: "bytes".into(), place, expected: "text in UTF-8" },
            Fault::Number { value, expected } => Error::BadNumber { column: name, value, place, expected },
            #[cfg(feature = "parquet")]
            Fault::Damaged => self.input.bad(format!("column `{name}` is damaged; write or fetch the file again")),
            Fault::Outside(value) => {
                let cuts = self.plan.levels.iter().filter(|l| l.column == column).find_map(|l| l.cuts.as_ref());
                match cuts {
                    Some(cuts) => cuts.outside(&name, value, place),
                    None => Error::OutsideBands { column: name, value, bands: String::new(), place },
                }
            }
        }
    }

    /// Leaves out rows of which it is known beforehand that they do not satisfy the filter.
    #[cfg(feature = "parquet")]
    pub fn leave_out(&mut self, rows: u64) {
        if let Some(sieve) = &mut self.sieve {
            sieve.left_out += rows;
        }
    }

    /// Counts the `rows` that the sinks hold, and empties them; `next` is the row of the file after them.
    pub fn flush(&mut self, rows: usize, next: u64) -> Result<()> {
        if rows == 0 {
            return Ok(());
        }
        // Which values stand before those of a part of a text is not known here.
        for sink in self.binaries.iter().filter(|_| self.before.is_none()) {
            sink.reader.check(|row| self.place(row))?;
        }
        let (input, before) = (self.input, self.before);
        match &mut self.goal {
            Goal::Numbers(all) => {
                for (all, sink) in all.iter_mut().zip(&self.numbers) {
                    all.extend_from_slice(&sink.values);
                }
            }
            Goal::Tally(accumulator) => {
                let held = self.sieve.as_ref().map(|sieve| &sieve.held);
                let place = |row: usize| {
                    let of_file = held.and_then(|held| held.row(row));
                    place(input, before, of_file.unwrap_or(next - (rows - row) as u64))
                };
                let parted = Parted {
                    rows,
                    levels: self.levels.iter().map(|s| (s.levels.names(), s.codes.all())).collect(),
                    binaries: self.binaries.iter().map(|s| &s.codes[..]).collect(),
                    numbers: self.numbers.iter().map(|s| &s.values[..]).collect(),
                };
                accumulator.update(&batch(self.plan, &parted, place)?)?;
            }
            Goal::Rows(kept) => {
                let levels = self.levels.iter().map(|s| &s.codes);
                kept.add(
                    rows,
                    levels,
                    self.binaries.iter().map(|s| &s.codes[..]),
                    self.numbers.iter().map(|s| &s.values[..]),
                );
            }
        }
        self.levels.iter_mut().for_each(|s| s.codes.clear());
        self.binaries.iter_mut().for_each(|s| s.codes.clear());
        self.numbers.iter_mut().for_each(|s| s.values.clear());
        self.sieve.iter_mut().for_each(|s| s.held.clear());
        self.rows += rows as u64;
        Ok(())
    }

    /// What to say of a fault in a row: a value before it that does not fit comes first.
    #[cfg(feature = "csv")]
    pub fn fail(self, row: u64, fault: Error) -> Result<Outcome> {
        if !self.binaries.iter().any(|b| b.reader.has_misfit_before(row)) {
            return Err(fault);
        }
        let readers = self.binaries.into_iter().map(|b| b.reader).collect();
        Ok(Outcome { readers, failed: Some(fault), ..Outcome::default() })
    }

    pub fn finish(self) -> Result<Outcome> {
        let readers = self.binaries.into_iter().map(|b| b.reader).collect();
        let left_out = self.sieve.map_or(0, |sieve| sieve.left_out);
        let outcome = Outcome { rows: self.rows + left_out, left_out, units: 1, readers, ..Outcome::default() };
        Ok(match self.goal {
            Goal::Tally(accumulator) => Outcome { tally: accumulator.finish()?, ..outcome },
            Goal::Numbers(numbers) => Outcome { numbers, ..outcome },
            Goal::Rows(mut kept) => {
                kept.name(self.levels.iter().map(|s| s.levels.names()));
                Outcome { kept: Some(*kept), ..outcome }
            }
        })
    }
}

fn place(input: &Input, before: Option<&dyn Fn() -> Result<u64>>, row: u64) -> Place {
    let before = before.map_or(Some(0), |before| before().ok());
    input.place(before.map(|before| before + row))
}

/// Adds values up to the first that fails.
#[cfg(feature = "csv")]
#[inline]
pub(super) fn extend<T, E>(all: &mut Vec<T>, values: impl ExactSizeIterator<Item = Result<T, E>>) -> Result<(), E> {
    all.reserve(values.len());
    for value in values {
        all.push(value?);
    }
    Ok(())
}

/// The rows as a batch: borrowed, and not checked again.
pub(super) fn batch<'a>(plan: &'a Plan, parted: &Parted<'a>, place: impl Fn(usize) -> Place) -> Result<Batch<'a>> {
    let Parted { rows, levels, binaries, numbers } = parted;
    let rows = *rows;
    let level = |at: usize| {
        let (names, codes) = &levels[at];
        Categorical::trusted(&plan.levels[at].name, names, codes.clone(), plan.levels[at].ordered())
    };
    let segments = |s: &'a SegmentPlan| {
        let (column, parts) = match &s.segment {
            SegmentPart::Level(at) => (level(*at), None),
            SegmentPart::Shares { names, numbers: shares } => {
                let columns: Vec<&[f64]> = shares.iter().map(|at| numbers[*at]).collect();
                let found = Parts::of_columns(&columns, rows);
                let parts = found.map_err(|row| parts::wrong(&s.asked.column, &columns, row, place(row)))?;
                (parts::column(s.asked.column.clone(), names.clone(), rows)?, Some(parts))
            }
        };
        Ok(Segments {
            column,
            parts,
            classes: s.class.map(level),
            earlier: s.asked.earlier.is_some(),
            order: s.asked.order.clone(),
            values: s.asked.values.clone(),
        })
    };
    let binary = |at: usize| Binary::from(binaries[at]);
    let number = |at: usize| Numbers::trusted(numbers[at]);
    let model = |m: &ModelPlan| Model {
        name: m.name.clone(),
        rule: match (m.decision, m.rule) {
            (Some(decision), RulePlan::Given) => Rule::Given(binary(decision)),
            (_, rule) => rule.of_score(),
        },
        score: m.score.map(number),
        score_name: m.score.map(|at| plan.columns[plan.numbers[at].column].clone()),
    };
    Ok(Batch {
        rows,
        parts: None,
        attributes: (0..plan.attributes).map(level).collect(),
        strata: (plan.attributes..plan.attributes + plan.strata).map(level).collect(),
        label: plan.label.map(binary),
        models: plan.models.iter().map(model).collect(),
        segmentations: plan.segmentations.iter().map(segments).collect::<Result<_>>()?,
        weight: plan.weight.map(number),
        target: plan.target.map(number),
    })
}
