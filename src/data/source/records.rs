//! The records of a block and their fields.

use csv_core::ReadRecordResult;
use memchr::memchr;

/// Bytes of text whose delimiters are looked up at a time: these and their places stay in the first cache.
const WINDOW: usize = 1 << 13;
/// Bytes that are compared at once.
const LANES: usize = 64;

/// What was found.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// So many records that each have the fields they must.
    Records(usize),
    /// A record with another number of fields, and where it starts.
    Ragged {
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

/// Goes through the records of a block: by the places of delimiters and ends of lines where there are no quotes, by a parser
/// where there are.
pub(super) struct Records<'t> {
    text: &'t [u8],
    delimiter: u8,
    /// The fields of a record.
    width: usize,
    /// Where the next record starts, or ends of lines before it.
    at: usize,
    /// The next quote.
    quote: usize,
    window: usize,
    /// The places of delimiters and ends of lines.
    stops: Vec<usize>,
    /// Those of the stops that end lines.
    ends: Vec<usize>,
    /// The next of the ends, and the next of the stops.
    line: usize,
    next: usize,
    /// The records found last: where they start, and their first stop; none if one was parsed.
    start: usize,
    first: Option<usize>,
    quoted: Option<Quoted>,
}

impl<'t> Records<'t> {
    /// The records of `text` from `at`, of so many fields; the text ends with the end of a line.
    pub fn new(text: &'t [u8], at: usize, delimiter: u8, width: usize) -> Self {
        Records {
            text,
            delimiter,
            width,
            at,
            quote: next_quote(text, at),
            window: WINDOW,
            stops: Vec::new(),
            ends: Vec::new(),
            line: 0,
            next: 0,
            start: at,
            first: None,
            quoted: None,
        }
    }

    /// A field of one of the records found last.
    #[inline]
    pub fn field(&self, record: usize, field: usize) -> &[u8] {
        match (self.first, &self.quoted) {
            (Some(first), _) => {
                let stop = first + record * self.width + field;
                let from = if stop == first { self.start } else { self.stops[stop - 1] + 1 };
                &self.text[from..self.stops[stop]]
            }
            (None, Some(quoted)) => quoted.field(field),
            (None, None) => &[],
        }
    }

    /// Where one of the records found last starts.
    pub fn start(&self, record: usize) -> usize {
        match self.first {
            Some(first) if record > 0 => self.stops[first + record * self.width - 1] + 1,
            _ => self.start,
        }
    }

    /// What part of a number lies before the present place.
    pub fn share(&self, of: u64) -> u64 {
        (u128::from(of) * self.at as u128 / self.text.len().max(1) as u128) as u64
    }

    /// Finds the next records, at most so many.
    pub fn next(&mut self, most: usize) -> Found {
        loop {
            while let Some(&last) = self.ends.get(self.line) {
                let (start, first) = (self.at, self.next);
                (self.start, self.first) = (start, Some(first));
                let fields = last + 1 - first;
                // Lines with nothing on them are no records.
                let empty = start == self.stops[last];
                let mut records = 1;
                // Lines of more fields than one are not empty.
                if !empty && fields == self.width && fields > 1 {
                    let more = self.ends[self.line..].iter().take(most).skip(1);
                    let like = |(at, end): &(usize, &usize)| **end == last + (at + 1) * fields;
                    records += more.enumerate().take_while(like).count();
                }
                self.line += records;
                self.next = first + records * fields;
                self.at = self.stops[self.next - 1] + 1;
                if empty {
                    continue;
                }
                return if fields == self.width { Found::Records(records) } else { Found::Ragged { start, fields } };
            }
            if self.at >= self.text.len() {
                return Found::End;
            }
            if self.quote < self.at {
                self.quote = next_quote(self.text, self.at);
            }
            let to = self.quote.min(self.at.saturating_add(self.window));
            self.look_up(to.min(self.text.len()));
            if !self.ends.is_empty() {
                self.window = WINDOW;
            } else if to == self.quote {
                return self.parse();
            } else {
                // A record longer than the window.
                self.window = self.window.saturating_mul(2);
            }
        }
    }

    /// Finds the stops from the present place to another.
    fn look_up(&mut self, to: usize) {
        self.stops.clear();
        self.ends.clear();
        (self.line, self.next) = (0, 0);
        let mut at = self.at;
        let (whole, rest) = self.text[self.at..to].as_chunks::<LANES>();
        for lanes in whole {
            self.note(at, lanes);
            at += LANES;
        }
        // A quote is neither a delimiter nor the end of a line.
        let mut last = [b'"'; LANES];
        last[..rest.len()].copy_from_slice(rest);
        self.note(at, &last);
    }

    #[inline]
    fn note(&mut self, at: usize, lanes: &[u8; LANES]) {
        let mut ends = bits(lanes, |byte| byte == b'\n' || byte == b'\r');
        let mut stops = ends | bits(lanes, |byte| byte == self.delimiter);
        let before = self.stops.len();
        while ends != 0 {
            let up_to = ends ^ (ends - 1);
            self.ends.push(before + (stops & (up_to >> 1)).count_ones() as usize);
            ends &= ends - 1;
        }
        let found = stops.count_ones() as usize;
        // Four at a time, of which the last ones may be no stops and are taken back.
        while stops != 0 {
            let mut four = [0; 4];
            for place in &mut four {
                *place = at + stops.trailing_zeros() as usize;
                stops &= stops.wrapping_sub(1);
            }
            self.stops.extend_from_slice(&four);
        }
        self.stops.truncate(before + found);
    }

    /// Parses the record at the present place, which has quotes.
    fn parse(&mut self) -> Found {
        while let Some(b'\n' | b'\r') = self.text.get(self.at) {
            self.at += 1;
        }
        let start = self.at;
        let quoted = self.quoted.get_or_insert_with(|| Quoted::new(self.delimiter));
        let (read, fields, whole) = quoted.read(&self.text[start..]);
        (self.at, self.start, self.first) = (start + read, start, None);
        // What was looked up is behind.
        self.stops.clear();
        match whole {
            true if fields == self.width => Found::Records(1),
            true => Found::Ragged { start, fields },
            false => Found::Open { start, field: fields },
        }
    }
}

fn next_quote(text: &[u8], from: usize) -> usize {
    memchr(b'"', &text[from..]).map_or(usize::MAX, |at| from + at)
}

/// One bit for each byte that is one of those. The compiler makes it comparisons of many bytes at once.
#[inline(always)]
fn bits(lanes: &[u8; LANES], is: impl Fn(u8) -> bool) -> u64 {
    let mut flags = [0; LANES];
    for (flag, byte) in flags.iter_mut().zip(lanes) {
        *flag = u8::from(is(*byte));
    }
    // The product moves the lowest bit of each of eight bytes to a place of its own in the highest byte.
    let eight = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    flags.as_chunks::<8>().0.iter().rev().fold(0, |all, bytes| all << 8 | eight(bytes))
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

    fn field(&self, field: usize) -> &[u8] {
        let from = field.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[from..self.ends[field]]
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
