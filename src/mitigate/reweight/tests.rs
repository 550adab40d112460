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
    assert_eq!((fitted.gaps(), fitted.diagnostics.largest_factor), ([0.5, 0.0], 2.0));
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
            prop_assert!((fitted.diagnostics.effective_size / (total * total / squares) - 1.0).abs() < 1e-9);
            // The scale of weights changes no factor.
            let scaled = Reweight::new().scheme(scheme).fit(&batch(scale)).unwrap();
            for (one, other) in fitted.cells.iter().zip(&scaled.cells) {
                prop_assert!((one.factor / other.factor - 1.0).abs() < 1e-9);
            }
        }
    }
}

/// Rows of two regions, whose label rates differ, and two groups.
fn regions() -> Batch<'static> {
    // Women are many in the south, where few respond; within a region they respond as men do, but for a little.
    let cells = [
        ("n", "f", 1, 12),
        ("n", "f", 0, 8),
        ("n", "m", 1, 50),
        ("n", "m", 0, 30),
        ("s", "f", 1, 10),
        ("s", "f", 0, 70),
        ("s", "m", 1, 4),
        ("s", "m", 0, 16),
    ];
    let rows: Vec<_> = cells.iter().flat_map(|cell| std::iter::repeat_n(*cell, cell.3)).collect();
    Batch::builder()
        .attribute(Categorical::from_values("sex", rows.iter().map(|r| r.1)))
        .stratum(Categorical::from_values("region", rows.iter().map(|r| r.0)))
        .label(rows.iter().map(|r| r.2 as u8).collect::<Vec<u8>>())
        .build()
        .unwrap()
}

#[test]
fn within_strata_groups_are_balanced_and_strata_stay_as_they_are() {
    let batch = regions();
    let fitted = Reweight::new().within(["region"]).fit(&batch).unwrap();
    assert!(fitted.gaps()[0] > 0.07 && fitted.gaps()[1] < 1e-12, "{:?}", fitted.gaps());
    // P(f|n) P(1|n) / P(f, 1|n) = (20/100) (62/100) / (12/100).
    let cell = fitted.cells.iter().find(|c| c.levels == ["f", "n"] && c.favorable).unwrap();
    assert!((cell.factor - 0.2 * 0.62 / 0.12).abs() < 1e-12);
    // The north keeps the rate it had, and so its distance from the south.
    let north = fitted.groups.iter().find(|g| g.stratum.as_deref() == Some("n")).unwrap();
    assert!((north.after - 0.62).abs() < 1e-12);
    let weights = fitted.weights(&batch).unwrap();
    assert!((weights.iter().sum::<f64>() - 200.0).abs() < 1e-9);
    assert!(Reweight::new().within(["regoin"]).fit(&batch).unwrap_err().to_string().contains("`region`"));
}

#[test]
fn raking_meets_its_margins() {
    // Deming and Stephan's way by hand for [[10, 20], [30, 40]] to rows 60, 40 and columns 50, 50.
    let cells = [("a", "x", 10.0), ("a", "y", 20.0), ("b", "x", 30.0), ("b", "y", 40.0)];
    let batch = Batch::builder()
        .attribute(Categorical::from_values("row", cells.iter().map(|c| c.0)))
        .attribute(Categorical::from_values("column", cells.iter().map(|c| c.1)))
        .label([0, 0, 0, 1])
        .weight(cells.iter().map(|c| c.2).collect::<Vec<f64>>())
        .build()
        .unwrap();
    let rake = |rake: Rake| rake.fit(&batch);
    let asked = Rake::new().margin(["row"], [("a", 0.6), ("b", 0.4)]).margin(["column"], [("y", 0.5), ("x", 0.5)]);
    let fitted = rake(asked).unwrap();
    let weights = fitted.weights(&batch).unwrap();
    for (found, expected) in weights.iter().zip([27.576507, 32.423493, 22.423493, 17.576507]) {
        assert!((found - expected).abs() < 1e-6, "{weights:?}");
    }
    assert!(fitted.shares.iter().all(|s| (s.after / s.wanted - 1.0).abs() < 1e-9));
    let text = serde_json::to_string(&fitted).unwrap();
    assert_eq!(serde_json::from_str::<RakedWeights>(&text).unwrap(), fitted);
    // Combinations, and the label.
    let both = [("a & x", 0.25), ("a & y", 0.25), ("b & x", 0.25), ("b & y", 0.25)];
    let fitted = rake(Rake::new().margin(["row", "column"], both)).unwrap();
    assert!(fitted.weights(&batch).unwrap().iter().all(|w| (w - 25.0).abs() < 1e-9));
    let fitted = rake(Rake::new().favorable(0.7).margin(["row"], [("a", 0.2), ("b", 0.8)])).unwrap();
    let weights = fitted.weights(&batch).unwrap();
    assert!((weights[3] - 70.0).abs() < 1e-6 && (weights[0] + weights[1] - 20.0).abs() < 1e-6, "{weights:?}");

    let fails = |asked: Rake| rake(asked).unwrap_err().to_string();
    assert!(fails(Rake::new()).contains("needs a margin"));
    assert!(fails(Rake::new().margin(["row"], [("a", 0.6), ("b", 0.6)])).contains("sum of the shares of `row` is 1.2"));
    assert!(fails(Rake::new().margin(["row"], [("a", 1.0)])).contains("`b` has rows"));
    assert!(fails(Rake::new().margin(["row"], [("a", 0.5), ("b", 0.3), ("c", 0.2)])).contains("`c`"));
    assert!(fails(Rake::new().margin(["rows"], [("a", 1.0)])).contains("`row`"));
    // All favourable rows are b's: more of them than of b there cannot be.
    let error = fails(Rake::new().favorable(0.7).margin(["row"], [("a", 0.5), ("b", 0.5)]));
    assert!(error.contains("cannot be kept") && error.contains("label"), "{error}");
}

#[test]
fn rows_of_unknown_levels_are_left_alone_by_raking() {
    let batch = Batch::builder()
        .attribute(Categorical::from_options("sex", [Some("f"), Some("m"), Some("m"), None]))
        .label([0, 1, 0, 1])
        .build()
        .unwrap();
    let fitted = Rake::new().margin(["sex"], [("f", 0.5), ("m", 0.5)]).fit(&batch).unwrap();
    assert_eq!(fitted.left_alone, 1);
    assert_eq!(fitted.weights(&batch).unwrap(), [1.5, 0.75, 0.75, 1.0]);
    let other = Batch::builder().attribute(Categorical::from_values("sex", ["m", "x"])).label([0, 1]).build().unwrap();
    let error = fitted.weights(&other).unwrap_err().to_string();
    assert!(error.contains("`x`") && error.contains("row 2"), "{error}");
}

#[test]
fn entropy_balancing_agrees_with_published_vectors() {
    use ndarray::{Array2, array};
    let x = array![[0.0], [1.0], [2.0], [3.0]];
    let close = |found: &[f64], expected: &[f64]| found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 4e-6);
    let free = balance(None, x.view(), &[("x", 1.2)], None).unwrap();
    assert!(close(&free.weights, &[0.347440, 0.272208, 0.213266, 0.167087].map(|w| 4.0 * w)), "{:?}", free.weights);
    let bounded = balance(None, x.view(), &[("x", 1.2)], Some((0.5, 2.0))).unwrap();
    assert!(close(&bounded.weights, &[1.390467, 1.093880, 0.840839, 0.674814]), "{:?}", bounded.weights);
    // A moment said twice, and one that is constant, change nothing.
    let twice: Array2<f64> = array![[0.0, 0.0, 1.0], [1.0, 2.0, 1.0], [2.0, 4.0, 1.0], [3.0, 6.0, 1.0]];
    let same = balance(None, twice.view(), &[("x", 1.2), ("2x", 2.4), ("one", 1.0)], None).unwrap();
    assert!(close(&same.weights, &free.weights), "{:?}", same.weights);
    // Rows repeated are rows of twice the weight.
    let weighted = balance(Some(&[2.0, 1.0, 1.0, 1.0]), x.view(), &[("x", 1.2)], None).unwrap();
    let repeated = array![[0.0], [0.0], [1.0], [2.0], [3.0]];
    let repeated = balance(None, repeated.view(), &[("x", 1.2)], None).unwrap();
    assert!(close(&weighted.weights[1..], &repeated.weights[2..]));

    let fails = |moments: &Array2<f64>, wanted: &[(&str, f64)], bounds| {
        balance(None, moments.view(), wanted, bounds).unwrap_err().to_string()
    };
    let error = fails(&x, &[("x", 2.9)], Some((0.5, 2.0)));
    assert!(error.contains("`x`") && error.contains("widen the bounds"), "{error}");
    let error = fails(&twice, &[("x", 1.2), ("2x", 2.5), ("one", 1.0)], None);
    assert!(error.contains("together"), "{error}");
    assert!(fails(&twice, &[("x", 1.2), ("2x", 2.4), ("one", 2.0)], None).contains("`one`"));
    assert!(fails(&x, &[("x", 1.2)], Some((1.5, 2.0))).contains("bounds"));
    assert!(fails(&array![[f64::NAN]], &[("x", 1.2)], None).contains("row 1"));
    assert!(balance(Some(&[0.0; 4]), x.view(), &[("x", 1.2)], None).unwrap_err().to_string().contains("weight"));
}

#[test]
fn who_is_observed_stands_for_the_others() {
    let batch = regions();
    // In the north a half is observed, in the south a quarter.
    let region = &batch.strata[0];
    let observed: Vec<bool> =
        (0..batch.rows()).map(|row| row % if region.codes().get(row) == Some(0) { 2 } else { 4 } == 0).collect();
    let fitted = InverseProbability::new().within(["region"]).fit(&batch, &observed).unwrap();
    assert_eq!(fitted.cells.iter().map(|c| c.factor).collect::<Vec<_>>(), [2.0, 4.0]);
    assert!((fitted.weights.iter().sum::<f64>() - 200.0).abs() < 1e-9);
    let stable = InverseProbability::new().within(["region"]).stabilized(true).fit(&batch, &observed).unwrap();
    assert!((stable.weights.iter().sum::<f64>() - 75.0).abs() < 1e-9);
    let cut = InverseProbability::new().within(["region"]).largest_factor(3.0).fit(&batch, &observed).unwrap();
    assert_eq!((cut.cut, cut.cells[1].factor), (1, 3.0));
    let probabilities: Vec<f64> =
        (0..batch.rows()).map(|row| if region.codes().get(row) == Some(0) { 0.5 } else { 0.25 }).collect();
    let given = InverseProbability::new().with_probabilities(&batch, &observed, &probabilities).unwrap();
    assert_eq!(given.weights, fitted.weights);

    let nobody: Vec<bool> = (0..batch.rows()).map(|row| region.codes().get(row) == Some(0)).collect();
    let error = InverseProbability::new().within(["region"]).fit(&batch, &nobody).unwrap_err().to_string();
    assert!(error.contains("100 rows of `s`"), "{error}");
    assert!(InverseProbability::new().fit(&batch, &[true]).is_err());
    let zero = vec![0.0; batch.rows()];
    assert!(
        InverseProbability::new()
            .with_probabilities(&batch, &observed, &zero)
            .unwrap_err()
            .to_string()
            .contains("row 1")
    );
}

#[test]
fn weights_reach_a_learner_or_its_rows() {
    use linfa::Dataset;
    use ndarray::array;
    let dataset = Dataset::new(array![[1.0], [2.0], [3.0]], array![false, true, true]).with_feature_names(vec!["x"]);
    let drawn = resampled(&dataset, &[1.0, 0.0, 3.0], Some(400), 3).unwrap();
    let count = |x: f64| drawn.records().iter().filter(|r| **r == x).count();
    assert_eq!((count(1.0), count(2.0), count(3.0)), (100, 0, 300));
    assert_eq!(drawn.targets().iter().filter(|t| **t).count(), 300);
    assert_eq!(drawn.feature_names(), ["x"]);
    assert!(weighted(dataset.clone(), &[1.0]).unwrap_err().to_string().contains("`weight` has 1 rows"));
    assert!(resampled(&dataset, &[0.0; 3], None, 3).unwrap_err().to_string().contains("no row has a weight"));
    assert!(resample(&[1.0, f64::NAN], 3, 1).unwrap_err().to_string().contains("row 2"));
    assert!(resample(&[], 0, 1).unwrap_err().to_string().contains("nothing"));
}

proptest! {
    #[test]
    fn systematic_draws_are_as_near_to_expected_as_whole_rows_can_be(
        weights in prop::collection::vec(prop_oneof![Just(0.0), 1e-6f64..1e6], 1..60),
        rows in 0usize..500,
        seed in 0u64..1000,
        scale in 1e-50f64..1e50,
    ) {
        prop_assume!(weights.iter().any(|w| *w > 0.0));
        let drawn = times(&weights, rows, seed).unwrap();
        prop_assert_eq!(drawn.iter().map(|t| *t as usize).sum::<usize>(), rows);
        let sum: f64 = weights.iter().sum();
        for (times, weight) in drawn.iter().zip(&weights) {
            let expected = rows as f64 * weight / sum;
            prop_assert!((f64::from(*times) - expected).abs() < 1.0 + 1e-6, "{} {}", times, expected);
            prop_assert!(*weight > 0.0 || *times == 0);
        }
        let scaled: Vec<f64> = weights.iter().map(|w| w * scale).collect();
        let rounded = times(&scaled, rows, seed).unwrap();
        // The scale changes nothing but what rounding decides.
        let moved: i64 = rounded.iter().zip(&drawn).map(|(a, b)| (i64::from(*a) - i64::from(*b)).abs()).sum();
        prop_assert!(moved <= 2, "{}", moved);
        let mut all = resample(&weights, rows, seed).unwrap();
        all.sort_unstable();
        let again: Vec<usize> =
            drawn.iter().enumerate().flat_map(|(row, times)| std::iter::repeat_n(row, *times as usize)).collect();
        prop_assert_eq!(all, again);
    }
}
