//! `evenhand sql` writes a statement, `evenhand audit --tally` audits its answer: by what the tool prints.

#![cfg(feature = "cli")]

mod cli_support;

use cli_support::Desk;

const COUNTS: &str = "attribute_1,decision_1,row_count\nfemale,1,200\nfemale,0,800\nmale,1,400\nmale,0,600\n,0,7\n";

#[test]
fn a_statement_goes_to_standard_output() {
    let desk = Desk::new();
    let run = desk.line("sql --dialect postgres --table sales.customers -a sex -d targeted");
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    assert!(run.out.starts_with("SELECT\n") && run.out.contains("FROM \"sales\".\"customers\" AS q"), "{}", run.out);
    // A policy file names the columns as well, and the columns of named groups are counted too.
    desk.write("policy.toml", "[columns]\nattributes = [\"sex\"]\ndecisions = [\"targeted\"]\n[[groups]]\nname = \"north\"\nrule = \"region=north\"\n");
    let run = desk.line("sql --dialect spark --table t --policy policy.toml");
    assert!(
        run.status == 0 && run.out.contains("`attribute_2`") && run.out.contains("q.`region`"),
        "{} {}",
        run.out,
        run.err
    );
}

#[test]
fn counts_are_audited_as_rows_are() {
    let desk = Desk::new();
    let rows = [("female,1", 200), ("female,0", 800), ("male,1", 400), ("male,0", 600), (",0", 7)];
    let rows: String = rows.iter().map(|(row, n)| format!("{row}\n").repeat(*n)).collect();
    desk.write("rows.csv", format!("sex,targeted\n{rows}")).write("counts.csv", COUNTS);
    let flags = "-a sex -d targeted --no-timestamp --format csv";
    let of_rows = desk.line(&format!("audit rows.csv {flags}"));
    let counted = desk.line(&format!("audit --tally counts.csv {flags}"));
    assert_eq!((counted.status, counted.err.as_str()), (1, ""));
    assert_eq!(counted.out, of_rows.out);
}

#[test]
fn what_cannot_be_done_is_said() {
    let desk = Desk::new();
    desk.write("counts.csv", COUNTS).write("twice.csv", format!("{COUNTS}male,0,600\n"));
    for (line, words) in [
        ("sql --dialect oracle --table t -a sex -d d", "[possible values: duckdb"),
        ("sql --dialect duckdb --table a. -a sex -d d", "parts with points between them"),
        ("sql --dialect duckdb --table t -a age:quantiles:4 -d d", "quantiles need all rows"),
        ("audit --tally counts.csv counts.csv -a sex -d targeted", "cannot be used with"),
        ("audit -a sex -d targeted", "required arguments were not provided"),
        ("audit --tally twice.csv -a sex -d targeted", "row 6 of twice.csv"),
        ("audit --tally counts.csv -a sex -d targeted -w w", "no column `weight`"),
        ("audit --tally none.csv -a sex -d targeted", "none.csv"),
    ] {
        let run = desk.line(line);
        assert!(run.status == 2 && run.out.is_empty() && run.err.contains(words), "{line}: {}", run.err);
    }
}
