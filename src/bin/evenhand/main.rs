//! The `evenhand` command-line tool: reads arguments, calls the library, shows its report and answers
//! by exit status. It computes no statistic of its own.

mod args;
mod audit;
mod compare;
mod delivery;
mod failure;
mod format;
mod init;
mod inputs;
mod metrics;
mod mitigate;
mod output;
mod progress;
mod settings;
mod sql;
mod uplift;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use clap_complete::Shell;

use args::{Cli, Command};
use failure::Failure;

/// The audit could not be done. Usage errors end with it too: that is clap's own status for them.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            // Where even stderr is closed, the exit status still tells.
            let _ = write!(std::io::stderr(), "{failure}");
            ExitCode::from(FAILED)
        }
    }
}

fn run(command: Command) -> Result<u8, Failure> {
    match command {
        Command::Audit(args) => audit::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Sql(args) => sql::run(&args).map(|()| 0),
        Command::Metrics(args) => metrics::run(&args).map(|()| 0),
        Command::Init(args) => init::run(&args).map(|()| 0),
        Command::Uplift(args) => uplift::run(&args).map(|()| 0),
        Command::Delivery(args) => delivery::run(&args).map(|()| 0),
        Command::Mitigate(args) => mitigate::run(&args).map(|()| 0),
        Command::Completions { shell } => completions(shell).map(|()| 0),
    }
}

fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "evenhand", &mut script);
    output::to_stdout(&script)
}
