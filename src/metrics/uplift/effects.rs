//! What the treatment does: average effects of a group and of parts of it.
//!
//! All effects are in the outcome's unit for each person: 0.03 of a binary outcome is 3 more buyers of 100 treated.

use super::arms::{self, Arm};
use super::{Figure, Trial, UpliftGroup};
use crate::inference::{difference, z_quantile};
use crate::metrics::Undefined;

/// The average effect of the treatment in a group.
///
/// - Randomised: the difference of the arms' means, `ȳ(treated) − ȳ(held out)`; for an outcome of 0 and 1 with
///   Newcombe's interval, else with Welch's.
/// - By propensities e: the same with weights `w/e` and `w/(1 − e)` (Hájek's inverse propensity weighting), with the
///   interval of the linearised error. The error takes the propensities as given.
/// - Where every row has outcomes predicted by a model fitted on other data: augmented inverse propensity weighting,
///   the mean of `m1 − m0 + T (y − m1)/e − (1 − T)(y − m0)/(1 − e)`: doubly robust, right where either the predictions
///   or the propensities are.
///
/// Undefined where nobody was treated or nobody held out. Without variation in either arm there is no interval.
///
/// # References
/// Newcombe (1998), Statistics in Medicine 17, method 10; Welch (1947), Biometrika 34; Hájek (1971), comment in
/// Foundations of statistical inference; Robins, Rotnitzky, Zhao (1994), JASA 89.
///
/// # Examples
/// ```
/// use evenhand::metrics::uplift::{Assignment, Trial, UpliftGroup, effects::average_treatment_effect};
/// let revenue = [(true, 12.0), (true, 8.0), (true, 10.0), (false, 5.0), (false, 7.0), (false, 6.0)];
/// let rows = revenue.iter().map(|(treated, y)| Trial::new(*treated, *y)).collect();
/// let group = UpliftGroup::new(rows, Assignment::Randomised { propensity: Some(0.5) })?;
/// let effect = average_treatment_effect(&group, 0.95);
/// assert_eq!(effect.estimate.value, Some(4.0));
/// assert!((effect.error.unwrap() - (4.0f64 / 3.0 + 1.0 / 3.0).sqrt()).abs() < 1e-12);
/// # Ok::<(), evenhand::Error>(())
/// ```
pub fn average_treatment_effect(group: &UpliftGroup, level: f64) -> Figure {
    among(group, level, Undefined::NoRows, |_| 1.0)
}

/// The average effect among those whom the policy would treat: what each of its treatments brings.
///
/// As [`average_treatment_effect`], over the selected. Randomisation holds within them too, since the decision is made
/// before the treatment. Undefined also where nobody is selected.
///
/// # Examples
/// ```
/// use evenhand::metrics::uplift::{Assignment, Trial, UpliftGroup, effects::effect_among_selected};
/// let rows = [(true, 1.0, true), (true, 0.0, true), (false, 0.0, true), (false, 0.0, true), (true, 1.0, false)];
/// let rows = rows.map(|(treated, y, decision)| Trial { decision: Some(decision), ..Trial::new(treated, y) });
/// let group = UpliftGroup::new(rows.to_vec(), Assignment::Randomised { propensity: None })?;
/// assert_eq!(effect_among_selected(&group, 0.95).estimate.value, Some(0.5));
/// # Ok::<(), evenhand::Error>(())
/// ```
pub fn effect_among_selected(group: &UpliftGroup, level: f64) -> Figure {
    of_side(group, level, true)
}

/// The average effect among those whom the policy would not treat: what each of them misses.
///
/// As [`effect_among_selected`]. Undefined also where everybody is selected.
pub fn effect_among_unselected(group: &UpliftGroup, level: f64) -> Figure {
    of_side(group, level, false)
}

fn of_side(group: &UpliftGroup, level: f64, selected: bool) -> Figure {
    let known = group.rows.iter().any(|r| r.decision.is_some());
    let none = match (group.rows.is_empty(), known, selected) {
        (true, ..) => Undefined::NoRows,
        (_, false, _) => Undefined::NoDecisions,
        (_, _, true) => Undefined::NobodySelected,
        (_, _, false) => Undefined::EverybodySelected,
    };
    among(group, level, none, |r| if r.decision == Some(selected) { 1.0 } else { 0.0 })
}

/// The average effect among part of a group: `part` is the share of a row that counts. `none` is the reason where no
/// row does.
pub(super) fn among(group: &UpliftGroup, level: f64, none: Undefined, part: impl Fn(&Trial) -> f64 + Copy) -> Figure {
    let arm = |treated: bool| {
        let rows = group.rows.iter().filter(move |r| r.treated == treated && part(r) > 0.0);
        Arm::of(rows.map(|r| (group.arm_weight(r) * part(r), r.outcome)))
    };
    let (treated, control) = (arm(true), arm(false));
    let plain = group.rows.iter().filter(|r| part(r) > 0.0).map(|r| (r.weight * part(r), 0.0));
    let support = Arm::of(plain).support();
    match arms::missing(&treated, &control) {
        Some(Undefined::NoRows) => return Figure::undefined(none, support),
        Some(reason) => return Figure::undefined(reason, support),
        None => {}
    }
    if group.is_predicted() {
        return augmented(group, level, part);
    }
    let value = treated.mean - control.mean;
    if group.binary && group.randomised {
        let ((x1, n1), (x0, n0)) = (treated.counts(), control.counts());
        let mut figure = Figure::with_error(value, None, 1.0, level, support);
        if let Some(i) = difference::newcombe(x1, n1, x0, n0, level) {
            figure.estimate = figure.estimate.between(i.low.min(value), i.high.max(value));
            // Of the interval, so that arms without a buyer are not taken for certain.
            figure.error = Some(i.width() / (2.0 * z_quantile(level))).filter(|e| e.is_finite() && *e > 0.0);
        }
        return figure;
    }
    let parts = [(treated.variance, treated.size()), (control.variance, control.size())];
    let variance = treated.variance.zip(control.variance).map(|(a, b)| a + b);
    let df = arms::satterthwaite(parts.iter().filter_map(|(v, n)| Some(((*v)?, n - 1.0))));
    let figure = Figure::with_error(value, variance, df, level, support);
    if group.binary { figure.within(-1.0, 1.0) } else { figure }
}

/// The mean of the augmented pseudo-effects.
fn augmented(group: &UpliftGroup, level: f64, part: impl Fn(&Trial) -> f64 + Copy) -> Figure {
    let effect = |r: &Trial| {
        let [m0, m1] = r.predicted.unwrap_or_default();
        let miss = (r.outcome - if r.treated { m1 } else { m0 }) / r.chance();
        m1 - m0 + if r.treated { miss } else { -miss }
    };
    let rows = group.rows.iter().filter(|r| part(r) > 0.0).map(|r| (r.weight * part(r), effect(r)));
    let mean = Arm::of(rows);
    Figure::with_error(mean.mean, mean.variance, mean.size() - 1.0, level, mean.support())
}
