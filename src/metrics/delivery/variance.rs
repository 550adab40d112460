//! How far each campaign's delivery is from its eligible audience, and how many campaigns are near enough.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::shares::{effective, share_noise};
use super::table::GroupDelivery;
use crate::inference::special::{chi_square_sf, ln_binomial_pmf};
use crate::inference::{multiplicity::Multiplicity, rate};
use crate::metrics::{Estimate, Support, Undefined};

/// The variance up to which a campaign counts as near enough, unless another is asked for.
pub const VARIANCE_LIMIT: f64 = 0.10;

/// How far a campaign's delivery is from its eligible audience.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliveryVariance {
    /// `½ Σ |delivered share − eligible share|`, in [0, 1]: the share of deliveries that would have to move.
    pub variance: Estimate,
    /// What chance alone would show on average under parity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<f64>,
    /// The variance less what chance would show; below 0 as often as above it under parity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excess: Option<f64>,
    /// The chance of such shares under parity, by the chi-square test of fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// It, adjusted by Benjamini and Hochberg over all campaigns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value_adjusted: Option<f64>,
}

/// The variance of a campaign's impressions from its eligible audience: `½ Σ_g |s_g − e_g|`, in [0, 1].
///
/// Eligible shares are taken as known. Impressions of one person are not independent, so a campaign whose people reached
/// are known counts as that many draws, not as its impressions: right where all see it equally often, and still too
/// sure where some see it far more often than others. Noise in the counts makes the draws fewer.
///
/// - `expected`: under parity, `½ Σ E|X_g/n − e_g|`: binomial means (De Moivre's closed form), or normal ones with noise.
/// - `excess`: unbiased at 0 under parity. Far from parity the chance part vanishes, and the excess is too small by up to
///   `expected`.
/// - The interval holds everywhere: from `Σ |ŝ − s| <= √(Σ (ŝ − s)²/s)`, half of `√(χ²/n)` to either side, so that its
///   lower end is above 0 only where the test of fit rejects as well. It is wide for many groups.
/// - The test is `n Σ (s − e)²/e` on groups − 1 degrees of freedom; rough where a group expects fewer than 5.
///
/// Undefined where nobody is eligible or nothing was shown ([`Undefined::NoRows`]), or with fewer than two groups
/// ([`Undefined::TooFewGroups`]). No test where a group without eligible people was shown something.
///
/// # References
/// `½ Σ |s − e|` is the total variation distance. Timmaraju et al. (2023), Towards fairness in personalized ads using
/// impression variance aware reinforcement learning, arXiv 2306.03293: Meta's Variance Reduction System compares the
/// distribution of *impressions* over groups with that of the *eligible audience*. That the settlement of Meta with the
/// United States counts exactly this scalar, and which small adverts it leaves out, is **not** confirmed: do not quote
/// this figure as
/// the settlement's. De Moivre (1730), via Diaconis, Zabell (1991), Statistical Science 6.
///
/// # Examples
/// ```
/// use evenhand::metrics::delivery::{GroupDelivery, delivery_variance};
/// let group = |eligible, impressions| GroupDelivery { eligible, impressions, ..GroupDelivery::default() };
/// let found = delivery_variance(&[group(500.0, 60.0), group(500.0, 40.0)], 0.95);
/// assert!((found.variance.value.unwrap() - 0.1).abs() < 1e-12);
/// assert!((found.p_value.unwrap() - 0.0455).abs() < 1e-4);
/// ```
pub fn delivery_variance(groups: &[GroupDelivery], level: f64) -> DeliveryVariance {
    let undefined = |reason| DeliveryVariance {
        variance: Estimate::undefined(reason, Support::default()),
        expected: None,
        excess: None,
        p_value: None,
        p_value_adjusted: None,
    };
    let used: Vec<&GroupDelivery> = groups.iter().filter(|g| g.eligible > 0.0 || g.impressions > 0.0).collect();
    let sum = |of: fn(&GroupDelivery) -> f64| used.iter().map(|g| of(g)).sum::<f64>();
    let (shown, eligible) = (sum(|g| g.impressions), sum(|g| g.eligible));
    if !(shown.is_finite() && eligible.is_finite()) {
        return undefined(Undefined::NotFinite);
    }
    if !(shown > 0.0 && eligible > 0.0) {
        return undefined(Undefined::NoRows);
    }
    if used.len() < 2 {
        return undefined(Undefined::TooFewGroups);
    }
    let impressions: Vec<f64> = used.iter().map(|g| g.impressions).collect();
    let counts: Vec<f64> = used.iter().map(|g| g.eligible).collect();
    let noise: Vec<f64> = used.iter().map(|g| g.noise).collect();
    let people: Option<f64> = used.iter().map(|g| g.reached).sum();
    let draws = draws(shown, people);
    let (mut total, mut fit, mut expected, mut fewest) = (0.0, 0.0, 0.0, draws);
    for i in 0..used.len() {
        let (s, e) = (impressions[i] / shown, counts[i] / eligible);
        let extra = share_noise(&impressions, &noise, i) + share_noise(&counts, &noise, i);
        total += (s - e).abs() / 2.0;
        fit += if s == e { 0.0 } else { (s - e) * (s - e) / e };
        expected += mean_deviation(draws, e, extra) / 2.0;
        fewest = f64::min(fewest, effective(e, draws, extra));
    }
    let df = used.len() as f64 - 1.0;
    let support = Support { rows: shown, weight: shown, effective_size: fewest };
    let mut variance = Estimate::of(total, support);
    if let Some(most) = ChiSquared::new(df).ok().map(|c| c.inverse_cdf(level)).filter(|q| q.is_finite()) {
        let half = (most / fewest).sqrt() / 2.0;
        variance = variance.between((total - half).max(0.0), (total + half).min(1.0));
    }
    DeliveryVariance {
        variance,
        expected: Some(expected),
        excess: Some(total - expected),
        p_value: fit.is_finite().then(|| chi_square_sf(fewest * fit, df)),
        p_value_adjusted: None,
    }
}

/// How many independent draws impressions are worth: people, where known, of whom there cannot be more.
pub(super) fn draws(impressions: f64, people: Option<f64>) -> f64 {
    people.filter(|p| *p >= 1.0).map_or(impressions, |p| p.min(impressions))
}

/// `E|X/n − p|` for a binomial X: `2 k (1 − p) P(X = k) / n` with `k = ⌊np⌋ + 1`; with noise, a normal's.
fn mean_deviation(n: f64, p: f64, extra: f64) -> f64 {
    if extra > 0.0 || n < 1.0 {
        return (2.0 / std::f64::consts::PI * (p * (1.0 - p) / n + extra)).sqrt();
    }
    let n = n.round();
    let k = (n * p).floor() + 1.0;
    if k > n { 0.0 } else { 2.0 * k * (1.0 - p) * ln_binomial_pmf(k, n, p).exp() / n }
}

/// Adjusts the p-values of campaigns by Benjamini and Hochberg; those without a test do not count.
pub fn adjust_variances(campaigns: &mut [DeliveryVariance]) {
    let tested: Vec<f64> = campaigns.iter().filter_map(|c| c.p_value).collect();
    let mut adjusted = Multiplicity::BenjaminiHochberg.adjust(&tested).into_iter();
    for c in campaigns.iter_mut().filter(|c| c.p_value.is_some()) {
        c.p_value_adjusted = adjusted.next();
    }
}

/// The share of campaigns whose variance is at most `limit`, with Wilson's interval over campaigns; campaigns without a
/// variance do not count. With `less_chance`, what chance alone shows is taken off first.
///
/// Undefined without campaigns ([`Undefined::NoRows`]). Small campaigns fail by chance: some 7 % of fair ones of four groups
/// and 100 impressions lie above 0.10.
///
/// # Examples
/// ```
/// use evenhand::metrics::delivery::{GroupDelivery, VARIANCE_LIMIT, delivery_variance, variance_coverage};
/// let group = |impressions| GroupDelivery { eligible: 500.0, impressions, ..GroupDelivery::default() };
/// let found = [55.0, 75.0].map(|x| delivery_variance(&[group(x), group(100.0 - x)], 0.95));
/// assert_eq!(variance_coverage(&found, VARIANCE_LIMIT, false, 0.95).value, Some(0.5));
/// ```
pub fn variance_coverage(campaigns: &[DeliveryVariance], limit: f64, less_chance: bool, level: f64) -> Estimate {
    let figures = campaigns.iter().filter_map(|c| if less_chance { c.excess } else { c.variance.value });
    let (mut near, mut all) = (0.0, 0.0);
    for figure in figures {
        all += 1.0;
        // Rounding must not fail a campaign that is at the limit.
        near += f64::from(figure <= limit + 1e-12);
    }
    let support = Support { rows: all, weight: all, effective_size: all };
    match rate::wilson(near, all, level) {
        Some(i) => Estimate::of(near / all, support).between(i.low, i.high),
        None => Estimate::undefined(Undefined::NoRows, support),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::rng::{binomial, stream};

    fn groups(eligible: &[f64], impressions: &[f64]) -> Vec<GroupDelivery> {
        let both = eligible.iter().zip(impressions);
        both.map(|(&eligible, &impressions)| GroupDelivery { eligible, impressions, ..Default::default() }).collect()
    }

    fn multinomial(rng: &mut impl rand::Rng, mut n: f64, shares: &[f64]) -> Vec<f64> {
        let mut left = 1.0;
        let mut draw = |&share: &f64| {
            let x = binomial(rng, n, share / left);
            n -= x;
            left -= share;
            x
        };
        shares.iter().map(&mut draw).collect()
    }

    #[test]
    fn debiased_variance_is_zero_under_parity_and_its_test_holds() {
        let mut rng = stream(11, 0, 0);
        let shares = [0.6, 0.18, 0.13, 0.09];
        let eligible = shares.map(|s| s * 1e6);
        for n in [100.0, 300.0, 1000.0] {
            let (mut mean, mut wrong, mut low) = (0.0, 0, 0);
            for _ in 0..4000 {
                let found = delivery_variance(&groups(&eligible, &multinomial(&mut rng, n, &shares)), 0.95);
                mean += found.excess.unwrap() / 4000.0;
                wrong += usize::from(found.p_value.unwrap() < 0.05);
                low += usize::from(found.variance.low.unwrap() > 0.0);
            }
            assert!(mean.abs() < 0.0015 * (100.0 / n).sqrt(), "{n}: {mean}");
            assert!((0.037..0.063).contains(&(wrong as f64 / 4e3)), "{n}: {wrong}");
            assert!(low <= wrong);
        }
    }

    #[test]
    fn interval_covers_a_true_skew() {
        let mut rng = stream(12, 0, 0);
        let delivered = [0.5, 0.2, 0.2, 0.1];
        let eligible = [600.0, 180.0, 130.0, 90.0];
        let mut covered = 0;
        for _ in 0..2000 {
            let found = delivery_variance(&groups(&eligible, &multinomial(&mut rng, 800.0, &delivered)), 0.95);
            let (low, high) = found.variance.interval().unwrap();
            covered += usize::from(low <= 0.1 && 0.1 <= high);
        }
        assert!(covered >= 1900, "{covered}");
    }

    #[test]
    fn mean_deviation_is_the_brute_sum() {
        for (n, p) in [(1.0, 0.3), (7.0, 0.5), (40.0, 0.025), (90.0, 0.99)] {
            let terms = (0..=n as usize).map(|x| (x as f64 / n - p).abs() * ln_binomial_pmf(x as f64, n, p).exp());
            assert!((terms.sum::<f64>() - mean_deviation(n, p, 0.0)).abs() < 1e-12, "{n} {p}");
        }
        assert_eq!(mean_deviation(5.0, 1.0, 0.0), 0.0);
    }

    #[test]
    fn people_count_not_impressions() {
        let mut some = groups(&[500.0, 500.0], &[600.0, 400.0]);
        let often = delivery_variance(&some, 0.95).p_value.unwrap();
        some.iter_mut().for_each(|g| g.reached = Some(g.impressions / 10.0));
        let seldom = delivery_variance(&some, 0.95).p_value.unwrap();
        assert!(often < 1e-9 && (seldom - 0.0455).abs() < 1e-4);
        some.iter_mut().for_each(|g| g.noise = 400.0);
        assert!(delivery_variance(&some, 0.95).p_value.unwrap() > seldom);
    }

    #[test]
    fn nasty_input() {
        let reason = |e: &[f64], x: &[f64]| delivery_variance(&groups(e, x), 0.95).variance.reason;
        assert_eq!(reason(&[], &[]), Some(Undefined::NoRows));
        assert_eq!(reason(&[0.0, 0.0], &[1.0, 1.0]), Some(Undefined::NoRows));
        assert_eq!(reason(&[5.0, 0.0], &[1.0, 0.0]), Some(Undefined::TooFewGroups));
        assert_eq!(reason(&[f64::NAN, 1.0], &[1.0, 1.0]), Some(Undefined::NotFinite));
        let impossible = delivery_variance(&groups(&[9.0, 0.0], &[1.0, 1.0]), 0.95);
        assert_eq!((impossible.variance.value, impossible.p_value), (Some(0.5), None));
        let mut none = [impossible];
        adjust_variances(&mut none);
        assert_eq!(none[0].p_value_adjusted, None);
        assert_eq!(variance_coverage(&[], 0.1, false, 0.95).reason, Some(Undefined::NoRows));
    }
}
