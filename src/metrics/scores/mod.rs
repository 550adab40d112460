//! Measures of scores: how well they rank and how true they are, by group.

pub(crate) mod auc;
pub(crate) mod calibration;
pub(crate) mod curves;
pub(crate) mod distance;
pub(crate) mod effect;
pub(crate) mod error;
#[cfg(test)]
mod fixtures;
pub(crate) mod histogram;
pub(crate) mod mean;
pub(crate) mod roc;
pub(crate) mod rounding;
mod rows;
pub(crate) mod soft;

pub use auc::{auc, average_precision, delong_paired, xauc, xauc_difference};
pub use calibration::{
    BrierDecomposition, CALIBRATION_BINS, LOG_LOSS_CLIP, LOGIT_CLIP, Recalibration, ReliabilityBin,
    brier_decomposition, brier_score, brier_skill_score, calibration_in_the_large, calibration_intercept,
    calibration_slope, expected_calibration_error, expected_calibration_error_debiased, log_loss,
    observed_expected_ratio, recalibration, reliability_curve, root_calibration_error_debiased,
};
pub use curves::{
    Curve, CurveFigure, CurvePoint, GroupAtCut, LEAST_BUDGET, budget_curve, cut_at, selection_gap_over_budgets,
    threshold_curve, worst_impact_ratio_over_budgets,
};
pub use distance::{kolmogorov_smirnov, wasserstein};
pub use effect::{hedges_g, standardized_mean_difference};
pub use error::{ErrorSums, correlation, mean_absolute_error, mean_error, r2, root_mean_squared_error};
pub use roc::{RocPoint, abroca, roc_curve};
pub use rows::{RowScore, auc_by_group};
pub use soft::{
    generalized_accuracy, generalized_false_negative_rate, generalized_false_positive_rate,
    generalized_true_negative_rate, generalized_true_positive_rate,
};

use crate::tally::Cell;

/// The rows of one group that share a score and a label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScorePoint {
    /// The score.
    pub score: f64,
    /// 0 unfavourable, 1 favourable, 2 unknown.
    pub label: u8,
    /// How many rows, and their weight.
    pub cell: Cell,
}

/// The scored rows of one group, by rising score; of equal scores by label.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScoredGroup {
    /// The points, sorted by score and label; no two share both.
    pub points: Vec<ScorePoint>,
}

impl ScoredGroup {
    /// From rows, in any order: scores (finite), labels (0, 1, or 2 for unknown) and weights (`None`: 1 each).
    pub fn from_rows(scores: &[f64], labels: &[u8], weights: Option<&[f64]>) -> Self {
        let mut order: Vec<usize> = (0..scores.len().min(labels.len())).collect();
        order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]).then(labels[*a].cmp(&labels[*b])));
        let mut points: Vec<ScorePoint> = Vec::new();
        for row in order {
            let weight = weights.map_or(1.0, |w| w[row]);
            let cell = Cell { rows: 1.0, weight, weight_squared: weight * weight };
            match points.last_mut() {
                Some(last) if last.score == scores[row] && last.label == labels[row] => last.cell.add(&cell, 1.0),
                _ => points.push(ScorePoint { score: scores[row], label: labels[row], cell }),
            }
        }
        ScoredGroup { points }
    }

    /// The rows of several groups together.
    pub fn joined(groups: &[&ScoredGroup]) -> Self {
        let mut all: Vec<ScorePoint> = groups.iter().flat_map(|g| &g.points).copied().collect();
        all.sort_by(|a, b| a.score.total_cmp(&b.score).then(a.label.cmp(&b.label)));
        let mut points: Vec<ScorePoint> = Vec::with_capacity(all.len());
        for point in all {
            match points.last_mut() {
                Some(last) if last.score == point.score && last.label == point.label => last.cell.add(&point.cell, 1.0),
                _ => points.push(point),
            }
        }
        ScoredGroup { points }
    }
}

/// What holds for all groups of a scored model.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scoring {
    /// Whether every score is in [0, 1], so that it can be read as a probability.
    pub probabilities: bool,
}
