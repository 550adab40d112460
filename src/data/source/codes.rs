//! The codes of levels, in bytes while these hold them.

use super::intern::MISSING;
use crate::data::Codes;

/// The code of a missing level, in a byte.
pub(super) const MISSING_BYTE: u8 = u8::MAX;

/// The codes that a byte holds beside that of missing and one for what is not known yet.
#[cfg(feature = "parquet")]
const BYTES: usize = MISSING_BYTE as usize - 1;

/// The codes of some rows, all in bytes or none.
#[derive(Debug, Default)]
pub(super) struct LevelCodes {
    bytes: Vec<u8>,
    wide: Vec<u32>,
}

impl LevelCodes {
    /// The codes as bytes, if all are and those of so many levels can be.
    #[cfg(feature = "parquet")]
    pub fn bytes(&mut self, levels: usize) -> Option<&mut Vec<u8>> {
        (self.wide.is_empty() && levels <= BYTES).then_some(&mut self.bytes)
    }

    /// The codes, each as wide as any.
    pub fn wide(&mut self) -> &mut Vec<u32> {
        self.wide.extend(self.bytes.drain(..).map(widened));
        &mut self.wide
    }

    /// All of them.
    pub fn all(&self) -> Codes<'_> {
        if self.bytes.is_empty() { Codes::from(self.wide.as_slice()) } else { Codes::from(self.bytes.as_slice()) }
    }

    pub fn add_to(&self, all: &mut Vec<u32>) {
        all.extend(self.bytes.iter().map(|code| widened(*code)));
        all.extend_from_slice(&self.wide);
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.wide.clear();
    }
}

fn widened(code: u8) -> u32 {
    if code == MISSING_BYTE { MISSING } else { code.into() }
}
