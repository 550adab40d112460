//! Sums over the rows of a cell of group and label, from which every figure and every paired change is made.
//!
//! With b the decision of a row before and a the one after (chances in [0, 1]), cells keep the sums of w, w², and of both
//! times b, a and their products. They merge like counts. For plain 0/1 decisions without weights they are the joint table
//! of (decision before, decision after), and the variances below those of multinomial draws from it.

use crate::tally::Cell;

/// The sums of one cell.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Moments {
    pub cell: Cell,
    /// Σwb and Σwa.
    pub sums: [f64; 2],
    /// Σw²b and Σw²a.
    squares: [f64; 2],
    /// Σw²b², Σw²a² and Σw²ab.
    products: [f64; 3],
}

/// A figure that is about normal: where it is, shrunk for few rows, and its variance.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Normal {
    pub value: f64,
    pub centre: f64,
    pub variance: f64,
}

impl Normal {
    /// The sum of two from different rows.
    pub fn plus(self, other: Normal) -> Normal {
        Normal {
            value: self.value + other.value,
            centre: self.centre + other.centre,
            variance: self.variance + other.variance,
        }
    }

    pub fn error(&self) -> f64 {
        self.variance.max(0.0).sqrt()
    }
}

impl Moments {
    pub fn add_row(&mut self, w: f64, before: f64, after: f64) {
        self.cell.rows += 1.0;
        self.cell.weight += w;
        self.cell.weight_squared += w * w;
        for (side, value) in [before, after].into_iter().enumerate() {
            self.sums[side] += w * value;
            self.squares[side] += w * w * value;
            self.products[side] += w * w * value * value;
        }
        self.products[2] += w * w * before * after;
    }

    pub fn merged<'a>(cells: impl IntoIterator<Item = &'a Moments>) -> Moments {
        let mut all = Moments::default();
        for m in cells {
            all.cell.add(&m.cell, 1.0);
            (0..2).for_each(|i| all.sums[i] += m.sums[i]);
            (0..2).for_each(|i| all.squares[i] += m.squares[i]);
            (0..3).for_each(|i| all.products[i] += m.products[i]);
        }
        all
    }

    /// The weighted rate before (0) or after (1); `None` without weight.
    pub fn rate(&self, side: usize) -> Option<f64> {
        (self.cell.weight > 0.0).then(|| self.sums[side] / self.cell.weight)
    }

    /// The mean of `before · b + after · a`, with the adjustment of [`mean`].
    pub fn mean(&self, before: f64, after: f64) -> Option<Normal> {
        mean(&[(self, before, after, 0.0)])
    }
}

/// The mean over the rows of several cells of `before · b + after · a + constant`, each cell with its own coefficients.
///
/// Two rows are added for its centre and variance, a half in each corner of (b, a): Agresti and Min's adjustment, by which
/// the interval of a paired difference holds also where few rows, or none, change sides. With weights a row counts for
/// Kish's effective size. `None` without weight.
pub(super) fn mean(cells: &[(&Moments, f64, f64, f64)]) -> Option<Normal> {
    let mut total = Cell::default();
    let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
    let (mut added, mut added_squares) = (0.0f64, 0.0f64);
    for (m, b, a, c) in cells {
        total.add(&m.cell, 1.0);
        let squares = m.cell.weight_squared;
        sum += b * m.sums[0] + a * m.sums[1] + c * m.cell.weight;
        first += b * m.squares[0] + a * m.squares[1] + c * squares;
        second += b * b * m.products[0]
            + a * a * m.products[1]
            + 2.0 * a * b * m.products[2]
            + 2.0 * c * (b * m.squares[0] + a * m.squares[1])
            + c * c * squares;
        // Of the two rows that are added, as large a part as the cell has of the rows.
        let corners = [c + 0.0, b + c, a + c, a + b + c];
        added += m.cell.weight * corners.iter().sum::<f64>() / 2.0;
        added_squares += m.cell.weight * corners.iter().map(|v| v * v).sum::<f64>() / 2.0;
    }
    if !(total.weight > 0.0) {
        return None;
    }
    let value = sum / total.weight;
    let n = total.effective();
    // Σw²(f − mean)² / Σw²
    let spread = (second - 2.0 * value * first) / total.weight_squared + value * value;
    let centre = (n * value + added / total.weight) / (n + 2.0);
    let square = (n * (spread.max(0.0) + value * value) + added_squares / total.weight) / (n + 2.0);
    let variance = (square - centre * centre).max(0.0) / (n + 2.0);
    Some(Normal { value, centre, variance })
}

/// The cells of all groups, `[group][label]`; the last group holds the rows of no known one.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Joint {
    pub cells: Vec<[Moments; 2]>,
}

impl Joint {
    /// Of rows: their group (any number from `groups` on is none), label, weight, and decision before and after, NaN where
    /// a row was not judged.
    pub fn of(groups: usize, group: &[u32], labels: &[bool], weights: &[f64], decisions: [&[f64]; 2]) -> Self {
        let mut cells = vec![[Moments::default(); 2]; groups + 1];
        for row in 0..labels.len() {
            let (before, after) = (decisions[0][row], decisions[1][row]);
            if before.is_nan() || after.is_nan() {
                continue;
            }
            let group = (group[row] as usize).min(groups);
            cells[group][usize::from(labels[row])].add_row(weights[row], before, after);
        }
        Joint { cells }
    }

    /// All rows of a label, or of both.
    pub fn label(&self, label: Option<bool>) -> Moments {
        Moments::merged(self.cells.iter().flat_map(|cells| match label {
            Some(label) => &cells[usize::from(label)..=usize::from(label)],
            None => &cells[..],
        }))
    }

    pub fn groups(&self) -> usize {
        self.cells.len().saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::bootstrap::Bootstrap;

    fn table(counts: [[f64; 2]; 2]) -> Moments {
        let mut m = Moments::default();
        for (b, row) in counts.iter().enumerate() {
            for (a, n) in row.iter().enumerate() {
                (0..*n as usize).for_each(|_| m.add_row(1.0, b as f64, a as f64));
            }
        }
        m
    }

    #[test]
    fn paired_differences_are_agresti_and_mins() {
        // The approval ratings of Agresti and Min (2005): 794, 150, 86, 570 of 1600.
        let n = table([[570.0, 86.0], [150.0, 794.0]]).mean(-1.0, 1.0).unwrap();
        assert!((n.value + 0.04).abs() < 1e-12);
        assert!((n.centre - (86.0 - 150.0) / 1602.0).abs() < 1e-12);
        let expected = ((86.5 + 150.5) - 64.0f64.powi(2) / 1602.0) / 1602.0f64.powi(2);
        assert!((n.variance / expected - 1.0).abs() < 1e-9, "{} {expected}", n.variance);
        // Nobody changes sides: still not sure.
        let n = table([[60.0, 0.0], [0.0, 38.0]]).mean(-1.0, 1.0).unwrap();
        assert_eq!((n.value, n.centre), (0.0, 0.0));
        assert!((n.error() - 0.01).abs() < 1e-12);
    }

    #[test]
    fn variances_are_those_of_resampled_joint_cells() {
        let counts = [[120.0, 31.0], [64.0, 85.0]];
        let found = table(counts).mean(-1.0, 1.0).unwrap();
        let cells: Vec<Cell> = counts.iter().flatten().map(|n| Cell::of_rows(*n)).collect();
        let change = |_: usize, c: &[Cell]| Some((c[1].rows - c[2].rows) / c.iter().map(|c| c.rows).sum::<f64>());
        let drawn = &Bootstrap { replicates: 20_000, seed: 3 }.run(&[&cells], change)[0];
        assert!((found.error() / drawn.standard_error().unwrap() - 1.0).abs() < 0.02);
        // Weights: by gamma draws of each cell's weight.
        let mut m = Moments::default();
        let mut cells = [Cell::default(); 4];
        for row in 0..400usize {
            let (w, b, a) = ([0.5, 1.0, 3.0][row % 3], row / 3 % 2, usize::from(row % 5 < 2));
            m.add_row(w, b as f64, a as f64);
            cells[2 * b + a].add(&Cell { rows: 1.0, weight: w, weight_squared: w * w }, 1.0);
        }
        let change = |_: usize, c: &[Cell]| Some((c[1].weight - c[2].weight) / c.iter().map(|c| c.weight).sum::<f64>());
        let drawn = &Bootstrap { replicates: 20_000, seed: 4 }.run(&[&cells], change)[0];
        let found = m.mean(-1.0, 1.0).unwrap();
        assert!((found.error() / drawn.standard_error().unwrap() - 1.0).abs() < 0.02);
    }

    #[test]
    fn cells_merge() {
        let (x, y) = (table([[3.0, 1.0], [0.0, 2.0]]), table([[0.0, 4.0], [1.0, 1.0]]));
        let both = table([[3.0, 5.0], [1.0, 3.0]]);
        assert_eq!(Moments::merged([&x, &y]), both);
        let (one, two) = (mean(&[(&x, -1.0, 1.0, 0.5), (&y, -1.0, 1.0, 0.5)]), mean(&[(&both, -1.0, 1.0, 0.5)]));
        assert!((one.unwrap().variance - two.unwrap().variance).abs() < 1e-12);
        assert_eq!(Moments::default().mean(1.0, 1.0), None);
    }
}
