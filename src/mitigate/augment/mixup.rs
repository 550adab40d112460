//! Mixup across groups.

use rand::Rng;
use rand_distr::{Beta, Distribution};

use super::Work;
use super::cells::Cells;
use super::made::Made;
use super::resample::even_draw;
use super::smote::{Between, each_new, either, interpolate};

/// The rows of a cell's label in other groups.
pub(super) fn others(cells: &Cells, cell: usize) -> Vec<u32> {
    let same_label = cells.rows.iter().enumerate().filter(|(other, _)| *other != cell && other % 2 == cell % 2);
    same_label.flat_map(|(_, rows)| rows.iter().copied()).collect()
}

/// New rows between one of the cell and one of the others, of which there are some. `alpha` is finite and above 0.
pub(super) fn mix(work: &Work, others: &[u32], alpha: f64) -> Made {
    let base = even_draw(work.rows, work.extra, work.seed, work.cell);
    let beta = Beta::new(alpha, alpha);
    let pairs = each_new(work, |new, rng| {
        let draw = beta.as_ref().map_or(1.0, |beta| beta.sample(rng));
        // Where both parameters are tiny, the draw may be none: all is at the ends then.
        let draw = if draw.is_nan() { 1.0 } else { draw };
        let other = others[rng.gen_range(0..others.len())];
        Between { rows: [base[new], other], share: draw.min(1.0 - draw).clamp(0.0, 0.5), salt: rng.r#gen() }
    });
    interpolate(work, &pairs, |at, column| either(at, column, &pairs))
}
