//! `evenhand demo`: a first audit, of the batch that the tool carries with it.

use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, ValueHint};
use evenhand::report::Report;

use crate::args::{Cli, Command};
use crate::audit;
use crate::failure::Failure;
use crate::manner;
use crate::output::{self, Target};
use crate::settings::Settings;

/// See a first audit: of a batch that comes with the tool.
///
/// Writes the batch, a policy, and the report as a page and as JSON into a folder, tells what was found, and what to do
/// next. It needs no file, asks nothing of the network and opens nothing. Its exit status is 0, whatever the verdict.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  evenhand demo                            writes to ./evenhand-demo
  evenhand demo --output /tmp/first-look   writes there")]
pub struct DemoArgs {
    /// The folder to write to; it is made if it is not there.
    #[arg(short, long, value_name = "FOLDER", value_hint = ValueHint::DirPath, default_value = "evenhand-demo")]
    output: PathBuf,

    /// Replaces what an earlier demo wrote there.
    #[arg(long)]
    force: bool,
}

/// 24,421 customers: `datasets/README.md` says where they are from.
const OFFERS: &[u8] = include_bytes!("../../../datasets/adult_offers.csv.gz");

const POLICY: &str = "\
# What the bank of the demo allows. `evenhand init FILE` writes such a file for data of yours,
# with every setting explained.
name = \"premium offer\"

# Groups are offered the card at rates of which the lowest is at least four fifths of the highest.
[[criteria]]
metric = \"disparate_impact\"
comparison = \"ratio\"
minimum = 0.8
attributes = [\"sex\", \"race\"]

# Of those who would say yes, all groups are offered it alike, to within 5 points.
[[criteria]]
metric = \"equal_opportunity\"
comparison = \"difference\"
maximum = 0.05
attributes = [\"sex\", \"race\"]

[columns]
attributes = [\"sex\", \"race\", \"age:<=25,26-40,41-60,>60\"]
decisions = [\"targeted\"]
label = \"responded\"
scores = [\"propensity\"]

# What other thresholds and budgets would do, at so many points of each.
[audit]
curves = 60
";

/// What the demo writes, known to be writable before it begins.
struct Files {
    offers: (PathBuf, Target),
    policy: (PathBuf, Target),
    json: (PathBuf, Target),
    html: (PathBuf, Target),
}

pub fn run(args: &DemoArgs) -> Result<(), Failure> {
    std::fs::create_dir_all(&args.output).map_err(|e| Failure::unwritable(&args.output, &e))?;
    let file = |name: &str| -> Result<_, Failure> {
        let path = args.output.join(name);
        let target = Target::new(&path, args.force)?;
        Ok((path, target))
    };
    let files = Files {
        offers: file("offers.csv")?,
        policy: file("policy.toml")?,
        json: file("report.json")?,
        html: file("report.html")?,
    };
    files.offers.1.write(&offers()?)?;
    files.policy.1.write(POLICY.as_bytes())?;
    let command = ["evenhand", "audit"].map(String::from).into_iter();
    let command: Vec<String> =
        command.chain([shown(&files.offers.0), "--policy".into(), shown(&files.policy.0)]).collect();
    let report = audited(&command)?;
    files.json.1.write(report.to_json()?.as_bytes())?;
    files.html.1.write(report.to_html()?.as_bytes())?;
    if manner::quiet() {
        return Ok(());
    }
    output::to_stdout(story(&report, &files, &command)?.as_bytes())
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn offers() -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    let read = flate2::read::GzDecoder::new(OFFERS).read_to_end(&mut text);
    read.map_err(|e| Failure::new(format!("the batch of the demo cannot be unpacked: {e}"), "please report it"))?;
    Ok(text)
}

/// The report that the command makes.
fn audited(command: &[String]) -> Result<Report, Failure> {
    let wrong = |e: String| Failure::new(format!("the audit of the demo cannot be read: {e}"), "please report it");
    match Cli::try_parse_from(command).map_err(|e| wrong(e.to_string()))?.command {
        Command::Audit(args) => audit::report(&args, &Settings::new(args.as_ref())?, command.to_vec()),
        _ => Err(wrong(command.join(" "))),
    }
}

fn story(report: &Report, files: &Files, command: &[String]) -> Result<String, Failure> {
    let width = manner::width(true);
    let mut out = String::new();
    let mut say = |text: &str| {
        let _ = writeln!(out, "{}", manner::wrap(text, 0, 0, width));
    };
    say(&format!(
        "A bank scores {} customers and offers its premium card to those whom a model rates best. The model was never told \
         who is a woman. Was that enough?\n",
        indicatif::HumanCount(report.data.rows)
    ));
    let rate = |metric: &str, group: &str| -> Result<String, Failure> {
        let value = report.metric(metric)?.group(group)?.value();
        Ok(value.map_or_else(|why| why.to_string(), |v| format!("{:.1} %", 100.0 * v)))
    };
    for group in ["Male", "Female"] {
        let [offered, found] = ["selection_rate", "true_positive_rate"].map(|m| rate(m, group));
        say(&format!("  {group:<7} {:>7} get the offer, {:>7} of those who would have said yes", offered?, found?));
    }
    say("");
    say(&report.summary);
    let command = shlex::try_join(command.iter().map(String::as_str)).unwrap_or_else(|_| command.join(" "));
    let _ = write!(
        out,
        "\nThe report\n  {}   for a browser, with charts\n  {}   for programs\n\
         \nThe same at this terminal; change the policy, and run it again\n  {command}\n\
         \nThen a file of yours\n  evenhand init customers.csv\n\n",
        files.html.0.display(),
        files.json.0.display(),
    );
    let source = "The people are real, of the United States census of 1994 (Adult, UCI Machine Learning Repository, \
                  CC BY 4.0, changed); the bank and its offer are made up.";
    let _ = writeln!(out, "{}", manner::wrap(source, 0, 0, width));
    Ok(out)
}
