//! From batches to a tally: chooses the layout of the cells and runs the kernels over it.

use rustc_hash::FxHashMap;

use super::Cells;
use super::cells::{DECISIONS, SLOTS, Table};
use super::compact::{Compact, SHARED_SLOTS};
use super::few::Few;
use super::kernel::{self, CHUNK, Keys, Span, Word};
use super::scores::{ScoreRuns, Scored, key_of};
use super::targets::TargetRuns;
use super::{Axis, ModelDef, Schema, SegmentationDef, Tally};
use crate::data::parts::WHOLE;
use crate::data::{Batch, Categorical};
use crate::error::{Error, Result};

/// How large a tally may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most groups (occupied cells of the cross table of attributes and strata) to keep. Each
    /// takes about 100 bytes a model, 400 with weights, 1,000 with scores.
    pub max_cells: usize,
    /// The most distinct scores (by group and label) of a model to keep, 20 bytes each, 36 with weights. Where there are
    /// more, scores lose their last digits until there are not (but never more than a factor of two), and the report says by
    /// how much that can change a figure.
    pub max_scores: usize,
}

impl Default for Limits {
    /// A million groups, a hundred million scores.
    fn default() -> Self {
        Limits { max_cells: 1 << 20, max_scores: 100_000_000 }
    }
}

/// Up to so many slots a table is laid out in full.
const DENSE_SLOTS: u128 = 1 << 22;
/// Rows in a unit of parallel work. Fixed, so that sums of weights are added in the same order
/// whatever the number of threads.
pub(super) const BLOCK: usize = 1 << 19;
/// Units whose tables are held at once.
pub(super) const WAVE: usize = 16;

/// Collects batches of the same columns into one [`Tally`].
///
/// Between batches the levels of a column may only grow at their end, so that codes stay valid: that
/// is what a reader which meets new levels needs.
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical};
/// use evenhand::tally::{Accumulator, Limits};
/// let mut all = Accumulator::new(Limits::default());
/// for chunk in [["f", "m"], ["m", "m"]] {
///     let sex = Categorical::from_codes("sex", ["f", "m"], chunk.map(|s| u8::from(s == "m")).to_vec())?;
///     all.update(&Batch::builder().attribute(sex).decision([1, 0]).build()?)?;
/// }
/// assert_eq!(all.finish()?.unwrap().rows(), 4);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug)]
pub struct Accumulator {
    limits: Limits,
    state: Option<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub schema: Schema,
    /// Room for the levels of each axis, and for missing.
    pub radices: Vec<usize>,
    layout: Layout,
    pub tables: Vec<Table>,
    pub scores: Vec<Option<ScoreRuns>>,
    /// Of each model the rows whose scores come again and again, which neither the tables nor the runs have yet.
    pub few: Vec<Few>,
    pub targets: Vec<Option<TargetRuns>>,
    pub segmentations: Vec<Accumulator>,
    /// The parts of rows counted.
    pub units: u64,
}

#[derive(Debug)]
enum Layout {
    /// Group number = key.
    Dense,
    /// Group numbers in order of appearance.
    Sparse(FxHashMap<u64, u32>),
}

impl Accumulator {
    /// Nothing collected yet.
    pub fn new(limits: Limits) -> Self {
        Accumulator { limits, state: None }
    }

    /// Adds the rows of a batch.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the columns differ from those of the batches before,
    /// [`Error::TooManyCells`].
    pub fn update(&mut self, batch: &Batch) -> Result<()> {
        self.take(batch, None)
    }

    /// Adds the rows of a batch, each of which may stand for many.
    pub(super) fn take(&mut self, batch: &Batch, repeats: Option<&Cells>) -> Result<()> {
        let weighted = batch.weight.is_some() || repeats.is_some_and(Cells::is_weighted);
        match &mut self.state {
            None => self.state = Some(State::new(batch, weighted, self.limits)?),
            Some(state) => state.follow(batch, weighted, self.limits)?,
        }
        match (&mut self.state, repeats) {
            (Some(state), None) => state.add(batch, self.limits),
            (Some(state), Some(repeats)) => state.add_cells(batch, repeats, self.limits),
            (None, _) => Ok(()),
        }
    }

    /// The rows counted so far.
    pub(super) fn rows_so_far(&self) -> u64 {
        self.state.as_ref().map_or(0, |state| state.units / u64::from(state.schema.unit))
    }

    /// The tally of all batches, `None` if there was no batch.
    ///
    /// # Errors
    /// [`Error::TooManyCells`].
    pub fn finish(self) -> Result<Option<Tally>> {
        self.state.map(|state| state.into_tally(self.limits.max_scores)).transpose()
    }
}

/// The level columns of a batch, attributes first.
pub(super) fn level_columns<'b, 'a>(batch: &'b Batch<'a>) -> impl Iterator<Item = &'b Categorical<'a>> {
    batch.attributes.iter().chain(&batch.strata)
}

impl State {
    fn new(batch: &Batch, weighted: bool, limits: Limits) -> Result<Self> {
        let axis =
            |c: &Categorical| Axis { name: c.name().into(), levels: c.levels().to_vec(), ordered: c.is_ordered() };
        let models = ModelDef::all_of(batch);
        let scores = models.iter().map(|m| m.keeps_scores().then(ScoreRuns::default)).collect();
        let few = vec![Few::default(); models.len()];
        let targeted = batch.target.is_some();
        let targets = models.iter().map(|m| (targeted && m.keeps_scores()).then(TargetRuns::default)).collect();
        let schema = Schema {
            attributes: batch.attributes.iter().map(axis).collect(),
            strata: batch.strata.iter().map(axis).collect(),
            labelled: batch.label.is_some(),
            weighted,
            targeted,
            models,
            segmentations: batch.segmentations.iter().map(SegmentationDef::of).collect(),
            unit: if batch.parts.is_some() { WHOLE } else { 1 },
        };
        let segmentations = batch.segmentations.iter().map(|_| Accumulator::new(limits)).collect();
        let radices: Vec<usize> = level_columns(batch).map(|c| c.levels().len() + 1).collect();
        let mut state = State {
            schema,
            radices,
            layout: Layout::Dense,
            tables: Vec::new(),
            scores,
            few,
            targets,
            segmentations,
            units: 0,
        };
        state.lay_out(limits)?;
        Ok(state)
    }

    /// Makes empty tables for the radices.
    fn lay_out(&mut self, limits: Limits) -> Result<()> {
        let slots = self.radices.iter().fold(SLOTS as u128, |p, r| p.saturating_mul(*r as u128));
        if slots > u128::from(u64::MAX) {
            return Err(self.schema.too_many(slots / SLOTS as u128, limits.max_cells));
        }
        let dense = slots <= DENSE_SLOTS && slots <= (limits.max_cells * SLOTS).max(DENSE_SLOTS as usize / 64) as u128;
        self.layout = if dense { Layout::Dense } else { Layout::Sparse(FxHashMap::default()) };
        let room = if dense { slots as usize } else { 0 };
        let weighted = self.schema.weighted;
        self.tables = self.schema.models.iter().map(|m| Table::zeros(room, weighted, m.scored)).collect();
        Ok(())
    }

    /// Checks that a further batch has the same columns and makes room for new levels.
    fn follow(&mut self, batch: &Batch, weighted: bool, limits: Limits) -> Result<()> {
        let mismatch = |problem: &str| Err(Error::Mismatch { problem: problem.into() });
        let axes = self.schema.attributes.iter_mut().chain(&mut self.schema.strata);
        if batch.attributes.len() + batch.strata.len() != self.radices.len()
            || axes.map(|a| a.name.as_str()).ne(level_columns(batch).map(|c| c.name()))
        {
            return mismatch("the batches have other attributes or strata");
        }
        if batch.label.is_some() != self.schema.labelled
            || weighted != self.schema.weighted
            || batch.target.is_some() != self.schema.targeted
        {
            return mismatch("only some batches have a label, a weight or a target");
        }
        if ModelDef::all_of(batch) != self.schema.models {
            return mismatch("the batches have other models, thresholds or selections");
        }
        if !batch.segmentations.iter().map(SegmentationDef::of).eq(self.schema.segmentations.iter().cloned()) {
            return mismatch("the batches have other segmentations, or other orders or values of segments");
        }
        let axes = self.schema.attributes.iter_mut().chain(&mut self.schema.strata);
        let mut wanted = self.radices.clone();
        for ((axis, column), room) in axes.zip(level_columns(batch)).zip(&mut wanted) {
            if axis.levels.len() < column.levels().len() {
                if !column.levels().starts_with(&axis.levels) {
                    return mismatch("a column's levels changed their codes between batches");
                }
                axis.levels = column.levels().to_vec();
                if axis.levels.len() >= *room {
                    *room = (axis.levels.len() + 1).next_power_of_two();
                }
            } else if axis.levels != column.levels() {
                return mismatch("a column's levels changed their codes between batches");
            }
        }
        if wanted != self.radices {
            self.move_to(wanted, limits)?;
        }
        Ok(())
    }

    /// Moves all groups to a layout with other radices.
    fn move_to(&mut self, radices: Vec<usize>, limits: Limits) -> Result<()> {
        self.settle_few(limits.max_scores);
        let old = self.radices.clone();
        let old_groups = self.groups();
        let old_tables = std::mem::take(&mut self.tables);
        self.radices = radices;
        self.lay_out(limits)?;
        let mut moved: FxHashMap<usize, usize> = FxHashMap::default();
        for (key, from) in old_groups {
            let key = Tally::encode(&Tally::decode(key, &old), &self.radices);
            let to = self.group_number(key, limits)?;
            moved.insert(from, to);
            for (table, old) in self.tables.iter_mut().zip(&old_tables) {
                table.add_group(to, old, from);
            }
        }
        for runs in self.scores.iter_mut().flatten() {
            runs.renumber(self.schema.weighted, |group| moved.get(&group).copied().unwrap_or(group));
        }
        for runs in self.targets.iter_mut().flatten() {
            runs.renumber(|group| moved.get(&group).copied().unwrap_or(group));
        }
        Ok(())
    }

    /// The key and number of every group that may have rows.
    fn groups(&self) -> Vec<(u64, usize)> {
        match &self.layout {
            Layout::Sparse(numbers) => {
                let mut groups: Vec<(u64, usize)> = numbers.iter().map(|(k, n)| (*k, *n as usize)).collect();
                groups.sort_unstable();
                groups
            }
            Layout::Dense => {
                let groups = self.tables.first().map_or(0, |t| t.rows.len() / SLOTS);
                (0..groups)
                    .filter(|g| self.tables.iter().any(|t| !t.is_group_empty(*g)))
                    .map(|g| (g as u64, g))
                    .collect()
            }
        }
    }

    pub fn group_number(&mut self, key: u64, limits: Limits) -> Result<usize> {
        let Layout::Sparse(numbers) = &mut self.layout else { return Ok(key as usize) };
        let next = numbers.len();
        if let Some(number) = numbers.get(&key) {
            return Ok(*number as usize);
        }
        if next >= limits.max_cells {
            return Err(self.schema.too_many(next as u128 + 1, limits.max_cells));
        }
        numbers.insert(key, next as u32);
        for table in &mut self.tables {
            table.grow((next + 1) * SLOTS);
        }
        Ok(next)
    }

    fn add(&mut self, batch: &Batch, limits: Limits) -> Result<()> {
        if self.is_derived() {
            // Counted with the segments.
        } else if let Some(parts) = batch.parts {
            self.add_parts(batch, parts, limits)?;
        } else {
            let layouts: Vec<Compact> = (0..self.tables.len()).map(|model| Compact::of(batch, model)).collect();
            match self.layout {
                Layout::Sparse(_) if layouts.iter().any(|l| l.slots > SHARED_SLOTS) => {
                    self.add_sparse(batch, limits)?
                }
                Layout::Sparse(_) | Layout::Dense => {
                    for (model, layout) in layouts.iter().enumerate() {
                        match layout.slots {
                            0..=SHARED_SLOTS => self.add_compact(batch, model, layout, limits)?,
                            _ => self.add_dense(batch, model, limits),
                        }
                    }
                }
            }
        }
        for (all, segments) in self.segmentations.iter_mut().zip(&batch.segmentations) {
            segments.as_axes(batch).iter().try_for_each(|pass| all.update(pass))?;
        }
        self.units += match batch.parts {
            Some(parts) => parts.iter().map(|p| u64::from(*p)).sum(),
            None => batch.rows as u64,
        };
        Ok(())
    }

    /// Whether there are only segments, whose counts hold all that is to be counted.
    pub fn is_derived(&self) -> bool {
        !self.schema.segmentations.is_empty() && self.schema.models.iter().all(|m| !m.decides() && !m.scored)
    }

    /// Counts rows in the few slots that they need, and moves what was counted to where it is kept.
    fn add_compact(&mut self, batch: &Batch, model: usize, layout: &Compact, limits: Limits) -> Result<()> {
        let strides = kernel::strides(&self.radices, 1);
        let rest = self.add_few(batch, model, layout, limits)?;
        let counted = layout.count(batch, model, &rest);
        let mut places = vec![0; counted.rows.len()];
        for from in (0..counted.rows.len()).filter(|at| counted.rows[*at] > 0) {
            let (key, slot) = layout.place(from, &strides);
            places[from] = self.group_number(key, limits)? * SLOTS + slot;
            self.tables[model].add_slot(places[from], &counted, from);
        }
        let keys = layout.keys(batch, model);
        let mut staged = [0u16; CHUNK];
        self.add_scores(batch, model, &rest, limits, |keys_of, chunk| {
            let staged = &mut staged[..keys_of.len()];
            keys.stage(staged, chunk);
            keys_of.iter_mut().zip(staged).for_each(|(key, slot)| *key = places[usize::from(*slot)] as u32);
        });
        Ok(())
    }

    /// Counts rows where they are kept.
    fn add_dense(&mut self, batch: &Batch, model: usize, limits: Limits) {
        let keys = full(batch, model, &self.radices);
        let weights = batch.weight.as_ref().map(|w| &*w.values);
        let scores = batch.models.get(model).and_then(|m| m.score.as_ref()).map(|s| &*s.values);
        let mut staged = [0u32; CHUNK];
        for chunk in chunks(Span { from: 0, to: batch.rows }) {
            let staged = &mut staged[..chunk.to - chunk.from];
            keys.stage(staged, chunk);
            let part = chunk.from..chunk.to;
            let (weights, scores) = (weights.map(|w| &w[part.clone()]), scores.map(|s| &s[part.clone()]));
            kernel::accumulate(&mut self.tables[model], staged, weights, scores);
        }
        let all = [Span { from: 0, to: batch.rows }];
        self.add_scores(batch, model, &all, limits, |staged, chunk| keys.stage(staged, chunk));
    }

    /// Keeps the scores of a model in some rows; `stage` gives the slots of a chunk.
    fn add_scores(
        &mut self,
        batch: &Batch,
        model: usize,
        rows: &[Span],
        limits: Limits,
        mut stage: impl FnMut(&mut [u32], Span),
    ) {
        let Some(runs) = &mut self.scores[model] else { return };
        let Some(scores) = batch.models.get(model).and_then(|m| m.score.as_ref()) else { return };
        let weights = batch.weight.as_ref().map(|w| &*w.values);
        let mut keys = [0u32; CHUNK];
        for chunk in rows.iter().flat_map(|span| chunks(*span)) {
            let keys = &mut keys[..chunk.to - chunk.from];
            stage(keys, chunk);
            let part = chunk.from..chunk.to;
            let of_chunk = &scores.values[part.clone()];
            let rows = scored_rows(keys, of_chunk, weights.map(|w| &w[part]));
            runs.extend(rows, weights.is_some(), limits.max_scores);
            if let Some(errors) = &mut self.targets[model] {
                add_targets(errors, keys, of_chunk, batch, chunk);
            }
        }
    }

    /// Rows of which only a part is counted.
    fn add_parts(&mut self, batch: &Batch, parts: &[u32], limits: Limits) -> Result<()> {
        let full = full(batch, 0, &self.radices);
        let mut keys = [0u64; CHUNK];
        for chunk in chunks(Span { from: 0, to: batch.rows }) {
            let keys = &mut keys[..chunk.to - chunk.from];
            full.stage(keys, chunk);
            for (row, key) in (chunk.from..chunk.to).zip(keys.iter().map(|k| k.index())) {
                if parts[row] == 0 {
                    continue;
                }
                let slot = self.group_number((key / SLOTS) as u64, limits)? * SLOTS + key % SLOTS;
                let table = &mut self.tables[0];
                table.rows[slot] += u64::from(parts[row]);
                if let (Some(weights), Some(w)) = (&mut table.weights, batch.weight.as_ref().map(|w| w.values[row])) {
                    let part = f64::from(parts[row]) / f64::from(WHOLE);
                    weights[slot][0] += part * w;
                    weights[slot][1] += part * w * w;
                }
            }
        }
        Ok(())
    }

    fn add_sparse(&mut self, batch: &Batch, limits: Limits) -> Result<()> {
        let mut levels = Keys::new();
        for (column, stride) in level_columns(batch).zip(kernel::strides(&self.radices, 1)) {
            levels.levels(column.codes(), stride, true);
        }
        let outcome = |model: usize| {
            let mut keys = Keys::new();
            keys.label(batch, DECISIONS as u64);
            keys.decision(batch.models.get(model));
            keys
        };
        let outcomes: Vec<Keys> = (0..self.tables.len()).map(outcome).collect();
        let weights = batch.weight.as_ref().map(|w| &*w.values);
        let (mut groups, mut numbers, mut keys) = ([0u64; CHUNK], [0u64; CHUNK], [0u64; CHUNK]);
        for chunk in chunks(Span { from: 0, to: batch.rows }) {
            let length = chunk.to - chunk.from;
            let groups = &mut groups[..length];
            levels.stage(groups, chunk);
            for (number, key) in numbers.iter_mut().zip(groups.iter()) {
                *number = (self.group_number(*key, limits)? * SLOTS) as u64;
            }
            for (model, outcome) in outcomes.iter().enumerate() {
                let keys = &mut keys[..length];
                outcome.stage(keys, chunk);
                keys.iter_mut().zip(&numbers).for_each(|(key, group)| *key += group);
                let scored = self.schema.models[model].scored;
                let scores = batch.models.get(model).and_then(|m| m.score.as_ref()).filter(|_| scored);
                let part = chunk.from..chunk.to;
                let (weights, scores) = (weights.map(|w| &w[part.clone()]), scores.map(|s| &s.values[part.clone()]));
                kernel::accumulate(&mut self.tables[model], keys, weights, scores);
                if let (Some(runs), Some(scores)) = (&mut self.scores[model], scores) {
                    runs.extend(scored_rows(keys, scores, weights), weights.is_some(), limits.max_scores);
                    if let Some(errors) = &mut self.targets[model] {
                        add_targets(errors, keys, scores, batch, chunk);
                    }
                }
            }
        }
        Ok(())
    }

    fn into_tally(mut self, max_scores: usize) -> Result<Tally> {
        self.settle_few(max_scores);
        let rows = self.units / u64::from(self.schema.unit);
        if self.is_derived() {
            // Each has counted every batch, of which there was one at least.
            let inner = self.segmentations.into_iter().filter_map(|all| all.finish().transpose());
            let segmentations = inner.collect::<Result<_>>()?;
            return Ok(Tally::of_segments(self.schema, rows, segmentations));
        }
        let groups = self.groups();
        let mut tables: Vec<Table> = self
            .schema
            .models
            .iter()
            .map(|m| Table::zeros(groups.len() * SLOTS, self.schema.weighted, m.scored))
            .collect();
        for (to, (_, from)) in groups.iter().enumerate() {
            for (table, full) in tables.iter_mut().zip(&self.tables) {
                table.add_group(to, full, *from);
            }
        }
        let mut numbers = vec![0; groups.iter().map(|(_, from)| from + 1).max().unwrap_or(0)];
        groups.iter().enumerate().for_each(|(to, (_, from))| numbers[*from] = to);
        let weighted = self.schema.weighted;
        let scores = self.scores.into_iter().map(|runs| {
            Some(runs?.finish(weighted, max_scores).renumbered(|group| numbers.get(group).copied().unwrap_or(0)))
        });
        let scores = scores.collect();
        let from = || groups.iter().map(|(_, from)| *from);
        let targets = self.targets.into_iter().map(|runs| Some(runs?.finish(from())));
        let targets = if self.schema.targeted { targets.collect() } else { Vec::new() };
        // Each has counted every batch, of which there was one at least.
        let inner = self.segmentations.into_iter().filter_map(|all| all.finish().transpose());
        let segmentations = inner.collect::<Result<_>>()?;
        let exact: Vec<usize> = self.schema.axes().map(|a| a.levels.len() + 1).collect();
        let groups = groups.iter().map(|(key, _)| Tally::encode(&Tally::decode(*key, &self.radices), &exact)).collect();
        Ok(Tally { schema: self.schema, rows, groups, tables, scores, targets, segmentations }.canonical())
    }
}

/// Slots with a place for missing in every column: the key of a group, its label and its decision.
pub(super) fn full<'b, 'a>(batch: &'b Batch<'a>, model: usize, radices: &[usize]) -> Keys<'b, 'a> {
    let mut keys = Keys::new();
    for (column, stride) in level_columns(batch).zip(kernel::strides(radices, SLOTS)) {
        keys.levels(column.codes(), stride, true);
    }
    keys.label(batch, DECISIONS as u64);
    keys.decision(batch.models.get(model));
    keys
}

pub(super) fn chunks(span: Span) -> impl Iterator<Item = Span> {
    (span.from..span.to).step_by(CHUNK).map(move |from| Span { from, to: (from + CHUNK).min(span.to) })
}

/// The rows of a chunk that have a score; a key is a slot of the table, `(group * 3 + label) * 4 + decision`.
fn scored_rows<'k, W: Word>(
    keys: &'k [W],
    scores: &'k [f64],
    weights: Option<&'k [f64]>,
) -> impl Iterator<Item = Scored> + 'k {
    let rows = keys.iter().zip(scores).enumerate().filter(|(_, (_, s))| !s.is_nan());
    rows.map(move |(i, (key, s))| (key_of(*s), (key.index() / DECISIONS) as u32, weights.map_or(1.0, |w| w[i])))
}

/// Adds the errors of a chunk's scores as forecasts of the target; keys as for [`scored_rows`].
fn add_targets<W: Word>(errors: &mut TargetRuns, keys: &[W], scores: &[f64], batch: &Batch, chunk: Span) {
    let Some(target) = &batch.target else { return };
    let rows = keys.iter().zip(scores).zip(chunk.from..chunk.to);
    for ((key, score), row) in rows {
        let weight = batch.weight.as_ref().map_or(1.0, |w| w.values[row]);
        errors.push(key.index() / SLOTS, target.values[row], *score, weight);
    }
}
