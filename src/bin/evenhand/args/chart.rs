//! What `evenhand chart` takes.

use std::path::PathBuf;

use clap::{Args, ValueHint};

const CHART_EXAMPLES: &str = "\
Examples:
  evenhand audit campaign.csv -a sex -d targeted --output report.json
  evenhand chart report.json               # the names of its charts
  evenhand chart report.json --chart sex/selection_rate --output sex.svg
  evenhand chart report.json --chart findings --output findings.png";

/// Write one chart of a report as an SVG or PNG file that stands alone, or list the charts that it has.
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
