//! What an order reaches for the groups, and what it costs.

use serde::{Deserialize, Serialize};

use super::Rule;
use super::deterministic::least;
use crate::metrics::Confidence;
use crate::metrics::ranking::{Ranking, skew};

/// One group's part in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankedGroup {
    /// Its levels, joined by ` & `.
    pub group: String,
    /// The wanted share, in [0, 1].
    pub target: f64,
    /// Its candidates.
    pub candidates: u64,
    /// Its rows among the first [`depth`](RerankSummary::depth) of the order by score.
    pub before: u64,
    /// The same of the new order.
    pub after: u64,
}

/// Figures of one order of the rows of known groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListFigures {
    /// How many prefixes have fewer than `⌊target · length⌋` rows of some group.
    pub infeasible: u64,
    /// The length of the first of them.
    pub first_infeasible: Option<u64>,
    /// Normalised discounted KL divergence from the targets over all prefixes, from 0 (never reached: short prefixes cannot
    /// have all shares) up. `None` where a row on the list has the target 0, and with fewer than two groups wanted.
    pub ndkl: Option<f64>,
    /// The least `ln(share of the first places / target)` of any group wanted, at [`depth`](RerankSummary::depth). `None`
    /// where nobody of some group is there.
    pub min_skew: Option<f64>,
    /// The mean score of the list.
    pub mean_score: f64,
}

/// What a new order reaches and costs. Figures are of the rows of known groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RerankSummary {
    /// The rule.
    pub rule: Rule,
    /// The attributes whose levels make the groups.
    pub attributes: Vec<String>,
    /// The groups.
    pub groups: Vec<RankedGroup>,
    /// The places of the list.
    pub places: u64,
    /// The first places that shares are counted in: all of a list cut at the top, otherwise a tenth of the list (at least
    /// 10).
    pub depth: u64,
    /// Rows on the list that kept their place, because their group is not known.
    pub kept_in_place: u64,
    /// Rows that are not on the list, because they have no score.
    pub without_score: u64,
    /// Prefixes that no order of these candidates could keep: they ask for more of a group than there are.
    pub unavoidable: u64,
    /// The order by score.
    pub before: ListFigures,
    /// The new order.
    pub after: ListFigures,
    /// Discounted gain of the new order over that of the order by score, in [0, 1]; gains are the scores scaled to [0, 1]
    /// over all candidates, discounted by `log2(1 + place)`. 1 where all scores are equal.
    pub ndcg: f64,
}

impl RerankSummary {
    /// How much the mean score of the list falls, in units of the score; 0 for a list of all candidates.
    pub fn score_lost(&self) -> f64 {
        self.before.mean_score - self.after.mean_score
    }
}

impl ListFigures {
    pub(super) fn of(codes: &[usize], shares: &[f64], depth: usize, mean_score: f64) -> Self {
        let short = short_prefixes(codes, shares);
        let ranking = Ranking::from_ordered(&codes[..depth.min(codes.len())], shares.len(), None);
        ListFigures {
            infeasible: short.len() as u64,
            first_infeasible: short.first().map(|length| *length as u64),
            ndkl: ndkl(codes, shares),
            min_skew: skew::min_skew_at_k(&ranking, depth, Some(shares), Confidence::at(0.95)).estimate.value,
            mean_score,
        }
    }
}

/// The lengths of the prefixes of a list that have fewer than `⌊target · length⌋` rows of some group.
///
/// `codes` are the groups of the rows in order, best first; `targets` the wanted share of each group (at least 0, scaled to
/// sum to 1; no prefix falls short where they are not such). Every prefix counts, the whole list too.
///
/// # Examples
/// ```
/// use evenhand::mitigate::postprocess::rerank::infeasible_prefixes;
/// assert_eq!(infeasible_prefixes(&[0, 1, 1, 1, 0, 0, 0, 1, 0, 1], &[0.5, 0.5]), [4]);
/// assert_eq!(infeasible_prefixes(&[0, 0], &[0.5, 0.5]), [2]);
/// ```
pub fn infeasible_prefixes(codes: &[usize], targets: &[f64]) -> Vec<usize> {
    super::deterministic::shares(targets).map_or_else(|_| Vec::new(), |shares| short_prefixes(codes, &shares))
}

fn short_prefixes(codes: &[usize], shares: &[f64]) -> Vec<usize> {
    let mut counts = vec![0; shares.len()];
    let mut short = Vec::new();
    for (at, code) in codes.iter().enumerate() {
        if let Some(count) = counts.get_mut(*code) {
            *count += 1;
        }
        if counts.iter().zip(shares).any(|(count, share)| *count < least(*share, at + 1)) {
            short.push(at + 1);
        }
    }
    short
}

/// NDKL over every prefix. With `x` rows of each group among the first i, the divergence is `Σ x ln(x / share) / i - ln i`,
/// of which one term changes with each row.
fn ndkl(codes: &[usize], shares: &[f64]) -> Option<f64> {
    if shares.iter().filter(|s| **s > 0.0).count() < 2 || codes.is_empty() {
        return None;
    }
    let term = |x: f64, share: f64| if x > 0.0 { x * (x / share).ln() } else { 0.0 };
    let mut counts = vec![0.0; shares.len()];
    let (mut sum, mut found, mut normaliser) = (0.0, 0.0, 0.0);
    for (at, code) in codes.iter().enumerate() {
        let share = shares[*code];
        if share <= 0.0 {
            return None;
        }
        let (places, discount) = ((at + 1) as f64, 1.0 / (at as f64 + 2.0).log2());
        sum += term(counts[*code] + 1.0, share) - term(counts[*code], share);
        counts[*code] += 1.0;
        // Divergences are at least 0, but for rounding.
        found += discount * (sum / places - places.ln()).max(0.0);
        normaliser += discount;
    }
    Some(found / normaliser)
}

/// Scores as gains in [0, 1].
pub(super) struct Gains<'a> {
    scores: &'a [f64],
    low: f64,
    range: f64,
}

impl<'a> Gains<'a> {
    pub(super) fn of(scores: &'a [f64], candidates: &[usize]) -> Self {
        let ends = candidates.iter().map(|row| scores[*row]);
        let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), s| (a.min(s), b.max(s)));
        // Halves, since the difference of two scores may be out of range.
        Gains { scores, low, range: high / 2.0 - low / 2.0 }
    }

    fn dcg(&self, rows: &[usize]) -> f64 {
        let gain = |row: &usize| (self.scores[*row] / 2.0 - self.low / 2.0) / self.range;
        rows.iter().enumerate().map(|(at, row)| gain(row) / (at as f64 + 2.0).log2()).sum()
    }

    pub(super) fn ndcg(&self, before: &[usize], after: &[usize]) -> f64 {
        let ideal = if self.range > 0.0 { self.dcg(before) } else { 0.0 };
        if ideal > 0.0 { (self.dcg(after) / ideal).min(1.0) } else { 1.0 }
    }

    /// A running mean: a sum of large scores may be out of range.
    pub(super) fn mean(&self, rows: &[usize]) -> f64 {
        let step = |mean: f64, (at, row): (usize, &usize)| {
            let n = (at + 1) as f64;
            mean * (at as f64 / n) + self.scores[*row] / n
        };
        rows.iter().enumerate().fold(0.0, step)
    }
}
