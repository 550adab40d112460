use super::*;
use crate::data::UNKNOWN;

/// 60 rows of groups a and b: 12 and 3 favourable of 20 and 40; then 4 of which something is unknown.
fn small() -> (Table, Batch<'static>) {
    let group = (0..64).map(|row| (row < 62).then_some(if row < 20 { "a" } else { "b" }));
    let label = (0..64)
        .map(|row| if (60..62).contains(&row) { UNKNOWN } else { u8::from(row < 12 || (20..23).contains(&row)) });
    let group = Categorical::from_options("group", group);
    let x = Column::Number((0..64).map(|row| f64::from(row * 37 % 64)).collect());
    let table = Table::new(vec![("x".into(), x), ("group".into(), Column::Level(group.clone()))]).unwrap();
    (table, Batch::builder().attribute(group).label(label.collect::<Vec<u8>>()).build().unwrap())
}

/// After: a unfavourable, a favourable, b unfavourable, b favourable; from 8, 12, 37, 3.
fn after(augment: Augment, target: Target) -> Result<[usize; 4], String> {
    let (table, batch) = small();
    let result = augment.target(target).fit_resample(&table, &batch).map_err(|e| e.to_string())?;
    let mut counts = [0; 4];
    let group = &result.attributes[0];
    for (row, label) in result.labels.iter().enumerate() {
        if let Some(group) = group.codes().get(row).filter(|_| *label != UNKNOWN) {
            counts[2 * group + usize::from(*label)] += 1;
        }
    }
    assert_eq!(counts.to_vec(), result.record.cells.iter().map(|c| c.after).collect::<Vec<_>>());
    assert_eq!(result.record.cells.iter().map(|c| c.before).collect::<Vec<_>>(), [8, 12, 37, 3]);
    assert_eq!(result.table.rows(), counts.iter().sum::<usize>() + 4);
    assert_eq!((result.record.left_alone, result.labels.len()), (4, result.table.rows()));
    // Original rows come first, in their order.
    let kept = result.record.origin.iter().take_while(|o| matches!(o, Origin::Original(_))).count();
    assert_eq!(kept + result.record.new_rows(), result.table.rows());
    assert_eq!(kept + result.record.removed.len(), 64);
    let x = numbers(&result.table, "x");
    let mut last = None;
    for (row, origin) in result.record.origin.iter().enumerate() {
        match *origin {
            Origin::Original(from) => {
                assert!(x[row] == numbers(&table, "x")[from] && last < Some(from));
                last = Some(from);
            }
            Origin::Copied(from) => assert_eq!(x[row], numbers(&table, "x")[from]),
            _ => {}
        }
    }
    assert_eq!(result.batch().unwrap().rows(), result.table.rows());
    Ok(counts)
}

#[test]
fn targets_are_met_exactly() {
    let [over, under, both] = [Augment::oversample(), Augment::undersample(), Augment::resample()];
    assert_eq!(after(over.clone(), Target::EqualCells).unwrap(), [37; 4]);
    assert_eq!(after(Augment::smote(), Target::EqualCells).unwrap(), [37; 4]);
    assert_eq!(after(under.clone(), Target::EqualCells).unwrap(), [3; 4]);
    assert_eq!(after(both.clone(), Target::EqualCells).unwrap(), [15; 4]);
    // The rate is 15 of 60: a gets 12 * 3 unfavourable, b 37 / 3 favourable.
    assert_eq!(after(over.clone(), Target::EqualRates).unwrap(), [36, 12, 37, 12]);
    assert_eq!(after(under.clone(), Target::EqualRates).unwrap(), [8, 3, 9, 3]);
    assert_eq!(after(both.clone(), Target::EqualRates).unwrap(), [15, 5, 30, 10]);
    assert_eq!(after(over.clone(), Target::Rate(0.5)).unwrap(), [12, 12, 37, 37]);
    assert_eq!(after(over.clone(), Target::counts([(["b"], true, 9), (["a"], false, 8)])).unwrap(), [8, 12, 37, 9]);
    assert_eq!(after(under.clone(), Target::counts([(["a"], true, 0)])).unwrap(), [8, 0, 37, 3]);
    let shares = Target::shares([(["a"], false, 0.2), (["a"], true, 0.3), (["b"], false, 0.4), (["b"], true, 0.1)]);
    assert_eq!(after(both.clone(), shares.clone()).unwrap(), [12, 18, 24, 6]);
    assert_eq!(after(over.clone(), shares.clone()).unwrap(), [19, 28, 37, 9]); // of 92.5
    assert_eq!(after(under, shares).unwrap(), [6, 9, 12, 3]);
    let audience = Target::group_shares([(["a"], 0.5), (["b"], 0.5)]);
    assert_eq!(after(over, audience.clone()).unwrap(), [16, 24, 37, 3]);
    assert_eq!(after(both, audience).unwrap(), [12, 18, 28, 2]);
}

#[test]
fn targets_out_of_reach_are_refused_by_name() {
    let refused = |augment: Augment, target: Target| after(augment, target).unwrap_err();
    let text = refused(Augment::smote(), Target::counts([(["b"], false, 5)]));
    assert!(text.contains("`b, unfavourable`") && text.contains("at least its 37 rows"), "{text}");
    assert!(refused(Augment::undersample(), Target::counts([(["b"], false, 38)])).contains("at most its 37"));
    assert!(refused(Augment::oversample(), Target::Rate(1.0)).contains("the target rate is 1"));
    assert!(refused(Augment::oversample(), Target::Rate(f64::NAN)).contains("rate"));
    assert!(refused(Augment::oversample(), Target::Rate(1.0 - 1e-15)).contains("at most 2,000,000,000"));
    assert!(refused(Augment::oversample(), Target::counts([(["c"], true, 9)])).contains("no group `c`"));
    let twice = Target::counts([(["a"], true, 19), (["a"], true, 20)]);
    assert!(refused(Augment::oversample(), twice).contains("`a, favourable` is given twice"));
    assert!(refused(Augment::resample(), Target::group_shares([(["a"], 1.0)])).contains("`b"));
    let wrong = Target::group_shares([(["a"], 0.7), (["b"], 0.7)]);
    assert!(refused(Augment::resample(), wrong).contains("to be 1"));
    let wrong = Target::group_shares([(["a"], -0.5), (["b"], 1.5)]);
    assert!(refused(Augment::resample(), wrong).contains("from 0 to 1"));
    assert!(refused(Augment::resample(), Target::shares([(["a"], true, 1.0)])).contains("`a, unfavourable`"));
}

#[test]
fn the_seed_alone_decides() {
    let (table, batch) = customers(3000, 7);
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let (one, two) = (pool(1), pool(2));
    for augment in makers() {
        let first = one.install(|| augment.fit_resample(&table, &batch)).unwrap();
        let again = two.install(|| augment.fit_resample(&table, &batch)).unwrap();
        assert!(same_bits(&first.table, &again.table), "{augment:?}");
        assert_eq!(first.record, again.record);
        let other = augment.seed(6).fit_resample(&table, &batch).unwrap();
        assert_ne!(first.record.origin, other.record.origin.clone().into_iter().rev().collect::<Vec<_>>());
        assert!(!same_bits(&first.table, &other.table));
    }
}

#[test]
fn rows_in_another_order_have_the_same_parents() {
    // All pairs that can be are drawn; which are, does not depend on the order.
    let (table, batch) = customers(80, 8);
    let pairs = |order: Vec<usize>| {
        let reorder = |c: &Categorical| {
            let text = |row: &usize| c.codes().get(*row).map(|code| c.levels()[code].clone());
            Categorical::from_options(c.name(), order.iter().map(text).collect::<Vec<_>>())
        };
        let columns = table.columns().iter().map(|(name, column)| {
            let column = match column {
                Column::Number(v) => Column::Number(order.iter().map(|row| v[*row]).collect()),
                Column::Integer(v) => Column::Integer(order.iter().map(|row| v[*row]).collect()),
                Column::Level(c) => Column::Level(reorder(c)),
            };
            (name.clone(), column)
        });
        let moved = Table::new(columns.collect()).unwrap();
        let label: Vec<u8> = order.iter().map(|row| batch.label.as_ref().unwrap().codes()[*row]).collect();
        let [sex, region] = [0, 1].map(|at| reorder(&batch.attributes()[at]));
        let batch = Batch::builder().attribute(sex).attribute(region).label(label).build().unwrap();
        let target = Target::counts([(["f", "north"], true, 800)]);
        let smote = Augment::smote_nc().label_column("responded").neighbors(3).target(target);
        let result = smote.fit_resample(&moved, &batch).unwrap();
        let pair = |o: &Origin| match *o {
            Origin::Between { rows: [a, b], .. } => Some((order[a], order[b])),
            _ => None,
        };
        result.record.origin.iter().filter_map(pair).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(pairs((0..80).collect()), pairs((0..80).rev().collect()));
}

#[test]
fn weights_come_from_the_row_that_a_new_one_is_made_from() {
    let (table, _) = small();
    let group = Categorical::from_values("group", (0..64).map(|row| if !(20..=61).contains(&row) { "a" } else { "b" }));
    let weights: Vec<f64> = (0..64).map(|row| 1.0 + f64::from(row)).collect();
    let labels: Vec<u8> = (0..64).map(|row| u8::from(row < 12 || (20..23).contains(&row))).collect();
    let batch = Batch::builder().attribute(group).label(labels).weight(&weights).build().unwrap();
    let columns: Vec<(String, Column)> = table.columns()[..1].to_vec();
    let result = Augment::smote().fit_resample(&Table::new(columns).unwrap(), &batch).unwrap();
    let of_result = result.weights.clone().unwrap();
    for (row, origin) in result.record.origin.iter().enumerate() {
        if let Origin::Original(from) | Origin::Between { rows: [from, _], .. } = origin {
            assert_eq!(of_result[row], weights[*from]);
        }
    }
    assert!(result.record.new_rows() > 50);
}
