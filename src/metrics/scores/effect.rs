//! Effect size: how far the scores of two groups are apart in standard deviations.

use statrs::function::gamma::ln_gamma;

use super::mean::t_quantile;
use super::{ScoredGroup, Scoring};
use crate::metrics::catalog::Direction;
use crate::metrics::family::{Compute, Measure};
use crate::metrics::{Confidence, Estimate, MeasureEntry, Need, Of, Support, Tested, Undefined};
use crate::tally::Cell;

/// The standardised mean difference of two groups' scores, Cohen's d: `(m₁ − m₂) / s`,
/// `s² = ((n₁ − 1)s₁² + (n₂ − 1)s₂²) / (n₁ + n₂ − 2)`.
///
/// In standard deviations, without limits; above 0 the first group scores higher. All rows count, whatever their label;
/// with weights, means and variances are weighted and n is the effective size. The interval is from the linearised
/// variance, which asks for neither normal scores nor equal spreads; the p-value is Welch's t test. Undefined without
/// rows, with fewer than two rows (effective) in a group, or where scores do not vary.
///
/// # References
/// Cohen (1988), Statistical power analysis for the behavioral sciences. Lenders know it as SMD.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, standardized_mean_difference}};
/// let a = ScoredGroup::from_rows(&[3.0, 4.0, 5.0], &[2; 3], None);
/// let b = ScoredGroup::from_rows(&[1.0, 2.0, 3.0], &[2; 3], None);
/// let d = standardized_mean_difference(&a, &b, Confidence::at(0.95));
/// assert!((d.estimate.value.unwrap() - 2.0).abs() < 1e-12);
/// ```
pub fn standardized_mean_difference(a: &ScoredGroup, b: &ScoredGroup, confidence: Confidence) -> Tested {
    difference(a, b, |_| 1.0, confidence)
}

/// Hedges' g: the [`standardized_mean_difference`] times `J = Γ(m/2) / (√(m/2) Γ((m − 1)/2))`, `m = n₁ + n₂ − 2`, which
/// takes away its bias in small groups.
///
/// # References
/// Hedges (1981), Distribution theory for Glass's estimator of effect size and related estimators, Journal of
/// Educational Statistics 6.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, scores::{ScoredGroup, hedges_g}};
/// let a = ScoredGroup::from_rows(&[3.0, 4.0, 5.0], &[2; 3], None);
/// let b = ScoredGroup::from_rows(&[1.0, 2.0, 3.0], &[2; 3], None);
/// // Γ(2) / (√2 Γ(3/2)) = 0.797885.
/// let g = hedges_g(&a, &b, Confidence::at(0.95));
/// assert!((g.estimate.value.unwrap() - 2.0 * 0.7978845608).abs() < 1e-9);
/// ```
pub fn hedges_g(a: &ScoredGroup, b: &ScoredGroup, confidence: Confidence) -> Tested {
    let correction = |m: f64| {
        if m > 1.0 { (ln_gamma(m / 2.0) - ln_gamma((m - 1.0) / 2.0)).exp() / (m / 2.0).sqrt() } else { 1.0 }
    };
    difference(a, b, correction, confidence)
}

/// A group's scores: cell, mean, unbiased variance, effective size.
struct Side<'a> {
    group: &'a ScoredGroup,
    cell: Cell,
    mean: f64,
    variance: f64,
    size: f64,
}

impl<'a> Side<'a> {
    fn of(group: &'a ScoredGroup) -> Result<Self, Undefined> {
        let mut cell = Cell::default();
        let mut sum = 0.0;
        for point in &group.points {
            cell.add(&point.cell, 1.0);
            sum += point.cell.weight * point.score;
        }
        if !(cell.rows > 0.0) {
            return Err(Undefined::NoScores);
        }
        if !(cell.weight > 0.0) {
            return Err(Undefined::NoWeight);
        }
        let mean = sum / cell.weight;
        let squares: f64 = group.points.iter().map(|p| p.cell.weight * (p.score - mean).powi(2)).sum();
        let size = cell.effective();
        if !(size > 1.0) {
            return Err(Undefined::NoVariation);
        }
        Ok(Side { group, cell, mean, variance: squares / cell.weight * size / (size - 1.0), size })
    }

    /// The variance that a sum over this group has, whose rows move it by `influence / n`.
    fn variance_of(&self, influence: impl Fn(f64) -> f64) -> f64 {
        let squares: f64 =
            self.group.points.iter().map(|p| p.cell.weight_squared * influence(p.score - self.mean).powi(2)).sum();
        squares / (self.cell.weight * self.cell.weight) * self.size / (self.size - 1.0)
    }
}

fn difference(a: &ScoredGroup, b: &ScoredGroup, correction: impl Fn(f64) -> f64, confidence: Confidence) -> Tested {
    let mut whole = Cell::default();
    a.points.iter().chain(&b.points).for_each(|p| whole.add(&p.cell, 1.0));
    let support = Support::from(whole);
    let undefined = |reason| Tested::untested(Estimate::undefined(reason, support));
    let (first, second) = match (Side::of(a), Side::of(b)) {
        (Ok(first), Ok(second)) => (first, second),
        (Err(reason), _) | (_, Err(reason)) => return undefined(reason),
    };
    let df = first.size + second.size - 2.0;
    let share = (first.size - 1.0) / df;
    let pooled = share * first.variance + (1.0 - share) * second.variance;
    let tiny = 1e-24 * (first.mean * first.mean).max(second.mean * second.mean);
    if !(pooled > tiny) {
        return undefined(Undefined::NoVariation);
    }
    let deviation = pooled.sqrt();
    let d = (first.mean - second.mean) / deviation;
    let estimate = Estimate::of(correction(df) * d, support);
    // How a row of either group moves d: by the mean, and by the pooled deviation.
    let moves = |sign: f64, share: f64, spread: f64| {
        move |x: f64| sign * x / deviation - d / 2.0 * share * (x * x - spread) / pooled
    };
    let variance = first.variance_of(moves(1.0, share, first.variance))
        + second.variance_of(moves(-1.0, 1.0 - share, second.variance));
    let error = correction(df) * variance.sqrt();
    let estimate = match (estimate.value, t_quantile(confidence.level, df)) {
        (Some(value), Some(q)) => estimate.between(value - q * error, value + q * error),
        _ => estimate,
    };
    match welch(&first, &second) {
        Some(p) => Tested::by(estimate, p, "welch t"),
        None => Tested::untested(estimate),
    }
}

fn welch(a: &Side, b: &Side) -> Option<f64> {
    use statrs::distribution::{ContinuousCDF, StudentsT};
    let (u, v) = (a.variance_of(|x| x), b.variance_of(|x| x));
    let df = (u + v).powi(2) / (u * u / (a.size - 1.0) + v * v / (b.size - 1.0));
    let t = (a.mean - b.mean) / (u + v).sqrt();
    let p = 2.0 * StudentsT::new(0.0, 1.0, df).ok()?.cdf(-t.abs());
    p.is_finite().then_some(p.min(1.0))
}

const fn entry(name: &'static str, title: &'static str, formula: &'static str) -> MeasureEntry {
    MeasureEntry {
        name,
        title,
        formula,
        needs: &[Need::Score],
        of: Of::Pair,
        direction: Direction::Neither,
        least: None,
        most: None,
        fair: Some(0.0),
        source: "",
        also: "",
    }
}

/// The effect sizes of scores.
pub(crate) const MEASURES: &[Measure<ScoredGroup, Scoring>] = &[
    Measure {
        entry: MeasureEntry {
            source: "Cohen 1988",
            also: "zscore_diff (holisticai); cohen_d (holisticai) of decisions",
            ..entry(
                "standardized_mean_difference",
                "difference of mean scores in pooled standard deviations (Cohen's d)",
                "(mean_1(s) - mean_2(s)) / sd_pooled(s)",
            )
        },
        compute: Compute::Pair(|a, b, _, at| standardized_mean_difference(a, b, at)),
    },
    Measure {
        entry: MeasureEntry {
            source: "Hedges 1981",
            ..entry(
                "hedges_g",
                "standardized mean difference, corrected for small groups",
                "J(n_1 + n_2 - 2) (mean_1(s) - mean_2(s)) / sd_pooled(s)",
            )
        },
        compute: Compute::Pair(|a, b, _, at| hedges_g(a, b, at)),
    },
];

#[cfg(test)]
mod tests {
    use rand_distr::{Distribution, Normal};

    use super::*;
    use crate::metrics::scores::fixtures::rng;

    fn at() -> Confidence {
        Confidence::at(0.95)
    }

    #[cfg(feature = "csv")]
    #[test]
    fn effects_are_those_of_holistic_ai() {
        use crate::metrics::scores::fixtures::Data;
        // cohen_d (of decisions) and zscore_diff (of scores) of holisticai 1.0.14.
        let german = Data::german();
        for (column, a, cohen, z) in [
            ("age_ge25", "young", -0.14903779528744907, -0.3584135969532629),
            ("sex", "female", -0.020419828921754358, -0.08920956506957003),
        ] {
            let of = |is: bool, what: &str| {
                let scores = german.group(column, a, is).numbers(what);
                ScoredGroup::from_rows(&scores, &vec![2; scores.len()], None)
            };
            for (what, expected) in [("y_pred", cohen), ("score", z)] {
                let (one, other) = (of(true, what), of(false, what));
                let d = standardized_mean_difference(&one, &other, at()).estimate.value.unwrap();
                // Theirs divides each variance by n, then weighs it by n - 1, so that it is a little further from 0.
                let (a, b) = (Side::of(&one).unwrap(), Side::of(&other).unwrap());
                let part = |s: &Side| (s.size - 1.0) * s.variance;
                let ours: f64 = part(&a) + part(&b);
                let theirs = part(&a) * (a.size - 1.0) / a.size + part(&b) * (b.size - 1.0) / b.size;
                assert!((d * (ours / theirs).sqrt() - expected).abs() < 1e-12, "{d} {expected}");
            }
        }
    }

    #[test]
    fn nothing_to_compare_has_a_reason() {
        let of = |s: &[f64]| ScoredGroup::from_rows(s, &vec![2; s.len()], None);
        let reason = |a: &[f64], b: &[f64]| standardized_mean_difference(&of(a), &of(b), at()).estimate.reason;
        assert_eq!(reason(&[], &[1.0, 2.0]), Some(Undefined::NoScores));
        assert_eq!(reason(&[1.0], &[1.0, 2.0]), Some(Undefined::NoVariation));
        assert_eq!(reason(&[1.0, 1.0], &[2.0, 2.0]), Some(Undefined::NoVariation));
        assert_eq!(reason(&[0.1; 30], &[0.1; 30]), Some(Undefined::NoVariation));
        let none = ScoredGroup::from_rows(&[1.0, 2.0], &[0, 1], Some(&[0.0; 2]));
        let tested = standardized_mean_difference(&none, &of(&[1.0, 2.0]), at());
        assert_eq!(tested.estimate.reason, Some(Undefined::NoWeight));
    }

    #[test]
    fn weights_scale_and_sides_swap() {
        let (s, w) = ([0.1, 0.4, 0.45, 0.9], [1.0, 2.0, 0.5, 1.5]);
        let a = ScoredGroup::from_rows(&s, &[2; 4], Some(&w));
        let more = ScoredGroup::from_rows(&s, &[2; 4], Some(&w.map(|w| 4.0 * w)));
        let b = ScoredGroup::from_rows(&[0.2, 0.3, 0.8], &[2; 3], None);
        let (one, other) = (hedges_g(&a, &b, at()), hedges_g(&more, &b, at()));
        let back = hedges_g(&b, &a, at());
        let near = |x: Option<f64>, y: Option<f64>, sign: f64| assert!((x.unwrap() - sign * y.unwrap()).abs() < 1e-12);
        near(one.estimate.value, other.estimate.value, 1.0);
        near(one.estimate.low, other.estimate.low, 1.0);
        near(one.estimate.value, back.estimate.value, -1.0);
        near(one.estimate.low, back.estimate.high, -1.0);
        near(one.p_value, back.p_value, 1.0);
    }

    /// For normal and for skewed scores of unlike spread, and the level of the test.
    #[test]
    fn intervals_cover() {
        let samples = 2000;
        for (n1, n2, apart, ratio, skewed) in
            [(40, 80, 0.5, 1.0, false), (60, 200, 0.0, 2.0, false), (150, 150, 0.8, 1.5, true)]
        {
            let mut rng = rng(11);
            let normal = Normal::new(0.0, 1.0).unwrap();
            let mut draw = |n: usize, mean: f64, sd: f64| {
                let scores: Vec<f64> = (0..n)
                    .map(|_| {
                        let x: f64 = normal.sample(&mut rng);
                        mean + sd * if skewed { (x * x - 1.0) / 2f64.sqrt() } else { x }
                    })
                    .collect();
                ScoredGroup::from_rows(&scores, &vec![2; n], None)
            };
            let share = f64::from(n1 - 1) / f64::from(n1 + n2 - 2);
            let truth = apart / (share + (1.0 - share) * ratio * ratio).sqrt();
            let (mut held, mut rejected) = (0, 0);
            for _ in 0..samples {
                let (a, b) = (draw(n1 as usize, apart, 1.0), draw(n2 as usize, 0.0, ratio));
                let tested = hedges_g(&a, &b, at());
                let (low, high) = tested.estimate.interval().unwrap();
                held += usize::from(low <= truth && truth <= high);
                rejected += usize::from(tested.p_value.unwrap() < 0.05);
            }
            let held = held as f64 / f64::from(samples);
            assert!((0.92..=0.985).contains(&held), "{n1} {n2} {apart} {ratio}: {held}");
            if apart == 0.0 {
                assert!((60..=140).contains(&rejected), "{rejected} of {samples}");
            }
        }
    }
}
