//! Columns of a batch: Arrow's arrays, or indices to the texts of a dictionary.

use std::fmt;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, UInt32Array};
use arrow_select::take::take;

/// The texts that indices stand for; the index behind the last stands for no value.
#[derive(Default)]
pub(super) struct Dictionary {
    texts: String,
    ends: Vec<usize>,
}

impl fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dictionary").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Dictionary {
    pub fn push(&mut self, text: &str) {
        self.texts.push_str(text);
        self.ends.push(self.texts.len());
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The text of an index, `None` behind the last.
    pub fn text(&self, index: usize) -> Option<&str> {
        let to = *self.ends.get(index)?;
        let from = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.texts.get(from..to)
    }
}

/// Indices in their narrowest type.
#[derive(Debug, Clone, Copy)]
pub(super) enum Indices<'a> {
    Bytes(&'a [u8]),
    Wide(&'a [u32]),
}

/// The values of a column.
#[derive(Debug, Clone, Copy)]
pub(super) enum Values<'a> {
    Array(&'a ArrayRef),
    Indices(&'a Arc<Dictionary>, Indices<'a>),
}

/// Some of the values of a column.
#[derive(Debug)]
pub(super) enum Chosen<'a> {
    Array(ArrayRef),
    Bytes(&'a Arc<Dictionary>, Vec<u8>),
    Wide(&'a Arc<Dictionary>, Vec<u32>),
}

impl<'a> Values<'a> {
    /// The values of some rows, in rising order; `None` if these are not those of the column.
    pub fn choose(self, rows: &UInt32Array) -> Option<Chosen<'a>> {
        fn pick<T: Copy>(all: &[T], rows: &[u32]) -> Vec<T> {
            rows.iter().map(|row| all[*row as usize]).collect()
        }
        let (length, wanted) = (self.len(), rows.values());
        if wanted.last().is_some_and(|last| *last as usize >= length) {
            return None;
        }
        Some(match self {
            Values::Array(array) => Chosen::Array(take(array, rows, None).ok()?),
            Values::Indices(of, Indices::Bytes(all)) => Chosen::Bytes(of, pick(all, wanted)),
            Values::Indices(of, Indices::Wide(all)) => Chosen::Wide(of, pick(all, wanted)),
        })
    }

    fn len(&self) -> usize {
        match self {
            Values::Array(array) => array.len(),
            Values::Indices(_, Indices::Bytes(all)) => all.len(),
            Values::Indices(_, Indices::Wide(all)) => all.len(),
        }
    }
}

impl Chosen<'_> {
    pub fn values(&self) -> Values<'_> {
        match self {
            Chosen::Array(array) => Values::Array(array),
            Chosen::Bytes(of, indices) => Values::Indices(of, Indices::Bytes(indices)),
            Chosen::Wide(of, indices) => Values::Indices(of, Indices::Wide(indices)),
        }
    }
}
