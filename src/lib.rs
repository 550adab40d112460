#![forbid(unsafe_code)]
#![warn(missing_docs)]
//! Audits segmentation and targeting models for bias.

pub mod audit;
pub mod data;
mod error;
pub mod inference;
pub mod metrics;
pub mod report;
pub mod tally;

pub use error::{Error, Place, Result};
