//! Changes in plain words.

use super::{Change, Changes, Effect, FindingChange};
use crate::audit::{Comparison, Verdict};
use crate::metrics::Estimate;
use crate::report::words::{self, Unit, counted, largest, name, reason, title, unglued};

/// The width that names are cut to.
const NAME: usize = 40;

/// How a change's figures are written, and how their difference.
pub(crate) fn units(change: &Change) -> (Unit, Unit) {
    match change.comparison {
        None => (Unit::of(&change.metric), Unit::compared(&change.metric, Comparison::Difference)),
        Some(comparison) => {
            let unit = Unit::compared(&change.metric, comparison);
            (unit, unit)
        }
    }
}

/// What a change is of: `selection rate difference by sex`, `selection rate of Female (sex)`.
pub(crate) fn subject(change: &Change) -> String {
    let metric = title(&change.metric);
    let within = change.stratum.as_ref().map(|s| format!(", in {}", name(s, NAME))).unwrap_or_default();
    let Some(comparison) = change.comparison else {
        let group = change.group.as_deref().unwrap_or_default();
        return match change.attribute.as_str() {
            "overall" => format!("{metric} of all rows{within}"),
            attribute => format!("{metric} of {} ({}){within}", name(group, NAME), name(attribute, NAME)),
        };
    };
    let how = match comparison {
        Comparison::Difference => " difference",
        Comparison::Ratio if change.metric != "disparate_impact" => " ratio",
        _ => "",
    };
    let group = change.group.as_ref().map(|g| format!(" of {}", name(g, NAME))).unwrap_or_default();
    let against = match change.against.as_deref() {
        None | Some("between_groups") => String::new(),
        Some(against) => format!(" {}", words::against(against)),
    };
    format!("{metric}{how}{group}{against} by {}{within}", name(&change.attribute, NAME))
}

/// A percentage without idle digits: `95 %`.
fn percent(level: f64) -> String {
    format!("{} %", (level * 1e6).round() / 1e4)
}

/// By how much, and how sure: `7.7 points (95 % interval 6.1 to 9.3)`.
fn amount(unit: Unit, e: &Estimate, value: f64, ends: [Option<f64>; 2], confidence: f64) -> String {
    let decimals = unit.decimals(largest([e.value, e.low, e.high]));
    let bare = |v: f64| unit.bare(v, decimals);
    let interval = match ends {
        [Some(low), Some(high)] => format!(" ({} interval {} to {})", percent(confidence), bare(low), bare(high)),
        [Some(low), None] => format!(" ({} interval from {} upward)", percent(confidence), bare(low)),
        [None, Some(high)] => format!(" ({} interval up to {})", percent(confidence), bare(high)),
        [None, None] => String::new(),
    };
    format!("{}{}{interval}", bare(value), unit.suffix())
}

/// A change in a sentence.
pub(super) fn sentence(change: &Change, confidence: f64) -> String {
    let (unit, apart) = units(change);
    let decimals = unit.decimals(largest([change.before.value, change.after.value]));
    let bare = |v: f64| format!("{}{}", unit.bare(v, decimals), unit.suffix());
    let figure = |e: &Estimate| e.value.map_or_else(|| format!("undefined ({})", reason(e)), bare);
    let lead = format!("{}: {} before, {} after", subject(change), figure(&change.before), figure(&change.after));
    let d = &change.difference;
    let moved = |word: &str, value: f64| {
        let ends = if value < 0.0 { [d.high.map(|v| -v), d.low.map(|v| -v)] } else { [d.low, d.high] };
        format!("{word} by {}", amount(apart, d, value.abs(), ends, confidence))
    };
    let said = match (change.effect, d.value) {
        (Effect::Worse, Some(v)) => moved("worse", v),
        (Effect::Better, Some(v)) => moved("better", v),
        (Effect::Rose, Some(v)) => moved("it rose", v),
        (Effect::Fell, Some(v)) => moved("it fell", v),
        (Effect::NotShown, Some(v)) => {
            format!("no change is shown: {}", amount(apart, d, v, [d.low, d.high], confidence))
        }
        (_, Some(_)) => "it is not judged".into(),
        (_, None) => "it cannot be compared".into(),
    };
    words::capital(&unglued(&format!("{lead}; {said}.")))
}

/// What a verdict did: `it passed and fails`.
pub(super) fn turned(finding: &FindingChange) -> Option<&'static str> {
    use Verdict::{Fail, Inconclusive, Pass};
    Some(match finding.verdicts {
        [Pass, Fail] => "It passed, and fails now.",
        [Inconclusive, Fail] => "It was inconclusive, and fails now.",
        [Fail, Pass] => "It failed, and passes now.",
        [Inconclusive, Pass] => "It was inconclusive, and passes now.",
        [Pass, Inconclusive] => "It passed, and is inconclusive now.",
        [Fail, Inconclusive] => "It failed, and is inconclusive now.",
        _ => return None,
    })
}

/// How many of a list are what: `2 worse, 1 better, 7 without a shown change, 1 not comparable`.
pub(crate) fn tallied<'c>(changes: impl Iterator<Item = &'c Change> + Clone) -> String {
    let of = |effect: Effect| changes.clone().filter(|c| c.effect == effect).count();
    let words = [
        (Effect::Worse, "worse"),
        (Effect::Better, "better"),
        (Effect::Rose, "rose"),
        (Effect::Fell, "fell"),
        (Effect::NotShown, "without a shown change"),
        (Effect::NotComparable, "not comparable"),
    ];
    let said = words.into_iter().map(|(effect, word)| (of(effect), word)).filter(|(n, _)| *n > 0);
    let said: Vec<String> = said.map(|(n, word)| format!("{} {word}", words::count(n as u64))).collect();
    if said.is_empty() { "none".into() } else { said.join(", ") }
}

/// The whole in a sentence or two.
pub(super) fn summary(changes: &Changes) -> String {
    let findings = || changes.models.iter().flat_map(|m| &m.findings);
    let disparities = || changes.models.iter().flat_map(|m| &m.disparities);
    let mut said = Vec::new();
    let fails = findings().filter(|f| f.turned_to_fail()).count() as u64;
    if fails > 0 {
        said.push(format!("{} turned to fail.", counted(fails, "verdict", "verdicts")));
    }
    let n = findings().count() as u64;
    if n > 0 {
        let what = counted(n, "finding", "findings");
        said.push(format!("Of {what} in both reports: {}.", tallied(findings().map(|f| &f.change))));
    }
    let n = disparities().count() as u64;
    if n > 0 {
        let other = if findings().next().is_some() { "all " } else { "" };
        said.push(format!("Of {other}{}: {}.", counted(n, "disparity", "disparities"), tallied(disparities())));
    }
    let gravest = findings().map(|f| &f.change).zip(findings().map(FindingChange::turned_to_fail));
    let gravest = gravest.filter(|(c, fails)| *fails || c.effect == Effect::Worse).map(|(c, _)| c).next();
    let gravest = gravest.or_else(|| {
        let worse = disparities().filter(|c| c.effect == Effect::Worse);
        worse.min_by(|a, b| a.p_adjusted.unwrap_or(1.0).total_cmp(&b.p_adjusted.unwrap_or(1.0)))
    });
    said.extend(gravest.map(|c| format!("Gravest: {}", c.sentence)));
    said.join(" ")
}
