//! Scores audited from a file against the answers of scikit-learn 1.9.1, SciPy 1.17.1 and holisticai 1.0.14 on the same
//! rows (`tests/data/adult_scored.csv.gz`).

#![cfg(feature = "csv")]

use evenhand::audit::{AuditPlan, Comparison};
use evenhand::data::{Columns, source::Source};
use evenhand::report::{Disparity, Report};

fn report(weighted: bool) -> Report {
    let columns = Columns::new()
        .attribute("sex".parse().unwrap())
        .attribute("race".parse().unwrap())
        .label("label")
        .score("score");
    let columns = if weighted { columns.weight("weight") } else { columns };
    let plan =
        AuditPlan::new().columns(columns).order(1).replicates(10).reference("sex", "Male").reference("race", "White");
    plan.audit_files(&Source::open(&["tests/data/adult_scored.csv.gz"]).unwrap()).unwrap()
}

fn near(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1e-3), "{what}: {found} instead of {expected}");
}

fn groups(report: &Report, metric: &str, attribute: &str, expected: &[(&str, f64)]) {
    for (group, value) in expected {
        let found = report.metric(metric).unwrap().group_of(attribute, group).unwrap();
        near(found.value.unwrap(), *value, &format!("{metric} of {group}"));
        let (low, high) = found.interval().unwrap();
        assert!(low <= *value && *value <= high, "{metric} of {group}: {low} to {high}");
    }
}

/// A measure of two groups: the group against the reference, or against the rest.
fn pair<'r>(report: &'r Report, metric: &str, attribute: &str, group: &str, against: &str) -> &'r Disparity {
    let table = report.models[0].table(attribute).unwrap();
    let of_it = |d: &&Disparity| {
        d.metric == metric
            && d.comparison == Comparison::Value
            && d.group.as_deref() == Some(group)
            && d.against == against
    };
    table.disparities.iter().find(of_it).unwrap()
}

#[test]
fn groups_have_the_areas_and_losses_of_scikit_learn() {
    let all = report(false);
    groups(&all, "auc", "sex", &[("Female", 0.9283556501180561), ("Male", 0.8814537158332639)]);
    groups(
        &all,
        "auc",
        "race",
        &[
            ("Amer-Indian-Eskimo", 0.8839130434782609),
            ("Asian-Pac-Islander", 0.8691902687000725),
            ("Black", 0.9331808903702556),
            ("Other", 0.9207719654647029),
            ("White", 0.9020035732888733),
        ],
    );
    groups(&all, "average_precision", "sex", &[("Female", 0.6919963697891965), ("Male", 0.7785242533445347)]);
    groups(
        &all,
        "average_precision",
        "race",
        &[
            ("Amer-Indian-Eskimo", 0.6467224778406604),
            ("Asian-Pac-Islander", 0.7202811990352243),
            ("Black", 0.6857918669215869),
            ("Other", 0.5882743598408445),
            ("White", 0.7750002080746063),
        ],
    );
    groups(&all, "brier_score", "sex", &[("Female", 0.05584085273769886), ("Male", 0.1271259302131188)]);
    groups(&report(true), "auc", "sex", &[("Female", 0.9320971287877697), ("Male", 0.8884164330432821)]);
}

#[test]
fn distances_are_those_of_scipy() {
    let all = report(false);
    let value =
        |metric, attribute, group, against| pair(&all, metric, attribute, group, against).estimate.value.unwrap();
    near(value("kolmogorov_smirnov", "sex", "Female", "Male"), 0.36283085837178314, "KS by sex");
    near(value("wasserstein", "sex", "Female", "Male"), 0.18775702009103365, "Wasserstein by sex");
    near(value("kolmogorov_smirnov", "race", "White", "rest"), 0.15571935152239302, "KS by race");
    near(value("wasserstein", "race", "White", "rest"), 0.07923854568442944, "Wasserstein by race");
    // SciPy's p-values: 0 to the last digit, and 1.17e-63.
    assert!(pair(&all, "kolmogorov_smirnov", "sex", "Female", "Male").p_value.unwrap() < 1e-300);
    let p = pair(&all, "kolmogorov_smirnov", "race", "White", "rest").p_value.unwrap();
    assert!((p.log10() + 62.93).abs() < 0.5, "{p}");
    // holisticai looks at a grid of 150 quantiles, and so finds a little less than the largest gap.
    let exact = value("kolmogorov_smirnov", "sex", "Female", "Male");
    let grid = 0.36189602303063695;
    assert!((grid..grid + 2e-3).contains(&exact), "{exact}");
}

#[test]
fn the_area_between_curves_is_no_less_than_what_a_peer_calls_so() {
    let all = report(false);
    // holisticai's `abroca` is the difference of the areas under the curves.
    let auc = all.models[0].metric("auc").unwrap();
    let apart = auc.difference("sex").unwrap().estimate.value.unwrap();
    near(apart, 0.04690193428479217, "difference of areas");
    let between = pair(&all, "abroca", "sex", "Female", "Male").estimate.value.unwrap();
    assert!(between >= apart - 1e-12 && between < apart + 0.02, "{between} and {apart}");
}
