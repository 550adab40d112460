//! Scores as they are: how many rows of each group and label have each score. Everything that ranks rows is a
//! function of this, and it merges as counts do.

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
    /// There were more distinct entries than allowed: they are not kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dropped: bool,
}

/// One row on its way into a table: the score's order-preserving key, the slot, the weight.
pub(crate) type Scored = (u64, u32, f64);

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
    pub fn of_cells(mut cells: Vec<(u64, u32, u64, [f64; 2])>, weighted: bool) -> Self {
        cells.sort_by_key(|c| (c.0, c.1));
        let mut table = Self::new(weighted);
        let mut last = None;
        for (key, slot, rows, weights) in cells {
            if last == Some((key, slot)) {
                table.add_to_last(rows, weights);
            } else {
                table.push(score_of(key), slot, rows, weights);
                last = Some((key, slot));
            }
        }
        table
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

    /// The rows of both.
    pub fn merged(&self, other: &Self) -> Self {
        let mut all = Self::new(self.weights.is_some());
        all.dropped = self.dropped || other.dropped;
        if all.dropped {
            return all;
        }
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
        let mut left = Self::new(self.weights.is_some());
        left.dropped = self.dropped || other.dropped;
        if left.dropped {
            return Some(left);
        }
        let mut b = 0;
        for a in 0..self.len() {
            let (score, slot, mut rows, mut weights) = self.entry(a);
            if b < other.len() && self.before(a, other, b).is_eq() {
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
    pub fn renumbered(&self, group: impl Fn(usize) -> usize) -> Self {
        let slot = |s: u32| (group(s as usize / LABELS) * LABELS + s as usize % LABELS) as u32;
        let mut table = self.clone();
        table.slots.iter_mut().for_each(|s| *s = slot(*s));
        if table.slots.windows(2).zip(table.scores.windows(2)).all(|(s, x)| x[0] < x[1] || s[0] < s[1]) {
            return table;
        }
        let mut order: Vec<usize> = (0..table.len()).collect();
        order.sort_by(|a, b| table.before(*a, &table, *b));
        let mut sorted = Self::new(self.weights.is_some());
        for at in order {
            let (score, slot, rows, weights) = table.entry(at);
            sorted.push(score, slot, rows, weights);
        }
        sorted
    }

    /// Adds every number to a hash.
    pub fn hash(&self, to: &mut blake3::Hasher) {
        to.update(&[u8::from(self.dropped)]);
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
            && self.scores.iter().all(|s| s.is_finite())
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
    dropped: bool,
}

impl ScoreRuns {
    /// Takes rows in, to keep at most so many entries.
    pub fn extend(&mut self, rows: impl Iterator<Item = Scored>, weighted: bool, most: usize) {
        if self.dropped {
            return;
        }
        self.pending.extend(rows);
        if self.pending.len() >= PENDING {
            self.settle(weighted);
            if self.runs.iter().map(ScoreTable::len).sum::<usize>() > most {
                *self = ScoreRuns { dropped: true, ..ScoreRuns::default() };
            }
        }
    }

    /// Takes a table in, to keep at most so many entries.
    pub fn add(&mut self, table: ScoreTable, weighted: bool, most: usize) {
        if self.dropped {
            return;
        }
        self.settle(weighted);
        self.push(table);
        if self.runs.iter().map(ScoreTable::len).sum::<usize>() > most {
            *self = ScoreRuns { dropped: true, ..ScoreRuns::default() };
        }
    }

    /// Makes a table of the pending rows.
    fn settle(&mut self, weighted: bool) {
        let table = ScoreTable::of(std::mem::take(&mut self.pending), weighted);
        self.push(table);
    }

    /// Adds a table and makes one of those that are not much larger.
    fn push(&mut self, table: ScoreTable) {
        if table.len() > 0 {
            self.runs.push(table);
        }
        while let [.., a, b] = self.runs.as_slice() {
            if a.len() > 2 * b.len() {
                break;
            }
            let merged = a.merged(b);
            self.runs.truncate(self.runs.len() - 2);
            self.runs.push(merged);
        }
    }

    /// The same rows with their groups numbered anew.
    pub fn renumber(&mut self, weighted: bool, group: impl Fn(usize) -> usize) {
        self.settle(weighted);
        for run in &mut self.runs {
            *run = run.renumbered(&group);
        }
    }

    pub fn finish(mut self, weighted: bool, most: usize) -> ScoreTable {
        self.settle(weighted);
        while let [.., a, b] = self.runs.as_slice() {
            let merged = a.merged(b);
            self.runs.truncate(self.runs.len() - 2);
            self.runs.push(merged);
        }
        let table = self.runs.pop().unwrap_or_else(|| ScoreTable::new(weighted));
        if self.dropped || table.len() > most {
            ScoreTable { dropped: true, ..ScoreTable::new(weighted) }
        } else {
            table
        }
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
        let swapped = all.renumbered(|g| 1 - g);
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
        assert!(runs.finish(false, 10).dropped);
    }

    #[test]
    fn groups_are_gathered_by_part() {
        let parts = table(&[(0.5, 0), (0.5, 1), (0.5, 3), (0.1, 4), (0.7, 6)]).by_part(1, &[Some(0), Some(0), None]);
        let points: Vec<(f64, u8, f64)> = parts[0].points.iter().map(|p| (p.score, p.label, p.cell.rows)).collect();
        assert_eq!(points, [(0.1, 1, 1.0), (0.5, 0, 2.0), (0.5, 1, 1.0)]);
    }
}
