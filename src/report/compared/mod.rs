//! The forms of what changed from one report to another, and what they share.

mod json;
mod markdown;
mod text;

use std::collections::BTreeSet;

use super::bar;
use super::grid::{Grid, GridRow};
use super::view::{MORE, NAME};
use super::words::{self, Unit, count, counted, name, title, unglued};
use crate::audit::{Comparison, Verdict};
use crate::compare::wording::{subject, units};
use crate::compare::{Absent, Change, Changes, Effect, FindingChange, ModelChanges, Side};
use crate::metrics::Estimate;
use crate::metrics::catalog::{self, Join};

/// The findings, and the disparities of an attribute, that a shortened form shows.
const FINDINGS: usize = 12;
const DISPARITIES: usize = 8;
/// The attributes and intersections that it shows, and the groups of each.
const ATTRIBUTES: usize = 8;
const GROUPS: usize = 12;
/// The names of what only one report has.
const ABSENT: usize = 12;
/// The metrics that groups are shown by.
const METRICS: [&str; 6] =
    ["selection_rate", "base_rate", "true_positive_rate", "false_positive_rate", "precision", "mean_score"];

/// The mark and the word of an effect; neither needs colour.
pub(super) fn word(effect: Effect) -> &'static str {
    match effect {
        Effect::Worse => "✗ WORSE",
        Effect::Better => "✓ BETTER",
        Effect::Rose => "↑ ROSE",
        Effect::Fell => "↓ FELL",
        Effect::NotShown => "– NO CHANGE SHOWN",
        Effect::NotComparable => "? NOT COMPARABLE",
    }
}

/// Only the mark.
pub(super) fn mark(effect: Effect) -> char {
    word(effect).chars().next().unwrap_or(' ')
}

/// The verdict that an effect is painted as.
fn painted(effect: Effect) -> Option<Verdict> {
    match effect {
        Effect::Worse => Some(Verdict::Fail),
        Effect::Better => Some(Verdict::Pass),
        _ => None,
    }
}

/// The two verdicts of a finding: `✓ PASS → ✗ FAIL`, or one where they are the same.
pub(super) fn verdicts(of: [Verdict; 2]) -> String {
    match of {
        [a, b] if a == b => format!("{} as before", words::verdict(a)),
        [a, b] => format!("{} → {}", words::verdict(a), words::verdict(b)),
    }
}

/// What is compared, as pairs of a heading and a text.
pub(super) fn compared(changes: &Changes) -> Vec<(&'static str, String)> {
    let side = |s: &Side| {
        let created = s.created.as_ref().map(|c| format!(", {}", name(c, 40))).unwrap_or_default();
        let rows = counted(s.rows, "row", "rows");
        format!("{}: {rows}{created}, evenhand {}", name(&s.name, 60), name(&s.version, 20))
    };
    let mut facts = vec![("Before", side(&changes.before)), ("After", side(&changes.after))];
    for m in changes.models.iter().take(ATTRIBUTES) {
        let names = match m.before == m.after {
            true => name(&m.after, NAME),
            false => format!("{} → {}", name(&m.before, NAME), name(&m.after, NAME)),
        };
        facts.push(("Model", format!("{names}: {}", verdicts(m.verdicts))));
    }
    if changes.models.len() > ATTRIBUTES {
        facts.push(("Model", format!("and {} more, {MORE}", count((changes.models.len() - ATTRIBUTES) as u64))));
    }
    let percent = (changes.confidence * 1e6).round() / 1e4;
    facts.push(("Confidence", format!("{percent} %; p-values adjusted by Holm, in each list for itself")));
    facts
}

/// A figure before and after, with intervals: `25.8 % [24.9, 26.6] → 27.1 % [26.0, 28.1]`.
pub(super) fn both(change: &Change) -> String {
    let (unit, _) = units(change);
    format!("{} → {}", unit.estimate(&change.before), unit.estimate(&change.after))
}

/// The difference: `+1.3 points [0.2, 2.4]`.
pub(super) fn difference(change: &Change) -> String {
    let (_, unit) = units(change);
    let text = unit.estimate(&change.difference);
    if change.difference.value.is_some_and(|d| d > 0.0) { format!("+{text}") } else { text }
}

/// How sure a change is: `p = 0.013 (square-and-add); for all findings together p = 0.026 (Holm).`
pub(super) fn chances(change: &Change, list: &str) -> Option<String> {
    let p = change.p_value?;
    let test = change.test.as_ref().map(|t| format!(" ({})", name(t, 60))).unwrap_or_default();
    let all = change.p_adjusted.map(|p| format!("; for all {list} together {} (Holm)", words::chance(p)));
    Some(format!("{}{test}{}.", words::chance(p), all.unwrap_or_default()))
}

/// The bound of a finding, as it is now.
pub(super) fn bound(f: &FindingChange) -> String {
    let unit = f.change.comparison.map_or(Unit::Plain, |c| Unit::compared(&f.change.metric, c));
    format!("needs {}", words::bound(unit, f.minimum[1], f.maximum[1]))
}

/// From where to where a finding is drawn before and after, and what is allowed there; `None` where either has no figure.
pub(super) fn scale(f: &FindingChange) -> Option<bar::Scale> {
    let c = &f.change;
    let (was, is, comparison) = (c.before.value?, c.after.value?, c.comparison?);
    let against = c.against.as_deref().unwrap_or_default();
    let (floor, ceiling) = bar::allowed(comparison, against, [f.minimum[1], f.maximum[1]], was.min(is));
    let ends = [&c.before, &c.after].into_iter().flat_map(|e| [e.low, e.high]);
    let all = || ends.clone().chain([Some(was), Some(is), floor, ceiling]).flatten();
    let most = all().fold(0.0, f64::max);
    let (from, to) = match comparison {
        // Intervals of ratios may reach far beyond what is of interest.
        Comparison::Ratio => (0.0, most.clamp(1.0, ceiling.unwrap_or(1.0).max(was).max(is).max(1.0))),
        _ => (-bar::round_up(-all().fold(0.0, f64::min)), bar::round_up(most)),
    };
    Some(bar::Scale { from, to, floor, ceiling })
}

/// The findings of all models, with the model where there are several; in the order of each.
pub(super) fn findings(changes: &Changes) -> Vec<(Option<&str>, &FindingChange)> {
    let several = changes.models.len() > 1;
    let mut all: Vec<(Option<&str>, &FindingChange)> = changes
        .models
        .iter()
        .flat_map(|m| m.findings.iter().map(move |f| (several.then_some(m.after.as_str()), f)))
        .collect();
    all.sort_by_key(|(_, f)| (!f.turned_to_fail(), f.change.effect != Effect::Worse, !f.turned()));
    all
}

/// What a finding or disparity is of.
pub(super) fn about(model: Option<&str>, change: &Change) -> String {
    let of = model.map(|m| format!("{}: ", name(m, NAME))).unwrap_or_default();
    format!("{of}{}", subject(change))
}

/// Whether something is shown of it.
fn shown(change: &Change) -> bool {
    !matches!(change.effect, Effect::NotShown | Effect::NotComparable)
}

/// Whether it is a metric's comparison under another name.
fn repeats(c: &Change) -> bool {
    catalog::criterion_entry(&c.metric).is_some_and(|e| e.join == Join::Single && !e.conditional)
}

/// What is said by attribute.
pub(super) struct Part<'c> {
    attribute: &'c str,
    /// The disparities worth a line: those between all groups that changed, then the leading ones, then others that changed.
    pub disparities: Vec<&'c Change>,
    /// How many more there are.
    pub more: usize,
    /// Groups by metric.
    pub figures: Vec<(&'c str, Vec<&'c Change>)>,
}

/// The attributes of a model, all rows first.
pub(super) fn parts<'c>(model: &'c ModelChanges, full: bool) -> Vec<Part<'c>> {
    let mut attributes: Vec<&str> = Vec::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for c in model.figures.iter().chain(&model.disparities) {
        if seen.insert(&c.attribute) {
            attributes.push(&c.attribute);
        }
    }
    attributes.into_iter().map(|attribute| part(model, attribute, full)).collect()
}

fn part<'c>(model: &'c ModelChanges, attribute: &'c str, full: bool) -> Part<'c> {
    let of_it = |c: &&Change| c.attribute == attribute;
    let mut disparities: Vec<&Change> = model.disparities.iter().filter(of_it).collect();
    let leading = METRICS.into_iter().find(|m| disparities.iter().any(|c| c.metric == *m));
    let rank = |c: &Change| match (c.is_between_groups(), shown(c)) {
        _ if !full && repeats(c) => None,
        (true, true) => Some(0),
        (true, false) if leading == Some(c.metric.as_str()) => Some(1),
        (false, true) => Some(2),
        _ => full.then_some(3),
    };
    disparities.retain(|c| rank(c).is_some());
    disparities.sort_by(|a, b| {
        let p = |c: &Change| c.p_adjusted.unwrap_or(2.0);
        rank(a).cmp(&rank(b)).then(p(a).total_cmp(&p(b)))
    });
    let all = disparities.len();
    if !full {
        disparities.truncate(DISPARITIES);
    }
    let figures: Vec<&Change> = model.figures.iter().filter(of_it).collect();
    let mut metrics: Vec<&str> = figures.iter().map(|c| c.metric.as_str()).collect();
    metrics.dedup();
    let known: BTreeSet<&str> = metrics.iter().copied().collect();
    let leading: Vec<&str> = METRICS.into_iter().filter(|m| known.contains(m)).collect();
    let wanted: Vec<&str> = match (full, leading.is_empty()) {
        (false, false) => leading.into_iter().filter_map(|m| known.get(m).copied()).collect(),
        _ => known.into_iter().collect(),
    };
    let of = |metric: &'c str| (metric, figures.iter().copied().filter(|c| c.metric == metric).collect::<Vec<_>>());
    let figures: Vec<(&str, Vec<&Change>)> = wanted.into_iter().map(of).collect();
    Part { attribute, more: all - disparities.len(), disparities, figures }
}

/// What a part is called.
pub(super) fn heading(part: &Part) -> String {
    if part.attribute == "overall" { "all rows".into() } else { format!("by {}", name(part.attribute, NAME)) }
}

impl Part<'_> {
    /// The metrics that a short form shows: the leading one, and what changed.
    fn telling(&self) -> impl Iterator<Item = &(&str, Vec<&Change>)> {
        let first = self.figures.first().map(|(metric, _)| *metric);
        self.figures.iter().filter(move |(metric, changes)| Some(*metric) == first || changes.iter().any(|c| shown(c)))
    }
}

/// One metric of groups, before and after.
fn grid(changes: &[&Change], limit: usize) -> Grid {
    let row = |c: &&Change| {
        let (unit, apart) = units(c);
        let decimals = unit.decimals(words::largest([c.before.value, c.after.value]));
        let figure = |e: &Estimate| e.value.map_or_else(|| "–".to_string(), |v| unit.bare(v, decimals));
        let d = &c.difference;
        let places = apart.decimals(words::largest([d.value, d.low, d.high]));
        let bare = |v: f64| apart.bare(v, places);
        let moved =
            d.value.map_or_else(|| "–".to_string(), |v| format!("{}{}", if v > 0.0 { "+" } else { "" }, bare(v)));
        let interval = d.interval().map(|(low, high)| format!(" [{}, {}]", bare(low), bare(high))).unwrap_or_default();
        let p =
            c.p_adjusted.map_or_else(|| "–".into(), |p| if p < 0.001 { "< 0.001".into() } else { format!("{p:.3}") });
        let group = c.group.clone().unwrap_or_default();
        GridRow {
            group: if c.attribute == "overall" { "All rows".into() } else { group },
            mark: match c.effect {
                Effect::Rose => " ↑",
                Effect::Fell => " ↓",
                _ => "",
            },
            cells: vec![figure(&c.before), figure(&c.after), format!("{moved}{interval}"), p],
        }
    };
    let mut notes = Vec::new();
    if changes.len() > limit {
        notes.push(format!("and {} more groups, {MORE}.", count((changes.len() - limit) as u64)));
    }
    Grid {
        heads: ["Before", "After", "Change", "p adj."].map(String::from).to_vec(),
        rows: changes.iter().take(limit).map(row).collect(),
        notes,
    }
}

/// A metric as the caption of its grid: `selection rate, in percent`.
fn caption(metric: &str) -> String {
    let unit = if Unit::of(metric) == Unit::Percent { ", in percent" } else { "" };
    format!("{}{unit}", title(metric))
}

/// What only one report has: `attribute age; group Other (race)`.
fn absent(all: &[Absent], limit: usize) -> String {
    let say = |a: &Absent| {
        let of = a.of.as_ref().map(|of| format!(" ({})", name(of, NAME))).unwrap_or_default();
        format!("{} {}{of}", name(&a.kind, 20), name(&a.name, NAME))
    };
    let shown: Vec<String> = all.iter().take(limit).map(say).collect();
    let more = all.len().saturating_sub(limit);
    if more > 0 { format!("{} and {} more, {MORE}", shown.join("; "), count(more as u64)) } else { shown.join("; ") }
}

/// The models worth a part of their own: of segments only those with findings or a shown change.
pub(super) fn models(changes: &Changes, full: bool) -> Vec<&ModelChanges> {
    let tells =
        |m: &&ModelChanges| full || m.findings.iter().any(|f| shown(&f.change)) || m.disparities.iter().any(shown);
    let mut all: Vec<&ModelChanges> = changes.models.iter().filter(tells).collect();
    if all.is_empty() {
        all.extend(changes.models.first());
    }
    all
}

/// A sentence made elsewhere, which may hold hostile names.
pub(super) fn sentence(text: &str) -> String {
    words::cut(words::clean(&unglued(text)).trim(), 600)
}

/// What is meant by the words, for who reads a form.
pub(super) const LEGEND: &str = "Better, worse: nearer to parity, farther from it. Rose, fell: of figures of which neither side is fairer. \
                      No change shown is no proof of none: the interval tells what could be.";
