//! The summary of a bias audit that New York City's Local Law 144 asks to be published.

use super::document::{Document, Table};
use super::view::{MORE, NAME, list};
use super::words::{capital, count, name, share};
use super::{ImpactTable, ModelReport, Report};
use crate::audit::Rulebook;
use crate::error::{Error, Result};
use crate::tally::DecisionRule;

/// The categories of a table that the summary shows: all, as the rule asks, unless there are this many.
const CATEGORIES: usize = 400;

impl Report {
    /// The summary of results that 6 RCNY § 5-303 asks an employer to publish: the date of the bias audit, the source and
    /// explanation of the data, how many people are of unknown category, and for every category of sex, of race or ethnicity
    /// and of both crossed the number of applicants, the selection or scoring rate and the impact ratio. The distribution
    /// date of the tool is a blank, as is all else that the audit cannot know.
    ///
    /// A category of less than 2 % of the data has no impact ratio in it, as § 5-301 allows; its applicants and its rate
    /// stand there, and the justification that the rule asks for is begun and left to the independent auditor. Which
    /// attribute is sex and which race or ethnicity is not in the data: tables are by attribute, in the order of the audit.
    /// It is no legal advice.
    ///
    /// # Errors
    /// [`Error::BadSetting`] if the report has no tables of that rulebook: audit with the preset `nyc-local-law-144`.
    ///
    /// # References
    /// Rules of the City of New York, title 6, §§ 5-300 to 5-304 (2023).
    ///
    /// # Examples
    /// ```
    /// use evenhand::audit::{AuditPlan, Policy};
    /// use evenhand::data::{Batch, Categorical};
    ///
    /// let batch = Batch::builder()
    ///     .attribute(Categorical::from_values("sex", (0..400).map(|i| if i % 2 == 0 { "Female" } else { "Male" })))
    ///     .decision((0..400).map(|i| u8::from(i % 8 < 3)).collect::<Vec<_>>())
    ///     .build()?;
    /// let report = AuditPlan::new().policy(Policy::preset("nyc-local-law-144")?).run(&batch)?;
    /// let text = report.local_law_144()?.to_markdown();
    /// assert!(text.contains("| Female | 200 |") && text.contains("Distribution date"));
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn local_law_144(&self) -> Result<Document> {
        let has = |m: &&ModelReport| m.impact.iter().any(|t| t.rulebook == Rulebook::NycLocalLaw144);
        let models: Vec<&ModelReport> = self.models.iter().filter(has).collect();
        if models.is_empty() {
            let expected = "an audit of decisions or scores with the preset `nyc-local-law-144`, which makes them";
            return Err(Error::setting(
                "the summary of Local Law 144",
                "asked of a report without its tables",
                expected,
            ));
        }
        let lead = "Summary of results of the most recent bias audit, by Local Law 144 of 2021 and 6 RCNY § 5-303. It is to be \
                    posted, with the distribution date, in the employment section of the website, and kept there for at least six \
                    months after the tool was last used for an employment decision.";
        let mut page = Document::new("Automated employment decision tool: summary of bias audit", lead);
        self.dates(&mut page);
        self.source(&mut page);
        page.heading("Results");
        page.list(models.iter().map(|m| unknown(m)).collect());
        for m in &models {
            m.impact.iter().for_each(|t| results(&mut page, m, t, models.len() > 1));
        }
        excluded(&mut page, &models);
        page.heading("How rates and ratios are computed");
        page.text(
            "A selection rate is the number selected of a category over the number of applicants of it. A scoring rate is the \
             share of a category that scores above the median of the whole sample. An impact ratio is the rate of a category \
             over that of the category with the highest. People count, weights do not; the rule sets no pass mark.",
        );
        Ok(page)
    }

    fn dates(&self, page: &mut Document) {
        page.heading("Dates");
        let created = self.provenance.created.as_ref();
        let date = created.map(|t| name(t.split('T').next().unwrap_or(t), 20));
        match date {
            Some(date) => page.facts(vec![("Date of the bias audit".into(), date)]),
            None => page.blank("Date of the bias audit"),
        }
        page.blanks(&[
            "Distribution date: when the employer or agency began to use this tool",
            "The tool: its name, version and vendor, and what it decides",
            "The independent auditor who made this audit",
        ]);
    }

    fn source(&self, page: &mut Document) {
        page.heading("Source and explanation of the data");
        let mut facts = vec![("Individuals assessed".to_string(), count(self.data.rows))];
        facts.extend(self.files(", "));
        for c in &self.data.attributes {
            facts.push(("Category".into(), format!("{}: {}", name(&c.column, NAME), super::words::coverage(c))));
        }
        page.facts(facts);
        page.blanks(&[
            "whose historical data these are (one's own, or of several employers who use the tool), from when to when, and how they \
             were collected",
            "if test data were used: why historical data were not, and how the test data were generated and obtained",
            "which of the categories are sex and which race or ethnicity, as in the Component 1 report of the EEO-1",
        ]);
    }
}

/// How many people are in no category, a line for each model.
fn unknown(m: &ModelReport) -> String {
    let each = m.impact.iter().map(|t| format!("{} by {}", count(t.unknown), name(&t.attribute, NAME)));
    format!(
        "Individuals of unknown category, in no calculation below ({}): {}.",
        name(&m.model, NAME),
        list(&each.collect::<Vec<_>>(), 12)
    )
}

fn results(page: &mut Document, m: &ModelReport, t: &ImpactTable, several: bool) {
    let scored = matches!(m.rule, DecisionRule::Top(cut) if cut.edge <= 0.0);
    let (number, rate) = if scored { ("Above the median", "Scoring rate") } else { ("Selected", "Selection rate") };
    let row = |r: &super::ImpactRow| {
        let ratio = match (r.excluded, r.impact_ratio) {
            (true, _) => "excluded ‡".to_string(),
            (false, Some(ratio)) => format!("{ratio:.3}"),
            (false, None) => "undefined: nobody selected".into(),
        };
        let rate = format!("{:.1} %", r.rate * 100.0);
        vec![name(&r.category, 60), count(r.people), count(r.selected), rate, ratio]
    };
    let mut notes = Vec::new();
    if t.rows.len() > CATEGORIES {
        notes.push(format!("and {} more categories, {MORE}.", count((t.rows.len() - CATEGORIES) as u64)));
    }
    if let Some(b) = &t.benchmark {
        notes.push(format!("Highest rate: {}.", name(b, NAME)));
    }
    let of = if several { format!("{}: ", name(&m.model, NAME)) } else { String::new() };
    page.table(Table {
        caption: capital(&format!("{of}by {}", name(&t.attribute, 60))),
        heads: ["Category", "Applicants", number, rate, "Impact ratio"].map(String::from).to_vec(),
        rows: t.rows.iter().take(CATEGORIES).map(row).collect(),
        notes,
    });
}

/// The categories left out for being small, with what the rule asks to be said of them.
fn excluded(page: &mut Document, models: &[&ModelReport]) {
    let small = |t: &ImpactTable| -> Vec<String> {
        let of_it = t.rows.iter().filter(|r| r.excluded);
        of_it.map(|r| format!("{} ({})", name(&r.category, NAME), share(r.share))).collect()
    };
    let mut said: Vec<String> = Vec::new();
    for t in models.iter().flat_map(|m| &m.impact) {
        let names = small(t);
        let line = format!("by {}: {}", name(&t.attribute, NAME), list(&names, 40));
        if !names.is_empty() && !said.contains(&line) {
            said.push(line);
        }
    }
    if said.is_empty() {
        return;
    }
    page.heading("‡ Excluded categories");
    page.text(
        "Each of these is less than 2 % of the data. Their applicants and rates are given above; their impact ratios are not \
         calculated, and none of them is the category with the highest rate.",
    );
    page.list(said);
    page.blank(
        "the independent auditor's justification for excluding them, such as that few people make a rate uncertain",
    );
}
