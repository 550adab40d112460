//! How the audit computes the measures of this family: from a list made once.

use std::sync::{Arc, OnceLock};

use super::chance::{self, Asked, Chance, Kind};
use super::exposure::{self, Attention};
use super::pairwise::{self, Members};
use super::retrieval::Shares;
use super::skew::{self, Infeasible, Place, PrefixDistance};
use super::{Ranking, retrieval};
use crate::inference::worst::GroupRate;
use crate::inference::z_quantile;
use crate::metrics::measure::Measured;
use crate::metrics::scores::ScoredGroup;
use crate::metrics::{Confidence, Estimate, MeasureEntry, Tested, Undefined};

/// A measure of a list: its entry and its function.
#[derive(Debug)]
pub(crate) struct RankMeasure {
    pub entry: MeasureEntry,
    pub(super) compute: Compute,
}

/// A figure of each group, and of all others on its list together.
type Both = [Measured; 2];

/// How a measure is computed from a list. Pairs and tables are of the groups with these codes.
#[derive(Debug)]
pub(super) enum Compute {
    Group(fn(&Listed, Confidence) -> Vec<Both>),
    Pair(fn(&Members, &Members, Confidence) -> Tested),
    Table(fn(&Listed, &[usize], Confidence) -> Tested),
}

/// The list of a slice: made once, with what several measures share.
#[derive(Debug)]
pub(crate) struct Listed {
    ranking: Ranking,
    /// How many rows are "the first".
    k: usize,
    /// Whether they are the rows that a model selects.
    selects: bool,
    /// Each group's rows in order.
    members: OnceLock<Vec<Vec<Member>>>,
    chance: OnceLock<Chance>,
    /// The list of some of the groups alone: those large enough to judge.
    divergence: OnceLock<PrefixDistance>,
    judged: OnceLock<(Vec<usize>, Box<Listed>)>,
}

/// Whose figure it is: a group's by its place on the list, or that of all other groups on it.
#[derive(Debug, Clone)]
pub(crate) struct OnList {
    pub list: Arc<Listed>,
    pub group: usize,
    pub others: bool,
}

/// With more groups no measure of all at once is made.
const MANY: usize = 100;

/// The chance to go on from a row to the next, of rank-biased measures.
const GAMMA: f64 = 0.8;

impl Listed {
    /// The list that the groups' scores make. `cut`: of a model that selects the best, the score at the edge and the
    /// share selected of the rows tied there, so that "the first" are the selected; otherwise they are 10 % of the list,
    /// at least 10 and at most all.
    pub fn of(groups: &[&ScoredGroup], cut: Option<(f64, f64)>) -> Self {
        let ranking = Ranking::from_scored(groups);
        let k = match cut {
            Some((score, edge)) => {
                let all = groups.iter().flat_map(|g| &g.points);
                let (above, tied) = all.fold((0.0, 0.0), |(above, tied), p| match p.score {
                    s if s > score => (above + p.cell.rows, tied),
                    s if s == score => (above, tied + p.cell.rows),
                    _ => (above, tied),
                });
                ((above + edge * tied).round() as usize).min(ranking.rows())
            }
            None => skew::default_k(ranking.rows()),
        };
        Self::new(ranking, k, cut.is_some())
    }

    fn new(ranking: Ranking, k: usize, selects: bool) -> Self {
        Listed {
            ranking,
            k,
            selects,
            members: OnceLock::new(),
            chance: OnceLock::new(),
            divergence: OnceLock::new(),
            judged: OnceLock::new(),
        }
    }

    /// The list of these groups alone, and "the first" as many as are theirs.
    fn restricted(&self, groups: &[usize]) -> Self {
        let ranking = self.ranking.only(groups);
        let k = if self.selects {
            let first = self.ranking.among_first(self.k);
            let sum: f64 = groups.iter().filter_map(|g| first.get(*g)).sum();
            (sum.round() as usize).min(ranking.rows())
        } else {
            skew::default_k(ranking.rows())
        };
        Self::new(ranking, k, self.selects)
    }

    /// What chance shows, of everything that is asked of it.
    fn chance(&self, at: Confidence) -> &Chance {
        self.chance.get_or_init(|| {
            let asked = Asked {
                divergence: true,
                protected: self.all(),
                attention: Some((Attention::Logarithmic, self.ranking.rows())),
                ..Asked::default()
            };
            chance::against(&self.ranking, &asked, at.bootstrap)
        })
    }

    fn all(&self) -> Vec<usize> {
        (0..self.ranking.groups()).collect()
    }

    fn members(&self) -> &[Vec<Member>] {
        self.members.get_or_init(|| {
            let mut members = vec![Vec::new(); self.ranking.groups()];
            for block in self.ranking.blocks() {
                for e in block.entries {
                    add(&mut members[e.group], block.start, e.relevance, e.rows);
                }
            }
            members
        })
    }

    /// The rows of all groups but one.
    fn others(&self, group: usize) -> Vec<(usize, [f64; 3])> {
        let mut members = Vec::with_capacity(self.ranking.rows().min(1 << 20));
        for block in self.ranking.blocks() {
            for e in block.entries.iter().filter(|e| e.group != group) {
                add(&mut members, block.start, e.relevance, e.rows);
            }
        }
        members
    }
}

/// A block of the list, and a group's rows in it by label: unfavourable, favourable, unknown.
type Member = (usize, [f64; 3]);

fn add(members: &mut Vec<Member>, block: usize, relevance: f64, rows: f64) {
    let label = if relevance.is_nan() { 2 } else { usize::from(relevance > 0.0) };
    if members.last().is_none_or(|m| m.0 != block) {
        members.push((block, [0.0; 3]));
    }
    if let Some(last) = members.last_mut() {
        last.1[label] += rows;
    }
}

impl RankMeasure {
    /// The figures of groups, each from its list.
    pub fn of_groups(&self, places: &[&OnList], at: Confidence) -> Vec<Measured> {
        let Compute::Group(of) = self.compute else { return Vec::new() };
        let mut last: Option<(&Arc<Listed>, Vec<Both>)> = None;
        let mut found = Vec::with_capacity(places.len());
        for place in places {
            let known = last.as_ref().is_some_and(|(list, _)| Arc::ptr_eq(list, &place.list));
            if !known {
                last = Some((&place.list, of(&place.list, at)));
            }
            let figures = last.as_ref().and_then(|(_, all)| all.get(place.group));
            found.extend(figures.map(|both| both[usize::from(place.others)].clone()));
        }
        found
    }

    /// A group against another, or against all others on its list.
    pub fn of_pair(&self, a: &OnList, b: &OnList, at: Confidence) -> Tested {
        let Compute::Pair(of) = self.compute else { return undefined(Undefined::NotOneList) };
        if !Arc::ptr_eq(&a.list, &b.list) || a.others {
            return undefined(Undefined::NotOneList);
        }
        let members = a.list.members();
        let Some(mine) = members.get(a.group) else { return undefined(Undefined::NoRows) };
        if b.others {
            return of(mine, &a.list.others(b.group), at);
        }
        members.get(b.group).map_or(undefined(Undefined::NoRows), |theirs| of(mine, theirs, at))
    }

    /// Groups of one list at once.
    pub fn of_table(&self, places: &[&OnList], at: Confidence) -> Tested {
        let Compute::Table(of) = self.compute else { return undefined(Undefined::NotOneList) };
        let Some(first) = places.first() else { return undefined(Undefined::TooFewGroups) };
        if places.iter().any(|p| p.others || !Arc::ptr_eq(&p.list, &first.list)) {
            return undefined(Undefined::NotOneList);
        }
        if places.len() > MANY {
            return undefined(Undefined::TooManyGroups);
        }
        let groups: Vec<usize> = places.iter().map(|p| p.group).collect();
        of(&first.list, &groups, at)
    }
}

fn undefined(reason: Undefined) -> Tested {
    Tested::untested(Estimate::undefined(reason, skew::support(0.0)))
}

/// Of each group, and of all others: their sums are those of all without the group's.
fn both<const N: usize>(sums: &[[f64; N]], of: impl Fn([f64; N]) -> Measured) -> Vec<Both> {
    let mut all = [0.0; N];
    sums.iter().for_each(|s| all.iter_mut().zip(s).for_each(|(a, s)| *a += s));
    let rest = |own: &[f64; N]| {
        let mut rest = all;
        // What rounding leaves of nothing is nothing.
        rest.iter_mut().zip(own).zip(&all).for_each(|((r, own), all)| {
            *r -= own;
            *r = if *r < 1e-9 * all.abs() { 0.0 } else { *r };
        });
        rest
    };
    sums.iter().map(|own| [of(*own), of(rest(own))]).collect()
}

fn plain((estimate, error): (Estimate, Option<f64>)) -> Measured {
    Measured { estimate, share: None, plain: false, error }
}

fn rate(estimate: Estimate, x: f64, n: f64) -> Measured {
    let share = estimate.value.map(|_| GroupRate { x, n });
    Measured { estimate, share, plain: x.fract() == 0.0, error: None }
}

/// Rows among the first and rows in all, by group.
fn firsts(list: &Listed) -> Vec<[f64; 2]> {
    list.ranking.among_first(list.k).into_iter().zip(list.ranking.sizes()).map(|(x, n)| [x, *n]).collect()
}

pub(super) fn skew_at_k(list: &Listed, at: Confidence) -> Vec<Both> {
    let (top, rows) = (list.k as f64, list.ranking.rows() as f64);
    let z = z_quantile(at.level);
    both(&firsts(list), |[x, size]| {
        let e = Place { x, size, share: size / rows.max(1.0), top, rows }.skew(false, at.level);
        let error = e.interval().map(|(low, high)| (high - low) / (2.0 * z)).filter(|e| *e > 0.0);
        plain((e, error))
    })
}

pub(super) fn top_k(list: &Listed, at: Confidence) -> Vec<Both> {
    both(&firsts(list), |[x, n]| rate(skew::of_rate(x, n, Undefined::NoRows, at.level), x, n))
}

/// The sums of a group's retrieval: of [`retrieval::relevant`], its rows and its gain.
fn retrieved(list: &Listed) -> Vec<[f64; 6]> {
    let sums = retrieval::relevant(&list.ranking, list.k).into_iter().zip(list.ranking.sizes());
    let gains = retrieval::gains(&list.ranking, list.k);
    sums.zip(gains).map(|(([a, b, c, d], rows), gain)| [a, b, c, d, *rows, gain]).collect()
}

fn shares([a, b, c, d, rows, _]: [f64; 6]) -> Shares {
    Shares::of([a, b, c, d], rows)
}

pub(super) fn precision(list: &Listed, at: Confidence) -> Vec<Both> {
    both(&retrieved(list), |sums| rate(shares(sums).precision(at.level), sums[0], sums[1]))
}

pub(super) fn recall(list: &Listed, at: Confidence) -> Vec<Both> {
    both(&retrieved(list), |sums| rate(shares(sums).recall(at.level), sums[0], sums[2]))
}

pub(super) fn ndcg(list: &Listed, _: Confidence) -> Vec<Both> {
    both(&retrieved(list), |sums| plain((shares(sums).gain(sums[5], list.k), None)))
}

pub(super) fn seen(list: &Listed, at: Confidence) -> Vec<Both> {
    let sums = exposure::seen(&list.ranking, Attention::Logarithmic);
    both(&sums, |sums| plain(exposure::mean_seen(sums, Attention::Logarithmic, at.level)))
}

pub(super) fn rank_biased(list: &Listed, at: Confidence) -> Vec<Both> {
    let sums = exposure::seen(&list.ranking, Attention::Geometric(GAMMA));
    both(&sums, |sums| plain(exposure::mean_seen(sums, Attention::Geometric(GAMMA), at.level)))
}

pub(super) fn per_merit(list: &Listed, at: Confidence) -> Vec<Both> {
    let sums = exposure::merit(&list.ranking, Attention::Logarithmic);
    both(&sums, |sums| plain(exposure::per_merit(sums, at.level)))
}

pub(super) fn min_skew(list: &Listed, groups: &[usize], at: Confidence) -> Tested {
    of_only(list, groups, |list| skew::min_skew_at_k(&list.ranking, list.k, None, at))
}

pub(super) fn max_skew(list: &Listed, groups: &[usize], at: Confidence) -> Tested {
    of_only(list, groups, |list| skew::max_skew_at_k(&list.ranking, list.k, None, at))
}

/// A figure of the list of some groups: the others, too small to judge, are taken off it.
fn of_only(list: &Listed, groups: &[usize], of: impl FnOnce(&Listed) -> Tested) -> Tested {
    if groups.iter().copied().eq(0..list.ranking.groups()) {
        return of(list);
    }
    let (judged, kept) = list.judged.get_or_init(|| (groups.to_vec(), Box::new(list.restricted(groups))));
    // One slice judges the same groups throughout; others would have their list made anew.
    if judged == groups { of(kept) } else { of(&list.restricted(groups)) }
}

fn divergence(list: &Listed, at: Confidence) -> PrefixDistance {
    list.divergence.get_or_init(|| skew::ndkl_by(&list.ranking, None, || list.chance(at))).clone()
}

pub(super) fn ndkl(list: &Listed, groups: &[usize], at: Confidence) -> Tested {
    of_only(list, groups, |list| divergence(list, at).tested)
}

pub(super) fn ndkl_excess(list: &Listed, groups: &[usize], at: Confidence) -> Tested {
    of_only(list, groups, |list| {
        let found = divergence(list, at);
        match found.excess {
            Some(excess) => Tested { estimate: Estimate::of(excess, found.tested.estimate.support), ..found.tested },
            None => found.tested,
        }
    })
}

fn infeasible(list: &Listed, groups: &[usize], of: fn(Infeasible) -> f64) -> Tested {
    of_only(list, groups, |list| {
        let support = skew::support(list.ranking.rows() as f64);
        let found = if groups.len() < 2 {
            Err(Undefined::TooFewGroups)
        } else {
            skew::infeasible(&list.ranking, list.ranking.rows(), None)
        };
        Tested::untested(match found {
            Ok(found) => Estimate::of(of(found), support),
            Err(reason) => Estimate::undefined(reason, support),
        })
    })
}

pub(super) fn infeasible_index(list: &Listed, groups: &[usize], _: Confidence) -> Tested {
    infeasible(list, groups, |found| found.index)
}

pub(super) fn infeasible_count(list: &Listed, groups: &[usize], _: Confidence) -> Tested {
    infeasible(list, groups, |found| found.count)
}

/// The largest of the groups' distances, each in turn the protected one; its test is of the largest, too.
fn largest(list: &Listed, groups: &[usize], at: Confidence, kind: Kind) -> Tested {
    of_only(list, groups, |list| skew::discounted_by(&list.ranking, &list.all(), kind, || list.chance(at)).tested)
}

pub(super) fn rnd(list: &Listed, groups: &[usize], at: Confidence) -> Tested {
    largest(list, groups, at, Kind::Difference)
}

pub(super) fn rkl(list: &Listed, groups: &[usize], at: Confidence) -> Tested {
    largest(list, groups, at, Kind::Kl)
}

pub(super) fn rrd(list: &Listed, groups: &[usize], at: Confidence) -> Tested {
    largest(list, groups, at, Kind::Ratio)
}

pub(super) fn awrf(list: &Listed, groups: &[usize], at: Confidence) -> Tested {
    of_only(list, groups, |list| {
        let rows = list.ranking.rows();
        exposure::awrf_by(&list.ranking, rows, Attention::Logarithmic, None, || list.chance(at))
    })
}

pub(super) fn pairwise_accuracy(a: &Members, b: &Members, at: Confidence) -> Tested {
    Tested::untested(pairwise::accuracy_of(a, b, at.level))
}

pub(super) fn rank_parity(a: &Members, b: &Members, at: Confidence) -> Tested {
    pairwise::parity_of(a, b, at.level)
}

#[cfg(test)]
#[path = "measures_tests.rs"]
mod tests;
