//! How many rows each cell of group and label is to have.

use serde::{Deserialize, Serialize};

use super::cells::{Cells, cell_name};
use crate::{Error, Result};

/// How many rows each cell of group and label is to have. Rows are counted, whatever weights they carry.
///
/// A method that only adds rows (all but [`undersample`](super::Augment::undersample) and
/// [`resample`](super::Augment::resample)) reaches a target by the fewest new rows, one that only removes by the fewest
/// removed; `resample` does both and keeps the total.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Target {
    /// Every cell as large as the largest (where rows are added), the smallest (removed) or their mean (both).
    #[default]
    EqualCells,
    /// Every group has the label rate that all rows together have.
    EqualRates,
    /// Every group has this rate of favourable labels, in (0, 1).
    Rate(f64),
    /// These cells have exactly so many rows, the others those that they have: levels, whether the label is favourable,
    /// rows.
    Counts(Vec<(Vec<String>, bool, usize)>),
    /// Every cell has this share of the rows, to the nearest row: levels, whether the label is favourable, share. All
    /// cells with rows are named, shares sum to 1.
    Shares(Vec<(Vec<String>, bool, f64)>),
    /// Every group has this share of the rows, as the audience has, and keeps its label rate, to the nearest row of each
    /// cell. All groups are named, shares sum to 1.
    GroupShares(Vec<(Vec<String>, f64)>),
}

impl Target {
    /// Exact counts of some cells: the group's levels, whether the label is favourable, rows.
    pub fn counts<L, S>(cells: impl IntoIterator<Item = (L, bool, usize)>) -> Self
    where
        L: IntoIterator<Item = S>,
        S: Into<String>,
    {
        Target::Counts(cells.into_iter().map(|(levels, label, rows)| (names(levels), label, rows)).collect())
    }

    /// Shares of all cells: the group's levels, whether the label is favourable, share.
    pub fn shares<L, S>(cells: impl IntoIterator<Item = (L, bool, f64)>) -> Self
    where
        L: IntoIterator<Item = S>,
        S: Into<String>,
    {
        Target::Shares(cells.into_iter().map(|(levels, label, share)| (names(levels), label, share)).collect())
    }

    /// Shares of all groups: the group's levels, share.
    pub fn group_shares<L, S>(groups: impl IntoIterator<Item = (L, f64)>) -> Self
    where
        L: IntoIterator<Item = S>,
        S: Into<String>,
    {
        Target::GroupShares(groups.into_iter().map(|(levels, share)| (names(levels), share)).collect())
    }
}

fn names<S: Into<String>>(levels: impl IntoIterator<Item = S>) -> Vec<String> {
    levels.into_iter().map(Into::into).collect()
}

/// What a method can do to a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Grow,
    Shrink,
    Both,
}

/// The most rows that a target may ask for; row numbers are 32 bits wide.
const MOST: f64 = 2e9;

/// The rows that each cell is to have.
pub(super) fn wanted(target: &Target, cells: &Cells, direction: Direction) -> Result<Vec<usize>> {
    let have: Vec<usize> = cells.rows.iter().map(Vec::len).collect();
    let wanted = match target {
        Target::EqualCells => equal_cells(&have, cells, direction)?,
        Target::EqualRates => {
            let favorable: usize = have.iter().skip(1).step_by(2).sum();
            let rate = favorable as f64 / have.iter().sum::<usize>() as f64;
            // Where all labels are alike, so are the rates.
            if rate > 0.0 && rate < 1.0 { equal_rates(&have, rate, direction) } else { have.clone() }
        }
        Target::Rate(rate) if *rate > 0.0 && *rate < 1.0 => equal_rates(&have, *rate, direction),
        Target::Rate(rate) => return Err(Error::setting("the target rate", rate, "more than 0 and less than 1")),
        Target::Counts(counts) => {
            let mut wanted = have.clone();
            let mut seen = vec![false; have.len()];
            for (levels, favorable, rows) in counts {
                let cell = find(cells, levels, Some(*favorable), &mut seen)?;
                wanted[cell] = *rows;
            }
            wanted
        }
        Target::Shares(shares) => {
            let mut of_cell = vec![0.0; have.len()];
            let mut seen = vec![false; have.len()];
            for (levels, favorable, share) in shares {
                of_cell[find(cells, levels, Some(*favorable), &mut seen)?] = *share;
            }
            if let Some(cell) = (0..have.len()).find(|cell| !seen[*cell] && have[*cell] > 0) {
                return Err(Error::setting("the target share of a cell", "missing", named(cells, cell)));
            }
            check_shares(shares.iter().map(|s| s.2))?;
            if let Some(cell) = (0..have.len()).find(|cell| of_cell[*cell] > 0.0 && have[*cell] == 0) {
                return Err(no_row(cells, cell, &format!("a share of {}", of_cell[cell])));
            }
            by_shares(&have, &of_cell, direction)
        }
        Target::GroupShares(shares) => {
            let mut of_group = vec![0.0; cells.groups.len()];
            let mut seen = vec![false; have.len()];
            for (levels, share) in shares {
                of_group[find(cells, levels, None, &mut seen)? / 2] = *share;
            }
            if let Some(group) = (0..of_group.len()).find(|group| !seen[2 * group]) {
                return Err(Error::setting("the target share of a group", "missing", named(cells, 2 * group)));
            }
            check_shares(shares.iter().map(|s| s.1))?;
            let rows = |group: usize| have[2 * group] + have[2 * group + 1];
            if let Some(group) = (0..of_group.len()).find(|group| of_group[*group] > 0.0 && rows(*group) == 0) {
                return Err(no_row(cells, 2 * group, &format!("a share of {}", of_group[group])));
            }
            let share = |cell: usize| {
                let group = rows(cell / 2) as f64;
                if group > 0.0 { of_group[cell / 2] * have[cell] as f64 / group } else { 0.0 }
            };
            by_shares(&have, &(0..have.len()).map(share).collect::<Vec<_>>(), direction)
        }
    };
    check(target, &have, &wanted, cells, direction)?;
    Ok(wanted)
}

fn named(cells: &Cells, cell: usize) -> String {
    format!("one for `{}` too", cells.name(cell))
}

/// The cell of these levels (of a group: its first), named once.
fn find(cells: &Cells, levels: &[String], favorable: Option<bool>, seen: &mut [bool]) -> Result<usize> {
    let group = cells.groups.levels.iter().position(|own| own == levels).ok_or_else(|| {
        let known: Vec<String> = (0..cells.groups.len()).map(|g| cells.groups.name(g)).collect();
        Error::unknown("group", &levels.join(" & "), " in the target", known.iter().map(String::as_str))
    })?;
    let cell = 2 * group + usize::from(favorable.unwrap_or(false));
    if std::mem::replace(&mut seen[cell], true) {
        let name = favorable.map_or(levels.join(" & "), |favorable| cell_name(levels, favorable));
        return Err(Error::Duplicate { name });
    }
    Ok(cell)
}

fn check_shares(shares: impl Iterator<Item = f64>) -> Result<()> {
    let mut sum = 0.0;
    for share in shares {
        if !(0.0..=1.0).contains(&share) {
            return Err(Error::setting("a target share", share, "a number from 0 to 1"));
        }
        sum += share;
    }
    if (sum - 1.0).abs() > 1e-6 {
        return Err(Error::setting("the sum of the target shares", sum, "to be 1"));
    }
    Ok(())
}

fn equal_cells(have: &[usize], cells: &Cells, direction: Direction) -> Result<Vec<usize>> {
    // A label that nobody has is no cell to fill.
    let label_met = [0, 1].map(|label| have.iter().skip(label).step_by(2).any(|rows| *rows > 0));
    let cells_met: Vec<usize> = (0..have.len()).filter(|cell| label_met[cell % 2]).collect();
    if let Some(empty) = cells_met.iter().find(|cell| have[**cell] == 0) {
        return Err(no_row(cells, *empty, "as many rows as the other cells"));
    }
    let counts = cells_met.iter().map(|cell| have[*cell]);
    let rows = match direction {
        Direction::Grow => counts.max().unwrap_or(0),
        Direction::Shrink => counts.min().unwrap_or(0),
        Direction::Both => (counts.sum::<usize>() as f64 / cells_met.len() as f64).round() as usize,
    };
    Ok((0..have.len()).map(|cell| if have[cell] > 0 { rows } else { 0 }).collect())
}

fn equal_rates(have: &[usize], rate: f64, direction: Direction) -> Vec<usize> {
    let odds = rate / (1.0 - rate);
    let nearest = |rows: f64| rows.round().min(MOST) as usize;
    let of_group = |pair: &[usize]| {
        let (none, some) = (pair[0], pair[1]);
        let (low, total) = ((some as f64) < rate * (none + some) as f64, none + some);
        let (to_none, to_some) = (nearest(some as f64 / odds), nearest(none as f64 * odds));
        match direction {
            Direction::Grow if low => [none, to_some.max(some)],
            Direction::Grow => [to_none.max(none), some],
            Direction::Shrink if low => [to_none.min(none), some],
            Direction::Shrink => [none, to_some.min(some)],
            Direction::Both => {
                let some = nearest(rate * total as f64).min(total);
                [total - some, some]
            }
        }
    };
    have.chunks_exact(2).flat_map(of_group).collect()
}

/// The least total at which no cell shrinks, the largest at which none grows, or the total there is.
fn by_shares(have: &[usize], shares: &[f64], direction: Direction) -> Vec<usize> {
    let totals = have.iter().zip(shares).filter(|(_, share)| **share > 0.0).map(|(rows, share)| *rows as f64 / share);
    let total = match direction {
        Direction::Grow => totals.fold(0.0, f64::max),
        Direction::Shrink => totals.fold(f64::INFINITY, f64::min),
        Direction::Both => have.iter().sum::<usize>() as f64,
    };
    let at = |(rows, share): (&usize, &f64)| {
        // A cell that is to stay as it is must not move by rounding.
        let target = (total * share).round().min(MOST) as usize;
        if (total * share - *rows as f64).abs() < 0.5 { *rows } else { target }
    };
    have.iter().zip(shares).map(at).collect()
}

/// That a method can do what is wanted.
fn check(target: &Target, have: &[usize], wanted: &[usize], cells: &Cells, direction: Direction) -> Result<()> {
    for (cell, (have, wanted)) in have.iter().zip(wanted).enumerate() {
        let refuse = |expected: String| {
            Err(Error::setting(&format!("the target number of rows of `{}`", cells.name(cell)), wanted, expected))
        };
        if *have == 0 && *wanted > 0 {
            return Err(no_row(cells, cell, &format!("{wanted} rows")));
        }
        if *wanted as f64 >= MOST {
            return refuse("at most 2,000,000,000".into());
        }
        if direction == Direction::Grow && wanted < have {
            return refuse(format!("at least its {have} rows, since this method only adds; resample instead"));
        }
        if direction == Direction::Shrink && wanted > have {
            return refuse(format!("at most its {have} rows, since this method only removes; resample instead"));
        }
        if *wanted == 0 && *have > 0 && matches!(target, Target::EqualRates | Target::Rate(_)) {
            return refuse(
                "at least one row: its group has too few rows to have that label rate; add rows instead".into(),
            );
        }
    }
    Ok(())
}

fn no_row(cells: &Cells, cell: usize, wanted: &str) -> Error {
    Error::setting(
        &format!("the number of rows of `{}`", cells.name(cell)),
        0,
        format!(
            "at least one to reach its target of {wanted}; merge the group with another, leave it out, or collect rows"
        ),
    )
}
