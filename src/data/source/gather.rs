//! What units of reading gave, put together in their order.

use super::intake::{Aim, Outcome};
use super::plan::Plan;
use super::rows::Kept;
use crate::data::BinaryReader;
use crate::error::{Place, Result};
use crate::tally::{Limits, Tally};

/// What the units so far have given.
#[derive(Debug)]
pub(super) struct Gathered {
    pub rows: u64,
    /// Those of them that the filter left out.
    pub left_out: u64,
    /// Tallies of rising age, each of at least twice the units of the one after it: so a row's score is merged a
    /// few times only, however many units there are.
    tallies: Vec<(usize, Tally)>,
    pub readers: Vec<BinaryReader>,
    numbers: Vec<Vec<f64>>,
    kept: Option<Kept>,
    limits: Limits,
}

impl Gathered {
    pub fn new(plan: &Plan, aim: Aim) -> Self {
        let limits = if let Aim::Tally(limits) = aim { limits } else { Limits::default() };
        Gathered {
            rows: 0,
            left_out: 0,
            tallies: Vec::new(),
            readers: plan.readers(),
            numbers: Vec::new(),
            kept: None,
            limits,
        }
    }

    /// Adds what the next unit gave, whose rows are counted from `start`.
    pub fn add(&mut self, part: Outcome, start: u64, place: impl Fn(u64) -> Place) -> Result<()> {
        for (all, part) in self.readers.iter_mut().zip(&part.readers) {
            all.absorb(part, start);
            all.check(&place)?;
        }
        if let Some(error) = part.failed {
            return Err(error);
        }
        if let Some(mut tally) = part.tally {
            let mut units = part.units;
            while let Some((older, mut all)) = self.tallies.pop_if(|(older, _)| *older <= units) {
                all.merge(&tally)?;
                all.keep_within(self.limits);
                (units, tally) = (older + units, all);
            }
            self.tallies.push((units, tally));
        }
        if self.numbers.is_empty() {
            self.numbers = part.numbers;
        } else {
            self.numbers.iter_mut().zip(part.numbers).for_each(|(all, part)| all.extend(part));
        }
        if let Some(part) = part.kept {
            match &mut self.kept {
                Some(kept) => kept.append(part),
                none => *none = Some(part),
            }
        }
        self.rows += part.rows;
        self.left_out += part.left_out;
        Ok(())
    }

    /// All as if it were of one unit.
    pub fn finish(self) -> Result<Outcome> {
        let units = self.tallies.iter().map(|(units, _)| units).sum();
        let mut all: Option<Tally> = None;
        for (_, mut older) in self.tallies.into_iter().rev() {
            if let Some(tally) = all {
                older.merge(&tally)?;
                older.keep_within(self.limits);
            }
            all = Some(older);
        }
        let Gathered { rows, left_out, readers, numbers, kept, .. } = self;
        Ok(Outcome { rows, left_out, units, tally: all, readers, numbers, kept, ..Outcome::default() })
    }
}
