//! All families of measures in one place, for the catalog and the audit.

use super::catalog::{METRICS, MeasureFamily};
use super::conditional::{self, Stratified};
use super::family::{Measure, MeasureEntry};
use super::scores::{ErrorSums, ScoredGroup, Scoring, auc, calibration, curves, distance, effect, error, roc, soft};
use super::segments::{
    SegmentCounts, Segmentation, association, balance, benefit, classes, divergence, flow, leakage, ordered, shares,
};
use super::{delivery, ranking, selection, uplift};
use crate::tally::Counts;

/// Of scores.
pub(crate) const SCORES: &[&[Measure<ScoredGroup, Scoring>]] = &[
    auc::MEASURES,
    roc::MEASURES,
    distance::MEASURES,
    curves::MEASURES,
    calibration::MEASURES,
    soft::MEASURES,
    effect::MEASURES,
];
/// Of the list that scores make.
pub(crate) const RANKINGS: &[ranking::RankMeasure] = ranking::MEASURES;
/// Of segments.
pub(crate) const SEGMENTS: &[&[Measure<SegmentCounts, Segmentation>]] = &[
    shares::MEASURES,
    association::MEASURES,
    divergence::MEASURES,
    balance::MEASURES,
    ordered::MEASURES,
    benefit::MEASURES,
    flow::MEASURES,
    classes::MEASURES,
    leakage::MEASURES,
];
/// Of scores as forecasts.
pub(crate) const ERRORS: &[&[Measure<ErrorSums, ()>]] = &[error::MEASURES];
/// Of decisions.
pub(crate) const SELECTIONS: &[&[Measure<Counts, ()>]] = &[selection::MEASURES];

/// Of decisions within strata.
pub(crate) const CONDITIONALS: &[&[Measure<Stratified, ()>]] = &[conditional::MEASURES];

fn of<G, C>(families: &'static [&'static [Measure<G, C>]]) -> impl Iterator<Item = &'static MeasureEntry> {
    families.iter().flat_map(|f| f.iter()).map(|m| &m.entry)
}

/// The entries of every family that an audit of a batch makes.
pub(crate) fn entries() -> impl Iterator<Item = &'static MeasureEntry> {
    let rankings = RANKINGS.iter().map(|m| &m.entry);
    of(SELECTIONS).chain(of(CONDITIONALS)).chain(of(SCORES)).chain(of(ERRORS)).chain(rankings).chain(of(SEGMENTS))
}

/// The entries of the audits that have data of their own; what they share with audits of batches is told there.
pub(crate) fn entries_elsewhere() -> impl Iterator<Item = &'static MeasureEntry> {
    let shared = |m: &&MeasureEntry| METRICS.iter().any(|x| x.name == m.name) || entries().any(|x| x.name == m.name);
    uplift::MEASURES.iter().chain(delivery::MEASURES).filter(move |m| !shared(m))
}

/// All of them, each family with its name and what it is of.
pub(crate) fn named() -> Vec<MeasureFamily> {
    let family = |name, title, measures| MeasureFamily { name, title, measures };
    let apart = |all: &'static [MeasureEntry]| {
        entries_elsewhere().filter(|m| all.iter().any(|x| x.name == m.name)).collect::<Vec<_>>()
    };
    vec![
        family("decisions", "Two groups' decisions", of(SELECTIONS).collect()),
        family("strata", "Two groups within strata", of(CONDITIONALS).collect()),
        family("scores", "Scores: ranking, calibration, distances", of(SCORES).collect()),
        family("forecasts", "Scores as forecasts of a number", of(ERRORS).collect()),
        family("lists", "The list that scores make", RANKINGS.iter().map(|m| &m.entry).collect()),
        family("segments", "Segments", of(SEGMENTS).collect()),
        family("uplift", "Uplift, from a randomised hold-out", apart(uplift::MEASURES)),
        family("delivery", "Delivery of adverts and offers", apart(delivery::MEASURES)),
    ]
}
