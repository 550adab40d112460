//! From two reports to what changed.

use std::collections::BTreeSet;

use super::judge::{Item, Judged, judge};
use super::pairing::{self, Pair};
use super::{Changes, Effect, FindingChange, Independence, ModelChanges, SCHEMA_VERSION, Side, differ, wording};
use crate::audit::Verdict;
use crate::error::{Error, Result};
use crate::inference::multiplicity::Multiplicity;
use crate::metrics::{Estimate, Undefined};
use crate::report::words::{Unit, bound, name, unglued};
use crate::report::{AttributeTable, Disparity, Finding, GroupResult, LeftOut, Report, list};

/// Which reports are compared, and how sure one wants to be. See the [module](super).
#[derive(Debug, Clone, PartialEq)]
pub struct Compare {
    names: [String; 2],
    models: Vec<(String, String)>,
    confidence: Option<f64>,
}

impl Default for Compare {
    fn default() -> Self {
        Self::new()
    }
}

impl Compare {
    /// Models of the same name, or the one model of either report, at the later report's confidence.
    pub fn new() -> Self {
        Compare {
            names: ["the earlier report".into(), "the later report".into()],
            models: Vec::new(),
            confidence: None,
        }
    }

    /// What the reports are called, as by their files.
    #[must_use]
    pub fn names(mut self, before: impl Into<String>, after: impl Into<String>) -> Self {
        self.names = [before.into(), after.into()];
        self
    }

    /// Compares a model of the earlier report with one of the later, instead of those of the same name; repeatable. With the
    /// same report twice, two of its models are compared.
    #[must_use]
    pub fn model(mut self, before: impl Into<String>, after: impl Into<String>) -> Self {
        self.models.push((before.into(), after.into()));
        self
    }

    /// The level of all intervals, in (0, 1); the later report's, if not given. What the reports have at another level is
    /// stretched to it by the ratio of normal quantiles.
    #[must_use]
    pub fn confidence(mut self, level: f64) -> Self {
        self.confidence = Some(level);
        self
    }

    /// Compares.
    ///
    /// # Errors
    /// - [`Error::BadSetting`] for a confidence that is none.
    /// - [`Error::Unknown`] for a model that is not there.
    /// - [`Error::NothingInCommon`] where no two models belong together, or no attribute is in both reports.
    pub fn run(&self, before: &Report, after: &Report) -> Result<Changes> {
        let level = self.confidence.unwrap_or(after.settings.policy.confidence);
        if !(level > 0.0 && level < 1.0) {
            return Err(Error::setting("the confidence", level, "a number between 0 and 1, such as 0.95"));
        }
        let names = [self.names[0].as_str(), self.names[1].as_str()];
        let (pairs, alone) = pairing::models([before, after], &self.models, names)?;
        if pairs.iter().all(|p| pairing::tables(*p).is_empty()) {
            return Err(pairing::nothing(names, attributes(pairs[0])));
        }
        let levels = [before.settings.policy.confidence, after.settings.policy.confidence];
        let [only_before, only_after] = differ::absent([before, after], &pairs, &alone);
        let side = |report: &Report, name: &str| Side {
            name: name.into(),
            created: report.provenance.created.clone(),
            version: report.provenance.version.clone(),
            rows: report.data.rows,
            verdict: report.verdict,
            tally_digest: report.provenance.tally_digest.clone(),
        };
        let mut changes = Changes {
            schema_version: SCHEMA_VERSION,
            effect: Effect::NotShown,
            summary: String::new(),
            before: side(before, names[0]),
            after: side(after, names[1]),
            confidence: level,
            independence: Independence::of(before, after, pairs.iter().all(|p| p.before.model == p.after.model)),
            settings: differ::settings(before, after, &pairs),
            models: models(&pairs, levels, level),
            only_before,
            only_after,
            notes: Vec::new(),
        };
        changes.notes.push(changes.independence.sentence().into());
        if levels[0] != levels[1] || levels[1] != level {
            changes.notes.push(
                "The reports' intervals are at other levels than these: they are stretched by the ratio of normal quantiles."
                    .into(),
            );
        }
        changes.effect = effect(&changes.models);
        changes.summary = wording::summary(&changes);
        Ok(changes)
    }
}

/// Why no attribute could be set side by side.
fn attributes(pair: Pair) -> String {
    let list = |tables: &[AttributeTable]| {
        let single = tables.iter().filter(|t| t.attributes.len() < 2);
        let names: Vec<String> = single.map(|t| format!("`{}`", t.attribute)).collect();
        if names.is_empty() { "no attribute".into() } else { names.join(", ") }
    };
    format!("the attributes are {} and {}", list(&pair.before.tables), list(&pair.after.tables))
}

/// What belongs together of a model and its successor, judged.
struct Judging<'r> {
    pair: Pair<'r>,
    findings: Vec<(Judged, &'r Finding, &'r Finding)>,
    disparities: Vec<Judged>,
    figures: Vec<Judged>,
}

impl<'r> Judging<'r> {
    fn of(pair: Pair<'r>, levels: [f64; 2], level: f64) -> Self {
        let found = |(was, is)| (finding(pair, was, is, levels, level), was, is);
        let of_table = |tables| disparities(tables, levels, level);
        let figure = |(item, was, is): (Item<'r>, &Estimate, &Estimate)| {
            let mut judged = judge(item, was, is, levels, level);
            let tables = [pair.before, pair.after].map(|m| m.table(item.attribute).ok());
            too_small(&mut judged, item.group, tables);
            judged
        };
        Judging {
            pair,
            findings: pairing::findings(pair).0.into_iter().map(found).collect(),
            disparities: pairing::tables(pair).into_iter().flat_map(of_table).collect(),
            figures: pairing::figures(pair).into_iter().map(figure).collect(),
        }
    }

    fn told(self) -> ModelChanges {
        let mut findings: Vec<FindingChange> = self.findings.into_iter().map(|(j, was, is)| told(j, was, is)).collect();
        let p = |f: &FindingChange| f.change.p_value.unwrap_or(2.0);
        let grave = |f: &FindingChange| (!f.turned_to_fail(), order(f.change.effect), !f.turned());
        findings.sort_by(|a, b| grave(a).cmp(&grave(b)).then(p(a).total_cmp(&p(b))));
        let plain = |list: Vec<Judged>| list.into_iter().map(|j| j.change).collect();
        ModelChanges {
            before: self.pair.before.model.clone(),
            after: self.pair.after.model.clone(),
            verdicts: [self.pair.before.verdict, self.pair.after.verdict],
            findings,
            disparities: plain(self.disparities),
            figures: plain(self.figures),
        }
    }
}

/// Adjusts the p-values of a list together and says what is shown.
fn conclude<'j>(list: impl Iterator<Item = &'j mut Judged>, level: f64) {
    let mut list: Vec<&mut Judged> = list.collect();
    let raw: Vec<f64> = list.iter().filter_map(|j| j.change.p_value).collect();
    let mut adjusted = Multiplicity::Holm.adjust(&raw).into_iter();
    for judged in &mut list {
        if judged.change.p_value.is_some() {
            judged.conclude(adjusted.next().unwrap_or(1.0), level);
        }
        judged.change.sentence = wording::sentence(&judged.change, level);
    }
}

fn models(pairs: &[Pair], levels: [f64; 2], level: f64) -> Vec<ModelChanges> {
    let mut all: Vec<Judging> = pairs.iter().map(|pair| Judging::of(*pair, levels, level)).collect();
    conclude(all.iter_mut().flat_map(|m| m.findings.iter_mut().map(|f| &mut f.0)), level);
    for between in [true, false] {
        let disparities = all.iter_mut().flat_map(|m| &mut m.disparities);
        conclude(disparities.filter(|j| j.change.is_between_groups() == between), level);
    }
    conclude(all.iter_mut().flat_map(|m| &mut m.figures), level);
    all.into_iter().map(Judging::told).collect()
}

/// The gravest first.
fn order(effect: Effect) -> usize {
    let all = [Effect::Worse, Effect::Better, Effect::Rose, Effect::Fell, Effect::NotShown, Effect::NotComparable];
    all.iter().position(|e| *e == effect).unwrap_or(all.len())
}

fn finding<'r>(pair: Pair<'r>, was: &'r Finding, is: &'r Finding, levels: [f64; 2], level: f64) -> Judged {
    let item = Item {
        metric: &is.criterion,
        attribute: &is.attribute,
        group: None,
        stratum: None,
        compared: Some((is.comparison, &is.against)),
    };
    if was.against != is.against {
        // Another reference group makes another question of it.
        let reason = |e: &Estimate| Estimate { value: None, ..Estimate::undefined(Undefined::NoReference, e.support) };
        let mut judged = judge(item, &reason(&was.estimate), &reason(&is.estimate), levels, level);
        (judged.change.before, judged.change.after) = (was.estimate.clone(), is.estimate.clone());
        let (before, after) = (name(&was.against, 40), name(&is.against, 40));
        judged
            .change
            .notes
            .push(format!("It was against {before} and is against {after}: the two are not the same question."));
        return judged;
    }
    let mut judged = judge(item, &was.estimate, &is.estimate, levels, level);
    let about = |f: &'r Finding| (&f.highest, &f.lowest, f.left_out.as_slice());
    judged.change.notes = others(about(was), about(is));
    let tables = pair.before.table(&is.attribute).ok().zip(pair.after.table(&is.attribute).ok());
    judged.lost = tables.is_some_and(|tables| lost(tables, &was.left_out, &is.left_out));
    judged
}

/// A finding with what its verdicts and bounds did.
fn told(judged: Judged, was: &Finding, is: &Finding) -> FindingChange {
    let mut change = judged.change;
    let (verdicts, minimum, maximum) =
        ([was.verdict, is.verdict], [was.minimum, is.minimum], [was.maximum, is.maximum]);
    if minimum[0] != minimum[1] || maximum[0] != maximum[1] {
        let unit = Unit::compared(&is.criterion, is.comparison);
        let [before, after] = [0, 1].map(|side| unglued(&bound(unit, minimum[side], maximum[side])));
        change.notes.push(format!("It needed {before}, and needs {after} now."));
    }
    let mut finding = FindingChange { verdicts, minimum, maximum, change };
    if let Some(turned) = wording::turned(&finding) {
        finding.change.sentence.push(' ');
        finding.change.sentence.push_str(turned);
        if finding.change.effect == Effect::NotShown {
            let near = "The verdict turned without a change that is shown: the figure lies near its bound, or one report is surer \
                        than the other.";
            finding.change.notes.push(near.into());
        }
    }
    finding
}

fn disparities<'r>(
    tables: (&'r AttributeTable, &'r AttributeTable),
    levels: [f64; 2],
    level: f64,
) -> impl Iterator<Item = Judged> + 'r {
    pairing::disparities(tables).into_iter().map(move |(item, was, is)| {
        let mut judged = judge(item, &was.estimate, &is.estimate, levels, level);
        let about = |d: &'r Disparity| (&d.highest, &d.lowest, d.left_out.as_slice());
        judged.change.notes = others(about(was), about(is));
        too_small(&mut judged, item.group, [Some(tables.0), Some(tables.1)]);
        judged.lost = item.group.is_none() && lost(tables, &was.left_out, &is.left_out);
        judged
    })
}

/// Whether a group that took part before does not now.
fn lost(tables: (&AttributeTable, &AttributeTable), was: &[LeftOut], is: &[LeftOut]) -> bool {
    let out = |all: &[LeftOut], group: &str| all.iter().any(|l| l.group == group);
    let there = |group: &str| tables.1.groups.iter().any(|g| g.group == group);
    let took_part = |g: &&GroupResult| !g.too_small && !out(was, &g.group);
    tables.0.groups.iter().filter(took_part).any(|g| out(is, &g.group) || !there(&g.group))
}

/// A group that is too small in either report is shown, not judged.
fn too_small(judged: &mut Judged, group: Option<&str>, tables: [Option<&AttributeTable>; 2]) {
    let small = |t: &AttributeTable| t.groups.iter().any(|g| Some(g.group.as_str()) == group && g.too_small);
    if judged.change.p_value.is_some() && tables.into_iter().flatten().any(small) {
        judged.withhold("The group is too small to judge in one of the reports.");
    }
}

/// The groups furthest apart, and those left out.
type Groups<'a> = (&'a Option<String>, &'a Option<String>, &'a [LeftOut]);

/// What is to be known where other groups were compared.
fn others(was: Groups, is: Groups) -> Vec<String> {
    let mut notes = Vec::new();
    let pair = |g: Groups| match (g.0, g.1) {
        (Some(a), Some(b)) if a != b => Some(format!("{} and {}", name(a, 40), name(b, 40))),
        (Some(a), _) => Some(name(a, 40)),
        _ => None,
    };
    let sorted = |g: Groups| [g.0.clone(), g.1.clone()].into_iter().flatten().collect::<BTreeSet<_>>();
    if let (Some(before), Some(after), true) = (pair(was), pair(is), sorted(was) != sorted(is)) {
        notes.push(format!("It was of {before}, and is of {after} now."));
    } else if was.0 == is.1 && was.1 == is.0 && was.0 != was.1 {
        notes.push("It is turned round: the group that was ahead is behind.".into());
    }
    let out = |g: Groups| g.2.iter().map(|l| l.group.clone()).collect::<BTreeSet<_>>();
    let (before, after) = (out(was), out(is));
    for (one, other, when) in [(&before, &after, "before"), (&after, &before, "now")] {
        let only: Vec<String> = one.difference(other).map(|group| name(group, 40)).collect();
        if !only.is_empty() {
            notes.push(format!("Left out only {when}: {}.", list(&only, 5)));
        }
    }
    notes
}

/// What is shown of the whole.
fn effect(models: &[ModelChanges]) -> Effect {
    let findings = || models.iter().flat_map(|m| &m.findings);
    let effects = || {
        findings().map(|f| f.change.effect).chain(models.iter().flat_map(|m| m.disparities.iter().map(|c| c.effect)))
    };
    // That a failure is now inconclusive may be for want of rows.
    let relieved = |f: &FindingChange| f.verdicts == [Verdict::Fail, Verdict::Pass];
    if findings().any(FindingChange::turned_to_fail) || effects().any(|e| e == Effect::Worse) {
        Effect::Worse
    } else if findings().any(relieved) || effects().any(|e| e == Effect::Better) {
        Effect::Better
    } else {
        Effect::NotShown
    }
}
