//! What is there only while the tool works is gone when it is stopped: copies of standard input, files half written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

static PASSING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn passing() -> MutexGuard<'static, Vec<PathBuf>> {
    PASSING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes all that passes when the tool is told to stop. Answers the folder that temporary files are made in, which is gone
/// when dropped; without one they are made where the system has them.
pub fn watch() -> Option<TempDir> {
    // Where signals cannot be watched, a stopped run leaves what the system's cleaner takes.
    on_stop(|status| {
        // Held to the end: nothing new begins.
        let passing = passing();
        for path in passing.iter() {
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
        std::process::exit(status);
    })
    .ok()?;
    let folder = make(|| tempfile::Builder::new().prefix("evenhand-").tempdir(), TempDir::path).ok()?;
    tempfile::env::override_temp_dir(folder.path()).ok()?;
    Some(folder)
}

/// Calls with the exit status that a shell gives for the signal.
#[cfg(unix)]
fn on_stop(stop: impl Fn(i32) + Send + 'static) -> io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
    std::thread::Builder::new().spawn(move || signals.forever().for_each(|signal| stop(128 + signal)))?;
    Ok(())
}

#[cfg(not(unix))]
fn on_stop(_: impl Fn(i32) + Send + 'static) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Makes what passes.
pub fn make<T>(new: impl FnOnce() -> io::Result<T>, path: impl FnOnce(&T) -> &Path) -> io::Result<T> {
    let mut passing = passing();
    let made = new()?;
    passing.push(path(&made).to_path_buf());
    Ok(made)
}
