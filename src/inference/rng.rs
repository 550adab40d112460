//! Seeded randomness that does not depend on threads: one stream for each block of work.

use rand::{Rng, SeedableRng};
use rand_distr::{Binomial, Distribution, Poisson, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

/// How many replicates share a stream; a block is the unit of parallel work.
pub(crate) const BLOCK: usize = 250;

/// One step of SplitMix64: a bijective mix of 64 bits.
///
/// # References
/// Steele, Lea, Flood (2014), Fast splittable pseudorandom number generators.
pub(crate) fn split_mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The stream for the work item `(a, b)` of a seed: every pair has its own.
pub(crate) fn stream(seed: u64, a: usize, b: usize) -> Xoshiro256PlusPlus {
    let mixed = split_mix(split_mix(split_mix(seed) ^ a as u64) ^ b as u64);
    Xoshiro256PlusPlus::seed_from_u64(mixed)
}

/// Trials from which [`binomial`] draws from a limit of the distribution: the library's sampler takes powers with a
/// 32-bit exponent, and fails where counts outgrow the steps of f64.
const MANY: f64 = 1e9;
/// Expected outcomes up to which that limit is Poisson's (off by less than p, at most 0.1 %), beyond it the normal one
/// (off by less than 0.1 %).
const RARE: f64 = 1e6;

/// A binomial draw: successes in `n` (a whole number) at rate `p`. Any `n`, `p` ends: `p <= 0` (or NaN) draws 0,
/// `p >= 1` draws `n`.
pub(crate) fn binomial<R: Rng>(rng: &mut R, n: f64, p: f64) -> f64 {
    if !(p > 0.0) || n < 1.0 {
        0.0
    } else if p >= 1.0 {
        n
    } else if n < MANY {
        Binomial::new(n as u64, p).map_or(0.0, |binomial| binomial.sample(rng) as f64)
    } else {
        let rarer = p.min(1.0 - p);
        let mean = n * rarer;
        let draw = if mean < RARE {
            Poisson::new(mean).map_or(0.0, |poisson| poisson.sample(rng))
        } else {
            let normal: f64 = StandardNormal.sample(rng);
            (mean + (mean * (1.0 - rarer)).sqrt() * normal).round()
        };
        let draw = draw.clamp(0.0, n);
        if p > 0.5 { n - draw } else { draw }
    }
}

#[cfg(test)]
mod tests {
    use super::super::special::ln_binomial_pmf;
    use super::*;

    #[test]
    fn draws_follow_the_binomial() {
        let mut rng = stream(7, 0, 0);
        for (n, p) in [(12.0, 0.3), (40.0, 0.5), (60.0, 0.8), (300.0, 0.05), (200.0, 0.3)] {
            let draws = 200_000;
            let mut counts = vec![0u32; n as usize + 1];
            for _ in 0..draws {
                counts[binomial(&mut rng, n, p) as usize] += 1;
            }
            let (mut statistic, mut df) = (0.0, -1.0);
            for (x, &count) in counts.iter().enumerate() {
                let expected = f64::from(draws) * ln_binomial_pmf(x as f64, n, p).exp();
                if expected >= 5.0 {
                    statistic += (f64::from(count) - expected).powi(2) / expected;
                    df += 1.0;
                }
            }
            let z: f64 = (statistic - df) / f64::sqrt(2.0 * df);
            assert!(z.abs() < 4.5, "n {n} p {p}: chi-square {statistic} on {df}");
        }
    }

    #[test]
    fn moments_hold_for_huge_counts() {
        let mut rng = stream(8, 1, 2);
        for (n, p) in [(1e10, 0.3), (1e10, 1e-9), (5e9, 1.0 - 1e-9), (2e9, 2e-4)] {
            let draws: Vec<f64> = (0..40_000).map(|_| binomial(&mut rng, n, p) - n * p).collect();
            let variance = n * p * (1.0 - p);
            let mean = draws.iter().sum::<f64>() / 40_000.0;
            assert!(mean.abs() < 4.5 * (variance / 40_000.0).sqrt(), "{n} {p} {mean}");
            let square = draws.iter().map(|d| d * d).sum::<f64>() / 40_000.0;
            assert!((square / variance - 1.0).abs() < 0.06, "{n} {p} {square}");
        }
    }

    #[test]
    fn ends_are_certain() {
        let mut rng = stream(9, 0, 0);
        assert_eq!(binomial(&mut rng, 10.0, 0.0), 0.0);
        assert_eq!(binomial(&mut rng, 10.0, 1.0), 10.0);
        assert_eq!(binomial(&mut rng, 10.0, f64::NAN), 0.0);
        assert_eq!(binomial(&mut rng, 0.0, 0.5), 0.0);
        for n in [1e9, 1e15, 1e19, 1e300] {
            for p in [1e-300, 1e-12, 0.5, 1.0 - 1e-15] {
                assert!((0.0..=n).contains(&binomial(&mut rng, n, p)), "{n} {p}");
            }
        }
        assert_ne!(stream(1, 0, 1), stream(1, 1, 0));
    }
}
