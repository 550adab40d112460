//! The long form for data frames, with types: Parquet.

use std::io::Write;
use std::sync::Arc;

use arrow_array::builder::{Float64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::Report;
use super::long::{self, Line, NAMES, NUMBERS, REASON};
use crate::error::{Error, Result};

/// Lines written at a time.
const LINES: usize = 1 << 14;

/// Columns of lines under construction; texts that are empty are null.
struct Columns {
    texts: Vec<StringBuilder>,
    numbers: Vec<Float64Builder>,
    lines: usize,
}

impl Columns {
    fn new() -> Self {
        let texts = (0..NAMES.len() + 2).map(|_| StringBuilder::new()).collect();
        Columns { texts, numbers: (0..NUMBERS.len()).map(|_| Float64Builder::new()).collect(), lines: 0 }
    }

    fn push(&mut self, line: &Line) {
        let names = std::iter::once(&*line.model).chain(line.names()).chain([line.reason.as_str()]);
        for (column, text) in self.texts.iter_mut().zip(names) {
            column.append_option(Some(text).filter(|t| !t.is_empty()));
        }
        for (column, number) in self.numbers.iter_mut().zip(line.numbers()) {
            column.append_option(number);
        }
        self.lines += 1;
    }

    fn batch(&mut self, schema: &Arc<Schema>) -> std::result::Result<RecordBatch, ArrowError> {
        let mut texts: Vec<ArrayRef> = self.texts.iter_mut().map(|c| Arc::new(c.finish()) as ArrayRef).collect();
        let reason = texts.pop();
        let numbers = self.numbers.iter_mut().map(|c| Arc::new(c.finish()) as ArrayRef);
        self.lines = 0;
        RecordBatch::try_new(schema.clone(), texts.into_iter().chain(numbers).chain(reason).collect())
    }
}

fn schema() -> Arc<Schema> {
    let text = |name: &&str| Field::new(*name, DataType::Utf8, true);
    let number = |name: &&str| Field::new(*name, DataType::Float64, true);
    let names = ["model"].iter().chain(&NAMES).map(text);
    Arc::new(Schema::new(names.chain(NUMBERS.iter().map(number)).chain([text(&REASON)]).collect::<Vec<_>>()))
}

impl Report {
    /// Writes every figure as a row of Parquet: the lines of [`write_csv`](Self::write_csv), with types. Needs the feature
    /// `parquet`.
    ///
    /// `model`, `attribute`, `group`, `stratum`, `metric`, `comparison`, `against` and `reason` are texts, `value`, `low`,
    /// `high`, `p_value`, `rows` and `weight` doubles; what does not apply is null. `model` is always there.
    ///
    /// # Errors
    /// [`Error::BadReport`] with what the writer says.
    ///
    /// # Examples
    /// ```
    /// use evenhand::audit::AuditPlan;
    /// use evenhand::data::{Batch, Categorical};
    ///
    /// let batch = Batch::builder().attribute(Categorical::from_values("sex", ["f", "m"])).decision(vec![0u8, 1]).build()?;
    /// let mut bytes = Vec::new();
    /// AuditPlan::new().run(&batch)?.write_parquet(&mut bytes)?;
    /// assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn write_parquet(&self, to: impl Write + Send) -> Result<()> {
        let bad = |e: ParquetError| Error::BadReport { problem: format!("it cannot be written as Parquet: {e}") };
        let schema = schema();
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let mut writer = ArrowWriter::try_new(to, schema.clone(), Some(properties)).map_err(bad)?;
        let mut columns = Columns::new();
        long::each(self, &mut |line: Line| {
            columns.push(&line);
            if columns.lines < LINES { Ok(()) } else { writer.write(&columns.batch(&schema)?) }
        })
        .map_err(bad)?;
        let last = columns.batch(&schema).map_err(|e| bad(e.into()))?;
        writer.write(&last).map_err(bad)?;
        writer.close().map(drop).map_err(bad)
    }
}
