//! Parquet files: the needed columns only, row groups in parallel.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, DataType, Field, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;

use super::chunk::Chunk;
use super::columnar::{self, Lookups};
use super::guard::{damaged, guard};
use super::intake::{Intake, Outcome};
use super::progress::Meter;
use super::skip::Skip;
use super::spool::{Input, Stamp};
use super::{ColumnInfo, Options, Sample};
use crate::error::{Error, Result};

/// Rows that a unit of work has at least, where the file has so many: many small row groups are read as one.
const UNIT: u64 = 1 << 19;

/// Rows decoded at a time: the decoder makes its buffers anew for each batch, and these stay in the cache.
const DECODED: usize = 1 << 14;

/// What is known of a file before its rows are read.
#[derive(Debug)]
pub(super) struct Footer {
    metadata: ArrowReaderMetadata,
    names: Vec<String>,
    rows: u64,
}

/// Consecutive row groups.
#[derive(Debug)]
pub(super) struct Groups {
    groups: Range<usize>,
    /// The row of the file that they begin with.
    start: u64,
    rows: u64,
}

impl Footer {
    /// Reads the footer; strings are asked for as dictionaries, whose values are looked at once.
    pub fn open(input: &Input) -> Result<Self> {
        let fail = |e: ParquetError| bad(input, None, &e);
        // The types that Arrow writers note beside those of Parquet are not needed, and damaged notes panic.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let plain = guard(input, None, || ArrowReaderMetadata::load(&input.file()?, options).map_err(fail))?;
        let fields: Vec<Arc<Field>> = plain.schema().fields().iter().map(as_dictionary).collect();
        let hinted = Schema::new_with_metadata(fields, plain.schema().metadata().clone());
        let options = ArrowReaderOptions::new().with_schema(Arc::new(hinted));
        // Where a type somewhere in the file does not take the hint, strings are read as strings.
        let metadata = guard(input, None, || Ok(ArrowReaderMetadata::try_new(plain.metadata().clone(), options)))?;
        let metadata = metadata.unwrap_or(plain);
        let names: Vec<String> = metadata.schema().fields().iter().map(|f| f.name().clone()).collect();
        columnar::check_names(input, &names)?;
        let mut rows = 0u64;
        for (group, about) in metadata.metadata().row_groups().iter().enumerate() {
            let more = u64::try_from(about.num_rows()).ok().and_then(|more| rows.checked_add(more));
            rows = more.ok_or_else(|| damaged(input, Some(group), "it has a negative number of rows"))?;
        }
        let said = metadata.metadata().file_metadata().num_rows();
        if u64::try_from(said) != Ok(rows) {
            return Err(damaged(input, None, &format!("it says {said} rows, its row groups {rows}")));
        }
        if rows == 0 {
            return Err(Error::Nothing { problem: "the file has no rows", place: input.place(None) });
        }
        Ok(Footer { metadata, names, rows })
    }

    /// The rows of each row group.
    pub fn groups(&self) -> impl Iterator<Item = u64> {
        // Checked to be no less than 0.
        self.metadata.metadata().row_groups().iter().map(|about| about.num_rows() as u64)
    }

    /// The row groups, in portions that depend on the file alone.
    pub fn units(&self) -> Vec<Groups> {
        let mut units: Vec<Groups> = Vec::new();
        let mut start = 0;
        for (group, rows) in self.groups().enumerate() {
            match units.last_mut() {
                Some(last) if last.rows + rows <= UNIT => {
                    last.groups.end = group + 1;
                    last.rows += rows;
                }
                _ => units.push(Groups { groups: group..group + 1, start, rows }),
            }
            start += rows;
        }
        units
    }

    /// Arrow's reader of some columns of a row group, behind its first `after` rows.
    pub fn reader(
        &self,
        input: &Input,
        columns: &[usize],
        (group, after): (usize, usize),
        batch: usize,
    ) -> Result<ParquetRecordBatchReader> {
        // A file of its own: the position is not shared with other threads.
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(input.file()?, self.metadata.clone());
        let mask = ProjectionMask::roots(builder.parquet_schema(), columns.iter().copied());
        let mut builder = builder.with_projection(mask).with_row_groups(vec![group]).with_batch_size(batch);
        if after > 0 {
            builder = builder.with_offset(after);
        }
        guard(input, Some(group), || builder.build().map_err(|e| bad(input, Some(group), &e)))
    }

    /// A column of a row group by what the footer says of it, and the type that Arrow gives it.
    pub fn about(&self, (group, column): (usize, usize), leaf: usize) -> Option<(&ColumnChunkMetaData, &DataType)> {
        let about = self.metadata.metadata().row_groups().get(group)?.columns().get(leaf)?;
        Some((about, self.metadata.schema().field(column).data_type()))
    }

    /// Where a column stands among those that hold values, if it is one itself.
    pub fn leaf(&self, column: usize) -> Option<usize> {
        let about = self.metadata.metadata().file_metadata().schema_descr();
        let mut leaves = 0..about.num_columns();
        leaves.find(|leaf| about.get_column_root_idx(*leaf) == column && about.get_column_root(*leaf).is_primitive())
    }
}

pub(super) fn next(reader: &mut ParquetRecordBatchReader, input: &Input, group: usize) -> Result<Option<RecordBatch>> {
    let fail = |e: ArrowError| bad(input, Some(group), &e.into());
    guard(input, Some(group), || reader.next().transpose().map_err(fail))
}

/// A field of strings as a dictionary of strings, any other as it is.
fn as_dictionary(field: &Arc<Field>) -> Arc<Field> {
    use DataType::{Binary, Dictionary, LargeUtf8, Utf8, Utf8View};
    let is_text = |kind: &DataType| matches!(kind, Utf8 | LargeUtf8 | Utf8View | Binary);
    let kind = match field.data_type() {
        kind if is_text(kind) => Dictionary(Box::new(DataType::Int32), Box::new(Utf8)),
        Dictionary(_, value) if is_text(value) => Dictionary(Box::new(DataType::Int32), Box::new(Utf8)),
        Dictionary(_, value) => value.as_ref().clone(),
        _ => return field.clone(),
    };
    Arc::new(Field::new(field.name(), kind, field.is_nullable()).with_metadata(field.metadata().clone()))
}

pub(super) fn bad(input: &Input, row_group: Option<usize>, error: &ParquetError) -> Error {
    let problem = format!("{error}; the file may be truncated or damaged, write or fetch it again");
    Error::BadFile { file: input.given.clone(), row_group, problem }
}

/// Reads some row groups from their first to their last row.
pub(super) fn read(
    mut intake: Intake,
    footer: &Footer,
    unit: &Groups,
    options: &Options,
    stamp: Stamp,
    meter: &Meter,
) -> Result<Outcome> {
    let input = intake.input;
    let at = intake.plan.locate(&footer.names, &input.given)?;
    for column in &at {
        let field = footer.metadata.schema().field(*column);
        if !columnar::is_readable(field.data_type()) {
            return Err(columnar::unreadable(input, field));
        }
    }
    // Numbers are read as such.
    let leaf = |(of_plan, column): (usize, &usize)| {
        let is_number = intake.plan.numbers.iter().any(|number| number.column == of_plan);
        footer.leaf(*column).filter(|_| !is_number)
    };
    let leaves: Vec<Option<usize>> = at.iter().enumerate().map(leaf).collect();
    let mut lookups = Lookups::new(&intake);
    let (mut row, mut held) = (unit.start, 0);
    let mut metered = bytes_before(row, footer, stamp);
    let skip = Skip::new(intake.plan, input, &footer.metadata, &at, unit.groups.clone());
    for group in unit.groups.clone() {
        let said = footer.metadata.metadata().row_group(group).num_rows() as u64;
        if skip.skips(group) {
            // Nothing in it is decoded; its bytes are hashed with all others.
            intake.leave_out(said);
            row += said;
            continue;
        }
        let open = |(column, leaf): (&usize, &Option<usize>)| {
            Chunk::open((input, footer), (group, *column), *leaf, options.chunk.min(DECODED))
        };
        let mut chunks = at.iter().zip(&leaves).map(open).collect::<Result<Vec<_>>>()?;
        let mut read = 0u64;
        while read < said {
            let rows = (said - read).min(options.chunk.min(DECODED) as u64) as usize;
            for chunk in &mut chunks {
                let found = chunk.read(read as usize, rows)?;
                if found != rows {
                    let holds = read + found as u64;
                    return Err(damaged(input, Some(group), &format!("it says {said} rows and holds {holds}")));
                }
            }
            held += columnar::push(&mut intake, &mut lookups, (row, rows), |column| chunks[column].values())?;
            read += rows as u64;
            row += rows as u64;
            if held >= options.chunk {
                intake.flush(held, row)?;
                let bytes = bytes_before(row, footer, stamp);
                meter.add(bytes - metered, held as u64);
                (held, metered) = (0, bytes);
            }
        }
        chunks.iter_mut().try_for_each(Chunk::finish)?;
    }
    intake.flush(held, row)?;
    meter.add(bytes_before(row, footer, stamp) - metered, held as u64);
    intake.finish()
}

/// The share of the file's bytes that lies before a row, for progress.
fn bytes_before(row: u64, footer: &Footer, stamp: Stamp) -> u64 {
    (u128::from(stamp.bytes) * u128::from(row) / u128::from(footer.rows.max(1))) as u64
}

/// The first rows as text.
pub(super) fn sample(input: &Input, rows: usize) -> Result<Sample> {
    let footer = Footer::open(input)?;
    let fields = footer.metadata.schema().fields();
    let columns =
        fields.iter().map(|f| ColumnInfo { name: f.name().clone(), kind: columnar::kind(f.data_type()) }).collect();
    let mut values = vec![Vec::new(); fields.len()];
    let wanted: Vec<usize> = (0..fields.len()).filter(|at| columnar::is_readable(fields[*at].data_type())).collect();
    let mut left = rows;
    for group in 0..footer.metadata.metadata().num_row_groups() {
        if left == 0 {
            break;
        }
        let mut reader = footer.reader(input, &wanted, (group, 0), left.min(1 << 16))?;
        while let Some(batch) = next(&mut reader, input, group)? {
            let batch = batch.slice(0, batch.num_rows().min(left));
            for (at, column) in wanted.iter().zip(batch.columns()) {
                columnar::sample(column, &mut values[*at]);
            }
            left -= batch.num_rows();
            if left == 0 {
                break;
            }
        }
    }
    let shown = rows - left;
    values.iter_mut().for_each(|v| v.resize(shown, String::new()));
    Ok(Sample { columns, values })
}
