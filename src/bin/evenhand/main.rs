//! The `evenhand` command-line tool: reads arguments, calls the library, shows its report and answers
//! by exit status. It computes no statistic of its own.

mod args;
mod audit;
mod chart;
mod compare;
mod delivery;
mod demo;
mod failure;
mod format;
mod init;
mod inputs;
mod interrupt;
mod manner;
mod manual;
mod metrics;
mod mitigate;
mod output;
mod progress;
mod settings;
mod sql;
mod uplift;

use std::io::Write;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{ColorChoice, CommandFactory, FromArgMatches};

use args::{Cli, Command};
use failure::Failure;

/// The audit could not be done. Usage errors end with it too: that is clap's own status for them.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let _temporary = interrupt::watch();
    let color = if manner::refused() { ColorChoice::Never } else { ColorChoice::Auto };
    let matches = Cli::command().color(color).try_get_matches().unwrap_or_else(|e| misread(&e));
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|e| misread(&e));
    manner::keep(cli.manner);
    match run(cli.command) {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            failure.tell();
            ExitCode::from(FAILED)
        }
    }
}

/// Help that was asked for, or what is wrong with the arguments.
fn misread(error: &clap::Error) -> ! {
    if !error.use_stderr() {
        error.exit();
    }
    if let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidSubcommand)
        && std::path::Path::new(name).exists()
    {
        let hint = format!(
            "`evenhand init {name}` looks at it; `evenhand audit {name} --attribute COLUMN --decision COLUMN` audits it"
        );
        Failure::new(format!("`{name}` is a file, not a command"), hint).tell();
        std::process::exit(FAILED.into());
    }
    let text = error.render();
    let text = if manner::color_of_errors() && !manner::refused() { text.ansi().to_string() } else { text.to_string() };
    let width = manner::width_of_errors().unwrap_or(usize::MAX);
    for line in text.lines() {
        let _ = writeln!(std::io::stderr(), "{}", manner::wrap(line, 0, 2, width));
    }
    std::process::exit(FAILED.into());
}

fn run(command: Command) -> Result<u8, Failure> {
    match command {
        Command::Audit(args) => audit::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Demo(args) => demo::run(&args).map(|()| 0),
        Command::Sql(args) => sql::run(&args).map(|()| 0),
        Command::Metrics(args) => metrics::run(&args).map(|()| 0),
        Command::Init(args) => init::run(&args).map(|()| 0),
        Command::Uplift(args) => uplift::run(&args).map(|()| 0),
        Command::Delivery(args) => delivery::run(&args).map(|()| 0),
        Command::Mitigate(args) => mitigate::run(&args).map(|()| 0),
        Command::Chart(args) => chart::run(&args).map(|()| 0),
        Command::Completions { shell } => manual::completions(shell).map(|()| 0),
        Command::Man(args) => manual::run(&args).map(|()| 0),
    }
}
