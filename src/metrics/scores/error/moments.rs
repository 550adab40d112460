//! The sums that errors of a forecast, and how sure they are, follow from.

use serde::{Deserialize, Serialize};

use crate::metrics::scores::ScoredGroup;
use crate::tally::Cell;

/// Powers up to four of two variables.
const ORDER: usize = 5;

/// `table[i][j] = Σ w·yⁱ·eʲ` for `i + j <= 4`.
type Table = [[f64; ORDER]; ORDER];

const CHOOSE: [[f64; ORDER]; ORDER] = [
    [1.0, 0.0, 0.0, 0.0, 0.0],
    [1.0, 1.0, 0.0, 0.0, 0.0],
    [1.0, 2.0, 1.0, 0.0, 0.0],
    [1.0, 3.0, 3.0, 1.0, 0.0],
    [1.0, 4.0, 6.0, 4.0, 1.0],
];

/// Sums over the rows of one group with a target `y`, a forecast `p` and their error `e = p − y`: enough for every
/// measure of error and its interval, and they merge, so that they can be taken in parts.
///
/// Targets are summed as distances from the group's first one, so that large numbers that vary little keep their digits.
///
/// # Examples
/// ```
/// use evenhand::metrics::scores::ErrorSums;
/// let targets = [10.0, 12.0, 20.0, 21.0];
/// let forecasts = [11.0, 12.0, 18.0, 22.0];
/// let by_group = ErrorSums::by_group(&targets, &forecasts, &[0, 0, 1, 1], None, 2);
/// let mut all = by_group[0].clone();
/// all.merge(&by_group[1]);
/// assert_eq!(all.cell().rows, 4.0);
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ErrorSums {
    cell: Cell,
    missing: f64,
    /// The target that distances are taken from.
    origin: f64,
    /// By w and by w².
    tables: [Table; 2],
    /// Σ w|e| and Σ w²|e|.
    absolute: [f64; 2],
}

impl ErrorSums {
    /// The sums of every group: `groups` holds a code below `count` for each row (rows with other codes are left out).
    /// Weights are `None` for 1 each. As many rows are taken as the shortest slice has.
    pub fn by_group(
        targets: &[f64],
        forecasts: &[f64],
        groups: &[u32],
        weights: Option<&[f64]>,
        count: usize,
    ) -> Vec<ErrorSums> {
        let mut sums = vec![ErrorSums::default(); count];
        for (row, ((y, p), group)) in targets.iter().zip(forecasts).zip(groups).enumerate() {
            let weight = match weights {
                Some(weights) => match weights.get(row) {
                    Some(weight) => *weight,
                    None => break,
                },
                None => 1.0,
            };
            if let Some(sums) = sums.get_mut(*group as usize) {
                sums.push(*y, *p, weight);
            }
        }
        sums
    }

    /// Adds a row. One without a finite target, forecast and weight of at least 0 counts as missing.
    pub fn push(&mut self, target: f64, forecast: f64, weight: f64) {
        let error = forecast - target;
        if !(target.is_finite() && error.is_finite() && weight.is_finite() && weight >= 0.0) {
            self.missing += 1.0;
            return;
        }
        self.add(target, error, &Cell { rows: 1.0, weight, weight_squared: weight * weight });
    }

    /// The scores of a group as forecasts of its labels, 0 and 1; rows without a label are missing.
    pub(crate) fn of_scores(group: &ScoredGroup) -> Self {
        let mut sums = ErrorSums::default();
        for point in &group.points {
            match point.label {
                0 | 1 => sums.add(f64::from(point.label), point.score - f64::from(point.label), &point.cell),
                _ => sums.missing += point.cell.rows,
            }
        }
        sums
    }

    /// Adds rows that share target and error.
    fn add(&mut self, target: f64, error: f64, cell: &Cell) {
        if self.cell.rows == 0.0 {
            self.origin = target;
        }
        self.cell.add(cell, 1.0);
        let y = target - self.origin;
        let (weight, squared) = (cell.weight, cell.weight_squared);
        for (table, weight) in self.tables.iter_mut().zip([weight, squared]) {
            let mut left = weight;
            for (i, line) in table.iter_mut().enumerate() {
                let mut term = left;
                for sum in line.iter_mut().take(ORDER - i) {
                    *sum += term;
                    term *= error;
                }
                left *= y;
            }
        }
        self.absolute[0] += weight * error.abs();
        self.absolute[1] += squared * error.abs();
    }

    /// Adds the sums of other rows.
    pub fn merge(&mut self, other: &ErrorSums) {
        self.missing += other.missing;
        if other.cell.rows == 0.0 {
            return;
        }
        if self.cell.rows == 0.0 {
            self.origin = other.origin;
        }
        for (mine, theirs) in self.tables.iter_mut().zip(&other.tables) {
            let moved = translate(theirs, other.origin - self.origin, 0.0);
            for (sum, more) in mine.iter_mut().flatten().zip(moved.iter().flatten()) {
                *sum += more;
            }
        }
        self.absolute[0] += other.absolute[0];
        self.absolute[1] += other.absolute[1];
        self.cell.add(&other.cell, 1.0);
    }

    /// The sums without those of other rows, to rounding; `None` where more rows would be taken out than there are.
    pub(crate) fn without(&self, other: &ErrorSums) -> Option<ErrorSums> {
        let mut left = self.clone();
        left.missing -= other.missing;
        left.cell.add(&other.cell, -1.0);
        if left.missing < 0.0 || left.cell.rows < 0.0 {
            return None;
        }
        if left.cell.rows == 0.0 {
            return Some(ErrorSums { missing: left.missing, ..ErrorSums::default() });
        }
        for (mine, theirs) in left.tables.iter_mut().zip(&other.tables) {
            let moved = translate(theirs, other.origin - self.origin, 0.0);
            for (sum, out) in mine.iter_mut().flatten().zip(moved.iter().flatten()) {
                *sum -= out;
            }
        }
        for (mine, out) in left.absolute.iter_mut().zip(&other.absolute) {
            *mine = (*mine - out).max(0.0);
        }
        left.cell.weight = left.cell.weight.max(0.0);
        left.cell.weight_squared = left.cell.weight_squared.max(0.0);
        Some(left)
    }

    /// Whether these can be the sums of so many rows, those with something missing among them.
    pub(crate) fn is_sound(&self, rows: Option<f64>) -> bool {
        let Cell { rows: whole, weight, weight_squared } = self.cell;
        let finite = self.tables.iter().flatten().flatten().chain(&self.absolute).chain([&self.origin]);
        let counts = [whole, weight, weight_squared, self.missing, self.absolute[0], self.absolute[1]];
        finite.copied().all(f64::is_finite)
            && counts.iter().all(|c| c.is_finite() && *c >= 0.0)
            && rows == Some(whole + self.missing)
    }

    /// The rows and their weight.
    pub fn cell(&self) -> Cell {
        self.cell
    }

    /// The rows left out because something was missing.
    pub fn missing(&self) -> f64 {
        self.missing
    }

    /// Σ w|e| and Σ w²|e|.
    pub(super) fn absolute(&self) -> [f64; 2] {
        self.absolute
    }

    /// `Σ w·eʲ` or `Σ w²·eʲ`, errors about 0.
    pub(super) fn errors(&self, squared: bool, power: usize) -> f64 {
        self.tables[usize::from(squared)][0][power]
    }

    /// The mean of the targets.
    pub(super) fn mean_target(&self) -> f64 {
        self.origin + self.tables[0][1][0] / self.cell.weight
    }

    /// The sums with targets about their mean and errors about `error`.
    pub(super) fn about_mean(&self, error: f64) -> [Table; 2] {
        let mean = self.tables[0][1][0] / self.cell.weight;
        [translate(&self.tables[0], -mean, -error), translate(&self.tables[1], -mean, -error)]
    }
}

/// The sums of `(y + dy)ⁱ(e + de)ʲ` from those of `yⁱeʲ`.
fn translate(table: &Table, dy: f64, de: f64) -> Table {
    let powers = |d: f64| [1.0, d, d * d, d * d * d, d * d * d * d];
    let (y, e) = (powers(dy), powers(de));
    let mut moved = Table::default();
    for i in 0..ORDER {
        for j in 0..ORDER - i {
            for a in 0..=i {
                for b in 0..=j {
                    moved[i][j] += CHOOSE[i][a] * CHOOSE[j][b] * y[i - a] * e[j - b] * table[a][b];
                }
            }
        }
    }
    moved
}

/// Sums of powers of `y` and `p = y + e`, both about their means, from those of `y` and `e`.
pub(super) fn of_forecast(table: &Table) -> Table {
    let mut turned = Table::default();
    for i in 0..ORDER {
        for j in 0..ORDER - i {
            turned[i][j] = (0..=j).map(|k| CHOOSE[j][k] * table[i + j - k][k]).sum();
        }
    }
    turned
}
