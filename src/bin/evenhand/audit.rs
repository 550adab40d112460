//! `evenhand audit`: files, columns and a policy in, a report and an exit status out.

use std::ffi::OsString;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use evenhand::Error;
use evenhand::audit::{AuditPlan, Verdict};
use evenhand::report::TextStyle;
use evenhand::tally::Limits;

use crate::args::AuditArgs;
use crate::failure::Failure;
use crate::format::Format;
use crate::inputs;
use crate::output::{self, Target};
use crate::progress::Bar;
use crate::settings::Settings;

/// Audits, shows the report, and answers the exit status of its verdict.
pub fn run(args: &AuditArgs) -> Result<u8, Failure> {
    let settings = Settings::new(args)?;
    let counted = !args.tally.is_empty();
    let files = inputs::expand(if counted { &args.tally } else { &args.files })?;
    let path = args.output.output.as_deref();
    let format = Format::of(args.output.format, path);
    format.check(path.filter(|p| p.as_os_str() != "-"))?;
    let target = Target::of_report(path, &files, "one of the files to audit")?.zip(path);
    if let Some(threads) = args.reading.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build_global()
            .map_err(|e| Failure::new(format!("cannot start {threads} threads: {e}"), "ask for fewer"))?;
    }

    let plan = plan(args, &settings)?;
    let source = inputs::open(&files, args.reading.delimiter, args.reading.no_header)?;
    let (source, bar) = Bar::watch(source, args.output.quiet);
    let report = if counted { plan.audit_counted(&source) } else { plan.audit_files(&source) };
    let report = report.map_err(|e| explain(e, args, &settings))?;
    drop(bar);

    let style = TextStyle {
        color: target.is_none() && output::color(args.output.no_color),
        width: output::width(target.is_none()),
        full: args.output.full,
    };
    match target {
        Some((target, path)) => {
            target.write(&format.render(&report, style, Some(path))?)?;
            if !args.output.quiet {
                output::note(&format!("{}\nThe report is in {}.", report.summary, path.display()));
            }
        }
        None if args.output.quiet => {}
        None => output::to_stdout(&format.render(&report, style, None)?)?,
    }
    if settings.policy.criteria.is_empty() && !args.output.quiet {
        output::note("note: nothing was judged: the policy has no criteria and there is no decision for the usual one");
    }
    Ok(status(report.verdict))
}

fn status(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Pass => 0,
        Verdict::Fail => 1,
        Verdict::Inconclusive => 3,
    }
}

fn plan(args: &AuditArgs, settings: &Settings) -> Result<AuditPlan, Failure> {
    let mut plan = AuditPlan::new()
        .columns(settings.columns.clone())
        .policy(settings.policy.clone())
        .missing_as_group(settings.audit.missing_as_group)
        .command(command());
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

/// The command as it could be typed again.
fn command() -> String {
    let mut words: Vec<String> = std::env::args_os().map(|w: OsString| w.to_string_lossy().into_owned()).collect();
    if let Some(tool) = words.first_mut() {
        *tool = "evenhand".into();
    }
    let plain = words.join(" ");
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or(plain)
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
    let flagged = !args.groups.reference.is_empty() || !args.groups.groups.is_empty();
    let of_file = matches!(&error, Error::Unknown { context, .. } if context.contains("in the policy") || !flagged);
    match &settings.file {
        Some(file) if of_file => Failure::from(error).in_policy(file),
        _ => error.into(),
    }
}
