//! Scores that come again and again: rows counted by the number of their score, without sorting.

use rustc_hash::FxHashMap;

/// Distinct scores up to which it is worth it, and counts that are held: 16 MB.
const SCORES: usize = 1 << 16;
const COUNTS: usize = 1 << 22;

/// Rows by distinct score and slot. What is found out about the scores of the first rows decides whether more are taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct Few {
    /// By the spread key.
    numbers: FxHashMap<u64, u32>,
    /// The key of each score, by its number.
    keys: Vec<u64>,
    /// Slots of each score.
    slots: usize,
    counts: Vec<u32>,
    rows: u32,
    /// There were too many scores or slots.
    closed: bool,
}

/// Round scores end in zeros, of which a hash by multiplication makes nothing: what tells them apart comes last.
fn spread(key: u64) -> u64 {
    key.rotate_left(32)
}

/// Rows of a score and a slot.
pub(crate) type Entry = (u64, u32, u64, [f64; 2]);

impl Few {
    /// Counts a row, if it is one of few.
    pub fn take(&mut self, key: u64, slot: u32) -> bool {
        if self.closed || self.rows == u32::MAX {
            return false;
        }
        let known = self.numbers.get(&spread(key)).copied();
        let Some(number) = known.or_else(|| self.number(key)) else { return false };
        let slot = slot as usize;
        if slot >= self.slots && !self.widen(slot + 1) {
            return false;
        }
        match self.counts.get_mut(number as usize * self.slots + slot) {
            Some(count) => {
                *count += 1;
                self.rows += 1;
                true
            }
            None => false,
        }
    }

    /// Whether it is worth asking.
    pub fn is_open(&self) -> bool {
        !self.closed
    }

    /// A number for a new score, if there is room.
    fn number(&mut self, key: u64) -> Option<u32> {
        let number = self.keys.len();
        if number == SCORES || (number + 1) * self.slots > COUNTS {
            self.closed = true;
            return None;
        }
        self.keys.push(key);
        self.counts.resize(self.keys.len() * self.slots, 0);
        self.numbers.insert(spread(key), number as u32);
        Some(number as u32)
    }

    /// Makes room for more slots, if there is any.
    fn widen(&mut self, slots: usize) -> bool {
        let slots = slots.next_multiple_of(64);
        if slots.saturating_mul(self.keys.len()) > COUNTS {
            self.closed = true;
            return false;
        }
        let mut counts = vec![0; slots * self.keys.len()];
        if self.slots > 0 {
            for (new, old) in counts.chunks_exact_mut(slots).zip(self.counts.chunks_exact(self.slots)) {
                new[..self.slots].copy_from_slice(old);
            }
        }
        (self.counts, self.slots) = (counts, slots);
        true
    }

    /// What was counted, which is then forgotten; the scores of rows to come may be few again.
    pub fn drain(&mut self) -> Vec<Entry> {
        let Few { keys, slots, counts, closed, .. } = std::mem::take(self);
        self.closed = closed;
        let of_score = keys.iter().zip(counts.chunks_exact(slots.max(1)));
        let entries = of_score.flat_map(|(key, counts)| {
            let there = counts.iter().enumerate().filter(|(_, rows)| **rows > 0);
            there.map(|(slot, rows)| (*key, slot as u32, u64::from(*rows), [f64::from(*rows); 2]))
        });
        entries.collect()
    }
}
