//! Scores that come again and again: rows counted by the number of their score and of their slot, without sorting.

use rustc_hash::FxHashMap;

use super::kernel::CHUNK;

/// Distinct scores up to which it is worth it, and counts that are held: 16 MB.
const SCORES: usize = u16::MAX as usize;
const COUNTS: usize = 1 << 22;
/// Places of a table of numbers: it stays in the cache.
const NEAR: usize = 1 << 13;

/// Rows by distinct score and slot. What is found out about the scores of the first rows decides whether more are taken.
#[derive(Debug, Clone, Default)]
pub(super) struct Few {
    /// The bits of each score, by its number. The first are those of no score.
    scores: Vec<u64>,
    /// The number of each score, by its bits.
    numbers: FxHashMap<u64, u16>,
    /// Two tables that hold most of the numbers, which are the faster to look up.
    near: [Vec<u16>; 2],
    /// The slot of each column of the counts.
    slots: Vec<u32>,
    columns: FxHashMap<u32, u16>,
    /// Room for columns.
    width: usize,
    counts: Vec<u32>,
    rows: u32,
    /// There were too many scores or slots.
    closed: bool,
}

/// Rows of a score and a slot; the score may be NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Entry {
    pub score: f64,
    pub slot: u32,
    pub rows: u64,
}

/// Round scores end in zeros, of which a hash by multiplication makes nothing: what tells them apart comes last.
fn spread(bits: u64) -> u64 {
    bits.rotate_left(32)
}

fn bits_of(score: f64) -> u64 {
    // Both zeros are one score.
    (score + 0.0).to_bits()
}

/// Where the two tables would hold the number of a score.
fn places(bits: u64) -> [usize; 2] {
    let hash = spread(bits).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    [(hash >> 51) as usize % NEAR, (hash >> 38) as usize % NEAR]
}

/// Counts rows by the number of their score and the column of their slot.
fn add(counts: &mut [u32], width: usize, numbers: &[u16], slots: &[u16], columns: &[u16]) {
    for (number, slot) in numbers.iter().zip(slots) {
        let column = columns.get(usize::from(*slot)).copied().map_or(width, usize::from);
        if let Some(count) = counts.get_mut(usize::from(*number) * width + column) {
            *count += 1;
        }
    }
}

impl Few {
    /// The column of a slot that has none yet.
    pub const NONE: u16 = u16::MAX;

    /// Whether it is worth asking.
    pub fn is_open(&self) -> bool {
        !self.closed
    }

    /// The column of a slot, `None` where there is no room for it.
    pub fn column(&mut self, slot: u32) -> Option<u16> {
        if let Some(column) = self.columns.get(&slot) {
            return Some(*column);
        }
        let column = self.slots.len();
        if self.closed || column >= self.width && !self.widen(column + 1) {
            return None;
        }
        self.slots.push(slot);
        self.columns.insert(slot, column as u16);
        Some(column as u16)
    }

    /// Counts the rows of a chunk: of each its slot and its score, `columns` being those of the slots. All of them, or none if
    /// there is no room for their scores.
    pub fn count(&mut self, slots: &[u16], columns: &[u16], scores: &[f64]) -> bool {
        let (mut numbers, mut far) = ([0u16; CHUNK], [0u16; CHUNK]);
        let rows = self.rows.checked_add(slots.len() as u32);
        let (Some(rows), true) = (rows, self.learn(scores, &mut numbers, &mut far)) else {
            self.closed = true;
            return false;
        };
        add(&mut self.counts, self.width, &numbers, slots, columns);
        self.rows = rows;
        true
    }

    /// Room to count in what is known so far.
    pub fn room(&self) -> Vec<u32> {
        vec![0; self.counts.len()]
    }

    /// As [`count`](Self::count), but in a room of one's own and only if all scores are known: nothing is learned.
    pub fn count_known(&self, room: &mut [u32], slots: &[u16], columns: &[u16], scores: &[f64]) -> bool {
        let (mut numbers, mut far) = ([0u16; CHUNK], [0u16; CHUNK]);
        let count = self.look_up(scores, &mut numbers, &mut far);
        let known = far[..count].iter().map(|row| usize::from(*row)).all(|row| {
            let known = self.numbers.get(&spread(bits_of(scores[row])));
            numbers[row] = known.copied().unwrap_or_default();
            known.is_some()
        });
        if known {
            add(room, self.width, &numbers, slots, columns);
        }
        known
    }

    /// Adds what was counted in a room of what is known still: so many rows.
    pub fn add(&mut self, room: &[u32], rows: u32) {
        self.counts.iter_mut().zip(room).for_each(|(count, more)| *count += more);
        self.rows += rows;
    }

    /// How many more rows the counts can hold for sure.
    pub fn rows_left(&self) -> usize {
        (u32::MAX - self.rows) as usize
    }

    /// The numbers of some scores, as far as the two tables tell; answers for how many rows they do not, which are the first
    /// of `far`.
    fn look_up(&self, scores: &[f64], numbers: &mut [u16; CHUNK], far: &mut [u16; CHUNK]) -> usize {
        let [Ok(first), Ok(second)] = [0, 1].map(|at| <&[u16; NEAR]>::try_from(&self.near[at][..])) else {
            // Nothing is known.
            far.iter_mut().zip(0..).for_each(|(far, row)| *far = row);
            return scores.len().min(CHUNK);
        };
        // No jump depends on what a score is: those that the first table does not hold are put aside, so the next.
        let mut left = 0;
        for (row, (number, score)) in numbers.iter_mut().zip(scores).enumerate() {
            let bits = bits_of(*score);
            *number = first[places(bits)[0]];
            far[left % CHUNK] = row as u16;
            left += usize::from(self.scores.get(usize::from(*number)) != Some(&bits));
        }
        let mut further = 0;
        for at in 0..left {
            let row = usize::from(far[at]);
            let bits = bits_of(scores[row]);
            numbers[row] = second[places(bits)[1]];
            far[further] = row as u16;
            further += usize::from(self.scores.get(usize::from(numbers[row])) != Some(&bits));
        }
        further
    }

    /// The numbers of some scores, new ones as well, unless there are too many scores.
    fn learn(&mut self, scores: &[f64], numbers: &mut [u16; CHUNK], far: &mut [u16; CHUNK]) -> bool {
        if self.near[0].is_empty() {
            self.near = [vec![0; NEAR], vec![0; NEAR]];
            self.scores = vec![u64::MAX];
        }
        let count = self.look_up(scores, numbers, far);
        far[..count].iter().map(|row| usize::from(*row)).all(|row| match self.find(bits_of(scores[row])) {
            Some(number) => {
                numbers[row] = number;
                true
            }
            None => false,
        })
    }

    /// The number of a score, which may be new, `None` where there is no room for it.
    fn find(&mut self, bits: u64) -> Option<u16> {
        let number = match self.numbers.get(&spread(bits)) {
            Some(number) => *number,
            None => {
                let number = self.scores.len();
                if number > SCORES || (number + 1) * self.width > COUNTS {
                    return None;
                }
                self.scores.push(bits);
                self.counts.resize(self.scores.len() * self.width, 0);
                self.numbers.insert(spread(bits), number as u16);
                number as u16
            }
        };
        let [first, second] = places(bits);
        let free = self.near[0][first] == 0;
        self.near[usize::from(!free)][if free { first } else { second }] = number;
        Some(number)
    }

    /// Makes room for more columns, if there is any.
    fn widen(&mut self, columns: usize) -> bool {
        let width = columns.next_multiple_of(64);
        if width.saturating_mul(self.scores.len()) > COUNTS || columns > usize::from(u16::MAX) {
            self.closed = true;
            return false;
        }
        let mut counts = vec![0; width * self.scores.len()];
        if self.width > 0 {
            for (new, old) in counts.chunks_exact_mut(width).zip(self.counts.chunks_exact(self.width)) {
                new[..self.width].copy_from_slice(old);
            }
        }
        (self.counts, self.width) = (counts, width);
        true
    }

    /// Visits what was counted, by score and slot, which is then forgotten.
    pub fn drain(&mut self, mut visit: impl FnMut(Entry)) {
        let Few { scores, slots, width, counts, closed, .. } = std::mem::take(self);
        self.closed = closed;
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|a, b| f64::from_bits(scores[*a]).total_cmp(&f64::from_bits(scores[*b])));
        let mut columns: Vec<usize> = (0..slots.len()).collect();
        columns.sort_by_key(|column| slots[*column]);
        for number in order {
            let score = f64::from_bits(scores[number]);
            // No row has the first number, nor a score without room for its counts.
            let Some(counts) = counts.get(number * width..(number + 1) * width) else { continue };
            for (slot, rows) in
                columns.iter().map(|column| (slots[*column], counts[*column])).filter(|(_, rows)| *rows > 0)
            {
                visit(Entry { score, slot, rows: u64::from(rows) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Counts rows in chunks until there is no room; answers how many were, and what a plain loop counts of these.
    fn counted(few: &mut Few, rows: &[(f64, u32)]) -> (usize, Vec<Entry>) {
        let mut taken = 0;
        for chunk in rows.chunks(CHUNK) {
            let columns: Option<Vec<u16>> = chunk.iter().map(|(_, slot)| few.column(*slot)).collect();
            let scores: Vec<f64> = chunk.iter().map(|(score, _)| *score).collect();
            // Each row is a slot of its own, with the column of its slot.
            let slots: Vec<u16> = (0..chunk.len() as u16).collect();
            // What is known is counted the same in a room of its own.
            let mut room = few.room();
            match columns {
                Some(columns) if few.count_known(&mut room, &slots, &columns, &scores) => {
                    few.add(&room, chunk.len() as u32);
                }
                Some(columns) if few.count(&slots, &columns, &scores) => {}
                _ => break,
            }
            taken += chunk.len();
        }
        let mut plain: BTreeMap<(i64, u32), (f64, u64)> = BTreeMap::new();
        for (score, slot) in &rows[..taken] {
            let score = score + 0.0;
            // As `f64::total_cmp` orders them.
            let bits = score.to_bits() as i64;
            plain.entry((bits ^ (((bits >> 63) as u64) >> 1) as i64, *slot)).or_insert((score, 0)).1 += 1;
        }
        (taken, plain.into_iter().map(|((_, slot), (score, rows))| Entry { score, slot, rows }).collect())
    }

    fn drained(few: &mut Few) -> Vec<Entry> {
        let mut entries = Vec::new();
        few.drain(|entry| entries.push(entry));
        entries
    }

    fn agree(found: &[Entry], plain: &[Entry]) {
        assert_eq!(found.len(), plain.len());
        for (a, b) in found.iter().zip(plain) {
            assert_eq!((a.score.to_bits(), a.slot, a.rows), (b.score.to_bits(), b.slot, b.rows));
        }
    }

    #[test]
    fn rows_are_counted_as_by_a_plain_loop() {
        let bins = (0..50_000u32).map(|i| (f64::from(i * 7919 % 1024) / 1024.0 - 0.25, i % 240));
        let odd = [-0.0, 0.0, f64::NAN, 1e-300, -1e300].into_iter().cycle().zip((0..7).cycle()).take(900);
        let late = (0..20_000u32).map(|i| (f64::from(i % 40_000) / 3.0, if i < 15_000 { 5 } else { 900_000 - i % 70 }));
        for rows in [bins.collect::<Vec<_>>(), odd.collect(), late.collect(), vec![]] {
            let mut few = Few::default();
            let (taken, plain) = counted(&mut few, &rows);
            assert_eq!(taken, rows.len());
            agree(&drained(&mut few), &plain);
            // It starts anew, with other columns for the same slots.
            let turned: Vec<(f64, u32)> = rows.iter().rev().copied().collect();
            let (taken, plain) = counted(&mut few, &turned);
            assert_eq!(taken, rows.len());
            agree(&drained(&mut few), &plain);
            assert!(few.is_open() && drained(&mut few).is_empty());
        }
    }

    #[test]
    fn it_closes_where_there_is_no_room_and_loses_nothing() {
        let many_scores = (0..200_000u32).map(|i| (f64::from(i) / 7.0, i % 3));
        let many_counts = (0..400_000u32).map(|i| (f64::from(i / 8), i % 500));
        let many_slots = (0..200_000u32).map(|i| (0.5, i));
        for rows in [many_scores.collect::<Vec<_>>(), many_counts.collect(), many_slots.collect()] {
            let mut few = Few::default();
            let (taken, plain) = counted(&mut few, &rows);
            assert!(taken > 0 && taken < rows.len() && taken % CHUNK == 0 && !few.is_open());
            agree(&drained(&mut few), &plain);
            assert!(!few.is_open() && few.column(1).is_none() && drained(&mut few).is_empty());
        }
    }
}
