//! Comparisons of one metric: two groups, a group with the rest or the whole, and the worst case over all. A figure
//! of one group has no value that compares groups by itself: asked for one, its difference is taken.

use super::measure::Measured;
use super::{Estimate, Support, Undefined};
use crate::audit::Comparison;
use crate::inference::worst::{self, GroupRate};
use crate::inference::{Interval, difference, hypothesis, ratio, z_quantile};
use statrs::distribution::{ContinuousCDF, Normal};

/// A comparison with its test.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Compared {
    pub estimate: Estimate,
    pub p_value: Option<f64>,
    pub test: Option<&'static str>,
    /// Of a comparison of all groups: the positions of the highest and the lowest.
    pub extremes: Option<(usize, usize)>,
}

/// Below this expected count the normal approximation gives way to the exact test.
const SMALL_EXPECTED: f64 = 5.0;

/// What two figures on separate rows rest on together.
pub(crate) fn joint(a: Support, b: Support) -> Support {
    let weight = a.weight + b.weight;
    let squares = |s: Support| if s.effective_size > 0.0 { s.weight * s.weight / s.effective_size } else { 0.0 };
    let squared = squares(a) + squares(b);
    let effective_size = if squared > 0.0 { weight * weight / squared } else { 0.0 };
    Support { rows: a.rows + b.rows, weight, effective_size }
}

/// Why two figures cannot be compared, if they cannot; with what their bounds allow.
fn undefined(a: &Measured, b: &Measured, comparison: Comparison) -> Option<Estimate> {
    let support = joint(a.estimate.support, b.estimate.support);
    let reason = match (a.estimate.value(), b.estimate.value()) {
        (Err(reason), _) => reason,
        (Ok(_), Err(reason)) => reason,
        (Ok(_), Ok(b)) if comparison == Comparison::Ratio && b == 0.0 => Undefined::OverZero,
        _ => return None,
    };
    let mut estimate = Estimate::undefined(reason, support);
    if let (Comparison::Difference, Some(x), Some(y)) = (comparison, a.estimate.bounds, b.estimate.bounds) {
        estimate.bounds = Some([x[0] - y[1], x[1] - y[0]]);
    }
    Some(estimate)
}

/// `a` against `b`, two groups without a row in common.
///
/// Rates: difference by Newcombe's hybrid score interval, ratio by Koopman's score interval. Other metrics:
/// MOVER from the two groups' own intervals (Zou and Donner 2008; Donner and Zou 2012).
pub(crate) fn pair(a: &Measured, b: &Measured, comparison: Comparison, level: f64) -> Compared {
    if let Some(estimate) = undefined(a, b, comparison) {
        return Compared { estimate, ..Compared::default() };
    }
    let (Some(x), Some(y)) = (a.estimate.value, b.estimate.value) else { return Compared::default() };
    let support = joint(a.estimate.support, b.estimate.support);
    let (p_value, test) = match test(a, b) {
        Some((p, name)) => (Some(p), Some(name)),
        None => (None, None),
    };
    let limits = |m: &Measured| m.estimate.interval().map(|(low, high)| Interval { low, high });
    let estimate = match comparison {
        Comparison::Difference | Comparison::Value => {
            let interval = match (a.share, b.share) {
                (Some(p), Some(q)) => difference::newcombe(p.x, p.n, q.x, q.n, level),
                _ if is_cut(a) || is_cut(b) => by_errors(a, b, x - y, level),
                _ => limits(a).zip(limits(b)).map(|(i, j)| difference::mover_difference(x, i, y, j)),
            };
            let estimate = Estimate::of(x - y, support);
            interval.map_or(estimate.clone(), |i| estimate.between(i.low, i.high))
        }
        Comparison::Ratio => {
            let interval = match (a.share, b.share) {
                (Some(p), Some(q)) => ratio::koopman(p.x, p.n, q.x, q.n, level),
                _ => limits(a).zip(limits(b)).and_then(|(i, j)| ratio::mover_ratio(x, i, y, j)),
            };
            let estimate = Estimate::of(x / y, support);
            interval.map_or(estimate.clone(), |i| estimate.between(i.low, i.high.unwrap_or(f64::INFINITY)))
        }
    };
    Compared { estimate, p_value, test, extremes: None }
}

/// Whether an interval ends at 0 for want of anything below: the arm on that side says too little of how sure one is.
fn is_cut(m: &Measured) -> bool {
    m.share.is_none() && m.estimate.low == Some(0.0) && m.estimate.value.is_some_and(|v| v > 0.0)
}

/// An interval of a difference from the standard errors.
fn by_errors(a: &Measured, b: &Measured, apart: f64, level: f64) -> Option<Interval> {
    let arm = z_quantile(level) * a.error?.hypot(b.error?);
    Some(Interval { low: apart - arm, high: apart + arm })
}

/// Fisher's exact test for small unweighted counts, the pooled z test for other rates, z from the
/// standard errors for other metrics.
fn test(a: &Measured, b: &Measured) -> Option<(f64, &'static str)> {
    if let (Some(p), Some(q)) = (a.share, b.share) {
        let pooled = (p.x + q.x) / (p.n + q.n);
        let least = p.n.min(q.n) * pooled.min(1.0 - pooled);
        if a.plain && b.plain && least < SMALL_EXPECTED {
            let whole = |v: f64| v.round() as u64;
            let p = hypothesis::fisher_exact(whole(p.x), whole(p.n - p.x), whole(q.x), whole(q.n - q.x));
            return Some((p, "fisher exact"));
        }
        return hypothesis::two_proportion_z(p.x, p.n, q.x, q.n).map(|t| (t.p_value, "two-proportion z"));
    }
    let (x, y) = (a.estimate.value?, b.estimate.value?);
    let error = a.error?.hypot(b.error?);
    if error <= 0.0 {
        return None;
    }
    let normal = Normal::standard();
    Some(((2.0 * normal.cdf(-((x - y) / error).abs())).min(1.0), "z"))
}

/// A group against the whole batch that it is part of, by way of the others: `rest` holds all other
/// rows, `share` is the group's share of the metric's denominator.
///
/// For a rate or a mean the whole is share·group + (1 − share)·rest, so the difference is (1 − share) times
/// that to the rest and the ratio R / (share·R + 1 − share): their intervals follow. Other metrics are
/// compared as if the whole were apart, which is conservative.
pub(crate) fn with_whole(
    group: &Measured,
    rest: &Measured,
    whole: &Measured,
    comparison: Comparison,
    level: f64,
) -> Compared {
    if let Some(estimate) = undefined(group, whole, comparison) {
        return Compared { estimate, ..Compared::default() };
    }
    let (Some(x), Some(all)) = (group.estimate.value, whole.estimate.value) else { return Compared::default() };
    let support = whole.estimate.support;
    let figure = match comparison {
        Comparison::Difference | Comparison::Value => x - all,
        Comparison::Ratio => x / all,
    };
    let mixes = group.share.is_some();
    if !mixes {
        return pair(group, whole, comparison, level);
    }
    let share = if support.weight > 0.0 { group.estimate.support.weight / support.weight } else { 1.0 };
    let estimate = Estimate::of(figure, support);
    if rest.estimate.value.is_none() {
        // The group is all there is.
        return Compared { estimate: estimate.between(figure, figure), ..Compared::default() };
    }
    let apart = pair(group, rest, comparison, level);
    let (p_value, test) = (apart.p_value, apart.test);
    let turned = match comparison {
        Comparison::Difference | Comparison::Value => {
            apart.estimate.interval().map(|(low, high)| ((1.0 - share) * low, (1.0 - share) * high))
        }
        Comparison::Ratio => {
            let turn = |r: f64| if r.is_finite() { r / (share * r + 1.0 - share) } else { 1.0 / share };
            // A rest of zero makes the ratio to it unbounded, the ratio to the whole 1 / share.
            let low = apart.estimate.low.or_else(|| {
                let (p, q) = (group.share?, rest.share?);
                ratio::koopman(p.x, p.n, q.x, q.n, level).map(|i| i.low)
            });
            low.map(|low| (turn(low), turn(apart.estimate.high.unwrap_or(f64::INFINITY))))
        }
    };
    let estimate = turned.map_or(estimate.clone(), |(low, high)| estimate.between(low, high));
    Compared { estimate, p_value, test, extremes: None }
}

/// The worst case over groups without a row in common: max − min, or min / max, with an interval that holds
/// simultaneously over all pairs. Groups whose figure is undefined must be left out by the caller.
pub(crate) fn worst_case(groups: &[&Measured], comparison: Comparison, level: f64) -> Compared {
    let support = groups.iter().fold(Support::default(), |sum, g| joint(sum, g.estimate.support));
    let figures: Vec<f64> = groups.iter().filter_map(|g| g.estimate.value).collect();
    if figures.len() < 2 || figures.len() < groups.len() {
        let selective = groups.iter().any(|g| g.estimate.reason == Some(Undefined::SelectiveLabels));
        let mut estimate =
            Estimate::undefined(if selective { Undefined::SelectiveLabels } else { Undefined::TooFewGroups }, support);
        let bounds: Option<Vec<[f64; 2]>> = groups.iter().map(|g| g.estimate.bounds).collect();
        if let (Comparison::Difference, Some(bounds), true) = (comparison, bounds, groups.len() > 1) {
            let over = |at: usize, pick: fn(f64, f64) -> f64, from: f64| bounds.iter().map(|b| b[at]).fold(from, pick);
            let (least, most) = (f64::INFINITY, f64::NEG_INFINITY);
            estimate.bounds = Some([
                (over(0, f64::max, most) - over(1, f64::min, least)).max(0.0),
                over(1, f64::max, most) - over(0, f64::min, least),
            ]);
        }
        return Compared { estimate, ..Compared::default() };
    }
    let max = figures.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let min = figures.iter().copied().fold(f64::INFINITY, f64::min);
    // The first of those that reach it, whatever rounding makes of equals.
    let first = |end: f64| figures.iter().position(|v| (v - end).abs() <= 1e-9 * end.abs()).unwrap_or(0);
    let (highest, lowest) = (first(max), first(min));
    let shares: Option<Vec<GroupRate>> = groups.iter().map(|g| g.share).collect();
    let normal: Option<Vec<(f64, f64)>> = groups.iter().map(|g| Some((g.estimate.value?, g.error?))).collect();
    let (figure, interval) = match comparison {
        Comparison::Difference | Comparison::Value => {
            let interval = match (&shares, &normal) {
                (Some(rates), _) => worst::gap_interval(rates, level),
                (None, Some(values)) => worst::gap_interval_normal(values, level),
                _ => None,
            };
            (Some(max - min), interval)
        }
        Comparison::Ratio => {
            let interval = match (&shares, &normal) {
                (Some(rates), _) => worst::ratio_interval(rates, level),
                (None, Some(values)) if min > 0.0 => worst::ratio_interval_normal(values, level),
                _ => None,
            };
            ((max > 0.0 && min >= 0.0).then(|| min / max), interval)
        }
    };
    let Some(figure) = figure else {
        let reason = if max == 0.0 { Undefined::OverZero } else { Undefined::NotFinite };
        return Compared { estimate: Estimate::undefined(reason, support), ..Compared::default() };
    };
    let estimate = Estimate::of(figure, support);
    let estimate = interval.map_or(estimate.clone(), |i| estimate.between(i.low, i.high));
    let (p_value, test) = match (&shares, groups) {
        (_, [a, b]) => test(a, b).map_or((None, None), |(p, name)| (Some(p), Some(name))),
        (Some(rates), _) => {
            let pairs: Vec<(f64, f64)> = rates.iter().map(|r| (r.x, r.n)).collect();
            let test = hypothesis::chi_square_homogeneity(&pairs);
            (test.as_ref().map(|t| t.p_value), test.as_ref().map(|_| "chi-square homogeneity"))
        }
        _ => (None, None),
    };
    Compared { estimate, p_value, test, extremes: Some((highest, lowest)) }
}

/// Several worst cases as one: the worse of them, or the mean of them. Each part must be at a level
/// that holds for all together.
pub(crate) fn join(parts: &[Compared], comparison: Comparison, worst: bool) -> Compared {
    let support = parts.first().map_or_else(Support::default, |p| p.estimate.support);
    if let Some(part) = parts.iter().find(|p| p.estimate.value.is_none()) {
        let selective = part.estimate.reason == Some(Undefined::SelectiveLabels);
        let reason = if selective { Undefined::SelectiveLabels } else { Undefined::UndefinedPart };
        return Compared { estimate: Estimate::undefined(reason, support), ..Compared::default() };
    }
    let size = |v: f64| if comparison == Comparison::Difference { v.abs() } else { v.min(1.0 / v) };
    // Sizes of signed parts: an interval that holds zero reaches down to no disparity at all.
    let ends = |e: &Estimate| -> Option<(f64, f64)> {
        let (low, high) = e.interval()?;
        Some(match comparison {
            Comparison::Difference | Comparison::Value if low <= 0.0 && high >= 0.0 => (0.0, low.abs().max(high)),
            Comparison::Difference | Comparison::Value => (low.abs().min(high.abs()), low.abs().max(high.abs())),
            Comparison::Ratio if low <= 1.0 && high >= 1.0 => (low.min(1.0 / high), 1.0),
            Comparison::Ratio => (size(low).min(size(high)), size(low).max(size(high))),
        })
    };
    let values: Vec<f64> = parts.iter().filter_map(|p| p.estimate.value).map(size).collect();
    let intervals: Option<Vec<(f64, f64)>> = parts.iter().map(|p| ends(&p.estimate)).collect();
    let fold = |values: &mut dyn Iterator<Item = f64>| -> f64 {
        match (worst, comparison) {
            (true, Comparison::Difference | Comparison::Value) => values.fold(0.0, f64::max),
            (true, Comparison::Ratio) => values.fold(f64::INFINITY, f64::min),
            (false, _) => values.sum::<f64>() / parts.len() as f64,
        }
    };
    let mut estimate = Estimate::of(fold(&mut values.iter().copied()), support);
    if let Some(intervals) = intervals {
        let low = fold(&mut intervals.iter().map(|i| i.0));
        estimate = estimate.between(low, fold(&mut intervals.iter().map(|i| i.1)));
    }
    let gravest = values.iter().enumerate().reduce(|a, b| {
        let worse = if comparison == Comparison::Difference { b.1 > a.1 } else { b.1 < a.1 };
        if worse { b } else { a }
    });
    let extremes = gravest.and_then(|(at, _)| parts[at].extremes);
    // Each part is a test of its own; the smallest p pays for all (Bonferroni).
    let smallest = parts.iter().filter_map(|p| p.p_value).reduce(f64::min);
    let p_value = smallest.map(|p| (p * parts.len() as f64).min(1.0));
    let test = if parts.len() > 1 { Some("bonferroni of its parts") } else { parts.first().and_then(|p| p.test) };
    Compared { estimate, p_value, test: p_value.and(test), extremes }
}
