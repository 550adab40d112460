//! A text in blocks of whole records, so that threads can share it.
//!
//! Where a record ends cannot be told from the middle of a text: a line may end inside quotes. So the blocks are cut by
//! whoever holds the text, in order, looking at quotes alone; their fields are parsed by any thread.

use std::io::{ErrorKind, Read};
use std::sync::{Mutex, PoisonError};

use memchr::{memchr, memrchr2};

use super::Format;
use super::decode::{BUFFER, Decoder, read_error};
use super::spool::{Input, Stamp};
use crate::error::{Error, Result};

/// A byte order mark.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Some records, from the first byte of one to the end of the last one's line.
pub(super) struct Block {
    buffer: Vec<u8>,
    filled: usize,
    /// Where the records begin: behind a header in the first block.
    pub from: usize,
    /// Where the buffer begins in the text.
    pub offset: u64,
    /// The bytes of the file that were read for it.
    pub bytes: u64,
}

impl Block {
    pub fn text(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }
}

/// Buffers to be used again.
#[derive(Default)]
pub(super) struct Spare(Mutex<Vec<Vec<u8>>>);

impl Spare {
    fn take(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    pub fn give(&self, block: Block) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(block.buffer);
    }
}

/// Cuts a text into blocks.
pub(super) struct Blocks<'i> {
    input: &'i Input,
    decoder: Decoder,
    stamp: Stamp,
    spare: &'i Spare,
    /// The bytes that a block has at least, unless the text ends.
    size: usize,
    delimiter: u8,
    /// What was read behind the last block.
    rest: Vec<u8>,
    offset: u64,
    /// Bytes before the first row.
    header: usize,
    bytes: u64,
    ended: bool,
}

impl<'i> Blocks<'i> {
    /// Of a text whose rows begin at the byte `header`.
    pub fn new(
        (input, stamp): (&'i Input, Stamp),
        decoder: Decoder,
        (delimiter, header): (u8, u64),
        size: usize,
        spare: &'i Spare,
    ) -> Self {
        let header = header as usize;
        let (rest, size) = (Vec::new(), size.max(1));
        Blocks { input, decoder, stamp, spare, size, delimiter, rest, offset: 0, header, bytes: 0, ended: false }
    }

    /// The hash of the whole file, once there are no more blocks.
    pub fn blake3(&self) -> Option<String> {
        self.decoder.tap().blake3().filter(|_| self.ended)
    }

    fn cut(&mut self) -> Result<Option<Block>> {
        if self.ended {
            return Ok(None);
        }
        let mut buffer = self.spare.take();
        let mut filled = self.rest.len();
        let mut borders = Borders::new(self.delimiter, self.offset == 0);
        let mut wanted = filled.max(self.header) + self.size.min(self.left());
        let end = loop {
            if buffer.len() <= wanted {
                // One byte more, for the end of a last line that has none.
                buffer.resize(wanted + 1, 0);
            }
            buffer[..self.rest.len()].copy_from_slice(&self.rest);
            self.ended = !self.fill(&mut buffer[..wanted], &mut filled)?;
            if self.offset == 0 && buffer[..filled].starts_with(MARK) {
                self.header = self.header.max(MARK.len());
            }
            borders.advance(&buffer[..filled]);
            match borders.last(&buffer[..filled]) {
                _ if self.ended => break filled,
                border if border > self.header => break border,
                // A record longer than the block.
                _ => wanted += wanted.max(self.size),
            }
        };
        self.rest.clear();
        self.rest.extend_from_slice(&buffer[end..filled]);
        let bytes = self.decoder.tap().bytes;
        let mut block =
            Block { buffer, filled: end, from: self.header, offset: self.offset, bytes: bytes - self.bytes };
        self.offset += end as u64;
        self.header = self.header.saturating_sub(end);
        self.bytes = bytes;
        if self.ended && !matches!(block.text().last(), None | Some(b'\n' | b'\r')) {
            block.buffer[end] = b'\n';
            block.filled += 1;
        }
        block.from = block.from.min(block.filled);
        Ok(Some(block))
    }

    /// The bytes of text that can still come, and one to see that no more do. What is compressed does not say.
    fn left(&self) -> usize {
        let left = self.stamp.bytes.saturating_sub(self.decoder.tap().bytes);
        if self.input.format == Format::Csv {
            usize::try_from(left).map_or(usize::MAX, |left| left.saturating_add(1))
        } else {
            usize::MAX
        }
    }

    /// Reads until the buffer is full, false where the text ends before.
    fn fill(&mut self, buffer: &mut [u8], filled: &mut usize) -> Result<bool> {
        while *filled < buffer.len() {
            let to = buffer.len().min(*filled + BUFFER);
            match self.decoder.read(&mut buffer[*filled..to]) {
                Ok(0) if self.decoder.tap().bytes == self.stamp.bytes => return Ok(false),
                Ok(0) => return Err(self.input.changed()),
                Ok(n) => *filled += n,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(self.failed(e)),
            }
            if self.decoder.tap().bytes > self.stamp.bytes {
                return Err(self.input.changed());
            }
        }
        Ok(true)
    }

    /// A file that was cut short while it was read is damaged in that way only.
    fn failed(&self, error: std::io::Error) -> Error {
        match self.input.unchanged(self.stamp) {
            Ok(()) => read_error(self.input, error),
            Err(changed) => changed,
        }
    }
}

impl Iterator for Blocks<'_> {
    type Item = Result<Block>;

    fn next(&mut self) -> Option<Self::Item> {
        self.cut().transpose()
    }
}

/// How far back from its end a block is searched for the end of a record at first.
const TAIL: usize = 1 << 16;

/// Finds ends of records. Text that was looked at is not looked at again when more of it comes.
struct Borders {
    delimiter: u8,
    /// The text begins with the first byte of the file, and may have a byte order mark.
    first: bool,
    /// The next byte to look at.
    at: usize,
    quoted: bool,
    /// Where the text outside quotes that reaches to `at` begins.
    outside: usize,
    border: usize,
}

impl Borders {
    fn new(delimiter: u8, first: bool) -> Self {
        Borders { delimiter, first, at: 0, quoted: false, outside: 0, border: 0 }
    }

    /// Goes over the text to its present end. A quote opens a field at its beginning only; inside quotes, two of them
    /// are one that is meant as such.
    fn advance(&mut self, text: &[u8]) {
        let tail = text.len().saturating_sub(TAIL);
        while let Some(quote) = memchr(b'"', &text[self.at..]).map(|i| self.at + i) {
            if !self.quoted {
                self.at = quote + 1;
                if self.opens(text, quote) {
                    if quote >= tail {
                        self.settle(text, quote);
                    }
                    self.quoted = true;
                }
                continue;
            }
            match text.get(quote + 1) {
                Some(b'"') => self.at = quote + 2,
                Some(_) => {
                    (self.quoted, self.at, self.outside) = (false, quote + 1, quote + 1);
                }
                // What follows tells.
                None => {
                    self.at = quote;
                    return;
                }
            }
        }
        self.at = text.len();
    }

    fn opens(&self, text: &[u8], quote: usize) -> bool {
        match quote.checked_sub(1).map(|before| text[before]) {
            None | Some(b'\n' | b'\r') => true,
            Some(byte) => byte == self.delimiter || (self.first && &text[..quote] == MARK),
        }
    }

    /// Takes the end of the last line before `to` for the border, if there is one outside quotes.
    fn settle(&mut self, text: &[u8], to: usize) {
        if let Some(end) = memrchr2(b'\n', b'\r', &text[self.outside..to]) {
            self.border = self.outside + end + 1;
        }
    }

    /// The end of the last record that is known to be whole, 0 if there is none.
    fn last(&mut self, text: &[u8]) -> usize {
        if !self.quoted {
            self.settle(text, text.len());
        }
        self.border
    }
}
