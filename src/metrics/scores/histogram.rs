//! Histograms of several groups' scores on the same bins, to be drawn over each other.

use super::ScoredGroup;

/// The part of a group's weight at either end that a few far scores may make up without stretching the bins.
const TAIL: f64 = 0.005;

/// The shares of groups in bins of equal width.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Histograms {
    /// The lower edge of the first bin.
    pub from: f64,
    /// The upper edge of the last bin.
    pub to: f64,
    /// Whether the first bin also holds what scores less, and the last what scores more.
    pub open: [bool; 2],
    /// By group the share of its weight in each bin; of a group without weight none.
    pub shares: Vec<Vec<f64>>,
}

/// Bins with round edges, at most `at_most` (of 3 or more), that hold the scores of all groups: fewer where a group has few
/// rows. Far scores do not stretch them: where the outermost 0.5 % of every group lie far off, the bins at the ends are open.
/// An edge belongs to the bin above it, the last to the last bin. `None` where no group has weight, or where scores are too
/// far apart for numbers of this kind.
pub(crate) fn histograms(groups: &[&ScoredGroup], at_most: usize) -> Option<Histograms> {
    let ranges: Vec<Range> = groups.iter().filter_map(|g| Range::of(g)).collect();
    let least = |of: fn(&Range) -> f64| ranges.iter().map(of).fold(f64::INFINITY, f64::min);
    let most = |of: fn(&Range) -> f64| ranges.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
    let (first, last) = (least(|r| r.least), most(|r| r.most));
    let (low, high) = (least(|r| r.low), most(|r| r.high));
    if ranges.is_empty() || !(last - first).is_finite() {
        return None;
    }
    let room = (high - low) / 4.0;
    let far = if room > 0.0 { [low - first > room, last - high > room] } else { [false; 2] };
    let (from, to) = (if far[0] { low } else { first }, if far[1] { high } else { last });
    if from == to {
        let all = |g: &&ScoredGroup| if Range::of(g).is_some() { vec![1.0] } else { Vec::new() };
        return Some(Histograms { from, to, open: far, shares: groups.iter().map(all).collect() });
    }
    let rows = least(|r| r.rows);
    // Twice the cube root (Rice's rule); rounding the edges outward may add one bin.
    let wanted = (2.0 * rows.cbrt()).ceil().clamp(5.0, 1e6).min(at_most.max(3) as f64 - 2.0).max(1.0);
    let step = round_step((to - from) / wanted);
    let (start, end) = ((from / step + 1e-9).floor(), (to / step - 1e-9).ceil());
    let bins = (end - start).clamp(1.0, at_most as f64);
    let of = |group: &&ScoredGroup| -> Vec<f64> {
        let total: f64 = group.points.iter().map(|p| p.cell.weight).sum();
        if !(total > 0.0) {
            return Vec::new();
        }
        let mut shares = vec![0.0; bins as usize];
        for point in &group.points {
            let place = (point.score / step - start + 1e-9).floor().clamp(0.0, bins - 1.0);
            shares[place as usize] += point.cell.weight / total;
        }
        shares
    };
    let edge = |place: f64| Some(place * step).filter(|v| v.is_finite());
    Some(Histograms { from: edge(start)?, to: edge(start + bins)?, open: far, shares: groups.iter().map(of).collect() })
}

/// Where a group's scores lie.
struct Range {
    least: f64,
    most: f64,
    low: f64,
    high: f64,
    rows: f64,
}

impl Range {
    fn of(group: &ScoredGroup) -> Option<Self> {
        let weighing = || group.points.iter().filter(|p| p.cell.weight > 0.0);
        let (least, most) = (weighing().next()?.score, weighing().next_back()?.score);
        let total: f64 = weighing().map(|p| p.cell.weight).sum();
        let (mut before, mut low, mut high) = (0.0, None, most);
        for point in weighing() {
            before += point.cell.weight;
            if before > TAIL * total {
                low.get_or_insert(point.score);
            }
            if before >= (1.0 - TAIL) * total {
                high = point.score;
                break;
            }
        }
        Some(Range { least, most, low: low.unwrap_or(least), high, rows: weighing().map(|p| p.cell.rows).sum() })
    }
}

/// The least of 1, 2, 2.5 and 5 times a power of ten that is no smaller.
fn round_step(v: f64) -> f64 {
    let power = 10f64.powf(v.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= v * (1.0 - 1e-9)).unwrap_or(v)
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    use super::*;

    fn group(scores: &[f64]) -> ScoredGroup {
        ScoredGroup::from_rows(scores, &vec![2; scores.len()], None)
    }

    #[test]
    fn edges_are_round_and_belong_to_the_bin_above() {
        let tenths: Vec<f64> = (0..1000).map(|i| f64::from(i % 10) / 10.0).collect();
        let found = histograms(&[&group(&tenths)], 40).unwrap();
        assert_eq!((found.from, found.to, found.open), (0.0, 0.9, [false; 2]));
        assert_eq!(found.shares[0].len(), 18);
        // Every second bin begins at a tenth; the last tenth is the last edge.
        for (i, share) in found.shares[0].iter().enumerate() {
            assert_relative_eq!(*share, if i % 2 == 0 || i == 17 { 0.1 } else { 0.0 }, epsilon = 1e-12);
        }
    }

    #[test]
    fn weights_count_and_far_scores_do_not_stretch() {
        let a = ScoredGroup::from_rows(&[0.1, 0.9, 0.5], &[0, 1, 2], Some(&[1.0, 3.0, 0.0]));
        let found = histograms(&[&a, &group(&[])], 40).unwrap();
        assert_eq!((found.shares[0][0], *found.shares[0].last().unwrap()), (0.25, 0.75));
        assert!(found.shares[1].is_empty());
        let mut scores: Vec<f64> = (0..1000).map(|i| f64::from(i) / 1000.0).collect();
        scores.extend([-1e12, 1e12]);
        let found = histograms(&[&group(&scores)], 40).unwrap();
        assert_eq!(found.open, [true, true]);
        assert!(found.from >= 0.0 && found.to <= 1.0, "{found:?}");
        assert_relative_eq!(found.shares[0].iter().sum::<f64>(), 1.0, epsilon = 1e-9);
    }

    #[test]
    fn one_score_is_one_bin_and_none_is_none() {
        let found = histograms(&[&group(&[0.5; 9]), &group(&[0.5])], 40).unwrap();
        assert_eq!((found.from, found.to, &found.shares), (0.5, 0.5, &vec![vec![1.0], vec![1.0]]));
        assert_eq!(histograms(&[&group(&[])], 40), None);
        assert_eq!(histograms(&[&group(&[f64::MIN, f64::MAX])], 40), None);
    }

    proptest! {
        #[test]
        fn every_row_is_in_one_of_the_bins(
            scores in prop::collection::vec(prop_oneof![-1e3..1e3, -1e-300..1e-300, Just(1e300), Just(0.0)], 1..60),
            most in 3usize..41,
        ) {
            let found = histograms(&[&group(&scores)], most).unwrap();
            prop_assert!(!found.shares[0].is_empty() && found.shares[0].len() <= most);
            prop_assert!((found.shares[0].iter().sum::<f64>() - 1.0).abs() < 1e-9);
            prop_assert!(found.from.is_finite() && found.to.is_finite() && found.from <= found.to);
            prop_assert!(found.shares[0].iter().all(|s| s.is_finite() && *s >= 0.0));
        }
    }
}
