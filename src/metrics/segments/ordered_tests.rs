use approx::assert_relative_eq;

use super::super::simulate::{ADULT_SEX, draw, holds, of, rng, weighted};
use super::*;
use crate::tally::Cell;

const AT: f64 = 0.95;

type Compare = fn(&SegmentCounts, &SegmentCounts, Confidence) -> Tested;

fn by_rank(a: &SegmentCounts, b: &SegmentCounts, confidence: Confidence) -> Tested {
    earth_mover(a, b, &ranks(a.segments.max(b.segments)), confidence)
}

const ALL: [(&str, Compare, f64); 4] = [
    ("cumulative", cumulative_parity, 0.0),
    ("superiority", probability_of_superiority, 0.5),
    ("somers", somers_d, 0.0),
    ("earth", by_rank, 0.0),
];

/// Person by person.
fn brute(a: &[f64], b: &[f64]) -> (f64, f64, f64) {
    let people = |rows: &[f64]| -> Vec<usize> {
        rows.iter().enumerate().flat_map(|(k, n)| std::iter::repeat_n(k, *n as usize)).collect()
    };
    let (x, y) = (people(a), people(b));
    let mut wins = 0.0;
    for i in &x {
        wins += y
            .iter()
            .map(|j| {
                if i > j {
                    1.0
                } else if i == j {
                    0.5
                } else {
                    0.0
                }
            })
            .sum::<f64>();
    }
    let below = |rows: &[usize], k: usize| rows.iter().filter(|r| **r <= k).count() as f64 / rows.len() as f64;
    let gaps: Vec<f64> = (0..a.len()).map(|k| (below(&x, k) - below(&y, k)).abs()).collect();
    (wins / (x.len() * y.len()) as f64, gaps.iter().copied().fold(0.0, f64::max), gaps.iter().sum())
}

#[test]
fn people_one_by_one_give_the_same() {
    let mut rng = rng(11);
    for k in 2..6 {
        let shares = vec![1.0 / k as f64; k];
        for _ in 0..20 {
            let (a, b) = (draw(&mut rng, 17, &shares), draw(&mut rng, 23, &shares));
            let (wins, largest, moved) = brute(&a, &b);
            let [x, y] = [&a, &b].map(|rows| SegmentCounts::of_rows(rows));
            let value = |f: Compare| f(&x, &y, Confidence::at(AT)).estimate.value.unwrap();
            assert_relative_eq!(value(probability_of_superiority), wins, epsilon = 1e-12);
            assert_relative_eq!(value(somers_d), 2.0 * wins - 1.0, epsilon = 1e-12);
            assert_relative_eq!(value(cumulative_parity), largest, epsilon = 1e-12);
            assert_relative_eq!(value(by_rank), moved, epsilon = 1e-12);
        }
    }
}

#[test]
fn the_rank_test_is_the_textbook_one() {
    // Variance of U with ties: n m / 12 · (N + 1 − Σ (t³ − t) / (N (N − 1))), no continuity correction.
    let [a, b] = of(&[&[12.0, 20.0, 8.0], &[25.0, 15.0, 10.0]]).try_into().unwrap();
    let t = probability_of_superiority(&a, &b, Confidence::at(AT));
    let (n, m, ties) = (40.0, 50.0, [37.0f64, 35.0, 18.0]);
    let size: f64 = n + m;
    let correction = ties.iter().map(|t| t * t * t - t).sum::<f64>() / (size * (size - 1.0));
    let sd = (n * m / 12.0 * (size + 1.0 - correction)).sqrt();
    let z = (t.estimate.value.unwrap() - 0.5) * n * m / sd;
    assert_relative_eq!(t.p_value.unwrap(), two_sided(z), epsilon = 1e-12);
    assert_eq!(t.test, Some("mann-whitney"));
}

#[test]
fn positions_may_come_in_any_order_and_unit() {
    let [a, b] = of(&[&[30.0, 50.0, 20.0], &[60.0, 30.0, 10.0]]).try_into().unwrap();
    let [c, d] = of(&[&[20.0, 30.0, 50.0], &[10.0, 60.0, 30.0]]).try_into().unwrap();
    let confidence = Confidence::at(AT);
    let straight = earth_mover(&a, &b, &[0.0, 5.0, 20.0], confidence);
    assert_eq!(straight, earth_mover(&c, &d, &[20.0, 0.0, 5.0], confidence));
    let scaled = earth_mover(&a, &b, &[7.0, 57.0, 207.0], confidence).estimate;
    assert_relative_eq!(scaled.value.unwrap(), 10.0 * straight.estimate.value.unwrap(), epsilon = 1e-12);
    assert_relative_eq!(scaled.high.unwrap(), 10.0 * straight.estimate.high.unwrap(), max_relative = 1e-9);
    let reason = |positions: &[f64]| earth_mover(&a, &b, positions, confidence).estimate.reason;
    assert_eq!(reason(&[1.0, 2.0]), Some(Undefined::NoValues));
    assert_eq!(reason(&[1.0, 2.0, f64::NAN]), Some(Undefined::NotFinite));
}

#[test]
fn swapped_groups_mirror_and_units_of_weight_do_not_matter() {
    let [a, b] = of(&[ADULT_SEX[0], ADULT_SEX[1]]).try_into().unwrap();
    let confidence = Confidence::at(AT);
    let scaled = |group: &SegmentCounts| {
        let scale = |c: &Cell| Cell { rows: c.rows, weight: 3.0 * c.weight, weight_squared: 9.0 * c.weight_squared };
        SegmentCounts { cells: group.cells.iter().map(scale).collect(), ..group.clone() }
    };
    for (name, f, fair) in ALL {
        let (ab, ba, heavy) = (f(&a, &b, confidence), f(&b, &a, confidence), f(&scaled(&a), &scaled(&b), confidence));
        let value = |t: &Tested| t.estimate.value.unwrap();
        let mirrored = if name == "superiority" || name == "somers" { 2.0 * fair - value(&ab) } else { value(&ab) };
        assert_relative_eq!(value(&ba), mirrored, epsilon = 1e-12);
        assert_relative_eq!(value(&heavy), value(&ab), epsilon = 1e-12);
        assert_relative_eq!(heavy.estimate.low.unwrap(), ab.estimate.low.unwrap(), epsilon = 1e-9);
        assert!(ab.p_value.unwrap() < 1e-9, "{name}: {:?}", ab.p_value);
    }
}

#[test]
fn nasty_groups_have_reasons() {
    let none = SegmentCounts::of_rows(&[0.0, 0.0, 0.0]);
    let some = SegmentCounts::of_rows(&[3.0, 0.0, 9.0]);
    let lost = SegmentCounts { unassigned: Cell::of_rows(4.0), ..none.clone() };
    let weightless = SegmentCounts {
        segments: 3,
        cells: vec![Cell { rows: 2.0, weight: 0.0, weight_squared: 0.0 }; 3],
        unassigned: Cell::default(),
    };
    let one = SegmentCounts::of_rows(&[5.0]);
    for (name, f, fair) in ALL {
        let of = |a, b| f(a, b, Confidence::at(AT)).estimate;
        for (a, b, reason) in [
            (&none, &some, Undefined::NoRows),
            (&some, &lost, Undefined::NoSegments),
            (&weightless, &some, Undefined::NoWeight),
            (&one, &one, Undefined::OneSegment),
        ] {
            assert_eq!(of(a, b).value(), Err(reason), "{name}");
        }
        // All in one tier: alike, and yet not sure to be.
        let tied = SegmentCounts::of_rows(&[0.0, 12.0, 0.0]);
        let estimate = of(&tied, &tied);
        assert_eq!(estimate.value(), Ok(fair), "{name}");
        let (low, high) = estimate.interval().unwrap();
        assert!(low <= fair && high > fair + 0.05, "{name}: {low} {high}");
        // Nobody mixes: still not certain.
        let [top, bottom] = [[0.0, 0.0, 9.0], [9.0, 0.0, 0.0]].map(|rows| SegmentCounts::of_rows(&rows));
        let estimate = of(&top, &bottom);
        let (low, high) = estimate.interval().unwrap();
        assert!(
            low < estimate.value.unwrap() - 0.02 && high <= estimate.value.unwrap() + 1e-12,
            "{name}: {low} {high}"
        );
    }
}

/// How often intervals hold the truth, and tests reject.
fn simulate(sizes: [u64; 2], shares: [&[f64]; 2], weights: Option<[f64; 2]>, seed: u64) -> Vec<(f64, f64)> {
    let mut rng = rng(seed);
    let confidence = Confidence {
        bootstrap: crate::inference::bootstrap::Bootstrap { replicates: 200, seed: 1 },
        ..Confidence::at(AT)
    };
    let exact = shares.map(|s| SegmentCounts::of_rows(&s.iter().map(|p| p * 1e9).collect::<Vec<_>>()));
    let truth = ALL.map(|(_, f, _)| f(&exact[0], &exact[1], confidence).estimate.value.unwrap());
    let rounds = 400;
    let mut hits = vec![(0.0, 0.0); ALL.len()];
    for _ in 0..rounds {
        let [a, b] = [0, 1].map(|i| match weights {
            Some(w) => weighted(&mut rng, sizes[i], shares[i], w),
            None => SegmentCounts::of_rows(&draw(&mut rng, sizes[i], shares[i])),
        });
        for ((hit, (_, f, _)), truth) in hits.iter_mut().zip(ALL).zip(truth) {
            let t = f(&a, &b, confidence);
            hit.0 += f64::from(u8::from(holds(&t.estimate, truth))) / rounds as f64;
            hit.1 += f64::from(u8::from(t.p_value.is_some_and(|p| p < 0.05))) / rounds as f64;
        }
    }
    hits
}

#[test]
fn fair_tiers_are_rarely_accused() {
    let even: &[f64] = &[0.2, 0.3, 0.3, 0.2];
    let skew: &[f64] = &[0.9, 0.06, 0.03, 0.01];
    for (sizes, shares, weights) in [
        ([300, 200], even, None),
        ([300, 200], skew, None),
        ([40, 25], even, None),
        ([40, 500], skew, None),
        ([15, 8], even, None),
        ([400, 300], even, Some([1.0, 4.0])),
    ] {
        for ((covered, rejected), (name, ..)) in simulate(sizes, [shares; 2], weights, 5).iter().zip(ALL) {
            assert!(*covered > 0.915, "{name} {sizes:?} {shares:?}: covers {covered}");
            assert!(*rejected < 0.085, "{name} {sizes:?} {shares:?}: rejects {rejected}");
        }
    }
}

#[test]
fn intervals_hold_what_is_there() {
    let low: &[f64] = &[0.4, 0.3, 0.2, 0.1];
    let high: &[f64] = &[0.1, 0.2, 0.4, 0.3];
    let crossed: &[f64] = &[0.1, 0.5, 0.35, 0.05];
    let top: &[f64] = &[0.01, 0.01, 0.03, 0.95];
    for (sizes, shares, weights) in [
        ([300, 200], [low, high], None),
        ([300, 200], [low, crossed], None),
        ([60, 40], [low, high], None),
        ([60, 40], [low, top], None),
        ([20, 15], [low, high], None),
        ([400, 300], [low, crossed], Some([1.0, 4.0])),
    ] {
        for ((covered, _), (name, ..)) in simulate(sizes, shares, weights, 6).iter().zip(ALL) {
            assert!(*covered > 0.915, "{name} {sizes:?} {shares:?}: covers {covered}");
        }
    }
}
