//! Lists in random order and lists of resampled rows: what chance alone would show, and how sure a figure is.
//!
//! A list is cut into segments: each row (or tie block) its own up to position [`HEAD`], then stretches that grow with
//! the position, within which rows count as tied. A replicate then costs the same for ten thousand rows or a billion.

use rand::Rng;
use rand_distr::{Distribution, Hypergeometric, Poisson};
use rayon::prelude::*;

use super::{Ranking, prefix::discount};
use crate::inference::rng::{BLOCK, binomial, stream};
use crate::metrics::Confidence;

/// Up to this position no rows are put together that are not tied.
const HEAD: usize = 2048;
/// After it a stretch is at most this part of the position where it begins.
const STRETCH: usize = 256;

/// A list as counts by segment and group.
#[derive(Debug, Clone)]
pub(super) struct Segments {
    pub groups: usize,
    /// `counts[segment * groups + group]`.
    pub counts: Vec<f64>,
    totals: Vec<f64>,
}

/// What a list would be by chance.
#[derive(Debug, Clone, Copy)]
pub(super) enum Null<'a> {
    /// The same rows in random order.
    Order,
    /// Rows drawn with these shares.
    Shares(&'a [f64]),
}

impl Segments {
    pub fn of(ranking: &Ranking) -> Self {
        let groups = ranking.groups();
        let mut counts: Vec<f64> = Vec::new();
        let mut room = 0;
        for block in ranking.blocks() {
            if block.rows > room {
                counts.resize(counts.len() + groups, 0.0);
                room = if block.start < HEAD { 0 } else { block.start / STRETCH };
            }
            room = room.saturating_sub(block.rows);
            let at = counts.len() - groups;
            block.entries.iter().for_each(|e| counts[at + e.group] += e.rows);
        }
        Segments { groups, counts, totals: ranking.sizes().to_vec() }
    }

    /// A list of the same shape as if groups did not matter.
    fn by_chance<R: Rng>(&self, null: Null<'_>, rng: &mut R, drawn: &mut [f64]) {
        let mut left = self.totals.clone();
        let mut all: f64 = left.iter().sum();
        for (old, new) in self.counts.chunks(self.groups.max(1)).zip(drawn.chunks_mut(self.groups.max(1))) {
            let size: f64 = old.iter().sum();
            match null {
                Null::Order => {
                    without_replacement(rng, size, &left, all, new);
                    left.iter_mut().zip(&*new).for_each(|(l, n)| *l -= n);
                    all -= size;
                }
                Null::Shares(shares) => {
                    let (mut rest, mut mass) = (size, 1.0);
                    for (new, share) in new.iter_mut().zip(shares) {
                        *new = binomial(rng, rest, if mass > *share * (1.0 + 1e-12) { share / mass } else { 1.0 });
                        if *share <= 0.0 {
                            *new = 0.0;
                        }
                        rest -= *new;
                        mass -= share;
                    }
                }
            }
        }
    }

    /// The rows resampled, in their order: each appears a Poisson number of times.
    fn resampled<R: Rng>(&self, rng: &mut R, drawn: &mut [f64]) {
        for (old, new) in self.counts.iter().zip(drawn) {
            *new = if *old <= 0.0 {
                0.0
            } else if *old < 8.0 {
                (0..*old as usize).map(|_| one(rng)).sum()
            } else {
                Poisson::new(*old).map_or(*old, |p| p.sample(rng))
            };
        }
    }
}

/// A Poisson draw of mean 1, by inversion.
fn one<R: Rng>(rng: &mut R) -> f64 {
    let (mut u, mut k, mut p) = (rng.r#gen::<f64>(), 0.0, (-1.0f64).exp());
    while u > p && k < 30.0 {
        u -= p;
        k += 1.0;
        p /= k;
    }
    k
}

/// `size` rows out of `left`, of which there are `all`.
fn without_replacement<R: Rng>(rng: &mut R, size: f64, left: &[f64], all: f64, new: &mut [f64]) {
    new.fill(0.0);
    if size == 1.0 {
        let mut at = rng.r#gen::<f64>() * all;
        let mut chosen = left.iter().rposition(|l| *l > 0.0);
        for (group, l) in left.iter().enumerate() {
            if at < *l {
                chosen = Some(group);
                break;
            }
            at -= l;
        }
        if let Some(group) = chosen {
            new[group] = 1.0;
        }
        return;
    }
    let (mut rest, mut mass) = (size, all);
    for (new, l) in new.iter_mut().zip(left) {
        let draw = Hypergeometric::new(mass as u64, *l as u64, rest as u64).map_or(0, |h| h.sample(rng));
        *new = draw as f64;
        rest -= *new;
        mass -= l;
    }
}

/// Positions at which prefixes are looked at, each with the weight of the positions that it stands for.
#[derive(Debug, Clone)]
pub(super) struct Points {
    pub at: Vec<f64>,
    pub weight: Vec<f64>,
}

impl Points {
    /// Every `step`-th position up to `limit` with weight `weight(position)`; far down the list, stretches of them.
    pub fn new(limit: usize, step: usize, weight: impl Fn(f64) -> f64) -> Self {
        let (mut at, mut weights, mut sum, mut next) = (Vec::new(), Vec::new(), 0.0, 0);
        let step = step.max(1);
        for position in (step..=limit).step_by(step) {
            sum += weight(position as f64);
            if position >= next || position + step > limit {
                at.push(position as f64);
                weights.push(std::mem::take(&mut sum));
                next = if position < HEAD { 0 } else { position + position / STRETCH };
            }
        }
        Points { at, weight: weights }
    }

    /// Looks at the prefixes of a list: `visit(rows of the prefix by group, rows of the prefix, weight)`.
    pub fn walk(&self, groups: usize, counts: &[f64], mut visit: impl FnMut(&[f64], f64, f64)) {
        let (mut before, mut prefix) = (vec![0.0; groups], vec![0.0; groups]);
        let (mut start, mut point) = (0.0, 0);
        for segment in counts.chunks(groups.max(1)) {
            let size: f64 = segment.iter().sum();
            while point < self.at.len() && self.at[point] <= start + size && size > 0.0 {
                let part = (self.at[point] - start) / size;
                prefix.iter_mut().zip(before.iter().zip(segment)).for_each(|(p, (b, s))| *p = b + part * s);
                visit(&prefix, self.at[point], self.weight[point]);
                point += 1;
            }
            before.iter_mut().zip(segment).for_each(|(b, s)| *b += s);
            start += size;
        }
        // A resampled list may end early.
        for point in point..self.at.len() {
            visit(&before, start.max(1.0), self.weight[point]);
        }
    }
}

/// The mean discount of each segment's positions.
pub(super) fn segment_discounts(segments: &Segments) -> Vec<f64> {
    let mut position = 0.0;
    let of = |segment: &[f64]| {
        let size: f64 = segment.iter().sum();
        let sum: f64 = (1..=size as u64).map(|i| discount(position + i as f64)).sum();
        position += size;
        if size > 0.0 { sum / size } else { 0.0 }
    };
    segments.counts.chunks(segments.groups.max(1)).map(of).collect()
}

/// A statistic that is 0 or more, against chance.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Against {
    /// What chance shows on average.
    pub by_chance: f64,
    /// The chance of as much or more.
    pub p_value: f64,
    pub low: f64,
    pub high: f64,
}

/// Replicates of a statistic, from streams that do not depend on threads.
fn replicates<F, S>(segments: &Segments, confidence: Confidence, kind: usize, draw: F, statistic: &S) -> Vec<f64>
where
    F: Fn(&Segments, &mut rand_xoshiro::Xoshiro256PlusPlus, &mut [f64]) + Sync,
    S: Fn(&[f64]) -> f64 + Sync,
{
    let count = confidence.bootstrap.replicates;
    let blocks: Vec<Vec<f64>> = (0..count.div_ceil(BLOCK))
        .into_par_iter()
        .map(|block| {
            let mut rng = stream(confidence.bootstrap.seed, kind, block);
            let mut drawn = segments.counts.clone();
            (block * BLOCK..count.min((block + 1) * BLOCK))
                .map(|_| {
                    draw(segments, &mut rng, &mut drawn);
                    statistic(&drawn)
                })
                .collect()
        })
        .collect();
    blocks.concat()
}

/// The p-value `(1 + replicates of at least the statistic) / (1 + replicates)` and the replicates' mean.
pub(super) fn test<S>(segments: &Segments, null: Null<'_>, confidence: Confidence, statistic: &S) -> (f64, f64)
where
    S: Fn(&[f64]) -> f64 + Sync,
{
    let observed = statistic(&segments.counts);
    let draws = replicates(segments, confidence, 1, |s, rng, drawn| s.by_chance(null, rng, drawn), statistic);
    let slack = 1e-12 * observed.abs();
    let more = draws.iter().filter(|d| **d >= observed - slack).count() as f64;
    let count = draws.len() as f64;
    ((1.0 + more) / (1.0 + count), if count > 0.0 { draws.iter().sum::<f64>() / count } else { f64::NAN })
}

/// A distance (0 where groups are treated alike) against chance, with its interval.
///
/// Noise pushes a distance up, in the data and once more in the resampled rows; the interval takes that off, and begins
/// at 0 where the test does not tell the list from chance.
pub(super) fn against_chance<S>(
    segments: &Segments,
    null: Null<'_>,
    confidence: Confidence,
    statistic: &S,
) -> Option<Against>
where
    S: Fn(&[f64]) -> f64 + Sync,
{
    let observed = statistic(&segments.counts);
    let (p_value, by_chance) = test(segments, null, confidence, statistic);
    let mut draws = replicates(segments, confidence, 2, Segments::resampled, statistic);
    draws.retain(|d| d.is_finite());
    draws.sort_by(f64::total_cmp);
    if draws.len() < 2 || !observed.is_finite() || !by_chance.is_finite() {
        return None;
    }
    let bias = (draws.iter().sum::<f64>() / draws.len() as f64 - observed).max(0.0);
    let tail = (1.0 - confidence.level) / 2.0;
    let place = |p: f64| draws[((p * (draws.len() - 1) as f64).round() as usize).min(draws.len() - 1)];
    let rejects = p_value <= 1.0 - confidence.level;
    let low = if rejects { (place(tail) - 2.0 * bias).max(0.0) } else { 0.0 };
    let high = (place(1.0 - tail) - bias).max(observed);
    Some(Against { by_chance, p_value, low: low.min(observed), high })
}
