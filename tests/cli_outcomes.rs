//! The tool on segments, scores and uplift.

#![cfg(feature = "cli")]

mod cli_support;

use std::fmt::Write as _;

use cli_support::Desk;

/// 400 customers: women are mostly `basic`, men mostly `gold`; before, everybody was `basic`.
fn tiers() -> String {
    let mut text = String::from("sex,tier,before,propensity,bought\n");
    for i in 0..400 {
        let (sex, gold) = if i % 2 == 0 { ("female", i % 10 == 0) } else { ("male", i % 10 != 1) };
        let tier = if gold { "gold" } else { "basic" };
        writeln!(text, "{sex},{tier},basic,0.{:02},{}", i * 7 % 100, u8::from(i * 7 % 100 > 40 + i % 31)).unwrap();
    }
    text
}

/// The value of a line of the long form.
fn value(csv: &str, starts: &str) -> f64 {
    let line = csv.lines().find(|l| l.starts_with(starts)).unwrap_or_else(|| panic!("{starts}\n{csv}"));
    line[starts.len()..].trim_start_matches(',').split(',').next().unwrap().parse().unwrap()
}

#[test]
fn segments_are_audited_with_order_values_and_moves() {
    let desk = Desk::new();
    desk.write("data.csv", tiers());
    let audit = "audit data.csv -a sex --segment tier --segment-order basic,gold --segment-value basic=0,gold=25";
    let run = desk.line(&format!("{audit} --format csv"));
    assert_eq!((run.status, run.err.as_str()), (1, ""));
    assert_eq!(value(&run.out, "tier = gold,sex,female,,selection_rate,,,"), 0.2);
    assert_eq!(value(&run.out, "tier = gold,sex,male,,selection_rate,,,"), 0.8);
    assert!((value(&run.out, "tier,sex,female,,mean_benefit,,,") - 5.0).abs() < 1e-12);
    assert!((value(&run.out, "tier,sex,,,total_variation,value,between_groups,") - 0.6).abs() < 1e-12);
    assert!((value(&run.out, "tier,sex,,,cumulative_parity,value,between_groups,") - 0.6).abs() < 1e-12);
    let run = desk.line("audit data.csv -a sex --segment tier --segment-before before --format csv");
    assert!((value(&run.out, "tier,sex,male,,retention_rate,,,") - 0.2).abs() < 1e-12, "{}", run.out);
    let text = desk.line(&format!("{audit} --no-timestamp")).out;
    assert!(text.contains("tier = gold: disparate impact by sex"), "{text}");
    assert!(text.lines().all(|l| l.chars().count() <= 80), "{text}");
}

#[test]
fn slips_about_segments_are_told() {
    let desk = Desk::new();
    desk.write("data.csv", tiers());
    for (flags, says) in [
        ("--segment teir", "did you mean `tier`"),
        ("--segment tier --segment-order basic", "`gold`"),
        ("--segment tier --segment-value gold=x", "gold=25"),
        ("--segment tier --segment before --segment-order basic,gold", "[[columns.segments]]"),
        ("--segment-order basic,gold", "--segment"),
    ] {
        let run = desk.line(&format!("audit data.csv -a sex {flags}"));
        assert!(run.status == 2 && run.err.contains(says), "{flags}: {}", run.err);
    }
}

#[test]
fn scores_are_measured_and_a_policy_can_ask_for_it() {
    let desk = Desk::new();
    desk.write("data.csv", tiers());
    desk.write(
        "policy.toml",
        "[[criteria]]\nmetric = \"auc\"\ncomparison = \"difference\"\nmaximum = 0.5\n\
         [[criteria]]\nmetric = \"kolmogorov_smirnov\"\ncomparison = \"value\"\nmaximum = 0.9\n",
    );
    let audit = "audit data.csv -a sex --label bought --score propensity";
    let run = desk.line(&format!("{audit} --policy policy.toml --format csv"));
    assert_eq!((run.status, run.err.as_str()), (0, ""), "{}", run.out);
    let auc = value(&run.out, "sex,female,,auc,,,");
    assert!((0.5..1.0).contains(&auc), "{auc}");
    // Without labels what needs them is not there, and asking for it is inconclusive, with the reason.
    let run = desk.line("audit data.csv -a sex --score propensity --policy policy.toml");
    assert!(run.status == 3 && run.out.contains("no known labels"), "{}", run.out);
}
