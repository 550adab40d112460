//! The forms of what changed from one report to another.

use std::sync::LazyLock;

use evenhand::Error;
use evenhand::audit::{Against, AuditPlan, Comparison, Criterion, Policy, Verdict};
use evenhand::compare::{Changes, Compare, Effect, Independence};
use evenhand::data::{Batch, Categorical, Model};
use evenhand::metrics::{Estimate, Undefined};
use evenhand::report::{InputFile, Report, TextStyle};
use unicode_width::UnicodeWidthStr;

use crate::sample;

/// A month of a campaign: of each hundred women so many are selected, of each hundred men 40; a third of all respond.
fn month(women: usize, ages: &[&str], rows: usize) -> Batch<'static> {
    let sex = (0..rows).map(|i| if i % 2 == 0 { "female" } else { "male" });
    let age = (0..rows).map(|i| ages[(i / 200 + i % 2) % ages.len()].to_string());
    let selected: Vec<u8> = (0..rows).map(|i| u8::from((i / 2) % 100 < if i % 2 == 0 { women } else { 40 })).collect();
    let label: Vec<u8> = (0..rows).map(|i| u8::from((i / 3) % 3 == 0)).collect();
    Batch::builder()
        .attribute(Categorical::from_values("sex", sex))
        .attribute(Categorical::from_values("age", age))
        .label(label)
        .decision(selected)
        .build()
        .unwrap()
}

fn policy(minimum: f64) -> Policy {
    let mut policy = Policy::preset("four-fifths").unwrap();
    policy.criteria[0].minimum = Some(minimum);
    policy.criteria.push(Criterion {
        metric: "equal_opportunity".into(),
        comparison: Comparison::Difference,
        against: Against::Reference,
        maximum: Some(0.1),
        minimum: None,
        attributes: vec!["sex".into()],
    });
    policy
}

fn report(batch: &Batch, policy: Policy) -> Report {
    AuditPlan::new()
        .policy(policy)
        .reference("sex", "male")
        .replicates(50)
        .created("2026-05-31T00:00:00Z")
        .run(batch)
        .unwrap()
}

/// Women are selected less, an age band vanishes and another appears, the bound is another.
fn changed() -> Changes {
    let before = report(&month(38, &["young", "old", "ancient"], 4000), policy(0.8));
    let after = report(&month(22, &["young", "old", "new"], 4400), policy(0.85));
    Compare::new().names("may.json", "june.json").run(&before, &after).unwrap()
}

fn same(report: &Report) -> Changes {
    Compare::new().names("a", "b").run(report, report).unwrap()
}

/// Every pair of the samples that can be compared.
fn every_pair() -> &'static [(String, Changes)] {
    static PAIRS: LazyLock<Vec<(String, Changes)>> = LazyLock::new(pairs);
    &PAIRS
}

fn pairs() -> Vec<(String, Changes)> {
    let all = sample::all();
    let mut pairs = vec![("changed".to_string(), changed())];
    for (a, before) in &all {
        for (b, after) in &all {
            match Compare::new().names(*a, *b).run(before, after) {
                Ok(changes) => pairs.push((format!("{a} to {b}"), changes)),
                Err(e @ Error::NothingInCommon { .. }) => {
                    let text = e.to_string();
                    assert!(text.contains(a) && text.contains(b), "{text}");
                }
                Err(e) => panic!("{a} to {b}: {e}"),
            }
        }
    }
    assert!(pairs.len() > all.len(), "{}", pairs.len());
    pairs
}

#[test]
fn the_changes_read_well() {
    let changes = changed();
    insta::assert_snapshot!("compared_text", changes.to_text(TextStyle::default()));
    insta::assert_snapshot!("compared_markdown", changes.to_markdown());
}

#[test]
fn what_changed_is_told_and_what_did_not_is_not() {
    let changes = changed();
    assert_eq!(changes.effect, Effect::Worse);
    let model = &changes.models[0];
    let first = &model.findings[0];
    assert_eq!((first.change.metric.as_str(), first.change.attribute.as_str()), ("disparate_impact", "sex"));
    assert_eq!(first.verdicts, [Verdict::Pass, Verdict::Fail]);
    assert_eq!((first.minimum, first.change.effect), ([Some(0.8), Some(0.85)], Effect::Worse));
    // 0.22 / 0.40 after 0.38 / 0.40.
    assert!((first.change.difference.value.unwrap() - (0.55 - 0.95)).abs() < 1e-9);
    assert!(
        first.change.p_adjusted >= first.change.p_value
            && first.change.notes.iter().any(|n| n.contains("at least 0.85"))
    );
    // The share of women fell, that of men did not; the base rates are alike.
    let figure = |metric: &str, group: &str| {
        model.figures.iter().find(|c| c.metric == metric && c.group.as_deref() == Some(group)).unwrap()
    };
    let women = figure("selection_rate", "female");
    assert!(women.effect == Effect::Fell && (women.difference.value.unwrap() + 0.16).abs() < 1e-9);
    assert_eq!(
        (figure("selection_rate", "male").effect, figure("base_rate", "female").effect),
        (Effect::NotShown, Effect::NotShown)
    );
    let names =
        |all: &[evenhand::compare::Absent]| all.iter().map(|a| format!("{} {}", a.kind, a.name)).collect::<Vec<_>>();
    assert!(names(&changes.only_before).contains(&"group ancient".into()), "{:?}", changes.only_before);
    assert!(names(&changes.only_after).contains(&"group new".into()));
    assert!(changes.settings.iter().any(|s| s.setting == "Criteria" && s.after.contains("0.85")));
    assert!(model.disparities.iter().all(|c| c.sentence.ends_with('.') && !c.sentence.contains('\u{a0}')));
}

#[test]
fn the_other_way_round_is_better_by_as_much() {
    let (before, after) = (month(38, &["all"], 4000), month(22, &["all"], 4000));
    let (was, is) = (report(&before, policy(0.8)), report(&after, policy(0.8)));
    let there = Compare::new().run(&was, &is).unwrap();
    let back = Compare::new().run(&is, &was).unwrap();
    assert_eq!((there.effect, back.effect), (Effect::Worse, Effect::Better));
    for (a, b) in there.models[0].disparities.iter().zip(&back.models[0].disparities) {
        match (a.difference.value, b.difference.value) {
            (Some(x), Some(y)) => {
                assert!((x + y).abs() < 1e-12, "{} {x} {y}", a.metric);
                let p = |c: &evenhand::compare::Change| c.p_value.unwrap_or(-1.0);
                assert!((p(a) - p(b)).abs() < 1e-9, "{a:?}");
            }
            (x, y) => assert_eq!((x, y), (None, None)),
        }
    }
}

#[test]
fn nothing_changes_from_a_report_to_itself() {
    for (name, report) in sample::all() {
        if report.models.is_empty() || report.models[0].tables.is_empty() {
            continue;
        }
        let changes = same(&report);
        assert_eq!((changes.effect, changes.independence), (Effect::NotShown, Independence::SameCounts), "{name}");
        assert!(
            changes.settings.is_empty() && changes.only_before.is_empty() && changes.only_after.is_empty(),
            "{name}"
        );
        for m in &changes.models {
            let all = m.findings.iter().map(|f| &f.change).chain(&m.disparities).chain(&m.figures);
            for c in all {
                assert_eq!(c.before, c.after, "{name}");
                assert!(
                    c.difference.value.is_none_or(|d| d == 0.0) && c.p_value.is_none_or(|p| p == 1.0),
                    "{name}: {c:?}"
                );
            }
        }
    }
}

/// The figures that cannot be compared say why, and none is not a number.
#[test]
fn what_is_undefined_cannot_be_compared() {
    let good = sample::full();
    let mut bad = sample::full();
    for m in &mut bad.models {
        let none = || Estimate::undefined(Undefined::NoPositives, sample::support(0.0));
        m.overall.values_mut().for_each(|e| *e = none());
        m.findings.iter_mut().for_each(|f| f.estimate = none());
        for t in &mut m.tables {
            t.groups.iter_mut().for_each(|g| g.metrics.values_mut().for_each(|e| *e = none()));
            t.disparities.iter_mut().for_each(|d| d.estimate = none());
        }
    }
    let changes = Compare::new().run(&good, &bad).unwrap();
    for c in changes.models[0].findings.iter().map(|f| &f.change).chain(&changes.models[0].figures) {
        assert_eq!(c.effect, Effect::NotComparable);
        assert!(c.difference.value.is_none() && c.difference.reason.is_some() && c.p_value.is_none());
        assert!(c.sentence.contains("it cannot be compared") && c.sentence.contains("undefined"), "{}", c.sentence);
    }
    assert!(changes.to_text(TextStyle::default()).contains("not comparable"));
}

#[test]
fn whether_rows_are_shared_is_found_and_said() {
    let file =
        |hash: &str| InputFile { path: "a.csv".into(), format: "csv".into(), bytes: 1, rows: 1, blake3: hash.into() };
    let with = |hashes: &[&str], women: usize, rows: usize| {
        let mut report = report(&month(women, &["all"], rows), policy(0.8));
        report.provenance.inputs = hashes.iter().map(|h| file(h)).collect();
        report
    };
    for (was, is, expected) in [
        (with(&["x"], 38, 4000), with(&["y"], 22, 4400), Independence::NoFileInCommon),
        (with(&["x"], 38, 4000), with(&["x"], 22, 4000), Independence::SameRows),
        (with(&["x", "y"], 38, 4000), with(&["y", "z"], 22, 4400), Independence::SomeFiles),
        (with(&[], 38, 4000), with(&[], 22, 4400), Independence::Unknown),
        (with(&["x"], 38, 4000), with(&["y"], 22, 4000), Independence::SameSizes),
        (with(&["x"], 38, 4000), with(&["y"], 38, 4000), Independence::SameCounts),
    ] {
        let changes = Compare::new().run(&was, &is).unwrap();
        assert_eq!(changes.independence, expected);
        let text = changes.to_text(TextStyle::default()).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(expected.sentence()), "{text}");
    }
}

#[test]
fn models_are_found_by_name_or_as_they_are_told() {
    let two = sample::two_models();
    let names: Vec<&str> = two.models.iter().map(|m| m.model.as_str()).collect();
    assert_eq!(Compare::new().run(&two, &two).unwrap().models.len(), 2);
    let changes = Compare::new().model(names[0], names[1]).run(&two, &two).unwrap();
    assert_eq!((changes.models.len(), changes.models[0].after.as_str()), (1, names[1]));
    // Two models of one report are of the same rows, and their figures may differ.
    assert_eq!(changes.independence, Independence::SameRows);
    let error = Compare::new().names("x.json", "y.json").model("nobody", names[1]).run(&two, &two).unwrap_err();
    assert!(error.to_string().contains("nobody") && error.to_string().contains("x.json"), "{error}");
    // One model of either belongs to the other, whatever they are called.
    let named = |name: &str| {
        let batch = Batch::builder()
            .attribute(Categorical::from_values("sex", ["f", "m"].repeat(200)))
            .model(Model::decision(name, vec![1u8; 400]))
            .build();
        AuditPlan::new().run(&batch.unwrap()).unwrap()
    };
    let changes = Compare::new().run(&named("old"), &named("new")).unwrap();
    assert_eq!((changes.models[0].before.as_str(), changes.models[0].after.as_str()), ("old", "new"));
    let error = Compare::new().names("x.json", "y.json").run(&two, &named("new")).unwrap_err().to_string();
    assert!(error.contains("x.json") && error.contains("--model"), "{error}");
    let error = Compare::new().confidence(1.5).run(&two, &two).unwrap_err().to_string();
    assert!(error.contains("1.5"), "{error}");
}

#[test]
fn no_line_of_changes_is_wider_than_asked() {
    for (name, changes) in every_pair() {
        for (width, full) in [(60, false), (80, false), (80, true)] {
            let text = changes.to_text(TextStyle { color: false, width, full });
            for line in text.lines() {
                assert!(line.width() <= width, "{name} at {width}: {} {line}", line.width());
            }
            let bad = |c: &char| c.is_control() && *c != '\n' || ('\u{202a}'..='\u{202e}').contains(c);
            assert_eq!(text.chars().find(bad), None, "{name}");
            assert!(!text.contains("\n\n\n") && text.ends_with('\n'), "{name}: {text}");
        }
    }
}

#[test]
fn no_name_is_markup_in_changes() {
    for (name, changes) in every_pair() {
        let text = changes.to_markdown();
        crate::tables_hold(name, &text);
        for bad in ["<script", "http://", "@everyone", " `c`", " [e]", "\x1b", "\u{202e}"] {
            assert!(!text.contains(bad), "{name}: {bad}");
        }
    }
}

#[test]
fn changes_come_back_equal_from_json() {
    for (name, changes) in every_pair() {
        let text = changes.to_json().unwrap();
        assert!(!text.contains("NaN") && text.ends_with("}\n"));
        assert!(Changes::from_json(&text).unwrap() == *changes, "{name}");
    }
    let text = changed().to_json().unwrap().replace("\"schema_version\": 1", "\"schema_version\": 9");
    assert!(Changes::from_json(&text).unwrap_err().to_string().contains("version 9"));
}

/// Another reference group makes another question of a criterion; its verdicts are shown, its change is not judged.
#[test]
fn another_reference_group_is_another_question() {
    let batch = month(30, &["all"], 4000);
    let against = |level: &str| AuditPlan::new().policy(policy(0.8)).reference("sex", level).run(&batch).unwrap();
    let changes = Compare::new().run(&against("male"), &against("female")).unwrap();
    let of = |c: &&evenhand::compare::FindingChange| c.change.metric == "equal_opportunity";
    let finding = changes.models[0].findings.iter().find(of).unwrap();
    assert_eq!((finding.change.effect, finding.change.difference.value), (Effect::NotComparable, None));
    assert!(finding.change.before.value.is_some() && finding.change.notes[0].contains("male"), "{:?}", finding.change);
    let settings: Vec<&str> = changes.settings.iter().map(|s| s.setting.as_str()).collect();
    assert!(settings.contains(&"Reference group by sex") && settings.contains(&"Reference groups"), "{settings:?}");
    // Comparisons of all groups are the same question as before.
    let gap = changes.models[0].disparity("sex", "selection_rate").unwrap();
    assert_eq!((gap.effect, gap.p_value), (Effect::NotShown, Some(1.0)));
}

/// Intervals at other levels are stretched to the one asked for, and it is said.
#[test]
fn levels_are_made_the_same() {
    let at = |confidence: f64| report(&month(30, &["all"], 4000), Policy { confidence, ..policy(0.8) });
    let (narrow, wide) = (at(0.8), at(0.99));
    let mixed = Compare::new().confidence(0.95).run(&narrow, &wide).unwrap();
    let plain = Compare::new().run(&at(0.95), &at(0.95)).unwrap();
    assert!(mixed.notes.iter().any(|n| n.contains("other levels")) && plain.notes.len() == 1);
    assert!(mixed.settings.iter().any(|s| s.setting == "Confidence" && s.before == "80 %" && s.after == "99 %"));
    let width = |c: &Changes| {
        let d = &c.models[0].disparity("sex", "selection_rate").unwrap().difference;
        d.high.unwrap() - d.low.unwrap()
    };
    assert!((width(&mixed) / width(&plain) - 1.0).abs() < 0.02, "{} {}", width(&mixed), width(&plain));
}

/// That labels differ more between groups is no model's doing: it rose, and nothing is called worse.
#[test]
fn disparities_of_labels_alone_rise_and_fall() {
    let year = |women: usize| {
        let sex = (0..3000).map(|i| if i % 2 == 0 { "female" } else { "male" });
        let bought = (0..3000).map(|i| u8::from((i / 2) % 10 < if i % 2 == 0 { women } else { 5 }));
        let batch = Batch::builder().attribute(Categorical::from_values("sex", sex)).label(bought.collect::<Vec<_>>());
        AuditPlan::new().run(&batch.build().unwrap()).unwrap()
    };
    let changes = Compare::new().run(&year(5), &year(2)).unwrap();
    let gap = changes.models[0].disparity("sex", "base_rate").unwrap();
    assert_eq!((gap.effect, changes.effect), (Effect::Rose, Effect::NotShown));
    assert!(gap.sentence.contains("it rose by 30.0 points"), "{}", gap.sentence);
    assert_eq!(
        Compare::new().run(&year(2), &year(5)).unwrap().models[0].disparity("sex", "base_rate").unwrap().effect,
        Effect::Fell
    );
}

/// Fewer rows make a failure inconclusive; that is no improvement.
#[test]
fn a_failure_that_is_no_longer_sure_is_not_better() {
    let at = |rows: usize| report(&month(22, &["all"], rows), Policy::preset("four-fifths").unwrap());
    let changes = Compare::new().run(&at(4000), &at(200)).unwrap();
    let first = changes.models[0].findings.iter().find(|f| f.change.attribute == "sex").unwrap();
    assert_eq!(first.verdicts, [Verdict::Fail, Verdict::Inconclusive]);
    assert_eq!((first.change.effect, changes.effect), (Effect::NotShown, Effect::NotShown));
    assert!(first.change.notes.iter().any(|n| n.contains("surer")), "{:?}", first.change.notes);
}

/// Who is missing may be the worst-off: without a group that took part before, nothing is called better.
#[test]
fn a_gap_is_not_better_for_a_group_that_is_gone() {
    let rates = |of: &[(&str, usize)], rows: usize| {
        let groups = of.iter().flat_map(|(g, _)| std::iter::repeat_n(g.to_string(), rows));
        let selected = of.iter().flat_map(|(_, rate)| (0..rows).map(move |i| u8::from(i % 100 < *rate)));
        let batch = Batch::builder().attribute(Categorical::from_values("g", groups.collect::<Vec<_>>()));
        let batch = batch.decision(selected.collect::<Vec<_>>()).build().unwrap();
        AuditPlan::new().policy(Policy::preset("four-fifths").unwrap()).run(&batch).unwrap()
    };
    let before = rates(&[("a", 50), ("b", 50), ("c", 10)], 1000);
    let gone = Compare::new().run(&before, &rates(&[("a", 50), ("b", 50)], 1000)).unwrap();
    let gap = gone.models[0].disparity("g", "selection_rate").unwrap();
    assert_eq!(gap.effect, Effect::NotComparable);
    assert!(gap.notes.iter().any(|n| n.contains("left out now")) && gap.sentence.contains("not judged"), "{gap:?}");
    let mended = Compare::new().run(&before, &rates(&[("a", 50), ("b", 50), ("c", 48)], 1000)).unwrap();
    assert_eq!(mended.models[0].disparity("g", "selection_rate").unwrap().effect, Effect::Better);
    // A group that is there only now may well make it worse.
    let new = Compare::new().run(&rates(&[("a", 50), ("b", 50)], 1000), &before).unwrap();
    assert_eq!(
        (new.effect, new.models[0].disparity("g", "selection_rate").unwrap().effect),
        (Effect::Worse, Effect::Worse)
    );
    // What is too small is shown and not judged.
    let small = |rate: usize| rates(&[("a", rate)], 9);
    let tiny = Compare::new().run(&small(0), &small(100)).unwrap();
    let of_group = |c: &&evenhand::compare::Change| c.group.as_deref() == Some("a") && c.metric == "selection_rate";
    let figure = tiny.models[0].figures.iter().find(of_group).unwrap();
    assert_eq!((figure.effect, figure.p_value, figure.difference.value), (Effect::NotComparable, None, Some(1.0)));
}
