use ndarray::{Array2, ArrayView2, array};

use super::*;
use crate::data::Categorical;
use crate::mitigate::learn::Logistic;

fn batch(groups: &[&str], labels: &[u8], weights: Option<&[f64]>) -> Batch<'static> {
    let batch = Batch::builder().attribute(Categorical::from_values("g", groups)).label(labels.to_vec());
    match weights {
        Some(weights) => batch.weight(weights.to_vec()).build().unwrap(),
        None => batch.build().unwrap(),
    }
}

/// Of each event, group by group.
fn violations(constraint: Constraint, batch: &Batch, decisions: &[f64]) -> Vec<f64> {
    let groups = Groups::of(batch, &[]).unwrap();
    let problem = Problem::new(constraint, &groups, batch).unwrap();
    let all = problem.violations(decisions);
    all[..problem.sides()].to_vec()
}

#[test]
fn fairlearn_measures_the_same_violations() {
    // fairlearn 0.15.0, its moments' gamma on eight rows.
    let rows = batch(&["a", "a", "a", "b", "b", "b", "b", "b"], &[1, 0, 1, 0, 1, 1, 0, 1], None);
    let decisions = [1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0];
    let close = |constraint, expected: &[f64]| {
        let found = violations(constraint, &rows, &decisions);
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{constraint:?} {found:?}");
    };
    close(Constraint::DemographicParity, &[1.0 / 6.0, -0.1]);
    close(Constraint::EqualizedOdds, &[0.4, -0.8 / 3.0, -1.0 / 3.0, 1.0 / 6.0]);
    close(Constraint::EqualOpportunity, &[0.4, -0.8 / 3.0]);
    close(Constraint::FalsePositiveRateParity, &[-1.0 / 3.0, 1.0 / 6.0]);
    close(Constraint::ErrorRateParity, &[-0.375, 0.225]);
    close(Constraint::BoundedGroupLoss(0.25), &[-0.25, 0.35]);
}

#[test]
fn costs_are_what_multipliers_make_of_decisions() {
    // The Lagrangian is linear in decisions: turning one on adds its cost, whatever the others are.
    let groups = ["a", "b", "b", "a", "c", "c", "a", "b"];
    let rows = batch(&groups, &[1, 0, 1, 0, 1, 0, 1, 1], Some(&[1.0, 2.0, 0.5, 1.5, 3.0, 1.0, 1.0, 2.0]));
    for constraint in [
        Constraint::DemographicParity,
        Constraint::EqualOpportunity,
        Constraint::FalsePositiveRateParity,
        Constraint::EqualizedOdds,
        Constraint::ErrorRateParity,
        Constraint::BoundedGroupLoss(0.2),
    ] {
        let groups = Groups::of(&rows, &[]).unwrap();
        let problem = Problem::new(constraint, &groups, &rows).unwrap();
        let multipliers: Vec<f64> = (0..problem.len()).map(|i| (i * i % 5) as f64 / 3.0).collect();
        let value = |decisions: &[f64]| {
            let held: f64 = problem.violations(decisions).iter().zip(&multipliers).map(|(v, m)| v * m).sum();
            problem.error(decisions) + held
        };
        let costs = problem.costs(&multipliers);
        for mask in 0..256u32 {
            let decisions: Vec<f64> = (0..8).map(|i| f64::from(mask >> i & 1)).collect();
            let by_cost: f64 = decisions.iter().zip(&costs).map(|(d, c)| d * c).sum::<f64>() + value(&[0.0; 8]);
            assert!((value(&decisions) - by_cost).abs() < 1e-12, "{constraint:?} {mask}");
        }
    }
}

/// Every threshold on the only feature, either way round, and the best of them by weight.
fn stump(features: ArrayView2<f64>, labels: &[bool], weights: &[f64]) -> Result<Stump> {
    let mut best = (f64::INFINITY, Stump { at: 0.0, above: true });
    for at in thresholds(features) {
        for above in [true, false] {
            let stump = Stump { at, above };
            let cost: f64 = stump
                .decisions(features)
                .iter()
                .zip(labels)
                .zip(weights)
                .map(|((d, l), w)| if d != l { *w } else { 0.0 })
                .sum();
            if cost < best.0 {
                best = (cost, stump);
            }
        }
    }
    Ok(best.1)
}

fn thresholds(features: ArrayView2<f64>) -> Vec<f64> {
    let mut all: Vec<f64> = features.iter().copied().collect();
    all.push(f64::INFINITY);
    all.sort_by(f64::total_cmp);
    all.dedup();
    all
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Stump {
    at: f64,
    above: bool,
}

impl Scorer for Stump {
    fn scores(&self, features: ArrayView2<f64>) -> Vec<f64> {
        features.column(0).iter().map(|x| f64::from(u8::from((*x >= self.at) == self.above))).collect()
    }
}

#[test]
fn the_mixture_is_as_good_as_the_best_of_all_pairs() {
    // With one number to constrain, the best mixture is of two classifiers at most: all pairs are tried.
    let n = 60usize;
    let groups: Vec<&str> = (0..n).map(|i| if i.is_multiple_of(3) { "a" } else { "b" }).collect();
    let value = |i: usize| ((i * 29) % 61) as f64 / 61.0 + if i.is_multiple_of(3) { 0.25 } else { 0.0 };
    let labels: Vec<u8> = (0..n).map(|i| u8::from(value(i) + ((i * 17) % 13) as f64 / 26.0 > 0.8)).collect();
    let features = Array2::from_shape_fn((n, 1), |(i, _)| value(i));
    let weights: Vec<f64> = (0..n).map(|i| 0.5 + (i % 4) as f64).collect();
    let rows = batch(&groups, &labels, Some(&weights));
    let all = Groups::of(&rows, &[]).unwrap();
    for (constraint, slack) in [
        (Constraint::DemographicParity, 0.02),
        (Constraint::DemographicParity, 0.1),
        (Constraint::EqualOpportunity, 0.05),
        (Constraint::ErrorRateParity, 0.03),
    ] {
        let problem = Problem::new(constraint, &all, &rows).unwrap();
        // For each classifier its error and the two groups' gap, of which the constraint bounds the larger part.
        let mut class = Vec::new();
        for at in thresholds(features.view()) {
            for above in [true, false] {
                let stump = Stump { at, above };
                let decisions = stump.scores(features.view());
                class.push((problem.error(&decisions), problem.violations(&decisions)));
            }
        }
        let mut best = f64::INFINITY;
        for (error, gap) in &class {
            for (other, other_gap) in &class {
                for step in 0..=2000 {
                    let share = f64::from(step) / 2000.0;
                    let worst = gap.iter().zip(other_gap).map(|(a, b)| share * a + (1.0 - share) * b);
                    if worst.fold(f64::NEG_INFINITY, f64::max) <= slack {
                        best = best.min(share * error + (1.0 - share) * other);
                    }
                }
            }
        }
        let fitted = ExponentiatedGradient::new(constraint)
            .slack(slack)
            .tolerance(1e-6)
            .bound(100.0)
            .fit(&stump, features.view(), &rows)
            .unwrap();
        let summary = &fitted.summary;
        assert!(summary.converged, "{summary:?}");
        assert!(summary.violation <= slack + 1e-6, "{constraint:?}: {}", summary.violation);
        assert!(summary.error <= best + 1e-6, "{constraint:?}: {} for {best}", summary.error);
        assert!(summary.error >= best - 1e-3, "{constraint:?}: {} for {best}", summary.error);
        assert!(summary.unconstrained[0] <= summary.error + 1e-12);
    }
}

/// People of three groups whose features and labels differ.
fn people(n: usize) -> (Array2<f64>, Batch<'static>) {
    let groups: Vec<&str> = (0..n).map(|i| ["a", "b", "b", "c"][i % 4]).collect();
    let shift = |i: usize| [0.0, 0.3, 0.3, -0.4][i % 4];
    let x = |i: usize, j: usize| ((i * 37 + j * 101 + i * j * 13) % 97) as f64 / 97.0 - 0.5 + shift(i);
    let features = Array2::from_shape_fn((n, 2), |(i, j)| x(i, j));
    let label = |i: usize| u8::from(x(i, 0) + 0.5 * x(i, 1) + ((i * 53) % 31) as f64 / 31.0 - 0.5 > 0.1);
    (features, batch(&groups, &(0..n).map(label).collect::<Vec<u8>>(), None))
}

/// Constraint and error.
const FAIRLEARN: [(Constraint, f64); 4] = [
    (Constraint::DemographicParity, 0.4371900140902698),
    (Constraint::EqualizedOdds, 0.3513761416432667),
    (Constraint::ErrorRateParity, 0.30408),
    (Constraint::EqualOpportunity, 0.3195097432370463),
];

#[test]
fn fairlearn_is_reached() {
    // fairlearn 0.15.0 and scikit-learn 1.9.1, ExponentiatedGradient(LogisticRegression(), eps=0.02): its expected error on
    // the same rows.
    let (features, rows) = people(800);
    for (constraint, theirs) in FAIRLEARN {
        let fitted =
            ExponentiatedGradient::new(constraint).slack(0.02).fit(&Logistic::new(), features.view(), &rows).unwrap();
        let summary = &fitted.summary;
        assert!(summary.violation <= 0.02 + summary.gap.max(summary.tolerance), "{constraint:?} {summary:?}");
        assert!(summary.error <= theirs + 0.005, "{constraint:?}: {} for {theirs}", summary.error);
        // What is said of the mixture is what it does.
        let chances = fitted.scores(features.view());
        let labels = rows.label.as_ref().unwrap().codes();
        let wrong = chances.iter().zip(labels).map(|(c, l)| if *l == 1 { 1.0 - c } else { *c }).sum::<f64>() / 800.0;
        assert!((wrong - summary.error).abs() < 1e-9);
        let ids: Vec<u64> = (0..800).collect();
        let decided = fitted.decide(features.view(), &ids, 3).unwrap();
        assert_eq!(decided, fitted.decide(features.view(), &ids, 3).unwrap());
        let drawn = decided.iter().filter(|d| **d).count() as f64;
        assert!((drawn - chances.iter().sum::<f64>()).abs() < 4.0 * 14.2);
    }
}

#[test]
fn a_grid_has_a_classifier_nearer_to_parity() {
    let (features, rows) = people(400);
    let search = GridSearch::new(Constraint::DemographicParity).points(60).limit(4.0).violation_weight(0.8);
    let found = search.fit(&Logistic::new(), features.view(), &rows).unwrap();
    let [chosen, free] = [found.chosen, found.unconstrained].map(|at| &found.points[at]);
    assert!(chosen.violation < 0.6 * free.violation && chosen.error >= free.error - 1e-12, "{chosen:?} {free:?}");
    assert!(found.points.len() >= 60 && free.multipliers.iter().all(|m| *m == 0.0));
    let bounded = GridSearch::new(Constraint::BoundedGroupLoss(0.1)).fit(&Logistic::new(), features.view(), &rows);
    assert!(bounded.unwrap().points.iter().all(|p| p.multipliers.iter().all(|m| *m >= 0.0)));
}

#[test]
fn rows_and_groups_in_another_order_change_nothing() {
    let (features, rows) = people(300);
    let order: Vec<usize> = (0..300).rev().collect();
    let labels = rows.label.as_ref().unwrap().codes();
    // The same groups under names that sort the other way.
    let names: Vec<&str> = order.iter().map(|i| ["z", "y", "y", "x"][i % 4]).collect();
    let turned = batch(&names, &order.iter().map(|i| labels[*i]).collect::<Vec<u8>>(), None);
    let other = features.select(Axis(0), &order);
    let gradient = ExponentiatedGradient::new(Constraint::EqualizedOdds).slack(0.05).tolerance(1e-3);
    let one = gradient.fit(&Logistic::new(), features.view(), &rows).unwrap().summary;
    let two = gradient.fit(&Logistic::new(), other.view(), &turned).unwrap().summary;
    assert!((one.error - two.error).abs() < 5e-3 && (one.violation - two.violation).abs() < 5e-3, "{one:?} {two:?}");
}

#[test]
fn slips_are_named() {
    let features = array![[0.0], [1.0], [2.0], [3.0]];
    let fit = |gradient: ExponentiatedGradient, rows: &Batch| {
        gradient.fit(&Logistic::new(), features.view(), rows).map(|f| f.summary).map_err(|e| e.to_string())
    };
    let rows = batch(&["a", "a", "b", "b"], &[0, 1, 0, 0], None);
    let error = fit(ExponentiatedGradient::new(Constraint::EqualOpportunity), &rows).unwrap_err();
    assert!(error.contains("`b`") && error.contains("favourable"), "{error}");
    let parity = || ExponentiatedGradient::new(Constraint::DemographicParity);
    assert!(fit(parity().slack(0.0), &rows).unwrap_err().contains("slack"));
    assert!(fit(parity().iterations(0), &rows).unwrap_err().contains("rounds"));
    assert!(fit(parity().attributes(["gg"]), &rows).unwrap_err().contains("`g`"));
    assert!(fit(ExponentiatedGradient::new(Constraint::BoundedGroupLoss(2.0)), &rows).unwrap_err().contains("loss"));
    let error = parity().fit(&Logistic::new(), array![[0.0]].view(), &rows).map(|f| f.summary).unwrap_err();
    assert!(error.to_string().contains("`features` has 1 rows"));
    // A group whose rows all have unknown labels.
    let unknown = batch(&["a", "a", "b", "b"], &[0, 1, 2, 2], None);
    assert!(fit(parity(), &unknown).unwrap_err().contains("`b`"));
    // One group is at parity with itself, and labels of one kind are learned by no model.
    let one = batch(&["a"; 4], &[0, 1, 0, 1], None);
    assert!(fit(parity(), &one).unwrap().violation.abs() < 1e-12);
    let constant = fit(parity(), &batch(&["a", "a", "b", "b"], &[0; 4], None)).unwrap();
    assert_eq!((constant.error, constant.fits), (0.0, 0));
}
