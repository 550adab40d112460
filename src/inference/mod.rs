//! Intervals, tests and what follows from them: pure numerical functions on counts, nothing about tallies or files.
//!
//! Counts are `f64`: `x` successes of `n` trials, where both may be fractional *effective* counts that come from
//! weights. A level is a confidence level in (0, 1), such as 0.95. Nothing here panics or answers NaN: what is
//! undefined is `None`.
//!
//! | question | where |
//! |---|---|
//! | how sure is one rate? | [`rate`]: Wilson, Clopper–Pearson, Jeffreys |
//! | how far are two rates apart? | [`difference`]: Newcombe, Miettinen–Nurminen, Mee, MOVER |
//! | what is their ratio? | [`ratio`]: Koopman, Miettinen–Nurminen, Katz, MOVER, Fieller |
//! | how far apart are the extremes of many groups? | [`worst`]: simultaneous intervals, and what noise alone shows |
//! | is it more than chance, is it shown to be small? | [`hypothesis`]: z, Fisher, Boschloo, chi-square, G, TOST |
//! | and over many findings? | [`multiplicity`]: Holm, Benjamini–Hochberg, Benjamini–Yekutieli |
//! | is it explained by strata? | [`stratified`]: Mantel–Haenszel, CMH, Breslow–Day–Tarone, Gail–Simon |
//! | how many rows would it take? | [`power`] |
//! | did a figure, or a disparity, change from one batch to another? | [`change`]: square-and-add of the two intervals |
//! | any other metric of cells? | [`bootstrap`]: resampling rows at the cost of resampling cells |
//!
//! ```
//! use evenhand::inference::{difference, rate};
//!
//! let one = rate::wilson(81.0, 263.0, 0.95).expect("263 trials");
//! assert!((one.low - 0.255289).abs() < 1e-6 && (one.high - 0.366210).abs() < 1e-6);
//! let apart = difference::newcombe(56.0, 70.0, 48.0, 80.0, 0.95).expect("both have trials");
//! assert!((apart.low - 0.0524).abs() < 1e-4 && (apart.high - 0.3339).abs() < 1e-4);
//! ```

#![allow(
    clippy::neg_cmp_op_on_partial_ord,
    reason = "a negated comparison turns NaN away along with what is out of range"
)]

mod alias;
pub(crate) mod binomial;
pub mod bootstrap;
pub mod change;
pub mod difference;
mod doubling;
mod exact;
mod homogeneity;
pub mod hypothesis;
mod interval;
mod multinomial;
pub mod multiplicity;
pub(crate) mod noncentral;
mod null;
mod pairs;
pub(crate) mod permutation;
pub mod power;
pub mod rate;
pub mod ratio;
mod replicates;
pub(crate) mod rng;
pub(crate) mod roots;
pub(crate) mod special;
pub mod stratified;
mod studentized;
pub mod worst;

pub use interval::{Interval, sidak_level, z_quantile};
