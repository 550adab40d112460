//! What the tool says when it cannot do its work: status 2, one line that names the fault, one that helps.

#![cfg(feature = "cli")]

mod cli_support;

use std::fs;

use cli_support::{Answer, Desk, answer, unfair};

const AUDIT: &str = "audit data.csv -a sex -d targeted";

/// Status 2, nothing on standard output, `error: ...` with every one of the words, at most a hint behind it.
#[track_caller]
fn fails(run: &Answer, words: &[&str]) {
    assert_eq!((run.status, run.out.as_str()), (2, ""), "{}", run.err);
    assert!(run.err.starts_with("error: "), "{}", run.err);
    let lines: Vec<&str> = run.err.lines().collect();
    assert!(lines.len() == 1 || (lines.len() == 2 && lines[1].starts_with("hint: ")), "{}", run.err);
    for word in words {
        assert!(run.err.contains(word), "no `{word}` in: {}", run.err);
    }
}

#[test]
fn a_missing_column_suggests_the_nearest() {
    let desk = Desk::new();
    desk.write("data.csv", unfair());
    fails(&desk.line("audit data.csv -a sex -d targetted"), &["targetted", "did you mean `targeted`?", "data.csv"]);
    fails(&desk.line("audit data.csv -a zzz -d targeted"), &["zzz", "choose from", "propensity"]);
}

#[test]
fn what_newcomers_mistype_is_understood() {
    let desk = Desk::new();
    desk.write("data.csv", unfair()).write("german.csv", "sex;targeted;score\nf;1;0,5\nm;0;0,7\n");
    for (line, words) in [
        ("audit date.csv -a sex -d targeted", ["cannot open date.csv", "did you mean `data.csv`?"]),
        ("audit data.csv -a sex region -d targeted", ["cannot open region", "`--attribute region`"]),
        ("audit zzz/qqq.csv -a sex -d targeted", ["cannot open zzz/qqq.csv", "looked for from"]),
        ("audit data.csv -a sex,region -d targeted", ["sex,region", "`--attribute sex --attribute region`"]),
        ("audit data.csv -a sex -d propensity", ["not plainly binary", "`--score COLUMN`"]),
        ("audit data.csv -a sex -d region", ["not plainly binary", "`--favorable`"]),
        ("audit german.csv -a sex -s score --top 10%", ["0,5", "with a point: 0.5"]),
        ("audit data.csv -a sex -d targeted --top 10%", ["no score is named", "`--score COLUMN`"]),
        ("audit data.csv -a sex -d targeted --output report.pdf", ["`pdf`", ".html"]),
        (
            "audit data.csv -a sex -d targeted --policy mine.toml",
            ["cannot read mine.toml", "evenhand init FILE --output mine.toml"],
        ),
        ("audit --tally data.csv -a sex -d targeted", ["attribute_1", "`evenhand sql`"]),
        ("data.csv", ["`data.csv` is a file, not a command", "evenhand init data.csv"]),
        ("init dat.csv", ["cannot open dat.csv", "did you mean `data.csv`?"]),
    ] {
        fails(&desk.line(line), &words);
    }
    desk.write("data.csv", "f,1\nm,0\n");
    fails(&desk.line(AUDIT), &["there is no column `sex`", "column_2", "no header"]);
    assert_eq!(desk.files(), ["data.csv", "german.csv"]);
}

#[test]
fn an_attribute_of_very_many_levels_is_remarked_on() {
    let desk = Desk::new();
    let people: String = (0..3000).map(|i| format!("{},{}\n", 18 + i % 60, i % 3 % 2)).collect();
    desk.write("data.csv", format!("age,targeted\n{people}"));
    let run = desk.line("audit data.csv -a age -d targeted");
    assert!(run.status != 2 && run.err.contains("`age` has 60 levels") && run.err.contains("age:<=25"), "{}", run.err);
    assert_eq!(desk.line("audit data.csv -a age -d targeted --quiet").err, "");
    assert_eq!(desk.line("audit data.csv -a age:<=40,>40 -d targeted").err, "");
}

#[test]
fn values_at_fault_are_named_with_their_row() {
    let desk = Desk::new();
    let scored = "audit data.csv -a sex -s propensity --threshold 0.5";
    desk.write("data.csv", "sex,propensity\nf,0.5\nm,inf\n");
    fails(&desk.line(scored), &["propensity", "inf", "row 2"]);
    desk.write("data.csv", "sex,propensity\nf,0.5\nm,high\n");
    fails(&desk.line(scored), &["propensity", "high", "row 2", "--missing"]);
    desk.write("data.csv", "sex,targeted,label\nf,1,won\nm,0,lost\nm,0,drawn\n");
    fails(&desk.line(&format!("{AUDIT} -l label")), &["label", "won", "lost", "--favorable"]);
    fails(&desk.line(&format!("{AUDIT} -l label --favorable label=Won")), &["Won", "never occurs", "capitals"]);
    desk.write("data.csv", "age,targeted\n30,1\n25.5,0\n");
    fails(&desk.run(&["audit", "data.csv", "-a", "age:<=25,26-40", "-d", "targeted"]), &["25.5", "row 2", "bands"]);
}

#[test]
fn malformed_and_empty_files_are_told() {
    let desk = Desk::new();
    desk.write("data.csv", "sex,targeted\nf,1\nm,0,9\n");
    fails(&desk.line(AUDIT), &["data.csv", "line 3"]);
    desk.write("data.csv", "");
    fails(&desk.line(AUDIT), &["data.csv", "nothing to audit"]);
    desk.write("data.csv", "sex,targeted\n");
    fails(&desk.line(AUDIT), &["data.csv", "nothing to audit"]);
    fs::remove_file(desk.path("data.csv")).unwrap();
    fails(&desk.line(AUDIT), &["cannot open data.csv", "No such file"]);
    fails(&desk.line("audit *.csv -a sex -d targeted"), &["no file matches `*.csv`"]);
    fs::create_dir(desk.path("days")).unwrap();
    fails(&desk.line("audit days -a sex -d targeted"), &["days is a folder", "'days/*.csv'"]);
}

#[test]
fn what_is_not_asked_is_told_with_its_flag() {
    let desk = Desk::new();
    desk.write("data.csv", unfair());
    fails(&desk.line("audit data.csv -d targeted"), &["no protected attribute", "--attribute"]);
    fails(&desk.line("audit data.csv -a sex"), &["--decision", "--label"]);
    fails(&desk.line("audit data.csv -a sex -d targeted --top 10%"), &["score"]);
    fails(&desk.line(&format!("{AUDIT} --confidence 95")), &["confidence", "0.95"]);
    fails(&desk.line(&format!("{AUDIT} --reference sex=man")), &["man", "male"]);
    fails(&desk.line(&format!("{AUDIT} --replicates 1")), &["replicates"]);
    let many: String = (0..3000).map(|i| format!("{i},{},{}\n", ["f", "m"][i % 2], i % 3 % 2)).collect();
    desk.write("many.csv", format!("id,sex,targeted\n{many}"));
    fails(&desk.line("audit many.csv -a id -a sex -d targeted --max-cells 100"), &["id", "100", "--max-cells"]);
}

#[test]
fn usage_is_told_by_the_parser() {
    let desk = Desk::new();
    for (line, word) in [
        ("audit data.csv --top 0.1", "10%"),
        ("audit data.csv --delimiter ab", "tab"),
        ("audit data.csv --favorable yes", "sex=female"),
        ("audit data.csv -a race:A=x,B=x", "given twice"),
        ("audit data.csv --group young:age", "column=level"),
        ("audit data.csv --preset four-fifth", "four-fifths"),
        ("audit data.csv --threads 0", "at least 1"),
        ("audit data.csv --policy a --preset strict", "cannot be used with"),
        ("audit", "FILE"),
        ("", "Usage"),
    ] {
        let run = desk.line(line);
        assert!(run.status == 2 && run.out.is_empty() && run.err.contains(word), "{line}: {}", run.err);
    }
}

#[test]
fn a_policy_file_at_fault_is_named() {
    let desk = Desk::new();
    desk.write("data.csv", unfair());
    let criterion = |metric: &str, more: &str| {
        format!("[[criteria]]\nmetric = \"{metric}\"\ncomparison = \"difference\"\nmaximum = 0.1\n{more}")
    };
    for (policy, words) in [
        (criterion("equal_oportunity", ""), vec!["equal_opportunity", "evenhand metrics"]),
        (criterion("accuracy", "attributes = [\"sexx\"]"), vec!["sexx", "did you mean `sex`?"]),
        (criterion("accuracy", "against = \"everybody\""), vec!["everybody"]),
        ("confidence = 2".into(), vec!["confidence"]),
        ("confidnce = 0.9".into(), vec!["confidnce", "[columns]", "evenhand init"]),
        ("preset = \"five-fifths\"".into(), vec!["five-fifths", "four-fifths"]),
        ("[columns]\nattribute = [\"sex\"]".into(), vec!["`columns`", "attribute", "attributes"]),
        ("[audit]\nordre = 1".into(), vec!["`audit`", "ordre"]),
        ("[[groups]]\nname = \"a\"\nrule = \"sex\"".into(), vec!["column=level"]),
        ("[references]\nsex = \"man\"".into(), vec!["man", "male"]),
        ("\n\nconfidence = ".into(), vec!["line 3"]),
    ] {
        desk.write("policy.toml", &policy);
        let run = desk.line(&format!("{AUDIT} -l responded --policy policy.toml"));
        fails(&run, &[words.as_slice(), &["policy.toml"]].concat());
    }
    desk.write("policy.json", "{\"confidence\": 0.9,}");
    fails(&desk.line(&format!("{AUDIT} --policy policy.json")), &["policy.json", "line 1"]);
    fails(&desk.line(&format!("{AUDIT} --policy none.toml")), &["cannot read none.toml"]);
}

#[test]
fn a_metric_that_is_not_there_is_told_before_the_rows_are_read() {
    let desk = Desk::new();
    desk.write("data.csv", "sex,targeted\nf,1\nm,what\n")
        .write("policy.toml", "[[criteria]]\nmetric = \"fairness\"\ncomparison = \"difference\"\nmaximum = 0.1\n");
    fails(&desk.line(&format!("{AUDIT} --policy policy.toml")), &["fairness", "policy.toml"]);
}

#[test]
fn an_output_that_cannot_be_written_leaves_nothing() {
    let desk = Desk::new();
    desk.write("data.csv", unfair());
    let before = desk.files();
    fails(&desk.line(&format!("{AUDIT} --output nowhere/report.json")), &["cannot write nowhere/report.json: No such"]);
    assert_eq!(desk.files(), before);
    fails(&desk.line(&format!("{AUDIT} --output data.csv")), &["data.csv", "one of the files to audit"]);
    assert_eq!(desk.read("data.csv"), unfair());
    // An audit that fails leaves the report of yesterday as it is, and nothing beside it.
    desk.write("report.json", "yesterday's");
    let before = desk.files();
    fails(&desk.line("audit data.csv -a sexx -d targeted --output report.json"), &["sexx"]);
    assert_eq!((desk.files(), desk.read("report.json").as_str()), (before, "yesterday's"));
    let mut locked = fs::metadata(desk.path("report.json")).unwrap().permissions();
    locked.set_readonly(true);
    fs::set_permissions(desk.path("report.json"), locked).unwrap();
    fails(&desk.line(&format!("{AUDIT} --output report.json")), &["cannot write report.json"]);
    assert_eq!(desk.read("report.json"), "yesterday's");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    let desk = Desk::new();
    desk.write("data.csv", unfair());
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let mut tool = std::process::Command::new(assert_cmd::cargo::cargo_bin!("evenhand"));
    let tool = tool.current_dir(desk.path("")).args(AUDIT.split(' ')).stdout(full());
    fails(&answer(tool.output().unwrap()), &["cannot write standard output", "No space left"]);
    fails(&desk.line(&format!("{AUDIT} --output /dev/full")), &["cannot write /dev/full"]);
    assert_eq!(desk.line(&format!("{AUDIT} --output /dev/null")).status, 1);
}

#[test]
fn names_from_the_data_cannot_write_to_the_terminal() {
    let desk = Desk::new();
    desk.write("data.csv", "sex,targeted\nf,1\nm,\"\u{1b}[2Jx\"\n");
    let run = desk.line(AUDIT);
    fails(&run, &["targeted"]);
    assert!(!run.err.contains('\u{1b}'), "{:?}", run.err);
}
