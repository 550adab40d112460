//! Where the result goes: standard output, or a file that appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::{inputs, interrupt, manner};

/// Writes to standard output. Who reads it may stop reading: that is no error.
pub fn to_stdout(bytes: &[u8]) -> Result<(), Failure> {
    to_stdout_with(|out| out.write_all(bytes))
}

/// As [`to_stdout`], piece by piece.
pub fn to_stdout_with(write: impl FnOnce(&mut io::StdoutLock) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match write(&mut out).and_then(|()| out.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Failure::unwritable(Path::new("standard output"), &e)),
        _ => Ok(()),
    }
}

/// Ends of names that promise a form which reports do not have.
const NO_FORMS: [&str; 9] = ["pdf", "doc", "docx", "odt", "xls", "xlsx", "ods", "ppt", "pptx"];

/// Writes a report to the file and says so, or to standard output where there is none and somebody listens.
pub fn deliver(target: Option<&Target>, bytes: &[u8]) -> Result<(), Failure> {
    match target {
        Some(target) => {
            target.write(bytes)?;
            note(&format!("The report is in {}.", target.name));
            Ok(())
        }
        None if manner::quiet() => Ok(()),
        None => to_stdout(bytes),
    }
}

/// The end of a file's name that tells its form, in small letters.
pub fn extension(output: Option<&Path>) -> Option<String> {
    output.and_then(Path::extension).map(|e| e.to_string_lossy().to_lowercase())
}

/// A word to who runs the tool, on standard error, unless it is to be quiet.
pub fn note(text: &str) {
    if manner::quiet() {
        return;
    }
    let width = manner::width_of_errors().unwrap_or(usize::MAX);
    let lines = text.lines().map(|line| manner::wrap(line, 0, 2, width) + "\n");
    let _ = io::stderr().write_all(lines.collect::<String>().as_bytes());
}

/// A file to be written, known to be writable before the work begins.
#[derive(Debug)]
pub struct Target {
    path: PathBuf,
    /// As it was given.
    name: String,
    /// Pipes and devices cannot be replaced: they are written to.
    special: bool,
    replace: bool,
}

impl Target {
    /// Of a report on `files`; none where it goes to standard output. `reader` says what a file is that it would replace.
    pub fn of_report(output: Option<&Path>, files: &[PathBuf], reader: &str) -> Result<Option<Self>, Failure> {
        let extension = extension(output).unwrap_or_default();
        if NO_FORMS.contains(&extension.as_str()) {
            let hint = "a name that ends in .html, .md, .json, .csv or .txt says the form; browsers print pages as PDF";
            return Err(Failure::new(format!("there is no report in the form `{extension}`"), hint));
        }
        Self::apart(output, files, reader, "a report")
    }

    /// As [`of_report`](Self::of_report), of rows made from those of `files`.
    pub fn of_rows(output: &Path, files: &[PathBuf]) -> Result<Option<Self>, Failure> {
        Self::apart(Some(output), files, "one of the files that are read", "the copy")
    }

    fn apart(output: Option<&Path>, files: &[PathBuf], reader: &str, what: &str) -> Result<Option<Self>, Failure> {
        match output {
            Some(path) if path.as_os_str() == "-" => Ok(None),
            Some(path) if inputs::is_input(path, files) => {
                let message = format!("{} is {reader}", path.display());
                Err(Failure::new(message, format!("{what} would replace your data; name another file by `--output`")))
            }
            Some(path) => Self::new(path, true).map(Some),
            None => Ok(None),
        }
    }

    /// Checks that the file can be written; where it must not be `replace`d, that it is not there.
    pub fn new(path: &Path, replace: bool) -> Result<Self, Failure> {
        let unwritable = |e: io::Error| Failure::unwritable(path, &e);
        // Through a link, the file that it leads to is the one to replace.
        let real = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let mut target = Target { path: real, name: path.display().to_string(), special: false, replace };
        if path.file_name().is_none() || target.path.is_dir() {
            return Err(unwritable(ErrorKind::IsADirectory.into()));
        }
        match fs::metadata(&target.path) {
            Ok(there) if !there.is_file() => target.special = true,
            Ok(_) if !replace => return Err(exists(path)),
            Ok(there) if there.permissions().readonly() => {
                return Err(unwritable(ErrorKind::PermissionDenied.into()));
            }
            Ok(_) => drop(target.beside().map_err(unwritable)?),
            Err(e) if e.kind() == ErrorKind::NotFound => drop(target.beside().map_err(unwritable)?),
            Err(e) => return Err(unwritable(e)),
        }
        Ok(target)
    }

    /// Writes the whole file.
    pub fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        self.write_with(|file| match file.write_all(bytes) {
            // Who reads a pipe may stop reading.
            Err(e) if self.special && e.kind() == ErrorKind::BrokenPipe => Ok(()),
            done => done.map_err(|e| Failure::unwritable(&self.path, &e)),
        })
    }

    /// Lets something be written piece by piece. Unless all of it is, the file stays as it was.
    pub fn write_with<T>(&self, write: impl FnOnce(&mut File) -> Result<T, Failure>) -> Result<T, Failure> {
        let unwritable = |e: io::Error| Failure::unwritable(&self.path, &e);
        if self.special {
            return write(&mut File::options().write(true).open(&self.path).map_err(unwritable)?);
        }
        let mut file = self.beside().map_err(unwritable)?;
        let done = write(file.as_file_mut())?;
        match self.place(file) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists && !self.replace => Err(exists(&self.path)),
            placed => placed.map(|()| done).map_err(unwritable),
        }
    }

    fn place(&self, file: tempfile::NamedTempFile) -> io::Result<()> {
        file.as_file().sync_all()?;
        if let Ok(there) = fs::metadata(&self.path) {
            file.as_file().set_permissions(there.permissions())?;
        }
        let placed = if self.replace { file.persist(&self.path) } else { file.persist_noclobber(&self.path) };
        placed.map(drop).map_err(|e| e.error)
    }

    /// A new file in the same folder, gone when dropped unless it is put in its place.
    fn beside(&self) -> io::Result<tempfile::NamedTempFile> {
        let folder = self.path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".evenhand-").suffix(".tmp");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // As any new file: what the umask leaves of it.
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        // The system's own words for a folder that is not there; the temporary file's name would only confuse.
        fs::metadata(folder)?;
        let made = interrupt::make(|| builder.tempfile_in(folder), tempfile::NamedTempFile::path);
        made.map_err(|e| io::Error::from(e.kind()))
    }
}

fn exists(path: &Path) -> Failure {
    Failure::new(format!("{} is there already", path.display()), "`--force` replaces it; `--output` names another")
}
