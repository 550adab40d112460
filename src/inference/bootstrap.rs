//! The bootstrap of the rows, made from cells alone.
//!
//! Resampling n rows with replacement and tallying them is one multinomial draw over the cells, since the
//! rows of a cell are exchangeable; so a replicate costs the same for a thousand rows or a billion. Where
//! rows carry weights, each cell's weight is drawn from a gamma distribution with the mean Σw and the variance
//! Σw² that exponential multipliers on the rows would give it.
//!
//! # References
//! Efron and Tibshirani 1993, *An Introduction to the Bootstrap*; Rubin 1981, *The Bayesian Bootstrap*.

use rand::SeedableRng;
use rand_distr::{Binomial, Distribution, Gamma};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;
use statrs::distribution::{ContinuousCDF, Normal};

use super::Interval;
use crate::tally::Cell;

/// A seeded bootstrap: equal seeds give equal answers on any number of threads.
///
/// # Examples
/// ```
/// use evenhand::inference::bootstrap::Bootstrap;
/// use evenhand::tally::Cell;
/// // 30 of 100 selected: the spread of the rate is near sqrt(0.3 * 0.7 / 100).
/// let cells = [Cell::of_rows(30.0), Cell::of_rows(70.0)];
/// let rates = Bootstrap { replicates: 2000, seed: 1 }
///     .run(&[&cells], |_, c| Some(c[0].weight / (c[0].weight + c[1].weight)));
/// assert!((rates[0].standard_error().unwrap() - 0.0458).abs() < 0.003);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bootstrap {
    /// How many replicates.
    pub replicates: usize,
    /// The seed.
    pub seed: u64,
}

/// A statistic's replicates for one group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Replicates {
    /// Those that are defined, rising.
    sorted: Vec<f64>,
    /// How many were undefined: a replicate may leave a denominator empty.
    pub undefined: usize,
}

/// The share of replicates that may be undefined before an interval from the others means nothing.
const MOST_UNDEFINED: f64 = 0.05;

/// Scrambles a counter into a seed (SplitMix64's finaliser; Steele, Lea, Flood 2014).
fn stream(seed: u64, group: u64) -> u64 {
    let mut z = seed.wrapping_add((group + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Bootstrap {
    /// Draws every group's cells again and again, each group by itself, and takes the statistic of each
    /// draw. `statistic` is called with the group's number and its drawn cells; `None` and what is not
    /// finite count as undefined.
    pub fn run<F>(&self, groups: &[&[Cell]], statistic: F) -> Vec<Replicates>
    where
        F: Fn(usize, &[Cell]) -> Option<f64> + Sync,
    {
        let one = |(group, cells): (usize, &&[Cell])| {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(stream(self.seed, group as u64));
            let sampler = Sampler::of(cells);
            let mut drawn = cells.to_vec();
            let mut found = Replicates { sorted: Vec::with_capacity(self.replicates), undefined: 0 };
            for _ in 0..self.replicates {
                sampler.draw(cells, &mut drawn, &mut rng);
                match statistic(group, &drawn).filter(|v| v.is_finite()) {
                    Some(value) => found.sorted.push(value),
                    None => found.undefined += 1,
                }
            }
            found.sorted.sort_unstable_by(f64::total_cmp);
            found
        };
        groups.par_iter().enumerate().map(one).collect()
    }
}

/// How the cells of one group are drawn.
enum Sampler {
    /// Unweighted rows: a multinomial of this many.
    Rows(u64),
    /// Weights, or parts of rows: a gamma for each cell.
    Weights(Vec<Option<Gamma<f64>>>),
}

impl Sampler {
    fn of(cells: &[Cell]) -> Self {
        let plain = |c: &Cell| c.weight == c.rows && c.weight_squared == c.rows && c.rows.fract() == 0.0;
        if cells.iter().all(plain) {
            return Sampler::Rows(cells.iter().map(|c| c.rows).sum::<f64>() as u64);
        }
        let gamma = |c: &Cell| {
            let some = c.weight > 0.0 && c.weight_squared > 0.0;
            some.then(|| Gamma::new(c.weight * c.weight / c.weight_squared, c.weight_squared / c.weight).ok()).flatten()
        };
        Sampler::Weights(cells.iter().map(gamma).collect())
    }

    fn draw(&self, cells: &[Cell], drawn: &mut [Cell], rng: &mut Xoshiro256PlusPlus) {
        match self {
            // A multinomial is a chain of binomials, each of what the former left.
            Sampler::Rows(rows) => {
                let (mut left, mut mass) = (*rows, *rows as f64);
                for (to, cell) in drawn.iter_mut().zip(cells) {
                    let count = if cell.rows <= 0.0 || left == 0 {
                        0
                    } else if cell.rows >= mass {
                        left
                    } else {
                        Binomial::new(left, cell.rows / mass).map_or(0, |b| b.sample(rng))
                    };
                    left -= count;
                    mass -= cell.rows;
                    *to = Cell::of_rows(count as f64);
                }
            }
            Sampler::Weights(gammas) => {
                for ((to, cell), gamma) in drawn.iter_mut().zip(cells).zip(gammas) {
                    let Some(gamma) = gamma else { continue };
                    let weight = gamma.sample(rng);
                    let scale = weight / cell.weight;
                    *to = Cell { rows: cell.rows, weight, weight_squared: cell.weight_squared * scale };
                }
            }
        }
    }
}

impl Replicates {
    /// The replicates that are defined, rising.
    pub fn values(&self) -> &[f64] {
        &self.sorted
    }

    /// Whether enough replicates are defined for an interval to mean anything.
    fn usable(&self) -> bool {
        let all = (self.sorted.len() + self.undefined) as f64;
        self.sorted.len() > 1 && self.undefined as f64 <= MOST_UNDEFINED * all
    }

    /// The quantile by linear interpolation between order statistics.
    fn quantile(&self, p: f64) -> f64 {
        let last = self.sorted.len() - 1;
        let at = p.clamp(0.0, 1.0) * last as f64;
        let below = (at.floor() as usize).min(last);
        let above = (below + 1).min(last);
        self.sorted[below] + at.fract() * (self.sorted[above] - self.sorted[below])
    }

    /// The percentile interval; `None` where more than 5 % of the replicates are undefined.
    pub fn percentile(&self, level: f64) -> Option<Interval> {
        let tail = (1.0 - level) / 2.0;
        self.usable().then(|| Interval { low: self.quantile(tail), high: self.quantile(1.0 - tail) })
    }

    /// The bias-corrected and accelerated interval (Efron 1987). `jackknife` gives, for each cell with rows,
    /// how many there are and the statistic without one of them: a row's influence is its cell's.
    ///
    /// `None` where more than 5 % of the replicates are undefined, or all lie on one side of the estimate.
    pub fn bca(&self, estimate: f64, jackknife: &[(f64, f64)], level: f64) -> Option<Interval> {
        if !self.usable() {
            return None;
        }
        let count = self.sorted.len() as f64;
        let below = self.sorted.partition_point(|v| *v < estimate) as f64;
        let up_to = self.sorted.partition_point(|v| *v <= estimate) as f64;
        // Ties with the estimate, of which there are many in small tables, count half.
        let share = (below + up_to) / (2.0 * count);
        if share <= 0.0 || share >= 1.0 {
            return None;
        }
        let normal = Normal::standard();
        let bias = normal.inverse_cdf(share);
        let rows: f64 = jackknife.iter().map(|j| j.0).sum();
        let mean = jackknife.iter().map(|(n, v)| n * v).sum::<f64>() / rows;
        let moment = |power: i32| jackknife.iter().map(|(n, v)| n * (mean - v).powi(power)).sum::<f64>();
        let squares = moment(2);
        let acceleration = if squares > 0.0 { moment(3) / (6.0 * squares.powf(1.5)) } else { 0.0 };
        let end = |p: f64| {
            let z = bias + normal.inverse_cdf(p);
            self.quantile(normal.cdf(bias + z / (1.0 - acceleration * z)))
        };
        let tail = (1.0 - level) / 2.0;
        let (low, high) = (end(tail), end(1.0 - tail));
        (low.is_finite() && high.is_finite() && low <= high).then_some(Interval { low, high })
    }

    /// The standard deviation of the replicates.
    pub fn standard_error(&self) -> Option<f64> {
        if !self.usable() {
            return None;
        }
        let n = self.sorted.len() as f64;
        let mean = self.sorted.iter().sum::<f64>() / n;
        Some((self.sorted.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    fn rate(cells: &[Cell]) -> Option<f64> {
        let all = cells[0].weight + cells[1].weight;
        (all > 0.0).then(|| cells[0].weight / all)
    }

    #[test]
    fn cells_resample_as_rows_do() {
        // 600 rows with gamma weights that differ by outcome; the rows themselves resampled are the twin.
        for weighted in [false, true] {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
            let gamma = Gamma::new(2.0, 1.0).unwrap();
            let rows: Vec<(bool, f64)> = (0..600)
                .map(|i| {
                    (i % 10 < 3, if weighted { gamma.sample(&mut rng) + f64::from(u8::from(i % 10 < 3)) } else { 1.0 })
                })
                .collect();
            let mut cells = [Cell::default(); 2];
            for (selected, w) in &rows {
                let cell = &mut cells[usize::from(!selected)];
                *cell = Cell {
                    rows: cell.rows + 1.0,
                    weight: cell.weight + w,
                    weight_squared: cell.weight_squared + w * w,
                };
            }
            let by_cells =
                Bootstrap { replicates: 6000, seed: 3 }.run(&[&cells], |_, c| rate(c))[0].standard_error().unwrap();
            let draws: Vec<f64> = (0..6000)
                .map(|_| {
                    let mut sums = [0.0; 2];
                    (0..rows.len()).for_each(|_| {
                        let (selected, w) = rows[rng.gen_range(0..rows.len())];
                        sums[usize::from(!selected)] += w;
                    });
                    sums[0] / (sums[0] + sums[1])
                })
                .collect();
            let mean = draws.iter().sum::<f64>() / 6000.0;
            let by_rows = (draws.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / 5999.0).sqrt();
            // Each standard deviation has a relative error of 1 / sqrt(2 * 6000), about 0.9 %.
            assert!((by_cells / by_rows - 1.0).abs() < 0.04, "{weighted}: {by_cells} against {by_rows}");
        }
    }

    #[test]
    fn threads_do_not_matter_and_seeds_do() {
        let cells: Vec<[Cell; 2]> = (1..40).map(|i| [Cell::of_rows(f64::from(i)), Cell::of_rows(50.0)]).collect();
        let groups: Vec<&[Cell]> = cells.iter().map(|c| c.as_slice()).collect();
        let with = |threads, seed| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Bootstrap { replicates: 200, seed }.run(&groups, |_, c| rate(c)))
        };
        assert_eq!(with(1, 9), with(4, 9));
        assert_ne!(with(1, 9), with(1, 10));
    }

    #[test]
    fn undefined_replicates_are_counted_and_spoil_the_interval() {
        let cells = [Cell::of_rows(1.0), Cell::of_rows(2.0)];
        let run = Bootstrap { replicates: 500, seed: 1 };
        let found = &run.run(&[&cells], |_, c| (c[0].rows > 0.0).then_some(c[1].rows))[0];
        assert!(found.undefined > 100 && found.percentile(0.95).is_none() && found.standard_error().is_none());
        let empty = &run.run(&[&[Cell::default(); 2]], |_, c| rate(c))[0];
        assert_eq!((empty.undefined, empty.percentile(0.9)), (500, None));
    }

    #[test]
    fn bca_covers_a_skewed_statistic() {
        // Odds of a rate of 0.2 in 150 rows: at 95 % the interval should miss in about 5 % of samples.
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(11);
        let samples = 800;
        let odds = |c: &[Cell]| (c[1].rows > 0.0).then(|| c[0].rows / c[1].rows);
        let covered = (0..samples)
            .filter(|sample| {
                let x = Binomial::new(150, 0.2).unwrap().sample(&mut rng) as f64;
                let cells = [Cell::of_rows(x), Cell::of_rows(150.0 - x)];
                let replicates = &Bootstrap { replicates: 600, seed: *sample }.run(&[&cells], |_, c| odds(c))[0];
                let jackknife = [(x, (x - 1.0) / (150.0 - x)), (150.0 - x, x / (149.0 - x))];
                replicates.bca(x / (150.0 - x), &jackknife, 0.95).is_some_and(|i| i.low <= 0.25 && 0.25 <= i.high)
            })
            .count();
        let share = covered as f64 / samples as f64;
        assert!((0.925..=0.97).contains(&share), "{share}");
    }
}
