//! The tables that laws and guidelines ask for: New York City's Local Law 144, and the US Uniform Guidelines.

use serde::{Deserialize, Serialize};

use super::evaluate::subsets;
use super::figures::Scope;
use crate::metrics::selection::{Selection, flip_test, four_fifths_shortfall, two_standard_deviations};
use crate::report::{ImpactRow, ImpactTable, ImpactTest};
use crate::tally::{Counts, DecisionRule};

/// Rules whose own tables an audit makes beside its findings.
///
/// The tables hold counts of people and what the rule computes from them, without intervals, as the rule has it: no
/// verdict comes from them. Rows count, weights do not. Neither table is legal advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Rulebook {
    /// New York City, 6 RCNY 5-300 and 5-301 (Local Law 144 of 2021): people, selection rate (for scores the share above
    /// the median of the whole sample) and impact ratio of each category, by each attribute and all of them crossed. Each
    /// segment is a selection of its own.
    #[serde(rename = "nyc-local-law-144")]
    NycLocalLaw144,
    /// The Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D: four fifths of the highest rate, exact in
    /// whole people; two standard deviations; Fisher's exact test; the flip of one selection.
    Eeoc,
}

/// A category with a smaller share of the people is shown, but is no benchmark (6 RCNY 5-301; 29 CFR 1607.15 A).
const SMALL_SHARE: f64 = 0.02;
/// Up to so many attributes are crossed with each other in all ways.
const CROSSED: usize = 3;

/// The tables of a model; none where the policy follows no rulebook or nothing is decided.
pub(crate) fn tables(scope: &Scope, attributes: &[usize]) -> Vec<ImpactTable> {
    let schema = scope.tally.schema();
    let segmentation = matches!(scope.about().1, DecisionRule::Segments(_));
    let Some(rulebook) = scope.plan.policy.rulebook else { return Vec::new() };
    if segmentation || !schema.models[scope.model].decides() {
        return Vec::new();
    }
    let sets = subsets(attributes, scope.plan.order.max(attributes.len().min(CROSSED)));
    sets.iter().map(|set| table(scope, rulebook, set)).collect()
}

/// The people decided on, and those selected; in whole people, also where some are tied at the edge of a selection.
fn selection(counts: &Counts) -> Selection {
    let rows = |pick: fn(usize) -> bool| counts.sum(|_, decision| pick(decision)).rows.round() as u64;
    Selection { selected: rows(|d| d == 1), total: rows(|d| d < 2) }
}

fn table(scope: &Scope, rulebook: Rulebook, attributes: &[usize]) -> ImpactTable {
    let schema = scope.tally.schema();
    let margin = scope.tally.margin(scope.model, attributes);
    let level = |(axis, level): (&usize, &usize)| schema.attributes[*axis].levels[*level].as_str();
    let name = |levels: &[usize]| attributes.iter().zip(levels).map(level).collect::<Vec<_>>().join(" & ");
    let people: Vec<(String, Selection)> =
        margin.groups.iter().map(|g| (name(&g.levels), selection(&g.whole))).collect();
    let people: Vec<(String, Selection)> = people.into_iter().filter(|p| p.1.total > 0).collect();
    let unknown = selection(&margin.missing.whole).total;
    let all: u64 = people.iter().map(|p| p.1.total).sum::<u64>() + unknown;
    let share = |s: Selection| s.total as f64 / all as f64;
    // In whole people, so that equal rates are equal.
    let lower = |a: Selection, b: Selection| {
        u128::from(a.selected) * u128::from(b.total) < u128::from(b.selected) * u128::from(a.total)
    };
    let highest = |of: &mut dyn Iterator<Item = &(String, Selection)>| {
        of.fold(None, |best: Option<&(String, Selection)>, p| match best {
            Some(b) if !lower(b.1, p.1) => Some(b),
            _ => Some(p),
        })
        .cloned()
    };
    let benchmark = highest(&mut people.iter().filter(|p| share(p.1) >= SMALL_SHARE));
    let highest = highest(&mut people.iter());
    let row = |(category, counts): &(String, Selection)| {
        let excluded = share(*counts) < SMALL_SHARE;
        let against = benchmark.as_ref().filter(|b| b.1.selected > 0);
        let rate = |s: Selection| s.selected as f64 / s.total as f64;
        ImpactRow {
            category: category.clone(),
            people: counts.total,
            share: share(*counts),
            selected: counts.selected,
            rate: rate(*counts),
            impact_ratio: against.map(|b| rate(*counts) / rate(b.1)),
            excluded,
            test: against.filter(|b| rulebook == Rulebook::Eeoc && b.0 != *category).and_then(|b| test(*counts, b.1)),
        }
    };
    let attribute: Vec<&str> = attributes.iter().map(|a| schema.attributes[*a].name.as_str()).collect();
    let name = |p: &(String, Selection)| p.0.clone();
    ImpactTable {
        rulebook,
        attribute: attribute.join(" & "),
        rows: people.iter().map(row).collect(),
        unknown,
        excluded_highest: match (&highest, &benchmark) {
            (Some(h), Some(b)) if lower(b.1, h.1) => Some(name(h)),
            (Some(h), None) => Some(name(h)),
            _ => None,
        },
        benchmark: benchmark.as_ref().map(name),
    }
}

/// What the Uniform Guidelines' rules say of a group against the benchmark.
fn test(group: Selection, benchmark: Selection) -> Option<ImpactTest> {
    let rules = two_standard_deviations(group, benchmark).ok()?;
    Some(ImpactTest {
        standard_deviations: rules.standard_deviations,
        fisher_p: rules.fisher_p,
        below_four_fifths: rules.below_threshold,
        significant: rules.significant,
        adverse: rules.adverse(),
        shortfall: four_fifths_shortfall(group, benchmark).ok()?,
        // Where no selection can be moved, none turns anything.
        flips: flip_test(group, benchmark).is_ok_and(|f| f.flips()),
    })
}
