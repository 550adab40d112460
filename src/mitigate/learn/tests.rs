use linfa::Dataset;
use ndarray::{Array2, array};
use proptest::prelude::*;

use super::*;

/// Rows by a formula that other languages have too.
fn rows(n: usize) -> (Array2<f64>, Vec<bool>, Vec<f64>) {
    let x = |i: usize, j: usize| (((i * 37 + j * 101 + i * j * 13) % 97) as f64 / 97.0 - 0.5) * (1.0 + j as f64);
    let features = Array2::from_shape_fn((n, 3), |(i, j)| x(i, j));
    let labels = (0..n).map(|i| x(i, 0) + 0.5 * x(i, 1) + (((i * 53) % 31) as f64 / 31.0 - 0.5) > 0.1).collect();
    let weights = (0..n).map(|i| 0.25 + (i % 7) as f64).collect();
    (features, labels, weights)
}

/// Penalty, intercept, coefficients.
const SCIKIT: [(f64, f64, [f64; 3]); 3] = [
    (0.01, -0.6157528400298676, [5.377898991006712, 2.753966187734832, 0.34023528388029683]),
    (1.0, -0.543560505184872, [4.384387961001314, 2.4075424426303007, 0.3151841999423269]),
    (50.0, -0.30933333098131166, [0.6667821887946788, 0.8434649868067098, 0.17395861544332925]),
];

#[test]
fn scikit_learn_agrees() {
    // scikit-learn 1.9.1, LogisticRegression(C=1/penalty, solver="newton-cholesky", tol=1e-12) with sample_weight.
    let (features, labels, weights) = rows(200);
    for (penalty, intercept, coefficients) in SCIKIT {
        let model = Logistic::new().penalty(penalty).fit(features.view(), &labels, &weights).unwrap();
        assert!((model.intercept - intercept).abs() < 1e-6, "{penalty}: {model:?}");
        assert!(model.coefficients.iter().zip(coefficients).all(|(a, b)| (a - b).abs() < 1e-6), "{penalty}: {model:?}");
    }
}

#[test]
fn a_start_from_another_model_ends_in_the_same_place() {
    let (features, labels, weights) = rows(120);
    let learner = Logistic::new().penalty(0.3);
    let plain = learner.fit(features.view(), &labels, &[1.0; 120]).unwrap();
    let cold = learner.fit(features.view(), &labels, &weights).unwrap();
    let warm = learner.refit(&plain, features.view(), &labels, &weights).unwrap();
    assert!(warm.coefficients.iter().zip(&cold.coefficients).all(|(a, b)| (a - b).abs() < 1e-4));
    assert!(learner.refit(&cold, features.view(), &labels, &weights).unwrap().steps <= 1);
}

#[test]
fn columns_that_say_nothing_new_are_borne() {
    let (features, labels, weights) = rows(100);
    let mut wide = Array2::zeros((100, 5));
    for row in 0..100 {
        (0..3).for_each(|at| wide[[row, at]] = features[[row, at]]);
        wide[[row, 3]] = 7.0; // constant
        wide[[row, 4]] = 1e6 * features[[row, 0]] + 3e6; // the first again, in another unit
    }
    // Where there is a penalty, a feature in small units is nearly free of it, and a fit that uses it a little nearer.
    for (penalty, near) in [(0.0, 1e-5), (1e-3, 1e-2)] {
        let narrow = Logistic::new().penalty(penalty).fit(features.view(), &labels, &weights).unwrap();
        let model = Logistic::new().penalty(penalty).fit(wide.view(), &labels, &weights).unwrap();
        assert_eq!(model.coefficients[3], 0.0);
        let (a, b) = (narrow.scores(features.view()), model.scores(wide.view()));
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < near), "{penalty}: {model:?} {narrow:?}");
    }
}

#[test]
fn slips_are_named() {
    let fit = |features: Array2<f64>, labels: &[bool], weights: &[f64]| {
        Logistic::new().penalty(0.0).fit(features.view(), labels, weights).unwrap_err().to_string()
    };
    let two = || array![[0.0], [1.0]];
    assert!(fit(two(), &[true, true], &[1.0; 2]).contains("favourable"));
    assert!(fit(two(), &[true, false], &[1.0, 0.0]).contains("favourable"));
    assert!(fit(two(), &[true], &[1.0; 2]).contains("`label` has 1 rows"));
    assert!(fit(two(), &[true, false], &[1.0, -1.0]).contains("row 2"));
    assert!(fit(array![[0.0], [f64::NAN]], &[true, false], &[1.0; 2]).contains("`feature 1` holds `NaN` in row 2"));
    // Labels that the features tell apart: with a penalty there is an end.
    assert!(fit(two(), &[false, true], &[1.0; 2]).contains("penalty"));
    assert!(Logistic::new().fit(two().view(), &[false, true], &[1.0; 2]).is_ok());
    assert!(Logistic::new().penalty(f64::NAN).fit(two().view(), &[false, true], &[1.0; 2]).is_err());
    assert!(fit(Array2::zeros((0, 1)), &[], &[]).contains("favourable"));
}

#[test]
fn it_is_a_learner_of_linfa() {
    use linfa::traits::{Fit, Predict};
    let (features, labels, weights) = rows(90);
    let given: ndarray::Array1<f32> = weights.iter().map(|w| *w as f32).collect();
    let dataset = Dataset::new(features.clone(), ndarray::Array1::from(labels.clone())).with_weights(given);
    let by_linfa = Fit::fit(&Logistic::new(), &dataset).unwrap();
    let ours = Learner::fit(&Logistic::new(), features.view(), &labels, &weights).unwrap();
    assert_eq!(by_linfa, ours);
    assert_eq!(by_linfa.predict(&features).to_vec(), ours.decisions(features.view()));
    let text = serde_json::to_string(&ours).unwrap();
    assert_eq!(serde_json::from_str::<LogisticModel>(&text).unwrap(), ours);
}

proptest! {
    #[test]
    fn weights_are_repeated_rows_and_have_no_scale(times in prop::collection::vec(0usize..4, 60), scale in 1e-6f64..1e6) {
        let (features, labels, _) = rows(60);
        let counts: Vec<f64> = times.iter().map(|t| *t as f64).collect();
        prop_assume!((0..60).any(|i| labels[i] && times[i] > 0) && (0..60).any(|i| !labels[i] && times[i] > 0));
        let repeated: Vec<usize> = (0..60).flat_map(|i| std::iter::repeat_n(i, times[i])).collect();
        let long = features.select(ndarray::Axis(0), &repeated);
        let long_labels: Vec<bool> = repeated.iter().map(|i| labels[*i]).collect();
        let learner = Logistic::new().penalty(0.5);
        let by_weight = learner.fit(features.view(), &labels, &counts).unwrap();
        let by_row = learner.fit(long.view(), &long_labels, &vec![1.0; repeated.len()]).unwrap();
        // A penalty weighs against all weights together.
        let scaled: Vec<f64> = counts.iter().map(|w| w * scale).collect();
        let by_scale = Logistic::new().penalty(0.5 * scale).fit(features.view(), &labels, &scaled).unwrap();
        for other in [by_row, by_scale] {
            prop_assert!((other.intercept - by_weight.intercept).abs() < 1e-6);
            for (a, b) in other.coefficients.iter().zip(&by_weight.coefficients) {
                prop_assert!((a - b).abs() < 1e-6, "{:?} {:?}", other, by_weight);
            }
        }
    }
}
