//! `evenhand mitigate resample`: rows drawn by their weights, for learners that read none.

use clap::Args;
use evenhand::data::source::Changes;
use evenhand::mitigate::reweight::times;

use super::reweight::WeightArgs;
use super::rows::{CopyArgs, RowArgs};
use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  As many rows as there are, drawn so that sex and response are independent
  among them:
    evenhand mitigate resample history.csv -a sex --label responded --seed 1 \\
        --output fair.csv

  10,000 rows with the audience's shares:
    evenhand mitigate resample panel.csv -a sex \\
        --audience sex:female=0.51,male=0.49 --rows 10000 -o fair.csv";

/// Draw rows by weights that make groups and labels independent, so that any learner feels them.
///
/// A row comes as often as its weight says, rounded up or down by a seeded draw; rows keep their order.
#[derive(Debug, Args)]
#[command(after_help = "`--help` has examples.", after_long_help = EXAMPLES)]
pub struct ResampleArgs {
    #[command(flatten)]
    rows: RowArgs,
    #[command(flatten)]
    weights: WeightArgs,
    /// How many rows to draw; as many as there are, if not given.
    #[arg(long = "rows", value_name = "COUNT")]
    count: Option<usize>,
    /// The seed of the draw.
    #[arg(long, value_name = "NUMBER", default_value = "0")]
    seed: u64,
    #[command(flatten)]
    copy: CopyArgs,
}

pub fn run(args: &ResampleArgs) -> Result<(), Failure> {
    let work = args.weights.begin(&args.rows, &args.copy)?;
    let (work, rows) = work.rows()?;
    let batch = rows.batch()?;
    let fitted = args.weights.fit(&batch)?;
    let drawn = times(&fitted.weights(&batch)?, args.count.unwrap_or(rows.len()), args.seed)?;
    work.finish(&Changes::new().times(&drawn), &fitted, &fitted.to_text())
}
