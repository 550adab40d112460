//! What if another threshold were chosen? Cuts the scores of a real batch everywhere, and says what each cut would mean for
//! women and men, and what it would cost.
//!
//! The batch is that of `audit_targeting`: half of UCI Adult, played as customers. Who scores at least 0.5 gets the offer.

mod story;

use evenhand::audit::{AuditPlan, Policy};
use evenhand::data::{Columns, source::Source};
use evenhand::metrics::scores::{CurveFigure, CurvePoint};
use evenhand::report::TextStyle;

use story::say;

fn percent(figure: Option<&CurveFigure>) -> String {
    figure.and_then(|f| f.value).map_or("–".into(), |v| format!("{:.1}", 100.0 * v))
}

fn line(what: &str, point: &CurvePoint) {
    let ratio = &point.impact_ratio;
    let value = ratio.value.map_or("–".into(), |v| format!("{v:.3}"));
    let band = ratio.band.map_or(String::new(), |[low, high]| format!("[{low:.2}, {high:.2}]"));
    println!(
        "  {what:<22} {:>9.3} {:>8.1} {value:>6} {band:>12} {:>7} {:>8}",
        point.threshold,
        100.0 * point.share,
        percent(point.true_positive_gap.as_ref()),
        percent(point.accuracy.as_ref()),
    );
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
    println!("  {:<22} Threshold Selected  Ratio    all cuts TPR gap Accuracy", "");
    let fair = |p: &&CurvePoint| p.impact_ratio.value.is_some_and(|v| v >= 0.8);
    let surely = |p: &&CurvePoint| p.impact_ratio.band.is_some_and(|[low, _]| low >= 0.8);
    curves.current.iter().for_each(|point| line("as it is now", point));
    for point in curves.budgets.iter().skip(9).step_by(20) {
        line(&format!("{:.0} % of all", 100.0 * point.share), point);
    }
    match curves.thresholds.iter().find(fair) {
        Some(point) => line("four fifths here", point),
        None => println!("  At none of {} thresholds does the four-fifths rule hold.", curves.thresholds.len()),
    }
    match curves.thresholds.iter().find(surely) {
        Some(point) => line("four fifths for sure", point),
        None => println!("  At none does it surely hold."),
    }
    println!();
    let cost = |p: &CurvePoint| p.accuracy.as_ref().and_then(|a| a.value);
    let current = curves.current.as_ref().and_then(cost);
    if let Some((now, then)) = current.zip(curves.thresholds.iter().find(fair).and_then(cost)) {
        say(&format!(
            "One threshold for all can keep to four fifths, at a price of {:.1} points of accuracy: it has to be so low that \
             almost everybody is selected. Whoever wants less of a gap than that has to change the score, or what it is cut by.",
            100.0 * (now - then)
        ));
    }
    Ok(())
}
