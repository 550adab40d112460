//! How far apart two groups' scores are, whatever the threshold and whatever the labels.

use super::{ScoredGroup, Scoring};
use crate::inference::z_quantile;
use crate::metrics::catalog::Direction;
use crate::metrics::family::{Compute, Measure};
use crate::metrics::{Confidence, Estimate, MeasureEntry, Need, Of, Support, Tested, Undefined};
use crate::tally::Cell;

/// Two groups' cumulative shares, step by step over the scores that either has.
struct Steps {
    /// Score, share of the first group up to it, share of the second.
    at: Vec<(f64, f64, f64)>,
    totals: [Cell; 2],
}

impl Steps {
    fn of(a: &ScoredGroup, b: &ScoredGroup) -> Result<Self, Estimate> {
        let totals = [a, b].map(|g| {
            let mut sum = Cell::default();
            g.points.iter().for_each(|p| sum.add(&p.cell, 1.0));
            sum
        });
        let mut both = totals[0];
        both.add(&totals[1], 1.0);
        if totals.iter().any(|t| t.weight <= 0.0) {
            let reason = if totals.iter().any(|t| t.rows <= 0.0) { Undefined::NoScores } else { Undefined::NoWeight };
            return Err(Estimate::undefined(reason, both.into()));
        }
        let (mut i, mut j, mut sums) = (0, 0, [0.0; 2]);
        let mut at = Vec::with_capacity(a.points.len() + b.points.len());
        while i < a.points.len() || j < b.points.len() {
            let next = |g: &ScoredGroup, k: usize| g.points.get(k).map_or(f64::INFINITY, |p| p.score);
            let score = next(a, i).min(next(b, j));
            for (group, k, sum) in [(a, &mut i, 0), (b, &mut j, 1)] {
                while *k < group.points.len() && group.points[*k].score <= score {
                    sums[sum] += group.points[*k].cell.weight;
                    *k += 1;
                }
            }
            at.push((score, sums[0] / totals[0].weight, sums[1] / totals[1].weight));
        }
        Ok(Steps { at, totals })
    }

    fn support(&self) -> Support {
        let mut both = self.totals[0];
        both.add(&self.totals[1], 1.0);
        both.into()
    }

    /// The mean of one group and its variance, by steps.
    fn mean(&self, group: usize) -> (f64, f64) {
        let pick = |step: &(f64, f64, f64)| if group == 0 { step.1 } else { step.2 };
        let (mut before, mut mean, mut square) = (0.0, 0.0, 0.0);
        for step in &self.at {
            let share = pick(step) - before;
            before = pick(step);
            mean += share * step.0;
            square += share * step.0 * step.0;
        }
        let n = self.totals[group].effective();
        (mean, (square - mean * mean).max(0.0) / (n - 1.0).max(1.0))
    }
}

/// The largest gap between two groups' cumulative score distributions: the largest difference of selection rates that
/// any threshold could make.
///
/// `max_t |F_a(t) − F_b(t)|`, exact over all thresholds, in [0, 1]. The interval holds by the
/// Dvoretzky–Kiefer–Wolfowitz bound on each distribution (conservative), on effective sizes; the p-value is
/// Kolmogorov's limit at √(n_a n_b / (n_a + n_b)) with Stephens' small-sample correction. Undefined without scores in
/// either group.
///
/// # References
/// Smirnov (1948), Annals of Mathematical Statistics 19; Massart (1990), Annals of Probability 18; Stephens (1970), JRSS B 32.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, kolmogorov_smirnov}};
/// let a = ScoredGroup::from_rows(&[0.1, 0.2, 0.3, 0.4], &[2; 4], None);
/// let b = ScoredGroup::from_rows(&[0.3, 0.4, 0.5, 0.6], &[2; 4], None);
/// assert_eq!(kolmogorov_smirnov(&a, &b, Confidence::at(0.95)).estimate.value, Some(0.5));
/// ```
pub fn kolmogorov_smirnov(a: &ScoredGroup, b: &ScoredGroup, confidence: Confidence) -> Tested {
    let steps = match Steps::of(a, b) {
        Ok(steps) => steps,
        Err(estimate) => return Tested::untested(estimate),
    };
    let value = steps.at.iter().map(|(_, f, g)| (f - g).abs()).fold(0.0, f64::max);
    let [n, m] = steps.totals.map(|t| t.effective());
    // Each group's band at a level that holds for both.
    let band = |n: f64| ((4.0 / (1.0 - confidence.level)).ln() / (2.0 * n)).sqrt();
    let arm = band(n) + band(m);
    let estimate = Estimate::of(value, steps.support()).between((value - arm).max(0.0), (value + arm).min(1.0));
    let size = (n * m / (n + m)).sqrt();
    Tested::by(estimate, kolmogorov_sf((size + 0.12 + 0.11 / size) * value), "Kolmogorov-Smirnov")
}

/// The chance that Kolmogorov's statistic exceeds x: `2 Σ (−1)^(k−1) exp(−2k²x²)`.
fn kolmogorov_sf(x: f64) -> f64 {
    if x < 0.2 {
        return 1.0;
    }
    let term = |k: i32| f64::from(1 - 2 * ((k - 1) % 2)) * (-2.0 * f64::from(k * k) * x * x).exp();
    (2.0 * (1..=100).map(term).sum::<f64>()).clamp(0.0, 1.0)
}

/// The earth mover's distance between two groups' scores: how far, on average, one group's scores must be moved to be
/// distributed as the other's; of scores in [0, 1] the mean difference of selection rates over all thresholds.
///
/// `∫ |F_a(t) − F_b(t)| dt`, exact, in the scores' unit. Its low end is that of the difference of means (Welch), which no
/// distance is below; its high end adds what sampling may hide, `z ∫ √(F(1 − F)/n)` for each group (conservative). The
/// p-value is that of the difference of means: distributions that differ in shape alone have none.
///
/// # References
/// Vallender (1974), Theory of Probability and its Applications 18; Jiang et al. (2020), Wasserstein fair classification.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, wasserstein}};
/// let a = ScoredGroup::from_rows(&[0.1, 0.2, 0.3, 0.4], &[2; 4], None);
/// let b = ScoredGroup::from_rows(&[0.3, 0.4, 0.5, 0.6], &[2; 4], None);
/// assert!((wasserstein(&a, &b, Confidence::at(0.95)).estimate.value.unwrap() - 0.2).abs() < 1e-12);
/// ```
pub fn wasserstein(a: &ScoredGroup, b: &ScoredGroup, confidence: Confidence) -> Tested {
    let steps = match Steps::of(a, b) {
        Ok(steps) => steps,
        Err(estimate) => return Tested::untested(estimate),
    };
    let [n, m] = steps.totals.map(|t| t.effective());
    let (mut value, mut hidden) = (0.0, 0.0);
    for pair in steps.at.windows(2) {
        let ((from, f, g), width) = (pair[0], pair[1].0 - pair[0].0);
        debug_assert!(from <= pair[1].0);
        value += (f - g).abs() * width;
        hidden += ((f * (1.0 - f) / n).max(0.0).sqrt() + (g * (1.0 - g) / m).max(0.0).sqrt()) * width;
    }
    let ((x, u), (y, v)) = (steps.mean(0), steps.mean(1));
    let (apart, error) = ((x - y).abs(), (u + v).sqrt());
    let z = z_quantile(confidence.level);
    let low = (apart - z * error).max(0.0).min(value);
    let estimate = Estimate::of(value, steps.support()).between(low, value + z * hidden);
    if error <= 0.0 {
        return Tested::untested(estimate);
    }
    Tested::by(estimate, (2.0 * crate::inference::special::normal_sf(apart / error)).min(1.0), "Welch z of the means")
}

/// An entry of this file.
const fn entry(name: &'static str, title: &'static str, formula: &'static str) -> MeasureEntry {
    MeasureEntry {
        name,
        title,
        formula,
        needs: &[Need::Score],
        of: Of::Pair,
        direction: Direction::Lower,
        least: Some(0.0),
        most: None,
        fair: Some(0.0),
        source: "",
        also: "",
    }
}

/// The measures of this file.
pub(crate) const MEASURES: &[Measure<ScoredGroup, Scoring>] = &[
    Measure {
        entry: MeasureEntry {
            most: Some(1.0),
            source: "Smirnov 1948; Massart 1990",
            also: "max_statistical_parity (holisticai, on a grid), ks_2samp (SciPy), KS (SageMaker Clarify)",
            ..entry("kolmogorov_smirnov", "largest gap of selection rates over all thresholds", "max |F_a(t) - F_b(t)|")
        },
        compute: Compute::Pair(|a, b, _, confidence| kolmogorov_smirnov(a, b, confidence)),
    },
    Measure {
        entry: MeasureEntry {
            source: "Vallender 1974",
            also: "statistical_parity_auc (holisticai, on a grid), wasserstein_distance (SciPy), integrated statistical parity",
            ..entry(
                "wasserstein",
                "how far scores must be moved to be distributed alike",
                "integral of |F_a(t) - F_b(t)| dt",
            )
        },
        compute: Compute::Pair(|a, b, _, confidence| wasserstein(a, b, confidence)),
    },
];

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use rand::Rng;

    use super::*;
    use crate::inference::rng::stream;

    fn group(scores: &[f64], weights: Option<&[f64]>) -> ScoredGroup {
        ScoredGroup::from_rows(scores, &vec![2; scores.len()], weights)
    }

    #[test]
    fn distances_are_those_of_sorted_samples() {
        let mut rng = stream(3, 0, 0);
        for _ in 0..40 {
            let n = rng.gen_range(1..40);
            let mut draw = || -> Vec<f64> { (0..n).map(|_| f64::from(rng.gen_range(0..15u32)) / 4.0).collect() };
            let (mut x, mut y) = (draw(), draw());
            let found = wasserstein(&group(&x, None), &group(&y, None), Confidence::at(0.95));
            let largest = kolmogorov_smirnov(&group(&x, None), &group(&y, None), Confidence::at(0.95));
            let back = wasserstein(&group(&y, None), &group(&x, None), Confidence::at(0.95));
            x.sort_by(f64::total_cmp);
            y.sort_by(f64::total_cmp);
            // Of samples of one size, the mean distance of the sorted values.
            let direct = x.iter().zip(&y).map(|(a, b)| (a - b).abs()).sum::<f64>() / n as f64;
            assert_relative_eq!(found.estimate.value.unwrap(), direct, epsilon = 1e-12);
            assert_relative_eq!(back.estimate.value.unwrap(), direct, epsilon = 1e-12);
            let share = |of: &[f64], t: f64| of.iter().filter(|v| **v <= t).count() as f64 / n as f64;
            let gap = x.iter().chain(&y).map(|t| (share(&x, *t) - share(&y, *t)).abs()).fold(0.0, f64::max);
            assert_relative_eq!(largest.estimate.value.unwrap(), gap, epsilon = 1e-12);
        }
    }

    #[test]
    fn weights_are_rows_and_nobody_is_a_reason() {
        let (a, b) = (group(&[1.0, 2.0], Some(&[2.0, 1.0])), group(&[1.0, 1.0, 2.0], None));
        assert_relative_eq!(wasserstein(&a, &b, Confidence::at(0.9)).estimate.value.unwrap(), 0.0, epsilon = 1e-15);
        let nobody = kolmogorov_smirnov(&group(&[], None), &b, Confidence::at(0.9)).estimate;
        assert_eq!(nobody.reason, Some(Undefined::NoScores));
        let light = group(&[1.0], Some(&[0.0]));
        assert_eq!(wasserstein(&light, &b, Confidence::at(0.9)).estimate.reason, Some(Undefined::NoWeight));
    }

    #[test]
    fn fair_scores_seldom_look_apart_and_intervals_cover() {
        let mut rng = stream(5, 0, 0);
        let (mut above, mut rejected, mut held) = ([0; 2], 0, [0; 2]);
        for _ in 0..1000 {
            let mut draw =
                |n: usize, power: f64| -> Vec<f64> { (0..n).map(|_| rng.r#gen::<f64>().powf(power)).collect() };
            let (a, b, c) = (draw(60, 1.0), draw(90, 1.0), draw(90, 2.0));
            let (a, b, c) = (group(&a, None), group(&b, None), group(&c, None));
            let fair = [kolmogorov_smirnov(&a, &b, Confidence::at(0.95)), wasserstein(&a, &b, Confidence::at(0.95))];
            for (count, t) in above.iter_mut().zip(&fair) {
                *count += usize::from(t.estimate.low.unwrap() > 0.0);
            }
            rejected += usize::from(fair[0].p_value.unwrap() < 0.05);
            // U against U²: the largest gap √t − t is 1/4 at t = 1/4, the integral 2/3 − 1/2.
            let apart = [kolmogorov_smirnov(&a, &c, Confidence::at(0.95)), wasserstein(&a, &c, Confidence::at(0.95))];
            for ((count, t), truth) in held.iter_mut().zip(&apart).zip([0.25, 1.0 / 6.0]) {
                *count += usize::from(t.estimate.low.unwrap() <= truth && truth <= t.estimate.high.unwrap());
            }
        }
        assert!(above[0] <= 50 && above[1] <= 65, "{above:?}");
        assert!((25..=75).contains(&rejected), "{rejected}");
        assert!(held.iter().all(|h| *h >= 940), "{held:?}");
    }
}
