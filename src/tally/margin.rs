//! Margins of a tally: the groups of one attribute or of an intersection, whole and by stratum.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::{Counts, Tally};
use crate::metrics::scores::{ErrorSums, ScoredGroup};

/// One group's cells.
#[derive(Debug, Clone, Default)]
pub(crate) struct Group {
    /// The level of each attribute of the margin.
    pub levels: Vec<usize>,
    pub whole: Counts,
    /// By stratum number; rows whose stratum is missing are in no stratum.
    pub strata: BTreeMap<u64, Counts>,
}

/// How the groups of a tally are shared out to the parts of a slice; by their digits, 0 for missing, level + 1.
pub(crate) struct Parts<'a> {
    count: usize,
    of: PartOf<'a>,
}

/// The part that a group belongs to, by its digits.
type PartOf<'a> = Box<dyn Fn(&[usize]) -> Option<usize> + Sync + 'a>;

impl<'a> Parts<'a> {
    pub fn new(count: usize, of: impl Fn(&[usize]) -> Option<usize> + Sync + 'a) -> Self {
        Parts { count, of: Box::new(of) }
    }

    /// All rows as one part.
    pub fn whole() -> Self {
        Parts::new(1, |_| Some(0))
    }

    pub fn len(&self) -> usize {
        self.count
    }

    pub fn of(&self, digits: &[usize]) -> Option<usize> {
        (self.of)(digits)
    }
}

/// The groups of a margin.
#[derive(Debug, Clone)]
pub(crate) struct Margin {
    /// Those whose levels are all known, in the order of their levels.
    pub groups: Vec<Group>,
    /// The rows with a level missing.
    pub missing: Group,
}

impl Tally {
    /// The groups of the attributes given by number, for one model.
    pub(crate) fn margin(&self, model: usize, attributes: &[usize]) -> Margin {
        let mut numbers: FxHashMap<Vec<usize>, usize> = FxHashMap::default();
        let mut margin = Margin { groups: Vec::new(), missing: Group::default() };
        self.for_each(model, |digits, stratum, counts| {
            let group = if attributes.iter().any(|a| digits[*a] == 0) {
                &mut margin.missing
            } else {
                let levels: Vec<usize> = attributes.iter().map(|a| digits[*a] - 1).collect();
                let next = margin.groups.len();
                let number = *numbers.entry(levels).or_insert_with_key(|levels| {
                    margin.groups.push(Group { levels: levels.clone(), ..Group::default() });
                    next
                });
                &mut margin.groups[number]
            };
            group.add(stratum, counts);
        });
        margin.groups.sort_by(|a, b| a.levels.cmp(&b.levels));
        margin
    }

    /// The rows in a named group, outside it, and those of which it is not known.
    pub(crate) fn split(&self, model: usize, member: impl Fn(&[usize]) -> Option<bool>) -> [Group; 3] {
        let mut parts: [Group; 3] = Default::default();
        self.for_each(model, |digits, stratum, counts| {
            let part = match member(digits) {
                Some(true) => 0,
                Some(false) => 1,
                None => 2,
            };
            parts[part].add(stratum, counts);
        });
        parts
    }

    /// All rows.
    pub(crate) fn whole(&self, model: usize) -> Group {
        let mut group = Group::default();
        self.for_each(model, |_, stratum, counts| group.add(stratum, counts));
        group
    }

    /// Calls with the digits (0 missing, level + 1), the stratum number, if known, and the cells of
    /// every occupied group.
    pub(super) fn for_each(&self, model: usize, mut visit: impl FnMut(&[usize], Option<u64>, &Counts)) {
        let radices = self.schema.radices();
        let attributes = self.schema.attributes.len();
        let edge = self.schema.models[model].edge();
        for (at, key) in self.groups.iter().enumerate() {
            let digits = Self::decode(*key, &radices);
            let strata = &digits[attributes..];
            let known = !strata.is_empty() && strata.iter().all(|d| *d > 0);
            let stratum = known.then(|| Self::encode(strata, &radices[attributes..]));
            let mut counts = self.tables[model].counts(at, edge);
            if self.schema.unit != 1 {
                counts.in_rows(self.schema.unit, self.schema.weighted);
            }
            visit(&digits, stratum, &counts);
        }
    }

    /// The scored rows of every part, for a model with scores.
    pub(crate) fn scored(&self, model: usize, parts: &Parts) -> Option<Vec<ScoredGroup>> {
        let keeper = self.schema.models[model].same_scores_as.unwrap_or(model);
        let table = self.scores.get(keeper)?.as_ref()?;
        let radices = self.schema.radices();
        let part = |key: &u64| parts.of(&Self::decode(*key, &radices)).map(|p| p as u32);
        let part_of: Vec<Option<u32>> = self.groups.iter().map(part).collect();
        Some(table.by_part(parts.len(), &part_of))
    }

    /// The errors of every part's scores as forecasts of the target; `None` where there is none.
    pub(crate) fn errors(&self, model: usize, parts: &Parts) -> Option<Vec<ErrorSums>> {
        let keeper = self.schema.models[model].same_scores_as.unwrap_or(model);
        let sums = self.targets.get(keeper)?.as_ref()?;
        let radices = self.schema.radices();
        let part = |key: &u64| parts.of(&Self::decode(*key, &radices));
        let placed = self.groups.iter().zip(sums).filter_map(|(key, sums)| Some((part(key)?, sums)));
        Some(super::targets::moved(parts.len(), placed))
    }

    /// By what part of itself a model's score may have been made smaller, where there were too many to keep as they are.
    pub(crate) fn scores_lost(&self, model: usize) -> Option<f64> {
        let keeper = self.schema.models[model].same_scores_as.unwrap_or(model);
        let bits = self.scores.get(keeper)?.as_ref()?.bits;
        (bits > 0).then(|| 2f64.powi(bits as i32 - super::scores::MOST_BITS as i32))
    }

    /// Whether all of a model's scores are in [0, 1].
    pub(crate) fn scores_are_probabilities(&self, model: usize) -> bool {
        let keeper = self.schema.models[model].same_scores_as.unwrap_or(model);
        let scores = self.scores.get(keeper).and_then(Option::as_ref).map_or(&[][..], |t| &t.scores);
        scores.first().zip(scores.last()).is_some_and(|(least, most)| *least >= 0.0 && *most <= 1.0)
    }

    /// The name of a stratum by its number.
    pub(crate) fn stratum_name(&self, number: u64) -> String {
        let radices: Vec<usize> = self.schema.strata.iter().map(|a| a.levels.len() + 1).collect();
        let digits = Self::decode(number, &radices);
        let levels = self.schema.strata.iter().zip(digits).map(|(axis, d)| match d {
            0 => "missing",
            d => axis.levels[d - 1].as_str(),
        });
        levels.collect::<Vec<_>>().join(" & ")
    }
}

impl Group {
    fn add(&mut self, stratum: Option<u64>, counts: &Counts) {
        self.whole.add(counts);
        if let Some(stratum) = stratum {
            self.strata.entry(stratum).or_default().add(counts);
        }
    }
}

impl Tally {
    /// The rows whose level is missing on an axis, attributes first, then strata.
    pub(crate) fn missing_rows(&self, axis: usize) -> u64 {
        let radices = self.schema.radices();
        let missing = self.groups.iter().enumerate().filter(|(_, key)| Self::decode(**key, &radices)[axis] == 0);
        // Every model counts every row; the first will do.
        missing.map(|(at, _)| self.tables[0].group_rows(at)).sum()
    }
}
