//! The files themselves: their kind by content, standard input kept, changes noticed.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tempfile::NamedTempFile;

use super::Format;
use crate::error::{Error, Place, Result};

/// A file to read, as often as needed.
#[derive(Debug)]
pub(super) struct Input {
    /// The path as the caller gave it, for messages.
    pub given: PathBuf,
    /// Where the bytes are.
    path: PathBuf,
    pub format: Format,
    /// Keeps the copy of standard input or of a pipe.
    _spool: Option<NamedTempFile>,
}

/// What tells that a file has changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stamp {
    pub bytes: u64,
    modified: Option<SystemTime>,
}

/// How a Parquet file begins and ends.
const MAGIC: &[u8] = b"PAR1";

/// How a zstd file begins.
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

/// Beginnings of files that are no delimited text, and what they are.
const FOREIGN: [(&[u8], &str); 9] = [
    (b"PARE", "an encrypted Parquet file; decrypt it first"),
    (b"PK\x03\x04", "a zip archive or an Excel workbook; unpack it, or save the sheet as CSV"),
    (ZSTD, "compressed by zstd, and evenhand was built without the feature `zstd`"),
    (b"\xfd7zXZ", "compressed by xz; decompress it first, or use gzip"),
    (b"BZh", "compressed by bzip2; decompress it first, or use gzip"),
    (b"ARROW1", "an Arrow IPC (Feather) file, and evenhand was built without the feature `parquet`"),
    (b"ORC", "an ORC file; save it as Parquet"),
    (b"\xff\xfe", "text in UTF-16; save it as UTF-8"),
    (b"\xfe\xff", "text in UTF-16; save it as UTF-8"),
];

/// Why bytes that begin so cannot be delimited text. A header may begin with any letters, `ORC` too: what is
/// not text holds control characters.
pub(super) fn foreign(start: &[u8]) -> Option<&'static str> {
    let utf16 = start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff");
    if !utf16 && !start.iter().copied().any(is_control) {
        return None;
    }
    let known = FOREIGN.iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, what)| *what);
    known.or_else(|| start.contains(&0).then_some("neither Parquet nor text: it holds zero bytes"))
}

fn is_control(byte: u8) -> bool {
    byte < 9 || (14..32).contains(&byte)
}

impl Input {
    /// Finds out what a path leads to. `-` is standard input, which is copied to a temporary file, as
    /// is anything else that can be read only once.
    pub fn open(given: &Path) -> Result<Self> {
        let fail = |action, source| Error::Io { action, path: given.into(), source };
        let (path, spool) = if given == Path::new("-") {
            let spool = spool(io::stdin().lock()).map_err(|e| fail("read standard input", e))?;
            (spool.path().to_path_buf(), Some(spool))
        } else {
            let file = File::open(given).map_err(|e| fail("open", e))?;
            let metadata = file.metadata().map_err(|e| fail("open", e))?;
            if metadata.is_dir() {
                let problem = "it is a folder; name the files in it, or use a pattern such as `folder/*.parquet`";
                return Err(fail("read", io::Error::new(io::ErrorKind::IsADirectory, problem)));
            }
            if metadata.is_file() {
                (given.to_path_buf(), None)
            } else {
                let spool = spool(file).map_err(|e| fail("read", e))?;
                (spool.path().to_path_buf(), Some(spool))
            }
        };
        let mut input = Input { given: given.into(), path, format: Format::Csv, _spool: spool };
        input.format = input.sniff()?;
        Ok(input)
    }

    /// What is in memory under a name for messages: there are no bytes to read.
    #[cfg(feature = "datafusion")]
    pub fn in_memory(name: &str) -> Self {
        Input { given: name.into(), path: PathBuf::new(), format: Format::Arrow, _spool: None }
    }

    fn sniff(&self) -> Result<Format> {
        let mut start = Vec::new();
        let read = self.file()?.take(512).read_to_end(&mut start);
        read.map_err(|e| self.io("read", e))?;
        if start.is_empty() {
            return Err(Error::Nothing { problem: "the file is empty", place: self.place(None) });
        }
        if start.starts_with(MAGIC) && (start.get(4).is_none_or(|b| is_control(*b)) || self.ends_with(MAGIC)?) {
            return Ok(Format::Parquet);
        }
        if start.starts_with(b"\x1f\x8b") {
            return Ok(Format::CsvGz);
        }
        #[cfg(feature = "parquet")]
        if super::messages::is_arrow(&start) {
            return Ok(Format::Arrow);
        }
        if cfg!(feature = "zstd") && start.starts_with(ZSTD) {
            return Ok(Format::CsvZst);
        }
        foreign(&start).map_or(Ok(Format::Csv), |what| Err(self.bad(format!("it is {what}"))))
    }

    fn ends_with(&self, end: &[u8]) -> Result<bool> {
        let mut file = self.file()?;
        let mut last = Vec::new();
        let read = file.seek(SeekFrom::End(-(end.len() as i64))).and_then(|_| file.read_to_end(&mut last));
        read.map_err(|e| self.io("read", e))?;
        Ok(last == end)
    }

    /// A fresh handle at the start: threads do not share positions.
    pub fn file(&self) -> Result<File> {
        File::open(&self.path).map_err(|e| self.io("open", e))
    }

    pub fn stamp(&self) -> Result<Stamp> {
        let metadata: Metadata = self.path.metadata().map_err(|e| self.io("open", e))?;
        Ok(Stamp { bytes: metadata.len(), modified: metadata.modified().ok() })
    }

    /// Fails if the file is not as it was.
    pub fn unchanged(&self, since: Stamp) -> Result<()> {
        if self.stamp()? == since { Ok(()) } else { Err(self.changed()) }
    }

    pub fn changed(&self) -> Error {
        self.bad("it changed while it was read; let whatever writes it finish, then read it again")
    }

    pub fn io(&self, action: &'static str, source: io::Error) -> Error {
        Error::Io { action, path: self.given.clone(), source }
    }

    pub fn bad(&self, problem: impl Into<String>) -> Error {
        Error::BadFile { file: self.given.clone(), row_group: None, problem: problem.into() }
    }

    /// A row of the file, counted from 0.
    pub fn place(&self, row: Option<u64>) -> Place {
        Place { file: Some(self.given.clone()), row: row.map(|r| r + 1) }
    }
}

fn spool(mut from: impl Read) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("evenhand-").tempfile()?;
    io::copy(&mut from, file.as_file_mut())?;
    Ok(file)
}
