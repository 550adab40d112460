//! Whether predicted uplifts are true: by deciles of the score, and on the whole.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::{Figure, UpliftGroup, effects, pseudo};
use crate::metrics::{Estimate, Tested, Undefined};

/// People of like predicted uplift.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// The lowest score in it.
    pub from: f64,
    /// The highest score in it.
    pub to: f64,
    /// The mean score.
    pub predicted: f64,
    /// The effect that the hold-out shows.
    pub observed: Estimate,
    /// The standard error of what is observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<f64>,
}

/// The group's people in up to `bins` parts of about equal weight by rising score: what is predicted of each and what is
/// observed. Equal scores are never parted.
///
/// # References
/// Chernozhukov, Demirer, Duflo, Fernández-Val (2018), Generic machine learning inference on heterogeneous treatment
/// effects (sorted group average effects, GATES).
pub fn by_score(group: &UpliftGroup, bins: usize, level: f64) -> Vec<CalibrationBin> {
    let row = |r: &super::Trial| r.score.map(|s| (s, r.weight)).filter(|(_, w)| *w > 0.0);
    let mut rows: Vec<(f64, f64)> = group.rows.iter().filter_map(row).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all: f64 = rows.iter().map(|r| r.1).sum();
    let (mut from, mut before, mut parts) = (0, 0.0, Vec::new());
    let share = all / bins.max(1) as f64;
    for at in 0..rows.len() {
        before += rows[at].1;
        let last = at + 1 == rows.len();
        let due = before >= share * (parts.len() + 1) as f64 * (1.0 - 1e-12);
        if last || (due && rows[at + 1].0 != rows[at].0) {
            parts.push(&rows[from..=at]);
            from = at + 1;
        }
    }
    let bin = |rows: &[(f64, f64)]| {
        let (low, high) = (rows.first()?.0, rows.last()?.0);
        let weight: f64 = rows.iter().map(|r| r.1).sum();
        let predicted = rows.iter().map(|(s, w)| s * w).sum::<f64>() / weight;
        let within = move |s: f64| s >= low && s <= high;
        let observed =
            effects::among(group, level, Undefined::NoRows, |r| if r.score.is_some_and(within) { 1.0 } else { 0.0 });
        Some(CalibrationBin { from: low, to: high, predicted, observed: observed.estimate, error: observed.error })
    };
    parts.into_iter().filter_map(bin).collect()
}

/// The test that predicted effects are true in every bin: `Σ (observed − predicted)² / error²`, chi-square with as many
/// degrees of freedom as bins with an error. The estimate is the statistic over its degrees of freedom: about 1 where
/// the predictions are true.
pub fn calibration_test(bins: &[CalibrationBin]) -> Tested {
    let part = |b: &CalibrationBin| Some(((b.observed.value? - b.predicted) / b.error.filter(|e| *e > 0.0)?).powi(2));
    let parts: Vec<f64> = bins.iter().filter_map(part).collect();
    let df = parts.len() as f64;
    let statistic: f64 = parts.iter().sum();
    let support = bins.iter().fold(crate::metrics::Support::default(), |mut sum, b| {
        sum.rows += b.observed.support.rows;
        sum.weight += b.observed.support.weight;
        sum.effective_size += b.observed.support.effective_size;
        sum
    });
    match ChiSquared::new(df) {
        Ok(distribution) if statistic.is_finite() => {
            Tested::by(Estimate::of(statistic / df, support), distribution.sf(statistic), "chi-square")
        }
        _ => Tested::untested(Estimate::undefined(Undefined::UndefinedPart, support)),
    }
}

/// How much the model promises too much of a group, on the whole: the mean score less the average effect, over the rows
/// with a score. 0 where the model is right on average; above 0 where it is too hopeful.
///
/// The error is that of the mean of `score − ψ`. Undefined without scores, or where nobody was treated or held out.
pub fn calibration_bias(group: &UpliftGroup, level: f64) -> Figure {
    let scored = UpliftGroup { rows: group.rows.iter().filter(|r| r.score.is_some()).copied().collect(), ..*group };
    let pseudos = match pseudo::of(&scored, false) {
        Ok(pseudos) => pseudos,
        Err((_, support)) if scored.rows.is_empty() && !group.rows.is_empty() => {
            return Figure::undefined(Undefined::NoScores, support);
        }
        Err((reason, support)) => return Figure::undefined(reason, support),
    };
    pseudos.figure(|r| r.score - r.effect(), level)
}
