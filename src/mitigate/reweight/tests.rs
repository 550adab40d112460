use proptest::prelude::*;

use super::*;
use crate::data::Categorical;

/// Codes of two attributes, a label, a weight.
type Row = (u8, u8, u8, f64);

/// One row a cell, which weighs as the cell does.
fn table(cells: &[(&str, u8, f64)]) -> Batch<'static> {
    Batch::builder()
        .attribute(Categorical::from_values("group", cells.iter().map(|c| c.0)))
        .label(cells.iter().map(|c| c.1).collect::<Vec<u8>>())
        .weight(cells.iter().map(|c| c.2).collect::<Vec<f64>>())
        .build()
        .unwrap()
}

fn factor(fitted: &CellWeights, levels: &[&str], favorable: bool) -> f64 {
    fitted.cells.iter().find(|c| c.levels == levels && c.favorable == favorable).unwrap().factor
}

#[test]
fn aif360_agrees() {
    // aif360 0.6.1, Reweighing of Adult's test rows by sex: counts, and sums of the rows' own weights.
    let cells = |of: [f64; 4]| [("Male", 1, of[0]), ("Male", 0, of[1]), ("Female", 1, of[2]), ("Female", 0, of[3])];
    for (of, theirs) in [
        (
            [5042.0, 11240.0, 890.0, 7219.0],
            [0.7853738652308839, 1.0962762430165376, 2.215893226411105, 0.8500976629026342],
        ),
        (
            [4998.0301, 11422.9489, 863.7446, 7106.2808],
            [0.7895863211628569, 1.0920650096123403, 2.2175519248164037, 0.8520106466550301],
        ),
    ] {
        let fitted = Reweight::new().fit(&table(&cells(of))).unwrap();
        for ((group, label, _), expected) in cells(of).into_iter().zip(theirs) {
            let found = factor(&fitted, &[group], label == 1);
            assert!((found / expected - 1.0).abs() < 1e-9, "{group} {label}: {found} {expected}");
        }
    }
}

#[test]
fn fair_balance_splits_every_group_in_half() {
    let batch = table(&[("a", 1, 10.0), ("a", 0, 30.0), ("b", 1, 45.0), ("b", 0, 15.0)]);
    let fitted = Reweight::new().scheme(Scheme::FairBalance).fit(&batch).unwrap();
    assert_eq!(factor(&fitted, &["a"], true), 2.0);
    assert_eq!(fitted.weights(&batch).unwrap(), [20.0, 20.0, 30.0, 30.0]);
    assert_eq!((fitted.gaps(), fitted.largest_factor), ([0.5, 0.0], 2.0));
}

#[test]
fn what_is_not_known_is_left_alone() {
    let batch = Batch::builder()
        .attribute(Categorical::from_options("sex", [Some("f"), Some("f"), Some("m"), Some("m"), None, Some("f")]))
        .attribute(Categorical::from_values("age", ["old"; 6]))
        .label([1, 0, 1, 0, 1, 2])
        .weight([1.0, 3.0, 3.0, 1.0, 7.0, 5.0])
        .build()
        .unwrap();
    let fitted = Reweight::new().fit(&batch).unwrap();
    assert_eq!(fitted.left_alone, 2);
    let close = |found: &[f64], expected: &[f64]| found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12);
    assert!(close(&fitted.weights(&batch).unwrap(), &[2.0, 2.0, 2.0, 2.0, 7.0, 5.0]));
    assert_eq!(factor(&fitted, &["f", "old"], true), 2.0);
    // By name, whatever the order of levels and attributes in other rows.
    let other = Batch::builder()
        .attribute(Categorical::from_codes("age", ["young", "old"], vec![1u8, 1]).unwrap())
        .attribute(Categorical::from_codes("sex", ["m", "f"], vec![0u8, 1]).unwrap())
        .label([0, 1])
        .build()
        .unwrap();
    assert!(close(&fitted.weights(&other).unwrap(), &[2.0, 2.0]));
    let text = serde_json::to_string(&fitted).unwrap();
    assert_eq!(serde_json::from_str::<CellWeights>(&text).unwrap(), fitted);
}

#[test]
fn slips_are_named() {
    let fit = |cells: &[(&str, u8, f64)]| Reweight::new().fit(&table(cells)).map_err(|e| e.to_string()).unwrap_err();
    assert!(
        fit(&[("a", 1, 1.0), ("a", 0, 1.0), ("b", 0, 1.0)]).contains("`b` has no weighted row with a favourable label")
    );
    assert!(fit(&[("a", 1, 1.0), ("a", 0, 0.0), ("b", 0, 1.0), ("b", 1, 1.0)]).contains("`a`"));
    assert!(fit(&[("a", 1, 0.0), ("b", 0, 0.0)]).contains("no row has a known group"));
    let batch = table(&[("a", 1, 1.0), ("a", 0, 1.0)]);
    let error = Reweight::new().attributes(["grup"]).fit(&batch).unwrap_err().to_string();
    assert!(error.contains("`grup`") && error.contains("group"), "{error}");
    let fitted = Reweight::new().fit(&batch).unwrap();
    let error = fitted.weights(&table(&[("a", 1, 1.0), ("new", 0, 1.0)])).unwrap_err().to_string();
    assert!(error.contains("`new`") && error.contains("row 2"), "{error}");
    // What weighs nothing needs no factor.
    assert_eq!(fitted.weights(&table(&[("a", 1, 1.0), ("new", 0, 0.0)])).unwrap(), [1.0, 0.0]);
}

proptest! {
    #[test]
    fn groups_and_labels_become_independent(
        rows in prop::collection::vec((0u8..3, 0u8..2, 0u8..2, 0.1f64..9.0), 1..200),
        scale in 0.01f64..100.0,
    ) {
        // Every cell has a row.
        let every = (0..12u8).map(|i| (i % 3, i / 3 % 2, i / 6, 0.5));
        let rows: Vec<Row> = rows.into_iter().chain(every).collect();
        let batch = |scale: f64| {
            Batch::builder()
                .attribute(Categorical::from_codes("a", ["x", "y", "z"], rows.iter().map(|r| r.0).collect::<Vec<_>>()).unwrap())
                .attribute(Categorical::from_codes("b", ["p", "q"], rows.iter().map(|r| r.1).collect::<Vec<_>>()).unwrap())
                .label(rows.iter().map(|r| r.2).collect::<Vec<_>>())
                .weight(rows.iter().map(|r| r.3 * scale).collect::<Vec<_>>())
                .build()
                .unwrap()
        };
        for scheme in [Scheme::KamiranCalders, Scheme::FairBalance] {
            let fitted = Reweight::new().scheme(scheme).fit(&batch(1.0)).unwrap();
            let weights = fitted.weights(&batch(1.0)).unwrap();
            let sum = |keep: &dyn Fn(&Row) -> bool, of: &dyn Fn(usize) -> f64| -> f64 {
                (0..rows.len()).filter(|i| keep(&rows[*i])).map(of).sum()
            };
            let (new, old) = (|i: usize| weights[i], |i: usize| rows[i].3);
            let rate = sum(&|r| r.2 == 1, &new) / sum(&|_| true, &new);
            let expected = match scheme {
                Scheme::KamiranCalders => sum(&|r| r.2 == 1, &old) / sum(&|_| true, &old),
                _ => 0.5,
            };
            prop_assert!((rate - expected).abs() < 1e-12);
            for group in 0..6u8 {
                let own = |r: &Row| (r.0, r.1) == (group % 3, group / 3);
                let whole = sum(&own, &new);
                prop_assert!((sum(&|r| own(r) && r.2 == 1, &new) / whole - expected).abs() < 1e-12);
                prop_assert!((whole / sum(&own, &old) - 1.0).abs() < 1e-12);
            }
            prop_assert!(fitted.gaps()[1] < 1e-12);
            let squares: f64 = weights.iter().map(|w| w * w).sum();
            let total: f64 = weights.iter().sum();
            prop_assert!((fitted.effective_size / (total * total / squares) - 1.0).abs() < 1e-9);
            // The scale of weights changes no factor.
            let scaled = Reweight::new().scheme(scheme).fit(&batch(scale)).unwrap();
            for (one, other) in fitted.cells.iter().zip(&scaled.cells) {
                prop_assert!((one.factor / other.factor - 1.0).abs() < 1e-9);
            }
        }
    }
}
