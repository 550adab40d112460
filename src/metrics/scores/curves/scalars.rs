//! All budgets in one figure.

use super::bands::{Sizes, around, massart};
use super::walk::{ByLabel, selected_weight, sum, totals, walk, weight};
use super::{limits, ratio_limits};
use crate::inference::sidak_level;
use crate::inference::worst::GroupRate;
use crate::metrics::catalog::Direction;
use crate::metrics::family::{Compute, Measure};
use crate::metrics::scores::{ScoredGroup, Scoring};
use crate::metrics::{Confidence, Estimate, MeasureEntry, Need, Of, Support, Tested, Undefined};
use crate::tally::Cell;

/// The smallest share of all rows that [`worst_impact_ratio_over_budgets`] looks at: of fewer selected, the ratio is mostly
/// noise.
pub const LEAST_BUDGET: f64 = 0.1;
/// Groups times points; beyond, a figure over all budgets is not made.
const MANY_STEPS: usize = 2_000_000_000;

/// The rows of each group, and how sure its rates are at every cut and for all groups at once.
struct Rows {
    totals: Vec<Cell>,
    epsilon: Vec<f64>,
    weight: f64,
    support: Support,
}

impl Rows {
    fn of(groups: &[&ScoredGroup], confidence: Confidence) -> Result<Self, Estimate> {
        let by_label = totals(groups);
        let totals: Vec<Cell> = by_label.iter().map(sum).collect();
        let mut all = Cell::default();
        totals.iter().for_each(|c| all.add(c, 1.0));
        let support = Support::from(all);
        let undefined = |reason| Err(Estimate::undefined(reason, support));
        if groups.len() < 2 {
            return undefined(Undefined::TooFewGroups);
        }
        if totals.iter().any(|c| c.weight <= 0.0) {
            return undefined(Undefined::UndefinedPart);
        }
        if groups.iter().map(|g| g.points.len()).sum::<usize>().saturating_mul(groups.len()) > MANY_STEPS {
            return undefined(Undefined::TooManyRows);
        }
        let level = sidak_level(confidence.level, groups.len());
        let of = |(group, cells): (&&ScoredGroup, &ByLabel)| massart(Sizes::of(group, cells).all, level);
        let epsilon = groups.iter().zip(&by_label).map(of).collect();
        Ok(Rows { totals, epsilon, weight: weight(&by_label), support })
    }

    fn rate(&self, group: usize, above: &ByLabel, with: &ByLabel, tied: f64) -> f64 {
        (selected_weight(above, with, tied) / self.totals[group].weight).clamp(0.0, 1.0)
    }
}

/// The smallest impact ratio over all budgets from [`LEAST_BUDGET`] on: `min_q min_g SR_g(q) / max_g SR_g(q)`, where the
/// best-scored share q of all rows is selected and equal scores share the last places.
///
/// In [0, 1], 1 if every budget selects all groups alike; exact: between two scores the ratio of two rates only rises or only
/// falls, so that its least is at one of them. The interval is from the smallest lower to the smallest upper end of the
/// ratio's band ([`threshold_curve`](super::threshold_curve)): it holds for any number of groups, and is wide. Undefined for
/// fewer than two groups or where a group has no rows.
///
/// # References
/// The impact ratio of New York City's rules on automated employment decision tools (6 RCNY § 5-300), over all cuts.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, worst_impact_ratio_over_budgets}};
/// let a = ScoredGroup::from_rows(&[0.9, 0.6, 0.3, 0.1], &[2; 4], None);
/// let b = ScoredGroup::from_rows(&[0.9, 0.2, 0.2, 0.1], &[2; 4], None);
/// let worst = worst_impact_ratio_over_budgets(&[&a, &b], Confidence::at(0.95));
/// // If all from 0.3 on are selected: 3 of 4, and 1 of 4.
/// assert!((worst.value.unwrap() - 1.0 / 3.0).abs() < 1e-12);
/// ```
pub fn worst_impact_ratio_over_budgets(groups: &[&ScoredGroup], confidence: Confidence) -> Estimate {
    let rows = match Rows::of(groups, confidence) {
        Ok(rows) => rows,
        Err(undefined) => return undefined,
    };
    let (mut worst, mut band) = (1.0_f64, [1.0_f64; 2]);
    let least = LEAST_BUDGET * rows.weight;
    let mut rates = vec![(GroupRate { x: 0.0, n: 1.0 }, [0.0; 2]); groups.len()];
    let mut look = |above: &[ByLabel], with: &[ByLabel], tied: f64| {
        let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
        for (g, rate) in rates.iter_mut().enumerate() {
            let value = rows.rate(g, &above[g], &with[g], tied);
            rate.1 = around(value, rows.epsilon[g]);
            (low, high) = (low.min(value), high.max(value));
        }
        if high > 0.0 {
            worst = worst.min(low / high);
        }
        let [l, h] = ratio_limits(limits(&rates));
        band = [band[0].min(l), band[1].min(h)];
    };
    walk(groups, |_, above, with| {
        let (before, after) = (weight(above), weight(with));
        if after < least {
            return;
        }
        if before < least {
            look(above, with, ((least - before) / (after - before)).clamp(0.0, 1.0));
        }
        look(above, with, 1.0);
    });
    Estimate::of(worst, rows.support).between(band[0].min(worst), band[1].max(worst))
}

/// The largest less the smallest selection rate, averaged over every budget: `∫₀¹ (max_g SR_g(q) − min_g SR_g(q)) dq`, where
/// the best-scored share q of all rows is selected and equal scores share the last places.
///
/// In [0, 1], 0 if every budget selects all groups alike; exact: between two scores all rates are straight in q. It depends on
/// the order of scores alone, unlike the integral over thresholds ([`wasserstein`](super::super::wasserstein)). The interval is
/// `± (ε_g + ε_h)` of the two least sure groups, ε as in [`threshold_curve`](super::threshold_curve): it holds for any number
/// of groups, and is wide. Undefined for fewer than two groups or where a group has no rows.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, selection_gap_over_budgets}};
/// // All of `a` come before all of `b`: the gap rises to 1 at half the budget, and falls again.
/// let a = ScoredGroup::from_rows(&[0.9, 0.8], &[2, 2], None);
/// let b = ScoredGroup::from_rows(&[0.2, 0.1], &[2, 2], None);
/// let gap = selection_gap_over_budgets(&[&a, &b], Confidence::at(0.95));
/// assert!((gap.value.unwrap() - 0.5).abs() < 1e-12);
/// ```
pub fn selection_gap_over_budgets(groups: &[&ScoredGroup], confidence: Confidence) -> Estimate {
    let rows = match Rows::of(groups, confidence) {
        Ok(rows) => rows,
        Err(undefined) => return undefined,
    };
    let mut left = vec![0.0; groups.len()];
    let mut right = left.clone();
    let mut area = 0.0;
    walk(groups, |_, above, with| {
        for g in 0..right.len() {
            right[g] = rows.rate(g, &above[g], &with[g], 1.0);
        }
        let gap = mean_of_upper(&left, &right, 1.0) + mean_of_upper(&left, &right, -1.0);
        area += (weight(with) - weight(above)) * gap;
        left.copy_from_slice(&right);
    });
    let area = (area / rows.weight).clamp(0.0, 1.0);
    let mut unsure = rows.epsilon;
    unsure.sort_by(|a, b| b.total_cmp(a));
    let half = unsure[0] + unsure[1];
    Estimate::of(area, rows.support).between((area - half).max(0.0), (area + half).min(1.0))
}

/// The mean over [0, 1] of the largest of the lines from `sign·left` to `sign·right`, exact.
fn mean_of_upper(left: &[f64], right: &[f64], sign: f64) -> f64 {
    let at = |line: usize, t: f64| sign * (left[line] + t * (right[line] - left[line]));
    let top = |t: f64| {
        // Of lines that meet at t, the one that is on top further on.
        let order = |a: usize, b: usize| at(a, t).total_cmp(&at(b, t)).then(at(a, 1.0).total_cmp(&at(b, 1.0)));
        (0..left.len()).reduce(|a, b| if order(b, a).is_gt() { b } else { a }).unwrap_or(0)
    };
    let last = top(1.0);
    let (mut t, mut line, mut sum) = (0.0, top(0.0), 0.0);
    // Each turn moves to a steeper line, so there are fewer turns than lines.
    for _ in 0..left.len() {
        if at(line, 1.0) >= at(last, 1.0) {
            break;
        }
        let (start, slope) = (at(line, 0.0), at(line, 1.0) - at(line, 0.0));
        let meets = |other: usize| {
            let closing = at(other, 1.0) - at(other, 0.0) - slope;
            (closing > 0.0).then(|| ((start - at(other, 0.0)) / closing, other))
        };
        let later = (0..left.len()).filter_map(meets).filter(|m| m.0 > t && m.0 < 1.0);
        let next = later.min_by(|a, b| a.0.total_cmp(&b.0).then(at(b.1, 1.0).total_cmp(&at(a.1, 1.0))));
        let Some((until, other)) = next else { break };
        sum += (until - t) * 0.5 * (at(line, t) + at(line, until));
        (t, line) = (until, other);
    }
    sum + (1.0 - t) * 0.5 * (at(line, t) + at(line, 1.0))
}

/// An entry of this file.
const fn entry(name: &'static str, title: &'static str, formula: &'static str) -> MeasureEntry {
    MeasureEntry {
        name,
        title,
        formula,
        needs: &[Need::Score],
        of: Of::Table,
        direction: Direction::Lower,
        least: Some(0.0),
        most: Some(1.0),
        fair: Some(0.0),
        source: "",
        also: "",
    }
}

/// The measures of this file.
pub(crate) const MEASURES: &[Measure<ScoredGroup, Scoring>] = &[
    Measure {
        entry: MeasureEntry {
            direction: Direction::Higher,
            fair: Some(1.0),
            source: "the impact ratio of 6 RCNY 5-300, over all cuts",
            also: "top-q impact ratio curve, its least",
            ..entry(
                "worst_impact_ratio_over_budgets",
                "smallest impact ratio, whichever best-scored share from 10 % on is selected",
                "min over q >= 0.1 of min SR_g(q) / max SR_g(q)",
            )
        },
        compute: Compute::Table(|groups, _, confidence| {
            Tested::untested(worst_impact_ratio_over_budgets(groups, confidence))
        }),
    },
    Measure {
        entry: MeasureEntry {
            source: "selection rates of Feldman et al. 2015, over all budgets",
            also: "integrated statistical parity, over shares selected",
            ..entry(
                "selection_gap_over_budgets",
                "difference of selection rates, averaged over every best-scored share selected",
                "integral over q of (max SR_g(q) - min SR_g(q))",
            )
        },
        compute: Compute::Table(|groups, _, confidence| {
            Tested::untested(selection_gap_over_budgets(groups, confidence))
        }),
    },
];
