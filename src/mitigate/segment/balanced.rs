//! Segments that mirror the people: the nearest lawful centres, and the means of those who are sent there.

use ndarray::{Array2, ArrayView2};

use super::lloyd::{Centres, Points, squared};
use super::{FairKMeansValidParams, Found};
use crate::individual::{Clustering, MISSING};
use crate::mitigate::flow::{Problem, Range, assign};
use crate::{Error, Place, Result};

/// What rounding may take from a bound on whole persons.
const ROUNDING: f64 = 1e-9;

/// The assignment of rows to given centres of least `Σ d²` among those in which each group's share of each segment's rows,
/// over its share of all rows, is in `[1 − slack, 1 / (1 − slack)]`, to the nearest whole person.
///
/// Segments have as many rows as the nearest centres give them. `groups` are codes from 0 up
/// ([`MISSING`] for none: such a row goes to the nearest centre and counts in no share),
/// `slack` is in [0, 1). Exact, by a minimum-cost flow: some groups × segments² steps for each row out of place.
///
/// # Errors
/// [`Error::UnequalLengths`]; [`Error::BadNumber`] for a feature or centre that is not finite; [`Error::BadCode`];
/// [`Error::BadSetting`] for a slack out of range, and for centres of other features; [`Error::Nothing`] without centres.
///
/// # References
/// Bera, Chakrabarty, Flores, Negahbani (2019), Fair algorithms for clustering, NeurIPS.
///
/// # Examples
/// ```
/// use evenhand::mitigate::segment::balanced_assignment;
/// use ndarray::array;
/// let features = array![[0.0], [1.0], [2.0], [8.0], [9.0], [10.0]];
/// let centres = array![[1.0], [9.0]];
/// let groups = [0, 0, 0, 1, 1, 0];
/// let segments = balanced_assignment(features.view(), &groups, centres.view(), 0.0)?;
/// // Each centre keeps three rows, one of them of group 1: two rows change places, at the least cost.
/// assert_eq!(segments, [0, 0, 1, 0, 1, 1]);
/// # Ok::<(), evenhand::Error>(())
/// ```
pub fn balanced_assignment(
    features: ArrayView2<f64>,
    groups: &[u32],
    centres: ArrayView2<f64>,
    slack: f64,
) -> Result<Vec<u32>> {
    let one_segment = vec![0; features.nrows()];
    let checked = Clustering::new(features.view(), &one_segment, groups, None)?;
    if !(0.0..1.0).contains(&slack) {
        return Err(Error::setting("the slack", slack, "a number of at least 0 and below 1"));
    }
    if centres.nrows() == 0 {
        return Err(Error::Nothing { problem: "there are no centres to assign rows to", place: Place::default() });
    }
    if centres.ncols() != features.ncols() {
        let expected = format!("{}, as the rows have", features.ncols());
        return Err(Error::setting("number of the centres' features", centres.ncols(), expected));
    }
    if let Some((at, value)) = centres.indexed_iter().find(|(_, v)| !v.is_finite()) {
        let (value, place) = (value.to_string(), Place::row(at.0));
        return Err(Error::BadNumber { column: "centre".into(), value, place, expected: "a finite number" });
    }
    let points = Points::of(features, None);
    let given: Array2<f64> = centres.to_owned();
    let centres = Centres { width: given.ncols(), count: given.nrows(), values: given.iter().copied().collect() };
    points.check(&centres.values)?;
    let nearest = points.nearest(&centres);
    let shares = Shares::of(&nearest, groups, checked.groups(), centres.count, slack);
    Ok(shares.assign(&points, &centres, groups, nearest))
}

/// How many of each group may be in each segment.
struct Shares {
    cells: Vec<Range>,
    sizes: Vec<Range>,
}

impl Shares {
    /// Bounds that the segments' sizes make of a slack; to the nearest person they can always be kept.
    fn of(segments: &[u32], groups: &[u32], group_count: usize, count: usize, slack: f64) -> Self {
        let (mut rows, mut sizes) = (vec![0u64; group_count], vec![0u64; count]);
        for (segment, group) in segments.iter().zip(groups).filter(|(_, group)| **group != MISSING) {
            rows[*group as usize] += 1;
            sizes[*segment as usize] += 1;
        }
        let all: u64 = rows.iter().sum();
        let cell = |rows: &u64, size: &u64| {
            let due = *rows as f64 * *size as f64 / all.max(1) as f64;
            ((due * (1.0 - slack) + ROUNDING).floor() as u64, (due / (1.0 - slack) - ROUNDING).ceil() as u64)
        };
        let cells = rows.iter().flat_map(|rows| sizes.iter().map(move |size| cell(rows, size))).collect();
        Shares { cells, sizes: sizes.iter().map(|size| (*size, *size)).collect() }
    }

    fn assign(&self, points: &Points, centres: &Centres, groups: &[u32], nearest: Vec<u32>) -> Vec<u32> {
        let known: Vec<usize> = (0..points.len()).filter(|row| groups[*row] != MISSING).collect();
        let of_item: Vec<u32> = known.iter().map(|row| groups[*row]).collect();
        let cost = |row: usize, c: usize| points.weights[row] * squared(points.row(row), centres.row(c));
        let costs: Vec<f64> =
            known.iter().flat_map(|row| (0..centres.count).map(move |c| (*row, c))).map(|(r, c)| cost(r, c)).collect();
        let (cells, sizes) = (&self.cells[..], &self.sizes[..]);
        let problem = Problem { segments: centres.count, groups: &of_item, units: None, costs: &costs, cells, sizes };
        let mut segments = nearest;
        // Whole tables of these margins always exist; the nearest would be kept if none did.
        if let Ok(units) = assign(&problem) {
            for (row, of) in known.iter().zip(units.chunks(centres.count)) {
                if let Some(segment) = of.iter().position(|units| *units > 0) {
                    segments[*row] = segment as u32;
                }
            }
        }
        segments
    }
}

impl FairKMeansValidParams {
    /// From plain k-means: rows to the nearest lawful centres, centres to the means of their rows, and again. Sizes stay as
    /// they were at first, so that each step makes the cost smaller.
    pub(super) fn balanced(
        &self,
        points: &Points,
        groups: &[u32],
        group_count: usize,
        slack: f64,
        plain: &Found,
    ) -> Found {
        let shares = Shares::of(&plain.segments, groups, group_count, self.clusters, slack);
        let mut centres = plain.centres.clone();
        let (mut segments, mut last, mut done) = (plain.segments.clone(), f64::INFINITY, 0);
        for iteration in 1..=self.iterations {
            segments = shares.assign(points, &centres, groups, points.nearest(&centres));
            centres = points.means(&segments, &centres);
            let (_, cost) = points.costs(&centres, &segments, groups, group_count);
            done = iteration;
            if last - cost <= self.tolerance * cost {
                break;
            }
            last = cost;
        }
        Found { centres, segments, iterations: done }
    }
}
