//! A group's decisions by stratum.

use std::collections::BTreeMap;

use crate::inference::stratified::Stratum;
use crate::metrics::Support;
use crate::metrics::scores::mean::effective_counts;
use crate::tally::{Cell, Counts};

/// A group's decisions by stratum: how many rows (and what weight) were selected, and how many not.
///
/// # Examples
/// ```
/// use evenhand::metrics::conditional::Stratified;
/// // Two strata: 10 of 50 selected, 40 of 80 selected.
/// let group = Stratified::of_counts(&[(10.0, 50.0), (40.0, 80.0)]);
/// assert_eq!(group.strata(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Stratified {
    strata: BTreeMap<u64, Decided>,
}

/// What was decided in one stratum.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Decided {
    pub selected: Cell,
    pub others: Cell,
}

impl Decided {
    pub fn all(&self) -> Cell {
        let mut all = self.selected;
        all.add(&self.others, 1.0);
        all
    }

    /// The share selected, by weight.
    pub fn rate(&self) -> f64 {
        self.selected.weight / self.all().weight
    }

    fn add(&mut self, other: &Decided, share: f64) {
        self.selected.add(&other.selected, share);
        self.others.add(&other.others, share);
    }
}

impl Stratified {
    /// From `(selected, decided)` of each stratum, unweighted, `0 <= selected <= decided`. The place in the slice is the
    /// stratum; one without decisions, or out of range, has none.
    pub fn of_counts(counts: &[(f64, f64)]) -> Self {
        let good = |(x, n): (f64, f64)| n > 0.0 && n.is_finite() && x >= 0.0 && x <= n;
        let kept = counts.iter().enumerate().filter(|(_, c)| good(**c));
        let decided = |x: f64, n: f64| Decided { selected: Cell::of_rows(x), others: Cell::of_rows(n - x) };
        Stratified { strata: kept.map(|(at, (x, n))| (at as u64, decided(*x, *n))).collect() }
    }

    pub(crate) fn of_strata(strata: &BTreeMap<u64, Counts>) -> Self {
        let decided = |counts: &Counts| Decided {
            selected: counts.sum(|_, decision| decision == 1),
            others: counts.sum(|_, decision| decision == 0),
        };
        let all = strata.iter().map(|(stratum, counts)| (*stratum, decided(counts)));
        Stratified { strata: all.filter(|(_, d)| d.all().weight > 0.0).collect() }
    }

    /// How many strata have decisions.
    pub fn strata(&self) -> usize {
        self.strata.len()
    }

    /// For each of these groups, all others together.
    pub(crate) fn others(groups: &[Stratified]) -> Vec<Stratified> {
        // Sums from both ends, so that nothing is subtracted.
        let mut others = vec![Stratified::default(); groups.len()];
        let mut sum = Stratified::default();
        for (to, group) in others.iter_mut().zip(groups) {
            to.join(&sum);
            sum.join(group);
        }
        sum = Stratified::default();
        for (to, group) in others.iter_mut().zip(groups).rev() {
            to.join(&sum);
            sum.join(group);
        }
        others
    }

    fn join(&mut self, other: &Stratified) {
        for (stratum, decided) in &other.strata {
            self.strata.entry(*stratum).or_default().add(decided, 1.0);
        }
    }

    pub(super) fn weight(&self) -> f64 {
        self.strata.values().map(|d| d.all().weight).sum()
    }

    pub(super) fn support(&self) -> Support {
        let mut all = Cell::default();
        self.strata.values().for_each(|d| all.add(&d.all(), 1.0));
        all.into()
    }
}

/// The strata that hold decisions of both groups: their number, and what was decided in each group.
pub(super) fn overlap(a: &Stratified, b: &Stratified) -> Vec<(u64, Decided, Decided)> {
    a.strata.iter().filter_map(|(stratum, mine)| Some((*stratum, *mine, *b.strata.get(stratum)?))).collect()
}

/// What both groups have in those strata.
pub(super) fn joint_support(overlap: &[(u64, Decided, Decided)]) -> Support {
    let mut all = Cell::default();
    for (_, a, b) in overlap {
        all.add(&a.all(), 1.0);
        all.add(&b.all(), 1.0);
    }
    all.into()
}

/// The strata as counts; where there are weights, as the counts that the weighted rates are worth.
pub(super) fn counts(overlap: &[(u64, Decided, Decided)]) -> Vec<Stratum> {
    let side = |d: &Decided| effective_counts(&d.selected, &d.all());
    let stratum = |(_, a, b): &(u64, Decided, Decided)| {
        let ((x1, n1), (x2, n2)) = (side(a), side(b));
        Stratum { x1, n1, x2, n2 }
    };
    overlap.iter().map(stratum).collect()
}
