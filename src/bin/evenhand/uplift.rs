//! `evenhand uplift`: a hold-out in, what an uplift policy does for each group out.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use evenhand::metrics::uplift::{HoldOut, HoldOutColumns, PropensitySource, UpliftReport};

use crate::args::{Assignment, assignment};
use crate::failure::Failure;
use crate::inputs;
use crate::output::{self, Target};
use crate::progress::Bar;

const EXAMPLES: &str = "\
Examples:
  Does the mailing do as much for women as for men, and does it reach those whom
  it would move?
    evenhand uplift holdout.csv --attribute sex --treated mailed \\
        --outcome bought --decision targeted

  The same with the model's score, and half of the people treated by design:
    evenhand uplift holdout.csv -a sex --treated mailed --outcome spent \\
        --uplift-score uplift --propensity 0.5

  Data that were not randomised need each row's probability of being treated:
    evenhand uplift history.csv -a sex --treated mailed --outcome bought \\
        --propensity p_mailed";

/// Audit uplift targeting on a hold-out: what the treatment does for each group, and whether it reaches those whom it
/// would move.
///
/// Each row is a person: whether they were treated, what came of it, and what the policy under audit would do.
#[derive(Debug, Args)]
#[command(after_help = "`--help` has examples.", after_long_help = EXAMPLES)]
pub struct UpliftArgs {
    /// The hold-out: delimited text (plain, gzip, zstd), Parquet or Arrow. `-` is standard input.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// A protected attribute; repeatable.
    #[arg(short, long = "attribute", value_name = "COLUMN", required = true)]
    attributes: Vec<String>,

    /// Who was treated.
    #[arg(long, value_name = "COLUMN")]
    treated: String,

    /// What came of it: yes or no, or a number such as revenue.
    #[arg(long, value_name = "COLUMN")]
    outcome: String,

    /// Whom the policy under audit would treat.
    #[arg(short, long, value_name = "COLUMN")]
    decision: Option<String>,

    /// The uplift that the model predicts, in the outcome's unit.
    #[arg(long, value_name = "COLUMN")]
    uplift_score: Option<String>,

    /// The probability of being treated: a number, if people were treated at random with it, or a column of each row's
    /// own. Without it, people were treated at random, and the share treated is taken.
    #[arg(long, value_name = "COLUMN|NUMBER")]
    propensity: Option<String>,

    /// The outcome that a model fitted on other data predicts without treatment; needs `--predicted-treated`.
    #[arg(long, value_name = "COLUMN", requires = "predicted_treated")]
    predicted_untreated: Option<String>,

    /// The outcome that it predicts with treatment. Effects become doubly robust.
    #[arg(long, value_name = "COLUMN", requires = "predicted_untreated")]
    predicted_treated: Option<String>,

    /// The weight of each row.
    #[arg(short, long, value_name = "COLUMN")]
    weight: Option<String>,

    /// Strata of like people, within which persuadables are bounded.
    #[arg(long, value_name = "COLUMN")]
    stratum: Option<String>,

    /// The group that the others of its attribute are compared with; repeatable. The largest, if not named.
    #[arg(long, value_name = "ATTRIBUTE=LEVEL", value_parser = assignment)]
    reference: Vec<Assignment>,

    /// The confidence of intervals.
    #[arg(long, allow_negative_numbers = true, value_name = "SHARE", default_value = "0.95")]
    confidence: f64,

    /// Groups with fewer rows in an arm are shown, not compared.
    #[arg(long, value_name = "ROWS", default_value = "10")]
    min_arm_size: u64,

    /// The form of the report. By the name of the output file, or else text.
    #[arg(short, long, value_enum)]
    format: Option<UpliftFormat>,

    /// Writes the report to a file, not to standard output. A file of that name is replaced.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum UpliftFormat {
    /// For people, at a terminal.
    Text,
    /// For programs: everything, to the last figure.
    Json,
    /// For a spreadsheet: one row a figure.
    Csv,
}

pub fn run(args: &UpliftArgs) -> Result<(), Failure> {
    let files = [args.file.clone()];
    let target = Target::of_report(args.output.as_deref(), &files, "the file to audit")?;
    let (source, bar) = Bar::watch(inputs::open(&files, None, false)?);
    let hold_out = HoldOut::read(&args.file, &source, &columns(args))?;
    drop(bar);
    let mut audit = hold_out.audit().confidence(args.confidence).min_arm_size(args.min_arm_size);
    for reference in &args.reference {
        audit = audit.reference(&reference.name, &reference.value);
    }
    let text = render(&audit.run()?, args)?;
    output::deliver(target.as_ref(), text.as_bytes())
}

fn columns(args: &UpliftArgs) -> HoldOutColumns {
    HoldOutColumns {
        attributes: args.attributes.clone(),
        treated: args.treated.clone(),
        outcome: args.outcome.clone(),
        decision: args.decision.clone(),
        uplift_score: args.uplift_score.clone(),
        predicted: args.predicted_untreated.clone().zip(args.predicted_treated.clone()).map(|(a, b)| [a, b]),
        propensity: match &args.propensity {
            None => PropensitySource::Share,
            Some(text) => match text.parse() {
                Ok(number) => PropensitySource::Known(number),
                Err(_) => PropensitySource::Column(text.clone()),
            },
        },
        weight: args.weight.clone(),
        stratum: args.stratum.clone(),
    }
}

fn render(report: &UpliftReport, args: &UpliftArgs) -> Result<String, Failure> {
    let format = args.format.unwrap_or(match output::extension(args.output.as_deref()).as_deref() {
        Some("json") => UpliftFormat::Json,
        Some("csv") => UpliftFormat::Csv,
        _ => UpliftFormat::Text,
    });
    Ok(match format {
        UpliftFormat::Text => report.to_text(),
        UpliftFormat::Json => report.to_json()?,
        UpliftFormat::Csv => report.to_csv(),
    })
}
