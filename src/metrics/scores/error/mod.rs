//! Errors of a forecast of a number, by group, from sums that merge.

mod measures;
mod moments;
#[cfg(test)]
mod tests;

pub use measures::{correlation, mean_absolute_error, mean_error, r2, root_mean_squared_error};
pub use moments::ErrorSums;

use crate::metrics::family::Measure;

/// The measures of error of a forecast.
pub(crate) const MEASURES: &[Measure<ErrorSums, ()>] = measures::ALL;
