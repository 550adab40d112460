//! Parquet's runs of small integers: each run is one value so many times, or values packed bit by bit.
//!
//! Dictionary indices and definition levels are stored so. A run begins with a header in groups of seven bits: its last bit
//! says which kind it is, the others how many values, or how many groups of eight values, there are.

use bytes::Bytes;

/// Reads runs of values of so many bits each.
#[derive(Debug, Default)]
pub(super) struct Hybrid {
    data: Bytes,
    /// Where the next header stands.
    at: usize,
    width: usize,
    run: Run,
}

/// What is left of a run.
#[derive(Debug, Clone, Copy)]
enum Run {
    Repeated { value: u32, left: usize },
    Packed { from: usize, next: usize, left: usize },
}

impl Default for Run {
    fn default() -> Self {
        Run::Repeated { value: 0, left: 0 }
    }
}

/// An integer that values are read into.
pub(super) trait Cell: Copy + Default {
    /// The bits that it holds.
    const BITS: usize;

    /// Of a value of no more bits than it holds.
    fn of(value: u32) -> Self;

    /// Reads groups of eight values, which are so many as `out` has room for; `packed` begins with them.
    fn unpack(packed: &[u8], width: usize, out: &mut [Self]) -> Option<()>;
}

impl Hybrid {
    /// Values of at most 32 bits.
    pub fn new(data: Bytes, width: usize) -> Option<Self> {
        (width <= 32).then(|| Hybrid { data, at: 0, width, run: Run::default() })
    }

    /// Packed values without headers.
    pub fn packed(data: Bytes, width: usize, values: usize) -> Self {
        let run = Run::Packed { from: 0, next: 0, left: values };
        Hybrid { at: data.len(), data, width, run }
    }

    /// The next value and how many times it follows, up to `most`, where it is a run of one value; those are read.
    pub fn same(&mut self, most: usize) -> Option<(u32, usize)> {
        self.advance()?;
        match &mut self.run {
            Run::Repeated { value, left } => {
                let taken = most.min(*left);
                *left -= taken;
                Some((*value, taken))
            }
            Run::Packed { .. } => Some((0, 0)),
        }
    }

    /// Fills `out` with the next values, if there are so many and the data are sound.
    pub fn fill<T: Cell>(&mut self, mut out: &mut [T]) -> Option<()> {
        if self.width > T::BITS {
            return None;
        }
        while !out.is_empty() {
            self.advance()?;
            match &mut self.run {
                Run::Repeated { value, left } => {
                    let (now, later) = out.split_at_mut((*left).min(out.len()));
                    *left -= now.len();
                    now.fill(T::of(*value));
                    out = later;
                }
                Run::Packed { from, next, left } => {
                    let (mut now, later) = out.split_at_mut((*left).min(out.len()));
                    let packed = self.data.get(*from..)?;
                    *left -= now.len();
                    // To the next group, whole groups, and what is left.
                    let odd = (next.wrapping_neg() % 8).min(now.len());
                    let (head, rest) = now.split_at_mut(odd);
                    one_by_one(packed, self.width, next, head)?;
                    now = rest;
                    let (groups, tail) = now.split_at_mut(now.len() / 8 * 8);
                    T::unpack(packed.get(*next / 8 * self.width..)?, self.width, groups)?;
                    *next += groups.len();
                    one_by_one(packed, self.width, next, tail)?;
                    out = later;
                }
            }
        }
        Some(())
    }

    /// Reads headers until a run has values.
    fn advance(&mut self) -> Option<()> {
        while let Run::Repeated { left: 0, .. } | Run::Packed { left: 0, .. } = self.run {
            let header = self.header()?;
            let count = header >> 1;
            self.run = if header & 1 == 1 {
                let from = self.at;
                let bytes = count.checked_mul(self.width)?;
                self.at = from.checked_add(bytes)?;
                // The last group may be cut short; whatever is then read behind the end is found missing.
                Run::Packed { from, next: 0, left: count.checked_mul(8)? }
            } else {
                let bytes = self.width.div_ceil(8);
                let value = self.data.get(self.at..self.at + bytes)?;
                self.at += bytes;
                let value = value.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte));
                // More bits than there should be.
                if self.width < 32 && value >> self.width != 0 {
                    return None;
                }
                Run::Repeated { value, left: count }
            };
        }
        Some(())
    }

    fn header(&mut self) -> Option<usize> {
        let mut header = 0u64;
        for shift in (0..35).step_by(7) {
            let byte = *self.data.get(self.at)?;
            self.at += 1;
            header |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return usize::try_from(header).ok();
            }
        }
        None
    }
}

/// Reads a few values, the first of which is the value `next` of a run.
fn one_by_one<T: Cell>(packed: &[u8], width: usize, next: &mut usize, out: &mut [T]) -> Option<()> {
    for cell in out {
        let bit = *next * width;
        let (from, to) = (bit / 8, (bit + width).div_ceil(8));
        let bytes = packed.get(from..to)?;
        let value = bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte));
        *cell = T::of((value >> (bit % 8) & ((1 << width) - 1)) as u32);
        *next += 1;
    }
    Some(())
}

impl Cell for u8 {
    const BITS: usize = 8;

    #[inline(always)]
    fn of(value: u32) -> Self {
        value as u8
    }

    fn unpack(packed: &[u8], width: usize, out: &mut [u8]) -> Option<()> {
        match width {
            0 => out.fill(0),
            1 => bytes_of::<1>(packed, out)?,
            2 => bytes_of::<2>(packed, out)?,
            3 => bytes_of::<3>(packed, out)?,
            4 => bytes_of::<4>(packed, out)?,
            5 => bytes_of::<5>(packed, out)?,
            6 => bytes_of::<6>(packed, out)?,
            7 => bytes_of::<7>(packed, out)?,
            _ => out.copy_from_slice(packed.get(..out.len())?),
        }
        Some(())
    }
}

/// Eight values of `W` bits become eight bytes: halves, quarters and eighths of them are moved apart.
fn bytes_of<const W: usize>(packed: &[u8], out: &mut [u8]) -> Option<()> {
    let packed = packed.get(..out.len() / 8 * W)?;
    for (group, eight) in packed.chunks_exact(W).zip(out.chunks_exact_mut(8)) {
        let mut bytes = [0; 8];
        bytes[..W].copy_from_slice(group);
        let all = apart::<32>(u64::from_le_bytes(bytes), 4 * W);
        let all = apart::<8>(apart::<16>(all, 2 * W), W);
        eight.copy_from_slice(&all.to_le_bytes());
    }
    Some(())
}

/// Of every two fields of so many bits, in a space twice as wide as `STEP`, moves the second to where that begins anew.
#[inline(always)]
fn apart<const STEP: usize>(all: u64, bits: usize) -> u64 {
    // The lowest bits of every other step.
    let first = u64::MAX / ((1 << STEP) + 1) / ((1 << STEP) - 1) * ((1 << bits) - 1);
    all & first | all << (STEP - bits) & first << STEP
}

impl Cell for u32 {
    const BITS: usize = 32;

    #[inline(always)]
    fn of(value: u32) -> Self {
        value
    }

    fn unpack(packed: &[u8], width: usize, out: &mut [u32]) -> Option<()> {
        let packed = packed.get(..out.len() / 8 * width)?;
        let low = (1u64 << width) - 1;
        for (at, value) in out.iter_mut().enumerate() {
            let bit = at * width;
            // Eight bytes hold any value of 32 bits, wherever in a byte it begins.
            let bytes = match packed.get(bit / 8..).and_then(|rest| rest.first_chunk::<8>()) {
                Some(bytes) => u64::from_le_bytes(*bytes),
                None => packed.get(bit / 8..)?.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte)),
            };
            *value = (bytes >> (bit % 8) & low) as u32;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    /// Packs values, the last group filled up with zeros.
    fn pack(values: &[u32], width: usize) -> Vec<u8> {
        let mut bits: Vec<bool> = values.iter().flat_map(|v| (0..width).map(move |b| v >> b & 1 == 1)).collect();
        bits.resize(values.len().div_ceil(8) * 8 * width, false);
        bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |all, bit| all << 1 | u8::from(*bit))).collect()
    }

    fn header(mut value: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        while value >= 0x80 {
            bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
        bytes
    }

    /// Runs of both kinds, and what they hold.
    fn runs(width: usize, seed: u64) -> (Vec<u8>, Vec<u32>) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let low = if width == 32 { u32::MAX } else { (1 << width) - 1 };
        let (mut data, mut values) = (Vec::new(), Vec::new());
        for _ in 0..12 {
            let length = rng.gen_range(0..300usize);
            if rng.gen_bool(0.5) {
                let value = rng.gen_range(0..=low);
                data.extend(header((length as u64) << 1));
                data.extend(&value.to_le_bytes()[..width.div_ceil(8)]);
                values.extend(std::iter::repeat_n(value, length));
            } else {
                let packed: Vec<u32> = (0..length.div_ceil(8) * 8).map(|_| rng.gen_range(0..=low)).collect();
                data.extend(header((packed.len() as u64 / 8) << 1 | 1));
                data.extend(pack(&packed, width));
                values.extend(packed);
            }
        }
        (data, values)
    }

    fn read<T: Cell + Into<u32>>(data: &[u8], width: usize, values: usize, steps: &[usize]) -> Option<Vec<u32>> {
        let mut hybrid = Hybrid::new(Bytes::copy_from_slice(data), width)?;
        let mut all = Vec::new();
        for step in steps.iter().cycle() {
            let mut out = vec![T::default(); (*step).min(values - all.len())];
            hybrid.fill(&mut out)?;
            all.extend(out.into_iter().map(Into::into));
            if all.len() == values {
                return Some(all);
            }
        }
        None
    }

    #[test]
    fn runs_of_every_width_are_read_in_any_steps() {
        for width in 0..=32 {
            for seed in 0..8 {
                let (data, values) = runs(width, seed);
                for steps in [&[1][..], &[7, 64, 3], &[1000], &[usize::MAX]] {
                    assert_eq!(read::<u32>(&data, width, values.len(), steps).as_ref(), Some(&values), "{width}");
                    let narrow = read::<u8>(&data, width, values.len(), steps);
                    assert_eq!(narrow.as_ref(), (width <= 8).then_some(&values), "{width}");
                }
                // Nothing is made up behind the end, and nothing short of it is enough.
                assert_eq!(read::<u32>(&data, width, values.len() + 1, &[64]), None);
                if width > 0 {
                    let short = &data[..data.len() - 1];
                    assert!(read::<u32>(short, width, values.len(), &[64]).is_none_or(|read| read == values));
                }
            }
        }
        assert!(Hybrid::new(Bytes::new(), 33).is_none());
    }

    #[test]
    fn what_is_no_run_is_nothing() {
        let read = |data: &[u8], width| read::<u32>(data, width, 8, &[8]);
        // No header, one without an end, one of more than 32 bits, and a value wider than it may be.
        for data in [&[][..], &[0x80], &[0xff, 0xff, 0xff, 0xff, 0xff, 0x01], &[0x10, 0x08], &[0x03, 0x00]] {
            assert_eq!(read(data, 3), None, "{data:?}");
        }
        assert_eq!(read(&[0x10, 0x07], 3), Some(vec![7; 8]));
        // Runs of no values are passed over.
        assert_eq!(read(&[0x00, 0x01, 0x01, 0x10, 0x07], 3), Some(vec![7; 8]));
    }

    #[test]
    fn packed_values_need_no_header() {
        let values: Vec<u32> = (0..100).map(|i| u32::from(i % 3 == 0)).collect();
        let mut hybrid = Hybrid::packed(pack(&values, 1).into(), 1, values.len());
        let mut out = vec![0u8; values.len()];
        assert_eq!(hybrid.same(10), Some((0, 0)));
        assert_eq!(hybrid.fill(&mut out), Some(()));
        assert!(out.iter().zip(&values).all(|(a, b)| u32::from(*a) == *b));
        assert_eq!(hybrid.fill(&mut out[..1]), None);
    }

    #[test]
    fn a_run_of_one_value_is_told_at_once() {
        let mut hybrid = Hybrid::new(Bytes::from_static(&[0x10, 0x01, 0x06, 0x00]), 1).unwrap();
        assert_eq!(hybrid.same(5), Some((1, 5)));
        assert_eq!(hybrid.same(5), Some((1, 3)));
        assert_eq!(hybrid.same(5), Some((0, 3)));
        assert_eq!(hybrid.same(5), None);
    }
}
