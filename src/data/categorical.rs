//! Columns of levels: attributes and strata.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::error::{Error, Place, Result};

/// The codes of a categorical column, one a row, in the narrowest type that holds them.
///
/// A code is the index of a level; the largest value of the type (`u8::MAX`, ...) stands for missing.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Codes<'a> {
    /// Up to 255 levels.
    U8(Cow<'a, [u8]>),
    /// Up to 65,535 levels.
    U16(Cow<'a, [u16]>),
    /// More.
    U32(Cow<'a, [u32]>),
}

impl Codes<'_> {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Codes::U8(c) => c.len(),
            Codes::U16(c) => c.len(),
            Codes::U32(c) => c.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The code of a row, or `None` where it is missing or the row does not exist.
    pub fn get(&self, row: usize) -> Option<usize> {
        match self {
            Codes::U8(c) => c.get(row).filter(|c| **c != u8::MAX).map(|c| usize::from(*c)),
            Codes::U16(c) => c.get(row).filter(|c| **c != u16::MAX).map(|c| usize::from(*c)),
            Codes::U32(c) => c.get(row).filter(|c| **c != u32::MAX).map(|c| *c as usize),
        }
    }

    /// Whether a row is missing; or the first row whose code has no level, with that code.
    fn scan(&self, levels: usize) -> std::result::Result<bool, (usize, u64)> {
        // Adding one sends missing to zero, so that the largest and the least tell all. Those of a chunk are found in the
        // codes' own type, which the compiler vectorises; the search runs only where something is wrong.
        macro_rules! scan {
            ($codes:expr) => {{
                let mut gaps = false;
                for (i, chunk) in $codes.chunks(4096).enumerate() {
                    let (least, most) = chunk
                        .iter()
                        .map(|c| c.wrapping_add(1))
                        .fold((1, 0), |(least, most), c| (c.min(least), c.max(most)));
                    gaps |= least == 0;
                    if most as usize > levels
                        && let Some(at) = chunk.iter().position(|c| c.wrapping_add(1) as usize > levels)
                    {
                        return Err((i * 4096 + at, u64::from(chunk[at])));
                    }
                }
                Ok(gaps)
            }};
        }
        match self {
            Codes::U8(c) => scan!(c),
            Codes::U16(c) => scan!(c),
            Codes::U32(c) => scan!(c),
        }
    }
}

impl<'a> From<&'a [u8]> for Codes<'a> {
    fn from(codes: &'a [u8]) -> Self {
        Codes::U8(Cow::Borrowed(codes))
    }
}

impl<'a> From<&'a [u16]> for Codes<'a> {
    fn from(codes: &'a [u16]) -> Self {
        Codes::U16(Cow::Borrowed(codes))
    }
}

impl<'a> From<&'a [u32]> for Codes<'a> {
    fn from(codes: &'a [u32]) -> Self {
        Codes::U32(Cow::Borrowed(codes))
    }
}

impl<'a> From<&'a Vec<u8>> for Codes<'a> {
    fn from(codes: &'a Vec<u8>) -> Self {
        codes.as_slice().into()
    }
}

impl From<Vec<u32>> for Codes<'_> {
    fn from(codes: Vec<u32>) -> Self {
        Codes::U32(Cow::Owned(codes))
    }
}

impl From<Vec<u8>> for Codes<'_> {
    fn from(codes: Vec<u8>) -> Self {
        Codes::U8(Cow::Owned(codes))
    }
}

/// A column that says, for each row, which of its levels holds: a protected attribute or a stratum.
///
/// # Examples
/// ```
/// use evenhand::data::Categorical;
/// let sex = Categorical::from_values("sex", ["female", "male", "female"]);
/// assert_eq!(sex.levels(), ["female", "male"]);
/// assert_eq!(sex.codes().get(1), Some(1));
///
/// let region = Categorical::from_options("region", [Some("north"), None, Some("south")]);
/// assert_eq!(region.codes().get(1), None);
/// ```
#[derive(Debug, Clone)]
pub struct Categorical<'a> {
    name: String,
    levels: Cow<'a, [String]>,
    codes: Codes<'a>,
    ordered: bool,
    /// Whether a row may be missing: false only where it is known that none is.
    gaps: bool,
}

impl<'a> Categorical<'a> {
    /// From one text a row. Every text is a level, the empty one too; see
    /// [`from_options`](Self::from_options) for missing values. Levels are sorted.
    pub fn from_values<S: AsRef<str>>(name: impl Into<String>, values: impl IntoIterator<Item = S>) -> Self {
        Self::from_options(name, values.into_iter().map(Some))
    }

    /// From one optional text a row, `None` where the value is missing. Levels are sorted.
    pub fn from_options<S: AsRef<str>>(name: impl Into<String>, values: impl IntoIterator<Item = Option<S>>) -> Self {
        let mut known: HashMap<String, u32> = HashMap::new();
        let mut levels: Vec<String> = Vec::new();
        let mut codes: Vec<u32> = Vec::new();
        for value in values {
            let Some(value) = value else {
                codes.push(u32::MAX);
                continue;
            };
            let text = value.as_ref();
            let code = match known.get(text) {
                Some(code) => *code,
                None => {
                    let code = levels.len() as u32;
                    known.insert(text.to_string(), code);
                    levels.push(text.to_string());
                    code
                }
            };
            codes.push(code);
        }
        let (order, rank) = sorted_order(&levels);
        let mut gaps = false;
        for code in &mut codes {
            match rank.get(*code as usize) {
                Some(rank) => *code = *rank,
                None => gaps = true,
            }
        }
        let levels: Vec<String> = order.iter().map(|i| std::mem::take(&mut levels[*i])).collect();
        let codes = if levels.len() < usize::from(u8::MAX) {
            // u32::MAX truncates to u8::MAX: missing stays missing.
            Codes::U8(codes.iter().map(|c| *c as u8).collect())
        } else {
            Codes::U32(codes.into())
        };
        Categorical { name: name.into(), levels: levels.into(), codes, ordered: false, gaps }
    }

    /// From one value a row of any kind that can be told apart and shown: integers, `bool`, `char`, an enum.
    ///
    /// # Examples
    /// ```
    /// use evenhand::data::Categorical;
    /// let senior = Categorical::from_keys("senior", [false, true, false]);
    /// assert_eq!(senior.levels(), ["false", "true"]);
    /// ```
    pub fn from_keys<K>(name: impl Into<String>, keys: impl IntoIterator<Item = K>) -> Self
    where
        K: std::hash::Hash + Eq + std::fmt::Display,
    {
        let mut texts: HashMap<K, std::rc::Rc<str>> = HashMap::new();
        let text = |key: K| match texts.entry(key) {
            std::collections::hash_map::Entry::Occupied(known) => known.get().clone(),
            std::collections::hash_map::Entry::Vacant(new) => {
                let text: std::rc::Rc<str> = new.key().to_string().into();
                new.insert(text).clone()
            }
        };
        let texts: Vec<std::rc::Rc<str>> = keys.into_iter().map(text).collect();
        Self::from_values(name, texts)
    }

    /// From codes and the levels they index.
    ///
    /// # Errors
    /// [`Error::Duplicate`] if a level stands twice, [`Error::BadCode`] with the row if a code has no level.
    ///
    /// # Examples
    /// ```
    /// use evenhand::data::Categorical;
    /// let codes: &[u8] = &[0, 1, u8::MAX, 1];
    /// let sex = Categorical::from_codes("sex", ["female", "male"], codes)?;
    /// assert_eq!(sex.codes().get(2), None);
    /// assert!(Categorical::from_codes("sex", ["female"], codes).is_err());
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn from_codes<S: Into<String>>(
        name: impl Into<String>,
        levels: impl IntoIterator<Item = S>,
        codes: impl Into<Codes<'a>>,
    ) -> Result<Self> {
        let levels: Vec<String> = levels.into_iter().map(Into::into).collect();
        Self::checked(name.into(), levels.into(), codes.into())
    }

    /// From parts that a reader has made itself and so need no check: it makes one a chunk.
    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn trusted(name: &str, levels: &'a [String], codes: Codes<'a>, ordered: bool) -> Self {
        let gaps = codes.scan(levels.len()).unwrap_or(true);
        Categorical { name: name.into(), levels: Cow::Borrowed(levels), codes, ordered, gaps }
    }

    /// The same column, borrowed.
    pub(crate) fn borrowed(&self) -> Categorical<'_> {
        let codes = match &self.codes {
            Codes::U8(c) => Codes::U8(Cow::Borrowed(c)),
            Codes::U16(c) => Codes::U16(Cow::Borrowed(c)),
            Codes::U32(c) => Codes::U32(Cow::Borrowed(c)),
        };
        let levels = Cow::Borrowed(&*self.levels);
        Categorical { name: self.name.clone(), levels, codes, ordered: self.ordered, gaps: self.gaps }
    }

    /// The same column under another name, its levels in no order of their own.
    pub(crate) fn as_axis(&self, name: &str) -> Categorical<'_> {
        Categorical { name: name.into(), ordered: false, ..self.borrowed() }
    }

    /// The same levels with other codes, which must be theirs.
    pub(crate) fn with_codes<'b>(&self, codes: Codes<'b>) -> Categorical<'b>
    where
        'a: 'b,
    {
        Categorical { name: self.name.clone(), levels: self.levels.clone(), codes, ordered: self.ordered, gaps: true }
    }

    /// The same levels, owned, with other codes, which must be theirs.
    pub(crate) fn owned_with(&self, codes: Codes<'static>) -> Categorical<'static> {
        let levels = Cow::Owned(self.levels.to_vec());
        Categorical { name: self.name.clone(), levels, codes, ordered: self.ordered, gaps: true }
    }

    fn checked(name: String, levels: Cow<'a, [String]>, codes: Codes<'a>) -> Result<Self> {
        let mut seen = std::collections::HashSet::with_capacity(levels.len());
        if let Some(twice) = levels.iter().find(|l| !seen.insert(l.as_str())) {
            return Err(Error::Duplicate { name: format!("{name} = {twice}") });
        }
        match codes.scan(levels.len()) {
            Ok(gaps) => Ok(Categorical { name, levels, codes, ordered: false, gaps }),
            Err((row, code)) => {
                Err(Error::BadCode { column: name, code, levels: levels.len(), place: Place::row(row) })
            }
        }
    }

    /// Says that the levels have an order of their own (age bands, tiers): they are kept as given
    /// wherever they are shown, instead of being sorted by name.
    #[must_use]
    pub fn ordered(mut self) -> Self {
        self.ordered = true;
        self
    }

    /// The column's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The levels, in the order of their codes.
    pub fn levels(&self) -> &[String] {
        &self.levels
    }

    /// One code a row.
    pub fn codes(&self) -> &Codes<'a> {
        &self.codes
    }

    /// Whether a row may be missing: false only where it is known that none is.
    pub(crate) fn may_have_gaps(&self) -> bool {
        self.gaps
    }

    /// Whether the levels have an order of their own.
    pub fn is_ordered(&self) -> bool {
        self.ordered
    }
}

/// The sorted order of some levels, and the rank of each. Numbers sort by value, before text.
pub(crate) fn sorted_order(levels: &[String]) -> (Vec<usize>, Vec<u32>) {
    let number = |text: &str| text.parse::<f64>().ok().filter(|v| v.is_finite());
    let mut order: Vec<usize> = (0..levels.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (&levels[*a], &levels[*b]);
        match (number(a), number(b)) {
            (Some(x), Some(y)) => x.total_cmp(&y).then_with(|| a.cmp(b)),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (None, None) => a.cmp(b),
        }
    });
    let mut rank = vec![0; order.len()];
    for (place, at) in order.iter().enumerate() {
        rank[*at] = place as u32;
    }
    (order, rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_sorted_numbers_by_value() {
        let column = Categorical::from_values("n", ["10", "9", "b", "a", "9"]);
        assert_eq!(column.levels(), ["9", "10", "a", "b"]);
        assert_eq!((0..5).map(|r| column.codes().get(r).unwrap()).collect::<Vec<_>>(), [1, 0, 3, 2, 0]);
    }

    #[test]
    fn many_levels_keep_their_rows() {
        let values: Vec<String> = (0..10_000).map(|i| format!("l{i}")).collect();
        let column = Categorical::from_options("x", values.iter().map(Some).chain([None]));
        assert_eq!(column.levels().len(), 10_000);
        for row in [0, 17, 9_999] {
            assert_eq!(column.levels()[column.codes().get(row).unwrap()], values[row]);
        }
        assert_eq!(column.codes().get(10_000), None);
    }

    #[test]
    fn a_code_without_level_names_its_row() {
        let mut codes = vec![0u8; 5000];
        codes[4999] = 7;
        match Categorical::from_codes("sex", ["f", "m"], &codes) {
            Err(Error::BadCode { code: 7, place, .. }) => assert_eq!(place.row, Some(5000)),
            other => panic!("{other:?}"),
        }
    }
}
