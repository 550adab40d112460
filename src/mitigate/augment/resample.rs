//! Rows copied and rows taken away.

use rand::seq::SliceRandom;

use super::cells::Cells;
use crate::inference::rng::stream;

/// `extra` draws in which every row is met equally often, to one.
pub(super) fn even_draw(rows: &[u32], extra: usize, seed: u64, cell: usize) -> Vec<u32> {
    let mut order = rows.to_vec();
    order.shuffle(&mut stream(seed, cell, 0));
    order.iter().copied().cycle().take(extra).collect()
}

/// The rows that cells have beyond what they are to have, drawn at random; in order.
pub(super) fn removed(cells: &Cells, after: &[usize], seed: u64) -> Vec<u32> {
    let mut removed = Vec::new();
    for (cell, (rows, after)) in cells.rows.iter().zip(after).enumerate() {
        if *after < rows.len() {
            let mut order = rows.clone();
            order.shuffle(&mut stream(seed, cell, 0));
            removed.extend_from_slice(&order[*after..]);
        }
    }
    removed.sort_unstable();
    removed
}

/// All rows but the removed ones, which are in order.
pub(super) fn others(rows: usize, removed: &[u32]) -> Vec<u32> {
    let mut gone = removed.iter().peekable();
    (0..rows as u32).filter(|row| gone.next_if(|next| *next == row).is_none()).collect()
}
