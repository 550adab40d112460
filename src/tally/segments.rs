//! Segmentations in a tally: counts whose further axes are the segment and, where there is one, the class.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::cells::{SLOTS, Table};
use super::margin::Parts;
use super::{Cell, DecisionRule, ModelDef, Schema, Tally};
use crate::data::parts::WHOLE;
use crate::data::{Batch, Categorical, Segments};
use crate::error::{Error, Result};
use crate::metrics::segments::{SegmentCounts, Segmentation};

/// What else is known of the rows of a segmentation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Classes {
    /// Nothing.
    None,
    /// The true class, in the column of this name.
    Truth(String),
    /// An earlier segment, in the column of this name.
    Earlier(String),
}

/// A segmentation of a tally.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentationDef {
    /// The segmentation's name.
    pub name: String,
    /// The segments from worst to best; empty where they have no order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<String>,
    /// What each segment is worth; empty where that is not said.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, f64>,
    /// What else is known of the rows.
    pub classes: Classes,
    /// Whether rows are in several segments by parts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub soft: bool,
}

impl SegmentationDef {
    pub(crate) fn of(segments: &Segments) -> Self {
        let classes = match &segments.classes {
            None => Classes::None,
            Some(column) if segments.earlier => Classes::Earlier(column.name().into()),
            Some(column) => Classes::Truth(column.name().into()),
        };
        SegmentationDef {
            name: segments.column.name().into(),
            order: segments.order.clone(),
            values: segments.values.clone(),
            classes,
            soft: segments.parts.is_some(),
        }
    }

    fn axes(&self) -> usize {
        1 + usize::from(self.classes != Classes::None)
    }

    /// Whether a tally's schema is that of this segmentation within another.
    pub(super) fn fits(&self, outer: &Schema, inner: &Schema) -> bool {
        let names = |axes: &[super::Axis]| axes.iter().map(|a| a.name.clone()).collect::<Vec<_>>();
        let strata = names(&inner.strata);
        names(&outer.attributes) == names(&inner.attributes)
            && strata.len() == outer.strata.len() + self.axes()
            && strata.starts_with(&names(&outer.strata))
            && inner.labelled == outer.labelled
            && inner.weighted == outer.weighted
            && inner.unit == if self.soft { WHOLE } else { 1 }
            && inner.segmentations.is_empty()
    }
}

impl<'a> Segments<'a> {
    /// The batch with the classes and segments as further strata, and nothing decided. Where rows are in segments by
    /// parts, the batch once for each segment.
    pub(super) fn as_axes<'b>(&'b self, batch: &'b Batch<'a>) -> Vec<Batch<'b>> {
        let axis = self.column.as_axis("segment");
        match &self.parts {
            None => vec![self.with_axis(batch, axis, None)],
            Some(all) => {
                let passes = all.passes(self.column.levels().len());
                passes.map(|(codes, parts)| self.with_axis(batch, axis.with_codes(codes), Some(parts))).collect()
            }
        }
    }

    fn with_axis<'b>(&'b self, batch: &'b Batch<'a>, axis: Categorical<'b>, parts: Option<&'b [u32]>) -> Batch<'b> {
        let further = [self.classes.as_ref().map(|c| c.as_axis("class")), Some(axis)];
        Batch {
            parts,
            rows: batch.rows,
            attributes: batch.attributes.iter().map(|c| c.borrowed()).collect(),
            strata: batch.strata.iter().map(|c| c.borrowed()).chain(further.into_iter().flatten()).collect(),
            label: batch.label.as_ref().map(|l| l.borrowed()),
            models: Vec::new(),
            segmentations: Vec::new(),
            weight: batch.weight.as_ref().map(|w| w.borrowed()),
            target: None,
        }
    }
}

/// A segmentation with its segments in order and their classes under the same names.
#[derive(Debug, Clone)]
pub(crate) struct Segmented {
    pub of: Segmentation,
    /// The place of each segment digit of the tally, 1 the first.
    segments: Vec<usize>,
    /// The place of each class digit of the tally.
    classes: Vec<usize>,
}

impl Tally {
    /// A segmentation's segments, classes and values.
    ///
    /// # Errors
    /// [`Error::Unknown`] for an order or values that leave a segment out.
    pub(crate) fn segmented(&self, number: usize) -> Result<Segmented> {
        let (def, inner) = (&self.schema.segmentations[number], &self.segmentations[number]);
        let [.., column] = inner.schema.strata.as_slice() else { return Err(self.no_segments(number)) };
        let class_levels: &[String] = match def.classes {
            Classes::None => &[],
            _ => inner.schema.strata.iter().rev().nth(1).map_or(&[], |axis| axis.levels.as_slice()),
        };
        let mut names = def.order.clone();
        if names.is_empty() {
            names = column.levels.iter().chain(class_levels).cloned().collect();
            let (order, _) = crate::data::sorted_order(&names);
            names = order.into_iter().map(|i| names[i].clone()).collect();
            names.dedup();
        }
        let place = |level: &String, what: &str| {
            names.iter().position(|n| n == level).ok_or_else(|| {
                let context = format!(" in the {what} of `{}`, which must name all of them", def.name);
                Error::unknown("segment", level, context, names.iter().map(String::as_str))
            })
        };
        let segments = column.levels.iter().map(|l| place(l, "order")).collect::<Result<_>>()?;
        let classes = class_levels.iter().map(|l| place(l, "order")).collect::<Result<_>>()?;
        let values = (!def.values.is_empty()).then(|| {
            let value = |name: &String| {
                def.values.get(name).copied().ok_or_else(|| {
                    let context = format!(" in the values of `{}`, which must name all of them", def.name);
                    Error::unknown("segment", name, context, def.values.keys().map(String::as_str))
                })
            };
            names.iter().map(value).collect::<Result<Vec<f64>>>()
        });
        let of = Segmentation {
            classes: if class_levels.is_empty() { Vec::new() } else { names.clone() },
            ordered: !def.order.is_empty(),
            values: values.transpose()?,
            earlier: matches!(def.classes, Classes::Earlier(_)),
            segments: names,
        };
        Ok(Segmented { of, segments, classes })
    }

    /// A tally that only has segmentations: its groups are those of the first, whatever the segment.
    pub(super) fn of_segments(schema: Schema, rows: u64, segmentations: Vec<Tally>) -> Self {
        let mut tally = Tally {
            schema,
            rows,
            groups: Vec::new(),
            tables: Vec::new(),
            scores: vec![None],
            targets: Vec::new(),
            segmentations,
        };
        let mut table = Table::zeros(0, tally.schema.weighted, false);
        if let Some(inner) = tally.segmentations.first() {
            let (attributes, strata) = (tally.schema.attributes.len(), tally.schema.strata.len());
            tally.schema.attributes.clone_from(&inner.schema.attributes);
            tally.schema.strata = inner.schema.strata[..strata].to_vec();
            let (radices, kept) = (inner.schema.radices(), attributes + strata);
            // The leading digits of rising keys rise too.
            for (from, key) in inner.groups.iter().enumerate() {
                let key = Tally::encode(&Tally::decode(*key, &radices)[..kept], &radices[..kept]);
                if tally.groups.last() != Some(&key) {
                    tally.groups.push(key);
                    table.grow(tally.groups.len() * SLOTS);
                }
                table.add_group(tally.groups.len() - 1, &inner.tables[0], from);
            }
            // All parts of a row are in one group, so that its sum is whole.
            table.rows.iter_mut().for_each(|rows| *rows /= u64::from(inner.schema.unit));
        }
        tally.tables.push(table);
        tally
    }

    fn no_segments(&self, number: usize) -> Error {
        Error::Mismatch { problem: format!("`{}` has no segments", self.schema.segmentations[number].name) }
    }

    /// The segment counts of every part that groups are shared out to.
    pub(crate) fn segment_counts(&self, number: usize, of: &Segmented, parts: &Parts) -> Vec<SegmentCounts> {
        let k = of.of.segments.len();
        let classes = of.of.classes.len();
        let cells = vec![Cell::default(); k * classes.max(1)];
        let mut all = vec![SegmentCounts { segments: k, cells, unassigned: Cell::default() }; parts.len()];
        self.segmentations[number].for_each(0, |digits, _, counts| {
            let Some(part) = parts.of(digits) else { return };
            let cell = counts.total();
            let segment = digits.last().and_then(|d| d.checked_sub(1)).map(|d| of.segments[d]);
            let class = match classes {
                0 => Some(0),
                _ => digits[digits.len() - 2].checked_sub(1).map(|d| of.classes[d]),
            };
            match (class, segment) {
                (Some(class), Some(segment)) => all[part].cells[class * k + segment].add(&cell, 1.0),
                _ => all[part].unassigned.add(&cell, 1.0),
            }
        });
        all
    }

    /// Every segment as a targeting decision of its own: in it or not. Without a label, a true class is one.
    pub(crate) fn one_vs_rest(&self, number: usize, of: &Segmented) -> Tally {
        let (def, inner) = (&self.schema.segmentations[number], &self.segmentations[number]);
        let truth = !self.schema.labelled && matches!(def.classes, Classes::Truth(_));
        let models = of.of.segments.iter().map(|segment| ModelDef {
            name: format!("{} = {segment}", def.name),
            rule: DecisionRule::Given,
            scored: false,
            same_scores_as: None,
        });
        let schema = Schema {
            labelled: self.schema.labelled || truth,
            models: models.collect(),
            segmentations: Vec::new(),
            targeted: false,
            unit: inner.schema.unit,
            ..self.schema.clone()
        };
        let (radices, kept) = (inner.schema.radices(), schema.attributes.len() + schema.strata.len());
        let outer = schema.radices();
        let mut tables = vec![Table::zeros(self.groups.len() * SLOTS, schema.weighted, false); schema.models.len()];
        for (from, key) in inner.groups.iter().enumerate() {
            let digits = Tally::decode(*key, &radices);
            let key = Tally::encode(&self.digits_of(&inner.schema, &digits[..kept]), &outer);
            let Ok(to) = self.groups.binary_search(&key) else { continue };
            let segment = digits.last().and_then(|d| d.checked_sub(1)).map(|d| of.segments[d]);
            let class = (kept + 1 < digits.len()).then(|| digits[kept].checked_sub(1).map(|d| of.classes[d])).flatten();
            for (this, table) in tables.iter_mut().enumerate() {
                let decision = segment.map_or(2, |s| usize::from(s == this));
                let label = truth.then(|| class.map_or(2, |c| usize::from(c == this)));
                table.add_decided(to, &inner.tables[0], from, label, decision);
            }
        }
        let scores = vec![None; schema.models.len()];
        let (groups, targets) = (self.groups.clone(), Vec::new());
        Tally { schema, rows: self.rows, groups, tables, scores, targets, segmentations: Vec::new() }
    }

    /// Digits of another schema with the same axes in this one's.
    fn digits_of(&self, other: &Schema, digits: &[usize]) -> Vec<usize> {
        let one = |((mine, theirs), digit): ((&super::Axis, &super::Axis), &usize)| match digit {
            0 => 0,
            _ if mine.levels == theirs.levels => *digit,
            d => mine.levels.iter().position(|l| *l == theirs.levels[d - 1]).map_or(0, |at| at + 1),
        };
        self.schema.axes().zip(other.axes()).zip(digits).map(one).collect()
    }
}

impl Table {
    /// Adds a group that nothing was decided about to one of which `decision` holds, under its own labels or one.
    fn add_decided(&mut self, to: usize, other: &Table, from: usize, label: Option<usize>, decision: usize) {
        for own in 0..3 {
            let slot = from * SLOTS + own * super::cells::DECISIONS + 2;
            let place = to * SLOTS + label.unwrap_or(own) * super::cells::DECISIONS + decision;
            self.rows[place] += other.rows[slot];
            if let (Some(mine), Some(theirs)) = (&mut self.weights, &other.weights) {
                mine[place][0] += theirs[slot][0];
                mine[place][1] += theirs[slot][1];
            }
        }
    }
}
