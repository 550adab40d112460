use super::*;
use crate::data::UNKNOWN;

fn three() -> (Table, Batch<'static>) {
    let age = Categorical::from_options("age", [Some("young"), Some("mid"), Some("old"), None, Some("mid")]);
    let sex = Categorical::from_values("sex", ["f", "m", "m", "f", "f"]);
    // The table's own codes need not be the attribute's.
    let own = Categorical::from_codes("age", ["old", "mid", "young"], vec![2u8, 1, 0, u8::MAX, 1]).unwrap();
    let table = Table::new(vec![
        ("age".into(), Column::Level(own)),
        ("years".into(), Column::Integer(vec![20.0, 40.0, 70.0, 33.0, f64::NAN])),
        ("spend".into(), Column::Number(vec![1.0, 2.0, 3.0, 4.0, 5.0])),
    ])
    .unwrap();
    (table, Batch::builder().attribute(age).attribute(sex).label([1u8, 0, 1, 1, UNKNOWN]).build().unwrap())
}

#[test]
fn every_other_level_gets_a_row() {
    let (table, batch) = three();
    let years = |from: f64, exchange: Exchange| match exchange.to {
        "young" => 21.0,
        "old" => 71.0,
        _ if exchange.from == "old" => from - 30.0,
        _ => from + 20.0,
    };
    let exchange = Counterfactual::of("age").map_numbers("years", years).share_weight(true);
    let result = exchange.fit_resample(&table, &batch).unwrap();
    // Three rows are known; each gets two more. Levels are in the attribute's order: mid, old, young.
    assert_eq!(result.table.rows(), 11);
    let text = |row: usize| levels(&result.table, "age")[row].clone().unwrap();
    assert_eq!((5..11).map(text).collect::<Vec<_>>(), ["mid", "old", "old", "young", "mid", "young"]);
    assert_eq!(numbers(&result.table, "years")[5..], [40.0, 71.0, 71.0, 21.0, 40.0, 21.0]);
    assert_eq!(numbers(&result.table, "spend")[5..], [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]);
    assert_eq!(result.labels, [1, 0, 1, 1, UNKNOWN, 1, 1, 0, 0, 1, 1]);
    let attribute = &result.attributes[0];
    assert!((5..11).all(|row| attribute.levels()[attribute.codes().get(row).unwrap()] == text(row)));
    let weights = result.weights.as_ref().unwrap();
    assert!((weights.iter().sum::<f64>() - 5.0).abs() < 1e-12 && weights[3] == 1.0);
    // Groups that had no row are there now: label rates by age are equal.
    let count = |level: &str, favorable: bool| {
        let of = |c: &&AugmentedCell| c.levels[0] == level && c.favorable == favorable;
        result.record.cells.iter().filter(of).map(|c| c.after).sum::<usize>()
    };
    for level in ["young", "mid", "old"] {
        assert_eq!((count(level, true), count(level, false)), (2, 1));
    }
    assert_eq!((result.record.left_alone, result.record.new_rows()), (2, 6));
    assert!(same_bits(&exchange.fit_resample(&table, &batch).unwrap().table, &result.table));
}

#[test]
fn exchanged_twice_by_a_swap_is_the_row_again() {
    let sex = Categorical::from_values("sex", ["f", "m", "f"]);
    let title = Categorical::from_values("title", ["ms", "mr", "dr"]);
    let columns = vec![("title".to_string(), Column::Level(title))];
    let batch = Batch::builder().attribute(sex).label([1, 0, 1]).build().unwrap();
    let result = Counterfactual::of("sex")
        .swap("title", [("ms", "mr")])
        .fit_resample(&Table::new(columns).unwrap(), &batch)
        .unwrap();
    let titles: Vec<String> = levels(&result.table, "title").into_iter().flatten().collect();
    assert_eq!(titles, ["ms", "mr", "dr", "mr", "ms", "dr"]);
    assert_eq!(result.weights, None);
}

#[test]
fn slips_of_rules_are_named() {
    let (table, batch) = three();
    let fails = |c: Counterfactual| c.fit_resample(&table, &batch).unwrap_err().to_string();
    assert!(fails(Counterfactual::of("agee")).contains("did you mean `age`"));
    assert!(fails(Counterfactual::of("age").map_numbers("yeers", |v, _| v)).contains("`years`"));
    assert!(fails(Counterfactual::of("age").map_numbers("years", |_, _| 0.5)).contains("whole"));
    assert!(fails(Counterfactual::of("age").map_numbers("spend", |_, _| f64::NAN)).contains("row 1"));
    assert!(fails(Counterfactual::of("age").swap("years", [("a", "b")])).contains("map_numbers"));
    assert!(fails(Counterfactual::of("age").map_numbers("age", |v, _| v)).contains("map_levels"));
    let twice = Counterfactual::of("age").map_numbers("years", |v, _| v).map_numbers("years", |v, _| v);
    assert!(fails(twice).contains("given twice"));
    let unknown = Counterfactual::of("age").map_levels("age", |_, _| "ancient".into());
    assert!(fails(unknown).contains("no level `ancient`"));
    let one = Batch::builder().attribute(Categorical::from_values("age", ["x"; 5])).label([1; 5]).build().unwrap();
    let bare = Table::new(table.columns()[1..].to_vec()).unwrap();
    assert!(Counterfactual::of("age").fit_resample(&bare, &one).unwrap_err().to_string().contains("two or more"));
}
