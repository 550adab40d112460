//! Weights for the rows that a model is trained on.
//!
//! | what | weights | after it |
//! |---|---|---|
//! | [`Scheme::KamiranCalders`] | `P(g) P(y) / P(g, y)` | every group has the label rate of the whole, groups keep their size |
//! | [`Scheme::FairBalance`] | `P(g) / (2 P(g, y))` | in every group half of the weight is on each label |
//! | [`Reweight::within`] | the same in each stratum | differences between strata stay |
//! | [`Rake`] | margin after margin scaled | attributes and label have the shares of the audience |
//! | [`balance`] | nearest to those before, within bounds | any means are where they are wanted |
//! | [`InverseProbability`] | one over the chance of being observed | those who are observed stand for all |
//!
//! A learner must read weights for any of it to matter: [`learn`](super::learn) says which do. For those that do not,
//! [`resample`] draws rows by weights, [`resampled`] a whole dataset. Every kind tells what it costs in [`Diagnostics`].

mod balancing;
mod cells;
mod dataset;
mod diagnostics;
mod inverse_probability;
mod raking;
mod resample;
#[cfg(test)]
mod tests;

pub use balancing::{Balanced, Moment, balance};
pub use cells::{CellWeights, GroupBalance, WeightedCell};
pub use dataset::{resampled, weighted};
pub use diagnostics::Diagnostics;
pub use inverse_probability::{InverseProbability, ObservedCell, ObservedWeights};
pub use raking::{Rake, RakedShare, RakedWeights};
pub use resample::{resample, times};

use serde::{Deserialize, Serialize};

#[cfg(doc)]
use crate::Error;
use crate::Result;
use crate::data::Batch;

/// How weights follow from the counts of groups and labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Scheme {
    /// Groups and labels become independent, both keep their shares. Kamiran, Calders (2012), Data preprocessing techniques
    /// for classification without discrimination, Knowledge and Information Systems 33.
    #[default]
    KamiranCalders,
    /// Each label gets half of each group's weight, groups keep their shares. Yu, Chakraborty, Menzies (2024), FairBalance,
    /// IEEE Transactions on Software Engineering 50.
    FairBalance,
}

/// Reweights the cells of group and label.
///
/// Any number of attributes, whose intersections are the groups; weights that the rows already have are multiplied. Rows
/// of an unknown group or label keep the weight that they have, and are counted.
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical};
/// use evenhand::mitigate::reweight::Reweight;
/// let batch = Batch::builder()
///     .attribute(Categorical::from_values("sex", ["f", "f", "f", "f", "m", "m", "m", "m"]))
///     .label([1, 0, 0, 0, 1, 1, 1, 0])
///     .build()?;
/// let fitted = Reweight::new().fit(&batch)?;
/// assert_eq!(fitted.weights(&batch)?, [2.0, 2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0, 2.0]);
/// assert!(fitted.groups.iter().all(|g| (g.after - 0.5).abs() < 1e-12));
/// assert!((fitted.diagnostics.effective_size - 6.0).abs() < 1e-12); // of 8 rows
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reweight {
    scheme: Scheme,
    attributes: Vec<String>,
    strata: Vec<String>,
}

impl Reweight {
    /// Kamiran and Calders' weights of the intersections of all attributes of a batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another scheme.
    #[must_use]
    pub fn scheme(mut self, scheme: Scheme) -> Self {
        self.scheme = scheme;
        self
    }

    /// Only these attributes make the groups.
    #[must_use]
    pub fn attributes<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.attributes = names.into_iter().map(Into::into).collect();
        self
    }

    /// Balances groups within the combinations of these attributes or strata: legitimate reasons for a difference. In each
    /// stratum l the factor is `P(g|l) P(y|l) / P(g, y|l)`: differences between strata stay.
    #[must_use]
    pub fn within<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.strata = names.into_iter().map(Into::into).collect();
        self
    }

    /// Counts groups and labels in one pass and finds the factor of each.
    ///
    /// # Errors
    /// [`Error::Nothing`] without a label, without attributes or without a weighted row of known group and label;
    /// [`Error::MissingColumn`] for an attribute that the batch has not; [`Error::TooManyCells`];
    /// [`Error::EmptyCell`] naming a group of which no row has one of the labels: no weight can give it one.
    pub fn fit(&self, batch: &Batch) -> Result<CellWeights> {
        cells::fit(self, batch)
    }
}
