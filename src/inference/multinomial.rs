//! Rows spread anew over many cells, for the price of a look-up a cell.
//!
//! Independent Poisson counts, given their sum, are multinomial. So every cell draws a Poisson count whose mean falls a
//! little short of its rows, and the rows that the sum still lacks are drawn one by one; in the rare case that the sum is
//! already past it, all are drawn again. What comes out is the multinomial distribution itself, whatever the sum was: no
//! limit is taken. Counts come from alias tables, one for each different number of rows that a cell has.

use rand::Rng;
use rand_distr::{Distribution, Poisson};
use rustc_hash::FxHashMap;

use super::alias::Alias;

/// Rows of a cell up to which its counts come from a table, of some 18 times the root of that.
const TABULATED: f64 = 4096.0;
/// Cells below which binomials one after the other are as fast.
const FEW: usize = 32;
/// Rows drawn one by one that cost as much as one binomial.
const SINGLES: f64 = 16.0;
/// How many standard deviations the Poisson counts fall short of the rows: one time in forty the sum is past them.
const SHORT: f64 = 2.0;

/// Where the Poisson count of a cell comes from.
enum Source {
    Table(u32),
    Large(Poisson<f64>),
}

/// A multinomial distribution of whole rows over cells.
pub(super) struct Multinomial {
    total: u64,
    /// The cells with rows, and how each draws.
    cells: Vec<(u32, Source)>,
    tables: Vec<Alias>,
    /// Which of `cells` a single row falls in.
    single: Alias,
}

impl Multinomial {
    /// Of so many rows over cells with these expected ones, if that pays: `None` where binomials do as well.
    pub(super) fn new(total: f64, rows: impl Iterator<Item = f64>) -> Option<Self> {
        let filled: Vec<(u32, f64)> =
            rows.enumerate().filter(|(_, rows)| *rows > 0.0).map(|(at, rows)| (at as u32, rows)).collect();
        let singles = SHORT * total.sqrt();
        if filled.len() < FEW || singles > SINGLES * filled.len() as f64 {
            return None;
        }
        let scale = total / filled.iter().map(|(_, rows)| rows).sum::<f64>();
        let factor = scale * (1.0 - SHORT / total.sqrt()).max(0.0);
        let mut tables = Vec::new();
        let mut known: FxHashMap<u64, u32> = FxHashMap::default();
        let mut cells = Vec::with_capacity(filled.len());
        for (at, rows) in &filled {
            let mean = rows * factor;
            let source = if mean <= TABULATED {
                Source::Table(*known.entry(mean.to_bits()).or_insert_with(|| {
                    tables.push(poisson(mean));
                    tables.len() as u32 - 1
                }))
            } else {
                Source::Large(Poisson::new(mean).ok()?)
            };
            cells.push((*at, source));
        }
        let single = Alias::new(0, &filled.iter().map(|(_, rows)| *rows).collect::<Vec<f64>>());
        Some(Self { total: total as u64, cells, tables, single })
    }

    /// Draws once and hands every cell with rows its count.
    pub(super) fn draw<R: Rng>(&self, counts: &mut Vec<u64>, rng: &mut R, mut set: impl FnMut(usize, f64)) {
        let mut sum = u64::MAX;
        while sum > self.total {
            counts.clear();
            counts.extend(self.cells.iter().map(|(_, source)| match source {
                Source::Table(table) => u64::from(self.tables[*table as usize].draw(rng)),
                Source::Large(poisson) => poisson.sample(rng) as u64,
            }));
            sum = counts.iter().fold(0, |sum: u64, count| sum.saturating_add(*count));
        }
        for _ in sum..self.total {
            counts[self.single.draw(rng) as usize] += 1;
        }
        for ((at, _), count) in self.cells.iter().zip(counts) {
            set(*at as usize, *count as f64);
        }
    }
}

/// The table of a Poisson count.
fn poisson(mean: f64) -> Alias {
    Alias::around(mean.floor(), |x| x / mean, |x| mean / (x + 1.0))
}

#[cfg(test)]
mod tests {
    use super::super::rng::stream;
    use super::super::special::ln_binomial_pmf;
    use super::*;

    fn draw_all(rows: &[f64], seed: u64, draws: usize) -> Vec<Vec<f64>> {
        let multinomial = Multinomial::new(rows.iter().sum(), rows.iter().copied()).unwrap();
        let (mut rng, mut counts) = (stream(seed, 0, 0), Vec::new());
        (0..draws)
            .map(|_| {
                let mut drawn = vec![0.0; rows.len()];
                multinomial.draw(&mut counts, &mut rng, |at, count| drawn[at] = count);
                drawn
            })
            .collect()
    }

    #[test]
    fn a_cell_and_a_sum_of_cells_are_binomial() {
        let rows: Vec<f64> = (0..48).map(|cell| if cell % 4 == 3 { 0.0 } else { (1 + cell % 7) as f64 }).collect();
        let total: f64 = rows.iter().sum();
        let draws = draw_all(&rows, 3, 100_000);
        assert!(draws.iter().all(|drawn| drawn.iter().sum::<f64>() == total));
        // The first cell, the fifth, one without rows, and the first half: counts that are correlated with each other.
        for cells in [0..1, 5..6, 3..4, 0..20] {
            let share = rows[cells.clone()].iter().sum::<f64>() / total;
            let mut seen = vec![0.0; total as usize + 1];
            for drawn in &draws {
                seen[drawn[cells.clone()].iter().sum::<f64>() as usize] += 1.0;
            }
            if share == 0.0 {
                assert_eq!(seen[0], draws.len() as f64);
                continue;
            }
            let (mut statistic, mut df) = (0.0, -1.0);
            for (x, seen) in seen.iter().enumerate() {
                let expected = draws.len() as f64 * ln_binomial_pmf(x as f64, total, share).exp();
                if expected >= 5.0 {
                    statistic += (seen - expected) * (seen - expected) / expected;
                    df += 1.0;
                }
            }
            let z: f64 = (statistic - df) / f64::sqrt(2.0 * df);
            assert!(z.abs() < 4.5, "{cells:?}: chi-square {statistic} on {df}");
        }
    }

    #[test]
    fn cells_too_large_for_a_table_have_the_moments_of_a_binomial() {
        let mut rows = vec![500.0; 400];
        rows[7] = 90_000.0;
        let total: f64 = rows.iter().sum();
        let draws = draw_all(&rows, 5, 20_000);
        for cell in [7, 8] {
            let share = rows[cell] / total;
            let variance = total * share * (1.0 - share);
            let count = draws.len() as f64;
            let mean = draws.iter().map(|drawn| drawn[cell] - rows[cell]).sum::<f64>() / count;
            assert!(mean.abs() < 4.5 * (variance / count).sqrt(), "cell {cell}: {mean}");
            let square = draws.iter().map(|drawn| (drawn[cell] - rows[cell]).powi(2)).sum::<f64>() / count;
            assert!((square / variance - 1.0).abs() < 0.05, "cell {cell}: {square} for {variance}");
        }
    }

    #[test]
    fn it_is_for_many_cells() {
        assert!(Multinomial::new(310.0, std::iter::repeat_n(10.0, 31)).is_none());
        assert!(Multinomial::new(320.0, std::iter::repeat_n(10.0, 32)).is_some());
        assert!(Multinomial::new(32e9, std::iter::repeat_n(1e9, 32)).is_none());
        assert!(Multinomial::new(0.0, std::iter::repeat_n(0.0, 99)).is_none());
        // A handful of rows: all of them are drawn one by one.
        let tiny = draw_all(&[0.05; 40], 1, 100);
        assert!(tiny.iter().all(|drawn| drawn.iter().sum::<f64>() == 2.0));
    }
}
