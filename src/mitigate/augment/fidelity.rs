//! How like real rows new ones are, and how near to single real people.

use std::hash::{Hash, Hasher};

use ndarray::Array2;
use rand::Rng;
use rustc_hash::{FxHashMap, FxHasher};
use serde::{Deserialize, Serialize};

use super::frame::Frame;
use super::made::{Augmented, Origin};
use super::smote::points;
use crate::data::{Categorical, Column, Table};
use crate::inference::rng::stream;
use crate::{Error, Place, Result};

/// Rows of either kind up to which all are asked for their nearest; of more, so many are drawn.
const SAMPLE: usize = 2000;

/// How far the distributions of a column are apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Distance {
    /// Of numbers: Kolmogorov and Smirnov's, the largest difference of the distribution functions, in [0, 1].
    KolmogorovSmirnov(f64),
    /// Of levels (missing is one): the total variation, half the sum of the differences of shares, in [0, 1].
    TotalVariation(f64),
}

/// One column's fidelity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnFidelity {
    /// The column.
    pub column: String,
    /// How far new rows are from old ones; `None` where all values of either are missing.
    pub distance: Option<Distance>,
}

/// Distances to the nearest original row, numbers in standard deviations, levels as for
/// [`smote_nc`](super::Augment::smote_nc).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NearestDistances {
    /// The median of new rows.
    pub new_to_original: f64,
    /// The median of original rows, themselves apart.
    pub original_to_original: f64,
    /// The first over the second: well below 1, new rows are nearer to single people than people are to each other.
    /// `None` where the second is 0.
    pub ratio: Option<f64>,
}

/// A comparison of new rows with the original ones, these weighted so that every cell of group and label has the share
/// that it has among the new rows: what differs is then due to how rows were made, not to how many were made of which.
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical, Column, Table};
/// use evenhand::mitigate::augment::{Augment, Fidelity, Target};
/// let table = Table::new(vec![("spend".into(), Column::Number((0..40).map(f64::from).collect()))])?;
/// let batch = Batch::builder().attribute(Categorical::from_values("region", ["n"; 40])).label([1; 40]).build()?;
/// let target = Target::counts([(["n"], true, 80)]);
/// let copies = Augment::oversample().target(target.clone()).fit_resample(&table, &batch)?;
/// let fidelity = Fidelity::of(&copies, 7)?;
/// assert_eq!((fidelity.new_rows, fidelity.exact_copies), (40, 40));
/// assert!(fidelity.privacy.contains("All new rows are exact copies"));
/// let drawn = Augment::copula().target(target).fit_resample(&table, &batch)?;
/// assert!(Fidelity::of(&drawn, 7)?.exact_copies < 40);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fidelity {
    /// New rows.
    pub new_rows: usize,
    /// Original rows of the cells that have new ones.
    pub original_rows: usize,
    /// Each column of the table.
    pub columns: Vec<ColumnFidelity>,
    /// The largest difference of a correlation of two columns of numbers; `None` where there are no two that vary in both.
    pub correlation_gap_max: Option<f64>,
    /// The root of the sum of the squares of those differences over all ordered pairs (Frobenius' norm).
    pub correlation_gap_norm: Option<f64>,
    /// How near rows are; of rows without a missing number. `None` where there are no two original ones.
    pub nearest: Option<NearestDistances>,
    /// New rows that are in every column what some original row is.
    pub exact_copies: usize,
    /// What that means for privacy, as a sentence.
    pub privacy: String,
}

/// The rows that are compared: rows of the augmented table, and original ones' weights, which sum to the new ones.
struct Sides {
    new: Vec<u32>,
    old: Vec<u32>,
    weight: Vec<f64>,
}

impl Sides {
    fn of(augmented: &Augmented) -> Result<Self> {
        // A row's cell: its codes of the attributes that make the groups, and its label.
        let made_of = |a: &&Categorical| augmented.record.attributes.iter().any(|name| name == a.name());
        let attributes: Vec<&Categorical> = augmented.attributes.iter().filter(made_of).collect();
        let cell = |row: usize| {
            let codes: Vec<Option<usize>> = attributes.iter().map(|a| a.codes().get(row)).collect();
            (codes, augmented.labels[row])
        };
        let mut counts: FxHashMap<(Vec<Option<usize>>, u8), [f64; 2]> = FxHashMap::default();
        let is_new = |origin: &Origin| !matches!(origin, Origin::Original(_));
        for (row, origin) in augmented.record.origin.iter().enumerate() {
            counts.entry(cell(row)).or_default()[usize::from(is_new(origin))] += 1.0;
        }
        let mut sides = Sides { new: Vec::new(), old: Vec::new(), weight: Vec::new() };
        for (row, origin) in augmented.record.origin.iter().enumerate() {
            let [old, new] = counts.get(&cell(row)).copied().unwrap_or_default();
            if is_new(origin) {
                sides.new.push(row as u32);
            } else if new > 0.0 {
                sides.old.push(row as u32);
                sides.weight.push(new / old);
            }
        }
        if sides.new.is_empty() || sides.old.is_empty() {
            return Err(Error::Nothing {
                problem: "no new row stands beside an original one of its group and label",
                place: Place::default(),
            });
        }
        Ok(sides)
    }
}

impl Fidelity {
    /// Compares the new rows of a result with its original ones. `seed` draws the rows that are asked for their nearest,
    /// where there are more than 2,000.
    ///
    /// # Errors
    /// [`Error::Nothing`] where there are no new rows, or none in a cell that has an original one.
    pub fn of(augmented: &Augmented, seed: u64) -> Result<Self> {
        let sides = Sides::of(augmented)?;
        let table = &augmented.table;
        let columns = table.columns().iter().map(|(name, column)| ColumnFidelity {
            column: name.clone(),
            distance: match column {
                Column::Number(values) | Column::Integer(values) => {
                    kolmogorov_smirnov(values, &sides).map(Distance::KolmogorovSmirnov)
                }
                Column::Level(column) => Some(Distance::TotalVariation(total_variation(column, &sides))),
            },
        });
        let gaps = correlation_gaps(table, &sides);
        let exact_copies = copies(table, &sides);
        let nearest = nearest(table, &sides, seed);
        Ok(Fidelity {
            new_rows: sides.new.len(),
            original_rows: sides.old.len(),
            columns: columns.collect(),
            correlation_gap_max: gaps.map(|gaps| gaps[0]),
            correlation_gap_norm: gaps.map(|gaps| gaps[1]),
            privacy: privacy(exact_copies, sides.new.len(), nearest.as_ref().and_then(|n| n.ratio)),
            nearest,
            exact_copies,
        })
    }
}

fn privacy(copies: usize, new: usize, ratio: Option<f64>) -> String {
    let mut text = match copies {
        0 => "No new row is an exact copy of an original one.".to_string(),
        _ if copies == new => {
            "All new rows are exact copies of original ones: whoever gets them gets real people's rows.".to_string()
        }
        _ => format!(
            "{copies} of {new} new rows ({:.1} %) are exact copies of original ones: whoever gets them gets real people's \
             rows.",
            100.0 * copies as f64 / new as f64
        ),
    };
    if let Some(ratio) = ratio.filter(|ratio| copies < new && *ratio < 0.5) {
        text.push_str(&format!(
            " The median new row is {ratio:.2} times as far from its nearest original as originals are from each other: \
             near enough to tell about single people."
        ));
    }
    text.push_str(" Neither shows that new rows are anonymous.");
    text
}

/// The largest difference of two distribution functions; missing values aside.
fn kolmogorov_smirnov(values: &[f64], sides: &Sides) -> Option<f64> {
    // Value, weight among the old, weight among the new.
    let old = sides.old.iter().zip(&sides.weight).map(|(row, weight)| (values[*row as usize], *weight, 0.0));
    let new = sides.new.iter().map(|row| (values[*row as usize], 0.0, 1.0));
    let mut all: Vec<(f64, f64, f64)> = old.chain(new).filter(|(value, ..)| !value.is_nan()).collect();
    all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let whole = all.iter().fold([0.0, 0.0], |sum, (_, old, new)| [sum[0] + old, sum[1] + new]);
    if whole[0] <= 0.0 || whole[1] <= 0.0 {
        return None;
    }
    let (mut below, mut largest) = ([0.0, 0.0], 0.0f64);
    for tied in all.chunk_by(|a, b| a.0 == b.0) {
        for (_, old, new) in tied {
            below = [below[0] + old, below[1] + new];
        }
        largest = largest.max((below[0] / whole[0] - below[1] / whole[1]).abs());
    }
    Some(largest.min(1.0))
}

fn total_variation(column: &Categorical, sides: &Sides) -> f64 {
    let at = |row: u32| column.codes().get(row as usize).unwrap_or(column.levels().len());
    let mut shares = vec![[0.0, 0.0]; column.levels().len() + 1];
    sides.old.iter().zip(&sides.weight).for_each(|(row, weight)| shares[at(*row)][0] += weight);
    sides.new.iter().for_each(|row| shares[at(*row)][1] += 1.0);
    let whole = shares.iter().fold([0.0, 0.0], |sum, s| [sum[0] + s[0], sum[1] + s[1]]);
    let apart: f64 = shares.iter().map(|s| (s[0] / whole[0] - s[1] / whole[1]).abs()).sum();
    (0.5 * apart).min(1.0)
}

/// The columns of numbers.
fn numbers(table: &Table) -> Vec<&[f64]> {
    let mut found = Vec::new();
    for (_, column) in table.columns() {
        if let Column::Number(values) | Column::Integer(values) = column {
            found.push(&values[..]);
        }
    }
    found
}

/// The largest difference of correlations, and their norm; over rows without a missing number.
fn correlation_gaps(table: &Table, sides: &Sides) -> Option<[f64; 2]> {
    let columns = numbers(table);
    let old = correlations(&columns, &sides.old, &sides.weight)?;
    let new = correlations(&columns, &sides.new, &vec![1.0; sides.new.len()])?;
    let (mut largest, mut squares, mut pairs) = (0.0f64, 0.0, 0);
    for i in 0..columns.len() {
        for j in (0..columns.len()).filter(|j| *j != i) {
            // A constant column has no correlation.
            let gap = (old[[i, j]] - new[[i, j]]).abs();
            if gap.is_finite() {
                largest = largest.max(gap);
                squares += gap * gap;
                pairs += 1;
            }
        }
    }
    (pairs > 0).then(|| [largest, squares.sqrt()])
}

/// Weighted correlations, NaN of a column that is constant.
fn correlations(columns: &[&[f64]], rows: &[u32], weights: &[f64]) -> Option<Array2<f64>> {
    let whole = |row: &u32| columns.iter().all(|column| !column[*row as usize].is_nan());
    let used: Vec<(u32, f64)> =
        rows.iter().zip(weights).filter(|(row, _)| whole(row)).map(|(row, weight)| (*row, *weight)).collect();
    let total: f64 = used.iter().map(|(_, weight)| weight).sum();
    if columns.len() < 2 || total <= 0.0 {
        return None;
    }
    let mut scaled = Array2::<f64>::zeros((used.len(), columns.len()));
    for (j, column) in columns.iter().enumerate() {
        let most = used.iter().fold(0.0f64, |most, (row, _)| most.max(column[*row as usize].abs()));
        let by = if most > 0.0 { most } else { 1.0 };
        let mean = used.iter().map(|(row, weight)| weight * (column[*row as usize] / by)).sum::<f64>() / total;
        for (i, (row, weight)) in used.iter().enumerate() {
            scaled[[i, j]] = (column[*row as usize] / by - mean) * weight.sqrt();
        }
    }
    let products = scaled.t().dot(&scaled);
    // What rounding leaves of a constant column is no variance.
    let deviation = |j: usize| if products[[j, j]] > 1e-24 * total { products[[j, j]].sqrt() } else { f64::NAN };
    Some(Array2::from_shape_fn(products.dim(), |(i, j)| products[[i, j]] / deviation(i) / deviation(j)))
}

/// How many new rows are some original one in all columns.
fn copies(table: &Table, sides: &Sides) -> usize {
    // Zero of either sign is zero, missing is missing.
    let bits = |v: f64| if v == 0.0 || v.is_nan() { u64::from(v.is_nan()) } else { v.to_bits() };
    let value = |column: &Column, row: u32| match column {
        Column::Number(values) | Column::Integer(values) => bits(values[row as usize]),
        Column::Level(column) => column.codes().get(row as usize).map_or(u64::MAX, |code| code as u64),
    };
    let hash = |row: u32| {
        let mut hasher = FxHasher::default();
        table.columns().iter().for_each(|(_, column)| value(column, row).hash(&mut hasher));
        hasher.finish()
    };
    let mut known: FxHashMap<u64, Vec<u32>> = FxHashMap::default();
    for row in &sides.old {
        // Rows that are alike are kept once.
        let same = known.entry(hash(*row)).or_default();
        if !same.iter().any(|other| table.columns().iter().all(|(_, c)| value(c, *other) == value(c, *row))) {
            same.push(*row);
        }
    }
    let is_copy = |row: &&u32| {
        known.get(&hash(**row)).is_some_and(|same| {
            same.iter().any(|old| table.columns().iter().all(|(_, column)| value(column, *old) == value(column, **row)))
        })
    };
    sides.new.iter().filter(is_copy).count()
}

fn nearest(table: &Table, sides: &Sides, seed: u64) -> Option<NearestDistances> {
    let columns = numbers(table);
    let whole = |row: &u32| columns.iter().all(|column| !column[*row as usize].is_nan());
    let old: Vec<(u32, f64)> =
        sides.old.iter().zip(&sides.weight).filter(|(row, _)| whole(row)).map(|(row, w)| (*row, *w)).collect();
    let new: Vec<u32> = sides.new.iter().copied().filter(whole).collect();
    if old.len() < 2 || new.is_empty() {
        return None;
    }
    let mut rng = stream(seed, 0, 0);
    let rows: Vec<u32> = old.iter().map(|(row, _)| *row).chain(new.iter().copied()).collect();
    let features: Vec<usize> = (0..table.columns().len()).collect();
    let points = points(&Frame::of(table), &features, &rows, true, true);
    let fresh: Vec<u32> = if new.len() <= SAMPLE {
        (old.len()..rows.len()).map(|at| at as u32).collect()
    } else {
        (0..SAMPLE).map(|_| rng.gen_range(old.len()..rows.len()) as u32).collect()
    };
    // Original rows of the same cells, as often.
    let mut sum = 0.0;
    let up_to: Vec<f64> = old
        .iter()
        .map(|(_, weight)| {
            sum += weight;
            sum
        })
        .collect();
    let real: Vec<u32> = (0..SAMPLE)
        .map(|_| {
            let at = rng.r#gen::<f64>() * sum;
            up_to.partition_point(|up_to| *up_to <= at).min(old.len() - 1) as u32
        })
        .collect();
    let median = |queries: &[u32]| {
        let near = points.nearest(queries, old.len(), 1);
        let mut distances: Vec<f64> = near.into_iter().map(|near| points.distance(near)).collect();
        distances.sort_unstable_by(f64::total_cmp);
        0.5 * distances[distances.len() / 2] + 0.5 * distances[(distances.len() - 1) / 2]
    };
    let (new_to_original, original_to_original) = (median(&fresh), median(&real));
    let ratio = (original_to_original > 0.0).then(|| new_to_original / original_to_original);
    Some(NearestDistances { new_to_original, original_to_original, ratio: ratio.filter(|r| r.is_finite()) })
}
