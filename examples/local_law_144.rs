//! The bias audit that New York City asks of tools that choose among applicants (Local Law 144, 6 RCNY 5-301), and the US
//! Uniform Guidelines beside it.
//!
//! Employers were sent 4,870 invented applications that differed in the name alone; they are audited as if a tool had
//! picked whom to call back. Then a score: who is above the median of all?

mod story;

use evenhand::audit::{AuditPlan, Policy};
use evenhand::data::Columns;
use evenhand::data::source::Source;
use evenhand::report::{ImpactTable, Report};

use story::say;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let callbacks = Columns::new().attribute("gender".parse()?).attribute("ethnicity".parse()?).decision("callback");
    let applications = Source::open(&["datasets/resume_names.csv.gz"])?;
    let plan = AuditPlan::new().columns(callbacks);

    say(
        "Employers were sent 4,870 applications that differed in the name alone. Who was called back? By New York City's \
         rule, each category's rate is divided by the highest.",
    );
    println!();
    let city = plan.clone().policy(Policy::preset("nyc-local-law-144")?).audit_files(&applications)?;
    tables(&city).for_each(print);

    say(
        "The same by the US Uniform Guidelines: is a rate below four fifths of the highest, and by more than two standard \
         deviations? Short: the callbacks that are missing to four fifths.",
    );
    println!("\n  {:24} {:>14} {:>7}   Adverse impact", "", "Std deviations", "Short");
    let federal = plan.policy(Policy::preset("eeoc")?).audit_files(&applications)?;
    for table in tables(&federal) {
        for row in &table.rows {
            let Some(test) = &row.test else { continue };
            println!(
                "  {:24} {:>14.2} {:>7}   {}",
                row.category,
                test.standard_deviations.unwrap_or(0.0),
                test.shortfall,
                if test.adverse { "indicated" } else { "no" },
            );
        }
    }

    println!();
    say(
        "A score has no callbacks yet. There the rule asks whose scores are above the median of all: 24,421 people, and a \
         model that ranks them.",
    );
    println!();
    let scores = Columns::new().attribute("sex".parse()?).attribute("race".parse()?).score("propensity");
    let plan = AuditPlan::new().columns(scores).policy(Policy::preset("nyc-local-law-144")?);
    let report = plan.audit_files(&Source::open(&["datasets/adult_offers.csv.gz"])?)?;
    tables(&report).take(2).for_each(print);

    say(&format!(
        "The rule sets no pass mark. Of the applications, with intervals and a mark of 0.80: {} Black names were called back \
         two thirds as often, and 4,870 applications are not quite enough to call that worse than four fifths.",
        city.summary
    ));
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
            "  {:24} {:>7} {:>9} {:>5.1} % {ratio:>13}{small}",
            row.category,
            row.people,
            row.selected,
            row.rate * 100.0
        );
    }
    println!("  of unknown category: {}\n", table.unknown);
}
