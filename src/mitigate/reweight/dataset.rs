//! Weights for `linfa`: on a dataset for learners that read them, drawn into rows for those that do not.

use linfa::Float;
use linfa::dataset::{AsTargets, DatasetBase, FromTargetArrayOwned};
use ndarray::{Array2, Axis, Data, Ix2};

use super::resample;
use crate::{Error, Result};

/// The dataset with these weights, one a row (finite, at least 0). They become `f32`, which is what linfa keeps.
///
/// Shuffling, folding or copying the dataset afterwards drops them without a word: weigh last.
///
/// # Errors
/// [`Error::UnequalLengths`]: linfa itself does not look.
///
/// # Examples
/// ```
/// use evenhand::mitigate::reweight::weighted;
/// use linfa::Dataset;
/// use ndarray::array;
/// let train = weighted(Dataset::new(array![[1.0], [2.0]], array![false, true]), &[0.5, 1.5])?;
/// assert_eq!(train.weights(), Some(&[0.5f32, 1.5][..]));
/// # Ok::<(), evenhand::Error>(())
/// ```
pub fn weighted<R, T>(dataset: DatasetBase<R, T>, weights: &[f64]) -> Result<DatasetBase<R, T>>
where
    R: linfa::dataset::Records,
{
    check(weights, dataset.records().nsamples())?;
    Ok(dataset.with_weights(weights.iter().map(|w| *w as f32).collect()))
}

/// A dataset of rows drawn by these weights, as [`resample`] draws them: any learner feels it.
///
/// `rows` is how many to draw, `None` as many as there are. Names of features are kept; the new dataset has no weights.
///
/// # Errors
/// [`Error::UnequalLengths`], and those of [`resample`].
///
/// # Examples
/// ```
/// use evenhand::mitigate::reweight::resampled;
/// use linfa::Dataset;
/// use ndarray::array;
/// let dataset = Dataset::new(array![[1.0], [2.0], [3.0]], array![0usize, 1, 1]);
/// let drawn = resampled(&dataset, &[0.0, 1.0, 1.0], Some(4), 7)?;
/// assert_eq!(drawn.records().sum(), 10.0);
/// # Ok::<(), evenhand::Error>(())
/// ```
pub fn resampled<F, D, T>(
    dataset: &DatasetBase<ndarray::ArrayBase<D, Ix2>, T>,
    weights: &[f64],
    rows: Option<usize>,
    seed: u64,
) -> Result<DatasetBase<Array2<F>, T::Owned>>
where
    F: Float,
    D: Data<Elem = F>,
    T: AsTargets + FromTargetArrayOwned,
    T::Elem: Clone,
{
    let found = dataset.records().nrows();
    check(weights, found)?;
    let drawn = resample(weights, rows.unwrap_or(found), seed)?;
    let records = dataset.records().select(Axis(0), &drawn);
    let targets = dataset.as_targets().select(Axis(0), &drawn);
    let mut sample = DatasetBase::new(records, T::new_targets(targets));
    if !dataset.feature_names().is_empty() {
        sample = sample.with_feature_names(dataset.feature_names().to_vec());
    }
    Ok(sample)
}

fn check(weights: &[f64], expected: usize) -> Result<()> {
    match weights.len() {
        rows if rows == expected => Ok(()),
        rows => Err(Error::UnequalLengths { column: "weight".into(), rows, expected }),
    }
}
