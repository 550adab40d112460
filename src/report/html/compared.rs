//! The page of what changed from one report to another: the same style, script and policy as an audit's.

use askama::Template;

use super::finding::ticks;
use super::scale::{Scale, Tick, place};
use super::sheet::Sheet;
use super::{Frame, laid_out};
use crate::audit::Comparison;
use crate::compare::wording::{subject, tallied, units};
use crate::compare::{Absent, Change, Changes, Effect, FindingChange, ModelChanges};
use crate::error::Result;
use crate::metrics::Estimate;
use crate::report::bar;
use crate::report::compared as shared;
use crate::report::view::{MORE, NAME};
use crate::report::words::{self, Unit, count, name, unglued};

/// What a page shows, so that it stays a page.
const CARDS: usize = 40;
const DISPARITIES: usize = 40;
const ATTRIBUTES: usize = 24;
const GROUPS: usize = 60;
const ABSENT: usize = 200;

#[derive(Template)]
#[template(path = "report/compared.html")]
struct Page {
    frame: Frame,
    title: String,
    word: &'static str,
    class: &'static str,
    summary: String,
    sides: [String; 2],
    facts: Vec<(&'static str, String)>,
    tally: String,
    cards: Vec<Card>,
    more: Option<String>,
    models: Vec<ModelPart>,
    several: bool,
    absent: Option<Sheet>,
    settings: Option<Sheet>,
    notes: Vec<String>,
}

/// A finding before and after.
struct Card {
    word: &'static str,
    class: &'static str,
    badge: &'static str,
    subject: String,
    verdicts: String,
    sentence: String,
    figures: String,
    notes: Vec<String>,
    gauge: Option<Gauge>,
}

/// A finding before and after on its scale.
struct Gauge {
    label: String,
    sides: [Mark; 2],
    /// What is allowed: from where, and how wide.
    allowed: (String, String),
    bounds: Vec<String>,
    ticks: Vec<Tick>,
}

struct ModelPart {
    id: String,
    name: String,
    parts: Vec<TablePart>,
    more: Option<String>,
}

struct TablePart {
    id: String,
    name: String,
    plots: Vec<Dumbbells>,
    open: bool,
}

/// Figures before and after, each in a row of a table that also tells them in figures.
struct Dumbbells {
    caption: String,
    head: &'static str,
    ticks: Vec<Tick>,
    rows: Vec<Dumbbell>,
    notes: Vec<String>,
}

struct Dumbbell {
    name: String,
    mark: Option<char>,
    sides: [Mark; 2],
    figures: [String; 2],
    change: String,
    chance: String,
}

/// A figure and the ends of its interval, in percent of the chart's width.
struct Mark {
    at: Option<String>,
    interval: Option<(String, String)>,
}

fn class(effect: Effect) -> &'static str {
    match effect {
        Effect::Worse => "fail",
        Effect::Better => "pass",
        Effect::NotComparable => "unsure",
        _ => "none",
    }
}

impl Mark {
    fn of(e: &Estimate, scale: Scale) -> Self {
        let end = |v: Option<f64>, open: f64| v.map_or_else(|| place(open), |v| scale.x(v));
        Mark {
            at: e.value.map(|v| scale.x(v)),
            interval: e.value.and(e.low.or(e.high)).map(|_| (end(e.low, 0.0), end(e.high, 100.0))),
        }
    }
}

/// A chart of changes that are written in one unit; none where none of them has a figure.
fn dumbbells(caption: String, head: &'static str, changes: &[&Change], limit: usize) -> Option<Dumbbells> {
    let (unit, _) = units(changes.first()?);
    let shown = &changes[..changes.len().min(limit)];
    let ends = |e: &Estimate| [e.value, e.low, e.high];
    let values = || shown.iter().flat_map(|c| ends(&c.before).into_iter().chain(ends(&c.after)));
    // Intervals of ratios may reach far beyond what is of interest.
    let capped = |v: Option<f64>| if unit == Unit::Ratio { v.map(|v| v.min(2.0)) } else { v };
    let any = values().flatten().next().is_some();
    let scale = Scale::around(values().map(capped), unit).or_else(|| Scale::new(0.0, 1.0)).filter(|_| any);
    let scale = scale.or_else(|| Scale::new(0.0, 1.0))?;
    let row = |c: &&Change| Dumbbell {
        name: if head == "Group" { group(c) } else { subject(c) },
        mark: (c.effect != Effect::NotShown).then(|| shared::mark(c.effect)),
        sides: [Mark::of(&c.before, scale), Mark::of(&c.after, scale)],
        figures: [&c.before, &c.after].map(|e| unit.estimate(e).replace("\u{a0}[", " [")),
        change: unglued(&shared::difference(c)),
        chance: c.p_adjusted.map_or_else(|| "\u{2013}".into(), |p| unglued(&words::chance(p))),
    };
    let mut notes = Vec::new();
    if changes.len() > limit {
        notes.push(format!("and {} more, {MORE}.", count((changes.len() - limit) as u64)));
    }
    Some(Dumbbells { caption, head, ticks: scale.ticks(unit), rows: shown.iter().map(row).collect(), notes })
}

fn group(c: &Change) -> String {
    if c.attribute == "overall" { "All rows".into() } else { name(c.group.as_deref().unwrap_or_default(), 2 * NAME) }
}

fn card(model: Option<&str>, f: &FindingChange) -> Card {
    let notes =
        shared::chances(&f.change, "findings").into_iter().chain(f.change.notes.iter().map(|n| shared::sentence(n)));
    let what = shared::about(model, &f.change);
    Card {
        word: shared::word(f.change.effect),
        badge: class(f.change.effect),
        class: if f.turned_to_fail() { "fail" } else { class(f.change.effect) },
        gauge: gauge(f),
        figures: unglued(&shared::both(&f.change)),
        subject: what,
        verdicts: unglued(&format!("{}, {}", shared::verdicts(f.verdicts), shared::bound(f))),
        sentence: shared::sentence(&f.change.sentence),
        notes: notes.map(|n| unglued(&n)).collect(),
    }
}

fn gauge(f: &FindingChange) -> Option<Gauge> {
    let bar::Scale { from, to, floor, ceiling } = shared::scale(f)?;
    let scale = Scale::new(from, to)?;
    let (unit, _) = units(&f.change);
    let (least, most) = (scale.at(floor.unwrap_or(from)), scale.at(ceiling.unwrap_or(to)));
    let bounds: Vec<f64> = [floor, ceiling].into_iter().flatten().filter(|b| scale.holds(*b)).collect();
    Some(Gauge {
        label: unglued(&shared::both(&f.change)),
        sides: [Mark::of(&f.change.before, scale), Mark::of(&f.change.after, scale)],
        allowed: (place(least), place((most - least).max(0.0))),
        ticks: ticks(scale, (from, to), &bounds, unit),
        bounds: bounds.iter().map(|b| scale.x(*b)).collect(),
    })
}

fn part(part: &shared::Part, id: String, open: bool) -> TablePart {
    // What is written in one unit is drawn on one scale.
    let of = |comparison: Comparison| {
        let fits = |c: &&&Change| c.comparison == Some(comparison);
        part.disparities.iter().filter(fits).copied().collect::<Vec<_>>()
    };
    let mut plots: Vec<Dumbbells> = Vec::new();
    for (comparison, title) in [
        (Comparison::Difference, "Differences between groups"),
        (Comparison::Ratio, "Ratios between groups"),
        (Comparison::Value, "Measures between groups"),
    ] {
        let (points, plain): (Vec<_>, Vec<_>) = of(comparison).into_iter().partition(|c| units(c).0 == Unit::Points);
        for (list, unit) in [(points, ", in points"), (plain, "")] {
            plots.extend(dumbbells(format!("{title}{unit}"), "Disparity", &list, DISPARITIES));
        }
    }
    if let Some(last) = plots.last_mut().filter(|_| part.more > 0) {
        last.notes.push(format!("and {} more disparities, {MORE}.", count(part.more as u64)));
    }
    for (metric, changes) in &part.figures {
        plots.extend(dumbbells(words::capital(&words::title(metric)), "Group", changes, GROUPS));
    }
    TablePart { id, name: words::capital(&shared::heading(part)), plots, open }
}

fn model(m: &ModelChanges, number: usize) -> ModelPart {
    let parts = shared::parts(m, false);
    let more = parts.len().saturating_sub(ATTRIBUTES);
    let id = format!("m{number}");
    ModelPart {
        name: name(&m.after, 2 * NAME),
        parts: parts
            .iter()
            .take(ATTRIBUTES)
            .enumerate()
            .map(|(i, p)| self::part(p, format!("{id}t{i}"), i < ATTRIBUTES / 3))
            .collect(),
        more: (more > 0).then(|| format!("and {} more attributes, {MORE}.", count(more as u64))),
        id,
    }
}

fn absent(changes: &Changes) -> Option<Sheet> {
    let mut sheet = Sheet::new("In one report only", &["What", "Kind", "Of", "Only"]);
    sheet.text = true;
    for (all, when) in [(&changes.only_before, "before"), (&changes.only_after, "after")] {
        let row = |a: &Absent| {
            let of = a.of.as_ref().map_or_else(|| "\u{2013}".into(), |of| name(of, 2 * NAME));
            (name(&a.name, 2 * NAME), vec![name(&a.kind, 20), of, when.to_string()])
        };
        all.iter().take(ABSENT).map(row).for_each(|(name, cells)| sheet.row(name, cells));
        if all.len() > ABSENT {
            sheet.notes.push(format!("and {} more {when}, {MORE}.", count((all.len() - ABSENT) as u64)));
        }
    }
    (!sheet.rows.is_empty()).then_some(sheet)
}

fn settings(changes: &Changes) -> Option<Sheet> {
    let mut sheet = Sheet::new("Settings that differ", &["Setting", "Before", "After"]);
    sheet.text = true;
    for s in &changes.settings {
        sheet.row(shared::sentence(&s.setting), vec![shared::sentence(&s.before), shared::sentence(&s.after)]);
    }
    (!sheet.rows.is_empty()).then_some(sheet)
}

impl Changes {
    /// The changes as one HTML file that opens anywhere, without a connection: every figure before and after on one scale,
    /// with its intervals, in a table that also tells it. Needs the feature `html`.
    ///
    /// It has the style, script and content security policy of [`Report::to_html`](crate::report::Report::to_html). Names from
    /// the data are escaped.
    ///
    /// # Errors
    /// [`Error::BadReport`](crate::Error::BadReport), which no changes that came from a comparison give.
    pub fn to_html(&self) -> Result<String> {
        let all = shared::findings(self);
        let cards = all.iter().take(CARDS).map(|(m, f)| card(*m, f)).collect();
        let models = shared::models(self, false);
        let page = Page {
            frame: Frame::new(env!("CARGO_PKG_VERSION")),
            title: format!("{}: one bias audit against another", shared::word(self.effect)),
            word: shared::word(self.effect),
            class: class(self.effect),
            summary: shared::sentence(&self.summary),
            sides: [&self.before, &self.after].map(|s| name(&s.name, 2 * NAME)),
            facts: shared::compared(self).into_iter().map(|(label, text)| (label, unglued(&text))).collect(),
            tally: tallied(all.iter().map(|(_, f)| &f.change)),
            cards,
            more: (all.len() > CARDS)
                .then(|| format!("and {} more findings, {MORE}.", count((all.len() - CARDS) as u64))),
            several: models.len() > 1,
            models: models.into_iter().enumerate().map(|(i, m)| model(m, i)).collect(),
            absent: absent(self),
            settings: settings(self),
            notes: self.notes.iter().map(|n| shared::sentence(n)).chain([shared::LEGEND.into()]).collect(),
        };
        laid_out(&page)
    }
}
