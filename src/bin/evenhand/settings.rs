//! What is asked: the policy file, and over it the flags.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use evenhand::audit::{Condition, NamedGroup, Policy, Reference};
use evenhand::data::{Columns, SegmentColumns, Top};
use evenhand::{Error, Place};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::args::{AuditArgs, ColumnArgs, GroupArgs, PolicyArgs, SqlArgs};
use crate::failure::{Failure, bad_policy};

/// The policy where none is asked for.
const USUAL: &str = "four-fifths";

/// The flags that say what is asked, whatever is done with it.
#[derive(Debug, Clone, Copy)]
pub struct Flags<'a> {
    pub columns: &'a ColumnArgs,
    pub groups: &'a GroupArgs,
    pub policy: &'a PolicyArgs,
}

impl<'a> From<&'a AuditArgs> for Flags<'a> {
    fn from(args: &'a AuditArgs) -> Self {
        Flags { columns: &args.columns, groups: &args.groups, policy: &args.policy }
    }
}

impl<'a> From<&'a SqlArgs> for Flags<'a> {
    fn from(args: &'a SqlArgs) -> Self {
        Flags { columns: &args.columns, groups: &args.groups, policy: &args.policy }
    }
}

/// Everything that an audit is told.
#[derive(Debug)]
pub struct Settings {
    pub columns: Columns,
    pub policy: Policy,
    /// Where the policy was read.
    pub file: Option<PathBuf>,
    pub groups: Vec<NamedGroup>,
    /// The reference level of each attribute that has a named one.
    pub references: BTreeMap<String, String>,
    pub audit: AuditTable,
}

/// The `[audit]` table of a policy file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditTable {
    pub order: Option<u8>,
    pub reference_rule: Option<Rule>,
    pub missing_as_group: bool,
    pub seed: Option<u64>,
    pub replicates: Option<usize>,
    pub curves: Option<usize>,
}

/// How reference groups are found.
#[derive(Debug, Clone, Copy, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The group with the most weight.
    Largest,
    /// The group with the highest selection rate.
    BestOff,
}

impl From<Rule> for Reference {
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::Largest => Reference::Largest,
            Rule::BestOff => Reference::BestOff,
        }
    }
}

/// One of the `[[groups]]` of a policy file: a rule as a flag has it, or lists of conditions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupTable {
    name: String,
    rule: Option<String>,
    #[serde(default)]
    all: Vec<Condition>,
    #[serde(default)]
    any: Vec<Condition>,
}

impl GroupTable {
    fn group(self) -> Result<NamedGroup, Failure> {
        match self.rule {
            Some(rule) if self.all.is_empty() && self.any.is_empty() => Ok(format!("{}: {rule}", self.name).parse()?),
            Some(_) => {
                let message = format!("the group `{}` has both a `rule` and conditions", self.name);
                Err(Failure::new(message, "give it either a `rule`, or `all` and `any`"))
            }
            None => Ok(NamedGroup { name: self.name, all: self.all, any: self.any }),
        }
    }
}

/// What a policy file holds beside the policy, and what is left: the policy itself.
#[derive(Debug, Default)]
struct PolicyFile {
    columns: Option<Columns>,
    groups: Vec<NamedGroup>,
    references: BTreeMap<String, String>,
    audit: AuditTable,
    rest: toml::Table,
}

impl Settings {
    /// Reads the policy file, if there is one, and puts the flags over it.
    pub fn new<'a>(args: impl Into<Flags<'a>>) -> Result<Self, Failure> {
        let args = args.into();
        let file = match &args.policy.policy {
            Some(path) => PolicyFile::read(path)?,
            None => PolicyFile::default(),
        };
        let mut columns = file.columns.unwrap_or_default();
        put_columns(&mut columns, args);
        put_segments(&mut columns, args)?;
        if columns.attributes.is_empty() && file.groups.is_empty() && args.groups.groups.is_empty() {
            return Err(Failure::new(
                "no protected attribute is named",
                "name one by `--attribute COLUMN`, or in the `[columns]` of a policy file; `evenhand init FILE` suggests some",
            ));
        }
        let models = !columns.decisions.is_empty() || !columns.scores.is_empty() || !columns.segments.is_empty();
        if columns.label.is_none() && !models {
            return Err(Failure::new(
                "there is nothing to compare groups by: neither label nor decision nor score nor segment is named",
                "name one by `--decision COLUMN` (who was selected), `--label COLUMN`, `--score COLUMN` or `--segment COLUMN`",
            ));
        }
        let cuts = !columns.thresholds.is_empty() || !columns.top.is_empty();
        if cuts && columns.scores.is_empty() {
            return Err(Failure::new(
                "a threshold or a number to select cuts a score, and no score is named",
                "name it by `--score COLUMN`",
            ));
        }
        let mut policy = policy(file.rest, args, &columns)?;
        put_policy(&mut policy, args);
        policy.check()?;

        let mut references = file.references;
        references.extend(args.groups.reference.iter().map(|r| (r.name.clone(), r.value.clone())));
        let groups = if args.groups.groups.is_empty() { file.groups } else { args.groups.groups.clone() };
        let audit = AuditTable {
            order: args.groups.order.or(file.audit.order),
            reference_rule: args.groups.reference_rule.or(file.audit.reference_rule),
            missing_as_group: args.groups.missing_as_group || file.audit.missing_as_group,
            seed: args.policy.seed.or(file.audit.seed),
            replicates: args.policy.replicates.or(file.audit.replicates),
            curves: args.policy.curves.or(file.audit.curves),
        };
        let file = args.policy.policy.clone();
        Ok(Settings { columns, policy, file, groups, references, audit })
    }
}

/// Puts over the columns of the file those that flags name. Lists are replaced, not added to, but for the
/// texts that mean missing.
fn put_columns(columns: &mut Columns, args: Flags) {
    fn put<T: Clone>(list: &mut Vec<T>, flags: &[T]) {
        if !flags.is_empty() {
            *list = flags.to_vec();
        }
    }
    let flags = args.columns;
    put(&mut columns.attributes, &flags.attributes);
    put(&mut columns.decisions, &flags.decisions);
    put(&mut columns.scores, &flags.scores);
    put(&mut columns.thresholds, &flags.thresholds);
    let above_median = flags.above_median.then_some(Top::AboveMedian);
    put(&mut columns.top, &flags.top.iter().copied().chain(above_median).collect::<Vec<_>>());
    put(&mut columns.strata, &flags.strata);
    columns.label = flags.label.clone().or(columns.label.take());
    columns.weight = flags.weight.clone().or(columns.weight.take());
    columns.target = flags.target.clone().or(columns.target.take());
    columns.filter = flags.filter.clone().or(columns.filter.take());
    columns.missing.extend(flags.missing.iter().cloned());
    let mut favorable: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for flag in &flags.favorable {
        favorable.entry(flag.name.clone()).or_default().push(flag.value.clone());
    }
    columns.favorable.extend(favorable);
    // What the file says of a column that a flag has put out of the audit no longer matters.
    let used = |name: &String| {
        columns.label.as_ref() == Some(name)
            || columns.decisions.contains(name)
            || flags.favorable.iter().any(|f| f.name == *name)
    };
    columns.favorable.retain(|name, _| used(name));
}

/// Puts over the segmentations of the file those that flags name. What is said of segments is of the only one.
fn put_segments(columns: &mut Columns, args: Flags) -> Result<(), Failure> {
    let flags = args.columns;
    if flags.segments.is_empty() {
        return Ok(());
    }
    columns.segments = flags.segments.iter().map(SegmentColumns::plain).collect();
    let said = !flags.segment_order.is_empty() || !flags.segment_values.is_empty() || !flags.segment_parts.is_empty();
    match columns.segments.as_mut_slice() {
        [only] => {
            only.order = flags.segment_order.iter().map(|s| s.trim().to_string()).collect();
            only.values = flags.segment_values.iter().cloned().collect();
            only.parts = flags.segment_parts.iter().cloned().collect();
            only.class = flags.segment_class.clone();
            only.earlier = flags.segment_before.clone();
            Ok(())
        }
        _ if said || flags.segment_class.is_some() || flags.segment_before.is_some() => Err(Failure::new(
            "it is not clear which of several segmentations an order, a value, a class or an earlier segment is of",
            "audit one at a time, or list them as `[[columns.segments]]` in a policy file",
        )),
        _ => Ok(()),
    }
}

/// The policy of the file or the preset; the usual one where none is asked for and somebody is selected.
fn policy(mut table: toml::Table, args: Flags, columns: &Columns) -> Result<Policy, Failure> {
    if let Some(preset) = &args.policy.preset {
        return Ok(Policy::preset(preset)?);
    }
    let asked = table.contains_key("preset") || table.contains_key("criteria");
    let decides = !columns.decisions.is_empty()
        || !columns.segments.is_empty()
        || !columns.thresholds.is_empty()
        || !columns.top.is_empty();
    if !asked && decides {
        table.insert("preset".into(), USUAL.into());
    }
    Policy::from_table(table).map_err(|e| match &args.policy.policy {
        Some(path) => in_file(e, path),
        None => e.into(),
    })
}

fn put_policy(policy: &mut Policy, args: Flags) {
    let flags = args.policy;
    policy.confidence = flags.confidence.unwrap_or(policy.confidence);
    policy.minimum_group_size = flags.min_group_size.unwrap_or(policy.minimum_group_size);
    policy.inconclusive = flags.inconclusive.map_or(policy.inconclusive, Into::into);
}

impl PolicyFile {
    fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|e| {
            let name = path.display();
            Failure::new(format!("cannot read {name}: {e}"), format!("`evenhand init FILE --output {name}` writes one"))
        })?;
        let json = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json"));
        let table = if json {
            serde_json::from_str(&text).map_err(|e| bad_policy(path.into(), e.to_string()))?
        } else {
            text.parse().map_err(|e| bad_policy(path.into(), toml_problem(&e, &text)))?
        };
        Self::from_table(table, path)
    }

    fn from_table(mut rest: toml::Table, path: &Path) -> Result<Self, Failure> {
        let groups: Vec<GroupTable> = take(&mut rest, "groups", path)?.unwrap_or_default();
        let groups = groups.into_iter().map(GroupTable::group).collect::<Result<_, _>>();
        let groups = groups.map_err(|e: Failure| e.in_policy(path))?;
        Ok(PolicyFile {
            columns: take(&mut rest, "columns", path)?,
            groups,
            references: take(&mut rest, "references", path)?.unwrap_or_default(),
            audit: take(&mut rest, "audit", path)?.unwrap_or_default(),
            rest,
        })
    }
}

/// Takes one key out of the table.
fn take<T: DeserializeOwned>(table: &mut toml::Table, key: &str, path: &Path) -> Result<Option<T>, Failure> {
    let value = table.remove(key).map(toml::Value::try_into).transpose();
    value.map_err(|e: toml::de::Error| bad_policy(path.into(), format!("`{key}`: {}", flat(e.message()))))
}

/// The line of a mistake, and what it is.
fn toml_problem(error: &toml::de::Error, text: &str) -> String {
    let line = error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
    match line {
        Some(line) => format!("line {line}: {}", flat(error.message())),
        None => flat(error.message()),
    }
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An error of the policy proper, with its file named.
fn in_file(error: Error, path: &Path) -> Failure {
    match error {
        Error::BadPolicy { place: Place { row, .. }, problem } => {
            let mut problem = flat(&problem);
            if problem.contains("unknown field") {
                problem.push_str("; beside these, `preset`, [columns], [references], [audit] and [[groups]]");
            }
            Error::BadPolicy { place: Place { file: Some(path.into()), row }, problem }.into()
        }
        other => Failure::from(other).in_policy(path),
    }
}
