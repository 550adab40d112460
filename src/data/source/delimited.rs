//! Delimited text, plain or gzip, record by record.

use std::io::{self, Read};

use csv::ByteRecord;
use flate2::read::MultiGzDecoder;

use super::intake::{Fault, Intake, Outcome};
use super::progress::Meter;
use super::spool::{self, Input, Stamp};
use super::{Format, Options, Sample, dialect};
use crate::error::{Error, Result};

/// Put behind the text: if it does not come back as a record of its own, a quote was left open and the
/// parser took everything to the end of the file for one field.
const END: &str = "\u{1e}evenhand: end of text\u{1e}";
const BEHIND: &str = "\n\u{1e}evenhand: end of text\u{1e}\n";
/// Bytes read at a time.
const BUFFER: usize = 1 << 18;
/// Bytes looked at to find delimiter and header.
const LOOK: u64 = 1 << 16;

/// Counts and hashes the bytes of the file on their way.
struct Tap {
    file: std::fs::File,
    bytes: u64,
    hasher: Option<Box<blake3::Hasher>>,
}

impl Read for Tap {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.bytes += n as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..n]);
        }
        Ok(n)
    }
}

#[allow(clippy::large_enum_variant)] // one a file
enum Decoder {
    Plain(Tap),
    Gzip(MultiGzDecoder<io::BufReader<Tap>>),
}

impl Decoder {
    fn open(input: &Input, hash: bool) -> Result<Self> {
        let tap = Tap { file: input.file()?, bytes: 0, hasher: hash.then(Box::default) };
        Ok(match input.format {
            Format::CsvGz => Decoder::Gzip(MultiGzDecoder::new(io::BufReader::with_capacity(BUFFER, tap))),
            _ => Decoder::Plain(tap),
        })
    }

    fn tap(&self) -> &Tap {
        match self {
            Decoder::Plain(tap) => tap,
            Decoder::Gzip(gzip) => gzip.get_ref().get_ref(),
        }
    }
}

impl Read for Decoder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Decoder::Plain(tap) => tap.read(buffer),
            Decoder::Gzip(gzip) => gzip.read(buffer),
        }
    }
}

/// A text file with the names of its columns, at its first row.
pub(super) struct Text<'i> {
    input: &'i Input,
    delimiter: u8,
    reader: csv::Reader<io::Chain<Decoder, &'static [u8]>>,
    names: Vec<String>,
    record: ByteRecord,
    /// The record is the first row, read where a header might have been.
    pending: bool,
    header: bool,
}

impl<'i> Text<'i> {
    pub fn open(input: &'i Input, options: &Options, hash: bool) -> Result<Self> {
        let (delimiter, header) = settle(input, options)?;
        let decoder = Decoder::open(input, hash)?;
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .buffer_capacity(BUFFER)
            .from_reader(decoder.chain(BEHIND.as_bytes()));
        let (names, record) = (Vec::new(), ByteRecord::new());
        let mut text = Text { input, delimiter, reader, names, record, pending: false, header };
        if !text.advance()? {
            return Err(Error::Nothing { problem: "the file is empty", place: input.place(None) });
        }
        text.pending = !header;
        text.names = text.header_names()?;
        Ok(text)
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// The fields of the present row.
    pub fn fields(&self) -> &ByteRecord {
        &self.record
    }

    /// Where a column stands.
    pub fn find(&self, name: &str) -> Result<usize> {
        let at = self.names.iter().position(|n| n == name);
        at.ok_or_else(|| Error::missing_column(name, Some(self.input.given.clone()), self.names.clone()))
    }

    /// The bytes of the file that were read so far.
    pub fn bytes_read(&self) -> u64 {
        self.tap().bytes
    }

    fn tap(&self) -> &Tap {
        self.reader.get_ref().get_ref().0.tap()
    }

    fn header_names(&self) -> Result<Vec<String>> {
        let unnamed = |at: usize| format!("column_{}", at + 1);
        if !self.header {
            return Ok((0..self.record.len()).map(unnamed).collect());
        }
        let mut names: Vec<String> = Vec::with_capacity(self.record.len());
        for (at, field) in self.record.iter().enumerate() {
            let text = std::str::from_utf8(field).map_err(|_| self.malformed(Some(at), NOT_UTF8))?.trim();
            let name = if text.is_empty() { unnamed(at) } else { text.to_string() };
            if names.contains(&name) {
                return Err(self.malformed(Some(at), format!("the header names `{name}` twice; name each column once")));
            }
            names.push(name);
        }
        Ok(names)
    }

    /// Reads the next record, false at the end.
    fn advance(&mut self) -> Result<bool> {
        let more = self.reader.read_byte_record(&mut self.record).map_err(|e| failed(self.input, e))?;
        if !more {
            // The end mark has not come back.
            return Err(self.malformed(None, OPEN_QUOTE));
        }
        match self.record.len() {
            1 if &self.record[0] == END.as_bytes() => Ok(false),
            n if self.record[n - 1].ends_with(BEHIND.as_bytes()) => Err(self.malformed(Some(n - 1), OPEN_QUOTE)),
            _ => Ok(true),
        }
    }

    /// Moves to the next row, false at the end.
    pub fn next_row(&mut self) -> Result<bool> {
        if std::mem::take(&mut self.pending) {
            return Ok(true);
        }
        if !self.advance()? {
            return Ok(false);
        }
        let (found, expected) = (self.record.len(), self.names.len());
        if found == expected {
            return Ok(true);
        }
        let problem = format!(
            "it has {found} fields where {expected} were expected; quote a field that holds the delimiter `{}`, or name \
             another delimiter",
            self.delimiter.escape_ascii()
        );
        Err(self.malformed(Some(found.min(expected)), problem))
    }

    /// The error for the present record, with the line where it begins.
    fn malformed(&self, field: Option<usize>, problem: impl Into<String>) -> Error {
        let byte = self.record.position().map_or(0, csv::Position::byte);
        match line_at(self.input, byte) {
            Ok(line) => {
                let field = field.map(|at| at as u64 + 1);
                Error::Malformed { file: self.input.given.clone(), line, field, problem: problem.into() }
            }
            Err(error) => error,
        }
    }
}

const NOT_UTF8: &str = "it is not text in UTF-8; convert the file";
const OPEN_QUOTE: &str = "a quote is opened here and closed nowhere; close it, or double a quote that is meant as such";

/// Delimiter and header: as told, or found in the beginning of the file.
fn settle(input: &Input, options: &Options) -> Result<(u8, bool)> {
    if let Some(d) = options.delimiter
        && (!d.is_ascii() || matches!(d, b'"' | b'\n' | b'\r'))
    {
        let expected = "one ASCII character other than a quote or the end of a line";
        return Err(Error::setting("the delimiter", format!("`{}`", d.escape_ascii()), expected));
    }
    let mut sample = Vec::new();
    Decoder::open(input, false)?.take(LOOK).read_to_end(&mut sample).map_err(|e| read_error(input, e))?;
    if input.format == Format::CsvGz && sample.starts_with(b"PAR1") {
        return Err(input.bad("it is a Parquet file inside gzip; decompress it first"));
    }
    if let Some(what) = spool::foreign(&sample) {
        return Err(input.bad(format!("it is {what}")));
    }
    let whole = (sample.len() as u64) < LOOK;
    let delimiter = options.delimiter.unwrap_or_else(|| dialect::delimiter(&sample, whole));
    let header = options.header.unwrap_or_else(|| dialect::has_header(&sample, delimiter, whole));
    Ok((delimiter, header))
}

fn failed(input: &Input, error: csv::Error) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => read_error(input, error),
        other => input.bad(format!("{other:?}")),
    }
}

fn read_error(input: &Input, error: io::Error) -> Error {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    match error.kind() {
        UnexpectedEof if input.format == Format::CsvGz => {
            input.bad("the gzip data end too early; the file is truncated, fetch it again")
        }
        InvalidData | InvalidInput if input.format == Format::CsvGz => {
            input.bad(format!("the gzip data are damaged ({error}); fetch the file again"))
        }
        _ => input.io("read", error),
    }
}

/// The line, from 1, of the first thing at or behind a byte of the text that is not the end of a line. The
/// parser's own count is not exact for CRLF and blank lines, so the text is read again: only on errors.
fn line_at(input: &Input, byte: u64) -> Result<u64> {
    let mut text = io::BufReader::with_capacity(BUFFER, Decoder::open(input, false)?).bytes();
    let (mut at, mut line, mut after_return) = (0, 1, false);
    loop {
        let next = text.next().transpose().map_err(|e| read_error(input, e))?;
        match next {
            Some(b'\n') if after_return => {}
            Some(b'\n' | b'\r') => line += 1,
            Some(_) if at < byte => {}
            _ => return Ok(line),
        }
        after_return = next == Some(b'\r');
        at += 1;
    }
}

/// Reads a file from its first to its last row.
pub(super) fn read(mut intake: Intake, options: &Options, stamp: Stamp, hash: bool, meter: &Meter) -> Result<Outcome> {
    let input = intake.input;
    let mut text = Text::open(input, options, hash)?;
    let at = intake.plan.locate(&text.names, &input.given)?;
    let (mut row, mut held, mut metered) = (0, 0, 0);
    while text.next_row()? {
        let record = &text.record;
        if let Err((column, fault)) = intake.push(row, |column| &record[at[column]]) {
            return Err(match fault {
                Fault::Utf8 => text.malformed(Some(at[column]), NOT_UTF8),
                fault => intake.error(column, fault, row),
            });
        }
        (row, held) = (row + 1, held + 1);
        if held == options.chunk {
            intake.flush(held, row)?;
            let bytes = text.bytes_read();
            meter.add(bytes - metered, held as u64);
            (held, metered) = (0, bytes);
        }
    }
    intake.flush(held, row)?;
    if row == 0 {
        return Err(Error::Nothing { problem: "the file has a header but no rows", place: input.place(None) });
    }
    let tap = text.tap();
    meter.add(tap.bytes - metered, held as u64);
    if tap.bytes != stamp.bytes {
        return Err(input.changed());
    }
    let blake3 = tap.hasher.as_ref().map(|h| h.finalize().to_hex().to_string());
    Ok(Outcome { blake3, ..intake.finish()? })
}

/// The first rows as text.
pub(super) fn sample(input: &Input, options: &Options, rows: usize) -> Result<Sample> {
    let mut text = Text::open(input, options, false)?;
    let mut values = vec![Vec::new(); text.names.len()];
    for _ in 0..rows {
        if !text.next_row()? {
            break;
        }
        for (values, field) in values.iter_mut().zip(&text.record) {
            values.push(String::from_utf8_lossy(field).trim().to_string());
        }
    }
    let columns = text.names.iter().zip(&values).map(|(name, values)| dialect::column(name, values)).collect();
    Ok(Sample { columns, values })
}
