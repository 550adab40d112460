//! Binomial draws of few trials, very often at one rate.
//!
//! Trials are independent: those of 100 are those of 64, of 32 and of 4 together, and for each power of two there is a table.

use rand::Rng;

use super::alias::Alias;

/// Trials at one rate.
pub(super) struct Doubling {
    /// The successes of 1, 2, 4, … trials.
    powers: Vec<Alias>,
}

impl Doubling {
    /// At a rate within (0, 1), for up to so many trials.
    pub(super) fn new(p: f64, most: u32) -> Self {
        let odds = p / (1.0 - p);
        let table = |power: u32| {
            let n = f64::from(1u32 << power);
            let mode = ((n + 1.0) * p).floor().min(n);
            Alias::around(mode, |x| x / (odds * (n - x + 1.0)), |x| odds * (n - x) / (x + 1.0))
        };
        Self { powers: (0..u32::BITS - most.leading_zeros()).map(table).collect() }
    }

    /// The successes of some trials, at most as many as it is for.
    #[inline]
    pub(super) fn draw<R: Rng>(&self, rng: &mut R, trials: u32) -> u32 {
        let (mut left, mut successes) = (trials, 0);
        while left > 0 {
            successes += self.powers[left.trailing_zeros() as usize].draw(rng);
            left &= left - 1;
        }
        successes
    }
}

#[cfg(test)]
mod tests {
    use super::super::binomial::tests::strangeness;
    use super::super::rng::stream;
    use super::*;

    #[test]
    fn draws_follow_the_binomial() {
        let mut rng = stream(11, 0, 0);
        for (most, p) in [(1, 0.3), (100, 0.3), (100, 0.97), (1000, 0.004), (2048, 0.5), (777, 0.62), (64, 1e-4)] {
            let doubling = Doubling::new(p, most);
            for n in [most, most - most / 3, 1, 0] {
                let draws: Vec<f64> = (0..100_000).map(|_| f64::from(doubling.draw(&mut rng, n))).collect();
                if n == 0 {
                    assert!(draws.iter().all(|x| *x == 0.0));
                    continue;
                }
                let z = strangeness(&draws, f64::from(n), p);
                assert!(z.abs() < 4.5, "{n} trials at {p}: chi-square {z} standard deviations off");
            }
        }
    }

    #[test]
    fn rare_ends_end() {
        let mut rng = stream(12, 0, 0);
        for p in [1e-300, 1e-17, 1.0 - 1e-16] {
            let doubling = Doubling::new(p, 2047);
            let drawn = doubling.draw(&mut rng, 2047);
            assert_eq!(drawn, if p < 0.5 { 0 } else { 2047 });
        }
    }
}
