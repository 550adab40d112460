//! Dots with their intervals: one rate of all groups, each in a row of a table that also tells it in figures.

use super::scale::{Scale, Tick};
use crate::metrics::Estimate;
use crate::report::grid;
use crate::report::view::{MORE, NAME};
use crate::report::words::{Unit, capital, count, counted, name, title};
use crate::report::{AttributeTable, GroupResult, ModelReport};

/// A rate by group.
#[derive(Debug)]
pub(super) struct Plot {
    pub metric: &'static str,
    pub title: String,
    pub about: String,
    pub ticks: Vec<Tick>,
    pub rows: Vec<Mark>,
    /// Where the reference group's figure is, and that of all rows.
    pub reference: Option<String>,
    pub overall: Option<String>,
    pub notes: Vec<String>,
}

/// A group's mark.
#[derive(Debug)]
pub(super) struct Mark {
    pub name: String,
    /// `reference`, `too small`: what is to be known of the group.
    pub remark: &'static str,
    pub small: bool,
    /// Places of the figure and of its interval's ends.
    pub at: Option<String>,
    pub interval: Option<(String, String)>,
    /// Where only bounds are known: where they are, and how far apart.
    pub bounds: Option<(String, String)>,
    pub figure: String,
    pub rows: String,
}

/// The chart of one metric; none where no group has a figure or bounds of it.
pub(super) fn plot(model: &ModelReport, table: &AttributeTable, metric: &'static str, limit: usize) -> Option<Plot> {
    let groups = grid::shown(table, metric, limit);
    let estimate = |g: &GroupResult| g.metrics.get(metric).cloned().unwrap_or_default();
    let estimates: Vec<Estimate> = groups.iter().map(|g| estimate(g)).collect();
    let overall = model.overall.get(metric).and_then(|e| e.value);
    let of_reference = |g: &&GroupResult| Some(&g.group) == table.reference.as_ref();
    let reference = table.groups.iter().find(of_reference).and_then(|g| estimate(g).value);
    let unit = Unit::of(metric);
    let ends = |e: &Estimate| {
        let bounds = e.bounds.filter(|_| e.value.is_none());
        [e.value, e.low, e.high, bounds.map(|b| b[0]), bounds.map(|b| b[1])]
    };
    let values = estimates.iter().flat_map(ends).chain([overall, reference]);
    // All zero is a figure too, and needs an axis to be seen on.
    let any = estimates.iter().any(|e| e.value.is_some() || e.bounds.is_some());
    let scale = Scale::around(values, unit).or_else(|| Scale::new(0.0, 1.0)).filter(|_| any)?;
    let rows = groups.iter().zip(&estimates).map(|(g, e)| Mark {
        name: name(&g.group, 2 * NAME),
        remark: match (of_reference(g), g.too_small) {
            (true, _) => "reference",
            (false, true) => "too small to judge",
            (false, false) => "",
        },
        small: g.too_small,
        at: e.value.map(|v| scale.x(v)),
        interval: e.value.and(e.low.or(e.high)).map(|_| {
            let end = |v: Option<f64>, open: f64| v.map_or_else(|| super::scale::place(open), |v| scale.x(v));
            (end(e.low, 0.0), end(e.high, 100.0))
        }),
        bounds: e.bounds.filter(|_| e.value.is_none()).map(|[low, high]| {
            let (low, high) = (scale.at(low), scale.at(high));
            (super::scale::place(low), super::scale::place((high - low).max(0.5)))
        }),
        // It may be broken before the interval, and nowhere else.
        figure: unit.estimate(e).replace("\u{a0}[", " ["),
        rows: count(g.rows),
    });
    let rows = rows.collect();
    let mut notes = Vec::new();
    if table.groups.len() > groups.len() {
        let more = counted((table.groups.len() - groups.len()) as u64, "more group", "more groups");
        notes.push(format!("Shown: the {} groups with the lowest figure; and {more}, {MORE}.", groups.len()));
    }
    let on_it = |v: Option<f64>| v.filter(|v| scale.holds(*v));
    let said = |v: f64, what: &str| format!("{what}: {}", unit.value(v));
    let lines = [on_it(reference).map(|v| said(v, "reference")), on_it(overall).map(|v| said(v, "all rows"))];
    let about = crate::metrics::catalog::metric(metric).map(|m| m.title).unwrap_or_default();
    let about = std::iter::once(about.to_string()).filter(|a| !a.is_empty()).chain(lines.into_iter().flatten());
    Some(Plot {
        metric,
        title: capital(&title(metric)),
        about: about.collect::<Vec<_>>().join("; "),
        ticks: scale.ticks(unit),
        rows,
        reference: on_it(reference).map(|v| scale.x(v)),
        overall: on_it(overall).map(|v| scale.x(v)),
        notes,
    })
}
