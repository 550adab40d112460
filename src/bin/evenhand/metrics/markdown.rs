//! The catalog as Markdown: an entry for each, with all that is known of it.

use std::fmt::Write;

use evenhand::metrics::catalog::{self, CriterionEntry, Entry};
use evenhand::metrics::{MeasureEntry, Need};

use super::{Listing, better, compares, forms, needed, needs, of, range, scale};

/// All of a listing, one behind the other.
pub fn list(listing: &Listing) -> String {
    let mut parts = Vec::new();
    parts.extend(listing.metrics.iter().map(|m| metric(m)));
    parts.extend(listing.criteria.iter().map(|c| criterion(c)));
    parts.extend(listing.measures.iter().map(|m| measure(m)));
    parts.join("\n")
}

/// A heading, what it is, a line for each fact, and a command.
fn entry(name: &str, title: &str, facts: &[(&str, String)], example: &str) -> String {
    let mut out = format!("### `{name}`\n\n{}.\n\n", capital(&plain(title)));
    let _ = writeln!(out, "| | |\n|---|---|");
    for (what, fact) in facts.iter().filter(|(_, fact)| !fact.is_empty()) {
        let _ = writeln!(out, "| {what} | {} |", fact.replace('|', "\\|"));
    }
    out + "\n" + example
}

/// Text in which nothing is a mark.
fn plain(text: &str) -> String {
    text.replace('*', "\\*").replace('_', "\\_").replace('<', "&lt;")
}

fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or(String::new(), |first| first.to_uppercase().chain(rest).collect())
}

fn told(name: &str) -> [(&'static str, String); 2] {
    let method = catalog::method(name);
    let [interval, undefined] = method.map_or(["", ""], |m| [m.interval, m.undefined]);
    let undefined = match undefined {
        "" | "never" => "only without rows or weight".to_string(),
        "always: only its bounds can be known" => undefined.to_string(),
        when => format!("where {when}; without rows or weight"),
    };
    [("interval", plain(interval)), ("undefined", plain(&undefined))]
}

pub fn metric(entry_of: &Entry) -> String {
    let [interval, undefined] = told(entry_of.name);
    let facts = [
        ("formula", format!("`{}`", entry_of.formula)),
        ("of", "one group; compared between groups by difference and ratio".into()),
        ("needs", needs(entry_of).join(", ")),
        ("range", format!("{}; {}", range(entry_of), better(entry_of.direction))),
        interval,
        undefined,
        ("source", plain(entry_of.source)),
        ("elsewhere", plain(entry_of.also)),
    ];
    let flags: Vec<&str> = needs(entry_of)
        .into_iter()
        .map(|need| match need {
            "label" => "--label responded",
            "decision" => "--decision targeted",
            _ => "--score propensity",
        })
        .collect();
    entry(entry_of.name, entry_of.title, &facts, &command("audit customers.csv --attribute sex", &flags))
}

pub fn criterion(entry_of: &CriterionEntry) -> String {
    let [interval, undefined] = told(entry_of.name);
    let of: Vec<String> = entry_of.metrics.iter().map(|m| format!("[`{m}`](rates.md#{m})")).collect();
    let within = if entry_of.conditional { "strata (`--stratum`)" } else { "" };
    let facts = [
        ("compares", compares(entry_of).replace(&entry_of.metrics.join(" and "), &of.join(" and "))),
        ("as", forms(entry_of).into()),
        ("needs", within.into()),
        interval,
        undefined,
        ("source", plain(entry_of.source)),
        ("elsewhere", plain(entry_of.also)),
    ];
    let against = if entry_of.name == "conditional_demographic_disparity" { "against = \"rest\"\n" } else { "" };
    let bound = if entry_of.difference {
        "comparison = \"difference\"\nmaximum = 0.05"
    } else {
        "comparison = \"ratio\"\nminimum = 0.8"
    };
    let policy = format!("```toml\n[[criteria]]\nmetric = \"{}\"\n{bound}\n{against}```\n", entry_of.name);
    entry(entry_of.name, entry_of.title, &facts, &policy)
}

pub fn measure(entry_of: &MeasureEntry) -> String {
    let [interval, undefined] = told(entry_of.name);
    let facts = [
        ("formula", format!("`{}`", entry_of.formula)),
        ("of", of(entry_of).into()),
        ("needs", needed(entry_of)),
        ("range", scale(entry_of)),
        interval,
        undefined,
        ("source", plain(entry_of.source)),
        ("elsewhere", plain(entry_of.also)),
    ];
    entry(entry_of.name, entry_of.title, &facts, &example(entry_of))
}

/// A command that shows it.
fn example(measure: &MeasureEntry) -> String {
    let needs = |need: Need| measure.needs.contains(&need);
    if measure.name.starts_with("offer_") {
        return "From a program: `evenhand::metrics::delivery::offer_gap`.\n".into();
    }
    if needs(Need::Delivery) {
        let mut flags =
            vec!["--campaign ad", "--group sex", "--eligible could", "--reached saw", "--impressions shown"];
        match measure.name {
            "paired_ad_difference" => flags.push("--pair nursing=driving"),
            "conditional_reach_difference" => flags.push("--stratum interest"),
            "cost_per_reached" | "cost_ratio" => flags.push("--spend paid"),
            "clicks_per_reached" => flags.push("--clicks clicked"),
            "whole_skew" | "targeting_skew" => flags.push("--audience market"),
            name if name.starts_with("lookalike") => flags.push("--seed seed"),
            _ => {}
        }
        return command("delivery adverts.csv", &flags);
    }
    if needs(Need::Treatment) {
        let mut flags = vec!["--attribute sex", "--treated mailed", "--outcome bought"];
        if needs(Need::Decision) {
            flags.push("--decision targeted");
        }
        if needs(Need::Uplift) {
            flags.push("--uplift-score uplift");
        }
        return command("uplift holdout.csv", &flags);
    }
    let flag = |need: &Need| match need {
        Need::Label | Need::LabelOrTarget => "--label responded",
        Need::Decision => "--decision targeted",
        Need::Score | Need::Probability => "--score propensity",
        Need::Segments => "--segment tier",
        Need::Order => "--segment-order basic,silver,gold",
        Need::Values => "--segment-value basic=0,silver=10,gold=25",
        Need::Classes => "--segment-class right_tier",
        Need::Earlier => "--segment-before tier_before",
        Need::Strata => "--stratum region",
        _ => "",
    };
    let flags: Vec<&str> = measure.needs.iter().map(flag).filter(|f| !f.is_empty()).collect();
    command("audit customers.csv --attribute sex", &flags)
}

/// A command of 80 columns.
fn command(start: &str, flags: &[&str]) -> String {
    let mut line = format!("evenhand {start}");
    let mut out = String::from("```sh\n");
    for flag in flags {
        if line.len() + flag.len() + 3 > 80 {
            let _ = writeln!(out, "{line} \\");
            line = format!("    {flag}");
        } else {
            line = format!("{line} {flag}");
        }
    }
    out + &line + "\n```\n"
}
