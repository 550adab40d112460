//! The table of groups by segments behind the label-free measures, and what chance makes of it.

use super::SegmentCounts;
use crate::inference::hypothesis::{chi_square_table, g_test_table};
use crate::inference::permutation::independence_p;
use crate::metrics::{Confidence, Estimate, Support, Undefined};
use crate::tally::Cell;

/// The least expected count for which the chi-square distribution is trusted.
const SPARSE: f64 = 5.0;
/// The test of a table that expects fewer.
pub(super) const SPARSE_TEST: &str = "permutation of chi-square";

/// Each group's people by segment, as long as the longest; and all of them together.
pub(super) struct People {
    pub groups: Vec<Vec<Cell>>,
    pub segments: usize,
    pub support: Support,
}

impl People {
    /// Of all groups, also empty ones; the reason where nobody can be counted.
    pub fn of(groups: &[&SegmentCounts]) -> Result<Self, Estimate> {
        let segments = groups.iter().map(|g| g.segments).max().unwrap_or(0);
        let mut all = Cell::default();
        let cells: Vec<Vec<Cell>> = groups
            .iter()
            .map(|group| {
                let mut cells = group.by_segment();
                cells.iter().for_each(|cell| all.add(cell, 1.0));
                cells.resize(segments, Cell::default());
                cells
            })
            .collect();
        let support = Support::from(all);
        let sound = |v: f64| v >= 0.0 && v.is_finite();
        let reason = if !cells.iter().flatten().all(|c| sound(c.rows) && sound(c.weight) && sound(c.weight_squared)) {
            Undefined::NotFinite
        } else if all.rows > 0.0 && all.weight > 0.0 {
            return Ok(People { groups: cells, segments, support });
        } else if all.rows > 0.0 {
            Undefined::NoWeight
        } else if groups.iter().any(|g| g.unassigned.rows > 0.0) {
            Undefined::NoSegments
        } else {
            Undefined::NoRows
        };
        Err(Estimate::undefined(reason, Support::default()))
    }

    /// Of two groups, each with people; the reason why one has none.
    pub fn of_two(a: &SegmentCounts, b: &SegmentCounts) -> Result<Self, Estimate> {
        let people = Self::of(&[a, b])?;
        match [a, b].iter().find_map(|group| Self::of(&[group]).err()?.reason) {
            Some(reason) => Err(Estimate::undefined(reason, people.support)),
            None => Ok(people),
        }
    }

    /// All people of a group.
    pub fn group(&self, group: usize) -> Cell {
        sum(&self.groups[group])
    }

    /// All people in a segment.
    pub fn segment(&self, segment: usize) -> Cell {
        let mut all = Cell::default();
        self.groups.iter().for_each(|cells| all.add(&cells[segment], 1.0));
        all
    }
}

pub(super) fn sum(cells: &[Cell]) -> Cell {
    let mut all = Cell::default();
    cells.iter().for_each(|cell| all.add(cell, 1.0));
    all
}

/// What is left of a cell without a part of it; rounding leaves nothing below 0.
pub(super) fn less(whole: Cell, part: Cell) -> Cell {
    Cell {
        rows: (whole.rows - part.rows).max(0.0),
        weight: (whole.weight - part.weight).max(0.0),
        weight_squared: (whole.weight_squared - part.weight_squared).max(0.0),
    }
}

/// Two groups or more by two segments or more, each with weight.
pub(super) struct Table {
    /// Segments.
    pub columns: usize,
    /// The cells' shares of all weight, group by group.
    pub shares: Vec<f64>,
    /// The groups' shares of all weight.
    pub by_group: Vec<f64>,
    /// The segments' shares of all weight.
    pub by_segment: Vec<f64>,
    /// Counts as sure as the weighted table: each group's shares times its own effective size. What a weighted group
    /// may vary does not depend on how much it weighs among the others, so that one size for the whole table would
    /// mislead.
    pub counts: Vec<f64>,
    /// The rows of a plain table on which a chi-square statistic would vary as much: (G − 1) / Σ π (1 − π) / n over
    /// groups of share π and effective size n. The rows, where there are no weights.
    pub size: f64,
    pub support: Support,
}

impl Table {
    /// Of the groups and segments with weight; the reason where there are not two of each.
    pub fn of(groups: &[&SegmentCounts]) -> Result<Self, Estimate> {
        let people = People::of(groups)?;
        let support = people.support;
        let kept: Vec<usize> = (0..people.segments).filter(|j| people.segment(*j).weight > 0.0).collect();
        let totals: Vec<(usize, Cell)> =
            (0..people.groups.len()).map(|i| (i, people.group(i))).filter(|(_, all)| all.weight > 0.0).collect();
        if totals.len() < 2 {
            return Err(Estimate::undefined(Undefined::TooFewGroups, support));
        }
        if kept.len() < 2 {
            return Err(Estimate::undefined(Undefined::OneSegment, support));
        }
        let (mut shares, mut counts) = (Vec::new(), Vec::new());
        let mut by_segment = vec![0.0; kept.len()];
        for (i, all) in &totals {
            let scale = all.effective() / all.weight;
            for (sum, j) in by_segment.iter_mut().zip(&kept) {
                let weight = people.groups[*i][*j].weight;
                shares.push(weight / support.weight);
                counts.push(weight * scale);
                *sum += weight / support.weight;
            }
        }
        let by_group: Vec<f64> = totals.iter().map(|(_, all)| all.weight / support.weight).collect();
        let spread: f64 = totals.iter().zip(&by_group).map(|((_, all), p)| p * (1.0 - p) / all.effective()).sum();
        let size = (totals.len() as f64 - 1.0) / spread;
        if !(size.is_finite() && size > 0.0) {
            return Err(Estimate::undefined(Undefined::NotFinite, support));
        }
        Ok(Table { columns: kept.len(), shares, by_group, by_segment, counts, size, support })
    }

    /// The cells with their margins: (share, share of the group, share of the segment).
    pub fn cells(&self) -> impl Iterator<Item = (f64, f64, f64)> + '_ {
        self.shares
            .iter()
            .enumerate()
            .map(|(at, p)| (*p, self.by_group[at / self.columns], self.by_segment[at % self.columns]))
    }

    /// (G − 1)(K − 1).
    pub fn degrees(&self) -> f64 {
        (self.by_group.len() as f64 - 1.0) * (self.columns as f64 - 1.0)
    }

    /// φ² = Σ p² / (r c) − 1, and how it changes with each cell.
    pub fn phi_squared(&self) -> (f64, Vec<f64>) {
        let (mut rows, mut columns) = (vec![0.0; self.by_group.len()], vec![0.0; self.columns]);
        let mut phi = 0.0;
        for (at, (p, r, c)) in self.cells().enumerate() {
            phi += (p - r * c) * (p - r * c) / (r * c);
            rows[at / self.columns] += p * p / (r * r * c);
            columns[at % self.columns] += p * p / (r * c * c);
        }
        let gradient = self
            .cells()
            .enumerate()
            .map(|(at, (p, r, c))| 2.0 * p / (r * c) - rows[at / self.columns] - columns[at % self.columns]);
        (phi, gradient.collect())
    }

    /// The information that group and segment share, in nats.
    pub fn information(&self) -> f64 {
        self.cells().filter(|(p, ..)| *p > 0.0).map(|(p, r, c)| p * (p / (r * c)).ln()).sum::<f64>().max(0.0)
    }

    /// Pearson's test of independence.
    pub fn chi_square(&self, confidence: Confidence) -> Option<Chance> {
        let names = ["chi-square", SPARSE_TEST];
        self.chance(confidence, names, |c, k| chi_square_table(c, k).map(|t| (t.statistic, t.p_value)))
    }

    /// The likelihood-ratio test of independence.
    pub fn g_test(&self, confidence: Confidence) -> Option<Chance> {
        let names = ["g-test", "permutation of g"];
        self.chance(confidence, names, |c, k| g_test_table(c, k).map(|t| (t.statistic, t.p_value)))
    }

    fn chance(
        &self,
        confidence: Confidence,
        names: [&'static str; 2],
        of: impl Fn(&[f64], usize) -> Option<(f64, f64)> + Sync,
    ) -> Option<Chance> {
        let (statistic, p_value) = of(&self.counts, self.columns)?;
        if !self.is_sparse() {
            return Some(Chance { statistic, p_value, test: names[0] });
        }
        let draws = confidence.bootstrap;
        let p_value = independence_p(&self.counts, self.columns, draws.replicates, draws.seed, |drawn| {
            of(drawn, self.columns).map(|t| t.0)
        })?;
        Some(Chance { statistic, p_value, test: names[1] })
    }

    /// Whether any cell expects too few for the chi-square distribution.
    pub fn is_sparse(&self) -> bool {
        let rows = self.counts.chunks(self.columns).map(|row| row.iter().sum::<f64>());
        let total: f64 = self.counts.iter().sum();
        let smallest = (0..self.columns)
            .map(|j| self.counts.iter().skip(j).step_by(self.columns).sum::<f64>())
            .fold(f64::INFINITY, f64::min);
        rows.fold(f64::INFINITY, f64::min) * (smallest / total) < SPARSE
    }
}

/// A test of what chance would show.
pub(super) struct Chance {
    pub statistic: f64,
    pub p_value: f64,
    pub test: &'static str,
}
