//! What thresholds can reach: for each group the points of all thresholds, and the best mixtures of them.

use crate::tally::Cell;

/// The threshold that nobody reaches.
pub(super) const NOBODY: f64 = f64::MAX;
/// The threshold that everybody reaches.
pub(super) const EVERYBODY: f64 = f64::MIN;

/// A threshold of one group: who reaches it, as shares of the group's unfavourable and favourable labels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub threshold: f64,
    /// Whether those below the threshold are selected, rather than those who reach it.
    pub below: bool,
    pub fpr: f64,
    pub tpr: f64,
}

/// A group's rows with a known label and a score.
#[derive(Debug, Clone)]
pub(super) struct Curve {
    /// From nobody to everybody: every distinct score is a point.
    pub points: Vec<Point>,
    /// The weight of unfavourable and favourable labels.
    pub weights: [f64; 2],
    pub rows: u64,
}

impl Curve {
    /// Of rows in falling order of their scores, with whether the label is favourable and the weight.
    pub fn of(rows: &[(f64, bool, f64)]) -> Self {
        let mut cells = [Cell::default(); 2];
        for (_, label, weight) in rows {
            let cell = &mut cells[usize::from(*label)];
            cell.weight += weight;
        }
        let weights = cells.map(|cell| cell.weight);
        let share = |part: f64, label: usize| if weights[label] > 0.0 { (part / weights[label]).min(1.0) } else { 0.0 };
        let mut points = vec![Point { threshold: NOBODY, below: false, fpr: 0.0, tpr: 0.0 }];
        let mut reached = [0.0; 2];
        let mut at = 0;
        while at < rows.len() {
            let threshold = rows[at].0;
            while at < rows.len() && rows[at].0 == threshold {
                reached[usize::from(rows[at].1)] += rows[at].2;
                at += 1;
            }
            points.push(Point { threshold, below: false, fpr: share(reached[0], 0), tpr: share(reached[1], 1) });
        }
        // Everybody, to the last digit.
        if let Some(last) = points.last_mut().filter(|last| last.threshold != NOBODY) {
            let all = |label: usize| if weights[label] > 0.0 { 1.0 } else { 0.0 };
            *last = Point { threshold: EVERYBODY, below: false, fpr: all(0), tpr: all(1) };
        }
        Curve { points, weights, rows: rows.len() as u64 }
    }

    /// Lets those below each threshold be selected too.
    pub fn flip(&mut self) {
        let last = self.points.last().map_or([0.0; 2], |all| [all.fpr, all.tpr]);
        let inner = self.points.iter().filter(|p| p.threshold != NOBODY && p.threshold != EVERYBODY);
        let below = |p: &Point| Point { below: true, fpr: last[0] - p.fpr, tpr: last[1] - p.tpr, ..*p };
        let turned: Vec<Point> = inner.map(below).collect();
        self.points.extend(turned);
    }

    /// The share that a point selects.
    pub fn selected(&self, point: &Point) -> f64 {
        (self.weights[0] * point.fpr + self.weights[1] * point.tpr) / (self.weights[0] + self.weights[1])
    }
}

/// A concave function on an interval, by the corners of its graph.
#[derive(Debug, Clone)]
pub(super) struct Hull {
    /// Arguments, values and what each corner is made of, by rising argument.
    pub corners: Vec<(f64, f64, Point)>,
}

impl Hull {
    /// The least concave function above some points.
    pub fn above(points: impl Iterator<Item = (f64, f64, Point)>) -> Self {
        let mut points: Vec<(f64, f64, Point)> = points.collect();
        // Those of falling thresholds rise already.
        if !points.is_sorted_by(|a, b| a.0 <= b.0) {
            points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        }
        let mut corners: Vec<(f64, f64, Point)> = Vec::new();
        for new in points {
            if let Some(last) = corners.last()
                && new.0 <= last.0
            {
                if new.1 <= last.1 {
                    continue;
                }
                corners.pop();
            }
            while let [.., a, b] = &corners[..] {
                // Whether b lies on or under the line from a to the new point.
                if (b.0 - a.0) * (new.1 - a.1) - (new.0 - a.0) * (b.1 - a.1) < 0.0 {
                    break;
                }
                corners.pop();
            }
            corners.push(new);
        }
        Hull { corners }
    }

    /// Where an argument lies: a corner, and how far on the way to the next one, in [0, 1).
    pub fn locate(&self, argument: f64) -> (usize, f64) {
        let at = self.corners.partition_point(|corner| corner.0 <= argument).saturating_sub(1);
        match self.corners.get(at + 1) {
            Some(next) => {
                let from = self.corners[at].0;
                (at, ((argument - from) / (next.0 - from)).clamp(0.0, 1.0))
            }
            None => (at, 0.0),
        }
    }

    /// The value at an argument; beyond the ends, that of the end.
    pub fn value(&self, argument: f64) -> f64 {
        let (at, way) = self.locate(argument);
        let here = self.corners[at].1;
        if way == 0.0 { here } else { here + way * (self.corners[at + 1].1 - here) }
    }

    /// The argument of the largest value.
    pub fn peak(&self) -> f64 {
        let best = self.corners.iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.total_cmp(&a.0)));
        best.map_or(0.0, |corner| corner.0)
    }

    /// The points that mix to an argument, with their shares.
    pub fn mixture(&self, argument: f64) -> Vec<(Point, f64)> {
        let (at, way) = self.locate(argument);
        let mut parts = vec![(self.corners[at].2, 1.0 - way)];
        if way > 0.0 {
            parts.push((self.corners[at + 1].2, way));
        }
        parts.retain(|(_, share)| *share > 0.0);
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_corners_stay() {
        // fairlearn 0.15.0 keeps points 0, 1, 3 and 4 of these.
        let (x, y) = ([0.0, 0.2, 0.3, 0.5, 1.0], [0.0, 0.3, 0.35, 0.7, 1.0]);
        let point = |i: usize| Point { threshold: i as f64, below: false, fpr: x[i], tpr: y[i] };
        let hull = Hull::above((0..5).map(|i| (x[i], y[i], point(i))));
        assert_eq!(hull.corners.iter().map(|c| c.2.threshold).collect::<Vec<_>>(), [0.0, 1.0, 3.0, 4.0]);
        assert!((hull.value(0.35) - 0.5).abs() < 1e-12);
        assert_eq!((hull.value(-1.0), hull.value(2.0), hull.peak()), (0.0, 1.0, 1.0));
        let parts = hull.mixture(0.75);
        assert_eq!(parts.iter().map(|(p, share)| (p.threshold, *share)).collect::<Vec<_>>(), [(3.0, 0.5), (4.0, 0.5)]);
        // Of points on one argument the upper one; of equal ones either.
        let steps = [(0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (0.5, 0.2), (1.0, 0.5)];
        let hull = Hull::above(steps.iter().map(|(x, y)| (*x, *y, point(0))));
        assert_eq!(hull.corners.iter().map(|c| (c.0, c.1)).collect::<Vec<_>>(), [(0.0, 0.5), (1.0, 0.5)]);
    }

    #[test]
    fn equal_scores_are_one_step() {
        let curve = Curve::of(&[(0.9, true, 1.0), (0.5, true, 2.0), (0.5, false, 1.0), (0.1, false, 3.0)]);
        assert_eq!(curve.points.len(), 4);
        assert_eq!(curve.points[2], Point { threshold: 0.5, below: false, fpr: 0.25, tpr: 1.0 });
        assert_eq!(curve.points[3], Point { threshold: EVERYBODY, below: false, fpr: 1.0, tpr: 1.0 });
        assert!((curve.selected(&curve.points[2]) - 4.0 / 7.0).abs() < 1e-12);
    }
}
