//! How well scores rank: the area under the ROC curve, within a group and across two.

use std::cmp::Ordering;

use super::mean::measured;
use super::{ScoredGroup, Scoring};
use crate::inference::special::{normal_quantile, normal_sf};
use crate::inference::{Interval, z_quantile};
use crate::metrics::catalog::Direction;
use crate::metrics::family::{Compute, Measure};
use crate::metrics::measure::Measured;
use crate::metrics::{Confidence, Estimate, MeasureEntry, Need, Of, Support, Tested, Undefined};
use crate::tally::Cell;

/// An area with the parts of its variance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    pub value: f64,
    /// DeLong's variance: of the positives' placements, and of the negatives'. 0 where one row alone tells nothing of its
    /// label's.
    pub variance: f64,
    pub positives: Cell,
    pub negatives: Cell,
}

/// The rows of one label by rising score, ties together.
fn of_label(group: &ScoredGroup, label: u8) -> Vec<(f64, Cell)> {
    let of_it = group.points.iter().filter(|p| p.label == label && p.cell.weight > 0.0);
    of_it.map(|p| (p.score, p.cell)).collect()
}

fn total(rows: &[(f64, Cell)]) -> Cell {
    let mut sum = Cell::default();
    rows.iter().for_each(|(_, cell)| sum.add(cell, 1.0));
    sum
}

/// For each of `rows`, the weight of `others` below it and half of that tied with it.
fn placements(rows: &[(f64, Cell)], others: &[(f64, Cell)]) -> Vec<f64> {
    let (mut at, mut below) = (0, 0.0);
    let mut all = Vec::with_capacity(rows.len());
    for (score, _) in rows {
        while at < others.len() && others[at].0 < *score {
            below += others[at].1.weight;
            at += 1;
        }
        let tied = others.get(at).filter(|o| o.0 == *score).map_or(0.0, |o| o.1.weight);
        all.push(below + tied / 2.0);
    }
    all
}

/// The variance of the weighted mean of placements, with the small-sample factor n / (n − 1); `None` of one row.
fn variance(rows: &[(f64, Cell)], placements: &[f64], over: f64, mean: f64, total: Cell) -> Option<f64> {
    // Rounding of weights leaves a little of one row's share.
    let size = total.effective();
    if size <= 1.0 + 1e-9 {
        return None;
    }
    let squares = rows.iter().zip(placements).map(|((_, c), p)| c.weight_squared * (p / over - mean).powi(2));
    Some(squares.sum::<f64>() / (total.weight * total.weight) * size / (size - 1.0))
}

impl Area {
    /// Of one group's positives against another's negatives.
    fn of(positives: &ScoredGroup, negatives: &ScoredGroup) -> Result<Self, Estimate> {
        let (p, n) = (of_label(positives, 1), of_label(negatives, 0));
        let (positives, negatives) = (total(&p), total(&n));
        let mut both = positives;
        both.add(&negatives, 1.0);
        for (part, reason) in [(positives, Undefined::NoPositives), (negatives, Undefined::NoNegatives)] {
            if part.weight <= 0.0 {
                return Err(Estimate::undefined(reason, both.into()));
            }
        }
        let (of_p, of_n) = (placements(&p, &n), placements(&n, &p));
        let sum: f64 = p.iter().zip(&of_p).map(|((_, c), below)| c.weight * below).sum();
        let value = (sum / positives.weight / negatives.weight).clamp(0.0, 1.0);
        let of_p = variance(&p, &of_p, negatives.weight, value, positives);
        let of_n = variance(&n, &of_n, positives.weight, 1.0 - value, negatives);
        let variance = of_p.zip(of_n).map_or(0.0, |(p, n)| p + n);
        Ok(Area { value, variance, positives, negatives })
    }

    fn support(&self) -> Support {
        let mut both = self.positives;
        both.add(&self.negatives, 1.0);
        both.into()
    }

    /// On the logit scale by DeLong's variance; where all placements are alike (the labels are separated, or all scores
    /// tied), or one row stands for its label, by the variance that Newcombe's method 5 gives to each area that could be.
    fn interval(&self, level: f64) -> Interval {
        let (a, z) = (self.value, z_quantile(level));
        let error = self.variance.sqrt();
        if error > 1e-12 && a > 0.0 && a < 1.0 {
            let (middle, arm) = ((a / (1.0 - a)).ln(), z * error / (a * (1.0 - a)));
            let back = |x: f64| 1.0 / (1.0 + (-x).exp());
            return Interval { low: back(middle - arm), high: back(middle + arm) };
        }
        let (m, n) = (self.positives.effective(), self.negatives.effective());
        let mean = ((m + n) / 2.0).max(1.0);
        let outside = |t: f64| {
            let spread = 2.0 * mean - 1.0 - (3.0 * mean - 3.0) / ((2.0 - t) * (1.0 + t));
            (t - a).abs() - z * (t * (1.0 - t) * spread / (m * n)).max(0.0).sqrt()
        };
        // The distance to the figure grows faster than the arm, so that halving finds where they meet.
        let end = |mut out: f64, mut inside: f64| {
            if outside(out) <= 0.0 {
                return out;
            }
            for _ in 0..60 {
                let middle = (out + inside) / 2.0;
                if outside(middle) > 0.0 { out = middle } else { inside = middle }
            }
            inside
        };
        Interval { low: end(0.0, a).min(a), high: end(1.0, a).max(a) }
    }

    pub fn estimate(&self, level: f64) -> Estimate {
        let Interval { low, high } = self.interval(level);
        Estimate::of(self.value, self.support()).between(low, high)
    }

    fn measured(&self, level: f64) -> Measured {
        let Interval { low, high } = self.interval(level);
        let estimate = self.estimate(level);
        let error = match self.variance.sqrt() {
            error if error > 1e-12 => error,
            _ => (high - low) / (2.0 * z_quantile(level)),
        };
        measured(estimate, Some(error))
    }
}

fn area(positives: &ScoredGroup, negatives: &ScoredGroup, level: f64) -> Measured {
    match Area::of(positives, negatives) {
        Ok(area) => area.measured(level),
        Err(estimate) => measured(estimate, None),
    }
}

/// The area under the ROC curve: the chance that a positive scores above a negative, ties counting half.
///
/// `Σᵢⱼ wᵢwⱼ ([sᵢ > sⱼ] + ½[sᵢ = sⱼ]) / (W₊W₋)` over positives i and negatives j, in [0, 1]; exact, in one pass over
/// the sorted scores. Interval on the logit scale by DeLong's variance from placements, with Σw² for weights; of
/// separated labels by Newcombe's method 5. Undefined without positives or negatives.
///
/// # References
/// DeLong, DeLong, Clarke-Pearson (1988), Biometrics 44; Sun, Xu (2014), IEEE Signal Processing Letters 21; Newcombe
/// (2006), Statistics in Medicine 25.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, auc}};
/// let scores = [0.9, 0.8, 0.8, 0.6, 0.55, 0.4, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1];
/// let labels = [1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
/// let area = auc(&ScoredGroup::from_rows(&scores, &labels, None), Confidence::at(0.95));
/// assert!((area.value.unwrap() - 0.8333333333).abs() < 1e-10);
/// ```
pub fn auc(group: &ScoredGroup, confidence: Confidence) -> Estimate {
    area(group, group, confidence.level).estimate
}

/// The cross-group area: the chance that a positive of the first group scores above a negative of the second.
///
/// As [`auc`], the positives from `a`, the negatives from `b`. Against the rest of the batch it is the BNSP area of `a`
/// (background negatives, subgroup positives); the other way round the BPSN area.
///
/// # References
/// Kallus, Zhou (2019), The fairness of risk scores beyond classification, NeurIPS; Borkan et al. (2019), Nuanced metrics
/// for measuring unintended bias, WWW.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, xauc}};
/// let women = ScoredGroup::from_rows(&[0.6, 0.2], &[1, 0], None);
/// let men = ScoredGroup::from_rows(&[0.9, 0.7, 0.5], &[1, 0, 0], None);
/// assert_eq!(xauc(&women, &men, Confidence::at(0.95)).value, Some(0.5));
/// assert_eq!(xauc(&men, &women, Confidence::at(0.95)).value, Some(1.0));
/// ```
pub fn xauc(a: &ScoredGroup, b: &ScoredGroup, confidence: Confidence) -> Estimate {
    area(a, b, confidence.level).estimate
}

/// How much better the first group's positives do against the second's negatives than the other way round:
/// `xauc(a, b) − xauc(b, a)`, 0 where neither is favoured.
///
/// The four sets of rows are disjoint, so that the variances add up; interval and test by the normal distribution.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, xauc_difference}};
/// let women = ScoredGroup::from_rows(&[0.6, 0.2], &[1, 0], None);
/// let men = ScoredGroup::from_rows(&[0.9, 0.7, 0.5], &[1, 0, 0], None);
/// assert_eq!(xauc_difference(&women, &men, Confidence::at(0.95)).estimate.value, Some(-0.5));
/// ```
pub fn xauc_difference(a: &ScoredGroup, b: &ScoredGroup, confidence: Confidence) -> Tested {
    let (there, back) = (area(a, b, confidence.level), area(b, a, confidence.level));
    let (x, y) = match (there.estimate.value, back.estimate.value) {
        (Some(x), Some(y)) => (x, y),
        (None, _) => return Tested::untested(there.estimate),
        _ => return Tested::untested(back.estimate),
    };
    let of_both = |pick: fn(&Support) -> f64| pick(&there.estimate.support) + pick(&back.estimate.support);
    let support = Support {
        rows: of_both(|s| s.rows),
        weight: of_both(|s| s.weight),
        effective_size: of_both(|s| s.effective_size),
    };
    let estimate = Estimate::of(x - y, support);
    let Some(error) = there.error.zip(back.error).map(|(e, f)| e.hypot(f)).filter(|e| *e > 0.0) else {
        return Tested::untested(estimate);
    };
    let arm = z_quantile(confidence.level) * error;
    let estimate = estimate.between((x - y - arm).max(-1.0), (x - y + arm).min(1.0));
    Tested::by(estimate, (2.0 * normal_sf(((x - y) / error).abs())).min(1.0), "z")
}

/// The difference of two models' areas on the same rows of one group, with DeLong's covariance.
///
/// `scores` are the two models' scores of every row, `labels` 0 or 1 (others are left out). Returns the first area minus
/// the second.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::delong_paired};
/// let (one, two) = ([0.9, 0.6, 0.7, 0.2], [0.9, 0.8, 0.7, 0.2]);
/// let apart = delong_paired([&one, &two], &[1, 1, 0, 0], Confidence::at(0.95));
/// assert_eq!(apart.estimate.value, Some(-0.25));
/// ```
pub fn delong_paired(scores: [&[f64]; 2], labels: &[u8], confidence: Confidence) -> Tested {
    let n = scores[0].len().min(scores[1].len()).min(labels.len());
    let rows = |label: u8| (0..n).filter(move |i| labels[*i] == label);
    let (positives, negatives): (Vec<usize>, Vec<usize>) = (rows(1).collect(), rows(0).collect());
    let support = Support { rows: n as f64, weight: n as f64, effective_size: n as f64 };
    for (part, reason) in [(&positives, Undefined::NoPositives), (&negatives, Undefined::NoNegatives)] {
        if part.is_empty() {
            return Tested::untested(Estimate::undefined(reason, support));
        }
    }
    // A row's placement among the other label's rows, for each model.
    let place = |model: usize, of: &[usize], among: &[usize]| -> Vec<f64> {
        let mut sorted: Vec<f64> = among.iter().map(|i| scores[model][*i]).collect();
        sorted.sort_by(f64::total_cmp);
        let below = |s: f64, or: fn(Ordering) -> bool| sorted.partition_point(|x| or(x.total_cmp(&s))) as f64;
        let share = |i: &usize| {
            let s = scores[model][*i];
            (below(s, Ordering::is_lt) + below(s, Ordering::is_le)) / 2.0 / among.len() as f64
        };
        of.iter().map(share).collect()
    };
    let apart = |of: &[usize], among: &[usize]| -> (f64, f64) {
        let (one, two) = (place(0, of, among), place(1, of, among));
        let each: Vec<f64> = one.iter().zip(&two).map(|(a, b)| a - b).collect();
        let count = each.len() as f64;
        let mean = each.iter().sum::<f64>() / count;
        let spread = each.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0) / count;
        (mean, spread)
    };
    let ((value, of_p), (_, of_n)) = (apart(&positives, &negatives), apart(&negatives, &positives));
    let (estimate, error) = (Estimate::of(value, support), (of_p + of_n).sqrt());
    // One row tells nothing of how its label's vary.
    if error <= 0.0 || positives.len().min(negatives.len()) < 2 {
        return Tested::untested(estimate);
    }
    let arm = z_quantile(confidence.level) * error;
    let estimate = estimate.between((value - arm).max(-1.0), (value + arm).min(1.0));
    Tested::by(estimate, (2.0 * normal_sf((value / error).abs())).min(1.0), "DeLong z")
}

/// The average precision: the mean over positives of the precision among all that score at least as high.
///
/// `Σₖ (Rₖ − Rₖ₋₁) Pₖ` over distinct scores from the highest, R recall and P precision; in [0, 1]. Interval on the logit
/// scale with standard error `1 / √(n₊ AP (1 − AP))`, n₊ the positives' effective size. Undefined without positives or
/// negatives.
///
/// # References
/// Boyd, Eng, Page (2013), Area under the precision-recall curve, ECML PKDD; scikit-learn's `average_precision_score`.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, average_precision}};
/// let group = ScoredGroup::from_rows(&[0.1, 0.4, 0.35, 0.8], &[0, 0, 1, 1], None);
/// let average = average_precision(&group, Confidence::at(0.95)).value.unwrap();
/// assert!((average - 0.8333333333).abs() < 1e-9);
/// ```
pub fn average_precision(group: &ScoredGroup, confidence: Confidence) -> Estimate {
    precise(group, confidence).estimate
}

fn precise(group: &ScoredGroup, confidence: Confidence) -> Measured {
    let area = match Area::of(group, group) {
        Ok(area) => area,
        Err(estimate) => return measured(estimate, None),
    };
    let (mut found, mut taken, mut sum) = (0.0, 0.0, 0.0);
    let labelled = || group.points.iter().filter(|p| p.label < 2);
    let mut points = labelled().rev().peekable();
    while let Some(first) = points.next() {
        let mut positives = if first.label == 1 { first.cell.weight } else { 0.0 };
        taken += first.cell.weight;
        while let Some(next) = points.next_if(|p| p.score == first.score) {
            positives += if next.label == 1 { next.cell.weight } else { 0.0 };
            taken += next.cell.weight;
        }
        found += positives;
        if taken > 0.0 {
            sum += positives * found / taken;
        }
    }
    let value = (sum / area.positives.weight).clamp(0.0, 1.0);
    let estimate = Estimate::of(value, area.support());
    let size = area.positives.effective();
    if value <= 0.0 || value >= 1.0 {
        // All positives come first: the interval is that of a rate of one.
        let Some(i) = crate::inference::rate::wilson(value * size, size, confidence.level) else {
            return measured(estimate, None);
        };
        let error = i.width() / (2.0 * normal_quantile((1.0 + confidence.level) / 2.0));
        return measured(estimate.between(i.low, i.high), Some(error));
    }
    let (middle, error) = ((value / (1.0 - value)).ln(), 1.0 / (size * value * (1.0 - value)).sqrt());
    let back = |x: f64| 1.0 / (1.0 + (-x).exp());
    let arm = z_quantile(confidence.level) * error;
    measured(estimate.between(back(middle - arm), back(middle + arm)), Some(error * value * (1.0 - value)))
}

/// An entry of this file: of positives and negatives by score.
const fn entry(name: &'static str, title: &'static str, formula: &'static str, of: Of) -> MeasureEntry {
    MeasureEntry {
        name,
        title,
        formula,
        needs: &[Need::Score, Need::Label],
        of,
        direction: Direction::Higher,
        least: Some(0.0),
        most: Some(1.0),
        fair: None,
        source: "DeLong, DeLong, Clarke-Pearson 1988; Sun, Xu 2014",
        also: "",
    }
}

/// The measures of this file.
pub(crate) const MEASURES: &[Measure<ScoredGroup, Scoring>] = &[
    Measure {
        entry: MeasureEntry {
            also: "roc_auc_score (scikit-learn, fairlearn), subgroup AUC (Borkan et al.)",
            ..entry("auc", "chance that a positive scores above a negative", "P(s+ > s-) + P(s+ = s-) / 2", Of::Group)
        },
        compute: Compute::Group(|groups, _, confidence| groups.iter().map(|g| area(g, g, confidence.level)).collect()),
    },
    Measure {
        entry: MeasureEntry {
            source: "Boyd, Eng, Page 2013",
            also: "average_precision_score (scikit-learn)",
            ..entry(
                "average_precision",
                "mean precision over the positives, from the highest score down",
                "sum over scores of (recall - recall before) * precision",
                Of::Group,
            )
        },
        compute: Compute::Group(|groups, _, confidence| groups.iter().map(|g| precise(g, confidence)).collect()),
    },
    Measure {
        entry: MeasureEntry {
            source: "Kallus, Zhou 2019; Borkan et al. 2019",
            also: "BNSP AUC (against the rest)",
            ..entry(
                "xauc",
                "chance that a positive of the group scores above a negative of the other",
                "P(s+ of a > s- of b) + P(equal) / 2",
                Of::Pair,
            )
        },
        compute: Compute::Pair(|a, b, _, confidence| Tested::untested(xauc(a, b, confidence))),
    },
    Measure {
        entry: MeasureEntry {
            source: "Borkan et al. 2019",
            also: "BPSN AUC (against the rest)",
            ..entry(
                "bpsn_auc",
                "chance that a positive of the other scores above a negative of the group",
                "P(s+ of b > s- of a) + P(equal) / 2",
                Of::Pair,
            )
        },
        compute: Compute::Pair(|a, b, _, confidence| Tested::untested(xauc(b, a, confidence))),
    },
    Measure {
        entry: MeasureEntry {
            source: "Kallus, Zhou 2019",
            direction: Direction::Neither,
            least: Some(-1.0),
            fair: Some(0.0),
            ..entry(
                "xauc_difference",
                "how much better a group's positives do against the other's negatives than the reverse",
                "xauc(a, b) - xauc(b, a)",
                Of::Pair,
            )
        },
        compute: Compute::Pair(|a, b, _, confidence| xauc_difference(a, b, confidence)),
    },
];

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use rand::Rng;

    use super::*;
    use crate::inference::rng::stream;

    fn group(positives: &[f64], negatives: &[f64]) -> ScoredGroup {
        let scores: Vec<f64> = positives.iter().chain(negatives).copied().collect();
        let labels: Vec<u8> = positives.iter().map(|_| 1).chain(negatives.iter().map(|_| 0)).collect();
        ScoredGroup::from_rows(&scores, &labels, None)
    }

    /// Every pair by itself, with weights.
    fn by_pairs(rows: &[(f64, u8, f64)]) -> f64 {
        let (mut won, mut all) = (0.0, 0.0);
        for (s, _, w) in rows.iter().filter(|r| r.1 == 1) {
            for (t, _, v) in rows.iter().filter(|r| r.1 == 0) {
                won += w
                    * v
                    * if s > t {
                        1.0
                    } else if s == t {
                        0.5
                    } else {
                        0.0
                    };
                all += w * v;
            }
        }
        won / all
    }

    #[test]
    fn a_small_case_has_the_published_variance() {
        let group = group(&[0.9, 0.8, 0.8, 0.6, 0.55, 0.4], &[0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]);
        let area = Area::of(&group, &group).unwrap();
        assert_relative_eq!(area.value, 0.833_333_333_3, max_relative = 1e-9);
        assert_relative_eq!(area.variance, 0.013_312_547_2, max_relative = 1e-8);
    }

    #[test]
    fn areas_are_those_of_all_pairs_and_weights_scale() {
        let mut rng = stream(1, 0, 0);
        for _ in 0..50 {
            let n = rng.gen_range(4..60);
            let rows: Vec<(f64, u8, f64)> = (0..n)
                .map(|i| {
                    (
                        f64::from(rng.gen_range(0..12u32)),
                        if i < 2 { i as u8 } else { rng.gen_range(0..3) },
                        rng.gen_range(0.5..3.0),
                    )
                })
                .collect();
            let (s, y): (Vec<f64>, Vec<u8>) = rows.iter().map(|r| (r.0, r.1)).unzip();
            let w: Vec<f64> = rows.iter().map(|r| r.2).collect();
            let scaled: Vec<f64> = w.iter().map(|w| w * 7.0).collect();
            let found = auc(&ScoredGroup::from_rows(&s, &y, Some(&w)), Confidence::at(0.9));
            assert_relative_eq!(found.value.unwrap(), by_pairs(&rows), max_relative = 1e-12);
            let again = auc(&ScoredGroup::from_rows(&s, &y, Some(&scaled)), Confidence::at(0.9));
            assert_relative_eq!(found.low.unwrap(), again.low.unwrap(), max_relative = 1e-9);
            // The complement: scores turned round.
            let turned: Vec<f64> = s.iter().map(|s| -s).collect();
            let other = auc(&ScoredGroup::from_rows(&turned, &y, Some(&w)), Confidence::at(0.9));
            assert_relative_eq!(other.value.unwrap(), 1.0 - found.value.unwrap(), epsilon = 1e-12);
        }
    }

    #[test]
    fn what_cannot_be_known_says_why() {
        let reason = |g: &ScoredGroup| auc(g, Confidence::at(0.95)).reason;
        assert_eq!(reason(&group(&[], &[0.1])), Some(Undefined::NoPositives));
        assert_eq!(reason(&group(&[0.1], &[])), Some(Undefined::NoNegatives));
        let separated = auc(&group(&[0.8, 0.9, 0.95], &[0.1, 0.2, 0.3, 0.4]), Confidence::at(0.95));
        assert_eq!((separated.value, separated.high), (Some(1.0), Some(1.0)));
        assert!(separated.low.unwrap() > 0.4 && separated.low.unwrap() < 0.9, "{separated:?}");
        let tied = auc(&group(&[0.5; 4], &[0.5; 4]), Confidence::at(0.95));
        assert_eq!(tied.value, Some(0.5));
        assert!(tied.low.unwrap() < 0.4 && tied.high.unwrap() > 0.6);
    }

    #[test]
    fn of_one_positive_little_is_known() {
        use rand_distr::StandardNormal;
        let mut rng = stream(5, 0, 0);
        let mut normal = move || rng.sample::<f64, _>(StandardNormal);
        // A positive above a negative by a standard deviation: Φ(1 / √2).
        let truth = 0.760_249_938_906_524;
        let (mut held, mut other_way, times) = (0, 0, 2000);
        for _ in 0..times {
            let positive = [1.0 + normal()];
            let negatives: Vec<f64> = (0..200).map(|_| normal()).collect();
            let holds = |e: &Estimate, truth: f64| e.low.unwrap() <= truth && truth <= e.high.unwrap();
            let one = group(&positive, &negatives);
            held += usize::from(holds(&auc(&one, Confidence::at(0.95)), truth));
            other_way += usize::from(holds(&auc(&group(&negatives, &positive), Confidence::at(0.95)), 1.0 - truth));
        }
        for held in [held, other_way] {
            assert!((0.93..=1.0).contains(&(held as f64 / times as f64)), "{held}");
        }
        let paired = delong_paired([&[0.9, 0.1, 0.2], &[0.1, 0.2, 0.3]], &[1, 0, 0], Confidence::at(0.95));
        assert!(paired.estimate.value == Some(1.0) && paired.estimate.low.is_none() && paired.p_value.is_none());
    }

    #[test]
    fn paired_areas_match_the_unpaired_figures() {
        let labels = [1, 1, 1, 0, 0, 0, 0, 1, 0, 1];
        let one = [0.9, 0.4, 0.7, 0.3, 0.5, 0.1, 0.6, 0.8, 0.2, 0.35];
        let two = [0.5, 0.6, 0.7, 0.3, 0.4, 0.55, 0.2, 0.9, 0.1, 0.45];
        let area = |s: &[f64]| auc(&ScoredGroup::from_rows(s, &labels, None), Confidence::at(0.95)).value.unwrap();
        let apart = delong_paired([&one, &two], &labels, Confidence::at(0.95));
        assert_relative_eq!(apart.estimate.value.unwrap(), area(&one) - area(&two), epsilon = 1e-12);
        assert_eq!(delong_paired([&one, &one], &labels, Confidence::at(0.95)).p_value, None);
    }

    #[test]
    fn intervals_cover_and_tests_hold_their_level() {
        let mut rng = stream(7, 0, 0);
        let (mut held, mut missed_ap, mut rejected) = (0, 0, 0);
        let runs = 1000;
        // Normal scores a distance of 1 apart: the area is Φ(1/√2).
        let truth = crate::inference::special::normal_cdf(std::f64::consts::FRAC_1_SQRT_2);
        let mut draw = |n: usize, m: usize| {
            let mut normal = |shift: f64, n: usize| -> Vec<f64> {
                (0..n).map(|_| rng.sample::<f64, _>(rand_distr::StandardNormal) + shift).collect()
            };
            let (p, q) = (normal(1.0, n), normal(0.0, m));
            group(&p, &q)
        };
        for _ in 0..runs {
            let (a, b) = (draw(30, 70), draw(40, 50));
            let found = auc(&a, Confidence::at(0.95));
            held += usize::from(found.low.unwrap() <= truth && truth <= found.high.unwrap());
            rejected += usize::from(xauc_difference(&a, &b, Confidence::at(0.95)).p_value.unwrap() < 0.05);
            let average = average_precision(&a, Confidence::at(0.95));
            // With 30 % positives, by numerical integration over the scores.
            missed_ap += usize::from(average.low.unwrap() > 0.5830 || average.high.unwrap() < 0.5830);
        }
        assert!((925..=975).contains(&held), "{held}");
        assert!((30..=75).contains(&rejected), "{rejected}");
        assert!(missed_ap <= 80, "{missed_ap}");
    }
}
