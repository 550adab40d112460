//! FA\*IR: the best list that a test of one protected group's share passes.

use serde::{Deserialize, Serialize};

use super::{List, by_score, deterministic::compare, scores_of, summary};
use crate::data::Batch;
use crate::metrics::ranking::fair_topk::adjusted;
use crate::mitigate::groups::Groups;
use crate::{Error, Result};

/// Places up to which the level of the test is corrected: the correction takes some 25 k² steps.
const LONGEST: usize = 10_000;

/// The best first `k` of a list of which every prefix has at least as many rows of one protected group as FA\*IR's test
/// asks for: so many that fewer would hardly be chance if each place were drawn with the wanted share.
///
/// Of all lists that keep the table of least numbers, this one has the best candidates, and no candidate stands behind a worse
/// one but where the table asks for it. The test's level is corrected for looking at every prefix
/// ([`adjusted`]). For shares themselves, or for more groups than one protected and the rest, take
/// [`Rerank`](super::Rerank).
///
/// # References
/// Zehlike, Bonchi, Castillo, Hajian, Megahed, Baeza-Yates (2017), FA\*IR: a fair top-k ranking algorithm, CIKM.
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical};
/// use evenhand::mitigate::postprocess::rerank::FairTopK;
/// let sex: Vec<&str> = (0..20).map(|i| if i < 10 { "m" } else { "f" }).collect();
/// let scores: Vec<f64> = (0..20).map(|i| 1.0 - f64::from(i) / 20.0).collect();
/// let batch = Batch::builder().attribute(Categorical::from_values("sex", &sex)).score(scores).build()?;
/// let list = FairTopK::new("f", 10).share(0.5).apply(&batch)?;
/// assert_eq!(list.order, [0, 1, 2, 3, 10, 4, 5, 11, 6, 12]);
/// assert_eq!((list.summary.before, list.summary.after), (0, 3));
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FairTopK {
    group: String,
    k: usize,
    share: Option<f64>,
    alpha: f64,
    attributes: Vec<String>,
    model: Option<String>,
}

/// A list that passes the test.
#[derive(Debug, Clone, PartialEq)]
pub struct FairList {
    /// The rows, by index in the batch, best first.
    pub order: Vec<usize>,
    /// What it reaches and costs.
    pub summary: FairListSummary,
}

/// What FA\*IR's list reaches and costs. Figures are of the rows of known groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FairListSummary {
    /// The protected group.
    pub group: String,
    /// The wanted share.
    pub share: f64,
    /// The level of the whole test, as asked for.
    pub alpha: f64,
    /// The level of each prefix that keeps to it.
    pub adjusted_alpha: f64,
    /// The chance that a list drawn with the share fails somewhere.
    pub fail_probability: f64,
    /// The least number of protected rows in each prefix of the rows of known groups.
    pub minimum: Vec<usize>,
    /// Protected rows on the list by score.
    pub before: u64,
    /// Protected rows on the new list.
    pub after: u64,
    /// Rows on the list that kept their place, because their group is not known.
    pub kept_in_place: u64,
    /// Rows that are not on the list, because they have no score.
    pub without_score: u64,
    /// Mean score of the list by score.
    pub mean_score_before: f64,
    /// Mean score of the new list.
    pub mean_score: f64,
    /// Discounted gain over that of the order by score, as [`RerankSummary::ndcg`](super::RerankSummary::ndcg).
    pub ndcg: f64,
}

impl FairTopK {
    /// A list of `k` places (at most 10,000) that protects one group, given by its levels joined by ` & `, with the share that
    /// it has among the candidates, at level 0.1.
    pub fn new(group: impl Into<String>, k: usize) -> Self {
        FairTopK { group: group.into(), k, share: None, alpha: 0.1, attributes: Vec::new(), model: None }
    }

    /// The wanted share of the protected group, in (0, 1).
    #[must_use]
    pub fn share(mut self, share: f64) -> Self {
        self.share = Some(share);
        self
    }

    /// The level of the whole test, in (0, 1).
    #[must_use]
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
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

    /// Orders the candidates of a batch.
    ///
    /// # Errors
    /// [`Error::Infeasible`] where the group has fewer candidates than the test asks for; [`Error::Unknown`] for a group or
    /// model that is not there; [`Error::BadSetting`] for places, share or level out of range; [`Error::Nothing`] without a
    /// score, an attribute or a candidate of a known group; [`Error::MissingColumn`]; [`Error::TooManyCells`].
    pub fn apply(&self, batch: &Batch) -> Result<FairList> {
        let groups = Groups::of(batch, &self.attributes)?;
        let scores = scores_of(batch, self.model.as_deref())?;
        let list = List::of(scores, &groups.of_row, Some(self.k))?;
        if list.places > LONGEST {
            return Err(Error::setting("the number of places", self.k, format!("at most {LONGEST} for FA*IR's test")));
        }
        let names: Vec<String> = (0..groups.len()).map(|g| groups.name(g)).collect();
        let protected = names.iter().position(|name| *name == self.group).ok_or_else(|| {
            Error::unknown("group", &self.group, " among the candidates", names.iter().map(String::as_str))
        })?;
        let is = |row: &usize| groups.of_row[*row] as usize == protected;
        let candidates = list.known.iter().filter(|row| is(row)).count();
        let share = self.share.unwrap_or(candidates as f64 / list.known.len() as f64);
        let table = adjusted(list.places, share, self.alpha).ok_or_else(|| {
            let wrong =
                if share > 0.0 && share < 1.0 { ("the level", self.alpha) } else { ("the wanted share", share) };
            Error::setting(wrong.0, wrong.1, "a number between 0 and 1, both excluded")
        })?;
        let chosen = choose(scores, &list.known, is, &table.minimum).map_err(|short| self.infeasible(short))?;
        let gains = summary::Gains::of(scores, &list.known);
        let before = &list.known[..list.places];
        let summary = FairListSummary {
            group: self.group.clone(),
            share,
            alpha: self.alpha,
            adjusted_alpha: table.alpha,
            fail_probability: table.fail_probability,
            before: before.iter().filter(|row| is(row)).count() as u64,
            after: chosen.iter().filter(|row| is(row)).count() as u64,
            kept_in_place: (list.first.len() - list.places) as u64,
            without_score: list.without_score as u64,
            mean_score_before: gains.mean(before),
            mean_score: gains.mean(&chosen),
            ndcg: gains.ndcg(before, &chosen),
            minimum: table.minimum,
        };
        Ok(FairList { order: list.merge(chosen, &groups.of_row), summary })
    }

    fn infeasible(&self, short: Short) -> Error {
        short.error(&format!("the protected share of `{}`", self.group))
    }
}

/// A table that asks for more protected rows than there are.
struct Short {
    places: usize,
    least: usize,
    candidates: usize,
}

impl Short {
    fn error(self, asked: &str) -> Error {
        let Short { places, least, candidates } = self;
        Error::Infeasible {
            asked: asked.into(),
            problem: format!(
                "{least} of the first {places} places are asked for, and there are {candidates} candidates"
            ),
            remedy: "ask for a smaller share, a stricter level or fewer places".into(),
        }
    }
}

/// The best list of `minimum.len()` places (fewer where there are fewer candidates) that has at least `minimum[i]` protected
/// rows among its first i + 1: row indices, best first.
///
/// `scores` and `protected` have one value a row; a row whose score is NaN is left out, rows of equal scores stand in their
/// own order. The table is one of [`minimum_table`](crate::metrics::ranking::fair_topk::minimum_table) or
/// [`adjusted`], or any other that grows by at most 1 a place.
///
/// # Errors
/// [`Error::UnequalLengths`]; [`Error::BadSetting`] for a table that grows faster; [`Error::Infeasible`] where there are fewer
/// protected candidates than asked for.
///
/// # References
/// Zehlike and others (2017), as for [`FairTopK`], algorithm 2.
///
/// # Examples
/// ```
/// use evenhand::mitigate::postprocess::rerank::fair_top_k;
/// let (scores, protected) = ([0.9, 0.8, 0.7, 0.1], [false, false, false, true]);
/// assert_eq!(fair_top_k(&scores, &protected, &[0, 0, 1])?, [0, 1, 3]);
/// # Ok::<(), evenhand::Error>(())
/// ```
pub fn fair_top_k(scores: &[f64], protected: &[bool], minimum: &[usize]) -> Result<Vec<usize>> {
    if protected.len() != scores.len() {
        let (rows, expected) = (protected.len(), scores.len());
        return Err(Error::UnequalLengths { column: "protected".into(), rows, expected });
    }
    let mut before = 0;
    for (at, least) in minimum.iter().enumerate() {
        if *least > before + 1 {
            let name = format!("the least number of place {}", at + 1);
            return Err(Error::setting(&name, least, format!("at most {}, one more than before", before + 1)));
        }
        before = *least;
    }
    let rows = by_score(scores, (0..scores.len()).filter(|row| !scores[*row].is_nan()).collect());
    choose(scores, &rows, |row| protected[*row], minimum).map_err(|short| short.error("the table of least numbers"))
}

fn choose(
    scores: &[f64],
    rows: &[usize],
    protected: impl Fn(&usize) -> bool,
    minimum: &[usize],
) -> Result<Vec<usize>, Short> {
    let (members, others): (Vec<usize>, Vec<usize>) = rows.iter().partition(|row| protected(row));
    let (mut member, mut other) = (0, 0);
    let mut list = Vec::with_capacity(minimum.len().min(rows.len()));
    for (at, least) in minimum.iter().enumerate().take(rows.len()) {
        let next = match (members.get(member), others.get(other)) {
            (None, _) if member < *least => {
                return Err(Short { places: at + 1, least: *least, candidates: members.len() });
            }
            (Some(m), Some(o)) if member < *least || compare(scores, *m, *o).is_lt() => Ok(*m),
            (_, Some(o)) => Err(*o),
            (Some(m), None) => Ok(*m),
            (None, None) => break,
        };
        match next {
            Ok(row) => {
                member += 1;
                list.push(row);
            }
            Err(row) => {
                other += 1;
                list.push(row);
            }
        }
    }
    Ok(list)
}
