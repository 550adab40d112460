//! From the values of an Arrow array to codes: each distinct value is turned into text, and that into a
//! code, once.

use std::fmt::{Display, Write};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Int32Type};
use arrow_array::{Array, ArrayRef, BooleanArray, DictionaryArray, PrimitiveArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use rustc_hash::FxHashMap;

use super::indices::{Dictionary, Indices};
use super::intake::Fault;

/// A code as a column holds it.
pub(super) trait Code: Copy + PartialEq {
    /// No code yet.
    const UNMET: Self;

    /// A small one.
    fn of(byte: u8) -> Self;
}

impl Code for u32 {
    const UNMET: Self = super::intern::UNMET;

    #[inline(always)]
    fn of(byte: u8) -> Self {
        byte.into()
    }
}

impl Code for u8 {
    const UNMET: Self = super::codes::MISSING_BYTE - 1;

    #[inline(always)]
    fn of(byte: u8) -> Self {
        byte
    }
}

/// What makes the codes of a column.
pub(super) trait Coder {
    /// What it makes.
    type Code: Code;

    /// The code of no value.
    fn null(&self) -> Self::Code;

    /// The code of a text in a row of those given.
    fn code(&mut self, text: &str, row: usize) -> Result<Self::Code, Fault>;

    /// The same where texts are many and each has likely been met before.
    fn find(&mut self, text: &str, row: usize) -> Result<Self::Code, Fault>;

    /// The code of a number as it is, `None` where it is looked at as a text.
    fn number(&self) -> Option<impl Fn(f64) -> Result<Self::Code, Fault>>;

    /// Adds the codes of numbers where none of them needs a look of its own, and says whether that is so.
    fn numbers(&self, _: &[f64], _: &mut Vec<Self::Code>) -> bool {
        false
    }
}

/// Integers within so wide a range are looked up in a table, others by hash.
const NARROW: usize = 1 << 16;

/// Indices that are bytes have a table of so many places, whatever the dictionary: none of them is outside.
const BYTES: usize = 1 << 8;

/// The codes of the values met so far in one column.
pub(super) struct Lookup<C> {
    /// What the table is for.
    of: TableOf,
    table: Vec<C>,
    /// Where the code of every index to a dictionary is that index, or that with some bits turned: which. That is so where
    /// dictionaries are in the order in which values come, and needs no table.
    turned: Option<u8>,
    /// By bits, for integers of a wide range and floats.
    wide: FxHashMap<u64, C>,
    text: String,
}

/// What a table of codes is indexed by.
enum TableOf {
    Nothing,
    /// Integers less the one given.
    Integers(u64),
    Booleans,
    /// Keys of a dictionary of Arrow's.
    Keys(ArrayRef),
    Indices(Arc<Dictionary>),
}

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
        Lookup {
            of: TableOf::Nothing,
            table: Vec::new(),
            turned: None,
            wide: FxHashMap::default(),
            text: String::new(),
        }
    }

    /// Begins a table.
    fn renew(&mut self, of: TableOf, places: usize) {
        self.table.clear();
        self.table.resize(places, C::UNMET);
        (self.of, self.turned) = (of, None);
    }

    /// Codes of a dictionary of strings: its keys are looked up in a table made once a dictionary.
    pub fn dictionary(
        &mut self,
        array: &DictionaryArray<Int32Type>,
        out: &mut Vec<C>,
        coder: &mut impl Coder<Code = C>,
    ) -> Result<(), At> {
        let values = array.values();
        let same = |known: &ArrayRef| Arc::ptr_eq(known, values) || known.to_data().ptr_eq(&values.to_data());
        if !matches!(&self.of, TableOf::Keys(known) if same(known)) {
            self.renew(TableOf::Keys(values.clone()), values.len());
        }
        let texts = values.as_string_opt::<i32>().ok_or((0, Fault::Damaged))?;
        let keys: &[i32] = array.keys().values();
        let nulls = array.nulls().map(|nulls| (nulls, coder.null()));
        self.by_table(
            keys,
            |key| *key as usize,
            nulls,
            out,
            |at, row, _| match texts.is_null(at) {
                true => Ok(coder.null()),
                false => coder.code(texts.value(at), row),
            },
        )
    }

    /// Codes of indices to a dictionary, looked up in the same way.
    pub fn indices(
        &mut self,
        of: &Arc<Dictionary>,
        indices: Indices,
        out: &mut Vec<C>,
        coder: &mut impl Coder<Code = C>,
    ) -> Result<(), At> {
        if !matches!(&self.of, TableOf::Indices(known) if Arc::ptr_eq(known, of)) {
            let places = match indices {
                Indices::Bytes(_) => BYTES,
                Indices::Wide(_) => of.len() + 1,
            };
            self.renew(TableOf::Indices(of.clone()), places);
        }
        if let (Indices::Bytes(indices), Some(turned)) = (indices, self.turned)
            && usize::from(indices.iter().fold(0, |most, at| most.max(*at))) < of.len()
        {
            out.extend(indices.iter().map(|at| C::of(at ^ turned)));
            return Ok(());
        }
        let resolve = |at: usize, row: usize, _: &mut String| match of.text(at) {
            Some(text) => coder.code(text, row),
            None => Ok(coder.null()),
        };
        let from = out.len();
        match (indices, <&[C; BYTES]>::try_from(self.table.as_slice())) {
            (Indices::Bytes(indices), Ok(table)) => {
                out.extend(indices.iter().map(|at| table[usize::from(*at)]));
                self.meet(indices, |at| usize::from(*at), &mut out[from..], resolve)?;
                self.turned = self.turned.or_else(|| turned(self.table.get(..of.len())?));
                Ok(())
            }
            (Indices::Bytes(indices), Err(_)) => self.by_table(indices, |at| usize::from(*at), None, out, resolve),
            (Indices::Wide(indices), _) => self.by_table(indices, |at| *at as usize, None, out, resolve),
        }
    }

    /// Codes of integers.
    pub fn integers<T: ArrowPrimitiveType>(
        &mut self,
        array: &PrimitiveArray<T>,
        out: &mut Vec<C>,
        coder: &mut impl Coder<Code = C>,
    ) -> Result<(), At>
    where
        T::Native: Whole,
    {
        let values: &[T::Native] = array.values();
        let nulls = array.nulls().map(|nulls| (nulls, coder.null()));
        let from = out.len();
        if let TableOf::Integers(base) = self.of {
            self.find(values, |v| v.bits().wrapping_sub(base) as usize, nulls, out);
            if !has_unmet(&out[from..]) {
                return Ok(());
            }
            out.truncate(from);
        }
        // Something new: see how wide the table must be, if there can be one.
        let Some((low, width)) = narrow_range(values) else {
            return self.by_hash(array, Whole::bits, out, coder);
        };
        let room = self.table.len() as u64;
        let fits = |start: u64| start < room && start + width <= room;
        let base = match self.of {
            TableOf::Integers(base) if fits(low.wrapping_sub(base)) => base,
            _ => {
                self.renew(TableOf::Integers(low), width as usize);
                low
            }
        };
        let index = |v: &T::Native| v.bits().wrapping_sub(base) as usize;
        self.by_table(values, index, nulls, out, |_, row, text| {
            write(text, values[row]);
            coder.code(text, row)
        })
    }

    /// Codes of numbers by hash of their bits.
    pub fn by_hash<T: ArrowPrimitiveType>(
        &mut self,
        array: &PrimitiveArray<T>,
        bits: impl Fn(T::Native) -> u64,
        out: &mut Vec<C>,
        coder: &mut impl Coder<Code = C>,
    ) -> Result<(), At>
    where
        T::Native: Display,
    {
        out.reserve(array.len());
        let mut last = None;
        for (row, value) in array.iter().enumerate() {
            let Some(value) = value else {
                out.push(coder.null());
                continue;
            };
            let bits = bits(value);
            let code = match last {
                Some((b, code)) if b == bits => code,
                _ => match self.wide.get(&bits) {
                    Some(code) => *code,
                    None => {
                        write(&mut self.text, value);
                        let code = coder.code(&self.text, row).map_err(|fault| (row, fault))?;
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
        out: &mut Vec<C>,
        coder: &mut impl Coder<Code = C>,
    ) -> Result<(), At> {
        if !matches!(self.of, TableOf::Booleans) {
            self.renew(TableOf::Booleans, 2);
        }
        // A value is resolved in the first row that holds it, so that levels without rows are not made up.
        for value in [false, true] {
            if self.table[usize::from(value)] == C::UNMET
                && let Some(row) = array.iter().position(|v| v == Some(value))
            {
                let text = if value { "true" } else { "false" };
                self.table[usize::from(value)] = coder.code(text, row).map_err(|fault| (row, fault))?;
            }
        }
        let (no, yes) = (self.table[0], self.table[1]);
        match array.nulls().filter(|n| n.null_count() > 0) {
            None => spread(array.values(), no, yes, out),
            Some(_) => {
                let null = coder.null();
                out.extend(array.iter().map(|v| v.map_or(null, |v| if v { yes } else { no })));
            }
        }
        Ok(())
    }

    /// Looks all values up, with no branch on what they are.
    fn find<V>(&self, values: &[V], index: impl Fn(&V) -> usize, nulls: Option<(&NullBuffer, C)>, out: &mut Vec<C>) {
        let table = self.table.as_slice();
        let find = |v: &V| table.get(index(v)).copied().unwrap_or(C::UNMET);
        match nulls.filter(|(nulls, _)| nulls.null_count() > 0) {
            None => out.extend(values.iter().map(find)),
            Some((nulls, null)) => {
                out.extend(values.iter().zip(nulls).map(|(v, valid)| if valid { find(v) } else { null }));
            }
        }
    }

    /// Looks all values up, then resolves those not met before.
    fn by_table<V>(
        &mut self,
        values: &[V],
        index: impl Fn(&V) -> usize,
        nulls: Option<(&NullBuffer, C)>,
        out: &mut Vec<C>,
        resolve: impl FnMut(usize, usize, &mut String) -> Result<C, Fault>,
    ) -> Result<(), At> {
        let from = out.len();
        self.find(values, &index, nulls, out);
        self.meet(values, index, &mut out[from..], resolve)
    }

    /// Resolves the values that have no code yet.
    fn meet<V>(
        &mut self,
        values: &[V],
        index: impl Fn(&V) -> usize,
        codes: &mut [C],
        mut resolve: impl FnMut(usize, usize, &mut String) -> Result<C, Fault>,
    ) -> Result<(), At> {
        if !has_unmet(codes) {
            return Ok(());
        }
        for (row, (value, code)) in values.iter().zip(codes).enumerate().filter(|(_, (_, code))| **code == C::UNMET) {
            let at = index(value);
            let known = self.table.get_mut(at).ok_or((row, Fault::Damaged))?;
            if *known == C::UNMET {
                *known = resolve(at, row, &mut self.text).map_err(|fault| (row, fault))?;
            }
            *code = *known;
        }
        Ok(())
    }
}

/// Which bits of each index are turned to make its code, if that is so.
fn turned<C: Code>(table: &[C]) -> Option<u8> {
    let first = table.first()?;
    let bits = (0..u8::MAX).find(|bits| C::of(*bits) == *first)?;
    let is = |(at, code): (u8, &C)| *code == C::of(at ^ bits) && *code != C::UNMET;
    (0..=u8::MAX).zip(table).all(is).then_some(bits)
}

fn has_unmet<C: Code>(codes: &[C]) -> bool {
    codes.iter().fold(false, |any, code| any | (*code == C::UNMET))
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
