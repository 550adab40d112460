//! The same audit every day: each day's rows are counted where they are and only the counts are kept. On
//! Sunday the week is the sum of its days, exactly, and somebody who withdraws consent is taken out again.

mod story;

use evenhand::audit::{AuditPlan, Policy};
use evenhand::data::{Batch, Categorical};
use evenhand::tally::Tally;
use flate2::read::GzDecoder;

use story::say;

struct Row {
    sex: String,
    responded: bool,
    targeted: bool,
}

fn rows() -> Result<Vec<Row>, Box<dyn std::error::Error>> {
    let mut file = csv::Reader::from_reader(GzDecoder::new(std::fs::File::open("datasets/adult_offers.csv.gz")?));
    let header = file.headers()?.clone();
    let column = |name: &str| header.iter().position(|h| h == name).ok_or(format!("no column {name}"));
    let (sex, responded, targeted) = (column("sex")?, column("responded")?, column("targeted")?);
    file.records()
        .map(|record| {
            let row = record?;
            Ok(Row { sex: row[sex].to_string(), responded: &row[responded] == "1", targeted: &row[targeted] == "1" })
        })
        .collect()
}

fn tally(plan: &AuditPlan, rows: &[Row]) -> evenhand::Result<Tally> {
    let responded: Vec<bool> = rows.iter().map(|r| r.responded).collect();
    let targeted: Vec<bool> = rows.iter().map(|r| r.targeted).collect();
    let batch = Batch::builder()
        .attribute(Categorical::from_values("sex", rows.iter().map(|r| &r.sex)))
        .label(&responded)
        .decision(&targeted)
        .build()?;
    plan.tally(&batch)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let plan = AuditPlan::new().policy(Policy::preset("four-fifths")?);
    let rows = rows()?;
    let days: Vec<&[Row]> = rows.chunks(rows.len().div_ceil(7)).collect();

    say("Each day is counted on its own, and only the counts are kept: no row leaves the day.");
    println!();
    println!("day  rows   women  men    ratio [95 % interval]   verdict");
    let mut kept: Vec<String> = Vec::new();
    for (day, rows) in days.iter().enumerate() {
        let counts = tally(&plan, rows)?;
        let report = plan.evaluate(&counts)?;
        let rates = report.metric("selection_rate")?;
        let ratio = &report.metric("disparate_impact")?.ratio("sex")?.estimate;
        let [women, men] = ["Female", "Male"].map(|g| rates.group(g).ok().and_then(|e| e.value).unwrap_or_default());
        let (low, high) = ratio.interval().unwrap_or_default();
        println!(
            "{}    {:<5}  {:>4.1} %  {:>4.1} %  {:.2} [{low:.2}, {high:.2}]       {}",
            day + 1,
            counts.rows(),
            women * 100.0,
            men * 100.0,
            ratio.value.unwrap_or_default(),
            report.verdict
        );
        kept.push(counts.to_json()?);
    }

    let mut week = Tally::from_json(&kept[0])?;
    for day in &kept[1..] {
        week.merge(&Tally::from_json(day)?)?;
    }
    assert_eq!(week, tally(&plan, &rows)?, "the sum of the days is the week");
    let bytes: usize = kept.iter().map(String::len).sum();
    println!("\nThe week: {} rows from {bytes} bytes of counts.", week.rows());
    say(&plan.evaluate(&week)?.summary);

    week.subtract(&tally(&plan, &rows[..1])?)?;
    println!("\nOne person withdrew: {} rows are left.", week.rows());
    Ok(())
}
