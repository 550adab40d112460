//! The nearest rows by the distances of all pairs, each pair measured once for both of its rows.

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;
use std::ops::Range;

use super::neighbors::{Near, Points};
use super::rough::Rough;

/// Rows of a block: the distances of two blocks stay in the cache.
const SIDE: usize = 128;
/// Distances that one comparison turns away together.
const LANES: usize = 16;
/// Pairs of a block kept for a second look before they get it.
const PENDING: usize = 8192;
/// Groups of blocks for each thread: few, for the threads wait for each other between rounds.
const GROUPS: usize = 4;
/// Rows whose searches go on at the same time, which bounds the memory.
pub(super) const TOGETHER: usize = 1 << 15;

/// The `k` nearest of the first `among` rows to each row of `queries`, `k` for each: at least 1. The searches of `together`
/// rows, at least 1, go on at the same time.
pub(super) fn by_pairs(points: &Points, queries: &[u32], among: usize, k: usize, together: usize, near: &mut [Near]) {
    let order = Order::of(queries, among);
    let asked: Vec<u32> = order.queries.iter().map(|at| queries[*at]).collect();
    let rough = Rough::of(points, &asked, &order.candidates);
    let all = All { points, rough, queries: &asked, candidates: &order.candidates };
    let lone = order.mutual..asked.len();
    let mut done = 0;
    while done < asked.len() {
        let end = if done < lone.start { lone.start.min(done + together) } else { lone.end.min(done + together) };
        let starts = (done..end).step_by(SIDE);
        let mut blocks: Vec<Block> = starts.map(|start| Block::new(start..end.min(start + SIDE), k)).collect();
        let others = if done < lone.start {
            blocks = all.each_other(blocks);
            [0..done, end..among]
        } else {
            [0..0, 0..among]
        };
        all.others(&mut blocks, &others);
        blocks.par_iter_mut().for_each(|block| {
            block.thin_out();
            all.look_again(block);
        });
        for (at, found) in blocks.iter().flat_map(|b| b.range.clone().zip(b.near.chunks_exact(k))) {
            let at = order.queries[at];
            near[at * k..(at + 1) * k].copy_from_slice(found);
        }
        done = end;
    }
}

/// In which order rows are compared: those that ask and answer come first on both sides, in the same order.
struct Order {
    /// Places among the queries.
    queries: Vec<usize>,
    /// Rows that may be an answer.
    candidates: Vec<u32>,
    /// How many of both ask and answer.
    mutual: usize,
}

impl Order {
    fn of(queries: &[u32], among: usize) -> Self {
        let mut asks = vec![false; among];
        let (mut both, mut lone) = (Vec::with_capacity(queries.len()), Vec::new());
        for (at, query) in queries.iter().enumerate() {
            match asks.get_mut(*query as usize) {
                Some(asks @ false) => {
                    *asks = true;
                    both.push(at);
                }
                // It only asks, or asks again.
                _ => lone.push(at),
            }
        }
        let mut candidates: Vec<u32> = both.iter().map(|at| queries[*at]).collect();
        candidates.extend((0..among as u32).filter(|row| !asks[*row as usize]));
        let mutual = both.len();
        both.extend(lone);
        Order { queries: both, candidates, mutual }
    }
}

/// What all searches share.
struct All<'a> {
    points: &'a Points,
    rough: Rough,
    queries: &'a [u32],
    candidates: &'a [u32],
}

impl All<'_> {
    /// Compares blocks of rows that ask and answer with each other. Groups of blocks meet in rounds, in each of which every
    /// group meets one other, so that no two threads have the same block.
    fn each_other(&self, blocks: Vec<Block>) -> Vec<Block> {
        let count = GROUPS * rayon::current_num_threads();
        let size = blocks.len().div_ceil(count).max(1);
        let mut groups: Vec<Vec<Block>> = Vec::new();
        for (at, block) in blocks.into_iter().enumerate() {
            match groups.get_mut(at / size) {
                Some(group) => group.push(block),
                None => groups.push(vec![block]),
            }
        }
        groups.par_iter_mut().for_each_init(buffer, |buffer, group| {
            for at in 0..group.len() {
                let (before, rest) = group.split_at_mut(at);
                let [block, ..] = rest else { continue };
                let range = block.range.clone();
                block.largest = self.rough.largest_norm(range.clone());
                self.compare(block, range, buffer);
                before.iter_mut().for_each(|other| self.compare_both(block, other, buffer));
            }
        });
        if groups.len() % 2 == 1 {
            groups.push(Vec::new());
        }
        let half = groups.len() / 2;
        let mut buffers: Vec<Array2<f32>> = (0..half).map(|_| buffer()).collect();
        for _ in 1..groups.len() {
            // The first meets the last, the second the last but one: all but the first then move up a place.
            let (left, right) = groups.split_at_mut(half);
            let pairs = left.par_iter_mut().zip(right.par_iter_mut().rev()).zip(&mut buffers);
            pairs.for_each(|((left, right), buffer)| {
                for left in left {
                    right.iter_mut().for_each(|right| self.compare_both(left, right, buffer));
                }
            });
            groups[1..].rotate_right(1);
        }
        groups.into_iter().flatten().collect()
    }

    /// Compares blocks with candidates that do not ask, or do so at another time.
    fn others(&self, blocks: &mut [Block], others: &[Range<usize>]) {
        blocks.par_iter_mut().for_each_init(buffer, |buffer, block| {
            for others in others {
                for start in others.clone().step_by(SIDE) {
                    self.compare(block, start..others.end.min(start + SIDE), buffer);
                }
            }
        });
    }

    /// What candidates are to a block.
    fn compare(&self, block: &mut Block, candidates: Range<usize>, buffer: &mut Array2<f32>) {
        self.widen(block, self.rough.largest_norm(candidates.clone()));
        let squares = self.rough.squares(block.range.clone(), candidates.clone(), buffer);
        scan(squares, block, &self.queries[block.range.clone()], None, &self.candidates[candidates]);
        self.tidy(block);
    }

    /// What two blocks are to each other.
    fn compare_both(&self, left: &mut Block, right: &mut Block, buffer: &mut Array2<f32>) {
        self.widen(left, right.largest);
        self.widen(right, left.largest);
        let squares = self.rough.squares(left.range.clone(), right.range.clone(), buffer);
        let (own, others) = (&self.queries[left.range.clone()], &self.candidates[right.range.clone()]);
        scan(squares, left, own, Some(&mut *right), others);
        self.tidy(left);
        self.tidy(right);
    }

    /// Takes in how far squares may be off, of candidates of norms up to the largest.
    fn widen(&self, block: &mut Block, largest: f32) {
        if largest <= block.widened {
            return;
        }
        block.widened = largest;
        for (at, query) in block.range.clone().enumerate() {
            // Both the k-th best square and the one that is compared with it may be off.
            block.margins[at] = 2.0 * self.rough.slack(self.rough.query_norm(query), largest) + self.rough.unseen;
            block.lower(at);
        }
    }

    /// Keeps what waits for a second look short.
    fn tidy(&self, block: &mut Block) {
        if block.pending.len() >= PENDING {
            block.thin_out();
            if block.pending.len() >= PENDING / 2 {
                self.look_again(block);
            }
        }
    }

    /// Measures rows exactly, and keeps the nearest; of those at the same distance the first.
    fn look_again(&self, block: &mut Block) {
        let k = block.k;
        for Pending { at, row, .. } in block.pending.drain(..) {
            let near = &mut block.near[at as usize * k..(at as usize + 1) * k];
            let square = self.points.square(self.queries[block.range.start + at as usize] as usize, row as usize);
            let before = |other: &Near| (other.square, other.row) < (square, row);
            if !before(&near[k - 1]) {
                let place = near.partition_point(before);
                near[place..].rotate_right(1);
                near[place] = Near { square, row };
            }
        }
    }
}

fn buffer() -> Array2<f32> {
    Array2::zeros((SIDE, SIDE))
}

/// Queries that are compared together: what is looked at often lies close together.
struct Block {
    /// Their places.
    range: Range<usize>,
    k: usize,
    /// What is above it is not among the nearest of a query, whatever the rounding.
    cuts: [f32; SIDE],
    /// How far the cut is above the `k`-th best square.
    margins: [f32; SIDE],
    /// The `k` smallest squares of each query so far.
    best: Vec<f32>,
    /// What may be among the nearest.
    pending: Vec<Pending>,
    /// `k` for each: the nearest of those that were measured exactly.
    near: Vec<Near>,
    /// The largest square of a norm of its own rows, and of those that they were compared with.
    largest: f32,
    widened: f32,
}

/// A row that waits for a second look, of the query at a place in a block.
struct Pending {
    square: f32,
    row: u32,
    at: u32,
}

impl Block {
    fn new(range: Range<usize>, k: usize) -> Self {
        let all = k * range.len();
        Block {
            range,
            k,
            cuts: [f32::INFINITY; SIDE],
            margins: [0.0; SIDE],
            best: vec![f32::INFINITY; all],
            pending: Vec::new(),
            near: vec![Near::NONE; all],
            largest: 0.0,
            widened: f32::NEG_INFINITY,
        }
    }

    fn lower(&mut self, at: usize) {
        self.cuts[at] = self.best[(at + 1) * self.k - 1] + self.margins[at];
    }

    fn take(&mut self, at: usize, square: f32, row: u32) {
        self.pending.push(Pending { square, row, at: at as u32 });
        let best = &mut self.best[at * self.k..(at + 1) * self.k];
        let mut place = best.len() - 1;
        if square < best[place] {
            // Few are moved: no search is faster.
            while place > 0 && best[place - 1] > square {
                best[place] = best[place - 1];
                place -= 1;
            }
            best[place] = square;
            self.lower(at);
        }
    }

    /// Forgets what turned out to be too far.
    fn thin_out(&mut self) {
        let cuts = &self.cuts;
        self.pending.retain(|pending| pending.square <= cuts[pending.at as usize]);
    }
}

/// Gives every square to its two rows, if it may be among their nearest; to the left ones alone where there is no right
/// block.
fn scan(
    squares: ArrayView2<f32>,
    left: &mut Block,
    left_rows: &[u32],
    mut right: Option<&mut Block>,
    right_rows: &[u32],
) {
    let nobody = [f32::NEG_INFINITY; SIDE];
    for ((at, own), squares) in left_rows.iter().enumerate().zip(squares.rows()) {
        let Some(squares) = squares.to_slice() else { continue };
        for (number, lanes) in squares.chunks(LANES).enumerate() {
            let start = number * LANES;
            let cuts = right.as_ref().map_or(&nobody, |right| &right.cuts);
            if far(lanes, left.cuts[at], &cuts[start..start + lanes.len()]) {
                continue;
            }
            for (other, square) in (start..).zip(lanes) {
                let row = right_rows[other];
                if *square <= left.cuts[at] && row != *own {
                    left.take(at, *square, row);
                }
                if let Some(right) = &mut right
                    && *square <= right.cuts[other]
                {
                    right.take(other, *square, *own);
                }
            }
        }
    }
}

/// Whether all squares are beyond the row's cut and their own: of a known length and without a way out, it takes one
/// instruction for several distances.
fn far(squares: &[f32], cut: f32, cuts: &[f32]) -> bool {
    let (Ok(squares), Ok(cuts)) = (<&[f32; LANES]>::try_from(squares), <&[f32; LANES]>::try_from(cuts)) else {
        return false;
    };
    !squares.iter().zip(cuts).fold(false, |any, (square, own)| {
        let most = if *own > cut { *own } else { cut };
        any | (*square <= most)
    })
}
