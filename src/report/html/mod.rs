//! The form for a browser: one file that asks nothing of any other place.
//!
//! What is shown is chosen here and laid out by templates, which escape all they are given; no text from the data reaches
//! a chart's shapes, only numbers do. Colours, dashes and hatches are classes of the style sheet, so that both themes,
//! print and a reader's own style sheet can change them.

mod advice;
mod chart;
mod compared;
mod curves;
mod document;
mod evaluation;
mod explained;
mod finding;
mod heat;
mod method;
mod model;
mod picture;
mod plot;
#[cfg(feature = "png")]
mod raster;
mod scale;
mod scores;
mod sheet;

use askama::Template;

use super::view;
use super::words::{self, name};
use super::{Finding, Report};
use crate::error::{Error, Result};
use model::ModelPart;
use sheet::Sheet;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// The page's own style sheet and script, by which its policy lets nothing else in. A test tells the right ones.
const STYLE_HASH: &str = "sha256-V1pqqLQN0koqEraAc3McrwjGgVqyvnF8qzG06EpH118=";
const SCRIPT_HASH: &str = "sha256-WI6x3WIAmkQWX92IW2IO0Vq9hapGgLxvTHaqC7nQ5/0=";

/// The findings that models are set side by side in.
const SIDE_BY_SIDE: usize = 40;

/// What every page has: its style and script, and who made it.
struct Frame {
    style: &'static str,
    script: &'static str,
    style_hash: &'static str,
    script_hash: &'static str,
    version: String,
}

impl Frame {
    fn new(version: &str) -> Self {
        Frame {
            style: STYLE,
            script: SCRIPT,
            style_hash: STYLE_HASH,
            script_hash: SCRIPT_HASH,
            version: name(version, 20),
        }
    }
}

#[derive(Template)]
#[template(path = "report/page.html")]
struct Page {
    frame: Frame,
    verdict: &'static str,
    class: &'static str,
    policy: String,
    summary: String,
    models: Vec<ModelPart>,
    several: bool,
    beside: Option<Sheet>,
    audited: Vec<(String, String)>,
    coverage: Sheet,
    files: Option<Sheet>,
    formulas: Sheet,
    settings: Vec<(&'static str, String)>,
    digest: String,
    command: Option<String>,
    cells_lead: &'static str,
}

impl Report {
    /// The report as one HTML file that opens anywhere, without a connection: charts with their tables, in light and in
    /// dark, from a telephone's width on. Needs the feature `html`.
    ///
    /// It tells what [`to_text`](Self::to_text) tells, in the order in which one asks: the verdict, the findings with
    /// what to do about each, the groups, coverage, method, and how to make it again. It asks nothing of any other
    /// place: a content security policy lets in its own style sheet and script and nothing else. Without the script only
    /// sorting, filtering, copying and the choice of a theme are missing. Names from the data are escaped.
    ///
    /// It stays a page: of an attribute it draws up to 60 groups, of an intersection 20 and a map of 24 by 16 levels, those
    /// with the lowest figures where there are more, and says how many it leaves to [`to_json`](Self::to_json).
    ///
    /// # Errors
    /// [`Error::BadReport`], which no report that came from an audit gives.
    ///
    /// # Examples
    /// ```
    /// use evenhand::audit::AuditPlan;
    /// use evenhand::data::{Batch, Categorical};
    ///
    /// let batch = Batch::builder()
    ///     .attribute(Categorical::from_values("sex", (0..600).map(|i| if i % 2 == 0 { "<b>f</b>" } else { "m" })))
    ///     .decision((0..600).map(|i| u8::from(i % 5 == 0 || i % 10 == 1)).collect::<Vec<_>>())
    ///     .build()?;
    /// let page = AuditPlan::new().run(&batch)?.to_html()?;
    ///
    /// assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    /// // One mark for each group, and the name is text, not markup.
    /// assert_eq!(page.matches("class=\"mark").count(), 2);
    /// assert!(page.contains("&#60;b&#62;f&#60;/b&#62;") && !page.contains("<b>f</b>"));
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn to_html(&self) -> Result<String> {
        laid_out(&page(self))
    }
}

/// The text of a page.
fn laid_out(page: &impl Template) -> Result<String> {
    let bad = |e: askama::Error| Error::BadReport { problem: format!("it cannot be laid out as HTML: {e}") };
    let mut text = page.render().map_err(bad)?;
    text.truncate(text.trim_end().len());
    text.push('\n');
    Ok(text)
}

fn page(report: &Report) -> Page {
    let models = view::models(report);
    let judged = report.findings().next().is_some();
    let plain = |(label, text): (&'static str, String)| (label, words::unglued(&text));
    let (again, settings): (Vec<_>, Vec<_>) =
        view::method(report).into_iter().map(plain).partition(|(label, _)| *label == "Again");
    Page {
        frame: Frame::new(&report.provenance.version),
        verdict: view::headline(report),
        class: if judged { finding::class(report.verdict) } else { "none" },
        policy: name(&report.settings.policy.name, view::NAME),
        summary: words::unglued(&view::sentence(&report.summary)),
        several: models.len() > 1,
        beside: (models.len() > 1).then(|| side_by_side(&models)),
        models: models.iter().enumerate().map(|(i, m)| model::model(report, m, i)).collect(),
        audited: view::audited(report).into_iter().filter(|(label, _)| label == "Rows" || label == "Model").collect(),
        coverage: method::coverage(report),
        files: method::files(report),
        formulas: method::formulas(report),
        settings: settings.into_iter().filter(|(label, _)| *label != "Counts").collect(),
        digest: name(&report.provenance.tally_digest, 64),
        command: again.into_iter().next().map(|(_, command)| command),
        cells_lead: super::cells::LEAD,
    }
}

fn side_by_side(models: &[&super::ModelReport]) -> Sheet {
    let mut sheet = Sheet { caption: "Models side by side".into(), text: true, ..Sheet::default() };
    sheet.heads = std::iter::once("Finding".to_string()).chain(models.iter().map(|m| name(&m.model, 24))).collect();
    sheet.row("Verdict", models.iter().map(|m| words::verdict(m.verdict).to_string()).collect());
    let cell = |f: &Option<&Finding>| match f {
        None => "\u{2013}".to_string(),
        Some(f) => format!("{} {}", words::mark(f.verdict), view::figure(f)),
    };
    let lines = view::side_by_side(models);
    for (subject, found) in lines.iter().take(SIDE_BY_SIDE) {
        sheet.row(subject.clone(), found.iter().map(cell).collect());
    }
    if lines.len() > SIDE_BY_SIDE {
        let more = words::count((lines.len() - SIDE_BY_SIDE) as u64);
        sheet.notes.push(format!("and {more} more findings, {}.", view::MORE));
    }
    sheet
}
