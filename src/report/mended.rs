//! What a mitigator did, as text of up to 80 columns.

use std::fmt::Write as _;

use super::words::{count, counted, name, share, width, wrap};
use crate::mitigate::augment::{AugmentedCell, Record};
use crate::mitigate::postprocess::budget::{BudgetGroup, BudgetSummary};
use crate::mitigate::postprocess::thresholds::{Constraint, GroupThresholds, Mixed, Objective};
use crate::mitigate::reweight::{CellWeights, Diagnostics, GroupBalance, RakedShare, RakedWeights, Scheme};

/// The width of a text.
const COLUMNS: usize = 80;
/// The width of the names of groups.
const NAME: usize = 28;
/// Groups that a table shows.
const SHOWN: usize = 20;

/// A heading, an empty line before it.
fn heading(out: &mut String, text: &str) {
    let _ = write!(out, "\n{text}\n");
}

/// Sentences, wrapped.
fn say(out: &mut String, text: &str) {
    for line in wrap(text, COLUMNS) {
        out.push_str(&line);
        out.push('\n');
    }
}

/// A table whose first column holds names; what is past the first rows is counted.
fn table(out: &mut String, heads: &[&str], rows: &[Vec<String>]) {
    let shown: Vec<Vec<String>> = rows
        .iter()
        .take(SHOWN)
        .map(|row| {
            // A row without a name belongs to the one before it.
            let shown = |(at, cell): (usize, &String)| match at {
                0 if !cell.is_empty() => name(cell, NAME),
                _ => cell.clone(),
            };
            row.iter().enumerate().map(shown).collect()
        })
        .collect();
    let widest = |at: usize| {
        let cells = shown.iter().map(|row| width(&row[at]));
        cells.chain([width(heads[at])]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(widest).collect();
    let heads: Vec<String> = heads.iter().map(|h| (*h).into()).collect();
    for row in std::iter::once(&heads).chain(&shown) {
        let mut line = String::from(" ");
        for (at, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[at] - width(cell));
            let _ = if at == 0 { write!(line, " {cell}{pad}") } else { write!(line, "  {pad}{cell}") };
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    if rows.len() > SHOWN {
        let _ = writeln!(out, "  and {} more", rows.len() - SHOWN);
    }
}

fn percent(part: f64) -> String {
    format!("{:.1}", 100.0 * part)
}

fn points(gap: f64) -> String {
    format!("{:.1}", 100.0 * gap)
}

/// What weights cost.
fn cost(out: &mut String, d: &Diagnostics) {
    let kept = d.effective_size / d.effective_size_before;
    let text = format!(
        "Figures from these weights are as sure as from {} rows ({} % of {} before). The largest factor is {:.2}, the smallest \
         {:.2}.",
        count(d.effective_size.round() as u64),
        percent(kept),
        count(d.effective_size_before.round() as u64),
        d.largest_factor,
        d.smallest_factor
    );
    say(out, &text);
}

fn left_alone(out: &mut String, rows: u64, why: &str) {
    if rows > 0 {
        say(out, &format!("{} left alone: {why}.", counted(rows, "row was", "rows were")));
    }
}

impl CellWeights {
    /// What the weights do, as text of up to 80 columns.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        let [before, after] = self.gaps();
        let scheme = match self.scheme {
            Scheme::KamiranCalders => "Kamiran and Calders' weights",
            Scheme::FairBalance => "FairBalance's weights",
        };
        let within = match &self.strata[..] {
            [] => String::new(),
            strata => format!(", within {}", strata.join(" and ")),
        };
        let groups = self.attributes.join(" and ");
        say(
            &mut out,
            &format!(
                "{scheme} by {groups}{within}: the largest gap between groups' rates of favourable labels was {} points and is \
                 {}.",
                points(before),
                points(after)
            ),
        );
        heading(&mut out, "GROUPS");
        let row = |g: &GroupBalance| {
            let name = g.stratum.as_ref().map_or(g.group.clone(), |stratum| format!("{} ({stratum})", g.group));
            vec![name, percent(g.share), percent(g.before), percent(g.after)]
        };
        table(
            &mut out,
            &["Group", "Share %", "Favourable %", "after"],
            &self.groups.iter().map(row).collect::<Vec<_>>(),
        );
        out.push('\n');
        cost(&mut out, &self.diagnostics);
        left_alone(&mut out, self.left_alone, "their group, stratum or label is not known");
        out
    }
}

impl RakedWeights {
    /// What the weights do, as text of up to 80 columns.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        let rounds = counted(self.rounds as u64, "round", "rounds");
        say(&mut out, &format!("Raked to the margins of {} in {rounds}.", self.margins().join(" and ")));
        heading(&mut out, "SHARES");
        let row = |s: &RakedShare| {
            vec![format!("{} = {}", s.margin, s.level), percent(s.wanted), percent(s.before), percent(s.after)]
        };
        table(
            &mut out,
            &["Level", "Wanted %", "Before %", "After %"],
            &self.shares.iter().map(row).collect::<Vec<_>>(),
        );
        out.push('\n');
        cost(&mut out, &self.diagnostics);
        left_alone(&mut out, self.left_alone, "one of their levels is not known");
        out
    }

    fn margins(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.shares.iter().map(|s| s.margin.as_str()).collect();
        names.dedup();
        names
    }
}

impl Record {
    /// What was done, as text of up to 80 columns.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        let rows = self.origin.len() as u64;
        let new = self.new_rows() as u64;
        let mut sentence =
            format!("{} made, {rows_of} in all", counted(new, "row was", "rows were"), rows_of = count(rows));
        if !self.removed.is_empty() {
            let _ = write!(sentence, "; {} taken away", counted(self.removed.len() as u64, "row was", "rows were"));
        }
        say(&mut out, &(sentence + "."));
        heading(&mut out, "CELLS");
        let row = |cell: &AugmentedCell| {
            let label = if cell.favorable { "favourable" } else { "unfavourable" };
            let neighbors = cell.neighbors.map_or("–".into(), |k| k.to_string());
            vec![cell.levels.join(" & "), label.into(), count(cell.before as u64), count(cell.after as u64), neighbors]
        };
        table(
            &mut out,
            &["Group", "Label", "Before", "After", "Neighbours"],
            &self.cells.iter().map(row).collect::<Vec<_>>(),
        );
        out.push('\n');
        say(
            &mut out,
            "New rows say nothing new about a small group. Fit on them, and audit on rows that they were not made from.",
        );
        left_alone(&mut out, self.left_alone as u64, "their group or label is not known");
        out
    }
}

/// A threshold in words.
fn threshold(mixed: &Mixed) -> String {
    let (nobody, everybody) = (mixed.threshold == f64::MAX, mixed.threshold == f64::MIN);
    match (nobody, everybody, mixed.below) {
        (true, _, false) | (_, true, true) => "nobody".into(),
        (_, true, false) | (true, _, true) => "everybody".into(),
        (_, _, false) => format!("{:.4}", mixed.threshold),
        (_, _, true) => format!("below {:.4}", mixed.threshold),
    }
}

impl GroupThresholds {
    /// What the thresholds are and reach, as text of up to 80 columns.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        let alike = match self.constraint {
            Constraint::DemographicParity => "selection rates",
            Constraint::EqualOpportunity => "true positive rates",
            Constraint::FalsePositiveRateParity => "false positive rates",
            Constraint::EqualizedOdds => "true and false positive rates",
        };
        let objective = match self.objective {
            Objective::Accuracy => "Accuracy",
            Objective::BalancedAccuracy => "Balanced accuracy",
            Objective::Utility { .. } => "Utility per person",
        };
        say(
            &mut out,
            &format!(
                "Thresholds by {} with {alike} within {} points of each other; the gap is {} points. {objective} is {:.4}; the \
                 best threshold of each group without that has {:.4}, the best one for all {:.4}.",
                self.attributes.join(" and "),
                points(self.slack),
                points(self.gap()),
                self.value,
                self.unconstrained,
                self.common
            ),
        );
        heading(&mut out, "GROUPS");
        let rate = |rate: Option<f64>| rate.map_or("–".into(), percent);
        let mut rows = Vec::new();
        for group in &self.groups {
            let of = |mixed: &Mixed| match mixed.probability {
                1.0 => threshold(mixed),
                p => format!("{} ({})", threshold(mixed), share(p)),
            };
            let parts: Vec<String> = group.thresholds.iter().map(of).collect();
            for (at, part) in parts.iter().enumerate() {
                let figure = |text: String| if at == 0 { text } else { String::new() };
                rows.push(vec![
                    figure(group.name()),
                    part.clone(),
                    figure(percent(group.selection_rate)),
                    figure(rate(group.true_positive_rate)),
                    figure(rate(group.false_positive_rate)),
                ]);
            }
        }
        table(&mut out, &["Group", "Threshold", "Selected %", "TPR %", "FPR %"], &rows);
        out.push('\n');
        if self.groups.iter().any(|g| g.thresholds.len() > 1) {
            say(&mut out, "Where a group has several thresholds, a draw decides which counts for a person.");
        }
        say(&mut out, "Deciding by them needs the attribute at run time.");
        left_alone(&mut out, self.left_out, "they have no known label or no score");
        out
    }
}

impl BudgetSummary {
    /// Who is selected and what it costs, as text of up to 80 columns.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        let lost = if self.score_before == 0.0 { 0.0 } else { self.score_lost() / self.score_before.abs() };
        say(
            &mut out,
            &format!(
                "{} people selected, {} within {} points of each other ({} by score alone, {} allowed). {} selected who \
                 would not have been. The sum of their scores is {:.1}, {} % less than by score alone.",
                count(self.people),
                match self.constraint {
                    Constraint::EqualOpportunity => "groups' expected true positive rates",
                    Constraint::FalsePositiveRateParity => "groups' expected false positive rates",
                    _ => "their rates",
                },
                points(self.gap),
                points(self.gap_before),
                points(self.allowed),
                counted(self.swapped, "person is", "people are"),
                self.score,
                percent(lost)
            ),
        );
        if let Some(price) = self.price_of_a_point {
            say(&mut out, &format!("One point more of a gap would add {price:.2} to that sum."));
        }
        heading(&mut out, "GROUPS");
        let row = |g: &BudgetGroup| {
            let rate = |selected: u64| percent(selected as f64 / g.people as f64);
            vec![g.group.clone(), count(g.people), count(g.before), count(g.after), rate(g.before), rate(g.after)]
        };
        table(
            &mut out,
            &["Group", "People", "By score", "Selected", "By score %", "Selected %"],
            &self.groups.iter().map(row).collect::<Vec<_>>(),
        );
        out.push('\n');
        left_alone(&mut out, self.without_score, "they have no score and are not selected");
        if self.without_group > 0 {
            let people = counted(self.without_group, "person", "people");
            say(&mut out, &format!("{people} of no known group compete by their scores alone."));
        }
        out
    }
}
