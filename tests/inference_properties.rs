//! What must hold of `evenhand::inference` for any counts.

use evenhand::inference::bootstrap::Bootstrap;
use evenhand::inference::difference::{mee, miettinen_nurminen, miettinen_nurminen_z, mover_difference, newcombe};
use evenhand::inference::hypothesis::{
    boschloo, chi_square_homogeneity, fisher_exact, tost_difference, tost_ratio, two_proportion_z,
};
use evenhand::inference::multiplicity::Multiplicity;
use evenhand::inference::power::{growth_to_decide, minimum_detectable_difference, rows_for_difference};
use evenhand::inference::rate::{clopper_pearson, jeffreys, wilson};
use evenhand::inference::ratio::{RatioInterval, fieller, katz, koopman, miettinen_nurminen_ratio, mover_ratio};
use evenhand::inference::stratified::{
    Stratum, breslow_day, cmh_test, gail_simon, mantel_haenszel_difference, mantel_haenszel_odds_ratio,
    mantel_haenszel_ratio,
};
use evenhand::inference::worst::{
    GroupRate, between_variance, expected_null_gap, expected_null_ratio, gap_interval, gap_interval_normal,
    ratio_interval, ratio_interval_normal,
};
use evenhand::inference::{Interval, z_quantile};
use evenhand::tally::Cell;
use proptest::prelude::*;

type OneRate = fn(f64, f64, f64) -> Option<Interval>;
type Difference = fn(f64, f64, f64, f64, f64) -> Option<Interval>;
type Ratio = fn(f64, f64, f64, f64, f64) -> Option<RatioInterval>;

const RATES: [OneRate; 3] = [wilson, clopper_pearson, jeffreys];
const DIFFERENCES: [Difference; 3] = [newcombe, miettinen_nurminen, mee];
const RATIOS: [Ratio; 3] = [koopman, miettinen_nurminen_ratio, katz];

/// Counts of every size, whole or fractional, with the ends often.
fn counts() -> impl Strategy<Value = (f64, f64)> {
    let trials =
        prop_oneof![(1u32..60).prop_map(f64::from), 0.05f64..50.0, (2.0f64..10.0).prop_map(|e| 10f64.powf(e)),];
    let share = prop_oneof![Just(0.0), Just(1.0), 0.0f64..1.0, (-9.0f64..0.0).prop_map(|e| 10f64.powf(e))];
    (trials, share).prop_map(|(n, share)| {
        let x = share * n;
        (if n.fract() == 0.0 { x.round() } else { x }, n)
    })
}

fn levels() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.95), 0.5f64..0.999]
}

/// Anything a caller might pass by mistake.
fn anything() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(-1.0),
        Just(1.0),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(f64::MIN_POSITIVE),
        Just(f64::MAX),
        -5.0f64..5.0,
        0.0f64..1e12,
    ]
}

fn sound(interval: &Interval) -> bool {
    interval.low.is_finite() && interval.high.is_finite() && interval.low <= interval.high
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rates_lie_inside_and_mirror((x, n) in counts(), level in levels()) {
        for interval in RATES {
            let i = interval(x, n, level).expect("in range");
            prop_assert!(sound(&i) && i.low >= 0.0 && i.high <= 1.0 && i.contains(x / n), "{i:?}");
            let mirrored = interval(n - x, n, level).expect("in range");
            prop_assert!((mirrored.low - (1.0 - i.high)).abs() < 1e-8);
            prop_assert!((mirrored.high - (1.0 - i.low)).abs() < 1e-8);
            let wider = interval(x, n, 0.5 + level / 2.0).expect("in range");
            prop_assert!(wider.low <= i.low + 1e-12 && wider.high >= i.high - 1e-12);
        }
    }

    #[test]
    fn exact_is_widest((x, n) in counts(), level in levels()) {
        let exact = clopper_pearson(x, n, level).unwrap();
        let j = jeffreys(x, n, level).unwrap();
        prop_assert!(exact.low <= j.low + 1e-9 && exact.high >= j.high - 1e-9, "{exact:?} {j:?}");
    }

    #[test]
    fn differences_lie_inside_and_swap((x1, n1) in counts(), (x2, n2) in counts(), level in levels()) {
        prop_assume!(n1 + n2 > 1.0);
        let d = x1 / n1 - x2 / n2;
        for interval in DIFFERENCES {
            let i = interval(x1, n1, x2, n2, level).expect("in range");
            prop_assert!(sound(&i) && i.low >= -1.0 && i.high <= 1.0 && i.contains(d), "{i:?} {d}");
            let slack = 1e-7 * i.width() + 1e-14;
            let swapped = interval(x2, n2, x1, n1, level).expect("in range").negate();
            prop_assert!((swapped.low - i.low).abs() <= slack && (swapped.high - i.high).abs() <= slack, "{swapped:?} {i:?}");
            let failures = interval(n1 - x1, n1, n2 - x2, n2, level).expect("in range").negate();
            prop_assert!((failures.low - i.low).abs() <= 1e-6 * i.width() + 1e-9, "{failures:?} {i:?}");
            let wider = interval(x1, n1, x2, n2, 0.5 + level / 2.0).expect("in range");
            prop_assert!(wider.low <= i.low + slack && wider.high >= i.high - slack);
        }
    }

    #[test]
    fn score_limits_have_the_score((x1, n1) in counts(), (x2, n2) in counts(), level in levels()) {
        prop_assume!(n1 + n2 > 1.0);
        let i = miettinen_nurminen(x1, n1, x2, n2, level).expect("in range");
        let z = z_quantile(level);
        for (limit, sign) in [(i.low, 1.0), (i.high, -1.0)] {
            // The statistic can be steep: just inside it does not reject, just outside it does.
            let step = sign * (1e-6 * i.width() + 1e-14);
            if let Some(inside) = miettinen_nurminen_z(x1, n1, x2, n2, (limit + step).clamp(-1.0 + 1e-15, 1.0 - 1e-15)) {
                prop_assert!(sign * inside < z * (1.0 + 1e-5), "{inside} inside {limit}, {i:?}");
            }
            if let Some(outside) = miettinen_nurminen_z(x1, n1, x2, n2, limit - step) {
                prop_assert!(sign * outside > z * (1.0 - 1e-5), "{outside} outside {limit}, {i:?}");
            }
        }
    }

    #[test]
    fn ratios_lie_inside_and_invert((x1, n1) in counts(), (x2, n2) in counts(), level in levels()) {
        prop_assume!(n1 + n2 > 1.0);
        for interval in RATIOS {
            let Some(i) = interval(x1, n1, x2, n2, level) else {
                // Only Katz' interval may be missing: no successes, or next to none.
                prop_assert!(x1 < 0.01 || x2 < 0.01);
                prop_assert!(koopman(x1, n1, x2, n2, level).is_some());
                continue;
            };
            prop_assert!(i.low >= 0.0 && i.low.is_finite() && i.high.is_none_or(|h| h.is_finite() && h >= i.low));
            if x2 > 0.0 {
                prop_assert!(i.contains(x1 / n1 / (x2 / n2)));
            }
            let Some(swapped) = interval(x2, n2, x1, n1, level) else {
                prop_assert!(x1 < 0.01 || x2 < 0.01);
                continue;
            };
            let swapped = swapped.invert();
            prop_assert!((swapped.low - i.low).abs() <= 1e-7 * (i.low + 1e-300), "{swapped:?} {i:?}");
            match (swapped.high, i.high) {
                (Some(a), Some(b)) => prop_assert!((a - b).abs() <= 1e-7 * b, "{a} {b}"),
                (a, b) => prop_assert_eq!(a, b),
            }
            let folded = i.fold();
            prop_assert!(sound(&folded) && folded.low >= 0.0 && folded.high <= 1.0);
        }
    }

    #[test]
    fn tests_are_symmetric(a in 0u64..40, b in 0u64..40, c in 0u64..40, d in 0u64..40) {
        let p = fisher_exact(a, b, c, d);
        prop_assert!((0.0..=1.0).contains(&p));
        prop_assert!((fisher_exact(c, d, a, b) - p).abs() < 1e-9 * p);
        prop_assert!((fisher_exact(b, a, d, c) - p).abs() < 1e-9 * p);
        let [af, bf, cf, df] = [a, b, c, d].map(|v| v as f64);
        if let Some(t) = two_proportion_z(af, af + bf, cf, cf + df) {
            let chi = chi_square_homogeneity(&[(af, af + bf), (cf, cf + df)]).expect("varies");
            prop_assert!((chi.statistic - t.z * t.z).abs() < 1e-9 * (1.0 + chi.statistic));
            prop_assert!((chi.p_value - t.p_value).abs() < 1e-9);
        }
    }

    #[test]
    fn fisher_is_the_sum_it_says(a in 0u64..25, b in 0u64..25, c in 0u64..25, d in 0u64..25) {
        let choose = |n: u64, k: u64| (0..k).fold(1.0, |v, i| v * (n - i) as f64 / (i + 1) as f64);
        let weight = |k: u64| choose(a + b, k) * choose(c + d, a + c - k);
        let (low, high) = ((a + c).saturating_sub(c + d), (a + c).min(a + b));
        let total: f64 = (low..=high).map(weight).sum();
        let bound = weight(a) * (1.0 + 1e-7);
        let p = (low..=high).map(weight).filter(|&w| w <= bound).sum::<f64>() / total;
        prop_assert!((fisher_exact(a, b, c, d) / p - 1.0).abs() < 1e-9);
    }

    #[test]
    fn boschloo_is_no_larger_than_fisher_by_half(a in 1u64..12, b in 1u64..12, c in 1u64..12, d in 1u64..12) {
        let p = boschloo(a, b, c, d).expect("small");
        prop_assert!(p > 0.0 && p <= 1.0);
        let swapped = boschloo(c, d, a, b).expect("small");
        prop_assert!((p - swapped).abs() < 1e-6 * p, "{p} {swapped}");
    }

    #[test]
    fn adjusting_never_lowers(p in prop::collection::vec(0.0f64..=1.0, 0..30)) {
        for method in [Multiplicity::None, Multiplicity::Holm, Multiplicity::BenjaminiHochberg, Multiplicity::BenjaminiYekutieli] {
            let adjusted = method.adjust(&p);
            for (i, (raw, new)) in p.iter().zip(&adjusted).enumerate() {
                prop_assert!(new >= &(raw * (1.0 - 1e-12)) && *new <= 1.0);
                for (other, new_other) in p.iter().zip(&adjusted).skip(i) {
                    prop_assert!(raw > other || new <= new_other);
                }
            }
        }
    }

    #[test]
    fn worst_case_holds_what_was_seen(groups in prop::collection::vec(counts(), 2..9), level in levels()) {
        let groups: Vec<GroupRate> = groups.into_iter().map(|(x, n)| GroupRate { x, n }).collect();
        let rates = groups.iter().map(|g| g.x / g.n);
        let (low, high) = (rates.clone().fold(1.0, f64::min), rates.fold(0.0, f64::max));
        let gap = gap_interval(&groups, level).expect("two groups");
        prop_assert!(sound(&gap) && gap.contains(high - low) && gap.low >= 0.0 && gap.high <= 1.0);
        match ratio_interval(&groups, level) {
            Some(i) => prop_assert!(sound(&i) && i.contains(low / high) && i.low >= 0.0 && i.high <= 1.0),
            None => prop_assert_eq!(high, 0.0),
        }
        let mut reversed = groups.clone();
        reversed.reverse();
        let again = gap_interval(&reversed, level).expect("two groups");
        prop_assert!((again.low - gap.low).abs() < 1e-9 && (again.high - gap.high).abs() < 1e-9);
        if let Some(v) = between_variance(&groups) {
            prop_assert!(v.is_finite());
        }
    }

    #[test]
    fn pooled_effects_of_one_stratum_are_its_own((x1, n1) in counts(), (x2, n2) in counts()) {
        let one = [Stratum { x1, n1, x2, n2 }];
        let pooled = mantel_haenszel_difference(&one, 0.95).expect("overlap");
        prop_assert!((pooled.value - (x1 / n1 - x2 / n2)).abs() < 1e-9);
        prop_assert!(sound(&pooled.interval));
        if let Some(ratio) = mantel_haenszel_ratio(&one, 0.95) {
            prop_assert!((ratio.value / (x1 / n1 / (x2 / n2)) - 1.0).abs() < 1e-9);
            if let Some(log) = katz(x1, n1, x2, n2, 0.95) {
                prop_assert!((ratio.interval.low / log.low - 1.0).abs() < 1e-5, "{ratio:?} {log:?}");
            }
        }
    }

    #[test]
    fn nothing_panics_or_answers_nan(v in prop::collection::vec(anything(), 8), k in 0usize..4) {
        let [a, b, c, d, e, f, g, h] = v[..] else { unreachable!() };
        let number = |x: f64| x.is_finite();
        for interval in RATES {
            prop_assert!(interval(a, b, c).is_none_or(|i| sound(&i)));
        }
        for interval in DIFFERENCES {
            prop_assert!(interval(a, b, c, d, e).is_none_or(|i| sound(&i)));
        }
        for interval in RATIOS {
            prop_assert!(interval(a, b, c, d, e).is_none_or(|i| number(i.low) && i.high.is_none_or(number)));
        }
        prop_assert!(miettinen_nurminen_z(a, b, c, d, e).is_none_or(number));
        let (i1, i2) = (Interval { low: a, high: b }, Interval { low: c, high: d });
        let _ = mover_difference(e, i1, f, i2);
        prop_assert!(mover_ratio(e, i1, f, i2).is_none_or(|i| number(i.low) && i.high.is_none_or(number)));
        let _ = fieller(a, b, c, d, e, f);
        prop_assert!(two_proportion_z(a, b, c, d).is_none_or(|t| number(t.z) && number(t.p_value)));
        prop_assert!(tost_difference(a, b, c, d, e).is_none_or(|t| number(t.p_value)));
        prop_assert!(tost_ratio(a, b, c, d, e, f).is_none_or(|t| number(t.p_value)));
        prop_assert!(growth_to_decide(a, b, c, d, e, f).is_none_or(number));
        prop_assert!(minimum_detectable_difference(a, b, c, d, e).is_none_or(number));
        prop_assert!(rows_for_difference(a, b, c, d, e).is_none_or(number));
        let groups = [GroupRate { x: a, n: b }, GroupRate { x: c, n: d }, GroupRate { x: e, n: f }, GroupRate { x: g, n: h }];
        let groups = &groups[..k + 1];
        prop_assert!(gap_interval(groups, 0.95).is_none_or(|i| sound(&i)));
        prop_assert!(ratio_interval(groups, 0.95).is_none_or(|i| sound(&i)));
        prop_assert!(expected_null_gap(groups, 3, 1).is_none_or(number));
        prop_assert!(expected_null_ratio(groups, 3, 1).is_none_or(number));
        prop_assert!(between_variance(groups).is_none_or(number));
        let pairs = [(a, b), (c, d), (e, f), (g, h)];
        prop_assert!(chi_square_homogeneity(&pairs).is_none_or(|t| number(t.statistic) && number(t.p_value)));
        prop_assert!(gap_interval_normal(&pairs, 0.95).is_none_or(|i| sound(&i)));
        prop_assert!(ratio_interval_normal(&pairs, 0.95).is_none_or(|i| sound(&i)));
        let strata = [Stratum { x1: a, n1: b, x2: c, n2: d }, Stratum { x1: e, n1: f, x2: g, n2: h }];
        let pooled = [
            mantel_haenszel_difference(&strata, 0.95),
            mantel_haenszel_ratio(&strata, 0.95),
            mantel_haenszel_odds_ratio(&strata, 0.95),
        ];
        for pooled in pooled.into_iter().flatten() {
            prop_assert!(number(pooled.value) && number(pooled.se) && sound(&pooled.interval));
        }
        prop_assert!(cmh_test(&strata).is_none_or(|t| number(t.p_value)));
        prop_assert!(breslow_day(&strata).is_none_or(|t| number(t.p_value)));
        prop_assert!(gail_simon(&strata).is_none_or(|t| number(t.p_value)));
        let cells = [Cell { rows: a, weight: b, weight_squared: c }, Cell { rows: d, weight: e, weight_squared: f }, Cell::of_rows(g)];
        let ran = Bootstrap { replicates: 3, seed: 1 }.run(&[&cells], |_, cells| Some(cells[0].weight / cells[1].weight));
        prop_assert_eq!(ran[0].replicates.len() + ran[0].undefined, 3);
        prop_assert!(ran[0].replicates.iter().all(|&v| number(v)));
    }
}
