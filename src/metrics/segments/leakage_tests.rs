use approx::assert_relative_eq;

use super::super::divergence::total_variation;
use super::super::ordered::probability_of_superiority;
use super::super::simulate::{ADULT_RACE, ADULT_SEX, draw, expected, groups, holds, of, refs, rng};
use super::*;
use crate::inference::bootstrap::Bootstrap;

const AT: f64 = 0.95;

#[test]
fn two_groups_leak_their_total_variation() {
    let sex = of(&ADULT_SEX);
    let confidence = Confidence::at(AT);
    let leak = attribute_leakage(&refs(&sex), confidence).estimate;
    // Half of holisticai's cluster_dist_l1 above one half.
    assert_relative_eq!(leak.value.unwrap(), 0.5 + 0.2603847900933493 / 2.0, epsilon = 1e-12);
    let apart = total_variation(&sex[0], &sex[1], confidence).estimate;
    assert_relative_eq!(leak.value.unwrap(), 0.5 + apart.value.unwrap() / 2.0, epsilon = 1e-12);
    // The best guess of the group, segment by segment, tried in every way there is.
    let shares: Vec<Vec<f64>> =
        ADULT_RACE.iter().map(|rows| rows.iter().map(|n| n / rows.iter().sum::<f64>()).collect()).collect();
    let best = (0..5usize.pow(5))
        .map(|guess| (0..5).map(|c| shares[guess / 5usize.pow(c as u32) % 5][c]).sum::<f64>() / 5.0)
        .fold(0.0, f64::max);
    let race = of(&ADULT_RACE);
    assert_relative_eq!(attribute_leakage(&refs(&race), confidence).estimate.value.unwrap(), best, epsilon = 1e-12);
}

#[test]
fn the_auc_is_that_of_segments_sorted_by_likelihood() {
    let confidence = Confidence::at(AT);
    let mut rng = rng(31);
    for _ in 0..20 {
        let [a, b] = [200, 150].map(|n| draw(&mut rng, n, &[0.3, 0.2, 0.25, 0.15, 0.1]));
        let auc = leakage_auc(&SegmentCounts::of_rows(&a), &SegmentCounts::of_rows(&b), confidence).estimate;
        let mut order: Vec<usize> = (0..5).collect();
        order.sort_by(|x, y| (a[*x] / b[*x]).total_cmp(&(a[*y] / b[*y])));
        let [x, y] = [&a, &b].map(|rows| SegmentCounts::of_rows(&order.iter().map(|c| rows[*c]).collect::<Vec<_>>()));
        let sorted = probability_of_superiority(&x, &y, confidence).estimate;
        assert_relative_eq!(auc.value.unwrap(), sorted.value.unwrap(), epsilon = 1e-12);
    }
}

#[test]
fn nasty_groups_have_reasons() {
    let confidence = Confidence::at(AT);
    let (none, some) = (SegmentCounts::of_rows(&[0.0, 0.0]), SegmentCounts::of_rows(&[3.0, 4.0]));
    assert_eq!(attribute_leakage(&[&none, &some], confidence).estimate.reason, Some(Undefined::TooFewGroups));
    assert_eq!(attribute_leakage(&[], confidence).estimate.reason, Some(Undefined::NoRows));
    assert_eq!(leakage_auc(&none, &some, confidence).estimate.reason, Some(Undefined::NoRows));
    let one = SegmentCounts::of_rows(&[7.0]);
    assert_eq!(leakage_auc(&one, &one, confidence).estimate.value, Some(0.5));
    let [a, b] = [[9.0, 0.0], [0.0, 9.0]].map(|rows| SegmentCounts::of_rows(&rows));
    for t in [attribute_leakage(&[&a, &b], confidence), leakage_auc(&a, &b, confidence)] {
        assert_eq!(t.estimate.value, Some(1.0));
        assert!(t.estimate.low.unwrap() < 0.98 && t.estimate.high == Some(1.0) && t.p_value.unwrap() < 1e-3);
    }
}

#[test]
fn intervals_hold_what_is_there_and_fair_segments_are_rarely_accused() {
    let even: &[f64] = &[0.4, 0.3, 0.2, 0.1];
    let other: &[f64] = &[0.3, 0.3, 0.1, 0.3];
    let confidence = Confidence { bootstrap: Bootstrap { replicates: 200, seed: 1 }, ..Confidence::at(AT) };
    let mut rng = rng(32);
    for (sizes, shares) in [
        (&[300, 200, 100][..], &[even, even, even][..]),
        (&[300, 200, 100], &[even, other, even]),
        (&[300, 200], &[even, even]),
        (&[40, 30], &[even, other]),
        (&[25, 20, 15], &[even, even, even]),
    ] {
        let exact = expected(sizes, shares);
        let both = |groups: &[SegmentCounts]| {
            [attribute_leakage(&refs(groups), confidence), leakage_auc(&groups[0], &groups[1], confidence)]
        };
        let truth = both(&exact).map(|t| t.estimate.value.unwrap());
        let (rounds, mut covered, mut accused) = (400, [0.0; 2], [0.0; 2]);
        for _ in 0..rounds {
            for (i, t) in both(&groups(&mut rng, sizes, shares)).iter().enumerate() {
                covered[i] += f64::from(u8::from(holds(&t.estimate, truth[i]))) / f64::from(rounds);
                accused[i] += f64::from(u8::from(t.p_value.unwrap() < 0.05)) / f64::from(rounds);
            }
        }
        assert!(covered.iter().all(|c| *c > 0.915), "{sizes:?} {covered:?}");
        assert!(shares[1] == other || accused.iter().all(|a| *a < 0.085), "{sizes:?} {accused:?}");
    }
}
