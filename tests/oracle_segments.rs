//! Segments of real customers in an audit: five clusters of half of UCI Adult (CC BY 4.0) by sex, as counts, against the
//! answers of SciPy 1.17.1, scikit-learn 1.9.1 and holisticai 1.0.14 on the rows themselves.

use evenhand::audit::{AuditPlan, Comparison, Policy, Verdict};
use evenhand::data::{Batch, Categorical, Segments};
use evenhand::report::{Disparity, Report};

const COUNTS: [(&str, [usize; 5]); 2] =
    [("Female", [612, 313, 1704, 648, 4832]), ("Male", [3988, 1766, 1316, 1644, 7568])];

fn report(policy: Policy) -> Report {
    let rows = || {
        let of_sex = |(sex, counts): (&'static str, [usize; 5])| {
            let of_segment = move |(segment, n): (usize, usize)| std::iter::repeat_n((sex, segment), n);
            counts.into_iter().enumerate().flat_map(of_segment).collect::<Vec<_>>()
        };
        COUNTS.into_iter().flat_map(of_sex)
    };
    let batch = Batch::builder()
        .attribute(Categorical::from_values("sex", rows().map(|r| r.0)))
        .segments(Segments::of(Categorical::from_keys("segment", rows().map(|r| r.1))))
        .build()
        .unwrap();
    AuditPlan::new().policy(policy).run(&batch).unwrap()
}

fn between<'r>(report: &'r Report, metric: &str) -> &'r Disparity {
    let table = report.model("segment").unwrap().table("sex").unwrap();
    let of_all = |d: &&Disparity| d.metric == metric && d.comparison == Comparison::Value && d.group.is_none();
    table.disparities.iter().find(of_all).unwrap_or_else(|| panic!("{metric}"))
}

#[test]
fn association_and_distances_are_those_of_the_peers() {
    let report = report(Policy::default());
    for (metric, expected) in [
        ("chi_square", 2073.744480587393),
        ("g_test", 2203.7652801152058),
        ("cramers_v", 0.2915834152632028),
        ("mutual_information", 0.04517578779293997),
        ("normalized_mutual_information", 0.04551291178828122),
        ("jensen_shannon", 0.05178778798006811),
        ("total_variation", 0.2603847900933493),
    ] {
        let found = between(&report, metric);
        let value = found.estimate.value.unwrap();
        assert!((value - expected).abs() <= 1e-9 * expected, "{metric}: {value} instead of {expected}");
        if let Some((low, high)) = found.estimate.interval() {
            assert!(low <= value && value <= high && low > 0.0, "{metric}: {low} to {high}");
        }
    }
    assert!(between(&report, "cramers_v").p_value.unwrap() < 1e-300);
    let entropy = report.model("segment").unwrap().metric("segment_entropy").unwrap();
    for (group, expected) in [("Female", 1.1588719957557325), ("Male", 1.3764339496771658)] {
        let value = entropy.group(group).unwrap().value.unwrap();
        assert!((value - expected).abs() < 1e-9, "{group}: {value}");
    }
    // The share of each sex in each segment, as a decision of its own.
    let share = report.model("segment = 2").unwrap().metric("selection_rate").unwrap();
    assert!((share.group("Female").unwrap().value.unwrap() - 0.2101368849426563).abs() < 1e-12);
}

#[test]
fn a_policy_bounds_what_compares_by_value() {
    let policy = |maximum: f64| {
        let text = format!("[[criteria]]\nmetric = \"cramers_v\"\ncomparison = \"value\"\nmaximum = {maximum}\n");
        Policy::from_toml(&text).unwrap()
    };
    for (maximum, verdict) in [(0.2, Verdict::Fail), (0.29, Verdict::Inconclusive), (0.4, Verdict::Pass)] {
        let report = report(policy(maximum));
        assert_eq!(report.verdict, verdict, "{maximum}");
        let findings: Vec<_> = report.findings().collect();
        assert_eq!(findings.len(), 1, "the segments one by one are not asked for an association");
        assert!(findings[0].1.sentence.contains("0.292"), "{}", findings[0].1.sentence);
    }
    let wrong = Policy::from_toml("[[criteria]]\nmetric = \"cramers_v\"\ncomparison = \"difference\"\nmaximum = 0.1");
    let error = AuditPlan::new().policy(wrong.unwrap()).run(&batch_of_two()).unwrap_err().to_string();
    assert!(error.contains("comparison = \"value\""), "{error}");
}

fn batch_of_two() -> Batch<'static> {
    let segments = Segments::of(Categorical::from_values("segment", ["a", "b"]));
    Batch::builder().attribute(Categorical::from_values("g", ["x", "y"])).segments(segments).build().unwrap()
}
