//! Small batches, and figures read off a report by name.
#![allow(dead_code)]

use evenhand::audit::{Against, AuditPlan, Comparison, Criterion, Policy};
use evenhand::data::{Batch, Categorical};
use evenhand::metrics::Undefined;
use evenhand::report::{Disparity, Report};

pub type Figure = Result<f64, Undefined>;

/// No group is too small.
pub fn plan() -> AuditPlan {
    AuditPlan::new().policy(Policy { minimum_group_size: 1, ..Policy::default() }).replicates(10)
}

/// A policy of one criterion, no group being too small.
pub fn policy(metric: &str, comparison: Comparison, against: Against, bound: f64) -> Policy {
    let (maximum, minimum) =
        if comparison == Comparison::Difference { (Some(bound), None) } else { (None, Some(bound)) };
    let criterion = Criterion { metric: metric.into(), comparison, against, maximum, minimum, attributes: Vec::new() };
    Policy { minimum_group_size: 1, criteria: vec![criterion], ..Policy::default() }
}

/// One letter, or one word, a row.
pub fn groups<'a, S: AsRef<str>>(name: &str, values: impl IntoIterator<Item = S>) -> Categorical<'a> {
    Categorical::from_values(name, values)
}

/// So many people of a group with a label and a decision.
#[derive(Debug, Clone, Copy)]
pub struct People<'a> {
    pub group: &'a str,
    pub stratum: &'a str,
    pub label: u8,
    pub decision: u8,
    pub count: usize,
}

/// Columns of rows, one a person.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    pub group: Vec<String>,
    pub stratum: Vec<String>,
    pub label: Vec<u8>,
    pub decision: Vec<u8>,
}

impl Rows {
    pub fn of(people: &[People]) -> Self {
        let mut rows = Rows::default();
        for p in people {
            for _ in 0..p.count {
                rows.group.push(p.group.into());
                rows.stratum.push(p.stratum.into());
                rows.label.push(p.label);
                rows.decision.push(p.decision);
            }
        }
        rows
    }

    /// Groups with so many true and false positives, false and true negatives: tp, fp, fn, tn.
    pub fn of_confusions(groups: &[(&str, [usize; 4])]) -> Self {
        let each = |(group, counts): &(&'static str, [usize; 4])| {
            [(1, 1), (0, 1), (1, 0), (0, 0)]
                .iter()
                .zip(counts)
                .map(|((label, decision), count)| People {
                    group,
                    stratum: "",
                    label: *label,
                    decision: *decision,
                    count: *count,
                })
                .collect::<Vec<_>>()
        };
        let owned: Vec<(&'static str, [usize; 4])> =
            groups.iter().map(|(g, c)| (&*Box::leak(g.to_string().into_boxed_str()), *c)).collect();
        Rows::of(&owned.iter().flat_map(each).collect::<Vec<_>>())
    }

    /// Groups of which so many of so many were selected.
    pub fn of_rates(groups: &[(&str, usize, usize)]) -> Self {
        let mut people = Vec::new();
        for (group, selected, all) in groups {
            for (decision, count) in [(1, *selected), (0, all - selected)] {
                people.push(People { group, stratum: "", label: 0, decision, count });
            }
        }
        Rows::of(&people)
    }

    /// The batch of one attribute, `group`, with labels and decisions.
    pub fn batch(&self) -> Batch<'_> {
        let batch = Batch::builder().attribute(groups("group", &self.group));
        batch.label(&self.label).decision(&self.decision).build().unwrap()
    }

    /// The batch without labels.
    pub fn decisions(&self) -> Batch<'_> {
        Batch::builder().attribute(groups("group", &self.group)).decision(&self.decision).build().unwrap()
    }

    /// The batch with strata, without labels.
    pub fn stratified(&self, stratum: &str) -> Batch<'_> {
        let batch = Batch::builder().attribute(groups("group", &self.group));
        batch.stratum(groups(stratum, &self.stratum)).decision(&self.decision).build().unwrap()
    }
}

pub fn group(report: &Report, metric: &str, group: &str) -> Figure {
    report.metric(metric).unwrap().group(group).unwrap().value()
}

pub fn overall(report: &Report, metric: &str) -> Figure {
    report.metric(metric).unwrap().overall().unwrap().value()
}

pub fn difference(report: &Report, metric: &str) -> Figure {
    report.metric(metric).unwrap().difference("group").unwrap().estimate.value()
}

pub fn ratio(report: &Report, metric: &str) -> Figure {
    report.metric(metric).unwrap().ratio("group").unwrap().estimate.value()
}

/// A group against a reference group, `rest` or `overall`.
pub fn disparity<'a>(
    report: &'a Report,
    metric: &str,
    group: &str,
    comparison: Comparison,
    against: &str,
) -> &'a Disparity {
    let table = &report.models[0].tables[0];
    let wanted = |d: &&Disparity| {
        d.metric == metric && d.group.as_deref() == Some(group) && d.comparison == comparison && d.against == against
    };
    table.disparities.iter().find(wanted).unwrap_or_else(|| panic!("no {comparison} of {metric} of {group}"))
}

pub fn against(report: &Report, metric: &str, group: &str, comparison: Comparison, against: &str) -> Figure {
    disparity(report, metric, group, comparison, against).estimate.value()
}

#[track_caller]
pub fn close(figure: Figure, expected: f64) {
    near(figure, expected, 5e-8);
}

#[track_caller]
pub fn near(figure: Figure, expected: f64, tolerance: f64) {
    let found = figure.unwrap_or_else(|reason| panic!("{reason}, not {expected}"));
    assert!((found - expected).abs() <= tolerance, "{found}, not {expected}");
}
