//! Whether a mitigation helped: judged on rows that it was not trained on, beside the unmitigated model.
//!
//! A [`Mitigation`] gets copies of the training rows, and later the held-out rows without their labels: nothing that it
//! learns can come from what it is judged on. Every measure has an interval, and every change one that is *paired*: both
//! models decide on the same people, so that what they share is no noise.
//!
//! What intervals hold for: the fitted models, and new people. With folds they are centred at the mean of the folds' models
//! (Bayle and others 2020) and treat rows as independent. What another split or another training would change is shown by
//! repeats, as the standard deviation between them.
//!
//! # How a change of a worst-case gap is judged
//!
//! The largest difference over groups is biased away from 0, and no bootstrap of it is right near 0. So its change is
//! measured of one pair of groups, the one furthest apart before; *helped* needs the pair's gap to be shown smaller than it
//! was, without being turned round, and the pair furthest apart now to be shown closer than the worst was. *Hurt* needs the pair
//! furthest apart now to be shown further apart than it was, and than the worst pair was. Where there are more pairs than
//! one, all this at Bonferroni's level for their number.
//!
//! # References
//! Agresti, Min (2005), Simple improved confidence intervals for comparing matched proportions, Statistics in Medicine 24;
//! DeLong, DeLong, Clarke-Pearson (1988), Biometrics 44; LeDell, Petersen, van der Laan (2015), Computationally efficient
//! confidence intervals for cross-validated area under the ROC curve estimates, Electronic Journal of Statistics 9; Bayle,
//! Bayle, Janson, Mackey (2020), Cross-validation confidence intervals for test error, NeurIPS 33; Holm (1979),
//! Scandinavian Journal of Statistics 6.

#![allow(
    clippy::neg_cmp_op_on_partial_ord,
    reason = "a negated comparison turns NaN away along with what is out of range"
)]

mod area;
mod change;
mod evaluation;
mod frontier;
mod judge;
mod measure;
mod mitigation;
mod moments;
mod notes;
mod report;
mod rows;
mod run;
mod split;
#[cfg(test)]
mod tests;

pub use evaluation::Evaluation;
pub use frontier::{Frontier, FrontierPoint, PointKind};
pub use measure::{Measure, Pair, Rate, Utility};
pub use mitigation::{Fitted, Mitigation, Plain, Reweighted};
pub use report::{Change, Design, Effect, Figure, JudgedGroup, MitigationReport, MitigationResult};
pub use rows::{Held, Outcome, Train};

pub(crate) use report::signed;
