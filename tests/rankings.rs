//! Measures of the list that scores make, in an audit.

use evenhand::audit::{Against, AuditPlan, Comparison, Criterion, Policy, Verdict};
use evenhand::data::{Batch, Categorical, Model, Top};
use evenhand::metrics::{Confidence, Undefined, ranking};
use evenhand::report::{AttributeTable, Report};

const NAMES: [&str; 3] = ["a", "b", "c"];

/// Ninety rows: of `a` the best scores, every fifth row's group not known where `gaps`.
fn run(top: Option<Top>, gaps: bool, policy: Policy) -> (Report, Vec<f64>, Vec<usize>) {
    let codes: Vec<usize> = (0..90).map(|i| i * 7 % 3).collect();
    let scores: Vec<f64> = (0..90).map(|i| (i * 31 % 90) as f64 - 30.0 * codes[i] as f64).collect();
    let levels = codes.iter().enumerate().map(|(i, c)| (!gaps || i % 5 > 0).then_some(NAMES[*c]));
    let model = top.map_or_else(|| Model::score("s", &scores), |top| Model::top("s", &scores, top));
    let batch = Batch::builder()
        .attribute(Categorical::from_options("group", levels))
        .label((0..90).map(|i| u8::from(i % 4 == 0)).collect::<Vec<u8>>())
        .model(model)
        .build()
        .unwrap();
    let report = AuditPlan::new().policy(policy).run(&batch).unwrap();
    (report, scores, codes)
}

fn value(table: &AttributeTable, metric: &str) -> Option<f64> {
    let found = table.disparities.iter().find(|d| d.metric == metric && d.against == "between_groups").unwrap();
    found.estimate.value
}

#[test]
fn the_audit_gives_what_the_functions_give() {
    let policy = || Policy { minimum_group_size: 5, ..Policy::default() };
    let (report, scores, codes) = run(None, false, policy());
    let table = report.models[0].table("group").unwrap();
    let relevance: Vec<f64> = (0..90).map(|i| f64::from(u8::from(i % 4 == 0))).collect();
    let list = ranking::Ranking::from_scores(&scores, &codes, 3, Some(&relevance));
    let at = Confidence::at(0.95);
    let ndkl = ranking::skew::ndkl(&list, None, at);
    assert!((value(table, "ndkl").unwrap() - ndkl.tested.estimate.value.unwrap()).abs() < 1e-12);
    assert!((value(table, "ndkl_excess").unwrap() - ndkl.excess.unwrap()).abs() < 1e-12);
    let least = ranking::skew::max_skew_at_k(&list, 10, None, at).estimate.value;
    assert!((value(table, "max_skew_at_k").unwrap() - least.unwrap()).abs() < 1e-12);
    for (group, name) in
        table.groups.iter().map(|g| NAMES.iter().position(|n| *n == g.group).unwrap()).zip(&table.groups)
    {
        let same = |metric: &str, of: &evenhand::metrics::Estimate| {
            assert_eq!(&name.metrics[metric].value, &of.value, "{metric}")
        };
        same("precision_at_k", &ranking::retrieval::precision_at_k(&list, 10, at)[group]);
        same("top_k_selection_rate", &ranking::skew::top_k_selection_rate(&list, 10, at)[group]);
    }
    // A model that selects the best has its own k.
    let (report, ..) = run(Some(Top::Count(30)), false, policy());
    let table = report.models[0].table("group").unwrap();
    let of = ranking::skew::top_k_selection_rate(&list, 30, at)[0].value;
    let a = table.groups.iter().find(|g| g.group == "a").unwrap();
    assert_eq!(a.metrics["top_k_selection_rate"].value, of);
    assert_eq!(a.metrics["top_k_selection_rate"].value, a.metrics["selection_rate"].value);
}

#[test]
fn the_whole_is_another_list_where_groups_are_not_known() {
    for gaps in [false, true] {
        let (report, ..) = run(None, gaps, Policy { minimum_group_size: 5, ..Policy::default() });
        let table = report.models[0].table("group").unwrap();
        let overall: Vec<_> =
            table.disparities.iter().filter(|d| d.metric == "top_k_selection_rate" && d.against == "overall").collect();
        assert!(!overall.is_empty());
        for d in overall {
            assert_eq!(d.estimate.reason == Some(Undefined::NotOneList), gaps, "{d:?}");
        }
        let rest = table.disparities.iter().filter(|d| d.metric == "exposure" && d.against == "rest");
        assert!(rest.filter(|d| d.comparison == Comparison::Difference).all(|d| d.estimate.value.is_some()));
    }
}

#[test]
fn a_policy_can_bound_them() {
    let criterion = |metric: &str, minimum| Criterion {
        metric: metric.into(),
        comparison: Comparison::Value,
        against: Against::BetweenGroups,
        maximum: None,
        minimum: Some(minimum),
        attributes: Vec::new(),
    };
    for (minimum, verdict) in [(0.4, Verdict::Fail), (0.01, Verdict::Pass)] {
        let criteria = vec![criterion("pairwise_accuracy", minimum)];
        let (report, ..) = run(None, false, Policy { criteria, minimum_group_size: 5, ..Policy::default() });
        assert_ne!(
            report.verdict,
            if verdict == Verdict::Fail { Verdict::Pass } else { Verdict::Fail },
            "{}",
            report.summary
        );
    }
}
