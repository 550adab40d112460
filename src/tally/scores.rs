//! Scores as they are: how many rows of each group and label have each score. Everything that ranks rows is a
//! function of this, and it merges as counts do.

use std::borrow::Cow;

use rayon::slice::ParallelSliceMut;
use serde::{Deserialize, Serialize};

use super::Cell;
use crate::metrics::scores::{ScorePoint, ScoredGroup};

/// Labels in a slot: unfavourable, favourable, unknown.
pub(crate) const LABELS: usize = 3;

/// The rows by score and slot (`group * 3 + label`), by rising score, then slot; no two entries share both.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct ScoreTable {
    pub scores: Vec<f64>,
    pub slots: Vec<u32>,
    pub rows: Vec<u64>,
    /// Σw and Σw², where there are weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Vec<[f64; 2]>>,
    /// There were more distinct entries than allowed: so many of the last bits of each score are left out (see
    /// [`rounded`]).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub bits: u32,
}

fn is_zero(bits: &u32) -> bool {
    *bits == 0
}

/// Bits of a score that can be left out: all of its fraction.
pub(crate) const MOST_BITS: u32 = 52;
/// Bits that are left out at a time.
const STEP: u32 = 4;

/// A score without its last `bits`: nearer to 0, by less than 2^(bits − 52) of itself. 0, 1 and other powers of two stay what
/// they are, and what is left out by steps is what is left out at once.
fn rounded(score: f64, bits: u32) -> f64 {
    f64::from_bits(score.to_bits() >> bits << bits) + 0.0
}

/// One row on its way into a table: the score's order-preserving key, the slot, the weight.
pub(crate) type Scored = (u64, u32, f64);
/// Rows of a score's key and a slot: how many, their Σw and Σw².
pub(crate) type Counted = (u64, u32, u64, [f64; 2]);

/// A key that sorts as the score does; both zeros are one.
pub(crate) fn key_of(score: f64) -> u64 {
    let bits = (score + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn score_of(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

impl ScoreTable {
    pub fn new(weighted: bool) -> Self {
        ScoreTable { weights: weighted.then(Vec::new), ..Self::default() }
    }

    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// Of rows in any order. Equal rows keep their order, so that sums of weights are always made alike.
    pub fn of(mut rows: Vec<Scored>, weighted: bool) -> Self {
        if weighted {
            rows.par_sort_by_key(|r| (r.0, r.1));
        } else {
            rows.par_sort_unstable_by_key(|r| (r.0, r.1));
        }
        let mut table = Self::new(weighted);
        let mut last = None;
        for (key, slot, weight) in rows {
            if last == Some((key, slot)) {
                table.add_to_last(1, [weight, weight * weight]);
            } else {
                table.push(score_of(key), slot, 1, [weight, weight * weight]);
                last = Some((key, slot));
            }
        }
        table
    }

    /// Of entries that each stand for some rows, in any order.
    pub fn of_cells(mut cells: Vec<Counted>, weighted: bool) -> Self {
        cells.sort_by_key(|c| (c.0, c.1));
        let mut table = Self::new(weighted);
        for (key, slot, rows, weights) in cells {
            table.push_next(score_of(key), slot, rows, weights);
        }
        table
    }

    /// Adds rows whose score and slot do not come before those of the last.
    pub fn push_next(&mut self, score: f64, slot: u32, rows: u64, weights: [f64; 2]) {
        if self.scores.last() == Some(&score) && self.slots.last() == Some(&slot) {
            self.add_to_last(rows, weights);
        } else {
            self.push(score, slot, rows, weights);
        }
    }

    fn push(&mut self, score: f64, slot: u32, rows: u64, weights: [f64; 2]) {
        self.scores.push(score);
        self.slots.push(slot);
        self.rows.push(rows);
        if let Some(all) = &mut self.weights {
            all.push(weights);
        }
    }

    fn add_to_last(&mut self, rows: u64, weights: [f64; 2]) {
        if let Some(last) = self.rows.last_mut() {
            *last += rows;
        }
        if let Some(last) = self.weights.as_mut().and_then(|w| w.last_mut()) {
            last[0] += weights[0];
            last[1] += weights[1];
        }
    }

    fn entry(&self, at: usize) -> (f64, u32, u64, [f64; 2]) {
        (self.scores[at], self.slots[at], self.rows[at], self.weights.as_ref().map_or([0.0; 2], |w| w[at]))
    }

    fn before(&self, at: usize, other: &Self, there: usize) -> std::cmp::Ordering {
        let order = self.scores[at].total_cmp(&other.scores[there]);
        order.then(self.slots[at].cmp(&other.slots[there]))
    }

    /// The same rows with scores that have lost so many bits.
    pub fn without_bits(&self, bits: u32) -> Self {
        let mut table = Self { bits: self.bits.max(bits), ..Self::new(self.weights.is_some()) };
        let mut rest: Vec<Counted> = Vec::new();
        let mut at = 0;
        while at < self.len() {
            // Rounding keeps the order, so that what comes together stands together.
            let score = rounded(self.scores[at], table.bits);
            while at < self.len() && rounded(self.scores[at], table.bits) == score {
                let (_, slot, rows, weights) = self.entry(at);
                rest.push((key_of(score), slot, rows, weights));
                at += 1;
            }
            rest.sort_by_key(|cell| cell.1);
            let from = table.len();
            for (_, slot, rows, weights) in rest.drain(..) {
                if table.len() > from && table.slots.last() == Some(&slot) {
                    table.add_to_last(rows, weights);
                } else {
                    table.push(score, slot, rows, weights);
                }
            }
        }
        table
    }

    /// The same rows in at most so many entries, if leaving out bits can do it. How many bits that takes depends on the
    /// rows alone: parts of them never take more.
    pub fn within(mut self, most: usize) -> Self {
        while self.len() > most && self.bits < MOST_BITS {
            self = self.without_bits((self.bits + STEP).min(MOST_BITS));
        }
        self
    }

    /// Two tables whose scores have lost the same bits, that they can be compared.
    fn alike<'t>(a: &'t Self, b: &'t Self) -> [Cow<'t, Self>; 2] {
        let bits = a.bits.max(b.bits);
        [a, b].map(|t| if t.bits == bits { Cow::Borrowed(t) } else { Cow::Owned(t.without_bits(bits)) })
    }

    /// The rows of both.
    pub fn merged(&self, other: &Self) -> Self {
        let [one, other] = Self::alike(self, other);
        one.merged_alike(&other)
    }

    fn merged_alike(&self, other: &Self) -> Self {
        let mut all = Self { bits: self.bits, ..Self::new(self.weights.is_some()) };
        let room = self.len() + other.len();
        all.scores.reserve(room);
        all.slots.reserve(room);
        all.rows.reserve(room);
        let (mut a, mut b) = (0, 0);
        while a < self.len() || b < other.len() {
            let order = match (a < self.len(), b < other.len()) {
                (true, true) => self.before(a, other, b),
                (true, false) => std::cmp::Ordering::Less,
                _ => std::cmp::Ordering::Greater,
            };
            let (score, slot, rows, weights) = if order.is_gt() { other.entry(b) } else { self.entry(a) };
            all.push(score, slot, rows, weights);
            if order.is_eq() {
                let (_, _, rows, weights) = other.entry(b);
                all.add_to_last(rows, weights);
            }
            a += usize::from(order.is_le());
            b += usize::from(order.is_ge());
        }
        all
    }

    /// Without the rows of another; `None` if they are not all there.
    pub fn without(&self, other: &Self) -> Option<Self> {
        let [all, other] = Self::alike(self, other);
        let mut left = Self { bits: all.bits, ..Self::new(all.weights.is_some()) };
        let mut b = 0;
        for a in 0..all.len() {
            let (score, slot, mut rows, mut weights) = all.entry(a);
            if b < other.len() && all.before(a, &other, b).is_eq() {
                let (_, _, out, out_weights) = other.entry(b);
                rows = rows.checked_sub(out)?;
                weights = [(weights[0] - out_weights[0]).max(0.0), (weights[1] - out_weights[1]).max(0.0)];
                b += 1;
            }
            if rows > 0 {
                left.push(score, slot, rows, weights);
            }
        }
        (b == other.len()).then_some(left)
    }

    /// The same rows with their groups numbered anew.
    pub fn renumbered(self, group: impl Fn(usize) -> usize) -> Self {
        let slot = |s: u32| (group(s as usize / LABELS) * LABELS + s as usize % LABELS) as u32;
        let mut table = self;
        table.slots.iter_mut().for_each(|s| *s = slot(*s));
        if table.slots.windows(2).zip(table.scores.windows(2)).all(|(s, x)| x[0] < x[1] || s[0] < s[1]) {
            return table;
        }
        let mut order: Vec<usize> = (0..table.len()).collect();
        order.sort_by(|a, b| table.before(*a, &table, *b));
        let mut sorted = Self { bits: table.bits, ..Self::new(table.weights.is_some()) };
        for at in order {
            let (score, slot, rows, weights) = table.entry(at);
            sorted.push(score, slot, rows, weights);
        }
        sorted
    }

    /// Adds every number to a hash.
    pub fn hash(&self, to: &mut blake3::Hasher) {
        to.update(&[self.bits as u8]);
        for at in 0..self.len() {
            let (score, slot, rows, weights) = self.entry(at);
            to.update(&score.to_le_bytes()).update(&slot.to_le_bytes()).update(&rows.to_le_bytes());
            to.update(&weights[0].to_le_bytes()).update(&weights[1].to_le_bytes());
        }
    }

    /// Whether the entries are as they must be, for so many groups.
    pub fn is_sound(&self, groups: usize, weighted: bool) -> bool {
        let n = self.len();
        let lengths = self.slots.len() == n && self.rows.len() == n && self.weights.is_some() == weighted;
        lengths
            && self
                .weights
                .as_ref()
                .is_none_or(|w| w.len() == n && w.iter().flatten().all(|v| v.is_finite() && *v >= 0.0))
            && self.bits <= MOST_BITS
            && self.scores.iter().all(|s| s.is_finite() && rounded(*s, self.bits) == *s)
            && self.slots.iter().all(|s| (*s as usize) < groups * LABELS)
            && self.rows.iter().all(|r| *r > 0)
            && (1..n).all(|i| self.before(i - 1, self, i).is_lt())
    }

    /// The scored rows of every part that groups are shared out to; `None` leaves a group out.
    pub fn by_part(&self, parts: usize, part_of: &[Option<u32>]) -> Vec<ScoredGroup> {
        let mut all = vec![ScoredGroup::default(); parts];
        let mut open: Vec<[Cell; LABELS]> = vec![Default::default(); parts];
        let mut touched: Vec<usize> = Vec::new();
        let mut at = 0;
        while at < self.len() {
            let score = self.scores[at];
            while at < self.len() && self.scores[at] == score {
                let (_, slot, rows, weights) = self.entry(at);
                let (group, label) = (slot as usize / LABELS, slot as usize % LABELS);
                if let Some(part) = part_of[group].map(|p| p as usize) {
                    let rows = rows as f64;
                    let [weight, weight_squared] = if self.weights.is_some() { weights } else { [rows; 2] };
                    if open[part].iter().all(|c| c.rows == 0.0) {
                        touched.push(part);
                    }
                    open[part][label].add(&Cell { rows, weight, weight_squared }, 1.0);
                }
                at += 1;
            }
            for part in touched.drain(..) {
                for (label, cell) in
                    std::mem::take(&mut open[part]).into_iter().enumerate().filter(|(_, c)| c.rows > 0.0)
                {
                    all[part].points.push(ScorePoint { score, label: label as u8, cell });
                }
            }
        }
        all
    }
}

/// Rows taken in before they are sorted into a table: some 100 MB.
const PENDING: usize = 1 << 22;

/// Tables on their way to be one: of rising size, so that each row is merged a few times only.
#[derive(Debug, Clone, Default)]
pub(crate) struct ScoreRuns {
    pending: Vec<Scored>,
    runs: Vec<ScoreTable>,
}

impl ScoreRuns {
    /// Takes rows in, to keep at most so many entries.
    pub fn extend(&mut self, rows: impl Iterator<Item = Scored>, weighted: bool, most: usize) {
        self.pending.extend(rows);
        if self.pending.len() >= PENDING {
            self.settle(weighted, most);
        }
    }

    /// Takes a table in, to keep at most so many entries.
    pub fn add(&mut self, table: ScoreTable, weighted: bool, most: usize) {
        self.settle(weighted, most);
        self.push(table, most);
    }

    /// Makes a table of the pending rows.
    fn settle(&mut self, weighted: bool, most: usize) {
        let table = ScoreTable::of(std::mem::take(&mut self.pending), weighted);
        self.push(table, most);
    }

    /// Adds a table and makes one of those that are not much larger.
    fn push(&mut self, table: ScoreTable, most: usize) {
        if table.len() > 0 {
            self.runs.push(table.within(most));
        }
        while let [.., a, b] = self.runs.as_slice() {
            if a.len() > 2 * b.len() {
                break;
            }
            self.merge_last(most);
        }
    }

    fn merge_last(&mut self, most: usize) {
        if let (Some(b), Some(a)) = (self.runs.pop(), self.runs.pop()) {
            self.runs.push(a.merged(&b).within(most));
        }
    }

    /// The same rows with their groups numbered anew.
    pub fn renumber(&mut self, weighted: bool, group: impl Fn(usize) -> usize) {
        let pending = ScoreTable::of(std::mem::take(&mut self.pending), weighted);
        self.runs.push(pending);
        for run in &mut self.runs {
            *run = std::mem::take(run).renumbered(&group);
        }
    }

    pub fn finish(mut self, weighted: bool, most: usize) -> ScoreTable {
        self.settle(weighted, most);
        while self.runs.len() > 1 {
            self.merge_last(most);
        }
        self.runs.pop().unwrap_or_else(|| ScoreTable::new(weighted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(f64, u32)]) -> ScoreTable {
        ScoreTable::of(rows.iter().map(|(s, slot)| (key_of(*s), *slot, 1.0)).collect(), false)
    }

    #[test]
    fn keys_sort_as_scores_do() {
        let scores = [-1e300, -2.5, -1e-300, -0.0, 0.0, 1e-300, 0.5, 1.0, 1e300];
        assert!(scores.windows(2).all(|w| key_of(w[0]) <= key_of(w[1])));
        assert_eq!(key_of(-0.0), key_of(0.0));
        assert!(scores.iter().all(|s| score_of(key_of(*s)) == *s));
    }

    #[test]
    fn what_is_merged_can_be_taken_out() {
        let (a, b) = (table(&[(0.5, 0), (0.2, 4), (0.5, 0)]), table(&[(0.5, 0), (0.9, 1), (-1.0, 2)]));
        let all = a.merged(&b);
        assert_eq!(all.scores, [-1.0, 0.2, 0.5, 0.9]);
        assert_eq!(all.rows, [1, 1, 3, 1]);
        assert!(all.is_sound(2, false) && !all.is_sound(1, false));
        assert_eq!(all.without(&b), Some(a.clone()));
        assert_eq!(a.without(&b), None);
        let swapped = all.clone().renumbered(|g| 1 - g);
        assert!(swapped.is_sound(2, false));
        assert_eq!(swapped.renumbered(|g| 1 - g), all);
    }

    #[test]
    fn runs_give_what_one_sort_gives() {
        let rows: Vec<(f64, u32)> = (0..500u32).map(|i| (f64::from(i * 7919 % 101) / 10.0, i % 6)).collect();
        let mut runs = ScoreRuns::default();
        for part in rows.chunks(37) {
            runs.extend(part.iter().map(|(s, slot)| (key_of(*s), *slot, 1.0)), false, 10_000);
            runs.renumber(false, |group| group);
        }
        assert_eq!(runs.clone().finish(false, 10_000), table(&rows));
        let few = runs.finish(false, 100);
        assert_eq!(few, table(&rows).within(100));
        assert!(few.bits > 0 && few.len() <= 100 && few.is_sound(2, false));
    }

    #[test]
    fn rounding_keeps_rows_and_order_and_moves_scores_by_little() {
        let scores: Vec<f64> = (0..4000u32).map(|i| (f64::from(i * 7919 % 4001) - 1000.0) / 3000.0).collect();
        let rows: Vec<(f64, u32)> = scores.iter().enumerate().map(|(i, s)| (*s, i as u32 % 6)).collect();
        let all = table(&rows);
        for bits in [1, 29, 46, MOST_BITS] {
            let less = all.without_bits(bits);
            assert!(less.is_sound(2, false) && less.bits == bits);
            assert_eq!(less.rows.iter().sum::<u64>(), 4000);
            assert_eq!(less, all.without_bits(bits / 2).without_bits(bits));
            let most = 2f64.powi(bits as i32 - 52);
            for score in &scores {
                let near = rounded(*score, bits);
                assert!(near.abs() <= score.abs() && (score - near).abs() <= most * score.abs(), "{score} by {bits}");
            }
        }
        for score in [-1.0, 0.0, 0.5, 1.0, 4.0] {
            assert_eq!(rounded(score, MOST_BITS), score);
        }
    }

    #[test]
    fn parts_rounded_on_their_own_merge_to_the_whole_and_can_be_taken_out() {
        let rows: Vec<(f64, u32)> = (0..3000u32).map(|i| (f64::from(i * 7919 % 3001) / 3001.0, i % 3)).collect();
        let whole = table(&rows).within(200);
        let mut runs = ScoreRuns::default();
        for part in rows.chunks(700) {
            runs.add(table(part), false, 200);
        }
        assert_eq!(runs.finish(false, 200), whole);
        let rest = whole.without(&table(&rows[..1000])).unwrap();
        assert_eq!(rest, table(&rows[1000..]).without_bits(whole.bits));
    }

    #[test]
    fn groups_are_gathered_by_part() {
        let parts = table(&[(0.5, 0), (0.5, 1), (0.5, 3), (0.1, 4), (0.7, 6)]).by_part(1, &[Some(0), Some(0), None]);
        let points: Vec<(f64, u8, f64)> = parts[0].points.iter().map(|p| (p.score, p.label, p.cell.rows)).collect();
        assert_eq!(points, [(0.1, 1, 1.0), (0.5, 0, 2.0), (0.5, 1, 1.0)]);
    }
}
