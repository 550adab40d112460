//! `evenhand chart`: a report in, one of its charts out.

use std::fs;

use evenhand::report::Report;

use crate::args::ChartArgs;
use crate::failure::Failure;
use crate::output::{self, Target};

/// Lists the charts of the report, or writes one.
pub fn run(args: &ChartArgs) -> Result<(), Failure> {
    let path = &args.report;
    let files = std::slice::from_ref(path);
    let target = Target::of_report(args.output.as_deref(), files, "the report that is read")?;
    let text = fs::read_to_string(path).map_err(|e| {
        let message = format!("cannot read {}: {e}", path.display());
        Failure::new(message, "name a report that `evenhand audit --format json` wrote")
    })?;
    if output::extension(args.output.as_deref()).as_deref() == Some("png") {
        let hint = "name a file that ends in .svg; every browser shows it, and SVG converters make a PNG of it";
        return Err(Failure::new("charts are written as SVG", hint));
    }
    let report = Report::from_json(&text)?;
    let written = match &args.chart {
        Some(name) => report.to_svg(name)?.into_bytes(),
        None => report.charts().iter().map(|name| format!("{name}\n")).collect::<String>().into_bytes(),
    };
    output::deliver(target.as_ref(), &written)
}
