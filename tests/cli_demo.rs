//! `evenhand demo`: works anywhere, tells a story that its own report holds, and overwrites nothing.

#![cfg(feature = "cli")]

mod cli_support;

use cli_support::Desk;
use evenhand::audit::Verdict;
use evenhand::report::Report;

#[test]
fn a_demo_writes_its_files_and_tells_what_they_hold() {
    let desk = Desk::new();
    let run = desk.line("demo");
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    assert_eq!(desk.files(), ["evenhand-demo"]);
    let mut files: Vec<_> =
        std::fs::read_dir(desk.path("evenhand-demo")).unwrap().map(|f| f.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["offers.csv", "policy.toml", "report.html", "report.json"]);

    let report = Report::from_json(&desk.read("evenhand-demo/report.json")).unwrap();
    assert_eq!((report.verdict, report.data.rows), (Verdict::Fail, 24_421));
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&run.out).contains(&words(&report.summary)), "{}", run.out);
    for (group, rate) in [("Male", "25.5 %"), ("Female", "5.8 %")] {
        let line = run.out.lines().find(|l| l.trim_start().starts_with(group)).unwrap();
        assert!(line.contains(rate), "{line}");
    }
    assert!(run.out.contains("evenhand-demo/report.html") && run.out.contains("CC BY 4.0"), "{}", run.out);
    assert!(run.out.lines().all(|l| l.chars().count() <= 80), "{}", run.out);
    assert!(desk.read("evenhand-demo/report.html").starts_with("<!doctype html>"));
}

#[test]
fn the_command_that_it_names_makes_the_same_report() {
    let desk = Desk::new();
    let told = desk.line("demo").out;
    let command = told.lines().map(str::trim).find(|l| l.starts_with("evenhand audit")).unwrap();
    let again = desk.line(&format!("{} --format json", command.strip_prefix("evenhand ").unwrap()));
    assert_eq!(again.status, 1, "{}", again.err);
    let [first, again] =
        [desk.read("evenhand-demo/report.json"), again.out].map(|text| Report::from_json(&text).unwrap());
    assert_eq!((first.provenance.command.as_deref(), first.models), (Some(command), again.models));
    assert_eq!(first.provenance.tally_digest, again.provenance.tally_digest);
}

#[test]
fn nothing_is_overwritten_unless_asked() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("here")).unwrap();
    desk.write("here/report.html", "mine");
    let run = desk.line("demo --output here");
    assert!(run.status == 2 && run.err.contains("report.html") && run.err.contains("--force"), "{}", run.err);
    assert_eq!(std::fs::read_dir(desk.path("here")).unwrap().count(), 1, "nothing else was written");
    assert_eq!(desk.read("here/report.html"), "mine");
    let run = desk.line("demo --output here --force --quiet");
    assert_eq!((run.status, run.out.as_str(), run.err.as_str()), (0, "", ""));
    assert!(desk.read("here/report.html").starts_with("<!doctype html>"));
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let desk = Desk::new();
    desk.write("file", "");
    let run = desk.line("demo --output file/folder");
    assert!(run.status == 2 && run.err.starts_with("error: cannot write file/folder"), "{}", run.err);
    assert!(run.err.contains("--output"), "{}", run.err);
}
