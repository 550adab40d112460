//! The tables of Local Law 144 and of the Uniform Guidelines, against aedt-audit 0.3.0 and by hand.

use evenhand::audit::{AuditPlan, Policy, Rulebook};
use evenhand::data::source::Source;
use evenhand::data::{Batch, Categorical, Columns, Model, Segments, Top};
use evenhand::report::{ImpactTable, Report, TextStyle};

fn offers(preset: &str, columns: Columns) -> Report {
    let columns = columns.attribute("sex".parse().unwrap()).attribute("race".parse().unwrap());
    let plan = AuditPlan::new().columns(columns).policy(Policy::preset(preset).unwrap());
    plan.audit_files(&Source::open(&["datasets/adult_offers.csv.gz"]).unwrap()).unwrap()
}

fn table<'r>(report: &'r Report, attribute: &str) -> &'r ImpactTable {
    report.models[0].impact.iter().find(|t| t.attribute == attribute).unwrap()
}

/// Category, people, selected, impact ratio, excluded.
type Row = (&'static str, u64, u64, f64, bool);

fn assert_rows(table: &ImpactTable, expected: &[Row]) {
    assert_eq!(table.rows.len(), expected.len());
    for (found, (category, people, selected, ratio, excluded)) in table.rows.iter().zip(expected) {
        let counts = (found.category.as_str(), found.people, found.selected, found.excluded);
        assert_eq!(counts, (*category, *people, *selected, *excluded));
        assert!((found.impact_ratio.unwrap() - ratio).abs() < 1e-12, "{found:?}");
        assert!((found.rate - *selected as f64 / *people as f64).abs() < 1e-15);
    }
}

#[test]
fn scoring_rates_agree_with_a_peer() {
    // Scores alone: who is strictly above the median of all counts as selected.
    let report = offers("nyc-local-law-144", Columns::new().score("propensity"));
    assert_rows(
        table(&report, "sex"),
        &[("Female", 8064, 2186, 0.4424785579251825, false), ("Male", 16357, 10021, 1.0, false)],
    );
    assert_rows(
        table(&report, "race"),
        &[
            ("Amer-Indian-Eskimo", 248, 107, 0.7674669243347704, true),
            ("Asian-Pac-Islander", 772, 434, 1.0, false),
            ("Black", 2361, 736, 0.5545100197721421, false),
            ("Other", 203, 62, 0.5432793807178043, true),
            ("White", 20837, 10868, 0.9277735966396181, false),
        ],
    );
    let crossed = table(&report, "sex & race");
    assert_eq!((crossed.rows.len(), crossed.unknown), (10, 0));
    assert_eq!(crossed.benchmark.as_deref(), Some("Male & Asian-Pac-Islander"));
    assert!((crossed.rows[2].impact_ratio.unwrap() - 0.25519944566824904).abs() < 1e-12);
    let text = report.to_text(TextStyle::default());
    assert!(text.contains("Scoring rate") && text.contains("strictly above"), "{text}");
    assert!(report.to_markdown().contains("NYC Local Law 144"));
}

#[test]
fn the_guidelines_tests_agree_with_a_peer() {
    let report = offers("eeoc", Columns::new().decision("targeted"));
    let expected = [
        ("Amer-Indian-Eskimo", -5.507484465622601, 29),
        ("Black", -12.658677108850009, 294),
        ("Other", -5.942205205543983, 29),
        ("White", -4.263766744890379, 210),
    ];
    let race = table(&report, "race");
    assert_eq!(race.benchmark.as_deref(), Some("Asian-Pac-Islander"));
    for (category, deviations, shortfall) in expected {
        let row = race.rows.iter().find(|r| r.category == category).unwrap();
        let test = row.test.as_ref().unwrap();
        assert!((test.standard_deviations.unwrap() - deviations).abs() < 1e-9, "{row:?}");
        assert!(test.shortfall == shortfall && test.adverse && test.below_four_fifths, "{row:?}");
        assert!(!test.flips);
    }
    assert!(race.rows.iter().find(|r| r.category == "Asian-Pac-Islander").unwrap().test.is_none());
    let text = report.to_text(TextStyle { width: 80, ..TextStyle::default() });
    assert!(text.contains("UNIFORM GUIDELINES") && text.lines().all(|l| l.chars().count() <= 80), "{text}");
    assert_eq!(Report::from_json(&report.to_json().unwrap()).unwrap(), report);
}

/// So many people of a category with a score.
fn people(parts: &[(Option<&'static str>, &[f64])]) -> (Vec<Option<&'static str>>, Vec<f64>) {
    let all = parts.iter().flat_map(|(category, scores)| scores.iter().map(move |s| (*category, *s)));
    all.unzip()
}

#[test]
fn the_median_is_of_all_and_those_at_it_are_not_above() {
    // 1 2 2 2 3 of a known category and two unknown at 9: the median of all seven is 2, not that of the known.
    let (sex, scores) = people(&[(Some("f"), &[1.0, 2.0, 2.0]), (Some("m"), &[2.0, 3.0]), (None, &[9.0, 9.0])]);
    let batch = Batch::builder()
        .attribute(Categorical::from_options("sex", sex.iter().copied()))
        .model(Model::top("score", scores, Top::AboveMedian))
        .weight([5.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
        .build()
        .unwrap();
    let report = AuditPlan::new().policy(Policy::preset("nyc-local-law-144").unwrap()).run(&batch).unwrap();
    let table = table(&report, "sex");
    let rows: Vec<_> = table.rows.iter().map(|r| (r.category.as_str(), r.people, r.selected, r.impact_ratio)).collect();
    assert_eq!(rows, [("f", 3, 0, Some(0.0)), ("m", 2, 1, Some(1.0))]);
    assert_eq!((table.unknown, table.benchmark.as_deref()), (2, Some("m")));
}

#[test]
fn a_small_category_is_shown_and_never_the_benchmark() {
    let mut sex = vec![Some("x")];
    sex.extend([Some("f"); 60]);
    sex.extend([Some("m"); 60]);
    let decisions: Vec<u8> =
        (0..121).map(|i| u8::from(i == 0 || (1..=30).contains(&i) || (61..=84).contains(&i))).collect();
    let batch = Batch::builder()
        .attribute(Categorical::from_options("sex", sex.iter().copied()))
        .decision(decisions)
        .build()
        .unwrap();
    let policy = Policy::preset("eeoc").unwrap();
    let report = AuditPlan::new().policy(policy).run(&batch).unwrap();
    let sex = table(&report, "sex");
    assert_eq!((sex.benchmark.as_deref(), sex.excluded_highest.as_deref()), (Some("f"), Some("x")));
    let row = |category: &str| sex.rows.iter().find(|r| r.category == category).unwrap();
    assert!(row("x").excluded && row("x").impact_ratio == Some(2.0));
    // 24 of 60 against 30 of 60 is four fifths to the person.
    let test = row("m").test.as_ref().unwrap();
    assert!(!test.below_four_fifths && test.shortfall == 0 && !test.adverse);
    let text = report.to_text(TextStyle::default()).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("x has the highest rate"), "{text}");
}

#[test]
fn nobody_selected_and_nobody_known_leave_blanks() {
    let none: [Option<&str>; 2] = [None, None];
    for (sex, decision) in [([Some("f"), Some("m")], [0, 0]), (none, [0, 1])] {
        let batch = Batch::builder()
            .attribute(Categorical::from_options("sex", sex.iter().copied()))
            .decision(decision)
            .build()
            .unwrap();
        for preset in ["eeoc", "nyc-local-law-144"] {
            let report = AuditPlan::new().policy(Policy::preset(preset).unwrap()).run(&batch).unwrap();
            let table = table(&report, "sex");
            assert!(table.rows.iter().all(|r| r.impact_ratio.is_none() && r.test.is_none()), "{table:?}");
            assert_eq!(table.unknown, sex.iter().filter(|s| s.is_none()).count() as u64);
            assert!(!report.to_text(TextStyle::default()).contains("NaN"));
        }
    }
}

#[test]
fn each_segment_is_a_classification_of_its_own() {
    let sex = Categorical::from_values("sex", ["f", "f", "f", "m", "m"]);
    let tiers = Segments::of(Categorical::from_values("tier", ["gold", "basic", "basic", "gold", "gold"]));
    let batch = Batch::builder().attribute(sex).segments(tiers).build().unwrap();
    let report = AuditPlan::new().policy(Policy::preset("nyc-local-law-144").unwrap()).run(&batch).unwrap();
    let of = |name: &str| report.model(name).unwrap().impact.first();
    assert!(of("tier").is_none());
    let gold = of("tier = gold").unwrap();
    assert_eq!(gold.rulebook, Rulebook::NycLocalLaw144);
    assert!((gold.rows[0].impact_ratio.unwrap() - 1.0 / 3.0).abs() < 1e-12);
    assert!(report.to_text(TextStyle::default()).contains("tier = gold, by sex"));
}
