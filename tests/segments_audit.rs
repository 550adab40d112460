//! Segmentations in an audit: counts, each segment as a decision, order, values, merging and files.

use evenhand::audit::{AuditPlan, Comparison, Policy, Verdict};
use evenhand::data::{Batch, Categorical, Model, Segments};
use evenhand::report::Report;
use evenhand::tally::{Accumulator, Limits, Tally};
use proptest::prelude::*;

const TIERS: [&str; 3] = ["basic", "silver", "gold"];

/// Codes of sex, tier, earlier tier and label, from one number a row; every seventh row has no tier.
struct People {
    sex: Vec<u8>,
    tier: Vec<u8>,
    before: Vec<u8>,
    label: Vec<u8>,
    weight: Vec<f64>,
    score: Vec<f64>,
}

impl People {
    fn of(numbers: &[u32]) -> Self {
        let code = |by: u32, of: u32| numbers.iter().map(|n| (n / by % of) as u8).collect::<Vec<u8>>();
        let tier = numbers.iter().map(|n| if n % 7 == 3 { u8::MAX } else { (n / 2 % 3) as u8 }).collect();
        let weight = numbers.iter().map(|n| f64::from(n % 5)).collect();
        let score = numbers.iter().map(|n| f64::from(n % 32) / 32.0).collect();
        People { sex: code(1, 2), tier, before: code(6, 3), label: code(18, 3), weight, score }
    }

    fn batch(&self, rows: std::ops::Range<usize>, weighted: bool) -> Batch<'_> {
        let column = |name: &str, levels: [&'static str; 3], codes: &[u8]| {
            Categorical::from_codes(name, levels, codes[rows.clone()].to_vec()).unwrap()
        };
        let sex = Categorical::from_codes("sex", ["f", "m"], self.sex[rows.clone()].to_vec()).unwrap();
        let tier = column("tier", TIERS, &self.tier);
        let builder = Batch::builder()
            .attribute(sex)
            .label(self.label[rows.clone()].to_vec())
            .model(Model::score("propensity", self.score[rows.clone()].to_vec()))
            .segments(Segments::of(tier).order(TIERS).earlier(column("before", TIERS, &self.before)));
        let builder = if weighted { builder.weight(self.weight[rows.clone()].to_vec()) } else { builder };
        builder.build().unwrap()
    }

    fn whole(&self, weighted: bool) -> Tally {
        Tally::of(&self.batch(0..self.sex.len(), weighted)).unwrap()
    }
}

fn rate(report: &Report, model: &str, group: &str) -> f64 {
    report.model(model).unwrap().metric("selection_rate").unwrap().group(group).unwrap().value.unwrap()
}

#[test]
fn each_segment_is_judged_as_a_decision() {
    // 100 of each sex: gold holds 10 women and 40 men.
    let sex: Vec<&str> = (0..200).map(|i| if i < 100 { "f" } else { "m" }).collect();
    let tier: Vec<&str> = (0..200).map(|i| if i < 10 || (100..140).contains(&i) { "gold" } else { "basic" }).collect();
    let batch = Batch::builder()
        .attribute(Categorical::from_values("sex", &sex))
        .segments(Segments::of(Categorical::from_values("tier", &tier)))
        .build()
        .unwrap();
    let report = AuditPlan::new().policy(Policy::preset("four-fifths").unwrap()).run(&batch).unwrap();
    let names: Vec<&str> = report.models.iter().map(|m| m.model.as_str()).collect();
    assert_eq!(names, ["tier", "tier = basic", "tier = gold"]);
    assert_eq!((rate(&report, "tier = gold", "f"), rate(&report, "tier = gold", "m")), (0.1, 0.4));
    assert_eq!(report.model("tier = gold").unwrap().segment_of.as_deref(), Some("tier"));
    let impact = report.model("tier = gold").unwrap().metric("disparate_impact").unwrap();
    assert_eq!(impact.ratio("sex").unwrap().estimate.value, Some(0.25));
    assert_eq!(report.verdict, Verdict::Fail);
    // The segmentation itself is asked for nothing that only its segments can answer.
    assert!(report.model("tier").unwrap().findings.is_empty());
    let text = report.to_text(Default::default());
    assert!(text.contains("tier = gold: disparate impact by sex") && !text.contains("MODEL tier = gold"), "{text}");
}

#[test]
fn every_cell_is_told_with_its_residual() {
    // Against the residual's own formula, from the rows.
    let counts = [("f", "democrat", 495), ("f", "independent", 590), ("f", "republican", 272)];
    let counts =
        counts.into_iter().chain([("m", "democrat", 330), ("m", "independent", 498), ("m", "republican", 265)]);
    let rows: Vec<(&str, &str)> = counts.flat_map(|(g, s, n)| std::iter::repeat_n((g, s), n)).collect();
    let batch = Batch::builder()
        .attribute(Categorical::from_values("sex", rows.iter().map(|r| r.0)))
        .segments(Segments::of(Categorical::from_values("party", rows.iter().map(|r| r.1))))
        .build()
        .unwrap();
    let report = AuditPlan::new().run(&batch).unwrap();
    let cells = &report.model("party").unwrap().table("sex").unwrap().cells;
    assert_eq!(cells.len(), 6);
    let (all, of_sex) = (2450.0, |g: &str| if g == "f" { 1357.0 } else { 1093.0 });
    for cell in cells {
        let here = rows.iter().filter(|r| **r == (&cell.group, &cell.segment)).count() as f64;
        let (row, column) = (of_sex(&cell.group), rows.iter().filter(|r| r.1 == cell.segment).count() as f64);
        let expected = row * column / all;
        let residual = (here - expected) / (expected * (1.0 - row / all) * (1.0 - column / all)).sqrt();
        assert!((cell.residual.unwrap() - residual).abs() < 1e-9, "{cell:?}");
        assert!((cell.representation.value.unwrap() - here / expected).abs() < 1e-12, "{cell:?}");
        assert_eq!(cell.share.value, Some(here / row));
    }
    let text = report.to_text(Default::default());
    assert!(text.contains("f in democrat: 1.08 times"), "{text}");
    let csv = report.to_csv();
    assert_eq!(csv.lines().filter(|l| l.contains(",adjusted_residual,")).count(), 6);
    assert!(csv.contains("party = democrat,sex,f,,adjusted_residual,"), "{csv}");
}

#[test]
fn a_true_class_is_the_label_of_its_segment() {
    let truth = Categorical::from_values("truth", ["a", "a", "b", "b", "a", "b"]);
    let found = Categorical::from_values("segment", ["a", "b", "b", "b", "a", "a"]);
    let batch = Batch::builder()
        .attribute(Categorical::from_values("g", ["x", "x", "x", "y", "y", "y"]))
        .segments(Segments::of(found).classes(truth))
        .build()
        .unwrap();
    let report = AuditPlan::new().run(&batch).unwrap();
    let recall = report.model("segment = a").unwrap().metric("true_positive_rate").unwrap();
    assert_eq!(recall.group("x").unwrap().value, Some(0.5));
    assert_eq!(recall.group("y").unwrap().value, Some(1.0));
}

#[test]
fn orders_and_values_must_name_every_segment() {
    let batch = |segments: Segments<'static>| {
        let group = Categorical::from_values("g", ["x", "y"]);
        Batch::builder().attribute(group).segments(segments).build().unwrap()
    };
    let tier = || Segments::of(Categorical::from_values("tier", ["basic", "gold"]));
    let run = |segments| AuditPlan::new().run(&batch(segments)).map(|_| ()).map_err(|e| e.to_string());
    assert!(run(tier().order(["basic", "gold"]).values([("basic", 1.0), ("gold", 2.0)])).is_ok());
    let error = run(tier().order(["basic", "golden"])).unwrap_err();
    assert!(error.contains("`gold`") && error.contains("order"), "{error}");
    let error = run(tier().values([("basic", 1.0)])).unwrap_err();
    assert!(error.contains("`gold`") && error.contains("values"), "{error}");
}

#[test]
fn values_are_compared_by_what_compares_by_value() {
    let policy = |text: &str| Policy::from_toml(text).map_err(|e| e.to_string());
    let criterion = |rest: &str| format!("[[criteria]]\nmetric = \"x\"\ncomparison = \"value\"\n{rest}");
    assert_eq!(policy(&criterion("maximum = 0.1")).unwrap().criteria[0].comparison, Comparison::Value);
    assert!(policy(&criterion("")).unwrap_err().contains("maximum"));
    assert!(policy(&criterion("minimum = 2\nmaximum = 1")).unwrap_err().contains("below"));
}

proptest! {
    #[test]
    fn chunks_merges_and_json_change_nothing(numbers in prop::collection::vec(0u32..100_000, 1..300), cut in 0usize..300) {
        let people = People::of(&numbers);
        let n = numbers.len();
        let cut = cut.min(n - 1).max(usize::from(n > 1));
        for weighted in [false, true] {
            let whole = people.whole(weighted);
            if cut > 0 && cut < n {
                let mut merged = Tally::of(&people.batch(0..cut, weighted)).unwrap();
                let rest = Tally::of(&people.batch(cut..n, weighted)).unwrap();
                merged.merge(&rest).unwrap();
                prop_assert_eq!(&merged, &whole);
                merged.subtract(&rest).unwrap();
                prop_assert_eq!(merged.rows(), cut as u64);
                merged.merge(&rest).unwrap();
                if !weighted {
                    prop_assert_eq!(merged.digest(), whole.digest());
                }
                let mut all = Accumulator::new(Limits::default());
                all.update(&people.batch(0..cut, weighted)).unwrap();
                all.update(&people.batch(cut..n, weighted)).unwrap();
                prop_assert_eq!(&all.finish().unwrap().unwrap(), &whole);
            }
            prop_assert_eq!(&Tally::from_json(&whole.to_json().unwrap()).unwrap(), &whole);
            // Few cells allowed: the sparse layout counts the same.
            let few = Limits { max_cells: 3, ..Limits::default() };
            if let Ok(sparse) = Tally::with_limits(&people.batch(0..n, weighted), few) {
                prop_assert_eq!(&sparse, &whole);
            }
        }
    }

    #[test]
    fn segments_share_out_everybody_once(numbers in prop::collection::vec(0u32..100_000, 30..300)) {
        let people = People::of(&numbers);
        let report = AuditPlan::new().replicates(10).evaluate(&people.whole(false)).unwrap();
        for group in ["f", "m"] {
            let shares: Vec<f64> = TIERS
                .iter()
                .filter_map(|t| report.model(&format!("tier = {t}")).unwrap().metric("selection_rate").unwrap().group(group).ok()?.value)
                .collect();
            if shares.len() == 3 {
                prop_assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{shares:?}");
            }
        }
    }
}
