//! What a mitigation is shown: the training rows whole, the held-out rows without their labels.

use ndarray::{Array2, ArrayView2, Axis};

use super::split::{self, Strata};
use crate::data::{Batch, Binary, Categorical, Codes, Model, Numbers};
use crate::mitigate::groups::Groups;
use crate::{Error, Place, Result};

/// Rows that a mitigation may learn from: copies, with no way back to the rows that it is judged on.
#[derive(Debug, Clone)]
pub struct Train {
    features: Array2<f64>,
    batch: Batch<'static>,
    attributes: Vec<String>,
    labels: Vec<bool>,
    weights: Vec<f64>,
    seed: u64,
}

impl Train {
    /// The features, a row for each person.
    pub fn features(&self) -> ArrayView2<'_, f64> {
        self.features.view()
    }

    /// Whether each row's label is favourable. Every label is known.
    pub fn labels(&self) -> &[bool] {
        &self.labels
    }

    /// Each row's own weight: 1 where the batch had none.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The rows' attributes, strata, label and weight.
    pub fn batch(&self) -> &Batch<'static> {
        &self.batch
    }

    /// The attributes that make the groups.
    pub fn attributes(&self) -> &[String] {
        &self.attributes
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.labels.len()
    }

    /// A seed for what the mitigation draws: another one for each part and repeat.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The batch with a score for each row, as a model named `score` that selects from a half: for what is fitted on scores.
    ///
    /// # Errors
    /// [`Error::UnequalLengths`], [`Error::BadNumber`] for a score that is not finite.
    pub fn scored(&self, scores: Vec<f64>) -> Result<Batch<'static>> {
        scored(&self.batch, scores)
    }

    /// The same rows with other features.
    ///
    /// # Errors
    /// [`Error::UnequalLengths`].
    pub fn with_features(&self, features: Array2<f64>) -> Result<Self> {
        if features.nrows() != self.rows() {
            return Err(Error::UnequalLengths {
                column: "features".into(),
                rows: features.nrows(),
                expected: self.rows(),
            });
        }
        Ok(Train { features, ..self.clone() })
    }

    /// Two parts: this share of the rows for a first step, the others for a second that the first must not have seen, such
    /// as thresholds. Stratified by group and label.
    ///
    /// # Examples
    /// ```
    /// use evenhand::data::{Batch, Categorical};
    /// use evenhand::mitigate::evaluate::{Evaluation, Held, Measure, Outcome, Train};
    /// use ndarray::{Array2, ArrayView2};
    /// # let batch = Batch::builder()
    /// #     .attribute(Categorical::from_keys("g", (0..400).map(|i| i % 2)))
    /// #     .label((0..400).map(|i| i / 2 % 4 == 0).collect::<Vec<bool>>().as_slice())
    /// #     .build()?;
    /// # let features = Array2::from_shape_fn((400, 1), |(i, _)| ((i * 7) % 400) as f64 / 400.0);
    /// // A model, then one threshold that selects a quarter, found on rows that the model has not seen.
    /// let quarter = |train: &Train| {
    ///     let (fit, tune) = train.split(0.7)?;
    ///     assert_eq!((fit.rows(), tune.rows()), (224, 96));
    ///     let mut scores = tune.features().column(0).to_vec(); // model.scores(tune.features())
    ///     scores.sort_by(|a, b| b.total_cmp(a));
    ///     let threshold = scores[scores.len() / 4 - 1];
    ///     Ok(move |held: &Held| {
    ///         let selected: Vec<bool> = held.features().column(0).iter().map(|s| *s >= threshold).collect();
    ///         Ok(Outcome::of_decisions(&selected))
    ///     })
    /// };
    /// let learner = |_: ArrayView2<f64>, _: &[bool], _: &[f64]| Ok(|x: ArrayView2<f64>| x.column(0).to_vec());
    /// let report = Evaluation::new(learner).mitigation("a quarter", quarter).run(features.view(), &batch)?;
    /// let rate = report.mitigations[0].figure(Measure::SelectionRate).unwrap().estimate.value.unwrap();
    /// assert!((rate - 0.25).abs() < 0.05);
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::BadSetting`] for a share outside (0, 1), or one that leaves a part empty.
    pub fn split(&self, share: f64) -> Result<(Self, Self)> {
        let groups = Groups::of(&self.batch, &self.attributes)?;
        let strata = Strata::of(&groups.of_row, &self.labels, groups.len());
        let second = split::held_out(&strata, 1.0 - share, self.seed, 0)?;
        let part = |wanted: bool| {
            let rows: Vec<usize> = (0..self.rows()).filter(|row| second[*row] != wanted).collect();
            Train::of(self.features.view(), &self.batch, &self.attributes, &rows, self.seed)
        };
        Ok((part(true)?, part(false)?))
    }

    /// Some rows of a batch, whose labels must be known.
    pub(super) fn of(
        features: ArrayView2<f64>,
        batch: &Batch,
        attributes: &[String],
        rows: &[usize],
        seed: u64,
    ) -> Result<Self> {
        let codes = batch.label.as_ref().map_or(&[][..], |label| label.codes());
        let label: Vec<u8> = rows.iter().map(|row| codes[*row]).collect();
        let labels: Vec<bool> = label.iter().map(|code| *code == 1).collect();
        let given = batch.weight.as_ref().map(|weight| &weight.values[..]);
        let weights: Vec<f64> = rows.iter().map(|row| given.map_or(1.0, |weight| weight[*row])).collect();
        let mut part = people(batch, rows)?;
        part.label = Some(Binary::from(label));
        part.weight = given.map(|_| Numbers::from(weights.clone()));
        Ok(Train {
            features: features.select(Axis(0), rows),
            batch: part,
            attributes: attributes.to_vec(),
            labels,
            weights,
            seed,
        })
    }
}

/// Rows to decide on: features, and the attributes for a mitigation that said that it needs them. Never a label.
#[derive(Debug, Clone)]
pub struct Held {
    features: Array2<f64>,
    people: Option<Batch<'static>>,
    seed: u64,
}

impl Held {
    /// The features, a row for each person.
    pub fn features(&self) -> ArrayView2<'_, f64> {
        self.features.view()
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.features.nrows()
    }

    /// A seed for what is drawn to decide.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The rows' attributes and strata, without labels.
    ///
    /// # Errors
    /// [`Error::Nothing`] unless the mitigation was added as one that knows groups.
    pub fn people(&self) -> Result<&Batch<'static>> {
        self.people.as_ref().ok_or(Error::Nothing {
            problem: "the attributes of held-out rows are not shown to this mitigation; add it by `knowing_groups`",
            place: Place::default(),
        })
    }

    /// The attributes with a score for each row, as a model named `score` that selects from a half.
    ///
    /// # Errors
    /// As [`people`](Self::people); [`Error::UnequalLengths`], [`Error::BadNumber`] for a score that is not finite.
    pub fn scored(&self, scores: Vec<f64>) -> Result<Batch<'static>> {
        scored(self.people()?, scores)
    }

    /// The same rows with other features.
    ///
    /// # Errors
    /// [`Error::UnequalLengths`].
    pub fn with_features(&self, features: Array2<f64>) -> Result<Self> {
        if features.nrows() != self.rows() {
            let (rows, expected) = (features.nrows(), self.rows());
            return Err(Error::UnequalLengths { column: "features".into(), rows, expected });
        }
        Ok(Held { features, ..self.clone() })
    }

    pub(super) fn of(
        features: ArrayView2<f64>,
        batch: &Batch,
        rows: &[usize],
        knows_groups: bool,
        seed: u64,
    ) -> Result<Self> {
        let people = if knows_groups { Some(people(batch, rows)?) } else { None };
        Ok(Held { features: features.select(Axis(0), rows), people, seed })
    }
}

/// What a fitted mitigation says of held-out rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub(super) decisions: Vec<f64>,
    pub(super) scores: Option<Vec<f64>>,
}

impl Outcome {
    /// Selected where the score is at least a half.
    pub fn of_scores(scores: Vec<f64>) -> Self {
        Outcome { decisions: scores.iter().map(|s| f64::from(u8::from(*s >= 0.5))).collect(), scores: Some(scores) }
    }

    /// Plain decisions.
    pub fn of_decisions(decisions: &[bool]) -> Self {
        Self::of_chances(decisions.iter().map(|d| f64::from(u8::from(*d))).collect())
    }

    /// The chance of each row to be selected, in [0, 1]: decisions that are drawn are judged by what is expected of them.
    pub fn of_chances(chances: Vec<f64>) -> Self {
        Outcome { decisions: chances, scores: None }
    }

    /// Adds scores, from which the area under the ROC curve is measured.
    #[must_use]
    pub fn with_scores(mut self, scores: Vec<f64>) -> Self {
        self.scores = Some(scores);
        self
    }

    /// Fails where it does not fit the rows.
    pub(super) fn check(&self, name: &str, rows: usize) -> Result<()> {
        let parts = [
            (Some(&self.decisions), "decisions", "a chance in [0, 1]"),
            (self.scores.as_ref(), "scores", "a finite score"),
        ];
        for (values, what, expected) in parts {
            let Some(values) = values else { continue };
            let column = format!("{what} of {name}");
            if values.len() != rows {
                return Err(Error::UnequalLengths { column, rows: values.len(), expected: rows });
            }
            let fits = |v: &f64| if what == "scores" { v.is_finite() } else { (0.0..=1.0).contains(v) };
            if let Some(at) = values.iter().position(|v| !fits(v)) {
                return Err(Error::BadNumber {
                    column,
                    value: values[at].to_string(),
                    place: Place::row(at),
                    expected,
                });
            }
        }
        Ok(())
    }
}

fn scored(batch: &Batch<'static>, scores: Vec<f64>) -> Result<Batch<'static>> {
    if scores.len() != batch.rows {
        return Err(Error::UnequalLengths { column: "score".into(), rows: scores.len(), expected: batch.rows });
    }
    if let Some(at) = scores.iter().position(|s| !s.is_finite()) {
        return Err(Error::BadNumber {
            column: "score".into(),
            value: scores[at].to_string(),
            place: Place::row(at),
            expected: "a finite score",
        });
    }
    let mut batch = batch.clone();
    batch.models = vec![Model::threshold("score", scores, 0.5)];
    Ok(batch)
}

/// The attributes and strata of some rows.
fn people(batch: &Batch, rows: &[usize]) -> Result<Batch<'static>> {
    let columns = |of: &[Categorical]| of.iter().map(|column| part(column, rows)).collect::<Result<Vec<_>>>();
    Ok(Batch {
        rows: rows.len(),
        attributes: columns(&batch.attributes)?,
        strata: columns(&batch.strata)?,
        label: None,
        models: Vec::new(),
        segmentations: Vec::new(),
        weight: None,
        target: None,
        parts: None,
    })
}

fn part(column: &Categorical, rows: &[usize]) -> Result<Categorical<'static>> {
    let codes: Codes<'static> = match column.codes() {
        Codes::U8(codes) => rows.iter().map(|row| codes[*row]).collect::<Vec<u8>>().into(),
        Codes::U16(codes) => Codes::U16(rows.iter().map(|row| codes[*row]).collect()),
        Codes::U32(codes) => rows.iter().map(|row| codes[*row]).collect::<Vec<u32>>().into(),
    };
    let column_of = Categorical::from_codes(column.name(), column.levels().iter().cloned(), codes)?;
    Ok(if column.is_ordered() { column_of.ordered() } else { column_of })
}
