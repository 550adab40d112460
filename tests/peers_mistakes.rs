//! What goes wrong in other toolkits, each with a test that would fail on it.

mod small;

use evenhand::audit::{Against, AuditPlan, Comparison::Difference, Comparison::Ratio, Policy, Verdict};
use evenhand::data::{Batch, Binary, Categorical, Model, Top};
use evenhand::inference::hypothesis::two_proportion_z;
use evenhand::inference::multiplicity::Multiplicity;
use evenhand::metrics::Undefined;
use evenhand::report::Report;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use small::{Rows, against, difference, disparity, group, groups, overall, plan, policy, ratio};

/// Of `b` nobody has a favourable label.
fn b_has_no_positives() -> Rows {
    Rows::of_confusions(&[("a", [40, 30, 60, 70]), ("b", [0, 45, 0, 105]), ("c", [55, 33, 45, 67])])
}

#[test]
fn a_group_without_positives_has_neither_tpr_nor_fnr_and_no_gap_of_one() {
    let rows = b_has_no_positives();
    let plan = plan().policy(policy("equalized_odds", Difference, Against::BetweenGroups, 0.9));
    let report = plan.run(&rows.batch()).unwrap();
    for metric in ["true_positive_rate", "false_negative_rate", "balanced_accuracy", "average_odds_rate"] {
        assert_eq!(group(&report, metric, "b"), Err(Undefined::NoPositives), "{metric}");
    }
    let finding = &report.models[0].findings[0];
    // 0.15 between a and c, not 0.55 to a made-up zero.
    small::close(finding.estimate.value(), 0.15);
    assert_eq!(finding.verdict, Verdict::Inconclusive);
    let left: Vec<_> = finding.left_out.iter().map(|l| (l.group.as_str(), l.reason.as_str())).collect();
    assert_eq!(left, [("b", "no positives")]);
}

#[test]
fn the_worse_of_a_figure_and_nothing_is_nothing() {
    let rows = Rows::of_confusions(&[("a", [40, 30, 60, 70]), ("b", [0, 45, 0, 105])]);
    let report = plan().reference("group", "a").run(&rows.batch()).unwrap();
    assert_eq!(difference(&report, "predictive_equality"), Ok(0.0));
    for metric in ["equalized_odds", "equalized_odds_mean"] {
        assert_eq!(difference(&report, metric), Err(Undefined::UndefinedPart), "{metric}");
        assert_eq!(against(&report, metric, "b", Difference, "a"), Err(Undefined::UndefinedPart), "{metric}");
    }
    assert_eq!(against(&report, "average_odds", "b", Difference, "a"), Err(Undefined::NoPositives));
}

#[test]
fn which_of_two_values_is_favourable_is_never_guessed() {
    for values in [["good", "bad"], ["1", "2"], ["-1", "1"], ["0.3", "0.7"], ["yes", "1"]] {
        let error = Binary::from_text("outcome", values, &[]).unwrap_err().to_string();
        assert!(values.iter().all(|v| error.contains(&format!("`{v}`"))) && error.contains("outcome"), "{error}");
    }
    // Told, each has the parity difference that its ones and zeros have.
    for (favourable, other) in [("good", "bad"), ("2", "1"), ("1", "2"), ("1", "-1")] {
        let texts = [favourable, favourable, other, favourable, other, other];
        let decision = Binary::from_text("outcome", texts, &[favourable]).unwrap();
        let batch = Batch::builder().attribute(groups("group", ["a", "a", "a", "b", "b", "b"])).decision(decision);
        let report = plan().run(&batch.build().unwrap()).unwrap();
        small::close(difference(&report, "demographic_parity"), 1.0 / 3.0);
    }
    let scores: &[f64] = &[0.2, 0.8];
    let batch = Batch::builder().attribute(groups("group", ["a", "b"])).decision(Binary::from(scores)).build();
    assert!(batch.unwrap_err().to_string().contains("row 1"));
}

/// A bootstrap of max - min never contains 0: of 15 fair samples it flags 15.
#[test]
fn fair_data_are_failed_at_most_at_the_level() {
    for (k, samples) in [(2usize, 300), (5, 300)] {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
        let (mut failed, mut below) = (0, 0);
        for _ in 0..samples {
            let codes: Vec<u8> = (0..500).map(|_| rng.gen_range(0..k as u8)).collect();
            let decision: Vec<u8> = codes.iter().map(|_| u8::from(rng.gen_bool(0.3))).collect();
            let names: Vec<String> = (0..k).map(|i| format!("g{i}")).collect();
            let group = Categorical::from_codes("group", names, &codes).unwrap();
            let batch = Batch::builder().attribute(group).decision(&decision).build().unwrap();
            let policy = policy("demographic_parity", Difference, Against::BetweenGroups, 0.0);
            let report = plan().policy(policy).run(&batch).unwrap();
            let finding = &report.models[0].findings[0];
            failed += u32::from(finding.verdict == Verdict::Fail);
            below += u32::from(finding.p_value.unwrap() < 0.05);
        }
        // 5 % of 300 are 15; 4 standard errors above that are 30.
        assert!(failed <= 30 && below <= 30, "{k} groups: {failed} failed, {below} below 0.05");
    }
}

/// A null that is not imposed gives p near 0.5 whatever the data are.
#[test]
fn p_values_of_fair_data_are_spread_evenly() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(11);
    let mut quarters = [0; 4];
    for _ in 0..200 {
        let [x, y] = [(); 2].map(|()| (0..1000).filter(|_| rng.gen_bool(0.4)).count());
        let report = plan().run(&Rows::of_rates(&[("a", x, 1000), ("b", y, 1000)]).decisions()).unwrap();
        let p = report.metric("selection_rate").unwrap().difference("group").unwrap().p_value.unwrap();
        quarters[((p * 4.0) as usize).min(3)] += 1;
    }
    assert!(quarters.iter().all(|n| (25..=75).contains(n)), "{quarters:?}");
}

/// Aequitas tests FPR, TNR, precision and FDR on the false positives among the selected.
#[test]
fn every_rate_is_tested_on_its_own_denominator() {
    // Equal false positive rates, 20 % and 21 %, at very different prevalence and precision.
    let rows = Rows::of_confusions(&[("a", [720, 40, 80, 160]), ("b", [60, 168, 140, 632])]);
    let report = plan().reference("group", "a").run(&rows.batch()).unwrap();
    let p = |metric: &str| disparity(&report, metric, "b", Difference, "a").p_value.unwrap();
    let z = |x: f64, n: f64, y: f64, m: f64| two_proportion_z(x, n, y, m).unwrap().p_value;
    for (metric, complement, expected) in [
        ("false_positive_rate", "true_negative_rate", z(168.0, 800.0, 40.0, 200.0)),
        ("true_positive_rate", "false_negative_rate", z(60.0, 200.0, 720.0, 800.0)),
        ("precision", "false_discovery_rate", z(60.0, 228.0, 720.0, 760.0)),
        ("negative_predictive_value", "false_omission_rate", z(632.0, 772.0, 160.0, 240.0)),
    ] {
        assert!((p(metric) / expected - 1.0).abs() < 1e-9, "{metric}: {} is not {expected}", p(metric));
        assert!((p(complement) / expected - 1.0).abs() < 1e-9, "{complement}");
    }
    assert!(p("false_positive_rate") > 0.5 && p("precision") < 1e-50);
}

#[test]
fn levels_that_two_attributes_share_stay_apart() {
    let yes_no = |yes: bool| if yes { "yes" } else { "no" };
    let batch = Batch::builder()
        .attribute(groups("veteran", (0..400).map(|i| yes_no(i % 2 == 0))))
        .attribute(groups("disabled", (0..400).map(|i| yes_no(i % 4 < 2))))
        .decision((0..400).map(|i| u8::from(i % 2 == 0 && i % 3 < 2)).collect::<Vec<u8>>())
        .build()
        .unwrap();
    let policy = policy("demographic_parity", Difference, Against::Reference, 0.1);
    let report = plan().order(1).policy(policy).run(&batch).unwrap();
    let rate = report.metric("selection_rate").unwrap();
    let of = |attribute: &str| rate.group_of(attribute, "yes").unwrap().value().unwrap();
    assert!((of("veteran") - 2.0 / 3.0).abs() < 0.01 && (of("disabled") - 1.0 / 3.0).abs() < 0.01);
    let p = |attribute: &str| rate.difference(attribute).unwrap().p_value.unwrap();
    assert!(p("veteran") < 1e-20 && p("disabled") > 0.5);
    let findings: Vec<_> = report.models[0].findings.iter().map(|f| (f.attribute.as_str(), f.verdict)).collect();
    assert_eq!(findings[0], ("veteran", Verdict::Fail));
    assert!(findings.len() == 2 && findings[1].1 != Verdict::Fail);
}

#[test]
fn ratios_over_zero_are_undefined_and_nothing_is_infinite() {
    let report =
        plan().reference("group", "b").run(&Rows::of_rates(&[("a", 5, 10), ("b", 0, 10)]).decisions()).unwrap();
    assert_eq!(against(&report, "disparate_impact", "a", Ratio, "b"), Err(Undefined::OverZero));
    assert_eq!(ratio(&report, "disparate_impact"), Ok(0.0));
    // 0/0 is no agreement.
    let report =
        plan().reference("group", "b").run(&Rows::of_rates(&[("a", 0, 10), ("b", 0, 10)]).decisions()).unwrap();
    assert_eq!(against(&report, "disparate_impact", "a", Ratio, "b"), Err(Undefined::OverZero));
    assert_eq!(ratio(&report, "disparate_impact"), Err(Undefined::OverZero));
    // Errors for each error, where there are none.
    let rows = Rows::of_confusions(&[("a", [5, 0, 5, 5]), ("b", [5, 0, 0, 5]), ("c", [5, 2, 4, 5])]);
    let report = plan().run(&rows.batch()).unwrap();
    let [a, b, c] = ["a", "b", "c"].map(|g| group(&report, "error_ratio", g));
    assert_eq!((a, b), (Err(Undefined::OverZero), Err(Undefined::NoErrors)));
    small::close(c, 2.0);
}

#[test]
fn rows_without_a_group_are_counted_once() {
    let sex = [Some("f"), Some("m"), None, Some("f"), None, Some("m"), Some("f"), Some("m")];
    let batch = Batch::builder()
        .attribute(Categorical::from_options("group", sex))
        .decision([1, 1, 1, 0, 0, 1, 0, 1])
        .build()
        .unwrap();
    let report = plan().run(&batch).unwrap();
    let table = &report.models[0].tables[0];
    let rows: Vec<_> = table.groups.iter().map(|g| (g.group.as_str(), g.rows)).collect();
    assert_eq!((rows, table.missing_rows, report.data.rows), (vec![("f", 3), ("m", 3)], 2, 8));
    assert_eq!((report.data.attributes[0].missing_rows, report.data.attributes[0].missing_share), (2, 0.25));
    assert_eq!(overall(&report, "selection_rate"), Ok(5.0 / 8.0));
    // Against the rest is against the other known groups, against the whole is against all eight.
    assert_eq!(against(&report, "selection_rate", "f", Difference, "rest"), Ok(1.0 / 3.0 - 1.0));
    assert_eq!(against(&report, "selection_rate", "f", Difference, "overall"), Ok(1.0 / 3.0 - 5.0 / 8.0));
    let asked = plan().missing_as_group(true).run(&batch).unwrap();
    let table = &asked.models[0].tables[0];
    let rows: Vec<_> = table.groups.iter().map(|g| (g.group.as_str(), g.rows)).collect();
    assert_eq!(rows, [("f", 3), ("m", 3), ("missing", 2)]);
    assert_eq!(difference(&asked, "selection_rate"), Ok(1.0 - 1.0 / 3.0));
}

#[test]
fn three_are_three_where_eleven_are_tied() {
    let scores: Vec<f64> = (0..20).map(|i| if i < 11 { 0.8 } else { 0.1 }).collect();
    let batch = Batch::builder()
        .attribute(groups("group", (0..20).map(|i| if i % 2 == 0 { "a" } else { "b" })))
        .model(Model::top("best three", &scores, Top::Count(3)))
        .build()
        .unwrap();
    let report = plan().run(&batch).unwrap();
    small::close(overall(&report, "selection_rate").map(|v| 20.0 * v), 3.0);
    // Six of the eleven tied are of a, five of b: they share the three places as they come.
    small::close(group(&report, "selection_rate", "a").map(|v| 10.0 * v), 3.0 * 6.0 / 11.0);
    small::close(group(&report, "selection_rate", "b").map(|v| 10.0 * v), 3.0 * 5.0 / 11.0);
    let notes = report.models[0].notes.join(" ");
    assert!(notes.contains("The best 3") && notes.contains("11 rows tied"), "{notes}");
}

#[test]
fn odds_that_cancel_are_zero_only_under_the_signed_name() {
    // True positive rates 1 and 0, false positive rates 0 and 1.
    let rows = Rows::of_confusions(&[("a", [10, 0, 0, 10]), ("b", [0, 10, 10, 0])]);
    let report = plan().reference("group", "b").run(&rows.batch()).unwrap();
    let of = |metric| against(&report, metric, "a", Difference, "b");
    assert_eq!(of("average_odds"), Ok(0.0));
    assert_eq!((of("equalized_odds_mean"), of("equalized_odds")), (Ok(1.0), Ok(1.0)));
    assert_eq!((of("equal_opportunity"), of("predictive_equality")), (Ok(1.0), Ok(-1.0)));
}

#[test]
fn the_order_of_listing_says_nothing() {
    let rows = b_has_no_positives();
    let plan = plan().policy(policy("disparate_impact", Ratio, Against::BetweenGroups, 0.8));
    let report = plan.run(&rows.batch()).unwrap();
    let code = |g: &String, order: [&str; 3]| order.iter().position(|l| l == g).unwrap() as u8;
    for order in [["c", "b", "a"], ["b", "a", "c"]] {
        let codes: Vec<u8> = rows.group.iter().map(|g| code(g, order)).collect();
        let group = Categorical::from_codes("group", order, &codes).unwrap();
        let batch = Batch::builder().attribute(group).label(&rows.label).decision(&rows.decision).build().unwrap();
        assert_eq!(plan.run(&batch).unwrap(), report);
    }
}

#[test]
fn no_state_is_kept_between_audits() {
    let rows = b_has_no_positives();
    let plan = plan();
    let before = plan.run(&rows.batch()).unwrap();
    let mut edited = rows.clone();
    edited.decision[0] = 1 - edited.decision[0];
    let after = plan.run(&edited.batch()).unwrap();
    assert_ne!(overall(&before, "selection_rate"), overall(&after, "selection_rate"));
    assert_eq!(plan.run(&rows.batch()).unwrap(), before);
}

/// A harness that compares signed means lets errors cancel: ours compares whole reports.
#[test]
fn equal_reports_mean_equal_rows_and_one_row_makes_a_difference() {
    let rows = b_has_no_positives();
    let report = AuditPlan::new().seed(3).run(&rows.batch()).unwrap();
    // Drawn intervals, too, are the same at the same seed.
    assert_eq!(AuditPlan::new().seed(3).run(&rows.batch()).unwrap(), report);
    // Two changes that leave every total as it was.
    let mut moved = rows.clone();
    let [a, c] = ["a", "c"].map(|g| moved.group.iter().position(|name| name == g).unwrap());
    (moved.group[a], moved.group[c]) = ("c".into(), "a".into());
    let last = moved.label.len() - 1;
    (moved.label[last], moved.decision[last]) = (1, 0);
    assert_ne!(AuditPlan::new().seed(3).run(&moved.batch()).unwrap(), report);
}

#[test]
fn precision_and_recall_are_not_each_other() {
    let rows = Rows::of_confusions(&[("a", [30, 10, 20, 40])]);
    let report = plan().run(&rows.batch()).unwrap();
    assert_eq!((group(&report, "precision", "a"), group(&report, "true_positive_rate", "a")), (Ok(0.75), Ok(0.6)));
    assert_eq!((group(&report, "false_discovery_rate", "a"), group(&report, "accuracy", "a")), (Ok(0.25), Ok(0.7)));
}

#[test]
fn predictive_equality_is_of_false_positives() {
    let rows = Rows::of_confusions(&[("a", [30, 10, 20, 40]), ("b", [30, 30, 20, 20])]);
    let report = plan().run(&rows.batch()).unwrap();
    small::close(difference(&report, "predictive_equality"), 0.4);
    assert_eq!(difference(&report, "equal_opportunity"), Ok(0.0));
}

/// Denominators clamped at 1 are wrong for weights below 1.
#[test]
fn small_weights_are_weights() {
    let batch = Batch::builder()
        .attribute(groups("group", ["a", "a", "b", "b"]))
        .label([1, 0, 1, 0])
        .decision([1, 1, 0, 1])
        .weight([0.1, 0.3, 0.2, 0.2])
        .build()
        .unwrap();
    let report = plan().run(&batch).unwrap();
    small::close(group(&report, "precision", "a"), 0.25);
    small::close(group(&report, "selection_rate", "b"), 0.5);
}

/// A difference below zero and a ratio above one would contradict each other.
#[test]
fn difference_and_ratio_point_the_same_way() {
    let report =
        plan().reference("group", "b").run(&Rows::of_rates(&[("a", 30, 100), ("b", 60, 120)]).decisions()).unwrap();
    let difference = against(&report, "selection_rate", "a", Difference, "b").unwrap();
    let ratio = against(&report, "selection_rate", "a", Ratio, "b").unwrap();
    assert!(difference < 0.0 && ratio < 1.0);
    small::close(Ok(ratio), 0.6);
}

/// The band of four fifths is [0.8, 1.25], not [0.8, 1.2].
#[test]
fn four_fifths_hold_either_way_round() {
    for (selected, verdict) in
        [(305_000, Verdict::Pass), (320_000, Verdict::Fail), (203_000, Verdict::Pass), (197_000, Verdict::Fail)]
    {
        let rows = Rows::of_rates(&[("a", selected, 1_000_000), ("b", 250_000, 1_000_000)]);
        let plan = plan().reference("group", "b").policy(policy("disparate_impact", Ratio, Against::Reference, 0.8));
        assert_eq!(plan.run(&rows.decisions()).unwrap().verdict, verdict, "{selected}");
    }
}

/// Ranks, not positions: the largest p first.
#[test]
fn p_values_are_adjusted_by_rank_and_keep_their_places() {
    let adjusted = Multiplicity::BenjaminiHochberg.adjust(&[0.9, 0.01, 0.04, 0.02]);
    for (found, expected) in adjusted.iter().zip([0.9, 0.04, 0.16 / 3.0, 0.04]) {
        assert!((found - expected).abs() < 1e-15, "{adjusted:?}");
    }
    assert!(Multiplicity::BenjaminiHochberg.adjust(&[]).is_empty());
}

/// Every finding has its adjusted p-value, whatever its place in the report.
#[test]
fn findings_carry_adjusted_p_values() {
    let batch_rows = b_has_no_positives();
    let mut policy = policy("demographic_parity", Difference, Against::BetweenGroups, 0.1);
    for metric in ["equal_opportunity", "accuracy", "precision"] {
        let mut more = policy.criteria[0].clone();
        more.metric = metric.into();
        policy.criteria.push(more);
    }
    let report: Report = plan().policy(policy).run(&batch_rows.batch()).unwrap();
    let findings = &report.models[0].findings;
    let raw: Vec<f64> = findings.iter().map(|f| f.p_value.unwrap()).collect();
    let adjusted: Vec<f64> = findings.iter().map(|f| f.p_adjusted.unwrap()).collect();
    assert_eq!(adjusted, Multiplicity::Holm.adjust(&raw));
}

/// A measure that cannot be taken does not disappear.
#[test]
fn a_criterion_without_its_columns_is_an_inconclusive_finding() {
    let policy = policy("equal_opportunity", Difference, Against::BetweenGroups, 0.1);
    let report = plan().policy(policy).run(&Rows::of_rates(&[("a", 3, 10), ("b", 4, 10)]).decisions()).unwrap();
    let finding = &report.models[0].findings[0];
    assert_eq!((finding.verdict, finding.estimate.reason), (Verdict::Inconclusive, Some(Undefined::NoLabels)));
    assert_eq!(report.verdict, Verdict::Inconclusive);
}

/// A group is compared with the others, not with a whole that contains it.
#[test]
fn the_rest_is_without_the_group() {
    let report = plan().run(&Rows::of_rates(&[("a", 90, 100), ("b", 10, 100)]).decisions()).unwrap();
    small::close(against(&report, "selection_rate", "a", Difference, "rest"), 0.8);
    small::close(against(&report, "selection_rate", "a", Difference, "overall"), 0.4);
}

/// Facets zipped together are cut to the shorter one.
#[test]
fn groups_of_unequal_size_are_counted_in_full() {
    let report = plan().run(&Rows::of_confusions(&[("a", [7, 1, 2, 90]), ("b", [1, 0, 0, 1])]).batch()).unwrap();
    assert_eq!(group(&report, "precision", "a"), Ok(7.0 / 8.0));
    assert_eq!(overall(&report, "accuracy"), Ok(99.0 / 102.0));
}

/// Verdicts reach the top: whoever reads only that knows whether something failed.
#[test]
fn the_verdict_of_the_report_is_its_worst() {
    let rows = Rows::of_rates(&[("a", 500, 1000), ("b", 100, 1000)]);
    let failing = policy("disparate_impact", Ratio, Against::BetweenGroups, 0.8);
    assert_eq!(plan().policy(failing).run(&rows.decisions()).unwrap().verdict, Verdict::Fail);
    let lenient = policy("disparate_impact", Ratio, Against::BetweenGroups, 0.1);
    assert_eq!(plan().policy(lenient).run(&rows.decisions()).unwrap().verdict, Verdict::Pass);
    let few = Policy { minimum_group_size: 5000, ..policy("disparate_impact", Ratio, Against::BetweenGroups, 0.8) };
    assert_eq!(plan().policy(few).run(&rows.decisions()).unwrap().verdict, Verdict::Inconclusive);
}
