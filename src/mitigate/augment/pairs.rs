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
/// Rows kept for a second look before they get it.
const PENDING: usize = 256;
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
            all.each_other(&mut blocks);
            [0..done, end..among]
        } else {
            [0..0, 0..among]
        };
        all.others(&mut blocks, &others);
        blocks.par_iter_mut().for_each(|block| all.finish(block));
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
    /// Compares blocks of rows that ask and answer with each other: in rounds in which each block meets one other.
    fn each_other(&self, blocks: &mut Vec<Block>) {
        blocks.par_iter_mut().for_each_init(buffer, |buffer, block| {
            let range = block.range.clone();
            block.largest = self.rough.largest_norm(range.clone());
            self.compare(block, range, buffer);
        });
        if blocks.len() % 2 == 1 {
            blocks.push(Block::new(0..0, 0));
        }
        let half = blocks.len() / 2;
        let few = half.div_ceil(rayon::current_num_threads());
        let mut buffers: Vec<Array2<f32>> = (0..half.div_ceil(few)).map(|_| buffer()).collect();
        for _ in 1..blocks.len() {
            // The first meets the last, the second the last but one: all but one then move up a place.
            let (left, right) = blocks.split_at_mut(half);
            left.par_chunks_mut(few).zip(right.par_rchunks_mut(few)).zip(&mut buffers).for_each(
                |((left, right), buffer)| {
                    for (left, right) in left.iter_mut().zip(right.iter_mut().rev()) {
                        self.compare_both(left, right, buffer);
                    }
                },
            );
            blocks[1..].rotate_right(1);
        }
        blocks.retain(|block| !block.range.is_empty());
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
        let (own, others) = (&self.queries[block.range.clone()], &self.candidates[candidates]);
        scan(squares, &mut block.searches, own, &mut [], others);
        self.tidy(block);
    }

    /// What two blocks are to each other.
    fn compare_both(&self, left: &mut Block, right: &mut Block, buffer: &mut Array2<f32>) {
        if left.range.is_empty() || right.range.is_empty() {
            return;
        }
        self.widen(left, right.largest);
        self.widen(right, left.largest);
        let squares = self.rough.squares(left.range.clone(), right.range.clone(), buffer);
        let (own, others) = (&self.queries[left.range.clone()], &self.candidates[right.range.clone()]);
        scan(squares, &mut left.searches, own, &mut right.searches, others);
        self.tidy(left);
        self.tidy(right);
    }

    /// Takes in how far squares may be off, of candidates of norms up to the largest.
    fn widen(&self, block: &mut Block, largest: f32) {
        if largest <= block.widened {
            return;
        }
        block.widened = largest;
        for (search, at) in block.searches.iter_mut().zip(block.range.clone()) {
            search.widen(self.rough.slack(self.rough.query_norm(at), largest), self.rough.unseen);
        }
    }

    /// Keeps what waits for a second look short.
    fn tidy(&self, block: &mut Block) {
        let k = block.k;
        for (at, search) in block.searches.iter_mut().enumerate().filter(|(_, search)| search.pending.len() >= PENDING)
        {
            search.thin_out();
            if search.pending.len() >= PENDING / 2 {
                let query = self.queries[block.range.start + at];
                self.look_again(query, &mut search.pending, &mut block.near[at * k..(at + 1) * k]);
            }
        }
    }

    fn finish(&self, block: &mut Block) {
        let queries = &self.queries[block.range.clone()];
        for ((search, near), query) in block.searches.iter_mut().zip(block.near.chunks_exact_mut(block.k)).zip(queries)
        {
            search.thin_out();
            self.look_again(*query, &mut search.pending, near);
        }
    }

    /// Measures rows exactly, and keeps the nearest; of those at the same distance the first.
    fn look_again(&self, query: u32, pending: &mut Vec<(f32, u32)>, near: &mut [Near]) {
        let last = near.len() - 1;
        for (_, row) in pending.drain(..) {
            let square = self.points.square(query as usize, row as usize);
            let before = |other: &Near| (other.square, other.row) < (square, row);
            if !before(&near[last]) {
                let at = near.partition_point(before);
                near[at..].rotate_right(1);
                near[at] = Near { square, row };
            }
        }
    }
}

fn buffer() -> Array2<f32> {
    Array2::zeros((SIDE, SIDE))
}

/// Queries that are compared together.
struct Block {
    /// Their places.
    range: Range<usize>,
    searches: Vec<Search>,
    k: usize,
    /// `k` for each: the nearest of those that were measured exactly.
    near: Vec<Near>,
    /// The largest square of a norm of its own rows, and of those that they were compared with.
    largest: f32,
    widened: f32,
}

impl Block {
    fn new(range: Range<usize>, k: usize) -> Self {
        let searches = range.clone().map(|_| Search::new(k)).collect();
        Block { near: vec![Near::NONE; k * range.len()], range, searches, k, largest: 0.0, widened: f32::NEG_INFINITY }
    }
}

/// One row's search.
struct Search {
    /// The `k` smallest squares so far.
    best: Vec<f32>,
    slack: f32,
    unseen: f32,
    /// What is above it is not among the nearest, whatever the rounding.
    cut: f32,
    /// What may be: square and row.
    pending: Vec<(f32, u32)>,
}

impl Search {
    fn new(k: usize) -> Self {
        let best = vec![f32::INFINITY; k];
        Search { best, slack: 0.0, unseen: 0.0, cut: f32::INFINITY, pending: Vec::with_capacity(16 * k.min(8)) }
    }

    /// Takes a larger bound on the rounding.
    fn widen(&mut self, slack: f32, unseen: f32) {
        self.slack = slack;
        self.unseen = unseen;
        self.lower();
    }

    fn lower(&mut self) {
        self.cut = self.best[self.best.len() - 1] + 2.0 * self.slack + self.unseen;
    }

    fn take(&mut self, square: f32, row: u32) {
        self.pending.push((square, row));
        if square < self.best[self.best.len() - 1] {
            let at = self.best.partition_point(|best| *best <= square);
            self.best[at..].rotate_right(1);
            self.best[at] = square;
            self.lower();
        }
    }

    /// Forgets what turned out to be too far.
    fn thin_out(&mut self) {
        let cut = self.cut;
        self.pending.retain(|(square, _)| *square <= cut);
    }
}

/// Gives every square to the searches of its two rows, if it may be among their nearest. `right` may be empty.
fn scan(squares: ArrayView2<f32>, left: &mut [Search], left_rows: &[u32], right: &mut [Search], right_rows: &[u32]) {
    let mut cuts = [f32::NEG_INFINITY; SIDE];
    cuts.iter_mut().zip(right.iter()).for_each(|(cut, search)| *cut = search.cut);
    for ((search, own), squares) in left.iter_mut().zip(left_rows).zip(squares.rows()) {
        let Some(squares) = squares.to_slice() else { continue };
        for (number, lanes) in squares.chunks(LANES).enumerate() {
            let start = number * LANES;
            if far(lanes, search.cut, &cuts[start..start + lanes.len()]) {
                continue;
            }
            for (at, square) in (start..).zip(lanes) {
                let row = right_rows[at];
                if *square <= search.cut && row != *own {
                    search.take(*square, row);
                }
                if *square <= cuts[at] {
                    right[at].take(*square, *own);
                    cuts[at] = right[at].cut;
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
