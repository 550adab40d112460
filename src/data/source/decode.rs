//! The bytes of a text file, plain or decompressed on their way.

use std::fs::File;
use std::io::{self, BufReader, Read};

use flate2::read::MultiGzDecoder;

use super::Format;
use super::spool::Input;
use crate::error::{Error, Result};

/// Bytes read at a time: what is hashed and searched next is still in the cache.
pub(super) const BUFFER: usize = 1 << 18;

/// Counts and hashes the bytes of the file on their way.
pub(super) struct Tap {
    file: File,
    pub bytes: u64,
    hasher: Option<Box<blake3::Hasher>>,
}

impl Tap {
    /// The hash of the bytes so far, if it is taken.
    pub fn blake3(&self) -> Option<String> {
        self.hasher.as_ref().map(|h| h.finalize().to_hex().to_string())
    }
}

impl Read for Tap {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.bytes += n as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..n]);
        }
        Ok(n)
    }
}

#[allow(clippy::large_enum_variant)] // one a file
pub(super) enum Decoder {
    Plain(Tap),
    Gzip(MultiGzDecoder<BufReader<Tap>>),
    #[cfg(feature = "zstd")]
    Zstd(zstd::Decoder<'static, BufReader<Tap>>),
}

impl Decoder {
    pub fn open(input: &Input, hash: bool) -> Result<Self> {
        let tap = Tap { file: input.file()?, bytes: 0, hasher: hash.then(Box::default) };
        let buffered = |tap| BufReader::with_capacity(BUFFER, tap);
        Ok(match input.format {
            Format::CsvGz => Decoder::Gzip(MultiGzDecoder::new(buffered(tap))),
            #[cfg(feature = "zstd")]
            Format::CsvZst => {
                let decoder = zstd::Decoder::with_buffer(buffered(tap));
                Decoder::Zstd(decoder.map_err(|e| read_error(input, e))?)
            }
            _ => Decoder::Plain(tap),
        })
    }

    pub fn tap(&self) -> &Tap {
        match self {
            Decoder::Plain(tap) => tap,
            Decoder::Gzip(gzip) => gzip.get_ref().get_ref(),
            #[cfg(feature = "zstd")]
            Decoder::Zstd(zstd) => zstd.get_ref().get_ref(),
        }
    }
}

impl Read for Decoder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Decoder::Plain(tap) => tap.read(buffer),
            Decoder::Gzip(gzip) => gzip.read(buffer),
            #[cfg(feature = "zstd")]
            Decoder::Zstd(zstd) => zstd.read(buffer),
        }
    }
}

/// What the system or the decompressor says of reading.
pub(super) fn read_error(input: &Input, error: io::Error) -> Error {
    use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
    let what = match input.format {
        Format::CsvGz => "gzip",
        Format::CsvZst => "zstd",
        _ => return input.io("read", error),
    };
    match error.kind() {
        UnexpectedEof => input.bad(format!("the {what} data end too early; the file is truncated, fetch it again")),
        InvalidData | InvalidInput | Other => {
            input.bad(format!("the {what} data are damaged ({error}); fetch the file again"))
        }
        _ => input.io("read", error),
    }
}
