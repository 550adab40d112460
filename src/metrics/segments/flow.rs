//! Who moved where since an earlier segmentation: the classes of the counts are the earlier segments, under the same
//! names and in the same order as the segments.

use super::information::{Strata, within_classes};
use super::sampling::{Shares, distance};
use super::table::{People, sum};
use super::{SegmentCounts, Segmentation};
use crate::inference::rate::wilson;
use crate::metrics::catalog::Direction;
use crate::metrics::family::{Compute, Measure};
use crate::metrics::measure::{Measured, share_counts};
use crate::metrics::{Confidence, Estimate, MeasureEntry, Need, Of, Support, Tested, Undefined};
use crate::tally::Cell;

/// The share of some moves among others, as comparisons need it; `why` there is none if nobody is in `whole`.
fn moved(
    group: &SegmentCounts,
    why: Undefined,
    whole: impl Fn(usize) -> bool,
    part: impl Fn(usize, usize) -> bool,
    level: f64,
) -> Measured {
    if let Err(Estimate { reason: Some(reason), support, .. }) = People::of(&[group]) {
        return Measured::undefined(reason, support);
    }
    if group.cells.len() != group.segments * group.segments {
        return Measured::undefined(Undefined::NoClasses, Support::default());
    }
    let (mut of, mut among) = (Cell::default(), Cell::default());
    for (at, cell) in group.cells.iter().enumerate() {
        let (from, to) = (at / group.segments, at % group.segments);
        if whole(from) {
            among.add(cell, 1.0);
            if part(from, to) {
                of.add(cell, 1.0);
            }
        }
    }
    rate(of, among, why, level)
}

/// The share of a cell in the whole that holds it.
pub(super) fn rate(part: Cell, whole: Cell, why: Undefined, level: f64) -> Measured {
    let support = Support::from(whole);
    let Some(counts) = share_counts(part, whole) else {
        return Measured::undefined(if whole.rows > 0.0 { Undefined::NoWeight } else { why }, support);
    };
    let p = (part.weight / whole.weight).clamp(0.0, 1.0);
    let mut estimate = Estimate::of(p, support);
    if let Some(interval) = wilson(counts.x, counts.n, level) {
        estimate = estimate.between(interval.low, interval.high);
    }
    Measured {
        estimate,
        share: Some(counts),
        plain: whole.is_uniform() && whole.rows.fract() == 0.0,
        error: Some((p * (1.0 - p) / counts.n).sqrt()),
    }
}

/// Where those of each earlier segment went: `transitions(..)[from][to]` is `P(now in to | was in from, g)`, with
/// Wilson's interval.
///
/// Each row adds up to 1; one of a segment that nobody of the group was in is undefined
/// ([`Undefined::NobodyInSegment`]). Empty where the group has no earlier segments.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, flow::transitions}};
/// use evenhand::tally::Cell;
/// // 10 stayed below and 30 went up; 5 went down and 15 stayed above.
/// let cells = [10.0, 30.0, 5.0, 15.0].map(Cell::of_rows).to_vec();
/// let group = SegmentCounts { segments: 2, cells, unassigned: Cell::default() };
/// let moves = transitions(&group, Confidence::at(0.95));
/// assert_eq!(moves[0][1].value, Some(0.75));
/// assert_eq!(moves[1][0].value, Some(0.25));
/// ```
pub fn transitions(group: &SegmentCounts, confidence: Confidence) -> Vec<Vec<Estimate>> {
    let row = |cells: &[Cell]| {
        let whole = sum(cells);
        cells.iter().map(|c| rate(*c, whole, Undefined::NobodyInSegment, confidence.level).estimate).collect()
    };
    group.cells.chunks(group.segments.max(1)).map(row).collect()
}

/// The share of a group that stayed in its segment: `P(now = earlier | g)`.
///
/// From 0 to 1, with Wilson's interval. Of those whose both segments are known. Undefined without rows or weight, and
/// without an earlier segment for every segment ([`Undefined::NoClasses`]).
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, flow::retention_rate}};
/// use evenhand::tally::Cell;
/// let cells = [10.0, 30.0, 5.0, 15.0].map(Cell::of_rows).to_vec();
/// let group = SegmentCounts { segments: 2, cells, unassigned: Cell::default() };
/// assert_eq!(retention_rate(&group, Confidence::at(0.95)).value, Some(25.0 / 60.0));
/// ```
pub fn retention_rate(group: &SegmentCounts, confidence: Confidence) -> Estimate {
    stayed(group, confidence).estimate
}

pub(super) fn stayed(group: &SegmentCounts, confidence: Confidence) -> Measured {
    moved(group, Undefined::NoRows, |_| true, |from, to| from == to, confidence.level)
}

/// The share of a group that moved to a better segment: `P(now > earlier | g)`, segments from worst to best.
///
/// Of all whose both segments are known, also those who were at the top already. Otherwise as [`retention_rate`].
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, flow::upgrade_rate}};
/// use evenhand::tally::Cell;
/// let cells = [10.0, 30.0, 5.0, 15.0].map(Cell::of_rows).to_vec();
/// let group = SegmentCounts { segments: 2, cells, unassigned: Cell::default() };
/// assert_eq!(upgrade_rate(&group, Confidence::at(0.95)).value, Some(0.5));
/// ```
pub fn upgrade_rate(group: &SegmentCounts, confidence: Confidence) -> Estimate {
    rose(group, confidence).estimate
}

fn rose(group: &SegmentCounts, confidence: Confidence) -> Measured {
    moved(group, Undefined::NoRows, |_| true, |from, to| to > from, confidence.level)
}

/// The share of a group that moved to a worse segment: `P(now < earlier | g)`, segments from worst to best.
///
/// Of all whose both segments are known, also those who were at the bottom already. Otherwise as [`retention_rate`].
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, flow::downgrade_rate}};
/// use evenhand::tally::Cell;
/// let cells = [10.0, 30.0, 5.0, 15.0].map(Cell::of_rows).to_vec();
/// let group = SegmentCounts { segments: 2, cells, unassigned: Cell::default() };
/// assert_eq!(downgrade_rate(&group, Confidence::at(0.95)).value, Some(5.0 / 60.0));
/// ```
pub fn downgrade_rate(group: &SegmentCounts, confidence: Confidence) -> Estimate {
    fell(group, confidence).estimate
}

fn fell(group: &SegmentCounts, confidence: Confidence) -> Measured {
    moved(group, Undefined::NoRows, |_| true, |from, to| to < from, confidence.level)
}

/// The share of those in the best segment who left it: `P(now < top | was top, g)`, segments from worst to best.
///
/// From 0 to 1, with Wilson's interval. Undefined where nobody of the group was at the top
/// ([`Undefined::NobodyInSegment`]); otherwise as [`retention_rate`].
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, flow::top_segment_exit_rate}};
/// use evenhand::tally::Cell;
/// let cells = [10.0, 30.0, 5.0, 15.0].map(Cell::of_rows).to_vec();
/// let group = SegmentCounts { segments: 2, cells, unassigned: Cell::default() };
/// assert_eq!(top_segment_exit_rate(&group, Confidence::at(0.95)).value, Some(0.25));
/// ```
pub fn top_segment_exit_rate(group: &SegmentCounts, confidence: Confidence) -> Estimate {
    left_the_top(group, confidence).estimate
}

fn left_the_top(group: &SegmentCounts, confidence: Confidence) -> Measured {
    let top = group.segments.saturating_sub(1);
    moved(group, Undefined::NobodyInSegment, |from| from == top, |_, to| to != top, confidence.level)
}

/// How differently two groups move: `Σ_o π_o ½ Σ_c |P(c|o, a) − P(c|o, b)|`, the total variation of where people of an
/// earlier segment o went, weighted by the share of both groups' people who came from there.
///
/// From 0 (who came from the same segment went to the same ones as often) to 1. Only earlier segments that both groups
/// come from count. Biased upward: fair groups show some. Its interval is the figure plus and minus a quantile of the
/// same sum over errors, so that it holds 0 on fair moves as often as it says (and is wide for moves hardly apart); the
/// p-value is the chance of errors as large. Undefined where a group has no rows, no weight or no known segment, and
/// where the groups share no origin ([`Undefined::NoOverlap`]).
///
/// # References
/// Levin, Peres (2017), Markov chains and mixing times, chapter 4 (total variation).
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, flow::flow_total_variation}};
/// use evenhand::tally::Cell;
/// let group = |rows: [f64; 4]| SegmentCounts {
///     segments: 2,
///     cells: rows.map(Cell::of_rows).to_vec(),
///     unassigned: Cell::default(),
/// };
/// // Of 80 from below 50 % and 75 % went up; of 40 from above 25 % and 25 % went down.
/// let (a, b) = (group([20.0, 20.0, 5.0, 15.0]), group([10.0, 30.0, 5.0, 15.0]));
/// let t = flow_total_variation(&a, &b, Confidence::at(0.95));
/// assert!((t.estimate.value.unwrap() - 80.0 / 120.0 * 0.25).abs() < 1e-12);
/// ```
pub fn flow_total_variation(a: &SegmentCounts, b: &SegmentCounts, confidence: Confidence) -> Tested {
    let support = match People::of_two(a, b) {
        Ok(people) => people.support,
        Err(undefined) => return Tested::untested(undefined),
    };
    let (mut shares, mut weights) = (Vec::new(), Vec::new());
    let rows = a.cells.chunks(a.segments.max(1)).zip(b.cells.chunks(b.segments.max(1)));
    for (x, y) in rows.filter(|(x, y)| x.len() == y.len()) {
        if let (Some(p), Some(q)) = (Shares::of(x, confidence.level), Shares::of(y, confidence.level)) {
            shares.extend([p, q]);
            weights.push(sum(x).weight + sum(y).weight);
        }
    }
    let total: f64 = weights.iter().sum();
    if total <= 0.0 {
        return Tested::untested(Estimate::undefined(Undefined::NoOverlap, support));
    }
    distance(&shares, confidence, (1.0, support), |shares| {
        let origins = shares.chunks(2 * a.segments.max(1)).zip(&weights);
        let apart = |(of, weight): (&[f64], &f64)| {
            let (p, q) = of.split_at(of.len() / 2);
            weight / total * 0.5 * p.iter().zip(q).map(|(p, q)| (p - q).abs()).sum::<f64>()
        };
        origins.map(apart).sum()
    })
}

/// The test that groups move alike: Pearson's chi-square of groups by segments for those of each earlier segment, summed
/// over the earlier segments.
///
/// In rows (it grows with them: for how large a disparity is, see [`flow_total_variation`]), from 0 up, on
/// `Σ_o (G_o − 1)(K_o − 1)` degrees of freedom; by permutation within earlier segments where any table expects fewer than
/// 5 in a cell. With weights, each group counts with its effective size. Undefined without rows or weight, where no
/// earlier segment has two groups ([`Undefined::NoOverlap`]), and where all who came from the same segment went to the
/// same one ([`Undefined::NoVariation`]).
///
/// # References
/// Anderson, Goodman (1957), Statistical inference about Markov chains, Annals of Mathematical Statistics 28.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, flow::flow_homogeneity}};
/// use evenhand::tally::Cell;
/// let group = |rows: [f64; 4]| SegmentCounts {
///     segments: 2,
///     cells: rows.map(Cell::of_rows).to_vec(),
///     unassigned: Cell::default(),
/// };
/// let (a, b) = (group([20.0, 20.0, 5.0, 15.0]), group([10.0, 30.0, 5.0, 15.0]));
/// let t = flow_homogeneity(&[&a, &b], Confidence::at(0.95));
/// // 5² (1/15 + 1/15 + 1/25 + 1/25) from below, nothing from above; on 2 degrees of freedom.
/// assert!((t.estimate.value.unwrap() - 16.0 / 3.0).abs() < 1e-9);
/// assert!((t.p_value.unwrap() - (-8.0f64 / 3.0).exp()).abs() < 1e-9);
/// ```
pub fn flow_homogeneity(groups: &[&SegmentCounts], confidence: Confidence) -> Tested {
    match Strata::of(&within_classes(groups)) {
        Ok(strata) => strata.chi_square(confidence),
        Err(undefined) => Tested::untested(undefined),
    }
}

const FLOW: &[Need] = &[Need::Segments, Need::Earlier];
const ORDERED: &[Need] = &[Need::Segments, Need::Earlier, Need::Order];

const fn share(
    name: &'static str,
    title: &'static str,
    formula: &'static str,
    needs: &'static [Need],
    direction: Direction,
) -> MeasureEntry {
    MeasureEntry {
        name,
        title,
        formula,
        needs,
        of: Of::Group,
        direction,
        least: Some(0.0),
        most: Some(1.0),
        fair: None,
        source: "transition rates",
        also: "",
    }
}

fn of_each(
    groups: &[&SegmentCounts],
    confidence: Confidence,
    of: fn(&SegmentCounts, Confidence) -> Measured,
) -> Vec<Measured> {
    groups.iter().map(|group| of(group, confidence)).collect()
}

/// The measures of this file.
pub(crate) const MEASURES: &[Measure<SegmentCounts, Segmentation>] = &[
    Measure {
        entry: share(
            "retention_rate",
            "share who stayed in their segment",
            "P(now = earlier | g)",
            FLOW,
            Direction::Neither,
        ),
        compute: Compute::Group(|groups, _, confidence| of_each(groups, confidence, stayed)),
    },
    Measure {
        entry: share(
            "upgrade_rate",
            "share who moved to a better segment",
            "P(now > earlier | g)",
            ORDERED,
            Direction::Higher,
        ),
        compute: Compute::Group(|groups, _, confidence| of_each(groups, confidence, rose)),
    },
    Measure {
        entry: share(
            "downgrade_rate",
            "share who moved to a worse segment",
            "P(now < earlier | g)",
            ORDERED,
            Direction::Lower,
        ),
        compute: Compute::Group(|groups, _, confidence| of_each(groups, confidence, fell)),
    },
    Measure {
        entry: share(
            "top_segment_exit_rate",
            "share of the best segment who left it",
            "P(now < top | was top, g)",
            ORDERED,
            Direction::Lower,
        ),
        compute: Compute::Group(|groups, _, confidence| of_each(groups, confidence, left_the_top)),
    },
    Measure {
        entry: MeasureEntry {
            name: "flow_total_variation",
            title: "how differently two groups moved from the same segments",
            formula: "sum_o pi_o 1/2 sum_c |P(c|o, a) - P(c|o, b)|",
            needs: FLOW,
            of: Of::Pair,
            direction: Direction::Lower,
            least: Some(0.0),
            most: Some(1.0),
            fair: Some(0.0),
            source: "total variation of transition rates",
            also: "",
        },
        compute: Compute::Pair(|a, b, _, confidence| flow_total_variation(a, b, confidence)),
    },
    Measure {
        entry: MeasureEntry {
            name: "flow_homogeneity",
            title: "how surely moves depend on groups",
            formula: "sum_o sum (O - E)^2 / E",
            needs: FLOW,
            of: Of::Table,
            direction: Direction::Lower,
            least: Some(0.0),
            most: None,
            fair: Some(0.0),
            source: "Anderson and Goodman 1957",
            also: "",
        },
        compute: Compute::Table(|groups, _, confidence| flow_homogeneity(groups, confidence)),
    },
];

#[cfg(test)]
#[path = "flow_tests.rs"]
mod tests;
