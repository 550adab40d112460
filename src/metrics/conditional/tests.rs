//! Against finite differences, closed forms and simulated truth.

use rand::Rng;
use rand_distr::{Binomial, Distribution};

use super::*;
use crate::inference::rng;
use crate::metrics::{Confidence, Estimate, Undefined};

const AT: Confidence =
    Confidence { level: 0.95, bootstrap: crate::inference::bootstrap::Bootstrap { replicates: 10, seed: 0 } };

fn groups() -> (Stratified, Stratified) {
    (
        Stratified::of_counts(&[(12.0, 40.0), (0.0, 7.0), (33.0, 50.0), (5.0, 5.0)]),
        Stratified::of_counts(&[(20.0, 90.0), (4.0, 30.0), (9.0, 20.0), (0.0, 0.0)]),
    )
}

/// The three values from plain arrays of selected and others by stratum.
fn plain(a: &[[f64; 2]], b: &[[f64; 2]]) -> [f64; 3] {
    let all = |g: &[[f64; 2]]| g.iter().map(|c| c[0] + c[1]).sum::<f64>();
    let (of_a, of_b) = (all(a), all(b));
    let (mut explained, mut left) = (0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (wa, wb) = ((x[0] + x[1]) / of_a, (y[0] + y[1]) / of_b);
        let (ra, rb) = (x[0] / (x[0] + x[1]), y[0] / (y[0] + y[1]));
        explained += (wa - wb) * (ra + rb) / 2.0;
        left += (ra - rb) * (wa + wb) / 2.0;
    }
    [explained, left, explained + left]
}

#[test]
fn parts_add_up_and_turn_with_the_groups() {
    let (a, b) = groups();
    let found = kitagawa(&a, &b, AT).unwrap();
    let value = |e: &Estimate| e.value.unwrap();
    // The fourth stratum has nobody of b.
    let crude = 45.0 / 97.0 - 33.0 / 140.0;
    assert!((value(&found.difference) - crude).abs() < 1e-12);
    assert!((value(&found.explained) + value(&found.unexplained) - crude).abs() < 1e-12);
    assert_eq!(found.strata.len(), 3);
    assert_eq!(found.difference.support.rows, 237.0);
    let other = kitagawa(&b, &a, AT).unwrap();
    for (x, y) in [(&found.explained, &other.explained), (&found.unexplained, &other.unexplained)] {
        assert!((value(x) + value(y)).abs() < 1e-12);
        assert!((x.low.unwrap() + y.high.unwrap()).abs() < 1e-12);
    }
    assert!(
        (lost_opportunities(&a, &b, AT).estimate.value.unwrap()
            - (40.0 * (20.0 / 90.0 - 0.3) + 7.0 * (4.0 / 30.0) + 50.0 * (0.45 - 0.66)))
            .abs()
            < 1e-12
    );
    assert!((stratum_overlap(&a, &b).value.unwrap() - 237.0 / 242.0).abs() < 1e-12);
}

#[test]
fn the_variance_is_that_of_finite_differences() {
    let (a, b) = ([[12.0, 28.0], [2.0, 5.0], [33.0, 17.0]], [[20.0, 70.0], [4.0, 26.0], [9.0, 11.0]]);
    let counts = |g: &[[f64; 2]]| Stratified::of_counts(&g.iter().map(|c| (c[0], c[0] + c[1])).collect::<Vec<_>>());
    let found = kitagawa(&counts(&a), &counts(&b), AT).unwrap();
    let z = crate::inference::z_quantile(0.95);
    let rows = |g: &[[f64; 2]]| g.iter().flatten().sum::<f64>();
    for (which, e) in [&found.explained, &found.unexplained, &found.difference].into_iter().enumerate() {
        let mut variance = 0.0;
        for (side, g) in [a, b].into_iter().enumerate() {
            let mut of_group = 0.0;
            for (l, cells) in g.iter().enumerate() {
                for (d, cell) in cells.iter().enumerate() {
                    let moved = |by: f64| {
                        let mut both = [a, b];
                        both[side][l][d] += by;
                        plain(&both[0], &both[1])[which]
                    };
                    of_group += cell * ((moved(1e-5) - moved(-1e-5)) / 2e-5).powi(2);
                }
            }
            variance += of_group * rows(&g) / (rows(&g) - 1.0);
        }
        assert!((e.value.unwrap() - plain(&a, &b)[which]).abs() < 1e-12);
        assert!(((e.high.unwrap() - e.value.unwrap()) / z - variance.sqrt()).abs() < 1e-8, "{which}: {e:?}");
    }
}

#[test]
fn nobody_in_common_is_said() {
    let a = Stratified::of_counts(&[(3.0, 9.0), (0.0, 0.0)]);
    let b = Stratified::of_counts(&[(0.0, 0.0), (3.0, 9.0)]);
    for (a, b) in [(&a, &b), (&Stratified::default(), &a), (&Stratified::default(), &Stratified::default())] {
        for measure in MEASURES {
            let crate::metrics::family::Compute::Pair(of) = measure.compute else { panic!("not of a pair") };
            let found = of(a, b, &(), AT).estimate;
            match (measure.entry.name, found.value) {
                ("stratum_overlap", Some(v)) => assert_eq!(v, 0.0),
                ("stratum_overlap", None) => assert_eq!(found.reason, Some(Undefined::NoDecisions)),
                _ => assert_eq!(found.reason, Some(Undefined::NoOverlap), "{}", measure.entry.name),
            }
        }
    }
    let bad = Stratified::of_counts(&[(5.0, 3.0), (f64::NAN, 4.0), (1.0, f64::INFINITY), (-1.0, 2.0)]);
    assert_eq!(bad.strata(), 0);
}

#[test]
fn everything_is_finite_at_the_edges() {
    for rate in [0.0, 1.0] {
        let a = Stratified::of_counts(&[(rate * 5.0, 5.0), (rate * 8.0, 8.0)]);
        let b = Stratified::of_counts(&[(rate * 3.0, 3.0), (rate, 1.0)]);
        for measure in MEASURES {
            let crate::metrics::family::Compute::Pair(of) = measure.compute else { panic!("not of a pair") };
            let found = of(&a, &b, &(), AT).estimate;
            let ends = [found.value, found.low, found.high];
            assert!(ends.iter().flatten().all(|v| v.is_finite()), "{}: {found:?}", measure.entry.name);
            assert!(found.value.is_some() || found.reason.is_some());
        }
    }
}

#[test]
fn others_are_what_is_left() {
    let (a, b) = groups();
    let others = Stratified::others(&[a.clone(), b.clone(), Stratified::default()]);
    assert_eq!((&others[0], &others[1]), (&b, &a));
    assert_eq!(others[2].weight(), a.weight() + b.weight());
}

#[test]
fn intervals_hold_the_truth_as_often_as_they_say() {
    let shares = [[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]];
    let rates = [[0.1, 0.3, 0.6], [0.15, 0.3, 0.5]];
    let rows = [250u32, 180];
    let (mut explained, mut left) = (0.0, 0.0);
    for l in 0..3 {
        explained += (shares[0][l] - shares[1][l]) * (rates[0][l] + rates[1][l]) / 2.0;
        left += (rates[0][l] - rates[1][l]) * (shares[0][l] + shares[1][l]) / 2.0;
    }
    let mut random = rng::stream(7, 0, 0);
    let draws = 4000;
    let mut held = [0usize; 4];
    for _ in 0..draws {
        let mut counts = [[(0.0, 0.0); 3]; 2];
        for g in 0..2 {
            for _ in 0..rows[g] {
                let u: f64 = random.r#gen();
                let l = if u < shares[g][0] { 0 } else { 1 + usize::from(u >= shares[g][0] + shares[g][1]) };
                counts[g][l].1 += 1.0;
            }
            for l in 0..3 {
                let selected = Binomial::new(counts[g][l].1 as u64, rates[g][l]).unwrap().sample(&mut random);
                counts[g][l].0 = selected as f64;
            }
        }
        let [a, b] = counts.map(|c| Stratified::of_counts(&c));
        // What is held fixed is the strata of the draw.
        let all: f64 = (0..3).map(|l| counts[0][l].1 + counts[1][l].1).sum();
        let mut fixed = [0.0; 2];
        for l in 0..3 {
            let d = rates[0][l] - rates[1][l];
            fixed[0] += (counts[0][l].1 + counts[1][l].1) / all * d;
            fixed[1] -= counts[0][l].1 * d;
        }
        let parts = kitagawa(&a, &b, AT).unwrap();
        let found = [
            (parts.explained, explained),
            (parts.unexplained, left),
            (standardized_rate_difference(&a, &b, AT).estimate, fixed[0]),
            (lost_opportunities(&a, &b, AT).estimate, fixed[1]),
        ];
        for (held, (e, truth)) in held.iter_mut().zip(found) {
            let (low, high) = e.interval().unwrap();
            *held += usize::from(low <= truth && truth <= high);
        }
    }
    let covered = held.map(|h| h as f64 / draws as f64);
    assert!(covered.iter().all(|c| (0.935..=0.965).contains(c)), "{covered:?}");
}
