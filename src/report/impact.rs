//! The tables that laws and guidelines ask for: their part of the report, and how the forms for people show them.

use serde::{Deserialize, Serialize};

use super::grid::{Grid, GridRow};
use super::measures;
use super::view::{MORE, NAME};
use super::words::{count, counted, name};
use super::{ModelReport, Report};
use crate::audit::Rulebook;
use crate::tally::DecisionRule;

/// A table that a rulebook asks for: people, selected, rate and impact ratio of each category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImpactTable {
    /// Whose table it is.
    pub rulebook: Rulebook,
    /// The attribute, or the attributes crossed, joined by ` & `.
    pub attribute: String,
    /// The categories with people decided on.
    pub rows: Vec<ImpactRow>,
    /// The people decided on whose category is not known; they are in no rate.
    pub unknown: u64,
    /// The category with the highest rate, of those not excluded: the others are compared with it. The first of equals.
    pub benchmark: Option<String>,
    /// An excluded category whose rate is higher than the benchmark's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excluded_highest: Option<String>,
}

/// A category of people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImpactRow {
    /// The category.
    pub category: String,
    /// The people decided on.
    pub people: u64,
    /// Their share of all people decided on, those of unknown category included.
    pub share: f64,
    /// Those selected (for scores: above the median of the whole sample).
    pub selected: u64,
    /// selected / people.
    pub rate: f64,
    /// The rate over the benchmark's, unrounded; none where nobody of the benchmark was selected. Above 1 only where
    /// excluded.
    pub impact_ratio: Option<f64>,
    /// Under 2 % of the people: never the benchmark, and its impact ratio need not be published.
    pub excluded: bool,
    /// What the rules of the Uniform Guidelines say of it against the benchmark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<ImpactTest>,
}

/// The rules of the Uniform Guidelines for a category against the benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImpactTest {
    /// The difference of the rates in standard deviations (pooled); none where nobody or everybody was selected.
    pub standard_deviations: Option<f64>,
    /// Fisher's exact p-value, two-sided.
    pub fisher_p: f64,
    /// Whether the rate is below four fifths of the benchmark's, exact in whole people.
    pub below_four_fifths: bool,
    /// Whether it is lower by more than two standard deviations or, where counts are small, Fisher's p is below 0.05.
    pub significant: bool,
    /// Whether both hold.
    pub adverse: bool,
    /// The selections that lack to four fifths.
    pub shortfall: u64,
    /// Whether one selection moved to this category would turn either conclusion.
    pub flips: bool,
}

/// What the tables are called.
fn heading(rulebook: Rulebook) -> &'static str {
    match rulebook {
        Rulebook::NycLocalLaw144 => "NYC Local Law 144: impact ratios",
        Rulebook::Eeoc => "Uniform Guidelines: adverse impact",
    }
}

/// The tables of a model, and of the segments where it is a segmentation, each with its caption.
pub(super) fn shown(report: &Report, model: &ModelReport, limit: usize) -> Vec<(String, Vec<Grid>)> {
    let own = model.impact.iter().map(|t| (caption(None, t), grids(model, t, limit)));
    let segments = measures::segments(report, model);
    let theirs = segments.iter().flat_map(|m| m.impact.iter().map(|t| (caption(Some(m), t), grids(m, t, limit))));
    own.chain(theirs).collect()
}

fn caption(segment: Option<&ModelReport>, table: &ImpactTable) -> String {
    let of = segment.map(|m| format!("{}, ", name(&m.model, NAME))).unwrap_or_default();
    format!("{of}by {}", name(&table.attribute, 60))
}

/// The rates, and beneath them what the tests say where the rulebook has any.
fn grids(model: &ModelReport, table: &ImpactTable, limit: usize) -> Vec<Grid> {
    let mut rates = rates(model, table, limit);
    let Some(tests) = tests(table, limit) else { return vec![rates] };
    // What is said of both is said once, at the end.
    let notes = std::mem::take(&mut rates.notes);
    vec![rates, Grid { notes: notes.into_iter().chain(tests.notes).collect(), ..tests }]
}

fn grid_row(row: &ImpactRow, cells: Vec<String>) -> GridRow {
    GridRow { group: row.category.clone(), mark: if row.excluded { " ‡" } else { "" }, cells }
}

fn rates(model: &ModelReport, table: &ImpactTable, limit: usize) -> Grid {
    let above_median = matches!(model.rule, DecisionRule::Top(cut) if cut.edge <= 0.0);
    let (selected, rate) = if above_median { ("Above median", "Scoring rate") } else { ("Selected", "Rate") };
    let row = |r: &ImpactRow| {
        let ratio = r.impact_ratio.map_or_else(|| "–".into(), |v| format!("{v:.3}"));
        grid_row(r, vec![count(r.people), count(r.selected), format!("{:.1} %", r.rate * 100.0), ratio])
    };
    let mut notes = Vec::new();
    if table.rows.len() > limit {
        notes.push(format!("and {} more categories, {MORE}.", count((table.rows.len() - limit) as u64)));
    }
    let benchmark = table.benchmark.as_ref().map_or("No benchmark".into(), |b| format!("Benchmark: {}", name(b, NAME)));
    notes.push(format!("{benchmark}. Of unknown category: {}.", counted(table.unknown, "person", "people")));
    if table.rows.iter().any(|r| r.excluded) {
        let higher = table.excluded_highest.as_ref().map(|h| format!("; {} has the highest rate", name(h, NAME)));
        notes.push(format!("‡ under 2 % of the people: shown, but never the benchmark{}.", higher.unwrap_or_default()));
    }
    Grid {
        heads: ["People", selected, rate, "Impact ratio"].map(String::from).to_vec(),
        rows: table.rows.iter().take(limit).map(row).collect(),
        notes,
    }
}

fn tests(table: &ImpactTable, limit: usize) -> Option<Grid> {
    let row = |r: &ImpactRow| {
        let t = r.test.as_ref()?;
        let deviations = t.standard_deviations.map_or_else(|| "–".into(), |z| format!("{z:.2}"));
        let p = if t.fisher_p < 0.001 { "< 0.001".into() } else { format!("{:.3}", t.fisher_p) };
        let adverse = format!("{}{}", if t.adverse { "yes" } else { "no" }, if t.flips { " *" } else { "" });
        Some(grid_row(r, vec![deviations, p, count(t.shortfall), adverse]))
    };
    let rows: Vec<GridRow> = table.rows.iter().take(limit).filter_map(row).collect();
    let flips = table.rows.iter().any(|r| r.test.as_ref().is_some_and(|t| t.flips));
    let note = flips.then(|| "* one selection moved to this category would turn a conclusion.".to_string());
    let heads = ["Std. deviations", "Fisher p", "Lacking", "Adverse"].map(String::from).to_vec();
    (!rows.is_empty()).then(|| Grid { heads, rows, notes: note.into_iter().collect() })
}

/// What the columns mean.
fn about(rulebook: Rulebook) -> &'static str {
    match rulebook {
        Rulebook::NycLocalLaw144 => {
            "As 6 RCNY 5-301 asks: rate of the category over the highest rate. The rule sets no pass mark; counts are \
             of people, without weights."
        }
        Rulebook::Eeoc => {
            "29 CFR 1607.4 D: adverse where the rate is below four fifths of the highest and lower by more than two \
             standard deviations (Fisher's p below 0.05 where counts are small). Lacking: selections short of four fifths."
        }
    }
}

/// The heading and the explanation, where there are tables.
pub(super) fn lead(report: &Report, model: &ModelReport) -> Option<(&'static str, &'static str)> {
    let segments = measures::segments(report, model);
    let first = model.impact.first().or_else(|| segments.iter().find_map(|m| m.impact.first()))?;
    Some((heading(first.rulebook), about(first.rulebook)))
}
