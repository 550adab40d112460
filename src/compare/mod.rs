//! One report against an earlier one: two models, two dates, two data sets. What got worse, what better, and what cannot be
//! compared?
//!
//! [`Compare`] takes two finished [`Report`](crate::report::Report)s and nothing else: no rows, no tally. Whatever both have
//! is set side by side, model by model: the findings of the policy with their verdicts, every disparity with the same
//! metric, attribute, comparison and counterpart, and every group's figures. What only one of them has is listed, as is
//! every setting that differs. [`Changes`] shows itself as text, Markdown, JSON and, with the feature `html`, a page.
//!
//! # What is shown, and how sure
//!
//! - A change has an interval and a p-value by square-and-add of the two reports' own intervals
//!   ([`inference::change`](crate::inference::change)). Of a disparity its size is compared, its distance from parity: one that
//!   is turned round has not grown. Plain rates of unweighted rows are compared by their counts (Newcombe's interval; Fisher's
//!   or the two-proportion z test).
//! - P-values are adjusted by Holm, in four lists: the findings; the disparities between all groups; those of single groups
//!   and of strata; the groups' figures. Each list is a family of its own, so that what a policy asks for does not pay for
//!   what it does not ask for, nor the few for the many. Better or worse, rose or fell is said where the adjusted p-value is
//!   below one minus the confidence.
//! - A disparity is *better* where it is nearer to parity. A figure of one group only *rose* or *fell*: that more people of a
//!   group are selected is good or bad by what it is of. So do disparities of the labels alone, which no model makes.
//! - A group that is too small to judge in either report is shown and not judged. Where a group that took part in a comparison
//!   of all groups is left out now, that comparison is never called better: the worst-off may be who is missing.
//! - *Not shown* is no proof of no change: the interval tells what could be.
//!
//! # Independent batches
//!
//! The intervals are those of two batches without a row in common. Whether they are, the reports often tell
//! ([`Independence`]): by the hashes of the files they were made from, by the digest of their counts, or by groups that all
//! have the very same sizes. Where two models scored the same rows, their figures usually move together: then intervals are
//! too wide, a change that is shown is safe, and one that is not shown may be there. Were they to select different people on
//! purpose, intervals would be too narrow. [`mitigate::evaluate`](crate::mitigate::evaluate) compares two models on the same
//! rows pair by pair.
//!
//! # Worst cases
//!
//! A comparison of all groups is of the two furthest apart, which noise overrates, and the more so in the smaller batch. Its
//! interval in either report holds for all pairs at once, and is wide enough for that bias; the change of two such figures is
//! therefore conservative, for two groups hardly, for ten clearly. The groups that were furthest apart may be others than
//! before: the change says so.
//!
//! # Examples
//! ```
//! use evenhand::audit::AuditPlan;
//! use evenhand::compare::{Compare, Effect};
//! use evenhand::data::{Batch, Categorical};
//!
//! // Of each ten women so many are selected, of each ten men five.
//! let month = |women: usize| {
//!     let sex = (0..4000).map(|i| if i % 2 == 0 { "female" } else { "male" });
//!     let selected = (0..4000).map(|i| u8::from((i / 2) % 10 < if i % 2 == 0 { women } else { 5 }));
//!     let batch = Batch::builder()
//!         .attribute(Categorical::from_values("sex", sex))
//!         .decision(selected.collect::<Vec<_>>())
//!         .build()?;
//!     AuditPlan::new().run(&batch)
//! };
//! let changes = Compare::new().names("may", "june").run(&month(5)?, &month(3)?)?;
//!
//! assert_eq!(changes.effect, Effect::Worse);
//! let gap = changes.models[0].disparity("sex", "selection_rate").expect("both reports have it");
//! assert!((gap.difference.value.unwrap() - 0.2).abs() < 1e-12);
//! assert!(changes.to_text(Default::default()).starts_with("✗ WORSE"));
//! # Ok::<(), evenhand::Error>(())
//! ```

mod differ;
mod independence;
mod judge;
mod pairing;
mod run;
pub(crate) mod wording;

pub use independence::Independence;
pub use run::Compare;

use serde::{Deserialize, Serialize};

use crate::audit::{Comparison, Verdict};
use crate::metrics::Estimate;

/// The version of the JSON form of [`Changes`].
pub const SCHEMA_VERSION: u32 = 1;

/// What a change is shown to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Effect {
    /// Nearer to parity than before.
    Better,
    /// Farther from parity than before.
    Worse,
    /// More than before, of a figure of which neither side is fairer.
    Rose,
    /// Less than before, of such a figure.
    Fell,
    /// Neither is shown; which is no proof of no change: see the interval.
    NotShown,
    /// The figure is undefined, without an interval or of something else in one of the reports.
    NotComparable,
}

/// What changed from one report to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    /// The version of this form: [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Worse if a verdict turned to fail or any disparity is shown to be worse; else better if one turned from fail to pass or
    /// any disparity is shown to be better; else not shown.
    pub effect: Effect,
    /// That in a sentence.
    pub summary: String,
    /// The earlier report.
    pub before: Side,
    /// The later report.
    pub after: Side,
    /// The level of every interval; one minus it is the chance of a false claim in each list.
    pub confidence: f64,
    /// Whether the two are of different rows.
    pub independence: Independence,
    /// The settings that differ.
    pub settings: Vec<SettingChange>,
    /// The models compared.
    pub models: Vec<ModelChanges>,
    /// What only the earlier report has.
    pub only_before: Vec<Absent>,
    /// What only the later report has.
    pub only_after: Vec<Absent>,
    /// What a reader must know.
    pub notes: Vec<String>,
}

/// One of the two reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// What it is called: its file, as a rule.
    pub name: String,
    /// When it was made, in RFC 3339 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The version of evenhand that made it.
    pub version: String,
    /// Its rows.
    pub rows: u64,
    /// Its verdict.
    pub verdict: Verdict,
    /// The fingerprint of its counts.
    pub tally_digest: String,
}

/// A setting that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingChange {
    /// The setting, in words.
    pub setting: String,
    /// What it was.
    pub before: String,
    /// What it is.
    pub after: String,
}

/// What only one of the reports has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absent {
    /// `model`, `attribute`, `group`, `stratum`, `criterion`, `metric`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What it is of: an attribute, or a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
}

/// How one model, or one and its successor, changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelChanges {
    /// The model in the earlier report.
    pub before: String,
    /// The model in the later report.
    pub after: String,
    /// Its verdict before and after.
    pub verdicts: [Verdict; 2],
    /// The findings that both have: verdicts that changed first, then what got worse.
    pub findings: Vec<FindingChange>,
    /// The disparities that both have, in the later report's order.
    pub disparities: Vec<Change>,
    /// The figures of groups, and of all rows (attribute and group `overall`).
    pub figures: Vec<Change>,
}

impl ModelChanges {
    /// How the largest difference between all groups of an attribute changed, by its metric or criterion.
    pub fn disparity(&self, attribute: &str, metric: &str) -> Option<&Change> {
        let wanted = |c: &&Change| {
            c.attribute == attribute
                && c.metric == metric
                && c.is_between_groups()
                && c.comparison != Some(Comparison::Ratio)
        };
        self.disparities.iter().find(wanted)
    }
}

/// How a finding changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FindingChange {
    /// Its verdict before and after.
    pub verdicts: [Verdict; 2],
    /// The least that was and is allowed.
    pub minimum: [Option<f64>; 2],
    /// The most that was and is allowed.
    pub maximum: [Option<f64>; 2],
    /// How the disparity changed.
    #[serde(flatten)]
    pub change: Change,
}

impl FindingChange {
    /// Whether the verdict turned.
    pub fn turned(&self) -> bool {
        self.verdicts[0] != self.verdicts[1]
    }

    /// Whether the verdict turned to fail.
    pub fn turned_to_fail(&self) -> bool {
        self.turned() && self.verdicts[1] == Verdict::Fail
    }
}

/// How one figure changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The metric or criterion.
    pub metric: String,
    /// The attribute, or the intersection's attributes joined by ` & `.
    pub attribute: String,
    /// The group; `None` for a comparison of all groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The stratum, where it is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stratum: Option<String>,
    /// Difference, ratio or value; `None` for a group's own figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// `between_groups`, `overall`, `rest`, or the reference group's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
    /// What it was.
    pub before: Estimate,
    /// What it is.
    pub after: Estimate,
    /// After minus before: of a disparity, of its size (for a ratio, of the smaller of it and its inverse).
    pub difference: Estimate,
    /// The chance of a change at least so large were there none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// The same, adjusted by Holm for all of its list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_adjusted: Option<f64>,
    /// The test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<String>,
    /// What the change is shown to be.
    pub effect: Effect,
    /// That in plain words.
    pub sentence: String,
    /// What else is to be known of it: other groups, another bound.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Change {
    /// Whether it is of all groups at once, over all strata.
    pub fn is_between_groups(&self) -> bool {
        self.against.as_deref() == Some("between_groups") && self.group.is_none() && self.stratum.is_none()
    }
}
