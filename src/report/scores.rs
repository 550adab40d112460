//! The scores of groups in few numbers, to be drawn: how they are spread, what they promise, how they rank.

use serde::{Deserialize, Serialize};

use super::LeftOut;
use crate::metrics::Undefined;
use crate::metrics::scores::{ReliabilityBin, RocPoint};

/// The scores of a table's groups. Groups too small to judge are left out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ScoreShapes {
    /// The bins of every group's histogram; `None` where scores are too far apart to have common ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bins: Option<ScoreBins>,
    /// The groups: at most 60, those with the lowest rates where there are more.
    pub groups: Vec<GroupShape>,
    /// How many groups are left out for being more than that.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: usize,
    /// Groups that are left out for another reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// Bins of equal width.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ScoreBins {
    /// The lower edge of the first.
    pub from: f64,
    /// The upper edge of the last; the lower edge of the first where all rows have one score.
    pub to: f64,
    /// Whether the first also holds what scores less, and the last what scores more.
    pub open: [bool; 2],
}

/// One group's scores.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct GroupShape {
    /// The group.
    pub group: String,
    /// The share of its scored rows, by weight, in each bin: at most 40, which add up to 1.
    pub histogram: Vec<f64>,
    /// What scores promise and what is observed, in bins of equal weight by rising score: at most 10.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calibration: Vec<ReliabilityBin>,
    /// Why there is no calibration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_calibration: Option<Undefined>,
    /// Its ROC curve by falling threshold, from the first cut that selects somebody to (1, 1): at most 60 points, each exact.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roc: Vec<RocPoint>,
    /// Why there is no ROC curve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_roc: Option<Undefined>,
}
