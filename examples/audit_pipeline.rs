//! Who gets the retention offer? A `linfa` model predicts which customers will leave; those get the offer.
//! The audit is one more step of the pipeline, on the held-out half.
//!
//! Women and men leave, and are offered, about equally often. Seniors leave more often, and here the question
//! is another one: of those who do leave, are the younger overlooked?

mod story;

use evenhand::audit::{AuditPlan, Policy};
use evenhand::data::{Batch, Categorical, Model};
use evenhand::report::TextStyle;
use flate2::read::GzDecoder;
use linfa::prelude::*;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};

use story::say;

const FEATURES: usize = 5;

/// One customer of the Telco file: what the model sees, what the audit needs, and what happened.
struct Customer {
    features: [f64; FEATURES],
    gender: String,
    senior: bool,
    left: bool,
}

fn customers() -> Result<Vec<Customer>, Box<dyn std::error::Error>> {
    let mut file = csv::Reader::from_reader(GzDecoder::new(std::fs::File::open("datasets/telco_churn.csv.gz")?));
    let header = file.headers()?.clone();
    let column = |name: &str| header.iter().position(|h| h == name).ok_or(format!("no column {name}"));
    let [gender, senior, tenure, monthly, contract, internet, churn] =
        ["gender", "senior_citizen", "tenure", "monthly_charges", "contract", "internet_service", "churn"].map(column);
    let (gender, senior, tenure, monthly) = (gender?, senior?, tenure?, monthly?);
    let (contract, internet, churn) = (contract?, internet?, churn?);
    let yes = |is: bool| f64::from(u8::from(is));
    file.records()
        .map(|record| {
            let row = record?;
            Ok(Customer {
                features: [
                    row[tenure].parse::<f64>()? / 72.0,
                    row[monthly].parse::<f64>()? / 100.0,
                    yes(&row[contract] == "Month-to-month"),
                    yes(&row[contract] == "Two year"),
                    yes(row[internet].starts_with("Fiber")),
                ],
                gender: row[gender].to_string(),
                senior: matches!(&row[senior], "1" | "Yes"),
                left: &row[churn] == "Yes",
            })
        })
        .collect()
}

fn dataset(customers: &[&Customer]) -> Dataset<f64, bool, ndarray::Ix1> {
    let features = customers.iter().flat_map(|c| c.features).collect::<Array1<f64>>();
    let records: Array2<f64> = features.into_shape_with_order((customers.len(), FEATURES)).expect("five a row");
    Dataset::new(records, customers.iter().map(|c| c.left).collect())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let all = customers()?;
    let train: Vec<&Customer> = all.iter().step_by(2).collect();
    let held_out: Vec<&Customer> = all.iter().skip(1).step_by(2).collect();

    let model = LogisticRegression::default().max_iterations(200).fit(&dataset(&train))?;
    let test = dataset(&held_out);
    // The chance that it tells is that of the class it calls positive, which for `linfa` is the more frequent one: staying.
    let tells_leaving = model.labels().pos.class;
    let chance = model.predict_probabilities(test.records()).mapv(|p| if tells_leaving { p } else { 1.0 - p });

    // The audit: about ten lines.
    let offered: Vec<bool> = chance.iter().map(|p| *p >= 0.4).collect();
    let batch = Batch::builder()
        .attribute(Categorical::from_values("gender", held_out.iter().map(|c| &c.gender)))
        .attribute(Categorical::from_keys(
            "senior",
            held_out.iter().map(|c| if c.senior { "65 or over" } else { "under 65" }),
        ))
        .dataset(&test)
        .model(Model::decision("offered", &offered).with_score(chance.view()))
        .build()?;
    let report = AuditPlan::new().policy(Policy::preset("equal-opportunity")?).run(&batch)?;

    say(
        "Who gets the retention offer? A model says who is likely to leave. Of the customers who do leave, it should find as \
         many of the young as of the old, of the women as of the men.",
    );
    println!();
    print!("{}", report.to_text(TextStyle::default()));
    println!();
    let found = |group: &str| -> evenhand::Result<String> {
        let rate = report.metric("true_positive_rate")?.group(group)?.value();
        Ok(rate.map_or_else(|why| why.to_string(), |rate| format!("{:.0} %", 100.0 * rate)))
    };
    say(&format!(
        "Of those who left, the offer would have reached {} of the older and {} of the younger. The verdict that a pipeline \
         acts on: {}.",
        found("65 or over")?,
        found("under 65")?,
        report.verdict
    ));
    Ok(())
}
