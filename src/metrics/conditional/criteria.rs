//! Comparisons within strata, pooled over them: is a difference explained by a legitimate reason?

use std::collections::BTreeMap;

use crate::audit::Comparison;
use crate::inference::bootstrap::{Bootstrap, Replicates};
use crate::inference::stratified::{self, Stratum};
use crate::metrics::catalog::Entry;
use crate::metrics::compare::{self, Compared};
use crate::metrics::{Estimate, Support, Undefined, measure};
use crate::tally::{Cell, Counts};

type Strata = BTreeMap<u64, Counts>;

/// The strata that hold both groups, as effective counts of a rate.
fn overlap(entry: &Entry, a: &Strata, b: &Strata) -> (Vec<Stratum>, Support) {
    let mut support = Support::default();
    let both = a.iter().filter_map(|(stratum, mine)| {
        let theirs = b.get(stratum)?;
        let (x, y) = (measure::measure(entry, mine, 0.95), measure::measure(entry, theirs, 0.95));
        let (p, q) = (x.share?, y.share?);
        support.rows += x.estimate.support.rows + y.estimate.support.rows;
        support.weight += x.estimate.support.weight + y.estimate.support.weight;
        support.effective_size += x.estimate.support.effective_size + y.estimate.support.effective_size;
        Some(Stratum { x1: p.x, n1: p.n, x2: q.x, n2: q.n })
    });
    (both.collect(), support)
}

/// Two groups compared within strata: the Mantel–Haenszel difference (variance by Sato 1989) or ratio
/// (Greenland and Robins 1985) of a rate, tested by Cochran–Mantel–Haenszel.
pub(crate) fn pair(entry: &Entry, a: &Strata, b: &Strata, comparison: Comparison, level: f64) -> Compared {
    let (strata, support) = overlap(entry, a, b);
    if strata.is_empty() {
        return Compared { estimate: Estimate::undefined(Undefined::NoOverlap, support), ..Compared::default() };
    }
    let pooled = match comparison {
        Comparison::Difference | Comparison::Value => stratified::mantel_haenszel_difference(&strata, level),
        Comparison::Ratio => stratified::mantel_haenszel_ratio(&strata, level),
    };
    let Some(pooled) = pooled else {
        return Compared { estimate: Estimate::undefined(Undefined::OverZero, support), ..Compared::default() };
    };
    let estimate = Estimate::of(pooled.value, support).between(pooled.interval.low, pooled.interval.high);
    let test = stratified::cmh_test(&strata);
    let name = test.as_ref().map(|_| "cochran-mantel-haenszel");
    Compared { estimate, p_value: test.map(|t| t.p_value), test: name, extremes: None }
}

/// The largest conditional disparity over all pairs of groups; each pair's interval is at a level that
/// holds for all of them (Šidák), so the largest lies between the largest of either end.
pub(crate) fn worst_case(entry: &Entry, groups: &[&Strata], comparison: Comparison, level: f64) -> Compared {
    let pairs: Vec<(usize, usize)> =
        (0..groups.len()).flat_map(|i| (i + 1..groups.len()).map(move |j| (i, j))).collect();
    let each = crate::inference::sidak_level(level, pairs.len().max(1));
    let mut found: Vec<((usize, usize), Compared)> = Vec::new();
    for (i, j) in pairs {
        let compared = pair(entry, groups[i], groups[j], comparison, each);
        match compared.estimate.value {
            Some(_) => found.push(((i, j), compare::join(&[compared], comparison, true))),
            None => continue,
        }
    }
    // Of equals the first, whatever rounding makes of them.
    let worse = |a: f64, b: f64| if comparison == Comparison::Difference { a > b + 1e-9 } else { a < b - 1e-9 };
    let mut worst: Option<((usize, usize), &Compared)> = None;
    for (at, compared) in &found {
        let (Some(v), best) = (compared.estimate.value, worst.and_then(|w| w.1.estimate.value)) else { continue };
        if best.is_none_or(|best| worse(v, best)) {
            worst = Some((*at, compared));
        }
    }
    let Some(((i, j), gravest)) = worst else {
        let reason = if groups.len() < 2 { Undefined::TooFewGroups } else { Undefined::NoOverlap };
        return Compared { estimate: Estimate::undefined(reason, Support::default()), ..Compared::default() };
    };
    let mut estimate = gravest.estimate.clone();
    let ends =
        |pick: fn(&Estimate) -> Option<f64>| found.iter().map(|f| pick(&f.1.estimate)).collect::<Option<Vec<f64>>>();
    if let (Some(lows), Some(highs)) = (ends(|e| e.low), ends(|e| e.high)) {
        let (fold, from): (fn(f64, f64) -> f64, f64) =
            if comparison == Comparison::Difference { (f64::max, 0.0) } else { (f64::min, 1.0) };
        estimate = estimate.between(lows.into_iter().fold(from, fold), highs.into_iter().fold(from, fold));
    }
    let smallest = found.iter().filter_map(|f| f.1.p_value).reduce(f64::min);
    let p_value = smallest.map(|p| (p * found.len() as f64).min(1.0));
    let test = if found.len() == 1 { "cochran-mantel-haenszel" } else { "bonferroni of cochran-mantel-haenszel" };
    Compared { estimate, p_value, test: p_value.map(|_| test), extremes: Some((i, j)) }
}

/// Conditional demographic disparity of a group: within each stratum its share of the rejected minus its
/// share of the selected, averaged by the strata's sizes (Wachter, Mittelstadt, Russell 2021). Strata in
/// which nobody or everybody was selected say nothing and are left out of the mean.
pub(crate) fn demographic_disparity(group: &Strata, all: &Strata, bootstrap: &Bootstrap, level: f64) -> Compared {
    // Four cells a stratum: selected and rejected, in the group and outside it.
    let mut cells: Vec<Cell> = Vec::new();
    let mut support = Support::default();
    for (stratum, all) in all {
        let decided = |counts: &Counts, decision: usize| counts.sum(|_, d| d == decision);
        let mine = group.get(stratum).cloned().unwrap_or_default();
        let others = all.without(&mine);
        cells.extend([decided(&mine, 1), decided(&mine, 0), decided(&others, 1), decided(&others, 0)]);
        let size = all.sum(|_, decision| decision < 2);
        support.rows += size.rows;
        support.weight += size.weight;
        support.effective_size += size.effective();
    }
    let Some(value) = mean_disparity(&cells) else {
        return Compared { estimate: Estimate::undefined(Undefined::NoOverlap, support), ..Compared::default() };
    };
    let estimate = Estimate::of(value, support);
    let replicates = bootstrap.run(&[&cells], |_, cells| mean_disparity(cells));
    let interval = replicates.first().and_then(|r: &Replicates| r.percentile(level));
    let estimate = interval.map_or(estimate.clone(), |i| estimate.between(i.low.min(value), i.high.max(value)));
    Compared { estimate, ..Compared::default() }
}

fn mean_disparity(cells: &[Cell]) -> Option<f64> {
    let (mut sum, mut size) = (0.0, 0.0);
    for stratum in cells.chunks_exact(4) {
        let [in_selected, in_rejected, out_selected, out_rejected] = [0, 1, 2, 3].map(|i| stratum[i].weight);
        let (selected, rejected) = (in_selected + out_selected, in_rejected + out_rejected);
        if selected > 0.0 && rejected > 0.0 {
            let weight = selected + rejected;
            sum += weight * (in_rejected / rejected - in_selected / selected);
            size += weight;
        }
    }
    (size > 0.0).then(|| sum / size)
}
