//! Silhouettes by group: whether people are nearer to their own segment than to the next one.

use rayon::prelude::*;

use super::sample::{Block, Limit};
use super::{Clustering, Sums, social, squared};
use crate::metrics::{Confidence, Estimate, Undefined};

/// The mean silhouette of each group.
#[derive(Debug, Clone, PartialEq)]
pub struct Silhouette {
    /// Each group's mean silhouette.
    pub groups: Vec<Estimate>,
    /// That of all rows with a segment, also those without a group.
    pub overall: Estimate,
    /// How many rows were compared with each other.
    pub rows: usize,
    /// Whether those are a sample.
    pub sampled: bool,
}

impl Silhouette {
    /// One group's mean minus another's, not halved, with its interval (MOVER); undefined where either is.
    pub fn difference_of(&self, a: usize, b: usize) -> Estimate {
        social::difference(&self.groups, a, b)
    }
}

/// The mean silhouette by group: `s = (b − a) / max(a, b)`, where `a` is a person's mean distance to the others of their
/// segment, and `b` that to the people of the nearest other segment.
///
/// From −1 (nearer to another segment) to 1; 0 for somebody alone in a segment. With weights, means are weighted, and only
/// the person's own weight is left out of `a`. Distances are computed as they are needed, in O(n²) time and O(n) memory;
/// of more rows than `limit` a sample of each group (weighted back) is compared, and [`Silhouette::sampled`] says so.
/// Intervals are Student's, as if people's silhouettes were independent. All are undefined where only one segment has
/// weight ([`Undefined::OneSegment`]), a group without rows or weight too.
///
/// # References
/// Rousseeuw (1987), Silhouettes, J. Computational and Applied Mathematics 20. Holistic AI's `silhouette_diff` is half the
/// difference.
///
/// # Examples
/// ```
/// use evenhand::individual::{Clustering, Limit, silhouette};
/// use evenhand::metrics::Confidence;
/// let features = ndarray::array![[0.0], [1.0], [10.0], [11.0]];
/// let rows = Clustering::new(features.view(), &[0, 0, 1, 1], &[0, 1, 0, 1], None)?;
/// let s = silhouette(&rows, Limit::default(), Confidence::at(0.95));
/// // 1 against 10.5 for the outer ones (0 and 11), 1 against 9.5 for the inner ones.
/// let expected = 0.5 * (9.5 / 10.5 + 8.5 / 9.5);
/// assert!((s.groups[0].value.unwrap() - expected).abs() < 1e-12);
/// # Ok::<(), evenhand::Error>(())
/// ```
pub fn silhouette(rows: &Clustering, limit: Limit, confidence: Confidence) -> Silhouette {
    let block = Block::of(rows, limit);
    // Where each segment starts and ends, and its weight; rows are sorted by segment.
    let mut spans: Vec<(usize, usize, f64)> = Vec::new();
    for (row, segment) in block.segment.iter().enumerate() {
        match spans.last_mut() {
            Some(span) if block.segment[span.0] == *segment => (span.1, span.2) = (row + 1, span.2 + block.weight[row]),
            _ => spans.push((row, row + 1, block.weight[row])),
        }
    }
    let values: Vec<f64> = (0..block.len()).into_par_iter().map(|row| of_row(&block, &spans, row)).collect();
    let mut sums = vec![Sums::default(); rows.group_count];
    let mut all = Sums::default();
    for ((value, group), weight) in values.iter().zip(&block.group).zip(&block.weight) {
        all.push(*weight, *value);
        if let Some(group) = group {
            sums[*group].push(*weight, *value);
        }
    }
    let estimate = |sums: &Sums| {
        let estimate = sums.mean(confidence.level).0;
        if estimate.value.is_some() && spans.len() < 2 {
            return Estimate::undefined(Undefined::OneSegment, estimate.support);
        }
        match estimate.interval() {
            Some((low, high)) => estimate.between(low.max(-1.0), high.min(1.0)),
            None => estimate,
        }
    };
    Silhouette {
        groups: sums.iter().map(estimate).collect(),
        overall: estimate(&all),
        rows: block.len(),
        sampled: block.sampled,
    }
}

fn of_row(block: &Block, spans: &[(usize, usize, f64)], row: usize) -> f64 {
    let here = block.row(row);
    let (mut own, mut other) = (None, f64::INFINITY);
    for (start, end, weight) in spans {
        let others = &block.features[start * block.width..end * block.width];
        let sum: f64 = if block.width == 0 {
            0.0
        } else {
            let weights = &block.weight[*start..*end];
            others.chunks_exact(block.width).zip(weights).map(|(there, w)| w * squared(here, there).sqrt()).sum()
        };
        if (*start..*end).contains(&row) {
            if end - start > 1 {
                own = Some(sum / (weight - block.weight[row]));
            }
        } else {
            other = other.min(sum / weight);
        }
    }
    let most = own.map_or(0.0, |own| own.max(other));
    match own {
        Some(own) if most > 0.0 && most.is_finite() => (other - own) / most,
        _ => 0.0,
    }
}
