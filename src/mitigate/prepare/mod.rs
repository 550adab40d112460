//! Training data changed before a model is trained: features that tell less of the group, labels that favour none.
//!
//! | what | changes | needs the group of new rows |
//! |---|---|---|
//! | [`QuantileRepair`] | each feature's distribution in each group, towards one that all share | yes |
//! | [`CorrelationRemover`] | each feature, by what sensitive columns tell of it linearly | yes |
//! | [`Suppress`] | leaves out features that tell the group | no |
//! | [`Massage`] | the labels nearest the border, or some by lot | no: for training rows only |
//!
//! Parameters are fitted on training rows; what is fitted changes these rows, or others, and may refuse them: so these are
//! methods, not `linfa`'s `Transformer`, which cannot. None of it makes a model fair: that is for an
//! [evaluation](crate::mitigate::evaluate) on held-out rows to say.

#![allow(
    clippy::neg_cmp_op_on_partial_ord,
    reason = "a negated comparison turns NaN away along with what is out of range"
)]

mod decorrelate;
mod massage;
mod repair;
mod suppress;

pub use super::quantiles::RepairTarget;
pub use decorrelate::{CorrelationRemover, Decorrelated, DecorrelatedGroups};
pub use massage::{Massage, MassageTarget, Massaged, MassagedGroup};
pub use repair::{QuantileRepair, Repaired, RepairedColumn};
pub use suppress::{Association, Proxy, Suppress, Suppressed};

use ndarray::{Array2, ArrayView2};

use crate::data::Batch;
use crate::{Error, Place, Result};

/// Fails on the first value that is not finite.
fn check_features(what: &str, features: ArrayView2<f64>) -> Result<()> {
    for (row, values) in features.outer_iter().enumerate() {
        if let Some(column) = values.iter().position(|v| !v.is_finite()) {
            return Err(Error::BadNumber {
                column: format!("{what} {}", column + 1),
                value: values[column].to_string(),
                place: Place::row(row),
                expected: "a finite number",
            });
        }
    }
    Ok(())
}

/// Fails where features are not of a batch's rows.
fn check_rows(features: ArrayView2<f64>, batch: &Batch) -> Result<()> {
    check_features("feature", features)?;
    if features.nrows() != batch.rows() {
        return Err(Error::UnequalLengths {
            column: "features".into(),
            rows: features.nrows(),
            expected: batch.rows(),
        });
    }
    Ok(())
}

/// Fails where features have other columns than those that something was fitted on.
fn check_columns(features: ArrayView2<f64>, expected: usize) -> Result<()> {
    if features.ncols() != expected {
        let expected = format!("the {expected} that it was fitted on");
        return Err(Error::setting("the number of features", features.ncols(), expected));
    }
    Ok(())
}

/// The attributes named (all, where none is) with the levels that rows have.
fn levels(batch: &Batch, names: &[String]) -> Result<Vec<(String, Vec<String>)>> {
    let all: Vec<String> = batch.attributes().iter().map(|c| c.name().to_string()).collect();
    let names = if names.is_empty() { &all } else { names };
    if names.is_empty() {
        let problem = "mitigation needs a protected attribute; add one to the batch";
        return Err(Error::Nothing { problem, place: Place::default() });
    }
    names
        .iter()
        .map(|name| {
            let found = batch.attributes().iter().find(|c| c.name() == name);
            let column = found.ok_or_else(|| Error::missing_column(name, None, all.clone()))?;
            let mut met = vec![false; column.levels().len()];
            (0..batch.rows()).filter_map(|row| column.codes().get(row)).for_each(|level| met[level] = true);
            let levels = column.levels().iter().zip(met).filter(|(_, met)| *met).map(|(level, _)| level.clone());
            Ok((name.clone(), levels.collect()))
        })
        .collect()
}

/// An indicator of each level of each attribute: NaN in all of an attribute's where it is not known.
fn indicators(batch: &Batch, levels: &[(String, Vec<String>)]) -> Result<Array2<f64>> {
    let mut out = Array2::zeros((batch.rows(), levels.iter().map(|(_, levels)| levels.len()).sum()));
    let mut from = 0;
    for (name, levels) in levels {
        let found = batch.attributes().iter().find(|c| c.name() == name);
        let names = || batch.attributes().iter().map(|c| c.name().to_string()).collect();
        let column = found.ok_or_else(|| Error::missing_column(name, None, names()))?;
        let place: Vec<Option<usize>> =
            column.levels().iter().map(|level| levels.iter().position(|l| l == level)).collect();
        for row in 0..batch.rows() {
            match column.codes().get(row).map(|level| (level, place[level])) {
                None => (from..from + levels.len()).for_each(|at| out[[row, at]] = f64::NAN),
                Some((_, Some(at))) => out[[row, from + at]] = 1.0,
                Some((level, None)) => {
                    let context = format!(" of `{name}` in what was fitted (row {} has it)", row + 1);
                    let known = levels.iter().map(String::as_str);
                    return Err(Error::unknown("level", &column.levels()[level], context, known));
                }
            }
        }
        from += levels.len();
    }
    Ok(out)
}
