mod cells;
mod counterfactual;
mod drawn;
mod fidelity;
mod nasty;
mod nearest;
mod smote;

use super::*;
use crate::data::{Categorical, Column};
use crate::inference::rng::stream;
use rand::Rng;
use rand_distr::StandardNormal;

/// Rows of two attributes, a label, a number, a whole number and two columns of levels; some of unknown group or label,
/// whose number is missing.
fn customers(rows: usize, seed: u64) -> (Table, Batch<'static>) {
    let mut rng = stream(seed, 9, 9);
    let (mut sex, mut region, mut label) = (Vec::new(), Vec::new(), Vec::new());
    let (mut spend, mut visits, mut plan, mut channel) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in 0..rows {
        // Every cell has its share, so that none is empty.
        let cell = if row < 32 { row % 8 } else { [0, 0, 0, 0, 1, 1, 2, 3, 4, 4, 5, 6, 7][rng.gen_range(0..13)] };
        let unknown = row >= 32 && rng.gen_bool(0.1);
        sex.push((!unknown || row % 2 == 0).then_some(["f", "m"][cell % 2]));
        region.push(Some(["north", "south"][cell / 2 % 2]));
        label.push(if unknown && row % 2 == 0 { 2 } else { (cell / 4) as u8 });
        let z: f64 = rng.sample(StandardNormal);
        spend.push(if unknown { f64::NAN } else { 10.0 * z + cell as f64 });
        visits.push((3.0 * z + rng.sample::<f64, _>(StandardNormal)).round().abs());
        plan.push(["basic", "gold", "plus"][(z.abs() * 2.0) as usize % 3]);
        channel.push((!rng.gen_bool(0.1)).then_some(["mail", "shop", "web"][rng.gen_range(0..3)]));
    }
    let sex = Categorical::from_options("sex", sex);
    let region = Categorical::from_options("region", region);
    let table = Table::new(vec![
        ("spend".into(), Column::Number(spend)),
        ("sex".into(), Column::Level(sex.clone())),
        ("visits".into(), Column::Integer(visits)),
        ("plan".into(), Column::Level(Categorical::from_values("plan", plan))),
        ("channel".into(), Column::Level(Categorical::from_options("channel", channel))),
        ("responded".into(), Column::Integer(label.iter().map(|l| f64::from(*l)).collect())),
    ])
    .unwrap();
    (table, Batch::builder().attribute(sex).attribute(region).label(label).build().unwrap())
}

fn numbers<'t>(table: &'t Table, column: &str) -> &'t [f64] {
    match table.column(column).unwrap() {
        Column::Number(values) | Column::Integer(values) => values,
        Column::Level(_) => panic!("{column} holds levels"),
    }
}

fn levels(table: &Table, column: &str) -> Vec<Option<String>> {
    match table.column(column).unwrap() {
        Column::Level(c) => {
            (0..c.codes().len()).map(|row| c.codes().get(row).map(|code| c.levels()[code].clone())).collect()
        }
        _ => panic!("{column} holds numbers"),
    }
}

/// Every method that makes rows of the customers.
fn makers() -> Vec<Augment> {
    [
        Augment::smote(),
        Augment::smote_nc(),
        Augment::fair_smote(),
        Augment::mixup(0.4),
        Augment::copula(),
        Augment::oversample(),
        Augment::resample(),
    ]
    .map(|augment| augment.label_column("responded").seed(5))
    .to_vec()
}

fn same_bits(a: &Table, b: &Table) -> bool {
    a.columns().iter().zip(b.columns()).all(|((name, one), (_, other))| match (one, other) {
        (Column::Level(_), _) => levels(a, name) == levels(b, name),
        (Column::Number(x) | Column::Integer(x), Column::Number(y) | Column::Integer(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| x.to_bits() == y.to_bits())
        }
        _ => false,
    })
}
