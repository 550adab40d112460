//! The table of an attribute: which groups and figures are shown, in which order.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::view::{MORE, NAME, list};
use super::words::{self, Unit, count, counted, name, title};
use super::{AttributeTable, Disparity, Estimate, GroupResult, ModelReport};
use crate::audit::Comparison;
use crate::metrics::catalog;

/// The groups that a shortened table shows.
pub(super) const GROUPS: usize = 12;
/// The marks of a too small group and of a figure that there is none of.
const SMALL: &str = " †";
const NONE: &str = "–";

/// A table ready to be laid out: the first column holds names, the others figures.
pub(super) struct Grid {
    /// The headings after the first.
    pub heads: Vec<String>,
    /// The rows.
    pub rows: Vec<GridRow>,
    /// What the marks in it mean, and what was left out.
    pub notes: Vec<String>,
}

pub(super) struct GridRow {
    /// The group, as it is named in the data.
    pub group: String,
    /// What follows the name.
    pub mark: &'static str,
    /// The figures.
    pub cells: Vec<String>,
}

/// A column of a grid.
#[derive(Clone, Copy)]
pub(super) enum Column {
    Rows,
    Share,
    /// A metric, with its interval or without.
    Metric(&'static str, bool),
    /// The main metric's difference to the reference, the rest or all.
    Difference(&'static str),
}

/// The mark of a group that is too small to judge.
pub(super) fn mark(group: &GroupResult) -> &'static str {
    if group.too_small { SMALL } else { "" }
}

/// What a table is about where scores forecast a number and nothing is decided.
const FORECAST: &str = "root_mean_squared_error";

/// The metric that a table is about: the first of these that is known.
pub(super) fn main_metric(table: &AttributeTable) -> Option<&'static str> {
    let known = |metric: &&str| table.groups.iter().any(|g| g.metrics.get(*metric).is_some_and(|e| e.value.is_some()));
    ["selection_rate", "base_rate", FORECAST, "mean_score"].into_iter().find(known)
}

/// The further metrics of a table, where labels exist or a number is forecast.
pub(super) fn label_metrics(table: &AttributeTable) -> Vec<&'static str> {
    let shown = |e: &Estimate| e.value.is_some() || e.bounds.is_some();
    let known = |metric: &&str| table.groups.iter().any(|g| g.metrics.get(*metric).is_some_and(shown));
    let further = match main_metric(table) {
        Some(FORECAST) => ["mean_error", "mean_absolute_error", "correlation"],
        _ => ["true_positive_rate", "false_positive_rate", "precision"],
    };
    further.into_iter().filter(known).collect()
}

/// A metric as the head of a column.
pub(super) fn head(metric: &str) -> String {
    let short = match metric {
        "selection_rate" => "Selected",
        "base_rate" => "Favourable",
        "mean_score" => "Mean score",
        FORECAST => "RMS error",
        "mean_error" => "Mean error",
        "mean_absolute_error" => "Mean |error|",
        "correlation" => "Correlation",
        "true_positive_rate" => "TPR",
        "false_positive_rate" => "FPR",
        "precision" => "Prec.",
        other => return title(other),
    };
    let percent = if Unit::of(metric) == Unit::Percent { " %" } else { "" };
    if short.len() > 5 { format!("{short}{percent}") } else { short.into() }
}

/// What the short heads mean, in a sentence each.
pub(super) fn legend(metrics: &[&str]) -> Option<String> {
    let short = |m: &&&str| head(m).len() < 6;
    let say = |m: &&str| catalog::metric(m).map(|entry| format!("{}: {}", head(m), entry.title));
    let all: Vec<String> = metrics.iter().filter(short).filter_map(say).collect();
    if all.is_empty() { None } else { Some(format!("In percent. {}.", all.join("; "))) }
}

/// The differences of single groups to anything, outside strata. There are many comparisons: what is next to hand in each is
/// looked at first.
fn differences<'a>(table: &'a AttributeTable, metric: &str) -> impl Iterator<Item = (&'a Disparity, &'a String)> {
    let all = table.disparities.iter().filter(|d| d.comparison == Comparison::Difference && d.stratum.is_none());
    all.filter_map(|d| Some((d, d.group.as_ref()?))).filter(move |(d, _)| d.metric == metric)
}

/// What groups are compared with in a table's last column, and those comparisons by group.
pub(super) fn compared<'a>(table: &'a AttributeTable, metric: &str) -> (&'static str, HashMap<&'a str, &'a Disparity>) {
    let mut found: [HashMap<&str, &Disparity>; 3] = Default::default();
    for (d, group) in differences(table, metric) {
        let which = match &*d.against {
            "rest" => 1,
            "overall" => 2,
            _ => 0,
        };
        found[which].insert(group, d);
    }
    let [reference, rest, overall] = found;
    match (reference.is_empty(), rest.is_empty()) {
        (false, _) => ("vs ref.", reference),
        (true, false) => ("vs rest", rest),
        (true, true) => ("vs all", overall),
    }
}

/// Whether the table has comparisons of its groups with something.
pub(super) fn has_differences(table: &AttributeTable, metric: &str) -> bool {
    differences(table, metric).next().is_some()
}

/// The groups shown: all in their order, or the worst off if there are more than `limit`.
pub(super) fn shown<'a>(table: &'a AttributeTable, metric: &str, limit: usize) -> Vec<&'a GroupResult> {
    let mut groups: Vec<&GroupResult> = table.groups.iter().collect();
    if groups.len() > limit {
        let value = |g: &GroupResult| g.metrics.get(metric).and_then(|e| e.value);
        let key = |g: &GroupResult| (g.too_small, value(g).is_none());
        groups.sort_by(|a, b| {
            let by_value = value(a).unwrap_or(0.0).total_cmp(&value(b).unwrap_or(0.0));
            let by_value = if metric == FORECAST { by_value.reverse() } else { by_value };
            key(a).cmp(&key(b)).then(by_value)
        });
        groups.truncate(limit);
    }
    groups
}

/// The figures of some columns for the groups of a table.
pub(super) fn grid(model: &ModelReport, table: &AttributeTable, columns: &[Column], limit: usize, rows: u64) -> Grid {
    let main = main_metric(table).unwrap_or("selection_rate");
    let groups = shown(table, main, limit);
    let mut undefined: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut bounded = false;
    let mut by_column: Vec<Vec<String>> = Vec::new();
    let mut heads = Vec::new();
    for column in columns {
        let (title, cells) = match *column {
            Column::Rows => {
                let cells = groups.iter().map(|g| count(g.rows)).chain([count(rows)]).collect();
                ("Rows".to_string(), cells)
            }
            Column::Share => {
                let cells = groups.iter().map(|g| format!("{:.1}", g.share * 100.0)).chain(["100.0".into()]).collect();
                ("Share %".to_string(), cells)
            }
            Column::Metric(metric, interval) => {
                let own = groups.iter().map(|g| g.metrics.get(metric));
                let figures: Vec<_> = own.chain([model.overall.get(metric)]).collect();
                for (g, e) in groups.iter().zip(&figures) {
                    let Some(e) = e.filter(|e| e.value.is_none()) else { continue };
                    bounded |= e.bounds.is_some();
                    if e.bounds.is_none() {
                        let what = format!("{} of {}", head(metric).trim_end_matches(" %"), name(&g.group, NAME));
                        undefined.entry(words::reason(e)).or_default().push(what);
                    }
                }
                (head(metric), aligned(Unit::of(metric), &figures, interval))
            }
            Column::Difference(metric) => {
                let (title, by_group) = compared(table, metric);
                let of = |g: &&GroupResult| by_group.get(g.group.as_str()).map(|d| &d.estimate);
                let mut cells = signed(Unit::compared(metric, Comparison::Difference), groups.iter().map(of));
                for (cell, g) in cells.iter_mut().zip(&groups) {
                    if title == "vs ref." && table.reference.as_ref() == Some(&g.group) {
                        *cell = "ref.".into();
                    }
                }
                cells.push(String::new());
                (title.to_string(), cells)
            }
        };
        heads.push(title);
        by_column.push(cells);
    }
    let named = groups.iter().map(|g| (g.group.as_str(), mark(g))).chain([("All rows", "")]);
    let rows = named.enumerate().map(|(i, (group, mark))| GridRow {
        group: group.into(),
        mark,
        cells: by_column.iter().map(|cells| cells[i].clone()).collect(),
    });
    let mut notes = Vec::new();
    if table.groups.len() > groups.len() {
        let more = table.groups.len() - groups.len();
        let (shown, more) = (groups.len(), count(more as u64));
        notes.push(format!("Shown: the {shown} groups with the lowest {}; and {more} more, {MORE}.", title(main)));
    }
    if groups.iter().any(|g| g.too_small) {
        notes.push("† too small to judge: shown, and left out of every comparison of all groups.".into());
    }
    if bounded {
        notes.push(
            "a–b: the least and the most it can be. Labels are known mostly on one side of the decision, so nobody \
             can say where between."
                .into(),
        );
    }
    for (reason, of) in undefined {
        notes.push(format!("{NONE} {reason}: {}.", list(&of, 4)));
    }
    Grid { heads, rows: rows.collect(), notes }
}

/// Figures of one column with the same decimals, their parts under each other.
pub(super) fn aligned(unit: Unit, figures: &[Option<&Estimate>], interval: bool) -> Vec<String> {
    let present = || figures.iter().flatten();
    let decimals = unit.decimals(words::largest(present().map(|e| e.value)));
    let bare = |v: f64| unit.bare(v, decimals);
    let wide = |part: fn(&Estimate) -> Option<f64>| present().filter_map(|e| part(e).map(|v| bare(v).len())).max();
    let (low, high) = (wide(|e| e.low).unwrap_or(0), wide(|e| e.high).unwrap_or(0));
    let cell = |e: &Option<&Estimate>| match e {
        Some(Estimate { value: Some(v), low: Some(l), high: Some(h), .. }) if interval => {
            format!("{} [{:>low$}, {:>high$}]", bare(*v), bare(*l), bare(*h))
        }
        // Values without an interval stand under the others' values.
        Some(Estimate { value: Some(v), .. }) if interval && high > 0 => {
            format!("{}{:2$}", bare(*v), "", low + high + 5)
        }
        Some(Estimate { value: Some(v), .. }) => bare(*v),
        Some(Estimate { bounds: Some([a, b]), .. }) => {
            let whole = |v: f64| if unit == Unit::Percent { unit.bare(v, 0) } else { bare(v) };
            format!("{}–{}", whole(*a), whole(*b))
        }
        _ if interval && high > 0 => format!("{NONE}{:1$}", "", low + high + 5),
        _ => NONE.into(),
    };
    figures.iter().map(cell).collect()
}

/// Differences of one column, with their sign.
fn signed<'a>(unit: Unit, figures: impl Iterator<Item = Option<&'a Estimate>>) -> Vec<String> {
    let figures: Vec<_> = figures.map(|e| e.and_then(|e| e.value)).collect();
    let decimals = unit.decimals(words::largest(figures.iter().copied()));
    let cell = |v: &Option<f64>| match v {
        Some(v) if *v > 0.0 => format!("+{}", unit.bare(*v, decimals)),
        Some(v) => unit.bare(*v, decimals),
        None => NONE.into(),
    };
    figures.iter().map(cell).collect()
}

/// The comparisons of all groups in a sentence for each metric: of the main metric, or of all.
pub(super) fn gaps(table: &AttributeTable, full: bool) -> Vec<String> {
    let main = main_metric(table);
    let mut said: Vec<(&Disparity, String)> = Vec::new();
    for d in &table.disparities {
        if d.group.is_some() || d.stratum.is_some() || d.against != "between_groups" {
            continue;
        }
        if !full && (Some(&*d.metric) != main || d.estimate.value.is_none()) {
            continue;
        }
        let figure = Unit::compared(&d.metric, d.comparison).estimate(&d.estimate);
        let figure = if d.comparison == Comparison::Ratio { format!("ratio {figure}") } else { figure };
        match said.last_mut() {
            Some((of, text)) if (&of.metric, &of.highest, &of.lowest) == (&d.metric, &d.highest, &d.lowest) => {
                text.push_str(&format!(", {figure}"));
            }
            _ => said.push((d, figure)),
        }
    }
    let say = |(d, figures): (&Disparity, String)| {
        let who = match (&d.highest, &d.lowest) {
            (Some(high), Some(low)) => format!("; {} highest, {} lowest", name(high, NAME), name(low, NAME)),
            _ => String::new(),
        };
        format!("Widest gap in {}: {figures}{who}.", title(&d.metric))
    };
    said.into_iter().map(say).collect()
}

/// What a table's groups are, and with what they are compared.
pub(super) fn about(table: &AttributeTable) -> String {
    let mut said = vec![counted(table.groups.len() as u64, "group", "groups")];
    if let Some(reference) = &table.reference {
        said.push(format!("reference {}", name(reference, NAME)));
    }
    if table.missing_rows > 0 {
        said.push(format!("{} of no known group", counted(table.missing_rows, "row", "rows")));
    }
    if table.overlapping {
        said.push("groups may overlap".into());
    }
    said.join("; ")
}

/// The main metric and those that need labels, by group, for each stratum.
pub(super) fn strata(t: &AttributeTable, main: Option<&'static str>, labels: &[&'static str]) -> Vec<(String, Grid)> {
    let all: BTreeSet<&String> = t.groups.iter().flat_map(|g| g.strata.keys()).collect();
    let mut grids = Vec::new();
    for stratum in all {
        let groups: Vec<_> = t.groups.iter().filter_map(|g| Some((g, g.strata.get(stratum)?))).collect();
        let metrics = main.iter().map(|m| (*m, true)).chain(labels.iter().map(|m| (*m, false)));
        let (mut heads, mut columns) = (Vec::new(), Vec::new());
        for (metric, interval) in metrics {
            let figures: Vec<_> = groups.iter().map(|(_, metrics)| metrics.get(metric)).collect();
            heads.push(head(metric));
            columns.push(aligned(Unit::of(metric), &figures, interval));
        }
        let row = |(i, (g, _)): (usize, &(&GroupResult, _))| GridRow {
            group: g.group.clone(),
            mark: mark(g),
            cells: columns.iter().map(|c: &Vec<String>| c[i].clone()).collect(),
        };
        let rows = groups.iter().enumerate().map(row).collect();
        grids.push((stratum.clone(), Grid { heads, rows, notes: Vec::new() }));
    }
    grids
}
