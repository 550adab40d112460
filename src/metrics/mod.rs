//! Metrics of a group and comparisons between groups: pure functions of a tally's cells.
//!
//! [`catalog`] lists them all with formula and source.

pub mod catalog;
pub(crate) mod compare;
pub(crate) mod conditional;
mod estimate;
pub(crate) mod measure;

pub use estimate::{Estimate, Support, Undefined};
