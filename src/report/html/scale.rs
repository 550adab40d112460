//! Places on a chart. They are written in percent of its width, so that a chart stretches with the page and its text
//! does not.

use crate::report::words::Unit;

/// A stretch of numbers that is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    from: f64,
    to: f64,
}

/// A number on an axis.
#[derive(Debug)]
pub(super) struct Tick {
    /// Where.
    pub x: String,
    /// The side of the place that its text is on: `s` starts there, `m` has its middle, `e` its end there.
    pub side: &'static str,
    /// What is written.
    pub text: String,
}

impl Scale {
    /// Of these ends; none where nothing would be seen between them.
    pub fn new(from: f64, to: f64) -> Option<Self> {
        ((to - from).is_finite() && to > from).then_some(Scale { from, to })
    }

    /// With 0 on it, round ends, and room for all values.
    pub fn around(values: impl IntoIterator<Item = Option<f64>>, unit: Unit) -> Option<Self> {
        let (mut least, mut most) = (0.0f64, 0.0f64);
        for v in values.into_iter().flatten().filter(|v| v.is_finite()) {
            (least, most) = (least.min(v), most.max(v));
        }
        let whole = matches!(unit, Unit::Percent | Unit::Points) && most <= 1.0;
        let most = if whole { round_up(most).min(1.0) } else { round_up(most) };
        Self::new(-round_up(-least), most)
    }

    /// With round ends close around these, where 0 would leave most of it empty.
    pub fn close(least: f64, most: f64, unit: Unit) -> Option<Self> {
        let room = (most - least).max(most.abs() * 0.02).max(1e-9);
        let step = rounded(room / 4.0, &[1.0, 2.0, 5.0, 10.0]);
        if !(room.is_finite() && step > 0.0) {
            return None;
        }
        let (from, to) = ((least / step).floor() * step, (most / step).ceil() * step);
        let (from, to) = if from < to { (from, to) } else { (from - step, to + step) };
        // No share is below 0 or above 1.
        let share = unit == Unit::Percent && least >= 0.0 && most <= 1.0;
        if share { Self::new(from.max(0.0), to.min(1.0)) } else { Self::new(from, to) }
    }

    /// Its ends.
    pub fn ends(self) -> [f64; 2] {
        [self.from, self.to]
    }

    /// Whether a number is on it.
    pub fn holds(self, v: f64) -> bool {
        v >= self.from && v <= self.to
    }

    /// The place of a number, from 0 to 100; what lies outside is at the end.
    pub fn at(self, v: f64) -> f64 {
        (100.0 * ((v - self.from) / (self.to - self.from))).clamp(0.0, 100.0)
    }

    /// The place as it is written.
    pub fn x(self, v: f64) -> String {
        place(self.at(v))
    }

    /// The ends and 0 between them, or the middle.
    pub fn ticks(self, unit: Unit) -> Vec<Tick> {
        let middle = if self.from < 0.0 && self.to > 0.0 { 0.0 } else { (self.from + self.to) / 2.0 };
        let places = [(self.from, "s"), (middle, "m"), (self.to, "e")];
        let crowded = |v: f64| !(20.0..=80.0).contains(&self.at(v));
        let shown = places.into_iter().filter(|(v, side)| *side != "m" || !crowded(*v));
        shown.map(|(v, side)| Tick { x: self.x(v), side, text: number(v, unit) }).collect()
    }
}

/// The next number with few digits, near enough to leave little room empty.
fn round_up(v: f64) -> f64 {
    rounded(v, &[1.0, 1.2, 1.6, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0])
}

/// The least of these times a power of ten that is no smaller; 0 for what is not above 0.
fn rounded(v: f64, steps: &[f64]) -> f64 {
    if v <= 0.0 || !v.is_finite() {
        return 0.0;
    }
    let power = 10f64.powf(v.log10().floor());
    steps.iter().map(|m| m * power).find(|r| *r >= v).unwrap_or(v)
}

/// A number on an axis: `25 %`, `0.80`.
pub(super) fn number(v: f64, unit: Unit) -> String {
    let suffix = if unit == Unit::Points { "" } else { unit.suffix() };
    let text = unit.bare(v, unit.decimals(v));
    let short = match text.contains('.') && !text.contains('e') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    format!("{short}{suffix}").replace(' ', "\u{a0}")
}

/// A place as it is written: short, and never an exponent.
pub(super) fn place(percent: f64) -> String {
    let text = format!("{percent:.1}");
    text.strip_suffix(".0").map(String::from).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_inside_and_ends_are_round() {
        let s = Scale::around([Some(0.031), Some(0.27), None], Unit::Percent).unwrap();
        assert_eq!((s.x(0.0), s.x(0.15), s.x(9.0)), ("0".into(), "50".into(), "100".into()));
        let texts: Vec<String> = s.ticks(Unit::Percent).into_iter().map(|t| t.text).collect();
        assert_eq!(texts, ["0\u{a0}%", "15\u{a0}%", "30\u{a0}%"]);
        let near = |a: f64, b: f64| Scale::close(a, b, Unit::Percent).unwrap().ends().map(|v| (1e6 * v).round() / 1e6);
        assert_eq!(near(0.83, 0.86), [0.83, 0.86]);
        assert_eq!(near(0.832, 0.857), [0.83, 0.86]);
        assert_eq!((near(0.4, 1.0)[1], near(0.0, 0.4)[0]), (1.0, 0.0));
        assert!(near(0.5, 0.5)[0] < 0.5 && near(0.5, 0.5)[1] > 0.5);
        let two = Scale::around([Some(-0.3), Some(0.2)], Unit::Points).unwrap();
        assert_eq!(two.ticks(Unit::Points).iter().map(|t| t.text.as_str()).collect::<Vec<_>>(), ["-30", "0", "20"]);
        assert!(Scale::around([None, Some(f64::NAN)], Unit::Plain).is_none());
        assert!(Scale::new(0.0, f64::INFINITY).is_none());
    }
}
