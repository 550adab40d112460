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
//! println!("{}", report.to_text(TextStyle::default()));
//! # Ok::<(), evenhand::Error>(())
//! ```
//!
//! - A [`Batch`](data::Batch) is rows: attributes, strata, a label, a weight, and one or more models' decisions or scores.
//! - An [`AuditPlan`](audit::AuditPlan) says what to look at, a [`Policy`](audit::Policy) what is allowed.
//! - A [`Report`](report::Report) is what was found: figures, comparisons, [`Finding`](report::Finding)s with a
//!   [`Verdict`](audit::Verdict).
//! - Between them stands the [`Tally`](tally::Tally): the counts that everything is computed from. It merges and
//!   subtracts exactly and holds no row.
//!
//! The next four steps go on from there.
//!
//! # Read a figure
//!
//! Every figure is an [`Estimate`](metrics::Estimate): a value with its interval and support, or the reason why it is
//! [`Undefined`](metrics::Undefined). There is no NaN and no infinity in a report. A label that is unknown is never taken
//! for a negative, and where labels are known mostly on one side of the decision, what cannot be known is bounded.
//!
//! ```
//! # use evenhand::audit::{AuditPlan, Policy};
//! # use evenhand::data::{Batch, Categorical};
//! # let sex: Vec<&str> = (0..600).map(|i| if i % 2 == 0 { "female" } else { "male" }).collect();
//! # let responded: Vec<bool> = (0..600).map(|i| i % 3 == 0).collect();
//! # let targeted: Vec<bool> = (0..600).map(|i| if i % 2 == 0 { i % 10 < 2 } else { i % 10 < 4 }).collect();
//! # let batch = Batch::builder()
//! #     .attribute(Categorical::from_values("sex", &sex)).label(&responded).decision(&targeted).build()?;
//! # let report = AuditPlan::new().policy(Policy::preset("four-fifths")?).run(&batch)?;
//! let women = report.metric("selection_rate")?.group("female")?;
//! assert_eq!(women.value(), Ok(0.2));
//! let (low, high) = women.interval().expect("300 women are enough for one");
//! assert!(low > 0.15 && high < 0.25);
//! assert_eq!(women.support.rows, 300.0);
//!
//! // How groups compare: the lowest rate over the highest, over all pairs of groups.
//! let ratio = &report.metric("disparate_impact")?.ratio("sex")?.estimate;
//! assert_eq!(ratio.value, Some(0.5));
//!
//! // A name that is not there is an error that suggests the nearest.
//! let slip = report.metric("selection_rat").unwrap_err().to_string();
//! assert!(slip.contains("did you mean `selection_rate`?"));
//! # Ok::<(), evenhand::Error>(())
//! ```
//!
//! # Say what is allowed
//!
//! A policy is a list of bounds. A finding passes if its whole interval satisfies the bound, fails if none of it does, and
//! is inconclusive otherwise, with how many more rows would decide. [`PRESETS`](audit::PRESETS) are ready ones, and
//! [`metrics::catalog`] lists what can be bounded.
//!
//! ```
//! use evenhand::audit::{Policy, Verdict};
//! # use evenhand::audit::AuditPlan;
//! # use evenhand::data::{Batch, Categorical};
//! # let sex: Vec<&str> = (0..600).map(|i| if i % 2 == 0 { "female" } else { "male" }).collect();
//! # let responded: Vec<bool> = (0..600).map(|i| i % 3 == 0).collect();
//! # let targeted: Vec<bool> = (0..600).map(|i| if i % 2 == 0 { i % 10 < 2 } else { i % 10 < 4 }).collect();
//! # let batch = Batch::builder()
//! #     .attribute(Categorical::from_values("sex", &sex)).label(&responded).decision(&targeted).build()?;
//! let policy = Policy::from_toml(r#"
//!     name = "spring offer"
//!
//!     [[criteria]]
//!     metric = "disparate_impact"
//!     comparison = "ratio"
//!     minimum = 0.8
//!
//!     [[criteria]]
//!     metric = "equal_opportunity"
//!     comparison = "difference"
//!     maximum = 0.1
//! "#)?;
//! let report = AuditPlan::new().policy(policy).run(&batch)?;
//! for finding in &report.models[0].findings {
//!     println!("{}: {}", finding.verdict, finding.sentence);
//! }
//! // Of the offers it is certain; of the offers to those who responded, 200 people do not decide.
//! let verdicts: Vec<Verdict> = report.models[0].findings.iter().map(|f| f.verdict).collect();
//! assert_eq!(verdicts, [Verdict::Fail, Verdict::Inconclusive]);
//! # Ok::<(), evenhand::Error>(())
//! ```
//!
//! # Show it
//!
//! [`Report::to_text`](report::Report::to_text) for a terminal, [`to_markdown`](report::Report::to_markdown) for a page,
//! [`to_json`](report::Report::to_json) and [`to_csv`](report::Report::to_csv) for programs, and with the feature `html`
//! `to_html`, a page of charts that opens without a connection. Pipelines read
//! [`to_junit`](report::Report::to_junit) and [`to_annotations`](report::Report::to_annotations), and a
//! [`model_card`](report::Report::model_card) is filled as far as the audit knows.
//!
//! # Mend it, and audit again
//!
//! Here the model's scores stay, and each group gets the threshold that reaches both who would respond and equal rates at the
//! least cost. Other ways weigh the rows that a model is trained on ([`Reweight`](mitigate::reweight::Reweight)), make new
//! ones ([`Augment`](mitigate::augment::Augment)), or train under a constraint
//! ([`ExponentiatedGradient`](mitigate::reductions::ExponentiatedGradient));
//! [`Evaluation`](mitigate::evaluate::Evaluation) compares them on held-out rows.
//!
//! ```
//! use evenhand::audit::{AuditPlan, Policy, Verdict};
//! use evenhand::data::{Batch, Categorical, Model};
//! use evenhand::mitigate::postprocess::thresholds::{Constraint, ThresholdOptimizer};
//!
//! // Scores that put men above women who are as interested.
//! let sex: Vec<&str> = (0..4000).map(|i| if i % 2 == 0 { "female" } else { "male" }).collect();
//! let responded: Vec<bool> = (0..4000).map(|i| (i / 2) % 10 < 4).collect();
//! let score = |i: usize| ((i / 2) % 97) as f64 / 200.0 + if (i / 2) % 10 < 4 { 0.3 } else { 0.0 };
//! let scores: Vec<f64> = (0..4000).map(|i| score(i) + if i % 2 == 0 { 0.0 } else { 0.15 }).collect();
//!
//! // Rows for which the outcome is known choose the thresholds; other rows judge them.
//! let rows = |from: usize| {
//!     Batch::builder()
//!         .attribute(Categorical::from_values("sex", &sex[from..from + 2000]))
//!         .label(&responded[from..from + 2000])
//! };
//! let plan = AuditPlan::new().policy(Policy::preset("equal-opportunity")?);
//! let today = rows(2000).model(Model::threshold("at 0.5", &scores[2000..], 0.5)).build()?;
//! assert_eq!(plan.run(&today)?.verdict, Verdict::Fail);
//!
//! let past = rows(0).score(&scores[..2000]).build()?;
//! let thresholds = ThresholdOptimizer::new(Constraint::EqualOpportunity).fit(&past)?;
//! let ids: Vec<u64> = (2000..4000).collect();
//! let offered = thresholds.decide(&today, &scores[2000..], &ids, 1)?;
//!
//! let mended = rows(2000).decision(&offered).build()?;
//! let report = plan.run(&mended)?;
//! assert_ne!(report.verdict, Verdict::Fail);
//! let before = plan.run(&today)?;
//! let gap = |r: &evenhand::report::Report| -> evenhand::Result<f64> {
//!     Ok(r.metric("equal_opportunity")?.difference("sex")?.estimate.value.unwrap_or(1.0))
//! };
//! assert!(gap(&report)? < gap(&before)? / 4.0);
//! # Ok::<(), evenhand::Error>(())
//! ```
//!
//! # Cookbook
//!
//! **Audit a file.** [`AuditPlan::audit_files`](audit::AuditPlan::audit_files) with [`Columns`](data::Columns) that name the
//! parts.
//!
//! **Count now, judge later.** [`AuditPlan::tally`](audit::AuditPlan::tally) each chunk, [`Tally::merge`](tally::Tally::merge),
//! [`AuditPlan::evaluate`](audit::AuditPlan::evaluate); [`Tally::subtract`](tally::Tally::subtract) takes somebody out again.
//!
//! **Count where the data lives.** [`engine::sql`] writes the statement, [`AuditPlan::audit_counted`](audit::AuditPlan::audit_counted)
//! reads the answer. With the feature `datafusion`, `engine::tally_dataframe` counts a data frame.
//!
//! **Decide by a threshold or a budget.** [`Model::threshold`](data::Model::threshold), [`Model::top`](data::Model::top).
//!
//! **Several models side by side.** [`BatchBuilder::model`](data::BatchBuilder::model), once for each.
//!
//! **Ages and other numbers as groups.** [`Categorical::from_numbers`](data::Categorical::from_numbers), or a
//! [`LevelColumn`](data::LevelColumn) such as `age:<=25,26-40,>40`.
//!
//! **Groups that overlap.** [`AuditPlan::group`](audit::AuditPlan::group) takes a rule: `young women: sex=female & age=<=25`.
//!
//! **Condition on a legitimate reason.** Add a [`stratum`](data::BatchBuilder::stratum): each stratum's figures and the
//! conditional criteria appear.
//!
//! **Measure something of your own.** [`AuditPlan::metric`](audit::AuditPlan::metric) takes a function of a group's cells.
//!
//! **Segments instead of decisions.** [`BatchBuilder::segments`](data::BatchBuilder::segments).
//!
//! **Whom the offer would move.** [`metrics::uplift`]. **Who was shown it.** [`metrics::delivery`].
//!
//! **Did it change?** [`Compare`](compare::Compare) sets a report beside an earlier one.
//!
//! **After a `linfa` model.** [`BatchBuilder::dataset`](data::BatchBuilder::dataset).

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

/// The programs of the README and of the guides, compiled and run with the other examples.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/guides/data-scientist.md")]
    struct DataScientist;
    #[doc = include_str!("../docs/where-the-data-lives.md")]
    struct WhereTheDataLives;
}
