//! What if another threshold were chosen? Cuts the scores of a real batch everywhere, and says what each cut would mean for
//! women and men, and what it would cost.
//!
//! The batch is that of `audit_targeting`: half of UCI Adult, played as customers. Who scores at least 0.5 gets the offer.

use evenhand::audit::{AuditPlan, Policy};
use evenhand::data::{Columns, source::Source};
use evenhand::metrics::scores::{CurveFigure, CurvePoint};
use evenhand::report::TextStyle;

fn percent(figure: Option<&CurveFigure>) -> String {
    figure.and_then(|f| f.value).map_or("not known".into(), |v| format!("{:.1} %", 100.0 * v))
}

fn say(point: &CurvePoint) -> String {
    let ratio = &point.impact_ratio;
    let value = ratio.value.map_or("undefined".into(), |v| format!("{v:.3}"));
    let band = ratio.band.map_or(String::new(), |[low, high]| format!(" [{low:.2}, {high:.2}]"));
    format!(
        "threshold {:.3}, {:.1} % selected: impact ratio {value}{band}, TPR gap {}, accuracy {}, balanced {}",
        point.threshold,
        100.0 * point.share,
        percent(point.true_positive_gap.as_ref()),
        percent(point.accuracy.as_ref()),
        percent(point.balanced_accuracy.as_ref()),
    )
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut columns = Columns::new().attribute("sex".parse()?).label("responded").score("propensity");
    columns.thresholds.push(0.5);
    let plan = AuditPlan::new().columns(columns).policy(Policy::preset("four-fifths")?).curves(100);
    let report = plan.audit_files(&Source::open(&["datasets/adult_offers.csv.gz"])?)?;
    print!("{}", report.to_text(TextStyle::default()));

    // Limits are the bands: they hold at every cut at once, so that one may pick the cut that looks best.
    let curves = report.models[0].table("sex")?.curves.as_ref().ok_or("there are no scores")?;
    println!("\nTHE CHOICE OF A THRESHOLD");
    if let Some(current) = &curves.current {
        println!("At your threshold:\n  {}.", say(current));
    }
    let fair = |p: &&CurvePoint| p.impact_ratio.value.is_some_and(|v| v >= 0.8);
    let surely = |p: &&CurvePoint| p.impact_ratio.band.is_some_and(|[low, _]| low >= 0.8);
    match curves.thresholds.iter().find(fair) {
        Some(point) => println!(
            "The highest of {} thresholds at which the four-fifths rule holds in this batch:\n  {}.",
            curves.thresholds.len(),
            say(point)
        ),
        None => println!("At none of {} thresholds does the four-fifths rule hold.", curves.thresholds.len()),
    }
    match curves.thresholds.iter().find(surely) {
        Some(point) => println!("The highest at which it surely holds, wherever one looks:\n  {}.", say(point)),
        None => println!("At none does it surely hold."),
    }
    let cost = |p: &CurvePoint| p.accuracy.as_ref().and_then(|a| a.value);
    let current = curves.current.as_ref().and_then(cost);
    if let Some((now, then)) = current.zip(curves.thresholds.iter().find(fair).and_then(cost)) {
        println!(
            "One threshold for all can be fair by that rule at a price of {:.1} points of accuracy.",
            100.0 * (now - then)
        );
    }
    println!("By budget:");
    for point in curves.budgets.iter().skip(9).step_by(20) {
        println!("  {}", say(point));
    }
    Ok(())
}
