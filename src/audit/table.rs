//! The table of a slice: every group's figures and every comparison between groups.

use rayon::prelude::*;

use super::conditioning::conditioning;
use super::figures::Figure;
use super::outcome::Outcome;
use super::scores::score_shapes;
use super::slice::{Between, Slice, Subject};
use super::{Against, Comparison};
use crate::metrics::catalog;
use crate::metrics::compare::{self, Compared};
use crate::metrics::measure::Measured;
use crate::metrics::scores::{ScoredGroup, budget_curve, cut_at, threshold_curve};
use crate::metrics::segments::SegmentCounts;
use crate::metrics::segments::shares::{SegmentShare, segment_shares};
use crate::metrics::{Confidence, Of};
use crate::report::{AttributeTable, Curves, Disparity, GroupResult, SegmentCell};
use crate::tally::{DecisionRule, Group};

const COMPARISONS: [Comparison; 2] = [Comparison::Difference, Comparison::Ratio];

/// The table.
pub(crate) fn table(slice: &Slice, whole: &Group) -> AttributeTable {
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
        cells: cells(slice),
        conditioning: conditioning(slice),
        scores: score_shapes(slice),
        curves: curves(slice),
    }
}

/// Every group in every segment, of a segmentation.
fn cells(slice: &Slice) -> Vec<SegmentCell> {
    let Outcome::Segments(_, segmented) = &slice.scope.outcome else { return Vec::new() };
    // Named groups may share rows, which makes neither a table nor a rest.
    if slice.overlapping {
        return Vec::new();
    }
    let judged = || slice.parts.iter().filter(|p| !p.too_small && p.data.segments.is_some());
    let groups: Vec<&SegmentCounts> = judged().filter_map(|p| p.data.segments.as_ref()).collect();
    let names: Vec<&str> = judged().map(|p| p.name.as_str()).collect();
    let cell = |of: SegmentShare| SegmentCell {
        group: names[of.group].into(),
        segment: segmented.of.segments[of.segment].clone(),
        share: of.share,
        representation: of.representation,
        skew: of.skew,
        impact_ratio: of.impact_ratio,
        residual: of.residual,
        p_value: of.p_value,
    };
    segment_shares(&groups, Confidence::at(slice.scope.level)).into_iter().map(cell).collect()
}

/// The groups wherever the scores are cut, if asked for: of single attributes, to keep reports small.
fn curves(slice: &Slice) -> Option<Curves> {
    let points = slice.scope.plan.curves;
    if points == 0 || slice.attributes.len() != 1 || slice.overlapping {
        return None;
    }
    let judged = || slice.parts.iter().filter(|p| !p.too_small && p.data.scored.is_some());
    let groups: Vec<&ScoredGroup> = judged().filter_map(|p| p.data.scored.as_ref()).collect();
    if groups.is_empty() {
        return None;
    }
    let confidence = Confidence::at(slice.scope.level);
    let at = |threshold: f64, tied: f64| cut_at(&groups, threshold, tied, confidence);
    let current = match slice.scope.tally.schema().models[slice.scope.model].rule {
        DecisionRule::Threshold(threshold) => Some(at(threshold, 1.0)),
        DecisionRule::Top(cut) => Some(at(cut.cut, cut.edge)),
        _ => None,
    };
    let shares: Vec<f64> = (1..=points).map(|k| k as f64 / points as f64).collect();
    let by_threshold = threshold_curve(&groups, points, confidence);
    Some(Curves {
        groups: judged().map(|p| p.name.clone()).collect(),
        distinct_scores: by_threshold.distinct,
        current,
        thresholds: by_threshold.points,
        budgets: budget_curve(&groups, &shares, confidence).points,
    })
}

/// What is compared: all groups with each other, or each group with one thing.
struct Question<'a> {
    name: &'a str,
    subject: Subject,
    how: How,
}

enum How {
    Between(Comparison),
    Each(Against),
}

fn disparities(slice: &Slice) -> Vec<Disparity> {
    let of_question = |question| {
        let mut found = Vec::new();
        answer(&mut found, slice, question);
        found
    };
    let answers: Vec<Vec<Disparity>> = questions(slice).par_iter().map(of_question).collect();
    let mut all = Vec::with_capacity(answers.iter().map(Vec::len).sum());
    answers.into_iter().for_each(|answers| all.extend(answers));
    all.extend(by_stratum(slice));
    all
}

fn questions<'a>(slice: &'a Slice) -> Vec<Question<'a>> {
    let scope = slice.scope;
    let mut all = Vec::new();
    let mut ask =
        |name: &'a str, subject: &Subject, how: How| all.push(Question { name, subject: subject.clone(), how });
    for (at, figure) in scope.figures.iter().enumerate() {
        let (subject, name) = (Subject::Figure(at), figure.name());
        COMPARISONS.into_iter().for_each(|comparison| ask(name, &subject, How::Between(comparison)));
        if !slice.complete
            && slice
                .parts
                .first()
                .is_some_and(|p| p.rest[at].estimate.value.is_none() && p.rest[at].estimate.support.rows == 0.0)
        {
            continue;
        }
        for against in [Against::Reference, Against::Rest, Against::Overall] {
            ask(name, &subject, How::Each(against));
        }
    }
    for entry in catalog::CRITERIA {
        let Some(subject) = Subject::of(entry.name, scope) else { continue };
        if subject.compares_groups() {
            for comparison in COMPARISONS.into_iter().filter(|c| subject.allows(*c)) {
                ask(entry.name, &subject, How::Between(comparison));
            }
            ask(entry.name, &subject, How::Each(Against::Reference));
        } else {
            ask(entry.name, &subject, How::Each(Against::Rest));
        }
    }
    for measure in &scope.measures {
        let (subject, name) = (Subject::Measure(*measure), measure.entry().name);
        ask(name, &subject, How::Between(Comparison::Value));
        if measure.entry().of == Of::Pair && slice.complete {
            ask(name, &subject, How::Each(Against::Reference));
            ask(name, &subject, How::Each(Against::Rest));
        }
    }
    all
}

fn answer(all: &mut Vec<Disparity>, slice: &Slice, question: &Question) {
    let Question { name, subject, how } = question;
    match how {
        How::Between(comparison) => {
            all.push(between(slice, name, *comparison, slice.between(subject, *comparison, slice.scope.level)));
        }
        How::Each(against) => each_group(all, slice, name, subject, *against),
    }
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

/// Adds each group's comparison with one thing.
fn each_group(all: &mut Vec<Disparity>, slice: &Slice, name: &str, subject: &Subject, against: Against) {
    if against == Against::Reference && slice.reference.is_none() {
        return;
    }
    let skip = |part: usize| against == Against::Reference && slice.reference == Some(part);
    for part in (0..slice.parts.len()).filter(|p| !skip(*p)) {
        let all_forms = COMPARISONS.into_iter().chain([Comparison::Value]);
        for comparison in all_forms.filter(|c| subject.allows(*c)) {
            let compared = slice.one(subject, part, against, comparison, slice.scope.level);
            all.push(Disparity {
                group: Some(slice.parts[part].name.clone()),
                ..disparity(name, comparison, slice.against_name(against), compared)
            });
        }
    }
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
            let Figure::Catalog(entry) = figure else { continue };
            let measured: Vec<Measured> = present
                .clone()
                .filter(|(p, _)| !p.too_small)
                .map(|(_, counts)| scope.closed(entry, counts))
                .filter(|m| m.estimate.value.is_some())
                .collect();
            for comparison in COMPARISONS {
                let refs: Vec<&Measured> = measured.iter().collect();
                let compared = compare::worst_case(&refs, comparison, scope.level);
                all.push(Disparity {
                    stratum: Some(scope.tally.stratum_name(stratum)),
                    ..disparity(entry.name, comparison, "between_groups".into(), compared)
                });
            }
        }
    }
    all
}
