//! Heat maps: every cell tells its figure, the colour only repeats it.

use std::collections::{BTreeSet, HashMap};

use crate::audit::Comparison;
use crate::report::view::{MORE, NAME};
use crate::report::words::{self, Unit, count, counted, name, title};
use crate::report::{AttributeTable, GroupResult, ModelReport, Report, grid, measures};

/// The rows and columns that a map shows.
const ROWS: usize = 24;
const COLUMNS: usize = 16;

/// A map as the page has it.
#[derive(Debug)]
pub(super) struct Heat {
    /// `map` of an intersection, or `segments`.
    pub kind: &'static str,
    pub caption: String,
    pub corner: String,
    pub columns: Vec<String>,
    pub rows: Vec<HeatRow>,
    pub legend: Vec<(&'static str, String)>,
    pub notes: Vec<String>,
}

impl Heat {
    /// Whether it needs the whole width.
    pub fn wide(&self) -> bool {
        self.columns.len() > 6
    }
}

#[derive(Debug)]
pub(super) struct HeatRow {
    pub name: String,
    pub cells: Vec<Cell>,
}

/// A cell: what colours it, what it says, and what is to be known besides.
#[derive(Debug, Default, Clone)]
pub(super) struct Cell {
    pub class: &'static str,
    pub small: bool,
    pub figure: String,
    pub beside: String,
    pub tip: String,
}

/// The classes from far below to far above.
const BELOW: [&str; 3] = ["n1", "n2", "n3"];
const ABOVE: [&str; 3] = ["p1", "p2", "p3"];

/// The class of a difference, by its size beside the largest.
fn shade(v: f64, largest: f64) -> &'static str {
    let steps = if v < 0.0 { BELOW } else { ABOVE };
    match v.abs() / largest {
        r if r > 2.0 / 3.0 => steps[2],
        r if r > 1.0 / 3.0 => steps[1],
        r if r > 0.05 => steps[0],
        _ => "z",
    }
}

/// The map of an intersection of two attributes, by its main metric; none where groups cannot be told apart by the names
/// of their levels.
pub(super) fn intersection(model: &ModelReport, table: &AttributeTable) -> Option<Heat> {
    let [first, second] = table.attributes.as_slice() else { return None };
    let levels = |attribute: &String| -> Option<Vec<&str>> {
        Some(model.table(attribute).ok()?.groups.iter().map(|g| g.group.as_str()).collect())
    };
    let (rows, columns) = (levels(first)?, levels(second)?);
    let cells = placed(table, &rows, &columns)?;
    let metric = grid::main_metric(table)?;
    let (against, differences) = grid::compared(table, metric);
    let value = |g: &GroupResult| g.metrics.get(metric).and_then(|e| e.value);
    let difference = |g: &GroupResult| differences.get(g.group.as_str()).and_then(|d| d.estimate.value);
    let apart = Unit::compared(metric, Comparison::Difference);
    let largest = words::largest(table.groups.iter().filter(|g| !g.too_small).map(difference));
    let decimals = apart.decimals(largest);
    let unit = Unit::of(metric);
    let fine = unit.decimals(words::largest(table.groups.iter().map(value)));
    let cell = |g: &GroupResult| {
        let estimate = g.metrics.get(metric).cloned().unwrap_or_default();
        let tip = format!("{}; {}", words::unglued(&unit.estimate(&estimate)), counted(g.rows, "row", "rows"));
        let figure = match estimate.value {
            Some(v) => unit.bare(v, fine),
            None => words::reason(&estimate),
        };
        let (class, beside) = match (estimate.value, difference(g)) {
            (None, _) => ("none", String::new()),
            (_, Some(d)) if largest > 0.0 => (shade(d, largest), signed(d, apart, decimals)),
            (_, Some(d)) => ("z", signed(d, apart, decimals)),
            (_, None) if table.reference.as_ref() == Some(&g.group) => ("z", "ref.".into()),
            (_, None) => ("z", String::new()),
        };
        Cell { class, small: g.too_small, figure, beside, tip }
    };
    // The levels with the worst-off cells stay where there are too many.
    let worst = |at: usize, of: fn((usize, usize)) -> usize| {
        let own = cells.iter().filter(|(place, g)| of(**place) == at && !g.too_small).filter_map(|(_, g)| value(g));
        own.fold(f64::INFINITY, f64::min)
    };
    let kept_rows = keep(rows.len(), ROWS, |at| worst(at, |p| p.0));
    let kept_columns = keep(columns.len(), COLUMNS, |at| worst(at, |p| p.1));
    let empty = || Cell { class: "none", figure: "no rows".into(), ..Cell::default() };
    let row = |r: &usize| HeatRow {
        name: name(rows[*r], NAME),
        cells: kept_columns.iter().map(|c| cells.get(&(*r, *c)).map_or_else(empty, |g| cell(g))).collect(),
    };
    let mut notes = vec![match against {
        _ if differences.is_empty() => format!("In each cell: {}{}.", title(metric), in_percent(unit)),
        "vs ref." => format!(
            "In each cell: {}{}; beneath, the difference to the reference group {}.",
            title(metric),
            in_percent(unit),
            table.reference.as_ref().map(|r| name(r, NAME)).unwrap_or_default()
        ),
        "vs rest" => {
            format!("In each cell: {}{}; beneath, the difference to all others.", title(metric), in_percent(unit))
        }
        _ => format!("In each cell: {}{}; beneath, the difference to all rows.", title(metric), in_percent(unit)),
    }];
    notes.extend(left_out(rows.len() - kept_rows.len(), first));
    notes.extend(left_out(columns.len() - kept_columns.len(), second));
    let far = if largest > 0.0 { apart.bare(largest, decimals) } else { String::new() };
    let mut legend: Vec<(&'static str, String)> = Vec::new();
    if !far.is_empty() {
        legend.push(("n3", format!("lower, up to {far}")));
        legend.push(("z", "alike".into()));
        legend.push(("p3", format!("higher, up to {far}")));
    }
    legend.extend(marks(&table.groups, cells.len() < rows.len() * columns.len()));
    Some(Heat {
        kind: "map",
        caption: format!("{} by {} and {}", words::capital(&title(metric)), name(first, NAME), name(second, NAME)),
        corner: format!("{} \u{2193} \u{2003}{} \u{2192}", name(first, 20), name(second, 20)),
        columns: kept_columns.iter().map(|c| name(columns[*c], 24)).collect(),
        rows: kept_rows.iter().map(row).collect(),
        legend,
        notes,
    })
}

fn in_percent(unit: Unit) -> &'static str {
    if unit == Unit::Percent { " in percent" } else { "" }
}

fn signed(v: f64, unit: Unit, decimals: usize) -> String {
    let text = unit.bare(v, decimals);
    match text.strip_prefix('-') {
        Some(rest) => format!("\u{2212}{rest}"),
        None if v > 0.0 => format!("+{text}"),
        None => text,
    }
}

fn left_out(more: usize, attribute: &str) -> Option<String> {
    (more > 0).then(|| {
        let of = counted(more as u64, "more level", "more levels");
        format!("Shown: the levels with the lowest cells; and {of} of {}, {MORE}.", name(attribute, NAME))
    })
}

fn marks(groups: &[GroupResult], empty: bool) -> Vec<(&'static str, String)> {
    let mut marks = Vec::new();
    if groups.iter().any(|g| g.too_small) {
        marks.push(("hatch", "too small to judge".to_string()));
    }
    if empty {
        marks.push(("none", "no figure, and why".into()));
    }
    marks
}

/// The cells by the places of their two levels. Levels may hold the very ` & ` that joins them: only what can be read in
/// one way is placed.
fn placed<'a>(
    table: &'a AttributeTable,
    rows: &[&str],
    columns: &[&str],
) -> Option<HashMap<(usize, usize), &'a GroupResult>> {
    let place = |levels: &[&str]| -> HashMap<String, usize> {
        levels.iter().enumerate().map(|(i, level)| (level.to_string(), i)).collect()
    };
    let (rows, columns) = (place(rows), place(columns));
    let mut found = HashMap::new();
    for g in &table.groups {
        let split = |(at, joint): (usize, &str)| {
            Some((*rows.get(&g.group[..at])?, *columns.get(&g.group[at + joint.len()..])?))
        };
        let mut ways = g.group.match_indices(" & ").filter_map(split);
        let (way, another) = (ways.next()?, ways.next());
        if another.is_some() || found.insert(way, g).is_some() {
            return None;
        }
    }
    (!found.is_empty()).then_some(found)
}

/// The places to keep, in their order: those of the lowest value where there are more than `most`.
fn keep(all: usize, most: usize, value: impl Fn(usize) -> f64) -> Vec<usize> {
    let mut places: Vec<usize> = (0..all).collect();
    if all > most {
        let values: Vec<f64> = (0..all).map(value).collect();
        places.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
        places.truncate(most);
        places.sort_unstable();
    }
    places
}

/// Who is in which segment: the share of each group, coloured by how it differs from everybody's.
pub(super) fn segments(report: &Report, model: &ModelReport, table: &AttributeTable, limit: usize) -> Option<Heat> {
    let segments = measures::segments(report, model);
    if segments.is_empty() || table.groups.is_empty() {
        return None;
    }
    let shown: Vec<&ModelReport> = segments.iter().copied().take(COLUMNS).collect();
    let known: HashMap<(&str, &str), &crate::report::SegmentCell> =
        table.cells.iter().map(|c| ((c.group.as_str(), c.segment.as_str()), c)).collect();
    let shares: Vec<HashMap<&str, &crate::metrics::Estimate>> = shown
        .iter()
        .map(|m| {
            let groups = m.table(&table.attribute).map(|t| t.groups.as_slice()).unwrap_or_default();
            groups.iter().filter_map(|g| Some((g.group.as_str(), g.metrics.get("selection_rate")?))).collect()
        })
        .collect();
    let cell = |g: &GroupResult, at: usize| {
        let segment = measures::segment_name(shown[at]);
        let found = known.get(&(g.group.as_str(), segment));
        let Some(share) = shares[at].get(g.group.as_str()).copied().or(found.map(|c| &c.share)) else {
            return Cell { class: "none", small: g.too_small, figure: "no figure".into(), ..Cell::default() };
        };
        let mut tip = words::unglued(&Unit::Percent.estimate(share));
        let times = found.and_then(|c| c.representation.value);
        if let Some(residual) = found.and_then(|c| c.residual) {
            tip.push_str(&format!("; residual {residual:.1}"));
        }
        let class = match times {
            _ if share.value.is_none() => "none",
            None => "z",
            Some(t) if t < 0.5 => "n3",
            Some(t) if t < 0.8 => "n2",
            Some(t) if t < 0.95 => "n1",
            Some(t) if t > 2.0 => "p3",
            Some(t) if t > 1.25 => "p2",
            Some(t) if t > 1.05 => "p1",
            Some(_) => "z",
        };
        Cell {
            class,
            small: g.too_small,
            figure: share.value.map_or_else(|| words::reason(share), |v| Unit::Percent.bare(v, 1)),
            beside: times.map(|t| format!("\u{d7}{t:.2}")).unwrap_or_default(),
            tip,
        }
    };
    let row = |g: &GroupResult| HeatRow {
        name: name(&g.group, NAME),
        cells: (0..shown.len()).map(|at| cell(g, at)).collect(),
    };
    let mut rows: Vec<HeatRow> = table.groups.iter().take(limit).map(row).collect();
    let all = |m: &&ModelReport| {
        let share = m.overall.get("selection_rate").and_then(|e| e.value);
        let figure = share.map_or_else(|| "\u{2013}".into(), |v| Unit::Percent.bare(v, 1));
        Cell { class: "z", figure, ..Cell::default() }
    };
    rows.push(HeatRow { name: "All rows".into(), cells: shown.iter().map(all).collect() });
    let mut notes = vec![
        "In each cell: the share of the group that is in the segment, in percent; beneath, how many times everybody's \
         share it is."
            .to_string(),
    ];
    let more = |n: usize, one: &str, many: &str| format!("and {}, {MORE}.", counted(n as u64, one, many));
    if table.groups.len() > limit {
        notes.push(more(table.groups.len() - limit, "more group", "more groups"));
    }
    if segments.len() > shown.len() {
        notes.push(more(segments.len() - shown.len(), "more segment", "more segments"));
    }
    let scale = [("n3", "under half of everybody's share"), ("n2", "under 0.8"), ("n1", "under 0.95")];
    let above = [("z", "alike"), ("p1", "over 1.05"), ("p2", "over 1.25"), ("p3", "over twice")];
    let used: BTreeSet<&str> = rows.iter().flat_map(|r| r.cells.iter().map(|c| c.class)).collect();
    let mut legend: Vec<_> =
        scale.into_iter().chain(above).filter(|(c, _)| used.contains(c)).map(|(c, t)| (c, t.to_string())).collect();
    legend.extend(marks(&table.groups, used.contains("none")));
    let columns = shown.iter().map(|m| name(measures::segment_name(m), 24)).collect();
    let by = name(&table.attribute, NAME);
    let caption = format!("Share in each segment by {by} ({} segments)", count(segments.len() as u64));
    Some(Heat {
        kind: "segments",
        caption,
        corner: format!("{by} \u{2193} \u{2003}segment \u{2192}"),
        columns,
        rows,
        legend,
        notes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_places_are_kept_in_their_order() {
        let values = [0.5, 0.1, 0.9, 0.2];
        assert_eq!(keep(4, 2, |i| values[i]), [1, 3]);
        assert_eq!(keep(2, 2, |i| values[i]), [0, 1]);
    }

    #[test]
    fn a_shade_has_the_sign_of_its_difference() {
        assert_eq!([-0.2, -0.08, 0.0, 0.1, 0.2].map(|v| shade(v, 0.2)), ["n3", "n2", "z", "p2", "p3"]);
    }
}
