//! Segmentations that are fair as they are made: k-means that looks at whom it serves.
//!
//! | objective | what is fair in it |
//! |---|---|
//! | [`Objective::Social`] | the group that is served worst is as near to the centres of its segments as can be |
//! | [`Objective::Balanced`] | every segment mirrors the people, any number of groups |
//! | [`Objective::Fairlets`] | every segment has at least one of the smaller of two groups for so many of the larger |
//!
//! The first leaves everybody in the segment of the nearest centre and moves the centres; what is learned serves
//! new people too. The others decide who is in which segment: they need the groups of those who are assigned, and a
//! [`predict`](linfa::traits::Predict) of new rows by the nearest centre keeps no balance.
//!
//! Distances are Euclidean, so features should be on scales that compare (standardised, say).

mod balanced;
mod fairlets;
mod lloyd;
mod social;
#[cfg(test)]
mod tests;

pub use balanced::balanced_assignment;

use linfa::dataset::{AsSingleTargets, DatasetBase};
use linfa::traits::{Fit, PredictInplace};
use linfa::{Float, ParamGuard};
use ndarray::{Array1, ArrayBase, ArrayView2, Data, Ix2};
use serde::{Deserialize, Serialize};

use crate::individual::{Clustering, MISSING};
use crate::{Error, Place, Result};
use lloyd::{Centres, Points};

/// What a segmentation is to be fair in.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Objective {
    /// The largest of the groups' mean squared distances to the nearest centre is made small. Ghadiri, Samadi, Vempala (2021),
    /// Socially fair k-means clustering, FAccT.
    #[default]
    Social,
    /// Each group's share of each segment's people, over its share of all, is in `[1 − slack, 1 / (1 − slack)]`, to the nearest
    /// whole person; a slack in [0, 1). Segments have the sizes that plain k-means gives them. Bera, Chakrabarty, Flores,
    /// Negahbani (2019), Fair algorithms for clustering, NeurIPS (which lets sizes vary, and exceeds bounds instead).
    Balanced {
        /// The slack.
        slack: f64,
    },
    /// Two groups: rows are tied into fairlets of one of the smaller group and 1 to `most` of the larger, and fairlets are
    /// clustered whole (in no more segments than fairlets). Chierichetti, Kumar, Lattanzi, Vassilvitskii (2017), Fair clustering through fairlets, NeurIPS.
    ///
    /// Up to 600 rows the fairlets are the cheapest there are, beyond that (up to 50,000) greedy: each row of the smaller
    /// group takes its nearest that is free, then the others their nearest with room, in an order drawn by the seed.
    Fairlets {
        /// How many of the larger group may be tied to one of the smaller, at least 1.
        most: usize,
    },
}

/// The parameters of [`FairKMeans`], to be checked by `linfa`'s [`ParamGuard`] or by fitting.
#[derive(Debug, Clone, PartialEq)]
pub struct FairKMeansParams(FairKMeansValidParams);

/// Checked parameters of [`FairKMeans`].
#[derive(Debug, Clone, PartialEq)]
pub struct FairKMeansValidParams {
    clusters: usize,
    objective: Objective,
    runs: usize,
    iterations: usize,
    tolerance: f64,
    seed: u64,
}

impl FairKMeansParams {
    /// What it is to be fair in; [`Objective::Social`] if not said.
    #[must_use]
    pub fn objective(mut self, objective: Objective) -> Self {
        self.0.objective = objective;
        self
    }

    /// How many starts are tried, of which the best is kept; 10 if not said.
    #[must_use]
    pub fn n_runs(mut self, runs: usize) -> Self {
        self.0.runs = runs;
        self
    }

    /// How many times centres are moved at most in a run; 300 if not said.
    #[must_use]
    pub fn max_n_iterations(mut self, iterations: usize) -> Self {
        self.0.iterations = iterations;
        self
    }

    /// A run ends when a move of the centres makes the objective smaller by less than this part of it; 1e-6 if not said.
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.0.tolerance = tolerance;
        self
    }

    /// The seed; the same rows and seed give the same answer on any number of threads.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }

    /// As [`FairKMeansValidParams::fit_rows`], after the check.
    ///
    /// # Errors
    /// As there; [`Error::BadSetting`] for parameters out of range.
    pub fn fit_rows(&self, features: ArrayView2<f64>, groups: &[u32], weights: Option<&[f64]>) -> Result<FairKMeans> {
        self.check_ref()?.fit_rows(features, groups, weights)
    }
}

impl ParamGuard for FairKMeansParams {
    type Checked = FairKMeansValidParams;
    type Error = Error;

    fn check_ref(&self) -> Result<&Self::Checked> {
        let params = &self.0;
        let whole = |name, value| Error::setting(name, value, "at least 1");
        match params.objective {
            _ if params.clusters == 0 => Err(whole("the number of segments", params.clusters)),
            _ if params.runs == 0 => Err(whole("the number of runs", params.runs)),
            _ if params.iterations == 0 => Err(whole("the number of iterations", params.iterations)),
            _ if !(params.tolerance > 0.0 && params.tolerance < 1.0) => {
                Err(Error::setting("the tolerance", params.tolerance, "a number between 0 and 1"))
            }
            Objective::Balanced { slack } if !(0.0..1.0).contains(&slack) => {
                Err(Error::setting("the slack", slack, "a number of at least 0 and below 1"))
            }
            Objective::Fairlets { most: 0 } => Err(whole("the number tied to one of the smaller group", 0)),
            _ => Ok(params),
        }
    }

    fn check(self) -> Result<Self::Checked> {
        self.check_ref()?;
        Ok(self.0)
    }
}

/// Fair k-means, fitted.
///
/// # Examples
/// A large group in two places and a small one in a third: two segments of plain k-means forget the small one.
/// ```
/// use evenhand::mitigate::segment::FairKMeans;
/// use linfa::prelude::*;
/// use ndarray::{Array1, Array2};
/// let at = |i: usize| [0.0, 6.0, 9.0][i % 3] + (i / 3 % 5) as f64 / 10.0;
/// let rows = (0..300).filter(|i| i % 3 != 2 || *i < 60).collect::<Vec<_>>();
/// let features = Array2::from_shape_fn((rows.len(), 1), |(row, _)| at(rows[row]));
/// let groups: Array1<usize> = rows.iter().map(|i| usize::from(i % 3 == 2)).collect();
/// let dataset = DatasetBase::new(features, groups); // the targets are the groups
/// let fitted = FairKMeans::params(2).seed(1).fit(&dataset)?;
/// let (plain, fair) = (fitted.plain_costs[1].unwrap(), fitted.costs[1].unwrap());
/// assert!(fair < 0.5 * plain);
/// let segments = fitted.predict(&dataset);
/// assert_eq!(segments.len(), 220);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FairKMeans {
    /// What it is fair in.
    pub objective: Objective,
    /// The centre of each segment.
    pub centroids: Vec<Vec<f64>>,
    /// The segment of each row that it was fitted on; they are of people, and are not serialised.
    #[serde(skip)]
    pub segments: Vec<u32>,
    /// Each group's mean squared distance to the centres of its rows' segments, `Σ w d² / Σ w`; `None` for a group without
    /// weight.
    pub costs: Vec<Option<f64>>,
    /// The same of all rows.
    pub cost: f64,
    /// The groups' costs under plain k-means.
    pub plain_costs: Vec<Option<f64>>,
    /// The cost of all rows under plain k-means.
    pub plain_cost: f64,
    /// How often the centres were moved in the run that was kept.
    pub iterations: usize,
}

impl FairKMeans {
    /// Parameters for so many segments.
    pub fn params(clusters: usize) -> FairKMeansParams {
        FairKMeansParams(FairKMeansValidParams {
            clusters,
            objective: Objective::default(),
            runs: 10,
            iterations: 300,
            tolerance: 1e-6,
            seed: 0,
        })
    }

    /// The largest of the groups' costs; 0 without groups.
    pub fn worst_cost(&self) -> f64 {
        lloyd::worst(&self.costs)
    }

    /// The cost of all rows over that of plain k-means: the price of fairness, as a rule from 1 up (each is the best of some
    /// starts, not of all). `None` where plain k-means costs nothing.
    pub fn price(&self) -> Option<f64> {
        (self.plain_cost > 0.0).then(|| self.cost / self.plain_cost)
    }
}

/// Where a search ends: centres, the segment of each row, and how often centres were moved.
struct Found {
    centres: Centres,
    segments: Vec<u32>,
    iterations: usize,
}

impl FairKMeansValidParams {
    /// Fits features (a row for each person, finite), codes of groups (from 0 up,
    /// [`MISSING`] for none) and weights (finite, at least 0; `None`: 1 each).
    ///
    /// Rows without a group have no part in what is fair: of the social objective they move no centre, in the others they go
    /// to the nearest centre and count in no share. Weights weigh distances; shares of segments are of rows.
    ///
    /// # Errors
    /// [`Error::UnequalLengths`]; [`Error::BadNumber`] for a feature or weight out of range; [`Error::BadCode`] for a code that is
    /// not below the number of rows; [`Error::BadSetting`] for more segments than rows, features too large to square, and for fairlets of more than
    /// 50,000 rows or of other than two groups; [`Error::Nothing`] without rows, weight or groups; [`Error::Infeasible`] for fairlets
    /// that are too small for the larger group.
    pub fn fit_rows(&self, features: ArrayView2<f64>, groups: &[u32], weights: Option<&[f64]>) -> Result<FairKMeans> {
        let nothing = |problem| Error::Nothing { problem, place: Place::default() };
        let one_segment = vec![0; features.nrows()];
        let checked = Clustering::new(features.view(), &one_segment, groups, weights)?;
        let group_count = checked.groups();
        if self.clusters > features.nrows().max(1) {
            let expected = format!("at most {}, the number of rows", features.nrows());
            return Err(Error::setting("the number of segments", self.clusters, expected));
        }
        let points = Points::of(features, weights);
        points.check(&[])?;
        if points.weights.iter().all(|w| *w <= 0.0) {
            return Err(nothing("no row has any weight"));
        }
        if !groups.iter().zip(&points.weights).any(|(group, weight)| *group != MISSING && *weight > 0.0) {
            return Err(nothing("no row has a known group and a weight"));
        }
        let plain = self.plain(&points);
        let found = match self.objective {
            Objective::Social => self.social(&points, groups, group_count, &plain),
            Objective::Balanced { slack } => self.balanced(&points, groups, group_count, slack, &plain),
            Objective::Fairlets { most } => self.fairlets(&points, groups, group_count, most)?,
        };
        let costs = |found: &Found| points.costs(&found.centres, &found.segments, groups, group_count);
        let ((plain_costs, plain_cost), (costs, cost)) = (costs(&plain), costs(&found));
        Ok(FairKMeans {
            objective: self.objective,
            centroids: found.centres.rows(),
            segments: found.segments,
            costs,
            cost,
            plain_costs,
            plain_cost,
            iterations: found.iterations,
        })
    }
}

/// Features and, as targets, the codes of groups (`usize::MAX` for none); weights of the dataset are read.
impl<F, D, T> Fit<ArrayBase<D, Ix2>, T, Error> for FairKMeansValidParams
where
    F: Float,
    D: Data<Elem = F>,
    T: AsSingleTargets<Elem = usize>,
{
    type Object = FairKMeans;

    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<FairKMeans> {
        let features = dataset.records.mapv(|value| value.to_f64().unwrap_or(f64::NAN));
        let mut groups = Vec::with_capacity(features.nrows());
        for (row, code) in dataset.targets.as_single_targets().iter().enumerate() {
            groups.push(match u32::try_from(*code) {
                _ if *code == usize::MAX => MISSING,
                Ok(code) if code != MISSING => code,
                _ => {
                    let (code, levels, place) = (*code as u64, features.nrows(), Place::row(row));
                    return Err(Error::BadCode { column: "group".into(), code, levels, place });
                }
            });
        }
        let weights: Option<Vec<f64>> = dataset.weights().map(|w| w.iter().map(|w| f64::from(*w)).collect());
        self.fit_rows(features.view(), &groups, weights.as_deref())
    }
}

/// The nearest centre of each row. Rows of another width than the centres are compared in the features that both have.
impl<F: Float, D: Data<Elem = F>> PredictInplace<ArrayBase<D, Ix2>, Array1<usize>> for FairKMeans {
    fn predict_inplace(&self, rows: &ArrayBase<D, Ix2>, segments: &mut Array1<usize>) {
        for (row, segment) in rows.outer_iter().zip(segments.iter_mut()) {
            let distance = |centre: &Vec<f64>| -> f64 {
                row.iter().zip(centre).map(|(x, c)| (x.to_f64().unwrap_or(f64::NAN) - c).powi(2)).sum()
            };
            let each = self.centroids.iter().map(distance).enumerate();
            *segment = each.fold((0, f64::INFINITY), |best, of| if of.1 < best.1 { of } else { best }).0;
        }
    }

    fn default_target(&self, rows: &ArrayBase<D, Ix2>) -> Array1<usize> {
        Array1::zeros(rows.nrows())
    }
}
