//! Intervals, tests and what follows from them.
pub mod multiplicity;
