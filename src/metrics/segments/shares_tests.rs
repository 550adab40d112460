use approx::assert_relative_eq;

use super::super::simulate::{ADULT_SEX, MARKETING_ETHNIC, expected, groups, holds, of, refs, rng, weighted};
use super::*;

const SURE: Confidence =
    Confidence { level: 0.95, bootstrap: crate::inference::bootstrap::Bootstrap { replicates: 100, seed: 1 } };

#[test]
fn real_shares_agree_with_holisticai() {
    // holisticai 1.0.14 frequency_matrix of sex.
    let answers = [
        [0.07547169811320754, 0.03859908743371562, 0.2101368849426563, 0.07991120976692564, 0.5958811197434949],
        [0.24493305490725956, 0.10846333374278344, 0.08082545141874463, 0.10097039675715513, 0.46480776317405725],
    ];
    let sex = of(&ADULT_SEX);
    let cells = segment_shares(&refs(&sex), SURE);
    assert_eq!(cells.len(), 10);
    for (cell, answer) in cells.iter().zip(answers.iter().flatten()) {
        assert_relative_eq!(cell.share.value.unwrap(), *answer, max_relative = 1e-12);
        let (low, high) = cell.share.interval().unwrap();
        assert!(low < *answer && *answer < high);
        // The skew is the log of the representation, and its ends those of its interval.
        assert_relative_eq!(cell.skew.value.unwrap().exp(), cell.representation.value.unwrap(), max_relative = 1e-12);
        assert_relative_eq!(cell.skew.low.unwrap().exp(), cell.representation.low.unwrap(), max_relative = 1e-12);
    }
}

#[test]
fn residuals_are_the_textbook_ones() {
    let groups = of(&MARKETING_ETHNIC);
    let cells = segment_shares(&refs(&groups), SURE);
    let n = 4000.0;
    let mut raw = Vec::new();
    for cell in &cells {
        let row: f64 = MARKETING_ETHNIC[cell.group].iter().sum();
        let column: f64 = MARKETING_ETHNIC.iter().map(|r| r[cell.segment]).sum();
        let e = row * column / n;
        let z = (MARKETING_ETHNIC[cell.group][cell.segment] - e) / (e * (1.0 - row / n) * (1.0 - column / n)).sqrt();
        assert_relative_eq!(cell.residual.unwrap(), z, max_relative = 1e-9);
        raw.push(two_sided(z));
    }
    for (cell, p) in cells.iter().zip(Multiplicity::Holm.adjust(&raw)) {
        assert_relative_eq!(cell.p_value.unwrap(), p, max_relative = 1e-7);
    }
    // Nobody of group 3 is in segment 4.
    let lost = &cells[3 * 5 + 4];
    assert_eq!(
        (lost.share.value, lost.representation.value, lost.impact_ratio.value),
        (Some(0.0), Some(0.0), Some(0.0))
    );
    assert_eq!(lost.skew.reason, Some(Undefined::NobodyInSegment));
}

fn two_sided(z: f64) -> f64 {
    statrs::function::erf::erfc(z.abs() / 2f64.sqrt())
}

#[test]
fn empty_parts_are_listed_with_reasons() {
    let table = [
        SegmentCounts::of_rows(&[5.0, 0.0, 7.0]),
        SegmentCounts::of_rows(&[0.0, 0.0, 0.0]),
        SegmentCounts::of_rows(&[6.0, 0.0, 2.0]),
    ];
    let cells = segment_shares(&refs(&table), SURE);
    assert_eq!(cells.len(), 9);
    assert_eq!(cells[1].representation.reason, Some(Undefined::NobodyInSegment));
    assert_eq!(cells[1].impact_ratio.reason, Some(Undefined::NobodyInSegment));
    assert_eq!((cells[1].residual, cells[1].p_value), (None, None));
    for cell in &cells[3..6] {
        assert_eq!((cell.share.reason, cell.skew.reason), (Some(Undefined::NoRows), Some(Undefined::NoRows)));
    }
    assert_eq!(cells[0].impact_ratio.value, Some(5.0 / 12.0 / 0.75));
    assert!(segment_shares(&[], SURE).is_empty());
    assert!(segment_shares(&[&table[1]], SURE).is_empty());
    let alone = segment_shares(&[&table[0]], SURE);
    assert_eq!(alone[0].impact_ratio.reason, Some(Undefined::TooFewGroups));
    assert_eq!(segment_impact_ratio(&[&table[0]], SURE).estimate.reason, Some(Undefined::TooFewGroups));
    assert_eq!(segment_impact_ratio(&[], SURE).estimate.reason, Some(Undefined::NoRows));
    assert_eq!(segment_impact_ratio(&refs(&table), SURE).estimate.value, Some(0.25 / (7.0 / 12.0)));
}

#[test]
fn intervals_hold_what_is_there() {
    let shares: [&[f64]; 3] = [&[0.3, 0.4, 0.2, 0.1], &[0.35, 0.35, 0.2, 0.1], &[0.2, 0.3, 0.2, 0.3]];
    let sizes = [60, 200, 400];
    let truth = expected(&sizes, &shares);
    let (truth, least) = (segment_shares(&refs(&truth), SURE), segment_impact_ratio(&refs(&truth), SURE));
    let (mut rng, times) = (rng(31), 1500);
    let mut hits = vec![[0.0; 4]; truth.len()];
    let mut smallest = 0.0;
    for _ in 0..times {
        let drawn = groups(&mut rng, &sizes, &shares);
        for ((hit, truth), found) in hits.iter_mut().zip(&truth).zip(segment_shares(&refs(&drawn), SURE)) {
            let pairs = [
                (&found.share, &truth.share),
                (&found.representation, &truth.representation),
                (&found.impact_ratio, &truth.impact_ratio),
                (&found.skew, &truth.skew),
            ];
            for (count, (found, truth)) in hit.iter_mut().zip(pairs) {
                *count += f64::from(u8::from(holds(found, truth.value.unwrap()))) / f64::from(times);
            }
        }
        let found = segment_impact_ratio(&refs(&drawn), SURE).estimate;
        smallest += f64::from(u8::from(holds(&found, least.estimate.value.unwrap()))) / f64::from(times);
    }
    for (hit, truth) in hits.iter().zip(&truth) {
        for (at, hold) in hit.iter().enumerate() {
            // Wilson's own coverage swings by some points around its level.
            assert!(*hold >= 0.915, "figure {at} of group {} in segment {}: {hold}", truth.group, truth.segment);
        }
    }
    assert!(smallest >= 0.94, "{smallest}");
}

#[test]
fn fair_tables_have_few_findings() {
    let shares: &[f64] = &[0.4, 0.3, 0.2, 0.1];
    let (mut rng, times) = (rng(32), 800);
    for weights in [[1.0, 1.0], [1.0, 4.0]] {
        let (mut any, mut below, mut worst) = (0.0, 0.0, 0.0);
        for _ in 0..times {
            let drawn: Vec<SegmentCounts> =
                [150, 300, 700].map(|n| weighted(&mut rng, n, shares, weights)).into_iter().collect();
            let cells = segment_shares(&refs(&drawn), SURE);
            let share = 1.0 / f64::from(times);
            any += share * f64::from(u8::from(cells.iter().any(|c| c.p_value.is_some_and(|p| p < 0.05))));
            below += share * f64::from(u8::from(cells[0].impact_ratio.high.unwrap() < 1.0));
            let ratio = segment_impact_ratio(&refs(&drawn), SURE).estimate;
            worst += share * f64::from(u8::from(ratio.high.unwrap() < 1.0));
        }
        assert!(any <= 0.07 && below <= 0.06 && worst <= 0.065, "{weights:?}: {any} {below} {worst}");
    }
}

#[test]
fn many_groups_are_compared_at_once() {
    let rows: Vec<f64> = vec![50.0, 30.0, 20.0];
    let many: Vec<SegmentCounts> = (0..60).map(|_| SegmentCounts::of_rows(&rows)).collect();
    for cell in segment_shares(&refs(&many), SURE) {
        assert_eq!(cell.impact_ratio.value, Some(1.0));
        assert!(cell.impact_ratio.low.unwrap() > 0.2 && cell.impact_ratio.high == Some(1.0));
    }
}
