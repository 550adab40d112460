//! Charts with lines, dots and areas on two axes. Places on them go from 0 to 100, to the right and downward.

use super::scale::{Scale, number, place};
use super::sheet::Sheet;
use crate::report::words::Unit;

/// Lines that can be told apart by their dashes.
pub(super) const LINES: usize = 6;

/// An axis: what it is of, and the numbers at its ends and in its middle.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub title: String,
    pub numbers: [String; 3],
}

impl Axis {
    pub fn new(title: impl Into<String>, scale: Scale, unit: Unit) -> Self {
        let [from, to] = scale.ends();
        Axis { title: title.into(), numbers: [from, (from + to) / 2.0, to].map(|v| number(v, unit)) }
    }
}

/// A chart with its table.
#[derive(Debug)]
pub(super) struct Chart {
    /// What it is called where charts are named: `roc`.
    pub kind: &'static str,
    pub title: String,
    pub across: Axis,
    pub up: Axis,
    /// An area, as the points around it.
    pub band: Option<Points>,
    pub lines: Vec<Line>,
    /// Where the decisions are made now, and what is said of it.
    pub now: Option<(String, &'static str)>,
    /// Whether a diagonal is drawn.
    pub diagonal: bool,
    pub notes: Vec<String>,
    pub sheet: Sheet,
}

/// A line: its name, its dashes, its points.
#[derive(Debug)]
pub(super) struct Line {
    pub name: String,
    pub class: String,
    pub points: Points,
}

/// Points on a chart.
#[derive(Debug, Clone, Default)]
pub(super) struct Points(Vec<[f64; 2]>);

impl Points {
    pub fn of(places: impl IntoIterator<Item = (f64, f64)>, across: Scale, up: Scale) -> Self {
        Points(places.into_iter().map(|(x, y)| [across.at(x), 100.0 - up.at(y)]).collect())
    }

    /// As SVG has them, in a drawing of this width and height.
    pub fn within(&self, [width, height]: [f64; 2]) -> String {
        let point = |[x, y]: &[f64; 2]| format!("{},{}", place(x * width / 100.0), place(y * height / 100.0));
        self.0.iter().map(point).collect::<Vec<_>>().join(" ")
    }
}

impl std::fmt::Display for Points {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.within([100.0; 2]))
    }
}

/// Charts of one kind side by side, one for each group, on the same axes; they have one table together.
#[derive(Debug)]
pub(super) struct Panels {
    pub title: String,
    pub across: Axis,
    pub up: Axis,
    pub panels: Vec<Panel>,
    pub notes: Vec<String>,
    pub sheet: Sheet,
}

/// One group's chart: dots with what is sure of them.
#[derive(Debug)]
pub(super) struct Panel {
    pub name: String,
    pub dots: Vec<Dot>,
    pub line: Points,
}

/// A place to the right, a figure, and its interval.
pub(super) type Figure = (f64, f64, Option<(f64, f64)>);

/// A dot and the ends of its interval.
#[derive(Debug)]
pub(super) struct Dot {
    pub x: String,
    pub y: String,
    pub ends: Option<(String, String)>,
}

impl Panel {
    /// Of figures from left to right.
    pub fn of(name: String, dots: &[Figure], across: Scale, up: Scale) -> Self {
        let down = |v: f64| place(100.0 - up.at(v));
        let dot = |(x, y, ends): &Figure| Dot {
            x: across.x(*x),
            y: down(*y),
            ends: ends.map(|(low, high)| (down(low), down(high))),
        };
        let line = Points::of(dots.iter().map(|d| (d.0, d.1)), across, up);
        Panel { name, dots: dots.iter().map(dot).collect(), line }
    }
}
