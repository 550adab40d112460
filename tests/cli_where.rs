//! `--where`: what the tool says of rows that were left out, and where else the condition counts.

#![cfg(feature = "cli")]

mod cli_support;

use cli_support::Desk;

/// 40 rows, half of them from Austria.
fn desk() -> Desk {
    let desk = Desk::new();
    let row = |i: usize| {
        let (sex, country) = (["f", "m"][i % 2], ["AT", "DE"][i / 20]);
        format!("{sex},{country},{},{}\n", 15 + i, u8::from(i.is_multiple_of(3)))
    };
    desk.write("in.csv", format!("sex,country,age,offer\n{}", (0..40).map(row).collect::<String>()));
    let half = |country: &str| (0..40).map(row).filter(|r| r.contains(country)).collect::<String>();
    desk.write("at.csv", format!("sex,country,age,offer\n{}", half("AT")));
    desk
}

fn audit(desk: &Desk, more: &[&str]) -> serde_json::Value {
    let run = desk
        .run(&[&["audit", "in.csv", "-a", "sex", "-d", "offer", "--format", "json", "--no-timestamp"], more].concat());
    assert!(run.status != 2, "{}", run.err);
    serde_json::from_str(&run.out).unwrap()
}

#[test]
fn the_report_says_what_was_left_out() {
    let desk = desk();
    let report = audit(&desk, &["--where", "country='AT'"]);
    assert_eq!(report["data"]["rows"], 20);
    assert_eq!(report["provenance"]["inputs"][0]["rows"], 40);
    assert_eq!(report["data"]["filter"], serde_json::json!({"condition": "country = 'AT'", "rows_left_out": 20}));
    let schema: serde_json::Value = serde_json::from_str(include_str!("../src/report/schema.json")).unwrap();
    let errors: Vec<_> =
        jsonschema::validator_for(&schema).unwrap().iter_errors(&report).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    // The figures are those of a file that has no other rows.
    let run = desk.line("audit at.csv -a sex -d offer --format json --no-timestamp");
    let twin: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(report["provenance"]["tally_digest"], twin["provenance"]["tally_digest"]);
    assert_eq!(report["models"][0]["tables"], twin["models"][0]["tables"]);
    assert!(twin["data"].get("filter").is_none());

    for format in ["text", "markdown", "html", "junit", "model-card", "data-card"] {
        let run =
            desk.run(&["audit", "in.csv", "-a", "sex", "-d", "offer", "--format", format, "--where", "country = 'AT'"]);
        let said = run.out.replace("&#39;", "'").replace("&#x27;", "'").replace("&apos;", "'").replace('\u{a0}', " ");
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("country = 'AT'") && said.contains("20"), "{format}: {said}");
        assert!(said.contains("left out"), "{format}: {said}");
    }
}

#[test]
fn a_policy_file_may_have_the_condition_and_a_flag_wins() {
    let desk = desk();
    desk.write(
        "policy.toml",
        "preset = \"four-fifths\"\n[columns]\nattributes = [\"sex\"]\ndecisions = [\"offer\"]\nwhere = \"age >= 35\"\n",
    );
    assert_eq!(audit(&desk, &["--policy", "policy.toml"])["data"]["rows"], 20);
    assert_eq!(audit(&desk, &["--policy", "policy.toml", "--where", "age < 20"])["data"]["rows"], 5);
    desk.write("policy.toml", "[columns]\nattributes = [\"sex\"]\ndecisions = [\"offer\"]\nwhere = \"age >> 35\"\n");
    let run = desk.line("audit in.csv --policy policy.toml");
    assert!(run.status == 2 && run.err.contains("policy.toml") && run.err.contains("character 6"), "{}", run.err);
}

#[test]
fn slips_are_told() {
    let desk = desk();
    for (filter, words) in [
        ("contry = 'AT'", &["`contry`", "did you mean `country`"][..]),
        ("country = AT", &["`AT` at character 11", "single quotes"]),
        ("country > 5", &["`country`", "AT", "row 1", "a finite number"]),
        ("age > 1000", &["no row satisfies the filter"]),
        ("age > 1 or age < 0", &["`or` at character 9"]),
    ] {
        let run = desk.run(&["audit", "in.csv", "-a", "sex", "-d", "offer", "--where", filter]);
        assert!(run.status == 2 && words.iter().all(|w| run.err.contains(w)), "{filter}: {}", run.err);
    }
}

#[test]
fn a_statement_has_the_condition_and_its_answer_another_mark() {
    let desk = desk();
    let statement = |filter: &[&str]| {
        let run =
            desk.run(&[&["sql", "--dialect", "duckdb", "--table", "t", "-a", "sex", "-d", "offer"], filter].concat());
        assert_eq!(run.status, 0, "{}", run.err);
        run.out
    };
    let mark = |statement: &str| statement.split('\'').nth(1).unwrap().to_string();
    let plain = statement(&[]);
    let filtered = statement(&["--where", "country = 'AT'' OR 1=1 --' and age >= 18"]);
    assert!(!plain.contains("WHERE") && filtered.contains("WHERE"), "{filtered}");
    assert!(filtered.contains("('AT'' OR 1=1 --')") && filtered.contains("q.\"age\""), "{filtered}");
    assert_ne!(mark(&plain), mark(&filtered));

    let counts = |mark: &str| {
        format!(
            "question,attribute_1,decision_1,row_count\n{mark},f,1,20\n{mark},f,0,30\n{mark},m,1,30\n{mark},m,0,20\n"
        )
    };
    let filtered = statement(&["--where", "age >= 18"]);
    desk.write("counts.csv", counts(&mark(&filtered)));
    let run = desk.line("audit --tally counts.csv -a sex -d offer");
    assert!(run.status == 2 && run.err.contains("another question"), "{}", run.err);
    let run = desk.run(&["audit", "--tally", "counts.csv", "-a", "sex", "-d", "offer", "--where", "age >= 18"]);
    let said = run.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(run.status != 2 && said.contains("age >= 18") && said.contains("not known"), "{} {said}", run.err);
}
