//! Who is reached less than whom: against the best-reached group, plainly and within strata.

use serde::{Deserialize, Serialize};

use super::skew::{reach, reach_share};
use super::table::{DeliveryRow, GroupDelivery};
use crate::inference::stratified::{Stratum, cmh_test, mantel_haenszel_difference};
use crate::inference::{Interval, difference, hypothesis, rate, ratio, sidak_level};
use crate::metrics::{Estimate, Support, Tested, Undefined};

/// A group's reach rate against that of the best-reached group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReachComparison {
    /// The group.
    pub group: String,
    /// The group with the highest reach rate.
    pub best: String,
    /// Its rate less the best's, in [-1, 0]: Newcombe's interval.
    pub difference: Estimate,
    /// Its rate over the best's, in [0, 1]: Koopman's interval.
    pub ratio: Estimate,
    /// Money for each person reached, over the best's: intervals of both costs combined by MOVER.
    pub cost_ratio: Estimate,
    /// The z test of equal rates, times the number of pairs of groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
}

/// Compares every group's reach rate with the best one's.
///
/// Which group is best is read off the same data, so intervals hold for all pairs at once (Šidák's level for the number
/// of pairs) and p-values are multiplied by it (Bonferroni). Groups without a reach rate are left out; empty with fewer
/// than two others.
///
/// # Examples
/// ```
/// use evenhand::metrics::delivery::{GroupDelivery, compare_reach};
/// let group = |name: &str, reached| GroupDelivery {
///     group: name.into(), eligible: 1000.0, reached: Some(reached), ..GroupDelivery::default()
/// };
/// let found = compare_reach(&[group("f", 150.0), group("m", 200.0)], 0.95);
/// assert_eq!((found.len(), found[0].best.as_str()), (1, "m"));
/// assert!((found[0].ratio.value.unwrap() - 0.75).abs() < 1e-12);
/// ```
pub fn compare_reach(groups: &[GroupDelivery], level: f64) -> Vec<ReachComparison> {
    let known: Vec<(&GroupDelivery, f64, f64)> =
        groups.iter().filter_map(|g| reach_share(g).map(|(p, n)| (g, p, n))).collect();
    let Some(at) = (0..known.len()).max_by(|&a, &b| known[a].1.total_cmp(&known[b].1)) else { return Vec::new() };
    let (best, q, m) = known[at];
    let pairs = known.len() * (known.len() - 1) / 2;
    let level = sidak_level(level, pairs);
    let others = known.iter().enumerate().filter(|(i, _)| *i != at);
    others
        .map(|(_, &(g, p, n))| {
            let rows = g.eligible + best.eligible;
            let support = Support { rows, weight: rows, effective_size: n + m };
            let (x, y) = (p * n, q * m);
            let mut apart = Estimate::of(p - q, support);
            if let Some(i) = difference::newcombe(x, n, y, m, level) {
                apart = apart.between(i.low, i.high);
            }
            let mut over = Estimate::undefined(Undefined::OverZero, support);
            if q > 0.0 {
                over = Estimate::of(p / q, support);
                if let Some(i) = ratio::koopman(x, n, y, m, level) {
                    over = over.between(i.low, i.high.unwrap_or(f64::INFINITY));
                }
            }
            let costs = [g, best].map(|g| reach(g, level).cost);
            let p_value = hypothesis::two_proportion_z(x, n, y, m).map(|t| (t.p_value * pairs as f64).min(1.0));
            ReachComparison {
                group: g.group.clone(),
                best: best.group.clone(),
                difference: apart,
                ratio: over,
                cost_ratio: cost_ratio(&costs, support),
                p_value,
            }
        })
        .collect()
}

fn cost_ratio([own, other]: &[Estimate; 2], support: Support) -> Estimate {
    let (a, b) = match (own.value, other.value) {
        (Some(_), Some(0.0)) => return Estimate::undefined(Undefined::OverZero, support),
        (Some(a), Some(b)) => (a, b),
        _ => return Estimate::undefined(own.reason.or(other.reason).unwrap_or(Undefined::UndefinedPart), support),
    };
    let estimate = Estimate::of(a / b, support);
    let interval = |e: &Estimate| e.interval().map(|(low, high)| Interval { low, high });
    match interval(own).zip(interval(other)).and_then(|(i, j)| ratio::mover_ratio(a, i, b, j)) {
        Some(i) => estimate.between(i.low, i.high.unwrap_or(f64::INFINITY)),
        None => estimate,
    }
}

/// A group against another within strata.
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionalReach {
    /// The group's reach rate less the reference's, pooled over strata by Mantel and Haenszel, with the
    /// Cochran–Mantel–Haenszel test.
    pub difference: Tested,
    /// People of the group who would have been reached besides, at the reference's rates; below 0 where it is better off.
    pub lost: Estimate,
}

/// Compares two groups' reach within strata, each `(reached, eligible)` of the group and of the reference.
///
/// `lost = Σ n_l (q_l − p_l)` with `n_l` the group's eligible people in stratum l, `p` its rates and `q` the
/// reference's; its interval is MOVER's from Wilson's limits in each stratum. Strata that lack a side say nothing and
/// are left out. A stratum must be known before the campaign: interest measured by clicks on it is not.
///
/// Undefined with no stratum that holds both ([`Undefined::NoOverlap`]) or counts out of range.
///
/// # References
/// Mantel, Haenszel (1959), JNCI 22; Cochran (1954), Biometrics 10; Zou, Donner (2008), Statistics in Medicine 27.
///
/// # Examples
/// ```
/// use evenhand::inference::stratified::Stratum;
/// use evenhand::metrics::delivery::conditional_reach;
/// // Low and high interest: the group is reached at 10 % and 30 %, the reference at 20 % and 40 %.
/// let low = Stratum { x1: 10.0, n1: 100.0, x2: 20.0, n2: 100.0 };
/// let high = Stratum { x1: 60.0, n1: 200.0, x2: 40.0, n2: 100.0 };
/// let found = conditional_reach(&[low, high], 0.95);
/// assert!((found.difference.estimate.value.unwrap() + 0.1).abs() < 1e-12);
/// assert!((found.lost.value.unwrap() - 30.0).abs() < 1e-9);
/// ```
pub fn conditional_reach(strata: &[Stratum], level: f64) -> ConditionalReach {
    let plain: Vec<Within> = strata.iter().map(|s| Within { people: s.n1, counts: *s }).collect();
    within(&plain, level)
}

/// A stratum's counts, effective where there is noise, and how many people of the group it really holds.
struct Within {
    people: f64,
    counts: Stratum,
}

fn within(strata: &[Within], level: f64) -> ConditionalReach {
    let both: Vec<&Within> = strata.iter().filter(|w| w.counts.n1 > 0.0 && w.counts.n2 > 0.0).collect();
    let rows: f64 = both.iter().map(|w| w.counts.n1 + w.counts.n2).sum();
    let support = Support { rows, weight: rows, effective_size: rows };
    let none = |why| ConditionalReach {
        difference: Tested::untested(Estimate::undefined(why, support)),
        lost: Estimate::undefined(why, support),
    };
    if both.is_empty() {
        return none(Undefined::NoOverlap);
    }
    let counts: Vec<Stratum> = both.iter().map(|w| w.counts).collect();
    let Some(pooled) = mantel_haenszel_difference(&counts, level) else { return none(Undefined::NotFinite) };
    let (mut lost, mut below, mut above) = (0.0, 0.0, 0.0);
    for w in &both {
        let Stratum { x1, n1, x2, n2 } = w.counts;
        let (Some(own), Some(other)) = (rate::wilson(x1, n1, level), rate::wilson(x2, n2, level)) else {
            return none(Undefined::NotFinite);
        };
        let (p, q, n2) = (x1 / n1, x2 / n2, w.people * w.people);
        lost += w.people * (q - p);
        below += n2 * ((q - other.low).powi(2) + (own.high - p).powi(2));
        above += n2 * ((other.high - q).powi(2) + (p - own.low).powi(2));
    }
    let estimate = Estimate::of(pooled.value, support).between(pooled.interval.low, pooled.interval.high);
    ConditionalReach {
        difference: Tested {
            estimate,
            p_value: cmh_test(&counts).map(|t| t.p_value),
            test: Some("Cochran-Mantel-Haenszel"),
        },
        lost: Estimate::of(lost, support).between(lost - below.sqrt(), lost + above.sqrt()),
    }
}

/// A group against a reference within every campaign and stratum of the lines.
pub(super) fn conditional_of_rows(rows: &[&DeliveryRow], group: &str, best: &str, level: f64) -> ConditionalReach {
    let counts = |row: &DeliveryRow| {
        let one = GroupDelivery {
            eligible: row.eligible,
            reached: row.reached,
            noise: row.noise_sd * row.noise_sd,
            ..GroupDelivery::default()
        };
        reach_share(&one).map(|(p, n)| (p * n, n))
    };
    let strata: Vec<Within> = rows
        .iter()
        .filter(|r| r.group == group)
        .filter_map(|a| {
            let b = rows.iter().find(|b| b.group == best && b.campaign == a.campaign && b.stratum == a.stratum)?;
            let ((x1, n1), (x2, n2)) = (counts(a)?, counts(b)?);
            Some(Within { people: a.eligible, counts: Stratum { x1, n1, x2, n2 } })
        })
        .collect();
    within(&strata, level)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::rng::{binomial, stream};

    #[test]
    fn lost_opportunities_are_covered_and_the_test_holds() {
        let mut rng = stream(31, 0, 0);
        let truth = [(150.0, 0.1, 200.0, 0.2), (250.0, 0.4, 120.0, 0.5), (90.0, 0.3, 60.0, 0.3)];
        let lost: f64 = truth.iter().map(|(n, p, _, q)| n * (q - p)).sum();
        let (mut covered, mut wrong) = (0, 0);
        for _ in 0..2000 {
            let mut draw =
                |n, p, m, q| Stratum { x1: binomial(&mut rng, n, p), n1: n, x2: binomial(&mut rng, m, q), n2: m };
            let strata = truth.map(|(n, p, m, q)| draw(n, p, m, q));
            let found = conditional_reach(&strata, 0.95).lost.interval().unwrap();
            covered += usize::from(found.0 <= lost && lost <= found.1);
            let fair = truth.map(|(n, _, m, q)| draw(n, q, m, q));
            wrong += usize::from(conditional_reach(&fair, 0.95).difference.p_value.unwrap() < 0.05);
        }
        assert!((1870..1950).contains(&covered) && (60..130).contains(&wrong), "{covered} {wrong}");
    }

    #[test]
    fn best_of_fair_groups_is_seldom_accused() {
        let mut rng = stream(32, 0, 0);
        let mut wrong = 0;
        for _ in 0..1000 {
            let groups: Vec<GroupDelivery> = (0..6)
                .map(|i| GroupDelivery {
                    group: i.to_string(),
                    eligible: 400.0,
                    reached: Some(binomial(&mut rng, 400.0, 0.3)),
                    ..Default::default()
                })
                .collect();
            wrong += usize::from(compare_reach(&groups, 0.95).iter().any(|c| c.p_value.is_some_and(|p| p < 0.05)));
        }
        assert!(wrong < 65, "{wrong}");
    }

    #[test]
    fn cost_ratios_cover() {
        let mut rng = stream(33, 0, 0);
        let mut covered = 0;
        for _ in 0..2000 {
            let mut group = |n: f64, p: f64, spend| GroupDelivery {
                eligible: n,
                reached: Some(binomial(&mut rng, n, p)),
                spend: Some(spend),
                ..Default::default()
            };
            // 1.5 and 1 for each person on average.
            let groups = [group(1000.0, 0.1, 150.0), group(800.0, 0.3, 240.0)];
            let (low, high) = compare_reach(&groups, 0.95)[0].cost_ratio.interval().unwrap();
            covered += usize::from(low <= 1.5 && 1.5 <= high);
        }
        assert!((1870..1940).contains(&covered), "{covered}");
    }

    #[test]
    fn nasty_input() {
        assert_eq!(conditional_reach(&[], 0.95).lost.reason, Some(Undefined::NoOverlap));
        let nobody = Stratum { x1: 1.0, n1: 2.0, x2: 0.0, n2: 0.0 };
        assert_eq!(conditional_reach(&[nobody], 0.95).lost.reason, Some(Undefined::NoOverlap));
        let wrong = Stratum { x1: 3.0, n1: 2.0, x2: 1.0, n2: 2.0 };
        assert_eq!(conditional_reach(&[wrong], 0.95).lost.reason, Some(Undefined::NotFinite));
        assert!(compare_reach(&[], 0.95).is_empty());
        let nobody = GroupDelivery { eligible: 5.0, reached: Some(0.0), ..Default::default() };
        let found = compare_reach(&[nobody.clone(), nobody], 0.95);
        assert_eq!((found[0].ratio.reason, found[0].p_value), (Some(Undefined::OverZero), None));
    }
}
