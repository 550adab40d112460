//! What changes a model's answers after it has given them.
//!
//! | what | changes | needs the attribute when deciding |
//! |---|---|---|
//! | [`thresholds`] | where each group's scores are cut, so that rates are equal or near | yes; [`thresholds::CommonThreshold`] does not |
//! | [`thresholds::RejectOption`] | decisions near the threshold | yes |
//! | [`budget`] | who is among exactly so many people | yes |
//! | [`calibrated_odds`] | some scores, to the group's base rate, until all are served as ill as the worst | yes |
//! | [`score_repair`] | the scores, until groups' distributions are alike | yes |
//! | [`rerank`] | the order of a list | yes |
//! | [`reassign`] | the segment of the fewest people | yes |
//!
//! Whether a group may be treated by its attribute is for the law that applies to say; a model can be mended before it
//! decides too, by [`reweight`](super::reweight), [`reductions`](super::reductions) or [`augment`](super::augment).

pub mod budget;
pub mod calibrated_odds;
pub mod reassign;
pub mod rerank;
pub mod score_repair;
pub mod thresholds;

use crate::data::Batch;
use crate::{Error, Place, Result};

/// The labels of a batch that must have them.
fn labels_of<'b>(batch: &'b Batch, problem: &'static str) -> Result<&'b [u8]> {
    let label = batch.label.as_ref().ok_or(Error::Nothing { problem, place: Place::default() })?;
    Ok(label.codes())
}

/// Fails where a column has not a value for each row of a batch.
fn check_rows(column: &str, rows: usize, batch: &Batch) -> Result<()> {
    if rows != batch.rows() {
        return Err(Error::UnequalLengths { column: column.into(), rows, expected: batch.rows() });
    }
    Ok(())
}

/// The scores of a model of a batch: of the one that is named, or of the only one that has scores. NaN where one is missing.
fn scores_of<'b>(batch: &'b Batch, model: Option<&str>) -> Result<&'b [f64]> {
    let scored: Vec<_> = batch.models.iter().filter_map(|m| Some((m.name.as_str(), m.score.as_ref()?))).collect();
    let names = || scored.iter().map(|(name, _)| *name);
    match (model, &scored[..]) {
        (_, []) => Err(Error::Nothing {
            problem: "this needs a score; add a model with one to the batch",
            place: Place::default(),
        }),
        (Some(name), all) => match all.iter().find(|(own, _)| *own == name) {
            Some((_, score)) => Ok(&score.values),
            None => Err(Error::unknown("model", name, " with a score", names())),
        },
        (None, [(_, score)]) => Ok(&score.values),
        (None, _) => Err(Error::setting(
            "the model",
            "not given",
            format!("a name where several have scores: {}", names().collect::<Vec<_>>().join(", ")),
        )),
    }
}
