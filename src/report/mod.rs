//! The finished report: plain data that serialises, and the forms it is shown in.
//!
//! Nothing here computes a statistic, and no report holds a row.

mod annotations;
mod bar;
mod cards;
mod cells;
mod compared;
mod conditioning;
mod csv;
mod cuts;
mod document;
mod grid;
#[cfg(feature = "html")]
mod html;
mod impact;
pub(crate) mod json;
mod junit;
mod law;
mod lines;
mod long;
mod markdown;
mod marks;
mod measures;
mod mended;
mod mitigation;
#[cfg(feature = "parquet")]
mod parquet;
mod pieces;
mod scores;
mod text;
mod view;
pub(crate) mod words;

pub use cells::SegmentCell;
pub use conditioning::{Conditioning, ExplainedPart, Reversal, StratumOverlap};
pub use document::Document;
pub use impact::{ImpactRow, ImpactTable, ImpactTest};
pub use lines::TextStyle;
pub(crate) use measures::segment_name;
pub use scores::{GroupShape, ScoreBins, ScoreShapes};
pub(crate) use view::list;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::audit::{Comparison, Policy, Verdict};
use crate::data::Filtered;
use crate::error::{Error, Result};
use crate::metrics::Estimate;
use crate::metrics::scores::CurvePoint;
use crate::tally::DecisionRule;

/// The version of the report's JSON form.
pub const SCHEMA_VERSION: u32 = 1;

/// The result of an audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The version of this form: [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The worst verdict of all findings.
    pub verdict: Verdict,
    /// The verdict in a sentence.
    pub summary: String,
    /// What was audited, by whom and when: the audit trail.
    pub provenance: Provenance,
    /// What the data hold.
    pub data: DataSummary,
    /// How it was audited.
    pub settings: Settings,
    /// One part for each model.
    pub models: Vec<ModelReport>,
}

/// Where the figures come from, so that they can be made again.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Provenance {
    /// The version of evenhand.
    pub version: String,
    /// When, in RFC 3339 UTC; `None` where the caller gave no time.
    pub created: Option<String>,
    /// The command, where a tool ran the audit.
    pub command: Option<String>,
    /// The files read.
    pub inputs: Vec<InputFile>,
    /// A fingerprint of the counts that everything was computed from (BLAKE3).
    pub tally_digest: String,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InputFile {
    /// As it was named.
    pub path: String,
    /// `csv`, `csv.gz`, `csv.zst`, `parquet` or `arrow`.
    pub format: String,
    /// Its size.
    pub bytes: u64,
    /// Its rows.
    pub rows: u64,
    /// The BLAKE3 hash of its bytes.
    pub blake3: String,
}

/// What the data hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataSummary {
    /// Rows read, those that a filter left out apart.
    pub rows: u64,
    /// Their weight, where they carry weights.
    pub weight: Option<f64>,
    /// How far each attribute is known.
    pub attributes: Vec<Coverage>,
    /// How far each stratum is known.
    pub strata: Vec<Coverage>,
    /// Which rows were looked at, where not all were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filtered>,
}

/// How far a column of levels is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// The column.
    pub column: String,
    /// How many levels it has.
    pub levels: usize,
    /// The rows whose level is missing.
    pub missing_rows: u64,
    /// Their share of all rows.
    pub missing_share: f64,
}

/// How the audit was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Criteria, confidence, smallest group, multiplicity.
    pub policy: Policy,
    /// Up to how many attributes are crossed.
    pub order: usize,
    /// The seed of everything random.
    pub seed: u64,
    /// Replicates of the bootstrap.
    pub replicates: usize,
    /// How reference groups were chosen, in words.
    pub reference: String,
    /// Whether missing is treated as a group of its own.
    pub missing_as_group: bool,
}

/// The audit of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelReport {
    /// The model's name.
    pub model: String,
    /// How its decisions came to be.
    pub rule: DecisionRule,
    /// The segmentation, where this is one of its segments as a decision: in it, or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment_of: Option<String>,
    /// The worst verdict of its findings.
    pub verdict: Verdict,
    /// What is known of labels, decisions and scores.
    pub coverage: OutcomeCoverage,
    /// What the criteria found, gravest first.
    pub findings: Vec<Finding>,
    /// The figures of the whole batch, by metric.
    pub overall: BTreeMap<String, Estimate>,
    /// The figures by attribute and intersection.
    pub tables: Vec<AttributeTable>,
    /// The tables that the policy's rulebook asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub impact: Vec<ImpactTable>,
    /// What a reader must know: ties shared, selective labels, missing decisions, ...
    pub notes: Vec<String>,
}

/// How far labels, decisions and scores are known.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct OutcomeCoverage {
    /// Rows without a label, where there are labels at all.
    pub unknown_labels: Option<u64>,
    /// Rows without a decision, where there are decisions at all.
    pub missing_decisions: Option<u64>,
    /// Rows without a score, where there are scores at all.
    pub missing_scores: Option<u64>,
    /// Where labels are known mostly on one side: the share known among the selected and the others.
    pub selective_labels: Option<[f64; 2]>,
}

/// The groups of one attribute, or of an intersection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttributeTable {
    /// The attribute, or the intersection's attributes joined by ` & `.
    pub attribute: String,
    /// The attributes.
    pub attributes: Vec<String>,
    /// Whether groups may overlap, as named groups do.
    pub overlapping: bool,
    /// The group that others are compared with.
    pub reference: Option<String>,
    /// The groups.
    pub groups: Vec<GroupResult>,
    /// The rows of which the group is not known.
    pub missing_rows: u64,
    /// The comparisons.
    pub disparities: Vec<Disparity>,
    /// Every group in every segment, group by group, of a segmentation; groups too small to judge are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<SegmentCell>,
    /// What strata explain of them, where there are strata and decisions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditioning: Option<Conditioning>,
    /// How the scores of its groups are spread, what they promise and how they rank, where there are scores: of single
    /// attributes and of named groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scores: Option<ScoreShapes>,
    /// The same groups wherever the scores were cut, if asked for ([`AuditPlan::curves`](crate::audit::AuditPlan::curves)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curves: Option<Curves>,
}

/// The groups of one attribute at every threshold and every budget. Groups too small to judge are left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curves {
    /// The groups, in the order that every point has them in.
    pub groups: Vec<String>,
    /// How many distinct scores they have.
    pub distinct_scores: usize,
    /// The cut that the model's decisions were made by, where they were made by its scores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<CurvePoint>,
    /// By falling threshold.
    pub thresholds: Vec<CurvePoint>,
    /// By rising share of these groups' rows that is selected.
    pub budgets: Vec<CurvePoint>,
}

/// One group's figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupResult {
    /// The levels joined by ` & `, or the name of a named group.
    pub group: String,
    /// Its rows. Whole, but for rows tied at the edge of a selection.
    pub rows: u64,
    /// Their weight; equals the rows where there are no weights.
    pub weight: f64,
    /// Kish's effective size.
    pub effective_size: f64,
    /// The share of the batch's weight.
    pub share: f64,
    /// Fewer rows than the policy's minimum: shown, and left out of worst-case comparisons.
    pub too_small: bool,
    /// The figures, by metric.
    pub metrics: BTreeMap<String, Estimate>,
    /// The figures in each stratum, where there are strata.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub strata: BTreeMap<String, BTreeMap<String, Estimate>>,
}

/// A comparison of one metric between groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Disparity {
    /// The metric, or the criterion as the field names it.
    pub metric: Cow<'static, str>,
    /// The group compared; `None` for a comparison of all groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The stratum, where it is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stratum: Option<String>,
    /// Difference or ratio.
    pub comparison: Comparison,
    /// `between_groups`, `overall`, `rest`, or the reference group's name.
    pub against: Cow<'static, str>,
    /// How big, and how sure.
    pub estimate: Estimate,
    /// The chance of a disparity at least this big were there none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// The test that `p_value` is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Cow<'static, str>>,
    /// For a comparison of all groups: the group with the highest figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub highest: Option<String>,
    /// For a comparison of all groups: the group with the lowest figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lowest: Option<String>,
    /// Groups that could not take part, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// A group that could not take part in a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LeftOut {
    /// The group.
    pub group: String,
    /// Why.
    pub reason: String,
}

/// What a criterion found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The verdict.
    pub verdict: Verdict,
    /// In plain words: what, how big, how sure, compared with what.
    pub sentence: String,
    /// The criterion's metric.
    pub criterion: String,
    /// The attribute or intersection.
    pub attribute: String,
    /// Difference or ratio.
    pub comparison: Comparison,
    /// `between_groups`, `overall`, `rest`, or the reference group's name.
    pub against: String,
    /// The least that is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
    /// The most that is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<f64>,
    /// How big, and how sure.
    pub estimate: Estimate,
    /// The group with the highest figure, or the one furthest from what it is compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub highest: Option<String>,
    /// The group with the lowest figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lowest: Option<String>,
    /// The chance of a disparity at least this big were there none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// The same, adjusted for all findings of the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_adjusted: Option<f64>,
    /// The test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<String>,
    /// What noise alone would show on average were all groups equal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<f64>,
    /// If inconclusive: about how many more rows would decide it, were the figure to stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_to_decide: Option<u64>,
    /// Groups that could not be judged, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// How far beyond the bound (above 0) or within it: findings are ordered by it.
    pub gravity: f64,
}

impl Report {
    /// The figures of one metric, to be read by group. For the first model; see
    /// [`ModelReport::metric`] for the others.
    ///
    /// # Errors
    /// [`Error::Unknown`] if no model was audited or the metric is not in the report.
    pub fn metric(&self, name: &str) -> Result<MetricView<'_>> {
        let nothing = Error::Nothing { problem: "the report has no model", place: Default::default() };
        self.models.first().ok_or(nothing)?.metric(name)
    }

    /// The part of a model.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn model(&self, name: &str) -> Result<&ModelReport> {
        let found = self.models.iter().find(|m| m.model == name);
        found.ok_or_else(|| Error::unknown("model", name, "", self.models.iter().map(|m| m.model.as_str())))
    }

    /// All findings with the model they are of.
    pub fn findings(&self) -> impl Iterator<Item = (&ModelReport, &Finding)> {
        self.models.iter().flat_map(|m| m.findings.iter().map(move |f| (m, f)))
    }
}

impl ModelReport {
    /// The figures of one metric, to be read by group.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn metric(&self, name: &str) -> Result<MetricView<'_>> {
        let compared = self.tables.iter().flat_map(|t| t.disparities.iter().map(|d| &*d.metric));
        let known: std::collections::BTreeSet<&str> = self.overall.keys().map(String::as_str).chain(compared).collect();
        match known.get(name) {
            Some(name) => Ok(MetricView { model: self, name }),
            None => Err(Error::unknown("metric", name, "", known)),
        }
    }

    /// The table of an attribute, or of an intersection by its joined name.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn table(&self, attribute: &str) -> Result<&AttributeTable> {
        let found = self.tables.iter().find(|t| t.attribute == attribute);
        found
            .ok_or_else(|| Error::unknown("attribute", attribute, "", self.tables.iter().map(|t| t.attribute.as_str())))
    }
}

/// One metric of a model, read by name.
#[derive(Debug, Clone, Copy)]
pub struct MetricView<'a> {
    model: &'a ModelReport,
    name: &'a str,
}

impl<'a> MetricView<'a> {
    /// The whole batch's figure.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a criterion, which only compares groups.
    pub fn overall(&self) -> Result<&'a Estimate> {
        let all = self.model.overall.keys().map(String::as_str);
        self.model.overall.get(self.name).ok_or_else(|| Error::unknown("group figure", self.name, "", all))
    }

    /// A group's figure: the group's name, `female`, or `White & Male` for an intersection. The first
    /// attribute that has such a group is meant; see [`group_of`](Self::group_of).
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn group(&self, group: &str) -> Result<&'a Estimate> {
        let groups = || self.model.tables.iter().flat_map(|t| &t.groups);
        let found = groups().find(|g| g.group == group).and_then(|g| g.metrics.get(self.name));
        found.ok_or_else(|| Error::unknown("group", group, "", groups().map(|g| g.group.as_str())))
    }

    /// A group's figure, the attribute being named too.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn group_of(&self, attribute: &str, group: &str) -> Result<&'a Estimate> {
        let table = self.model.table(attribute)?;
        let found = table.groups.iter().find(|g| g.group == group).and_then(|g| g.metrics.get(self.name));
        found.ok_or_else(|| {
            let of = format!(" of attribute `{attribute}`");
            Error::unknown("group", group, of, table.groups.iter().map(|g| g.group.as_str()))
        })
    }

    /// The largest difference between the groups of an attribute.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn difference(&self, attribute: &str) -> Result<&'a Disparity> {
        self.between(attribute, Comparison::Difference)
    }

    /// The smallest ratio between the groups of an attribute.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn ratio(&self, attribute: &str) -> Result<&'a Disparity> {
        self.between(attribute, Comparison::Ratio)
    }

    fn between(&self, attribute: &str, comparison: Comparison) -> Result<&'a Disparity> {
        let table = self.model.table(attribute)?;
        let of_all =
            |d: &&Disparity| d.against == "between_groups" && d.comparison == comparison && d.stratum.is_none();
        let found = table.disparities.iter().filter(of_all).find(|d| d.metric == self.name);
        found.ok_or_else(|| {
            let all = table.disparities.iter().filter(of_all).map(|d| &*d.metric);
            Error::unknown("comparison of groups", self.name, format!(" by `{attribute}`"), all)
        })
    }
}
