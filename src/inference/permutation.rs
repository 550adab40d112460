//! What chance does to a table whose margins are given: hypergeometric draws and means.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::exact::Margins;
use super::rng::{BLOCK, stream};

/// Variances beyond which a hypergeometric draw is taken from the normal limit (off by less than 0.1 %).
const WIDE: f64 = 1e7;

/// The permutation test of independence in a table of counts, row by row with `columns` columns: the chance, when
/// everybody keeps their group and segments are dealt anew, of a statistic at least as large as the observed one.
///
/// `p = (1 + #{statistic(drawn) >= statistic(observed)}) / (draws + 1)`, exact at any number of draws (a test, never
/// p = 0). Tables with the margins of `counts` are drawn cell by cell (multivariate hypergeometric), in time that grows
/// with the roots of the counts, not with the rows. Margins of fractional (effective) counts are rounded to whole rows.
/// The same seed gives the same answer on any number of threads. `None` where a count is negative or not finite, or the
/// observed statistic is undefined.
///
/// # References
/// Phipson, Smyth (2010), Permutation p-values should never be zero, Statistical Applications in Genetics and Molecular
/// Biology 9.
pub(crate) fn independence_p<F>(counts: &[f64], columns: usize, draws: usize, seed: u64, statistic: F) -> Option<f64>
where
    F: Fn(&[f64]) -> Option<f64> + Sync,
{
    conditional_independence_p(&[(counts, columns)], draws, seed, |drawn, _| statistic(drawn))
}

/// [`independence_p`] within strata: a table `(counts, columns)` for each, segments dealt anew within each, and the
/// statistics of all tables that have one added up.
pub(crate) fn conditional_independence_p<F>(
    tables: &[(&[f64], usize)],
    draws: usize,
    seed: u64,
    statistic: F,
) -> Option<f64>
where
    F: Fn(&[f64], usize) -> Option<f64> + Sync,
{
    let valid = |(counts, columns): &(&[f64], usize)| {
        *columns > 0
            && counts.len().is_multiple_of(*columns)
            && counts.iter().all(|count| *count >= 0.0 && count.is_finite())
    };
    if !tables.iter().all(valid) {
        return None;
    }
    let observed: Vec<f64> = tables.iter().filter_map(|(counts, columns)| statistic(counts, *columns)).collect();
    let sum: f64 = observed.iter().sum();
    let bound = if observed.is_empty() { return None } else { sum - 1e-9 * sum.abs() };
    let margins: Vec<(Vec<f64>, Vec<f64>)> =
        tables.iter().map(|(counts, columns)| whole_margins(counts, *columns)).collect();
    let reached: usize = (0..draws.div_ceil(BLOCK))
        .into_par_iter()
        .map(|block| {
            let mut rng = stream(seed, 0, block);
            let mut drawn: Vec<Vec<f64>> = tables.iter().map(|(counts, _)| vec![0.0; counts.len()]).collect();
            let mut left: Vec<Vec<f64>> = margins.iter().map(|(_, sums)| sums.clone()).collect();
            (0..BLOCK.min(draws - block * BLOCK))
                .filter(|_| {
                    let mut total = 0.0;
                    for (((rows, sums), drawn), left) in margins.iter().zip(&mut drawn).zip(&mut left) {
                        left.copy_from_slice(sums);
                        deal(&mut rng, rows, left, drawn);
                        total += statistic(drawn, sums.len()).unwrap_or(0.0);
                    }
                    total >= bound
                })
                .count()
        })
        .sum();
    Some((1 + reached) as f64 / (1 + draws) as f64)
}

/// The sums of a table's rows and columns, in whole people.
fn whole_margins(counts: &[f64], columns: usize) -> (Vec<f64>, Vec<f64>) {
    let rows = counts.chunks(columns).map(|row| row.iter().sum::<f64>().round()).collect();
    let mut sums = vec![0.0; columns];
    for row in counts.chunks(columns) {
        sums.iter_mut().zip(row).for_each(|(sum, count)| *sum += count);
    }
    sums.iter_mut().for_each(|sum| *sum = sum.round());
    (rows, sums)
}

/// Deals the column totals `left` to the rows, without replacement.
pub(crate) fn deal<R: Rng>(rng: &mut R, rows: &[f64], left: &mut [f64], drawn: &mut [f64]) {
    for (size, cells) in rows.iter().zip(drawn.chunks_mut(left.len())) {
        let mut pool: f64 = left.iter().sum();
        let mut wanted = size.min(pool);
        for (cell, left) in cells.iter_mut().zip(left.iter_mut()) {
            let take = hypergeometric(rng, Margins { n1: *left, n2: (pool - *left).max(0.0), x: wanted });
            pool -= *left;
            wanted -= take;
            *left -= take;
            *cell = take;
        }
    }
}

/// A hypergeometric draw by inversion from the mode outwards: some standard deviations' worth of steps.
fn hypergeometric<R: Rng>(rng: &mut R, margins: Margins) -> f64 {
    let (low, high) = (margins.lowest(), margins.highest());
    if low >= high {
        return low;
    }
    let (n1, n2, x) = (margins.n1, margins.n2, margins.x);
    let n = n1 + n2;
    let variance = x * (n1 / n) * (n2 / n) * ((n - x) / (n - 1.0));
    if variance > WIDE {
        let normal: f64 = StandardNormal.sample(rng);
        return (x * (n1 / n) + variance.sqrt() * normal).round().clamp(low, high);
    }
    let mode = margins.mode().clamp(low, high);
    let first = margins.ln_pmf(mode).exp();
    let mut left = rng.r#gen::<f64>() - first;
    let (mut up, mut down) = ((mode, first), (mode, first));
    while left > 0.0 {
        let before = (up.0, down.0);
        if up.0 < high {
            let k = up.0;
            up = (k + 1.0, up.1 * ((n1 - k) * (x - k)) / ((k + 1.0) * (n2 - x + k + 1.0)));
            left -= up.1;
            if left <= 0.0 {
                return up.0;
            }
        }
        if down.0 > low {
            let k = down.0;
            down = (k - 1.0, down.1 * (k * (n2 - x + k)) / ((n1 - k + 1.0) * (x - k + 1.0)));
            left -= down.1;
            if left <= 0.0 {
                return down.0;
            }
        }
        // What rounding left over after the last value.
        if before == (up.0, down.0) || up.1 + down.1 < 1e-300 {
            break;
        }
    }
    mode
}

/// The mean of `of(k)`, where `k` of `a` drawn from `n` without replacement are among `b` marked ones.
///
/// Sums outwards from the mode until terms no longer count, and divides by the sum of the weights, so that no factorial
/// is ever needed. 0 where nothing can be drawn.
pub(crate) fn hypergeometric_mean(a: f64, b: f64, n: f64, of: impl Fn(f64) -> f64) -> f64 {
    let margins = Margins { n1: b, n2: (n - b).max(0.0), x: a };
    let (low, high) = (margins.lowest(), margins.highest());
    if !(low <= high && n > 0.0) {
        return 0.0;
    }
    let (n1, n2, x) = (margins.n1, margins.n2, margins.x);
    let mode = margins.mode().clamp(low, high);
    let (mut mass, mut sum) = (1.0, of(mode));
    let (mut k, mut weight) = (mode, 1.0);
    while k < high && weight > 1e-18 {
        weight *= (n1 - k) * (x - k) / ((k + 1.0) * (n2 - x + k + 1.0));
        k += 1.0;
        mass += weight;
        sum += weight * of(k);
    }
    (k, weight) = (mode, 1.0);
    while k > low && weight > 1e-18 {
        weight *= k * (n2 - x + k) / ((n1 - k + 1.0) * (x - k + 1.0));
        k -= 1.0;
        mass += weight;
        sum += weight * of(k);
    }
    sum / mass
}

#[cfg(test)]
mod tests {
    use super::super::hypothesis::chi_square_table;
    use super::*;

    fn chi(counts: &[f64]) -> Option<f64> {
        chi_square_table(counts, 3).map(|t| t.statistic)
    }

    /// All tables with the margins of a 2 × 3 table, with their probabilities, by brute force.
    fn exact_p(counts: &[f64; 6]) -> f64 {
        let row = counts[0] + counts[1] + counts[2];
        let column = |j: usize| counts[j] + counts[3 + j];
        let choose = |n: f64, k: f64| (0..k as u32).fold(1.0, |all, i| all * (n - f64::from(i)) / f64::from(i + 1));
        let n: f64 = counts.iter().sum();
        let observed = chi(counts).unwrap();
        let mut p = 0.0;
        for a in 0..=column(0) as u32 {
            for b in 0..=column(1) as u32 {
                let (a, b) = (f64::from(a), f64::from(b));
                let c = row - a - b;
                if c < 0.0 || c > column(2) {
                    continue;
                }
                let table = [a, b, c, column(0) - a, column(1) - b, column(2) - c];
                if chi(&table).unwrap() >= observed * (1.0 - 1e-9) {
                    p += choose(column(0), a) * choose(column(1), b) * choose(column(2), c) / choose(n, row);
                }
            }
        }
        p
    }

    #[test]
    fn permutations_agree_with_all_tables() {
        for counts in [[3.0, 1.0, 4.0, 1.0, 6.0, 2.0], [7.0, 0.0, 1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 2.0, 4.0, 4.0, 4.0]] {
            let exact = exact_p(&counts);
            let p = independence_p(&counts, 3, 20_000, 5, chi).unwrap();
            assert!((p - exact).abs() < 4.0 * (exact * (1.0 - exact) / 2e4).sqrt() + 1e-4, "{p} is not {exact}");
        }
        assert_eq!(independence_p(&[1.0, f64::NAN, 2.0], 3, 10, 1, chi), None);
        assert_eq!(independence_p(&[], 0, 10, 1, chi), None);
    }

    #[test]
    fn draws_follow_the_hypergeometric() {
        let mut rng = stream(3, 0, 0);
        for (n1, n2, x) in [(5.0, 9.0, 6.0), (300.0, 100.0, 50.0), (1e9, 3e9, 2e3), (4e9, 4e9, 1e9)] {
            let n = n1 + n2;
            let (mean, variance) = (x * n1 / n, x * (n1 / n) * (n2 / n) * ((n - x) / (n - 1.0)));
            let draws: Vec<f64> = (0..20_000).map(|_| hypergeometric(&mut rng, Margins { n1, n2, x }) - mean).collect();
            let average = draws.iter().sum::<f64>() / 2e4;
            let square = draws.iter().map(|d| d * d).sum::<f64>() / 2e4;
            assert!(average.abs() < 4.5 * (variance / 2e4).sqrt(), "{n1} {n2} {x}: {average}");
            assert!((square / variance - 1.0).abs() < 0.06, "{n1} {n2} {x}: {square} is not {variance}");
        }
        assert_eq!(hypergeometric(&mut rng, Margins { n1: 0.0, n2: 5.0, x: 2.0 }), 0.0);
        assert_eq!(hypergeometric(&mut rng, Margins { n1: 5.0, n2: 0.0, x: 2.0 }), 2.0);
    }

    #[test]
    fn means_of_hypergeometric_counts() {
        assert!((hypergeometric_mean(12.0, 20.0, 50.0, |k| k) - 4.8).abs() < 1e-12);
        let variance = 12.0 * 0.4 * 0.6 * 38.0 / 49.0;
        assert!((hypergeometric_mean(12.0, 20.0, 50.0, |k| (k - 4.8) * (k - 4.8)) - variance).abs() < 1e-12);
        assert!((hypergeometric_mean(1e8, 3e8, 1e9, |k| k / 3e7) - 1.0).abs() < 1e-9);
        assert_eq!(hypergeometric_mean(0.0, 0.0, 0.0, |k| k), 0.0);
    }
}
