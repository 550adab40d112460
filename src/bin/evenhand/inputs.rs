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
    Ok(Source::open(files)?.delimiter(delimiter).header(no_header.then_some(false)))
}

/// Whether a file to be written is one of those that are read.
pub fn is_input(output: &Path, files: &[PathBuf]) -> bool {
    let Ok(output) = output.canonicalize() else { return false };
    files.iter().filter_map(|f| f.canonicalize().ok()).any(|f| f == output)
}
