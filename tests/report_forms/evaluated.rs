//! A comparison of mitigations with hostile names.

use evenhand::data::{Batch, Categorical};
use evenhand::mitigate::evaluate::{Evaluation, Held, MitigationReport, Outcome, Train};
use ndarray::{Array2, ArrayView2};

use super::sample::HOSTILE;

/// 600 customers, of whom men respond somewhat more, and a learner that targets men only; by lot, nobody, and the same again.
pub fn evaluated() -> MitigationReport {
    let label: Vec<bool> = (0..600).map(|i| (i / 2) % 10 < if i % 2 == 0 { 4 } else { 6 }).collect();
    let features = Array2::from_shape_fn((600, 1), |(i, _)| (i % 2) as f64);
    let sex = (0..600).map(|i| if i % 2 == 0 { HOSTILE[0] } else { "m" });
    let batch = Batch::builder().attribute(Categorical::from_values("sex", sex)).label(&label).build().unwrap();
    let learner = |x: ArrayView2<f64>, y: &[bool], w: &[f64]| {
        let rate = |v: f64| {
            let sum = |with: &dyn Fn(usize) -> bool| (0..y.len()).filter(|i| with(*i)).map(|i| w[i]).sum::<f64>();
            sum(&|i| x[[i, 0]] == v && y[i]) / sum(&|i| x[[i, 0]] == v)
        };
        let rates = [rate(0.0), rate(1.0)];
        Ok(move |x: ArrayView2<f64>| x.column(0).iter().map(|v| rates[*v as usize]).collect::<Vec<f64>>())
    };
    let share = |of: f64| move |_: &Train| Ok(move |held: &Held| Ok(Outcome::of_chances(vec![of; held.rows()])));
    Evaluation::new(learner)
        .mitigation("by lot", share(0.5))
        .mitigation("nobody", share(0.0))
        .knowing_groups(HOSTILE[0], share(0.5))
        .mitigation("long name ".repeat(1_000), share(0.9))
        .folds(3)
        .frontier([0.5, 0.1, 0.0])
        .run(features.view(), &batch)
        .unwrap()
}
