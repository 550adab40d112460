//! Whether two reports are of different rows, as far as they tell.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::report::{AttributeTable, Report};

/// Whether two reports are of different rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Independence {
    /// They name the files they were made from, and no file is in both.
    NoFileInCommon,
    /// They do not tell; nothing speaks for rows in common.
    Unknown,
    /// Some files are in both.
    SomeFiles,
    /// They name other files or none, and have as many rows, in groups of the very same sizes.
    SameSizes,
    /// They were made from the same files, or two models of the same counts are compared.
    SameRows,
    /// They were made from the very same counts: nothing can differ but the settings.
    SameCounts,
}

impl Independence {
    /// Of two reports of which models of the same name are compared, or others.
    pub(super) fn of(before: &Report, after: &Report, same_models: bool) -> Self {
        let (a, b) = (&before.provenance, &after.provenance);
        if !a.tally_digest.is_empty() && a.tally_digest == b.tally_digest {
            return if same_models { Independence::SameCounts } else { Independence::SameRows };
        }
        let hashes =
            |r: &Report| -> BTreeSet<String> { r.provenance.inputs.iter().map(|f| f.blake3.clone()).collect() };
        let (was, is) = (hashes(before), hashes(after));
        let shared = was.intersection(&is).count();
        match (was.is_empty() || is.is_empty(), shared) {
            (false, n) if n == was.len() && n == is.len() => Independence::SameRows,
            (false, n) if n > 0 => Independence::SomeFiles,
            // The same rows may lie in two files, as when each model writes its own.
            _ if same_sizes(before, after) => Independence::SameSizes,
            (false, _) => Independence::NoFileInCommon,
            (true, _) => Independence::Unknown,
        }
    }

    /// Whether intervals for independent batches are in doubt.
    pub fn in_doubt(self) -> bool {
        matches!(self, Independence::SomeFiles | Independence::SameSizes | Independence::SameRows)
    }

    /// What it means for the intervals.
    pub fn sentence(self) -> &'static str {
        match self {
            Independence::NoFileInCommon => {
                "No file is in both reports: the batches are taken to be of different rows, which the intervals need."
            }
            Independence::Unknown => {
                "The reports do not name their files: the batches are taken to be of different rows, which the intervals need."
            }
            Independence::SomeFiles => {
                "Some files are in both reports, so that they share rows. What moved with these rows moved in both: as a rule \
                 intervals are then too wide, and a change that is shown is safe. It is better to compare files that are in \
                 one report only."
            }
            Independence::SameSizes => {
                "Both reports have as many rows, in groups of the very same sizes: they may well be of the same rows, which the \
                 intervals take for different ones. If they are, and two models select much the same people, intervals are too \
                 wide, and a change that is shown is safe. To compare two models on the same rows pair by pair, use \
                 mitigate::evaluate."
            }
            Independence::SameRows => {
                "Both sides are of the same rows. Where two models select much the same people, intervals are too \
                 wide: a change that is shown is safe, and one that is not shown may be there. Were one to select whom the other \
                 leaves out, they would be too narrow. To compare two models on the same rows pair by pair, use \
                 mitigate::evaluate."
            }
            Independence::SameCounts => {
                "Both reports were made from the very same counts: only settings can make a difference."
            }
        }
    }
}

/// Whether both have as many rows, in groups of the very same sizes by every attribute that both have.
fn same_sizes(before: &Report, after: &Report) -> bool {
    let sizes = |r: &Report| -> BTreeMap<(String, String), u64> {
        let tables = r.models.first().map(|m| m.tables.as_slice()).unwrap_or_default();
        let of = |t: &AttributeTable| -> Vec<((String, String), u64)> {
            t.groups.iter().map(|g| ((t.attribute.clone(), g.group.clone()), g.rows)).collect()
        };
        tables.iter().flat_map(of).collect()
    };
    let (was, is) = (sizes(before), sizes(after));
    let both: Vec<(u64, u64)> = was.iter().filter_map(|(key, n)| Some((*n, *is.get(key)?))).collect();
    before.data.rows == after.data.rows && both.len() > 1 && both.iter().all(|(a, b)| a == b)
}
