//! Arrow's own files (Feather) and streams: batches one after the other, shared out among threads.

use std::fs::File;
use std::io::BufReader;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, DictionaryArray, PrimitiveArray, RecordBatch, RecordBatchReader, StringArray};
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, DataType, SchemaRef};

use super::columnar::{self, Lookups};
use super::gather::Gathered;
use super::guard::{damaged, guard};
use super::indices::Values;
use super::intake::{Aim, Intake, Outcome};
use super::messages::Messages;
use super::plan::Plan;
use super::progress::Meter;
use super::spool::{Input, Stamp};
use super::{ColumnInfo, Options, Sample, schedule};
use crate::error::{Error, Result};

/// Rows in a unit of work, but for the last.
const UNIT: usize = 1 << 18;

/// What is known of a file before its batches are read.
struct Layout {
    messages: Messages,
    rows: u64,
    schema: SchemaRef,
    names: Vec<String>,
}

impl Layout {
    fn open(input: &Input) -> Result<Self> {
        let messages = Messages::check(input)?;
        let rows = messages.batches.iter().try_fold(0u64, |sum, rows| sum.checked_add(*rows));
        let rows =
            rows.ok_or_else(|| damaged(input, None, "its batches say that they have more rows than there can be"))?;
        if rows == 0 {
            return Err(Error::Nothing { problem: "the file has no rows", place: input.place(None) });
        }
        let schema = batches(input, messages.is_file, None)?.schema();
        let names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
        columnar::check_names(input, &names)?;
        Ok(Layout { messages, rows, schema, names })
    }
}

/// The batches, with some of the columns.
fn batches(input: &Input, is_file: bool, columns: Option<Vec<usize>>) -> Result<Box<dyn RecordBatchReader + Send>> {
    if is_file {
        return Ok(Box::new(listing(input, columns)?));
    }
    let file = BufReader::new(input.file()?);
    let reader = guard(input, None, || StreamReader::try_new(file, columns).map_err(|e| bad(input, None, &e)))?;
    Ok(Box::new(reader))
}

/// The reader of a file by its list of batches.
fn listing(input: &Input, columns: Option<Vec<usize>>) -> Result<FileReader<File>> {
    let file = input.file()?;
    guard(input, None, || FileReader::try_new(file, columns).map_err(|e| bad(input, None, &e)))
}

/// The next batch, which is number `at`.
fn next(input: &Input, batches: &mut dyn RecordBatchReader, at: usize) -> Result<Option<RecordBatch>> {
    guard(input, Some(at), || batches.next().transpose().map_err(|e| bad(input, Some(at), &e)))
}

fn bad(input: &Input, batch: Option<usize>, error: &ArrowError) -> Error {
    damaged(input, batch, &error.to_string())
}

/// Batches of together so many rows.
struct Unit {
    batches: Batches,
    /// The row of the file that they begin with.
    start: u64,
}

enum Batches {
    Read(Vec<RecordBatch>),
    /// Yet to be read by whoever counts them: those of these numbers in a file's list.
    Listed(Range<usize>),
}

/// Where a file lists small batches in their order: units of them, which threads read by themselves.
fn listed(messages: &Messages) -> Option<Vec<Unit>> {
    let large = |rows: &u64| *rows > 2 * UNIT as u64;
    if !messages.is_file || !messages.in_order || messages.batches.iter().any(large) {
        return None;
    }
    let (mut units, mut row, mut from) = (Vec::new(), 0, 0);
    let mut held = 0;
    for (at, rows) in messages.batches.iter().enumerate() {
        held += rows;
        if held >= UNIT as u64 || at + 1 == messages.batches.len() {
            units.push(Unit { batches: Batches::Listed(from..at + 1), start: row });
            (row, from, held) = (row + held, at + 1, 0);
        }
    }
    Some(units)
}

/// Readers of a file's listed batches: as many as threads ask at once.
struct Shelf<'i> {
    input: &'i Input,
    columns: Vec<usize>,
    spare: Mutex<Vec<FileReader<File>>>,
}

impl Shelf<'_> {
    fn read(&self, listed: Range<usize>) -> Result<Vec<RecordBatch>> {
        let spare = || self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        let known = spare().pop();
        let mut reader = match known {
            Some(reader) => reader,
            None => listing(self.input, Some(self.columns.clone()))?,
        };
        reader.set_index(listed.start).map_err(|e| bad(self.input, Some(listed.start), &e))?;
        let batches = listed.filter_map(|at| next(self.input, &mut reader, at).transpose()).collect::<Result<_>>()?;
        spare().push(reader);
        Ok(batches)
    }
}

/// Cuts and joins the batches of a stream to units of the same size, whatever the size of the batches.
struct Units<'i> {
    input: &'i Input,
    batches: Box<dyn RecordBatchReader + Send>,
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
        let next = next(self.input, &mut *self.batches, self.read)?;
        self.read += 1;
        Ok(next)
    }

    fn unit(&mut self) -> Result<Option<Unit>> {
        let (mut batches, start) = (Vec::new(), self.start);
        let mut room = UNIT;
        while room > 0
            && let Some(batch) = self.batch()?
        {
            let rows = batch.num_rows();
            if rows > room {
                self.left = Some(batch.slice(room, rows - room));
            }
            batches.push(batch.slice(0, rows.min(room)));
            self.start += rows.min(room) as u64;
            room -= rows.min(room);
        }
        Ok((!batches.is_empty()).then_some(Unit { batches: Batches::Read(batches), start }))
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
    let shelf = Shelf { input, columns: columns.clone(), spare: Mutex::default() };
    let count = |unit: Unit| {
        let mut intake = Intake::new(plan, input, aim);
        let mut lookups = Lookups::new(&intake);
        let mut texts = vec![None; columns.len()];
        let (mut row, mut held) = (unit.start, 0);
        let batches = match unit.batches {
            Batches::Read(batches) => batches,
            Batches::Listed(listed) => shelf.read(listed)?,
        };
        for batch in &batches {
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
    let mut gathered = Gathered::new(plan, aim);
    let take = |part| gathered.add(part, 0, |row| input.place(Some(row)));
    match listed(&layout.messages) {
        Some(units) => schedule::in_order(units.into_iter().map(Ok), count, take)?,
        None => {
            let batches = batches(input, layout.messages.is_file, Some(columns.clone()))?;
            schedule::in_order(Units { input, batches, read: 0, left: None, start: 0 }, count, take)?;
        }
    }
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
        let values = keys.values().iter().map(|key| (*key).try_into().unwrap_or(-1));
        Some(PrimitiveArray::new(values.collect(), keys.nulls().cloned()))
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
    let batches = batches(input, layout.messages.is_file, None)?;
    let mut units = Units { input, batches, read: 0, left: None, start: 0 };
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
