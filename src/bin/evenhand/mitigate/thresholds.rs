//! `evenhand mitigate thresholds`: decisions whose rates are alike between groups.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args, ValueEnum, ValueHint};
use evenhand::data::source::{Added, Changes};
use evenhand::mitigate::postprocess::budget::Budget;
use evenhand::mitigate::postprocess::thresholds::{
    Constraint, GroupThresholds, Objective, ThresholdOptimizer, UnknownGroup,
};

use super::rows::{CopyArgs, RowArgs, Work};
use crate::args::finite;
use crate::failure::Failure;
use crate::output::Target;

const EXAMPLES: &str = "\
Examples:
  The thresholds by sex that are right most often while women and men are
  selected at like rates:
    evenhand mitigate thresholds held_out.csv -a sex --score propensity \\
        --label responded --constraint demographic-parity --slack 0.02 \\
        --save thresholds.json --output decided.csv

  Decide on tomorrow's batch by the thresholds that were found:
    evenhand mitigate thresholds today.csv -a sex --score propensity \\
        --apply thresholds.json -o decided.csv

  Exactly 2,000 offers, selection rates within 5 points of each other, the best
  scores otherwise:
    evenhand mitigate thresholds today.csv -a sex --score propensity \\
        --budget 2000 --slack 0.05 -o offers.csv

  An offer earns 40 where it is taken and costs 3 where it is not:
    evenhand mitigate thresholds held_out.csv -a sex -s propensity \\
        -l responded --utility 40,-3,0,0 -o decided.csv";

/// Decide by thresholds of each group, so that rates are alike at the least cost.
///
/// They need the attribute at run time. Find them on rows that the model was not trained on, and keep them by `--save`.
#[derive(Debug, Args)]
#[command(after_help = "`--help` has examples.", after_long_help = EXAMPLES)]
#[command(group = ArgGroup::new("way").args(["label", "budget", "apply"]).required(true))]
pub struct ThresholdArgs {
    #[command(flatten)]
    rows: RowArgs,

    /// The model's score.
    #[arg(short, long, value_name = "COLUMN")]
    score: String,

    /// What really happened: thresholds are found by it.
    #[arg(short, long, value_name = "COLUMN")]
    label: Option<String>,

    /// Selects exactly so many people, without a label.
    #[arg(long, value_name = "PEOPLE")]
    budget: Option<usize>,

    /// Decides by thresholds that were saved.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    apply: Option<PathBuf>,

    /// What is to be alike between groups.
    #[arg(long, value_enum, default_value = "demographic-parity", conflicts_with_all = ["apply", "budget"])]
    constraint: ConstraintName,

    /// The largest gap between two groups' rates. [default: 0, with a budget 0.05]
    #[arg(long, value_name = "GAP", value_parser = finite, allow_negative_numbers = true, conflicts_with = "apply")]
    slack: Option<f64>,

    /// What decisions are worth.
    #[arg(long, value_enum, default_value = "accuracy", conflicts_with_all = ["apply", "budget"])]
    objective: ObjectiveName,

    /// What a true positive, a false positive, a false negative and a true negative are worth.
    #[arg(
        long,
        value_name = "TP,FP,FN,TN",
        value_delimiter = ',',
        num_args = 4,
        value_parser = finite,
        allow_hyphen_values = true,
        conflicts_with_all = ["apply", "budget", "objective"]
    )]
    utility: Vec<f64>,

    /// Draws nothing: each group gets the threshold that is most likely, and misses the constraint by what a draw is for.
    #[arg(long)]
    deterministic: bool,

    /// Refuses rows whose attribute is not known, instead of deciding by one threshold for all.
    #[arg(long, conflicts_with = "budget")]
    refuse_unknown: bool,

    /// Who a row is: the same person meets the same draw. Without it, the number of the row.
    #[arg(long, value_name = "COLUMN", conflicts_with = "budget")]
    id: Option<String>,

    /// The seed of draws, and of the choice between equal scores.
    #[arg(long, value_name = "NUMBER", default_value = "0")]
    seed: u64,

    /// Saves the thresholds as JSON. A file of that name is replaced.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["apply", "budget"])]
    save: Option<PathBuf>,

    /// The name of the new column.
    #[arg(long, value_name = "NAME", default_value = "fair_decision")]
    column: String,

    #[command(flatten)]
    copy: CopyArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ConstraintName {
    /// Selection rates.
    DemographicParity,
    /// True positive rates.
    EqualOpportunity,
    /// False positive rates.
    FalsePositiveRateParity,
    /// True and false positive rates.
    EqualizedOdds,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ObjectiveName {
    /// The share of right decisions.
    Accuracy,
    /// The mean of the true positive and the true negative rate.
    BalancedAccuracy,
}

pub fn run(args: &ThresholdArgs) -> Result<(), Failure> {
    let saved = args.save.as_deref().map(|path| Target::new(path, true)).transpose()?;
    let kept = args.apply.as_deref().map(read).transpose()?;
    let mut work = Work::begin(&args.rows, &args.copy)?;
    work.columns().label.clone_from(&args.label);
    work.columns().scores = vec![args.score.clone()];
    let (work, rows) = work.rows()?;
    let batch = rows.batch()?;
    if let Some(people) = args.budget {
        let chosen = Budget::new(people).gap(args.slack.unwrap_or(0.05)).seed(args.seed).apply(&batch)?;
        let changes = Changes::new().column(&args.column, Added::Flag(&chosen.selected));
        return work.finish(&changes, &chosen.summary, &chosen.summary.to_text());
    }
    let mut thresholds = match kept {
        Some(kept) => kept,
        None => args.optimizer().fit(&batch)?,
    };
    if args.deterministic {
        thresholds = thresholds.deterministic();
    }
    let ids = match &args.id {
        Some(id) => work.ids(id)?,
        None => (0..rows.len() as u64).collect(),
    };
    let decided = thresholds.decide(&batch, rows.scores(0).unwrap_or_default(), &ids, args.seed)?;
    if let Some(target) = saved {
        let json = serde_json::to_string_pretty(&thresholds);
        let json = json.map_err(|e| Failure::new(e.to_string(), "leave `--save` out"))?;
        target.write(json.as_bytes())?;
    }
    let changes = Changes::new().column(&args.column, Added::Flag(&decided));
    work.finish(&changes, &thresholds, &thresholds.to_text())
}

impl ThresholdArgs {
    fn optimizer(&self) -> ThresholdOptimizer {
        let constraint = match self.constraint {
            ConstraintName::DemographicParity => Constraint::DemographicParity,
            ConstraintName::EqualOpportunity => Constraint::EqualOpportunity,
            ConstraintName::FalsePositiveRateParity => Constraint::FalsePositiveRateParity,
            ConstraintName::EqualizedOdds => Constraint::EqualizedOdds,
        };
        let objective = match (&self.utility[..], self.objective) {
            (&[true_positive, false_positive, false_negative, true_negative], _) => {
                Objective::Utility { true_positive, false_positive, false_negative, true_negative }
            }
            (_, ObjectiveName::Accuracy) => Objective::Accuracy,
            (_, ObjectiveName::BalancedAccuracy) => Objective::BalancedAccuracy,
        };
        let unknown = if self.refuse_unknown { UnknownGroup::Refused } else { UnknownGroup::Pooled };
        ThresholdOptimizer::new(constraint).objective(objective).slack(self.slack.unwrap_or(0.0)).unknown(unknown)
    }
}

fn read(path: &Path) -> Result<GroupThresholds, Failure> {
    let unreadable = |problem: String| {
        Failure::new(
            format!("cannot read thresholds from {}: {problem}", path.display()),
            "`--save` writes such a file",
        )
    };
    let text = std::fs::read_to_string(path).map_err(|e| unreadable(e.to_string()))?;
    serde_json::from_str(&text).map_err(|e| unreadable(e.to_string()))
}
