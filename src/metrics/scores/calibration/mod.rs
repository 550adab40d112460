//! Calibration of a group's scores: whether a score of 0.3 means 30 % for everybody.

mod expected_error;
mod large;
mod levels;
mod proper;
mod recalibration;
mod shift;
#[cfg(test)]
mod tests;

pub use expected_error::{
    CALIBRATION_BINS, ReliabilityBin, expected_calibration_error, expected_calibration_error_debiased,
    reliability_curve, root_calibration_error_debiased,
};
pub use large::{calibration_in_the_large, calibration_intercept, observed_expected_ratio};
pub use proper::{BrierDecomposition, LOG_LOSS_CLIP, brier_decomposition, brier_score, brier_skill_score, log_loss};
pub use recalibration::{Recalibration, calibration_slope, recalibration};
pub use shift::LOGIT_CLIP;

use super::mean::each;
use super::{ScoredGroup, Scoring};
use crate::metrics::catalog::Direction;
use crate::metrics::family::{Compute, Measure};
use crate::metrics::{MeasureEntry, Need, Of};

const fn entry(name: &'static str, title: &'static str, formula: &'static str) -> MeasureEntry {
    MeasureEntry {
        name,
        title,
        formula,
        needs: &[Need::Probability, Need::Label],
        of: Of::Group,
        direction: Direction::Lower,
        least: Some(0.0),
        most: Some(1.0),
        fair: None,
        source: "",
        also: "",
    }
}

/// The measures of calibration.
pub(crate) const MEASURES: &[Measure<ScoredGroup, Scoring>] = &[
    Measure {
        entry: MeasureEntry {
            direction: Direction::Neither,
            least: Some(-1.0),
            source: "Van Calster et al. 2019",
            ..entry("calibration_in_the_large", "mean label minus mean score", "mean(y) - mean(s)")
        },
        compute: Compute::Group(|groups, c, at| each(groups, c, |g| large::in_the_large(g, at))),
    },
    Measure {
        entry: MeasureEntry {
            direction: Direction::Neither,
            most: None,
            source: "Debray et al. 2017",
            also: "O/E ratio (CalibrationCurves)",
            ..entry("observed_expected_ratio", "observed positives over those promised", "sum(y) / sum(s)")
        },
        compute: Compute::Group(|groups, c, at| each(groups, c, |g| large::observed_expected(g, at))),
    },
    Measure {
        entry: MeasureEntry {
            direction: Direction::Neither,
            least: None,
            most: None,
            source: "Cox 1958; Van Calster et al. 2019",
            also: "intercept (CalibrationCurves)",
            ..entry(
                "calibration_intercept",
                "what must be added to the log odds of the scores",
                "a of logit P(y = 1) = a + logit(s), s clipped at 1e-6",
            )
        },
        compute: Compute::Group(|groups, c, at| each(groups, c, |g| large::intercept(g, at))),
    },
    Measure {
        entry: MeasureEntry {
            direction: Direction::Neither,
            least: None,
            most: None,
            source: "Cox 1958; Miller, Hui and Tierney 1991",
            also: "slope (CalibrationCurves)",
            ..entry(
                "calibration_slope",
                "slope of the logistic recalibration",
                "b of logit P(y = 1) = a + b logit(s), s clipped at 1e-6",
            )
        },
        compute: Compute::Group(|groups, c, at| each(groups, c, |g| recalibration::slope(g, at))),
    },
    Measure {
        entry: MeasureEntry {
            source: "Naeini, Cooper and Hauskrecht 2015",
            ..entry(
                "expected_calibration_error",
                "mean gap between score and rate (biased up in small groups)",
                "sum_b W_b/W |mean_b(y) - mean_b(s)|, 10 bins of equal weight",
            )
        },
        compute: Compute::Group(|groups, c, at| each(groups, c, |g| expected_error::absolute(g, CALIBRATION_BINS, at))),
    },
    Measure {
        entry: MeasureEntry {
            least: None,
            source: "Bröcker 2012; Kumar, Liang and Ma 2019",
            also: "get_calibration_error(debias=True)^2 (uncertainty-calibration)",
            ..entry(
                "expected_calibration_error_debiased",
                "mean squared gap between score and rate, without bias",
                "sum_b W_b/W [(mean_b(y) - mean_b(s))^2 - var_b], 10 bins of equal weight",
            )
        },
        compute: Compute::Group(|groups, c, at| each(groups, c, |g| expected_error::debiased(g, CALIBRATION_BINS, at))),
    },
    Measure {
        entry: MeasureEntry {
            source: "Kumar, Liang and Ma 2019",
            also: "get_calibration_error(debias=True) (uncertainty-calibration)",
            ..entry(
                "root_calibration_error_debiased",
                "root of the mean squared gap between score and rate, without bias",
                "sqrt(max(0, expected_calibration_error_debiased))",
            )
        },
        compute: Compute::Group(|groups, c, at| {
            each(groups, c, |g| expected_error::root_debiased(g, CALIBRATION_BINS, at))
        }),
    },
    Measure {
        entry: MeasureEntry {
            source: "Brier 1950",
            also: "brier_score_loss (scikit-learn)",
            ..entry("brier_score", "mean square of score minus label", "mean((s - y)^2)")
        },
        compute: Compute::Group(|groups, c, at| each(groups, c, |g| proper::brier(g, at))),
    },
    Measure {
        entry: MeasureEntry {
            direction: Direction::Higher,
            least: None,
            source: "Murphy 1973",
            ..entry(
                "brier_skill_score",
                "Brier score against the base rate's",
                "1 - mean((s - y)^2) / (mean(y) (1 - mean(y)))",
            )
        },
        compute: Compute::Group(|groups, c, at| each(groups, c, |g| proper::skill(g, at))),
    },
    Measure {
        entry: MeasureEntry {
            most: None,
            source: "Good 1952",
            also: "log_loss (scikit-learn)",
            ..entry("log_loss", "mean log loss, in nats", "-mean(y ln s + (1 - y) ln(1 - s)), s clipped at 2.2e-16")
        },
        compute: Compute::Group(|groups, c, at| each(groups, c, |g| proper::logarithmic(g, LOG_LOSS_CLIP, at))),
    },
];
