//! The page of a comparison of mitigations: what each moved from where to where, and accuracy against fairness.

use askama::Template;

use super::scale::{Scale, Tick, place};
use super::sheet::Sheet;
use super::{Frame, laid_out};
use crate::error::Result;
use crate::metrics::Estimate;
use crate::mitigate::evaluate::{
    Effect, Frontier, FrontierPoint, Measure, MitigationReport, MitigationResult, PointKind, signed,
};
use crate::report::mitigation::{figure, named, points, title_of};
use crate::report::view::{MORE, NAME};
use crate::report::words::{self, count, name};

/// The mitigations that the page lists.
const MITIGATIONS: usize = 60;
/// The points of the frontier that are drawn.
const POINTS: usize = 60;

#[derive(Template)]
#[template(path = "report/evaluation.html")]
struct EvaluationPage {
    frame: Frame,
    title: String,
    summary: String,
    about: Vec<String>,
    cards: Vec<Sentence>,
    more: Option<String>,
    moves: Vec<Moves>,
    scatter: Option<Scatter>,
    notes: Vec<String>,
}

/// What a mitigation did, in a sentence, with the word for what it did to the disparity.
#[derive(Debug)]
struct Sentence {
    class: &'static str,
    word: &'static str,
    name: String,
    sentence: String,
}

/// One measure of all mitigations, before and after.
#[derive(Debug)]
struct Moves {
    title: String,
    about: String,
    ticks: Vec<Tick>,
    /// Where all groups are alike.
    fair: Option<String>,
    rows: Vec<Move>,
}

/// A figure before, and after.
#[derive(Debug)]
struct Move {
    name: String,
    before: Option<Placed>,
    after: Option<Placed>,
    /// Whether the arrow points to the left.
    down: bool,
    figures: String,
    change: String,
    effect: Option<(&'static str, &'static str)>,
}

/// A figure's place and the ends of its interval.
#[derive(Debug, Clone)]
struct Placed {
    at: String,
    ends: Option<(String, String)>,
}

/// Performance over disparity.
#[derive(Debug)]
struct Scatter {
    title: String,
    across: String,
    up: String,
    ticks: Vec<Tick>,
    side: [String; 3],
    dots: Vec<Spot>,
    /// The line through the unmitigated scores with thresholds by group.
    line: Vec<[String; 4]>,
    sheet: Sheet,
}

/// A model on the chart: a number that the table explains.
#[derive(Debug)]
struct Spot {
    class: &'static str,
    number: usize,
    name: String,
    x: String,
    y: String,
    across: Option<(String, String)>,
    up: Option<(String, String)>,
}

impl MitigationReport {
    /// The comparison as one HTML file that opens anywhere, without a connection, in the style of
    /// [`Report::to_html`](crate::report::Report::to_html): of each measure an arrow from the unmitigated model's figure to
    /// the mitigation's, with both intervals, and whether it helped, hurt, or neither is shown; and accuracy against
    /// fairness, beside what thresholds by group make of the unmitigated scores. Needs the feature `html`.
    ///
    /// # Errors
    /// [`Error::BadReport`](crate::Error::BadReport), which no report that came from an evaluation gives.
    ///
    /// # Examples
    /// ```
    /// use evenhand::data::{Batch, Categorical};
    /// use evenhand::mitigate::evaluate::{Evaluation, Held, Outcome, Train};
    /// use ndarray::{Array2, ArrayView2};
    /// let batch = Batch::builder()
    ///     .attribute(Categorical::from_keys("g", (0..200).map(|i| i % 2)))
    ///     .label((0..200).map(|i| i % 3 == 0).collect::<Vec<bool>>().as_slice())
    ///     .build()?;
    /// let learner = |_: ArrayView2<f64>, _: &[bool], _: &[f64]| {
    ///     Ok(|x: ArrayView2<f64>| x.column(0).to_vec())
    /// };
    /// let all = |_: &Train| Ok(|held: &Held| Ok(Outcome::of_decisions(&vec![true; held.rows()])));
    /// let features = Array2::from_shape_fn((200, 1), |(i, _)| (i % 2) as f64);
    /// let report = Evaluation::new(learner).mitigation("<everybody>", all).run(features.view(), &batch)?;
    /// let page = report.to_html()?;
    /// assert!(page.starts_with("<!doctype html>") && page.contains("&#60;everybody&#62;"));
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn to_html(&self) -> Result<String> {
        laid_out(&page(self))
    }
}

/// The class, and the word with its mark.
fn worded(effect: Effect) -> (&'static str, &'static str) {
    match effect {
        Effect::Helped => ("pass", "\u{2713} helped"),
        Effect::Hurt => ("fail", "\u{2717} hurt"),
        Effect::NotShown => ("none", "\u{2013} not shown"),
    }
}

fn page(report: &MitigationReport) -> EvaluationPage {
    let shown = || report.mitigations.iter().take(MITIGATIONS);
    let sentence = |m: &MitigationResult| {
        let (class, word) = worded(m.effect(report.disparity));
        Sentence { class, word, name: name(&m.name, NAME), sentence: words::unglued(&m.sentence) }
    };
    let of = |effect: Effect| report.mitigations.iter().filter(|m| m.effect(report.disparity) == effect).count();
    let said = [(Effect::Helped, "helped"), (Effect::Hurt, "hurt"), (Effect::NotShown, "not shown to change it")];
    let said: Vec<String> = said
        .into_iter()
        .filter(|(effect, _)| of(*effect) > 0)
        .map(|(effect, word)| format!("{} {word}", count(of(effect) as u64)))
        .collect();
    let more = report.mitigations.len().saturating_sub(MITIGATIONS);
    let moves = report.unmitigated.iter().map(|f| f.measure).filter_map(|m| moves(report, m)).collect();
    EvaluationPage {
        frame: Frame::new(env!("CARGO_PKG_VERSION")),
        title: "Mitigations compared".into(),
        summary: match said.is_empty() {
            true => "There is no mitigation to compare.".into(),
            false => {
                format!("Of {} mitigations, on {}: {}.", report.mitigations.len(), report.disparity, said.join(", "))
            }
        },
        about: report.about().iter().map(|line| words::unglued(line)).collect(),
        cards: shown().map(sentence).collect(),
        more: (more > 0).then(|| format!("and {} more mitigations, {MORE}.", count(more as u64))),
        moves,
        scatter: report.frontier.as_ref().and_then(scatter),
        notes: report.all_notes().iter().map(|n| words::unglued(n)).collect(),
    }
}

fn ends(e: &Estimate) -> [Option<f64>; 3] {
    [e.value, e.value.and(e.low), e.value.and(e.high)]
}

/// The scale of some estimates: from 0 where they compare groups, else no wider than they need.
fn scale(estimates: &[&Estimate], measure: Measure) -> Option<Scale> {
    let values = || estimates.iter().flat_map(|e| ends(e));
    if measure.is_disparity() {
        return Scale::around(values(), measure.unit()).or_else(|| Scale::new(0.0, 1.0));
    }
    let known = || values().flatten().filter(|v| v.is_finite());
    let (least, most) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    Scale::close(least, most, measure.unit())
}

fn placed(scale: Scale, e: &Estimate) -> Option<Placed> {
    let end = |v: Option<f64>, open: f64| v.map_or_else(|| place(open), |v| scale.x(v));
    let ends = e.low.or(e.high).map(|_| (end(e.low, 0.0), end(e.high, 100.0)));
    Some(Placed { at: scale.x(e.value?), ends })
}

fn moves(report: &MitigationReport, measure: Measure) -> Option<Moves> {
    let before = &report.unmitigated.iter().find(|f| f.measure == measure)?.estimate;
    let shown = || report.mitigations.iter().take(MITIGATIONS);
    let estimates: Vec<&Estimate> =
        std::iter::once(before).chain(shown().filter_map(|m| m.figure(measure)).map(|f| &f.estimate)).collect();
    let scale = scale(&estimates, measure)?;
    let unit = measure.unit();
    let decimals = unit.decimals(words::largest(estimates.iter().map(|e| e.value)));
    // What only rounding keeps from 0 is 0.
    let said = |e: &Estimate| {
        e.value.map_or_else(|| words::reason(e), |v| unit.bare(if v.abs() < 1e-9 { 0.0 } else { v }, decimals))
    };
    let row = |m: &MitigationResult| {
        let after = m.figure(measure).map(|f| &f.estimate);
        let change = m.change(measure);
        let fell = after.and_then(|a| Some(a.value? < before.value?));
        Move {
            name: named(&m.name, m.knows_groups),
            before: placed(scale, before),
            after: after.and_then(|a| placed(scale, a)),
            down: fell.unwrap_or(false),
            figures: format!("{} \u{2192} {}", said(before), after.map_or_else(|| "\u{2013}".into(), said)),
            change: change.map_or_else(String::new, |c| {
                signed(measure, &c.change).replace(" points", "").replace(", ", ",\u{a0}")
            }),
            effect: change.and_then(|c| c.effect).map(worded),
        }
    };
    let fair = match measure {
        Measure::DemographicParityRatio => Some(1.0),
        m => m.is_disparity().then_some(0.0),
    };
    let suffix = unit.suffix().trim();
    let of = if suffix.is_empty() { String::new() } else { format!(", in {}", suffix.replace('%', "percent")) };
    Some(Moves {
        title: words::capital(measure.title()),
        about: format!("unmitigated: {}{of}", figure(measure, before)),
        ticks: scale.ticks(unit),
        fair: fair.filter(|v| scale.holds(*v)).map(|v| scale.x(v)),
        rows: shown().map(row).collect(),
    })
}

/// The class of a point.
fn kind(p: &FrontierPoint) -> &'static str {
    match p.kind {
        PointKind::Unmitigated => "unmitigated",
        PointKind::Thresholds(_) => "thresholds",
        PointKind::Mitigation => "mitigation",
    }
}

fn scatter(frontier: &Frontier) -> Option<Scatter> {
    let all: Vec<&FrontierPoint> = frontier.points.iter().collect();
    let of = |pick: fn(&FrontierPoint) -> &Estimate| all.iter().map(|p| pick(p)).collect::<Vec<_>>();
    let (performance, disparity) = (frontier.performance, frontier.disparity);
    let across = scale(&of(|p| &p.disparity), disparity)?;
    let up = scale(&of(|p| &p.performance), performance)?;
    let down = |v: f64| place(100.0 - up.at(v));
    // In the order of the table: by rising disparity.
    let mut order = all.clone();
    order.sort_by(|a, b| {
        let key = |p: &FrontierPoint| p.disparity.value.unwrap_or(f64::INFINITY);
        key(a).total_cmp(&key(b))
    });
    let spot = |(at, p): (usize, &&FrontierPoint)| {
        Some(Spot {
            class: kind(p),
            number: at + 1,
            name: name(&p.name, NAME),
            x: across.x(p.disparity.value?),
            y: down(p.performance.value?),
            across: p.disparity.interval().map(|(a, b)| (across.x(a), across.x(b))),
            up: p.performance.interval().map(|(a, b)| (down(a), down(b))),
        })
    };
    let dots: Vec<Spot> = order.iter().enumerate().take(POINTS).filter_map(spot).collect();
    let baseline: Vec<(String, String)> = order
        .iter()
        .filter(|p| p.kind != PointKind::Mitigation)
        .filter_map(|p| Some((across.x(p.disparity.value?), down(p.performance.value?))))
        .collect();
    let segment = |w: &[(String, String)]| [w[0].0.clone(), w[0].1.clone(), w[1].0.clone(), w[1].1.clone()];
    let line = baseline.windows(2).map(segment).collect();
    let heads = ["No.", "Model", "Figures", "Shown worse than"];
    let mut sheet = Sheet::new("Models by rising disparity", &heads);
    sheet.text = true;
    for (at, row) in points(frontier).into_iter().enumerate() {
        sheet.row((at + 1).to_string(), vec![row.name, row.figure, row.change]);
    }
    let [least, most] = up.ends();
    let side = [least, (least + most) / 2.0, most].map(|v| super::scale::number(v, performance.unit()));
    (!dots.is_empty()).then(|| Scatter {
        title: title_of(frontier),
        across: format!("{disparity}{}", if disparity.unit().suffix().is_empty() { "" } else { ", in points" }),
        up: performance.to_string(),
        ticks: across.ticks(disparity.unit()),
        side,
        dots,
        line,
        sheet,
    })
}
