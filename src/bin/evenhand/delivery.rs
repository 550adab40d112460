//! `evenhand delivery`: a table of adverts in, who was reached and where a skew arises out.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use evenhand::metrics::delivery::{DeliveryColumns, DeliveryReport, DeliverySettings, DeliveryTable};

use crate::failure::Failure;
use crate::format::Format;
use crate::inputs;
use crate::output::{self, Target};
use crate::progress::Bar;

const EXAMPLES: &str = "\
Examples:
  Whom do the adverts reach, and is a skew the targeting's or the delivery's?
    evenhand delivery ads.csv --campaign ad --group sex --eligible could \\
        --reached saw --impressions shown --clicks clicked --spend paid \\
        --audience market

  The same among those of like interest, known before the campaign, or the
  interested alone:
    evenhand delivery ads.csv --campaign ad --group sex --eligible could \\
        --reached saw --impressions shown --stratum interest
    evenhand delivery ads.csv --campaign ad --group sex --eligible could \\
        --reached saw --impressions shown --stratum interest --interested high

  Two adverts for like jobs, shown at the same time to the same audience:
    evenhand delivery ads.csv --campaign ad --group sex --eligible could \\
        --impressions shown --pair nursing=driving

  The platform adds noise of standard deviation 20 and rounds to 100:
    evenhand delivery ads.csv --campaign ad --group sex --eligible could \\
        --impressions shown --noise 20 --rounded 100

  Rows are people, not counts; `could` is yes or no:
    evenhand delivery people.csv --people --campaign ad --group sex \\
        --eligible could --impressions shown";

/// Audit the delivery of adverts and offers: who was eligible, who was reached, how often, at what price.
///
/// Each row is what a campaign did for a group: counts, as platforms export them.
#[derive(Debug, Args)]
#[command(after_help = "`--help` has examples.", after_long_help = EXAMPLES)]
pub struct DeliveryArgs {
    /// The table: delimited text (plain, gzip, zstd), Parquet or Arrow. `-` is standard input.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// The campaign or advert.
    #[arg(long, value_name = "COLUMN")]
    campaign: String,

    /// The group of people.
    #[arg(short, long, value_name = "COLUMN")]
    group: String,

    /// People whom the targeting admits; with `--people`, whether it admits the person.
    #[arg(long, value_name = "COLUMN")]
    eligible: String,

    /// Times shown.
    #[arg(long, value_name = "COLUMN")]
    impressions: String,

    /// Distinct people who were shown it.
    #[arg(long, value_name = "COLUMN", conflicts_with = "people")]
    reached: Option<String>,

    /// Clicks.
    #[arg(long, value_name = "COLUMN")]
    clicks: Option<String>,

    /// Money spent.
    #[arg(long, value_name = "COLUMN")]
    spend: Option<String>,

    /// People in the market, whom the advertiser could have addressed.
    #[arg(long, value_name = "COLUMN", conflicts_with = "people")]
    audience: Option<String>,

    /// People in the seed of a lookalike audience; the eligible are its expansion.
    #[arg(long, value_name = "COLUMN", conflicts_with = "people")]
    seed: Option<String>,

    /// Strata that may justify a difference, such as interest, known before the campaign.
    #[arg(long, value_name = "COLUMN")]
    stratum: Option<String>,

    /// Looks at one stratum alone.
    #[arg(long, value_name = "STRATUM", requires = "stratum")]
    interested: Option<String>,

    /// Tests two campaigns as a pair of like adverts; repeatable.
    #[arg(long, value_name = "FIRST=SECOND", value_parser = pair)]
    pair: Vec<[String; 2]>,

    /// The standard deviation of noise in each count: a number for all rows, or a column.
    #[arg(long, value_name = "COLUMN|NUMBER", allow_hyphen_values = true, conflicts_with = "people")]
    noise: Option<String>,

    /// Counts are rounded to multiples of so many.
    #[arg(
        long,
        value_name = "NUMBER",
        default_value = "0",
        hide_default_value = true,
        allow_negative_numbers = true,
        conflicts_with = "people"
    )]
    rounded: f64,

    /// Rows are people, one for each campaign in whose market they are.
    #[arg(long)]
    people: bool,

    /// The variance up to which a campaign is near enough to its eligible audience.
    #[arg(long, allow_negative_numbers = true, value_name = "SHARE", default_value = "0.1")]
    variance_limit: f64,

    /// The confidence of intervals.
    #[arg(long, allow_negative_numbers = true, value_name = "SHARE", default_value = "0.95")]
    confidence: f64,

    /// The form of the report. By the name of the output file, or else text.
    #[arg(short, long, value_enum)]
    format: Option<Format>,

    /// Writes the report to a file, not to standard output. A file of that name is replaced.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
}

fn pair(text: &str) -> Result<[String; 2], String> {
    match text.split_once('=') {
        Some((first, second)) if !first.is_empty() && !second.is_empty() => Ok([first.into(), second.into()]),
        _ => Err("name two campaigns, as in `nursing=driving`".into()),
    }
}

pub fn run(args: &DeliveryArgs) -> Result<(), Failure> {
    let files = [args.file.clone()];
    let target = Target::of_report(args.output.as_deref(), &files, "the file to audit")?;
    let (source, bar) = Bar::watch(inputs::open(&files, None, false)?);
    let mut table = DeliveryTable::read(&args.file, &source, &columns(args))?;
    drop(bar);
    if let Some(stratum) = &args.interested {
        table = table.within(stratum)?;
    }
    let report = table.audit(&DeliverySettings {
        confidence: args.confidence,
        variance_limit: args.variance_limit,
        pairs: args.pair.clone(),
    })?;
    let text = render(&report, args)?;
    output::deliver(target.as_ref(), text.as_bytes())
}

fn columns(args: &DeliveryArgs) -> DeliveryColumns {
    let number = args.noise.as_ref().and_then(|n| n.parse::<f64>().ok());
    DeliveryColumns {
        campaign: args.campaign.clone(),
        group: args.group.clone(),
        stratum: args.stratum.clone(),
        audience: args.audience.clone(),
        seed: args.seed.clone(),
        eligible: args.eligible.clone(),
        reached: args.reached.clone(),
        impressions: args.impressions.clone(),
        clicks: args.clicks.clone(),
        spend: args.spend.clone(),
        noise: args.noise.clone().filter(|_| number.is_none()),
        noise_sd: number.unwrap_or(0.0),
        rounded: args.rounded,
        people: args.people,
    }
}

fn render(report: &DeliveryReport, args: &DeliveryArgs) -> Result<String, Failure> {
    Ok(match Format::of(args.format, args.output.as_deref()) {
        Format::Text => report.to_text(),
        Format::Markdown => report.to_markdown(),
        Format::Json => report.to_json()?,
        Format::Csv => report.to_csv(),
        other => {
            let name = other.to_possible_value().map(|v| v.get_name().to_uppercase()).unwrap_or_default();
            let message = format!("an audit of delivery has no form in {name}");
            return Err(Failure::new(message, "`--format markdown` is for a page; it has text, json and csv besides"));
        }
    })
}
