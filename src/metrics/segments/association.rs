//! How far knowing the group tells the segment: measures of a whole table of groups by segments.
//!
//! All are 0 where every group has the same shares of the segments. With weights, figures are of the weighted shares, and
//! tests and intervals rest on effective sizes. Where any cell expects fewer than 5 rows, the chi-square distribution is
//! not to be trusted, and p-values are by permutation: people keep their group, segments are dealt anew.
//!
//! Intervals invert the noncentral chi-square distribution, stretched where the delta method says that the figure
//! varies more; their low end is 0 unless the test rejects at its tail, so that on fair data they hold 0 as often as they
//! promise.

use super::quadratic::{Quadratic, spread};
use super::table::{Chance, Table};
use super::{SegmentCounts, Segmentation};
use crate::inference::permutation::hypergeometric_mean;
use crate::inference::{rate, sidak_level};
use crate::metrics::catalog::Direction;
use crate::metrics::family::{Compute, Measure};
use crate::metrics::{Confidence, Estimate, MeasureEntry, Need, Of, Tested, Undefined};

/// A figure of a table, and what its interval is made of: a quadratic figure θ, of which it (or what it estimates) is a
/// function.
struct Figure {
    value: f64,
    theta: f64,
    /// What makes θ times the table's size a chi-square statistic, and that statistic's degrees of freedom.
    scale: f64,
    df: f64,
    /// How θ changes with each cell's share.
    gradient: Vec<f64>,
    back: fn(f64) -> f64,
    most: Option<f64>,
}

fn tested(
    groups: &[&SegmentCounts],
    confidence: Confidence,
    test: fn(&Table, Confidence) -> Option<Chance>,
    figure: impl Fn(&Table) -> Option<Figure>,
) -> Tested {
    let table = match Table::of(groups) {
        Ok(table) => table,
        Err(undefined) => return Tested::untested(undefined),
    };
    let Some(figure) = figure(&table) else {
        return Tested::untested(Estimate::undefined(Undefined::NoVariation, table.support));
    };
    let chance = test(&table, confidence);
    let rejected = chance.as_ref().is_some_and(|c| c.p_value < (1.0 - confidence.level) / 2.0);
    let variance = spread(table.shares.iter().copied().zip(figure.gradient)) / table.size;
    let quadratic =
        Quadratic { value: figure.theta.max(0.0), scale: figure.scale * table.size, df: figure.df, variance };
    let mut estimate = Estimate::of(figure.value, table.support);
    if let (Some(interval), Some(value)) = (quadratic.interval(confidence.level, rejected), estimate.value) {
        let most = figure.most.unwrap_or(f64::INFINITY);
        let (low, high) = ((figure.back)(interval.low).min(most), (figure.back)(interval.high).min(most));
        estimate = estimate.between(low.min(value), high.max(value));
    }
    match chance {
        Some(chance) => Tested::by(estimate, chance.p_value, chance.test),
        None => Tested::untested(estimate),
    }
}

/// Pearson's chi-square statistic of independence, `Σ (O − E)² / E`, with its p-value.
///
/// In rows (it grows with them: for how large a disparity is, see [`cramers_v`]), from 0 up. With weights, each group
/// counts with its effective size. P-value from chi-square on (G − 1)(K − 1) degrees of freedom, or by permutation where
/// any cell expects fewer than 5. Undefined without rows, weight, two groups or two segments.
///
/// # References
/// Pearson (1900), Philosophical Magazine 50.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, association::chi_square}};
/// let [a, b] = [[30.0, 70.0], [60.0, 40.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let t = chi_square(&[&a, &b], Confidence::at(0.95));
/// assert!((t.estimate.value.unwrap() - 18.181818).abs() < 1e-6 && t.p_value.unwrap() < 1e-4);
/// ```
pub fn chi_square(groups: &[&SegmentCounts], confidence: Confidence) -> Tested {
    statistic(groups, confidence, Table::chi_square)
}

/// The likelihood-ratio statistic of independence, `G = 2 Σ O ln(O / E)`, with its p-value.
///
/// Otherwise as [`chi_square`].
///
/// # References
/// Woolf (1957), Annals of Human Genetics 21.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, association::g_test}};
/// let [a, b] = [[30.0, 70.0], [60.0, 40.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let t = g_test(&[&a, &b], Confidence::at(0.95));
/// assert!((t.estimate.value.unwrap() - 18.4803317).abs() < 1e-6);
/// ```
pub fn g_test(groups: &[&SegmentCounts], confidence: Confidence) -> Tested {
    statistic(groups, confidence, Table::g_test)
}

fn statistic(
    groups: &[&SegmentCounts],
    confidence: Confidence,
    test: fn(&Table, Confidence) -> Option<Chance>,
) -> Tested {
    match Table::of(groups).map(|table| (test(&table, confidence), table.support)) {
        Ok((Some(chance), support)) => Tested::by(Estimate::of(chance.statistic, support), chance.p_value, chance.test),
        Ok((None, support)) => Tested::untested(Estimate::undefined(Undefined::NoVariation, support)),
        Err(undefined) => Tested::untested(undefined),
    }
}

/// Cramér's V, `√(φ² / min(G − 1, K − 1))` with `φ² = Σ (p_gc − p_g p_c)² / (p_g p_c)`.
///
/// From 0 (groups alike) to 1 (the group tells the segment). **Biased**: fair tables of few rows show much of it (4 × 8
/// with 300 rows 0.15 on average), and so the interval, which is of the V behind the table, may end below the figure (it
/// is then widened to hold it): read [`cramers_v_corrected`]. Groups and segments without weight are left out. Undefined
/// as [`chi_square`].
///
/// # References
/// Cramér (1946), Mathematical methods of statistics, 21.9; Smithson (2003), Confidence intervals.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, association::cramers_v}};
/// let [a, b] = [[30.0, 70.0], [60.0, 40.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let v = cramers_v(&[&a, &b], Confidence::at(0.95)).estimate;
/// assert!((v.value.unwrap() - 0.30151134).abs() < 1e-8);
/// assert!(v.low.unwrap() > 0.15 && v.high.unwrap() < 0.45);
/// ```
pub fn cramers_v(groups: &[&SegmentCounts], confidence: Confidence) -> Tested {
    cramers(groups, confidence, |v_squared, _| Some(v_squared.sqrt()))
}

/// Cramér's V with Bergsma's correction: `√(max(0, φ² − (G−1)(K−1)/(n−1)) / min(G̃ − 1, K̃ − 1))`, where
/// `G̃ = G − (G−1)²/(n−1)`, `K̃` likewise.
///
/// From 0 to 1; near 0 on fair tables, whatever their size. Its interval is [`cramers_v`]'s. Undefined also where there
/// are so few rows that nothing is left to correct ([`Undefined::NoVariation`]).
///
/// # References
/// Bergsma (2013), A bias-correction for Cramér's V and Tschuprow's T, J. Korean Statistical Society 42.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, association::cramers_v_corrected}};
/// let [a, b] = [[10.0, 11.0, 9.0], [21.0, 20.0, 19.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let v = cramers_v_corrected(&[&a, &b], Confidence::at(0.95)).estimate;
/// assert_eq!((v.value, v.low), (Some(0.0), Some(0.0)));
/// ```
pub fn cramers_v_corrected(groups: &[&SegmentCounts], confidence: Confidence) -> Tested {
    cramers(groups, confidence, |v_squared, table| {
        let (g, k) = (table.by_group.len() as f64, table.columns as f64);
        let left = table.size - 1.0;
        let phi = (v_squared * (g - 1.0).min(k - 1.0) - (g - 1.0) * (k - 1.0) / left).max(0.0);
        let corrected = |m: f64| m - 1.0 - (m - 1.0) * (m - 1.0) / left;
        let most = corrected(g).min(corrected(k));
        (left > 0.0 && most > 0.0).then(|| (phi / most).sqrt().min(1.0))
    })
}

fn cramers(groups: &[&SegmentCounts], confidence: Confidence, value: impl Fn(f64, &Table) -> Option<f64>) -> Tested {
    tested(groups, confidence, Table::chi_square, |table| {
        let (phi, mut gradient) = table.phi_squared();
        let most = (table.by_group.len().min(table.columns) - 1) as f64;
        gradient.iter_mut().for_each(|g| *g /= most);
        Some(Figure {
            value: value(phi / most, table)?,
            theta: phi / most,
            scale: most,
            df: table.degrees(),
            gradient,
            back: f64::sqrt,
            most: Some(1.0),
        })
    })
}

fn entropy(shares: &[f64]) -> f64 {
    -shares.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum::<f64>()
}

/// A figure that is the information over some entropy `whole`, which each cell changes by `slope`.
fn informed(
    table: &Table,
    value: f64,
    whole: f64,
    slope: impl Fn(f64, f64) -> f64,
    most: Option<f64>,
) -> Option<Figure> {
    let theta = table.information() / whole;
    let gradient = |(p, r, c): (f64, f64, f64)| {
        if p > 0.0 { ((p / (r * c)).ln() - theta * slope(r, c)) / whole } else { 0.0 }
    };
    let gradient = table.cells().map(gradient).collect();
    (whole > 0.0).then_some(Figure {
        value,
        theta,
        scale: 2.0 * whole,
        df: table.degrees(),
        gradient,
        back: |theta| theta,
        most,
    })
}

/// The mutual information of group and segment, `Σ p_gc ln(p_gc / (p_g p_c))`, in nats.
///
/// From 0 to ln of the smaller number of groups or segments. **Biased** upward by some (G−1)(K−1)/2n: see
/// [`mutual_information_corrected`]. Tested by G = 2 n I. Undefined as [`chi_square`].
///
/// # References
/// Shannon (1948), A mathematical theory of communication.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, association::mutual_information}};
/// let [a, b] = [[30.0, 70.0], [60.0, 40.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let i = mutual_information(&[&a, &b], Confidence::at(0.95)).estimate;
/// assert!((i.value.unwrap() - 0.04620083).abs() < 1e-8);
/// ```
pub fn mutual_information(groups: &[&SegmentCounts], confidence: Confidence) -> Tested {
    tested(groups, confidence, Table::g_test, |table| informed(table, table.information(), 1.0, |_, _| 0.0, None))
}

/// The mutual information less its bias (Miller and Madow): `I − (G−1)(K−1) / 2n`, in nats.
///
/// Around 0 on fair tables, and so now and then below it. Its interval is [`mutual_information`]'s.
///
/// # References
/// Miller (1955), Note on the bias of information estimates.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, association::mutual_information_corrected}};
/// let [a, b] = [[30.0, 70.0], [60.0, 40.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let i = mutual_information_corrected(&[&a, &b], Confidence::at(0.95)).estimate;
/// assert!((i.value.unwrap() - (0.04620083 - 1.0 / 400.0)).abs() < 1e-8);
/// ```
pub fn mutual_information_corrected(groups: &[&SegmentCounts], confidence: Confidence) -> Tested {
    tested(groups, confidence, Table::g_test, |table| {
        informed(table, table.information() - table.degrees() / (2.0 * table.size), 1.0, |_, _| 0.0, None)
    })
}

/// The mean of the groups' and the segments' entropy.
fn mean_entropy(table: &Table) -> f64 {
    0.5 * (entropy(&table.by_group) + entropy(&table.by_segment))
}

/// How that mean changes with a cell, up to a constant.
fn mean_entropy_slope(r: f64, c: f64) -> f64 {
    -0.5 * (r.ln() + c.ln())
}

/// The mutual information over the mean of both entropies: `I / ((H(group) + H(segment)) / 2)`.
///
/// From 0 to 1 (each tells the other). Biased like I; see [`adjusted_mutual_information`]. Undefined as [`chi_square`].
///
/// # References
/// Vinh, Epps, Bailey (2010), JMLR 11; scikit-learn's `normalized_mutual_info_score`.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, association::normalized_mutual_information}};
/// let t = [[3.0, 1.0, 4.0], [1.0, 5.0, 9.0], [2.0, 6.0, 5.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let i = normalized_mutual_information(&[&t[0], &t[1], &t[2]], Confidence::at(0.95)).estimate;
/// assert!((i.value.unwrap() - 0.07103215180716108).abs() < 1e-12);
/// ```
pub fn normalized_mutual_information(groups: &[&SegmentCounts], confidence: Confidence) -> Tested {
    tested(groups, confidence, Table::g_test, |table| {
        let whole = mean_entropy(table);
        informed(table, table.information() / whole, whole, mean_entropy_slope, Some(1.0))
    })
}

/// The mutual information over what chance would show: `(I − E I) / ((H(group) + H(segment)) / 2 − E I)`, where `E I` is
/// the exact mean over all tables with the same margins.
///
/// 1 where each tells the other, around 0 on fair tables, and so now and then below it. With weights the margins are
/// those of a plain table that is as sure, rounded to whole rows. Its interval is [`normalized_mutual_information`]'s:
/// of many rows both are the same. Undefined also where chance alone would show all there is
/// ([`Undefined::NoVariation`]).
///
/// # References
/// Vinh, Epps, Bailey (2010), Information theoretic measures for clusterings comparison, JMLR 11; scikit-learn's
/// `adjusted_mutual_info_score`.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, association::adjusted_mutual_information}};
/// let t = [[3.0, 1.0, 4.0], [1.0, 5.0, 9.0], [2.0, 6.0, 5.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let i = adjusted_mutual_information(&[&t[0], &t[1], &t[2]], Confidence::at(0.95)).estimate;
/// assert!((i.value.unwrap() - 0.010316018608037467).abs() < 1e-12);
/// ```
pub fn adjusted_mutual_information(groups: &[&SegmentCounts], confidence: Confidence) -> Tested {
    tested(groups, confidence, Table::g_test, |table| {
        let whole = mean_entropy(table);
        let expected = expected_information(table);
        let left = whole - expected;
        if left <= 1e-12 * whole {
            return None;
        }
        let value = (table.information() - expected) / left;
        informed(table, value, whole, mean_entropy_slope, Some(1.0))
    })
}

/// The mean information of tables with these margins.
fn expected_information(table: &Table) -> f64 {
    let rows = |share: &f64| (share * table.size).round();
    let groups: Vec<f64> = table.by_group.iter().map(rows).collect();
    let segments: Vec<f64> = table.by_segment.iter().map(rows).collect();
    let n: f64 = groups.iter().sum();
    let part =
        |a: f64, b: f64| hypergeometric_mean(a, b, n, |k| if k > 0.0 { k / n * (k / a * (n / b)).ln() } else { 0.0 });
    groups.iter().flat_map(|a| segments.iter().map(move |b| part(*a, *b))).sum()
}

/// Theil's U, the share of the segments' uncertainty that the group removes: `U(segment | group) = I / H(segment)`.
///
/// From 0 to 1 (the group tells the segment). Undefined as [`chi_square`].
///
/// # References
/// Theil (1970), American J. Sociology 76; scikit-learn's `homogeneity_score`.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, association::theils_u}};
/// let t = [[3.0, 1.0, 4.0], [1.0, 5.0, 9.0], [2.0, 6.0, 5.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let u = theils_u(&[&t[0], &t[1], &t[2]], Confidence::at(0.95)).estimate;
/// assert!((u.value.unwrap() - 0.07297863070611216).abs() < 1e-12);
/// ```
pub fn theils_u(groups: &[&SegmentCounts], confidence: Confidence) -> Tested {
    tested(groups, confidence, Table::g_test, |table| {
        let whole = entropy(&table.by_segment);
        informed(table, table.information() / whole, whole, |_, c| -c.ln(), Some(1.0))
    })
}

/// Goodman and Kruskal's tau: by how much fewer errors one makes who guesses segments at their group's shares rather
/// than at the overall ones, `(Σ p_gc²/p_g − Σ p_c²) / (1 − Σ p_c²)`.
///
/// From 0 to 1. Near 0 a sum of chi-squares of unequal weights, whose degrees of freedom are Satterthwaite's. Undefined
/// as [`chi_square`].
///
/// # References
/// Goodman, Kruskal (1954), Measures of association for cross classifications, JASA 49; Light, Margolin (1971), JASA 66.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, association::goodman_kruskal_tau}};
/// let t = [[3.0, 1.0, 4.0], [1.0, 5.0, 9.0], [2.0, 6.0, 5.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let tau = goodman_kruskal_tau(&[&t[0], &t[1], &t[2]], Confidence::at(0.95)).estimate;
/// assert!((tau.value.unwrap() - 0.0628788).abs() < 1e-7);
/// ```
pub fn goodman_kruskal_tau(groups: &[&SegmentCounts], confidence: Confidence) -> Tested {
    tested(groups, confidence, Table::chi_square, |table| {
        let power = |k: i32| table.by_segment.iter().map(|c| c.powi(k)).sum::<f64>();
        let (second, third) = (power(2), power(3));
        let errors = 1.0 - second;
        let tau = table.cells().map(|(p, r, c)| (p - r * c) * (p - r * c) / r).sum::<f64>() / errors;
        let squares: Vec<f64> = table
            .shares
            .chunks(table.columns)
            .zip(&table.by_group)
            .map(|(row, r)| row.iter().map(|p| p * p).sum::<f64>() / (r * r))
            .collect();
        let slope = |(at, (p, r, c)): (usize, (f64, f64, f64))| {
            (2.0 * p / r - squares[at / table.columns] - 2.0 * c + 2.0 * c * tau) / errors
        };
        let kept = errors * errors / (second - 2.0 * third + second * second);
        Some(Figure {
            value: tau,
            theta: tau,
            scale: kept,
            df: (table.by_group.len() as f64 - 1.0) * kept,
            gradient: table.cells().enumerate().map(slope).collect(),
            back: |theta| theta,
            most: Some(1.0),
        })
    })
}

/// Goodman and Kruskal's lambda: by how much fewer errors one makes who guesses each group's commonest segment rather
/// than the overall one, `(Σ_g max_c p_gc − max_c p_c) / (1 − max_c p_c)`.
///
/// From 0 to 1, and 0 also of unequal groups that share their commonest segment. It is not smooth where segments are
/// equally common, so that no normal interval is right; this one follows from simultaneous Wilson limits (Šidák) of all
/// shares, with the groups' sizes as they are, and is wide. Undefined as [`chi_square`].
///
/// # References
/// Goodman, Kruskal (1954), Measures of association for cross classifications, JASA 49.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, association::goodman_kruskal_lambda}};
/// let t = [[3.0, 1.0, 4.0], [1.0, 5.0, 9.0], [2.0, 6.0, 5.0]].map(|rows| SegmentCounts::of_rows(&rows));
/// let lambda = goodman_kruskal_lambda(&[&t[0], &t[1], &t[2]], Confidence::at(0.95)).estimate;
/// assert!((lambda.value.unwrap() - 1.0 / 18.0).abs() < 1e-12);
/// ```
pub fn goodman_kruskal_lambda(groups: &[&SegmentCounts], confidence: Confidence) -> Tested {
    let table = match Table::of(groups) {
        Ok(table) => table,
        Err(undefined) => return Tested::untested(undefined),
    };
    let largest = |shares: &[f64]| shares.iter().copied().fold(0.0, f64::max);
    let right = table.shares.chunks(table.columns).map(largest).sum::<f64>();
    let fewer = |right: f64, top: f64| if top < 1.0 { ((right - top) / (1.0 - top)).clamp(0.0, 1.0) } else { 0.0 };
    let top = largest(&table.by_segment);
    let value = fewer(right, top);
    let chance = table.chi_square(confidence);
    let rejected = chance.as_ref().is_some_and(|c| c.p_value < (1.0 - confidence.level) / 2.0);
    let level = sidak_level(confidence.level, table.counts.len() + table.columns);
    // The most common segment's share lies between the largest of either limit.
    let limits = |shares: &[f64], whole: f64, n: f64| {
        shares.iter().try_fold((0.0f64, 0.0f64), |(low, high), p| {
            let i = rate::wilson(p / whole * n, n, level)?;
            Some((low.max(i.low), high.max(i.high)))
        })
    };
    let sizes = table.counts.chunks(table.columns).map(|row| row.iter().sum::<f64>());
    let rows = table.shares.chunks(table.columns).zip(&table.by_group).zip(sizes);
    let groups = rows.map(|((row, r), n)| limits(row, *r, n).map(|(low, high)| (r * low, r * high)));
    let sums = groups.reduce(|a, b| a.zip(b).map(|(a, b)| (a.0 + b.0, a.1 + b.1))).flatten();
    let mut estimate = Estimate::of(value, table.support);
    if let (Some((least, most)), Some((top_low, top_high))) = (sums, limits(&table.by_segment, 1.0, table.size)) {
        let low = if rejected { fewer(least, top_high) } else { 0.0 };
        estimate = estimate.between(low.min(value), fewer(most, top_low).max(value));
    }
    match chance {
        Some(chance) => Tested::by(estimate, chance.p_value, chance.test),
        None => Tested::untested(estimate),
    }
}

const fn entry(
    name: &'static str,
    title: &'static str,
    formula: &'static str,
    range: (Option<f64>, Option<f64>),
    source: &'static str,
    also: &'static str,
) -> MeasureEntry {
    MeasureEntry {
        name,
        title,
        formula,
        needs: &[Need::Segments],
        of: Of::Table,
        direction: Direction::Lower,
        least: range.0,
        most: range.1,
        fair: Some(0.0),
        source,
        also,
    }
}

/// The measures of this file.
pub(crate) const MEASURES: &[Measure<SegmentCounts, Segmentation>] = &[
    Measure {
        entry: entry(
            "chi_square",
            "how surely segments depend on groups",
            "sum (O - E)^2 / E",
            (Some(0.0), None),
            "Pearson 1900",
            "audit-AI chi2; scipy chi2_contingency",
        ),
        compute: Compute::Table(|groups, _, confidence| chi_square(groups, confidence)),
    },
    Measure {
        entry: entry(
            "g_test",
            "how surely segments depend on groups, by likelihood",
            "2 sum O ln(O / E)",
            (Some(0.0), None),
            "Woolf 1957",
            "scipy chi2_contingency(lambda_='log-likelihood')",
        ),
        compute: Compute::Table(|groups, _, confidence| g_test(groups, confidence)),
    },
    Measure {
        entry: entry(
            "cramers_v",
            "association of group and segment",
            "sqrt(chi^2 / (n min(G - 1, K - 1)))",
            (Some(0.0), Some(1.0)),
            "Cramér 1946",
            "giskard cramer_v; scipy association",
        ),
        compute: Compute::Table(|groups, _, confidence| cramers_v(groups, confidence)),
    },
    Measure {
        entry: entry(
            "cramers_v_corrected",
            "association of group and segment, less what chance shows",
            "sqrt(max(0, chi^2/n - (G-1)(K-1)/(n-1)) / min(G' - 1, K' - 1)), G' = G - (G-1)^2/(n-1)",
            (Some(0.0), Some(1.0)),
            "Bergsma 2013",
            "fairlens cramers_v",
        ),
        compute: Compute::Table(|groups, _, confidence| cramers_v_corrected(groups, confidence)),
    },
    Measure {
        entry: entry(
            "mutual_information",
            "information that group and segment share, in nats",
            "sum p_gc ln(p_gc / (p_g p_c))",
            (Some(0.0), None),
            "Shannon 1948",
            "sklearn mutual_info_score; giskard mutual_information; veritastool mi_independence",
        ),
        compute: Compute::Table(|groups, _, confidence| mutual_information(groups, confidence)),
    },
    Measure {
        entry: entry(
            "mutual_information_corrected",
            "information that group and segment share, less its bias, in nats",
            "I - (G-1)(K-1) / 2n",
            (None, None),
            "Miller 1955",
            "",
        ),
        compute: Compute::Table(|groups, _, confidence| mutual_information_corrected(groups, confidence)),
    },
    Measure {
        entry: entry(
            "normalized_mutual_information",
            "shared information over the mean entropy",
            "2 I / (H(group) + H(segment))",
            (Some(0.0), Some(1.0)),
            "Vinh, Epps, Bailey 2010",
            "sklearn normalized_mutual_info_score",
        ),
        compute: Compute::Table(|groups, _, confidence| normalized_mutual_information(groups, confidence)),
    },
    Measure {
        entry: entry(
            "adjusted_mutual_information",
            "shared information beyond chance",
            "(I - E I) / ((H(group) + H(segment)) / 2 - E I)",
            (None, Some(1.0)),
            "Vinh, Epps, Bailey 2010",
            "sklearn adjusted_mutual_info_score",
        ),
        compute: Compute::Table(|groups, _, confidence| adjusted_mutual_information(groups, confidence)),
    },
    Measure {
        entry: entry(
            "theils_u",
            "share of the segments' uncertainty that the group removes",
            "I / H(segment)",
            (Some(0.0), Some(1.0)),
            "Theil 1970",
            "sklearn homogeneity_score; giskard theil_u",
        ),
        compute: Compute::Table(|groups, _, confidence| theils_u(groups, confidence)),
    },
    Measure {
        entry: entry(
            "goodman_kruskal_tau",
            "fewer errors in guessing the segment at the group's shares",
            "(sum p_gc^2 / p_g - sum p_c^2) / (1 - sum p_c^2)",
            (Some(0.0), Some(1.0)),
            "Goodman, Kruskal 1954",
            "DescTools GoodmanKruskalTau",
        ),
        compute: Compute::Table(|groups, _, confidence| goodman_kruskal_tau(groups, confidence)),
    },
    Measure {
        entry: entry(
            "goodman_kruskal_lambda",
            "fewer errors in guessing the group's commonest segment",
            "(sum_g max_c p_gc - max_c p_c) / (1 - max_c p_c)",
            (Some(0.0), Some(1.0)),
            "Goodman, Kruskal 1954",
            "DescTools Lambda",
        ),
        compute: Compute::Table(|groups, _, confidence| goodman_kruskal_lambda(groups, confidence)),
    },
];

#[cfg(test)]
#[path = "association_tests.rs"]
mod tests;
