//! Row groups of Parquet that the filter leaves out as a whole, by what the footer says of their least and greatest values.
//!
//! What is skipped must be free of rows that satisfy the filter, whatever spaces stand around its texts. What cannot be told
//! for sure is read.

use std::ops::Range;

use arrow_array::ArrayRef;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;

use super::ColumnKind;
use super::columnar;
use super::guard::guard;
use super::plan::Plan;
use super::spool::Input;
use crate::data::{Among, Side, Test, is_dated};

/// Which of some consecutive row groups need not be read.
pub(super) struct Skip {
    first: usize,
    skipped: Vec<bool>,
}

impl Skip {
    /// Looks at the statistics of row groups; `at` tells where each column of the plan stands in the file.
    pub fn new(plan: &Plan, input: &Input, metadata: &ArrowReaderMetadata, at: &[usize], groups: Range<usize>) -> Self {
        let mut skip = Skip { first: groups.start, skipped: vec![false; groups.len()] };
        for condition in &plan.filter {
            // Statistics that cannot be read say nothing; the rows will tell.
            let about = guard(input, None, || Ok(About::of(metadata, at[condition.column], groups.clone())));
            for (skipped, about) in skip.skipped.iter_mut().zip(about.ok().flatten().unwrap_or_default()) {
                *skipped |= about.excludes(&condition.test);
            }
        }
        skip
    }

    pub fn skips(&self, group: usize) -> bool {
        self.skipped[group - self.first]
    }
}

/// What is known of a column in a row group.
#[derive(Debug)]
struct About {
    kind: ColumnKind,
    /// No row has a value.
    empty: bool,
    /// Bounds of all values, as text.
    bounds: Option<(String, String)>,
}

impl About {
    fn of(metadata: &ArrowReaderMetadata, column: usize, groups: Range<usize>) -> Option<Vec<Self>> {
        let field = metadata.schema().field(column);
        let of_file = metadata.metadata();
        let converter =
            StatisticsConverter::try_new(field.name(), metadata.schema(), of_file.file_metadata().schema_descr())
                .ok()?;
        let leaf = converter.parquet_column_index()?;
        let groups = of_file.row_groups().get(groups)?;
        let lows = as_texts(&converter.row_group_mins(groups).ok()?)?;
        let highs = as_texts(&converter.row_group_maxes(groups).ok()?)?;
        let of_group = |((group, low), high): ((&parquet::file::metadata::RowGroupMetaData, _), _)| {
            let known = group.column(leaf).statistics();
            let nulls = known.and_then(|known| known.null_count_opt());
            // Writers of old did not agree on what is less.
            let sound = known.is_some_and(|known| !known.is_min_max_deprecated());
            About {
                kind: columnar::kind(field.data_type()),
                empty: nulls.is_some_and(|nulls| i64::try_from(nulls) == Ok(group.num_rows())),
                bounds: Option::zip(low, high).filter(|_| sound),
            }
        };
        Some(groups.iter().zip(lows).zip(highs).map(of_group).collect())
    }

    /// Whether no value can satisfy a test.
    fn excludes(&self, test: &Test) -> bool {
        if self.empty {
            return *test != Test::Missing;
        }
        let Some((low, high)) = self.bounds.as_ref().map(|(low, high)| (low.as_str(), high.as_str())) else {
            return false;
        };
        match self.kind {
            ColumnKind::Integer | ColumnKind::Number => {
                let bounds = [low, high].map(|bound| bound.parse::<f64>().ok().filter(|v| v.is_finite()));
                matches!(bounds, [Some(low), Some(high)] if excludes_numbers(test, low, high))
            }
            ColumnKind::Date if is_dated(low) && is_dated(high) => excludes_texts(test, low, high),
            // A text may have spaces before it, which are trimmed before it is compared: none has where all begin with
            // something visible that is less than the first byte of any further white space.
            ColumnKind::Text if first(low) > b' ' && first(high) < 0xc2 => excludes_texts(test, low, high),
            _ => false,
        }
    }
}

/// The first byte of a text, 0 of none.
fn first(text: &str) -> u8 {
    text.bytes().next().unwrap_or(0)
}

fn as_texts(array: &ArrayRef) -> Option<Vec<Option<String>>> {
    let mut all = Vec::with_capacity(array.len());
    let push = |_: usize, text: Option<&str>| {
        all.push(text.map(String::from));
        Ok(())
    };
    columnar::texts(array, push).ok()?;
    Some(all)
}

fn excludes_numbers(test: &Test, low: f64, high: f64) -> bool {
    match test {
        Test::Numbers(numbers, Among::One) => numbers.iter().all(|n| *n < low || *n > high),
        Test::Numbers(numbers, Among::None) => low == high && numbers.contains(&low),
        Test::Number(Side::Below | Side::UpTo, _) => !test.holds_number(low),
        Test::Number(Side::From | Side::Above, _) => !test.holds_number(high),
        _ => false,
    }
}

/// Of texts that may have spaces behind them.
fn excludes_texts(test: &Test, low: &str, high: &str) -> bool {
    match test {
        Test::Texts(texts, Among::One) => {
            texts.iter().all(|text| text.as_str() > high || (low > text.as_str() && !low.starts_with(text.as_str())))
        }
        Test::Texts(texts, Among::None) => low == high && texts.iter().any(|text| text == low),
        Test::Day(..) if !is_dated(low) || !is_dated(high) => false,
        // Without a time, and so without spaces, a day is no later.
        Test::Day(side @ (Side::Below | Side::UpTo), day) => !side.holds(&low[..10], day.as_str()),
        Test::Day(side, day) => !side.holds(high, day.as_str()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Filter;

    fn excludes(kind: ColumnKind, low: &str, high: &str, filter: &str) -> bool {
        let filter: Filter = format!("a {filter}").parse().unwrap();
        let about = About { kind, empty: false, bounds: Some((low.into(), high.into())) };
        about.excludes(&filter.conditions()[0].test)
    }

    #[test]
    fn only_what_no_value_between_can_satisfy_is_excluded() {
        use ColumnKind::{Date, Integer, Number, Text};
        let tests = |kind, low, high, out: &[&str], within: &[&str]| {
            for filter in out {
                assert!(excludes(kind, low, high, filter), "{low} to {high}, {filter}");
            }
            for filter in within {
                assert!(!excludes(kind, low, high, filter), "{low} to {high}, {filter}");
            }
        };
        tests(
            Integer,
            "10",
            "20",
            &["= 9", "= 10.5e3", "in (1, 21)", "< 10", "<= 9.5", "> 20", ">= 21"],
            &["= 10", "in (1, 15)", "<= 10", "< 11", ">= 20", "!= 10", "not in (10, 20)", "= '9'", "is missing"],
        );
        tests(Number, "1.5", "1.5", &["!= 1.5", "not in (2, 1.5)", "= 2"], &["!= 2", "is not missing", "> 1"]);
        tests(Number, "NaN", "2", &[], &["> 3", "= 5"]);
        tests(Text, "DE", "FR", &["= 'AT'", "= 'GB'", "in ('AT', 'FRA')"], &["= 'DE'", "= 'ES'", "!= 'DE'", "= 'D'"]);
        tests(Text, "DE", "DE", &["!= 'DE'", "= 'AT'"], &["= 'DE'", "not in ('AT')"]);
        // `DE ` is trimmed.
        tests(Text, "DE ", "DE ", &[], &["= 'DE'"]);
        // There may be ` AT` between, or `AT` behind a space of another kind.
        for (low, high) in [(" A", "Z"), ("", "Z"), ("\t", "Z"), ("B", "\u{a0}Z"), ("B", "\u{3000}")] {
            tests(Text, low, high, &[], &["= 'AT'", "= 'zz'"]);
        }
        tests(Text, "10", "20", &[], &["= 9", "> 30"]);
        let days = &["> '2024-02-10'", ">= '2024-02-11'", "< '2024-02-01'", "<= '2024-01-31'"];
        let others = &["<= '2024-02-01'", ">= '2024-02-10'", "< '2024-02-02'", "is not missing"];
        for kind in [Date, Text] {
            tests(kind, "2024-02-01", "2024-02-10", days, others);
            tests(kind, "2024-02-01 ", "2024-02-10T10:00:00", &days[1..], &["<= '2024-02-01'", "> '2024-02-10'"]);
            tests(kind, "2024-02", "2024-02-10", &[], days);
        }
        let empty = About { kind: Text, empty: true, bounds: None };
        let test = |text: &str| text.parse::<Filter>().unwrap().conditions()[0].test.clone();
        assert!(empty.excludes(&test("a = 'x'")) && empty.excludes(&test("a is not missing")));
        assert!(!empty.excludes(&test("a is missing")));
    }
}
