//! The arguments of `evenhand audit`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{ColumnArgs, GroupArgs, OutputArgs, PolicyArgs, ReadingArgs};

const AUDIT_EXAMPLES: &str = "\
Examples:
  Did the campaign select women and men at like rates? (The four-fifths rule.)
    evenhand audit campaign.csv --attribute sex --decision targeted

  Of those who would have responded, were all groups targeted alike? By sex, age
  band and both:
    evenhand audit campaign.csv --attribute sex \\
        --attribute 'age:<=25,26-40,>40' --label responded --decision targeted \\
        --preset equal-opportunity

  What if the best 10 % by score were selected, or all above 0.5? (Two models in
  one report.)
    evenhand audit scores.parquet --attribute sex --score propensity --top 10% \\
        --threshold 0.5

  Compare within regions, with men as the reference group, and keep the report:
    evenhand audit 'daily/*.csv.gz' --attribute sex --decision targeted \\
        --stratum region --reference sex=male --output report.md

  Only adults in two countries (the report says how many rows were left out):
    evenhand audit campaign.parquet -a sex -d targeted \\
        --where \"country in ('DE', 'AT') and age >= 18\"

  A job on GitHub that shows findings, and a list of tests for any other pipeline:
    evenhand audit campaign.csv -a sex -d targeted --format github
    evenhand audit campaign.csv -a sex -d targeted --output findings.xml

  Charts for a browser, in one file:
    evenhand audit campaign.csv --attribute sex --decision targeted \\
        --format html --output report.html

  Who ends in which customer segment, and what is that worth to them?
    evenhand audit customers.csv --attribute sex --segment tier \\
        --segment-order basic,silver,gold --segment-value basic=0,silver=10,gold=25

  Write a policy file once, audit every batch by it:
    evenhand init campaign.csv --output policy.toml
    evenhand audit campaign.csv --policy policy.toml

  From a database, counted there (`evenhand sql --help` says more), or row by
  row through a pipe:
    evenhand audit --tally counts.parquet --attribute sex --decision targeted
    psql -c \"COPY customers TO STDOUT CSV HEADER\" \\
        | evenhand audit - -a sex -d targeted

Exit status:
  0  every criterion passes
  1  some criterion fails
  2  the audit could not be done
  3  none fails, but some is inconclusive

Which setting wins:
  A flag wins over the policy file, the file over the default that stands beside
  each option here. A flag that can be repeated replaces the list of the file,
  once or more; `--reference` and `--favorable` replace what it says of that
  attribute or column, and `--missing` adds to its texts. `--preset` stands
  in place of a policy file: the two cannot be given together.";

/// Compare groups of people in a batch and judge the differences by a policy.
///
/// The verdict is the exit status: 0 pass, 1 fail, 3 inconclusive, and 2 if the audit could not be done.
#[derive(Debug, Args)]
#[command(after_help = "`--help` has examples.", after_long_help = AUDIT_EXAMPLES)]
pub struct AuditArgs {
    /// Files that together are one batch: delimited text (plain, gzip, zstd), Parquet or Arrow. `-` is standard input.
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
