//! The cheapest lawful assignment of items to segments: an exact minimum-cost flow.
//!
//! Items belong to groups. Of each group a bounded number may be in each segment, and each segment takes a bounded number of
//! items. On counts that is a transportation problem with bounds, whose best answer is of whole items.
//!
//! Every item starts in its cheapest segment; no assignment is cheaper, but bounds may be broken. Broken bounds are
//! mended one by one along shortest paths of exchanges (successive shortest paths with potentials), which keeps the
//! assignment the cheapest of those that are broken as little. The paths run over cells of group and segment, not over items:
//! from one cell to another of the same group goes the item there that loses least by the change, which a heap knows. So
//! a path takes some groups × segments² steps whatever the number of items, and there are at most as many paths as
//! items out of place.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// The least and the most.
pub(crate) type Range = (u64, u64);

/// Items to assign.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Problem<'a> {
    /// How many segments there are, at least 1.
    pub segments: usize,
    /// The group of each item.
    pub groups: &'a [u32],
    /// How many units each item stands for; one each where there is none.
    pub units: Option<&'a [u32]>,
    /// What a unit of an item costs in each segment, item by item; finite.
    pub costs: &'a [f64],
    /// How many of a group may be in a segment, group by group.
    pub cells: &'a [Range],
    /// How many a segment may have.
    pub sizes: &'a [Range],
}

/// Where a bound cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unmet {
    /// That of a group in a segment.
    Cell { group: usize, segment: usize },
    /// That of a segment.
    Segment(usize),
    /// That of all segments together.
    Whole,
}

/// How many units of each item are in each segment, item by item, at the least cost.
pub(crate) fn assign(problem: &Problem) -> Result<Vec<u32>, Unmet> {
    for (at, (low, high)) in problem.cells.iter().enumerate() {
        if low > high {
            return Err(Unmet::Cell { group: at / problem.segments, segment: at % problem.segments });
        }
    }
    if let Some(at) = problem.sizes.iter().position(|(low, high)| low > high) {
        return Err(Unmet::Segment(at));
    }
    let mut flow = Flow::of(problem);
    while flow.excess.iter().any(|e| *e > 0) {
        flow.augment()?;
    }
    Ok(flow.units)
}

/// A number that heaps can order. There is no NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Key(f64);

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// Items by what they lose, the least first, equal ones by their number.
type Losses = BinaryHeap<Reverse<(Key, u32)>>;

/// How a node is reached.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// It is where a path begins.
    Start,
    /// By an item that changes from the segment of one cell to that of another.
    Item(u32),
    /// From a cell to its segment, or from a segment to the whole: one more passes.
    More,
    /// The other way: one less passes.
    Less,
}

/// Nodes are the cells (group by group), the segments, and the whole.
struct Flow<'a> {
    problem: &'a Problem<'a>,
    cell_count: usize,
    groups: usize,
    /// Units of each item in each segment.
    units: Vec<u32>,
    /// Items that are or were in each cell.
    members: Vec<Vec<u32>>,
    /// For each cell and other segment, its items by what the change costs; made when first asked for. Items that have left
    /// the cell are dropped when they are met.
    losses: Vec<Option<Losses>>,
    /// What passes from each cell to its segment, and from each segment to the whole; always within the bounds.
    passing: Vec<u64>,
    /// By how much more comes to a node than passes on.
    excess: Vec<i64>,
    potentials: Vec<f64>,
}

impl<'a> Flow<'a> {
    fn of(problem: &'a Problem<'a>) -> Self {
        let (segments, items) = (problem.segments, problem.groups.len());
        let cell_count = problem.cells.len();
        let groups = cell_count / segments;
        let nodes = cell_count + segments + 1;
        let mut flow = Flow {
            problem,
            cell_count,
            groups,
            units: vec![0; items * segments],
            members: vec![Vec::new(); cell_count],
            losses: Vec::new(),
            passing: vec![0; cell_count + segments],
            excess: vec![0; nodes],
            potentials: vec![0.0; nodes],
        };
        flow.losses.resize_with(cell_count * segments, || None);
        let mut whole = 0i64;
        for (item, group) in problem.groups.iter().enumerate() {
            let costs = &problem.costs[item * segments..(item + 1) * segments];
            let cheapest = (1..segments).fold(0, |best, s| if costs[s] < costs[best] { s } else { best });
            let units = problem.units.map_or(1, |u| u[item]);
            flow.units[item * segments + cheapest] = units;
            let cell = *group as usize * segments + cheapest;
            flow.members[cell].push(item as u32);
            flow.excess[cell] += i64::from(units);
            whole += i64::from(units);
        }
        // As much passes on as the bounds let; what is over or missing is the excess.
        let last = nodes - 1;
        flow.excess[last] -= whole;
        for node in 0..last {
            let (low, high) = flow.range(node);
            let on = flow.excess[node].clamp(low as i64, high.min(i64::MAX as u64) as i64);
            flow.passing[node] = on as u64;
            flow.excess[node] -= on;
            let next = flow.next(node);
            flow.excess[next] += on;
        }
        flow
    }

    fn range(&self, node: usize) -> Range {
        match node.checked_sub(self.cell_count) {
            None => self.problem.cells[node],
            Some(segment) => self.problem.sizes[segment],
        }
    }

    /// Where a cell or a segment passes on to.
    fn next(&self, node: usize) -> usize {
        if node < self.cell_count {
            self.cell_count + node % self.problem.segments
        } else {
            self.cell_count + self.problem.segments
        }
    }

    /// The item of a cell that loses least by a change to another segment, with what it loses.
    fn least_loss(&mut self, cell: usize, to: usize) -> Option<(f64, u32)> {
        let segments = self.problem.segments;
        let (from, costs) = (cell % segments, self.problem.costs);
        let units = &self.units;
        let losses = self.losses[cell * segments + to].get_or_insert_with(|| {
            let there = self.members[cell].iter().filter(|item| units[**item as usize * segments + from] > 0);
            there.map(|item| loss(costs, segments, *item, from, to)).collect()
        });
        while let Some(Reverse((Key(lost), item))) = losses.peek() {
            if units[*item as usize * segments + from] > 0 {
                return Some((*lost, *item));
            }
            losses.pop();
        }
        None
    }

    /// Sends as much as one path takes from a node with too much to one with too little, along the cheapest.
    fn augment(&mut self) -> Result<(), Unmet> {
        let nodes = self.excess.len();
        let mut distance = vec![f64::INFINITY; nodes];
        let mut from = vec![(usize::MAX, Step::Start); nodes];
        let mut done = vec![false; nodes];
        let mut queue = BinaryHeap::new();
        for node in (0..nodes).filter(|node| self.excess[*node] > 0) {
            distance[node] = 0.0;
            queue.push(Reverse((Key(0.0), node)));
        }
        let mut end = None;
        while let Some(Reverse((Key(length), node))) = queue.pop() {
            if std::mem::replace(&mut done[node], true) {
                continue;
            }
            if self.excess[node] < 0 {
                end = Some((node, length));
                break;
            }
            self.each_step(node, |flow, to, step, cost| {
                // Reduced costs are at least 0, but for rounding.
                let reach = length + (cost + flow.potentials[node] - flow.potentials[to]).max(0.0);
                if !done[to] && reach < distance[to] {
                    distance[to] = reach;
                    from[to] = (node, step);
                    queue.push(Reverse((Key(reach), to)));
                }
            });
        }
        let Some((end, length)) = end else { return Err(self.unmet()) };
        self.potentials.iter_mut().zip(&distance).for_each(|(p, d)| *p += d.min(length));
        self.send(end, &from);
        Ok(())
    }

    /// The nodes that a unit too many can go to from here, and at what cost.
    fn each_step(&mut self, node: usize, mut each: impl FnMut(&Self, usize, Step, f64)) {
        let segments = self.problem.segments;
        let last = self.cell_count + segments;
        if node < last {
            if self.passing[node] < self.range(node).1 {
                each(self, self.next(node), Step::More, 0.0);
            }
            if node < self.cell_count {
                for to in (0..segments).filter(|to| *to != node % segments) {
                    if let Some((lost, item)) = self.least_loss(node, to) {
                        each(self, node - node % segments + to, Step::Item(item), lost);
                    }
                }
            } else {
                for group in 0..self.groups {
                    let cell = group * segments + node - self.cell_count;
                    if self.passing[cell] > self.range(cell).0 {
                        each(self, cell, Step::Less, 0.0);
                    }
                }
            }
        } else {
            for segment in self.cell_count..last {
                if self.passing[segment] > self.range(segment).0 {
                    each(self, segment, Step::Less, 0.0);
                }
            }
        }
    }

    fn send(&mut self, end: usize, from: &[(usize, Step)]) {
        let segments = self.problem.segments;
        let mut path = Vec::new();
        let (mut node, mut amount) = (end, -self.excess[end]);
        while let (before, step @ (Step::Item(_) | Step::More | Step::Less)) = from[node] {
            let room = match step {
                Step::Item(item) => u64::from(self.units[item as usize * segments + before % segments]),
                Step::More => self.range(before).1 - self.passing[before],
                _ => self.passing[node] - self.range(node).0,
            };
            amount = amount.min(i64::try_from(room).unwrap_or(i64::MAX));
            path.push((before, step, node));
            node = before;
        }
        amount = amount.min(self.excess[node]);
        self.excess[node] -= amount;
        self.excess[end] += amount;
        let amount = amount.unsigned_abs();
        for (before, step, node) in path {
            match step {
                Step::More => self.passing[before] += amount,
                Step::Item(item) => self.change(item, before, node, amount as u32),
                _ => self.passing[node] -= amount,
            }
        }
    }

    /// Moves units of an item from one cell to another of its group.
    fn change(&mut self, item: u32, from: usize, to: usize, amount: u32) {
        let (segments, costs) = (self.problem.segments, self.problem.costs);
        let at = item as usize * segments;
        self.units[at + from % segments] -= amount;
        let there = &mut self.units[at + to % segments];
        if *there == 0 {
            self.members[to].push(item);
            for next in (0..segments).filter(|next| *next != to % segments) {
                if let Some(losses) = &mut self.losses[to * segments + next] {
                    losses.push(loss(costs, segments, item, to % segments, next));
                }
            }
        }
        *there += amount;
    }

    /// The first bound of those that are still broken.
    fn unmet(&self) -> Unmet {
        let segments = self.problem.segments;
        let short = self.excess.iter().position(|e| *e < 0).filter(|node| *node < self.cell_count + segments);
        let over = || self.excess.iter().position(|e| *e > 0);
        match short.or_else(over) {
            Some(node) if node < self.cell_count => Unmet::Cell { group: node / segments, segment: node % segments },
            Some(node) if node < self.cell_count + segments => Unmet::Segment(node - self.cell_count),
            _ => Unmet::Whole,
        }
    }
}

fn loss(costs: &[f64], segments: usize, item: u32, from: usize, to: usize) -> Reverse<(Key, u32)> {
    let costs = &costs[item as usize * segments..][..segments];
    Reverse((Key(costs[to] - costs[from]), item))
}

#[cfg(test)]
mod tests;
