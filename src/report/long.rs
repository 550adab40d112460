//! Every number of a report in long form, one a line: what CSV and Parquet are written from.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{AttributeTable, Conditioning, Curves, Disparity, ImpactTable, ModelReport, Report, SegmentCell};
use crate::metrics::scores::{CurveFigure, CurvePoint};
use crate::metrics::{Estimate, Support};

/// The columns of text, the model's name before them; then those of numbers, then the reason.
pub(super) const NAMES: [&str; 6] = ["attribute", "group", "stratum", "metric", "comparison", "against"];
pub(super) const NUMBERS: [&str; 6] = ["value", "low", "high", "p_value", "rows", "weight"];
pub(super) const REASON: &str = "reason";

/// A number with what it is of.
#[derive(Clone, Default)]
pub(super) struct Line<'a> {
    pub model: Cow<'a, str>,
    pub attribute: &'a str,
    pub group: &'a str,
    pub stratum: &'a str,
    pub metric: &'a str,
    pub comparison: &'static str,
    pub against: Cow<'a, str>,
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    p_value: Option<f64>,
    rows: Option<f64>,
    weight: Option<f64>,
    pub reason: String,
}

impl<'a> Line<'a> {
    /// In the order of [`NAMES`].
    pub fn names(&self) -> [&str; 6] {
        [self.attribute, self.group, self.stratum, self.metric, self.comparison, &self.against]
    }

    /// In the order of [`NUMBERS`].
    pub fn numbers(&self) -> [Option<f64>; 6] {
        [self.value, self.low, self.high, self.p_value, self.rows, self.weight]
    }

    fn of(self, e: &Estimate) -> Self {
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
        let Support { rows, weight, .. } = e.support;
        Line { value: e.value, low, high, rows: Some(rows), weight: Some(weight), reason, ..self }
    }

    /// A number that has no interval.
    fn bare(self, value: Option<f64>, missing: &str) -> Self {
        let reason = if value.is_some() { String::new() } else { missing.into() };
        Line { value, low: None, high: None, reason, ..self }
    }

    fn at_cut(self, f: &CurveFigure) -> Self {
        let reason = match (f.value, f.reason) {
            (Some(_), _) => String::new(),
            (None, reason) => reason.map_or_else(|| "no figure".into(), |r| r.to_string()),
        };
        Line { value: f.value, low: f.interval.map(|i| i[0]), high: f.interval.map(|i| i[1]), reason, ..self }
    }
}

/// Calls `write` with every line, in the order of the report, until it fails.
pub(super) fn each<'r, E>(report: &'r Report, write: &mut dyn FnMut(Line<'r>) -> Result<(), E>) -> Result<(), E> {
    report.models.iter().try_for_each(|m| Lines { write: &mut *write }.model(m))
}

struct Lines<'w, 'r, E> {
    write: &'w mut dyn FnMut(Line<'r>) -> Result<(), E>,
}

impl<'r, E> Lines<'_, 'r, E> {
    fn model(&mut self, m: &'r ModelReport) -> Result<(), E> {
        let line = Line { model: Cow::from(&m.model), attribute: "overall", group: "overall", ..Line::default() };
        self.metrics(&line, &m.overall)?;
        m.tables.iter().try_for_each(|t| self.table(m, t))?;
        m.impact.iter().try_for_each(|t| self.impact(m, t))
    }

    fn metrics(&mut self, line: &Line<'r>, all: &'r BTreeMap<String, Estimate>) -> Result<(), E> {
        all.iter().try_for_each(|(metric, e)| (self.write)(Line { metric, ..line.clone() }.of(e)))
    }

    fn table(&mut self, m: &'r ModelReport, t: &'r AttributeTable) -> Result<(), E> {
        let table = Line { model: Cow::from(&m.model), attribute: &t.attribute, ..Line::default() };
        for g in &t.groups {
            let line = Line { group: &g.group, ..table.clone() };
            let size =
                Line { metric: "share_of_rows", rows: Some(g.rows as f64), weight: Some(g.weight), ..line.clone() };
            (self.write)(size.bare(Some(g.share), ""))?;
            self.metrics(&line, &g.metrics)?;
            for (stratum, metrics) in &g.strata {
                self.metrics(&Line { stratum, ..line.clone() }, metrics)?;
            }
        }
        t.cells.iter().try_for_each(|c| self.cell(m, &table, c))?;
        t.disparities.iter().try_for_each(|d| self.disparity(&table, d))?;
        t.conditioning.iter().try_for_each(|c| self.conditioning(&table, t, c))?;
        t.curves.iter().try_for_each(|c| self.curves(&table, c))
    }

    /// What the segments as decisions do not say.
    fn cell(&mut self, m: &ModelReport, table: &Line<'r>, c: &'r SegmentCell) -> Result<(), E> {
        let model = Cow::from(format!("{} = {}", m.model, c.segment));
        let line = Line { model, group: &c.group, ..table.clone() };
        let residual = match c.residual {
            Some(z) => Estimate::of(z, c.share.support),
            None => Estimate { value: None, low: None, high: None, ..c.share.clone() },
        };
        for (metric, estimate) in
            [("representation", &c.representation), ("representation_skew", &c.skew), ("impact_ratio", &c.impact_ratio)]
        {
            (self.write)(Line { metric, ..line.clone() }.of(estimate))?;
        }
        (self.write)(Line { metric: "adjusted_residual", p_value: c.p_value, ..line }.of(&residual))
    }

    fn disparity(&mut self, table: &Line<'r>, d: &'r Disparity) -> Result<(), E> {
        let line = Line {
            group: d.group.as_deref().unwrap_or(""),
            stratum: d.stratum.as_deref().unwrap_or(""),
            metric: &d.metric,
            comparison: word(d),
            against: Cow::from(&*d.against),
            p_value: d.p_value,
            ..table.clone()
        };
        (self.write)(line.of(&d.estimate))
    }

    /// What each stratum adds to the two parts of a difference from the reference group.
    fn conditioning(&mut self, table: &Line<'r>, t: &'r AttributeTable, c: &'r Conditioning) -> Result<(), E> {
        let against = t.reference.as_deref().unwrap_or("reference");
        for part in &c.parts {
            for (metric, value) in
                [("explained_difference", part.explained), ("unexplained_difference", part.unexplained)]
            {
                let line = Line {
                    group: &part.group,
                    stratum: &part.stratum,
                    metric,
                    comparison: "value",
                    against: Cow::from(against),
                    ..table.clone()
                };
                (self.write)(line.bare(Some(value), ""))?;
            }
        }
        Ok(())
    }

    fn curves(&mut self, table: &Line<'r>, c: &'r Curves) -> Result<(), E> {
        let thresholds = c.thresholds.iter().map(|p| (p, "at_threshold", p.threshold));
        let budgets = c.budgets.iter().map(|p| (p, "at_budget", p.share));
        for (point, comparison, at) in thresholds.chain(budgets) {
            let line = Line { comparison, against: Cow::from(at.to_string()), ..table.clone() };
            self.point(&line, &c.groups, point)?;
        }
        Ok(())
    }

    fn point(&mut self, line: &Line<'r>, groups: &'r [String], point: &'r CurvePoint) -> Result<(), E> {
        for (group, at) in groups.iter().zip(&point.groups) {
            for (metric, figure) in [
                ("selection_rate", Some(&at.selection_rate)),
                ("true_positive_rate", at.true_positive_rate.as_ref()),
                ("false_positive_rate", at.false_positive_rate.as_ref()),
                ("precision", at.precision.as_ref()),
            ] {
                figure.into_iter().try_for_each(|f| (self.write)(Line { group, metric, ..line.clone() }.at_cut(f)))?;
            }
        }
        for (metric, figure) in [
            ("selection_difference", Some(&point.selection_difference)),
            ("impact_ratio", Some(&point.impact_ratio)),
            ("true_positive_gap", point.true_positive_gap.as_ref()),
            ("accuracy", point.accuracy.as_ref()),
            ("balanced_accuracy", point.balanced_accuracy.as_ref()),
        ] {
            figure.into_iter().try_for_each(|f| (self.write)(Line { metric, ..line.clone() }.at_cut(f)))?;
        }
        Ok(())
    }

    /// The tables of a rulebook, which count people.
    fn impact(&mut self, m: &'r ModelReport, t: &'r ImpactTable) -> Result<(), E> {
        for row in &t.rows {
            let line = Line {
                model: Cow::from(&m.model),
                attribute: &t.attribute,
                group: &row.category,
                metric: "rulebook_rate",
                rows: Some(row.people as f64),
                ..Line::default()
            };
            (self.write)(line.clone().bare(Some(row.rate), ""))?;
            let ratio = Line {
                metric: "rulebook_impact_ratio",
                comparison: "ratio",
                against: Cow::from(t.benchmark.as_deref().unwrap_or("")),
                p_value: row.test.as_ref().map(|test| test.fisher_p),
                ..line
            };
            (self.write)(ratio.bare(row.impact_ratio, "no benchmark with anybody selected"))?;
        }
        Ok(())
    }
}

fn word(d: &Disparity) -> &'static str {
    use crate::audit::Comparison::{Difference, Ratio, Value};
    match d.comparison {
        Difference => "difference",
        Ratio => "ratio",
        Value => "value",
    }
}
