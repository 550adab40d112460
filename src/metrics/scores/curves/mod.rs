//! Every threshold and every budget: the rates of groups, how far they are apart, and how right the decisions are, wherever
//! the scores are cut.

mod bands;
mod scalars;
#[cfg(test)]
mod tests;
mod walk;

use serde::{Deserialize, Serialize};

use super::ScoredGroup;
use crate::inference::worst::{GroupRate, gap_interval, ratio_interval};
use crate::inference::{Interval, difference, rate, sidak_level};
use crate::metrics::{Confidence, Undefined};
use crate::tally::Cell;
use bands::{Sizes, around, halved, massart};
use walk::{ByLabel, sum, totals, walk, weight};

pub(crate) use scalars::MEASURES;
pub use scalars::{LEAST_BUDGET, selection_gap_over_budgets, worst_impact_ratio_over_budgets};

/// A figure at one cut.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CurveFigure {
    /// The figure, a fraction.
    pub value: Option<f64>,
    /// Its interval, if this cut alone is looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<[f64; 2]>,
    /// Limits that hold at every cut at once: look where you will.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<[f64; 2]>,
    /// Why there is no figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Undefined>,
}

/// What one cut does to a group. Where no label of any group is known, there are selection rates only.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct GroupAtCut {
    /// The share of the group that is selected.
    pub selection_rate: CurveFigure,
    /// The share of its positives that is selected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub true_positive_rate: Option<CurveFigure>,
    /// The share of its negatives that is selected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub false_positive_rate: Option<CurveFigure>,
    /// The share of its selected (of known label) that is positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<CurveFigure>,
}

/// What one cut does: to each group, between groups, and to all.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Who scores more is selected; who scores just this, by the part `tied`.
    pub threshold: f64,
    /// The part of those who score just the threshold that is selected: 1, but where a budget ends among them.
    pub tied: f64,
    /// The share of all rows, by weight, that scores just the threshold.
    pub at_threshold: f64,
    /// The share of all rows, by weight, that is selected: the budget.
    pub share: f64,
    /// The groups, in the order given.
    pub groups: Vec<GroupAtCut>,
    /// The largest less the smallest selection rate.
    pub selection_difference: CurveFigure,
    /// The smallest over the largest selection rate.
    pub impact_ratio: CurveFigure,
    /// The largest less the smallest true positive rate, of the groups with positives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub true_positive_gap: Option<CurveFigure>,
    /// The share of all labelled rows that the cut puts on the right side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<CurveFigure>,
    /// The mean of the share of positives selected and the share of negatives not selected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balanced_accuracy: Option<CurveFigure>,
}

/// Points along all cuts, from the strictest on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Curve {
    /// How many distinct scores there are, and so how many cuts.
    pub distinct: usize,
    /// The points, by falling threshold; each is exact, however few there are.
    pub points: Vec<CurvePoint>,
}

/// What all cuts have in common.
struct Field<'a> {
    groups: &'a [&'a ScoredGroup],
    totals: Vec<ByLabel>,
    sizes: Vec<Sizes>,
    pooled: ByLabel,
    pooled_sizes: Sizes,
    weight: f64,
    level: f64,
}

/// Who is selected: the rates' numerators, by label.
fn selected(above: &ByLabel, with: &ByLabel, tied: f64) -> [f64; 3] {
    [0, 1, 2].map(|l| above[l].weight + tied * (with[l].weight - above[l].weight))
}

impl<'a> Field<'a> {
    fn of(groups: &'a [&'a ScoredGroup], confidence: Confidence) -> Self {
        let totals = totals(groups);
        let sizes: Vec<Sizes> = groups.iter().zip(&totals).map(|(g, t)| Sizes::of(g, t)).collect();
        let mut pooled = ByLabel::default();
        totals.iter().for_each(|t| (0..3).for_each(|l| pooled[l].add(&t[l], 1.0)));
        let weighted = groups.iter().flat_map(|g| &g.points).any(|p| p.cell.weight != p.cell.weight_squared);
        // Without weights the size is the number of rows, whatever the scores.
        let together = if weighted { ScoredGroup::joined(groups) } else { ScoredGroup::default() };
        let pooled_sizes = Sizes::of(&together, &pooled);
        Field { groups, sizes, pooled, pooled_sizes, weight: weight(&totals), totals, level: confidence.level }
    }

    /// A share of a base, with Wilson's interval and a band.
    fn share(&self, part: f64, base: Cell, size: f64, band_level: f64, empty: Undefined) -> CurveFigure {
        if base.weight <= 0.0 {
            return CurveFigure { reason: Some(empty), ..CurveFigure::default() };
        }
        let value = (part / base.weight).clamp(0.0, 1.0);
        let n = base.effective();
        let band = Some(around(value, massart(size, band_level)));
        with_interval(value, rate::wilson(value * n, n, self.level), band)
    }

    fn group(&self, at: usize, above: &ByLabel, with: &ByLabel, tied: f64, labelled: bool) -> GroupAtCut {
        let [down, up, unknown] = selected(above, with, tied);
        let (totals, sizes) = (&self.totals[at], &self.sizes[at]);
        let level = sidak_level(self.level, self.groups.len());
        let selection_rate = self.share(down + up + unknown, sum(totals), sizes.all, level, Undefined::NoScores);
        if !labelled {
            return GroupAtCut { selection_rate, ..GroupAtCut::default() };
        }
        let taken = up + down;
        let precision = if taken > 0.0 {
            let squares: f64 = (0..2)
                .map(|l| above[l].weight_squared + tied * (with[l].weight_squared - above[l].weight_squared))
                .sum();
            let n = taken * taken / squares;
            let value = (up / taken).clamp(0.0, 1.0);
            // Of the labelled rows, the shares that are selected and positive, or selected and negative.
            let (base, by) = (totals[0].weight + totals[1].weight, massart(sizes.labelled, halved(level)));
            let [u, d] = [up / base, down / base].map(|share| around(share, by));
            let least = if u[0] > 0.0 { u[0] / (u[0] + d[1]) } else { 0.0 };
            let most = if d[0] > 0.0 { u[1] / (u[1] + d[0]) } else { 1.0 };
            with_interval(value, rate::wilson(value * n, n, self.level), Some([least, most]))
        } else {
            CurveFigure { reason: Some(Undefined::NobodySelected), ..CurveFigure::default() }
        };
        let positives = self.share(up, totals[1], sizes.positives, level, Undefined::NoPositives);
        let negatives = self.share(down, totals[0], sizes.negatives, level, Undefined::NoNegatives);
        GroupAtCut {
            selection_rate,
            true_positive_rate: Some(positives),
            false_positive_rate: Some(negatives),
            precision: Some(precision),
        }
    }

    fn point(&self, threshold: f64, above: &[ByLabel], with: &[ByLabel], tied: f64) -> CurvePoint {
        let labelled = self.pooled[0].weight + self.pooled[1].weight > 0.0;
        let each = above.iter().zip(with).enumerate();
        let groups: Vec<GroupAtCut> = each.map(|(at, (a, w))| self.group(at, a, w, tied, labelled)).collect();
        let rate = |figure: &CurveFigure, base: Cell| {
            let n = base.effective();
            figure.value.map(|v| (GroupRate { x: v * n, n }, figure.band.unwrap_or([0.0, 1.0])))
        };
        let both = || groups.iter().zip(&self.totals);
        let rates: Vec<_> = both().filter_map(|(g, t)| rate(&g.selection_rate, sum(t))).collect();
        let of_positives: Vec<_> = both().filter_map(|(g, t)| rate(g.true_positive_rate.as_ref()?, t[1])).collect();
        let (here, over) = (weight(above), weight(with));
        let share = |w: f64| if self.weight > 0.0 { (w / self.weight).clamp(0.0, 1.0) } else { 0.0 };
        let (accuracy, balanced) = self.right(above, with, tied);
        CurvePoint {
            threshold,
            tied,
            at_threshold: share(over - here),
            share: share(here + tied * (over - here)),
            groups,
            selection_difference: self.difference(&rates),
            impact_ratio: self.ratio(&rates),
            true_positive_gap: labelled.then(|| self.difference(&of_positives)),
            accuracy: labelled.then_some(accuracy),
            balanced_accuracy: labelled.then_some(balanced),
        }
    }

    fn difference(&self, rates: &[(GroupRate, [f64; 2])]) -> CurveFigure {
        let Some((low, high)) = extremes(rates) else { return too_few() };
        let counts: Vec<GroupRate> = rates.iter().map(|r| r.0).collect();
        let [[least_low, most_low], [least_high, most_high]] = limits(rates);
        let band = [(most_low - least_high).max(0.0), most_high - least_low];
        with_interval(high - low, gap_interval(&counts, self.level), Some(band))
    }

    fn ratio(&self, rates: &[(GroupRate, [f64; 2])]) -> CurveFigure {
        let Some((low, high)) = extremes(rates) else { return too_few() };
        if high <= 0.0 {
            return CurveFigure { reason: Some(Undefined::OverZero), ..CurveFigure::default() };
        }
        let counts: Vec<GroupRate> = rates.iter().map(|r| r.0).collect();
        let band = ratio_limits(limits(rates));
        with_interval(low / high, ratio_interval(&counts, self.level), Some(band))
    }

    /// Accuracy and balanced accuracy of all rows.
    fn right(&self, above: &[ByLabel], with: &[ByLabel], tied: f64) -> (CurveFigure, CurveFigure) {
        let (mut down, mut up) = (0.0, 0.0);
        for (a, w) in above.iter().zip(with) {
            let [d, u, _] = selected(a, w, tied);
            (down, up) = (down + d, up + u);
        }
        let [negatives, positives, _] = self.pooled;
        let mut base = negatives;
        base.add(&positives, 1.0);
        let mut accuracy = self.share(up + negatives.weight - down, base, 1.0, self.level, Undefined::NoLabels);
        // Two distribution functions: of selected positives, and of negatives not selected.
        let by = 2.0 * massart(self.pooled_sizes.labelled, halved(self.level));
        accuracy.band = accuracy.value.map(|v| around(v, by));
        let [n0, n1] = [negatives, positives].map(|c| c.effective());
        if n0 <= 0.0 || n1 <= 0.0 {
            let reason = if n1 <= 0.0 { Undefined::NoPositives } else { Undefined::NoNegatives };
            return (accuracy, CurveFigure { reason: Some(reason), ..CurveFigure::default() });
        }
        let (tpr, fpr) = ((up / positives.weight).clamp(0.0, 1.0), (down / negatives.weight).clamp(0.0, 1.0));
        let apart = difference::newcombe(tpr * n1, n1, fpr * n0, n0, self.level);
        let half = |v: f64| (1.0 + v) / 2.0;
        let interval = apart.map(|i| Interval { low: half(i.low), high: half(i.high) });
        let sure = [self.pooled_sizes.positives, self.pooled_sizes.negatives];
        let by: f64 = sure.iter().map(|n| massart(*n, halved(self.level))).sum::<f64>() / 2.0;
        let value = half(tpr - fpr);
        (accuracy, with_interval(value, interval, Some(around(value, by))))
    }

    /// The points at budgets, which rise.
    fn at_budgets(&self, budgets: &[f64]) -> Curve {
        let mut curve = Curve::default();
        walk(self.groups, |score, above, with| {
            curve.distinct += 1;
            let (before, after) = (weight(above), weight(with));
            while let Some(target) = budgets.get(curve.points.len()).map(|b| b * self.weight) {
                if target > after * (1.0 + 1e-12) {
                    break;
                }
                let tied = ((target - before) / (after - before)).clamp(0.0, 1.0);
                let tied = if tied > 1.0 - 1e-9 { 1.0 } else { tied };
                curve.points.push(self.point(score, above, with, tied));
            }
        });
        curve
    }
}

fn with_interval(value: f64, interval: Option<Interval>, band: Option<[f64; 2]>) -> CurveFigure {
    let held = |[low, high]: [f64; 2]| [low.min(value), high.max(value)];
    let interval = interval.map(|i| held([i.low, i.high]));
    CurveFigure { value: Some(value), interval, band: band.map(held), reason: None }
}

fn too_few() -> CurveFigure {
    CurveFigure { reason: Some(Undefined::TooFewGroups), ..CurveFigure::default() }
}

/// The smallest and the largest rate; `None` of fewer than two.
fn extremes(rates: &[(GroupRate, [f64; 2])]) -> Option<(f64, f64)> {
    let values = rates.iter().map(|r| r.0.x / r.0.n);
    let (low, high) = values.fold((f64::INFINITY, 0.0_f64), |(l, h), v| (l.min(v), h.max(v)));
    (rates.len() > 1).then_some((low, high))
}

/// The least and the most of the lower limits, and of the upper ones.
fn limits(rates: &[(GroupRate, [f64; 2])]) -> [[f64; 2]; 2] {
    let of = |end: usize| {
        let all = rates.iter().map(|r| r.1[end]);
        all.fold([f64::INFINITY, 0.0], |[least, most]: [f64; 2], v| [least.min(v), most.max(v)])
    };
    [of(0), of(1)]
}

/// What the smallest over the largest can be: the largest is at least the largest lower limit, and so on.
fn ratio_limits([[least_low, most_low], [least_high, most_high]]: [[f64; 2]; 2]) -> [f64; 2] {
    let low = if most_high > 0.0 { least_low / most_high } else { 0.0 };
    let high = if most_low > 0.0 { (least_high / most_low).min(1.0) } else { 1.0 };
    [low, high]
}

/// The rates of groups, their disparities and the accuracy at every threshold: at each distinct score of any group, or, where
/// there are more than `at_most`, at so many that select equally growing shares of all. Each point is exact.
///
/// Every figure has two pairs of limits, both at the confidence's level:
/// - `interval`, of this cut alone: Wilson's of a rate; of the worst pair of groups
///   ([`gap_interval`], [`ratio_interval`]); Newcombe's for balanced accuracy, `(1 + TPR − FPR) / 2`.
/// - `band`, at every cut at once, and of rates and disparities for all groups at once: `rate ± √(ln(2/α) / 2n)` by
///   Dvoretzky, Kiefer, Wolfowitz and Massart, with Šidák's level over groups; disparities from the ends of the rates' bands;
///   precision and accuracy, made of two distribution functions, each at α/2. With weights, n is Kish's effective size, or a
///   smaller one where weights go with scores. A band is of one measure, not of several together, and wide: it is for a cut
///   that was chosen by looking at the curve.
///
/// Rows of unknown label count for selection rates only; groups without positives are left out of the true positive gap.
///
/// # References
/// Massart (1990), The tight constant in the Dvoretzky–Kiefer–Wolfowitz inequality, Annals of Probability 18.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, threshold_curve}};
/// let a = ScoredGroup::from_rows(&[0.9, 0.6, 0.3], &[1, 1, 0], None);
/// let b = ScoredGroup::from_rows(&[0.6, 0.2, 0.1], &[1, 0, 0], None);
/// let curve = threshold_curve(&[&a, &b], 100, Confidence::at(0.95));
/// let point = &curve.points[1];
/// assert_eq!((curve.distinct, point.threshold, point.share), (5, 0.6, 0.5));
/// assert!((point.impact_ratio.value.unwrap() - 0.5).abs() < 1e-12);
/// assert_eq!(point.accuracy.as_ref().unwrap().value, Some(1.0));
/// ```
///
/// [`gap_interval`]: crate::inference::worst::gap_interval
/// [`ratio_interval`]: crate::inference::worst::ratio_interval
pub fn threshold_curve(groups: &[&ScoredGroup], at_most: usize, confidence: Confidence) -> Curve {
    let field = Field::of(groups, confidence);
    let mut distinct = 0;
    walk(groups, |_, _, _| distinct += 1);
    let mut points: Vec<CurvePoint> = Vec::new();
    let mut taken = 0;
    walk(groups, |score, above, with| {
        let share = weight(with) / field.weight;
        let step = |k: usize| (k + 1) as f64 / at_most as f64;
        if distinct <= at_most {
            points.push(field.point(score, above, with, 1.0));
        } else if taken < at_most && share >= step(taken) - 1e-12 {
            points.push(field.point(score, above, with, 1.0));
            while taken < at_most && share >= step(taken) - 1e-12 {
                taken += 1;
            }
        }
    });
    Curve { distinct, points }
}

/// The same at every budget: if the best-scored share of all rows, by weight, is selected. Where a budget ends among equal
/// scores, these share the rest (`tied` says which part of each), so that every budget is met exactly.
///
/// `budgets` are shares in [0, 1]; others are left out. Points rise by budget. Limits are as of [`threshold_curve`], for
/// the population's figures at the cut that the budget led to in these rows.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, budget_curve}};
/// let a = ScoredGroup::from_rows(&[0.9, 0.6, 0.3], &[1, 1, 0], None);
/// let b = ScoredGroup::from_rows(&[0.6, 0.2, 0.1], &[1, 0, 0], None);
/// let curve = budget_curve(&[&a, &b], &[1.0 / 3.0], Confidence::at(0.95));
/// // Two of six: one at 0.9, and half of the two at 0.6.
/// let [one, other] = &curve.points[0].groups[..] else { panic!("two groups") };
/// assert!((curve.points[0].tied - 0.5).abs() < 1e-12);
/// assert!((one.selection_rate.value.unwrap() - 0.5).abs() < 1e-12);
/// assert!((other.selection_rate.value.unwrap() - 1.0 / 6.0).abs() < 1e-12);
/// ```
pub fn budget_curve(groups: &[&ScoredGroup], budgets: &[f64], confidence: Confidence) -> Curve {
    let mut budgets: Vec<f64> = budgets.iter().copied().filter(|b| (0.0..=1.0).contains(b)).collect();
    budgets.sort_by(f64::total_cmp);
    Field::of(groups, confidence).at_budgets(&budgets)
}

/// The point of one cut: all who score more than `threshold` are selected, and the part `tied` (in [0, 1]) of those who
/// score just this. Limits are as of [`threshold_curve`].
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, cut_at}};
/// let a = ScoredGroup::from_rows(&[0.9, 0.6, 0.3], &[1, 1, 0], None);
/// let b = ScoredGroup::from_rows(&[0.6, 0.2, 0.1], &[1, 0, 0], None);
/// let point = cut_at(&[&a, &b], 0.5, 1.0, Confidence::at(0.95));
/// assert!((point.selection_difference.value.unwrap() - 1.0 / 3.0).abs() < 1e-12);
/// ```
pub fn cut_at(groups: &[&ScoredGroup], threshold: f64, tied: f64, confidence: Confidence) -> CurvePoint {
    let count = |keep: fn(f64, f64) -> bool| -> Vec<ByLabel> {
        let of = |group: &&ScoredGroup| {
            let mut cells = ByLabel::default();
            let kept = group.points.iter().filter(|p| keep(p.score, threshold));
            kept.for_each(|p| cells[usize::from(p.label.min(2))].add(&p.cell, 1.0));
            cells
        };
        groups.iter().map(of).collect()
    };
    let (above, with) = (count(|s, t| s > t), count(|s, t| s >= t));
    let tied = if tied.is_finite() { tied.clamp(0.0, 1.0) } else { 1.0 };
    Field::of(groups, confidence).point(threshold, &above, &with, tied)
}
