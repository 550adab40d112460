//! All families of measures in one place, for the catalog and the audit.

use super::family::{Measure, MeasureEntry};
use super::ranking::Ranked;
use super::scores::{ScoredGroup, Scoring, calibration, effect, soft};
use super::segments::{SegmentCounts, Segmentation, association, balance, divergence, shares};

/// Of scores.
pub(crate) const SCORES: &[&[Measure<ScoredGroup, Scoring>]] =
    &[calibration::MEASURES, soft::MEASURES, effect::MEASURES];
/// Of the list that scores make.
pub(crate) const RANKINGS: &[&[Measure<ScoredGroup, Ranked>]] = &[];
/// Of segments.
pub(crate) const SEGMENTS: &[&[Measure<SegmentCounts, Segmentation>]] =
    &[shares::MEASURES, association::MEASURES, divergence::MEASURES, balance::MEASURES];

/// The entries of every family.
pub(crate) fn entries() -> impl Iterator<Item = &'static MeasureEntry> {
    let scores = SCORES.iter().flat_map(|f| f.iter()).map(|m| &m.entry);
    let rankings = RANKINGS.iter().flat_map(|f| f.iter()).map(|m| &m.entry);
    scores.chain(rankings).chain(SEGMENTS.iter().flat_map(|f| f.iter()).map(|m| &m.entry))
}
