//! The page in a browser: no error, no request, and what needs the script works.
//!
//! Without a Chromium the tests say so and pass; with `EVENHAND_BROWSER_REQUIRED=1` they fail. `CHROMIUM` names another one.
#![cfg(feature = "html")]

#[path = "report_forms/evaluated.rs"]
mod evaluated;
#[allow(dead_code)]
#[path = "report_forms/sample.rs"]
mod sample;

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use evenhand::compare::Compare;
use evenhand::report::Report;
use scraper::{Html, Selector};
use serde_json::Value;

/// A page is waited for so long.
const PATIENCE: Duration = Duration::from_secs(120);

fn chromium() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Some(named.into());
    }
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
    names.iter().flat_map(|n| folders.iter().map(move |f| f.join(n))).find(|p| p.is_file())
}

/// What runs beside the page, which is in a frame of a telephone's width and stays as it was written.
const CHECK: &str = r#"
const frame = document.getElementById('frame');
const told = (o) => { document.getElementById('told').textContent = JSON.stringify(o); };
const number = (cell) => parseFloat(cell.textContent);
frame.addEventListener('load', async () => {
  try {
    const page = frame.contentDocument, view = frame.contentWindow, found = {};
    for (const part of page.querySelectorAll('details')) part.open = true;
    found.overflow = page.documentElement.scrollWidth - page.documentElement.clientWidth;
    found.wide = [...page.querySelectorAll('body *')].filter((e) => !e.closest('.scroll, svg, .skip, .away')
      && e.getBoundingClientRect().right > 391).map((e) => e.tagName + '.' + e.className).slice(0, 5);
    // A mark stays in its drawing, and what is written in a drawing stays on the page.
    const box = (e) => e.getBoundingClientRect();
    found.astray = [...page.querySelectorAll('svg circle, svg .dot, svg polyline')].filter((e) => {
      const own = box(e), around = box(e.closest('.mark, .bar, .gauge, .moves, .scatter, .curve, .key, .lamp'));
      return own.left < around.left - 10 || own.right > around.right + 10 || own.top < around.top - 10
        || own.bottom > around.bottom + 10;
    }).map((e) => e.outerHTML).slice(0, 5);
    found.cut = [...page.querySelectorAll('svg text')].filter((e) => !e.closest('.scroll')
      && (box(e).right > 391 || box(e).left < -1)).map((e) => e.outerHTML).slice(0, 5);
    // Text that is wider than the cell or the paragraph that it is in.
    found.spilt = [...page.querySelectorAll('p, li, dd, dt, h1, h2, h3, h4, summary, figcaption, caption, th, td, .legend li')]
      .filter((e) => e.scrollWidth > e.clientWidth + 2 && e.clientWidth > 0 && !e.querySelector('svg, .scroll'))
      .map((e) => `${e.tagName} ${e.textContent.slice(0, 60)}`).slice(0, 5);
    // The keyboard goes through the page in its order, and everything it stops at has a name.
    const stops = [...page.querySelectorAll('a[href], button, input, summary, [tabindex]')];
    found.first = stops.slice(0, 3).map((e) => e.className || e.tagName);
    found.jumps = stops.filter((e) => e.tabIndex > 0).length;
    found.nameless = stops.filter((e) => !(e.getAttribute('aria-label') || e.textContent).trim()).map((e) => e.outerHTML);
    found.scrolled = [...page.querySelectorAll('.scroll')].filter((e) => e.tabIndex !== 0 || e.getAttribute('role') !== 'group'
      || !e.getAttribute('aria-label')).length;
    found.unlabelled = [...page.querySelectorAll('svg')].filter((e) => !e.closest('[aria-hidden=true]') && !e.parentElement.closest('svg')
      && !(e.getAttribute('role') === 'img' && e.getAttribute('aria-label'))).length;
    page.querySelector('button.theme').focus();
    found.focused = page.activeElement.className;
    found.requests = view.performance.getEntriesByType('resource').map((e) => e.name);
    const table = page.querySelector('table.dots');
    if (table) {
      const figures = () => [...table.tBodies[0].rows].map((row) => number(row.cells[2]));
      const head = table.tHead.rows[0].cells[2];
      head.querySelector('button').click();
      found.rising = figures();
      found.sort = head.getAttribute('aria-sort');
      head.querySelector('button').click();
      found.falling = figures();
    }
    const ground = () => view.getComputedStyle(page.body).backgroundColor;
    const theme = page.querySelector('button.theme');
    found.themes = [ground()];
    theme.click();
    found.themes.push(ground());
    theme.click();
    found.themes.push(ground());
    const filter = page.querySelector('input[type=search]');
    if (filter) {
      const sheet = filter.closest('.sheet');
      filter.value = sheet.querySelector('tbody th bdi').textContent;
      filter.dispatchEvent(new view.Event('input'));
      found.left = [...sheet.querySelectorAll('tbody tr')].filter((row) => !row.hidden).length;
    }
    Object.defineProperty(view.navigator, 'clipboard', { value: { writeText: async (text) => { found.copied.push(text); } } });
    found.copied = [];
    for (const button of page.querySelectorAll('.tools button')) button.click();
    await new Promise((done) => setTimeout(done, 50));
    if (location.hash === '#attack') {
      const script = page.createElement('script');
      script.textContent = 'window.broken = true';
      page.body.append(script);
    }
    found.broken = view.broken === true;
    told(found);
  } catch (e) {
    told({ error: String(e) });
  }
});
"#;

/// What the check told of a report's page, and what the browser wrote to its console; nothing without a browser.
fn look(report: &Report, hash: &str) -> Option<(Value, Vec<String>)> {
    look_at(&report.to_html().unwrap(), hash)
}

/// The same of any page.
fn look_at(page: &str, hash: &str) -> Option<(Value, Vec<String>)> {
    let Some(browser) = chromium() else {
        let required = std::env::var("EVENHAND_BROWSER_REQUIRED").is_ok_and(|v| v != "0" && !v.is_empty());
        assert!(!required, "no Chromium was found, and EVENHAND_BROWSER_REQUIRED asks for one");
        eprintln!("SKIPPED: no Chromium was found; install one, or name it by CHROMIUM");
        return None;
    };
    let desk = tempfile::tempdir().unwrap();
    let page = page.replace('&', "&amp;").replace('"', "&quot;");
    let around = format!(
        "<!doctype html><meta charset=utf-8><pre id=told></pre><script>addEventListener('DOMContentLoaded', () => {{ {CHECK} }});\
         </script><iframe id=frame style='width:390px;height:844px;border:0' srcdoc=\"{page}\"></iframe>"
    );
    fs::write(desk.path().join("around.html"), around).unwrap();
    let file = |name: &str| File::create(desk.path().join(name)).unwrap();
    let mut child = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"])
        .args([
            "--disable-component-update",
            "--disable-sync",
            "--enable-logging=stderr",
            "--virtual-time-budget=10000",
        ])
        .arg(format!("--user-data-dir={}", desk.path().join("profile").display()))
        .arg("--dump-dom")
        .arg(format!("file://{}{hash}", desk.path().join("around.html").display()))
        .stdin(Stdio::null())
        .stdout(file("dom"))
        .stderr(file("log"))
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("the browser did not end: {}", fs::read_to_string(desk.path().join("log")).unwrap());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let dom = fs::read_to_string(desk.path().join("dom")).unwrap();
    let log = fs::read(desk.path().join("log")).unwrap();
    let log = String::from_utf8_lossy(&log);
    let console = log.lines().filter(|l| l.contains("CONSOLE")).map(String::from).collect();
    let told = Html::parse_document(&dom);
    let told: String =
        told.select(&Selector::parse("#told").unwrap()).next().map(|e| e.text().collect()).unwrap_or_default();
    let found: Value = serde_json::from_str(&told).unwrap_or_else(|e| panic!("{e}: {told}\n{log}"));
    assert!(found["error"].is_null(), "{found}");
    Some((found, console))
}

fn numbers(v: &Value) -> Vec<f64> {
    v.as_array().unwrap().iter().filter_map(Value::as_f64).collect()
}

#[test]
fn a_page_works_and_asks_for_nothing() {
    let pages = [
        ("full", sample::full()),
        ("hostile", sample::hostile()),
        ("cuts", sample::cuts()),
        ("scored", sample::scored()),
        ("segmented", sample::segmented()),
        ("ruled", sample::ruled("eeoc")),
    ];
    let mut pages: Vec<(&str, String)> = pages.into_iter().map(|(n, r)| (n, r.to_html().unwrap())).collect();
    pages.push(("evaluation", evaluated::evaluated().to_html().unwrap()));
    for (name, page) in pages {
        let Some((found, console)) = look_at(&page, "") else { return };
        for nothing in ["astray", "cut", "spilt", "nameless"] {
            assert_eq!(found[nothing], serde_json::json!([]), "{name}: {nothing}");
        }
        for none in ["jumps", "scrolled", "unlabelled"] {
            assert_eq!(found[none], 0, "{name}: {none}");
        }
        assert_eq!(found["first"], serde_json::json!(["skip", "theme", "A"]), "{name}");
        assert_eq!(found["focused"], "theme", "{name}");
        assert!(console.is_empty(), "{name}: {console:?}");
        assert_eq!(found["requests"], serde_json::json!([]), "{name}");
        assert!(found["overflow"].as_f64().unwrap() <= 0.0, "{name}: {found}");
        assert_eq!(found["wide"], serde_json::json!([]), "{name}");
        // A segmentation has maps only.
        if name != "segmented" {
            let (rising, falling) = (numbers(&found["rising"]), numbers(&found["falling"]));
            assert!(rising.len() > 1 && rising.is_sorted(), "{name}: {rising:?}");
            assert!(falling.is_sorted_by(|a, b| a >= b) && falling.len() == rising.len(), "{name}: {falling:?}");
            assert_eq!(found["sort"], "ascending", "{name}");
        }
        let themes = found["themes"].as_array().unwrap();
        assert!(themes[0] != themes[1] && themes[0] == themes[2], "{name}: {themes:?}");
        assert!(found["left"].is_null() || found["left"].as_u64().unwrap() >= 1, "{name}: {found}");
        let copied: Vec<&str> = found["copied"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(!copied.is_empty(), "{name}");
        if name == "full" {
            assert!(
                copied[1].starts_with("Group,Figure,Rows\r\nMale,\"25.8 % [25.2, 26.4]\",24198\r\n"),
                "{}",
                copied[1]
            );
        }
    }
}

/// What changed from one report to another, and a document: the same script, the same policy.
#[test]
fn other_pages_work_and_ask_for_nothing() {
    let hostile = sample::hostile();
    let changes = Compare::new().names("<i>a</i>", "b").run(&hostile, &sample::two_models()).unwrap();
    let same = Compare::new().run(&sample::full(), &sample::full()).unwrap();
    for (name, page) in [("changes", changes.to_html().unwrap()), ("same", same.to_html().unwrap())] {
        let Some((found, console)) = look_at(&page, "") else { return };
        assert!(console.is_empty(), "{name}: {console:?}");
        assert_eq!(found["requests"], serde_json::json!([]), "{name}");
        assert!(found["overflow"].as_f64().unwrap() <= 0.0, "{name}: {found}");
        assert_eq!(found["wide"], serde_json::json!([]), "{name}");
        assert_eq!(found["sort"], "ascending", "{name}");
        assert!(!found["copied"].as_array().unwrap().is_empty(), "{name}");
    }
}

/// A spreadsheet would run what begins like a formula.
#[test]
fn copied_names_are_no_formulas() {
    let Some((found, _)) = look(&sample::hostile(), "") else { return };
    let copied: Vec<&str> = found["copied"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(copied.iter().any(|text| text.contains("HYPERLINK")));
    for text in copied {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        for record in reader.records() {
            for field in &record.expect("every line has as many fields") {
                let number = field.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit());
                assert!(number || !field.starts_with(['=', '+', '-', '@']), "{field}");
            }
        }
    }
}

#[test]
fn nothing_else_runs_in_a_page() {
    let Some((found, console)) = look(&sample::full(), "#attack") else { return };
    assert_eq!(found["broken"], false);
    assert!(console.iter().any(|l| l.contains("Content Security Policy")), "{console:?}");
}
