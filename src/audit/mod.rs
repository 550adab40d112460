//! The audit: a plan says what to look at, a policy what is allowed, a report what was found.

mod conditioning;
#[cfg(any(feature = "csv", feature = "parquet"))]
mod counted;
mod evaluate;
mod figures;
#[cfg(any(feature = "csv", feature = "parquet"))]
mod files;
mod findings;
mod groups;
mod judge;
mod outcome;
mod plan;
mod policy;
mod rulebook;
mod scores;
mod slice;
mod table;
mod wording;

pub use groups::{Condition, NamedGroup};
pub use plan::{AuditPlan, CustomMetric, Reference};
pub use policy::{Against, Comparison, Criterion, PRESETS, Policy, Verdict};
pub use rulebook::Rulebook;
