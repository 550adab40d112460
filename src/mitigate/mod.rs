//! What mends a model, its data or its answers.
//!
//! | room | what it changes | when |
//! |---|---|---|
//! | [`reweight`] | how much rows count | before training |
//! | [`augment`] | which rows there are | before training |
//! | [`prepare`] | features and labels | before training |
//! | [`reductions`] | what the learner makes small | while training |
//! | [`postprocess`] | thresholds, choices, lists and segments | after scoring |
//! | [`segment`] | how a segmentation is made | in place of k-means |
//! | [`evaluate`] | nothing: did it help, on held-out rows? | after all |
//! | [`learn`] | nothing: learners, and whether they read weights | |
//!
//! A mitigator is a set of parameters that is fitted on training rows and then applied, to the same rows or to others. What
//! it reached is said with it; whether a model trained on it is fairer is for held-out rows to say.

pub mod augment;
pub mod evaluate;
mod flow;
mod groups;
pub mod learn;
mod newton;
pub mod postprocess;
pub mod prepare;
mod quantiles;
mod random;
pub mod reductions;
pub mod reweight;
pub mod segment;
