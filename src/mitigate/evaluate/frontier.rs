//! Accuracy against fairness: mitigations beside what thresholds by group make of the unmitigated model.
//!
//! The unmitigated scores with a threshold for each group are the baseline that a mitigation has to beat: of more than ten
//! thousand models that Cruz and Hardt trained, none did better than that. A mitigation that may not know the group when it
//! decides competes with one that does; the points say which does.
//!
//! # References
//! Cruz, Hardt (2024), Unprocessing seven years of algorithmic fairness, ICLR; Hardt, Price, Srebro (2016), Equality of
//! opportunity in supervised learning, NeurIPS 29.

use serde::{Deserialize, Serialize};

use super::measure::{Measure, Rate, Utility};
use super::rows::{Held, Outcome, Train};
use crate::Result;
use crate::metrics::Estimate;
use crate::mitigate::groups::Groups;
use crate::mitigate::learn::{Learner, Scorer};

/// Thresholds of a group that are tried.
const TRIED: usize = 200;

/// What a point of the frontier is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PointKind {
    /// The unmitigated model, at a half for everybody.
    Unmitigated,
    /// The unmitigated scores with thresholds by group, which let groups differ by so much on the tuning rows.
    Thresholds(f64),
    /// A mitigation.
    Mitigation,
}

/// One model's performance and disparity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrontierPoint {
    /// The model's name.
    pub name: String,
    /// What it is.
    pub kind: PointKind,
    /// Whether it reads the groups of the people that it decides on.
    pub knows_groups: bool,
    /// Its performance on held-out rows.
    pub performance: Estimate,
    /// Its disparity on held-out rows.
    pub disparity: Estimate,
    /// The models that are shown to be better in both: only between mitigations on one side and the unmitigated model and
    /// its thresholds on the other, and only where both paired intervals, adjusted by Holm, say so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dominated_by: Vec<String>,
}

/// Points of performance and disparity, to be plotted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frontier {
    /// What performance is.
    pub performance: Measure,
    /// What disparity is.
    pub disparity: Measure,
    /// The unmitigated model, its thresholds by growing tolerance, and the mitigations.
    pub points: Vec<FrontierPoint>,
}

/// The unmitigated model with thresholds by group, for several tolerances at once.
pub(super) struct Sweep<'l, L> {
    pub learner: &'l L,
    /// The rate that is bounded.
    pub rate: Rate,
    /// What is made as large as it can be.
    pub worth: Worth,
    pub tolerances: Vec<f64>,
    /// The share of the training rows on which thresholds are found.
    pub tuning: f64,
}

/// What selecting a row is worth.
#[derive(Debug, Clone, Copy)]
pub(super) enum Worth {
    /// By its label, as given.
    Utility(Utility),
    /// Each label's rows together weigh the same.
    Balanced,
}

/// One threshold of a group: the rate that it makes, and its worth.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cut {
    threshold: f64,
    rate: f64,
    worth: f64,
}

impl<L: Learner> Sweep<'_, L> {
    pub fn decide(&self, train: &Train, held: &Held) -> Result<Vec<Outcome>> {
        let (fit, tune) = train.split(1.0 - self.tuning)?;
        let model = self.learner.fit(fit.features(), fit.labels(), fit.weights())?;
        let scores = model.scores(tune.features());
        let groups = Groups::of(tune.batch(), tune.attributes())?;
        let of_held = Groups::matching(&groups.attributes, &groups.levels, held.people()?)?;
        let held_scores = model.scores(held.features());
        let gains = self.gains(&tune);
        let cuts_of = |keep: &dyn Fn(usize) -> bool| {
            let rows = (0..tune.rows()).filter(|row| keep(*row));
            let of = |row: usize| (scores[row], tune.labels()[row], tune.weights()[row]);
            cuts(rows.map(of).collect(), self.rate, gains)
        };
        let by_group: Vec<Vec<Cut>> =
            (0..groups.len()).map(|g| cuts_of(&|row| groups.of_row[row] == g as u32)).collect();
        // Who is of no group, or of one that the tuning rows lack, gets the best threshold of all.
        let common = cuts_of(&|_| true).into_iter().max_by(|a, b| a.worth.total_cmp(&b.worth));
        let common = common.map_or(f64::INFINITY, |cut| cut.threshold);
        let outcome = |tolerance: &f64| {
            let thresholds = within(&by_group, *tolerance);
            let decide = |(score, group): (&f64, &u32)| {
                *score >= thresholds.get(*group as usize).copied().flatten().unwrap_or(common)
            };
            let decisions: Vec<bool> = held_scores.iter().zip(&of_held).map(decide).collect();
            Outcome::of_decisions(&decisions).with_scores(held_scores.clone())
        };
        Ok(self.tolerances.iter().map(outcome).collect())
    }

    /// What selecting a row adds, by label.
    fn gains(&self, tune: &Train) -> [f64; 2] {
        match self.worth {
            Worth::Utility(utility) => [utility.gain(false), utility.gain(true)],
            Worth::Balanced => {
                let mut totals = [0.0; 2];
                tune.labels().iter().zip(tune.weights()).for_each(|(label, w)| totals[usize::from(*label)] += w);
                [-1.0 / totals[0].max(f64::MIN_POSITIVE), 1.0 / totals[1].max(f64::MIN_POSITIVE)]
            }
        }
    }
}

/// The thresholds of a group by rising rate, from nobody to everybody: rows are their score, label and weight.
fn cuts(mut rows: Vec<(f64, bool, f64)>, rate: Rate, gains: [f64; 2]) -> Vec<Cut> {
    rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let counts = |label: bool| match rate {
        Rate::Selection => true,
        Rate::TruePositive => label,
        Rate::FalsePositive => !label,
    };
    let whole: f64 = rows.iter().filter(|r| counts(r.1)).map(|r| r.2).sum();
    let mut cuts = vec![Cut { threshold: f64::INFINITY, rate: 0.0, worth: 0.0 }];
    if !(whole > 0.0) {
        return cuts;
    }
    let (mut selected, mut worth) = (0.0, 0.0);
    let step = rows.len().div_ceil(TRIED);
    let mut taken = 0;
    for tied in rows.chunk_by(|a, b| a.0 == b.0) {
        for (_, label, w) in tied {
            selected += if counts(*label) { *w } else { 0.0 };
            worth += w * gains[usize::from(*label)];
        }
        taken += tied.len();
        // Many scores: one threshold for some of them.
        if taken / step > (taken - tied.len()) / step || taken == rows.len() {
            cuts.push(Cut { threshold: tied[0].0, rate: (selected / whole).min(1.0), worth });
        }
    }
    cuts
}

/// The thresholds worth most of those whose rates lie within the tolerance of each other, as near as the groups' scores
/// allow: each group may miss by half of its widest step between rates.
///
/// Every lowest rate that a group can have is tried; given it, groups are free of each other.
fn within(groups: &[Vec<Cut>], tolerance: f64) -> Vec<Option<f64>> {
    let slack: Vec<f64> = groups
        .iter()
        .map(|cuts| cuts.windows(2).map(|w| w[1].rate - w[0].rate).fold(0.0, f64::max) / 2.0 + 1e-12)
        .collect();
    let best = |lowest: f64| -> (f64, Vec<Option<f64>>) {
        let mut sum = 0.0;
        let pick = |(cuts, slack): (&Vec<Cut>, &f64)| {
            let from = cuts.partition_point(|c| c.rate < lowest - slack);
            let to = cuts.partition_point(|c| c.rate <= lowest + tolerance + slack);
            let found = cuts[from..to.max(from)].iter().max_by(|a, b| a.worth.total_cmp(&b.worth));
            // A group of one cut has nobody that the rate is about: it follows the common threshold.
            let found = found.filter(|_| cuts.len() > 1)?;
            sum += found.worth;
            Some(found.threshold)
        };
        let thresholds = groups.iter().zip(&slack).map(pick).collect();
        (sum, thresholds)
    };
    let lowest = groups.iter().flatten().map(|cut| cut.rate);
    lowest.map(best).max_by(|a, b| a.0.total_cmp(&b.0)).map_or_else(Vec::new, |found| found.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_the_best_of_all_pairs() {
        // Brute force over every pair of thresholds of two groups of 20 distinct scores: steps are 1/20, the slack 1/40.
        let rows = |k: usize| -> Vec<(f64, bool, f64)> {
            (0..20).map(|i| (((i * k) % 41) as f64 / 41.0, (i * 7 + k) % 41 < 6 + (i * k) % 41, 1.0)).collect()
        };
        let groups = [cuts(rows(3), Rate::Selection, [-1.0, 1.0]), cuts(rows(17), Rate::Selection, [-1.0, 1.0])];
        assert_eq!((groups[0].len(), groups[0][20].rate), (21, 1.0));
        for tolerance in [0.0, 0.1, 0.3, 1.0] {
            let found = within(&groups, tolerance);
            let cut = |g: usize| groups[g].iter().find(|c| Some(c.threshold) == found[g]).unwrap();
            let mut most = f64::NEG_INFINITY;
            for a in &groups[0] {
                for b in &groups[1] {
                    if (a.rate - b.rate).abs() <= tolerance + 1e-9 {
                        most = most.max(a.worth + b.worth);
                    }
                }
            }
            assert!(cut(0).worth + cut(1).worth >= most - 1e-9);
            assert!((cut(0).rate - cut(1).rate).abs() <= tolerance + 0.05 + 1e-9);
        }
    }

    #[test]
    fn ties_and_empty_groups_do_no_harm() {
        let tied = cuts(vec![(0.5, true, 1.0), (0.5, false, 2.0)], Rate::TruePositive, [-1.0, 1.0]);
        assert_eq!(tied.len(), 2);
        assert_eq!(tied[1], Cut { threshold: 0.5, rate: 1.0, worth: -1.0 });
        let none = cuts(vec![(0.5, false, 1.0)], Rate::TruePositive, [-1.0, 1.0]);
        assert_eq!(within(&[tied, none], 0.0), [Some(f64::INFINITY), None]);
        assert!(within(&[], 0.1).is_empty());
        let many = cuts((0..10_000).map(|i| (f64::from(i), true, 1.0)).collect(), Rate::Selection, [-1.0, 1.0]);
        assert_eq!(many.len(), TRIED + 1);
    }
}
