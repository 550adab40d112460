//! Intervals, tests and what follows from them.
