//! A bar on standard error while long work goes on: only on a terminal, only after half a second.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use evenhand::data::source::{Progress, Source};
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::manner;

/// Work that is over sooner needs no bar.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often it is drawn, so that the time goes on where nothing is told for a while.
const TICK: Duration = Duration::from_millis(200);
const READING: &str = "{percent:>3}% {wide_bar} {bytes} of {total_bytes}, {msg}, {eta} left";
const AFTERWARDS: &str = "{spinner} {msg} read; at work for {elapsed}";

/// The bar of a source, wiped out when dropped.
#[derive(Debug)]
pub struct Bar(Option<Watch>);

#[derive(Debug, Clone)]
struct Watch {
    bar: ProgressBar,
    over: Arc<Mutex<bool>>,
}

impl Bar {
    /// Watches the source, if there is somebody to look.
    pub fn watch(source: Source) -> (Source, Self) {
        if manner::quiet() || !std::io::stderr().is_terminal() {
            return (source, Bar(None));
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let watch = Watch { bar: bar.clone(), over: Arc::default() };
        let later = watch.clone();
        std::thread::spawn(move || {
            std::thread::sleep(PATIENCE);
            later.show();
        });
        let pass = Mutex::new(Pass::new());
        let source = source.on_progress(move |progress| {
            pass.lock().unwrap_or_else(PoisonError::into_inner).tell(&bar, progress);
        });
        (source, Bar(Some(watch)))
    }
}

impl Watch {
    fn show(&self) {
        let over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        if !*over {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.bar.enable_steady_tick(TICK);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(Watch { bar, over }) = &self.0 {
            *over.lock().unwrap_or_else(PoisonError::into_inner) = true;
            bar.finish_and_clear();
        }
    }
}

/// One pass over the rows: a second one counts them, and the time, afresh.
struct Pass {
    start: Instant,
    rows: u64,
    style: &'static str,
}

impl Pass {
    fn new() -> Self {
        Pass { start: Instant::now(), rows: 0, style: "" }
    }

    fn tell(&mut self, bar: &ProgressBar, progress: Progress) {
        if progress.rows < self.rows {
            (self.start, self.rows) = (Instant::now(), 0);
        }
        self.rows = progress.rows;
        let read = progress.bytes_done >= progress.bytes_total;
        let template = if read { AFTERWARDS } else { READING };
        bar.set_length(progress.bytes_total);
        bar.set_position(progress.bytes_done);
        let rows = HumanCount(progress.rows);
        bar.set_message(match per_second(progress.rows, self.start.elapsed()) {
            Some(speed) if !read => format!("{rows} rows, {}/s", HumanCount(speed)),
            _ => format!("{rows} rows"),
        });
        if self.style != template
            && let Ok(style) = ProgressStyle::with_template(template)
        {
            bar.set_style(style);
            self.style = template;
        }
    }
}

/// Rows a second, where there has been time to tell.
fn per_second(rows: u64, time: Duration) -> Option<u64> {
    let seconds = time.as_secs_f64();
    (seconds >= 0.1).then(|| (rows as f64 / seconds) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_tells_rows_a_second_until_all_is_read() {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let mut pass = Pass::new();
        pass.start = Instant::now() - Duration::from_secs(2);
        pass.tell(&bar, Progress { bytes_done: 50, bytes_total: 100, rows: 2000 });
        assert!(bar.message().starts_with("2,000 rows, ") && bar.message().ends_with("/s"), "{}", bar.message());
        assert_eq!((bar.position(), bar.length(), pass.style), (50, Some(100), READING));
        pass.tell(&bar, Progress { bytes_done: 100, bytes_total: 100, rows: 4000 });
        assert_eq!((bar.message().as_str(), pass.style), ("4,000 rows", AFTERWARDS));
    }

    #[test]
    fn a_second_pass_begins_afresh() {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let mut pass = Pass::new();
        pass.start = Instant::now() - Duration::from_secs(1000);
        pass.tell(&bar, Progress { bytes_done: 50, bytes_total: 100, rows: 4000 });
        pass.tell(&bar, Progress { bytes_done: 60, bytes_total: 100, rows: 10 });
        assert_eq!(bar.message(), "10 rows");
        assert_eq!(per_second(3000, Duration::from_secs(2)), Some(1500));
        assert_eq!(per_second(3000, Duration::ZERO), None);
    }
}
