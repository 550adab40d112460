//! `evenhand metrics`: the catalog, as text in 80 columns, Markdown or JSON.

use std::fmt::Write;

use evenhand::Error;
use evenhand::metrics::catalog::{self, CRITERIA, CriterionEntry, Direction, Entry, Join, METRICS};
use evenhand::metrics::{MeasureEntry, Need, Of};
use serde_json::{Value, json};

use crate::args::{ListFormat, MetricsArgs};
use crate::failure::Failure;
use crate::manner;
use crate::output;

const WIDTH: usize = 80;

/// A part of the catalog.
struct Listing {
    metrics: Vec<&'static Entry>,
    criteria: Vec<&'static CriterionEntry>,
    measures: Vec<&'static MeasureEntry>,
}

pub fn run(args: &MetricsArgs) -> Result<(), Failure> {
    let listing = match args.name.as_deref().map(str::trim) {
        None => Listing {
            metrics: METRICS.iter().collect(),
            criteria: CRITERIA.iter().collect(),
            measures: catalog::measures().collect(),
        },
        Some(name) => find(name)?,
    };
    let text = match args.format {
        ListFormat::Text => text(&listing),
        ListFormat::Json => json(&listing)?,
        ListFormat::Markdown => markdown(&listing),
    };
    output::to_stdout(text.as_bytes())
}

/// What is called so; or else what peers call so, and whose name has it as a part.
fn find(name: &str) -> Result<Listing, Failure> {
    let own = name.to_lowercase().replace([' ', '-'], "_");
    let metrics: Vec<_> = catalog::metric(&own).into_iter().collect();
    let criteria: Vec<_> = catalog::criterion_entry(&own).into_iter().collect();
    let measures: Vec<_> = catalog::measure(&own).into_iter().collect();
    if !metrics.is_empty() || !criteria.is_empty() || !measures.is_empty() {
        return Ok(Listing { metrics, criteria, measures });
    }
    let called = |also: &str| also.split([' ', ',', ';', ':', '(', ')']).any(|word| word.eq_ignore_ascii_case(name));
    let part = |whole: &str| !own.is_empty() && format!("_{whole}_").contains(&format!("_{own}_"));
    let found = Listing {
        metrics: METRICS.iter().filter(|m| called(m.also) || part(m.name)).collect(),
        criteria: CRITERIA.iter().filter(|c| called(c.also) || part(c.name)).collect(),
        measures: catalog::measures().filter(|m| called(m.also) || part(m.name)).collect(),
    };
    if name.is_empty() || (found.metrics.is_empty() && found.criteria.is_empty() && found.measures.is_empty()) {
        let likeness = |n: &str| strsim::jaro_winkler(&own, n);
        let nearest = catalog::names().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let suggestion = nearest.filter(|n| likeness(n) > 0.8).map(String::from);
        let available = catalog::names().map(String::from).collect();
        return Err(Error::Unknown {
            kind: "metric",
            name: name.into(),
            context: String::new(),
            suggestion,
            available,
        }
        .into());
    }
    Ok(found)
}

fn needs(entry: &Entry) -> Vec<&'static str> {
    let needs = [(entry.needs.label, "label"), (entry.needs.decision, "decision"), (entry.needs.score, "score")];
    needs.into_iter().filter(|(needed, _)| *needed).map(|(_, what)| what).collect()
}

fn better(direction: Direction) -> &'static str {
    match direction {
        Direction::Higher => "higher is better for a group",
        Direction::Lower => "lower is better for a group",
        Direction::Neither => "neither way is better",
    }
}

/// The range; the catalog's least number of all stands for no limit.
fn range(entry: &Entry) -> String {
    let least = least(entry).map_or("any".into(), |v| v.to_string());
    match entry.most {
        Some(most) => format!("{least} to {most}"),
        None if least == "any" => "any number".into(),
        None => format!("{least} and up"),
    }
}

fn least(entry: &Entry) -> Option<f64> {
    Some(entry.least).filter(|v| *v > f64::MIN)
}

fn forms(criterion: &CriterionEntry) -> &'static str {
    match (criterion.difference, criterion.ratio) {
        (true, true) => "difference, ratio",
        (true, false) => "difference",
        _ => "ratio",
    }
}

fn compares(criterion: &CriterionEntry) -> String {
    let of = criterion.metrics.join(" and ");
    match criterion.join {
        Join::Single => of,
        Join::Worst => format!("{of}, the worse"),
        Join::Mean => format!("{of}, the mean"),
    }
}

fn text(listing: &Listing) -> String {
    let mut out = String::new();
    let heading = |title: &str, out: &mut String| {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(title);
        out.push('\n');
    };
    if !listing.metrics.is_empty() {
        heading("METRICS of one group (TP, FP, FN, TN: sums of weights by label and decision)", &mut out);
    }
    for metric in &listing.metrics {
        let _ = write!(out, "\n{}\n", metric.name);
        line(&mut out, "is", metric.title);
        line(&mut out, "formula", metric.formula);
        line(&mut out, "needs", &needs(metric).join(", "));
        line(&mut out, "range", &format!("{}; {}", range(metric), better(metric.direction)));
        line(&mut out, "source", metric.source);
        line(&mut out, "also", metric.also);
    }
    if !listing.criteria.is_empty() {
        heading("CRITERIA: comparisons of groups that the field has names for", &mut out);
    }
    for criterion in &listing.criteria {
        let _ = write!(out, "\n{}\n", criterion.name);
        line(&mut out, "asks", criterion.title);
        line(&mut out, "compares", &compares(criterion));
        line(&mut out, "as", forms(criterion));
        if criterion.conditional {
            line(&mut out, "needs", "strata (`--stratum`)");
        }
        line(&mut out, "source", criterion.source);
        line(&mut out, "also", criterion.also);
    }
    if !listing.measures.is_empty() {
        heading("MEASURES of decisions, scores, segments, uplift and delivery", &mut out);
    }
    for measure in &listing.measures {
        let _ = write!(out, "\n{}\n", measure.name);
        line(&mut out, "is", measure.title);
        line(&mut out, "of", of(measure));
        line(&mut out, "formula", measure.formula);
        line(&mut out, "needs", &needed(measure));
        line(&mut out, "range", &scale(measure));
        line(&mut out, "source", measure.source);
        line(&mut out, "also", measure.also);
    }
    out
}

/// What a measure needs, in words.
fn needed(measure: &MeasureEntry) -> String {
    let word = |need: &Need| match need {
        Need::Label => "label",
        Need::LabelOrTarget => "label or target",
        Need::Decision => "decision",
        Need::Score => "score",
        Need::Probability => "score in [0, 1]",
        Need::Segments => "segment",
        Need::Order => "order of segments",
        Need::Values => "value of segments",
        Need::Classes => "true class",
        Need::Earlier => "earlier segment",
        Need::Strata => "stratum",
        Need::Treatment => "who was treated",
        Need::Outcome => "outcome",
        Need::Uplift => "predicted uplift",
        Need::Predictions => "predicted outcomes",
        Need::Delivery => "delivery counts or offers",
        _ => "more",
    };
    measure.needs.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn of(measure: &MeasureEntry) -> &'static str {
    match measure.of {
        Of::Group => "one group",
        Of::Pair => "two groups",
        Of::Table => "all groups",
    }
}

/// The range, and what is fair or better.
fn scale(measure: &MeasureEntry) -> String {
    let range = match (measure.least, measure.most) {
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("{least} and up"),
        (None, Some(most)) => format!("up to {most}"),
        (None, None) => "any number".into(),
    };
    match measure.fair {
        Some(fair) => format!("{range}; {fair} where groups are treated alike"),
        None => format!("{range}; {}", better(measure.direction)),
    }
}

/// A key and its text, the text wrapped beside it.
fn line(out: &mut String, key: &str, value: &str) {
    const INDENT: usize = 12;
    if value.is_empty() {
        return;
    }
    let _ = writeln!(out, "  {key:<w$}{}", manner::wrap(value, INDENT, INDENT, WIDTH), w = INDENT - 2);
}

fn markdown(listing: &Listing) -> String {
    let mut out = String::new();
    let cell = |text: &str| text.replace('|', "\\|");
    if !listing.metrics.is_empty() {
        out.push_str(
            "| metric | is | formula | needs | range | better | source | also |\n|---|---|---|---|---|---|---|---|\n",
        );
    }
    for m in &listing.metrics {
        let better = match m.direction {
            Direction::Higher => "higher",
            Direction::Lower => "lower",
            Direction::Neither => "neither",
        };
        let cells = [m.title, &format!("`{}`", m.formula), &needs(m).join(", "), &range(m), better, m.source, m.also]
            .map(cell)
            .join(" | ");
        let _ = writeln!(out, "| `{}` | {cells} |", m.name);
    }
    if !listing.criteria.is_empty() {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(
            "| criterion | asks | compares | as | within strata | source | also |\n|---|---|---|---|---|---|---|\n",
        );
    }
    for c in &listing.criteria {
        let within = if c.conditional { "yes" } else { "no" };
        let cells = [c.title, &compares(c), forms(c), within, c.source, c.also].map(cell).join(" | ");
        let _ = writeln!(out, "| `{}` | {cells} |", c.name);
    }
    if !listing.measures.is_empty() {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(
            "| measure | is | of | formula | needs | range | source | also |\n|---|---|---|---|---|---|---|---|\n",
        );
    }
    for m in &listing.measures {
        let formula = format!("`{}`", m.formula);
        let cells = [m.title, of(m), &formula, &needed(m), &scale(m), m.source, m.also].map(cell).join(" | ");
        let _ = writeln!(out, "| `{}` | {cells} |", m.name);
    }
    out
}

fn json(listing: &Listing) -> Result<String, Failure> {
    let wrong = |e: serde_json::Error| Failure::new(format!("cannot write JSON: {e}"), "please report it");
    let mut metrics = Vec::new();
    for metric in &listing.metrics {
        let mut value = serde_json::to_value(metric).map_err(wrong)?;
        value["least"] = least(metric).map_or(Value::Null, Value::from);
        metrics.push(value);
    }
    let all = json!({ "metrics": metrics, "criteria": listing.criteria, "measures": listing.measures });
    Ok(serde_json::to_string_pretty(&all).map_err(wrong)? + "\n")
}
