use approx::assert_relative_eq;
use rand::Rng;
use rand_distr::{Exp1, StandardNormal};

use super::*;
use crate::metrics::scores::fixtures::rng;
use crate::metrics::{Confidence, Estimate, Undefined};

type Figure = fn(&ErrorSums) -> Estimate;

const ALL: [(&str, Figure); 5] = [
    ("mae", |s| mean_absolute_error(s, Confidence::at(0.95))),
    ("rmse", |s| root_mean_squared_error(s, Confidence::at(0.95))),
    ("bias", |s| mean_error(s, Confidence::at(0.95))),
    ("r2", |s| r2(s, Confidence::at(0.95))),
    ("correlation", |s| correlation(s, Confidence::at(0.95))),
];

fn of(y: &[f64], p: &[f64], w: Option<&[f64]>) -> ErrorSums {
    ErrorSums::by_group(y, p, &vec![0; y.len()], w, 1).remove(0)
}

/// holisticai 1.0.14 (ratios and differences of the unprivileged against the privileged), fairlearn 0.15.0.
#[cfg(feature = "csv")]
#[test]
fn errors_are_those_of_the_peers() {
    use crate::metrics::scores::fixtures::Data;
    let sums = |data: &Data, label: &str| of(&data.numbers(label), &data.numbers("score"), None);
    let value = |figure: Figure, sums: &ErrorSums| figure(sums).value.unwrap();
    let (german, adult) = (Data::german(), Data::adult());
    for (data, label, column, first, mae, rmse, correlations) in [
        (&german, "y_true", "age_ge25", "young", 1.2334932221824593, 1.1320210939590936, -0.057067705657218304),
        (&german, "y_true", "sex", "female", 1.080360166799918, 1.0533292140858979, 0.02830886021870954),
        (&adult, "label", "sex", "Female", 0.47996358328790345, 0.6627640588665326, 0.0184218340151191),
    ] {
        let (a, b) = (sums(&data.group(column, first, true), label), sums(&data.group(column, first, false), label));
        assert_relative_eq!(value(ALL[0].1, &a) / value(ALL[0].1, &b), mae, max_relative = 1e-11);
        assert_relative_eq!(value(ALL[1].1, &a) / value(ALL[1].1, &b), rmse, max_relative = 1e-11);
        assert_relative_eq!(value(ALL[4].1, &a) - value(ALL[4].1, &b), correlations, max_relative = 1e-9);
    }
    for (group, mae, mse, determination) in [
        ("old", 0.3178561543209876, 0.15849264234853458, 0.19886731398402502),
        ("young", 0.399956647368421, 0.21036538969192106, 0.13702379910473306),
    ] {
        let sums = sums(&german.group("age_gt25", group, true), "y_true");
        assert_relative_eq!(value(ALL[0].1, &sums), mae, max_relative = 1e-11);
        assert_relative_eq!(value(ALL[1].1, &sums).powi(2), mse, max_relative = 1e-11);
        assert_relative_eq!(value(ALL[3].1, &sums), determination, max_relative = 1e-10);
    }
}

fn rows(n: usize, seed: u64) -> [Vec<f64>; 3] {
    let mut rng = rng(seed);
    let y: Vec<f64> = (0..n).map(|_| 100.0 + 10.0 * rng.sample::<f64, _>(StandardNormal)).collect();
    let p = y.iter().map(|y| 20.0 + 0.8 * y + 5.0 * rng.sample::<f64, _>(StandardNormal)).collect();
    let w = (0..n).map(|_| rng.gen_range(0.1..3.0)).collect();
    [y, p, w]
}

fn same(a: &Estimate, b: &Estimate, what: &str) {
    for (x, y) in [(a.value, b.value), (a.low, b.low), (a.high, b.high)] {
        assert_relative_eq!(x.unwrap(), y.unwrap(), max_relative = 1e-9, epsilon = 1e-9);
    }
    assert_eq!(a.reason, b.reason, "{what}");
}

#[test]
fn parts_merge_and_order_and_scale_do_not_matter() {
    let [y, p, w] = rows(200, 3);
    let whole = of(&y, &p, Some(&w));
    let mut merged = ErrorSums::default();
    for at in (0..200).step_by(37) {
        let end = (at + 37).min(200);
        merged.merge(&of(&y[at..end], &p[at..end], Some(&w[at..end])));
    }
    merged.merge(&ErrorSums::default());
    let back = |v: &[f64], factor: f64| v.iter().rev().map(|v| v * factor).collect::<Vec<_>>();
    let turned = of(&back(&y, 1.0), &back(&p, 1.0), Some(&back(&w, 5.0)));
    // Far from zero, targets keep their digits.
    let far = |v: &[f64]| v.iter().map(|v| v + 2f64.powi(30)).collect::<Vec<_>>();
    let far = of(&far(&y), &far(&p), Some(&w));
    for (name, figure) in ALL {
        same(&figure(&whole), &figure(&merged), name);
        same(&figure(&whole), &figure(&turned), name);
        let (near, far) = (figure(&whole), figure(&far));
        assert_relative_eq!(near.low.unwrap(), far.low.unwrap(), max_relative = 1e-5);
    }
}

#[test]
fn nasty_rows_have_reasons() {
    for (name, figure) in ALL {
        assert_eq!(figure(&ErrorSums::default()).reason, Some(Undefined::NoRows), "{name}");
        assert_eq!(figure(&of(&[1.0, 2.0], &[1.0, 3.0], Some(&[0.0; 2]))).reason, Some(Undefined::NoWeight), "{name}");
        for sums in [
            of(&[1.0], &[2.0], None),
            of(&[1.0, 1.0], &[2.0, 2.0], None),
            of(&[0.1; 5], &[0.3; 5], None),
            of(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0], None),
            of(&[1e300, -1e300], &[0.0, 1.0], None),
            of(&[1.0, f64::NAN, 3.0], &[1.0, 2.0, f64::INFINITY], None),
        ] {
            let e = figure(&sums);
            assert_eq!(e.value.is_none(), e.reason.is_some(), "{name}");
            assert!([e.value, e.low, e.high].iter().flatten().all(|v| v.is_finite()), "{name}");
        }
    }
    assert_eq!(ALL[3].1(&of(&[0.1; 5], &[0.3; 5], None)).reason, Some(Undefined::NoVariation));
    assert_eq!(ALL[4].1(&of(&[1.0, 2.0], &[0.3; 2], None)).reason, Some(Undefined::NoVariation));
    assert_eq!(of(&[1.0, f64::NAN], &[1.0, 2.0], None).missing(), 1.0);
    // Codes without a group are left out.
    assert_eq!(ErrorSums::by_group(&[1.0], &[1.0], &[7], None, 2)[0].cell().rows, 0.0);
}

/// Normal rows, and skewed targets with skewed errors.
#[test]
fn intervals_cover() {
    let samples = 1500;
    for (n, skewed) in [(60, false), (300, true)] {
        let mut rng = rng(17);
        let mut held = [0; 5];
        // Of e = ε − 0.2 y, ε of deviation 0.5.
        let spread: f64 = 0.04 + 0.25;
        let truths = [spread.sqrt() * 0.797_884_560_8, spread.sqrt(), 0.0, 1.0 - spread, 0.8 / f64::sqrt(0.89)];
        for _ in 0..samples {
            let mut one =
                || -> f64 { if skewed { rng.sample::<f64, _>(Exp1) - 1.0 } else { rng.sample(StandardNormal) } };
            let y: Vec<f64> = (0..n).map(|_| one()).collect();
            let p: Vec<f64> = y.iter().map(|y| 0.8 * y + 0.5 * one()).collect();
            let sums = of(&y, &p, None);
            for ((count, (_, figure)), truth) in held.iter_mut().zip(ALL).zip(truths) {
                let (low, high) = figure(&sums).interval().unwrap();
                *count += usize::from(low <= truth && truth <= high);
            }
        }
        for (((name, _), count), at) in ALL.iter().zip(held).zip(0..) {
            let share = count as f64 / f64::from(samples);
            // The mean absolute error of the skewed rows is another.
            if !(skewed && at == 0) {
                assert!(share > 0.92, "{name} {n} {skewed}: {share}");
            }
        }
    }
}
