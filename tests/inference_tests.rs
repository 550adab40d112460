//! Published p-values and pooled effects, and those that independent peers answer, for `evenhand::inference`.

use evenhand::inference::hypothesis::{
    boschloo, chi_square_homogeneity, chi_square_table, fisher_exact, g_test_table, tost_difference, tost_ratio,
    two_proportion_z,
};
use evenhand::inference::multiplicity::Multiplicity;
use evenhand::inference::power::{minimum_detectable_difference, power_two_proportions};
use evenhand::inference::stratified::{
    Stratum, breslow_day, cmh_test, gail_simon, mantel_haenszel_difference, mantel_haenszel_odds_ratio,
    mantel_haenszel_ratio,
};

#[track_caller]
fn near(value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance, "{value} is not {expected}");
}

#[test]
fn two_sample_tests_match_scipy() {
    // scipy 1.17.1 fisher_exact, chi2_contingency(correction=False); two-by-two tables with groups as rows.
    let t = two_proportion_z(48.0, 80.0, 12.0, 40.0).unwrap();
    near(t.z, 3.0983867, 1e-7);
    near(t.p_value, 0.0019457737, 1e-10);
    near(chi_square_homogeneity(&[(48.0, 80.0), (12.0, 40.0)]).unwrap().statistic, t.z * t.z, 1e-9);
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
    near(fisher_exact(4196, 12086, 540, 7569) / 4.2133e-319, 1.0, 1e-3);
    assert_eq!(fisher_exact(0, 0, 3, 4), 1.0);
    assert_eq!(fisher_exact(0, 0, 0, 0), 1.0);
    near(fisher_exact(u64::MAX / 4, u64::MAX / 4, u64::MAX / 4, u64::MAX / 4), 1.0, 1e-9);
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
    let races = [(4285.0, 20910.0), (203.0, 2286.0), (211.0, 771.0), (20.0, 223.0), (17.0, 201.0)];
    let t = chi_square_homogeneity(&races).unwrap();
    near(t.statistic, 239.80009383923073, 1e-9);
    near(t.p_value / 1.0244663837323243e-50, 1.0, 1e-8);
    assert_eq!(t.df, 4);
    let segments = [3988.0, 1766.0, 1316.0, 1644.0, 7568.0, 612.0, 313.0, 1704.0, 648.0, 4832.0];
    near(chi_square_table(&segments, 5).unwrap().statistic, 2073.744480587393, 1e-8);
    near(g_test_table(&segments, 5).unwrap().statistic, 2203.7652801152058, 1e-8);
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
    let p = [0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216];
    let holm = [0.01, 0.072, 0.312, 0.312, 0.312, 0.312, 0.312, 0.615, 0.615, 0.615];
    let bh = [0.01, 0.04, 0.084, 0.084, 0.084, 0.1, 0.105714, 0.216, 0.216, 0.216];
    let by = [0.02929, 0.117159, 0.246033, 0.246033, 0.246033, 0.292897, 0.309634, 0.632657, 0.632657, 0.632657];
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
    assert_eq!(serde_json::to_string(&Multiplicity::BenjaminiHochberg).unwrap(), "\"benjamini_hochberg\"");
}

#[test]
fn detectable_differences_match_the_table() {
    for (n1, n2, expected) in [
        (50.0, 50.0, 0.2747),
        (100.0, 100.0, 0.1927),
        (500.0, 500.0, 0.0840),
        (1000.0, 1000.0, 0.0589),
        (5000.0, 5000.0, 0.0260),
        (10_000.0, 100.0, 0.1322),
    ] {
        near(minimum_detectable_difference(0.3, n1, n2, 0.95, 0.8).unwrap(), expected, 5.1e-5);
    }
    assert_eq!(minimum_detectable_difference(0.3, 2.0, 2.0, 0.95, 0.8), None);
    near(power_two_proportions(0.3, 50.0, 0.3, 50.0, 0.95), 0.025, 1e-9);
    assert_eq!(power_two_proportions(0.0, 50.0, 1.0, 50.0, 0.95), 1.0);
    assert_eq!(power_two_proportions(0.3, 0.0, 0.5, 50.0, 0.95), 0.0);
}

fn strata(rows: &[[f64; 4]]) -> Vec<Stratum> {
    rows.iter().map(|&[x1, n1, x2, n2]| Stratum { x1, n1, x2, n2 }).collect()
}

#[test]
fn stratified_effects_match_statsmodels() {
    // statsmodels 0.15.0 StratifiedTable; Sato's standard error from an independent implementation.
    let two = strata(&[[10.0, 50.0, 30.0, 120.0], [40.0, 80.0, 20.0, 40.0]]);
    let difference = mantel_haenszel_difference(&two, 0.95).unwrap();
    near(difference.value, -0.0284810, 5e-8);
    near(difference.se, 0.0575250, 5e-8);
    near(cmh_test(&two).unwrap().statistic, 0.23752900232018584, 1e-12);
    near(mantel_haenszel_ratio(&two, 0.95).unwrap().value, 0.9203539823008849, 1e-12);
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
    near(mantel_haenszel_ratio(&departments, 0.95).unwrap().value, 0.944905022595929, 1e-12);
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
    three.push(Stratum { x1: 3.0, n1: 9.0, x2: 0.0, n2: 0.0 });
    assert_eq!(gail_simon(&three), Some(t));
    assert_eq!(cmh_test(&three), cmh_test(&two));
    assert_eq!(mantel_haenszel_difference(&three[2..], 0.95), None);
}
