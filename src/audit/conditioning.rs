//! What strata explain of the differences of a slice, and where a conclusion turns once they are held fixed.

use super::slice::{Slice, Subject};
use super::{Against, Comparison};
use crate::metrics::compare::Compared;
use crate::metrics::conditional::{Kitagawa, kitagawa};
use crate::report::{Conditioning, ExplainedPart, Reversal, StratumOverlap};

/// What strata explain; `None` without strata or decisions.
pub(crate) fn conditioning(slice: &Slice) -> Option<Conditioning> {
    let scope = slice.scope;
    let decides = scope.tally.schema().models[scope.model].decides();
    if scope.tally.schema().strata.is_empty() || !decides || scope.figure("selection_rate").is_none() {
        return None;
    }
    let mut found = Conditioning { strata: strata(slice), ..Conditioning::default() };
    let Some(reference) = slice.reference else { return Some(found) };
    for part in (0..slice.parts.len()).filter(|p| *p != reference) {
        let (mine, theirs) = (&slice.parts[part], &slice.parts[reference]);
        let Ok(parts) = kitagawa(&mine.data.strata, &theirs.data.strata, scope.confidence(scope.level)) else {
            continue;
        };
        found.reversals.extend(reversal(slice, part, &parts));
        found.parts.extend(parts.strata.iter().map(|p| ExplainedPart {
            group: mine.name.clone(),
            stratum: scope.tally.stratum_name(p.stratum),
            explained: p.explained,
            unexplained: p.unexplained,
        }));
    }
    Some(found)
}

/// Every stratum with its size, and the groups of which nobody in it was decided on.
fn strata(slice: &Slice) -> Vec<StratumOverlap> {
    let decided = |part: usize, stratum: u64| {
        let counts = slice.parts[part].group.strata.get(&stratum);
        counts.map_or(0.0, |c| c.sum(|_, decision| decision < 2).rows)
    };
    let all: std::collections::BTreeSet<u64> =
        slice.parts.iter().flat_map(|p| p.group.strata.keys().copied()).collect();
    let rows = |stratum: u64| (0..slice.parts.len()).map(|p| decided(p, stratum)).sum::<f64>();
    let total: f64 = all.iter().map(|s| rows(*s)).sum();
    let overlap = |stratum: u64| {
        let lacking = (0..slice.parts.len()).filter(|p| decided(*p, stratum) <= 0.0);
        StratumOverlap {
            stratum: slice.scope.tally.stratum_name(stratum),
            rows: rows(stratum).round() as u64,
            share: if total > 0.0 { rows(stratum) / total } else { 0.0 },
            lacking: lacking.map(|p| slice.parts[p].name.clone()).collect(),
        }
    };
    all.into_iter().map(overlap).collect()
}

/// Whether the group is the better off over all and the worse off within strata, or the other way round, both beyond
/// doubt (Simpson's paradox).
fn reversal(slice: &Slice, part: usize, parts: &Kitagawa) -> Option<Reversal> {
    let against = |name: &str| {
        let subject = Subject::of(name, slice.scope)?;
        Some(slice.one(&subject, part, Against::Reference, Comparison::Difference, slice.scope.level))
    };
    let sure = |c: &Compared| {
        let (low, high) = c.estimate.interval()?;
        c.estimate.value.filter(|_| low > 0.0 || high < 0.0)
    };
    let crude = sure(&against("selection_rate")?)?;
    let within = sure(&against("conditional_demographic_parity")?)?;
    if (crude > 0.0) == (within > 0.0) {
        return None;
    }
    // The stratum that adds most to what strata explain, in the direction of the crude difference.
    let sign = crude.signum();
    let most = parts.strata.iter().max_by(|a, b| (sign * a.explained).total_cmp(&(sign * b.explained)))?;
    Some(Reversal {
        group: slice.parts[part].name.clone(),
        against: slice.against_name(Against::Reference).into_owned(),
        difference: crude,
        within,
        stratum: slice.scope.tally.stratum_name(most.stratum),
    })
}
