//! How far apart two groups' shares of the segments are: measures of a group against another, or against the rest.
//!
//! All are 0 where the shares are the same, and all are tested by chi-square of the two groups' table (by permutation
//! where it expects fewer than 5 in any cell). With weights, shares are weighted, and effective sizes say how sure they
//! are. Each is undefined where a group has no rows, no weight or no known segment.
//!
//! Intervals of [`total_variation`] and [`max_share_difference`] are conservative: differences of shares, all held at
//! once. Those of the others invert the noncentral chi-square distribution, stretched to what the delta method says.
//! Their low end is above 0 on fair data no more often than they promise.

use super::quadratic::{Quadratic, spread};
use super::table::{Chance, People, SPARSE_TEST, Table};
use super::{SegmentCounts, Segmentation};
use crate::inference::difference::mover_difference;
use crate::inference::rate::wilson_at;
use crate::inference::{Interval, z_quantile};
use crate::metrics::catalog::Direction;
use crate::metrics::family::{Compute, Measure};
use crate::metrics::{Confidence, Estimate, MeasureEntry, Need, Of, Support, Tested, Undefined};

/// Segments up to which all sets of them are tried.
const ALL_SETS: usize = 12;

/// Two groups' shares of the segments that either has.
struct Shares {
    p: Vec<f64>,
    q: Vec<f64>,
    /// Effective sizes.
    n: [f64; 2],
    support: Support,
    chance: Option<Chance>,
    rejected: bool,
    level: f64,
}

impl Shares {
    fn of(a: &SegmentCounts, b: &SegmentCounts, confidence: Confidence) -> Result<Self, Estimate> {
        let people = People::of_two(a, b)?;
        let totals = [people.group(0), people.group(1)];
        let met: Vec<usize> = (0..people.segments).filter(|j| people.segment(*j).weight > 0.0).collect();
        let share = |i: usize| met.iter().map(|j| people.groups[i][*j].weight / totals[i].weight).collect();
        // With one segment there is no table to test, and no difference either.
        let chance = Table::of(&[a, b]).ok().and_then(|table| table.chi_square(confidence));
        let rejected = chance.as_ref().is_some_and(|c| c.p_value < (1.0 - confidence.level) / 2.0);
        Ok(Shares {
            p: share(0),
            q: share(1),
            n: totals.map(|t| t.effective()),
            support: people.support,
            chance,
            rejected,
            level: confidence.level,
        })
    }

    fn pairs(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.p.iter().copied().zip(self.q.iter().copied())
    }

    /// The interval of the difference of the shares of a set of segments, at a normal quantile: Newcombe's.
    fn difference(&self, p: f64, q: f64, z: f64) -> Interval {
        let side = |p: f64, n: f64| wilson_at(p * n, n, z);
        let (p, q) = (p.min(1.0), q.min(1.0));
        mover_difference(p, side(p, self.n[0]), q, side(q, self.n[1])).clamp(-1.0, 1.0).fold()
    }

    fn answer(self, estimate: Estimate) -> Tested {
        match self.chance {
            Some(chance) => Tested::by(estimate, chance.p_value, chance.test),
            None => Tested::untested(estimate),
        }
    }
}

/// A divergence θ of the two groups' shares, `scale` times the chi-square form Σ (p − q)² / p̄ where they hardly differ,
/// with what one more of either group in a segment changes; `back` makes the figure of θ.
fn divergence(
    a: &SegmentCounts,
    b: &SegmentCounts,
    confidence: Confidence,
    theta: impl Fn(f64, f64) -> f64,
    scale: f64,
    slopes: [fn(f64, f64) -> f64; 2],
    (back, most): (fn(f64) -> f64, f64),
) -> Tested {
    let shares = match Shares::of(a, b, confidence) {
        Ok(shares) => shares,
        Err(undefined) => return Tested::untested(undefined),
    };
    let value = shares.pairs().map(|(p, q)| theta(p, q)).sum::<f64>().max(0.0);
    let [n, m] = shares.n;
    let first = spread(shares.pairs().map(|(p, q)| (p, if p > 0.0 { slopes[0](p, q) } else { 0.0 })));
    let second = spread(shares.pairs().map(|(p, q)| (q, if q > 0.0 { slopes[1](p, q) } else { 0.0 })));
    let quadratic = Quadratic {
        value,
        scale: n * m / (n + m) * scale,
        df: (shares.p.len() as f64 - 1.0).max(1.0),
        variance: first / n + second / m,
    };
    let figure = back(value).min(most);
    let mut estimate = Estimate::of(figure, shares.support);
    if let Some(interval) = quadratic.interval(shares.level, shares.rejected).filter(|_| estimate.value.is_some()) {
        estimate = estimate.between(back(interval.low).min(figure), back(interval.high).min(most).max(figure));
    }
    shares.answer(estimate)
}

/// Total variation: `½ Σ_c |P(c|a) − P(c|b)|`, the share of a group that would have to change segments to make both alike.
///
/// From 0 (same shares) to 1 (no segment in common). Biased upward: fair groups show some. Its interval holds Newcombe's
/// intervals of the difference for every set of segments at once (Bonferroni, or Scheffé where that is narrower), of
/// which the total variation is the largest; of more than 12 segments the upper end is the total variation plus the
/// widest that any set can be. Undefined as the [module](self) says.
///
/// # References
/// Newcombe (1998), Statistics in Medicine 17; Scheffé (1953), Biometrika 40.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, divergence::total_variation}};
/// let [a, b] = [[30.0, 50.0, 20.0], [60.0, 30.0, 10.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let t = total_variation(&a, &b, Confidence::at(0.95));
/// assert!((t.estimate.value.unwrap() - 0.3).abs() < 1e-12);
/// assert!(t.estimate.low.unwrap() > 0.1 && t.estimate.high.unwrap() < 0.5);
/// ```
pub fn total_variation(a: &SegmentCounts, b: &SegmentCounts, confidence: Confidence) -> Tested {
    let shares = match Shares::of(a, b, confidence) {
        Ok(shares) => shares,
        Err(undefined) => return Tested::untested(undefined),
    };
    let k = shares.p.len().max(2);
    let value = (0.5 * shares.pairs().map(|(p, q)| (p - q).abs()).sum::<f64>()).min(1.0);
    let z = quantile_of_sets(k, shares.level);
    // From where the first group has most more to where it has least: of the sets that begin here one is the largest.
    let mut order: Vec<(f64, f64)> = shares.pairs().collect();
    order.sort_by(|x, y| (y.0 - y.1).total_cmp(&(x.0 - x.1)));
    let (mut low, mut high) = (0.0f64, 0.0f64);
    if k <= ALL_SETS {
        let sets = 1usize << (order.len() - 1);
        for set in 1..sets.max(2) {
            let picked = order.iter().enumerate().filter(|(at, _)| set >> at & 1 == 1);
            let (p, q) = picked.fold((0.0, 0.0), |sum, (_, (p, q))| (sum.0 + p, sum.1 + q));
            let interval = shares.difference(p, q, z);
            (low, high) = (low.max(interval.low), high.max(interval.high));
        }
    } else {
        let (mut p, mut q) = (0.0, 0.0);
        for (more, less) in &order[..order.len() - 1] {
            (p, q) = (p + more, q + less);
            low = low.max(shares.difference(p, q, z).low);
        }
        // Wilson's limit is never further from the share than z / 2√n.
        high = (value + 0.5 * z * (1.0 / shares.n[0] + 1.0 / shares.n[1]).sqrt()).min(1.0);
    }
    let low = if shares.rejected { low } else { 0.0 };
    let estimate = Estimate::of(value, shares.support).between(low.min(value), high.max(value));
    shares.answer(estimate)
}

/// The normal quantile that holds the differences of all sets of `k` segments at once.
fn quantile_of_sets(k: usize, level: f64) -> f64 {
    let sets = 2f64.powi(k as i32 - 1) - 1.0;
    let bonferroni = z_quantile(1.0 - (1.0 - level) / sets);
    // The chi-square quantile by Wilson and Hilferty's cube, good to 0.1 % for the many segments where it is the smaller.
    let df = k as f64 - 1.0;
    let part = 2.0 / (9.0 * df);
    let cube = 1.0 - part + z_quantile(2.0 * level - 1.0) * part.sqrt();
    if k > 2 * ALL_SETS { bonferroni.min((df * cube * cube * cube).sqrt()) } else { bonferroni }
}

/// The largest difference of a segment's share, `max_c |P(c|a) − P(c|b)|` (L∞).
///
/// From 0 to 1. Its interval holds Newcombe's intervals of all segments' differences at once (Bonferroni). Undefined as
/// the [module](self) says.
///
/// # References
/// Newcombe (1998), Statistics in Medicine 17; SageMaker Clarify's and LiFT's "KS" of labels.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, divergence::max_share_difference}};
/// let [a, b] = [[30.0, 50.0, 20.0], [60.0, 30.0, 10.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let t = max_share_difference(&a, &b, Confidence::at(0.95));
/// assert!((t.estimate.value.unwrap() - 0.3).abs() < 1e-12);
/// ```
pub fn max_share_difference(a: &SegmentCounts, b: &SegmentCounts, confidence: Confidence) -> Tested {
    let shares = match Shares::of(a, b, confidence) {
        Ok(shares) => shares,
        Err(undefined) => return Tested::untested(undefined),
    };
    // Of two segments, one says all.
    let cells = if shares.p.len() <= 2 { 1.0 } else { shares.p.len() as f64 };
    let z = z_quantile(1.0 - (1.0 - shares.level) / cells);
    let value = shares.pairs().map(|(p, q)| (p - q).abs()).fold(0.0, f64::max);
    let (low, high) = shares
        .pairs()
        .map(|(p, q)| shares.difference(p, q, z))
        .fold((0.0f64, 0.0f64), |all, i| (all.0.max(i.low), all.1.max(i.high)));
    let estimate = Estimate::of(value, shares.support).between(low.min(value), high.max(value));
    shares.answer(estimate)
}

/// The Hellinger distance, `√(1 − Σ_c √(P(c|a) P(c|b)))`.
///
/// From 0 (same shares) to 1 (no segment in common). Biased upward like all distances, and strongly by segments that only one
/// group is met in: where the table expects fewer than 5 in any cell, its low end is at most that of the [chi-square
/// distance](chi_square_distance) Δ, of which `H² >= Δ/2`. Undefined as the [module](self) says.
///
/// # References
/// Hellinger (1909), J. für die reine und angewandte Mathematik 136.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, divergence::hellinger}};
/// let [a, b] = [[3.0, 1.0, 4.0], [3.0, 11.0, 14.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let t = hellinger(&a, &b, Confidence::at(0.95));
/// assert!((t.estimate.value.unwrap() - 0.2792002031852809).abs() < 1e-12);
/// ```
pub fn hellinger(a: &SegmentCounts, b: &SegmentCounts, confidence: Confidence) -> Tested {
    let half = |x: f64| 0.5 * x * x;
    let slopes: [fn(f64, f64) -> f64; 2] = [|p, q| -0.5 * (q / p).sqrt(), |p, q| -0.5 * (p / q).sqrt()];
    let mut tested = divergence(a, b, confidence, |p, q| half(p.sqrt() - q.sqrt()), 8.0, slopes, (f64::sqrt, 1.0));
    if tested.test == Some(SPARSE_TEST) {
        let floor = chi_square_distance(a, b, confidence).estimate.low;
        tested.estimate.low = tested.estimate.low.zip(floor).map(|(low, floor)| low.min((floor / 2.0).sqrt()));
    }
    tested
}

/// The Jensen–Shannon divergence in nats, `½ Σ p ln(p/m) + ½ Σ q ln(q/m)` with `m = (p + q) / 2`.
///
/// From 0 to ln 2. scipy's `jensenshannon` is its square root (a distance), and by base 2 others divide by ln 2.
/// Undefined as the [module](self) says.
///
/// # References
/// Lin (1991), IEEE Transactions on Information Theory 37.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, divergence::jensen_shannon}};
/// let [a, b] = [[3.0, 1.0, 4.0], [3.0, 11.0, 14.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let t = jensen_shannon(&a, &b, Confidence::at(0.95));
/// assert!((t.estimate.value.unwrap() - 0.07577589896841665).abs() < 1e-12);
/// ```
pub fn jensen_shannon(a: &SegmentCounts, b: &SegmentCounts, confidence: Confidence) -> Tested {
    let part = |p: f64, q: f64| if p > 0.0 { 0.5 * p * (2.0 * p / (p + q)).ln() } else { 0.0 };
    let slopes: [fn(f64, f64) -> f64; 2] =
        [|p, q| 0.5 * (2.0 * p / (p + q)).ln(), |p, q| 0.5 * (2.0 * q / (p + q)).ln()];
    divergence(a, b, confidence, |p, q| part(p, q) + part(q, p), 8.0, slopes, (|x| x, std::f64::consts::LN_2))
}

/// The Kullback–Leibler divergence of the first group from the second in nats, `Σ p ln(p / q)`.
///
/// From 0 up, without limit; not symmetric. It rests on the rarest shares of the second group: of a few rows its interval
/// holds less often than promised. Undefined where a segment that the first group has is never met in the second
/// ([`Undefined::DifferentSupports`]; the sum would be infinite), and as the [module](self) says.
///
/// # References
/// Kullback, Leibler (1951), Annals of Mathematical Statistics 22.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, Undefined, segments::{SegmentCounts, divergence::kullback_leibler}};
/// let [a, b] = [[3.0, 1.0, 4.0], [3.0, 11.0, 14.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let t = kullback_leibler(&a, &b, Confidence::at(0.95));
/// assert!((t.estimate.value.unwrap() - 0.3266445751478877).abs() < 1e-12);
/// let never = SegmentCounts::of_rows(&[3.0, 0.0, 4.0]);
/// let t = kullback_leibler(&a, &never, Confidence::at(0.95));
/// assert_eq!(t.estimate.reason, Some(Undefined::DifferentSupports));
/// ```
pub fn kullback_leibler(a: &SegmentCounts, b: &SegmentCounts, confidence: Confidence) -> Tested {
    let lacks = |first: &[f64], second: &[f64]| first.iter().zip(second).any(|(p, q)| *p > 0.0 && *q <= 0.0);
    match Shares::of(a, b, confidence) {
        Ok(shares) if lacks(&shares.p, &shares.q) => {
            let undefined = Estimate::undefined(Undefined::DifferentSupports, shares.support);
            shares.answer(undefined)
        }
        _ => {
            let part = |p: f64, q: f64| if p > 0.0 { p * (p / q).ln() } else { 0.0 };
            let slopes: [fn(f64, f64) -> f64; 2] = [|p, q| (p / q).ln(), |p, q| -p / q];
            divergence(a, b, confidence, part, 2.0, slopes, (|x| x, f64::INFINITY))
        }
    }
}

/// The (symmetric) chi-square distance, `½ Σ_c (P(c|a) − P(c|b))² / (P(c|a) + P(c|b))`.
///
/// From 0 (same shares) to 1 (no segment in common); also called triangular discrimination. Undefined as the
/// [module](self) says.
///
/// # References
/// Le Cam (1986), Asymptotic methods in statistical decision theory; Topsøe (2000), IEEE Transactions on Information
/// Theory 46.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, divergence::chi_square_distance}};
/// let [a, b] = [[30.0, 50.0, 20.0], [60.0, 30.0, 10.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let t = chi_square_distance(&a, &b, Confidence::at(0.95));
/// assert!((t.estimate.value.unwrap() - 0.5 * (0.09 / 0.9 + 0.04 / 0.8 + 0.01 / 0.3)).abs() < 1e-12);
/// ```
pub fn chi_square_distance(a: &SegmentCounts, b: &SegmentCounts, confidence: Confidence) -> Tested {
    let part = |p: f64, q: f64| 0.5 * (p - q) * (p - q) / (p + q);
    // d/dp of (p − q)²/(p + q) is 1 − 4q²/(p + q)².
    let slopes: [fn(f64, f64) -> f64; 2] = [|p, q| -2.0 * (q / (p + q)).powi(2), |p, q| -2.0 * (p / (p + q)).powi(2)];
    divergence(a, b, confidence, part, 4.0, slopes, (|x| x, 1.0))
}

const fn entry(
    name: &'static str,
    title: &'static str,
    formula: &'static str,
    most: Option<f64>,
    source: &'static str,
    also: &'static str,
) -> MeasureEntry {
    MeasureEntry {
        name,
        title,
        formula,
        needs: &[Need::Segments],
        of: Of::Pair,
        direction: Direction::Lower,
        least: Some(0.0),
        most,
        fair: Some(0.0),
        source,
        also,
    }
}

/// The measures of this file.
pub(crate) const MEASURES: &[Measure<SegmentCounts, Segmentation>] = &[
    Measure {
        entry: entry(
            "total_variation",
            "share that would have to change segments",
            "sum_c |P(c|a) - P(c|b)| / 2",
            Some(1.0),
            "Newcombe 1998 (interval)",
            "holisticai cluster_dist_l1, multiclass_statistical_parity; LiFT TotalVariationDistance; smclarify TVD",
        ),
        compute: Compute::Pair(|a, b, _, confidence| total_variation(a, b, confidence)),
    },
    Measure {
        entry: entry(
            "max_share_difference",
            "largest difference of a segment's share",
            "max_c |P(c|a) - P(c|b)|",
            Some(1.0),
            "Newcombe 1998 (interval)",
            "LiFT InfinityNormDistance; smclarify KS",
        ),
        compute: Compute::Pair(|a, b, _, confidence| max_share_difference(a, b, confidence)),
    },
    Measure {
        entry: entry(
            "hellinger",
            "Hellinger distance of the segments' shares",
            "sqrt(1 - sum_c sqrt(P(c|a) P(c|b)))",
            Some(1.0),
            "Hellinger 1909",
            "fairlens hellinger_distance",
        ),
        compute: Compute::Pair(|a, b, _, confidence| hellinger(a, b, confidence)),
    },
    Measure {
        entry: entry(
            "jensen_shannon",
            "Jensen–Shannon divergence of the segments' shares, in nats",
            "sum p ln(p/m) / 2 + sum q ln(q/m) / 2, m = (p + q) / 2",
            Some(std::f64::consts::LN_2),
            "Lin 1991",
            "scipy jensenshannon squared; LiFT JSDivergence; smclarify JS",
        ),
        compute: Compute::Pair(|a, b, _, confidence| jensen_shannon(a, b, confidence)),
    },
    Measure {
        entry: entry(
            "kullback_leibler",
            "Kullback–Leibler divergence of the segments' shares, in nats",
            "sum_c P(c|a) ln(P(c|a) / P(c|b))",
            None,
            "Kullback, Leibler 1951",
            "holisticai cluster_dist_kl; LiFT KLDivergence; smclarify KL",
        ),
        compute: Compute::Pair(|a, b, _, confidence| kullback_leibler(a, b, confidence)),
    },
    Measure {
        entry: entry(
            "chi_square_distance",
            "chi-square distance of the segments' shares",
            "sum_c (P(c|a) - P(c|b))^2 / (P(c|a) + P(c|b)) / 2",
            Some(1.0),
            "Le Cam 1986",
            "triangular discrimination",
        ),
        compute: Compute::Pair(|a, b, _, confidence| chi_square_distance(a, b, confidence)),
    },
];

#[cfg(test)]
#[path = "divergence_tests.rs"]
mod tests;
