//! Exactly so many people, with rates of groups within a bound: what campaigns have.

use rayon::slice::ParallelSliceMut;
use serde::{Deserialize, Serialize};

use super::scores_of;
use crate::data::Batch;
use crate::inference::rng::split_mix;
use crate::mitigate::groups::{Groups, MISSING};
use crate::tally::score_key;
use crate::{Error, Result};

/// What rounding may take from a bound on whole persons.
const ROUNDING: f64 = 1e-9;

/// Selects exactly so many people, so that the scores add up to most while groups' selection rates are within a gap.
///
/// Within a group the best scores are taken, ties by a hash of the row. How many of each: for a given lowest rate r, each
/// group has from `⌈r n⌉` to `⌊(r + gap) n⌋` people, and the best scores of all fill what the budget leaves; the sum is
/// concave in r but for whole persons, so every r at which a count changes is looked at near its top, and all of them where
/// they are few. Nothing is drawn: the same rows always give the same people. Rows weigh alike: people are counted.
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
}

/// What a budget buys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BudgetSummary {
    /// The people selected.
    pub people: u64,
    /// The largest gap of selection rates allowed.
    pub allowed: f64,
    /// The gap of selection rates by score alone.
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
        Budget { people, gap: 0.05, attributes: Vec::new(), model: None, seed: 0 }
    }

    /// The largest gap between two groups' selection rates, in [0, 1].
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
    /// [`Error::BadSetting`] for a budget that is larger than the people with a score, or a gap out of range;
    /// [`Error::Nothing`], [`Error::Unknown`], [`Error::MissingColumn`], [`Error::TooManyCells`].
    pub fn apply(&self, batch: &Batch) -> Result<Chosen> {
        if !(0.0..=1.0).contains(&self.gap) {
            return Err(Error::setting("the largest gap between selection rates", self.gap, "a number from 0 to 1"));
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
        let problem = Problem { lists: &lists, sums: &sums, scores, budget: self.people, held: groups.len() };
        let before = problem.fill(&vec![0; lists.len()], &lists.iter().map(Vec::len).collect::<Vec<_>>());
        let before = before.unwrap_or_default();
        let after = match problem.best(self.gap) {
            Some(counts) => counts,
            None => return Err(problem.infeasible(self.gap)),
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
        };
        let summary = BudgetSummary {
            people: self.people as u64,
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
}

fn prefix_sums(list: &[usize], scores: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    let after = list.iter().map(|row| {
        sum += scores[*row];
        sum
    });
    std::iter::once(0.0).chain(after).collect()
}

struct Problem<'a> {
    /// The rows of each group, best first.
    lists: &'a [Vec<usize>],
    /// The sums of the best scores of each group.
    sums: &'a [Vec<f64>],
    scores: &'a [f64],
    budget: usize,
    /// How many of the groups, the first ones, have a rate that is held.
    held: usize,
}

impl Problem<'_> {
    fn sum(&self, counts: &[usize]) -> f64 {
        counts.iter().zip(self.sums).map(|(count, sums)| sums[*count]).sum()
    }

    fn gap(&self, counts: &[usize]) -> f64 {
        let rates = (0..self.held).filter(|g| !self.lists[*g].is_empty());
        let rates = rates.map(|g| counts[g] as f64 / self.lists[g].len() as f64);
        let (low, high) = rates.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), r| (l.min(r), h.max(r)));
        (high - low).max(0.0)
    }

    /// How many of each group, from `least` to `most`, so that the budget is spent on the best scores.
    fn fill(&self, least: &[usize], most: &[usize]) -> Option<Vec<usize>> {
        let floor: usize = least.iter().sum();
        if floor > self.budget || most.iter().sum::<usize>() < self.budget || least.iter().zip(most).any(|(l, m)| l > m)
        {
            return None;
        }
        // The score from which on people are taken, by bisection over the order of numbers.
        let taken = |cut: u64| -> Vec<usize> {
            let reaches = |list: &Vec<usize>| list.partition_point(|row| score_key(self.scores[*row]) >= cut);
            (0..self.lists.len()).map(|g| reaches(&self.lists[g]).clamp(least[g], most[g])).collect()
        };
        let (mut low, mut high) = (0u64, u64::MAX);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            // The largest cut that still spends the whole budget.
            if taken(middle).iter().sum::<usize>() >= self.budget { low = middle } else { high = middle - 1 }
        }
        // What that takes too much are people of that very score: of each group those past it are given back.
        let mut counts = taken(low);
        let above = if low == u64::MAX { least.to_vec() } else { taken(low + 1) };
        let mut over = counts.iter().sum::<usize>().checked_sub(self.budget)?;
        for (count, above) in counts.iter_mut().zip(above) {
            let back = over.min(count.saturating_sub(above));
            *count -= back;
            over -= back;
        }
        (over == 0).then_some(counts)
    }

    /// The best counts whose rates are within the gap.
    fn best(&self, gap: f64) -> Option<Vec<usize>> {
        let at = |rate: f64| {
            let bounds = |g: usize| {
                let n = self.lists[g].len() as f64;
                if g >= self.held {
                    return (0, self.lists[g].len());
                }
                let least = (rate * n - ROUNDING * n.max(1.0)).ceil().max(0.0) as usize;
                let most = ((rate + gap) * n + ROUNDING * n.max(1.0)).floor() as usize;
                (least, most.min(self.lists[g].len()))
            };
            let (least, most): (Vec<usize>, Vec<usize>) = (0..self.lists.len()).map(bounds).unzip();
            self.fill(&least, &most).map(|counts| (self.sum(&counts), counts))
        };
        let mut rates = self.rates(gap);
        rates.sort_unstable_by(f64::total_cmp);
        rates.dedup();
        let mut best: Option<(f64, Vec<usize>)> = None;
        let mut offer = |found: Option<(f64, Vec<usize>)>| {
            if let Some(found) = found
                && best.as_ref().is_none_or(|b| found.0 > b.0)
            {
                best = Some(found);
            }
        };
        rates.iter().for_each(|rate| offer(at(*rate)));
        best.map(|(_, counts)| counts)
    }

    /// The lowest rates to look at: those at which a count changes, as far as they may matter.
    fn rates(&self, gap: f64) -> Vec<f64> {
        let sizes: Vec<usize> = (0..self.held).map(|g| self.lists[g].len()).filter(|n| *n > 0).collect();
        let all = sizes.iter().map(|n| 2 * (n + 1)).sum::<usize>();
        let near = |rate: f64, within: f64| {
            let of_group = move |n: usize| {
                let (from, to) = ((rate - within) * n as f64, (rate + within) * n as f64);
                let range = (from.floor().max(0.0) as usize)..=(to.ceil().max(0.0) as usize).min(n);
                range.flat_map(move |j| [j as f64 / n as f64, j as f64 / n as f64 - gap])
            };
            sizes.iter().flat_map(move |n| of_group(*n)).filter(move |r| *r >= 0.0 && (r - rate).abs() <= within)
        };
        if all <= FEW {
            return near(0.5, 1.0).chain([0.0]).collect();
        }
        // The sum is concave in the rate but for whole persons: first where its top is, then all rates near it.
        let value = |rate: f64| self.relaxed(rate, gap);
        let (mut low, mut high) = (0.0f64, 1.0f64);
        for _ in 0..100 {
            let (a, b) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
            if value(a) < value(b) { low = a } else { high = b }
        }
        let smallest = sizes.iter().copied().min().unwrap_or(1) as f64;
        let steps = FEW as f64 / (4.0 * sizes.iter().sum::<usize>() as f64);
        near((low + high) / 2.0, steps.max(2.0 / smallest).min(1.0))
            .take(FEW)
            .chain([0.0, (low + high) / 2.0])
            .collect()
    }

    /// The sum of scores at a lowest rate where persons could be divided; a rate that leaves the budget unspent or overspent
    /// is the worse the more it does.
    fn relaxed(&self, rate: f64, gap: f64) -> f64 {
        let bounds = |g: usize| {
            let n = self.lists[g].len();
            if g >= self.held {
                return (0, n);
            }
            ((rate * n as f64).round() as usize, (((rate + gap) * n as f64).round() as usize).min(n))
        };
        let (least, most): (Vec<usize>, Vec<usize>) = (0..self.lists.len()).map(bounds).unzip();
        let (floor, roof): (usize, usize) = (least.iter().sum(), most.iter().sum());
        if floor > self.budget {
            return -1e300 * (floor - self.budget) as f64;
        }
        if roof < self.budget {
            return -1e300 * (self.budget - roof) as f64;
        }
        self.fill(&least, &most).map_or(f64::NEG_INFINITY, |counts| self.sum(&counts))
    }

    /// The error for a gap that whole persons cannot keep, with the least that they can.
    fn infeasible(&self, gap: f64) -> Error {
        let (mut low, mut high) = (gap, 1.0);
        for _ in 0..50 {
            let middle = (low + high) / 2.0;
            if self.best(middle).is_some() { high = middle } else { low = middle }
        }
        let counts = self.best(high).unwrap_or_default();
        let least = if counts.is_empty() { high } else { self.gap(&counts) };
        Error::Infeasible {
            asked: format!("a gap of {gap} between selection rates with {} people", self.budget),
            problem: "no numbers of whole persons keep it".into(),
            remedy: format!("allow at least {least:.6}, or merge small groups"),
        }
    }
}

/// Rates that are all looked at.
const FEW: usize = 4096;

#[cfg(test)]
mod tests;
