//! What would be at other thresholds: a compact table.

use super::Curves;
use super::words::width;
use crate::metrics::scores::{CurveFigure, CurvePoint};

/// What the columns mean.
pub(super) const LEGEND: &str = "Selected: the share of these rows from this threshold on, in percent, as TPR gap and \
accuracy. Impact ratio: smallest over largest selection rate; limits hold at every threshold at once. ◀: as it is decided \
now.";

/// The points nearest to the deciles of the scores, and the current one, by falling threshold.
pub(super) fn shown(curves: &Curves) -> Vec<(&CurvePoint, bool)> {
    let mut points: Vec<(&CurvePoint, bool)> = Vec::new();
    for tenth in 1..=9 {
        let off = |p: &&CurvePoint| (p.share - f64::from(tenth) / 10.0).abs();
        let nearest = curves.thresholds.iter().min_by(|a, b| off(a).total_cmp(&off(b)));
        let Some(point) = nearest.filter(|p| points.last().is_none_or(|(l, _)| l.threshold != p.threshold)) else {
            continue;
        };
        points.push((point, false));
    }
    if let Some(current) = &curves.current {
        let at = points.partition_point(|(p, _)| p.share < current.share);
        match points.get_mut(at) {
            // The very same cut.
            Some(same) if same.0.share == current.share => *same = (current, true),
            _ => points.insert(at, (current, true)),
        }
    }
    points
}

/// The table: its headings and its rows; the last column marks what is decided now.
pub(super) fn rows(curves: &Curves, limits: bool) -> Vec<Vec<String>> {
    let points = shown(curves);
    let number = |v: f64, decimals: usize| format!("{v:.decimals$}");
    let figure = |f: Option<&CurveFigure>, scale: f64, decimals: usize| match f.and_then(|f| f.value) {
        Some(value) => number(scale * value, decimals),
        None => "–".into(),
    };
    let ratio = |f: &CurveFigure| match (f.value, f.band.filter(|_| limits)) {
        (Some(v), Some([low, high])) => format!("{v:.3} [{low:.2}, {high:.2}]"),
        (Some(v), None) => format!("{v:.3}"),
        _ => "–".into(),
    };
    let largest = points.iter().map(|(p, _)| p.threshold.abs()).fold(0.0, f64::max);
    let threshold = |v: f64| if (0.1..1e6).contains(&largest) { number(v, 3) } else { format!("{v:.3e}") };
    let labelled = points.iter().any(|(p, _)| p.accuracy.is_some());
    let mut table: Vec<Vec<String>> = vec![["Threshold", "Selected", "Impact ratio"].map(String::from).to_vec()];
    if labelled {
        table[0].extend(["TPR gap", "Accuracy"].map(String::from));
    }
    for (p, current) in points {
        let mut row = vec![threshold(p.threshold), number(100.0 * p.share, 1), ratio(&p.impact_ratio)];
        if labelled {
            row.push(figure(p.true_positive_gap.as_ref(), 100.0, 1));
            row.push(figure(p.accuracy.as_ref(), 100.0, 1));
        }
        row.push(if current { "◀".into() } else { String::new() });
        table.push(row);
    }
    table[0].push(String::new());
    table
}

/// The table, a line each, without limits where they do not fit the room.
pub(super) fn lines(curves: &Curves, room: usize) -> Vec<String> {
    let laid_out = |limits: bool| -> Vec<String> {
        let table = rows(curves, limits);
        let wide: Vec<usize> =
            (0..table[0].len()).map(|i| table.iter().map(|r| width(&r[i])).max().unwrap_or(0)).collect();
        let line = |row: &Vec<String>| {
            let cells: Vec<String> =
                row.iter().zip(&wide).map(|(c, w)| format!("{}{c}", " ".repeat(w.saturating_sub(width(c))))).collect();
            cells.join("  ").trim_end().to_string()
        };
        table.iter().map(line).collect()
    };
    let lines = laid_out(true);
    if lines.iter().all(|l| width(l) <= room) { lines } else { laid_out(false) }
}
