//! Which rows are looked at: conditions on columns, as a text and as tests of single values.

mod parse;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A condition that rows must satisfy to be counted.
///
/// Comparisons joined by `and`:
///
/// | written | true where |
/// |---|---|
/// | `country = 'DE'`, `country != 'DE'` | the text is, or is not, that text |
/// | `country in ('DE', 'AT')`, `country not in ('DE', 'AT')` | it is one of them, or none |
/// | `age >= 18`, and `=`, `!=`, `<`, `<=`, `>`, `in` of numbers | the number is so |
/// | `day >= '2024-01-31'`, and `<`, `<=`, `>` | the date, or date and time, is so by the order of its text |
/// | `age is missing`, `age is not missing` | there is no value, or there is one (`null` says the same) |
///
/// Texts stand in single quotes, a quote in them doubled; names of columns that are more than letters, digits, `_`, `.` and
/// `-` stand in double quotes. Words may be in capitals. A missing value satisfies nothing but `is missing`, as in SQL. Values
/// are compared as they stand in the file, trimmed, before levels are renamed or cut into bands; a value that cannot be
/// compared, such as a text with a number, is an error wherever it stands.
///
/// # Examples
/// ```
/// use evenhand::data::Filter;
/// let filter: Filter = "country in ('DE','AT') AND age>=18 and consent is not null".parse()?;
/// assert_eq!(filter.to_string(), "country in ('DE', 'AT') and age >= 18 and consent is not missing");
/// assert_eq!(filter.columns().collect::<Vec<_>>(), ["country", "age", "consent"]);
/// assert!("age >= 'old'".parse::<Filter>().is_err());
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Filter {
    conditions: Vec<Condition>,
}

/// What a filter did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filtered {
    /// The condition, as text.
    pub condition: String,
    /// The rows that do not satisfy it; `None` where an engine dropped them and did not count them.
    pub rows_left_out: Option<u64>,
}

/// A test of a column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    pub column: String,
    pub test: Test,
}

/// What a value must be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    Missing,
    Known,
    /// One of these texts, or none of them.
    Texts(Vec<String>, Among),
    /// One of these numbers, or none of them.
    Numbers(Vec<f64>, Among),
    /// On one side of a number.
    Number(Side, f64),
    /// On one side of a day.
    Day(Side, String),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Among {
    One,
    None,
}

/// Which side of a bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Side {
    Below,
    UpTo,
    From,
    Above,
}

impl Side {
    pub fn sign(self) -> &'static str {
        match self {
            Side::Below => "<",
            Side::UpTo => "<=",
            Side::From => ">=",
            Side::Above => ">",
        }
    }

    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub fn holds<T: PartialOrd + ?Sized>(self, value: &T, bound: &T) -> bool {
        match self {
            Side::Below => value < bound,
            Side::UpTo => value <= bound,
            Side::From => value >= bound,
            Side::Above => value > bound,
        }
    }
}

#[cfg(any(feature = "csv", feature = "parquet"))]
impl Among {
    fn holds(self, found: bool) -> bool {
        found == (self == Among::One)
    }
}

/// Whether a text is a day, `2024-01-31`, or begins with one and a time follows.
pub(crate) fn is_dated(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some((day, rest)) = bytes.split_at_checked(10) else { return false };
    let shaped = day.iter().enumerate().all(|(at, byte)| match at {
        4 | 7 => *byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    shaped && matches!(rest.first(), None | Some(b' ' | b'T'))
}

impl Test {
    /// What a value that is not missing must be, to be compared at all.
    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub fn expected(&self) -> &'static str {
        match self {
            Test::Numbers(..) | Test::Number(..) => {
                "a finite number, since it is compared with one (put what it is compared with in quotes to compare texts)"
            }
            Test::Day(..) => {
                "a date such as 2024-01-31, with or without a time behind it, since it is compared with one"
            }
            _ => "a text",
        }
    }

    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub fn is_of_numbers(&self) -> bool {
        matches!(self, Test::Numbers(..) | Test::Number(..))
    }

    /// Whether a number satisfies it.
    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub fn holds_number(&self, value: f64) -> bool {
        match self {
            Test::Numbers(numbers, among) => among.holds(numbers.contains(&value)),
            Test::Number(side, bound) => side.holds(&value, bound),
            _ => false,
        }
    }

    /// Whether a trimmed text that is not missing satisfies it; `None` where it cannot be compared.
    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub fn holds(&self, text: &str) -> Option<bool> {
        match self {
            Test::Missing => Some(false),
            Test::Known => Some(true),
            Test::Texts(texts, among) => Some(among.holds(texts.iter().any(|t| t == text))),
            Test::Numbers(..) | Test::Number(..) => {
                text.parse().ok().filter(|v: &f64| v.is_finite()).map(|v| self.holds_number(v))
            }
            Test::Day(side, day) => is_dated(text).then(|| side.holds(text, day.as_str())),
        }
    }
}

impl Filter {
    /// The columns that it looks at, in the order of its conditions.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().map(|c| c.column.as_str())
    }

    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// Fails on what can never be true, since the text means missing.
    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn check(&self, missing: &[String]) -> Result<()> {
        for Condition { column, test } in &self.conditions {
            let never = match test {
                Test::Texts(texts, _) => texts.iter().find(|t| missing.contains(t)).cloned(),
                Test::Numbers(numbers, _) => numbers.iter().map(f64::to_string).find(|n| missing.contains(n)),
                _ => None,
            };
            if let Some(never) = never {
                let expected = "`is missing` or `is not missing`, since that text means missing here";
                let setting = format!("the filter of column `{column}`");
                return Err(Error::setting(&setting, format!("a comparison with `{never}`"), expected));
            }
        }
        Ok(())
    }
}

impl FromStr for Filter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(Filter { conditions: parse::conditions(text)? })
    }
}

impl TryFrom<String> for Filter {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Filter> for String {
    fn from(filter: Filter) -> Self {
        filter.to_string()
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, condition) in self.conditions.iter().enumerate() {
            f.write_str(if at > 0 { " and " } else { "" })?;
            condition.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if parse::is_plain(&self.column) {
            write!(f, "{} ", self.column)?;
        } else {
            write!(f, "\"{}\" ", self.column.replace('"', "\"\""))?;
        }
        let quoted = |text: &String| format!("'{}'", text.replace('\'', "''"));
        let mut among = |values: &[String], among: &Among| match (values, among) {
            ([only], Among::One) => write!(f, "= {only}"),
            ([only], Among::None) => write!(f, "!= {only}"),
            (many, Among::One) => write!(f, "in ({})", many.join(", ")),
            (many, Among::None) => write!(f, "not in ({})", many.join(", ")),
        };
        match &self.test {
            Test::Missing => f.write_str("is missing"),
            Test::Known => f.write_str("is not missing"),
            Test::Texts(texts, which) => among(&texts.iter().map(quoted).collect::<Vec<_>>(), which),
            Test::Numbers(numbers, which) => among(&numbers.iter().map(f64::to_string).collect::<Vec<_>>(), which),
            Test::Number(side, number) => write!(f, "{} {number}", side.sign()),
            Test::Day(side, day) => write!(f, "{} {}", side.sign(), quoted(day)),
        }
    }
}
