//! What holds for every subcommand: help with examples, quiet, colours, manual pages.

#![cfg(feature = "cli")]

mod cli_support;

use cli_support::{Desk, answer, unfair};

const COMMANDS: &[&str] = &[
    "audit",
    "chart",
    "compare",
    "completions",
    "delivery",
    "demo",
    "init",
    "man",
    "metrics",
    "mitigate",
    "mitigate reweight",
    "mitigate resample",
    "mitigate smote",
    "mitigate thresholds",
    "sql",
    "uplift",
];

#[test]
fn every_command_has_help_with_an_example_that_fits() {
    let desk = Desk::new();
    for command in COMMANDS {
        let run = desk.line(&format!("{command} --help"));
        assert_eq!((run.status, run.err.as_str()), (0, ""), "{command}");
        let name = format!("evenhand {command}");
        let (_, examples) = run.out.split_once("Example").unwrap_or_else(|| panic!("{command}: {}", run.out));
        assert!(examples.contains(&name), "{command}: {}", run.out);
        for option in ["--quiet", "--no-color"] {
            assert!(run.out.contains(option), "{command}: no {option}");
        }
        for line in run.out.lines().filter(|l| !l.starts_with("Usage:")) {
            assert!(line.chars().count() <= 100, "{command}: {line}");
        }
        // An example that is broken by the terminal cannot be copied.
        let long = examples.lines().find(|l| l.contains("evenhand ") && l.chars().count() > 80);
        assert!(long.is_none(), "{command}: {}", long.unwrap_or_default());
        let short = desk.line(&format!("{command} -h"));
        assert!(
            short.status == 0 && short.out.contains("Example") || short.out.contains("`--help` has examples"),
            "{command}"
        );
    }
    let help = desk.line("--help").out;
    let listed = |name: &&&str| help.lines().any(|l| l.trim_start().starts_with(&format!("{name} ")));
    assert!(COMMANDS.iter().filter(|c| !c.contains(' ')).all(|c| listed(&c)), "{help}");
}

#[test]
fn quiet_is_quiet_before_and_behind_the_command() {
    let desk = Desk::new();
    desk.write("data.csv", unfair());
    for line in [
        "--quiet audit data.csv -a sex -d targeted",
        "audit data.csv -a sex -d targeted -q --output report.html",
        "init data.csv --quiet",
        "mitigate reweight data.csv -a sex -l responded --output weighted.csv --quiet",
        "man --output pages -q",
    ] {
        let run = desk.line(line);
        assert_eq!((run.out.as_str(), run.err.as_str()), ("", ""), "{line}");
        assert!(run.status < 2, "{line}");
    }
    assert_eq!(desk.files(), ["data.csv", "pages", "policy.toml", "report.html", "weighted.csv"]);
    let run = desk.line("audit data.csv -a sexx -d targeted --quiet");
    assert!(run.status == 2 && run.err.contains("did you mean"), "{}", run.err);
}

#[test]
fn colours_are_there_when_forced_and_gone_when_refused() {
    let desk = Desk::new();
    desk.write("data.csv", unfair());
    let colored = |line: &str, variables: &[(&str, &str)]| {
        let mut tool = desk.tool(&line.split(' ').collect::<Vec<_>>());
        tool.env_remove("CLICOLOR").env_remove("CLICOLOR_FORCE").env("TERM", "xterm").envs(variables.iter().copied());
        let run = answer(tool.output().unwrap());
        run.out.contains('\u{1b}') || run.err.contains('\u{1b}')
    };
    let forced = ("CLICOLOR_FORCE", "1");
    for line in [
        "audit data.csv -a sex -d targeted",
        "audit data.csv -a sexx -d targeted",
        "audit data.csv --atribute sex",
        "-h",
    ] {
        assert!(!colored(line, &[]), "{line}: there is no terminal");
        assert!(colored(line, &[forced]), "{line}: forced");
        assert!(!colored(line, &[forced, ("NO_COLOR", "1")]), "{line}: NO_COLOR");
        assert!(!colored(&format!("--no-color {line}"), &[forced]), "{line}: --no-color");
    }
    assert!(!colored("audit data.csv -a sex -d targeted --output report.txt", &[]));
    let mut tool = desk.tool(&["audit", "data.csv", "-a", "sex", "-d", "targeted", "--output", "report.txt"]);
    tool.env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(!desk.read("report.txt").contains('\u{1b}'), "a file has no colours");
}

#[test]
fn there_is_a_manual_page_of_every_command() {
    let desk = Desk::new();
    let run = desk.line("man --output pages/man1");
    assert_eq!((run.status, run.out.as_str()), (0, ""), "{}", run.err);
    for command in COMMANDS {
        let page = desk.read(&format!("pages/man1/evenhand-{}.1", command.replace(' ', "-")));
        assert!(page.contains(".SH NAME") && page.contains(".SH EXAMPLES\n.in 0\n.nf\n"), "{command}: {page}");
        assert!(page.ends_with('\n') && page.matches("\n.fi\n").count() == 1, "{command}: {page}");
        assert_eq!(desk.line(&format!("man {command}")).out, page, "{command}");
    }
    assert!(desk.read("pages/man1/evenhand.1").contains("audit"));
    assert!(run.err.contains("pages/man1"), "{}", run.err);
    let run = desk.line("man audits");
    assert!(run.status == 2 && run.err.contains("audits") && run.err.contains("audit, "), "{}", run.err);
    let run = desk.line("man metrics everything");
    assert!(run.status == 2 && run.err.contains("`metrics` has no command `everything`"), "{}", run.err);
}
