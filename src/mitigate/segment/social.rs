//! Fair-Lloyd: the centres that make the worst-served group's cost the smallest.
//!
//! With rows in given segments, a group's cost is `s_g + Σ_c a_gc |centre_c - m_gc|²`, where s is its spread about its own
//! means m and a its share of weight in each segment. The largest of these convex functions is least at centres
//! `Σ_g l_g a_gc m_gc / Σ_g l_g a_gc` for some weights l of the groups that sum to 1: those that maximise the smallest weighted
//! sum of costs, which is concave in them.

use rand::Rng;

use super::lloyd::{Centres, Points, squared, worst};
use super::{FairKMeansValidParams, Found};
use crate::individual::MISSING;
use crate::inference::rng::stream;

/// Exchanges of weight between two groups after which a search ends.
const EXCHANGES: usize = 500;
/// Halvings in one exchange.
const HALVINGS: usize = 50;
/// How far the largest cost may be above the least possible, as a part of it.
const GAP: f64 = 1e-9;

/// Each group's means in the segments.
pub(super) struct Means {
    /// Numbers of the groups with weight.
    groups: usize,
    /// Spread about the own means.
    spread: Vec<f64>,
    /// The share of the group's weight in each segment, group by group.
    shares: Vec<f64>,
    /// The mean of each group in each segment.
    means: Vec<f64>,
}

impl Means {
    pub fn of(points: &Points, segments: &[u32], groups: &[u32], count: usize, centres: &Centres) -> Self {
        let (k, width) = (centres.count, points.width);
        let mut weights = vec![0.0; count * k];
        let mut means = vec![0.0; count * k * width];
        let known = || (0..points.len()).filter(|row| groups[*row] != MISSING && points.weights[*row] > 0.0);
        let cell = |row: usize| groups[row] as usize * k + segments[row] as usize;
        for row in known() {
            let (cell, weight) = (cell(row), points.weights[row]);
            weights[cell] += weight;
            let share = weight / weights[cell];
            let mean = &mut means[cell * width..(cell + 1) * width];
            mean.iter_mut().zip(points.row(row)).for_each(|(m, x)| *m += share * (x - *m));
        }
        let totals: Vec<f64> = weights.chunks(k).map(|w| w.iter().sum()).collect();
        let mut spread = vec![0.0; count];
        for row in known() {
            let (cell, group) = (cell(row), groups[row] as usize);
            let from = squared(points.row(row), &means[cell * width..(cell + 1) * width]);
            spread[group] += points.weights[row] / totals[group] * from;
        }
        let shares = weights.iter().enumerate().map(|(cell, w)| if *w > 0.0 { w / totals[cell / k] } else { 0.0 });
        // Groups without weight have no cost.
        let there: Vec<usize> = (0..count).filter(|g| totals[*g] > 0.0).collect();
        let shares: Vec<f64> = shares.collect();
        Means {
            groups: there.len(),
            spread: there.iter().map(|g| spread[*g]).collect(),
            shares: there.iter().flat_map(|g| shares[g * k..(g + 1) * k].to_vec()).collect(),
            means: there.iter().flat_map(|g| means[g * k * width..(g + 1) * k * width].to_vec()).collect(),
        }
    }

    fn mean(&self, group: usize, segment: usize, centres: &Centres) -> &[f64] {
        let at = (group * centres.count + segment) * centres.width;
        &self.means[at..at + centres.width]
    }

    fn costs(&self, centres: &Centres) -> Vec<f64> {
        let k = centres.count;
        let part = |g: usize, c: usize| self.shares[g * k + c] * squared(centres.row(c), self.mean(g, c, centres));
        (0..self.groups).map(|g| self.spread[g] + (0..k).map(|c| part(g, c)).sum::<f64>()).collect()
    }

    /// Sets the best centres for weights of the groups. A segment in which only groups without weight are takes their mean; one
    /// without any keeps its centre.
    fn set(&self, weights: &[f64], centres: &mut Centres) {
        let k = centres.count;
        for segment in 0..k {
            let given = |g: usize| weights[g] * self.shares[g * k + segment];
            let all = |g: usize| self.shares[g * k + segment];
            let some = (0..self.groups).any(|g| given(g) > 0.0);
            let part = |g: usize| if some { given(g) } else { all(g) };
            let sum: f64 = (0..self.groups).map(part).sum();
            if sum > 0.0 {
                let mut centre = vec![0.0; centres.width];
                for group in (0..self.groups).filter(|g| part(*g) > 0.0) {
                    let share = part(group) / sum;
                    let mean = self.mean(group, segment, centres);
                    centre.iter_mut().zip(mean).for_each(|(c, m)| *c += share * m);
                }
                centres.row_mut(segment).copy_from_slice(&centre);
            }
        }
    }

    /// The centres that make the largest cost the smallest: weight goes from the group that costs least to the one that
    /// costs most, until they cost the same, and again.
    pub fn minimax(&self, start: &Centres) -> Centres {
        let mut weights = vec![1.0 / self.groups as f64; self.groups];
        let mut centres = start.clone();
        self.set(&weights, &mut centres);
        for _ in 0..EXCHANGES {
            let costs = self.costs(&centres);
            let most = extreme(&costs, |_| true, 1.0);
            let least = extreme(&costs, |g| weights[g] > 0.0, -1.0);
            // The weighted sum is a lower bound of the largest cost of any centres.
            let bound: f64 = costs.iter().zip(&weights).map(|(c, w)| c * w).sum();
            if most == least || costs[most] - bound <= GAP * costs[most] {
                break;
            }
            let (given, taken) = (weights[least], weights[most]);
            let mut try_share = |share: f64| {
                (weights[least], weights[most]) = (given * (1.0 - share), taken + given * share);
                self.set(&weights, &mut centres);
                let costs = self.costs(&centres);
                costs[most] > costs[least]
            };
            if !try_share(1.0) {
                let (mut low, mut high) = (0.0, 1.0);
                for _ in 0..HALVINGS {
                    let middle = 0.5 * (low + high);
                    if try_share(middle) { low = middle } else { high = middle }
                }
                try_share(0.5 * (low + high));
            }
        }
        centres
    }
}

/// The group of the largest cost times `sign`, the first of equal ones.
fn extreme(costs: &[f64], accept: impl Fn(usize) -> bool, sign: f64) -> usize {
    let accepted = (0..costs.len()).filter(|g| accept(*g));
    let better = |best: Option<usize>, g: usize| match best {
        Some(best) if sign * costs[best] >= sign * costs[g] => Some(best),
        _ => Some(g),
    };
    accepted.fold(None, better).unwrap_or(0)
}

impl FairKMeansValidParams {
    /// The best of so many runs; the first starts from plain k-means, so that the worst-served group is never worse off.
    pub(super) fn social(&self, points: &Points, groups: &[u32], count: usize, plain: &Found) -> Found {
        let mut best: Option<(Found, f64)> = None;
        for run in 0..self.runs {
            let mut rng = stream(self.seed, run, 1);
            let start = match run {
                0 => plain.centres.clone(),
                // Some ends are far from every start at rows, and some from every start at means of random segments.
                _ if run % 2 == 0 => {
                    let segments: Vec<u32> =
                        (0..points.len()).map(|_| rng.gen_range(0..self.clusters as u32)).collect();
                    Means::of(points, &segments, groups, count, &plain.centres).minimax(&plain.centres)
                }
                _ => points.plus_plus(self.clusters, &mut rng),
            };
            let found = self.fair_lloyd(points, groups, count, start);
            if best.as_ref().is_none_or(|(_, least)| found.1 < *least) {
                best = Some(found);
            }
        }
        let unchanged = || Found { centres: plain.centres.clone(), segments: plain.segments.clone(), iterations: 0 };
        best.map_or_else(unchanged, |(found, _)| found)
    }

    fn fair_lloyd(&self, points: &Points, groups: &[u32], count: usize, start: Centres) -> (Found, f64) {
        let mut centres = start;
        let mut segments = points.nearest(&centres);
        let mut cost = worst(&points.costs(&centres, &segments, groups, count).0);
        let mut done = 0;
        for iteration in 1..=self.iterations {
            let next = Means::of(points, &segments, groups, count, &centres).minimax(&centres);
            let nearest = points.nearest(&next);
            let least = worst(&points.costs(&next, &nearest, groups, count).0);
            let gain = cost - least;
            if gain >= 0.0 {
                (centres, segments, cost, done) = (next, nearest, least, iteration);
            }
            if gain <= self.tolerance * cost {
                break;
            }
        }
        (Found { centres, segments, iterations: done }, cost)
    }
}
