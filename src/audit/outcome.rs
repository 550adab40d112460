//! What a model has beyond the cells of its decisions, and the families of measures that look at it.

use super::Against;
use crate::inference::sidak_level;
use crate::metrics::catalog::Direction;
use crate::metrics::compare::Compared;
use crate::metrics::families::{RANKINGS, SCORES, SEGMENTS};
use crate::metrics::family::{Compute, Confidence, Measure, MeasureEntry, Need, Of, Tested};
use crate::metrics::measure::Measured;
use crate::metrics::ranking::Ranked;
use crate::metrics::scores::{ScoredGroup, Scoring};
use crate::metrics::segments::{SegmentCounts, Segmentation};
use crate::metrics::{Estimate, Support, Undefined};
use crate::tally::{Parts, Segmented, Tally};

/// What a model has beyond its cells.
#[derive(Debug)]
pub(crate) enum Outcome<'a> {
    /// Nothing.
    Cells,
    /// Scores.
    Scored(Box<(Scoring, Ranked)>),
    /// It is a segmentation, of this number.
    Segments(usize, &'a Segmented),
}

/// The same of one group.
#[derive(Debug, Clone, Default)]
pub(crate) enum Data {
    #[default]
    Cells,
    Scored(ScoredGroup),
    Segments(SegmentCounts),
}

/// A measure of any family.
#[derive(Debug, Clone, Copy)]
pub(crate) enum MeasureRef {
    Score(&'static Measure<ScoredGroup, Scoring>),
    Rank(&'static Measure<ScoredGroup, Ranked>),
    Segment(&'static Measure<SegmentCounts, Segmentation>),
}

/// A measure's function with the context that it is given.
enum Call<'a> {
    Score(&'static Compute<ScoredGroup, Scoring>, &'a Scoring),
    Rank(&'static Compute<ScoredGroup, Ranked>, &'a Ranked),
    Segment(&'static Compute<SegmentCounts, Segmentation>, &'a Segmentation),
}

/// Up to so many points are copied for the comparisons of groups with all others.
const MANY_POINTS: usize = 20_000_000;

impl MeasureRef {
    pub fn entry(self) -> &'static MeasureEntry {
        match self {
            MeasureRef::Score(m) => &m.entry,
            MeasureRef::Rank(m) => &m.entry,
            MeasureRef::Segment(m) => &m.entry,
        }
    }

    fn call<'a>(self, outcome: &'a Outcome) -> Option<Call<'a>> {
        match (self, outcome) {
            (MeasureRef::Score(m), Outcome::Scored(context)) => Some(Call::Score(&m.compute, &context.0)),
            (MeasureRef::Rank(m), Outcome::Scored(context)) => Some(Call::Rank(&m.compute, &context.1)),
            (MeasureRef::Segment(m), Outcome::Segments(_, segmented)) => Some(Call::Segment(&m.compute, &segmented.of)),
            _ => None,
        }
    }

    /// The figure of every group.
    pub fn of_groups(self, data: &[&Data], outcome: &Outcome, confidence: Confidence) -> Vec<Measured> {
        let found = match self.call(outcome) {
            Some(Call::Score(Compute::Group(of), context)) => scored(data).map(|d| of(&d, context, confidence)),
            Some(Call::Rank(Compute::Group(of), context)) => scored(data).map(|d| of(&d, context, confidence)),
            Some(Call::Segment(Compute::Group(of), context)) => segments(data).map(|d| of(&d, context, confidence)),
            _ => None,
        };
        let undefined = || vec![Measured::undefined(Undefined::TooManyRows, Support::default()); data.len()];
        found.filter(|all| all.len() == data.len()).unwrap_or_else(undefined)
    }

    /// One group against another.
    pub fn of_pair(self, a: &Data, b: &Data, outcome: &Outcome, confidence: Confidence) -> Tested {
        let found = match (self.call(outcome), a, b) {
            (Some(Call::Score(Compute::Pair(of), context)), Data::Scored(a), Data::Scored(b)) => {
                Some(of(a, b, context, confidence))
            }
            (Some(Call::Rank(Compute::Pair(of), context)), Data::Scored(a), Data::Scored(b)) => {
                Some(of(a, b, context, confidence))
            }
            (Some(Call::Segment(Compute::Pair(of), context)), Data::Segments(a), Data::Segments(b)) => {
                Some(of(a, b, context, confidence))
            }
            _ => None,
        };
        found.unwrap_or_else(too_many_rows)
    }

    /// All groups at once.
    pub fn of_table(self, data: &[&Data], outcome: &Outcome, confidence: Confidence) -> Tested {
        let found = match self.call(outcome) {
            Some(Call::Score(Compute::Table(of), context)) => scored(data).map(|d| of(&d, context, confidence)),
            Some(Call::Rank(Compute::Table(of), context)) => scored(data).map(|d| of(&d, context, confidence)),
            Some(Call::Segment(Compute::Table(of), context)) => segments(data).map(|d| of(&d, context, confidence)),
            _ => None,
        };
        found.unwrap_or_else(too_many_rows)
    }

    /// Whether it makes sense of some groups alone, or only of all that share a list.
    pub fn is_of_the_list(self) -> bool {
        matches!(self, MeasureRef::Rank(_))
    }

    /// The worst of all pairs of groups, each at a level that holds for all of them together.
    pub fn worst_pair(self, data: &[&Data], outcome: &Outcome, confidence: Confidence) -> Compared {
        use rayon::prelude::*;
        let pairs: Vec<(usize, usize)> =
            (0..data.len()).flat_map(|a| (a + 1..data.len()).map(move |b| (a, b))).collect();
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
        let Some(worst) = (0..found.len()).reduce(|a, b| if value(&found[b]) > value(&found[a]) { b } else { a })
        else {
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

fn scored<'d>(data: &[&'d Data]) -> Option<Vec<&'d ScoredGroup>> {
    data.iter().map(|d| if let Data::Scored(s) = d { Some(s) } else { None }).collect()
}

fn segments<'d>(data: &[&'d Data]) -> Option<Vec<&'d SegmentCounts>> {
    data.iter().map(|d| if let Data::Segments(s) = d { Some(s) } else { None }).collect()
}

impl<'a> Outcome<'a> {
    /// Of a model with or without scores.
    pub fn of_model(tally: &Tally, model: usize) -> Self {
        if !tally.schema().models[model].scored {
            return Outcome::Cells;
        }
        let scoring = Scoring { probabilities: tally.scores_are_probabilities(model) };
        Outcome::Scored(Box::new((scoring, Ranked::default())))
    }

    /// The measures that can be made of it; `labelled` says whether there are labels.
    pub fn measures(&self, labelled: bool) -> Vec<MeasureRef> {
        let all: Vec<MeasureRef> = match self {
            Outcome::Cells => Vec::new(),
            Outcome::Scored(_) => {
                let scores = SCORES.iter().flat_map(|f| f.iter()).map(MeasureRef::Score);
                scores.chain(RANKINGS.iter().flat_map(|f| f.iter()).map(MeasureRef::Rank)).collect()
            }
            Outcome::Segments(..) => SEGMENTS.iter().flat_map(|f| f.iter()).map(MeasureRef::Segment).collect(),
        };
        let has = |need: &Need| match need {
            Need::Label => labelled,
            Need::Decision | Need::Strata | Need::Treatment | Need::Outcome | Need::Uplift | Need::Predictions => false,
            Need::Score => matches!(self, Outcome::Scored(_)),
            Need::Probability => matches!(self, Outcome::Scored(c) if c.0.probabilities),
            Need::Segments => matches!(self, Outcome::Segments(..)),
            Need::Order => matches!(self, Outcome::Segments(_, s) if s.of.ordered),
            Need::Values => matches!(self, Outcome::Segments(_, s) if s.of.values.is_some()),
            Need::Classes => matches!(self, Outcome::Segments(_, s) if !s.of.classes.is_empty() && !s.of.earlier),
            Need::Earlier => matches!(self, Outcome::Segments(_, s) if s.of.earlier),
        };
        all.into_iter().filter(|m| m.entry().needs.iter().all(has)).collect()
    }

    /// What every part of a slice has of it.
    pub fn data(&self, tally: &Tally, model: usize, parts: &Parts) -> Vec<Data> {
        match self {
            Outcome::Cells => vec![Data::Cells; parts.len()],
            Outcome::Scored(_) => match tally.scored(model, parts) {
                Some(all) => all.into_iter().map(Data::Scored).collect(),
                None => vec![Data::Cells; parts.len()],
            },
            Outcome::Segments(number, of) => {
                tally.segment_counts(*number, of, parts).into_iter().map(Data::Segments).collect()
            }
        }
    }
}

impl Data {
    /// For every part, what all others have together; nothing where that would be too much to copy.
    pub fn of_others(parts: &[&Data]) -> Vec<Data> {
        let points: usize = parts.iter().map(|d| if let Data::Scored(s) = d { s.points.len() } else { 0 }).sum();
        if points.saturating_mul(parts.len()) > MANY_POINTS {
            return vec![Data::Cells; parts.len()];
        }
        let others = |but: usize| {
            let others = || parts.iter().enumerate().filter(move |(i, _)| *i != but).map(|(_, d)| *d);
            let scored: Vec<&ScoredGroup> =
                others().filter_map(|d| if let Data::Scored(s) = d { Some(s) } else { None }).collect();
            let segments: Vec<&SegmentCounts> =
                others().filter_map(|d| if let Data::Segments(s) = d { Some(s) } else { None }).collect();
            match (scored.is_empty(), segments.is_empty()) {
                (false, _) => Data::Scored(ScoredGroup::joined(&scored)),
                (_, false) => Data::Segments(SegmentCounts::joined(&segments)),
                _ => Data::Cells,
            }
        };
        (0..parts.len()).map(others).collect()
    }
}

/// What a measure of two or of all groups can be asked to be compared with.
pub(crate) fn allows(entry: &MeasureEntry, against: Against) -> bool {
    match (entry.of, against) {
        (Of::Group, _) | (_, Against::BetweenGroups) => true,
        (Of::Pair, Against::Reference | Against::Rest) => true,
        _ => false,
    }
}
