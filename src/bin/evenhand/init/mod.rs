//! `evenhand init`: looks at the first rows of a file and writes a policy file to edit.

mod roles;
mod template;
mod walk;

use evenhand::Place;

use crate::args::InitArgs;
use crate::failure::Failure;
use crate::inputs;
use crate::manner;
use crate::output::{self, Target};

pub fn run(args: &InitArgs) -> Result<(), Failure> {
    let files = inputs::expand(std::slice::from_ref(&args.file))?;
    let shown = args.output.as_os_str() == "-";
    if !shown && inputs::is_input(&args.output, &files) {
        let message = format!("{} is the file to look at", args.output.display());
        return Err(Failure::new(message, "a policy would replace your data; name another file by `--output`"));
    }
    let target = if shown { None } else { Some(Target::new(&args.output, args.force)?) };
    let sample = inputs::open(&files, args.delimiter, args.no_header)?.sample(args.rows)?;
    let rows = sample.values.first().map_or(0, Vec::len);
    if rows == 0 {
        let place = Place { file: files.first().cloned(), row: None };
        return Err(evenhand::Error::Nothing { problem: "it has no rows to look at", place }.into());
    }
    let guess = roles::guess(&sample);
    let command = command(args);
    let text = template::policy(&args.file.to_string_lossy(), rows, rows < args.rows, &command, &guess);
    let Some(target) = target else { return output::to_stdout(text.as_bytes()) };
    target.write(text.as_bytes())?;
    let looked = if rows < args.rows { "all" } else { "the first" };
    let rows = indicatif::HumanCount(rows as u64);
    output::note(&format!(
        "{}: {looked} {rows} rows, {} columns\n\n{}\nWrote {}. Read it, change it, then run\n  {command}",
        args.file.display(),
        guess.columns.len(),
        walk::told(&guess, manner::width_of_errors().unwrap_or(80)),
        args.output.display(),
    ));
    Ok(())
}

/// The audit that the policy file is for.
fn command(args: &InitArgs) -> String {
    let mut words = vec!["evenhand".to_string(), "audit".into(), args.file.to_string_lossy().into_owned()];
    let policy = if args.output.as_os_str() == "-" { "policy.toml".into() } else { args.output.to_string_lossy() };
    words.extend(["--policy".into(), policy.into_owned()]);
    if let Some(delimiter) = args.delimiter {
        let named = if delimiter == b'\t' { "tab".into() } else { char::from(delimiter).to_string() };
        words.extend(["--delimiter".into(), named]);
    }
    if args.no_header {
        words.push("--no-header".into());
    }
    let plain = words.join(" ");
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or(plain)
}
