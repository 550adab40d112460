//! 2,000 offers, and not one more: whom to send them to? By score alone hardly any woman gets one. The best 2,000 under a
//! bound on the gap between women's and men's rates are found exactly, with what each bound costs.
//!
//! The batch is that of `audit_targeting`: half of UCI Adult, played as customers, with the score of a model.

mod story;

use evenhand::data::{Columns, source::Source};
use evenhand::mitigate::postprocess::budget::Budget;
use evenhand::mitigate::postprocess::thresholds::{CommonThreshold, Constraint, ThresholdOptimizer};

use story::say;

const OFFERS: usize = 2_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let columns = Columns::new().attribute("sex".parse()?).label("responded").score("propensity");
    let rows = Source::open(&["datasets/adult_offers.csv.gz"])?.rows(&columns)?;
    let batch = rows.batch()?;

    let chosen = Budget::new(OFFERS).gap(0.02).apply(&batch)?;
    say(
        "There are 2,000 offers, and 24,421 customers with a score. By score alone nearly all of them go to men. How many \
         people have to be exchanged so that both sexes are offered alike, and what does it cost?",
    );
    println!();
    print!("{}", chosen.summary.to_text());

    println!("\nWHAT A BOUND COSTS");
    println!("  {:>12}  {:>8}  {:>8}  {:>8}  {:>12}", "Gap allowed", "Women %", "Men %", "Swapped", "Score lost");
    for gap in [1.0, 0.08, 0.06, 0.04, 0.02, 0.001] {
        match Budget::new(OFFERS).gap(gap).apply(&batch) {
            Ok(chosen) => {
                let summary = chosen.summary;
                let rate = |at: usize| 100.0 * summary.groups[at].after as f64 / summary.groups[at].people as f64;
                println!(
                    "  {:>12.3}  {:>8.1}  {:>8.1}  {:>8}  {:>11.1} %",
                    gap,
                    rate(0),
                    rate(1),
                    summary.swapped,
                    100.0 * summary.score_lost() / summary.score_before
                );
            }
            Err(error) => println!("  {gap:>12.3}  {error}"),
        }
    }

    // Without a budget: thresholds of each sex that are right most often, found where labels are known.
    println!("\nWITHOUT A BUDGET");
    let fitted = ThresholdOptimizer::new(Constraint::EqualOpportunity).slack(0.02).fit(&batch)?;
    print!("{}", fitted.to_text());
    let common = CommonThreshold::new(Constraint::EqualOpportunity).slack(0.02).fit(&batch)?;
    let (kept, missed) = (common.value, common.unconstrained[0]);
    println!();
    say(&format!(
        "One threshold for all, which needs no attribute to decide by, keeps that gap only with an accuracy of {kept:.4} \
         ({missed:.4} without a bound)."
    ));
    Ok(())
}
