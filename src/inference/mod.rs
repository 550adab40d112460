//! Intervals, tests and what follows from them: plain functions of counts.

pub mod bootstrap;
pub mod difference;
pub mod hypothesis;
pub mod multiplicity;
pub mod rate;
pub mod ratio;
pub mod stratified;
pub mod worst;

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

/// A range with its ends.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The two-sided standard normal quantile of a confidence level, Φ⁻¹((1 + level) / 2).
pub fn z_quantile(level: f64) -> f64 {
    Normal::standard().inverse_cdf((1.0 + level) / 2.0)
}
