//! Exactly so many people, with rates of groups within a bound: what campaigns have.

mod problem;
#[cfg(test)]
mod tests;

use rayon::slice::ParallelSliceMut;
use serde::{Deserialize, Serialize};

use super::scores_of;
use super::thresholds::Constraint;
use crate::data::Batch;
use crate::inference::rng::split_mix;
use crate::mitigate::groups::{Groups, MISSING};
use crate::{Error, Place, Result};
use problem::Problem;

/// Selects exactly so many people, so that the scores add up to most while groups' selection rates are within a gap.
///
/// Within a group the best scores are taken, ties by a hash of the row. How many of each: for a given lowest rate r, each
/// group has from as many as reach r to as many as reach no more than r + gap, and the best scores of all fill what the
/// budget leaves; the sum is concave in r but for whole persons, so every r at which a count changes is looked at near its
/// top, and all of them where they are few. Nothing is drawn: the same rows always give the same people. Rows weigh alike: people are counted.
///
/// Rates of selection need no label. Nor do true or false positive rates here, since labels are not known yet: with scores that
/// are probabilities s, a group's expected true positive rate is `Σ s` of its people selected over `Σ s` of all of them, its
/// expected false positive rate the same of `1 − s`. They are as right as the scores are calibrated in each group.
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical};
/// use evenhand::mitigate::postprocess::budget::Budget;
/// let batch = Batch::builder()
///     .attribute(Categorical::from_values("sex", ["f", "f", "f", "f", "m", "m", "m", "m"]))
///     .score([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9])
///     .build()?;
/// let chosen = Budget::new(4).gap(0.0).apply(&batch)?;
/// assert_eq!(chosen.selected, [false, false, true, true, false, false, true, true]);
/// assert!((chosen.summary.score_lost() - 0.6).abs() < 1e-12);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    people: usize,
    constraint: Constraint,
    gap: f64,
    attributes: Vec<String>,
    model: Option<String>,
    seed: u64,
}

/// A group's part of the budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BudgetGroup {
    /// Its levels, joined by ` & `.
    pub group: String,
    /// People with a score.
    pub people: u64,
    /// How many of them would be selected by score alone.
    pub before: u64,
    /// How many are.
    pub after: u64,
    /// The rate that is held to the gap: the share selected, or the expected share of those who would respond, or would not.
    pub rate: f64,
}

/// What a budget buys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BudgetSummary {
    /// The people selected.
    pub people: u64,
    /// Which rates are alike.
    pub constraint: Constraint,
    /// The largest gap of them allowed.
    pub allowed: f64,
    /// The gap by score alone.
    pub gap_before: f64,
    /// The gap now.
    pub gap: f64,
    /// The sum of the scores selected, by score alone.
    pub score_before: f64,
    /// The sum of the scores selected.
    pub score: f64,
    /// People who are selected now and were not.
    pub swapped: u64,
    /// What one point (0.01) more of a gap would add to the sum of the scores; none where it is as wide as it needs to be.
    pub price_of_a_point: Option<f64>,
    /// The groups.
    pub groups: Vec<BudgetGroup>,
    /// People without a known group, who are selected by their scores alone.
    pub without_group: u64,
    /// Rows without a score, who are not selected.
    pub without_score: u64,
}

impl BudgetSummary {
    /// What the bound costs, in scores.
    pub fn score_lost(&self) -> f64 {
        self.score_before - self.score
    }
}

/// Who is selected.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// Whether each row is.
    pub selected: Vec<bool>,
    /// What it reaches and costs.
    pub summary: BudgetSummary,
}

impl Budget {
    /// So many people, at most 0.05 between any two groups' selection rates, groups by all attributes of a batch.
    pub fn new(people: usize) -> Self {
        Budget {
            people,
            constraint: Constraint::DemographicParity,
            gap: 0.05,
            attributes: Vec::new(),
            model: None,
            seed: 0,
        }
    }

    /// Which rates are to be alike: those of selection if not set, or expected true or false positive rates, for which scores
    /// must be probabilities. Both of these at once a number of people for each group cannot hold.
    #[must_use]
    pub fn constraint(mut self, constraint: Constraint) -> Self {
        self.constraint = constraint;
        self
    }

    /// The largest gap between two groups' rates, in [0, 1].
    #[must_use]
    pub fn gap(mut self, gap: f64) -> Self {
        self.gap = gap;
        self
    }

    /// Only these attributes make the groups.
    #[must_use]
    pub fn attributes<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.attributes = names.into_iter().map(Into::into).collect();
        self
    }

    /// The model whose scores are added up; needed where a batch has several with scores.
    #[must_use]
    pub fn model(mut self, name: impl Into<String>) -> Self {
        self.model = Some(name.into());
        self
    }

    /// Of people with equal scores, others are taken under another seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Chooses the people of a batch with attributes and scores.
    ///
    /// # Errors
    /// [`Error::Infeasible`] where whole persons cannot keep so small a gap, with the least that they can;
    /// [`Error::BadSetting`] for a budget that is larger than the people with a score, a gap out of range or equalized odds;
    /// for expected rates [`Error::BadNumber`] with the row for a score outside [0, 1], and [`Error::EmptyCell`] naming a group
    /// whose scores are all 0, or all 1;
    /// [`Error::Nothing`], [`Error::Unknown`], [`Error::MissingColumn`], [`Error::TooManyCells`].
    pub fn apply(&self, batch: &Batch) -> Result<Chosen> {
        if !(0.0..=1.0).contains(&self.gap) {
            return Err(Error::setting("the largest gap between rates", self.gap, "a number from 0 to 1"));
        }
        let scores = scores_of(batch, self.model.as_deref())?;
        let groups = Groups::of(batch, &self.attributes)?;
        // Those of no known group come last, as one of their own whose rate nothing holds.
        let mut lists: Vec<Vec<usize>> = vec![Vec::new(); groups.len() + 1];
        for (row, group) in groups.of_row.iter().enumerate().filter(|(row, _)| !scores[*row].is_nan()) {
            lists[if *group == MISSING { groups.len() } else { *group as usize }].push(row);
        }
        let people: usize = lists.iter().map(Vec::len).sum();
        if self.people == 0 || self.people > people {
            let expected = format!("from 1 to the {people} people with a score");
            return Err(Error::setting("the number of people to select", self.people, expected));
        }
        let lot = |row: usize| split_mix(split_mix(self.seed) ^ row as u64);
        let by_score = |a: &usize, b: &usize| scores[*b].total_cmp(&scores[*a]).then(lot(*a).cmp(&lot(*b)));
        lists.iter_mut().for_each(|list| list.par_sort_unstable_by(by_score));
        let sums: Vec<Vec<f64>> = lists.iter().map(|list| prefix_sums(list, scores)).collect();
        let reached: Vec<Vec<f64>> =
            (0..groups.len()).map(|g| self.reached(&lists[g], scores, &groups, g)).collect::<Result<_>>()?;
        let problem = Problem { lists: &lists, sums: &sums, scores, budget: self.people, reached: &reached };
        let before = problem.fill(&vec![0; lists.len()], &lists.iter().map(Vec::len).collect::<Vec<_>>());
        let before = before.unwrap_or_default();
        let after = match problem.best(self.gap) {
            Some(counts) => counts,
            None => return Err(problem.infeasible(self.gap, self.constraint)),
        };
        let mut selected = vec![false; batch.rows()];
        let mut swapped = 0;
        for (list, (was, is)) in lists.iter().zip(before.iter().zip(&after)) {
            list[..*is].iter().for_each(|row| selected[*row] = true);
            swapped += is.saturating_sub(*was) as u64;
        }
        let price = (problem.gap(&before) > self.gap).then(|| {
            let wider = problem.best((self.gap + 0.01).min(1.0)).unwrap_or_else(|| after.clone());
            (problem.sum(&wider) - problem.sum(&after)).max(0.0)
        });
        let group = |at: usize| BudgetGroup {
            group: groups.name(at),
            people: lists[at].len() as u64,
            before: before[at] as u64,
            after: after[at] as u64,
            rate: reached[at][after[at]],
        };
        let summary = BudgetSummary {
            people: self.people as u64,
            constraint: self.constraint,
            allowed: self.gap,
            gap_before: problem.gap(&before),
            gap: problem.gap(&after),
            score_before: problem.sum(&before),
            score: problem.sum(&after),
            swapped,
            price_of_a_point: price,
            groups: (0..groups.len()).filter(|at| !lists[*at].is_empty()).map(group).collect(),
            without_group: lists[groups.len()].len() as u64,
            without_score: (batch.rows() - people) as u64,
        };
        Ok(Chosen { selected, summary })
    }

    /// The rate of a group by how many of it are selected.
    fn reached(&self, list: &[usize], scores: &[f64], groups: &Groups, group: usize) -> Result<Vec<f64>> {
        let part = |row: usize| match self.constraint {
            Constraint::EqualOpportunity => scores[row],
            Constraint::FalsePositiveRateParity => 1.0 - scores[row],
            _ => 1.0,
        };
        if self.constraint == Constraint::EqualizedOdds {
            let expected = "parity of selection rates, or of expected true or of expected false positive rates";
            return Err(Error::setting("the constraint of a budget", "equalized odds", expected));
        }
        if self.constraint != Constraint::DemographicParity
            && let Some(row) = list.iter().find(|row| !(0.0..=1.0).contains(&scores[**row]))
        {
            let (column, value, place) = ("score".into(), scores[*row].to_string(), Place::row(*row));
            return Err(Error::BadNumber { column, value, place, expected: "a probability in [0, 1]" });
        }
        let whole: f64 = list.iter().map(|row| part(*row)).sum();
        if whole <= 0.0 && !list.is_empty() {
            let favorable = self.constraint == Constraint::EqualOpportunity;
            return Err(Error::EmptyCell { group: groups.name(group), favorable, place: Place::default() });
        }
        let mut sum = 0.0;
        let after = list.iter().map(|row| {
            sum += part(*row);
            (sum / whole).min(1.0)
        });
        Ok(std::iter::once(0.0).chain(after).collect())
    }
}

fn prefix_sums(list: &[usize], scores: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    let after = list.iter().map(|row| {
        sum += scores[*row];
        sum
    });
    std::iter::once(0.0).chain(after).collect()
}
