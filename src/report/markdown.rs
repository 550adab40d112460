//! The form for a page, an issue or a merge request: GitHub's Markdown.

use std::ops::{Deref, DerefMut};

use super::cells;
use super::conditioning;
use super::cuts;
use super::grid::{self, Column};
use super::impact;
use super::marks::{Marks, code, escape};
use super::view::{self, FINDINGS, INTERSECTIONS, MORE};
use super::words::{self, name};
use super::{AttributeTable, Finding, ModelReport, Report, bar, measures};

/// Markdown under construction.
struct Page<'a> {
    marks: Marks,
    report: &'a Report,
}

impl Deref for Page<'_> {
    type Target = Marks;

    fn deref(&self) -> &Marks {
        &self.marks
    }
}

impl DerefMut for Page<'_> {
    fn deref_mut(&mut self) -> &mut Marks {
        &mut self.marks
    }
}

impl Page<'_> {
    fn finding(&mut self, number: usize, segment: Option<&str>, f: &Finding) {
        let (verdict, subject) = (words::verdict(f.verdict), escape(&view::subject(segment, f)));
        self.line(&format!("{number}. **{verdict}** {subject}: {}  ", escape(&bar::figures(f))));
        self.line(&format!("   {}  ", escape(&view::sentence(&f.sentence))));
        for detail in view::details(f, &self.report.settings.policy) {
            self.line(&format!("   {}  ", escape(&detail)));
        }
    }

    fn model(&mut self, m: &ModelReport) {
        let several = view::models(self.report).len() > 1;
        let level = if several { 3 } else { 2 };
        if several {
            self.heading(2, &format!("{} Model {}", words::verdict(m.verdict), name(&m.model, view::NAME)));
        }
        let report = self.report;
        let found = measures::findings(report, m);
        self.heading(level, &format!("Findings: {}", view::tallied(&found)));
        for (i, (segment, f)) in found.iter().take(2 * FINDINGS).enumerate() {
            self.finding(i + 1, *segment, f);
        }
        if found.len() > 2 * FINDINGS {
            self.line(&format!("\nand {} more findings, {MORE}.", found.len() - 2 * FINDINGS));
        }
        let caveats = view::caveats(m, self.report.data.rows);
        if !caveats.is_empty() {
            self.heading(level, "Good to know");
            for text in caveats {
                self.line(&format!("- {}", escape(&text)));
            }
        }
        if let Some((heading, about)) = impact::lead(report, m) {
            self.heading(level, heading);
            self.line(&escape(about));
            for (caption, grids) in impact::shown(report, m, 4 * grid::GROUPS) {
                self.line(&format!("\n{}:\n", escape(&caption)));
                grids.iter().for_each(|grid| self.grid(grid));
            }
        }
        let (tables, left_out) = view::tables(m, INTERSECTIONS);
        for table in tables {
            self.table(m, table, level);
        }
        if left_out > 0 {
            let more = words::counted(left_out as u64, "more intersection", "more intersections");
            self.line(&format!("\nand {more}, {MORE}."));
        }
    }

    fn table(&mut self, m: &ModelReport, t: &AttributeTable, level: usize) {
        self.heading(level, &format!("By {}", name(&t.attribute, 60)));
        self.line(&format!("{}\n", escape(&grid::about(t))));
        let (main, labels) = (grid::main_metric(t), grid::label_metrics(t));
        let mut columns = vec![Column::Rows, Column::Share];
        columns.extend(main.map(|metric| Column::Metric(metric, true)));
        columns.extend(labels.iter().map(|metric| Column::Metric(metric, true)));
        columns.extend(main.filter(|metric| grid::has_differences(t, metric)).map(Column::Difference));
        let report = self.report;
        let shares = measures::shares(report, m, t, grid::GROUPS);
        if shares.is_empty() {
            self.grid(&grid::grid(m, t, &columns, grid::GROUPS, report.data.rows));
        }
        for grid in shares {
            self.grid(&grid);
        }
        if let Some(legend) = grid::legend(&labels) {
            self.line(&format!("{}  ", escape(&legend)));
        }
        for gap in grid::gaps(t, false) {
            self.line(&format!("{}  ", escape(&gap)));
        }
        let columns = measures::columns(t, false);
        if !columns.is_empty() {
            self.line("");
            self.grid(&grid::grid(m, t, &columns, grid::GROUPS, report.data.rows));
        }
        if let Some(shown) = conditioning::shown(&self.report.data, t, grid::GROUPS, true) {
            self.line(&format!("\n{}\n", escape(&shown.lead)));
            self.grid(&shown.grid);
            for warning in &shown.warnings {
                self.line(&format!("{}  ", escape(warning)));
            }
        }
        for warning in conditioning::of_segments(self.report, m, t) {
            self.line(&format!("{}  ", escape(&warning)));
        }
        let cells = cells::outstanding(t, self.report.settings.policy.confidence, false);
        if !cells.is_empty() {
            self.line(&format!("\n{}:\n", cells::LEAD));
        }
        for cell in cells {
            self.line(&format!("- {}", escape(&cell)));
        }
        let between = measures::between(t, false);
        if !between.is_empty() {
            self.line("\nBetween all groups:\n");
        }
        for line in between {
            self.line(&format!("- {}", escape(&line)));
        }
        if let Some(curves) = &t.curves {
            self.line("\nIf the scores were cut elsewhere:\n");
            let mut rows = cuts::rows(curves, true).into_iter();
            if let Some(head) = rows.next() {
                let rule = vec!["--:".to_string(); head.len()];
                [head, rule].into_iter().chain(rows).for_each(|row| self.row(row));
            }
            self.line(&format!("\n{}", escape(cuts::LEGEND)));
        }
    }

    fn side_by_side(&mut self) {
        let models = view::models(self.report);
        let lines = view::side_by_side(&models);
        self.heading(2, "Models side by side");
        let first = |text: &str| std::iter::once(text.to_string());
        self.row(first("Finding").chain(models.iter().map(|m| escape(&name(&m.model, view::NAME)))));
        self.row(first(":--").chain(models.iter().map(|_| ":--".into())));
        self.row(first("verdict").chain(models.iter().map(|m| words::verdict(m.verdict).into())));
        let cell = |f: &Option<&Finding>| match f {
            None => "–".to_string(),
            Some(f) => format!("{} {}", words::mark(f.verdict), escape(&view::figure(f))),
        };
        for (subject, found) in lines.iter().take(2 * FINDINGS) {
            self.row(first(&escape(subject)).chain(found.iter().map(cell)));
        }
    }
}

impl Report {
    /// The report as GitHub-flavoured Markdown, to be put on a page or in a merge request.
    ///
    /// It says what [`to_text`](Self::to_text) says, shortened alike. Names from the data are escaped, so
    /// that none of them is markup, a link, a mention or HTML.
    pub fn to_markdown(&self) -> String {
        let mut page = Page { marks: Marks::default(), report: self };
        page.line(&format!("# {}: bias audit", view::headline(self)));
        page.line(&format!("\n{}", escape(&view::sentence(&self.summary))));
        page.heading(2, "What was audited");
        for (label, text) in view::audited(self) {
            page.item(&label, &text);
        }
        let models = view::models(self);
        if models.len() > 1 {
            page.side_by_side();
        }
        for m in models {
            page.model(m);
        }
        page.heading(2, "How to make it again");
        for (label, text) in view::method(self) {
            match label {
                "Again" => page.line(&format!("- **{label}:** {}", code(&text))),
                _ => page.item(label, &text),
            }
        }
        page.marks.finish()
    }
}
