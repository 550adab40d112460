//! The records of a block and those of their fields that are wanted.

use csv_core::ReadRecordResult;
use memchr::{memchr, memchr_iter, memchr2, memchr3_iter};

/// A field that is not wanted.
const SKIPPED: usize = usize::MAX;

/// Which fields of a record are wanted, and how many there must be.
pub(super) struct Wanted {
    /// For each field up to the last one wanted, its place among those wanted.
    slots: Vec<usize>,
    count: usize,
}

impl Wanted {
    /// The fields `at`, each of which is found again by its place there.
    pub fn new(at: &[usize]) -> Self {
        let mut slots = vec![SKIPPED; at.iter().max().map_or(0, |last| last + 1)];
        at.iter().enumerate().for_each(|(slot, field)| slots[*field] = slot);
        Wanted { slots, count: at.len() }
    }
}

/// What was found.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// A record, where it starts and how many fields it has.
    Record {
        start: usize,
        fields: usize,
    },
    /// A record whose last field is opened by a quote that nothing closes.
    Open {
        start: usize,
        field: usize,
    },
    End,
}

/// Goes through the records of a block: by a search for delimiters where there are no quotes, by a parser where there are.
pub(super) struct Records<'t> {
    text: &'t [u8],
    at: usize,
    delimiter: u8,
    wanted: &'t Wanted,
    /// There is no quote in the whole text.
    plain: bool,
    quoted: Option<Quoted>,
    /// Where the wanted fields stand: in the text, or among the unquoted bytes.
    spans: Vec<(usize, usize)>,
    unquoted: bool,
}

impl<'t> Records<'t> {
    /// The records of `text` from `at`; the text ends with the end of a line.
    pub fn new(text: &'t [u8], at: usize, delimiter: u8, wanted: &'t Wanted) -> Self {
        let plain = memchr(b'"', text).is_none();
        let spans = vec![(0, 0); wanted.count];
        Records { text, at, delimiter, wanted, plain, quoted: None, spans, unquoted: false }
    }

    /// A wanted field of the record found last.
    #[inline]
    pub fn field(&self, slot: usize) -> &[u8] {
        let (from, to) = self.spans[slot];
        match &self.quoted {
            Some(quoted) if self.unquoted => &quoted.bytes[from..to],
            _ => &self.text[from..to],
        }
    }

    /// What part of a number lies before the present place.
    pub fn share(&self, of: u64) -> u64 {
        (u128::from(of) * self.at as u128 / self.text.len().max(1) as u128) as u64
    }

    #[inline]
    pub fn next(&mut self) -> Found {
        let text = self.text;
        // Lines with nothing on them are no records.
        while let Some(b'\n' | b'\r') = text.get(self.at) {
            self.at += 1;
        }
        let start = self.at;
        if start == text.len() {
            return Found::End;
        }
        self.unquoted = false;
        let (mut field, mut from) = (0, start);
        if !self.wanted.slots.is_empty() {
            for end in memchr3_iter(self.delimiter, b'\n', b'\r', &text[start..]) {
                let end = start + end;
                if text[from] == b'"' {
                    return self.parse(start);
                }
                let slot = self.wanted.slots[field];
                if slot != SKIPPED {
                    self.spans[slot] = (from, end);
                }
                (field, from) = (field + 1, end + 1);
                if text[end] != self.delimiter {
                    self.at = from;
                    return Found::Record { start, fields: field };
                }
                if field == self.wanted.slots.len() {
                    break;
                }
            }
        }
        if !self.plain {
            return self.skip_fields(start, field, from);
        }
        // The fields behind the last wanted one are only counted.
        let end = memchr2(b'\n', b'\r', &text[from..]).map_or(text.len(), |i| from + i);
        let more = memchr_iter(self.delimiter, &text[from..end]).count();
        self.at = end;
        Found::Record { start, fields: field + more + 1 }
    }

    /// Counts the fields behind the last wanted one, where some may be in quotes.
    fn skip_fields(&mut self, start: usize, mut field: usize, mut from: usize) -> Found {
        let text = self.text;
        let first = from;
        for end in memchr3_iter(self.delimiter, b'\n', b'\r', &text[first..]) {
            let end = first + end;
            if text[from] == b'"' {
                return self.parse(start);
            }
            (field, from) = (field + 1, end + 1);
            if text[end] != self.delimiter {
                break;
            }
        }
        self.at = from.min(text.len());
        Found::Record { start, fields: field }
    }

    /// Parses a record that has quotes.
    fn parse(&mut self, start: usize) -> Found {
        let quoted = self.quoted.get_or_insert_with(|| Quoted::new(self.delimiter));
        let (read, fields, whole) = quoted.read(&self.text[start..]);
        self.at = start + read;
        if !whole {
            return Found::Open { start, field: fields };
        }
        self.unquoted = true;
        for (field, slot) in self.wanted.slots.iter().enumerate().take(fields).filter(|(_, slot)| **slot != SKIPPED) {
            let from = field.checked_sub(1).map_or(0, |before| quoted.ends[before]);
            self.spans[*slot] = (from, quoted.ends[field]);
        }
        Found::Record { start, fields }
    }
}

/// A parser of single records, with the bytes of their fields and where each ends.
struct Quoted {
    reader: csv_core::Reader,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Quoted {
    fn new(delimiter: u8) -> Self {
        let mut reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        // A parser takes what looks like a byte order mark for one at the very beginning: here is none.
        let _ = reader.read_record(b"\n", &mut [0; 4], &mut [0; 4]);
        Quoted { reader, bytes: vec![0; 1 << 10], ends: vec![0; 1 << 6] }
    }

    /// Reads one record: the bytes that it takes, the fields that it has, and whether it came to its end.
    fn read(&mut self, text: &[u8]) -> (usize, usize, bool) {
        let (mut read, mut written, mut fields) = (0, 0, 0);
        loop {
            let (output, ends) = (&mut self.bytes[written..], &mut self.ends[fields..]);
            let (result, n_read, n_written, n_fields) = self.reader.read_record(&text[read..], output, ends);
            (read, written, fields) = (read + n_read, written + n_written, fields + n_fields);
            match result {
                ReadRecordResult::OutputFull => self.bytes.resize(2 * self.bytes.len(), 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                ReadRecordResult::Record => return (read, fields, true),
                ReadRecordResult::InputEmpty | ReadRecordResult::End => return (read, fields, false),
            }
        }
    }
}
