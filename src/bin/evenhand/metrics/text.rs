//! The catalog for a terminal of 80 columns.

use std::fmt::Write;

use evenhand::metrics::catalog;

use super::{Listing, better, compares, forms, needed, needs, of, range, scale};
use crate::manner;

const WIDTH: usize = 80;

/// The list.
pub fn text(listing: &Listing) -> String {
    let mut out = String::new();
    let heading = |title: &str, out: &mut String| {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(title);
        out.push('\n');
    };
    if !listing.metrics.is_empty() {
        heading("METRICS of one group (TP, FP, FN, TN: sums of weights by label and decision)", &mut out);
    }
    for metric in &listing.metrics {
        let _ = write!(out, "\n{}\n", metric.name);
        line(&mut out, "is", metric.title);
        line(&mut out, "formula", metric.formula);
        line(&mut out, "needs", &needs(metric).join(", "));
        line(&mut out, "range", &format!("{}; {}", range(metric), better(metric.direction)));
        told(&mut out, metric.name);
        line(&mut out, "source", metric.source);
        line(&mut out, "also", metric.also);
    }
    if !listing.criteria.is_empty() {
        heading("CRITERIA: comparisons of groups that the field has names for", &mut out);
    }
    for criterion in &listing.criteria {
        let _ = write!(out, "\n{}\n", criterion.name);
        line(&mut out, "asks", criterion.title);
        line(&mut out, "compares", &compares(criterion));
        line(&mut out, "as", forms(criterion));
        if criterion.conditional {
            line(&mut out, "needs", "strata (`--stratum`)");
        }
        told(&mut out, criterion.name);
        line(&mut out, "source", criterion.source);
        line(&mut out, "also", criterion.also);
    }
    if !listing.measures.is_empty() {
        heading("MEASURES of decisions, scores, segments, uplift and delivery", &mut out);
    }
    for measure in &listing.measures {
        let _ = write!(out, "\n{}\n", measure.name);
        line(&mut out, "is", measure.title);
        line(&mut out, "of", of(measure));
        line(&mut out, "formula", measure.formula);
        line(&mut out, "needs", &needed(measure));
        line(&mut out, "range", &scale(measure));
        told(&mut out, measure.name);
        line(&mut out, "source", measure.source);
        line(&mut out, "also", measure.also);
    }
    out
}

/// How sure it is told to be, and when it is not told.
fn told(out: &mut String, name: &str) {
    if let Some(method) = catalog::method(name) {
        line(out, "interval", method.interval);
        line(out, "undefined", method.undefined);
    }
}

/// A key and its text, the text wrapped beside it.
fn line(out: &mut String, key: &str, value: &str) {
    const INDENT: usize = 12;
    if value.is_empty() {
        return;
    }
    let _ = writeln!(out, "  {key:<w$}{}", manner::wrap(value, INDENT, INDENT, WIDTH), w = INDENT - 2);
}
