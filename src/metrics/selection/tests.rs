use super::effect::{cohens_h, odds_ratio};
use super::*;
use crate::metrics::family::Compute;
use crate::metrics::{Confidence, Undefined};
use crate::tally::Cell;

fn at() -> Confidence {
    Confidence::at(0.95)
}

#[test]
fn the_shortfall_is_the_least_that_keeps_the_rule() {
    for n in [1u64, 7, 10, 33] {
        for total in [1u64, 9, 40] {
            for best in 0..=total {
                for x in 0..=n {
                    let (group, other) = (Selection::new(x, n), Selection::new(best, total));
                    let k = four_fifths_shortfall(group, other).unwrap();
                    let keeps = |k: u64| 5 * (x + k) * total >= 4 * best * n;
                    assert!(keeps(k) && (k == 0 || !keeps(k - 1)), "{x}/{n} {best}/{total}: {k}");
                    assert!(x + k <= n.max(x));
                }
            }
        }
    }
    // 0.8 is no binary fraction: 4 of 10 against 5 of 10 is exactly four fifths.
    assert_eq!(four_fifths_shortfall(Selection::new(4, 10), Selection::new(5, 10)), Ok(0));
    let huge = Selection::new(u64::MAX, u64::MAX);
    assert_eq!(four_fifths_shortfall(Selection::new(0, u64::MAX), huge), Err(Undefined::TooManyRows));
    assert_eq!(four_fifths_shortfall(Selection::new(0, 0), huge), Err(Undefined::NoDecisions));
    let wrong = Threshold { numerator: 5, denominator: 4 };
    assert_eq!(selection_shortfall(huge, huge, wrong), Err(Undefined::NotFinite));
    assert_eq!(selection_shortfall_weighted((1.0, 0.0), (1.0, 2.0), 0.8), Err(Undefined::NoWeight));
    assert_eq!(selection_shortfall_weighted((f64::NAN, 1.0), (1.0, 2.0), 0.8), Err(Undefined::NotFinite));
}

/// Ricci v. DeStefano, 557 U.S. 557 (2009): who passed the exam for captain and for lieutenant.
#[test]
fn published_tables() {
    let captain = two_standard_deviations(Selection::new(3, 8), Selection::new(16, 25)).unwrap();
    assert!((captain.ratio.unwrap() - 0.5859375).abs() < 1e-12 && captain.below_threshold);
    assert!(captain.small && !captain.significant && !captain.adverse());
    let lieutenant = two_standard_deviations(Selection::new(6, 19), Selection::new(25, 43)).unwrap();
    assert!((lieutenant.ratio.unwrap() - 0.543157894736842).abs() < 1e-12 && lieutenant.below_threshold);
    let none = two_standard_deviations(Selection::new(0, 5), Selection::new(0, 9)).unwrap();
    assert_eq!((none.ratio, none.standard_deviations, none.fisher_p), (None, None, 1.0));
    assert!(!none.below_threshold && !none.significant);
}

#[test]
fn one_selection_may_turn_the_rules() {
    let solid = flip_test(Selection::new(120, 400), Selection::new(480, 800)).unwrap();
    assert!(solid.before.adverse() && !solid.flips() && !solid.order_flips && solid.first_is_lower);
    let back = flip_test(Selection::new(480, 800), Selection::new(120, 400)).unwrap();
    assert!(!back.first_is_lower && back.before == solid.before);
    let tight = flip_test(Selection::new(39, 100), Selection::new(49, 100)).unwrap();
    assert!(tight.before.below_threshold && tight.threshold_flips && !tight.order_flips);
    // A difference of two standard deviations, to the second decimal.
    let edge = flip_test(Selection::new(36, 100), Selection::new(50, 100)).unwrap();
    assert!((edge.before.standard_deviations.unwrap() + 2.0).abs() < 0.01, "{edge:?}");
    assert_eq!(edge.significance_flips, edge.before.significant && !edge.after.significant);
    let clear = flip_test(Selection::new(35, 100), Selection::new(50, 100)).unwrap();
    assert!(clear.before.significant && clear.significance_flips && clear.flips());
    assert_eq!(flip_test(Selection::new(0, 5), Selection::new(0, 5)), Err(Undefined::NoVariation));
    assert_eq!(flip_test(Selection::new(5, 5), Selection::new(5, 5)), Err(Undefined::NoVariation));
    assert_eq!(flip_test(Selection::new(0, 0), Selection::new(5, 5)), Err(Undefined::NoDecisions));
}

/// The limits of an odds ratio are where the score test, its likeliest rates found by brute force, is at ±z.
#[test]
fn odds_limits_invert_the_score_test() {
    for ((x1, n1), (x2, n2)) in
        [((30.0, 100.0), (10.0, 100.0)), ((1.0, 12.0), (9.0, 15.0)), ((70.0, 80.0), (3.0, 40.0))]
    {
        let e = odds_ratio((x1, n1), (x2, n2), at());
        for (limit, sign) in [(e.low.unwrap(), 1.0), (e.high.unwrap(), -1.0)] {
            let rates = |q: f64| (limit * q / (1.0 - q + limit * q), q);
            let likelihood = |q: f64| {
                let (p, q) = rates(q);
                x1 * p.ln() + (n1 - x1) * (-p).ln_1p() + x2 * q.ln() + (n2 - x2) * (-q).ln_1p()
            };
            let (mut low, mut high) = (1e-9, 1.0 - 1e-9);
            for _ in 0..200 {
                let (a, b) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
                if likelihood(a) < likelihood(b) { low = a } else { high = b }
            }
            let (p, q) = rates((low + high) / 2.0);
            let z = (x1 - n1 * p) * (1.0 / (n1 * p * (1.0 - p)) + 1.0 / (n2 * q * (1.0 - q))).sqrt();
            assert!((z - sign * 1.959963985).abs() < 1e-4, "{limit}: {z}");
        }
        // Turned round it is the inverse.
        let back = odds_ratio((x2, n2), (x1, n1), at());
        assert!((back.low.unwrap() * e.high.unwrap() - 1.0).abs() < 1e-7);
        assert!((back.value.unwrap() * e.value.unwrap() - 1.0).abs() < 1e-12);
    }
}

#[test]
fn empty_cells_have_reasons() {
    let reason = |a, b| odds_ratio(a, b, at()).reason;
    assert_eq!(reason((0.0, 0.0), (1.0, 2.0)), Some(Undefined::NoDecisions));
    assert_eq!(reason((0.0, 5.0), (0.0, 2.0)), Some(Undefined::NobodySelected));
    assert_eq!(reason((5.0, 5.0), (2.0, 2.0)), Some(Undefined::EverybodySelected));
    assert_eq!(reason((3.0, 5.0), (0.0, 2.0)), Some(Undefined::OverZero));
    assert_eq!(reason((f64::NAN, 5.0), (0.0, 2.0)), Some(Undefined::NoDecisions));
    assert_eq!(cohens_h((1.0, 0.0), (1.0, 2.0), at()).reason, Some(Undefined::NoDecisions));
    let zero = odds_ratio((0.0, 50.0), (10.0, 50.0), at());
    assert_eq!((zero.value, zero.low), (Some(0.0), Some(0.0)));
    assert!(zero.high.unwrap() < 0.5, "{zero:?}");
    let all = odds_ratio((10.0, 50.0), (50.0, 50.0), at());
    assert_eq!((all.value, all.low), (Some(0.0), Some(0.0)));
    let ends = cohens_h((10.0, 10.0), (0.0, 10.0), at());
    assert!((ends.value.unwrap() - std::f64::consts::PI).abs() < 1e-12 && ends.high.unwrap() <= ends.value.unwrap());
}

/// Exact coverage: all tables of 25 and 40.
#[test]
fn intervals_cover() {
    let (n1, n2) = (25usize, 40usize);
    let pmf = |n: usize, p: f64| -> Vec<f64> {
        (0..=n).map(|x| crate::inference::special::ln_binomial_pmf(x as f64, n as f64, p).exp()).collect()
    };
    let tables: Vec<_> = (0..=n1)
        .flat_map(|i| (0..=n2).map(move |j| (i, j)))
        .map(|(i, j)| {
            let (a, b) = ((i as f64, n1 as f64), (j as f64, n2 as f64));
            (i, j, odds_ratio(a, b, at()), cohens_h(a, b, at()))
        })
        .collect();
    for (p, q) in [(0.5f64, 0.5f64), (0.3, 0.5), (0.2, 0.1), (0.8, 0.6), (0.1, 0.1)] {
        let (first, second) = (pmf(n1, p), pmf(n2, q));
        let truths = [p / (1.0 - p) * (1.0 - q) / q, 2.0 * p.sqrt().asin() - 2.0 * q.sqrt().asin()];
        let mut held = [0.0; 2];
        for (i, j, odds, h) in &tables {
            for ((sum, e), truth) in held.iter_mut().zip([odds, h]).zip(truths) {
                // Without a figure there is no interval that could miss.
                let inside = e.interval().is_none_or(|(low, high)| low <= truth && truth <= high);
                *sum += if inside { first[*i] * second[*j] } else { 0.0 };
            }
        }
        assert!(held.iter().all(|h| *h > 0.93), "{p} {q}: {held:?}");
    }
}

#[test]
fn entries_take_weighted_counts() {
    let mut weighted = Counts::of_confusion(6.0, 2.0, 3.0, 9.0);
    let plain = weighted.clone();
    for cell in weighted.cells.iter_mut().flatten() {
        *cell = Cell { rows: cell.rows, weight: 3.0 * cell.rows, weight_squared: 9.0 * cell.rows };
    }
    let other = Counts::of_confusion(6.0, 6.0, 3.0, 3.0);
    for measure in MEASURES {
        let Compute::Pair(figure) = measure.compute else { panic!("{} is of a pair", measure.entry.name) };
        let (a, b) = (figure(&plain, &other, &(), at()), figure(&weighted, &other, &(), at()));
        assert_eq!(a.estimate.value, b.estimate.value);
        assert!((a.estimate.low.unwrap() - b.estimate.low.unwrap()).abs() < 1e-9);
        assert!((a.p_value.unwrap() - b.p_value.unwrap()).abs() < 1e-12);
        let none = figure(&plain, &Counts::default(), &(), at());
        assert_eq!(none.estimate.reason, Some(Undefined::NoDecisions));
    }
}
