//! What strata explain: its part of the report, and how the forms for people show it.

use serde::{Deserialize, Serialize};

use super::grid::{self, Grid, GridRow};
use super::measures;
use super::view::{MORE, NAME, list};
use super::words::{self, Unit, name};
use super::{AttributeTable, DataSummary, Disparity, ModelReport, Report};
use crate::audit::Comparison;

/// What strata explain of the differences between the groups of a table.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Conditioning {
    /// The strata, and which groups they hold.
    pub strata: Vec<StratumOverlap>,
    /// What each stratum adds to the explained and the unexplained difference of each group from the reference.
    pub parts: Vec<ExplainedPart>,
    /// Groups for which the difference turns its sign once strata are held fixed (Simpson's paradox).
    pub reversals: Vec<Reversal>,
}

/// A stratum, and which groups it holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StratumOverlap {
    /// The stratum.
    pub stratum: String,
    /// Its rows with a decision.
    pub rows: u64,
    /// Their share of all strata's.
    pub share: f64,
    /// The groups of which it has no decision: nothing can be said of them here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacking: Vec<String>,
}

/// What a stratum adds to the two parts of a difference of selection rates (Kitagawa).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExplainedPart {
    /// The group, compared with the reference.
    pub group: String,
    /// The stratum.
    pub stratum: String,
    /// To the part that strata explain.
    pub explained: f64,
    /// To the part that is left over.
    pub unexplained: f64,
}

/// A difference that turns its sign once strata are held fixed, both signs beyond doubt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reversal {
    /// The group.
    pub group: String,
    /// What it is compared with.
    pub against: String,
    /// The difference of selection rates over all.
    pub difference: f64,
    /// The Mantel–Haenszel difference within strata.
    pub within: f64,
    /// The stratum that does most to hide it.
    pub stratum: String,
}

/// The figures of the grid: heading, metric, comparison.
const COLUMNS: [(&str, &str, Comparison); 4] = [
    ("Overall", "selection_rate", Comparison::Difference),
    ("Within strata", "conditional_demographic_parity", Comparison::Difference),
    ("Explained", "explained_difference", Comparison::Value),
    ("Left over", "unexplained_difference", Comparison::Value),
];

/// What is shown: a sentence about the strata, a grid by group, and what the reader must know.
pub(super) struct Shown {
    pub lead: String,
    pub grid: Grid,
    pub warnings: Vec<String>,
}

/// What strata explain of a table; nothing where there are no strata.
pub(super) fn shown(data: &DataSummary, table: &AttributeTable, limit: usize, interval: bool) -> Option<Shown> {
    let conditioning = table.conditioning.as_ref()?;
    let reference = table.reference.as_deref()?;
    let figure = |group: &str, (_, metric, comparison): (&str, &str, Comparison)| {
        let of = |d: &&Disparity| {
            d.metric == metric
                && d.comparison == comparison
                && d.stratum.is_none()
                && d.against == reference
                && d.group.as_deref() == Some(group)
        };
        table.disparities.iter().find(of).map(|d| &d.estimate)
    };
    let groups: Vec<_> = table.groups.iter().filter(|g| g.group != reference).collect();
    let any =
        groups.iter().any(|g| COLUMNS[1..].iter().any(|c| figure(&g.group, *c).is_some_and(|e| e.value.is_some())));
    if !any {
        return None;
    }
    let columns: Vec<Vec<String>> = COLUMNS
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let figures: Vec<_> = groups.iter().take(limit).map(|g| figure(&g.group, *column)).collect();
            grid::aligned(Unit::Points, &figures, interval && at == 1)
        })
        .collect();
    let rows = groups.iter().take(limit).enumerate().map(|(i, g)| GridRow {
        group: g.group.clone(),
        mark: grid::mark(g),
        cells: columns.iter().map(|c| c[i].clone()).collect(),
    });
    let rows = rows.collect();
    let heads = COLUMNS.iter().map(|c| c.0.to_string()).collect();
    let mut notes = vec![format!(
        "In points, against {}. Explained: the groups are in different strata (Kitagawa); what explains may itself be a proxy.",
        name(reference, NAME),
    )];
    if groups.len() > limit {
        notes.push(format!("and {} more groups, {MORE}.", words::count((groups.len() - limit) as u64)));
    }
    let by: Vec<String> = data.strata.iter().map(|c| name(&c.column, NAME)).collect();
    let lead = format!(
        "Given {} ({}):",
        by.join(" & "),
        words::counted(conditioning.strata.len() as u64, "stratum", "strata")
    );
    Some(Shown { lead, grid: Grid { heads, rows, notes }, warnings: warnings(conditioning) })
}

/// The reversals of the segments of a segmentation, where the model is one.
pub(super) fn of_segments(report: &Report, model: &ModelReport, table: &AttributeTable) -> Vec<String> {
    let of_it = |segment: &&ModelReport| {
        let found = segment.table(&table.attribute).ok().and_then(|t| t.conditioning.as_ref());
        found.is_some_and(|c| !c.reversals.is_empty())
    };
    let names: Vec<String> =
        measures::segments(report, model).into_iter().filter(of_it).map(|m| name(&m.model, NAME)).collect();
    match names.is_empty() {
        true => Vec::new(),
        false => vec![format!("Simpson's paradox within strata for {}; {MORE}.", list(&names, 6))],
    }
}

fn warnings(conditioning: &Conditioning) -> Vec<String> {
    let mut said = Vec::new();
    for r in conditioning.reversals.iter().take(4) {
        let word = |difference: f64| if difference > 0.0 { "more" } else { "less" };
        said.push(format!(
            "Simpson's paradox: {} is selected {} often than {} over all ({}), but {} often within strata ({}). {} does most to hide it.",
            name(&r.group, NAME),
            word(r.difference),
            name(&r.against, NAME),
            Unit::Points.value(r.difference),
            word(r.within),
            Unit::Points.value(r.within),
            name(&r.stratum, NAME),
        ));
    }
    if conditioning.reversals.len() > 4 {
        said.push(format!(
            "and {} more such reversals, {MORE}.",
            words::count((conditioning.reversals.len() - 4) as u64)
        ));
    }
    let lacking: Vec<&StratumOverlap> = conditioning.strata.iter().filter(|s| !s.lacking.is_empty()).collect();
    if !lacking.is_empty() {
        let share: f64 = lacking.iter().map(|s| s.share).sum();
        let say = |s: &&StratumOverlap| {
            let groups: Vec<String> = s.lacking.iter().map(|g| name(g, NAME)).collect();
            format!("{} has nobody of {}", name(&s.stratum, NAME), list(&groups, 3))
        };
        said.push(format!(
            "No overlap: {} ({} of the rows) lack a group, and say nothing of it: {}.",
            words::counted(lacking.len() as u64, "stratum", "strata"),
            words::share(share),
            list(&lacking.iter().map(say).collect::<Vec<_>>(), 3),
        ));
    }
    said
}
