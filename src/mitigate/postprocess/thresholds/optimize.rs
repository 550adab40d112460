//! The best thresholds under a constraint: one common rate, or one common point of all ROC curves.

use microlp::{ComparisonOp, OptimizationDirection, Problem, Variable};

use super::curve::{Curve, EVERYBODY, Hull, NOBODY, Point};
use super::{Constraint, Mixed};
use crate::{Error, Result};

/// Nobody and everybody: what a draw without the score is between.
const NONE: Point = Point { threshold: NOBODY, below: false, fpr: 0.0, tpr: 0.0 };
const ALL: Point = Point { threshold: EVERYBODY, below: false, fpr: 1.0, tpr: 1.0 };

/// The worth of a point of a group: what its true and its false positive rate add to the objective.
#[derive(Debug, Clone, Copy)]
pub(super) struct Worth {
    pub fpr: f64,
    pub tpr: f64,
}

impl Worth {
    /// Of a group, where a true positive, a false positive, a false negative and a true negative are worth so much, as a mean
    /// over people of so much weight.
    pub fn of([tp, fp, fn_, tn]: [f64; 4], curve: &Curve, whole: f64) -> Self {
        Worth { fpr: (fp - tn) * curve.weights[0] / whole, tpr: (tp - fn_) * curve.weights[1] / whole }
    }

    pub fn at(&self, point: &Point) -> f64 {
        self.fpr * point.fpr + self.tpr * point.tpr
    }
}

/// What it is worth to select nobody of a group.
pub(super) fn nobody([_, _, fn_, tn]: [f64; 4], curve: &Curve, whole: f64) -> f64 {
    (tn * curve.weights[0] + fn_ * curve.weights[1]) / whole
}

/// The rate that a constraint of one rate is on.
fn rate(constraint: Constraint, curve: &Curve, point: &Point) -> f64 {
    match constraint {
        Constraint::EqualOpportunity => point.tpr,
        Constraint::FalsePositiveRateParity => point.fpr,
        _ => curve.selected(point),
    }
}

/// The mixture of each group.
pub(super) fn solve(
    constraint: Constraint,
    slack: f64,
    curves: &[Curve],
    worths: &[Worth],
) -> Result<Vec<Vec<(Point, f64)>>> {
    match constraint {
        Constraint::EqualizedOdds if slack == 0.0 => Ok(one_point(curves, worths)),
        Constraint::EqualizedOdds => near_points(slack, curves, worths),
        _ => Ok(one_rate(constraint, slack, curves, worths)),
    }
}

/// All groups' rates within a window of the slack's width: the objective of the window is concave in where it begins, and
/// changes its slope only where an end of it meets a corner.
fn one_rate(constraint: Constraint, slack: f64, curves: &[Curve], worths: &[Worth]) -> Vec<Vec<(Point, f64)>> {
    let hull = |(curve, worth): (&Curve, &Worth)| {
        let corner = |p: &Point| (rate(constraint, curve, p), worth.at(p), *p);
        Hull::above(curve.points.iter().map(corner))
    };
    let hulls: Vec<Hull> = curves.iter().zip(worths).map(hull).collect();
    let peaks: Vec<f64> = hulls.iter().map(Hull::peak).collect();
    let within = |from: f64, group: usize| peaks[group].clamp(from, from + slack);
    let value = |from: f64| (0..hulls.len()).map(|group| hulls[group].value(within(from, group))).sum::<f64>();
    let mut begins: Vec<f64> =
        hulls.iter().flat_map(|h| &h.corners).flat_map(|c| [c.0, (c.0 - slack).max(0.0)]).collect();
    begins.sort_unstable_by(f64::total_cmp);
    begins.dedup();
    let from = begins[top(begins.len(), |at| value(begins[at]))];
    (0..hulls.len()).map(|group| hulls[group].mixture(within(from, group))).collect()
}

/// The place of the largest of values that rise, then fall.
fn top(count: usize, value: impl Fn(usize) -> f64) -> usize {
    let (mut low, mut high) = (0, count.saturating_sub(1));
    while low < high {
        let middle = low + (high - low) / 2;
        if value(middle) < value(middle + 1) { low = middle + 1 } else { high = middle }
    }
    // On a slope that rounding makes flat, neighbours may be as good or better.
    let (from, to) = (low.saturating_sub(2), (low + 3).min(count));
    (from..to).max_by(|a, b| value(*a).total_cmp(&value(*b)).then(b.cmp(a))).unwrap_or(low)
}

/// The same false and true positive rate for all: under the lowest of the ROC curves' hulls, itself a concave function.
fn one_point(curves: &[Curve], worths: &[Worth]) -> Vec<Vec<(Point, f64)>> {
    let hulls: Vec<Hull> = curves.iter().map(|c| Hull::above(c.points.iter().map(|p| (p.fpr, p.tpr, *p)))).collect();
    let worth =
        worths.iter().fold(Worth { fpr: 0.0, tpr: 0.0 }, |sum, w| Worth { fpr: sum.fpr + w.fpr, tpr: sum.tpr + w.tpr });
    let lowest = |x: f64| hulls.iter().map(|h| h.value(x)).fold(f64::INFINITY, f64::min);
    let mut arguments: Vec<f64> = hulls.iter().flat_map(|h| h.corners.iter().map(|c| c.0)).collect();
    arguments.sort_unstable_by(f64::total_cmp);
    arguments.dedup();
    // Where it is not worth to reach those with a favourable label, the lower edge is best: the diagonal, that is, a draw
    // that does not look at the score.
    let value = |x: f64| worth.fpr * x + worth.tpr * if worth.tpr >= 0.0 { lowest(x) } else { x };
    let best = top(arguments.len(), |at| value(arguments[at]));
    // Two curves may cross between corners; the crossing is a corner of the lowest.
    let mut at = arguments[best];
    for (a, b) in [(best.saturating_sub(1), best), (best, (best + 1).min(arguments.len() - 1))] {
        let (from, to) = (arguments[a], arguments[b]);
        for (i, one) in hulls.iter().enumerate() {
            for other in &hulls[i + 1..] {
                let [gap, end] = [from, to].map(|x| one.value(x) - other.value(x));
                if gap * end < 0.0 {
                    let crossing = from + (to - from) * gap / (gap - end);
                    if value(crossing) > value(at) {
                        at = crossing;
                    }
                }
            }
        }
    }
    let level = if worth.tpr >= 0.0 { lowest(at) } else { at };
    hulls.iter().map(|hull| down_to(hull, at, level)).collect()
}

/// A mixture that reaches a point on or under a hull: the hull's, and for what it is too high a draw without the score.
fn down_to(hull: &Hull, fpr: f64, tpr: f64) -> Vec<(Point, f64)> {
    let mut parts = hull.mixture(fpr);
    let height = hull.value(fpr);
    if height - tpr > 1e-12 {
        let drawn = ((height - tpr) / (height - fpr)).clamp(0.0, 1.0);
        parts.iter_mut().for_each(|(_, share)| *share *= 1.0 - drawn);
        for (point, share) in [(NONE, drawn * (1.0 - fpr)), (ALL, drawn * fpr)] {
            match parts.iter_mut().find(|(own, _)| own.threshold == point.threshold && own.below == point.below) {
                Some((_, own)) => *own += share,
                None => parts.push((point, share)),
            }
        }
        parts.retain(|(_, share)| *share > 0.0);
    }
    parts
}

/// Both rates within windows of the slack's width: a linear program over the corners of the hulls.
fn near_points(slack: f64, curves: &[Curve], worths: &[Worth]) -> Result<Vec<Vec<(Point, f64)>>> {
    let mut program = Problem::new(OptimizationDirection::Maximize);
    let lows = [0, 1].map(|_| program.add_var(0.0, (0.0, 1.0)));
    let mut shares: Vec<Vec<(Point, Variable)>> = Vec::new();
    for (curve, worth) in curves.iter().zip(worths) {
        let hull = Hull::above(curve.points.iter().map(|p| (p.fpr, p.tpr, *p)));
        // Where some are above all others, nobody is no corner.
        let nobody = (hull.corners[0].2.tpr > 0.0).then_some(NONE);
        let corners: Vec<(Point, Variable)> = hull
            .corners
            .iter()
            .map(|(_, _, p)| *p)
            .chain(nobody)
            .map(|p| (p, program.add_var(worth.fpr * p.fpr + worth.tpr * p.tpr, (0.0, f64::INFINITY))))
            .collect();
        program.add_constraint(corners.iter().map(|(_, v)| (*v, 1.0)), ComparisonOp::Eq, 1.0);
        for (low, rate) in lows.iter().zip([|p: &Point| p.fpr, |p: &Point| p.tpr]) {
            let terms = || corners.iter().map(|(p, v)| (*v, rate(p))).chain([(*low, -1.0)]);
            program.add_constraint(terms(), ComparisonOp::Ge, 0.0);
            program.add_constraint(terms(), ComparisonOp::Le, slack);
        }
        shares.push(corners);
    }
    let solution = program.solve().map_err(|e| Error::Infeasible {
        asked: format!("true and false positive rates within {slack}"),
        problem: format!("the linear program over the thresholds has no answer ({e})"),
        remedy: "allow a larger gap".into(),
    })?;
    let mixture = |corners: Vec<(Point, Variable)>| {
        let mut parts: Vec<(Point, f64)> =
            corners.into_iter().map(|(p, v)| (p, *solution.var_value(v))).filter(|(_, share)| *share > 1e-12).collect();
        let sum: f64 = parts.iter().map(|(_, share)| share).sum();
        parts.iter_mut().for_each(|(_, share)| *share /= sum);
        parts
    };
    Ok(shares.into_iter().map(mixture).collect())
}

/// A mixture as it is kept and said.
pub(super) fn told(parts: &[(Point, f64)]) -> Vec<Mixed> {
    let mut told: Vec<Mixed> = parts
        .iter()
        .map(|(point, share)| Mixed { threshold: point.threshold, below: point.below, probability: *share })
        .collect();
    told.sort_by(|a, b| b.threshold.total_cmp(&a.threshold));
    told
}
