//! Which rows are held out: stratified by group and label, from a seed.

use rand::seq::SliceRandom;

use crate::inference::rng::stream;
use crate::{Error, Result};

/// The rows of each combination of group and label.
pub(super) struct Strata {
    rows: usize,
    strata: Vec<Vec<usize>>,
}

impl Strata {
    /// Rows by group (any number from `groups` on is one more group) and label.
    pub fn of(group: &[u32], labels: &[bool], groups: usize) -> Self {
        let mut strata = vec![Vec::new(); 2 * (groups + 1)];
        for (row, (group, label)) in group.iter().zip(labels).enumerate() {
            strata[2 * (*group as usize).min(groups) + usize::from(*label)].push(row);
        }
        Strata { rows: labels.len(), strata }
    }

    fn shuffled(&self, seed: u64, repeat: usize) -> impl Iterator<Item = Vec<usize>> + '_ {
        self.strata.iter().enumerate().map(move |(stratum, rows)| {
            let mut rows = rows.clone();
            rows.shuffle(&mut stream(seed, repeat, stratum));
            rows
        })
    }
}

/// The fold of each row, from 0: folds differ by at most one row, and so does any stratum between them.
pub(super) fn folds(strata: &Strata, folds: usize, seed: u64, repeat: usize) -> Result<Vec<u32>> {
    if folds < 2 || folds > strata.rows {
        return Err(Error::setting("the number of folds", folds, format!("from 2 to the {} rows", strata.rows)));
    }
    let mut fold_of = vec![0; strata.rows];
    for (next, row) in strata.shuffled(seed, repeat).flatten().enumerate() {
        fold_of[row] = (next % folds) as u32;
    }
    Ok(fold_of)
}

/// Whether each row is held out: this share of every stratum, to the nearest row, remainders carried over.
pub(super) fn held_out(strata: &Strata, share: f64, seed: u64, repeat: usize) -> Result<Vec<bool>> {
    if !(share > 0.0 && share < 1.0) {
        return Err(Error::setting("the share of a split", share, "more than 0 and less than 1"));
    }
    let mut held = vec![false; strata.rows];
    let (mut wanted, mut taken) = (0.0f64, 0usize);
    for rows in strata.shuffled(seed, repeat) {
        wanted += share * rows.len() as f64;
        let take = (wanted.round() as usize).saturating_sub(taken).min(rows.len());
        taken += take;
        rows[..take].iter().for_each(|row| held[*row] = true);
    }
    if taken == 0 || taken == strata.rows {
        let expected = format!("a share that leaves rows on both sides of the {} rows", strata.rows);
        return Err(Error::setting("the share of a split", share, expected));
    }
    Ok(held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stratum_is_split_alike() {
        let group: Vec<u32> = (0..103).map(|i| if i % 10 == 9 { u32::MAX } else { i % 3 }).collect();
        let labels: Vec<bool> = (0..103).map(|i| i % 4 == 0).collect();
        let strata = Strata::of(&group, &labels, 3);
        let fold_of = folds(&strata, 5, 7, 0).unwrap();
        assert_eq!(fold_of, folds(&strata, 5, 7, 0).unwrap());
        assert_ne!(fold_of, folds(&strata, 5, 7, 1).unwrap());
        let held = held_out(&strata, 0.3, 7, 0).unwrap();
        assert_eq!(held.iter().filter(|h| **h).count(), 31);
        for rows in &strata.strata {
            let counts: Vec<usize> = (0..5).map(|f| rows.iter().filter(|r| fold_of[**r] == f).count()).collect();
            assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
            let share = rows.iter().filter(|r| held[**r]).count() as f64;
            assert!((share - 0.3 * rows.len() as f64).abs() <= 1.0);
        }
        assert!(folds(&strata, 1, 0, 0).is_err() && folds(&strata, 104, 0, 0).is_err());
        for share in [0.0, 1.0, f64::NAN, 0.001] {
            assert!(held_out(&strata, share, 0, 0).is_err());
        }
    }
}
