//! The entries of this family in the catalog, and how the audit computes them.

use super::exposure::{self, Attention};
use super::skew::{self, Infeasible};
use super::{Ranking, pairwise, retrieval};
use crate::inference::worst::GroupRate;
use crate::inference::z_quantile;
use crate::metrics::catalog::Direction;
use crate::metrics::family::{Compute, Measure};
use crate::metrics::measure::Measured;
use crate::metrics::scores::ScoredGroup;
use crate::metrics::{Confidence, Estimate, MeasureEntry, Need, Of, Tested, Undefined};

/// What holds for all groups of a ranked list.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Ranked {
    /// How many rows are "the first"; `None`: 10 % of the list, at least 10 and at most all.
    pub k: Option<usize>,
    /// The wanted shares; `None`: each group's share of the whole list.
    pub targets: Option<Vec<f64>>,
    /// How much attention positions draw.
    pub attention: Attention,
}

/// The chance to go on from a row to the next, of rank-biased measures.
const GAMMA: f64 = 0.8;

impl Ranked {
    fn list(&self, groups: &[&ScoredGroup]) -> (Ranking, usize) {
        let ranking = Ranking::from_scored(groups);
        let k = self.k.unwrap_or_else(|| skew::default_k(ranking.rows())).min(ranking.rows());
        (ranking, k)
    }

    fn wanted(&self) -> Option<&[f64]> {
        self.targets.as_deref()
    }
}

fn plain(estimate: Estimate, error: Option<f64>) -> Measured {
    Measured { estimate, share: None, plain: false, error }
}

fn rates(estimates: Vec<Estimate>, counts: impl Iterator<Item = (f64, f64)>) -> Vec<Measured> {
    let share = |e: &Estimate, (x, n)| e.value.map(|_| GroupRate { x, n });
    estimates
        .into_iter()
        .zip(counts)
        .map(|(e, counts)| {
            let share = share(&e, counts);
            Measured { estimate: e, share, plain: true, error: None }
        })
        .collect()
}

fn skew_at_k(groups: &[&ScoredGroup], ranked: &Ranked, confidence: Confidence) -> Vec<Measured> {
    let (list, k) = ranked.list(groups);
    let z = z_quantile(confidence.level);
    let error = |e: &Estimate| e.interval().map(|(low, high)| (high - low) / (2.0 * z)).filter(|e| *e > 0.0);
    let found = skew::skew_at_k(&list, k, ranked.wanted(), confidence);
    found.into_iter().map(|e| (error(&e), e)).map(|(error, e)| plain(e, error)).collect()
}

fn top_k(groups: &[&ScoredGroup], ranked: &Ranked, confidence: Confidence) -> Vec<Measured> {
    let (list, k) = ranked.list(groups);
    let counts = list.among_first(k).into_iter().zip(list.sizes().iter().copied());
    rates(skew::top_k_selection_rate(&list, k, confidence), counts)
}

fn precision(groups: &[&ScoredGroup], ranked: &Ranked, confidence: Confidence) -> Vec<Measured> {
    let (list, k) = ranked.list(groups);
    let counts = retrieval::shares(&list, k).into_iter().map(|s| (s.hits, s.shown));
    rates(retrieval::precision_at_k(&list, k, confidence), counts)
}

fn recall(groups: &[&ScoredGroup], ranked: &Ranked, confidence: Confidence) -> Vec<Measured> {
    let (list, k) = ranked.list(groups);
    let counts = retrieval::shares(&list, k).into_iter().map(|s| (s.hits, s.relevant));
    rates(retrieval::recall_at_k(&list, k, confidence), counts)
}

fn ndcg(groups: &[&ScoredGroup], ranked: &Ranked, _: Confidence) -> Vec<Measured> {
    let (list, k) = ranked.list(groups);
    retrieval::ndcg_at_k(&list, k).into_iter().map(|e| plain(e, None)).collect()
}

fn seen(groups: &[&ScoredGroup], ranked: &Ranked, confidence: Confidence) -> Vec<Measured> {
    let (list, _) = ranked.list(groups);
    exposure::measured(&list, ranked.attention, confidence).into_iter().map(|(e, error)| plain(e, error)).collect()
}

fn rank_biased(groups: &[&ScoredGroup], ranked: &Ranked, confidence: Confidence) -> Vec<Measured> {
    let (list, _) = ranked.list(groups);
    let found = exposure::measured(&list, Attention::Geometric(GAMMA), confidence);
    found.into_iter().map(|(e, error)| plain(e, error)).collect()
}

fn per_merit(groups: &[&ScoredGroup], ranked: &Ranked, confidence: Confidence) -> Vec<Measured> {
    let (list, _) = ranked.list(groups);
    exposure::merit(&list, ranked.attention, confidence).into_iter().map(|(e, error)| plain(e, error)).collect()
}

fn min_skew(groups: &[&ScoredGroup], ranked: &Ranked, confidence: Confidence) -> Tested {
    let (list, k) = ranked.list(groups);
    skew::min_skew_at_k(&list, k, ranked.wanted(), confidence)
}

fn max_skew(groups: &[&ScoredGroup], ranked: &Ranked, confidence: Confidence) -> Tested {
    let (list, k) = ranked.list(groups);
    skew::max_skew_at_k(&list, k, ranked.wanted(), confidence)
}

fn ndkl(groups: &[&ScoredGroup], ranked: &Ranked, confidence: Confidence) -> Tested {
    let (list, _) = ranked.list(groups);
    skew::ndkl(&list, ranked.wanted(), confidence).tested
}

fn infeasible(groups: &[&ScoredGroup], ranked: &Ranked, of: fn(Infeasible) -> f64) -> Tested {
    let (list, _) = ranked.list(groups);
    let support = skew::support(list.rows() as f64);
    Tested::untested(match skew::infeasible(&list, list.rows(), ranked.wanted()) {
        Ok(found) => Estimate::of(of(found), support),
        Err(reason) => Estimate::undefined(reason, support),
    })
}

fn infeasible_index(groups: &[&ScoredGroup], ranked: &Ranked, _: Confidence) -> Tested {
    infeasible(groups, ranked, |found| found.index)
}

fn infeasible_count(groups: &[&ScoredGroup], ranked: &Ranked, _: Confidence) -> Tested {
    infeasible(groups, ranked, |found| found.count)
}

type Discounted = fn(&Ranking, usize, Confidence) -> skew::PrefixDistance;

/// The largest of the groups' distances, each group in turn the protected one, with its test times their number.
fn largest(groups: &[&ScoredGroup], ranked: &Ranked, confidence: Confidence, of: Discounted) -> Tested {
    let (list, _) = ranked.list(groups);
    let with_rows: Vec<usize> = (0..list.groups()).filter(|g| list.group_rows(*g) > 0).collect();
    let count = with_rows.len();
    if count < 2 {
        let support = skew::support(list.rows() as f64);
        return Tested::untested(Estimate::undefined(Undefined::TooFewGroups, support));
    }
    let level = crate::inference::sidak_level(confidence.level, count);
    let found: Vec<Tested> =
        with_rows.iter().map(|g| of(&list, *g, Confidence { level, ..confidence }).tested).collect();
    let ends = |side: fn(&Estimate) -> Option<f64>| found.iter().filter_map(|t| side(&t.estimate)).reduce(f64::max);
    let (low, high) = (ends(|e| e.low), ends(|e| e.high));
    let p = found.iter().filter_map(|t| t.p_value).reduce(f64::min);
    let value = |t: &Tested| t.estimate.value.unwrap_or(f64::NEG_INFINITY);
    let Some(most) = found.into_iter().reduce(|a, b| if value(&b) > value(&a) { b } else { a }) else {
        return Tested::default();
    };
    if most.estimate.value.is_none() {
        return most;
    }
    let estimate = most.estimate.between(low.unwrap_or(0.0), high.unwrap_or(f64::INFINITY));
    let p_value = p.map(|p| (p * count as f64).min(1.0));
    Tested { estimate, p_value, test: p_value.and(Some("permutation of the order, Bonferroni")) }
}

fn rnd(groups: &[&ScoredGroup], ranked: &Ranked, confidence: Confidence) -> Tested {
    largest(groups, ranked, confidence, skew::rnd)
}

fn rkl(groups: &[&ScoredGroup], ranked: &Ranked, confidence: Confidence) -> Tested {
    largest(groups, ranked, confidence, skew::rkl)
}

fn rrd(groups: &[&ScoredGroup], ranked: &Ranked, confidence: Confidence) -> Tested {
    largest(groups, ranked, confidence, skew::rrd)
}

fn awrf(groups: &[&ScoredGroup], ranked: &Ranked, confidence: Confidence) -> Tested {
    let (list, _) = ranked.list(groups);
    exposure::awrf(&list, list.rows(), ranked.attention, ranked.wanted(), confidence)
}

fn pairwise_accuracy(a: &ScoredGroup, b: &ScoredGroup, _: &Ranked, confidence: Confidence) -> Tested {
    Tested::untested(pairwise::pairwise_accuracy(&Ranking::from_scored(&[a, b]), 0, 1, confidence))
}

fn rank_parity(a: &ScoredGroup, b: &ScoredGroup, _: &Ranked, confidence: Confidence) -> Tested {
    pairwise::rank_parity(&Ranking::from_scored(&[a, b]), 0, 1, confidence)
}

const SCORE: &[Need] = &[Need::Score];
const BOTH: &[Need] = &[Need::Score, Need::Label];
const GEYIK: &str = "Geyik, Ambler, Kenthapadi (2019), KDD";
const YANG: &str = "Yang, Stoyanovich (2017), SSDBM";
const SINGH: &str = "Singh, Joachims (2018), KDD";

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

pub(crate) const MEASURES: &[Measure<ScoredGroup, Ranked>] = &[
    Measure {
        entry: entry(
            "skew_at_k",
            "Skew among the first k",
            "ln(share of the first k / share wanted)",
            SCORE,
            (Of::Group, Direction::Higher),
            (None, None, None),
            (GEYIK, "LiFT: skew"),
        ),
        compute: Compute::Group(skew_at_k),
    },
    Measure {
        entry: entry(
            "top_k_selection_rate",
            "Chance to be among the first k",
            "rows among the first k / rows",
            SCORE,
            (Of::Group, Direction::Higher),
            UNIT,
            ("NYC 6 RCNY 5-300", "FairBench: top-k selection rate"),
        ),
        compute: Compute::Group(top_k),
    },
    Measure {
        entry: entry(
            "min_skew_at_k",
            "Least skew among the first k",
            "min over groups of ln(share of the first k / share wanted)",
            SCORE,
            (Of::Table, Direction::Higher),
            (None, Some(0.0), Some(0.0)),
            (GEYIK, "LiFT: minSkew"),
        ),
        compute: Compute::Table(min_skew),
    },
    Measure {
        entry: entry(
            "max_skew_at_k",
            "Largest skew among the first k",
            "max over groups of ln(share of the first k / share wanted)",
            SCORE,
            (Of::Table, Direction::Lower),
            DISTANCE,
            (GEYIK, "LiFT: maxSkew"),
        ),
        compute: Compute::Table(max_skew),
    },
    Measure {
        entry: entry(
            "ndkl",
            "Normalised discounted KL divergence",
            "sum over i of KL(first i, wanted) / log2(i + 1), over sum of 1 / log2(i + 1)",
            SCORE,
            (Of::Table, Direction::Lower),
            DISTANCE,
            (GEYIK, "FairRankTune: NDKL"),
        ),
        compute: Compute::Table(ndkl),
    },
    Measure {
        entry: entry(
            "infeasible_index",
            "Prefixes that fall short",
            "prefixes in which a group has fewer than floor(share wanted * length)",
            SCORE,
            (Of::Table, Direction::Lower),
            DISTANCE,
            (GEYIK, "AIF360: infeasible index"),
        ),
        compute: Compute::Table(infeasible_index),
    },
    Measure {
        entry: entry(
            "infeasible_count",
            "Prefixes and groups that fall short",
            "pairs of a prefix and a group with fewer than floor(share wanted * length)",
            SCORE,
            (Of::Table, Direction::Lower),
            DISTANCE,
            (GEYIK, ""),
        ),
        compute: Compute::Table(infeasible_count),
    },
    Measure {
        entry: entry(
            "rnd",
            "Normalised discounted difference",
            "largest over groups of sum over i = 10, 20, .. of |share of the first i - share| / log2 i, normalised",
            SCORE,
            (Of::Table, Direction::Lower),
            SHARE_APART,
            (YANG, "FairRank: rND"),
        ),
        compute: Compute::Table(rnd),
    },
    Measure {
        entry: entry(
            "rkl",
            "Normalised discounted KL divergence of cut points",
            "as rnd, with the KL divergence in bits",
            SCORE,
            (Of::Table, Direction::Lower),
            SHARE_APART,
            (YANG, "FairRank: rKL"),
        ),
        compute: Compute::Table(rkl),
    },
    Measure {
        entry: entry(
            "rrd",
            "Normalised discounted ratio difference",
            "as rnd, with |group / others among the first i - group / others|, minorities only",
            SCORE,
            (Of::Table, Direction::Lower),
            DISTANCE,
            (YANG, "FairRank: rRD"),
        ),
        compute: Compute::Table(rrd),
    },
    Measure {
        entry: entry(
            "exposure",
            "Mean exposure",
            "mean of 1 / log2(1 + position)",
            SCORE,
            (Of::Group, Direction::Higher),
            UNIT,
            (SINGH, "FairRankTune: EXP"),
        ),
        compute: Compute::Group(seen),
    },
    Measure {
        entry: entry(
            "exposure_per_merit",
            "Exposure per merit",
            "mean exposure / share of favourable labels",
            BOTH,
            (Of::Group, Direction::Higher),
            POSITIVE,
            (SINGH, "FairRankTune: EXPU; disparate treatment ratio"),
        ),
        compute: Compute::Group(per_merit),
    },
    Measure {
        entry: entry(
            "rbp_exposure",
            "Rank-biased exposure",
            "mean of 0.2 * 0.8^(position - 1)",
            SCORE,
            (Of::Group, Direction::Higher),
            UNIT,
            ("Diaz, Mitra, Ekstrand, Biega, Carterette (2020), CIKM", "FairRankTune: ERBE"),
        ),
        compute: Compute::Group(rank_biased),
    },
    Measure {
        entry: entry(
            "awrf",
            "Attention-weighted rank fairness",
            "1 - JS divergence in bits of the groups' shares of attention from the wanted shares",
            SCORE,
            (Of::Table, Direction::Higher),
            (Some(0.0), Some(1.0), Some(1.0)),
            ("Sapiezynski and others (2019), WWW", "TREC Fair: AWRF; FairRankTune: AWRF"),
        ),
        compute: Compute::Table(awrf),
    },
    Measure {
        entry: entry(
            "pairwise_accuracy",
            "Pairwise accuracy between groups",
            "P(a above b | label of a above label of b)",
            BOTH,
            (Of::Pair, Direction::Neither),
            UNIT,
            ("Beutel and others (2019), KDD", "xAUC"),
        ),
        compute: Compute::Pair(pairwise_accuracy),
    },
    Measure {
        entry: entry(
            "rank_parity",
            "Rank parity",
            "P(a above b)",
            SCORE,
            (Of::Pair, Direction::Neither),
            (Some(0.0), Some(1.0), Some(0.5)),
            ("Kuhlman, VanValkenburg, Rundensteiner (2019), WWW", "FairRankTune: ARP"),
        ),
        compute: Compute::Pair(rank_parity),
    },
    Measure {
        entry: entry(
            "precision_at_k",
            "Precision among the first k",
            "favourable labels / known labels, of the group's rows among the first k",
            BOTH,
            (Of::Group, Direction::Higher),
            UNIT,
            ("Vasudevan, Kenthapadi (2020), CIKM", "LiFT, FairBench: precision at k"),
        ),
        compute: Compute::Group(precision),
    },
    Measure {
        entry: entry(
            "recall_at_k",
            "Recall among the first k",
            "favourable labels among the first k / favourable labels",
            BOTH,
            (Of::Group, Direction::Higher),
            UNIT,
            ("Vasudevan, Kenthapadi (2020), CIKM", "LiFT, FairBench: recall at k"),
        ),
        compute: Compute::Group(recall),
    },
    Measure {
        entry: entry(
            "ndcg_at_k",
            "Discounted gain among the first k",
            "gain of the group's rows / gain with them at the top",
            BOTH,
            (Of::Group, Direction::Higher),
            UNIT,
            ("Jarvelin, Kekalainen (2002), ACM TOIS", "LiFT: NDCG at k"),
        ),
        compute: Compute::Group(ndcg),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measure_answers_on_any_groups() {
        let at =
            Confidence { level: 0.95, bootstrap: crate::inference::bootstrap::Bootstrap { replicates: 50, seed: 1 } };
        let many = |rows: usize, shift: f64| {
            let scores: Vec<f64> = (0..rows).map(|i| (i * 37 % 101) as f64 / 10.0 + shift).collect();
            let labels: Vec<u8> = (0..rows).map(|i| (i % 3) as u8).collect();
            ScoredGroup::from_rows(&scores, &labels, None)
        };
        let one = ScoredGroup::from_rows(&[1.0], &[0], None);
        let (full, other, none) = (many(200, 0.0), many(90, 2.0), ScoredGroup::default());
        let cases: [&[&ScoredGroup]; 6] =
            [&[], &[&none], &[&one], &[&full, &other], &[&full, &none, &one, &other], &[&none, &none]];
        for measure in MEASURES {
            for groups in cases {
                let ranked = Ranked::default();
                let estimates: Vec<Estimate> = match measure.compute {
                    Compute::Group(f) => f(groups, &ranked, at).into_iter().map(|m| m.estimate).collect(),
                    Compute::Table(f) => vec![f(groups, &ranked, at).estimate],
                    Compute::Pair(f) if groups.len() >= 2 => vec![f(groups[0], groups[1], &ranked, at).estimate],
                    Compute::Pair(_) => vec![],
                };
                if matches!(measure.compute, Compute::Group(_)) {
                    assert_eq!(estimates.len(), groups.len());
                }
                for e in estimates {
                    assert_eq!(e.value.is_some(), e.reason.is_none(), "{} {e:?}", measure.entry.name);
                    if let Some(v) = e.value {
                        assert!(v.is_finite() && e.low.is_none_or(|l| l <= v) && e.high.is_none_or(|h| v <= h));
                        let entry = measure.entry;
                        let inside =
                            entry.least.is_none_or(|l| v >= l - 1e-9) && entry.most.is_none_or(|m| v <= m + 1e-9);
                        assert!(inside, "{} {v}", entry.name);
                    }
                }
            }
        }
    }
}
