//! The arguments of `evenhand metrics`.

use clap::Args;

use super::ListFormat;

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
