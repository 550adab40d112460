//! The least changes of segment that let every segment mirror the people.
//!
//! A segmentation is given; some people are moved to another segment, so that each group's share of each segment is within a
//! bound of everybody's, and no fewer moves could do it. That is a minimum-cost flow of whole persons, solved exactly: on
//! the counts of groups and segments where a move costs 1 whoever moves, on the rows where each has costs of its own (the
//! distance to the other segment's centre, say).

mod summary;
#[cfg(test)]
mod tests;

pub use summary::{GroupShares, Move, ReassignSummary};

use ndarray::ArrayView2;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use crate::data::{Batch, Categorical, Segments};
use crate::inference::rng::stream;
use crate::mitigate::flow::{Problem, Range, Unmet, assign};
use crate::mitigate::groups::{Groups, MISSING};
use crate::{Error, Place, Result};

/// What rounding may take from a bound on whole persons.
const ROUNDING: f64 = 1e-9;

/// How near a group's share of a segment must be to everybody's.
///
/// `P(s|g)` is the part of a group's people that is in a segment, `P(s)` that of everybody, before anybody moves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Bound {
    /// `|P(s|g) − P(s)| <= gap`, a gap in [0, 1].
    Gap(f64),
    /// `P(s|g) / P(s)` in `[1 − slack, 1 / (1 − slack)]`, a slack in [0, 1). Where segments keep their sizes this is
    /// bounded representation of people, `P(g|s) / P(g)` in the same bounds (Bera and others).
    Ratio(f64),
    /// Each group's least and largest share of a segment's people, `P(g|s)`, by its levels joined by ` & `; shares in [0, 1] of
    /// the segment's people before. Groups that are not named are not bounded.
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
/// [`Bound::Ratio`]) can then always be kept. They are taken from everybody's shares *before*: where sizes may change, the
/// distance from the shares after may be larger by as much as the sizes changed, and the summary says what it is.
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
/// assert_eq!((found.summary.moved, found.summary.largest_gap), (4, [0.3, 0.1]));
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
        let (cells, sizes) = self.ranges(&people, &self.bound)?;
        // All people of a cell are alike: each cell is an item of so many units, that stays for nothing.
        let items = Items::by_cell(&people);
        let units = assign(&items.problem(&people, &cells, &sizes)).map_err(|unmet| self.infeasible(&people, unmet))?;
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
    /// column's levels; finite). As a rule that is 0 in a row's own segment. A row for which another segment is cheaper moves
    /// there even if no bound asks for it, as far as bounds let it: with distances to all centres, the answer is the nearest
    /// lawful assignment.
    ///
    /// Costs of rows that have no group or no segment are not read.
    ///
    /// # Errors
    /// As [`apply`](Self::apply); [`Error::UnequalLengths`] where costs have not one row each, [`Error::BadSetting`] where not
    /// one column for each segment, [`Error::BadNumber`] for one that is not finite.
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
        let (cells, sizes) = self.ranges(&people, &self.bound)?;
        let rows: Vec<(usize, usize)> = people.known().collect();
        let mut items = Items { groups: Vec::with_capacity(rows.len()), units: None, costs: Vec::new() };
        items.costs.reserve(rows.len() * count);
        for (row, cell) in &rows {
            items.groups.push((cell / count) as u32);
            for cost in costs.row(*row) {
                if !cost.is_finite() {
                    let (value, place) = (cost.to_string(), Place::row(*row));
                    return Err(Error::BadNumber { column: "cost".into(), value, place, expected: "a finite number" });
                }
                items.costs.push(*cost);
            }
        }
        let units = assign(&items.problem(&people, &cells, &sizes)).map_err(|unmet| self.infeasible(&people, unmet))?;
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

    /// How many of each group may be in each segment, and how many may be in each.
    fn ranges(&self, people: &People, bound: &Bound) -> Result<(Vec<Range>, Vec<Range>)> {
        let count = people.segments();
        let whole: u64 = people.counts.iter().sum();
        let sizes = people.sizes();
        let mut limits = vec![(0.0, f64::INFINITY); people.counts.len()];
        let each = |of: &dyn Fn(f64, f64) -> (f64, f64)| -> Vec<(f64, f64)> {
            let cell =
                |cell: usize| of(people.of_group(cell / count) as f64, sizes[cell % count] as f64 / whole as f64);
            (0..people.counts.len()).map(cell).collect()
        };
        match bound {
            Bound::Gap(gap) if (0.0..=1.0).contains(gap) => {
                limits = each(&|group, share| (group * (share - gap), group * (share + gap)));
            }
            Bound::Gap(gap) => return Err(Error::setting("the gap", gap, "a number from 0 to 1")),
            Bound::Ratio(slack) if (0.0..1.0).contains(slack) => {
                limits = each(&|group, share| (group * share * (1.0 - slack), group * share / (1.0 - slack)));
            }
            Bound::Ratio(slack) => {
                return Err(Error::setting("the slack", slack, "a number of at least 0 and below 1"));
            }
            Bound::Representation(bounds) => {
                let names: Vec<String> = (0..people.groups.len()).map(|g| people.groups.name(g)).collect();
                for (name, least, most) in bounds {
                    if !(0.0 <= *least && least <= most && *most <= 1.0) {
                        let value = format!("{least} to {most}");
                        return Err(Error::setting(&format!("the bounds of `{name}`"), value, "shares from 0 to 1"));
                    }
                    let group = names.iter().position(|own| own == name).ok_or_else(|| {
                        Error::unknown("group", name, " in the batch", names.iter().map(String::as_str))
                    })?;
                    for (segment, size) in sizes.iter().enumerate() {
                        limits[group * count + segment] = (least * *size as f64, most * *size as f64);
                    }
                }
            }
        }
        let persons = |(low, high): (f64, f64)| {
            // A person more or less is allowed but where bounds are strict.
            let (low, high) = if self.strict {
                ((low - ROUNDING).ceil(), (high + ROUNDING).floor())
            } else {
                ((low + ROUNDING).floor(), (high - ROUNDING).ceil())
            };
            // Casts saturate: below 0 is 0, infinity is no bound.
            (low as u64, (high as u64).min(whole))
        };
        let cells = limits.into_iter().map(persons).collect();
        let slack = match self.sizes {
            Sizes::Kept => 0.0,
            Sizes::Within(slack) if (0.0..=1.0).contains(&slack) => slack,
            Sizes::Within(slack) => return Err(Error::setting("the slack of sizes", slack, "a number from 0 to 1")),
            Sizes::Free => return Ok((cells, vec![(0, whole); count])),
        };
        let size = |size: &u64| {
            let by = (*size as f64 * slack + ROUNDING).floor() as u64;
            (size - by, size + by)
        };
        Ok((cells, sizes.iter().map(size).collect()))
    }

    /// Whether a bound can be kept; the first that cannot, where not.
    fn keeps(&self, people: &People, items: &Items, bound: &Bound) -> Result<Result<(), Unmet>> {
        let (cells, sizes) = self.ranges(people, bound)?;
        Ok(assign(&items.problem(people, &cells, &sizes)).map(|_| ()))
    }

    /// What stands against a bound, and the smallest that can be kept, found by halving.
    fn infeasible(&self, people: &People, unmet: Unmet) -> Error {
        let items = Items::by_cell(people);
        let (asked, given, of): (_, _, fn(f64) -> Bound) = match self.bound {
            Bound::Gap(gap) => (format!("the gap {gap}"), gap, Bound::Gap),
            Bound::Ratio(slack) => (format!("the slack {slack}"), slack, Bound::Ratio),
            Bound::Representation(ref bounds) => {
                let whole: u64 = people.counts.iter().sum();
                let outside = (0..people.groups.len()).find_map(|group| {
                    let (name, share) = (people.groups.name(group), people.of_group(group) as f64 / whole as f64);
                    let out = bounds.iter().any(|(own, low, high)| *own == name && !(*low..=*high).contains(&share));
                    out.then(|| format!("the group `{name}` is {share:.3} of everybody: choose bounds around that"))
                });
                let remedy = outside.unwrap_or("widen the bounds, or let segments change their sizes".into());
                let asked = "the bounds on representation".into();
                return Error::Infeasible { asked, problem: people.fault(unmet), remedy };
            }
        };
        let kept = |value: f64| matches!(self.keeps(people, &items, &of(value)), Ok(Ok(())));
        let (mut low, mut high) = (given, 1.0 - 1e-12);
        if !kept(high) {
            let remedy = "no such bound can be kept: let segments change their sizes".into();
            return Error::Infeasible { asked, problem: people.fault(unmet), remedy };
        }
        let mut fault = unmet;
        while high - low > 1e-7 {
            let middle = 0.5 * (low + high);
            match self.keeps(people, &items, &of(middle)) {
                Ok(Ok(())) => high = middle,
                Ok(Err(unmet)) => (low, fault) = (middle, unmet),
                Err(_) => break,
            }
        }
        let smallest = (high * 1e6).ceil() / 1e6;
        let remedy = format!("the smallest that can is {smallest}, or let it be kept to the nearest whole person");
        Error::Infeasible { asked, problem: people.fault(fault), remedy }
    }
}

/// Who is in which group and segment.
struct People {
    groups: Groups,
    name: String,
    levels: Vec<String>,
    of_row: Vec<Option<u32>>,
    /// Rows of each cell, group by group.
    counts: Vec<u64>,
}

impl People {
    fn of(batch: &Batch, attributes: &[String], name: Option<&str>) -> Result<Self> {
        let groups = Groups::of(batch, attributes)?;
        let nothing = |problem| Error::Nothing { problem, place: Place::default() };
        let all: Vec<&Segments> = batch.segmentations.iter().collect();
        let names = || all.iter().map(|s| s.column.name());
        let found = match (name, &all[..]) {
            (_, []) => return Err(nothing("there are no segments to move people between; add them to the batch")),
            (Some(name), all) => all
                .iter()
                .find(|s| s.column.name() == name)
                .ok_or_else(|| Error::unknown("segmentation", name, " in the batch", names()))?,
            (None, [one]) => one,
            (None, _) => {
                let expected = format!("a name where there are several: {}", names().collect::<Vec<_>>().join(", "));
                return Err(Error::setting("the segmentation", "not given", expected));
            }
        };
        let column = &found.column;
        if found.parts.is_some() {
            let expected = "segments that each row is wholly in";
            return Err(Error::setting(&format!("the segmentation `{}`", column.name()), "by parts", expected));
        }
        let of_row: Vec<Option<u32>> = (0..batch.rows()).map(|row| column.codes().get(row).map(|s| s as u32)).collect();
        let counts = vec![0; groups.len() * column.levels().len()];
        let (name, levels) = (column.name().to_string(), column.levels().to_vec());
        let mut people = People { groups, name, levels, of_row, counts };
        let mut counts = std::mem::take(&mut people.counts);
        people.known().for_each(|(_, cell)| counts[cell] += 1);
        people.counts = counts;
        if people.counts.iter().all(|n| *n == 0) {
            return Err(nothing("no row has a known group and a segment"));
        }
        if people.of_row.len() > u32::MAX as usize {
            return Err(Error::setting("the number of rows", people.of_row.len(), "at most 4,294,967,295"));
        }
        Ok(people)
    }

    fn segments(&self) -> usize {
        self.levels.len()
    }

    /// The rows of known group and segment, with their cell.
    fn known(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let rows = self.groups.of_row.iter().zip(&self.of_row).enumerate();
        rows.filter_map(|(row, (group, segment))| {
            let segment = (*segment)? as usize;
            (*group != MISSING).then(|| (row, *group as usize * self.levels.len() + segment))
        })
    }

    fn of_group(&self, group: usize) -> u64 {
        self.counts[group * self.segments()..(group + 1) * self.segments()].iter().sum()
    }

    fn sizes(&self) -> Vec<u64> {
        let size = |segment: usize| self.counts.iter().skip(segment).step_by(self.segments()).sum();
        (0..self.segments()).map(size).collect()
    }

    fn fault(&self, unmet: Unmet) -> String {
        match unmet {
            Unmet::Cell { group, segment } => format!(
                "of the group `{}` ({} rows), no lawful number can be in the segment `{}`",
                self.groups.name(group),
                self.of_group(group),
                self.levels[segment]
            ),
            Unmet::Segment(segment) => {
                format!("no lawful numbers of the groups make up the size of the segment `{}`", self.levels[segment])
            }
            Unmet::Whole => "no lawful numbers make up all segments".into(),
        }
    }
}

/// What is assigned.
struct Items {
    groups: Vec<u32>,
    units: Option<Vec<u32>>,
    costs: Vec<f64>,
}

impl Items {
    /// A cell's people as one item, for whom staying costs nothing and any move 1.
    fn by_cell(people: &People) -> Self {
        let count = people.segments();
        let cells = 0..people.counts.len();
        Items {
            groups: cells.clone().map(|cell| (cell / count) as u32).collect(),
            units: Some(people.counts.iter().map(|n| *n as u32).collect()),
            costs: cells.flat_map(|cell| (0..count).map(move |s| f64::from(u8::from(s != cell % count)))).collect(),
        }
    }

    fn problem<'a>(&'a self, people: &People, cells: &'a [Range], sizes: &'a [Range]) -> Problem<'a> {
        Problem {
            segments: people.segments(),
            groups: &self.groups,
            units: self.units.as_deref(),
            costs: &self.costs,
            cells,
            sizes,
        }
    }
}
