//! Lists in another order, so that groups are among the first by their due shares.
//!
//! | method | what every prefix of the list keeps |
//! |---|---|
//! | [`Rerank`] | at least `⌊share · length⌋` of each group, any number of groups (Geyik and others) |
//! | [`FairTopK`] | as many of one protected group as a test of chance asks for (FA\*IR) |
//!
//! A list is of rows with a score, larger is better. Equal scores stand in the order of the rows, so that the same rows give
//! the same list whatever order groups are listed in. A row whose group is not known keeps the place that it has by score,
//! and the others share the places between: leaving somebody off a list for a missing attribute would be no mending.
//! A row without a score is not on the list. Places count, weights of rows do not.

mod deterministic;
mod fair_list;
mod summary;
#[cfg(test)]
mod tests;

pub use deterministic::{Rule, rerank};
pub use fair_list::{FairList, FairListSummary, FairTopK, fair_top_k};
pub use summary::{ListFigures, RankedGroup, RerankSummary, infeasible_prefixes};

use rayon::slice::ParallelSliceMut;

use super::scores_of;
use crate::data::Batch;
use crate::mitigate::groups::{Groups, MISSING};
use crate::{Error, Place, Result};

/// Puts candidates in another order, in which every prefix has the due share of every group.
///
/// The wanted shares are those that groups have among all candidates, or an audience's
/// ([`targets`](Self::targets)). [`Rule::DetConstSort`] keeps every prefix whatever the number of groups; the others, which
/// keep closer to the scores or to the shares, may fail on more than three.
///
/// **A group may run out of candidates.** It is then no longer asked for, its places go to the best candidates of the
/// others, and the prefixes that lack it count as infeasible; [`RerankSummary::unavoidable`] says how many no order of these
/// candidates could have kept.
///
/// Sorts n candidates and then takes some n × groups steps.
///
/// # References
/// Geyik, Ambler, Kenthapadi (2019), Fairness-aware ranking in search & recommendation systems with application to LinkedIn
/// talent search, KDD.
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical};
/// use evenhand::mitigate::postprocess::rerank::Rerank;
/// let batch = Batch::builder()
///     .attribute(Categorical::from_values("sex", ["m", "m", "m", "f", "f", "f"]))
///     .score([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
///     .build()?;
/// let list = Rerank::new().apply(&batch)?;
/// assert_eq!(list.order, [0, 3, 1, 4, 2, 5]);
/// assert_eq!((list.summary.before.infeasible, list.summary.after.infeasible), (3, 0));
/// let first = Rerank::new().targets([("m", 0.75), ("f", 0.25)]).top(4).apply(&batch)?;
/// assert_eq!(first.order, [0, 1, 2, 3]);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rerank {
    rule: Rule,
    attributes: Vec<String>,
    model: Option<String>,
    targets: Vec<(String, f64)>,
    top: Option<usize>,
}

/// A list in its new order.
#[derive(Debug, Clone, PartialEq)]
pub struct Reranked {
    /// The rows, by index in the batch, best first.
    pub order: Vec<usize>,
    /// What the new order reaches and costs.
    pub summary: RerankSummary,
}

impl Rerank {
    /// The whole list by [`Rule::DetConstSort`], the groups being the intersections of all attributes of a batch, with the
    /// shares that they have among the candidates.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another rule.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rule = rule;
        self
    }

    /// Only these attributes make the groups.
    #[must_use]
    pub fn attributes<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.attributes = names.into_iter().map(Into::into).collect();
        self
    }

    /// The model whose scores are ranked by; needed where a batch has several with scores.
    #[must_use]
    pub fn model(mut self, name: impl Into<String>) -> Self {
        self.model = Some(name.into());
        self
    }

    /// The wanted share of each group, by its levels joined by ` & `; every group with candidates must be named. Shares are
    /// at least 0 and are scaled to sum to 1.
    #[must_use]
    pub fn targets<S: Into<String>>(mut self, shares: impl IntoIterator<Item = (S, f64)>) -> Self {
        self.targets = shares.into_iter().map(|(name, share)| (name.into(), share)).collect();
        self
    }

    /// Only the first `k` places (from 1 to the number of candidates) are filled.
    #[must_use]
    pub fn top(mut self, k: usize) -> Self {
        self.top = Some(k);
        self
    }

    /// Orders the candidates of a batch.
    ///
    /// # Errors
    /// [`Error::Nothing`] without a score, an attribute or a candidate of a known group; [`Error::Unknown`] for a model or a
    /// group that is not there, or a group without a target; [`Error::Duplicate`] for a group that has two;
    /// [`Error::BadSetting`] for targets or places out of range; [`Error::MissingColumn`]; [`Error::TooManyCells`].
    pub fn apply(&self, batch: &Batch) -> Result<Reranked> {
        let groups = Groups::of(batch, &self.attributes)?;
        let scores = scores_of(batch, self.model.as_deref())?;
        let list = List::of(scores, &groups.of_row, self.top)?;
        let mut sizes = vec![0usize; groups.len()];
        list.known.iter().for_each(|row| sizes[groups.of_row[*row] as usize] += 1);
        let shares = self.shares(&groups, &sizes)?;
        // Rows without a group are in no queue.
        let chosen = deterministic::order(self.rule, scores, &groups.of_row, &list.known, &shares, list.places);
        let before = &list.known[..list.places];
        let depth = match self.top {
            Some(_) => list.places,
            None => crate::metrics::ranking::skew::default_k(list.places),
        };
        let codes = |rows: &[usize]| rows.iter().map(|row| groups.of_row[*row] as usize).collect::<Vec<_>>();
        let gains = summary::Gains::of(scores, &list.known);
        let (codes_before, codes_after) = (codes(before), codes(&chosen));
        let of = |group: usize| RankedGroup {
            group: groups.name(group),
            target: shares[group],
            candidates: sizes[group] as u64,
            before: codes_before[..depth].iter().filter(|c| **c == group).count() as u64,
            after: codes_after[..depth].iter().filter(|c| **c == group).count() as u64,
        };
        let summary = RerankSummary {
            rule: self.rule,
            attributes: groups.attributes.clone(),
            groups: (0..groups.len()).map(of).collect(),
            places: list.first.len() as u64,
            depth: depth as u64,
            kept_in_place: (list.first.len() - list.places) as u64,
            without_score: list.without_score as u64,
            unavoidable: deterministic::unavoidable(&sizes, &shares, list.places) as u64,
            before: ListFigures::of(&codes_before, &shares, depth, gains.mean(before)),
            after: ListFigures::of(&codes_after, &shares, depth, gains.mean(&chosen)),
            ndcg: gains.ndcg(before, &chosen),
        };
        Ok(Reranked { order: list.merge(chosen, &groups.of_row), summary })
    }

    fn shares(&self, groups: &Groups, sizes: &[usize]) -> Result<Vec<f64>> {
        if self.targets.is_empty() {
            let all: usize = sizes.iter().sum();
            return Ok(sizes.iter().map(|size| *size as f64 / all as f64).collect());
        }
        let names: Vec<String> = (0..groups.len()).map(|g| groups.name(g)).collect();
        let mut shares = vec![f64::NAN; names.len()];
        for (name, share) in &self.targets {
            if !(*share >= 0.0 && share.is_finite()) {
                return Err(Error::setting(&format!("the target of `{name}`"), share, "a finite share of at least 0"));
            }
            let at = names.iter().position(|own| own == name).ok_or_else(|| {
                Error::unknown("group", name, " among the candidates", names.iter().map(String::as_str))
            })?;
            if !shares[at].is_nan() {
                return Err(Error::Duplicate { name: name.clone() });
            }
            shares[at] = *share;
        }
        if let Some(group) = (0..names.len()).find(|g| shares[*g].is_nan() && sizes[*g] > 0) {
            let given = self.targets.iter().map(|(name, _)| name.as_str());
            return Err(Error::unknown("target", &names[group], ", a group with candidates", given));
        }
        shares.iter_mut().filter(|s| s.is_nan()).for_each(|s| *s = 0.0);
        let sum: f64 = shares.iter().sum();
        if !(sum > 0.0 && sum.is_finite()) {
            return Err(Error::setting("the sum of the targets", sum, "a finite number above 0"));
        }
        shares.iter_mut().for_each(|s| *s /= sum);
        Ok(shares)
    }
}

/// The candidates by score.
struct List {
    /// The rows of the first places.
    first: Vec<usize>,
    /// All candidates of known groups.
    known: Vec<usize>,
    /// How many of the first places are theirs.
    places: usize,
    without_score: usize,
}

impl List {
    fn of(scores: &[f64], groups: &[u32], top: Option<usize>) -> Result<Self> {
        let order = by_score(scores, (0..scores.len()).filter(|row| !scores[*row].is_nan()).collect());
        let k = match top {
            Some(k) if k == 0 || k > order.len() => {
                let expected = format!("from 1 to the {} rows with a score", order.len());
                return Err(Error::setting("the number of places", k, expected));
            }
            Some(k) => k,
            None => order.len(),
        };
        let known: Vec<usize> = order.iter().copied().filter(|row| groups[*row] != MISSING).collect();
        if known.is_empty() {
            return Err(Error::Nothing { problem: "no row has a score and a known group", place: Place::default() });
        }
        let without_score = scores.len() - order.len();
        let mut first = order;
        first.truncate(k);
        let places = first.iter().filter(|row| groups[**row] != MISSING).count();
        Ok(List { first, known, places, without_score })
    }

    /// The chosen rows in the places between those that are kept.
    fn merge(self, chosen: Vec<usize>, groups: &[u32]) -> Vec<usize> {
        let mut order = self.first;
        let places = order.iter_mut().filter(|row| groups[**row] != MISSING);
        places.zip(chosen).for_each(|(place, row)| *place = row);
        order
    }
}

/// Rows by score, the largest first; rows of equal scores by their index.
fn by_score(scores: &[f64], mut rows: Vec<usize>) -> Vec<usize> {
    rows.par_sort_unstable_by(|a, b| deterministic::compare(scores, *a, *b));
    rows
}
