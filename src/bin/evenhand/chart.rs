//! `evenhand chart`: a report in, one of its charts out.

use std::fs;

use evenhand::report::Report;

use crate::args::ChartArgs;
use crate::failure::Failure;
use crate::output::{self, Target};

/// Pixels for one of the SVG: sharp on most screens.
const SHARP: f32 = 2.0;

/// Lists the charts of the report, or writes one.
pub fn run(args: &ChartArgs) -> Result<(), Failure> {
    let path = &args.report;
    let files = std::slice::from_ref(path);
    let target = Target::of_report(args.output.as_deref(), files, "the report that is read")?;
    let text = fs::read_to_string(path).map_err(|e| {
        let message = format!("cannot read {}: {e}", path.display());
        Failure::new(message, "name a report that `evenhand audit --format json` wrote")
    })?;
    let report = Report::from_json(&text)?;
    let written = match &args.chart {
        Some(name) if output::extension(args.output.as_deref()).as_deref() == Some("png") => {
            report.to_png(name, SHARP)?
        }
        Some(name) => report.to_svg(name)?.into_bytes(),
        None => report.charts().iter().map(|name| format!("{name}\n")).collect::<String>().into_bytes(),
    };
    output::deliver(target.as_ref(), &written)
}
