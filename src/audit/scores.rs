//! The scores of a slice's groups in few numbers, for charts.

use super::outcome::Outcome;
use super::slice::{Part, Slice};
use crate::metrics::scores::histogram::histograms;
use crate::metrics::scores::{
    CALIBRATION_BINS, ReliabilityBin, RocPoint, ScoredGroup, reliability_curve, roc::thinned, roc_curve,
};
use crate::metrics::{Confidence, Undefined};
use crate::report::{GroupShape, LeftOut, ScoreBins, ScoreShapes};

/// How much is kept, so that reports stay small.
const GROUPS: usize = 60;
const BINS: usize = 40;
const ROC_POINTS: usize = 60;
/// The rows that a bin of the calibration should have.
const ROWS_OF_BIN: f64 = 20.0;

/// How the scores of single attributes and of named groups are spread, what they promise and how they rank; none without
/// scores, or where these are too many to be kept.
pub(crate) fn score_shapes(slice: &Slice) -> Option<ScoreShapes> {
    let Outcome::Scored(scoring, _) = &slice.scope.outcome else { return None };
    if slice.attributes.len() != 1 && !slice.overlapping {
        return None;
    }
    let mut found = ScoreShapes::default();
    let mut kept: Vec<(usize, &Part, &ScoredGroup)> = Vec::new();
    for (at, part) in slice.parts.iter().enumerate() {
        let scored = part.data.scored.as_ref()?;
        let weighs = scored.points.iter().any(|p| p.cell.weight > 0.0);
        let reason = match (part.too_small, scored.points.is_empty()) {
            (true, _) => format!("too small to judge: {} rows", part.group.whole.total().rows.round()),
            (_, true) => Undefined::NoScores.to_string(),
            _ if !weighs => Undefined::NoWeight.to_string(),
            _ => {
                kept.push((at, part, scored));
                continue;
            }
        };
        found.left_out.push(LeftOut { group: part.name.clone(), reason });
    }
    found.more = shorten(slice, &mut kept);
    let groups: Vec<&ScoredGroup> = kept.iter().map(|k| k.2).collect();
    let spread = histograms(&groups, BINS);
    found.bins = spread.as_ref().map(|h| ScoreBins { from: h.from, to: h.to, open: h.open });
    let mut shares = spread.map(|h| h.shares).unwrap_or_default().into_iter();
    for (_, part, scored) in &kept {
        let (calibration, no_calibration) = split(calibration(slice, scored, scoring.probabilities));
        let (roc, no_roc) = split(roc(slice, scored));
        found.groups.push(GroupShape {
            group: part.name.clone(),
            histogram: shares.next().unwrap_or_default(),
            calibration,
            no_calibration,
            roc,
            no_roc,
        });
    }
    (!found.groups.is_empty() || !found.left_out.is_empty()).then_some(found)
}

fn split<T>(found: Result<Vec<T>, Undefined>) -> (Vec<T>, Option<Undefined>) {
    match found {
        Ok(found) => (found, None),
        Err(reason) => (Vec::new(), Some(reason)),
    }
}

/// Keeps the reference group and those with the lowest rates; tells how many are gone.
fn shorten(slice: &Slice, kept: &mut Vec<(usize, &Part, &ScoredGroup)>) -> usize {
    let more = kept.len().saturating_sub(GROUPS);
    if more > 0 {
        let by = ["selection_rate", "base_rate", "mean_score"].into_iter().find_map(|m| slice.scope.figure(m));
        let rate = |part: &Part| by.and_then(|by| part.figures[by].estimate.value).unwrap_or(f64::INFINITY);
        let key = |k: &(usize, &Part, &ScoredGroup)| (slice.reference != Some(k.0), rate(k.1));
        kept.sort_by(|a, b| {
            let ((a, x), (b, y)) = (key(a), key(b));
            a.cmp(&b).then(x.total_cmp(&y))
        });
        kept.truncate(GROUPS);
        kept.sort_by_key(|k| k.0);
    }
    more
}

/// Labels that decisions made known tell neither; without any there is nothing to tell.
fn labels(slice: &Slice, scored: &ScoredGroup) -> Result<f64, Undefined> {
    let labelled = || scored.points.iter().filter(|p| p.label < 2);
    if slice.scope.selective.is_some() {
        Err(Undefined::SelectiveLabels)
    } else if labelled().next().is_none() {
        Err(Undefined::NoLabels)
    } else if labelled().all(|p| p.cell.weight <= 0.0) {
        Err(Undefined::NoWeight)
    } else {
        Ok(labelled().map(|p| p.cell.rows).sum())
    }
}

fn calibration(slice: &Slice, scored: &ScoredGroup, probabilities: bool) -> Result<Vec<ReliabilityBin>, Undefined> {
    let rows = labels(slice, scored)?;
    if !probabilities {
        return Err(Undefined::NotProbabilities);
    }
    let bins = ((rows / ROWS_OF_BIN) as usize).clamp(1, CALIBRATION_BINS);
    reliability_curve(scored, bins, Confidence::at(slice.scope.level))
}

fn roc(slice: &Slice, scored: &ScoredGroup) -> Result<Vec<RocPoint>, Undefined> {
    labels(slice, scored)?;
    Ok(thinned(roc_curve(scored)?, ROC_POINTS))
}
