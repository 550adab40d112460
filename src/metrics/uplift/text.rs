//! The report for a terminal of 80 columns.

use super::entries::MEASURES;
use super::findings::unit;
use super::report::{UpliftComparison, UpliftGroupResult, UpliftReport, UpliftTable};
use crate::metrics::Estimate;
use crate::report::words::{self, Unit};

const WIDTH: usize = 80;
/// The widest that a group's name gets.
const NAMES: usize = 22;

impl UpliftReport {
    /// The report as text of at most 80 columns.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        let rows = words::counted(self.rows, "row", "rows");
        let kind = if self.settings.binary { "binary outcome" } else { "outcome a number" };
        flow(&mut out, "", &format!("Audit of uplift targeting of {rows}, {kind}"));
        let robust = if self.settings.doubly_robust { "; doubly robust by the predicted outcomes" } else { "" };
        flow(&mut out, "", &format!("Assignment {}{robust}.", self.settings.assignment));
        let level = words::share(self.settings.confidence);
        flow(
            &mut out,
            "",
            &format!("Intervals hold with {level}; those between all groups hold for all pairs at once."),
        );
        list(&mut out, "Findings", &self.findings);
        heading(&mut out, "All rows");
        for entry in MEASURES {
            if let Some(e) = self.overall.metrics.get(entry.name) {
                let figure = unit(entry.name, self.settings.binary, false).estimate(e);
                flow(&mut out, &format!("  {:<34} ", words::title(entry.name)), &words::unglued(&figure));
            }
        }
        for table in &self.tables {
            self.write_table(&mut out, table);
        }
        list(&mut out, "Notes", &self.notes);
        out
    }

    fn write_table(&self, out: &mut String, table: &UpliftTable) {
        let reference = table.reference.as_deref().map(|r| format!(", reference {}", words::name(r, NAMES)));
        heading(out, &format!("By {}{}", words::title(&table.attribute), reference.unwrap_or_default()));
        for g in &table.groups {
            let rows = words::counted(g.rows, "row", "rows");
            let treated = words::count(g.treated_rows);
            flow(out, "  ", &format!("{}: {rows}, {treated} treated", named(g)));
        }
        if table.missing_rows > 0 {
            flow(out, "  ", &format!("{} of no known group", words::counted(table.missing_rows, "row", "rows")));
        }
        for entry in MEASURES {
            let figures: Vec<_> = table.groups.iter().filter_map(|g| Some((g, g.metrics.get(entry.name)?))).collect();
            if figures.is_empty() {
                continue;
            }
            let (own, apart) = [false, true].map(|c| unit(entry.name, self.settings.binary, c)).into();
            out.push('\n');
            flow(out, "  ", &format!("{}: {}", words::capital(&words::title(entry.name)), entry.title));
            for (g, e) in figures {
                let of = |c: &&UpliftComparison| c.metric == entry.name && c.group.as_deref() == Some(&g.group);
                let against = table.comparisons.iter().find(of).and_then(|c| difference(c, apart));
                let name = named(g);
                let pad = NAMES.saturating_sub(words::width(&name));
                let figure = words::unglued(&own.estimate(e));
                let both = match against {
                    Some(difference) => format!("{figure}; {difference}"),
                    None => figure,
                };
                flow(out, &format!("    {name}{} ", " ".repeat(pad)), &both);
            }
            let between = table.comparisons.iter().find(|c| c.metric == entry.name && c.group.is_none());
            if let Some(c) = between.filter(|c| c.estimate.value.is_some() && table.groups.len() > 2) {
                let gap = words::unglued(&apart.estimate(&c.estimate));
                flow(out, "    ", &format!("widest gap {gap}"));
            }
        }
    }
}

/// A difference from the reference group, if it is known.
fn difference(c: &UpliftComparison, unit: Unit) -> Option<String> {
    let value = c.estimate.value?;
    let sign = if value > 0.0 { "+" } else { "" };
    let chance = c.p_value.map(|p| format!(", p {}", p_text(p))).unwrap_or_default();
    let figure = match c.estimate.interval() {
        Some((low, high)) => {
            let bare = Estimate::of(value, c.estimate.support).between(low, high);
            words::unglued(&unit.estimate(&bare))
        }
        None => unit.value(value),
    };
    Some(format!("vs reference {sign}{figure}{chance}"))
}

fn p_text(p: f64) -> String {
    if p < 0.001 { "< 0.001".into() } else { format!("{p:.3}") }
}

fn named(g: &UpliftGroupResult) -> String {
    let mark = if g.too_small { " †" } else { "" };
    format!("{}{mark}", words::name(&g.group, NAMES - 2))
}

fn heading(out: &mut String, text: &str) {
    out.push('\n');
    flow(out, "", text);
}

fn list(out: &mut String, title: &str, sentences: &[String]) {
    if !sentences.is_empty() {
        heading(out, title);
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
