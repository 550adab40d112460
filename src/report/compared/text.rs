//! The form for a terminal.

use super::super::lines::{BOLD, DIM, Lines, TextStyle};
use super::super::view::MORE;
use super::super::words::{self, name, width};
use super::*;

/// What the signs of a bar mean.
const SIGNS: &str = "○ before, ● after, ━ between them, ┃ bound";
/// The columns that a bar takes, and the least that one is worth drawing in.
const BAR: usize = 40;
const LEAST: usize = 16;

/// Before and after on one scale, as in `0 ─────○━━━●──┃── 1.00`; `None` where either has no figure.
fn draw(f: &FindingChange, columns: usize) -> Option<String> {
    let bar::Scale { from, to, floor, ceiling } = scale(f)?;
    let (was, is) = (f.change.before.value?, f.change.after.value?);
    let (unit, _) = units(&f.change);
    let end = |v: f64| if v == 0.0 { "0".into() } else { unit.bare(v, unit.decimals(v)) };
    let (left, right) = (end(from), end(to));
    let room = columns.checked_sub(width(&left) + width(&right) + 2)?.min(BAR);
    if room < LEAST || to <= from || !(to - from).is_finite() {
        return None;
    }
    let at = |v: f64| (((v - from) / (to - from)).clamp(0.0, 1.0) * (room - 1) as f64).round() as usize;
    let mut cells = vec!['─'; room];
    cells[at(was).min(at(is))..=at(was).max(at(is))].fill('━');
    [floor, ceiling].into_iter().flatten().for_each(|b| cells[at(b)] = '┃');
    cells[at(was)] = '○';
    cells[at(is)] = '●';
    Some(format!("{left} {} {right}", cells.into_iter().collect::<String>()))
}

fn paint(page: &Lines, effect: Effect) -> String {
    match painted(effect) {
        Some(v) => page.verdict(v, word(effect)),
        None => page.paint(BOLD, word(effect)),
    }
}

fn finding(page: &mut Lines, number: usize, model: Option<&str>, f: &FindingChange) {
    let place = format!("{number:>3}. ");
    let indent = " ".repeat(place.len());
    let before = format!("{place}{}  ", paint(page, f.change.effect));
    page.blank();
    page.flow_after(&before, width(&place) + width(word(f.change.effect)) + 2, &about(model, &f.change), BOLD);
    let verdict = verdicts(f.verdicts);
    let verdict = if f.turned() { page.verdict(f.verdicts[1], &verdict) } else { verdict };
    page.line(&format!("{indent}{verdict}"));
    page.flow(&indent, &sentence(&f.change.sentence), "");
    if let Some(bar) = draw(f, page.style.width.saturating_sub(indent.len())) {
        page.line(&format!("{indent}{bar}"));
    }
    page.flow(&indent, &format!("{}, {}", both(&f.change), bound(f)), "");
    page.flow(&indent, &chances(&f.change, "findings").unwrap_or_default(), DIM);
    f.change.notes.iter().for_each(|note| page.flow(&indent, &sentence(note), DIM));
}

fn more(page: &mut Lines, n: usize, what: &str) {
    if n > 0 {
        page.flow("     ", &format!("and {} more {what}, {MORE}.", count(n as u64)), DIM);
    }
}

fn all_findings(page: &mut Lines, changes: &Changes) {
    let all = findings(changes);
    let tally = crate::compare::wording::tallied(all.iter().map(|(_, f)| &f.change));
    page.heading(&format!("FINDINGS  {tally}"));
    let tells = |f: &FindingChange| f.turned() || f.change.effect != Effect::NotShown;
    let full = page.style.full;
    let (loud, quiet): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, f)| tells(f) || full);
    if loud.iter().any(|(_, f)| f.change.before.value.and(f.change.after.value).is_some()) {
        page.flow("  ", SIGNS, DIM);
    }
    let limit = page.limit(FINDINGS);
    for (i, (model, f)) in loud.iter().take(limit).enumerate() {
        finding(page, i + 1, *model, f);
    }
    more(page, loud.len().saturating_sub(limit), "findings");
    if !quiet.is_empty() {
        page.blank();
    }
    for (model, f) in quiet.iter().take(limit) {
        let text = format!("{}: {}; {}", about(*model, &f.change), both(&f.change), verdicts(f.verdicts));
        page.flow("     – ", &text, "");
    }
    more(page, quiet.len().saturating_sub(limit), "findings without a shown change");
}

fn by_attribute(page: &mut Lines, part: &Part) {
    page.heading(&words::capital(&heading(part)).to_uppercase());
    let line = |page: &mut Lines, c: &Change, what: &str| {
        let p = c.p_adjusted.map(|p| format!(", {}", words::chance(p))).unwrap_or_default();
        page.flow(&format!("  {} ", mark(c.effect)), &format!("{what}: {}; {}{p}", both(c), difference(c)), "");
    };
    part.disparities.iter().for_each(|c| line(page, c, &subject(c)));
    more(page, part.more, "disparities");
    let figures: Vec<_> = if page.style.full { part.figures.iter().collect() } else { part.telling().collect() };
    let limit = page.limit(GROUPS);
    for (metric, changes) in figures {
        match changes[..] {
            [c] if c.attribute == "overall" => line(page, c, &words::title(metric)),
            _ => {
                page.blank();
                page.flow("  ", &words::capital(&caption(metric)), BOLD);
                page.grid(&grid(changes, limit));
            }
        }
    }
}

impl Changes {
    /// The changes as people read them on a terminal: what got worse, verdicts that turned first, then every attribute with
    /// its disparities and groups before and after, then what differs besides. `style` is that of a report's text.
    ///
    /// Unless `style.full` is set, long lists are shortened to what changed, and say so. Names from the data are shortened
    /// to fit and made harmless.
    pub fn to_text(&self, style: TextStyle) -> String {
        let mut page = Lines::new(style);
        let head = format!("{}  ", paint(&page, self.effect));
        let sides = format!("{} → {}", name(&self.before.name, 60), name(&self.after.name, 60));
        page.flow_after(&head, width(word(self.effect)) + 2, &sides, BOLD);
        page.flow("", &sentence(&self.summary), "");
        page.heading("WHAT IS COMPARED");
        page.facts(&compared(self));
        if self.models.iter().any(|m| !m.findings.is_empty()) {
            all_findings(&mut page, self);
        }
        let models = models(self, page.style.full);
        for m in &models {
            if models.len() > 1 {
                let rule = page.paint(DIM, &"═".repeat(page.style.width));
                page.blank();
                page.line(&rule);
                page.flow("", &format!("MODEL {}", name(&m.after, NAME)), BOLD);
            }
            let parts = parts(m, page.style.full);
            let limit = page.limit(ATTRIBUTES);
            parts.iter().take(limit).for_each(|part| by_attribute(&mut page, part));
            more(&mut page, parts.len().saturating_sub(limit), "attributes");
        }
        page.flow("  ", "↑ ↓: shown to have risen or fallen.", DIM);
        if !self.only_before.is_empty() || !self.only_after.is_empty() {
            page.heading("IN ONE REPORT ONLY");
            let limit = page.limit(ABSENT);
            let both = [("Before", &self.only_before), ("After", &self.only_after)];
            let facts: Vec<_> =
                both.into_iter().filter(|(_, all)| !all.is_empty()).map(|(l, all)| (l, absent(all, limit))).collect();
            page.facts(&facts);
        }
        if !self.settings.is_empty() {
            page.heading("SETTINGS THAT DIFFER");
            for s in &self.settings {
                let text = format!("{}: {} → {}", sentence(&s.setting), sentence(&s.before), sentence(&s.after));
                page.flow("  - ", &text, "");
            }
        }
        page.heading("GOOD TO KNOW");
        self.notes.iter().for_each(|note| page.flow("  - ", &sentence(note), ""));
        page.flow("  - ", LEGEND, "");
        page.finish()
    }
}
