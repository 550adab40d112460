//! What belongs together: models, attributes, findings, disparities and figures of the two reports.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use super::judge::Item;
use crate::audit::Comparison;
use crate::error::{Error, Result};
use crate::metrics::Estimate;
use crate::report::{AttributeTable, Disparity, Finding, ModelReport, Report, segment_name};

/// A model and its successor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair<'r> {
    pub before: &'r ModelReport,
    pub after: &'r ModelReport,
}

/// All that are compared: those named, or those of the same name, or the one model of either.
pub(super) fn models<'r>(
    reports: [&'r Report; 2],
    named: &[(String, String)],
    names: [&str; 2],
) -> Result<(Vec<Pair<'r>>, [Vec<&'r ModelReport>; 2])> {
    let whole = |r: &'r Report| r.models.iter().filter(|m| m.segment_of.is_none());
    let [was, is] = reports.map(|r| whole(r).collect::<Vec<_>>());
    let mut pairs: Vec<Pair> = Vec::new();
    for (before, after) in named {
        let find = |all: &[&'r ModelReport], model: &str, file: &str| {
            let known = all.iter().map(|m| m.model.as_str());
            let unknown = || Error::unknown("model", model, format!(" in {file}"), known);
            all.iter().copied().find(|m| m.model == model).ok_or_else(unknown)
        };
        pairs.push(Pair { before: find(&was, before, names[0])?, after: find(&is, after, names[1])? });
    }
    if named.is_empty() {
        let same = |m: &&'r ModelReport| is.iter().copied().find(|a| a.model == m.model);
        pairs = was.iter().filter_map(|m| Some(Pair { before: m, after: same(m)? })).collect();
        if let ([before], [after], true) = (&was[..], &is[..], pairs.is_empty()) {
            pairs.push(Pair { before, after });
        }
    }
    if pairs.is_empty() {
        let list = |all: &[&ModelReport]| match all {
            [] => "no model".to_string(),
            all => all.iter().map(|m| format!("`{}`", m.model)).collect::<Vec<_>>().join(", "),
        };
        let problem = format!(
            "the models are {} and {}; say which belong together, as in `--model {}={}`",
            list(&was),
            list(&is),
            was.first().map_or("old", |m| &m.model),
            is.first().map_or("new", |m| &m.model)
        );
        return Err(nothing(names, problem));
    }
    let left = |all: &[&'r ModelReport], taken: &dyn Fn(&Pair<'r>) -> &'r ModelReport| -> Vec<&'r ModelReport> {
        all.iter().copied().filter(|m| !pairs.iter().any(|p| std::ptr::eq(taken(p), *m))).collect()
    };
    let mut alone = [left(&was, &|p| p.before), left(&is, &|p| p.after)];
    // The segments of a segmentation follow it.
    let segments = |r: &'r Report, of: &ModelReport| -> Vec<&'r ModelReport> {
        r.models.iter().filter(|m| m.segment_of.as_ref() == Some(&of.model)).collect()
    };
    let mut all = Vec::new();
    for pair in pairs {
        all.push(pair);
        let (was, is) = (segments(reports[0], pair.before), segments(reports[1], pair.after));
        let partner =
            |m: &ModelReport, of: &[&'r ModelReport]| of.iter().copied().find(|s| segment_name(s) == segment_name(m));
        all.extend(was.iter().filter_map(|m| Some(Pair { before: m, after: partner(m, &is)? })));
        alone[0].extend(was.iter().filter(|m| partner(m, &is).is_none()));
        alone[1].extend(is.iter().filter(|m| partner(m, &was).is_none()));
    }
    Ok((all, alone))
}

/// The error where nothing can be set side by side.
pub(super) fn nothing(names: [&str; 2], problem: String) -> Error {
    Error::NothingInCommon { before: names[0].into(), after: names[1].into(), problem }
}

/// The elements of both with the same key; of equal keys the first with the first, and so on.
fn matched<'a, T, K: Eq + Hash>(
    was: impl Iterator<Item = &'a T>,
    is: impl Iterator<Item = &'a T>,
    key: [&dyn Fn(&'a T) -> K; 2],
) -> (Vec<(&'a T, &'a T)>, Vec<&'a T>, Vec<&'a T>) {
    let mut waiting: HashMap<K, VecDeque<usize>> = HashMap::new();
    let was: Vec<&T> = was.collect();
    for (at, element) in was.iter().enumerate() {
        waiting.entry(key[0](element)).or_default().push_back(at);
    }
    let mut taken = vec![false; was.len()];
    let (mut pairs, mut new) = (Vec::new(), Vec::new());
    for element in is {
        match waiting.get_mut(&key[1](element)).and_then(VecDeque::pop_front) {
            Some(at) => {
                taken[at] = true;
                pairs.push((was[at], element));
            }
            None => new.push(element),
        }
    }
    let gone = was.into_iter().zip(taken).filter(|(_, taken)| !taken).map(|(element, _)| element).collect();
    (pairs, gone, new)
}

/// What something is compared with, so that a reference group is one whatever its name.
fn kind<'a>(against: &'a str, table: Option<&AttributeTable>) -> &'a str {
    match table.and_then(|t| t.reference.as_deref()) {
        Some(reference) if reference == against => "",
        _ => against,
    }
}

/// A model's finding with its successor.
pub(super) type Findings<'r> = (Vec<(&'r Finding, &'r Finding)>, Vec<&'r Finding>, Vec<&'r Finding>);

/// The findings of both, by criterion, attribute, comparison and counterpart.
pub(super) fn findings<'r>(pair: Pair<'r>) -> Findings<'r> {
    type Key<'r> = (&'r str, &'r str, Comparison, &'r str);
    let key = |m: &'r ModelReport| {
        move |f: &'r Finding| -> Key<'r> {
            (&f.criterion, &f.attribute, f.comparison, kind(&f.against, m.table(&f.attribute).ok()))
        }
    };
    let (before, after) = (key(pair.before), key(pair.after));
    matched(pair.before.findings.iter(), pair.after.findings.iter(), [&before, &after])
}

/// The tables of both, by attribute.
pub(super) fn tables<'r>(pair: Pair<'r>) -> Vec<(&'r AttributeTable, &'r AttributeTable)> {
    let by = |t: &'r AttributeTable| t.attribute.as_str();
    matched(pair.before.tables.iter(), pair.after.tables.iter(), [&by, &by]).0
}

/// The disparities of both, with the same reference group.
pub(super) fn disparities<'r>(
    tables: (&'r AttributeTable, &'r AttributeTable),
) -> Vec<(Item<'r>, &'r Disparity, &'r Disparity)> {
    let key = |d: &'r Disparity| (&*d.metric, d.group.as_deref(), d.stratum.as_deref(), d.comparison, &*d.against);
    let (pairs, _, _) = matched(tables.0.disparities.iter(), tables.1.disparities.iter(), [&key, &key]);
    let item = |d: &'r Disparity| Item {
        metric: &d.metric,
        attribute: &tables.1.attribute,
        group: d.group.as_deref(),
        stratum: d.stratum.as_deref(),
        compared: Some((d.comparison, &*d.against)),
    };
    pairs.into_iter().map(|(was, is)| (item(is), was, is)).collect()
}

/// The figures of all rows and of the groups that are in both.
pub(super) fn figures<'r>(pair: Pair<'r>) -> Vec<(Item<'r>, &'r Estimate, &'r Estimate)> {
    let mut all = Vec::new();
    let item = |metric: &'r str, attribute: &'r str, group: &'r str| Item {
        metric,
        attribute,
        group: Some(group),
        stratum: None,
        compared: None,
    };
    for (metric, is) in &pair.after.overall {
        all.extend(pair.before.overall.get(metric).map(|was| (item(metric, "overall", "overall"), was, is)));
    }
    for (was, is) in tables(pair) {
        let earlier: HashMap<&str, _> = was.groups.iter().map(|g| (g.group.as_str(), g)).collect();
        for group in &is.groups {
            let Some(before) = earlier.get(group.group.as_str()) else { continue };
            let both =
                group.metrics.iter().filter_map(|(metric, now)| Some((metric, before.metrics.get(metric)?, now)));
            all.extend(both.map(|(metric, was, now)| (item(metric, &is.attribute, &group.group), was, now)));
        }
    }
    all
}
