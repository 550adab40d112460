//! Cells with counts give the tally of the rows they stand for.

use evenhand::Error;
use evenhand::audit::AuditPlan;
use evenhand::data::{Batch, Categorical, Model, Segments, Top};
use evenhand::tally::{Accumulator, Cells, Limits, Tally};
use ndarray::Array2;
use proptest::prelude::*;

/// A distinct kind of row, how many there are, and the weight of each of them.
#[derive(Debug, Clone)]
struct Kind {
    sex: Option<u8>,
    region: u8,
    label: u8,
    decision: u8,
    score: Option<u8>,
    segment: Option<u8>,
    class: u8,
    rows: u64,
    weight: u8,
}

fn kind() -> impl Strategy<Value = Kind> {
    let who = (prop::option::of(0u8..3), 0u8..2, 0u8..3, 0u8..3);
    let what = (prop::option::of(0u8..5), prop::option::of(0u8..3), 0u8..2, 1u64..5, 0u8..9);
    (who, what).prop_map(|((sex, region, label, decision), (score, segment, class, rows, weight))| Kind {
        sex,
        region,
        label,
        decision,
        score,
        segment,
        class,
        rows,
        weight,
    })
}

/// What of the kinds is counted.
#[derive(Debug, Clone, Copy)]
struct Asked {
    scored: bool,
    segmented: bool,
    soft: bool,
    decided: bool,
}

fn level(code: Option<u8>) -> Option<String> {
    code.map(|c| format!("level {c}"))
}

/// The weights in eighths, so that every sum is exact.
fn weight(kind: &Kind) -> f64 {
    f64::from(kind.weight) / 8.0
}

fn batch(kinds: &[Kind], asked: Asked, weights: Option<&[f64]>) -> Batch<'static> {
    let all = |of: &dyn Fn(&Kind) -> u8| kinds.iter().map(of).collect::<Vec<u8>>();
    let mut batch = Batch::builder()
        .attribute(Categorical::from_options("sex", kinds.iter().map(|k| level(k.sex))))
        .stratum(Categorical::from_options("region", kinds.iter().map(|k| level(Some(k.region)))))
        .label(all(&|k| k.label));
    if asked.decided {
        batch = batch.decision(all(&|k| k.decision));
    }
    if asked.scored {
        let scores: Vec<Option<f64>> = kinds.iter().map(|k| k.score.map(|s| f64::from(s) / 4.0 - 0.5)).collect();
        batch = batch.model(Model::score("alone", &scores).score_named("s"));
        batch = batch.model(Model::threshold("cut", &scores, 0.25).score_named("s"));
    }
    if asked.segmented {
        let column = Categorical::from_options("tier", kinds.iter().map(|k| level(k.segment)));
        let classes = Categorical::from_options("class", kinds.iter().map(|k| level(Some(k.class))));
        batch = batch.segments(Segments::of(column).classes(classes));
    }
    if asked.soft {
        let shares = kinds.iter().flat_map(|k| [0.25 * f64::from(k.class), 1.0 - 0.25 * f64::from(k.class)]);
        let shares = Array2::from_shape_vec((kinds.len(), 2), shares.collect()).unwrap();
        batch = batch.segments(Segments::soft("mix", ["gold", "rest"], shares.view()).unwrap());
    }
    if let Some(weights) = weights {
        batch = batch.weight(weights.to_vec());
    }
    batch.build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn cells_count_as_their_rows(
        kinds in prop::collection::vec(kind(), 1..30),
        (scored, weighted, segmented, soft, decided) in any::<(bool, bool, bool, bool, bool)>(),
    ) {
        let asked = Asked { scored, segmented, soft, decided };
        let rows: Vec<Kind> = kinds.iter().flat_map(|k| vec![k.clone(); k.rows as usize]).collect();
        let weights: Vec<f64> = rows.iter().map(weight).collect();
        let of_rows = Tally::of(&batch(&rows, asked, weighted.then_some(&weights[..]))).unwrap();

        let counts: Vec<u64> = kinds.iter().map(|k| k.rows).collect();
        let sums: Vec<f64> = kinds.iter().map(|k| k.rows as f64 * weight(k)).collect();
        let squares: Vec<f64> = kinds.iter().map(|k| k.rows as f64 * weight(k) * weight(k)).collect();
        let mut cells = Cells::new(&counts);
        if weighted {
            cells = cells.weights(&sums, &squares);
        }
        let of_cells = Tally::of_cells(&batch(&kinds, asked, None), &cells).unwrap();
        prop_assert_eq!(&of_cells, &of_rows);
        prop_assert_eq!(of_cells.digest(), of_rows.digest());
        // What was counted can be taken out of the rows again.
        let mut left = of_rows;
        left.subtract(&of_cells).unwrap();
        prop_assert_eq!(left.rows(), 0);
    }
}

fn two(decision: [u8; 2]) -> Batch<'static> {
    Batch::builder().attribute(Categorical::from_values("sex", ["f", "m"])).decision(decision).build().unwrap()
}

#[test]
fn cells_that_nothing_has_are_refused_with_their_row() {
    let batch = two([0, 1]);
    let refused = |cells: Cells| Tally::of_cells(&batch, &cells).unwrap_err().to_string();
    let text = refused(Cells::new(&[3, 0]));
    assert!(text.contains("`rows`") && text.contains("row 2"), "{text}");
    for (sums, squares) in [
        ([2.0, 4.0], [2.0, 3.9]),
        ([2.0, 4.0], [2.0, 16.1]),
        ([2.0, 0.0], [2.0, 1.0]),
        ([2.0, f64::NAN], [2.0, 1.0]),
        ([2.0, -1.0], [2.0, 1.0]),
        ([2.0, 1.0], [2.0, f64::INFINITY]),
    ] {
        let text = refused(Cells::new(&[2, 4]).weights(&sums, &squares));
        assert!(text.contains("weight") && text.contains("row 2"), "{text}");
    }
    // All alike, all in one row, and none at all are what weights can be.
    for (sum, square) in [(4.0, 4.0), (4.0, 16.0), (0.0, 0.0)] {
        assert!(Tally::of_cells(&batch, &Cells::new(&[2, 4]).weights(&[2.0, sum], &[2.0, square])).is_ok());
    }
    let lengths = Tally::of_cells(&batch, &Cells::new(&[1]));
    assert!(matches!(lengths, Err(Error::UnequalLengths { rows: 1, expected: 2, .. })));
}

#[test]
fn counts_that_overflow_are_refused_and_change_nothing() {
    let mut all = Accumulator::new(Limits::default());
    all.update_cells(&two([0, 1]), &Cells::new(&[u64::MAX - 10, 3])).unwrap();
    assert!(matches!(all.update_cells(&two([0, 1]), &Cells::new(&[4, 4])), Err(Error::Mismatch { .. })));
    assert_eq!(all.finish().unwrap().unwrap().rows(), u64::MAX - 7);
    assert!(Tally::of_cells(&two([0, 1]), &Cells::new(&[u64::MAX, 1])).is_err());
}

#[test]
fn rows_that_stand_for_many_are_not_selected_among() {
    let sex = Categorical::from_values("sex", ["f", "m"]);
    let best = Model::top("best", [0.5, 0.7], Top::Count(1));
    let batch = Batch::builder().attribute(sex.clone()).model(best).build().unwrap();
    assert!(matches!(Tally::of_cells(&batch, &Cells::new(&[2, 2])), Err(Error::BadSetting { .. })));
    let weighted = Batch::builder().attribute(sex).decision([0, 1]).weight([1.0, 1.0]).build().unwrap();
    assert!(matches!(Tally::of_cells(&weighted, &Cells::new(&[2, 2])), Err(Error::BadSetting { .. })));
}

#[test]
fn rows_and_cells_go_into_one_tally() {
    let mut all = Accumulator::new(Limits::default());
    all.update(&two([0, 1])).unwrap();
    all.update_cells(&two([1, 1]), &Cells::new(&[5, 2])).unwrap();
    let tally = all.finish().unwrap().unwrap();
    let report = AuditPlan::new().evaluate(&tally).unwrap();
    assert_eq!(report.metric("selection_rate").unwrap().group("f").unwrap().value(), Ok(5.0 / 6.0));
}

#[test]
fn many_levels_are_counted_without_a_full_table() {
    let n = 3000u64;
    let column = |name: &str, by: u64| Categorical::from_values(name, (0..n).map(|i| format!("{}", i * by % n)));
    let batch = Batch::builder()
        .attribute(column("a", 1))
        .attribute(column("b", 7))
        .decision((0..n).map(|i| (i % 3) as u8).collect::<Vec<u8>>())
        .build()
        .unwrap();
    let ones = vec![1; n as usize];
    assert_eq!(Tally::of_cells(&batch, &Cells::new(&ones)).unwrap(), Tally::of(&batch).unwrap());
}
