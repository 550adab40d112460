//! What an audit of uplift targeting found, and its forms for programs and spreadsheets.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::calibration::CalibrationBin;
use super::quadrants::Quadrants;
use crate::audit::Comparison;
use crate::error::{Error, Result};
use crate::metrics::Estimate;
use crate::report::json::written;

/// The version of the report's JSON.
const SCHEMA_VERSION: u32 = 1;

/// What an [`UpliftAudit`](super::UpliftAudit) found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpliftReport {
    /// The version of this structure.
    pub schema_version: u32,
    /// The version of evenhand that made it.
    pub version: String,
    /// How it was made.
    pub settings: UpliftSettings,
    /// The rows that were given.
    pub rows: u64,
    /// Those left out, since it is not known whether they were treated or what came of it.
    pub unknown_rows: u64,
    /// What was found, in plain sentences: the gravest first.
    pub findings: Vec<String>,
    /// What to know when reading it.
    pub notes: Vec<String>,
    /// All rows together.
    pub overall: UpliftGroupResult,
    /// By attribute.
    pub tables: Vec<UpliftTable>,
}

/// How an audit was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpliftSettings {
    /// How people came to be treated.
    pub assignment: String,
    /// Whether outcomes are 0 and 1.
    pub binary: bool,
    /// Whether outcome predictions made the effects doubly robust.
    pub doubly_robust: bool,
    /// Whether rows carry weights.
    pub weighted: bool,
    /// The level of the intervals.
    pub confidence: f64,
    /// Groups with fewer rows in an arm are shown, not compared.
    pub min_arm_size: u64,
}

/// The groups of one attribute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpliftTable {
    /// The attribute.
    pub attribute: String,
    /// The group that the others are compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Rows whose group is not known.
    pub missing_rows: u64,
    /// The groups.
    pub groups: Vec<UpliftGroupResult>,
    /// The comparisons between them.
    pub comparisons: Vec<UpliftComparison>,
}

/// The figures of one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpliftGroupResult {
    /// The group.
    pub group: String,
    /// Its rows.
    pub rows: u64,
    /// Of these, the treated.
    pub treated_rows: u64,
    /// Whether an arm has too few rows for the group to be compared.
    pub too_small: bool,
    /// Every measure that the data allow, by name.
    pub metrics: BTreeMap<String, Estimate>,
    /// The shares of persuadables, sure things, lost causes and do-not-disturbs, bounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quadrants: Option<Quadrants>,
    /// Predicted and observed effects by deciles of the score.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calibration: Vec<CalibrationBin>,
    /// The chance of such deciles if the predictions were true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration_p_value: Option<f64>,
    /// The Qini curve: share taken and gain for each treated person, at most 101 points.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub qini_curve: Vec<(f64, f64)>,
}

/// A comparison of one measure between groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpliftComparison {
    /// The measure.
    pub metric: String,
    /// Always the difference: effects may be on both sides of 0, where ratios mean nothing.
    pub comparison: Comparison,
    /// The group compared; `None` for all groups at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The reference group's name, or `between_groups`.
    pub against: String,
    /// The difference; of all groups the highest less the lowest, its interval holding for all pairs at once.
    pub estimate: Estimate,
    /// The chance of so large a difference if there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// The test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<String>,
    /// Of all groups, the one with the highest figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub highest: Option<String>,
    /// And the one with the lowest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lowest: Option<String>,
}

/// What stands in `against` for a comparison of all groups.
pub(super) const BETWEEN: &str = "between_groups";

impl UpliftTable {
    /// A group's figures.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn group(&self, name: &str) -> Result<&UpliftGroupResult> {
        let found = self.groups.iter().find(|g| g.group == name);
        let of = || format!(" of attribute `{}`", self.attribute);
        found.ok_or_else(|| Error::unknown("group", name, of(), self.groups.iter().map(|g| g.group.as_str())))
    }

    /// The comparison of all groups in one measure.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn between(&self, metric: &str) -> Result<&UpliftComparison> {
        let all = || self.comparisons.iter().filter(|c| c.against == BETWEEN && c.group.is_none());
        let found = all().find(|c| c.metric == metric);
        found.ok_or_else(|| Error::unknown("comparison of groups", metric, "", all().map(|c| c.metric.as_str())))
    }
}

impl UpliftGroupResult {
    /// A figure by name.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn metric(&self, name: &str) -> Result<&Estimate> {
        let found = self.metrics.get(name);
        found.ok_or_else(|| Error::unknown("metric", name, "", self.metrics.keys().map(String::as_str)))
    }
}

/// The columns of the report as CSV.
const COLUMNS: [&str; 12] = [
    "attribute",
    "group",
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

impl UpliftReport {
    pub(super) fn new(settings: UpliftSettings, overall: UpliftGroupResult) -> Self {
        UpliftReport {
            schema_version: SCHEMA_VERSION,
            version: env!("CARGO_PKG_VERSION").into(),
            settings,
            rows: 0,
            unknown_rows: 0,
            findings: Vec::new(),
            notes: Vec::new(),
            overall,
            tables: Vec::new(),
        }
    }

    /// The table of an attribute.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn table(&self, attribute: &str) -> Result<&UpliftTable> {
        let found = self.tables.iter().find(|t| t.attribute == attribute);
        let all = || self.tables.iter().map(|t| t.attribute.as_str());
        found.ok_or_else(|| Error::unknown("attribute", attribute, "", all()))
    }

    /// The report as JSON, indented, with a newline at its end.
    ///
    /// # Errors
    /// [`Error::BadReport`], which no report that came from an audit gives.
    pub fn to_json(&self) -> Result<String> {
        written(self)
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// [`Error::BadReport`] with the line, or with the version if it is another.
    pub fn from_json(text: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Versioned {
            schema_version: Option<serde_json::Value>,
        }
        let bad =
            |e: serde_json::Error| Error::BadReport { problem: format!("{e}; it needs JSON as evenhand writes it") };
        let versioned: Versioned = serde_json::from_str(text).map_err(bad)?;
        match versioned.schema_version {
            Some(v) if v == SCHEMA_VERSION => serde_json::from_str(text).map_err(bad),
            v => Err(Error::BadReport {
                problem: format!(
                    "its `schema_version` is {}, and this evenhand reads uplift reports of version {SCHEMA_VERSION}",
                    v.map_or("missing".into(), |v| v.to_string())
                ),
            }),
        }
    }

    /// Writes every figure as a line of CSV, with the columns
    /// `attribute,group,metric,comparison,against,value,low,high,p_value,rows,weight,reason`.
    ///
    /// All rows are the group `overall` of the attribute `overall`. A comparison of all groups has no `group` and is
    /// `against` `between_groups`. A figure that is only bounded has no `value`, its bounds as `low` and `high`, and a
    /// `reason` that says so. Numbers are in the shortest form that reads back as the same number.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_csv(&self, to: impl Write) -> io::Result<()> {
        let mut out = csv::Writer::from_writer(to);
        out.write_record(COLUMNS)?;
        let mut line = |place: [&str; 5], e: &Estimate, p_value: Option<f64>| -> csv::Result<()> {
            let number = |v: Option<f64>| v.map(|v| v.to_string()).unwrap_or_default();
            let (low, high) = match (e.value, e.bounds) {
                (None, Some([least, most])) => (Some(least), Some(most)),
                _ => (e.low, e.high),
            };
            let reason = match (e.value, e.reason, e.bounds) {
                (None, Some(why), Some(_)) => format!("{why}: low and high are the least and the most it could be"),
                (None, Some(why), None) => why.to_string(),
                _ => String::new(),
            };
            let figures = [e.value, low, high, p_value, Some(e.support.rows), Some(e.support.weight)].map(number);
            let fields = place.iter().copied().chain(figures.iter().map(String::as_str)).chain([reason.as_str()]);
            out.write_record(fields)
        };
        for (metric, e) in &self.overall.metrics {
            line(["overall", "overall", metric, "", ""], e, None)?;
        }
        for table in &self.tables {
            for g in &table.groups {
                for (metric, e) in &g.metrics {
                    line([&table.attribute, &g.group, metric, "", ""], e, None)?;
                }
            }
            for c in &table.comparisons {
                let (group, comparison) = (c.group.as_deref().unwrap_or(""), c.comparison.to_string());
                line([&table.attribute, group, &c.metric, &comparison, &c.against], &c.estimate, c.p_value)?;
            }
        }
        out.flush()
    }

    /// The report as CSV; see [`write_csv`](Self::write_csv).
    pub fn to_csv(&self) -> String {
        let mut bytes = Vec::new();
        // Memory refuses nothing, and what is written is made of strings.
        let _ = self.write_csv(&mut bytes);
        String::from_utf8(bytes).unwrap_or_default()
    }
}
