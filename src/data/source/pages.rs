//! Columns of Parquet that are written as indices to a dictionary, and booleans, read without Arrow's arrays.
//!
//! What is not known here or looks odd is left to Arrow's reader, which reads it or tells what is wrong with it: values
//! that are not in the dictionary, lists, levels packed as of old, data that end too early.

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use bytes::buf::Reader;
use bytes::{Buf, Bytes};
use parquet::basic::{Encoding, Type};
use parquet::column::page::{Page, PageReader};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;

use super::columnar;
use super::hybrid::{Cell, Hybrid};
use super::indices::{Dictionary, Indices, Values};
use super::spool::Input;

/// The most values that bytes can index, with an index for no value.
const BYTES: usize = u8::MAX as usize;

/// A column of a row group of no more bytes is read at once: its pages may be many.
const AT_ONCE: u64 = 1 << 21;

/// A column of a row group.
pub(super) struct Paged {
    pages: Box<dyn PageReader>,
    dictionary: Arc<Dictionary>,
    boolean: bool,
    /// Whether there may be rows without a value.
    optional: bool,
    /// The rows of the page that are not read yet.
    left: usize,
    /// Whether rows have a value.
    levels: Hybrid,
    indices: Hybrid,
    bytes: Vec<u8>,
    wide: Vec<u32>,
    /// What is written for the rows with values only, and whether rows have one.
    values: (Vec<u8>, Vec<u32>),
    present: Vec<u8>,
}

impl Paged {
    /// A column that Arrow would read as `kind`, if it is of a sort that is known here.
    pub fn open(input: &Input, about: &ColumnChunkMetaData, kind: &DataType) -> Option<Self> {
        is_promising(about).then(|| Self::begin(input, about, kind)).flatten()
    }

    /// The same, whatever the footer says of how pages are written.
    pub(super) fn begin(input: &Input, about: &ColumnChunkMetaData, kind: &DataType) -> Option<Self> {
        let column = about.column_descr();
        if column.max_rep_level() > 0 || column.max_def_level() > 1 {
            return None;
        }
        let mut pages = pages_of(input, about)?;
        let boolean = *kind == DataType::Boolean;
        if boolean != (about.column_type() == Type::BOOLEAN) {
            return None;
        }
        let dictionary = match boolean {
            true => Dictionary::of(["false", "true"]),
            false => match pages.get_next_page().ok()?? {
                Page::DictionaryPage { buf, num_values, encoding, .. } if is_plain(encoding) => {
                    dictionary(&buf, num_values as usize, kind)?
                }
                _ => return None,
            },
        };
        Some(Paged {
            pages,
            dictionary: Arc::new(dictionary),
            boolean,
            optional: column.max_def_level() == 1,
            left: 0,
            levels: Hybrid::default(),
            indices: Hybrid::default(),
            bytes: Vec::new(),
            wide: Vec::new(),
            values: Default::default(),
            present: Vec::new(),
        })
    }

    /// Reads the next rows. What it gives tells whether that could be done; nothing more can be read where it could not.
    pub fn read(&mut self, rows: usize) -> Option<()> {
        let (mut bytes, mut wide) = (std::mem::take(&mut self.bytes), std::mem::take(&mut self.wide));
        let (mut of_bytes, mut of_wide) = std::mem::take(&mut self.values);
        let done = if self.dictionary.len() <= BYTES {
            bytes.resize(rows, 0);
            self.fill(&mut bytes, &mut of_bytes)
        } else {
            wide.resize(rows, 0);
            self.fill(&mut wide, &mut of_wide)
        };
        (self.bytes, self.wide, self.values) = (bytes, wide, (of_bytes, of_wide));
        done
    }

    /// The rows read last.
    pub fn values(&self) -> Values<'_> {
        let indices = match self.dictionary.len() <= BYTES {
            true => Indices::Bytes(&self.bytes),
            false => Indices::Wide(&self.wide),
        };
        Values::Indices(&self.dictionary, indices)
    }

    /// Whether all rows have been read: there are no pages with others.
    pub fn is_over(&mut self) -> Result<bool, ParquetError> {
        while self.left == 0 {
            match self.pages.get_next_page()? {
                None => return Ok(true),
                Some(page) => self.left = page.num_values() as usize,
            }
        }
        Ok(false)
    }

    fn fill<T: Index>(&mut self, mut out: &mut [T], values: &mut Vec<T>) -> Option<()> {
        while !out.is_empty() {
            if self.left == 0 {
                self.next_page()?;
                continue;
            }
            let (now, later) = out.split_at_mut(self.left.min(out.len()));
            self.left -= now.len();
            if self.optional {
                self.fill_some(now, values)?
            } else {
                self.fill_all(now)?
            }
            out = later;
        }
        Some(())
    }

    /// Fills rows of one page that may have no value.
    fn fill_some<T: Index>(&mut self, mut out: &mut [T], values: &mut Vec<T>) -> Option<()> {
        let none = T::of(u32::try_from(self.dictionary.len()).ok()?);
        while !out.is_empty() {
            let (level, alike) = self.levels.same(out.len())?;
            let (now, later) = out.split_at_mut(alike);
            match level {
                1 => self.fill_all(now)?,
                0 => now.fill(none),
                _ => return None,
            }
            out = later;
            if alike > 0 {
                continue;
            }
            // Levels that change from row to row.
            self.present.resize(out.len(), 0);
            self.levels.fill(&mut self.present)?;
            values.resize(self.present.iter().map(|level| usize::from(*level)).sum(), none);
            self.fill_all(values)?;
            let mut values = values.iter();
            for (cell, level) in out.iter_mut().zip(&self.present) {
                *cell = if *level == 1 { *values.next()? } else { none };
            }
            break;
        }
        Some(())
    }

    /// Fills rows of one page that have values.
    fn fill_all<T: Index>(&mut self, out: &mut [T]) -> Option<()> {
        self.indices.fill(out)?;
        let most = out.iter().fold(T::default(), |most, index| most.max(*index));
        (out.is_empty() || most.index() < self.dictionary.len()).then_some(())
    }

    fn next_page(&mut self) -> Option<()> {
        let (data, encoding) = match self.pages.get_next_page().ok()?? {
            Page::DataPage { buf, num_values, encoding, def_level_encoding, .. } => {
                self.left = num_values as usize;
                let levels = match self.optional {
                    true if def_level_encoding != Encoding::RLE => return None,
                    true => sized(&buf)?,
                    false => Bytes::new(),
                };
                let from = if self.optional { 4 + levels.len() } else { 0 };
                self.levels = Hybrid::new(levels, 1)?;
                (buf.slice(from..), encoding)
            }
            Page::DataPageV2 { buf, num_values, encoding, def_levels_byte_len, rep_levels_byte_len: 0, .. } => {
                self.left = num_values as usize;
                let from = def_levels_byte_len as usize;
                self.levels = Hybrid::new(buf.get(..from).map(|_| buf.slice(..from))?, 1)?;
                (buf.slice(from..), encoding)
            }
            Page::DataPageV2 { .. } | Page::DictionaryPage { .. } => return None,
        };
        self.indices = match (encoding, self.boolean) {
            (Encoding::PLAIN, true) => Hybrid::packed(data.clone(), 1, data.len().checked_mul(8)?),
            (Encoding::RLE, true) => Hybrid::new(sized(&data)?, 1)?,
            (Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY, false) => match data.first() {
                Some(width) => Hybrid::new(data.slice(1..), usize::from(*width))?,
                // No row of the page has a value.
                None => Hybrid::default(),
            },
            _ => return None,
        };
        Some(())
    }
}

/// The pages of a column, whose bytes are read at once where they are few.
fn pages_of(input: &Input, about: &ColumnChunkMetaData) -> Option<Box<dyn PageReader>> {
    let mut file = input.file().ok()?;
    let (from, length) = about.byte_range();
    if length > AT_ONCE {
        return Some(Box::new(SerializedPageReader::new(Arc::new(file), about, 0, None).ok()?));
    }
    let mut bytes = Vec::with_capacity(length as usize);
    file.seek(SeekFrom::Start(from)).and_then(|_| file.take(length).read_to_end(&mut bytes)).ok()?;
    let held = Held { from, bytes: bytes.into() };
    Some(Box::new(SerializedPageReader::new(Arc::new(held), about, 0, None).ok()?))
}

/// A part of a file in memory.
struct Held {
    from: u64,
    bytes: Bytes,
}

impl Held {
    /// What is there from a place in the file on.
    fn behind(&self, place: u64) -> parquet::errors::Result<Bytes> {
        let at = place.checked_sub(self.from).and_then(|at| usize::try_from(at).ok());
        let at = at.filter(|at| *at <= self.bytes.len());
        at.map(|at| self.bytes.slice(at..)).ok_or_else(|| ParquetError::EOF(format!("nothing is held at {place}")))
    }
}

impl Length for Held {
    fn len(&self) -> u64 {
        self.from + self.bytes.len() as u64
    }
}

impl ChunkReader for Held {
    type T = Reader<Bytes>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(self.behind(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let behind = self.behind(start)?;
        match behind.len() < length {
            true => Err(ParquetError::EOF(format!("{length} bytes are not held at {start}"))),
            false => Ok(behind.slice(..length)),
        }
    }
}

/// An integer that indexes a dictionary.
trait Index: Cell + Ord {
    fn index(self) -> usize;
}

impl Index for u8 {
    fn index(self) -> usize {
        usize::from(self)
    }
}

impl Index for u32 {
    fn index(self) -> usize {
        self as usize
    }
}

/// What stands behind its own length in four bytes.
fn sized(data: &Bytes) -> Option<Bytes> {
    let length = u32::from_le_bytes(*data.first_chunk::<4>()?) as usize;
    let to = length.checked_add(4).filter(|to| *to <= data.len())?;
    Some(data.slice(4..to))
}

fn is_plain(encoding: Encoding) -> bool {
    matches!(encoding, Encoding::PLAIN | Encoding::PLAIN_DICTIONARY)
}

/// Whether a column may be written in a way that is known here, by what the footer says.
fn is_promising(about: &ColumnChunkMetaData) -> bool {
    if about.column_type() == Type::BOOLEAN {
        return true;
    }
    // Where it does not say how pages are written, they will tell.
    let elsewhere = |said: Encoding| !matches!(said, Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY);
    let some_elsewhere = about.page_encoding_stats_mask().is_some_and(|mask| mask.encodings().any(elsewhere));
    about.dictionary_page_offset().is_some() && !some_elsewhere
}

impl Dictionary {
    fn of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut all = Dictionary::default();
        texts.into_iter().for_each(|text| all.push(text));
        all
    }
}

/// The values of a dictionary's page, as texts.
fn dictionary(page: &[u8], values: usize, kind: &DataType) -> Option<Dictionary> {
    let mut all = Dictionary::default();
    let is_text = |kind: &DataType| matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let text = match kind {
        DataType::Dictionary(_, value) => is_text(value),
        kind => is_text(kind),
    };
    if text {
        let mut rest = page;
        for _ in 0..values {
            let (length, behind) = rest.split_first_chunk::<4>()?;
            let (value, behind) = behind.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            all.push(std::str::from_utf8(value).ok()?);
            rest = behind;
        }
        return Some(all);
    }
    let array = integers(page, values, kind)?;
    let mut push = |_: usize, text: Option<&str>| {
        all.push(text.unwrap_or_default());
        Ok(())
    };
    columnar::texts(&array, &mut push).ok()?;
    (array.null_count() == 0).then_some(all)
}

/// Integers and days of a dictionary's page.
fn integers(page: &[u8], values: usize, kind: &DataType) -> Option<ArrayRef> {
    use arrow_array::{
        Date32Array, Int8Array, Int16Array, Int32Array, Int64Array, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
    };
    fn words<const N: usize>(page: &[u8], values: usize) -> Option<impl Iterator<Item = [u8; N]>> {
        let page = page.get(..values.checked_mul(N)?)?;
        Some(page.chunks_exact(N).filter_map(|word| word.first_chunk::<N>().copied()))
    }
    let small = || Some(words::<4>(page, values)?.map(i32::from_le_bytes));
    let large = || Some(words::<8>(page, values)?.map(i64::from_le_bytes));
    // A number that does not fit its type is for Arrow to make something of.
    fn fit<A, F, T: TryFrom<F>>(numbers: impl Iterator<Item = F>) -> Option<ArrayRef>
    where
        A: From<Vec<T>> + Array + 'static,
    {
        Some(Arc::new(A::from(numbers.map(|n| T::try_from(n).ok()).collect::<Option<Vec<T>>>()?)))
    }
    match kind {
        DataType::Int8 => fit::<Int8Array, _, i8>(small()?),
        DataType::Int16 => fit::<Int16Array, _, i16>(small()?),
        DataType::Int32 => fit::<Int32Array, _, i32>(small()?),
        DataType::Int64 => fit::<Int64Array, _, i64>(large()?),
        DataType::UInt8 => fit::<UInt8Array, _, u8>(small()?),
        DataType::UInt16 => fit::<UInt16Array, _, u16>(small()?),
        DataType::UInt32 => fit::<UInt32Array, _, u32>(small()?.map(|n| n as u32)),
        DataType::UInt64 => fit::<UInt64Array, _, u64>(large()?.map(|n| n as u64)),
        DataType::Date32 => fit::<Date32Array, _, i32>(small()?),
        _ => None,
    }
}
