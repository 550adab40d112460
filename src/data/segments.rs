//! A segmentation: which segment each row is in, and what is known of the segments.

use std::collections::BTreeMap;

use ndarray::ArrayView2;

use super::Categorical;
use super::parts::{self, Parts};
use crate::error::{Error, Place, Result};

/// A segmentation model's answer for each row: the segment it is in, and where there is one its true class or an
/// earlier segment.
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical, Segments};
/// let sex = Categorical::from_values("sex", ["f", "m", "f", "m"]);
/// let tier = Categorical::from_values("tier", ["gold", "gold", "basic", "basic"]);
/// let segments = Segments::of(tier).order(["basic", "gold"]).values([("basic", 0.0), ("gold", 25.0)]);
/// let batch = Batch::builder().attribute(sex).segments(segments).build()?;
/// assert_eq!(batch.rows(), 4);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Segments<'a> {
    pub(crate) column: Categorical<'a>,
    /// How rows are shared out, where each is in several segments by parts; the column then holds the segments' names.
    pub(crate) parts: Option<Parts>,
    pub(crate) classes: Option<Categorical<'a>>,
    pub(crate) earlier: bool,
    pub(crate) order: Vec<String>,
    pub(crate) values: BTreeMap<String, f64>,
}

impl<'a> Segments<'a> {
    /// A column of segments; it is the segmentation's name too.
    pub fn of(column: Categorical<'a>) -> Self {
        let order = if column.is_ordered() { column.levels().to_vec() } else { Vec::new() };
        Segments { column, parts: None, classes: None, earlier: false, order, values: BTreeMap::new() }
    }

    /// Segments that a row is in by parts, as mixture models, topic models and soft clusterings give them: for each row
    /// (rows) its share of each segment (columns), which add up to 1. Shares within 0.01 of that are scaled.
    ///
    /// A row counts in each segment by its share, in parts of 2⁻²⁰, and intervals are those of rows that are each in one
    /// segment with these chances: a little wide. A row of NaN alone is in no known segment.
    ///
    /// # Errors
    /// [`Error::Mismatch`] unless there is a name for each column; [`Error::Duplicate`] names; [`Error::BadNumber`] with
    /// the row whose shares are negative, not finite, or do not add up to 1.
    ///
    /// # Examples
    /// ```
    /// use evenhand::data::Segments;
    /// use ndarray::array;
    /// let shares = array![[0.9, 0.1], [0.2, 0.8]];
    /// let topics = Segments::soft("topic", ["sports", "fashion"], shares.view())?;
    /// # let _ = topics;
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn soft<S: Into<String>>(
        name: impl Into<String>,
        segments: impl IntoIterator<Item = S>,
        shares: ArrayView2<'_, f64>,
    ) -> Result<Self> {
        let (name, levels) = (name.into(), segments.into_iter().map(Into::into).collect::<Vec<String>>());
        if levels.len() != shares.ncols() {
            let problem = format!("`{name}` has {} names for {} columns of shares", levels.len(), shares.ncols());
            return Err(Error::Mismatch { problem });
        }
        let columns: Vec<Vec<f64>> = shares.columns().into_iter().map(|c| c.to_vec()).collect();
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let found = Parts::of_columns(&columns, shares.nrows());
        let parts = found.map_err(|row| parts::wrong(&name, &columns, row, Place::row(row)))?;
        let column = parts::column(name, levels, shares.nrows())?;
        Ok(Segments { parts: Some(parts), ..Self::of(column) })
    }

    /// Says that the segments have an order, from worst to best. All of them must be named.
    #[must_use]
    pub fn order<S: Into<String>>(mut self, segments: impl IntoIterator<Item = S>) -> Self {
        self.order = segments.into_iter().map(Into::into).collect();
        self
    }

    /// Says what each segment is worth to those in it: a discount, the price of an offer. All must be named.
    #[must_use]
    pub fn values<S: Into<String>>(mut self, values: impl IntoIterator<Item = (S, f64)>) -> Self {
        self.values = values.into_iter().map(|(name, value)| (name.into(), value)).collect();
        self
    }

    /// Sets the true class of each row, by the names of the segments.
    #[must_use]
    pub fn classes(mut self, truth: Categorical<'a>) -> Self {
        (self.classes, self.earlier) = (Some(truth), false);
        self
    }

    /// Sets the segment that each row was in before: the audit then looks at who moved where.
    #[must_use]
    pub fn earlier(mut self, segments: Categorical<'a>) -> Self {
        (self.classes, self.earlier) = (Some(segments), true);
        self
    }
}
