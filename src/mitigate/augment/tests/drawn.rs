use super::*;

/// One cell of two numbers with correlated normal scores, a whole number and a level that follow the first.
fn correlated(rows: usize) -> (Table, Batch<'static>) {
    let mut rng = stream(11, 0, 0);
    let (mut x, mut y, mut visits, mut tier) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rows {
        let (a, b): (f64, f64) = (rng.sample(StandardNormal), rng.sample(StandardNormal));
        x.push(a.exp());
        y.push(0.8 * a + 0.6 * b);
        visits.push((2.0 * a).round().abs());
        tier.push(if a < -0.5 {
            "a"
        } else if a < 1.0 {
            "b"
        } else {
            "c"
        });
    }
    let table = Table::new(vec![
        ("x".into(), Column::Number(x)),
        ("y".into(), Column::Number(y)),
        ("visits".into(), Column::Integer(visits)),
        ("tier".into(), Column::Level(Categorical::from_values("tier", tier))),
        ("constant".into(), Column::Number(vec![4.5; rows])),
    ])
    .unwrap();
    let region = Categorical::from_values("region", vec!["n"; rows]);
    (table, Batch::builder().attribute(region).label(vec![1u8; rows]).build().unwrap())
}

/// Kendall's rank correlation of numbers without ties.
fn kendall(x: &[f64], y: &[f64]) -> f64 {
    let pairs = |i: usize| (0..i).map(move |j| ((x[i] - x[j]) * (y[i] - y[j])).signum());
    2.0 * (0..x.len()).flat_map(pairs).sum::<f64>() / (x.len() * (x.len() - 1)) as f64
}

#[test]
fn drawn_rows_keep_margins_and_rank_correlation() {
    let (table, batch) = correlated(1500);
    let target = Target::counts([(["n"], true, 3500)]);
    let result = Augment::copula().target(target).seed(3).fit_resample(&table, &batch).unwrap();
    assert_eq!(result.record.cells[0].shrinkage, Some(0.0));
    let new = |column: &str| &numbers(&result.table, column)[1500..];
    // Of a Gaussian copula of correlation 0.8, tau is 2 asin(0.8) / pi = 0.590.
    assert!((kendall(new("x"), new("y")) - 0.590).abs() < 0.04);
    let old = numbers(&table, "x");
    let (low, high) = (old.iter().copied().fold(f64::MAX, f64::min), old.iter().copied().fold(0.0, f64::max));
    assert!(new("x").iter().all(|v| (low..=high).contains(v)));
    assert!(new("visits").iter().all(|v| numbers(&table, "visits").contains(v)));
    assert!(new("constant").iter().all(|v| *v == 4.5));
    let fidelity = Fidelity::of(&result, 1).unwrap();
    for column in &fidelity.columns {
        let (Some(Distance::KolmogorovSmirnov(d)) | Some(Distance::TotalVariation(d))) = column.distance else {
            panic!()
        };
        assert!(d < 0.05, "{column:?}");
    }
    assert_eq!(fidelity.exact_copies, 0);
    // Levels follow too: a tier of large x is c.
    let tier = levels(&result.table, "tier");
    let mean = |of: &str| {
        let rows: Vec<usize> = (1500..3500).filter(|row| tier[*row].as_deref() == Some(of)).collect();
        rows.iter().map(|row| numbers(&result.table, "y")[*row]).sum::<f64>() / rows.len() as f64
    };
    assert!(mean("a") + 0.4 < mean("b") && mean("b") + 0.4 < mean("c"));
}

#[test]
fn correlations_of_few_rows_are_shrunk_and_it_is_said() {
    let (table, batch) = correlated(3);
    let target = Target::counts([(["n"], true, 40)]);
    let result = Augment::copula().target(target).fit_resample(&table, &batch).unwrap();
    let shrinkage = result.record.cells[0].shrinkage.unwrap();
    assert!(shrinkage > 0.0 && shrinkage < 0.5);
    assert!(numbers(&result.table, "x").iter().all(|v| v.is_finite()));
}
