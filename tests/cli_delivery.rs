//! The tool on the delivery of adverts.

#![cfg(feature = "cli")]

mod cli_support;

use cli_support::Desk;

const TABLE: &str = "ad,sex,interest,market,seed,could,saw,shown,clicked,paid,sd\n\
    jobs,f,high,1000,100,500,50,100,5,20,10\njobs,f,low,1000,100,500,50,100,5,20,10\n\
    jobs,m,high,1000,300,500,100,200,9,20,10\njobs,m,low,1000,300,500,100,200,9,20,10\n\
    flats,f,high,1000,100,500,80,150,5,20,10\nflats,f,low,1000,100,500,80,150,5,20,10\n\
    flats,m,high,1000,100,500,80,150,5,20,10\nflats,m,low,1000,100,500,80,150,5,20,10\n";
const BASE: &str = "delivery ads.csv --campaign ad --group sex --eligible could --impressions shown --reached saw";
const ALL: &str = "--clicks clicked --spend paid --audience market --stratum interest --seed seed --pair jobs=flats";

/// The fields of a line of the long form: value, low, high.
fn line(csv: &str, starts: &str) -> [f64; 3] {
    let line = csv.lines().find(|l| l.starts_with(starts)).unwrap_or_else(|| panic!("{starts}\n{csv}"));
    let mut fields = line[starts.len()..].split(',').map(|f| f.parse().unwrap_or(f64::NAN));
    [(); 3].map(|()| fields.next().unwrap())
}

#[test]
fn delivery_is_audited_in_every_form() {
    let desk = Desk::new();
    desk.write("ads.csv", TABLE);
    let run = desk.line(&format!("{BASE} {ALL} --format csv"));
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    let near = |starts: &str, value: f64| {
        let [found, low, high] = line(&run.out, starts);
        assert!((found - value).abs() < 1e-9 && low <= value && value <= high, "{starts}: {found} [{low}, {high}]");
    };
    near("jobs,f,,targeting_skew,", 1.0);
    near("jobs,f,,delivery_skew,", 2.0 / 3.0);
    near("jobs,f,,whole_skew,", 2.0 / 3.0);
    near("jobs,f,,reach_rate,", 0.1);
    near("jobs,f,,cost_per_reached,", 0.4);
    near("jobs,f,,clicks_per_reached,", 0.1);
    near("jobs,f,,lookalike_amplification,", 3f64.ln());
    near("jobs,,eligible,delivery_variance,", 1.0 / 6.0);
    near("jobs,f,m,cost_ratio,", 2.0);
    near("jobs,f,m,conditional_reach_difference,", -0.1);
    near("jobs,f,m,lost_opportunities,", 100.0);
    near("jobs / flats,f,,paired_ad_difference,", 1.0 / 3.0 - 0.5);
    near(",,,variance_coverage,", 0.5);
    assert_eq!(line(&run.out, "jobs,f,,frequency,")[0], 2.0);

    let text = desk.line(&format!("{BASE} {ALL}")).out;
    assert!(text.lines().all(|l| l.chars().count() <= 80), "{text}");
    for name in ["targeting skew", "cost per reached", "lookalike amplification", "lost opportunities", "paired ad"] {
        assert!(text.contains(name), "{name}: {text}");
    }
    let run = desk.line(&format!("{BASE} {ALL} --output report.json"));
    assert_eq!((run.status, run.out.as_str()), (0, ""));
    assert!(desk.read("report.json").contains("\"variance_limit\": 0.1"));
    assert!(
        desk.line(&format!("{BASE} --stratum interest --format markdown")).out.starts_with("# Audit of delivery\n")
    );
}

#[test]
fn a_form_that_there_is_not_is_said() {
    let desk = Desk::new();
    let run = desk.write("ads.csv", TABLE).line(&format!("{BASE} --stratum interest --format html"));
    assert!(run.status == 2 && run.out.is_empty() && run.err.contains("--format markdown"), "{}", run.err);
}

#[test]
fn noise_and_rounding_widen_intervals_and_the_interested_stand_alone() {
    let desk = Desk::new();
    desk.write("ads.csv", TABLE);
    let width = |flags: &str| {
        let run = desk.line(&format!("{BASE} --stratum interest {flags} --format csv"));
        let [_, low, high] = line(&run.out, "jobs,f,,delivery_skew,");
        high - low
    };
    let plain = width("");
    assert!(width("--noise 10") > plain && width("--rounded 50") > plain);
    assert_eq!(width("--noise 10"), width("--noise sd"));
    assert!(width("--noise 10 --rounded 50") > width("--noise 10"));
    assert!(width("--interested high") > plain);
    let run = desk.line(&format!("{BASE} --stratum interest --interested hihg"));
    assert!(run.status == 2 && run.err.contains("did you mean `high`"), "{}", run.err);
}

#[test]
fn people_are_counted_to_the_same_table() {
    let desk = Desk::new();
    let mut people = String::from("ad,sex,could,shown\n");
    let mut table = String::from("ad,sex,market,could,saw,shown\n");
    for (sex, reached) in [("f", 20), ("m", 35)] {
        for i in 0..100 {
            let could = if i < 80 { "yes" } else { "no" };
            people += &format!("jobs,{sex},{could},{}\n", if i < reached { 2 } else { 0 });
        }
        table += &format!("jobs,{sex},100,80,{reached},{}\n", 2 * reached);
    }
    desk.write("people.csv", people).write("ads.csv", table);
    let flags = "--campaign ad --group sex --eligible could --impressions shown --format csv";
    let counted = desk.line(&format!("delivery people.csv --people {flags}"));
    assert_eq!(counted.status, 0, "{}", counted.err);
    let given = desk.line(&format!("delivery ads.csv {flags} --reached saw --audience market"));
    let same = |out: &str| -> Vec<String> {
        let other = |l: &&str| !l.contains("cost") && !l.contains("clicks");
        out.lines().filter(other).map(String::from).collect()
    };
    assert_eq!(same(&counted.out), same(&given.out));
}

#[test]
fn slips_are_told_with_their_place() {
    let desk = Desk::new();
    let header = "ad,sex,could,saw,shown\n";
    for (rows, says) in [
        ("jobs,f,10,2,3\njobs,m,-10,2,3\n", &["`could`", "`-10`", "row 2 of ads.csv", "0 or more"][..]),
        ("jobs,f,10,2,3\njobs,m,10,inf,3\n", &["`saw`", "row 2 of ads.csv"]),
        ("jobs,f,10,2,3\njobs,m,NaN,2,3\n", &["`could`", "`NaN`", "row 2 of ads.csv"]),
        ("jobs,f,10,2,3\njobs,m,10,2,some\n", &["`shown`", "`some`", "row 2"]),
        ("jobs,f,10,11,30\njobs,m,10,2,3\n", &["`saw`", "row 1 of ads.csv", "than are eligible"]),
        ("jobs,f,10,5,3\njobs,m,10,2,3\n", &["`saw`", "row 1 of ads.csv", "than impressions"]),
        ("jobs,f,10,2,3\njobs,f,10,2,3\n", &["`sex`", "jobs, f", "row 2 of ads.csv", "add the rows up"]),
        ("jobs,f,10,2,3\n", &["campaign `jobs` is 1", "two or more groups"]),
        ("jobs,f,10,2,3\njobs,,10,2,3\n", &["`sex`", "row 2", "a name"]),
        ("", &["no rows", "ads.csv"]),
    ] {
        desk.write("ads.csv", format!("{header}{rows}"));
        let run = desk.line(BASE);
        assert!(run.status == 2 && run.out.is_empty(), "{rows}: {}", run.out);
        assert!(says.iter().all(|s| run.err.contains(s)), "{rows}: {}", run.err);
    }
    desk.write("ads.csv", TABLE);
    for (flags, says) in [
        ("--clicks clickt", "did you mean `clicked`"),
        ("--pair jobs", "nursing=driving"),
        ("--pair jobs=flat", "did you mean `flats`"),
        ("--stratum interest --noise -1", "the noise is -1"),
        ("--stratum interest --rounded nan", "the multiple of rounding"),
        ("--stratum interest --confidence 1", "confidence"),
        ("--stratum interest --variance-limit 2", "variance"),
        ("--interested high", "--stratum"),
        ("--stratum interest --output ads.csv", "is the file to audit"),
        ("", "add the rows up"),
    ] {
        let stratum =
            if flags.starts_with("--pair") || flags.starts_with("--clicks") { "--stratum interest" } else { "" };
        let run = desk.line(&format!("{BASE} {stratum} {flags}"));
        assert!(run.status == 2 && run.err.contains(says), "{flags}: {}", run.err);
    }
}

#[test]
fn a_group_without_eligibles_is_shown_with_its_reason() {
    let desk = Desk::new();
    desk.write("ads.csv", "ad,sex,could,saw,shown\njobs,f,0,0,0\njobs,m,10,2,3\njobs,x,9,2,4\n");
    let run = desk.line(&format!("{BASE} --format csv"));
    assert_eq!(run.status, 0, "{}", run.err);
    assert!(run.out.contains("jobs,f,,reach_rate,,,,,no rows"), "{}", run.out);
    assert!(run.out.contains("jobs,f,,delivery_skew,,,,,ratio over zero"), "{}", run.out);
    assert!(!run.out.contains("NaN") && !run.out.contains("inf"), "{}", run.out);
}
