//! The measures of two groups within strata, and their entries.

use super::kitagawa::{kitagawa, part};
use super::stratified::{Decided, Stratified, counts, joint_support, overlap};
use crate::inference::hypothesis::ChiSquare;
use crate::inference::special::normal_sf;
use crate::inference::stratified::{Stratum, breslow_day, cmh_test, gail_simon, mantel_haenszel_odds_ratio};
use crate::inference::z_quantile;
use crate::metrics::catalog::Direction;
use crate::metrics::family::{Compute, Measure};
use crate::metrics::{Confidence, Estimate, MeasureEntry, Need, Of, Support, Tested, Undefined};

type Common = Vec<(u64, Decided, Decided)>;

/// The strata that hold both groups, or the figure that says that there are none.
fn common(a: &Stratified, b: &Stratified) -> Result<(Common, Support), Tested> {
    let common = overlap(a, b);
    let support = joint_support(&common);
    match common.is_empty() {
        true => Err(Tested::untested(Estimate::undefined(Undefined::NoOverlap, support))),
        false => Ok((common, support)),
    }
}

/// The part of the difference of selection rates that strata explain: the groups are in different strata.
///
/// See [`kitagawa`]; in [−1, 1], first group minus second.
///
/// # References
/// Kitagawa (1955), JASA 50.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, conditional::{Stratified, explained_difference}};
/// let a = Stratified::of_counts(&[(140.0, 700.0), (150.0, 300.0)]);
/// let b = Stratified::of_counts(&[(75.0, 300.0), (385.0, 700.0)]);
/// let explained = explained_difference(&a, &b, Confidence::at(0.95)).estimate;
/// assert!((explained.value.unwrap() + 0.12).abs() < 1e-12 && explained.high.unwrap() < -0.09);
/// ```
pub fn explained_difference(a: &Stratified, b: &Stratified, confidence: Confidence) -> Tested {
    part(kitagawa(a, b, confidence), |found| (found.explained, found.explained_p))
}

/// The part of the difference of selection rates that strata leave over: within strata, groups are treated differently.
///
/// See [`kitagawa`]; in [−1, 1], first group minus second.
///
/// # References
/// Kitagawa (1955), JASA 50.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, conditional::{Stratified, unexplained_difference}};
/// let a = Stratified::of_counts(&[(140.0, 700.0), (150.0, 300.0)]);
/// let b = Stratified::of_counts(&[(75.0, 300.0), (385.0, 700.0)]);
/// let left = unexplained_difference(&a, &b, Confidence::at(0.95)).estimate;
/// assert!((left.value.unwrap() + 0.05).abs() < 1e-12);
/// ```
pub fn unexplained_difference(a: &Stratified, b: &Stratified, confidence: Confidence) -> Tested {
    part(kitagawa(a, b, confidence), |found| (found.unexplained, found.unexplained_p))
}

/// The variance of the rate of one group in one stratum. Where nobody or everybody was selected it is that of half a
/// person more, so that no stratum is infinitely certain.
fn rate_variance(x: f64, n: f64) -> f64 {
    let p = if x > 0.0 && x < n { x / n } else { (x + 0.5) / (n + 1.0) };
    p * (1.0 - p) / n
}

/// A sum of differences of rates over strata, `Σ c_l (r_al − r_bl)`, with the factors held fixed.
fn of_differences(common: &Common, factor: impl Fn(&Decided, &Decided) -> f64) -> (f64, f64) {
    let (mut sum, mut variance) = (0.0, 0.0);
    for ((_, a, b), s) in common.iter().zip(counts(common)) {
        let c = factor(a, b);
        sum += c * (a.rate() - b.rate());
        variance += c * c * (rate_variance(s.x1, s.n1) + rate_variance(s.x2, s.n2));
    }
    (sum, variance.sqrt())
}

fn tested(value: f64, se: f64, support: Support, confidence: Confidence) -> Tested {
    let z = z_quantile(confidence.level);
    let estimate = Estimate::of(value, support).between(value - z * se, value + z * se);
    match se > 0.0 {
        true => Tested::by(estimate, 2.0 * normal_sf((value / se).abs()), "z of the standardised difference"),
        false => Tested::untested(estimate),
    }
}

/// The difference of selection rates if both groups were spread over the strata as all people of both are:
/// `Σ_l W_l (r_al − r_bl)`, W_l the share of both groups' weight that is in stratum l.
///
/// In [−1, 1], first group minus second, over the strata that hold both. Direct standardisation; the strata's shares are
/// held fixed.
///
/// # References
/// Fleiss, Levin, Paik (2003), Statistical methods for rates and proportions, chapter 19.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, conditional::{Stratified, standardized_rate_difference}};
/// let a = Stratified::of_counts(&[(140.0, 700.0), (150.0, 300.0)]);
/// let b = Stratified::of_counts(&[(75.0, 300.0), (385.0, 700.0)]);
/// let d = standardized_rate_difference(&a, &b, Confidence::at(0.95)).estimate;
/// assert!((d.value.unwrap() + 0.05).abs() < 1e-12);
/// ```
pub fn standardized_rate_difference(a: &Stratified, b: &Stratified, confidence: Confidence) -> Tested {
    let (common, support) = match common(a, b) {
        Ok(found) => found,
        Err(undefined) => return undefined,
    };
    let both = |a: &Decided, b: &Decided| a.all().weight + b.all().weight;
    let all: f64 = common.iter().map(|(_, a, b)| both(a, b)).sum();
    let (value, se) = of_differences(&common, |a, b| both(a, b) / all);
    let mut found = tested(value, se, support, confidence);
    found.estimate.low = found.estimate.low.map(|l| l.max(-1.0));
    found.estimate.high = found.estimate.high.map(|h| h.min(1.0));
    found
}

/// The people of the first group who would have been selected besides, had each stratum's rate been the second group's:
/// `Σ_l n_al (r_bl − r_al)`.
///
/// In persons (in weight, where there are weights); below 0 where the first group is the better off. Over the strata that
/// hold both groups. With interest as the stratum: the interested people whom the advert did not reach.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, conditional::{Stratified, lost_opportunities}};
/// // Of the women 60 of 300 interested were shown the advert, of the men 120 of 300.
/// let women = Stratified::of_counts(&[(60.0, 300.0), (20.0, 400.0)]);
/// let men = Stratified::of_counts(&[(120.0, 300.0), (10.0, 200.0)]);
/// let lost = lost_opportunities(&women, &men, Confidence::at(0.95)).estimate;
/// assert!((lost.value.unwrap() - 60.0).abs() < 1e-9 && lost.low.unwrap() > 30.0);
/// ```
pub fn lost_opportunities(a: &Stratified, b: &Stratified, confidence: Confidence) -> Tested {
    match common(a, b) {
        Ok((common, support)) => {
            let (value, se) = of_differences(&common, |a, _| -a.all().weight);
            tested(value, se, support, confidence)
        }
        Err(undefined) => undefined,
    }
}

/// The odds ratio that all strata have in common, by Mantel and Haenszel, with the test of Cochran, Mantel and Haenszel.
///
/// Above 0, 1 for equal odds; interval by Robins, Breslow and Greenland. Undefined also where a group had no success, or
/// only successes, in every stratum.
///
/// # References
/// As [`mantel_haenszel_odds_ratio`](crate::inference::stratified::mantel_haenszel_odds_ratio).
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, conditional::{Stratified, common_odds_ratio}};
/// let a = Stratified::of_counts(&[(10.0, 50.0), (40.0, 80.0)]);
/// let b = Stratified::of_counts(&[(30.0, 120.0), (20.0, 40.0)]);
/// let ratio = common_odds_ratio(&a, &b, Confidence::at(0.95)).estimate;
/// assert!((ratio.value.unwrap() - 0.8714286).abs() < 1e-7);
/// ```
pub fn common_odds_ratio(a: &Stratified, b: &Stratified, confidence: Confidence) -> Tested {
    let (common, support) = match common(a, b) {
        Ok(found) => found,
        Err(undefined) => return undefined,
    };
    let strata = counts(&common);
    let Some(pooled) = mantel_haenszel_odds_ratio(&strata, confidence.level) else {
        return Tested::untested(Estimate::undefined(Undefined::OverZero, support));
    };
    let estimate = Estimate::of(pooled.value, support).between(pooled.interval.low, pooled.interval.high);
    match cmh_test(&strata) {
        Some(test) => Tested::by(estimate, test.p_value, "cochran-mantel-haenszel"),
        None => Tested::untested(estimate),
    }
}

fn statistic(
    (a, b): (&Stratified, &Stratified),
    name: &'static str,
    of: fn(&[Stratum]) -> Option<(f64, f64)>,
) -> Tested {
    match common(a, b) {
        Ok((common, support)) => match of(&counts(&common)) {
            Some((value, p_value)) => Tested::by(Estimate::of(value, support), p_value, name),
            None => Tested::untested(Estimate::undefined(Undefined::NoVariation, support)),
        },
        Err(undefined) => undefined,
    }
}

/// Whether strata disagree on the odds ratio: Breslow and Day's statistic with Tarone's correction.
///
/// From 0 up; its p-value is small where one common odds ratio does not tell the whole story. Undefined with fewer than
/// two strata in which something varies.
///
/// # References
/// As [`breslow_day`](crate::inference::stratified::breslow_day).
///
/// # Examples
/// ```
/// use evenhand::metrics::conditional::{Stratified, stratum_heterogeneity};
/// let a = Stratified::of_counts(&[(10.0, 100.0), (60.0, 100.0)]);
/// let b = Stratified::of_counts(&[(40.0, 100.0), (20.0, 100.0)]);
/// assert!(stratum_heterogeneity(&a, &b).p_value.unwrap() < 1e-6);
/// ```
pub fn stratum_heterogeneity(a: &Stratified, b: &Stratified) -> Tested {
    let of = |strata: &[Stratum]| breslow_day(strata).map(|ChiSquare { statistic, p_value, .. }| (statistic, p_value));
    statistic((a, b), "breslow-day-tarone", of)
}

/// Whether the difference changes its sign between strata: Gail and Simon's statistic, the smaller of the evidence for
/// either sign.
///
/// From 0 up; a small p-value says that some strata truly go the other way. Not rejecting does not show that none does.
/// Undefined with fewer than two strata that hold both groups.
///
/// # References
/// As [`gail_simon`](crate::inference::stratified::gail_simon).
///
/// # Examples
/// ```
/// use evenhand::metrics::conditional::{Stratified, qualitative_interaction};
/// let a = Stratified::of_counts(&[(10.0, 100.0), (60.0, 100.0)]);
/// let b = Stratified::of_counts(&[(40.0, 100.0), (20.0, 100.0)]);
/// assert!(qualitative_interaction(&a, &b).p_value.unwrap() < 1e-4);
/// ```
pub fn qualitative_interaction(a: &Stratified, b: &Stratified) -> Tested {
    statistic((a, b), "gail-simon", |strata| gail_simon(strata).map(|r| (r.statistic, r.p_value)))
}

/// The share of both groups' decided weight that is in strata which hold both: what a comparison within strata can be
/// about.
///
/// In [0, 1]; a fact of the data, so without an interval. Undefined where neither group has decisions.
///
/// # Examples
/// ```
/// use evenhand::metrics::conditional::{Stratified, stratum_overlap};
/// let a = Stratified::of_counts(&[(10.0, 50.0), (40.0, 50.0)]);
/// let b = Stratified::of_counts(&[(30.0, 100.0)]);
/// assert_eq!(stratum_overlap(&a, &b).value, Some(0.75));
/// ```
pub fn stratum_overlap(a: &Stratified, b: &Stratified) -> Estimate {
    let (mine, theirs) = (a.support(), b.support());
    let support = Support {
        rows: mine.rows + theirs.rows,
        weight: mine.weight + theirs.weight,
        effective_size: mine.effective_size + theirs.effective_size,
    };
    let all = a.weight() + b.weight();
    if !(all > 0.0) {
        return Estimate::undefined(Undefined::NoDecisions, support);
    }
    let common: f64 = overlap(a, b).iter().map(|(_, a, b)| a.all().weight + b.all().weight).sum();
    Estimate::of((common / all).clamp(0.0, 1.0), support)
}

const NEEDS: &[Need] = &[Need::Decision, Need::Strata];

/// The least, the most and the fair value.
type Limits = (Option<f64>, Option<f64>, f64);

const fn entry(
    name: &'static str,
    (title, formula): (&'static str, &'static str),
    direction: Direction,
    (least, most, fair): Limits,
    (source, also): (&'static str, &'static str),
) -> MeasureEntry {
    let fair = Some(fair);
    MeasureEntry { name, title, formula, needs: NEEDS, of: Of::Pair, direction, least, most, fair, source, also }
}

const SIGNED: Limits = (Some(-1.0), Some(1.0), 0.0);
const STATISTIC: Limits = (Some(0.0), None, 0.0);

/// The measures of this file.
pub(crate) const MEASURES: &[Measure<Stratified, ()>] = &[
    Measure {
        entry: entry(
            "explained_difference",
            ("difference that strata explain", "sum over strata of (w_a - w_b) (r_a + r_b) / 2"),
            Direction::Neither,
            SIGNED,
            ("Kitagawa 1955", ""),
        ),
        compute: Compute::Pair(|a, b, (), confidence| explained_difference(a, b, confidence)),
    },
    Measure {
        entry: entry(
            "unexplained_difference",
            ("difference left over within strata", "sum over strata of (r_a - r_b) (w_a + w_b) / 2"),
            Direction::Neither,
            SIGNED,
            ("Kitagawa 1955", ""),
        ),
        compute: Compute::Pair(|a, b, (), confidence| unexplained_difference(a, b, confidence)),
    },
    Measure {
        entry: entry(
            "standardized_rate_difference",
            ("difference if both groups were in the same strata", "sum over strata of W (r_a - r_b)"),
            Direction::Neither,
            SIGNED,
            ("Fleiss, Levin, Paik 2003", "direct standardisation"),
        ),
        compute: Compute::Pair(|a, b, (), confidence| standardized_rate_difference(a, b, confidence)),
    },
    Measure {
        entry: entry(
            "lost_opportunities",
            ("people who would be selected at the other group's rates", "sum over strata of n_a (r_b - r_a)"),
            Direction::Lower,
            (None, None, 0.0),
            ("direct standardisation to the group's own strata", ""),
        ),
        compute: Compute::Pair(|a, b, (), confidence| lost_opportunities(a, b, confidence)),
    },
    Measure {
        entry: entry(
            "common_odds_ratio",
            ("odds ratio common to all strata", "sum x_a (n_b - x_b) / N over sum x_b (n_a - x_a) / N"),
            Direction::Neither,
            (Some(0.0), None, 1.0),
            ("Mantel, Haenszel 1959", "statsmodels StratifiedTable.oddsratio_pooled; R mantelhaen.test"),
        ),
        compute: Compute::Pair(|a, b, (), confidence| common_odds_ratio(a, b, confidence)),
    },
    Measure {
        entry: entry(
            "stratum_heterogeneity",
            ("how surely strata disagree on the odds ratio", "sum (x_a - E)^2 / V - [sum (x_a - E)]^2 / sum V"),
            Direction::Lower,
            STATISTIC,
            ("Breslow, Day 1980; Tarone 1985", "statsmodels StratifiedTable.test_equal_odds(adjust=True)"),
        ),
        compute: Compute::Pair(|a, b, (), _| stratum_heterogeneity(a, b)),
    },
    Measure {
        entry: entry(
            "qualitative_interaction",
            ("how surely the difference changes its sign between strata", "min over signs of sum d^2 / v"),
            Direction::Lower,
            STATISTIC,
            ("Gail, Simon 1985", ""),
        ),
        compute: Compute::Pair(|a, b, (), _| qualitative_interaction(a, b)),
    },
    Measure {
        entry: entry(
            "stratum_overlap",
            ("share of both groups that is in strata which hold both", "weight in common strata / weight"),
            Direction::Higher,
            (Some(0.0), Some(1.0), 1.0),
            ("positivity, as in causal inference", ""),
        ),
        compute: Compute::Pair(|a, b, (), _| Tested::untested(stratum_overlap(a, b))),
    },
];
