//! Whether the policy reaches those whom the treatment would move, and what it brings.

use super::arms::Arm;
use super::{Figure, Trial, UpliftGroup, pseudo};
use crate::inference::rate;
use crate::inference::ratio::{FiellerSet, fieller};
use crate::inference::worst::GroupRate;
use crate::metrics::{Estimate, Undefined};

/// The share of the group that the policy would treat. In [0, 1]; Wilson's interval.
pub fn selection_rate(group: &UpliftGroup, level: f64) -> Figure {
    selected_among(group, level, Undefined::NoRows, |_| true)
}

/// The share treated among those whom the model says the treatment would move: `P(decision | score > 0)`.
///
/// It takes the model's word: see [`equal_opportunity_on_persuadables`] for what the hold-out says. In [0, 1]; Wilson's
/// interval. Undefined without scores, or where none is above 0.
///
/// # Examples
/// ```
/// use evenhand::metrics::uplift::{Assignment, Trial, UpliftGroup, targeting::persuadable_selection_rate};
/// let rows = [(0.2, true), (0.1, false), (0.3, true), (-0.1, true), (0.1, true)];
/// let rows = rows.map(|(s, d)| Trial { score: Some(s), decision: Some(d), ..Trial::new(true, 0.0) });
/// let group = UpliftGroup::new(rows.to_vec(), Assignment::Randomised { propensity: Some(0.5) })?;
/// assert_eq!(persuadable_selection_rate(&group, 0.95).estimate.value, Some(0.75));
/// # Ok::<(), evenhand::Error>(())
/// ```
pub fn persuadable_selection_rate(group: &UpliftGroup, level: f64) -> Figure {
    let figure = selected_among(group, level, Undefined::NoEffect, |r| r.score.is_some_and(|s| s > 0.0));
    without_scores(group, figure)
}

/// The share treated among those whom the model says the treatment would harm: `P(decision | score < 0)` (harm parity,
/// where groups have it alike). In [0, 1]; Wilson's interval. Undefined without scores, or where none is below 0.
pub fn harm_selection_rate(group: &UpliftGroup, level: f64) -> Figure {
    let figure = selected_among(group, level, Undefined::NoNegatives, |r| r.score.is_some_and(|s| s < 0.0));
    without_scores(group, figure)
}

/// Says that there are no scores, where that is why there is no figure.
fn without_scores(group: &UpliftGroup, figure: Figure) -> Figure {
    if !group.rows.is_empty() && group.rows.iter().all(|r| r.score.is_none()) {
        return Figure::undefined(Undefined::NoScores, figure.estimate.support);
    }
    figure
}

fn selected_among(group: &UpliftGroup, level: f64, none: Undefined, wanted: impl Fn(&Trial) -> bool + Copy) -> Figure {
    let value = |r: &Trial| f64::from(u8::from(r.decision == Some(true)));
    let rows = group.rows.iter().filter(|r| r.decision.is_some() && wanted(r));
    let all = Arm::of(rows.map(|r| (r.weight, value(r))));
    let support = all.support();
    if all.rows == 0.0 {
        let undecided = !group.rows.is_empty() && group.rows.iter().all(|r| r.decision.is_none());
        return Figure::undefined(if undecided { Undefined::NoDecisions } else { none }, support);
    }
    if all.weight <= 0.0 {
        return Figure::undefined(Undefined::NoWeight, support);
    }
    let (x, n) = all.counts();
    let estimate = Estimate::of(all.mean, support);
    let estimate = match rate::wilson(x, n, level) {
        Some(i) => estimate.between(i.low.min(all.mean), i.high.max(all.mean)),
        None => estimate,
    };
    let error = (all.mean * (1.0 - all.mean) / n).max(0.0).sqrt();
    Figure { estimate, error: Some(error).filter(|e| e.is_finite()), share: Some(GroupRate { x, n }) }
}

/// Of those whom the treatment would move, the share that the policy treats: equal opportunity, where the favourable
/// truth is "persuadable" and nobody's truth is seen.
///
/// `Σ s ψ / Σ ψ`, ψ being each person's pseudo-effect and s the decision. It is the true positive rate among the
/// persuadable under **monotonicity**: the treatment moves some and harms nobody (for an outcome that is a number: the
/// share of the total gain that the policy collects). Without that assumption see
/// [`persuadable_recall_bounds`](super::quadrants::persuadable_recall_bounds).
///
/// In [0, 1]; an estimate beyond is moved to the end. Standard error: of the influence `(s − r) ψ / ψ̄`; the interval is
/// Fieller's, which is [0, 1] where the group's effect may be 0. Without an outcome on one side of the decision there is
/// no interval. Undefined ([`Undefined::NoEffect`]) where the effect is
/// not above 0: report the harm instead.
///
/// # References
/// Lo, Xu, Li, Thielbar (2025), J. Marketing Analytics; Fieller (1954), J. Royal Statistical Society B 16.
///
/// # Examples
/// ```
/// use evenhand::metrics::uplift::{Assignment, Trial, UpliftGroup, targeting::equal_opportunity_on_persuadables};
/// // Selected: 40 of 100 treated buy, 10 of 100 held out. Others: 20 and 10 of 100. Effects .3 and .1.
/// let part = |treated, decision, buyers: usize| (0..100).map(move |i| {
///     Trial { decision: Some(decision), ..Trial::new(treated, f64::from(u8::from(i < buyers))) }
/// });
/// let rows = part(true, true, 40).chain(part(false, true, 10)).chain(part(true, false, 20)).chain(part(false, false, 10));
/// let group = UpliftGroup::new(rows.collect(), Assignment::Randomised { propensity: None })?;
/// let figure = equal_opportunity_on_persuadables(&group, 0.95);
/// assert!((figure.estimate.value().unwrap() - 0.75).abs() < 1e-12);
/// # Ok::<(), evenhand::Error>(())
/// ```
pub fn equal_opportunity_on_persuadables(group: &UpliftGroup, level: f64) -> Figure {
    let pseudos = match pseudo::of(group, true) {
        Ok(pseudos) => pseudos,
        Err((reason, support)) => return Figure::undefined(reason, support),
    };
    let s = |r: &pseudo::Pseudo| f64::from(u8::from(r.selected));
    let (all, taken) = (pseudos.mean(|r| r.effect()), pseudos.mean(|r| s(r) * r.effect()));
    if all.is_nan() || all <= 0.0 {
        return Figure::undefined(Undefined::NoEffect, pseudos.support);
    }
    let ratio = taken / all;
    let estimate = Estimate::of(ratio.clamp(0.0, 1.0), pseudos.support);
    // All or none selected is no matter of chance.
    if pseudos.rows.iter().all(|r| r.selected) || !pseudos.rows.iter().any(|r| r.selected) {
        return Figure { estimate: estimate.between(ratio, ratio), error: Some(0.0), share: None };
    }
    let error = pseudos.variance(|r| (s(r) - ratio) * r.effect() / all).0.map(f64::sqrt);
    let Some(error) = error.filter(|e| e.is_finite() && *e > 0.0) else {
        return Figure { estimate, error: None, share: None };
    };
    let (v11, v22) = (pseudos.variance(|r| s(r) * r.effect() - taken).0, pseudos.variance(|r| r.effect() - all).0);
    let sum = pseudos.variance(|r| (s(r) + 1.0) * r.effect() - taken - all).0;
    let set = match (v11, v22, sum) {
        (Some(v11), Some(v22), Some(sum)) => fieller(taken, all, v11, v22, (sum - v11 - v22) / 2.0, level),
        _ => None,
    };
    let (low, high) = match set {
        Some(FiellerSet::Interval(i)) => (i.low, i.high),
        // The hull of what lies in [0, 1] of two rays.
        Some(FiellerSet::Outside { up_to, from }) => {
            let (below, above) = (up_to.filter(|v| *v >= 0.0), from.filter(|v| *v <= 1.0));
            match (below, above) {
                (Some(end), None) => (0.0, end),
                (None, Some(start)) => (start, 1.0),
                _ => (0.0, 1.0),
            }
        }
        _ => (0.0, 1.0),
    };
    let value = ratio.clamp(0.0, 1.0);
    let estimate = estimate.between(low.clamp(0.0, value), high.clamp(value, 1.0));
    Figure { estimate, error: Some(error), share: None }
}

/// What the policy brings for each person of the group: `E[ψ s]`, the selection rate times the effect among the
/// selected. In the outcome's unit; below 0 where the policy harms on average.
///
/// The error holds the chance of the selection too. Undefined where some side of the decision has nobody treated or
/// nobody held out.
pub fn benefit_per_person(group: &UpliftGroup, level: f64) -> Figure {
    of_pseudos(group, level, |r| if r.selected { r.effect() } else { 0.0 })
}

/// What the policy leaves undone for each person of the group: `E[ψ (1 − s)]`. Above 0 where treating the others too
/// would bring more.
pub fn benefit_forgone(group: &UpliftGroup, level: f64) -> Figure {
    of_pseudos(group, level, |r| if r.selected { 0.0 } else { r.effect() })
}

/// The mean outcome of the group if the policy decided: doubly robust, the mean of the pseudo-outcome of the arm that
/// the policy would choose.
///
/// Without outcome predictions it is the mean outcome of the treated among the selected and of the held out among the
/// others, put together by their weights (self-normalised within each).
///
/// # References
/// Dudík, Langford, Li (2011), Doubly robust policy evaluation and learning, ICML.
pub fn policy_value(group: &UpliftGroup, level: f64) -> Figure {
    of_pseudos(group, level, |r| if r.selected { r.with } else { r.without })
}

fn of_pseudos(group: &UpliftGroup, level: f64, value: impl Fn(&pseudo::Pseudo) -> f64) -> Figure {
    match pseudo::of(group, true) {
        Ok(pseudos) => pseudos.figure(value, level),
        Err((reason, support)) => Figure::undefined(reason, support),
    }
}

/// The mean outcome if the policy decided, by inverse propensity weighting: `Σ w 1{T = s} y / π / Σ w`, π being the
/// propensity of the arm that the person was in (Horvitz and Thompson). It grows noisy where outcomes are far from 0:
/// see [`policy_value_snipw`].
pub fn policy_value_ipw(group: &UpliftGroup, level: f64) -> Figure {
    let known = |r: &&Trial| r.decision.is_some();
    let value = |r: &Trial| if r.decision == Some(r.treated) { r.outcome / r.chance() } else { 0.0 };
    let all = Arm::of(group.rows.iter().filter(known).map(|r| (r.weight, value(r))));
    match matched(group, &all).1 {
        Some(reason) => Figure::undefined(reason, all.support()),
        None => Figure::with_error(all.mean, all.variance, all.size() - 1.0, level, all.support()),
    }
}

/// The mean outcome if the policy decided, by self-normalised inverse propensity weighting:
/// `Σ w 1{T = s} y / π / Σ w 1{T = s} / π` (Hájek). It does not depend on where the outcome's zero is.
///
/// # References
/// Swaminathan, Joachims (2015), The self-normalized estimator for counterfactual learning, NIPS.
pub fn policy_value_snipw(group: &UpliftGroup, level: f64) -> Figure {
    let all = Arm::of(group.rows.iter().filter(|r| r.decision.is_some()).map(|r| (r.weight, 0.0)));
    let (mean, reason) = matched(group, &all);
    match reason {
        Some(reason) => Figure::undefined(reason, all.support()),
        None => Figure::with_error(mean.mean, mean.variance, mean.size() - 1.0, level, mean.support()),
    }
}

/// The rows that were in the arm that the policy would choose, and why there is no value of the policy.
fn matched(group: &UpliftGroup, all: &Arm) -> (Arm, Option<Undefined>) {
    let rows = group.rows.iter().filter(|r| r.decision == Some(r.treated) && r.weight > 0.0);
    let mean = Arm::of(rows.map(|r| (r.weight / r.chance(), r.outcome)));
    let reason = match () {
        () if group.rows.is_empty() => Some(Undefined::NoRows),
        () if all.rows == 0.0 => Some(Undefined::NoDecisions),
        () if all.weight <= 0.0 => Some(Undefined::NoWeight),
        () if mean.weight <= 0.0 => Some(Undefined::NoOverlap),
        () => None,
    };
    (mean, reason)
}

/// What a model's own predictions say that the policy brings for each person: the mean of `s (m1 − m0)`, over the rows
/// with a decision and predictions.
///
/// veritastool's `acquire_benefit` and `rejected_harm` are this figure of a model of acquisition and of one of
/// rejection, with `s` = lift above a threshold. It takes the models' word: compare with [`benefit_per_person`].
pub fn predicted_benefit_per_person(group: &UpliftGroup, level: f64) -> Figure {
    let value = |r: &Trial| Some((r.weight, r.decision.map(f64::from)? * r.predicted.map(|[m0, m1]| m1 - m0)?));
    let all = Arm::of(group.rows.iter().filter_map(value));
    let reason = match () {
        () if group.rows.is_empty() => Undefined::NoRows,
        () if group.rows.iter().all(|r| r.decision.is_none()) => Undefined::NoDecisions,
        () if all.rows == 0.0 => Undefined::NoScores,
        () if all.weight <= 0.0 => Undefined::NoWeight,
        () => return Figure::with_error(all.mean, all.variance, all.size() - 1.0, level, all.support()),
    };
    Figure::undefined(reason, all.support())
}
