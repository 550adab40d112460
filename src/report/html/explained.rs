//! What strata explain of a gap (Kitagawa): bars from zero, in a table with the figures.

use super::scale::{Scale, Tick, place};
use super::sheet::Sheet;
use crate::audit::Comparison;
use crate::metrics::Estimate;
use crate::report::view::NAME;
use crate::report::words::{self, Unit, name};
use crate::report::{AttributeTable, Conditioning, DataSummary, Report, conditioning};

/// The parts by stratum that the page lists.
const PARTS: usize = 120;

/// The bars of a table.
#[derive(Debug)]
pub(super) struct Bars {
    pub lead: String,
    pub ticks: Vec<Tick>,
    pub zero: String,
    pub rows: Vec<Bar>,
    pub notes: Vec<String>,
    pub warnings: Vec<String>,
    /// What the forms for people show of it, and what each stratum adds.
    pub sheets: Vec<Sheet>,
}

/// A group's two bars: from where, and how wide.
#[derive(Debug)]
pub(super) struct Bar {
    pub name: String,
    pub explained: Option<(String, String)>,
    pub unexplained: Option<(String, String)>,
    pub figures: [String; 2],
}

pub(super) fn bars(report: &Report, table: &AttributeTable, limit: usize) -> Option<Bars> {
    let data: &DataSummary = &report.data;
    let shown = conditioning::shown(data, table, limit, true)?;
    let reference = table.reference.as_deref()?;
    let figure = |group: &str, metric: &str| -> Option<&Estimate> {
        let of = |d: &&crate::report::Disparity| {
            d.metric == metric
                && d.comparison == Comparison::Value
                && d.stratum.is_none()
                && d.against == reference
                && d.group.as_deref() == Some(group)
        };
        table.disparities.iter().find(of).map(|d| &d.estimate)
    };
    let groups = || table.groups.iter().filter(|g| g.group != reference).take(limit);
    let parts: Vec<(&str, [Option<&Estimate>; 2])> = groups()
        .map(|g| (g.group.as_str(), ["explained_difference", "unexplained_difference"].map(|m| figure(&g.group, m))))
        .collect();
    let value = |e: &Option<&Estimate>| e.and_then(|e| e.value);
    let scale = Scale::around(parts.iter().flat_map(|(_, both)| both.iter().map(value)), Unit::Points)?;
    let bar = |v: f64| {
        let (from, to) = (scale.at(v.min(0.0)), scale.at(v.max(0.0)));
        (place(from), place((to - from).max(0.3)))
    };
    let text = |e: Option<&Estimate>| {
        e.map_or_else(|| "\u{2013}".into(), |e| words::unglued(&Unit::Points.estimate(e)).replace(" points", ""))
    };
    let rows = parts.iter().map(|(group, [explained, unexplained])| Bar {
        name: name(group, 2 * NAME),
        explained: value(explained).map(bar),
        unexplained: value(unexplained).map(bar),
        figures: [text(*explained), text(*unexplained)],
    });
    let rows = rows.collect();
    let notes = shown.grid.notes.clone();
    let mut sheets = vec![Sheet::of_grid("Within strata", shown.grid)];
    sheets[0].notes.clear();
    sheets.extend(table.conditioning.as_ref().and_then(by_stratum));
    Some(Bars {
        lead: shown.lead.trim_end_matches(':').to_string(),
        ticks: scale.ticks(Unit::Points),
        zero: scale.x(0.0),
        rows,
        notes,
        warnings: shown.warnings,
        sheets,
    })
}

/// What each stratum adds to both parts, as the report lists it.
fn by_stratum(conditioning: &Conditioning) -> Option<Sheet> {
    let mut sheet = Sheet::new("What each stratum adds, in points", &["Group", "Stratum", "Explained", "Left over"]);
    let all = conditioning.parts.iter();
    let decimals = Unit::Points.decimals(words::largest(all.map(|p| Some(p.explained.abs().max(p.unexplained.abs())))));
    for p in conditioning.parts.iter().take(PARTS) {
        let figure = |v: f64| Unit::Points.bare(v, decimals);
        let cells = vec![name(&p.stratum, NAME), figure(p.explained), figure(p.unexplained)];
        sheet.row(name(&p.group, NAME), cells);
    }
    if conditioning.parts.len() > PARTS {
        let more = words::count((conditioning.parts.len() - PARTS) as u64);
        sheet.notes.push(format!("and {more} more, {}.", crate::report::view::MORE));
    }
    (!sheet.rows.is_empty()).then_some(sheet)
}
