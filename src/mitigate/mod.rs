//! What mends a model, its data or its answers: weights for the rows that it is trained on, lists in another order,
//! segments that mirror the people.
//!
//! A mitigator is a set of parameters that is fitted on training rows and then applied, to the same rows or to others. What
//! it reached is said with it; whether a model trained on it is fairer is for an audit of held-out rows to say.

mod flow;
mod groups;
pub mod learn;
mod newton;
pub mod postprocess;
mod random;
pub mod reductions;
pub mod reweight;
pub mod segment;
