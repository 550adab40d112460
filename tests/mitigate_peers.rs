//! Mitigation of real rows against the answers of other toolkits on the same rows.

#![cfg(feature = "csv")]

use evenhand::data::{Columns, source::Rows, source::Source};
use evenhand::mitigate::postprocess::calibrated_odds::{CalibratedOdds, ScoreCost};
use evenhand::mitigate::postprocess::score_repair::ScoreRepair;
use evenhand::mitigate::postprocess::thresholds::{Constraint, RejectOption, ThresholdOptimizer};

fn rows(name: &str, attribute: &str, label: &str) -> Rows {
    let columns = Columns::new().attribute(attribute.parse().unwrap()).label(label).score("score");
    Source::open(&[format!("tests/data/{name}.csv.gz")]).unwrap().rows(&columns).unwrap()
}

/// fairlearn 0.15.0, `ThresholdOptimizer` with accuracy on a grid of 1,000 rates, expected over its draws.
#[test]
fn fairlearns_thresholds_are_reached_or_beaten() {
    for (attribute, constraint, theirs) in [
        ("sex", Constraint::DemographicParity, 0.8314208533089192),
        ("sex", Constraint::EqualizedOdds, 0.8368975518221877),
        ("sex", Constraint::EqualOpportunity, 0.8491271233701413),
        ("race", Constraint::DemographicParity, 0.8483040552352509),
        ("race", Constraint::EqualizedOdds, 0.8323839370195211),
        ("race", Constraint::EqualOpportunity, 0.8510402916213652),
    ] {
        let read = rows("adult_scored", attribute, "label");
        let batch = read.batch().unwrap();
        let fitted = ThresholdOptimizer::new(constraint).fit(&batch).unwrap();
        let what = format!("{attribute}, {constraint:?}: {} against {theirs}", fitted.value);
        assert!(fitted.value >= theirs - 1e-12, "{what}");
        // A grid of 1,000 cannot miss much more.
        assert!(fitted.value < theirs + 0.002, "{what}");
        assert!(fitted.gap() < 1e-12, "{what}: gap {}", fitted.gap());
        // As many are drawn as is said.
        let chances = fitted.probabilities(&batch, read.scores(0).unwrap()).unwrap();
        let said: f64 = fitted.groups.iter().map(|g| g.rows as f64 * g.selection_rate).sum();
        assert!((chances.iter().sum::<f64>() / said - 1.0).abs() < 1e-9, "{what}");
        // A slack can only be worth more.
        let slack = ThresholdOptimizer::new(constraint).slack(0.05).fit(&batch).unwrap();
        assert!(slack.value >= fitted.value - 1e-9 && slack.gap() <= 0.05 + 1e-9, "{what}");
    }
}

/// AIF360 0.6.1, `CalibratedEqOddsPostprocessing`. Where no mixing serves, it gives rates above 1.
#[test]
fn aif360_mixes_the_same_shares() {
    let fit = |name: &str, cost| {
        let read = rows(name, "sex", "y_true");
        CalibratedOdds::new(cost).fit(&read.batch().unwrap())
    };
    for (name, cost, who, theirs) in [
        ("german_lr", ScoreCost::FalseNegativeRate, "male", 0.10651293013257358),
        ("german_lr", ScoreCost::FalsePositiveRate, "female", 0.01960057252631247),
        ("german_lr", ScoreCost::MeanError, "male", 0.3484928358966677),
        ("adult_lr", ScoreCost::FalseNegativeRate, "Male", 0.35021078669007977),
    ] {
        let fitted = fit(name, cost).unwrap();
        for group in &fitted.groups {
            let expected = if group.levels == [who] { theirs } else { 0.0 };
            assert!((group.mix - expected).abs() < 1e-9, "{name}, {cost:?}: {group:?}");
        }
    }
    for (cost, theirs) in [(ScoreCost::FalsePositiveRate, 2.2426), (ScoreCost::MeanError, 1.4867)] {
        let slip = fit("adult_lr", cost).unwrap_err().to_string();
        assert!(slip.contains("`Female`") && theirs > 1.0, "{slip}");
    }
}

/// AIF360 0.6.1, `RejectOptionClassification` on its grid of 100 thresholds and 50 margins, with gaps of up to 0.05: the
/// balanced accuracy that it reaches, with the gap.
#[test]
fn aif360s_margins_are_reached_or_beaten() {
    for (name, behind, constraint, theirs) in [
        ("german_lr", "female", Constraint::DemographicParity, 0.7102380952380952),
        ("german_lr", "female", Constraint::EqualOpportunity, 0.7121428571428572),
        ("adult_lr", "Female", Constraint::DemographicParity, 0.7904000519706204),
        ("adult_lr", "Female", Constraint::EqualOpportunity, 0.8166892008028378),
    ] {
        let read = rows(name, "sex", "y_true");
        let fitted =
            RejectOption::new(constraint).slack(0.05).disadvantaged([behind]).fit(&read.batch().unwrap()).unwrap();
        let what = format!("{name}, {constraint:?}: {} against {theirs}", fitted.value);
        assert!(fitted.value >= theirs - 1e-12 && fitted.value < theirs + 0.02, "{what}");
        assert!(fitted.gap <= 0.05 + 1e-9, "{what}: gap {}", fitted.gap);
    }
}

/// After full repair every threshold selects alike, up to people of one score.
#[test]
fn repaired_scores_of_adult_are_alike() {
    let read = rows("adult_scored", "race", "label");
    let (batch, scores) = (read.batch().unwrap(), read.scores(0).unwrap());
    let fitted = ScoreRepair::new().fit(&batch).unwrap();
    let ids: Vec<u64> = (0..scores.len() as u64).collect();
    let level = &batch.attributes()[0];
    let furthest = |scores: &[f64]| {
        let mut worst: f64 = 0.0;
        for cut in (1..100).map(|c| f64::from(c) / 100.0) {
            let rates = (0..level.levels().len() as u32).map(|group| {
                let of =
                    || scores.iter().enumerate().filter(|(row, _)| level.codes().get(*row) == Some(group as usize));
                of().filter(|(_, s)| **s >= cut).count() as f64 / of().count() as f64
            });
            let (low, high) = rates.fold((1.0, 0.0), |(l, h): (f64, f64), r| (l.min(r), h.max(r)));
            worst = worst.max(high - low);
        }
        worst
    };
    assert!(furthest(scores) > 0.2);
    // What is left are the steps of small groups.
    let together = furthest(&fitted.repair(&batch, scores).unwrap());
    let apart = furthest(&fitted.repair_spread(&batch, scores, &ids, 1).unwrap());
    assert!(together < 0.03 && apart < 0.03, "{together} {apart}");
}
