//! The figures of groups: every metric that the data allow, for many groups at once.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::outcome::{Data, MeasureRef, Outcome};
use super::{AuditPlan, CustomMetric};
use crate::inference::bootstrap::{Bootstrap, Drawn, Replicates};
use crate::metrics::catalog::{self, Entry};
use crate::metrics::measure::{self, Measured};
use crate::metrics::{Confidence, Estimate, Need, Of, Support, Undefined};
use crate::tally::{Cell, Counts, DecisionRule, Parts, Segmented, Tally};

/// A metric of the catalog or of the user.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Figure<'a> {
    Catalog(&'static Entry),
    Custom(&'a CustomMetric),
    /// Of a family: a figure of what a group has beyond its cells.
    Measure(MeasureRef),
}

impl Figure<'_> {
    pub fn name(&self) -> &str {
        match self {
            Figure::Catalog(entry) => entry.name,
            Figure::Custom(custom) => &custom.name,
            Figure::Measure(measure) => measure.entry().name,
        }
    }

    /// The name for a report, which holds it very often.
    pub fn known_as(&self) -> Cow<'static, str> {
        match self {
            Figure::Catalog(entry) => entry.name.into(),
            Figure::Custom(custom) => custom.name.clone().into(),
            Figure::Measure(measure) => measure.entry().name.into(),
        }
    }

    fn needs_bootstrap(&self) -> bool {
        match self {
            Figure::Catalog(entry) => measure::needs_bootstrap(entry.form),
            Figure::Custom(_) => true,
            Figure::Measure(_) => false,
        }
    }

    fn value(&self, counts: &Counts) -> Option<f64> {
        match self {
            Figure::Catalog(entry) => measure::value(entry.form, counts),
            Figure::Custom(custom) => (custom.of)(counts).filter(|v| v.is_finite()),
            Figure::Measure(_) => None,
        }
    }

    /// The values in replicates, as far as they are defined.
    fn values(&self, replicates: &Drawn, found: &mut Vec<f64>) {
        match self {
            Figure::Catalog(entry) => measure::resampled(entry.form, replicates, found),
            Figure::Custom(_) => {
                let mut counts = Counts::default();
                for at in 0..replicates.replicates() {
                    replicates.replicate(at, counts.cells.as_flattened_mut());
                    found.extend(self.value(&counts));
                }
            }
            Figure::Measure(_) => {}
        }
    }

    fn support(&self, counts: &Counts) -> Support {
        match self {
            Figure::Catalog(entry) => measure::support(entry.form, counts),
            Figure::Custom(_) | Figure::Measure(_) => counts.total().into(),
        }
    }
}

/// Labels that are known mostly on one side of the decision: what the model chose decided what is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Selective {
    /// The share of labels known among the selected, and among the others.
    pub known: [f64; 2],
}

/// Labels count as selective where one side knows less than this share of what the other knows.
const FAR_MORE_OFTEN: f64 = 0.5;

impl Selective {
    fn of(whole: &Counts) -> Option<Self> {
        let known = [1, 0].map(|decision| {
            let all = whole.sum(|_, d| d == decision).weight;
            let known = whole.sum(|label, d| d == decision && label < 2).weight;
            (all > 0.0).then(|| known / all)
        });
        let [Some(selected), Some(others)] = known else { return None };
        (selected.min(others) < FAR_MORE_OFTEN * selected.max(others))
            .then_some(Selective { known: [selected, others] })
    }

    /// Whether a metric cannot be known from such labels. Precision and its complement are of the selected
    /// alone, negative predictive value and its complement of the others.
    pub fn hides(&self, entry: &Entry) -> bool {
        let own_side = if self.known[0] > self.known[1] {
            ["precision", "false_discovery_rate"]
        } else {
            ["negative_predictive_value", "false_omission_rate"]
        };
        entry.needs.label && !own_side.contains(&entry.name)
    }
}

/// What is measured for one model, and how.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    pub plan: &'a AuditPlan,
    pub tally: &'a Tally,
    pub model: usize,
    pub kind: Kind,
    /// The segmentation, of a segment as a decision.
    pub segment_of: Option<&'a str>,
    pub outcome: Outcome<'a>,
    pub figures: Vec<Figure<'a>>,
    /// Measures of two groups, or of all at once.
    pub measures: Vec<MeasureRef>,
    pub selective: Option<Selective>,
    /// The criteria's metrics that cannot be had here, but can of an outcome of another kind.
    pub elsewhere: Vec<String>,
    pub level: f64,
    pub bootstrap: Bootstrap,
}

/// What is audited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A model with decisions, scores, or only labels.
    Model,
    /// A segmentation.
    Segmentation,
    /// One of its segments as a decision.
    OneVsRest,
}

impl<'a> Scope<'a> {
    /// A segmentation, by what is known of its segments.
    pub fn of_segmentation(plan: &'a AuditPlan, tally: &'a Tally, number: usize, segmented: &'a Segmented) -> Self {
        let outcome = Outcome::Segments(number, segmented);
        let (of_groups, measures) = outcome.measures(tally.schema(), false).into_iter().partition(is_of_one_group);
        Scope {
            plan,
            tally,
            model: 0,
            kind: Kind::Segmentation,
            segment_of: None,
            outcome,
            figures: <Vec<MeasureRef>>::into_iter(of_groups).map(Figure::Measure).collect(),
            measures,
            selective: None,
            elsewhere: Vec::new(),
            level: plan.policy.confidence,
            bootstrap: Bootstrap { replicates: plan.replicates, seed: plan.seed },
        }
    }

    /// What the model is called, and how its decisions came to be.
    pub fn about(&self) -> (&str, DecisionRule) {
        match self.outcome {
            Outcome::Segments(number, segmented) => {
                let rule = DecisionRule::Segments(segmented.of.segments.len());
                (&self.tally.schema().segmentations[number].name, rule)
            }
            _ => {
                let def = &self.tally.schema().models[self.model];
                (&def.name, def.rule)
            }
        }
    }

    pub fn confidence(&self, level: f64) -> Confidence {
        Confidence { level, bootstrap: self.bootstrap }
    }

    /// What each part of a slice has beyond its cells.
    pub fn data(&self, parts: &Parts) -> Vec<Data> {
        self.outcome.data(self.tally, self.model, parts)
    }

    pub fn new(plan: &'a AuditPlan, tally: &'a Tally, model: usize, kind: Kind) -> Self {
        let schema = tally.schema();
        let def = &schema.models[model];
        let whole = &tally.whole(model).whole;
        let outcome = Outcome::of_model(tally, model);
        let (of_groups, measures) = outcome.measures(schema, def.decides()).into_iter().partition(is_of_one_group);
        let of_groups = <Vec<MeasureRef>>::into_iter(of_groups).map(Figure::Measure);
        let allowed = |entry: &&Entry| {
            (schema.labelled || !entry.needs.label)
                && (def.decides() || !entry.needs.decision)
                && (def.scored || !entry.needs.score)
        };
        let figures = catalog::METRICS.iter().filter(allowed).map(Figure::Catalog);
        let selective = (schema.labelled && def.decides()).then(|| Selective::of(whole)).flatten();
        Scope {
            plan,
            tally,
            model,
            kind,
            segment_of: None,
            outcome,
            figures: figures.chain(plan.custom.iter().map(Figure::Custom)).chain(of_groups).collect(),
            measures,
            selective,
            elsewhere: Vec::new(),
            level: plan.policy.confidence,
            bootstrap: Bootstrap { replicates: plan.replicates, seed: plan.seed },
        }
    }

    pub fn figure(&self, name: &str) -> Option<usize> {
        self.figures.iter().position(|f| f.name() == name)
    }

    /// Every figure of every group: `[group][figure]`. Only those `wanted` are computed, the others are
    /// undefined.
    pub fn measure(
        &self,
        groups: &[&Counts],
        data: &[&Data],
        wanted: impl Fn(usize) -> bool + Sync,
    ) -> Vec<Vec<Measured>> {
        let mut all: Vec<Vec<Measured>> = groups
            .iter()
            .map(|counts| {
                let one = |(at, figure): (usize, &Figure)| match figure {
                    Figure::Catalog(entry) if wanted(at) && !figure.needs_bootstrap() => self.closed(entry, counts),
                    _ => Measured::undefined(Undefined::NoRows, Support::default()),
                };
                self.figures.iter().enumerate().map(one).collect()
            })
            .collect();
        for (at, figure) in self.figures.iter().enumerate().filter(|(at, _)| wanted(*at)) {
            let Figure::Measure(measure) = figure else { continue };
            let found = measure.of_groups(data, &self.outcome, self.confidence(self.level));
            for ((group, counts), found) in all.iter_mut().zip(groups).zip(found) {
                group[at] = match self.hides(*measure) {
                    true => Measured::undefined(Undefined::SelectiveLabels, counts.total().into()),
                    false => found,
                };
            }
        }
        let cells: Vec<Vec<Cell>> = groups.iter().map(|c| c.cells.iter().flatten().copied().collect()).collect();
        let cells: Vec<&[Cell]> = cells.iter().map(Vec::as_slice).collect();
        let drawn = self.figures.iter().enumerate().filter(|(at, f)| f.needs_bootstrap() && wanted(*at));
        let drawn: Vec<(usize, &Figure)> = drawn.collect();
        if drawn.is_empty() {
            return all;
        }
        let values = |_: usize, replicates: &Drawn, found: &mut [Vec<f64>]| {
            found.iter_mut().zip(&drawn).for_each(|(found, (_, figure))| figure.values(replicates, found));
        };
        let measured = self.bootstrap.run_all(&cells, drawn.len(), values, |group, replicates| {
            let each = drawn.iter().zip(&replicates);
            each.map(|((_, figure), replicates)| self.resampled(figure, groups[group], replicates)).collect::<Vec<_>>()
        });
        for (group, measured) in all.iter_mut().zip(measured) {
            drawn.iter().zip(measured).for_each(|((at, _), measured)| group[*at] = measured);
        }
        all
    }

    /// A figure with a closed form.
    pub fn closed(&self, entry: &Entry, counts: &Counts) -> Measured {
        self.as_known(entry, counts, measure::measure(entry, counts, self.level))
    }

    /// The figures of one group that need no bootstrap, by name: for strata, of which there are many.
    pub fn closed_by_name(&self, counts: &Counts) -> BTreeMap<String, Estimate> {
        let closed = self.figures.iter().filter_map(|figure| match figure {
            Figure::Catalog(entry) => Some((entry.name.to_string(), self.closed(entry, counts).estimate)),
            Figure::Custom(_) | Figure::Measure(_) => None,
        });
        closed.collect()
    }

    pub fn by_name(&self, measured: &[Measured]) -> BTreeMap<String, Estimate> {
        self.figures.iter().zip(measured).map(|(f, m)| (f.name().to_string(), m.estimate.clone())).collect()
    }

    fn resampled(&self, figure: &Figure, counts: &Counts, replicates: &Replicates) -> Measured {
        let support = figure.support(counts);
        let measured = match figure.value(counts) {
            Some(value) => Measured::bootstrapped(value, support, replicates, &jackknife(figure, counts), self.level),
            None => match figure {
                Figure::Catalog(entry) => measure::measure(entry, counts, self.level),
                Figure::Custom(_) if counts.total().rows <= 0.0 => Measured::undefined(Undefined::NoRows, support),
                Figure::Custom(_) | Figure::Measure(_) => Measured::undefined(Undefined::NotFinite, support),
            },
        };
        match figure {
            Figure::Catalog(entry) => self.as_known(entry, counts, measured),
            Figure::Custom(_) | Figure::Measure(_) => measured,
        }
    }

    /// Whether a measure cannot be known, for want of labels on one side of the decision.
    pub fn hides(&self, measure: MeasureRef) -> bool {
        let needs = measure.entry().needs;
        let of_labels = needs.contains(&Need::LabelOrTarget) && !self.tally.schema().targeted;
        self.selective.is_some() && (needs.contains(&Need::Label) || of_labels)
    }

    /// A figure as far as the labels let it be known.
    fn as_known(&self, entry: &Entry, counts: &Counts, measured: Measured) -> Measured {
        let bounds = measure::bounds(entry, counts);
        let hidden = self.selective.is_some_and(|s| s.hides(entry));
        let mut measured =
            if hidden { Measured::undefined(Undefined::SelectiveLabels, measured.estimate.support) } else { measured };
        measured.estimate.bounds = bounds;
        measured
    }
}

fn is_of_one_group(measure: &MeasureRef) -> bool {
    measure.entry().of == Of::Group
}

/// For every cell with rows: how many, and the figure without one of them.
fn jackknife(figure: &Figure, counts: &Counts) -> Vec<(f64, f64)> {
    let mut values = Vec::new();
    for label in 0..3 {
        for decision in 0..3 {
            let cell = counts.cells[label][decision];
            if cell.rows < 1.0 {
                continue;
            }
            let mut less = counts.clone();
            let kept = (cell.rows - 1.0) / cell.rows;
            less.cells[label][decision] = Cell::default();
            less.cells[label][decision].add(&cell, kept);
            values.extend(figure.value(&less).map(|v| (cell.rows, v)));
        }
    }
    values
}
