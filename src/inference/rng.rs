//! Seeded randomness that does not depend on threads: one stream for each block of work.

use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// How many replicates share a stream; a block is the unit of parallel work.
pub(crate) const BLOCK: usize = 250;

/// One step of SplitMix64: a bijective mix of 64 bits.
///
/// # References
/// Steele, Lea, Flood (2014), Fast splittable pseudorandom number generators.
fn split_mix(state: u64) -> u64 {
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

/// A uniform draw from (0, 1), both ends excluded.
fn open01<R: Rng>(rng: &mut R) -> f64 {
    ((rng.next_u64() >> 12) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
}

/// A binomial draw: successes in `n` (a whole number, up to 2⁵³) at rate `p`.
///
/// Inversion below an expected 10 of the rarer outcome, Hörmann's transformed rejection (BTRS) above; both set up in a
/// few operations, since conditional draws change `n` and `p` each time. Any `n`, `p` ends: `p <= 0` (or NaN) draws 0,
/// `p >= 1` draws `n`.
///
/// # References
/// Hörmann (1993), The generation of binomial random variates, J. Statistical Computation and Simulation 46.
pub(crate) fn binomial<R: Rng>(rng: &mut R, n: f64, p: f64) -> f64 {
    if !(p > 0.0) || n < 1.0 {
        0.0
    } else if p >= 1.0 {
        n
    } else if p > 0.5 {
        n - rarer(rng, n, 1.0 - p)
    } else {
        rarer(rng, n, p)
    }
}

/// A binomial draw for `0 < p <= ½`.
fn rarer<R: Rng>(rng: &mut R, n: f64, p: f64) -> f64 {
    if n * p < 10.0 {
        inversion(rng, n, p)
    } else {
        transformed_rejection(rng, n, p)
    }
}

/// Walks up the distribution function; draws past the tail that rounding leaves are drawn again.
fn inversion<R: Rng>(rng: &mut R, n: f64, p: f64) -> f64 {
    let none = (n * (-p).ln_1p()).exp();
    let odds = p / (1.0 - p);
    let last = n.min(110.0);
    loop {
        let mut u = open01(rng);
        let (mut probability, mut x) = (none, 0.0);
        while x <= last {
            if u <= probability {
                return x;
            }
            u -= probability;
            x += 1.0;
            probability *= odds * (n - x + 1.0) / x;
        }
    }
}

/// Hörmann's BTRS, for `n p >= 10`.
fn transformed_rejection<R: Rng>(rng: &mut R, n: f64, p: f64) -> f64 {
    let sd = (n * p * (1.0 - p)).sqrt();
    let b = 1.15 + 2.53 * sd;
    let a = -0.0873 + 0.0248 * b + 0.01 * p;
    let c = n * p + 0.5;
    let squeeze = 0.92 - 4.2 / b;
    loop {
        let v = open01(rng);
        let u = open01(rng) - 0.5;
        let us = 0.5 - u.abs();
        let k = ((2.0 * a / us + b) * u + c).floor();
        if us >= 0.07 && v <= squeeze {
            return k;
        }
        if k < 0.0 || k > n {
            continue;
        }
        let alpha = (2.83 + 5.1 / b) * sd;
        let v = (v * alpha / (a / (us * us) + b)).ln();
        let mode = ((n + 1.0) * p).floor();
        let r = (p / (1.0 - p)).ln();
        let accept = (mode + 0.5) * ((mode + 1.0) / (n - mode + 1.0)).ln()
            + (n + 1.0) * ((n - mode + 1.0) / (n - k + 1.0)).ln()
            + (k + 0.5) * ((n - k + 1.0) / (k + 1.0)).ln()
            + (k - mode) * r
            + stirling_tail(mode)
            + stirling_tail(n - mode)
            - stirling_tail(k)
            - stirling_tail(n - k);
        if v <= accept {
            return k;
        }
    }
}

/// `ln k! − [(k + ½) ln(k + 1) − (k + 1) + ln √(2π)]`.
fn stirling_tail(k: f64) -> f64 {
    const TABLE: [f64; 10] = [
        0.081_061_466_795_327_8,
        0.041_340_695_955_409_5,
        0.027_677_925_684_998_3,
        0.020_790_672_103_765_1,
        0.016_644_691_189_821_2,
        0.013_876_128_823_071_1,
        0.011_896_709_945_891_8,
        0.010_411_265_261_972_1,
        0.009_255_462_182_712_7,
        0.008_330_563_433_362_87,
    ];
    if k < 10.0 {
        return TABLE[k as usize];
    }
    let k1 = k + 1.0;
    let k2 = k1 * k1;
    (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / 1260.0 / k2) / k2) / k1
}

#[cfg(test)]
mod tests {
    use super::super::special::ln_binomial_pmf;
    use super::*;

    #[test]
    fn draws_follow_the_binomial() {
        let mut rng = stream(7, 0, 0);
        for (n, p) in [
            (12.0, 0.3),
            (40.0, 0.5),
            (60.0, 0.8),
            (300.0, 0.05),
            (200.0, 0.3),
        ] {
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
        for (n, p) in [(1e10, 0.3), (1e10, 1e-10), (1e10, 1e-8), (5e9, 1.0 - 1e-9)] {
            let draws = 40_000;
            let (mut sum, mut square) = (0.0, 0.0);
            for _ in 0..draws {
                let deviation = binomial(&mut rng, n, p) - n * p;
                sum += deviation;
                square += deviation * deviation;
            }
            let variance = n * p * (1.0 - p);
            let mean = sum / f64::from(draws);
            assert!(
                mean.abs() < 4.5 * (variance / f64::from(draws)).sqrt(),
                "{n} {p} {mean}"
            );
            assert!(
                (square / f64::from(draws) / variance - 1.0).abs() < 0.06,
                "{n} {p}"
            );
        }
    }

    #[test]
    fn ends_are_certain() {
        let mut rng = stream(9, 0, 0);
        assert_eq!(binomial(&mut rng, 10.0, 0.0), 0.0);
        assert_eq!(binomial(&mut rng, 10.0, 1.0), 10.0);
        assert_eq!(binomial(&mut rng, 10.0, f64::NAN), 0.0);
        assert_eq!(binomial(&mut rng, 0.0, 0.5), 0.0);
        assert_ne!(stream(1, 0, 1), stream(1, 1, 0));
    }
}
