//! What a model has beyond the cells of its decisions, and the families of measures that look at it.

use std::sync::{Arc, OnceLock};

use super::Against;
use crate::inference::sidak_level;
use crate::metrics::catalog::Direction;
use crate::metrics::compare::Compared;
use crate::metrics::conditional::Stratified;
use crate::metrics::families::{CONDITIONALS, ERRORS, RANKINGS, SCORES, SEGMENTS, SELECTIONS};
use crate::metrics::family::{Compute, Confidence, Measure, MeasureEntry, Need, Of, Tested};
use crate::metrics::measure::Measured;
use crate::metrics::ranking::{Listed, OnList, RankMeasure};
use crate::metrics::scores::{ErrorSums, ScoredGroup, Scoring};
use crate::metrics::segments::{SegmentCounts, Segmentation};
use crate::metrics::{Estimate, Support, Undefined};
use crate::tally::{Counts, DecisionRule, Parts, Schema, Segmented, Tally};

/// What a model has beyond its cells.
#[derive(Debug)]
pub(crate) enum Outcome<'a> {
    /// Nothing.
    Cells,
    /// Scores; of a model that selects the best, the score at the edge and the share selected of the rows tied there.
    Scored(Scoring, Option<(f64, f64)>),
    /// It is a segmentation, of this number.
    Segments(usize, &'a Segmented),
}

/// What one group has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Data {
    pub counts: Counts,
    pub strata: Stratified,
    pub scored: Option<ScoredGroup>,
    /// The scores' errors as forecasts of the target, where there is one.
    target: Option<ErrorSums>,
    /// The same of labels, once a measure has asked for them.
    errors: OnceLock<ErrorSums>,
    pub segments: Option<SegmentCounts>,
    /// Its place on the list that the scores make, which it shares with the other groups of the slice.
    pub list: Option<OnList>,
}

/// A measure of any family.
#[derive(Debug, Clone, Copy)]
pub(crate) enum MeasureRef {
    Selection(&'static Measure<Counts, ()>),
    Conditional(&'static Measure<Stratified, ()>),
    Score(&'static Measure<ScoredGroup, Scoring>),
    Error(&'static Measure<ErrorSums, ()>),
    Rank(&'static RankMeasure),
    Segment(&'static Measure<SegmentCounts, Segmentation>),
}

/// Up to so many points are copied for the comparisons of groups with all others.
const MANY_POINTS: usize = 20_000_000;

/// Which function of a measure is asked for.
#[derive(Clone, Copy)]
enum Form {
    Group,
    Pair,
    Table,
}

/// What a measure answers.
enum Answer {
    Each(Vec<Measured>),
    One(Tested),
}

fn apply<G, C>(compute: &Compute<G, C>, form: Form, groups: &[&G], context: &C, at: Confidence) -> Option<Answer> {
    match (form, compute, groups) {
        (Form::Group, Compute::Group(of), _) => Some(Answer::Each(of(groups, context, at))),
        (Form::Pair, Compute::Pair(of), [a, b]) => Some(Answer::One(of(a, b, context, at))),
        (Form::Table, Compute::Table(of), _) => Some(Answer::One(of(groups, context, at))),
        _ => None,
    }
}

impl MeasureRef {
    pub fn entry(self) -> &'static MeasureEntry {
        match self {
            MeasureRef::Selection(m) => &m.entry,
            MeasureRef::Conditional(m) => &m.entry,
            MeasureRef::Score(m) => &m.entry,
            MeasureRef::Error(m) => &m.entry,
            MeasureRef::Rank(m) => &m.entry,
            MeasureRef::Segment(m) => &m.entry,
        }
    }

    fn answer(self, form: Form, data: &[&Data], outcome: &Outcome, at: Confidence) -> Option<Answer> {
        let scored = || data.iter().map(|d| d.scored.as_ref()).collect::<Option<Vec<&ScoredGroup>>>();
        match (self, outcome) {
            (MeasureRef::Selection(m), _) => {
                let counts: Vec<&Counts> = data.iter().map(|d| &d.counts).collect();
                apply(&m.compute, form, &counts, &(), at)
            }
            (MeasureRef::Conditional(m), _) => {
                let strata: Vec<&Stratified> = data.iter().map(|d| &d.strata).collect();
                apply(&m.compute, form, &strata, &(), at)
            }
            (MeasureRef::Score(m), Outcome::Scored(context, _)) => apply(&m.compute, form, &scored()?, context, at),
            (MeasureRef::Error(m), Outcome::Scored(..)) => {
                let sums: Option<Vec<&ErrorSums>> = data.iter().map(|d| d.errors()).collect();
                apply(&m.compute, form, &sums?, &(), at)
            }
            (MeasureRef::Rank(m), _) => {
                let places = data.iter().map(|d| d.list.as_ref()).collect::<Option<Vec<&OnList>>>()?;
                match (form, &places[..]) {
                    (Form::Group, _) => Some(Answer::Each(m.of_groups(&places, at))),
                    (Form::Pair, [a, b]) => Some(Answer::One(m.of_pair(a, b, at))),
                    (Form::Table, _) => Some(Answer::One(m.of_table(&places, at))),
                    _ => None,
                }
            }
            (MeasureRef::Segment(m), Outcome::Segments(_, segmented)) => {
                let segments: Option<Vec<&SegmentCounts>> = data.iter().map(|d| d.segments.as_ref()).collect();
                apply(&m.compute, form, &segments?, &segmented.of, at)
            }
            _ => None,
        }
    }

    /// The figure of every group.
    pub fn of_groups(self, data: &[&Data], outcome: &Outcome, confidence: Confidence) -> Vec<Measured> {
        match self.answer(Form::Group, data, outcome, confidence) {
            Some(Answer::Each(all)) if all.len() == data.len() => all,
            _ => vec![Measured::undefined(Undefined::TooManyRows, Support::default()); data.len()],
        }
    }

    /// One group against another.
    pub fn of_pair(self, a: &Data, b: &Data, outcome: &Outcome, confidence: Confidence) -> Tested {
        match self.answer(Form::Pair, &[a, b], outcome, confidence) {
            Some(Answer::One(tested)) => tested,
            _ => too_many_rows(),
        }
    }

    /// All groups at once.
    pub fn of_table(self, data: &[&Data], outcome: &Outcome, confidence: Confidence) -> Tested {
        match self.answer(Form::Table, data, outcome, confidence) {
            Some(Answer::One(tested)) => tested,
            _ => too_many_rows(),
        }
    }

    /// The worst of all pairs of groups, both ways round (some measures have a direction), each at a level that holds for
    /// all of them together.
    pub fn worst_pair(self, data: &[&Data], outcome: &Outcome, confidence: Confidence) -> Compared {
        use rayon::prelude::*;
        let pairs: Vec<(usize, usize)> =
            (0..data.len()).flat_map(|a| (0..data.len()).filter(move |b| *b != a).map(move |b| (a, b))).collect();
        let each = Confidence { level: sidak_level(confidence.level, pairs.len().max(1)), ..confidence };
        let found: Vec<Tested> =
            pairs.par_iter().map(|(a, b)| self.of_pair(data[*a], data[*b], outcome, each)).collect();
        let undefined =
            |reason| Compared { estimate: Estimate::undefined(reason, Support::default()), ..Compared::default() };
        if pairs.is_empty() {
            return undefined(Undefined::TooFewGroups);
        }
        if let Some(reason) = found.iter().find_map(|t| t.estimate.value.is_none().then_some(t.estimate.reason)) {
            return undefined(reason.unwrap_or(Undefined::UndefinedPart));
        }
        let entry = self.entry();
        let fair = entry.fair.unwrap_or(0.0);
        let unfairness = |v: f64| match entry.direction {
            Direction::Lower => v,
            Direction::Higher => -v,
            Direction::Neither => (v - fair).abs(),
        };
        let value = |t: &Tested| unfairness(t.estimate.value.unwrap_or(fair));
        let Some(worst) = (0..found.len()).reduce(|a, b| {
            // Of the two ways round of a signed measure the one above what is fair, whatever the order of the groups.
            let key = |at: usize| (value(&found[at]), found[at].estimate.value.unwrap_or(fair));
            if key(b) > key(a) { b } else { a }
        }) else {
            return undefined(Undefined::TooFewGroups);
        };
        let mut estimate = found[worst].estimate.clone();
        let ends: Option<Vec<(f64, f64)>> = found.iter().map(|t| t.estimate.interval()).collect();
        // On the event that every pair's interval holds, so do these ends for the worst.
        match (ends, entry.direction) {
            (Some(ends), Direction::Lower) => {
                let low = ends.iter().map(|e| e.0).fold(f64::NEG_INFINITY, f64::max);
                estimate = estimate.between(low, ends.iter().map(|e| e.1).fold(f64::NEG_INFINITY, f64::max));
            }
            (Some(ends), Direction::Higher) => {
                let low = ends.iter().map(|e| e.0).fold(f64::INFINITY, f64::min);
                estimate = estimate.between(low, ends.iter().map(|e| e.1).fold(f64::INFINITY, f64::min));
            }
            _ => {}
        }
        let smallest =
            found.iter().filter_map(|t| Some((t.p_value?, t.test))).reduce(|a, b| if b.0 < a.0 { b } else { a });
        let p_value = smallest.map(|s| (s.0 * found.len() as f64).min(1.0));
        Compared { estimate, p_value, test: smallest.and_then(|s| s.1), extremes: Some(pairs[worst]) }
    }
}

impl From<Tested> for Compared {
    fn from(t: Tested) -> Self {
        Compared { estimate: t.estimate, p_value: t.p_value, test: t.test, extremes: None }
    }
}

fn too_many_rows() -> Tested {
    Tested::untested(Estimate::undefined(Undefined::TooManyRows, Support::default()))
}

impl<'a> Outcome<'a> {
    /// Of a model with or without scores.
    pub fn of_model(tally: &Tally, model: usize) -> Self {
        if !tally.schema().models[model].scored {
            return Outcome::Cells;
        }
        let scoring = Scoring { probabilities: tally.scores_are_probabilities(model) };
        let cut = match tally.schema().models[model].rule {
            DecisionRule::Top(cut) => Some((cut.cut, cut.edge)),
            _ => None,
        };
        Outcome::Scored(scoring, cut)
    }

    /// The measures that can be made of it and of what else is counted.
    pub fn measures(&self, schema: &Schema, decides: bool) -> Vec<MeasureRef> {
        let mut all: Vec<MeasureRef> = SELECTIONS.iter().flat_map(|f| f.iter()).map(MeasureRef::Selection).collect();
        all.extend(CONDITIONALS.iter().flat_map(|f| f.iter()).map(MeasureRef::Conditional));
        match self {
            Outcome::Cells => {}
            Outcome::Scored(..) => {
                all.extend(SCORES.iter().flat_map(|f| f.iter()).map(MeasureRef::Score));
                all.extend(ERRORS.iter().flat_map(|f| f.iter()).map(MeasureRef::Error));
                all.extend(RANKINGS.iter().map(MeasureRef::Rank));
            }
            Outcome::Segments(..) => all.extend(SEGMENTS.iter().flat_map(|f| f.iter()).map(MeasureRef::Segment)),
        }
        let has = |need: &Need| match need {
            Need::Label => schema.labelled,
            Need::LabelOrTarget => schema.labelled || schema.targeted,
            Need::Decision => decides && !matches!(self, Outcome::Segments(..)),
            Need::Strata => !schema.strata.is_empty(),
            Need::Treatment | Need::Outcome | Need::Uplift | Need::Predictions | Need::Delivery => false,
            Need::Score => matches!(self, Outcome::Scored(..)),
            Need::Probability => matches!(self, Outcome::Scored(c, _) if c.probabilities),
            Need::Segments => matches!(self, Outcome::Segments(..)),
            Need::Order => matches!(self, Outcome::Segments(_, s) if s.of.ordered),
            Need::Values => matches!(self, Outcome::Segments(_, s) if s.of.values.is_some()),
            Need::Classes => matches!(self, Outcome::Segments(_, s) if !s.of.classes.is_empty() && !s.of.earlier),
            Need::Earlier => matches!(self, Outcome::Segments(_, s) if s.of.earlier),
        };
        all.into_iter().filter(|m| m.entry().needs.iter().all(has)).collect()
    }

    /// What every part of a slice has of it, the cells apart.
    pub fn data(&self, tally: &Tally, model: usize, parts: &Parts) -> Vec<Data> {
        let mut all = vec![Data::default(); parts.len()];
        match self {
            Outcome::Cells => {}
            Outcome::Scored(_, cut) => {
                for (data, errors) in all.iter_mut().zip(tally.errors(model, parts).into_iter().flatten()) {
                    data.target = Some(errors);
                }
                let Some(scored) = tally.scored(model, parts) else { return all };
                let list = Arc::new(Listed::of(&scored.iter().collect::<Vec<_>>(), *cut));
                for (group, (data, scored)) in all.iter_mut().zip(scored).enumerate() {
                    data.scored = Some(scored);
                    data.list = Some(OnList { list: list.clone(), group, others: false });
                }
            }
            Outcome::Segments(number, of) => {
                let segments = tally.segment_counts(*number, of, parts);
                all.iter_mut().zip(segments).for_each(|(data, segments)| data.segments = Some(segments));
            }
        }
        all
    }
}

impl Data {
    /// The errors of the scores as forecasts of the target, or of labels: these are summed once for all measures of them.
    fn errors(&self) -> Option<&ErrorSums> {
        if self.target.is_some() {
            return self.target.as_ref();
        }
        let scored = self.scored.as_ref()?;
        Some(self.errors.get_or_init(|| ErrorSums::of_scores(scored)))
    }

    /// For every part, what all others have together, the cells apart; nothing where that would be too much to copy.
    pub fn of_others(parts: &[&Data]) -> Vec<Data> {
        let points: usize = parts.iter().filter_map(|d| d.scored.as_ref()).map(|s| s.points.len()).sum();
        let few = points.saturating_mul(parts.len()) <= MANY_POINTS;
        let others = |but: usize| {
            let others = || parts.iter().enumerate().filter(move |(i, _)| *i != but).map(|(_, d)| *d);
            let scored: Vec<&ScoredGroup> = others().filter_map(|d| d.scored.as_ref()).collect();
            let segments: Vec<&SegmentCounts> = others().filter_map(|d| d.segments.as_ref()).collect();
            let target = others().filter_map(|d| d.target.as_ref()).fold(None, |all: Option<ErrorSums>, sums| {
                let mut all = all.unwrap_or_default();
                all.merge(sums);
                Some(all)
            });
            Data {
                target,
                scored: (few && !scored.is_empty()).then(|| ScoredGroup::joined(&scored)),
                segments: (!segments.is_empty()).then(|| SegmentCounts::joined(&segments)),
                list: parts[but].list.clone().map(|list| OnList { others: true, ..list }),
                ..Data::default()
            }
        };
        let strata: Vec<Stratified> = parts.iter().map(|d| d.strata.clone()).collect();
        let all = Stratified::others(&strata).into_iter().enumerate();
        all.map(|(but, strata)| Data { strata, ..others(but) }).collect()
    }
}

/// What a measure of two or of all groups can be asked to be compared with.
pub(crate) fn allows(entry: &MeasureEntry, against: Against) -> bool {
    matches!(
        (entry.of, against),
        (Of::Group, _) | (_, Against::BetweenGroups) | (Of::Pair, Against::Reference | Against::Rest)
    )
}
