//! What is asked of an engine: the columns of the answer, each with the column of the table that it comes from.

use serde::Serialize;

use crate::data::source::Source;
use crate::data::{Bands, Columns, Condition, Filter, LevelColumn, Range};
use crate::error::{Error, Result};

/// The columns of the answer, apart from counts and checks.
#[derive(Debug, Serialize)]
pub(super) struct Question {
    /// Attributes, strata, segments and classes.
    pub levels: Vec<Level>,
    pub binaries: Vec<Binary>,
    pub scores: Vec<Score>,
    pub weight: Option<String>,
    /// The texts that mean missing.
    pub missing: Vec<String>,
    /// What rows must satisfy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
}

/// Levels of the answer.
#[derive(Debug, Serialize)]
pub(super) struct Level {
    /// What they are called in the answer.
    pub name: String,
    pub part: Part,
    /// Where they come from.
    pub column: LevelColumn,
}

/// What levels are for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) enum Part {
    Attribute,
    Stratum,
    /// Of the segmentation of this number.
    Segment(usize),
    Class(usize),
}

/// A label or decision of the answer.
#[derive(Debug, Serialize)]
pub(super) struct Binary {
    pub name: String,
    pub column: String,
    pub favorable: Vec<String>,
}

/// A score of the answer.
#[derive(Debug, Serialize)]
pub(super) struct Score {
    pub name: String,
    pub column: String,
}

impl Level {
    /// The bands that numbers are cut into.
    pub fn ranges(&self) -> Option<&[Range]> {
        match &self.column.bands {
            Some(Bands::Ranges(ranges)) => Some(ranges),
            _ => None,
        }
    }
}

impl Question {
    /// What a plan asks for; `extra` are further attributes, as for [`Source::tally`].
    pub fn new(asked: &Columns, extra: &[LevelColumn]) -> Result<Self> {
        Source::check(asked, extra)?;
        if !asked.missing.iter().any(String::is_empty) {
            let expected = "the empty text among them: a table of counts cannot tell it from no value";
            return Err(Error::setting(
                "the list of texts that mean missing",
                format!("{:?}", asked.missing),
                expected,
            ));
        }
        if let Some(target) = &asked.target {
            let expected =
                "no target: errors of forecasts are sums of powers, which SQL's sums round otherwise; read the rows";
            return Err(Error::setting("the target", format!("`{target}`"), expected));
        }
        let mut attributes: Vec<&LevelColumn> = asked.attributes.iter().collect();
        for further in extra {
            if !attributes.contains(&further) {
                attributes.push(further);
            }
        }
        let mut levels = Vec::new();
        for (columns, part, word) in
            [(attributes, Part::Attribute, "attribute"), (asked.strata.iter().collect(), Part::Stratum, "stratum")]
        {
            let level = |(at, column): (usize, &LevelColumn)| Level {
                name: format!("{word}_{}", at + 1),
                part,
                column: column.clone(),
            };
            levels.extend(columns.into_iter().enumerate().map(level));
        }
        for (at, segments) in asked.segments.iter().enumerate() {
            if !segments.parts.is_empty() {
                let setting = format!("the segmentation `{}`", segments.column);
                let expected = "one segment a row: shares of rows are rounded one by one, which SQL does otherwise";
                return Err(Error::setting(&setting, "given by parts", expected));
            }
            let plain = |word: &str, part, column: &str| Level {
                name: format!("{word}_{}", at + 1),
                part,
                column: LevelColumn::plain(column),
            };
            levels.push(plain("segment", Part::Segment(at), &segments.column));
            let class = segments.class.as_ref().or(segments.earlier.as_ref());
            levels.extend(class.map(|column| plain("class", Part::Class(at), column)));
        }
        levels.iter().try_for_each(|level| check_level(&level.column, &asked.missing))?;
        let binary = |name: String, column: &String| Binary {
            name,
            column: column.clone(),
            favorable: asked.favorable.get(column).cloned().unwrap_or_default(),
        };
        let decisions = asked.decisions.iter().enumerate().map(|(at, c)| binary(format!("decision_{}", at + 1), c));
        let binaries = asked.label.iter().map(|c| binary("label".into(), c)).chain(decisions).collect();
        let scores = asked.scores.iter().enumerate();
        Ok(Question {
            levels,
            binaries,
            scores: scores.map(|(at, c)| Score { name: format!("score_{}", at + 1), column: c.clone() }).collect(),
            weight: asked.weight.clone(),
            missing: asked.missing.clone(),
            filter: asked.filter.clone(),
        })
    }

    /// A mark of what is asked: equal questions, and hardly others, have equal ones.
    pub fn mark(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        // Serialising plain text to a hash cannot fail.
        let _ = serde_json::to_writer(&mut hasher, self);
        hasher.finalize().to_hex()[..16].to_string()
    }

    /// The columns that a fault may be found in, by the number of the fault less one: the column of the table and what it
    /// needs.
    pub fn checked(&self) -> Vec<(&str, &'static str)> {
        let level = |l: &Level| if l.ranges().is_some() { BANDED } else { TEXT };
        let levels = self.levels.iter().map(|l| (l.column.name.as_str(), level(l)));
        let binaries = self.binaries.iter().map(|b| (b.column.as_str(), TEXT));
        let scores = self.scores.iter().map(|s| (s.column.as_str(), SCORE));
        levels
            .chain(binaries)
            .chain(scores)
            .chain(self.weight.iter().map(|w| (w.as_str(), crate::data::WEIGHT)))
            .chain(self.conditions().iter().map(|c| (c.column.as_str(), c.test.expected())))
            .collect()
    }

    /// What rows must satisfy, all of it.
    pub fn conditions(&self) -> &[Condition] {
        self.filter.as_ref().map_or(&[], Filter::conditions)
    }
}

const TEXT: &str =
    "text, whole numbers, decimals, dates, or true and false; cast what it is to text, or cut numbers into bands";
const BANDED: &str = "numbers that fall in the bands";
const SCORE: &str = "finite numbers (NULL, or a text that means missing, where there is none)";

/// Fails on what an engine would do otherwise than a reader of files.
fn check_level(column: &LevelColumn, missing: &[String]) -> Result<()> {
    let setting = format!("the column `{}`", column.name);
    match &column.bands {
        Some(Bands::Quantiles(_)) => {
            let expected = "bands by their ends, `<=25,26-40,>40`: quantiles need all rows in one place";
            return Err(Error::setting(&setting, "cut by quantiles", expected));
        }
        Some(Bands::Ranges(_)) if !column.rename.is_empty() => {
            return Err(Error::setting(&setting, "renamed and cut into bands", "one of them"));
        }
        Some(Bands::Ranges(ranges)) => {
            if let Some(range) = ranges.iter().find(|r| missing.iter().any(|m| m == r.label())) {
                let expected = "bands whose names do not mean missing";
                return Err(Error::setting(&setting, format!("cut into the band `{}`", range.label()), expected));
            }
        }
        None => {}
    }
    match column.rename.values().find(|new| new.trim() != new.as_str()) {
        Some(new) => Err(Error::setting(&setting, format!("renamed to `{new}`"), "a name without space around it")),
        None => Ok(()),
    }
}
