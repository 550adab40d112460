//! The extremes over all pairs of many groups, without looking at all pairs.

use super::interval::Interval;
use super::rate::wilson_at;

/// A group's part in the intervals of its differences from others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Side {
    /// The estimate.
    value: f64,
    /// The squared distance from the estimate down to its lower limit, and up to its upper one.
    below: f64,
    above: f64,
    /// Half of the step in which the estimate can move, 0 if it moves continuously; a pair takes the larger one.
    grain: f64,
}

impl Side {
    /// A rate, by Wilson's limits at `c` standard deviations; `n > 0`.
    pub(crate) fn of_rate(x: f64, n: f64, c: f64) -> Self {
        let value = x / n;
        let limits = wilson_at(x, n, c);
        let (down, up) = (value - limits.low, limits.high - value);
        Self { value, below: down * down, above: up * up, grain: 0.5 / n }
    }

    /// An estimate that is about normal.
    pub(crate) fn of_normal(value: f64, se: f64, c: f64) -> Self {
        let squared = c * se * (c * se);
        Self { value, below: squared, above: squared, grain: 0.0 }
    }
}

/// Over all ordered pairs, the largest lower limit and the largest upper limit of the difference, by square-and-add.
pub(crate) fn extreme_pairs(sides: &[Side]) -> Interval {
    // Both bounds split into a part of i and a part of j, and are tight where variances are equal:
    // √(v + w) >= (√v + √w)/√2, and √(v + w) <= (v + w)/2t + t/2 for any t > 0.
    let part = |v: f64, grain: f64| -(0.5 * v).sqrt() - 0.5 * grain;
    let up: Vec<f64> = sides.iter().map(|s| s.value + part(s.below, s.grain)).collect();
    let down: Vec<f64> = sides.iter().map(|s| -s.value + part(s.above, s.grain)).collect();
    let low = best_pair(&up, &down, |i, j| {
        let (a, b) = (sides[i], sides[j]);
        a.value - b.value - a.grain.max(b.grain) - (a.below + b.above).sqrt()
    });
    let far = |reach: &dyn Fn(&Side) -> f64| {
        let mut order = sides.iter();
        let first = order.next().copied();
        order.fold(first, |best, s| best.filter(|best| reach(best) >= reach(s)).or(Some(*s)))
    };
    let top = far(&|s| s.value + s.above.sqrt()).map_or(0.0, |s| s.above);
    let bottom = far(&|s| s.below.sqrt() - s.value).map_or(0.0, |s| s.below);
    let t = (top + bottom).sqrt().max(f64::MIN_POSITIVE.sqrt());
    let part = |v: f64, grain: f64| v / (2.0 * t) + t / 4.0 + grain;
    let up: Vec<f64> = sides.iter().map(|s| s.value + part(s.above, s.grain)).collect();
    let down: Vec<f64> = sides.iter().map(|s| -s.value + part(s.below, s.grain)).collect();
    let high = best_pair(&up, &down, |i, j| {
        let (a, b) = (sides[i], sides[j]);
        a.value - b.value + a.grain.max(b.grain) + (a.above + b.below).sqrt()
    });
    Interval { low, high }
}

/// The largest `exact(i, j)` over `i ≠ j`, where `up[i] + down[j]` is never below it: exact, by branch and bound.
pub(crate) fn best_pair(up: &[f64], down: &[f64], exact: impl Fn(usize, usize) -> f64) -> f64 {
    let order = |keys: &[f64]| {
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_unstable_by(|&i, &j| keys[j].total_cmp(&keys[i]));
        order
    };
    let (ups, downs) = (order(up), order(down));
    let mut best = f64::NEG_INFINITY;
    for &i in &ups {
        if up[i] + down[downs[0]] <= best {
            break;
        }
        for &j in &downs {
            if up[i] + down[j] <= best {
                break;
            }
            if i != j {
                best = best.max(exact(i, j));
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pruning_is_exact() {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as f64 / (1u64 << 31) as f64
        };
        for k in [2, 3, 7, 40, 200] {
            let sides: Vec<Side> = (0..k)
                .map(|_| Side {
                    value: next(),
                    below: next().powi(4) * 0.3,
                    above: next().powi(4) * 0.3,
                    grain: next().powi(4) * 0.05,
                })
                .collect();
            let (mut low, mut high) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
            for (i, a) in sides.iter().enumerate() {
                for (_, b) in sides.iter().enumerate().filter(|other| other.0 != i) {
                    let (d, grain) = (a.value - b.value, a.grain.max(b.grain));
                    low = low.max(d - grain - (a.below + b.above).sqrt());
                    high = high.max(d + grain + (a.above + b.below).sqrt());
                }
            }
            let found = extreme_pairs(&sides);
            assert!((found.low - low).abs() < 1e-12 && (found.high - high).abs() < 1e-12);
        }
    }
}
