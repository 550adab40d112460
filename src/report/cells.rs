//! Who is where: every group in every segment, and how the forms for people tell what stands out.

use serde::{Deserialize, Serialize};

use super::AttributeTable;
use super::view::{MORE, NAME};
use super::words::{count, name};
use crate::metrics::Estimate;

/// One group in one segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentCell {
    /// The group.
    pub group: String,
    /// The segment.
    pub segment: String,
    /// The share of the group that is in the segment.
    pub share: Estimate,
    /// That share over everybody's: 1 where the group is in the segment as it is in the whole.
    pub representation: Estimate,
    /// The logarithm of the representation.
    pub skew: Estimate,
    /// The share over the largest of any group.
    pub impact_ratio: Estimate,
    /// The adjusted residual: standard normal where segments do not depend on groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residual: Option<f64>,
    /// Its p-value, adjusted for all cells of the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
}

/// What is put over them.
pub(super) const LEAD: &str = "More or less often in a segment than all are, beyond chance over all cells";
/// The cells that a shortened list shows.
const SHOWN: usize = 6;

/// The cells that chance does not explain at this level, the most surprising first, one in a line.
pub(super) fn outstanding(table: &AttributeTable, confidence: f64, full: bool) -> Vec<String> {
    let beyond = |c: &&SegmentCell| c.p_value.is_some_and(|p| p < 1.0 - confidence) && c.residual.is_some();
    let mut cells: Vec<&SegmentCell> = table.cells.iter().filter(beyond).collect();
    let size = |c: &SegmentCell| c.residual.unwrap_or(0.0).abs();
    cells.sort_by(|a, b| size(b).total_cmp(&size(a)));
    let limit = if full { usize::MAX } else { SHOWN };
    let line = |c: &&SegmentCell| {
        let (group, segment) = (name(&c.group, NAME), name(&c.segment, NAME));
        let e = &c.representation;
        let times = e.value.map_or("–".into(), |v| format!("{v:.2} times"));
        let limits = e.low.zip(e.high).map(|(low, high)| format!(" [{low:.2}, {high:.2}]")).unwrap_or_default();
        format!("{group} in {segment}: {times}{limits}, residual {:.1}", c.residual.unwrap_or(0.0))
    };
    let mut lines: Vec<String> = cells.iter().take(limit).map(line).collect();
    if cells.len() > lines.len() {
        lines.push(format!("and {} more, {MORE}.", count((cells.len() - lines.len()) as u64)));
    }
    lines
}
