//! Small cases whose answers the peers' own documentation and tests give.

mod small;

use evenhand::audit::{AuditPlan, Comparison::Difference, Comparison::Ratio};
use evenhand::data::{Batch, Model};
use evenhand::metrics::Undefined;
use evenhand::report::Report;

use small::{Rows, against, close, difference, group, groups, overall, plan, ratio};

const LABEL_OF_EIGHT: [u8; 8] = [1, 0, 1, 0, 1, 0, 1, 1];
const DECISION_OF_EIGHT: [u8; 8] = [1, 0, 0, 1, 1, 1, 1, 0];

/// AIF360's eight weighted rows: 0 is unprivileged, 1 privileged.
fn eight_weighted_rows() -> Report {
    let model = Model::decision("m", DECISION_OF_EIGHT).with_score([0.9, 0.2, 0.4, 0.6, 0.8, 0.7, 0.9, 0.3]);
    let batch = Batch::builder()
        .attribute(groups("group", ["0", "0", "0", "0", "1", "1", "1", "1"]))
        .label(LABEL_OF_EIGHT)
        .model(model)
        .weight([1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0, 4.0])
        .build()
        .unwrap();
    plan().reference("group", "1").run(&batch).unwrap()
}

#[test]
fn aif360_parity_and_impact_of_weighted_rows() {
    let report = eight_weighted_rows();
    close(against(&report, "demographic_parity", "0", Difference, "1"), -0.1);
    close(against(&report, "disparate_impact", "0", Ratio, "1"), 0.8333333333);
    close(against(&report, "equal_opportunity", "0", Difference, "1"), -0.25);
}

#[test]
fn aif360_odds_of_weighted_rows() {
    let report = eight_weighted_rows();
    close(against(&report, "average_odds", "0", Difference, "1"), -0.2916666667);
    close(against(&report, "equalized_odds_mean", "0", Difference, "1"), 0.2916666667);
    close(against(&report, "equalized_odds", "0", Difference, "1"), 0.3333333333);
    let of_scores = ["mean_score_positives", "mean_score_negatives"]
        .map(|m| against(&report, m, "0", Difference, "1").unwrap().abs());
    close(Ok(of_scores[0].max(of_scores[1])), 0.2333333333);
}

#[test]
fn aif360_errors_of_weighted_rows() {
    let report = eight_weighted_rows();
    let of = |metric| against(&report, metric, "0", Difference, "1").unwrap();
    close(Ok((of("precision") + of("false_omission_rate")) / 2.0), -0.4333333333);
    close(Ok(of("false_discovery_rate")), 0.4666666667);
    close(Ok(of("false_omission_rate")), -0.4);
    close(Ok(-of("accuracy")), 0.1);
    let errors = ["0", "1"].map(|g| 1.0 - group(&report, "accuracy", g).unwrap());
    close(Ok(errors[0] / errors[1]), 1.1666666667);
}

#[test]
fn fairlearn_rates_of_women_and_men() {
    let sex = ["Female"; 5].into_iter().chain(["Male"; 5]);
    let batch = Batch::builder()
        .attribute(groups("group", sex))
        .label([1, 1, 1, 1, 1, 0, 0, 1, 1, 0])
        .decision([0, 1, 1, 1, 1, 0, 0, 0, 1, 1]);
    let report = plan().run(&batch.build().unwrap()).unwrap();
    let expected = [
        ("selection_rate", [Ok(0.8), Ok(0.4)]),
        ("accuracy", [Ok(0.8), Ok(0.6)]),
        ("true_positive_rate", [Ok(0.8), Ok(0.5)]),
        // fairlearn answers 0 for the women, who have no negatives.
        ("false_positive_rate", [Err(Undefined::NoNegatives), Ok(1.0 / 3.0)]),
    ];
    for (metric, values) in expected {
        assert_eq!([group(&report, metric, "Female"), group(&report, metric, "Male")], values, "{metric}");
    }
}

#[test]
fn fairlearn_disparities_of_three_groups() {
    let batch = Batch::builder()
        .attribute(groups("group", "bbabbcccaacabccbcc".chars().map(String::from)))
        .label([0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1])
        .decision([0, 0, 1, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0]);
    let report = plan().run(&batch.build().unwrap()).unwrap();
    close(difference(&report, "demographic_parity"), 0.25);
    close(ratio(&report, "demographic_parity"), 0.6666666667);
    close(difference(&report, "equalized_odds"), 1.0);
    close(ratio(&report, "equalized_odds"), 0.0);
    close(difference(&report, "equal_opportunity"), 0.2);
}

#[test]
fn fairlearn_weighted_selection() {
    let batch = Batch::builder()
        .attribute(groups("group", ["a", "a", "a", "a", "b", "b", "b", "b"]))
        .decision([0, 1, 1, 0, 0, 0, 0, 0])
        .weight([1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 1.0, 2.0]);
    let report = plan().run(&batch.build().unwrap()).unwrap();
    close(overall(&report, "selection_rate"), 0.3125);
}

#[test]
fn fairlearn_control_features_are_strata() {
    let batch = Batch::builder()
        .attribute(groups("group", ["A", "A", "A", "B", "B", "B"]))
        .stratum(groups("Z", ["Z", "Z", "W", "Z", "Z", "Z"]))
        .decision([1, 0, 1, 0, 0, 1]);
    let report = plan().run(&batch.build().unwrap()).unwrap();
    let table = report.models[0].table("group").unwrap();
    let within = |at: usize, stratum: &str| table.groups[at].strata.get(stratum).map(|s| s["selection_rate"].value());
    assert_eq!((within(0, "W"), within(1, "W")), (Some(Ok(1.0)), None));
    assert_eq!((within(0, "Z"), within(1, "Z")), (Some(Ok(0.5)), Some(Ok(1.0 / 3.0))));
    let by_stratum = |stratum: &str| {
        let found = table.disparities.iter().find(|d| {
            d.stratum.as_deref() == Some(stratum) && d.metric == "selection_rate" && d.comparison == Difference
        });
        found.unwrap().estimate.value()
    };
    close(by_stratum("Z"), 1.0 / 6.0);
    assert_eq!(by_stratum("W"), Err(Undefined::TooFewGroups));
}

/// fairlearn's moments: by how much a group is above the whole.
#[test]
fn fairlearn_constraint_violations() {
    let batch = Batch::builder()
        .attribute(groups("group", "aaabbbbb".chars().map(String::from)))
        .label([1, 0, 1, 0, 1, 1, 0, 1])
        .decision([1, 0, 1, 0, 0, 1, 1, 0]);
    let report = plan().run(&batch.build().unwrap()).unwrap();
    for (metric, a, b) in [
        ("selection_rate", 0.1666666667, -0.1),
        ("false_positive_rate", -0.3333333333, 0.1666666667),
        ("true_positive_rate", 0.4, -0.2666666667),
        // Error parity, -0.375 and +0.225, with the sign of accuracy.
        ("accuracy", 0.375, -0.225),
    ] {
        close(against(&report, metric, "a", Difference, "overall"), a);
        close(against(&report, metric, "b", Difference, "overall"), b);
    }
}

#[test]
fn aequitas_counts_and_ratios_to_the_reference() {
    let batch = Batch::builder()
        .attribute(groups("group", ["High", "Low"].into_iter().cycle().take(10)))
        .label([1, 1, 1, 1, 1, 0, 0, 0, 0, 0])
        .decision([1, 0, 0, 1, 1, 1, 0, 0, 1, 1]);
    let report = plan().reference("group", "High").run(&batch.build().unwrap()).unwrap();
    // tp 2 fp 1 tn 1 fn 1 and tp 1 fp 2 tn 1 fn 1.
    for (metric, high, low) in [
        ("true_positive_rate", 2.0 / 3.0, 1.0 / 2.0),
        ("false_positive_rate", 1.0 / 2.0, 2.0 / 3.0),
        ("precision", 2.0 / 3.0, 1.0 / 3.0),
        ("negative_predictive_value", 1.0 / 2.0, 1.0 / 2.0),
    ] {
        close(group(&report, metric, "High"), high);
        close(group(&report, metric, "Low"), low);
    }
    for (metric, expected) in [
        ("false_negative_rate", 1.5),
        ("false_positive_rate", 4.0 / 3.0),
        ("false_omission_rate", 1.0),
        ("false_discovery_rate", 2.0),
        ("selection_rate", 1.0),
        ("precision", 0.5),
        ("true_positive_rate", 0.75),
        ("true_negative_rate", 2.0 / 3.0),
        ("negative_predictive_value", 1.0),
    ] {
        close(against(&report, metric, "Low", Ratio, "High"), expected);
    }
}

/// Aequitas compares shares of the selected, .1111, and fails a batch of which half of either group was selected.
#[test]
fn groups_of_unequal_size_selected_alike_have_an_impact_ratio_of_one() {
    let rows = Rows::of_rates(&[("maj", 45, 90), ("min", 5, 10)]);
    let report = AuditPlan::new().run(&rows.decisions()).unwrap();
    assert_eq!(ratio(&report, "disparate_impact"), Ok(1.0));
    assert_eq!(against(&report, "disparate_impact", "min", Ratio, "maj"), Ok(1.0));
}
