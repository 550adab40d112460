//! Arrow arrays, each by its own type, into the sinks of an intake.

use std::fmt::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, PrimitiveArray, UInt32Array, downcast_integer_array};
use arrow_schema::{DataType, Field, TimeUnit};

use super::ColumnKind;
use super::codes::MISSING_BYTE;
use super::indices::{Chosen, Values};
use super::intake::{BinarySink, Fault, First, Intake, LevelSink, NumberSink};
use super::intern::MISSING;
use super::lookup::{At, Coder, Lookup};
use super::plan::NumberPart;
use super::sieve::Sifted;
use super::spool::Input;
use crate::data::{UNKNOWN, is_weight};
use crate::error::{Error, Result};

/// What a unit remembers of its columns between batches.
pub(super) struct Lookups {
    /// Of levels whose codes are bytes, and of others.
    levels: Vec<(Lookup<u8>, Lookup<u32>)>,
    binaries: Vec<Lookup<u8>>,
    conditions: Vec<Lookup<u8>>,
    /// Of each column of the plan, whether it is more than looked at by a condition.
    taken: Vec<bool>,
}

impl Lookups {
    pub fn new(intake: &Intake) -> Self {
        let mut taken = vec![false; intake.plan.columns.len()];
        intake.levels.iter().for_each(|sink| taken[sink.column()] = true);
        intake.binaries.iter().for_each(|sink| taken[sink.column] = true);
        intake.numbers.iter().for_each(|sink| taken[sink.column] = true);
        Lookups {
            taken,
            levels: intake.levels.iter().map(|_| (Lookup::new(), Lookup::new())).collect(),
            binaries: intake.binaries.iter().map(|_| Lookup::new()).collect(),
            conditions: intake.plan.filter.iter().map(|_| Lookup::new()).collect(),
        }
    }
}

/// Takes a batch of rows, the first of which is the row `start` of the file; `values` gives the column of the plan
/// with that index. Gives how many of them are held, those that satisfy the filter.
pub(super) fn push<'a>(
    intake: &mut Intake,
    lookups: &mut Lookups,
    (start, rows): (u64, usize),
    values: impl Fn(usize) -> Values<'a>,
) -> Result<usize> {
    let Some(mut sieve) = intake.sieve.take() else {
        take(intake, lookups, Numbered::From(start), values)?;
        return Ok(rows);
    };
    let mut failed = First::default();
    for (condition, lookup) in sieve.conditions.iter_mut().zip(&mut lookups.conditions) {
        let column = condition.plan.column;
        let mut codes = std::mem::take(&mut condition.codes);
        codes.clear();
        failed.keep(column, take_codes(condition, lookup, values(column), &mut codes));
        condition.codes = codes;
    }
    failed.tell(intake, Numbered::From(start))?;
    sieve.settle(start, rows);
    let kept = sieve.kept.len();
    if kept == rows {
        take(intake, lookups, Numbered::From(start), values)?;
    } else if kept > 0 {
        let rows = UInt32Array::from(sieve.kept.clone());
        let mut chosen = Vec::with_capacity(lookups.taken.len());
        for (column, taken) in lookups.taken.iter().enumerate() {
            let of_column = taken.then(|| values(column).choose(&rows).ok_or(Fault::Damaged)).transpose();
            chosen.push(of_column.map_err(|fault| intake.error(column, fault, start))?);
        }
        let chosen = |column: usize| chosen[column].as_ref().map_or_else(|| values(column), Chosen::values);
        take(intake, lookups, Numbered::Each(start, &sieve.kept), chosen)?;
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

impl First {
    fn tell(self, intake: &Intake, rows: Numbered) -> Result<()> {
        self.done().map_err(|(row, column, fault)| intake.error(column, fault, rows.row(row)))
    }
}

fn take<'a>(
    intake: &mut Intake,
    lookups: &mut Lookups,
    rows: Numbered,
    values: impl Fn(usize) -> Values<'a>,
) -> Result<()> {
    let mut failed = First::default();
    for (sink, lookup) in intake.levels.iter_mut().zip(&mut lookups.levels) {
        let column = sink.column();
        failed.keep(column, levels(sink, lookup, values(column)));
    }
    for (sink, lookup) in intake.binaries.iter_mut().zip(&mut lookups.binaries) {
        let column = sink.column;
        let mut codes = std::mem::take(&mut sink.codes);
        failed.keep(column, take_codes(&mut Binaries { sink, rows }, lookup, values(column), &mut codes));
        sink.codes = codes;
    }
    for sink in &mut intake.numbers {
        let done = match values(sink.column) {
            Values::Array(array) => numbers(sink, array),
            Values::Indices(..) => Err((0, Fault::Damaged)),
        };
        failed.keep(sink.column, done);
    }
    failed.tell(intake, rows)
}

/// Adds the codes of a column's values, whatever its type.
fn take_codes<C: Coder>(
    coder: &mut C,
    lookup: &mut Lookup<C::Code>,
    values: Values,
    codes: &mut Vec<C::Code>,
) -> Result<(), At> {
    let array = match values {
        Values::Indices(of, indices) => return lookup.indices(of, indices, codes, coder),
        Values::Array(array) => array,
    };
    downcast_integer_array!(
        array => lookup.integers(array, codes, coder),
        DataType::Dictionary(_, _) => match array.as_dictionary_opt::<Int32Type>() {
            Some(array) => lookup.dictionary(array, codes, coder),
            None => Err((0, Fault::Damaged)),
        },
        DataType::Boolean => lookup.booleans(array.as_boolean(), codes, coder),
        DataType::Float32 | DataType::Float64 => {
            if array.null_count() == 0
                && let Some(array) = array.as_primitive_opt::<Float64Type>()
                && coder.numbers(array.values(), codes)
            {
                return Ok(());
            }
            if let Some(number) = coder.number() {
                // Numbers that are cut need no text, and there may be as many of them as rows.
                return floats(array, |row, value| {
                    codes.push(value.map_or(Ok(coder.null()), &number).map_err(|fault| (row, fault))?);
                    Ok(())
                });
            }
            match array.as_primitive_opt::<Float32Type>() {
                Some(array) => lookup.by_hash(array, |v| v.to_bits().into(), codes, coder),
                None => lookup.by_hash(array.as_primitive::<Float64Type>(), f64::to_bits, codes, coder),
            }
        },
        _ => texts(array, |row, text| {
            codes.push(match text {
                Some(text) => coder.find(text, row).map_err(|fault| (row, fault))?,
                None => coder.null(),
            });
            Ok(())
        }),
    )
}

/// Adds the codes of a column of levels, as bytes where these hold whatever a dictionary may bring.
fn levels(sink: &mut LevelSink, lookup: &mut (Lookup<u8>, Lookup<u32>), values: Values) -> Result<(), At> {
    if let Values::Indices(of, _) = values {
        let most = sink.names().len() + of.len();
        if let Some(bytes) = sink.codes.bytes(most) {
            let mut codes = std::mem::take(bytes);
            let done = take_codes(&mut Bytes(sink), &mut lookup.0, values, &mut codes);
            // They can be held as bytes still: no more levels were met.
            sink.codes.bytes(0).into_iter().for_each(|bytes| *bytes = std::mem::take(&mut codes));
            return done;
        }
    }
    let mut codes = std::mem::take(sink.codes.wide());
    let done = take_codes(sink, &mut lookup.1, values, &mut codes);
    *sink.codes.wide() = codes;
    done
}

impl Coder for LevelSink<'_> {
    type Code = u32;

    fn null(&self) -> u32 {
        MISSING
    }

    fn code(&mut self, text: &str, _: usize) -> Result<u32, Fault> {
        LevelSink::code(self, text)
    }

    fn find(&mut self, text: &str, _: usize) -> Result<u32, Fault> {
        LevelSink::find(self, text.as_bytes())
    }

    fn number(&self) -> Option<impl Fn(f64) -> Result<u32, Fault>> {
        self.is_cut().then_some(|value| self.number(value))
    }
}

/// Levels of codes that are known to be bytes.
struct Bytes<'s, 'p>(&'s mut LevelSink<'p>);

impl Coder for Bytes<'_, '_> {
    type Code = u8;

    fn null(&self) -> u8 {
        MISSING_BYTE
    }

    fn code(&mut self, text: &str, _: usize) -> Result<u8, Fault> {
        // That of a missing level is cut to that of one in a byte.
        self.0.code(text).map(|code| code as u8)
    }

    fn find(&mut self, text: &str, row: usize) -> Result<u8, Fault> {
        self.code(text, row)
    }

    fn number(&self) -> Option<impl Fn(f64) -> Result<u8, Fault>> {
        None::<fn(f64) -> Result<u8, Fault>>
    }
}

/// A label or a decision, and which rows of the file are looked at.
struct Binaries<'s, 'r> {
    sink: &'s mut BinarySink,
    rows: Numbered<'r>,
}

impl Coder for Binaries<'_, '_> {
    type Code = u8;

    fn null(&self) -> u8 {
        UNKNOWN
    }

    fn code(&mut self, text: &str, row: usize) -> Result<u8, Fault> {
        Ok(self.sink.reader.code(text, self.rows.row(row)))
    }

    fn find(&mut self, text: &str, row: usize) -> Result<u8, Fault> {
        self.sink.find(text.as_bytes(), self.rows.row(row))
    }

    fn number(&self) -> Option<impl Fn(f64) -> Result<u8, Fault>> {
        None::<fn(f64) -> Result<u8, Fault>>
    }
}

impl Coder for Sifted<'_> {
    type Code = u8;

    fn null(&self) -> u8 {
        self.missing_code()
    }

    fn code(&mut self, text: &str, _: usize) -> Result<u8, Fault> {
        Sifted::code(self, text)
    }

    fn find(&mut self, text: &str, _: usize) -> Result<u8, Fault> {
        Sifted::find(self, text.as_bytes())
    }

    fn number(&self) -> Option<impl Fn(f64) -> Result<u8, Fault>> {
        self.plan.test.is_of_numbers().then_some(|value| self.number(value))
    }

    fn numbers(&self, values: &[f64], codes: &mut Vec<u8>) -> bool {
        Sifted::numbers(self, values, codes)
    }
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
