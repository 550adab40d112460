//! The entries of this family in the catalog.

use super::measures::{
    Compute, RankMeasure, awrf, infeasible_count, infeasible_index, max_skew, min_skew, ndcg, ndkl, ndkl_excess,
    pairwise_accuracy, per_merit, precision, rank_biased, rank_parity, recall, rkl, rnd, rrd, seen, skew_at_k, top_k,
};
use crate::metrics::catalog::Direction;
use crate::metrics::{MeasureEntry, Need, Of};

const SCORE: &[Need] = &[Need::Score];
const BOTH: &[Need] = &[Need::Score, Need::Label];
const GEYIK: &str = "Geyik, Ambler, Kenthapadi 2019";
const YANG: &str = "Yang, Stoyanovich 2017";
const SINGH: &str = "Singh, Joachims 2018";

/// The least, the most and the fair value.
type Limits = (Option<f64>, Option<f64>, Option<f64>);

/// An entry; the limits and the fair value are set where there are any.
const fn entry(
    name: &'static str,
    title: &'static str,
    formula: &'static str,
    needs: &'static [Need],
    (of, direction): (Of, Direction),
    (least, most, fair): Limits,
    (source, also): (&'static str, &'static str),
) -> MeasureEntry {
    MeasureEntry { name, title, formula, needs, of, direction, least, most, fair, source, also }
}

const UNIT: Limits = (Some(0.0), Some(1.0), None);
const POSITIVE: Limits = (Some(0.0), None, None);
const DISTANCE: Limits = (Some(0.0), None, Some(0.0));
const SHARE_APART: Limits = (Some(0.0), Some(1.0), Some(0.0));

pub(crate) const MEASURES: &[RankMeasure] = &[
    RankMeasure {
        entry: entry(
            "skew_at_k",
            "skew among the first k",
            "ln(share of the first k / share wanted)",
            SCORE,
            (Of::Group, Direction::Higher),
            (None, None, None),
            (GEYIK, "LiFT: skew"),
        ),
        compute: Compute::Group(skew_at_k),
    },
    RankMeasure {
        entry: entry(
            "top_k_selection_rate",
            "chance to be among the first k",
            "rows among the first k / rows",
            SCORE,
            (Of::Group, Direction::Higher),
            UNIT,
            ("NYC 6 RCNY 5-300", "FairBench: top-k selection rate"),
        ),
        compute: Compute::Group(top_k),
    },
    RankMeasure {
        entry: entry(
            "min_skew_at_k",
            "least skew among the first k",
            "min over groups of ln(share of the first k / share wanted)",
            SCORE,
            (Of::Table, Direction::Higher),
            (None, Some(0.0), Some(0.0)),
            (GEYIK, "LiFT: minSkew"),
        ),
        compute: Compute::Table(min_skew),
    },
    RankMeasure {
        entry: entry(
            "max_skew_at_k",
            "largest skew among the first k",
            "max over groups of ln(share of the first k / share wanted)",
            SCORE,
            (Of::Table, Direction::Lower),
            DISTANCE,
            (GEYIK, "LiFT: maxSkew"),
        ),
        compute: Compute::Table(max_skew),
    },
    RankMeasure {
        entry: entry(
            "ndkl",
            "normalised discounted KL divergence",
            "sum over i of KL(first i, wanted) / log2(i + 1), over sum of 1 / log2(i + 1)",
            SCORE,
            (Of::Table, Direction::Lower),
            DISTANCE,
            (GEYIK, "FairRankTune: NDKL"),
        ),
        compute: Compute::Table(ndkl),
    },
    RankMeasure {
        entry: entry(
            "ndkl_excess",
            "divergence of prefixes beyond chance",
            "ndkl - mean ndkl of the same rows in random order",
            SCORE,
            (Of::Table, Direction::Lower),
            (None, None, Some(0.0)),
            (GEYIK, ""),
        ),
        compute: Compute::Table(ndkl_excess),
    },
    RankMeasure {
        entry: entry(
            "infeasible_index",
            "prefixes that fall short",
            "prefixes in which a group has fewer than floor(share wanted * length)",
            SCORE,
            (Of::Table, Direction::Lower),
            DISTANCE,
            (GEYIK, "AIF360: infeasible index"),
        ),
        compute: Compute::Table(infeasible_index),
    },
    RankMeasure {
        entry: entry(
            "infeasible_count",
            "prefixes and groups that fall short",
            "pairs of a prefix and a group with fewer than floor(share wanted * length)",
            SCORE,
            (Of::Table, Direction::Lower),
            DISTANCE,
            (GEYIK, ""),
        ),
        compute: Compute::Table(infeasible_count),
    },
    RankMeasure {
        entry: entry(
            "rnd",
            "normalised discounted difference",
            "largest over groups of sum over i = 10, 20, .. of |share of the first i - share| / log2 i, normalised",
            SCORE,
            (Of::Table, Direction::Lower),
            SHARE_APART,
            (YANG, "FairRank: rND"),
        ),
        compute: Compute::Table(rnd),
    },
    RankMeasure {
        entry: entry(
            "rkl",
            "normalised discounted KL divergence of cut points",
            "as rnd, with the KL divergence in bits",
            SCORE,
            (Of::Table, Direction::Lower),
            SHARE_APART,
            (YANG, "FairRank: rKL"),
        ),
        compute: Compute::Table(rkl),
    },
    RankMeasure {
        entry: entry(
            "rrd",
            "normalised discounted ratio difference",
            "as rnd, with |group / others among the first i - group / others|, minorities only",
            SCORE,
            (Of::Table, Direction::Lower),
            DISTANCE,
            (YANG, "FairRank: rRD"),
        ),
        compute: Compute::Table(rrd),
    },
    RankMeasure {
        entry: entry(
            "exposure",
            "mean exposure",
            "mean of 1 / log2(1 + position)",
            SCORE,
            (Of::Group, Direction::Higher),
            UNIT,
            (SINGH, "FairRankTune: EXP"),
        ),
        compute: Compute::Group(seen),
    },
    RankMeasure {
        entry: entry(
            "exposure_per_merit",
            "exposure per merit",
            "mean exposure / share of favourable labels",
            BOTH,
            (Of::Group, Direction::Higher),
            POSITIVE,
            (SINGH, "FairRankTune: EXPU; disparate treatment ratio"),
        ),
        compute: Compute::Group(per_merit),
    },
    RankMeasure {
        entry: entry(
            "rbp_exposure",
            "rank-biased exposure",
            "mean of 0.2 * 0.8^(position - 1)",
            SCORE,
            (Of::Group, Direction::Higher),
            UNIT,
            ("Diaz, Mitra, Ekstrand, Biega, Carterette 2020", "FairRankTune: ERBE"),
        ),
        compute: Compute::Group(rank_biased),
    },
    RankMeasure {
        entry: entry(
            "awrf",
            "attention-weighted rank fairness",
            "1 - JS divergence in bits of the groups' shares of attention from the wanted shares",
            SCORE,
            (Of::Table, Direction::Higher),
            (Some(0.0), Some(1.0), Some(1.0)),
            ("Sapiezynski and others 2019", "TREC Fair: AWRF; FairRankTune: AWRF"),
        ),
        compute: Compute::Table(awrf),
    },
    RankMeasure {
        entry: entry(
            "pairwise_accuracy",
            "pairwise accuracy between groups",
            "P(a above b | label of a above label of b)",
            BOTH,
            (Of::Pair, Direction::Higher),
            UNIT,
            ("Beutel and others 2019", "xAUC"),
        ),
        compute: Compute::Pair(pairwise_accuracy),
    },
    RankMeasure {
        entry: entry(
            "rank_parity",
            "rank parity",
            "P(a above b)",
            SCORE,
            (Of::Pair, Direction::Neither),
            (Some(0.0), Some(1.0), Some(0.5)),
            ("Kuhlman, VanValkenburg, Rundensteiner 2019", "FairRankTune: ARP"),
        ),
        compute: Compute::Pair(rank_parity),
    },
    RankMeasure {
        entry: entry(
            "precision_at_k",
            "precision among the first k",
            "favourable labels / known labels, of the group's rows among the first k",
            BOTH,
            (Of::Group, Direction::Higher),
            UNIT,
            ("Vasudevan, Kenthapadi 2020", "LiFT, FairBench: precision at k"),
        ),
        compute: Compute::Group(precision),
    },
    RankMeasure {
        entry: entry(
            "recall_at_k",
            "recall among the first k",
            "favourable labels among the first k / favourable labels",
            BOTH,
            (Of::Group, Direction::Higher),
            UNIT,
            ("Vasudevan, Kenthapadi 2020", "LiFT, FairBench: recall at k"),
        ),
        compute: Compute::Group(recall),
    },
    RankMeasure {
        entry: entry(
            "ndcg_at_k",
            "discounted gain among the first k",
            "gain of the group's rows / gain with them at the top",
            BOTH,
            (Of::Group, Direction::Higher),
            UNIT,
            ("Jarvelin, Kekalainen 2002", "LiFT: NDCG at k"),
        ),
        compute: Compute::Group(ndcg),
    },
];
