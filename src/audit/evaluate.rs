//! From a tally to a report.

use rayon::prelude::*;

use super::figures::{Kind, Scope};
use super::findings::findings;
use super::outcome::Outcome;
use super::slice::{Slice, Subject};
use super::table::table;
use super::{AuditPlan, Reference, Verdict, outcome, rulebook, wording};
use crate::data::unique;
use crate::error::{Error, Place, Result};
use crate::metrics::scores::rounding::drift;
use crate::metrics::{Need, Of, catalog};
use crate::report::{
    Coverage, DataSummary, Finding, InputFile, ModelReport, OutcomeCoverage, Provenance, Report, SCHEMA_VERSION,
    Settings,
};
use crate::tally::{Counts, DecisionRule, ModelDef, Parts, Segmented, Tally};

/// Audits a tally.
pub(crate) fn evaluate(plan: &AuditPlan, tally: &Tally, inputs: Vec<InputFile>) -> Result<Report> {
    let attributes = chosen(plan, tally)?;
    check_names(plan, tally, &attributes)?;
    let schema = tally.schema();
    let segmented: Vec<Segmented> =
        (0..schema.segmentations.len()).map(|s| tally.segmented(s)).collect::<Result<_>>()?;
    let in_or_out: Vec<Tally> = segmented.iter().enumerate().map(|(s, of)| tally.one_vs_rest(s, of)).collect();
    let mut scopes = scopes(plan, tally, &segmented, &in_or_out);
    note_what_is_elsewhere(plan, &mut scopes);
    let mut models: Vec<ModelReport> = scopes.iter().map(|scope| model(scope, &attributes)).collect::<Result<_>>()?;
    adjust(plan, &mut models);
    let verdict = models.iter().map(|m| m.verdict).max().unwrap_or(Verdict::Inconclusive);
    Ok(Report {
        schema_version: SCHEMA_VERSION,
        verdict,
        summary: summary(&models, verdict),
        provenance: Provenance {
            version: env!("CARGO_PKG_VERSION").into(),
            created: plan.created.clone(),
            command: plan.command.clone(),
            inputs,
            tally_digest: tally.digest(),
        },
        data: data(tally),
        settings: settings(plan),
        models,
    })
}

/// The attributes to report, by number, in the order asked for.
fn chosen(plan: &AuditPlan, tally: &Tally) -> Result<Vec<usize>> {
    let all = &tally.schema().attributes;
    let names = || all.iter().map(|a| a.name.as_str());
    let chosen: Vec<usize> = match &plan.attributes {
        None => (0..all.len()).collect(),
        Some(wanted) => {
            unique(&wanted.iter().map(String::as_str).collect::<Vec<_>>())?;
            let place = |w: &String| {
                all.iter().position(|a| a.name == *w).ok_or_else(|| Error::unknown("attribute", w, "", names()))
            };
            wanted.iter().map(place).collect::<Result<_>>()?
        }
    };
    if chosen.is_empty() && plan.groups.is_empty() {
        return Err(Error::Nothing { problem: "name at least one attribute", place: Place::default() });
    }
    Ok(chosen)
}

/// Every set of up to `order` attributes, single ones first, in the order given.
pub(super) fn subsets(attributes: &[usize], order: usize) -> Vec<Vec<usize>> {
    let mut sets: Vec<Vec<usize>> = vec![Vec::new()];
    let mut all = Vec::new();
    for _ in 0..order.min(attributes.len()) {
        let grown = sets.iter().flat_map(|set: &Vec<usize>| {
            let from = set.last().map_or(0, |l| attributes.iter().position(|a| a == l).map_or(0, |p| p + 1));
            attributes[from..].iter().map(move |a| set.iter().copied().chain([*a]).collect::<Vec<_>>())
        });
        sets = grown.collect();
        all.extend(sets.iter().cloned());
    }
    all
}

/// Fails on a name in the policy or a reference that nothing has.
fn check_names(plan: &AuditPlan, tally: &Tally, attributes: &[usize]) -> Result<()> {
    let schema = tally.schema();
    let names = || attributes.iter().map(|a| schema.attributes[*a].name.as_str());
    for (attribute, _) in &plan.references {
        if !names().any(|n| n == attribute) {
            return Err(Error::unknown("attribute", attribute, " for the reference group", names()));
        }
    }
    let mut sliced: Vec<String> = subsets(attributes, plan.order)
        .iter()
        .map(|set| set.iter().map(|a| schema.attributes[*a].name.as_str()).collect::<Vec<_>>().join(" & "))
        .collect();
    if !plan.groups.is_empty() {
        sliced.push("named groups".into());
    }
    for criterion in &plan.policy.criteria {
        // That there is such a metric is checked before the rows are read.
        let context = format!(" in the policy `{}`", plan.policy.name);
        for attribute in &criterion.attributes {
            if !sliced.contains(attribute) {
                return Err(Error::unknown("attribute", attribute, context, sliced.iter().map(String::as_str)));
            }
        }
        let measure = catalog::measure(&criterion.metric);
        if let Some(entry) = measure.filter(|e| !outcome::allows(e, criterion.against)) {
            let setting = format!("the criterion `{}`", criterion.metric);
            let expected = match entry.of {
                Of::Pair => "`against` = `between_groups`, `reference` or `rest`: it is of two groups",
                _ => "`against = \"between_groups\"`: it is of all groups at once",
            };
            return Err(Error::setting(&setting, "compared otherwise", expected));
        }
        let conditional = catalog::criterion_entry(&criterion.metric).is_some_and(|e| e.conditional)
            || measure.is_some_and(|e| e.needs.contains(&Need::Strata));
        if conditional && schema.strata.is_empty() {
            let setting = format!("the criterion `{}`", criterion.metric);
            return Err(Error::setting(&setting, "conditional", "a stratum to condition on"));
        }
    }
    Ok(())
}

fn data(tally: &Tally) -> DataSummary {
    let schema = tally.schema();
    let coverage = |offset: usize, axes: &[crate::tally::Axis]| -> Vec<Coverage> {
        let one = |(at, axis): (usize, &crate::tally::Axis)| {
            let missing = tally.missing_rows(offset + at);
            Coverage {
                column: axis.name.clone(),
                levels: axis.levels.len(),
                missing_rows: missing,
                missing_share: if tally.rows() > 0 { missing as f64 / tally.rows() as f64 } else { 0.0 },
            }
        };
        axes.iter().enumerate().map(one).collect()
    };
    DataSummary {
        rows: tally.rows(),
        weight: schema.weighted.then(|| tally.whole(0).whole.total().weight),
        attributes: coverage(0, &schema.attributes),
        strata: coverage(schema.attributes.len(), &schema.strata),
        filter: None,
    }
}

fn settings(plan: &AuditPlan) -> Settings {
    let rule = match plan.reference_rule {
        Reference::Largest => "the largest group",
        Reference::BestOff => "the best-off group",
    };
    let named: Vec<String> = plan.references.iter().map(|(a, l)| format!("{a} = {l}")).collect();
    let reference = if named.is_empty() { rule.into() } else { format!("{}; elsewhere {rule}", named.join(", ")) };
    Settings {
        policy: plan.policy.clone(),
        order: plan.order,
        seed: plan.seed,
        replicates: plan.replicates,
        reference,
        missing_as_group: plan.missing_as_group,
    }
}

/// Everything to audit: the models, then each segmentation with its segments as decisions.
fn scopes<'a>(
    plan: &'a AuditPlan,
    tally: &'a Tally,
    segmented: &'a [Segmented],
    in_or_out: &'a [Tally],
) -> Vec<Scope<'a>> {
    let schema = tally.schema();
    // Where there are only segments, the model that stands for a label alone has nothing to say.
    let silent = |def: &ModelDef| !schema.segmentations.is_empty() && !def.decides() && !def.scored && !schema.labelled;
    let models = (0..schema.models.len()).filter(|m| !silent(&schema.models[*m]));
    let mut scopes: Vec<Scope> = models.map(|m| Scope::new(plan, tally, m, Kind::Model)).collect();
    for (number, (segmented, in_or_out)) in segmented.iter().zip(in_or_out).enumerate() {
        scopes.push(Scope::of_segmentation(plan, tally, number, segmented));
        let segments = 0..in_or_out.schema().models.len();
        let segment_of = Some(schema.segmentations[number].name.as_str());
        scopes.extend(segments.map(|m| Scope { segment_of, ..Scope::new(plan, in_or_out, m, Kind::OneVsRest) }));
    }
    scopes
}

/// A criterion about scores is no fault of a segmentation where there are scores to judge, and so on.
fn note_what_is_elsewhere(plan: &AuditPlan, scopes: &mut [Scope]) {
    for criterion in &plan.policy.criteria {
        let can: Vec<bool> = scopes.iter().map(|s| Subject::of(&criterion.metric, s).is_some()).collect();
        let kinds: Vec<Kind> = scopes.iter().map(|s| s.kind).collect();
        let first = kinds.first().copied();
        for (at, scope) in scopes.iter_mut().enumerate() {
            let others = || (0..can.len()).filter(|o| kinds[*o] != kinds[at]);
            // What nothing can answer is said once, of the first kind.
            if !can[at] && (others().any(|o| can[o]) || first != Some(scope.kind)) {
                scope.elsewhere.push(criterion.metric.clone());
            }
        }
    }
}

fn model(scope: &Scope, attributes: &[usize]) -> Result<ModelReport> {
    let (plan, tally) = (scope.plan, scope.tally);
    let (name, rule) = scope.about();
    let whole = tally.whole(scope.model);
    let all = scope.data(&Parts::whole());
    let figures = scope.measure(&[&whole.whole], &all.iter().collect::<Vec<_>>(), |_| true).swap_remove(0);
    drop(all);
    let mut slices: Vec<Slice> = subsets(attributes, plan.order)
        .par_iter()
        .map(|set| Slice::by(scope, set, (&whole, &figures)))
        .collect::<Result<_>>()?;
    if !plan.groups.is_empty() {
        slices.push(Slice::named(scope, &plan.groups, (&whole, &figures))?);
    }
    let found: Vec<Vec<Finding>> = slices.par_iter().map(findings).collect();
    let mut findings: Vec<Finding> = found.into_iter().flatten().collect();
    findings.sort_by(|a, b| b.verdict.cmp(&a.verdict).then(b.gravity.total_cmp(&a.gravity)));
    let counted = |v: Verdict| if v == Verdict::Inconclusive { plan.policy.inconclusive } else { v };
    let verdict = findings.iter().map(|f| counted(f.verdict)).max().unwrap_or(Verdict::Pass);
    let coverage = outcome_coverage(scope, &whole.whole);
    let mut notes = notes(scope, &coverage);
    notes.extend(slices.iter().filter(|s| !s.complete).map(|s| {
        format!("{} has {} groups: only the leading metrics are compared group by group.", s.name, s.parts.len())
    }));
    notes.extend(rounding(scope, &slices));
    let tables = slices.par_iter().map(|slice| table(slice, &whole)).collect();
    let impact = rulebook::tables(scope, attributes);
    Ok(ModelReport {
        model: name.into(),
        rule,
        segment_of: scope.segment_of.map(String::from),
        verdict,
        coverage,
        findings,
        overall: scope.by_name(&figures),
        tables,
        impact,
        notes,
    })
}

fn outcome_coverage(scope: &Scope, whole: &Counts) -> OutcomeCoverage {
    let schema = scope.tally.schema();
    let def = &schema.models[scope.model];
    let rows = |pick: fn(usize, usize) -> bool| whole.sum(pick).rows.round() as u64;
    let scored = whole.scores.iter().flat_map(|s| s.iter().flatten()).map(|s| s.rows).sum::<f64>();
    OutcomeCoverage {
        unknown_labels: schema.labelled.then(|| rows(|label, _| label == 2)),
        missing_decisions: def.decides().then(|| rows(|_, decision| decision == 2)),
        missing_scores: def.scored.then(|| (whole.total().rows - scored).round() as u64),
        selective_labels: scope.selective.map(|s| s.known),
    }
}

fn notes(scope: &Scope, coverage: &OutcomeCoverage) -> Vec<String> {
    let mut notes = Vec::new();
    let rows = |n: u64| format!("{} {}", wording::thousands(n), if n == 1 { "row" } else { "rows" });
    if let Some([selected, others]) = coverage.selective_labels {
        let [more, less] = if selected > others { ["selected", "others"] } else { ["others", "selected"] };
        notes.push(format!(
            "Selective labels: they are known for {} of the {more} and {} of the {less}. What needs labels of both cannot be known from them (true and false positive rate, accuracy, ...); bounds over all that the unknown labels could be are given instead.",
            wording::percent(selected.max(others)),
            wording::percent(selected.min(others)),
        ));
    } else if let Some(unknown) = coverage.unknown_labels.filter(|n| *n > 0) {
        notes.push(format!(
            "{} without a label count for metrics that need none, never as unfavourable.",
            rows(unknown)
        ));
    }
    if let Some(missing) = coverage.missing_decisions.filter(|n| *n > 0) {
        notes.push(format!("{} without a decision are left out of metrics that need one.", rows(missing)));
    }
    if let Some(missing) = coverage.missing_scores.filter(|n| *n > 0) {
        notes.push(format!("{} without a score are left out of metrics that need one.", rows(missing)));
    }
    match scope.tally.schema().models[scope.model].rule {
        DecisionRule::Top(cut) if cut.edge <= 0.0 => notes.push(format!(
            "Selected is who scores strictly above {}, the median of all rows with a score: {}. {} at the median are not.",
            wording::number(cut.cut),
            rows(cut.selected),
            rows(cut.tied),
        )),
        DecisionRule::Top(cut) if cut.edge < 1.0 => notes.push(format!(
            "The best {} are selected. {} tied at the edge ({}) share the last places: each counts as selected by {}.",
            wording::thousands(cut.selected),
            rows(cut.tied),
            wording::number(cut.cut),
            wording::percent(cut.edge),
        )),
        DecisionRule::Top(cut) => {
            notes.push(format!(
                "The best {} are selected: scores from {}.",
                wording::thousands(cut.selected),
                wording::number(cut.cut)
            ));
        }
        _ => {}
    }
    if let Outcome::Segments(number, _) = scope.outcome
        && scope.tally.schema().segmentations[number].soft
    {
        let note = "Rows are in several segments by parts, and count in each by their share; intervals are those of rows that are each in one segment with these chances.";
        notes.push(note.into());
    }
    if !scope.plan.groups.is_empty() {
        notes.push("Named groups may overlap: intervals of the comparison between them take them as separate, which errs on the side of caution.".into());
    }
    notes
}

/// What was lost where there were too many scores to keep, and what that can do.
fn rounding(scope: &Scope, slices: &[Slice]) -> Option<String> {
    let lost = scope.tally.scores_lost(scope.model)?;
    let judged = slices.iter().flat_map(|s| &s.parts).filter(|p| !p.too_small).filter_map(|p| p.data.scored.as_ref());
    let drift = drift(judged);
    Some(format!(
        "There were more distinct scores than the memory allowed: each is made smaller by less than {} of itself, and what ranks or averages scores is of these. An AUC of a judged group is off by at most {}, a largest gap of selection rates by at most {}, a distance of scores by at most {} of the sum of the two groups' mean absolute scores. Decisions and rates are exact.",
        wording::number(lost),
        wording::number(drift.auc),
        wording::number(drift.gap),
        wording::number(lost),
    ))
}

/// Adjusts the p-values of all findings of the report together.
fn adjust(plan: &AuditPlan, models: &mut [ModelReport]) {
    let findings = || models.iter().flat_map(|m| &m.findings);
    let raw: Vec<f64> = findings().filter_map(|f| f.p_value).collect();
    let mut adjusted = plan.policy.multiplicity.adjust(&raw).into_iter();
    for finding in models.iter_mut().flat_map(|m| &mut m.findings).filter(|f| f.p_value.is_some()) {
        finding.p_adjusted = adjusted.next();
    }
}

fn summary(models: &[ModelReport], verdict: Verdict) -> String {
    let of = |v: Verdict| models.iter().flat_map(|m| &m.findings).filter(|f| f.verdict == v).count();
    let all: usize = models.iter().map(|m| m.findings.len()).sum();
    if all == 0 {
        return "No criteria were set: the figures are shown, nothing is judged.".into();
    }
    let (failed, open) = (of(Verdict::Fail), of(Verdict::Inconclusive));
    let word = if all == 1 { "check" } else { "checks" };
    let lead = match verdict {
        Verdict::Fail if failed > 0 => format!("{failed} of {all} {word} failed"),
        Verdict::Pass if failed + open == 0 => format!("All {all} {word} passed"),
        _ => format!("None of {all} {word} failed"),
    };
    let rest = if open > 0 { format!(", {open} inconclusive") } else { String::new() };
    let gravest = models.iter().flat_map(|m| &m.findings).find(|f| f.verdict == Verdict::Fail);
    let gravest = gravest.map(|f| format!(" Gravest: {}", f.sentence)).unwrap_or_default();
    format!("{lead}{rest}.{gravest}")
}
