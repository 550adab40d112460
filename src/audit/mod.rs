//! The audit: a plan says what to look at, a policy what is allowed, a report what was found.

mod policy;

pub use policy::{Against, Comparison, Criterion, PRESETS, Policy, Verdict};
