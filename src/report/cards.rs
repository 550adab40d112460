//! The model card and the data card.

use super::document::{Document, Table};
use super::grid::{self, Column};
use super::view::{self, FINDINGS, INTERSECTIONS, NAME};
use super::words::{self, Unit, capital, counted, name, share, title, unglued};
use super::{ModelReport, Report, bar, measures};
use crate::metrics::catalog;

/// The groups of a table that a card shows.
const GROUPS: usize = 24;

impl Report {
    /// A model card, by the headings of Mitchell et al.: filled from the audit where it knows, with blanks where it does not.
    ///
    /// Filled are the factors (attributes, strata, intersections), the metrics with their formulas, thresholds and
    /// uncertainty, the evaluation data as far as they were read, the quantitative analyses by group and intersection with
    /// their intervals, and the findings as caveats. Who made the model, what it is for, what it was trained on and the
    /// ethical considerations are blanks.
    ///
    /// # References
    /// Mitchell et al. (2019), Model Cards for Model Reporting, FAT*.
    ///
    /// # Examples
    /// ```
    /// use evenhand::audit::AuditPlan;
    /// use evenhand::data::{Batch, Categorical};
    ///
    /// let batch = Batch::builder()
    ///     .attribute(Categorical::from_values("sex", (0..400).map(|i| if i % 2 == 0 { "f" } else { "m" })))
    ///     .decision((0..400).map(|i| u8::from(i % 2 == 1)).collect::<Vec<_>>())
    ///     .build()?;
    /// let card = AuditPlan::new().run(&batch)?.model_card();
    /// let text = card.to_markdown();
    /// assert!(text.contains("## Intended use") && text.contains("**To be filled in:**") && card.blanks_left() > 5);
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn model_card(&self) -> Document {
        let models = view::models(self);
        let names: Vec<String> = models.iter().map(|m| name(&m.model, NAME)).collect();
        let lead = format!("Filled from a bias audit of {}.", counted(self.data.rows, "row", "rows"));
        let title =
            if names.is_empty() { "Model card".into() } else { format!("Model card: {}", view::list(&names, 4)) };
        let mut card = Document::new(title, lead);
        card.heading("Model details");
        card.facts(
            models
                .iter()
                .map(|m| ("Decides".into(), format!("{}: {}", name(&m.model, NAME), words::rule(&m.rule))))
                .collect(),
        );
        card.blanks(&[
            "who made the model, and whom to write to",
            "its date, version and type; the algorithm, the features, constraints of fairness in training",
            "where to read more; how to cite; the licence",
        ]);
        card.heading("Intended use");
        card.blanks(&["what it is used for, and by whom", "what it must not be used for"]);
        self.factors(&mut card);
        card.heading("Metrics");
        card.list(self.metrics_used());
        card.facts(self.judged_by());
        card.heading("Evaluation data");
        card.facts(view::audited(self).into_iter().filter(|(label, _)| label != "Model").collect());
        card.blanks(&["why these data, and how they were prepared"]);
        card.heading("Training data");
        card.blank("what the model was trained on: at least how the groups are distributed in it");
        card.heading("Quantitative analyses");
        models.iter().for_each(|m| self.analyses(&mut card, m, models.len() > 1));
        card.heading("Ethical considerations");
        card.blanks(&[
            "whether sensitive data are used, and whom a wrong decision harms, and how",
            "what was done against it, and what use is especially delicate",
        ]);
        card.heading("Caveats and recommendations");
        card.text(self.summary.clone());
        card.list(models.iter().flat_map(|m| view::caveats(m, self.data.rows)).take(FINDINGS).collect());
        card.list(models.iter().flat_map(|m| self.open(m)).take(2 * FINDINGS).collect());
        card.blank("further tests that are due, groups that are not in the data, advice to who uses the model");
        self.sources(&mut card);
        card
    }

    /// A data card, by the headings of Gebru et al.: what the audit saw of the data is filled in, the rest are blanks.
    ///
    /// Filled are rows, attributes with their groups and what is missing of them, how far labels are known, files with their
    /// hashes, and how favourable labels are distributed. Why and how the data were collected is not in them.
    ///
    /// # References
    /// Gebru et al. (2021), Datasheets for Datasets, Communications of the ACM 64.
    pub fn data_card(&self) -> Document {
        let lead = format!("Filled from what a bias audit saw of {}.", counted(self.data.rows, "row", "rows"));
        let mut card = Document::new("Data card", lead);
        card.heading("Motivation");
        card.blanks(&["why the data were made, by whom and for whom", "who paid for it"]);
        card.heading("Composition");
        let facts = view::audited(self);
        card.facts(facts.into_iter().filter(|(label, _)| label != "File" && label != "Model").collect());
        card.blank("what a row stands for; whether the rows are a sample, and of whom");
        if let Some(m) = self.models.first() {
            for t in m.tables.iter().filter(|t| t.attributes.len() < 2).take(FINDINGS) {
                let columns: Vec<Column> = match t.groups.iter().any(|g| g.metrics.contains_key("base_rate")) {
                    true => vec![Column::Rows, Column::Share, Column::Metric("base_rate", true)],
                    false => vec![Column::Rows, Column::Share],
                };
                let grid = grid::grid(m, t, &columns, GROUPS, self.data.rows);
                card.table(Table::of_grid(format!("By {}", name(&t.attribute, NAME)), "Group", &grid));
            }
            card.facts(known(m, self.data.rows));
        }
        card.blanks(&[
            "relations between rows, recommended splits, errors and redundancies that are known",
            "whether the data can identify people, are confidential, or may offend",
        ]);
        card.heading("Collection process");
        card.blanks(&[
            "how the rows and how the protected attributes came to be known: told, observed, inferred",
            "who collected them and when; whether the people know and agreed, and how they can withdraw",
            "whether an ethical review took place",
        ]);
        card.heading("Preprocessing, cleaning, labelling");
        card.blanks(&[
            "what was done to the raw data, by what software, and whether the raw data are kept",
            "who labelled, and by what rule",
        ]);
        card.heading("Uses");
        card.text(match &self.provenance.command {
            Some(_) => "They were used for a bias audit; its command stands at the end.",
            None => "They were used for a bias audit.",
        });
        card.blanks(&[
            "what else they were and could be used for",
            "what they must not be used for, and what in them bears a risk for later uses",
        ]);
        card.heading("Distribution");
        card.blanks(&["to whom they are given, how and when; licence, terms, restrictions of use or export"]);
        card.heading("Maintenance");
        card.blanks(&["who maintains them, whom to write to, how errors are corrected and old versions kept, how long rows may be retained"]);
        self.sources(&mut card);
        card
    }

    fn factors(&self, card: &mut Document) {
        card.heading("Factors");
        let crossed = counted(self.settings.order as u64, "attribute", "attributes");
        let mut facts: Vec<(String, String)> = Vec::new();
        for c in &self.data.attributes {
            facts.push(("Attribute".into(), format!("{}: {}", name(&c.column, NAME), words::coverage(c))));
        }
        for c in &self.data.strata {
            facts.push(("Stratum".into(), format!("{}: {}", name(&c.column, NAME), words::coverage(c))));
        }
        facts.push(("Intersections".into(), format!("of up to {crossed}")));
        card.facts(facts);
        card.blanks(&["factors that matter and are not in the data: other groups, instruments, environments"]);
    }

    /// The figures that findings and tables are of, with their formulas.
    fn metrics_used(&self) -> Vec<String> {
        let mut used: Vec<String> = self.settings.policy.criteria.iter().map(|c| c.metric.clone()).collect();
        let tables = self.models.iter().flat_map(|m| &m.tables);
        used.extend(
            tables.flat_map(|t| grid::main_metric(t).into_iter().chain(grid::label_metrics(t))).map(String::from),
        );
        used.sort();
        used.dedup();
        let say = |metric: &String| {
            if let Some(m) = catalog::metric(metric) {
                return format!("{}: {} ({})", capital(&title(metric)), m.title, m.formula);
            }
            let text = catalog::criterion_entry(metric).map(|c| c.title).or(catalog::measure(metric).map(|m| m.title));
            format!("{}: {}", capital(&title(metric)), text.unwrap_or("of its users' own"))
        };
        used.iter().map(say).collect()
    }

    fn judged_by(&self) -> Vec<(String, String)> {
        let wanted = ["Policy", "Confidence", "Too small", "Reference"];
        let method = view::method(self).into_iter().filter(|(label, _)| wanted.contains(label));
        method.map(|(label, text)| (label.to_string(), unglued(&text))).collect()
    }

    /// A model's figures by group, and what the criteria found.
    fn analyses(&self, card: &mut Document, m: &ModelReport, several: bool) {
        let of = if several { format!("{}: ", name(&m.model, NAME)) } else { String::new() };
        for t in view::tables(m, INTERSECTIONS).0 {
            let mut columns = vec![Column::Rows, Column::Share];
            columns.extend(grid::main_metric(t).map(|metric| Column::Metric(metric, true)));
            columns.extend(grid::label_metrics(t).into_iter().map(|metric| Column::Metric(metric, true)));
            let shares = measures::shares(self, m, t, GROUPS);
            let grids =
                if shares.is_empty() { vec![grid::grid(m, t, &columns, GROUPS, self.data.rows)] } else { shares };
            for grid in grids {
                card.table(Table::of_grid(capital(&format!("{of}by {}", name(&t.attribute, NAME))), "Group", &grid));
            }
        }
    }

    /// The findings that do not pass, and those that do, in a line each.
    fn open(&self, m: &ModelReport) -> Vec<String> {
        let say = |(segment, f): &(Option<&str>, &super::Finding)| {
            let what = view::subject(*segment, f);
            unglued(&format!("{} {what}: {}", words::verdict(f.verdict), bar::figures(f)))
        };
        measures::findings(self, m).iter().map(say).collect()
    }

    fn sources(&self, card: &mut Document) {
        card.heading("Where the figures come from");
        let mut facts = self.files(": ");
        let wanted = ["Seed", "Made by", "Counts", "Again"];
        let method = view::method(self).into_iter().filter(|(label, _)| wanted.contains(label));
        facts.extend(method.map(|(label, text)| (label.to_string(), unglued(&text))));
        card.facts(facts);
    }
}

/// How far labels, decisions and scores are known.
fn known(m: &ModelReport, rows: u64) -> Vec<(String, String)> {
    let c = &m.coverage;
    let say = |n: u64| match n {
        0 => "known for all rows".to_string(),
        n => format!("missing in {} ({})", counted(n, "row", "rows"), share(n as f64 / rows.max(1) as f64)),
    };
    let parts = [("Labels", c.unknown_labels), ("Decisions", c.missing_decisions), ("Scores", c.missing_scores)];
    let mut facts: Vec<(String, String)> =
        parts.into_iter().map(|(what, n)| (what.to_string(), n.map_or_else(|| "none".into(), say))).collect();
    if let Some(rate) = m.overall.get("base_rate").filter(|e| e.value.is_some()) {
        facts.push(("Favourable".into(), unglued(&Unit::Percent.estimate(rate))));
    }
    facts
}
