//! Decisions compared within strata: what of a difference is explained by a legitimate reason, and what is left over?
//!
//! "Explained" is not "legitimate": what explains may itself be a proxy for the attribute. A stratum without decisions in
//! one of the two groups (no overlap) says nothing about their difference and is left out; [`stratum_overlap`] says how
//! much that leaves.

mod criteria;
mod kitagawa;
mod measures;
mod stratified;
#[cfg(test)]
mod tests;

pub(crate) use criteria::{demographic_disparity, pair, worst_case};
pub use kitagawa::{Kitagawa, KitagawaPart, kitagawa};
pub(crate) use measures::MEASURES;
pub use measures::{
    common_odds_ratio, explained_difference, lost_opportunities, qualitative_interaction, standardized_rate_difference,
    stratum_heterogeneity, stratum_overlap, unexplained_difference,
};
pub use stratified::Stratified;
