use super::*;

/// Old and new rows of one cell, as a result.
fn result(old: usize, columns: Vec<(&str, Column)>) -> Augmented {
    let table = Table::new(columns.into_iter().map(|(name, column)| (name.to_string(), column)).collect()).unwrap();
    let rows = table.rows();
    let origin = (0..rows).map(|row| if row < old { Origin::Original(row) } else { Origin::Drawn }).collect();
    Augmented {
        attributes: vec![Categorical::from_values("region", vec!["n"; rows])],
        labels: vec![1; rows],
        weights: None,
        record: Record {
            method: Method::Copula,
            target: None,
            seed: 0,
            attributes: vec!["region".into()],
            cells: Vec::new(),
            left_alone: 0,
            removed: Vec::new(),
            origin,
        },
        table,
    }
}

#[test]
fn distances_are_those_of_the_peer_and_by_hand() {
    let x = vec![0.1, 0.5, 0.9, 1.3, 2.2, 2.2, 3.0, 0.2, 0.5, 0.5, 1.0, 4.0];
    let kind = Categorical::from_options("kind", "aaabbb.aabb.".chars().map(|c| (c != '.').then(|| c.to_string())));
    let y: Vec<f64> = x.iter().enumerate().map(|(row, x)| if row < 7 { -2.0 * x } else { x + 1.0 }).collect();
    let columns = vec![("x", Column::Number(x)), ("kind", Column::Level(kind)), ("y", Column::Number(y))];
    let fidelity = Fidelity::of(&result(7, columns), 1).unwrap();
    // scipy 1.17.1, ks_2samp.
    let Some(Distance::KolmogorovSmirnov(d)) = fidelity.columns[0].distance else { panic!() };
    assert!((d - 0.37142857142857144).abs() < 1e-12);
    // 3, 3, 1 of 7 and 2, 2, 1 of 5.
    let Some(Distance::TotalVariation(d)) = fidelity.columns[1].distance else { panic!() };
    assert!((d - 2.0 / 35.0).abs() < 1e-12);
    // Correlations -1 and 1.
    assert!((fidelity.correlation_gap_max.unwrap() - 2.0).abs() < 1e-9);
    assert!((fidelity.correlation_gap_norm.unwrap() - f64::sqrt(8.0)).abs() < 1e-9);
    let back: Fidelity = serde_json::from_str(&serde_json::to_string(&fidelity).unwrap()).unwrap();
    assert_eq!(back, fidelity);
}

#[test]
fn copies_and_near_copies_are_told() {
    let near: Vec<f64> =
        (0..60).map(|row| if row < 40 { f64::from(row) } else { f64::from(row - 40) + 0.01 }).collect();
    let fidelity = Fidelity::of(&result(40, vec![("x", Column::Number(near))]), 1).unwrap();
    let nearest = fidelity.nearest.unwrap();
    assert!((nearest.ratio.unwrap() - 0.01).abs() < 1e-9);
    assert_eq!(fidelity.exact_copies, 0);
    assert!(fidelity.privacy.contains("0.01 times"), "{}", fidelity.privacy);
    let mut some = vec![1.0, 2.0, f64::NAN, 4.0, 1.0, f64::NAN, 3.0, 2.5];
    let fidelity = Fidelity::of(&result(4, vec![("x", Column::Number(some.clone()))]), 1).unwrap();
    assert_eq!(fidelity.exact_copies, 2);
    assert!(fidelity.privacy.starts_with("2 of 4 new rows (50.0 %)"));
    some.fill(f64::NAN);
    let fidelity = Fidelity::of(&result(4, vec![("x", Column::Number(some))]), 1).unwrap();
    assert_eq!((fidelity.columns[0].distance, fidelity.nearest), (None, None));
}

#[test]
fn cells_are_compared_with_their_own() {
    // The rare cell grows by what it is like: the margins of all rows move, and yet nothing was distorted.
    let (table, batch) = customers(600, 9);
    let oversampled = Augment::oversample().label_column("responded").fit_resample(&table, &batch).unwrap();
    let fidelity = Fidelity::of(&oversampled, 1).unwrap();
    assert_eq!(fidelity.exact_copies, fidelity.new_rows);
    for column in &fidelity.columns {
        let (Some(Distance::KolmogorovSmirnov(d)) | Some(Distance::TotalVariation(d))) = column.distance else {
            panic!()
        };
        assert!(d < 0.02, "{column:?}");
    }
    assert!(fidelity.correlation_gap_max.unwrap() < 0.05);
    assert_eq!(fidelity.nearest.unwrap().new_to_original, 0.0);
    let none = Augment::undersample().fit_resample(&table, &batch).unwrap();
    assert!(Fidelity::of(&none, 1).unwrap_err().to_string().contains("no new row"));
}
