//! Training under a constraint on UCI Adult: what is promised on training rows is kept, and held-out rows have their own say.

#![cfg(feature = "csv")]

use evenhand::data::{Batch, Categorical, Column, Table, source::Source};
use evenhand::mitigate::learn::{Learner, Logistic, Scorer};
use evenhand::mitigate::reductions::{Constraint, ExponentiatedGradient};
use ndarray::Array2;

const FEATURES: [&str; 5] = ["age", "education_num", "hours_per_week", "capital_gain", "marital_status"];

/// People as a model sees them, their sex, and whether their income is above 50K.
struct People {
    features: Array2<f64>,
    women: Vec<bool>,
    rich: Vec<bool>,
}

impl People {
    /// Some of a table's rows.
    fn of(table: &Table, rows: impl Iterator<Item = usize>) -> Self {
        let table = table.select(&rows.collect::<Vec<_>>()).unwrap();
        let is = |column: &str, level: &str| -> Vec<bool> {
            let Column::Level(column) = table.column(column).unwrap() else { panic!("{column} is no level") };
            let code = column.levels().iter().position(|l| l == level);
            (0..table.rows()).map(|row| column.codes().get(row) == code).collect()
        };
        let (features, _) = table.features(&FEATURES).unwrap();
        People { features, women: is("sex", "Female"), rich: is("income", ">50K") }
    }

    fn batch(&self) -> Batch<'_> {
        let sex = Categorical::from_values("sex", self.women.iter().map(|w| if *w { "Female" } else { "Male" }));
        Batch::builder().attribute(sex).label(&self.rich).build().unwrap()
    }

    /// How much larger the men's mean of some chances is than the women's.
    fn gap(&self, chances: &[f64]) -> f64 {
        let mean = |women: bool| {
            let of = || chances.iter().zip(&self.women).filter(|(_, w)| **w == women);
            of().map(|(c, _)| c).sum::<f64>() / of().count() as f64
        };
        mean(false) - mean(true)
    }
}

#[test]
fn the_gap_of_adult_comes_under_its_bound() {
    let columns: Vec<String> = FEATURES.iter().chain(&["sex", "income"]).map(|c| c.to_string()).collect();
    let table = Source::open(&["datasets/adult.csv.gz"]).unwrap().table(&columns, &[]).unwrap();
    let (seen, held) =
        (People::of(&table, (0..table.rows()).step_by(8)), People::of(&table, (4..table.rows()).step_by(8)));
    let free = Logistic::new().fit(seen.features.view(), &seen.rich, &vec![1.0; seen.rich.len()]).unwrap();
    let decided = |rows: &People| -> Vec<f64> {
        free.scores(rows.features.view()).iter().map(|s| f64::from(u8::from(*s >= 0.5))).collect()
    };
    assert!(seen.gap(&decided(&seen)) > 0.15 && held.gap(&decided(&held)) > 0.15);

    for slack in [0.05, 0.01] {
        let gradient = ExponentiatedGradient::new(Constraint::DemographicParity).slack(slack);
        let fitted = gradient.fit(&Logistic::new(), seen.features.view(), &seen.batch()).unwrap();
        let summary = &fitted.summary;
        assert!(summary.converged && summary.violation <= slack + 1e-9, "{slack}: {summary:?}");
        // Each sex is within the slack of all together, so the two are within twice that of each other.
        let gap = seen.gap(&fitted.scores(seen.features.view())).abs();
        assert!(gap <= 2.0 * slack + 1e-9, "{slack}: {gap}");
        let rate = |name: &str| summary.groups.iter().find(|g| g.group == name).unwrap().value;
        assert!((rate("Male") - rate("Female") - seen.gap(&fitted.scores(seen.features.view()))).abs() < 1e-9);
        // New people: more than was promised, since 6,000 rows say so much and no more; far less than without.
        let apart = held.gap(&fitted.scores(held.features.view())).abs();
        assert!(apart < 2.0 * slack + 0.03, "{slack}: held out {apart}");
        assert!(summary.error >= summary.unconstrained[0] - 1e-12 && summary.error < 0.25, "{slack}: {summary:?}");
    }
}
