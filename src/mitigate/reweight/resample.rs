//! Weights as rows: a sample that a learner feels even where it reads no weights.

use rand::Rng;
use rand::seq::SliceRandom;

use crate::inference::rng::stream;
use crate::{Error, Place, Result};

/// The numbers of `rows` rows drawn in proportion to their weights (finite, at least 0), in random order.
///
/// The draw is systematic: every row comes `⌊e⌋` or `⌈e⌉` times, `e = rows · w / Σw` being how often it is expected. That is
/// the least that a sample of whole rows can stray from its weights; independent draws stray by `√e`. A row without weight
/// never comes.
///
/// # Errors
/// [`Error::Nothing`] where no row has weight, [`Error::BadNumber`] with the row for a weight that is none.
///
/// # References
/// Madow (1949), On the theory of systematic sampling, II, Annals of Mathematical Statistics 20.
///
/// # Examples
/// ```
/// use evenhand::mitigate::reweight::resample;
/// let mut rows = resample(&[2.0, 0.0, 1.0, 1.0], 4, 7)?;
/// rows.sort();
/// assert_eq!(rows, [0, 0, 2, 3]);
/// # Ok::<(), evenhand::Error>(())
/// ```
pub fn resample(weights: &[f64], rows: usize, seed: u64) -> Result<Vec<usize>> {
    let mut drawn = Vec::with_capacity(rows);
    for (row, times) in times(weights, rows, seed)?.into_iter().enumerate() {
        drawn.extend(std::iter::repeat_n(row, times as usize));
    }
    drawn.shuffle(&mut stream(seed, 0, 1));
    Ok(drawn)
}

/// How often [`resample`] draws each row.
///
/// # Errors
/// As for [`resample`].
pub fn times(weights: &[f64], rows: usize, seed: u64) -> Result<Vec<u32>> {
    if let Some(row) = weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
        return Err(Error::BadNumber {
            column: "weight".into(),
            value: weights[row].to_string(),
            place: Place::row(row),
            expected: "a finite weight of at least 0",
        });
    }
    // The largest is divided out, so that no sum of them is past what a number holds.
    let largest = weights.iter().copied().fold(0.0, f64::max);
    let whole: f64 = weights.iter().map(|w| w / largest).sum();
    if largest <= 0.0 {
        return Err(Error::Nothing { problem: "no row has a weight above 0 to be drawn by", place: Place::default() });
    }
    let start: f64 = stream(seed, 0, 0).gen_range(0.0..1.0);
    let (mut sum, mut before) = (0.0, 0u64);
    let last = weights.iter().rposition(|w| *w > 0.0);
    let of_row = |(row, weight): (usize, &f64)| {
        if *weight == 0.0 {
            return 0;
        }
        sum += weight / largest;
        // How many of the points start, start + 1, ... lie below; the last row with weight takes what rounding left.
        let below =
            if Some(row) == last { rows as u64 } else { (sum / whole * rows as f64 - start).ceil().max(0.0) as u64 };
        let below = below.clamp(before, rows as u64);
        let times = below - before;
        before = below;
        u32::try_from(times).unwrap_or(u32::MAX)
    };
    Ok(weights.iter().enumerate().map(of_row).collect())
}
