//! From texts to codes, at the cost of one short hash a field.

use rustc_hash::FxHashMap;

/// The code of a missing level.
pub(super) const MISSING: u32 = u32::MAX;
/// No code yet: what a table of codes holds before a value is met.
pub(super) const UNMET: u32 = u32::MAX - 1;

/// The levels met so far, in the order they were met.
#[derive(Debug, Default)]
pub(super) struct Levels {
    names: Vec<String>,
    known: FxHashMap<String, u32>,
}

impl Levels {
    /// Levels known from the start.
    pub fn of(names: Vec<String>) -> Self {
        Levels { names, known: FxHashMap::default() }
    }

    /// Levels met before, to which others may be added.
    pub fn met(names: Vec<String>) -> Self {
        let known = names.iter().enumerate().map(|(code, name)| (name.clone(), code as u32)).collect();
        Levels { names, known }
    }

    pub fn into_names(self) -> Vec<String> {
        self.names
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The code of a level, a new one where it was not met before.
    pub fn code(&mut self, name: &str) -> u32 {
        if let Some(code) = self.known.get(name) {
            return *code;
        }
        let code = self.names.len() as u32;
        self.known.insert(name.into(), code);
        self.names.push(name.into());
        code
    }
}

/// Slots of a [`TextCache`]: a power of two.
const SLOTS: usize = 1024;

/// A text up to this length is told by its length and its two ends.
const SHORT: usize = 16;

/// The codes of the texts met lately: a text is looked for in one slot and compared there. A column of
/// few levels hits it nearly always; one of many numbers (bands) overwrites it, and memory stays flat.
#[derive(Debug)]
pub(super) struct TextCache {
    slots: Vec<Slot>,
    /// What a slot holds where that is not short.
    long: Vec<Vec<u8>>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    ends: [u64; 2],
    length: usize,
    code: u32,
}

impl TextCache {
    pub fn new() -> Self {
        TextCache { slots: Vec::new(), long: Vec::new() }
    }

    /// The code of a text, or the slot to put it in.
    #[inline]
    pub fn get(&self, text: &[u8]) -> Result<u32, usize> {
        let ends = ends(text);
        let at = place(ends, text.len());
        match self.slots.get(at) {
            Some(slot)
                if slot.ends == ends
                    && slot.length == text.len()
                    && slot.code != UNMET
                    && (text.len() <= SHORT || self.long.get(at).is_some_and(|long| long == text)) =>
            {
                Ok(slot.code)
            }
            _ => Err(at),
        }
    }

    pub fn put(&mut self, at: usize, text: &[u8], code: u32) {
        // Dictionaries never come here: the slots are made for those who do.
        if self.slots.is_empty() {
            self.slots.resize(SLOTS, Slot { ends: [0; 2], length: 0, code: UNMET });
        }
        if text.len() > SHORT {
            self.long.resize(SLOTS, Vec::new());
            if let Some(long) = self.long.get_mut(at) {
                long.clear();
                long.extend_from_slice(text);
            }
        }
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = Slot { ends: ends(text), length: text.len(), code };
        }
    }
}

/// Both ends of a text, which overlap where it is short.
#[inline]
fn ends(text: &[u8]) -> [u64; 2] {
    if let (Some(a), Some(b)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        [u64::from_le_bytes(*a), u64::from_le_bytes(*b)]
    } else if let (Some(a), Some(b)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        [u32::from_le_bytes(*a).into(), u32::from_le_bytes(*b).into()]
    } else {
        [text.iter().fold(0, |h, byte| h << 8 | u64::from(*byte)), 0]
    }
}

/// The slot of a text.
#[inline]
fn place([a, b]: [u64; 2], length: usize) -> usize {
    let mixed = (a ^ b.rotate_left(29) ^ (length as u64) << 59).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> (64 - SLOTS.trailing_zeros())) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_never_mistakes_one_text_for_another() {
        let mut cache = TextCache::new();
        let mut levels = Levels::default();
        for round in 0..3 {
            for i in 0..5000u32 {
                let text =
                    format!("{}{}", ["", "l", "level ", "a level by the name "][i as usize % 4], i * 7919 % 5000);
                let code = match cache.get(text.as_bytes()) {
                    Ok(code) => code,
                    Err(slot) => {
                        let code = levels.code(&text);
                        cache.put(slot, text.as_bytes(), code);
                        code
                    }
                };
                assert_eq!(levels.names()[code as usize], text, "round {round}");
            }
        }
        assert_eq!(levels.names().len(), 5000);
    }

    #[test]
    fn the_empty_text_is_a_text() {
        let mut cache = TextCache::new();
        let slot = cache.get(b"").unwrap_err();
        cache.put(slot, b"", MISSING);
        assert_eq!(cache.get(b""), Ok(MISSING));
    }
}
