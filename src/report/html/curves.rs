//! What another cut of the scores would do: disparity and accuracy at every threshold and at every budget.

use super::chart::{Axis, Chart, Line, Points};
use super::scale::Scale;
use super::sheet::Sheet;
use crate::metrics::scores::{CurveFigure, CurvePoint};
use crate::report::words::Unit;
use crate::report::{Curves, ModelReport, cuts};

/// What is drawn, by the class of its line.
type Drawn = (&'static str, fn(&CurvePoint) -> Option<&CurveFigure>);
const DRAWN: [Drawn; 3] = [
    ("impact ratio (smallest over largest selection rate)", |p| Some(&p.impact_ratio)),
    ("gap of true positive rates", |p| p.true_positive_gap.as_ref()),
    ("accuracy", |p| p.accuracy.as_ref()),
];

pub(super) fn charts(model: &ModelReport, curves: &Curves) -> Vec<Chart> {
    let current = curves.current.as_ref();
    let thresholds = || curves.thresholds.iter().chain(current).map(|p| p.threshold);
    let (least, most) = thresholds().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, m), v| (l.min(v), m.max(v)));
    let by_threshold = Scale::new(least, most).and_then(|across| {
        let now = current.map(|c| (across.x(c.threshold), "as it is decided now"));
        let title = ("thresholds", "At every threshold", Axis::new("threshold", across, Unit::Plain));
        chart(&curves.thresholds, title, across, |p| p.threshold, now)
    });
    let mut charts: Vec<Chart> = by_threshold.into_iter().collect();
    let by_budget = Scale::new(0.0, 1.0).and_then(|across| {
        let share = model.overall.get("selection_rate").and_then(|e| e.value);
        let now = match (current, share) {
            (Some(c), _) => Some((across.x(c.share), "as it is decided now")),
            // Decisions that were given are no cut of the scores, but as many can be had by one.
            (None, Some(share)) => Some((across.x(share), "as many as are selected now")),
            (None, None) => None,
        };
        let title = ("budgets", "At every budget", Axis::new("share selected", across, Unit::Percent));
        chart(&curves.budgets, title, across, |p| p.share, now)
    });
    charts.extend(by_budget);
    // The table is of both: it stands once.
    if let Some(last) = charts.last_mut() {
        last.sheet = sheet(curves);
    }
    charts
}

fn chart(
    points: &[CurvePoint],
    (kind, title, axis): (&'static str, &str, Axis),
    across: Scale,
    place_of: fn(&CurvePoint) -> f64,
    now: Option<(String, &'static str)>,
) -> Option<Chart> {
    let up = Scale::new(0.0, 1.0)?;
    let line = |(at, (named, figure)): (usize, &Drawn)| {
        let known = points.iter().filter_map(|p| Some((place_of(p), figure(p)?.value?)));
        let known: Vec<(f64, f64)> = known.collect();
        (known.len() > 1).then(|| Line {
            name: (*named).into(),
            class: format!("l{at}"),
            points: Points::of(known, across, up),
        })
    };
    let lines: Vec<Line> = DRAWN.iter().enumerate().filter_map(line).collect();
    let band: Vec<(f64, [f64; 2])> =
        points.iter().filter_map(|p| Some((place_of(p), p.impact_ratio.value.and(p.impact_ratio.band)?))).collect();
    let around = band.iter().map(|(x, b)| (*x, b[0])).chain(band.iter().rev().map(|(x, b)| (*x, b[1])));
    (!lines.is_empty()).then(|| Chart {
        kind,
        title: title.into(),
        across: axis,
        up: Axis::new("disparity and accuracy", up, Unit::Plain),
        band: (band.len() > 1).then(|| Points::of(around, across, up)),
        lines,
        now,
        diagonal: false,
        notes: Vec::new(),
        sheet: Sheet::default(),
    })
}

fn sheet(curves: &Curves) -> Sheet {
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
    sheet
}
