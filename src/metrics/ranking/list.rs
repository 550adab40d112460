//! The list itself: positions from best to worst, in blocks of rows that are tied.

use crate::metrics::scores::ScoredGroup;

/// Rows of one tie block that share group and relevance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Entry {
    pub group: usize,
    pub rows: f64,
    /// In [0, inf); `NaN` where it is not known.
    pub relevance: f64,
}

/// Rows from best to worst, each with the group it belongs to and, where known, its relevance (merit, label) in
/// [0, ∞).
///
/// Rows with equal scores are a tie block: each holds every position of the block with the same chance. Weights are
/// not used: a place on a list is one place.
///
/// ```
/// use evenhand::metrics::ranking::Ranking;
///
/// let ranking = Ranking::from_scores(&[0.9, 0.2, 0.9, 0.5], &[0, 1, 1, 0], 2, None);
/// assert_eq!((ranking.rows(), ranking.group_rows(1)), (4, 2));
/// // Two rows share the first two positions, one of each group: one place each.
/// assert_eq!(ranking.among_first(1), vec![0.5, 0.5]);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ranking {
    entries: Vec<Entry>,
    /// For each block, the entry and the position that it ends before.
    blocks: Vec<(usize, usize)>,
    sizes: Vec<f64>,
}

/// A tie block: the rows that share the positions `start + 1 ..= start + rows`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'a> {
    pub start: usize,
    pub rows: usize,
    pub entries: &'a [Entry],
}

impl Block<'_> {
    /// The share of the block that is expected among the first `k` of the list.
    pub fn within(&self, k: usize) -> f64 {
        (k.saturating_sub(self.start) as f64 / self.rows as f64).min(1.0)
    }
}

impl Ranking {
    /// From rows in order, best first, without ties: each row's group code in `0..groups`, and its relevance.
    ///
    /// A row whose code is not below `groups` is left out of the list; a relevance that is negative, infinite or NaN is
    /// not known. Slices of unequal lengths are read up to the shortest.
    pub fn from_ordered(codes: &[usize], groups: usize, relevance: Option<&[f64]>) -> Self {
        let rows = relevance.map_or(codes.len(), |r| r.len().min(codes.len()));
        let mut ranking = Self::empty(groups);
        for row in (0..rows).filter(|row| codes[*row] < groups) {
            ranking.push(codes[row], 1.0, relevance.map_or(f64::NAN, |r| r[row]));
            ranking.close();
        }
        ranking
    }

    /// From rows in any order: the higher score ranks first, equal scores are tied.
    ///
    /// A row whose score is NaN or whose code is not below `groups` is left out of the list; otherwise as
    /// [`from_ordered`](Self::from_ordered).
    pub fn from_scores(scores: &[f64], codes: &[usize], groups: usize, relevance: Option<&[f64]>) -> Self {
        let rows = relevance.map_or(scores.len(), |r| r.len().min(scores.len())).min(codes.len());
        let mut order: Vec<usize> = (0..rows).filter(|row| codes[*row] < groups && !scores[*row].is_nan()).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(codes[*a].cmp(&codes[*b])));
        let mut ranking = Self::empty(groups);
        let mut last = f64::NAN;
        for row in order {
            if scores[row] != last {
                ranking.close();
                last = scores[row];
            }
            ranking.push(codes[row], 1.0, relevance.map_or(f64::NAN, |r| r[row]));
        }
        ranking.close();
        ranking
    }

    /// From the scored rows of each group: the higher score ranks first, a favourable label is relevance 1, an
    /// unfavourable one 0. Rows count, their weights do not.
    pub fn from_scored(groups: &[&ScoredGroup]) -> Self {
        // Each group's points are in order: a stable sort merges them.
        let all = groups.iter().enumerate().flat_map(|(code, g)| g.points.iter().rev().map(move |p| (code, p)));
        let mut order: Vec<_> = all.filter(|(_, p)| !p.score.is_nan() && p.cell.rows >= 0.5).collect();
        order.sort_by(|a, b| b.1.score.total_cmp(&a.1.score));
        let mut ranking = Self::empty(groups.len());
        let mut last = f64::NAN;
        for (code, point) in order {
            if point.score != last {
                ranking.close();
                last = point.score;
            }
            let relevance = if point.label < 2 { f64::from(point.label) } else { f64::NAN };
            ranking.push(code, point.cell.rows.round(), relevance);
        }
        ranking.close();
        ranking
    }

    /// The list without the rows of all other groups; of the groups that stay, the code is the place in `groups`.
    pub fn only(&self, groups: &[usize]) -> Self {
        let mut place = vec![None; self.groups()];
        for (at, group) in groups.iter().enumerate().filter(|(_, g)| **g < self.groups()) {
            place[*group] = Some(at);
        }
        let mut ranking = Self::empty(groups.len());
        for block in self.blocks() {
            for e in block.entries {
                if let Some(at) = place[e.group] {
                    ranking.push(at, e.rows, e.relevance);
                }
            }
            ranking.close();
        }
        ranking
    }

    fn empty(groups: usize) -> Self {
        Ranking { entries: Vec::new(), blocks: Vec::new(), sizes: vec![0.0; groups] }
    }

    fn push(&mut self, group: usize, rows: f64, relevance: f64) {
        let relevance = if relevance >= 0.0 && relevance.is_finite() { relevance } else { f64::NAN };
        self.sizes[group] += rows;
        let open = self.blocks.last().map_or(0, |b| b.0) < self.entries.len();
        match self.entries.last_mut() {
            // Only rows of the same block may be put together, hence `open`.
            Some(e) if open && e.group == group && e.relevance.to_bits() == relevance.to_bits() => e.rows += rows,
            _ => self.entries.push(Entry { group, rows, relevance }),
        }
    }

    fn close(&mut self) {
        let (entry, position) = self.blocks.last().copied().unwrap_or_default();
        let rows: f64 = self.entries[entry..].iter().map(|e| e.rows).sum();
        if rows > 0.0 {
            self.blocks.push((self.entries.len(), position + rows as usize));
        }
    }

    /// How many rows are on the list.
    pub fn rows(&self) -> usize {
        self.blocks.last().map_or(0, |b| b.1)
    }

    /// How many groups there are, with or without rows.
    pub fn groups(&self) -> usize {
        self.sizes.len()
    }

    /// How many rows a group has; 0 for a code that there is not.
    pub fn group_rows(&self, group: usize) -> usize {
        self.sizes.get(group).map_or(0, |rows| *rows as usize)
    }

    /// The expected number of rows of each group among the first `k`.
    pub fn among_first(&self, k: usize) -> Vec<f64> {
        let mut counts = vec![0.0; self.groups()];
        for block in self.blocks().take_while(|b| b.start < k) {
            let share = block.within(k);
            block.entries.iter().for_each(|e| counts[e.group] += e.rows * share);
        }
        counts
    }

    /// Each group's share of the list; empty where the list is.
    pub(super) fn shares(&self) -> Vec<f64> {
        let rows = self.rows() as f64;
        if rows > 0.0 { self.sizes.iter().map(|s| s / rows).collect() } else { Vec::new() }
    }

    pub(super) fn sizes(&self) -> &[f64] {
        &self.sizes
    }

    pub(super) fn blocks(&self) -> impl Iterator<Item = Block<'_>> + Clone {
        let mut before = (0, 0);
        self.blocks.iter().map(move |&(entry, position)| {
            let block = Block { start: before.1, rows: position - before.1, entries: &self.entries[before.0..entry] };
            before = (entry, position);
            block
        })
    }

    /// Whether any relevance is known.
    pub(super) fn has_relevance(&self) -> bool {
        self.entries.iter().any(|e| !e.relevance.is_nan())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_positions() {
        let scored = [
            ScoredGroup::from_rows(&[3.0, 2.0, 2.0], &[1, 0, 2], None),
            ScoredGroup::from_rows(&[2.0, 1.0], &[1, 1], Some(&[5.0, 0.0])),
        ];
        let ranking = Ranking::from_scored(&[&scored[0], &scored[1]]);
        let rows = Ranking::from_scores(
            &[2.0, 3.0, 1.0, 2.0, 2.0],
            &[0, 0, 1, 1, 0],
            2,
            Some(&[0.0, 1.0, 1.0, 1.0, f64::NAN]),
        );
        assert_eq!(ranking.among_first(3), rows.among_first(3));
        assert!((ranking.among_first(3)[1] - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(ranking.blocks().map(|b| b.rows).collect::<Vec<_>>(), vec![1, 3, 1]);
    }

    #[test]
    fn odd_rows_are_left_out() {
        let ranking = Ranking::from_scores(&[f64::NAN, f64::INFINITY, 1.0, 0.0], &[0, 0, 9, 1], 2, None);
        assert_eq!((ranking.rows(), ranking.group_rows(0), ranking.group_rows(7)), (2, 1, 0));
        assert_eq!(Ranking::from_ordered(&[], 0, None).rows(), 0);
        assert_eq!(Ranking::from_ordered(&[0, 1], 2, Some(&[1.0])).rows(), 1);
        assert_eq!(Ranking::from_scored(&[]).shares(), Vec::<f64>::new());
    }
}
