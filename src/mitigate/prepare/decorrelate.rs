//! Features without what can be told from sensitive ones by least squares.

use ndarray::{Array1, Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::{check_features, indicators};
use crate::data::Batch;
use crate::{Error, Place, Result};

/// How much of a sensitive column must be its own, not told by those before it, to count.
const TOLERANCE: f64 = 1e-9;

/// Removes linear correlation: from each feature, its least-squares fit by sensitive columns, to a degree.
///
/// `x' = x − degree (s − s̄) β` with β the coefficients of the (weighted) regression of x on the sensitive columns s. At
/// degree 1 features and sensitive columns are uncorrelated on the rows that it was fitted on; with groups, every group
/// has the same mean. What is not linear (spread, shape) stays.
///
/// # Examples
/// ```
/// use evenhand::mitigate::prepare::CorrelationRemover;
/// use ndarray::array;
/// let (sensitive, features) = (array![[0.0], [0.0], [1.0], [1.0]], array![[1.0], [2.0], [5.0], [6.0]]);
/// let fitted = CorrelationRemover::new().fit(features.view(), sensitive.view(), None)?;
/// // fairlearn 0.15.0 has the same.
/// assert_eq!(fitted.transform(features.view(), sensitive.view())?, array![[3.0], [4.0], [3.0], [4.0]]);
/// # Ok::<(), evenhand::Error>(())
/// ```
///
/// # References
/// Fairlearn's `CorrelationRemover`: Weerts and others (2023), Fairlearn: assessing and improving fairness of AI systems,
/// Journal of Machine Learning Research 24.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CorrelationRemover {
    degree: f64,
}

impl Default for CorrelationRemover {
    fn default() -> Self {
        CorrelationRemover { degree: 1.0 }
    }
}

/// What is taken from each feature for each sensitive column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decorrelated {
    /// How much of it is taken, in [0, 1].
    pub degree: f64,
    /// The means of the sensitive columns.
    pub means: Vec<f64>,
    /// For each sensitive column, its coefficient for each feature; 0 for a column that those before it tell.
    pub coefficients: Vec<Vec<f64>>,
    /// The sensitive columns, counted from 0, that are constant or told by those before them.
    pub dependent: Vec<usize>,
}

impl CorrelationRemover {
    /// Of all of it.
    pub fn new() -> Self {
        Self::default()
    }

    /// To a degree in [0, 1]: 0 leaves features as they are.
    #[must_use]
    pub fn degree(mut self, degree: f64) -> Self {
        self.degree = degree;
        self
    }

    /// Fits each feature by the sensitive columns, which have the same rows; with weights or without.
    ///
    /// Sensitive columns that are constant, or a combination of those before them, are left out and said.
    ///
    /// # Errors
    /// [`Error::BadSetting`] for the degree; [`Error::UnequalLengths`]; [`Error::BadNumber`] with column and row for what
    /// is not finite; [`Error::Nothing`] without rows or weight.
    pub fn fit(
        &self,
        features: ArrayView2<f64>,
        sensitive: ArrayView2<f64>,
        weights: Option<&[f64]>,
    ) -> Result<Decorrelated> {
        if !(0.0..=1.0).contains(&self.degree) {
            return Err(Error::setting("the degree", self.degree, "a number in [0, 1]"));
        }
        check_features("feature", features)?;
        check_features("sensitive column", sensitive)?;
        let rows = features.nrows();
        for (column, found) in [("sensitive", sensitive.nrows()), ("weights", weights.map_or(rows, <[f64]>::len))] {
            if found != rows {
                return Err(Error::UnequalLengths { column: column.into(), rows: found, expected: rows });
            }
        }
        let weights: Vec<f64> = weights.map_or_else(|| vec![1.0; rows], <[f64]>::to_vec);
        if let Some(row) = weights.iter().position(|w| !w.is_finite() || *w < 0.0) {
            return Err(Error::BadNumber {
                column: "weights".into(),
                value: weights[row].to_string(),
                place: Place::row(row),
                expected: "a finite weight of at least 0",
            });
        }
        let total: f64 = weights.iter().sum();
        if !(total > 0.0) {
            return Err(Error::Nothing { problem: "there is no weighted row to fit on", place: Place::default() });
        }
        let means: Vec<f64> =
            sensitive.axis_iter(Axis(1)).map(|s| s.iter().zip(&weights).map(|(s, w)| s * w / total).sum()).collect();
        let fit = LeastSquares::of(sensitive, &means, &weights);
        let mut coefficients = vec![vec![0.0; features.ncols()]; sensitive.ncols()];
        for (j, x) in features.axis_iter(Axis(1)).enumerate() {
            // The mean is of no matter to the slope, and much to its digits.
            let mean = x.iter().zip(&weights).map(|(x, w)| x * w / total).sum::<f64>();
            let scaled: Vec<f64> = x.iter().zip(&weights).map(|(x, w)| (x - mean) * w.sqrt()).collect();
            for (column, value) in fit.columns.iter().zip(fit.solve(&scaled)) {
                coefficients[*column][j] = value;
            }
        }
        let dependent = (0..sensitive.ncols()).filter(|column| !fit.columns.contains(column)).collect();
        Ok(Decorrelated { degree: self.degree, means, coefficients, dependent })
    }

    /// Fits by the groups of a batch: an indicator of each level of each attribute, rows of an unknown level at its mean.
    /// Weights are the batch's. Attributes that are none by name are all.
    ///
    /// # Errors
    /// As [`fit`](Self::fit); [`Error::MissingColumn`].
    pub fn fit_groups<S: Into<String>>(
        &self,
        features: ArrayView2<f64>,
        batch: &Batch,
        attributes: impl IntoIterator<Item = S>,
    ) -> Result<DecorrelatedGroups> {
        let names: Vec<String> = attributes.into_iter().map(Into::into).collect();
        let levels = super::levels(batch, &names)?;
        let sensitive = indicators(batch, &levels)?;
        let weights = batch.weight.as_ref().map(|w| &w.values[..]);
        // A row of unknown level says nothing of it: it stands where it pulls neither way.
        let known = sensitive.rows().into_iter().map(|r| r.iter().all(|v| !v.is_nan())).collect::<Vec<bool>>();
        let zeroed: Vec<f64> = known
            .iter()
            .enumerate()
            .map(|(i, known)| if *known { weights.map_or(1.0, |w| w[i]) } else { 0.0 })
            .collect();
        let filled = sensitive.mapv(|v| if v.is_nan() { 0.0 } else { v });
        let fitted = self.fit(features, filled.view(), Some(&zeroed))?;
        Ok(DecorrelatedGroups { levels, fitted, left_alone: known.iter().filter(|k| !**k).count() as u64 })
    }
}

impl Decorrelated {
    /// The features of rows, these or others, without what their sensitive columns tell.
    ///
    /// # Errors
    /// [`Error::UnequalLengths`] for other numbers of rows or columns; [`Error::BadNumber`].
    pub fn transform(&self, features: ArrayView2<f64>, sensitive: ArrayView2<f64>) -> Result<Array2<f64>> {
        check_features("feature", features)?;
        check_features("sensitive column", sensitive)?;
        self.check(features, sensitive)?;
        Ok(self.apply(features, sensitive))
    }

    fn check(&self, features: ArrayView2<f64>, sensitive: ArrayView2<f64>) -> Result<()> {
        let columns = self.coefficients.first().map_or(features.ncols(), Vec::len);
        for (what, found, expected) in [
            ("columns of features", features.ncols(), columns),
            ("sensitive columns", sensitive.ncols(), self.means.len()),
        ] {
            if found != expected {
                return Err(Error::setting(
                    &format!("the number of {what}"),
                    found,
                    format!("the {expected} of the fit"),
                ));
            }
        }
        if features.nrows() != sensitive.nrows() {
            let (rows, expected) = (sensitive.nrows(), features.nrows());
            return Err(Error::UnequalLengths { column: "sensitive".into(), rows, expected });
        }
        Ok(())
    }

    fn apply(&self, features: ArrayView2<f64>, sensitive: ArrayView2<f64>) -> Array2<f64> {
        let mut out = features.to_owned();
        for (mut row, s) in out.outer_iter_mut().zip(sensitive.outer_iter()) {
            for ((s, mean), coefficients) in s.iter().zip(&self.means).zip(&self.coefficients) {
                let apart = self.degree * (s - mean);
                // NaN marks a row whose level is not known: left alone.
                if apart != 0.0 && !apart.is_nan() {
                    row.iter_mut().zip(coefficients).for_each(|(x, c)| *x -= apart * c);
                }
            }
        }
        out
    }
}

/// Features decorrelated from the levels of attributes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecorrelatedGroups {
    /// Each attribute with its levels: the sensitive columns, in this order.
    pub levels: Vec<(String, Vec<String>)>,
    /// The fit.
    pub fitted: Decorrelated,
    /// Rows that were not fitted on, because a level of theirs is not known.
    pub left_alone: u64,
}

impl DecorrelatedGroups {
    /// The features of a batch's rows without what their levels tell; rows with a level that is not known are left alone.
    ///
    /// # Errors
    /// [`Error::MissingColumn`]; [`Error::Unknown`] for a level that was not fitted; [`Error::UnequalLengths`],
    /// [`Error::BadNumber`].
    pub fn transform(&self, features: ArrayView2<f64>, batch: &Batch) -> Result<Array2<f64>> {
        check_features("feature", features)?;
        let mut sensitive = indicators(batch, &self.levels)?;
        // Unknown in one attribute: alone in all.
        for mut row in sensitive.outer_iter_mut().filter(|r| r.iter().any(|v| v.is_nan())) {
            row.fill(f64::NAN);
        }
        self.fitted.check(features, sensitive.view())?;
        Ok(self.fitted.apply(features, sensitive.view()))
    }
}

/// Orthonormal columns of what was fitted on, and the triangle that leads back from them.
struct LeastSquares {
    /// The columns that count.
    columns: Vec<usize>,
    basis: Vec<Array1<f64>>,
    /// `triangle[k][l]`: the part of basis l, l <= k, in column k.
    triangle: Vec<Vec<f64>>,
}

impl LeastSquares {
    /// Of centred columns, by Gram and Schmidt, each made orthogonal twice.
    fn of(columns: ArrayView2<f64>, means: &[f64], weights: &[f64]) -> Self {
        let mut found = LeastSquares { columns: Vec::new(), basis: Vec::new(), triangle: Vec::new() };
        for (number, (s, mean)) in columns.axis_iter(Axis(1)).zip(means).enumerate() {
            let mut own: Array1<f64> = s.iter().zip(weights).map(|(s, w)| (s - mean) * w.sqrt()).collect();
            let size = own.dot(&own).sqrt();
            // What rounding leaves of a constant.
            let noise = s.iter().zip(weights).map(|(s, w)| s * s * w).sum::<f64>().sqrt() * 1e-13;
            let mut parts = vec![0.0; found.basis.len()];
            for _ in 0..2 {
                for (q, part) in found.basis.iter().zip(&mut parts) {
                    let along = q.dot(&own);
                    *part += along;
                    own.scaled_add(-along, q);
                }
            }
            let left = own.dot(&own).sqrt();
            if left > size * TOLERANCE && left > noise {
                own /= left;
                parts.push(left);
                found.columns.push(number);
                found.basis.push(own);
                found.triangle.push(parts);
            }
        }
        found
    }

    /// The coefficient of each column that counts.
    fn solve(&self, values: &[f64]) -> Vec<f64> {
        let mut along: Vec<f64> = self.basis.iter().map(|q| q.iter().zip(values).map(|(q, v)| q * v).sum()).collect();
        for k in (0..along.len()).rev() {
            along[k] /= self.triangle[k][k];
            let value = along[k];
            (0..k).for_each(|l| along[l] -= self.triangle[k][l] * value);
        }
        along
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::data::Categorical;

    fn noise(i: usize, k: usize) -> f64 {
        ((i * k) % 101) as f64 / 101.0
    }

    #[test]
    fn half_of_it_and_none_of_it() {
        let (s, x) = (array![[0.0], [0.0], [1.0], [1.0]], array![[1.0], [2.0], [5.0], [6.0]]);
        for (degree, expected) in [(0.5, [2.0, 3.0, 4.0, 5.0]), (0.0, [1.0, 2.0, 5.0, 6.0])] {
            // fairlearn 0.15.0, CorrelationRemover with alpha 0.5.
            let fitted = CorrelationRemover::new().degree(degree).fit(x.view(), s.view(), None).unwrap();
            assert_eq!(fitted.transform(x.view(), s.view()).unwrap().column(0).to_vec(), expected);
        }
        assert!(CorrelationRemover::new().degree(1.5).fit(x.view(), s.view(), None).is_err());
    }

    #[test]
    fn fairlearn_agrees_on_these_rows_and_others() {
        let s = Array2::from_shape_fn((8, 2), |(i, j)| if j == 0 { (i % 2) as f64 } else { (i * 3 % 5) as f64 });
        let x = Array2::from_shape_fn((8, 2), |(i, j)| match j {
            0 => (i * i % 7) as f64,
            _ => i as f64 + 2.0 * (i % 2) as f64 - 0.5 * (i * 3 % 5) as f64,
        });
        let (new_s, new_x) = (array![[1.0, 9.0], [0.0, -1.0]], array![[2.0, 3.0], [5.0, 5.0]]);
        // fairlearn 0.15.0, CorrelationRemover: the first two rows of the fit, then two new ones.
        for (degree, own, new) in [
            (1.0, [[-0.25, 0.625], [7.0 / 6.0, 0.625]], [[3.166666666666668, 5.125], [4.583333333333333, 5.125]]),
            (0.3, [[-0.075, 0.1875], [1.05, 1.2375]], [[2.35, 3.6375], [4.875, 5.0375]]),
        ] {
            let fitted = CorrelationRemover::new().degree(degree).fit(x.view(), s.view(), None).unwrap();
            let all = fitted.transform(x.view(), s.view()).unwrap();
            let others = fitted.transform(new_x.view(), new_s.view()).unwrap();
            for i in 0..4 {
                let (row, column) = (i / 2, i % 2);
                assert!((all[[row, column]] - own[row][column]).abs() < 1e-12);
                assert!((others[[row, column]] - new[row][column]).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn residuals_are_orthogonal_whatever_the_rank() {
        let n = 80;
        let s = Array2::from_shape_fn((n, 5), |(i, j)| match j {
            0 => noise(i, 7),
            1 => 3.0,
            2 => noise(i, 13) * 1e6,
            3 => 2.0 * noise(i, 7) - 1e-6 * (noise(i, 13) * 1e6) + 4.0,
            _ => f64::from(u8::from(i % 3 == 0)),
        });
        let x = Array2::from_shape_fn((n, 3), |(i, j)| noise(i, 17 + j) + s[[i, 0]] - s[[i, 4]] + 1e4);
        let weights: Vec<f64> = (0..n).map(|i| (i % 4) as f64).collect();
        for weights in [None, Some(&weights[..])] {
            let fitted = CorrelationRemover::new().fit(x.view(), s.view(), weights).unwrap();
            assert_eq!(fitted.dependent, [1, 3]);
            let out = fitted.transform(x.view(), s.view()).unwrap();
            let w = |i: usize| weights.map_or(1.0, |w| w[i]);
            let total: f64 = (0..n).map(w).sum();
            for column in 0..3 {
                let mean = (0..n).map(|i| w(i) * out[[i, column]]).sum::<f64>() / total;
                let was = (0..n).map(|i| w(i) * x[[i, column]]).sum::<f64>() / total;
                assert!((mean - was).abs() < 1e-8);
                for j in [0, 2, 3, 4] {
                    let scale = (0..n).map(|i| s[[i, j]].abs()).fold(0.0, f64::max);
                    let apart: f64 = (0..n).map(|i| w(i) * (out[[i, column]] - mean) * s[[i, j]] / scale).sum();
                    assert!(apart.abs() < 1e-7, "{column} {j}: {apart}");
                }
            }
        }
    }

    #[test]
    fn groups_come_to_one_mean() {
        let sex = Categorical::from_options("sex", [Some("f"), Some("f"), None, Some("m"), Some("m")]);
        let batch = |c: &Categorical<'static>| {
            Batch::builder().attribute(c.clone()).label(vec![0u8; c.codes().len()]).build().unwrap()
        };
        let x = array![[1.0], [3.0], [100.0], [7.0], [9.0]];
        let fitted = CorrelationRemover::new().fit_groups(x.view(), &batch(&sex), Vec::<String>::new()).unwrap();
        assert_eq!(fitted.left_alone, 1);
        let out = fitted.transform(x.view(), &batch(&sex)).unwrap();
        let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        out.column(0).iter().zip([4.0, 6.0, 100.0, 4.0, 6.0]).for_each(|(a, b)| close(*a, b));
        let other = Categorical::from_values("sex", ["x", "f"]);
        let error = fitted.transform(array![[0.0], [0.0]].view(), &batch(&other)).unwrap_err().to_string();
        assert!(error.contains("`x`"), "{error}");
        let wrong = fitted
            .transform(array![[0.0, 1.0], [0.0, 1.0]].view(), &batch(&Categorical::from_values("sex", ["m", "f"])));
        assert!(wrong.unwrap_err().to_string().contains("number of columns"));
        let slip = |x: Array2<f64>, s: Array2<f64>| {
            CorrelationRemover::new().fit(x.view(), s.view(), None).unwrap_err().to_string()
        };
        assert!(slip(array![[f64::NAN]], array![[1.0]]).contains("row 1"));
        assert!(slip(Array2::zeros((0, 1)), Array2::zeros((0, 1))).contains("no weighted row"));
        assert!(slip(Array2::zeros((2, 1)), Array2::zeros((1, 1))).contains("sensitive"));
    }
}
