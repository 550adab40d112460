//! A batch of rows: borrowed columns with their parts, checked once.

use std::borrow::Cow;

use ndarray::ArrayView1;
use serde::{Deserialize, Serialize};

use super::{Binary, Categorical, Segments};
use crate::error::{Error, Place, Result};

/// How many are selected when a decision is made from the best scores.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Top {
    /// So many rows.
    Count(u64),
    /// This share of the rows with a score, in (0, 1]; the count is rounded to the nearest.
    Share(f64),
    /// The rows whose score is strictly above the median of all rows with a score, weights aside: who is at the median is
    /// not selected. (The scoring rate of New York City's Local Law 144, 6 RCNY 5-300.)
    AboveMedian,
}

impl Top {
    /// How many of the rows with a score are selected; `None` where the median says.
    fn selected(self, n: u64) -> Result<Option<u64>> {
        match self {
            Top::Count(k) if k <= n && k > 0 => Ok(Some(k)),
            Top::Count(k) => {
                Err(Error::setting("the number to select", k, format!("from 1 to the {n} rows with a score")))
            }
            Top::Share(share) if share > 0.0 && share <= 1.0 => Ok(Some((share * n as f64).round() as u64)),
            Top::Share(share) => Err(Error::setting("the share to select", share, "more than 0 and at most 1")),
            Top::AboveMedian => Ok(None),
        }
    }
}

/// Numbers, one a row: borrowed or owned `f64`. Only `Option<f64>` can say that one is missing: a NaN
/// in plain numbers is an error, since it is more often a slip than a statement.
#[derive(Debug, Clone)]
pub struct Numbers<'a> {
    /// The values, NaN where one is missing.
    pub(crate) values: Cow<'a, [f64]>,
    /// Whether NaN means missing.
    pub(crate) optional: bool,
}

impl Numbers<'_> {
    /// The same numbers, borrowed.
    pub(crate) fn borrowed(&self) -> Numbers<'_> {
        Numbers { values: Cow::Borrowed(&self.values), optional: self.optional }
    }
}

#[cfg(any(feature = "csv", feature = "parquet"))]
impl<'a> Numbers<'a> {
    /// Numbers that a reader has checked; NaN is missing.
    pub(crate) fn trusted(values: &'a [f64]) -> Self {
        Numbers { values: Cow::Borrowed(values), optional: true }
    }
}

impl<'a> From<&'a [f64]> for Numbers<'a> {
    fn from(values: &'a [f64]) -> Self {
        Numbers { values: Cow::Borrowed(values), optional: false }
    }
}

impl<'a> From<&'a Vec<f64>> for Numbers<'a> {
    fn from(values: &'a Vec<f64>) -> Self {
        Numbers { values: Cow::Borrowed(values), optional: false }
    }
}

impl From<Vec<f64>> for Numbers<'_> {
    fn from(values: Vec<f64>) -> Self {
        Numbers { values: Cow::Owned(values), optional: false }
    }
}

impl<const N: usize> From<[f64; N]> for Numbers<'_> {
    fn from(values: [f64; N]) -> Self {
        values.to_vec().into()
    }
}

impl From<&[Option<f64>]> for Numbers<'_> {
    fn from(values: &[Option<f64>]) -> Self {
        Numbers { values: values.iter().map(|v| v.unwrap_or(f64::NAN)).collect(), optional: true }
    }
}

impl From<&Vec<Option<f64>>> for Numbers<'_> {
    fn from(values: &Vec<Option<f64>>) -> Self {
        values.as_slice().into()
    }
}

impl From<&[f32]> for Numbers<'_> {
    fn from(values: &[f32]) -> Self {
        values.iter().map(|v| f64::from(*v)).collect::<Vec<_>>().into()
    }
}

impl<'a> From<ArrayView1<'a, f64>> for Numbers<'a> {
    fn from(values: ArrayView1<'a, f64>) -> Self {
        match values.to_slice() {
            Some(slice) => slice.into(),
            None => values.to_vec().into(),
        }
    }
}

impl From<ArrayView1<'_, f32>> for Numbers<'_> {
    fn from(values: ArrayView1<'_, f32>) -> Self {
        values.iter().map(|v| f64::from(*v)).collect::<Vec<_>>().into()
    }
}

/// One model's outcome for each row: a decision given, or made from a score.
///
/// Several models side by side are several of these in one [`Batch`].
#[derive(Debug, Clone)]
pub struct Model<'a> {
    pub(crate) name: String,
    pub(crate) rule: Rule<'a>,
    pub(crate) score: Option<Numbers<'a>>,
    /// What the score is called, where several models may have the same.
    pub(crate) score_name: Option<String>,
}

/// How a row's decision is found.
#[derive(Debug, Clone)]
pub(crate) enum Rule<'a> {
    /// There is only a score.
    None,
    /// It is given.
    Given(Binary<'a>),
    /// Selected where the score is at least this.
    AtLeast(f64),
    /// Selected among the best; the cut is found when the batch is built.
    Top(Top),
    /// Selected above the cut; those at the cut share what is left.
    Cut(Cut),
}

/// A selection of the best `selected` scores: those above `cut`, and of those at it the share `edge`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Cut {
    /// How many are selected.
    pub selected: u64,
    /// The score at the edge.
    pub cut: f64,
    /// The rows tied at the edge.
    pub tied: u64,
    /// The share of the tied that is selected, in [0, 1]; 0 where only scores strictly above the cut are.
    pub edge: f64,
}

impl Cut {
    /// Finds the cut for the best scores. Missing scores (NaN) are never selected.
    pub(crate) fn find(top: Top, scores: impl IntoIterator<Item = f64>) -> Result<Option<Self>> {
        let mut scores: Vec<f64> = scores.into_iter().filter(|s| !s.is_nan()).collect();
        let Some(k) = top.selected(scores.len() as u64)? else { return Ok(Self::above_median(scores)) };
        if k == 0 {
            return Ok(None);
        }
        let (_, &mut cut, _) = scores.select_nth_unstable_by(k as usize - 1, |a, b| b.total_cmp(a));
        let above = scores.iter().filter(|s| **s > cut).count() as u64;
        let tied = scores.iter().filter(|s| **s == cut).count() as u64;
        Ok(Some(Cut { selected: k, cut, tied, edge: (k - above) as f64 / tied as f64 }))
    }

    /// The same where each score is that of so many rows.
    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn of_cells(top: Top, cells: impl IntoIterator<Item = (f64, u64)>) -> Result<Option<Self>> {
        let mut cells: Vec<(f64, u64)> = cells.into_iter().filter(|(s, _)| !s.is_nan()).collect();
        cells.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let n: u64 = cells.iter().map(|(_, rows)| rows).sum();
        // The score of the row at a place from the best, counted from 0.
        let at = |place: u64| {
            let mut before = 0;
            let found = cells.iter().find(|(_, rows)| {
                before += rows;
                before > place
            });
            found.map_or(0.0, |(score, _)| *score)
        };
        let count = |of: &dyn Fn(f64) -> bool| cells.iter().filter(|(s, _)| of(*s)).map(|(_, rows)| rows).sum::<u64>();
        match top.selected(n)? {
            Some(0) => Ok(None),
            Some(k) => {
                let cut = at(k - 1);
                let (above, tied) = (count(&|s| s > cut), count(&|s| s == cut));
                Ok(Some(Cut { selected: k, cut, tied, edge: (k - above) as f64 / tied as f64 }))
            }
            None if n == 0 => Ok(None),
            None => {
                let (upper, lower) = (at(n - 1 - n / 2), at(n - 1 - (n - 1) / 2));
                let cut = if lower == upper { upper } else { lower / 2.0 + upper / 2.0 };
                let (selected, tied) = (count(&|s| s > cut), count(&|s| s == cut));
                Ok(Some(Cut { selected, cut, tied, edge: 0.0 }))
            }
        }
    }

    /// The cut at the median, which of an even number is midway between the two in the middle. `None` without scores.
    fn above_median(mut scores: Vec<f64>) -> Option<Self> {
        let n = scores.len();
        let (below, &mut upper, _) = (n > 0).then(|| scores.select_nth_unstable_by(n / 2, f64::total_cmp))?;
        let lower = if n % 2 == 1 { upper } else { below.iter().copied().fold(f64::NEG_INFINITY, f64::max) };
        // Halves, since the sum or the difference may be out of range.
        let cut = if lower == upper { upper } else { lower / 2.0 + upper / 2.0 };
        let count = |of: &dyn Fn(f64) -> bool| scores.iter().filter(|s| of(**s)).count() as u64;
        let (selected, tied) = (count(&|s| s > cut), count(&|s| s == cut));
        Some(Cut { selected, cut, tied, edge: 0.0 })
    }
}

impl<'a> Model<'a> {
    /// A model whose decisions are given.
    pub fn decision(name: impl Into<String>, decision: impl Into<Binary<'a>>) -> Self {
        Model { name: name.into(), rule: Rule::Given(decision.into()), score: None, score_name: None }
    }

    /// A model known by its scores alone; a missing score is `None` in `&[Option<f64>]`.
    pub fn score(name: impl Into<String>, score: impl Into<Numbers<'a>>) -> Self {
        Model { name: name.into(), rule: Rule::None, score: Some(score.into()), score_name: None }
    }

    /// A model that selects a row where its score is at least the threshold.
    pub fn threshold(name: impl Into<String>, score: impl Into<Numbers<'a>>, threshold: f64) -> Self {
        Model { rule: Rule::AtLeast(threshold), ..Self::score(name, score) }
    }

    /// A model that selects the best scores. Where several rows are tied at the edge, each is counted
    /// as selected in part, so that exactly the number asked for is selected in expectation; the
    /// report says so.
    pub fn top(name: impl Into<String>, score: impl Into<Numbers<'a>>, top: Top) -> Self {
        Model { rule: Rule::Top(top), ..Self::score(name, score) }
    }

    /// Adds the score that the decisions were made from.
    #[must_use]
    pub fn with_score(mut self, score: impl Into<Numbers<'a>>) -> Self {
        self.score = Some(score.into());
        self
    }

    /// Names the score. Models whose scores have one name (several thresholds of one score) must have the same
    /// scores in every row; they are then kept once.
    #[must_use]
    pub fn score_named(mut self, name: impl Into<String>) -> Self {
        self.score_name = Some(name.into());
        self
    }
}

/// Rows to audit: attributes, strata, label, weight and one or more models, borrowed from the
/// caller and checked once.
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical};
/// let sex = Categorical::from_values("sex", ["f", "m", "f", "m"]);
/// let batch = Batch::builder()
///     .attribute(sex)
///     .label([1, 0, 1, 1])
///     .decision([0, 0, 1, 1])
///     .build()?;
/// assert_eq!(batch.rows(), 4);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Batch<'a> {
    pub(crate) rows: usize,
    pub(crate) attributes: Vec<Categorical<'a>>,
    pub(crate) strata: Vec<Categorical<'a>>,
    pub(crate) label: Option<Binary<'a>>,
    pub(crate) models: Vec<Model<'a>>,
    pub(crate) segmentations: Vec<Segments<'a>>,
    pub(crate) weight: Option<Numbers<'a>>,
    /// What scores forecast, where that is a number.
    pub(crate) target: Option<Numbers<'a>>,
    /// How large a part of each row is counted, of [`WHOLE`](super::parts::WHOLE); all of it where there is none.
    pub(crate) parts: Option<&'a [u32]>,
}

impl<'a> Batch<'a> {
    /// Starts a batch.
    pub fn builder() -> BatchBuilder<'a> {
        BatchBuilder::default()
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The attributes.
    pub fn attributes(&self) -> &[Categorical<'a>] {
        &self.attributes
    }
}

/// Collects the columns of a [`Batch`].
#[derive(Debug, Clone, Default)]
pub struct BatchBuilder<'a> {
    attributes: Vec<Categorical<'a>>,
    strata: Vec<Categorical<'a>>,
    label: Option<Binary<'a>>,
    models: Vec<Model<'a>>,
    segmentations: Vec<Segments<'a>>,
    weight: Option<Numbers<'a>>,
    target: Option<Numbers<'a>>,
}

impl<'a> BatchBuilder<'a> {
    /// Adds a protected attribute.
    #[must_use]
    pub fn attribute(mut self, column: Categorical<'a>) -> Self {
        self.attributes.push(column);
        self
    }

    /// Adds a stratum: a legitimate reason for a difference. Several are crossed.
    #[must_use]
    pub fn stratum(mut self, column: Categorical<'a>) -> Self {
        self.strata.push(column);
        self
    }

    /// Sets the label: what really happened.
    #[must_use]
    pub fn label(mut self, label: impl Into<Binary<'a>>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds a model with given decisions, named `decision`; see [`model`](Self::model) for more than one.
    #[must_use]
    pub fn decision(self, decision: impl Into<Binary<'a>>) -> Self {
        self.model(Model::decision("decision", decision))
    }

    /// Adds a model that is known by its scores alone, named `score`.
    #[must_use]
    pub fn score(self, score: impl Into<Numbers<'a>>) -> Self {
        self.model(Model::score("score", score))
    }

    /// Adds a model.
    #[must_use]
    pub fn model(mut self, model: Model<'a>) -> Self {
        self.models.push(model);
        self
    }

    /// Adds a segmentation: which segment each row is in.
    #[must_use]
    pub fn segments(mut self, segments: Segments<'a>) -> Self {
        self.segmentations.push(segments);
        self
    }

    /// Sets the weight of each row: finite and at least 0; if above 0, from 1e-100 to 1e100, so that squares
    /// can be summed.
    #[must_use]
    pub fn weight(mut self, weight: impl Into<Numbers<'a>>) -> Self {
        self.weight = Some(weight.into());
        self
    }

    /// Sets the number that scores forecast: spend, visits, days until something happens. Errors of forecasts are then the
    /// distances of scores from it, rather than from a label of 0 or 1.
    #[must_use]
    pub fn target(mut self, target: impl Into<Numbers<'a>>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// Checks the columns.
    ///
    /// # Errors
    /// [`Error::Nothing`] without a label, a model or segments, [`Error::UnequalLengths`],
    /// [`Error::Duplicate`] names, [`Error::BadNumber`] with column and row for a weight, score, label or
    /// decision outside its range, [`Error::BadSetting`] for a threshold or number to select, or a target that no score
    /// forecasts.
    pub fn build(mut self) -> Result<Batch<'a>> {
        let mut columns: Vec<(&str, usize)> = Vec::new();
        columns.extend(self.attributes.iter().chain(&self.strata).map(|c| (c.name(), c.codes().len())));
        columns.extend(self.label.iter().map(|l| ("label", l.codes().len())));
        for model in &self.models {
            if let Rule::Given(decision) = &model.rule {
                columns.push((&model.name, decision.codes().len()));
            }
            columns.extend(model.score.iter().map(|s| (model.name.as_str(), s.values.len())));
        }
        for segments in &self.segmentations {
            let of = [Some(&segments.column), segments.classes.as_ref()];
            columns.extend(of.into_iter().flatten().map(|c| (c.name(), c.codes().len())));
        }
        columns.extend(self.weight.iter().map(|w| ("weight", w.values.len())));
        columns.extend(self.target.iter().map(|t| ("target", t.values.len())));
        let rows = columns.first().map_or(0, |c| c.1);
        if let Some((column, found)) = columns.iter().find(|c| c.1 != rows) {
            return Err(Error::UnequalLengths { column: (*column).into(), rows: *found, expected: rows });
        }
        if self.label.is_none() && self.models.is_empty() && self.segmentations.is_empty() {
            let problem = "give a label, a decision, a score or segments";
            return Err(Error::Nothing { problem, place: Place::default() });
        }
        if rows == 0 {
            return Err(Error::Nothing { problem: "there are no rows", place: Place::default() });
        }
        for names in [
            self.attributes.iter().chain(&self.strata).map(|c| c.name()).collect(),
            self.models
                .iter()
                .map(|m| m.name.as_str())
                .chain(self.segmentations.iter().map(|s| s.column.name()))
                .collect::<Vec<_>>(),
        ] {
            unique(&names)?;
        }
        if let Some(label) = &mut self.label {
            label.settle("label")?;
        }
        if let Some(weight) = &self.weight {
            check_numbers("weight", &weight.values, is_weight, WEIGHT)?;
        }
        if let Some(target) = &self.target {
            if self.models.iter().all(|m| m.score.is_none()) {
                return Err(Error::setting(
                    "the target",
                    "given without a score",
                    "a model with a score that forecasts it",
                ));
            }
            let fits = |t: f64| t.is_finite() || (target.optional && t.is_nan());
            check_numbers(
                "target",
                &target.values,
                fits,
                "a finite number (leave it empty, or None, where it is missing)",
            )?;
        }
        let mut models = self.models;
        for model in &mut models {
            model.check()?;
        }
        Ok(Batch {
            parts: None,
            rows,
            attributes: self.attributes,
            strata: self.strata,
            label: self.label,
            models,
            segmentations: self.segmentations,
            weight: self.weight,
            target: self.target,
        })
    }
}

impl Model<'_> {
    fn check(&mut self) -> Result<()> {
        if let Some(score) = &self.score {
            let optional = score.optional;
            let fits = |s: f64| s.is_finite() || (optional && s.is_nan());
            check_numbers(
                &self.name,
                &score.values,
                fits,
                "a finite score (leave it empty, or None, where it is missing)",
            )?;
        }
        match &mut self.rule {
            Rule::Given(decision) => decision.settle(&self.name),
            Rule::AtLeast(t) if !t.is_finite() => Err(Error::setting("the threshold", t, "a finite number")),
            Rule::Top(top) => {
                let scores = self.score.as_ref().map_or(&[][..], |s| &s.values);
                // Nobody selected is a threshold that nothing reaches.
                self.rule = match Cut::find(*top, scores.iter().copied())? {
                    Some(cut) => Rule::Cut(cut),
                    None => Rule::AtLeast(f64::MAX),
                };
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// What a weight must be.
pub(crate) const WEIGHT: &str = "a finite weight of at least 0 (if above 0, from 1e-100 to 1e100)";

/// Whether a number can be a weight: sums of its squares must be numbers too.
pub(crate) fn is_weight(w: f64) -> bool {
    // Without jumps, several numbers are looked at at once.
    (w == 0.0) | (1e-100..=1e100).contains(&w)
}

/// Fails on the first name that stands twice.
pub(crate) fn unique(names: &[&str]) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    match names.iter().find(|n| !seen.insert(**n)) {
        Some(name) => Err(Error::Duplicate { name: (*name).into() }),
        None => Ok(()),
    }
}

fn check_numbers(column: &str, values: &[f64], fits: impl Fn(f64) -> bool, expected: &'static str) -> Result<()> {
    for (i, chunk) in values.chunks(4096).enumerate() {
        if !chunk.iter().fold(true, |all, v| all & fits(*v)) {
            let at = chunk.iter().position(|v| !fits(*v)).unwrap_or(0);
            return Err(Error::BadNumber {
                column: column.into(),
                value: chunk[at].to_string(),
                place: Place::row(i * 4096 + at),
                expected,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_k_share_the_ties_at_the_edge() {
        let scores = [0.9, 0.5, 0.5, 0.5, 0.1, f64::NAN];
        let cut = Cut::find(Top::Count(2), scores).unwrap().unwrap();
        assert_eq!((cut.cut, cut.tied, cut.edge), (0.5, 3, 1.0 / 3.0));
        assert!(Cut::find(Top::Count(6), scores).is_err());
        assert!(Cut::find(Top::Share(0.0), scores).is_err());
        assert_eq!(Cut::find(Top::Share(0.01), scores).unwrap(), None);
        // Strictly above: of tied scores few are, or none.
        for (scores, selected, cut, tied) in [
            (&[1.0, 2.0, 2.0, 2.0, 3.0][..], 1, 2.0, 3),
            (&[4.0, 1.0, 3.0, f64::NAN, 2.0], 2, 2.5, 0),
            (&[5.0, 5.0, 5.0], 0, 5.0, 3),
            (&[f64::MAX, -f64::MAX], 1, 0.0, 0),
        ] {
            let found = Cut::find(Top::AboveMedian, scores.iter().copied()).unwrap();
            assert_eq!(found, Some(Cut { selected, cut, tied, edge: 0.0 }));
        }
        // Counted scores are cut as the rows they stand for.
        let cells = [(0.5, 2), (0.9, 1), (0.1, 3), (0.5, 1), (f64::NAN, 2), (-1.0, 4)];
        let rows: Vec<f64> = cells.iter().flat_map(|(s, n)| vec![*s; *n as usize]).collect();
        for top in (1..=11).map(Top::Count).chain([0.01, 0.3, 0.5, 1.0].map(Top::Share)).chain([Top::AboveMedian]) {
            assert_eq!(Cut::of_cells(top, cells).unwrap(), Cut::find(top, rows.iter().copied()).unwrap(), "{top:?}");
        }
        assert!(Cut::of_cells(Top::Count(12), cells).is_err());
        assert_eq!(Cut::find(Top::AboveMedian, []).unwrap(), None);
    }

    #[test]
    fn bad_rows_are_named() {
        let column = Categorical::from_values("g", ["a", "b"]);
        let with = |weight: [f64; 2]| Batch::builder().attribute(column.clone()).label([0, 1]).weight(weight).build();
        assert!(with([1.0, 0.0]).is_ok());
        for bad in [-1.0, f64::NAN, f64::INFINITY, 1e200, 1e-200] {
            let text = with([1.0, bad]).unwrap_err().to_string();
            assert!(text.contains("weight") && text.contains("row 2"), "{text}");
        }
        let score = Batch::builder().attribute(column.clone()).score([0.1, f64::INFINITY]).build();
        assert!(score.unwrap_err().to_string().contains("row 2"));
        let lengths = Batch::builder().attribute(column.clone()).label([0, 1, 1]).build();
        assert!(matches!(lengths, Err(Error::UnequalLengths { rows: 3, expected: 2, .. })));
        assert!(matches!(Batch::builder().attribute(column).build(), Err(Error::Nothing { .. })));
    }
}
