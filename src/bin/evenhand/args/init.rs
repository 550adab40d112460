//! The arguments of `evenhand init`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{delimiter, positive};

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
