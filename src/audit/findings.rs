//! What a policy's criteria find in a slice.

use super::judge;
use super::slice::{Between, Slice, Subject};
use super::wording::About;
use super::{Against, Comparison, Criterion, Verdict};
use crate::inference::sidak_level;
use crate::inference::worst::{GroupRate, expected_null_gap, expected_null_ratio};
use crate::metrics::compare::Compared;
use crate::metrics::{Estimate, Need, Support, Undefined, catalog};
use crate::report::{Finding, LeftOut};

/// Draws behind the disparity that noise alone would show.
const NOISE_DRAWS: usize = 400;

/// Figures closer than this are equal.
const TIE: f64 = 1e-9;

/// What the policy's criteria find in a slice.
pub(crate) fn findings(slice: &Slice) -> Vec<Finding> {
    let criteria = slice.scope.plan.policy.criteria.iter();
    let applies = |c: &&Criterion| c.attributes.is_empty() || c.attributes.contains(&slice.name);
    criteria.filter(applies).filter_map(|criterion| finding(slice, criterion)).collect()
}

fn finding(slice: &Slice, criterion: &Criterion) -> Option<Finding> {
    let scope = slice.scope;
    let Some(subject) = Subject::of(&criterion.metric, scope) else {
        // What is asked of scores is not asked of segments, if there are scores.
        return (!scope.elsewhere.contains(&criterion.metric)).then(|| not_possible(slice, criterion));
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
        left_out.push(LeftOut { group: "all groups".into(), reason });
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
        against: slice.against_name(criterion.against).into_owned(),
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
    let needs = |pick: fn(&catalog::Needs) -> bool| {
        let metrics =
            catalog::criterion_entry(&criterion.metric).map_or(vec![criterion.metric.as_str()], |c| c.metrics.to_vec());
        metrics.iter().filter_map(|m| catalog::metric(m)).any(|m| pick(&m.needs))
    };
    let schema = slice.scope.tally.schema();
    let def = &schema.models[slice.scope.model];
    let measure = catalog::measure(&criterion.metric);
    let reason = if let Some(entry) = measure {
        lacking(entry.needs, slice)
    } else if needs(|n| n.label) && !schema.labelled {
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
        against: slice.against_name(criterion.against).into_owned(),
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

/// What a family's measure needs and the slice has not.
fn lacking(needs: &[Need], slice: &Slice) -> Undefined {
    let scope = slice.scope;
    let def = &scope.tally.schema().models[scope.model];
    for need in needs {
        match need {
            Need::Score | Need::Probability if !def.scored => return Undefined::NoScores,
            Need::Label | Need::LabelOrTarget if !scope.tally.schema().labelled => return Undefined::NoLabels,
            Need::Probability => return Undefined::NotProbabilities,
            Need::Segments | Need::Order | Need::Values => return Undefined::NoSegments,
            Need::Classes | Need::Earlier => return Undefined::NoClasses,
            Need::Treatment | Need::Outcome | Need::Uplift | Need::Predictions => return Undefined::NoTreated,
            Need::Delivery => return Undefined::UndefinedPart,
            _ => {}
        }
    }
    Undefined::NoScores
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
        found.left_out.push(LeftOut { group: part.name.clone(), reason });
    }
    let mut gravest: Option<(Verdict, f64, usize, Compared)> = None;
    let tests = parts.len() as f64;
    for part in parts {
        let compared = slice.one(subject, part, against, criterion.comparison, level);
        if let Err(reason) = compared.estimate.value() {
            found.unjudged = true;
            found.left_out.push(LeftOut { group: slice.parts[part].name.clone(), reason: reason.to_string() });
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
        Comparison::Value => None,
    }
}
