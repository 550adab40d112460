use approx::assert_relative_eq;

use super::super::simulate::{draw, holds, of, rng, weighted};
use super::*;
use crate::inference::bootstrap::Bootstrap;
use crate::metrics::segments::association::{mutual_information, mutual_information_corrected};

const AT: f64 = 0.95;

/// H(group, stratum) + H(segment, stratum) − H(group, segment, stratum) − H(stratum), from the rows.
fn by_entropies(strata: &[&[&[f64]]]) -> f64 {
    let total: f64 = strata.iter().flat_map(|s| s.iter()).flat_map(|g| g.iter()).sum();
    let h = |counts: Vec<f64>| -> f64 {
        counts.into_iter().filter(|n| *n > 0.0).map(|n| -(n / total) * (n / total).ln()).sum()
    };
    let k = strata[0][0].len();
    let cells = strata.iter().flat_map(|s| s.iter()).flat_map(|g| g.iter().copied()).collect();
    let groups = strata.iter().flat_map(|s| s.iter()).map(|g| g.iter().sum()).collect();
    let segments = strata.iter().flat_map(|s| (0..k).map(|c| s.iter().map(|g| g[c]).sum())).collect();
    let alone = strata.iter().map(|s| s.iter().flat_map(|g| g.iter()).sum()).collect();
    h(groups) + h(segments) - h(cells) - h(alone)
}

#[test]
fn entropies_give_the_same() {
    let strata: [&[&[f64]]; 3] = [
        &[&[10.0, 20.0, 5.0], &[30.0, 10.0, 15.0]],
        &[&[7.0, 0.0, 25.0], &[1.0, 9.0, 12.0]],
        &[&[40.0, 40.0, 40.0], &[10.0, 10.0, 10.0]],
    ];
    let tables: Vec<Vec<SegmentCounts>> = strata.iter().map(|s| of(s)).collect();
    let value = conditional_mutual_information(&tables, Confidence::at(AT)).estimate.value.unwrap();
    assert_relative_eq!(value, by_entropies(&strata), epsilon = 1e-12);
    let corrected = conditional_mutual_information_corrected(&tables, Confidence::at(AT)).estimate.value.unwrap();
    // Two degrees of freedom in each of three strata: 6 / 2n.
    assert_relative_eq!(corrected, value - 6.0 / (2.0 * 294.0), epsilon = 1e-12);
}

#[test]
fn one_stratum_is_mutual_information() {
    let table = of(&[&[30.0, 70.0, 20.0], &[60.0, 40.0, 20.0], &[15.0, 15.0, 30.0]]);
    let refs: Vec<&SegmentCounts> = table.iter().collect();
    let confidence = Confidence::at(AT);
    for (one, other) in [
        (
            conditional_mutual_information(std::slice::from_ref(&table), confidence),
            mutual_information(&refs, confidence),
        ),
        (
            conditional_mutual_information_corrected(std::slice::from_ref(&table), confidence),
            mutual_information_corrected(&refs, confidence),
        ),
    ] {
        assert_relative_eq!(one.estimate.value.unwrap(), other.estimate.value.unwrap(), epsilon = 1e-12);
        assert_relative_eq!(one.estimate.low.unwrap(), other.estimate.low.unwrap(), epsilon = 1e-9);
        assert_relative_eq!(one.estimate.high.unwrap(), other.estimate.high.unwrap(), epsilon = 1e-9);
        assert_relative_eq!(one.p_value.unwrap(), other.p_value.unwrap(), epsilon = 1e-9);
    }
}

#[test]
fn strata_that_cannot_be_compared() {
    let confidence = Confidence::at(AT);
    let reason = |strata: &[Vec<SegmentCounts>]| conditional_mutual_information(strata, confidence).estimate.reason;
    assert_eq!(reason(&[]), Some(Undefined::NoRows));
    assert_eq!(reason(&[of(&[&[0.0, 0.0], &[0.0, 0.0]])]), Some(Undefined::NoRows));
    assert_eq!(reason(&[of(&[&[5.0, 5.0], &[0.0, 0.0]]), of(&[&[0.0, 0.0], &[4.0, 4.0]])]), Some(Undefined::NoOverlap));
    assert_eq!(reason(&[of(&[&[f64::NAN, 5.0], &[5.0, 1.0]])]), Some(Undefined::NotFinite));
    // All of a stratum in one segment: nothing to learn, and it counts as that.
    let certain = of(&[&[9.0, 0.0], &[4.0, 0.0]]);
    assert_eq!(conditional_mutual_information(std::slice::from_ref(&certain), confidence).estimate.value, Some(0.0));
    let told = of(&[&[13.0, 0.0], &[0.0, 13.0]]);
    let alone = conditional_mutual_information(std::slice::from_ref(&told), confidence).estimate.value.unwrap();
    let both = conditional_mutual_information(&[told.clone(), certain], confidence).estimate.value.unwrap();
    assert_relative_eq!(alone, 2f64.ln(), epsilon = 1e-12);
    assert_relative_eq!(both, 2f64.ln() * 26.0 / 39.0, epsilon = 1e-12);
}

/// How often intervals hold the truth and tests reject.
fn simulate(strata: &[(&[u64], Vec<&[f64]>)], weights: [f64; 2], seed: u64) -> [f64; 2] {
    let mut rng = rng(seed);
    let confidence = Confidence { bootstrap: Bootstrap { replicates: 200, seed: 1 }, ..Confidence::at(AT) };
    let exact: Vec<Vec<SegmentCounts>> = strata
        .iter()
        .map(|(sizes, shares)| {
            let group =
                |(n, s): (&u64, &&[f64])| SegmentCounts::of_rows(&s.iter().map(|p| p * *n as f64).collect::<Vec<_>>());
            sizes.iter().zip(shares).map(group).collect()
        })
        .collect();
    let truth = conditional_mutual_information(&exact, confidence).estimate.value.unwrap();
    let (rounds, mut hits) = (400, [0.0; 2]);
    for _ in 0..rounds {
        let drawn: Vec<Vec<SegmentCounts>> = strata
            .iter()
            .map(|(sizes, shares)| {
                let group = |(n, s): (&u64, &&[f64])| {
                    if weights[0] == weights[1] {
                        SegmentCounts::of_rows(&draw(&mut rng, *n, s))
                    } else {
                        weighted(&mut rng, *n, s, weights)
                    }
                };
                sizes.iter().zip(shares).map(group).collect()
            })
            .collect();
        let t = conditional_mutual_information(&drawn, confidence);
        hits[0] += f64::from(u8::from(holds(&t.estimate, truth))) / f64::from(rounds);
        hits[1] += f64::from(u8::from(t.p_value.is_some_and(|p| p < 0.05))) / f64::from(rounds);
    }
    hits
}

#[test]
fn intervals_hold_what_is_there_and_fair_strata_are_rarely_accused() {
    let (p, q, r): (&[f64], &[f64], &[f64]) = (&[0.5, 0.3, 0.2], &[0.2, 0.3, 0.5], &[0.4, 0.3, 0.3]);
    for (sizes, weights) in [(&[300, 200][..], [1.0, 1.0]), (&[25, 20][..], [1.0, 1.0]), (&[300, 200][..], [1.0, 4.0])]
    {
        let fair = simulate(&[(sizes, vec![p, p]), (sizes, vec![q, q])], weights, 1);
        assert!(fair[0] > 0.93 && fair[1] < 0.075, "{sizes:?} {weights:?} {fair:?}");
        let far = simulate(&[(sizes, vec![p, q]), (sizes, vec![q, r])], weights, 2);
        let near = simulate(&[(sizes, vec![p, r]), (sizes, vec![q, q])], weights, 3);
        assert!(far[0] > 0.92 && near[0] > 0.92, "{sizes:?} {weights:?} {far:?} {near:?}");
    }
}
