//! `evenhand compare`: exit statuses, forms, models, and what it says of files that are no reports.

#![cfg(feature = "cli")]

mod cli_support;

use cli_support::{Answer, Desk, campaign, fair, unfair};

/// A desk with the reports of a fair month and of one after it.
fn desk(after: String) -> Desk {
    let desk = Desk::new();
    for (name, data) in [("may", fair()), ("june", after)] {
        desk.write(&format!("{name}.csv"), data);
        let audit =
            format!("audit {name}.csv -a sex -l responded -d targeted --no-timestamp --quiet --output {name}.json");
        assert!(desk.line(&audit).status < 2);
    }
    desk
}

#[track_caller]
fn fails(run: &Answer, words: &[&str]) {
    assert_eq!((run.status, run.out.as_str()), (2, ""), "{}", run.err);
    assert!(run.err.starts_with("error: "), "{}", run.err);
    for word in words {
        assert!(run.err.contains(word), "no `{word}` in: {}", run.err);
    }
}

#[test]
fn the_exit_status_tells_whether_anything_got_worse() {
    let run = desk(unfair()).line("compare may.json june.json");
    assert_eq!((run.status, run.err.as_str()), (1, ""), "{}", run.out);
    assert!(run.out.starts_with("✗ WORSE  may.json → june.json") && run.out.contains("✓ PASS → ✗ FAIL"), "{}", run.out);
    let run = desk(unfair()).line("compare june.json may.json");
    assert_eq!(run.status, 0);
    assert!(run.out.starts_with("✓ BETTER"), "{}", run.out);
    let run = desk(campaign(4000, 5)).line("compare may.json june.json");
    assert_eq!(run.status, 0);
    assert!(run.out.starts_with("– NO CHANGE SHOWN") && !run.out.contains('\u{1b}'), "{}", run.out);
}

#[test]
fn every_form_comes_out_and_by_the_name_of_the_file() {
    let desk = desk(unfair());
    let right = |format: &str, text: &str| match format {
        "json" => text.starts_with('{') && text.contains("\"schema_version\": 1"),
        "markdown" => text.starts_with("# ✗ WORSE"),
        "html" => text.starts_with("<!doctype html>"),
        _ => text.starts_with("✗ WORSE"),
    };
    for (format, name) in [("text", "c"), ("json", "c.json"), ("markdown", "c.md"), ("html", "c.html")] {
        let shown = desk.line(&format!("compare may.json june.json --format {format}"));
        assert!(right(format, &shown.out) && shown.out.ends_with('\n'), "{}", shown.out);
        let run = desk.line(&format!("compare may.json june.json --output {name}"));
        assert_eq!((run.status, run.out.as_str()), (1, ""), "{}", run.err);
        assert!(run.err.contains(name) && run.err.contains("turned to fail"), "{}", run.err);
        assert_eq!(desk.read(name), shown.out);
    }
    let run = desk.line("compare may.json june.json --quiet --output q.json");
    assert_eq!((run.status, run.out.as_str(), run.err.as_str()), (1, "", ""));
    assert!(right("json", &desk.read("q.json")));
    let run = desk.line("compare may.json june.json --quiet");
    assert_eq!((run.status, run.out.as_str(), run.err.as_str()), (1, "", ""));
    let full = desk.line("compare may.json june.json --full");
    assert!(full.out.lines().count() > desk.line("compare may.json june.json").out.lines().count());
}

#[test]
fn a_report_comes_through_a_pipe_too() {
    let desk = desk(unfair());
    let mut tool = desk.tool(&["compare", "may.json", "-"]);
    let run = cli_support::answer(tool.write_stdin(desk.read("june.json")).output().unwrap());
    assert_eq!(run.status, 1, "{}", run.err);
    assert!(run.out.contains("standard input"), "{}", run.out);
    fails(&desk.line("compare - -"), &["standard input"]);
}

#[test]
fn models_are_named_where_names_differ() {
    let desk = Desk::new();
    desk.write("data.csv", unfair());
    let audit = "audit data.csv -a sex -s propensity --threshold 0.5 --threshold 0.31 --no-timestamp -q -o both.json";
    assert!(desk.line(audit).status < 2);
    let models: Vec<String> = serde_json::from_str::<serde_json::Value>(&desk.read("both.json")).unwrap()["models"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["model"].as_str().unwrap().to_string())
        .collect();
    let run = desk.run(&["compare", "both.json", "both.json", "--model", "nobody=else"]);
    fails(&run, &["nobody", "both.json", &models[0]]);
    assert_eq!(desk.line("compare both.json both.json").status, 0);
}

#[test]
fn what_is_no_report_is_told_by_its_name() {
    let desk = desk(unfair());
    desk.write("table.csv", "a,b\n1,2\n").write("other.json", "{\"a\": 1}").write("bytes.json", [0xff, 0xfe, 0x00]);
    let newer = desk.read("may.json").replace("\"schema_version\": 1", "\"schema_version\": 2");
    desk.write("newer.json", newer);
    fails(&desk.line("compare may.json absent.json"), &["absent.json", "No such file"]);
    fails(&desk.line("compare table.csv may.json"), &["table.csv", "line 1", "--format json"]);
    fails(&desk.line("compare may.json other.json"), &["other.json", "schema_version"]);
    fails(&desk.line("compare may.json newer.json"), &["newer.json", "version 2"]);
    fails(&desk.line("compare may.json bytes.json"), &["bytes.json", "not text"]);
    fails(&desk.line("compare may.json june.json --output may.json"), &["may.json", "reports to compare"]);
    fails(&desk.line("compare may.json june.json --confidence 2"), &["confidence", "2"]);
    desk.line("audit may.csv -a region -d targeted -q -o region.json");
    fails(&desk.line("compare may.json region.json"), &["may.json", "region.json", "`sex`", "`region`"]);
    assert_eq!(desk.line("compare may.json").status, 2);
}
