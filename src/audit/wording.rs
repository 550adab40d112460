//! Findings in plain words.

use super::figures::{Figure, Kind};
use super::slice::{Slice, Subject};
use super::{Against, Comparison, Criterion, Verdict};
use crate::metrics::Estimate;
use crate::metrics::catalog::{self, Entry};

/// What a sentence is about.
pub(crate) struct About<'a> {
    pub slice: &'a Slice<'a>,
    pub subject: &'a Subject,
    pub criterion: &'a Criterion,
    pub estimate: &'a Estimate,
    /// Positions of the highest and the lowest group, or of the one compared.
    pub extremes: Option<(usize, usize)>,
    pub verdict: Verdict,
}

/// A share as a percentage, anything else as a number.
pub(crate) fn figure(entry: Option<&Entry>, value: f64) -> String {
    match entry {
        Some(entry) if entry.least == 0.0 && entry.most == Some(1.0) => percent(value),
        _ => number(value),
    }
}

pub(crate) fn percent(value: f64) -> String {
    format!("{:.1} %", value * 100.0)
}

/// Three significant digits, without an exponent for the usual sizes.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        "0".into()
    } else if (0.001..100_000.0).contains(&size) {
        let digits = (2 - size.log10().floor() as i32).clamp(0, 5) as usize;
        format!("{value:.digits$}")
    } else {
        format!("{value:.2e}")
    }
}

impl About<'_> {
    /// The figure that the sentence quotes, where it is of one group.
    fn leading(&self) -> Option<&Figure<'_>> {
        self.slice.scope.figures.get(self.subject.leading())
    }

    fn entry(&self) -> Option<&'static Entry> {
        catalog::metric(self.leading()?.name())
    }

    /// A disparity: points of percentage for shares, plain numbers otherwise.
    fn disparity(&self, value: f64) -> String {
        match (self.criterion.comparison, self.entry()) {
            (Comparison::Difference, Some(e)) if e.least == 0.0 && e.most == Some(1.0) => {
                format!("{:.1}", value * 100.0)
            }
            (Comparison::Difference | Comparison::Value, _) => number(value),
            (Comparison::Ratio, _) => format!("{value:.2}"),
        }
    }

    fn unit(&self) -> &'static str {
        match (self.criterion.comparison, self.entry()) {
            (Comparison::Difference, Some(e)) if e.least == 0.0 && e.most == Some(1.0) => " points",
            _ => "",
        }
    }

    fn bound(&self) -> f64 {
        self.criterion.maximum.or(self.criterion.minimum).unwrap_or_default()
    }

    pub fn sentence(&self) -> String {
        let by = format!("By {}", self.slice.name);
        let name = self.criterion.metric.replace('_', " ");
        let Some(value) = self.estimate.value else {
            let why = self.estimate.reason.map_or_else(String::new, |r| format!(": {r}"));
            let bounds = self.estimate.bounds.map_or_else(String::new, |[low, high]| {
                format!(
                    "; whatever the unknown labels are, it lies between {} and {}{}",
                    self.disparity(low),
                    self.disparity(high),
                    self.unit()
                )
            });
            return format!("{by}, {name} cannot be known{why}{bounds}.");
        };
        let kind = match self.criterion.comparison {
            Comparison::Difference => "a difference of",
            Comparison::Ratio => "a ratio of",
            Comparison::Value => "a value of",
        };
        let confidence = percent(self.slice.scope.level).replace(".0 %", " %");
        let interval = match (self.estimate.low, self.estimate.high) {
            (Some(low), Some(high)) => {
                format!(" ({confidence} interval {} to {})", self.disparity(low), self.disparity(high))
            }
            (Some(low), None) => format!(" ({confidence} interval from {} upward)", self.disparity(low)),
            _ => " (no interval)".into(),
        };
        let relation = match (self.verdict, self.criterion.comparison) {
            (Verdict::Pass, Comparison::Difference | Comparison::Value) => "within",
            (Verdict::Pass, Comparison::Ratio) => "which meets",
            (Verdict::Fail, Comparison::Difference) => "more than",
            (Verdict::Fail, Comparison::Ratio) => "short of",
            (Verdict::Fail, Comparison::Value) => "outside",
            (Verdict::Inconclusive, _) => "not clearly on either side of",
        };
        let limit = match self.criterion.comparison {
            Comparison::Difference => format!("the {}{} that {name} allows", self.disparity(self.bound()), self.unit()),
            Comparison::Ratio => format!("the {} that {name} asks for", self.disparity(self.bound())),
            Comparison::Value => match (self.criterion.minimum, self.criterion.maximum) {
                (Some(least), Some(most)) => format!("the {} to {} that are allowed", number(least), number(most)),
                (Some(least), None) => format!("the {} and more that are allowed", number(least)),
                (None, most) => format!("the {} that is allowed", number(most.unwrap_or_default())),
            },
        };
        format!(
            "{by}, {}: {kind} {}{}{interval}, {relation} {limit}.",
            self.groups(),
            self.disparity(value),
            self.unit()
        )
    }

    /// The groups that the figure is of, with their own figures.
    fn groups(&self) -> String {
        let leading = self.subject.leading();
        if let Subject::Measure(measure) = self.subject {
            return self.measured(measure.entry().title);
        }
        let name = self.leading().map(|f| f.name()).unwrap_or_default();
        let scope = self.slice.scope;
        let title = match self.entry() {
            // Nobody is selected for a segment: people are in it.
            Some(e) if scope.kind == Kind::OneVsRest && e.name == "selection_rate" => {
                format!("share in `{}`", scope.about().0)
            }
            Some(entry) => entry.title.to_string(),
            // A measure of groups has its title in the catalog; a figure of the user's own only its name.
            None => catalog::measure(name).map_or(name, |m| m.title).to_string(),
        };
        let own = |part: usize| {
            let part = &self.slice.parts[part];
            let value = part.figures.get(leading).and_then(|m| m.estimate.value).map(|v| figure(self.entry(), v));
            (part.name.clone(), value.unwrap_or_else(|| "undefined".into()))
        };
        match (self.extremes, self.criterion.against) {
            (Some((high, low)), Against::BetweenGroups) => {
                let ((high, a), (low, b)) = (own(high), own(low));
                if self.subject.is_of_parts() {
                    format!("{high} and {low} are furthest apart")
                } else {
                    format!("the {title} is {a} for {high} and {b} for {low}")
                }
            }
            (Some((part, _)), against) => {
                let (name, value) = own(part);
                let with = match against {
                    Against::Rest => "all others".into(),
                    Against::Overall => "everybody".into(),
                    _ => self.slice.against_name(against),
                };
                format!("{name} ({title}: {value}) against {with}")
            }
            (None, _) => format!("over all groups, the {title}"),
        }
    }
}

impl About<'_> {
    /// The groups that a measure of two, or of all, is of.
    fn measured(&self, title: &str) -> String {
        let name = |part: usize| self.slice.parts[part].name.as_str();
        match (self.extremes, self.criterion.against) {
            (Some((a, b)), Against::BetweenGroups) if a != b => {
                format!("{title}, {} and {} furthest apart", name(a), name(b))
            }
            (Some((part, _)), Against::Rest) => format!("{title}, {} against all others", name(part)),
            (Some((part, _)), against) => {
                format!("{title}, {} against {}", name(part), self.slice.against_name(against))
            }
            (None, _) => format!("over all groups, {title}"),
        }
    }
}

/// 1234567 as `1,234,567`.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
