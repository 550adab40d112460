//! Findings: the sentence, the interval against its bound, and what to do.

use super::advice;
use super::scale::{Scale, Tick, number, place};
use crate::audit::{Policy, Verdict};
use crate::report::view;
use crate::report::words::{self, Unit};
use crate::report::{Finding, bar};

/// A finding as the page has it.
#[derive(Debug)]
pub(super) struct Card {
    pub verdict: &'static str,
    pub class: &'static str,
    pub subject: String,
    pub sentence: String,
    pub figures: String,
    pub gauge: Option<Gauge>,
    pub details: Vec<String>,
    pub advice: String,
}

/// An interval on its scale.
#[derive(Debug)]
pub(super) struct Gauge {
    pub at: String,
    pub interval: Option<(String, String)>,
    /// What is allowed: from where, and how wide.
    pub allowed: (String, String),
    pub bounds: Vec<String>,
    pub ticks: Vec<Tick>,
}

/// The class of a verdict.
pub(super) fn class(v: Verdict) -> &'static str {
    match v {
        Verdict::Pass => "pass",
        Verdict::Inconclusive => "unsure",
        Verdict::Fail => "fail",
    }
}

pub(super) fn card(segment: Option<&str>, f: &Finding, policy: &Policy) -> Card {
    Card {
        verdict: words::verdict(f.verdict),
        class: class(f.verdict),
        subject: view::subject(segment, f),
        sentence: view::sentence(&f.sentence),
        figures: words::unglued(&bar::figures(f)),
        gauge: gauge(f),
        details: view::details(f, policy).iter().map(|d| words::unglued(d)).collect(),
        advice: advice::advice(f, segment.is_some()),
    }
}

fn gauge(f: &Finding) -> Option<Gauge> {
    let bar::Scale { from, to, floor, ceiling } = bar::scale(f)?;
    let scale = Scale::new(from, to)?;
    let unit = Unit::compared(&f.criterion, f.comparison);
    let (low, high) = (f.estimate.low, f.estimate.high);
    let end = |v: Option<f64>, open: f64| scale.x(v.unwrap_or(open));
    let (least, most) = (scale.at(floor.unwrap_or(from)), scale.at(ceiling.unwrap_or(to)));
    let bounds: Vec<f64> = [floor, ceiling].into_iter().flatten().filter(|b| scale.holds(*b)).collect();
    Some(Gauge {
        at: scale.x(f.estimate.value?),
        interval: low.or(high).map(|_| (end(low, from), end(high, to))),
        allowed: (place(least), place((most - least).max(0.0))),
        bounds: bounds.iter().map(|b| scale.x(*b)).collect(),
        ticks: ticks(scale, (from, to), &bounds, unit),
    })
}

/// The bounds, and the ends that are not beside one: a bound is worth more.
pub(super) fn ticks(scale: Scale, (from, to): (f64, f64), bounds: &[f64], unit: Unit) -> Vec<Tick> {
    let mut ticks = Vec::new();
    let far = |v: f64| bounds.iter().all(|b| (scale.at(*b) - scale.at(v)).abs() > 18.0);
    for (v, side) in [(from, "s"), (to, "e")] {
        if far(v) {
            ticks.push(Tick { x: scale.x(v), side, text: number(v, unit) });
        }
    }
    for b in bounds {
        let side = match scale.at(*b) {
            at if at < 8.0 => "s",
            at if at > 92.0 => "e",
            _ => "m",
        };
        ticks.push(Tick { x: scale.x(*b), side, text: number(*b, unit) });
    }
    ticks
}
