//! Which column of a file plays which part.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Bands;
use super::Filter;
use super::batch::Top;
use super::binary::default_missing;
use crate::error::{Error, Result};

/// The parts that the columns of a file play in an audit.
///
/// # Examples
/// ```
/// use evenhand::data::Columns;
/// let columns = Columns::new()
///     .attribute("sex".parse()?)
///     .attribute("age:<=25,26-40,>40".parse()?)
///     .label("responded")
///     .decision("targeted");
/// assert_eq!(columns.attributes[1].name, "age");
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Columns {
    /// The protected attributes.
    pub attributes: Vec<LevelColumn>,
    /// What really happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The models' decisions: several are several models.
    pub decisions: Vec<String>,
    /// The models' scores. As many as there are decisions: each belongs to the decision of its place;
    /// one for several decisions: it belongs to all.
    pub scores: Vec<String>,
    /// Makes, from each score, a decision for each threshold.
    pub thresholds: Vec<f64>,
    /// Makes, from each score, a decision for each selection of the best.
    pub top: Vec<Top>,
    /// Segmentations: which segment each row is in.
    pub segments: Vec<SegmentColumns>,
    /// The weight of each row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
    /// The number that scores forecast.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Legitimate reasons for a difference; several are crossed.
    pub strata: Vec<LevelColumn>,
    /// The favourable values of a label or decision, by column.
    pub favorable: BTreeMap<String, Vec<String>>,
    /// The texts that mean missing.
    pub missing: Vec<String>,
    /// Which rows of files are looked at; all, if not set. In a policy file it is `where`.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
}

impl Default for Columns {
    fn default() -> Self {
        Columns {
            attributes: Vec::new(),
            label: None,
            decisions: Vec::new(),
            scores: Vec::new(),
            thresholds: Vec::new(),
            top: Vec::new(),
            segments: Vec::new(),
            weight: None,
            target: None,
            strata: Vec::new(),
            favorable: BTreeMap::new(),
            missing: default_missing(),
            filter: None,
        }
    }
}

/// The columns of a segmentation, and what is known of its segments.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SegmentColumns {
    /// The column of segments, and the name of the segmentation.
    pub column: String,
    /// Where rows are in several segments by parts: the column of each segment's shares, by the segment's name. `column`
    /// is then a name alone.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<String, String>,
    /// The segments from worst to best.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<String>,
    /// What each segment is worth to those in it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, f64>,
    /// The column of true classes, by the names of the segments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The column of earlier segments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub earlier: Option<String>,
}

impl SegmentColumns {
    /// A column of segments of which nothing else is known.
    pub fn plain(column: impl Into<String>) -> Self {
        SegmentColumns { column: column.into(), ..Self::default() }
    }

    /// Fails on what contradicts itself.
    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn check(&self) -> Result<()> {
        let setting = format!("the segmentation `{}`", self.column);
        if self.class.is_some() && self.earlier.is_some() {
            let expected = "one of them: audit the other beside it as a segmentation of its own";
            return Err(Error::setting(&setting, "given with true classes and earlier segments", expected));
        }
        super::batch::unique(&self.order.iter().map(String::as_str).collect::<Vec<_>>())?;
        match self.values.iter().find(|(_, v)| !v.is_finite()) {
            Some((name, value)) => Err(Error::setting(&setting, format!("`{name}` = {value}"), "finite values")),
            None => Ok(()),
        }
    }
}

/// A column of levels, as it stands or made: numbers cut into bands, levels merged or renamed.
///
/// Written `column`, `column:<=25,26-40,>40`, `column:quantiles:4`, or `column:new=old+old,other=old`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LevelColumn {
    /// The column, and the name of the attribute.
    pub name: String,
    /// How numbers become levels.
    pub bands: Option<Bands>,
    /// The new name of each old level; a level not listed keeps its own.
    pub rename: BTreeMap<String, String>,
}

impl LevelColumn {
    /// A column as it stands.
    pub fn plain(name: impl Into<String>) -> Self {
        LevelColumn { name: name.into(), bands: None, rename: BTreeMap::new() }
    }
}

impl FromStr for LevelColumn {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, rest) = match text.split_once(':') {
            Some((name, rest)) => (name.trim(), Some(rest.trim())),
            None => (text.trim(), None),
        };
        if name.is_empty() {
            return Err(Error::setting("the attribute", format!("`{text}`"), "the name of a column"));
        }
        let mut column = LevelColumn::plain(name);
        match rest {
            None => {}
            // `<=25` and `>=40` are bands; `=` elsewhere renames.
            Some(rest) if rest.replace("<=", "").replace(">=", "").contains('=') => {
                for part in rest.split(',') {
                    let Some((new, old)) = part.split_once('=') else {
                        return Err(Error::setting("the levels of an attribute", format!("`{part}`"), "`new=old+old`"));
                    };
                    for old in old.split('+') {
                        if column.rename.insert(old.trim().into(), new.trim().into()).is_some() {
                            return Err(Error::Duplicate { name: old.trim().into() });
                        }
                    }
                }
            }
            Some(rest) => column.bands = Some(rest.parse()?),
        }
        Ok(column)
    }
}

impl TryFrom<String> for LevelColumn {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<LevelColumn> for String {
    fn from(column: LevelColumn) -> Self {
        if let Some(bands) = &column.bands {
            return format!("{}:{bands}", column.name);
        }
        if column.rename.is_empty() {
            return column.name;
        }
        let mut merged: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (old, new) in &column.rename {
            merged.entry(new).or_default().push(old);
        }
        let parts: Vec<String> = merged.iter().map(|(new, old)| format!("{new}={}", old.join("+"))).collect();
        format!("{}:{}", column.name, parts.join(","))
    }
}

/// A model as its columns name it.
#[derive(Debug, Clone, PartialEq)]
#[cfg(any(feature = "csv", feature = "parquet"))]
pub(crate) struct ModelColumns {
    pub name: String,
    pub decision: Option<String>,
    pub score: Option<String>,
    pub threshold: Option<f64>,
    pub top: Option<Top>,
}

impl Columns {
    /// No columns yet, and the usual texts for missing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a protected attribute.
    #[must_use]
    pub fn attribute(mut self, column: LevelColumn) -> Self {
        self.attributes.push(column);
        self
    }

    /// Sets the label.
    #[must_use]
    pub fn label(mut self, column: impl Into<String>) -> Self {
        self.label = Some(column.into());
        self
    }

    /// Adds a decision.
    #[must_use]
    pub fn decision(mut self, column: impl Into<String>) -> Self {
        self.decisions.push(column.into());
        self
    }

    /// Adds a score.
    #[must_use]
    pub fn score(mut self, column: impl Into<String>) -> Self {
        self.scores.push(column.into());
        self
    }

    /// Adds a segmentation.
    #[must_use]
    pub fn segments(mut self, columns: SegmentColumns) -> Self {
        self.segments.push(columns);
        self
    }

    /// Sets the weight.
    #[must_use]
    pub fn weight(mut self, column: impl Into<String>) -> Self {
        self.weight = Some(column.into());
        self
    }

    /// Sets the number that scores forecast.
    #[must_use]
    pub fn target(mut self, column: impl Into<String>) -> Self {
        self.target = Some(column.into());
        self
    }

    /// Adds a stratum.
    #[must_use]
    pub fn stratum(mut self, column: LevelColumn) -> Self {
        self.strata.push(column);
        self
    }

    /// Says which values of a label or decision are favourable.
    #[must_use]
    pub fn favorable(mut self, column: impl Into<String>, value: impl Into<String>) -> Self {
        self.favorable.entry(column.into()).or_default().push(value.into());
        self
    }

    /// Looks only at rows of files that satisfy a condition.
    ///
    /// # Examples
    /// ```
    /// use evenhand::data::{Columns, source::Source};
    /// use evenhand::tally::Limits;
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("campaign.csv");
    /// std::fs::write(&path, "sex,age,targeted\nf,17,0\nm,34,1\nf,51,1\n")?;
    /// let columns = Columns::new().attribute("sex".parse()?).decision("targeted").filter("age >= 18".parse()?);
    /// let read = Source::open(&[&path])?.tally(&columns, &[], Limits::default())?;
    /// assert_eq!(read.tally.rows(), 2);
    /// assert_eq!(read.filtered.and_then(|f| f.rows_left_out), Some(1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = Some(filter);
        self
    }

    /// The models that decisions, scores, thresholds and selections make.
    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn models(&self) -> Result<Vec<ModelColumns>> {
        let made = !self.thresholds.is_empty() || !self.top.is_empty();
        if made && self.scores.is_empty() {
            return Err(Error::setting("the threshold or number to select", "given without a score", "a score column"));
        }
        let mut models: Vec<ModelColumns> = Vec::new();
        let paired = self.scores.len() == self.decisions.len() || self.scores.len() == 1;
        if !paired && !self.scores.is_empty() && !self.decisions.is_empty() {
            return Err(Error::setting(
                "the number of score columns",
                self.scores.len(),
                format!("one for all or one for each of the {} decisions", self.decisions.len()),
            ));
        }
        for (i, decision) in self.decisions.iter().enumerate() {
            let score = self.scores.get(i).or(if self.scores.len() == 1 { self.scores.first() } else { None });
            models.push(ModelColumns {
                name: decision.clone(),
                decision: Some(decision.clone()),
                score: score.cloned(),
                threshold: None,
                top: None,
            });
        }
        for score in &self.scores {
            let model = |name, threshold, top| ModelColumns {
                name,
                decision: None,
                score: Some(score.clone()),
                threshold,
                top,
            };
            models.extend(self.thresholds.iter().map(|t| model(format!("{score} >= {t}"), Some(*t), None)));
            models.extend(self.top.iter().map(|top| {
                let name = match top {
                    Top::Count(k) => format!("{score} top {k}"),
                    Top::Share(share) => format!("{score} top {}%", share * 100.0),
                    Top::AboveMedian => format!("{score} above median"),
                };
                model(name, None, Some(*top))
            }));
            if !made && self.decisions.is_empty() {
                models.push(model(score.clone(), None, None));
            }
        }
        super::batch::unique(&models.iter().map(|m| m.name.as_str()).collect::<Vec<_>>())?;
        Ok(models)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_columns_read_and_write_themselves() {
        for text in ["sex", "age:<=25,26-40,>40", "age:quantiles:4", "race:Asian=a+b,Other=c"] {
            assert_eq!(String::from(text.parse::<LevelColumn>().unwrap()), text);
        }
        assert!("".parse::<LevelColumn>().is_err());
        assert!("race:A=x,B=x".parse::<LevelColumn>().is_err());
        assert!("age:>=18,<18".parse::<LevelColumn>().is_err());
    }

    #[test]
    fn models_are_paired_or_made() {
        let names = |c: &Columns| c.models().unwrap().into_iter().map(|m| (m.name, m.score)).collect::<Vec<_>>();
        let some = |s: &str| Some(s.to_string());
        let mut columns = Columns::new().decision("d").score("s");
        assert_eq!(names(&columns), [("d".into(), some("s"))]);
        columns.thresholds = vec![0.5];
        assert_eq!(names(&columns), [("d".into(), some("s")), ("s >= 0.5".into(), some("s"))]);
        assert_eq!(names(&Columns::new().score("s")), [("s".into(), some("s"))]);
        assert_eq!(
            names(&Columns::new().decision("a").decision("b").score("s")),
            [("a".into(), some("s")), ("b".into(), some("s"))]
        );
        assert!(Columns::new().decision("a").score("s").score("t").models().is_err());
        assert!(Columns { top: vec![Top::Count(3)], ..Columns::new() }.models().is_err());
    }
}
