//! Constraints as linear functions of decisions, and the costs that multipliers make of them.

use serde::{Deserialize, Serialize};

use crate::data::{Batch, POSITIVE, UNKNOWN};
use crate::mitigate::groups::{Groups, MISSING};
use crate::{Error, Place, Result};

/// What the trained classifier must keep, on its training rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Constraint {
    /// Each group's selection rate is within the slack of everybody's.
    DemographicParity,
    /// Each group's true positive rate is within the slack of everybody's.
    EqualOpportunity,
    /// Each group's false positive rate is within the slack of everybody's.
    FalsePositiveRateParity,
    /// Both: true and false positive rates.
    EqualizedOdds,
    /// Each group's error rate is within the slack of everybody's.
    ErrorRateParity,
    /// Each group's error rate is at most this, in [0, 1]; the slack comes on top.
    BoundedGroupLoss(f64),
}

/// What is averaged: decisions or errors.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Of {
    Decisions,
    Errors,
}

/// The rows that rates are of: all, or those with one label.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Event {
    All,
    Label(bool),
}

/// How far a group is from what it is held to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupViolation {
    /// The group's levels, joined by ` & `.
    pub group: String,
    /// The rate: `selection`, `true positive`, `false positive` or `error`.
    pub rate: String,
    /// The group's rate, of the classifier.
    pub value: f64,
    /// What it is held to: everybody's rate, or the bound.
    pub target: f64,
}

/// The training rows, and the constraint on them: `γ(h)`, a number for each event and group.
pub(super) struct Problem<'a> {
    pub labels: Vec<bool>,
    /// Shares of the weight.
    pub shares: Vec<f64>,
    /// The rows of the batch that they are.
    pub rows: Vec<usize>,
    constraint: Constraint,
    of: Of,
    events: Vec<Event>,
    groups: &'a Groups,
    /// The group of each row.
    of_row: Vec<u32>,
    /// The weight of each event and group, and of each event.
    weights: Vec<Vec<f64>>,
    wholes: Vec<f64>,
}

impl<'a> Problem<'a> {
    /// Of the rows with a known label; those without a known group count for accuracy alone.
    pub fn new(constraint: Constraint, groups: &'a Groups, batch: &Batch) -> Result<Self> {
        let nothing = |problem| Error::Nothing { problem, place: Place::default() };
        let label = batch.label.as_ref().ok_or(nothing("reductions need a label; add one to the batch"))?.codes();
        if let Constraint::BoundedGroupLoss(bound) = constraint
            && !(0.0..=1.0).contains(&bound)
        {
            return Err(Error::setting("the bound on a group's loss", bound, "a number from 0 to 1"));
        }
        let rows: Vec<usize> = (0..batch.rows()).filter(|row| label[*row] != UNKNOWN).collect();
        let weight = |row: &usize| batch.weight.as_ref().map_or(1.0, |w| w.values[*row]);
        let total: f64 = rows.iter().map(weight).sum();
        if total <= 0.0 {
            return Err(nothing("no row has a known label and a weight"));
        }
        let (of, events) = match constraint {
            Constraint::DemographicParity => (Of::Decisions, vec![Event::All]),
            Constraint::EqualOpportunity => (Of::Decisions, vec![Event::Label(true)]),
            Constraint::FalsePositiveRateParity => (Of::Decisions, vec![Event::Label(false)]),
            Constraint::EqualizedOdds => (Of::Decisions, vec![Event::Label(true), Event::Label(false)]),
            Constraint::ErrorRateParity | Constraint::BoundedGroupLoss(_) => (Of::Errors, vec![Event::All]),
        };
        let mut problem = Problem {
            labels: rows.iter().map(|row| label[*row] == POSITIVE).collect(),
            shares: rows.iter().map(|row| weight(row) / total).collect(),
            of_row: rows.iter().map(|row| groups.of_row[*row]).collect(),
            rows,
            constraint,
            of,
            weights: vec![vec![0.0; groups.len()]; events.len()],
            wholes: vec![0.0; events.len()],
            events,
            groups,
        };
        for at in 0..problem.rows.len() {
            for event in 0..problem.events.len() {
                if let Some(group) = problem.group(event, at) {
                    problem.weights[event][group] += problem.shares[at];
                    problem.wholes[event] += problem.shares[at];
                }
            }
        }
        for (event, weights) in problem.events.iter().zip(&problem.weights) {
            if let Some(group) = weights.iter().position(|w| *w <= 0.0) {
                return Err(match event {
                    Event::Label(favorable) => {
                        Error::EmptyCell { group: groups.name(group), favorable: *favorable, place: Place::default() }
                    }
                    Event::All => Error::Infeasible {
                        asked: format!("a rate of the group `{}`", groups.name(group)),
                        problem: "it has no row with a known label and a weight".into(),
                        remedy: "merge it with another group, or leave it out".into(),
                    },
                });
            }
        }
        Ok(problem)
    }

    /// The group of a row, where it is in the event.
    fn group(&self, event: usize, at: usize) -> Option<usize> {
        let within = match self.events[event] {
            Event::All => true,
            Event::Label(label) => self.labels[at] == label,
        };
        (within && self.of_row[at] != MISSING).then_some(self.of_row[at] as usize)
    }

    /// How many constraints there are: two for each event and group, or one where there is only an upper bound.
    pub fn len(&self) -> usize {
        self.sides() * if self.is_one_sided() { 1 } else { 2 }
    }

    /// How many events and groups there are.
    pub fn sides(&self) -> usize {
        self.events.len() * self.groups.len()
    }

    fn is_one_sided(&self) -> bool {
        matches!(self.constraint, Constraint::BoundedGroupLoss(_))
    }

    /// The weighted share of errors of some decisions, each in [0, 1].
    pub fn error(&self, decisions: &[f64]) -> f64 {
        let wrong = |(label, decision): (&bool, &f64)| if *label { 1.0 - decision } else { *decision };
        self.labels.iter().zip(decisions).map(wrong).zip(&self.shares).map(|(wrong, share)| wrong * share).sum()
    }

    /// Each event's and group's rate.
    fn rates(&self, decisions: &[f64]) -> Vec<Vec<f64>> {
        let mut rates = vec![vec![0.0; self.groups.len()]; self.events.len()];
        for (at, decision) in decisions.iter().enumerate() {
            let value = match self.of {
                Of::Decisions => *decision,
                Of::Errors if self.labels[at] => 1.0 - decision,
                Of::Errors => *decision,
            };
            for (event, rates) in rates.iter_mut().enumerate() {
                if let Some(group) = self.group(event, at) {
                    rates[group] += self.shares[at] * value / self.weights[event][group];
                }
            }
        }
        rates
    }

    /// What each event's rates are held to.
    fn target(&self, event: usize, rates: &[f64]) -> f64 {
        match self.constraint {
            Constraint::BoundedGroupLoss(bound) => bound,
            _ => rates.iter().zip(&self.weights[event]).map(|(r, w)| r * w).sum::<f64>() / self.wholes[event],
        }
    }

    /// `γ`: how far each group is above what it is held to, then how far below; at most the slack where all is kept.
    pub fn violations(&self, decisions: &[f64]) -> Vec<f64> {
        let mut above = Vec::with_capacity(self.len());
        for (event, rates) in self.rates(decisions).iter().enumerate() {
            let target = self.target(event, rates);
            above.extend(rates.iter().map(|rate| rate - target));
        }
        if !self.is_one_sided() {
            above.extend_from_within(..);
            let half = above.len() / 2;
            above[half..].iter_mut().for_each(|gap| *gap = -*gap);
        }
        above
    }

    /// What violations are in words.
    pub fn told(&self, decisions: &[f64]) -> Vec<GroupViolation> {
        let mut told = Vec::new();
        for (event, rates) in self.rates(decisions).iter().enumerate() {
            let target = self.target(event, rates);
            let rate = match (self.of, self.events[event]) {
                (Of::Errors, _) => "error",
                (_, Event::All) => "selection",
                (_, Event::Label(true)) => "true positive",
                (_, Event::Label(false)) => "false positive",
            };
            told.extend(rates.iter().enumerate().map(|(group, value)| GroupViolation {
                group: self.groups.name(group),
                rate: rate.into(),
                value: *value,
                target,
            }));
        }
        told
    }

    /// What it costs, under these multipliers, to decide for each row rather than against it.
    pub fn costs(&self, multipliers: &[f64]) -> Vec<f64> {
        let count = self.groups.len();
        let sides = self.events.len() * count;
        let net = |event: usize, group: usize| {
            let at = event * count + group;
            multipliers[at] - if self.is_one_sided() { 0.0 } else { multipliers[sides + at] }
        };
        // What a row of an event and group adds to the sum of the multiplied constraints.
        let added: Vec<Vec<f64>> = (0..self.events.len())
            .map(|event| {
                let pooled: f64 = (0..count).map(|group| net(event, group)).sum();
                let common = if self.is_one_sided() { 0.0 } else { pooled / self.wholes[event] };
                (0..count).map(|group| net(event, group) / self.weights[event][group] - common).collect()
            })
            .collect();
        let cost = |at: usize| {
            let sign = if self.labels[at] { -1.0 } else { 1.0 };
            let of_event = |event: usize| self.group(event, at).map_or(0.0, |group| added[event][group]);
            let held: f64 = (0..self.events.len()).map(of_event).sum();
            self.shares[at] * (sign + if self.of == Of::Errors { sign * held } else { held })
        };
        (0..self.rows.len()).map(cost).collect()
    }
}
