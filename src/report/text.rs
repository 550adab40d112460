//! The form for a terminal: what people see first.

use std::ops::{Deref, DerefMut};

use super::cells;
use super::conditioning;
use super::grid::{self, Column, Grid};
use super::impact;
use super::lines::{BOLD, DIM, Lines, TextStyle};
use super::view::{self, FINDINGS, INTERSECTIONS, MORE};
use super::words::{self, name, width};
use super::{AttributeTable, Finding, ModelReport, Report, Verdict, bar, cuts, measures};

/// The widest that a model's name gets where models stand side by side.
const MODEL: usize = 18;

/// Text under construction.
struct Page<'a> {
    lines: Lines,
    report: &'a Report,
}

impl Deref for Page<'_> {
    type Target = Lines;

    fn deref(&self) -> &Lines {
        &self.lines
    }
}

impl DerefMut for Page<'_> {
    fn deref_mut(&mut self) -> &mut Lines {
        &mut self.lines
    }
}

impl Page<'_> {
    fn head(&mut self) {
        let r = self.report;
        let word = view::headline(r);
        let painted =
            if word == words::verdict(r.verdict) { self.verdict(r.verdict, word) } else { self.paint(BOLD, word) };
        let rows = words::counted(r.data.rows, "row", "rows");
        let about = format!("bias audit of {rows}, policy {}", name(&r.settings.policy.name, 30));
        self.flow_after(&format!("{painted}  "), width(word) + 2, &about, BOLD);
        self.flow("", &view::sentence(&r.summary), "");
    }

    fn finding(&mut self, number: usize, segment: Option<&str>, f: &Finding) {
        let columns = self.style.width;
        let word = words::verdict(f.verdict);
        let place = format!("{number:>3}. ");
        self.blank();
        let before = format!("{place}{}  ", self.verdict(f.verdict, word));
        self.flow_after(&before, width(&place) + width(word) + 2, &view::subject(segment, f), BOLD);
        let indent = " ".repeat(place.len());
        self.flow(&indent, &view::sentence(&f.sentence), "");
        let figures = bar::figures(f);
        let room = columns.saturating_sub(place.len());
        let beside = bar::draw(f, room.saturating_sub(width(&figures) + 3));
        match beside.or_else(|| bar::draw(f, room)) {
            Some(bar) if width(&bar) + 3 + width(&figures) <= room => self.line(&format!("{indent}{bar}   {figures}")),
            Some(bar) => {
                self.line(&format!("{indent}{bar}"));
                self.flow(&indent, &figures, "");
            }
            None => self.flow(&indent, &figures, ""),
        }
        let details = view::details(f, &self.report.settings.policy).join(" ");
        self.flow(&indent, &details, DIM);
    }

    fn findings(&mut self, m: &ModelReport) {
        let report = self.report;
        let all = measures::findings(report, m);
        self.heading(&format!("FINDINGS  {}", view::tallied(&all)));
        if all.iter().any(|(_, f)| f.estimate.value.is_some()) {
            self.flow("  ", bar::LEGEND, DIM);
        }
        let limit = self.limit(FINDINGS);
        let full = self.style.full;
        let (passes, grave): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, f)| f.verdict == Verdict::Pass && !full);
        for (i, (segment, f)) in grave.iter().take(limit).enumerate() {
            self.finding(i + 1, *segment, f);
        }
        self.more(grave.len(), limit, "findings");
        if !passes.is_empty() {
            self.blank();
        }
        for (segment, f) in passes.iter().take(limit) {
            let word = words::verdict(f.verdict);
            let before = format!("     {}  ", self.verdict(f.verdict, word));
            let text = format!("{}: {}", view::subject(*segment, f), bar::figures(f));
            self.flow_after(&before, width(word) + 7, &text, "");
        }
        self.more(passes.len(), limit, "findings that pass");
    }

    fn more(&mut self, all: usize, limit: usize, what: &str) {
        if all > limit {
            let more = words::count((all - limit) as u64);
            self.flow("     ", &format!("and {more} more {what}, {MORE}."), DIM);
        }
    }

    fn model(&mut self, m: &ModelReport) {
        if view::models(self.report).len() > 1 {
            let rule = "═".repeat(self.style.width);
            self.blank();
            let rule = self.paint(DIM, &rule);
            self.line(&rule);
            let word = words::verdict(m.verdict);
            let before = format!("{}  ", self.verdict(m.verdict, word));
            self.flow_after(&before, width(word) + 2, &format!("MODEL {}", name(&m.model, view::NAME)), BOLD);
        }
        self.findings(m);
        let caveats = view::caveats(m, self.report.data.rows);
        if !caveats.is_empty() {
            self.heading("GOOD TO KNOW");
            let limit = self.limit(FINDINGS);
            for text in caveats.iter().take(limit) {
                self.flow("  - ", text, "");
            }
            self.more(caveats.len(), limit, "notes");
        }
        self.impact(m);
        let (tables, left_out) = view::tables(m, self.limit(INTERSECTIONS));
        for (i, table) in tables.iter().enumerate() {
            self.table(m, table, i == 0);
        }
        if left_out > 0 {
            let more = words::counted(left_out as u64, "more intersection", "more intersections");
            let text = format!("and {more}, {MORE}.");
            self.blank();
            self.flow("", &text, DIM);
        }
    }

    fn table(&mut self, m: &ModelReport, t: &AttributeTable, first: bool) {
        let room = self.style.width.saturating_sub(3);
        self.heading(&format!("BY {}", name(&t.attribute, room)));
        let about = grid::about(t);
        self.flow("  ", &about, DIM);
        let main = grid::main_metric(t);
        let labels = grid::label_metrics(t);
        let shares = measures::shares(self.report, m, t, self.limit(grid::GROUPS));
        let grids = if shares.is_empty() { self.grids(m, t, main, &labels) } else { shares };
        for (i, grid) in grids.into_iter().enumerate() {
            if i > 0 {
                self.blank();
            }
            self.grid(&grid);
        }
        if let Some(legend) = grid::legend(&labels).filter(|_| first) {
            self.flow("  ", &legend, DIM);
        }
        for gap in grid::gaps(t, self.style.full) {
            self.flow("  ", &gap, "");
        }
        self.measures(m, t);
        let cells = cells::outstanding(t, self.report.settings.policy.confidence, self.style.full);
        if !cells.is_empty() {
            self.blank();
            self.flow("  ", cells::LEAD, "");
        }
        for cell in cells {
            self.flow("    ", &cell, "");
        }
        self.conditioning(m, t);
        if let Some(curves) = &t.curves {
            self.blank();
            self.line("  If the scores were cut elsewhere");
            for line in cuts::lines(curves, self.style.width.saturating_sub(2)) {
                self.line(&format!("  {line}"));
            }
            self.flow("  ", cuts::LEGEND, DIM);
        }
        if self.style.full {
            for (stratum, grid) in grid::strata(t, main, &labels) {
                self.blank();
                self.flow("  ", &format!("In {}:", name(&stratum, view::NAME)), BOLD);
                self.grid(&grid);
            }
        } else if t.groups.iter().any(|g| !g.strata.is_empty()) {
            self.flow("  ", &format!("Figures by stratum: {MORE}."), DIM);
        }
    }

    /// The tables of the policy's rulebook.
    fn impact(&mut self, m: &ModelReport) {
        let Some((heading, about)) = impact::lead(self.report, m) else { return };
        self.heading(&heading.to_uppercase());
        self.flow("  ", about, DIM);
        for (caption, grids) in impact::shown(self.report, m, self.limit(4 * grid::GROUPS)) {
            self.blank();
            self.flow("  ", &caption, BOLD);
            grids.iter().for_each(|grid| self.grid(grid));
        }
    }

    /// What strata explain; of a segmentation, what they turn around.
    fn conditioning(&mut self, m: &ModelReport, t: &AttributeTable) {
        let make = |interval| conditioning::shown(&self.report.data, t, self.limit(grid::GROUPS), interval);
        // Intervals where they leave room for names.
        let shown = make(true).filter(|s| self.room(&s.grid) >= 6).or_else(|| make(false));
        if let Some(shown) = shown {
            self.blank();
            self.flow("  ", &shown.lead, "");
            self.grid(&shown.grid);
            for warning in &shown.warnings {
                self.flow("  ", warning, "");
            }
        }
        for warning in conditioning::of_segments(self.report, m, t) {
            self.flow("  ", &warning, "");
        }
    }

    /// What is measured beside the rates: of scores and segments.
    fn measures(&mut self, m: &ModelReport, t: &AttributeTable) {
        let (limit, rows) = (self.limit(grid::GROUPS), self.report.data.rows);
        let mut left = measures::columns(t, self.style.full);
        while !left.is_empty() {
            // As many beside each other as fit.
            let fitting = (1..=left.len()).rev().find(|n| self.fits(&grid::grid(m, t, &left[..*n], limit, rows)));
            let taken: Vec<Column> = left.drain(..fitting.unwrap_or(1)).collect();
            self.blank();
            self.grid(&grid::grid(m, t, &taken, limit, rows));
        }
        let between = measures::between(t, self.style.full);
        if !between.is_empty() {
            self.blank();
            self.line("  Between all groups");
        }
        for line in between {
            self.flow("    ", &line, "");
        }
    }

    /// The table in one part if the names fit, or else in two: who is selected, and how rightly.
    fn grids(
        &self,
        m: &ModelReport,
        t: &AttributeTable,
        main: Option<&'static str>,
        labels: &[&'static str],
    ) -> Vec<Grid> {
        let (limit, rows) = (self.limit(grid::GROUPS), self.report.data.rows);
        let make = |columns: &[Column]| grid::grid(m, t, columns, limit, rows);
        let mut selection = vec![Column::Rows, Column::Share];
        selection.extend(main.map(|metric| Column::Metric(metric, true)));
        let difference = main.filter(|metric| grid::has_differences(t, metric)).map(Column::Difference);
        let with = |interval: bool| labels.iter().map(move |metric| Column::Metric(metric, interval));
        let all: Vec<Column> = selection.iter().copied().chain(with(false)).chain(difference).collect();
        let whole = make(&all);
        if labels.is_empty() || self.fits(&whole) {
            return vec![whole];
        }
        selection.extend(difference);
        let first = make(&selection);
        let rightly = make(&with(true).collect::<Vec<_>>());
        let second = if self.fits(&rightly) { rightly } else { make(&with(false).collect::<Vec<_>>()) };
        // What is said of the groups shown is said once.
        let (mut first, second) = (first, second);
        first.notes.retain(|n| !second.notes.contains(n));
        vec![first, second]
    }

    fn side_by_side(&mut self) {
        let models = &view::models(self.report);
        let lines = view::side_by_side(models);
        let limit = self.limit(24);
        let cell = |f: &Option<&Finding>| match f {
            None => "–".to_string(),
            Some(f) => format!("{} {}", words::mark(f.verdict), view::figure(f)),
        };
        let names: Vec<String> = models.iter().map(|m| name(&m.model, MODEL)).collect();
        let widest = lines.iter().take(limit).flat_map(|l| &l.1).map(|f| width(&cell(f)));
        let each = widest.chain(names.iter().map(|n| width(n))).max().unwrap_or(0).clamp(14, MODEL);
        // As many models beside each other as leave half of the line to what they are compared by.
        let beside = (self.style.width / 2 / (each + 2)).clamp(1, models.len().max(1));
        let room = self.style.width.saturating_sub(2 + beside * (each + 2));
        let label = lines.iter().map(|l| width(&l.0)).max().unwrap_or(0).clamp(8, room);
        self.heading("MODELS SIDE BY SIDE");
        for start in (0..models.len()).step_by(beside) {
            let part = start..(start + beside).min(models.len());
            let pad = |text: String| format!("  {text}{}", " ".repeat(each.saturating_sub(width(&text))));
            let mut head = format!("  {:label$}", "");
            let mut verdicts = format!("  {:<label$}", "verdict");
            for i in part.clone() {
                head.push_str(&pad(names[i].clone()));
                verdicts.push_str(&pad(words::verdict(models[i].verdict).into()));
            }
            if start > 0 {
                self.blank();
            }
            let head = self.paint(BOLD, head.trim_end());
            self.line(&head);
            self.line(&verdicts);
            for (subject, found) in lines.iter().take(limit) {
                let subject = words::cut(subject, label);
                let mut line = format!("  {subject}{}", " ".repeat(label.saturating_sub(width(&subject))));
                for f in &found[part.clone()] {
                    line.push_str(&pad(words::cut(&cell(f), each)));
                }
                self.line(&line);
            }
        }
        self.more(lines.len(), limit, "comparisons");
    }
}

impl Report {
    /// The report as people read it on a terminal: the verdict, what was audited, the findings with their
    /// intervals drawn against their bounds, a table for each attribute, and how to make it again.
    ///
    /// Unless `style.full` is set, long lists are shortened to what is gravest, and say so. Names from the
    /// data are shortened to fit and made harmless: no control character reaches the terminal.
    pub fn to_text(&self, style: TextStyle) -> String {
        let mut page = Page { lines: Lines::new(style), report: self };
        page.head();
        page.heading("WHAT WAS AUDITED");
        page.facts(&view::audited(self));
        let models = view::models(self);
        if models.len() > 1 {
            page.side_by_side();
        }
        for m in models {
            page.model(m);
        }
        page.heading("HOW TO MAKE IT AGAIN");
        let mut facts = view::method(self);
        let again = facts.pop_if(|(label, _)| *label == "Again");
        page.facts(&facts);
        if let Some((label, command)) = again {
            page.command(label, &command);
        }
        page.lines.finish()
    }
}
