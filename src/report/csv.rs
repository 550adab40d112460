//! The form for spreadsheets and data frames: one figure a line.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::{AttributeTable, Disparity, ModelReport, Report, SegmentCell};
use crate::audit::Comparison;
use crate::metrics::Estimate;

const COLUMNS: [&str; 13] = [
    "attribute",
    "group",
    "stratum",
    "metric",
    "comparison",
    "against",
    "value",
    "low",
    "high",
    "p_value",
    "rows",
    "weight",
    "reason",
];

/// The figure of a line: which group's, in which stratum, and what it is.
#[derive(Clone, Copy)]
struct Figure<'a> {
    attribute: &'a str,
    group: &'a str,
    stratum: &'a str,
    metric: &'a str,
    compared: Option<(Comparison, &'a str)>,
    p_value: Option<f64>,
}

struct Lines<W: Write> {
    out: csv::Writer<W>,
    models: bool,
}

impl<W: Write> Lines<W> {
    fn model(&mut self, m: &ModelReport) -> csv::Result<()> {
        let figure =
            Figure { attribute: "overall", group: "overall", stratum: "", metric: "", compared: None, p_value: None };
        self.metrics(m, figure, &m.overall)?;
        m.tables.iter().try_for_each(|t| self.table(m, t))
    }

    fn table(&mut self, m: &ModelReport, t: &AttributeTable) -> csv::Result<()> {
        let attribute = t.attribute.as_str();
        for g in &t.groups {
            let figure = Figure { attribute, group: &g.group, stratum: "", metric: "", compared: None, p_value: None };
            self.metrics(m, figure, &g.metrics)?;
            for (stratum, metrics) in &g.strata {
                self.metrics(m, Figure { stratum, ..figure }, metrics)?;
            }
        }
        t.cells.iter().try_for_each(|c| self.cell(m, attribute, c))?;
        t.disparities.iter().try_for_each(|d| self.disparity(m, attribute, d))
    }

    /// A line each for what the segments as decisions do not say.
    fn cell(&mut self, m: &ModelReport, attribute: &str, c: &SegmentCell) -> csv::Result<()> {
        let of_segment = format!("{} = {}", m.model, c.segment);
        let figure = Figure { attribute, group: &c.group, stratum: "", metric: "", compared: None, p_value: None };
        let residual = match c.residual {
            Some(z) => Estimate::of(z, c.share.support),
            None => Estimate { value: None, low: None, high: None, ..c.share.clone() },
        };
        for (metric, estimate, p_value) in [
            ("representation", &c.representation, None),
            ("representation_skew", &c.skew, None),
            ("impact_ratio", &c.impact_ratio, None),
            ("adjusted_residual", &residual, c.p_value),
        ] {
            self.line(&of_segment, Figure { metric, p_value, ..figure }, estimate)?;
        }
        Ok(())
    }

    fn metrics(&mut self, m: &ModelReport, f: Figure<'_>, all: &BTreeMap<String, Estimate>) -> csv::Result<()> {
        all.iter().try_for_each(|(metric, e)| self.line(&m.model, Figure { metric, ..f }, e))
    }

    fn disparity(&mut self, m: &ModelReport, attribute: &str, d: &Disparity) -> csv::Result<()> {
        let figure = Figure {
            attribute,
            group: d.group.as_deref().unwrap_or(""),
            stratum: d.stratum.as_deref().unwrap_or(""),
            metric: &d.metric,
            compared: Some((d.comparison, &d.against)),
            p_value: d.p_value,
        };
        self.line(&m.model, figure, &d.estimate)
    }

    fn line(&mut self, model: &str, f: Figure<'_>, e: &Estimate) -> csv::Result<()> {
        let number = |v: Option<f64>| v.map(|v| v.to_string()).unwrap_or_default();
        let (low, high) = match (e.value, e.bounds) {
            (None, Some([least, most])) => (Some(least), Some(most)),
            _ => (e.low, e.high),
        };
        let reason = match (e.value, e.reason, e.bounds) {
            (None, Some(reason), Some(_)) => format!("{reason}: low and high are the least and the most it could be"),
            (None, Some(reason), None) => reason.to_string(),
            (None, None, _) => "no figure".into(),
            (Some(_), ..) => String::new(),
        };
        if self.models {
            self.out.write_field(model)?;
        }
        self.out.write_record([
            f.attribute,
            f.group,
            f.stratum,
            f.metric,
            &f.compared.map(|(c, _)| c.to_string()).unwrap_or_default(),
            f.compared.map_or("", |(_, against)| against),
            &number(e.value),
            &number(low),
            &number(high),
            &number(f.p_value),
            &number(Some(e.support.rows)),
            &number(Some(e.support.weight)),
            &reason,
        ])
    }
}

impl Report {
    /// Writes every figure as a line of CSV (RFC 4180, UTF-8, lines end in `\n`), with the columns
    /// `attribute, group, stratum, metric, comparison, against, value, low, high, p_value, rows, weight, reason`,
    /// and `model` before them if the report has more than one model.
    ///
    /// - A group's own figure has no `comparison` and no `against`. The whole batch is the group `overall`
    ///   of the attribute `overall`.
    /// - A disparity has the `comparison` `difference` or `ratio`, `against` `between_groups`, `overall`,
    ///   `rest` or the reference group's name. One between all groups has no `group`.
    /// - An undefined figure has no `value` and a `reason`. Where labels are selective, `low` and `high` are
    ///   the least and the most that it could be, and the reason says so.
    /// - Numbers are fractions, not percent, in the shortest form that reads back as the same number.
    ///
    /// Names are written as they are, so that programs can join on them. A level named `=1+1` is therefore a
    /// formula to a spreadsheet that opens the file without asking: import such files with columns as text.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_csv(&self, to: impl Write) -> io::Result<()> {
        let models = self.models.len() > 1;
        let mut lines = Lines { out: csv::WriterBuilder::new().flexible(true).from_writer(to), models };
        let write = |lines: &mut Lines<_>| -> csv::Result<()> {
            if models {
                lines.out.write_field("model")?;
            }
            lines.out.write_record(COLUMNS)?;
            self.models.iter().try_for_each(|m| lines.model(m))
        };
        write(&mut lines).map_err(io::Error::from)?;
        lines.out.flush()
    }

    /// The report as CSV; see [`write_csv`](Self::write_csv).
    pub fn to_csv(&self) -> String {
        let mut bytes = Vec::new();
        // Memory refuses nothing, and what is written is made of strings.
        let _ = self.write_csv(&mut bytes);
        String::from_utf8(bytes).unwrap_or_default()
    }
}
