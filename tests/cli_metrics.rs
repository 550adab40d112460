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
    let part = desk.line("metrics disparate").out;
    assert!(part.contains("\ndisparate_impact\n") && part.contains("\nconditional_disparate_impact\n"), "{part}");
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
    let score = |key: &str| list[key].as_array().unwrap().iter().all(|e| e["interval"].is_string());
    assert!(score("metrics") && score("criteria") && score("measures"));
    let page = desk.line("metrics --format markdown").out;
    assert!(catalog::names().all(|name| page.contains(&format!("### `{name}`\n"))));
    let alone = desk.line("metrics auc --format markdown").out;
    assert!(
        alone.starts_with("### `auc`\n") && alone.contains("DeLong") && alone.contains("--score propensity"),
        "{alone}"
    );
}

#[test]
fn the_pages_of_measures_are_what_the_tool_writes() {
    let desk = Desk::new();
    let run = desk.line("metrics --pages pages");
    assert_eq!((run.status, run.out.as_str()), (0, ""), "{}", run.err);
    let kept = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/measures");
    let names = |folder: &std::path::Path| {
        let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&kept), names(&desk.path("pages")));
    for name in names(&kept) {
        let page = std::fs::read_to_string(kept.join(&name)).unwrap();
        let written = desk.read(&format!("pages/{}", name.to_string_lossy()));
        assert!(page == written, "{name:?}: make it again by `evenhand metrics --pages docs/measures`");
        let bars = |line: &str| line.replace("\\|", "").matches('|').count();
        let rows = page.lines().filter(|l| l.starts_with('|'));
        assert!(rows.clone().all(|l| bars(l) == 3), "{name:?}: {:?}", rows.clone().find(|l| bars(l) != 3));
    }
    assert_eq!(desk.run(&["metrics", "auc", "--pages", "pages"]).status, 2);
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
