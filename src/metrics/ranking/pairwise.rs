//! Pairs of rows, one of each of two groups: which of them ranks higher.

use super::skew::support;
use super::{Ranking, list::Entry};
use crate::inference::rate;
use crate::metrics::{Confidence, Estimate, Tested, Undefined};

/// Sums over the pairs of a row of `a` with a row of `b`, tied pairs counting half.
#[derive(Debug, Clone, Copy, Default)]
struct Pairs {
    wins: f64,
    pairs: f64,
    /// Rows of each side.
    rows: [f64; 2],
    /// The variance of each side's placement values: a row's share of pairs won.
    spread: [f64; 2],
}

/// Of rows of both sides in order, best first, as `(block, [rows of each side])`; a block may come in several parts.
fn pairs(rows: impl Iterator<Item = (usize, [f64; 2])> + Clone) -> Pairs {
    let mut totals = [0.0; 2];
    rows.clone().for_each(|(_, r)| totals.iter_mut().zip(r).for_each(|(t, r)| *t += r));
    let [m, n] = totals;
    let (mut wins, mut squares) = ([0.0; 2], [0.0; 2]);
    let mut above = [0.0; 2];
    let mut add = |inside: [f64; 2]| {
        // Placement of a row of the first side: the share of the second below it; of the second: of the first above it.
        if inside[0] > 0.0 && n > 0.0 {
            let v = (n - above[1] - 0.5 * inside[1]) / n;
            wins[0] += inside[0] * v;
            squares[0] += inside[0] * v * v;
        }
        if inside[1] > 0.0 && m > 0.0 {
            let v = (above[0] + 0.5 * inside[0]) / m;
            wins[1] += inside[1] * v;
            squares[1] += inside[1] * v * v;
        }
        above[0] += inside[0];
        above[1] += inside[1];
    };
    let (mut open, mut inside) = (usize::MAX, [0.0; 2]);
    for (block, rows) in rows {
        if block != open {
            add(std::mem::take(&mut inside));
            open = block;
        }
        inside[0] += rows[0];
        inside[1] += rows[1];
    }
    add(inside);
    let spread = |s: usize| {
        let rows = totals[s];
        if rows > 1.0 { ((squares[s] - wins[s] * wins[s] / rows) / (rows - 1.0)).max(0.0) } else { 0.0 }
    };
    Pairs { wins: wins[0] * n, pairs: m * n, rows: totals, spread: [spread(0), spread(1)] }
}

/// The rows of a list on either side, for [`pairs`].
fn sides<'a>(
    ranking: &'a Ranking,
    side: impl Fn(&Entry) -> Option<usize> + Clone + 'a,
) -> impl Iterator<Item = (usize, [f64; 2])> + Clone + 'a {
    ranking.blocks().flat_map(move |block| {
        let side = side.clone();
        let of = move |e: &Entry| {
            let mut rows = [0.0; 2];
            rows[side(e)?] = e.rows;
            Some((block.start, rows))
        };
        block.entries.iter().filter_map(of)
    })
}

/// Some rows of a list in order, best first: those of one block and group by label 0, 1, unknown.
pub(super) type Members = [(usize, [f64; 3])];

/// Two groups' rows of one list, for [`pairs`].
#[derive(Clone)]
struct Merged<'a> {
    a: &'a Members,
    b: &'a Members,
    /// Which labels count on either side.
    counts: fn([f64; 3], [f64; 3]) -> [f64; 2],
}

impl Iterator for Merged<'_> {
    type Item = (usize, [f64; 2]);

    fn next(&mut self) -> Option<Self::Item> {
        let first = match (self.a.first(), self.b.first()) {
            (Some(a), Some(b)) => a.0 <= b.0,
            (a, _) => a.is_some(),
        };
        let from = if first { &mut self.a } else { &mut self.b };
        let ((block, rows), rest) = from.split_first()?;
        *from = rest;
        let none = [0.0; 3];
        Some((*block, if first { (self.counts)(*rows, none) } else { (self.counts)(none, *rows) }))
    }
}

/// [`pairwise_accuracy`] of labels, from two groups' rows of one list.
pub(super) fn accuracy_of(a: &Members, b: &Members, level: f64) -> Estimate {
    let known = |rows: &Members| rows.iter().any(|(_, r)| r[0] + r[1] > 0.0);
    let found = pairs(Merged { a, b, counts: |a, b| [a[1], b[0]] });
    share(found, if known(a) && known(b) { Undefined::NoPositives } else { Undefined::NoLabels }, level)
}

/// [`rank_parity`] from two groups' rows of one list.
pub(super) fn parity_of(a: &Members, b: &Members, level: f64) -> Tested {
    parity(Merged { a, b, counts: |a, b| [a[0] + a[1] + a[2], b[0] + b[1] + b[2]] }, level)
}

/// A share of pairs with an interval.
///
/// The variance is DeLong's, as an effective number of pairs for Wilson's interval, at most the smaller side's rows times
/// two: so it stays within [0, 1] and has a width where all pairs fall one way.
fn share(found: Pairs, empty: Undefined, level: f64) -> Estimate {
    let [m, n] = found.rows;
    if !(found.pairs > 0.0) {
        return Estimate::undefined(empty, support(m + n));
    }
    let value = (found.wins / found.pairs).clamp(0.0, 1.0);
    // The variance if groups did not differ bounds what few rows can say.
    let least = 1.0 / (4.0 * m.min(n).max(1.0).powi(2));
    let variance = (found.spread[0] / m + found.spread[1] / n).max(least * (1.0 / m + 1.0 / n));
    let size = (value * (1.0 - value) / variance).max(0.0);
    let ends = value <= 0.0 || value >= 1.0;
    let size = if ends || size <= 0.0 { m.min(n) } else { size.max(1.0) };
    let estimate = Estimate::of(value, support(m + n));
    rate::wilson(value * size, size, level).map_or(estimate.clone(), |i| estimate.between(i.low, i.high))
}

/// Pairwise accuracy between groups: `P(i ranks above j | relevance of i > relevance of j, i in a, j in b)`, tied ranks
/// counting half.
///
/// In [0, 1]; compare it with the same the other way round: where they differ, one group's better rows are more often
/// put below the other's worse ones. Exact over ties. For relevance of two values (labels) the interval is Wilson's at
/// the effective size of DeLong's variance and the time O(n log n); for more values time is O(n · values) and the
/// variance the same placement form, over the rows that have a pair. `NoPositives` where no pair qualifies, `NoLabels`
/// without relevance.
///
/// # References
/// Beutel and others (2019), Fairness in recommendation ranking through pairwise comparisons, KDD. DeLong, DeLong,
/// Clarke-Pearson (1988), Comparing the areas under two or more correlated ROC curves, Biometrics 44.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, ranking::{Ranking, pairwise}};
/// // Relevant a, irrelevant b, relevant a, irrelevant b, irrelevant b: 5 of 6 pairs in order.
/// let list = Ranking::from_ordered(&[0, 1, 0, 1, 1], 2, Some(&[1.0, 0.0, 1.0, 0.0, 0.0]));
/// let share = pairwise::pairwise_accuracy(&list, 0, 1, Confidence::at(0.95));
/// assert!((share.value.unwrap() - 5.0 / 6.0).abs() < 1e-12);
/// ```
pub fn pairwise_accuracy(ranking: &Ranking, a: usize, b: usize, confidence: Confidence) -> Estimate {
    if !ranking.has_relevance() {
        return Estimate::undefined(Undefined::NoLabels, support(ranking.rows() as f64));
    }
    let mut values: Vec<f64> = ranking.blocks().flat_map(|b| b.entries).map(|e| e.relevance).collect();
    values.retain(|v| !v.is_nan());
    values.sort_by(f64::total_cmp);
    values.dedup();
    let at = |value: f64| {
        pairs(sides(ranking, move |e: &Entry| {
            if e.group == a && e.relevance == value {
                Some(0)
            } else {
                (e.group == b && e.relevance < value).then_some(1)
            }
        }))
    };
    let levels: Vec<Pairs> = values.iter().skip(1).map(|v| at(*v)).filter(|p| p.pairs > 0.0).collect();
    let sum = |of: fn(&Pairs) -> f64| levels.iter().map(of).sum::<f64>();
    let all = sum(|p| p.pairs);
    // Levels share rows of b: the spread of theirs is taken as if it were of the same rows, which does not understate it.
    let mean = |s: usize| levels.iter().map(|p| p.spread[s].sqrt() * p.pairs / all).sum::<f64>().powi(2);
    let most = levels.iter().map(|p| p.rows[1]).fold(0.0, f64::max);
    let found = match levels[..] {
        [] => Pairs::default(),
        [only] => only,
        _ => Pairs { wins: sum(|p| p.wins), pairs: all, rows: [sum(|p| p.rows[0]), most], spread: [mean(0), mean(1)] },
    };
    share(found, Undefined::NoPositives, confidence.level)
}

/// Rank parity: `P(i ranks above j | i in a, j in b)`, whatever their relevance, tied ranks counting half; ½ where
/// neither group is put above the other.
///
/// In [0, 1]. Exact over ties, O(n). The test is the z test of Mann and Whitney with the tie correction; the interval as
/// in [`pairwise_accuracy`]. (ARP of the reference is the largest |2 P − 1| over pairs of groups.) `TooFewGroups` where one
/// of the groups has no rows.
///
/// # References
/// Kuhlman, VanValkenburg, Rundensteiner (2019), FARE: diagnostics for fair ranking using pairwise error metrics, WWW.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, ranking::{Ranking, pairwise}};
/// let list = Ranking::from_ordered(&[0, 1, 0, 1], 2, None);
/// let parity = pairwise::rank_parity(&list, 0, 1, Confidence::at(0.95));
/// assert_eq!(parity.estimate.value, Some(0.75));
/// ```
pub fn rank_parity(ranking: &Ranking, a: usize, b: usize, confidence: Confidence) -> Tested {
    let side = move |e: &Entry| if e.group == a { Some(0) } else { (e.group == b).then_some(1) };
    parity(sides(ranking, side), confidence.level)
}

fn parity(both: impl Iterator<Item = (usize, [f64; 2])> + Clone, level: f64) -> Tested {
    let found = pairs(both.clone());
    let estimate = share(found, Undefined::TooFewGroups, level);
    let Some(value) = estimate.value else { return Tested::untested(estimate) };
    let [m, n] = found.rows;
    let rows = m + n;
    let (mut ties, mut open, mut tied) = (0.0, usize::MAX, 0.0f64);
    for (block, [x, y]) in both {
        if block != open {
            ties += tied * tied * tied - tied;
            (open, tied) = (block, 0.0);
        }
        tied += x + y;
    }
    ties += tied * tied * tied - tied;
    let spread = rows + 1.0 - ties / (rows * (rows - 1.0));
    let variance = spread / (12.0 * m * n);
    if spread > 1e-9 * rows {
        Tested::by(estimate, super::skew::two_sided((value - 0.5) / variance.sqrt()), "Mann-Whitney z")
    } else {
        Tested::untested(estimate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::rng::stream;
    use rand::Rng;

    #[test]
    fn all_pairs_one_by_one() {
        let mut rng = stream(1, 0, 0);
        for levels in [2, 4] {
            let rows = 60;
            let scores: Vec<f64> = (0..rows).map(|_| f64::from(rng.gen_range(0..15))).collect();
            let codes: Vec<usize> = (0..rows).map(|_| rng.gen_range(0..3)).collect();
            let relevance: Vec<f64> = (0..rows).map(|_| f64::from(rng.gen_range(0..levels))).collect();
            let ranking = Ranking::from_scores(&scores, &codes, 3, Some(&relevance));
            for (a, b) in [(0, 1), (1, 0), (2, 0)] {
                let (mut wins, mut count, mut parity, mut all) = (0.0, 0.0, 0.0, 0.0);
                for i in (0..rows).filter(|i| codes[*i] == a) {
                    for j in (0..rows).filter(|j| codes[*j] == b) {
                        let win = if scores[i] == scores[j] { 0.5 } else { f64::from(u8::from(scores[i] > scores[j])) };
                        parity += win;
                        all += 1.0;
                        if relevance[i] > relevance[j] {
                            wins += win;
                            count += 1.0;
                        }
                    }
                }
                let found = pairwise_accuracy(&ranking, a, b, Confidence::at(0.95));
                assert!((found.value.unwrap() - wins / count).abs() < 1e-12);
                let (low, high) = found.interval().unwrap();
                assert!(0.0 <= low && low < wins / count && wins / count < high && high <= 1.0);
                let found = rank_parity(&ranking, a, b, Confidence::at(0.95));
                assert!((found.estimate.value.unwrap() - parity / all).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn intervals_cover_and_the_test_keeps_its_level() {
        let mut rng = stream(2, 0, 0);
        for shift in [0.0, 0.6] {
            // Uniform scores, of which the second group's are `shift` lower: P = 1 - (1 - shift)^2 / 2.
            let truth = 1.0 - (1.0 - shift) * (1.0 - shift) / 2.0;
            let (mut covered, mut rejected) = (0, 0);
            for _ in 0..2000 {
                let codes: Vec<usize> = (0..80).map(|i| usize::from(i % 4 == 0)).collect();
                let scores: Vec<f64> =
                    codes.iter().map(|c| rng.r#gen::<f64>() - if *c == 1 { shift } else { 0.0 }).collect();
                let found = rank_parity(&Ranking::from_scores(&scores, &codes, 2, None), 0, 1, Confidence::at(0.95));
                let (low, high) = found.estimate.interval().unwrap();
                covered += usize::from(low <= truth && truth <= high);
                rejected += usize::from(found.p_value.unwrap() <= 0.05);
            }
            println!(
                "rank parity, shift {shift}: coverage {}, rejects {}",
                covered as f64 / 2e3,
                rejected as f64 / 2e3
            );
            assert!((1860..=1970).contains(&covered), "{shift} {covered}");
            assert!(if shift == 0.0 { rejected <= 130 } else { rejected > 1800 });
        }
    }

    #[test]
    fn odd_input_has_its_reason() {
        let at = Confidence::at(0.95);
        let list = Ranking::from_ordered(&[0, 0], 2, None);
        assert_eq!(pairwise_accuracy(&list, 0, 1, at).reason, Some(Undefined::NoLabels));
        assert_eq!(rank_parity(&list, 0, 1, at).estimate.reason, Some(Undefined::TooFewGroups));
        let list = Ranking::from_ordered(&[0, 1], 2, Some(&[0.0, 0.0]));
        assert_eq!(pairwise_accuracy(&list, 0, 1, at).reason, Some(Undefined::NoPositives));
        // All tied: a half, and nothing to test.
        let tied = rank_parity(&Ranking::from_scores(&[1.0; 9], &[0, 1, 0, 1, 0, 1, 0, 1, 0], 2, None), 0, 1, at);
        assert_eq!((tied.estimate.value, tied.p_value), (Some(0.5), None));
        let (low, high) = tied.estimate.interval().unwrap();
        assert!(low < 0.5 && high > 0.5);
        // Nothing else is claimed where all pairs fall one way.
        let apart = rank_parity(&Ranking::from_ordered(&[0, 0, 0, 1, 1, 1], 2, None), 0, 1, at).estimate;
        assert!(apart.value == Some(1.0) && apart.low.unwrap() < 0.8 && apart.high == Some(1.0));
    }
}
