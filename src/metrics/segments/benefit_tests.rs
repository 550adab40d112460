use approx::assert_relative_eq;

use super::super::simulate::{draw, holds, of, refs, rng, weighted};
use super::*;
use crate::inference::Interval;
use crate::inference::bootstrap::Bootstrap;
use crate::inference::difference::mover_difference;
use crate::tally::Cell;

const AT: f64 = 0.95;

type Inequality = fn(&[&SegmentCounts], &[f64], Confidence) -> Tested;
const INEQUALITIES: [(&str, Inequality); 3] =
    [("entropy", between_group_entropy), ("theil", between_group_theil), ("gini", between_group_gini)];

#[test]
fn two_segments_worth_nothing_and_one_are_a_rate() {
    for rows in [[7.0, 3.0], [10.0, 0.0], [0.0, 25.0]] {
        let benefit = mean_benefit(&SegmentCounts::of_rows(&rows), &[0.0, 1.0], Confidence::at(AT));
        let wilson = rate::wilson(rows[1], rows[0] + rows[1], AT).unwrap();
        assert_relative_eq!(benefit.low.unwrap(), wilson.low, epsilon = 1e-12);
        assert_relative_eq!(benefit.high.unwrap(), wilson.high, epsilon = 1e-12);
    }
}

#[test]
fn everybody_getting_their_groups_mean_gives_the_indices() {
    // Person by person: 10 people of group a with 6 each, 30 of group b with 2 each.
    let people: Vec<f64> = [vec![6.0; 10], vec![2.0; 30]].concat();
    let n = people.len() as f64;
    let mean = people.iter().sum::<f64>() / n;
    let entropy = people.iter().map(|b| (b / mean).powi(2) - 1.0).sum::<f64>() / (2.0 * n);
    let theil = people.iter().map(|b| b / mean * (b / mean).ln()).sum::<f64>() / n;
    let gini =
        people.iter().flat_map(|x| people.iter().map(move |y| (x - y).abs())).sum::<f64>() / (2.0 * n * n * mean);
    // Group a: 4 of 10 at 0 and 6 at 10; group b: 24 of 30 at 0 and 6 at 10.
    let groups = of(&[&[4.0, 6.0], &[24.0, 6.0]]);
    for ((name, f), expected) in INEQUALITIES.into_iter().zip([entropy, theil, gini]) {
        let t = f(&refs(&groups), &[0.0, 10.0], Confidence::at(AT));
        assert_relative_eq!(t.estimate.value.unwrap(), expected, epsilon = 1e-12);
        assert!(t.p_value.unwrap() < 0.05 && t.p_value.unwrap() > 0.001, "{name} {:?}", t.p_value);
        let again = f(&[&groups[1], &groups[0]], &[0.0, 30.0], Confidence::at(AT));
        assert_relative_eq!(again.estimate.value.unwrap(), expected, epsilon = 1e-12);
    }
}

#[test]
fn nasty_values_have_reasons() {
    let confidence = Confidence::at(AT);
    let groups = of(&[&[4.0, 6.0], &[24.0, 6.0], &[0.0, 0.0]]);
    let group = &groups[0];
    let reason = |values: &[f64]| mean_benefit(group, values, confidence).reason;
    assert_eq!(reason(&[1.0]), Some(Undefined::NoValues));
    assert_eq!(reason(&[1.0, f64::INFINITY]), Some(Undefined::NotFinite));
    assert_eq!(mean_benefit(&groups[2], &[0.0, 1.0], confidence).reason, Some(Undefined::NoRows));
    let same = mean_benefit(group, &[5.0, 5.0], confidence);
    assert_eq!((same.value, same.interval()), (Some(5.0), Some((5.0, 5.0))));
    for (_, f) in INEQUALITIES {
        let reason = |groups: &[&SegmentCounts], values: &[f64]| f(groups, values, confidence).estimate.reason;
        assert_eq!(reason(&refs(&groups), &[0.0, 0.0]), Some(Undefined::OverZero));
        assert_eq!(reason(&refs(&groups), &[-1.0, 5.0]), Some(Undefined::NegativeValues));
        assert_eq!(reason(&[group], &[0.0, 5.0]), Some(Undefined::TooFewGroups));
        assert_eq!(reason(&[], &[0.0, 5.0]), Some(Undefined::NoRows));
        let same = f(&refs(&groups), &[5.0, 5.0], confidence).estimate;
        assert!(same.value.unwrap().abs() < 1e-12);
        // Groups without anybody are left out.
        assert_eq!(f(&refs(&groups), &[0.0, 5.0], confidence), f(&refs(&groups[..2]), &[0.0, 5.0], confidence));
    }
}

#[test]
fn scaled_weights_change_nothing() {
    let mut rng = rng(3);
    let group = weighted(&mut rng, 100, &[0.5, 0.3, 0.2], [1.0, 3.0]);
    let scale = |c: &Cell| Cell { rows: c.rows, weight: 5.0 * c.weight, weight_squared: 25.0 * c.weight_squared };
    let heavy = SegmentCounts { cells: group.cells.iter().map(scale).collect(), ..group.clone() };
    let of = |g: &SegmentCounts| mean_benefit(g, &[0.0, 10.0, 25.0], Confidence::at(AT));
    assert_relative_eq!(of(&group).low.unwrap(), of(&heavy).low.unwrap(), max_relative = 1e-12);
    assert_relative_eq!(of(&group).value.unwrap(), of(&heavy).value.unwrap(), max_relative = 1e-12);
}

#[test]
fn means_hold_what_is_there() {
    let shares: [&[f64]; 3] = [&[0.5, 0.3, 0.15, 0.05], &[0.97, 0.01, 0.01, 0.01], &[0.02, 0.9, 0.06, 0.02]];
    let values = [0.0, 5.0, 10.0, 50.0];
    let mut rng = rng(4);
    for weights in [[1.0, 1.0], [1.0, 4.0]] {
        for n in [20, 60, 400] {
            for share in shares {
                let truth: f64 = share.iter().zip(values).map(|(p, v)| p * v).sum();
                let (rounds, mut covered) = (1000, 0.0);
                for _ in 0..rounds {
                    let group = weighted(&mut rng, n, share, weights);
                    let estimate = mean_benefit(&group, &values, Confidence::at(AT));
                    covered += f64::from(u8::from(holds(&estimate, truth))) / f64::from(rounds);
                }
                // Two rows in a hundred at ten times the usual value: such means are hard for anybody.
                let least = if n < 400 { 0.83 } else { 0.89 };
                assert!(covered > least, "{n} {weights:?} {share:?}: {covered}");
            }
        }
    }
}

#[test]
fn differences_of_means_hold_what_is_there() {
    let shares: [&[f64]; 2] = [&[0.5, 0.3, 0.2], &[0.6, 0.3, 0.1]];
    let values = [0.0, 10.0, 25.0];
    let truth = 8.0 - 5.5;
    let (mut rng, rounds, mut covered) = (rng(9), 3000, 0.0);
    for _ in 0..rounds {
        let [x, y] = [0, 1].map(|i| {
            let e = mean_benefit(&SegmentCounts::of_rows(&draw(&mut rng, 80, shares[i])), &values, Confidence::at(AT));
            (e.value.unwrap(), Interval { low: e.low.unwrap(), high: e.high.unwrap() })
        });
        covered += f64::from(u8::from(mover_difference(x.0, x.1, y.0, y.1).contains(truth))) / f64::from(rounds);
    }
    assert!((covered - AT).abs() < 0.013, "{covered}");
}

#[test]
fn inequalities_hold_what_is_there_and_fair_groups_are_rarely_accused() {
    let fair: [&[f64]; 3] = [&[0.5, 0.3, 0.2]; 3];
    let unfair: [&[f64]; 3] = [&[0.5, 0.3, 0.2], &[0.7, 0.2, 0.1], &[0.2, 0.4, 0.4]];
    let near: [&[f64]; 3] = [&[0.5, 0.3, 0.2], &[0.53, 0.28, 0.19], &[0.5, 0.3, 0.2]];
    let values = [0.0, 10.0, 25.0];
    let bootstrap = Bootstrap { replicates: 200, seed: 2 };
    let mut rng = rng(8);
    for (sizes, shares) in [
        ([300, 200, 100], fair),
        ([300, 200, 100], unfair),
        ([300, 200, 100], near),
        ([40, 30, 25], fair),
        ([40, 30, 25], unfair),
    ] {
        let exact: Vec<_> = sizes
            .iter()
            .zip(shares)
            .map(|(n, s)| SegmentCounts::of_rows(&s.iter().map(|p| p * 1e6 * *n as f64).collect::<Vec<_>>()))
            .collect();
        let confidence = Confidence { level: AT, bootstrap };
        let truth = INEQUALITIES.map(|(_, f)| f(&refs(&exact), &values, confidence).estimate.value.unwrap());
        let (rounds, mut covered, mut accused) = (400, [0.0; 3], [0.0; 3]);
        for _ in 0..rounds {
            let groups: Vec<_> =
                sizes.iter().zip(shares).map(|(n, s)| SegmentCounts::of_rows(&draw(&mut rng, *n, s))).collect();
            for (i, (_, f)) in INEQUALITIES.iter().enumerate() {
                let t = f(&refs(&groups), &values, confidence);
                covered[i] += f64::from(u8::from(holds(&t.estimate, truth[i]))) / f64::from(rounds);
                accused[i] += f64::from(u8::from(t.p_value.unwrap() < 0.05)) / f64::from(rounds);
            }
        }
        for (i, (name, _)) in INEQUALITIES.iter().enumerate() {
            assert!(covered[i] > 0.915, "{name} {sizes:?} {shares:?}: covers {}", covered[i]);
            assert!(shares != fair || accused[i] < 0.085, "{name} {sizes:?}: accuses {}", accused[i]);
        }
    }
}
