//! Parallel work whose results are taken in order, so that threads cannot change an answer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};

/// What has been finished and not yet taken.
struct Finished<T, F> {
    waiting: BTreeMap<usize, T>,
    next: usize,
    take: F,
    failed: Option<(usize, Error)>,
}

/// Works on `units` on the threads of the current pool, and hands the results to `take` in their order.
/// Units are begun in order, so few results wait. Of several failures the first in order is reported.
pub(super) fn in_order<U: Sync, T: Send>(
    units: &[U],
    work: impl Fn(&U) -> Result<T> + Sync,
    take: impl FnMut(&U, T) -> Result<()> + Send,
) -> Result<()> {
    let begun = AtomicUsize::new(0);
    let stop = AtomicUsize::new(units.len());
    let finished = Mutex::new(Finished { waiting: BTreeMap::new(), next: 0, take, failed: None });
    let worker = || {
        loop {
            let at = begun.fetch_add(1, Ordering::Relaxed);
            let Some(unit) = units.get(at).filter(|_| at < stop.load(Ordering::Relaxed)) else { return };
            let result = work(unit);
            let mut finished = finished.lock().unwrap_or_else(PoisonError::into_inner);
            let Finished { waiting, next, take, failed } = &mut *finished;
            let mut fail = |at: usize, error: Error| {
                stop.fetch_min(at, Ordering::Relaxed);
                if failed.as_ref().is_none_or(|(first, _)| at < *first) {
                    *failed = Some((at, error));
                }
            };
            match result {
                Ok(result) => {
                    waiting.insert(at, result);
                }
                Err(error) => fail(at, error),
            }
            while let Some(result) = waiting.remove(next) {
                if let Err(error) = take(&units[*next], result) {
                    fail(*next, error);
                }
                *next += 1;
            }
        }
    };
    let threads = rayon::current_num_threads().min(units.len());
    if threads <= 1 {
        worker();
    } else {
        rayon::scope(|scope| (0..threads).for_each(|_| scope.spawn(|_| worker())));
    }
    let finished = finished.into_inner().unwrap_or_else(PoisonError::into_inner);
    finished.failed.map_or(Ok(()), |(_, error)| Err(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_the_first_failure_wins() {
        let units: Vec<usize> = (0..100).collect();
        let mut taken = Vec::new();
        let work = |unit: &usize| {
            std::thread::sleep(std::time::Duration::from_micros((unit * 37 % 11) as u64 * 50));
            Ok(*unit)
        };
        in_order(&units, work, |_, u| {
            taken.push(u);
            Ok(())
        })
        .unwrap();
        assert_eq!(taken, units);
        let work = |unit: &usize| if *unit >= 40 { Err(Error::setting("unit", unit, "less")) } else { work(unit) };
        let error = in_order(&units, work, |_, _| Ok(())).unwrap_err();
        assert!(error.to_string().contains("unit is 40"), "{error}");
    }
}
