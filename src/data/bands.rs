//! Numbers cut into bands: `<=25,26-40,>40`, or quantiles.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Categorical;
use crate::error::{Error, Place, Result};

/// How a numeric column becomes levels.
///
/// Written as a list of bands, `<=25,26-40,>40` (also `<`, `>=`; `a-b` holds both its ends), or as
/// `quantiles:4`, which cuts at the quantiles of the column into bands of about equal size.
///
/// # Examples
/// ```
/// use evenhand::data::{Bands, Categorical};
/// let bands: Bands = "<=25,26-40,>40".parse()?;
/// let age = Categorical::from_numbers("age", &[19.0, 40.0, 71.0, f64::NAN], &bands)?;
/// assert_eq!(age.levels(), ["<=25", "26-40", ">40"]);
/// assert_eq!(age.codes().get(1), Some(1));
/// assert_eq!(age.codes().get(3), None); // NaN is missing
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Bands {
    /// Named ranges.
    Ranges(Vec<Range>),
    /// So many bands of about equal size.
    Quantiles(usize),
}

/// One band: the numbers between two ends, each of which belongs to it or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    label: String,
    low: f64,
    low_in: bool,
    high: f64,
    high_in: bool,
}

/// Its parts, for who writes bands in another language.
#[cfg(any(feature = "csv", feature = "parquet"))]
impl Range {
    /// Its name.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// Its lower end, if it has one, and whether that belongs to it.
    pub(crate) fn low(&self) -> Option<(f64, bool)> {
        self.low.is_finite().then_some((self.low, self.low_in))
    }

    /// Its upper end.
    pub(crate) fn high(&self) -> Option<(f64, bool)> {
        self.high.is_finite().then_some((self.high, self.high_in))
    }
}

impl Range {
    fn contains(&self, v: f64) -> bool {
        (v > self.low || (self.low_in && v == self.low)) && (v < self.high || (self.high_in && v == self.high))
    }
}

impl FromStr for Range {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.trim();
        let number = |t: &str| t.trim().parse::<f64>().ok().filter(|v| v.is_finite()).ok_or(());
        let open = |low, low_in, high, high_in| Range { label: text.to_string(), low, low_in, high, high_in };
        let infinity = f64::INFINITY;
        Ok(if let Some(t) = text.strip_prefix("<=") {
            open(-infinity, true, number(t)?, true)
        } else if let Some(t) = text.strip_prefix(">=") {
            open(number(t)?, true, infinity, true)
        } else if let Some(t) = text.strip_prefix('<') {
            open(-infinity, true, number(t)?, false)
        } else if let Some(t) = text.strip_prefix('>') {
            open(number(t)?, false, infinity, true)
        } else {
            // The dash after the first character: the first may be a minus sign.
            let dash = text.char_indices().skip(1).find(|(_, c)| *c == '-').ok_or(())?.0;
            let (low, high) = (number(&text[..dash])?, number(&text[dash + 1..])?);
            if low > high {
                return Err(());
            }
            open(low, true, high, true)
        })
    }
}

impl FromStr for Bands {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |expected: &str| Error::setting("the list of bands", format!("`{text}`"), expected);
        if let Some(count) = text.trim().strip_prefix("quantiles:") {
            return match count.trim().parse() {
                Ok(n) if (2..=1000).contains(&n) => Ok(Bands::Quantiles(n)),
                _ => Err(wrong("a number of bands from 2 to 1000 behind `quantiles:`")),
            };
        }
        let ranges = text
            .split(',')
            .map(str::parse)
            .collect::<Result<Vec<Range>, ()>>()
            .map_err(|()| wrong("bands such as `<=25,26-40,>40`, or `quantiles:4`"))?;
        for pair in ranges.windows(2) {
            let (a, b) = (&pair[0], &pair[1]);
            if a.high > b.low || (a.high == b.low && a.high_in && b.low_in) || a.high.is_infinite() {
                return Err(wrong("bands in rising order that do not overlap"));
            }
        }
        Ok(Bands::Ranges(ranges))
    }
}

impl TryFrom<String> for Bands {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Bands> for String {
    fn from(bands: Bands) -> Self {
        bands.to_string()
    }
}

impl fmt::Display for Bands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bands::Ranges(ranges) => {
                let labels: Vec<&str> = ranges.iter().map(|r| r.label.as_str()).collect();
                f.write_str(&labels.join(","))
            }
            Bands::Quantiles(n) => write!(f, "quantiles:{n}"),
        }
    }
}

impl Bands {
    /// The bands with their ends known: quantiles are looked up in the finite numbers given (their
    /// order does not matter), ranges are themselves.
    pub(crate) fn resolve(&self, numbers: impl FnOnce() -> Result<Vec<f64>>) -> Result<Cuts> {
        match self {
            Bands::Ranges(ranges) => Ok(Cuts { ranges: ranges.clone() }),
            Bands::Quantiles(count) => {
                let mut numbers = numbers()?;
                numbers.retain(|v| v.is_finite());
                numbers.sort_unstable_by(f64::total_cmp);
                Ok(Cuts { ranges: quantile_ranges(&numbers, *count) })
            }
        }
    }
}

/// Right-closed bands between the distinct quantiles of sorted numbers.
fn quantile_ranges(sorted: &[f64], count: usize) -> Vec<Range> {
    let (Some(&least), Some(&most)) = (sorted.first(), sorted.last()) else { return Vec::new() };
    let mut ends: Vec<f64> = (1..count).map(|i| sorted[(i * sorted.len()).div_ceil(count).saturating_sub(1)]).collect();
    ends.push(most);
    ends.dedup();
    let mut ranges = Vec::with_capacity(ends.len());
    let mut low = least;
    for (i, &high) in ends.iter().enumerate() {
        let first = i == 0;
        let label = if first { format!("{low} to {high}") } else { format!("over {low} to {high}") };
        ranges.push(Range { label, low, low_in: first, high, high_in: true });
        low = high;
    }
    ranges
}

/// Bands whose ends are known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cuts {
    ranges: Vec<Range>,
}

impl Cuts {
    pub(crate) fn labels(&self) -> Vec<String> {
        self.ranges.iter().map(|r| r.label.clone()).collect()
    }

    /// The band of a number; the ranges rise, so it is found by bisection.
    pub(crate) fn band(&self, v: f64) -> Option<usize> {
        let at = self.ranges.partition_point(|r| r.high < v || (r.high == v && !r.high_in));
        self.ranges.get(at).filter(|r| r.contains(v)).map(|_| at)
    }

    /// The error for a number in no band.
    pub(crate) fn outside(&self, column: &str, value: f64, place: Place) -> Error {
        Error::OutsideBands { column: column.into(), value, bands: format!("`{}`", self.labels().join(",")), place }
    }
}

impl Categorical<'_> {
    /// Cuts one number a row into bands; NaN is missing.
    ///
    /// # Errors
    /// [`Error::OutsideBands`] with the row, for a number that falls in none of the bands.
    pub fn from_numbers(name: impl Into<String>, values: &[f64], bands: &Bands) -> Result<Self> {
        let name = name.into();
        let cuts = bands.resolve(|| Ok(values.to_vec()))?;
        let codes = values
            .iter()
            .enumerate()
            .map(|(row, &v)| match cuts.band(v) {
                Some(band) => Ok(band as u32),
                None if v.is_nan() => Ok(u32::MAX),
                None => Err(cuts.outside(&name, v, Place::row(row))),
            })
            .collect::<Result<Vec<u32>>>()?;
        Ok(Categorical::from_codes(name, cuts.labels(), codes)?.ordered())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_belong_where_they_are_said_to() {
        let cuts = "<0,0-10,>10".parse::<Bands>().unwrap().resolve(|| unreachable!()).unwrap();
        assert_eq!([-1.0, 0.0, 10.0, 10.5].map(|v| cuts.band(v)), [Some(0), Some(1), Some(1), Some(2)]);
        let cuts = "-10--5,5-7".parse::<Bands>().unwrap().resolve(|| unreachable!()).unwrap();
        assert_eq!([-10.0, -5.0, 0.0, 7.0].map(|v| cuts.band(v)), [Some(0), Some(0), None, Some(1)]);
    }

    #[test]
    fn a_gap_is_an_error_that_names_value_row_and_bands() {
        let error = Categorical::from_numbers("age", &[20.0, 25.5], &"<=25,26-40".parse().unwrap()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("25.5") && text.contains("row 2") && text.contains("<=25,26-40"), "{text}");
    }

    #[test]
    fn overlaps_and_nonsense_are_refused() {
        for bad in ["1-5,3-8", ">3,<2", "5-1", "abc", "", "quantiles:1", "quantiles:x", "<=nan"] {
            assert!(bad.parse::<Bands>().is_err(), "{bad}");
        }
    }

    #[test]
    fn quantiles_cut_into_equal_parts_and_survive_ties() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        let age = Categorical::from_numbers("a", &values, &Bands::Quantiles(4)).unwrap();
        let mut counts = [0; 4];
        (0..100).for_each(|r| counts[age.codes().get(r).unwrap()] += 1);
        assert_eq!(counts, [25; 4]);
        let tied = Categorical::from_numbers("a", &[3.0; 9], &Bands::Quantiles(4)).unwrap();
        assert_eq!(tied.levels(), ["3 to 3"]);
        let none = Categorical::from_numbers("a", &[f64::NAN], &Bands::Quantiles(4)).unwrap();
        assert_eq!(none.codes().get(0), None);
    }
}
