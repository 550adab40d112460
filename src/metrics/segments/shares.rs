//! Every group's share of every segment, cell by cell: what a reader looks at to see who is where.

use super::balance::of_all;
use super::table::{People, less, sum};
use super::{SegmentCounts, Segmentation};
use crate::inference::hypothesis::two_proportion_z;
use crate::inference::multiplicity::Multiplicity;
use crate::inference::ratio::koopman;
use crate::inference::worst::{GroupRate, ratio_interval};
use crate::inference::{rate, sidak_level};
use crate::metrics::catalog::Direction;
use crate::metrics::family::{Compute, Measure};
use crate::metrics::measure::share_counts;
use crate::metrics::{Confidence, Estimate, MeasureEntry, Need, Of, Support, Tested, Undefined};
use crate::tally::Cell;

/// Groups up to which each is compared with each for its impact ratio; of more, limits of all shares at once.
const PAIRS: usize = 24;

/// One group in one segment.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentShare {
    /// The group, by its place in the list.
    pub group: usize,
    /// The segment, by its number.
    pub segment: usize,
    /// The share of the group that is in the segment, `P(c|g)`, in [0, 1]; Wilson's interval.
    pub share: Estimate,
    /// That share over everybody's, `P(c|g) / P(c)`, the same as `P(g|c) / P(g)`: 1 where the group is represented in the
    /// segment as in the whole, at most `1 / P(g)`. Koopman's interval of the group against the rest, turned into it
    /// with the group's size as it is. Undefined where nobody is in the segment.
    pub representation: Estimate,
    /// `ln(P(g|c) / P(g))`, the log of the representation. Undefined also where nobody of the group is in the segment.
    pub skew: Estimate,
    /// The share over the largest of all groups, `P(c|g) / max_h P(c|h)`, in [0, 1]. The interval holds whichever
    /// group is the largest. Undefined where nobody is in the segment.
    pub impact_ratio: Estimate,
    /// The adjusted residual `(O − E) / √(E (1 − p_g)(1 − p_c))`, standard normal where there is no disparity: the
    /// two-sample z of the group against the rest. `None` where nothing varies.
    pub residual: Option<f64>,
    /// Its two-sided p-value, adjusted by Holm for all cells; of use where the expected count is 5 and more.
    pub p_value: Option<f64>,
}

/// Every group in every segment, group by group.
///
/// Segments and groups without rows are listed, with the reason for what is undefined. Intervals are of each cell by
/// itself (the impact ratio's: of the group against all others); the p-values alone pay for all cells. With weights,
/// shares are weighted and intervals rest on effective sizes. Empty where nobody can be counted.
///
/// # References
/// Wilson (1927), JASA 22; Koopman (1984), Biometrics 40; Haberman (1973), Biometrics 29 (residuals); Geyik, Ambler,
/// Kenthapadi (2019), KDD (skew); 6 RCNY § 5-301 (the impact ratio of each category).
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, shares::segment_shares}};
/// let [a, b] = [[30.0, 70.0], [60.0, 40.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let cells = segment_shares(&[&a, &b], Confidence::at(0.95));
/// let first = &cells[0];
/// assert_eq!((first.group, first.segment, first.share.value), (0, 0, Some(0.3)));
/// assert!((first.representation.value.unwrap() - 0.3 / 0.45).abs() < 1e-12);
/// assert!((first.impact_ratio.value.unwrap() - 0.5).abs() < 1e-12);
/// assert!((first.residual.unwrap() + 4.264014).abs() < 1e-6 && first.p_value.unwrap() < 1e-4);
/// ```
pub fn segment_shares(groups: &[&SegmentCounts], confidence: Confidence) -> Vec<SegmentShare> {
    let Ok(people) = People::of(groups) else { return Vec::new() };
    let all = sum(&(0..people.segments).map(|j| people.segment(j)).collect::<Vec<_>>());
    let totals: Vec<Cell> = (0..groups.len()).map(|i| people.group(i)).collect();
    let mut cells = Vec::with_capacity(groups.len() * people.segments);
    for segment in 0..people.segments {
        let everyone = people.segment(segment);
        let rates: Vec<Option<GroupRate>> =
            totals.iter().zip(&people.groups).map(|(whole, cells)| share_counts(cells[segment], *whole)).collect();
        let impacts = impact_ratios(&rates, everyone, confidence.level);
        for (group, (part, whole)) in people.groups.iter().map(|cells| cells[segment]).zip(&totals).enumerate() {
            let rest = share_counts(less(everyone, part), less(all, *whole));
            let against = rates[group].zip(rest);
            let support = Support::from(*whole);
            let share = match rates[group] {
                Some(counts) => with(
                    Estimate::of(part.weight / whole.weight, support),
                    rate::wilson(counts.x, counts.n, confidence.level).map(|i| (i.low, Some(i.high))),
                ),
                None => Estimate::undefined(reason(whole), support),
            };
            let size = whole.weight / all.weight;
            let representation = match share.value {
                None => share.clone(),
                Some(_) if everyone.weight <= 0.0 => Estimate::undefined(Undefined::NobodyInSegment, support),
                Some(p) => with(
                    Estimate::of(p / (everyone.weight / all.weight), support),
                    against
                        .and_then(|(g, r)| koopman(g.x, g.n, r.x, r.n, confidence.level))
                        .map(|i| of_all(i, size))
                        .map(|i| (i.low, i.high)),
                ),
            };
            let test = against.and_then(|(g, r)| two_proportion_z(g.x, g.n, r.x, r.n));
            cells.push(SegmentShare {
                group,
                segment,
                skew: logarithm(&representation),
                share,
                representation,
                impact_ratio: impacts[group].clone(),
                residual: test.map(|t| t.z),
                p_value: test.map(|t| t.p_value),
            });
        }
    }
    cells.sort_by_key(|cell| (cell.group, cell.segment));
    let raw: Vec<f64> = cells.iter().filter_map(|cell| cell.p_value).collect();
    let mut adjusted = Multiplicity::Holm.adjust(&raw).into_iter();
    cells.iter_mut().filter(|cell| cell.p_value.is_some()).for_each(|cell| cell.p_value = adjusted.next());
    cells
}

fn reason(whole: &Cell) -> Undefined {
    if whole.rows > 0.0 { Undefined::NoWeight } else { Undefined::NoRows }
}

/// Adds an interval that holds the figure, with rounding.
fn with(estimate: Estimate, interval: Option<(f64, Option<f64>)>) -> Estimate {
    match (interval, estimate.value) {
        (Some((low, high)), Some(v)) => estimate.between(low.min(v), high.map_or(f64::INFINITY, |h| h.max(v))),
        _ => estimate,
    }
}

/// The log of a ratio with its interval.
fn logarithm(ratio: &Estimate) -> Estimate {
    match ratio.value {
        Some(value) if value > 0.0 => {
            let end = |v: Option<f64>, open: f64| v.map_or(open, f64::ln);
            Estimate::of(value.ln(), ratio.support)
                .between(end(ratio.low, f64::NEG_INFINITY), end(ratio.high, f64::INFINITY))
        }
        Some(_) => Estimate::undefined(Undefined::NobodyInSegment, ratio.support),
        None => ratio.clone(),
    }
}

/// Each group's share of a segment over the largest of all groups.
fn impact_ratios(rates: &[Option<GroupRate>], everyone: Cell, level: f64) -> Vec<Estimate> {
    let largest = rates.iter().flatten().map(|r| r.x / r.n).fold(0.0, f64::max);
    let support = Support::from(everyone);
    let known = rates.iter().flatten().count();
    let limits: Vec<Option<(f64, f64)>> = match known {
        0..2 => vec![None; rates.len()],
        2..=PAIRS => (0..rates.len()).map(|i| against_each(rates, i, sidak_level(level, known - 1))).collect(),
        _ => at_once(rates, sidak_level(level, known)),
    };
    rates
        .iter()
        .zip(limits)
        .map(|(rate, limits)| match rate {
            None => Estimate::undefined(Undefined::NoRows, support),
            Some(_) if known < 2 => Estimate::undefined(Undefined::TooFewGroups, support),
            Some(_) if largest <= 0.0 => Estimate::undefined(Undefined::NobodyInSegment, support),
            Some(rate) => with(
                Estimate::of((rate.x / rate.n / largest).min(1.0), support),
                limits.map(|(low, high)| (low.min(1.0), Some(high.min(1.0)))),
            ),
        })
        .collect()
}

/// The smallest ratio of a group's share to another's: the smallest of either limit, which hold at once.
fn against_each(rates: &[Option<GroupRate>], group: usize, level: f64) -> Option<(f64, f64)> {
    let mine = rates[group]?;
    let others = rates.iter().enumerate().filter(|(at, _)| *at != group).filter_map(|(_, rate)| *rate);
    others.filter(|other| mine.x > 0.0 || other.x > 0.0).try_fold((1.0f64, 1.0f64), |all, other| {
        let i = koopman(mine.x, mine.n, other.x, other.n, level)?;
        Some((all.0.min(i.low), all.1.min(i.high.unwrap_or(f64::INFINITY))))
    })
}

/// The ratio of each group's share to the largest, from limits of all shares that hold at once.
fn at_once(rates: &[Option<GroupRate>], level: f64) -> Vec<Option<(f64, f64)>> {
    let limits: Vec<_> = rates.iter().map(|r| r.and_then(|r| rate::wilson(r.x, r.n, level))).collect();
    let most = limits.iter().flatten().map(|i| i.high).fold(0.0, f64::max);
    let least = limits.iter().flatten().map(|i| i.low).fold(0.0, f64::max);
    limits.iter().map(|i| i.map(|i| (i.low / most, if least > 0.0 { i.high / least } else { 1.0 }))).collect()
}

/// The smallest impact ratio of any segment, `min_c (min_g P(c|g) / max_g P(c|g))`: each segment is a selection of its own,
/// in which a group's share is compared with the largest.
///
/// From 0 (a segment that some group never meets) to 1 (all alike). Segments without rows are left out. On fair data it
/// is below 1 by chance, the more so the more segments and groups; the interval holds the ratios of all segments at once
/// (Bonferroni). Undefined without rows, weight or two groups.
///
/// # References
/// 6 RCNY § 5-301 (impact ratio of an automated tool that classifies); [`ratio_interval`].
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, shares::segment_impact_ratio}};
/// let [a, b] = [[30.0, 70.0], [60.0, 40.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let ratio = segment_impact_ratio(&[&a, &b], Confidence::at(0.95)).estimate;
/// assert!((ratio.value.unwrap() - 0.5).abs() < 1e-12);
/// assert!(ratio.high.unwrap() < 0.8);
/// ```
pub fn segment_impact_ratio(groups: &[&SegmentCounts], confidence: Confidence) -> Tested {
    let people = match People::of(groups) {
        Ok(people) => people,
        Err(undefined) => return Tested::untested(undefined),
    };
    let totals: Vec<Cell> = (0..groups.len()).map(|i| people.group(i)).collect();
    if totals.iter().filter(|t| t.weight > 0.0).count() < 2 {
        return Tested::untested(Estimate::undefined(Undefined::TooFewGroups, people.support));
    }
    let met: Vec<usize> = (0..people.segments).filter(|j| people.segment(*j).weight > 0.0).collect();
    let level = 1.0 - (1.0 - confidence.level) / met.len().max(1) as f64;
    let (mut value, mut limits) = (1.0f64, Some((1.0f64, 1.0f64)));
    for segment in met {
        let rates: Vec<GroupRate> = people
            .groups
            .iter()
            .zip(&totals)
            .filter_map(|(cells, whole)| share_counts(cells[segment], *whole))
            .collect();
        let shares = rates.iter().map(|r| r.x / r.n);
        let (low, high) = shares.fold((f64::INFINITY, 0.0f64), |all, p| (all.0.min(p), all.1.max(p)));
        value = value.min(low / high);
        let interval = ratio_interval(&rates, level);
        limits = limits.zip(interval).map(|(all, i)| (all.0.min(i.low), all.1.min(i.high)));
    }
    let estimate = Estimate::of(value, people.support);
    Tested::untested(with(estimate, limits.map(|(low, high)| (low, Some(high)))))
}

/// The measures of this file.
pub(crate) const MEASURES: &[Measure<SegmentCounts, Segmentation>] = &[Measure {
    entry: MeasureEntry {
        name: "segment_impact_ratio",
        title: "smallest ratio of two groups' shares of a segment",
        formula: "min_c (min_g P(c|g) / max_g P(c|g))",
        needs: &[Need::Segments],
        of: Of::Table,
        direction: Direction::Higher,
        least: Some(0.0),
        most: Some(1.0),
        fair: Some(1.0),
        source: "6 RCNY 5-301",
        also: "jurity MultiStatisticalParity (differences); holisticai frequency_matrix (shares)",
    },
    compute: Compute::Table(|groups, _, confidence| segment_impact_ratio(groups, confidence)),
}];

#[cfg(test)]
#[path = "shares_tests.rs"]
mod tests;
