//! Rows of a batch counted by slot and score, while there are few scores and nothing else to sum: that says all that the
//! tables and the runs hold.

use rayon::prelude::*;

use super::accumulate::{BLOCK, Limits, State, chunks};
use super::cells::{DECISIONS, SLOTS};
use super::compact::{Compact, pieces};
use super::few::{Entry, Few};
use super::kernel::{self, CHUNK, Keys, Span};
use super::scores::ScoreTable;
use crate::data::Batch;
use crate::error::Result;

/// Rows from which scores and slots are learned before threads count by what is known.
const LEARNED: usize = 16 * CHUNK;

/// How the rows of a batch get their column.
struct Slots<'a> {
    layout: &'a Compact,
    keys: Keys<'a, 'a>,
    strides: Vec<u64>,
    /// The column of each slot of this batch, once it is met: its group must be numbered.
    columns: Vec<u16>,
    unmet: usize,
}

impl State {
    /// Counts rows of a model by slot and score. Answers those that are yet to be counted otherwise: what they are does not
    /// depend on the number of threads.
    pub fn add_few(&mut self, batch: &Batch, model: usize, layout: &Compact, limits: Limits) -> Result<Vec<Span>> {
        let all = Span { from: 0, to: batch.rows };
        let alone = batch.weight.is_none() && self.scores[model].is_some() && self.targets[model].is_none();
        let scores = batch.models.get(model).and_then(|m| m.score.as_ref()).filter(|_| alone);
        let Some(scores) = scores.filter(|_| self.few[model].is_open()) else { return Ok(vec![all]) };
        let (keys, strides) = (layout.keys(batch, model), kernel::strides(&self.radices, 1));
        let columns = vec![Few::NONE; layout.slots];
        let mut slots = Slots { layout, keys, strides, columns, unmet: layout.slots };
        let scores = &scores.values;
        let first = Span { from: 0, to: batch.rows.min(LEARNED) };
        if let Some(from) = self.learn(model, &mut slots, scores, first, limits)? {
            return Ok(vec![Span { from, to: batch.rows }]);
        }
        let rest = Span { from: first.to, to: batch.rows };
        let mut new = self.count_known(model, &slots, scores, rest).into_iter();
        for span in &mut new {
            if let Some(from) = self.learn(model, &mut slots, scores, span, limits)? {
                let these = Span { from, to: span.to };
                return Ok(std::iter::once(these).chain(new).collect());
            }
        }
        Ok(Vec::new())
    }

    /// Counts rows in turn, with what is new in them. Answers at which row there was no room for more.
    fn learn(
        &mut self,
        model: usize,
        slots: &mut Slots,
        scores: &[f64],
        span: Span,
        limits: Limits,
    ) -> Result<Option<usize>> {
        let mut staged = [0u16; CHUNK];
        for chunk in chunks(span) {
            let staged = &mut staged[..chunk.to - chunk.from];
            slots.keys.stage(staged, chunk);
            // Where all are met, none need be looked at.
            let looked_at = if slots.unmet > 0 { &staged[..] } else { &[] };
            for slot in looked_at.iter().map(|slot| usize::from(*slot)) {
                if slots.columns[slot] == Few::NONE {
                    let (key, within) = slots.layout.place(slot, &slots.strides);
                    let place = self.group_number(key, limits)? * SLOTS + within;
                    let Some(column) = self.few[model].column(place as u32) else { return Ok(Some(chunk.from)) };
                    slots.columns[slot] = column;
                    slots.unmet -= 1;
                }
            }
            if !self.few[model].count(staged, &slots.columns, &scores[chunk.from..chunk.to]) {
                return Ok(Some(chunk.from));
            }
        }
        Ok(None)
    }

    /// Counts rows on all threads by what is known; answers the chunks with something new.
    fn count_known(&mut self, model: usize, slots: &Slots, scores: &[f64], rows: Span) -> Vec<Span> {
        let few = &self.few[model];
        let length = rows.to - rows.from;
        if length < 2 * BLOCK || length > few.rows_left() {
            return vec![rows];
        }
        // Whole chunks each, so that these are the same for any number of threads.
        let step = length.div_ceil(rayon::current_num_threads()).next_multiple_of(CHUNK);
        let count = |span: Span| {
            let (mut room, mut counted, mut new) = (few.room(), 0, Vec::new());
            let mut staged = [0u16; CHUNK];
            for chunk in chunks(span) {
                let staged = &mut staged[..chunk.to - chunk.from];
                slots.keys.stage(staged, chunk);
                let met = slots.unmet == 0 || staged.iter().all(|slot| slots.columns[usize::from(*slot)] != Few::NONE);
                if met && few.count_known(&mut room, staged, &slots.columns, &scores[chunk.from..chunk.to]) {
                    counted += staged.len() as u32;
                } else {
                    new.push(chunk);
                }
            }
            (room, counted, new)
        };
        let parts: Vec<_> = pieces(&[rows], step).into_par_iter().map(count).collect();
        let mut all = Vec::new();
        for (room, counted, new) in parts {
            self.few[model].add(&room, counted);
            all.extend(new);
        }
        all
    }

    /// Moves what was counted by score to the tables and the runs.
    pub fn settle_few(&mut self, max_scores: usize) {
        for ((few, table), runs) in self.few.iter_mut().zip(&mut self.tables).zip(&mut self.scores) {
            let mut scored = ScoreTable::new(false);
            few.drain(|Entry { score, slot, rows }| {
                table.rows[slot as usize] += rows;
                if score.is_nan() {
                    return;
                }
                let weights = [rows as f64; 2];
                if let Some(sums) = &mut table.scores {
                    sums[slot as usize].push_cell(rows, weights, score);
                }
                scored.push_next(score, slot / DECISIONS as u32, rows, weights);
            });
            if let (Some(runs), true) = (runs, scored.len() > 0) {
                runs.add(scored, false, max_scores);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::data::Categorical;
    use crate::tally::Tally;

    #[test]
    fn threads_and_what_is_new_late_change_nothing() {
        let n = 2 * BLOCK + LEARNED + 5000;
        let group: Vec<u8> = (0..n).map(|i| if i % 400_000 == 399_999 { 2 } else { (i % 2) as u8 }).collect();
        let label: Vec<u8> = (0..n).map(|i| (i / 2 % 3 == 0) as u8).collect();
        let few = |i: usize| if i % 300_001 == 7 { i as f64 } else { (i * 7919 % 500) as f64 / 500.0 };
        let none = |i: usize| if i % 1000 == 1 { f64::NAN } else { few(i) };
        // Few for long, then so many that there is no room.
        let more = |i: usize| if i < 700_000 { few(i) } else { i as f64 / 3.0 };
        for scores in [(0..n).map(few).collect::<Vec<f64>>(), (0..n).map(none).collect(), (0..n).map(more).collect()] {
            let batch = Batch::builder()
                .attribute(Categorical::from_codes("g", ["a", "b", "c"], &group[..]).unwrap())
                .label(&label[..])
                .score(&scores.iter().map(|s| (!s.is_nan()).then_some(*s)).collect::<Vec<_>>()[..])
                .build()
                .unwrap();
            let by = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| Tally::of(&batch).unwrap())
            };
            let tally = by(1);
            assert_eq!(tally, by(2));
            assert_eq!(tally, by(3));
            // Scores are not below 0: their bits sort as they do.
            let mut plain: BTreeMap<(u64, u32), u64> = BTreeMap::new();
            for ((score, group), label) in scores.iter().zip(&group).zip(&label).filter(|((s, _), _)| !s.is_nan()) {
                *plain.entry((score.to_bits(), u32::from(group * 3 + label))).or_default() += 1;
            }
            let table = tally.scores[0].as_ref().unwrap();
            let found: Vec<((u64, u32), u64)> = table
                .scores
                .iter()
                .zip(&table.slots)
                .zip(&table.rows)
                .map(|((score, slot), rows)| ((score.to_bits(), *slot), *rows))
                .collect();
            assert!(found.into_iter().eq(plain));
            assert_eq!(tally.tables[0].rows.iter().sum::<u64>(), n as u64);
            let sum: f64 = tally.tables[0].scores.as_ref().unwrap().iter().map(|sums| sums.score).sum();
            let expected: f64 = scores.iter().filter(|s| !s.is_nan()).sum();
            assert!((sum - expected).abs() <= 1e-9 * expected, "{sum} {expected}");
        }
    }
}
