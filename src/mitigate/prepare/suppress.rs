//! Features that tell the group, found and left out.

use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::{check_columns, check_rows};
use crate::data::Batch;
use crate::metrics::segments::SegmentCounts;
use crate::metrics::segments::association::{cramers_v_corrected, normalized_mutual_information};
use crate::metrics::{Confidence, Estimate};
use crate::mitigate::groups::Groups;
use crate::tally::Cell;
use crate::{Error, Result};

/// Classes that a feature of many values is cut into.
const CLASSES: usize = 10;

/// How far a feature tells the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Association {
    /// Cramér's V with Bergsma's correction: near 0 for a feature that tells nothing, however few rows.
    #[default]
    CramersV,
    /// Mutual information over the mean of both entropies; not corrected for few rows.
    MutualInformation,
}

/// Leaves out features: those listed, and those whose association with the group is above a limit.
///
/// A feature of more than ten values is cut into ten classes of about as many rows. Each feature is looked at alone: several
/// that tell the group only together are not found.
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical};
/// use evenhand::mitigate::prepare::Suppress;
/// use ndarray::Array2;
/// // The first feature is the group itself, the second has nothing to do with it.
/// let sex: Vec<&str> = (0..200).map(|i| if i % 2 == 0 { "f" } else { "m" }).collect();
/// let features = Array2::from_shape_fn((200, 2), |(i, j)| if j == 0 { (i % 2) as f64 } else { (i / 2 % 5) as f64 });
/// let batch = Batch::builder().attribute(Categorical::from_values("sex", &sex)).label(vec![0u8; 200]).build()?;
/// let suppressed = Suppress::new().limit(0.3).fit(features.view(), &batch)?;
/// assert_eq!(suppressed.kept(), [1]);
/// assert!(suppressed.proxies[0].association.value.unwrap() > 0.99);
/// assert_eq!(suppressed.transform(features.view())?.ncols(), 1);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Suppress {
    listed: Vec<usize>,
    limit: Option<f64>,
    association: Association,
    attributes: Vec<String>,
}

/// A feature with its association.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proxy {
    /// Its column, counted from 0.
    pub column: usize,
    /// How far it tells the group, with an interval at 0.95.
    pub association: Estimate,
    /// Whether it is left out.
    pub suppressed: bool,
}

/// Which features are left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Suppressed {
    /// The measure.
    pub measure: Association,
    /// All features, in their order.
    pub proxies: Vec<Proxy>,
    /// Rows that were not looked at, because their group is not known.
    pub left_alone: u64,
}

impl Suppress {
    /// Leaves out nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Leaves out these features, counted from 0.
    #[must_use]
    pub fn columns(mut self, columns: impl IntoIterator<Item = usize>) -> Self {
        self.listed = columns.into_iter().collect();
        self
    }

    /// Leaves out features whose association is above this, in [0, 1].
    #[must_use]
    pub fn limit(mut self, limit: f64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// By another measure.
    #[must_use]
    pub fn association(mut self, association: Association) -> Self {
        self.association = association;
        self
    }

    /// Only these attributes make the groups.
    #[must_use]
    pub fn attributes<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.attributes = names.into_iter().map(Into::into).collect();
        self
    }

    /// Measures every feature's association with the groups of a batch.
    ///
    /// # Errors
    /// [`Error::BadSetting`] for a limit outside [0, 1], a column that is not there, or where no feature would be left;
    /// [`Error::UnequalLengths`], [`Error::BadNumber`], [`Error::MissingColumn`], [`Error::TooManyCells`],
    /// [`Error::Nothing`].
    pub fn fit(&self, features: ArrayView2<f64>, batch: &Batch) -> Result<Suppressed> {
        if let Some(limit) = self.limit.filter(|l| !(0.0..=1.0).contains(l)) {
            return Err(Error::setting("the limit of association", limit, "a number in [0, 1]"));
        }
        check_rows(features, batch)?;
        if let Some(column) = self.listed.iter().find(|c| **c >= features.ncols()) {
            let expected = format!("a column of the {} features, counted from 0", features.ncols());
            return Err(Error::setting("a column to suppress", column, expected));
        }
        let groups = Groups::of(batch, &self.attributes)?;
        let of_column = |(column, values): (usize, ndarray::ArrayView1<f64>)| {
            let (class, classes) = classes(&values.to_vec());
            let mut counts = vec![
                SegmentCounts {
                    segments: classes,
                    cells: vec![Cell::default(); classes],
                    unassigned: Cell::default()
                };
                groups.len()
            ];
            for (row, group) in groups.of_row.iter().enumerate() {
                if let Some(counts) = counts.get_mut(*group as usize) {
                    let w = batch.weight.as_ref().map_or(1.0, |w| w.values[row]);
                    counts.cells[class[row]].add(&Cell { rows: 1.0, weight: w, weight_squared: w * w }, 1.0);
                }
            }
            let counts: Vec<&SegmentCounts> = counts.iter().collect();
            let confidence = Confidence::at(0.95);
            let association = match self.association {
                Association::CramersV => cramers_v_corrected(&counts, confidence),
                Association::MutualInformation => normalized_mutual_information(&counts, confidence),
            }
            .estimate;
            let above = self.limit.zip(association.value).is_some_and(|(limit, value)| value > limit);
            Proxy { column, suppressed: above || self.listed.contains(&column), association }
        };
        let proxies: Vec<Proxy> = features.axis_iter(Axis(1)).enumerate().map(of_column).collect();
        if proxies.iter().all(|p| p.suppressed) {
            let suppressed = format!("such that it leaves out all {} features", proxies.len());
            return Err(Error::setting("the suppression", suppressed, "a higher limit, or a feature that is left"));
        }
        let left_alone = groups.of_row.iter().filter(|g| **g as usize >= groups.len()).count() as u64;
        Ok(Suppressed { measure: self.association, proxies, left_alone })
    }
}

impl Suppressed {
    /// The features that are left, counted from 0.
    pub fn kept(&self) -> Vec<usize> {
        self.proxies.iter().filter(|p| !p.suppressed).map(|p| p.column).collect()
    }

    /// Features of these rows or others, without those left out. No group is needed.
    ///
    /// # Errors
    /// [`Error::BadSetting`] for another number of features.
    pub fn transform(&self, features: ArrayView2<f64>) -> Result<Array2<f64>> {
        check_columns(features, self.proxies.len())?;
        Ok(features.select(Axis(1), &self.kept()))
    }
}

/// The class of each value, and how many classes there are: the values themselves if they are few, else about as many rows
/// in each, equal values together.
fn classes(values: &[f64]) -> (Vec<usize>, usize) {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|i, j| values[*i].total_cmp(&values[*j]));
    let different = order.chunk_by(|i, j| values[*i] == values[*j]).count();
    let mut class = vec![0; values.len()];
    let (mut taken, mut classes, mut last) = (0, 0, None);
    for tied in order.chunk_by(|i, j| values[*i] == values[*j]) {
        let quantile = if different <= CLASSES { taken } else { taken * CLASSES / values.len() };
        if last != Some(quantile) {
            classes += 1;
            last = Some(quantile);
        }
        tied.iter().for_each(|row| class[*row] = classes - 1);
        taken += tied.len();
    }
    (class, classes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Categorical;

    #[test]
    fn proxies_are_found_and_others_kept() {
        let n = 400;
        let group: Vec<Option<&str>> =
            (0..n).map(|i| if i == 7 { None } else { Some(["a", "b", "c"][i % 3]) }).collect();
        let batch = Batch::builder()
            .attribute(Categorical::from_options("g", group.iter().copied()))
            .label(vec![1u8; n])
            .build()
            .unwrap();
        // Nothing; a shift by group; a constant; not linear: the middle group apart.
        let x = Array2::from_shape_fn((n, 4), |(i, j)| match j {
            0 => ((i * 7919) % 1009) as f64,
            1 => ((i * 7919) % 1009) as f64 / 500.0 + (i % 3) as f64,
            2 => 5.0,
            _ => {
                if i % 3 == 1 {
                    100.0
                } else {
                    (i / 3) as f64 + if i % 2 == 0 { 500.0 } else { 0.0 }
                }
            }
        });
        for association in [Association::CramersV, Association::MutualInformation] {
            let limit = if association == Association::CramersV { 0.25 } else { 0.1 };
            let fitted = Suppress::new().association(association).limit(limit).fit(x.view(), &batch).unwrap();
            assert_eq!(fitted.kept(), [0, 2], "{fitted:?}");
            assert_eq!(fitted.left_alone, 1);
            assert!(fitted.proxies[2].association.reason.is_some());
            assert_eq!(fitted.transform(x.view()).unwrap().column(0), x.column(0));
        }
        let listed = Suppress::new().columns([0, 3]).fit(x.view(), &batch).unwrap();
        assert_eq!(listed.kept(), [1, 2]);
        let slip = |s: Suppress| s.fit(x.view(), &batch).unwrap_err().to_string();
        assert!(slip(Suppress::new().limit(-0.1)).contains("limit"));
        assert!(slip(Suppress::new().columns([4])).contains("column to suppress"));
        assert!(slip(Suppress::new().columns(0..4)).contains("leaves out all"));
        assert!(listed.transform(x.select(Axis(1), &[0]).view()).is_err());
    }

    #[test]
    fn classes_hold_about_as_many() {
        let (class, n) = classes(&(0..1000).map(|i| f64::from(i * 7 % 1000)).collect::<Vec<_>>());
        assert_eq!(n, 10);
        assert!((0..10).all(|c| class.iter().filter(|k| **k == c).count() == 100));
        assert_eq!(classes(&[2.0, 1.0, 2.0, -1.0]), (vec![2, 1, 2, 0], 3));
        assert_eq!(classes(&[]), (vec![], 0));
    }
}
