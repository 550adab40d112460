//! What each segment is worth to those in it: the mean benefit of groups, and how unequal it is between them.

use rand::Rng;
use rand_distr::StandardNormal;

use super::sampling::{Norms, within};
use super::table::People;
use super::{SegmentCounts, Segmentation};
use crate::inference::rng::stream;
use crate::inference::{rate, z_quantile};
use crate::metrics::catalog::Direction;
use crate::metrics::family::{Compute, Measure};
use crate::metrics::measure::Measured;
use crate::metrics::{Confidence, Estimate, MeasureEntry, Need, Of, Support, Tested, Undefined};

/// The mean benefit of a group: `Σ_c v_c P(c|g)`, where `values[c]` is what segment c is worth.
///
/// In the values' units, between the least and the largest of them. Its variance is the multinomial quadratic form
/// `Σ w² (v − v̄)² / W²`; the interval is Wilson's on the values' range, of as many rows as make a rate vary as much (z²/2
/// rows dealt to all segments alike keep it from vanishing where all are in one segment). With two segments worth 0 and
/// 1 it is Wilson's interval of the rate. Undefined without rows, weight or a known segment, and where values are not as
/// many as segments ([`Undefined::NoValues`]) or not finite.
///
/// # References
/// Agresti (2013), Categorical data analysis, chapter 14 (the variance); Wilson (1927), JASA 22.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, benefit::mean_benefit}};
/// let group = SegmentCounts::of_rows(&[30.0, 50.0, 20.0]);
/// let benefit = mean_benefit(&group, &[0.0, 10.0, 25.0], Confidence::at(0.95));
/// assert!((benefit.value.unwrap() - 10.0).abs() < 1e-12);
/// // The standard error is √((50 · 10² + 20 · 25²) / 100 − 10²) / 10 = 0.866.
/// assert!((benefit.high.unwrap() - benefit.low.unwrap() - 2.0 * 1.96 * 0.866).abs() < 0.1);
/// ```
pub fn mean_benefit(group: &SegmentCounts, values: &[f64], confidence: Confidence) -> Estimate {
    mean_of(group, values, confidence).estimate
}

/// The mean of values by group, as comparisons need it.
pub(super) fn mean_of(group: &SegmentCounts, values: &[f64], confidence: Confidence) -> Measured {
    let people = match People::of(&[group]) {
        Ok(people) => people,
        Err(e) => return Measured::undefined(e.reason.unwrap_or(Undefined::NoRows), e.support),
    };
    let answer = |estimate, error| Measured { estimate, share: None, plain: false, error };
    if values.len() != people.segments || values.is_empty() {
        return Measured::undefined(Undefined::NoValues, people.support);
    }
    let (least, most) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |r, v| (r.0.min(*v), r.1.max(*v)));
    let range = most - least;
    if !range.is_finite() || values.iter().any(|v| !v.is_finite()) {
        return Measured::undefined(Undefined::NotFinite, people.support);
    }
    let (cells, all) = (&people.groups[0], people.group(0));
    if range <= 0.0 {
        return answer(Estimate::of(least, people.support).between(least, least), Some(0.0));
    }
    // On the scale from the least value (0) to the largest (1).
    let scaled = || values.iter().map(|v| (v - least) / range);
    let moments = |more: f64, n: f64| {
        let share = |weight: f64| (weight / all.weight * n + more / values.len() as f64) / (n + more);
        let mean: f64 = cells.iter().zip(scaled()).map(|(c, v)| share(c.weight) * v).sum();
        let spread: f64 = cells.iter().zip(scaled()).map(|(c, v)| share(c.weight) * (v - mean) * (v - mean)).sum();
        (mean, spread)
    };
    let (mean, spread) = moments(0.0, 1.0);
    let mean = mean.clamp(0.0, 1.0);
    let squares: f64 = cells.iter().zip(scaled()).map(|(c, v)| c.weight_squared * (v - mean) * (v - mean)).sum();
    let n = if all.is_uniform() {
        all.rows
    } else if spread > 0.0 && squares > 0.0 {
        (spread * all.weight * all.weight / squares).min(all.rows)
    } else {
        all.effective()
    };
    let estimate = Estimate::of(least + range * mean, people.support);
    let z = z_quantile(confidence.level);
    let more = z * z / 2.0;
    let (smooth_mean, smooth_spread) = moments(more, n);
    let as_rate = n * smooth_mean * (1.0 - smooth_mean) / smooth_spread;
    let error = range * (smooth_spread * (n + more)).sqrt() / n;
    match rate::wilson(mean * as_rate, as_rate, confidence.level) {
        Some(i) => answer(estimate.between(least + range * i.low, least + range * i.high), Some(error)),
        None => answer(estimate, None),
    }
}

/// How mean benefits differ between groups: each group's share of the people, its mean over everybody's, and that
/// quotient's error.
struct Means {
    share: Vec<f64>,
    relative: Vec<f64>,
    error: Vec<f64>,
    support: Support,
}

impl Means {
    fn of(groups: &[&SegmentCounts], values: &[f64], confidence: Confidence) -> Result<Self, Estimate> {
        let people = People::of(groups)?;
        let undefined = |reason| Estimate::undefined(reason, people.support);
        let (mut weight, mut mean, mut error) = (Vec::new(), Vec::new(), Vec::new());
        for (group, all) in groups.iter().zip((0..groups.len()).map(|i| people.group(i))) {
            if all.weight > 0.0 {
                let measured = mean_of(group, values, confidence);
                let (value, se) = (measured.estimate.value().map_err(undefined)?, measured.error);
                weight.push(all.weight);
                mean.push(value);
                error.push(se.ok_or_else(|| undefined(Undefined::NotFinite))?);
            }
        }
        if weight.len() < 2 {
            return Err(undefined(Undefined::TooFewGroups));
        }
        if values.iter().any(|v| *v < 0.0) {
            return Err(undefined(Undefined::NegativeValues));
        }
        let total: f64 = weight.iter().sum();
        let share: Vec<f64> = weight.iter().map(|w| w / total).collect();
        let overall: f64 = share.iter().zip(&mean).map(|(f, m)| f * m).sum();
        if overall <= 0.0 {
            return Err(undefined(Undefined::OverZero));
        }
        let relative = mean.iter().map(|m| m / overall).collect();
        let error = error.iter().map(|e| e / overall).collect();
        Ok(Means { share, relative, error, support: people.support })
    }

    /// The root of `Σ f d²`.
    fn length(&self, d: &[f64]) -> f64 {
        self.share.iter().zip(d).map(|(f, d)| f * d * d).sum::<f64>().sqrt()
    }

    /// `½ Σ f_g f_h |d_g − d_h|`.
    fn mean_gap(&self, d: &[f64]) -> f64 {
        let mut order: Vec<(f64, f64)> = d.iter().copied().zip(self.share.iter().copied()).collect();
        order.sort_by(|x, y| x.0.total_cmp(&y.0));
        let (mut below, mut sum, mut gap) = (0.0, 0.0, 0.0);
        for (d, f) in order {
            gap += f * (d * below - sum);
            below += f;
            sum += f * d;
        }
        gap.max(0.0)
    }

    /// `Σ f r ln r`.
    fn theil(&self, relative: impl Iterator<Item = f64>) -> f64 {
        let each = |(f, r): (&f64, f64)| if r > 0.0 { f * r * r.ln() } else { 0.0 };
        self.share.iter().zip(relative).map(each).sum::<f64>().max(0.0)
    }

    /// Norms of what chance adds to the relative means.
    fn norms(&self, confidence: Confidence, norm: impl Fn(&Self, &[f64]) -> f64) -> Option<Norms> {
        let mut rng = stream(confidence.bootstrap.seed, self.share.len(), 1);
        let mut errors = vec![0.0; self.share.len()];
        let draw = |_| {
            let mut whole = 0.0;
            for ((error, se), f) in errors.iter_mut().zip(&self.error).zip(&self.share) {
                *error = se * rng.sample::<f64, _>(StandardNormal);
                whole += f * *error;
            }
            errors.iter_mut().zip(&self.relative).for_each(|(error, r)| *error -= r * whole);
            norm(self, &errors)
        };
        Norms::drawn(confidence, draw)
    }

    fn above_one(&self) -> Vec<f64> {
        self.relative.iter().map(|r| r - 1.0).collect()
    }
}

/// The generalised entropy (α = 2) of the groups' mean benefits: `½ Σ_g f_g ((μ_g / μ)² − 1)`, half the squared
/// coefficient of variation between groups, `f_g` being the group's share of the people.
///
/// From 0 (all groups the same) up. Its interval is that of the coefficient of variation, plus and minus a quantile of
/// what chance adds to it, squared: its low end is 0 on fair data as often as it says. Group shares are taken as given.
/// Undefined where [`mean_benefit`] is of any group with weight, with fewer than two such groups, where a value is
/// negative, and where nobody has any benefit ([`Undefined::OverZero`]).
///
/// # References
/// Shorrocks (1980), Econometrica 48; Speicher et al. (2018), A unified approach to quantifying algorithmic unfairness,
/// KDD (between-group part).
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, benefit::between_group_entropy}};
/// let [a, b] = [[50.0, 50.0], [70.0, 30.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let t = between_group_entropy(&[&a, &b], &[0.0, 10.0], Confidence::at(0.95));
/// assert!((t.estimate.value.unwrap() - 0.5 * 0.25 * 0.25).abs() < 1e-12); // means 5 and 3 about 4
/// ```
pub fn between_group_entropy(groups: &[&SegmentCounts], values: &[f64], confidence: Confidence) -> Tested {
    let means = match Means::of(groups, values, confidence) {
        Ok(means) => means,
        Err(undefined) => return Tested::untested(undefined),
    };
    let length = means.length(&means.above_one());
    let tested =
        within(length, means.norms(confidence, Means::length), confidence.level, (0.0, f64::INFINITY), means.support);
    let half_square = |v: f64| 0.5 * v * v;
    let mut estimate = Estimate::of(half_square(length), means.support);
    if let Some((low, high)) = tested.estimate.interval() {
        estimate = estimate.between(half_square(low), half_square(high));
    }
    Tested { estimate, ..tested }
}

/// The Theil index of the groups' mean benefits: `Σ_g f_g (μ_g / μ) ln(μ_g / μ)`, `f_g` being the group's share of the
/// people: the information that knowing who has the benefit gives on the group.
///
/// From 0 up, in nats. Its interval is where the index would be if all differences were as much smaller or larger as
/// chance allows their coefficient of variation to be; otherwise as [`between_group_entropy`].
///
/// # References
/// Theil (1967), Economics and information theory; Shorrocks (1980), Econometrica 48.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, benefit::between_group_theil}};
/// let [a, b] = [[50.0, 50.0], [70.0, 30.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let t = between_group_theil(&[&a, &b], &[0.0, 10.0], Confidence::at(0.95));
/// let expected = 0.5 * (1.25 * 1.25f64.ln() + 0.75 * 0.75f64.ln());
/// assert!((t.estimate.value.unwrap() - expected).abs() < 1e-12);
/// ```
pub fn between_group_theil(groups: &[&SegmentCounts], values: &[f64], confidence: Confidence) -> Tested {
    let means = match Means::of(groups, values, confidence) {
        Ok(means) => means,
        Err(undefined) => return Tested::untested(undefined),
    };
    let value = means.theil(means.relative.iter().copied());
    let d = means.above_one();
    let length = means.length(&d);
    let support = means.support;
    let tested =
        within(length, means.norms(confidence, Means::length), confidence.level, (0.0, f64::INFINITY), support);
    let mut estimate = Estimate::of(value, support);
    if let Some((low, high)) = tested.estimate.interval() {
        let at = |to: f64| {
            let stretch = if length > 0.0 { to / length } else { 0.0 };
            means.theil(d.iter().map(|d| (1.0 + stretch * d).max(0.0)))
        };
        // Near 0 the index is half the squared length, whichever way the differences point.
        let top = at(high).max(0.5 * (high - length) * (high - length));
        estimate = estimate.between(at(low).min(value), top.max(value));
    }
    Tested { estimate, ..tested }
}

/// The Gini index of the groups' mean benefits: `½ Σ_gh f_g f_h |μ_g − μ_h| / μ`, everybody being given their group's
/// mean.
///
/// From 0 to 1. Its interval is the index plus and minus a quantile of what chance adds to it; otherwise as
/// [`between_group_entropy`].
///
/// # References
/// Gini (1912), Variabilità e mutabilità; Cowell (2011), Measuring inequality.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, benefit::between_group_gini}};
/// let [a, b] = [[50.0, 50.0], [70.0, 30.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let t = between_group_gini(&[&a, &b], &[0.0, 10.0], Confidence::at(0.95));
/// assert!((t.estimate.value.unwrap() - 0.5 * 0.5 * 2.0 / 4.0).abs() < 1e-12);
/// ```
pub fn between_group_gini(groups: &[&SegmentCounts], values: &[f64], confidence: Confidence) -> Tested {
    match Means::of(groups, values, confidence) {
        Ok(means) => {
            let value = means.mean_gap(&means.relative);
            within(value, means.norms(confidence, Means::mean_gap), confidence.level, (0.0, 1.0), means.support)
        }
        Err(undefined) => Tested::untested(undefined),
    }
}

const fn table(
    name: &'static str,
    title: &'static str,
    formula: &'static str,
    most: Option<f64>,
    source: &'static str,
    also: &'static str,
) -> MeasureEntry {
    MeasureEntry {
        name,
        title,
        formula,
        needs: &[Need::Segments, Need::Values],
        of: Of::Table,
        direction: Direction::Lower,
        least: Some(0.0),
        most,
        fair: Some(0.0),
        source,
        also,
    }
}

/// The measures of this file.
pub(crate) const MEASURES: &[Measure<SegmentCounts, Segmentation>] = &[
    Measure {
        entry: MeasureEntry {
            name: "mean_benefit",
            title: "mean value of the segments that people are in",
            formula: "sum_c v_c P(c|g)",
            needs: &[Need::Segments, Need::Values],
            of: Of::Group,
            direction: Direction::Higher,
            least: None,
            most: None,
            fair: None,
            source: "benefit-weighted parity",
            also: "",
        },
        compute: Compute::Group(|groups, context, confidence| {
            let values = context.values.as_deref().unwrap_or_default();
            groups.iter().map(|g| mean_of(g, values, confidence)).collect()
        }),
    },
    Measure {
        entry: table(
            "between_group_entropy",
            "inequality of the groups' mean benefits (generalised entropy)",
            "1/2 sum_g f_g ((mu_g / mu)^2 - 1)",
            None,
            "Shorrocks 1980; Speicher et al. 2018",
            "aif360 between_group_generalized_entropy_index",
        ),
        compute: Compute::Table(|groups, context, confidence| {
            between_group_entropy(groups, context.values.as_deref().unwrap_or_default(), confidence)
        }),
    },
    Measure {
        entry: table(
            "between_group_theil",
            "inequality of the groups' mean benefits (Theil)",
            "sum_g f_g (mu_g / mu) ln(mu_g / mu)",
            None,
            "Theil 1967",
            "aif360 between_group_theil_index",
        ),
        compute: Compute::Table(|groups, context, confidence| {
            between_group_theil(groups, context.values.as_deref().unwrap_or_default(), confidence)
        }),
    },
    Measure {
        entry: table(
            "between_group_gini",
            "inequality of the groups' mean benefits (Gini)",
            "1/2 sum_gh f_g f_h |mu_g - mu_h| / mu",
            Some(1.0),
            "Gini 1912",
            "",
        ),
        compute: Compute::Table(|groups, context, confidence| {
            between_group_gini(groups, context.values.as_deref().unwrap_or_default(), confidence)
        }),
    },
];

#[cfg(test)]
#[path = "benefit_tests.rs"]
mod tests;
