//! Intervals for the difference of two rates.
use super::{Interval, rate::wilson};

/// Newcombe's hybrid score interval.
pub fn newcombe(x1: f64, n1: f64, x2: f64, n2: f64, level: f64) -> Option<Interval> {
    let (a, b) = (wilson(x1, n1, level)?, wilson(x2, n2, level)?);
    Some(mover_difference(x1 / n1, a, x2 / n2, b))
}

/// MOVER.
pub fn mover_difference(t1: f64, i1: Interval, t2: f64, i2: Interval) -> Interval {
    let d = t1 - t2;
    Interval { low: d - (t1 - i1.low).hypot(i2.high - t2), high: d + (i1.high - t1).hypot(t2 - i2.low) }
}
