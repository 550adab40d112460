//! The four deterministic rules of Geyik, Ambler and Kenthapadi.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What rounding may take from a share times a length: 0.29 times 100 may miss 29.
const ROUNDING: f64 = 1e-9;

/// The same, where lengths are so large that their digits are few.
fn rounding(due: f64) -> f64 {
    ROUNDING + 4.0 * f64::EPSILON * due
}

/// Who takes the next place of a list.
///
/// A group is *short* where it has fewer than `⌊p i⌋` of the first i places, and *full* at `⌈p i⌉`. The greedy rules give a
/// place to the best candidate of the groups that are short; where none is, they differ in who is next among those that are
/// not full (where all are, because others ran out, it is the best candidate left).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Rule {
    /// The best candidate: the closest to the scores. Keeps every prefix of up to three groups.
    DetGreedy,
    /// The group that will be short soonest, by the smallest `⌈p i⌉ / p`: the closest to the shares.
    DetCons,
    /// The best candidate of the groups that will be short soonest, in whole places, by the smallest `⌈⌈p i⌉ / p⌉`.
    DetRelaxed,
    /// Sorts by score as far as each candidate keeps the place before which its group needs it. Keeps every prefix, of any
    /// number of groups.
    #[default]
    DetConstSort,
}

/// The first `k` of a list in which every prefix has its due share of every group: row indices, best first.
///
/// `scores` and `codes` have one value a row; `targets` is the wanted share of each group (at least 0, scaled to sum
/// to 1). A row whose score is NaN or whose code has no target is left out. Rows of equal scores stand in their own order.
/// The list is shorter than `k` where candidates are fewer. See [`Rerank`](super::Rerank) for what happens where a
/// group runs out of candidates.
///
/// # Errors
/// [`Error::UnequalLengths`]; [`Error::BadSetting`] for targets that are negative, not finite, or all 0.
///
/// # References
/// Geyik, Ambler, Kenthapadi (2019), as for [`Rerank`](super::Rerank), algorithms 1 to 3.
///
/// # Examples
/// ```
/// use evenhand::mitigate::postprocess::rerank::{Rule, rerank};
/// let (scores, codes) = ([0.9, 0.8, 0.7, 0.6, 0.5], [0, 0, 0, 1, 1]);
/// assert_eq!(rerank(Rule::DetGreedy, &scores, &codes, &[0.5, 0.5], 4)?, [0, 3, 1, 4]);
/// assert_eq!(rerank(Rule::DetConstSort, &scores, &codes, &[0.5, 0.5], 4)?, [0, 3, 1, 4]);
/// # Ok::<(), evenhand::Error>(())
/// ```
pub fn rerank(rule: Rule, scores: &[f64], codes: &[u32], targets: &[f64], k: usize) -> Result<Vec<usize>> {
    if codes.len() != scores.len() {
        return Err(Error::UnequalLengths { column: "group".into(), rows: codes.len(), expected: scores.len() });
    }
    let shares = shares(targets)?;
    let candidate = |row: &usize| !scores[*row].is_nan() && (codes[*row] as usize) < shares.len();
    let rows = super::by_score(scores, (0..scores.len()).filter(candidate).collect());
    Ok(order(rule, scores, codes, &rows, &shares, k))
}

/// Targets scaled to sum to 1.
pub(super) fn shares(targets: &[f64]) -> Result<Vec<f64>> {
    if let Some(share) = targets.iter().find(|t| !(**t >= 0.0 && t.is_finite())) {
        return Err(Error::setting("a target", share, "a finite share of at least 0"));
    }
    let sum: f64 = targets.iter().sum();
    if !(sum > 0.0 && sum.is_finite()) {
        return Err(Error::setting("the sum of the targets", sum, "a finite number above 0"));
    }
    Ok(targets.iter().map(|t| t / sum).collect())
}

/// The larger score first, then the smaller index. Scores are not NaN; the sign of a zero does not matter.
pub(super) fn compare(scores: &[f64], a: usize, b: usize) -> Ordering {
    (scores[b] + 0.0).total_cmp(&(scores[a] + 0.0)).then(a.cmp(&b))
}

/// The least number of rows with this share among the first `places`.
pub(super) fn least(share: f64, places: usize) -> usize {
    let due = share * places as f64;
    (due + rounding(due)).floor() as usize
}

fn most(share: f64, places: usize) -> f64 {
    let due = share * places as f64;
    (due - rounding(due)).ceil()
}

/// How many of the first 1, 2, ..., `k` places ask for more of a group than it has candidates.
pub(super) fn unavoidable(sizes: &[usize], shares: &[f64], k: usize) -> usize {
    // What is asked for grows with the prefix: all prefixes from the first on which is too long.
    let (mut low, mut high) = (0, k);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if sizes.iter().zip(shares).all(|(size, share)| least(*share, middle) <= *size) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    k - low
}

/// The list by a rule, of candidates (`rows`) that are sorted by score and have a group each.
pub(super) fn order(rule: Rule, scores: &[f64], codes: &[u32], rows: &[usize], shares: &[f64], k: usize) -> Vec<usize> {
    let mut queues = Queues { scores, shares, rows: vec![Vec::new(); shares.len()], placed: vec![0; shares.len()] };
    rows.iter().for_each(|row| queues.rows[codes[*row] as usize].push(*row));
    let k = k.min(rows.len());
    match rule {
        Rule::DetConstSort => queues.constrained_sort(k),
        greedy => queues.greedy(greedy, k),
    }
}

/// Each group's candidates, best first, of whom the first `placed` have a place.
struct Queues<'a> {
    scores: &'a [f64],
    shares: &'a [f64],
    rows: Vec<Vec<usize>>,
    placed: Vec<usize>,
}

impl Queues<'_> {
    fn head(&self, group: usize) -> Option<usize> {
        self.rows[group].get(self.placed[group]).copied()
    }

    /// The group, of those accepted, whose next candidate is the best; by the rows, never by the groups' numbers.
    fn best(&self, accept: impl Fn(usize) -> bool) -> Option<usize> {
        let heads = (0..self.rows.len()).filter(|g| accept(*g)).filter_map(|g| Some((self.head(g)?, g)));
        heads.min_by(|a, b| compare(self.scores, a.0, b.0)).map(|(_, group)| group)
    }

    fn take(&mut self, group: usize) -> Option<usize> {
        let row = self.head(group)?;
        self.placed[group] += 1;
        Some(row)
    }

    fn greedy(mut self, rule: Rule, k: usize) -> Vec<usize> {
        let mut list = Vec::with_capacity(k);
        for places in 1..=k {
            let short = self.best(|g| self.placed[g] < least(self.shares[g], places));
            let open = |g: usize| (self.placed[g] as f64) < most(self.shares[g], places);
            let next = short.or_else(|| match rule {
                Rule::DetGreedy => self.best(open),
                _ => {
                    // The number of places at which the group falls short if it has got nobody until then.
                    let until = |g: usize| {
                        let until = most(self.shares[g], places) / self.shares[g];
                        if rule == Rule::DetRelaxed { (until - rounding(until)).ceil() } else { until }
                    };
                    let waiting = (0..self.rows.len()).filter(|g| open(*g) && self.head(*g).is_some());
                    let soonest = waiting.map(until).fold(f64::INFINITY, f64::min);
                    self.best(|g| open(g) && until(g) <= soonest)
                }
            });
            let next = next.or_else(|| self.best(|_| true));
            list.extend(next.and_then(|group| self.take(group)));
        }
        list
    }

    /// As each group's least number grows with the prefix, its next candidate is added, and moved up past worse ones for as
    /// long as none of these is pushed behind the prefix that needs it.
    ///
    /// There are never fewer rows than the prefix less the groups, so that none can be pushed by more than their number.
    fn constrained_sort(mut self, k: usize) -> Vec<usize> {
        let groups = self.rows.len();
        let mut list: Vec<usize> = Vec::with_capacity(k + groups);
        // The last place that a row of the list may take.
        let mut latest: Vec<usize> = Vec::with_capacity(k + groups);
        let mut needed: Vec<usize> = Vec::with_capacity(groups);
        let candidates: usize = self.rows.iter().map(Vec::len).sum();
        let mut places = 0;
        while list.len() < k {
            places += 1;
            let asked = |g: usize| least(self.shares[g], places);
            // Rounded shares could fall short of the last place for ever; beyond all candidates everybody is asked for.
            let whole = if places > candidates + groups { k } else { (0..groups).map(asked).sum() };
            needed.clear();
            needed.extend((0..groups).filter(|g| self.placed[*g] < asked(*g)));
            let mut heads: Vec<usize> = Vec::new();
            for &group in &needed {
                heads.extend(self.take(group));
            }
            heads.sort_unstable_by(|a, b| compare(self.scores, *a, *b));
            for row in heads {
                self.insert(&mut list, &mut latest, row, places);
            }
            // Places that a group without further candidates leaves go to the best of the others.
            while list.len() < whole {
                let Some(row) = self.best(|_| true).and_then(|group| self.take(group)) else { break };
                self.insert(&mut list, &mut latest, row, places);
            }
        }
        list.truncate(k);
        list
    }

    fn insert(&self, list: &mut Vec<usize>, latest: &mut Vec<usize>, row: usize, places: usize) {
        let mut at = list.len();
        list.push(row);
        latest.push(places);
        while at > 0 && latest[at - 1] > at && compare(self.scores, row, list[at - 1]) == Ordering::Less {
            list.swap(at, at - 1);
            latest.swap(at, at - 1);
            at -= 1;
        }
    }
}
