//! Pseudo-outcomes: for each person two numbers whose means are the mean outcomes without and with the treatment.

use super::arms::{self, Arm};
use super::{Figure, Trial, UpliftGroup};
use crate::metrics::{Support, Undefined};

/// A person's pseudo-outcomes.
///
/// `with = m1 + (treated) v (y − m1)`, `without = m0 + (held out) v (y − m0)`, where `m0` and `m1` are the outcomes
/// predicted, and `v` the inverse of the arm's propensity (augmented inverse propensity weighting). Where nothing is
/// predicted, `m0` and `m1` are the means of the arms among those whom the policy treats alike, and `v` is scaled to
/// add up to their weight: the estimate is then the difference of means within the selected and within the others,
/// put together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pseudo {
    pub weight: f64,
    pub selected: bool,
    /// The predicted uplift, where there is one.
    pub score: f64,
    pub without: f64,
    pub with: f64,
    /// The arm and side of the decision: rows of one cell share degrees of freedom.
    cell: usize,
}

impl Pseudo {
    /// The pseudo-effect.
    pub fn effect(&self) -> f64 {
        self.with - self.without
    }
}

/// The pseudo-outcomes of a group.
#[derive(Debug, Clone)]
pub(super) struct Pseudos {
    pub rows: Vec<Pseudo>,
    pub support: Support,
    /// Whether some cell has too few rows to tell how outcomes vary in it.
    shaky: bool,
}

/// The group's pseudo-outcomes, over the rows whose decision is known, or over all, whatever the decision.
pub(super) fn of(group: &UpliftGroup, by_decision: bool) -> Result<Pseudos, (Undefined, Support)> {
    let wanted = |r: &&Trial| r.weight > 0.0 && (!by_decision || r.decision.is_some());
    let side = |r: &Trial| usize::from(by_decision && r.decision == Some(true));
    let all = Arm::of(group.rows.iter().filter(|r| !by_decision || r.decision.is_some()).map(|r| (r.weight, 0.0)));
    let support = all.support();
    if all.rows == 0.0 && !group.rows.is_empty() {
        return Err((Undefined::NoDecisions, support));
    }
    let arm_of = |s: usize, treated: bool| {
        let rows = group.rows.iter().filter(wanted).filter(move |r| side(r) == s && r.treated == treated);
        Arm::of(rows.map(|r| (group.arm_weight(r), r.outcome)))
    };
    // [held out, treated] of the others and of the selected.
    let cells = [0, 1].map(|s| [arm_of(s, false), arm_of(s, true)]);
    let predicted = group.is_predicted();
    if predicted {
        let both = |arm: usize| Arm {
            rows: cells[0][arm].rows + cells[1][arm].rows,
            weight: cells[0][arm].weight + cells[1][arm].weight,
            ..Arm::default()
        };
        if let Some(reason) = arms::missing(&both(1), &both(0)) {
            return Err((zero_weight(reason, &all), support));
        }
    }
    for [control, treated] in &cells {
        let empty = control.rows + treated.rows == 0.0;
        if let Some(reason) = arms::missing(treated, control).filter(|_| !predicted && !empty) {
            return Err((reason, support));
        }
    }
    if all.weight <= 0.0 {
        return Err((zero_weight(Undefined::NoRows, &all), support));
    }
    let weights =
        [0, 1].map(|s| -> f64 { group.rows.iter().filter(wanted).filter(|r| side(r) == s).map(|r| r.weight).sum() });
    let spread = |arm: &Arm| {
        let n = arm.size();
        if n > 1.0 + 1e-9 { (n / (n - 1.0)).sqrt() } else { 1.0 }
    };
    let row = |r: &Trial| {
        let (s, arm) = (side(r), usize::from(r.treated));
        let (means, factor) = match r.predicted.filter(|_| predicted) {
            Some(means) => (means, 1.0 / r.chance()),
            None => {
                let cell = &cells[s][arm];
                let factor = group.arm_weight(r) / r.weight * weights[s] / cell.weight * spread(cell);
                (cells[s].map(|a| a.mean), factor)
            }
        };
        let miss = factor * (r.outcome - means[arm]);
        let pseudo = if r.treated { (means[0], means[1] + miss) } else { (means[0] + miss, means[1]) };
        let score = r.score.unwrap_or_default();
        Pseudo { weight: r.weight, selected: s == 1, score, without: pseudo.0, with: pseudo.1, cell: 2 * s + arm }
    };
    let rows = group.rows.iter().filter(wanted).map(row).collect();
    let shaky = cells.iter().flatten().any(|a| a.rows > 0.0 && a.size() <= 1.0 + 1e-9);
    Ok(Pseudos { rows, support, shaky: shaky && !predicted })
}

/// Rows there are, but none with weight.
fn zero_weight(reason: Undefined, all: &Arm) -> Undefined {
    if all.rows > 0.0 && all.weight <= 0.0 { Undefined::NoWeight } else { reason }
}

impl Pseudos {
    /// Σ w.
    pub fn weight(&self) -> f64 {
        self.rows.iter().map(|r| r.weight).sum()
    }

    /// Σ w value / Σ w.
    pub fn mean(&self, value: impl Fn(&Pseudo) -> f64) -> f64 {
        self.rows.iter().map(|r| r.weight * value(r)).sum::<f64>() / self.weight()
    }

    /// The variance of a mean whose influences `influence` have mean 0: Σ w² u² / (Σ w)², with its degrees of freedom
    /// (Satterthwaite over arms and sides).
    pub fn variance(&self, influence: impl Fn(&Pseudo) -> f64) -> (Option<f64>, f64) {
        let mut cells = [(0.0, 0.0, 0.0); 4];
        for r in &self.rows {
            let cell = &mut cells[r.cell];
            cell.0 += (r.weight * influence(r)).powi(2);
            cell.1 += r.weight;
            cell.2 += r.weight * r.weight;
        }
        let total = self.weight().powi(2);
        let variance = cells.iter().map(|c| c.0).sum::<f64>() / total;
        let size = |c: &(f64, f64, f64)| (c.1 * c.1 / c.2 - 1.0).max(1e-3);
        let df = arms::satterthwaite(cells.iter().filter(|c| c.2 > 0.0).map(|c| (c.0 / total, size(c))));
        (Some(variance).filter(|_| !self.shaky), df)
    }

    /// A mean with its error.
    pub fn figure(&self, value: impl Fn(&Pseudo) -> f64, level: f64) -> Figure {
        let mean = self.mean(&value);
        let (variance, df) = self.variance(|r| value(r) - mean);
        Figure::with_error(mean, variance, df, level, self.support)
    }
}
