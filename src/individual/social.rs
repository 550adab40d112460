//! Social fairness: how far the people of each group are from the centre of their segment.

use ndarray::ArrayView2;

use super::{Clustering, Sums, squared};
use crate::error::Result;
use crate::inference::difference::mover_difference;
use crate::inference::worst::{gap_interval_normal, ratio_interval_normal};
use crate::inference::{Interval, ratio::mover_ratio, sidak_level};
use crate::metrics::{Confidence, Estimate, Support, Undefined};

/// The mean cost of a segmentation to each group, and how unequal it is.
#[derive(Debug, Clone, PartialEq)]
pub struct SocialFairness {
    /// Each group's mean distance to the centre of its people's own segments.
    pub groups: Vec<Estimate>,
    /// The smallest over the largest of them; 1 is fair.
    pub ratio: Estimate,
    /// The largest minus the smallest of them; 0 is fair.
    pub gap: Estimate,
    /// The largest of them: what socially fair clustering makes as small as it can.
    pub max: Estimate,
}

impl SocialFairness {
    /// The cost of one group over that of another, with its interval (MOVER); undefined where either is, and over zero.
    pub fn ratio_of(&self, a: usize, b: usize) -> Estimate {
        pair(&self.groups, a, b, |x, i, y, j| {
            let interval = i.zip(j).and_then(|(i, j)| mover_ratio(x, i, y, j));
            let limits = interval.map(|r| (r.low, r.high.unwrap_or(f64::INFINITY)));
            if y == 0.0 { Err(Undefined::OverZero) } else { Ok((x / y, limits)) }
        })
    }

    /// The cost of one group minus that of another, with its interval (MOVER); undefined where either is.
    pub fn difference_of(&self, a: usize, b: usize) -> Estimate {
        difference(&self.groups, a, b)
    }
}

/// One group's figure minus another's, by MOVER.
pub(super) fn difference(groups: &[Estimate], a: usize, b: usize) -> Estimate {
    pair(groups, a, b, |x, i, y, j| {
        let interval = i.zip(j).map(|(i, j)| mover_difference(x, i, y, j));
        Ok((x - y, interval.map(|i| (i.low, i.high))))
    })
}

type Compared = std::result::Result<(f64, Option<(f64, f64)>), Undefined>;

fn pair(
    groups: &[Estimate],
    a: usize,
    b: usize,
    of: impl Fn(f64, Option<Interval>, f64, Option<Interval>) -> Compared,
) -> Estimate {
    let (Some(a), Some(b)) = (groups.get(a), groups.get(b)) else {
        return Estimate::undefined(Undefined::NoRows, Support::default());
    };
    let support = joint(a.support, b.support);
    let interval = |e: &Estimate| e.interval().map(|(low, high)| Interval { low, high });
    let compared = match (a.value(), b.value()) {
        (Err(reason), _) | (_, Err(reason)) => Err(reason),
        (Ok(x), Ok(y)) => of(x, interval(a), y, interval(b)),
    };
    match compared {
        Ok((value, Some((low, high)))) => Estimate::of(value, support).between(low, high),
        Ok((value, None)) => Estimate::of(value, support),
        Err(reason) => Estimate::undefined(reason, support),
    }
}

/// The rows of two together.
pub(super) fn joint(a: Support, b: Support) -> Support {
    let squares = |s: Support| if s.effective_size > 0.0 { s.weight * s.weight / s.effective_size } else { 0.0 };
    let (weight, squared) = (a.weight + b.weight, squares(a) + squares(b));
    let effective_size = if squared > 0.0 { weight * weight / squared } else { 0.0 };
    Support { rows: a.rows + b.rows, weight, effective_size }
}

/// The social fairness of a segmentation: each group's cost `Δ_g = Σ w d(x_i, centre of i's segment)² / Σ w`, or with
/// `square` false the same of plain distances.
///
/// In squared (plain) units of the features, from 0 up. Centres are `centroids` (a row for each segment) or the segments'
/// weighted means. Each cost has Student's interval, the centres being taken as given; the ratio of the smallest to the
/// largest and their gap hold for the extremes of all groups (Tukey–Kramer); the largest by Šidák. A group without rows
/// or weight is undefined and left out of the comparisons, which need two groups; the ratio is undefined where all costs
/// are 0.
///
/// # Errors
/// [`Error::BadSetting`](crate::Error::BadSetting) and [`Error::BadNumber`](crate::Error::BadNumber) for centroids that do
/// not fit the segments and features.
///
/// # References
/// Ghadiri, Samadi, Vempala (2021), Socially fair k-means clustering, FAccT; Abbasi, Bhaskara, Venkatasubramanian (2021),
/// Fair clustering via equitable group representations, FAccT. Holistic AI's `social_fairness_ratio` is of plain
/// distances to the nearest centre, whatever segment people are in.
///
/// # Examples
/// ```
/// use evenhand::individual::{Clustering, social_fairness};
/// use evenhand::metrics::Confidence;
/// let features = ndarray::array![[0.0], [4.0], [1.0], [3.0]];
/// let rows = Clustering::new(features.view(), &[0, 0, 0, 0], &[0, 0, 1, 1], None)?;
/// let plain = social_fairness(&rows, None, false, Confidence::at(0.95))?;
/// assert_eq!(plain.ratio.value, Some(0.5));
/// let square = social_fairness(&rows, None, true, Confidence::at(0.95))?;
/// assert_eq!((square.ratio.value, square.max.value), (Some(0.25), Some(4.0)));
/// # Ok::<(), evenhand::Error>(())
/// ```
pub fn social_fairness(
    rows: &Clustering,
    centroids: Option<ArrayView2<f64>>,
    square: bool,
    confidence: Confidence,
) -> Result<SocialFairness> {
    let centres = rows.centres(centroids)?;
    let mut sums = vec![Sums::default(); rows.group_count];
    let features = rows.features.as_standard_layout();
    let width = rows.features.ncols();
    let centres = centres.as_standard_layout();
    // Both are in standard layout, so they are slices.
    let (features, centres) = (features.as_slice().unwrap_or_default(), centres.as_slice().unwrap_or_default());
    for (row, segment) in rows.placed() {
        if let Some(group) = rows.group(row) {
            let (from, to) = (row * width, segment * width);
            let d = squared(&features[from..from + width], &centres[to..to + width]);
            sums[group].push(rows.weight(row), if square { d } else { d.sqrt() });
        }
    }
    Ok(compared(&sums, confidence.level))
}

fn compared(sums: &[Sums], level: f64) -> SocialFairness {
    let means: Vec<(Estimate, Option<f64>)> = sums.iter().map(|s| s.mean(level)).collect();
    let known: Vec<(f64, Option<f64>)> = means.iter().filter_map(|(e, se)| Some((e.value?, *se))).collect();
    let support = means.iter().fold(Support::default(), |all, (e, _)| joint(all, e.support));
    let (least, most) = known.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |r, v| (r.0.min(v.0), r.1.max(v.0)));
    let errors: Option<Vec<(f64, f64)>> = known.iter().map(|(v, se)| Some((*v, (*se)?))).collect();
    let with = |value: f64, interval: Option<Interval>| match interval {
        Some(i) => Estimate::of(value, support).between(i.low, i.high),
        None => Estimate::of(value, support),
    };
    let few = |reason| Estimate::undefined(reason, support);
    let (ratio, gap) = if known.len() < 2 {
        (few(Undefined::TooFewGroups), few(Undefined::TooFewGroups))
    } else {
        let gap = with(most - least, errors.as_ref().and_then(|e| gap_interval_normal(e, level)));
        let ratio = errors.as_ref().and_then(|e| ratio_interval_normal(e, level));
        (if most > 0.0 { with(least / most, ratio) } else { few(Undefined::OverZero) }, gap)
    };
    let max = if known.is_empty() {
        few(if support.rows > 0.0 { Undefined::NoWeight } else { Undefined::NoRows })
    } else {
        let each = sidak_level(level, known.len());
        let limits: Option<Vec<(f64, f64)>> =
            sums.iter().map(|s| s.mean(each).0).filter(|e| e.value.is_some()).map(|e| e.interval()).collect();
        let ends = limits.map(|l| l.iter().fold((0.0f64, 0.0f64), |m, i| (m.0.max(i.0), m.1.max(i.1))));
        with(most, ends.map(|(low, high)| Interval { low, high }))
    };
    SocialFairness { groups: means.into_iter().map(|m| m.0).collect(), ratio, gap, max }
}
