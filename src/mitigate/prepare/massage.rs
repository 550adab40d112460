//! Labels changed nearest the border, until groups have the same rate of favourable ones.

use serde::{Deserialize, Serialize};

use crate::data::Batch;
use crate::mitigate::groups::Groups;
use crate::mitigate::random::uniform;
use crate::{Error, Place, Result};

/// Which rate of favourable labels the groups are brought to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MassageTarget {
    /// That of all rows: as many labels are raised as lowered (Kamiran and Calders).
    #[default]
    Overall,
    /// The one that takes the fewest changes: the median of the groups' rates, weighted by their size. Of two groups, the
    /// smaller one comes to the larger one's.
    FewestChanges,
    /// The highest of the groups': labels are only raised.
    Raise,
    /// The lowest of the groups': labels are only lowered.
    Lower,
}

/// Massages labels: raises the best-scored unfavourable ones of a group, or lowers the worst-scored favourable ones, as many
/// as bring its rate nearest to the target.
///
/// For training rows only: a model that is judged on massaged labels is judged on what its author wished. Groups are the
/// intersections of attributes. With weights, rates are weighted.
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical};
/// use evenhand::mitigate::prepare::Massage;
/// let batch = Batch::builder()
///     .attribute(Categorical::from_values("sex", ["f", "f", "f", "f", "m", "m", "m", "m"]))
///     .label([1, 0, 0, 0, 1, 1, 1, 0])
///     .build()?;
/// let massaged = Massage::new().apply(&batch, &[0.9, 0.2, 0.4, 0.1, 0.9, 0.6, 0.8, 0.3])?;
/// assert_eq!(massaged.raised, [2]);
/// assert_eq!(massaged.lowered, [5]);
/// assert_eq!(massaged.labels, [1, 0, 1, 0, 1, 0, 1, 0]);
/// assert_eq!(massaged.gaps(), [0.5, 0.0]);
/// # Ok::<(), evenhand::Error>(())
/// ```
///
/// # References
/// Kamiran, Calders (2009), Classifying without discriminating, International Conference on Computer, Control and
/// Communication; Kamiran, Calders (2012), Data preprocessing techniques for classification without discrimination,
/// Knowledge and Information Systems 33.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Massage {
    target: MassageTarget,
    attributes: Vec<String>,
}

/// A group's labels before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MassagedGroup {
    /// Its levels, joined by ` & `.
    pub group: String,
    /// Its rows of known label.
    pub rows: u64,
    /// How many of them were changed.
    pub changed: u64,
    /// Its rate of favourable labels before.
    pub before: f64,
    /// Its rate after.
    pub after: f64,
}

/// Labels after massaging.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Massaged {
    /// The label of each row: 0 unfavourable, 1 favourable, 2 unknown.
    pub labels: Vec<u8>,
    /// The rows whose label was raised to favourable, counted from 0, in their order.
    pub raised: Vec<usize>,
    /// The rows whose label was lowered.
    pub lowered: Vec<usize>,
    /// The rate that groups were brought to, as near as whole rows allow.
    pub rate: f64,
    /// The groups.
    pub groups: Vec<MassagedGroup>,
    /// Rows left as they are, because their group or their label is not known.
    pub left_alone: u64,
}

impl Massaged {
    /// The largest difference between the groups' rates, before and after: what is left is less than a row.
    pub fn gaps(&self) -> [f64; 2] {
        [|g: &MassagedGroup| g.before, |g: &MassagedGroup| g.after].map(|rate| {
            let (low, high) = self.groups.iter().map(rate).fold((1.0f64, 0.0f64), |(a, b), r| (a.min(r), b.max(r)));
            (high - low).max(0.0)
        })
    }
}

impl Massage {
    /// To the rate of all rows, for the intersections of all attributes.
    pub fn new() -> Self {
        Self::default()
    }

    /// To another rate.
    #[must_use]
    pub fn target(mut self, target: MassageTarget) -> Self {
        self.target = target;
        self
    }

    /// Only these attributes make the groups.
    #[must_use]
    pub fn attributes<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.attributes = names.into_iter().map(Into::into).collect();
        self
    }

    /// Flips as many labels of a batch, drawn by lot: for want of a model to rank them by. Anybody's label may change, not that
    /// of those nearest the border, so more of what is learned is wrong. A row of one number meets the same lot under one seed.
    ///
    /// # Errors
    /// As for [`apply`](Self::apply).
    pub fn flip(&self, batch: &Batch, seed: u64) -> Result<Massaged> {
        let lots: Vec<f64> = (0..batch.rows() as u64).map(|row| uniform(seed, row)).collect();
        self.apply(batch, &lots)
    }

    /// Changes the labels of a batch, by a score for each row that is larger where a favourable label is more likely: that
    /// of a model trained on these rows. Of equal scores the earlier row goes first.
    ///
    /// # Errors
    /// [`Error::Nothing`] without a label, an attribute or a weighted row of known group and label;
    /// [`Error::UnequalLengths`]; [`Error::BadNumber`] for a score that is not finite; [`Error::MissingColumn`];
    /// [`Error::TooManyCells`].
    pub fn apply(&self, batch: &Batch, scores: &[f64]) -> Result<Massaged> {
        let nothing = |problem| Error::Nothing { problem, place: Place::default() };
        let label = batch.label.as_ref().ok_or(nothing("massaging needs a label; add one to the batch"))?;
        if scores.len() != batch.rows() {
            return Err(Error::UnequalLengths { column: "scores".into(), rows: scores.len(), expected: batch.rows() });
        }
        if let Some(row) = scores.iter().position(|s| !s.is_finite()) {
            let value = scores[row].to_string();
            let expected = "a finite score";
            return Err(Error::BadNumber { column: "scores".into(), value, place: Place::row(row), expected });
        }
        let groups = Groups::of(batch, &self.attributes)?;
        let weight = |row: usize| batch.weight.as_ref().map_or(1.0, |w| w.values[row]);
        let mut labels = label.codes().to_vec();
        let mut rows: Vec<Vec<usize>> = vec![Vec::new(); groups.len()];
        for (row, group) in groups.of_row.iter().enumerate() {
            if let Some(rows) = rows.get_mut(*group as usize).filter(|_| labels[row] < 2) {
                rows.push(row);
            }
        }
        // Each group's weight, and the weight of its favourable rows.
        let sums = |labels: &[u8]| -> Vec<(f64, f64)> {
            let add = |(all, favorable): (f64, f64), row: &usize| {
                let w = weight(*row);
                (all + w, favorable + if labels[*row] == 1 { w } else { 0.0 })
            };
            rows.iter().map(|rows| rows.iter().fold((0.0, 0.0), add)).collect()
        };
        let before = sums(&labels);
        let rate = self.target.rate(&before).ok_or(nothing("no row has a known group, a known label and a weight"))?;
        let (mut raised, mut lowered, mut changed) = (Vec::new(), Vec::new(), Vec::new());
        for (rows, (all, favorable)) in rows.iter().zip(&before) {
            let lacking = rate * all - favorable;
            let raises = lacking > 0.0;
            let mut order: Vec<usize> =
                rows.iter().copied().filter(|row| (labels[*row] == 0) == raises && weight(*row) > 0.0).collect();
            order.sort_by(
                |i, j| if raises { scores[*j].total_cmp(&scores[*i]) } else { scores[*i].total_cmp(&scores[*j]) },
            );
            let flips = nearest(lacking.abs(), order.iter().map(|row| weight(*row)));
            order.truncate(flips);
            order.iter().for_each(|row| labels[*row] = u8::from(raises));
            changed.push(flips as u64);
            if raises { raised.extend(order) } else { lowered.extend(order) }
        }
        raised.sort_unstable();
        lowered.sort_unstable();
        let after = sums(&labels);
        let of = |g: usize| MassagedGroup {
            group: groups.name(g),
            rows: rows[g].len() as u64,
            changed: changed[g],
            before: before[g].1 / before[g].0,
            after: (after[g].1 / after[g].0).min(1.0),
        };
        let judged: Vec<MassagedGroup> = (0..groups.len()).filter(|g| before[*g].0 > 0.0).map(of).collect();
        let known: usize = rows.iter().map(Vec::len).sum();
        let left_alone = (batch.rows() - known) as u64;
        Ok(Massaged { labels, raised, lowered, rate, groups: judged, left_alone })
    }
}

/// How many of these weights, in their order, sum nearest to what is wanted: the fewer where two are as near.
fn nearest(wanted: f64, weights: impl Iterator<Item = f64>) -> usize {
    let (mut sum, mut best, mut off) = (0.0, 0, wanted);
    for (taken, weight) in weights.enumerate() {
        sum += weight;
        let apart = (sum - wanted).abs();
        // Rounding must not make one more of two that are as near.
        if apart < off - 1e-9 * weight {
            (best, off) = (taken + 1, apart);
        }
        if sum >= wanted {
            break;
        }
    }
    best
}

impl MassageTarget {
    /// From each group's weight and that of its favourable rows; `None` without weight.
    fn rate(self, groups: &[(f64, f64)]) -> Option<f64> {
        let whole: f64 = groups.iter().map(|g| g.0).sum();
        let mut rates: Vec<(f64, f64)> =
            groups.iter().filter(|g| g.0 > 0.0).map(|(all, favorable)| (favorable / all, *all)).collect();
        rates.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let (lowest, highest) = (rates.first()?.0, rates.last()?.0);
        Some(match self {
            MassageTarget::Overall => groups.iter().map(|g| g.1).sum::<f64>() / whole,
            MassageTarget::Raise => highest,
            MassageTarget::Lower => lowest,
            MassageTarget::FewestChanges => {
                let mut below = 0.0;
                let half = |(_, weight): &&(f64, f64)| {
                    below += weight;
                    below >= whole / 2.0
                };
                rates.iter().find(half).map_or(highest, |r| r.0)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::Categorical;

    fn batch(groups: &[u8], labels: &[u8]) -> Batch<'static> {
        let group = Categorical::from_codes("g", ["a", "b", "c"], groups.to_vec()).unwrap();
        Batch::builder().attribute(group).label(labels.to_vec()).build().unwrap()
    }

    /// The fewest changes of any labels that make all groups' rates the same: every subset is tried.
    fn fewest(groups: &[u8], labels: &[u8]) -> u32 {
        let fair = |set: u32| {
            let rate = |g: u8| {
                let of = || (0..groups.len()).filter(|i| groups[*i] == g);
                let favorable = of().filter(|i| (labels[*i] == 1) != (set >> *i & 1 == 1)).count();
                (favorable, of().count())
            };
            let rates: Vec<(usize, usize)> = (0..3).map(rate).filter(|r| r.1 > 0).collect();
            rates.windows(2).all(|w| w[0].0 * w[1].1 == w[1].0 * w[0].1)
        };
        (0..1u32 << groups.len()).filter(|set| fair(*set)).map(u32::count_ones).min().unwrap()
    }

    #[test]
    fn flips_are_as_many_as_massaging_and_fall_on_anybody() {
        let groups: Vec<u8> = (0..600).map(|i| (i % 2) as u8).collect();
        let labels: Vec<u8> = (0..600).map(|i| u8::from(i % 10 < if i % 2 == 0 { 3 } else { 8 })).collect();
        let of = batch(&groups, &labels);
        let massaged = Massage::new().apply(&of, &[0.0; 600]).unwrap();
        let mut touched = [0u32; 600];
        for seed in 0..200 {
            let flipped = Massage::new().flip(&of, seed).unwrap();
            assert_eq!((flipped.gaps(), flipped.raised.len()), (massaged.gaps(), massaged.raised.len()));
            flipped.raised.iter().chain(&flipped.lowered).for_each(|row| touched[*row] += 1);
            assert_eq!(flipped, Massage::new().flip(&of, seed).unwrap());
        }
        // Each that may be raised is so with the same chance: counts within five standard deviations.
        let may: Vec<usize> = (0..600).filter(|i| groups[*i] == 0 && labels[*i] == 0).collect();
        let chance = massaged.raised.len() as f64 / may.len() as f64;
        let spread = 5.0 * (200.0 * chance * (1.0 - chance)).sqrt();
        assert!(may.iter().all(|i| (f64::from(touched[*i]) - 200.0 * chance).abs() < spread));
    }

    #[test]
    fn no_fewer_changes_would_do() {
        // Sizes of which one divides the other, so that the median rate can be met.
        for case in 0..200usize {
            let groups: Vec<u8> = (0..12).map(|i| [0, 0, 1, 1, 2, 2, 2, 2, 0, 0, 1, 1][i]).collect();
            let labels: Vec<u8> = (0..12).map(|i| u8::from((case * 37 + i * i * 11 + i * case) % 7 < 3)).collect();
            let massage = Massage::new().target(MassageTarget::FewestChanges);
            let done = massage.apply(&batch(&groups, &labels), &[0.5; 12]).unwrap();
            assert_eq!(done.gaps()[1], 0.0, "{done:?}");
            assert_eq!((done.raised.len() + done.lowered.len()) as u32, fewest(&groups, &labels), "{labels:?}");
        }
    }

    #[test]
    fn raising_and_lowering_keep_to_their_side() {
        let (groups, labels) = ([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2], [1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 0]);
        let scores: Vec<f64> = (0..12).map(|i| f64::from(i * 5 % 12)).collect();
        let by = |target| Massage::new().target(target).apply(&batch(&groups, &labels), &scores).unwrap();
        let raised = by(MassageTarget::Raise);
        assert_eq!((raised.lowered.len(), raised.rate, raised.gaps()[1]), (0, 0.75, 0.0));
        // Scores 5, 10 and 3 of group a, 4 and 7 of group c: the best go first.
        assert_eq!(raised.raised, [1, 2, 11]);
        let lowered = by(MassageTarget::Lower);
        assert_eq!((lowered.raised.len(), lowered.rate, lowered.gaps()[1]), (0, 0.25, 0.0));
        assert_eq!(lowered.lowered, [5, 6, 10]);
    }

    #[test]
    fn what_is_not_known_is_left_alone() {
        let group = Categorical::from_options("g", [Some("a"), Some("a"), None, Some("b"), Some("b"), Some("b")]);
        let build = |weight: [f64; 6]| {
            let b = Batch::builder().attribute(group.clone()).label([0, 0, 1, 1, 1, 2]);
            b.weight(weight.to_vec()).build().unwrap()
        };
        let done =
            Massage::new().apply(&build([1.0, 3.0, 1.0, 2.0, 2.0, 1.0]), &[0.4, 0.3, 0.9, 0.8, 0.6, 0.1]).unwrap();
        assert_eq!((done.left_alone, done.labels), (2, vec![1, 0, 1, 1, 0, 2]));
        assert_eq!((done.groups[0].after, done.groups[1].after, done.rate), (0.25, 0.5, 0.5));
        let slip = |b: &Batch, scores: &[f64]| Massage::new().apply(b, scores).unwrap_err().to_string();
        assert!(slip(&build([0.0; 6]), &[0.0; 6]).contains("no row has a known group"));
        assert!(slip(&build([1.0; 6]), &[0.0; 5]).contains("`scores` has 5 rows"));
        assert!(slip(&build([1.0; 6]), &[0.0, 0.0, f64::NAN, 0.0, 0.0, 0.0]).contains("row 3"));
        // One group is at its own rate already.
        let one = Massage::new().apply(&batch(&[0; 3], &[1, 0, 0]), &[0.0; 3]).unwrap();
        assert!(one.raised.is_empty() && one.lowered.is_empty());
    }

    proptest! {
        #[test]
        fn rates_meet_within_half_a_row(rows in prop::collection::vec((0u8..3, 0u8..2, 0u32..8), 1..120)) {
            let groups: Vec<u8> = rows.iter().map(|r| r.0).collect();
            let labels: Vec<u8> = rows.iter().map(|r| r.1).collect();
            let scores: Vec<f64> = rows.iter().map(|r| f64::from(r.2)).collect();
            for target in [MassageTarget::Overall, MassageTarget::FewestChanges, MassageTarget::Raise, MassageTarget::Lower] {
                let done = Massage::new().target(target).apply(&batch(&groups, &labels), &scores).unwrap();
                for g in &done.groups {
                    prop_assert!((g.after - done.rate).abs() <= 0.5 / g.rows as f64 + 1e-9);
                }
                // The border: nobody left unfavourable scores above one who was raised in the same group.
                for up in &done.raised {
                    for other in 0..rows.len() {
                        if groups[other] == groups[*up] && done.labels[other] == 0 {
                            prop_assert!(scores[other] <= scores[*up]);
                        }
                    }
                }
                // Other names of the groups change nothing.
                let renamed: Vec<u8> = groups.iter().map(|g| 2 - g).collect();
                let again = Massage::new().target(target).apply(&batch(&renamed, &labels), &scores).unwrap();
                prop_assert_eq!(&again.labels, &done.labels);
            }
        }
    }
}
