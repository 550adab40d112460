#![forbid(unsafe_code)]
#![warn(missing_docs)]
//! Audits customer segmentation and targeting models for bias: measures whether a model treats groups of people
//! fairly, says how sure it is, and judges it against a policy.
//!
//! # A first audit
//!
//! ```
//! use evenhand::audit::{AuditPlan, Policy, Verdict};
//! use evenhand::data::{Batch, Categorical};
//! use evenhand::report::TextStyle;
//!
//! // What a pipeline has: one value a row. Here 600 customers; men are offered twice as often.
//! let sex: Vec<&str> = (0..600).map(|i| if i % 2 == 0 { "female" } else { "male" }).collect();
//! let responded: Vec<bool> = (0..600).map(|i| i % 3 == 0).collect();
//! let targeted: Vec<bool> = (0..600).map(|i| if i % 2 == 0 { i % 10 < 2 } else { i % 10 < 4 }).collect();
//!
//! let batch = Batch::builder()
//!     .attribute(Categorical::from_values("sex", &sex))
//!     .label(&responded)
//!     .decision(&targeted)
//!     .build()?;
//! let report = AuditPlan::new().policy(Policy::preset("four-fifths")?).run(&batch)?;
//!
//! assert_eq!(report.verdict, Verdict::Fail);
//! let women = report.metric("selection_rate")?.group("female")?;
//! assert_eq!(women.value(), Ok(0.2));
//! let (low, high) = women.interval().unwrap();
//! assert!(low > 0.15 && high < 0.25);
//! println!("{}", report.to_text(TextStyle::default()));
//! # Ok::<(), evenhand::Error>(())
//! ```
//!
//! # The types
//!
//! - A [`Batch`](data::Batch) is rows: attributes, strata, a label, a weight, and one or more models' decisions or scores.
//! - An [`AuditPlan`](audit::AuditPlan) says what to look at, a [`Policy`](audit::Policy) what is allowed.
//! - A [`Report`](report::Report) is what was found: figures, comparisons, [`Finding`](report::Finding)s with a
//!   [`Verdict`](audit::Verdict).
//! - Between them stands the [`Tally`](tally::Tally): the counts that everything is computed from. It merges and
//!   subtracts exactly and holds no row.
//!
//! # How to
//!
//! **Audit a file.** [`AuditPlan::audit_files`](audit::AuditPlan::audit_files) with [`Columns`](data::Columns) that name the
//! parts.
//!
//! **Count now, judge later.** [`AuditPlan::tally`](audit::AuditPlan::tally) each chunk, [`Tally::merge`](tally::Tally::merge),
//! [`AuditPlan::evaluate`](audit::AuditPlan::evaluate).
//!
//! **Count where the data lives.** [`engine::sql`] writes the statement, [`AuditPlan::audit_counted`](audit::AuditPlan::audit_counted)
//! reads the answer.
//!
//! **Decide by a threshold or a budget.** [`Model::threshold`](data::Model::threshold), [`Model::top`](data::Model::top).
//!
//! **Condition on a legitimate reason.** Add a [`stratum`](data::BatchBuilder::stratum): each stratum's figures and the
//! conditional criteria appear.
//!
//! **Measure something of your own.** [`AuditPlan::metric`](audit::AuditPlan::metric) takes a function of a group's cells.
//!
//! **Show it.** [`Report::to_text`](report::Report::to_text), `to_markdown`, `to_json`, `to_csv`, and with the feature `html`
//! a page of charts that opens without a connection, `to_html`. Pipelines read [`to_junit`](report::Report::to_junit), and a
//! [`model_card`](report::Report::model_card) is filled as far as the audit knows.
//!
//! **Mend it.** Weigh the rows that a model is trained on ([`Reweight`](mitigate::reweight::Reweight)), make new ones
//! ([`Augment`](mitigate::augment::Augment)), train under a constraint
//! ([`ExponentiatedGradient`](mitigate::reductions::ExponentiatedGradient)), or choose thresholds by group
//! ([`ThresholdOptimizer`](mitigate::postprocess::thresholds::ThresholdOptimizer)).
//!
//! **Did it help?** [`Evaluation`](mitigate::evaluate::Evaluation) judges mitigations on held-out rows.
//!
//! **Did it change?** [`Compare`](compare::Compare) sets a report beside an earlier one.
//!
//! **After a `linfa` model.** [`BatchBuilder::dataset`](data::BatchBuilder::dataset).
//!
//! # What a figure can be
//!
//! Every figure is an [`Estimate`](metrics::Estimate): a value with its interval and support, or the reason why it is
//! [`Undefined`](metrics::Undefined). There is no NaN and no infinity in a report. A label that is unknown is never taken
//! for a negative, and where labels are known mostly on one side of the decision, what cannot be known is bounded.

pub mod audit;
pub mod compare;
pub mod data;
#[cfg(any(feature = "csv", feature = "parquet"))]
pub mod engine;
mod error;
pub mod individual;
pub mod inference;
pub mod metrics;
pub mod mitigate;
pub mod report;
pub mod tally;

pub use error::{Error, Place, Result};

/// The README's program, compiled and run with the other examples.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
