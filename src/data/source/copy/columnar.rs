//! Parquet, batch by batch, in the types that the files have.

use std::io::Write;
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Int8Builder, Int16Builder, Int32Builder, Int64Builder, LargeStringBuilder, StringBuilder,
    StringDictionaryBuilder, StringViewBuilder, UInt8Builder, UInt16Builder, UInt32Builder, UInt64Builder,
};
use arrow_array::types::{Int8Type, Int16Type, Int32Type};
use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, RecordBatch, RecordBatchOptions, StringArray, UInt64Array,
    new_null_array,
};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use arrow_select::take::take_record_batch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::super::guard::guard;
use super::super::parquet::bad;
use super::super::progress::Meter;
use super::super::spool::Input;
use super::{Added, Changes, unwritten};
use crate::data::Column;
use crate::error::{Error, Place, Result};

/// Rows decoded at a time.
const DECODED: usize = 1 << 14;

pub(super) fn copy(inputs: &[Input], changes: &Changes, out: impl Write + Send, meter: &Meter) -> Result<u64> {
    let schema = schema_of(&inputs[0])?;
    let names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
    changes.check(&names)?;
    let added = changes.columns.iter().map(|(name, values)| Arc::new(field(name, values)));
    let fields: Vec<Arc<Field>> = schema.fields().iter().cloned().chain(added).collect();
    let whole = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = ArrowWriter::try_new(out, whole.clone(), Some(properties)).map_err(failed)?;
    let (mut row, mut written) = (0, 0);
    for input in inputs {
        let mut metered = 0;
        let bytes = input.stamp()?.bytes;
        let builder = open(input)?;
        let own = builder.schema().clone();
        let at = names.iter().map(|name| place(name, &own, &schema, input)).collect::<Result<Vec<usize>>>()?;
        let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
        let mut reader = guard(input, None, || builder.build().map_err(|e| bad(input, None, &e)))?;
        let mut read = 0u64;
        while let Some(batch) =
            guard(input, None, || reader.next().transpose().map_err(|e: ArrowError| bad(input, None, &e.into())))?
        {
            let count = batch.num_rows();
            let columns = at.iter().map(|at| batch.column(*at).clone());
            let further = changes.columns.iter().map(|(_, values)| array(values, row, count));
            let columns: Vec<ArrayRef> = columns.chain(further).collect();
            let batch = repeated(record(&whole, columns, count)?, changes, row)?;
            written += batch.num_rows() as u64;
            writer.write(&batch).map_err(failed)?;
            row += count;
            read += count as u64;
            let now = (u128::from(bytes) * u128::from(read) / u128::from(rows.max(1))) as u64;
            meter.add(now.saturating_sub(metered), count as u64);
            metered = now;
        }
        if read != rows {
            return Err(input.bad(format!("it is damaged: it says {rows} rows and holds {read}; fetch it again")));
        }
    }
    changes.check_rows(row)?;
    if let Some(table) = changes.rows.filter(|table| table.rows() > 0) {
        let columns = schema.fields().iter().map(|f| made(f, table.column(f.name()).ok(), table.rows()));
        let further = changes.columns.iter().map(|(_, values)| Ok(array(values, row, table.rows())));
        let columns: Vec<ArrayRef> = columns.chain(further).collect::<Result<_>>()?;
        writer.write(&record(&whole, columns, table.rows())?).map_err(failed)?;
        written += table.rows() as u64;
    }
    writer.close().map_err(failed)?;
    Ok(written)
}

fn open(input: &Input) -> Result<ParquetRecordBatchReaderBuilder<std::fs::File>> {
    let file = input.file()?;
    let open = || ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| bad(input, None, &e));
    Ok(guard(input, None, open)?.with_batch_size(DECODED))
}

fn schema_of(input: &Input) -> Result<SchemaRef> {
    Ok(open(input)?.schema().clone())
}

/// Where a column stands in another file, which must have it in the same type.
fn place(name: &str, own: &Schema, first: &Schema, input: &Input) -> Result<usize> {
    let names = || own.fields().iter().map(|f| f.name().clone()).collect();
    let at = own.index_of(name).map_err(|_| Error::missing_column(name, Some(input.given.clone()), names()))?;
    let (found, expected) = (own.field(at).data_type(), first.field_with_name(name).map(Field::data_type));
    match expected {
        Ok(expected) if expected != found => {
            Err(input.bad(format!("column `{name}` holds {found}, in the first file {expected}; write them alike")))
        }
        _ => Ok(at),
    }
}

fn field(name: &str, values: &Added) -> Field {
    let kind = match values {
        Added::Number(_) => DataType::Float64,
        Added::Flag(_) => DataType::Boolean,
        Added::Text(_) => DataType::Utf8,
    };
    Field::new(name, kind, true)
}

/// The values of an added column for some rows; those that are not there are null, and found at the end.
fn array(values: &Added, from: usize, count: usize) -> ArrayRef {
    let rows = from..from + count;
    match values {
        Added::Number(values) => {
            Arc::new(rows.map(|row| values.get(row).copied().filter(|v| !v.is_nan())).collect::<Float64Array>())
        }
        Added::Flag(values) => Arc::new(rows.map(|row| values.get(row).copied()).collect::<BooleanArray>()),
        Added::Text(values) => {
            Arc::new(rows.map(|row| values.get(row).and_then(Option::as_deref)).collect::<StringArray>())
        }
    }
}

fn record(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    // Columns that may hold no nulls keep that.
    RecordBatch::try_new_with_options(schema.clone(), columns, &options).map_err(|e| failed(e.into()))
}

fn repeated(batch: RecordBatch, changes: &Changes, from: usize) -> Result<RecordBatch> {
    if changes.times.is_none() {
        return Ok(batch);
    }
    let of_row = |row: usize| std::iter::repeat_n(row as u64, changes.times_of(from + row) as usize);
    let rows = UInt64Array::from_iter_values((0..batch.num_rows()).flat_map(of_row));
    take_record_batch(&batch, &rows).map_err(|e| failed(e.into()))
}

/// The values of a column of the files in new rows.
fn made(field: &Field, column: Option<&Column>, rows: usize) -> Result<ArrayRef> {
    let wrong = |what: &str| {
        let expected = format!("values of the type that it has in the files, {}", field.data_type());
        Err(Error::setting(&format!("column `{}` of the new rows", field.name()), what, expected))
    };
    macro_rules! numbers {
        ($builder:ty, $t:ty, $values:expr) => {{
            let mut builder = <$builder>::with_capacity(rows);
            for (row, value) in $values.iter().enumerate() {
                if value.is_nan() {
                    builder.append_null();
                } else if (*value as $t) as f64 == *value {
                    builder.append_value(*value as $t);
                } else {
                    return Err(Error::BadNumber {
                        column: field.name().clone(),
                        value: value.to_string(),
                        place: Place::row(row),
                        expected: "a number that fits the type of the column in the files",
                    });
                }
            }
            Arc::new(builder.finish()) as ArrayRef
        }};
    }
    macro_rules! texts {
        ($builder:expr, $column:expr) => {{
            let mut builder = $builder;
            for row in 0..rows {
                builder.append_option($column.codes().get(row).map(|code| $column.levels()[code].as_str()));
            }
            Arc::new(builder.finish()) as ArrayRef
        }};
    }
    use DataType::*;
    Ok(match (column, field.data_type()) {
        (None, kind) if field.is_nullable() => new_null_array(kind, rows),
        (None, _) => return wrong("missing, and the column may not be empty"),
        (Some(Column::Number(v) | Column::Integer(v)), kind) => match kind {
            Int8 => numbers!(Int8Builder, i8, v),
            Int16 => numbers!(Int16Builder, i16, v),
            Int32 => numbers!(Int32Builder, i32, v),
            Int64 => numbers!(Int64Builder, i64, v),
            UInt8 => numbers!(UInt8Builder, u8, v),
            UInt16 => numbers!(UInt16Builder, u16, v),
            UInt32 => numbers!(UInt32Builder, u32, v),
            UInt64 => numbers!(UInt64Builder, u64, v),
            Float32 => Arc::new(v.iter().map(|v| (!v.is_nan()).then_some(*v as f32)).collect::<Float32Array>()),
            Float64 => Arc::new(v.iter().map(|v| (!v.is_nan()).then_some(*v)).collect::<Float64Array>()),
            _ => return wrong("numbers"),
        },
        (Some(Column::Level(c)), kind) => match kind {
            Utf8 => texts!(StringBuilder::new(), c),
            LargeUtf8 => texts!(LargeStringBuilder::new(), c),
            Utf8View => texts!(StringViewBuilder::new(), c),
            Dictionary(key, value) if **value == Utf8 => match **key {
                Int8 => texts!(StringDictionaryBuilder::<Int8Type>::new(), c),
                Int16 => texts!(StringDictionaryBuilder::<Int16Type>::new(), c),
                Int32 => texts!(StringDictionaryBuilder::<Int32Type>::new(), c),
                _ => return wrong("text"),
            },
            Boolean => {
                let mut builder = BooleanBuilder::with_capacity(rows);
                for row in 0..rows {
                    match c.codes().get(row).map(|code| c.levels()[code].as_str()) {
                        None => builder.append_null(),
                        Some("true") => builder.append_value(true),
                        Some("false") => builder.append_value(false),
                        Some(_) => return wrong("neither true nor false"),
                    }
                }
                Arc::new(builder.finish())
            }
            _ => return wrong("text"),
        },
    })
}

fn failed(error: ParquetError) -> Error {
    match error {
        ParquetError::External(error) => match error.downcast::<std::io::Error>() {
            Ok(error) => unwritten(*error),
            Err(error) => unwritten(std::io::Error::other(error)),
        },
        other => unwritten(std::io::Error::other(other)),
    }
}
