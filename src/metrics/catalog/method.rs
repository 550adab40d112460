//! How sure each entry of the catalog is told to be, and when it is not told at all.

/// How an entry's interval is made, and when there is no figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Method {
    /// How the interval is made; starts with `none` where there is none.
    pub interval: &'static str,
    /// When there is no figure, beside having no rows, or rows whose weights are all 0.
    pub undefined: &'static str,
}

const WILSON: &str = "Wilson's; with weights on the effective number of rows";
const STUDENT: &str = "Student's t on the effective number of rows";
const SKEWED: &str = "Student's t on the effective number of rows, corrected for skewness (Hall)";
const LINEAR: &str = "from the linearised variance";
const NORMAL_DELTA: &str = "normal, by the delta method on the logarithm";
const BOOTSTRAP: &str = "bootstrap of the cells: bias-corrected and accelerated, or percentile";
const WORST: &str = "of the worst pair of groups, holding for all pairs at once; against one group, of that pair";
const SCORE_TEST: &str = "inverts the score test of scores moved by a constant on the logit scale";
const DKW: &str = "by the Dvoretzky-Kiefer-Wolfowitz bounds on the scores' distributions: conservative";
const NONCENTRAL: &str =
    "inverts the noncentral chi-square distribution; starts at its fair value unless a test rejects";
const ERRORS: &str = "the figure plus and minus a quantile of what chance adds to it";
const NEWCOMBE_ALL: &str = "Newcombe's of the differences of all shares at once";
const WILSON_ALL: &str = "Wilson's of all segments or cells at once";
const PERMUTED: &str = "none; tested against lists in random order";
const JACKKNIFE: &str = "the figure plus and minus t errors by the infinitesimal jackknife";
const ARMS: &str =
    "Newcombe's for outcomes of 0 and 1, Welch's for others; from the linearised error with propensities";

const LABELS: &str = "no label is known";
const NEVER: &str = "never";
const NO_POSITIVES: &str = "nobody has a favourable label";
const NO_NEGATIVES: &str = "nobody has an unfavourable label";
const ONE_KIND: &str = "there are no positives, or no negatives";
const CALIBRATION: &str = "no label is known, or a score lies outside 0 to 1";
const CALIBRATION_BOTH: &str = "there are no positives or no negatives, or a score lies outside 0 to 1";
const TABLE: &str = "there are fewer than two groups, or only one segment has people";
const TWO_GROUPS: &str = "there are fewer than two groups";
const SHARES: &str = "one of the groups has no known segment";
const CLASSES: &str = "segments have no true classes";
const CLASS_PAIRS: &str = "segments have no true classes, or no two groups have a class in common";
const MOVES: &str = "segments have no earlier segments";
const ARMS_EMPTY: &str = "nobody was treated, or nobody held out";
const ARMS_SCORES: &str = "there are no predicted uplifts, or nobody was treated or held out";
const STRATA: &str = "no stratum holds both groups";
const LIST: &str = "there are fewer than two groups, or groups overlap and so make no list";
const DELIVERY: &str = "a count that it needs is not known, a total is 0, or the share to compare with is 0";
const PARTS: &str = "a part of it is undefined, or, of a ratio, the figure below is 0";

const fn of(interval: &'static str, undefined: &'static str) -> Method {
    Method { interval, undefined }
}

/// How an entry's interval is made, and when it has no figure; `None` for a name that the catalog does not have.
///
/// # Examples
/// ```
/// let auc = evenhand::metrics::catalog::method("auc").expect("it is listed");
/// assert!(auc.interval.contains("DeLong") && auc.undefined.contains("no positives"));
/// ```
pub fn method(name: &str) -> Option<Method> {
    if super::criterion_entry(name).is_some() {
        return Some(match name {
            "conditional_demographic_disparity" => of("bootstrap of the cells", STRATA),
            _ if name.starts_with("conditional_") => {
                of("Mantel-Haenszel's, of the worst pair at a level that holds for all pairs", STRATA)
            }
            "equalized_odds" | "equalized_odds_mean" | "average_odds" => {
                of("from those of its parts, for all pairs of groups at once", PARTS)
            }
            _ => of(WORST, PARTS),
        });
    }
    let rates = rates(name).or_else(|| scores(name)).or_else(|| lists(name));
    rates.or_else(|| segments(name)).or_else(|| uplift(name)).or_else(|| delivery(name))
}

fn rates(name: &str) -> Option<Method> {
    Some(match name {
        "selection_rate" => of(WILSON, "no decision is known"),
        "base_rate" | "accuracy" => of(WILSON, LABELS),
        "true_positive_rate" | "false_negative_rate" => of(WILSON, NO_POSITIVES),
        "false_positive_rate" | "true_negative_rate" => of(WILSON, NO_NEGATIVES),
        "precision" | "false_discovery_rate" => of(WILSON, "nobody with a known label is selected"),
        "negative_predictive_value" | "false_omission_rate" => of(WILSON, "everybody with a known label is selected"),
        "f1" => of("Wilson's of TP / (TP + FP + FN), turned", "there are neither positives nor selected"),
        "error_ratio" => {
            of("Wilson's of the share of the errors, turned", "there are no errors, or no false positives")
        }
        "balanced_accuracy" | "average_odds_rate" => {
            of("adds the squared distances to Wilson's limits (MOVER)", ONE_KIND)
        }
        "mcc" => of(BOOTSTRAP, "all labels or all decisions are the same"),
        "prevalence_ratio" => of(BOOTSTRAP, NO_POSITIVES),
        "mean_score" => of(STUDENT, "there are no scores"),
        "mean_score_positives" => of(STUDENT, "no positive has a score"),
        "mean_score_negatives" => of(STUDENT, "no negative has a score"),
        "cohens_h" => of("adds the squared distances to Wilson's limits", "a group has no decisions"),
        "odds_ratio" => of("inverts the score test; open where a cell is empty", "a cell that it divides by is empty"),
        "explained_difference" | "unexplained_difference" | "standardized_rate_difference" | "lost_opportunities" => {
            of("from the linearised variance, in shares of strata and in rates", STRATA)
        }
        "common_odds_ratio" => {
            of("by Robins, Breslow and Greenland", "no stratum holds both groups, or what it divides by is 0 in all")
        }
        "stratum_heterogeneity" => of("none; it is a test", "fewer than two strata hold both groups and vary"),
        "qualitative_interaction" => of("none; it is a test", "fewer than two strata hold both groups"),
        "stratum_overlap" => of("none; it is a fact of the data", "neither group has decisions"),
        _ => return None,
    })
}

fn scores(name: &str) -> Option<Method> {
    Some(match name {
        "auc" | "xauc" | "bpsn_auc" => {
            of("by DeLong's variance on the logit scale; of separated labels Newcombe's method 5", ONE_KIND)
        }
        "xauc_difference" => of("normal, by DeLong's variance", ONE_KIND),
        "average_precision" => of("normal on the logit scale, on the positives' effective number", ONE_KIND),
        "abroca" => of(DKW, ONE_KIND),
        "kolmogorov_smirnov" => of(DKW, "a group has no scores"),
        "wasserstein" => of("from the linearised variance, with what noise may hide", "a group has no scores"),
        "worst_impact_ratio_over_budgets" | "selection_gap_over_budgets" => of(
            "from bands that hold at every cut at once: wide",
            "there are fewer than two groups, or one has no scores",
        ),
        "calibration_in_the_large" => of(SCORE_TEST, CALIBRATION),
        "observed_expected_ratio" => of(SCORE_TEST, "no label is known, a score lies outside 0 to 1, or all are 0"),
        "calibration_intercept" => of(SCORE_TEST, CALIBRATION_BOTH),
        "calibration_slope" => {
            of("from the sandwich variance", "scores do not vary, or separate the labels, or as for the intercept")
        }
        "expected_calibration_error" => of("starts at 0 unless noise alone cannot show so much", CALIBRATION),
        "expected_calibration_error_debiased" | "root_calibration_error_debiased" => {
            of(NONCENTRAL, "as the plain one, or where bins have too few rows")
        }
        "brier_score" | "log_loss" => of(SKEWED, CALIBRATION),
        "brier_skill_score" => of(LINEAR, CALIBRATION_BOTH),
        "generalized_true_positive_rate" | "generalized_false_negative_rate" => {
            of(STUDENT, "there are no positives, or a score lies outside 0 to 1")
        }
        "generalized_false_positive_rate" | "generalized_true_negative_rate" => {
            of(STUDENT, "there are no negatives, or a score lies outside 0 to 1")
        }
        "generalized_accuracy" => of(STUDENT, CALIBRATION),
        "standardized_mean_difference" | "hedges_g" => of(
            "from the linearised variance, for scores of any shape",
            "a group has fewer than two rows, or scores do not vary",
        ),
        "mean_absolute_error" => of("Student's t on the log scale, by the linearised variance", NEVER),
        "root_mean_squared_error" => of("on the log scale, by the linearised variance", NEVER),
        "mean_error" => of(STUDENT, NEVER),
        "r2" => of(LINEAR, "targets do not vary"),
        "correlation" => of("by the linearised variance on Fisher's scale", "targets or forecasts do not vary"),
        _ => return None,
    })
}

fn lists(name: &str) -> Option<Method> {
    Some(match name {
        "skew_at_k" => {
            of("from Wilson's or Koopman's of the share among the first k", "nobody of the group is among the first k")
        }
        "top_k_selection_rate" => of(WILSON, NEVER),
        "min_skew_at_k" | "max_skew_at_k" => of("simultaneous over groups", LIST),
        "ndkl" | "ndkl_excess" | "rnd" | "rkl" | "rrd" | "awrf" => of(PERMUTED, LIST),
        "infeasible_index" | "infeasible_count" => of("none; it is a count of this list", LIST),
        "exposure" | "rbp_exposure" => of("normal, from the spread of the rows' attention", NEVER),
        "exposure_per_merit" => of(NORMAL_DELTA, "nobody of the group has a favourable label"),
        "pairwise_accuracy" => of(
            "Wilson's at the effective size of DeLong's variance",
            "no pair has different relevance, or no label is known",
        ),
        "rank_parity" => of("Wilson's at the effective size of DeLong's variance", "there are fewer than two groups"),
        "precision_at_k" => of(WILSON, "nobody of the group is among the first k"),
        "recall_at_k" => of(WILSON, NO_POSITIVES),
        "ndcg_at_k" => of("none on one list", NO_POSITIVES),
        _ => return None,
    })
}

fn segments(name: &str) -> Option<Method> {
    Some(match name {
        "segment_impact_ratio" => of("Koopman's of all segments at once", TWO_GROUPS),
        "chi_square" | "g_test" => of("none; it is a test", TABLE),
        "goodman_kruskal_lambda" => of("from simultaneous Wilson limits of all shares", TABLE),
        "cramers_v" | "mutual_information" | "normalized_mutual_information" | "theils_u" | "goodman_kruskal_tau" => {
            of(NONCENTRAL, TABLE)
        }
        "cramers_v_corrected" | "mutual_information_corrected" | "adjusted_mutual_information" => {
            of("that of the figure without the correction", "as without the correction, or nothing is left to correct")
        }
        "total_variation" | "max_share_difference" => of(NEWCOMBE_ALL, SHARES),
        "hellinger" | "jensen_shannon" | "chi_square_distance" => of(NONCENTRAL, SHARES),
        "kullback_leibler" => of(NONCENTRAL, "a segment of the first group is never met in the second"),
        "balance" => of("Koopman's of all cells at once", TWO_GROUPS),
        "representation_violation" | "chierichetti_balance" => of(WILSON_ALL, TWO_GROUPS),
        "minimum_cluster_ratio" => of(WILSON_ALL, "the second group is in no segment of the first"),
        "average_cluster_ratio" => of(
            "adds the squared distances to Wilson's limits (MOVER)",
            "the second group misses a segment of the first",
        ),
        "segment_entropy" => {
            of("of how far it falls short of the most, by the noncentral chi-square distribution", SHARES)
        }
        "normalized_segment_entropy" => of("that of the entropy, over its most", "there is only one segment"),
        "mean_tier" => of("Wilson's on the range of the tiers, at the effective size", "there is only one segment"),
        "cumulative_parity" | "earth_mover" | "earth_mover_of_values" => of(
            "the figure plus and minus a quantile of the errors of all cumulative shares at once",
            "there is only one segment, or values are missing",
        ),
        "probability_of_superiority" | "somers_d" => {
            of("normal, by DeLong's variance with ties", "there is only one segment")
        }
        "mean_benefit" => of("Wilson's on the range of the values, at the effective size", "segments have no values"),
        "between_group_entropy" | "between_group_theil" | "between_group_gini" => of(
            ERRORS,
            "segments have no values, one is below 0, there are fewer than two groups, or nobody has any benefit",
        ),
        "retention_rate" | "upgrade_rate" | "downgrade_rate" => of(WILSON, MOVES),
        "top_segment_exit_rate" => of(WILSON, "nobody of the group was in the top segment"),
        "flow_total_variation" => of(ERRORS, "the groups share no earlier segment"),
        "flow_homogeneity" => of("none; it is a test", "no earlier segment has two groups, or nobody had a choice"),
        "class_accuracy" => of(WILSON, CLASSES),
        "macro_recall" => {
            of("adds the squared distances to Wilson's limits (MOVER)", "nobody of the group is of some class")
        }
        "macro_precision" => {
            of("adds the squared distances to Wilson's limits (MOVER)", "nobody of the group is in some segment")
        }
        "mean_multiclass_statistical_parity" => of(ERRORS, TWO_GROUPS),
        _ if name.contains("multiclass") => of(ERRORS, CLASS_PAIRS),
        "separation" | "sufficiency" => of(NONCENTRAL, CLASSES),
        "separation_corrected" | "sufficiency_corrected" => of("that of the figure without the correction", CLASSES),
        "attribute_leakage" => of(ERRORS, TWO_GROUPS),
        "leakage_auc" => of(ERRORS, SHARES),
        _ => return None,
    })
}

fn uplift(name: &str) -> Option<Method> {
    Some(match name {
        "average_treatment_effect" => of(ARMS, ARMS_EMPTY),
        "effect_among_selected" => of(ARMS, "nobody is selected, or none of them was treated or held out"),
        "effect_among_unselected" => of(ARMS, "everybody is selected, or nobody else was treated or held out"),
        "persuadable_selection_rate" => of(WILSON, "nobody has a predicted uplift above 0"),
        "harm_selection_rate" => of(WILSON, "nobody has a predicted uplift below 0"),
        "equal_opportunity_on_persuadables" => of("Fieller's", "the effect is not above 0"),
        "benefit_per_person" | "benefit_forgone" | "policy_value" | "policy_value_ipw" | "policy_value_snipw" => {
            of("from the linearised error", "nobody was treated or nobody held out, on some side of the decision")
        }
        "predicted_benefit_per_person" => of("from the linearised error", "there are no predicted uplifts"),
        "area_under_uplift_curve" | "qini_area" | "uplift_at_30_percent" => of(JACKKNIFE, ARMS_SCORES),
        "qini_coefficient" => of(JACKKNIFE, "outcomes are not 0 and 1, or no order could be better than another"),
        "calibration_bias" => of("from the linearised error", ARMS_SCORES),
        "persuadable_share" | "persuadable_recall" => {
            of("of the bounds; the figure itself cannot be known", "always: only its bounds can be known")
        }
        _ => return None,
    })
}

fn delivery(name: &str) -> Option<Method> {
    Some(match name {
        "targeting_skew" | "delivery_skew" | "reached_skew" | "whole_skew" => {
            of("Wilson's of the share, with the noise of the counts", DELIVERY)
        }
        "reach_rate" => of(WILSON, DELIVERY),
        "cost_per_reached" => of("the spend over the interval of the people reached", DELIVERY),
        "frequency" => of("none: how it varies between people is not in counts", DELIVERY),
        "clicks_per_reached" => of("of clicks as Poisson, people taken as given", DELIVERY),
        "cost_ratio" => of("from those of the two costs", DELIVERY),
        "lookalike_amplification" | "lookalike_seed_skew" | "lookalike_skew" => {
            of("Wald's on the log-odds scale", "a group is nobody or everybody on one side")
        }
        "conditional_reach_difference" => {
            of("adds the squared distances to Wilson's limits in each stratum (MOVER)", STRATA)
        }
        "delivery_variance" => {
            of("from a bound that holds everywhere, by chi-square", "nobody is eligible, or nothing was shown")
        }
        "paired_ad_difference" => of("Newcombe's", "one of the adverts reached nobody"),
        "variance_coverage" => of("Wilson's over campaigns", "there are no campaigns"),
        "variance_coverage_less_chance" => of("none", "there are no campaigns"),
        "offer_mean_gap" => of("Welch's, over strata", STRATA),
        "offer_quantile_gap" => of("from order statistics at Wilson's limits, over strata (MOVER)", STRATA),
        _ => return None,
    })
}
