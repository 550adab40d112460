//! From two estimates of one thing to its change.

use super::{Change, Effect};
use crate::audit::Comparison;
use crate::inference::change::{self, Known, Scale};
use crate::inference::worst::GroupRate;
use crate::metrics::catalog::{self, Form};
use crate::metrics::measure::Measured;
use crate::metrics::{Estimate, Need, Undefined, compare};

/// What is compared, by its names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item<'a> {
    pub metric: &'a str,
    pub attribute: &'a str,
    pub group: Option<&'a str>,
    pub stratum: Option<&'a str>,
    pub compared: Option<(Comparison, &'a str)>,
}

/// A change of which it is not yet said what it is shown to be.
#[derive(Debug)]
pub(super) struct Judged {
    pub change: Change,
    /// Whether more is fairer; `None` where neither side is.
    larger_is_better: Option<bool>,
    /// A group that took part before is left out now: what looks better may be for that.
    pub lost: bool,
}

impl Judged {
    /// Says what is shown, given the p-value adjusted for all of the list.
    pub fn conclude(&mut self, p_adjusted: f64, level: f64) {
        self.change.p_adjusted = Some(p_adjusted);
        let rose = self.change.difference.value.is_some_and(|d| d > 0.0);
        if p_adjusted < 1.0 - level {
            self.change.effect = match (self.larger_is_better, rose) {
                (None, true) => Effect::Rose,
                (None, false) => Effect::Fell,
                (Some(larger), rose) if larger == rose => Effect::Better,
                _ => Effect::Worse,
            };
        }
        if self.lost && self.change.effect == Effect::Better {
            self.change.effect = Effect::NotComparable;
            self.change
                .notes
                .push("A group that took part before is left out now: it may look better for that.".into());
        }
    }

    /// Shows the change without judging it.
    pub fn withhold(&mut self, why: &str) {
        (self.change.p_value, self.change.test, self.change.effect) = (None, None, Effect::NotComparable);
        self.change.notes.push(why.into());
    }
}

/// Whether a disparity is of labels alone: of the data, not of what a model makes of them.
fn of_labels(metric: &str) -> bool {
    let entry = |name: &str| catalog::metric(name).is_some_and(|m| !m.needs.decision && !m.needs.score);
    entry(metric)
        || catalog::criterion_entry(metric).is_some_and(|c| c.metrics.iter().all(|m| entry(m)))
        || catalog::measure(metric).is_some_and(|m| m.needs.iter().all(|n| *n == Need::Label))
}

/// On which scale sizes are compared, and where parity is on that of a measure.
fn scale(item: &Item) -> (Scale, f64) {
    match item.compared {
        None => (Scale::Figure, 0.0),
        Some((Comparison::Difference, _)) => (Scale::Difference, 0.0),
        Some((Comparison::Ratio, _)) => (Scale::Ratio, 0.0),
        Some((Comparison::Value, _)) => match catalog::measure(item.metric).and_then(|m| m.fair) {
            Some(1.0) => (Scale::Ratio, 0.0),
            Some(fair) => (Scale::Difference, fair),
            None => (Scale::Figure, 0.0),
        },
    }
}

/// The change of one thing; the estimates' intervals are at these levels.
pub(super) fn judge(item: Item, before: &Estimate, after: &Estimate, levels: [f64; 2], level: f64) -> Judged {
    let (scale, parity) = scale(&item);
    let larger_is_better = match scale {
        _ if of_labels(item.metric) => None,
        Scale::Difference => Some(false),
        Scale::Ratio => Some(true),
        _ => None,
    };
    let mut change = Change {
        metric: item.metric.into(),
        attribute: item.attribute.into(),
        group: item.group.map(String::from),
        stratum: item.stratum.map(String::from),
        comparison: item.compared.map(|(c, _)| c),
        against: item.compared.map(|(_, against)| against.into()),
        before: before.clone(),
        after: after.clone(),
        difference: Estimate::default(),
        p_value: None,
        p_adjusted: None,
        test: None,
        effect: Effect::NotComparable,
        sentence: String::new(),
        notes: Vec::new(),
    };
    let support = compare::joint(before.support, after.support);
    change.difference = match (before.value, after.value) {
        (None, _) => Estimate::undefined(before.reason.unwrap_or(Undefined::NoRows), support),
        (_, None) => Estimate::undefined(after.reason.unwrap_or(Undefined::NoRows), support),
        (Some(was), Some(is)) => match counts(item, before).zip(counts(item, after)) {
            Some((was, is)) => {
                let found = compare::pair(&is, &was, Comparison::Difference, level);
                (change.p_value, change.test) = (found.p_value, found.test.map(String::from));
                found.estimate
            }
            None => {
                let known = |e: &Estimate, value: f64, level: f64| Known {
                    value: value - parity,
                    low: e.low.map(|v| v - parity),
                    high: e.high.map(|v| v - parity),
                    level,
                };
                let found = change::change(&known(before, was, levels[0]), &known(after, is, levels[1]), scale, level);
                change.p_value = found.and_then(|c| c.p_value);
                change.test = change.p_value.map(|_| "square-and-add".into());
                let value = found.map_or(is - was, |c| c.difference);
                Estimate {
                    low: found.and_then(|c| c.low),
                    high: found.and_then(|c| c.high),
                    ..Estimate::of(value, support)
                }
            }
        },
    };
    if change.p_value.is_some() {
        change.effect = Effect::NotShown;
    }
    Judged { change, larger_is_better, lost: false }
}

/// The counts of a group's plain rate, where its rows carry no weights.
fn counts(item: Item, e: &Estimate) -> Option<Measured> {
    let entry = catalog::metric(item.metric).filter(|_| item.compared.is_none())?;
    let s = e.support;
    let plain = matches!(entry.form, Form::Share { .. }) && s.rows == s.weight && s.rows == s.effective_size;
    let (value, n) = (e.value?, s.rows);
    let share = (plain && n > 0.0 && (0.0..=1.0).contains(&value)).then_some(GroupRate { x: value * n, n })?;
    Some(Measured { estimate: e.clone(), share: Some(share), plain: n.fract() == 0.0, error: None })
}
