//! The measures of delivery, as the catalog lists them.

use crate::metrics::catalog::Direction::{self, Higher, Lower, Neither};
use crate::metrics::family::{MeasureEntry, Need, Of};

type Range = (Option<f64>, Option<f64>);
const POSITIVE: Range = (Some(0.0), None);
const SHARE: Range = (Some(0.0), Some(1.0));
const ANY: Range = (None, None);

const DELIVERY: &[Need] = &[Need::Delivery];

const fn entry(
    name: &'static str,
    title: &'static str,
    formula: &'static str,
    of: Of,
    (direction, fair): (Direction, Option<f64>),
    (least, most): Range,
    (source, also): (&'static str, &'static str),
) -> MeasureEntry {
    MeasureEntry { name, title, formula, needs: DELIVERY, of, direction, least, most, fair, source, also }
}

const ALI: (&str, &str) = ("Ali et al. 2019", "ad delivery skew");
const IMANA: (&str, &str) = ("after Imana, Korolova, Heidemann 2025", "");
const ALIKE: (Direction, Option<f64>) = (Neither, None);

/// Every measure of delivery and offers: those of groups in the order of the report, then the others.
pub const MEASURES: &[MeasureEntry] = &[
    entry(
        "targeting_skew",
        "what the targeting does",
        "eligible share / audience share",
        Of::Group,
        ALIKE,
        POSITIVE,
        ALI,
    ),
    entry(
        "delivery_skew",
        "what the delivery does",
        "impressions share / eligible share",
        Of::Group,
        ALIKE,
        POSITIVE,
        ALI,
    ),
    entry("reached_skew", "the delivery by people", "reached share / eligible share", Of::Group, ALIKE, POSITIVE, ALI),
    entry(
        "whole_skew",
        "targeting times delivery",
        "impressions share / audience share",
        Of::Group,
        ALIKE,
        POSITIVE,
        ALI,
    ),
    entry(
        "reach_rate",
        "who of the eligible is reached",
        "reached / eligible",
        Of::Group,
        (Higher, None),
        SHARE,
        IMANA,
    ),
    entry("cost_per_reached", "the price of a person", "spend / reached", Of::Group, (Lower, None), POSITIVE, IMANA),
    entry("frequency", "how often a person sees it", "impressions / reached", Of::Group, ALIKE, POSITIVE, IMANA),
    entry("clicks_per_reached", "clicks of a person", "clicks / reached", Of::Group, ALIKE, POSITIVE, IMANA),
    entry(
        "lookalike_amplification",
        "what the expansion of a seed audience adds",
        "ln odds(eligible) - ln odds(seed)",
        Of::Group,
        ALIKE,
        ANY,
        ("after Sapiezynski et al. 2022", ""),
    ),
    entry(
        "lookalike_seed_skew",
        "what the seed audience brings",
        "ln odds(seed) - ln odds(audience)",
        Of::Group,
        ALIKE,
        ANY,
        ("after Sapiezynski et al. 2022", ""),
    ),
    entry(
        "lookalike_skew",
        "seed and expansion together",
        "ln odds(eligible) - ln odds(audience)",
        Of::Group,
        ALIKE,
        ANY,
        ("after Sapiezynski et al. 2022", ""),
    ),
    entry(
        "cost_ratio",
        "price of a person against the best-reached group",
        "cost_per_reached / cost_per_reached of the best",
        Of::Pair,
        (Neither, Some(1.0)),
        POSITIVE,
        IMANA,
    ),
    entry(
        "conditional_reach_difference",
        "reach against the best within strata",
        "Mantel-Haenszel difference of reached / eligible",
        Of::Pair,
        (Neither, Some(0.0)),
        (Some(-1.0), Some(1.0)),
        ("Mantel, Haenszel 1959", ""),
    ),
    entry(
        "lost_opportunities",
        "people who would have been reached at the best's rates",
        "sum over strata of eligible * (best's rate - own rate)",
        Of::Pair,
        (Lower, Some(0.0)),
        ANY,
        ("evenhand", ""),
    ),
    entry(
        "delivery_variance",
        "deliveries that would have to move",
        "1/2 sum |impressions share - eligible share|",
        Of::Table,
        (Lower, Some(0.0)),
        SHARE,
        ("after Timmaraju et al. 2023", "impression variance"),
    ),
    entry(
        "paired_ad_difference",
        "skew between two like adverts",
        "share of the group in the first - in the second",
        Of::Pair,
        (Neither, Some(0.0)),
        (Some(-1.0), Some(1.0)),
        ("Imana, Korolova, Heidemann 2021", ""),
    ),
    entry(
        "variance_coverage",
        "share of campaigns near their eligible audience",
        "P(delivery_variance <= limit) over campaigns",
        Of::Table,
        (Higher, None),
        SHARE,
        ("evenhand", ""),
    ),
    entry(
        "variance_coverage_less_chance",
        "the same, less what chance alone shows",
        "P(delivery_variance - its mean under parity <= limit) over campaigns",
        Of::Table,
        (Higher, None),
        SHARE,
        ("evenhand", ""),
    ),
    entry(
        "offer_mean_gap",
        "how far offers are apart on average, within strata",
        "weighted mean over strata of mean(group) - mean(others)",
        Of::Pair,
        (Neither, Some(0.0)),
        ANY,
        ("Welch 1947", ""),
    ),
    entry(
        "offer_quantile_gap",
        "how far a quantile of offers is apart, within strata",
        "weighted mean over strata of quantile(group) - quantile(others)",
        Of::Pair,
        (Neither, Some(0.0)),
        ANY,
        ("Zou, Donner 2008", ""),
    ),
];
