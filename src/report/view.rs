//! What the forms for people share: what is said, in which order, in which words.
//!
//! Text that leaves here is harmless on a terminal; Markdown escapes it for its own syntax besides.

use std::collections::HashMap;

use super::words::{self, Unit, count, counted, name, title};
use super::{AttributeTable, DataSummary, Finding, LeftOut, ModelReport, OutcomeCoverage, Report};
use crate::audit::{Comparison, Policy, Verdict};
use crate::inference::multiplicity::Multiplicity;

/// The findings of one kind that a shortened list shows.
pub(super) const FINDINGS: usize = 12;
/// The intersections that a shortened report shows.
pub(super) const INTERSECTIONS: usize = 6;
/// The files that a report lists.
const FILES: usize = 8;
/// Where to find what is not shown.
pub(super) const MORE: &str = "see --format json";
/// The width that names are cut to in running text.
pub(super) const NAME: usize = 40;

/// The first few names, and how many more.
pub(crate) fn list(names: &[String], most: usize) -> String {
    match names.len() {
        n if n > most => format!("{} and {} more", names[..most].join(", "), count((n - most) as u64)),
        _ => names.join(", "),
    }
}

/// The verdict on the first line: without findings there is none.
pub(super) fn headline(report: &Report) -> &'static str {
    if report.findings().next().is_none() { "– NOT JUDGED" } else { words::verdict(report.verdict) }
}

/// What the data hold, as pairs of a heading and a text.
pub(super) fn audited(report: &Report) -> Vec<(String, String)> {
    let DataSummary { rows, weight, attributes, strata, filter } = &report.data;
    let mut lines = Vec::new();
    let inputs = &report.provenance.inputs;
    for input in inputs.iter().take(FILES) {
        lines.push(("File".into(), format!("{}: {}", name(&input.path, 60), words::file(input))));
    }
    if inputs.len() > FILES {
        let more = counted((inputs.len() - FILES) as u64, "more file", "more files");
        lines.push(("File".into(), format!("and {more}, {MORE}")));
    }
    let weight = weight.map(|w| format!(", of weight {}", Unit::Plain.bare(w, 1))).unwrap_or_default();
    lines.push(("Rows".into(), format!("{}{weight}", count(*rows))));
    if let Some(filter) = filter {
        lines.push(("Filter".into(), words::filter(filter)));
    }
    for m in report.models.iter().filter(|m| m.segment_of.is_none()) {
        lines.push(("Model".into(), format!("{}: {}", name(&m.model, NAME), words::rule(&m.rule))));
    }
    for c in attributes {
        lines.push(("Attribute".into(), format!("{}: {}", name(&c.column, NAME), words::coverage(c))));
    }
    for c in strata {
        lines.push(("Stratum".into(), format!("{}: {}", name(&c.column, NAME), words::coverage(c))));
    }
    lines
}

/// What a reader must know of a model before its figures.
pub(super) fn caveats(model: &ModelReport, rows: u64) -> Vec<String> {
    let OutcomeCoverage { unknown_labels, missing_decisions, missing_scores, selective_labels } = &model.coverage;
    let mut said = Vec::new();
    for (missing, what, so) in [
        (missing_decisions, "decision", "they count in no rate of selection"),
        (unknown_labels, "known label", "they are not taken for unfavourable"),
        (missing_scores, "score", "they count in no figure of scores"),
    ] {
        if let Some(n) = missing.filter(|n| *n > 0) {
            let part = if rows > 0 { words::share(n as f64 / rows as f64) } else { "all".into() };
            said.push(format!("{} ({part}) have no {what}: {so}.", counted(n, "row", "rows")));
        }
    }
    if let Some([selected, others]) = selective_labels {
        said.push(format!(
            "Selective labels: known for {} of the selected and {} of the others. What needs the labels of both \
             cannot be known; where possible, its bounds are shown.",
            words::share(*selected),
            words::share(*others)
        ));
    }
    said.extend(model.notes.iter().map(|n| sentence(n)));
    said
}

/// A sentence made elsewhere, which may hold hostile names.
pub(super) fn sentence(text: &str) -> String {
    words::cut(words::clean(text).trim(), 600)
}

/// What a finding is about: `disparate impact by sex`.
pub(super) fn subject(segment: Option<&str>, f: &Finding) -> String {
    let of = segment.map(|s| format!("{}: ", name(s, NAME))).unwrap_or_default();
    let against =
        if f.against == "between_groups" { String::new() } else { format!(", {}", words::against(&f.against)) };
    let ratio = if f.comparison == Comparison::Ratio && f.criterion != "disparate_impact" { " ratio" } else { "" };
    format!("{of}{}{ratio} by {}{against}", title(&f.criterion), name(&f.attribute, NAME))
}

/// A finding's figure alone: `0.61`.
pub(super) fn figure(f: &Finding) -> String {
    let unit = Unit::compared(&f.criterion, f.comparison);
    f.estimate.value.map_or_else(|| "undefined".into(), |v| unit.value(v))
}

/// How sure a finding is, and what would make it surer.
pub(super) fn details(f: &Finding, policy: &Policy) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(p) = f.p_value {
        let test = f.test.as_ref().map(|t| format!(" ({})", name(t, 60))).unwrap_or_default();
        let adjusted = match (f.p_adjusted, policy.multiplicity) {
            (Some(a), by) if by != Multiplicity::None => {
                format!("; for all findings together {} ({})", words::chance(a), multiplicity(by))
            }
            _ => String::new(),
        };
        said.push(format!("{}{test}{adjusted}.", words::chance(p)));
    }
    if let Some(noise) = f.noise {
        let unit = Unit::compared(&f.criterion, f.comparison);
        said.push(format!("Were all groups equal, noise alone would show about {}.", unit.value(noise)));
    }
    if let Some(rows) = f.rows_to_decide {
        said.push(format!("About {} would decide it, if the figure stays.", counted(rows, "more row", "more rows")));
    }
    if !f.left_out.is_empty() {
        let say = |l: &LeftOut| format!("{} ({})", name(&l.group, NAME), name(&l.reason, 60));
        said.push(format!("Not judged: {}.", list(&f.left_out.iter().map(say).collect::<Vec<_>>(), 5)));
    }
    said
}

/// The way p-values are adjusted, by its inventors.
fn multiplicity(m: Multiplicity) -> &'static str {
    match m {
        Multiplicity::None => "not adjusted",
        Multiplicity::Holm => "Holm",
        Multiplicity::BenjaminiHochberg => "Benjamini-Hochberg",
        Multiplicity::BenjaminiYekutieli => "Benjamini-Yekutieli",
    }
}

/// How many findings there are of each verdict: `2 fail, 1 inconclusive, 3 pass`.
pub(super) fn tallied(findings: &[(Option<&str>, &Finding)]) -> String {
    let of = |v: Verdict| findings.iter().filter(|(_, f)| f.verdict == v).count();
    let say = |v: Verdict| Some(of(v)).filter(|n| *n > 0).map(|n| format!("{} {v}", count(n as u64)));
    let parts: Vec<String> =
        [Verdict::Fail, Verdict::Inconclusive, Verdict::Pass].into_iter().filter_map(say).collect();
    if parts.is_empty() { "none: the policy has no criterion that applies".into() } else { parts.join(", ") }
}

/// The tables shown, and how many intersections are left out: those with the gravest findings stay.
pub(super) fn tables(model: &ModelReport, limit: usize) -> (Vec<&AttributeTable>, usize) {
    let crossed = |t: &AttributeTable| t.attributes.len() > 1;
    let place: HashMap<&str, usize> =
        model.findings.iter().enumerate().rev().map(|(i, f)| (f.attribute.as_str(), i)).collect();
    let mut grave: Vec<usize> = (0..model.tables.len()).filter(|i| crossed(&model.tables[*i])).collect();
    grave.sort_by_key(|i| place.get(model.tables[*i].attribute.as_str()).copied().unwrap_or(usize::MAX));
    let left_out: std::collections::HashSet<usize> = grave.iter().skip(limit).copied().collect();
    let kept = model.tables.iter().enumerate().filter(|(i, _)| !left_out.contains(i)).map(|(_, t)| t);
    (kept.collect(), left_out.len())
}

/// The models that stand side by side: all but the segments of a segmentation.
pub(super) fn models(report: &Report) -> Vec<&ModelReport> {
    report.models.iter().filter(|m| m.segment_of.is_none()).collect()
}

/// One line for each finding that any model has, with what each model has in it.
pub(super) fn side_by_side<'r>(models: &[&'r ModelReport]) -> Vec<(String, Vec<Option<&'r Finding>>)> {
    let key = |f: &Finding| (f.criterion.clone(), f.attribute.clone(), f.comparison, f.against.clone());
    let mut places: HashMap<_, usize> = HashMap::new();
    let mut lines: Vec<(String, Vec<Option<&Finding>>)> = Vec::new();
    for (i, m) in models.iter().enumerate() {
        for f in &m.findings {
            let at = *places.entry(key(f)).or_insert_with(|| {
                lines.push((subject(None, f), vec![None; models.len()]));
                lines.len() - 1
            });
            lines[at].1[i] = Some(f);
        }
    }
    lines
}

/// How the audit was made, as pairs of a heading and a text.
pub(super) fn method(report: &Report) -> Vec<(&'static str, String)> {
    let (p, s) = (&report.settings.policy, &report.settings);
    let mut lines = Vec::new();
    let criteria: Vec<String> = p.criteria.iter().map(words::criterion).collect();
    let criteria = if criteria.is_empty() { "no criteria".into() } else { list(&criteria, 12) };
    lines.push(("Policy", format!("{}: {criteria}", name(&p.name, NAME))));
    let adjusted = match p.multiplicity {
        Multiplicity::None => "p-values not adjusted".to_string(),
        by => format!("p-values adjusted by {}", multiplicity(by)),
    };
    let percent = (p.confidence * 1e6).round() / 1e4;
    lines.push(("Confidence", format!("{percent} %, {adjusted}")));
    let least_share = match p.minimum_group_share {
        s if s > 0.0 => format!(" or {} of all rows", words::share(s)),
        _ => String::new(),
    };
    lines.push(("Too small", format!("under {}{least_share}", counted(p.minimum_group_size, "row", "rows"))));
    let missing = if s.missing_as_group { "a group of its own" } else { "counted, no group" };
    lines.push(("Reference", format!("{}; missing: {missing}", sentence(&s.reference))));
    let replicates = counted(s.replicates as u64, "bootstrap replicate", "bootstrap replicates");
    lines.push(("Seed", format!("{}, {replicates}", s.seed)));
    let v = &report.provenance;
    let created = v.created.as_ref().map(|c| format!(", {}", name(c, 40))).unwrap_or_default();
    lines.push(("Made by", format!("evenhand {}{created}", name(&v.version, 20))));
    if !v.tally_digest.is_empty() {
        lines.push(("Counts", format!("blake3 {}", words::digest(&v.tally_digest))));
    }
    if let Some(command) = &v.command {
        lines.push(("Again", words::command(command)));
    }
    lines
}
