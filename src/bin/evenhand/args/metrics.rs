//! The arguments of `evenhand metrics`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::ListFormat;

/// List metrics and criteria with formulas, needs, direction, sources and the names that peers use.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  evenhand metrics                          everything
  evenhand metrics equalized_odds           one of them
  evenhand metrics tpr                      what another toolkit calls tpr
  evenhand metrics --pages measures         a folder of pages, in Markdown")]
pub struct MetricsArgs {
    /// A metric or criterion, or what a peer (fairlearn, aif360, aequitas, ...) calls it.
    pub name: Option<String>,

    /// The form of the list.
    #[arg(short, long, value_enum, default_value = "text")]
    pub format: ListFormat,

    /// Writes everything as pages of Markdown into a folder instead, one for each kind and one that leads to them. Pages of
    /// these names are replaced.
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, conflicts_with_all = ["name", "format"])]
    pub pages: Option<PathBuf>,
}
