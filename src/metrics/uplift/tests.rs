//! Oracles, brute-force twins, invariants and nasty input.

use approx::assert_relative_eq;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use super::curves::{Curve, area_under_uplift_curve, qini_area, qini_coefficient, uplift_at};
use super::effects::{average_treatment_effect, effect_among_selected};
use super::entries::COMPUTED;
use super::*;
use crate::data::Categorical;

const RANDOMISED: Assignment<'static> = Assignment::Randomised { propensity: None };

fn group(rows: Vec<Trial>) -> UpliftGroup {
    UpliftGroup::new(rows, RANDOMISED).unwrap()
}

fn random_rows(seed: u64, n: usize, ties: bool) -> Vec<Trial> {
    let mut rng = rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(seed);
    let row = |_| {
        let u: f64 = rng.gen_range(-0.3..0.7);
        let treated = rng.gen_bool(0.4);
        let y = rng.gen_bool(0.3 + if treated { 0.3 * u } else { 0.0 });
        Trial {
            decision: Some(rng.gen_bool(if u > 0.1 { 0.8 } else { 0.2 })),
            score: Some(if ties { (u * 10.0).round() / 10.0 } else { u }),
            predicted: None,
            weight: [1.0, 2.0, 0.5][rng.gen_range(0..3)],
            ..Trial::new(treated, f64::from(u8::from(y)))
        }
    };
    (0..n).map(row).collect()
}

/// scikit-uplift 0.5.1 (scikit-learn 1.9.1): areas of `uplift_curve` and `qini_curve` by `auc`, and `qini_auc_score`.
#[test]
fn curves_agree_with_scikit_uplift() {
    let treated = "0001010000110011100110010001010100001111";
    let bought = "0110101000000011100010000000000001000000";
    let tenths = [
        0, 7, 7, 0, 5, 1, -1, -1, 1, 5, 1, 5, -2, 3, 6, 1, -2, -1, 6, -3, 7, 3, 1, 0, -3, 0, 5, -2, 6, 1, -2, -3, 1,
        -2, 0, 4, -2, -2, 4, 6,
    ];
    let rows = |untie: f64| {
        let row = |(at, ((t, y), s)): (usize, ((u8, u8), i32))| Trial {
            score: Some(f64::from(s) / 10.0 + untie * at as f64),
            ..Trial::new(t == b'1', f64::from(y - b'0'))
        };
        group(treated.bytes().zip(bought.bytes()).zip(tenths).enumerate().map(row).collect())
    };
    let value = |f: Figure| f.estimate.value().unwrap();
    assert_relative_eq!(value(area_under_uplift_curve(&rows(0.0), 0.95)), 0.034286879777074446, max_relative = 1e-12);
    assert_relative_eq!(value(qini_area(&rows(0.0), 0.95)), 0.022633481910470737, max_relative = 1e-12);
    assert_relative_eq!(value(qini_coefficient(&rows(0.0), 0.95)), 0.11260940260211941, max_relative = 1e-12);
    assert_relative_eq!(value(area_under_uplift_curve(&rows(1e-4), 0.95)), 0.030237763525412645, max_relative = 1e-12);
    assert_relative_eq!(value(qini_coefficient(&rows(1e-4), 0.95)), 0.09444684778807078, max_relative = 1e-12);
    assert_relative_eq!(value(uplift_at(&rows(1e-4), 0.3, 0.95)), -0.028571428571428525, max_relative = 1e-12);
}

/// The area by definition: at each distinct score, everything summed anew.
fn brute(g: &UpliftGroup, curve: Curve) -> f64 {
    let mut cuts: Vec<f64> = g.rows.iter().filter_map(|r| r.score).collect();
    cuts.sort_by(|a, b| b.total_cmp(a));
    cuts.dedup();
    let sum = |cut: f64, arm: Option<bool>, of: fn(&Trial) -> f64| -> f64 {
        let taken = g.rows.iter().filter(|r| r.score.unwrap() >= cut && arm.is_none_or(|a| r.treated == a));
        taken.map(|r| r.weight * of(r)).sum()
    };
    let all = sum(f64::MIN, None, |_| 1.0);
    let (mut before, mut area) = ((0.0, 0.0), 0.0);
    for cut in cuts {
        let mean = |arm| {
            let n = sum(cut, Some(arm), |_| 1.0);
            if n > 0.0 { sum(cut, Some(arm), |r| r.outcome) / n } else { 0.0 }
        };
        let x = sum(cut, None, |_| 1.0) / all;
        let nt = sum(cut, Some(true), |_| 1.0);
        let y = match curve {
            Curve::Uplift => x * (mean(true) - mean(false)),
            Curve::Qini => nt * (mean(true) - mean(false)) / sum(f64::MIN, Some(true), |_| 1.0),
        };
        area += (x - before.0) * (y + before.1) / 2.0;
        before = (x, y);
    }
    area - if curve == Curve::Qini { before.1 / 2.0 } else { 0.0 }
}

#[test]
fn areas_are_those_of_the_definition_and_errors_those_of_the_derivative() {
    for (seed, ties) in [(1, true), (2, false), (3, true)] {
        let rows = random_rows(seed, 120, ties);
        for (curve, figure) in
            [(Curve::Uplift, area_under_uplift_curve as fn(&UpliftGroup, f64) -> Figure), (Curve::Qini, qini_area)]
        {
            let whole = figure(&group(rows.clone()), 0.95);
            assert_relative_eq!(whole.estimate.value.unwrap(), brute(&group(rows.clone()), curve), epsilon = 1e-12);
            // The derivative by each weight, by differences.
            let step = 1e-5;
            let slope = |at: usize| {
                let moved = |factor: f64| {
                    let mut rows = rows.clone();
                    rows[at].weight *= factor;
                    brute(&group(rows), curve)
                };
                (moved(1.0 + step) - moved(1.0 - step)) / (2.0 * step)
            };
            let n = whole.estimate.support.effective_size;
            let variance: f64 = (0..rows.len()).map(|at| slope(at).powi(2)).sum::<f64>() * n / (n - 1.0);
            assert_relative_eq!(whole.error.unwrap(), variance.sqrt(), max_relative = 1e-5);
        }
    }
}

fn same(a: &Estimate, b: &Estimate) -> bool {
    let near = |x: Option<f64>, y: Option<f64>| match (x, y) {
        (Some(x), Some(y)) => (x - y).abs() <= 1e-9 * x.abs().max(1.0),
        (x, y) => x == y,
    };
    near(a.value, b.value) && near(a.low, b.low) && near(a.high, b.high) && a.reason == b.reason
}

#[test]
fn weights_scale_and_rows_permute_without_a_change() {
    let rows = random_rows(4, 300, true);
    let mut scaled = rows.clone();
    scaled.iter_mut().for_each(|r| r.weight *= 1024.0);
    let mut shuffled = rows.clone();
    shuffled.shuffle(&mut rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(5));
    let propensities = vec![0.4; 300];
    for assignment in [RANDOMISED, Assignment::Propensities(&propensities)] {
        let of = |rows: &[Trial]| UpliftGroup::new(rows.to_vec(), assignment).unwrap();
        for (entry, compute) in COMPUTED {
            let plain = compute(&of(&rows), 0.95).estimate;
            assert!(same(&plain, &compute(&of(&scaled), 0.95).estimate), "{}", entry.name);
            assert!(same(&plain, &compute(&of(&shuffled), 0.95).estimate), "{}", entry.name);
        }
    }
}

#[test]
fn swapped_arms_flip_the_sign() {
    for revenue in [1.0, 7.5] {
        let mut rows = random_rows(6, 300, false);
        rows.iter_mut().for_each(|r| r.outcome *= revenue);
        let mut swapped = rows.clone();
        swapped.iter_mut().for_each(|r| r.treated = !r.treated);
        for compute in [average_treatment_effect, effect_among_selected, targeting::benefit_per_person] {
            let (a, b) = (compute(&group(rows.clone()), 0.95), compute(&group(swapped.clone()), 0.95));
            assert_relative_eq!(a.estimate.value.unwrap(), -b.estimate.value.unwrap(), epsilon = 1e-12);
            assert_relative_eq!(a.estimate.low.unwrap(), -b.estimate.high.unwrap(), epsilon = 1e-9);
            assert_relative_eq!(a.error.unwrap(), b.error.unwrap(), max_relative = 1e-9);
        }
    }
}

#[test]
fn equal_propensities_are_randomisation() {
    let mut rows = random_rows(7, 400, false);
    rows.iter_mut().for_each(|r| r.outcome *= 3.0);
    let each = vec![0.4; 400];
    let weighted = UpliftGroup::new(rows.clone(), Assignment::Propensities(&each)).unwrap();
    for name in ["average_treatment_effect", "benefit_per_person", "area_under_uplift_curve", "policy_value_snipw"] {
        let compute = COMPUTED.iter().find(|(e, _)| e.name == name).unwrap().1;
        let known = UpliftGroup::new(rows.clone(), Assignment::Randomised { propensity: Some(0.4) }).unwrap();
        assert!(same(&compute(&known, 0.95).estimate, &compute(&weighted, 0.95).estimate), "{name}");
    }
}

#[test]
fn nothing_undefined_passes_for_a_number() {
    let rows = random_rows(8, 60, true);
    let with = |change: fn(&mut Trial)| {
        let mut rows = rows.clone();
        rows.iter_mut().for_each(change);
        rows
    };
    let cases: Vec<(&str, Vec<Trial>, Undefined)> = vec![
        ("empty", Vec::new(), Undefined::NoRows),
        ("nobody treated", with(|r| r.treated = false), Undefined::NoTreated),
        ("all treated", with(|r| r.treated = true), Undefined::NoControl),
        ("no weight", with(|r| r.weight = 0.0), Undefined::NoWeight),
        ("nobody selected", with(|r| r.decision = Some(false)), Undefined::NobodySelected),
        ("no decision", with(|r| r.decision = None), Undefined::NoDecisions),
    ];
    for (case, rows, reason) in &cases {
        let g = group(rows.clone());
        let figure = effect_among_selected(&g, 0.95).estimate;
        assert_eq!(figure.value(), Err(*reason), "{case}");
    }
    let extra = [
        ("all selected", with(|r| r.decision = Some(true))),
        ("no score", with(|r| r.score = None)),
        ("one score", with(|r| r.score = Some(0.1))),
        ("one outcome", with(|r| r.outcome = 0.0)),
        ("huge", with(|r| r.outcome *= 1e300)),
        ("tiny", with(|r| r.weight *= 1e-300)),
        ("two rows", vec![Trial::new(true, 1.0), Trial::new(false, 0.0)]),
    ];
    for (case, rows) in cases.into_iter().map(|(c, r, _)| (c, r)).chain(extra) {
        let g = group(rows.clone());
        for level in [0.95, 0.0, f64::NAN] {
            for (entry, compute) in COMPUTED {
                let f = compute(&g, level);
                let numbers = [f.estimate.value, f.estimate.low, f.estimate.high, f.error];
                assert!(numbers.into_iter().flatten().all(f64::is_finite), "{case}: {} {f:?}", entry.name);
                assert!(f.estimate.value.is_some() || f.estimate.reason.is_some(), "{case}: {}", entry.name);
                if let (Some(v), Some((low, high))) = (f.estimate.value, f.estimate.interval()) {
                    assert!(low <= v && v <= high, "{case}: {} {f:?}", entry.name);
                }
            }
            calibration::calibration_test(&calibration::by_score(&g, 10, level));
        }
    }
}

#[test]
fn zero_effect_has_no_persuadables() {
    let rows: Vec<Trial> = (0..80)
        .map(|i| Trial { decision: Some(i % 4 < 2), ..Trial::new(i % 2 == 0, f64::from(u8::from(i % 8 < 4))) })
        .collect();
    let figure = targeting::equal_opportunity_on_persuadables(&group(rows), 0.95);
    assert_eq!(figure.estimate.value(), Err(Undefined::NoEffect));
}

#[test]
fn a_weak_effect_leaves_the_share_of_persuadables_open() {
    let mut rows = random_rows(11, 60, false);
    rows.iter_mut().for_each(|r| r.outcome = 0.0);
    for selected in [true, false] {
        let buyer = rows.iter_mut().find(|r| r.treated && r.decision == Some(selected));
        buyer.unwrap().outcome = 1.0;
    }
    let figure = targeting::equal_opportunity_on_persuadables(&group(rows), 0.95).estimate;
    assert_eq!((figure.low, figure.high), (Some(0.0), Some(1.0)));
}

#[test]
fn propensities_must_leave_a_choice() {
    for p in [0.0, 1.0, -0.1, f64::NAN] {
        assert!(UpliftGroup::new(vec![Trial::new(true, 1.0)], Assignment::Propensities(&[p])).is_err());
        assert!(UpliftGroup::new(Vec::new(), Assignment::Randomised { propensity: Some(p) }).is_err());
    }
    assert!(UpliftGroup::new(vec![Trial::new(true, 1.0)], Assignment::Propensities(&[])).is_err());
    assert!(UpliftGroup::new(vec![Trial::new(true, f64::NAN)], RANDOMISED).is_err());
}

#[test]
fn decile_bins_part_everybody_and_no_tie() {
    for ties in [true, false] {
        let rows = random_rows(9, 500, ties);
        let bins = calibration::by_score(&group(rows), 10, 0.95);
        assert!(bins.len() > 5 && bins.len() <= 10);
        assert_relative_eq!(bins.iter().map(|b| b.observed.support.rows).sum::<f64>(), 500.0);
        assert!(bins.windows(2).all(|w| w[0].to < w[1].from));
    }
}

fn sample_report() -> UpliftReport {
    let mut rows = random_rows(10, 900, true);
    rows.iter_mut().for_each(|r| r.weight = 1.0);
    let sex = Categorical::from_options("sex", (0..900).map(|i| [Some("f"), Some("m"), Some("x"), None][i % 7 % 4]));
    let treated: Vec<bool> = rows.iter().map(|r| r.treated).collect();
    let decision: Vec<bool> = rows.iter().map(|r| r.decision == Some(true)).collect();
    let outcome: Vec<f64> = rows.iter().enumerate().map(|(i, r)| if i == 3 { f64::NAN } else { r.outcome }).collect();
    let score: Vec<f64> = rows.iter().map(|r| r.score.unwrap()).collect();
    let audit = UpliftAudit::new(RANDOMISED).attribute(sex).treated(&treated).outcome(&outcome);
    audit.decision(&decision).score(&score).run().unwrap()
}

#[test]
fn the_report_keeps_its_forms() {
    let report = sample_report();
    assert_eq!((report.rows, report.unknown_rows), (900, 1));
    assert_eq!(UpliftReport::from_json(&report.to_json().unwrap()).unwrap(), report);
    assert!(UpliftReport::from_json(r#"{"schema_version": 9}"#).unwrap_err().to_string().contains("is 9"));
    let text = report.to_text();
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(text.contains("Average treatment effect") && text.contains("reference f"), "{text}");
    let csv = report.to_csv();
    let mut lines = csv.lines();
    let head = "attribute,group,metric,comparison,against,value,low,high,p_value,rows,weight,reason";
    assert_eq!(lines.next(), Some(head));
    assert!(lines.any(|l| l.starts_with("sex,,qini_area,difference,between_groups,")), "{csv}");
}

#[test]
fn an_audit_says_what_is_missing() {
    let outcome = [1.0, 0.0];
    let audit = || UpliftAudit::new(RANDOMISED);
    let message = |audit: UpliftAudit<'_>| audit.run().unwrap_err().to_string();
    assert!(message(audit().outcome(&outcome)).contains("who was treated"));
    assert!(message(audit().treated([1, 0])).contains("outcome"));
    assert!(message(audit().treated([1, 0]).outcome(&outcome).weight(&[1.0])).contains("`weight` has 1 rows"));
    assert!(message(audit().treated([1, 0]).outcome(&outcome).weight(&[1.0, -1.0])).contains("row 2"));
    assert!(message(audit().treated([2, 2]).outcome(&outcome)).contains("no row"));
    let sex = Categorical::from_values("sex", ["f", "m"]);
    let wrong = audit().treated([1, 0]).outcome(&outcome).attribute(sex).reference("sex", "fm");
    assert!(message(wrong).contains("no group `fm`"));
}

#[test]
fn a_broken_randomisation_is_noted() {
    let treated: Vec<bool> = (0..4000).map(|i| i % 5 < 3).collect();
    let outcome: Vec<f64> = (0..4000).map(|i| f64::from(u8::from(i % 3 == 0))).collect();
    let run = |p| {
        let audit = UpliftAudit::new(Assignment::Randomised { propensity: Some(p) });
        audit.treated(&treated).outcome(&outcome).run().unwrap().notes
    };
    assert!(run(0.5).iter().any(|n| n.contains("more than chance allows")));
    assert!(run(0.6).is_empty());
}
