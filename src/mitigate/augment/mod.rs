//! New rows for groups and labels of which there are few, beside the rows that there are.
//!
//! | method | a new row is | takes |
//! |---|---|---|
//! | [`Augment::smote`] | between a row and one of its nearest in the same cell | numbers; levels from either row |
//! | [`Augment::smote_nc`] | the same, levels by vote of the nearest | numbers and levels |
//! | [`Augment::fair_smote`] | a row changed by the difference of two of its nearest | numbers and levels |
//! | [`Augment::mixup`] | between two rows of one label and different groups | numbers; levels from either row |
//! | [`Augment::copula`] | drawn from a model of its cell | numbers and levels |
//! | [`Augment::oversample`], [`undersample`](Augment::undersample), [`resample`](Augment::resample) | a copy; or rows are taken away | anything |
//! | [`Counterfactual`] | a row with its attribute exchanged | anything |
//!
//! A *cell* is a group with a label. Columns that are named as an attribute of the batch, as the
//! [label column](Augment::label_column) or as [carried](Augment::carry) go with the row that a new one is made from, and so
//! stay in step with its cell; all others are features. Whole numbers stay whole, and no number leaves the range of the
//! rows it is made from.
//!
//! Augment only the rows that a model is trained on, after they were split off: a row made from a held-out one tells the
//! model its answer. New rows hold no new information about a small group, in many dimensions much of SMOTE is noise, and a
//! [`Fidelity`] report says how near to real people they are. Weights by [`reweight`](super::reweight) are what they have
//! to beat.

mod cells;
mod copula;
mod counterfactual;
mod crossover;
mod fidelity;
mod frame;
mod made;
mod mixup;
mod neighbors;
mod pairs;
mod resample;
mod rough;
mod smote;
mod target;
#[cfg(test)]
mod tests;

pub use counterfactual::{Counterfactual, Exchange};
pub use fidelity::{ColumnFidelity, Distance, Fidelity, NearestDistances};
pub use made::{Augmented, AugmentedArray, AugmentedCell, Origin, Record};
pub use target::Target;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use crate::data::{Batch, Table};
use crate::{Error, Result};
use cells::{Cells, Layout, complete};
use frame::Frame;
use made::Made;
use target::{Direction, wanted};

/// How new rows are made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Method {
    /// See [`Augment::smote`].
    Smote,
    /// See [`Augment::smote_nc`].
    SmoteNc,
    /// See [`Augment::fair_smote`].
    FairSmote,
    /// See [`Augment::mixup`].
    Mixup {
        /// Both parameters of the Beta distribution of the shares.
        alpha: f64,
    },
    /// See [`Augment::copula`].
    Copula,
    /// See [`Augment::oversample`].
    Oversample,
    /// See [`Augment::undersample`].
    Undersample,
    /// See [`Augment::resample`].
    Resample,
    /// See [`Counterfactual`].
    Counterfactual,
}

/// What is done about a cell that has one row where a method needs two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Lone {
    /// An error names the cell.
    #[default]
    Refuse,
    /// The row is copied.
    Copy,
}

/// Adds rows to cells of group and label, or takes rows away, until each has its [`Target`].
///
/// Only rows of known group and label count and are made use of; the others are kept as they are. With the same seed the
/// result is the same on any number of threads. In another order of the rows other rows are drawn, by the same law: counts,
/// the rows that a new one can be made from and the distribution of what is made from them do not depend on the order (but
/// for which of several neighbours at exactly the same distance are the nearest).
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical, Column, Table};
/// use evenhand::mitigate::augment::{Augment, Origin, Target};
/// let sex = Categorical::from_values("sex", ["f", "f", "m", "m", "m", "m", "m", "f", "m"]);
/// let table = Table::new(vec![
///     ("sex".into(), Column::Level(sex.clone())),
///     ("tenure".into(), Column::Integer(vec![2.0, 8.0, 1.0, 5.0, 9.0, 12.0, 30.0, 7.0, 3.0])),
/// ])?;
/// let batch = Batch::builder().attribute(sex).label([1, 1, 1, 1, 1, 0, 0, 0, 0]).build()?;
///
/// // Women with a favourable label: two become three, as many as men.
/// let target = Target::counts([(["f"], true, 3)]);
/// let augmented = Augment::smote().target(target).seed(7).fit_resample(&table, &batch)?;
/// assert_eq!(augmented.table.rows(), 10);
/// let Column::Integer(tenure) = augmented.table.column("tenure")? else { unreachable!() };
/// assert!((2.0..=8.0).contains(&tenure[9]) && tenure[9].fract() == 0.0);
/// assert!(matches!(augmented.record.origin[9], Origin::Between { rows: [0, 1] | [1, 0], .. }));
/// assert_eq!(augmented.labels[9], 1);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Augment {
    method: Method,
    target: Target,
    attributes: Vec<String>,
    label_column: Option<String>,
    carried: Vec<String>,
    neighbors: usize,
    standardize: bool,
    lone: Lone,
    seed: u64,
}

impl Augment {
    fn by(method: Method) -> Self {
        Augment {
            method,
            target: Target::default(),
            attributes: Vec::new(),
            label_column: None,
            carried: Vec::new(),
            neighbors: 5,
            standardize: true,
            lone: Lone::default(),
            seed: 0,
        }
    }

    /// Synthetic minority over-sampling within each cell: `x + u (x' - x)` with `u` uniform on [0, 1) and x' one of the
    /// nearest rows to x of its cell. Every row of the cell is used as x equally often (to one). Levels have no part in the
    /// distance; each is that of x' with probability u, else that of x.
    ///
    /// # References
    /// Chawla, Bowyer, Hall, Kegelmeyer (2002), SMOTE: synthetic minority over-sampling technique, Journal of Artificial
    /// Intelligence Research 16.
    pub fn smote() -> Self {
        Self::by(Method::Smote)
    }

    /// SMOTE of numbers and levels. Each level that differs adds to the square of a distance the square of the median of
    /// the numeric columns' standard deviations within the cell (1 without numeric columns); a new row's level is the one
    /// that most of the nearest rows to x have, of several x's own if it is among them, else the first. Missing counts as
    /// a level. Where most numeric columns are constant in the cell, that median is 0 and levels make no distance.
    ///
    /// # References
    /// Chawla and others (2002), as for [`smote`](Self::smote), section 6.1.
    pub fn smote_nc() -> Self {
        Self::by(Method::SmoteNc)
    }

    /// Fair-SMOTE: with probability 0.8 a number is `x + 0.8 (x' - x'')`, x' and x'' being two of the nearest rows to x of
    /// its cell, kept within the range of the cell, and a level that of one of the three at random; else both are x's.
    /// Distances as for [`smote_nc`](Self::smote_nc). A cell of two rows has one neighbour only: it stands for x' and x for
    /// x''. (The authors take the magnitude of a number where this keeps it in range.)
    ///
    /// # References
    /// Chakraborty, Majumder, Menzies (2021), Bias in machine learning software: why? how? what to do?, ESEC/FSE.
    pub fn fair_smote() -> Self {
        Self::by(Method::FairSmote)
    }

    /// Mixup across groups: `λ x + (1 - λ) x'` with x of the cell, x' of the same label and another group, each such row
    /// as likely, and λ the larger of a draw of Beta(alpha, alpha) and the rest to 1, so that x has the greater part and its
    /// group. `alpha` above 0: the smaller, the nearer to x. A level is that of x' with probability 1 - λ.
    ///
    /// # References
    /// Zhang, Cissé, Dauphin, Lopez-Paz (2018), mixup: beyond empirical risk minimization, ICLR. Chuang, Mroueh (2021), Fair
    /// mixup: fairness via interpolation, ICLR.
    pub fn mixup(alpha: f64) -> Self {
        Self::by(Method::Mixup { alpha })
    }

    /// Rows drawn from a Gaussian copula of each cell: ranks become normal scores (ties, and the rows of a level, in random
    /// order), normal scores are drawn with the same correlations, and go back through each column's own quantiles:
    /// interpolated for numbers, observed values for whole numbers and levels. Correlations are shrunk towards none by
    /// the least of 0, 1e-6, 1e-5, ..., 0.1, 0.2, ..., 1 at which they are positive definite; the record says by how much.
    ///
    /// # References
    /// Patki, Wedge, Veeramachaneni (2016), The synthetic data vault, IEEE DSAA.
    pub fn copula() -> Self {
        Self::by(Method::Copula)
    }

    /// Copies of rows: every row of a cell equally often (to one), the rest at random.
    pub fn oversample() -> Self {
        Self::by(Method::Oversample)
    }

    /// Rows taken away at random.
    pub fn undersample() -> Self {
        Self::by(Method::Undersample)
    }

    /// Rows copied in cells that are to grow and taken away in those that are to shrink: prevalence sampling. (Kamiran and
    /// Calders' uniform sampling is this with [`Target::EqualRates`].)
    ///
    /// # References
    /// Kamiran, Calders (2012), Data preprocessing techniques for classification without discrimination, Knowledge and
    /// Information Systems 33.
    pub fn resample() -> Self {
        Self::by(Method::Resample)
    }

    /// How many rows each cell is to have; equally many where nothing is said.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.target = target;
        self
    }

    /// Only these attributes make the groups.
    #[must_use]
    pub fn attributes<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.attributes = names.into_iter().map(Into::into).collect();
        self
    }

    /// The column of the table that holds the label, if there is one: it is no feature.
    #[must_use]
    pub fn label_column(mut self, name: impl Into<String>) -> Self {
        self.label_column = Some(name.into());
        self
    }

    /// Columns that are no features but go with the row that a new one is made from.
    #[must_use]
    pub fn carry<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.carried = names.into_iter().map(Into::into).collect();
        self
    }

    /// How many nearest rows a row is combined with: at least 1 (two for [`fair_smote`](Self::fair_smote)); 5 where nothing
    /// is said. A cell with no more rows than that uses all others it has, which [`AugmentedCell::neighbors`] tells.
    #[must_use]
    pub fn neighbors(mut self, k: usize) -> Self {
        self.neighbors = k;
        self
    }

    /// Whether distances are of numbers divided by their standard deviation in the cell. They are where nothing is said;
    /// imbalanced-learn's are not.
    #[must_use]
    pub fn standardize(mut self, standardize: bool) -> Self {
        self.standardize = standardize;
        self
    }

    /// What is done about a cell of one row.
    #[must_use]
    pub fn lone(mut self, lone: Lone) -> Self {
        self.lone = lone;
        self
    }

    /// What random numbers are drawn from.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Makes the rows. `table` and `batch` have the same rows in the same order; the batch has a label and an attribute.
    ///
    /// # Errors
    /// [`Error::UnequalLengths`]; [`Error::Nothing`] without a label, an attribute or a row of known group and label;
    /// [`Error::MissingColumn`] for an attribute, label or carried column that is not there; [`Error::Unknown`] or
    /// [`Error::Duplicate`] for a cell of the target; [`Error::BadSetting`] for a target that the method cannot reach (it
    /// names the cell), for a cell without a row to start from or of one row, for no neighbours and for an `alpha` that is
    /// not above 0; [`Error::BadNumber`] with row and column where a number is missing that new rows are computed from, or
    /// where a column named as an attribute says something else than the batch.
    pub fn fit_resample(&self, table: &Table, batch: &Batch) -> Result<Augmented> {
        let Drawn { kept, made, rows, record } = self.draw(&Frame::of(table), batch)?;
        let table = made::assemble(table, kept.as_deref(), &made);
        Ok(Augmented { table, attributes: rows.attributes, labels: rows.labels, weights: rows.weights, record })
    }

    /// The new rows, not yet put behind the others.
    fn draw(&self, frame: &Frame, batch: &Batch) -> Result<Drawn> {
        self.check()?;
        let layout = Layout::of(frame, batch, self.label_column.as_deref(), &self.carried)?;
        let cells = Cells::of(batch, &self.attributes)?;
        let direction = match self.method {
            Method::Undersample => Direction::Shrink,
            Method::Resample => Direction::Both,
            _ => Direction::Grow,
        };
        let after = wanted(&self.target, &cells, direction)?;
        let before: Vec<usize> = cells.rows.iter().map(Vec::len).collect();
        let new: usize = after.iter().zip(&before).map(|(after, before)| after.saturating_sub(*before)).sum();
        if frame.rows() + new > u32::MAX as usize / 2 {
            return Err(Error::setting("the number of rows after augmentation", frame.rows() + new, "at most 2^31"));
        }
        let mut made = Vec::new();
        let mut records = made::cell_records(&cells.groups, &before, &after);
        let features: Vec<usize> = layout.features().collect();
        for cell in 0..after.len() {
            let extra = after[cell].saturating_sub(before[cell]);
            if extra > 0 {
                let new = self.make(frame, &features, &cells, cell, extra)?;
                records[cell].neighbors = new.neighbors;
                records[cell].shrinkage = new.shrinkage;
                made.push(new);
            }
        }
        records.retain(|cell| cell.before + cell.after > 0);
        let removed = resample::removed(&cells, &after, self.seed);
        let kept = (!removed.is_empty()).then(|| resample::others(frame.rows(), &removed));
        let mut rows = made::rows_of(batch, kept.as_deref(), &made);
        let record = Record {
            method: self.method,
            target: Some(self.target.clone()),
            seed: self.seed,
            attributes: cells.groups.attributes.clone(),
            cells: records,
            left_alone: cells.left_alone,
            removed: removed.into_iter().map(|row| row as usize).collect(),
            origin: std::mem::take(&mut rows.origin),
        };
        Ok(Drawn { kept, made, rows, record })
    }

    /// The same for an array of features, one row a person.
    ///
    /// # Errors
    /// As for [`fit_resample`](Self::fit_resample), the columns being called `x0`, `x1`, ...; [`Error::BadNumber`] also for
    /// an infinite number.
    ///
    /// # Examples
    /// ```
    /// use evenhand::data::{Batch, Categorical};
    /// use evenhand::mitigate::augment::Augment;
    /// use ndarray::array;
    /// let features = array![[1.0, 0.0], [3.0, 1.0], [2.0, 2.0], [4.0, 5.0], [5.0, 5.0]];
    /// let batch = Batch::builder()
    ///     .attribute(Categorical::from_values("region", ["n"; 5]))
    ///     .label([1, 1, 0, 0, 0])
    ///     .build()?;
    /// let augmented = Augment::smote().fit_resample_array(features.view(), &batch)?;
    /// assert_eq!(augmented.features.dim(), (6, 2));
    /// let (x, y) = (augmented.features[[5, 0]], augmented.features[[5, 1]]);
    /// assert!((x - (1.0 + 2.0 * y)).abs() < 1e-12); // on the line between the two favourable rows
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn fit_resample_array(&self, features: ArrayView2<f64>, batch: &Batch) -> Result<AugmentedArray> {
        let Drawn { kept, made, rows, record } = self.draw(&Frame::of_array(features)?, batch)?;
        let features = made::assemble_array(features, kept.as_deref(), &made);
        let made::Rows { attributes, labels, weights, .. } = rows;
        Ok(AugmentedArray { features, attributes, labels, weights, record })
    }

    fn check(&self) -> Result<()> {
        let least = match self.method {
            Method::Smote | Method::SmoteNc => 1,
            Method::FairSmote => 2,
            Method::Mixup { alpha } if !(alpha > 0.0 && alpha.is_finite()) => {
                return Err(Error::setting("`alpha` of mixup", alpha, "a finite number above 0"));
            }
            _ => 0,
        };
        if self.neighbors < least {
            return Err(Error::setting("the number of neighbours", self.neighbors, format!("at least {least}")));
        }
        Ok(())
    }

    /// New rows of one cell, which has at least one.
    fn make(&self, frame: &Frame, features: &[usize], cells: &Cells, cell: usize, extra: usize) -> Result<Made> {
        let rows = &cells.rows[cell];
        let work = Work { frame, features, rows, extra, seed: self.seed, cell };
        if matches!(self.method, Method::Oversample | Method::Resample) {
            return Ok(Made::copies(resample::even_draw(rows, extra, self.seed, cell), frame.columns().len()));
        }
        complete(frame, features, rows)?;
        if let Method::Mixup { alpha } = self.method {
            let others = mixup::others(cells, cell);
            complete(frame, features, &others)?;
            if others.is_empty() {
                return Err(Error::setting(
                    &format!("the number of groups with a row to mix with one of `{}`", cells.name(cell)),
                    0,
                    "at least one: rows of the same label in another group",
                ));
            }
            return Ok(mixup::mix(&work, &others, alpha));
        }
        if rows.len() == 1 {
            return match self.lone {
                Lone::Refuse => Err(made::alone(&cells.name(cell))),
                Lone::Copy => Ok(Made::copies(vec![rows[0]; extra], frame.columns().len())),
            };
        }
        let search = |levels| smote::Search { neighbors: self.neighbors, standardize: self.standardize, levels };
        Ok(match self.method {
            Method::SmoteNc => smote::smote(&work, &search(true)),
            Method::FairSmote => crossover::cross(&work, &search(true)),
            Method::Copula => copula::draw(&work),
            _ => smote::smote(&work, &search(false)),
        })
    }
}

/// What is put together to rows, old and new.
struct Drawn {
    /// The rows that stay, where not all do.
    kept: Option<Vec<u32>>,
    made: Vec<Made>,
    rows: made::Rows,
    record: Record,
}

/// One cell's work.
struct Work<'w, 'r> {
    frame: &'w Frame<'r>,
    /// The columns that are computed.
    features: &'w [usize],
    /// The cell's rows.
    rows: &'w [u32],
    /// How many new ones are wanted.
    extra: usize,
    seed: u64,
    cell: usize,
}
