//! Delimited text, plain or compressed: its beginning record by record, its rows in blocks that threads share.

use std::io::{self, Read};

use csv::ByteRecord;

use super::blocks::{Block, Blocks, Spare};
use super::decode::{BUFFER, Decoder, read_error};
use super::gather::Gathered;
use super::intake::{Aim, Fault, Intake, Outcome};
use super::plan::Plan;
use super::progress::Meter;
use super::records::{Found, Records};
use super::spool::{self, Input, Stamp};
use super::{Format, Options, Sample, dialect, schedule};
use crate::error::{Error, Result};

/// Put behind the text: if it does not come back as a record of its own, a quote was left open and the
/// parser took everything to the end of the file for one field.
const END: &str = "\u{1e}evenhand: end of text\u{1e}";
const BEHIND: &str = "\n\u{1e}evenhand: end of text\u{1e}\n";
/// Bytes looked at to find delimiter and header.
const LOOK: u64 = 1 << 16;

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
    pub fn open(input: &'i Input, options: &Options) -> Result<Self> {
        let (delimiter, header) = settle(input, options)?;
        let decoder = Decoder::open(input, false)?;
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
        self.reader.get_ref().get_ref().0.tap().bytes
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
        Err(self.malformed(Some(found.min(expected)), ragged(found, expected, self.delimiter)))
    }

    /// The error for the present record.
    fn malformed(&self, field: Option<usize>, problem: impl Into<String>) -> Error {
        malformed(self.input, self.record.position().map_or(0, csv::Position::byte), field, problem)
    }

    /// The rows that begin before a byte of the text.
    fn rows_before(&mut self, byte: u64) -> Result<u64> {
        let mut rows = 0;
        while self.next_row()? && self.record.position().is_some_and(|p| p.byte() < byte) {
            rows += 1;
        }
        Ok(rows)
    }
}

/// The error for a record, with the line where it begins.
fn malformed(input: &Input, byte: u64, field: Option<usize>, problem: impl Into<String>) -> Error {
    match line_at(input, byte) {
        Ok(line) => {
            let field = field.map(|at| at as u64 + 1);
            Error::Malformed { file: input.given.clone(), line, field, problem: problem.into() }
        }
        Err(error) => error,
    }
}

fn ragged(found: usize, expected: usize, delimiter: u8) -> String {
    format!(
        "it has {found} fields where {expected} were expected; quote a field that holds the delimiter `{}`, or name another \
         delimiter",
        delimiter.escape_ascii()
    )
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
    if input.format != Format::Csv && sample.starts_with(b"PAR1") {
        return Err(input.bad("it is a compressed Parquet file; decompress it first"));
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

/// Reads a file from its first to its last row: threads that are free help to parse it.
pub(super) fn read(
    (input, stamp): (&Input, Stamp),
    plan: &Plan,
    aim: Aim,
    options: &Options,
    meter: &Meter,
) -> Result<Outcome> {
    let text = Text::open(input, options)?;
    let at = plan.locate(&text.names, &input.given)?;
    let reading = Reading { input, plan, aim, options, meter, width: text.names.len(), delimiter: text.delimiter, at };
    let start = if text.header { text.reader.position().byte() } else { 0 };
    let decoder = Decoder::open(input, !matches!(aim, Aim::Numbers))?;
    let spare = Spare::default();
    let mut blocks = Blocks::new((input, stamp), decoder, (text.delimiter, start), options.block, &spare);
    let mut gathered = Gathered::new(plan, aim);
    let work = |block: Block| {
        let outcome = reading.block(&block);
        spare.give(block);
        outcome
    };
    schedule::in_order(&mut blocks, work, |part| {
        let start = gathered.rows;
        gathered.add(part, start, |row| input.place(Some(row)))
    })?;
    if gathered.rows == 0 {
        return Err(Error::Nothing { problem: "the file has a header but no rows", place: input.place(None) });
    }
    let blake3 = blocks.blake3();
    Ok(Outcome { blake3, ..gathered.finish()? })
}

/// What there is to know for the parsing of a block.
struct Reading<'r> {
    input: &'r Input,
    plan: &'r Plan,
    aim: Aim,
    options: &'r Options,
    meter: &'r Meter,
    /// The fields of a record.
    width: usize,
    delimiter: u8,
    /// The field of each column of the plan.
    at: Vec<usize>,
}

impl Reading<'_> {
    /// Parses a block; its rows are counted from 0.
    fn block(&self, block: &Block) -> Result<Outcome> {
        // What begins before is counted again: only on errors.
        let before = || Text::open(self.input, self.options)?.rows_before(block.offset + block.from as u64);
        let mut intake = Intake::new(self.plan, self.input, self.aim).behind(&before);
        match self.rows(block, &mut intake) {
            Ok(()) => intake.finish(),
            Err((row, error)) => intake.fail(row, error),
        }
    }

    /// Reads the rows of a block; with an error comes the row that has it.
    fn rows(&self, block: &Block, intake: &mut Intake) -> Result<(), (u64, Error)> {
        let malformed = |start: usize, field, problem: &str| {
            malformed(self.input, block.offset + start as u64, Some(field), problem)
        };
        let mut records = Records::new(block.text(), block.from, self.delimiter, self.width);
        let (mut row, mut held, mut metered) = (0, 0, 0);
        loop {
            let found = match records.next(self.options.chunk - held) {
                Found::Records(found) => found,
                Found::Ragged { start, fields } => {
                    let problem = ragged(fields, self.width, self.delimiter);
                    return Err((row, malformed(start, fields.min(self.width), &problem)));
                }
                Found::Open { start, field } => return Err((row, malformed(start, field, OPEN_QUOTE))),
                Found::End => break,
            };
            let pushed = intake.push(row, found, |at, column| records.field(at, self.at[column]));
            let kept = match pushed {
                Ok(kept) => kept,
                Err((at, column, fault)) => {
                    let row = row + at as u64;
                    let error = match fault {
                        Fault::Utf8 => malformed(records.start(at), self.at[column], NOT_UTF8),
                        fault => intake.error(column, fault, row),
                    };
                    return Err((row, error));
                }
            };
            (row, held) = (row + found as u64, held + kept);
            if held >= self.options.chunk {
                intake.flush(held, row).map_err(|error| (row, error))?;
                let bytes = records.share(block.bytes);
                self.meter.add(bytes - metered, held as u64);
                (held, metered) = (0, bytes);
            }
        }
        intake.flush(held, row).map_err(|error| (row, error))?;
        self.meter.add(block.bytes - metered, held as u64);
        Ok(())
    }
}

/// The first rows as text.
pub(super) fn sample(input: &Input, options: &Options, rows: usize) -> Result<Sample> {
    let mut text = Text::open(input, options)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Columns, source::Source};
    use crate::tally::Limits;

    /// Texts that are hard to cut: line ends, delimiters and quotes where they mean something and where they do not.
    const PIECES: [&str; 14] =
        ["f", "m", "\"", "\"\"", "\"a\nb\"", "\"x,\"\"y\"", "5\" wide", "\n", "\r\n", "\r", ",", "\u{feff}", "", " "];

    /// What a parser that reads the text as a whole finds: the records of a header and so many fields.
    fn whole(text: &[u8]) -> Option<Vec<Vec<Vec<u8>>>> {
        let text = [text, BEHIND.as_bytes()].concat();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&text[..]);
        let mut rows: Vec<Vec<Vec<u8>>> =
            reader.byte_records().map(|r| r.unwrap().iter().map(<[u8]>::to_vec).collect()).collect();
        // Otherwise a quote was left open.
        (rows.pop()? == [END.as_bytes()]).then_some(rows)
    }

    /// What blocks of so many bytes hold, of records with so many fields; of others only how many they have.
    fn in_blocks(text: &[u8], size: usize, width: usize) -> Option<Vec<(usize, Vec<Vec<u8>>)>> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file, text).unwrap();
        let input = Input::open(file.path()).ok()?;
        let (spare, decoder) = (Spare::default(), Decoder::open(&input, false).unwrap());
        let stamp = input.stamp().unwrap();
        let mut rows = Vec::new();
        for block in Blocks::new((&input, stamp), decoder, (b',', 0), size, &spare) {
            let block = block.unwrap();
            let mut records = Records::new(block.text(), block.from, b',', width);
            loop {
                match records.next(1 + size % 3) {
                    Found::Records(found) => {
                        assert!(found <= 1 + size % 3);
                        let fields = |at| (0..width).map(|field| records.field(at, field).to_vec()).collect();
                        rows.extend((0..found).map(|at| (width, fields(at))));
                    }
                    Found::Ragged { fields, .. } => rows.push((fields, Vec::new())),
                    Found::Open { .. } => return None,
                    Found::End => break,
                }
            }
            spare.give(block);
        }
        Some(rows)
    }

    #[test]
    fn blocks_hold_what_a_parser_of_the_whole_text_finds() {
        let mut state = 7u64;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let (mut open, mut read) = (0, 0);
        for _ in 0..4000 {
            let text: String = (0..1 + next(24)).map(|_| PIECES[next(PIECES.len())]).collect();
            let Some(expected) = whole(text.as_bytes()) else {
                open += 1;
                assert_eq!(in_blocks(text.as_bytes(), 1 + next(9), 1), None, "{text:?}");
                continue;
            };
            for width in 1..4 {
                let size = 1 + next(12);
                let found = in_blocks(text.as_bytes(), size, width).unwrap_or_default();
                let fields = |r: &Vec<Vec<u8>>| if r.len() == width { r.clone() } else { Vec::new() };
                let expected: Vec<(usize, Vec<Vec<u8>>)> = expected.iter().map(|r| (r.len(), fields(r))).collect();
                assert_eq!(found, expected, "{text:?} in blocks of {size}, {width} fields");
                read += 1;
            }
        }
        assert!(open > 100 && read > 1000, "{open} open, {read} read");
    }

    #[test]
    fn blocks_and_threads_change_neither_counts_nor_errors() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.csv");
        let mut text = String::from("note,sex,paid,offer,score\n");
        for i in 0..300 {
            let note = ["", "\"two\nlines\"", "plain", "\"a \"\"quoted\"\" word, and more\""][i * i % 7 % 4];
            text += &format!("{note},{},{},{},{}\n", ["f", "m", "\"x\""][i % 3], i % 2, i * 7 % 5 % 2, i * 31 % 64);
        }
        let columns = Columns::new().attribute("sex".parse().unwrap()).label("paid").decision("offer").score("score");
        let read = |text: &str, block: usize, threads: usize| {
            std::fs::write(&path, text).unwrap();
            let mut source = Source::open(&[&path]).unwrap().threads(Some(threads));
            source.options.block = block;
            source.tally(&columns, &[], Limits::default())
        };
        let all = read(&text, 1 << 20, 1).unwrap();
        assert_eq!(all.tally.rows(), 300);
        for block in [1, 13, 100, 1000, 5000] {
            let found = read(&text, block, 1 + block % 3).unwrap();
            assert_eq!((&found.tally, &found.files), (&all.tally, &all.files), "blocks of {block}");
        }
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let with = |line: &str| [&lines[..350], &[line], &lines[350..]].concat().concat();
        for (wrong, said) in [
            ("x,f,1,0,high\n", "`high` in row"),
            ("x,f,2,0,1\n", "is not plainly binary"),
            ("x,f,1,0\n", "line 351, field 5"),
            ("\"x,f,1,0,1\n", "line 351, field"),
        ] {
            let wrong = with(wrong);
            let expected = read(&wrong, 1 << 20, 1).unwrap_err().to_string();
            assert!(expected.contains(said), "{expected}");
            // The values that a message lists are those met until then; the row is the first at fault.
            let place = |text: &str| {
                text.find(" in row").map_or_else(|| text.into(), |at| text[at..].split(';').next().unwrap().to_string())
            };
            for block in [1, 50, 777] {
                let found = read(&wrong, block, 2).unwrap_err().to_string();
                assert!(found.contains(said), "{found}");
                assert_eq!(place(&found), place(&expected), "blocks of {block}");
            }
        }
    }
}
