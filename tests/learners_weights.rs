//! Which learners of linfa read weights: what the table in the docs of `mitigate::learn` says.

use evenhand::mitigate::learn::{Learner, Linfa, Logistic, Resampled, Scorer, check_weights, require_weights};
use linfa::ParamGuard;
use linfa::traits::Predict;
use linfa_bayes::{GaussianNb, NaiveBayesError};
use linfa_logistic::{FittedLogisticRegression, LogisticRegression};
use linfa_svm::Svm;
use linfa_trees::DecisionTree;
use ndarray::{Array1, Array2, ArrayView2};

/// Rows whose labels overlap, so that weights have something to decide.
fn rows() -> (Array2<f64>, Vec<bool>) {
    let x = |i: usize, j: usize| ((i * 37 + j * 101 + i * j * 13) % 97) as f64 / 97.0;
    let features = Array2::from_shape_fn((160, 2), |(i, j)| x(i, j));
    let labels = (0..160).map(|i| x(i, 0) + 0.6 * ((i * 53) % 31) as f64 / 31.0 > 0.85).collect();
    (features, labels)
}

fn flags(of: &Array1<bool>) -> Vec<f64> {
    of.iter().map(|d| f64::from(u8::from(*d))).collect()
}

/// Whether a learner reads weights, and whether it does where rows are drawn by them.
fn reads<L: Learner + Clone>(learner: &L) -> (bool, bool) {
    let (features, labels) = rows();
    let plain = check_weights(learner, features.view(), &labels).unwrap();
    let drawn = check_weights(&Resampled::new(learner.clone(), 3), features.view(), &labels).unwrap();
    assert_eq!(plain.honours(), require_weights(learner, features.view(), &labels).is_ok());
    (plain.honours(), drawn.honours())
}

#[test]
fn decision_trees_read_weights() {
    let params = DecisionTree::<f64, bool>::params().max_depth(Some(3)).check().unwrap();
    let score = |tree: &DecisionTree<f64, bool>, rows: ArrayView2<f64>| flags(&tree.predict(&rows));
    assert_eq!(reads(&Linfa::new(params, score)), (true, true));
}

#[test]
fn our_logistic_regression_reads_weights() {
    assert_eq!(reads(&Logistic::new()), (true, true));
    let score = |model: &evenhand::mitigate::learn::LogisticModel, rows: ArrayView2<f64>| model.scores(rows);
    assert_eq!(reads(&Linfa::new(Logistic::new().check().unwrap(), score)), (true, true));
}

#[test]
fn linfas_logistic_regression_does_not() {
    let params = LogisticRegression::default().max_iterations(100).check().unwrap();
    let score = |model: &FittedLogisticRegression<f64, bool>, rows: ArrayView2<f64>| {
        model.predict_probabilities(&rows).to_vec()
    };
    assert_eq!(reads(&Linfa::new(params, score)), (false, true));
}

#[test]
fn support_vector_machines_do_not() {
    let params = Svm::<f64, bool>::params().gaussian_kernel(0.5).pos_neg_weights(1.0, 1.0).check().unwrap();
    let score = |model: &Svm<f64, bool>, rows: ArrayView2<f64>| flags(&model.predict(&rows));
    assert_eq!(reads(&Linfa::new(params, score)), (false, true));
}

#[test]
fn naive_bayes_does_not() {
    let params = GaussianNb::<f64, bool>::params().check().unwrap();
    let score = |model: &GaussianNb<f64, bool>, rows: ArrayView2<f64>| flags(&model.predict(&rows));
    let learner: Linfa<_, _, bool, NaiveBayesError> = Linfa::new(params, score);
    assert_eq!(reads(&learner), (false, true));
}
