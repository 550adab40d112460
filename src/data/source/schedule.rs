//! Parallel work whose results are taken in order, so that threads cannot change an answer.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};

/// Where units come from, how many were taken from there, and whether to take no more.
struct Begun<I> {
    units: I,
    next: usize,
    over: bool,
}

/// What has been finished and not yet taken.
struct Finished<T, F> {
    waiting: BTreeMap<usize, T>,
    next: usize,
    take: F,
    failed: Option<(usize, Error)>,
}

/// Works on `units` on the threads of the current pool, and hands the results to `take` in their order.
/// Units are fetched one at a time, by the thread that will work on them, and begun in order, so few results wait. Of
/// several failures the first in order is reported.
pub(super) fn in_order<U, T: Send>(
    units: impl Iterator<Item = Result<U>> + Send,
    work: impl Fn(U) -> Result<T> + Sync,
    mut take: impl FnMut(T) -> Result<()> + Send,
) -> Result<()> {
    in_order_beside(units, work, |result| take(result).map(|()| None::<fn()>)).map(|_| ())
}

/// As [`in_order`], with one more piece of work, which `take` hands over when it has what that needs: it is done, by one
/// thread to begin with, while the others work on units that are left. Answers what came of it.
pub(super) fn in_order_beside<U, T: Send, B: FnOnce() -> R + Send, R: Send>(
    units: impl Iterator<Item = Result<U>> + Send,
    work: impl Fn(U) -> Result<T> + Sync,
    take: impl FnMut(T) -> Result<Option<B>> + Send,
) -> Result<Option<R>> {
    let beside = Mutex::new(None);
    let begun = Mutex::new(Begun { units, next: 0, over: false });
    let finished = Mutex::new(Finished { waiting: BTreeMap::new(), next: 0, take, failed: None });
    let worker = || {
        loop {
            let (at, unit) = {
                let mut begun = lock(&begun);
                if begun.over {
                    return;
                }
                let Some(unit) = begun.units.next() else {
                    begun.over = true;
                    return;
                };
                // What was begun before is finished all the same: a failure there comes first.
                begun.over = unit.is_err();
                begun.next += 1;
                (begun.next - 1, unit)
            };
            let result = unit.and_then(&work);
            let mut finished = lock(&finished);
            let Finished { waiting, next, take, failed } = &mut *finished;
            let mut fail = |at: usize, error: Error| {
                lock(&begun).over = true;
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
            let mut handed = None;
            while let Some(result) = waiting.remove(next) {
                match take(result) {
                    Ok(more) => handed = handed.or(more),
                    Err(error) => fail(*next, error),
                }
                *next += 1;
            }
            drop(finished);
            if let Some(more) = handed {
                let found = more();
                *lock(&beside) = Some(found);
            }
        }
    };
    // The work of this thread is begun here; other threads join it when they are free.
    rayon::scope(|scope| {
        (1..rayon::current_num_threads()).for_each(|_| scope.spawn(|_| worker()));
        worker();
    });
    let finished = finished.into_inner().unwrap_or_else(PoisonError::into_inner);
    match finished.failed {
        Some((_, error)) => Err(error),
        None => Ok(beside.into_inner().unwrap_or_else(PoisonError::into_inner)),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_the_first_failure_wins() {
        let units = || (0..100).map(Ok);
        let mut taken = Vec::new();
        let work = |unit: usize| {
            std::thread::sleep(std::time::Duration::from_micros((unit * 37 % 11) as u64 * 50));
            Ok(unit)
        };
        in_order(units(), work, |u| {
            taken.push(u);
            Ok(())
        })
        .unwrap();
        assert_eq!(taken, (0..100).collect::<Vec<_>>());
        let refuse = |unit: usize| Error::setting("unit", unit, "less");
        let fails = |unit: usize| if unit >= 40 { Err(refuse(unit)) } else { work(unit) };
        let error = in_order(units(), fails, |_| Ok(())).unwrap_err();
        assert!(error.to_string().contains("unit is 40"), "{error}");
        let broken = units().chain(std::iter::once_with(|| Err(refuse(100)))).chain((101..).map(Ok));
        let mut last = 0;
        let error = in_order(broken, work, |u| {
            last = u;
            Ok(())
        });
        assert!(error.unwrap_err().to_string().contains("unit is 100"));
        assert_eq!(last, 99);
    }

    #[test]
    fn work_beside_begins_when_it_is_handed_over() {
        let done = Mutex::new(0);
        let work = |unit: usize| {
            std::thread::sleep(std::time::Duration::from_millis(1));
            *lock(&done) += 1;
            Ok(unit)
        };
        let mut taken = Vec::new();
        let take = |unit: usize| {
            taken.push(unit);
            let sum: usize = taken.iter().sum();
            Ok((unit == 9).then_some(move || sum))
        };
        assert_eq!(in_order_beside((0..40).map(Ok), work, take).unwrap(), Some(45));
        assert_eq!((taken.len(), *lock(&done)), (40, 40));
        let never = |_: usize| Ok(None::<fn() -> usize>);
        assert_eq!(in_order_beside((0..40).map(Ok), work, never).unwrap(), None);
        // A failure behind it counts all the same.
        let fails = |unit: usize| if unit == 30 { Err(Error::setting("unit", unit, "less")) } else { Ok(unit) };
        assert!(in_order_beside((0..40).map(Ok), fails, |unit| Ok((unit == 9).then_some(|| ()))).is_err());
    }

    #[test]
    fn work_within_work_is_shared() {
        let sum = Mutex::new(0);
        let outer = |unit: usize| {
            let mut inner = Vec::new();
            in_order((0..50).map(|at| Ok(unit * 50 + at)), Ok, |at| {
                inner.push(at);
                Ok(())
            })?;
            assert!(inner.is_sorted());
            Ok(inner)
        };
        in_order((0..20).map(Ok), outer, |inner| {
            *lock(&sum) += inner.into_iter().sum::<usize>();
            Ok(())
        })
        .unwrap();
        assert_eq!(sum.into_inner().unwrap(), 999 * 1000 / 2);
    }
}
