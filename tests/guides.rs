//! What the guides tell people to type works, and answers what the guides say it does.
//!
//! In the pages below, a block that begins with ```` ```sh run ```` is run by bash in an empty folder, which it shares with
//! the blocks before it on its page; its last command has to end with status 0, or with the one that is named, as in
//! ```` ```sh run 1 ````. A block that begins with ```` ```text answer ```` behind it quotes the answer: each of its lines
//! has to be in the output, in that order; `...` leaves some out. Where there is no Python, what asks for it is left out. A block of any other kind is for the reader alone.

#![cfg(all(feature = "cli", unix))]

use std::path::Path;
use std::process::Command;

const PAGES: &[(&str, &str)] = &[
    ("README.md", include_str!("../README.md")),
    ("analyst", include_str!("../docs/guides/analyst.md")),
    ("compliance-officer", include_str!("../docs/guides/compliance-officer.md")),
    ("data-scientist", include_str!("../docs/guides/data-scientist.md")),
    ("platform-engineer", include_str!("../docs/guides/platform-engineer.md")),
];

/// A block between fences: what stands behind the first one, the text, and the line it begins on.
#[derive(Debug)]
struct Block<'a> {
    kind: &'a str,
    text: String,
    line: usize,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for (line, text) in page.lines().enumerate() {
        match (text.trim_start().strip_prefix("```"), inside) {
            (Some(kind), false) => blocks.push(Block { kind: kind.trim(), text: String::new(), line: line + 1 }),
            (Some(_), true) => {}
            (None, true) => {
                let text_of = &mut blocks.last_mut().expect("inside of one").text;
                text_of.push_str(text);
                text_of.push('\n');
                continue;
            }
            (None, false) => continue,
        }
        inside = !inside;
    }
    blocks
}

/// The status that a block is to end with; none where it is not run.
fn expected(kind: &str) -> Option<i32> {
    let rest = kind.strip_prefix("sh run")?.trim();
    Some(if rest.is_empty() { 0 } else { rest.parse().expect("a status") })
}

fn run(folder: &Path, script: &str) -> (i32, String) {
    let tool = Path::new(assert_cmd::cargo::cargo_bin!("evenhand")).parent().expect("a folder");
    let path = format!("{}:{}", tool.display(), std::env::var("PATH").unwrap_or_default());
    // Whatever could not be done ends the block, wherever in it; a verdict may be anything.
    let script = format!("exec 2>&1\ntrap '[ $? = 2 ] && exit 2' ERR\n{script}");
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder)
        .env("PATH", path)
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .env_remove("SOURCE_DATE_EPOCH")
        .output()
        .expect("bash");
    (output.status.code().expect("ended by itself"), String::from_utf8(output.stdout).expect("text"))
}

/// The first quoted line that the output does not have where it should.
fn missing<'a>(quoted: &'a str, output: &str) -> Option<&'a str> {
    let mut lines = output.lines().map(str::trim);
    let mut quoted = quoted.lines().map(str::trim).filter(|line| !line.is_empty() && *line != "...");
    quoted.find(|wanted| !lines.any(|line| line == *wanted))
}

#[test]
fn every_command_of_the_guides_works() {
    std::thread::scope(|scope| {
        for (name, page) in PAGES {
            scope.spawn(move || follow(name, page));
        }
    });
}

/// Does what a page says, in a folder of its own.
fn follow(name: &str, page: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut last = String::new();
    for block in blocks(page) {
        if let Some(status) = expected(block.kind) {
            if block.text.contains("python3") && Command::new("python3").arg("--version").output().is_err() {
                continue;
            }
            let (ended, output) = run(folder.path(), &block.text);
            assert_eq!(ended, status, "{name} line {}:\n{}\n{output}", block.line, block.text);
            last = output;
        } else if block.kind == "text answer" {
            let line = missing(&block.text, &last);
            assert!(line.is_none(), "{name} line {}: no `{}` in\n{last}", block.line, line.unwrap_or_default());
        }
    }
}

#[test]
fn the_guides_have_commands_and_links_that_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<_> =
        glob::glob(&format!("{}/docs/**/*.md", root.display())).unwrap().map(Result::unwrap).collect();
    pages.push(root.join("README.md"));
    assert!(pages.len() > PAGES.len());
    for path in pages {
        let page = std::fs::read_to_string(&path).unwrap();
        for link in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            if !file.is_empty() && !file.contains("://") {
                let target = path.parent().unwrap().join(file);
                assert!(target.exists(), "{}: {link} leads nowhere", path.display());
            }
        }
    }
    let readme = PAGES[0].1;
    for example in glob::glob(&format!("{}/examples/*.rs", root.display())).unwrap().map(Result::unwrap) {
        let name = example.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(readme.contains(&format!("(examples/{name}.rs)")), "the README does not lead to {name}");
    }
    for (name, page) in PAGES.iter().filter(|(name, _)| *name != "README.md") {
        assert!(blocks(page).iter().any(|b| expected(b.kind).is_some()), "{name} has no command that is run");
    }
}

#[test]
fn a_quoted_answer_has_to_be_there_in_order() {
    let output = "one\n  two\nthree\n";
    assert_eq!(missing("one\n...\nthree", output), None);
    assert_eq!(missing("three\none", output), Some("one"));
    let page = "a\n```sh run 1\nfalse\n```\n```text answer\nx\n```\n";
    let found = blocks(page);
    assert_eq!((found[0].kind, found[0].text.as_str(), expected(found[0].kind)), ("sh run 1", "false\n", Some(1)));
    assert_eq!((found[1].kind, expected(found[1].kind)), ("text answer", None));
}
