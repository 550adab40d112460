//! What moves reach and cost.

use serde::{Deserialize, Serialize};

use super::{Bound, Sizes, people::People};

/// One group's people in each segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupShares {
    /// Its levels, joined by ` & `.
    pub group: String,
    /// Its rows with a segment.
    pub rows: u64,
    /// Its rows in each segment before.
    pub before: Vec<u64>,
    /// The same after.
    pub after: Vec<u64>,
}

/// People of one group who move from one segment to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The group, by its levels joined by ` & `.
    pub group: String,
    /// The segment that they leave.
    pub from: String,
    /// The segment that they come to.
    pub to: String,
    /// How many they are.
    pub rows: u64,
}

/// What a re-assignment reaches and costs. It holds counts of groups, no row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReassignSummary {
    /// The attributes whose levels make the groups.
    pub attributes: Vec<String>,
    /// The segments' names, in the order that counts are given in.
    pub segments: Vec<String>,
    /// What was asked for.
    pub bound: Bound,
    /// What might become of sizes.
    pub sizes: Sizes,
    /// The groups.
    pub groups: Vec<GroupShares>,
    /// Who moves where, by group, segment left and segment come to.
    pub moves: Vec<Move>,
    /// How many rows move.
    pub moved: u64,
    /// What it costs: the rows that move, or the sum of the costs given of the segments that all rows are in.
    pub cost: f64,
    /// The largest `|P(s|g) − P(s)|` over groups and segments, before and after; each with everybody's shares of its time.
    pub largest_gap: [f64; 2],
    /// The smallest `P(s|g) / P(s)` or its inverse over groups and segments with rows, before and after: the balance, in
    /// [0, 1].
    pub balance: [f64; 2],
    /// Rows that stay as they are, because their group or segment is not known.
    pub left_alone: u64,
}

pub(super) fn of(people: &People, segments: &[Option<u32>], bound: Bound, sizes: Sizes, cost: f64) -> ReassignSummary {
    let count = people.segments();
    // Rows of each group from each segment to each.
    let mut moves = vec![0u64; people.counts.len() * count];
    for (row, cell) in people.known() {
        if let Some(to) = segments[row] {
            moves[cell * count + to as usize] += 1;
        }
    }
    let mut after = vec![0u64; people.counts.len()];
    for (at, rows) in moves.iter().enumerate() {
        after[at / count / count * count + at % count] += rows;
    }
    let whole: u64 = people.counts.iter().sum();
    let figures = |counts: &[u64]| {
        let (mut gap, mut balance) = (0.0f64, 1.0f64);
        for segment in 0..count {
            let size: u64 = counts.iter().skip(segment).step_by(count).sum();
            for group in counts.chunks(count) {
                let rows: u64 = group.iter().sum();
                if rows > 0 && size > 0 {
                    let (own, all) = (group[segment] as f64 / rows as f64, size as f64 / whole as f64);
                    gap = gap.max((own - all).abs());
                    balance = balance.min(own / all).min(if own > 0.0 { all / own } else { 0.0 });
                }
            }
        }
        (gap, balance)
    };
    let (before, reached) = (figures(&people.counts), figures(&after));
    let moved = moves.iter().enumerate().filter(|(at, rows)| **rows > 0 && at / count % count != at % count);
    let moves: Vec<Move> = moved
        .map(|(at, rows)| Move {
            group: people.groups.name(at / count / count),
            from: people.levels[at / count % count].clone(),
            to: people.levels[at % count].clone(),
            rows: *rows,
        })
        .collect();
    let of_group = |group: usize| {
        let at = group * count..(group + 1) * count;
        GroupShares {
            group: people.groups.name(group),
            rows: people.of_group(group),
            before: people.counts[at.clone()].to_vec(),
            after: after[at].to_vec(),
        }
    };
    ReassignSummary {
        attributes: people.groups.attributes.clone(),
        segments: people.levels.clone(),
        bound,
        sizes,
        groups: (0..people.groups.len()).map(of_group).collect(),
        moved: moves.iter().map(|m| m.rows).sum(),
        moves,
        cost,
        largest_gap: [before.0, reached.0],
        balance: [before.1, reached.1],
        left_alone: people.of_row.len() as u64 - whole,
    }
}
