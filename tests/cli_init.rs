//! `evenhand init`: the policy file works as it is, and nothing is overwritten.

#![cfg(feature = "cli")]

mod cli_support;

use cli_support::{Desk, answer, campaign, unfair};

#[test]
fn the_policy_works_as_it_is() {
    let desk = Desk::new();
    let run = desk.write("data.csv", unfair()).line("init data.csv");
    assert_eq!((run.status, run.out.as_str()), (0, ""), "{}", run.err);
    assert!(run.err.contains("evenhand audit data.csv --policy policy.toml"), "{}", run.err);
    let run = desk.line("audit data.csv --policy policy.toml --format json");
    assert_eq!((run.status, run.err.as_str()), (1, ""), "{}", desk.read("policy.toml"));
    let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    let tables = report["models"][0]["tables"].as_array().unwrap();
    let names: Vec<&str> = tables.iter().map(|t| t["attribute"].as_str().unwrap()).collect();
    assert_eq!(names, ["sex", "age", "sex & age"]);
    assert!(report["models"][0]["overall"]["true_positive_rate"]["value"].is_number(), "the label was found");
}

#[test]
fn it_tells_what_it_takes_each_column_for_and_why() {
    let desk = Desk::new();
    let rows: String =
        (0..40).map(|i| format!("{},{},{},{},x{i},{}\n", ["f", "m"][i % 2], i % 2, i % 3 % 2, i + 18, i % 4)).collect();
    let run = desk.write("data.csv", format!("sex,targeted,outcome,age,name,channel\n{rows}")).line("init data.csv");
    let told: Vec<Vec<&str>> = run.err.lines().map(|l| l.split_whitespace().take(2).collect()).collect();
    for pair in [
        ["attribute", "sex"],
        ["attribute", "age"],
        ["decision", "targeted"],
        ["label", "outcome"],
        ["stratum?", "channel"],
    ] {
        assert!(told.contains(&pair.to_vec()), "{pair:?}: {}", run.err);
    }
    for words in
        ["data.csv: all 40 rows, 6 columns", "named like an attribute", "Without a part: name", "With ?: perhaps"]
    {
        assert!(run.err.contains(words), "no `{words}`: {}", run.err);
    }
    assert!(run.err.lines().all(|l| l.chars().count() <= 80), "{}", run.err);
    let policy = desk.read("policy.toml");
    assert!(policy.contains("#   \"sex\": named like an attribute.\n"), "{policy}");
    assert!(policy.contains("# strata = [\"channel\"]   # perhaps: named like a reason"), "{policy}");
}

#[test]
fn nothing_found_is_said_too() {
    let desk = Desk::new();
    let run = desk.write("data.csv", "a,b\n1,x\n2,y\n").line("init data.csv");
    for role in ["attribute", "decision", "label"] {
        assert!(run.err.contains(&format!("No column is plainly the {role}")), "{}", run.err);
    }
    let run = desk.line("audit data.csv --policy policy.toml");
    assert!(run.status == 2 && run.err.contains("no protected attribute is named"), "{}", run.err);
}

#[test]
fn doubts_are_commented_out() {
    let desk = Desk::new();
    let data = "gender,native_country,outcome,hired,approved,fnlwgt,id\n\
                f,de,a,0,good,3,1\nm,fr,b,1,bad,2,2\nf,?,b,0,bad,1,3\nm,de,a,1,good,9,4\n";
    let policy = desk.write("data.csv", data).line("init data.csv --output -").out;
    insta::assert_snapshot!(policy);
}

#[test]
fn a_score_alone_selects_a_tenth() {
    let desk = Desk::new();
    let data: String = campaign(400, 5)
        .lines()
        .map(|l| l.split(',').collect::<Vec<_>>())
        .fold(String::new(), |t, f| t + &format!("{},{}\n", f[0], f[5]));
    desk.write("data.csv", data);
    assert_eq!(desk.line("init data.csv").status, 0);
    let run = desk.line("audit data.csv --policy policy.toml");
    assert!(run.status != 2 && run.out.contains("top 10%"), "{}{}", run.out, run.err);
}

#[test]
fn values_that_hardly_repeat_are_not_shown() {
    let desk = Desk::new();
    let people: String = (0..200).map(|i| format!("{},p{i}@example.org,{},1\n", ["f", "m"][i % 2], i % 3)).collect();
    let policy = desk.write("data.csv", format!("sex,email,channel,one\n{people}")).line("init data.csv -o -").out;
    assert!(policy.contains("\"email\": text, 200 levels\n") && !policy.contains("@example.org"), "{policy}");
    assert!(policy.contains("\"channel\": numbers, 3 levels: \"0\", \"1\", \"2\"\n"), "{policy}");
}

#[test]
fn hostile_names_stay_names() {
    let desk = Desk::new();
    let data = "\"sex\"\"\n[columns]\",a=b,targeted,\"age:\u{7f}\"\n\"f\n#\",1,0,3\nm,2,1,4\n";
    desk.write("data.csv", data);
    assert_eq!(desk.line("init data.csv").status, 0);
    let policy: toml::Table = desk.read("policy.toml").parse().unwrap();
    assert_eq!(policy["columns"]["attributes"][0].as_str(), Some("sex\"\n[columns]"));
    let run = desk.line("audit data.csv --policy policy.toml");
    assert!(run.status != 2, "{}", run.err);
}

#[test]
fn nothing_is_overwritten() {
    let desk = Desk::new();
    desk.write("data.csv", unfair()).write("policy.toml", "mine");
    let run = desk.line("init data.csv");
    assert!(run.status == 2 && run.err.contains("--force"), "{}", run.err);
    assert_eq!(desk.read("policy.toml"), "mine");
    let run = desk.line("init data.csv --output data.csv --force");
    assert!(run.status == 2 && run.err.contains("the file to look at"), "{}", run.err);
    assert_eq!(desk.line("init data.csv --force").status, 0);
    assert!(desk.read("policy.toml").contains("[columns]"));
    assert_eq!(desk.files(), ["data.csv", "policy.toml"]);
}

#[test]
fn files_without_rows_are_told() {
    let desk = Desk::new();
    for data in ["", "sex,targeted\n"] {
        let run = desk.write("data.csv", data).line("init data.csv");
        assert!(run.status == 2 && run.err.starts_with("error: "), "{data:?}: {}", run.err);
        assert_eq!(desk.files(), ["data.csv"]);
    }
}

#[test]
fn standard_input_is_looked_at() {
    let desk = Desk::new();
    let run = answer(desk.tool(&["init", "-", "--output", "-"]).write_stdin(unfair()).output().unwrap());
    assert!(run.status == 0 && run.out.contains("decisions = [\"targeted\"]"), "{}{}", run.out, run.err);
}
