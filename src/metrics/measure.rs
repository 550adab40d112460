//! A metric of one group: its figure, its interval, its bounds where labels are unknown.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::catalog::{Entry, Form, Mask};
use super::{Estimate, Support, Undefined};
use crate::inference::bootstrap::{Drawn, Replicates};
use crate::inference::worst::GroupRate;
use crate::inference::{Interval, rate, z_quantile};
use crate::tally::{Cell, Counts, ScoreSums};

/// A metric of one group, with what comparisons need of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measured {
    pub estimate: Estimate,
    /// The effective counts of a plain rate; `None` for any other metric.
    pub share: Option<GroupRate>,
    /// Whether the counts are of whole rows that all weigh the same.
    pub plain: bool,
    /// The standard error, where it is known.
    pub error: Option<f64>,
}

impl Measured {
    pub fn undefined(reason: Undefined, support: Support) -> Self {
        Measured { estimate: Estimate::undefined(reason, support), share: None, plain: false, error: None }
    }

    /// A figure of a metric without a closed form, with its interval from bootstrap replicates.
    pub fn bootstrapped(
        value: f64,
        support: Support,
        replicates: &Replicates,
        jackknife: &[(f64, f64)],
        level: f64,
    ) -> Self {
        let mut estimate = Estimate::of(value, support);
        let (interval, error) = replicates.spread(value, jackknife, level);
        if let Some(interval) = interval {
            // Of a few rows the draws may all lie on one side of the figure.
            estimate = estimate.between(interval.low.min(value), interval.high.max(value));
        }
        Measured { estimate, share: None, plain: false, error }
    }
}

/// The weight in some cells out of the weight in more.
#[derive(Debug, Clone, Copy)]
struct Share {
    value: f64,
    whole: Cell,
    counts: GroupRate,
    plain: bool,
}

fn sum(counts: &Counts, mask: Mask) -> Cell {
    counts.sum(|label, decision| mask.holds(label, decision))
}

fn scores(counts: &Counts, mask: Mask) -> ScoreSums {
    let mut total = ScoreSums::default();
    for (label, row) in counts.scores.iter().flat_map(|s| s.iter().enumerate()) {
        for (_, cell) in row.iter().enumerate().filter(|(decision, _)| mask.holds(label, *decision)) {
            total.add(cell, 1.0);
        }
    }
    total
}

/// The rate of `part` in `whole`, with the effective counts that its interval needs.
///
/// With weights the effective size is p(1 − p) / Var(p), Var(p) = [(1 − p)² Σw²(part) + p² Σw²(others)] / W²
/// being the linearised variance of a ratio; Kish's size where p is 0 or 1. It never exceeds the rows.
fn share(counts: &Counts, part: Mask, whole: Mask) -> Option<Share> {
    let (part, whole) = (sum(counts, part), sum(counts, whole));
    let value = (part.weight / whole.weight).clamp(0.0, 1.0);
    share_counts(part, whole).map(|counts| Share { value, whole, counts, plain: whole.is_uniform() })
}

/// The effective counts of the share of `part` in the `whole` that holds it: see [`share`]. `None` without weight.
pub(crate) fn share_counts(part: Cell, whole: Cell) -> Option<GroupRate> {
    if whole.weight.is_nan() || whole.weight <= 0.0 {
        return None;
    }
    if whole.is_uniform() {
        return Some(GroupRate { x: part.rows, n: whole.rows });
    }
    let p = (part.weight / whole.weight).clamp(0.0, 1.0);
    let others = (whole.weight_squared - part.weight_squared).max(0.0);
    let squares = (1.0 - p).powi(2) * part.weight_squared + p * p * others;
    let spread = p * (1.0 - p);
    let n = if spread > 0.0 && squares > 0.0 {
        (spread * whole.weight * whole.weight / squares).min(whole.rows)
    } else {
        whole.effective()
    };
    Some(GroupRate { x: p * n, n })
}

/// The figure alone, from the weights of the cells.
pub(crate) fn value(form: Form, counts: &Counts) -> Option<f64> {
    let rate = |part, whole| share(counts, part, whole).map(|s| s.value);
    match form {
        Form::Share { part, whole } => rate(part, whole),
        Form::Harmonic { part, whole } => rate(part, whole).map(harmonic),
        Form::Odds { part, whole } => rate(part, whole).filter(|q| *q < 1.0).map(odds),
        Form::MeanOf { first, second } => Some((rate(first.0, first.1)? + rate(second.0, second.1)?) / 2.0),
        Form::Quotient { top, bottom } => {
            let (top, bottom) = (sum(counts, top).weight, sum(counts, bottom).weight);
            (bottom > 0.0).then(|| top / bottom)
        }
        Form::Correlation => {
            Some(correlation(counts.tp().weight, counts.fp().weight, counts.fn_().weight, counts.tn().weight))
                .filter(|r| !r.is_nan())
        }
        Form::MeanScore { of } => {
            let sums = scores(counts, of);
            (sums.weight > 0.0).then(|| sums.score / sums.weight)
        }
    }
}

/// Matthews' correlation; NaN without variation.
#[inline(always)]
fn correlation(tp: f64, fp: f64, fn_: f64, tn: f64) -> f64 {
    // Roots before products: the product of four sums may leave the range of f64.
    let spread = (tp + fp).sqrt() * (tp + fn_).sqrt() * (tn + fp).sqrt() * (tn + fn_).sqrt();
    let correlation = ((tp * tn - fp * fn_) / spread).clamp(-1.0, 1.0);
    if spread > 0.0 { correlation } else { f64::NAN }
}

/// Adds the figures of replicates, as far as they are defined and finite. As [`value`] of each of them, for the metrics that
/// [`needs_bootstrap`]; of others none.
pub(crate) fn resampled(form: Form, replicates: &Drawn, found: &mut Vec<f64>) {
    let sums = |mask: Mask| {
        let mut sums = vec![0.0; replicates.replicates()];
        for cell in (0..9).filter(|cell| mask.holds(cell / 3, cell % 3)) {
            sums.iter_mut().zip(replicates.weights(cell)).for_each(|(sum, weight)| *sum += weight);
        }
        sums
    };
    let from = found.len();
    match form {
        Form::Quotient { top, bottom } => {
            let quotient = |(top, bottom)| if bottom > 0.0 { top / bottom } else { f64::NAN };
            found.extend(sums(top).into_iter().zip(sums(bottom)).map(quotient));
        }
        Form::Correlation => {
            let [tp, fp, fn_, tn] = [(1, 1), (0, 1), (1, 0), (0, 0)].map(|(label, decision)| label * 3 + decision);
            let (positives, negatives) = (
                replicates.weights(tp).zip(replicates.weights(fn_)),
                replicates.weights(fp).zip(replicates.weights(tn)),
            );
            found.extend(positives.zip(negatives).map(|((tp, fn_), (fp, tn))| correlation(tp, fp, fn_, tn)));
        }
        _ => {}
    }
    if !found[from..].iter().all(|value| value.is_finite()) {
        found.retain(|value| value.is_finite());
    }
}

fn harmonic(q: f64) -> f64 {
    2.0 * q / (1.0 + q)
}

fn odds(q: f64) -> f64 {
    q / (1.0 - q)
}

/// Whether a metric's interval comes from the bootstrap.
pub(crate) fn needs_bootstrap(form: Form) -> bool {
    matches!(form, Form::Quotient { .. } | Form::Correlation)
}

/// Why a metric that has no figure has none.
fn reason(entry: &Entry, counts: &Counts) -> Undefined {
    let total = counts.total();
    let empty = |mask: Mask| sum(counts, mask).rows <= 0.0;
    if total.rows <= 0.0 {
        return Undefined::NoRows;
    }
    if entry.needs.label && counts.labelled().rows <= 0.0 {
        return Undefined::NoLabels;
    }
    if entry.needs.decision && counts.sum(|_, decision| decision < 2).rows <= 0.0 {
        return Undefined::NoDecisions;
    }
    let whole = match entry.form {
        Form::Share { whole, .. } | Form::Harmonic { whole, .. } => whole,
        Form::Odds { whole, .. } => {
            return if empty(whole) { entry.empty } else { Undefined::OverZero };
        }
        Form::MeanOf { first, second } => {
            return if empty(first.1) {
                Undefined::NoPositives
            } else if empty(second.1) {
                Undefined::NoNegatives
            } else {
                Undefined::NoWeight
            };
        }
        Form::Quotient { bottom, .. } => bottom,
        Form::Correlation => return entry.empty,
        Form::MeanScore { of } => {
            return if empty(of) {
                entry.empty
            } else if scores(counts, of).rows <= 0.0 {
                Undefined::NoScores
            } else {
                Undefined::NoWeight
            };
        }
    };
    if empty(whole) { entry.empty } else { Undefined::NoWeight }
}

/// What a metric rests on.
pub(crate) fn support(form: Form, counts: &Counts) -> Support {
    let whole = match form {
        Form::Share { whole, .. } | Form::Harmonic { whole, .. } | Form::Odds { whole, .. } => whole,
        Form::Quotient { .. } | Form::Correlation | Form::MeanOf { .. } => {
            return counts.sum(|label, decision| label < 2 && decision < 2).into();
        }
        Form::MeanScore { of } => {
            let sums = scores(counts, of);
            return Cell { rows: sums.rows, weight: sums.weight, weight_squared: sums.weight_squared }.into();
        }
    };
    sum(counts, whole).into()
}

/// A metric of a group with its interval, where that has a closed form; see [`needs_bootstrap`].
pub(crate) fn measure(entry: &Entry, counts: &Counts, level: f64) -> Measured {
    let support = support(entry.form, counts);
    let Some(figure) = value(entry.form, counts) else {
        return Measured::undefined(reason(entry, counts), support);
    };
    let estimate = Estimate::of(figure, support);
    let plainly = |estimate, error| Measured { estimate, share: None, plain: false, error };
    match entry.form {
        Form::Share { part, whole } => {
            let Some(share) = share(counts, part, whole) else { return plainly(estimate, None) };
            let GroupRate { x, n } = share.counts;
            let interval = rate::wilson(x, n, level);
            let error = (share.value * (1.0 - share.value) / n).sqrt();
            Measured {
                estimate: with(estimate, interval),
                share: Some(share.counts),
                plain: share.plain && share.whole.rows.fract() == 0.0,
                error: Some(error),
            }
        }
        Form::Harmonic { part, whole } | Form::Odds { part, whole } => {
            let turn = if matches!(entry.form, Form::Odds { .. }) { odds } else { harmonic };
            let interval = share(counts, part, whole).and_then(|s| rate::wilson(s.counts.x, s.counts.n, level));
            let turned = interval.map(|i| Interval { low: turn(i.low), high: turn(i.high) });
            let estimate = with(estimate, turned);
            let error = estimate.interval().map(|(low, high)| (high - low) / (2.0 * z_quantile(level)));
            plainly(estimate, error)
        }
        Form::MeanOf { first, second } => {
            // The rates are of separate rows, so the squared distances to their limits add (MOVER).
            let parts = [first, second].map(|(part, whole)| {
                let share = share(counts, part, whole)?;
                let limits = rate::wilson(share.counts.x, share.counts.n, level)?;
                Some((share.value - limits.low, limits.high - share.value))
            });
            let [Some(a), Some(b)] = parts else { return plainly(estimate, None) };
            let (down, up) = (a.0.hypot(b.0) / 2.0, a.1.hypot(b.1) / 2.0);
            let error = (down + up) / (2.0 * z_quantile(level));
            plainly(estimate.between(figure - down, figure + up), Some(error))
        }
        Form::MeanScore { of } => {
            let sums = scores(counts, of);
            let n = support.effective_size;
            if n <= 1.0 {
                return plainly(estimate, None);
            }
            let squares =
                sums.score_squared - 2.0 * figure * sums.score_weighted + figure * figure * sums.weight_squared;
            let error = (squares.max(0.0) / (sums.weight * sums.weight) * n / (n - 1.0)).sqrt();
            let quantile = StudentsT::new(0.0, 1.0, n - 1.0).map_or(f64::NAN, |t| t.inverse_cdf((1.0 + level) / 2.0));
            plainly(estimate.between(figure - quantile * error, figure + quantile * error), Some(error))
        }
        Form::Quotient { .. } | Form::Correlation => plainly(estimate, None),
    }
}

fn with(estimate: Estimate, interval: Option<Interval>) -> Estimate {
    match interval {
        Some(interval) => estimate.between(interval.low, interval.high),
        None => estimate,
    }
}

/// The least and the most that a metric could be, whatever the unknown labels are; `None` where every
/// label that matters is known, or where the extremes are not at the corners.
///
/// Every metric here is a quotient of linear functions of how many of the unknown are positive, among
/// the selected and among the others, so its extremes are where all or none of them are.
pub(crate) fn bounds(entry: &Entry, counts: &Counts) -> Option<[f64; 2]> {
    let unknown = |decision: usize| counts.cells[2][decision].weight;
    if !entry.needs.label || (unknown(0) <= 0.0 && unknown(1) <= 0.0 && unknown(2) <= 0.0) {
        return None;
    }
    let single = match entry.form {
        Form::MeanOf { first, second } => {
            let part = |(part, whole)| corners(Form::Share { part, whole }, counts);
            let (a, b) = (part(first)?, part(second)?);
            return Some([(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0]);
        }
        Form::Correlation | Form::MeanScore { .. } => return None,
        single => single,
    };
    corners(single, counts)
}

fn corners(form: Form, counts: &Counts) -> Option<[f64; 2]> {
    let corner = |positive: [bool; 3]| {
        let mut full = counts.clone();
        for (decision, positive) in positive.into_iter().enumerate() {
            let unknown = std::mem::take(&mut full.cells[2][decision]);
            full.cells[usize::from(positive)][decision].add(&unknown, 1.0);
        }
        value(form, &full)
    };
    let all = (0..8u8).filter_map(|bits| corner([bits & 1 != 0, bits & 2 != 0, bits & 4 != 0]));
    all.fold(None, |range: Option<[f64; 2]>, v| Some(range.map_or([v, v], |r| [r[0].min(v), r[1].max(v)])))
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;
    use crate::inference::bootstrap::Bootstrap;
    use crate::metrics::catalog;

    fn figure(name: &str, counts: &Counts) -> f64 {
        measure(catalog::metric(name).unwrap(), counts, 0.95).estimate.value().unwrap()
    }

    #[test]
    fn a_worked_table() {
        // tp 6, fp 2, fn 3, tn 9; figures by hand.
        let counts = Counts::of_confusion(6.0, 2.0, 3.0, 9.0);
        for (name, expected) in [
            ("selection_rate", 8.0 / 20.0),
            ("base_rate", 9.0 / 20.0),
            ("true_positive_rate", 6.0 / 9.0),
            ("false_positive_rate", 2.0 / 11.0),
            ("true_negative_rate", 9.0 / 11.0),
            ("false_negative_rate", 3.0 / 9.0),
            ("precision", 6.0 / 8.0),
            ("negative_predictive_value", 9.0 / 12.0),
            ("false_discovery_rate", 2.0 / 8.0),
            ("false_omission_rate", 3.0 / 12.0),
            ("accuracy", 15.0 / 20.0),
            ("balanced_accuracy", (6.0 / 9.0 + 9.0 / 11.0) / 2.0),
            ("f1", 12.0 / 17.0),
            ("mcc", (54.0 - 6.0) / (8.0f64 * 9.0 * 11.0 * 12.0).sqrt()),
            ("prevalence_ratio", 8.0 / 9.0),
            ("error_ratio", 3.0 / 2.0),
            ("average_odds_rate", (6.0 / 9.0 + 2.0 / 11.0) / 2.0),
        ] {
            assert_relative_eq!(figure(name, &counts), expected, max_relative = 1e-14);
        }
    }

    #[test]
    fn a_group_without_positives_has_no_true_positive_rate() {
        let counts = Counts::of_confusion(0.0, 2.0, 0.0, 9.0);
        for (name, why) in [
            ("true_positive_rate", Undefined::NoPositives),
            ("false_negative_rate", Undefined::NoPositives),
            ("balanced_accuracy", Undefined::NoPositives),
            ("mcc", Undefined::NoVariation),
        ] {
            let estimate = measure(catalog::metric(name).unwrap(), &counts, 0.95).estimate;
            assert_eq!(estimate.value(), Err(why), "{name}");
        }
        assert_eq!(figure("error_ratio", &counts), 0.0);
        let nobody = Counts::of_confusion(0.0, 0.0, 3.0, 9.0);
        assert_eq!(
            measure(catalog::metric("precision").unwrap(), &nobody, 0.95).estimate.value(),
            Err(Undefined::NobodySelected)
        );
        assert_eq!(
            measure(catalog::metric("error_ratio").unwrap(), &nobody, 0.95).estimate.value(),
            Err(Undefined::OverZero)
        );
    }

    #[test]
    fn figures_of_replicates_are_those_of_each_by_itself() {
        // Few rows, so that some replicates have no figure; unknown labels and decisions; the same with weights.
        let rows = [6.0, 2.0, 1.0, 3.0, 2.0, 0.0, 4.0, 1.0, 2.0];
        let alike = rows.map(Cell::of_rows);
        let weighted = rows.map(|n| Cell { rows: n, weight: 0.7 * n, weight_squared: 0.6 * n });
        let bootstrap = Bootstrap { replicates: 300, seed: 5 };
        let forms: Vec<Form> = catalog::METRICS.iter().map(|e| e.form).filter(|form| needs_bootstrap(*form)).collect();
        let compare = |_: usize, replicates: &Drawn, found: &mut [Vec<f64>]| {
            for (form, found) in forms.iter().zip(found) {
                let from = found.len();
                resampled(*form, replicates, found);
                let mut counts = Counts::default();
                let one = |at: usize| {
                    replicates.replicate(at, counts.cells.as_flattened_mut());
                    value(*form, &counts).filter(|value| value.is_finite())
                };
                let each: Vec<f64> = (0..replicates.replicates()).filter_map(one).collect();
                assert_eq!(found.len() - from, each.len());
                found[from..].iter().zip(each).for_each(|(a, b)| assert_relative_eq!(*a, b, max_relative = 1e-12));
            }
        };
        let seen = bootstrap.run_all(&[&alike, &weighted], forms.len(), compare, |_, replicates| replicates.len());
        assert!(forms.len() >= 2 && seen == [forms.len(); 2]);
    }

    #[test]
    fn unknown_labels_bound_the_rates() {
        let mut counts = Counts::of_confusion(6.0, 2.0, 3.0, 9.0);
        counts.cells[2][0] = Cell::of_rows(4.0);
        counts.cells[2][1] = Cell::of_rows(1.0);
        let of = |name: &str| bounds(catalog::metric(name).unwrap(), &counts).unwrap();
        // tp / (tp + fn + u0) and (tp + u1) / (tp + u1 + fn).
        assert_relative_eq!(of("true_positive_rate")[0], 6.0 / 13.0, max_relative = 1e-14);
        assert_relative_eq!(of("true_positive_rate")[1], 7.0 / 10.0, max_relative = 1e-14);
        assert_relative_eq!(of("precision")[0], 6.0 / 9.0, max_relative = 1e-14);
        assert_eq!(bounds(catalog::metric("selection_rate").unwrap(), &counts), None);
        assert_eq!(of("accuracy"), [15.0 / 25.0, 20.0 / 25.0]);
    }

    #[test]
    fn the_effective_size_of_equal_weights_is_the_rows() {
        let mut counts = Counts::of_confusion(6.0, 2.0, 3.0, 9.0);
        for cell in counts.cells.iter_mut().flatten() {
            *cell = Cell { rows: cell.rows, weight: 3.0 * cell.rows, weight_squared: 9.0 * cell.rows };
        }
        let weighted = measure(catalog::metric("selection_rate").unwrap(), &counts, 0.95);
        let plain =
            measure(catalog::metric("selection_rate").unwrap(), &Counts::of_confusion(6.0, 2.0, 3.0, 9.0), 0.95);
        assert_relative_eq!(weighted.estimate.low.unwrap(), plain.estimate.low.unwrap(), max_relative = 1e-12);
        assert_relative_eq!(weighted.estimate.high.unwrap(), plain.estimate.high.unwrap(), max_relative = 1e-12);
    }
}
