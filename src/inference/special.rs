//! Special functions that keep their accuracy where audits take them: far tails, and counts up to 1e10.
//!
//! `statrs` supplies erf, gamma and the incomplete gamma function. The incomplete beta function is done here: the
//! library's stops its continued fraction after 141 terms, which is too early for counts past some thousands.

use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};
use std::sync::OnceLock;

use statrs::function::erf::{erfc, erfc_inv};
use statrs::function::gamma::{checked_gamma_ur, ln_gamma};

use super::roots::root;

/// `ln √(2π)`.
const LN_SQRT_2PI: f64 = 0.918_938_533_204_672_8;

/// The standard normal distribution function.
pub(crate) fn normal_cdf(z: f64) -> f64 {
    0.5 * erfc(-z * FRAC_1_SQRT_2)
}

/// The standard normal upper tail, accurate far out.
pub(crate) fn normal_sf(z: f64) -> f64 {
    0.5 * erfc(z * FRAC_1_SQRT_2)
}

/// The standard normal density.
pub(crate) fn normal_pdf(z: f64) -> f64 {
    (-0.5 * z * z - LN_SQRT_2PI).exp()
}

/// The standard normal quantile; `p` in (0, 1), most accurate below 0.5.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    -SQRT_2 * erfc_inv(2.0 * p)
}

/// The upper tail of chi-square with `df > 0` degrees of freedom.
pub(crate) fn chi_square_sf(x: f64, df: f64) -> f64 {
    if x > 0.0 { checked_gamma_ur(df / 2.0, x / 2.0).unwrap_or(0.0).clamp(0.0, 1.0) } else { 1.0 }
}

/// Stirling's error `ln Γ(x + 1) − [(x + ½) ln x − x + ln √(2π)]`, for `x >= 0` (0 at 0 by convention of use).
///
/// # References
/// Loader (2000), Fast and accurate computation of binomial probabilities.
fn stirling_error(x: f64) -> f64 {
    if x < 10.0 {
        if x <= 0.0 {
            return 0.0;
        }
        return ln_gamma(x + 1.0) - (x + 0.5) * x.ln() + x - LN_SQRT_2PI;
    }
    let x2 = x * x;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / 1188.0 / x2) / x2) / x2) / x2) / x
}

/// Loader's deviance part `x ln(x / m) + m − x`, without cancellation near `x = m`.
fn deviance(x: f64, m: f64) -> f64 {
    if x <= 0.0 {
        return m;
    }
    let e = (x - m) / m;
    if e.abs() < 0.1 {
        // (1 + e) ln(1 + e) − e by its series: Σ (−e)^k / (k (k − 1)), k >= 2.
        let (mut sum, mut power) = (0.0, e * e);
        let mut k = 2.0;
        loop {
            let term = power / (k * (k - 1.0));
            sum += term;
            if term.abs() <= 1e-17 * sum || k > 40.0 {
                return m * sum;
            }
            power *= -e;
            k += 1.0;
        }
    }
    x * (x / m).ln() + m - x
}

/// The log of the binomial probability of `x` in `n` at rate `p`: accurate to about 1e-13 for any size, by the
/// saddle-point form.
pub(crate) fn ln_binomial_pmf(x: f64, n: f64, p: f64) -> f64 {
    if p <= 0.0 {
        return if x == 0.0 { 0.0 } else { f64::NEG_INFINITY };
    }
    if p >= 1.0 {
        return if x == n { 0.0 } else { f64::NEG_INFINITY };
    }
    if x == 0.0 {
        return n * (-p).ln_1p();
    }
    if x == n {
        return n * p.ln();
    }
    let y = n - x;
    stirling_error(n)
        - stirling_error(x)
        - stirling_error(y)
        - deviance(x, n * p)
        - deviance(y, n * (1.0 - p))
        - LN_SQRT_2PI
        - 0.5 * (x / n * y).ln()
}

/// The log density of Beta(a, b) at `t` in (0, 1), from the binomial form so that large `a`, `b` lose nothing.
fn ln_beta_density(t: f64, a: f64, b: f64) -> f64 {
    // Beta(a, b) density = ab / (a + b) / (t (1 − t)) · Bin(a; a + b, t), with factorials by gamma.
    let n = a + b;
    ln_binomial_pmf(a, n, t) + (a / n * b).ln() - t.ln() - (-t).ln_1p()
}

/// The Beta(a, b) distribution function and its upper tail at `x`, given with `y = 1 − x` so that neither loses digits
/// near an end; `a, b > 0`.
fn beta_tails(x: f64, y: f64, a: f64, b: f64) -> (f64, f64) {
    if x > y {
        let (upper, lower) = beta_tails(y, x, b, a);
        return (lower, upper);
    }
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if a.min(b) > 3000.0 {
        return beta_tails_by_quadrature(x, a, b);
    }
    let front = (ln_binomial_pmf(a, a + b, x) + (a / (a + b) * b).ln()).exp();
    // Each fraction converges fast on its own side of the mean, and gives the tail beyond `x` with all its digits.
    let excess = a * y - b * x;
    if excess >= 0.0 {
        let lower = (front / beta_fraction(x, y, a, b, excess)).min(1.0);
        (lower, 1.0 - lower)
    } else {
        let upper = (front / beta_fraction(y, x, b, a, -excess)).min(1.0);
        (1.0 - upper, upper)
    }
}

/// The denominator of the incomplete beta function's continued fraction (BFRAC of Didonato and Morris), by Lentz's method;
/// `excess = a y − b x` comes from the caller, free of cancellation.
///
/// # References
/// Didonato, Morris (1992), Algorithm 708, ACM Transactions on Mathematical Software 18.
fn beta_fraction(x: f64, y: f64, a: f64, b: f64, excess: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let guard = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut h = guard(a * (excess + 1.0) / (a + 1.0));
    let (mut c, mut d) = (h, 0.0);
    for m in 1..3000 {
        let m = f64::from(m);
        let even = a + 2.0 * m - 1.0;
        let top = (a + m - 1.0) / even * ((a + b + m - 1.0) / even) * m * (b - m) * x * x;
        let bottom = m + m * (b - m) * x / even + (a + m) * (excess + 1.0 + m * (1.0 + y)) / (a + 2.0 * m + 1.0);
        d = 1.0 / guard(bottom + top * d);
        c = guard(bottom + top / c);
        let factor = c * d;
        h *= factor;
        if (factor - 1.0).abs() < 1e-15 {
            break;
        }
    }
    h
}

/// The probabilities of at most `x` and of more than `x` in `n` trials, both whole numbers, at rate `p` in (0, 1).
pub(crate) fn binomial_tails(x: f64, n: f64, p: f64) -> (f64, f64) {
    if x >= n { (1.0, 0.0) } else { beta_tails(1.0 - p, p, n - x, x + 1.0) }
}

/// The tails for large shapes: Gauss–Legendre quadrature of the density from `x` outwards, 12 standard deviations.
fn beta_tails_by_quadrature(x: f64, a: f64, b: f64) -> (f64, f64) {
    let n = a + b;
    let mean = a / n;
    let sd = (a / n * (b / n) / (n + 1.0)).sqrt();
    let outward = if x < mean { -1.0 } else { 1.0 };
    let end = (x + outward * 12.0 * sd).clamp(0.0, 1.0);
    let half = 0.5 * (end - x).abs();
    let middle = 0.5 * (end + x);
    let tail: f64 = gauss_legendre()
        .iter()
        .map(|&(node, weight)| {
            let t = middle + half * node;
            if t > 0.0 && t < 1.0 { weight * ln_beta_density(t, a, b).exp() } else { 0.0 }
        })
        .sum::<f64>()
        * half;
    let tail = tail.clamp(0.0, 1.0);
    if outward < 0.0 { (tail, 1.0 - tail) } else { (1.0 - tail, tail) }
}

/// The Beta(a, b) quantile of the lower tail probability `p` in (0, 1), for `a, b > 0`, to about 1e-12 relative.
pub(crate) fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    // Solved on the logit scale: bounded curvature near both ends, and steps cannot leave (0, 1).
    let inverse = |u: f64| {
        let small = (-u.abs()).exp() / (1.0 + (-u.abs()).exp());
        let large = 1.0 / (1.0 + (-u.abs()).exp());
        if u < 0.0 { (small, large) } else { (large, small) }
    };
    // The difference of log tails is nearly linear in the logit, so that few steps are needed.
    let target = if p < 0.5 { p.ln() } else { (1.0 - p).ln() };
    let miss = |u: f64| {
        let (x, y) = inverse(u);
        let (lower, upper) = beta_tails(x, y, a, b);
        if p < 0.5 { target - lower.max(f64::MIN_POSITIVE).ln() } else { upper.max(f64::MIN_POSITIVE).ln() - target }
    };
    let sd = (1.0 / a + 1.0 / b).sqrt().min(20.0);
    let guess = (a / b).ln() + sd * normal_quantile(p);
    let (mut low, mut high) = (guess - 0.05 * sd, guess + 0.05 * sd);
    let (mut miss_low, mut miss_high) = (miss(low), miss(high));
    let mut step = 0.2 * sd;
    while miss_low < 0.0 && low > -740.0 {
        (high, miss_high) = (low, miss_low);
        low -= step;
        miss_low = miss(low);
        step *= 2.0;
    }
    while miss_high > 0.0 && high < 740.0 {
        (low, miss_low) = (high, miss_high);
        high += step;
        miss_high = miss(high);
        step *= 2.0;
    }
    let bracket = ((low, miss_low), (high, miss_high));
    inverse(root(miss, bracket.0, bracket.1, 1e-13 * (1.0 + guess.abs()))).0
}

/// The 64-point Gauss–Legendre nodes and weights on [−1, 1].
pub(crate) fn gauss_legendre() -> &'static [(f64, f64); 64] {
    static NODES: OnceLock<[(f64, f64); 64]> = OnceLock::new();
    NODES.get_or_init(|| {
        let mut nodes = [(0.0, 0.0); 64];
        for i in 0..32 {
            let mut x = (PI * (i as f64 + 0.75) / 64.5).cos();
            let mut slope = 1.0;
            for _ in 0..10 {
                let (mut p0, mut p1) = (1.0, x);
                for k in 2..=64 {
                    let k = f64::from(k);
                    (p0, p1) = (p1, ((2.0 * k - 1.0) * x * p1 - (k - 1.0) * p0) / k);
                }
                slope = 64.0 * (x * p1 - p0) / (x * x - 1.0);
                x -= p1 / slope;
            }
            let weight = 2.0 / ((1.0 - x * x) * slope * slope);
            nodes[i] = (-x, weight);
            nodes[63 - i] = (x, weight);
        }
        nodes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64, relative: f64) {
        assert!((a / b - 1.0).abs() < relative, "{a} is not {b}");
    }

    #[test]
    fn quadrature_integrates_polynomials_and_exponentials() {
        let sum: f64 = gauss_legendre().iter().map(|&(x, w)| w * x.exp()).sum();
        close(sum, 1f64.exp() - (-1f64).exp(), 1e-14);
    }

    #[test]
    fn beta_quantiles_match_scipy() {
        // scipy 1.17.1 stats.beta.ppf.
        for (p, a, b, expected) in [
            (0.025, 3.0, 8.0, 0.06673951117773447),
            (0.975, 2.5, 9.5, 0.467243791022445),
            (0.025, 4500.0, 5500.0, 0.4402594699841093),
            (0.975, 4500.5, 5500.5, 0.45976399323956996),
            (0.025, 1e6, 3e6, 0.24957577383160803),
            (0.025, 5.0, 1e10, 1.6234863896619378e-10),
            (0.975, 6.0, 1e10, 1.1668332069598085e-09),
            (0.025, 4e9, 6e9, 0.39999039819559107),
            (0.025, 0.3, 0.4, 1.9004760079719087e-05),
            (1e-4, 120.0, 1e4, 0.008262960089576853),
            (0.9986481267917832, 0.5, 3247675176.794424 + 0.5, 1.5811803640913921e-09),
            (0.5, 2999.0, 1e9, 2.998657682278732e-06),
            (0.975, 1e10, 5.0, 1.0 - 1.6234863896619378e-10),
            (1e-5, 3001.0, 1e9, 2.7730604842531675e-06),
        ] {
            close(beta_quantile(p, a, b), expected, 1e-9);
        }
        assert!((0.0..1e-100).contains(&beta_quantile(0.025, 0.001, 10.0)));
    }

    #[test]
    fn binomial_probabilities_match_scipy() {
        // mpmath at 40 digits (scipy's logpmf has some ten).
        for (x, n, p, expected) in [
            (3.0, 10.0, 0.3, -1.321151277766889),
            (0.0, 10.0, 0.3, -3.5667494393873245),
            (2.5, 7.25, 0.3, -1.2386407138880565),
            (5000.0, 10000.0, 0.5, -4.830986538632777),
            (123456.0, 1e6, 0.12, -62.80550938039021),
        ] {
            close(ln_binomial_pmf(x, n, p), expected, 1e-12);
        }
        // (1 − 1e-10)^(1e10 − 1): scipy answers −1.0000025 here.
        close(ln_binomial_pmf(1.0, 1e10, 1e-10), -1.0 + 0.5e-10, 1e-12);
        let total: f64 = (0..=50).map(|x| ln_binomial_pmf(f64::from(x), 50.0, 0.07).exp()).sum();
        close(total, 1.0, 1e-13);
    }

    #[test]
    fn tails_match_scipy() {
        for (z, expected) in [
            (1.0, 0.15865525393145707),
            (5.0, 2.866515718791933e-07),
            (10.0, 7.61985302416047e-24),
            (35.5, 2.4576915406619372e-276),
        ] {
            // statrs' erfc keeps some ten digits.
            close(normal_sf(z), expected, 1e-9);
            close(normal_cdf(-z), expected, 1e-9);
        }
        for (x, df, expected) in [
            (3.84, 1.0, 0.05004352124870519),
            (1263.60251142705, 1.0, 9.183173449037498e-277),
            (1000.0, 900.0, 0.010994608942135844),
        ] {
            close(chi_square_sf(x, df), expected, 1e-10);
        }
    }
}
