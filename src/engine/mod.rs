//! Tallies made where the data lives: SQL in, counts out, and the audit of them.
//!
//! A tally is a `GROUP BY`, so an audit can go to the data instead of the data to the audit. [`sql`] writes the one
//! statement that counts a table as [`Source::tally`](crate::data::source::Source::tally) counts a file: the same levels,
//! the same missing values, the same bands, the same favourable values. The engine's answer, as Parquet or CSV, is read by
//! [`AuditPlan::audit_counted`]. Counts leave the engine, rows do not.
//!
//! With the feature `datafusion`, `tally_dataframe` does all of it with a data frame.
//!
//! The answer has one row a cell: `attribute_1`, ... and `stratum_1`, ... in the order asked for; `label` and `decision_1`, ...
//! (1 favourable, 0 unfavourable, nothing where unknown); `score_1`, ...; `segment_1`, ... and `class_1`, ...; `row_count`,
//! and with weights `weight` (Σw) and `weight_squared` (Σw²). Nothing (NULL) in a level or score says that it is missing.
//! Thresholds and selections of the best are applied to the scores when the answer is read, so that one answer serves all.
//!
//! So that nothing is counted in silence that a reader of files would have refused, three things are checked when the
//! answer is read: `question`, a mark of what was asked; `fault`, the number of the column that holds something it cannot
//! hold (0 for none); and the least and greatest text of every label and decision (`label_least`, `label_most`, ...). A table
//! made by hand may leave them out.
//!
//! # Examples
//! ```
//! use evenhand::audit::AuditPlan;
//! use evenhand::data::{Columns, source::Source};
//! use evenhand::engine::{self, Dialect};
//! let columns = Columns::new().attribute("sex".parse()?).decision("targeted");
//! let plan = AuditPlan::new().columns(columns);
//! let statement = engine::sql(&plan, &"sales.customers".parse()?, Dialect::DuckDb)?;
//! assert!(statement.contains(r#"FROM "sales"."customers""#) && statement.contains("GROUP BY"));
//!
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("counts.csv");
//! // What an engine might answer.
//! std::fs::write(&path, "attribute_1,decision_1,row_count\nf,0,60\nf,1,20\nm,0,50\nm,1,70\n,1,5\n")?;
//! let report = plan.audit_counted(&Source::open(&[&path])?)?;
//! assert_eq!(report.data.rows, 205);
//! assert_eq!(report.metric("selection_rate")?.group("f")?.value(), Ok(0.25));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "datafusion")]
mod dataframe;
mod dialect;
mod question;
mod read;
mod statement;

#[cfg(feature = "datafusion")]
pub use dataframe::tally_dataframe;
pub use dialect::{Dialect, TableName};
pub(crate) use read::tally;
pub use statement::sql;

#[cfg(doc)]
use crate::audit::AuditPlan;
