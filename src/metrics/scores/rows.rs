//! AUC by group from raw rows: counted into groups and labels, sorted as whole numbers, walked once.

use rayon::prelude::*;

use super::auc::Area;
use crate::metrics::{Confidence, Estimate, Support, Undefined};
use crate::tally::Cell;

mod sealed {
    /// A score's bits as a whole number of the same order; `None` unless finite.
    pub trait Ordered: Copy + Send + Sync {
        type Key: Copy + Send + Sync + Ord + Default;
        fn key(self) -> Option<Self::Key>;
    }
}

use sealed::Ordered;

/// A score of a row: `f32` or `f64`.
pub trait RowScore: Ordered {}

macro_rules! row_score {
    ($float:ty, $bits:ty) => {
        impl Ordered for $float {
            type Key = $bits;

            fn key(self) -> Option<$bits> {
                const SIGN: $bits = 1 << (<$bits>::BITS - 1);
                // Adding 0 turns −0 into 0: the two are one score.
                let bits = (self + 0.0).to_bits();
                self.is_finite().then_some(if bits & SIGN == 0 { bits | SIGN } else { !bits })
            }
        }

        impl RowScore for $float {}
    };
}

row_score!(f32, u32);
row_score!(f64, u64);

/// The rows of a chunk, by group and label: `starts[bucket]..starts[bucket + 1]` of `keys`.
struct Chunk<K> {
    keys: Vec<K>,
    starts: Vec<usize>,
}

/// [`auc`](super::auc) of every group of raw rows, each of weight 1.
///
/// `groups` holds each row's group, below `count`; `labels` are 0 or 1. Rows past the shortest slice are left out, and so
/// are those of another label (unknown), of a group that is not below `count`, and without a finite score. The answer is
/// that of [`auc`](super::auc), one for each group, exact with ties, on any number of threads; its support says how many rows
/// counted. It is the way for scores that are in memory and of which nothing else is asked; an audit keeps a tally.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::auc_by_group};
/// let scores = [0.9f32, 0.4, 0.6, 0.2, 0.9, 0.8, 0.6, 0.2];
/// let figures =
///     auc_by_group(&scores, &[1, 1, 0, 0, 1, 1, 0, 0], &[0u8, 0, 0, 0, 1, 1, 1, 1], 2, Confidence::at(0.95));
/// assert_eq!((figures[0].value, figures[1].value), (Some(0.75), Some(1.0)));
/// ```
pub fn auc_by_group<S: RowScore, G: Copy + Into<u32> + Sync>(
    scores: &[S],
    labels: &[u8],
    groups: &[G],
    count: usize,
    confidence: Confidence,
) -> Vec<Estimate> {
    let rows = scores.len().min(labels.len()).min(groups.len());
    let size = rows.div_ceil(rayon::current_num_threads().max(1)).max(1);
    let chunks: Vec<Chunk<S::Key>> = (0..rows.div_ceil(size))
        .into_par_iter()
        .map(|c| {
            let part = c * size..((c + 1) * size).min(rows);
            scatter(&scores[part.clone()], &labels[part.clone()], &groups[part], count)
        })
        .collect();
    let side = |bucket: usize| {
        let parts = chunks.iter().map(|c| &c.keys[c.starts[bucket]..c.starts[bucket + 1]]);
        let mut keys: Vec<S::Key> = Vec::with_capacity(parts.clone().map(<[_]>::len).sum());
        parts.for_each(|p| keys.extend_from_slice(p));
        keys.sort_unstable();
        keys
    };
    let of = |group: usize| {
        let (down, up) = rayon::join(|| side(2 * group), || side(2 * group + 1));
        let reason = match (up.is_empty(), down.is_empty()) {
            (false, false) => return area(&up, &down).estimate(confidence.level),
            (true, true) => Undefined::NoLabels,
            (true, false) => Undefined::NoPositives,
            (false, true) => Undefined::NoNegatives,
        };
        Estimate::undefined(reason, Support::from(rows_of(up.len() + down.len())))
    };
    (0..count).into_par_iter().map(of).collect()
}

/// Sorts a chunk's rows into buckets of (group, label), by counting.
fn scatter<S: RowScore, G: Copy + Into<u32>>(scores: &[S], labels: &[u8], groups: &[G], count: usize) -> Chunk<S::Key> {
    let bucket = |label: u8, group: G| {
        let group = group.into() as usize;
        (label < 2 && group < count).then_some(2 * group + usize::from(label))
    };
    let mut starts = vec![0usize; 2 * count + 1];
    for ((score, label), group) in scores.iter().zip(labels).zip(groups) {
        if let (Some(bucket), Some(_)) = (bucket(*label, *group), score.key()) {
            starts[bucket + 1] += 1;
        }
    }
    for i in 0..2 * count {
        starts[i + 1] += starts[i];
    }
    let mut keys = vec![S::Key::default(); starts[2 * count]];
    let mut next = starts.clone();
    for ((score, label), group) in scores.iter().zip(labels).zip(groups) {
        if let (Some(bucket), Some(key)) = (bucket(*label, *group), score.key()) {
            keys[next[bucket]] = key;
            next[bucket] += 1;
        }
    }
    Chunk { keys, starts }
}

fn rows_of(rows: usize) -> Cell {
    let rows = rows as f64;
    Cell { rows, weight: rows, weight_squared: rows }
}

/// The sums of twice the placements of one label's rows, and of their squares: whole numbers, so exact.
#[derive(Default)]
struct Placed {
    sum: u128,
    squares: u128,
}

impl Placed {
    /// So many rows, each with so much of the other label below it; what is tied with it counts half.
    fn add(&mut self, rows: usize, below: usize, tied: usize) {
        let (rows, twice) = (rows as u128, 2 * below as u128 + tied as u128);
        self.sum += rows * twice;
        self.squares += rows * twice * twice;
    }

    /// The variance of the mean of the placements over `others`, of two rows or more.
    fn variance(&self, rows: usize, others: usize) -> f64 {
        let spread = match ((rows as u128).checked_mul(self.squares), self.sum.checked_mul(self.sum)) {
            (Some(a), Some(b)) => (a - b) as f64,
            _ => (rows as f64 * self.squares as f64 - self.sum as f64 * self.sum as f64).max(0.0),
        };
        let (rows, others) = (rows as f64, others as f64);
        spread / (4.0 * others * others * rows * rows * (rows - 1.0))
    }
}

/// The area between sorted keys of positives and of negatives; there are some of both.
fn area<K: Copy + Ord>(up: &[K], down: &[K]) -> Area {
    let (mut positives, mut negatives) = (Placed::default(), Placed::default());
    let (mut i, mut j) = (0, 0);
    while i < up.len() {
        let key = up[i];
        let passed = j;
        while j < down.len() && down[j] < key {
            j += 1;
        }
        negatives.add(j - passed, i, 0);
        let (below, first) = (j, i);
        while j < down.len() && down[j] == key {
            j += 1;
        }
        while i < up.len() && up[i] == key {
            i += 1;
        }
        positives.add(i - first, below, j - below);
        negatives.add(j - below, first, i - first);
    }
    negatives.add(down.len() - j, up.len(), 0);
    let pairs = 2.0 * up.len() as f64 * down.len() as f64;
    let variance = match up.len().min(down.len()) {
        0 | 1 => 0.0,
        _ => positives.variance(up.len(), down.len()) + negatives.variance(down.len(), up.len()),
    };
    Area {
        value: (positives.sum as f64 / pairs).clamp(0.0, 1.0),
        variance,
        positives: rows_of(up.len()),
        negatives: rows_of(down.len()),
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use rand::{Rng, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::metrics::scores::{ScoredGroup, auc};

    #[test]
    fn the_same_answer_as_of_sorted_points() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let rows = 5000;
        let scores: Vec<f32> = (0..rows).map(|_| (rng.r#gen::<f32>() * 400.0).round() / 100.0 - 2.0).collect();
        let labels: Vec<u8> = (0..rows).map(|_| rng.gen_range(0..3)).collect();
        let groups: Vec<u16> = (0..rows).map(|_| rng.gen_range(0..7)).collect();
        let confidence = Confidence::at(0.95);
        let figures = auc_by_group(&scores, &labels, &groups, 6, confidence);
        let wide: Vec<f64> = scores.iter().map(|s| f64::from(*s)).collect();
        let doubles = auc_by_group(&wide, &labels, &groups, 6, confidence);
        assert_eq!(figures, doubles);
        for (group, figure) in figures.iter().enumerate() {
            let own: Vec<usize> = (0..rows).filter(|i| usize::from(groups[*i]) == group && labels[*i] < 2).collect();
            let s: Vec<f64> = own.iter().map(|i| wide[*i] + 0.0).collect();
            let l: Vec<u8> = own.iter().map(|i| labels[*i]).collect();
            let expected = auc(&ScoredGroup::from_rows(&s, &l, None), confidence);
            assert_relative_eq!(figure.value.unwrap(), expected.value.unwrap(), max_relative = 1e-12);
            assert_relative_eq!(figure.low.unwrap(), expected.low.unwrap(), max_relative = 1e-10);
            assert_eq!(figure.support, expected.support);
        }
    }

    #[test]
    fn one_positive_has_the_interval_of_sorted_points() {
        let (scores, labels) = ([0.4, 0.1, 0.2, 0.5, 0.9, 0.3], [1, 0, 0, 0, 0, 0]);
        let confidence = Confidence::at(0.95);
        let figure = &auc_by_group(&scores, &labels, &[0u8; 6], 1, confidence)[0];
        let expected = auc(&ScoredGroup::from_rows(&scores, &labels, None), confidence);
        assert_eq!(figure, &expected);
        assert!(figure.value == Some(0.6) && figure.high.unwrap() - figure.low.unwrap() > 0.6, "{figure:?}");
    }

    #[test]
    fn nasty_input() {
        let confidence = Confidence::at(0.95);
        assert!(auc_by_group::<f32, u8>(&[], &[], &[], 0, confidence).is_empty());
        let scores = [f32::NAN, 0.0, -0.0, f32::INFINITY];
        let figures = auc_by_group(&scores, &[1, 1, 0, 0], &[0u8, 0, 0, 9], 2, confidence);
        assert_eq!((figures[0].value, figures[0].support.rows), (Some(0.5), 2.0));
        assert_eq!(figures[1].value(), Err(Undefined::NoLabels));
    }
}
