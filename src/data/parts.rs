//! Rows that are in several segments by parts, as a mixture model or a soft clustering says.

use super::{Categorical, Codes};
use crate::error::{Error, Place, Result};

/// In how many parts a row is counted. Whole numbers of them add, merge and subtract exactly.
pub(crate) const WHOLE: u32 = 1 << 20;

/// How far the shares of a row may be from adding up to 1: they are often written with few digits.
const SLACK: f64 = 0.01 + 1e-9;

/// How the rows are shared out to segments.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parts {
    /// For each segment, then for those that no segment is known of: the part of each row, of [`WHOLE`].
    of: Vec<Vec<u32>>,
}

impl Parts {
    /// From a column of shares for each segment, all of one length; a row without any share is in no known segment. The
    /// first row that is wrong is the error.
    pub fn of_columns(columns: &[&[f64]], rows: usize) -> std::result::Result<Self, usize> {
        let mut of = vec![vec![0; rows]; columns.len() + 1];
        for row in 0..rows {
            let shares = || columns.iter().map(|c| c[row]);
            if shares().all(f64::is_nan) {
                of[columns.len()][row] = WHOLE;
                continue;
            }
            let sum: f64 = shares().sum();
            if !((sum - 1.0).abs() <= SLACK && shares().all(|s| s >= 0.0)) {
                return Err(row);
            }
            // Rounding the running sum makes the parts add up to the whole.
            let (mut running, mut given) = (0.0, 0);
            for (segment, share) in shares().enumerate() {
                running += share / sum;
                let up_to = ((running * f64::from(WHOLE)).round() as u32).clamp(given, WHOLE);
                of[segment][row] = if share > 0.0 { up_to - given } else { 0 };
                given += of[segment][row];
            }
            // What rounding leaves belongs to the last segment that has any.
            if let Some(last) = (0..columns.len()).rev().find(|s| columns[*s][row] > 0.0) {
                of[last][row] += WHOLE - given;
            }
        }
        if of.last().is_some_and(|missing| missing.iter().all(|p| *p == 0)) {
            of.pop();
        }
        Ok(Parts { of })
    }

    /// For each segment the code that all rows have for once, and how large a part of each row is there.
    pub fn passes(&self, levels: usize) -> impl Iterator<Item = (Codes<'static>, &[u32])> {
        let code = move |at: usize| if at < levels { at as u32 } else { u32::MAX };
        self.of.iter().enumerate().map(move |(at, parts)| (Codes::from(vec![code(at); parts.len()]), parts.as_slice()))
    }
}

/// A column of segments of which no row is in just one.
pub(crate) fn column(name: String, levels: Vec<String>, rows: usize) -> Result<Categorical<'static>> {
    Categorical::from_codes(name, levels, vec![u32::MAX; rows])
}

/// The error for a row whose shares are none.
pub(crate) fn wrong(name: &str, columns: &[&[f64]], row: usize, place: Place) -> Error {
    let shares: Vec<String> = columns.iter().take(6).map(|c| c[row].to_string()).collect();
    let more = if columns.len() > 6 { ", ..." } else { "" };
    Error::BadNumber {
        column: name.into(),
        value: format!("{}{more}", shares.join(", ")),
        place,
        expected: "shares of at least 0 that add up to 1 (all of them empty, or NaN, where they are missing)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_whatever_rounding_does() {
        let thirds = [vec![1.0 / 3.0; 2], vec![1.0 / 3.0; 2], vec![1.0 / 3.0; 2]];
        let rounded = [vec![0.33, 0.1], vec![0.33, 0.2], vec![0.33, 0.7]];
        let sparse = [vec![1e-9, 0.0], vec![1.0, 0.5], vec![0.0, 0.5]];
        for columns in [thirds, rounded, sparse] {
            let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
            let parts = Parts::of_columns(&columns, 2).unwrap();
            assert_eq!(parts.of.len(), 3);
            for row in 0..2 {
                assert_eq!(parts.of.iter().map(|p| p[row]).sum::<u32>(), WHOLE);
                for (column, part) in columns.iter().zip(&parts.of) {
                    let sum: f64 = columns.iter().map(|c| c[row]).sum();
                    assert!((f64::from(part[row]) / f64::from(WHOLE) - column[row] / sum).abs() < 2e-6);
                }
            }
        }
    }

    #[test]
    fn wrong_shares_are_found_and_missing_ones_kept() {
        let nan = f64::NAN;
        for wrong in [[0.5, 0.3], [1.2, -0.2], [nan, 1.0], [f64::INFINITY, 0.0]] {
            assert_eq!(Parts::of_columns(&[&[0.5, wrong[0]], &[0.5, wrong[1]]], 2).unwrap_err(), 1, "{wrong:?}");
        }
        let parts = Parts::of_columns(&[&[nan, 1.0], &[nan, 0.0]], 2).unwrap();
        assert_eq!(parts.of, [[0, WHOLE], [0, 0], [WHOLE, 0]]);
    }
}
