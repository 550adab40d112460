//! The bias audit that New York City asks of tools that choose among applicants (Local Law 144, 6 RCNY 5-301), and the US
//! Uniform Guidelines beside it.
//!
//! Employers were sent 4,870 invented applications that differed in the name alone; they are audited as if a tool had
//! picked whom to call back. Then a score: who is above the median of all?

use evenhand::audit::{AuditPlan, Policy};
use evenhand::data::Columns;
use evenhand::data::source::Source;
use evenhand::report::{ImpactTable, Report};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let callbacks = Columns::new().attribute("gender".parse()?).attribute("ethnicity".parse()?).decision("callback");
    let applications = Source::open(&["datasets/resume_names.csv.gz"])?;
    let plan = AuditPlan::new().columns(callbacks);

    println!("Called back, by New York City's rule: each category's rate over the highest.\n");
    let city = plan.clone().policy(Policy::preset("nyc-local-law-144")?).audit_files(&applications)?;
    tables(&city).for_each(print);

    println!("The same by the Uniform Guidelines: four fifths, and more than two standard deviations.\n");
    let federal = plan.policy(Policy::preset("eeoc")?).audit_files(&applications)?;
    for table in tables(&federal) {
        for row in &table.rows {
            let Some(test) = &row.test else { continue };
            println!(
                "  {:24} {:>6.2} standard deviations, {:>3} short of four fifths: {}",
                row.category,
                test.standard_deviations.unwrap_or(0.0),
                test.shortfall,
                if test.adverse { "adverse impact indicated" } else { "not indicated" },
            );
        }
    }

    println!("\nA score of 24,421 people: the scoring rate is the share strictly above the median of all.\n");
    let scores = Columns::new().attribute("sex".parse()?).attribute("race".parse()?).score("propensity");
    let plan = AuditPlan::new().columns(scores).policy(Policy::preset("nyc-local-law-144")?);
    let report = plan.audit_files(&Source::open(&["datasets/adult_offers.csv.gz"])?)?;
    tables(&report).take(2).for_each(print);

    println!("The rule sets no pass mark. The audit does, with intervals: {}", city.summary);
    Ok(())
}

fn tables(report: &Report) -> impl Iterator<Item = &ImpactTable> {
    report.models.iter().flat_map(|m| &m.impact)
}

fn print(table: &ImpactTable) {
    println!(
        "  {:24} {:>7} {:>9} {:>7} {:>13}",
        format!("By {}", table.attribute),
        "People",
        "Selected",
        "Rate",
        "Impact ratio"
    );
    for row in &table.rows {
        let ratio = row.impact_ratio.map_or("–".into(), |r| format!("{r:.3}"));
        let small = if row.excluded { "  under 2 %" } else { "" };
        println!(
            "  {:24} {:>7} {:>9} {:>6.1}% {ratio:>13}{small}",
            row.category,
            row.people,
            row.selected,
            row.rate * 100.0
        );
    }
    println!("  of unknown category: {}\n", table.unknown);
}
