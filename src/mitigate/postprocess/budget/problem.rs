//! How many of each group, exactly.

use super::Constraint;
use crate::Error;
use crate::tally::score_key;

/// What rounding may take from a bound on whole persons.
const ROUNDING: f64 = 1e-9;
/// Rates that are all looked at.
const FEW: usize = 4096;

pub(super) struct Problem<'a> {
    /// The rows of each group, best first.
    pub lists: &'a [Vec<usize>],
    /// The sums of the best scores of each group.
    pub sums: &'a [Vec<f64>],
    pub scores: &'a [f64],
    pub budget: usize,
    /// For the groups whose rates are held, the first ones: the rate of each, by how many of it are selected.
    pub reached: &'a [Vec<f64>],
}

impl Problem<'_> {
    pub fn sum(&self, counts: &[usize]) -> f64 {
        counts.iter().zip(self.sums).map(|(count, sums)| sums[*count]).sum()
    }

    pub fn gap(&self, counts: &[usize]) -> f64 {
        let rates = self.reached.iter().zip(counts).filter(|(reached, _)| reached.len() > 1);
        let rates = rates.map(|(reached, count)| reached[*count]);
        let (low, high) = rates.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), r| (l.min(r), h.max(r)));
        (high - low).max(0.0)
    }

    /// How many of each group, from `least` to `most`, so that the budget is spent on the best scores.
    pub fn fill(&self, least: &[usize], most: &[usize]) -> Option<Vec<usize>> {
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
    pub fn best(&self, gap: f64) -> Option<Vec<usize>> {
        let at = |rate: f64| {
            let bounds = |g: usize| match self.reached.get(g) {
                None => (0, self.lists[g].len()),
                Some(reached) => {
                    let most = reached.partition_point(|r| *r <= rate + gap + ROUNDING);
                    (reached.partition_point(|r| *r < rate - ROUNDING), most.saturating_sub(1))
                }
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
        let sizes: Vec<usize> = self.reached.iter().map(|r| r.len() - 1).filter(|n| *n > 0).collect();
        let all = sizes.iter().map(|n| 2 * (n + 1)).sum::<usize>();
        let near = |rate: f64, within: f64| {
            let between = move |reached: &'_ [f64], middle: f64| {
                let from = reached.partition_point(|r| *r < middle - within).saturating_sub(1);
                from..reached.partition_point(|r| *r <= middle + within)
            };
            let of_group = move |reached: &Vec<f64>| {
                let lowest = between(reached, rate).map(|j| reached[j]);
                lowest.chain(between(reached, rate + gap).map(|j| reached[j] - gap)).collect::<Vec<f64>>()
            };
            let all = self.reached.iter().filter(|r| r.len() > 1).flat_map(of_group);
            all.filter(move |r| *r >= 0.0 && (r - rate).abs() <= within)
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
        let nearest = |reached: &[f64], rate: f64| {
            let at = reached.partition_point(|r| *r < rate).min(reached.len() - 1);
            if at > 0 && rate - reached[at - 1] < reached[at] - rate { at - 1 } else { at }
        };
        let bounds = |g: usize| match self.reached.get(g) {
            None => (0, self.lists[g].len()),
            Some(reached) => (nearest(reached, rate), nearest(reached, rate + gap)),
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
    pub fn infeasible(&self, gap: f64, constraint: Constraint) -> Error {
        let (mut low, mut high) = (gap, 1.0);
        for _ in 0..50 {
            let middle = (low + high) / 2.0;
            if self.best(middle).is_some() { high = middle } else { low = middle }
        }
        let counts = self.best(high).unwrap_or_default();
        let least = if counts.is_empty() { high } else { self.gap(&counts) };
        let rates = match constraint {
            Constraint::EqualOpportunity => "expected true positive rates",
            Constraint::FalsePositiveRateParity => "expected false positive rates",
            _ => "selection rates",
        };
        Error::Infeasible {
            asked: format!("a gap of {gap} between {rates} with {} people", self.budget),
            problem: "no numbers of whole persons keep it".into(),
            remedy: format!("allow at least {least:.6}, or merge small groups"),
        }
    }
}
