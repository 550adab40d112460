//! The page: sound markup, a table for every chart, nothing from elsewhere, no name that is markup, not too large.
#![cfg(feature = "html")]

#[path = "report_forms/evaluated.rs"]
mod evaluated;
#[allow(dead_code)]
#[path = "report_forms/sample.rs"]
mod sample;

use base64::Engine;
use evenhand::audit::{AuditPlan, Verdict};
use evenhand::compare::Compare;
use evenhand::data::{Batch, Categorical};
use evenhand::metrics::scores::{ReliabilityBin, RocPoint};
use evenhand::metrics::{Estimate, Undefined};
use evenhand::report::{GroupShape, Report, ScoreBins, ScoreShapes};
use scraper::{ElementRef, Html, Selector};
use sha2::{Digest, Sha256};

fn select<'a>(page: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    page.select(&Selector::parse(selector).unwrap()).collect()
}

fn inside<'a>(element: ElementRef<'a>, selector: &str) -> Vec<ElementRef<'a>> {
    element.select(&Selector::parse(selector).unwrap()).collect()
}

fn text(element: ElementRef) -> String {
    element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn within(element: ElementRef, name: &str) -> bool {
    element.ancestors().filter_map(ElementRef::wrap).any(|a| a.value().name() == name)
}

/// The page of a report, after all has been checked that holds for every page.
fn page(name: &str, report: &Report) -> (String, Html) {
    checked(name, report.to_html().unwrap())
}

/// Where EVENHAND_PAGES names a folder, pages are left in it, for validators and to be looked at.
fn kept(name: &str, text: &str) {
    if let Some(folder) = std::env::var_os("EVENHAND_PAGES") {
        let file = format!("{}.html", name.replace(|c: char| !c.is_ascii_alphanumeric(), "_"));
        std::fs::write(std::path::Path::new(&folder).join(file), text).unwrap();
    }
}

fn checked(name: &str, text: String) -> (String, Html) {
    kept(name, &text);
    assert!(text.len() < 1_000_000, "{name}: {} bytes", text.len());
    let html = Html::parse_document(&text);
    assert!(html.errors.is_empty(), "{name}: {:?}", html.errors);
    every_tag_is_closed(name, &text);
    nothing_comes_from_elsewhere(name, &text, &html);
    every_chart_has_its_table(name, &html);
    let mut ids: Vec<&str> = select(&html, "[id]").iter().filter_map(|e| e.value().id()).collect();
    let links: Vec<&str> = select(&html, "a[href]").iter().filter_map(|a| a.attr("href")).collect();
    assert!(links.iter().all(|l| ids.contains(&&l[1..])), "{name}: {links:?} {ids:?}");
    ids.sort_unstable();
    let all = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), all, "{name}: an id stands twice");
    // No character that reorders the text around it, but for isolates that end again.
    let bad = |c: &char| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c);
    assert_eq!(text.chars().find(bad), None, "{name}");
    (text, html)
}

/// A parser closes by itself what is left open; this one does not.
fn every_tag_is_closed(name: &str, page: &str) {
    const VOID: [&str; 3] = ["meta", "link", "!doctype"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end = rest.find('>').unwrap_or_else(|| panic!("{name}: a tag does not end: {}", &rest[..40]));
        let tag = &rest[..end];
        let word = tag.trim_start_matches('/').split([' ', '\n', '/']).next().unwrap_or_default();
        rest = &rest[end + 1..];
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "{name}: before {}", rest.chars().take(80).collect::<String>());
        } else if !tag.ends_with('/') && !VOID.contains(&word) {
            open.push(word);
            if word == "script" || word == "style" {
                rest = &rest[rest.find(&format!("</{word}>")).unwrap()..];
            }
        }
    }
    assert!(open.is_empty(), "{name}: {open:?}");
}

fn nothing_comes_from_elsewhere(name: &str, text: &str, html: &Html) {
    for e in select(html, "*") {
        let element = e.value().name();
        assert!(!["iframe", "object", "embed", "img", "form", "base"].contains(&element), "{name}: {element}");
        for (attribute, value) in e.value().attrs() {
            assert!(!attribute.starts_with("on") && attribute != "style" && attribute != "src", "{name}: {attribute}");
            if attribute == "href" {
                assert!(value.starts_with('#') || value == "data:,", "{name}: {value}");
            }
        }
    }
    let policy = select(html, "meta[http-equiv=Content-Security-Policy]")[0].attr("content").unwrap();
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    for element in ["style", "script"] {
        let all = select(html, element);
        assert_eq!(all.len(), 1, "{name}: {element}");
        let own = all[0].text().collect::<String>();
        assert!(!own.contains("url(") && !own.contains("@import") && !own.contains("http"), "{element}");
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(own.as_bytes()));
        assert!(
            policy.contains(&format!("{element}-src 'sha256-{hash}'")),
            "the hash of the {element} in src/report/html/mod.rs has to be sha256-{hash}"
        );
    }
    assert!(text.starts_with("<!doctype html>") && text.ends_with("</html>\n"));
}

fn every_chart_has_its_table(name: &str, html: &Html) {
    for svg in select(html, "svg") {
        let class = svg.attr("class").unwrap_or_default();
        let kind = class.split(' ').next().unwrap_or_default();
        let told = match kind {
            // A mark or a bar is in the very row that tells it.
            "mark" | "bar" | "moves" => within(svg, "table"),
            "curve" if within(svg, "figure") && svg.attr("role") == Some("img") => {
                let figure = svg.ancestors().filter_map(ElementRef::wrap).find(|a| a.value().name() == "figure");
                svg.attr("aria-label").is_some()
                    && figure.is_some_and(|f| {
                        // Charts over thresholds and over budgets have one table together.
                        let beside = f.parent().and_then(ElementRef::wrap).unwrap_or(f);
                        inside(f, "tbody tr").len() > 1 || inside(beside, "figure tbody tr").len() > 1
                    })
            }
            "gauge" => svg.attr("aria-label").is_some_and(|l| !l.is_empty()),
            // Numbers on an axis.
            "axis" => svg.attr("aria-hidden").is_some(),
            // A shape inside a drawing.
            "" => within(svg, "svg"),
            "scatter" => {
                let figure = svg.ancestors().filter_map(ElementRef::wrap).find(|a| a.value().name() == "figure");
                let marks = inside(svg, "g").len();
                svg.attr("role") == Some("img") && figure.is_some_and(|f| inside(f, "tbody tr").len() >= marks)
            }
            "lamp" | "key" => svg.attr("aria-hidden").is_some(),
            other => panic!("{name}: a chart of no known kind: {other}"),
        };
        assert!(told, "{name}: {class}");
    }
    for table in select(html, "table") {
        assert!(!text(inside(table, "caption")[0]).is_empty(), "{name}");
        let heads = inside(table, "thead tr > *").len();
        assert!(inside(table, "tbody tr").iter().all(|row| inside(*row, "th, td").len() == heads), "{name}");
    }
}

fn plots<'a>(html: &'a Html, part: &str) -> Vec<ElementRef<'a>> {
    let part = select(html, "details.part").into_iter().find(|d| text(inside(*d, "h3")[0]) == format!("By {part}"));
    inside(part.unwrap_or_else(|| panic!("no such part")), ".plots table.dots")
}

#[test]
fn every_page_is_sound() {
    for (name, report) in sample::all() {
        let (_, html) = page(name, &report);
        let verdict = text(select(&html, "h1")[0]);
        if name != "empty" && name != "labels_only" && name != "cuts" {
            assert!(
                verdict.contains("FAIL") || verdict.contains("INCONCLUSIVE") || verdict.contains("NOT"),
                "{verdict}"
            );
        }
        assert!(select(&html, ".verdict .light svg").len() == 3, "{name}");
    }
}

#[test]
fn every_group_has_one_mark_and_its_figure() {
    let report = sample::full();
    let (_, html) = page("full", &report);
    for (part, groups) in [("sex", 2), ("age band", 4), ("sex & age band", 7)] {
        let plots = plots(&html, part);
        // Of an intersection only the main rate is drawn.
        assert_eq!(plots.len(), if part.contains('&') { 1 } else { 4 }, "{part}");
        for plot in plots {
            assert_eq!(inside(plot, "tbody svg.mark").len(), groups, "{part}");
            assert_eq!(inside(plot, "tbody tr").len(), groups, "{part}");
        }
    }
    let selected = plots(&html, "sex")[0];
    let rows: Vec<String> = inside(selected, "tbody tr").into_iter().map(text).collect();
    assert!(rows[0].contains("15.8 % [15.3, 16.3]") && rows[0].contains("21,001"), "{rows:?}");
    // 15.8 % on a scale from 0 to 30 %, the round number above the highest interval's end.
    let dot = inside(selected, "tbody circle")[0].attr("cx").unwrap();
    assert_eq!(dot, "52.7%");
    assert!(inside(selected, "tbody line.ref").len() == 2 && inside(selected, "tbody line.all").len() == 2);
    // A group without a figure has its mark too, and says why; what only has bounds shows them.
    let rates = plots(&html, "age band");
    assert!(text(rates[1]).contains("no positives"), "{}", text(rates[1]));
    assert_eq!(inside(rates[2], "rect.bounds").len(), 1);
    assert_eq!(inside(rates[0], "svg.small").len(), 1);
}

#[test]
fn findings_stand_by_gravity_with_what_to_do() {
    let (_, html) = page("full", &sample::full());
    let cards = select(&html, ".card");
    let verdicts: Vec<String> = cards.iter().map(|c| text(inside(*c, ".badge")[0])).collect();
    assert_eq!(verdicts, ["✗ FAIL", "? INCONCLUSIVE", "? INCONCLUSIVE"]);
    assert!(cards.iter().all(|c| text(inside(*c, ".advice")[0]).len() > 30));
    assert!(text(cards[1]).contains("Audit about 12,400 more rows"));
    // Drawn where there is a figure, with the bound.
    let gauges: Vec<usize> = cards.iter().map(|c| inside(*c, "svg.gauge .bound").len()).collect();
    assert_eq!(gauges, [1, 1, 0]);
    assert_eq!(select(&html, ".findings tbody tr").len(), 1);
}

#[test]
fn maps_mark_what_is_small_and_what_is_not_known() {
    let (_, html) = page("full", &sample::full());
    let map = select(&html, "table.heat")[0];
    assert_eq!((inside(map, "tbody tr").len(), inside(map, "tbody td").len()), (2, 8));
    assert_eq!(inside(map, "td.hatch").len(), 1);
    assert_eq!(inside(map, "td.none").into_iter().map(text).collect::<Vec<_>>(), ["no rows"]);
    let (_, html) = page("segmented", &sample::segmented());
    let map = select(&html, "table.heat")[0];
    assert!(text(inside(map, "caption")[0]).contains("2 segments"));
    assert!(inside(map, "tbody td").iter().any(|c| text(*c).contains("×1.30")), "{}", text(map));
    // Levels that hold the sign which joins them are not put into places that may be wrong.
    let mut report = sample::full();
    let cross = report.models[0].tables.last_mut().unwrap();
    cross.groups[0].group = "Female & 18-24 & 25-44".into();
    assert!(select(&page("ambiguous", &report).1, "table.heat").is_empty());
}

#[test]
fn strata_and_cuts_are_drawn_where_the_report_has_them() {
    let (_, html) = page("ruled", &sample::ruled("eeoc"));
    let bars = select(&html, "svg.bar");
    let explained = select(&html, "svg.bar .explained").len();
    assert!(explained > 0 && explained <= bars.len(), "{explained} of {}", bars.len());
    let (_, html) = page("cuts", &sample::cuts());
    // Score, ROC, one panel of calibration for each sex, and the cuts by threshold and by budget.
    assert_eq!(select(&html, "svg.curve").len(), 6);
    let now = select(&html, "svg.curve line.now");
    assert_eq!(now.len(), 2, "what is decided now is marked on both");
    assert!(select(&html, "svg.curve polyline").iter().all(|l| l.attr("points").unwrap().contains(' ')));
    assert!(select(&page("full", &sample::full()).1, "svg.curve, svg.bar").is_empty());
}

#[test]
fn scores_are_drawn_by_group_and_what_is_not_drawn_says_why() {
    let report = sample::scored();
    let shapes = report.models[0].tables[0].scores.as_ref().unwrap();
    let group = |name: &str| shapes.groups.iter().find(|g| g.group == name).unwrap();
    assert_eq!(shapes.left_out.iter().map(|l| l.group.as_str()).collect::<Vec<_>>(), ["Isle"]);
    assert_eq!(group("Unlabelled").no_roc, Some(Undefined::NoLabels));
    assert_eq!(group("Unlabelled").no_calibration, Some(Undefined::NoLabels));
    assert_eq!((group("Always").no_roc, group("Always").no_calibration), (Some(Undefined::NoNegatives), None));
    let shops = report.models[0].tables[1].scores.as_ref().unwrap();
    assert_eq!((shops.groups.len(), shops.more), (60, 5));

    let (_, html) = page("scored", &report);
    let figures = |part: usize| inside(select(&html, "details.part")[part], "figure");
    let [density, roc, calibration] = figures(0)[..] else { panic!("three charts") };
    assert_eq!([density, roc].map(|f| inside(f, "svg.curve polyline").len()), [4, 2]);
    assert_eq!(inside(calibration, "svg[role=img]").len(), 3);
    assert!(text(density).contains("Isle (too small to judge: 5 rows)"), "{}", text(density));
    assert!(text(roc).contains("Unlabelled (no known labels)") && text(roc).contains("Always (no negatives)"));
    // A dot for each bin, and a row of the table for each dot.
    let dots = inside(calibration, "svg[role=img] .dot").len();
    let bins: usize = shapes.groups.iter().map(|g| g.calibration.len()).sum();
    assert_eq!((dots, inside(calibration, "tbody tr").len()), (bins, bins));
    // Lines are told apart by their dashes: each has a class of its own.
    let classes: std::collections::BTreeSet<_> =
        inside(density, "svg.curve polyline").iter().map(|l| l.attr("class").unwrap().to_string()).collect();
    assert_eq!(classes.len(), 4);
    let [density, _, calibration] = figures(1)[..] else { panic!("three charts") };
    assert_eq!(inside(density, "svg.curve polyline").len(), 6);
    assert_eq!(inside(calibration, "svg[role=img]").len(), 12);
    assert!(text(density).contains("and 59 more groups"), "{}", text(density));
}

#[test]
fn hostile_names_are_text() {
    let (page, html) = page("hostile", &sample::hostile());
    let all = select(&html, "body").into_iter().map(|e| e.text().collect::<String>()).collect::<String>();
    assert!(all.contains("<script>alert('x')</script>"));
    assert!(all.contains("\"quoted\", with comma") && all.contains("👩‍👩‍👧 family 日本語"));
    // What would reorder or hide is written out.
    assert!(all.contains("\\u{202e}desrever"));
    assert!(!page.contains("<script>alert") && !page.contains("\"quoted\""));
    // Names are cut, not left out: each still has its row.
    assert!(!page.contains(&"x".repeat(700)) && page.contains(&"x".repeat(70)));
    assert_eq!(inside(plots(&html, "names")[0], "tbody svg.mark").len(), 12);
    let legends: Vec<String> = select(&html, "figure.chart .legend li").into_iter().map(text).collect();
    assert!(legends.iter().any(|l| l.contains("<script>")) && legends.iter().all(|l| l.chars().count() < 100));
    assert_eq!(inside(plots(&html, "very & many")[0], "tbody svg.mark").len(), 20);
}

#[test]
fn the_smallest_and_the_largest_reports_are_pages_too() {
    let rows = 0..400;
    let one = Batch::builder()
        .attribute(Categorical::from_values("sex", rows.clone().map(|_| "female")))
        .decision(rows.map(|i| u8::from(i % 4 == 0)).collect::<Vec<_>>())
        .build()
        .unwrap();
    let (_, html) = page("one group", &AuditPlan::new().run(&one).unwrap());
    assert_eq!(inside(plots(&html, "sex")[0], "tbody svg.mark").len(), 1);

    let mut unknown = sample::full();
    let none = || Estimate::undefined(Undefined::NoRows, sample::support(0.0));
    for m in &mut unknown.models {
        m.overall.values_mut().for_each(|e| *e = none());
        m.findings.iter_mut().for_each(|f| (f.estimate, f.verdict) = (none(), Verdict::Inconclusive));
        for t in &mut m.tables {
            t.groups.iter_mut().for_each(|g| g.metrics.values_mut().for_each(|e| *e = none()));
            t.disparities.iter_mut().for_each(|d| d.estimate = none());
        }
    }
    let (_, html) = page("all undefined", &unknown);
    assert!(select(&html, "svg.mark circle").len() <= select(&html, "svg.key circle").len());
    assert!(select(&html, "main")[0].text().any(|t| t.contains("no rows")));

    let mut many = sample::full();
    let groups = (0..2_000).map(|i| sample::group(&format!("group {i}"), 100, 200_000, 0.1 + i as f64 / 4_000.0));
    many.models[0].tables = vec![sample::table("customer", groups.collect())];
    let (_, html) = page("2,000 groups", &many);
    assert_eq!(inside(plots(&html, "customer")[0], "tbody svg.mark").len(), 60);
    assert!(text(select(&html, "#m0t0")[0]).contains("and 1,940 more groups"));
}

/// Three attributes of 60 groups and their intersections of 3,600 each: the page is checked to stay below 1 MB.
#[test]
fn many_groups_stay_one_page() {
    let mut report = sample::full();
    let level = |a: usize, i: usize| format!("attribute {a}, level {i}");
    let groups = |a: usize| (0..60).map(|i| sample::group(&level(a, i), 900, 54_000, 0.1 + i as f64 / 100.0)).collect();
    let mut tables: Vec<_> = (0..3).map(|a| sample::table(&format!("attribute {a}"), groups(a))).collect();
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        let cells = (0..3_600).map(|c| {
            let name = format!("{} & {}", level(a, c / 60), level(b, c % 60));
            sample::group(&name, 5 + (c as u64 * 7) % 50, 54_000, 0.1 + (c % 97) as f64 / 200.0)
        });
        tables.push(sample::table(&format!("attribute {a} & attribute {b}"), cells.collect()));
    }
    // Scores with as many bins and points as there can be, and cuts.
    let cuts = sample::cuts().models[0].tables[0].curves.clone().unwrap();
    let observed = sample::rate(0.123_456_789, 90.0);
    let shape = |g: &evenhand::report::GroupResult| GroupShape {
        group: g.group.clone(),
        histogram: vec![0.025; 40],
        calibration: (0..10)
            .map(|i| ReliabilityBin {
                low: 0.1 * i as f64,
                high: 0.9,
                mean_score: 0.05 * i as f64,
                observed: observed.clone(),
            })
            .collect(),
        roc: (1..=60)
            .map(|i| RocPoint { threshold: 1.0 / i as f64, fpr: (i as f64 / 60.0).powi(2), tpr: i as f64 / 60.0 })
            .collect(),
        ..GroupShape::default()
    };
    for t in tables.iter_mut().take(3) {
        let bins = Some(ScoreBins { from: 0.0, to: 1.0, open: [false; 2] });
        t.scores = Some(ScoreShapes { bins, groups: t.groups.iter().map(shape).collect(), ..ScoreShapes::default() });
        t.curves = Some(cuts.clone());
    }
    report.models[0].tables = tables;
    let (text, html) = page("3 x 60", &report);
    for a in 0..3 {
        let plots = plots(&html, &format!("attribute {a}"));
        assert!(plots.len() == 4 && plots.iter().all(|p| inside(*p, "tbody svg.mark").len() == 60));
    }
    assert_eq!(select(&html, "table.heat").len(), 3);
    println!("3 attributes of 60 groups: {} bytes", text.len());
}

#[test]
fn the_same_report_is_the_same_page() {
    assert_eq!(sample::two_models().to_html().unwrap(), sample::two_models().to_html().unwrap());
}

#[test]
fn mitigations_are_arrows_from_before_to_after() {
    let report = evaluated::evaluated();
    let (text_of, html) = checked("evaluation", report.to_html().unwrap());
    let tables = select(&html, "#moves table.dots");
    assert_eq!(tables.len(), report.unmitigated.len());
    for table in &tables {
        assert_eq!(inside(*table, "tbody svg.moves").len(), report.mitigations.len());
    }
    let of = |title: &str| tables.iter().find(|t| text(inside(**t, "caption")[0]).starts_with(title)).copied().unwrap();
    let gap = of("Demographic parity difference");
    // From men only, a gap of 100 points, to none: the arrow leads to the left, where groups are alike.
    let way = inside(gap, "tbody tr")[0];
    let place = |selector: &str, attribute: &str| inside(way, selector)[0].attr(attribute).unwrap().to_string();
    assert_eq!((place("line.way", "x1"), place("line.way", "x2")), ("100%".into(), "0%".into()));
    assert_eq!(place("line.zero", "x1"), "0%");
    assert!(place(".head", "d").starts_with("M-1 0"));
    assert!(text(way).contains("100.0 → 0.0") && text(way).contains("✓ helped"), "{}", text(way));
    assert!(text(of("Accuracy")).contains("✗ hurt"));
    // A ratio over nobody has no figure, and says so.
    let ratio = inside(of("Demographic parity ratio"), "tbody tr")[1];
    assert!(
        inside(ratio, "line.way").is_empty() && text(ratio).contains('×') && text(ratio).contains("ratio over zero")
    );
    assert!(!text_of.contains("<script>alert") && text_of.contains("&#60;script&#62;alert"));
    assert!(!text_of.contains(&"long name ".repeat(50)));

    let frontier = report.frontier.as_ref().unwrap();
    let drawn = frontier.points.iter().filter(|p| p.disparity.value.is_some() && p.performance.value.is_some()).count();
    let scatter = select(&html, "figure svg.scatter[role=img]")[0];
    assert_eq!(inside(scatter, "g").len(), drawn);
    assert_eq!(inside(scatter, "g.mitigation").len(), 4);
    assert_eq!(inside(scatter, "line.thresholds").len(), frontier.points.len() - 4 - 1);
    assert_eq!(select(&html, "#frontier tbody tr").len(), frontier.points.len());
    // The number on a mark is that of its row.
    let numbers: Vec<String> = inside(scatter, "g > text").into_iter().map(text).collect();
    assert_eq!(numbers, (1..=drawn).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(report.to_html().unwrap(), text_of);
}

#[test]
fn a_comparison_of_nothing_is_a_page_too() {
    let mut report = evaluated::evaluated();
    report.mitigations.clear();
    report.frontier = None;
    let (_, html) = checked("no_mitigation", report.to_html().unwrap());
    assert!(text(select(&html, ".summary")[0]).contains("no mitigation"));
    assert!(select(&html, "svg.moves:not(.key), svg.scatter").is_empty());
    let mut undefined = evaluated::evaluated();
    let none = || Estimate::undefined(Undefined::NoPositives, sample::support(0.0));
    undefined.unmitigated.iter_mut().for_each(|f| f.estimate = none());
    for m in &mut undefined.mitigations {
        m.figures.iter_mut().for_each(|f| f.estimate = none());
        m.changes.iter_mut().for_each(|c| c.change = none());
    }
    let points = undefined.frontier.iter_mut().flat_map(|f| &mut f.points);
    points.for_each(|p| (p.performance, p.disparity) = (none(), none()));
    let (_, html) = checked("evaluation_undefined", undefined.to_html().unwrap());
    assert!(select(&html, "#moves tbody circle, svg.scatter[role=img]").is_empty());
    assert!(text(select(&html, "main")[0]).contains("no positives"));
}

/// What changed from one report to another: as sound a page, a row for everything compared.
#[test]
fn pages_of_changes_are_sound() {
    for (name, report) in sample::all() {
        let mut other = report.clone();
        for m in &mut other.models {
            for g in m.tables.iter_mut().flat_map(|t| &mut t.groups).filter(|g| g.rows % 2 == 0) {
                g.metrics.values_mut().filter_map(|e| e.value.as_mut()).for_each(|v| *v *= 0.9);
            }
        }
        let Ok(changes) = Compare::new().names("<b>x</b>", "y").run(&report, &other) else {
            assert_eq!(name, "empty");
            continue;
        };
        let (text, html) = checked(name, changes.to_html().unwrap());
        assert!(text.contains("&#60;b&#62;x") && !text.contains("<b>x"), "{name}");
        let cards = changes.models.iter().map(|m| m.findings.len()).sum::<usize>().min(40);
        assert_eq!(select(&html, "ol.cards > li").len(), cards, "{name}");
        // Each row has a mark for before and one for after, where there are figures.
        for row in select(&html, "table.dots tbody tr") {
            let undefined = inside(row, "td.f").iter().take(2).filter(|f| !text_has_figure(**f)).count();
            assert_eq!(inside(row, "svg.mark circle").len() + undefined, 2, "{name}: {}", self::text(row));
        }
    }
}

fn text_has_figure(cell: ElementRef) -> bool {
    !text(cell).starts_with("undefined") && !text(cell).starts_with("anything")
}

/// Cards and the summary of Local Law 144: as sound pages, every blank marked.
#[test]
fn pages_of_documents_are_sound() {
    for (name, report) in sample::all() {
        for document in
            [Some(report.model_card()), Some(report.data_card()), report.local_law_144().ok()].into_iter().flatten()
        {
            let (_, html) = checked(name, document.to_html().unwrap());
            assert_eq!(select(&html, "p.warning > strong").len(), document.blanks_left(), "{name}");
        }
    }
    let ruled = sample::ruled("nyc-local-law-144").local_law_144().unwrap();
    let (_, html) = checked("law", ruled.to_html().unwrap());
    assert!(select(&html, "table").iter().any(|t| text(*t).contains("Impact ratio")));
}
