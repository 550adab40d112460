//! The noncentral chi-square distribution, and what a chi-square statistic says about the disparity behind it.

use statrs::function::gamma::ln_gamma;

use super::interval::{Interval, checked_level};
use super::roots::root;
use super::special::{chi_square_sf, normal_sf};

/// Noncentralities from which Sankaran's approximation (off by less than 1e-6 there) takes over from the exact sum.
const FAR: f64 = 1e4;

/// The upper tail of the noncentral chi-square distribution, `P(X > x)` for `df > 0` and noncentrality `lambda >= 0`.
///
/// A Poisson mixture of chi-square tails, summed outwards from its largest weight; each tail follows from the one before
/// it. Accurate to some 1e-12 (absolute), beyond a noncentrality of 10,000 to 1e-6.
///
/// # References
/// Johnson, Kotz, Balakrishnan (1995), Continuous univariate distributions 2, chapter 29; Sankaran (1963), Biometrika 50.
pub(crate) fn noncentral_chi_square_sf(x: f64, df: f64, lambda: f64) -> f64 {
    if !(x > 0.0) {
        return 1.0;
    }
    if !(lambda > 0.0) {
        return chi_square_sf(x, df);
    }
    if lambda > FAR {
        return sankaran_sf(x, df, lambda);
    }
    let (y, half) = (x / 2.0, lambda / 2.0);
    let middle = half.floor();
    let ln_weight = middle * half.ln() - half - ln_gamma(middle + 1.0);
    // The step from one tail to the next: y^a e^(−y) / Γ(a + 1).
    let step = |a: f64| (a * y.ln() - y - ln_gamma(a + 1.0)).exp();
    let start = chi_square_sf(x, df + 2.0 * middle);
    let mut sum = 0.0;
    let (mut j, mut weight, mut tail, mut a) = (middle, ln_weight.exp(), start, df / 2.0 + middle);
    let mut next = step(a);
    while weight > 1e-17 {
        sum += weight * tail;
        tail = (tail + next).min(1.0);
        a += 1.0;
        next *= y / a;
        j += 1.0;
        weight *= half / j;
    }
    let (mut j, mut weight, mut tail, mut a) = (middle, ln_weight.exp(), start, df / 2.0 + middle);
    let mut last = step(a) * a / y;
    while j >= 1.0 && weight > 1e-17 {
        weight *= j / half;
        j -= 1.0;
        a -= 1.0;
        tail = (tail - last).max(0.0);
        last *= a / y;
        sum += weight * tail;
    }
    sum.clamp(0.0, 1.0)
}

/// Sankaran's normal approximation by a power of X.
fn sankaran_sf(x: f64, df: f64, lambda: f64) -> f64 {
    let (mean, twice) = (df + lambda, df + 2.0 * lambda);
    let h = 1.0 - 2.0 * mean * (df + 3.0 * lambda) / (3.0 * twice * twice);
    let p = twice / (mean * mean);
    let m = (h - 1.0) * (1.0 - 3.0 * h);
    let centre = 1.0 + h * p * (h - 1.0 - 0.5 * (2.0 - h) * m * p);
    normal_sf(((x / mean).powf(h) - centre) / (h * (2.0 * p).sqrt() * (1.0 + 0.5 * m * p)))
}

/// The noncentralities that a chi-square statistic does not reject at `level`, both tails alike: `P(X > x) = (1 − level)/2`
/// at the low end (0 where the test does not reject at that tail), `P(X <= x) = (1 − level)/2` at the high end.
///
/// A statistic below its degrees of freedom is taken for them at the high end: the exact limit shrinks to 0 where groups
/// are alike by chance, and would prove equality that the rows cannot prove. `None` where the statistic is negative or not
/// finite, there are no degrees of freedom, or the level is outside (0, 1).
///
/// # References
/// Kent, Hainsworth (1995), Confidence intervals for the noncentral chi-squared distribution, J. Statistical Planning and
/// Inference 46 (the problem); Smithson (2003), Confidence intervals.
pub(crate) fn noncentrality(statistic: f64, df: f64, level: f64) -> Option<Interval> {
    let tail = (1.0 - checked_level(level)?) / 2.0;
    let valid = statistic >= 0.0 && statistic.is_finite() && df > 0.0 && df.is_finite();
    if !valid {
        return None;
    }
    // Solved for the root of λ, on whose scale the distribution keeps its width.
    let above = |x: f64, t: f64| noncentral_chi_square_sf(x, df, t * t);
    let at_zero = chi_square_sf(statistic, df);
    let low = if at_zero >= tail {
        0.0
    } else {
        let top = statistic.sqrt();
        root(|t| above(statistic, t) - tail, (0.0, at_zero - tail), (top, above(statistic, top) - tail), 1e-9)
    };
    let x = statistic.max(df);
    let (mut end, mut step) = (x.sqrt(), 2.0);
    let miss = |t: f64| 1.0 - above(x, t) - tail;
    while miss(end) > 0.0 && step < 1e4 {
        end += step;
        step *= 2.0;
    }
    let high = root(miss, (0.0, miss(0.0)), (end, miss(end)), 1e-9);
    Some(Interval { low: low * low, high: high * high })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_match_scipy() {
        // scipy 1.17.1 stats.ncx2.sf.
        for (x, df, lambda, expected, within) in [
            (10.0, 4.0, 3.0, 0.21623681831821898, 1e-11),
            (2.0, 4.0, 3.0, 0.9089083788101096, 1e-11),
            (50.0, 4.0, 30.0, 0.08810206108961842, 1e-11),
            (2073.7, 4.0, 2000.0, 0.21672678517924285, 1e-9),
            (30.0, 28.0, 0.5, 0.38881038603584456, 1e-11),
            (15000.0, 4.0, 15500.0, 0.9791577516543373, 1e-6),
            (15600.0, 7.5, 15500.0, 0.3538670373185744, 1e-6),
            (1e6, 4.0, 997_000.0, 0.06685571101134513, 1e-6),
        ] {
            let found = noncentral_chi_square_sf(x, df, lambda);
            assert!((found - expected).abs() < within, "{x} {df} {lambda}: {found} is not {expected}");
        }
    }

    #[test]
    fn limits_invert_the_tails() {
        for (x, df, level) in [(12.0, 4.0, 0.95), (40.0, 21.0, 0.9), (2073.7, 4.0, 0.95), (1e7, 4.0, 0.999)] {
            let tail = (1.0 - level) / 2.0;
            let found = noncentrality(x, df, level).unwrap();
            assert!(found.low == 0.0 || (noncentral_chi_square_sf(x, df, found.low) - tail).abs() < 1e-7);
            assert!((1.0 - noncentral_chi_square_sf(x, df, found.high) - tail).abs() < 1e-7, "{x} {found:?}");
        }
        assert_eq!(noncentrality(3.0, 4.0, 0.95).unwrap().low, 0.0);
        // Groups alike by chance prove nothing.
        assert!(noncentrality(0.0, 4.0, 0.95).unwrap().high > 5.0);
        assert_eq!(noncentrality(f64::NAN, 4.0, 0.95), None);
        assert_eq!(noncentrality(1.0, 0.0, 0.95), None);
        assert_eq!(noncentrality(1.0, 1.0, 1.0), None);
    }
}
