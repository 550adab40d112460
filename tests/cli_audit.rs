//! `evenhand audit`: exit statuses, ways to read and to write, and what wins over what.

#![cfg(feature = "cli")]

mod cli_support;

use std::io::Write as _;
use std::process::{Command, Stdio};

use cli_support::{Desk, answer, campaign, fair, unfair};

const AUDIT: &str = "audit data.csv --attribute sex --decision targeted --no-timestamp";

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[test]
fn the_exit_status_is_the_verdict() {
    let desk = Desk::new();
    for (data, status, verdict) in [(fair(), 0, "pass"), (unfair(), 1, "fail"), (campaign(100, 5), 3, "inconclusive")] {
        let run = desk.write("data.csv", data).line(AUDIT);
        assert_eq!((run.status, run.err.as_str()), (status, ""), "{}", run.out);
        assert!(run.out.to_lowercase().contains(verdict), "{}", run.out);
        let run = desk.line(&format!("{AUDIT} --format json"));
        assert_eq!((run.status, json(&run.out)["verdict"].as_str()), (status, Some(verdict)));
    }
    for (counts, status) in [("pass", 0), ("fail", 1), ("inconclusive", 3)] {
        assert_eq!(desk.line(&format!("{AUDIT} --inconclusive {counts}")).status, status);
    }
    assert_eq!(desk.line("audit data.csv --attribute sex --decision targetted").status, 2);
    assert_eq!(desk.line("audit data.csv --atribute sex").status, 2);
}

#[test]
fn every_format_comes_out_and_by_the_name_of_the_file() {
    let desk = Desk::new();
    desk.write("data.csv", unfair());
    let right = |format: &str, text: &str| match format {
        "json" => text.starts_with('{'),
        "markdown" => text.starts_with('#'),
        "html" => text.starts_with("<!doctype html>"),
        "csv" => text.lines().next().is_some_and(|line| line.matches(',').count() > 3),
        _ => !text.starts_with(['{', '#', '<']),
    };
    for (format, name) in [
        ("text", "report"),
        ("json", "report.json"),
        ("markdown", "report.md"),
        ("csv", "report.csv"),
        ("html", "report.html"),
    ] {
        let shown = desk.line(&format!("{AUDIT} --format {format}"));
        assert!(
            right(format, &shown.out) && shown.out.ends_with('\n') && shown.out.contains("female"),
            "{}",
            shown.out
        );
        let run = desk.line(&format!("{AUDIT} --output {name}"));
        assert_eq!((run.status, run.out.as_str()), (1, ""), "{}", run.err);
        assert!(run.err.contains(name), "{}", run.err);
        assert!(right(format, &desk.read(name)), "{}", desk.read(name));
    }
    let run = desk.line(&format!("{AUDIT} --output report.csv --format json"));
    assert_eq!(run.status, 1);
    assert!(desk.read("report.csv").starts_with('{'));
}

#[test]
fn the_forms_of_pipelines_data_frames_and_cards_come_out() {
    let desk = Desk::new();
    desk.write("data.csv", unfair());
    for (format, name, begins) in [
        ("junit", "findings.xml", "<?xml version=\"1.0\""),
        ("github", "", "::error title=FAIL disparate impact by sex::"),
        ("model-card", "model.md", "# Model card: targeted"),
        ("data-card", "data.md", "# Data card"),
        ("ll144", "law.md", "# Automated employment decision tool"),
    ] {
        let run = desk.line(&format!("{AUDIT} --preset nyc-local-law-144 --format {format}"));
        assert_eq!((run.status, run.err.as_str()), (1, ""));
        assert!(run.out.starts_with(begins) && run.out.ends_with('\n'), "{format}: {}", run.out);
        if !name.is_empty() {
            let run = desk.line(&format!("{AUDIT} --preset nyc-local-law-144 --format {format} --output {name}"));
            assert_eq!(run.status, 1);
            assert!(desk.read(name).starts_with(begins), "{format}");
        }
    }
    // By the name of the file: JUnit's, Parquet, and cards as pages.
    assert_eq!(desk.line(&format!("{AUDIT} --output by-name.xml")).status, 1);
    assert!(desk.read("by-name.xml").contains("<testsuites"));
    assert_eq!(desk.line(&format!("{AUDIT} --output long.parquet")).status, 1);
    assert!(std::fs::read(desk.path("long.parquet")).unwrap().starts_with(b"PAR1"));
    assert_eq!(desk.line(&format!("{AUDIT} --format model-card --output card.html")).status, 1);
    assert!(desk.read("card.html").starts_with("<!doctype html>"));
    let run = desk.line(&format!("{AUDIT} --format parquet"));
    assert_eq!((run.status, run.out.as_str()), (2, ""));
    assert!(run.err.contains("--output"), "{}", run.err);
    let run = desk.line(&format!("{AUDIT} --format ll144"));
    assert_eq!(run.status, 2);
    assert!(run.err.contains("nyc-local-law-144"), "{}", run.err);
}

#[test]
fn text_has_no_colours_where_there_is_no_terminal() {
    let desk = Desk::new();
    let run = desk.write("data.csv", unfair()).line(AUDIT);
    assert!(!run.out.contains('\u{1b}') && run.out.lines().all(|l| l.chars().count() <= 80), "{}", run.out);
    let full = desk.line(&format!("{AUDIT} --full --no-color"));
    assert!(full.out.len() >= run.out.len() && !full.out.contains('\u{1b}'));
}

#[test]
fn quiet_leaves_the_exit_status_and_the_file() {
    let desk = Desk::new();
    let run = desk.write("data.csv", unfair()).line(&format!("{AUDIT} --quiet --output report.json"));
    assert_eq!((run.status, run.out.as_str(), run.err.as_str()), (1, "", ""));
    assert_eq!(json(&desk.read("report.json"))["verdict"], "fail");
    let run = desk.line(&format!("{AUDIT} --quiet"));
    assert_eq!((run.status, run.out.as_str(), run.err.as_str()), (1, "", ""));
}

#[test]
fn standard_input_several_files_globs_and_gzip_give_the_same_figures() {
    let desk = Desk::new();
    let all = unfair();
    let lines: Vec<&str> = all.lines().collect();
    let part = |rows: &[&str]| format!("{}\n{}\n", lines[0], rows.join("\n"));
    let (a, b) = (part(&lines[1..700]), part(&lines[700..]));
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(b.as_bytes()).unwrap();
    desk.write("data.csv", &all).write("day1.csv", &a).write("day2.csv", &b).write("day2.csv.gz", gz.finish().unwrap());

    let figures = |report: &str| {
        let report = json(report);
        (report["models"].clone(), report["provenance"]["tally_digest"].clone(), report["data"].clone())
    };
    let whole = desk.line(&format!("{AUDIT} --format json"));
    assert_eq!(whole.status, 1, "{}", whole.err);
    let rest = "--attribute sex --decision targeted --no-timestamp --format json";
    for files in ["day1.csv day2.csv", "day1.csv day2.csv.gz", "day?.csv"] {
        let run = desk.line(&format!("audit {files} {rest}"));
        assert_eq!(figures(&run.out), figures(&whole.out), "{files}: {}", run.err);
        assert_eq!(json(&run.out)["provenance"]["inputs"].as_array().map(Vec::len), Some(2));
    }
    let mut tool = desk.tool(&format!("audit - {rest}").split(' ').collect::<Vec<_>>());
    let piped = answer(tool.write_stdin(all).output().unwrap());
    assert_eq!(figures(&piped.out), figures(&whole.out), "{}", piped.err);
}

#[test]
fn parquet_is_known_by_its_content() {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};

    let desk = Desk::new();
    let text = unfair();
    let column = |i: usize| text.lines().skip(1).map(|l| l.split(',').nth(i).unwrap()).collect::<Vec<_>>();
    let sex: ArrayRef = Arc::new(StringArray::from_iter_values(column(0)));
    let targeted: ArrayRef = Arc::new(Int64Array::from_iter_values(column(4).iter().map(|v| v.parse().unwrap())));
    let batch = RecordBatch::try_from_iter([("targeted", targeted), ("sex", sex)]).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    desk.write("data.csv", &text).write("data.bin", writer.into_inner().unwrap());

    let models = |file: &str| {
        let run = desk.line(&format!("audit {file} -a sex -d targeted --format json"));
        assert_eq!((run.status, run.err.as_str()), (1, ""));
        json(&run.out)["models"].clone()
    };
    assert_eq!(models("data.bin"), models("data.csv"));
    let policy = desk.line("init data.bin --output -").out;
    assert!(policy.contains("attributes = [\"sex\"]") && policy.contains("decisions = [\"targeted\"]"), "{policy}");
}

#[test]
fn a_file_whose_name_looks_like_a_pattern_is_a_file() {
    let desk = Desk::new();
    desk.write("a[1].csv", unfair()).write("a1.csv", fair());
    assert_eq!(desk.line("audit a[1].csv -a sex -d targeted").status, 1);
}

#[test]
fn numbers_are_cut_levels_merged_and_groups_named() {
    let desk = Desk::new();
    desk.write("data.csv", unfair());
    let run = desk.run(&[
        "audit",
        "data.csv",
        "--attribute",
        "sex:women=female,men=male",
        "--attribute",
        "age:<=29,30-49,>=50",
        "--group",
        "young women: sex=women & age=<=29",
        "--decision",
        "targeted",
        "--label",
        "responded",
        "--stratum",
        "region",
        "--reference",
        "sex=men",
        "--order",
        "1",
        "--format",
        "json",
    ]);
    assert_eq!(run.status, 1, "{}", run.err);
    let report = json(&run.out);
    let tables = report["models"][0]["tables"].as_array().unwrap();
    let groups = |table: &serde_json::Value| -> Vec<String> {
        table["groups"].as_array().unwrap().iter().map(|g| g["group"].as_str().unwrap().into()).collect()
    };
    assert_eq!(groups(&tables[0]), ["men", "women"]);
    assert_eq!(groups(&tables[1]), ["<=29", "30-49", ">=50"]);
    assert_eq!(groups(&tables[2]), ["young women"]);
    assert_eq!(tables.len(), 3, "no intersections at order 1");
    assert_eq!(tables[0]["reference"], "men");
    assert!(tables[0]["groups"][0]["strata"].as_object().is_some_and(|s| s.len() == 2));
    assert_eq!(desk.run(&["audit", "data.csv", "-a", "age:quantiles:4", "-d", "targeted"]).err, "");
}

#[test]
fn thresholds_tops_and_decisions_are_several_models() {
    let desk = Desk::new();
    desk.write("data.csv", unfair());
    let run = desk.line(
        "audit data.csv -a sex -d targeted -s propensity --threshold 0.5 --top 10% --top 100 --format json --no-timestamp",
    );
    assert_eq!(run.status, 1, "{}", run.err);
    let report = json(&run.out);
    let names: Vec<&str> = report["models"].as_array().unwrap().iter().map(|m| m["model"].as_str().unwrap()).collect();
    assert_eq!(names, ["targeted", "propensity >= 0.5", "propensity top 10%", "propensity top 100"]);
}

#[test]
fn favourable_and_missing_texts_are_told() {
    let desk = Desk::new();
    let data = unfair().replace(",yes,", ",good,").replace(",no,", ",bad,").replacen("female", "?", 20);
    let run = desk.write("data.csv", data).run(&[
        "audit",
        "data.csv",
        "-a",
        "sex",
        "-d",
        "targeted",
        "-l",
        "responded",
        "--favorable",
        "responded=good",
        "--missing",
        "?",
        "--format",
        "json",
    ]);
    assert_eq!(run.status, 1, "{}", run.err);
    assert_eq!(json(&run.out)["data"]["attributes"][0]["missing_rows"], 20);
    let run = desk.run(&[
        "audit",
        "data.csv",
        "-a",
        "sex",
        "-d",
        "targeted",
        "--missing",
        "?",
        "--missing-as-group",
        "--format",
        "json",
    ]);
    assert!(run.out.contains("\"group\": \"missing\"") || run.out.contains("\"group\":\"missing\""), "{}", run.out);
}

#[test]
fn delimiters_and_headers_are_told() {
    let desk = Desk::new();
    let data: String = unfair().replace(',', "|").lines().skip(1).map(|l| format!("{l}\n")).collect();
    desk.write("data.txt", data);
    let run = desk.run(&["audit", "data.txt", "--delimiter", "|", "--no-header", "-a", "column_1", "-d", "column_5"]);
    assert_eq!((run.status, run.err.as_str()), (1, ""));
}

#[test]
fn without_a_time_the_same_data_give_the_same_bytes() {
    let desk = Desk::new();
    desk.write("data.csv", unfair());
    let line = format!("{AUDIT} --label responded --replicates 50 --format json");
    let first = desk.line(&line);
    assert_eq!(first.out, desk.line(&line).out);
    assert_eq!(json(&first.out)["provenance"]["created"], serde_json::Value::Null);
    let threads = json(&desk.line(&format!("{line} --threads 3")).out);
    assert_eq!(threads["models"], json(&first.out)["models"]);

    let args = "audit data.csv -a sex -d targeted --format json";
    let mut tool = desk.tool(&args.split(' ').collect::<Vec<_>>());
    let dated = json(&answer(tool.env("SOURCE_DATE_EPOCH", "1735689600").output().unwrap()).out);
    assert_eq!(dated["provenance"]["created"], "2025-01-01T00:00:00Z");
    assert_eq!(dated["provenance"]["command"], format!("evenhand {args}"));
    let now = json(&desk.line(args).out)["provenance"]["created"].as_str().unwrap().to_string();
    assert!(now.len() == 20 && now.ends_with('Z') && now.as_str() > "2025", "{now}");
    let mut tool = desk.tool(&args.split(' ').collect::<Vec<_>>());
    let run = answer(tool.env("SOURCE_DATE_EPOCH", "99999999999999").output().unwrap());
    assert!(run.status == 2 && run.err.contains("SOURCE_DATE_EPOCH"), "{}", run.err);
}

#[test]
fn the_command_can_be_typed_again() {
    let desk = Desk::new();
    desk.write("my data.csv", unfair());
    let run = desk.run(&["audit", "my data.csv", "-a", "age:<40,>=40", "-d", "targeted", "--format", "json"]);
    let command = json(&run.out)["provenance"]["command"].as_str().unwrap().to_string();
    let words = shlex::split(&command).unwrap();
    assert_eq!(words, ["evenhand", "audit", "my data.csv", "-a", "age:<40,>=40", "-d", "targeted", "--format", "json"]);
}

#[test]
fn flags_win_over_the_policy_file() {
    let desk = Desk::new();
    desk.write("data.csv", unfair()).write(
        "policy.toml",
        r#"
        preset = "strict"
        confidence = 0.9
        minimum_group_size = 25
        [columns]
        attributes = ["sex", "age:<40,>=40"]
        label = "responded"
        decisions = ["targeted"]
        favorable = { responded = ["no"] }
        [references]
        sex = "female"
        [audit]
        order = 1
        seed = 7
        reference_rule = "best_off"
        [[groups]]
        name = "women of the north"
        all = ["sex=female"]
        [[groups]]
        name = "young women"
        rule = "sex=female & age=<40"
        "#,
    );
    let report = |flags: &str| {
        let run = desk.line(&format!("audit data.csv --policy policy.toml --format json {flags}"));
        assert_eq!(run.status, 1, "{}", run.err);
        json(&run.out)
    };
    let file = report("");
    let (settings, tables) = (&file["settings"], file["models"][0]["tables"].as_array().unwrap());
    assert_eq!(settings["policy"]["name"], "strict");
    assert_eq!(
        (&settings["policy"]["confidence"], &settings["policy"]["minimum_group_size"]),
        (&0.9.into(), &25.into())
    );
    assert_eq!((&settings["order"], &settings["seed"]), (&1.into(), &7.into()));
    let names: Vec<&str> = tables.iter().map(|t| t["attribute"].as_str().unwrap()).collect();
    assert_eq!(names, ["sex", "age", "named groups"]);
    assert_eq!((&tables[0]["reference"], tables[2]["groups"].as_array().map(Vec::len)), (&"female".into(), Some(2)));

    let flags = report(
        "--confidence 0.99 --min-group-size 5 --order 2 --seed 8 --reference sex=male --attribute sex --attribute region --group north:region=north",
    );
    let (settings, tables) = (&flags["settings"], flags["models"][0]["tables"].as_array().unwrap());
    assert_eq!(
        (&settings["policy"]["confidence"], &settings["policy"]["minimum_group_size"]),
        (&0.99.into(), &5.into())
    );
    assert_eq!((&settings["order"], &settings["seed"]), (&2.into(), &8.into()));
    let names: Vec<&str> = tables.iter().map(|t| t["attribute"].as_str().unwrap()).collect();
    assert_eq!(names, ["sex", "region", "sex & region", "named groups"]);
    assert_eq!(tables[0]["reference"], "male");
}

#[test]
fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
    let desk = Desk::new();
    desk.write("data.csv", unfair()).write(
        "policy.toml",
        "preset = \"four-fifths\"\nconfidence = 0.9\nminimum_group_size = 20\ninconclusive = \"fail\"\n\
         [audit]\norder = 1\nseed = 5\nreplicates = 300\nreference_rule = \"best_off\"\n",
    );
    let settings = |more: &str| {
        let run = desk.line(&format!("{AUDIT} --format json {more}"));
        assert_eq!(run.status, 1, "{}", run.err);
        json(&run.out)["settings"].clone()
    };
    let file = "--policy policy.toml";
    for (path, option, by_default, by_file, by_flag) in [
        ("/policy/confidence", "--confidence 0.8", "0.95", "0.9", "0.8"),
        ("/policy/minimum_group_size", "--min-group-size 30", "10", "20", "30"),
        ("/policy/inconclusive", "--inconclusive pass", "\"inconclusive\"", "\"fail\"", "\"pass\""),
        ("/order", "--order 2", "2", "1", "2"),
        ("/seed", "--seed 9", "0", "5", "9"),
        ("/replicates", "--replicates 400", "1000", "300", "400"),
        ("/reference", "--reference-rule largest", "\"the largest group\"", "", "\"the largest group\""),
    ] {
        let at = |settings: serde_json::Value| settings.pointer(path).unwrap_or_else(|| panic!("{path}")).to_string();
        assert_eq!(at(settings("")), by_default, "{path} by default");
        let from_file = at(settings(file));
        assert!(if by_file.is_empty() { from_file != by_default } else { from_file == by_file }, "{path}: {from_file}");
        assert_eq!(at(settings(&format!("{file} {option}"))), by_flag, "{path} by flag");
    }
    let help = desk.line("audit --help").out;
    assert!(help.contains("Which setting wins:") && help.contains("A flag wins over the policy file"), "{help}");
}

#[test]
fn a_policy_may_be_json() {
    let desk = Desk::new();
    desk.write("data.csv", unfair()).write(
        "policy.json",
        r#"{"columns": {"attributes": ["sex"], "decisions": ["targeted"]},
            "criteria": [{"metric": "demographic_parity", "comparison": "difference", "maximum": 0.5}]}"#,
    );
    let run = desk.line("audit data.csv --policy policy.json");
    assert_eq!((run.status, run.err.as_str()), (0, ""), "{}", run.out);
}

#[test]
fn the_usual_policy_needs_a_decision() {
    let desk = Desk::new();
    desk.write("data.csv", unfair())
        .write("columns.toml", "[columns]\nattributes = [\"sex\"]\ndecisions = [\"targeted\"]");
    assert_eq!(desk.line("audit data.csv --policy columns.toml").status, 1);
    assert_eq!(desk.line("audit data.csv -a sex -s propensity --threshold 0.5").status, 1);
    let run = desk.line("audit data.csv -a sex -l responded");
    assert!(run.status == 0 && run.err.contains("nothing was judged"), "{} {}", run.out, run.err);
}

#[test]
fn a_reader_that_stops_reading_is_no_error() {
    let desk = Desk::new();
    desk.write("data.csv", unfair());
    for (args, status) in [(format!("{AUDIT} --full"), 1), ("metrics".to_string(), 0)] {
        let mut child = Command::new(assert_cmd::cargo::cargo_bin!("evenhand"))
            .current_dir(desk.path(""))
            .args(args.split(' '))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let run = answer(child.wait_with_output().unwrap());
        assert_eq!((run.status, run.err.as_str()), (status, ""));
    }
}
