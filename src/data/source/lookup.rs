//! From the values of an Arrow array to codes: each distinct value is turned into text, and that into a
//! code, once.

use std::fmt::{Display, Write};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Int32Type};
use arrow_array::{Array, ArrayRef, BooleanArray, DictionaryArray, PrimitiveArray};
use arrow_buffer::BooleanBuffer;
use rustc_hash::FxHashMap;

use super::intake::Fault;

/// A code as a column holds it.
pub(super) trait Code: Copy + PartialEq {
    /// No code yet.
    const UNMET: Self;
}

impl Code for u32 {
    const UNMET: Self = super::intern::UNMET;
}

impl Code for u8 {
    const UNMET: Self = u8::MAX;
}

/// Integers within so wide a range are looked up in a table, others by hash.
const NARROW: usize = 1 << 16;

/// The codes of the values met so far in one column.
pub(super) struct Lookup<C> {
    /// The dictionary that the table is for.
    dictionary: Option<ArrayRef>,
    /// By key of the dictionary, or by integer less `base`.
    table: Vec<C>,
    base: u64,
    /// By bits, for integers of a wide range and floats.
    wide: FxHashMap<u64, C>,
    text: String,
}

/// Turns a text, in the row of the array given, into a code.
pub(super) trait Resolve<C>: FnMut(&str, usize) -> Result<C, Fault> {}
impl<C, F: FnMut(&str, usize) -> Result<C, Fault>> Resolve<C> for F {}

/// A fault and the row of the array it is in.
pub(super) type At = (usize, Fault);

/// An integer that a table can be indexed by.
pub(super) trait Whole: Copy + Ord + Display {
    /// Its value modulo 2^64: differences come out right.
    fn bits(self) -> u64;
}

macro_rules! whole {
    ($($t:ty)*) => {
        $(impl Whole for $t {
            #[inline(always)]
            fn bits(self) -> u64 {
                self as u64
            }
        })*
    };
}
whole!(i8 i16 i32 i64 u8 u16 u32 u64);

impl<C: Code> Lookup<C> {
    pub fn new() -> Self {
        Lookup { dictionary: None, table: Vec::new(), base: 0, wide: FxHashMap::default(), text: String::new() }
    }

    /// Codes of a dictionary of strings: its keys are looked up in a table made once a dictionary.
    pub fn dictionary(
        &mut self,
        array: &DictionaryArray<Int32Type>,
        null: C,
        out: &mut Vec<C>,
        mut resolve: impl Resolve<C>,
    ) -> Result<(), At> {
        let values = array.values();
        let same =
            self.dictionary.as_ref().is_some_and(|d| Arc::ptr_eq(d, values) || d.to_data().ptr_eq(&values.to_data()));
        if !same {
            self.table.clear();
            self.table.resize(values.len(), C::UNMET);
            self.dictionary = Some(values.clone());
        }
        let texts = values.as_string_opt::<i32>().ok_or((0, Fault::Damaged))?;
        let keys: &[i32] = array.keys().values();
        let resolve = |at: usize, row: usize, _: &mut String| match texts.is_null(at) {
            true => Ok(null),
            false => resolve(texts.value(at), row),
        };
        self.by_table(keys, |key| *key as usize, array, null, out, resolve)
    }

    /// Codes of integers.
    pub fn integers<T: ArrowPrimitiveType>(
        &mut self,
        array: &PrimitiveArray<T>,
        null: C,
        out: &mut Vec<C>,
        mut resolve: impl Resolve<C>,
    ) -> Result<(), At>
    where
        T::Native: Whole,
    {
        let values: &[T::Native] = array.values();
        let from = out.len();
        if self.dictionary.is_none() {
            let base = self.base;
            self.find(values, |v| v.bits().wrapping_sub(base) as usize, array, null, out);
            if !out[from..].iter().fold(false, |any, code| any | (*code == C::UNMET)) {
                return Ok(());
            }
            out.truncate(from);
        }
        // Something new: see how wide the table must be, if there can be one.
        let Some((low, width)) = narrow_range(values) else {
            return self.by_hash(array, Whole::bits, null, out, resolve);
        };
        let room = self.table.len() as u64;
        let start = low.wrapping_sub(self.base);
        if self.dictionary.is_some() || start >= room || start + width > room {
            self.dictionary = None;
            self.table.clear();
            self.table.resize(width as usize, C::UNMET);
            self.base = low;
        }
        let base = self.base;
        let index = |v: &T::Native| v.bits().wrapping_sub(base) as usize;
        self.by_table(values, index, array, null, out, |_, row, text| {
            write(text, values[row]);
            resolve(text, row)
        })
    }

    /// Codes of numbers by hash of their bits.
    pub fn by_hash<T: ArrowPrimitiveType>(
        &mut self,
        array: &PrimitiveArray<T>,
        bits: impl Fn(T::Native) -> u64,
        null: C,
        out: &mut Vec<C>,
        mut resolve: impl Resolve<C>,
    ) -> Result<(), At>
    where
        T::Native: Display,
    {
        out.reserve(array.len());
        let mut last = None;
        for (row, value) in array.iter().enumerate() {
            let Some(value) = value else {
                out.push(null);
                continue;
            };
            let bits = bits(value);
            let code = match last {
                Some((b, code)) if b == bits => code,
                _ => match self.wide.get(&bits) {
                    Some(code) => *code,
                    None => {
                        write(&mut self.text, value);
                        let code = resolve(&self.text, row).map_err(|fault| (row, fault))?;
                        // What is forgotten gets the same code again; memory stays flat.
                        if self.wide.len() >= NARROW {
                            self.wide.clear();
                        }
                        self.wide.insert(bits, code);
                        code
                    }
                },
            };
            last = Some((bits, code));
            out.push(code);
        }
        Ok(())
    }

    /// Codes of true and false.
    pub fn booleans(
        &mut self,
        array: &BooleanArray,
        null: C,
        out: &mut Vec<C>,
        mut resolve: impl Resolve<C>,
    ) -> Result<(), At> {
        if self.table.len() != 2 {
            self.table = vec![C::UNMET; 2];
        }
        // A value is resolved in the first row that holds it, so that levels without rows are not made up.
        for value in [false, true] {
            if self.table[usize::from(value)] == C::UNMET
                && let Some(row) = array.iter().position(|v| v == Some(value))
            {
                let text = if value { "true" } else { "false" };
                self.table[usize::from(value)] = resolve(text, row).map_err(|fault| (row, fault))?;
            }
        }
        let (no, yes) = (self.table[0], self.table[1]);
        match array.nulls().filter(|n| n.null_count() > 0) {
            None => spread(array.values(), no, yes, out),
            Some(_) => out.extend(array.iter().map(|v| v.map_or(null, |v| if v { yes } else { no }))),
        }
        Ok(())
    }

    /// Looks all values up, with no branch on what they are.
    fn find<V>(&self, values: &[V], index: impl Fn(&V) -> usize, array: &dyn Array, null: C, out: &mut Vec<C>) {
        let table = self.table.as_slice();
        let find = |v: &V| table.get(index(v)).copied().unwrap_or(C::UNMET);
        match array.nulls().filter(|n| n.null_count() > 0) {
            None => out.extend(values.iter().map(find)),
            Some(nulls) => out.extend(values.iter().zip(nulls).map(|(v, valid)| if valid { find(v) } else { null })),
        }
    }

    /// Looks all values up, then resolves those not met before.
    fn by_table<V>(
        &mut self,
        values: &[V],
        index: impl Fn(&V) -> usize,
        array: &dyn Array,
        null: C,
        out: &mut Vec<C>,
        mut resolve: impl FnMut(usize, usize, &mut String) -> Result<C, Fault>,
    ) -> Result<(), At> {
        let from = out.len();
        self.find(values, &index, array, null, out);
        if out[from..].iter().fold(false, |any, code| any | (*code == C::UNMET)) {
            for (row, value) in values.iter().enumerate() {
                if out[from + row] != C::UNMET {
                    continue;
                }
                let at = index(value);
                let known = self.table.get_mut(at).ok_or((row, Fault::Damaged))?;
                if *known == C::UNMET {
                    *known = resolve(at, row, &mut self.text).map_err(|fault| (row, fault))?;
                }
                out[from + row] = *known;
            }
        }
        Ok(())
    }
}

/// Writes one code for each bit: eight at a time by a table of all bytes.
fn spread<C: Code>(bits: &BooleanBuffer, no: C, yes: C, out: &mut Vec<C>) {
    let pick = |bit: bool| if bit { yes } else { no };
    let bytes: [[C; 8]; 256] = std::array::from_fn(|byte| std::array::from_fn(|at| pick(byte >> at & 1 == 1)));
    let chunks = bits.bit_chunks();
    out.reserve(bits.len());
    for chunk in chunks.iter() {
        for byte in chunk.to_le_bytes() {
            out.extend_from_slice(&bytes[usize::from(byte)]);
        }
    }
    let rest = chunks.remainder_bits();
    out.extend((0..chunks.remainder_len()).map(|at| pick(rest >> at & 1 == 1)));
}

fn write(text: &mut String, value: impl Display) {
    text.clear();
    // Writing to a string cannot fail.
    let _ = write!(text, "{value}");
}

/// The least of some integers and how many from there to the most, if these are few.
fn narrow_range<T: Whole>(values: &[T]) -> Option<(u64, u64)> {
    let (low, high) = (values.iter().min()?.bits(), values.iter().max()?.bits());
    let distance = high.wrapping_sub(low);
    (distance < NARROW as u64).then_some((low, distance + 1))
}
