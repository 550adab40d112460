//! `evenhand audit`: files, columns and a policy in, a report and an exit status out.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use evenhand::Error;
use evenhand::audit::{AuditPlan, Verdict};
use evenhand::report::{Report, TextStyle};
use evenhand::tally::Limits;

use crate::args::AuditArgs;
use crate::failure::Failure;
use crate::format::Format;
use crate::inputs;
use crate::manner;
use crate::output::{self, Target};
use crate::progress::Bar;
use crate::settings::Settings;

/// More levels than this are hardly groups that somebody wanted to compare.
const MANY_LEVELS: usize = 50;

/// Audits, shows the report, and answers the exit status of its verdict.
pub fn run(args: &AuditArgs) -> Result<u8, Failure> {
    let settings = Settings::new(args)?;
    let path = args.output.output.as_deref();
    let format = Format::of(args.output.format, path);
    format.check(path.filter(|p| p.as_os_str() != "-"))?;
    let target = Target::of_report(path, &files(args)?, "one of the files to audit")?.zip(path);
    let report = report(args, &settings, words())?;

    let style = TextStyle {
        color: target.is_none() && manner::color(),
        width: manner::width(target.is_none()),
        full: args.output.full,
    };
    match target {
        Some((target, path)) => {
            target.write(&format.render(&report, style, Some(path))?)?;
            output::note(&format!("{}\nThe report is in {}.", report.summary, path.display()));
        }
        None if manner::quiet() => {}
        None if format == Format::Json => output::to_stdout_with(|out| report.write_json(out))?,
        None => output::to_stdout(&format.render(&report, style, None)?)?,
    }
    for attribute in report.data.attributes.iter().filter(|a| a.levels > MANY_LEVELS) {
        output::note(&format!(
            "note: `{name}` has {} levels, each a group; numbers are cut into bands by `--attribute '{name}:<=25,26-40,>40'`, \
             levels merged by `--attribute '{name}:West=CA+OR,Other=x'`",
            attribute.levels,
            name = attribute.column
        ));
    }
    if settings.policy.criteria.is_empty() {
        output::note("note: nothing was judged: the policy has no criteria and there is no decision for the usual one");
    }
    let status = status(report.verdict);
    // The process ends here: to take apart what is large would only take time.
    std::mem::forget(report);
    Ok(status)
}

fn files(args: &AuditArgs) -> Result<Vec<PathBuf>, Failure> {
    inputs::expand(if args.tally.is_empty() { &args.files } else { &args.tally })
}

/// The report, which tells the words of the command.
pub fn report(args: &AuditArgs, settings: &Settings, words: Vec<String>) -> Result<Report, Failure> {
    if let Some(threads) = args.reading.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build_global()
            .map_err(|e| Failure::new(format!("cannot start {threads} threads: {e}"), "ask for fewer"))?;
    }
    let plan = plan(args, settings, words)?;
    let source = inputs::open(&files(args)?, args.reading.delimiter, args.reading.no_header)?;
    let (source, bar) = Bar::watch(source);
    let report = if args.tally.is_empty() { plan.audit_files(&source) } else { plan.audit_counted(&source) };
    drop(bar);
    report.map_err(|e| explain(e, args, settings))
}

fn status(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Pass => 0,
        Verdict::Fail => 1,
        Verdict::Inconclusive => 3,
    }
}

fn plan(args: &AuditArgs, settings: &Settings, words: Vec<String>) -> Result<AuditPlan, Failure> {
    let mut plan = AuditPlan::new()
        .columns(settings.columns.clone())
        .policy(settings.policy.clone())
        .missing_as_group(settings.audit.missing_as_group)
        .command(command(&words));
    if let Some(order) = settings.audit.order {
        plan = plan.order(order.into());
    }
    if let Some(rule) = settings.audit.reference_rule {
        plan = plan.reference_rule(rule.into());
    }
    if let Some(seed) = settings.audit.seed {
        plan = plan.seed(seed);
    }
    if let Some(replicates) = settings.audit.replicates {
        plan = plan.replicates(replicates);
    }
    if let Some(points) = settings.audit.curves {
        plan = plan.curves(points);
    }
    if let Some(cells) = args.reading.max_cells {
        plan = plan.limits(Limits { max_cells: cells, ..Limits::default() });
    }
    if let Some(bytes) = args.reading.memory {
        plan = plan.memory(bytes);
    }
    for (attribute, level) in &settings.references {
        plan = plan.reference(attribute, level);
    }
    for group in &settings.groups {
        plan = plan.group(group.clone());
    }
    if !args.output.no_timestamp {
        plan = plan.created(now()?);
    }
    Ok(plan)
}

/// The words of the command line.
fn words() -> Vec<String> {
    let given = std::env::args_os().skip(1).map(|w: OsString| w.to_string_lossy().into_owned());
    std::iter::once("evenhand".into()).chain(given).collect()
}

/// The command as it could be typed again.
fn command(words: &[String]) -> String {
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
}

/// The last second of the year 9999: RFC 3339 goes no further.
const LAST_SECOND: u64 = 253_402_300_799;

/// The time in RFC 3339 UTC, or the one that SOURCE_DATE_EPOCH gives
/// (<https://reproducible-builds.org/specs/source-date-epoch/>).
fn now() -> Result<String, Failure> {
    let time = match std::env::var("SOURCE_DATE_EPOCH") {
        Err(_) => SystemTime::now(),
        Ok(text) => match text.trim().parse::<u64>() {
            Ok(seconds) if seconds <= LAST_SECOND => UNIX_EPOCH + Duration::from_secs(seconds),
            _ => {
                let message = format!("SOURCE_DATE_EPOCH is `{text}`; it needs seconds since 1970, such as 1735689600");
                return Err(Failure::new(message, "unset it, or leave the time out by `--no-timestamp`"));
            }
        },
    };
    Ok(humantime::format_rfc3339_seconds(time).to_string())
}

/// An error of the audit. What is named and not there is the policy file's fault where no flag named it.
fn explain(error: Error, args: &AuditArgs, settings: &Settings) -> Failure {
    if !args.tally.is_empty() && matches!(error, Error::MissingColumn { .. }) {
        let hint = "`--tally` reads what a database answered to `evenhand sql`; rows are named without it";
        return Failure::new(error.to_string(), hint);
    }
    let flagged = !args.groups.reference.is_empty() || !args.groups.groups.is_empty();
    let of_file = matches!(&error, Error::Unknown { context, .. } if context.contains("in the policy") || !flagged);
    match &settings.file {
        Some(file) if of_file => Failure::from(error).in_policy(file),
        _ => error.into(),
    }
}
