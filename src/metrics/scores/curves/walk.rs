//! The scores of several groups, walked together from the best down.

use crate::metrics::scores::ScoredGroup;
use crate::tally::Cell;

/// The rows of a group by label: unfavourable, favourable, unknown.
pub(super) type ByLabel = [Cell; 3];

/// All labels of a group together.
pub(super) fn sum(cells: &ByLabel) -> Cell {
    let mut all = Cell::default();
    cells.iter().for_each(|c| all.add(c, 1.0));
    all
}

/// The rows of each group by label.
pub(super) fn totals(groups: &[&ScoredGroup]) -> Vec<ByLabel> {
    let of = |group: &&ScoredGroup| {
        let mut all = ByLabel::default();
        group.points.iter().for_each(|p| all[usize::from(p.label.min(2))].add(&p.cell, 1.0));
        all
    };
    groups.iter().map(of).collect()
}

/// Visits every distinct score of any group, the highest first: the score, and who scores more, and who as much or more,
/// by group and label. Rows of no weight are passed over.
pub(super) fn walk(groups: &[&ScoredGroup], mut visit: impl FnMut(f64, &[ByLabel], &[ByLabel])) {
    let mut left: Vec<usize> = groups.iter().map(|g| g.points.len()).collect();
    let mut above = vec![ByLabel::default(); groups.len()];
    let mut with = above.clone();
    let mut touched: Vec<usize> = Vec::new();
    for (group, left) in groups.iter().zip(&mut left) {
        pass(group, left);
    }
    loop {
        let heads = groups.iter().zip(&left).filter(|(_, l)| **l > 0).map(|(g, l)| g.points[*l - 1].score);
        let Some(score) = heads.reduce(f64::max) else { break };
        for (at, (group, left)) in groups.iter().zip(&mut left).enumerate() {
            if *left == 0 || group.points[*left - 1].score != score {
                continue;
            }
            touched.push(at);
            while *left > 0 && group.points[*left - 1].score == score {
                let point = &group.points[*left - 1];
                with[at][usize::from(point.label.min(2))].add(&point.cell, 1.0);
                *left -= 1;
            }
            pass(group, left);
        }
        visit(score, &above, &with);
        for at in touched.drain(..) {
            above[at] = with[at];
        }
    }
}

/// Passes over rows without weight.
fn pass(group: &ScoredGroup, left: &mut usize) {
    while *left > 0 && group.points[*left - 1].cell.weight <= 0.0 {
        *left -= 1;
    }
}

/// The weight of all groups.
pub(super) fn weight(groups: &[ByLabel]) -> f64 {
    groups.iter().flatten().map(|c| c.weight).sum()
}

/// The weight selected of a group: all above the threshold, and a part of those at it.
pub(super) fn selected_weight(above: &ByLabel, with: &ByLabel, tied: f64) -> f64 {
    (0..3).map(|l| above[l].weight + tied * (with[l].weight - above[l].weight)).sum()
}
