//! One way to slice the batch into groups (an attribute, an intersection, the named groups) and the
//! comparisons between its groups.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::figures::{Figure, Scope};
use super::outcome::{Data, MeasureRef};
use super::{Against, Comparison, NamedGroup, Reference};
use crate::error::{Error, Result};
use crate::inference::sidak_level;
use crate::metrics::catalog::{self, CriterionEntry, Join};
use crate::metrics::compare::{self, Compared};
use crate::metrics::conditional::{self, Stratified};
use crate::metrics::measure::Measured;
use crate::metrics::{Estimate, Of, Support, Undefined};
use crate::report::LeftOut;
use crate::tally::{Counts, Group, Parts};

/// A group of a slice with its figures, and those of the rows it is compared with.
#[derive(Debug)]
pub(crate) struct Part {
    pub name: String,
    pub group: Group,
    pub too_small: bool,
    pub figures: Vec<Measured>,
    /// The other known groups together.
    pub rest: Vec<Measured>,
    /// All other rows, those whose group is not known too.
    pub others: Vec<Measured>,
    /// What the group has beyond its cells, and what the other known groups have together.
    pub data: Data,
    pub rest_data: Data,
}

/// The batch in groups.
#[derive(Debug)]
pub(crate) struct Slice<'a> {
    pub scope: &'a Scope<'a>,
    pub name: String,
    pub attributes: Vec<String>,
    pub overlapping: bool,
    pub parts: Vec<Part>,
    pub missing_rows: f64,
    pub reference: Option<usize>,
    /// The whole batch.
    pub whole: &'a [Measured],
    /// Whether every figure was compared, or only those that lead (very many groups).
    pub complete: bool,
}

/// What is compared: a figure, or a criterion over figures.
#[derive(Debug, Clone)]
pub(crate) enum Subject {
    Figure(usize),
    Criterion(&'static CriterionEntry, Vec<usize>),
    /// A measure that compares groups by itself.
    Measure(MeasureRef),
}

/// A comparison of all groups.
#[derive(Debug, Default)]
pub(crate) struct Between {
    pub compared: Compared,
    pub left_out: Vec<LeftOut>,
    /// Groups that are large enough but have no figure: the comparison does not hold for them.
    pub unjudged: bool,
    /// All groups were too small, and were compared all the same.
    pub all_small: bool,
}

impl Between {
    /// No comparison, for want of groups.
    pub fn too_few_groups() -> Self {
        let estimate = Estimate::undefined(Undefined::TooFewGroups, Support::default());
        Between { compared: Compared { estimate, ..Compared::default() }, ..Between::default() }
    }
}

/// From so many groups on, only the leading figures are compared group by group.
const MANY: usize = 500;
const LEADING: [&str; 6] =
    ["selection_rate", "base_rate", "true_positive_rate", "false_positive_rate", "precision", "accuracy"];
/// Conditional comparisons look at all pairs; with more groups than this they are not made.
const MANY_FOR_PAIRS: usize = 60;
/// The same of measures of pairs, some of which take their time.
const MANY_FOR_MEASURES: usize = 30;

impl Subject {
    /// What a name stands for, if the data allow it.
    pub fn of(name: &str, scope: &Scope) -> Option<Self> {
        if let Some(figure) = scope.figure(name) {
            return Some(Subject::Figure(figure));
        }
        if let Some(measure) = scope.measures.iter().find(|m| m.entry().name == name) {
            return Some(Subject::Measure(*measure));
        }
        let entry = catalog::criterion_entry(name)?;
        let figures: Option<Vec<usize>> = entry.metrics.iter().map(|m| scope.figure(m)).collect();
        let strata = !scope.tally.schema().strata.is_empty();
        figures.filter(|_| strata || !entry.conditional).map(|f| Subject::Criterion(entry, f))
    }

    /// The figure that a sentence quotes; none has this number where there is none to quote.
    pub fn leading(&self) -> usize {
        match self {
            Subject::Figure(figure) => *figure,
            Subject::Criterion(_, figures) => figures.first().copied().unwrap_or(0),
            Subject::Measure(_) => usize::MAX,
        }
    }

    pub fn allows(&self, comparison: Comparison) -> bool {
        match (self, comparison) {
            (Subject::Measure(_), comparison) => comparison == Comparison::Value,
            (_, Comparison::Value) => false,
            (Subject::Figure(_), _) => true,
            (Subject::Criterion(entry, _), Comparison::Difference) => entry.difference,
            (Subject::Criterion(entry, _), Comparison::Ratio) => entry.ratio,
        }
    }

    fn is_disparity_of_shares(&self) -> bool {
        matches!(self, Subject::Criterion(entry, _) if entry.name == "conditional_demographic_disparity")
    }

    /// Whether one sentence about one figure would not do.
    pub fn is_of_parts(&self) -> bool {
        match self {
            Subject::Figure(_) => false,
            Subject::Criterion(entry, figures) => entry.conditional || figures.len() > 1,
            Subject::Measure(_) => true,
        }
    }

    /// Whether it compares all groups with each other; the conditional demographic disparity is of one
    /// group at a time.
    pub fn compares_groups(&self) -> bool {
        !self.is_disparity_of_shares()
    }
}

impl<'a> Slice<'a> {
    /// The slice by one attribute or an intersection, given by number.
    pub fn by(scope: &'a Scope<'a>, attributes: &[usize], whole: (&Group, &'a [Measured])) -> Result<Self> {
        let schema = scope.tally.schema();
        let margin = scope.tally.margin(scope.model, attributes);
        let names: Vec<String> = attributes.iter().map(|a| schema.attributes[*a].name.clone()).collect();
        let level = |(axis, level): (&usize, &usize)| schema.attributes[*axis].levels[*level].as_str();
        let mut groups: Vec<(String, Group)> = margin
            .groups
            .into_iter()
            .map(|g| (attributes.iter().zip(&g.levels).map(level).collect::<Vec<_>>().join(" & "), g))
            .collect();
        let missing_rows = margin.missing.whole.total().rows;
        if scope.plan.missing_as_group && missing_rows > 0.0 {
            groups.push(("missing".into(), margin.missing));
        }
        let mut known = Counts::default();
        groups.iter().for_each(|(_, g)| known.add(&g.whole));
        let rests = groups.iter().map(|(_, g)| known.without(&g.whole)).collect();
        let places: HashMap<Vec<usize>, usize> =
            groups.iter().enumerate().map(|(at, (_, g))| (g.levels.clone(), at)).collect();
        // The missing are a group without levels, where they are one.
        let parts = Parts::new(groups.len(), |digits| {
            let levels: Option<Vec<usize>> = attributes.iter().map(|a| digits[*a].checked_sub(1)).collect();
            places.get(&levels.unwrap_or_default()).copied()
        });
        let data = scope.data(&parts);
        let mut slice = Self::filled(scope, groups, rests, data, None, whole);
        slice.reference = slice.find_reference(attributes)?;
        Ok(Slice { name: names.join(" & "), attributes: names, missing_rows, ..slice })
    }

    /// The slice by named groups, which may overlap.
    pub fn named(scope: &'a Scope<'a>, rules: &[NamedGroup], whole: (&Group, &'a [Measured])) -> Result<Self> {
        let mut groups = Vec::new();
        let (mut rests, mut rest_strata) = (Vec::new(), Vec::new());
        let mut missing_rows = 0.0f64;
        let mut attributes: Vec<String> = Vec::new();
        let (mut data, mut rest_data) = (Vec::new(), Vec::new());
        for rule in rules {
            let member = rule.look_up(scope.tally.schema())?;
            let [inside, outside, unknown] = scope.tally.split(scope.model, |digits| member.of(digits));
            let parts = Parts::new(2, |digits| Some(usize::from(!member.of(digits)?)));
            let mut of_both = scope.data(&parts).into_iter();
            data.extend(of_both.next());
            rest_data.extend(of_both.next());
            missing_rows = missing_rows.max(unknown.whole.total().rows);
            groups.push((rule.name.clone(), inside));
            rests.push(outside.whole);
            rest_strata.push(Stratified::of_strata(&outside.strata));
            for column in rule.columns() {
                if !attributes.iter().any(|a| a == column) {
                    attributes.push(column.into());
                }
            }
        }
        rest_data.iter_mut().zip(rest_strata).for_each(|(data, strata)| data.strata = strata);
        let slice = Self::filled(scope, groups, rests, data, Some(rest_data), whole);
        Ok(Slice { name: "named groups".into(), attributes, overlapping: true, missing_rows, ..slice })
    }

    fn filled(
        scope: &'a Scope<'a>,
        groups: Vec<(String, Group)>,
        rests: Vec<Counts>,
        mut data: Vec<Data>,
        rest_data: Option<Vec<Data>>,
        whole: (&Group, &'a [Measured]),
    ) -> Self {
        let policy = &scope.plan.policy;
        let all = whole.0.whole.total();
        let complete = groups.len() <= MANY;
        let wanted = |at: usize| complete || LEADING.contains(&scope.figures[at].name());
        let own: Vec<&Counts> = groups.iter().map(|(_, g)| &g.whole).collect();
        for (data, (_, group)) in data.iter_mut().zip(&groups) {
            data.counts = group.whole.clone();
            data.strata = Stratified::of_strata(&group.strata);
        }
        let own_data: Vec<&Data> = data.iter().collect();
        let figures = scope.measure(&own, &own_data, |_| true);
        let mut rest_data = rest_data.unwrap_or_else(|| match complete {
            true => Data::of_others(&own_data),
            false => vec![Data::default(); data.len()],
        });
        for (data, counts) in rest_data.iter_mut().zip(&rests) {
            data.counts = counts.clone();
        }
        let rests_by_ref: Vec<&Counts> = rests.iter().collect();
        let rest = scope.measure(&rests_by_ref, &rest_data.iter().collect::<Vec<_>>(), wanted);
        // Against the whole only rates look at all other rows, and those have closed forms.
        let shares = |at: usize| {
            wanted(at)
                && matches!(scope.figures[at], Figure::Catalog(e) if matches!(e.form, catalog::Form::Share { .. }))
        };
        let known: f64 = own.first().map_or(0.0, |g| g.total().rows) + rests.first().map_or(0.0, |r| r.total().rows);
        let others = if known == all.rows {
            rest.clone()
        } else {
            let others: Vec<Counts> = own.iter().map(|g| whole.0.whole.without(g)).collect();
            scope.measure(&others.iter().collect::<Vec<_>>(), &[], shares)
        };
        let measured = figures.into_iter().zip(rest).zip(others);
        let parts = groups.into_iter().zip(data.into_iter().zip(rest_data)).zip(measured);
        let parts = parts.map(|(((name, group), (data, rest_data)), ((figures, rest), others))| {
            let rows = group.whole.total().rows;
            let too_small = rows < policy.minimum_group_size as f64 || rows < policy.minimum_group_share * all.rows;
            Part { name, group, too_small, figures, rest, others, data, rest_data }
        });
        Slice {
            scope,
            name: String::new(),
            attributes: Vec::new(),
            overlapping: false,
            parts: parts.collect(),
            missing_rows: 0.0,
            reference: None,
            whole: whole.1,
            complete,
        }
    }

    /// The reference group: of those that have the named levels, the one that the rule picks.
    fn find_reference(&self, attributes: &[usize]) -> Result<Option<usize>> {
        let plan = self.scope.plan;
        let schema = self.scope.tally.schema();
        let mut named: Vec<(usize, usize)> = Vec::new();
        for (attribute, level) in &plan.references {
            let Some(place) = attributes.iter().position(|a| schema.attributes[*a].name == *attribute) else {
                continue;
            };
            let levels = &schema.attributes[attributes[place]].levels;
            let found = levels.iter().position(|l| l == level).ok_or_else(|| {
                let context = format!(" of attribute `{attribute}` for the reference group");
                Error::unknown("level", level, context, levels.iter().map(String::as_str))
            })?;
            named.push((place, found));
        }
        let merit = |part: &Part| match plan.reference_rule {
            Reference::Largest => Some(part.group.whole.total().weight),
            Reference::BestOff => {
                let by = self.scope.figure("selection_rate").or(self.scope.figure("base_rate"))?;
                part.figures[by].estimate.value.filter(|_| !part.too_small)
            }
        };
        let fits = |part: &Part| {
            part.group.levels.len() == attributes.len()
                && named.iter().all(|(at, level)| part.group.levels[*at] == *level)
        };
        let candidates = self.parts.iter().enumerate().filter(|(_, p)| fits(p));
        let merits: Vec<(usize, f64)> = candidates.filter_map(|(i, p)| Some((i, merit(p)?))).collect();
        let best = merits.iter().map(|m| m.1).fold(f64::NEG_INFINITY, f64::max);
        // Of equals (whatever rounding makes of them) the first by its levels, in whatever order the attributes are
        // listed.
        let by_name = |part: usize| {
            let levels = &self.parts[part].group.levels;
            let named = attributes.iter().zip(levels).map(|(a, l)| (schema.attributes[*a].name.as_str(), *l));
            let mut key: Vec<(&str, usize)> = named.collect();
            key.sort_unstable();
            key
        };
        let equals = merits.iter().filter(|m| m.1 >= best - 1e-9 * best.abs()).map(|m| m.0);
        Ok(equals.min_by_key(|part| by_name(*part)))
    }

    /// The rows whose group is known; where groups overlap, once for each.
    pub fn batch_rows(&self) -> f64 {
        self.parts.iter().map(|p| p.group.whole.total().rows).sum()
    }

    pub fn reference_name(&self) -> Option<&str> {
        self.reference.map(|r| self.parts[r].name.as_str())
    }

    /// What a comparison is against, as the report names it.
    pub fn against_name(&self, against: Against) -> Cow<'static, str> {
        match against {
            Against::BetweenGroups => "between_groups".into(),
            Against::Rest => "rest".into(),
            Against::Overall => "overall".into(),
            Against::Reference => self.reference_name().map_or("reference".into(), |name| name.to_string().into()),
        }
    }

    /// One group against the reference, the rest or the whole batch.
    pub fn one(
        &self,
        subject: &Subject,
        part: usize,
        against: Against,
        comparison: Comparison,
        level: f64,
    ) -> Compared {
        let undefined =
            |reason| Compared { estimate: Estimate::undefined(reason, Support::default()), ..Compared::default() };
        let mine = &self.parts[part];
        match subject {
            Subject::Figure(at) => match against {
                Against::Reference => match self.reference {
                    Some(reference) => {
                        compare::pair(&mine.figures[*at], &self.parts[reference].figures[*at], comparison, level)
                    }
                    None => undefined(Undefined::NoReference),
                },
                Against::Rest => compare::pair(&mine.figures[*at], &mine.rest[*at], comparison, level),
                // The whole batch makes another list where the group of some rows is not known.
                Against::Overall if self.is_of_the_list(*at) && self.is_part_of_the_batch() => {
                    undefined(Undefined::NotOneList)
                }
                Against::Overall => {
                    compare::with_whole(&mine.figures[*at], &mine.others[*at], &self.whole[*at], comparison, level)
                }
                Against::BetweenGroups => undefined(Undefined::TooFewGroups),
            },
            Subject::Measure(measure) => {
                if self.scope.hides(*measure) {
                    return undefined(Undefined::SelectiveLabels);
                }
                let theirs = match against {
                    Against::Reference => match self.reference {
                        Some(reference) => &self.parts[reference].data,
                        None => return undefined(Undefined::NoReference),
                    },
                    _ => &mine.rest_data,
                };
                measure.of_pair(&mine.data, theirs, &self.scope.outcome, self.scope.confidence(level)).into()
            }
            Subject::Criterion(entry, figures) if entry.conditional => {
                let theirs = match against {
                    Against::Reference => match self.reference {
                        Some(reference) => self.parts[reference].group.strata.clone(),
                        None => return undefined(Undefined::NoReference),
                    },
                    _ => self.other_strata(part),
                };
                if subject.is_disparity_of_shares() {
                    let mut all = theirs;
                    for (stratum, counts) in &mine.group.strata {
                        all.entry(*stratum).or_default().add(counts);
                    }
                    return conditional::demographic_disparity(&mine.group.strata, &all, &self.scope.bootstrap, level);
                }
                match self.scope.figures[figures[0]] {
                    Figure::Catalog(metric) => {
                        conditional::pair(metric, &mine.group.strata, &theirs, comparison, level)
                    }
                    Figure::Custom(_) | Figure::Measure(_) => undefined(Undefined::NoOverlap),
                }
            }
            Subject::Criterion(entry, figures) if entry.join == Join::Single => {
                self.one(&Subject::Figure(figures[0]), part, against, comparison, level)
            }
            Subject::Criterion(entry, figures) => {
                let each = sidak_level(level, figures.len());
                let parts: Vec<Compared> =
                    figures.iter().map(|f| self.one(&Subject::Figure(*f), part, against, comparison, each)).collect();
                compare::join(&parts, comparison, entry.join == Join::Worst)
            }
        }
    }

    fn is_of_the_list(&self, figure: usize) -> bool {
        matches!(self.scope.figures[figure], Figure::Measure(MeasureRef::Rank(_)))
    }

    /// Whether some rows of the batch are in no group.
    fn is_part_of_the_batch(&self) -> bool {
        self.missing_rows > 0.0 && !self.scope.plan.missing_as_group
    }

    /// The strata of all rows of the other known groups.
    fn other_strata(&self, part: usize) -> BTreeMap<u64, Counts> {
        let mut all: BTreeMap<u64, Counts> = BTreeMap::new();
        for other in self.parts.iter().enumerate().filter(|(i, _)| *i != part).map(|(_, p)| p) {
            for (stratum, counts) in &other.group.strata {
                all.entry(*stratum).or_default().add(counts);
            }
        }
        all
    }

    /// All groups with each other: the worst case.
    pub fn between(&self, subject: &Subject, comparison: Comparison, level: f64) -> Between {
        match subject {
            Subject::Figure(at) => self.between_by(comparison, level, |p| p.figures.get(*at)),
            Subject::Measure(measure) => self.between_by_measure(*measure, level),
            Subject::Criterion(entry, figures) if entry.conditional => {
                self.between_strata(figures[0], comparison, level)
            }
            Subject::Criterion(entry, figures) if entry.join == Join::Single => {
                self.between(&Subject::Figure(figures[0]), comparison, level)
            }
            Subject::Criterion(entry, figures) => {
                let each = sidak_level(level, figures.len());
                let parts: Vec<Between> =
                    figures.iter().map(|f| self.between(&Subject::Figure(*f), comparison, each)).collect();
                let mut joined = Between {
                    unjudged: parts.iter().any(|p| p.unjudged),
                    all_small: parts.iter().any(|p| p.all_small),
                    ..Between::default()
                };
                let compared: Vec<Compared> = parts.iter().map(|p| p.compared.clone()).collect();
                joined.compared = compare::join(&compared, comparison, entry.join == Join::Worst);
                let mut seen = HashSet::new();
                let left_out = parts.into_iter().flat_map(|p| p.left_out);
                joined.left_out = left_out.filter(|left| seen.insert(left.clone())).collect();
                joined
            }
        }
    }

    /// The worst case over the parts, by the figure that `pick` takes from each.
    pub fn between_by<'s>(
        &'s self,
        comparison: Comparison,
        level: f64,
        pick: impl Fn(&'s Part) -> Option<&'s Measured>,
    ) -> Between {
        let mut found = Between::default();
        let taking = |small: bool| -> Vec<usize> {
            let takes = |p: &'s Part| {
                let hidden =
                    |m: &&Measured| m.estimate.value.is_some() || m.estimate.reason == Some(Undefined::SelectiveLabels);
                (small || !p.too_small) && pick(p).filter(hidden).is_some()
            };
            (0..self.parts.len()).filter(|i| takes(&self.parts[*i])).collect()
        };
        let mut taken = taking(false);
        if taken.len() < 2 {
            let all = taking(true);
            found.all_small = all.len() > taken.len();
            taken = all;
        }
        for (i, part) in self.parts.iter().enumerate().filter(|(i, _)| taken.binary_search(i).is_err()) {
            let small = part.too_small && !found.all_small;
            let reason = match pick(part).and_then(|m| m.estimate.reason) {
                Some(reason) if !small => reason.to_string(),
                _ => format!("too small to judge: {} rows", part.group.whole.total().rows.round()),
            };
            found.unjudged |= !small;
            found.left_out.push(LeftOut { group: self.parts[i].name.clone(), reason });
        }
        let measured: Vec<&Measured> = taken.iter().filter_map(|i| pick(&self.parts[*i])).collect();
        found.compared = compare::worst_case(&measured, comparison, level);
        found.compared.extremes = found.compared.extremes.map(|(h, l)| (taken[h], taken[l]));
        found
    }

    /// The groups that are large enough to compare, or all where fewer than two are.
    fn large_enough(&self) -> (Between, Vec<usize>) {
        let mut found = Between::default();
        let mut taken: Vec<usize> = (0..self.parts.len()).filter(|i| !self.parts[*i].too_small).collect();
        if taken.len() < 2 {
            found.all_small = taken.len() < self.parts.len();
            taken = (0..self.parts.len()).collect();
        }
        for part in self.parts.iter().enumerate().filter(|(i, _)| taken.binary_search(i).is_err()).map(|(_, p)| p) {
            let reason = format!("too small to judge: {} rows", part.group.whole.total().rows.round());
            found.left_out.push(LeftOut { group: part.name.clone(), reason });
        }
        (found, taken)
    }

    /// All groups by a measure of pairs (the worst of them) or of the whole table.
    fn between_by_measure(&self, measure: MeasureRef, level: f64) -> Between {
        let (mut found, taken) = self.large_enough();
        let undefined =
            |reason| Compared { estimate: Estimate::undefined(reason, Support::default()), ..Compared::default() };
        if self.scope.hides(measure) {
            found.compared = undefined(Undefined::SelectiveLabels);
            return found;
        }
        let data: Vec<&Data> = taken.iter().map(|i| &self.parts[*i].data).collect();
        let confidence = self.scope.confidence(level);
        found.compared = match measure.entry().of {
            Of::Pair if taken.len() > MANY_FOR_MEASURES => undefined(Undefined::TooManyGroups),
            Of::Pair => measure.worst_pair(&data, &self.scope.outcome, confidence),
            _ => measure.of_table(&data, &self.scope.outcome, confidence).into(),
        };
        found.compared.extremes = found.compared.extremes.map(|(h, l)| (taken[h], taken[l]));
        found
    }

    fn between_strata(&self, figure: usize, comparison: Comparison, level: f64) -> Between {
        let (mut found, taken) = self.large_enough();
        let Figure::Catalog(metric) = self.scope.figures[figure] else { return found };
        if taken.len() > MANY_FOR_PAIRS {
            found.compared.estimate = Estimate::undefined(Undefined::TooManyGroups, Support::default());
            return found;
        }
        let strata: Vec<&BTreeMap<u64, Counts>> = taken.iter().map(|i| &self.parts[*i].group.strata).collect();
        found.compared = conditional::worst_case(metric, &strata, comparison, level);
        found.compared.extremes = found.compared.extremes.map(|(h, l)| (taken[h], taken[l]));
        found
    }
}
