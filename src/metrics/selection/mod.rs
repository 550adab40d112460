//! Two groups' selections against each other: effect sizes, and the rules that US employment law judges them by.

mod effect;
mod rules;
#[cfg(test)]
mod tests;

pub use effect::{cohens_h, odds_ratio};
pub use rules::{
    AdverseImpact, FlipTest, Selection, Threshold, flip_test, four_fifths_shortfall, selection_shortfall,
    selection_shortfall_weighted, two_standard_deviations,
};

use crate::metrics::family::Measure;
use crate::tally::Counts;

/// The effect sizes of two groups' selection rates.
pub(crate) const MEASURES: &[Measure<Counts, ()>] = effect::ALL;
