//! The least changes of segment that let every segment mirror the people.
//!
//! A segmentation is given; some people are moved to another segment, so that each group's share of each segment is within a
//! bound of everybody's, and no fewer moves could do it. That is a minimum-cost flow of whole persons, solved exactly: on
//! the counts of groups and segments where a move costs 1 whoever moves, on the rows where each has costs of its own (the
//! distance to the other segment's centre, say).

mod bounds;
mod people;
mod summary;
#[cfg(test)]
mod tests;

pub use summary::{GroupShares, Move, ReassignSummary};

use ndarray::ArrayView2;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use crate::data::{Batch, Categorical};
use crate::inference::rng::stream;
use crate::{Error, Place, Result};
use people::{Items, People};

/// The largest cost of a row, so that sums and differences of many are finite.
const LARGEST_COST: f64 = 1e100;

/// How near a group's share of a segment must be to everybody's.
///
/// `P(s|g)` is the part of a group's people that is in a segment, `P(s)` that of everybody, after the moves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Bound {
    /// `|P(s|g) − P(s)| <= gap`, a gap in [0, 1].
    Gap(f64),
    /// `P(s|g) / P(s)` in `[1 − slack, 1 / (1 − slack)]`, a slack in [0, 1). It is the same as `P(g|s) / P(g)`, the
    /// representation of a group in a segment.
    Ratio(f64),
    /// Each group's least and largest share of a segment's people, `P(g|s)`, in [0, 1], by its levels joined by ` & `. Groups
    /// that are not named are not bounded.
    Representation(Vec<(String, f64, f64)>),
}

/// What may become of the segments' sizes.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Sizes {
    /// They stay as they are, to a person.
    #[default]
    Kept,
    /// They change by at most this part of each, in [0, 1], rounded down to persons.
    Within(f64),
    /// They change as bounds ask for.
    Free,
}

/// Moves as few people as it takes, or at the least cost, to other segments, so that each group's share of each segment is
/// within a bound.
///
/// Shares of whole persons cannot meet any number: a cell of group and segment that ought to have between 3.2 and 3.6 persons
/// may have 3 or 4, unless bounds are [`strict`](Self::strict). Bounds around everybody's shares ([`Bound::Gap`],
/// [`Bound::Ratio`]) can then always be kept.
///
/// With [`Sizes::Kept`] no fewer moves (no cheaper ones) keep the bound. Where sizes may change, a flow with bounds around
/// everybody's shares before chooses them, and the answer is the cheapest for these sizes, and never dearer than with
/// sizes kept; other sizes might be cheaper still.
///
/// Rows without a group or a segment stay as they are and are counted; they count in no share. Rows count, their weights do
/// not: nobody moves in part.
///
/// # References
/// Bera, Chakrabarty, Flores, Negahbani (2019), Fair algorithms for clustering, NeurIPS (fair assignment); Ahuja,
/// Magnanti, Orlin (1993), Network flows, chapter 9 (successive shortest paths).
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical, Segments};
/// use evenhand::mitigate::postprocess::reassign::{Bound, Reassign};
/// let sex = ["f"; 10].into_iter().chain(["m"; 10]);
/// let tier = (0..20).map(|i| if i < 8 || i >= 18 { "basic" } else { "gold" });
/// let batch = Batch::builder()
///     .attribute(Categorical::from_values("sex", sex))
///     .segments(Segments::of(Categorical::from_values("tier", tier)))
///     .build()?;
/// let found = Reassign::new(Bound::Gap(0.1)).apply(&batch)?;
/// // 2 of 10 women and 8 of 10 men were gold: two women and two men change places.
/// assert_eq!(found.summary.moved, 4);
/// assert!((found.summary.largest_gap[0] - 0.3).abs() < 1e-12 && (found.summary.largest_gap[1] - 0.1).abs() < 1e-12);
/// let women = &found.summary.groups[0];
/// assert_eq!((women.before[1], women.after[1]), (2, 4));
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Reassign {
    bound: Bound,
    sizes: Sizes,
    strict: bool,
    attributes: Vec<String>,
    segmentation: Option<String>,
    seed: u64,
}

/// Rows in their new segments.
#[derive(Debug, Clone, PartialEq)]
pub struct Reassigned {
    /// The segmentation's name.
    pub name: String,
    /// Each row's segment, by its place in [`ReassignSummary::segments`]; `None` for a row that had none.
    pub segments: Vec<Option<u32>>,
    /// The rows that changed, ascending.
    pub moved: Vec<usize>,
    /// What it reaches and costs.
    pub summary: ReassignSummary,
}

impl Reassigned {
    /// The new segments as a column, with the segments' names.
    pub fn column(&self) -> Categorical<'static> {
        let names = &self.summary.segments;
        let level = |segment: &Option<u32>| segment.map(|s| names[s as usize].as_str());
        Categorical::from_options(self.name.clone(), self.segments.iter().map(level))
    }
}

impl Reassign {
    /// Moves within a bound, segments keeping their sizes, the groups being the intersections of all attributes of a batch.
    pub fn new(bound: Bound) -> Self {
        let (attributes, segmentation) = (Vec::new(), None);
        Reassign { bound, sizes: Sizes::Kept, strict: false, attributes, segmentation, seed: 0 }
    }

    /// What may become of the segments' sizes.
    #[must_use]
    pub fn sizes(mut self, sizes: Sizes) -> Self {
        self.sizes = sizes;
        self
    }

    /// Bounds hold to the letter, and not to the nearest whole person: small groups may make that impossible.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Only these attributes make the groups.
    #[must_use]
    pub fn attributes<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.attributes = names.into_iter().map(Into::into).collect();
        self
    }

    /// The segmentation, where a batch has several.
    #[must_use]
    pub fn segmentation(mut self, name: impl Into<String>) -> Self {
        self.segmentation = Some(name.into());
        self
    }

    /// The seed by which those who move are drawn from people whose moves cost the same ([`apply`](Self::apply)).
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The fewest moves. Who moves from a cell of group and segment is drawn at random by the seed, and is the same on any
    /// number of threads.
    ///
    /// # Errors
    /// [`Error::Infeasible`] where bounds cannot be kept, with the group and segment at fault and, of a gap or slack, the
    /// smallest that can; [`Error::Nothing`] without segments, attributes, or rows with both; [`Error::Unknown`] for a
    /// segmentation or a group that is not there; [`Error::BadSetting`] for a bound or slack out of range, and for segments
    /// that rows are in by parts; [`Error::MissingColumn`]; [`Error::TooManyCells`].
    pub fn apply(&self, batch: &Batch) -> Result<Reassigned> {
        let people = People::of(batch, &self.attributes, self.segmentation.as_deref())?;
        // All people of a cell are alike: each cell is an item of so many units, that stays for nothing.
        let items = Items::by_cell(&people);
        let units = self.solve(&people, &items, &self.bound)?.map_err(|unmet| self.infeasible(&people, unmet))?;
        let mut segments = people.of_row.clone();
        let count = people.segments();
        let mut rows: Vec<Vec<usize>> = vec![Vec::new(); people.counts.len()];
        people.known().for_each(|(row, cell)| rows[cell].push(row));
        for (cell, mut rows) in rows.into_iter().enumerate() {
            let to = &units[cell * count..(cell + 1) * count];
            let leaving = rows.len() - to[cell % count] as usize;
            let (drawn, _) = rows.partial_shuffle(&mut stream(self.seed, cell, 0), leaving);
            let mut drawn = drawn.iter();
            for (segment, number) in to.iter().enumerate().filter(|(segment, _)| *segment != cell % count) {
                drawn.by_ref().take(*number as usize).for_each(|row| segments[*row] = Some(segment as u32));
            }
        }
        let cost = segments.iter().zip(&people.of_row).filter(|(to, from)| to != from).count() as f64;
        Ok(self.answer(people, segments, cost))
    }

    /// The moves of least cost, where `costs` says what each row (rows) costs in each segment (columns, in the order of the
    /// column's levels; at most 1e100 either way). As a rule that is 0 in a row's own segment. A row for which another segment is cheaper moves
    /// there even if no bound asks for it, as far as bounds let it: with distances to all centres, the answer is the nearest
    /// lawful assignment.
    ///
    /// Costs of rows that have no group or no segment are not read. Takes some groups × segments² steps for each row out of
    /// place, and up to 30 bytes for each cost.
    ///
    /// # Errors
    /// As [`apply`](Self::apply); [`Error::UnequalLengths`] where costs have not one row each, [`Error::BadSetting`] where not
    /// one column for each segment, [`Error::BadNumber`] for one out of range.
    ///
    /// # Examples
    /// ```
    /// use evenhand::data::{Batch, Categorical, Segments};
    /// use evenhand::mitigate::postprocess::reassign::{Bound, Reassign};
    /// use ndarray::array;
    /// let batch = Batch::builder()
    ///     .attribute(Categorical::from_values("sex", ["f", "f", "m", "m"]))
    ///     .segments(Segments::of(Categorical::from_values("tier", ["basic", "basic", "gold", "gold"])))
    ///     .build()?;
    /// let costs = array![[0.0, 3.0], [0.0, 1.0], [2.0, 0.0], [5.0, 0.0]];
    /// let found = Reassign::new(Bound::Gap(0.0)).apply_with_costs(&batch, costs.view())?;
    /// assert_eq!((&found.moved[..], found.summary.cost), (&[1, 2][..], 3.0));
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn apply_with_costs(&self, batch: &Batch, costs: ArrayView2<f64>) -> Result<Reassigned> {
        let people = People::of(batch, &self.attributes, self.segmentation.as_deref())?;
        let count = people.segments();
        if costs.nrows() != batch.rows() {
            let (rows, expected) = (costs.nrows(), batch.rows());
            return Err(Error::UnequalLengths { column: "cost".into(), rows, expected });
        }
        if costs.ncols() != count {
            let expected = format!("{count}, one for each level of `{}`", people.name);
            return Err(Error::setting("the number of columns of costs", costs.ncols(), expected));
        }
        let rows: Vec<(usize, usize)> = people.known().collect();
        let mut items = Items { groups: Vec::with_capacity(rows.len()), units: None, costs: Vec::new() };
        items.costs.reserve(rows.len() * count);
        for (row, cell) in &rows {
            items.groups.push((cell / count) as u32);
            for cost in costs.row(*row) {
                if !cost.is_finite() || cost.abs() > LARGEST_COST {
                    let (value, place) = (cost.to_string(), Place::row(*row));
                    return Err(Error::BadNumber {
                        column: "cost".into(),
                        value,
                        place,
                        expected: "a number of at most 1e100 either way",
                    });
                }
                items.costs.push(*cost);
            }
        }
        let units = self.solve(&people, &items, &self.bound)?.map_err(|unmet| self.infeasible(&people, unmet))?;
        let mut segments = people.of_row.clone();
        let mut cost = 0.0;
        for ((row, _), of) in rows.iter().zip(units.chunks(count)) {
            if let Some(segment) = of.iter().position(|units| *units > 0) {
                segments[*row] = Some(segment as u32);
                cost += costs[[*row, segment]];
            }
        }
        Ok(self.answer(people, segments, cost))
    }

    fn answer(&self, people: People, segments: Vec<Option<u32>>, cost: f64) -> Reassigned {
        let moved = (0..segments.len()).filter(|row| segments[*row] != people.of_row[*row]).collect();
        let summary = summary::of(&people, &segments, self.bound.clone(), self.sizes, cost);
        Reassigned { name: people.name, segments, moved, summary }
    }
}
