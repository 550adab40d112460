//! A bar on standard error while a long read goes on: only on a terminal, only after half a second.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use evenhand::data::source::Source;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A read that is over sooner needs no bar.
const PATIENCE: Duration = Duration::from_millis(500);
const TEMPLATE: &str = "{percent:>3}% {wide_bar} {bytes} of {total_bytes}, {msg} rows, {eta} left";

/// The bar of a source, wiped out when dropped.
#[derive(Debug)]
pub struct Bar(Option<ProgressBar>);

impl Bar {
    /// Watches the source, if there is somebody to look.
    pub fn watch(source: Source, quiet: bool) -> (Source, Self) {
        if quiet || !std::io::stderr().is_terminal() {
            return (source, Bar(None));
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        let shown = AtomicBool::new(false);
        let (start, watched) = (Instant::now(), bar.clone());
        let source = source.on_progress(move |progress| {
            if start.elapsed() < PATIENCE {
                return;
            }
            watched.set_length(progress.bytes_total);
            watched.set_position(progress.bytes_done);
            watched.set_message(indicatif::HumanCount(progress.rows).to_string());
            if !shown.swap(true, Ordering::Relaxed) {
                watched.set_draw_target(ProgressDrawTarget::stderr());
            }
        });
        (source, Bar(Some(bar)))
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.iter().for_each(ProgressBar::finish_and_clear);
    }
}
