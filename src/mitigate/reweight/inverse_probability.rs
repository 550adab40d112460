//! Inverse probability: rows that are observed stand in for those like them that are not.

use serde::{Deserialize, Serialize};

use super::Diagnostics;
use crate::data::Batch;
use crate::mitigate::groups::{Groups, MISSING, NEW};
use crate::tally::Cell;
use crate::{Error, Place, Result};

/// Weighs observed rows (those that gave consent, whose label came to be known) by one over the chance of being observed in
/// their cell, so that they stand for all rows of it.
///
/// It puts right what is missing at random within cells, and nothing else: where who is observed hangs on what is not in
/// the cells, weights cannot tell. Rows that are not observed get no weight; rows of an unknown cell keep theirs.
///
/// # References
/// Horvitz, Thompson (1952), A generalization of sampling without replacement from a finite universe, Journal of the American
/// Statistical Association 47; Robins, Hernán, Brumback (2000), Marginal structural models and causal inference in
/// epidemiology, Epidemiology 11 (stabilised weights).
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical};
/// use evenhand::mitigate::reweight::InverseProbability;
/// let batch = Batch::builder()
///     .attribute(Categorical::from_values("region", ["n", "n", "n", "n", "s", "s"]))
///     .label([0, 1, 0, 1, 0, 1])
///     .build()?;
/// let fitted = InverseProbability::new().fit(&batch, &[true, false, false, false, true, true])?;
/// assert_eq!(fitted.weights, [4.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct InverseProbability {
    columns: Vec<String>,
    stabilized: bool,
    largest: Option<f64>,
}

/// The rows of a cell, and how many of them are observed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObservedCell {
    /// Its levels, joined by ` & `.
    pub cell: String,
    /// Its rows.
    pub rows: u64,
    /// Those that are observed.
    pub observed: u64,
    /// The weighted share that is observed.
    pub probability: f64,
    /// What the weight of observed rows is multiplied by.
    pub factor: f64,
}

/// The weight of each row, and where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObservedWeights {
    /// The weight of each row: 0 where it is not observed.
    pub weights: Vec<f64>,
    /// The cells.
    pub cells: Vec<ObservedCell>,
    /// Cells or rows whose factor was cut to the largest allowed.
    pub cut: u64,
    /// Observed rows of an unknown cell, whose weight is as it was.
    pub left_alone: u64,
    /// What the weights of observed rows of known cells cost.
    pub diagnostics: Diagnostics,
}

impl InverseProbability {
    /// Cells by all attributes of a batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cells by these attributes and strata, which must be known of rows that are not observed too.
    #[must_use]
    pub fn within<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.columns = names.into_iter().map(Into::into).collect();
        self
    }

    /// Multiplies by the share of all rows that is observed, so that weights are about 1 and vary less.
    #[must_use]
    pub fn stabilized(mut self, yes: bool) -> Self {
        self.stabilized = yes;
        self
    }

    /// Cuts factors to at most this (at least 1): less variance for some bias, which the cells cut tell of.
    #[must_use]
    pub fn largest_factor(mut self, largest: f64) -> Self {
        self.largest = Some(largest);
        self
    }

    /// Finds the share that is observed in each cell, `observed` saying for each row whether it is.
    ///
    /// # Errors
    /// [`Error::Infeasible`] naming a cell in which nobody is observed: nobody can stand for it;
    /// [`Error::UnequalLengths`], [`Error::BadSetting`], [`Error::MissingColumn`], [`Error::Nothing`].
    pub fn fit(&self, batch: &Batch, observed: &[bool]) -> Result<ObservedWeights> {
        self.check(batch, observed.len())?;
        let groups = Groups::of(batch, &self.columns)?;
        let given = |row: usize| batch.weight.as_ref().map_or(1.0, |w| w.values[row]);
        let mut counted = vec![[Cell::default(); 2]; groups.len()];
        let (mut all, mut seen) = (0.0, 0.0);
        for (row, group) in groups.of_row.iter().enumerate().filter(|(_, group)| **group != MISSING) {
            let weight = given(row);
            let cell = Cell { rows: 1.0, weight, weight_squared: weight * weight };
            counted[*group as usize][usize::from(observed[row])].add(&cell, 1.0);
            all += weight;
            seen += if observed[row] { weight } else { 0.0 };
        }
        let stable = if self.stabilized && all > 0.0 { seen / all } else { 1.0 };
        let (mut cells, mut cut) = (Vec::new(), 0);
        for (group, [unseen, seen]) in counted.iter().enumerate() {
            let whole = unseen.weight + seen.weight;
            if seen.weight <= 0.0 && whole > 0.0 {
                return Err(Error::Infeasible {
                    asked: format!("to stand for the {} rows of `{}`", unseen.rows, groups.name(group)),
                    problem: "nobody in it is observed".into(),
                    remedy: "merge it with another cell, or leave its rows out and say so".into(),
                });
            }
            let probability = if whole > 0.0 { seen.weight / whole } else { 1.0 };
            let (factor, was_cut) = self.factor(stable / probability);
            cut += u64::from(was_cut);
            let (rows, observed) = ((unseen.rows + seen.rows) as u64, seen.rows as u64);
            cells.push(ObservedCell { cell: groups.name(group), rows, observed, probability, factor });
        }
        let factor = |row: usize| match groups.of_row[row] {
            MISSING | NEW => 1.0,
            group => cells[group as usize].factor,
        };
        let of_row = |row: usize| if observed[row] { factor(row) * given(row) } else { 0.0 };
        let weights = (0..batch.rows()).map(of_row).collect();
        let left_alone =
            (0..batch.rows()).filter(|row| observed[*row] && groups.of_row[*row] == MISSING).count() as u64;
        let pairs = counted.iter().zip(&cells).map(|([_, seen], cell)| (*seen, cell.factor));
        let diagnostics = Diagnostics::of_cells(pairs.filter(|(cell, _)| cell.weight > 0.0));
        Ok(ObservedWeights { weights, cells, cut, left_alone, diagnostics })
    }

    /// The same from each row's own probability of being observed (above 0 where it is, at most 1), as a model or a design
    /// gives it.
    ///
    /// # Errors
    /// [`Error::BadNumber`] with the row for a probability out of range; [`Error::Nothing`] where nobody is observed;
    /// [`Error::UnequalLengths`], [`Error::BadSetting`].
    pub fn with_probabilities(
        &self,
        batch: &Batch,
        observed: &[bool],
        probabilities: &[f64],
    ) -> Result<ObservedWeights> {
        self.check(batch, observed.len())?;
        self.check(batch, probabilities.len())?;
        let bad = |row: &usize| observed[*row] && !(probabilities[*row] > 0.0 && probabilities[*row] <= 1.0);
        if let Some(row) = (0..batch.rows()).find(bad) {
            return Err(Error::BadNumber {
                column: "probability of being observed".into(),
                value: probabilities[row].to_string(),
                place: Place::row(row),
                expected: "a probability above 0 and at most 1",
            });
        }
        let given: Vec<f64> =
            (0..batch.rows()).map(|row| batch.weight.as_ref().map_or(1.0, |w| w.values[row])).collect();
        let seen = || (0..batch.rows()).filter(|row| observed[*row] && given[*row] > 0.0);
        let whole: f64 = given.iter().sum();
        let stable = if self.stabilized { seen().map(|row| given[row]).sum::<f64>() / whole } else { 1.0 };
        if seen().next().is_none() {
            return Err(Error::Nothing { problem: "nobody with a weight is observed", place: Place::default() });
        }
        let mut weights = vec![0.0; batch.rows()];
        let (mut cut, mut of_seen) = (0, (Vec::new(), Vec::new()));
        for row in seen() {
            let (factor, was_cut) = self.factor(stable / probabilities[row]);
            cut += u64::from(was_cut);
            weights[row] = factor * given[row];
            of_seen.0.push(given[row]);
            of_seen.1.push(factor);
        }
        let diagnostics = Diagnostics::of_rows(Some(&of_seen.0), &of_seen.1);
        Ok(ObservedWeights { weights, cells: Vec::new(), cut, left_alone: 0, diagnostics })
    }

    /// The factor as it may be, and whether it was cut.
    fn factor(&self, factor: f64) -> (f64, bool) {
        match self.largest {
            Some(largest) if factor > largest => (largest, true),
            _ => (factor, false),
        }
    }

    fn check(&self, batch: &Batch, rows: usize) -> Result<()> {
        let expected = batch.rows();
        if rows != expected {
            return Err(Error::UnequalLengths { column: "observed".into(), rows, expected });
        }
        match self.largest {
            Some(largest) if !(largest >= 1.0 && largest.is_finite()) => {
                Err(Error::setting("the largest factor", largest, "a number of at least 1"))
            }
            _ => Ok(()),
        }
    }
}
