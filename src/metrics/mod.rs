//! Metrics of a group and comparisons between groups: pure functions of a tally's cells.
//!
//! [`catalog`] lists them all with formula and source.

#![allow(
    clippy::neg_cmp_op_on_partial_ord,
    reason = "a negated comparison turns NaN away along with what is out of range"
)]

pub mod catalog;
pub(crate) mod compare;
pub mod conditional;
pub mod delivery;
mod estimate;
pub(crate) mod families;
pub(crate) mod family;
pub(crate) mod measure;
pub mod ranking;
pub mod scores;
pub mod segments;
pub mod selection;
pub mod uplift;

pub use estimate::{Estimate, Support, Undefined};
pub use family::{Confidence, MeasureEntry, Need, Of, Tested};
