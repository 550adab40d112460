//! Trains, decides, and gathers what was decided on held-out rows.

use ndarray::ArrayView2;
use rand::Rng;
use rayon::prelude::*;

use super::area::Areas;
use super::mitigation::Mitigation;
use super::moments::Joint;
use super::report::Design;
use super::rows::{Held, Outcome, Train};
use super::split::{self, Strata};
use crate::data::{Batch, UNKNOWN};
use crate::inference::rng::stream;
use crate::mitigate::groups::Groups;
use crate::{Error, Place, Result};

/// Fits on training rows and decides on others: an outcome for each of a candidate's names.
pub(super) type Decide<'m> = Box<dyn Fn(&Train, &Held) -> Result<Vec<Outcome>> + Sync + 'm>;

/// A model with its name, the unmitigated one or a mitigation; or several that are trained at once.
pub(super) struct Candidate<'m> {
    pub names: Vec<String>,
    pub knows_groups: bool,
    pub decide: Decide<'m>,
}

impl<'m> Candidate<'m> {
    pub fn of(name: &str, knows_groups: bool, mitigation: &'m dyn Mitigation) -> Self {
        let decide = move |train: &Train, held: &Held| Ok(vec![mitigation.fit(train)?.decide(held)?]);
        Candidate { names: vec![name.into()], knows_groups, decide: Box::new(decide) }
    }
}

/// What is known of the rows.
pub(super) struct Rows {
    pub groups: Groups,
    pub labels: Vec<bool>,
    pub weights: Vec<f64>,
    /// The rows of the batch whose label is known.
    pub known: Vec<usize>,
}

impl Rows {
    pub fn of(features: ArrayView2<f64>, batch: &Batch, attributes: &[String]) -> Result<Self> {
        if features.nrows() != batch.rows() {
            return Err(Error::UnequalLengths {
                column: "features".into(),
                rows: features.nrows(),
                expected: batch.rows(),
            });
        }
        for (row, values) in features.outer_iter().enumerate() {
            if let Some(column) = values.iter().position(|v| !v.is_finite()) {
                return Err(Error::BadNumber {
                    column: format!("feature {}", column + 1),
                    value: values[column].to_string(),
                    place: Place::row(row),
                    expected: "a finite number",
                });
            }
        }
        let nothing = |problem| Error::Nothing { problem, place: Place::default() };
        let label = batch.label.as_ref().ok_or(nothing("mitigations are judged by a label; add one to the batch"))?;
        let codes = label.codes();
        let groups = Groups::of(batch, attributes)?;
        let known: Vec<usize> = (0..codes.len()).filter(|row| codes[*row] != UNKNOWN).collect();
        let labels: Vec<bool> = known.iter().map(|row| codes[*row] == 1).collect();
        if labels.iter().all(|l| *l) || !labels.iter().any(|l| *l) {
            return Err(nothing("the known labels are not of both kinds, so that nothing can be learnt or judged"));
        }
        let of_row = known.iter().map(|row| groups.of_row[*row]).collect();
        let weights = known.iter().map(|row| batch.weight.as_ref().map_or(1.0, |w| w.values[*row])).collect();
        Ok(Rows { groups: Groups { of_row, ..groups }, labels, weights, known })
    }

    /// The joint cells of two models' decisions.
    pub fn joint(&self, before: &[f64], after: &[f64]) -> Joint {
        Joint::of(self.groups.len(), &self.groups.of_row, &self.labels, &self.weights, [before, after])
    }
}

/// What one model decided on the rows while they were held out.
pub(super) struct Decided {
    /// The chance of each row, averaged over the times that it was held out; NaN where it never was.
    pub mean: Vec<f64>,
    /// The same for each repeat.
    pub by_repeat: Vec<Vec<f64>>,
    pub areas: Areas,
}

/// Trains every candidate on every part and lets it decide on the rest.
pub(super) fn run(
    candidates: &[Candidate],
    features: ArrayView2<f64>,
    batch: &Batch,
    rows: &Rows,
    design: Design,
    repeats: usize,
    seed: u64,
) -> Result<Vec<Decided>> {
    let n = rows.known.len();
    let strata = Strata::of(&rows.groups.of_row, &rows.labels, rows.groups.len());
    let fresh = || Decided { mean: Vec::new(), by_repeat: Vec::new(), areas: Areas::of_rows(n) };
    let mut decided: Vec<Decided> = candidates.iter().flat_map(|c| &c.names).map(|_| fresh()).collect();
    for repeat in 0..repeats {
        decided.iter_mut().for_each(|d| d.by_repeat.push(vec![f64::NAN; n]));
        let parts: Vec<Vec<bool>> = match design {
            Design::HeldOut(share) => vec![split::held_out(&strata, share, seed, repeat)?],
            Design::Folds(folds) => {
                let of = split::folds(&strata, folds, seed, repeat)?;
                (0..folds as u32).map(|fold| of.iter().map(|f| *f == fold).collect()).collect()
            }
        };
        for (part, held) in parts.iter().enumerate() {
            // A seed of its own, so that what a mitigation draws is not what the split was drawn from.
            let own: u64 = stream(seed, repeat, usize::MAX - part).r#gen();
            let numbers = |wanted: bool| -> Vec<usize> { (0..n).filter(|row| held[*row] == wanted).collect() };
            let (shown, hidden) = (numbers(false), numbers(true));
            let of_batch = |of: &[usize]| -> Vec<usize> { of.iter().map(|row| rows.known[*row]).collect() };
            let train = Train::of(features, batch, &rows.groups.attributes, &of_batch(&shown), own)?;
            let views = [false, true].map(|knows| Held::of(features, batch, &of_batch(&hidden), knows, own));
            let [blind, seeing] = views;
            let views = [blind?, seeing?];
            let decide = |candidate: &Candidate| -> Result<Vec<Outcome>> {
                let held = &views[usize::from(candidate.knows_groups)];
                let named =
                    |source: Error| Error::Mitigation { name: candidate.names[0].clone(), source: Box::new(source) };
                let outcomes = (candidate.decide)(&train, held).map_err(named)?;
                outcomes.iter().zip(&candidate.names).try_for_each(|(o, name)| o.check(name, hidden.len()))?;
                Ok(outcomes)
            };
            // All are awaited, so that the error told is always that of the first.
            let outcomes: Vec<Result<Vec<Outcome>>> = candidates.par_iter().map(decide).collect();
            let outcomes = outcomes.into_iter().collect::<Result<Vec<_>>>()?.concat();
            let pick = |row: &usize| (rows.labels[*row], rows.weights[*row]);
            let (labels, weights): (Vec<bool>, Vec<f64>) = hidden.iter().map(pick).unzip();
            for (decided, outcome) in decided.iter_mut().zip(outcomes) {
                for (row, chance) in hidden.iter().zip(&outcome.decisions) {
                    decided.by_repeat[repeat][*row] = *chance;
                }
                decided.areas.add(&hidden, outcome.scores.as_deref(), &labels, &weights);
            }
        }
    }
    for d in &mut decided {
        let mean = |row: usize| {
            let all = d.by_repeat.iter().map(|of| of[row]).filter(|v| !v.is_nan());
            let (sum, count) = all.fold((0.0, 0.0), |(sum, count), v| (sum + v, count + 1.0));
            sum / count
        };
        d.mean = (0..n).map(mean).collect();
    }
    Ok(decided)
}
