//! A comparison of mitigations for a terminal of 80 columns, and for a page.

use super::marks::escape;
use super::words::{self, capital};
use crate::metrics::Estimate;
use crate::mitigate::evaluate::{
    Change, Design, Effect, Frontier, FrontierPoint, Measure, MitigationReport, MitigationResult, PointKind, signed,
};

const WIDTH: usize = 80;
/// The widest that a model's name gets.
const NAMES: usize = 24;
/// Groups that are listed.
const GROUPS: usize = 12;
/// The mark of what reads the groups of those that it decides on.
const KNOWS: &str = " ‡";
const KNOWS_NOTE: &str = "‡ reads the groups of the people that it decides on.";

impl MitigationReport {
    /// The report as text of at most 80 columns.
    ///
    /// # Examples
    /// ```
    /// use evenhand::data::{Batch, Categorical};
    /// use evenhand::mitigate::evaluate::{Evaluation, Held, Outcome, Train};
    /// use ndarray::{Array2, ArrayView2};
    /// let batch = Batch::builder()
    ///     .attribute(Categorical::from_keys("g", (0..200).map(|i| i % 2)))
    ///     .label((0..200).map(|i| i % 3 == 0).collect::<Vec<bool>>().as_slice())
    ///     .build()?;
    /// let learner = |_: ArrayView2<f64>, _: &[bool], _: &[f64]| {
    ///     Ok(|x: ArrayView2<f64>| x.column(0).to_vec())
    /// };
    /// let all = |_: &Train| Ok(|held: &Held| Ok(Outcome::of_decisions(&vec![true; held.rows()])));
    /// let features = Array2::from_shape_fn((200, 1), |(i, _)| (i % 2) as f64);
    /// let report = Evaluation::new(learner).mitigation("everybody", all).run(features.view(), &batch)?;
    /// let text = report.to_text();
    /// assert!(text.contains("everybody: demographic parity difference helped"));
    /// assert!(text.lines().all(|line| line.chars().count() <= 80));
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        self.about().iter().for_each(|line| flow(&mut out, "", line));
        list(&mut out, "Findings", &self.sentences());
        for measure in self.measures() {
            out.push('\n');
            flow(&mut out, "", &capital(measure.title()));
            for row in self.rows_of(measure) {
                let pad = " ".repeat(NAMES.saturating_sub(words::width(&row.name)));
                let apart = if row.change.is_empty() { String::new() } else { format!("; {}", row.change) };
                flow(&mut out, &format!("  {}{pad} ", row.name), &format!("{}{apart}", row.figure));
            }
        }
        if let Some(frontier) = &self.frontier {
            out.push('\n');
            flow(&mut out, "", &title_of(frontier));
            for row in points(frontier) {
                let pad = " ".repeat(NAMES.saturating_sub(words::width(&row.name)));
                let dominated = if row.change.is_empty() { String::new() } else { format!("; {}", row.change) };
                flow(&mut out, &format!("  {}{pad} ", row.name), &format!("{}{dominated}", row.figure));
            }
        }
        list(&mut out, "Notes", &self.all_notes());
        out
    }

    /// The report as GitHub's Markdown.
    pub fn to_markdown(&self) -> String {
        let mut out = String::from("# Mitigations compared\n\n");
        self.about().iter().for_each(|line| out.push_str(&format!("{}  \n", escape(line))));
        bullets(&mut out, "Findings", &self.sentences());
        for measure in self.measures() {
            out.push_str(&format!("\n## {}\n\n", escape(&capital(measure.title()))));
            table(&mut out, ["Model", "Held-out rows", "Change"], self.rows_of(measure));
        }
        if let Some(frontier) = &self.frontier {
            out.push_str(&format!("\n## {}\n\n", escape(&title_of(frontier))));
            table(&mut out, ["Model", "Figures", "Shown worse than"], points(frontier));
        }
        bullets(&mut out, "Notes", &self.all_notes());
        out
    }

    pub(super) fn about(&self) -> Vec<String> {
        let rows = words::counted(self.rows, "held-out row", "held-out rows");
        let level = words::share(self.confidence);
        let design = match self.design {
            Design::Folds(folds) => format!("{folds} folds"),
            Design::HeldOut(share) => format!("{} held out", words::share(share)),
        };
        let times = if self.repeats == 1 { "once".into() } else { format!("{} times", self.repeats) };
        let left_out = match self.unknown_labels {
            0 => String::new(),
            n => format!(" {} of unknown label left out.", words::counted(n, "row", "rows")),
        };
        let mut groups: Vec<String> = Vec::new();
        for g in self.groups.iter().take(GROUPS) {
            let mark = if g.too_small { " †" } else { "" };
            groups.push(format!("{}{mark} {}", words::name(&g.group, 30), words::count(g.rows)));
        }
        if self.groups.len() > GROUPS {
            groups.push(format!("and {} more", self.groups.len() - GROUPS));
        }
        let attributes: Vec<String> = self.attributes.iter().map(|a| words::name(a, 30)).collect();
        vec![
            format!("Mitigations judged on {rows}; intervals hold with {level}."),
            format!("{design}, {times}, from seed {}.{left_out}", self.seed),
            format!("Rows by {}: {}.", attributes.join(" & "), groups.join(", ")),
        ]
    }

    fn sentences(&self) -> Vec<String> {
        self.mitigations.iter().map(|m| m.sentence.clone()).collect()
    }

    fn measures(&self) -> impl Iterator<Item = Measure> + '_ {
        self.unmitigated.iter().map(|f| f.measure)
    }

    pub(super) fn all_notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let points = self.frontier.iter().flat_map(|f| &f.points);
        if self.mitigations.iter().any(|m| m.knows_groups) || points.into_iter().any(|p| p.knows_groups) {
            notes.push(KNOWS_NOTE.into());
        }
        if self.groups.iter().any(|g| g.too_small) {
            notes.push("† too few rows to be compared.".into());
        }
        notes.extend(self.notes.iter().cloned());
        notes
    }

    fn rows_of(&self, measure: Measure) -> Vec<Row> {
        let before = self.unmitigated.iter().find(|f| f.measure == measure);
        let first = before.map(|f| Row {
            name: "unmitigated".into(),
            figure: figure(measure, &f.estimate),
            change: f.pair.as_ref().map_or_else(String::new, |p| {
                let [high, low] = [&p.highest, &p.lowest].map(|g| words::name(g, NAMES));
                format!("furthest apart {high} and {low}, in {}", p.rate.title())
            }),
        });
        let of = |m: &MitigationResult| Row {
            name: named(&m.name, m.knows_groups),
            figure: m.figure(measure).map_or_else(String::new, |f| figure(measure, &f.estimate)),
            change: m.change(measure).map_or_else(String::new, changed),
        };
        first.into_iter().chain(self.mitigations.iter().map(of)).collect()
    }
}

/// A line of a table.
pub(super) struct Row {
    pub name: String,
    pub figure: String,
    pub change: String,
}

/// `-3.1 points [-4.0, -2.2], helped`
fn changed(c: &Change) -> String {
    let effect = match c.effect {
        Some(Effect::Helped) => ", helped",
        Some(Effect::Hurt) => ", hurt",
        Some(Effect::NotShown) => ", not shown",
        None => "",
    };
    let repeats = c.between_repeats.map(|s| format!(" (± {} between repeats)", c.measure.unit_of_change().value(s)));
    format!("{}{effect}{}", signed(c.measure, &c.change), repeats.unwrap_or_default())
}

pub(super) fn figure(measure: Measure, e: &Estimate) -> String {
    words::unglued(&measure.unit().estimate(e))
}

pub(super) fn named(name: &str, knows_groups: bool) -> String {
    let mark = if knows_groups { KNOWS } else { "" };
    format!("{}{mark}", words::name(name, NAMES - 2))
}

pub(super) fn title_of(frontier: &Frontier) -> String {
    format!(
        "{} against {}, beside thresholds by group of the unmitigated scores",
        capital(frontier.performance.title()),
        frontier.disparity
    )
}

/// The points by rising disparity.
pub(super) fn points(frontier: &Frontier) -> Vec<Row> {
    let mut points: Vec<_> = frontier.points.iter().collect();
    let key = |e: &Estimate| e.value.unwrap_or(f64::INFINITY);
    points.sort_by(|a, b| key(&a.disparity).total_cmp(&key(&b.disparity)));
    let of = |p: &FrontierPoint| {
        let by: Vec<String> = p.dominated_by.iter().take(4).map(|name| words::name(name, NAMES)).collect();
        let more = if p.dominated_by.len() > 4 { format!(" and {} more", p.dominated_by.len() - 4) } else { "".into() };
        let mark = if p.kind == PointKind::Mitigation { "" } else { "baseline; " };
        Row {
            name: named(&p.name, p.knows_groups),
            figure: format!(
                "{mark}{}; disparity {}",
                figure(frontier.performance, &p.performance),
                figure(frontier.disparity, &p.disparity)
            ),
            change: if by.is_empty() {
                String::new()
            } else {
                format!("shown worse in both than {}{more}", by.join(", "))
            },
        }
    };
    points.into_iter().map(of).collect()
}

fn table(out: &mut String, heads: [&str; 3], rows: Vec<Row>) {
    out.push_str(&format!("| {} |\n| :-- | :-- | :-- |\n", heads.join(" | ")));
    for row in rows {
        out.push_str(&format!("| {} | {} | {} |\n", escape(&row.name), escape(&row.figure), escape(&row.change)));
    }
}

fn bullets(out: &mut String, title: &str, sentences: &[String]) {
    if !sentences.is_empty() {
        out.push_str(&format!("\n## {title}\n\n"));
        sentences.iter().for_each(|s| out.push_str(&format!("- {}\n", escape(s))));
    }
}

fn list(out: &mut String, title: &str, sentences: &[String]) {
    if !sentences.is_empty() {
        out.push('\n');
        flow(out, "", title);
        sentences.iter().for_each(|s| flow(out, "  - ", &words::unglued(s)));
    }
}

/// Text in as many lines as it needs: the first after `first`, the others indented by as much.
fn flow(out: &mut String, first: &str, text: &str) {
    let indent = words::width(first);
    for (i, line) in words::wrap(text, WIDTH.saturating_sub(indent)).iter().enumerate() {
        let before = if i == 0 { first.to_string() } else { " ".repeat(indent) };
        out.push_str(format!("{before}{line}").trim_end());
        out.push('\n');
    }
}
