//! What differs between two reports besides their figures: settings, and what only one of them has.

use std::collections::BTreeSet;

use super::pairing::{self, Pair};
use super::{Absent, SettingChange};
use crate::audit::Policy;
use crate::report::words::{self, share, title};
use crate::report::{AttributeTable, Finding, ModelReport, Report};

/// The settings that differ.
pub(super) fn settings(before: &Report, after: &Report, pairs: &[Pair]) -> Vec<SettingChange> {
    let (a, b) = (&before.settings, &after.settings);
    let mut all = policies(&a.policy, &b.policy);
    let mut note = |setting: &str, was: String, is: String| differs(&mut all, setting, was, is);
    note("Reference groups", a.reference.clone(), b.reference.clone());
    let missing = |as_group: bool| if as_group { "a group of its own" } else { "no group" }.to_string();
    note("Missing attributes", missing(a.missing_as_group), missing(b.missing_as_group));
    note("Attributes crossed up to", a.order.to_string(), b.order.to_string());
    note("Bootstrap replicates", a.replicates.to_string(), b.replicates.to_string());
    let weights = |r: &Report| if r.data.weight.is_some() { "by weight" } else { "unweighted" }.to_string();
    note("Rows", weights(before), weights(after));
    let filter = |r: &Report| r.data.filter.as_ref().map_or("none".into(), |f| f.condition.clone());
    note("Filter", filter(before), filter(after));
    note("Made by evenhand", before.provenance.version.clone(), after.provenance.version.clone());
    for Pair { before, after } in pairs.iter().filter(|p| p.before.segment_of.is_none()) {
        note(&format!("Decisions of {}", after.model), words::rule(&before.rule), words::rule(&after.rule));
    }
    for (was, is) in pairs.first().map(|p| pairing::tables(*p)).unwrap_or_default() {
        let name = |t: &AttributeTable| t.reference.clone().unwrap_or_else(|| "none".into());
        note(&format!("Reference group by {}", is.attribute), name(was), name(is));
    }
    all
}

fn differs(all: &mut Vec<SettingChange>, setting: &str, before: String, after: String) {
    if before != after {
        all.push(SettingChange { setting: setting.into(), before, after });
    }
}

fn policies(a: &Policy, b: &Policy) -> Vec<SettingChange> {
    let mut all = Vec::new();
    let percent = |v: f64| format!("{} %", (v * 1e6).round() / 1e4);
    differs(&mut all, "Policy", a.name.clone(), b.name.clone());
    differs(&mut all, "Confidence", percent(a.confidence), percent(b.confidence));
    differs(&mut all, "Smallest group judged", a.minimum_group_size.to_string(), b.minimum_group_size.to_string());
    differs(&mut all, "Smallest share judged", share(a.minimum_group_share), share(b.minimum_group_share));
    differs(&mut all, "Inconclusive counts as", a.inconclusive.to_string(), b.inconclusive.to_string());
    let adjusted = |p: &Policy| format!("{:?}", p.multiplicity);
    differs(&mut all, "P-values adjusted by", adjusted(a), adjusted(b));
    let rulebook = |p: &Policy| p.rulebook.map_or("none".into(), |r| format!("{r:?}"));
    differs(&mut all, "Rulebook", rulebook(a), rulebook(b));
    let asked = |p: &Policy| p.criteria.iter().map(words::criterion).collect::<Vec<_>>().join("; ");
    let none = |text: String| if text.is_empty() { "none".into() } else { text };
    differs(&mut all, "Criteria", none(words::unglued(&asked(a))), none(words::unglued(&asked(b))));
    all
}

/// What only the earlier report has, and what only the later one.
pub(super) fn absent(reports: [&Report; 2], pairs: &[Pair], alone: &[Vec<&ModelReport>; 2]) -> [Vec<Absent>; 2] {
    let mut all = [Vec::new(), Vec::new()];
    let add = |all: &mut Vec<Absent>, kind: &str, name: &str, of: Option<&str>| {
        let absent = Absent { kind: kind.into(), name: name.into(), of: of.map(String::from) };
        if !all.contains(&absent) {
            all.push(absent);
        }
    };
    for side in 0..2 {
        for m in &alone[side] {
            add(&mut all[side], "model", &m.model, None);
        }
        let strata = |r: &Report| r.data.strata.iter().map(|c| c.column.clone()).collect::<BTreeSet<_>>();
        for name in strata(reports[side]).difference(&strata(reports[1 - side])) {
            add(&mut all[side], "stratum", name, None);
        }
    }
    for pair in pairs {
        let of = [pair.before, pair.after];
        for side in 0..2 {
            let (own, other) = (of[side], of[1 - side]);
            let here = |attribute: &str| other.table(attribute).is_ok();
            for t in own.tables.iter().filter(|t| !here(&t.attribute)) {
                // A crossed attribute is missing with any of its parts.
                if t.attributes.len() < 2 || t.attributes.iter().all(|a| here(a)) {
                    add(&mut all[side], "attribute", &t.attribute, None);
                }
            }
            for (t, there) in own.tables.iter().filter_map(|t| Some((t, other.table(&t.attribute).ok()?))) {
                let known: BTreeSet<&str> = there.groups.iter().map(|g| g.group.as_str()).collect();
                for g in t.groups.iter().filter(|g| !known.contains(g.group.as_str())) {
                    add(&mut all[side], "group", &g.group, Some(&t.attribute));
                }
            }
            for metric in own.overall.keys().filter(|m| !other.overall.contains_key(*m)) {
                add(&mut all[side], "metric", metric, Some(&own.model));
            }
        }
        let (_, gone, new) = pairing::findings(*pair);
        for (side, findings) in [gone, new].into_iter().enumerate() {
            let there = |f: &&Finding| of[1 - side].table(&f.attribute).is_ok();
            for f in findings.into_iter().filter(there) {
                let name = format!("{} {} {}", title(&f.criterion), f.comparison, words::against(&f.against));
                add(&mut all[side], "criterion", &name, Some(&f.attribute));
            }
        }
    }
    all
}
