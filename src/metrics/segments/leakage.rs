//! How well the segment gives the group away: whether a segmentation stands in for a protected attribute.

use super::sampling::{Norms, Shares, within};
use super::table::People;
use super::{SegmentCounts, Segmentation};
use crate::metrics::catalog::Direction;
use crate::metrics::family::{Compute, Measure};
use crate::metrics::{Confidence, Estimate, MeasureEntry, Need, Of, Support, Tested, Undefined};

/// The groups' shares, and where all are.
fn shares(groups: &[&SegmentCounts], level: f64) -> Result<(Vec<Shares>, usize, Support), Estimate> {
    let people = People::of(groups)?;
    let met: Vec<usize> = (0..people.segments).filter(|j| people.segment(*j).weight > 0.0).collect();
    let of = |cells: &Vec<_>| Shares::of(&met.iter().map(|j| cells[*j]).collect::<Vec<_>>(), level);
    let shares: Vec<Shares> = people.groups.iter().filter_map(of).collect();
    if shares.len() < 2 {
        return Err(Estimate::undefined(Undefined::TooFewGroups, people.support));
    }
    Ok((shares, met.len(), people.support))
}

/// How well the group can be guessed from the segment: the best balanced accuracy, `1/G Σ_c max_g P(c|g)`.
///
/// From 1/G (the segment says nothing) to 1 (it says all); of two groups, `½ + ½` their total variation. Biased upward:
/// segments give something away by chance. Its interval is the figure plus and minus a quantile of
/// `1/G Σ_c max_g |error|`, so that it holds 1/G on fair data as often as it says; the p-value is the chance of errors as
/// large. Groups without weight are left out. Undefined without rows or weight, and with fewer than two groups.
///
/// # References
/// Feldman et al. (2015), Certifying and removing disparate impact, KDD (the balanced error rate).
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, leakage::attribute_leakage}};
/// let [a, b] = [[30.0, 50.0, 20.0], [60.0, 30.0, 10.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let t = attribute_leakage(&[&a, &b], Confidence::at(0.95));
/// assert!((t.estimate.value.unwrap() - (0.6 + 0.5 + 0.2) / 2.0).abs() < 1e-12);
/// ```
pub fn attribute_leakage(groups: &[&SegmentCounts], confidence: Confidence) -> Tested {
    let (shares, k, support) = match shares(groups, confidence.level) {
        Ok(found) => found,
        Err(undefined) => return Tested::untested(undefined),
    };
    let many = shares.len() as f64;
    let best = |flat: &[f64], of: fn(f64) -> f64| {
        let most = |c: usize| flat.iter().skip(c).step_by(k).map(|p| of(*p)).fold(0.0, f64::max);
        (0..k).map(most).sum::<f64>() / many
    };
    let observed: Vec<f64> = shares.iter().flat_map(|s| &s.p).copied().collect();
    let value = best(&observed, |p| p).clamp(1.0 / many, 1.0);
    // Of two groups, errors of either add up only where they differ.
    let norm = |errors: &[f64]| match errors.split_at(k) {
        (a, b) if b.len() == k => 0.25 * a.iter().zip(b).map(|(p, q)| (p - q).abs()).sum::<f64>(),
        _ => best(errors, f64::abs),
    };
    within(value, Norms::of(&shares, confidence, norm), confidence.level, (1.0 / many, 1.0), support)
}

/// How well the segment sorts two groups: the area under the ROC curve of guessing the group by how much likelier each
/// segment is in it, `½ + ½ Σ_{c<d} |P(c|a) P(d|b) − P(d|a) P(c|b)|`.
///
/// From ½ (the segment says nothing) to 1. Biased upward: segments are sorted by the very rows. Its interval is the figure
/// plus and minus a quantile of the same sum over errors (to first order), so that it holds ½ on fair data as often as it
/// says. Undefined where a group has no rows, no weight or no known segment.
///
/// # References
/// Bamber (1975), The area above the ordinal dominance graph, J. Mathematical Psychology 12.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, leakage::leakage_auc}};
/// let [a, b] = [[30.0, 50.0, 20.0], [60.0, 30.0, 10.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let t = leakage_auc(&a, &b, Confidence::at(0.95));
/// let expected = 0.5 + 0.5 * (0.5 * 0.6 - 0.3 * 0.3 + 0.2 * 0.6 - 0.3 * 0.1 + 0.2 * 0.3 - 0.5 * 0.1);
/// assert!((t.estimate.value.unwrap() - expected).abs() < 1e-12);
/// ```
pub fn leakage_auc(a: &SegmentCounts, b: &SegmentCounts, confidence: Confidence) -> Tested {
    let found = People::of_two(a, b).and_then(|_| shares(&[a, b], confidence.level));
    let (shares, k, support) = match found {
        Ok(found) => found,
        Err(undefined) => return Tested::untested(undefined),
    };
    let (x, y) = (&shares[0], &shares[1]);
    let crossed = |p: &[f64], q: &[f64], c: usize, d: usize| p[c] * q[d] - p[d] * q[c];
    let pairs = || (0..k).flat_map(move |c| (c + 1..k).map(move |d| (c, d)));
    let value = 0.5 + 0.5 * pairs().map(|(c, d)| crossed(&x.p, &y.p, c, d).abs()).sum::<f64>();
    let norm = |errors: &[f64]| {
        let (e, f) = errors.split_at(k);
        let each = |(c, d)| (crossed(e, &y.smooth, c, d) + crossed(&x.smooth, f, c, d)).abs();
        0.5 * pairs().map(each).sum::<f64>()
    };
    within(value.min(1.0), Norms::of(&shares, confidence, norm), confidence.level, (0.5, 1.0), support)
}

/// The measures of this file.
pub(crate) const MEASURES: &[Measure<SegmentCounts, Segmentation>] = &[
    Measure {
        entry: MeasureEntry {
            name: "attribute_leakage",
            title: "how well the group can be guessed from the segment (balanced accuracy)",
            formula: "1/G sum_c max_g P(c|g)",
            needs: &[Need::Segments],
            of: Of::Table,
            direction: Direction::Lower,
            least: Some(0.0),
            most: Some(1.0),
            fair: None,
            source: "Feldman et al. 2015",
            also: "",
        },
        compute: Compute::Table(|groups, _, confidence| attribute_leakage(groups, confidence)),
    },
    Measure {
        entry: MeasureEntry {
            name: "leakage_auc",
            title: "how well the segment sorts two groups (AUC)",
            formula: "1/2 + 1/2 sum_c<d |P(c|a) P(d|b) - P(d|a) P(c|b)|",
            needs: &[Need::Segments],
            of: Of::Pair,
            direction: Direction::Lower,
            least: Some(0.5),
            most: Some(1.0),
            fair: Some(0.5),
            source: "Bamber 1975",
            also: "",
        },
        compute: Compute::Pair(|a, b, _, confidence| leakage_auc(a, b, confidence)),
    },
];

#[cfg(test)]
#[path = "leakage_tests.rs"]
mod tests;
