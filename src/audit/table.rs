//! The table of a slice: every group's figures and every comparison between groups.

use std::borrow::Cow;

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
struct Question {
    name: Cow<'static, str>,
    subject: Subject,
    how: How,
}

enum How {
    Between(Comparison),
    Each(Against),
}

/// One comparison that a question asks for.
struct Asked {
    question: usize,
    /// The group, and what it is compared with; `None` for all groups with each other.
    one: Option<(usize, Against)>,
    comparison: Comparison,
}

fn disparities(slice: &Slice) -> Vec<Disparity> {
    let questions = questions(slice);
    // There are many and they are large: each is made where it stays.
    let asked = asked(slice, &questions);
    let mut all: Vec<Disparity> = asked.par_iter().map(|asked| answer(slice, &questions, asked)).collect();
    all.extend(by_stratum(slice));
    all
}

/// Every comparison that the questions ask for, in their order.
fn asked(slice: &Slice, questions: &[Question]) -> Vec<Asked> {
    let mut all = Vec::new();
    for (question, Question { subject, how, .. }) in questions.iter().enumerate() {
        let against = match *how {
            How::Between(comparison) => {
                all.push(Asked { question, one: None, comparison });
                continue;
            }
            How::Each(Against::Reference) if slice.reference.is_none() => continue,
            How::Each(against) => against,
        };
        let skip = |part: usize| against == Against::Reference && slice.reference == Some(part);
        let forms = COMPARISONS.into_iter().chain([Comparison::Value]).filter(|c| subject.allows(*c));
        for part in (0..slice.parts.len()).filter(|p| !skip(*p)) {
            let one = Some((part, against));
            all.extend(forms.clone().map(|comparison| Asked { question, one, comparison }));
        }
    }
    all
}

fn questions(slice: &Slice) -> Vec<Question> {
    let scope = slice.scope;
    let mut all = Vec::new();
    let mut ask = |name: &Cow<'static, str>, subject: &Subject, how: How| {
        all.push(Question { name: name.clone(), subject: subject.clone(), how });
    };
    for (at, figure) in scope.figures.iter().enumerate() {
        let (subject, name) = (Subject::Figure(at), figure.known_as());
        COMPARISONS.into_iter().for_each(|comparison| ask(&name, &subject, How::Between(comparison)));
        if !slice.complete
            && slice
                .parts
                .first()
                .is_some_and(|p| p.rest[at].estimate.value.is_none() && p.rest[at].estimate.support.rows == 0.0)
        {
            continue;
        }
        for against in [Against::Reference, Against::Rest, Against::Overall] {
            ask(&name, &subject, How::Each(against));
        }
    }
    for entry in catalog::CRITERIA {
        let Some(subject) = Subject::of(entry.name, scope) else { continue };
        let name = entry.name.into();
        if subject.compares_groups() {
            for comparison in COMPARISONS.into_iter().filter(|c| subject.allows(*c)) {
                ask(&name, &subject, How::Between(comparison));
            }
            ask(&name, &subject, How::Each(Against::Reference));
        } else {
            ask(&name, &subject, How::Each(Against::Rest));
        }
    }
    for measure in &scope.measures {
        let (subject, name) = (Subject::Measure(*measure), measure.entry().name.into());
        ask(&name, &subject, How::Between(Comparison::Value));
        if measure.entry().of == Of::Pair && slice.complete {
            ask(&name, &subject, How::Each(Against::Reference));
            ask(&name, &subject, How::Each(Against::Rest));
        }
    }
    all
}

fn answer(slice: &Slice, questions: &[Question], asked: &Asked) -> Disparity {
    let (Question { name, subject, .. }, comparison) = (&questions[asked.question], asked.comparison);
    let Some((part, against)) = asked.one else {
        return between(slice, name.clone(), comparison, slice.between(subject, comparison, slice.scope.level));
    };
    let compared = slice.one(subject, part, against, comparison, slice.scope.level);
    Disparity {
        group: Some(slice.parts[part].name.clone()),
        ..disparity(name.clone(), comparison, slice.against_name(against), compared)
    }
}

fn disparity(
    name: Cow<'static, str>,
    comparison: Comparison,
    against: Cow<'static, str>,
    compared: Compared,
) -> Disparity {
    Disparity {
        metric: name,
        group: None,
        stratum: None,
        comparison,
        against,
        estimate: compared.estimate,
        p_value: compared.p_value,
        test: compared.test.map(Cow::from),
        highest: None,
        lowest: None,
        left_out: Vec::new(),
    }
}

fn between(slice: &Slice, name: Cow<'static, str>, comparison: Comparison, found: Between) -> Disparity {
    let extreme = |at: Option<usize>| at.map(|i| slice.parts[i].name.clone());
    let extremes = found.compared.extremes;
    Disparity {
        highest: extreme(extremes.map(|e| e.0)),
        lowest: extreme(extremes.map(|e| e.1)),
        left_out: found.left_out,
        ..disparity(name, comparison, slice.against_name(Against::BetweenGroups), found.compared)
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
                    ..disparity(entry.name.into(), comparison, slice.against_name(Against::BetweenGroups), compared)
                });
            }
        }
    }
    all
}
