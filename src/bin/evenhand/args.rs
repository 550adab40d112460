//! The arguments and the help that explains them. Texts become the library's types here, nothing more.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::builder::TypedValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use evenhand::audit::{NamedGroup, PRESETS, Verdict};
use evenhand::data::{LevelColumn, Top};
use evenhand::engine::{Dialect, TableName};

use crate::delivery::DeliveryArgs;
use crate::mitigate::MitigateArgs;
use crate::settings::Rule;
use crate::uplift::UpliftArgs;

/// Audits targeting and segmentation models for bias.
///
/// Reads a batch of customers with what a model decided or scored, compares groups of people (by sex,
/// age, ethnicity, ... and their intersections) and says, with intervals, whether the differences keep
/// within a policy.
#[derive(Debug, Parser)]
#[command(name = "evenhand", version, max_term_width = 100, after_help = "`evenhand audit --help` has examples.")]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Audit(Box<AuditArgs>),
    Sql(Box<SqlArgs>),
    Metrics(MetricsArgs),
    Init(InitArgs),
    Uplift(Box<UpliftArgs>),
    Delivery(Box<DeliveryArgs>),
    Mitigate(Box<MitigateArgs>),
    Chart(ChartArgs),
    /// Print a script that completes commands and options in a shell.
    #[command(after_help = "Example: evenhand completions bash > ~/.local/share/bash-completion/completions/evenhand")]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

const AUDIT_EXAMPLES: &str = "\
Examples:
  Did the campaign select women and men at like rates? (The four-fifths rule.)
    evenhand audit campaign.csv --attribute sex --decision targeted

  Of those who would have responded, were all groups targeted alike? By sex, age band and both:
    evenhand audit campaign.csv --attribute sex --attribute 'age:<=25,26-40,>40' \\
        --label responded --decision targeted --preset equal-opportunity

  What if the best 10 % by score were selected, or all above 0.5? (Two models in one report.)
    evenhand audit scores.parquet --attribute sex --score propensity --top 10% --threshold 0.5

  Compare within regions, with men as the reference group, and keep the report:
    evenhand audit 'daily/*.csv.gz' --attribute sex --decision targeted --stratum region \\
        --reference sex=male --output report.md

  Charts for a browser, in one file:
    evenhand audit campaign.csv --attribute sex --decision targeted --format html --output report.html

  Who ends in which customer segment, and what is that worth to them?
    evenhand audit customers.csv --attribute sex --segment tier \
        --segment-order basic,silver,gold --segment-value silver=10,gold=25

  Write a policy file once, audit every batch by it:
    evenhand init campaign.csv --output policy.toml
    evenhand audit campaign.csv --policy policy.toml

  From a database, counted there (`evenhand sql --help` says more), or row by row through a pipe:
    evenhand audit --tally counts.parquet --attribute sex --decision targeted
    psql -c \"COPY customers TO STDOUT CSV HEADER\" | evenhand audit - -a sex -d targeted

Exit status:
  0  every criterion passes
  1  some criterion fails
  2  the audit could not be done
  3  none fails, but some is inconclusive

What a flag says wins over what the policy file says of the same thing.";

/// Compare groups of people in a batch and judge the differences by a policy.
///
/// The verdict is the exit status: 0 pass, 1 fail, 3 inconclusive, and 2 if the audit could not be done.
#[derive(Debug, Args)]
#[command(after_help = "`--help` has examples.", after_long_help = AUDIT_EXAMPLES)]
pub struct AuditArgs {
    /// Files that together are one batch: delimited text, plain or gzip, or Parquet. `-` is standard input.
    ///
    /// What a file is, is found from its content. Quoted globs such as 'daily/*.csv.gz' are expanded.
    #[arg(required_unless_present = "tally", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,

    /// Instead of rows, the counts that a database answered to the statement of `evenhand sql`; repeatable for the parts of
    /// one answer.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "files")]
    pub tally: Vec<PathBuf>,

    #[command(flatten)]
    pub columns: ColumnArgs,
    #[command(flatten)]
    pub groups: GroupArgs,
    #[command(flatten)]
    pub policy: PolicyArgs,
    #[command(flatten)]
    pub reading: ReadingArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

const CHART_EXAMPLES: &str = "\
Examples:
  evenhand audit campaign.csv -a sex -d targeted --format json --output report.json
  evenhand chart report.json                                   # the names of its charts
  evenhand chart report.json --chart sex/selection_rate --output sex.svg";

/// Write one chart of a report as an SVG file that stands alone, or list the charts that it has.
#[derive(Debug, Args)]
#[command(after_help = CHART_EXAMPLES)]
pub struct ChartArgs {
    /// The report, as `evenhand audit --format json` writes it.
    #[arg(value_name = "REPORT", value_hint = ValueHint::FilePath)]
    pub report: PathBuf,

    /// The chart; without it, the names of all charts are listed.
    #[arg(long, value_name = "NAME")]
    pub chart: Option<String>,

    /// Write to this file instead of to standard output.
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
}

const SQL_EXAMPLES: &str = "\
Examples:
  Count in DuckDB, audit the counts:
    evenhand sql --dialect duckdb --table customers -a sex -d targeted > count.sql
    duckdb shop.db \"COPY ($(cat count.sql)) TO 'counts.parquet'\"
    evenhand audit --tally counts.parquet -a sex -d targeted

  In PostgreSQL:
    evenhand sql --dialect postgres --table sales.customers -a sex -d targeted > count.sql
    psql -c \"COPY ($(cat count.sql)) TO STDOUT CSV HEADER\" > counts.csv
    evenhand audit --tally counts.csv -a sex -d targeted

Give the audit the same columns, levels, favourable values, missing texts and groups as the statement; its policy, thresholds
and numbers to select may be others.";

/// Write the SQL statement that counts a table where it lives, for `evenhand audit --tally`.
///
/// The database is asked for counts of groups; rows do not leave it. The statement goes to standard output.
#[derive(Debug, Args)]
#[command(after_help = SQL_EXAMPLES)]
pub struct SqlArgs {
    /// The SQL to write.
    #[arg(long, value_name = "DIALECT", value_parser = dialect())]
    pub dialect: Dialect,

    /// The table, as if quoted in SQL: capitals count, `schema.table` has two parts, 'schema."a.b"' too.
    #[arg(long, value_name = "NAME", value_parser = parsed::<TableName>)]
    pub table: TableName,

    #[command(flatten)]
    pub columns: ColumnArgs,
    #[command(flatten)]
    pub groups: GroupArgs,
    #[command(flatten)]
    pub policy: PolicyArgs,
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

    /// What a segment is worth to those in it, 'gold=25,silver=10'; repeatable.
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

    /// Prints nothing but errors; the exit status tells the verdict. A file by --output is still written.
    #[arg(short, long)]
    pub quiet: bool,

    /// No colours. The variable NO_COLOR does the same; only a terminal gets them.
    #[arg(long)]
    pub no_color: bool,

    /// Leaves the time out, so that the same data give the same bytes. SOURCE_DATE_EPOCH sets the time.
    #[arg(long)]
    pub no_timestamp: bool,
}

/// List metrics and criteria with formulas, needs, direction, sources and the names that peers use.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  evenhand metrics                          everything
  evenhand metrics equalized_odds           one of them
  evenhand metrics tpr                      what another toolkit calls tpr")]
pub struct MetricsArgs {
    /// A metric or criterion, or what a peer (fairlearn, aif360, aequitas, ...) calls it.
    pub name: Option<String>,

    /// The form of the list.
    #[arg(short, long, value_enum, default_value = "text")]
    pub format: ListFormat,
}

/// Look at a file and write a commented policy file to edit.
///
/// Guesses from names and values which columns say who people are, what was decided and what happened.
/// What is not sure is commented out. The file works as it is: `evenhand audit FILE --policy policy.toml`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  evenhand init campaign.csv                       writes policy.toml
  evenhand init campaign.csv --output - | less     only looks")]
pub struct InitArgs {
    /// The file to look at. `-` is standard input.
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    /// The policy file to write. `-` is standard output.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, default_value = "policy.toml")]
    pub output: PathBuf,

    /// Replaces a file of that name.
    #[arg(long)]
    pub force: bool,

    /// How many rows to look at.
    #[arg(long, value_name = "COUNT", default_value = "10000", value_parser = positive)]
    pub rows: usize,

    /// What separates fields: a character, or `tab`. Found from the file, if not given.
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    pub delimiter: Option<u8>,

    /// The first line is data: columns are named column_1, column_2, ...
    #[arg(long)]
    pub no_header: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people, at a terminal.
    Text,
    /// For programs: everything, to the last figure.
    Json,
    /// For a page or a pull request.
    Markdown,
    /// For a spreadsheet: one row a figure.
    Csv,
    /// For a browser: one file with charts, which opens anywhere without a connection.
    Html,
}

impl Format {
    /// The form asked for, or that of the file's name.
    pub fn of(asked: Option<Format>, output: Option<&Path>) -> Self {
        asked.unwrap_or(match crate::output::extension(output).as_deref() {
            Some("json") => Format::Json,
            Some("md" | "markdown") => Format::Markdown,
            Some("csv") => Format::Csv,
            Some("html" | "htm") => Format::Html,
            _ => Format::Text,
        })
    }
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

/// A `name=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    pub name: String,
    pub value: String,
}

/// A type of the library that reads itself. (clap would shorten a `FromStr` to the first cause; this keeps all.)
pub fn parsed<T: FromStr<Err = evenhand::Error>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|e: evenhand::Error| e.to_string())
}

pub fn assignment(text: &str) -> Result<Assignment, String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() && !value.trim().is_empty() => {
            Ok(Assignment { name: name.trim().into(), value: value.trim().into() })
        }
        _ => Err("it needs a name, `=` and a value, as in sex=female".into()),
    }
}

/// The names of the dialects, for help and completion too.
fn dialect() -> impl clap::builder::TypedValueParser<Value = Dialect> {
    let names = ["duckdb", "spark", "postgres", "bigquery", "snowflake", "ansi"];
    clap::builder::PossibleValuesParser::new(names).try_map(|name| name.parse::<Dialect>())
}

fn worth(text: &str) -> Result<(String, f64), String> {
    let wrong = || "it needs a segment, `=` and a number, as in gold=25".to_string();
    let (segment, value) = text.rsplit_once('=').ok_or_else(wrong)?;
    Ok((segment.trim().into(), finite(value.trim()).map_err(|_| wrong())?))
}

pub fn finite(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|v: &f64| v.is_finite()).ok_or_else(|| "it needs a number such as 0.5".into())
}

pub fn positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| "it needs a whole number of at least 1".into())
}

pub fn top(text: &str) -> Result<Top, String> {
    let wrong = || "it needs a number of rows such as 1000, or a share such as 10%".to_string();
    match text.trim().strip_suffix('%') {
        Some(percent) => {
            let percent: f64 = percent.trim().parse().map_err(|_| wrong())?;
            if percent > 0.0 && percent <= 100.0 { Ok(Top::Share(percent / 100.0)) } else { Err(wrong()) }
        }
        None => text.trim().parse().ok().filter(|n| *n > 0).map(Top::Count).ok_or_else(wrong),
    }
}

fn part(text: &str) -> Result<(String, String), String> {
    let wrong = || "it needs a segment, `=` and a column, as in gold=p_gold".to_string();
    let (segment, column) = text.split_once('=').ok_or_else(wrong)?;
    match (segment.trim(), column.trim()) {
        ("", _) | (_, "") => Err(wrong()),
        (segment, column) => Ok((segment.into(), column.into())),
    }
}

pub fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        _ if text.eq_ignore_ascii_case("tab") || text == "\\t" => Ok(b'\t'),
        [c] if c.is_ascii() && !matches!(c, b'"' | b'\n' | b'\r') => Ok(*c),
        _ => Err("it needs one character such as ; or the word tab".into()),
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

    #[test]
    fn values_read_as_people_write_them() {
        assert_eq!(top("1000"), Ok(Top::Count(1000)));
        assert_eq!(top("10%"), Ok(Top::Share(0.1)));
        assert!(top("0.1").is_err() && top("0").is_err() && top("120%").is_err() && top("NaN%").is_err());
        assert_eq!((delimiter(";"), delimiter("tab"), delimiter("\\t")), (Ok(b';'), Ok(b'\t'), Ok(b'\t')));
        assert!(delimiter("ab").is_err() && delimiter("é").is_err() && delimiter("\"").is_err());
        let over = assignment("income=>50K").unwrap();
        assert_eq!((over.name.as_str(), over.value.as_str()), ("income", ">50K"));
        assert!(assignment("income").is_err() && finite("inf").is_err());
    }
}
