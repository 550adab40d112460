//! `evenhand compare`: two reports in, what changed and an exit status out.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum, ValueHint};
use evenhand::Error;
use evenhand::compare::{Changes, Compare, Effect};
use evenhand::report::{Report, TextStyle};

use crate::args::{Assignment, assignment, finite};
use crate::failure::Failure;
use crate::manner;
use crate::output::{self, Target};

const EXAMPLES: &str = "\
Examples:
  Did the campaign get worse from May to June?
    evenhand audit may.csv -a sex -d targeted --output may.json
    evenhand audit june.csv -a sex -d targeted --output june.json
    evenhand compare may.json june.json

  The next model against the one in use, as a page with charts:
    evenhand compare live.json next.json --model logit=boosted -o changes.html

  Two models of one report:
    evenhand compare both.json both.json --model old=new

Exit status:
  0  nothing got worse
  1  a verdict turned to fail, or a disparity is shown to be worse
  2  the comparison could not be done

Intervals are those of two batches without a row in common. Where both are of the same rows, the text says so.";

/// Compare two reports: what got worse, what better, and what cannot be compared.
///
/// Reads two reports as `evenhand audit --format json` writes them, the earlier one first. Every finding, disparity and
/// group figure that both have is shown before and after, with an interval of the difference; p-values are adjusted by Holm.
#[derive(Debug, Args)]
#[command(after_help = "`--help` has examples.", after_long_help = EXAMPLES)]
pub struct CompareArgs {
    /// The earlier report, in JSON. `-` is standard input.
    #[arg(value_name = "BEFORE", value_hint = ValueHint::FilePath)]
    before: PathBuf,

    /// The later report, in JSON.
    #[arg(value_name = "AFTER", value_hint = ValueHint::FilePath)]
    after: PathBuf,

    /// A model of the earlier report and the one of the later that it is compared with; repeatable. Those of the same name, or
    /// the one model of either, if not given.
    #[arg(long = "model", value_name = "BEFORE=AFTER", value_parser = assignment)]
    models: Vec<Assignment>,

    /// The confidence of intervals. [default: that of the later report]
    #[arg(long, allow_negative_numbers = true, value_name = "SHARE", value_parser = finite)]
    confidence: Option<f64>,

    /// The form of the result. By the name of the output file, or else text.
    #[arg(short, long, value_enum)]
    format: Option<Form>,

    /// Writes the result to a file, not to standard output. A file of that name is replaced.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,

    /// Shows every finding, disparity and group in a result as text.
    #[arg(long)]
    full: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people, at a terminal.
    Text,
    /// For programs: everything, to the last figure.
    Json,
    /// For a page or a pull request.
    Markdown,
    /// For a browser: one file with charts, which opens anywhere without a connection.
    Html,
}

/// Compares, shows what changed, and answers 1 where something got worse.
pub fn run(args: &CompareArgs) -> Result<u8, Failure> {
    let files = [args.before.clone(), args.after.clone()];
    let path = args.output.as_deref();
    let target = Target::of_report(path, &files, "one of the reports to compare")?.zip(path);
    if files.iter().all(|f| f.as_os_str() == "-") {
        return Err(Failure::new("both reports are standard input", "name a file for one of them"));
    }
    let (before, after) = (read(&args.before)?, read(&args.after)?);
    let named =
        |path: &Path| if path.as_os_str() == "-" { "standard input".into() } else { path.display().to_string() };
    let mut compare = Compare::new().names(named(&args.before), named(&args.after));
    for model in &args.models {
        compare = compare.model(&model.name, &model.value);
    }
    if let Some(confidence) = args.confidence {
        compare = compare.confidence(confidence);
    }
    let changes = compare.run(&before, &after)?;
    let style = TextStyle {
        color: target.is_none() && manner::color(),
        width: manner::width(target.is_none()),
        full: args.full,
    };
    let form = args.format.unwrap_or(match output::extension(path).as_deref() {
        Some("json") => Form::Json,
        Some("md" | "markdown") => Form::Markdown,
        Some("html" | "htm") => Form::Html,
        _ => Form::Text,
    });
    match target {
        Some((target, path)) => {
            target.write(render(&changes, form, style)?.as_bytes())?;
            output::note(&format!("{}\nThe comparison is in {}.", changes.summary, path.display()));
        }
        None if manner::quiet() => {}
        None => output::to_stdout(render(&changes, form, style)?.as_bytes())?,
    }
    Ok(u8::from(changes.effect == Effect::Worse))
}

/// A report; every fault names the file.
fn read(path: &Path) -> Result<Report, Failure> {
    let name = path.display();
    let cannot = |e: std::io::Error| Failure::from(Error::Io { action: "read", path: path.into(), source: e });
    let text = if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(path)
    };
    let text = match text {
        Err(e) if e.kind() == std::io::ErrorKind::InvalidData => return Err(not_a_report(path, "it is not text")),
        text => text.map_err(cannot)?,
    };
    match Report::from_json(&text) {
        Err(Error::BadReport { problem }) => Err(not_a_report(path, &problem)),
        Err(e) => Err(Failure::new(format!("in {name}: {e}"), "make it again")),
        Ok(report) => Ok(report),
    }
}

fn not_a_report(path: &Path, problem: &str) -> Failure {
    let message = format!("{} cannot be read as a report: {problem}", path.display());
    Failure::new(message, "`evenhand audit FILE ... --format json --output report.json` writes one")
}

fn render(changes: &Changes, form: Form, style: TextStyle) -> Result<String, Failure> {
    Ok(match form {
        Form::Text => changes.to_text(style),
        Form::Json => changes.to_json()?,
        Form::Markdown => changes.to_markdown(),
        Form::Html => changes.to_html()?,
    })
}
