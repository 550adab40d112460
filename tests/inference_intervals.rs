//! Published limits, and those that independent peers answer, for `evenhand::inference`.

use evenhand::inference::Interval;
use evenhand::inference::bootstrap::Replicates;
use evenhand::inference::difference::{mee, miettinen_nurminen, miettinen_nurminen_z, newcombe};
use evenhand::inference::hypothesis::two_proportion_z;
use evenhand::inference::rate::{clopper_pearson, jeffreys, wilson};
use evenhand::inference::ratio::{
    FiellerSet, RatioInterval, fieller, katz, koopman, miettinen_nurminen_ratio, mover_ratio,
};
use evenhand::inference::worst::{GroupRate, gap_interval, ratio_interval, studentized_range_quantile};

#[track_caller]
fn near(value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance, "{value} is not {expected}");
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
        (1.0, 10.0, [(0.017876, 0.404150), (0.002529, 0.445016), (0.011012, 0.381315)]),
        (15.0, 148.0, [(0.062386, 0.160487), (0.057844, 0.161650), (0.060449, 0.157643)]),
        (81.0, 263.0, [(0.255289, 0.366210), (0.252737, 0.367622), (0.254522, 0.365647)]),
        (0.0, 10.0, [(0.0, 0.277533), (0.0, 0.308497), (0.0, 0.217196)]),
        (20.0, 20.0, [(0.838875, 1.0), (0.831567, 1.0), (0.883361, 1.0)]),
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
    limits(wilson(540.0, 8109.0, 0.95), 0.061368881101606376, 0.07222690828021205, 1e-13);
    limits(clopper_pearson(540.0, 8109.0, 0.95), 0.061261100566892525, 0.07223821705791449, 1e-12);
    limits(jeffreys(540.0, 8109.0, 0.95), 0.06132040608128908, 0.07217424811696073, 1e-12);
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
    type Row = ([f64; 4], Option<(f64, f64)>, Option<(f64, f64)>, Option<(f64, f64)>);
    let rows: [Row; 9] = [
        ([56.0, 70.0, 48.0, 80.0], Some((0.0524, 0.3339)), Some((0.0533, 0.3377)), Some((0.0528, 0.3382))),
        ([9.0, 10.0, 3.0, 10.0], Some((0.1705, 0.8090)), Some((0.1821, 0.8370)), Some((0.1700, 0.8406))),
        ([6.0, 7.0, 2.0, 7.0], Some((0.0582, 0.8062)), Some((0.0544, 0.8478)), Some((0.0342, 0.8534))),
        ([5.0, 56.0, 0.0, 29.0], Some((-0.0381, 0.1926)), Some((-0.0313, 0.1926)), Some((-0.0326, 0.1933))),
        ([0.0, 10.0, 0.0, 20.0], Some((-0.1611, 0.2775)), Some((-0.1611, 0.2775)), Some((-0.1658, 0.2844))),
        ([0.0, 10.0, 0.0, 10.0], Some((-0.2775, 0.2775)), None, None),
        ([10.0, 10.0, 0.0, 20.0], Some((0.6791, 1.0)), Some((0.7225, 1.0)), Some((0.7156, 1.0))),
        ([10.0, 10.0, 0.0, 10.0], Some((0.6075, 1.0)), Some((0.6777, 1.0)), Some((0.6636, 1.0))),
        ([48.0, 80.0, 12.0, 40.0], Some((0.1108, 0.4559)), Some((0.1118, 0.4621)), Some((0.1110, 0.4627))),
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
    limits(newcombe(540.0, 8109.0, 4196.0, 16282.0, 0.95), -0.1996700119078046, -0.18239138771429672, 1e-12);
    limits(newcombe(451.0, 3481.0, 4285.0, 20910.0, 0.95), -0.08745104876115045, -0.06259430927408878, 1e-12);
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
            near(miettinen_nurminen_z(x1, n1, x2, n2, limit).unwrap(), z, 2e-6);
        }
    }
}

#[test]
fn ratios_match_published_and_statsmodels() {
    let rows = [
        ([56.0, 70.0, 48.0, 80.0], (1.076626, 1.651249), (1.0798, 1.6708), (1.0790, 1.6721), (1.07829, 1.66292)),
        ([9.0, 10.0, 3.0, 10.0], (1.13835, 7.906178), (1.3532, 8.4677), (1.3280, 8.6919), (1.32240, 8.36891)),
        ([48.0, 80.0, 12.0, 40.0], (1.205732, 3.317487), (1.2597, 3.4090), (1.2575, 3.4168), (1.25734, 3.38750)),
    ];
    for ([x1, n1, x2, n2], log, score, corrected, mover) in rows {
        ratio_limits(katz(x1, n1, x2, n2, 0.95), log.0, log.1, 1e-6);
        ratio_limits(koopman(x1, n1, x2, n2, 0.95), score.0, score.1, 5.1e-5);
        ratio_limits(miettinen_nurminen_ratio(x1, n1, x2, n2, 0.95), corrected.0, corrected.1, 5.1e-5);
        let (i1, i2) = (wilson(x1, n1, 0.95).unwrap(), wilson(x2, n2, 0.95).unwrap());
        ratio_limits(mover_ratio(x1 / n1, i1, x2 / n2, i2), mover.0, mover.1, 5.1e-6);
    }
    // statsmodels 0.15.0 confint_proportions_2indep(compare="ratio", method="score"), correction True, then False.
    for ([x1, n1, x2, n2], corrected, plain) in [
        ([9.0, 10.0, 3.0, 10.0], (1.3279565734835286, 8.691914949017299), (1.3532371938667245, 8.46766868670978)),
        ([0.0, 40.0, 3.0, 50.0], (0.0, 1.5519188354238944), (0.0, 1.534981996103536)),
    ] {
        ratio_limits(miettinen_nurminen_ratio(x1, n1, x2, n2, 0.95), corrected.0, corrected.1, 1e-7);
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
    ratio_limits(katz(540.0, 8109.0, 4196.0, 16282.0, 0.95), 0.2372152846014158, 0.2814846986919684, 1e-12);
    ratio_limits(katz(451.0, 3481.0, 4285.0, 20910.0, 0.95), 0.5777293600476776, 0.6918740015289531, 1e-12);
    ratio_limits(
        miettinen_nurminen_ratio(451.0, 3481.0, 4285.0, 20910.0, 0.95),
        0.5774695628527237,
        0.6915007376268819,
        1e-9,
    );
}

#[test]
fn fieller_never_invents_limits() {
    assert!(matches!(fieller(2.0, 1.0, 0.01, 0.01, 0.0, 0.95), Some(FiellerSet::Interval(_))));
    let Some(FiellerSet::Outside { up_to: Some(up_to), from: Some(from) }) = fieller(2.0, 0.1, 0.01, 0.01, 0.0, 0.95)
    else {
        panic!("the denominator may be 0, the numerator not");
    };
    assert!(up_to < 0.0 && from > 0.0);
    assert_eq!(fieller(0.05, 0.1, 0.01, 0.01, 0.0, 0.95), Some(FiellerSet::Everything));
    assert_eq!(fieller(1.0, 1.0, -1.0, 0.1, 0.0, 0.95), None);
}

#[test]
fn worst_case_intervals_follow_their_formulas() {
    near(studentized_range_quantile(0.95, 3), 3.314493, 1e-6);
    let rates = |rows: &[(f64, f64)]| rows.iter().map(|&(x, n)| GroupRate { x, n }).collect::<Vec<_>>();
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
    assert_eq!(gap_interval(&rates(&[(1.0, 2.0), (f64::NAN, 3.0)]), 0.95), None);
}

#[test]
fn bca_leans_towards_the_skew() {
    // A symmetric statistic without acceleration: the percentile interval. Right-skewed influences move both limits up.
    let replicates: Vec<f64> = (0..4001).map(|i| f64::from(i) / 4000.0 - 0.5).collect();
    let r = Replicates { replicates, undefined: 0 };
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
