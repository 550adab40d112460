//! Measures of rankings: who stands where on an ordered list.
//!
//! A [`Ranking`] holds positions from best to worst, with the group of each row and, where known, its relevance.
//! Tied rows share their positions: a figure is its expectation over all orders of the ties, unless it says otherwise.
//!
//! | question | where |
//! |---|---|
//! | who is among the first? | [`skew`]: skew, normalised KL divergence, infeasible prefixes, rND, rKL, rRD, top-k rates |
//! | who is seen? | [`exposure`]: mean exposure, exposure by merit, attention-weighted rank fairness |
//! | is a better one of one group put above a worse one of another? | [`pairwise`] |
//! | could so few among the first be chance? | [`fair_topk`]: FA\*IR's test |
//! | how good is the list for a group? | [`retrieval`]: precision, recall and gain at k |
//! | and over many lists? | [`many`]: queries, amortised attention, recommendations |

mod chance;
mod entries;

pub mod exposure;
pub mod fair_topk;
mod list;
pub mod many;
mod measures;
pub mod pairwise;
mod prefix;
pub mod retrieval;
pub mod skew;
#[cfg(test)]
mod tests;

pub(crate) use entries::MEASURES;
pub use list::Ranking;
pub(crate) use measures::{Listed, OnList, RankMeasure};
