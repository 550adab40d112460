//! Draws from a table, at one random number each.
//!
//! # References
//! Walker (1977), An efficient method for generating discrete random variables with general distributions, ACM
//! Transactions on Mathematical Software 3; Vose (1991), A linear algorithm for generating random numbers with a given
//! distribution, IEEE Transactions on Software Engineering 17.

use rand::Rng;

/// Numbers this much rarer than the commonest are left out of a table.
const TAIL: f64 = 1e-18;

/// Draws of whole numbers from 0, weighted, each by one random number; exact to the 2⁻³² of its fraction.
pub(super) struct Alias {
    /// The smallest number that can come.
    from: u32,
    /// Of each: the share of its slot that is its own, in 2⁻³², and which number has the rest.
    slots: Vec<(u32, u32)>,
}

impl Alias {
    /// Of weights of which at least one is positive.
    pub(super) fn new(from: u32, weights: &[f64]) -> Self {
        let scale = weights.len() as f64 / weights.iter().sum::<f64>();
        let mut shares: Vec<f64> = weights.iter().map(|weight| weight * scale).collect();
        let mut slots: Vec<(u32, u32)> = (0..weights.len()).map(|own| (u32::MAX, own as u32)).collect();
        let (mut short, mut long): (Vec<usize>, Vec<usize>) = (0..weights.len()).partition(|at| shares[*at] < 1.0);
        while let (Some(poor), Some(rich)) = (short.pop(), long.pop()) {
            slots[poor] = ((shares[poor] * 4_294_967_296.0) as u32, rich as u32);
            shares[rich] -= 1.0 - shares[poor];
            if shares[rich] < 1.0 { short.push(rich) } else { long.push(rich) }
        }
        Self { from, slots }
    }

    #[inline]
    pub(super) fn draw<R: Rng>(&self, rng: &mut R) -> u32 {
        let random = rng.next_u64();
        let at = (((random >> 32) * self.slots.len() as u64) >> 32) as usize;
        let (own, other) = self.slots[at];
        self.from + if (random as u32) < own { at as u32 } else { other }
    }

    /// Of the numbers around a common one, from the quotients of probabilities: of `x − 1` to `x`, and of `x + 1` to `x`. It
    /// goes down to 0 at most, up as far as there are probabilities.
    pub(super) fn around(middle: f64, down: impl Fn(f64) -> f64, up: impl Fn(f64) -> f64) -> Self {
        // The probability of the middle is taken for 1: only proportions matter.
        let side = |step: &dyn Fn(f64, f64) -> Option<(f64, f64)>| {
            let each = std::iter::successors(Some((middle, 1.0)), |(x, p)| step(*x, *p));
            each.skip(1).map(|(_, p)| p).take_while(|p| *p > TAIL).collect::<Vec<f64>>()
        };
        let mut weights = side(&|x, p| (x > 0.0).then(|| (x - 1.0, p * down(x))));
        let from = middle as u32 - weights.len() as u32;
        weights.reverse();
        weights.push(1.0);
        weights.extend(side(&|x, p| Some((x + 1.0, p * up(x)))));
        Self::new(from, &weights)
    }
}
