//! Which mitigation, at which price? Several are fitted on one part of the customers and judged on the other: weights,
//! training under a constraint, thresholds by group. Each is set beside what thresholds alone make of the unmitigated
//! model, which is hard to beat. Named a file, it also writes the comparison as a page of HTML:
//! `cargo run --release --features html --example frontier -- frontier.html`.

mod story;

use evenhand::data::{Columns, source::Source};
use evenhand::mitigate::evaluate::{Evaluation, Held, MitigationReport, Outcome, Reweighted, Train};
use evenhand::mitigate::learn::{Learner, Logistic, Scorer};
use evenhand::mitigate::postprocess::thresholds::{Constraint, ThresholdOptimizer};
use evenhand::mitigate::reductions::{Constraint as Kept, ExponentiatedGradient};
use evenhand::mitigate::reweight::Reweight;

use story::say;

const FEATURES: [&str; 5] = ["age", "education_num", "hours_per_week", "capital_gain", "marital_status"];

#[cfg(feature = "html")]
fn write_page(report: &MitigationReport, path: &str) -> Result<(), Box<dyn std::error::Error>> {
    std::fs::write(path, report.to_html()?)?;
    println!("\nAs a page, with arrows and the frontier drawn: {path}");
    Ok(())
}

#[cfg(not(feature = "html"))]
fn write_page(_: &MitigationReport, path: &str) -> Result<(), Box<dyn std::error::Error>> {
    Err(format!("{path} is not written: pages need the feature `html`").into())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let source = Source::open(&["datasets/adult.csv.gz"])?;
    let mut columns = Columns::new().attribute("sex".parse()?).label("income");
    columns.favorable.insert("income".into(), vec![">50K".into()]);
    let rows = source.rows(&columns)?;
    let batch = rows.batch()?;
    let (features, _) = source.table(&FEATURES.map(String::from), &[])?.features(&FEATURES)?;

    let learner = Logistic::new();
    let constrained = |slack: f64| {
        move |train: &Train| {
            let fitted = ExponentiatedGradient::new(Kept::DemographicParity).slack(slack).iterations(15).fit(
                &Logistic::new(),
                train.features(),
                train.batch(),
            )?;
            Ok(move |held: &Held| Ok(Outcome::of_chances(fitted.scores(held.features()))))
        }
    };
    // Thresholds are found on a third of the training rows that the model has not seen.
    let by_group = |slack: f64| {
        move |train: &Train| {
            let (fit_on, found_on) = train.split(0.67)?;
            let model = Logistic::new().fit(fit_on.features(), fit_on.labels(), fit_on.weights())?;
            let scored = found_on.scored(model.scores(found_on.features()))?;
            let thresholds = ThresholdOptimizer::new(Constraint::DemographicParity).slack(slack).fit(&scored)?;
            Ok(move |held: &Held| {
                let scores = model.scores(held.features());
                Ok(Outcome::of_chances(thresholds.probabilities(held.people()?, &scores)?).with_scores(scores))
            })
        }
    };
    let report = Evaluation::new(learner)
        .mitigation("weights", Reweighted { reweight: Reweight::new(), learner })
        .mitigation("constraint 0.05", constrained(0.05))
        .mitigation("constraint 0.01", constrained(0.01))
        .knowing_groups("thresholds 0.10", by_group(0.10))
        .knowing_groups("thresholds 0.02", by_group(0.02))
        .held_out(0.5)
        .seed(7)
        .frontier([0.15, 0.10, 0.05, 0.02, 0.0])
        .run(features.view(), &batch)?;
    say(
        "Men are offered more often than women. Five remedies are tried on one half of the customers and judged on the other: \
         which of them helps, and what does it cost?",
    );
    println!();
    print!("{}", report.to_text());
    if let Some(path) = std::env::args().nth(1) {
        write_page(&report, &path)?;
    }
    Ok(())
}
