//! Published figures, and what independent peers answer, for `evenhand::inference`.

use evenhand::inference::difference::{mee, miettinen_nurminen, miettinen_nurminen_z, newcombe};
use evenhand::inference::hypothesis::{
    boschloo, chi_square_homogeneity, chi_square_table, fisher_exact, g_test_table,
    tost_difference, tost_ratio, two_proportion_z,
};
use evenhand::inference::multiplicity::Multiplicity;
use evenhand::inference::power::{minimum_detectable_difference, power_two_proportions};
use evenhand::inference::rate::{clopper_pearson, jeffreys, wilson};
use evenhand::inference::ratio::{
    FiellerSet, RatioInterval, fieller, katz, koopman, miettinen_nurminen_ratio, mover_ratio,
};
use evenhand::inference::stratified::{
    Stratum, breslow_day, cmh_test, gail_simon, mantel_haenszel_difference,
    mantel_haenszel_odds_ratio, mantel_haenszel_ratio,
};
use evenhand::inference::worst::{
    GroupRate, expected_null_gap, gap_interval, ratio_interval, studentized_range_quantile,
};
use evenhand::inference::{Interval, bootstrap::Replicates};

#[track_caller]
fn near(value: f64, expected: f64, tolerance: f64) {
    assert!(
        (value - expected).abs() <= tolerance,
        "{value} is not {expected}"
    );
}

/// Published limits have a fixed number of digits: agreement to half a unit of the last.
#[track_caller]
fn limits(interval: Option<Interval>, low: f64, high: f64, tolerance: f64) {
    let interval = interval.expect("defined");
    near(interval.low, low, tolerance);
    near(interval.high, high, tolerance);
}

#[track_caller]
fn ratio_limits(interval: Option<RatioInterval>, low: f64, high: f64, tolerance: f64) {
    limits(interval.and_then(|i| i.bounded()), low, high, tolerance);
}

#[test]
fn one_rate_matches_statsmodels() {
    // statsmodels 0.15.0 proportion_confint: wilson, beta, jeffreys.
    type Row = (f64, f64, [(f64, f64); 3]);
    let rows: [Row; 6] = [
        (
            1.0,
            10.0,
            [
                (0.017876, 0.404150),
                (0.002529, 0.445016),
                (0.011012, 0.381315),
            ],
        ),
        (
            15.0,
            148.0,
            [
                (0.062386, 0.160487),
                (0.057844, 0.161650),
                (0.060449, 0.157643),
            ],
        ),
        (
            81.0,
            263.0,
            [
                (0.255289, 0.366210),
                (0.252737, 0.367622),
                (0.254522, 0.365647),
            ],
        ),
        (
            0.0,
            10.0,
            [(0.0, 0.277533), (0.0, 0.308497), (0.0, 0.217196)],
        ),
        (
            20.0,
            20.0,
            [(0.838875, 1.0), (0.831567, 1.0), (0.883361, 1.0)],
        ),
        // Jeffreys at the ends: statsmodels answers .000048 and .999976, it leaves out the rule for x = 0 and x = n.
        (
            451.0,
            3481.0,
            [
                (0.11881167070912849, 0.14112596763819538),
                (0.11857557953588395, 0.14117156326958052),
                (0.11871383632780709, 0.14102278946750063),
            ],
        ),
    ];
    for (x, n, [w, cp, j]) in rows {
        limits(wilson(x, n, 0.95), w.0, w.1, 5e-7);
        limits(clopper_pearson(x, n, 0.95), cp.0, cp.1, 5e-7);
        limits(jeffreys(x, n, 0.95), j.0, j.1, 5e-7);
    }
    limits(
        wilson(540.0, 8109.0, 0.95),
        0.061368881101606376,
        0.07222690828021205,
        1e-13,
    );
    limits(
        clopper_pearson(540.0, 8109.0, 0.95),
        0.061261100566892525,
        0.07223821705791449,
        1e-12,
    );
    limits(
        jeffreys(540.0, 8109.0, 0.95),
        0.06132040608128908,
        0.07217424811696073,
        1e-12,
    );
}

#[test]
fn ends_are_exact() {
    for n in [0.25, 1.0, 10.0, 1e5, 1e10] {
        for interval in [wilson, clopper_pearson, jeffreys] {
            assert_eq!(interval(0.0, n, 0.95).unwrap().low, 0.0);
            assert_eq!(interval(n, n, 0.95).unwrap().high, 1.0);
        }
    }
}

#[test]
fn differences_match_newcombe_1998() {
    // Newcombe (1998), Statistics in Medicine 17, table II: methods 10, 5 (Mee), 6 (Miettinen-Nurminen).
    type Row = (
        [f64; 4],
        Option<(f64, f64)>,
        Option<(f64, f64)>,
        Option<(f64, f64)>,
    );
    let rows: [Row; 9] = [
        (
            [56.0, 70.0, 48.0, 80.0],
            Some((0.0524, 0.3339)),
            Some((0.0533, 0.3377)),
            Some((0.0528, 0.3382)),
        ),
        (
            [9.0, 10.0, 3.0, 10.0],
            Some((0.1705, 0.8090)),
            Some((0.1821, 0.8370)),
            Some((0.1700, 0.8406)),
        ),
        (
            [6.0, 7.0, 2.0, 7.0],
            Some((0.0582, 0.8062)),
            Some((0.0544, 0.8478)),
            Some((0.0342, 0.8534)),
        ),
        (
            [5.0, 56.0, 0.0, 29.0],
            Some((-0.0381, 0.1926)),
            Some((-0.0313, 0.1926)),
            Some((-0.0326, 0.1933)),
        ),
        (
            [0.0, 10.0, 0.0, 20.0],
            Some((-0.1611, 0.2775)),
            Some((-0.1611, 0.2775)),
            Some((-0.1658, 0.2844)),
        ),
        ([0.0, 10.0, 0.0, 10.0], Some((-0.2775, 0.2775)), None, None),
        (
            [10.0, 10.0, 0.0, 20.0],
            Some((0.6791, 1.0)),
            Some((0.7225, 1.0)),
            Some((0.7156, 1.0)),
        ),
        (
            [10.0, 10.0, 0.0, 10.0],
            Some((0.6075, 1.0)),
            Some((0.6777, 1.0)),
            Some((0.6636, 1.0)),
        ),
        (
            [48.0, 80.0, 12.0, 40.0],
            Some((0.1108, 0.4559)),
            Some((0.1118, 0.4621)),
            Some((0.1110, 0.4627)),
        ),
    ];
    for ([x1, n1, x2, n2], hybrid, score, corrected) in rows {
        for (interval, expected) in [
            (newcombe(x1, n1, x2, n2, 0.95), hybrid),
            (mee(x1, n1, x2, n2, 0.95), score),
            (miettinen_nurminen(x1, n1, x2, n2, 0.95), corrected),
        ] {
            if let Some((low, high)) = expected {
                limits(interval, low, high, 5.1e-5);
            }
        }
    }
    // statsmodels 0.15.0 answers .344039 for the score interval of the first row, from a slip in the cubic.
    let right = miettinen_nurminen(56.0, 70.0, 48.0, 80.0, 0.95).unwrap();
    near(right.high, 0.338173, 1e-6);
    assert!(right.high < 0.344 - 0.005);
    // statsmodels 0.15.0 confint_proportions_2indep(method="newcomb"), UCI Adult by sex and race.
    limits(
        newcombe(540.0, 8109.0, 4196.0, 16282.0, 0.95),
        -0.1996700119078046,
        -0.18239138771429672,
        1e-12,
    );
    limits(
        newcombe(451.0, 3481.0, 4285.0, 20910.0, 0.95),
        -0.08745104876115045,
        -0.06259430927408878,
        1e-12,
    );
}

#[test]
fn score_limits_are_where_the_test_turns() {
    for [x1, n1, x2, n2] in [
        [56.0, 70.0, 48.0, 80.0],
        [540.0, 8109.0, 4196.0, 16282.0],
        [0.0, 20.0, 3.0, 1000.0],
        [3.5, 8.25, 1.75, 90.5],
        [5.0, 1e8, 17.0, 1e10],
        [12.0, 1e4, 9e9, 1e10],
    ] {
        let i = miettinen_nurminen(x1, n1, x2, n2, 0.95).unwrap();
        for (limit, z) in [(i.low, 1.959963984540054), (i.high, -1.959963984540054)] {
            near(
                miettinen_nurminen_z(x1, n1, x2, n2, limit).unwrap(),
                z,
                2e-6,
            );
        }
    }
}

#[test]
fn ratios_match_published_and_statsmodels() {
    let rows = [
        (
            [56.0, 70.0, 48.0, 80.0],
            (1.076626, 1.651249),
            (1.0798, 1.6708),
            (1.0790, 1.6721),
            (1.07829, 1.66292),
        ),
        (
            [9.0, 10.0, 3.0, 10.0],
            (1.13835, 7.906178),
            (1.3532, 8.4677),
            (1.3280, 8.6919),
            (1.32240, 8.36891),
        ),
        (
            [48.0, 80.0, 12.0, 40.0],
            (1.205732, 3.317487),
            (1.2597, 3.4090),
            (1.2575, 3.4168),
            (1.25734, 3.38750),
        ),
    ];
    for ([x1, n1, x2, n2], log, score, corrected, mover) in rows {
        ratio_limits(katz(x1, n1, x2, n2, 0.95), log.0, log.1, 1e-6);
        ratio_limits(koopman(x1, n1, x2, n2, 0.95), score.0, score.1, 5.1e-5);
        ratio_limits(
            miettinen_nurminen_ratio(x1, n1, x2, n2, 0.95),
            corrected.0,
            corrected.1,
            5.1e-5,
        );
        let (i1, i2) = (wilson(x1, n1, 0.95).unwrap(), wilson(x2, n2, 0.95).unwrap());
        ratio_limits(
            mover_ratio(x1 / n1, i1, x2 / n2, i2),
            mover.0,
            mover.1,
            5.1e-6,
        );
    }
    // statsmodels 0.15.0 confint_proportions_2indep(compare="ratio", method="score"), correction True, then False.
    for ([x1, n1, x2, n2], corrected, plain) in [
        (
            [9.0, 10.0, 3.0, 10.0],
            (1.3279565734835286, 8.691914949017299),
            (1.3532371938667245, 8.46766868670978),
        ),
        (
            [0.0, 40.0, 3.0, 50.0],
            (0.0, 1.5519188354238944),
            (0.0, 1.534981996103536),
        ),
    ] {
        ratio_limits(
            miettinen_nurminen_ratio(x1, n1, x2, n2, 0.95),
            corrected.0,
            corrected.1,
            1e-7,
        );
        ratio_limits(koopman(x1, n1, x2, n2, 0.95), plain.0, plain.1, 1e-7);
    }
    // 20/20 against 18/20: statsmodels 0.15.0 answers 1.0526 as the lower limit, though z = 1.45 for equal rates.
    let full = koopman(20.0, 20.0, 18.0, 20.0, 0.95).unwrap();
    near(full.high.unwrap(), 1.430684028170291, 1e-7);
    assert!(full.contains(1.0) && two_proportion_z(20.0, 20.0, 18.0, 20.0).unwrap().z < 1.46);
    let unbounded = koopman(5.0, 56.0, 0.0, 29.0, 0.95).unwrap();
    near(unbounded.low, 0.7256888835936169, 1e-7);
    assert_eq!(unbounded.high, None);
    // UCI Adult (oracle): score with the N/(N-1) factor, log.
    ratio_limits(
        miettinen_nurminen_ratio(540.0, 8109.0, 4196.0, 16282.0, 0.95),
        0.2371742925182287,
        0.28141865350660467,
        1e-9,
    );
    ratio_limits(
        katz(540.0, 8109.0, 4196.0, 16282.0, 0.95),
        0.2372152846014158,
        0.2814846986919684,
        1e-12,
    );
    ratio_limits(
        katz(451.0, 3481.0, 4285.0, 20910.0, 0.95),
        0.5777293600476776,
        0.6918740015289531,
        1e-12,
    );
    ratio_limits(
        miettinen_nurminen_ratio(451.0, 3481.0, 4285.0, 20910.0, 0.95),
        0.5774695628527237,
        0.6915007376268819,
        1e-9,
    );
}

#[test]
fn fieller_never_invents_limits() {
    assert!(matches!(
        fieller(2.0, 1.0, 0.01, 0.01, 0.0, 0.95),
        Some(FiellerSet::Interval(_))
    ));
    let Some(FiellerSet::Outside {
        up_to: Some(up_to),
        from: Some(from),
    }) = fieller(2.0, 0.1, 0.01, 0.01, 0.0, 0.95)
    else {
        panic!("the denominator may be 0, the numerator not");
    };
    assert!(up_to < 0.0 && from > 0.0);
    assert_eq!(
        fieller(0.05, 0.1, 0.01, 0.01, 0.0, 0.95),
        Some(FiellerSet::Everything)
    );
    assert_eq!(fieller(1.0, 1.0, -1.0, 0.1, 0.0, 0.95), None);
}

#[test]
fn two_sample_tests_match_scipy() {
    // scipy 1.17.1 fisher_exact, chi2_contingency(correction=False); two-by-two tables with groups as rows.
    let t = two_proportion_z(48.0, 80.0, 12.0, 40.0).unwrap();
    near(t.z, 3.0983867, 1e-7);
    near(t.p_value, 0.0019457737, 1e-10);
    near(
        chi_square_homogeneity(&[(48.0, 80.0), (12.0, 40.0)])
            .unwrap()
            .statistic,
        t.z * t.z,
        1e-9,
    );
    for ([a, b, c, d], expected) in [
        ([48, 32, 12, 28], 0.0034092217678491827),
        ([3, 7, 9, 1], 0.019766611097880443),
        ([120, 880, 150, 850], 0.05759585086892674),
        ([100_000, 900_000, 100_500, 899_500], 0.24005466320583926),
        ([4, 16, 50, 30], 0.0008774754900707245),
        ([0, 5, 5, 0], 0.007936507936507938),
        ([2, 3, 6, 4], 0.6083916083916083),
        ([500_000, 500_000, 498_000, 502_000], 0.004698348309735139),
        // UCI Adult, White against all others by decision (oracle.json).
        ([4285, 16625, 451, 3030], 2.6882578623046817e-27),
    ] {
        let p = fisher_exact(a, b, c, d);
        near(p / expected, 1.0, 1e-7);
        near(fisher_exact(c, d, a, b) / p, 1.0, 1e-9);
        near(fisher_exact(a, c, b, d) / p, 1.0, 1e-9);
    }
    // Subnormal: the oracle's 4.2133e-319 has its five digits.
    near(
        fisher_exact(4196, 12086, 540, 7569) / 4.2133e-319,
        1.0,
        1e-3,
    );
    assert_eq!(fisher_exact(0, 0, 3, 4), 1.0);
    assert_eq!(fisher_exact(0, 0, 0, 0), 1.0);
    near(
        fisher_exact(u64::MAX / 4, u64::MAX / 4, u64::MAX / 4, u64::MAX / 4),
        1.0,
        1e-9,
    );
}

#[test]
fn boschloo_matches_scipy() {
    // scipy 1.17.1 boschloo_exact takes groups as columns; here they are rows.
    for ([a, b, c, d], expected) in [
        ([48, 12, 32, 28], 0.0024474029593130123),
        ([48, 32, 12, 28], 0.00200595955929842),
        ([3, 9, 7, 1], 0.006965032539344869),
        ([3, 7, 9, 1], 0.007955551147460955),
        ([7, 8, 12, 3], 0.0682183093231948),
        ([0, 10, 4, 20], 0.2853292366598201),
        ([20, 80, 35, 65], 0.019397191225245643),
    ] {
        // scipy optimises locally, and may stop just short of the maximum.
        let p = boschloo(a, b, c, d).unwrap();
        near(p / expected, 1.0, 2e-5);
        assert!(p > expected * (1.0 - 1e-6), "{p} {expected}");
    }
    assert_eq!(boschloo(0, 0, 3, 4), None);
    assert_eq!(boschloo(1_000_000, 1_000_000, 3, 4_000_000), None);
}

#[test]
fn chi_square_and_g_match_scipy() {
    // UCI Adult (oracle.json): sex x decision, race x decision, sex x segment.
    let t = chi_square_homogeneity(&[(540.0, 8109.0), (4196.0, 16282.0)]).unwrap();
    near(t.statistic, 1263.60251142705, 1e-8);
    near(t.p_value / 9.183173449037498e-277, 1.0, 1e-9);
    let races = [
        (4285.0, 20910.0),
        (203.0, 2286.0),
        (211.0, 771.0),
        (20.0, 223.0),
        (17.0, 201.0),
    ];
    let t = chi_square_homogeneity(&races).unwrap();
    near(t.statistic, 239.80009383923073, 1e-9);
    near(t.p_value / 1.0244663837323243e-50, 1.0, 1e-8);
    assert_eq!(t.df, 4);
    let segments = [
        3988.0, 1766.0, 1316.0, 1644.0, 7568.0, 612.0, 313.0, 1704.0, 648.0, 4832.0,
    ];
    near(
        chi_square_table(&segments, 5).unwrap().statistic,
        2073.744480587393,
        1e-8,
    );
    near(
        g_test_table(&segments, 5).unwrap().statistic,
        2203.7652801152058,
        1e-8,
    );
    assert_eq!(chi_square_table(&segments, 3), None);
    assert_eq!(chi_square_homogeneity(&[(0.0, 5.0), (0.0, 7.0)]), None);
    assert_eq!(chi_square_homogeneity(&[(3.0, 5.0), (0.0, 0.0)]), None);
}

#[test]
fn equivalence_is_by_the_right_score() {
    let t = tost_difference(500.0, 1000.0, 510.0, 1000.0, 0.05).unwrap();
    near(t.z_low, 1.790736, 5e-7);
    near(t.z_high, -2.686103, 5e-7);
    near(t.p_value, 0.0366678, 5e-8);
    // statsmodels 0.15.0 answers 1.790696 here.
    assert!((t.z_low - 1.790696).abs() > 3e-5);
    let r = tost_ratio(500.0, 1000.0, 510.0, 1000.0, 0.8, 1.25).unwrap();
    near(r.z_low, 4.570792, 5e-7);
    near(r.z_high, -5.465245, 5e-7);
    assert_eq!(tost_difference(5.0, 10.0, 5.0, 10.0, 0.0), None);
    assert_eq!(tost_ratio(5.0, 10.0, 5.0, 10.0, 1.25, 0.8), None);
}

#[test]
fn adjusted_p_values_match_statsmodels() {
    // statsmodels 0.15.0 multipletests.
    let p = [
        0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216,
    ];
    let holm = [
        0.01, 0.072, 0.312, 0.312, 0.312, 0.312, 0.312, 0.615, 0.615, 0.615,
    ];
    let bh = [
        0.01, 0.04, 0.084, 0.084, 0.084, 0.1, 0.105714, 0.216, 0.216, 0.216,
    ];
    let by = [
        0.02929, 0.117159, 0.246033, 0.246033, 0.246033, 0.292897, 0.309634, 0.632657, 0.632657,
        0.632657,
    ];
    for (method, expected) in [
        (Multiplicity::Holm, holm),
        (Multiplicity::BenjaminiHochberg, bh),
        (Multiplicity::BenjaminiYekutieli, by),
        (Multiplicity::None, p),
    ] {
        // In any order, the adjusted values go with their findings.
        let mut reversed = p;
        reversed.reverse();
        let mut backward = method.adjust(&reversed);
        backward.reverse();
        let forward = method.adjust(&p);
        for i in 0..p.len() {
            near(forward[i], expected[i], 1e-6);
            near(backward[i], expected[i], 1e-6);
        }
    }
    assert_eq!(Multiplicity::Holm.adjust(&[f64::NAN, 0.01]), [1.0, 0.02]);
    assert!(Multiplicity::BenjaminiYekutieli.adjust(&[]).is_empty());
    assert_eq!(
        serde_json::to_string(&Multiplicity::BenjaminiHochberg).unwrap(),
        "\"benjamini_hochberg\""
    );
}

#[test]
fn detectable_differences_match_the_table() {
    for (n1, n2, expected) in [
        (50.0, 50.0, 0.2747),
        (100.0, 100.0, 0.1927),
        (500.0, 500.0, 0.0840),
        (1000.0, 1000.0, 0.0589),
        (5000.0, 5000.0, 0.0260),
    ] {
        near(
            minimum_detectable_difference(0.3, n1, n2, 0.95, 0.8).unwrap(),
            expected,
            5.1e-5,
        );
    }
    assert_eq!(
        minimum_detectable_difference(0.3, 2.0, 2.0, 0.95, 0.8),
        None
    );
    near(
        power_two_proportions(0.3, 50.0, 0.3, 50.0, 0.95),
        0.025,
        1e-9,
    );
    assert_eq!(power_two_proportions(0.0, 50.0, 1.0, 50.0, 0.95), 1.0);
    assert_eq!(power_two_proportions(0.3, 0.0, 0.5, 50.0, 0.95), 0.0);
}

fn strata(rows: &[[f64; 4]]) -> Vec<Stratum> {
    rows.iter()
        .map(|&[x1, n1, x2, n2]| Stratum { x1, n1, x2, n2 })
        .collect()
}

#[test]
fn stratified_effects_match_statsmodels() {
    // statsmodels 0.15.0 StratifiedTable; Sato's standard error from an independent implementation.
    let two = strata(&[[10.0, 50.0, 30.0, 120.0], [40.0, 80.0, 20.0, 40.0]]);
    let difference = mantel_haenszel_difference(&two, 0.95).unwrap();
    near(difference.value, -0.0284810, 5e-8);
    near(difference.se, 0.0575250, 5e-8);
    near(
        cmh_test(&two).unwrap().statistic,
        0.23752900232018584,
        1e-12,
    );
    near(
        mantel_haenszel_ratio(&two, 0.95).unwrap().value,
        0.9203539823008849,
        1e-12,
    );
    let odds = mantel_haenszel_odds_ratio(&two, 0.95).unwrap();
    near(odds.value, 0.8714285714285713, 1e-12);
    near(odds.se, 0.28050963157573344, 1e-12);
    let test = breslow_day(&two).unwrap();
    near(test.statistic, 0.25936116878958365, 1e-9);
    near(test.p_value, 0.6105593803798681, 1e-9);
}

#[test]
fn berkeley_admissions_come_out_as_published() {
    // Bickel, Hammel, O'Connell (1975); R: mantelhaen.test(UCBAdmissions) .9046968 [.7719074, 1.0603298].
    let departments = strata(&[
        [512.0, 825.0, 89.0, 108.0],
        [353.0, 560.0, 17.0, 25.0],
        [120.0, 325.0, 202.0, 593.0],
        [138.0, 417.0, 131.0, 375.0],
        [53.0, 191.0, 94.0, 393.0],
        [22.0, 373.0, 24.0, 341.0],
    ]);
    let odds = mantel_haenszel_odds_ratio(&departments, 0.95).unwrap();
    near(odds.value, 0.9046968, 5e-8);
    near(odds.interval.low, 0.7719074, 5e-8);
    near(odds.interval.high, 1.0603298, 5e-8);
    let test = cmh_test(&departments).unwrap();
    near(test.statistic, 1.5246066604434356, 1e-10);
    near(test.p_value, 0.21692369705551817, 1e-9);
    near(
        mantel_haenszel_ratio(&departments, 0.95).unwrap().value,
        0.944905022595929,
        1e-12,
    );
    let tarone = breslow_day(&departments).unwrap();
    near(tarone.statistic, 18.82550125205323, 1e-8);
    near(tarone.p_value, 0.0020714013978808676, 1e-9);
    assert_eq!(tarone.df, 5);
    let crude = two_proportion_z(1198.0, 2691.0, 557.0, 1835.0).unwrap();
    near(crude.z * crude.z, 92.20528041152762, 1e-9);
    // Department A alone goes clearly the other way; the rest do not clearly oppose it.
    let reversal = gail_simon(&departments).unwrap();
    assert!(reversal.negative > 15.0 && reversal.positive < 3.0 && reversal.p_value > 0.5);
}

#[test]
fn reversal_follows_its_formula() {
    // d = .2 and -.2, v = 2 * .24/100 each: Q = .04/.0048; k = 2: p = P(chi-square_1 > Q) / 2.
    let two = strata(&[[60.0, 100.0, 40.0, 100.0], [40.0, 100.0, 60.0, 100.0]]);
    let t = gail_simon(&two).unwrap();
    near(t.statistic, 0.04 / 0.0048, 1e-9);
    near(t.p_value, 0.5 * 0.0038924, 1e-6);
    assert_eq!(gail_simon(&two[..1]), None);
    // An empty group in a stratum is no overlap.
    let mut three = two.clone();
    three.push(Stratum {
        x1: 3.0,
        n1: 9.0,
        x2: 0.0,
        n2: 0.0,
    });
    assert_eq!(gail_simon(&three), Some(t));
    assert_eq!(cmh_test(&three), cmh_test(&two));
    assert_eq!(mantel_haenszel_difference(&three[2..], 0.95), None);
}

#[test]
fn worst_case_intervals_follow_their_formulas() {
    near(studentized_range_quantile(0.95, 3), 3.314493, 1e-6);
    let rates = |rows: &[(f64, f64)]| {
        rows.iter()
            .map(|&(x, n)| GroupRate { x, n })
            .collect::<Vec<_>>()
    };
    // A group with fewer than 5 successes: the box, from scipy 1.17.1 stats.beta.ppf at level .95^(1/3).
    let small = rates(&[(3.0, 20.0), (10.0, 40.0), (30.0, 60.0)]);
    limits(gap_interval(&small, 0.95), 0.0, 0.6363239609107736, 1e-9);
    limits(ratio_interval(&small, 0.95), 0.03249522955482248, 1.0, 1e-9);
    // Two groups: Newcombe and Koopman, whichever comes first.
    let two = rates(&[(12.0, 40.0), (48.0, 80.0)]);
    limits(gap_interval(&two, 0.95), 0.1108, 0.4559, 5e-5);
    limits(ratio_interval(&two, 0.95), 1.0 / 3.4090, 1.0 / 1.2597, 4e-5);
    // Nobody selected in one group; in all; one group only; an empty group.
    let none = rates(&[(0.0, 40.0), (48.0, 80.0)]);
    assert_eq!(ratio_interval(&none, 0.95).unwrap().low, 0.0);
    let nobody = rates(&[(0.0, 40.0), (0.0, 80.0), (0.0, 5.0)]);
    assert_eq!(gap_interval(&nobody, 0.95).unwrap().low, 0.0);
    assert_eq!(ratio_interval(&nobody, 0.95), None);
    assert_eq!(gap_interval(&two[..1], 0.95), None);
    let empty = rates(&[(12.0, 40.0), (0.0, 0.0), (48.0, 80.0)]);
    assert_eq!(gap_interval(&empty, 0.95), gap_interval(&two, 0.95));
    assert_eq!(
        gap_interval(&rates(&[(1.0, 2.0), (f64::NAN, 3.0)]), 0.95),
        None
    );
}

#[test]
fn noise_alone_shows_what_was_simulated() {
    // FRONTIER 1.4: ten groups, no true gap: .198 at n = 50, .064 at n = 500 (rates of .3); METHODS 1: .30 for sixty.
    for (k, n, expected) in [(10, 50.0, 0.198), (10, 500.0, 0.064), (60, 50.0, 0.30)] {
        let groups = vec![GroupRate { x: 0.3 * n, n }; k];
        near(
            expected_null_gap(&groups, 4000, 3).unwrap(),
            expected,
            0.004,
        );
    }
    let fair = vec![GroupRate { x: 0.0, n: 50.0 }; 3];
    assert_eq!(expected_null_gap(&fair, 100, 1), Some(0.0));
    assert_eq!(expected_null_gap(&fair, 0, 1), None);
}

#[test]
fn bca_leans_towards_the_skew() {
    // A symmetric statistic without acceleration: the percentile interval. Right-skewed influences move both limits up.
    let replicates: Vec<f64> = (0..4001).map(|i| f64::from(i) / 4000.0 - 0.5).collect();
    let r = Replicates {
        replicates,
        undefined: 0,
    };
    let plain = r.percentile(0.95).unwrap();
    let same = r.bca(0.0, &[], 0.95).unwrap();
    near(same.low, plain.low, 1e-9);
    near(same.high, plain.high, 1e-9);
    // Leaving out a row of the small, far cell lowers the mean a lot.
    let skewed = r.bca(0.0, &[(90.0, 0.001), (10.0, -0.009)], 0.95).unwrap();
    assert!(skewed.low > plain.low && skewed.high > plain.high);
    assert_eq!(r.bca(f64::NAN, &[], 0.95), None);
    assert_eq!(Replicates::default().percentile(0.95), None);
}
