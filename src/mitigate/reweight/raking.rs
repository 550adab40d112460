//! Raking: weights that give the rows the margins of an audience.

use serde::{Deserialize, Serialize};

use super::Diagnostics;
use super::cells::labels_of;
use crate::data::{Batch, POSITIVE, UNKNOWN};
use crate::mitigate::groups::{Groups, MISSING, NEW, group_of_row};
use crate::tally::Cell;
use crate::{Error, Place, Result};

/// How near every margin is brought, relative to what is wanted.
const TOLERANCE: f64 = 1e-10;
/// Rounds after which margins that are not near are taken for ones that cannot be had together.
const ROUNDS: usize = 20_000;
/// How far wanted shares may be from adding up to 1.
const SUM: f64 = 1e-6;
/// What a margin of the label is called.
const LABEL: &str = "label";

/// The shares that the levels of one column, or the combinations of several, are to have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Margin {
    /// Attributes or strata; none for the label.
    columns: Vec<String>,
    /// Levels (joined by ` & `) and their shares of the weight.
    shares: Vec<(String, f64)>,
}

impl Margin {
    fn name(&self) -> String {
        if self.columns.is_empty() { LABEL.into() } else { self.columns.join(" & ") }
    }
}

/// Weighs rows until several margins have the shares that are wanted, changing as little else as can be.
///
/// One margin after the other is scaled to its shares, round after round (iterative proportional fitting). Of all weights with
/// these margins it finds those nearest to the weights that rows had, in the sense of Kullback and Leibler; within a
/// combination of levels nothing changes. Rows that lack a level of any margin keep their weight, and are counted.
///
/// # References
/// Deming, Stephan (1940), On a least squares adjustment of a sampled frequency table when the expected marginal totals are
/// known, Annals of Mathematical Statistics 11; Csiszár (1975), I-divergence geometry of probability distributions and
/// minimization problems, Annals of Probability 3.
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical};
/// use evenhand::mitigate::reweight::Rake;
/// let batch = Batch::builder()
///     .attribute(Categorical::from_values("sex", ["f", "f", "m", "m", "m"]))
///     .attribute(Categorical::from_values("age", ["old", "young", "old", "young", "young"]))
///     .label([0, 1, 0, 1, 1])
///     .build()?;
/// let fitted = Rake::new()
///     .margin(["sex"], [("f", 0.5), ("m", 0.5)])
///     .margin(["age"], [("old", 0.3), ("young", 0.7)])
///     .fit(&batch)?;
/// let weights = fitted.weights(&batch)?;
/// let women: f64 = weights[..2].iter().sum();
/// assert!((women / weights.iter().sum::<f64>() - 0.5).abs() < 1e-9);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rake {
    margins: Vec<Margin>,
}

/// A level of a margin: its share wanted, before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RakedShare {
    /// The columns of the margin, joined by ` & `.
    pub margin: String,
    /// The level of each, joined by ` & `.
    pub level: String,
    /// The share that it was to have.
    pub wanted: f64,
    /// The share that it had.
    pub before: f64,
    /// The share that it has.
    pub after: f64,
}

/// The factor of every combination of levels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RakedWeights {
    /// The attributes and strata of the margins.
    pub columns: Vec<String>,
    /// Whether the label is a margin.
    pub by_label: bool,
    /// Combinations of levels (of the columns, then of the label as `1` or `0`) and their factors.
    pub factors: Vec<(Vec<String>, f64)>,
    /// The margins.
    pub shares: Vec<RakedShare>,
    /// Rows left as they are, because a level or the label is not known.
    pub left_alone: u64,
    /// Rounds that it took.
    pub rounds: usize,
    /// What the weights of the other rows cost.
    pub diagnostics: Diagnostics,
}

/// A combination of levels with rows.
struct Joint {
    group: usize,
    label: usize,
    cell: Cell,
}

impl Rake {
    /// No margin yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Wants these shares (of the weight of rows whose levels are known, from 0 to 1, adding up to 1) of the levels of an
    /// attribute or stratum, or of the combinations of several, their levels joined by ` & `.
    #[must_use]
    pub fn margin<C: Into<String>, L: Into<String>>(
        mut self,
        columns: impl IntoIterator<Item = C>,
        shares: impl IntoIterator<Item = (L, f64)>,
    ) -> Self {
        let columns = columns.into_iter().map(Into::into).collect();
        let shares = shares.into_iter().map(|(level, share)| (level.into(), share)).collect();
        self.margins.push(Margin { columns, shares });
        self
    }

    /// Wants this share of favourable labels, in [0, 1].
    #[must_use]
    pub fn favorable(self, share: f64) -> Self {
        self.margin([] as [&str; 0], [("1", share), ("0", 1.0 - share)])
    }

    /// Finds the factor of every combination of levels, in passes over the combinations alone.
    ///
    /// # Errors
    /// [`Error::BadSetting`] for shares out of range or that do not add up to 1; [`Error::Unknown`] for a level that no row
    /// has; [`Error::Infeasible`] naming a level with rows but no wanted share, one that is wanted but has no weight, or the
    /// margins that cannot be had together; [`Error::MissingColumn`], [`Error::Nothing`], [`Error::TooManyCells`].
    pub fn fit(&self, batch: &Batch) -> Result<RakedWeights> {
        let nothing = |problem| Error::Nothing { problem, place: Place::default() };
        if self.margins.is_empty() {
            return Err(nothing("raking needs a margin; give the shares of an attribute's levels"));
        }
        let mut columns: Vec<String> = Vec::new();
        for name in self.margins.iter().flat_map(|m| &m.columns) {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
        let by_label = self.margins.iter().any(|m| m.columns.is_empty());
        let joints = joints(batch, &columns, by_label)?;
        let whole: f64 = joints.cells.iter().map(|j| j.cell.weight).sum();
        if whole <= 0.0 {
            return Err(nothing("no row with all levels known has a weight"));
        }
        let wanted = self.margins.iter().map(|m| Wanted::of(m, &columns, &joints)).collect::<Result<Vec<_>>>()?;
        let mut factors = vec![1.0; joints.cells.len()];
        let rounds = rake(&joints.cells, &wanted, whole, &mut factors)?;
        let shares = wanted.iter().flat_map(|w| w.told(&joints.cells, &factors, whole)).collect();
        let told = joints.cells.iter().zip(&factors).map(|(joint, factor)| {
            let label = by_label.then(|| joint.label.to_string());
            let levels = joints.levels.get(joint.group).into_iter().flatten().cloned();
            (levels.chain(label).collect(), *factor)
        });
        let known: f64 = joints.cells.iter().map(|j| j.cell.rows).sum();
        Ok(RakedWeights {
            by_label,
            factors: told.collect(),
            shares,
            left_alone: batch.rows() as u64 - known as u64,
            rounds,
            diagnostics: Diagnostics::of_cells(joints.cells.iter().zip(&factors).map(|(j, f)| (j.cell, *f))),
            columns,
        })
    }
}

impl RakedWeights {
    /// The weight of each row of a batch: its factor times the weight that it has. Rows of which a level or the label is not
    /// known keep theirs.
    ///
    /// # Errors
    /// [`Error::MissingColumn`], [`Error::Nothing`] without a label that is a margin, [`Error::Unknown`] naming a
    /// combination of levels that was not met when it was fitted.
    pub fn weights(&self, batch: &Batch) -> Result<Vec<f64>> {
        let labels = labels(batch, self.by_label)?;
        let width = self.columns.len();
        let mut levels: Vec<Vec<String>> = Vec::new();
        let mut factors: Vec<[f64; 2]> = Vec::new();
        for (names, factor) in &self.factors {
            if levels.last().is_none_or(|last| last[..] != names[..width]) {
                levels.push(names[..width].to_vec());
                factors.push([f64::NAN; 2]);
            }
            if let Some(last) = factors.last_mut() {
                match names.get(width) {
                    Some(label) => last[usize::from(label == "1")] = *factor,
                    None => *last = [*factor; 2],
                }
            }
        }
        let groups = match width {
            0 => vec![0; batch.rows()],
            _ => Groups::matching(&self.columns, &levels, batch)?,
        };
        let given = batch.weight.as_ref().map(|w| &w.values[..]);
        let mut weights = Vec::with_capacity(batch.rows());
        for (row, group) in groups.iter().enumerate() {
            let label = labels.map_or(0, |labels| labels[row]);
            let factor = match *group {
                MISSING => 1.0,
                _ if label == UNKNOWN => 1.0,
                NEW => f64::NAN,
                group => factors[group as usize][usize::from(label)],
            };
            let weight = given.map_or(1.0, |g| g[row]);
            weights.push(if weight == 0.0 { 0.0 } else { factor * weight });
        }
        match weights.iter().position(|w| w.is_nan()) {
            None => Ok(weights),
            Some(row) => {
                let group = group_of_row(batch, &self.columns, row);
                let context = format!(" in row {} among those that weights were fitted on", row + 1);
                let known: Vec<String> = levels.iter().map(|l| l.join(" & ")).collect();
                Err(Error::unknown("combination of levels", &group, context, known.iter().map(String::as_str)))
            }
        }
    }
}

/// The label of each row, where it is a margin.
fn labels<'b>(batch: &'b Batch<'b>, by_label: bool) -> Result<Option<&'b [u8]>> {
    by_label.then(|| labels_of(batch).map(|labels| labels.codes())).transpose()
}

/// The combinations of levels that have rows.
struct Joints {
    levels: Vec<Vec<String>>,
    cells: Vec<Joint>,
}

fn joints(batch: &Batch, columns: &[String], by_label: bool) -> Result<Joints> {
    let labels = labels(batch, by_label)?;
    let (levels, of_row) = if columns.is_empty() {
        (vec![Vec::new()], vec![0; batch.rows()])
    } else {
        let groups = Groups::of(batch, columns)?;
        (groups.levels, groups.of_row)
    };
    let weights = batch.weight.as_ref().map(|w| &w.values[..]);
    let mut counted = vec![[Cell::default(); 2]; levels.len()];
    for (row, group) in of_row.iter().enumerate() {
        let label = labels.map_or(0, |labels| labels[row]);
        if *group != MISSING && label != UNKNOWN {
            let weight = weights.map_or(1.0, |w| w[row]);
            let cell = &mut counted[*group as usize][usize::from(label == POSITIVE)];
            cell.rows += 1.0;
            cell.weight += weight;
            cell.weight_squared += weight * weight;
        }
    }
    let mut cells = Vec::new();
    for (group, by_label) in counted.into_iter().enumerate() {
        for (label, cell) in by_label.into_iter().enumerate().filter(|(_, cell)| cell.rows > 0.0) {
            cells.push(Joint { group, label, cell });
        }
    }
    Ok(Joints { levels, cells })
}

/// A margin, its levels numbered.
struct Wanted {
    name: String,
    levels: Vec<String>,
    /// The share that each level is to have.
    shares: Vec<f64>,
    /// The level of each combination.
    of_joint: Vec<usize>,
}

impl Wanted {
    fn of(margin: &Margin, columns: &[String], joints: &Joints) -> Result<Self> {
        let name = margin.name();
        let asked = format!("the shares of `{name}`");
        let sum: f64 = margin.shares.iter().map(|(_, share)| share).sum();
        if let Some((level, share)) = margin.shares.iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
            return Err(Error::setting(&format!("the share of `{level}` of `{name}`"), share, "a number from 0 to 1"));
        }
        if (sum - 1.0).abs() > SUM {
            return Err(Error::setting(&format!("the sum of {asked}"), sum, "1: give a share to every level"));
        }
        let at: Vec<usize> = margin.columns.iter().filter_map(|c| columns.iter().position(|own| own == c)).collect();
        let level_of = |joint: &Joint| match at.is_empty() {
            true => joint.label.to_string(),
            false => at.iter().map(|at| joints.levels[joint.group][*at].as_str()).collect::<Vec<_>>().join(" & "),
        };
        let levels: Vec<String> = margin.shares.iter().map(|(level, _)| level.clone()).collect();
        let mut weight = vec![0.0; levels.len()];
        let mut met = vec![false; levels.len()];
        let mut of_joint = Vec::with_capacity(joints.cells.len());
        for joint in &joints.cells {
            let level = level_of(joint);
            let Some(at) = levels.iter().position(|l| *l == level) else {
                return Err(Error::Infeasible {
                    asked,
                    problem: format!("`{level}` has rows, and no share is asked for it"),
                    remedy: "give every level a share, 0 to leave its rows out".into(),
                });
            };
            met[at] = true;
            weight[at] += joint.cell.weight;
            of_joint.push(at);
        }
        for (at, level) in levels.iter().enumerate() {
            if margin.shares[at].1 > 0.0 && weight[at] <= 0.0 {
                let rows = if met[at] { "has no weight" } else { "has no rows" };
                return Err(Error::Infeasible {
                    asked,
                    problem: format!("`{level}` is to have a share of {} and {rows}", margin.shares[at].1),
                    remedy: "merge it with another level, ask for 0, or add rows".into(),
                });
            }
        }
        let shares = margin.shares.iter().map(|(_, share)| share / sum).collect();
        Ok(Wanted { name, levels, shares, of_joint })
    }

    /// The share of each level.
    fn sums(&self, joints: &[Joint], factors: &[f64], whole: f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.levels.len()];
        for ((joint, factor), level) in joints.iter().zip(factors).zip(&self.of_joint) {
            sums[*level] += factor * joint.cell.weight / whole;
        }
        sums
    }

    fn told(&self, joints: &[Joint], factors: &[f64], whole: f64) -> Vec<RakedShare> {
        let before = self.sums(joints, &vec![1.0; joints.len()], whole);
        let after = self.sums(joints, factors, whole);
        let share = |at: usize| RakedShare {
            margin: self.name.clone(),
            level: self.levels[at].clone(),
            wanted: self.shares[at],
            before: before[at],
            after: after[at],
        };
        (0..self.levels.len()).map(share).collect()
    }
}

/// Scales margin after margin; answers the rounds it took.
fn rake(joints: &[Joint], wanted: &[Wanted], whole: f64, factors: &mut [f64]) -> Result<usize> {
    for round in 0..ROUNDS {
        let mut worst: Option<(f64, &Wanted, usize, f64)> = None;
        for margin in wanted {
            let sums = margin.sums(joints, factors, whole);
            for (at, (sum, share)) in sums.iter().zip(&margin.shares).enumerate() {
                let miss = if *share > 0.0 { (sum / share - 1.0).abs() } else { *sum };
                if worst.as_ref().is_none_or(|w| miss > w.0) {
                    worst = Some((miss, margin, at, *sum));
                }
            }
            let scale: Vec<f64> = sums
                .iter()
                .zip(&margin.shares)
                .map(|(sum, share)| if *sum > 0.0 { share / sum } else { 0.0 })
                .collect();
            for (factor, level) in factors.iter_mut().zip(&margin.of_joint) {
                *factor *= scale[*level];
            }
        }
        match worst {
            Some((miss, margin, at, sum)) if round + 1 == ROUNDS || !miss.is_finite() => {
                let others: Vec<&str> = wanted.iter().map(|w| w.name.as_str()).collect();
                return Err(Error::Infeasible {
                    asked: format!("the margins of {}", others.join(" and ")),
                    problem: format!(
                        "`{}` of `{}` is to have {} of the weight and stays at {sum:.6}, for want of rows in combinations \
                         that would be needed",
                        margin.levels[at], margin.name, margin.shares[at]
                    ),
                    remedy: "merge levels, or ask for shares nearer to those of the rows".into(),
                });
            }
            Some((miss, ..)) if miss > TOLERANCE => {}
            _ => return Ok(round),
        }
    }
    Ok(ROUNDS)
}
