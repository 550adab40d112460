//! How a text file is written, where nobody says: delimiter, header, types.

use super::plan::finite;
use super::{ColumnInfo, ColumnKind};
use crate::data::default_missing;

/// Candidates, the rarer in plain values first: of two that both divide every line evenly, the rarer
/// one is meant (`1,5;2,5` holds decimal commas).
const DELIMITERS: [u8; 4] = [b'\t', b'|', b';', b','];

/// The delimiter that divides the first lines into the same number of fields, more than one.
pub(super) fn delimiter(sample: &[u8], whole: bool) -> u8 {
    let evenness = |delimiter: u8| {
        let records = records(sample, delimiter, whole);
        let width = records.first().map_or(0, csv::ByteRecord::len);
        let same = records.iter().filter(|r| r.len() == width).count();
        if width > 1 { same as f64 / records.len() as f64 } else { 0.0 }
    };
    let mut best = (b',', 0.0);
    for candidate in DELIMITERS {
        let evenness = evenness(candidate);
        if evenness > best.1 {
            best = (candidate, evenness);
        }
    }
    best.0
}

/// The records of a sample; the last one of a sample that is not the whole file may be cut off.
fn records(sample: &[u8], delimiter: u8, whole: bool) -> Vec<csv::ByteRecord> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(sample);
    let mut records: Vec<csv::ByteRecord> = reader.byte_records().map_while(Result::ok).take(1000).collect();
    if !whole && records.len() > 1 {
        records.pop();
    }
    records
}

/// Whether the first of the records names the columns. It does not where one of its fields is a number in a
/// column of numbers (or of nothing else), unless another is a text in a column of numbers.
pub(super) fn has_header(sample: &[u8], delimiter: u8, whole: bool) -> bool {
    let records = records(sample, delimiter, whole);
    let Some((first, rest)) = records.split_first() else { return true };
    if rest.is_empty() {
        return !first.iter().any(is_number);
    }
    let mut numbers_over_numbers = false;
    for (at, name) in first.iter().enumerate() {
        let mut values = rest.iter().filter_map(|r| r.get(at)).filter(|v| !is_missing(v)).peekable();
        let empty = values.peek().is_none();
        if values.all(is_number) {
            if !empty && !is_number(name) && !is_missing(name) {
                return true;
            }
            numbers_over_numbers |= is_number(name);
        }
    }
    !numbers_over_numbers
}

fn is_number(field: &[u8]) -> bool {
    std::str::from_utf8(field).is_ok_and(|text| finite(text.trim()).is_some())
}

fn is_missing(field: &[u8]) -> bool {
    std::str::from_utf8(field).is_ok_and(|text| default_missing().iter().any(|m| m == text.trim()))
}

/// The narrowest type that holds all values of a column.
pub(super) fn column(name: &str, values: &[String]) -> ColumnInfo {
    let missing = default_missing();
    let mut values = values.iter().map(|v| v.trim()).filter(|v| !missing.iter().any(|m| m == v)).peekable();
    let fits = |kind: ColumnKind, value: &str| match kind {
        ColumnKind::Boolean => ["true", "false"].iter().any(|b| value.eq_ignore_ascii_case(b)),
        ColumnKind::Integer => value.parse::<i64>().is_ok(),
        ColumnKind::Number => finite(value).is_some(),
        ColumnKind::Date => is_date(value),
        _ => true,
    };
    let mut kinds =
        vec![ColumnKind::Boolean, ColumnKind::Integer, ColumnKind::Number, ColumnKind::Date, ColumnKind::Text];
    if values.peek().is_none() {
        kinds = vec![ColumnKind::Text];
    }
    for value in values {
        kinds.retain(|kind| fits(*kind, value));
    }
    ColumnInfo { name: name.into(), kind: kinds.first().copied().unwrap_or(ColumnKind::Text) }
}

/// `2024-01-31`, with or without a time behind it.
fn is_date(value: &str) -> bool {
    let shape =
        value.bytes().take(10).enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
    shape && value.len() >= 10 && value.as_bytes().get(10).is_none_or(|b| matches!(b, b' ' | b'T'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_are_those_that_divide_evenly() {
        for (text, expected) in [
            ("a,b\n1,2\n", b','),
            ("a;b\n1,5;2,5\n", b';'),
            ("1,5;2,5\n3,5;4,5\n", b';'),
            ("a\tb, c\n1\t2\n", b'\t'),
            ("a|b|c\nx, y|2|3\n", b'|'),
            ("a,b,c\n1,2\n3,4,5\n", b','),
            ("a\n1\n", b','),
            ("\"a;b\",c\n\"x;y\",2\n", b','),
        ] {
            assert_eq!(delimiter(text.as_bytes(), true), expected, "{text}");
        }
    }

    #[test]
    fn a_header_is_told_from_a_row() {
        for (text, expected) in [
            ("sex,score\nf,1\n", true),
            ("sex,city\nf,rome\n", true),
            ("f,1\nm,2\n", false),
            ("2020,2021\n1,2\n", false),
            ("id,2020\n1,2\n", true),
            ("a,b\n", true),
            ("a,1\n", false),
            ("f,1\nm,\n", false),
            ("a,b\n,\n", true),
        ] {
            assert_eq!(has_header(text.as_bytes(), b',', true), expected, "{text}");
        }
    }

    #[test]
    fn types_are_the_narrowest() {
        let kind = |values: &[&str]| column("x", &values.iter().map(|v| v.to_string()).collect::<Vec<_>>()).kind;
        assert_eq!(kind(&["1", "", "2"]), ColumnKind::Integer);
        assert_eq!(kind(&["1", "2.5"]), ColumnKind::Number);
        assert_eq!(kind(&["true", "False"]), ColumnKind::Boolean);
        assert_eq!(kind(&["2024-01-31", "2024-02-01 10:00"]), ColumnKind::Date);
        assert_eq!(kind(&["", "NA"]), ColumnKind::Text);
        assert_eq!(kind(&["1", "x"]), ColumnKind::Text);
    }
}
