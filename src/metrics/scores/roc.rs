//! ROC curves: their points for a chart, and the area between those of two groups.

use serde::{Deserialize, Serialize};

use super::{ScoredGroup, Scoring};
use crate::metrics::catalog::Direction;
use crate::metrics::family::{Compute, Measure};
use crate::metrics::{Confidence, Estimate, MeasureEntry, Need, Of, Support, Tested, Undefined};
use crate::tally::Cell;

/// A point of a ROC curve: what is selected from this score upward.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RocPoint {
    /// The threshold; infinite at the start, where nobody is selected, which no report holds.
    pub threshold: f64,
    /// The false positive rate.
    pub fpr: f64,
    /// The true positive rate.
    pub tpr: f64,
}

/// The ROC curve of a group from (0, 0) to (1, 1), a point for each distinct score.
///
/// # Errors
/// The reason why there is none: no positives, or no negatives.
///
/// # Examples
/// ```
/// use evenhand::metrics::scores::{ScoredGroup, roc_curve};
/// let curve = roc_curve(&ScoredGroup::from_rows(&[0.9, 0.5, 0.1], &[1, 0, 1], None)).unwrap();
/// let points: Vec<(f64, f64)> = curve.iter().map(|p| (p.fpr, p.tpr)).collect();
/// assert_eq!(points, [(0.0, 0.0), (0.0, 0.5), (1.0, 0.5), (1.0, 1.0)]);
/// ```
pub fn roc_curve(group: &ScoredGroup) -> Result<Vec<RocPoint>, Undefined> {
    let [negatives, positives] = [0, 1].map(|label| total(group, label).weight);
    if positives <= 0.0 {
        return Err(Undefined::NoPositives);
    }
    if negatives <= 0.0 {
        return Err(Undefined::NoNegatives);
    }
    let mut curve = vec![RocPoint { threshold: f64::INFINITY, fpr: 0.0, tpr: 0.0 }];
    let mut sums = [0.0; 2];
    let mut points = group.points.iter().rev().filter(|p| p.label < 2 && p.cell.weight > 0.0).peekable();
    while let Some(point) = points.next() {
        sums[usize::from(point.label)] += point.cell.weight;
        if points.peek().is_none_or(|next| next.score < point.score) {
            let last = points.peek().is_none();
            let share = |sum: f64, all: f64| if last { 1.0 } else { sum / all };
            let (fpr, tpr) = (share(sums[0], negatives), share(sums[1], positives));
            curve.push(RocPoint { threshold: point.score, fpr, tpr });
        }
    }
    Ok(curve)
}

/// At most so many of its points (of 3 or more), evenly along the curve, without the start, where nobody is selected. The
/// last is (1, 1).
pub(crate) fn thinned(curve: Vec<RocPoint>, at_most: usize) -> Vec<RocPoint> {
    let mut points: Vec<RocPoint> = curve.into_iter().filter(|p| p.threshold.is_finite()).collect();
    if points.len() > at_most {
        // Both rates only grow: so does their sum, from 0 to 2.
        let steps = at_most.max(3) as f64 - 2.0;
        let place = |p: &RocPoint| ((p.fpr + p.tpr) / 2.0 * steps).floor();
        let last = points.pop();
        points.dedup_by_key(|p| place(p));
        points.extend(last);
    }
    points
}

fn total(group: &ScoredGroup, label: u8) -> Cell {
    let mut sum = Cell::default();
    group.points.iter().filter(|p| p.label == label).for_each(|p| sum.add(&p.cell, 1.0));
    sum
}

/// The height of a curve at every false positive rate at which either bends: pairs of both heights just after `x`, and
/// just before the next.
fn area_between(a: &[RocPoint], b: &[RocPoint]) -> f64 {
    let mut xs: Vec<f64> = a.iter().chain(b).map(|p| p.fpr).collect();
    xs.sort_by(f64::total_cmp);
    xs.dedup();
    // The piece of a curve over (from, to): no curve bends inside.
    let ends = |curve: &[RocPoint], at: &mut usize, from: f64, to: f64| {
        while *at + 2 < curve.len() && curve[*at + 1].fpr <= from {
            *at += 1;
        }
        let (p, q) = (curve[*at], curve[*at + 1]);
        let slope = if q.fpr > p.fpr { (q.tpr - p.tpr) / (q.fpr - p.fpr) } else { 0.0 };
        (p.tpr + slope * (from - p.fpr), p.tpr + slope * (to - p.fpr))
    };
    let (mut i, mut j) = (0, 0);
    let piece = |x: &[f64]| {
        let (from, to) = (x[0], x[1]);
        let ((p, q), (r, s)) = (ends(a, &mut i, from, to), ends(b, &mut j, from, to));
        let (left, right) = (p - r, q - s);
        let width = to - from;
        if left * right >= 0.0 {
            width * (left + right).abs() / 2.0
        } else {
            // They cross: two triangles.
            width * (left * left + right * right) / (2.0 * (left.abs() + right.abs()))
        }
    };
    xs.windows(2).map(piece).sum()
}

/// The area between two groups' ROC curves, crossings and all.
///
/// `∫ |ROC_a(x) − ROC_b(x)| dx` over the false positive rate, exact on the piecewise linear curves, in [0, 1]; at least
/// the difference of the areas under them, which some toolkits report under this name. The interval adds and takes away
/// what the Dvoretzky–Kiefer–Wolfowitz bounds on the four score distributions allow (conservative). Undefined where a
/// group has no positives or no negatives.
///
/// # References
/// Gardner, Brooks, Baker (2019), Evaluating the fairness of predictive student models through slicing analysis, LAK.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, abroca}};
/// let a = ScoredGroup::from_rows(&[0.9, 0.1], &[1, 0], None);
/// let b = ScoredGroup::from_rows(&[0.9, 0.1], &[0, 1], None);
/// assert_eq!(abroca(&a, &b, Confidence::at(0.95)).value, Some(1.0));
/// ```
pub fn abroca(a: &ScoredGroup, b: &ScoredGroup, confidence: Confidence) -> Estimate {
    let sizes = [total(a, 0), total(a, 1), total(b, 0), total(b, 1)];
    let mut all = Cell::default();
    sizes.iter().for_each(|s| all.add(s, 1.0));
    let support = Support::from(all);
    let (one, two) = match (roc_curve(a), roc_curve(b)) {
        (Ok(one), Ok(two)) => (one, two),
        (Err(reason), _) | (_, Err(reason)) => return Estimate::undefined(reason, support),
    };
    let value = area_between(&one, &two).clamp(0.0, 1.0);
    let each = 8.0 / (1.0 - confidence.level);
    let arm: f64 = sizes.iter().map(|s| (each.ln() / (2.0 * s.effective())).sqrt()).sum();
    Estimate::of(value, support).between((value - arm).max(0.0), (value + arm).min(1.0))
}

/// The measures of this file.
pub(crate) const MEASURES: &[Measure<ScoredGroup, Scoring>] = &[Measure {
    entry: MeasureEntry {
        name: "abroca",
        title: "area between the ROC curves",
        formula: "integral of |ROC_a(x) - ROC_b(x)| dx",
        needs: &[Need::Score, Need::Label],
        of: Of::Pair,
        direction: Direction::Lower,
        least: Some(0.0),
        most: Some(1.0),
        fair: Some(0.0),
        source: "Gardner, Brooks, Baker 2019",
        also: "abroca (holisticai's is the difference of areas)",
    },
    compute: Compute::Pair(|a, b, _, confidence| Tested::untested(abroca(a, b, confidence))),
}];

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use rand::Rng;

    use super::*;
    use crate::inference::rng::stream;
    use crate::metrics::scores::auc;

    /// The height of a curve at x, by a search of its own; the mean over a fine grid stands for the integral.
    fn height(curve: &[RocPoint], x: f64) -> f64 {
        let after = curve.iter().position(|p| p.fpr > x).unwrap_or(curve.len() - 1);
        let (p, q) = (curve[after - 1], curve[after]);
        if q.fpr > p.fpr { p.tpr + (q.tpr - p.tpr) * (x - p.fpr) / (q.fpr - p.fpr) } else { q.tpr }
    }

    #[test]
    fn the_area_is_that_of_a_fine_grid_and_no_less_than_the_difference_of_areas() {
        let mut rng = stream(11, 0, 0);
        for _ in 0..30 {
            let mut draw = || {
                let n = rng.gen_range(6..40);
                let scores: Vec<f64> = (0..n).map(|_| f64::from(rng.gen_range(0..9u32))).collect();
                let labels: Vec<u8> = (0..n).map(|i| if i < 2 { i as u8 } else { rng.gen_range(0..2) }).collect();
                ScoredGroup::from_rows(&scores, &labels, None)
            };
            let (a, b) = (draw(), draw());
            let (one, two) = (roc_curve(&a).unwrap(), roc_curve(&b).unwrap());
            let cells = 20_000;
            let at = |i: usize| (i as f64 + 0.5) / cells as f64;
            let grid: f64 =
                (0..cells).map(|i| (height(&one, at(i)) - height(&two, at(i))).abs()).sum::<f64>() / cells as f64;
            let found = abroca(&a, &b, Confidence::at(0.95));
            assert_relative_eq!(found.value.unwrap(), grid, epsilon = 1e-4);
            let back = abroca(&b, &a, Confidence::at(0.95));
            assert_relative_eq!(found.value.unwrap(), back.value.unwrap(), epsilon = 1e-12);
            let under = |g| auc(g, Confidence::at(0.95)).value.unwrap();
            assert!(found.value.unwrap() >= (under(&a) - under(&b)).abs() - 1e-12);
            assert_eq!(abroca(&a, &a, Confidence::at(0.95)).value, Some(0.0));
        }
    }

    #[test]
    fn a_thinned_curve_is_short_and_each_of_its_points_is_on_the_whole_one() {
        let mut rng = stream(5, 0, 0);
        for n in [3, 59, 60, 61, 5_000] {
            let scores: Vec<f64> = (0..n).map(|_| rng.r#gen::<f64>()).collect();
            let labels: Vec<u8> = scores.iter().map(|s| u8::from(rng.r#gen::<f64>() < *s)).collect();
            let labels: Vec<u8> =
                labels.into_iter().enumerate().map(|(i, l)| if i < 2 { i as u8 } else { l }).collect();
            let whole = roc_curve(&ScoredGroup::from_rows(&scores, &labels, None)).unwrap();
            let few = thinned(whole.clone(), 60);
            assert!(few.len() <= 60 && few.iter().all(|p| whole.contains(p)), "{}", few.len());
            assert!(n <= 60 || few.len() > 50, "{}", few.len());
            assert_eq!(few.last().map(|p| (p.fpr, p.tpr)), Some((1.0, 1.0)));
            let steps = few.windows(2).map(|w| w[1].fpr + w[1].tpr - w[0].fpr - w[0].tpr);
            assert!(n < 5_000 || steps.fold(0.0, f64::max) < 0.08);
        }
    }

    #[test]
    fn curves_that_cross_do_not_cancel() {
        let a = ScoredGroup::from_rows(&[4.0, 3.0, 2.0, 1.0], &[1, 0, 0, 1], None);
        let b = ScoredGroup::from_rows(&[4.0, 3.0, 2.0, 1.0], &[0, 1, 1, 0], None);
        let under = |g| auc(g, Confidence::at(0.95)).value.unwrap();
        assert_eq!((under(&a), under(&b)), (0.5, 0.5));
        assert_eq!(abroca(&a, &b, Confidence::at(0.95)).value, Some(0.5));
    }

    #[test]
    fn a_group_without_positives_has_no_curve() {
        let (a, b) = (ScoredGroup::from_rows(&[0.1], &[0], None), ScoredGroup::from_rows(&[0.1, 0.2], &[0, 1], None));
        assert_eq!(abroca(&a, &b, Confidence::at(0.95)).reason, Some(Undefined::NoPositives));
    }
}
