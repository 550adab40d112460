//! Segments against the truth: the classes of the counts are the right segments, under the same names and in the same
//! order as the segments.

use super::flow::rate;
use super::information::{
    conditional_mutual_information, conditional_mutual_information_corrected, within_classes, within_segments,
};
use super::sampling::{Shares, distance};
use super::table::{People, sum};
use super::{SegmentCounts, Segmentation};
use crate::inference::z_quantile;
use crate::metrics::catalog::Direction;
use crate::metrics::family::{Compute, Measure};
use crate::metrics::measure::Measured;
use crate::metrics::{Confidence, Estimate, MeasureEntry, Need, Of, Support, Tested, Undefined};
use crate::tally::Cell;

/// How the disparities of all pairs of groups become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregation {
    /// Their mean.
    Mean,
    /// The largest.
    Max,
}

/// The rates `M_g(class, segment) = P(segment | class, g)` of groups with people, and what chance makes of them.
struct Rates {
    shares: Vec<Shares>,
    /// Where a group's rates of a class start; `None` for a class that nobody of the group is of.
    start: Vec<Vec<Option<usize>>>,
    segments: usize,
    support: Support,
}

impl Rates {
    fn of(groups: &[&SegmentCounts], whole: bool, level: f64) -> Result<Self, Estimate> {
        let people = People::of(groups)?;
        let (segments, support) = (people.segments, people.support);
        let mut rates = Rates { shares: Vec::new(), start: Vec::new(), segments, support };
        let mut next = 0;
        for (i, group) in groups.iter().enumerate().filter(|(i, _)| people.group(*i).weight > 0.0) {
            let rows: Vec<&[Cell]> =
                if whole { vec![&people.groups[i]] } else { group.cells.chunks(group.segments.max(1)).collect() };
            let start = rows.into_iter().map(|row| {
                let shares = Shares::of(row, level).filter(|s| s.p.len() == segments)?;
                rates.shares.push(shares);
                next += segments;
                Some(next - segments)
            });
            let start = start.collect();
            rates.start.push(start);
        }
        let reason = if rates.start.len() < 2 {
            Undefined::TooFewGroups
        } else if !whole && rates.start.iter().all(|s| s.len() != segments) {
            Undefined::NoClasses
        } else {
            return Ok(rates);
        };
        Err(Estimate::undefined(reason, support))
    }

    /// The rates of two groups for each class that both have.
    fn common<'a>(&'a self, rates: &'a [f64], a: usize, b: usize) -> impl Iterator<Item = Common<'a>> {
        let both = self.start[a].iter().zip(&self.start[b]).enumerate();
        both.filter_map(|(class, (x, y))| {
            let of = |start: usize| &rates[start..start + self.segments];
            Some(Common { class, a: of((*x)?), b: of((*y)?) })
        })
    }

    /// All pairs' disparities in one; 0 where no pair has a class in common (which [`disparity`] turns away).
    fn over_pairs(&self, aggregation: Aggregation, of: impl Fn(usize, usize) -> Option<f64>) -> Option<f64> {
        let k = self.start.len();
        let pairs = (0..k).flat_map(|a| (a + 1..k).map(move |b| (a, b)));
        let (mut sum, mut most, mut count) = (0.0, 0.0f64, 0.0);
        for value in pairs.filter_map(|(a, b)| of(a, b)) {
            (sum, most, count) = (sum + value, most.max(value), count + 1.0);
        }
        (count > 0.0).then_some(match aggregation {
            Aggregation::Mean => sum / count,
            Aggregation::Max => most,
        })
    }
}

/// The rates of a class in two groups.
struct Common<'a> {
    class: usize,
    a: &'a [f64],
    b: &'a [f64],
}

/// A disparity of pairs of groups, from their rates for each class that both have.
fn disparity(
    groups: &[&SegmentCounts],
    aggregation: Aggregation,
    confidence: Confidence,
    whole: bool,
    of: impl Fn(&Rates, &[f64], usize, usize) -> Option<f64>,
) -> Tested {
    let rates = match Rates::of(groups, whole, confidence.level) {
        Ok(rates) => rates,
        Err(undefined) => return Tested::untested(undefined),
    };
    let over_pairs = |flat: &[f64]| rates.over_pairs(aggregation, |a, b| of(&rates, flat, a, b));
    let flat: Vec<f64> = rates.shares.iter().flat_map(|s| &s.p).copied().collect();
    if over_pairs(&flat).is_none() {
        return Tested::untested(Estimate::undefined(Undefined::NoOverlap, rates.support));
    }
    distance(&rates.shares, confidence, (1.0, rates.support), |flat| over_pairs(flat).unwrap_or(0.0))
}

/// The mean over classes that two groups have in common.
fn per_class(rates: &Rates, flat: &[f64], (a, b): (usize, usize), of: impl Fn(Common) -> f64) -> Option<f64> {
    let (sum, count) = rates.common(flat, a, b).fold((0.0, 0.0), |s, common| (s.0 + of(common), s.1 + 1.0));
    (count > 0.0).then(|| sum / count)
}

fn apart(common: &Common) -> f64 {
    0.5 * common.a.iter().zip(common.b).map(|(p, q)| (p - q).abs()).sum::<f64>()
}

/// Multi-class statistical parity: the total variation of two groups' segments, `½ Σ_c |P(c|a) − P(c|b)|`, over all pairs
/// of groups. Needs no classes.
///
/// From 0 to 1. Biased upward: fair groups show some. Its interval is the figure plus and minus a quantile of the same
/// figure of errors, so that it holds 0 on fair data as often as it says; the p-value is the chance of errors as large.
/// Groups without weight are left out. Undefined without rows or weight, and with fewer than two groups.
///
/// # References
/// Holistic AI `multiclass_statistical_parity`; Denis et al. (2024), Fairness guarantees in multi-class classification,
/// JMLR 25.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, classes::{Aggregation, multiclass_statistical_parity}}};
/// let [a, b] = [[30.0, 50.0, 20.0], [60.0, 30.0, 10.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let t = multiclass_statistical_parity(&[&a, &b], Aggregation::Mean, Confidence::at(0.95));
/// assert!((t.estimate.value.unwrap() - 0.3).abs() < 1e-12);
/// ```
pub fn multiclass_statistical_parity(
    groups: &[&SegmentCounts],
    aggregation: Aggregation,
    confidence: Confidence,
) -> Tested {
    disparity(groups, aggregation, confidence, true, |rates, flat, a, b| per_class(rates, flat, (a, b), |c| apart(&c)))
}

/// Multi-class equality of opportunity: how differently people of the same true class are dealt to segments,
/// `1/2K Σ_class Σ_segment |M_a − M_b|`, `M_g = P(segment | class, g)`, over all pairs of groups.
///
/// From 0 to 1: the mean over classes of the total variation. Classes that a group of a pair does not have are left out of
/// that pair. Interval and p-value as in [`multiclass_statistical_parity`]. Undefined as that, without classes
/// ([`Undefined::NoClasses`]), and where no pair of groups has a class in common ([`Undefined::NoOverlap`]).
///
/// # References
/// Holistic AI `multiclass_equality_of_opp`; Hardt, Price, Srebro (2016), Equality of opportunity, NeurIPS.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, classes::{Aggregation, multiclass_equality_of_opportunity}}};
/// use evenhand::tally::Cell;
/// let group = |rows: [f64; 4]| SegmentCounts {
///     segments: 2,
///     cells: rows.map(Cell::of_rows).to_vec(),
///     unassigned: Cell::default(),
/// };
/// // Right for 90 % and 80 % of either class in the first group, for 70 % and 80 % in the second.
/// let (a, b) = (group([90.0, 10.0, 20.0, 80.0]), group([70.0, 30.0, 20.0, 80.0]));
/// let t = multiclass_equality_of_opportunity(&[&a, &b], Aggregation::Mean, Confidence::at(0.95));
/// assert!((t.estimate.value.unwrap() - 0.1).abs() < 1e-12);
/// ```
pub fn multiclass_equality_of_opportunity(
    groups: &[&SegmentCounts],
    aggregation: Aggregation,
    confidence: Confidence,
) -> Tested {
    disparity(groups, aggregation, confidence, false, |rates, flat, a, b| per_class(rates, flat, (a, b), |c| apart(&c)))
}

/// Multi-class average odds: how differently segments are dealt when every true class counts the same,
/// `1/2K Σ_segment |Σ_class (M_a − M_b)|`, over all pairs of groups.
///
/// From 0 to 1, at most the [`multiclass_equality_of_opportunity`]: disparities of classes may cancel. Otherwise as that.
///
/// # References
/// Holistic AI `multiclass_average_odds`.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, classes::{Aggregation, multiclass_average_odds}}};
/// use evenhand::tally::Cell;
/// let group = |rows: [f64; 4]| SegmentCounts {
///     segments: 2,
///     cells: rows.map(Cell::of_rows).to_vec(),
///     unassigned: Cell::default(),
/// };
/// let (a, b) = (group([90.0, 10.0, 20.0, 80.0]), group([70.0, 30.0, 40.0, 60.0]));
/// let t = multiclass_average_odds(&[&a, &b], Aggregation::Mean, Confidence::at(0.95));
/// assert!(t.estimate.value.unwrap().abs() < 1e-12); // fewer of the first class go to the first segment, more of the second
/// ```
pub fn multiclass_average_odds(groups: &[&SegmentCounts], aggregation: Aggregation, confidence: Confidence) -> Tested {
    disparity(groups, aggregation, confidence, false, |rates, flat, a, b| {
        let count = rates.common(flat, a, b).count() as f64;
        let by_segment = |s: usize| rates.common(flat, a, b).map(|c| c.a[s] - c.b[s]).sum::<f64>().abs();
        (count > 0.0).then(|| (0..rates.segments).map(by_segment).sum::<f64>() / (2.0 * count))
    })
}

/// The multi-class gap of true rates: how differently often people of a class are put into the right segment,
/// `1/K Σ_class |M_a(class, class) − M_b(class, class)|`, over all pairs of groups.
///
/// From 0 to 1. Otherwise as [`multiclass_equality_of_opportunity`].
///
/// # References
/// Holistic AI `multiclass_true_rates`.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, classes::{Aggregation, multiclass_true_rates}}};
/// use evenhand::tally::Cell;
/// let group = |rows: [f64; 4]| SegmentCounts {
///     segments: 2,
///     cells: rows.map(Cell::of_rows).to_vec(),
///     unassigned: Cell::default(),
/// };
/// let (a, b) = (group([90.0, 10.0, 20.0, 80.0]), group([70.0, 30.0, 40.0, 60.0]));
/// let t = multiclass_true_rates(&[&a, &b], Aggregation::Max, Confidence::at(0.95));
/// assert!((t.estimate.value.unwrap() - 0.2).abs() < 1e-12);
/// ```
pub fn multiclass_true_rates(groups: &[&SegmentCounts], aggregation: Aggregation, confidence: Confidence) -> Tested {
    disparity(groups, aggregation, confidence, false, |rates, flat, a, b| {
        let right = |c: Common| c.a.get(c.class).zip(c.b.get(c.class)).map_or(0.0, |(p, q)| (p - q).abs());
        per_class(rates, flat, (a, b), right)
    })
}

/// One class against all others, in one group.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassRates {
    /// `P(segment = c | class = c, g)`.
    pub recall: Estimate,
    /// `P(class = c | segment = c, g)`.
    pub precision: Estimate,
    /// `P(segment = c | class ≠ c, g)`.
    pub false_positive_rate: Estimate,
}

/// Recall, precision and false positive rate of each class in a group, with Wilson's intervals; empty where the group has
/// not as many classes as segments.
///
/// A recall is undefined where nobody is of the class ([`Undefined::NoPositives`]), a false positive rate where everybody
/// is ([`Undefined::NoNegatives`]), a precision where nobody is put into the segment ([`Undefined::NobodyInSegment`]).
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, classes::class_rates}};
/// use evenhand::tally::Cell;
/// let cells = [90.0, 10.0, 20.0, 80.0].map(Cell::of_rows).to_vec();
/// let rates = class_rates(&SegmentCounts { segments: 2, cells, unassigned: Cell::default() }, Confidence::at(0.95));
/// assert_eq!(rates[0].recall.value, Some(0.9));
/// assert_eq!(rates[0].precision.value, Some(90.0 / 110.0));
/// assert_eq!(rates[0].false_positive_rate.value, Some(0.2));
/// ```
pub fn class_rates(group: &SegmentCounts, confidence: Confidence) -> Vec<ClassRates> {
    let k = group.segments;
    if k == 0 || group.cells.len() != k * k || People::of(&[group]).is_err() {
        return Vec::new();
    }
    let cell = |class: usize, segment: usize| group.cells[class * k + segment];
    let column = |c: usize| sum(&(0..k).map(|class| cell(class, c)).collect::<Vec<_>>());
    let others = |c: usize, of: &dyn Fn(usize) -> Cell| sum(&(0..k).filter(|t| *t != c).map(of).collect::<Vec<_>>());
    let row = |class: usize| sum(&group.cells[class * k..(class + 1) * k]);
    let rate = |part, whole, why| rate(part, whole, why, confidence.level).estimate;
    (0..k)
        .map(|c| ClassRates {
            recall: rate(cell(c, c), row(c), Undefined::NoPositives),
            precision: rate(cell(c, c), column(c), Undefined::NobodyInSegment),
            false_positive_rate: rate(others(c, &|t| cell(t, c)), others(c, &row), Undefined::NoNegatives),
        })
        .collect()
}

/// The share of a group put into the right segment: `P(segment = class | g)`, with Wilson's interval.
///
/// From 0 to 1. Undefined without rows or weight, and without a class for every segment ([`Undefined::NoClasses`]).
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, classes::class_accuracy}};
/// use evenhand::tally::Cell;
/// let cells = [90.0, 10.0, 20.0, 80.0].map(Cell::of_rows).to_vec();
/// let group = SegmentCounts { segments: 2, cells, unassigned: Cell::default() };
/// assert_eq!(class_accuracy(&group, Confidence::at(0.95)).value, Some(0.85));
/// ```
pub fn class_accuracy(group: &SegmentCounts, confidence: Confidence) -> Estimate {
    super::flow::retention_rate(group, confidence)
}

/// The mean recall over classes, every class counting the same: balanced accuracy.
///
/// From 0 to 1. Its interval combines Wilson's intervals of the recalls, which rest on separate people (MOVER). Undefined
/// as [`class_accuracy`], and where nobody of the group is of some class ([`Undefined::UndefinedPart`]).
///
/// # References
/// Brodersen et al. (2010), The balanced accuracy and its posterior distribution, ICPR; Zou, Donner (2008).
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, classes::macro_recall}};
/// use evenhand::tally::Cell;
/// let cells = [90.0, 10.0, 2.0, 8.0].map(Cell::of_rows).to_vec();
/// let group = SegmentCounts { segments: 2, cells, unassigned: Cell::default() };
/// assert!((macro_recall(&group, Confidence::at(0.95)).value.unwrap() - 0.85).abs() < 1e-12);
/// ```
pub fn macro_recall(group: &SegmentCounts, confidence: Confidence) -> Estimate {
    macro_mean(group, confidence, |rates| rates.recall).estimate
}

/// The mean precision over segments, every segment counting the same.
///
/// From 0 to 1; as [`macro_recall`], and undefined where nobody of the group is in some segment.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, classes::macro_precision}};
/// use evenhand::tally::Cell;
/// let cells = [90.0, 20.0, 10.0, 80.0].map(Cell::of_rows).to_vec();
/// let group = SegmentCounts { segments: 2, cells, unassigned: Cell::default() };
/// assert!((macro_precision(&group, Confidence::at(0.95)).value.unwrap() - 0.85).abs() < 1e-12);
/// ```
pub fn macro_precision(group: &SegmentCounts, confidence: Confidence) -> Estimate {
    macro_mean(group, confidence, |rates| rates.precision).estimate
}

fn macro_mean(group: &SegmentCounts, confidence: Confidence, pick: fn(ClassRates) -> Estimate) -> Measured {
    let people = match People::of(&[group]) {
        Ok(people) => people,
        Err(e) => return Measured::undefined(e.reason.unwrap_or(Undefined::NoRows), e.support),
    };
    let rates: Vec<Estimate> = class_rates(group, confidence).into_iter().map(pick).collect();
    if rates.is_empty() {
        return Measured::undefined(Undefined::NoClasses, people.support);
    }
    let (k, mut sum, mut down, mut up) = (rates.len() as f64, 0.0, 0.0f64, 0.0f64);
    for rate in rates {
        let (Some(value), Some((low, high))) = (rate.value, rate.interval()) else {
            return Measured::undefined(Undefined::UndefinedPart, people.support);
        };
        (sum, down, up) = (sum + value, down.hypot(value - low), up.hypot(high - value));
    }
    let (value, down, up) = (sum / k, down / k, up / k);
    let estimate = Estimate::of(value, people.support).between((value - down).max(0.0), (value + up).min(1.0));
    let error = (down + up) / (2.0 * z_quantile(confidence.level));
    Measured { estimate, share: None, plain: false, error: Some(error).filter(|e| e.is_finite()) }
}

/// Separation: what the group tells of the segment among people of the same true class, `I(segment; group | class)`, in
/// nats.
///
/// From 0 (equalised odds) up. As [`conditional_mutual_information`] with the classes for strata; without classes
/// undefined ([`Undefined::NoClasses`]).
///
/// # References
/// Barocas, Hardt, Narayanan (2023), Fairness and machine learning, chapter 3; veritastool's mutual information.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, classes::separation}};
/// use evenhand::tally::Cell;
/// let group = |rows: [f64; 4]| SegmentCounts {
///     segments: 2,
///     cells: rows.map(Cell::of_rows).to_vec(),
///     unassigned: Cell::default(),
/// };
/// // Alike for the first class; 30 % against 60 % for the second, which is half of all.
/// let (a, b) = (group([50.0, 50.0, 30.0, 70.0]), group([50.0, 50.0, 60.0, 40.0]));
/// let t = separation(&[&a, &b], Confidence::at(0.95));
/// assert!((t.estimate.value.unwrap() - 0.04620083 / 2.0).abs() < 1e-8);
/// ```
pub fn separation(groups: &[&SegmentCounts], confidence: Confidence) -> Tested {
    classed(groups, |groups| conditional_mutual_information(&within_classes(groups), confidence))
}

/// [`separation`] less its bias (Miller and Madow).
pub fn separation_corrected(groups: &[&SegmentCounts], confidence: Confidence) -> Tested {
    classed(groups, |groups| conditional_mutual_information_corrected(&within_classes(groups), confidence))
}

/// Sufficiency: what the group tells of the true class among people of the same segment, `I(class; group | segment)`, in
/// nats.
///
/// From 0 (a segment means the same for all groups) up. As [`conditional_mutual_information`] with the segments for
/// strata and the classes in the place of segments; without classes undefined ([`Undefined::NoClasses`]).
///
/// # References
/// Barocas, Hardt, Narayanan (2023), Fairness and machine learning, chapter 3; veritastool's mutual information.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, classes::sufficiency}};
/// use evenhand::tally::Cell;
/// let group = |rows: [f64; 4]| SegmentCounts {
///     segments: 2,
///     cells: rows.map(Cell::of_rows).to_vec(),
///     unassigned: Cell::default(),
/// };
/// let (a, b) = (group([50.0, 30.0, 50.0, 70.0]), group([50.0, 60.0, 50.0, 40.0]));
/// let t = sufficiency(&[&a, &b], Confidence::at(0.95));
/// assert!((t.estimate.value.unwrap() - 0.04620083 / 2.0).abs() < 1e-8);
/// ```
pub fn sufficiency(groups: &[&SegmentCounts], confidence: Confidence) -> Tested {
    classed(groups, |groups| conditional_mutual_information(&within_segments(groups), confidence))
}

/// [`sufficiency`] less its bias (Miller and Madow).
pub fn sufficiency_corrected(groups: &[&SegmentCounts], confidence: Confidence) -> Tested {
    classed(groups, |groups| conditional_mutual_information_corrected(&within_segments(groups), confidence))
}

/// A measure of groups that have classes.
fn classed(groups: &[&SegmentCounts], of: impl Fn(&[&SegmentCounts]) -> Tested) -> Tested {
    if let Err(undefined) = People::of(groups) {
        return Tested::untested(undefined);
    }
    if groups.iter().all(|g| g.cells.len() <= g.segments) {
        return Tested::untested(Estimate::undefined(Undefined::NoClasses, Support::default()));
    }
    of(groups)
}

mod entries;

/// The measures of this file.
pub(crate) const MEASURES: &[Measure<SegmentCounts, Segmentation>] = entries::ALL;

#[cfg(test)]
#[path = "classes_tests.rs"]
mod tests;
