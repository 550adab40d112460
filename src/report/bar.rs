//! An interval against its bound, drawn in one line of text.

use super::words::{self, Unit};
use super::{Comparison, Finding};

/// What the signs of a bar mean.
pub(super) const LEGEND: &str = "● figure, ═ its interval, ┃ bound, ─ allowed, · not allowed";

/// The least columns that a bar is worth drawing in.
const LEAST: usize = 16;
const MOST: usize = 40;

/// From where to where a finding is drawn, and what is allowed there.
pub(super) struct Scale {
    pub from: f64,
    pub to: f64,
    pub floor: Option<f64>,
    pub ceiling: Option<f64>,
}

/// The scale of a finding; `None` if it has no figure.
pub(super) fn scale(f: &Finding) -> Option<Scale> {
    let value = f.estimate.value?;
    let (floor, ceiling) = allowed(f.comparison, &f.against, [f.minimum, f.maximum], value);
    let least = [Some(value), f.estimate.low, floor].into_iter().flatten().fold(0.0, f64::min);
    let most = [Some(value), f.estimate.high, ceiling].into_iter().flatten().fold(0.0, f64::max);
    let (from, to) = match f.comparison {
        Comparison::Ratio => (0.0, most.max(1.0)),
        Comparison::Difference | Comparison::Value => (-round_up(-least), round_up(most)),
    };
    Some(Scale { from, to, floor, ceiling })
}

/// The finding's interval on its scale, as in `0 ···══●══···┃────── 1`, at most `columns` wide; `None` if it
/// has no figure or the room is too small.
pub(super) fn draw(f: &Finding, columns: usize) -> Option<String> {
    let Scale { from, to, floor, ceiling } = scale(f)?;
    let (value, low, high) = (f.estimate.value?, f.estimate.low, f.estimate.high);
    let unit = Unit::compared(&f.criterion, f.comparison);
    let end = |v: f64| if v == 0.0 { "0".into() } else { unit.bare(v, unit.decimals(v)) };
    let (left, right) = (end(from), end(to));
    let room = columns.checked_sub(left.len() + right.len() + 2)?.min(MOST);
    if room < LEAST || to <= from || !(to - from).is_finite() {
        return None;
    }
    let at = |v: f64| (((v - from) / (to - from)).clamp(0.0, 1.0) * (room - 1) as f64).round() as usize;
    let fits = |cell: usize| floor.is_none_or(|b| cell >= at(b)) && ceiling.is_none_or(|b| cell <= at(b));
    let mut cells: Vec<char> = (0..room).map(|cell| if fits(cell) { '─' } else { '·' }).collect();
    if low.or(high).is_some() {
        cells[at(low.unwrap_or(from))..=at(high.unwrap_or(to))].fill('═');
    }
    for bound in [floor, ceiling].into_iter().flatten() {
        let cell = at(bound);
        cells[cell] = if cells[cell] == '═' { '╋' } else { '┃' };
    }
    cells[at(value)] = '●';
    Some(format!("{left} {} {right}", cells.into_iter().collect::<String>()))
}

/// Between what the figure has to be: the size of a difference has a most, a ratio a least, and one that may
/// be above 1 (against something) the reciprocal of it as its most.
pub(super) fn allowed(
    comparison: Comparison,
    against: &str,
    [minimum, maximum]: [Option<f64>; 2],
    value: f64,
) -> (Option<f64>, Option<f64>) {
    let between_groups = against == "between_groups" && value >= 0.0;
    match comparison {
        Comparison::Ratio => (minimum, minimum.filter(|m| *m > 0.0 && !between_groups).map(|m| 1.0 / m)),
        Comparison::Difference => (maximum.filter(|_| !between_groups).map(|m| -m), maximum),
        Comparison::Value => (minimum, maximum),
    }
}

/// The next round number: 1, 2 or 5 times a power of ten.
pub(super) fn round_up(v: f64) -> f64 {
    if v <= 0.0 || !v.is_finite() {
        return 0.0;
    }
    let power = 10f64.powf(v.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|r| *r >= v).unwrap_or(v)
}

/// The finding in figures: `0.61 [0.58, 0.64], needs at least 0.80`.
pub(super) fn figures(f: &Finding) -> String {
    let unit = Unit::compared(&f.criterion, f.comparison);
    format!("{}, needs {}", unit.estimate(&f.estimate), words::bound(unit, f.minimum, f.maximum))
}
