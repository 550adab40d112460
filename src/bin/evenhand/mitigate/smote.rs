//! `evenhand mitigate smote`: new rows for groups and labels of which there are few.

use clap::{Args, ValueEnum};
use evenhand::data::source::{Added, Changes};
use evenhand::mitigate::augment::{Augment, Lone, Origin, Target};

use super::rows::{CopyArgs, RowArgs, Work};
use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  As many rows of every group and label as of the largest; new ones are marked:
    evenhand mitigate smote history.csv -a sex --label responded \\
        --carry customer_id --output more.csv

  The same label rate in every group, from three features alone:
    evenhand mitigate smote history.parquet -a sex -l responded \\
        --target equal-rates --feature age --feature visits --feature plan \\
        --seed 1 --output more.parquet";

/// Make new rows between rows of the same group and label (SMOTE), or copies of them.
///
/// New rows follow those of the files, marked in a new column and with the rows that they come from. Only rows that a model is
/// trained on should be augmented, after the others were split off.
#[derive(Debug, Args)]
#[command(after_help = "`--help` has examples.", after_long_help = EXAMPLES)]
pub struct SmoteArgs {
    #[command(flatten)]
    rows: RowArgs,

    /// What really happened: responded, bought, repaid.
    #[arg(short, long, value_name = "COLUMN")]
    label: String,

    /// How new rows are made.
    #[arg(long, value_enum, default_value = "smote-nc")]
    method: MethodName,

    /// How many rows each group and label is to have.
    #[arg(long, value_enum, default_value = "equal-cells")]
    target: TargetName,

    /// A column that new values are made for; repeatable. All columns, if not given, but attributes, label and those carried.
    #[arg(long = "feature", value_name = "COLUMN")]
    features: Vec<String>,

    /// A column that a new row takes over from the row it is made from, such as a name; repeatable.
    #[arg(long, value_name = "COLUMN")]
    carry: Vec<String>,

    /// How many of its nearest rows a row may be combined with.
    #[arg(long, value_name = "COUNT", default_value = "5")]
    neighbors: usize,

    /// Copies a row that is alone in its group and label, instead of refusing it.
    #[arg(long)]
    copy_lone: bool,

    /// The seed of everything random.
    #[arg(long, value_name = "NUMBER", default_value = "0")]
    seed: u64,

    /// The name of the new column that marks new rows; that of the rows they come from has `_from` behind it.
    #[arg(long, value_name = "NAME", default_value = "synthetic")]
    column: String,

    #[command(flatten)]
    copy: CopyArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum MethodName {
    /// Between a row and a near one: numbers, levels from either.
    Smote,
    /// The same, levels by vote of the nearest.
    SmoteNc,
    /// A row changed by the difference of two near ones.
    FairSmote,
    /// Drawn from a model of the group and label (Gaussian copula).
    Copula,
    /// Copies.
    Oversample,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TargetName {
    /// As many of every group and label as of the largest.
    EqualCells,
    /// In every group the label rate of all rows.
    EqualRates,
}

pub fn run(args: &SmoteArgs) -> Result<(), Failure> {
    let mut work = Work::begin(&args.rows, &args.copy)?;
    work.columns().label = Some(args.label.clone());
    let (work, rows) = work.rows()?;
    let batch = rows.batch()?;
    let table = work.table(&[])?;
    let method = match args.method {
        MethodName::Smote => Augment::smote(),
        MethodName::SmoteNc => Augment::smote_nc(),
        MethodName::FairSmote => Augment::fair_smote(),
        MethodName::Copula => Augment::copula(),
        MethodName::Oversample => Augment::oversample(),
    };
    for name in args.features.iter().chain(&args.carry) {
        table.column(name)?;
    }
    // Where features are named, what is not one of them is carried.
    let own: Vec<&str> = batch.attributes().iter().map(|c| c.name()).chain([args.label.as_str()]).collect();
    let others = table.columns().iter().map(|(name, _)| name).filter(|name| !own.contains(&name.as_str()));
    let carried: Vec<&String> = others
        .filter(|name| {
            let is_feature = args.features.is_empty() || args.features.contains(name);
            !is_feature || args.carry.contains(name)
        })
        .collect();
    let augmented = method
        .target(match args.target {
            TargetName::EqualCells => Target::EqualCells,
            TargetName::EqualRates => Target::EqualRates,
        })
        .label_column(&args.label)
        .carry(carried)
        .neighbors(args.neighbors)
        .lone(if args.copy_lone { Lone::Copy } else { Lone::Refuse })
        .seed(args.seed)
        .fit_resample(&table, &batch)?;
    let made = augmented.new_rows()?;
    let origin = &augmented.record.origin;
    let marks: Vec<bool> = origin.iter().map(|o| !matches!(o, Origin::Original(_))).collect();
    let parents: Vec<Option<String>> = origin.iter().map(parents).collect();
    let changes = Changes::new()
        .rows(&made)
        .column(&args.column, Added::Flag(&marks))
        .column(format!("{}_from", args.column), Added::Text(&parents));
    work.finish(&changes, &augmented.record, &augmented.record.to_text())
}

/// The rows that a new one comes from, counted from 1.
fn parents(origin: &Origin) -> Option<String> {
    let listed = |rows: &[usize]| rows.iter().map(|row| (row + 1).to_string()).collect::<Vec<_>>().join(" ");
    match origin {
        Origin::Copied(row) | Origin::Exchanged(row) => Some(listed(&[*row])),
        Origin::Between { rows, .. } => Some(listed(rows)),
        Origin::Crossed { rows } => Some(listed(rows)),
        _ => None,
    }
}
