//! `evenhand mitigate reweight`: a column of weights for the rows that a model is trained on.

use clap::{Args, ValueEnum};
use evenhand::data::Batch;
use evenhand::data::source::{Added, Changes};
use evenhand::mitigate::reweight::{CellWeights, Reweight, Scheme};

use super::rows::{CopyArgs, RowArgs, Work};
use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  Weights that make sex and response independent (Kamiran and Calders), in a new column:
    evenhand mitigate reweight history.csv -a sex --label responded --output weighted.csv

  The same within each region, for the intersections of sex and age, from weights that the rows have:
    evenhand mitigate reweight history.parquet -a sex -a 'age:<=25,26-40,>40' -l responded \\
        --within region --weight exposure --output weighted.parquet";

/// Weigh the rows that a model is trained on, so that groups and labels are independent in them.
///
/// A model must read weights for that to matter: of linfa's only decision trees and isotonic regression do. For others,
/// `evenhand mitigate resample` draws rows by these weights.
#[derive(Debug, Args)]
#[command(after_help = "`--help` has examples.", after_long_help = EXAMPLES)]
pub struct ReweightArgs {
    #[command(flatten)]
    rows: RowArgs,
    #[command(flatten)]
    pub scheme: SchemeArgs,
    /// The name of the new column.
    #[arg(long, value_name = "NAME", default_value = "fair_weight")]
    column: String,
    #[command(flatten)]
    copy: CopyArgs,
}

/// Which weights.
#[derive(Debug, Args)]
pub struct SchemeArgs {
    /// What really happened: responded, bought, repaid.
    #[arg(short, long, value_name = "COLUMN")]
    pub label: String,

    /// How weights follow from the counts of groups and labels.
    #[arg(long, value_enum, default_value = "kamiran-calders")]
    scheme: SchemeName,

    /// A legitimate reason for a difference, within which groups and labels become independent; repeatable.
    #[arg(long, value_name = "COLUMN")]
    pub within: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SchemeName {
    /// Every group gets the label rate of all; groups keep their sizes.
    KamiranCalders,
    /// In every group half of the weight is on each label.
    FairBalance,
}

impl SchemeArgs {
    /// The weights of cells, fitted on the rows.
    pub fn fit(&self, batch: &Batch) -> Result<CellWeights, Failure> {
        let scheme = match self.scheme {
            SchemeName::KamiranCalders => Scheme::KamiranCalders,
            SchemeName::FairBalance => Scheme::FairBalance,
        };
        Ok(Reweight::new().scheme(scheme).fit(batch)?)
    }
}

pub fn run(args: &ReweightArgs) -> Result<(), Failure> {
    let work = Work::begin(&args.rows, Some(&args.scheme.label), &args.copy)?;
    let (work, rows) = work.rows()?;
    let batch = rows.batch()?;
    let fitted = args.scheme.fit(&batch)?;
    let weights = fitted.weights(&batch)?;
    let changes = Changes::new().column(&args.column, Added::Number(&weights));
    work.finish(&changes, &fitted, &fitted.to_text())
}
