//! One threshold for all: what can be reached without the attribute at run time.

use rayon::slice::ParallelSliceMut;
use serde::{Deserialize, Serialize};

use super::curve::{EVERYBODY, NOBODY};
use super::{Constraint, NEED, Objective, check_slack, labels_of, scores_of};
use crate::data::{Batch, POSITIVE, UNKNOWN};
use crate::mitigate::groups::{Groups, MISSING};
use crate::{Error, Place, Result};

/// Finds the one threshold for all that is worth most while groups' rates keep within a gap, or, where none does, the one
/// that comes nearest.
///
/// Selecting nobody or everybody is always fair: where groups' scores differ, little else may be. The attribute is needed to
/// find it, not to decide by it.
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical};
/// use evenhand::mitigate::postprocess::thresholds::{CommonThreshold, Constraint};
/// let batch = Batch::builder()
///     .attribute(Categorical::from_values("sex", ["f", "f", "f", "f", "m", "m", "m", "m"]))
///     .label([0, 0, 1, 1, 0, 1, 1, 1])
///     .score([0.1, 0.2, 0.4, 0.4, 0.3, 0.5, 0.7, 0.9])
///     .build()?;
/// let found = CommonThreshold::new(Constraint::DemographicParity).slack(0.25).fit(&batch)?;
/// assert_eq!((found.threshold, found.value), (0.4, 1.0)); // two of four, three of four
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CommonThreshold {
    constraint: Constraint,
    objective: Objective,
    slack: f64,
    attributes: Vec<String>,
    model: Option<String>,
}

/// The threshold that was found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FoundThreshold {
    /// Selected from this score on. The largest and the smallest number that there is stand for nobody and everybody.
    pub threshold: f64,
    /// The objective, on the rows that it was found on.
    pub value: f64,
    /// The largest gap between two groups' rates.
    pub gap: f64,
    /// Whether the gap is within what was asked for.
    pub within: bool,
    /// The objective of the best threshold without a constraint, and its gap.
    pub unconstrained: [f64; 2],
}

impl CommonThreshold {
    /// Accuracy without slack, groups by all attributes of a batch.
    pub fn new(constraint: Constraint) -> Self {
        let objective = Objective::Accuracy;
        CommonThreshold { constraint, objective, slack: 0.0, attributes: Vec::new(), model: None }
    }

    /// What decisions are worth.
    #[must_use]
    pub fn objective(mut self, objective: Objective) -> Self {
        self.objective = objective;
        self
    }

    /// The largest gap between any two groups' rates, in [0, 1].
    #[must_use]
    pub fn slack(mut self, slack: f64) -> Self {
        self.slack = slack;
        self
    }

    /// Only these attributes make the groups.
    #[must_use]
    pub fn attributes<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.attributes = names.into_iter().map(Into::into).collect();
        self
    }

    /// The model whose scores are cut; needed where a batch has several with scores.
    #[must_use]
    pub fn model(mut self, name: impl Into<String>) -> Self {
        self.model = Some(name.into());
        self
    }

    /// Looks at every threshold that the rows have.
    ///
    /// # Errors
    /// As for [`ThresholdOptimizer::fit`](super::ThresholdOptimizer::fit).
    pub fn fit(&self, batch: &Batch) -> Result<FoundThreshold> {
        check_slack(self.slack)?;
        let scores = scores_of(batch, self.model.as_deref())?;
        let label = labels_of(batch, NEED)?;
        let groups = Groups::of(batch, &self.attributes)?;
        let known = |row: &usize| groups.of_row[*row] != MISSING && label[*row] != UNKNOWN && !scores[*row].is_nan();
        let mut order: Vec<usize> = (0..batch.rows()).filter(known).collect();
        order.par_sort_unstable_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
        let weight = |row: usize| batch.weight.as_ref().map_or(1.0, |w| w.values[row]);
        let mut wholes = vec![[0.0; 2]; groups.len()];
        for row in &order {
            wholes[groups.of_row[*row] as usize][usize::from(label[*row] == POSITIVE)] += weight(*row);
        }
        let sum = |label: usize| wholes.iter().map(|w| w[label]).sum::<f64>();
        let whole = sum(0) + sum(1);
        if whole <= 0.0 {
            let problem = "no row has a known group, a known label, a score and a weight";
            return Err(Error::Nothing { problem, place: Place::default() });
        }
        let [tp, fp, fn_, tn] = self.objective.utilities(sum(1) / whole)?;
        let mut state = State { constraint: self.constraint, wholes: &wholes, reached: vec![[0.0; 2]; groups.len()] };
        state.check(&groups)?;
        let mut reached = [0.0; 2];
        let value = |reached: &[f64; 2]| {
            let missed = [sum(0) - reached[0], sum(1) - reached[1]];
            (tp * reached[1] + fp * reached[0] + fn_ * missed[1] + tn * missed[0]) / whole
        };
        let mut tried = Tried::default();
        tried.look(NOBODY, value(&reached), state.gap(), self.slack);
        let mut at = 0;
        while at < order.len() {
            let threshold = scores[order[at]];
            while at < order.len() && scores[order[at]] == threshold {
                let (row, label) = (order[at], usize::from(label[order[at]] == POSITIVE));
                state.reached[groups.of_row[row] as usize][label] += weight(row);
                reached[label] += weight(row);
                at += 1;
            }
            let threshold = if at == order.len() { EVERYBODY } else { threshold };
            tried.look(threshold, value(&reached), state.gap(), self.slack);
        }
        Ok(tried.found())
    }
}

/// Who is selected so far, group by group.
struct State<'a> {
    constraint: Constraint,
    wholes: &'a [[f64; 2]],
    reached: Vec<[f64; 2]>,
}

impl State<'_> {
    fn check(&self, groups: &Groups) -> Result<()> {
        for (group, whole) in self.wholes.iter().enumerate().filter(|(_, w)| w[0] + w[1] > 0.0) {
            if let Some(label) = self.constraint.labels().iter().find(|label| whole[**label] <= 0.0) {
                let group = groups.name(group);
                return Err(Error::EmptyCell { group, favorable: *label == 1, place: Place::default() });
            }
        }
        Ok(())
    }

    fn gap(&self) -> f64 {
        let spread = |rate: &dyn Fn(&[f64; 2]) -> f64| {
            let pairs = self.reached.iter().zip(self.wholes).filter(|(_, whole)| whole[0] + whole[1] > 0.0);
            let rates = pairs.map(|(reached, whole)| rate(reached) / rate(whole));
            let (low, high) = rates.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), r| (l.min(r), h.max(r)));
            (high - low).max(0.0)
        };
        match self.constraint.labels() {
            [] => spread(&|of| of[0] + of[1]),
            labels => labels.iter().map(|label| spread(&|of| of[*label])).fold(0.0, f64::max),
        }
    }
}

/// The best thresholds so far: within the slack, nearest to it, and of all.
#[derive(Default)]
struct Tried {
    within: Option<(f64, f64, f64)>,
    nearest: Option<(f64, f64, f64)>,
    free: Option<(f64, f64)>,
}

impl Tried {
    fn look(&mut self, threshold: f64, value: f64, gap: f64, slack: f64) {
        let this = (threshold, value, gap);
        if gap <= slack + 1e-12 && self.within.is_none_or(|(_, best, _)| value > best) {
            self.within = Some(this);
        }
        if self.nearest.is_none_or(|(_, _, least)| gap < least) {
            self.nearest = Some(this);
        }
        if self.free.is_none_or(|(best, _)| value > best) {
            self.free = Some((value, gap));
        }
    }

    fn found(self) -> FoundThreshold {
        let (threshold, value, gap) = self.within.or(self.nearest).unwrap_or((NOBODY, 0.0, 0.0));
        let (best, free_gap) = self.free.unwrap_or((value, gap));
        FoundThreshold { threshold, value, gap, within: self.within.is_some(), unconstrained: [best, free_gap] }
    }
}
