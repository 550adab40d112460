//! The tool on data and decisions to be mended.

#![cfg(feature = "cli")]

mod cli_support;

use std::fmt::Write as _;

use cli_support::Desk;

/// 240 people: men respond twice as often as women, and the model knows.
fn people() -> String {
    let mut text = String::from("id,sex,region,visits,plan,responded,propensity\n");
    for i in 0..240 {
        let (sex, region) = (["f", "m", "m"][i % 3], ["n", "s"][i / 3 % 2]);
        let responded = (i * 7) % 10 < if sex == "f" { 2 } else { 4 };
        let score =
            ((i * 37) % 101) as f64 / 202.0 + if sex == "f" { 0.1 } else { 0.3 } + if responded { 0.1 } else { 0.0 };
        let plan = ["basic", "gold"][i / 5 % 2];
        let _ = writeln!(text, "p{i},{sex},{region},{},{plan},{},{score:.4}", i % 11, u8::from(responded));
    }
    text
}

/// The values of a column of a text file.
fn column(text: &str, name: &str) -> Vec<String> {
    let mut lines = text.lines();
    let at =
        lines.next().unwrap().split(',').position(|field| field == name).unwrap_or_else(|| panic!("{name}: {text}"));
    lines.map(|line| line.split(',').nth(at).unwrap().to_string()).collect()
}

fn numbers(text: &str, name: &str) -> Vec<f64> {
    column(text, name).iter().map(|field| field.parse().unwrap()).collect()
}

/// The weighted share of rows with a value, among those of a group.
fn rate(text: &str, group: &str, of: &str, weights: &[f64]) -> f64 {
    let (sex, of) = (column(text, "sex"), numbers(text, of));
    let rows = || (0..sex.len()).filter(|row| sex[*row] == group);
    rows().map(|row| of[row] * weights[row]).sum::<f64>() / rows().map(|row| weights[row]).sum::<f64>()
}

#[test]
fn weights_are_written_beside_the_rows() {
    let desk = Desk::new();
    desk.write("people.csv", people());
    let run = desk.line("mitigate reweight people.csv -a sex --label responded --output weighted.csv");
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    assert!(run.out.contains("240 rows are in weighted.csv."), "{}", run.out);
    assert!(run.out.lines().all(|l| l.chars().count() <= 80), "{}", run.out);
    let text = desk.read("weighted.csv");
    let weights = numbers(&text, "fair_weight");
    let [women, men] = ["f", "m"].map(|sex| rate(&text, sex, "responded", &weights));
    assert!((women - men).abs() < 1e-12, "{women} {men}");
    // All else is as it was.
    let without: Vec<&str> = text.lines().map(|l| l.rsplit_once(',').unwrap().0).collect();
    assert_eq!(without, people().lines().collect::<Vec<_>>());

    let run = desk.line("mitigate reweight people.csv -a sex -l responded --within region --summary json -o w.csv.gz");
    let json: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!((json["strata"][0].as_str(), json["groups"].as_array().unwrap().len()), (Some("region"), 4));

    // To an audience, without a label; to standard output, with what is said beside it.
    let run = desk.line("mitigate reweight people.csv -a sex --audience sex:f=0.5,m=0.5 --output -");
    let weights = numbers(&run.out, "fair_weight");
    let sex = column(&run.out, "sex");
    let women: f64 = (0..240).filter(|row| sex[*row] == "f").map(|row| weights[row]).sum();
    assert!((women / weights.iter().sum::<f64>() - 0.5).abs() < 1e-9);
    assert!(run.err.contains("Raked"), "{}", run.err);
}

#[test]
fn rows_are_drawn_by_weights() {
    let desk = Desk::new();
    desk.write("people.csv", people());
    let line = "mitigate resample people.csv -a sex --label responded --rows 1200 --seed 3 --quiet --output";
    let run = desk.line(&format!("{line} drawn.csv"));
    assert_eq!((run.status, run.out.as_str(), run.err.as_str()), (0, "", ""));
    let text = desk.read("drawn.csv");
    let [women, men] = ["f", "m"].map(|sex| rate(&text, sex, "responded", &[1.0; 1200]));
    assert_eq!(text.lines().count(), 1201);
    assert!((women - men).abs() < 0.02, "{women} {men}");
    desk.line(&format!("{line} again.csv"));
    assert_eq!(desk.read("again.csv"), text);
}

#[test]
fn new_rows_follow_and_are_marked() {
    let desk = Desk::new();
    desk.write("people.csv", people());
    let run =
        desk.line("mitigate smote people.csv -a sex -l responded --feature visits --feature plan --output more.csv");
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    let text = desk.read("more.csv");
    let (synthetic, from) = (column(&text, "synthetic"), column(&text, "synthetic_from"));
    assert!(synthetic[..240].iter().all(|s| s == "0") && synthetic[240..].iter().all(|s| s == "1"));
    assert!(from[..240].iter().all(String::is_empty) && from[240..].iter().all(|f| !f.is_empty()));
    // All groups and labels are as large as the largest.
    let (sex, label) = (column(&text, "sex"), column(&text, "responded"));
    let size = |s: &str, l: &str| (0..sex.len()).filter(|row| sex[*row] == s && label[*row] == l).count();
    assert!(size("f", "0") == size("m", "0") && size("f", "1") == size("m", "0") && size("m", "1") == size("m", "0"));
    // Numbers that are whole stay so, what is no feature comes from the row it is made from.
    let (visits, ids) = (column(&text, "visits"), column(&text, "id"));
    for row in 240..sex.len() {
        let parents: Vec<usize> = from[row].split(' ').map(|p| p.parse::<usize>().unwrap() - 1).collect();
        assert_eq!(ids[row], ids[parents[0]]);
        assert!(visits[row].parse::<u32>().unwrap() <= 10);
        assert!(parents.iter().all(|p| sex[*p] == sex[row] && label[*p] == label[row]));
    }
}

#[test]
fn thresholds_are_found_kept_and_applied() {
    let desk = Desk::new();
    desk.write("people.csv", people());
    let run = desk.line(
        "mitigate thresholds people.csv -a sex --score propensity --label responded --slack 0.02 --id id --save t.json \
         --output decided.csv",
    );
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    assert!(run.out.lines().all(|l| l.chars().count() <= 80), "{}", run.out);
    let applied =
        desk.line("mitigate thresholds people.csv -a sex -s propensity --apply t.json --id id -q -o again.csv");
    assert_eq!(applied.status, 0, "{}", applied.err);
    assert_eq!(desk.read("decided.csv"), desk.read("again.csv"));
    // The same people in another order meet the same draws.
    let mut turned: Vec<String> = people().lines().map(String::from).collect();
    turned[1..].reverse();
    desk.write("turned.csv", turned.join("\n"));
    desk.line("mitigate thresholds turned.csv -a sex -s propensity --apply t.json --id id -q -o turned_out.csv");
    let mut decided = column(&desk.read("turned_out.csv"), "fair_decision");
    decided.reverse();
    assert_eq!(decided, column(&desk.read("decided.csv"), "fair_decision"));

    let run = desk.line("mitigate thresholds people.csv -a sex -s propensity --budget 50 --slack 0.02 -o offers.csv");
    assert_eq!(run.status, 0, "{}", run.err);
    let text = desk.read("offers.csv");
    assert_eq!(numbers(&text, "fair_decision").iter().sum::<f64>(), 50.0);
    let [women, men] = ["f", "m"].map(|sex| rate(&text, sex, "fair_decision", &[1.0; 240]));
    assert!((women - men).abs() <= 0.02 + 1e-9, "{women} {men}");
}

#[test]
fn slips_leave_nothing_behind() {
    let desk = Desk::new();
    desk.write("people.csv", people()).write("t.json", "{}");
    let fails = |line: &str| {
        let run = desk.line(line);
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{line}: {}", run.err);
        run.err
    };
    assert!(
        fails("mitigate reweight people.csv -a sex -l responded -o people.csv").contains("would replace your data")
    );
    assert!(fails("mitigate reweight people.csv -a sex -l responded -o w.parquet").contains("text"));
    assert!(fails("mitigate reweight people.csv -a sxe -l responded -o w.csv").contains("`sxe`"));
    assert!(fails("mitigate reweight people.csv -a sex -o w.csv").contains("--label"));
    assert!(fails("mitigate reweight people.csv -a sex -l responded --column id -o w.csv").contains("`id`"));
    assert!(fails("mitigate reweight people.csv -a sex --audience sex:f=0.5 -o w.csv").contains("sum"));
    assert!(fails("mitigate smote people.csv -a sex -l responded --feature vists -o w.csv").contains("`visits`"));
    assert!(fails("mitigate thresholds people.csv -a sex -s propensity -o w.csv").contains("--budget"));
    assert!(fails("mitigate thresholds people.csv -a sex -s propensity --budget 999 -o w.csv").contains("240 people"));
    assert!(fails("mitigate thresholds people.csv -a sex -s propensity --apply t.json -o w.csv").contains("t.json"));
    assert_eq!(desk.files(), ["people.csv", "t.json"]);
}
