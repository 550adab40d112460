//! Names and numbers as people read them: harmless, short, and no more exact than is useful.
//!
//! Names of levels, columns, models and files come from data: they are hostile input.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Coverage, InputFile};
use crate::audit::{Comparison, Criterion, Verdict};
use crate::data::Filtered;
use crate::metrics::{Estimate, catalog};
use crate::tally::DecisionRule;

/// The columns that a text takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// Whether a character could move the cursor, end the line, reorder the text around it or hide.
fn harmful(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{feff}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with everything harmful written out as an escape, as in `a\nb`.
pub(super) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if harmful(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// The first part of a text, ending in `…` where it is longer than `columns`. Marks that take no column
/// are limited too: a stack of them is no name.
pub(super) fn cut(text: &str, columns: usize) -> String {
    let most = columns.saturating_mul(4);
    if text.len() <= columns || (width(text) <= columns && text.chars().count() <= most) {
        return text.into();
    }
    let mut out = String::new();
    let mut taken = 0;
    for (i, c) in text.chars().enumerate() {
        let w = c.width().unwrap_or(0);
        if taken + w + 1 > columns || i + 1 >= most {
            break;
        }
        taken += w;
        out.push(c);
    }
    out.push('…');
    // Joined characters may be wider together than one by one.
    while width(&out) > columns && out.chars().count() > 1 {
        out.pop();
        out.pop();
        out.push('…');
    }
    out
}

/// A name made harmless, at most `columns` wide; right-to-left ones do not reorder what stands beside them.
pub(crate) fn name(text: &str, columns: usize) -> String {
    let text = if text.trim().is_empty() { "(blank)".into() } else { cut(&clean(text), columns) };
    let rtl = |c| matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{1e800}'..='\u{1efff}');
    if text.contains(rtl) { format!("\u{2068}{text}\u{2069}") } else { text }
}

/// The text in lines of at most `columns`, broken at spaces, or inside a word that is too long for a line.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(8);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        if !line.is_empty() && width(&line) + 1 + width(word) > columns {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        if width(word) <= columns {
            line.push_str(word);
            continue;
        }
        let mut taken = 0;
        for c in word.chars() {
            let w = c.width().unwrap_or(0);
            if taken + w > columns {
                lines.push(std::mem::take(&mut line));
                taken = 0;
            }
            taken += w;
            line.push(c);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// `12,345`
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, d) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(d);
    }
    out
}

/// The text with a capital letter at its head.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|c| c.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// `1 row`, `12 rows`
pub(crate) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// A metric's name in words: `true positive rate`.
pub(crate) fn title(metric: &str) -> String {
    let spelled = match metric {
        "auc" => "AUC",
        "xauc" => "xAUC",
        "xauc_difference" => "xAUC difference",
        "bpsn_auc" => "BPSN AUC",
        "abroca" => "ABROCA",
        "r2" => "R²",
        "ndkl" => "NDKL",
        "cramers_v" => "Cramér's V",
        "cramers_v_corrected" => "Cramér's V, corrected",
        "cohens_h" => "Cohen's h",
        "hedges_g" => "Hedges' g",
        "theils_u" => "Theil's U",
        "somers_d" => "Somers' d",
        "kolmogorov_smirnov" => "Kolmogorov-Smirnov",
        "jensen_shannon" => "Jensen-Shannon",
        "kullback_leibler" => "Kullback-Leibler",
        "goodman_kruskal_lambda" => "Goodman-Kruskal lambda",
        "goodman_kruskal_tau" => "Goodman-Kruskal tau",
        other => return name(&other.replace('_', " "), 60),
    };
    spelled.into()
}

/// How a figure is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Unit {
    /// A rate: `25.8 %`.
    Percent,
    /// A difference of rates: `3.1 points`.
    Points,
    /// A ratio: `0.26`.
    Ratio,
    /// Any other number.
    Plain,
}

impl Unit {
    /// Of a group's figure.
    pub fn of(metric: &str) -> Self {
        let percent = |name: &str| catalog::metric(name).is_some_and(|m| m.least == 0.0 && m.most == Some(1.0));
        let criterion = || catalog::criterion_entry(metric).is_some_and(|c| c.metrics.iter().all(|m| percent(m)));
        if percent(metric) || criterion() { Unit::Percent } else { Unit::Plain }
    }

    /// Of a comparison.
    pub fn compared(metric: &str, comparison: Comparison) -> Self {
        match (comparison, Unit::of(metric)) {
            (Comparison::Ratio, _) => Unit::Ratio,
            (Comparison::Difference, Unit::Percent) => Unit::Points,
            (Comparison::Difference, unit) => unit,
            (Comparison::Value, _) => Unit::Plain,
        }
    }

    /// The decimals that tell figures up to this size apart.
    pub fn decimals(self, largest: f64) -> usize {
        match (self, largest.abs()) {
            (Unit::Percent | Unit::Points, v) if v >= 0.02 || v == 0.0 => 1,
            (Unit::Percent | Unit::Points, v) if v >= 0.002 => 2,
            (Unit::Percent | Unit::Points, _) => 3,
            (_, v) if v >= 1000.0 => 0,
            (Unit::Ratio, v) if v >= 0.1 || v == 0.0 => 2,
            (_, v) if v >= 10.0 => 2,
            _ => 3,
        }
    }

    /// The number alone, without its unit.
    pub fn bare(self, value: f64, decimals: usize) -> String {
        let scaled = if matches!(self, Unit::Percent | Unit::Points) { value * 100.0 } else { value };
        if scaled != 0.0 && (scaled.abs() >= 1e9 || scaled.abs() < 1e-6) {
            return format!("{scaled:.2e}");
        }
        let text = format!("{scaled:.decimals$}");
        let negative = text.starts_with('-') && text.chars().any(|c| c.is_ascii_digit() && c != '0');
        let digits = text.trim_start_matches('-');
        let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
        let whole = whole.parse().map_or_else(|_| whole.to_string(), count);
        format!("{}{whole}{rest}", if negative { "-" } else { "" })
    }

    /// What follows the number.
    pub fn suffix(self) -> &'static str {
        match self {
            Unit::Percent => " %",
            Unit::Points => " points",
            Unit::Ratio | Unit::Plain => "",
        }
    }

    /// `25.8 %`
    pub fn value(self, value: f64) -> String {
        format!("{}{}", self.bare(value, self.decimals(value)), self.suffix())
    }

    /// `25.8 % [24.9, 26.6]`, or why there is no figure.
    pub fn estimate(self, e: &Estimate) -> String {
        let decimals = self.decimals(largest([e.value, e.low, e.high]));
        let between = |[low, high]: [f64; 2]| format!("{} to {}", self.bare(low, decimals), self.bare(high, decimals));
        match (e.value, e.interval(), e.bounds) {
            (Some(v), Some((low, high)), _) => {
                let (v, low, high) = (self.bare(v, decimals), self.bare(low, decimals), self.bare(high, decimals));
                glued(&format!("{v}{} [{low}, {high}]", self.suffix()))
            }
            (Some(v), None, _) => self.value(v),
            (None, _, Some(bounds)) => format!("anything from {}{} ({})", between(bounds), self.suffix(), reason(e)),
            (None, _, None) => format!("undefined ({})", reason(e)),
        }
    }
}

/// The size that decides the decimals.
pub(crate) fn largest(values: impl IntoIterator<Item = Option<f64>>) -> f64 {
    values.into_iter().flatten().fold(0.0, |most, v| v.abs().max(most))
}

/// Why there is no figure.
pub(crate) fn reason(e: &Estimate) -> String {
    e.reason.map_or_else(|| "no figure".into(), |r| r.to_string())
}

/// The share in percent: `2.7 %`, never rounded to `0.0 %` or `100.0 %` where it is neither.
pub(crate) fn share(part: f64) -> String {
    match part {
        p if p > 0.0 && p < 0.0005 => "under 0.1 %".into(),
        p if (0.9995..1.0).contains(&p) => "over 99.9 %".into(),
        p => format!("{:.1} %", p * 100.0),
    }
}

/// `p < 0.001`
pub(crate) fn chance(p: f64) -> String {
    glued(&if p < 0.001 { "p < 0.001".into() } else { format!("p = {p:.3}") })
}

/// The text with spaces at which no line ends; [`unglued`] makes them plain again.
pub(super) fn glued(text: &str) -> String {
    text.replace(' ', "\u{a0}")
}

/// The text with plain spaces only.
pub(crate) fn unglued(text: &str) -> String {
    text.replace('\u{a0}', " ")
}

/// A command whose quoted arguments are not broken over lines.
pub(super) fn command(text: &str) -> String {
    let mut quote = None;
    let glue = |c: char| {
        match quote {
            None if c == '\'' || c == '"' => quote = Some(c),
            Some(q) if c == q => quote = None,
            Some(_) if c == ' ' => return '\u{a0}',
            _ => {}
        }
        c
    };
    cut(&clean(text), 2000).chars().map(glue).collect()
}

/// The mark and the word of a verdict; neither needs colour.
pub(crate) fn verdict(v: Verdict) -> &'static str {
    match v {
        Verdict::Pass => "✓ PASS",
        Verdict::Inconclusive => "? INCONCLUSIVE",
        Verdict::Fail => "✗ FAIL",
    }
}

/// Only the mark.
pub(super) fn mark(v: Verdict) -> char {
    verdict(v).chars().next().unwrap_or(' ')
}

/// What something is compared with, in words.
pub(crate) fn against(against: &str) -> String {
    match against {
        "between_groups" => "between groups".into(),
        "overall" => "against all rows".into(),
        "rest" => "against all other groups".into(),
        reference => format!("against {}", name(reference, 40)),
    }
}

/// How decisions came to be, in words.
pub(crate) fn rule(rule: &DecisionRule) -> String {
    match rule {
        DecisionRule::None => "no decisions".into(),
        DecisionRule::Given => "decisions as given".into(),
        DecisionRule::Segments(n) => format!("everybody put into one of {}", counted(*n as u64, "segment", "segments")),
        DecisionRule::Threshold(t) => format!("selected where the score is at least {t}"),
        DecisionRule::Top(cut) if cut.edge <= 0.0 => {
            format!("{} strictly above the median score {} selected", count(cut.selected), cut.cut)
        }
        DecisionRule::Top(cut) => {
            let tied = match (cut.tied, cut.edge) {
                (0 | 1, _) => String::new(),
                (_, edge) if edge >= 1.0 => String::new(),
                (tied, _) => format!("; {} tied there share the last places", counted(tied, "row", "rows")),
            };
            format!("the best {} selected, down to the score {}{tied}", count(cut.selected), cut.cut)
        }
    }
}

/// How far an attribute or stratum is known: `2 levels, 12 rows missing (under 0.1 %)`.
pub(super) fn coverage(c: &Coverage) -> String {
    let missing = match c.missing_rows {
        0 => "none missing".into(),
        n => format!("{} missing ({})", counted(n, "row", "rows"), share(c.missing_share)),
    };
    format!("{}, {missing}", counted(c.levels as u64, "level", "levels"))
}

/// A filter and what it did: `country = 'DE': 1,204 rows left out`.
pub(crate) fn filter(f: &Filtered) -> String {
    let left_out = match f.rows_left_out {
        Some(n) => format!("{} left out", counted(n, "row", "rows")),
        None => "the engine left rows out and did not count them".into(),
    };
    format!("{}: {left_out}", name(&f.condition, 200))
}

/// The same as a sentence, beside the rows that were looked at.
#[cfg(any(feature = "csv", feature = "parquet"))]
pub(crate) fn filtered(f: &Filtered, rows: u64) -> String {
    let condition = &f.condition;
    match f.rows_left_out {
        Some(n) => {
            let all = counted(n.saturating_add(rows), "row", "rows");
            format!("A filter was applied, {condition}: of {all} read, {} were left out.", count(n))
        }
        None => {
            format!("A filter was applied where the rows were counted, {condition}: how many it left out is not known.")
        }
    }
}

/// A file: `45,211 rows, csv, 4.2 MB, blake3 1a2b3c4d5e6f`.
pub(super) fn file(f: &InputFile) -> String {
    let bytes = f.bytes as f64;
    let size = match f.bytes {
        0..1_000 => counted(f.bytes, "byte", "bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes / 1e6),
        _ => format!("{:.1} GB", bytes / 1e9),
    };
    format!("{}, {}, {size}, blake3 {}", counted(f.rows, "row", "rows"), name(&f.format, 12), digest(&f.blake3))
}

/// The first part of a digest: enough to tell two apart by eye.
pub(super) fn digest(digest: &str) -> String {
    clean(&digest.chars().take(12).collect::<String>())
}

/// What a criterion asks for.
pub(crate) fn criterion(c: &Criterion) -> String {
    let unit = Unit::compared(&c.metric, c.comparison);
    let with = match c.against {
        crate::audit::Against::BetweenGroups => "between groups",
        crate::audit::Against::Reference => "against the reference group",
        crate::audit::Against::Rest => "against all other groups",
        crate::audit::Against::Overall => "against all rows",
    };
    let only = match c.attributes.as_slice() {
        [] => String::new(),
        some => format!(" ({})", some.iter().map(|a| name(a, 30)).collect::<Vec<_>>().join(", ")),
    };
    format!("{} {} {with} {}{only}", title(&c.metric), c.comparison, bound(unit, c.minimum, c.maximum))
}

/// `at least 0.80`
pub(crate) fn bound(unit: Unit, minimum: Option<f64>, maximum: Option<f64>) -> String {
    match (minimum, maximum) {
        (Some(m), _) => glued(&format!("at least {}", unit.value(m))),
        (None, Some(m)) => glued(&format!("at most {}", unit.value(m))),
        (None, None) => "without a bound".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_tell_figures_apart() {
        assert_eq!((count(0), count(1000), count(45_211)), ("0".into(), "1,000".into(), "45,211".into()));
        let e = Estimate::of(0.258, Default::default()).between(0.2491, 0.2664);
        assert_eq!(unglued(&Unit::Percent.estimate(&e)), "25.8 % [24.9, 26.6]");
        assert_eq!(Unit::Ratio.value(0.2613), "0.26");
        assert_eq!(Unit::Percent.value(0.0031), "0.31 %");
        assert_eq!(Unit::Points.value(-0.00001), "-0.001 points");
        assert_eq!(Unit::Plain.value(-0.0), "0.000");
        assert_eq!(Unit::Plain.value(12_345.6), "12,346");
        assert_eq!(Unit::Ratio.value(1e300), "1.00e300");
        assert_eq!((share(0.0), share(0.0001), share(0.9999), share(1.0)).1, "under 0.1 %");
    }

    #[test]
    fn names_are_harmless_and_short() {
        assert_eq!(name("a\nb\u{1b}[31m\u{202e}c", 40), "a\\nb\\u{1b}[31m\\u{202e}c");
        assert_eq!(name("abcdef", 4), "abc…");
        assert_eq!(name("日本語", 5), "日本…");
        assert_eq!(width(&name("日本語", 4)), 3);
        assert!(name(&format!("e{}", "\u{301}".repeat(10_000)), 10).chars().count() <= 41);
        assert_eq!(name(" ", 40), "(blank)");
        assert_eq!(name("نساء", 10), "\u{2068}نساء\u{2069}");
    }

    #[test]
    fn no_line_is_too_long() {
        for text in ["a b ".repeat(40), "x".repeat(100), "日".repeat(30), format!("ab {}", "y".repeat(50))] {
            let lines = wrap(&text, 20);
            assert!(lines.iter().all(|l| width(l) <= 20), "{lines:?}");
            assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        }
    }
}
