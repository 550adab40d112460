//! What a comparison of mitigations found: plain data that serialises.

use serde::{Deserialize, Serialize};

use super::frontier::Frontier;
use super::measure::{Measure, Pair, Utility};
use crate::metrics::{Estimate, Undefined};
use crate::report::words::{self, Unit};

/// How rows are held out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Design {
    /// This share of the rows is held out, once in each repeat.
    HeldOut(f64),
    /// Each row is held out once in each repeat, in one of so many folds.
    Folds(usize),
}

/// What a change is shown to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Effect {
    /// Better than the unmitigated model.
    Helped,
    /// Worse.
    Hurt,
    /// Neither is shown; which is no proof of no change: see the interval.
    NotShown,
}

/// A group of the rows that were judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JudgedGroup {
    /// Its levels, joined by ` & `.
    pub group: String,
    /// Its rows.
    pub rows: u64,
    /// Those with a favourable label.
    pub favorable: u64,
    /// Whether it has too few rows to be compared.
    pub too_small: bool,
}

/// A measure of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The measure.
    pub measure: Measure,
    /// Its value, with an interval for new people.
    pub estimate: Estimate,
    /// The groups furthest apart, for a disparity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair: Option<Pair>,
}

/// How a measure changed against the unmitigated model, on the same rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The measure.
    pub measure: Measure,
    /// The change: of a disparity, that of the pair of groups furthest apart before. Its interval is paired.
    pub change: Estimate,
    /// The pair that the change is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair: Option<Pair>,
    /// The pair furthest apart after, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_pair: Option<Pair>,
    /// The two-sided p-value of no change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// The same, adjusted by Holm for the number of mitigations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value_adjusted: Option<f64>,
    /// What is shown; `None` for a measure of which neither side is better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// The standard deviation of the change between repeats: what the draw of the split and the training add.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between_repeats: Option<f64>,
}

/// One mitigation, judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MitigationResult {
    /// Its name.
    pub name: String,
    /// Whether it reads the groups of the people that it decides on.
    pub knows_groups: bool,
    /// What it did, in a sentence.
    pub sentence: String,
    /// Its measures.
    pub figures: Vec<Figure>,
    /// How they changed.
    pub changes: Vec<Change>,
}

/// Mitigations against the unmitigated model, on rows that none of them was trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MitigationReport {
    /// The rows that were judged.
    pub rows: u64,
    /// The rows left out because their label is not known.
    pub unknown_labels: u64,
    /// The judged rows of no known group: they count in all but the disparities.
    pub missing_group: u64,
    /// How rows were held out.
    pub design: Design,
    /// How often.
    pub repeats: usize,
    /// From which seed.
    pub seed: u64,
    /// The level of every interval; one minus it is the chance of a false claim.
    pub confidence: f64,
    /// The disparity that sentences speak of.
    pub disparity: Measure,
    /// The performance that sentences speak of.
    pub performance: Measure,
    /// What decisions are worth, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utility: Option<Utility>,
    /// The attributes that make the groups.
    pub attributes: Vec<String>,
    /// The groups.
    pub groups: Vec<JudgedGroup>,
    /// The unmitigated model's measures.
    pub unmitigated: Vec<Figure>,
    /// The mitigations, in the order in which they were added.
    pub mitigations: Vec<MitigationResult>,
    /// Accuracy against fairness, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frontier: Option<Frontier>,
    /// What a reader must know.
    pub notes: Vec<String>,
}

impl MitigationReport {
    /// A mitigation by its name.
    pub fn mitigation(&self, name: &str) -> Option<&MitigationResult> {
        self.mitigations.iter().find(|m| m.name == name)
    }
}

impl MitigationResult {
    /// How a measure changed.
    pub fn change(&self, measure: Measure) -> Option<&Change> {
        self.changes.iter().find(|c| c.measure == measure)
    }

    /// The value of a measure.
    pub fn figure(&self, measure: Measure) -> Option<&Figure> {
        self.figures.iter().find(|f| f.measure == measure)
    }

    /// What is shown of a measure: not shown where it is undefined.
    pub fn effect(&self, measure: Measure) -> Effect {
        self.change(measure).and_then(|c| c.effect).unwrap_or(Effect::NotShown)
    }
}

impl Measure {
    /// How its value is written.
    pub(crate) fn unit(self) -> Unit {
        match self {
            Measure::Accuracy | Measure::BalancedAccuracy | Measure::SelectionRate => Unit::Percent,
            Measure::Auc | Measure::Profit => Unit::Plain,
            Measure::DemographicParityRatio => Unit::Ratio,
            _ => Unit::Points,
        }
    }

    /// How its change is written.
    pub(crate) fn unit_of_change(self) -> Unit {
        match self.unit() {
            Unit::Percent => Unit::Points,
            unit => unit,
        }
    }
}

/// A change with its sign: `+1.2 points [0.3, 2.1]`.
pub(crate) fn signed(measure: Measure, change: &Estimate) -> String {
    let sign = if change.value.is_some_and(|v| v > 0.0) { "+" } else { "" };
    format!("{sign}{}", words::unglued(&measure.unit_of_change().estimate(change)))
}

/// What a mitigation did to a disparity and to performance.
pub(super) fn sentence(name: &str, before: &[Figure], result: [Option<&Change>; 2], after: &[Figure]) -> String {
    let parts: Vec<String> = result.into_iter().flatten().map(|change| part(before, change, after)).collect();
    format!("{}: {}.", words::name(name, 40), parts.join("; "))
}

fn part(before: &[Figure], change: &Change, after: &[Figure]) -> String {
    let measure = change.measure;
    let value = |of: &[Figure]| of.iter().find(|f| f.measure == measure).and_then(|f| f.estimate.value);
    let (Some(was), Some(is), Some(_)) = (value(before), value(after), change.change.value) else {
        let reason = change.change.reason.unwrap_or(Undefined::UndefinedPart);
        return format!("{measure} not shown (undefined: {reason})");
    };
    let word = match change.effect {
        Some(Effect::Helped) => "helped",
        Some(Effect::Hurt) => "hurt",
        _ => "not shown to change",
    };
    let chance = change.p_value_adjusted.map(|p| format!(", adjusted {}", words::unglued(&words::chance(p))));
    let unit = measure.unit();
    let decimals = unit.decimals(was.abs().max(is.abs()));
    let moved = format!("{} to {}{}", unit.bare(was, decimals), unit.bare(is, decimals), unit.suffix());
    let of = match &change.pair {
        Some(pair) => format!("; {} against {}", words::name(&pair.highest, 24), words::name(&pair.lowest, 24)),
        None => String::new(),
    };
    let taken = match (&change.pair, &change.new_pair) {
        (Some(was), Some(new)) => {
            let [high, low] = [&new.highest, &new.lowest].map(|g| words::name(g, 24));
            match (was.highest == new.lowest && was.lowest == new.highest, was.rate == new.rate) {
                (true, true) => format!("; now {high} is above {low}"),
                _ => format!("; now furthest apart {high} and {low} in {}", new.rate.title()),
            }
        }
        _ => String::new(),
    };
    let by = signed(measure, &change.change);
    format!("{measure} {word}, {moved} (change {by}{}{of}{taken})", chance.unwrap_or_default())
}
