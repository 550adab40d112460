//! The form for a page or a merge request.

use super::super::marks::{Marks, escape};
use super::super::words::{self, name};
use super::*;

fn finding(page: &mut Marks, number: usize, model: Option<&str>, f: &FindingChange) {
    let subject = escape(&about(model, &f.change));
    page.line(&format!("{number}. **{}** {subject}: {}  ", word(f.change.effect), verdicts(f.verdicts)));
    page.line(&format!("   {}  ", escape(&sentence(&f.change.sentence))));
    page.line(&format!("   {}  ", escape(&format!("{}, {}", both(&f.change), bound(f)))));
    let notes = chances(&f.change, "findings").into_iter().chain(f.change.notes.iter().map(|n| sentence(n)));
    notes.for_each(|note| page.line(&format!("   {}  ", escape(&note))));
}

fn by_attribute(page: &mut Marks, level: usize, part: &Part) {
    page.heading(level, &words::capital(&heading(part)));
    if !part.disparities.is_empty() {
        page.row(["", "Disparity", "Before", "After", "Change", "p adj."].map(String::from));
        page.row([":--", ":--", "--:", "--:", "--:", "--:"].map(String::from));
    }
    for c in &part.disparities {
        let (unit, _) = units(c);
        let p = c.p_adjusted.map_or_else(|| "–".into(), words::chance);
        let cells = [subject(c), unit.estimate(&c.before), unit.estimate(&c.after), difference(c), p];
        page.row(std::iter::once(mark(c.effect).to_string()).chain(cells.iter().map(|cell| escape(cell))));
    }
    if part.more > 0 {
        page.line(&format!("\nand {} more disparities, {MORE}.", count(part.more as u64)));
    }
    for (metric, changes) in part.telling() {
        page.line(&format!("\n{}:\n", escape(&words::capital(&caption(metric)))));
        page.grid(&grid(changes, GROUPS));
    }
}

impl Changes {
    /// The changes as GitHub-flavoured Markdown, shortened as [`to_text`](Self::to_text) is. Names from the data are escaped.
    pub fn to_markdown(&self) -> String {
        let mut page = Marks::default();
        page.line(&format!("# {}: one bias audit against another", word(self.effect)));
        page.line(&format!("\n{}", escape(&sentence(&self.summary))));
        page.heading(2, "What is compared");
        compared(self).iter().for_each(|(label, text)| page.item(label, text));
        let all = findings(self);
        if !all.is_empty() {
            let tally = crate::compare::wording::tallied(all.iter().map(|(_, f)| &f.change));
            page.heading(2, &format!("Findings: {tally}"));
        }
        for (i, (model, f)) in all.iter().take(2 * FINDINGS).enumerate() {
            finding(&mut page, i + 1, *model, f);
        }
        if all.len() > 2 * FINDINGS {
            page.line(&format!("\nand {} more findings, {MORE}.", all.len() - 2 * FINDINGS));
        }
        let models = models(self, false);
        for m in &models {
            let several = models.len() > 1;
            if several {
                page.heading(2, &format!("Model {}", name(&m.after, NAME)));
            }
            let parts = parts(m, false);
            let level = if several { 3 } else { 2 };
            parts.iter().take(ATTRIBUTES).for_each(|part| by_attribute(&mut page, level, part));
            if parts.len() > ATTRIBUTES {
                page.line(&format!("\nand {} more attributes, {MORE}.", parts.len() - ATTRIBUTES));
            }
        }
        if !self.only_before.is_empty() || !self.only_after.is_empty() {
            page.heading(2, "In one report only");
            for (label, all) in [("Before", &self.only_before), ("After", &self.only_after)] {
                if !all.is_empty() {
                    page.item(label, &absent(all, ABSENT));
                }
            }
        }
        if !self.settings.is_empty() {
            page.heading(2, "Settings that differ");
            for s in &self.settings {
                page.item(&sentence(&s.setting), &format!("{} → {}", sentence(&s.before), sentence(&s.after)));
            }
        }
        page.heading(2, "Good to know");
        for note in self.notes.iter().map(String::as_str).chain([LEGEND, "↑ ↓: shown to have risen or fallen."]) {
            page.line(&format!("- {}", escape(&sentence(note))));
        }
        page.finish()
    }
}
