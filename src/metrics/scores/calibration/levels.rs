//! The labelled rows of a group by distinct score, and bins of them.

use crate::inference::rate;
use crate::metrics::scores::ScoredGroup;
use crate::metrics::scores::mean::effective_counts;
use crate::metrics::{Estimate, Support, Undefined};
use crate::tally::Cell;

/// The labelled rows that share a score.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Level {
    pub score: f64,
    pub negative: Cell,
    pub positive: Cell,
}

impl Level {
    pub fn whole(&self) -> Cell {
        sum(&self.negative, &self.positive)
    }
}

fn sum(a: &Cell, b: &Cell) -> Cell {
    let mut sum = *a;
    sum.add(b, 1.0);
    sum
}

/// The rows of a group whose label is known and whose weight is not zero, by rising score.
#[derive(Debug, Clone)]
pub(crate) struct Labelled {
    pub levels: Vec<Level>,
    pub negative: Cell,
    pub positive: Cell,
}

impl Labelled {
    /// Scores must be probabilities.
    pub fn of(group: &ScoredGroup) -> Result<Self, (Undefined, Support)> {
        let mut levels: Vec<Level> = Vec::with_capacity(group.points.len());
        let mut all = Cell::default();
        let (mut negative, mut positive) = (Cell::default(), Cell::default());
        let mut probabilities = true;
        for point in group.points.iter().filter(|p| p.label < 2) {
            all.add(&point.cell, 1.0);
            if !(point.cell.weight > 0.0) {
                continue;
            }
            probabilities &= (0.0..=1.0).contains(&point.score);
            let mut level = Level { score: point.score, negative: Cell::default(), positive: Cell::default() };
            let (total, own) = match point.label {
                0 => (&mut negative, &mut level.negative),
                _ => (&mut positive, &mut level.positive),
            };
            total.add(&point.cell, 1.0);
            *own = point.cell;
            match levels.last_mut() {
                Some(last) if last.score == level.score => {
                    last.negative.add(&level.negative, 1.0);
                    last.positive.add(&level.positive, 1.0);
                }
                _ => levels.push(level),
            }
        }
        let reason = if group.points.is_empty() {
            Undefined::NoRows
        } else if !(all.rows > 0.0) {
            Undefined::NoLabels
        } else if levels.is_empty() {
            Undefined::NoWeight
        } else if !probabilities {
            Undefined::NotProbabilities
        } else {
            return Ok(Labelled { levels, negative, positive });
        };
        Err((reason, all.into()))
    }

    pub fn total(&self) -> Cell {
        sum(&self.negative, &self.positive)
    }

    pub fn support(&self) -> Support {
        self.total().into()
    }

    pub fn base_rate(&self) -> f64 {
        self.positive.weight / self.total().weight
    }

    /// The rows as `(cell, label, score)`.
    pub fn rows(&self) -> impl Iterator<Item = (Cell, f64, f64)> + Clone + '_ {
        self.levels.iter().flat_map(|l| [(l.negative, 0.0, l.score), (l.positive, 1.0, l.score)])
    }

    /// Bins of equal weight, as near as scores that are tied allow: a score goes to the bin that the middle of its
    /// weight falls into, so that bins may be fewer than asked for.
    pub fn bins(&self, count: usize) -> Vec<Bin> {
        let (count, total) = (count.max(1) as f64, self.total().weight);
        let mut bins: Vec<Bin> = Vec::new();
        let (mut before, mut last) = (0.0, -1.0);
        for level in &self.levels {
            let weight = level.whole().weight;
            // A nudge decides ties at an edge alike, whatever rounding makes of weights times a constant.
            let place = ((before + weight / 2.0) / total * count + 1e-9).floor().min(count - 1.0);
            before += weight;
            if place > last {
                bins.push(Bin { low: level.score, ..Bin::default() });
                last = place;
            }
            if let Some(bin) = bins.last_mut() {
                bin.push(level);
            }
        }
        bins
    }
}

/// The rows of a range of scores.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bin {
    pub low: f64,
    pub high: f64,
    pub whole: Cell,
    pub positive: Cell,
    /// Σw·s and Σw·s².
    score: f64,
    score_squared: f64,
    /// Σw·s·y.
    cross: f64,
    /// Σw²·s(1 − s): the variance of Σw·y if the scores are true.
    promised: f64,
}

impl Bin {
    fn push(&mut self, level: &Level) {
        let (whole, s) = (level.whole(), level.score);
        self.high = s;
        self.whole.add(&whole, 1.0);
        self.positive.add(&level.positive, 1.0);
        self.score += whole.weight * s;
        self.score_squared += whole.weight * s * s;
        self.cross += level.positive.weight * s;
        self.promised += whole.weight_squared * s * (1.0 - s);
    }

    pub fn rate(&self) -> f64 {
        self.positive.weight / self.whole.weight
    }

    pub fn mean_score(&self) -> f64 {
        self.score / self.whole.weight
    }

    /// Observed rate minus mean score.
    pub fn gap(&self) -> f64 {
        (self.positive.weight - self.score) / self.whole.weight
    }

    /// The variance of the scores in the bin.
    pub fn score_variance(&self) -> f64 {
        (self.score_squared / self.whole.weight - self.mean_score().powi(2)).max(0.0)
    }

    /// The covariance of scores and labels in the bin.
    pub fn covariance(&self) -> f64 {
        self.cross / self.whole.weight - self.mean_score() * self.rate()
    }

    /// The variance of the observed rate, unbiased: `ȳ(1 − ȳ) / (n − 1)` without weights. `None` for fewer than two
    /// rows.
    pub fn variance(&self) -> Option<f64> {
        let size = self.whole.effective();
        let y = self.rate();
        let negative = (self.whole.weight_squared - self.positive.weight_squared).max(0.0);
        let squares = (1.0 - y).powi(2) * self.positive.weight_squared + y * y * negative;
        (size >= 2.0 - 1e-9).then(|| squares / (self.whole.weight * self.whole.weight) * size / (size - 1.0))
    }

    /// A variance of the observed rate that is never too small where labels hardly vary: the larger of what the scores
    /// promise and what the rate shows with one success and one failure added.
    pub fn guarded_variance(&self) -> f64 {
        let size = self.whole.effective();
        let y = (self.rate() * size + 1.0) / (size + 2.0);
        (y * (1.0 - y) / size).max(self.promised / (self.whole.weight * self.whole.weight))
    }

    /// The observed rate with Wilson's interval on effective counts.
    pub fn observed(&self, level: f64) -> Estimate {
        let estimate = Estimate::of(self.rate(), self.whole.into());
        let (x, n) = effective_counts(&self.positive, &self.whole);
        match rate::wilson(x, n, level) {
            Some(interval) => estimate.between(interval.low, interval.high),
            None => estimate,
        }
    }
}
