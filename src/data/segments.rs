//! A segmentation: which segment each row is in, and what is known of the segments.

use std::collections::BTreeMap;

use super::Categorical;

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
    pub(crate) classes: Option<Categorical<'a>>,
    pub(crate) earlier: bool,
    pub(crate) order: Vec<String>,
    pub(crate) values: BTreeMap<String, f64>,
}

impl<'a> Segments<'a> {
    /// A column of segments; it is the segmentation's name too.
    pub fn of(column: Categorical<'a>) -> Self {
        let order = if column.is_ordered() { column.levels().to_vec() } else { Vec::new() };
        Segments { column, classes: None, earlier: false, order, values: BTreeMap::new() }
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
