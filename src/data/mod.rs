//! What comes in: categorical columns, labels, decisions, scores and weights, checked once at the border.
//!
//! A pipeline hands its arrays to [`Batch::builder`].

mod bands;
mod batch;
mod binary;
mod categorical;
mod columns;
mod filter;
mod linfa;
pub(crate) mod parts;
mod segments;
#[cfg(any(feature = "csv", feature = "parquet"))]
pub mod source;
mod table;

pub use bands::{Bands, Range};
pub use batch::{Batch, BatchBuilder, Cut, Model, Numbers, Top};
pub use binary::{Binary, NEGATIVE, POSITIVE, UNKNOWN, default_missing};
pub use categorical::{Categorical, Codes};
pub use columns::{Columns, LevelColumn, SegmentColumns};
pub use filter::{Filter, Filtered};
pub use segments::Segments;
pub use table::{Column, Table};

pub(crate) use batch::Rule;
pub(crate) use batch::unique;
#[cfg(any(feature = "csv", feature = "parquet"))]
pub(crate) use batch::{WEIGHT, is_weight};
pub(crate) use categorical::sorted_order;
#[cfg(any(feature = "csv", feature = "parquet"))]
pub(crate) use filter::{Among, Condition, Test};
#[cfg(feature = "parquet")]
pub(crate) use filter::{Side, is_dated};
#[cfg(any(feature = "csv", feature = "parquet"))]
pub(crate) use {
    binary::{BinaryReader, PAIRS},
    columns::ModelColumns,
};
