//! `evenhand man` and `evenhand completions`: what the help says, for `man` and for shells.

use std::io;
use std::path::PathBuf;

use clap::{Args, Command, CommandFactory, ValueHint};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::args::Cli;
use crate::failure::Failure;
use crate::output::{self, Target};

/// Print or write the manual pages.
///
/// They say what `--help` says, in the form that `man` reads.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  evenhand man audit | man -l -                     reads one
  evenhand man --output ~/.local/share/man/man1     installs all of them")]
pub struct ManArgs {
    /// The command whose page is printed, such as `audit` or `mitigate reweight`; the tool's own, if none is named.
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,

    /// Writes the pages of all commands into a folder, which is made if it is not there. Pages of these names are replaced.
    #[arg(short, long, value_name = "FOLDER", value_hint = ValueHint::DirPath, conflicts_with = "command")]
    output: Option<PathBuf>,
}

pub fn run(args: &ManArgs) -> Result<(), Failure> {
    let mut tool = Cli::command().disable_help_subcommand(true);
    tool.build();
    let Some(folder) = &args.output else {
        return output::to_stdout(&page(find(&tool, &args.command)?)?);
    };
    std::fs::create_dir_all(folder).map_err(|e| Failure::unwritable(folder, &e))?;
    let mut commands = vec![&tool];
    let mut written = 0;
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands());
        let name = command.get_display_name().unwrap_or(command.get_name());
        Target::new(&folder.join(format!("{name}.1")), true)?.write(&page(command)?)?;
        written += 1;
    }
    output::note(&format!("{written} pages are in {}.", folder.display()));
    Ok(())
}

/// The command of that name, in which the tool's own may be left out.
fn find<'a>(tool: &'a Command, names: &[String]) -> Result<&'a Command, Failure> {
    let mut found = tool;
    for name in names.iter().skip_while(|name| *name == "evenhand") {
        let there: Vec<&str> = found.get_subcommands().map(Command::get_name).collect();
        found = found.find_subcommand(name).ok_or_else(|| {
            Failure::new(
                format!("`{}` has no command `{name}`", found.get_name()),
                match there.as_slice() {
                    [] => "it has none at all".to_string(),
                    there => format!("it has {}", there.join(", ")),
                },
            )
        })?;
    }
    Ok(found)
}

fn page(command: &Command) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    let man = Man::new(command.clone());
    let unwritable = |e: io::Error| Failure::new(format!("cannot write the page: {e}"), "`--help` says the same");
    man.render(&mut page).map_err(unwritable)?;
    Ok(as_typed(&String::from_utf8_lossy(&page)).into_bytes())
}

/// What stands behind the options is examples above all: lines to copy, which must not be filled or set in.
fn as_typed(page: &str) -> String {
    let Some((options, rest)) = page.split_once(".SH EXTRA\n") else { return page.into() };
    let (examples, rest) = rest.split_at(rest.find("\n.SH ").map_or(rest.len(), |at| at + 1));
    format!("{options}.SH EXAMPLES\n.in 0\n.nf\n{examples}.fi\n{rest}")
}

pub fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "evenhand", &mut script);
    output::to_stdout(&script)
}
