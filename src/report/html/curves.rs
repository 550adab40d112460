//! Lines over all cuts of the scores: the impact ratio by budget, and the ROC curve of each group.

use super::scale::place;
use super::sheet::Sheet;
use crate::metrics::scores::{CurvePoint, GroupAtCut};
use crate::report::view::{MORE, NAME};
use crate::report::words::{count, name};
use crate::report::{Curves, cuts};

/// Lines that can be told apart by their dashes.
const LINES: usize = 6;

/// A chart with lines, on axes from 0 to 1.
#[derive(Debug)]
pub(super) struct Chart {
    pub title: String,
    pub across: &'static str,
    pub up: &'static str,
    /// An area, as the points around it.
    pub band: Option<String>,
    pub lines: Vec<Line>,
    /// Where the decisions are made now.
    pub now: Option<String>,
    /// Whether a diagonal is drawn.
    pub diagonal: bool,
    pub notes: Vec<String>,
    pub sheet: Sheet,
}

/// A line: its name, its dashes, its points.
#[derive(Debug)]
pub(super) struct Line {
    pub name: String,
    pub class: String,
    pub points: String,
}

pub(super) fn charts(curves: &Curves) -> Vec<Chart> {
    impact(curves).into_iter().chain(roc(curves)).collect()
}

/// Points as SVG has them, its origin being on top.
fn points(places: impl IntoIterator<Item = (f64, f64)>) -> String {
    let point = |(x, y): (f64, f64)| {
        let inside = |v: f64| (100.0 * v).clamp(0.0, 100.0);
        format!("{},{}", place(inside(x)), place(100.0 - inside(y)))
    };
    places.into_iter().map(point).collect::<Vec<_>>().join(" ")
}

fn impact(curves: &Curves) -> Option<Chart> {
    let known = || curves.budgets.iter().filter_map(|p| Some((p, p.impact_ratio.value?)));
    let places: Vec<(f64, f64)> = known().map(|(p, v)| (p.share, v)).collect();
    if places.len() < 2 {
        return None;
    }
    let band: Vec<(f64, [f64; 2])> = known().filter_map(|(p, _)| Some((p.share, p.impact_ratio.band?))).collect();
    let around = || {
        let lower = band.iter().map(|(x, b)| (*x, b[0]));
        points(lower.chain(band.iter().rev().map(|(x, b)| (*x, b[1]))))
    };
    let mut rows = cuts::rows(curves, true).into_iter();
    let mut sheet = Sheet { caption: "At some thresholds".into(), ..Sheet::default() };
    sheet.heads = rows.next().unwrap_or_default();
    if let Some(last) = sheet.heads.last_mut() {
        *last = "Now".into();
    }
    for mut row in rows {
        if row.last().is_some_and(|now| !now.is_empty()) {
            row.pop();
            row.push("now".into());
        }
        let first = row.remove(0);
        sheet.row(first, row);
    }
    sheet.notes.push(cuts::LEGEND.replace('\u{25c0}', "Now"));
    Some(Chart {
        title: "Impact ratio at every budget".into(),
        across: "share selected",
        up: "smallest over largest selection rate",
        band: (band.len() > 1).then(around),
        lines: vec![Line { name: "impact ratio".into(), class: "l0".into(), points: points(places) }],
        now: curves.current.as_ref().map(|c| place(100.0 * c.share.clamp(0.0, 1.0))),
        diagonal: false,
        notes: Vec::new(),
        sheet,
    })
}

fn roc(curves: &Curves) -> Option<Chart> {
    let rates = |g: &GroupAtCut| {
        let value = |f: &Option<crate::metrics::scores::CurveFigure>| f.as_ref().and_then(|f| f.value);
        Some((value(&g.false_positive_rate)?, value(&g.true_positive_rate)?))
    };
    let at = |p: &CurvePoint, group: usize| p.groups.get(group).and_then(rates);
    let line = |(group, named): (usize, &String)| {
        let own: Vec<(f64, f64)> = curves.thresholds.iter().filter_map(|p| at(p, group)).collect();
        // Nobody is selected above all scores, everybody below them.
        let whole = [(0.0, 0.0)].into_iter().chain(own.iter().copied()).chain([(1.0, 1.0)]);
        let line = Line { name: name(named, NAME), class: format!("l{group}"), points: points(whole) };
        (own.len() > 1).then_some(line)
    };
    let lines: Vec<Line> = curves.groups.iter().take(LINES).enumerate().filter_map(line).collect();
    if lines.is_empty() {
        return None;
    }
    let mut sheet = Sheet { caption: "True and false positive rates at some thresholds".into(), ..Sheet::default() };
    sheet.heads.push("Threshold".into());
    for group in curves.groups.iter().take(LINES) {
        sheet.heads.push(format!("{}: FPR %", name(group, 24)));
        sheet.heads.push("TPR %".into());
    }
    for (p, _) in cuts::shown(curves) {
        let figures = (0..curves.groups.len().min(LINES)).flat_map(|g| match at(p, g) {
            Some((fpr, tpr)) => [fpr, tpr].map(|v| format!("{:.1}", 100.0 * v)),
            None => ["\u{2013}"; 2].map(String::from),
        });
        sheet.row(format!("{:.3}", p.threshold), figures.collect());
    }
    let more = curves.groups.len().saturating_sub(LINES);
    let notes = (more > 0).then(|| format!("and {} more groups, {MORE}.", count(more as u64)));
    Some(Chart {
        title: "ROC curve of each group".into(),
        across: "false positive rate",
        up: "true positive rate",
        band: None,
        lines,
        now: None,
        diagonal: true,
        notes: notes.into_iter().collect(),
        sheet,
    })
}
