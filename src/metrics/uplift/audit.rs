//! The audit of uplift targeting: rows in, a report out.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::entries::COMPUTED;
use super::report::{BETWEEN, UpliftComparison, UpliftGroupResult, UpliftReport, UpliftSettings, UpliftTable};
use super::{Assignment, Figure, Trial, UpliftGroup, calibration, curves, findings, is_binary, quadrants};
use crate::audit::Comparison;
use crate::data::{Binary, Categorical, POSITIVE, UNKNOWN};
use crate::error::{Error, Place, Result};
use crate::metrics::family::{MeasureEntry, Need};
use crate::metrics::measure::Measured;
use crate::metrics::{Estimate, compare};

/// Deciles of the score.
const BINS: usize = 10;
/// The most points of a curve that a report holds.
const POINTS: usize = 101;

/// An audit of who is treated by an uplift policy, and what it does for each group.
///
/// # Examples
/// ```
/// use evenhand::data::Categorical;
/// use evenhand::metrics::uplift::{Assignment, UpliftAudit};
///
/// // 400 people, every second one treated; the offer moves 3 in 10 women and 1 in 10 men.
/// let sex = Categorical::from_values("sex", (0..400).map(|i| if i < 200 { "f" } else { "m" }));
/// let treated: Vec<bool> = (0..400).map(|i| i % 2 == 0).collect();
/// let bought: Vec<f64> = (0..400).map(|i| {
///     let moved = i % 20 < if i < 200 { 6 } else { 2 };
///     f64::from(u8::from(i % 2 == 0 && moved))
/// }).collect();
/// let report = UpliftAudit::new(Assignment::Randomised { propensity: Some(0.5) })
///     .attribute(sex)
///     .treated(&treated)
///     .outcome(&bought)
///     .run()?;
/// let women = report.table("sex")?.group("f")?.metric("average_treatment_effect")?;
/// assert!((women.value().unwrap() - 0.3).abs() < 1e-12);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct UpliftAudit<'a> {
    assignment: Assignment<'a>,
    attributes: Vec<Categorical<'a>>,
    references: BTreeMap<String, String>,
    treated: Option<Binary<'a>>,
    outcome: Option<&'a [f64]>,
    decision: Option<Binary<'a>>,
    score: Option<&'a [f64]>,
    predicted: Option<[&'a [f64]; 2]>,
    weight: Option<&'a [f64]>,
    stratum: Option<Categorical<'a>>,
    confidence: f64,
    min_arm_size: u64,
}

impl<'a> UpliftAudit<'a> {
    /// An audit of data in which people came to be treated so. There is no default: say how.
    pub fn new(assignment: Assignment<'a>) -> Self {
        UpliftAudit {
            assignment,
            attributes: Vec::new(),
            references: BTreeMap::new(),
            treated: None,
            outcome: None,
            decision: None,
            score: None,
            predicted: None,
            weight: None,
            stratum: None,
            confidence: 0.95,
            min_arm_size: 10,
        }
    }

    /// Adds a protected attribute.
    #[must_use]
    pub fn attribute(mut self, attribute: Categorical<'a>) -> Self {
        self.attributes.push(attribute);
        self
    }

    /// Names the group that the others of an attribute are compared with; the largest, if not named.
    #[must_use]
    pub fn reference(mut self, attribute: impl Into<String>, group: impl Into<String>) -> Self {
        self.references.insert(attribute.into(), group.into());
        self
    }

    /// Sets who was treated. Rows where it is unknown are left out, and counted.
    #[must_use]
    pub fn treated(mut self, treated: impl Into<Binary<'a>>) -> Self {
        self.treated = Some(treated.into());
        self
    }

    /// Sets what came of it: 0 or 1, or a number; NaN where it is unknown. Such rows are left out, and counted.
    #[must_use]
    pub fn outcome(mut self, outcome: &'a [f64]) -> Self {
        self.outcome = Some(outcome);
        self
    }

    /// Sets whom the policy under audit would treat.
    #[must_use]
    pub fn decision(mut self, decision: impl Into<Binary<'a>>) -> Self {
        self.decision = Some(decision.into());
        self
    }

    /// Sets the predicted uplift, in the outcome's unit; NaN where there is none.
    #[must_use]
    pub fn score(mut self, score: &'a [f64]) -> Self {
        self.score = Some(score);
        self
    }

    /// Sets the outcomes that a model, fitted on other data, predicts without and with the treatment: effects become
    /// doubly robust.
    #[must_use]
    pub fn predicted(mut self, without: &'a [f64], with: &'a [f64]) -> Self {
        self.predicted = Some([without, with]);
        self
    }

    /// Sets the weight of each row.
    #[must_use]
    pub fn weight(mut self, weight: &'a [f64]) -> Self {
        self.weight = Some(weight);
        self
    }

    /// Sets strata of like people, within which persuadables are bounded. A missing one is a stratum of its own.
    #[must_use]
    pub fn stratum(mut self, stratum: Categorical<'a>) -> Self {
        self.stratum = Some(stratum);
        self
    }

    /// Sets the level of the intervals; 0.95, if not set.
    #[must_use]
    pub fn confidence(mut self, level: f64) -> Self {
        self.confidence = level;
        self
    }

    /// Sets the fewest rows of each arm with which a group is compared; 10, if not set.
    #[must_use]
    pub fn min_arm_size(mut self, rows: u64) -> Self {
        self.min_arm_size = rows;
        self
    }

    /// Computes everything that the data allow.
    ///
    /// # Errors
    /// [`Error::Nothing`] without treatment, outcome, or rows of which both are known; [`Error::UnequalLengths`];
    /// [`Error::BadNumber`] with the row of a number out of range, propensities outside (0, 1) among them;
    /// [`Error::BadSetting`]; [`Error::Duplicate`] and [`Error::Unknown`] for attributes and references.
    pub fn run(&self) -> Result<UpliftReport> {
        if !(self.confidence > 0.0 && self.confidence < 1.0) {
            return Err(Error::setting("the confidence", self.confidence, "a number above 0 and below 1"));
        }
        let given = self.rows()?;
        let known: Vec<usize> = given.iter().enumerate().filter(|(_, r)| r.is_some()).map(|(at, _)| at).collect();
        let rows: Vec<Trial> = given.iter().flatten().copied().collect();
        if rows.is_empty() {
            let problem = "there is no row of which treatment and outcome are known";
            return Err(Error::Nothing { problem, place: Place::default() });
        }
        let binary = is_binary(rows.iter().map(|r| r.outcome));
        let group_of = |rows: Vec<Trial>| self.group(rows, binary);
        let overall = group_of(rows);
        let measures = self.measures(&overall);
        let settings = UpliftSettings {
            assignment: match self.assignment {
                Assignment::Randomised { propensity: Some(p) } => format!("randomised, {p} treated by design"),
                Assignment::Randomised { propensity: None } => "randomised, by the share treated in each group".into(),
                Assignment::Propensities(_) => "by the propensities given for each row".into(),
            },
            binary,
            doubly_robust: overall.is_predicted(),
            weighted: self.weight.is_some(),
            confidence: self.confidence,
            min_arm_size: self.min_arm_size,
        };
        let mut report = UpliftReport::new(settings, self.result("overall", &overall, &measures).0);
        report.rows = given.len() as u64;
        report.unknown_rows = (given.len() - known.len()) as u64;
        for attribute in &self.attributes {
            let mut members: Vec<Vec<Trial>> = vec![Vec::new(); attribute.levels().len()];
            let mut missing_rows = 0;
            for (at, row) in known.iter().zip(&overall.rows) {
                match attribute.codes().get(*at).and_then(|code| members.get_mut(code)) {
                    Some(group) => group.push(*row),
                    None => missing_rows += 1,
                }
            }
            let groups = attribute.levels().iter().zip(members).filter(|(_, rows)| !rows.is_empty());
            let groups: Vec<(&String, UpliftGroup)> = groups.map(|(level, rows)| (level, group_of(rows))).collect();
            report.tables.push(self.table(attribute.name(), missing_rows, &groups, &measures)?);
        }
        report.notes = findings::notes(&report, &overall, self.assignment);
        report.findings = findings::findings(&report);
        Ok(report)
    }

    /// The rows, `None` where treatment or outcome is unknown.
    fn rows(&self) -> Result<Vec<Option<Trial>>> {
        let need = |problem| Error::Nothing { problem, place: Place::default() };
        let treated = self.treated.as_ref().ok_or_else(|| need("say who was treated"))?;
        let outcome = self.outcome.ok_or_else(|| need("say what the outcome was"))?;
        let n = outcome.len();
        let lengths = [
            ("treated", Some(treated.codes().len())),
            ("decision", self.decision.as_ref().map(|d| d.codes().len())),
            ("score", self.score.map(<[f64]>::len)),
            ("predicted without treatment", self.predicted.map(|p| p[0].len())),
            ("predicted with treatment", self.predicted.map(|p| p[1].len())),
            ("weight", self.weight.map(<[f64]>::len)),
            ("stratum", self.stratum.as_ref().map(|s| s.codes().len())),
        ];
        let attributes = self.attributes.iter().map(|a| (a.name(), Some(a.codes().len())));
        if let Some((column, Some(rows))) =
            lengths.into_iter().chain(attributes).find(|(_, l)| l.is_some_and(|l| l != n))
        {
            return Err(Error::UnequalLengths { column: column.into(), rows, expected: n });
        }
        self.assignment.check(n)?;
        crate::data::unique(&self.attributes.iter().map(Categorical::name).collect::<Vec<_>>())?;
        treated.check("treated")?;
        self.decision.as_ref().map_or(Ok(false), |d| d.check("decision"))?;
        let bad = |column: &str, value: f64, row, expected| Error::BadNumber {
            column: column.into(),
            value: value.to_string(),
            place: Place::row(row),
            expected,
        };
        let finite = |column: &str, value: f64, row| match value {
            v if v.is_infinite() => Err(bad(column, v, row, "a finite number, or NaN where it is unknown")),
            v => Ok(Some(v).filter(|v| !v.is_nan())),
        };
        let row = |at: usize| -> Result<Option<Trial>> {
            let y = finite("outcome", outcome[at], at)?;
            let score = self.score.map_or(Ok(None), |s| finite("score", s[at], at))?;
            let predicted = match self.predicted {
                Some([without, with]) => finite("predicted without treatment", without[at], at)?
                    .zip(finite("predicted with treatment", with[at], at)?)
                    .map(|(a, b)| [a, b]),
                None => None,
            };
            let weight = self.weight.map_or(1.0, |w| w[at]);
            if !(weight.is_finite() && weight >= 0.0) {
                return Err(bad("weight", weight, at, "a finite weight of at least 0"));
            }
            let (Some(y), arm) = (y, treated.codes()[at]) else { return Ok(None) };
            if arm == UNKNOWN {
                return Ok(None);
            }
            let mut trial = Trial::new(arm == POSITIVE, y);
            trial.weight = weight;
            trial.score = score;
            trial.predicted = predicted;
            let decision = self.decision.as_ref().map_or(UNKNOWN, |d| d.codes()[at]);
            trial.decision = Some(decision == POSITIVE).filter(|_| decision != UNKNOWN);
            trial.stratum = self.stratum.as_ref().map_or(0, |s| s.codes().get(at).map_or(u32::MAX, |c| c as u32));
            if let Assignment::Propensities(each) = self.assignment {
                trial.propensity = each[at];
            }
            Ok(Some(trial))
        };
        (0..n).map(row).collect()
    }

    fn group(&self, mut rows: Vec<Trial>, binary: bool) -> UpliftGroup {
        let randomised = matches!(self.assignment, Assignment::Randomised { .. });
        if randomised {
            let constant = self.assignment.constant(&rows);
            rows.iter_mut().for_each(|r| r.propensity = constant);
        }
        UpliftGroup { rows, randomised, binary }
    }

    /// The measures for which there are data.
    fn measures(&self, all: &UpliftGroup) -> Vec<usize> {
        let has = |need: &Need| match need {
            Need::Decision => all.rows.iter().any(|r| r.decision.is_some()),
            Need::Uplift => all.rows.iter().any(|r| r.score.is_some()),
            Need::Predictions => all.rows.iter().any(|r| r.predicted.is_some()),
            _ => true,
        };
        let binary = |m: &MeasureEntry| {
            all.binary || !["persuadable_share", "persuadable_recall", "qini_coefficient"].contains(&m.name)
        };
        (0..COMPUTED.len()).filter(|at| COMPUTED[*at].0.needs.iter().all(has) && binary(&COMPUTED[*at].0)).collect()
    }

    fn result(&self, name: &str, group: &UpliftGroup, measures: &[usize]) -> (UpliftGroupResult, Vec<Figure>) {
        let level = self.confidence;
        let figures: Vec<Figure> = measures.par_iter().map(|at| (COMPUTED[*at].1)(group, level)).collect();
        let metrics = measures.iter().zip(&figures).map(|(at, f)| (COMPUTED[*at].0.name.into(), f.estimate.clone()));
        let treated_rows = group.rows.iter().filter(|r| r.treated).count() as u64;
        let rows = group.rows.len() as u64;
        let bins = calibration::by_score(group, BINS, level);
        let result = UpliftGroupResult {
            group: name.into(),
            rows,
            treated_rows,
            too_small: treated_rows.min(rows - treated_rows) < self.min_arm_size,
            metrics: metrics.collect(),
            quadrants: quadrants::quadrants(group, level).ok(),
            calibration_p_value: calibration::calibration_test(&bins).p_value,
            calibration: bins,
            qini_curve: thin(curves::points(group, curves::Curve::Qini)),
        };
        (result, figures)
    }

    fn table(
        &self,
        attribute: &str,
        missing_rows: u64,
        groups: &[(&String, UpliftGroup)],
        measures: &[usize],
    ) -> Result<UpliftTable> {
        let results: Vec<(UpliftGroupResult, Vec<Figure>)> =
            groups.par_iter().map(|(name, group)| self.result(name, group, measures)).collect();
        let names = || results.iter().map(|(g, _)| g.group.as_str());
        let reference = match self.references.get(attribute) {
            Some(named) => match names().position(|n| n == named) {
                Some(at) => Some(at),
                None => return Err(Error::unknown("group", named, format!(" of attribute `{attribute}`"), names())),
            },
            // Of equals, the first.
            None => (0..results.len())
                .filter(|at| !results[*at].0.too_small)
                .reduce(|best, at| if results[at].0.rows > results[best].0.rows { at } else { best }),
        };
        let mut comparisons = Vec::new();
        for (column, at) in measures.iter().enumerate() {
            let measured: Vec<Measured> = results.iter().map(|(_, f)| f[column].clone().into()).collect();
            self.compare(&COMPUTED[*at].0, &results, &measured, reference, &mut comparisons);
        }
        Ok(UpliftTable {
            attribute: attribute.into(),
            reference: reference.map(|at| results[at].0.group.clone()),
            missing_rows,
            groups: results.into_iter().map(|(g, _)| g).collect(),
            comparisons,
        })
    }

    /// Every group against the reference group, and all of them with each other.
    fn compare(
        &self,
        entry: &MeasureEntry,
        results: &[(UpliftGroupResult, Vec<Figure>)],
        measured: &[Measured],
        reference: Option<usize>,
        comparisons: &mut Vec<UpliftComparison>,
    ) {
        let name = |at: usize| results[at].0.group.clone();
        let with = |group: Option<String>, against: String, c: compare::Compared, ends: Option<(usize, usize)>| {
            UpliftComparison {
                metric: entry.name.into(),
                comparison: Comparison::Difference,
                group,
                against,
                estimate: within(entry, c.estimate),
                p_value: c.p_value,
                test: c.test.map(String::from),
                highest: ends.map(|(high, _)| name(high)),
                lowest: ends.map(|(_, low)| name(low)),
            }
        };
        if let Some(reference) = reference {
            for at in (0..results.len()).filter(|at| *at != reference) {
                let pair = compare::pair(&measured[at], &measured[reference], Comparison::Difference, self.confidence);
                comparisons.push(with(Some(name(at)), name(reference), pair, None));
            }
        }
        let able = |at: &usize| !results[*at].0.too_small && measured[*at].estimate.value.is_some();
        let judged: Vec<usize> = (0..results.len()).filter(able).collect();
        let of: Vec<&Measured> = judged.iter().map(|at| &measured[*at]).collect();
        let worst = compare::worst_case(&of, Comparison::Difference, self.confidence);
        let ends = worst.extremes.map(|(high, low)| (judged[high], judged[low]));
        comparisons.push(with(None, BETWEEN.into(), worst, ends));
    }
}

/// A difference of shares lies in [-1, 1], whatever the square-and-add of intervals says.
fn within(entry: &MeasureEntry, mut estimate: Estimate) -> Estimate {
    if let (Some(least), Some(most)) = (entry.least, entry.most) {
        let range = most - least;
        estimate.low = estimate.low.map(|v| v.clamp(-range, range));
        estimate.high = estimate.high.map(|v| v.clamp(-range, range));
    }
    estimate
}

/// At most [`POINTS`] of a curve's points, the ends among them.
fn thin(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    if points.len() <= POINTS {
        return points;
    }
    let last = points.len() - 1;
    (0..POINTS).map(|i| points[i * last / (POINTS - 1)]).collect()
}
