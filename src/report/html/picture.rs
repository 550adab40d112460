//! Single charts as pictures that stand alone: SVG with its own style, in the colours of the light page.
//!
//! The marks are those of the page, in drawings of a fixed size: what is beside them in a table there is written beside them
//! here. Names are cut to the room that there is; the page and the report's other forms have them whole.

use askama::Template;

use super::chart::{Chart, Panels};
use super::finding::Card;
use super::heat::Heat;
use super::laid_out;
use super::model::{self, ModelPart, TablePart};
use super::plot::Plot;
use crate::error::{Error, Result};
use crate::report::words::{self, clean};
use crate::report::{Report, view};

const STYLE: &str = include_str!("picture.css");

/// Sizes, in units that are pixels where nothing else is said.
const WIDTH: usize = 860;
const HEAD: usize = 84;
const ROW: usize = 28;
const FINDING: usize = 96;
const CELL: [usize; 2] = [92, 40];
const PANEL: [usize; 2] = [200, 210];
const PANELS_ABREAST: usize = 4;
const CHART: [f64; 2] = [560.0, 320.0];

/// One chart, ready to be laid out.
#[derive(Template)]
#[template(path = "report/picture/picture.svg")]
struct Picture<'a> {
    style: &'static str,
    title: String,
    about: String,
    desc: String,
    width: usize,
    height: usize,
    drawing: Drawing<'a>,
    legend: Vec<String>,
}

/// What is drawn.
enum Drawing<'a> {
    Findings(Vec<(&'a Card, [String; 2])>),
    Plot(&'a Plot, Vec<[String; 2]>),
    Heat(&'a Heat),
    Chart(&'a Chart),
    Panels(&'a Panels),
}

/// A chart by its name.
struct Named<'a> {
    name: String,
    drawing: Which<'a>,
}

#[derive(Clone, Copy)]
enum Which<'a> {
    Findings(&'a ModelPart),
    Plot(&'a Plot),
    Heat(&'a Heat),
    Chart(&'a Chart),
    Panels(&'a Panels),
}

impl Report {
    /// The names of its charts, for [`to_svg`](Self::to_svg): `findings`, and of each attribute or intersection its rates
    /// (`sex/selection_rate`), its map (`sex & race/map`, `sex/segments`), its scores (`sex/scores`, `sex/roc`,
    /// `sex/calibration`) and its cuts (`sex/thresholds`, `sex/budgets`); of several models each after the model's name.
    /// Needs the feature `html`.
    ///
    /// # Examples
    /// ```
    /// use evenhand::audit::{AuditPlan, Policy};
    /// use evenhand::data::{Batch, Categorical};
    /// let sex = Categorical::from_values("sex", (0..600).map(|i| if i % 2 == 0 { "f" } else { "m" }));
    /// let decision: Vec<u8> = (0..600).map(|i| u8::from(i % 5 == 0)).collect();
    /// let batch = Batch::builder().attribute(sex).decision(decision).build()?;
    /// let report = AuditPlan::new().policy(Policy::preset("four-fifths")?).run(&batch)?;
    /// assert_eq!(report.charts(), ["findings", "sex/selection_rate"]);
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn charts(&self) -> Vec<String> {
        let parts = parts(self);
        named(&parts).into_iter().map(|n| n.name).collect()
    }

    /// One chart as an SVG file that stands alone: its own style, in light colours, with a title and a description for
    /// screen readers. It asks nothing of any other place, and names from the data are text. Needs the feature `html`.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a chart that the report has not: [`charts`](Self::charts) names them.
    ///
    /// # Examples
    /// ```
    /// use evenhand::audit::AuditPlan;
    /// use evenhand::data::{Batch, Categorical};
    /// let sex = Categorical::from_values("sex", (0..600).map(|i| if i % 2 == 0 { "f" } else { "m" }));
    /// let decision: Vec<u8> = (0..600).map(|i| u8::from(i % 5 == 0)).collect();
    /// let report = AuditPlan::new().run(&Batch::builder().attribute(sex).decision(decision).build()?)?;
    /// let svg = report.to_svg("sex/selection_rate")?;
    /// assert!(svg.starts_with("<svg xmlns=") && svg.matches("class=\"mark").count() == 2);
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn to_svg(&self, chart: &str) -> Result<String> {
        let parts = parts(self);
        let all = named(&parts);
        let found = all.iter().find(|n| n.name == chart);
        let names = || all.iter().map(|n| n.name.as_str());
        let found = found.ok_or_else(|| Error::unknown("chart", chart, " of the report", names()))?;
        laid_out(&picture(self, found))
    }
}

fn parts(report: &Report) -> Vec<ModelPart> {
    view::models(report).iter().enumerate().map(|(i, m)| model::model(report, m, i)).collect()
}

fn named<'a>(models: &'a [ModelPart]) -> Vec<Named<'a>> {
    let mut all: Vec<Named<'a>> = Vec::new();
    let mut add = |name: String, drawing: Which<'a>| {
        // Names that were cut may be alike.
        let alike = all.iter().filter(|n: &&Named| n.name == name || n.name.starts_with(&format!("{name} ("))).count();
        let name = if alike > 0 { format!("{name} ({})", alike + 1) } else { name };
        all.push(Named { name, drawing });
    };
    for m in models {
        let before = if models.len() > 1 { format!("{}/", m.name) } else { String::new() };
        if m.cards.iter().chain(&m.others).any(|c| c.gauge.is_some()) {
            add(format!("{before}findings"), Which::Findings(m));
        }
        for t in &m.tables {
            of_table(t, |name, drawing| add(format!("{before}{}/{name}", t.name), drawing));
        }
    }
    all
}

fn of_table<'a>(t: &'a TablePart, mut add: impl FnMut(&str, Which<'a>)) {
    for plot in &t.plots {
        add(plot.metric, Which::Plot(plot));
    }
    for heat in &t.heats {
        add(heat.kind, Which::Heat(heat));
    }
    for chart in t.scores.iter().chain(&t.charts) {
        add(chart.kind, Which::Chart(chart));
    }
    if let Some(panels) = &t.calibration {
        add("calibration", Which::Panels(panels));
    }
}

/// The first part of a text that has room for so many columns.
fn cut(text: &str, columns: usize) -> String {
    words::cut(&words::unglued(text), columns)
}

fn picture<'a>(report: &'a Report, chart: &Named<'a>) -> Picture<'a> {
    let subject = chart.name.rsplit_once('/').map(|(of, _)| of);
    let with = |title: &str| match subject {
        Some(of) => cut(&format!("{title}, by {of}"), 96),
        None => cut(title, 96),
    };
    let (title, about, [width, height], drawing, legend) = match chart.drawing {
        Which::Findings(m) => {
            let cards: Vec<_> = m.cards.iter().chain(&m.others).filter(|c| c.gauge.is_some()).take(20).collect();
            let height = HEAD + cards.len() * FINDING;
            let lines = |c: &&'a Card| (*c, [cut(&c.subject, 84), cut(&c.figures, 84)]);
            let legend = vec!["thick: allowed; upright line: bound; dot and bar: figure and interval".into()];
            let drawing = Drawing::Findings(cards.iter().map(lines).collect());
            (with("Findings"), words::unglued(&report.summary), [WIDTH, height], drawing, legend)
        }
        Which::Plot(p) => {
            let lines = p.rows.iter().map(|r| {
                let remark = if r.remark.is_empty() { String::new() } else { format!(" ({})", r.remark) };
                [format!("{}{remark}", cut(&r.name, 32usize.saturating_sub(remark.len()).max(10))), cut(&r.figure, 40)]
            });
            let legend = ["dot and bar: figure and interval; hollow: too small to judge; \u{d7}: no figure"];
            let height = HEAD + p.rows.len() * ROW + 24;
            (
                with(&p.title),
                p.about.clone(),
                [WIDTH, height],
                Drawing::Plot(p, lines.collect()),
                legend.map(String::from).into(),
            )
        }
        Which::Heat(h) => {
            let size = [220 + h.columns.len() * CELL[0], HEAD + (h.rows.len() + 1) * CELL[1]];
            let legend = h.legend.iter().map(|(_, text)| text.clone()).collect::<Vec<_>>().join("; ");
            let notes = [legend].into_iter().chain(h.notes.iter().take(1).cloned());
            (cut(&h.caption, 96), String::new(), size, Drawing::Heat(h), notes.map(|n| cut(&n, 130)).collect())
        }
        Which::Chart(c) => {
            let lines = c.lines.len() + usize::from(c.now.is_some()) + usize::from(c.band.is_some());
            let size = [WIDTH.min(720), HEAD + CHART[1] as usize + 48 + lines * 20];
            (with(&c.title), format!("{} by {}", c.up.title, c.across.title), size, Drawing::Chart(c), Vec::new())
        }
        Which::Panels(p) => {
            let lines = p.panels.len().div_ceil(PANELS_ABREAST);
            let about = format!("{} by {}; diagonal: as promised", p.up.title, p.across.title);
            (with(&p.title), about, [WIDTH, HEAD + lines * PANEL[1]], Drawing::Panels(p), Vec::new())
        }
    };
    let about = cut(&clean(&about), 128);
    Picture {
        style: STYLE,
        desc: format!("{about}. Bias audit, policy {}.", words::name(&report.settings.policy.name, view::NAME)),
        title,
        about,
        width: width.max(520),
        height: height + 16 + 18 * legend.len(),
        drawing,
        legend,
    }
}
