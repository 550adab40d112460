//! Segments from worst to best (tiers): who stands higher.
//!
//! All but [`mean_tier`] compare two groups, whose segments are listed from worst to best. Each is undefined where a
//! group has no rows, no weight or no known segment, and where there is only one segment at all.

use super::benefit::mean_of;
use super::sampling::{Shares, distance, two_sided};
use super::table::People;
use super::{SegmentCounts, Segmentation};
use crate::inference::permutation::independence_p;
use crate::inference::z_quantile;
use crate::metrics::catalog::Direction;
use crate::metrics::family::{Compute, Measure};
use crate::metrics::{Confidence, Estimate, MeasureEntry, Need, Of, Support, Tested, Undefined};

/// Below this effective size of a group, ranks are tested by permutation.
const FEW: f64 = 10.0;

/// Two groups' shares of the segments that either has, in the segments' order.
struct Pair {
    shares: [Shares; 2],
    /// Where each segment stands in the order, from 0.
    place: Vec<usize>,
    n: [f64; 2],
    support: Support,
}

impl Pair {
    fn of(a: &SegmentCounts, b: &SegmentCounts, level: f64) -> Result<Self, Estimate> {
        let people = People::of_two(a, b)?;
        let undefined = |reason| Estimate::undefined(reason, people.support);
        if people.segments < 2 {
            return Err(undefined(Undefined::OneSegment));
        }
        let mut place: Vec<usize> = (0..people.segments).filter(|j| people.segment(*j).weight > 0.0).collect();
        if place.len() < 2 {
            place = (0..people.segments).collect();
        }
        let of = |i: usize| {
            let cells: Vec<_> = place.iter().map(|j| people.groups[i][*j]).collect();
            Shares::of(&cells, level).ok_or_else(|| undefined(Undefined::NoWeight))
        };
        let shares = [of(0)?, of(1)?];
        Ok(Pair { shares, n: [0, 1].map(|i| people.group(i).effective()), support: people.support, place })
    }
}

/// The largest difference of the shares of a group at or below a segment: `max_k |F_a(k) − F_b(k)|`.
///
/// From 0 to 1; the Kolmogorov–Smirnov distance of the tiers. Its interval is the distance plus and minus a quantile of
/// the largest error of all cumulative shares at once; the p-value is the chance of an error as large. Undefined as the
/// [module](self) says.
///
/// # References
/// Smirnov (1948), Annals of Mathematical Statistics 19; Agresti, Caffo (2000), American Statistician 54 (small counts).
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, ordered::cumulative_parity}};
/// let [a, b] = [[30.0, 50.0, 20.0], [60.0, 30.0, 10.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let t = cumulative_parity(&a, &b, Confidence::at(0.95));
/// assert!((t.estimate.value.unwrap() - 0.3).abs() < 1e-12);
/// assert!(t.estimate.low.unwrap() > 0.1 && t.p_value.unwrap() < 1e-3);
/// ```
pub fn cumulative_parity(a: &SegmentCounts, b: &SegmentCounts, confidence: Confidence) -> Tested {
    match Pair::of(a, b, confidence.level) {
        Ok(pair) => distance(&pair.shares, confidence, (1.0, pair.support), |shares| {
            cumulative(shares).map(f64::abs).fold(0.0, f64::max)
        }),
        Err(undefined) => Tested::untested(undefined),
    }
}

/// `F_a(k) − F_b(k)` for every segment but the last.
fn cumulative(shares: &[f64]) -> impl Iterator<Item = f64> + '_ {
    let (a, b) = shares.split_at(shares.len() / 2);
    let ends = a.iter().zip(b).scan(0.0, |sum, (p, q)| {
        *sum += p - q;
        Some(*sum)
    });
    ends.take(a.len().saturating_sub(1))
}

/// The earth mover's (Wasserstein-1) distance of two groups' segments: `Σ |F_a − F_b| · gap` over the line on which
/// `positions` puts the segments.
///
/// In the positions' units: how far the average person of one group would have to be moved for both to be alike. From 0 to
/// the distance of the outermost positions. Positions may be ranks, prices or any finite numbers, in any order. Interval
/// and p-value as in [`cumulative_parity`]. Undefined as the [module](self) says, where positions are not as many as
/// segments ([`Undefined::NoValues`]), and where one is not finite.
///
/// # References
/// Rubner, Tomasi, Guibas (2000), The earth mover's distance, International Journal of Computer Vision 40; Vallender
/// (1974), Theory of Probability and its Applications 18 (one dimension).
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, ordered::earth_mover}};
/// let [a, b] = [[30.0, 50.0, 20.0], [60.0, 30.0, 10.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let t = earth_mover(&a, &b, &[0.0, 5.0, 20.0], Confidence::at(0.95));
/// assert!((t.estimate.value.unwrap() - (0.3 * 5.0 + 0.1 * 15.0)).abs() < 1e-12);
/// ```
pub fn earth_mover(a: &SegmentCounts, b: &SegmentCounts, positions: &[f64], confidence: Confidence) -> Tested {
    let people = match People::of_two(a, b) {
        Ok(people) => people,
        Err(undefined) => return Tested::untested(undefined),
    };
    let undefined = |reason| Tested::untested(Estimate::undefined(reason, people.support));
    if positions.len() != people.segments {
        return undefined(Undefined::NoValues);
    }
    if !positions.iter().all(|v| v.is_finite()) {
        return undefined(Undefined::NotFinite);
    }
    // From the lowest position to the highest, whatever the order of the segments.
    let mut order: Vec<usize> = (0..positions.len()).collect();
    order.sort_by(|x, y| positions[*x].total_cmp(&positions[*y]));
    let along = |group: usize| SegmentCounts {
        segments: order.len(),
        cells: order.iter().map(|j| people.groups[group][*j]).collect(),
        ..SegmentCounts::default()
    };
    let pair = match Pair::of(&along(0), &along(1), confidence.level) {
        Ok(pair) => pair,
        Err(undefined) => return Tested::untested(undefined),
    };
    let at = |j: usize| positions[order[pair.place[j]]];
    let gaps: Vec<f64> = (1..pair.place.len()).map(|j| at(j) - at(j - 1)).collect();
    let most = positions[order[order.len() - 1]] - positions[order[0]];
    distance(&pair.shares, confidence, (most, pair.support), |shares| {
        cumulative(shares).zip(&gaps).map(|(d, gap)| d.abs() * gap).sum()
    })
}

/// The chance that somebody of the first group stands higher than somebody of the second, ties counting half:
/// `P(tier_a > tier_b) + ½ P(tier_a = tier_b)`.
///
/// From 0 to 1, fair 0.5: the Mann–Whitney statistic, or AUC. Its interval is `± z` standard errors by DeLong's variance
/// with ties, of shares to which z²/2 rows are added (Agresti and Caffo), which keeps it honest where all are tied or none
/// mix. The p-value is of the Mann–Whitney test with ties, by permutation where a group has fewer than 10 (effective)
/// rows. Undefined as the [module](self) says.
///
/// # References
/// Mann, Whitney (1947), Annals of Mathematical Statistics 18; DeLong, DeLong, Clarke-Pearson (1988), Biometrics 44;
/// Agresti, Caffo (2000), American Statistician 54.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, ordered::probability_of_superiority}};
/// let [a, b] = [[30.0, 50.0, 20.0], [60.0, 30.0, 10.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let t = probability_of_superiority(&a, &b, Confidence::at(0.95));
/// // .5 · .6 + .2 · .9 above, .3 · .6 + .5 · .3 + .2 · .1 alike.
/// assert!((t.estimate.value.unwrap() - (0.48 + 0.35 / 2.0)).abs() < 1e-12);
/// ```
pub fn probability_of_superiority(a: &SegmentCounts, b: &SegmentCounts, confidence: Confidence) -> Tested {
    superiority(a, b, confidence, |theta| theta)
}

/// How much more often somebody of the first group stands higher than the other way round:
/// `P(tier_a > tier_b) − P(tier_b > tier_a)`, Somers' d of tier by group.
///
/// From −1 to 1, fair 0; `2P − 1` of the [`probability_of_superiority`], with its interval and test.
///
/// # References
/// Somers (1962), American Sociological Review 27; Cliff (1993), Psychological Bulletin 114.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, ordered::somers_d}};
/// let [a, b] = [[30.0, 50.0, 20.0], [60.0, 30.0, 10.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let d = somers_d(&a, &b, Confidence::at(0.95)).estimate;
/// assert!((d.value.unwrap() - 0.31).abs() < 1e-12 && d.low.unwrap() > 0.1);
/// ```
pub fn somers_d(a: &SegmentCounts, b: &SegmentCounts, confidence: Confidence) -> Tested {
    superiority(a, b, confidence, |theta| 2.0 * theta - 1.0)
}

/// For each segment, the share of a group below it plus half of what is in it.
fn midranks(shares: &[f64]) -> impl Iterator<Item = f64> + Clone + '_ {
    shares.iter().scan(0.0, |below, p| {
        let mid = *below + 0.5 * p;
        *below += p;
        Some(mid)
    })
}

fn superior(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(midranks(b)).map(|(p, mid)| p * mid).sum()
}

fn superiority(a: &SegmentCounts, b: &SegmentCounts, confidence: Confidence, as_figure: fn(f64) -> f64) -> Tested {
    let pair = match Pair::of(a, b, confidence.level) {
        Ok(pair) => pair,
        Err(undefined) => return Tested::untested(undefined),
    };
    let [x, y] = &pair.shares;
    let theta = superior(&x.p, &y.p).clamp(0.0, 1.0);
    let centre = superior(&x.smooth, &y.smooth);
    let half = z_quantile(confidence.level) * x.error(midranks(&y.smooth)).hypot(y.error(midranks(&x.smooth)));
    let (low, high) = ((centre - half).max(0.0).min(theta), (centre + half).min(1.0).max(theta));
    let estimate = Estimate::of(as_figure(theta), pair.support).between(as_figure(low), as_figure(high));
    match rank_test(&pair, theta, confidence) {
        Some((p_value, test)) => Tested::by(estimate, p_value, test),
        None => Tested::untested(estimate),
    }
}

/// The Mann–Whitney test with ties, on effective sizes; `None` where all are tied.
fn rank_test(pair: &Pair, theta: f64, confidence: Confidence) -> Option<(f64, &'static str)> {
    let [n, m] = pair.n;
    let size = n + m;
    let k = pair.place.len();
    let counts: Vec<f64> = pair.shares.iter().zip([n, m]).flat_map(|(s, n)| s.p.iter().map(move |p| p * n)).collect();
    let tied: f64 = (0..k).map(|j| ((counts[j] + counts[k + j]) / size).powi(3)).sum();
    if 1.0 - tied < 1e-12 || size <= 1.0 {
        return None;
    }
    if n.min(m) < FEW {
        let far = |counts: &[f64]| {
            let (a, b) = counts.split_at(k);
            let pairs = a.iter().sum::<f64>() * b.iter().sum::<f64>();
            (pairs > 0.0).then(|| (superior(a, b) / pairs - 0.5).abs())
        };
        let draws = confidence.bootstrap;
        let p_value = independence_p(&counts, k, draws.replicates, draws.seed, far)?;
        return Some((p_value, "permutation of ranks"));
    }
    let variance = size * size * (1.0 - tied) / (12.0 * n * m * (size - 1.0));
    Some((two_sided((theta - 0.5) / variance.sqrt()), "mann-whitney"))
}

/// The mean tier of a group, 1 for the worst segment: `Σ_k k P(k|g)`.
///
/// From 1 to the number of segments; otherwise as [`mean_benefit`](super::benefit::mean_benefit) of the ranks.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, ordered::mean_tier}};
/// let group = SegmentCounts::of_rows(&[30.0, 50.0, 20.0]);
/// let tier = mean_tier(&group, Confidence::at(0.95));
/// assert!((tier.value.unwrap() - 1.9).abs() < 1e-12);
/// ```
pub fn mean_tier(group: &SegmentCounts, confidence: Confidence) -> Estimate {
    super::benefit::mean_benefit(group, &ranks(group.segments), confidence)
}

fn ranks(segments: usize) -> Vec<f64> {
    (1..=segments).map(|k| k as f64).collect()
}

/// An entry by its name, title, formula, needs, kind and way, range, fair value, source, and peers' names.
#[allow(clippy::too_many_arguments, reason = "the columns of a table")]
const fn entry(
    name: &'static str,
    title: &'static str,
    formula: &'static str,
    needs: &'static [Need],
    (of, direction): (Of, Direction),
    (least, most): (Option<f64>, Option<f64>),
    fair: Option<f64>,
    source: &'static str,
    also: &'static str,
) -> MeasureEntry {
    MeasureEntry { name, title, formula, needs, of, direction, least, most, fair, source, also }
}

const ORDER: &[Need] = &[Need::Segments, Need::Order];
const VALUES: &[Need] = &[Need::Segments, Need::Values];

/// The measures of this file.
pub(crate) const MEASURES: &[Measure<SegmentCounts, Segmentation>] = &[
    Measure {
        entry: entry(
            "mean_tier",
            "mean tier, 1 for the worst segment",
            "sum_k k P(k|g)",
            ORDER,
            (Of::Group, Direction::Higher),
            (Some(1.0), None),
            None,
            "mean rank",
            "",
        ),
        compute: Compute::Group(|groups, _, confidence| {
            groups.iter().map(|g| mean_of(g, &ranks(g.segments), confidence)).collect()
        }),
    },
    Measure {
        entry: entry(
            "cumulative_parity",
            "largest difference of the shares at or below a segment",
            "max_k |F_a(k) - F_b(k)|",
            ORDER,
            (Of::Pair, Direction::Lower),
            (Some(0.0), Some(1.0)),
            Some(0.0),
            "Smirnov 1948",
            "",
        ),
        compute: Compute::Pair(|a, b, _, confidence| cumulative_parity(a, b, confidence)),
    },
    Measure {
        entry: entry(
            "probability_of_superiority",
            "chance to stand higher than somebody of the other group",
            "P(tier_a > tier_b) + P(tier_a = tier_b) / 2",
            ORDER,
            (Of::Pair, Direction::Neither),
            (Some(0.0), Some(1.0)),
            Some(0.5),
            "Mann and Whitney 1947",
            "scipy mannwhitneyu U / (n m); AUC",
        ),
        compute: Compute::Pair(|a, b, _, confidence| probability_of_superiority(a, b, confidence)),
    },
    Measure {
        entry: entry(
            "somers_d",
            "how much more often the first group stands higher",
            "P(tier_a > tier_b) - P(tier_b > tier_a)",
            ORDER,
            (Of::Pair, Direction::Neither),
            (Some(-1.0), Some(1.0)),
            Some(0.0),
            "Somers 1962",
            "scipy somersd; Cliff's delta",
        ),
        compute: Compute::Pair(|a, b, _, confidence| somers_d(a, b, confidence)),
    },
    Measure {
        entry: entry(
            "earth_mover",
            "tiers that people would have to be moved to make two groups alike",
            "sum_k |F_a(k) - F_b(k)|",
            ORDER,
            (Of::Pair, Direction::Lower),
            (Some(0.0), None),
            Some(0.0),
            "Rubner et al. 2000",
            "fairlens earth movers distance; scipy wasserstein_distance",
        ),
        compute: Compute::Pair(|a, b, _, confidence| earth_mover(a, b, &ranks(a.segments.max(b.segments)), confidence)),
    },
    Measure {
        entry: entry(
            "earth_mover_of_values",
            "value that people would have to be moved by to make two groups alike",
            "sum_k |F_a(k) - F_b(k)| (v_k+1 - v_k), by rising value",
            VALUES,
            (Of::Pair, Direction::Lower),
            (Some(0.0), None),
            Some(0.0),
            "Rubner et al. 2000",
            "scipy wasserstein_distance",
        ),
        compute: Compute::Pair(|a, b, context, confidence| {
            earth_mover(a, b, context.values.as_deref().unwrap_or_default(), confidence)
        }),
    },
];

#[cfg(test)]
#[path = "ordered_tests.rs"]
mod tests;
