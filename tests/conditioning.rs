//! Strata in an audit: what they explain, what turns around within them, where groups do not overlap.

use evenhand::audit::{Against, AuditPlan, Comparison, Criterion, Policy, Verdict};
use evenhand::data::{Batch, Categorical};
use evenhand::report::{Report, TextStyle};

/// Rows of cells `(group, stratum, selected, decided)`.
fn batch(cells: &[(&str, &str, usize, usize)]) -> Batch<'static> {
    let (mut groups, mut strata, mut decisions) = (Vec::new(), Vec::new(), Vec::new());
    for (group, stratum, selected, decided) in cells {
        for i in 0..*decided {
            groups.push((*group).to_string());
            strata.push((*stratum).to_string());
            decisions.push(u8::from(i < *selected));
        }
    }
    Batch::builder()
        .attribute(Categorical::from_values("group", &groups))
        .stratum(Categorical::from_values("kind", &strata))
        .decision(decisions)
        .build()
        .unwrap()
}

fn plan() -> AuditPlan {
    AuditPlan::new().reference("group", "b")
}

/// Charig et al. (1986): open surgery (a) against a keyhole (b) for small and large stones, ten times over.
fn stones() -> Report {
    let cells =
        [("a", "small", 810, 870), ("a", "large", 1920, 2630), ("b", "small", 2340, 2700), ("b", "large", 550, 800)];
    plan().run(&batch(&cells)).unwrap()
}

#[test]
fn a_reversal_is_flagged() {
    let report = stones();
    let table = report.models[0].table("group").unwrap();
    let conditioning = table.conditioning.as_ref().unwrap();
    let [reversal] = conditioning.reversals.as_slice() else { panic!("{:?}", conditioning.reversals) };
    assert_eq!((reversal.group.as_str(), reversal.against.as_str()), ("a", "b"));
    assert!((reversal.difference - (2730.0 / 3500.0 - 2890.0 / 3500.0)).abs() < 1e-12 && reversal.within > 0.03);
    let sum: f64 = conditioning.parts.iter().map(|p| p.explained + p.unexplained).sum();
    assert!((sum - reversal.difference).abs() < 1e-12);
    let text = report.to_text(TextStyle { width: 80, ..TextStyle::default() });
    assert!(text.contains("Simpson's paradox: a is selected less often than b over all"), "{text}");
    assert!(text.lines().all(|l| l.chars().count() <= 80), "{text}");
    assert!(report.to_markdown().contains("Simpson's paradox"));
    assert_eq!(Report::from_json(&report.to_json().unwrap()).unwrap(), report);
}

#[test]
fn doubt_is_no_reversal() {
    // Berkeley 1973, women against men in six departments: over all 14 points fewer, within departments nothing that
    // is sure.
    let cells = [
        ("b", "A", 512, 825),
        ("a", "A", 89, 108),
        ("b", "B", 353, 560),
        ("a", "B", 17, 25),
        ("b", "C", 120, 325),
        ("a", "C", 202, 593),
        ("b", "D", 138, 417),
        ("a", "D", 131, 375),
        ("b", "E", 53, 191),
        ("a", "E", 94, 393),
        ("b", "F", 22, 373),
        ("a", "F", 24, 341),
    ];
    let report = plan().run(&batch(&cells)).unwrap();
    let table = report.models[0].table("group").unwrap();
    assert!(table.conditioning.as_ref().unwrap().reversals.is_empty());
    let value = |metric: &str| {
        let of = |d: &&evenhand::report::Disparity| {
            d.metric == metric
                && d.group.as_deref() == Some("a")
                && d.against == "b"
                && d.comparison == Comparison::Value
        };
        table.disparities.iter().find(of).unwrap()
    };
    let (explained, left) = (value("explained_difference"), value("unexplained_difference"));
    let sum = explained.estimate.value.unwrap() + left.estimate.value.unwrap();
    assert!((sum - (557.0 / 1835.0 - 1198.0 / 2691.0)).abs() < 1e-12);
    assert!(explained.estimate.high.unwrap() < -0.1 && left.estimate.low.unwrap() > -0.02);
    // statsmodels 0.14 StratifiedTable: pooled odds ratio and CMH without correction.
    let odds = value("common_odds_ratio");
    assert!((odds.estimate.value.unwrap() - 1.0 / 0.9046968).abs() < 1e-6);
    assert!((odds.p_value.unwrap() - 0.2167).abs() < 2e-3, "{odds:?}");
    assert_eq!(value("stratum_overlap").estimate.value, Some(1.0));
}

#[test]
fn strata_without_a_group_are_listed() {
    let cells = [("a", "x", 3, 30), ("b", "x", 10, 30), ("b", "y", 20, 30), ("c", "z", 5, 40)];
    let report = plan().run(&batch(&cells)).unwrap();
    let conditioning = report.models[0].table("group").unwrap().conditioning.clone().unwrap();
    let lacking: Vec<&[String]> = conditioning.strata.iter().map(|s| s.lacking.as_slice()).collect();
    assert_eq!(lacking, [&["c"][..], &["a", "c"], &["a", "b"]]);
    assert!((conditioning.strata.iter().map(|s| s.share).sum::<f64>() - 1.0).abs() < 1e-12);
    // c has nothing in common with b: it has no parts, and no figure.
    assert!(conditioning.parts.iter().all(|p| p.group == "a" && p.stratum == "x"));
    let text = report.to_text(TextStyle::default());
    assert!(text.contains("No overlap: 3 strata"), "{text}");
}

#[test]
fn a_policy_can_bound_what_is_left_over() {
    let criterion = Criterion {
        metric: "unexplained_difference".into(),
        comparison: Comparison::Value,
        against: Against::Reference,
        maximum: Some(0.02),
        minimum: Some(-0.02),
        attributes: Vec::new(),
    };
    let policy =
        |minimum_group_size| Policy { criteria: vec![criterion.clone()], minimum_group_size, ..Policy::default() };
    let cells = [("a", "x", 200, 1000), ("b", "x", 500, 1000), ("a", "y", 300, 500), ("b", "y", 300, 500)];
    let report = plan().policy(policy(10)).run(&batch(&cells)).unwrap();
    assert_eq!(report.verdict, Verdict::Fail, "{}", report.summary);
    assert!(report.models[0].findings[0].sentence.contains("left over"), "{}", report.models[0].findings[0].sentence);
    let without =
        Batch::builder().attribute(Categorical::from_values("group", ["a", "b"])).decision([0, 1]).build().unwrap();
    let error = plan().policy(policy(1)).run(&without).unwrap_err().to_string();
    assert!(error.contains("a stratum to condition on"), "{error}");
}
