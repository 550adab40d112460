//! Who gets the retention offer, after mending? A model predicts which customers will leave; seniors leave more often, and
//! are offered far more often still. The rows that it is trained on are weighed so that age and leaving are independent,
//! the model is trained again, and the same audit is done again on the held-out half.
//!
//! Weights are worth what the learner reads of them, so that is checked first.

mod story;

use evenhand::audit::{AuditPlan, Policy};
use evenhand::data::source::Source;
use evenhand::data::{Batch, Columns, Model};
use evenhand::mitigate::learn::{Learner, Logistic, Scorer, require_weights};
use evenhand::mitigate::reweight::Reweight;
use evenhand::report::Report;
use ndarray::{Array2, Axis};

use story::say as tell;

const FEATURES: [&str; 6] =
    ["tenure", "monthly_charges", "contract", "internet_service", "payment_method", "paperless_billing"];

/// Every second row, from the first or the second on.
fn half(rows: usize, second: bool) -> Vec<usize> {
    (usize::from(second)..rows).step_by(2).collect()
}

fn people<'a>(batch: &Batch<'a>, rows: &[usize], labels: &'a [bool]) -> evenhand::Result<Batch<'a>> {
    let senior = &batch.attributes()[0];
    let level = |row: &usize| senior.codes().get(*row).map(|code| senior.levels()[code].clone());
    let column = evenhand::data::Categorical::from_options("senior_citizen", rows.iter().map(level));
    Batch::builder().attribute(column).label(labels).build()
}

fn audit(people: &Batch, labels: &[bool], offered: &[bool]) -> evenhand::Result<Report> {
    let batch = Batch::builder()
        .attribute(people.attributes()[0].clone())
        .label(labels)
        .model(Model::decision("offered", offered))
        .build()?;
    AuditPlan::new().policy(Policy::preset("four-fifths")?).run(&batch)
}

fn say(what: &str, report: &Report) -> Result<(), Box<dyn std::error::Error>> {
    println!("\n{what}: four fifths, {}", report.verdict);
    for metric in ["selection_rate", "true_positive_rate", "accuracy"] {
        let figures: Vec<String> = ["No", "Yes"]
            .iter()
            .map(|senior| {
                let value = report.metric(metric)?.group(senior)?.value();
                Ok(format!("{senior} {:.1} %", 100.0 * value.unwrap_or(f64::NAN)))
            })
            .collect::<evenhand::Result<_>>()?;
        println!("  {:<20} senior: {}", metric.replace('_', " "), figures.join(", "));
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let source = Source::open(&["datasets/telco_churn.csv.gz"])?;
    let columns = Columns::new().attribute("senior_citizen".parse()?).label("churn");
    let rows = source.rows(&columns)?;
    let batch = rows.batch()?;
    let table = source.table(&FEATURES.map(String::from), &[])?;
    let (features, _) = table.features(&FEATURES)?;
    let left = source.table(&["churn".into()], &[])?.features(&["churn"])?.0;

    let part = |second: bool| -> (Vec<usize>, Array2<f64>, Vec<bool>) {
        let at = half(rows.len(), second);
        let labels = at.iter().map(|row| left[[*row, 0]] == 1.0).collect();
        (at.clone(), features.select(Axis(0), &at), labels)
    };
    let (train_rows, train, train_left) = part(false);
    let (test_rows, test, test_left) = part(true);
    let (trained_on, judged_on) = (people(&batch, &train_rows, &train_left)?, people(&batch, &test_rows, &test_left)?);

    let learner = Logistic::new();
    require_weights(&learner, train.view(), &train_left)?;

    tell(
        "Customers who are likely to leave get an offer. Seniors leave more often, and are offered far more often still. The \
         rows that the model learns from are weighed, so that age and leaving are independent in them.",
    );

    // As it is.
    let offer = |scores: Vec<f64>| scores.into_iter().map(|s| s >= 0.4).collect::<Vec<bool>>();
    let plain = learner.fit(train.view(), &train_left, &vec![1.0; train_left.len()])?;
    let before = audit(&judged_on, &test_left, &offer(plain.scores(test.view())))?;
    say("BEFORE", &before)?;

    // Weighed, fitted, audited again.
    let weights = Reweight::new().fit(&trained_on)?;
    println!("\n{}", weights.to_text().trim_end());
    let mended = learner.fit(train.view(), &train_left, &weights.weights(&trained_on)?)?;
    let after = audit(&judged_on, &test_left, &offer(mended.scores(test.view())))?;
    say("AFTER", &after)?;
    println!();
    tell(
        "The features still tell who is senior: weights take away what the labels taught of age, not what tenure and contract \
         say of leaving. What is left over is for thresholds, or for the question whether it is explained.",
    );
    Ok(())
}
