//! The one pass: a table of counts that every group metric is a function of.
//!
//! A [`Tally`] holds, for every occupied combination of attribute levels and strata, the rows (and, with
//! weights, Σw and Σw²) by label and decision. It merges exactly, so it can be made in threads, in
//! chunks or one file a day; it subtracts, so a person's rows can be taken out again; and every
//! attribute and intersection is a margin of it.

mod accumulate;
mod by_score;
mod cells;
mod compact;
mod few;
mod kernel;
mod margin;
mod repeats;
mod scores;
mod segments;
mod targets;

use serde::{Deserialize, Serialize};

pub use accumulate::{Accumulator, Limits};
pub use cells::{Cell, Counts, ScoreSums};
pub(crate) use kernel::{Span, add_levels};
pub(crate) use margin::{Group, Parts};
pub use repeats::Cells;
#[cfg(any(feature = "csv", feature = "parquet"))]
pub(crate) use repeats::check_cell;
pub(crate) use scores::key_of as score_key;

use crate::data::parts::WHOLE;
use crate::data::{Batch, Cut, Model, Rule, sorted_order};
use crate::error::{Error, Result};
use crate::metrics::scores::ErrorSums;
use cells::{SLOTS, Table};
use scores::ScoreTable;
pub(crate) use segments::Segmented;
pub use segments::{Classes, SegmentationDef};

/// An attribute or stratum of a tally.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Axis {
    /// The column's name.
    pub name: String,
    /// Its levels, sorted unless they have an order of their own.
    pub levels: Vec<String>,
    /// Whether they have an order of their own.
    pub ordered: bool,
}

/// How a model's decisions came to be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DecisionRule {
    /// There is no decision, only a label or a score.
    None,
    /// Everybody was put into one of so many segments.
    Segments(usize),
    /// It was given.
    Given,
    /// Selected where the score is at least this.
    Threshold(f64),
    /// The best were selected.
    Top(Cut),
}

/// A model of a tally.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelDef {
    /// The model's name.
    pub name: String,
    /// How its decisions came to be.
    pub rule: DecisionRule,
    /// Whether it has scores.
    pub scored: bool,
    /// The earlier model, by number, that it has its scores in common with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_scores_as: Option<usize>,
}

impl ModelDef {
    fn label_only() -> Self {
        ModelDef { name: "label".into(), rule: DecisionRule::None, scored: false, same_scores_as: None }
    }

    /// The models of a batch, or the one that stands for its label alone.
    fn all_of(batch: &Batch) -> Vec<Self> {
        if batch.models.is_empty() {
            return vec![Self::label_only()];
        }
        let same = |a: &Model, b: &Model| a.score_name.is_some() && a.score_name == b.score_name;
        let one = |(at, model): (usize, &Model)| {
            let same_scores_as = batch.models[..at].iter().position(|earlier| same(earlier, model));
            ModelDef { same_scores_as, ..Self::of(model) }
        };
        batch.models.iter().enumerate().map(one).collect()
    }

    fn of(model: &Model) -> Self {
        let rule = match &model.rule {
            Rule::None | Rule::Top(_) => DecisionRule::None,
            Rule::Given(_) => DecisionRule::Given,
            Rule::AtLeast(t) => DecisionRule::Threshold(*t),
            Rule::Cut(cut) => DecisionRule::Top(*cut),
        };
        ModelDef { name: model.name.clone(), rule, scored: model.score.is_some(), same_scores_as: None }
    }

    /// Whether there are decisions.
    pub fn decides(&self) -> bool {
        self.rule != DecisionRule::None
    }

    /// Whether the tally holds its scores, rather than those of an earlier model that has the same.
    pub(crate) fn keeps_scores(&self) -> bool {
        self.scored && self.same_scores_as.is_none()
    }

    fn edge(&self) -> f64 {
        match self.rule {
            DecisionRule::Top(cut) => cut.edge,
            _ => 0.0,
        }
    }
}

/// What a tally counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// The attributes.
    pub attributes: Vec<Axis>,
    /// The strata.
    pub strata: Vec<Axis>,
    /// Whether there is a label.
    pub labelled: bool,
    /// Whether rows carry weights.
    pub weighted: bool,
    /// Whether there is a target: a number that scores forecast.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub targeted: bool,
    /// The models; a tally of labels or segments alone has one that decides nothing.
    pub models: Vec<ModelDef>,
    /// The segmentations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segmentations: Vec<SegmentationDef>,
    /// In how many parts a row is counted: 1, or 2²⁰ where rows are in several segments by parts.
    #[serde(default = "whole_rows", skip_serializing_if = "are_whole_rows")]
    pub unit: u32,
}

fn whole_rows() -> u32 {
    1
}

fn are_whole_rows(unit: &u32) -> bool {
    *unit == 1
}

impl Schema {
    fn axes(&self) -> impl Iterator<Item = &Axis> {
        self.attributes.iter().chain(&self.strata)
    }

    fn radices(&self) -> Vec<usize> {
        self.axes().map(|a| a.levels.len() + 1).collect()
    }

    fn too_many(&self, cells: u128, limit: usize) -> Error {
        let parts: Vec<String> = self.axes().map(|a| format!("`{}` ({} levels)", a.name, a.levels.len())).collect();
        Error::TooManyCells { attributes: parts.join(" × "), cells, limit }
    }
}

/// Counts by group, stratum, label and decision: all that an audit needs of the rows.
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical};
/// use evenhand::tally::Tally;
/// let day = |sex: [&str; 3], sold: [u8; 3]| {
///     Tally::of(&Batch::builder().attribute(Categorical::from_values("sex", sex)).decision(sold).build()?)
/// };
/// let mut week = day(["f", "m", "f"], [1, 0, 0])?;
/// let tuesday = day(["m", "m", "x"], [1, 1, 0])?;
/// week.merge(&tuesday)?; // levels are aligned by name
/// assert_eq!(week.rows(), 6);
/// week.subtract(&tuesday)?;
/// assert_eq!(week.rows(), 3);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked", into = "Unchecked")]
pub struct Tally {
    schema: Schema,
    rows: u64,
    /// Keys of the occupied groups, rising; one digit an axis, 0 for missing.
    groups: Vec<u64>,
    tables: Vec<Table>,
    /// For each model that has scores of its own, how many rows have which.
    scores: Vec<Option<ScoreTable>>,
    /// Where there is a target, for each model that has scores of its own the sums of each group's errors.
    targets: Vec<Option<Vec<ErrorSums>>>,
    /// For each segmentation, the counts with its segments (and classes) as further axes.
    segmentations: Vec<Tally>,
}

/// A tally as it is written, not yet checked.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Unchecked {
    schema: Schema,
    rows: u64,
    groups: Vec<u64>,
    tables: Vec<Table>,
    #[serde(default)]
    scores: Vec<Option<ScoreTable>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    targets: Vec<Option<Vec<ErrorSums>>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    segmentations: Vec<Tally>,
}

impl From<Tally> for Unchecked {
    fn from(t: Tally) -> Self {
        let Tally { schema, rows, groups, tables, scores, targets, segmentations } = t;
        Unchecked { schema, rows, groups, tables, scores, targets, segmentations }
    }
}

impl TryFrom<Unchecked> for Tally {
    type Error = Error;

    fn try_from(t: Unchecked) -> Result<Self> {
        let wrong = |problem: &str| Err(Error::Mismatch { problem: format!("the stored tally is damaged: {problem}") });
        let cells = t.schema.radices().iter().try_fold(1u64, |p, r| p.checked_mul(*r as u64));
        let slots = t.groups.len() * SLOTS;
        if cells.is_none_or(|cells| t.groups.iter().any(|g| *g >= cells)) || !t.groups.is_sorted_by(|a, b| a < b) {
            return wrong("a group has levels that do not exist, or stands twice");
        }
        if ![1, WHOLE].contains(&t.schema.unit) {
            return wrong("its rows are in parts of unknown size");
        }
        if t.tables.len() != t.schema.models.len() || t.tables.is_empty() {
            return wrong("it needs one table a model");
        }
        for (table, model) in t.tables.iter().zip(&t.schema.models) {
            let shapes = [
                Some(table.rows.len()),
                table.weights.as_ref().map(Vec::len).or((!t.schema.weighted).then_some(slots)),
                table.scores.as_ref().map(Vec::len).or((!model.scored).then_some(slots)),
            ];
            if shapes != [Some(slots); 3] || table.weights.is_some() != t.schema.weighted {
                return wrong("a table has not 12 cells a group");
            }
            if table.rows.iter().try_fold(0u64, |sum, r| sum.checked_add(*r))
                != t.rows.checked_mul(u64::from(t.schema.unit))
            {
                return wrong("the cells do not add up to the rows");
            }
            let sound = |v: f64| v.is_finite() && v >= 0.0;
            if table.weights.iter().flatten().flatten().any(|w| !sound(*w)) {
                return wrong("a weight is negative or not finite");
            }
        }
        if t.scores.len() != t.schema.models.len() || t.segmentations.len() != t.schema.segmentations.len() {
            return wrong("it needs the scores of each model and the counts of each segmentation");
        }
        for (table, model) in t.scores.iter().zip(&t.schema.models) {
            if table.is_some() != model.keeps_scores() {
                return wrong("a model's scores are missing, or are not its own");
            }
            if table.as_ref().is_some_and(|s| !s.is_sound(t.groups.len(), t.schema.weighted)) {
                return wrong("its scores are out of order");
            }
        }
        if let Some(problem) = t.wrong_targets() {
            return wrong(problem);
        }
        for (inner, def) in t.segmentations.iter().zip(&t.schema.segmentations) {
            if inner.rows != t.rows || !def.fits(&t.schema, &inner.schema) {
                return wrong("a segmentation does not count the same rows by the same groups");
            }
        }
        let Unchecked { schema, rows, groups, tables, scores, targets, segmentations } = t;
        Ok(Tally { schema, rows, groups, tables, scores, targets, segmentations })
    }
}

impl Unchecked {
    /// What is wrong with the errors of forecasts.
    fn wrong_targets(&self) -> Option<&'static str> {
        let Schema { targeted, models, .. } = &self.schema;
        if !targeted {
            return (!self.targets.is_empty()).then_some("it has errors of forecasts, but no target");
        }
        if self.targets.len() != models.len() {
            return Some("it needs the errors of each model's forecasts");
        }
        for ((sums, model), table) in self.targets.iter().zip(models).zip(&self.tables) {
            if sums.is_some() != model.keeps_scores() {
                return Some("the errors of a model's forecasts are missing, or are not its own");
            }
            let Some(sums) = sums else { continue };
            let rows = |at: usize| table.rows.get(at * SLOTS..(at + 1) * SLOTS).map(|of| of.iter().sum::<u64>() as f64);
            if sums.len() != self.groups.len() || (0..sums.len()).any(|at| !sums[at].is_sound(rows(at))) {
                return Some("the errors of forecasts are not of its rows");
            }
        }
        None
    }
}

impl Tally {
    /// Counts a batch.
    ///
    /// # Errors
    /// [`Error::TooManyCells`].
    pub fn of(batch: &Batch) -> Result<Self> {
        Self::with_limits(batch, Limits::default())
    }

    /// Counts a batch within limits.
    ///
    /// # Errors
    /// [`Error::TooManyCells`].
    pub fn with_limits(batch: &Batch, limits: Limits) -> Result<Self> {
        let mut accumulator = Accumulator::new(limits);
        accumulator.update(batch)?;
        let nothing = Error::Nothing { problem: "there are no rows", place: Default::default() };
        accumulator.finish()?.ok_or(nothing)
    }

    /// Writes the counts as JSON, to be kept, sent or merged later.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if a number cannot be written, which no checked tally holds.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|e| Error::Mismatch { problem: e.to_string() })
    }

    /// Reads what [`to_json`](Self::to_json) wrote, and checks it.
    ///
    /// # Errors
    /// [`Error::Mismatch`] that says what is damaged.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|e| Error::Mismatch { problem: format!("not a tally: {e}") })
    }

    /// The rows counted.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// What is counted.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The occupied groups: combinations of attribute levels and strata.
    pub fn occupied(&self) -> usize {
        self.groups.len()
    }

    /// Adds another tally of the same question; levels are aligned by name. Unweighted counts are exact.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the attributes, strata or models differ; `self` is then unchanged.
    pub fn merge(&mut self, other: &Tally) -> Result<()> {
        let joined = self.joined(other)?;
        let rows = self.rows.checked_add(other.rows);
        let rows = rows.ok_or_else(|| Error::Mismatch { problem: "the rows exceed 2^64".into() })?;
        let (mine, theirs) = (self.keys_in(&joined), other.keys_in(&joined));
        let mut groups: Vec<u64> = mine.iter().chain(&theirs).copied().collect();
        groups.sort_unstable();
        groups.dedup();
        let tables = (0..self.tables.len())
            .map(|model| {
                let mut table = Table::zeros(groups.len() * SLOTS, joined.weighted, joined.models[model].scored);
                for (keys, from) in [(&mine, &*self), (&theirs, other)] {
                    for (at, key) in keys.iter().enumerate() {
                        let to = groups.partition_point(|g| g < key);
                        table.add_group(to, &from.tables[model], at);
                    }
                }
                table
            })
            .collect();
        let place = |key: &u64| groups.partition_point(|g| g < key);
        let scores = self.scores.iter().zip(&other.scores).map(|(a, b)| {
            let a = a.clone()?.renumbered(|g| place(&mine[g]));
            Some(a.merged(&b.clone()?.renumbered(|g| place(&theirs[g]))))
        });
        let scores = scores.collect();
        let targets = self.targets.iter().zip(&other.targets).map(|(a, b)| {
            let (a, b) = (a.as_ref()?.iter().enumerate(), b.as_ref()?.iter().enumerate());
            let (a, b) = (a.map(|(g, sums)| (place(&mine[g]), sums)), b.map(|(g, sums)| (place(&theirs[g]), sums)));
            Some(targets::moved(groups.len(), a.chain(b)))
        });
        let targets = targets.collect();
        let mut segmentations = self.segmentations.clone();
        for (inner, other) in segmentations.iter_mut().zip(&other.segmentations) {
            inner.merge(other)?;
        }
        *self = Tally { schema: joined, rows, groups, tables, scores, targets, segmentations };
        Ok(())
    }

    /// Keeps within limits what merging may have brought beyond them.
    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn keep_within(&mut self, limits: Limits) {
        for table in self.scores.iter_mut().flatten() {
            *table = std::mem::take(table).within(limits.max_scores);
        }
        self.segmentations.iter_mut().for_each(|inner| inner.keep_within(limits));
    }

    /// Takes out another tally's rows. Unweighted counts are exact, weights to rounding.
    ///
    /// # Errors
    /// [`Error::Mismatch`] as for [`merge`](Self::merge); [`Error::Negative`] if rows are taken out that are
    /// not there. `self` is then unchanged.
    pub fn subtract(&mut self, other: &Tally) -> Result<()> {
        let joined = self.joined(other)?;
        let mut left = self.clone();
        let radices = joined.radices();
        let (mine, theirs) = (self.keys_in(&joined), other.keys_in(&joined));
        let position: rustc_hash::FxHashMap<u64, usize> = mine.iter().enumerate().map(|(i, k)| (*k, i)).collect();
        for (from, key) in theirs.iter().enumerate() {
            let done = position.get(key).is_some_and(|to| {
                left.tables.iter_mut().zip(&other.tables).all(|(mine, theirs)| mine.subtract_group(*to, theirs, from))
            });
            if !done {
                return Err(Error::Negative { group: joined.group_name(&Self::decode(*key, &radices)) });
            }
        }
        for (table, out) in left.scores.iter_mut().zip(&other.scores) {
            if let (Some(mine), Some(out)) = (table.as_ref(), out) {
                // Rows that were found above are here too, unless their scores differ.
                let out = out.clone().renumbered(|g| position.get(&theirs[g]).copied().unwrap_or(0));
                let rest = mine.without(&out);
                *table = Some(rest.ok_or_else(|| Error::Negative { group: "those with these scores".into() })?);
            }
        }
        for (mine, out) in left.targets.iter_mut().zip(&other.targets) {
            let (Some(mine), Some(out)) = (mine, out) else { continue };
            for (out, key) in out.iter().zip(&theirs) {
                let rest = position.get(key).and_then(|at| Some((*at, mine[*at].without(out)?)));
                let (at, rest) = rest.ok_or_else(|| Error::Negative { group: "those with these targets".into() })?;
                mine[at] = rest;
            }
        }
        for (inner, out) in left.segmentations.iter_mut().zip(&other.segmentations) {
            inner.subtract(out)?;
        }
        left.rows = self.rows.saturating_sub(other.rows);
        *self = left;
        Ok(())
    }

    /// A fingerprint of what was counted: equal tallies, and only they, have equal ones.
    pub fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        // Of scores there may be as many as rows: they are hashed as they are.
        let outline = (
            &self.schema,
            self.rows,
            &self.groups,
            &self.tables,
            self.segmentations.iter().map(Tally::digest).collect::<Vec<_>>(),
        );
        // Serialising plain numbers and text to a hash cannot fail.
        let _ = serde_json::to_writer(&mut hasher, &outline);
        self.scores.iter().flatten().for_each(|table| table.hash(&mut hasher));
        if self.schema.targeted {
            let _ = serde_json::to_writer(&mut hasher, &self.targets);
        }
        hasher.finalize().to_hex().to_string()
    }

    /// The schema that holds both tallies' levels.
    fn joined(&self, other: &Tally) -> Result<Schema> {
        let mismatch = |problem: String| Error::Mismatch { problem };
        let (a, b) = (&self.schema, &other.schema);
        let join = |mine: &[Axis], theirs: &[Axis], what: &str| -> Result<Vec<Axis>> {
            if mine.iter().map(|x| &x.name).ne(theirs.iter().map(|x| &x.name)) {
                return Err(mismatch(format!("they have other {what}")));
            }
            mine.iter()
                .zip(theirs)
                .map(|(x, y)| {
                    if x.ordered != y.ordered || (x.ordered && x.levels != y.levels) {
                        return Err(mismatch(format!("the bands of `{}` differ; cut both by the same bands", x.name)));
                    }
                    let mut levels = x.levels.clone();
                    let known: std::collections::HashSet<&String> = x.levels.iter().collect();
                    levels.extend(y.levels.iter().filter(|l| !known.contains(l)).cloned());
                    if !x.ordered {
                        let (order, _) = sorted_order(&levels);
                        levels = order.into_iter().map(|i| std::mem::take(&mut levels[i])).collect();
                    }
                    Ok(Axis { name: x.name.clone(), levels, ordered: x.ordered })
                })
                .collect()
        };
        if a.segmentations != b.segmentations {
            return Err(mismatch("they have other segmentations, or other orders or values of segments".into()));
        }
        if a.models != b.models {
            return Err(mismatch("they have other models, thresholds or selections".into()));
        }
        if a.weighted != b.weighted || a.labelled != b.labelled || a.targeted != b.targeted {
            return Err(mismatch("only one of them has weights, labels or a target".into()));
        }
        let joined = Schema {
            attributes: join(&a.attributes, &b.attributes, "attributes")?,
            strata: join(&a.strata, &b.strata, "strata")?,
            ..a.clone()
        };
        let cells = joined.radices().iter().try_fold(SLOTS as u64, |p, r| p.checked_mul(*r as u64));
        if cells.is_none() {
            return Err(joined.too_many(u128::from(u64::MAX), Limits::default().max_cells));
        }
        Ok(joined)
    }

    /// The keys of this tally's groups under another schema with at least its levels.
    fn keys_in(&self, schema: &Schema) -> Vec<u64> {
        let maps: Vec<Vec<usize>> = self
            .schema
            .axes()
            .zip(schema.axes())
            .map(|(from, to)| {
                let places: std::collections::HashMap<&String, usize> =
                    to.levels.iter().enumerate().map(|(i, l)| (l, i + 1)).collect();
                std::iter::once(0).chain(from.levels.iter().map(|l| places.get(l).copied().unwrap_or(0))).collect()
            })
            .collect();
        let (from, to) = (self.schema.radices(), schema.radices());
        let translate = |key: &u64| {
            let digits: Vec<usize> = Self::decode(*key, &from).iter().zip(&maps).map(|(d, map)| map[*d]).collect();
            Self::encode(&digits, &to)
        };
        self.groups.iter().map(translate).collect()
    }

    /// Sorts levels that have no order of their own, and the groups.
    fn canonical(mut self) -> Self {
        let mut schema = self.schema.clone();
        for axis in schema.attributes.iter_mut().chain(&mut schema.strata).filter(|a| !a.ordered) {
            let (order, _) = sorted_order(&axis.levels);
            axis.levels = order.into_iter().map(|i| std::mem::take(&mut axis.levels[i])).collect();
        }
        let keys = self.keys_in(&schema);
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_unstable_by_key(|i| keys[*i]);
        for (table, model) in self.tables.iter_mut().zip(&schema.models) {
            let mut sorted = Table::zeros(table.rows.len(), schema.weighted, model.scored);
            for (to, from) in order.iter().enumerate() {
                sorted.add_group(to, table, *from);
            }
            *table = sorted;
        }
        let mut place = vec![0; order.len()];
        order.iter().enumerate().for_each(|(to, from)| place[*from] = to);
        for table in self.scores.iter_mut().flatten() {
            *table = std::mem::take(table).renumbered(|g| place[g]);
        }
        for sums in self.targets.iter_mut().flatten() {
            *sums = order.iter().map(|from| std::mem::take(&mut sums[*from])).collect();
        }
        let groups = order.iter().map(|i| keys[*i]).collect();
        Tally { schema, groups, ..self }
    }

    /// The digits of a key: one an axis, 0 for missing, level + 1 otherwise.
    fn decode(key: u64, radices: &[usize]) -> Vec<usize> {
        let mut key = key;
        let mut digits = vec![0; radices.len()];
        for (digit, radix) in digits.iter_mut().zip(radices).rev() {
            *digit = (key % *radix as u64) as usize;
            key /= *radix as u64;
        }
        digits
    }

    fn encode(digits: &[usize], radices: &[usize]) -> u64 {
        digits.iter().zip(radices).fold(0, |key, (digit, radix)| key * *radix as u64 + *digit as u64)
    }
}

impl Schema {
    /// The name of a group given by digits of the leading axes.
    fn group_name(&self, digits: &[usize]) -> String {
        let part = |(axis, digit): (&Axis, &usize)| match digit {
            0 => "missing".to_string(),
            d => axis.levels.get(d - 1).cloned().unwrap_or_default(),
        };
        self.axes().zip(digits).map(part).collect::<Vec<_>>().join(" & ")
    }
}

#[cfg(test)]
mod tests;
