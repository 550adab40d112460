//! `evenhand mitigate reweight`: a column of weights for the rows that a model is trained on.

use clap::{Args, ValueEnum};
use evenhand::data::Batch;
use evenhand::data::source::{Added, Changes};
use evenhand::mitigate::reweight::{CellWeights, Rake, RakedWeights, Reweight, Scheme};
use serde::Serialize;

use super::rows::{CopyArgs, RowArgs, Work};
use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  Weights that make sex and response independent (Kamiran and Calders), in a new
  column:
    evenhand mitigate reweight history.csv -a sex --label responded \\
        --output weighted.csv

  The same within each region, for the intersections of sex and age, from
  weights that the rows have:
    evenhand mitigate reweight history.parquet -a sex -a 'age:<=25,26-40,>40' \\
        -l responded --within region --weight exposure \\
        --output weighted.parquet

  Weights that give the rows the shares of the audience (raking):
    evenhand mitigate reweight panel.csv -a sex -a age_band \\
        --output weighted.csv --audience sex:female=0.51,male=0.49 \\
        --audience age_band:young=0.3,middle=0.4,old=0.3";

/// Weigh the rows that a model is trained on: groups and labels become independent, or groups as large as in the audience.
///
/// A model must read weights for that to matter: of linfa's only decision trees and isotonic regression do. For others,
/// `evenhand mitigate resample` draws rows by these weights.
#[derive(Debug, Args)]
#[command(after_help = "`--help` has examples.", after_long_help = EXAMPLES)]
pub struct ReweightArgs {
    #[command(flatten)]
    rows: RowArgs,
    #[command(flatten)]
    weights: WeightArgs,
    /// The name of the new column.
    #[arg(long, value_name = "NAME", default_value = "fair_weight")]
    column: String,
    #[command(flatten)]
    copy: CopyArgs,
}

/// Which weights.
#[derive(Debug, Args)]
pub struct WeightArgs {
    /// What really happened: responded, bought, repaid.
    #[arg(short, long, value_name = "COLUMN", required_unless_present = "audience")]
    pub label: Option<String>,

    /// How weights follow from the counts of groups and labels.
    #[arg(long, value_enum, default_value = "kamiran-calders")]
    scheme: SchemeName,

    /// A legitimate reason for a difference, within which groups and labels become independent; repeatable.
    #[arg(long, value_name = "COLUMN", conflicts_with = "audience")]
    pub within: Vec<String>,

    /// The shares that an attribute's levels have in the audience; repeatable. Weights are raked to them.
    #[arg(long, value_name = "COLUMN:LEVEL=SHARE,...", value_parser = audience, conflicts_with = "scheme")]
    audience: Vec<Audience>,
}

/// An attribute and the shares of its levels.
type Audience = (String, Vec<(String, f64)>);

fn audience(text: &str) -> Result<Audience, String> {
    let wrong = || "it needs a column, `:` and shares, as in sex:female=0.51,male=0.49".to_string();
    let (column, shares) = text.split_once(':').ok_or_else(wrong)?;
    let share = |part: &str| {
        let (level, share) = part.rsplit_once('=').ok_or_else(wrong)?;
        Ok((level.trim().to_string(), share.trim().parse::<f64>().map_err(|_| wrong())?))
    };
    Ok((column.trim().into(), shares.split(',').map(share).collect::<Result<_, String>>()?))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SchemeName {
    /// Every group gets the label rate of all; groups keep their sizes.
    KamiranCalders,
    /// In every group half of the weight is on each label.
    FairBalance,
}

/// Fitted weights.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Fitted {
    Cells(CellWeights),
    Raked(RakedWeights),
}

impl Fitted {
    pub fn weights(&self, batch: &Batch) -> Result<Vec<f64>, Failure> {
        Ok(match self {
            Fitted::Cells(cells) => cells.weights(batch)?,
            Fitted::Raked(raked) => raked.weights(batch)?,
        })
    }

    pub fn to_text(&self) -> String {
        match self {
            Fitted::Cells(cells) => cells.to_text(),
            Fitted::Raked(raked) => raked.to_text(),
        }
    }
}

impl WeightArgs {
    pub fn fit(&self, batch: &Batch) -> Result<Fitted, Failure> {
        if !self.audience.is_empty() {
            let margin = |rake: Rake, (column, shares): &Audience| rake.margin([column], shares.iter().cloned());
            return Ok(Fitted::Raked(self.audience.iter().fold(Rake::new(), margin).fit(batch)?));
        }
        let scheme = match self.scheme {
            SchemeName::KamiranCalders => Scheme::KamiranCalders,
            SchemeName::FairBalance => Scheme::FairBalance,
        };
        Ok(Fitted::Cells(Reweight::new().scheme(scheme).within(&self.within).fit(batch)?))
    }

    /// Starts the work on rows that these weights need.
    pub fn begin<'a>(&self, rows: &RowArgs, copy: &'a CopyArgs) -> Result<Work<'a>, Failure> {
        let mut work = Work::begin(rows, copy)?;
        work.columns().label.clone_from(&self.label);
        work.strata(&self.within);
        Ok(work)
    }
}

pub fn run(args: &ReweightArgs) -> Result<(), Failure> {
    let work = args.weights.begin(&args.rows, &args.copy)?;
    let (work, rows) = work.rows()?;
    let batch = rows.batch()?;
    let fitted = args.weights.fit(&batch)?;
    let weights = fitted.weights(&batch)?;
    let changes = Changes::new().column(&args.column, Added::Number(&weights));
    work.finish(&changes, &fitted, &fitted.to_text())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audiences_read_as_people_write_them() {
        let read = audience("sex: female=0.51, male=0.49").unwrap();
        assert_eq!(read, ("sex".into(), vec![("female".into(), 0.51), ("male".into(), 0.49)]));
        assert!(audience("sex").is_err() && audience("sex:female").is_err() && audience("sex:female=x").is_err());
    }
}
