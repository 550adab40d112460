//! The narrowest layout for the rows of one batch: a table that fits the cache wherever one can.
//!
//! The table that is kept has a place for missing in every column, for every state of label and decision. Most batches
//! need few of these: eight attributes of two levels take 78,732 slots with them, 1,024 without. So rows are counted in what
//! their own columns need, and what was counted is moved.

use rayon::prelude::*;

use super::accumulate::{BLOCK, WAVE, chunks, level_columns};
use super::cells::{DECISIONS, Table};
use super::kernel::{self, CHUNK, Counter, Keys, Span, Sums};
use super::scores::LABELS;
use crate::data::{Batch, Rule, UNKNOWN};

/// Up to so many slots every thread has a table of its own.
pub(super) const SHARED_SLOTS: usize = 1 << 16;
/// Up to so many slots sums of weights are spread over sub-tables: more would not fit the cache.
const WEIGHTED_SLOTS: usize = 1 << 10;

/// The digits of a batch and one of its models.
pub(super) struct Compact {
    /// Of each level column how many digits there are, and whether the first one is missing.
    columns: Vec<(usize, bool)>,
    labels: usize,
    decisions: usize,
    /// The slots of the table, at most what a `usize` holds.
    pub slots: usize,
}

impl Compact {
    pub fn of(batch: &Batch, model: usize) -> Self {
        let digits = |gaps: bool, levels: usize| (levels + usize::from(gaps), gaps);
        let columns: Vec<(usize, bool)> =
            level_columns(batch).map(|c| digits(c.may_have_gaps(), c.levels().len())).collect();
        let labels = batch.label.as_ref().map_or(1, |l| if l.may_have_gaps() { LABELS } else { 2 });
        let decisions = match batch.models.get(model).map(|m| &m.rule) {
            Some(Rule::Given(decision)) if !decision.may_have_gaps() => 2,
            Some(Rule::Given(_) | Rule::AtLeast(_)) => 3,
            Some(Rule::Cut(_)) => DECISIONS,
            Some(Rule::None | Rule::Top(_)) | None => 1,
        };
        let slots = columns.iter().fold(labels * decisions, |all, (radix, _)| all.saturating_mul(*radix));
        Compact { columns, labels, decisions, slots }
    }

    /// How the batch's rows get their slots.
    pub fn keys<'b, 'a>(&self, batch: &'b Batch<'a>, model: usize) -> Keys<'b, 'a> {
        let radices: Vec<usize> = self.columns.iter().map(|(radix, _)| *radix).collect();
        let strides = kernel::strides(&radices, self.labels * self.decisions);
        let mut keys = Keys::new();
        for ((column, stride), (_, gaps)) in level_columns(batch).zip(strides).zip(&self.columns) {
            keys.levels(column.codes(), stride, *gaps);
        }
        // What all rows have in common takes no digit.
        if self.labels > 1 {
            keys.label(batch, self.decisions as u64);
        }
        if self.decisions > 1 {
            keys.decision(batch.models.get(model));
        }
        keys
    }

    /// The key of a slot's group, with a place for missing in every column, and its slot within the group. `strides` are
    /// those of the group's key.
    pub fn place(&self, slot: usize, strides: &[u64]) -> (u64, usize) {
        let digit = |left: &mut usize, radix: usize| {
            let digit = *left % radix;
            *left /= radix;
            digit
        };
        let mut left = slot;
        let known = |states: usize, state: usize| if states == 1 { usize::from(UNKNOWN) } else { state };
        let decision = known(self.decisions, digit(&mut left, self.decisions));
        let label = known(self.labels, digit(&mut left, self.labels));
        let mut key = 0;
        for ((radix, gaps), stride) in self.columns.iter().zip(strides).rev() {
            // Of a column without levels, where no row is missing, there are no rows.
            let level = digit(&mut left, (*radix).max(1)) + usize::from(!gaps);
            key += level as u64 * stride;
        }
        (key, label * DECISIONS + decision)
    }

    /// Counts some rows of a batch, of which there are few slots.
    pub fn count(&self, batch: &Batch, model: usize, rows: &[Span]) -> Table {
        let keys = self.keys(batch, model);
        let weights = batch.weight.as_ref().map(|w| &*w.values);
        let scores = batch.models.get(model).and_then(|m| m.score.as_ref()).map(|s| &*s.values);
        match (weights, scores, self.slots) {
            (None, None, 0..=1024) => self.counted::<1024>(rows, &keys),
            (None, None, 1025..=8192) => self.counted::<8192>(rows, &keys),
            (None, None, _) => self.counted::<SHARED_SLOTS>(rows, &keys),
            (Some(weights), None, 0..=WEIGHTED_SLOTS) => self.in_blocks(rows, |span| {
                let mut sums = Sums::<WEIGHTED_SLOTS>::new();
                staged(&keys, span, |keys, chunk| sums.add(keys, &weights[chunk.from..chunk.to]));
                sums.finish(self.slots)
            }),
            _ => self.in_blocks(rows, |span| {
                let mut table = Table::zeros(self.slots, weights.is_some(), scores.is_some());
                staged(&keys, span, |keys, chunk| {
                    let part = chunk.from..chunk.to;
                    let (weights, scores) = (weights.map(|w| &w[part.clone()]), scores.map(|s| &s[part.clone()]));
                    kernel::accumulate(&mut table, keys, weights, scores);
                });
                table
            }),
        }
    }

    /// Counts are integers: how the rows are shared out cannot change them.
    fn counted<const N: usize>(&self, rows: &[Span], keys: &Keys) -> Table {
        let count = |span: Span| {
            let mut counter = Counter::<N>::new();
            staged(keys, span, |keys, _| counter.count(keys));
            counter.finish(self.slots)
        };
        let length: usize = rows.iter().map(|span| span.to - span.from).sum();
        let parts = if length < 2 * BLOCK { 1 } else { rayon::current_num_threads() };
        let spans = pieces(rows, length.div_ceil(parts).max(1));
        let tables: Vec<Table> = if parts == 1 {
            spans.into_iter().map(count).collect()
        } else {
            spans.into_par_iter().map(count).collect()
        };
        self.sum(tables)
    }

    /// Sums are those of fixed blocks, added in their order.
    fn in_blocks(&self, rows: &[Span], fill: impl Fn(Span) -> Table + Sync) -> Table {
        let blocks = pieces(rows, BLOCK);
        if let [one] = blocks.as_slice() {
            return fill(*one);
        }
        let waves = blocks.chunks(WAVE).map(|wave| self.sum(wave.par_iter().map(|span| fill(*span)).collect()));
        self.sum(waves.collect())
    }

    fn sum(&self, tables: Vec<Table>) -> Table {
        let mut tables = tables.into_iter();
        let Some(mut all) = tables.next() else { return Table::zeros(self.slots, false, false) };
        tables.for_each(|table| all.add(&table));
        all
    }
}

/// The slots of a span, chunk by chunk.
fn staged(keys: &Keys, span: Span, mut take: impl FnMut(&[u16], Span)) {
    let mut buffer = [0u16; CHUNK];
    for chunk in chunks(span) {
        let staged = &mut buffer[..chunk.to - chunk.from];
        keys.stage(staged, chunk);
        take(staged, chunk);
    }
}

/// Pieces of at most so many rows.
pub(super) fn pieces(rows: &[Span], step: usize) -> Vec<Span> {
    let of = |span: &Span| {
        let to = span.to;
        (span.from..to).step_by(step).map(move |from| Span { from, to: (from + step).min(to) })
    };
    rows.iter().flat_map(of).collect()
}
