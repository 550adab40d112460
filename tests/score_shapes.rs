//! The scores of groups in few numbers: against a loop over the rows, and where there is nothing to tell.

use approx::assert_relative_eq;
use evenhand::audit::{AuditPlan, NamedGroup, Policy};
use evenhand::data::{Batch, Categorical, Model};
use evenhand::inference::rate::wilson;
use evenhand::metrics::Undefined;
use evenhand::report::{GroupShape, Report, ScoreShapes};

const ROWS: usize = 4_000;

fn sex(i: usize) -> &'static str {
    if i.is_multiple_of(3) { "f" } else { "m" }
}

fn score(i: usize) -> f64 {
    (i * 7_919 % 1_999) as f64 / 2_000.0
}

fn label(i: usize) -> u8 {
    u8::from(score(i) > (i * 104_729 % 1_013) as f64 / 1_013.0)
}

/// An audit by sex of scores, without decisions.
fn audit(scores: Vec<f64>, labels: Option<Vec<u8>>, weights: Option<Vec<f64>>) -> Report {
    let rows = scores.len();
    let mut batch = Batch::builder()
        .attribute(Categorical::from_values("sex", (0..rows).map(sex)))
        .model(Model::score("propensity", scores));
    if let Some(labels) = labels {
        batch = batch.label(labels);
    }
    if let Some(weights) = weights {
        batch = batch.weight(weights);
    }
    AuditPlan::new().run(&batch.build().unwrap()).unwrap()
}

fn shapes(report: &Report) -> &ScoreShapes {
    report.models[0].tables[0].scores.as_ref().expect("scores")
}

fn group<'a>(report: &'a Report, name: &str) -> &'a GroupShape {
    shapes(report).groups.iter().find(|g| g.group == name).expect("a group")
}

#[test]
fn figures_are_those_of_a_loop_over_the_rows() {
    let weight = |i: usize| 1.0 + (i % 4) as f64;
    for weighted in [false, true] {
        let w = |i: usize| if weighted { weight(i) } else { 1.0 };
        let weights = weighted.then(|| (0..ROWS).map(weight).collect());
        let report = audit((0..ROWS).map(score).collect(), Some((0..ROWS).map(label).collect()), weights);
        for name in ["f", "m"] {
            let own = || (0..ROWS).filter(|i| sex(*i) == name);
            let sum = |keep: &dyn Fn(usize) -> bool| own().filter(|i| keep(*i)).map(w).sum::<f64>();
            let found = group(&report, name);
            let bins = shapes(&report).bins.unwrap();
            assert_eq!((bins.from, bins.to, bins.open), (0.0, 1.0, [false; 2]));
            let n = found.histogram.len() as f64;
            for (k, share) in found.histogram.iter().enumerate() {
                let bin = |i: usize| ((score(i) * n + 1e-9) as usize).min(n as usize - 1) == k;
                assert_relative_eq!(*share, sum(&bin) / sum(&|_| true), epsilon = 1e-12);
            }
            assert_eq!(found.calibration.len(), 10);
            for b in &found.calibration {
                let inside = |i: usize| score(i) >= b.low && score(i) <= b.high;
                let mean = own().filter(|i| inside(*i)).map(|i| w(i) * score(i)).sum::<f64>() / sum(&inside);
                assert_relative_eq!(b.mean_score, mean, epsilon = 1e-12);
                let rate = sum(&|i| inside(i) && label(i) == 1) / sum(&inside);
                assert_relative_eq!(b.observed.value.unwrap(), rate, epsilon = 1e-12);
                let (low, high) = b.observed.interval().unwrap();
                assert!(low <= rate && rate <= high);
                if !weighted {
                    let n = sum(&inside);
                    let sure = wilson(rate * n, n, 0.95).unwrap();
                    assert_eq!(b.observed.support.rows, n);
                    assert_relative_eq!(low, sure.low, epsilon = 1e-9);
                    assert_relative_eq!(high, sure.high, epsilon = 1e-9);
                }
            }
            assert!(found.roc.len() > 50 && found.roc.len() <= 60);
            for p in &found.roc {
                let (up, down) = (|i: usize| label(i) == 1, |i: usize| label(i) == 0);
                let above = |i: usize| score(i) >= p.threshold;
                assert_relative_eq!(p.tpr, sum(&|i| up(i) && above(i)) / sum(&up), epsilon = 1e-9);
                assert_relative_eq!(p.fpr, sum(&|i| down(i) && above(i)) / sum(&down), epsilon = 1e-9);
            }
        }
    }
}

#[test]
fn what_cannot_be_told_has_its_reason() {
    let scores = || (0..ROWS).map(score);
    let labels = || Some((0..ROWS).map(label).collect());
    let unlabelled = audit(scores().collect(), None, None);
    let found = group(&unlabelled, "f");
    assert_eq!((found.no_roc, found.no_calibration), (Some(Undefined::NoLabels), Some(Undefined::NoLabels)));
    assert!(found.roc.is_empty() && found.calibration.is_empty() && !found.histogram.is_empty());

    // Scores that are no probabilities rank all the same.
    let wide = audit(scores().map(|s| 3.0 * s - 1.0).collect(), labels(), None);
    let found = group(&wide, "f");
    assert_eq!((found.no_roc, found.no_calibration), (None, Some(Undefined::NotProbabilities)));

    let one = audit(vec![0.5; ROWS], labels(), None);
    let (found, bins) = (group(&one, "f"), shapes(&one).bins.unwrap());
    assert_eq!((bins.from, bins.to), (0.5, 0.5));
    assert_eq!((found.histogram.len(), found.calibration.len(), found.roc.len()), (1, 1, 1));

    let light = audit(scores().collect(), labels(), Some((0..ROWS).map(|i| f64::from(sex(i) == "m")).collect()));
    assert_eq!(shapes(&light).left_out[0].group, "f");
    assert_eq!(shapes(&light).left_out[0].reason, Undefined::NoWeight.to_string());

    // Labels that decisions made known tell neither.
    let chosen: Vec<Option<bool>> = (0..ROWS).map(|i| (score(i) >= 0.5).then(|| label(i) == 1)).collect();
    let batch = Batch::builder()
        .attribute(Categorical::from_values("sex", (0..ROWS).map(sex)))
        .label(chosen.as_slice())
        .model(Model::threshold("propensity", scores().collect::<Vec<_>>(), 0.5))
        .build()
        .unwrap();
    let report = AuditPlan::new().run(&batch).unwrap();
    let found = group(&report, "f");
    assert_eq!(
        (found.no_roc, found.no_calibration),
        (Some(Undefined::SelectiveLabels), Some(Undefined::SelectiveLabels))
    );
}

#[test]
fn without_scores_there_is_nothing_and_named_groups_have_theirs() {
    let batch = || {
        Batch::builder()
            .attribute(Categorical::from_values("sex", (0..ROWS).map(sex)))
            .attribute(Categorical::from_values(
                "half",
                (0..ROWS).map(|i: usize| if i.is_multiple_of(2) { "even" } else { "odd" }),
            ))
            .label((0..ROWS).map(label).collect::<Vec<u8>>())
    };
    let plain = AuditPlan::new().run(&batch().build().unwrap()).unwrap();
    assert!(plain.models[0].tables.iter().all(|t| t.scores.is_none()));
    assert!(!plain.to_json().unwrap().contains("\"histogram\""));

    let scored = batch().model(Model::score("propensity", (0..ROWS).map(score).collect::<Vec<_>>())).build().unwrap();
    let women = "women: sex=f".parse::<NamedGroup>().unwrap();
    let report = AuditPlan::new().policy(Policy::default()).order(2).group(women).run(&scored).unwrap();
    for t in &report.models[0].tables {
        assert_eq!(t.scores.is_some(), t.attributes.len() == 1 || t.overlapping, "{}", t.attribute);
    }
    // What was written before there were any still reads.
    let mut value = serde_json::to_value(&report).unwrap();
    for t in value["models"][0]["tables"].as_array_mut().unwrap() {
        t.as_object_mut().unwrap().remove("scores");
    }
    let old: Report = serde_json::from_value(value).unwrap();
    assert!(old.models[0].tables.iter().all(|t| t.scores.is_none()));
    assert_eq!(Report::from_json(&report.to_json().unwrap()).unwrap(), report);
}

/// Chunks of the rows, counted apart and merged, have the shapes of all rows.
#[test]
fn merged_tallies_have_the_same_shapes() {
    let batch = |rows: std::ops::Range<usize>| {
        Batch::builder()
            .attribute(Categorical::from_values("sex", rows.clone().map(sex)))
            .label(rows.clone().map(label).collect::<Vec<u8>>())
            .model(Model::score("propensity", rows.map(score).collect::<Vec<_>>()))
            .build()
            .unwrap()
    };
    let plan = AuditPlan::new();
    let whole = plan.run(&batch(0..ROWS)).unwrap();
    let mut all = plan.tally(&batch(0..1_500)).unwrap();
    all.merge(&plan.tally(&batch(1_500..ROWS)).unwrap()).unwrap();
    assert_eq!(shapes(&plan.evaluate(&all).unwrap()), shapes(&whole));
}
