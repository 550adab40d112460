//! Measures of uplift targeting: who is treated among those whom it would move.
