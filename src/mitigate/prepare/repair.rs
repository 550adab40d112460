//! Features repaired by quantiles: each group's distribution brought to one that all share.

use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::{check_columns, check_rows};
use crate::data::Batch;
use crate::mitigate::groups::{Groups, MISSING, NEW, not_among};
use crate::mitigate::quantiles::{Quantiles, RepairTarget, moved};
use crate::{Error, Place, Result};

/// Repairs features by quantiles: disparate-impact removal.
///
/// A value x of group g becomes `(1 − level) x + level T(F_g(x))`, with F_g the group's distribution and T the target's
/// quantile function. At level 1 no feature alone tells the group, and ranks within groups are kept (values tied in a
/// group stay tied). What features tell *together* may remain.
///
/// F_g has a step's middle at each value that the group has, and is linear between them. A value beyond those seen is
/// moved as the nearest of them. Quantile functions are of the weighted rows. New rows need their group.
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical};
/// use evenhand::mitigate::prepare::QuantileRepair;
/// use ndarray::array;
/// // Women's values are 10, 20, 30, men's 30, 40, 50: midway lie 20, 30, 40.
/// let batch = Batch::builder()
///     .attribute(Categorical::from_values("sex", ["f", "f", "f", "m", "m", "m"]))
///     .label([0, 1, 0, 1, 0, 1])
///     .build()?;
/// let features = array![[10.0], [20.0], [30.0], [50.0], [40.0], [30.0]];
/// let repaired = QuantileRepair::new().fit(features.view(), &batch)?;
/// let all = repaired.transform(features.view(), &batch)?;
/// assert_eq!(all, array![[20.0], [30.0], [40.0], [40.0], [30.0], [20.0]]);
/// # Ok::<(), evenhand::Error>(())
/// ```
///
/// # References
/// Feldman, Friedler, Moeller, Scheidegger, Venkatasubramanian (2015), Certifying and removing disparate impact, KDD.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantileRepair {
    level: f64,
    target: RepairTarget,
    attributes: Vec<String>,
    columns: Option<Vec<usize>>,
}

impl Default for QuantileRepair {
    fn default() -> Self {
        QuantileRepair { level: 1.0, target: RepairTarget::default(), attributes: Vec::new(), columns: None }
    }
}

/// How one feature is moved in each group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RepairedColumn {
    /// The feature's column, counted from 0.
    pub column: usize,
    /// For each group, its values in rising order and what each is fully repaired to.
    pub moves: Vec<Vec<[f64; 2]>>,
}

/// Fitted quantile functions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Repaired {
    /// How far values are moved, in [0, 1].
    pub level: f64,
    /// The features of the fit.
    pub features: usize,
    /// The attributes that make the groups.
    pub attributes: Vec<String>,
    /// Each group's level of each attribute.
    pub groups: Vec<Vec<String>>,
    /// The features that are repaired.
    pub columns: Vec<RepairedColumn>,
    /// Rows that were not fitted on, because their group is not known.
    pub left_alone: u64,
}

impl QuantileRepair {
    /// Of all features, fully, to the median distribution, for the intersections of all attributes.
    pub fn new() -> Self {
        Self::default()
    }

    /// How far values are moved, in [0, 1]: 0 not at all, 1 fully.
    #[must_use]
    pub fn level(mut self, level: f64) -> Self {
        self.level = level;
        self
    }

    /// To another distribution.
    #[must_use]
    pub fn target(mut self, target: RepairTarget) -> Self {
        self.target = target;
        self
    }

    /// Only these attributes make the groups.
    #[must_use]
    pub fn attributes<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.attributes = names.into_iter().map(Into::into).collect();
        self
    }

    /// Only these features, counted from 0: numbers with an order, not codes of categories.
    #[must_use]
    pub fn columns(mut self, columns: impl IntoIterator<Item = usize>) -> Self {
        self.columns = Some(columns.into_iter().collect());
        self
    }

    /// Finds each group's quantile function of each feature.
    ///
    /// # Errors
    /// [`Error::BadSetting`] for the level or a column that is not there; [`Error::UnequalLengths`]; [`Error::BadNumber`]
    /// with column and row for a feature that is not finite; [`Error::Nothing`] without a weighted row of a known group;
    /// [`Error::MissingColumn`], [`Error::TooManyCells`].
    pub fn fit(&self, features: ArrayView2<f64>, batch: &Batch) -> Result<Repaired> {
        if !(0.0..=1.0).contains(&self.level) {
            return Err(Error::setting("the repair level", self.level, "a number in [0, 1]"));
        }
        check_rows(features, batch)?;
        let columns = self.columns.clone().unwrap_or_else(|| (0..features.ncols()).collect());
        if let Some(column) = columns.iter().find(|c| **c >= features.ncols()) {
            let expected = format!("a column of the {} features, counted from 0", features.ncols());
            return Err(Error::setting("a column to repair", column, expected));
        }
        let groups = Groups::of(batch, &self.attributes)?;
        let weight = |row: usize| batch.weight.as_ref().map_or(1.0, |w| w.values[row]);
        let mut rows: Vec<Vec<usize>> = vec![Vec::new(); groups.len()];
        for (row, group) in groups.of_row.iter().enumerate().filter(|(row, _)| weight(*row) > 0.0) {
            if let Some(rows) = rows.get_mut(*group as usize) {
                rows.push(row);
            }
        }
        // A group whose rows all weigh nothing has no distribution: it is as good as not met.
        let kept: Vec<usize> = (0..groups.len()).filter(|g| !rows[*g].is_empty()).collect();
        if kept.is_empty() {
            let problem = "no row has a known group and a weight";
            return Err(Error::Nothing { problem, place: Place::default() });
        }
        let fit_column = |column: &usize| {
            let of = features.index_axis(Axis(1), *column);
            let quantiles: Vec<Quantiles> =
                kept.iter().map(|g| Quantiles::of(rows[*g].iter().map(|r| (of[*r], weight(*r))).collect())).collect();
            let moves = |q: &Quantiles| {
                let to = self.target.along(&quantiles, &q.shares());
                q.steps.iter().zip(to).map(|(step, to)| [step.value, to]).collect()
            };
            RepairedColumn { column: *column, moves: quantiles.iter().map(moves).collect() }
        };
        Ok(Repaired {
            level: self.level,
            features: features.ncols(),
            columns: columns.iter().map(fit_column).collect(),
            groups: kept.iter().map(|g| groups.levels[*g].clone()).collect(),
            attributes: groups.attributes,
            left_alone: groups.of_row.iter().filter(|g| **g == MISSING).count() as u64,
        })
    }
}

impl Repaired {
    /// The features of a batch's rows, repaired; rows of no known group are left alone.
    ///
    /// # Errors
    /// [`Error::UnequalLengths`], [`Error::BadSetting`] for other numbers of rows or features; [`Error::BadNumber`];
    /// [`Error::MissingColumn`]; [`Error::Unknown`] for a group that was not fitted.
    pub fn transform(&self, features: ArrayView2<f64>, batch: &Batch) -> Result<Array2<f64>> {
        check_rows(features, batch)?;
        check_columns(features, self.features)?;
        let group = Groups::matching(&self.attributes, &self.groups, batch)?;
        if let Some(row) = group.iter().position(|g| *g == NEW) {
            let context = format!(" among those that the repair was fitted on (row {} has it)", row + 1);
            return Err(not_among(batch, &self.attributes, &self.groups, row, context));
        }
        let mut out = features.to_owned();
        for repaired in &self.columns {
            for (value, group) in out.index_axis_mut(Axis(1), repaired.column).iter_mut().zip(&group) {
                if let Some(moves) = repaired.moves.get(*group as usize) {
                    *value = (1.0 - self.level) * *value + self.level * moved(moves, *value);
                }
            }
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;
    use proptest::prelude::*;

    use super::*;
    use crate::data::Categorical;

    fn batch(groups: &[Option<&str>]) -> Batch<'static> {
        let group = Categorical::from_options("g", groups.iter().copied());
        Batch::builder().attribute(group).label(vec![0u8; groups.len()]).build().unwrap()
    }

    #[test]
    fn shifted_groups_meet_at_the_median_or_the_mean() {
        let n = 30;
        let shift = [0.0, 6.0, 30.0];
        let names: Vec<Option<&str>> = (0..3 * n).map(|i| Some(["a", "b", "c"][i % 3])).collect();
        let x = Array2::from_shape_fn((3 * n, 1), |(i, _)| ((i / 3 * 7) % n) as f64 + shift[i % 3]);
        for (target, to) in [(RepairTarget::Median, 6.0), (RepairTarget::Mean, 12.0)] {
            for level in [0.0, 0.4, 1.0] {
                let repair = QuantileRepair::new().target(target).level(level);
                let out = repair.fit(x.view(), &batch(&names)).unwrap().transform(x.view(), &batch(&names)).unwrap();
                for i in 0..3 * n {
                    let expected = x[[i, 0]] + level * (to - shift[i % 3]);
                    assert!((out[[i, 0]] - expected).abs() < 1e-9, "{i}: {} {expected}", out[[i, 0]]);
                }
            }
        }
    }

    #[test]
    fn new_rows_and_unknown_groups() {
        let known = batch(&[Some("a"), Some("a"), Some("b"), Some("b"), None]);
        let x = array![[0.0, 1.0], [10.0, 2.0], [20.0, 3.0], [30.0, 4.0], [99.0, 5.0]];
        let fitted = QuantileRepair::new().columns([0]).fit(x.view(), &known).unwrap();
        assert_eq!(fitted.left_alone, 1);
        let new = batch(&[Some("b"), Some("a"), Some("a"), None]);
        let out = fitted.transform(array![[25.0, 7.0], [-3.0, 7.0], [14.0, 7.0], [5.0, 7.0]].view(), &new).unwrap();
        // Inside: in proportion; beyond what was seen: as the nearest.
        assert_eq!(out, array![[15.0, 7.0], [7.0, 7.0], [24.0, 7.0], [5.0, 7.0]]);
        let slip = fitted.transform(array![[1.0, 1.0]].view(), &batch(&[Some("c")])).unwrap_err().to_string();
        assert!(slip.contains("`c`") && slip.contains("row 1"), "{slip}");
        assert!(fitted.transform(array![[1.0]].view(), &batch(&[Some("a")])).is_err());
        assert!(fitted.transform(array![[1.0, f64::NAN]].view(), &batch(&[Some("a")])).is_err());
        let fit = |r: QuantileRepair, b: &Batch| r.fit(x.view(), b).map(|_| ()).map_err(|e| e.to_string());
        assert!(fit(QuantileRepair::new().level(1.1), &known).unwrap_err().contains("repair level"));
        assert!(fit(QuantileRepair::new().columns([2]), &known).unwrap_err().contains("column to repair"));
        assert!(fit(QuantileRepair::new(), &batch(&[None; 5])).unwrap_err().contains("no row has a known group"));
        assert!(fit(QuantileRepair::new(), &batch(&[Some("a")])).unwrap_err().contains("features"));
        let text = serde_json::to_string(&fitted).unwrap();
        assert_eq!(serde_json::from_str::<Repaired>(&text).unwrap(), fitted);
    }

    proptest! {
        #[test]
        fn one_group_stays_and_ranks_are_kept(rows in prop::collection::vec((0usize..3, -50i32..50), 2..80)) {
            let x = Array2::from_shape_fn((rows.len(), 1), |(i, _)| f64::from(rows[i].1) / 4.0);
            let names = |of: [&'static str; 3]| rows.iter().map(|r| Some(of[r.0])).collect::<Vec<_>>();
            let repair = |b: &Batch| {
                QuantileRepair::new().fit(x.view(), b).unwrap().transform(x.view(), b).unwrap()
            };
            let one = repair(&batch(&names(["a", "a", "a"])));
            prop_assert!(one.iter().zip(&x).all(|(a, b)| (a - b).abs() < 1e-9));
            let all = repair(&batch(&names(["a", "b", "c"])));
            for i in 0..rows.len() {
                for j in 0..rows.len() {
                    if rows[i].0 == rows[j].0 && rows[i].1 <= rows[j].1 {
                        prop_assert!(all[[i, 0]] <= all[[j, 0]] + 1e-9);
                    }
                }
            }
            // Other names, in another order.
            let renamed = repair(&batch(&names(["z", "y", "b"])));
            prop_assert!(renamed.iter().zip(&all).all(|(a, b)| (a - b).abs() < 1e-9));
        }
    }
}
