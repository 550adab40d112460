//! The forms that pipelines read: JUnit's XML and GitHub's annotations.

use evenhand::audit::Verdict;
use evenhand::report::Report;
use roxmltree::{Document, Node};

use crate::sample::{all, full, two_models};

fn children<'a>(node: Node<'a, 'a>, name: &'static str) -> impl Iterator<Item = Node<'a, 'a>> {
    node.children().filter(move |n| n.has_tag_name(name))
}

fn number(node: Node, attribute: &str) -> usize {
    node.attribute(attribute).unwrap_or_else(|| panic!("no {attribute}")).parse().unwrap()
}

fn of(report: &Report, verdict: Verdict) -> usize {
    report.findings().filter(|(_, f)| f.verdict == verdict).count()
}

#[test]
fn pipelines_forms_read_well() {
    insta::assert_snapshot!("junit", full().to_junit());
    insta::assert_snapshot!("github", full().to_annotations());
}

/// The elements and attributes that readers of JUnit's XML have in common, and the counts that they add up.
#[test]
fn junit_is_sound_and_counts_every_finding() {
    for (name, report) in all() {
        let text = report.to_junit();
        let xml = Document::parse(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
        let root = xml.root_element();
        assert!(root.has_tag_name("testsuites"), "{name}");
        assert_eq!(number(root, "tests"), report.findings().count(), "{name}");
        assert_eq!(number(root, "failures"), of(&report, Verdict::Fail), "{name}");
        let suites: Vec<Node> = children(root, "testsuite").collect();
        assert_eq!(suites.len(), report.models.len(), "{name}");
        for (suite, model) in suites.iter().zip(&report.models) {
            let cases: Vec<Node> = children(*suite, "testcase").collect();
            let with = |what: &'static str| cases.iter().filter(|c| children(**c, what).next().is_some()).count();
            assert_eq!((cases.len(), number(*suite, "tests")), (model.findings.len(), cases.len()));
            assert_eq!((with("failure"), with("skipped")), (number(*suite, "failures"), number(*suite, "skipped")));
            for case in cases {
                assert!(case.attribute("name").is_some_and(|n| !n.is_empty()), "{name}");
                assert!(case.attribute("classname").is_some_and(|n| n.starts_with("evenhand.")));
                for part in case.children().filter(Node::is_element) {
                    let known = ["failure", "skipped", "system-out"].contains(&part.tag_name().name());
                    assert!(known, "{name}: {:?}", part.tag_name());
                    assert!(part.children().all(|c| c.is_text()), "{name}: no name is markup");
                }
            }
        }
        let bad = |c: &char| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c);
        assert_eq!(text.chars().find(bad), None, "{name}");
    }
}

#[test]
fn what_an_inconclusive_finding_counts_as_is_what_pipelines_see() {
    let mut report = full();
    let unsure = of(&report, Verdict::Inconclusive);
    assert!(unsure > 0);
    for (counts, failures, skipped, warnings) in
        [(Verdict::Inconclusive, 1, unsure, unsure), (Verdict::Fail, 1 + unsure, 0, 0), (Verdict::Pass, 1, 0, 0)]
    {
        report.settings.policy.inconclusive = counts;
        let text = report.to_junit();
        let xml = Document::parse(&text).unwrap();
        let suite = children(xml.root_element(), "testsuite").next().unwrap();
        assert_eq!((number(suite, "failures"), number(suite, "skipped")), (failures, skipped), "{counts}");
        let lines = report.to_annotations();
        let of = |kind: &str| lines.lines().filter(|l| l.starts_with(kind)).count();
        assert_eq!((of("::error "), of("::warning "), of("::notice ")), (failures, warnings, 1), "{counts}");
    }
}

/// What GitHub reads of a line: the kind, the properties up to `::`, the message.
#[test]
fn no_name_ends_an_annotation_or_begins_another() {
    for (name, report) in all() {
        let text = report.to_annotations();
        let judged = report.findings().filter(|(_, f)| f.verdict != Verdict::Pass).count();
        assert_eq!(text.lines().count(), judged + 1, "{name}");
        for line in text.lines() {
            let (head, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
            let (kind, properties) = head.split_once(' ').unwrap();
            assert!(["error", "warning", "notice"].contains(&kind), "{name}: {line}");
            let title = properties.strip_prefix("title=").unwrap();
            assert!(!title.contains([',', ':']) && !message.is_empty(), "{name}: {line}");
            // A percent sign is only ever the beginning of an escape.
            for (at, _) in line.match_indices('%') {
                assert!(["%25", "%0A", "%0D", "%3A", "%2C"].contains(&&line[at..at + 3]), "{name}: {line}");
            }
        }
    }
    assert!(two_models().to_annotations().contains("model "));
}
