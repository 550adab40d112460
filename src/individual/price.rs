//! What a segmentation costs over the one that sends everybody to the nearest centre.

use ndarray::ArrayView2;

use super::{Clustering, squared, student};
use crate::error::Result;
use crate::metrics::{Confidence, Estimate, Support, Undefined};
use crate::tally::Cell;

/// The price of a (fair) assignment: `Σ w d(x_i, own centre)² / Σ w d(x_i, nearest centre)²`, or with `square` false the
/// same of plain distances.
///
/// From 1 (everybody is in the nearest segment) up. Centres are `centroids`, of which there may be more than segments, or
/// the segments' weighted means. Student's interval of the ratio by the delta method, people being in both of its sums, cut
/// at 1. Undefined without rows or weight, and where everybody is on a centre ([`Undefined::OverZero`]).
///
/// # Errors
/// As [`social_fairness`](super::social_fairness).
///
/// # References
/// Chierichetti et al. (2017), Fair clustering through fairlets, NeurIPS; Esmaeili et al. (2021), Fair clustering under a
/// bounded cost, NeurIPS.
///
/// # Examples
/// ```
/// use evenhand::individual::{Clustering, price_of_fairness};
/// use evenhand::metrics::Confidence;
/// let features = ndarray::array![[1.0], [2.0], [9.0], [4.0]];
/// let rows = Clustering::new(features.view(), &[0, 0, 1, 1], &[0, 1, 0, 1], None)?;
/// let centroids = ndarray::array![[0.0], [10.0]];
/// let price = price_of_fairness(&rows, Some(centroids.view()), false, Confidence::at(0.95))?;
/// assert_eq!(price.value, Some((1.0 + 2.0 + 1.0 + 6.0) / (1.0 + 2.0 + 1.0 + 4.0)));
/// # Ok::<(), evenhand::Error>(())
/// ```
pub fn price_of_fairness(
    rows: &Clustering,
    centroids: Option<ArrayView2<f64>>,
    square: bool,
    confidence: Confidence,
) -> Result<Estimate> {
    let centres = rows.centres(centroids)?;
    let centres: Vec<Vec<f64>> = centres.outer_iter().map(|c| c.to_vec()).collect();
    let mut all = Cell::default();
    // Σ w a, Σ w b, and Σ w² of a², ab, b².
    let (mut own, mut nearest, mut squares) = (0.0, 0.0, [0.0; 3]);
    let mut here = vec![0.0; rows.features.ncols()];
    for (row, segment) in rows.placed() {
        here.iter_mut().zip(rows.features.row(row)).for_each(|(to, from)| *to = *from);
        let cost = |d: f64| if square { d } else { d.sqrt() };
        let a = cost(squared(&here, &centres[segment]));
        // A segment without weight has no mean; its NaN is no one's nearest.
        let b = cost(centres.iter().map(|c| squared(&here, c)).fold(f64::INFINITY, f64::min));
        let weight = rows.weight(row);
        let w2 = weight * weight;
        all.add(&Cell { rows: 1.0, weight, weight_squared: w2 }, 1.0);
        (own, nearest) = (own + weight * a, nearest + weight * b);
        [a * a, a * b, b * b].iter().zip(&mut squares).for_each(|(v, sum)| *sum += w2 * v);
    }
    let support = Support::from(all);
    if all.weight <= 0.0 {
        let reason = if rows.segments.is_empty() { Undefined::NoRows } else { Undefined::NoSegments };
        return Ok(Estimate::undefined(reason, support));
    }
    if nearest <= 0.0 {
        return Ok(Estimate::undefined(Undefined::OverZero, support));
    }
    let price = (own / nearest).max(1.0);
    let estimate = Estimate::of(price, support);
    let n = all.effective();
    let spread = (squares[0] - 2.0 * price * squares[1] + price * price * squares[2]).max(0.0);
    let half = student(confidence.level, n - 1.0) * (spread * n / (n - 1.0)).sqrt() / nearest;
    Ok(if n > 1.0 + 1e-9 && half.is_finite() {
        estimate.between((price - half).max(1.0), price + half)
    } else {
        estimate
    })
}
