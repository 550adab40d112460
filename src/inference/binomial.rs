//! Binomial draws that cost little: one rate, many draws, each of its own number of trials.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use super::special::{binomial_tails, normal_cdf, normal_sf};

/// Expected outcomes from which draws are quantiles of normal ones; up to it they are counted up from 0.
const NORMAL: f64 = 10.0;
/// Outcomes to which that goes at most: more have a probability below 1e-70.
const COUNTED: f64 = 120.0;
/// Trials up to which the chances of none are tabulated.
const FEW: f64 = 1000.0;
/// Trials up to which every whole number of outcomes is told from the next, and half of one too.
const WHOLE: f64 = 1e15;
/// 1.5 · 2⁵²: added and taken away again, it rounds to a whole number.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// Trials that succeed at one rate.
///
/// From some outcomes on, a draw is the quantile `F⁻¹(Φ(w))` of a normal number `w`, by the first terms of its expansion;
/// where that falls so near to a whole number that the terms left out matter, the distribution itself is asked.
///
/// # References
/// Giles (2016), Algorithm 955: approximation of the inverse Poisson cumulative distribution function, ACM Transactions
/// on Mathematical Software 42: so for Poisson counts. Cornish, Fisher (1938), Moments and cumulants in the specification
/// of distributions, Revue de l'Institut International de Statistique 5: the expansion, here with the binomial's cumulants,
/// of which 1/12 of the second is of the steps between whole numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trials {
    /// The rate of the rarer outcome, at most ½.
    p: f64,
    /// Whether that is failure.
    failures: bool,
    /// `p / (1 − p)` and `ln(1 − p)`.
    odds: f64,
    ln_q: f64,
}

impl Trials {
    /// At a rate: `p <= 0` (or NaN) never succeeds, `p >= 1` always.
    pub(crate) fn new(p: f64) -> Self {
        let p = if p > 0.0 { p.min(1.0) } else { 0.0 };
        let failures = p > 0.5;
        let p = if failures { 1.0 - p } else { p };
        Self { p, failures, odds: p / (1.0 - p), ln_q: (-p).ln_1p() }
    }

    /// The successes of `n` trials, a whole number: whatever it is, this ends.
    pub(crate) fn draw<R: Rng>(&self, rng: &mut R, n: f64) -> f64 {
        let rarer = if !(self.p > 0.0) || n < 1.0 {
            0.0
        } else if n * self.p < NORMAL {
            self.count_up(rng, n, (n * self.ln_q).exp())
        } else {
            let w = StandardNormal.sample(rng);
            if n < WHOLE {
                let clear = self.clear(n, w);
                if clear >= 0.0 { clear } else { self.quantile(n, w) }
            } else {
                self.expansion(n, w).0.floor().clamp(0.0, n)
            }
        };
        if self.failures { n.max(0.0) - rarer } else { rarer }
    }

    /// A draw for each number of trials; `room` is only room to work in.
    pub(crate) fn fill<R: Rng>(&self, rng: &mut R, trials: &[f64], drawn: &mut [f64], room: &mut Vec<f64>) {
        let (least, most) = trials.iter().fold((f64::INFINITY, 0.0f64), |(a, b), n| (a.min(*n), b.max(*n)));
        room.clear();
        if most * self.p < NORMAL && most < FEW {
            // The chance of none in 0, 1, 2 … trials.
            room.extend(std::iter::successors(Some(1.0), |none| Some(none * (1.0 - self.p))).take(most as usize + 1));
            for (n, drawn) in trials.iter().zip(drawn) {
                let rarer = self.count_up(rng, *n, room[(*n as usize).min(room.len() - 1)]);
                *drawn = if self.failures { n - rarer } else { rarer };
            }
            return;
        }
        if !(least * self.p >= NORMAL && most < WHOLE) {
            trials.iter().zip(drawn).for_each(|(n, drawn)| *drawn = self.draw(rng, *n));
            return;
        }
        // What needs no branch is done for all of them first.
        room.extend(trials.iter().map(|_| -> f64 { StandardNormal.sample(rng) }));
        for ((n, drawn), w) in trials.iter().zip(drawn.iter_mut()).zip(room.iter()) {
            *drawn = self.clear(*n, *w);
        }
        let open = drawn.iter_mut().zip(trials.iter().zip(room.iter())).filter(|(drawn, _)| **drawn < 0.0);
        open.for_each(|(drawn, (n, w))| *drawn = self.quantile(*n, *w));
        if self.failures {
            drawn.iter_mut().zip(trials).for_each(|(drawn, n)| *drawn = n - *drawn);
        }
    }

    /// The rarer outcomes: where the sum of the probabilities from that of none upwards passes a uniform number.
    fn count_up<R: Rng>(&self, rng: &mut R, n: f64, none: f64) -> f64 {
        loop {
            let (mut left, mut probability, mut x) = (rng.r#gen::<f64>(), none, 0.0);
            while left >= probability && x < COUNTED {
                left -= probability;
                x += 1.0;
                probability *= ((n + 1.0) / x - 1.0) * self.odds;
            }
            if x <= n && x < COUNTED {
                return x;
            }
        }
    }

    /// The number whose whole part is the quantile at `Φ(w)`, and how far off it is at most, for 10 outcomes or more:
    /// with `s² = npq`, `d = q − p`, `np + ½ + s w + d (w² − 1) / 6 − w ((1 + 2pq) w² + 2 − 14pq) / 72s +
    /// d (2 + pq) (3w⁴ + 7w² − 16) / 1620s²`.
    #[inline(always)]
    fn expansion(&self, n: f64, w: f64) -> (f64, f64) {
        let (q, square) = (1.0 - self.p, w * w);
        let (d, pq) = (q - self.p, self.p * q);
        let s = (n * pq).sqrt();
        let r = 1.0 / s;
        let first = d * (square - 1.0) * (1.0 / 6.0);
        let second = w * ((1.0 + 2.0 * pq) * square + (2.0 - 14.0 * pq)) * (1.0 / 72.0);
        let third = d * (2.0 + pq) * ((3.0 * square + 7.0) * square - 16.0) * (1.0 / 1620.0);
        let off = (0.05 + 0.005 * (w * square * square).abs()) * r * r * r;
        (n * self.p + 0.5 + s * w + first + (third * r - second) * r, off)
    }

    /// The rarer outcomes of up to [`WHOLE`] trials at the quantile `Φ(w)`; −1 where the expansion is not sure of them.
    #[inline(always)]
    fn clear(&self, n: f64, w: f64) -> f64 {
        let (x, off) = self.expansion(n, w);
        let nearest = (x + ROUND) - ROUND;
        let below = if nearest > x { nearest - 1.0 } else { nearest };
        let sure = ((x - nearest).abs() > off) & (below >= 0.0) & (below <= n);
        if sure { below } else { -1.0 }
    }

    /// The rarer outcomes at the quantile `Φ(w)`: the least number that it leaves no chance below, or above.
    #[cold]
    fn quantile(&self, n: f64, w: f64) -> f64 {
        // The smaller tail has all its digits.
        let reaches = |x: f64| {
            let (lower, upper) = binomial_tails(x, n, self.p);
            if w < 0.0 { normal_cdf(w) <= lower } else { normal_sf(w) >= upper }
        };
        let mut x = self.expansion(n, w).0.floor().clamp(0.0, n);
        if reaches(x) {
            while x > 0.0 && reaches(x - 1.0) {
                x -= 1.0;
            }
        } else {
            while x < n && !reaches(x) {
                x += 1.0;
            }
        }
        x
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::rng::stream;
    use super::super::special::{ln_binomial_pmf, normal_quantile};
    use super::*;

    /// The root of the chi-square's distance from what it should be, in standard deviations: of counts of draws, cut where
    /// fewer than five are expected.
    pub(in super::super) fn strangeness(draws: &[f64], n: f64, p: f64) -> f64 {
        let mut counts = vec![0u32; n as usize + 1];
        draws.iter().for_each(|x| counts[*x as usize] += 1);
        let (mut statistic, mut df) = (0.0, -1.0);
        for (x, count) in counts.into_iter().enumerate() {
            let expected = draws.len() as f64 * ln_binomial_pmf(x as f64, n, p).exp();
            if expected >= 5.0 {
                statistic += (f64::from(count) - expected).powi(2) / expected;
                df += 1.0;
            }
        }
        (statistic - df) / f64::sqrt(2.0 * df)
    }

    /// Draws by [`Trials::fill`], in rows of various lengths.
    fn filled(rng: &mut impl Rng, n: f64, p: f64, draws: usize) -> Vec<f64> {
        let (trials, mut room) = (vec![n; draws], Vec::new());
        let mut drawn = vec![f64::NAN; draws];
        for (trials, drawn) in trials.chunks(997).zip(drawn.chunks_mut(997)) {
            Trials::new(p).fill(rng, trials, drawn, &mut room);
        }
        drawn
    }

    #[test]
    fn draws_follow_the_binomial() {
        let mut rng = stream(7, 0, 0);
        for (n, p) in [
            (12.0, 0.3),
            (40.0, 0.5),
            (60.0, 0.8),
            (300.0, 0.05),
            (200.0, 0.3),
            (33.0, 0.304),
            (21.0, 0.5),
            (400_000.0, 3e-5),
            (30_000.0, 0.999),
            (5_000.0, 0.4),
        ] {
            let one_by_one: Vec<f64> = (0..200_000).map(|_| Trials::new(p).draw(&mut rng, n)).collect();
            for (how, draws) in [("one by one", one_by_one), ("at once", filled(&mut rng, n, p, 200_000))] {
                let z = strangeness(&draws, n, p);
                assert!(z.abs() < 4.5, "n {n} p {p} {how}: chi-square {z} standard deviations off");
            }
        }
    }

    #[test]
    fn trials_may_differ() {
        let mut rng = stream(8, 0, 1);
        // Beside each other: counted up, by quantiles, none.
        let trials: Vec<f64> = (0..90_000).map(|at| [5_000.0, 70.0, 20.0, 0.0][at % 4]).collect();
        let few: Vec<f64> = (0..90_000).map(|at| [11.0, 0.0, 30.0, 2.0][at % 4]).collect();
        for (p, trials) in
            [(0.7, trials.clone()), (0.4, trials.iter().map(|n| 60.0 + n).collect()), (0.3, few.clone()), (0.8, few)]
        {
            let (mut drawn, mut room) = (vec![0.0; trials.len()], Vec::new());
            Trials::new(p).fill(&mut rng, &trials, &mut drawn, &mut room);
            for (first, n) in trials.iter().copied().enumerate().take(4) {
                let draws: Vec<f64> = drawn.iter().skip(first).step_by(4).copied().collect();
                let z = if n > 0.0 { strangeness(&draws, n, p) } else { draws.iter().sum() };
                assert!(z.abs() < 4.5, "n {n} p {p}: chi-square {z} standard deviations off");
            }
        }
    }

    #[test]
    fn the_expansion_is_off_by_no_more_than_it_says() {
        // At every outcome within nine standard deviations: of the number at which the next begins.
        let mut nearest = 0.0f64;
        for n in [20.0, 23.0, 35.0, 90.0, 400.0, 3_000.0, 40_000.0, 1e6] {
            for p in [10.0 / n, 14.0 / n, 20.0 / n, 0.11, 0.3, 0.49, 0.5].into_iter().filter(|p| *p <= 0.5) {
                if n * p < NORMAL {
                    continue;
                }
                let (trials, sd) = (Trials::new(p), (n * p * (1.0 - p)).sqrt());
                let mut x = (n * p - 9.0 * sd).floor().max(0.0);
                while x < (n * p + 9.0 * sd).min(n) {
                    let (lower, upper) = binomial_tails(x, n, p);
                    let w = if lower < upper { normal_quantile(lower) } else { -normal_quantile(upper) };
                    let (value, off) = trials.expansion(n, w);
                    if w.abs() < 9.0 {
                        nearest = nearest.max((value - x - 1.0).abs() / (off + 1e-9 * sd));
                    }
                    x += (sd / 20.0).ceil();
                }
            }
        }
        // A bound that is never half reached or hardly ever would ask the distribution too often.
        assert!((0.3..0.8).contains(&nearest), "up to {nearest} of it");
    }

    #[test]
    fn quantiles_are_those_of_summed_probabilities() {
        for (n, p) in [(20.0, 0.5), (25.0, 0.4), (33.0, 0.304), (100.0, 0.1), (1000.0, 0.01), (1000.0, 0.47)] {
            let trials = Trials::new(p);
            let sums: Vec<f64> = (0..=n as u32)
                .scan(0.0, |sum, x| {
                    *sum += ln_binomial_pmf(f64::from(x), n, p).exp();
                    Some(*sum)
                })
                .collect();
            for step in -45_000..=45_000 {
                let w = f64::from(step) * 1e-4;
                let expected = sums.partition_point(|sum| *sum < normal_cdf(w));
                // Within a hair of a step either side is right.
                let distance = sums.iter().map(|sum| (sum - normal_cdf(w)).abs()).fold(1.0, f64::min);
                if distance > 1e-12 {
                    assert_eq!(trials.quantile(n, w), expected as f64, "{n} {p} {w}");
                    let clear = trials.clear(n, w);
                    assert!(clear < 0.0 || clear == expected as f64, "{n} {p} {w}: {clear}");
                }
            }
        }
    }

    #[test]
    fn moments_hold_for_huge_counts() {
        let mut rng = stream(8, 1, 2);
        for (n, p) in [(1e10, 0.3), (1e10, 1e-9), (5e9, 1.0 - 1e-9), (2e9, 2e-4), (1e18, 0.3), (1e30, 0.5)] {
            let one_by_one: Vec<f64> = (0..40_000).map(|_| Trials::new(p).draw(&mut rng, n)).collect();
            for draws in [one_by_one, filled(&mut rng, n, p, 40_000)] {
                let variance = n * p * (1.0 - p);
                let mean = draws.iter().map(|x| x - n * p).sum::<f64>() / 40_000.0;
                assert!(mean.abs() < 4.5 * (variance / 40_000.0).sqrt(), "{n} {p} {mean}");
                let square = draws.iter().map(|x| (x - n * p).powi(2)).sum::<f64>() / 40_000.0;
                assert!((square / variance - 1.0).abs() < 0.06, "{n} {p} {square}");
            }
        }
    }

    #[test]
    fn ends_are_certain() {
        let mut rng = stream(9, 0, 0);
        let mut draw = |n: f64, p: f64| Trials::new(p).draw(&mut rng, n);
        assert_eq!([draw(10.0, 0.0), draw(10.0, 1.0), draw(10.0, 2.0)], [0.0, 10.0, 10.0]);
        assert_eq!([draw(10.0, f64::NAN), draw(10.0, -1.0), draw(0.0, 0.5), draw(-3.0, 1.0)], [0.0; 4]);
        for n in [1e9, 1e15, 1e19, 1e100, 1e300] {
            for p in [1e-300, 1e-12, 0.5, 1.0 - 1e-15] {
                assert!((0.0..=n).contains(&draw(n, p)), "{n} {p}");
            }
        }
        assert!(filled(&mut rng, 1e300, 0.3, 100).iter().all(|x| (0.0..=1e300).contains(x)));
        assert!(filled(&mut rng, 1e6, 1.0, 100).iter().all(|x| *x == 1e6));
        assert!(filled(&mut rng, 0.0, 0.3, 100).iter().all(|x| *x == 0.0));
        assert!(filled(&mut rng, 30.0, 0.0, 100).iter().all(|x| *x == 0.0));
        assert!(filled(&mut rng, 30.0, 1.0, 100).iter().all(|x| *x == 30.0));
    }
}
