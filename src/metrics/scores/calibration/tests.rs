use approx::assert_relative_eq;
use rand::Rng;

use super::*;
use crate::metrics::scores::fixtures::{drawn, rng};
use crate::metrics::{Confidence, Estimate, Undefined};

const AT: Confidence =
    Confidence { level: 0.95, bootstrap: crate::inference::bootstrap::Bootstrap { replicates: 1000, seed: 0 } };

type Figure = fn(&ScoredGroup) -> Estimate;

const ALL: [(&str, Figure); 10] = [
    ("in the large", |g| calibration_in_the_large(g, AT)),
    ("ratio", |g| observed_expected_ratio(g, AT)),
    ("intercept", |g| calibration_intercept(g, AT)),
    ("slope", |g| calibration_slope(g, AT)),
    ("error", |g| expected_calibration_error(g, 10, AT)),
    ("debiased", |g| expected_calibration_error_debiased(g, 10, AT)),
    ("root", |g| root_calibration_error_debiased(g, 10, AT)),
    ("brier", |g| brier_score(g, AT)),
    ("skill", |g| brier_skill_score(g, AT)),
    ("log loss", |g| log_loss(g, LOG_LOSS_CLIP, AT)),
];

#[cfg(feature = "csv")]
mod oracle {
    use super::*;
    use crate::metrics::scores::fixtures::Data;

    /// scikit-learn 1.9.1, brier_score_loss and log_loss (scores clipped at 0.0001).
    #[test]
    fn losses_are_those_of_scikit_learn() {
        let adult = Data::adult();
        for (column, group, brier, log) in [
            ("sex", "Female", 0.05584085273769886, 0.19076971797229597),
            ("sex", "Male", 0.1271259302131188, 0.3896283553743705),
            ("race", "Amer-Indian-Eskimo", 0.06433395188340808, 0.22853196809905302),
            ("race", "Black", 0.06459550404199477, 0.20993311258087513),
            ("race", "White", 0.10755744032950741, 0.33533829426884637),
        ] {
            let rows = adult.group(column, group, true).scored("label");
            assert_relative_eq!(brier_score(&rows, AT).value.unwrap(), brier, max_relative = 1e-12);
            assert_relative_eq!(log_loss(&rows, 1e-4, AT).value.unwrap(), log, max_relative = 1e-12);
        }
    }

    /// fairlearn 0.15.0, MetricFrame of scikit-learn's losses.
    #[test]
    fn losses_are_those_of_fairlearn() {
        let german = Data::german();
        for (group, brier, log) in
            [("old", 0.15849264234853458, 0.48566261554685497), ("young", 0.21036538969192106, 0.6080763679717015)]
        {
            let rows = german.group("age_gt25", group, true).scored("y_true");
            assert_relative_eq!(brier_score(&rows, AT).value.unwrap(), brier, max_relative = 1e-12);
            assert_relative_eq!(log_loss(&rows, LOG_LOSS_CLIP, AT).value.unwrap(), log, max_relative = 1e-12);
            let parts = brier_decomposition(&rows, 10).unwrap();
            let sum = parts.reliability - parts.resolution + parts.uncertainty + parts.within_variance
                - 2.0 * parts.within_covariance;
            assert_relative_eq!(sum, brier, max_relative = 1e-12);
        }
    }
}

fn close(a: &Estimate, b: &Estimate, what: &str) {
    assert_eq!(a.reason, b.reason, "{what}");
    for (x, y) in [(a.value, b.value), (a.low, b.low), (a.high, b.high)] {
        match (x, y) {
            (Some(x), Some(y)) => assert!((x - y).abs() <= 1e-7 * (1.0 + x.abs()), "{what}: {x} {y}"),
            (x, y) => assert_eq!(x, y, "{what}"),
        }
    }
}

#[test]
fn order_and_scale_of_weights_change_nothing() {
    let mut rng = rng(1);
    let scores: Vec<f64> = (0..300).map(|_| f64::from(rng.gen_range(1..20)) / 20.0).collect();
    let labels: Vec<u8> = scores.iter().map(|s| u8::from(rng.gen_range(0.0..1.0) < *s)).collect();
    let weights: Vec<f64> = (0..300).map(|_| rng.gen_range(0.2..2.0)).collect();
    let turned = |v: &[f64]| v.iter().rev().copied().collect::<Vec<_>>();
    let backwards: Vec<u8> = labels.iter().rev().copied().collect();
    let scaled: Vec<f64> = weights.iter().map(|w| 7.3 * w).collect();
    let plain = ScoredGroup::from_rows(&scores, &labels, Some(&weights));
    let other = ScoredGroup::from_rows(&turned(&scores), &backwards, Some(&turned(&scaled)));
    // Equal weights are none.
    let (none, equal) =
        (ScoredGroup::from_rows(&scores, &labels, None), ScoredGroup::from_rows(&scores, &labels, Some(&[3.0; 300])));
    // Unknown labels and rows without weight are not there.
    let with = |label: u8, weight: f64| {
        let (mut s, mut l, mut w) = (scores.clone(), labels.clone(), weights.clone());
        s.push(0.77);
        l.push(label);
        w.push(weight);
        ScoredGroup::from_rows(&s, &l, Some(&w))
    };
    for (name, figure) in ALL {
        close(&figure(&plain), &figure(&other), name);
        close(&figure(&none), &figure(&equal), name);
        close(&figure(&plain), &figure(&with(2, 5.0)), name);
        assert_eq!(figure(&plain).value, figure(&with(1, 0.0)).value, "{name}");
        let e = figure(&plain);
        assert!(e.low.unwrap() <= e.value.unwrap() && e.value.unwrap() <= e.high.unwrap(), "{name}");
    }
}

#[test]
fn every_row_twice_narrows_the_intervals() {
    let mut rng = rng(2);
    let once = drawn(&mut rng, 400, 0.3, |s| s);
    let rows: Vec<(f64, u8)> = once.points.iter().map(|p| (p.score, p.label)).collect();
    let twice: Vec<(f64, u8)> = rows.iter().chain(&rows).copied().collect();
    let scores: Vec<f64> = twice.iter().map(|r| r.0).collect();
    let labels: Vec<u8> = twice.iter().map(|r| r.1).collect();
    let twice = ScoredGroup::from_rows(&scores, &labels, None);
    for (name, figure) in ALL {
        let (a, b) = (figure(&once), figure(&twice));
        if name != "debiased" && name != "root" {
            assert_relative_eq!(a.value.unwrap(), b.value.unwrap(), max_relative = 1e-7);
        }
        let width = |e: &Estimate| e.high.unwrap() - e.low.unwrap();
        assert!(width(&b) < width(&a), "{name}");
    }
}

#[test]
fn nasty_groups_have_reasons() {
    let of = |s: &[f64], l: &[u8]| ScoredGroup::from_rows(s, l, None);
    let zero = ScoredGroup::from_rows(&[0.2, 0.4], &[0, 1], Some(&[0.0, 0.0]));
    for (name, figure) in ALL {
        assert_eq!(figure(&ScoredGroup::default()).reason, Some(Undefined::NoRows), "{name}");
        assert_eq!(figure(&of(&[0.3, 0.4], &[2, 2])).reason, Some(Undefined::NoLabels), "{name}");
        assert_eq!(figure(&zero).reason, Some(Undefined::NoWeight), "{name}");
        assert_eq!(figure(&of(&[0.3, 1.4], &[0, 1])).reason, Some(Undefined::NotProbabilities), "{name}");
        for group in [
            of(&[0.5], &[1]),
            of(&[0.0, 1.0], &[1, 0]),
            of(&[0.0, 1.0], &[0, 1]),
            of(&[0.0; 5], &[0; 5]),
            of(&[1.0; 5], &[1; 5]),
            of(&[0.3; 7], &[0, 0, 0, 1, 1, 1, 1]),
            of(&[0.0; 5], &[1; 5]),
        ] {
            let e = figure(&group);
            assert_eq!(e.value.is_none(), e.reason.is_some(), "{name}");
            assert!([e.value, e.low, e.high].iter().flatten().all(|v| v.is_finite()), "{name}");
            if let (Some(v), Some((low, high))) = (e.value, e.interval()) {
                assert!(low <= v && v <= high, "{name} {e:?}");
            }
        }
    }
    assert_eq!(calibration_slope(&of(&[0.3; 4], &[0, 1, 0, 1]), AT).reason, Some(Undefined::NoVariation));
    assert_eq!(calibration_intercept(&of(&[0.3; 4], &[0; 4]), AT).reason, Some(Undefined::NoPositives));
    assert_eq!(observed_expected_ratio(&of(&[0.0; 4], &[0; 4]), AT).reason, Some(Undefined::OverZero));
}

#[test]
fn of_a_constant_score_the_interval_is_wilsons() {
    let labels: Vec<u8> = (0..40).map(|i| u8::from(i < 7)).collect();
    for labels in [labels, vec![0; 40], vec![1; 40]] {
        let group = ScoredGroup::from_rows(&[0.3; 40], &labels, None);
        let e = calibration_in_the_large(&group, AT);
        let x = labels.iter().map(|l| f64::from(*l)).sum();
        let wilson = crate::inference::rate::wilson(x, 40.0, 0.95).unwrap();
        assert!((e.low.unwrap() + 0.3 - wilson.low).abs() < 1e-9, "{e:?} {wilson:?}");
        assert!((e.high.unwrap() + 0.3 - wilson.high).abs() < 1e-9, "{e:?} {wilson:?}");
    }
}

#[test]
fn ties_are_not_split() {
    let group = ScoredGroup::from_rows(&[0.2, 0.2, 0.2, 0.2, 0.7, 0.9], &[0, 1, 0, 0, 1, 1], None);
    let curve = reliability_curve(&group, 3, AT).unwrap();
    assert_eq!(curve.iter().map(|b| b.observed.support.rows).collect::<Vec<_>>(), [4.0, 2.0]);
    let all = reliability_curve(&group, 1, AT).unwrap();
    assert_eq!((all.len(), all[0].low, all[0].high), (1, 0.2, 0.9));
    assert_eq!(reliability_curve(&group, 0, AT).unwrap().len(), 1);
}
