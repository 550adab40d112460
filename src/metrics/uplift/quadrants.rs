//! What can be said of who is persuadable without assuming that nobody is harmed.
//!
//! For an outcome of 0 and 1 everybody is one of four: *persuadable* (buys only if treated), *sure thing* (buys either
//! way), *lost cause* (buys neither way), *do not disturb* (buys only if left alone). Nobody is seen in both arms, so that
//! the shares are not known, only bounded: with p1 and p0 the rates of the treated and the held out, the share of the
//! persuadable lies in `[max(0, p1 − p0), min(p1, 1 − p0)]` (Fréchet and Hoeffding), and the others follow from it. Within
//! strata of like people the bounds are closer. If nobody is harmed (monotonicity), the share is `p1 − p0`.
//!
//! # References
//! Fréchet (1951); Tian, Pearl (2000), Probabilities of causation: bounds and identification, UAI.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::arms::{self, Arm};
use super::{Trial, UpliftGroup};
use crate::inference::{Interval, rate, sidak_level};
use crate::metrics::{Estimate, Support, Undefined};

/// The least and the most that a share can be, whoever it is whom the treatment moves.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// The least, of the rates as observed.
    pub least: f64,
    /// The most.
    pub most: f64,
    /// An interval that holds the true share with at least the level asked for: the bounds at the ends of the rates'
    /// own intervals, which hold together.
    pub within: Interval,
}

impl Bounds {
    /// As an estimate: no value, bounds, and the interval that holds the share.
    pub fn estimate(&self, support: Support) -> Estimate {
        let mut estimate = Estimate::undefined(Undefined::NotIdentified, support);
        estimate.bounds = Some([self.least, self.most]);
        estimate.between(self.within.low, self.within.high)
    }
}

/// The bounds of all four shares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quadrants {
    /// Buy only if treated.
    pub persuadable: Bounds,
    /// Buy either way.
    pub sure_thing: Bounds,
    /// Buy neither way.
    pub lost_cause: Bounds,
    /// Buy only if left alone.
    pub do_not_disturb: Bounds,
}

/// The rates of one stratum's arms, with intervals that hold together over all strata.
#[derive(Debug, Clone, Copy)]
struct Rates {
    weight: f64,
    selected: bool,
    /// Held out and treated: least, observed, most.
    p0: [f64; 3],
    p1: [f64; 3],
}

/// Rates in every stratum and side of the decision, or why there are none.
fn strata(group: &UpliftGroup, level: f64) -> Result<(Vec<Rates>, Support), (Undefined, Support)> {
    let support = Arm::of(group.rows.iter().map(|r| (r.weight, 0.0))).support();
    if !group.binary {
        return Err((Undefined::NotBinary, support));
    }
    let mut parts: BTreeMap<(u32, Option<bool>), Vec<&Trial>> = BTreeMap::new();
    for row in group.rows.iter().filter(|r| r.weight > 0.0) {
        parts.entry((row.stratum, row.decision)).or_default().push(row);
    }
    if parts.is_empty() {
        return Err((if group.rows.is_empty() { Undefined::NoRows } else { Undefined::NoWeight }, support));
    }
    let each = sidak_level(level, 2 * parts.len());
    let mut rates = Vec::with_capacity(parts.len());
    for ((_, decision), rows) in &parts {
        let arm = |treated: bool| {
            let rows = rows.iter().filter(move |r| r.treated == treated);
            Arm::of(rows.map(|r| (group.arm_weight(r), r.outcome)))
        };
        let (treated, control) = (arm(true), arm(false));
        if let Some(reason) = arms::missing(&treated, &control) {
            return Err((reason, support));
        }
        let ends = |arm: &Arm| {
            let (x, n) = arm.counts();
            // Exact limits: the interval shall hold whatever the counts.
            let limits = rate::clopper_pearson(x, n, each).unwrap_or(Interval { low: 0.0, high: 1.0 });
            [limits.low.min(arm.mean), arm.mean, limits.high.max(arm.mean)]
        };
        let weight = rows.iter().map(|r| r.weight).sum();
        rates.push(Rates { weight, selected: *decision == Some(true), p0: ends(&control), p1: ends(&treated) });
    }
    Ok((rates, support))
}

/// The bounds of a share of which each stratum has at least `least(p0, p1)` and at most `most(p0, p1)`. `up` says whether
/// these rise with p0 and with p1.
fn bounds(rates: &[Rates], up: [bool; 2], least: fn(f64, f64) -> f64, most: fn(f64, f64) -> f64) -> Bounds {
    let all: f64 = rates.iter().map(|r| r.weight).sum();
    let at = |of: fn(f64, f64) -> f64, end: usize| {
        let place = |up: bool| if up { end } else { 2 - end };
        let part = |r: &Rates| r.weight / all * of(r.p0[place(up[0])], r.p1[place(up[1])]);
        rates.iter().map(part).sum::<f64>().clamp(0.0, 1.0)
    };
    Bounds { least: at(least, 1), most: at(most, 1), within: Interval { low: at(least, 0), high: at(most, 2) } }
}

fn persuadable(rates: &[Rates]) -> Bounds {
    bounds(rates, [false, true], |p0, p1| (p1 - p0).max(0.0), |p0, p1| p1.min(1.0 - p0))
}

/// The shares of the four quadrants in a group, bounded within each stratum and side of the decision.
///
/// # Errors
/// The reason why there are none: outcomes are not 0 and 1, or a stratum has nobody treated or nobody held out.
///
/// # Examples
/// ```
/// use evenhand::metrics::uplift::{Assignment, Trial, UpliftGroup, quadrants::quadrants};
/// let arm = |treated, buyers: usize| (0..100).map(move |i| Trial::new(treated, f64::from(u8::from(i < buyers))));
/// let group = UpliftGroup::new(arm(true, 30).chain(arm(false, 20)).collect(), Assignment::Randomised { propensity: None })?;
/// let shares = quadrants(&group, 0.95).unwrap();
/// assert!((shares.persuadable.least - 0.1).abs() < 1e-12 && (shares.persuadable.most - 0.3).abs() < 1e-12);
/// assert!((shares.do_not_disturb.most - 0.2).abs() < 1e-12);
/// # Ok::<(), evenhand::Error>(())
/// ```
pub fn quadrants(group: &UpliftGroup, level: f64) -> Result<Quadrants, Undefined> {
    let (rates, _) = strata(group, level).map_err(|(reason, _)| reason)?;
    Ok(Quadrants {
        persuadable: persuadable(&rates),
        sure_thing: bounds(&rates, [true, true], |p0, p1| (p1 + p0 - 1.0).max(0.0), f64::min),
        lost_cause: bounds(&rates, [false, false], |p0, p1| (1.0 - p1 - p0).max(0.0), |p0, p1| 1.0 - p0.max(p1)),
        do_not_disturb: bounds(&rates, [true, false], |p0, p1| (p0 - p1).max(0.0), |p0, p1| p0.min(1.0 - p1)),
    })
}

/// The share of the persuadable, bounded: [`quadrants`] as an estimate without a value.
pub fn persuadable_share_bounds(group: &UpliftGroup, level: f64) -> Estimate {
    match strata(group, level) {
        Ok((rates, support)) => persuadable(&rates).estimate(support),
        Err((reason, support)) => Estimate::undefined(reason, support),
    }
}

/// Of the persuadable, the share that the policy treats, bounded without monotonicity: least where the selected have as
/// few and the others as many of them as can be, `L_s / (L_s + U_o)`, and most the other way round.
///
/// Often wide: that is what the hold-out says if the treatment may harm. Undefined also where nobody may be persuadable.
pub fn persuadable_recall_bounds(group: &UpliftGroup, level: f64) -> Estimate {
    let decided = UpliftGroup { rows: group.rows.iter().filter(|r| r.decision.is_some()).copied().collect(), ..*group };
    if decided.rows.is_empty() && !group.rows.is_empty() {
        let support = Arm::of(group.rows.iter().map(|r| (r.weight, 0.0))).support();
        return Estimate::undefined(Undefined::NoDecisions, support);
    }
    let (rates, support) = match strata(&decided, level) {
        Ok(found) => found,
        Err((reason, support)) => return Estimate::undefined(reason, support),
    };
    // Masses, not shares: each side's bounds times its weight.
    let side = |selected: bool| {
        let part: Vec<Rates> = rates.iter().filter(|r| r.selected == selected).copied().collect();
        let weight: f64 = part.iter().map(|r| r.weight).sum();
        let b = if part.is_empty() {
            Bounds { least: 0.0, most: 0.0, within: Interval { low: 0.0, high: 0.0 } }
        } else {
            persuadable(&part)
        };
        [b.least, b.most, b.within.low, b.within.high].map(|v| v * weight)
    };
    let (s, o) = (side(true), side(false));
    let share = |mine: f64, theirs: f64, empty: f64| if mine + theirs > 0.0 { mine / (mine + theirs) } else { empty };
    if s[1] + o[1] <= 0.0 {
        return Estimate::undefined(Undefined::NoEffect, support);
    }
    let within = Interval { low: share(s[2], o[3], 0.0), high: share(s[3], o[2], 1.0) };
    Bounds { least: share(s[0], o[1], 0.0), most: share(s[1], o[0], 1.0), within }.estimate(support)
}
