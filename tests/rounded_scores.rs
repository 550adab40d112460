//! Audits whose scores were too many for the memory: what the report says of them holds.

use evenhand::audit::AuditPlan;
use evenhand::data::{Batch, Categorical};
use evenhand::report::Report;
use evenhand::tally::{Limits, Tally};

const ROWS: usize = 6000;

/// Scores without order and nearly all distinct, higher for one of the groups and for the favourable label.
fn batch(rows: std::ops::Range<usize>) -> Batch<'static> {
    let mix = |i: usize| ((i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33) as f64 / (1u64 << 31) as f64;
    let sex: Vec<&str> = rows.clone().map(|i| ["f", "m"][i % 2]).collect();
    let label: Vec<u8> = rows.clone().map(|i| u8::from(mix(i * 7 + 1) < 0.3)).collect();
    let score: Vec<f64> = rows
        .map(|i| {
            let favorable = mix(i * 7 + 1) < 0.3;
            mix(i * 13 + 2).powf(if favorable { 0.6 } else { 1.2 }) * if i % 2 == 0 { 0.9 } else { 1.0 }
        })
        .collect();
    Batch::builder().attribute(Categorical::from_values("sex", sex)).label(label).score(score).build().unwrap()
}

fn report(most: usize) -> Report {
    let limits = Limits { max_scores: most, ..Limits::default() };
    AuditPlan::new().limits(limits).run(&batch(0..ROWS)).unwrap()
}

/// The number behind some words of the note.
fn stated(report: &Report, words: &str) -> f64 {
    let note = report.models[0].notes.iter().find(|n| n.contains("more distinct scores")).expect("a note");
    let rest = &note[note.find(words).unwrap_or_else(|| panic!("{note}")) + words.len()..];
    rest.split([' ', ',']).next().unwrap().parse().unwrap()
}

fn pair(report: &Report, metric: &str) -> f64 {
    let table = report.models[0].table("sex").unwrap();
    let found = table.disparities.iter().find(|d| d.metric == metric && d.against == "between_groups").unwrap();
    found.estimate.value.unwrap()
}

#[test]
fn figures_of_fewer_scores_keep_within_what_the_report_says() {
    let exact = report(100_000);
    assert!(!exact.models[0].notes.iter().any(|n| n.contains("more distinct scores")));
    for most in [3000, 500, 60] {
        let rounded = report(most);
        let auc = stated(&rounded, "An AUC of a judged group is off by at most ");
        let gap = stated(&rounded, "a largest gap of selection rates by at most ");
        let moved = stated(&rounded, "a distance of scores by at most ");
        assert!(auc < 0.5 && gap < 1.0 && moved <= 1.0, "{auc}, {gap}, {moved}");
        for group in ["f", "m"] {
            let value = |r: &Report| r.metric("auc").unwrap().group(group).unwrap().value().unwrap();
            assert!((value(&exact) - value(&rounded)).abs() <= auc, "{most}: {} {}", value(&exact), value(&rounded));
        }
        assert!((pair(&exact, "kolmogorov_smirnov") - pair(&rounded, "kolmogorov_smirnov")).abs() <= gap);
        // The mean absolute scores are below 1.
        assert!((pair(&exact, "wasserstein") - pair(&rounded, "wasserstein")).abs() <= 2.0 * moved);
        // Nothing but what ranks or averages scores is touched.
        assert_eq!(rounded.data, exact.data);
        let rate = |r: &Report| r.metric("base_rate").unwrap().group("f").unwrap().value().unwrap();
        assert_eq!(rate(&rounded), rate(&exact));
    }
}

#[test]
fn limited_tallies_merge_and_are_kept_as_text() {
    let limits = Limits { max_scores: 300, ..Limits::default() };
    let whole = Tally::with_limits(&batch(0..ROWS), limits).unwrap();
    let mut merged = Tally::with_limits(&batch(0..2500), limits).unwrap();
    merged.merge(&Tally::of(&batch(2500..ROWS)).unwrap()).unwrap();
    assert_eq!(merged.rows(), whole.rows());
    let text = serde_json::to_string(&whole).unwrap();
    let back: Tally = serde_json::from_str(&text).unwrap();
    assert_eq!(back, whole);
    let asked = AuditPlan::new();
    assert_eq!(asked.evaluate(&back).unwrap().models[0].tables, asked.evaluate(&whole).unwrap().models[0].tables);
}

#[test]
fn less_memory_than_reading_takes_is_refused() {
    let error = AuditPlan::new().memory(1_000_000).run(&batch(0..100)).unwrap_err().to_string();
    assert!(error.contains("the memory is 1000000 bytes") && error.contains("256 million"), "{error}");
    assert!(AuditPlan::new().memory(256_000_000).run(&batch(0..100)).is_ok());
}
