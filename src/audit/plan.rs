//! What to look at: the settings of an audit and its one entry point.

use std::fmt;
use std::sync::Arc;

use super::{Against, Comparison, Criterion, NamedGroup, Policy, evaluate};
use crate::data::{Batch, Columns};
use crate::error::{Error, Result};
use crate::metrics::{Of, catalog};
use crate::report::Report;
use crate::tally::{Counts, Limits, Tally};

/// Which group the others are compared with, where none is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Reference {
    /// The one with the most weight.
    #[default]
    Largest,
    /// The one with the highest selection rate (base rate, where there are no decisions).
    BestOff,
}

/// A figure of the user's own: a function of a group's cells.
#[derive(Clone)]
pub struct CustomMetric {
    /// The name it goes by in the report and the policy.
    pub name: String,
    /// The figure, `None` where it is undefined. Weights are in the cells; it is also called on resampled cells.
    #[allow(clippy::type_complexity)]
    pub of: Arc<dyn Fn(&Counts) -> Option<f64> + Send + Sync>,
}

impl fmt::Debug for CustomMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomMetric").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An audit: what to look at, and by which policy to judge it.
///
/// # Examples
/// ```
/// use evenhand::audit::{AuditPlan, Policy, Verdict};
/// use evenhand::data::{Batch, Categorical};
///
/// let sex: Vec<&str> = (0..1000).map(|i| if i % 2 == 0 { "female" } else { "male" }).collect();
/// let targeted: Vec<bool> = (0..1000).map(|i| i % 2 == 1 && i % 3 == 0 || i % 10 == 0).collect();
/// let batch = Batch::builder().attribute(Categorical::from_values("sex", &sex)).decision(&targeted).build()?;
///
/// let report = AuditPlan::new().policy(Policy::preset("four-fifths")?).run(&batch)?;
/// assert_eq!(report.metric("selection_rate")?.group("female")?.value(), Ok(0.2));
/// assert_eq!(report.verdict, Verdict::Fail);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct AuditPlan {
    pub(crate) columns: Columns,
    pub(crate) attributes: Option<Vec<String>>,
    pub(crate) groups: Vec<NamedGroup>,
    pub(crate) order: usize,
    pub(crate) policy: Policy,
    pub(crate) references: Vec<(String, String)>,
    pub(crate) reference_rule: Reference,
    pub(crate) missing_as_group: bool,
    pub(crate) custom: Vec<CustomMetric>,
    pub(crate) seed: u64,
    pub(crate) replicates: usize,
    pub(crate) curves: usize,
    pub(crate) limits: Limits,
    pub(crate) memory: Option<u64>,
    pub(crate) command: Option<String>,
    pub(crate) created: Option<String>,
}

impl Default for AuditPlan {
    fn default() -> Self {
        AuditPlan {
            columns: Columns::new(),
            attributes: None,
            groups: Vec::new(),
            order: 2,
            policy: Policy::default(),
            references: Vec::new(),
            reference_rule: Reference::Largest,
            missing_as_group: false,
            custom: Vec::new(),
            seed: 0,
            replicates: 1000,
            curves: 0,
            limits: Limits::default(),
            memory: None,
            command: None,
            created: None,
        }
    }
}

/// The least memory that an audit can be held to: that of reading and counting.
const AT_LEAST: u64 = 256_000_000;
/// What a distinct score takes in the tally while it is made, in bytes.
const IN_TALLY: usize = 100;
/// What it takes in the audit of one set of attributes.
const IN_AUDIT: usize = 100;

impl AuditPlan {
    /// All attributes and their pairs, no criteria, 95 % confidence, 1,000 replicates, seed 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the columns of a file and their parts. A batch in memory has its own.
    pub fn columns(mut self, columns: Columns) -> Self {
        self.columns = columns;
        self
    }

    /// Audits only these attributes of a batch or tally, in this order; all where not called.
    pub fn attributes<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.attributes = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Adds a group defined by a rule.
    pub fn group(mut self, group: NamedGroup) -> Self {
        self.groups.push(group);
        self
    }

    /// Up to how many attributes are crossed: 1 for none, 2 (the default) for all pairs.
    pub fn order(mut self, order: usize) -> Self {
        self.order = order;
        self
    }

    /// Sets the criteria and how they are judged.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Names the reference group of an attribute. In an intersection the reference is the combination of
    /// the named ones.
    pub fn reference(mut self, attribute: impl Into<String>, level: impl Into<String>) -> Self {
        self.references.push((attribute.into(), level.into()));
        self
    }

    /// How the reference group is found where none is named.
    pub fn reference_rule(mut self, rule: Reference) -> Self {
        self.reference_rule = rule;
        self
    }

    /// Treats the rows whose level is missing as a group, named `missing`.
    pub fn missing_as_group(mut self, yes: bool) -> Self {
        self.missing_as_group = yes;
        self
    }

    /// Adds a metric of your own: it is computed for every group, compared and bootstrapped as those of
    /// the catalog.
    ///
    /// # Examples
    /// ```
    /// use evenhand::audit::AuditPlan;
    /// use evenhand::data::{Batch, Categorical};
    /// // What a campaign earns per person: 10 for a response, 1 spent on each offer.
    /// let plan = AuditPlan::new().metric("profit", |cells| {
    ///     let people = cells.total().weight;
    ///     (people > 0.0).then(|| (10.0 * cells.tp().weight - cells.selected().weight) / people)
    /// });
    /// let group = Categorical::from_values("g", ["a", "a", "b", "b"]);
    /// let batch = Batch::builder().attribute(group).label([1, 0, 1, 1]).decision([1, 1, 0, 1]).build()?;
    /// assert_eq!(plan.run(&batch)?.metric("profit")?.group("a")?.value(), Ok(4.0));
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn metric(
        mut self,
        name: impl Into<String>,
        of: impl Fn(&Counts) -> Option<f64> + Send + Sync + 'static,
    ) -> Self {
        self.custom.push(CustomMetric { name: name.into(), of: Arc::new(of) });
        self
    }

    /// The seed of everything random: equal seeds give equal reports.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How many replicates the bootstrap makes.
    pub fn replicates(mut self, replicates: usize) -> Self {
        self.replicates = replicates;
        self
    }

    /// Adds to the table of each attribute of a scored model what would be at other thresholds and budgets, at up to so many
    /// points of each (1,000 at most); 0, the default, adds nothing. 20 to 100 points show the course of a curve; each takes
    /// some kilobytes of the report.
    ///
    /// # Examples
    /// ```
    /// use evenhand::audit::AuditPlan;
    /// use evenhand::data::{Batch, Categorical};
    /// let sex: Vec<&str> = (0..40).map(|i| if i % 2 == 0 { "female" } else { "male" }).collect();
    /// let scores: Vec<f64> = (0..40).map(|i| f64::from(i) / 40.0).collect();
    /// let batch = Batch::builder().attribute(Categorical::from_values("sex", &sex)).score(&scores).build()?;
    /// let report = AuditPlan::new().curves(20).run(&batch)?;
    /// let curves = report.models[0].table("sex")?.curves.as_ref().expect("there are scores");
    /// assert_eq!((curves.groups.len(), curves.budgets.len(), curves.distinct_scores), (2, 20, 40));
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn curves(mut self, points: usize) -> Self {
        self.curves = points;
        self
    }

    /// How large the tally may become.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How much memory the audit of files may take, in bytes; at least 256 million. What grows with the rows are scores:
    /// where there are more distinct ones than fit, they lose their last digits, and the report says by how much that can
    /// change a figure. The best so many of the scores, and bands by quantiles, still take 16 bytes a row.
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// The limits for so many attributes and columns of scores.
    pub(crate) fn limits_of(&self, attributes: usize, scores: usize) -> Limits {
        let Some(memory) = self.memory else { return self.limits };
        // Every set of attributes up to the order is audited by a copy of the scores.
        let (mut sets, mut of_size) = (usize::from(!self.groups.is_empty()), 1usize);
        for size in 1..=self.order.min(attributes) {
            of_size = of_size.saturating_mul(attributes + 1 - size) / size;
            sets = sets.saturating_add(of_size);
        }
        let each =
            (sets.saturating_add(1)).saturating_mul(IN_AUDIT).saturating_add(IN_TALLY).saturating_mul(scores.max(1));
        let room = memory.saturating_sub(AT_LEAST / 2) / each as u64;
        let most = usize::try_from(room).unwrap_or(usize::MAX).max(1);
        Limits { max_scores: self.limits.max_scores.min(most), ..self.limits }
    }

    /// The command that runs the audit, for the report.
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }

    /// The time of the audit, for the report: RFC 3339, UTC.
    pub fn created(mut self, time: impl Into<String>) -> Self {
        self.created = Some(time.into());
        self
    }

    /// Counts a batch, to be merged with others and evaluated later.
    ///
    /// # Errors
    /// [`Error::TooManyCells`].
    pub fn tally(&self, batch: &Batch) -> Result<Tally> {
        Tally::with_limits(batch, self.limits_of(batch.attributes().len(), batch.models.len()))
    }

    /// Audits a batch.
    ///
    /// # Errors
    /// As [`tally`](Self::tally) and [`evaluate`](Self::evaluate).
    pub fn run(&self, batch: &Batch) -> Result<Report> {
        self.evaluate(&self.tally(batch)?)
    }

    /// Audits what was counted.
    ///
    /// # Errors
    /// [`Error::Unknown`] for an attribute, level or metric that is not there, [`Error::BadSetting`],
    /// [`Error::Nothing`] without an attribute.
    pub fn evaluate(&self, tally: &Tally) -> Result<Report> {
        self.check()?;
        evaluate::evaluate(self, tally, Vec::new())
    }

    pub(crate) fn check(&self) -> Result<()> {
        self.policy.check()?;
        if self.order == 0 {
            return Err(Error::setting("the order of intersections", 0, "1 for single attributes, 2 for pairs, ..."));
        }
        if !(10..=1_000_000).contains(&self.replicates) {
            return Err(Error::setting("the number of replicates", self.replicates, "from 10 to 1,000,000"));
        }
        if let Some(memory) = self.memory.filter(|memory| *memory < AT_LEAST) {
            return Err(Error::setting("the memory", format!("{memory} bytes"), "at least 256 million"));
        }
        if self.curves > 1000 {
            return Err(Error::setting("the points of curves", self.curves, "at most 1,000"));
        }
        for custom in &self.custom {
            if catalog::names().any(|n| n == custom.name) {
                return Err(Error::Duplicate { name: custom.name.clone() });
            }
        }
        for criterion in &self.policy.criteria {
            self.check_metric(criterion)?;
        }
        crate::data::unique(&self.custom.iter().map(|c| c.name.as_str()).collect::<Vec<_>>())?;
        crate::data::unique(&self.groups.iter().map(|g| g.name.as_str()).collect::<Vec<_>>())
    }

    /// Fails on a metric that there is not, or not in that form: before the rows are read.
    fn check_metric(&self, criterion: &Criterion) -> Result<()> {
        let name = criterion.metric.as_str();
        let mut known: Vec<&str> = catalog::names().collect();
        known.extend(self.custom.iter().map(|c| c.name.as_str()));
        if !known.contains(&name) {
            let context = format!(" in the policy `{}`", self.policy.name);
            return Err(Error::unknown("metric", name, context, known));
        }
        let setting = format!("the criterion `{name}`");
        let by_itself = catalog::measure(name).is_some_and(|e| e.of != Of::Group);
        if by_itself != (criterion.comparison == Comparison::Value) {
            let expected = match by_itself {
                true => "`comparison = \"value\"`: it compares groups by itself",
                false => "`comparison = \"difference\"` or `\"ratio\"`: it is of one group",
            };
            return Err(Error::setting(&setting, format!("asked for as a {}", criterion.comparison), expected));
        }
        let Some(entry) = catalog::criterion_entry(name) else { return Ok(()) };
        let has_form = if criterion.comparison == Comparison::Difference { entry.difference } else { entry.ratio };
        if !has_form {
            let other = if entry.difference { "difference" } else { "ratio" };
            let expected = format!("`comparison = \"{other}\"`, its only form");
            return Err(Error::setting(&setting, format!("asked for as a {}", criterion.comparison), expected));
        }
        if entry.name == "conditional_demographic_disparity" && criterion.against != Against::Rest {
            let expected = "`against = \"rest\"`: it is of one group at a time";
            return Err(Error::setting(&setting, "compared otherwise", expected));
        }
        Ok(())
    }
}
