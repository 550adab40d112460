//! The forms of a report: they hold what the report holds, they read well, and no name breaks them.

mod compared;
mod documents;
mod long;
mod pipelines;
mod sample;

use std::collections::BTreeSet;

use evenhand::Error;
use evenhand::report::{Report, TextStyle};
use sample::{all, cuts, filtered, full, hostile, labels_only, ruled, scored, segmented, two_models};
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

const FULL: TextStyle = TextStyle { color: false, width: 80, full: true };

#[test]
fn text_reads_well() {
    insta::assert_snapshot!("text", full().to_text(TextStyle::default()));
    insta::assert_snapshot!("text_two_models", two_models().to_text(TextStyle::default()));
    insta::assert_snapshot!("text_full", full().to_text(FULL));
    insta::assert_snapshot!("text_labels_only", labels_only().to_text(TextStyle::default()));
    insta::assert_snapshot!("text_ruled", ruled("eeoc").to_text(TextStyle::default()));
    insta::assert_snapshot!("text_cuts", cuts().to_text(TextStyle::default()));
    insta::assert_snapshot!("text_segmented", segmented().to_text(TextStyle::default()));
    insta::assert_snapshot!("text_hostile", hostile().to_text(TextStyle::default()));
}

#[test]
fn markdown_reads_well() {
    insta::assert_snapshot!("markdown", full().to_markdown());
    insta::assert_snapshot!("markdown_ruled", ruled("nyc-local-law-144").to_markdown());
    insta::assert_snapshot!("markdown_cuts", cuts().to_markdown());
    insta::assert_snapshot!("markdown_two_models", two_models().to_markdown());
}

#[test]
fn no_line_of_text_is_wider_than_asked() {
    for (name, report) in all() {
        for (width, full) in [(60, false), (80, false), (80, true), (120, true)] {
            let text = report.to_text(TextStyle { color: false, width, full });
            for line in text.lines() {
                assert!(line.width() <= width, "{name} at {width}: {} {line}", line.width());
            }
            let bad = |c: &char| c.is_control() && *c != '\n' || ('\u{202a}'..='\u{202e}').contains(c);
            assert_eq!(text.chars().find(bad), None, "{name}");
            assert!(!text.contains("\n\n\n") && text.ends_with('\n'), "{name}");
        }
    }
}

#[test]
fn colour_only_paints() {
    for (name, report) in all() {
        let painted = report.to_text(TextStyle { color: true, ..TextStyle::default() });
        let mut bare = String::new();
        let mut parts = painted.split("\x1b[");
        bare.push_str(parts.next().unwrap());
        for part in parts {
            let (code, rest) = part.split_once('m').unwrap();
            assert!(code.chars().all(|c| c.is_ascii_digit() || c == ';'), "{name}: {code}");
            bare.push_str(rest);
        }
        let plain = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        assert_eq!(plain(&bare), plain(&report.to_text(TextStyle::default())), "{name}");
    }
}

#[test]
fn long_tables_are_shortened_and_full_ones_are_not() {
    let report = hostile();
    let short = report.to_text(TextStyle::default());
    let flowing = short.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flowing.contains("and 1,988 more, see --format json"));
    assert!(short.lines().count() < 600, "{}", short.lines().count());
    assert!(short.contains("more notes"), "{short}");
    assert!(report.to_text(FULL).lines().count() > 2_000);
    assert!(report.to_markdown().contains("1,988 more"));
}

/// The cells of a row of Markdown.
fn cells(row: &str) -> usize {
    let row = row.replace("\\\\", "");
    row.replace("\\|", "").matches('|').count() - 1
}

/// How many tables there are, after each has been found to have as many cells in every row.
fn tables_hold(name: &str, text: &str) -> usize {
    let mut head = None;
    let mut tables = 0;
    for line in text.lines() {
        if line.starts_with('|') {
            tables += usize::from(head.is_none());
            assert_eq!(cells(line), *head.get_or_insert(cells(line)), "{name}: {line}");
            assert!(line.ends_with('|'));
        } else {
            head = None;
        }
    }
    tables
}

#[test]
fn markdown_tables_hold_and_no_name_is_markup() {
    for (name, report) in all() {
        let text = report.to_markdown();
        assert_eq!(tables_hold(name, &text) > 0, !report.models.is_empty());
        for bad in ["<script", "http://", "@everyone", " `c`", " [e]", "\x1b", "\u{202e}"] {
            // What ran is shown as code, in which nothing is markup.
            let markup = text.lines().filter(|l| !l.starts_with("- **Again:**")).any(|l| l.contains(bad));
            assert!(!markup, "{name}: {bad}");
        }
    }
}

#[test]
fn json_comes_back_equal() {
    for (name, report) in all() {
        let text = report.to_json().unwrap();
        assert!(text.ends_with("}\n"));
        assert!(Report::from_json(&text).unwrap() == report, "{name}");
    }
}

#[test]
fn json_of_another_kind_is_refused() {
    let text = full().to_json().unwrap();
    for (text, says) in [
        (text.replace("\"schema_version\": 1", "\"schema_version\": 2"), "schema version 2"),
        (text.replace("\"schema_version\": 1,", ""), "schema_version"),
        (text.replace("\"seed\": 42", "\"seed\": \"x\""), "line"),
        (text[..text.len() / 2].to_string(), "line"),
        (String::new(), "EOF"),
    ] {
        match Report::from_json(&text) {
            Err(e @ Error::BadReport { .. }) => assert!(e.to_string().contains(says), "{says}: {e}"),
            other => panic!("{says}: {other:?}"),
        }
    }
}

#[test]
fn the_schema_fits_every_report() {
    let schema: Value = serde_json::from_str(Report::json_schema()).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (name, report) in all() {
        let value = serde_json::to_value(&report).unwrap();
        let errors: Vec<String> = validator.iter_errors(&value).map(|e| format!("{} {e}", e.instance_path())).collect();
        assert_eq!(errors, Vec::<String>::new(), "{name}");
    }
    for rule in [r#""none""#, r#""given""#, r#"{"top":{"selected":5,"cut":0.7,"tied":2,"edge":0.5}}"#] {
        let mut value = serde_json::to_value(full()).unwrap();
        value["models"][0]["rule"] = serde_json::from_str(rule).unwrap();
        assert!(validator.is_valid(&value), "{rule}");
        let read: Report = serde_json::from_value(value).unwrap();
        assert!(read.to_text(TextStyle::default()).contains("Model"));
    }
    let mut wrong = serde_json::to_value(full()).unwrap();
    wrong["models"][0]["surprise"] = Value::Null;
    assert!(!validator.is_valid(&wrong));
}

/// The names of all fields in a value.
fn fields(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(k, v)| {
            found.insert(k.clone());
            fields(v, found);
        }),
        Value::Array(all) => all.iter().for_each(|v| fields(v, found)),
        _ => {}
    }
}

/// The names of all properties in a schema.
fn properties(schema: &Value, found: &mut BTreeSet<String>) {
    let Value::Object(map) = schema else {
        if let Value::Array(all) = schema {
            all.iter().for_each(|v| properties(v, found));
        }
        return;
    };
    for (key, value) in map {
        if key == "properties" {
            let names = value.as_object().unwrap();
            found.extend(names.keys().cloned());
            names.values().for_each(|v| properties(v, found));
        } else {
            properties(value, found);
        }
    }
}

#[test]
fn the_schema_names_no_field_that_is_gone() {
    let (mut there, mut named) = (BTreeSet::new(), BTreeSet::new());
    fields(
        &serde_json::to_value([full(), segmented(), ruled("eeoc"), cuts(), scored(), filtered()]).unwrap(),
        &mut there,
    );
    properties(&serde_json::from_str(Report::json_schema()).unwrap(), &mut named);
    let rule = ["top", "selected", "cut", "tied", "edge"].map(String::from);
    let gone: Vec<_> = named.difference(&there).filter(|n| !rule.contains(n)).collect();
    assert_eq!(gone, Vec::<&String>::new());
}
