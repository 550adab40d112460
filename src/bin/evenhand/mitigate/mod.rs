//! `evenhand mitigate`: a file in, a file with the weights, rows or decisions that mend it out.

mod resample;
mod reweight;
mod rows;
mod smote;
mod thresholds;

use clap::{Args, Subcommand};

use crate::failure::Failure;

/// Mend data or decisions: writes a copy of the rows with what changes, and says what it reached.
///
/// Whether a model is fairer for it, rows that it was not fitted on must say: `evenhand audit` them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Weights under which sex and response are independent, for the next training:
    evenhand mitigate reweight history.csv -a sex --label responded \\
        --output weighted.csv

  Decisions by a threshold for each group:
    evenhand mitigate thresholds scores.csv -a sex --score propensity \\
        --label responded --constraint equal-opportunity --output decided.csv")]
pub struct MitigateArgs {
    #[command(subcommand)]
    method: Method,
}

#[derive(Debug, Subcommand)]
enum Method {
    Reweight(reweight::ReweightArgs),
    Resample(resample::ResampleArgs),
    Smote(smote::SmoteArgs),
    Thresholds(Box<thresholds::ThresholdArgs>),
}

pub fn run(args: &MitigateArgs) -> Result<(), Failure> {
    match &args.method {
        Method::Reweight(args) => reweight::run(args),
        Method::Resample(args) => resample::run(args),
        Method::Smote(args) => smote::run(args),
        Method::Thresholds(args) => thresholds::run(args),
    }
}
