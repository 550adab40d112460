//! `evenhand chart`: lists the charts of a report, writes one, and says what is wrong.
#![cfg(feature = "cli")]

mod cli_support;

use cli_support::{Desk, unfair};

#[test]
fn charts_are_listed_and_written() {
    let desk = Desk::new();
    desk.write("data.csv", unfair());
    let audit = desk.line("audit data.csv --attribute sex --decision targeted --no-timestamp --output report.json");
    assert_eq!(audit.status, 1, "{}", audit.err);
    let listed = desk.line("chart report.json");
    assert_eq!((listed.status, listed.out.as_str()), (0, "findings\nsex/selection_rate\n"), "{}", listed.err);
    let shown = desk.line("chart report.json --chart sex/selection_rate");
    assert!(
        shown.status == 0 && shown.out.starts_with("<svg xmlns=") && shown.out.ends_with("</svg>\n"),
        "{}",
        shown.err
    );
    let written = desk.line("chart report.json --chart sex/selection_rate --output sex.svg");
    assert_eq!((written.status, written.out.as_str()), (0, ""));
    assert_eq!(desk.read("sex.svg"), shown.out);
    let drawn = desk.line("chart report.json --chart sex/selection_rate --output sex.png");
    // A machine may have no font at all, and says so.
    assert!(drawn.status == 0 || drawn.err.contains("font"), "{}", drawn.err);
    if drawn.status == 0 {
        assert!(std::fs::read(desk.path("sex.png")).unwrap().starts_with(b"\x89PNG\r\n"));
    }

    for (line, says) in [
        ("chart report.json --chart sex/selectionrate", "sex/selection_rate"),
        ("chart nothing.json", "cannot read nothing.json"),
        ("chart data.csv", "report"),
        ("chart report.json --chart findings --output report.json", "report.json is the report that is read"),
    ] {
        let run = desk.line(line);
        assert!(run.status == 2 && run.out.is_empty() && run.err.contains(says), "{line}: {}", run.err);
    }
    assert!(desk.read("report.json").starts_with('{'));
}
