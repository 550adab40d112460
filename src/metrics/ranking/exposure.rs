//! Who is seen: the attention that positions draw, by group.

use serde::{Deserialize, Serialize};

use super::Ranking;
use super::chance::{self, Asked, Chance, Kind, stretch};
use super::prefix::discount;
use super::skew::{TEST, about_normal, normed, support, wanted};
use crate::inference::{Interval, ratio, z_quantile};
use crate::metrics::{Confidence, Estimate, Tested, Undefined};

/// How much attention a position draws.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attention {
    /// `1 / log2(1 + position)`.
    #[default]
    Logarithmic,
    /// `(1 − γ) γ^(position − 1)`: each row seen is followed by the next with chance γ, in (0, 1) (rank-biased precision).
    Geometric(f64),
}

impl Attention {
    /// The attention of a position, from 1. A γ outside [0, 1] is moved to its nearest end.
    pub fn at(self, position: usize) -> f64 {
        self.of(position as f64)
    }

    pub(super) fn of(self, position: f64) -> f64 {
        match self {
            Attention::Logarithmic => discount(position),
            Attention::Geometric(gamma) => {
                let gamma = if gamma.is_nan() { 0.0 } else { gamma.clamp(0.0, 1.0) };
                (1.0 - gamma) * gamma.powf(position - 1.0)
            }
        }
    }

    /// The attention of the positions `start + 1 ..= end` together.
    pub(super) fn over(self, start: usize, end: usize) -> f64 {
        stretch(start, end, &|i| self.of(i))
    }
}

/// Of a group: its rows, and the sums of its rows' attention and of its square.
pub(super) fn seen(ranking: &Ranking, attention: Attention) -> Vec<[f64; 3]> {
    let mut sums = vec![[0.0; 3]; ranking.groups()];
    for block in ranking.blocks() {
        let value = attention.over(block.start, block.start + block.rows) / block.rows as f64;
        for e in block.entries {
            let terms = [e.rows, e.rows * value, e.rows * value * value];
            sums[e.group].iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
        }
    }
    sums
}

/// Each group's mean exposure: the mean over its rows of the attention that their positions draw.
///
/// In (0, 1]; with [`Attention::Logarithmic`] 1 is the first position. Exact over ties: tied rows share their positions'
/// attention. The interval is normal, from the spread of the rows' attention as if each were drawn apart from the others;
/// a list's positions are taken from one another, which makes a group's own interval about right and that of the
/// difference of two groups too wide where they differ (it then held 400 times in 400). No interval for a group of one row; `NoRows` for one without.
///
/// # References
/// Singh, Joachims (2018), Fairness of exposure in rankings, KDD.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, ranking::{Ranking, exposure::{Attention, exposure}}};
/// let list = Ranking::from_ordered(&[0, 1, 0], 2, None);
/// let seen = exposure(&list, Attention::Logarithmic, Confidence::at(0.95));
/// assert!((seen[0].value.unwrap() - 0.75).abs() < 1e-12); // (1 + 1/2) / 2
/// assert!((seen[1].value.unwrap() - 1.0 / 3f64.log2()).abs() < 1e-12);
/// ```
pub fn exposure(ranking: &Ranking, attention: Attention, confidence: Confidence) -> Vec<Estimate> {
    seen(ranking, attention).into_iter().map(|sums| mean_seen(sums, attention, confidence.level).0).collect()
}

/// The mean exposure with its standard error, of the sums of [`seen`].
pub(super) fn mean_seen([n, sum, squares]: [f64; 3], attention: Attention, level: f64) -> (Estimate, Option<f64>) {
    if n <= 0.0 {
        return (Estimate::undefined(Undefined::NoRows, support(0.0)), None);
    }
    let mean = sum / n;
    let variance = if n > 1.0 { ((squares - sum * mean) / (n - 1.0)).max(0.0) } else { f64::NAN };
    let error = (variance / n).sqrt();
    let mut estimate = about_normal(mean, error, support(n), level);
    // No row is seen less than not at all, or more than in the first position.
    estimate.low = estimate.low.map(|low| low.max(0.0));
    estimate.high = estimate.high.map(|high| high.min(attention.at(1)).max(mean));
    (estimate, Some(error).filter(|e| e.is_finite()))
}

/// The exposure of group `a` over that of group `b`: 1 where both are seen alike.
///
/// At least 0. The interval is MOVER's from the groups' own ([`exposure`]); the test permutes the order of the list:
/// `p = (1 + #{|difference| at least as large}) / (1 + replicates)`. Beyond position 2,048 the test takes rows of short
/// stretches as tied.
///
/// # References
/// Singh, Joachims (2018), as for [`exposure`].
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, ranking::{Ranking, exposure::{Attention, exposure_ratio}}};
/// let list = Ranking::from_ordered(&[0, 1, 0], 2, None);
/// let ratio = exposure_ratio(&list, 0, 1, Attention::Logarithmic, Confidence::at(0.95));
/// assert!((ratio.estimate.value.unwrap() - 0.75 * 3f64.log2()).abs() < 1e-12);
/// assert_eq!(ratio.p_value, Some(1.0)); // three rows tell nothing
/// ```
pub fn exposure_ratio(ranking: &Ranking, a: usize, b: usize, attention: Attention, confidence: Confidence) -> Tested {
    let groups = exposure(ranking, attention, confidence);
    let rows = support((ranking.group_rows(a) + ranking.group_rows(b)) as f64);
    let (Some(x), Some(y)) = (groups.get(a), groups.get(b)) else {
        return Tested::untested(Estimate::undefined(Undefined::NoRows, rows));
    };
    let estimate = quotient(x, y, rows);
    if estimate.value.is_none() || a == b {
        return Tested::untested(estimate);
    }
    let asked = Asked { exposure: Some((attention, a, b)), ..Asked::default() };
    let p_value = chance::against(ranking, &asked, confidence.bootstrap).p_value(Kind::Exposure);
    Tested::by(estimate, p_value, TEST)
}

/// One figure over another, by MOVER.
pub(super) fn quotient(x: &Estimate, y: &Estimate, support: crate::metrics::Support) -> Estimate {
    let (a, b) = match (x.value(), y.value()) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(reason), _) | (_, Err(reason)) => return Estimate::undefined(reason, support),
    };
    if b == 0.0 {
        return Estimate::undefined(Undefined::OverZero, support);
    }
    let limits = |e: &Estimate| e.interval().map(|(low, high)| Interval { low, high });
    let estimate = Estimate::of(a / b, support);
    match limits(x).zip(limits(y)).and_then(|(i, j)| ratio::mover_ratio(a, i, b, j)) {
        Some(i) => estimate.between(i.low, i.high.unwrap_or(f64::INFINITY)),
        None => estimate,
    }
}

/// Each group's exposure per merit: its mean exposure over its mean relevance, both over rows of known relevance.
///
/// At least 0; equal between groups where exposure is in proportion to merit (the ratio of two groups is the disparate
/// treatment ratio). Exact over ties. The interval is the delta method's on the logarithm. `NoLabels` where no relevance
/// of the group is known, `NoMerit` where all of it is 0.
///
/// # References
/// Singh, Joachims (2018), as for [`exposure`].
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, ranking::{Ranking, exposure::{Attention, exposure_per_merit}}};
/// let list = Ranking::from_ordered(&[0, 1, 0], 2, Some(&[1.0, 0.5, 0.5]));
/// let per = exposure_per_merit(&list, Attention::Logarithmic, Confidence::at(0.95));
/// assert!((per[0].value.unwrap() - 1.0).abs() < 1e-12); // 0.75 / 0.75
/// ```
pub fn exposure_per_merit(ranking: &Ranking, attention: Attention, confidence: Confidence) -> Vec<Estimate> {
    merit(ranking, attention).into_iter().map(|sums| per_merit(sums, confidence.level).0).collect()
}

/// Of a group: its rows; of those of known relevance u their number and the sums of attention v, u, v², u², vu.
pub(super) fn merit(ranking: &Ranking, attention: Attention) -> Vec<[f64; 7]> {
    let mut sums = vec![[0.0; 7]; ranking.groups()];
    for block in ranking.blocks() {
        let v = attention.over(block.start, block.start + block.rows) / block.rows as f64;
        for e in block.entries {
            let u = e.relevance;
            let terms =
                if u.is_nan() { [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0] } else { [1.0, 1.0, v, u, v * v, u * u, v * u] };
            sums[e.group].iter_mut().zip(terms).for_each(|(sum, term)| *sum += e.rows * term);
        }
    }
    sums
}

/// Exposure per merit with its standard error, of the sums of [`merit`].
pub(super) fn per_merit([rows, n, v, u, vv, uu, vu]: [f64; 7], level: f64) -> (Estimate, Option<f64>) {
    if n <= 0.0 {
        let reason = if rows > 0.0 { Undefined::NoLabels } else { Undefined::NoRows };
        return (Estimate::undefined(reason, support(0.0)), None);
    } else if u <= 0.0 {
        return (Estimate::undefined(Undefined::NoMerit, support(n)), None);
    }
    let value = v / u;
    let estimate = Estimate::of(value, support(n));
    let (v, u) = (v / n, u / n);
    let residual = (vv / n) / (v * v) - 2.0 * (vu / n) / (v * u) + (uu / n) / (u * u);
    let error = (residual.max(0.0) / (n - 1.0)).sqrt();
    if !(n > 1.0 && error.is_finite()) {
        return (estimate, None);
    }
    let reach = (z_quantile(level) * error).exp();
    (estimate.between(value / reach, value * reach), Some(value * error))
}

/// Attention-weighted rank fairness: `1 − JS(groups' shares of the attention ‖ wanted shares)` among the first `k`, the
/// Jensen–Shannon divergence in bits.
///
/// In [0, 1], 1 where attention is shared as wanted. `targets`: the wanted shares; `None`: each group's share of the
/// whole list. Exact over ties in the attention shares (the divergence is of the expected shares). Tested like
/// [`ndkl`](super::skew::ndkl), and like it without an interval. `NoTarget` for targets that are
/// not one share a group.
///
/// # References
/// Sapiezynski, Zeng, Robertson, Mislove, Wilson (2019), Quantifying the impact of user attention on fair group
/// representation in ranked lists, WWW companion; TREC Fair Ranking track (2021).
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, ranking::{Ranking, exposure::{Attention, awrf}}};
/// let list = Ranking::from_ordered(&[0, 1], 2, None);
/// let fair = awrf(&list, 2, Attention::Geometric(0.5), None, Confidence::at(0.95));
/// // Attention is shared 2/3 to 1/3, wanted is 1/2 each.
/// let (p, m) = ([2.0 / 3.0, 1.0 / 3.0f64], [7.0 / 12.0, 5.0 / 12.0f64]);
/// let js: f64 = (0..2).map(|i| 0.5 * (p[i] * (p[i] / m[i]).log2() + 0.5 * (0.5 / m[i]).log2())).sum();
/// assert!((fair.estimate.value.unwrap() - (1.0 - js)).abs() < 1e-12);
/// ```
pub fn awrf(
    ranking: &Ranking,
    k: usize,
    attention: Attention,
    targets: Option<&[f64]>,
    confidence: Confidence,
) -> Tested {
    let k = k.min(ranking.rows());
    let asked = Asked { targets: normed(targets), attention: Some((attention, k)), ..Asked::default() };
    awrf_by(ranking, k, attention, targets, || chance::against(ranking, &asked, confidence.bootstrap))
}

/// [`awrf`] with what chance shows, which is only asked for where there is a figure.
pub(super) fn awrf_by<C: std::borrow::Borrow<Chance>>(
    ranking: &Ranking,
    k: usize,
    attention: Attention,
    targets: Option<&[f64]>,
    chance: impl FnOnce() -> C,
) -> Tested {
    let shares = match wanted(ranking, targets) {
        Ok(shares) if k > 0 => shares,
        Ok(_) => return Tested::untested(Estimate::undefined(Undefined::NoRows, support(0.0))),
        Err(reason) => return Tested::untested(Estimate::undefined(reason, support(k as f64))),
    };
    let mut seen = vec![0.0; shares.len()];
    for block in ranking.blocks().take_while(|b| b.start < k) {
        let end = (block.start + block.rows).min(k);
        let each = attention.over(block.start, end) / block.rows as f64;
        block.entries.iter().for_each(|e| seen[e.group] += e.rows * each);
    }
    let sum: f64 = seen.iter().sum();
    seen.iter_mut().for_each(|s| *s /= sum);
    let value = jensen_shannon(&seen, &shares);
    let estimate = Estimate::of(1.0 - value, support(k as f64));
    let chance = chance();
    Tested::by(estimate, chance.borrow().p_value(Kind::Attention), TEST)
}

/// The Jensen–Shannon divergence in bits.
pub(super) fn jensen_shannon(p: &[f64], q: &[f64]) -> f64 {
    let part = |a: f64, m: f64| if a > 0.0 { 0.5 * a * (a / m).log2() } else { 0.0 };
    let sum: f64 = p.iter().zip(q).map(|(p, q)| part(*p, 0.5 * (p + q)) + part(*q, 0.5 * (p + q))).sum();
    if sum < 0.0 { 0.0 } else { sum }
}

/// Expected exposure of items over a set of rankings, against that of an ideal.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ExpectedExposure {
    /// EE-D, disparity: `Σ ε²`.
    pub disparity: f64,
    /// EE-R, relevance: `Σ ε ε*`.
    pub relevance: f64,
    /// EE-L, loss: `Σ (ε − ε*)² = EE-D − 2 EE-R + Σ ε*²`.
    pub loss: f64,
}

/// The expected exposure of items over rankings of them, against the ideal in which equally relevant items are put in
/// random order and better ones first.
///
/// `rankings`: lists of item numbers, best first; an item that a list leaves out is not seen by it, one listed twice is
/// seen at its first place. `relevance`: of each item, in [0, ∞); what is not a number counts as 0. EE-D and EE-L are at
/// least 0; EE-L is 0 only for the ideal's exposure.
///
/// # Errors
/// `NoRows` where there is no ranking or no item.
///
/// # References
/// Diaz, Mitra, Ekstrand, Biega, Carterette (2020), Evaluating stochastic rankings with expected exposure, CIKM.
///
/// # Examples
/// ```
/// use evenhand::metrics::ranking::exposure::{Attention, expected_exposure};
/// // Two items, equally relevant: always the same first, against taking turns.
/// let one = expected_exposure(&[&[0, 1]], &[1.0, 1.0], Attention::Logarithmic)?;
/// let turns = expected_exposure(&[&[0, 1], &[1, 0]], &[1.0, 1.0], Attention::Logarithmic)?;
/// assert!(one.loss > 0.06 && turns.loss < 1e-12);
/// # Ok::<(), evenhand::metrics::Undefined>(())
/// ```
pub fn expected_exposure(
    rankings: &[&[usize]],
    relevance: &[f64],
    attention: Attention,
) -> Result<ExpectedExposure, Undefined> {
    let items = relevance.len();
    if items == 0 || rankings.is_empty() {
        return Err(Undefined::NoRows);
    }
    let mut given = vec![0.0; items];
    for list in rankings {
        let mut met = vec![false; items];
        for (at, item) in list.iter().enumerate().filter(|(_, item)| **item < items) {
            if !std::mem::replace(&mut met[*item], true) {
                given[*item] += attention.at(at + 1) / rankings.len() as f64;
            }
        }
    }
    let merit: Vec<f64> = relevance.iter().map(|r| if *r > 0.0 { *r } else { 0.0 }).collect();
    let ideal = ideal_exposure(&merit, attention);
    let sum = |of: &dyn Fn(f64, f64) -> f64| given.iter().zip(&ideal).map(|(g, i)| of(*g, *i)).sum::<f64>();
    Ok(ExpectedExposure {
        disparity: sum(&|g, _| g * g),
        relevance: sum(&|g, i| g * i),
        loss: sum(&|g, i| (g - i) * (g - i)),
    })
}

/// Exposure where better items come first and equal ones in random order.
fn ideal_exposure(merit: &[f64], attention: Attention) -> Vec<f64> {
    let mut order: Vec<usize> = (0..merit.len()).collect();
    order.sort_by(|a, b| merit[*b].total_cmp(&merit[*a]));
    let mut ideal = vec![0.0; merit.len()];
    let mut start = 0;
    for block in order.chunk_by(|a, b| merit[*a] == merit[*b]) {
        let each = (1..=block.len()).map(|i| attention.at(start + i)).sum::<f64>() / block.len() as f64;
        block.iter().for_each(|item| ideal[*item] = each);
        start += block.len();
    }
    ideal
}
