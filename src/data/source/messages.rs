//! The messages of Arrow's files and streams, gone through before their batches are read: so that nothing is missing at the
//! end, and no length is believed that the file cannot hold.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use arrow_ipc::{MessageHeader, RecordBatch as Described, root_as_footer, root_as_message};

use super::guard::damaged;
use super::spool::Input;
use crate::error::{Error, Result};

/// How a file begins and ends; a stream has neither.
const MAGIC: &[u8] = b"ARROW1";
/// The beginning of a file is filled up with zeros to a multiple of this.
const HEAD: usize = 8;
/// The most that they fill it up to.
const LONGEST_HEAD: u64 = 128;
/// What stands behind the footer: its length and how a file ends.
const TAIL: u64 = 10;
/// What stands before the length of each message.
const CONTINUATION: [u8; 4] = [0xff; 4];
/// A buffer decompressed has no more bytes: what says more is damaged, and would ask for memory that is not there.
const LARGEST: i64 = 1 << 33;
/// What tells of the columns is not longer.
const LARGEST_SCHEMA: u64 = 1 << 28;

/// Whether a file that begins so is Arrow's: a file, or a stream, whose first message is a schema of some length.
pub(super) fn is_arrow(start: &[u8]) -> bool {
    let length = |at: usize| start.get(at..at + 4).map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    let stream = start.starts_with(&CONTINUATION) && length(4).is_some_and(|n| n > 0);
    stream || start.starts_with(b"ARROW1\0\0")
}

/// What the messages say together.
pub(super) struct Messages {
    /// Whether it is a file, not a stream.
    pub is_file: bool,
    /// The rows of each batch, as they stand one after the other.
    pub batches: Vec<u64>,
    /// Whether a file lists its batches in that order.
    pub in_order: bool,
}

impl Messages {
    /// Goes from message to message, without what is in them. A file's own list of its messages must name each, since by it
    /// they are read.
    pub fn check(input: &Input) -> Result<Self> {
        let mut walk = Walk::begin(input)?;
        let head = walk.head()?;
        let in_order = match head {
            0 => {
                walk.through()?;
                true
            }
            head => walk.by_footer(head)?,
        };
        Ok(Messages { is_file: head > 0, batches: walk.batches, in_order })
    }
}

/// A walk from message to message.
struct Walk<'i> {
    input: &'i Input,
    file: File,
    total: u64,
    /// Where the next message begins.
    at: u64,
    message: Vec<u8>,
    batches: Vec<u64>,
}

impl<'i> Walk<'i> {
    fn begin(input: &'i Input) -> Result<Self> {
        let total = input.stamp()?.bytes;
        Ok(Walk { input, file: input.file()?, total, at: 0, message: Vec::new(), batches: Vec::new() })
    }

    /// Reads from a place of the file.
    fn read(&mut self, at: u64, to: &mut [u8]) -> Result<()> {
        let read = self.file.seek(SeekFrom::Start(at)).and_then(|_| self.file.read_exact(to));
        read.map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof => truncated(self.input),
            _ => self.input.io("read", e),
        })
    }

    /// How long the beginning of a file is, up to what tells of the columns; 0 for a stream.
    fn head(&mut self) -> Result<u64> {
        let mut start = vec![0; LONGEST_HEAD.min(self.total) as usize];
        self.read(0, &mut start)?;
        if !start.starts_with(MAGIC) {
            return Ok(0);
        }
        let empty = |bytes: &&[u8]| bytes.iter().all(|byte| *byte == 0);
        let skipped = start.chunks_exact(HEAD).skip(1).take_while(empty).count();
        Ok(((1 + skipped) * HEAD) as u64)
    }

    /// Goes past a message, and says whether it was one or the mark of the end.
    fn step(&mut self) -> Result<bool> {
        let (input, batches) = (self.input, self.batches.len());
        let mut lengths = [0; 8];
        self.read(self.at, &mut lengths)?;
        self.at += 8;
        let [a, b, c, d, n @ ..] = lengths;
        if [a, b, c, d] != CONTINUATION {
            return Err(damaged(input, Some(batches), "a message does not begin as it must"));
        }
        let length = u64::try_from(i32::from_le_bytes(n)).ok().filter(|n| *n <= self.total - self.at);
        let Some(length) = length else { return Err(truncated(input)) };
        if length == 0 {
            return Ok(false);
        }
        let mut message = std::mem::take(&mut self.message);
        message.resize(length as usize, 0);
        self.read(self.at, &mut message)?;
        self.at += length;
        let about = root_as_message(&message);
        let about = about.map_err(|e| damaged(input, Some(batches), &format!("a message cannot be read ({e})")))?;
        let body = u64::try_from(about.bodyLength()).ok().filter(|n| *n <= self.total - self.at);
        let Some(body) = body else { return Err(truncated(input)) };
        match (about.header_type(), about.header_as_record_batch(), about.header_as_dictionary_batch()) {
            (MessageHeader::Schema, ..) => {}
            (MessageHeader::RecordBatch, Some(batch), _) => {
                self.check_sizes(batch)?;
                let rows = u64::try_from(batch.length());
                self.batches.push(rows.map_err(|_| damaged(input, Some(batches), "it has a negative number of rows"))?);
            }
            (MessageHeader::DictionaryBatch, _, Some(batch)) => {
                if let Some(batch) = batch.data() {
                    self.check_sizes(batch)?;
                }
            }
            _ => return Err(damaged(input, Some(batches), "a message is of no kind that belongs there")),
        }
        self.at += body;
        self.message = message;
        Ok(true)
    }

    /// Checks the sizes that compressed buffers say they have: each stands before its buffer.
    fn check_sizes(&mut self, batch: Described) -> Result<()> {
        if batch.compression().is_none() {
            return Ok(());
        }
        for buffer in batch.buffers().iter().flatten().filter(|b| b.length() >= 8) {
            let mut size = [0; 8];
            let at = u64::try_from(buffer.offset()).ok().and_then(|at| at.checked_add(self.at));
            let read = at.is_some_and(|at| self.read(at, &mut size).is_ok());
            if !read || !(-1..=LARGEST).contains(&i64::from_le_bytes(size)) {
                return Err(damaged(self.input, Some(self.batches.len()), "a buffer has a size that cannot be"));
            }
        }
        Ok(())
    }

    /// Goes through a stream.
    fn through(&mut self) -> Result<()> {
        while self.step()? {}
        match self.at < self.total {
            true => Err(damaged(self.input, None, "bytes follow the end of the stream")),
            false => Ok(()),
        }
    }

    /// Goes through a file by the list in its footer, which must leave nothing out, and says whether its batches are listed in
    /// their order.
    fn by_footer(&mut self, head: u64) -> Result<bool> {
        let input = self.input;
        let mut end = [0; TAIL as usize];
        self.read(self.total.saturating_sub(TAIL), &mut end)?;
        let [a, b, c, d, magic @ ..] = end;
        let length = u64::try_from(i32::from_le_bytes([a, b, c, d])).ok();
        let from = length.and_then(|length| self.total.checked_sub(TAIL + length)).filter(|from| *from >= head);
        let Some(from) = from.filter(|_| magic == MAGIC) else { return Err(truncated(input)) };
        let mut footer = vec![0; (self.total - TAIL - from) as usize];
        self.read(from, &mut footer)?;
        let unlisted = || damaged(input, None, "its footer does not list what it holds");
        let footer = root_as_footer(&footer).map_err(|e| damaged(input, None, &format!("its footer is none ({e})")))?;
        let listed = [footer.dictionaries(), footer.recordBatches()].into_iter().flatten().flatten();
        let mut blocks: Vec<(u64, u64)> = listed
            .map(|block| {
                let lengths = u64::try_from(block.metaDataLength()).ok().zip(u64::try_from(block.bodyLength()).ok());
                let begin = u64::try_from(block.offset()).ok();
                begin
                    .zip(lengths)
                    .and_then(|(begin, (meta, body))| Some((begin, begin.checked_add(meta)?.checked_add(body)?)))
            })
            .collect::<Option<_>>()
            .ok_or_else(unlisted)?;
        blocks.sort_unstable();
        let in_order =
            footer.recordBatches().is_none_or(|listed| listed.iter().is_sorted_by_key(|block| block.offset()));
        let Some(&(first, _)) = blocks.first() else { return Ok(in_order) };
        self.check_schema(head, first)?;
        self.at = first;
        for (begin, end) in blocks {
            if self.at != begin || begin >= from || !self.step()? || self.at != end {
                return Err(unlisted());
            }
        }
        if footer.recordBatches().map_or(0, |listed| listed.len()) != self.batches.len() {
            return Err(unlisted());
        }
        // Not every writer marks the end of the messages.
        let more = self.at < from && self.step()?;
        if more || self.at != from { Err(unlisted()) } else { Ok(in_order) }
    }

    /// Before the first listed message there must be the columns alone. Polars writes them without their length.
    fn check_schema(&mut self, head: u64, first: u64) -> Result<()> {
        let wrong = |input| damaged(input, None, "before its first batch there is more than its columns");
        let length = first.checked_sub(head).filter(|length| *length <= LARGEST_SCHEMA);
        let mut message = vec![0; length.ok_or_else(|| wrong(self.input))? as usize];
        self.read(head, &mut message)?;
        let bare = match message.strip_prefix(&CONTINUATION) {
            Some(rest) => {
                let length = rest.first_chunk().map_or(-1, |n| i32::from_le_bytes(*n));
                rest.get(4..).filter(|bare| usize::try_from(length) == Ok(bare.len()))
            }
            None => Some(&message[..]),
        };
        let about = bare.and_then(|bare| root_as_message(bare).ok());
        match about.is_some_and(|about| about.header_type() == MessageHeader::Schema) {
            true => Ok(()),
            false => Err(wrong(self.input)),
        }
    }
}

fn truncated(input: &Input) -> Error {
    damaged(input, None, "it ends before its end is marked; it may be truncated")
}
