//! What mends a model or its data: weights for the rows that it is trained on.
//!
//! A mitigator is a set of parameters that is fitted on training rows and then applied, to the same rows or to others. What
//! it reached is said with it; whether a model trained on it is fairer is for an audit of held-out rows to say.

pub mod evaluate;
mod groups;
pub mod learn;
pub mod prepare;
pub mod reweight;
