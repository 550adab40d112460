//! Arrow arrays, each by its own type, into the sinks of an intake.

use std::fmt::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, BooleanArray, PrimitiveArray, downcast_integer_array};
use arrow_schema::{DataType, Field, TimeUnit};
use arrow_select::filter::FilterBuilder;

use super::ColumnKind;
use super::intake::{BinarySink, Fault, Intake, LevelSink, NumberSink};
use super::intern::MISSING;
use super::lookup::{At, Lookup};
use super::plan::NumberPart;
use super::sieve::Sifted;
use super::spool::Input;
use crate::data::{UNKNOWN, is_weight};
use crate::error::{Error, Result};

/// What a unit remembers of its columns between batches.
pub(super) struct Lookups {
    levels: Vec<Lookup<u32>>,
    binaries: Vec<Lookup<u8>>,
    conditions: Vec<Lookup<u8>>,
}

impl Lookups {
    pub fn new(intake: &Intake) -> Self {
        Lookups {
            levels: intake.levels.iter().map(|_| Lookup::new()).collect(),
            binaries: intake.binaries.iter().map(|_| Lookup::new()).collect(),
            conditions: intake.plan.filter.iter().map(|_| Lookup::new()).collect(),
        }
    }
}

/// Takes a batch of rows, the first of which is the row `start` of the file; `array` gives the column of the plan
/// with that index. Gives how many of them are held, those that satisfy the filter.
pub(super) fn push<'a>(
    intake: &mut Intake,
    lookups: &mut Lookups,
    (start, rows): (u64, usize),
    array: impl Fn(usize) -> &'a ArrayRef,
) -> Result<usize> {
    let Some(mut sieve) = intake.sieve.take() else {
        take(intake, lookups, Numbered::From(start), array)?;
        return Ok(rows);
    };
    let mut failed = First::default();
    for (condition, lookup) in sieve.conditions.iter_mut().zip(&mut lookups.conditions) {
        let column = condition.plan.column;
        failed.keep(column, sift(condition, lookup, array(column)));
    }
    failed.tell(intake, Numbered::From(start))?;
    sieve.settle(start, rows);
    let kept = sieve.kept.len();
    if kept == rows {
        take(intake, lookups, Numbered::From(start), array)?;
    } else if kept > 0 {
        let codes = sieve.conditions.first().map_or(&[][..], |first| &first.codes);
        let mask = BooleanArray::from_iter(codes.iter().map(|code| Some(*code > 0)));
        let filter = FilterBuilder::new(&mask).optimize().build();
        let chosen = (0..intake.plan.columns.len()).map(|column| filter.filter(array(column)).ok());
        let Some(chosen) = chosen.collect::<Option<Vec<ArrayRef>>>() else {
            return Err(intake.error(0, Fault::Damaged, start));
        };
        take(intake, lookups, Numbered::Each(start, &sieve.kept), |column| &chosen[column])?;
    }
    intake.sieve = Some(sieve);
    Ok(kept)
}

/// Which rows of the file those of an array are.
#[derive(Clone, Copy)]
enum Numbered<'r> {
    From(u64),
    /// Each so many behind one.
    Each(u64, &'r [u32]),
}

impl Numbered<'_> {
    fn row(self, at: usize) -> u64 {
        match self {
            Numbered::From(start) => start + at as u64,
            Numbered::Each(start, rows) => start + rows.get(at).map_or(0, |row| u64::from(*row)),
        }
    }
}

/// Of several columns' faults the one in the first row, as in text.
#[derive(Default)]
struct First(Option<(usize, At)>);

impl First {
    fn keep(&mut self, column: usize, done: Result<(), At>) {
        if let Err(at) = done
            && self.0.as_ref().is_none_or(|(_, first)| at.0 < first.0)
        {
            self.0 = Some((column, at));
        }
    }

    fn tell(self, intake: &Intake, rows: Numbered) -> Result<()> {
        match self.0 {
            Some((column, (row, fault))) => Err(intake.error(column, fault, rows.row(row))),
            None => Ok(()),
        }
    }
}

fn take<'a>(
    intake: &mut Intake,
    lookups: &mut Lookups,
    rows: Numbered,
    array: impl Fn(usize) -> &'a ArrayRef,
) -> Result<()> {
    let mut failed = First::default();
    for (sink, lookup) in intake.levels.iter_mut().zip(&mut lookups.levels) {
        failed.keep(sink.column(), levels(sink, lookup, array(sink.column())));
    }
    for (sink, lookup) in intake.binaries.iter_mut().zip(&mut lookups.binaries) {
        failed.keep(sink.column, binary(sink, lookup, array(sink.column), rows));
    }
    for sink in &mut intake.numbers {
        failed.keep(sink.column, numbers(sink, array(sink.column)));
    }
    failed.tell(intake, rows)
}

/// The answers of a condition.
fn sift(condition: &mut Sifted, lookup: &mut Lookup<u8>, array: &ArrayRef) -> Result<(), At> {
    let mut codes = std::mem::take(&mut condition.codes);
    codes.clear();
    let missing = condition.missing_code();
    let resolve = |text: &str, _: usize| condition.code(text);
    let done = downcast_integer_array!(
        array => lookup.integers(array, missing, &mut codes, resolve),
        DataType::Dictionary(_, _) => match array.as_dictionary_opt::<Int32Type>() {
            Some(array) => lookup.dictionary(array, missing, &mut codes, resolve),
            None => Err((0, Fault::Damaged)),
        },
        DataType::Boolean => lookup.booleans(array.as_boolean(), missing, &mut codes, resolve),
        DataType::Float32 | DataType::Float64 if condition.plan.test.is_of_numbers() => floats(array, |row, value| {
            codes.push(value.map_or(Ok(missing), |v| condition.number(v)).map_err(|fault| (row, fault))?);
            Ok(())
        }),
        DataType::Float32 => lookup.by_hash(array.as_primitive::<Float32Type>(), |v| v.to_bits().into(), missing, &mut codes, resolve),
        DataType::Float64 => lookup.by_hash(array.as_primitive::<Float64Type>(), f64::to_bits, missing, &mut codes, resolve),
        _ => texts(array, |row, text| {
            let code = text.map_or(Ok(missing), |text| condition.find(text.as_bytes()));
            codes.push(code.map_err(|fault| (row, fault))?);
            Ok(())
        }),
    );
    condition.codes = codes;
    done
}

fn levels(sink: &mut LevelSink, lookup: &mut Lookup<u32>, array: &ArrayRef) -> Result<(), At> {
    let mut codes = std::mem::take(&mut sink.codes);
    let cut = sink.is_cut();
    let mut resolve = |text: &str, _| sink.code(text);
    let done = downcast_integer_array!(
        array => lookup.integers(array, MISSING, &mut codes, &mut resolve),
        DataType::Dictionary(_, _) => match array.as_dictionary_opt::<Int32Type>() {
            Some(array) => lookup.dictionary(array, MISSING, &mut codes, &mut resolve),
            None => Err((0, Fault::Damaged)),
        },
        DataType::Boolean => lookup.booleans(array.as_boolean(), MISSING, &mut codes, &mut resolve),
        // Numbers that are cut need no text, and there may be as many of them as rows.
        DataType::Float32 | DataType::Float64 if cut => floats(array, |row, value| {
            codes.push(value.map_or(Ok(MISSING), |v| sink.number(v)).map_err(|fault| (row, fault))?);
            Ok(())
        }),
        DataType::Float32 => lookup.by_hash(array.as_primitive::<Float32Type>(), |v| v.to_bits().into(), MISSING, &mut codes, &mut resolve),
        DataType::Float64 => lookup.by_hash(array.as_primitive::<Float64Type>(), f64::to_bits, MISSING, &mut codes, &mut resolve),
        _ => texts(array, |row, text| {
            let code = text.map_or(Ok(MISSING), |text| sink.find(text.as_bytes()));
            codes.push(code.map_err(|fault| (row, fault))?);
            Ok(())
        }),
    );
    sink.codes = codes;
    done
}

fn binary(sink: &mut BinarySink, lookup: &mut Lookup<u8>, array: &ArrayRef, rows: Numbered) -> Result<(), At> {
    let mut codes = std::mem::take(&mut sink.codes);
    let mut resolve = |text: &str, row: usize| Ok(sink.reader.code(text, rows.row(row)));
    let done = downcast_integer_array!(
        array => lookup.integers(array, UNKNOWN, &mut codes, &mut resolve),
        DataType::Dictionary(_, _) => match array.as_dictionary_opt::<Int32Type>() {
            Some(array) => lookup.dictionary(array, UNKNOWN, &mut codes, &mut resolve),
            None => Err((0, Fault::Damaged)),
        },
        DataType::Boolean => lookup.booleans(array.as_boolean(), UNKNOWN, &mut codes, &mut resolve),
        DataType::Float32 => lookup.by_hash(array.as_primitive::<Float32Type>(), |v| v.to_bits().into(), UNKNOWN, &mut codes, &mut resolve),
        DataType::Float64 => lookup.by_hash(array.as_primitive::<Float64Type>(), f64::to_bits, UNKNOWN, &mut codes, &mut resolve),
        _ => texts(array, |row, text| {
            let code = text.map_or(Ok(UNKNOWN), |text| sink.find(text.as_bytes(), rows.row(row)));
            codes.push(code.map_err(|fault| (row, fault))?);
            Ok(())
        }),
    );
    sink.codes = codes;
    done
}

fn numbers(sink: &mut NumberSink, array: &ArrayRef) -> Result<(), At> {
    let mut values = std::mem::take(&mut sink.values);
    let push = |row: usize, value: Option<f64>| {
        let number = match value {
            Some(value) => sink.accept(value),
            None => sink.absent(),
        };
        values.push(number.map_err(|fault| (row, fault))?);
        Ok(())
    };
    let done = match array.data_type() {
        DataType::Float64
            if array.null_count() == 0 && sink.takes_all(array.as_primitive::<Float64Type>().values()) =>
        {
            values.extend_from_slice(array.as_primitive::<Float64Type>().values());
            Ok(())
        }
        DataType::Float32 | DataType::Float64 => floats(array, push),
        DataType::Boolean => Err((0, Fault::Number { value: "true and false".into(), expected: sink.part.expected() })),
        DataType::Int8 => as_numbers(array.as_primitive::<Int8Type>(), f64::from, push),
        DataType::Int16 => as_numbers(array.as_primitive::<Int16Type>(), f64::from, push),
        DataType::Int32 => as_numbers(array.as_primitive::<Int32Type>(), f64::from, push),
        DataType::Int64 => as_numbers(array.as_primitive::<Int64Type>(), |v| v as f64, push),
        DataType::UInt8 => as_numbers(array.as_primitive::<UInt8Type>(), f64::from, push),
        DataType::UInt16 => as_numbers(array.as_primitive::<UInt16Type>(), f64::from, push),
        DataType::UInt32 => as_numbers(array.as_primitive::<UInt32Type>(), f64::from, push),
        DataType::UInt64 => as_numbers(array.as_primitive::<UInt64Type>(), |v| v as f64, push),
        _ => texts(array, |row, text| {
            match text {
                Some(text) => values.push(sink.parse(text).map_err(|fault| (row, fault))?),
                None => values.push(sink.absent().map_err(|fault| (row, fault))?),
            }
            Ok(())
        }),
    };
    sink.values = values;
    done
}

fn as_numbers<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    number: impl Fn(T::Native) -> f64,
    mut push: impl FnMut(usize, Option<f64>) -> Result<(), At>,
) -> Result<(), At> {
    array.iter().enumerate().try_for_each(|(row, value)| push(row, value.map(&number)))
}

fn floats(array: &ArrayRef, push: impl FnMut(usize, Option<f64>) -> Result<(), At>) -> Result<(), At> {
    match array.as_primitive_opt::<Float32Type>() {
        Some(array) => as_numbers(array, f64::from, push),
        None => match array.as_primitive_opt::<Float64Type>() {
            Some(array) => as_numbers(array, |v| v, push),
            None => Err((0, Fault::Damaged)),
        },
    }
}

/// Hands over every value as text: for strings that are no dictionary, and for the rarer types.
pub(super) fn texts(array: &ArrayRef, mut push: impl FnMut(usize, Option<&str>) -> Result<(), At>) -> Result<(), At> {
    let mut strings =
        |values: &mut dyn Iterator<Item = Option<&str>>| values.enumerate().try_for_each(|(row, text)| push(row, text));
    match array.data_type() {
        DataType::Utf8 => return strings(&mut array.as_string::<i32>().iter()),
        DataType::LargeUtf8 => return strings(&mut array.as_string::<i64>().iter()),
        DataType::Utf8View => return strings(&mut array.as_string_view().iter()),
        DataType::Dictionary(_, _) => {
            let array = array.as_dictionary_opt::<Int32Type>().ok_or((0, Fault::Damaged))?;
            let values = array.downcast_dict::<arrow_array::StringArray>().ok_or((0, Fault::Damaged))?;
            return strings(&mut values.into_iter());
        }
        _ => {}
    }
    let mut text = String::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            push(row, None)?;
            continue;
        }
        text.clear();
        write_value(&mut text, array, row).ok_or((row, Fault::Damaged))?;
        push(row, Some(&text))?;
    }
    Ok(())
}

/// Whether the values of a type can be written as text or numbers.
pub(super) fn is_readable(kind: &DataType) -> bool {
    use DataType::*;
    match kind {
        Boolean | Float32 | Float64 | Utf8 | LargeUtf8 | Utf8View | Date32 | Date64 | Timestamp(_, _) => true,
        Decimal32(_, _) | Decimal64(_, _) | Decimal128(_, _) | Decimal256(_, _) => true,
        Dictionary(key, value) => **key == Int32 && **value == Utf8,
        kind => kind.is_integer(),
    }
}

/// What kind of column a type makes.
pub(super) fn kind(kind: &DataType) -> ColumnKind {
    use DataType::*;
    match kind {
        Boolean => ColumnKind::Boolean,
        Decimal32(_, 0) | Decimal64(_, 0) | Decimal128(_, 0) | Decimal256(_, 0) => ColumnKind::Integer,
        Float32 | Float64 | Decimal32(_, _) | Decimal64(_, _) | Decimal128(_, _) | Decimal256(_, _) => {
            ColumnKind::Number
        }
        Date32 | Date64 | Timestamp(_, _) => ColumnKind::Date,
        Utf8 | LargeUtf8 | Utf8View => ColumnKind::Text,
        Dictionary(_, _) => ColumnKind::Text,
        kind if kind.is_integer() => ColumnKind::Integer,
        _ => ColumnKind::Other,
    }
}

/// Fails on two columns of one name.
pub(super) fn check_names(input: &Input, names: &[String]) -> Result<()> {
    match names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        Some((_, twice)) => Err(input.bad(format!("it has two columns named `{twice}`; name each column once"))),
        None => Ok(()),
    }
}

/// The error for a column that cannot be read.
pub(super) fn unreadable(input: &Input, field: &Field) -> Error {
    input.bad(format!("column `{}` holds {}, not text, numbers or dates", field.name(), field.data_type()))
}

/// Writes dates as `2024-01-31`, times behind them, decimals with their places.
fn write_value(text: &mut String, array: &ArrayRef, row: usize) -> Option<()> {
    fn time<T: ArrowTimestampType>(text: &mut String, array: &ArrayRef, row: usize) -> Option<()> {
        write!(text, "{}", array.as_primitive::<T>().value_as_datetime(row)?).ok()
    }
    match array.data_type() {
        DataType::Date32 => write!(text, "{}", array.as_primitive::<Date32Type>().value_as_date(row)?).ok(),
        DataType::Date64 => write!(text, "{}", array.as_primitive::<Date64Type>().value_as_date(row)?).ok(),
        DataType::Timestamp(TimeUnit::Second, _) => time::<TimestampSecondType>(text, array, row),
        DataType::Timestamp(TimeUnit::Millisecond, _) => time::<TimestampMillisecondType>(text, array, row),
        DataType::Timestamp(TimeUnit::Microsecond, _) => time::<TimestampMicrosecondType>(text, array, row),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => time::<TimestampNanosecondType>(text, array, row),
        DataType::Decimal32(_, _) => text.write_str(&array.as_primitive::<Decimal32Type>().value_as_string(row)).ok(),
        DataType::Decimal64(_, _) => text.write_str(&array.as_primitive::<Decimal64Type>().value_as_string(row)).ok(),
        DataType::Decimal128(_, _) => text.write_str(&array.as_primitive::<Decimal128Type>().value_as_string(row)).ok(),
        DataType::Decimal256(_, _) => text.write_str(&array.as_primitive::<Decimal256Type>().value_as_string(row)).ok(),
        DataType::Boolean => write!(text, "{}", array.as_boolean().value(row)).ok(),
        DataType::Float32 => write!(text, "{}", array.as_primitive::<Float32Type>().value(row)).ok(),
        DataType::Float64 => write!(text, "{}", array.as_primitive::<Float64Type>().value(row)).ok(),
        _ => downcast_integer_array!(
            array => write!(text, "{}", array.value(row)).ok(),
            _ => None,
        ),
    }
}

/// The first values of an array as text, a null as the empty text.
pub(super) fn sample(array: &ArrayRef, out: &mut Vec<String>) {
    let from = out.len();
    // A type that cannot be written shows as empty.
    let done = texts(array, |_, text| {
        out.push(text.unwrap_or_default().to_string());
        Ok(())
    });
    if done.is_err() {
        out.truncate(from);
        out.resize(from + array.len(), String::new());
    }
}

impl LevelSink<'_> {
    /// The code of the band of a number.
    fn number(&self, value: f64) -> Result<u32, Fault> {
        if self.missing.has_number(value) || (value.is_nan() && self.missing.has("NaN")) {
            return Ok(MISSING);
        }
        if !value.is_finite() {
            return Err(Fault::Number { value: value.to_string(), expected: NumberPart::Banded.expected() });
        }
        self.band(value)
    }
}

impl NumberSink<'_> {
    fn accept(&self, value: f64) -> Result<f64, Fault> {
        let wrong = || Fault::Number { value: value.to_string(), expected: self.part.expected() };
        if self.part == NumberPart::Banded && value.is_nan() && self.missing.has("NaN") {
            return self.absent();
        }
        self.part.accept(value, self.missing).ok_or_else(wrong)
    }

    fn absent(&self) -> Result<f64, Fault> {
        let wrong = || Fault::Number { value: "null".into(), expected: self.part.expected() };
        self.part.absent().ok_or_else(wrong)
    }

    /// Whether all numbers can be taken as they are.
    fn takes_all(&self, values: &[f64]) -> bool {
        let (weight, share) = (self.part == NumberPart::Weight, self.part == NumberPart::Share);
        !matches!(self.part, NumberPart::Count | NumberPart::Sum)
            && !self.missing.has_numbers()
            && values.iter().fold(true, |all, v| {
                all & v.is_finite() & (!weight | is_weight(*v)) & (!share | (0.0..=1.0).contains(v))
            })
    }
}
