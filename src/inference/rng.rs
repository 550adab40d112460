//! Seeded randomness that does not depend on threads: one stream for each block of work.

use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::binomial::Trials;

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

/// A binomial draw: successes in `n` (a whole number) at rate `p`. Any `n`, `p` ends: `p <= 0` (or NaN) draws 0,
/// `p >= 1` draws `n`. Many draws at one rate are faster by [`Trials`].
pub(crate) fn binomial<R: Rng>(rng: &mut R, n: f64, p: f64) -> f64 {
    Trials::new(p).draw(rng, n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_has_its_own_stream() {
        assert_ne!(stream(1, 0, 1), stream(1, 1, 0));
        assert_ne!(stream(1, 0, 0), stream(2, 0, 0));
    }
}
