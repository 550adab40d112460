//! `evenhand metrics`, help and completions: what the tool says of itself.

#![cfg(feature = "cli")]

mod cli_support;

use cli_support::Desk;
use evenhand::metrics::catalog;

#[test]
fn the_list_has_everything_in_eighty_columns() {
    let run = Desk::new().line("metrics");
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    assert!(run.out.lines().all(|l| l.chars().count() <= 80));
    assert!(catalog::names().all(|name| run.out.lines().any(|l| l == name)));
    insta::assert_snapshot!(run.out.lines().take(40).collect::<Vec<_>>().join("\n"));
}

#[test]
fn one_is_found_by_its_name_or_that_of_a_peer() {
    let desk = Desk::new();
    insta::assert_snapshot!(desk.line("metrics equalized_odds").out);
    assert_eq!(desk.line("metrics Equalized-Odds").out, desk.line("metrics equalized_odds").out);
    assert!(desk.line("metrics tpr").out.contains("\ntrue_positive_rate\n"));
    let run = desk.line("metrics acuracy");
    assert!(run.status == 2 && run.err.contains("did you mean `accuracy`?"), "{}", run.err);
    assert_eq!(desk.run(&["metrics", ""]).status, 2);
}

#[test]
fn programs_and_pages_can_have_it() {
    let desk = Desk::new();
    let list: serde_json::Value = serde_json::from_str(&desk.line("metrics --format json").out).unwrap();
    let count = |key: &str| list[key].as_array().map(Vec::len);
    assert_eq!((count("metrics"), count("criteria")), (Some(catalog::METRICS.len()), Some(catalog::CRITERIA.len())));
    assert_eq!(count("measures"), Some(catalog::measures().count()));
    let score = list["metrics"].as_array().unwrap().iter().find(|m| m["name"] == "mean_score").unwrap();
    assert!(score["least"].is_null() && score["most"].is_null());
    let page = desk.line("metrics --format markdown").out;
    let tables: Vec<&str> = page.split("\n\n").collect();
    assert_eq!(tables.len(), 3);
    for table in tables {
        let bars = |line: &str| line.replace("\\|", "").matches('|').count();
        assert!(table.trim_end().lines().all(|l| bars(l) == bars(table) / table.trim_end().lines().count()), "{table}");
    }
}

#[test]
fn the_page_of_measures_is_what_the_tool_prints() {
    let page = include_str!("../docs/measures.md");
    let printed = Desk::new().line("metrics --format markdown").out;
    let (_, tables) = page.split_once("\n\n").expect("a heading");
    let (_, tables) = tables.split_once("\n\n").expect("an introduction");
    assert!(tables == printed, "make it again: see the introduction of docs/measures.md");
}

#[test]
fn help_teaches() {
    let desk = Desk::new();
    for (line, word) in [
        ("--help", "audit"),
        ("audit --help", "Exit status:"),
        ("audit --help", "wins over"),
        ("audit -h", "--favorable"),
        ("metrics --help", "Examples:"),
        ("init --help", "Examples:"),
    ] {
        let run = desk.line(line);
        assert!(run.status == 0 && run.out.contains(word), "{line}: {}", run.out);
        assert!(run.out.lines().all(|l| l.chars().count() <= 100), "{line}: {}", run.out);
    }
    assert!(desk.line("--version").out.starts_with("evenhand 0."));
}

#[test]
fn shells_complete() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = desk.line(&format!("completions {shell}"));
        assert!(run.status == 0 && run.out.contains("min-group-size"), "{shell}: {}", run.err);
    }
    assert_eq!(desk.line("completions ksh").status, 2);
}
