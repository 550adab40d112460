//! What the group tells of the segment beyond what strata explain: conditional mutual information.

use super::SegmentCounts;
use super::quadratic::{Quadratic, spread};
use super::table::{Chance, Table};
use crate::inference::hypothesis::{ChiSquare, chi_square_table, g_test_table};
use crate::inference::permutation::conditional_independence_p;
use crate::metrics::{Confidence, Estimate, Support, Tested, Undefined};
use crate::tally::Cell;

/// Tables of groups by segments, one a stratum.
pub(super) struct Strata {
    /// Those with two groups and two segments, and their shares of all weight.
    tables: Vec<(Table, f64)>,
    support: Support,
}

impl Strata {
    /// Strata without weight say nothing; those where all groups are in one segment have weight, but no information.
    pub fn of(strata: &[Vec<SegmentCounts>]) -> Result<Self, Estimate> {
        let mut all = Cell::default();
        let (mut found, mut comparable) = (Vec::new(), false);
        let mut reason = Undefined::NoRows;
        for stratum in strata {
            let groups: Vec<&SegmentCounts> = stratum.iter().collect();
            let mut whole = Cell::default();
            groups.iter().flat_map(|g| &g.cells).for_each(|cell| whole.add(cell, 1.0));
            match Table::of(&groups) {
                Ok(table) => found.push((table, whole.weight)),
                Err(undefined) => match undefined.reason {
                    Some(Undefined::OneSegment) => comparable = true,
                    Some(Undefined::TooFewGroups) => reason = Undefined::NoOverlap,
                    Some(Undefined::NotFinite) | None => {
                        return Err(Estimate::undefined(Undefined::NotFinite, undefined.support));
                    }
                    Some(other) if reason == Undefined::NoRows => reason = other,
                    Some(_) => {}
                },
            }
            all.add(&whole, 1.0);
        }
        let support = Support::from(all);
        if found.is_empty() && !comparable {
            return Err(Estimate::undefined(reason, support));
        }
        let tables = found.into_iter().map(|(table, weight)| (table, weight / all.weight)).collect();
        Ok(Strata { tables, support })
    }

    fn degrees(&self) -> f64 {
        self.tables.iter().map(|(table, _)| table.degrees()).sum()
    }

    /// What chance adds to the information: `Σ π (G − 1)(K − 1) / 2n`.
    fn bias(&self) -> f64 {
        self.tables.iter().map(|(table, share)| share * table.degrees() / (2.0 * table.size)).sum()
    }

    fn information(&self) -> f64 {
        self.tables.iter().map(|(table, share)| share * table.information()).sum()
    }

    /// The test that group and segment are independent in every stratum: statistics and degrees of freedom added up, or
    /// segments dealt anew within each stratum where any table is sparse.
    fn chance(
        &self,
        confidence: Confidence,
        names: [&'static str; 2],
        of: fn(&[f64], usize) -> Option<ChiSquare>,
    ) -> Option<Chance> {
        let tables: Vec<(&[f64], usize)> = self.tables.iter().map(|(t, _)| (&t.counts[..], t.columns)).collect();
        let tests: Vec<ChiSquare> = tables.iter().filter_map(|(counts, columns)| of(counts, *columns)).collect();
        let statistic = tests.iter().map(|t| t.statistic).sum();
        let p_value = ChiSquare::new(statistic, tests.iter().map(|t| t.df).sum())?.p_value;
        if !self.tables.iter().any(|(table, _)| table.is_sparse()) {
            return Some(Chance { statistic, p_value, test: names[0] });
        }
        let draws = confidence.bootstrap;
        let statistic_of = |counts: &[f64], columns| of(counts, columns).map(|t| t.statistic);
        let p_value = conditional_independence_p(&tables, draws.replicates, draws.seed, statistic_of)?;
        Some(Chance { statistic, p_value, test: names[1] })
    }

    fn g_test(&self, confidence: Confidence) -> Option<Chance> {
        self.chance(confidence, ["g-test within strata", "permutation of g within strata"], g_test_table)
    }

    /// The summed chi-square statistic, with its p-value.
    pub fn chi_square(&self, confidence: Confidence) -> Tested {
        let names = ["chi-square within strata", "permutation of chi-square within strata"];
        match self.chance(confidence, names, chi_square_table) {
            Some(c) => Tested::by(Estimate::of(c.statistic, self.support), c.p_value, c.test),
            None => Tested::untested(Estimate::undefined(Undefined::NoVariation, self.support)),
        }
    }

    /// The interval of the information.
    fn interval(&self, value: f64, confidence: Confidence, rejected: bool) -> Option<(f64, f64)> {
        let (df, bias) = (self.degrees(), self.bias());
        if self.tables.is_empty() || bias <= 0.0 {
            return None;
        }
        let size = df / (2.0 * bias);
        let cells = self.tables.iter().flat_map(|(table, share)| {
            table.cells().map(move |(p, r, c)| (share * p, if p > 0.0 { (p / (r * c)).ln() } else { 0.0 }))
        });
        let elsewhere = 1.0 - self.tables.iter().map(|(_, share)| share).sum::<f64>();
        let variance = spread(cells.chain([(elsewhere, 0.0)])) / size;
        let quadratic = Quadratic { value, scale: 2.0 * size, df, variance };
        quadratic.interval(confidence.level, rejected).map(|i| (i.low, i.high))
    }
}

fn tested(strata: &[Vec<SegmentCounts>], confidence: Confidence, corrected: bool) -> Tested {
    let strata = match Strata::of(strata) {
        Ok(strata) => strata,
        Err(undefined) => return Tested::untested(undefined),
    };
    let information = strata.information();
    let value = if corrected { information - strata.bias() } else { information };
    let mut estimate = Estimate::of(value, strata.support);
    let chance = strata.g_test(confidence);
    let rejected = chance.as_ref().is_some_and(|c| c.p_value < (1.0 - confidence.level) / 2.0);
    if let Some((low, high)) = strata.interval(information, confidence, rejected).filter(|_| estimate.value.is_some()) {
        estimate = estimate.between(low.min(value), high.max(value));
    }
    match chance {
        Some(chance) => Tested::by(estimate, chance.p_value, chance.test),
        None => Tested::untested(estimate),
    }
}

/// The mutual information of group and segment within strata, `Σ_s π_s Σ_gc p_gc|s ln(p_gc|s / (p_g|s p_c|s))`, in nats.
///
/// `strata[s][g]` is group g in stratum s; `π_s` the stratum's share of all weight. From 0 (within every stratum, groups
/// have the same shares) to ln of the smaller number of groups or segments; a stratum where all are in one segment adds 0.
/// **Biased** upward by what [`conditional_mutual_information_corrected`] takes off. Tested by G summed over strata, by
/// permutation within strata where any table expects fewer than 5 in a cell; the interval inverts the noncentral
/// chi-square distribution, and its low end is 0 unless the test rejects at its tail. Undefined without rows or weight,
/// and where no stratum has two groups ([`Undefined::NoOverlap`]).
///
/// # References
/// Cover, Thomas (2006), Elements of information theory, chapter 2; Wyner (1978), Information and Control 38.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, information::conditional_mutual_information}};
/// let group = |rows: &[f64]| SegmentCounts::of_rows(rows);
/// // Fair in one stratum; the other as in the unconditional measure's example, which is half of all people.
/// let strata = [vec![group(&[50.0, 50.0]), group(&[50.0, 50.0])], vec![group(&[30.0, 70.0]), group(&[60.0, 40.0])]];
/// let i = conditional_mutual_information(&strata, Confidence::at(0.95)).estimate;
/// assert!((i.value.unwrap() - 0.04620083 / 2.0).abs() < 1e-8);
/// ```
pub fn conditional_mutual_information(strata: &[Vec<SegmentCounts>], confidence: Confidence) -> Tested {
    tested(strata, confidence, false)
}

/// The conditional mutual information less its bias (Miller and Madow): `I − Σ_s π_s (G_s − 1)(K_s − 1) / 2 n_s`, in nats.
///
/// Around 0 where strata explain everything, and so now and then below it. Otherwise as
/// [`conditional_mutual_information`].
///
/// # References
/// Miller (1955), Note on the bias of information estimates.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, segments::{SegmentCounts, information::conditional_mutual_information_corrected}};
/// let group = |rows: &[f64]| SegmentCounts::of_rows(rows);
/// let strata = [vec![group(&[50.0, 50.0]), group(&[50.0, 50.0])], vec![group(&[30.0, 70.0]), group(&[60.0, 40.0])]];
/// let i = conditional_mutual_information_corrected(&strata, Confidence::at(0.95)).estimate;
/// assert!((i.value.unwrap() - (0.04620083 / 2.0 - 2.0 / 800.0)).abs() < 1e-8);
/// ```
pub fn conditional_mutual_information_corrected(strata: &[Vec<SegmentCounts>], confidence: Confidence) -> Tested {
    tested(strata, confidence, true)
}

/// A table of groups by segments for each class: `[class][group]`.
pub(super) fn within_classes(groups: &[&SegmentCounts]) -> Vec<Vec<SegmentCounts>> {
    let classes = groups.iter().map(|g| g.cells.len() / g.segments.max(1)).max().unwrap_or(0);
    let of = |group: &SegmentCounts, class: usize| SegmentCounts {
        segments: group.segments,
        cells: group.cells.chunks(group.segments.max(1)).nth(class).unwrap_or_default().to_vec(),
        unassigned: Cell::default(),
    };
    (0..classes).map(|class| groups.iter().map(|g| of(g, class)).collect()).collect()
}

/// A table of groups by classes for each segment: `[segment][group]`, the classes in the place of segments.
pub(super) fn within_segments(groups: &[&SegmentCounts]) -> Vec<Vec<SegmentCounts>> {
    let segments = groups.iter().map(|g| g.segments).max().unwrap_or(0);
    let of = |group: &SegmentCounts, segment: usize| {
        let rows = group.cells.chunks(group.segments.max(1));
        let cells: Vec<Cell> = rows.map(|row| row.get(segment).copied().unwrap_or_default()).collect();
        SegmentCounts { segments: cells.len(), cells, unassigned: Cell::default() }
    };
    (0..segments).map(|segment| groups.iter().map(|g| of(g, segment)).collect()).collect()
}

#[cfg(test)]
#[path = "information_tests.rs"]
mod tests;
