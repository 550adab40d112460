//! From decisions to figures, changes, sentences and the frontier.

use super::change::{Paired, change};
use super::frontier::{Frontier, FrontierPoint, PointKind};
use super::measure::{Extremes, Measure, Pair, Rules, estimate, extremes, value};
use super::moments::Joint;
use super::report::{Change, Effect, Figure, JudgedGroup};
use super::run::{Decided, Rows};
use crate::inference::multiplicity::Multiplicity;
use crate::metrics::Estimate;

/// The decisions of all models on the same rows, and how they are judged.
pub(super) struct Judge<'a> {
    pub rows: &'a Rows,
    pub rules: Rules<'a>,
    /// The unmitigated model.
    pub before: &'a Decided,
}

/// The groups of the rows that were judged.
pub(super) fn groups(rows: &Rows, decided: &Decided, minimum: usize) -> (Vec<JudgedGroup>, [u64; 2]) {
    let joint = rows.joint(&decided.mean, &decided.mean);
    let of = |g: usize| {
        let [unfavorable, favorable] = joint.cells[g].map(|m| m.cell.rows);
        let all = unfavorable + favorable;
        let too_small = all < minimum as f64;
        JudgedGroup { group: rows.groups.name(g), rows: all as u64, favorable: favorable as u64, too_small }
    };
    let missing = joint.cells[joint.groups()].iter().map(|m| m.cell.rows as u64).sum();
    ((0..joint.groups()).map(of).collect(), [joint.label(None).cell.rows as u64, missing])
}

impl Judge<'_> {
    pub fn measures(&self) -> impl Iterator<Item = Measure> {
        let with_profit = self.rules.utility.is_some();
        Measure::ALL.into_iter().filter(move |m| *m != Measure::Profit || with_profit)
    }

    fn pair(&self, e: &Extremes) -> Pair {
        let name = |g: usize| self.rows.groups.name(g);
        Pair { rate: e.rate, highest: name(e.high), lowest: name(e.low) }
    }

    /// A model's measures.
    pub fn figures(&self, decided: &Decided) -> Vec<Figure> {
        let joint = self.rows.joint(&decided.mean, &decided.mean);
        let of = |measure: Measure| Figure {
            measure,
            estimate: estimate(&joint, measure, 1, Some(&decided.areas), &self.rules),
            pair: extremes(&joint, measure, 1, self.rules.judged).map(|e| self.pair(&e)),
        };
        self.measures().map(of).collect()
    }

    /// How each mitigation's measures changed: p-values of one measure are adjusted for the number of mitigations.
    pub fn changes(&self, after: &[Decided]) -> Vec<Vec<Change>> {
        let of = |decided: &Decided| {
            let joint = self.rows.joint(&self.before.mean, &decided.mean);
            let repeats = self.before.by_repeat.iter().zip(&decided.by_repeat);
            let repeats: Vec<Joint> = match self.before.by_repeat.len() {
                0 | 1 => Vec::new(),
                _ => repeats.map(|(before, after)| self.rows.joint(before, after)).collect(),
            };
            self.measures().map(|m| self.change(decided, &joint, &repeats, m)).unzip()
        };
        let (mut changes, rose): (Vec<Vec<Change>>, Vec<Vec<bool>>) = after.iter().map(of).unzip();
        for at in 0..self.measures().count() {
            let tested: Vec<usize> = (0..changes.len()).filter(|i| changes[*i][at].p_value.is_some()).collect();
            let p: Vec<f64> = tested.iter().filter_map(|i| changes[*i][at].p_value).collect();
            for (i, adjusted) in tested.into_iter().zip(Multiplicity::Holm.adjust(&p)) {
                let change = &mut changes[i][at];
                change.p_value_adjusted = Some(adjusted);
                if let Some(larger) = change.measure.larger_is_better().filter(|_| adjusted < 1.0 - self.rules.level) {
                    change.effect = Some(if rose[i][at] == larger { Effect::Helped } else { Effect::Hurt });
                }
            }
        }
        changes
    }

    /// A change, and whether it is rather a rise.
    fn change(&self, decided: &Decided, joint: &Joint, repeats: &[Joint], measure: Measure) -> (Change, bool) {
        let areas = [&self.before.areas, &decided.areas];
        let support = joint.label(None).cell.into();
        let mut result = Change {
            measure,
            change: Estimate::default(),
            pair: None,
            new_pair: None,
            p_value: None,
            p_value_adjusted: None,
            effect: measure.larger_is_better().map(|_| Effect::NotShown),
            between_repeats: self.between_repeats(repeats, measure),
        };
        let mut rose = false;
        match change(joint, measure, areas, &self.rules) {
            Err(reason) => result.change = Estimate::undefined(reason, support),
            Ok(Paired { value, interval, p_value, tails, pairs }) => {
                rose = tails[1] < tails[0];
                let estimate = Estimate::of(value, support);
                result.change = match interval {
                    Some(i) => estimate.between(i.low, i.high),
                    None => estimate,
                };
                result.p_value = p_value;
                if let Some([worst, new]) = pairs {
                    let other = (new.rate, new.high, new.low) != (worst.rate, worst.high, worst.low);
                    result.pair = Some(self.pair(&worst));
                    result.new_pair = other.then(|| self.pair(&new));
                }
            }
        }
        (result, rose)
    }

    /// The standard deviation of a change between repeats.
    fn between_repeats(&self, repeats: &[Joint], measure: Measure) -> Option<f64> {
        let of = |joint: &Joint| {
            Some(value(joint, measure, 1, &self.rules).ok()? - value(joint, measure, 0, &self.rules).ok()?)
        };
        let changes = repeats.iter().map(of).collect::<Option<Vec<f64>>>()?;
        let n = changes.len() as f64;
        let mean = changes.iter().sum::<f64>() / n;
        let squares: f64 = changes.iter().map(|c| (c - mean).powi(2)).sum();
        (n > 1.0).then(|| (squares / (n - 1.0)).sqrt())
    }

    /// The points of all models, those dominated named.
    pub fn frontier(
        &self,
        disparity: Measure,
        performance: Measure,
        models: &[(String, PointKind, bool, &Decided)],
    ) -> Frontier {
        let mut points: Vec<FrontierPoint> = models
            .iter()
            .map(|(name, kind, knows_groups, decided)| {
                let joint = self.rows.joint(&decided.mean, &decided.mean);
                let of = |measure| estimate(&joint, measure, 1, Some(&decided.areas), &self.rules);
                let (performance, disparity) = (of(performance), of(disparity));
                FrontierPoint {
                    name: name.clone(),
                    kind: *kind,
                    knows_groups: *knows_groups,
                    performance,
                    disparity,
                    dominated_by: Vec::new(),
                }
            })
            .collect();
        let mut tested = Vec::new();
        for (i, (_, kind, _, own)) in models.iter().enumerate() {
            for (j, (_, other, _, rival)) in models.iter().enumerate() {
                if (*kind == PointKind::Mitigation) == (*other == PointKind::Mitigation) {
                    continue;
                }
                let joint = self.rows.joint(&own.mean, &rival.mean);
                // The chance that the rival only seems to be better.
                let seems = |measure: Measure| {
                    let found = change(&joint, measure, [&own.areas, &rival.areas], &self.rules).ok()?;
                    Some(found.tails[usize::from(measure.larger_is_better()?)])
                };
                if let Some(p) = seems(disparity).zip(seems(performance)).map(|(d, p)| f64::max(d, p)) {
                    tested.push((i, j, p));
                }
            }
        }
        let adjusted = Multiplicity::Holm.adjust(&tested.iter().map(|t| t.2).collect::<Vec<_>>());
        for ((i, j, _), p) in tested.into_iter().zip(adjusted) {
            if p < (1.0 - self.rules.level) / 2.0 {
                points[i].dominated_by.push(models[j].0.clone());
            }
        }
        Frontier { performance, disparity, points }
    }
}
