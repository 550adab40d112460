//! Which files: expands globs and opens them as one source.

use std::path::{Path, PathBuf};

use evenhand::data::source::Source;

use crate::failure::Failure;

/// The files that the arguments name, those of a glob in the order of their names.
pub fn expand(arguments: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for argument in arguments {
        match argument.to_str() {
            // A file may well be called `a[1].csv`: only what is not there is a pattern.
            Some(pattern) if pattern.contains(['*', '?', '[']) && !argument.exists() => {
                files.extend(matches(pattern)?);
            }
            _ => files.push(argument.clone()),
        }
    }
    Ok(files)
}

fn matches(pattern: &str) -> Result<Vec<PathBuf>, Failure> {
    let bad = |e: glob::PatternError| {
        Failure::new(format!("`{pattern}` is no pattern of file names: {e}"), "`*` stands for any characters")
    };
    let mut found = Vec::new();
    for path in glob::glob(pattern).map_err(bad)? {
        let path = path.map_err(|e| Failure::new(format!("cannot look through `{pattern}`: {e}"), "name the files"))?;
        if !path.is_dir() {
            found.push(path);
        }
    }
    if found.is_empty() {
        return Err(Failure::new(
            format!("no file matches `{pattern}`"),
            "`*` does not look into folders; `**/*.csv` does",
        ));
    }
    Ok(found)
}

/// Opens files as one batch.
pub fn open(files: &[PathBuf], delimiter: Option<u8>, no_header: bool) -> Result<Source, Failure> {
    if let Some(folder) = files.iter().find(|f| f.is_dir()) {
        let name = folder.display();
        return Err(Failure::new(format!("{name} is a folder"), format!("name its files, as in '{name}/*.csv'")));
    }
    if let Some(gone) = files.iter().find(|f| f.as_os_str() != "-" && !f.exists()) {
        return Err(absent(gone, files.len()));
    }
    Ok(Source::open(files)?.delimiter(delimiter).header(no_header.then_some(false)))
}

/// A file that is not there: what is there that is nearly called so, or what else may have been meant.
fn absent(file: &Path, named: usize) -> Failure {
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty());
    let there = std::fs::read_dir(folder.unwrap_or(Path::new("."))).into_iter().flatten().flatten();
    let wanted = file.file_name().unwrap_or_default().to_string_lossy();
    let nearest = there
        .filter(|entry| !entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .map(|name| (strsim::jaro_winkler(&wanted, &name), name))
        .filter(|(likeness, _)| *likeness > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(&a.1)));
    let hint = match nearest {
        Some((_, name)) => {
            format!("did you mean `{}`?", folder.map_or(PathBuf::new(), Path::to_path_buf).join(name).display())
        }
        None if named > 1 && file.extension().is_none() => {
            format!("if it is a column, it needs its option before it: `--attribute {wanted}`")
        }
        None => match std::env::current_dir() {
            Ok(here) if file.is_relative() => format!("it was looked for from {}", here.display()),
            _ => "check the path".into(),
        },
    };
    Failure::new(format!("cannot open {}: No such file or directory", file.display()), hint)
}

/// Whether a file to be written is one of those that are read.
pub fn is_input(output: &Path, files: &[PathBuf]) -> bool {
    let Ok(output) = output.canonicalize() else { return false };
    files.iter().filter_map(|f| f.canonicalize().ok()).any(|f| f == output)
}
