//! Chance by name: the same person meets the same draw, whoever else is drawn for.

use crate::inference::rng::split_mix;

/// A number in [0, 1) for a person under a seed.
pub(crate) fn uniform(seed: u64, id: u64) -> f64 {
    // The upper 53 bits are what a number between 0 and 1 can hold.
    (split_mix(split_mix(seed) ^ id) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_spread_evenly() {
        let mut counts = [0u32; 20];
        for id in 0..200_000 {
            counts[(uniform(5, id) * 20.0) as usize] += 1;
        }
        let statistic: f64 = counts.iter().map(|c| (f64::from(*c) - 1e4).powi(2) / 1e4).sum();
        // Chi-square on 19 degrees of freedom: its 0.001 quantiles.
        assert!((5.4..43.8).contains(&statistic), "{statistic}");
        assert_eq!(uniform(1, 2), uniform(1, 2));
        assert_ne!(uniform(1, 2), uniform(2, 1));
    }
}
