//! The audit of advert and offer delivery: who was eligible, who was reached, at what price.
//!
//! It starts from a [`DeliveryTable`] of aggregate counts, as platforms export them, or counts people itself; the report
//! holds no row of a person.
//!
//! | question | where |
//! |---|---|
//! | is the skew the targeting's or the delivery's? | [`skews`] |
//! | who is reached, how often, at what price? | [`reach`], [`compare_reach`] |
//! | and among those of like interest? | [`conditional_reach`], [`DeliveryTable::within`] |
//! | how far is delivery from the eligible audience, over many campaigns? | [`delivery_variance`], [`variance_coverage`] |
//! | do two like adverts reach different people? | [`paired_tests`] |
//! | does expanding a seed audience skew it? | [`lookalike()`] |
//! | are offers and prices alike? | [`offer_gap`] |
//! | all but offers, as a report | [`DeliveryTable::audit`] |
//!
//! ```
//! use evenhand::metrics::delivery::{DeliveryRow, DeliverySettings, DeliveryTable};
//! let row = |group: &str, reached, impressions| DeliveryRow {
//!     campaign: "jobs".into(), group: group.into(), eligible: 5000.0, reached: Some(reached), impressions,
//!     ..DeliveryRow::default()
//! };
//! let table = DeliveryTable::new(vec![row("women", 500.0, 1000.0), row("men", 900.0, 2000.0)])?;
//! let report = table.audit(&DeliverySettings::default())?;
//! let apart = report.campaigns[0].comparisons[0].difference.value.unwrap();
//! assert!((apart + 0.08).abs() < 1e-12);
//! # Ok::<(), evenhand::Error>(())
//! ```

mod contrast;
mod entries;
mod lookalike;
mod offers;
mod paired;
#[cfg(any(feature = "csv", feature = "parquet"))]
mod read;
mod report;
mod shares;
mod skew;
mod table;
mod text;
mod variance;

pub use contrast::{ConditionalReach, ReachComparison, compare_reach, conditional_reach};
pub use entries::MEASURES;
pub use lookalike::{GroupOfAll, Lookalike, lookalike};
pub use offers::{OfferGap, offer_gap};
pub use paired::{AdSide, PairedAds, PairedTest, paired_tests};
#[cfg(any(feature = "csv", feature = "parquet"))]
pub use read::DeliveryColumns;
pub use report::{CampaignResult, ConditionalComparison, DeliveryReport, DeliverySettings, PairResult};
pub use skew::{Reach, Skews, reach, skews};
pub use table::{DeliveryRow, DeliveryTable, GroupDelivery, PersonDelivery};
pub use variance::{DeliveryVariance, VARIANCE_LIMIT, adjust_variances, delivery_variance, variance_coverage};
