//! The comparison: what is compared, how rows are held out, what is asked.

use ndarray::ArrayView2;

use super::PointKind;
use super::frontier::{Sweep, Worth};
use super::judge::{self, Judge};
use super::measure::{Measure, Rules, Utility, utility_of};
use super::mitigation::{Mitigation, Plain};
use super::notes::Notes;
use super::report::{self, Design, MitigationReport, MitigationResult};
use super::run::{self, Candidate, Decided, Rows};
use crate::data::{Batch, unique};
use crate::mitigate::learn::Learner;
use crate::{Error, Place, Result};

/// The unmitigated model's name.
const UNMITIGATED: &str = "unmitigated";

/// Compares mitigations with the unmitigated model on held-out rows.
///
/// Groups are the intersections of the attributes. Rows whose label is not known are left out, rows of no known group are
/// trained on and count in all but the disparities; both are counted. Row weights are used in training (by a learner that
/// reads them) and in every measure.
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical};
/// use evenhand::mitigate::evaluate::{Effect, Evaluation, Held, Measure, Outcome, Train};
/// use ndarray::{Array2, ArrayView2};
///
/// // 600 customers, of whom men respond somewhat more; one feature is a proxy of sex.
/// let sex: Vec<&str> = (0..600).map(|i| if i % 2 == 0 { "f" } else { "m" }).collect();
/// let label: Vec<bool> = (0..600).map(|i| (i / 2) % 10 < if i % 2 == 0 { 4 } else { 6 }).collect();
/// let features = Array2::from_shape_fn((600, 1), |(i, _)| (i % 2) as f64);
/// let batch = Batch::builder().attribute(Categorical::from_values("sex", &sex)).label(&label).build()?;
///
/// // A learner: the response rate at each value of the feature. It targets men only.
/// let learner = |x: ArrayView2<f64>, y: &[bool], w: &[f64]| {
///     let rate = |v: f64| {
///         let sum = |with: &dyn Fn(usize) -> bool| (0..y.len()).filter(|i| with(*i)).map(|i| w[i]).sum::<f64>();
///         sum(&|i| x[[i, 0]] == v && y[i]) / sum(&|i| x[[i, 0]] == v)
///     };
///     let rates = [rate(0.0), rate(1.0)];
///     Ok(move |x: ArrayView2<f64>| x.column(0).iter().map(|v| rates[*v as usize]).collect::<Vec<f64>>())
/// };
/// // A mitigation: the same share of everybody, by lot.
/// let lot = |train: &Train| {
///     let share = train.labels().iter().filter(|l| **l).count() as f64 / train.rows() as f64;
///     Ok(move |held: &Held| Ok(Outcome::of_chances(vec![share; held.rows()])))
/// };
/// let report = Evaluation::new(learner).mitigation("by lot", lot).folds(5).run(features.view(), &batch)?;
///
/// let result = report.mitigation("by lot").unwrap();
/// assert_eq!(result.effect(Measure::DemographicParityDifference), Effect::Helped);
/// assert_eq!(result.effect(Measure::Accuracy), Effect::Hurt);
/// let change = &result.change(Measure::Accuracy).unwrap().change;
/// assert!((change.value.unwrap() + 0.1).abs() < 1e-9); // from 60 % to 50 %
/// assert!(change.high.unwrap() < 0.0);
/// # Ok::<(), evenhand::Error>(())
/// ```
pub struct Evaluation<'m, L> {
    learner: L,
    mitigations: Vec<(String, bool, Box<dyn Mitigation + 'm>)>,
    attributes: Vec<String>,
    design: Design,
    repeats: usize,
    seed: u64,
    confidence: f64,
    utility: Option<Utility>,
    minimum_rows: usize,
    disparity: Measure,
    performance: Measure,
    tolerances: Vec<f64>,
}

impl<'m, L: Learner<Model: 'static>> Evaluation<'m, L> {
    /// Of mitigations of this learner's model: five folds, once, from seed 0, at confidence 0.95; sentences speak of
    /// demographic parity and accuracy.
    pub fn new(learner: L) -> Self {
        Evaluation {
            learner,
            mitigations: Vec::new(),
            attributes: Vec::new(),
            design: Design::Folds(5),
            repeats: 1,
            seed: 0,
            confidence: 0.95,
            utility: None,
            minimum_rows: 30,
            disparity: Measure::DemographicParityDifference,
            performance: Measure::Accuracy,
            tolerances: Vec::new(),
        }
    }

    /// Adds a mitigation that decides by features alone.
    #[must_use]
    pub fn mitigation(mut self, name: impl Into<String>, mitigation: impl Mitigation + 'm) -> Self {
        self.mitigations.push((name.into(), false, Box::new(mitigation)));
        self
    }

    /// Adds a mitigation that reads the groups of the people that it decides on, which the report says. Whether that is
    /// allowed is a question of law.
    #[must_use]
    pub fn knowing_groups(mut self, name: impl Into<String>, mitigation: impl Mitigation + 'm) -> Self {
        self.mitigations.push((name.into(), true, Box::new(mitigation)));
        self
    }

    /// Only these attributes make the groups.
    #[must_use]
    pub fn attributes<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.attributes = names.into_iter().map(Into::into).collect();
        self
    }

    /// Holds out each row once, in one of so many folds (2 or more).
    #[must_use]
    pub fn folds(mut self, folds: usize) -> Self {
        self.design = Design::Folds(folds);
        self
    }

    /// Holds out this share of the rows, in (0, 1), once: quicker than folds, and its intervals rest on nothing but that
    /// the held-out people are like those to come.
    #[must_use]
    pub fn held_out(mut self, share: f64) -> Self {
        self.design = Design::HeldOut(share);
        self
    }

    /// Splits and trains so many times. What a row is decided is averaged over them.
    #[must_use]
    pub fn repeats(mut self, repeats: usize) -> Self {
        self.repeats = repeats;
        self
    }

    /// From which splits, and what mitigations draw, follow.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The level of intervals, in (0, 1); one minus it bounds, for each measure, the chance of any false claim about all
    /// mitigations.
    #[must_use]
    pub fn confidence(mut self, level: f64) -> Self {
        self.confidence = level;
        self
    }

    /// What decisions are worth: adds [`Measure::Profit`].
    #[must_use]
    pub fn utility(mut self, utility: Utility) -> Self {
        self.utility = Some(utility);
        self
    }

    /// Groups with fewer judged rows (30 unless set) are in no comparison of groups.
    #[must_use]
    pub fn minimum_rows(mut self, rows: usize) -> Self {
        self.minimum_rows = rows;
        self
    }

    /// The disparity that sentences and the frontier speak of.
    #[must_use]
    pub fn disparity(mut self, measure: Measure) -> Self {
        self.disparity = measure;
        self
    }

    /// The performance that sentences and the frontier speak of.
    #[must_use]
    pub fn performance(mut self, measure: Measure) -> Self {
        self.performance = measure;
        self
    }

    /// Adds a frontier: the mitigations beside the unmitigated scores with thresholds by group. Thresholds are those of the
    /// best performance that let groups differ by at most a tolerance, in [0, 1]; they are found on 30 % of the training
    /// rows, which the model that they are for is then not trained on. At 1 only the best performance counts.
    ///
    /// The groups' rate is the selection rate, or the true positive rate where the disparity is equal opportunity.
    #[must_use]
    pub fn frontier(mut self, tolerances: impl IntoIterator<Item = f64>) -> Self {
        self.tolerances = tolerances.into_iter().collect();
        self
    }

    /// Splits, trains, decides and judges. Rows of `features` are those of the batch, which needs attributes and a label.
    ///
    /// # Errors
    /// [`Error::UnequalLengths`]; [`Error::BadNumber`] for a feature that is not finite, or a decision or score of a
    /// mitigation that is not one; [`Error::Nothing`] without a label, an attribute, a mitigation, or labels of both kinds;
    /// [`Error::MissingColumn`]; [`Error::Duplicate`] names; [`Error::BadSetting`]; [`Error::Mitigation`] with the name and
    /// the cause where one fails.
    pub fn run(&self, features: ArrayView2<f64>, batch: &Batch) -> Result<MitigationReport> {
        self.check()?;
        let rows = Rows::of(features, batch, &self.attributes)?;
        let (plain, sweep) = (Plain(Borrowed(&self.learner)), self.sweep()?);
        let mut candidates = vec![Candidate::of(UNMITIGATED, false, &plain)];
        candidates.extend(self.mitigations.iter().map(|(name, knows, m)| Candidate::of(name, *knows, m.as_ref())));
        if let Some(sweep) = &sweep {
            candidates.push(Candidate {
                names: sweep.tolerances.iter().map(thresholds).collect(),
                knows_groups: true,
                decide: Box::new(|train, held| sweep.decide(train, held)),
            });
        }
        let mut decided = run::run(&candidates, features, batch, &rows, self.design, self.repeats, self.seed)?;
        let baseline = decided.split_off(1 + self.mitigations.len());
        self.report(&rows, batch, &decided, &baseline)
    }

    fn report(
        &self,
        rows: &Rows,
        batch: &Batch,
        decided: &[Decided],
        baseline: &[Decided],
    ) -> Result<MitigationReport> {
        let nothing = Error::Nothing { problem: "there is no model to judge", place: Place::default() };
        let (before, after) = decided.split_first().ok_or(nothing)?;
        let (groups, [judged_rows, missing_group]) = judge::groups(rows, before, self.minimum_rows);
        let judged: Vec<usize> = (0..groups.len()).filter(|g| !groups[*g].too_small).collect();
        let rules = Rules { level: self.confidence, utility: self.utility.as_ref(), judged: &judged };
        let judge = Judge { rows, rules, before };
        let unmitigated = judge.figures(before);
        let mut mitigations = Vec::with_capacity(after.len());
        for (((name, knows_groups, _), decided), changes) in
            self.mitigations.iter().zip(after).zip(judge.changes(after))
        {
            let figures = judge.figures(decided);
            let find = |measure| changes.iter().find(|c| c.measure == measure);
            let spoken = [find(self.disparity), find(self.performance)];
            let sentence = report::sentence(name, &unmitigated, spoken, &figures);
            mitigations.push(MitigationResult {
                name: name.clone(),
                knows_groups: *knows_groups,
                sentence,
                figures,
                changes,
            });
        }
        let frontier = (!baseline.is_empty()).then(|| {
            let mut models = vec![(UNMITIGATED.to_string(), PointKind::Unmitigated, false, before)];
            let tolerances = self.tolerances.iter().zip(baseline);
            models.extend(tolerances.map(|(t, d)| (thresholds(t), PointKind::Thresholds(*t), true, d)));
            let named = self.mitigations.iter().zip(after);
            models.extend(named.map(|((name, knows, _), d)| (name.clone(), PointKind::Mitigation, *knows, d)));
            judge.frontier(self.disparity, self.performance, &models)
        });
        let notes = Notes {
            mitigations: self.mitigations.len(),
            confidence: self.confidence,
            minimum_rows: self.minimum_rows,
            missing: missing_group,
            groups: &groups,
            design: self.design,
            without_area: before.areas.value().is_none(),
        }
        .write();
        Ok(MitigationReport {
            rows: judged_rows,
            unknown_labels: (batch.rows() - rows.known.len()) as u64,
            missing_group,
            design: self.design,
            repeats: self.repeats,
            seed: self.seed,
            confidence: self.confidence,
            disparity: self.disparity,
            performance: self.performance,
            utility: self.utility,
            attributes: rows.groups.attributes.clone(),
            groups,
            unmitigated,
            mitigations,
            frontier,
            notes,
        })
    }

    fn check(&self) -> Result<()> {
        if self.mitigations.is_empty() && self.tolerances.is_empty() {
            let problem = "there is no mitigation to judge; add one";
            return Err(Error::Nothing { problem, place: Place::default() });
        }
        let baseline: Vec<String> = self.tolerances.iter().map(thresholds).collect();
        let names = baseline.iter().map(String::as_str).chain(self.mitigations.iter().map(|m| m.0.as_str()));
        unique(&std::iter::once(UNMITIGATED).chain(names).collect::<Vec<_>>())?;
        if !(self.confidence > 0.0 && self.confidence < 1.0) {
            return Err(Error::setting("the confidence", self.confidence, "more than 0 and less than 1"));
        }
        if self.repeats == 0 {
            return Err(Error::setting("the number of repeats", 0, "at least 1"));
        }
        if !self.disparity.is_disparity() {
            return Err(Error::setting("the disparity", self.disparity, "a measure that compares groups"));
        }
        if self.performance.is_disparity() || self.performance.larger_is_better().is_none() {
            let expected = "accuracy, balanced accuracy, AUC or profit";
            return Err(Error::setting("the performance", self.performance, expected));
        }
        let worth =
            self.utility.map_or([0.0; 4], |u| [u.true_positive, u.false_positive, u.false_negative, u.true_negative]);
        if let Some(bad) = worth.iter().find(|v| !v.is_finite() || v.abs() > 1e40) {
            return Err(Error::setting("a utility", bad, "a finite number of at most 1e40"));
        }
        if self.performance == Measure::Profit && self.utility.is_none() {
            return Err(Error::setting("the performance", self.performance, "a utility to be set with it"));
        }
        match self.tolerances.iter().find(|t| !(0.0..=1.0).contains(*t)) {
            Some(bad) => Err(Error::setting("a tolerance of the frontier", bad, "a number in [0, 1]")),
            None => Ok(()),
        }
    }

    fn sweep(&self) -> Result<Option<Sweep<'_, L>>> {
        if self.tolerances.is_empty() {
            return Ok(None);
        }
        let &[rate] = self.disparity.rates() else {
            let expected = "demographic parity or equal opportunity for a frontier";
            return Err(Error::setting("the disparity", self.disparity, expected));
        };
        let rules = Rules { level: self.confidence, utility: self.utility.as_ref(), judged: &[] };
        let worth = match self.performance {
            Measure::BalancedAccuracy => Worth::Balanced,
            Measure::Auc => {
                return Err(Error::setting("the performance", Measure::Auc, "a measure of decisions for a frontier"));
            }
            measure => Worth::Utility(
                utility_of(measure, &rules)
                    .ok_or_else(|| Error::setting("the performance", measure, "a utility to be set with it"))?,
            ),
        };
        let tolerances = self.tolerances.clone();
        Ok(Some(Sweep { learner: &self.learner, rate, worth, tolerances, tuning: 0.3 }))
    }
}

/// The name of the unmitigated model with thresholds by group.
fn thresholds(tolerance: &f64) -> String {
    format!("thresholds within {tolerance}")
}

/// A learner by reference.
struct Borrowed<'l, L>(&'l L);

impl<L: Learner> Learner for Borrowed<'_, L> {
    type Model = L::Model;

    fn fit(&self, features: ArrayView2<f64>, labels: &[bool], weights: &[f64]) -> Result<L::Model> {
        self.0.fit(features, labels, weights)
    }
}
