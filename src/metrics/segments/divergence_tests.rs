use approx::assert_relative_eq;

use super::super::simulate::{
    ADULT_RACE, ADULT_SEX, MARKETING_ETHNIC, MARKETING_SEX, expected, groups, holds, of, rng, weighted,
};
use super::*;
use crate::inference::bootstrap::Bootstrap;
use crate::tally::Cell;

const SURE: Confidence = Confidence { level: 0.95, bootstrap: Bootstrap { replicates: 199, seed: 1 } };

fn all(a: &SegmentCounts, b: &SegmentCounts) -> Vec<(&'static str, Tested)> {
    MEASURES
        .iter()
        .map(|m| {
            let Compute::Pair(compute) = m.compute else { panic!("{} is no pair's", m.entry.name) };
            (m.entry.name, compute(a, b, &Segmentation::default(), SURE))
        })
        .collect()
}

fn value(of: fn(&SegmentCounts, &SegmentCounts, Confidence) -> Tested, a: &SegmentCounts, b: &SegmentCounts) -> f64 {
    of(a, b, SURE).estimate.value.unwrap()
}

#[test]
fn real_shares_agree_with_holisticai_and_scipy() {
    let sex = of(&ADULT_SEX);
    // holisticai 1.0.14: cluster_dist_l1, cluster_dist_kl; scipy 1.17.1: jensenshannon².
    assert_relative_eq!(value(total_variation, &sex[0], &sex[1]), 0.2603847900933493, max_relative = 1e-12);
    assert_relative_eq!(value(kullback_leibler, &sex[0], &sex[1]), 0.2013866672594705, max_relative = 1e-11);
    assert_relative_eq!(value(jensen_shannon, &sex[1], &sex[0]), 0.05178778798006811, max_relative = 1e-11);
    assert_relative_eq!(value(hellinger, &sex[0], &sex[1]), 0.23001124274558493, max_relative = 1e-11);
    assert_relative_eq!(value(max_share_difference, &sex[0], &sex[1]), 0.169461356794052, max_relative = 1e-12);
    let race = of(&ADULT_RACE);
    let others = SegmentCounts::of_rows(&[440.0, 198.0, 429.0, 422.0, 1992.0]);
    assert_relative_eq!(value(total_variation, &others, &race[4]), 0.10629571942845846, max_relative = 1e-12);
    assert_relative_eq!(value(kullback_leibler, &others, &race[4]), 0.03261693522653148, max_relative = 1e-10);
    assert_relative_eq!(value(jensen_shannon, &race[4], &others), 0.008460003958590256, max_relative = 1e-10);
    let marketing = of(&MARKETING_SEX);
    assert_relative_eq!(
        value(total_variation, &marketing[0], &marketing[1]),
        0.08874821965500868,
        max_relative = 1e-12
    );
    assert_relative_eq!(
        value(kullback_leibler, &marketing[0], &marketing[1]),
        0.02014509760944321,
        max_relative = 1e-10
    );
    let ethnic = of(&MARKETING_ETHNIC);
    assert_relative_eq!(value(total_variation, &ethnic[4], &ethnic[6]), 0.30414073177281403, max_relative = 1e-12);
    assert_relative_eq!(value(kullback_leibler, &ethnic[4], &ethnic[6]), 0.25813186769322405, max_relative = 1e-10);
    // holisticai's multiclass_statistical_parity over all pairs: mean and largest total variation.
    let mut pairs = Vec::new();
    for i in 0..8 {
        pairs.extend((i + 1..8).map(|j| value(total_variation, &ethnic[i], &ethnic[j])));
    }
    let mean = pairs.iter().sum::<f64>() / 28.0;
    assert_relative_eq!(mean, 0.1908155542330729, max_relative = 1e-12);
    assert_relative_eq!(pairs.iter().copied().fold(0.0, f64::max), 0.35180722891566263, max_relative = 1e-12);
}

#[test]
fn shares_without_anything_in_common_are_as_far_as_can_be() {
    let groups = of(&[&[40.0, 0.0, 10.0], &[0.0, 30.0, 0.0]]);
    for (name, tested) in all(&groups[0], &groups[1]) {
        let most = MEASURES.iter().find(|m| m.entry.name == name).unwrap().entry.most;
        match (name, most) {
            ("kullback_leibler", _) => assert_eq!(tested.estimate.reason, Some(Undefined::DifferentSupports)),
            ("max_share_difference", _) => assert_relative_eq!(tested.estimate.value.unwrap(), 1.0),
            (_, most) => {
                assert_relative_eq!(tested.estimate.value.unwrap(), most.unwrap(), max_relative = 1e-12);
                assert!(tested.estimate.low.unwrap() > 0.3 * most.unwrap(), "{name} {:?}", tested.estimate);
            }
        }
        assert!(tested.p_value.unwrap() < 0.01);
    }
    // A segment that only one side has is no reason to look away: half of the people would have to move.
    let [a, b] = [[50.0, 50.0, 0.0], [0.0, 50.0, 50.0]].map(|rows| SegmentCounts::of_rows(&rows));
    assert_relative_eq!(value(total_variation, &a, &b), 0.5);
    // The second side's own segments do not trouble the divergence from it.
    let c = SegmentCounts::of_rows(&[50.0, 50.0, 100.0]);
    assert_relative_eq!(value(kullback_leibler, &a, &c), 2f64.ln(), max_relative = 1e-12);
}

#[test]
fn symmetric_where_they_should_be_and_blind_to_units() {
    let groups = of(&ADULT_SEX);
    let tripled = SegmentCounts {
        cells: groups[0]
            .cells
            .iter()
            .map(|c| Cell { rows: c.rows, weight: 3.0 * c.weight, weight_squared: 9.0 * c.weight_squared })
            .collect(),
        ..groups[0].clone()
    };
    let turned = of(&[&[4832.0, 612.0, 0.0, 313.0, 1704.0, 648.0], &[7568.0, 3988.0, 0.0, 1766.0, 1316.0, 1644.0]]);
    let plain = all(&groups[0], &groups[1]);
    let others = [all(&groups[1], &groups[0]), all(&tripled, &groups[1]), all(&turned[0], &turned[1])];
    for (at, other) in others.into_iter().enumerate() {
        for ((name, a), (_, b)) in plain.iter().zip(other) {
            if at > 0 || *name != "kullback_leibler" {
                assert_relative_eq!(a.estimate.value.unwrap(), b.estimate.value.unwrap(), max_relative = 1e-9);
                assert_relative_eq!(a.estimate.low.unwrap(), b.estimate.low.unwrap(), max_relative = 1e-6);
                assert_relative_eq!(a.estimate.high.unwrap(), b.estimate.high.unwrap(), max_relative = 1e-6);
            }
        }
    }
}

#[test]
fn nasty_groups_have_reasons() {
    let full = SegmentCounts::of_rows(&[3.0, 4.0]);
    let lost = SegmentCounts { unassigned: Cell::of_rows(5.0), ..SegmentCounts::of_rows(&[0.0, 0.0]) };
    let weightless = SegmentCounts {
        cells: vec![Cell { rows: 4.0, weight: 0.0, weight_squared: 0.0 }; 2],
        ..SegmentCounts::of_rows(&[0.0, 0.0])
    };
    for (other, reason) in [
        (SegmentCounts::default(), Undefined::NoRows),
        (SegmentCounts::of_rows(&[0.0, 0.0]), Undefined::NoRows),
        (lost, Undefined::NoSegments),
        (weightless, Undefined::NoWeight),
        (SegmentCounts::of_rows(&[-1.0, 4.0]), Undefined::NotFinite),
    ] {
        for (a, b) in [(&full, &other), (&other, &full), (&other, &other)] {
            for (name, tested) in all(a, b) {
                assert_eq!(tested.estimate.reason, Some(reason), "{name}");
            }
        }
    }
    // Everybody in one segment: alike, as far as so few rows can show.
    let one = SegmentCounts::of_rows(&[8.0, 0.0]);
    for (name, tested) in all(&one, &one) {
        assert_eq!(tested.estimate.value, Some(0.0), "{name}");
        assert!(
            tested.estimate.low == Some(0.0) && tested.estimate.high.unwrap() > 0.1,
            "{name} {:?}",
            tested.estimate
        );
    }
    // More segments than sets can be tried.
    let many: Vec<f64> = (0..60).map(|i| 5.0 + f64::from(i % 7)).collect();
    let back: Vec<f64> = many.iter().rev().copied().collect();
    let (a, b) = (SegmentCounts::of_rows(&many), SegmentCounts::of_rows(&back));
    let tv = total_variation(&a, &b, SURE).estimate;
    assert!(tv.low.unwrap() <= tv.value.unwrap() && tv.high.unwrap() > tv.value.unwrap());
}

/// How often the intervals hold the truth, are above 0, and p-values below 0.05.
fn simulate(
    seed: u64,
    times: usize,
    truth: &[SegmentCounts],
    mut pair: impl FnMut(&mut rand::rngs::StdRng) -> Vec<SegmentCounts>,
) -> Vec<(&'static str, f64, f64, f64)> {
    let truth = all(&truth[0], &truth[1]);
    let mut rng = rng(seed);
    let mut hits = vec![[0.0; 4]; truth.len()];
    for _ in 0..times {
        let drawn = pair(&mut rng);
        for ((count, (_, truth)), (_, found)) in hits.iter_mut().zip(&truth).zip(all(&drawn[0], &drawn[1])) {
            if found.estimate.value.is_none() {
                continue;
            }
            count[0] += f64::from(u8::from(holds(&found.estimate, truth.estimate.value.unwrap())));
            count[1] += f64::from(u8::from(found.estimate.low.is_some_and(|low| low > 0.0)));
            count[2] += f64::from(u8::from(found.p_value.is_some_and(|p| p < 0.05)));
            count[3] += 1.0;
        }
    }
    truth.iter().zip(hits).map(|((name, _), h)| (*name, h[0] / h[3], h[1] / h[3], h[2] / h[3])).collect()
}

#[test]
fn fair_pairs_are_rarely_accused() {
    let even: &[f64] = &[0.3, 0.25, 0.2, 0.15, 0.1];
    let skewed: &[f64] = &[0.9, 0.05, 0.03, 0.02];
    let many: Vec<f64> = vec![0.05; 20];
    for (sizes, shares) in
        [([50, 50], even), ([400, 40], even), ([2000, 3000], even), ([30, 60], skewed), ([200, 300], &many[..])]
    {
        let both = [shares, shares];
        for (name, hold, above, small) in simulate(21, 300, &expected(&sizes, &both), |rng| groups(rng, &sizes, &both))
        {
            assert!(small <= 0.09, "{name} {sizes:?}: p < 0.05 in {small}");
            assert!(above <= 0.07, "{name} {sizes:?}: low > 0 in {above}");
            assert!(hold >= 0.93, "{name} {sizes:?}: holds {hold}");
        }
    }
}

#[test]
fn intervals_hold_what_is_there() {
    let slight: [&[f64]; 2] = [&[0.3, 0.4, 0.2, 0.1], &[0.35, 0.3, 0.2, 0.15]];
    let strong: [&[f64]; 2] = [&[0.7, 0.2, 0.05, 0.05], &[0.1, 0.3, 0.2, 0.4]];
    let skewed: [&[f64]; 2] = [&[0.95, 0.03, 0.01, 0.01], &[0.8, 0.1, 0.05, 0.05]];
    let apart: [&[f64]; 2] = [&[0.6, 0.38, 0.01, 0.01], &[0.01, 0.01, 0.58, 0.4]];
    for (kind, shares) in [("slight", slight), ("strong", strong), ("skewed", skewed), ("far", apart)] {
        for sizes in [[60, 90], [800, 150]] {
            for (name, hold, ..) in simulate(22, 300, &expected(&sizes, &shares), |rng| groups(rng, &sizes, &shares)) {
                let least = if name == "kullback_leibler" { 0.85 } else { 0.91 };
                assert!(hold >= least, "{name} of a {kind} pair of {sizes:?} holds {hold}");
            }
        }
    }
}

#[test]
fn unequal_weights_keep_the_level() {
    let shares: &[f64] = &[0.4, 0.3, 0.2, 0.1];
    let pair = |rng: &mut rand::rngs::StdRng| {
        vec![weighted(rng, 1000, shares, [1.0, 1.0]), weighted(rng, 300, shares, [10.0, 80.0])]
    };
    for (name, hold, above, small) in simulate(23, 800, &expected(&[100, 100], &[shares, shares]), pair) {
        assert!(small <= 0.075 && above <= 0.06 && hold >= 0.94, "{name}: {small} {above} {hold}");
    }
}
