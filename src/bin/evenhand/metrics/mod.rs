//! `evenhand metrics`: the catalog, as text in 80 columns, Markdown, pages or JSON.

mod markdown;
mod pages;
mod text;

use evenhand::Error;
use evenhand::metrics::catalog::{self, CRITERIA, CriterionEntry, Direction, Entry, Join, METRICS};
use evenhand::metrics::{MeasureEntry, Need, Of};
use serde_json::{Value, json};

use crate::args::{ListFormat, MetricsArgs};
use crate::failure::Failure;
use crate::output;

/// A part of the catalog.
struct Listing {
    metrics: Vec<&'static Entry>,
    criteria: Vec<&'static CriterionEntry>,
    measures: Vec<&'static MeasureEntry>,
}

pub fn run(args: &MetricsArgs) -> Result<(), Failure> {
    if let Some(folder) = &args.pages {
        return pages::write(folder);
    }
    let listing = match args.name.as_deref().map(str::trim) {
        None => Listing {
            metrics: METRICS.iter().collect(),
            criteria: CRITERIA.iter().collect(),
            measures: catalog::measures().collect(),
        },
        Some(name) => find(name)?,
    };
    let text = match args.format {
        ListFormat::Text => text::text(&listing),
        ListFormat::Json => json(&listing)?,
        ListFormat::Markdown => markdown::list(&listing),
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

fn json(listing: &Listing) -> Result<String, Failure> {
    let wrong = |e: serde_json::Error| Failure::new(format!("cannot write JSON: {e}"), "please report it");
    let with_method = |entry: serde_json::Result<Value>, name: &str| -> Result<Value, Failure> {
        let mut value = entry.map_err(wrong)?;
        if let Some(method) = catalog::method(name) {
            value["interval"] = method.interval.into();
            value["undefined"] = method.undefined.into();
        }
        Ok(value)
    };
    let mut metrics = Vec::new();
    for metric in &listing.metrics {
        let mut value = with_method(serde_json::to_value(metric), metric.name)?;
        value["least"] = least(metric).map_or(Value::Null, Value::from);
        metrics.push(value);
    }
    let criteria: Vec<Value> =
        listing.criteria.iter().map(|c| with_method(serde_json::to_value(c), c.name)).collect::<Result<_, _>>()?;
    let measures: Vec<Value> =
        listing.measures.iter().map(|m| with_method(serde_json::to_value(m), m.name)).collect::<Result<_, _>>()?;
    let all = json!({ "metrics": metrics, "criteria": criteria, "measures": measures });
    Ok(serde_json::to_string_pretty(&all).map_err(wrong)? + "\n")
}
