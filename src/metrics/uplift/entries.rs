//! The measures of uplift targeting, as the catalog lists them and the audit computes them.

use super::{Figure, UpliftGroup, calibration, curves, effects, quadrants, targeting};
use crate::metrics::Estimate;
use crate::metrics::catalog::Direction::{self, Higher, Lower, Neither};
use crate::metrics::family::{MeasureEntry, Need, Of};

/// How a measure is computed from a group at a level.
pub(super) type Compute = fn(&UpliftGroup, f64) -> Figure;

/// The share that [`curves::uplift_at`] looks at.
const TOP: f64 = 0.3;

const HELD_OUT: &[Need] = &[Need::Treatment, Need::Outcome];
const DECIDED: &[Need] = &[Need::Treatment, Need::Outcome, Need::Decision];
const SCORED: &[Need] = &[Need::Treatment, Need::Outcome, Need::Uplift];

const fn entry(
    name: &'static str,
    title: &'static str,
    formula: &'static str,
    needs: &'static [Need],
    direction: Direction,
    range: (Option<f64>, Option<f64>),
    source: (&'static str, &'static str),
) -> MeasureEntry {
    let (least, most) = range;
    let (source, also) = source;
    MeasureEntry { name, title, formula, needs, of: Of::Group, direction, least, most, fair: None, source, also }
}

const ANY: (Option<f64>, Option<f64>) = (None, None);
const SHARE: (Option<f64>, Option<f64>) = (Some(0.0), Some(1.0));

/// The measures with their functions.
pub(super) const COMPUTED: &[(MeasureEntry, Compute)] = &[
    (
        entry(
            "average_treatment_effect",
            "what the treatment does on average",
            "mean outcome of the treated - of the held out; by inverse propensity where propensities differ; augmented \
             where outcomes are predicted",
            HELD_OUT,
            Higher,
            ANY,
            ("Neyman 1923; Hajek 1971; Robins, Rotnitzky, Zhao 1994", "ATE, uplift, incremental rate"),
        ),
        effects::average_treatment_effect,
    ),
    (
        entry(
            "effect_among_selected",
            "what each treatment of the policy brings",
            "average effect among those with decision 1",
            DECIDED,
            Higher,
            ANY,
            ("Kitagawa, Tetenov 2018", "benefit per treated"),
        ),
        effects::effect_among_selected,
    ),
    (
        entry(
            "effect_among_unselected",
            "what each person whom the policy leaves out misses",
            "average effect among those with decision 0",
            DECIDED,
            Neither,
            ANY,
            ("Kitagawa, Tetenov 2018", ""),
        ),
        effects::effect_among_unselected,
    ),
    (
        entry(
            "selection_rate",
            "share that the policy treats",
            "P(decision = 1)",
            &[Need::Decision],
            Higher,
            SHARE,
            ("Dwork et al. 2012", "positive rate"),
        ),
        targeting::selection_rate,
    ),
    (
        entry(
            "persuadable_selection_rate",
            "share treated of those with a predicted uplift above 0",
            "P(decision = 1 | score > 0)",
            &[Need::Decision, Need::Uplift],
            Higher,
            SHARE,
            ("Lo, Xu, Li, Thielbar 2025", "selection parity among positive CATE"),
        ),
        targeting::persuadable_selection_rate,
    ),
    (
        entry(
            "harm_selection_rate",
            "share treated of those with a predicted uplift below 0",
            "P(decision = 1 | score < 0)",
            &[Need::Decision, Need::Uplift],
            Lower,
            SHARE,
            ("Lo, Xu, Li, Thielbar 2025", "harm parity"),
        ),
        targeting::harm_selection_rate,
    ),
    (
        entry(
            "equal_opportunity_on_persuadables",
            "share treated of those whom the treatment would move, if it harms nobody",
            "sum(decision * effect) / sum(effect), by pseudo-effects",
            DECIDED,
            Higher,
            SHARE,
            ("Lo, Xu, Li, Thielbar 2025; Fieller 1954", "probability-based true positive rate"),
        ),
        targeting::equal_opportunity_on_persuadables,
    ),
    (
        entry(
            "benefit_per_person",
            "what the policy brings for each person",
            "E[effect * decision]",
            DECIDED,
            Higher,
            ANY,
            ("Kitagawa, Tetenov 2018", "policy gain"),
        ),
        targeting::benefit_per_person,
    ),
    (
        entry(
            "benefit_forgone",
            "what treating the others would bring for each person",
            "E[effect * (1 - decision)]",
            DECIDED,
            Lower,
            ANY,
            ("Kitagawa, Tetenov 2018", ""),
        ),
        targeting::benefit_forgone,
    ),
    (
        entry(
            "policy_value",
            "mean outcome if the policy decided, doubly robust",
            "mean of the pseudo-outcome of the arm that the decision chooses",
            DECIDED,
            Higher,
            ANY,
            ("Dudik, Langford, Li 2011", "DR"),
        ),
        targeting::policy_value,
    ),
    (
        entry(
            "policy_value_ipw",
            "mean outcome if the policy decided, by inverse propensity",
            "sum(w 1[treated = decision] y / propensity of the arm) / sum(w)",
            DECIDED,
            Higher,
            ANY,
            ("Horvitz, Thompson 1952", "IPS"),
        ),
        targeting::policy_value_ipw,
    ),
    (
        entry(
            "policy_value_snipw",
            "mean outcome if the policy decided, by self-normalised inverse propensity",
            "sum(w 1[treated = decision] y / propensity) / sum(w 1[treated = decision] / propensity)",
            DECIDED,
            Higher,
            ANY,
            ("Swaminathan, Joachims 2015", "SNIPS"),
        ),
        targeting::policy_value_snipw,
    ),
    (
        entry(
            "predicted_benefit_per_person",
            "what the model says that the policy brings for each person",
            "mean of decision * (predicted outcome treated - predicted outcome held out)",
            &[Need::Decision, Need::Predictions],
            Higher,
            ANY,
            ("veritastool 1.0.2", "veritastool acquire_benefit, rejected_harm"),
        ),
        targeting::predicted_benefit_per_person,
    ),
    (
        entry(
            "area_under_uplift_curve",
            "how well the score ranks by uplift, with the size of the uplift",
            "integral over x of x (Y_t/N_t - Y_c/N_c) among the share x with the highest scores",
            SCORED,
            Higher,
            ANY,
            ("Gutierrez, Gerardy 2017", "AUUC"),
        ),
        curves::area_under_uplift_curve,
    ),
    (
        entry(
            "qini_area",
            "how much better than at random the score ranks by uplift",
            "integral over x of (Y_t - Y_c N_t/N_c) / N_T, less the triangle of a random ranking",
            SCORED,
            Higher,
            ANY,
            ("Radcliffe 2007", "Qini"),
        ),
        curves::qini_area,
    ),
    (
        entry(
            "qini_coefficient",
            "the Qini area as a share of the best that there could be",
            "qini_area / qini_area of the perfect ranking",
            SCORED,
            Higher,
            (None, Some(1.0)),
            ("Radcliffe 2007", "scikit-uplift qini_auc_score"),
        ),
        curves::qini_coefficient,
    ),
    (
        entry(
            "uplift_at_30_percent",
            "average effect among the 30 % with the highest scores",
            "average effect among the top 0.3 of the weight, ties at the edge in part",
            SCORED,
            Higher,
            ANY,
            ("Radcliffe 2007", "scikit-uplift uplift_at_k (overall)"),
        ),
        |group, level| curves::uplift_at(group, TOP, level),
    ),
    (
        entry(
            "calibration_bias",
            "how much more the score promises than the hold-out shows",
            "mean score - average effect",
            SCORED,
            Neither,
            ANY,
            ("Chernozhukov et al. 2018", ""),
        ),
        calibration::calibration_bias,
    ),
    (
        entry(
            "persuadable_share",
            "share of those who buy only if treated, bounded without assuming that nobody is harmed",
            "between E[max(0, p1 - p0)] and E[min(p1, 1 - p0)] over strata",
            HELD_OUT,
            Neither,
            SHARE,
            ("Frechet 1951; Tian, Pearl 2000", "probability of necessity and sufficiency"),
        ),
        |group, level| bounded(quadrants::persuadable_share_bounds(group, level)),
    ),
    (
        entry(
            "persuadable_recall",
            "share treated of those who buy only if treated, bounded without assuming that nobody is harmed",
            "between L_s / (L_s + U_o) and U_s / (U_s + L_o): bounds of the persuadable selected and of the others",
            DECIDED,
            Higher,
            SHARE,
            ("Frechet 1951; Tian, Pearl 2000", ""),
        ),
        |group, level| bounded(quadrants::persuadable_recall_bounds(group, level)),
    ),
];

fn bounded(estimate: Estimate) -> Figure {
    Figure { estimate, error: None, share: None }
}

/// Every measure of uplift targeting with its name, formula, needs and source.
pub const MEASURES: &[MeasureEntry] = &{
    let mut all = [COMPUTED[0].0; COMPUTED.len()];
    let mut at = 0;
    while at < COMPUTED.len() {
        all[at] = COMPUTED[at].0;
        at += 1;
    }
    all
};
