//! Who ends in which value segment? `linfa`'s k-means clusters customers by how long they have stayed and what they pay
//! a month; the clusters, named by what a customer of each has paid, are a segmentation to audit.
//!
//! The model never sees age, and yet seniors are put into other segments than the younger.

mod story;

use std::cmp::Ordering;

use evenhand::audit::{AuditPlan, Policy};
use evenhand::data::{Batch, Categorical, Segments};
use evenhand::individual::{Clustering, social_fairness};
use evenhand::metrics::Confidence;
use evenhand::report::TextStyle;
use flate2::read::GzDecoder;
use linfa::prelude::*;
use linfa_clustering::KMeans;
use ndarray::{Array1, Array2};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256Plus;

use story::say;

const TIERS: [&str; 4] = ["bronze", "silver", "gold", "platinum"];
/// What the loyalty programme gives away in each tier, in dollars a month.
const DISCOUNTS: [f64; 4] = [0.0, 2.0, 5.0, 10.0];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut file = csv::Reader::from_reader(GzDecoder::new(std::fs::File::open("datasets/telco_churn.csv.gz")?));
    let header = file.headers()?.clone();
    let column = |name: &str| header.iter().position(|h| h == name).ok_or(format!("no column {name}"));
    let (gender, senior) = (column("gender")?, column("senior_citizen")?);
    let (tenure, monthly) = (column("tenure")?, column("monthly_charges")?);
    let (mut genders, mut ages, mut features) = (Vec::new(), Vec::new(), Vec::new());
    for record in file.records() {
        let row = record?;
        genders.push(row[gender].to_string());
        ages.push(if matches!(&row[senior], "1" | "Yes") { "65 or over" } else { "under 65" });
        features.extend([row[tenure].parse::<f64>()? / 72.0, row[monthly].parse::<f64>()? / 118.75]);
    }
    let records: Array2<f64> = Array1::from(features).into_shape_with_order((genders.len(), 2))?;

    // The segmentation: four clusters, from the one whose customers have paid least to the one that paid most.
    let rng = Xoshiro256Plus::seed_from_u64(7);
    let model = KMeans::params_with_rng(TIERS.len(), rng).fit(&DatasetBase::from(records.clone()))?;
    let cluster = model.predict(&records);
    let paid = |c: &usize| model.centroids()[[*c, 0]] * model.centroids()[[*c, 1]];
    let mut order: Vec<usize> = (0..TIERS.len()).collect();
    order.sort_by(|a, b| paid(a).partial_cmp(&paid(b)).unwrap_or(Ordering::Equal));
    let tier = |c: usize| TIERS[order.iter().position(|o| *o == c).unwrap_or(0)];

    // The audit.
    let segments = Segments::of(Categorical::from_values("tier", cluster.iter().map(|c| tier(*c))));
    let batch = Batch::builder()
        .attribute(Categorical::from_values("gender", &genders))
        .attribute(Categorical::from_values("age", &ages))
        .segments(segments.order(TIERS).values(TIERS.into_iter().zip(DISCOUNTS)))
        .build()?;
    let policy = Policy::from_toml(
        r#"
        name = "like tiers"
        [[criteria]]
        metric = "total_variation"
        comparison = "value"
        maximum = 0.1
        [[criteria]]
        metric = "mean_benefit"
        comparison = "ratio"
        minimum = 0.8
        "#,
    )?;
    let report = AuditPlan::new().order(1).policy(policy).run(&batch)?;
    say(
        "Nobody told the clustering how old a customer is. It puts people into value tiers by how long they have stayed and \
         what they pay; each tier has its discount. Who ends where?",
    );
    println!();
    print!("{}", report.to_text(TextStyle::default()));

    // What needs the customers themselves: does the clustering describe the older as well as the younger?
    let tiers: Vec<u32> = cluster.iter().map(|c| *c as u32).collect();
    let groups: Vec<u32> = ages.iter().map(|age| u32::from(*age == "65 or over")).collect();
    let rows = Clustering::new(records.view(), &tiers, &groups, None)?;
    let fit = social_fairness(&rows, Some(model.centroids().view()), true, Confidence::at(0.95))?;
    println!("\nMean squared distance to the own centre");
    for (name, cost) in ["under 65", "65 or over"].iter().zip(&fit.groups) {
        if let (Ok(value), Some((low, high))) = (cost.value(), cost.interval()) {
            println!("  {name:<12}{value:.4} [{low:.4}, {high:.4}]");
        }
    }
    println!();
    say(
        "Women and men are spread alike. The older stand in other tiers than the younger, and the tiers describe both about \
         equally well: the difference is in the customers, and what follows from it is the discount's to answer for.",
    );
    Ok(())
}
