//! Drawn tables, for the tests that simulate how often intervals hold and tests err.

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand_distr::{Binomial, Distribution};

use super::SegmentCounts;
use crate::metrics::Estimate;
use crate::tally::Cell;

pub(super) fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

/// So many rows dealt to segments by their shares.
pub(super) fn draw(rng: &mut StdRng, rows: u64, shares: &[f64]) -> Vec<f64> {
    let (mut left, mut mass) = (rows, 1.0);
    shares
        .iter()
        .map(|share| {
            let p = (share / mass).clamp(0.0, 1.0);
            let p = if mass - share < 1e-12 { 1.0 } else { p };
            let drawn = Binomial::new(left, p).unwrap().sample(rng);
            left -= drawn;
            mass -= share;
            drawn as f64
        })
        .collect()
}

/// Groups of so many rows with such shares, and what they would be without chance.
pub(super) fn groups(rng: &mut StdRng, sizes: &[u64], shares: &[&[f64]]) -> Vec<SegmentCounts> {
    sizes.iter().zip(shares).map(|(n, shares)| SegmentCounts::of_rows(&draw(rng, *n, shares))).collect()
}

pub(super) fn expected(sizes: &[u64], shares: &[&[f64]]) -> Vec<SegmentCounts> {
    let group = |(n, shares): (&u64, &&[f64])| {
        SegmentCounts::of_rows(&shares.iter().map(|p| p * 1e6 * *n as f64).collect::<Vec<f64>>())
    };
    sizes.iter().zip(shares).map(group).collect()
}

/// A group whose rows have one of two weights, at random, whatever their segment.
pub(super) fn weighted(rng: &mut StdRng, rows: u64, shares: &[f64], weights: [f64; 2]) -> SegmentCounts {
    let halves = [draw(rng, rows / 2, shares), draw(rng, rows - rows / 2, shares)];
    let cell = |at: usize| {
        let mut cell = Cell::default();
        for (half, w) in halves.iter().zip(weights) {
            let n = half[at];
            cell.add(&Cell { rows: n, weight: n * w, weight_squared: n * w * w }, 1.0);
        }
        cell
    };
    SegmentCounts { segments: shares.len(), cells: (0..shares.len()).map(cell).collect(), unassigned: Cell::default() }
}

pub(super) fn holds(estimate: &Estimate, truth: f64) -> bool {
    estimate.low.is_none_or(|low| low <= truth + 1e-6) && estimate.high.is_none_or(|high| truth <= high + 1e-6)
}

pub(super) fn of(tables: &[&[f64]]) -> Vec<SegmentCounts> {
    tables.iter().map(|rows| SegmentCounts::of_rows(rows)).collect()
}

pub(super) fn refs(groups: &[SegmentCounts]) -> Vec<&SegmentCounts> {
    groups.iter().collect()
}

/// The half of UCI Adult that `tests/data` scores, in five k-means clusters, by sex (female, male).
pub(super) const ADULT_SEX: [&[f64]; 2] =
    [&[612.0, 313.0, 1704.0, 648.0, 4832.0], &[3988.0, 1766.0, 1316.0, 1644.0, 7568.0]];
/// The same by race (Amer-Indian-Eskimo, Asian-Pac-Islander, Black, Other, White).
pub(super) const ADULT_RACE: [&[f64]; 5] = [
    &[17.0, 20.0, 28.0, 24.0, 134.0],
    &[210.0, 59.0, 90.0, 57.0, 355.0],
    &[197.0, 107.0, 286.0, 292.0, 1404.0],
    &[16.0, 12.0, 25.0, 49.0, 99.0],
    &[4160.0, 1881.0, 2591.0, 1870.0, 10408.0],
];
/// KEEL's marketing data (4,000 rows) in five clusters, by ethnicity.
pub(super) const MARKETING_ETHNIC: [&[f64]; 8] = [
    &[15.0, 9.0, 16.0, 20.0, 4.0],
    &[39.0, 47.0, 45.0, 61.0, 39.0],
    &[101.0, 71.0, 57.0, 91.0, 38.0],
    &[1.0, 2.0, 4.0, 3.0, 0.0],
    &[142.0, 51.0, 143.0, 79.0, 83.0],
    &[13.0, 11.0, 13.0, 14.0, 2.0],
    &[614.0, 538.0, 237.0, 975.0, 313.0],
    &[25.0, 19.0, 13.0, 29.0, 23.0],
];
/// The same by sex (female, male).
pub(super) const MARKETING_SEX: [&[f64]; 2] =
    [&[556.0, 380.0, 343.0, 656.0, 290.0], &[394.0, 368.0, 185.0, 616.0, 212.0]];
