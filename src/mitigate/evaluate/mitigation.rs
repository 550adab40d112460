//! What is judged: anything that is fitted on training rows and then decides on others.

use super::rows::{Held, Outcome, Train};
use crate::Result;
use crate::mitigate::learn::{Learner, Scorer};
use crate::mitigate::reweight::Reweight;

/// A way to a fairer model: fitted on training rows alone.
///
/// A function of [`Train`] that returns a function of [`Held`] is one. It is handed copies of the training rows, and later
/// the held-out rows without their labels: what it decides on cannot have taught it.
///
/// # Examples
/// ```
/// use evenhand::mitigate::evaluate::{Fitted, Held, Mitigation, Outcome, Train};
///
/// // Selects by lot, at the rate of favourable labels: fair, and of little use.
/// let lot = |train: &Train| {
///     let favorable = train.labels().iter().filter(|label| **label).count() as f64;
///     let rate = favorable / train.rows() as f64;
///     Ok(move |held: &Held| Ok(Outcome::of_chances(vec![rate; held.rows()])))
/// };
/// fn is_one(_: &dyn Mitigation) {}
/// is_one(&lot);
/// ```
pub trait Mitigation: Sync {
    /// Learns from training rows.
    ///
    /// # Errors
    /// What it cannot do, named.
    fn fit(&self, train: &Train) -> Result<Box<dyn Fitted>>;
}

/// A mitigation after training.
pub trait Fitted: Send + Sync {
    /// Decides on rows.
    ///
    /// # Errors
    /// What it cannot do, named.
    fn decide(&self, held: &Held) -> Result<Outcome>;
}

impl<F, M> Mitigation for F
where
    F: Fn(&Train) -> Result<M> + Sync,
    M: Fitted + 'static,
{
    fn fit(&self, train: &Train) -> Result<Box<dyn Fitted>> {
        Ok(Box::new(self(train)?))
    }
}

impl<F> Fitted for F
where
    F: Fn(&Held) -> Result<Outcome> + Send + Sync,
{
    fn decide(&self, held: &Held) -> Result<Outcome> {
        self(held)
    }
}

/// A model's decisions at a half.
struct AtHalf<M>(M);

impl<M: Scorer> Fitted for AtHalf<M> {
    fn decide(&self, held: &Held) -> Result<Outcome> {
        let scores = self.0.scores(held.features());
        let decisions = Outcome::of_decisions(&self.0.decisions(held.features()));
        Ok(decisions.with_scores(scores))
    }
}

/// A learner as it is, trained on the rows with their own weights.
pub struct Plain<L>(pub L);

impl<L: Learner<Model: 'static>> Mitigation for Plain<L> {
    fn fit(&self, train: &Train) -> Result<Box<dyn Fitted>> {
        Ok(Box::new(AtHalf(self.0.fit(train.features(), train.labels(), train.weights())?)))
    }
}

/// A learner trained on reweighted rows.
pub struct Reweighted<L> {
    /// How rows are weighed.
    pub reweight: Reweight,
    /// What is trained on them.
    pub learner: L,
}

impl<L: Learner<Model: 'static>> Mitigation for Reweighted<L> {
    fn fit(&self, train: &Train) -> Result<Box<dyn Fitted>> {
        let weights = self.reweight.fit(train.batch())?.weights(train.batch())?;
        Ok(Box::new(AtHalf(self.learner.fit(train.features(), train.labels(), &weights)?)))
    }
}
