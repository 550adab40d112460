//! What the forms for people show of segments and scores beside the rates.

use super::grid::{Column, Grid, GridRow};
use super::view::MORE;
use super::words::{self, Unit, name, title};
use super::{AttributeTable, Disparity, Finding, ModelReport, Report};
use crate::audit::Comparison;
use crate::metrics::{Of, catalog};
use crate::tally::DecisionRule;

/// The measures of one group that a shortened table shows.
const LEADING: [&str; 8] = [
    "auc",
    "brier_score",
    "calibration_in_the_large",
    "expected_calibration_error_debiased",
    "mean_benefit",
    "segment_entropy",
    "retention_rate",
    "macro_recall",
];
/// The measures between groups that a shortened list shows, in this order.
const BETWEEN: [&str; 22] = [
    "cohens_h",
    "odds_ratio",
    "xauc_difference",
    "abroca",
    "kolmogorov_smirnov",
    "wasserstein",
    "standardized_mean_difference",
    "segment_impact_ratio",
    "cramers_v_corrected",
    "chi_square",
    "mutual_information_corrected",
    "total_variation",
    "jensen_shannon",
    "balance",
    "cumulative_parity",
    "probability_of_superiority",
    "earth_mover",
    "between_group_gini",
    "flow_total_variation",
    "flow_homogeneity",
    "separation",
    "sufficiency",
];
/// The segments side by side in one grid.
const SEGMENTS: usize = 6;

/// The segments of a segmentation as decisions, where the model is one.
pub(super) fn segments<'r>(report: &'r Report, model: &ModelReport) -> Vec<&'r ModelReport> {
    let of_it = |m: &&ModelReport| m.segment_of.as_ref() == Some(&model.model);
    let all = report.models.iter().filter(of_it);
    if matches!(model.rule, DecisionRule::Segments(_)) { all.collect() } else { Vec::new() }
}

/// A segment's own name: `gold` of `tier = gold`.
pub(crate) fn segment_name(model: &ModelReport) -> &str {
    let of = model.segment_of.as_deref().unwrap_or_default();
    model.model.strip_prefix(of).and_then(|rest| rest.strip_prefix(" = ")).unwrap_or(&model.model)
}

/// The findings of a model, and of its segments where it is a segmentation, with the segment's name; gravest first.
pub(super) fn findings<'r>(report: &'r Report, model: &'r ModelReport) -> Vec<(Option<&'r str>, &'r Finding)> {
    let mut all: Vec<(Option<&str>, &Finding)> = model.findings.iter().map(|f| (None, f)).collect();
    let segments = segments(report, model);
    if segments.is_empty() {
        return all;
    }
    for segment in segments {
        all.extend(segment.findings.iter().map(|f| (Some(segment.model.as_str()), f)));
    }
    all.sort_by(|(_, a), (_, b)| b.verdict.cmp(&a.verdict).then(b.gravity.total_cmp(&a.gravity)));
    all
}

/// The share of each group in each segment, in percent, in as many grids as fit.
pub(super) fn shares(report: &Report, model: &ModelReport, table: &AttributeTable, limit: usize) -> Vec<Grid> {
    let segments = segments(report, model);
    let grid = |part: &[&ModelReport]| {
        let share = |m: &ModelReport, group: Option<&str>| {
            let of_group = |g: &str| m.table(&table.attribute).ok()?.groups.iter().find(|x| x.group == g);
            let estimate = match group {
                Some(group) => of_group(group).and_then(|g| g.metrics.get("selection_rate")),
                None => m.overall.get("selection_rate"),
            };
            estimate.and_then(|e| e.value).map_or("–".into(), |v| format!("{:.1}", v * 100.0))
        };
        let row = |group: &str, mark: &'static str, key: Option<&str>| GridRow {
            group: group.into(),
            mark,
            cells: part.iter().map(|m| share(m, key)).collect(),
        };
        let groups = table.groups.iter().take(limit);
        let mark = |small: bool| if small { " †" } else { "" };
        let rows = groups.map(|g| row(&g.group, mark(g.too_small), Some(&g.group)));
        Grid {
            heads: part.iter().map(|m| name(segment_name(m), 12)).collect(),
            rows: rows.chain([row("All rows", "", None)]).collect(),
            notes: Vec::new(),
        }
    };
    let mut grids: Vec<Grid> = segments.chunks(SEGMENTS).map(grid).collect();
    if let Some(last) = grids.last_mut() {
        let more = table.groups.len().saturating_sub(limit);
        last.notes.push("In percent of the group: each row adds up to 100 over all segments.".into());
        if more > 0 {
            last.notes.push(format!("and {} more groups, {MORE}.", words::count(more as u64)));
        }
    }
    grids
}

/// The columns of measures of one group: the leading ones, or all.
pub(super) fn columns(table: &AttributeTable, full: bool) -> Vec<Column> {
    let known = |metric: &str| table.groups.iter().any(|g| g.metrics.get(metric).is_some_and(|e| e.value.is_some()));
    let of_groups = catalog::measures().filter(|m| m.of == Of::Group).map(|m| m.name);
    of_groups.filter(|m| (full || LEADING.contains(m)) && known(m)).map(|m| Column::Metric(m, true)).collect()
}

/// What compares groups by itself, one in a line: `Cramér's V: 0.21 [0.20, 0.23], p < 0.001`.
pub(super) fn between(table: &AttributeTable, full: bool) -> Vec<String> {
    let of_all = |d: &&Disparity| d.comparison == Comparison::Value && d.group.is_none() && d.stratum.is_none();
    let all: Vec<&Disparity> = table.disparities.iter().filter(of_all).collect();
    let leading = |metric: &str| BETWEEN.iter().position(|m| *m == metric);
    let mut shown: Vec<&Disparity> = all.iter().copied().filter(|d| full || leading(&d.metric).is_some()).collect();
    if shown.is_empty() {
        // Whatever there is, is better than nothing.
        shown = all.iter().copied().take(BETWEEN.len()).collect();
    }
    if !full {
        shown.retain(|d| d.estimate.value.is_some());
        shown.sort_by_key(|d| leading(&d.metric).unwrap_or(usize::MAX));
    }
    let mut lines: Vec<String> = shown.iter().map(|d| line(d)).collect();
    let more = all.len() - shown.len();
    if more > 0 && !full {
        let noun = if more == 1 { "measure" } else { "measures" };
        lines.push(format!("and {} more {noun}, {MORE}.", words::count(more as u64)));
    }
    lines
}

fn line(d: &Disparity) -> String {
    let chance = d.p_value.map(|p| format!(", {}", words::chance(p))).unwrap_or_default();
    let apart = match (&d.highest, &d.lowest) {
        (Some(a), Some(b)) if a != b => format!(" ({} and {})", name(a, 30), name(b, 30)),
        _ => String::new(),
    };
    format!("{}: {}{chance}{apart}", title(&d.metric), Unit::Plain.estimate(&d.estimate))
}
