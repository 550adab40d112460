//! Who is among the first: skew, divergence of prefixes from the wanted shares, infeasible prefixes, top-k rates.

use super::chance::{self, Asked, CUT, Chance, Kind, distance, normaliser};
use super::prefix::{Points, discount, over_prefixes, over_ties};
use super::{Ranking, list::Block};
use crate::inference::worst::{self, GroupRate, sidak_level};
use crate::inference::{hypothesis, rate, ratio, z_quantile};
use crate::metrics::{Confidence, Estimate, Support, Tested, Undefined};
use statrs::distribution::{ContinuousCDF, Normal};

/// The first 10 % of a list, at least 10 rows and at most all.
pub fn default_k(rows: usize) -> usize {
    rows.div_ceil(10).max(10).min(rows)
}

pub(super) fn support(rows: f64) -> Support {
    Support { rows, weight: rows, effective_size: rows }
}

/// The wanted shares, summing to 1: the given ones, or each group's share of the list.
pub(super) fn wanted(ranking: &Ranking, targets: Option<&[f64]>) -> Result<Vec<f64>, Undefined> {
    if ranking.rows() == 0 {
        return Err(Undefined::NoRows);
    }
    let Some(targets) = targets else { return Ok(ranking.shares()) };
    let sum: f64 = targets.iter().sum();
    let valid = targets.len() == ranking.groups() && targets.iter().all(|t| *t >= 0.0) && sum > 0.0 && sum.is_finite();
    if valid { Ok(targets.iter().map(|t| t / sum).collect()) } else { Err(Undefined::NoTarget) }
}

/// Each group's skew among the first `k`: `ln(share of the first k / share wanted)`, 0 where it has what is wanted.
///
/// In (−∞, ∞). Exact over ties. `targets`: the shares wanted; `None`: each group's share of the whole list. The interval
/// comes from Wilson's for the share of the first k, or, where shares of the list are wanted, from Koopman's for the
/// group's chance to be among the first k over that of all others, which allows for the list being the same. A group of
/// which nobody is among the first has no figure (`NobodySelected`: it would be −∞), only an upper end; one of which
/// nothing is wanted none either (`NoTarget`).
///
/// # References
/// Geyik, Ambler, Kenthapadi (2019), Fairness-aware ranking in search & recommendation systems, KDD.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, ranking::{Ranking, skew}};
/// let list = Ranking::from_ordered(&[0, 1, 1, 1, 0, 0, 0, 1, 0, 1], 2, None);
/// let skew = skew::skew_at_k(&list, 4, None, Confidence::at(0.95));
/// assert!((skew[0].value.unwrap() - 0.5f64.ln()).abs() < 1e-12);
/// assert!((skew[1].value.unwrap() - 1.5f64.ln()).abs() < 1e-12);
/// ```
pub fn skew_at_k(ranking: &Ranking, k: usize, targets: Option<&[f64]>, confidence: Confidence) -> Vec<Estimate> {
    let k = k.min(ranking.rows());
    let first = ranking.among_first(k);
    let shares = match wanted(ranking, targets) {
        Ok(shares) => shares,
        Err(reason) => return vec![Estimate::undefined(reason, support(0.0)); ranking.groups()],
    };
    let (rows, top) = (ranking.rows() as f64, k as f64);
    let all = shares.into_iter().zip(ranking.sizes()).zip(first);
    all.map(|((share, size), x)| Place { x, size: *size, share, top, rows }.skew(targets.is_some(), confidence.level))
        .collect()
}

/// Where a group stands: `x` of its `size` rows are among the first `top` of all `rows`, and a share of them is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub x: f64,
    pub size: f64,
    pub share: f64,
    pub top: f64,
    pub rows: f64,
}

impl Place {
    /// The skew; `given`: the wanted share was set, and is not that of the list.
    pub fn skew(self, given: bool, level: f64) -> Estimate {
        let Place { x, size, share, top, rows } = self;
        let support = support(top);
        if top <= 0.0 {
            return Estimate::undefined(Undefined::NoRows, support);
        } else if share <= 0.0 {
            return Estimate::undefined(if size > 0.0 { Undefined::NoTarget } else { Undefined::NoRows }, support);
        }
        let limits = if given {
            rate::wilson(x, top, level).map(|i| (i.low / share, i.high / share))
        } else if size >= rows || top >= rows {
            // The group is the list, or everybody is among the first: nothing else is possible.
            Some((1.0, 1.0))
        } else {
            // R = rate of the group / rate of the others; rate of the group / rate of all = R / (share R + 1 - share).
            let turn = |r: f64| if r.is_finite() { r / (share * r + 1.0 - share) } else { 1.0 / share };
            let others = top - x;
            if others <= 0.0 {
                rate::wilson(x, top, level).map(|i| (i.low / share, 1.0 / share))
            } else {
                ratio::koopman(x, size, others, rows - size, level)
                    .map(|i| (turn(i.low), turn(i.high.unwrap_or(f64::INFINITY))))
            }
        };
        let (low, high) = limits.unwrap_or((0.0, f64::INFINITY));
        if x > 0.0 {
            let value = (x / (top * share)).ln();
            // Where nothing else is possible the ends are the figure, but for rounding.
            Estimate::of(value, support).between(low.ln().min(value), high.ln().max(value))
        } else {
            Estimate::undefined(Undefined::NobodySelected, support).between(low.ln(), high.ln())
        }
    }
}

/// Which end of the groups' skews.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Least,
    Most,
}

/// The least skew of any group among the first `k`: 0 at best, below 0 where a group is held back.
///
/// Skews as in [`skew_at_k`]; groups of which nothing is wanted or that have no rows are left out. The interval holds
/// the least of simultaneous limits (Šidák's level), so that on a fair list it holds 0 with at least the level. The test:
/// each group's chance to be among the first against that of the others by Fisher's exact test on the expected counts
/// (against the wanted share by the score test where `targets` are given), times the number of groups. Where nobody of
/// some group is among the first it is −∞: no figure (`NobodySelected`), only an upper end, and the test.
///
/// # References
/// Geyik, Ambler, Kenthapadi (2019), as for [`skew_at_k`].
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, ranking::{Ranking, skew}};
/// let list = Ranking::from_ordered(&[0, 1, 1, 1, 0, 0, 0, 1, 0, 1], 2, None);
/// let least = skew::min_skew_at_k(&list, 4, None, Confidence::at(0.95));
/// assert!((least.estimate.value.unwrap() - 0.5f64.ln()).abs() < 1e-12);
/// assert!(least.estimate.high.unwrap() >= 0.0 && least.p_value.unwrap() > 0.4);
/// ```
pub fn min_skew_at_k(ranking: &Ranking, k: usize, targets: Option<&[f64]>, confidence: Confidence) -> Tested {
    extreme(ranking, k, targets, confidence, End::Least)
}

/// The largest skew of any group among the first `k`: 0 at best, above 0 where a group is favoured.
///
/// As [`min_skew_at_k`], for the other end; groups of which nobody is among the first do not matter here.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, ranking::{Ranking, skew}};
/// let list = Ranking::from_ordered(&[0, 1, 1, 1, 0, 0, 0, 1, 0, 1], 2, None);
/// let most = skew::max_skew_at_k(&list, 4, None, Confidence::at(0.95));
/// assert!((most.estimate.value.unwrap() - 1.5f64.ln()).abs() < 1e-12);
/// ```
pub fn max_skew_at_k(ranking: &Ranking, k: usize, targets: Option<&[f64]>, confidence: Confidence) -> Tested {
    extreme(ranking, k, targets, confidence, End::Most)
}

fn extreme(ranking: &Ranking, k: usize, targets: Option<&[f64]>, confidence: Confidence, end: End) -> Tested {
    let k = k.min(ranking.rows());
    let undefined = |reason| Tested::untested(Estimate::undefined(reason, support(k as f64)));
    let shares = match wanted(ranking, targets) {
        Ok(shares) => shares,
        Err(reason) => return undefined(reason),
    };
    let counted: Vec<usize> = (0..shares.len()).filter(|g| shares[*g] > 0.0).collect();
    if counted.len() < 2 {
        return undefined(Undefined::TooFewGroups);
    }
    let level = sidak_level(confidence.level, counted.len());
    let skews = skew_at_k(ranking, k, targets, Confidence { level, ..confidence });
    let bound = |side: fn(&Estimate) -> Option<f64>, missing: f64| {
        let sides = counted.iter().map(|g| side(&skews[*g]).unwrap_or(missing));
        sides.reduce(if end == End::Least { f64::min } else { f64::max }).unwrap_or(missing)
    };
    let (low, high) = (bound(|e| e.low, f64::NEG_INFINITY), bound(|e| e.high, f64::INFINITY));
    let least = counted.iter().map(|g| skews[*g].value.unwrap_or(f64::NEG_INFINITY));
    let value = least.reduce(if end == End::Least { f64::min } else { f64::max }).unwrap_or(f64::NAN);
    let estimate = if value.is_finite() {
        Estimate::of(value, support(k as f64))
    } else {
        Estimate::undefined(if k == 0 { Undefined::NoRows } else { Undefined::NobodySelected }, support(k as f64))
    };
    let first = ranking.among_first(k);
    let (p, test) = match targets {
        Some(_) => (least_score_p(&first, k as f64, &shares, &counted), "score test of the shares, Bonferroni"),
        None => (least_fisher_p(&first, ranking.sizes(), k, &counted), "fisher exact, Bonferroni"),
    };
    let estimate = estimate.between(low, high);
    p.map_or(Tested::untested(estimate.clone()), |p| Tested::by(estimate, p, test))
}

/// The least of the groups' Fisher tests against all others, times their number.
fn least_fisher_p(first: &[f64], sizes: &[f64], k: usize, groups: &[usize]) -> Option<f64> {
    let rows: f64 = sizes.iter().sum();
    let test = |g: &usize| {
        let (a, size, k) = (first[*g].round(), sizes[*g], k as f64);
        let [a, b, c, d] = [a, size - a, k - a, rows - size - (k - a)].map(|v| v.max(0.0) as u64);
        hypothesis::fisher_exact(a, b, c, d)
    };
    let tests: Vec<f64> = groups.iter().filter(|g| sizes[**g] > 0.0).map(test).collect();
    // Of two groups that are the list both tests are the same one.
    let count = if sizes.iter().filter(|s| **s > 0.0).count() == 2 { 1.0 } else { tests.len() as f64 };
    tests.into_iter().reduce(f64::min).map(|p| (p * count).min(1.0))
}

fn least_score_p(first: &[f64], k: f64, shares: &[f64], groups: &[usize]) -> Option<f64> {
    let counted = groups.iter().filter(|g| shares[**g] < 1.0 && k > 0.0);
    let test = |g: &usize| {
        let (x, q) = (first[*g], shares[*g]);
        two_sided((x - k * q) / (k * q * (1.0 - q)).sqrt())
    };
    let tests: Vec<f64> = counted.map(test).collect();
    let count = if shares.iter().filter(|q| **q > 0.0).count() == 2 { 1.0 } else { tests.len() as f64 };
    tests.into_iter().reduce(f64::min).map(|p| (p * count).min(1.0))
}

/// A distance of a list's prefixes from the wanted shares, against what chance shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PrefixDistance {
    /// The distance with the test against chance, `p = (1 + #{as far}) / (1 + draws)`, and without an interval: noise
    /// pushes a distance up, and no interval that was tried holds what is left without it.
    pub tested: Tested,
    /// The mean distance by chance: of the same rows in random order, or of rows drawn with the wanted shares.
    pub by_chance: Option<f64>,
    /// The distance less what chance shows: about 0 on a fair list, however short.
    pub excess: Option<f64>,
}

impl PrefixDistance {
    fn undefined(reason: Undefined, rows: usize) -> Self {
        let estimate = Estimate::undefined(reason, support(rows as f64));
        PrefixDistance { tested: Tested::untested(estimate), ..Default::default() }
    }
}

/// The name of the tests by draws.
pub(super) const TEST: &str = "permutation of the order";

/// Normalised discounted KL divergence: `(1/Z) Σ_i KL(shares of the first i ‖ wanted) / log2(i + 1)`, i = 1, 2, ..., all
/// rows, `Z = Σ_i 1 / log2(i + 1)`, natural logarithms in KL.
///
/// At least 0; 0 only if every prefix has the wanted shares, which short prefixes cannot have: hence
/// [`by_chance`](PrefixDistance::by_chance) (its exact mean over random orders, or of draws where `targets` are given) and
/// [`excess`](PrefixDistance::excess). The mean over all orders of the ties. From position 16,384 on one prefix stands for a
/// stretch of a 256th, in ties of more than 64 rows 16 prefixes for all. The test is of random order (of rows drawn with
/// the wanted shares where `targets` are given), on a list that beyond position 2,048 counts as tied in stretches of a
/// 32nd; on long lists of many groups it draws fewer lists than the bootstrap's number, never fewer than 199 of them.
/// `NoTarget` where a group is on the list of which nothing is wanted.
///
/// # References
/// Geyik, Ambler, Kenthapadi (2019), Fairness-aware ranking in search & recommendation systems, KDD, definition 5.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, ranking::{Ranking, skew}};
/// // Two rows, half wanted of each: KL of the first prefix is ln 2, of the second 0.
/// let list = Ranking::from_ordered(&[0, 1], 2, None);
/// let found = skew::ndkl(&list, None, Confidence::at(0.95));
/// let expected = 2f64.ln() / (1.0 + 1.0 / 3f64.log2());
/// assert!((found.tested.estimate.value.unwrap() - expected).abs() < 1e-12);
/// assert!(found.excess.unwrap().abs() < 1e-12); // chance shows nothing else
/// ```
pub fn ndkl(ranking: &Ranking, targets: Option<&[f64]>, confidence: Confidence) -> PrefixDistance {
    let asked = Asked { targets: normed(targets), divergence: true, ..Asked::default() };
    ndkl_by(ranking, targets, || chance::against(ranking, &asked, confidence.bootstrap))
}

/// Targets that sum to 1.
pub(super) fn normed(targets: Option<&[f64]>) -> Option<Vec<f64>> {
    let targets = targets?;
    let sum: f64 = targets.iter().sum();
    Some(targets.iter().map(|t| t / sum).collect())
}

/// [`ndkl`] with what chance shows, which is only asked for where there is a figure.
pub(super) fn ndkl_by<C: std::borrow::Borrow<Chance>>(
    ranking: &Ranking,
    targets: Option<&[f64]>,
    chance: impl FnOnce() -> C,
) -> PrefixDistance {
    let rows = ranking.rows();
    let shares = match wanted(ranking, targets) {
        Ok(shares) => shares,
        Err(reason) => return PrefixDistance::undefined(reason, rows),
    };
    if ranking.sizes().iter().zip(&shares).any(|(size, share)| *size > 0.0 && *share <= 0.0) {
        return PrefixDistance::undefined(Undefined::NoTarget, rows);
    }
    let counted: Vec<usize> = (0..shares.len()).filter(|g| shares[*g] > 0.0).collect();
    if counted.len() < 2 {
        return PrefixDistance::undefined(Undefined::TooFewGroups, rows);
    }
    let points = Points::new(rows, 1, discount);
    let normaliser: f64 = points.iter().map(|p| p.1).sum();
    let sum = over_prefixes(ranking, &points, &counted, |g, x, i| divergence(x, i, shares[g]));
    let value = (sum / normaliser).max(0.0);
    let chance = chance();
    let chance: &Chance = chance.borrow();
    let by_chance = match targets {
        None => Some(mean_divergence(ranking, &points) / normaliser),
        Some(_) => chance.mean(Kind::Divergence).map(|m| m.0),
    };
    PrefixDistance {
        tested: Tested::by(Estimate::of(value, support(rows as f64)), chance.p_value(Kind::Divergence), TEST),
        by_chance,
        excess: by_chance.map(|by_chance| value - by_chance),
    }
}

/// A group's part of the divergence of a prefix of `i` rows.
fn divergence(x: f64, i: f64, share: f64) -> f64 {
    if x > 0.0 { x / i * (x / (i * share)).ln() } else { 0.0 }
}

/// The sum over points of the mean divergence of a prefix when rows stand in random order: counts are hypergeometric.
///
/// Further down than position 64 it is taken at points a 16th apart and in a line between them (times the position, where
/// it is nearly one).
fn mean_divergence(ranking: &Ranking, points: &Points) -> f64 {
    let rows = ranking.rows() as f64;
    let at = |i: f64| -> f64 {
        let of = |size: &f64| over_ties(rows, *size, i, |x| divergence(x, i, size / rows));
        i * ranking.sizes().iter().filter(|size| **size > 0.0).map(of).sum::<f64>()
    };
    let (mut low, mut high) = ((0.0, 0.0), (0.0, 0.0));
    points
        .iter()
        .map(|(i, weight)| {
            let i = i as f64;
            while high.0 < i {
                low = high;
                let next = if high.0 < 64.0 { high.0 + 1.0 } else { (high.0 * 17.0 / 16.0).floor().min(rows) };
                high = (next, at(next));
            }
            weight / i * (low.1 + (high.1 - low.1) * (i - low.0) / (high.0 - low.0))
        })
        .sum()
}

/// Prefixes in which a group has fewer rows than the wanted share of the prefix, rounded down.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Infeasible {
    /// How many prefixes fall short for at least one group.
    pub index: f64,
    /// How many pairs of a prefix and a group fall short.
    pub count: f64,
}

/// How many prefixes of the list (the first 1, 2, ..., `limit` rows) are infeasible: a group has fewer than
/// `⌊wanted share · length⌋` rows there.
///
/// `targets`: the shares wanted; `None`: each group's share of the whole list. The count is exact over ties, and so is
/// the index of two groups; of more groups, the index inside a tie takes each group's expected rows (rounded to the
/// nearest). Every prefix counts, the last one too, and the order of the groups never matters.
///
/// # Errors
/// `NoRows`, or `NoTarget` where `targets` are not one share per group.
///
/// # References
/// Geyik, Ambler, Kenthapadi (2019), Fairness-aware ranking in search & recommendation systems, KDD (InfeasibleIndex,
/// InfeasibleCount).
///
/// # Examples
/// ```
/// use evenhand::metrics::ranking::{Ranking, skew};
/// let list = Ranking::from_ordered(&[0, 1, 1, 1, 0, 0, 0, 1, 0, 1], 2, None);
/// // Only the first four fall short: one of group 0, two wanted.
/// let found = skew::infeasible(&list, list.rows(), Some(&[0.5, 0.5]))?;
/// assert_eq!((found.index, found.count), (1.0, 1.0));
/// # Ok::<(), evenhand::metrics::Undefined>(())
/// ```
pub fn infeasible(ranking: &Ranking, limit: usize, targets: Option<&[f64]>) -> Result<Infeasible, Undefined> {
    let shares = wanted(ranking, targets)?;
    // A share such as 0.29 times 100 may miss 29 by rounding.
    let least = |g: usize, i: f64| (shares[g] * i + 1e-9).floor();
    let short = |g: usize, x: f64, i: f64| f64::from(u8::from(x < least(g, i)));
    let limit = limit.min(ranking.rows());
    let groups: Vec<usize> = (0..shares.len()).collect();
    let count = over_prefixes(ranking, &Points::new(limit, 1, |_| 1.0), &groups, short);
    if ranking.groups() <= 2 {
        // Of two groups at most one can fall short: what is wanted of both sums to no more than the prefix.
        return Ok(Infeasible { index: count, count });
    }
    let mut before = vec![0.0; shares.len()];
    let mut index = 0.0;
    let mut inside = vec![0.0; shares.len()];
    for Block { start, rows, entries } in ranking.blocks() {
        inside.fill(0.0);
        entries.iter().for_each(|e| inside[e.group] += e.rows);
        for prefix in start + 1..=(start + rows).min(limit) {
            let part = (prefix - start) as f64 / rows as f64;
            let falls =
                (0..shares.len()).any(|g| short(g, (before[g] + part * inside[g]).round(), prefix as f64) > 0.0);
            index += f64::from(u8::from(falls));
        }
        before.iter_mut().zip(&inside).for_each(|(b, i)| *b += i);
    }
    Ok(Infeasible { index, count })
}

/// Each group's chance to be among the first `k`: its rows there out of all its rows.
///
/// In [0, 1]; exact over ties (expected rows; Wilson's interval takes them as counts). `NoRows` for a group without rows.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, ranking::{Ranking, skew}};
/// let list = Ranking::from_ordered(&[0, 1, 1, 1, 0, 0, 0, 1, 0, 1], 2, None);
/// let rates = skew::top_k_selection_rate(&list, 4, Confidence::at(0.95));
/// assert_eq!((rates[0].value, rates[1].value), (Some(0.2), Some(0.6)));
/// ```
pub fn top_k_selection_rate(ranking: &Ranking, k: usize, confidence: Confidence) -> Vec<Estimate> {
    let first = ranking.among_first(k);
    first.iter().zip(ranking.sizes()).map(|(x, n)| of_rate(*x, *n, Undefined::NoRows, confidence.level)).collect()
}

/// `x` of `n` with Wilson's interval.
pub(super) fn of_rate(x: f64, n: f64, empty: Undefined, level: f64) -> Estimate {
    match rate::wilson(x, n, level) {
        Some(i) => Estimate::of(x / n, support(n)).between(i.low, i.high),
        None => Estimate::undefined(empty, support(n)),
    }
}

/// The impact ratio if the first k are chosen, for each k of `ks`: the least of the groups' chances to be among the first
/// k over the largest.
///
/// In [0, 1], 1 where all groups fare alike. The interval is simultaneous over pairs of groups
/// ([`worst::ratio_interval`]), not over the ks. `TooFewGroups` with fewer than two groups with rows, `OverZero` at k = 0.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, ranking::{Ranking, skew}};
/// let list = Ranking::from_ordered(&[0, 1, 1, 1, 0, 0, 0, 1, 0, 1], 2, None);
/// let curve = skew::impact_ratio_curve(&list, &[4, 6, 10], Confidence::at(0.95));
/// let values: Vec<f64> = curve.iter().filter_map(|e| e.value).collect();
/// assert!((values[0] - 1.0 / 3.0).abs() < 1e-12 && values[1..] == [1.0, 1.0]);
/// ```
pub fn impact_ratio_curve(ranking: &Ranking, ks: &[usize], confidence: Confidence) -> Vec<Estimate> {
    let one = |k: &usize| {
        let first = ranking.among_first(*k);
        let sizes = first.iter().zip(ranking.sizes()).filter(|(_, n)| **n > 0.0);
        let rates: Vec<GroupRate> = sizes.map(|(x, n)| GroupRate { x: *x, n: *n }).collect();
        let support = support(ranking.rows() as f64);
        if rates.len() < 2 {
            return Estimate::undefined(Undefined::TooFewGroups, support);
        }
        let of = rates.iter().map(|r| r.x / r.n);
        let (least, most) = of.fold((f64::INFINITY, 0.0f64), |(a, b), v| (a.min(v), b.max(v)));
        if most <= 0.0 {
            return Estimate::undefined(Undefined::OverZero, support);
        }
        let interval = worst::ratio_interval(&rates, confidence.level);
        let estimate = Estimate::of(least / most, support);
        interval.map_or(estimate.clone(), |i| estimate.between(i.low, i.high))
    };
    ks.iter().map(one).collect()
}

/// rND, the normalised discounted difference: `(1/Z) Σ_i |protected share of the first i − of all| / log2 i` over the cut
/// points i = 10, 20, ... up to the length of the list.
///
/// In [0, 1], 0 where every cut has the share of the whole. Z is the larger of the sums of the list with all protected
/// first and of that with all of them last. The mean over all orders of the ties, tested as [`ndkl`]; what chance shows is the draws' mean. `NoRows` for
/// lists of fewer than 10 rows, `TooFewGroups` where all rows or none are protected. (The authors' later code discounts by
/// log2(i + 1); this is the paper's form.)
///
/// # References
/// Yang, Stoyanovich (2017), Measuring fairness in ranked outputs, SSDBM.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, ranking::{Ranking, skew}};
/// let codes: Vec<usize> = (0..20).map(|i| usize::from(i >= 10)).collect();
/// // All of group 1 last: as far as it can be.
/// let far = skew::rnd(&Ranking::from_ordered(&codes, 2, None), 1, Confidence::at(0.95));
/// assert!((far.tested.estimate.value.unwrap() - 1.0).abs() < 1e-12);
/// ```
pub fn rnd(ranking: &Ranking, protected: usize, confidence: Confidence) -> PrefixDistance {
    discounted(ranking, protected, confidence, Kind::Difference)
}

/// rKL, the normalised discounted KL divergence of cut points: as [`rnd`] with
/// `KL((protected share of the first i, the rest) ‖ (of all))` in bits.
///
/// Of two groups, protected and not; for more see [`ndkl`]. In [0, 1].
///
/// # References
/// Yang, Stoyanovich (2017), as for [`rnd`].
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, ranking::{Ranking, skew}};
/// let codes: Vec<usize> = (0..20).map(|i| i % 2).collect();
/// let even = skew::rkl(&Ranking::from_ordered(&codes, 2, None), 1, Confidence::at(0.95));
/// assert_eq!(even.tested.estimate.value, Some(0.0));
/// ```
pub fn rkl(ranking: &Ranking, protected: usize, confidence: Confidence) -> PrefixDistance {
    discounted(ranking, protected, confidence, Kind::Kl)
}

/// rRD, the normalised discounted ratio difference of cut points: as [`rnd`] with
/// `|protected / others among the first i − protected / others of all|`, a fraction with a zero on either side being 0.
///
/// Only for a minority: `NoTarget` where more than half are protected. Z is the sum of the list with all protected last,
/// so that a list that favours them may exceed 1. At least 0.
///
/// # References
/// Yang, Stoyanovich (2017), as for [`rnd`].
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, ranking::{Ranking, skew}};
/// let codes: Vec<usize> = (0..20).map(|i| usize::from(i >= 15)).collect();
/// let far = skew::rrd(&Ranking::from_ordered(&codes, 2, None), 1, Confidence::at(0.95));
/// assert!((far.tested.estimate.value.unwrap() - 1.0).abs() < 1e-12);
/// ```
pub fn rrd(ranking: &Ranking, protected: usize, confidence: Confidence) -> PrefixDistance {
    discounted(ranking, protected, confidence, Kind::Ratio)
}

fn discounted(ranking: &Ranking, protected: usize, confidence: Confidence, kind: Kind) -> PrefixDistance {
    let asked = Asked { protected: vec![protected], ..Asked::default() };
    discounted_by(ranking, &[protected], kind, || chance::against(ranking, &asked, confidence.bootstrap))
}

/// The largest of the protected groups' distances, with what chance shows of it.
pub(super) fn discounted_by<C: std::borrow::Borrow<Chance>>(
    ranking: &Ranking,
    protected: &[usize],
    kind: Kind,
    chance: impl FnOnce() -> C,
) -> PrefixDistance {
    let rows = ranking.rows();
    let inside: Vec<usize> =
        protected.iter().copied().filter(|g| (1..rows).contains(&ranking.group_rows(*g))).collect();
    if rows < CUT {
        return PrefixDistance::undefined(Undefined::NoRows, rows);
    } else if inside.is_empty() {
        return PrefixDistance::undefined(Undefined::TooFewGroups, rows);
    }
    let points = Points::new(rows, CUT, |i| 1.0 / i.log2());
    let mut reason = Undefined::NoVariation;
    let one = |g: usize| {
        let members = ranking.group_rows(g);
        let p = members as f64 / rows as f64;
        let most = normaliser(kind, members, &points, rows);
        if most <= 0.0 {
            // Not a minority; or a list of ten, whose one cut is the whole.
            if kind == Kind::Ratio && 2 * members > rows {
                reason = Undefined::NoTarget;
            }
            return None;
        }
        Some(over_prefixes(ranking, &points, &[g], |_, x, i| distance(kind, x, i, p)) / most)
    };
    let Some(value) = inside.into_iter().filter_map(one).reduce(f64::max) else {
        return PrefixDistance::undefined(reason, rows);
    };
    let chance = chance();
    let chance: &Chance = chance.borrow();
    let estimate = Estimate::of(value, support(rows as f64));
    PrefixDistance {
        tested: Tested::by(estimate, chance.p_value(kind), TEST),
        by_chance: chance.mean(kind).map(|m| m.0),
        excess: chance.mean(kind).map(|m| m.1),
    }
}

/// The share of a normal variable's weight beyond `z` standard deviations, on both sides.
pub(super) fn two_sided(z: f64) -> f64 {
    (2.0 * Normal::standard().cdf(-z.abs())).min(1.0)
}

/// A figure that is about normal, with its interval.
pub(super) fn about_normal(value: f64, error: f64, support: Support, level: f64) -> Estimate {
    let half = z_quantile(level) * error;
    let estimate = Estimate::of(value, support);
    if half.is_finite() && estimate.value.is_some() { estimate.between(value - half, value + half) } else { estimate }
}
