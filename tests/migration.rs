//! The names that `docs/compared-with-others.md` gives for those of peers are names of this crate.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use evenhand::metrics::catalog;

const PAGE: &str = include_str!("../docs/compared-with-others.md");

/// What stands between backticks in the last column of the tables of names.
fn names() -> Vec<&'static str> {
    let (_, tables) = PAGE.split_once("\n## Names\n").expect("the tables");
    let rows = tables.lines().filter(|l| l.starts_with("| ") && !l.ends_with("| evenhand |"));
    rows.filter_map(|row| row.trim_end_matches(" |").rsplit(" | ").next())
        .flat_map(|ours| ours.split('`').skip(1).step_by(2))
        .collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_name_is_one_of_ours() {
    let catalog: BTreeSet<&str> = catalog::names().collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let names = names();
    assert!(names.len() > 80, "{}", names.len());
    for name in names {
        let Some((module, item)) = name.rsplit_once("::") else {
            // Beside names of the catalog stand fields and arguments, which have a bracket, an equals sign or a word of ours.
            assert!(catalog.contains(name) || name == "strata" || name.contains('='), "`{name}` is not in the catalog");
            continue;
        };
        let folder = module.split("::").fold(root.clone(), |path, part| path.join(part));
        let mut files = vec![folder.with_extension("rs")];
        if folder.is_dir() {
            sources(&folder, &mut files);
        }
        let declared =
            |text: &str| ["struct", "enum", "fn"].iter().any(|kind| text.contains(&format!("pub {kind} {item}")));
        let there = files.iter().filter_map(|f| std::fs::read_to_string(f).ok()).any(|text| declared(&text));
        assert!(there, "there is no `{name}`");
    }
}
