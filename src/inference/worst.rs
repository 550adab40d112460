//! Worst cases over many groups: max − min and min / max, honestly.
//!
//! The largest of many noisy differences is biased away from fair: ten groups of fifty rows at one rate show
//! a gap of 0.2 on average. So the interval must hold for all pairs at once.
//!
//! # References
//! Tukey 1953 and Kramer 1956 (simultaneous intervals for all pairs); Agresti and Caffo 2000 (one row of
//! either kind added); Šidák 1967.

use rand::SeedableRng;
use rand_distr::{Binomial, Distribution};
use rand_xoshiro::Xoshiro256PlusPlus;
use statrs::distribution::{Continuous, ContinuousCDF, Normal};

use super::{Interval, difference, rate, ratio};

/// A group's effective counts: `x` successes of `n`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupRate {
    /// Successes, at least 0 and at most `n`.
    pub x: f64,
    /// Trials, more than 0.
    pub n: f64,
}

impl GroupRate {
    fn rate(self) -> f64 {
        self.x / self.n
    }

    /// Whether the normal approximation would not do.
    fn is_small(self) -> bool {
        self.x.min(self.n - self.x) < SMALL_COUNT
    }
}

/// With fewer successes or failures than this in any group, exact limits are used.
const SMALL_COUNT: f64 = 5.0;

/// The level at which each of `m` separate intervals must hold for all to hold at `level`: level^(1/m).
pub fn sidak_level(level: f64, m: usize) -> f64 {
    level.powf(1.0 / m.max(1) as f64)
}

/// P(range of k standard normals ≤ q) = k ∫ φ(z) [Φ(z) − Φ(z − q)]^(k−1) dz: the studentised range
/// distribution with infinite degrees of freedom.
pub fn studentized_range_cdf(q: f64, k: usize) -> f64 {
    if q <= 0.0 || k < 2 {
        return 0.0;
    }
    let normal = Normal::standard();
    let integrand = |z: f64| normal.pdf(z) * (normal.cdf(z) - normal.cdf(z - q)).powi(k as i32 - 1);
    // Simpson's rule where φ lives; the integrand is smooth, and 600 panels leave less than 1e-10.
    let (from, to, panels) = (-8.5, 8.5, 600);
    let step = (to - from) / f64::from(panels);
    let inner = (1..panels).map(|i| integrand(from + f64::from(i) * step) * if i % 2 == 1 { 4.0 } else { 2.0 });
    (k as f64 * step / 3.0 * (integrand(from) + inner.sum::<f64>() + integrand(to))).min(1.0)
}

/// The quantile of [`studentized_range_cdf`].
///
/// # Examples
/// ```
/// let q = evenhand::inference::worst::studentized_range_quantile(0.95, 3);
/// assert!((q - 3.3145).abs() < 1e-4);
/// ```
pub fn studentized_range_quantile(p: f64, k: usize) -> f64 {
    let (mut low, mut high) = (0.0, 40.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if studentized_range_cdf(middle, k) < p { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// The factor on a pair's standard error for intervals that hold over all pairs of k groups.
fn pair_factor(level: f64, k: usize) -> f64 {
    use std::collections::HashMap;
    use std::sync::{LazyLock, Mutex, PoisonError};
    // An audit asks for the same few levels and numbers of groups over and over.
    static KNOWN: LazyLock<Mutex<HashMap<(u64, usize), f64>>> = LazyLock::new(Mutex::default);
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(factor) = known().get(&(level.to_bits(), k)) {
        return *factor;
    }
    let factor = studentized_range_quantile(level, k) / std::f64::consts::SQRT_2;
    known().insert((level.to_bits(), k), factor);
    factor
}

/// Folds an interval of a signed difference into one of its size.
fn fold(low: f64, high: f64) -> Interval {
    if low <= 0.0 && high >= 0.0 {
        Interval { low: 0.0, high: high.max(-low) }
    } else {
        Interval { low: low.abs().min(high.abs()), high: low.abs().max(high.abs()) }
    }
}

fn valid(groups: &[GroupRate]) -> bool {
    groups.len() > 1 && groups.iter().all(|g| g.n > 0.0 && g.n.is_finite() && g.x >= 0.0 && g.x <= g.n * (1.0 + 1e-9))
}

/// Each group's Clopper–Pearson limits at a level that holds for all groups.
fn box_limits(groups: &[GroupRate], level: f64) -> Option<Vec<Interval>> {
    let each = sidak_level(level, groups.len());
    groups.iter().map(|g| rate::clopper_pearson(g.x, g.n, each)).collect()
}

/// An interval for max − min over groups without a row in common; `None` for fewer than two groups.
///
/// Two groups: Newcombe's interval of the signed difference, folded. More: over all pairs
/// \[max(|d| − c·s), max(|d| + c·s)\], with c from the studentised range and s from rates with one row of
/// either kind added; where a group has fewer than five successes or failures, from every group's
/// Clopper–Pearson limits at the Šidák level.
///
/// # Examples
/// ```
/// use evenhand::inference::worst::{GroupRate, gap_interval};
/// let fair = [GroupRate { x: 31.0, n: 100.0 }, GroupRate { x: 25.0, n: 100.0 }, GroupRate { x: 35.0, n: 100.0 }];
/// assert_eq!(gap_interval(&fair, 0.95).unwrap().low, 0.0);
/// ```
pub fn gap_interval(groups: &[GroupRate], level: f64) -> Option<Interval> {
    if !valid(groups) {
        return None;
    }
    if let [a, b] = groups {
        let signed = difference::newcombe(a.x, a.n, b.x, b.n, level)?;
        return Some(fold(signed.low, signed.high));
    }
    if groups.iter().any(|g| g.is_small()) {
        let limits = box_limits(groups, level)?;
        let over = |pick: fn(f64, f64) -> f64, of: fn(&Interval) -> f64| limits.iter().map(of).reduce(pick);
        let low = over(f64::max, |i| i.low)? - over(f64::min, |i| i.high)?;
        let high = over(f64::max, |i| i.high)? - over(f64::min, |i| i.low)?;
        return Some(Interval { low: low.max(0.0), high: high.min(1.0) });
    }
    let pooled = pooled(groups);
    let spread = |g: &GroupRate| {
        let n = g.n + 2.0;
        let p = (g.x + 1.0) / n;
        Spread { value: p, error: (p * (1.0 - p) / n).sqrt(), equal: (pooled * (1.0 - pooled) / n).sqrt() }
    };
    let values: Vec<Spread> = groups.iter().map(spread).collect();
    let gap = extremes(groups).map(|(min, max)| max - min)?;
    // The added rows draw the centre in a little: the interval still holds the figure itself.
    all_pairs(&values, level).map(|i| Interval { low: i.low.min(gap), high: i.high.max(gap).min(1.0) })
}

/// An interval for min / max over groups without a row in common; `None` for fewer than two groups or
/// where no rate is above 0.
///
/// Two groups: Koopman's interval of the ratio, folded. More: as [`gap_interval`], on logarithms.
pub fn ratio_interval(groups: &[GroupRate], level: f64) -> Option<Interval> {
    if !valid(groups) || groups.iter().all(|g| g.x <= 0.0) {
        return None;
    }
    if let [a, b] = groups {
        let (less, more) = if a.rate() <= b.rate() { (a, b) } else { (b, a) };
        let ratio = ratio::koopman(less.x, less.n, more.x, more.n, level)?;
        let high = ratio.high.unwrap_or(f64::INFINITY);
        // Above 1 the other group is the lower one.
        return Some(if high > 1.0 {
            Interval { low: ratio.low.min(1.0 / high), high: 1.0 }
        } else {
            Interval { low: ratio.low, high }
        });
    }
    if groups.iter().any(|g| g.is_small()) {
        let limits = box_limits(groups, level)?;
        let over = |pick: fn(f64, f64) -> f64, of: fn(&Interval) -> f64| limits.iter().map(of).reduce(pick);
        let low = over(f64::min, |i| i.low)? / over(f64::max, |i| i.high)?;
        let most = over(f64::max, |i| i.low)?;
        let high = if most > 0.0 { over(f64::min, |i| i.high)? / most } else { 1.0 };
        return Some(Interval { low, high: high.min(1.0) });
    }
    let pooled = pooled(groups);
    let logs = |g: &GroupRate| {
        let n = g.n + 2.0;
        let p = (g.x + 1.0) / n;
        let error = |p: f64| ((1.0 - p) / (p * n)).sqrt();
        Spread { value: p.ln(), error: error(p), equal: error(pooled) }
    };
    let logs: Vec<Spread> = groups.iter().map(logs).collect();
    let ratio = extremes(groups).map(|(min, max)| min / max)?;
    let interval = all_pairs(&logs, level)?;
    Some(Interval { low: (-interval.high).exp().min(ratio), high: (-interval.low).exp().max(ratio) })
}

/// The least and the greatest rate.
fn extremes(groups: &[GroupRate]) -> Option<(f64, f64)> {
    let rates = groups.iter().map(|g| (g.rate(), g.rate()));
    rates.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

/// The rate of all groups together, with one row of either kind added.
fn pooled(groups: &[GroupRate]) -> f64 {
    let (x, n) = groups.iter().fold((0.0, 0.0), |sum, g| (sum.0 + g.x, sum.1 + g.n));
    (x + 1.0) / (n + 2.0)
}

/// An estimate with its standard error, and what that would be were all groups equal.
#[derive(Clone, Copy)]
struct Spread {
    value: f64,
    error: f64,
    equal: f64,
}

/// As [`gap_interval`], for any estimates that are about normal, given with their standard errors.
///
/// Takes time in the square of the number of groups up to a thousand; beyond, the pairs' ends are bounded
/// by those of the extreme groups, which is slightly wider.
pub fn gap_interval_normal(values: &[(f64, f64)], level: f64) -> Option<Interval> {
    let spreads: Vec<Spread> = values.iter().map(|(v, s)| Spread { value: *v, error: *s, equal: *s }).collect();
    all_pairs(&spreads, level)
}

/// The largest lower and the largest upper end of the sizes of all pairs' differences. A lower end above
/// zero claims a gap, so it must also be one by the error that equal groups would have: the groups at the
/// extremes look less noisy than they are.
fn all_pairs(values: &[Spread], level: f64) -> Option<Interval> {
    if values.len() < 2 || values.iter().any(|s| !s.value.is_finite() || !s.error.is_finite()) {
        return None;
    }
    let factor = pair_factor(level, values.len());
    let ends = |a: &Spread, b: &Spread| {
        let (gap, error) = ((a.value - b.value).abs(), a.error.hypot(b.error));
        (gap - factor * error.max(a.equal.hypot(b.equal)), gap + factor * error)
    };
    let (mut low, mut high) = (0.0f64, 0.0f64);
    if values.len() <= 1000 {
        for (i, a) in values.iter().enumerate() {
            for b in &values[..i] {
                let pair = ends(a, b);
                (low, high) = (low.max(pair.0), high.max(pair.1));
            }
        }
        return Some(Interval { low, high });
    }
    // |d| + c·hypot(s, t) ≤ |d| + c·(s + t): one group's upper end minus another's lower end bounds the
    // top. Any pair's lower end bounds the bottom; that of the outermost inner ends is near the best.
    let by = |sign: f64| {
        let end = move |s: &&Spread| s.value + sign * factor * s.error;
        let greatest = values.iter().max_by(|a, b| end(a).total_cmp(&end(b)));
        let least = values.iter().min_by(|a, b| end(a).total_cmp(&end(b)));
        greatest.zip(least)
    };
    let (upper, lower) = (by(1.0)?, by(-1.0)?);
    high = high.max((upper.0.value + factor * upper.0.error) - (lower.1.value - factor * lower.1.error));
    low = low.max(ends(lower.0, upper.1).0);
    Some(Interval { low, high })
}

/// As [`ratio_interval`], for any estimates above 0 that are about normal, given with their standard
/// errors, which are carried to the logarithm (delta method).
pub fn ratio_interval_normal(values: &[(f64, f64)], level: f64) -> Option<Interval> {
    if values.iter().any(|(v, _)| *v <= 0.0) {
        return None;
    }
    let logs: Vec<(f64, f64)> = values.iter().map(|(v, s)| (v.ln(), s / v)).collect();
    gap_interval_normal(&logs, level).map(|i| Interval { low: (-i.high).exp(), high: (-i.low).exp() })
}

/// The mean of a statistic of the groups' rates were all at the pooled rate.
fn under_equality(groups: &[GroupRate], replicates: usize, seed: u64, of: impl Fn(f64, f64) -> f64) -> Option<f64> {
    if !valid(groups) || replicates == 0 {
        return None;
    }
    let (x, n) = groups.iter().fold((0.0, 0.0), |sum, g| (sum.0 + g.x, sum.1 + g.n));
    let pooled = (x / n).clamp(0.0, 1.0);
    let whole = |g: &GroupRate| (g.n.round() as u64).max(1);
    let draws: Vec<(f64, Binomial)> =
        groups.iter().map(|g| Some((whole(g) as f64, Binomial::new(whole(g), pooled).ok()?))).collect::<Option<_>>()?;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let total: f64 = (0..replicates)
        .map(|_| {
            let rates = draws.iter().map(|(n, draw)| draw.sample(&mut rng) as f64 / n);
            let (min, max) = rates.fold((f64::INFINITY, 0.0f64), |ends, r| (ends.0.min(r), ends.1.max(r)));
            of(min, max)
        })
        .sum();
    Some(total / replicates as f64)
}

/// The max − min that noise alone shows on average: the mean over seeded draws in which all groups have the
/// pooled rate.
pub fn expected_null_gap(groups: &[GroupRate], replicates: usize, seed: u64) -> Option<f64> {
    under_equality(groups, replicates, seed, |min, max| max - min)
}

/// The min / max that noise alone shows on average; a draw in which nobody is selected counts as equal.
pub fn expected_null_ratio(groups: &[GroupRate], replicates: usize, seed: u64) -> Option<f64> {
    under_equality(groups, replicates, seed, |min, max| if max > 0.0 { min / max } else { 1.0 })
}

/// The variance of the groups' true rates, freed of what sampling adds: the variance of the observed rates
/// minus the mean of p(1 − p)/(n − 1). It can be below 0; `None` for fewer than two groups or a group of one row.
///
/// # References
/// Lum, Zhang, Bower 2022, *De-biasing "bias" measurement*.
pub fn between_variance(groups: &[GroupRate]) -> Option<f64> {
    if !valid(groups) || groups.iter().any(|g| g.n <= 1.0) {
        return None;
    }
    let k = groups.len() as f64;
    let mean = groups.iter().map(|g| g.rate()).sum::<f64>() / k;
    let observed = groups.iter().map(|g| (g.rate() - mean).powi(2)).sum::<f64>() / (k - 1.0);
    let sampling = groups.iter().map(|g| g.rate() * (1.0 - g.rate()) / (g.n - 1.0)).sum::<f64>() / k;
    Some(observed - sampling)
}

#[cfg(test)]
mod tests {
    use approx::assert_abs_diff_eq;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tabulated_studentised_ranges() {
        // Harter's table, infinite degrees of freedom, 5 % and 1 %.
        for (p, k, q) in [
            (0.95, 2, 2.772),
            (0.95, 3, 3.314),
            (0.95, 10, 4.474),
            (0.95, 20, 5.012),
            (0.99, 3, 4.120),
            (0.99, 10, 5.157),
        ] {
            assert_abs_diff_eq!(studentized_range_quantile(p, k), q, epsilon = 1e-3);
        }
    }

    fn groups() -> impl Strategy<Value = Vec<GroupRate>> {
        let group =
            (1u32..400).prop_flat_map(|n| (0..=n).prop_map(move |x| GroupRate { x: f64::from(x), n: f64::from(n) }));
        prop::collection::vec(group, 2..9)
    }

    proptest! {
        #[test]
        fn intervals_hold_the_figure_and_ignore_the_order(mut groups in groups()) {
            let rates: Vec<f64> = groups.iter().map(|g| g.rate()).collect();
            let (min, max) = (rates.iter().copied().fold(1.0, f64::min), rates.iter().copied().fold(0.0, f64::max));
            let gap = gap_interval(&groups, 0.95).unwrap();
            prop_assert!(gap.low <= max - min + 1e-9 && max - min <= gap.high + 1e-9, "{gap:?}");
            prop_assert!(0.0 <= gap.low && gap.high <= 1.0 + 1e-12);
            let ratio = ratio_interval(&groups, 0.95);
            prop_assert_eq!(ratio.is_none(), max == 0.0);
            if let Some(ratio) = ratio {
                prop_assert!(ratio.low <= min / max + 1e-9 && min / max <= ratio.high + 1e-9, "{ratio:?}");
                prop_assert!(0.0 <= ratio.low && ratio.high <= 1.0);
            }
            groups.reverse();
            let again = gap_interval(&groups, 0.95).unwrap();
            prop_assert!((again.low - gap.low).abs() < 1e-12 && (again.high - gap.high).abs() < 1e-12);
        }
    }

    /// How often fair data are claimed to have a gap or an uneven ratio.
    fn false_claims(k: usize, n: u64, p: f64) -> (f64, f64) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(17 + k as u64 + n);
        let draw = Binomial::new(n, p).unwrap();
        let runs = 1500;
        let mut claims = (0, 0);
        for _ in 0..runs {
            let groups: Vec<GroupRate> =
                (0..k).map(|_| GroupRate { x: draw.sample(&mut rng) as f64, n: n as f64 }).collect();
            claims.0 += usize::from(gap_interval(&groups, 0.95).is_some_and(|i| i.low > 0.0));
            claims.1 += usize::from(ratio_interval(&groups, 0.95).is_some_and(|i| i.high < 1.0));
        }
        (claims.0 as f64 / runs as f64, claims.1 as f64 / runs as f64)
    }

    #[test]
    fn fair_data_are_seldom_called_unfair() {
        for (k, n, p) in
            [(2, 200, 0.3), (2, 50, 0.1), (10, 50, 0.3), (10, 500, 0.3), (30, 50, 0.3), (5, 100, 0.05), (4, 30, 0.9)]
        {
            let (gap, ratio) = false_claims(k, n, p);
            // 5 % and three standard errors of 1,500 runs.
            assert!(gap < 0.067 && ratio < 0.067, "{k} groups of {n} at {p}: gap {gap}, ratio {ratio}");
        }
    }

    #[test]
    fn noise_alone_shows_what_was_published() {
        // Ten groups of 50 at one rate show a gap of about 0.198 (rate 0.3).
        let groups = [GroupRate { x: 15.0, n: 50.0 }; 10];
        let gap = expected_null_gap(&groups, 4000, 1).unwrap();
        assert_abs_diff_eq!(gap, 0.198, epsilon = 0.005);
        assert!(expected_null_ratio(&groups, 4000, 1).unwrap() < 0.6);
        assert_eq!(expected_null_gap(&groups[..1], 10, 1), None);
    }

    #[test]
    fn the_corrected_variance_is_unbiased() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
        let mean_of = |rates: [f64; 3], rng: &mut Xoshiro256PlusPlus| {
            let one = |rng: &mut Xoshiro256PlusPlus| {
                let groups = rates.map(|p| GroupRate { x: Binomial::new(60, p).unwrap().sample(rng) as f64, n: 60.0 });
                between_variance(&groups).unwrap()
            };
            (0..4000).map(|_| one(rng)).sum::<f64>() / 4000.0
        };
        assert_abs_diff_eq!(mean_of([0.3; 3], &mut rng), 0.0, epsilon = 2e-4);
        assert_abs_diff_eq!(mean_of([0.2, 0.3, 0.4], &mut rng), 0.01, epsilon = 5e-4);
    }

    #[test]
    fn ten_thousand_groups_are_bounded_by_the_pairs() {
        let value = |i: usize| (((i * 7919) % 1000) as f64 / 1000.0, 0.01 + (i % 7) as f64 / 300.0);
        let many: Vec<(f64, f64)> = (0..10_000).map(value).collect();
        let interval = gap_interval_normal(&many, 0.95).unwrap();
        let few = gap_interval_normal(&many[..900], 0.95).unwrap();
        assert!(interval.low <= interval.high && interval.high >= few.high * 0.9 && interval.low > 0.0);
    }
}
