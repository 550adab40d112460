//! The paired-advert test: two adverts for like jobs or goods, shown at the same time to the same audience.

use serde::{Deserialize, Serialize};

use super::shares::effective;
use crate::inference::special::normal_sf;
use crate::inference::{difference, hypothesis, multiplicity::Multiplicity};
use crate::metrics::{Estimate, Support, Undefined};

/// Whom one advert reached.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct AdSide {
    /// People of the group reached (impressions where people are not known).
    pub group: f64,
    /// People of all groups reached.
    pub all: f64,
    /// The variance that noise in the counts adds to the share; 0 for none.
    pub share_noise: f64,
}

/// Two adverts to compare.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PairedAds {
    /// What to call the pair.
    pub name: String,
    /// The first advert.
    pub first: AdSide,
    /// The second.
    pub second: AdSide,
}

/// What a pair shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairedTest {
    /// The pair.
    pub name: String,
    /// The group's share among those whom the first advert reached less that of the second, in [-1, 1].
    pub difference: Estimate,
    /// The statistic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub z: Option<f64>,
    /// The two-sided p-value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// The one-sided p-value of "the first reaches more of the group", for a direction foreseen before the test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value_first_higher: Option<f64>,
    /// The two-sided p-value after Holm's adjustment for the number of pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value_adjusted: Option<f64>,
}

/// Tests every pair and adjusts by Holm: `Z = (s1 − s2) / √(ŝ(1 − ŝ)(1/n1 + 1/n2))`, `ŝ` the pooled share.
///
/// The audience, budget and time of both adverts must be the same, and the adverts must ask for the same qualification:
/// then a difference is skew that qualification does not explain. Noise enters by smaller effective counts. The interval
/// is Newcombe's. Undefined where a side reached nobody ([`Undefined::NoRows`]) or a count is out of range
/// ([`Undefined::NotFinite`]); there is no test where both adverts reached nobody, or nobody else.
///
/// # References
/// Imana, Korolova, Heidemann (2021), Auditing for discrimination in algorithms delivering job ads, WWW '21.
///
/// # Examples
/// ```
/// use evenhand::metrics::delivery::{AdSide, PairedAds, paired_tests};
/// let side = |group, all| AdSide { group, all, share_noise: 0.0 };
/// let pair = PairedAds { name: "drivers".into(), first: side(300.0, 600.0), second: side(240.0, 600.0) };
/// let tests = paired_tests(&[pair], 0.95);
/// assert!((tests[0].difference.value.unwrap() - 0.1).abs() < 1e-12);
/// assert!((tests[0].z.unwrap() - 3.4816).abs() < 1e-4);
/// ```
pub fn paired_tests(pairs: &[PairedAds], level: f64) -> Vec<PairedTest> {
    let mut tests: Vec<PairedTest> = pairs.iter().map(|pair| test(pair, level)).collect();
    // Pairs without a test could never have been found: they do not count.
    let tested: Vec<f64> = tests.iter().filter_map(|t| t.p_value).collect();
    let mut adjusted = Multiplicity::Holm.adjust(&tested).into_iter();
    for t in tests.iter_mut().filter(|t| t.p_value.is_some()) {
        t.p_value_adjusted = adjusted.next();
    }
    tests
}

fn test(pair: &PairedAds, level: f64) -> PairedTest {
    let without = |reason, rows: f64| PairedTest {
        name: pair.name.clone(),
        difference: Estimate::undefined(reason, Support { rows, weight: rows, effective_size: rows }),
        z: None,
        p_value: None,
        p_value_first_higher: None,
        p_value_adjusted: None,
    };
    let sides = [pair.first, pair.second];
    let valid = |s: &AdSide| s.group >= 0.0 && s.group <= s.all && s.all.is_finite() && s.share_noise >= 0.0;
    if !sides.iter().all(valid) {
        return without(Undefined::NotFinite, 0.0);
    }
    let rows = sides[0].all + sides[1].all;
    if sides.iter().any(|s| s.all == 0.0) {
        return without(Undefined::NoRows, rows);
    }
    let [(s1, n1), (s2, n2)] = sides.map(|s| {
        let share = s.group / s.all;
        (share, effective(share, s.all, s.share_noise))
    });
    let support = Support { rows, weight: rows, effective_size: n1 + n2 };
    let mut difference = Estimate::of(s1 - s2, support);
    if let Some(i) = difference::newcombe(s1 * n1, n1, s2 * n2, n2, level) {
        difference = difference.between(i.low, i.high);
    }
    let z = hypothesis::two_proportion_z(s1 * n1, n1, s2 * n2, n2);
    PairedTest {
        name: pair.name.clone(),
        difference,
        z: z.map(|t| t.z),
        p_value: z.map(|t| t.p_value),
        p_value_first_higher: z.map(|t| normal_sf(t.z)),
        p_value_adjusted: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::rng::{binomial, stream};
    use rand_distr::{Distribution, Normal};

    fn pair(x1: f64, n1: f64, x2: f64, n2: f64, share_noise: f64) -> PairedAds {
        let side = |group, all| AdSide { group, all, share_noise };
        PairedAds { name: "p".into(), first: side(x1, n1), second: side(x2, n2) }
    }

    #[test]
    fn level_holds_with_and_without_noise() {
        let mut rng = stream(3, 0, 0);
        for (sd, name) in [(0.0, "none"), (15.0, "noise")] {
            let noise = Normal::new(0.0, sd).unwrap();
            let mut wrong = 0;
            for _ in 0..4000 {
                let mut draw = |n: f64| {
                    let x = binomial(&mut rng, n, 0.4);
                    let (a, b) = (x + noise.sample(&mut rng), n - x + noise.sample(&mut rng));
                    (a, a + b)
                };
                let ((a, n), (b, m)) = (draw(500.0), draw(900.0));
                let mut p = pair(a, n, b, m, 0.0);
                for s in [&mut p.first, &mut p.second] {
                    s.share_noise = super::super::shares::share_noise(&[s.group, s.all - s.group], &[sd * sd; 2], 0);
                }
                wrong += usize::from(paired_tests(&[p], 0.95)[0].p_value.unwrap() < 0.05);
            }
            let level = wrong as f64 / 4000.0;
            assert!((0.035..0.065).contains(&level), "{name}: {level}");
        }
    }

    #[test]
    fn holm_counts_only_tested_pairs() {
        let pairs =
            [pair(30.0, 60.0, 20.0, 60.0, 0.0), pair(0.0, 0.0, 1.0, 2.0, 0.0), pair(9.0, 60.0, 20.0, 60.0, 0.0)];
        let tests = paired_tests(&pairs, 0.95);
        assert_eq!(tests[1].difference.reason, Some(Undefined::NoRows));
        assert_eq!(tests[1].p_value_adjusted, None);
        let (low, high) = (tests[2].p_value.unwrap(), tests[0].p_value.unwrap());
        assert!(low < high);
        assert_eq!(tests[2].p_value_adjusted, Some(2.0 * low));
        assert_eq!(tests[0].p_value_adjusted, Some(high.max(2.0 * low)));
    }

    #[test]
    fn nasty_input_is_undefined() {
        for p in [pair(f64::NAN, 1.0, 1.0, 2.0, 0.0), pair(3.0, 2.0, 1.0, 2.0, 0.0), pair(1.0, 2.0, 1.0, 2.0, f64::NAN)]
        {
            assert_eq!(paired_tests(&[p], 0.95)[0].difference.reason, Some(Undefined::NotFinite));
        }
        let none = &paired_tests(&[pair(0.0, 5.0, 0.0, 5.0, 0.0)], 0.95)[0];
        assert_eq!((none.difference.value, none.p_value), (Some(0.0), None));
        assert!(paired_tests(&[], 0.95).is_empty());
        // Swapping the adverts turns the sign.
        let (a, b) = (pair(3.0, 9.0, 5.0, 8.0, 0.0), pair(5.0, 8.0, 3.0, 9.0, 0.0));
        assert_eq!(paired_tests(&[a], 0.9)[0].z.map(|z| -z), paired_tests(&[b], 0.9)[0].z);
    }
}
