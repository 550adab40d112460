//! The studentised range of k independent standard normals (degrees of freedom infinite).

use std::cell::RefCell;

use super::interval::checked_level;
use super::roots::root_of_decreasing;
use super::special::{gauss_legendre, normal_cdf, normal_pdf, normal_quantile, normal_sf};

/// The distribution function of the range of `k` independent standard normals:
/// `P(R <= q) = k ∫ φ(z) [Φ(z) − Φ(z − q)]^(k−1) dz`, by 64-point Gauss–Legendre over the part that matters.
///
/// Accurate to about 1e-9 for k from 2 to 10,000. `q <= 0` (or NaN) gives 0; fewer than two groups have no range, so
/// that `k < 2` gives 1 for every `q >= 0`.
///
/// # References
/// Tukey (1953), The problem of multiple comparisons; Lund, Lund (1983), Algorithm AS 190, Applied Statistics 32.
///
/// ```
/// let p = evenhand::inference::worst::studentized_range_cdf(3.3145, 3);
/// assert!((p - 0.95).abs() < 1e-5);
/// ```
pub fn studentized_range_cdf(q: f64, k: usize) -> f64 {
    if k < 2 {
        return if q >= 0.0 { 1.0 } else { 0.0 };
    }
    if !(q > 0.0) {
        return 0.0;
    }
    let others = k as f64 - 1.0;
    // Below `low` even Φ(z)^(k−1) has vanished.
    let low = normal_quantile((-38.0 / others).exp()).max(-8.3);
    let high = 9.0;
    let half = 0.5 * (high - low);
    let sum: f64 = gauss_legendre()
        .iter()
        .map(|&(node, weight)| {
            let z = low + half * (node + 1.0);
            // 1 − (upper tail) − (lower tail): the two small parts are exact where the power is large.
            let outside = normal_sf(z) + normal_cdf(z - q);
            weight * normal_pdf(z) * (others * (-outside.min(1.0)).ln_1p()).exp()
        })
        .sum();
    (k as f64 * half * sum).clamp(0.0, 1.0)
}

/// The quantile of the range of `k` independent standard normals: the `q` with `P(R <= q) = p`.
///
/// `k < 2` gives 0; `p` outside (0, 1) is moved to 0 (quantile 0) or to 1 − 1e-12.
///
/// ```
/// use evenhand::inference::worst::studentized_range_quantile;
/// assert!((studentized_range_quantile(0.95, 2) - 2.771808).abs() < 1e-6);
/// assert!((studentized_range_quantile(0.95, 10) - 4.474124).abs() < 1e-6);
/// ```
pub fn studentized_range_quantile(p: f64, k: usize) -> f64 {
    /// The last answers of this thread: an audit asks for the same few again and again.
    const KEPT: usize = 16;
    thread_local! {
        static RECENT: RefCell<Vec<(u64, usize, f64)>> = const { RefCell::new(Vec::new()) };
    }
    if k < 2 || !(p > 0.0) {
        return 0.0;
    }
    let p = p.min(1.0 - 1e-12);
    let key = p.to_bits();
    let known =
        RECENT.with_borrow(|recent| recent.iter().find(|entry| entry.0 == key && entry.1 == k).map(|entry| entry.2));
    if let Some(q) = known {
        return q;
    }
    let q = solve(p, k);
    RECENT.with_borrow_mut(|recent| {
        if recent.len() >= KEPT {
            recent.remove(0);
        }
        recent.push((key, k, q));
    });
    q
}

/// The root on the log scale of `q`, from the quantile that independent pairs would have.
fn solve(p: f64, k: usize) -> f64 {
    let pairs = 0.5 * k as f64 * (k as f64 - 1.0);
    let each = checked_level(p.powf(1.0 / pairs)).unwrap_or(1.0 - f64::EPSILON);
    let guess = std::f64::consts::SQRT_2 * -normal_quantile((1.0 - each) / 2.0);
    let miss = |log: f64| p - studentized_range_cdf(log.exp(), k);
    root_of_decreasing(miss, guess.max(1e-12).ln(), 0.05, 60.0, 1e-13).map_or(guess, f64::exp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_match_scipy() {
        // scipy 1.17.1 stats.studentized_range.ppf(p, k, 1e9), p = .5, .9, .95, .99.
        let table = [
            (2, [0.9538725524089396, 2.3261743073533476, 2.771807648699355, 3.642772735436894]),
            (3, [1.5877877504463476, 2.9023802134282515, 3.314493155398122, 4.12030320646012]),
            (10, [3.0242015729725664, 4.129346398236873, 4.474124221725907, 5.156634960089622]),
            (30, [4.037342163737857, 4.997112865401611, 5.30128957403117, 5.910592386935943]),
            (60, [4.591012385731027, 5.479870103129084, 5.764388004145548, 6.337963644257415]),
            (1000, [6.437605640348307, 7.1386006266155055, 7.369627485138476, 7.843871612656791]),
            (10_000, [7.6606475892864285, 8.271455001589661, 8.475559692021012, 8.898269885497811]),
        ];
        for (k, quantiles) in table {
            for (p, expected) in [0.5, 0.9, 0.95, 0.99].into_iter().zip(quantiles) {
                let q = studentized_range_quantile(p, k);
                assert!((q - expected).abs() < 1e-6, "k {k} p {p}: {q} is not {expected}");
            }
        }
    }

    #[test]
    fn two_groups_are_a_normal_difference() {
        for q in [0.01, 0.5, 1.0, 2.0, 4.0] {
            let exact = 1.0 - 2.0 * normal_sf(q * std::f64::consts::FRAC_1_SQRT_2);
            assert!((studentized_range_cdf(q, 2) - exact).abs() < 1e-9, "{q}");
        }
        assert_eq!(studentized_range_cdf(-1.0, 5), 0.0);
        assert_eq!(studentized_range_quantile(0.95, 1), 0.0);
        assert!(studentized_range_quantile(1.0, 5).is_finite());
        assert!(studentized_range_quantile(1e-9, 5) > 0.0);
    }
}
