//! Quantile functions of groups, and the one that all are brought to.

use rayon::slice::ParallelSliceMut;
use serde::{Deserialize, Serialize};

/// The distribution that groups are brought to: of which quantile function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RepairTarget {
    /// The median of the groups' quantile functions, as Feldman and others have it: no one group decides. Of an even
    /// number it is midway between the two in the middle.
    #[default]
    Median,
    /// Their mean, weighted by the groups' size: the barycentre, which moves people least in squares.
    Mean,
}

impl RepairTarget {
    /// The values of the common distribution at shares of it, in rising order.
    pub(crate) fn along(self, groups: &[Quantiles], shares: &[f64]) -> Vec<f64> {
        let lines: Vec<Vec<f64>> = groups.iter().map(|q| q.along(shares)).collect();
        let total: f64 = groups.iter().map(|q| q.weight).sum();
        let value = |at: usize| match self {
            RepairTarget::Median => median(lines.iter().map(|line| line[at]).collect()),
            RepairTarget::Mean => lines.iter().zip(groups).map(|(line, q)| line[at] * (q.weight / total)).sum(),
        };
        (0..shares.len()).map(value).collect()
    }

    /// The value at one share.
    pub(crate) fn at(self, groups: &[Quantiles], share: f64) -> f64 {
        match self {
            RepairTarget::Median => median(groups.iter().map(|q| q.at(share)).collect()),
            RepairTarget::Mean => {
                let total: f64 = groups.iter().map(|q| q.weight).sum();
                groups.iter().map(|q| q.at(share) * (q.weight / total)).sum()
            }
        }
    }
}

/// A value of a distribution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub value: f64,
    /// The share of the weight below it, and half of that at it.
    pub share: f64,
    /// Half of the share at it.
    pub half: f64,
}

/// A distribution: its values in rising order.
#[derive(Debug, Clone)]
pub(crate) struct Quantiles {
    pub steps: Vec<Step>,
    pub weight: f64,
}

impl Quantiles {
    /// Of values with weights above 0, at least one.
    pub fn of(mut values: Vec<(f64, f64)>) -> Self {
        values.par_sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let weight: f64 = values.iter().map(|v| v.1).sum();
        let mut below = 0.0;
        let mut steps = Vec::new();
        for tied in values.chunk_by(|a, b| a.0 == b.0) {
            let half = tied.iter().map(|v| v.1).sum::<f64>() / 2.0;
            steps.push(Step { value: tied[0].0, share: (below + half) / weight, half: half / weight });
            below += 2.0 * half;
        }
        Quantiles { steps, weight }
    }

    /// The shares of its values.
    pub fn shares(&self) -> Vec<f64> {
        self.steps.iter().map(|s| s.share).collect()
    }

    /// The values at shares in rising order: linear between the middles of steps.
    pub fn along(&self, shares: &[f64]) -> Vec<f64> {
        let last = self.steps.len() - 1;
        let mut at = 0;
        let value = |p: &f64| {
            while at < last && self.steps[at].share < *p {
                at += 1;
            }
            self.between(at, *p)
        };
        shares.iter().map(value).collect()
    }

    /// The value at one share.
    pub fn at(&self, p: f64) -> f64 {
        self.between(self.steps.partition_point(|s| s.share < p).min(self.steps.len() - 1), p)
    }

    fn between(&self, at: usize, p: f64) -> f64 {
        let high = self.steps[at];
        match at.checked_sub(1).map(|below| self.steps[below]) {
            Some(low) if p < high.share => {
                low.value + (high.value - low.value) * ((p - low.share) / (high.share - low.share))
            }
            _ => high.value,
        }
    }
}

/// What a value is moved to, of pairs of values and what they are moved to: linear between those seen, as the nearest beyond
/// them.
pub(crate) fn moved(moves: &[[f64; 2]], value: f64) -> f64 {
    let at = moves.partition_point(|m| m[0] < value);
    match (at.checked_sub(1).and_then(|below| moves.get(below)), moves.get(at)) {
        (_, Some([seen, to])) if *seen == value => *to,
        (Some([x0, y0]), Some([x1, y1])) => {
            let share = ((value - x0) / (x1 - x0)).clamp(0.0, 1.0);
            y0 + share * (y1 - y0)
        }
        (Some([seen, to]), None) | (None, Some([seen, to])) => to + (value - seen),
        (None, None) => value,
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let n = values.len();
    // Halves, since the sum may be out of range.
    if n % 2 == 1 { values[n / 2] } else { values[n / 2 - 1] / 2.0 + values[n / 2] / 2.0 }
}
