//! Cards, and the summary of Local Law 144: filled as far as the audit knows, blank where it does not.

use evenhand::audit::{AuditPlan, Policy, Rulebook};
use evenhand::data::source::Source;
use evenhand::data::{Batch, Categorical, Columns};
use evenhand::report::{Document, Report};

use crate::sample::{all, full, ruled};
use crate::tables_hold;

fn resumes() -> Report {
    let columns = Columns::new()
        .attribute("gender".parse().unwrap())
        .attribute("ethnicity".parse().unwrap())
        .decision("callback");
    let plan = AuditPlan::new().columns(columns).policy(Policy::preset("nyc-local-law-144").unwrap()).replicates(20);
    plan.created("2026-03-01T08:00:00Z").audit_files(&Source::open(&["datasets/resume_names.csv.gz"]).unwrap()).unwrap()
}

#[test]
fn documents_read_well() {
    insta::assert_snapshot!("model_card", full().model_card().to_markdown());
    insta::assert_snapshot!("data_card", full().data_card().to_markdown());
    insta::assert_snapshot!("local_law_144", resumes().local_law_144().unwrap().to_markdown());
}

/// The headings of the two papers, in their order.
#[test]
fn cards_have_the_headings_of_their_papers() {
    let headings = |d: &Document| -> Vec<String> {
        d.to_markdown().lines().filter_map(|l| l.strip_prefix("## ")).map(String::from).collect()
    };
    let own = "Where the figures come from";
    let mitchell = [
        "Model details",
        "Intended use",
        "Factors",
        "Metrics",
        "Evaluation data",
        "Training data",
        "Quantitative analyses",
        "Ethical considerations",
        "Caveats and recommendations",
        own,
    ];
    let gebru = [
        "Motivation",
        "Composition",
        "Collection process",
        "Preprocessing, cleaning, labelling",
        "Uses",
        "Distribution",
        "Maintenance",
        own,
    ];
    for (_, report) in all() {
        assert_eq!(headings(&report.model_card()), mitchell);
        assert_eq!(headings(&report.data_card()), gebru);
    }
}

#[test]
fn blanks_are_marked_and_counted() {
    for document in [full().model_card(), full().data_card(), resumes().local_law_144().unwrap()] {
        let marked = document.to_markdown().matches("**To be filled in:**").count();
        assert_eq!(marked, document.blanks_left());
        assert!(marked >= 6, "{marked}");
    }
}

#[test]
fn no_name_breaks_a_document() {
    for (name, report) in all() {
        let law = report.local_law_144();
        let asked = report.settings.policy.rulebook == Some(Rulebook::NycLocalLaw144);
        assert_eq!(law.is_ok(), asked && !report.models.is_empty(), "{name}");
        for document in [Ok(report.model_card()), Ok(report.data_card()), law].into_iter().flatten() {
            let text = document.to_markdown();
            tables_hold(name, &text);
            for bad in ["<script", "http://", "@everyone", " `c`", " [e]", "\x1b", "\u{202e}"] {
                assert!(!text.contains(bad), "{name}: {bad}");
            }
            assert!(
                !text.contains("NaN") && !text.contains("\n\n\n") && text.len() < 400_000,
                "{name}: {}",
                text.len()
            );
        }
    }
}

/// The figures of the published audit of invented names (Bertrand and Mullainathan), by the rule.
#[test]
fn the_summary_has_what_the_rule_asks_for() {
    let report = resumes();
    let text = report.local_law_144().unwrap().to_markdown();
    for wanted in [
        "**Date of the bias audit:** 2026-03-01",
        "Distribution date",
        "## Source and explanation of the data",
        "unknown category",
        "| Category | Applicants | Selected | Selection rate | Impact ratio |",
        "By gender & ethnicity",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    // Every category of every table has its line, with the ratio to the highest rate.
    for t in report.models.iter().flat_map(|m| &m.impact) {
        for row in &t.rows {
            let people = row.people.to_string();
            let people = if row.people > 999 { format!("{},{}", &people[..1], &people[1..]) } else { people };
            let line = format!(
                "| {people} | {} | {:.1} % | {:.3} |",
                row.selected,
                row.rate * 100.0,
                row.impact_ratio.unwrap()
            );
            assert!(text.contains(&line), "{line}");
        }
    }
    // The score's form: a scoring rate.
    let scores = Columns::new().attribute("sex".parse().unwrap()).score("propensity");
    let plan = AuditPlan::new().columns(scores).policy(Policy::preset("nyc-local-law-144").unwrap()).replicates(20);
    let report = plan.audit_files(&Source::open(&["datasets/adult_offers.csv.gz"]).unwrap()).unwrap();
    let text = report.local_law_144().unwrap().to_markdown();
    assert!(text.contains("| Scoring rate |") && text.contains("| Female | 8,064 | 2,186 |"), "{text}");
}

#[test]
fn small_categories_are_excluded_with_their_numbers_and_a_justification_to_give() {
    let groups = ["A", "B", "C"].into_iter().zip([600, 395, 5]);
    let values: Vec<&str> = groups.flat_map(|(g, n)| std::iter::repeat_n(g, n)).collect();
    let selected: Vec<u8> = (0..values.len()).map(|i| u8::from(i % 4 == 0 || values[i] == "C")).collect();
    let batch =
        Batch::builder().attribute(Categorical::from_values("race", values)).decision(selected).build().unwrap();
    let report = AuditPlan::new().policy(Policy::preset("nyc-local-law-144").unwrap()).run(&batch).unwrap();
    let text = report.local_law_144().unwrap().to_markdown();
    assert!(text.contains("| C | 5 | 5 | 100.0 % | excluded ‡ |"), "{text}");
    assert!(text.contains("by race: C (0.5 %)") && text.contains("justification"), "{text}");
    assert!(!text.contains("Highest rate: C"));
    // Without small categories nothing is said of any.
    assert!(!resumes().local_law_144().unwrap().to_markdown().contains("Excluded categories"));
    let error = ruled("eeoc").local_law_144().unwrap_err().to_string();
    assert!(error.contains("nyc-local-law-144"), "{error}");
}
