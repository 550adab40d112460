//! The disparities that the field has names for, with the metrics that each compares.

/// A disparity that the field has a name for.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct CriterionEntry {
    /// The name used in reports, policies and the tool.
    pub name: &'static str,
    /// What it asks for.
    pub title: &'static str,
    /// The metrics it compares.
    pub metrics: &'static [&'static str],
    /// How the parts are joined, where there are more than one.
    pub join: Join,
    /// Whether it has a difference form.
    pub difference: bool,
    /// Whether it has a ratio form.
    pub ratio: bool,
    /// Whether it compares within strata, pooled over them.
    pub conditional: bool,
    /// Where it comes from.
    pub source: &'static str,
    /// What the peers call it.
    pub also: &'static str,
}

/// How a criterion of several metrics makes one figure of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Join {
    /// There is only one part.
    Single,
    /// The largest difference, the smallest ratio.
    Worst,
    /// The mean of the parts' sizes.
    Mean,
}

const fn criterion(
    name: &'static str,
    title: &'static str,
    metrics: &'static [&'static str],
    source: &'static str,
    also: &'static str,
) -> CriterionEntry {
    CriterionEntry {
        name,
        title,
        metrics,
        join: Join::Single,
        difference: true,
        ratio: true,
        conditional: false,
        source,
        also,
    }
}

/// The disparities that the field has names for.
pub const CRITERIA: &[CriterionEntry] = &[
    criterion(
        "demographic_parity",
        "groups are selected at equal rates (statistical parity)",
        &["selection_rate"],
        "Dwork et al. 2012; Calders and Verwer 2010",
        "demographic_parity_difference, _ratio (fairlearn); statistical_parity_difference (aif360: signed)",
    ),
    CriterionEntry {
        difference: false,
        ..criterion(
            "disparate_impact",
            "the ratio of selection rates is at least four fifths",
            &["selection_rate"],
            "29 CFR 1607.4(D); Feldman et al. 2015",
            "disparate_impact_ratio (aif360: unprivileged / privileged), impact ratio (NYC Local Law 144)",
        )
    },
    criterion(
        "equal_opportunity",
        "the positives of all groups are selected at equal rates",
        &["true_positive_rate"],
        "Hardt, Price, Srebro 2016",
        "equal_opportunity_difference (fairlearn, aif360)",
    ),
    criterion(
        "predictive_equality",
        "the negatives of all groups are selected at equal rates",
        &["false_positive_rate"],
        "Corbett-Davies et al. 2017",
        "false_positive_rate_difference (fairlearn)",
    ),
    CriterionEntry {
        join: Join::Worst,
        ..criterion(
            "equalized_odds",
            "true and false positive rates are equal: the worse of the two",
            &["true_positive_rate", "false_positive_rate"],
            "Hardt, Price, Srebro 2016",
            "equalized_odds_difference, _ratio (fairlearn)",
        )
    },
    CriterionEntry {
        join: Join::Mean,
        ratio: false,
        ..criterion(
            "equalized_odds_mean",
            "true and false positive rates are equal: the mean size of the two gaps",
            &["true_positive_rate", "false_positive_rate"],
            "Hardt, Price, Srebro 2016",
            "equalized_odds_difference agg=mean (fairlearn), average_abs_odds_difference (aif360)",
        )
    },
    CriterionEntry {
        ratio: false,
        ..criterion(
            "average_odds",
            "the signed mean of the differences in true and false positive rate",
            &["average_odds_rate"],
            "Bellamy et al. 2018, AI Fairness 360",
            "average_odds_difference (aif360); opposite gaps cancel",
        )
    },
    criterion(
        "predictive_parity",
        "the selected of all groups are equally often positive",
        &["precision"],
        "Chouldechova 2017",
        "predictive parity; PPV parity (aequitas)",
    ),
    criterion(
        "treatment_equality",
        "groups have equally many false negatives for each false positive",
        &["error_ratio"],
        "Berk et al. 2018",
        "TE (SageMaker Clarify)",
    ),
    criterion(
        "accuracy_equality",
        "groups are decided equally accurately",
        &["accuracy"],
        "Berk et al. 2018",
        "accuracy_score_difference (fairlearn)",
    ),
    CriterionEntry {
        conditional: true,
        ..criterion(
            "conditional_demographic_parity",
            "within strata, groups are selected at equal rates (Mantel-Haenszel)",
            &["selection_rate"],
            "Kamiran, Zliobaite, Calders 2013; Mantel and Haenszel 1959",
            "conditional statistical parity",
        )
    },
    CriterionEntry {
        conditional: true,
        difference: false,
        ..criterion(
            "conditional_disparate_impact",
            "within strata, the ratio of selection rates is at least four fifths (Mantel-Haenszel)",
            &["selection_rate"],
            "Mantel and Haenszel 1959; Greenland and Robins 1985",
            "",
        )
    },
    CriterionEntry {
        conditional: true,
        ..criterion(
            "conditional_equal_opportunity",
            "within strata, the positives of all groups are selected at equal rates (Mantel-Haenszel)",
            &["true_positive_rate"],
            "Mantel and Haenszel 1959",
            "",
        )
    },
    CriterionEntry {
        conditional: true,
        ..criterion(
            "conditional_predictive_parity",
            "within strata, the selected of all groups are equally often positive (Mantel-Haenszel)",
            &["precision"],
            "Mantel and Haenszel 1959",
            "",
        )
    },
    CriterionEntry {
        conditional: true,
        ..criterion(
            "conditional_accuracy_equality",
            "within strata, groups are decided equally accurately (Mantel-Haenszel)",
            &["accuracy"],
            "Mantel and Haenszel 1959",
            "",
        )
    },
    CriterionEntry {
        conditional: true,
        ratio: false,
        ..criterion(
            "conditional_demographic_disparity",
            "within strata, a group's share of the rejected equals its share of the selected (size-weighted mean)",
            &["selection_rate"],
            "Wachter, Mittelstadt, Russell 2021",
            "CDDPL (SageMaker Clarify)",
        )
    },
];
