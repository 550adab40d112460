//! How good a list is for a group: precision, recall and discounted gain at k.

use super::Ranking;
use super::chance::stretch;
use super::prefix::discount;
use super::skew::{of_rate, support};
use crate::metrics::{Confidence, Estimate, Undefined};

/// For each group: relevant rows and rows of known relevance, among the first `k` and in all (ties in expectation).
pub(super) fn relevant(ranking: &Ranking, k: usize) -> Vec<[f64; 4]> {
    let mut sums = vec![[0.0; 4]; ranking.groups()];
    for block in ranking.blocks() {
        let within = block.within(k);
        for e in block.entries.iter().filter(|e| !e.relevance.is_nan()) {
            let hit = if e.relevance > 0.0 { e.rows } else { 0.0 };
            let terms = [hit * within, e.rows * within, hit, e.rows];
            sums[e.group].iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
        }
    }
    sums
}

/// Each group's precision among the first `k` of the whole list: its relevant rows there out of its rows there, those of
/// unknown relevance left out; relevant is a relevance above 0.
///
/// In [0, 1], exact over ties (a ratio of expected counts), with Wilson's interval. `NobodySelected` where none of the
/// group's known rows is among the first, `NoLabels` where none is known, `NoRows` for a group without rows.
///
/// # References
/// Vasudevan, Kenthapadi (2020), LiFT: a scalable framework for measuring fairness in ML applications, CIKM.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, ranking::{Ranking, retrieval::precision_at_k}};
/// let list = Ranking::from_ordered(&[0, 0, 1, 0], 2, Some(&[1.0, 0.0, 1.0, 1.0]));
/// let precision = precision_at_k(&list, 3, Confidence::at(0.95));
/// assert_eq!((precision[0].value, precision[1].value), (Some(0.5), Some(1.0)));
/// ```
pub fn precision_at_k(ranking: &Ranking, k: usize, confidence: Confidence) -> Vec<Estimate> {
    shares(ranking, k).into_iter().map(|s| s.precision(confidence.level)).collect()
}

/// Each group's recall among the first `k` of the whole list: its relevant rows there out of all its relevant rows, those
/// of unknown relevance left out.
///
/// In [0, 1], exact over ties, with Wilson's interval. `NoPositives` where none of the group's rows is relevant,
/// `NoLabels` where none is known, `NoRows` for a group without rows.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, ranking::{Ranking, retrieval::recall_at_k}};
/// let list = Ranking::from_ordered(&[0, 0, 1, 0], 2, Some(&[1.0, 0.0, 1.0, 1.0]));
/// let recall = recall_at_k(&list, 3, Confidence::at(0.95));
/// assert_eq!((recall[0].value, recall[1].value), (Some(0.5), Some(1.0)));
/// ```
pub fn recall_at_k(ranking: &Ranking, k: usize, confidence: Confidence) -> Vec<Estimate> {
    shares(ranking, k).into_iter().map(|s| s.recall(confidence.level)).collect()
}

/// The counts of a group's precision and recall.
pub(super) struct Shares {
    pub hits: f64,
    pub shown: f64,
    pub relevant: f64,
    known: f64,
    rows: f64,
}

pub(super) fn shares(ranking: &Ranking, k: usize) -> Vec<Shares> {
    relevant(ranking, k).into_iter().zip(ranking.sizes()).map(|(sums, rows)| Shares::of(sums, *rows)).collect()
}

impl Shares {
    /// Of the sums of [`relevant`] and the group's rows.
    pub fn of([hits, shown, relevant, known]: [f64; 4], rows: f64) -> Self {
        Shares { hits, shown, relevant, known, rows }
    }

    /// The gain of the group's rows over what it would be with its relevant rows (of relevance 1) at the top.
    pub fn gain(&self, gain: f64, k: usize) -> Estimate {
        let best = stretch(0, k.min(self.relevant.round() as usize), &discount);
        if k > 0 && best > 0.0 {
            Estimate::of((gain / best).clamp(0.0, 1.0), support(self.rows))
        } else {
            Estimate::undefined(self.empty(Undefined::NoMerit), support(self.rows))
        }
    }

    fn empty(&self, otherwise: Undefined) -> Undefined {
        if self.rows <= 0.0 {
            Undefined::NoRows
        } else if self.known <= 0.0 {
            Undefined::NoLabels
        } else {
            otherwise
        }
    }

    pub fn precision(&self, level: f64) -> Estimate {
        of_rate(self.hits, self.shown, self.empty(Undefined::NobodySelected), level)
    }

    pub fn recall(&self, level: f64) -> Estimate {
        of_rate(self.hits, self.relevant, self.empty(Undefined::NoPositives), level)
    }
}

/// The normalised discounted cumulative gain of the first `k`: `Σ relevance / log2(1 + position)` over that of the best
/// possible order; gains are the relevance itself.
///
/// In [0, 1]; exact over ties. Rows of unknown relevance gain nothing and keep their place. No interval on one list: see
/// [`many::mean`](super::many::mean) for many. `NoMerit` where nothing is relevant, `NoLabels`, `NoRows`.
///
/// # References
/// Järvelin, Kekäläinen (2002), Cumulated gain-based evaluation of IR techniques, ACM TOIS 20.
///
/// # Examples
/// ```
/// use evenhand::metrics::ranking::{Ranking, retrieval::ndcg};
/// let list = Ranking::from_ordered(&[0, 0], 1, Some(&[0.0, 1.0]));
/// assert!((ndcg(&list, 2).value.unwrap() - 1.0 / 3f64.log2()).abs() < 1e-12);
/// ```
pub fn ndcg(ranking: &Ranking, k: usize) -> Estimate {
    let gains = gains(ranking, k);
    let all: Vec<usize> = (0..ranking.groups()).collect();
    normalised(ranking, k, &all, gains.iter().sum())
}

/// Each group's normalised discounted cumulative gain among the first `k` of the whole list: the gain of its rows at their
/// positions, over what it would be with the group's rows, best first, at the top.
///
/// In [0, 1]; exact over ties; no interval. Reasons as for [`ndcg`].
///
/// # Examples
/// ```
/// use evenhand::metrics::ranking::{Ranking, retrieval::ndcg_at_k};
/// let list = Ranking::from_ordered(&[0, 1], 2, Some(&[1.0, 1.0]));
/// let gains = ndcg_at_k(&list, 2);
/// assert_eq!(gains[0].value, Some(1.0));
/// assert!((gains[1].value.unwrap() - 1.0 / 3f64.log2()).abs() < 1e-12);
/// ```
pub fn ndcg_at_k(ranking: &Ranking, k: usize) -> Vec<Estimate> {
    gains(ranking, k).iter().enumerate().map(|(g, gain)| normalised(ranking, k, &[g], *gain)).collect()
}

pub(super) fn gains(ranking: &Ranking, k: usize) -> Vec<f64> {
    let mut gains = vec![0.0; ranking.groups()];
    for block in ranking.blocks().take_while(|b| b.start < k) {
        let end = (block.start + block.rows).min(k);
        let each = stretch(block.start, end, &discount) / block.rows as f64;
        for e in block.entries.iter().filter(|e| !e.relevance.is_nan()) {
            gains[e.group] += e.rows * each * e.relevance;
        }
    }
    gains
}

fn normalised(ranking: &Ranking, k: usize, groups: &[usize], gain: f64) -> Estimate {
    let members: f64 = groups.iter().map(|g| ranking.group_rows(*g) as f64).sum();
    let entries = ranking.blocks().flat_map(|b| b.entries).filter(|e| groups.contains(&e.group));
    let mut known: Vec<(f64, f64)> = entries.filter(|e| !e.relevance.is_nan()).map(|e| (e.relevance, e.rows)).collect();
    let rows = support(members);
    if members <= 0.0 || k == 0 {
        return Estimate::undefined(Undefined::NoRows, rows);
    } else if known.is_empty() {
        return Estimate::undefined(Undefined::NoLabels, rows);
    }
    known.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut best, mut position) = (0.0, 0);
    for (relevance, rows) in known {
        let end = (position + rows as usize).min(k);
        best += relevance * stretch(position, end, &discount);
        position = end;
    }
    if best > 0.0 { Estimate::of(gain / best, rows) } else { Estimate::undefined(Undefined::NoMerit, rows) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_gain() {
        // AIF360's documented ranking, relevance scaled to [0, 1]: DCG 2.6126967, nDCG 0.9205433.
        let scores = [55.0, 65.0, 85.0, 70.0, 60.0, 50.0, 40.0, 30.0, 20.0, 10.0];
        let scaled = scores.map(|s| (s - 10.0) / 75.0);
        let codes = [0, 1, 1, 1, 0, 0, 0, 1, 0, 1];
        let list = Ranking::from_ordered(&codes, 2, Some(&scaled));
        assert!((gains(&list, 10).iter().sum::<f64>() - 2.6126967).abs() < 5e-8);
        assert!((ndcg(&list, 10).value.unwrap() - 0.9205433).abs() < 5e-8);
    }

    #[test]
    fn ties_are_the_mean_of_all_orders() {
        // Three tied rows after one: all six orders.
        let (codes, relevance) = ([0, 0, 1, 1], [1.0, 0.0, 3.0, 1.0]);
        let tied = Ranking::from_scores(&[9.0, 1.0, 1.0, 1.0], &codes, 2, Some(&relevance));
        let orders = [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]];
        for k in 1..=4 {
            let mut means = [0.0; 2];
            for order in orders {
                let rows: Vec<usize> = std::iter::once(0).chain(order).collect();
                let codes: Vec<usize> = rows.iter().map(|r| codes[*r]).collect();
                let relevance: Vec<f64> = rows.iter().map(|r| relevance[*r]).collect();
                let list = Ranking::from_ordered(&codes, 2, Some(&relevance));
                means.iter_mut().zip(gains(&list, k)).for_each(|(m, g)| *m += g / 6.0);
            }
            let found = gains(&tied, k);
            assert!((found[0] - means[0]).abs() < 1e-12 && (found[1] - means[1]).abs() < 1e-12, "{k}");
        }
    }

    #[test]
    fn odd_input_has_its_reason() {
        let at = Confidence::at(0.95);
        let list = Ranking::from_ordered(&[0, 1, 1], 4, Some(&[f64::NAN, 0.0, 0.0]));
        let reasons = |found: Vec<Estimate>| found.into_iter().map(|e| e.reason).collect::<Vec<_>>();
        assert_eq!(
            reasons(precision_at_k(&list, 1, at))[..2],
            [Some(Undefined::NoLabels), Some(Undefined::NobodySelected)]
        );
        assert_eq!(reasons(recall_at_k(&list, 1, at))[1..3], [Some(Undefined::NoPositives), Some(Undefined::NoRows)]);
        assert_eq!(
            reasons(ndcg_at_k(&list, 3))[..3],
            [Some(Undefined::NoLabels), Some(Undefined::NoMerit), Some(Undefined::NoRows)]
        );
        assert_eq!(ndcg(&list, 0).reason, Some(Undefined::NoRows));
    }
}
