//! Errors of scores as forecasts of a number, by group.

use crate::metrics::scores::ErrorSums;

/// The sums of each group so far.
#[derive(Debug, Default)]
pub(super) struct TargetRuns {
    /// The place of each group's sums among them, by its number; [`NONE`] for a group without rows.
    places: Vec<u32>,
    sums: Vec<ErrorSums>,
}

const NONE: u32 = u32::MAX;

impl TargetRuns {
    /// Adds a row of a group. One without a target or a score counts as missing.
    pub fn push(&mut self, group: usize, target: f64, score: f64, weight: f64) {
        if self.places.len() <= group {
            self.places.resize(group + 1, NONE);
        }
        let place = &mut self.places[group];
        if *place == NONE {
            *place = self.sums.len() as u32;
            self.sums.push(ErrorSums::default());
        }
        self.sums[*place as usize].push(target, score, weight);
    }

    /// Gives the groups other numbers.
    pub fn renumber(&mut self, number: impl Fn(usize) -> usize) {
        let old = std::mem::take(&mut self.places);
        for (group, place) in old.into_iter().enumerate().filter(|(_, place)| *place != NONE) {
            let to = number(group);
            if self.places.len() <= to {
                self.places.resize(to + 1, NONE);
            }
            self.places[to] = place;
        }
    }

    /// The sums of these groups, in their order.
    pub fn finish(mut self, groups: impl Iterator<Item = usize>) -> Vec<ErrorSums> {
        let mut take = |group: usize| match self.places.get(group) {
            None | Some(&NONE) => ErrorSums::default(),
            Some(place) => std::mem::take(&mut self.sums[*place as usize]),
        };
        groups.map(&mut take).collect()
    }
}

/// The sums of groups of which some are brought to other places, added up.
pub(super) fn moved<'s>(count: usize, sums: impl Iterator<Item = (usize, &'s ErrorSums)>) -> Vec<ErrorSums> {
    let mut all = vec![ErrorSums::default(); count];
    sums.for_each(|(to, sums)| all[to].merge(sums));
    all
}
