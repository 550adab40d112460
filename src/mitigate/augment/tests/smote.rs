use super::super::smote::mode;
use super::*;
use crate::data::UNKNOWN;
use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};

#[test]
fn new_rows_lie_between_their_parents_and_levels_come_from_them() {
    let (table, batch) = customers(400, 1);
    for augment in [Augment::smote(), Augment::mixup(0.4)] {
        let result = augment.label_column("responded").fit_resample(&table, &batch).unwrap();
        assert!(result.record.new_rows() > 100);
        for (row, origin) in result.record.origin.iter().enumerate().skip(400) {
            let Origin::Between { rows: [a, b], share } = *origin else { panic!("{origin:?}") };
            for column in ["spend", "visits"] {
                let values = numbers(&result.table, column);
                let (low, high) = (values[a].min(values[b]), values[a].max(values[b]));
                assert!((low..=high).contains(&values[row]));
                let exact = values[a] + share * (values[b] - values[a]);
                assert!((values[row] - exact).abs() <= if column == "visits" { 0.5 } else { 1e-9 });
            }
            assert_eq!(numbers(&result.table, "visits")[row].fract(), 0.0);
            for column in ["plan", "channel"] {
                let levels = levels(&result.table, column);
                assert!(levels[row] == levels[a] || levels[row] == levels[b]);
            }
            assert_eq!(levels(&result.table, "sex")[row], levels(&result.table, "sex")[a]);
        }
    }
}

#[test]
fn parents_are_near_rows_of_the_same_cell() {
    let (table, batch) = customers(300, 2);
    let result = Augment::smote().label_column("responded").neighbors(2).fit_resample(&table, &batch).unwrap();
    let cell = |row: usize| {
        let of = |a: &Categorical| a.codes().get(row);
        (result.attributes.iter().map(of).collect::<Vec<_>>(), result.labels[row])
    };
    let (spend, visits) = (numbers(&table, "spend"), numbers(&table, "visits"));
    for (row, origin) in result.record.origin.iter().enumerate().skip(300) {
        let Origin::Between { rows: [a, b], .. } = *origin else { panic!("{origin:?}") };
        assert!(cell(a) == cell(b) && cell(a) == cell(row) && result.labels[row] != UNKNOWN);
        let own: Vec<usize> = (0..300).filter(|other| cell(*other) == cell(a)).collect();
        let deviation = |values: &[f64]| {
            let mean = own.iter().map(|r| values[*r]).sum::<f64>() / own.len() as f64;
            (own.iter().map(|r| (values[*r] - mean).powi(2)).sum::<f64>() / own.len() as f64).sqrt()
        };
        let (s, v) = (deviation(spend), deviation(visits));
        let square = |o: usize| ((spend[a] - spend[o]) / s).powi(2) + ((visits[a] - visits[o]) / v).powi(2);
        let nearer = own.iter().filter(|o| **o != a && square(**o) < square(b) - 1e-12).count();
        assert!(nearer < 2);
    }
}

#[test]
fn every_row_is_a_parent_equally_often() {
    let (table, batch) = customers(300, 3);
    let target = Target::counts([(["f", "north"], true, 103)]);
    let result = Augment::smote().label_column("responded").target(target).fit_resample(&table, &batch).unwrap();
    let cell = result.record.cells.iter().find(|c| c.after == 103).unwrap();
    let mut counts = std::collections::HashMap::new();
    for origin in &result.record.origin {
        if let Origin::Between { rows: [a, _], .. } = origin {
            *counts.entry(*a).or_insert(0) += 1;
        }
    }
    let floor = (103 - cell.before) / cell.before;
    assert_eq!(counts.len(), cell.before);
    assert!(counts.values().all(|n| *n == floor || *n == floor + 1));
}

#[test]
fn the_nearest_vote_for_levels() {
    // By hand: the row at 0 has at its sides, each with one level that differs or none,
    // 1 (a), 2 (b), 3 (b), 20 (c). Standard deviation 7.4: a level that differs counts as 7.4.
    let table = Table::new(vec![
        ("x".into(), Column::Number(vec![0.0, 1.0, 2.0, 3.0, 20.0])),
        ("kind".into(), Column::Level(Categorical::from_values("kind", ["a", "a", "b", "b", "c"]))),
    ])
    .unwrap();
    let region = Categorical::from_values("region", ["n"; 5]);
    let batch = Batch::builder().attribute(region).label([1; 5]).build().unwrap();
    let smote = |k| {
        let target = Target::counts([(["n"], true, 30)]);
        let smote = Augment::smote_nc().neighbors(k).standardize(false).target(target);
        smote.fit_resample(&table, &batch).unwrap()
    };
    let of_base = |result: &Augmented, base: usize| -> Vec<(usize, String)> {
        let kinds = levels(&result.table, "kind");
        let rows = result.record.origin.iter().enumerate();
        rows.filter_map(|(row, origin)| match origin {
            Origin::Between { rows: [a, b], .. } if *a == base => Some((*b, kinds[row].clone().unwrap())),
            _ => None,
        })
        .collect()
    };
    // One neighbour: that of the same kind, though the row at 2 is as near to the row at 1.
    assert!(of_base(&smote(1), 1).iter().all(|(b, kind)| *b == 0 && kind == "a"));
    assert!(of_base(&smote(1), 2).iter().all(|(b, kind)| *b == 3 && kind == "b"));
    // Two of three nearest to the row at 0 are b.
    let three = of_base(&smote(3), 0);
    assert!(!three.is_empty() && three.iter().all(|(b, kind)| *b < 4 && kind == "b"));
    // One each of its two nearest: its own.
    assert!(of_base(&smote(2), 0).iter().all(|(_, kind)| kind == "a"));
}

#[test]
fn neighbours_of_mixed_rows_are_imbalanced_learns() {
    let table = Table::new(vec![
        ("x".into(), Column::Number((0..12).map(|i| f64::from(i * 7 % 11) + f64::from(i) / 10.0).collect())),
        ("y".into(), Column::Number((0..12).map(|i| f64::from(i * 5 % 13).powf(1.5) / 4.0).collect())),
        ("kind".into(), Column::Level(Categorical::from_keys("kind", (0..12).map(|i| i * i % 3)))),
    ])
    .unwrap();
    let region = Categorical::from_values("region", ["n"; 12]);
    let batch = Batch::builder().attribute(region).label([1; 12]).build().unwrap();
    let target = Target::counts([(["n"], true, 2000)]);
    let smote = Augment::smote_nc().neighbors(3).standardize(false).target(target);
    let mut near = vec![std::collections::BTreeSet::new(); 12];
    for origin in &smote.fit_resample(&table, &batch).unwrap().record.origin {
        if let Origin::Between { rows: [a, b], .. } = *origin {
            near[a].insert(b);
        }
    }
    // imbalanced-learn 0.14.2, the fitted neighbours of SMOTENC(k_neighbors=3), each row's in order of number.
    let peer = [
        1, 8, 11, 4, 7, 9, 5, 7, 10, 1, 6, 9, 1, 7, 9, 2, 7, 10, 1, 3, 9, 2, 4, 10, 0, 1, 11, 1, 3, 6, 2, 5, 7, 0, 1, 8,
    ];
    assert_eq!(near.into_iter().flatten().collect::<Vec<_>>(), peer);
}

#[test]
fn ties_of_the_vote_go_to_the_own_level_then_to_the_first() {
    assert_eq!(mode(2, &mut [2, 1, 1, 2, 0]), 2);
    assert_eq!(mode(3, &mut [2, 1, 1, 2, 0]), 1);
    assert_eq!(mode(0, &mut [u32::MAX, u32::MAX, 1]), u32::MAX);
}

#[test]
fn crossed_rows_stay_in_the_range_of_their_cell() {
    let (table, batch) = customers(400, 4);
    let result = Augment::fair_smote().label_column("responded").fit_resample(&table, &batch).unwrap();
    assert!(result.record.cells.windows(2).all(|c| c[0].after == c[1].after));
    let (mut changed, mut new) = (0.0, 0.0);
    for (row, origin) in result.record.origin.iter().enumerate().skip(400) {
        let Origin::Crossed { rows: [x, a, b] } = *origin else { panic!("{origin:?}") };
        assert!(x != a && a != b && x != b);
        let spend = numbers(&result.table, "spend");
        let moved = spend[x] + 0.8 * (spend[a] - spend[b]);
        let cell =
            |r: usize| (result.attributes.iter().map(|c| c.codes().get(r)).collect::<Vec<_>>(), result.labels[r]);
        let own = (0..400).filter(|r| cell(*r) == cell(x)).map(|r| spend[r]);
        let (low, high) = own.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
        let is_moved = (spend[row] - moved.clamp(low, high)).abs() < 1e-9;
        assert!(is_moved || spend[row] == spend[x]);
        assert_eq!(numbers(&result.table, "visits")[row].fract(), 0.0);
        let plan = levels(&result.table, "plan");
        assert!([x, a, b].iter().any(|parent| plan[*parent] == plan[row]));
        changed += f64::from(u8::from(is_moved));
        new += 1.0;
    }
    assert!((changed / new - 0.8f64).abs() < 4.5 * f64::sqrt(0.16 / new));
}

#[test]
fn shares_are_uniform_and_mixed_ones_fold_beta() {
    let (table, batch) = customers(400, 5);
    let shares = |augment: Augment| {
        let target = Target::counts([(["f", "north"], true, 20_000)]);
        let result = augment.label_column("responded").target(target).fit_resample(&table, &batch).unwrap();
        let share = |o: &Origin| if let Origin::Between { share, .. } = o { Some(*share) } else { None };
        result.record.origin.iter().filter_map(share).collect::<Vec<f64>>()
    };
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    assert!((mean(&shares(Augment::smote())) - 0.5).abs() < 0.01);
    let mixed = shares(Augment::mixup(1.0)); // uniform, folded: uniform on [0, 1/2]
    assert!(mixed.iter().all(|s| (0.0..=0.5).contains(s)) && (mean(&mixed) - 0.25).abs() < 0.006);
    // 12 times the integral of x^2 (1 - x) up to 1/2.
    assert!((mean(&shares(Augment::mixup(2.0))) - 0.3125).abs() < 0.006);
}

#[test]
fn mixed_rows_have_a_parent_in_another_group() {
    let (table, batch) = customers(300, 6);
    let result = Augment::mixup(0.3).label_column("responded").fit_resample(&table, &batch).unwrap();
    for origin in &result.record.origin[300..] {
        let Origin::Between { rows: [a, b], .. } = *origin else { panic!("{origin:?}") };
        let group = |r: usize| result.attributes.iter().map(|c| c.codes().get(r)).collect::<Vec<_>>();
        assert!(group(a) != group(b) && result.labels[a] == result.labels[b]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_customers_stay_valid(rows in 32usize..120, seed in 0u64..1000, k in 2usize..9) {
        let (table, batch) = customers(rows, seed);
        for augment in makers() {
            let result = augment.neighbors(k).seed(seed).fit_resample(&table, &batch).unwrap();
            let (kept, new) = (rows - result.record.removed.len(), result.record.new_rows());
            prop_assert_eq!(result.table.rows(), kept + new);
            prop_assert_eq!(result.labels.len(), kept + new);
            let visits = numbers(&result.table, "visits");
            prop_assert!(visits.iter().all(|v| v.fract() == 0.0));
            let responded = numbers(&result.table, "responded");
            prop_assert!(responded.iter().zip(&result.labels).all(|(r, l)| *r == f64::from(*l)));
            prop_assert!(numbers(&result.table, "spend")[kept..].iter().all(|v| v.is_finite()));
            let equal: Vec<usize> = result.record.cells.iter().map(|c| c.after).collect();
            prop_assert!(equal.windows(2).all(|c| c[0] == c[1]));
        }
    }
}
