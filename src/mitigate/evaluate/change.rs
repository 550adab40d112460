//! How a measure changes from one model to another on the same rows.
//!
//! All but the area are sums of means of paired rows, so that the change has a variance in closed form, which is that of
//! draws from the joint cells of (group, label, decision before, decision after).
//!
//! A worst-case gap, max − min over groups, is biased and has no such form. Its change is therefore taken of the pair that
//! was furthest apart *before*: with s and t the pair's signed gaps before and after, s > 0,
//! `|t| − s = max(t − s, −t − s)`, and both are plain contrasts. A fall is shown where both are below 0, which a gap that
//! is turned round is not, and where the pair furthest apart *after* is also closer than the worst one was. A rise is asked
//! of that pair: it must exceed what it was itself, and what the worst pair was. As pairs are chosen by what was seen, intervals and p-values of more than one candidate
//! (pairs × rates) are adjusted for their number by Bonferroni.

use super::area::Areas;
use super::measure::{Extremes, Measure, Rate, Rules, extremes, utility_of};
use super::moments::{Joint, Normal, mean};
use crate::inference::special::{normal_cdf, normal_sf};
use crate::inference::{Interval, z_quantile};
use crate::metrics::Undefined;

/// A change with its interval and two-sided p-value.
pub(super) struct Paired {
    pub value: f64,
    pub interval: Option<Interval>,
    pub p_value: Option<f64>,
    /// The sides' chances: that it only seems smaller, that it only seems larger.
    pub tails: [f64; 2],
    /// The pair furthest apart before, that the change is of, and the one after.
    pub pairs: Option<[Extremes; 2]>,
}

impl Paired {
    fn of(n: Normal, level: f64) -> Self {
        let arm = z_quantile(level) * n.error();
        let interval = Interval { low: n.centre - arm, high: n.centre + arm }.covering(n.value);
        let z = if n.error() > 0.0 { n.centre / n.error() } else { 0.0 };
        Paired {
            value: n.value,
            interval: Some(interval),
            p_value: Some((2.0 * normal_sf(z.abs())).min(1.0)),
            tails: [normal_cdf(z), normal_sf(z)],
            pairs: None,
        }
    }
}

/// The change of a measure from before to after.
pub(super) fn change(joint: &Joint, measure: Measure, areas: [&Areas; 2], rules: &Rules) -> Result<Paired, Undefined> {
    let level = rules.level;
    match measure {
        Measure::Auc => {
            let [before, after] = areas;
            let apart = after.value().zip(before.value()).map(|(a, b)| a - b).ok_or(Undefined::NoScores)?;
            let error = after.error_of_change(before);
            if error <= 0.0 && apart != 0.0 {
                // Labels separated by one, or scores all tied: the rows tell no error.
                return Ok(Paired { value: apart, interval: None, p_value: None, tails: [1.0; 2], pairs: None });
            }
            Ok(Paired::of(Normal { value: apart, centre: apart, variance: error * error }, level))
        }
        Measure::SelectionRate => {
            let n = joint.label(None).mean(-1.0, 1.0).ok_or(Undefined::NoWeight)?;
            Ok(Paired::of(n, level))
        }
        Measure::BalancedAccuracy => {
            let positives = joint.label(Some(true)).mean(-0.5, 0.5).ok_or(Undefined::NoPositives)?;
            let negatives = joint.label(Some(false)).mean(0.5, -0.5).ok_or(Undefined::NoNegatives)?;
            Ok(Paired::of(positives.plus(negatives), level))
        }
        Measure::Accuracy | Measure::Profit => {
            let worth = utility_of(measure, rules).ok_or(Undefined::NoValues)?;
            let (p, n) = (joint.label(Some(true)), joint.label(Some(false)));
            let (of_p, of_n) = (worth.gain(true), worth.gain(false));
            let n = mean(&[(&p, -of_p, of_p, 0.0), (&n, -of_n, of_n, 0.0)]).ok_or(Undefined::NoWeight)?;
            Ok(Paired::of(n, level))
        }
        disparity => disparity_change(joint, disparity, rules),
    }
}

/// A part of a contrast: a group's rate, with what it adds before and after.
type Part = (Rate, usize, f64, f64);

/// `Σ before · b + after · a` over groups' rates.
fn contrast(joint: &Joint, parts: &[Part]) -> Option<Normal> {
    // A group that stands twice in one rate is one mean of its rows.
    let mut merged: Vec<Part> = Vec::with_capacity(parts.len());
    for (rate, group, b, a) in parts {
        match merged.iter_mut().find(|m| (m.0, m.1) == (*rate, *group)) {
            Some(m) => (m.2, m.3) = (m.2 + b, m.3 + a),
            None => merged.push((*rate, *group, *b, *a)),
        }
    }
    merged.iter().try_fold(Normal::default(), |sum, (rate, group, b, a)| {
        Some(sum.plus(rate.rows(&joint.cells[*group]).mean(*b, *a)?))
    })
}

fn disparity_change(joint: &Joint, measure: Measure, rules: &Rules) -> Result<Paired, Undefined> {
    let of = |side: usize| extremes(joint, measure, side, rules.judged).ok_or(Undefined::TooFewGroups);
    let (worst, new) = (of(0)?, of(1)?);
    let groups = rules.judged.len();
    let candidates = (groups * (groups - 1) / 2 * measure.rates().len()) as f64;
    let level = 1.0 - (1.0 - rules.level) / candidates;
    let ratio = measure == Measure::DemographicParityRatio;
    // What the worst pair has come to, and contrasts that are above 0 where it is worse than it was.
    let pair_value =
        of_pair(joint, &worst, 1, ratio)? - if ratio { of_pair(joint, &worst, 0, true)? } else { worst.gap() };
    let (falls, rises) = if ratio {
        let apart = |rate: Rate, before: [usize; 2], after: [usize; 2]| ratio_apart(joint, rate, before, after);
        let (w, n) = ([worst.low, worst.high], [new.low, new.high]);
        let falls = [apart(worst.rate, w, w)?, apart(worst.rate, w, swap(w))?];
        (falls, [apart(new.rate, n, n)?, apart(new.rate, swap(n), n)?, apart(new.rate, w, n)?])
    } else {
        let own = |e: &Extremes, b: f64, a: f64| [(e.rate, e.high, b, a), (e.rate, e.low, -b, -a)];
        let made = |parts: &[Part]| contrast(joint, parts).ok_or(Undefined::UndefinedPart);
        let over = [own(&new, 0.0, 1.0), own(&worst, -1.0, 0.0)].concat();
        let falls = [made(&own(&worst, -1.0, 1.0))?, made(&own(&worst, -1.0, -1.0))?];
        (falls, [made(&own(&new, -1.0, 1.0))?, made(&own(&new, 1.0, 1.0))?, made(&over)?])
    };
    let most = |z: f64| falls.iter().map(|n| n.centre + z * n.error()).fold(f64::NEG_INFINITY, f64::max);
    // Where the pair is alike after, either contrast may be too high by chance: each gets half of that end's error.
    let half = 1.0 - (1.0 - level) / 2.0;
    let worse = Interval { low: most(-z_quantile(half)), high: most(z_quantile(level)) };
    // For the ratio, worse is smaller.
    let interval = if ratio { worse.negate() } else { worse }.covering(pair_value);
    let score = |n: &Normal| if n.error() > 0.0 { n.centre / n.error() } else { 0.0 };
    // All contrasts must say so; for a fall also that of the pair furthest apart now with what the worst pair was, lest
    // another gap has taken its place.
    let fell = falls.iter().chain(&rises[2..]).map(|n| normal_cdf(score(n))).fold(0.0, f64::max);
    let rose = rises.iter().map(|n| normal_sf(score(n))).fold(0.0, f64::max);
    let (fell, rose) = ((candidates * fell).min(1.0), (candidates * rose).min(1.0));
    let tails = if ratio { [rose, fell] } else { [fell, rose] };
    Ok(Paired {
        value: pair_value,
        interval: Some(interval),
        p_value: Some((2.0 * fell.min(rose)).min(1.0)),
        tails,
        pairs: Some([worst, new]),
    })
}

fn swap([a, b]: [usize; 2]) -> [usize; 2] {
    [b, a]
}

/// How far apart a pair is on one side: its gap, or its smaller rate over its larger one.
fn of_pair(joint: &Joint, pair: &Extremes, side: usize, ratio: bool) -> Result<f64, Undefined> {
    let rate = |g: usize| pair.rate.rows(&joint.cells[g]).rate(side).ok_or(Undefined::UndefinedPart);
    let (a, b) = (rate(pair.high)?, rate(pair.low)?);
    match ratio {
        false => Ok((a - b).abs()),
        true if a.max(b) > 0.0 => Ok(a.min(b) / a.max(b)),
        true => Err(Undefined::OverZero),
    }
}

/// How much smaller a ratio of two groups' rates is after than one is before, by the delta method. Groups: numerator,
/// denominator.
fn ratio_apart(joint: &Joint, rate: Rate, before: [usize; 2], after: [usize; 2]) -> Result<Normal, Undefined> {
    let of = |g: usize, side: usize| rate.rows(&joint.cells[g]).rate(side).ok_or(Undefined::UndefinedPart);
    let ([top0, bottom0], [top1, bottom1]) = (before.map(|g| of(g, 0)), after.map(|g| of(g, 1)));
    let (top0, bottom0, top1, bottom1) = (top0?, bottom0?, top1?, bottom1?);
    if (top0 <= 0.0 && bottom0 <= 0.0) || (top1 <= 0.0 && bottom1 <= 0.0) {
        return Err(Undefined::OverZero);
    }
    // A ratio over nobody is above any other.
    const BEYOND: f64 = 1e9;
    if bottom0 <= 0.0 || bottom1 <= 0.0 {
        let sure = if bottom1 <= 0.0 { -BEYOND } else { BEYOND };
        return Ok(Normal { value: sure, centre: sure, variance: 1.0 });
    }
    let (was, is) = (top0 / bottom0, top1 / bottom1);
    let parts = [
        (rate, before[0], 1.0 / bottom0, 0.0),
        (rate, before[1], -was / bottom0, 0.0),
        (rate, after[0], 0.0, -1.0 / bottom1),
        (rate, after[1], 0.0, is / bottom1),
    ];
    let n = contrast(joint, &parts).ok_or(Undefined::UndefinedPart)?;
    Ok(Normal { value: was - is, centre: was - is, ..n })
}
