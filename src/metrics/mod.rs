//! Metrics of a group and comparisons between groups: pure functions of a tally's cells.
//!
//! [`catalog`] lists them all with formula and source.

pub mod catalog;
mod estimate;

pub use estimate::{Estimate, Support, Undefined};
