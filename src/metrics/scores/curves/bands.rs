//! How sure a curve is at every cut at once.

use super::walk::ByLabel;
use crate::metrics::scores::ScoredGroup;
use crate::tally::Cell;

/// The sizes that a group's bands count on.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sizes {
    /// Of the share selected.
    pub all: f64,
    /// Of the share of positives, and of negatives, selected.
    pub positives: f64,
    pub negatives: f64,
    /// Of the shares of labelled rows that are selected positives, or selected negatives.
    pub labelled: f64,
}

/// The labels that a share is of, and those that count for it.
const PARTS: [(&[usize], &[usize]); 5] =
    [(&[0, 1, 2], &[0, 1, 2]), (&[1], &[1]), (&[0], &[0]), (&[0, 1], &[1]), (&[0, 1], &[0])];

impl Sizes {
    /// Kish's effective sizes; where weights go with scores, so that the share at some cut is less sure than it could ever be
    /// of so many rows of one weight, the size at which it would be as unsure.
    pub fn of(group: &ScoredGroup, totals: &ByLabel) -> Self {
        let cell = |labels: &[usize]| {
            let mut all = Cell::default();
            labels.iter().for_each(|l| all.add(&totals[*l], 1.0));
            all
        };
        let mut sizes = PARTS.map(|(base, _)| cell(base).effective());
        if group.points.iter().any(|p| p.cell.weight != p.cell.weight_squared) {
            for (size, (base, part)) in sizes.iter_mut().zip(PARTS) {
                let base = cell(base);
                let (mut weight, mut squares, mut most) = (0.0, 0.0, 0.0_f64);
                let counted = group.points.iter().rev().filter(|p| part.contains(&usize::from(p.label.min(2))));
                for point in counted {
                    weight += point.cell.weight;
                    squares += point.cell.weight_squared;
                    let share = weight / base.weight;
                    let variance = (1.0 - share).powi(2) * squares + share.powi(2) * (base.weight_squared - squares);
                    most = most.max(variance / (base.weight * base.weight));
                }
                if most > 0.0 {
                    *size = size.min(0.25 / most);
                }
            }
        }
        let [all, positives, negatives, up, down] = sizes;
        Sizes { all, positives, negatives, labelled: up.min(down) }
    }
}

/// Massart's ε: the distribution function of n rows lies within it of the truth everywhere, `√(ln(2/α) / 2n)`.
pub(super) fn massart(n: f64, level: f64) -> f64 {
    if n <= 0.0 {
        return 1.0;
    }
    ((2.0 / (1.0 - level).max(f64::MIN_POSITIVE)).ln() / (2.0 * n)).sqrt().min(1.0)
}

/// The level of each of two bands that hold together.
pub(super) fn halved(level: f64) -> f64 {
    1.0 - (1.0 - level) / 2.0
}

/// The limits around a value, in [0, 1].
pub(super) fn around(value: f64, by: f64) -> [f64; 2] {
    [(value - by).max(0.0), (value + by).min(1.0)]
}
