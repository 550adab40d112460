//! From a tally to a report.

use rayon::prelude::*;

use super::figures::Scope;
use super::judge;
use super::slice::{Between, Slice, Subject};
use super::wording::{self, About};
use super::{Against, AuditPlan, Comparison, Criterion, Reference, Verdict};
use crate::data::unique;
use crate::error::{Error, Place, Result};
use crate::inference::sidak_level;
use crate::inference::worst::{GroupRate, expected_null_gap, expected_null_ratio};
use crate::metrics::catalog;
use crate::metrics::compare::Compared;
use crate::metrics::measure::Measured;
use crate::report::{
    AttributeTable, Coverage, DataSummary, Disparity, Finding, GroupResult, InputFile, ModelReport, OutcomeCoverage,
    Provenance, Report, SCHEMA_VERSION, Settings,
};
use crate::tally::{Counts, DecisionRule, Group, Tally};

/// Draws behind the disparity that noise alone would show.
const NOISE_DRAWS: usize = 400;

/// Figures closer than this are equal.
const TIE: f64 = 1e-9;

const COMPARISONS: [Comparison; 2] = [Comparison::Difference, Comparison::Ratio];

/// Audits a tally.
pub(crate) fn evaluate(plan: &AuditPlan, tally: &Tally, inputs: Vec<InputFile>) -> Result<Report> {
    let attributes = chosen(plan, tally)?;
    check_names(plan, tally, &attributes)?;
    let models = 0..tally.schema().models.len();
    let mut models: Vec<ModelReport> = models.map(|m| model(plan, tally, m, &attributes)).collect::<Result<_>>()?;
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
fn subsets(attributes: &[usize], order: usize) -> Vec<Vec<usize>> {
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
        let Some(entry) = catalog::criterion_entry(&criterion.metric) else { continue };
        let setting = format!("the criterion `{}`", criterion.metric);
        if entry.conditional && schema.strata.is_empty() {
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

fn model(plan: &AuditPlan, tally: &Tally, model: usize, attributes: &[usize]) -> Result<ModelReport> {
    let def = &tally.schema().models[model];
    let whole = tally.whole(model);
    let scope = Scope::new(plan, tally, model, &whole.whole);
    let figures = scope.measure(&[&whole.whole], |_| true).swap_remove(0);
    let mut slices: Vec<Slice> = subsets(attributes, plan.order)
        .par_iter()
        .map(|set| Slice::by(&scope, set, (&whole, &figures)))
        .collect::<Result<_>>()?;
    if !plan.groups.is_empty() {
        slices.push(Slice::named(&scope, &plan.groups, (&whole, &figures))?);
    }
    let mut findings: Vec<Finding> = slices.iter().flat_map(|slice| findings(slice)).collect();
    findings.sort_by(|a, b| b.verdict.cmp(&a.verdict).then(b.gravity.total_cmp(&a.gravity)));
    let counted = |v: Verdict| if v == Verdict::Inconclusive { plan.policy.inconclusive } else { v };
    let verdict = findings.iter().map(|f| counted(f.verdict)).max().unwrap_or(Verdict::Pass);
    let coverage = outcome_coverage(&scope, &whole.whole);
    let mut notes = notes(&scope, &coverage);
    notes.extend(slices.iter().filter(|s| !s.complete).map(|s| {
        format!("{} has {} groups: only the leading metrics are compared group by group.", s.name, s.parts.len())
    }));
    let tables = slices.par_iter().map(|slice| table(slice, &whole)).collect();
    Ok(ModelReport {
        model: def.name.clone(),
        rule: def.rule,
        verdict,
        coverage,
        findings,
        overall: scope.by_name(&figures),
        tables,
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
    if !scope.plan.groups.is_empty() {
        notes.push("Named groups may overlap: intervals of the comparison between them take them as separate, which errs on the side of caution.".into());
    }
    notes
}

/// The table of a slice: every group's figures and every comparison.
fn table(slice: &Slice, whole: &Group) -> AttributeTable {
    let scope = slice.scope;
    let total = whole.whole.total();
    let groups = slice.parts.iter().map(|part| {
        let cell = part.group.whole.total();
        let strata = part.group.strata.iter();
        GroupResult {
            group: part.name.clone(),
            rows: cell.rows.round() as u64,
            weight: cell.weight,
            effective_size: cell.effective(),
            share: if total.weight > 0.0 { cell.weight / total.weight } else { 0.0 },
            too_small: part.too_small,
            metrics: scope.by_name(&part.figures),
            strata: strata.map(|(s, counts)| (scope.tally.stratum_name(*s), scope.closed_by_name(counts))).collect(),
        }
    });
    AttributeTable {
        attribute: slice.name.clone(),
        attributes: slice.attributes.clone(),
        overlapping: slice.overlapping,
        reference: slice.reference_name().map(String::from),
        groups: groups.collect(),
        missing_rows: slice.missing_rows.round() as u64,
        disparities: disparities(slice),
    }
}

fn disparities(slice: &Slice) -> Vec<Disparity> {
    let scope = slice.scope;
    let level = scope.level;
    let mut all = Vec::new();
    for (at, figure) in scope.figures.iter().enumerate() {
        let subject = Subject::Figure(at);
        for comparison in COMPARISONS {
            all.push(between(slice, figure.name(), comparison, slice.between(&subject, comparison, level)));
        }
        if !slice.complete
            && slice
                .parts
                .first()
                .is_some_and(|p| p.rest[at].estimate.value.is_none() && p.rest[at].estimate.support.rows == 0.0)
        {
            continue;
        }
        for against in [Against::Reference, Against::Rest, Against::Overall] {
            all.extend(each_group(slice, figure.name(), &subject, against));
        }
    }
    for entry in catalog::CRITERIA {
        let Some(subject) = Subject::of(entry.name, scope) else { continue };
        if subject.compares_groups() {
            for comparison in COMPARISONS.into_iter().filter(|c| subject.allows(*c)) {
                all.push(between(slice, entry.name, comparison, slice.between(&subject, comparison, level)));
            }
            all.extend(each_group(slice, entry.name, &subject, Against::Reference));
        } else {
            all.extend(each_group(slice, entry.name, &subject, Against::Rest));
        }
    }
    all.extend(by_stratum(slice));
    all
}

fn disparity(name: &str, comparison: Comparison, against: String, compared: Compared) -> Disparity {
    Disparity {
        metric: name.into(),
        group: None,
        stratum: None,
        comparison,
        against,
        estimate: compared.estimate,
        p_value: compared.p_value,
        test: compared.test.map(String::from),
        highest: None,
        lowest: None,
        left_out: Vec::new(),
    }
}

fn between(slice: &Slice, name: &str, comparison: Comparison, found: Between) -> Disparity {
    let extreme = |at: Option<usize>| at.map(|i| slice.parts[i].name.clone());
    let extremes = found.compared.extremes;
    Disparity {
        highest: extreme(extremes.map(|e| e.0)),
        lowest: extreme(extremes.map(|e| e.1)),
        left_out: found.left_out,
        ..disparity(name, comparison, "between_groups".into(), found.compared)
    }
}

fn each_group(slice: &Slice, name: &str, subject: &Subject, against: Against) -> Vec<Disparity> {
    let skip = |part: usize| against == Against::Reference && slice.reference == Some(part);
    if against == Against::Reference && slice.reference.is_none() {
        return Vec::new();
    }
    let mut all = Vec::new();
    for part in (0..slice.parts.len()).filter(|p| !skip(*p)) {
        for comparison in COMPARISONS.into_iter().filter(|c| subject.allows(*c)) {
            let compared = slice.one(subject, part, against, comparison, slice.scope.level);
            all.push(Disparity {
                group: Some(slice.parts[part].name.clone()),
                ..disparity(name, comparison, slice.against_name(against), compared)
            });
        }
    }
    all
}

/// The worst case within each stratum.
fn by_stratum(slice: &Slice) -> Vec<Disparity> {
    let scope = slice.scope;
    let strata: std::collections::BTreeSet<u64> =
        slice.parts.iter().flat_map(|p| p.group.strata.keys().copied()).collect();
    let mut all = Vec::new();
    for stratum in strata {
        let present = slice.parts.iter().filter_map(|p| Some((p, p.group.strata.get(&stratum)?)));
        for figure in &scope.figures {
            let super::figures::Figure::Catalog(entry) = figure else { continue };
            let measured: Vec<Measured> = present
                .clone()
                .filter(|(p, _)| !p.too_small)
                .map(|(_, counts)| scope.closed(entry, counts))
                .filter(|m| m.estimate.value.is_some())
                .collect();
            for comparison in COMPARISONS {
                let refs: Vec<&Measured> = measured.iter().collect();
                let compared = crate::metrics::compare::worst_case(&refs, comparison, scope.level);
                all.push(Disparity {
                    stratum: Some(scope.tally.stratum_name(stratum)),
                    ..disparity(entry.name, comparison, "between_groups".into(), compared)
                });
            }
        }
    }
    all
}

/// What the policy's criteria find in a slice.
fn findings(slice: &Slice) -> Vec<Finding> {
    let criteria = slice.scope.plan.policy.criteria.iter();
    let applies = |c: &&Criterion| c.attributes.is_empty() || c.attributes.contains(&slice.name);
    criteria.filter(applies).filter_map(|criterion| finding(slice, criterion)).collect()
}

fn finding(slice: &Slice, criterion: &Criterion) -> Option<Finding> {
    let scope = slice.scope;
    let Some(subject) = Subject::of(&criterion.metric, scope) else {
        return Some(not_possible(slice, criterion));
    };
    let found = match criterion.against {
        Against::BetweenGroups => slice.between(&subject, criterion.comparison, scope.level),
        // A group is the reference to itself: there is nothing to find.
        Against::Reference if slice.parts.len() < 2 => Between::too_few_groups(),
        against => worst_of_each(slice, &subject, criterion, against),
    };
    let estimate = found.compared.estimate.clone();
    let mut verdict = judge::verdict(&estimate, criterion);
    // Groups without a figure could be worse than any that has one; small groups are not judged at all.
    if verdict == Verdict::Pass && found.unjudged || found.all_small {
        verdict = Verdict::Inconclusive;
    }
    let noise = noise(slice, &subject, criterion, &found);
    let mut left_out = found.left_out;
    if found.all_small {
        let policy = &scope.plan.policy;
        let reason = format!("too small to judge: each has under {} rows, so no verdict", policy.minimum_group_size);
        left_out.push(crate::report::LeftOut { group: "all groups".into(), reason });
    }
    let rows_to_decide = (verdict == Verdict::Inconclusive)
        .then(|| judge::rows_to_decide(&estimate, criterion))
        .flatten()
        // Rows of the batch, not only of those that the metric is about (the positives, say).
        .map(|rows| (rows as f64 * slice.batch_rows() / estimate.support.rows.max(1.0)).max(rows as f64).ceil() as u64);
    let about =
        About { slice, subject: &subject, criterion, estimate: &estimate, extremes: found.compared.extremes, verdict };
    let extreme = |at: usize| slice.parts[at].name.clone();
    Some(Finding {
        sentence: about.sentence(),
        verdict,
        criterion: criterion.metric.clone(),
        attribute: slice.name.clone(),
        comparison: criterion.comparison,
        against: slice.against_name(criterion.against),
        minimum: criterion.minimum,
        maximum: criterion.maximum,
        gravity: judge::gravity(&estimate, criterion),
        highest: found.compared.extremes.map(|e| extreme(e.0)),
        lowest: found.compared.extremes.map(|e| extreme(e.1)),
        p_value: found.compared.p_value,
        p_adjusted: None,
        test: found.compared.test.map(String::from),
        noise,
        rows_to_decide,
        left_out,
        estimate,
    })
}

/// A criterion that the data have not the columns for.
fn not_possible(slice: &Slice, criterion: &Criterion) -> Finding {
    use crate::metrics::{Estimate, Support, Undefined};
    let needs = |pick: fn(&catalog::Needs) -> bool| {
        let metrics =
            catalog::criterion_entry(&criterion.metric).map_or(vec![criterion.metric.as_str()], |c| c.metrics.to_vec());
        metrics.iter().filter_map(|m| catalog::metric(m)).any(|m| pick(&m.needs))
    };
    let schema = slice.scope.tally.schema();
    let def = &schema.models[slice.scope.model];
    let reason = if needs(|n| n.label) && !schema.labelled {
        Undefined::NoLabels
    } else if needs(|n| n.decision) && !def.decides() {
        Undefined::NoDecisions
    } else {
        Undefined::NoScores
    };
    Finding {
        verdict: Verdict::Inconclusive,
        sentence: format!("By {}, {} cannot be known: {reason}.", slice.name, criterion.metric),
        criterion: criterion.metric.clone(),
        attribute: slice.name.clone(),
        comparison: criterion.comparison,
        against: slice.against_name(criterion.against),
        minimum: criterion.minimum,
        maximum: criterion.maximum,
        estimate: Estimate::undefined(reason, Support::default()),
        highest: None,
        lowest: None,
        p_value: None,
        p_adjusted: None,
        test: None,
        noise: None,
        rows_to_decide: None,
        left_out: Vec::new(),
        gravity: 0.0,
    }
}

/// The gravest of the groups against one thing; each interval is at a level that holds for all of them.
fn worst_of_each(slice: &Slice, subject: &Subject, criterion: &Criterion, against: Against) -> Between {
    let mut found = Between::too_few_groups();
    let candidates = |small: bool| -> Vec<usize> {
        let itself = |p: usize| against == Against::Reference && slice.reference == Some(p);
        (0..slice.parts.len()).filter(|p| !itself(*p) && (small || !slice.parts[*p].too_small)).collect()
    };
    let mut parts = candidates(false);
    if parts.is_empty() {
        parts = candidates(true);
        found.all_small = !parts.is_empty();
    }
    let level = sidak_level(slice.scope.level, parts.len().max(1));
    for part in slice.parts.iter().enumerate().filter(|(i, p)| p.too_small && !parts.contains(i)).map(|(_, p)| p) {
        let reason = format!("too small to judge: {} rows", part.group.whole.total().rows.round());
        found.left_out.push(crate::report::LeftOut { group: part.name.clone(), reason });
    }
    let mut gravest: Option<(Verdict, f64, usize, Compared)> = None;
    let tests = parts.len() as f64;
    for part in parts {
        let compared = slice.one(subject, part, against, criterion.comparison, level);
        if let Err(reason) = compared.estimate.value() {
            found.unjudged = true;
            found
                .left_out
                .push(crate::report::LeftOut { group: slice.parts[part].name.clone(), reason: reason.to_string() });
            gravest.get_or_insert((Verdict::Pass, f64::NEG_INFINITY, part, compared));
            continue;
        }
        let key = (judge::verdict(&compared.estimate, criterion), judge::gravity(&compared.estimate, criterion));
        // Of equals the first, whatever rounding makes of them.
        if gravest.as_ref().is_none_or(|g| key.0 > g.0 || (key.0 == g.0 && key.1 > g.1 + TIE)) {
            gravest = Some((key.0, key.1, part, compared));
        }
    }
    if let Some((_, _, part, mut compared)) = gravest {
        compared.extremes = compared.estimate.value.map(|_| (part, part));
        compared.p_value = compared.p_value.map(|p| (p * tests).min(1.0));
        found.compared = compared;
    }
    found
}

/// What noise alone would show between groups that were all equal.
fn noise(slice: &Slice, subject: &Subject, criterion: &Criterion, found: &Between) -> Option<f64> {
    if criterion.against != Against::BetweenGroups || subject.is_of_parts() {
        return None;
    }
    let out = |name: &str| found.left_out.iter().any(|l| l.group == name);
    let judged = slice.parts.iter().filter(|p| !out(&p.name));
    let rates: Option<Vec<GroupRate>> = judged.map(|p| p.figures[subject.leading()].share).collect();
    let (rates, seed) = (rates?, slice.scope.plan.seed);
    match criterion.comparison {
        Comparison::Difference => expected_null_gap(&rates, NOISE_DRAWS, seed),
        Comparison::Ratio => expected_null_ratio(&rates, NOISE_DRAWS, seed),
    }
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
