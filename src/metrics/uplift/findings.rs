//! What an audit of uplift targeting says in plain sentences.

use super::report::{UpliftComparison, UpliftReport, UpliftTable};
use super::{Assignment, UpliftGroup};
use crate::inference::hypothesis;
use crate::metrics::{Estimate, Undefined};
use crate::report::words::{self, Unit};

/// The chance under which the share treated is taken not to be as designed: the usual guard of experiments against a
/// "sample ratio mismatch".
const MISMATCH: f64 = 0.001;
/// Propensities nearer to 0 or 1 make a few rows carry the whole estimate.
const EXTREME: f64 = 0.02;

/// How a measure's figures are written: shares as percent, effects on binary outcomes in points.
pub(super) fn unit(metric: &str, binary: bool, compared: bool) -> Unit {
    let share =
        metric.ends_with("_rate") || metric.starts_with("equal_opportunity") || metric.starts_with("persuadable_");
    let level = metric.starts_with("policy_value");
    match (share || (level && binary), binary && metric != "qini_coefficient", compared) {
        (true, _, false) => Unit::Percent,
        (true, _, true) | (false, true, _) => Unit::Points,
        _ => Unit::Plain,
    }
}

/// The measures whose gaps are told, with what they are in a sentence.
const TOLD: [(&str, &str); 6] = [
    ("equal_opportunity_on_persuadables", "of those whom the treatment would move, the share that the policy treats"),
    ("benefit_per_person", "what the policy brings for each person"),
    ("persuadable_selection_rate", "of those with a predicted uplift above 0, the share that the policy treats"),
    ("harm_selection_rate", "of those with a predicted uplift below 0, the share that the policy treats"),
    ("qini_area", "how well the score ranks people by their uplift"),
    ("calibration_bias", "how much the score promises too much"),
];

pub(super) fn findings(report: &UpliftReport) -> Vec<String> {
    let mut said = Vec::new();
    for table in &report.tables {
        harms(report, table, &mut said);
    }
    for table in &report.tables {
        let between = |c: &&UpliftComparison| c.group.is_none();
        let shown = |c: &UpliftComparison| c.estimate.low.is_some_and(|low| low > 0.0);
        let gaps = TOLD.iter().filter_map(|(metric, words)| {
            let found = table.comparisons.iter().filter(between).find(|c| c.metric == *metric)?;
            Some((found, *words))
        });
        let (clear, open): (Vec<_>, Vec<_>) = gaps.partition(|(c, _)| shown(c));
        for (c, what) in clear {
            let unit = unit(&c.metric, report.settings.binary, true);
            let (high, low) = (named(&c.highest), named(&c.lowest));
            let gap = unit.estimate(&c.estimate);
            said.push(format!(
                "{}: {what} differs: {high} highest, {low} lowest, {gap} apart.",
                words::title(&table.attribute)
            ));
        }
        let open: Vec<String> =
            open.iter().filter(|(c, _)| c.estimate.value.is_some()).map(|(c, _)| words::title(&c.metric)).collect();
        if !open.is_empty() {
            let of = open.join(", ");
            said.push(format!("{}: no difference is shown beyond chance in {of}.", words::title(&table.attribute)));
        }
    }
    said
}

fn named(group: &Option<String>) -> String {
    group.as_deref().map_or_else(|| "?".into(), |g| words::name(g, 30))
}

/// Groups that the policy harms, or of which nobody gains.
fn harms(report: &UpliftReport, table: &UpliftTable, said: &mut Vec<String>) {
    let attribute = words::title(&table.attribute);
    for g in table.groups.iter().filter(|g| !g.too_small) {
        let group = words::name(&g.group, 30);
        let figure = |metric: &str| g.metrics.get(metric);
        let below = |e: &&Estimate| e.high.is_some_and(|high| high < 0.0);
        if let Some(e) = figure("effect_among_selected").filter(below) {
            let shown = unit("effect_among_selected", report.settings.binary, false).estimate(e);
            said.push(format!("{attribute}: the policy harms those of {group} whom it treats: {shown} on average."));
        } else if let Some(e) = figure("average_treatment_effect").filter(below) {
            let shown = unit("average_treatment_effect", report.settings.binary, false).estimate(e);
            said.push(format!("{attribute}: the treatment harms {group}: {shown} on average."));
        }
        if figure("equal_opportunity_on_persuadables").is_some_and(|e| e.reason == Some(Undefined::NoEffect)) {
            said.push(format!(
                "{attribute}: the treatment has no effect above zero on {group}, so that nobody can be said to be \
                 persuadable; look at the effect itself."
            ));
        }
        if g.calibration_p_value.is_some_and(|p| p < 0.01) {
            said.push(format!(
                "{attribute}: the predicted uplift of {group} is not what the hold-out shows ({}).",
                words::chance(g.calibration_p_value.unwrap_or_default())
            ));
        }
    }
}

/// What to know when reading the report.
pub(super) fn notes(report: &UpliftReport, all: &UpliftGroup, assignment: Assignment<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let treated = all.rows.iter().filter(|r| r.treated).count() as f64;
    let n = all.rows.len() as f64;
    match assignment {
        Assignment::Randomised { propensity } => {
            if let Some(p) = propensity {
                // Exact enough: the guard is for large samples.
                let z = (treated - n * p) / (n * p * (1.0 - p)).sqrt();
                let chance = hypothesis::chi_square_homogeneity(&[(treated, n), (p * 1e9, 1e9)]).map(|t| t.p_value);
                if z.abs() > 3.0 && chance.is_some_and(|c| c < MISMATCH) {
                    notes.push(format!(
                        "{} of the rows were treated where {} were meant to be: more than chance allows. Find out why \
                         before believing any effect.",
                        words::share(treated / n),
                        words::share(p)
                    ));
                }
            }
            for table in &report.tables {
                let arms: Vec<(f64, f64)> =
                    table.groups.iter().map(|g| (g.treated_rows as f64, g.rows as f64)).collect();
                if hypothesis::chi_square_homogeneity(&arms).is_some_and(|t| t.p_value < MISMATCH) {
                    notes.push(format!(
                        "The share treated differs between the groups of {}: randomisation was not the same for all. \
                         Effects within groups hold if it was random within them; those of all rows may not.",
                        words::title(&table.attribute)
                    ));
                }
            }
        }
        Assignment::Propensities(_) => {
            notes.push(
                "Effects stand on the propensities given; if treatment depended on anything that they leave out, they \
                 are not effects. Their own error is not in the intervals."
                    .into(),
            );
            let extreme = all.rows.iter().filter(|r| r.chance() < EXTREME).count();
            if extreme > 0 {
                notes.push(format!(
                    "{} in an arm that they had less than {} to be in: each stands for more than 50.",
                    words::counted(extreme as u64, "row is", "rows are"),
                    words::share(EXTREME)
                ));
            }
        }
    }
    if report.unknown_rows > 0 {
        notes.push(format!(
            "{} left out, treatment or outcome being unknown. If outcomes went missing for a reason, effects are of \
             those who stayed.",
            words::counted(report.unknown_rows, "row was", "rows were")
        ));
    }
    if report.overall.metrics.contains_key("equal_opportunity_on_persuadables") {
        notes.push(
            "Equal opportunity on persuadables takes for granted that the treatment harms nobody; persuadable recall \
             bounds it without that."
                .into(),
        );
    }
    if report.tables.iter().flat_map(|t| &t.groups).any(|g| g.too_small) {
        notes.push(format!(
            "Groups with fewer than {} in an arm are shown, marked †, and left out of comparisons of all groups.",
            words::counted(report.settings.min_arm_size, "row", "rows")
        ));
    }
    notes
}
