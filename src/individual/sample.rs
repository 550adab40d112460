//! Rows for what takes time with their square: all of them, or a sample that says it is one.

use rand::SeedableRng;
use rand::seq::index;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::Clustering;

/// How many rows are compared with each other, at most, and the seed that picks them where there are more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The most rows that are compared with each other.
    pub rows: usize,
    /// The seed of the sample; the same one picks the same rows.
    pub seed: u64,
}

impl Default for Limit {
    /// 20,000 rows (some seconds), seed 0.
    fn default() -> Self {
        Limit { rows: 20_000, seed: 0 }
    }
}

/// Rows in one block of memory, by segment.
pub(super) struct Block {
    pub features: Vec<f64>,
    pub width: usize,
    pub segment: Vec<usize>,
    pub group: Vec<Option<usize>>,
    /// Weights; of a sampled row with what it stands for.
    pub weight: Vec<f64>,
    pub sampled: bool,
}

impl Block {
    /// The rows with a segment and weight: all, or at most `limit`, dealt to groups by their size, but no group less than
    /// half of an even share (or all its rows).
    pub fn of(rows: &Clustering, limit: Limit) -> Self {
        let placed: Vec<(usize, usize)> = rows.placed().collect();
        let sampled = placed.len() > limit.rows.max(1);
        let mut picked: Vec<(usize, usize, f64)> = if sampled {
            sample(rows, &placed, limit)
        } else {
            placed.into_iter().map(|(row, segment)| (segment, row, rows.weight(row))).collect()
        };
        picked.sort_by_key(|(segment, row, _)| (*segment, *row));
        let width = rows.features.ncols();
        let mut features = Vec::with_capacity(picked.len() * width);
        picked.iter().for_each(|(_, row, _)| features.extend(rows.features.row(*row)));
        Block {
            features,
            width,
            segment: picked.iter().map(|p| p.0).collect(),
            group: picked.iter().map(|p| rows.group(p.1)).collect(),
            weight: picked.iter().map(|p| p.2).collect(),
            sampled,
        }
    }

    pub fn len(&self) -> usize {
        self.segment.len()
    }

    pub fn row(&self, row: usize) -> &[f64] {
        &self.features[row * self.width..(row + 1) * self.width]
    }
}

fn sample(rows: &Clustering, placed: &[(usize, usize)], limit: Limit) -> Vec<(usize, usize, f64)> {
    // Those without a group last.
    let mut by_group: Vec<Vec<(usize, usize)>> = vec![Vec::new(); rows.group_count + 1];
    for (row, segment) in placed {
        by_group[rows.group(*row).unwrap_or(rows.group_count)].push((*row, *segment));
    }
    let met = by_group.iter().filter(|g| !g.is_empty()).count();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(limit.seed);
    let mut picked = Vec::with_capacity(limit.rows + met);
    for group in by_group.iter().filter(|g| !g.is_empty()) {
        let fair = limit.rows as f64 * group.len() as f64 / placed.len() as f64;
        let quota = (0.5 * fair + 0.5 * limit.rows as f64 / met as f64).floor().max(1.0) as usize;
        let quota = quota.min(group.len());
        let stands_for = group.len() as f64 / quota as f64;
        for at in index::sample(&mut rng, group.len(), quota) {
            let (row, segment) = group[at];
            picked.push((segment, row, stands_for * rows.weight(row)));
        }
    }
    picked
}
