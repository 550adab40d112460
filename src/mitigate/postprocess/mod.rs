//! What changes a model's answers after it has given them.

pub mod reassign;
pub mod rerank;
