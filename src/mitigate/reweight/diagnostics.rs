//! What weights cost: how many rows they leave, in effect, and how far they go.

use serde::{Deserialize, Serialize};

use crate::tally::Cell;

/// What new weights do to the rows that they were fitted on. A row's factor is its new weight over its old one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Diagnostics {
    /// Kish's effective size `(Σw)² / Σw²` with the weights that rows had.
    pub effective_size_before: f64,
    /// The same with the new weights: figures from them are as sure as from so many rows.
    pub effective_size: f64,
    /// The largest factor, relative to the mean one.
    pub largest_factor: f64,
    /// The smallest factor, relative to the mean one.
    pub smallest_factor: f64,
    /// `Σ p ln(p / q)`, in nats: the divergence of the new shares of weight p from the old ones q; 0 where nothing changes.
    pub divergence: f64,
}

impl Diagnostics {
    /// Of cells of rows that share a factor.
    pub(super) fn of_cells(cells: impl Iterator<Item = (Cell, f64)> + Clone) -> Self {
        let (mut before, mut after) = (Cell::default(), Cell::default());
        for (cell, factor) in cells.clone() {
            before.add(&cell, 1.0);
            let [weight, weight_squared] = [factor * cell.weight, factor * factor * cell.weight_squared];
            after.add(&Cell { rows: cell.rows, weight, weight_squared }, 1.0);
        }
        let mean = after.weight / before.weight;
        let (mut largest, mut smallest, mut divergence) = (0.0f64, f64::INFINITY, 0.0);
        for (cell, factor) in cells.filter(|(cell, _)| cell.weight > 0.0) {
            let relative = factor / mean;
            largest = largest.max(relative);
            smallest = smallest.min(relative);
            if relative > 0.0 {
                divergence += cell.weight / before.weight * relative * relative.ln();
            }
        }
        Diagnostics {
            effective_size_before: before.effective(),
            effective_size: after.effective(),
            largest_factor: largest,
            smallest_factor: smallest,
            divergence: f64::max(divergence, 0.0),
        }
    }

    /// Of rows with the weights they had (`None`: 1 each) and the factor of each; rows without weight count nowhere.
    pub(super) fn of_rows(weights: Option<&[f64]>, factors: &[f64]) -> Self {
        Self::of_cells(factors.iter().enumerate().map(|(row, factor)| {
            let weight = weights.map_or(1.0, |w| w[row]);
            (Cell { rows: 1.0, weight, weight_squared: weight * weight }, *factor)
        }))
    }
}
