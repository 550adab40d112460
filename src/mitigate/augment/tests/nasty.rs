use super::*;
use ndarray::array;

fn error(result: Result<Augmented>) -> String {
    result.unwrap_err().to_string()
}

fn region(rows: usize) -> Categorical<'static> {
    Categorical::from_values("region", vec!["n"; rows])
}

/// One group; 1 row unfavourable, the others favourable.
fn lone(columns: Vec<(String, Column)>) -> (Table, Batch<'static>) {
    let table = Table::new(columns).unwrap();
    let labels: Vec<u8> = (0..table.rows()).map(|row| u8::from(row > 0)).collect();
    let batch = Batch::builder().attribute(region(labels.len())).label(labels).build().unwrap();
    (table, batch)
}

#[test]
fn a_lone_row_is_named_or_copied() {
    let (table, batch) = lone(vec![("x".into(), Column::Number(vec![1.0, 2.0, 3.0, 5.0]))]);
    for augment in [Augment::smote(), Augment::smote_nc(), Augment::fair_smote(), Augment::copula()] {
        let text = error(augment.fit_resample(&table, &batch));
        assert!(text.contains("`n, unfavourable`") && text.contains("Lone::Copy"), "{text}");
        let copied = augment.lone(Lone::Copy).fit_resample(&table, &batch).unwrap();
        assert_eq!(copied.record.origin[4..], [Origin::Copied(0); 2]);
        assert_eq!(numbers(&copied.table, "x")[4..], [1.0, 1.0]);
    }
    assert!(error(Augment::mixup(1.0).fit_resample(&table, &batch)).contains("another group"));
}

#[test]
fn few_neighbours_are_all_that_there_are() {
    let (table, batch) = customers(40, 3);
    let result = Augment::smote().label_column("responded").neighbors(1000).fit_resample(&table, &batch).unwrap();
    for cell in result.record.cells.iter().filter(|c| c.after > c.before) {
        assert_eq!(cell.neighbors, Some(cell.before - 1));
    }
    assert!(error(Augment::smote().neighbors(0).fit_resample(&table, &batch)).contains("neighbours is 0"));
    assert!(error(Augment::fair_smote().neighbors(1).fit_resample(&table, &batch)).contains("at least 2"));
    for alpha in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(error(Augment::mixup(alpha).fit_resample(&table, &batch)).contains("alpha"));
    }
    for alpha in [1e-300, 1e-9, 1e9, 1e300] {
        let result = Augment::mixup(alpha).label_column("responded").fit_resample(&table, &batch).unwrap();
        assert!(numbers(&result.table, "spend")[40..].iter().all(|v| v.is_finite()));
    }
}

#[test]
fn missing_numbers_are_named_where_they_matter() {
    let (table, batch) = lone(vec![("age".into(), Column::Integer(vec![f64::NAN, f64::NAN, 3.0, 5.0]))]);
    let text = error(Augment::smote().fit_resample(&table, &batch));
    assert!(text.contains("`age`") && text.contains("row 1") && text.contains("fill"), "{text}");
    let copied = Augment::oversample().fit_resample(&table, &batch).unwrap();
    assert!(numbers(&copied.table, "age")[4].is_nan());
    // The cell that does not grow may lack numbers.
    let (table, batch) = lone(vec![("age".into(), Column::Integer(vec![1.0, f64::NAN, 3.0, 5.0]))]);
    assert_eq!(Augment::smote().lone(Lone::Copy).fit_resample(&table, &batch).unwrap().table.rows(), 6);
    // A carried column may, too.
    let target = Target::counts([(["n"], true, 9)]);
    let smote = Augment::smote().target(target);
    assert!(error(smote.fit_resample(&table, &batch)).contains("row 2"));
    assert_eq!(smote.carry(["age"]).fit_resample(&table, &batch).unwrap().table.rows(), 10);
}

#[test]
fn columns_of_any_kind_do() {
    let target = |rows| Target::counts([(["n"], true, rows + 40)]);
    let kinds = |n: usize| Categorical::from_values("kind", (0..n).map(|row| ["a", "b", "c"][row % 3]));
    let constant = lone(vec![("x".into(), Column::Number(vec![2.5; 9])), ("y".into(), Column::Integer(vec![7.0; 9]))]);
    let levels_only = lone(vec![("kind".into(), Column::Level(kinds(9))), ("k".into(), Column::Level(kinds(9)))]);
    let many = (0..300).map(|row| format!("c{row}"));
    let huge = lone(vec![
        ("x".into(), Column::Number((0..300).map(|row| f64::from(row - 150) / 150.0 * f64::MAX).collect())),
        ("many".into(), Column::Level(Categorical::from_values("many", many))),
    ]);
    let carried = lone(vec![("region".into(), Column::Level(region(9)))]);
    for (table, batch) in [constant, levels_only, huge, carried] {
        let all = [Augment::smote(), Augment::smote_nc(), Augment::fair_smote(), Augment::copula()];
        for augment in all.into_iter().flat_map(|a| [a.clone().standardize(false), a]) {
            let result = augment.target(target(table.rows())).fit_resample(&table, &batch).unwrap();
            for (name, column) in result.table.columns() {
                assert!((0..result.table.rows()).all(|row| !column.is_missing(row)), "{name}");
                assert!(Table::new(vec![(name.clone(), column.clone())]).is_ok());
            }
            Fidelity::of(&result, 3).unwrap();
        }
    }
}

#[test]
fn tables_and_batches_that_do_not_fit_are_refused() {
    let (table, batch) = customers(40, 3);
    let smote = Augment::smote();
    assert!(error(smote.fit_resample(&Table::default(), &batch)).contains("0 rows where 40"));
    assert!(error(smote.clone().label_column("respondet").fit_resample(&table, &batch)).contains("`responded`"));
    assert!(error(smote.clone().carry(["nothing"]).fit_resample(&table, &batch)).contains("`nothing`"));
    assert!(error(smote.clone().attributes(["sexx"]).fit_resample(&table, &batch)).contains("`sex`"));
    let unlabelled = Batch::builder().attribute(region(40)).decision(vec![1u8; 40]).build().unwrap();
    assert!(error(smote.fit_resample(&table, &unlabelled)).contains("label"));
    let nobody = Batch::builder().label(vec![1u8; 40]).build().unwrap();
    assert!(error(smote.fit_resample(&table, &nobody)).contains("attribute"));
    let unknown = Batch::builder().attribute(region(40)).label(vec![2u8; 40]).build().unwrap();
    assert!(error(smote.fit_resample(&table, &unknown)).contains("known"));
    // The table says something else than the batch.
    let other = Categorical::from_values("sex", vec!["m"; 40]);
    let other = Batch::builder().attribute(other).label(vec![1u8; 40]).build().unwrap();
    let text = error(smote.fit_resample(&table, &other));
    assert!(text.contains("`sex` holds `f` in row 1"), "{text}");
    // A group without a label that others have.
    let halves = Categorical::from_keys("half", (0..40).map(|row| row / 20));
    let labels: Vec<u8> = (0..40).map(|row| u8::from(row % 2 == 0 && row < 20)).collect();
    let empty = Batch::builder().attribute(halves).label(labels).build().unwrap();
    let text = error(smote.fit_resample(&table, &empty));
    assert!(text.contains("`1, favourable` is 0"), "{text}");
    let quarters = [("0", false), ("0", true), ("1", false), ("1", true)].map(|(half, label)| ([half], label, 0.25));
    for augment in [Augment::oversample(), Augment::undersample(), Augment::resample()] {
        let text = error(augment.target(Target::shares(quarters)).fit_resample(&table, &empty));
        assert!(text.contains("`1, favourable` is 0"), "{text}");
    }
    // A group of which every label is unknown has no rows to be weighed up.
    let ends = Categorical::from_keys("end", (0..40).map(|row| row == 39));
    let labels: Vec<u8> = (0..40).map(|row| if row == 39 { 2 } else { u8::from(row % 2 == 0) }).collect();
    let unknown = Batch::builder().attribute(ends).label(labels).build().unwrap();
    let shares = Target::group_shares([(["false"], 0.5), (["true"], 0.5)]);
    let text = error(Augment::undersample().target(shares).fit_resample(&table, &unknown));
    assert!(text.contains("`true, unfavourable` is 0"), "{text}");
    let none = Target::group_shares([(["false"], 1.0), (["true"], 0.0)]);
    assert_eq!(Augment::resample().target(none).fit_resample(&table, &unknown).unwrap().table.rows(), 40);
    let text = error(Augment::undersample().target(Target::EqualRates).fit_resample(&table, &empty));
    assert!(text.contains("at least one row"), "{text}");
}

#[test]
fn arrays_are_tables_of_numbers() {
    let features = array![[1.0, 0.0], [3.0, 1.0], [2.0, f64::INFINITY]];
    let batch = Batch::builder().attribute(region(3)).label([1, 1, 0]).build().unwrap();
    let result = Augment::smote().lone(Lone::Copy).fit_resample_array(features.view(), &batch);
    assert!(result.unwrap_err().to_string().contains("`x1` holds `inf` in row 3"));
    let features = array![[1.0, 0.0], [3.0, 1.0], [2.0, 9.0]];
    let result = Augment::smote().lone(Lone::Copy).fit_resample_array(features.view(), &batch).unwrap();
    assert_eq!(result.features, array![[1.0, 0.0], [3.0, 1.0], [2.0, 9.0], [2.0, 9.0]]);
    assert_eq!(result.record.origin[3], Origin::Copied(2));
    let json = serde_json::to_string(&result.record).unwrap();
    assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), result.record);
}
