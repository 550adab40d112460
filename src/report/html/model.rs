//! A model's part of the page.

use super::chart::{Chart, Panels};
use super::curves;
use super::explained::{self, Bars};
use super::finding::{self, Card};
use super::heat::{self, Heat};
use super::plot::{self, Plot};
use super::scores;
use super::sheet::Sheet;
use crate::audit::Verdict;
use crate::report::grid::{self, Column};
use crate::report::words::{self, count, counted, name};
use crate::report::{AttributeTable, ModelReport, Report, cells, conditioning, impact, measures, view};

/// What a page shows, so that it stays a page: the rest is in the report's other forms.
const CARDS: usize = 30;
const LINES: usize = 120;
const INTERSECTIONS: usize = 12;
const GROUPS: usize = 60;
const CROSSED: usize = 20;
const STRATA: usize = 8;
/// More tables are folded.
const OPEN: usize = 12;

/// A model as the page has it.
#[derive(Debug)]
pub(super) struct ModelPart {
    /// A part of the page's anchors: no name of the data is in them.
    pub id: String,
    pub name: String,
    pub verdict: &'static str,
    pub class: &'static str,
    pub tally: String,
    pub cards: Vec<Card>,
    pub others: Vec<Card>,
    pub more: Option<String>,
    pub caveats: Vec<String>,
    pub law: Option<(&'static str, &'static str)>,
    pub impact: Vec<Sheet>,
    pub tables: Vec<TablePart>,
    pub left_out: Option<String>,
}

/// An attribute, or an intersection.
#[derive(Debug)]
pub(super) struct TablePart {
    pub id: String,
    pub name: String,
    pub about: String,
    pub plots: Vec<Plot>,
    pub heats: Vec<Heat>,
    pub gaps: Vec<String>,
    pub bars: Option<Bars>,
    pub warnings: Vec<String>,
    pub cells: Vec<String>,
    pub between: Vec<String>,
    /// How scores are spread and rank.
    pub scores: Vec<Chart>,
    /// What they promise.
    pub calibration: Option<Panels>,
    /// What is said of scores beside their charts.
    pub said: Vec<String>,
    pub charts: Vec<Chart>,
    pub sheets: Vec<Sheet>,
    pub open: bool,
}

impl TablePart {
    /// Whether its one chart has nothing to stand beside.
    pub fn alone(&self) -> bool {
        self.plots.len() == 1 && self.heats.iter().all(Heat::wide)
    }
}

pub(super) fn model(report: &Report, m: &ModelReport, number: usize) -> ModelPart {
    let policy = &report.settings.policy;
    let found = measures::findings(report, m);
    let (passes, grave): (Vec<_>, Vec<_>) = found.iter().copied().partition(|(_, f)| f.verdict == Verdict::Pass);
    let cards = grave.iter().take(CARDS).map(|(s, f)| finding::card(*s, f, policy)).collect();
    let others = || grave.iter().skip(CARDS).chain(&passes);
    let more = others().count().saturating_sub(LINES);
    let (tables, left_out) = view::tables(m, INTERSECTIONS);
    let id = format!("m{number}");
    let law = impact::lead(report, m);
    let grids = |(caption, grids): (String, Vec<grid::Grid>)| {
        let caption = words::capital(&caption);
        let named = ["rates", "tests"].into_iter().map(move |what| format!("{caption}: {what}"));
        named.zip(grids).map(|(caption, grid)| Sheet::of_grid(caption, grid)).collect::<Vec<_>>()
    };
    ModelPart {
        name: name(&m.model, 2 * view::NAME),
        verdict: if found.is_empty() { "\u{2013} NOT JUDGED" } else { words::verdict(m.verdict) },
        class: if found.is_empty() { "none" } else { finding::class(m.verdict) },
        tally: view::tallied(&found),
        cards,
        others: others().take(LINES).map(|(s, f)| finding::card(*s, f, policy)).collect(),
        more: (more > 0).then(|| format!("and {} more findings, {}.", count(more as u64), view::MORE)),
        caveats: view::caveats(m, report.data.rows),
        impact: match law {
            Some(_) => impact::shown(report, m, GROUPS).into_iter().flat_map(grids).collect(),
            None => Vec::new(),
        },
        law,
        tables: tables.iter().enumerate().map(|(i, t)| table(report, m, t, format!("{id}t{i}"), i)).collect(),
        left_out: (left_out > 0).then(|| {
            let more = counted(left_out as u64, "more intersection", "more intersections");
            format!("and {more}, {}.", view::MORE)
        }),
        id,
    }
}

fn table(report: &Report, m: &ModelReport, t: &AttributeTable, id: String, place: usize) -> TablePart {
    let crossed = t.attributes.len() > 1;
    let limit = if crossed { CROSSED } else { GROUPS };
    let (main, labels) = (grid::main_metric(t), grid::label_metrics(t));
    // Of an intersection the map and the worst-off tell most; its further rates are in its table.
    let drawn = main.into_iter().chain(labels.iter().copied().filter(|_| !crossed));
    let plots = drawn.filter_map(|metric| plot::plot(m, t, metric, limit)).collect();
    let segmented = heat::segments(report, m, t, limit);
    let heats = if segmented.is_some() { segmented } else { heat::intersection(m, t) };
    let bars = explained::bars(report, t, limit);
    let mut warnings = bars.as_ref().map(|b| b.warnings.clone()).unwrap_or_default();
    warnings.extend(conditioning::of_segments(report, m, t));
    let (calibration, mut said) = match scores::calibration(t) {
        Ok(panels) => (Some(panels), Vec::new()),
        Err(reasons) => (None, reasons),
    };
    said.extend(scores::one_score(t));
    TablePart {
        id,
        name: name(&t.attribute, 2 * view::NAME),
        about: grid::about(t),
        plots,
        heats: heats.into_iter().collect(),
        gaps: grid::gaps(t, false).iter().map(|g| words::unglued(g)).collect(),
        bars,
        warnings,
        cells: cells::outstanding(t, report.settings.policy.confidence, false),
        between: measures::between(t, false).iter().map(|b| words::unglued(b)).collect(),
        scores: scores::charts(t),
        calibration,
        said,
        charts: t.curves.iter().flat_map(|c| curves::charts(m, c)).collect(),
        sheets: sheets(report, m, t, main, &labels, limit),
        open: place < OPEN,
    }
}

fn sheets(
    report: &Report,
    m: &ModelReport,
    t: &AttributeTable,
    main: Option<&'static str>,
    labels: &[&'static str],
    limit: usize,
) -> Vec<Sheet> {
    let rows = report.data.rows;
    let mut columns = vec![Column::Rows, Column::Share];
    columns.extend(main.map(|metric| Column::Metric(metric, true)));
    columns.extend(labels.iter().map(|metric| Column::Metric(metric, true)));
    columns.extend(main.filter(|metric| grid::has_differences(t, metric)).map(Column::Difference));
    let mut figures = Sheet::of_grid("Figures by group", grid::grid(m, t, &columns, limit, rows));
    figures.notes.extend(grid::legend(labels));
    let mut sheets = vec![figures];
    let columns = measures::columns(t, false);
    if !columns.is_empty() {
        sheets.push(Sheet::of_grid("Further measures by group", grid::grid(m, t, &columns, limit, rows)));
    }
    if t.groups.len() <= limit {
        let strata = grid::strata(t, main, labels);
        let more = strata.len().saturating_sub(STRATA);
        for (stratum, grid) in strata.into_iter().take(STRATA) {
            sheets.push(Sheet::of_grid(format!("In stratum {}", name(&stratum, view::NAME)), grid));
        }
        if let Some(last) = sheets.last_mut().filter(|_| more > 0) {
            last.notes.push(format!("and {}, {}.", counted(more as u64, "more stratum", "more strata"), view::MORE));
        }
    }
    sheets
}
