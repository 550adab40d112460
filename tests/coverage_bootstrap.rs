//! The bootstrap over cells against resampling rows, and its independence of threads.

use evenhand::inference::bootstrap::{Bootstrap, Replicates, jackknife};
use evenhand::inference::rate::wilson;
use evenhand::tally::Cell;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, Gamma};
use rand_xoshiro::Xoshiro256PlusPlus;

/// The weighted share of the first cell.
fn rate(cells: &[Cell]) -> Option<f64> {
    let total: f64 = cells.iter().map(|cell| cell.weight).sum();
    (total > 0.0).then(|| cells[0].weight / total)
}

/// Rows `(group, selected, weight)` as cells: selected and not, for both groups.
fn tally(rows: &[(usize, bool, f64)]) -> [[Cell; 2]; 2] {
    let mut cells = [[Cell::default(); 2]; 2];
    for &(group, selected, weight) in rows {
        let cell = &mut cells[group][usize::from(!selected)];
        cell.rows += 1.0;
        cell.weight += weight;
        cell.weight_squared += weight * weight;
    }
    cells
}

fn sd(values: &[f64]) -> f64 {
    Replicates { replicates: values.to_vec(), undefined: 0 }.standard_error().unwrap()
}

/// The differences of the two groups' rates when the rows of each group are resampled.
fn by_rows(rows: &[(usize, bool, f64)], replicates: usize, seed: u64) -> Vec<f64> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let groups: [Vec<_>; 2] = [0, 1].map(|g| rows.iter().copied().filter(|row| row.0 == g).collect());
    (0..replicates)
        .map(|_| {
            let drawn: Vec<_> = groups
                .iter()
                .flat_map(|group| (0..group.len()).map(|_| group[rng.gen_range(0..group.len())]).collect::<Vec<_>>())
                .collect();
            let cells = tally(&drawn);
            rate(&cells[0]).unwrap() - rate(&cells[1]).unwrap()
        })
        .collect()
}

/// The same from the cells.
fn by_cells(rows: &[(usize, bool, f64)], replicates: usize, seed: u64) -> Vec<f64> {
    let cells = tally(rows);
    let ran = Bootstrap { replicates, seed }.run(&[&cells[0], &cells[1]], |_, cells| rate(cells));
    assert_eq!(ran[0].undefined + ran[1].undefined, 0);
    ran[0].replicates.iter().zip(&ran[1].replicates).map(|(a, b)| a - b).collect()
}

fn sample(seed: u64, weighted: bool) -> Vec<(usize, bool, f64)> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let gamma = Gamma::new(2.0, 1.0).unwrap();
    (0..800)
        .map(|row| {
            let group = usize::from(row % 2 == 0);
            let selected = rng.gen_bool(if group == 0 { 0.3 } else { 0.5 });
            (group, selected, if weighted { gamma.sample(&mut rng) } else { 1.0 })
        })
        .collect()
}

#[test]
fn cells_resample_like_rows() {
    // The standard deviation of B replicates has a relative Monte Carlo error of 1/sqrt(2B): 1.1 % of each at 4,000, so
    // that 5 % is over three standard errors of their ratio.
    for weighted in [false, true] {
        let rows = sample(5, weighted);
        let (slow, fast) = (by_rows(&rows, 4000, 1), by_cells(&rows, 4000, 2));
        let (s, f) = (sd(&slow), sd(&fast));
        println!("weighted {weighted}: sd by rows {s:.5}, by cells {f:.5}");
        assert!((f / s - 1.0).abs() < 0.05, "weighted {weighted}: {s} {f}");
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        assert!((mean(&slow) - mean(&fast)).abs() < 4.0 * s / f64::sqrt(2000.0));
        // The linearised standard error, from the same cells.
        let variance: f64 = tally(&rows)
            .iter()
            .map(|[yes, no]| {
                let (w, p) = (yes.weight + no.weight, yes.weight / (yes.weight + no.weight));
                ((1.0 - p).powi(2) * yes.weight_squared + p * p * no.weight_squared) / (w * w)
            })
            .sum();
        assert!((f / variance.sqrt() - 1.0).abs() < 0.05);
        // Quantiles too, not just the spread.
        let percentile = |values: Vec<f64>| Replicates { replicates: values, undefined: 0 }.percentile(0.9).unwrap();
        let (slow, fast) = (percentile(slow), percentile(fast));
        assert!((slow.low - fast.low).abs() < 0.15 * s && (slow.high - fast.high).abs() < 0.15 * s);
    }
}

#[test]
fn mean_weights_would_understate() {
    // The naive count x mean weight, which the gamma weights replace, is some 18 % too small.
    let rows = sample(5, true);
    let cells = tally(&rows);
    let naive = |cells: &[Cell; 2]| cells.map(|cell| Cell::of_rows(cell.rows));
    let plain = [naive(&cells[0]), naive(&cells[1])];
    let ran = Bootstrap { replicates: 4000, seed: 3 }.run(&[&plain[0], &plain[1]], |group, drawn| {
        let mean = |index: usize| cells[group][index].weight / cells[group][index].rows;
        let (yes, no) = (drawn[0].rows * mean(0), drawn[1].rows * mean(1));
        Some(yes / (yes + no))
    });
    let naive: Vec<f64> = ran[0].replicates.iter().zip(&ran[1].replicates).map(|(a, b)| a - b).collect();
    assert!(sd(&naive) < 0.9 * sd(&by_cells(&rows, 4000, 2)));
}

#[test]
fn threads_change_nothing() {
    let cells: Vec<Vec<Cell>> = (1..8)
        .map(|g| {
            let scale = if g % 2 == 0 { 1.0 } else { 1.7 };
            [13.0, 40.0, 7.0]
                .map(|rows| Cell {
                    rows: rows * f64::from(g),
                    weight: rows * f64::from(g) * scale,
                    weight_squared: rows * f64::from(g) * scale * scale,
                })
                .to_vec()
        })
        .collect();
    let groups: Vec<&[Cell]> = cells.iter().map(Vec::as_slice).collect();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Bootstrap { replicates: 1001, seed: 9 }.run(&groups, |_, cells| rate(cells)))
    };
    let one = run(1);
    assert_eq!(one, run(4));
    assert_eq!(one.len(), 7);
    assert!(one.iter().all(|r| r.replicates.len() == 1001));
    let other = Bootstrap { replicates: 1001, seed: 10 }.run(&groups, |_, cells| rate(cells));
    assert_ne!(one[0], other[0]);
    let shorter = Bootstrap { replicates: 500, seed: 9 }.run(&groups[..2], |_, cells| rate(cells));
    assert_eq!(shorter[1].replicates[..], one[1].replicates[..500]);
}

#[test]
fn undefined_replicates_are_counted() {
    let cells = [1.0, 30.0].map(Cell::of_rows);
    let ran = Bootstrap { replicates: 3000, seed: 4 }
        .run(&[&cells], |_, cells| (cells[0].rows > 0.0).then(|| cells[1].rows / cells[0].rows));
    // (30/31)^31 = .362 of the draws leave the first cell empty.
    let share = ran[0].undefined as f64 / 3000.0;
    assert!((share - 0.362).abs() < 0.03, "{share}");
    assert_eq!(ran[0].undefined + ran[0].replicates.len(), 3000);
    let none = Bootstrap { replicates: 10, seed: 4 }.run(&[&[]], |_, cells| rate(cells));
    assert_eq!(none[0].undefined, 10);
    assert!(Bootstrap { replicates: 0, seed: 4 }.run(&[&cells], |_, cells| rate(cells))[0].replicates.is_empty());
}

#[test]
fn bca_covers_a_rate_like_wilson() {
    let cells = [12.0, 148.0].map(Cell::of_rows);
    let ran = Bootstrap { replicates: 20_000, seed: 6 }.run(&[&cells], |_, cells| rate(cells));
    let leave_out = jackknife(&cells, rate).unwrap();
    let bca = ran[0].bca(0.075, &leave_out, 0.95).unwrap();
    let score = wilson(12.0, 160.0, 0.95).unwrap();
    let percentile = ran[0].percentile(0.95).unwrap();
    // Replicates lie on a grid of whole rows; the percentile interval is too low at both ends.
    let row = 1.0 / 160.0;
    assert!((bca.low - score.low).abs() < row && (bca.high - score.high).abs() < row, "{bca:?} {score:?}");
    assert!(bca.low >= percentile.low && bca.high > percentile.high);
}
