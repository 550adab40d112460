//! How well the score ranks people by their uplift: uplift and Qini curves, their areas, uplift at the top.
//!
//! The people of a group are taken from the highest score down; of equal scores all at once, so that ties are shared and
//! the order of rows changes nothing. Up to a point of the curve, `N_t` and `N_c` are the weights of the treated and
//! held out taken so far, `Y_t` and `Y_c` their weighted outcomes (both by inverse propensity where propensities
//! differ), and x is the share of the group's weight. A term whose arm is still empty counts 0.
//!
//! Intervals are `area ± t · error`, with the error of the linearised area (the infinitesimal jackknife): the derivative
//! of the area by each person's weight, squared and added up. It is exact to the first order, costs one pass, and needs
//! no random numbers.
//!
//! # References
//! Radcliffe (2007), Using control groups to target on predicted lift, Direct Marketing Analytics Journal; Gutierrez,
//! Gérardy (2017), Causal inference and uplift modelling: a review of the literature, PMLR 67; Efron (1982), The
//! jackknife, the bootstrap and other resampling plans.

use super::arms::{self, Arm};
use super::{Figure, Trial, UpliftGroup, effects};
use crate::metrics::{Support, Undefined};

/// Which curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// `x (Y_t/N_t − Y_c/N_c)`: the gain for each person of the group, if those taken so far are treated (Gutierrez and
    /// Gérardy's, over the group's size).
    Uplift,
    /// `(Y_t − Y_c N_t/N_c) / N_T`: the gain for each treated person of the group (Radcliffe's, over all the treated).
    Qini,
}

/// A person on a curve.
#[derive(Debug, Clone, Copy)]
struct Ranked {
    rank: f64,
    treated: bool,
    /// The weight as one of the group, and in the arm.
    weight: f64,
    arm: f64,
    outcome: f64,
    /// The place among the rows of the group.
    place: usize,
}

/// Sums up to a point of the curve.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    all: f64,
    /// N_c and N_t.
    size: [f64; 2],
    /// Y_c and Y_t.
    outcome: [f64; 2],
}

impl Sums {
    fn add(&mut self, row: &Ranked) {
        let arm = usize::from(row.treated);
        self.all += row.weight;
        self.size[arm] += row.arm;
        self.outcome[arm] += row.arm * row.outcome;
    }

    /// Each arm's mean, 0 while it is empty.
    fn mean(&self, arm: usize) -> f64 {
        if self.size[arm] > 0.0 { self.outcome[arm] / self.size[arm] } else { 0.0 }
    }
}

/// The rows with a score and weight, from the highest rank down.
fn ranked(group: &UpliftGroup, rank: impl Fn(&Trial) -> Option<f64>) -> Vec<Ranked> {
    let row = |(place, r): (usize, &Trial)| {
        let (treated, weight, outcome) = (r.treated, r.weight, r.outcome);
        Some(Ranked { rank: rank(r)?, treated, weight, arm: group.arm_weight(r), outcome, place })
            .filter(|r| r.weight > 0.0)
    };
    let mut rows: Vec<Ranked> = group.rows.iter().enumerate().filter_map(row).collect();
    rows.sort_by(|a, b| b.rank.total_cmp(&a.rank));
    rows
}

/// The last places of equal ranks, exclusive.
fn steps(rows: &[Ranked]) -> Vec<usize> {
    (1..=rows.len()).filter(|at| rows.get(*at).is_none_or(|next| next.rank != rows[at - 1].rank)).collect()
}

/// The points (x, y) of a curve, from (0, 0) to (1, the gain of treating all); empty where there is no curve.
///
/// # Examples
/// ```
/// use evenhand::metrics::uplift::{Assignment, Trial, UpliftGroup, curves::{Curve, points}};
/// let rows = [(0.9, true, 1.0), (0.8, false, 0.0), (0.2, true, 0.0), (0.1, false, 0.0)];
/// let rows = rows.map(|(s, treated, y)| Trial { score: Some(s), ..Trial::new(treated, y) });
/// let group = UpliftGroup::new(rows.to_vec(), Assignment::Randomised { propensity: None })?;
/// assert_eq!(points(&group, Curve::Uplift), [(0.0, 0.0), (0.25, 0.25), (0.5, 0.5), (0.75, 0.375), (1.0, 0.5)]);
/// # Ok::<(), evenhand::Error>(())
/// ```
pub fn points(group: &UpliftGroup, curve: Curve) -> Vec<(f64, f64)> {
    let rows = ranked(group, |r| r.score);
    let mut total = Sums::default();
    rows.iter().for_each(|r| total.add(r));
    if total.size[0] <= 0.0 || total.size[1] <= 0.0 {
        return Vec::new();
    }
    let (mut sums, mut from, mut points) = (Sums::default(), 0, vec![(0.0, 0.0)]);
    for to in steps(&rows) {
        rows[from..to].iter().for_each(|r| sums.add(r));
        from = to;
        points.push((sums.all / total.all, height(&sums, &total, curve)));
    }
    points
}

fn height(sums: &Sums, total: &Sums, curve: Curve) -> f64 {
    match curve {
        Curve::Uplift => sums.all / total.all * (sums.mean(1) - sums.mean(0)),
        Curve::Qini => (sums.outcome[1] - sums.mean(0) * sums.size[1]) / total.size[1],
    }
}

/// An area with its derivative by (the logarithm of) each row's weight, by place.
struct Area {
    value: f64,
    slopes: Vec<f64>,
}

/// The area under a curve of sorted rows by the trapezoid rule, less `diagonal` times that under the straight line from
/// its first to its last point.
fn area(rows: &[Ranked], places: usize, curve: Curve, diagonal: f64) -> Area {
    let ends = steps(rows);
    let mut total = Sums::default();
    rows.iter().for_each(|r| total.add(r));
    let (mut sums, mut from, mut at) = (Sums::default(), 0, Vec::with_capacity(ends.len()));
    for to in &ends {
        rows[from..*to].iter().for_each(|r| sums.add(r));
        from = *to;
        at.push((sums, height(&sums, &total, curve)));
    }
    let x = |k: isize| if k < 0 { 0.0 } else { at[k as usize].0.all / total.all };
    let y = |k: isize| if k < 0 { 0.0 } else { at[k as usize].1 };
    let last = at.len() as isize - 1;
    let value = (0..=last).map(|k| (x(k) - x(k - 1)) * (y(k) + y(k - 1)) / 2.0).sum::<f64>() - diagonal * y(last) / 2.0;

    // Backwards through the points: what each sum at a point adds to the area, summed over the points behind a row.
    let mut slopes = vec![0.0; places];
    let mut of = Sums::default();
    let (mut by_all, mut by_treated) = (0.0, 0.0);
    for k in (0..=last).rev() {
        let (sums, height) = &at[k as usize];
        let (mut by_x, mut by_y) = if k == last {
            ((y(k) + y(k - 1)) / 2.0, (x(k) - x(k - 1)) / 2.0 - diagonal / 2.0)
        } else {
            ((y(k - 1) - y(k + 1)) / 2.0, (x(k + 1) - x(k - 1)) / 2.0)
        };
        let [controls, treated] = sums.size;
        match curve {
            Curve::Uplift => {
                by_x += by_y * (sums.mean(1) - sums.mean(0));
                by_y *= sums.all / total.all;
                if treated > 0.0 {
                    of.outcome[1] += by_y / treated;
                    of.size[1] -= by_y * sums.mean(1) / treated;
                }
                if controls > 0.0 {
                    of.outcome[0] -= by_y / controls;
                    of.size[0] += by_y * sums.mean(0) / controls;
                }
            }
            Curve::Qini => {
                by_treated -= by_y * height / total.size[1];
                by_y /= total.size[1];
                of.outcome[1] += by_y;
                of.size[1] -= by_y * sums.mean(0);
                if controls > 0.0 {
                    of.outcome[0] -= by_y * treated / controls;
                    of.size[0] += by_y * sums.mean(0) * treated / controls;
                }
            }
        }
        of.all += by_x / total.all;
        by_all -= by_x * x(k) / total.all;
        let from = if k == 0 { 0 } else { ends[k as usize - 1] };
        for r in &rows[from..ends[k as usize]] {
            let arm = usize::from(r.treated);
            slopes[r.place] = r.weight * of.all + r.arm * (r.outcome * of.outcome[arm] + of.size[arm]);
        }
    }
    for r in rows {
        slopes[r.place] += r.weight * by_all + if r.treated { r.arm * by_treated } else { 0.0 };
    }
    Area { value, slopes }
}

/// Rows in order, or why there is no curve.
fn checked(group: &UpliftGroup) -> Result<(Vec<Ranked>, Support), (Undefined, Support)> {
    let support = Arm::of(group.rows.iter().filter(|r| r.score.is_some()).map(|r| (r.weight, 0.0))).support();
    let rows = ranked(group, |r| r.score);
    let arm = |treated: bool| {
        let rows = group.rows.iter().filter(move |r| r.treated == treated && r.score.is_some());
        Arm::of(rows.map(|r| (r.weight, 0.0)))
    };
    match arms::missing(&arm(true), &arm(false)) {
        Some(Undefined::NoRows) if !group.rows.is_empty() => Err((Undefined::NoScores, support)),
        Some(reason) => Err((reason, support)),
        None => Ok((rows, support)),
    }
}

fn figure(value: f64, slopes: impl Iterator<Item = f64>, support: Support, level: f64) -> Figure {
    let n = support.effective_size;
    let variance = (n > 1.0 + 1e-9).then(|| slopes.map(|s| s * s).sum::<f64>() * n / (n - 1.0));
    Figure::with_error(value, variance, n - 1.0, level, support)
}

/// The area under the uplift curve (AUUC), for each person of the group: `∫ x (Y_t/N_t − Y_c/N_c) dx` over the share x
/// taken, by the trapezoid rule. In the outcome's unit; a score that ranks at random has half the group's effect.
///
/// Since it grows with the effect itself, groups of unlike effects have unlike areas under equally good rankings: compare
/// [`qini_area`] too. Undefined without scores, or where nobody was treated or held out.
pub fn area_under_uplift_curve(group: &UpliftGroup, level: f64) -> Figure {
    curve_area(group, level, Curve::Uplift, 0.0)
}

/// The area between the Qini curve and the straight line of a random ranking, for each treated person:
/// `∫ (Y_t − Y_c N_t/N_c) / N_T dx − ½ (the curve's end)`. 0 for a random ranking or equal scores; below 0 for a ranking
/// upside down. Undefined as [`area_under_uplift_curve`].
pub fn qini_area(group: &UpliftGroup, level: f64) -> Figure {
    curve_area(group, level, Curve::Qini, 1.0)
}

fn curve_area(group: &UpliftGroup, level: f64, curve: Curve, diagonal: f64) -> Figure {
    match checked(group) {
        Err((reason, support)) => Figure::undefined(reason, support),
        Ok((rows, support)) => {
            let area = area(&rows, group.rows.len(), curve, diagonal);
            figure(area.value, area.slopes.iter().copied(), support, level)
        }
    }
}

/// Radcliffe's Qini coefficient: [`qini_area`] over that of the perfect ranking (treated buyers first, held-out buyers
/// last). At most 1; 0 for a random ranking.
///
/// For outcomes of 0 and 1. Undefined as [`qini_area`], for other outcomes, and where no ranking could be better than
/// another.
///
/// # Examples
/// ```
/// use evenhand::metrics::uplift::{Assignment, Trial, UpliftGroup, curves::qini_coefficient};
/// let rows = [(0.9, true, 1.0), (0.8, false, 0.0), (0.2, true, 0.0), (0.1, false, 1.0)];
/// let rows = rows.map(|(s, treated, y)| Trial { score: Some(s), ..Trial::new(treated, y) });
/// let group = UpliftGroup::new(rows.to_vec(), Assignment::Randomised { propensity: None })?;
/// assert!((qini_coefficient(&group, 0.95).estimate.value().unwrap() - 1.0).abs() < 1e-12);
/// # Ok::<(), evenhand::Error>(())
/// ```
pub fn qini_coefficient(group: &UpliftGroup, level: f64) -> Figure {
    let (rows, support) = match checked(group) {
        Err((reason, support)) => return Figure::undefined(reason, support),
        Ok(found) => found,
    };
    if !group.binary {
        return Figure::undefined(Undefined::NotBinary, support);
    }
    let perfect = ranked(group, |r| r.score.map(|_| if r.treated { r.outcome } else { -r.outcome }));
    let reached = area(&rows, group.rows.len(), Curve::Qini, 1.0);
    let best = area(&perfect, group.rows.len(), Curve::Qini, 1.0);
    if best.value.is_nan() || best.value <= 1e-12 {
        return Figure::undefined(Undefined::NoVariation, support);
    }
    let ratio = reached.value / best.value;
    let slopes = reached.slopes.iter().zip(&best.slopes).map(|(a, b)| (a - ratio * b) / best.value);
    figure(ratio, slopes, support, level)
}

/// The average effect among the share `k` (in (0, 1]) of the group's weight with the highest scores.
///
/// Rows tied at the edge count in part, all alike. The interval takes the edge as given. Undefined without scores, or
/// where nobody at the top was treated or held out.
pub fn uplift_at(group: &UpliftGroup, k: f64, level: f64) -> Figure {
    let rows = ranked(group, |r| r.score);
    let all: f64 = rows.iter().map(|r| r.weight).sum();
    let wanted = if k.is_nan() { 0.0 } else { k.clamp(0.0, 1.0) * all };
    let (mut taken, mut from, mut edge) = (0.0, 0, None);
    for to in steps(&rows) {
        let step: f64 = rows[from..to].iter().map(|r| r.weight).sum();
        if taken + step >= wanted * (1.0 - 1e-12) {
            edge = Some((rows[from].rank, ((wanted - taken) / step).clamp(0.0, 1.0)));
            break;
        }
        taken += step;
        from = to;
    }
    let none = if group.rows.is_empty() { Undefined::NoRows } else { Undefined::NoScores };
    let (rank, part) = edge.unwrap_or((f64::INFINITY, 0.0));
    effects::among(group, level, none, |r| match r.score {
        Some(s) if s > rank => 1.0,
        Some(s) if s == rank => part,
        _ => 0.0,
    })
}
