//! Arrow's own files (Feather) and streams: batches one after the other, shared out among threads.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, DictionaryArray, PrimitiveArray, RecordBatch, StringArray};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::{MessageHeader, RecordBatch as Described, root_as_message};
use arrow_schema::{ArrowError, DataType, SchemaRef};

use super::columnar::{self, Lookups};
use super::gather::Gathered;
use super::guard::{damaged, guard};
use super::indices::Values;
use super::intake::{Aim, Intake, Outcome};
use super::plan::Plan;
use super::progress::Meter;
use super::spool::{Input, Stamp};
use super::{ColumnInfo, Options, Sample, schedule};
use crate::error::{Error, Result};

/// How a file begins and ends; a stream has neither.
const MAGIC: &[u8] = b"ARROW1";
/// A file holds a stream behind its beginning, which writers fill up with zeros to a multiple of this.
const HEAD: usize = 8;
/// The most that they fill it up to.
const LONGEST_HEAD: u64 = 128;
/// The length of the footer and how a file ends.
const TAIL: u64 = 10;
/// What stands before the length of each message.
const CONTINUATION: [u8; 4] = [0xff; 4];
/// A buffer decompressed has no more bytes: what says more is damaged, and would ask for memory that is not there.
const LARGEST: i64 = 1 << 33;
/// Rows in a unit of work, but for the last.
const UNIT: usize = 1 << 18;

/// Whether a file that begins so is Arrow's: a file, or a stream, whose first message is a schema of some length.
pub(super) fn is_arrow(start: &[u8]) -> bool {
    let length = |at: usize| start.get(at..at + 4).map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    let stream = start.starts_with(&CONTINUATION) && length(4).is_some_and(|n| n > 0);
    stream || start.starts_with(b"ARROW1\0\0")
}

/// What is known of a file before its batches are read.
struct Layout {
    schema: SchemaRef,
    names: Vec<String>,
    rows: u64,
}

impl Layout {
    /// Goes from message to message, without what is in them: so that nothing is missing at the end, and no length is
    /// believed that the file cannot hold.
    fn open(input: &Input) -> Result<Self> {
        let wrong = |e: io::Error| match e.kind() {
            io::ErrorKind::UnexpectedEof => truncated(input),
            _ => input.io("read", e),
        };
        let total = input.stamp()?.bytes;
        let mut file = BufReader::new(input.file()?);
        let mut at = beginning(&mut file).map_err(wrong)?;
        let is_file = at > 0;
        file.seek(SeekFrom::Start(at)).map_err(wrong)?;
        let (mut rows, mut batches) = (0u64, 0);
        let mut message = Vec::new();
        loop {
            let mut lengths = [0; 8];
            file.read_exact(&mut lengths).map_err(wrong)?;
            at += 8;
            let [a, b, c, d, n @ ..] = lengths;
            if [a, b, c, d] != CONTINUATION {
                return Err(damaged(input, Some(batches), "a message does not begin as it must"));
            }
            let length = u64::try_from(i32::from_le_bytes(n)).ok().filter(|n| *n <= total - at);
            let Some(length) = length else { return Err(truncated(input)) };
            if length == 0 {
                break;
            }
            message.resize(length as usize, 0);
            file.read_exact(&mut message).map_err(wrong)?;
            at += length;
            let about = root_as_message(&message);
            let about = about.map_err(|e| damaged(input, Some(batches), &format!("a message cannot be read ({e})")))?;
            let body = u64::try_from(about.bodyLength()).ok().filter(|n| *n <= total - at);
            let Some(body) = body else { return Err(truncated(input)) };
            if about.header_type() == MessageHeader::RecordBatch
                && let Some(batch) = about.header_as_record_batch()
            {
                check_sizes(&mut file, at, batch, input, batches)?;
                let more = u64::try_from(batch.length()).ok().and_then(|more| rows.checked_add(more));
                rows = more.ok_or_else(|| damaged(input, Some(batches), "it has a negative number of rows"))?;
                batches += 1;
            } else if let Some(batch) = about.header_as_dictionary_batch().and_then(|d| d.data()) {
                check_sizes(&mut file, at, batch, input, batches)?;
            }
            at += body;
            file.seek(SeekFrom::Start(at)).map_err(wrong)?;
        }
        let left = total - at;
        if is_file {
            let mut end = [0; TAIL as usize];
            file.seek(SeekFrom::End(-(TAIL as i64))).and_then(|_| file.read_exact(&mut end)).map_err(wrong)?;
            let [a, b, c, d, magic @ ..] = end;
            if magic != MAGIC || i64::from(i32::from_le_bytes([a, b, c, d])) + TAIL as i64 != left as i64 {
                return Err(truncated(input));
            }
        } else if left > 0 {
            return Err(damaged(input, None, "bytes follow the end of the stream"));
        }
        if rows == 0 {
            return Err(Error::Nothing { problem: "the file has no rows", place: input.place(None) });
        }
        let schema = stream(input, None)?.schema();
        let names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
        columnar::check_names(input, &names)?;
        Ok(Layout { schema, names, rows })
    }
}

/// Checks the sizes that compressed buffers say they have: each stands before its buffer.
fn check_sizes(file: &mut BufReader<File>, body: u64, batch: Described, input: &Input, number: usize) -> Result<()> {
    if batch.compression().is_none() {
        return Ok(());
    }
    for buffer in batch.buffers().iter().flatten().filter(|b| b.length() >= 8) {
        let mut size = [0; 8];
        let at = u64::try_from(buffer.offset()).ok().and_then(|at| at.checked_add(body));
        let read = at.is_some_and(|at| file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(&mut size)).is_ok());
        if !read || !(-1..=LARGEST).contains(&i64::from_le_bytes(size)) {
            return Err(damaged(input, Some(number), "a buffer has a size that cannot be"));
        }
    }
    Ok(())
}

/// Where the first message of a file begins; 0 for a stream.
fn beginning(file: &mut impl Read) -> io::Result<u64> {
    let mut start = Vec::new();
    file.take(LONGEST_HEAD).read_to_end(&mut start)?;
    if !start.starts_with(MAGIC) {
        return Ok(0);
    }
    let empty = |bytes: &&[u8]| bytes.iter().all(|byte| *byte == 0);
    let skipped = start.chunks_exact(HEAD).skip(1).take_while(empty).count();
    Ok(((1 + skipped) * HEAD) as u64)
}

fn truncated(input: &Input) -> Error {
    damaged(input, None, "it ends before its end is marked; it may be truncated")
}

/// The batches, with some of the columns.
fn stream(input: &Input, columns: Option<Vec<usize>>) -> Result<StreamReader<BufReader<File>>> {
    let mut file = input.file()?;
    let from = beginning(&mut file).and_then(|from| file.seek(SeekFrom::Start(from)));
    from.map_err(|e| input.io("read", e))?;
    guard(input, None, || StreamReader::try_new(BufReader::new(file), columns).map_err(|e| bad(input, None, &e)))
}

fn bad(input: &Input, batch: Option<usize>, error: &ArrowError) -> Error {
    damaged(input, batch, &error.to_string())
}

/// Batches of together so many rows.
struct Unit {
    batches: Vec<RecordBatch>,
    /// The row of the file that they begin with.
    start: u64,
}

/// Cuts and joins the batches of a stream to units of the same size, whatever the size of the batches.
struct Units<'i> {
    input: &'i Input,
    stream: StreamReader<BufReader<File>>,
    /// The batches read so far.
    read: usize,
    left: Option<RecordBatch>,
    start: u64,
}

impl Units<'_> {
    fn batch(&mut self) -> Result<Option<RecordBatch>> {
        if self.left.is_some() {
            return Ok(self.left.take());
        }
        let (input, at) = (self.input, Some(self.read));
        let next = guard(input, at, || self.stream.next().transpose().map_err(|e| bad(input, at, &e)))?;
        self.read += 1;
        Ok(next)
    }

    fn unit(&mut self) -> Result<Option<Unit>> {
        let mut unit = Unit { batches: Vec::new(), start: self.start };
        let mut room = UNIT;
        while room > 0
            && let Some(batch) = self.batch()?
        {
            let rows = batch.num_rows();
            if rows > room {
                self.left = Some(batch.slice(room, rows - room));
            }
            unit.batches.push(batch.slice(0, rows.min(room)));
            self.start += rows.min(room) as u64;
            room -= rows.min(room);
        }
        Ok((!unit.batches.is_empty()).then_some(unit))
    }
}

impl Iterator for Units<'_> {
    type Item = Result<Unit>;

    fn next(&mut self) -> Option<Self::Item> {
        self.unit().transpose()
    }
}

/// Reads a file from its first to its last row: threads that are free help to count.
pub(super) fn read(
    (input, stamp): (&Input, Stamp),
    plan: &Plan,
    aim: Aim,
    options: &Options,
    meter: &Meter,
) -> Result<Outcome> {
    let layout = Layout::open(input)?;
    let at = plan.locate(&layout.names, &input.given)?;
    for column in &at {
        let field = layout.schema.field(*column);
        if !is_readable(field.data_type()) {
            return Err(columnar::unreadable(input, field));
        }
    }
    // The reader gives columns in the order of the file.
    let mut columns = at.clone();
    columns.sort_unstable();
    columns.dedup();
    let places: Vec<usize> = at.iter().map(|column| columns.partition_point(|c| c < column)).collect();
    let bytes_before = |row: u64| (u128::from(stamp.bytes) * u128::from(row) / u128::from(layout.rows)) as u64;
    let count = |unit: Unit| {
        let mut intake = Intake::new(plan, input, aim);
        let mut lookups = Lookups::new(&intake);
        let mut texts = vec![None; columns.len()];
        let (mut row, mut held) = (unit.start, 0);
        for batch in &unit.batches {
            let arrays = batch.columns().iter().zip(&mut texts).map(|(array, texts)| as_known(array, texts));
            let arrays = arrays.collect::<Option<Vec<ArrayRef>>>();
            let arrays =
                arrays.ok_or_else(|| damaged(input, None, "a dictionary does not hold what it is asked for"))?;
            for from in (0..batch.num_rows()).step_by(options.chunk) {
                let rows = options.chunk.min(batch.num_rows() - from);
                let part: Vec<ArrayRef> = arrays.iter().map(|array| array.slice(from, rows)).collect();
                held += columnar::push(&mut intake, &mut lookups, (row, rows), |column| {
                    Values::Array(&part[places[column]])
                })?;
                row += rows as u64;
                if held >= options.chunk {
                    intake.flush(held, row)?;
                    held = 0;
                }
            }
        }
        intake.flush(held, row)?;
        meter.add(bytes_before(row) - bytes_before(unit.start), row - unit.start);
        intake.finish()
    };
    let stream = stream(input, Some(columns.clone()))?;
    let units = Units { input, stream, read: 0, left: None, start: 0 };
    let mut gathered = Gathered::new(plan, aim);
    schedule::in_order(units, count, |part| gathered.add(part, 0, |row| input.place(Some(row))))?;
    if gathered.rows != layout.rows {
        let problem = format!("its batches say {} rows and hold {}", layout.rows, gathered.rows);
        return Err(damaged(input, None, &problem));
    }
    gathered.finish()
}

fn is_readable(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(_, value) => columnar::is_readable(value),
        kind => columnar::is_readable(kind),
    }
}

/// An array whose dictionary, if it has one, is of texts under keys of 32 bits. The texts of the last dictionary are kept:
/// most batches share theirs.
fn as_known(array: &ArrayRef, last: &mut Option<(ArrayRef, ArrayRef)>) -> Option<ArrayRef> {
    fn keys<K: ArrowDictionaryKeyType>(array: &ArrayRef) -> Option<PrimitiveArray<Int32Type>>
    where
        K::Native: TryInto<i32>,
    {
        let keys = array.as_dictionary_opt::<K>()?.keys();
        // No key below a null is looked at.
        Some(PrimitiveArray::from_iter(keys.iter().map(|key| key.map(|k| k.try_into().unwrap_or(-1)))))
    }
    let DataType::Dictionary(kind, _) = array.data_type() else { return Some(array.clone()) };
    let keys = match kind.as_ref() {
        DataType::Int8 => keys::<Int8Type>(array),
        DataType::Int16 => keys::<Int16Type>(array),
        DataType::Int32 => Some(array.as_dictionary_opt::<Int32Type>()?.keys().clone()),
        DataType::Int64 => keys::<Int64Type>(array),
        DataType::UInt8 => keys::<UInt8Type>(array),
        DataType::UInt16 => keys::<UInt16Type>(array),
        DataType::UInt32 => keys::<UInt32Type>(array),
        DataType::UInt64 => keys::<UInt64Type>(array),
        _ => None,
    }?;
    let values = array.as_any_dictionary_opt()?.values();
    let texts = match last {
        Some((of, texts)) if Arc::ptr_eq(of, values) => texts.clone(),
        _ => {
            let texts = as_texts(values)?;
            *last = Some((values.clone(), texts.clone()));
            texts
        }
    };
    Some(Arc::new(DictionaryArray::try_new(keys, texts).ok()?))
}

fn as_texts(values: &ArrayRef) -> Option<ArrayRef> {
    if *values.data_type() == DataType::Utf8 {
        return Some(values.clone());
    }
    let mut texts: Vec<Option<String>> = Vec::with_capacity(values.len());
    columnar::texts(values, |_, text| {
        texts.push(text.map(String::from));
        Ok(())
    })
    .ok()?;
    Some(Arc::new(StringArray::from(texts)))
}

/// The first rows as text.
pub(super) fn sample(input: &Input, rows: usize) -> Result<Sample> {
    let layout = Layout::open(input)?;
    let fields = layout.schema.fields();
    let columns = fields.iter().map(|f| ColumnInfo { name: f.name().clone(), kind: columnar::kind(f.data_type()) });
    let columns = columns.collect();
    let mut values = vec![Vec::new(); fields.len()];
    let mut units = Units { input, stream: stream(input, None)?, read: 0, left: None, start: 0 };
    let mut left = rows;
    while left > 0
        && let Some(batch) = units.batch()?
    {
        let batch = batch.slice(0, batch.num_rows().min(left));
        for ((array, values), field) in batch.columns().iter().zip(&mut values).zip(fields) {
            if is_readable(field.data_type())
                && let Some(array) = as_known(array, &mut None)
            {
                columnar::sample(&array, values);
            }
        }
        left -= batch.num_rows();
    }
    let shown = rows - left;
    values.iter_mut().for_each(|v| v.resize(shown, String::new()));
    Ok(Sample { columns, values })
}
