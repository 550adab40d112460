//! Delimited text, record by record.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};

use super::super::delimited::Text;
use super::super::progress::Meter;
use super::super::spool::Input;
use super::super::{Format, Options};
use super::{Added, Changes, unwritten};
use crate::data::{Column, Table};
use crate::error::{Error, Result};

/// Rows between two words on progress.
const STEP: u64 = 1 << 16;

/// Plain text, or compressed.
enum Sink<W: Write> {
    Plain(W),
    Gzip(Box<GzEncoder<W>>),
    #[cfg(feature = "zstd")]
    Zstd(Box<zstd::Encoder<'static, W>>),
}

impl<W: Write> Sink<W> {
    fn new(format: Format, out: W) -> Result<Self> {
        Ok(match format {
            Format::CsvGz => Sink::Gzip(Box::new(GzEncoder::new(out, Compression::default()))),
            #[cfg(feature = "zstd")]
            Format::CsvZst => {
                Sink::Zstd(Box::new(zstd::Encoder::new(out, zstd::DEFAULT_COMPRESSION_LEVEL).map_err(unwritten)?))
            }
            #[cfg(not(feature = "zstd"))]
            Format::CsvZst => {
                let expected = "csv or csv.gz; evenhand was built without the feature `zstd`";
                return Err(Error::setting("the form of the copy", format, expected));
            }
            _ => Sink::Plain(out),
        })
    }
}

impl<W: Write> Write for Sink<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Sink::Plain(out) => out.write(bytes),
            Sink::Gzip(out) => out.write(bytes),
            #[cfg(feature = "zstd")]
            Sink::Zstd(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Sink::Plain(out) => out.flush(),
            Sink::Gzip(out) => out.flush(),
            #[cfg(feature = "zstd")]
            Sink::Zstd(out) => out.flush(),
        }
    }
}

pub(super) fn copy(
    inputs: &[Input],
    options: &Options,
    changes: &Changes,
    format: Format,
    out: impl Write,
    meter: &Meter,
) -> Result<u64> {
    let sink = Sink::new(format, out)?;
    let mut copy: Option<Copy<Sink<_>>> = None;
    let mut sink = Some(sink);
    let mut row = 0;
    for input in inputs {
        let mut text = Text::open(input, options)?;
        let begun = match (&mut copy, sink.take()) {
            (none @ None, Some(sink)) => none.insert(Copy::begin(&text, changes, sink)?),
            (Some(copy), _) => copy,
            (None, None) => continue,
        };
        let at = begun.names.iter().map(|name| text.find(name)).collect::<Result<Vec<usize>>>()?;
        let (mut metered, mut held) = (0, 0);
        while text.next_row()? {
            begun.row(text.fields(), &at, changes, row)?;
            (row, held) = (row + 1, held + 1);
            if held == STEP {
                let bytes = text.bytes_read();
                meter.add(bytes - metered, held);
                (metered, held) = (bytes, 0);
            }
        }
        meter.add(text.bytes_read() - metered, held);
    }
    changes.check_rows(row)?;
    let Some(mut copy) = copy else { return Ok(0) };
    if let Some(rows) = changes.rows {
        copy.made(rows, changes, row)?;
    }
    copy.finish()
}

/// A copy on its way.
struct Copy<W: Write> {
    writer: csv::Writer<W>,
    /// The columns of the first file.
    names: Vec<String>,
    written: u64,
    number: String,
}

impl<W: Write> Copy<W> {
    fn begin(text: &Text, changes: &Changes, sink: W) -> Result<Self> {
        let names = text.names().to_vec();
        changes.check(&names)?;
        let mut writer = csv::WriterBuilder::new().delimiter(text.delimiter()).flexible(false).from_writer(sink);
        let header = names.iter().map(String::as_str).chain(changes.columns.iter().map(|(name, _)| name.as_str()));
        writer.write_record(header).map_err(failed)?;
        Ok(Copy { writer, names, written: 0, number: String::new() })
    }

    /// A row of a file, as often as it is wanted.
    fn row(&mut self, fields: &csv::ByteRecord, at: &[usize], changes: &Changes, row: usize) -> Result<()> {
        for _ in 0..changes.times_of(row) {
            for at in at {
                self.writer.write_field(&fields[*at]).map_err(failed)?;
            }
            self.added(changes, row)?;
        }
        Ok(())
    }

    /// The new rows, behind the first `rows`.
    fn made(&mut self, table: &Table, changes: &Changes, rows: usize) -> Result<()> {
        let columns: Vec<Option<&Column>> = self.names.iter().map(|name| table.column(name).ok()).collect();
        for row in 0..table.rows() {
            for column in &columns {
                match column {
                    Some(Column::Number(values) | Column::Integer(values)) => self.number(values[row])?,
                    Some(Column::Level(column)) => {
                        let level = column.codes().get(row).map_or("", |code| column.levels()[code].as_str());
                        self.writer.write_field(level).map_err(failed)?;
                    }
                    None => self.writer.write_field("").map_err(failed)?,
                }
            }
            self.added(changes, rows + row)?;
        }
        Ok(())
    }

    /// What is added to a row, and the end of it.
    fn added(&mut self, changes: &Changes, row: usize) -> Result<()> {
        for (_, values) in &changes.columns {
            match values {
                Added::Number(values) => self.number(values.get(row).copied().unwrap_or(f64::NAN))?,
                Added::Flag(values) => {
                    let flag = values.get(row).map_or("", |flag| if *flag { "1" } else { "0" });
                    self.writer.write_field(flag).map_err(failed)?;
                }
                Added::Text(values) => {
                    let text = values.get(row).and_then(Option::as_deref).unwrap_or("");
                    self.writer.write_field(text).map_err(failed)?;
                }
            }
        }
        self.written += 1;
        self.writer.write_record(None::<&[u8]>).map_err(failed)
    }

    fn number(&mut self, value: f64) -> Result<()> {
        use std::fmt::Write as _;
        self.number.clear();
        if !value.is_nan() {
            // Writing to a string cannot fail.
            let _ = write!(self.number, "{value}");
        }
        self.writer.write_field(&self.number).map_err(failed)
    }

    fn finish(self) -> Result<u64>
    where
        W: Finish,
    {
        let sink = self.writer.into_inner().map_err(|e| unwritten(e.into_error()))?;
        sink.finish().map_err(unwritten)?;
        Ok(self.written)
    }
}

/// What is written at the very end.
trait Finish {
    fn finish(self) -> std::io::Result<()>;
}

impl<W: Write> Finish for Sink<W> {
    fn finish(self) -> std::io::Result<()> {
        match self {
            Sink::Plain(mut out) => out.flush(),
            Sink::Gzip(out) => out.finish()?.flush(),
            #[cfg(feature = "zstd")]
            Sink::Zstd(out) => out.finish()?.flush(),
        }
    }
}

fn failed(error: csv::Error) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => unwritten(error),
        other => unwritten(std::io::Error::other(format!("{other:?}"))),
    }
}
