//! How it was measured: what each figure is, its formula and its source.

use std::collections::BTreeSet;

use super::sheet::Sheet;
use crate::audit::Comparison;
use crate::metrics::catalog;
use crate::report::words::{self, count, name, title};
use crate::report::{Report, grid, measures, view};

/// The files that the page lists.
const FILES: usize = 40;

/// The figures on the page that the catalog knows, with formula and source.
pub(super) fn formulas(report: &Report) -> Sheet {
    let mut used: BTreeSet<&str> = report.settings.policy.criteria.iter().map(|c| c.metric.as_str()).collect();
    for m in &report.models {
        used.extend(m.findings.iter().map(|f| f.criterion.as_str()));
        for t in &m.tables {
            used.extend(grid::main_metric(t));
            used.extend(grid::label_metrics(t));
            used.extend(measures::columns(t, false).into_iter().filter_map(|c| match c {
                grid::Column::Metric(metric, _) => Some(metric),
                _ => None,
            }));
            let compared = t.disparities.iter().filter(|d| d.comparison == Comparison::Value && d.group.is_none());
            used.extend(compared.map(|d| &*d.metric));
        }
    }
    let mut sheet = Sheet::new("Figures on this page", &["Name", "What it is", "Formula", "Source"]);
    sheet.text = true;
    for metric in used {
        let line = catalog::metric(metric)
            .map(|m| [m.title.to_string(), m.formula.to_string(), m.source.to_string()])
            .or_else(|| {
                let m = catalog::measure(metric)?;
                Some([m.title.to_string(), m.formula.to_string(), m.source.to_string()])
            })
            .or_else(|| {
                let c = catalog::criterion_entry(metric)?;
                let compares = c.metrics.iter().map(|m| title(m)).collect::<Vec<_>>().join(", ");
                Some([c.title.to_string(), format!("compares {compares}"), c.source.to_string()])
            });
        let cells = line.unwrap_or_else(|| ["of your own".into(), "\u{2013}".into(), "\u{2013}".into()]);
        sheet.row(title(metric), cells.to_vec());
    }
    sheet
}

/// How far each attribute and stratum is known.
pub(super) fn coverage(report: &Report) -> Sheet {
    let mut sheet =
        Sheet::new("How far columns are known", &["Column", "As", "Levels", "Rows missing", "Share missing"]);
    let parts = [("attribute", &report.data.attributes), ("stratum", &report.data.strata)];
    for (what, columns) in parts {
        for c in columns {
            let share = words::share(c.missing_share);
            let cells = vec![what.to_string(), count(c.levels as u64), count(c.missing_rows), share];
            sheet.row(name(&c.column, 2 * view::NAME), cells);
        }
    }
    sheet
}

/// The files read, with their whole fingerprints.
pub(super) fn files(report: &Report) -> Option<Sheet> {
    let inputs = &report.provenance.inputs;
    let mut sheet = Sheet::new("Files read", &["File", "Format", "Rows", "Bytes", "BLAKE3"]);
    for f in inputs.iter().take(FILES) {
        let hash = name(&f.blake3, 64);
        sheet.row(name(&f.path, 2 * view::NAME), vec![name(&f.format, 12), count(f.rows), count(f.bytes), hash]);
    }
    if inputs.len() > FILES {
        let more = words::counted((inputs.len() - FILES) as u64, "more file", "more files");
        sheet.notes.push(format!("and {more}, {}.", view::MORE));
    }
    (!sheet.rows.is_empty()).then_some(sheet)
}
