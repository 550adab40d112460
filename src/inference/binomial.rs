//! Binomial draws that cost little: one rate, many draws, each of its own number of trials.

use rand::Rng;

use super::special::ln_binomial_pmf;

/// Expected outcomes from which draws are by rejection; up to it they are counted up from 0.
const REJECTED: f64 = 10.0;
/// Outcomes to which that goes at most: more have a probability below 1e-70.
const COUNTED: f64 = 120.0;
/// Trials up to which the chances of none are tabulated.
const FEW: f64 = 1000.0;
/// Trials up to which halves are steps of f64.
const HALVES: f64 = 1e15;
/// 1.5 · 2⁵²: added and taken away again, it rounds to a whole number.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// The least count of which Stirling's series is good for 1e-12, and the most trials of which logs of quotients are for 1e-8.
const STIRLING: (f64, f64) = (10.0, 1e8);
/// How far the flat part of the hat reaches on either side, of its half.
const REACH: f64 = 0.43;

/// Trials that succeed at one rate.
///
/// # References
/// Hörmann (1993), The generation of binomial random variates, Journal of Statistical Computation and Simulation 46: the hat of
/// his algorithm BTRD, for `n p >= 10`; Kachitvichyanukul, Schmeiser (1988), Binomial random variate generation, Communications
/// of the ACM 31: the squeeze, and inversion for less.
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

/// The hat over the probabilities of so many trials, after the transformation `x = (2a / (½ − |u|) + b) u + c`.
#[derive(Debug, Clone, Copy)]
struct Hat {
    sd: f64,
    a: f64,
    b: f64,
    middle: f64,
}

impl Hat {
    #[inline(always)]
    fn new(n: f64, p: f64) -> Self {
        let sd = (n * p * (1.0 - p)).sqrt();
        let b = 1.15 + 2.53 * sd;
        Self { sd, a: -0.0873 + 0.0248 * b + 0.01 * p, b, middle: n * p }
    }

    /// Where under the flat part a uniform number falls, on from −[`REACH`]; beyond [`REACH`] it does not.
    #[inline(always)]
    fn under_flat(&self, v: f64) -> f64 {
        v * self.b / (0.92 * self.b - 4.2) - REACH
    }

    /// The outcomes at `u` in (−½, ½), yet to be rounded.
    #[inline(always)]
    fn outcomes(&self, u: f64) -> f64 {
        (2.0 * self.a / (0.5 - u.abs()) + self.b) * u + self.middle
    }
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
        } else if n * self.p < REJECTED {
            self.count_up(rng, n, (n * self.ln_q).exp())
        } else {
            let v = rng.r#gen::<f64>();
            self.reject(rng, n, v)
        };
        if self.failures { n.max(0.0) - rarer } else { rarer }
    }

    /// A draw for each number of trials; `room` is only room to work in.
    ///
    /// Most draws end with the first random number, which is tried for all of them at once.
    pub(crate) fn fill<R: Rng>(&self, rng: &mut R, trials: &[f64], drawn: &mut [f64], room: &mut Vec<f64>) {
        let (least, most) = trials.iter().fold((f64::INFINITY, 0.0f64), |(a, b), n| (a.min(*n), b.max(*n)));
        room.clear();
        if most * self.p < REJECTED && most < FEW {
            // The chance of none in 0, 1, 2 … trials.
            room.extend(std::iter::successors(Some(1.0), |none| Some(none * (1.0 - self.p))).take(most as usize + 1));
            for (n, drawn) in trials.iter().zip(drawn) {
                let rarer = self.count_up(rng, *n, room[(*n as usize).min(room.len() - 1)]);
                *drawn = if self.failures { n - rarer } else { rarer };
            }
            return;
        }
        if !(least * self.p >= REJECTED && most < HALVES) {
            trials.iter().zip(drawn).for_each(|(n, drawn)| *drawn = self.draw(rng, *n));
            return;
        }
        room.extend(trials.iter().map(|_| rng.r#gen::<f64>()));
        for ((n, drawn), v) in trials.iter().zip(drawn.iter_mut()).zip(room.iter()) {
            let hat = Hat::new(*n, self.p);
            let u = hat.under_flat(*v);
            let x = (hat.outcomes(u) + ROUND) - ROUND;
            *drawn = if u > REACH { -1.0 } else { x };
        }
        let open = drawn.iter_mut().zip(trials.iter().zip(room.iter())).filter(|(drawn, _)| **drawn < 0.0);
        open.for_each(|(drawn, (n, v))| *drawn = self.reject(rng, *n, *v));
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

    /// The rarer outcomes: of points under the hat the first below the probabilities. `v` is the first uniform number.
    #[inline(never)]
    fn reject<R: Rng>(&self, rng: &mut R, n: f64, mut v: f64) -> f64 {
        let hat = Hat::new(n, self.p);
        // Divided by once, not for each point.
        let (of_b, of_variance) = (1.0 / hat.b, 1.0 / (hat.sd * hat.sd));
        let flat = 0.92 - 4.2 * of_b;
        let scale = (2.83 + 5.1 * of_b) * hat.sd;
        let round = |x: f64| if n < HALVES { (x + ROUND) - ROUND } else { x.round() };
        loop {
            // Here the flat part is below the probabilities, all of it.
            let u = hat.under_flat(v);
            if u <= REACH {
                return round(hat.outcomes(u));
            }
            // Else the number says where at the sides of the flat part, or how high above it.
            let (u, height) = if v < flat {
                (0.5f64.copysign(u - 0.5) - (u - 0.5), rng.r#gen::<f64>() * flat)
            } else {
                (rng.r#gen::<f64>() - 0.5, v)
            };
            let x = round(hat.outcomes(u));
            if x >= 0.0 && x <= n {
                let near = (0.5 - u.abs()) * (0.5 - u.abs());
                let height = height * scale * near / (hat.a + hat.b * near);
                if self.is_below(height, x, n, of_variance, round((n + 1.0) * self.p - 0.5)) {
                    return x;
                }
            }
            v = rng.r#gen::<f64>();
        }
    }

    /// Whether a height is below the probability of `x` over that of the mode; `of_variance` is one over the variance.
    fn is_below(&self, height: f64, x: f64, n: f64, of_variance: f64, mode: f64) -> bool {
        let height = height.ln();
        let far = (x - mode).abs();
        if (far + 1.0) * of_variance <= 0.5 {
            // The normal curve is off by no more than this.
            let off = far * of_variance * (((far * (1.0 / 3.0) + 0.625) * far + 1.0 / 6.0) * of_variance + 0.5);
            let normal = -0.5 * far * far * of_variance;
            if (height - normal).abs() > off {
                return height < normal;
            }
        }
        height <= self.ln_share(x, n, mode)
    }

    /// The log of the probability of `x` over that of the mode: within 1e-8, by Stirling's series where that is
    /// so.
    fn ln_share(&self, x: f64, n: f64, mode: f64) -> f64 {
        let (rest, rest_of_mode) = (n - x, n - mode);
        if x.min(rest).min(mode) < STIRLING.0 || n > STIRLING.1 {
            return ln_binomial_pmf(x, n, self.p) - ln_binomial_pmf(mode, n, self.p);
        }
        let error = |x: f64| {
            let squared = 1.0 / (x * x);
            (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - squared / 1680.0) * squared) * squared) / x
        };
        (x - mode) * (self.odds * rest_of_mode / mode).ln()
            - (x + 0.5) * (x / mode).ln()
            - (rest + 0.5) * (rest / rest_of_mode).ln()
            + (error(mode) - error(x))
            + (error(rest_of_mode) - error(rest))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::rng::stream;
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
        // Beside each other: counted up, rejected, none.
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
    fn the_squeeze_is_never_wrong() {
        // Of every outcome within nine standard deviations: points by the normal curve on either side of the probability.
        for n in [20.0, 35.0, 90.0, 400.0, 3_000.0, 40_000.0] {
            for p in [10.0 / n, 14.0 / n, 20.0 / n, 0.11, 0.3, 0.49, 0.5].into_iter().filter(|p| *p <= 0.5) {
                if n * p < REJECTED {
                    continue;
                }
                let (trials, variance, mode) = (Trials::new(p), n * p * (1.0 - p), ((n + 1.0) * p).floor());
                let reach = 9.0 * variance.sqrt();
                let mut x = (mode - reach).floor().max(0.0);
                while x <= (mode + reach).min(n) {
                    let share = (ln_binomial_pmf(x, n, p) - ln_binomial_pmf(mode, n, p)).exp();
                    assert!(trials.is_below(share * (1.0 - 1e-9), x, n, 1.0 / variance, mode), "{n} {p} {x}");
                    assert!(!trials.is_below(share * (1.0 + 1e-9), x, n, 1.0 / variance, mode), "{n} {p} {x}");
                    x += 1.0;
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
