//! Measures of rankings: who stands where on an ordered list.
