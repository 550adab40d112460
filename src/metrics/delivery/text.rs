//! The report for a terminal of 80 columns, and for a page.

use super::entries::MEASURES;
use super::report::{DeliveryReport, chance};
use crate::report::words::{self, Unit};

const WIDTH: usize = 80;

impl DeliveryReport {
    /// The report as text of at most 80 columns.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        let n = words::counted(self.campaigns.len() as u64, "campaign", "campaigns");
        flow(&mut out, "", &format!("Audit of delivery of {n}; intervals hold with {}", words::share(self.confidence)));
        list(&mut out, "Findings", &self.findings);
        for c in std::iter::once(&self.overall).chain(&self.campaigns) {
            out.push('\n');
            flow(&mut out, "", &words::name(&c.campaign, 60));
            let v = &c.variance;
            let test = v.p_value_adjusted.or(v.p_value).map(|p| format!(", {}", words::chance(p))).unwrap_or_default();
            let expected = v.expected.map(|e| format!("; by chance {}", Unit::Percent.value(e))).unwrap_or_default();
            flow(
                &mut out,
                "  delivery variance: ",
                &format!("{}{expected}{test}", Unit::Percent.estimate(&v.variance)),
            );
            for (group, metrics) in &c.groups {
                flow(&mut out, "  ", &words::name(group, 40));
                for (entry, e) in MEASURES.iter().filter_map(|m| Some((m, metrics.get(m.name)?))) {
                    flow(&mut out, &format!("    {:<24} ", words::title(entry.name)), &unit(entry.name).estimate(e));
                }
            }
            for k in &c.comparisons {
                let text = format!("{}, {}", Unit::Points.estimate(&k.difference), chance(k.p_value));
                let (group, best) = (words::name(&k.group, 20), words::name(&k.best, 20));
                flow(&mut out, &format!("  reach, {group} - {best}: "), text.trim_end_matches(", "));
                if k.cost_ratio.value.is_some() {
                    flow(&mut out, &format!("  cost ratio, {group} / {best}: "), &Unit::Ratio.estimate(&k.cost_ratio));
                }
            }
            for k in &c.conditional {
                let text = format!("{}, {}", Unit::Points.estimate(&k.difference), chance(k.p_value));
                flow(&mut out, "  conditional reach difference: ", text.trim_end_matches(", "));
                flow(&mut out, "  lost opportunities: ", &Unit::Plain.estimate(&k.lost));
            }
        }
        if !self.pairs.is_empty() {
            out.push('\n');
            flow(&mut out, "", "Pairs of adverts");
        }
        for k in &self.pairs {
            let p = k.test.p_value_adjusted.map(|p| format!(", {}", words::chance(p))).unwrap_or_default();
            let before = format!("  paired ad difference, {}: ", words::name(&k.group, 20));
            let name = words::name(&k.test.name, 60);
            flow(&mut out, &before, &format!("{name}: {}{p}", Unit::Points.estimate(&k.test.difference)));
        }
        list(&mut out, "Notes", &self.notes);
        out
    }

    /// The report as Markdown: findings, notes, and a table with every figure.
    pub fn to_markdown(&self) -> String {
        let mut out = String::from("# Audit of delivery\n");
        for (title, sentences) in [("Findings", &self.findings), ("Notes", &self.notes)] {
            if !sentences.is_empty() {
                out.push_str(&format!("\n## {title}\n\n"));
                sentences.iter().for_each(|s| out.push_str(&format!("- {}\n", cell(&words::unglued(s)))));
            }
        }
        out.push_str("\n## Figures\n\n");
        let csv = self.to_csv();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_bytes());
        for (i, record) in reader.records().filter_map(std::result::Result::ok).enumerate() {
            let cells: Vec<String> = record.iter().map(cell).collect();
            out.push_str(&format!("| {} |\n", cells.join(" | ")));
            if i == 0 {
                out.push_str(&format!("|{}\n", "---|".repeat(cells.len())));
            }
        }
        out
    }
}

/// Text that a table of Markdown can hold.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

fn unit(measure: &str) -> Unit {
    match measure {
        "reach_rate" => Unit::Percent,
        name if name.ends_with("_skew") => Unit::Ratio,
        _ => Unit::Plain,
    }
}

fn list(out: &mut String, title: &str, sentences: &[String]) {
    if !sentences.is_empty() {
        out.push('\n');
        flow(out, "", title);
        sentences.iter().for_each(|s| flow(out, "  - ", s));
    }
}

/// Text in as many lines as it needs: the first after `first`, the others indented by as much.
fn flow(out: &mut String, first: &str, text: &str) {
    let indent = words::width(first);
    for (i, line) in words::wrap(&words::unglued(text), WIDTH.saturating_sub(indent)).iter().enumerate() {
        let before = if i == 0 { first.to_string() } else { " ".repeat(indent) };
        out.push_str(format!("{before}{line}").trim_end());
        out.push('\n');
    }
}
