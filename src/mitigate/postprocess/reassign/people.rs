//! The people of a batch by group and segment, and what a flow assigns.

use crate::data::{Batch, Segments};
use crate::mitigate::flow::{Problem, Range, Unmet};
use crate::mitigate::groups::{Groups, MISSING};
use crate::{Error, Place, Result};

/// Who is in which group and segment.
pub(super) struct People {
    pub groups: Groups,
    pub name: String,
    pub levels: Vec<String>,
    pub of_row: Vec<Option<u32>>,
    /// Rows of each cell, group by group.
    pub counts: Vec<u64>,
}

impl People {
    pub fn of(batch: &Batch, attributes: &[String], name: Option<&str>) -> Result<Self> {
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

    pub fn segments(&self) -> usize {
        self.levels.len()
    }

    /// The rows of known group and segment, with their cell.
    pub fn known(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let rows = self.groups.of_row.iter().zip(&self.of_row).enumerate();
        rows.filter_map(|(row, (group, segment))| {
            let segment = (*segment)? as usize;
            (*group != MISSING).then(|| (row, *group as usize * self.levels.len() + segment))
        })
    }

    pub fn of_group(&self, group: usize) -> u64 {
        self.counts[group * self.segments()..(group + 1) * self.segments()].iter().sum()
    }

    pub fn sizes(&self) -> Vec<u64> {
        let size = |segment: usize| self.counts.iter().skip(segment).step_by(self.segments()).sum();
        (0..self.segments()).map(size).collect()
    }

    pub fn fault(&self, unmet: Unmet) -> String {
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
pub(super) struct Items {
    pub groups: Vec<u32>,
    pub units: Option<Vec<u32>>,
    pub costs: Vec<f64>,
}

impl Items {
    /// A cell's people as one item, for whom staying costs nothing and any move 1.
    pub fn by_cell(people: &People) -> Self {
        let count = people.segments();
        let cells = 0..people.counts.len();
        Items {
            groups: cells.clone().map(|cell| (cell / count) as u32).collect(),
            units: Some(people.counts.iter().map(|n| *n as u32).collect()),
            costs: cells.flat_map(|cell| (0..count).map(move |s| f64::from(u8::from(s != cell % count)))).collect(),
        }
    }

    /// How many units are in each segment.
    pub fn sizes(&self, units: &[u32], segments: usize) -> Vec<u64> {
        let size = |s: usize| units.iter().skip(s).step_by(segments).map(|n| u64::from(*n)).sum();
        (0..segments).map(size).collect()
    }

    pub fn cost(&self, units: &[u32]) -> f64 {
        units.iter().zip(&self.costs).map(|(n, cost)| f64::from(*n) * cost).sum()
    }

    pub fn problem<'a>(&'a self, people: &People, cells: &'a [Range], sizes: &'a [Range]) -> Problem<'a> {
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
