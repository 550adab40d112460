//! The best mixture of classifiers, and the multipliers that it is best against: two small linear programs.

use microlp::{ComparisonOp, OptimizationDirection, Problem, Variable};

use crate::{Error, Result};

/// A classifier as the programs see it: its error, and by how much it is past each constraint.
pub(super) struct Column {
    pub error: f64,
    pub excess: Vec<f64>,
}

/// The mixture with the least `error + bound · max(0, excess)`: shares of the classifiers.
pub(super) fn mixture(columns: &[Column], bound: f64) -> Result<Vec<f64>> {
    let mut program = Problem::new(OptimizationDirection::Minimize);
    let shares: Vec<Variable> =
        columns.iter().map(|column| program.add_var(column.error, (0.0, f64::INFINITY))).collect();
    let past = program.add_var(bound, (0.0, f64::INFINITY));
    for constraint in 0..columns[0].excess.len() {
        let terms = shares.iter().zip(columns).map(|(share, column)| (*share, column.excess[constraint]));
        let terms: Vec<(Variable, f64)> = terms.chain([(past, -1.0)]).collect();
        program.add_constraint(&terms, ComparisonOp::Le, 0.0);
    }
    let all: Vec<(Variable, f64)> = shares.iter().map(|share| (*share, 1.0)).collect();
    program.add_constraint(&all, ComparisonOp::Eq, 1.0);
    let solution = program.solve().map_err(failed)?;
    let mut found: Vec<f64> = shares.iter().map(|share| solution.var_value(*share).max(0.0)).collect();
    let sum: f64 = found.iter().sum();
    found.iter_mut().for_each(|share| *share /= sum);
    Ok(found)
}

/// The multipliers, at least 0 and adding up to at most `bound`, under which the best classifier does worst.
pub(super) fn multipliers(columns: &[Column], bound: f64) -> Result<Vec<f64>> {
    let mut program = Problem::new(OptimizationDirection::Maximize);
    let count = columns[0].excess.len();
    let held: Vec<Variable> = (0..count).map(|_| program.add_var(0.0, (0.0, f64::INFINITY))).collect();
    let value = program.add_var(1.0, (f64::NEG_INFINITY, f64::INFINITY));
    for column in columns {
        let terms = held.iter().zip(&column.excess).map(|(m, excess)| (*m, -excess));
        let terms: Vec<(Variable, f64)> = terms.chain([(value, 1.0)]).collect();
        program.add_constraint(&terms, ComparisonOp::Le, column.error);
    }
    let all: Vec<(Variable, f64)> = held.iter().map(|m| (*m, 1.0)).collect();
    program.add_constraint(&all, ComparisonOp::Le, bound);
    let solution = program.solve().map_err(failed)?;
    Ok(held.iter().map(|m| solution.var_value(*m).max(0.0)).collect())
}

fn failed(error: microlp::Error) -> Error {
    Error::Learner { problem: format!("the linear program over the classifiers has no answer ({error})") }
}
