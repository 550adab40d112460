//! Single charts as files of SVG: sound XML that stands alone, with the marks that the figures have.
#![cfg(feature = "html")]

#[allow(dead_code)]
#[path = "report_forms/sample.rs"]
mod sample;

use std::collections::BTreeSet;

use evenhand::Error;
use evenhand::report::Report;
use roxmltree::{Document, Node};

fn drawn(report: &Report, chart: &str) -> String {
    report.to_svg(chart).unwrap_or_else(|e| panic!("{chart}: {e}"))
}

fn of_class<'a>(document: &'a Document, class: &str) -> Vec<Node<'a, 'a>> {
    let has = |n: &Node| n.attribute("class").is_some_and(|c| c.split(' ').any(|c| c == class));
    document.descendants().filter(has).collect()
}

#[test]
fn every_chart_of_every_report_is_sound_and_stands_alone() {
    for (name, report) in sample::all() {
        let charts = report.charts();
        assert_eq!(charts.iter().collect::<BTreeSet<_>>().len(), charts.len(), "{name}: a name stands twice");
        // Of the large one some do.
        let step = if name == "hostile" { 9 } else { 1 };
        for chart in charts.into_iter().step_by(step) {
            let text = drawn(&report, &chart);
            let svg = Document::parse(&text).unwrap_or_else(|e| panic!("{name} {chart}: {e}"));
            let root = svg.root_element();
            assert_eq!(
                (root.tag_name().name(), root.tag_name().namespace()),
                ("svg", Some("http://www.w3.org/2000/svg"))
            );
            for part in ["title", "desc"] {
                let found = root.children().find(|n| n.has_tag_name(("http://www.w3.org/2000/svg", part)));
                assert!(found.and_then(|n| n.text()).is_some_and(|t| !t.trim().is_empty()), "{name} {chart}: {part}");
            }
            let own: BTreeSet<&str> = svg.descendants().filter(Node::is_element).map(|n| n.tag_name().name()).collect();
            let known = "svg title desc style rect text tspan line circle path polyline polygon g";
            assert!(own.iter().all(|e| known.split(' ').any(|k| k == *e)), "{name} {chart}: {own:?}");
            for n in svg.descendants().filter(Node::is_element) {
                for a in n.attributes() {
                    let shape =
                        !["href", "style", "onclick", "onload"].contains(&a.name()) && !a.value().contains("url(");
                    assert!(shape && !a.value().contains("NaN") && !a.value().contains("inf"), "{name} {chart}: {a:?}");
                }
            }
            let style = svg.descendants().find(|n| n.tag_name().name() == "style").and_then(|n| n.text()).unwrap();
            assert!(["http", "url(", "@import"].iter().all(|bad| !style.contains(bad)), "{name} {chart}");
            // Everything keeps inside the picture.
            let [width, height] = ["width", "height"].map(|a| root.attribute(a).unwrap().parse::<f64>().unwrap());
            let number = |n: &Node, a: &str| n.attribute(a).and_then(|v| v.parse::<f64>().ok()).unwrap_or(0.0);
            for n in root.children().filter(Node::is_element) {
                let low = number(&n, "y") + number(&n, "height");
                assert!(number(&n, "x") + number(&n, "width") <= width && low <= height, "{name} {chart}: {n:?}");
            }
        }
    }
}

#[test]
fn marks_are_as_many_as_figures() {
    let report = sample::scored();
    let shapes = report.models[0].tables[0].scores.as_ref().unwrap();
    let count = |chart: &str, class: &str| of_class(&Document::parse(&drawn(&report, chart)).unwrap(), class).len();
    assert_eq!(count("region/selection_rate", "mark"), 5);
    assert_eq!(count("region/selection_rate", "small"), 1);
    assert_eq!(count("findings", "gauge"), 2);
    assert_eq!(count("region/roc", "line") - 2, 2, "a line and its key for each group");
    let bins: usize = shapes.groups.iter().map(|g| g.calibration.len()).sum();
    assert_eq!(count("region/calibration", "dot"), bins);
    let full = sample::full();
    let map = drawn(&full, "sex & age band/map");
    let map = Document::parse(&map).unwrap();
    assert_eq!(
        (of_class(&map, "cell").len(), of_class(&map, "hatched").len(), of_class(&map, "none").len()),
        (8, 1, 1)
    );
    let cuts = sample::cuts();
    assert_eq!(of_class(&Document::parse(&drawn(&cuts, "sex/thresholds")).unwrap(), "now").len(), 2);
    assert!(sample::segmented().charts().iter().any(|c| c.ends_with("sex/segments")));
}

#[test]
fn hostile_names_are_text_and_a_chart_that_is_not_there_names_those_that_are() {
    let report = sample::hostile();
    let chart = report.charts().into_iter().find(|c| c.ends_with("names/selection_rate")).unwrap();
    let text = drawn(&report, &chart);
    assert!(!text.contains("<script") && text.contains("&#60;script&#62;"));
    match report.to_svg("findnigs") {
        Err(e @ Error::Unknown { .. }) => assert!(e.to_string().contains("findnigs"), "{e}"),
        other => panic!("{other:?}"),
    }
}
