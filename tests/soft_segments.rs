//! Rows that are in several segments by parts.

use evenhand::Error;
use evenhand::audit::AuditPlan;
use evenhand::data::{Batch, Categorical, Segments};
use evenhand::report::{ModelReport, Report};
use evenhand::tally::Tally;
use ndarray::Array2;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

const SEGMENTS: [&str; 3] = ["basic", "gold", "silver"];

fn sexes(rows: usize) -> Categorical<'static> {
    Categorical::from_values("sex", (0..rows).map(|i| if i % 3 == 0 { "m" } else { "f" }))
}

fn soft(shares: &Array2<f64>, weight: Option<&[f64]>) -> Batch<'static> {
    let segments = Segments::soft("tier", SEGMENTS, shares.view()).unwrap().values([
        ("basic", 0.0),
        ("gold", 9.0),
        ("silver", 2.0),
    ]);
    let batch = Batch::builder().attribute(sexes(shares.nrows())).segments(segments);
    match weight {
        Some(weight) => batch.weight(weight.to_vec()).build().unwrap(),
        None => batch.build().unwrap(),
    }
}

/// Shares of random rows.
fn shares(rows: usize, seed: u64) -> Array2<f64> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut shares = Array2::zeros((rows, 3));
    for mut row in shares.rows_mut() {
        let drawn: [f64; 3] = std::array::from_fn(|_| random.r#gen::<f64>().powi(3));
        let sum: f64 = drawn.iter().sum();
        row.iter_mut().zip(drawn).for_each(|(to, from)| *to = from / sum);
    }
    shares
}

fn share(model: &ModelReport, group: &str) -> f64 {
    model.table("sex").unwrap().groups.iter().find(|g| g.group == group).unwrap().metrics["selection_rate"]
        .value
        .unwrap()
}

fn run(batch: &Batch) -> Report {
    AuditPlan::new().replicates(50).run(batch).unwrap()
}

#[test]
fn shares_of_none_and_all_are_plain_segments() {
    let codes: Vec<usize> = (0..60).map(|i| i * i % 7 % 3).collect();
    let mut whole = Array2::zeros((60, 3));
    codes.iter().enumerate().for_each(|(row, code)| whole[[row, *code]] = 1.0);
    let column = Categorical::from_values("tier", codes.iter().map(|c| SEGMENTS[*c]));
    let segments = Segments::of(column).values([("basic", 0.0), ("gold", 9.0), ("silver", 2.0)]);
    let hard = run(&Batch::builder().attribute(sexes(60)).segments(segments).build().unwrap());
    let by_parts = run(&soft(&whole, None));
    for (a, b) in hard.models.iter().zip(&by_parts.models) {
        assert_eq!((&a.model, &a.tables, &a.overall), (&b.model, &b.tables, &b.overall));
    }
    assert_eq!(by_parts.data.rows, 60);
    assert!(by_parts.models[0].notes.iter().any(|n| n.contains("by parts")), "{:?}", by_parts.models[0].notes);
}

#[test]
fn shares_are_the_mean_of_the_rows() {
    let shares = shares(90, 1);
    let weight: Vec<f64> = (0..90).map(|i| 1.0 + f64::from(i % 4)).collect();
    for weight in [None, Some(weight.as_slice())] {
        let report = run(&soft(&shares, weight));
        for (at, segment) in SEGMENTS.iter().enumerate() {
            for (group, of) in [("m", 0), ("f", 1)] {
                let rows = (0..90).filter(|i| usize::from(i % 3 != 0) == of);
                let w = |i: usize| weight.map_or(1.0, |w| w[i]);
                let (sum, all) = rows.fold((0.0, 0.0), |(s, a), i| (s + w(i) * shares[[i, at]], a + w(i)));
                let found = share(report.model(&format!("tier = {segment}")).unwrap(), group);
                assert!((found - sum / all).abs() < 2e-6, "{segment} {group}: {found} {}", sum / all);
            }
        }
        let women = &report.models[0].table("sex").unwrap().groups[0];
        assert_eq!((women.group.as_str(), women.rows), ("f", 60));
        assert!((women.metrics["mean_benefit"].support.rows - 60.0).abs() < 1e-9);
    }
}

#[test]
fn parts_merge_subtract_and_keep() {
    let (first, second) = (shares(40, 2), shares(31, 3));
    let mut both = Tally::of(&soft(&first, None)).unwrap();
    let (one, other) = (both.clone(), Tally::of(&soft(&second, None)).unwrap());
    both.merge(&other).unwrap();
    assert_eq!(both.rows(), 71);
    assert_eq!(Tally::from_json(&both.to_json().unwrap()).unwrap(), both);
    both.subtract(&other).unwrap();
    assert_eq!(AuditPlan::new().evaluate(&both).unwrap(), AuditPlan::new().evaluate(&one).unwrap());
    let plain = Categorical::from_values("tier", ["gold", "basic", "silver"]);
    let hard = Tally::of(&Batch::builder().attribute(sexes(3)).segments(Segments::of(plain)).build().unwrap()).unwrap();
    assert!(both.merge(&hard).is_err());
}

#[test]
fn rows_without_shares_are_in_no_segment_and_wrong_ones_are_named() {
    let mut missing = shares(12, 4);
    missing.row_mut(5).fill(f64::NAN);
    let report = run(&soft(&missing, None));
    let gold = report.model("tier = gold").unwrap();
    assert_eq!(gold.coverage.missing_decisions, Some(1));
    let mut wrong = shares(12, 4);
    wrong[[7, 1]] += 0.5;
    let error = Segments::soft("tier", SEGMENTS, wrong.view()).unwrap_err();
    assert!(error.to_string().contains("row 8") && error.to_string().contains("add up to 1"), "{error}");
    let error = Segments::soft("tier", ["a", "b"], wrong.view()).unwrap_err();
    assert!(matches!(error, Error::Mismatch { .. }), "{error}");
    assert!(Segments::soft("tier", ["a", "b", "a"], shares(2, 5).view()).is_err());
}

#[test]
fn intervals_hold_the_mean_share_at_least_as_often_as_they_say() {
    // E[u³ / Σ u³] is a third for each segment.
    let draws = 300;
    let held = (0..draws).filter(|seed| {
        let batch = soft(&shares(60, 100 + seed), None);
        let report = AuditPlan::new().replicates(10).run(&batch).unwrap();
        let (low, high) = report
            .model("tier = gold")
            .unwrap()
            .metric("selection_rate")
            .unwrap()
            .overall()
            .unwrap()
            .interval()
            .unwrap();
        low <= 1.0 / 3.0 && 1.0 / 3.0 <= high
    });
    let held = held.count();
    assert!(held >= draws as usize * 95 / 100, "{held} of {draws}");
}
