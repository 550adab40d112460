//! Columns of two values and unknown: labels and decisions.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ndarray::ArrayView1;

use crate::error::{Error, Place, Result};

/// The code of an unfavourable value.
pub const NEGATIVE: u8 = 0;
/// The code of a favourable value.
pub const POSITIVE: u8 = 1;
/// The code of an unknown value.
pub const UNKNOWN: u8 = 2;

/// A label or a decision: for each row favourable, unfavourable or unknown.
///
/// It is made from what a pipeline has: `&[bool]`, `&[u8]` of 0, 1 and 2 (unknown; borrowed, not
/// copied), `&[Option<bool>]`, `&[f64]` of 0.0, 1.0 and NaN (unknown), views of `ndarray`, bits by
/// [`Binary::from_bits`], or text by [`Binary::from_text`].
///
/// # Examples
/// ```
/// use evenhand::data::Binary;
/// let clicked = Binary::from_text("clicked", ["yes", "no", ""], &[])?;
/// assert_eq!(clicked.codes(), [1, 0, 2]);
///
/// // Which of two texts is favourable is never guessed.
/// assert!(Binary::from_text("outcome", ["good", "bad"], &[]).is_err());
/// let outcome = Binary::from_text("outcome", ["good", "bad"], &["good"])?;
/// assert_eq!(outcome.codes(), [1, 0]);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Binary<'a> {
    codes: Cow<'a, [u8]>,
    /// Whether a row may be unknown: false only where it is known that none is.
    gaps: bool,
}

impl<'a> Binary<'a> {
    /// From one text a row. `favorable` lists the favourable values, every other one being
    /// unfavourable; it may be empty where the values are one of the plain pairs 0/1, false/true, no/yes,
    /// n/y, f/t. Empty text and `NA`, `NaN`, `null` are unknown.
    ///
    /// # Errors
    /// [`Error::NotBinary`] with the values and the first row at fault, [`Error::FavorableAbsent`].
    pub fn from_text<S: AsRef<str>>(
        name: &str,
        values: impl IntoIterator<Item = S>,
        favorable: &[&str],
    ) -> Result<Self> {
        let favorable = favorable.iter().map(|f| (*f).to_string()).collect();
        let missing = default_missing();
        let mut reader = BinaryReader::new(name, favorable, missing);
        let codes =
            values.into_iter().enumerate().map(|(row, v)| reader.code(v.as_ref(), row as u64)).collect::<Vec<u8>>();
        reader.check(|row| Place { file: None, row: Some(row + 1) })?;
        reader.finish()?;
        Ok(Self::unchecked(codes.into()))
    }

    /// From one bit a row, 1 favourable: row 0 is the lowest bit of the first byte, as Arrow packs booleans and NumPy does
    /// with `bitorder="little"`. No row is unknown. Bits behind the last row are not looked at.
    ///
    /// # Errors
    /// [`Error::UnequalLengths`] unless there are `rows / 8` bytes, rounded up.
    ///
    /// # Examples
    /// ```
    /// use evenhand::data::Binary;
    /// let clicked = Binary::from_bits("clicked", &[0b0000_0101, 0b11], 10)?;
    /// assert_eq!(clicked.codes(), [1, 0, 1, 0, 0, 0, 0, 0, 1, 1]);
    /// assert!(Binary::from_bits("clicked", &[0b0000_0101], 10).is_err());
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn from_bits(name: &str, bits: &[u8], rows: usize) -> Result<Self> {
        if bits.len() != rows.div_ceil(8) {
            return Err(Error::UnequalLengths { column: name.into(), rows: 8 * bits.len(), expected: rows });
        }
        let mut codes = Vec::with_capacity(8 * bits.len());
        for byte in bits {
            // Byte j keeps bit j alone; 127 more reaches the top bit where there is one, and never the next byte.
            let apart = (u64::from(*byte) * 0x0101_0101_0101_0101) & 0x8040_2010_0804_0201;
            let one_each = ((apart + 0x7f7f_7f7f_7f7f_7f7f) >> 7) & 0x0101_0101_0101_0101;
            codes.extend_from_slice(&one_each.to_le_bytes());
        }
        codes.truncate(rows);
        Ok(Binary { codes: codes.into(), gaps: false })
    }

    fn unchecked(codes: Cow<'a, [u8]>) -> Self {
        Binary { codes, gaps: true }
    }

    /// The same column, borrowed.
    pub(crate) fn borrowed(&self) -> Binary<'_> {
        Binary { codes: Cow::Borrowed(&self.codes), gaps: self.gaps }
    }

    /// Whether a row may be unknown: false only where it is known that none is.
    pub(crate) fn may_have_gaps(&self) -> bool {
        self.gaps
    }

    /// One code a row: 0 unfavourable, 1 favourable, 2 unknown.
    pub fn codes(&self) -> &[u8] {
        &self.codes
    }

    /// Checks that every code is one; answers whether one is unknown.
    pub(crate) fn check(&self, name: &str) -> Result<bool> {
        let bad = |c: &u8| *c > UNKNOWN;
        let mut gaps = false;
        for (i, chunk) in self.codes.chunks(4096).enumerate() {
            let most = chunk.iter().fold(0, |most, c| most.max(*c));
            gaps |= most == UNKNOWN;
            if most > UNKNOWN {
                let at = chunk.iter().position(bad).unwrap_or(0);
                return Err(Error::BadNumber {
                    column: name.into(),
                    value: chunk[at].to_string(),
                    place: Place::row(i * 4096 + at),
                    expected: "0 (unfavourable), 1 (favourable) or 2 (unknown)",
                });
            }
        }
        Ok(gaps)
    }

    /// The same, noting the answer.
    pub(crate) fn settle(&mut self, name: &str) -> Result<()> {
        self.gaps = self.check(name)?;
        Ok(())
    }
}

impl<'a> From<&'a [u8]> for Binary<'a> {
    fn from(codes: &'a [u8]) -> Self {
        Binary::unchecked(Cow::Borrowed(codes))
    }
}

impl<'a> From<&'a Vec<u8>> for Binary<'a> {
    fn from(codes: &'a Vec<u8>) -> Self {
        codes.as_slice().into()
    }
}

impl From<Vec<u8>> for Binary<'_> {
    fn from(codes: Vec<u8>) -> Self {
        Binary::unchecked(codes.into())
    }
}

impl<const N: usize> From<[u8; N]> for Binary<'_> {
    fn from(codes: [u8; N]) -> Self {
        codes.to_vec().into()
    }
}

impl From<&[bool]> for Binary<'_> {
    fn from(values: &[bool]) -> Self {
        Binary::unchecked(values.iter().map(|v| u8::from(*v)).collect())
    }
}

impl From<&Vec<bool>> for Binary<'_> {
    fn from(values: &Vec<bool>) -> Self {
        values.as_slice().into()
    }
}

impl From<&[Option<bool>]> for Binary<'_> {
    fn from(values: &[Option<bool>]) -> Self {
        Binary::unchecked(values.iter().map(|v| v.map_or(UNKNOWN, u8::from)).collect())
    }
}

/// 0.0 and 1.0 are themselves, NaN is unknown; anything else fails when the batch is built.
impl From<&[f64]> for Binary<'_> {
    fn from(values: &[f64]) -> Self {
        let code = |v: &f64| match *v {
            0.0 => NEGATIVE,
            1.0 => POSITIVE,
            v if v.is_nan() => UNKNOWN,
            _ => u8::MAX,
        };
        Binary::unchecked(values.iter().map(code).collect())
    }
}

impl From<ArrayView1<'_, bool>> for Binary<'_> {
    fn from(values: ArrayView1<'_, bool>) -> Self {
        Binary::unchecked(values.iter().map(|v| u8::from(*v)).collect())
    }
}

impl<'a> From<ArrayView1<'a, u8>> for Binary<'a> {
    fn from(values: ArrayView1<'a, u8>) -> Self {
        match values.to_slice() {
            Some(slice) => slice.into(),
            None => Binary::unchecked(values.iter().copied().collect()),
        }
    }
}

impl From<ArrayView1<'_, usize>> for Binary<'_> {
    fn from(values: ArrayView1<'_, usize>) -> Self {
        Binary::unchecked(values.iter().map(|v| u8::try_from(*v).unwrap_or(u8::MAX)).collect())
    }
}

impl From<ArrayView1<'_, f64>> for Binary<'_> {
    fn from(values: ArrayView1<'_, f64>) -> Self {
        values.to_vec().as_slice().into()
    }
}

/// The texts that mean missing where nothing else is said.
pub fn default_missing() -> Vec<String> {
    ["", "NA", "N/A", "NaN", "nan", "null", "NULL"].map(String::from).to_vec()
}

/// The pairs of texts that are plain without being told, unfavourable first.
pub(crate) const PAIRS: [[&str; 2]; 6] =
    [["0", "1"], ["0.0", "1.0"], ["false", "true"], ["no", "yes"], ["n", "y"], ["f", "t"]];

/// How many distinct values a message needs before reading may stop.
const ENOUGH: usize = 20;

/// Turns the texts of a binary column into codes, value by value, and remembers what it saw.
#[derive(Debug, Clone)]
pub(crate) struct BinaryReader {
    name: String,
    favorable: Vec<String>,
    missing: Vec<String>,
    /// What each text means, with the first row it stood in.
    seen: BTreeMap<String, (u8, u64)>,
    pair: Option<usize>,
    /// The first row whose value does not fit the ones before it.
    misfit: Option<u64>,
}

impl BinaryReader {
    pub(crate) fn new(name: &str, favorable: Vec<String>, missing: Vec<String>) -> Self {
        BinaryReader { name: name.into(), favorable, missing, seen: BTreeMap::new(), pair: None, misfit: None }
    }

    /// The code of one text. A text that does not fit is noted; ask [`check`](Self::check) once a chunk.
    pub(crate) fn code(&mut self, text: &str, row: u64) -> u8 {
        if let Some((code, _)) = self.seen.get(text) {
            return *code;
        }
        let trimmed = text.trim();
        if self.missing.iter().any(|m| m == trimmed) {
            return UNKNOWN;
        }
        let code = self.classify(trimmed, row);
        if self.seen.len() < ENOUGH || code == POSITIVE {
            self.seen.insert(text.to_string(), (code, row));
        }
        code
    }

    fn classify(&mut self, text: &str, row: u64) -> u8 {
        if !self.favorable.is_empty() {
            return u8::from(self.favorable.iter().any(|f| f == text));
        }
        let lower = text.to_lowercase();
        let found =
            PAIRS.iter().enumerate().find_map(|(p, pair)| pair.iter().position(|v| *v == lower).map(|c| (p, c)));
        match found {
            // The first two pairs are both numbers and may mix.
            Some((pair, code)) if self.pair.is_none_or(|p| p == pair || p.max(pair) < 2) => {
                self.pair = Some(pair);
                code as u8
            }
            _ => {
                self.misfit.get_or_insert(row);
                UNKNOWN
            }
        }
    }

    /// Fails if a value did not fit; `place` turns the first such row into a place.
    pub(crate) fn check(&self, place: impl Fn(u64) -> Place) -> Result<()> {
        match self.misfit {
            Some(row) => Err(Error::NotBinary {
                column: self.name.clone(),
                values: self.seen.keys().cloned().collect(),
                place: place(row),
            }),
            None => Ok(()),
        }
    }

    /// Adds what another reader of the same column saw, in the order of its rows, counted from `start`; then ask
    /// [`check`](Self::check) again, for what does not fit together.
    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn absorb(&mut self, other: &BinaryReader, start: u64) {
        let mut seen: Vec<(u64, &String)> = other.seen.iter().map(|(text, (_, row))| (*row, text)).collect();
        seen.sort_unstable();
        for (row, text) in seen {
            self.code(text, start + row);
        }
    }

    /// Whether there was a value that does not fit in a row before this one.
    #[cfg(feature = "csv")]
    pub(crate) fn has_misfit_before(&self, row: u64) -> bool {
        self.misfit.is_some_and(|misfit| misfit < row)
    }

    /// The texts seen, missing ones apart.
    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn values(&self) -> impl Iterator<Item = &str> {
        self.seen.keys().map(String::as_str)
    }

    /// At the end of the column: was the favourable value there at all? One other value alone may
    /// be a batch in which nobody was favoured; two or more without it are a slip of the pen.
    pub(crate) fn finish(&self) -> Result<()> {
        let absent = !self.favorable.is_empty() && self.seen.len() > 1 && !self.seen.values().any(|s| s.0 == POSITIVE);
        if absent {
            return Err(Error::FavorableAbsent {
                column: self.name.clone(),
                favorable: self.favorable.clone(),
                values: self.seen.keys().cloned().collect(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_pairs_need_no_telling() {
        for (no, yes) in [("0", "1"), ("False", "TRUE"), ("no", "Yes"), ("N", "y"), ("0.0", "1")] {
            assert_eq!(Binary::from_text("d", [no, yes, "", yes], &[]).unwrap().codes(), [0, 1, 2, 1]);
        }
    }

    #[test]
    fn every_byte_of_bits_is_eight_rows() {
        let bytes: Vec<u8> = (0..=255).collect();
        for rows in [0, 1, 7, 8, 9, 2041, 2047, 2048] {
            let packed = &bytes[..usize::div_ceil(rows, 8)];
            let plain: Vec<u8> = (0..rows).map(|row| packed[row / 8] >> (row % 8) & 1).collect();
            let unpacked = Binary::from_bits("d", packed, rows).unwrap();
            assert_eq!(unpacked.codes(), plain);
            assert!(!unpacked.may_have_gaps());
        }
        for (bytes, rows) in [(1, 0), (0, 1), (1, 9), (2, 8)] {
            let error = Binary::from_bits("d", &vec![255; bytes], rows).unwrap_err().to_string();
            assert!(error.contains("`d`"), "{error}");
        }
    }

    #[test]
    fn labels_one_and_two_are_refused_with_their_values_and_row() {
        match Binary::from_text("d", ["1", "2", "1"], &[]) {
            Err(Error::NotBinary { values, place, .. }) => {
                assert_eq!(values, ["1", "2"]);
                assert_eq!(place.row, Some(2));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(Binary::from_text("d", ["1", "2"], &["2"]).unwrap().codes(), [0, 1]);
    }

    #[test]
    fn mixed_pairs_are_refused() {
        assert!(Binary::from_text("d", ["yes", "0"], &[]).is_err());
    }

    #[test]
    fn an_absent_favourable_value_is_a_slip() {
        assert!(matches!(Binary::from_text("d", ["a", "b"], &["A"]), Err(Error::FavorableAbsent { .. })));
        assert_eq!(Binary::from_text("d", ["a", "a"], &["b"]).unwrap().codes(), [0, 0]);
    }

    #[test]
    fn floats_other_than_zero_and_one_fail_the_check() {
        let values: &[f64] = &[0.0, 1.0, f64::NAN, 0.5];
        let column = Binary::from(values);
        assert_eq!(column.codes()[..3], [0, 1, 2]);
        assert!(column.check("d").is_err());
    }
}
