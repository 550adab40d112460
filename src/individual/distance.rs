//! Individual fairness of centres: nobody has to go further than to their n/k nearest neighbours.

use std::cmp::Ordering;

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::sample::{Block, Limit};
use super::{Clustering, squared};
use crate::error::Result;
use crate::inference::rate::wilson;
use crate::metrics::measure::share_counts;
use crate::metrics::{Confidence, Estimate, Support, Undefined};
use crate::tally::Cell;

/// How far the centres are from people, for what each may expect.
#[derive(Debug, Clone, PartialEq)]
pub struct DistanceFairness {
    /// The largest ratio in each group: a fact about these rows, without an interval.
    pub worst: Vec<Estimate>,
    /// The share of each group whose ratio is above 1, with Wilson's interval.
    pub beyond: Vec<Estimate>,
    /// How many rows were compared with each other.
    pub rows: usize,
    /// Whether those are a sample; the largest ratio of all may then be larger.
    pub sampled: bool,
}

/// The individual fairness of centres: `d(x_i, nearest centre) / r(i)`, where `r(i)` is the smallest radius around a person
/// that holds the n-th part of the people by k, themselves included (`⌈n/k⌉` of them; with weights, a k-th of the weight).
///
/// From 0 up; at most 1 where everybody has a centre as near as they may expect (2 can always be reached). Centres are
/// `centroids`, of which there may be more than segments, or the segments' weighted means. In O(n²) time and O(n) memory;
/// of more rows than `limit` a sample of each group. The largest ratio of a group is undefined without rows, and
/// [`Undefined::OverZero`] where somebody off every centre has a k-th of all people on the very spot.
///
/// # Errors
/// As [`social_fairness`](super::social_fairness).
///
/// # References
/// Jung, Kannan, Lutz (2020), Service in your neighborhood: fairness in center location, FORC.
///
/// # Examples
/// ```
/// use evenhand::individual::{Clustering, Limit, distance_fairness};
/// use evenhand::metrics::Confidence;
/// // Two centres for six people: everybody may expect one within reach of their two nearest neighbours.
/// let features = ndarray::array![[0.0], [1.0], [2.0], [10.0], [11.0], [12.0]];
/// let rows = Clustering::new(features.view(), &[0, 0, 0, 1, 1, 1], &[0, 0, 0, 1, 1, 1], None)?;
/// let centroids = ndarray::array![[1.0], [14.0]];
/// let fairness = distance_fairness(&rows, Some(centroids.view()), Limit::default(), Confidence::at(0.95))?;
/// assert_eq!(fairness.worst[0].value, Some(0.5)); // 1 away, the two others within 2
/// assert_eq!(fairness.worst[1].value, Some(3.0)); // from 11: 3 away, the two others within 1
/// assert_eq!(fairness.beyond[1].value, Some(2.0 / 3.0));
/// # Ok::<(), evenhand::Error>(())
/// ```
pub fn distance_fairness(
    rows: &Clustering,
    centroids: Option<ArrayView2<f64>>,
    limit: Limit,
    confidence: Confidence,
) -> Result<DistanceFairness> {
    let centres = rows.centres(centroids)?;
    let centres: Vec<Vec<f64>> =
        centres.outer_iter().map(|c| c.to_vec()).filter(|c| c.iter().all(|v| v.is_finite())).collect();
    let block = Block::of(rows, limit);
    let ratios = ratios(&block, &centres);
    let mut worst: Vec<Option<f64>> = vec![None; rows.group_count];
    let mut cells = vec![[Cell::default(); 2]; rows.group_count];
    for ((ratio, group), weight) in ratios.iter().zip(&block.group).zip(&block.weight) {
        if let Some(group) = *group {
            worst[group] = Some(worst[group].map_or(*ratio, |w: f64| w.max(*ratio)));
            let cell = Cell { rows: 1.0, weight: *weight, weight_squared: weight * weight };
            cells[group][1].add(&cell, 1.0);
            // Distances that agree but for rounding are no further.
            if *ratio > 1.0 + 1e-9 {
                cells[group][0].add(&cell, 1.0);
            }
        }
    }
    let beyond = |[part, whole]: &[Cell; 2]| {
        let support = Support::from(*whole);
        match share_counts(*part, *whole) {
            Some(counts) => {
                let estimate = Estimate::of((part.weight / whole.weight).clamp(0.0, 1.0), support);
                match wilson(counts.x, counts.n, confidence.level) {
                    Some(i) => estimate.between(i.low, i.high),
                    None => estimate,
                }
            }
            None => Estimate::undefined(Undefined::NoRows, support),
        }
    };
    let most = |(worst, [_, whole]): (&Option<f64>, &[Cell; 2])| match worst {
        Some(ratio) if ratio.is_finite() => Estimate::of(*ratio, Support::from(*whole)),
        Some(_) => Estimate::undefined(Undefined::OverZero, Support::from(*whole)),
        None => Estimate::undefined(Undefined::NoRows, Support::default()),
    };
    Ok(DistanceFairness {
        worst: worst.iter().zip(&cells).map(most).collect(),
        beyond: cells.iter().map(beyond).collect(),
        rows: block.len(),
        sampled: block.sampled,
    })
}

/// The ratio of each row; infinite over a radius of 0.
fn ratios(block: &Block, centres: &[Vec<f64>]) -> Vec<f64> {
    let total: f64 = block.weight.iter().sum();
    let quota = total / centres.len().max(1) as f64 * (1.0 - 1e-9);
    let alike = block.weight.windows(2).all(|w| w[0] == w[1]);
    let near = (block.len().div_ceil(centres.len().max(1))).saturating_sub(1);
    (0..block.len())
        .into_par_iter()
        .map_init(
            || Vec::with_capacity(block.len()),
            |all: &mut Vec<(f64, f64)>, row| {
                let here = block.row(row);
                all.clear();
                all.extend((0..block.len()).map(|other| (squared(here, block.row(other)), block.weight[other])));
                let radius = if alike {
                    let at = near.min(all.len() - 1);
                    all.select_nth_unstable_by(at, by_distance).1.0
                } else {
                    holding(all, quota)
                };
                let centre = centres.iter().map(|c| squared(here, c)).fold(f64::INFINITY, f64::min);
                if centre > 0.0 { (centre / radius).sqrt() } else { 0.0 }
            },
        )
        .collect()
}

fn by_distance(a: &(f64, f64), b: &(f64, f64)) -> Ordering {
    a.0.total_cmp(&b.0)
}

/// The smallest distance within which there is so much weight: of pairs of distance and weight, halved until one is left.
fn holding(all: &mut [(f64, f64)], mut quota: f64) -> f64 {
    let mut left = all;
    while left.len() > 1 {
        let middle = left.len() / 2;
        left.select_nth_unstable_by(middle, by_distance);
        let (near, far) = left.split_at_mut(middle);
        let held: f64 = near.iter().map(|of| of.1).sum();
        left = if held >= quota {
            near
        } else {
            quota -= held;
            far
        };
    }
    left.first().map_or(f64::INFINITY, |of| of.0)
}
