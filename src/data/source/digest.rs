//! The hash of a file whose bytes are not all read for its rows: in parts that any thread may take.
//!
//! BLAKE3 is a tree of chunks, so that parts of a power of two of them are hashed by themselves and then put together.

use std::io::{self, Read, Seek, SeekFrom};

use blake3::Hasher;
use blake3::hazmat::{ChainingValue, HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};

use super::spool::{Input, Stamp};
use crate::error::Result;

/// Bytes in a part: a power of two of chunks of 1,024.
const PART: u64 = 1 << 23;

/// The hash of a part.
#[derive(Debug)]
pub(super) enum Hashed {
    /// Of a file that is one part.
    Whole(blake3::Hash),
    Part(ChainingValue),
}

/// How many parts a file has.
pub(super) fn parts(stamp: Stamp) -> u64 {
    stamp.bytes.div_ceil(PART).max(1)
}

/// Hashes a part of a file, counted from 0.
pub(super) fn part(input: &Input, stamp: Stamp, part: u64) -> Result<Hashed> {
    let mut file = input.file()?;
    file.seek(SeekFrom::Start(part * PART)).map_err(|e| input.io("read", e))?;
    // The last one reads to the end, wherever that is by now.
    let last = part + 1 == parts(stamp);
    let (hasher, bytes) =
        hash(file.take(if last { u64::MAX } else { PART }), part * PART).map_err(|e| input.io("read", e))?;
    if bytes != (stamp.bytes - part * PART).min(PART) {
        return Err(input.changed());
    }
    Ok(match parts(stamp) {
        1 => Hashed::Whole(hasher.finalize()),
        _ => Hashed::Part(hasher.finalize_non_root()),
    })
}

/// Takes all bytes, the first of which is the byte `from` of the whole, and says how many these were.
fn hash(mut bytes: impl Read, from: u64) -> io::Result<(Hasher, u64)> {
    let mut hasher = Hasher::new();
    hasher.set_input_offset(from);
    // Large enough for the hash to work on many blocks side by side, small enough to stay in the cache.
    let mut buffer = vec![0; 1 << 17];
    let mut all = 0;
    loop {
        match bytes.read(&mut buffer) {
            Ok(0) => return Ok((hasher, all)),
            Ok(n) => {
                hasher.update(&buffer[..n]);
                all += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// The hash of the whole in hexadecimal digits, from those of all its parts in their order.
pub(super) fn whole(parts: &[Hashed]) -> Option<String> {
    if let [Hashed::Whole(hash)] = parts {
        return Some(hash.to_hex().to_string());
    }
    let values = parts.iter().map(|part| if let Hashed::Part(value) = part { Some(*value) } else { None });
    let values = values.collect::<Option<Vec<ChainingValue>>>()?;
    let (left, right) = values.split_at_checked(left(values.len()))?;
    Some(merge_subtrees_root(&merged(left)?, &merged(right)?, Mode::Hash).to_hex().to_string())
}

/// The value of a tree of parts, `None` of nothing.
fn merged(parts: &[ChainingValue]) -> Option<ChainingValue> {
    if let [one] = parts {
        return Some(*one);
    }
    let (left, right) = parts.split_at_checked(left(parts.len()))?;
    Some(merge_subtrees_non_root(&merged(left)?, &merged(right)?, Mode::Hash))
}

/// How many of some parts, of two or more, are on the left side of their tree: the largest power of two below.
fn left(parts: usize) -> usize {
    parts.next_power_of_two() / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_give_the_hash_of_the_whole() {
        let bytes: Vec<u8> = (0..200_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for size in [1024, 2048, 8192] {
            for parts in 2..=13 {
                for end in [1, 1023, 1024, 1025, size] {
                    let length = size * (parts - 1) + end.min(size);
                    let bytes = &bytes[..length];
                    let part = |(at, part): (usize, &[u8])| {
                        let (hasher, read) = hash(part, (at * size) as u64).unwrap();
                        assert_eq!(read, part.len() as u64);
                        Hashed::Part(hasher.finalize_non_root())
                    };
                    let parts: Vec<Hashed> = bytes.chunks(size).enumerate().map(part).collect();
                    assert_eq!(whole(&parts), Some(blake3::hash(bytes).to_hex().to_string()), "{length} by {size}");
                }
            }
        }
    }

    #[test]
    fn files_of_one_part_and_of_several_are_hashed() {
        let folder = tempfile::tempdir().unwrap();
        for length in [1, PART, PART + 1, 2 * PART + 77] {
            let path = folder.path().join("rows.csv");
            let bytes: Vec<u8> = (0..length).map(|i| b'a' + (i * i % 23) as u8).collect();
            std::fs::write(&path, &bytes).unwrap();
            let input = Input::open(&path).unwrap();
            let stamp = input.stamp().unwrap();
            assert_eq!(parts(stamp), length.div_ceil(PART));
            let hashed = |stamp| (0..parts(stamp)).map(|at| part(&input, stamp, at)).collect::<Result<Vec<_>>>();
            assert_eq!(whole(&hashed(stamp).unwrap()), Some(blake3::hash(&bytes).to_hex().to_string()));
            // A file that is no longer as it was is not hashed.
            for other in [length - 1, length + 1] {
                std::fs::write(&path, vec![b'a'; other as usize]).unwrap();
                assert!(hashed(stamp).is_err(), "{length}, then {other}");
            }
        }
    }
}
