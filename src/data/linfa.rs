//! From `linfa` datasets.

use linfa::dataset::{AsSingleTargets, DatasetBase};
use ndarray::ArrayView1;

use super::{BatchBuilder, Binary, Numbers};

impl<'a> BatchBuilder<'a> {
    /// Takes the label, and the weights where there are any, from a dataset: targets of `bool`, or of `usize`
    /// 0 and 1, one a row. The model's predictions are then its [`decision`](Self::decision).
    ///
    /// linfa has no place for protected attributes: keep them as columns of their own, in the order of the
    /// records, and mind that shuffling or splitting a dataset does not move them along.
    ///
    /// # Examples
    /// ```
    /// use evenhand::audit::AuditPlan;
    /// use evenhand::data::{Batch, Categorical};
    /// use linfa::Dataset;
    /// use ndarray::array;
    ///
    /// let held_out = Dataset::new(array![[0.1], [0.7], [0.4], [0.9]], array![false, true, false, true]);
    /// let predicted = array![false, true, true, true]; // model.predict(&held_out)
    /// let batch = Batch::builder()
    ///     .attribute(Categorical::from_values("sex", ["f", "m", "f", "m"]))
    ///     .dataset(&held_out)
    ///     .decision(predicted.view())
    ///     .build()?;
    /// let report = AuditPlan::new().run(&batch)?;
    /// assert_eq!(report.metric("selection_rate")?.group("f")?.value(), Ok(0.5));
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    #[must_use]
    pub fn dataset<R, T>(self, dataset: &'a DatasetBase<R, T>) -> Self
    where
        R: linfa::dataset::Records,
        T: AsSingleTargets,
        ArrayView1<'a, T::Elem>: Into<Binary<'a>>,
    {
        let batch = self.label(dataset.targets.as_single_targets());
        match dataset.weights() {
            Some(weights) => batch.weight(Numbers::from(weights)),
            None => batch,
        }
    }
}
