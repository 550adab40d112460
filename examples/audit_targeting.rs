//! Who gets the premium offer? Audits a real batch of scores and prints the report.
//!
//! The batch is half of UCI Adult, played as customers: `responded` says who would have taken the offer,
//! `propensity` is the score of a model that saw neither sex nor race, `targeted` who got the offer. Men are
//! offered four times as often as women, though the model never saw who is who.

mod story;

use evenhand::audit::{AuditPlan, Policy};
use evenhand::data::{Columns, source::Source};
use evenhand::report::TextStyle;

use story::say;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let columns = Columns::new()
        .attribute("sex".parse()?)
        .attribute("race".parse()?)
        .attribute("age:<=25,26-40,41-60,>60".parse()?)
        .label("responded")
        .decision("targeted")
        .score("propensity");
    let policy = Policy::from_toml(
        r#"
        name = "premium offer"

        # Every group is offered at least four fifths as often as the best-off.
        [[criteria]]
        metric = "disparate_impact"
        comparison = "ratio"
        minimum = 0.8
        attributes = ["sex", "race"]

        # Those who would have taken it are offered it about equally often.
        [[criteria]]
        metric = "equal_opportunity"
        comparison = "difference"
        maximum = 0.05
        attributes = ["sex", "race"]
        "#,
    )?;
    let plan = AuditPlan::new().columns(columns).policy(policy).reference("sex", "Male");
    let report = plan.audit_files(&Source::open(&["datasets/adult_offers.csv.gz"])?)?;
    say(
        "A bank offers its premium card to those whom a model rates best. The model never saw anybody's sex or race. Who gets \
         the offer?",
    );
    println!();
    print!("{}", report.to_text(TextStyle::default()));

    // Any figure by name.
    let women = report.metric("true_positive_rate")?.group("Female")?;
    if let (Ok(rate), Some((low, high))) = (women.value(), women.interval()) {
        println!();
        say(&format!(
            "Of the women who would have responded, {:.1} % got the offer [{:.1}, {:.1}]: the others are customers whom the bank \
             did not ask.",
            rate * 100.0,
            low * 100.0,
            high * 100.0
        ));
    }
    Ok(())
}
