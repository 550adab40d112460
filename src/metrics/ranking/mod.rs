//! Measures of rankings: who stands where on an ordered list.

/// What holds for all groups of a ranking.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ranked {}
