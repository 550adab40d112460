use approx::assert_relative_eq;

use super::super::simulate::{
    ADULT_RACE, ADULT_SEX, MARKETING_ETHNIC, draw, expected, groups, holds, of, refs, rng, weighted,
};
use super::*;
use crate::inference::bootstrap::Bootstrap;
use crate::tally::Cell;

const SURE: Confidence = Confidence { level: 0.95, bootstrap: Bootstrap { replicates: 199, seed: 1 } };

fn by_name(name: &str, groups: &[&SegmentCounts]) -> Tested {
    let measure = MEASURES.iter().find(|m| m.entry.name == name).unwrap();
    let Compute::Table(compute) = measure.compute else { panic!("{name} is no table measure") };
    compute(groups, &Segmentation::default(), SURE)
}

fn all(groups: &[SegmentCounts]) -> Vec<(&'static str, Tested)> {
    MEASURES.iter().map(|m| (m.entry.name, by_name(m.entry.name, &refs(groups)))).collect()
}

#[test]
fn real_tables_agree_with_scipy_and_scikit_learn() {
    // scipy 1.17.1 (chi2_contingency without correction, also log-likelihood; association), scikit-learn 1.9.1.
    let cases: [(&[&[f64]], [f64; 7]); 3] = [
        (
            &ADULT_SEX,
            [
                2073.744480587393,
                2203.7652801152058,
                0.2915834152632028,
                0.04517578779293997,
                0.04551291178828122,
                0.045434038348163217,
                0.033481418784195444,
            ],
        ),
        (
            &ADULT_RACE,
            [
                389.3881561627236,
                413.5329691373688,
                0.0631751919381077,
                0.00847716307526088,
                0.0089476844916349,
                0.008602941221827224,
                0.006282733758305019,
            ],
        ),
        (
            &MARKETING_ETHNIC,
            [
                284.42330428369746,
                274.8904024409735,
                0.13332837851609494,
                0.03436130030512191,
                0.025523605455766617,
                0.02289808367745001,
                0.022210758487036894,
            ],
        ),
    ];
    let names = [
        "chi_square",
        "g_test",
        "cramers_v",
        "mutual_information",
        "normalized_mutual_information",
        "adjusted_mutual_information",
        "theils_u",
    ];
    for (table, answers) in cases {
        let groups = of(table);
        for (name, answer) in names.iter().zip(answers) {
            let found = by_name(name, &refs(&groups));
            assert_relative_eq!(found.estimate.value.unwrap(), answer, max_relative = 1e-9);
            assert!(found.p_value.unwrap() < 0.006, "{name}");
        }
    }
    let race = of(&ADULT_RACE);
    assert_relative_eq!(
        by_name("chi_square", &refs(&race)).p_value.unwrap(),
        6.085436167265344e-73,
        max_relative = 1e-6
    );
    assert_relative_eq!(by_name("g_test", &refs(&race)).p_value.unwrap(), 5.2877303719078125e-78, max_relative = 1e-6);
    // The table by ethnicity has a group of ten: permutation.
    let ethnic = by_name("chi_square", &refs(&of(&MARKETING_ETHNIC)));
    assert_eq!((ethnic.test, ethnic.p_value), (Some("permutation of chi-square"), Some(1.0 / 200.0)));
}

#[test]
fn a_two_by_two_table_by_hand() {
    let groups = of(&[&[30.0, 70.0], &[60.0, 40.0]]);
    // phi² = 18.1818 / 200; tau of two by two is phi².
    for (name, answer) in [
        ("goodman_kruskal_tau", 18.181818181818183 / 200.0),
        ("cramers_v", (18.181818181818183f64 / 200.0).sqrt()),
        // 70 + 60 right instead of 110 of 200.
        ("goodman_kruskal_lambda", 20.0 / 90.0),
        // Bergsma: phi² − 1/199 over 1 − 1/199.
        ("cramers_v_corrected", ((18.181818181818183f64 / 200.0 - 1.0 / 199.0) / (1.0 - 1.0 / 199.0)).sqrt()),
    ] {
        assert_relative_eq!(by_name(name, &refs(&groups)).estimate.value.unwrap(), answer, max_relative = 1e-12);
    }
}

#[test]
fn groups_that_tell_the_segment_reach_the_end() {
    let groups = of(&[&[40.0, 0.0, 0.0], &[0.0, 30.0, 0.0], &[0.0, 0.0, 50.0]]);
    for (name, tested) in all(&groups) {
        let value = tested.estimate.value.unwrap();
        if MEASURES.iter().any(|m| m.entry.name == name && m.entry.most == Some(1.0)) {
            assert!((value - 1.0).abs() < 1e-9, "{name}: {value}");
            assert!(tested.estimate.high.unwrap() <= 1.0 && tested.estimate.low.unwrap() > 0.3, "{name}");
        }
        assert!(tested.p_value.unwrap() < 0.01, "{name}");
    }
}

#[test]
fn order_names_empty_parts_and_units_of_weight_do_not_matter() {
    let plain = of(&ADULT_RACE);
    let turned: Vec<SegmentCounts> = ADULT_RACE
        .iter()
        .rev()
        .map(|rows| {
            let mut rows: Vec<f64> = rows.iter().rev().copied().collect();
            rows.insert(2, 0.0);
            SegmentCounts::of_rows(&rows)
        })
        .chain([SegmentCounts::of_rows(&[0.0; 6])])
        .collect();
    let scaled: Vec<SegmentCounts> = plain
        .iter()
        .map(|group| {
            let cells = group.cells.iter().map(|c| Cell {
                rows: c.rows,
                weight: 2.5 * c.weight,
                weight_squared: 6.25 * c.weight_squared,
            });
            SegmentCounts { cells: cells.collect(), ..group.clone() }
        })
        .collect();
    // Split over two classes: the same people by segment.
    let classes: Vec<SegmentCounts> = plain
        .iter()
        .map(|group| {
            let part = |share: f64| group.cells.iter().map(move |c| Cell::of_rows(share * c.rows));
            SegmentCounts { cells: part(0.25).chain(part(0.75)).collect(), ..group.clone() }
        })
        .collect();
    for other in [turned, scaled, classes] {
        for ((name, a), (_, b)) in all(&plain).into_iter().zip(all(&other)) {
            assert_relative_eq!(a.estimate.value.unwrap(), b.estimate.value.unwrap(), max_relative = 1e-9);
            assert_relative_eq!(a.p_value.unwrap(), b.p_value.unwrap(), max_relative = 1e-6);
            let (a, b) = (a.estimate, b.estimate);
            assert_eq!(a.low.is_some(), b.low.is_some(), "{name}");
            if let (Some(a), Some(b)) = (a.interval(), b.interval()) {
                assert!((a.0 - b.0).abs() < 1e-6 && (a.1 - b.1).abs() < 1e-6, "{name} {a:?} {b:?}");
            }
        }
    }
}

#[test]
fn nasty_tables_have_reasons() {
    let full = SegmentCounts::of_rows(&[3.0, 4.0]);
    let empty = SegmentCounts::of_rows(&[0.0, 0.0]);
    let lost = SegmentCounts { unassigned: Cell::of_rows(5.0), ..SegmentCounts::of_rows(&[0.0, 0.0]) };
    let weightless = SegmentCounts {
        cells: vec![Cell { rows: 4.0, weight: 0.0, weight_squared: 0.0 }; 2],
        ..SegmentCounts::of_rows(&[0.0, 0.0])
    };
    let broken = SegmentCounts::of_rows(&[f64::NAN, 1.0]);
    let cases: Vec<(Vec<SegmentCounts>, Undefined)> = vec![
        (vec![], Undefined::NoRows),
        (vec![SegmentCounts::default()], Undefined::NoRows),
        (vec![empty.clone(), empty.clone()], Undefined::NoRows),
        (vec![lost, empty.clone()], Undefined::NoSegments),
        (vec![weightless.clone(), weightless], Undefined::NoWeight),
        (vec![full.clone()], Undefined::TooFewGroups),
        (vec![full.clone(), empty], Undefined::TooFewGroups),
        (of(&[&[5.0, 0.0], &[9.0, 0.0]]), Undefined::OneSegment),
        (vec![full.clone(), broken], Undefined::NotFinite),
    ];
    for (groups, reason) in cases {
        for (name, tested) in all(&groups) {
            assert_eq!(tested.estimate.reason, Some(reason), "{name}");
            assert_eq!(tested.p_value, None);
        }
    }
    // One row each: nothing is proved, nothing fails.
    for (name, tested) in all(&of(&[&[1.0, 0.0], &[0.0, 1.0]])) {
        match tested.estimate.value {
            Some(value) => assert!(value.is_finite() && tested.estimate.low.is_none_or(|low| low <= 0.0), "{name}"),
            None => assert_eq!(tested.estimate.reason, Some(Undefined::NoVariation), "{name}"),
        }
    }
    // Counts of a billion, soft counts, levels at the ends.
    for (name, tested) in all(&of(&[&[1e9, 2e9, 0.5], &[1.1e9, 2e9, 0.25]])) {
        assert!(tested.estimate.value.is_some_and(f64::is_finite), "{name}");
    }
    for level in [0.0, 1.0, f64::NAN, 1.0 - 1e-12] {
        let v = cramers_v(&[&full, &full], Confidence { level, ..SURE }).estimate;
        assert_eq!(v.value, Some(0.0));
    }
}

/// How often each measure's interval holds the truth, its low end is above it on fair tables, and its p-value is
/// below 0.05.
fn simulate(
    seed: u64,
    times: usize,
    truth: &[SegmentCounts],
    mut table: impl FnMut(&mut rand::rngs::StdRng) -> Vec<SegmentCounts>,
) -> Vec<(&'static str, f64, f64, f64)> {
    let truth = all(truth);
    let mut rng = rng(seed);
    let mut hits = vec![[0.0; 3]; truth.len()];
    for _ in 0..times {
        let found = all(&table(&mut rng));
        for ((count, (_, truth)), (_, found)) in hits.iter_mut().zip(&truth).zip(found) {
            count[0] += f64::from(u8::from(holds(&found.estimate, truth.estimate.value.unwrap())));
            count[1] += f64::from(u8::from(found.estimate.low.is_some_and(|low| low > 0.0)));
            count[2] += f64::from(u8::from(found.p_value.unwrap() < 0.05));
        }
    }
    let n = times as f64;
    truth.iter().zip(hits).map(|((name, _), h)| (*name, h[0] / n, h[1] / n, h[2] / n)).collect()
}

/// Few draws, so that the bounds are wide (four standard errors); `tests/coverage_segments.rs` draws more.
#[test]
fn fair_tables_are_rarely_accused() {
    let shares: &[f64] = &[0.3, 0.2, 0.2, 0.1, 0.1, 0.05, 0.03, 0.02];
    let four: Vec<&[f64]> = vec![shares; 4];
    let skewed: Vec<&[f64]> = vec![&[0.9, 0.07, 0.03]; 3];
    for (sizes, shares) in [(vec![75, 75, 75, 75], &four), (vec![12, 20, 200, 600], &four), (vec![15, 40, 60], &skewed)]
    {
        let truth = expected(&sizes, shares);
        for (name, hold, above, small) in simulate(11, 80, &truth, |rng| groups(rng, &sizes, shares)) {
            assert!(small <= 0.15, "{name} {sizes:?}: p < 0.05 in {small}");
            assert!(above <= 0.1, "{name} {sizes:?}: low > 0 in {above}");
            assert!(hold >= 0.9 || name.contains("chi") || name.contains("g_test"), "{name} {sizes:?}: holds {hold}");
        }
    }
}

#[test]
fn unequal_weights_keep_the_level() {
    // A small group weighted up to be a tenth of all: one effective size for the whole table would claim five times
    // what is known.
    let shares: &[f64] = &[0.4, 0.3, 0.2, 0.1];
    let truth = expected(&[500, 500], &[shares, shares]);
    let draw = |rng: &mut rand::rngs::StdRng| {
        vec![weighted(rng, 4000, shares, [1.0, 1.0]), weighted(rng, 150, shares, [1.0, 5.0])]
    };
    for (name, _, above, small) in simulate(12, 200, &truth, draw) {
        assert!(small <= 0.08, "{name}: p < 0.05 in {small}");
        assert!(above <= 0.045, "{name}: low > 0 in {above}");
    }
}

#[test]
fn intervals_hold_what_is_there() {
    let slight: [&[f64]; 3] = [&[0.3, 0.4, 0.2, 0.1], &[0.35, 0.35, 0.2, 0.1], &[0.25, 0.4, 0.2, 0.15]];
    let strong: [&[f64]; 3] = [&[0.7, 0.2, 0.05, 0.05], &[0.1, 0.6, 0.2, 0.1], &[0.1, 0.1, 0.3, 0.5]];
    let skewed: [&[f64]; 3] = [&[0.97, 0.02, 0.01, 0.0], &[0.9, 0.07, 0.01, 0.02], &[0.6, 0.1, 0.1, 0.2]];
    for (name, shares) in [("slight", slight), ("strong", strong), ("skewed", skewed)] {
        for sizes in [[60, 100, 80], [1000, 200, 90]] {
            let truth = expected(&sizes, &shares);
            for (measure, hold, ..) in simulate(13, 60, &truth, |rng| groups(rng, &sizes, &shares)) {
                let exempt = ["chi_square", "g_test"].contains(&measure);
                assert!(exempt || hold >= 0.88, "{measure} of a {name} table of {sizes:?} holds {hold}");
            }
        }
    }
}

#[test]
fn corrections_remove_the_bias_of_fair_tables() {
    // Independent 4 × 8 tables of 300 rows: raw V shows 0.152 on average, Bergsma's 0.035; raw information 0.0363 nats,
    // corrected 0.0013.
    let (mut rng, times) = (rng(14), 600);
    let mut sums = [0.0; 4];
    for _ in 0..times {
        let rows = draw(&mut rng, 300, &[1.0 / 32.0; 32]);
        let groups: Vec<SegmentCounts> = rows.chunks(8).map(SegmentCounts::of_rows).collect();
        for (sum, name) in sums.iter_mut().zip([
            "cramers_v",
            "cramers_v_corrected",
            "mutual_information",
            "mutual_information_corrected",
        ]) {
            let tested = match name {
                "cramers_v" => {
                    cramers_v(&refs(&groups), Confidence { bootstrap: Bootstrap { replicates: 1, seed: 0 }, ..SURE })
                }
                name => by_name(name, &refs(&groups)),
            };
            *sum += tested.estimate.value.unwrap() / f64::from(times);
        }
    }
    let [raw, corrected, information, less] = sums;
    assert!((raw - 0.152).abs() < 0.003 && (corrected - 0.035).abs() < 0.006, "{raw} {corrected}");
    assert!((information - 0.0363).abs() < 0.0015 && (less - 0.0013).abs() < 0.0015, "{information} {less}");
}
