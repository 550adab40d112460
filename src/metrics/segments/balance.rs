//! Whether segments mirror the people: balance, cluster ratios, bounds on representation, and diversity.
//!
//! Here a segment is looked at for who is in it, `P(g|c)`. Intervals hold for all cells that a smallest or largest is
//! taken of at once (Bonferroni), so that on fair data the best possible figure lies in them as often as they promise.

use super::quadratic::{Quadratic, spread};
use super::table::{People, less, sum};
use super::{SegmentCounts, Segmentation};
use crate::inference::ratio::{RatioInterval, koopman};
use crate::inference::{rate, z_quantile};
use crate::metrics::catalog::Direction;
use crate::metrics::family::{Compute, Measure};
use crate::metrics::measure::{Measured, share_counts};
use crate::metrics::{Confidence, Estimate, MeasureEntry, Need, Of, Support, Tested, Undefined};
use crate::tally::Cell;

/// The slack of the catalog's bounded representation: within a fifth of the group's share of all.
const SLACK: f64 = 0.2;

/// The level at which each of so many intervals is taken for all to hold.
fn each_of(level: f64, many: usize) -> f64 {
    1.0 - (1.0 - level) / many.max(1) as f64
}

/// How many cells there are to hold at once: with two groups, one cell of a segment says what the other is.
fn cells_at_once(groups: usize, segments: usize) -> usize {
    if groups == 2 { segments } else { groups * segments }
}

/// The groups with weight, as cells by the segments with weight; the reason where there are not two groups.
fn filled(groups: &[&SegmentCounts]) -> Result<(People, Vec<usize>, Vec<usize>), Estimate> {
    let people = People::of(groups)?;
    let there: Vec<usize> = (0..groups.len()).filter(|i| people.group(*i).weight > 0.0).collect();
    let met: Vec<usize> = (0..people.segments).filter(|j| people.segment(*j).weight > 0.0).collect();
    if there.len() < 2 {
        return Err(Estimate::undefined(Undefined::TooFewGroups, people.support));
    }
    Ok((people, there, met))
}

/// The balance of a segmentation: `min over segments and groups of min(r, 1/r)`, `r = P(g|c) / P(g)`.
///
/// From 0 (a segment lacks a group) to 1 (every segment mirrors the whole). Segments and groups without rows are left out.
/// On fair data below 1 by chance. The interval holds the ratios of all cells at once: Koopman's, of a group against
/// the rest. Undefined without rows, weight or two groups.
///
/// For two groups, [`chierichetti_balance`] is the older definition, which compares counts, not shares.
///
/// # References
/// Bera, Chakrabarty, Flores, Negahbani (2019), Fair algorithms for clustering, NeurIPS.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, balance::balance}};
/// let [a, b] = [[30.0, 70.0], [60.0, 40.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let b = balance(&[&a, &b], Confidence::at(0.95)).estimate;
/// assert!((b.value.unwrap() - (30.0 / 90.0) / 0.5).abs() < 1e-12);
/// assert!(b.high.unwrap() < 1.0);
/// ```
pub fn balance(groups: &[&SegmentCounts], confidence: Confidence) -> Tested {
    let (people, there, met) = match filled(groups) {
        Ok(filled) => filled,
        Err(undefined) => return Tested::untested(undefined),
    };
    let level = each_of(confidence.level, cells_at_once(there.len(), met.len()));
    let everybody = sum(&met.iter().map(|j| people.segment(*j)).collect::<Vec<_>>());
    let (mut value, mut limits) = (1.0f64, Some((1.0f64, 1.0f64)));
    for &i in &there {
        let whole = people.group(i);
        let size = whole.weight / everybody.weight;
        for &j in &met {
            let (part, everyone) = (people.groups[i][j], people.segment(j));
            let r = part.weight / everyone.weight / size;
            value = value.min(if r > 1.0 { 1.0 / r } else { r });
            let mine = share_counts(part, whole);
            let rest = share_counts(less(everyone, part), less(everybody, whole));
            let interval = mine.zip(rest).and_then(|(a, b)| koopman(a.x, a.n, b.x, b.n, level));
            limits = limits.zip(interval).map(|((low, high), i)| {
                let folded = of_all(i, size).fold();
                (low.min(folded.low), high.min(folded.high))
            });
        }
    }
    let mut estimate = Estimate::of(value, people.support);
    if let (Some((low, high)), Some(value)) = (limits, estimate.value) {
        estimate = estimate.between(low.min(value), high.max(value));
    }
    Tested::untested(estimate)
}

/// The ratio of a group's share to everybody's, of whom it is the part `w`, from its ratio to the others' share.
pub(super) fn of_all(ratio: RatioInterval, w: f64) -> RatioInterval {
    let turn = |ratio: f64| ratio / (w * ratio + 1.0 - w);
    RatioInterval { low: turn(ratio.low), high: Some(ratio.high.map_or(1.0 / w, turn)).filter(|h| h.is_finite()) }
}

/// The ratio of two groups' people in each segment that has any, `n_a / n_b` (infinite where only the first is there), with
/// its limits at `level`.
fn ratios(people: &People, level: impl Fn(usize) -> f64) -> Vec<(f64, RatioInterval)> {
    let met: Vec<usize> = (0..people.segments).filter(|j| people.segment(*j).weight > 0.0).collect();
    let level = level(met.len());
    let odds = |p: f64| if p < 1.0 { p / (1.0 - p) } else { f64::INFINITY };
    let ratio = |j: &usize| {
        let (a, all) = (people.groups[0][*j], people.segment(*j));
        let limits = share_counts(a, all).and_then(|s| rate::wilson(s.x, s.n, level));
        let (low, high) = limits.map_or((0.0, f64::INFINITY), |i| (odds(i.low), odds(i.high)));
        let value = a.weight / people.groups[1][*j].weight;
        (value, RatioInterval { low: low.min(value), high: Some(high.max(value)).filter(|h| h.is_finite()) })
    };
    met.iter().map(ratio).collect()
}

/// Chierichetti's balance of two groups: `min_c min(n_ac / n_bc, n_bc / n_ac)`.
///
/// From 0 (a segment with one group only) to the ratio of the groups' sizes at most (to 1 where they are equal): compare
/// it with that, or take [`balance`]. Segments without rows are left out. Wilson's limits of all segments at once.
/// Undefined where a group has no rows or no weight.
///
/// # References
/// Chierichetti, Kumar, Lattanzi, Vassilvitskii (2017), Fair clustering through fairlets, NeurIPS.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, balance::chierichetti_balance}};
/// let [a, b] = [[30.0, 70.0], [60.0, 40.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let b = chierichetti_balance(&a, &b, Confidence::at(0.95)).estimate;
/// assert!((b.value.unwrap() - 0.5).abs() < 1e-12);
/// ```
pub fn chierichetti_balance(a: &SegmentCounts, b: &SegmentCounts, confidence: Confidence) -> Tested {
    pair(a, b, |people| {
        let folded = ratios(people, |k| each_of(confidence.level, k)).into_iter().map(|(value, limits)| {
            let i = limits.fold();
            (if value > 1.0 { 1.0 / value } else { value }, i.low, i.high)
        });
        let least = folded.fold((1.0f64, 1.0f64, 1.0f64), |all, f| (all.0.min(f.0), all.1.min(f.1), all.2.min(f.2)));
        Estimate::of(least.0, people.support).between(least.1.min(least.0), least.2.max(least.0))
    })
}

/// The smallest ratio of two groups' people in a segment, `min_c n_ac / n_bc`.
///
/// From 0 up; the ratio of the groups' sizes where both are treated alike. Segments without rows are left out. Wilson's
/// limits of all segments at once. Undefined where the second group is in no segment of the first
/// ([`Undefined::OverZero`]), or a group has no rows or no weight.
///
/// # References
/// holisticai's `min_cluster_ratio`.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, balance::minimum_cluster_ratio}};
/// let [a, b] = [[30.0, 70.0], [60.0, 40.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// assert_eq!(minimum_cluster_ratio(&a, &b, Confidence::at(0.95)).estimate.value, Some(0.5));
/// ```
pub fn minimum_cluster_ratio(a: &SegmentCounts, b: &SegmentCounts, confidence: Confidence) -> Tested {
    pair(a, b, |people| {
        let infinite = f64::INFINITY;
        let least = ratios(people, |k| each_of(confidence.level, k))
            .into_iter()
            .fold((infinite, infinite, infinite), |all, (value, i)| {
                (all.0.min(value), all.1.min(i.low), all.2.min(i.high.unwrap_or(infinite)))
            });
        if least.0.is_infinite() {
            return Estimate::undefined(Undefined::OverZero, people.support);
        }
        Estimate::of(least.0, people.support).between(least.1, least.2)
    })
}

/// The mean ratio of two groups' people over the segments, `(1/K) Σ_c n_ac / n_bc`.
///
/// From 0 up, every segment counting alike. Segments without rows are left out. Its interval adds the squared distances to
/// the segments' Wilson limits (MOVER). Undefined where the second group misses a segment that the first is in
/// ([`Undefined::OverZero`]), or a group has no rows or no weight.
///
/// # References
/// holisticai; Zou, Donner (2008), Statistics in Medicine 27 (the interval).
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, balance::average_cluster_ratio}};
/// let [a, b] = [[30.0, 70.0], [60.0, 40.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// assert_eq!(average_cluster_ratio(&a, &b, Confidence::at(0.95)).estimate.value, Some((0.5 + 1.75) / 2.0));
/// ```
pub fn average_cluster_ratio(a: &SegmentCounts, b: &SegmentCounts, confidence: Confidence) -> Tested {
    pair(a, b, |people| {
        let ratios = ratios(people, |_| confidence.level);
        let mean = ratios.iter().map(|r| r.0).sum::<f64>() / ratios.len() as f64;
        if mean.is_infinite() {
            return Estimate::undefined(Undefined::OverZero, people.support);
        }
        let squares = |end: fn(&RatioInterval) -> f64| {
            ratios.iter().map(|(value, i)| (end(i) - value).powi(2)).sum::<f64>().sqrt() / ratios.len() as f64
        };
        let high = squares(|i| i.high.unwrap_or(f64::INFINITY));
        Estimate::of(mean, people.support).between((mean - squares(|i| i.low)).max(0.0), mean + high)
    })
}

fn pair(a: &SegmentCounts, b: &SegmentCounts, figure: impl Fn(&People) -> Estimate) -> Tested {
    Tested::untested(People::of_two(a, b).map_or_else(|undefined| undefined, |people| figure(&people)))
}

/// The least and the most that a group's share of a segment may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RepresentationBounds {
    /// The least share, β.
    pub least: f64,
    /// The largest share, α.
    pub most: f64,
}

/// Bounds around each group's share of everybody, `[p (1 − δ), p / (1 − δ)]` for a slack δ in [0, 1).
///
/// Any other slack bounds nothing; so does it for a group without rows.
///
/// # References
/// Bera, Chakrabarty, Flores, Negahbani (2019), Fair algorithms for clustering, NeurIPS (δ = 0.2 there).
///
/// # Examples
/// ```
/// use evenhand::metrics::segments::{SegmentCounts, balance::relative_bounds};
/// let [a, b] = [[30.0, 70.0], [60.0, 40.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let bounds = relative_bounds(&[&a, &b], 0.2);
/// assert!((bounds[0].least - 0.4).abs() < 1e-12 && (bounds[0].most - 0.625).abs() < 1e-12);
/// ```
pub fn relative_bounds(groups: &[&SegmentCounts], slack: f64) -> Vec<RepresentationBounds> {
    let open = RepresentationBounds { least: 0.0, most: 1.0 };
    let Ok(people) = People::of(groups) else { return vec![open; groups.len()] };
    let bound = |i: usize| {
        let p = people.group(i).weight / people.support.weight;
        let bounded = (0.0..1.0).contains(&slack) && p > 0.0;
        if bounded {
            RepresentationBounds { least: p * (1.0 - slack), most: (p / (1.0 - slack)).min(1.0) }
        } else {
            open
        }
    };
    (0..groups.len()).map(bound).collect()
}

/// Whether segments keep within bounds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BoundedRepresentation {
    /// By how much the worst cell is out of its bounds; 0 where all keep them.
    pub violation: Estimate,
    /// The cells that are out of their bounds, the worst first.
    pub cells: Vec<RepresentationViolation>,
}

/// A group's share of a segment that is out of its bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct RepresentationViolation {
    /// The group, by its place in the list.
    pub group: usize,
    /// The segment, by its number.
    pub segment: usize,
    /// Its share of the segment, `P(g|c)`; the interval holds for all cells at once.
    pub share: Estimate,
    /// Its bounds.
    pub bounds: RepresentationBounds,
    /// By how much it is out of them.
    pub excess: f64,
    /// Whether its interval is, too: not by chance alone.
    pub shown: bool,
}

/// Bounded representation: `β_g <= P(g|c) <= α_g` for every group and segment; the largest violation
/// `max over c, g of max(0, β_g − P(g|c), P(g|c) − α_g)`, and the cells that violate.
///
/// From 0 (all within) to 1. Bounds belong to the groups in their order; a group without is not bounded. Take them from
/// [`relative_bounds`], or from a policy. Segments without rows are left out. Wilson's limits of all cells at once; the
/// bounds are taken as they are. Undefined without rows or weight.
///
/// # References
/// Bera, Chakrabarty, Flores, Negahbani (2019), Fair algorithms for clustering, NeurIPS.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, balance::{bounded_representation, relative_bounds}}};
/// let [a, b] = [[30.0, 70.0], [60.0, 40.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let bounds = relative_bounds(&[&a, &b], 0.2);
/// let found = bounded_representation(&[&a, &b], &bounds, Confidence::at(0.95));
/// // A third of the first segment is of the first group, that is to be two fifths at least.
/// assert!((found.violation.value.unwrap() - (0.4 - 1.0 / 3.0)).abs() < 1e-12);
/// assert_eq!((found.cells[0].group, found.cells[0].segment, found.cells[0].shown), (0, 0, false));
/// ```
pub fn bounded_representation(
    groups: &[&SegmentCounts],
    bounds: &[RepresentationBounds],
    confidence: Confidence,
) -> BoundedRepresentation {
    let people = match People::of(groups) {
        Ok(people) => people,
        Err(undefined) => return BoundedRepresentation { violation: undefined, cells: Vec::new() },
    };
    let met: Vec<usize> = (0..people.segments).filter(|j| people.segment(*j).weight > 0.0).collect();
    let level = each_of(confidence.level, cells_at_once(groups.len().min(bounds.len()), met.len()));
    let mut cells = Vec::new();
    let (mut worst, mut low, mut high) = (0.0f64, 0.0f64, 0.0f64);
    for segment in met {
        let everyone = people.segment(segment);
        for (group, bounds) in bounds.iter().take(groups.len()).enumerate() {
            let out = |least: f64, most: f64| (bounds.least - most).max(least - bounds.most).max(0.0);
            let Some(counts) = share_counts(people.groups[group][segment], everyone) else { continue };
            let p = (people.groups[group][segment].weight / everyone.weight).clamp(0.0, 1.0);
            let mut share = Estimate::of(p, Support::from(everyone));
            let (mut surely, mut perhaps) = (0.0, 1.0);
            if let Some(i) = rate::wilson(counts.x, counts.n, level) {
                let (least, most) = (i.low.min(p), i.high.max(p));
                share = share.between(least, most);
                surely = out(least, most);
                perhaps = out(most, most).max(out(least, least));
            }
            let excess = out(p, p);
            (worst, low, high) = (worst.max(excess), low.max(surely), high.max(perhaps));
            // A bound that is met but for rounding is kept.
            if excess > 1e-12 {
                let shown = surely > 0.0;
                cells.push(RepresentationViolation { group, segment, share, bounds: *bounds, excess, shown });
            }
        }
    }
    cells.sort_by(|a, b| b.excess.total_cmp(&a.excess));
    BoundedRepresentation { violation: Estimate::of(worst, people.support).between(low, high), cells }
}

/// The entropy of shares with its interval: of how far it falls short of ln K, which is a chi-square statistic near there.
fn entropy(cells: &[Cell], level: f64) -> Estimate {
    let whole = sum(cells);
    let support = Support::from(whole);
    let shares = || cells.iter().map(|c| c.weight / whole.weight);
    let value = -shares().filter(|p| *p > 0.0).map(|p| p * p.ln()).sum::<f64>();
    let most = (cells.len() as f64).ln();
    let value = value.clamp(0.0, most);
    let n = whole.effective();
    let quadratic = Quadratic {
        value: most - value,
        scale: 2.0 * n,
        df: cells.len() as f64 - 1.0,
        variance: spread(shares().map(|p| (p, if p > 0.0 { p.ln() } else { 0.0 }))) / n,
    };
    let estimate = Estimate::of(value, support);
    match quadratic.interval(level, true) {
        Some(i) => estimate.between((most - i.high).clamp(0.0, value), (most - i.low).max(value)),
        None => estimate,
    }
}

/// The entropy of a group's segments in nats, `H_g = −Σ_c P(c|g) ln P(c|g)`: how evenly the group is spread.
///
/// From 0 (all in one segment) to ln K, K being all the segments there are. Biased downward by some (K − 1)/2n, which its
/// interval knows: of how far it falls short of ln K, by the noncentral chi-square distribution. Undefined without rows,
/// weight or known segments.
///
/// # References
/// Shannon (1948); holisticai's `cluster_dist_entropy`.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, balance::segment_entropy}};
/// let group = SegmentCounts::of_rows(&[50.0, 50.0, 0.0]);
/// let h = segment_entropy(&group, Confidence::at(0.95));
/// assert!((h.value.unwrap() - 2f64.ln()).abs() < 1e-12);
/// ```
pub fn segment_entropy(group: &SegmentCounts, confidence: Confidence) -> Estimate {
    match People::of(&[group]) {
        Ok(people) => entropy(&people.groups[0], confidence.level),
        Err(undefined) => undefined,
    }
}

/// The entropy of a group's segments over its largest value, `H_g / ln K`.
///
/// From 0 to 1; otherwise as [`segment_entropy`]. Undefined also where there is only one segment
/// ([`Undefined::OneSegment`]).
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, balance::normalized_segment_entropy}};
/// let group = SegmentCounts::of_rows(&[50.0, 50.0, 0.0, 0.0]);
/// let h = normalized_segment_entropy(&group, Confidence::at(0.95));
/// assert!((h.value.unwrap() - 0.5).abs() < 1e-12);
/// ```
pub fn normalized_segment_entropy(group: &SegmentCounts, confidence: Confidence) -> Estimate {
    normalized(segment_entropy(group, confidence), group.segments)
}

fn normalized(entropy: Estimate, kinds: usize) -> Estimate {
    let Some(value) = entropy.value else { return entropy };
    if kinds < 2 {
        return Estimate::undefined(Undefined::OneSegment, entropy.support);
    }
    let most = (kinds as f64).ln();
    let end = |v: Option<f64>| v.map_or(f64::NAN, |v| (v / most).min(1.0));
    Estimate::of((value / most).min(1.0), entropy.support).between(end(entropy.low), end(entropy.high))
}

/// The diversity of each segment: the entropy of its groups over its largest value, `−Σ_g P(g|c) ln P(g|c) / ln G`, segment by
/// segment.
///
/// From 0 (one group only) to 1 (all groups in equal numbers, which is fair only where they are so in the whole: compare
/// segments with each other). Intervals as [`segment_entropy`]'s, of each segment by itself. Undefined for a segment without
/// rows ([`Undefined::NobodyInSegment`]) and for a single group; empty where nobody can be counted.
///
/// # References
/// Shannon (1948); Pielou (1966), J. Theoretical Biology 13 (evenness).
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, balance::group_diversity}};
/// let [a, b] = [[30.0, 70.0], [30.0, 0.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let diversity = group_diversity(&[&a, &b], Confidence::at(0.95));
/// assert_eq!((diversity[0].value, diversity[1].value), (Some(1.0), Some(0.0)));
/// ```
pub fn group_diversity(groups: &[&SegmentCounts], confidence: Confidence) -> Vec<Estimate> {
    let Ok(people) = People::of(groups) else { return Vec::new() };
    let diversity = |segment: usize| {
        let support = Support::from(people.segment(segment));
        if support.weight <= 0.0 {
            return Estimate::undefined(Undefined::NobodyInSegment, support);
        }
        if groups.len() < 2 {
            return Estimate::undefined(Undefined::TooFewGroups, support);
        }
        let cells: Vec<Cell> = people.groups.iter().map(|cells| cells[segment]).collect();
        normalized(entropy(&cells, confidence.level), groups.len())
    };
    (0..people.segments).map(diversity).collect()
}

fn measured(
    groups: &[&SegmentCounts],
    confidence: Confidence,
    of: fn(&SegmentCounts, Confidence) -> Estimate,
) -> Vec<Measured> {
    let measure = |group: &&SegmentCounts| {
        let estimate = of(group, confidence);
        let error = estimate.interval().map(|(low, high)| (high - low) / (2.0 * z_quantile(confidence.level)));
        Measured { estimate, share: None, plain: false, error: error.filter(|e| e.is_finite()) }
    };
    groups.iter().map(measure).collect()
}

/// An entry by its name, title, formula, kind and way, range, fair value, source, and peers' names.
#[allow(clippy::too_many_arguments, reason = "the columns of a table")]
const fn entry(
    name: &'static str,
    title: &'static str,
    formula: &'static str,
    (of, direction): (Of, Direction),
    most: Option<f64>,
    fair: Option<f64>,
    source: &'static str,
    also: &'static str,
) -> MeasureEntry {
    let needs = &[Need::Segments];
    MeasureEntry { name, title, formula, needs, of, direction, least: Some(0.0), most, fair, source, also }
}

/// The measures of this file.
pub(crate) const MEASURES: &[Measure<SegmentCounts, Segmentation>] = &[
    Measure {
        entry: entry(
            "balance",
            "how nearly segments mirror the people",
            "min_cg min(r, 1/r), r = P(g|c) / P(g)",
            (Of::Table, Direction::Higher),
            Some(1.0),
            Some(1.0),
            "Bera et al. 2019",
            "holisticai cluster_balance (first group only)",
        ),
        compute: Compute::Table(|groups, _, confidence| balance(groups, confidence)),
    },
    Measure {
        entry: entry(
            "representation_violation",
            "by how much a segment misses 0.8 to 1.25 of a group's share",
            "max_cg max(0, 0.8 P(g) - P(g|c), P(g|c) - P(g) / 0.8)",
            (Of::Table, Direction::Lower),
            Some(1.0),
            Some(0.0),
            "Bera et al. 2019",
            "",
        ),
        compute: Compute::Table(|groups, _, confidence| {
            let bounds = relative_bounds(groups, SLACK);
            Tested::untested(bounded_representation(groups, &bounds, confidence).violation)
        }),
    },
    Measure {
        entry: entry(
            "chierichetti_balance",
            "smallest ratio of two groups' people in a segment, either way",
            "min_c min(n_ac / n_bc, n_bc / n_ac)",
            (Of::Pair, Direction::Higher),
            Some(1.0),
            None,
            "Chierichetti et al. 2017",
            "",
        ),
        compute: Compute::Pair(|a, b, _, confidence| chierichetti_balance(a, b, confidence)),
    },
    Measure {
        entry: entry(
            "minimum_cluster_ratio",
            "smallest ratio of two groups' people in a segment",
            "min_c n_ac / n_bc",
            (Of::Pair, Direction::Neither),
            None,
            None,
            "holisticai",
            "holisticai min_cluster_ratio",
        ),
        compute: Compute::Pair(|a, b, _, confidence| minimum_cluster_ratio(a, b, confidence)),
    },
    Measure {
        entry: entry(
            "average_cluster_ratio",
            "mean ratio of two groups' people over segments",
            "(1/K) sum_c n_ac / n_bc",
            (Of::Pair, Direction::Neither),
            None,
            None,
            "holisticai",
            "",
        ),
        compute: Compute::Pair(|a, b, _, confidence| average_cluster_ratio(a, b, confidence)),
    },
    Measure {
        entry: entry(
            "segment_entropy",
            "how evenly a group is spread over segments, in nats",
            "-sum_c P(c|g) ln P(c|g)",
            (Of::Group, Direction::Neither),
            None,
            None,
            "Shannon 1948",
            "holisticai cluster_dist_entropy; FairBench ode",
        ),
        compute: Compute::Group(|groups, _, confidence| measured(groups, confidence, segment_entropy)),
    },
    Measure {
        entry: entry(
            "normalized_segment_entropy",
            "how evenly a group is spread over segments",
            "-sum_c P(c|g) ln P(c|g) / ln K",
            (Of::Group, Direction::Neither),
            Some(1.0),
            None,
            "Shannon 1948",
            "",
        ),
        compute: Compute::Group(|groups, _, confidence| measured(groups, confidence, normalized_segment_entropy)),
    },
];

#[cfg(test)]
#[path = "balance_tests.rs"]
mod tests;
