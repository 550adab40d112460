//! The scores of groups: how they are spread, how they rank, and what they promise.

use super::chart::{Axis, Chart, LINES, Line, Panel, Panels, Points};
use super::scale::Scale;
use super::sheet::Sheet;
use crate::metrics::Undefined;
use crate::report::view::{MORE, NAME, list};
use crate::report::words::{Unit, count, counted, name, unglued};
use crate::report::{AttributeTable, GroupShape, ScoreShapes, grid};

/// The groups that have a chart of their own for what scores promise.
const PANELS: usize = 12;
/// The points of a group's ROC curve that the table has.
const TOLD: usize = 10;

pub(super) fn charts(table: &AttributeTable) -> Vec<Chart> {
    let Some(shapes) = &table.scores else { return Vec::new() };
    density(table, shapes).into_iter().chain(roc(table, shapes)).collect()
}

/// The groups that have something to draw, and what is said of the others: those shown in the table's other charts too.
fn shown<'t>(
    table: &'t AttributeTable,
    shapes: &'t ScoreShapes,
    most: usize,
    has: fn(&GroupShape) -> Result<(), Option<Undefined>>,
) -> (Vec<&'t GroupShape>, Vec<String>) {
    let all: Vec<&GroupShape> = shapes.groups.iter().filter(|g| has(g).is_ok()).collect();
    let mut notes = Vec::new();
    let mut kept = all.clone();
    if all.len() > most {
        // The group that the others are compared with, and the worst off.
        let metric = grid::main_metric(table).unwrap_or("selection_rate");
        let order = grid::shown(table, metric, table.groups.len().saturating_sub(1).max(1));
        let rank = |g: &&GroupShape| match table.reference.as_ref() == Some(&g.group) {
            true => 0,
            false => order.iter().position(|o| o.group == g.group).map_or(usize::MAX, |p| p + 1),
        };
        kept.sort_by_cached_key(rank);
        kept.truncate(most);
        kept.sort_by_key(|g| all.iter().position(|o| std::ptr::eq(*o, *g)));
    }
    let more = all.len() - kept.len() + shapes.more;
    if more > 0 {
        let rest = counted(more as u64, "more group", "more groups");
        notes.push(format!("Shown: {} groups, the reference and the worst off; and {rest}, {MORE}.", kept.len()));
    }
    let without = shapes.groups.iter().filter_map(|g| Some((g, has(g).err()??)));
    let mut left: Vec<String> = without.map(|(g, why)| format!("{} ({why})", name(&g.group, NAME))).collect();
    left.extend(shapes.left_out.iter().map(|l| format!("{} ({})", name(&l.group, NAME), name(&l.reason, 60))));
    if !left.is_empty() {
        notes.push(format!("Not drawn: {}.", list(&left, 6)));
    }
    (kept, notes)
}

/// Where scores lie, as lines of the shares by bin.
fn density(table: &AttributeTable, shapes: &ScoreShapes) -> Option<Chart> {
    let bins = shapes.bins?;
    let has = |g: &GroupShape| if g.histogram.is_empty() { Err(None) } else { Ok(()) };
    let (groups, mut notes) = shown(table, shapes, LINES, has);
    let most = groups.iter().flat_map(|g| &g.histogram).fold(0.0f64, |m, v| m.max(*v));
    let (across, up) = (Scale::new(bins.from, bins.to)?, Scale::around([Some(most)], Unit::Percent)?);
    let n = groups.first()?.histogram.len();
    let edge = |k: usize| bins.from + (bins.to - bins.from) * k as f64 / n as f64;
    let line = |(at, g): (usize, &&GroupShape)| {
        let steps = g.histogram.iter().enumerate().flat_map(|(k, v)| [(edge(k), *v), (edge(k + 1), *v)]);
        let closed = std::iter::once((bins.from, 0.0)).chain(steps).chain([(bins.to, 0.0)]);
        Line { name: name(&g.group, NAME), class: format!("l{at}"), points: Points::of(closed, across, up) }
    };
    let mut sheet = Sheet { caption: "Share of each group by score, in percent".into(), ..Sheet::default() };
    sheet.heads.push("Score".into());
    sheet.heads.extend(groups.iter().map(|g| name(&g.group, 24)));
    let largest = bins.from.abs().max(bins.to.abs());
    let decimals = decimals((bins.to - bins.from) / n as f64, largest);
    let said = |v: f64| Unit::Plain.bare(v, decimals);
    for k in 0..n {
        let row = match (k, k + 1 == n) {
            (0, _) if bins.open[0] => format!("under {}", said(edge(1))),
            (_, true) if bins.open[1] => format!("{} and more", said(edge(k))),
            _ => format!("{} to {}", said(edge(k)), said(edge(k + 1))),
        };
        sheet.row(row, groups.iter().map(|g| format!("{:.1}", 100.0 * g.histogram[k])).collect());
    }
    if bins.open != [false; 2] {
        notes.insert(0, "What scores beyond the ends is counted there.".into());
    }
    Some(Chart {
        kind: "scores",
        title: "Scores of each group".into(),
        across: Axis::new("score", across, Unit::Plain),
        up: Axis::new("share of the group", up, Unit::Percent),
        band: None,
        lines: groups.iter().enumerate().map(line).collect(),
        now: None,
        diagonal: false,
        notes,
        sheet,
    })
}

/// The decimals that tell edges a step apart from each other.
fn decimals(step: f64, largest: f64) -> usize {
    if step <= 0.0 || largest >= 1e9 { 0 } else { (1.0 - step.log10().floor()).clamp(0.0, 9.0) as usize }
}

fn roc(table: &AttributeTable, shapes: &ScoreShapes) -> Option<Chart> {
    let has = |g: &GroupShape| if g.roc.is_empty() { Err(g.no_roc) } else { Ok(()) };
    let (groups, notes) = shown(table, shapes, LINES, has);
    let whole = Scale::new(0.0, 1.0)?;
    let line = |(at, g): (usize, &&GroupShape)| {
        // Nobody is selected above all scores.
        let places = std::iter::once((0.0, 0.0)).chain(g.roc.iter().map(|p| (p.fpr, p.tpr)));
        Line { name: name(&g.group, NAME), class: format!("l{at}"), points: Points::of(places, whole, whole) }
    };
    let mut sheet =
        Sheet::new("True and false positive rates at some thresholds", &["Group", "Threshold", "FPR %", "TPR %"]);
    for g in &groups {
        let step = g.roc.len().div_ceil(TOLD).max(1);
        for p in g.roc.iter().skip((g.roc.len() - 1) % step).step_by(step) {
            let figures = [p.fpr, p.tpr].map(|v| format!("{:.1}", 100.0 * v));
            sheet.row(name(&g.group, NAME), [threshold(p.threshold)].into_iter().chain(figures).collect());
        }
    }
    let axis = |title: &str| Axis::new(title, whole, Unit::Plain);
    (!groups.is_empty()).then(|| Chart {
        kind: "roc",
        title: "ROC curve of each group".into(),
        across: axis("false positive rate"),
        up: axis("true positive rate"),
        band: None,
        lines: groups.iter().enumerate().map(line).collect(),
        now: None,
        diagonal: true,
        notes,
        sheet,
    })
}

/// A score as a table has it.
fn threshold(v: f64) -> String {
    Unit::Plain.bare(v, if v.abs() < 10.0 { 3 } else { 1 })
}

/// What scores promise and what is observed: one chart for each group.
pub(super) fn calibration(table: &AttributeTable) -> Result<Panels, Vec<String>> {
    let Some(shapes) = &table.scores else { return Err(Vec::new()) };
    let has = |g: &GroupShape| if g.calibration.is_empty() { Err(g.no_calibration) } else { Ok(()) };
    let (groups, notes) = shown(table, shapes, PANELS, has);
    let reach = groups
        .iter()
        .flat_map(|g| &g.calibration)
        .flat_map(|b| [Some(b.mean_score), b.observed.value, b.observed.low, b.observed.high]);
    let scale = Scale::around(reach, Unit::Percent).or_else(|| Scale::new(0.0, 1.0));
    let Some(scale) = scale.filter(|_| !groups.is_empty()) else { return Err(why_none(shapes)) };
    let panel = |g: &&GroupShape| {
        let dots = g.calibration.iter().filter_map(|b| Some((b.mean_score, b.observed.value?, b.observed.interval())));
        Panel::of(name(&g.group, NAME), &dots.collect::<Vec<_>>(), scale, scale)
    };
    let heads = ["Group", "Scores", "Rows", "Mean score %", "Observed %"];
    let mut sheet = Sheet::new("What scores promise and what is observed", &heads);
    for g in &groups {
        for b in &g.calibration {
            let scores = if b.low == b.high { said(b.low) } else { format!("{} to {}", said(b.low), said(b.high)) };
            let observed = unglued(&Unit::Percent.estimate(&b.observed)).replacen(" %", "", 1);
            let rows = count(b.observed.support.rows.round() as u64);
            sheet.row(name(&g.group, NAME), vec![scores, rows, format!("{:.1}", 100.0 * b.mean_score), observed]);
        }
    }
    Ok(Panels {
        title: "Calibration of each group".into(),
        across: Axis::new("mean score", scale, Unit::Percent),
        up: Axis::new("observed rate", scale, Unit::Percent),
        panels: groups.iter().map(panel).collect(),
        notes,
        sheet,
    })
}

fn said(v: f64) -> String {
    format!("{v:.3}")
}

/// Why no group has a calibration.
fn why_none(shapes: &ScoreShapes) -> Vec<String> {
    let mut reasons: Vec<Undefined> = shapes.groups.iter().filter_map(|g| g.no_calibration).collect();
    reasons.dedup();
    match reasons.as_slice() {
        [] => Vec::new(),
        [one] => vec![format!("No calibration is drawn: {one}.")],
        several => {
            let all: Vec<String> = several.iter().map(|r| r.to_string()).collect();
            vec![format!("No calibration is drawn: {}.", list(&all, 3))]
        }
    }
}

/// What is said of scores that have no spread to draw.
pub(super) fn one_score(table: &AttributeTable) -> Option<String> {
    let bins = table.scores.as_ref()?.bins?;
    (bins.from == bins.to).then(|| format!("Every scored row has the score {}.", threshold(bins.from)))
}
