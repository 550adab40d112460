//! The arguments and the help that explains them. Texts become the library's types here, nothing more.

mod audit;
mod chart;
mod init;
mod metrics;
mod sql;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use evenhand::audit::{NamedGroup, PRESETS, Verdict};
use evenhand::data::{Filter, LevelColumn, Top};

use crate::compare::CompareArgs;
use crate::delivery::DeliveryArgs;
use crate::demo::DemoArgs;
use crate::format::Format;
use crate::manner::Manner;
use crate::manual::ManArgs;
use crate::mitigate::MitigateArgs;
use crate::settings::Rule;
use crate::uplift::UpliftArgs;

pub use audit::AuditArgs;
pub use chart::ChartArgs;
pub use init::InitArgs;
pub use metrics::MetricsArgs;
pub use sql::SqlArgs;
pub use values::{Assignment, assignment, delimiter, finite, parsed, positive};
use values::{part, size, top, worth};

/// Audits targeting and segmentation models for bias.
///
/// Reads a batch of customers with what a model decided or scored, compares groups of people (by sex,
/// age, ethnicity, ... and their intersections) and says, with intervals, whether the differences keep
/// within a policy.
#[derive(Debug, Parser)]
#[command(
    name = "evenhand",
    version,
    max_term_width = 100,
    after_help = "\
Examples:
  evenhand demo                                        a first audit
  evenhand init customers.csv                          from a file to a policy
  evenhand audit customers.csv --policy policy.toml    the audit of that file

Every command has examples: `evenhand audit --help`."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,

    #[command(flatten)]
    pub manner: Manner,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Audit(Box<AuditArgs>),
    Compare(CompareArgs),
    Demo(DemoArgs),
    Sql(Box<SqlArgs>),
    Metrics(MetricsArgs),
    Init(InitArgs),
    Uplift(Box<UpliftArgs>),
    Delivery(Box<DeliveryArgs>),
    Mitigate(Box<MitigateArgs>),
    Chart(ChartArgs),
    /// Print a script that completes commands and options in a shell.
    #[command(after_help = "\
Example:
  evenhand completions bash \\
      > ~/.local/share/bash-completion/completions/evenhand")]
    Completions {
        /// The shell.
        shell: Shell,
    },
    Man(ManArgs),
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Columns and their parts")]
pub struct ColumnArgs {
    /// A protected attribute; repeatable.
    ///
    /// Numbers can be cut into bands, 'age:<=25,26-40,>40' or 'age:quantiles:4'; levels can be merged
    /// and renamed, 'race:Asian=Chinese+Indian,Other=x'.
    #[arg(short, long = "attribute", value_name = "COLUMN", value_parser = parsed::<LevelColumn>)]
    pub attributes: Vec<LevelColumn>,

    /// What really happened: responded, bought, repaid.
    #[arg(short, long, value_name = "COLUMN")]
    pub label: Option<String>,

    /// What the model decided: targeted or not; repeatable, each is a model.
    #[arg(short, long = "decision", value_name = "COLUMN")]
    pub decisions: Vec<String>,

    /// The model's score; repeatable. As many as decisions: each belongs to the decision of its place.
    #[arg(short, long = "score", value_name = "COLUMN")]
    pub scores: Vec<String>,

    /// Selects all whose score is at least this; repeatable, each is a model.
    #[arg(short, long = "threshold", value_name = "NUMBER", allow_negative_numbers = true, value_parser = finite)]
    pub thresholds: Vec<f64>,

    /// Selects the best by score, so many (1000) or a share (10%); repeatable, each is a model.
    #[arg(long, value_name = "COUNT|PERCENT%", value_parser = top)]
    pub top: Vec<Top>,

    /// Selects who scores strictly above the median of all (the scoring rate of NYC Local Law 144).
    #[arg(long)]
    pub above_median: bool,

    /// The segment that each row is in; repeatable, each is a segmentation.
    #[arg(long = "segment", value_name = "COLUMN")]
    pub segments: Vec<String>,

    /// Where rows are in several segments by parts: the column of a segment's shares, 'gold=p_gold'; repeatable. `--segment`
    /// is then a name alone.
    #[arg(long = "segment-part", value_name = "SEGMENT=COLUMN", value_delimiter = ',', value_parser = part, requires = "segments")]
    pub segment_parts: Vec<(String, String)>,

    /// The segments from worst to best, 'bronze,silver,gold'.
    #[arg(long, value_name = "SEGMENT,...", value_delimiter = ',', requires = "segments")]
    pub segment_order: Vec<String>,

    /// What each segment is worth to those in it, 'gold=25,silver=10,basic=0'; repeatable.
    #[arg(long = "segment-value", value_name = "SEGMENT=NUMBER", value_delimiter = ',', value_parser = worth, requires = "segments")]
    pub segment_values: Vec<(String, f64)>,

    /// The true class of each row, by the names of the segments.
    #[arg(long, value_name = "COLUMN", requires = "segments", conflicts_with = "segment_before")]
    pub segment_class: Option<String>,

    /// The segment that each row was in before: who moved where?
    #[arg(long, value_name = "COLUMN", requires = "segments")]
    pub segment_before: Option<String>,

    /// The weight of each row.
    #[arg(short, long, value_name = "COLUMN")]
    pub weight: Option<String>,

    /// The number that scores forecast, such as spend: errors are then distances from it, not from a label.
    #[arg(long, value_name = "COLUMN")]
    pub target: Option<String>,

    /// A legitimate reason for a difference, to compare within; repeatable, several are crossed.
    #[arg(long = "stratum", value_name = "COLUMN", value_parser = parsed::<LevelColumn>)]
    pub strata: Vec<LevelColumn>,

    /// The favourable value of a label or decision that is not plainly yes/no, true/false or 1/0; repeatable.
    #[arg(long, value_name = "COLUMN=VALUE", value_parser = assignment)]
    pub favorable: Vec<Assignment>,

    /// A further text that means missing, such as '?'; repeatable.
    #[arg(long, value_name = "TEXT")]
    pub missing: Vec<String>,

    /// Looks only at rows where this is true: "country in ('DE', 'AT') and age >= 18".
    ///
    /// Comparisons of columns (`=`, `!=`, `<`, `<=`, `>`, `>=`, `in (...)`, `not in (...)`, `is missing`, `is not missing`),
    /// joined by `and`: with texts in single quotes, with numbers, and before or after a day, '2024-01-31'. A missing value
    /// satisfies nothing but `is missing`. The report says how many rows were left out.
    #[arg(long = "where", value_name = "CONDITION", value_parser = parsed::<Filter>)]
    pub filter: Option<Filter>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Groups")]
pub struct GroupArgs {
    /// A group by rule, 'young women: sex=Female & age=<=25'; repeatable.
    ///
    /// `&` is all of, `|` is any of. Such groups may overlap.
    #[arg(short, long = "group", value_name = "NAME: RULE", value_parser = parsed::<NamedGroup>)]
    pub groups: Vec<NamedGroup>,

    /// The group that the others of its attribute are compared with; repeatable.
    #[arg(long, value_name = "ATTRIBUTE=LEVEL", value_parser = assignment)]
    pub reference: Vec<Assignment>,

    /// Which group is the reference where none is named. [default: largest]
    #[arg(long, value_name = "RULE", value_enum)]
    pub reference_rule: Option<Rule>,

    /// Up to how many attributes are crossed into intersections. [default: 2]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u8).range(1..))]
    pub order: Option<u8>,

    /// Treats people whose attribute is not known as a group of its own.
    #[arg(long)]
    pub missing_as_group: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "What is allowed")]
pub struct PolicyArgs {
    /// A policy file in TOML, or JSON by its name (`evenhand init` writes one). Flags win over it.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "preset")]
    pub policy: Option<PathBuf>,

    /// A ready policy. Without policy and preset, four-fifths if there is a decision.
    #[arg(long, value_name = "NAME", value_parser = clap::builder::PossibleValuesParser::new(PRESETS))]
    pub preset: Option<String>,

    /// The confidence of intervals and so of verdicts. [default: 0.95]
    #[arg(long, allow_negative_numbers = true, value_name = "SHARE")]
    pub confidence: Option<f64>,

    /// Groups with fewer rows are shown, not judged. [default: 10]
    #[arg(long, value_name = "ROWS")]
    pub min_group_size: Option<u64>,

    /// What an inconclusive finding counts as. [default: inconclusive]
    #[arg(long, value_name = "VERDICT", value_enum)]
    pub inconclusive: Option<Counts>,

    /// The seed of everything random. The same seed gives the same report.
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,

    /// Replicates of the bootstrap, where there is no formula for an interval.
    #[arg(long, value_name = "COUNT")]
    pub replicates: Option<usize>,

    /// Shows what would be at other thresholds and budgets, at so many points of each (scores are needed).
    #[arg(long, value_name = "POINTS", value_parser = positive)]
    pub curves: Option<usize>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Reading")]
pub struct ReadingArgs {
    /// What separates fields: a character, or `tab`. Found from the file, if not given.
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    pub delimiter: Option<u8>,

    /// The first line is data: columns are named column_1, column_2, ...
    #[arg(long)]
    pub no_header: bool,

    /// Threads to work with; all cores, if not given. The report is the same for any number.
    #[arg(long, value_name = "COUNT", value_parser = positive)]
    pub threads: Option<usize>,

    /// The most groups (crossed attributes and strata) to keep in memory.
    #[arg(long, value_name = "COUNT", value_parser = positive)]
    pub max_cells: Option<usize>,

    /// How much memory to take, 2GB or 500MB. Where the distinct scores need more, they lose their last digits, and the
    /// report says by how much that can change a figure.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub memory: Option<u64>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// The form of the report. By the name of the output file, or else text.
    #[arg(short, long, value_enum)]
    pub format: Option<Format>,

    /// Writes the report to a file, not to standard output. A file of that name is replaced.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,

    /// Shows every group, metric and comparison in a report as text.
    #[arg(long)]
    pub full: bool,

    /// Leaves the time out, so that the same data give the same bytes. SOURCE_DATE_EPOCH sets the time.
    #[arg(long)]
    pub no_timestamp: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    Text,
    Json,
    Markdown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Counts {
    Pass,
    Fail,
    Inconclusive,
}

impl From<Counts> for Verdict {
    fn from(counts: Counts) -> Self {
        match counts {
            Counts::Pass => Verdict::Pass,
            Counts::Fail => Verdict::Fail,
            Counts::Inconclusive => Verdict::Inconclusive,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
