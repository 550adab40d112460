//! `evenhand mitigate`: a file in, a file with weights, rows or decisions that mend it out.

mod resample;
mod reweight;
mod rows;

use clap::{Args, Subcommand};

use crate::failure::Failure;

/// Mend data or decisions: writes a copy of the rows with what changes, and says what it reached.
///
/// Whether a model is fairer for it, an audit of rows that it was not fitted on must say: `evenhand audit`.
#[derive(Debug, Args)]
pub struct MitigateArgs {
    #[command(subcommand)]
    method: Method,
}

#[derive(Debug, Subcommand)]
enum Method {
    Reweight(reweight::ReweightArgs),
    Resample(resample::ResampleArgs),
}

pub fn run(args: &MitigateArgs) -> Result<(), Failure> {
    match &args.method {
        Method::Reweight(args) => reweight::run(args),
        Method::Resample(args) => resample::run(args),
    }
}
