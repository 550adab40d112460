#![forbid(unsafe_code)]
#![warn(missing_docs)]
//! Audits segmentation and targeting models for bias.

pub mod inference;
