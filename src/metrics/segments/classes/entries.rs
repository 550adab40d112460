//! The entries of the measures against the truth, and their functions.

use super::*;

const CLASSES: &[Need] = &[Need::Segments, Need::Classes];

const fn entry(
    name: &'static str,
    title: &'static str,
    formula: &'static str,
    (of, direction): (Of, Direction),
    fair: Option<f64>,
    source: &'static str,
    also: &'static str,
) -> MeasureEntry {
    let most = Some(1.0);
    MeasureEntry { name, title, formula, needs: CLASSES, of, direction, least: Some(0.0), most, fair, source, also }
}

const fn distance_of(
    name: &'static str,
    title: &'static str,
    formula: &'static str,
    of: Of,
    also: &'static str,
) -> MeasureEntry {
    entry(name, title, formula, (of, Direction::Lower), Some(0.0), "Holistic AI; Hardt et al. 2016", also)
}

const fn information(
    name: &'static str,
    title: &'static str,
    formula: &'static str,
    least: Option<f64>,
) -> MeasureEntry {
    let by = (Of::Table, Direction::Lower);
    let also = "veritastool mutual information";
    let entry = entry(name, title, formula, by, Some(0.0), "Barocas, Hardt, Narayanan 2023", also);
    MeasureEntry { least, most: None, ..entry }
}

type Disparity = fn(&[&SegmentCounts], Aggregation, Confidence) -> Tested;

fn of_pair(a: &SegmentCounts, b: &SegmentCounts, confidence: Confidence, of: Disparity) -> Tested {
    if let Err(undefined) = People::of_two(a, b) {
        return Tested::untested(undefined);
    }
    of(&[a, b], Aggregation::Mean, confidence)
}

pub(super) const ALL: &[Measure<SegmentCounts, Segmentation>] = &[
    Measure {
        entry: entry(
            "class_accuracy",
            "share put into the right segment",
            "P(segment = class | g)",
            (Of::Group, Direction::Higher),
            None,
            "accuracy",
            "sklearn accuracy_score",
        ),
        compute: Compute::Group(|groups, _, confidence| {
            groups.iter().map(|g| crate::metrics::segments::flow::stayed(g, confidence)).collect()
        }),
    },
    Measure {
        entry: entry(
            "macro_recall",
            "mean recall over classes (balanced accuracy)",
            "1/K sum_c P(segment = c | class = c, g)",
            (Of::Group, Direction::Higher),
            None,
            "Brodersen et al. 2010",
            "sklearn balanced_accuracy_score, recall_score(average='macro')",
        ),
        compute: Compute::Group(|groups, _, confidence| {
            groups.iter().map(|g| macro_mean(g, confidence, |r| r.recall)).collect()
        }),
    },
    Measure {
        entry: entry(
            "macro_precision",
            "mean precision over segments",
            "1/K sum_c P(class = c | segment = c, g)",
            (Of::Group, Direction::Higher),
            None,
            "macro-averaged precision",
            "sklearn precision_score(average='macro')",
        ),
        compute: Compute::Group(|groups, _, confidence| {
            groups.iter().map(|g| macro_mean(g, confidence, |r| r.precision)).collect()
        }),
    },
    Measure {
        entry: distance_of(
            "multiclass_equality_of_opportunity",
            "how differently two groups' people of the same class are dealt to segments",
            "1/2K sum_class sum_segment |P(segment|class, a) - P(segment|class, b)|",
            Of::Pair,
            "holisticai multiclass_equality_of_opp (two groups)",
        ),
        compute: Compute::Pair(|a, b, _, confidence| of_pair(a, b, confidence, multiclass_equality_of_opportunity)),
    },
    Measure {
        entry: distance_of(
            "multiclass_average_odds",
            "how differently two groups' segments are dealt when classes count the same",
            "1/2K sum_segment |sum_class (P(segment|class, a) - P(segment|class, b))|",
            Of::Pair,
            "holisticai multiclass_average_odds (two groups)",
        ),
        compute: Compute::Pair(|a, b, _, confidence| of_pair(a, b, confidence, multiclass_average_odds)),
    },
    Measure {
        entry: distance_of(
            "multiclass_true_rates",
            "mean difference of two groups' recalls over classes",
            "1/K sum_c |P(segment = c|class = c, a) - P(segment = c|class = c, b)|",
            Of::Pair,
            "holisticai multiclass_true_rates (two groups)",
        ),
        compute: Compute::Pair(|a, b, _, confidence| of_pair(a, b, confidence, multiclass_true_rates)),
    },
    Measure {
        entry: MeasureEntry {
            needs: &[Need::Segments],
            ..distance_of(
                "mean_multiclass_statistical_parity",
                "mean over pairs of groups of the total variation of their segments",
                "mean_ab 1/2 sum_c |P(c|a) - P(c|b)|",
                Of::Table,
                "holisticai multiclass_statistical_parity",
            )
        },
        compute: Compute::Table(|groups, _, confidence| {
            multiclass_statistical_parity(groups, Aggregation::Mean, confidence)
        }),
    },
    Measure {
        entry: distance_of(
            "mean_multiclass_equality_of_opportunity",
            "mean over pairs of groups of multi-class equality of opportunity",
            "mean_ab 1/2K sum_class sum_segment |P(segment|class, a) - P(segment|class, b)|",
            Of::Table,
            "holisticai multiclass_equality_of_opp",
        ),
        compute: Compute::Table(|groups, _, confidence| {
            multiclass_equality_of_opportunity(groups, Aggregation::Mean, confidence)
        }),
    },
    Measure {
        entry: distance_of(
            "mean_multiclass_average_odds",
            "mean over pairs of groups of multi-class average odds",
            "mean_ab 1/2K sum_segment |sum_class (P(segment|class, a) - P(segment|class, b))|",
            Of::Table,
            "holisticai multiclass_average_odds",
        ),
        compute: Compute::Table(|groups, _, confidence| multiclass_average_odds(groups, Aggregation::Mean, confidence)),
    },
    Measure {
        entry: distance_of(
            "mean_multiclass_true_rates",
            "mean over pairs of groups of the multi-class gap of true rates",
            "mean_ab 1/K sum_c |P(segment = c|class = c, a) - P(segment = c|class = c, b)|",
            Of::Table,
            "holisticai multiclass_true_rates",
        ),
        compute: Compute::Table(|groups, _, confidence| multiclass_true_rates(groups, Aggregation::Mean, confidence)),
    },
    Measure {
        entry: information(
            "separation",
            "what the group tells of the segment among people of the same class, in nats",
            "I(segment; group | class)",
            Some(0.0),
        ),
        compute: Compute::Table(|groups, _, confidence| separation(groups, confidence)),
    },
    Measure {
        entry: information(
            "separation_corrected",
            "separation less what chance shows, in nats",
            "I(segment; group | class) - sum_class pi (G - 1)(K - 1) / 2n",
            None,
        ),
        compute: Compute::Table(|groups, _, confidence| separation_corrected(groups, confidence)),
    },
    Measure {
        entry: information(
            "sufficiency",
            "what the group tells of the class among people of the same segment, in nats",
            "I(class; group | segment)",
            Some(0.0),
        ),
        compute: Compute::Table(|groups, _, confidence| sufficiency(groups, confidence)),
    },
    Measure {
        entry: information(
            "sufficiency_corrected",
            "sufficiency less what chance shows, in nats",
            "I(class; group | segment) - sum_segment pi (G - 1)(K - 1) / 2n",
            None,
        ),
        compute: Compute::Table(|groups, _, confidence| sufficiency_corrected(groups, confidence)),
    },
];
