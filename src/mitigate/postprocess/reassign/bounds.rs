//! What bounds mean in whole persons, and which is the smallest that can be kept.

use super::people::{Items, People};
use super::{Bound, Reassign, Sizes};
use crate::mitigate::flow::{Range, Unmet, assign};
use crate::{Error, Result};

/// What rounding may take from a bound on whole persons.
const ROUNDING: f64 = 1e-9;

impl Reassign {
    /// How many of each group may be in each segment, where segments have so many.
    pub(super) fn cells(&self, people: &People, bound: &Bound, sizes: &[u64]) -> Result<Vec<Range>> {
        let count = people.segments();
        let whole: u64 = sizes.iter().sum();
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
        Ok(limits.into_iter().map(persons).collect())
    }

    /// How many each segment may have.
    fn allowed(&self, sizes: &[u64]) -> Result<Vec<Range>> {
        let slack = match self.sizes {
            Sizes::Kept => 0.0,
            Sizes::Within(slack) if (0.0..=1.0).contains(&slack) => slack,
            Sizes::Within(slack) => return Err(Error::setting("the slack of sizes", slack, "a number from 0 to 1")),
            Sizes::Free => return Ok(vec![(0, sizes.iter().sum()); sizes.len()]),
        };
        let size = |size: &u64| {
            let by = (*size as f64 * slack + ROUNDING).floor() as u64;
            (size - by, size + by)
        };
        Ok(sizes.iter().map(size).collect())
    }

    /// The cheapest units of each item in each segment that keep a bound.
    ///
    /// Bounds on shares of sizes that are not known yet are no flow. Where sizes may change, a flow with bounds around the
    /// shares before finds good ones, and a second one is for these sizes.
    pub(super) fn solve(&self, people: &People, items: &Items, bound: &Bound) -> Result<Result<Vec<u32>, Unmet>> {
        let before = people.sizes();
        let exact = |sizes: &[u64]| sizes.iter().map(|size| (*size, *size)).collect::<Vec<Range>>();
        let cells = self.cells(people, bound, &before)?;
        let first = match assign(&items.problem(people, &cells, &self.allowed(&before)?)) {
            Ok(units) => units,
            // Sizes as they are would be allowed too.
            Err(unmet) => return Ok(Err(unmet)),
        };
        let after = items.sizes(&first, people.segments());
        if after == before {
            return Ok(Ok(first));
        }
        let moved = assign(&items.problem(people, &self.cells(people, bound, &after)?, &exact(&after)));
        if let Ok(units) = &moved
            && items.cost(units) <= items.cost(&first)
        {
            return Ok(moved);
        }
        let kept = assign(&items.problem(people, &cells, &exact(&before)));
        Ok(match (moved, kept) {
            (Ok(moved), Ok(kept)) => Ok(if items.cost(&moved) <= items.cost(&kept) { moved } else { kept }),
            (Ok(moved), Err(_)) => Ok(moved),
            (Err(_), kept) => kept,
        })
    }

    /// What stands against a bound, and the smallest that can be kept, found by halving.
    pub(super) fn infeasible(&self, people: &People, unmet: Unmet) -> Error {
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
        let kept = |value: f64| matches!(self.solve(people, &items, &of(value)), Ok(Ok(_)));
        let (mut low, mut high) = (given, 1.0 - 1e-12);
        if !kept(high) {
            let remedy = "no such bound can be kept: let segments change their sizes".into();
            return Error::Infeasible { asked, problem: people.fault(unmet), remedy };
        }
        let mut fault = unmet;
        while high - low > 1e-7 {
            let middle = 0.5 * (low + high);
            match self.solve(people, &items, &of(middle)) {
                Ok(Ok(_)) => high = middle,
                Ok(Err(unmet)) => (low, fault) = (middle, unmet),
                Err(_) => break,
            }
        }
        let smallest = (high * 1e6).ceil() / 1e6;
        let remedy = format!("the smallest that can is {smallest}, or let it be kept to the nearest whole person");
        Error::Infeasible { asked, problem: people.fault(fault), remedy }
    }
}
