use approx::assert_relative_eq;
use proptest::prelude::*;

use super::*;
use crate::data::Categorical;
use crate::metrics::Confidence;
use crate::metrics::ranking::{Ranking, skew};

const RULES: [Rule; 4] = [Rule::DetGreedy, Rule::DetCons, Rule::DetRelaxed, Rule::DetConstSort];

fn codes_of(order: &[usize], codes: &[u32]) -> Vec<usize> {
    order.iter().map(|row| codes[*row] as usize).collect()
}

/// Whether some list of `k` of these candidates keeps every prefix: all of them are tried.
fn some_list_is_feasible(left: &mut [usize], placed: &mut Vec<usize>, targets: &[f64], k: usize) -> bool {
    if placed.len() == k {
        return true;
    }
    (0..left.len()).any(|group| {
        if left[group] == 0 {
            return false;
        }
        left[group] -= 1;
        placed.push(group);
        let count = |g: usize| placed.iter().filter(|c| **c == g).count();
        let kept = (0..left.len()).all(|g| count(g) as f64 >= (targets[g] * placed.len() as f64 + 1e-9).floor());
        let found = kept && some_list_is_feasible(left, placed, targets, k);
        placed.pop();
        left[group] += 1;
        found
    })
}

/// Rows with few distinct scores, so that ties are common, in up to five groups.
fn candidates(most: usize) -> impl Strategy<Value = (Vec<f64>, Vec<u32>, usize)> {
    (1usize..6, 1..most).prop_flat_map(|(groups, rows)| {
        let row = (0u8..12, 0..groups as u32);
        prop::collection::vec(row, rows).prop_map(move |rows| {
            let scores = rows.iter().map(|r| f64::from(r.0)).collect();
            (scores, rows.iter().map(|r| r.1).collect(), groups)
        })
    })
}

fn shares_of(codes: &[u32], groups: usize) -> Vec<f64> {
    (0..groups).map(|g| codes.iter().filter(|c| **c as usize == g).count() as f64).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn constrained_sort_keeps_every_prefix((scores, codes, groups) in candidates(80)) {
        let targets = shares_of(&codes, groups);
        let order = rerank(Rule::DetConstSort, &scores, &codes, &targets, scores.len()).unwrap();
        prop_assert_eq!(infeasible_prefixes(&codes_of(&order, &codes), &targets), Vec::<usize>::new());
        // Nobody is lost, nobody is there twice.
        let mut rows = order;
        rows.sort_unstable();
        prop_assert_eq!(rows, (0..scores.len()).collect::<Vec<_>>());
    }

    #[test]
    fn any_rule_keeps_every_prefix_of_up_to_three_groups(
        (scores, codes, _) in candidates(60),
        rule in prop::sample::select(RULES.to_vec()),
    ) {
        let codes: Vec<u32> = codes.iter().map(|c| c % 3).collect();
        let targets = shares_of(&codes, 3);
        let order = rerank(rule, &scores, &codes, &targets, scores.len()).unwrap();
        prop_assert_eq!(infeasible_prefixes(&codes_of(&order, &codes), &targets), Vec::<usize>::new());
    }

    #[test]
    fn where_some_list_is_feasible_the_sorted_one_is(
        (scores, codes, groups) in candidates(9),
        wanted in prop::collection::vec(0u8..5, 5),
        k in 1usize..9,
    ) {
        let mut targets: Vec<f64> = wanted[..groups].iter().map(|w| f64::from(*w)).collect();
        if targets.iter().sum::<f64>() == 0.0 {
            targets[0] = 1.0;
        }
        let k = k.min(scores.len());
        let sum: f64 = targets.iter().sum();
        let shares: Vec<f64> = targets.iter().map(|t| t / sum).collect();
        let sizes: Vec<usize> = shares_of(&codes, groups).iter().map(|n| *n as usize).collect();
        let possible = some_list_is_feasible(&mut sizes.clone(), &mut Vec::new(), &shares, k);
        prop_assert_eq!(possible, deterministic::unavoidable(&sizes, &shares, k) == 0);
        let order = rerank(Rule::DetConstSort, &scores, &codes, &targets, k).unwrap();
        prop_assert_eq!(order.len(), k);
        let short = infeasible_prefixes(&codes_of(&order, &codes), &targets);
        prop_assert_eq!(possible, short.is_empty());
        // Only what nobody could keep is broken.
        prop_assert_eq!(short.len(), deterministic::unavoidable(&sizes, &shares, k));
    }

    #[test]
    fn order_of_listing_groups_never_matters(
        (scores, codes, groups) in candidates(60),
        rule in prop::sample::select(RULES.to_vec()),
        wanted in prop::collection::vec(1u8..9, 5),
        turn in 0usize..5,
        k in 1usize..60,
    ) {
        let targets: Vec<f64> = wanted[..groups].iter().map(|w| f64::from(*w)).collect();
        let order = rerank(rule, &scores, &codes, &targets, k).unwrap();
        let place = |group: usize| if turn % 2 == 0 { (group + turn) % groups } else { groups - 1 - group };
        let mut turned = vec![0.0; groups];
        targets.iter().enumerate().for_each(|(group, target)| turned[place(group)] = *target);
        let renamed: Vec<u32> = codes.iter().map(|c| place(*c as usize) as u32).collect();
        prop_assert_eq!(&order, &rerank(rule, &scores, &renamed, &turned, k).unwrap());
        // Within a group the order is that of the scores.
        for group in 0..groups as u32 {
            let own: Vec<usize> = order.iter().copied().filter(|row| codes[*row] == group).collect();
            prop_assert!(own.windows(2).all(|w| deterministic::compare(&scores, w[0], w[1]).is_lt()));
        }
    }

    #[test]
    fn every_prefix_counts_the_last_included(codes in prop::collection::vec(0usize..3, 1..40)) {
        let targets = [0.5, 0.3, 0.2];
        let ranking = Ranking::from_ordered(&codes, 3, None);
        let found = skew::infeasible(&ranking, codes.len(), Some(&targets)).unwrap();
        prop_assert_eq!(infeasible_prefixes(&codes, &targets).len() as f64, found.index);
        let figures = ListFigures::of(&codes, &targets, codes.len(), 0.0);
        let ndkl = skew::ndkl(&ranking, Some(&targets), Confidence::at(0.95)).tested.estimate.value;
        prop_assert!((figures.ndkl.unwrap() - ndkl.unwrap()).abs() < 1e-9);
    }

    #[test]
    fn fair_lists_are_the_best_that_keep_the_table(
        rows in prop::collection::vec((0u8..9, any::<bool>()), 1..9),
        steps in prop::collection::vec(any::<bool>(), 1..6),
    ) {
        let scores: Vec<f64> = rows.iter().map(|r| f64::from(r.0)).collect();
        let protected: Vec<bool> = rows.iter().map(|r| r.1).collect();
        let mut sum = 0;
        let minimum: Vec<usize> = steps.iter().map(|s| { sum += usize::from(*s); sum }).collect();
        let k = minimum.len();
        let discounted = |list: &[usize]| -> f64 {
            list.iter().enumerate().map(|(at, row)| scores[*row] / (at as f64 + 2.0).log2()).sum()
        };
        // Every choice of who is protected at each place; within a group the better stands first.
        let rows = by_score(&scores, (0..scores.len()).collect());
        let mut best: Option<(f64, f64)> = None;
        for pattern in 0..1usize << k {
            let (mut members, mut others) = (rows.iter().filter(|r| protected[**r]), rows.iter().filter(|r| !protected[**r]));
            let (mut list, mut count) = (Vec::new(), 0);
            for (at, least) in minimum.iter().enumerate() {
                let member = pattern >> at & 1 == 1;
                count += usize::from(member);
                match if member { members.next() } else { others.next() } {
                    Some(row) if count >= *least => list.push(*row),
                    _ => break,
                }
            }
            if list.len() == k {
                let utility: f64 = list.iter().map(|row| scores[*row]).sum();
                let found = (utility, discounted(&list));
                best = Some(best.map_or(found, |b: (f64, f64)| (b.0.max(found.0), b.1.max(found.1))));
            }
        }
        match (fair_top_k(&scores, &protected, &minimum), best) {
            (Ok(list), Some((utility, gain))) => {
                let own: f64 = list.iter().map(|row| scores[*row]).sum();
                prop_assert!((own - utility).abs() < 1e-9 && (discounted(&list) - gain).abs() < 1e-9);
            }
            (Err(Error::Infeasible { .. }), None) => {}
            // With fewer candidates than places the list is as long as it can be.
            (Ok(list), None) => prop_assert_eq!(list.len(), scores.len()),
            (found, best) => prop_assert!(false, "{found:?} {best:?}"),
        }
    }
}

#[test]
fn a_published_list_has_its_figures() {
    // AIF360's documented ranking and figures, the scores scaled to [0, 1].
    let codes = [0, 1, 1, 1, 0, 0, 0, 1, 0, 1];
    let scores = [55.0, 65.0, 85.0, 70.0, 60.0, 50.0, 40.0, 30.0, 20.0, 10.0];
    assert_eq!(infeasible_prefixes(&codes, &[1.0, 1.0]), [4]);
    let sorted = by_score(&scores, (0..10).collect());
    let gains = summary::Gains::of(&scores, &sorted);
    let given: Vec<usize> = (0..10).collect();
    assert_relative_eq!(gains.ndcg(&sorted, &given), 0.9205433, epsilon = 1e-7);
    assert_relative_eq!(gains.mean(&given), 48.5, epsilon = 1e-12);
}

#[test]
fn aif360_agrees() {
    // AIF360 0.6.1, DeterministicReranking, shares 1/2, 1/4, 1/8, 1/8 of 16 places. Its greedy rule mixes up groups that are
    // not the first listed, and stops with an error.
    let codes = [0, 3, 2, 0, 1, 2, 2, 3, 0, 0, 0, 3, 0, 3, 1, 1, 0, 2, 0, 1, 3, 1, 1, 0];
    let scores = [14, 13, 16, 24, 1, 18, 4, 23, 9, 10, 19, 7, 2, 11, 3, 12, 21, 17, 15, 5, 8, 6, 22, 20].map(f64::from);
    let found = |rule| rerank(rule, &scores, &codes, &[0.5, 0.25, 0.125, 0.125], 16).unwrap();
    let alike = [3, 22, 16, 7, 23, 5, 10, 15, 18, 21, 0, 17, 9, 1, 8, 19];
    assert_eq!(found(Rule::DetCons), alike);
    assert_eq!(found(Rule::DetRelaxed), alike);
    assert_eq!(found(Rule::DetConstSort), [3, 7, 22, 16, 23, 10, 5, 15, 18, 0, 9, 21, 17, 1, 8, 19]);
}

#[test]
fn rules_differ_as_they_say() {
    // Worked by hand. Each of three groups is better than the next throughout, or worse.
    let scores: Vec<f64> = (0..30).map(|i| f64::from(30 - i)).collect();
    let falling: Vec<u32> = (0..30).map(|i| i / 10).collect();
    let rising: Vec<u32> = falling.iter().map(|c| 2 - c).collect();
    let first =
        |rule, codes: &[u32], targets: &[f64], k| codes_of(&rerank(rule, &scores, codes, targets, k).unwrap(), codes);
    let shares = [0.6, 0.3, 0.1];
    assert_eq!(first(Rule::DetGreedy, &falling, &shares, 10), [0, 0, 1, 0, 1, 0, 0, 1, 0, 2]);
    assert_eq!(first(Rule::DetCons, &falling, &shares, 10), [0, 0, 1, 0, 1, 0, 0, 1, 0, 2]);
    assert_eq!(first(Rule::DetConstSort, &falling, &shares, 10), [0, 0, 0, 1, 0, 0, 1, 0, 1, 2]);
    assert_eq!(first(Rule::DetGreedy, &rising, &shares, 5), [2, 0, 1, 0, 0]);
    assert_eq!(first(Rule::DetCons, &rising, &shares, 5), [0, 1, 0, 0, 1]);
    // 1 / 0.45 is less than 1 / 0.4, but both are 3 places.
    assert_eq!(first(Rule::DetCons, &rising, &[0.45, 0.4, 0.15], 1), [0]);
    assert_eq!(first(Rule::DetRelaxed, &rising, &[0.45, 0.4, 0.15], 1), [1]);
}

#[test]
fn a_group_that_runs_out_leaves_its_places_to_the_best() {
    let scores = [9.0, 8.0, 7.0, 6.0, 5.0, 4.0];
    let codes = [0, 0, 0, 0, 0, 1];
    for rule in RULES {
        let order = rerank(rule, &scores, &codes, &[0.5, 0.5], 6).unwrap();
        assert_eq!(order.len(), 6);
        let short = infeasible_prefixes(&codes_of(&order, &codes), &[0.5, 0.5]);
        assert_eq!(short, [4, 5, 6], "{rule:?}");
    }
    assert_eq!(deterministic::unavoidable(&[5, 1], &[0.5, 0.5], 6), 3);
    // A group of which nothing is wanted comes when the others have run out.
    for rule in RULES {
        assert_eq!(rerank(rule, &scores, &codes, &[0.0, 1.0], 3).unwrap(), [5, 0, 1], "{rule:?}");
    }
}

fn batch(sex: &[Option<&str>], scores: &[Option<f64>]) -> Batch<'static> {
    Batch::builder().attribute(Categorical::from_options("sex", sex.iter().copied())).score(scores).build().unwrap()
}

#[test]
fn rows_without_a_group_keep_their_place() {
    let sex = [Some("m"), None, Some("m"), Some("m"), Some("f"), Some("f"), Some("f"), Some("m")];
    let scores = [0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4, 0.99].map(Some);
    let mut scores = scores.to_vec();
    scores[7] = None;
    let list = Rerank::new().apply(&batch(&sex, &scores)).unwrap();
    assert_eq!(list.order, [0, 1, 4, 2, 5, 3, 6]);
    assert_eq!((list.summary.kept_in_place, list.summary.without_score, list.summary.places), (1, 1, 7));
    let json = serde_json::to_string(&list.summary).unwrap();
    assert_eq!(serde_json::from_str::<RerankSummary>(&json).unwrap(), list.summary);
    assert!(list.summary.score_lost().abs() < 1e-12 && list.summary.ndcg < 1.0);
    // A list whose only place is kept has nobody to place.
    let kept = batch(&[None, Some("m"), Some("f")], &[Some(3.0), Some(2.0), Some(1.0)]);
    let first = Rerank::new().top(1).apply(&kept).unwrap();
    assert_eq!((&first.order[..], first.summary.ndcg, first.summary.after.infeasible), (&[0][..], 1.0, 0));
    assert_eq!(FairTopK::new("f", 1).apply(&kept).unwrap().order, [0]);
    let fair = FairTopK::new("f", 7).alpha(0.3).share(0.5).apply(&batch(&sex, &scores)).unwrap();
    assert_eq!((fair.order[1], fair.summary.minimum.len(), fair.summary.kept_in_place), (1, 6, 1));
}

#[test]
fn fair_lists_pass_their_test() {
    let sex: Vec<Option<&str>> = (0..200).map(|i| Some(if i % 4 == 3 { "f" } else { "m" })).collect();
    let scores: Vec<Option<f64>> = (0..200).map(|i| Some(f64::from(i % 4 != 3) * 100.0 + f64::from(i))).collect();
    let batch = batch(&sex, &scores);
    let list = FairTopK::new("f", 60).apply(&batch).unwrap();
    let codes: Vec<usize> = list.order.iter().map(|row| usize::from(row % 4 == 3)).collect();
    let seed = crate::inference::bootstrap::Bootstrap { replicates: 0, seed: 0 };
    let ranking = Ranking::from_ordered(&codes, 2, None);
    let found = crate::metrics::ranking::fair_topk::fair_test(&ranking, 1, 60, 0.25, 0.1, seed).unwrap();
    assert!(found.passes && list.summary.share == 0.25 && list.summary.before == 0);
    assert_eq!(list.summary.after as usize, *list.summary.minimum.last().unwrap());
    assert!(list.summary.mean_score < list.summary.mean_score_before);
}

#[test]
fn slips_are_named() {
    let batch = batch(&[Some("m"), Some("f"), None], &[Some(1.0), Some(2.0), Some(3.0)]);
    let text = |error: Error| error.to_string();
    let of = |rerank: Rerank| text(rerank.apply(&batch).unwrap_err());
    assert!(of(Rerank::new().top(4)).contains("from 1 to the 3 rows"));
    assert!(of(Rerank::new().top(0)).contains("from 1 to the 3 rows"));
    assert!(of(Rerank::new().targets([("m", 1.0)])).contains("no target `f`"));
    assert!(of(Rerank::new().targets([("m", 1.0), ("x", 1.0)])).contains("no group `x`"));
    assert!(of(Rerank::new().targets([("m", 1.0), ("m", 1.0)])).contains("given twice"));
    assert!(of(Rerank::new().targets([("m", 0.0), ("f", 0.0)])).contains("the sum of the targets"));
    assert!(of(Rerank::new().targets([("m", f64::NAN), ("f", 0.0)])).contains("target of `m`"));
    assert!(of(Rerank::new().model("scoer")).contains("did you mean `score`"));
    assert!(of(Rerank::new().attributes(["age"])).contains("no column `age`"));
    let fair = |list: FairTopK| text(list.apply(&batch).unwrap_err());
    assert!(fair(FairTopK::new("x", 2)).contains("no group `x`"));
    assert!(fair(FairTopK::new("f", 2).share(1.0)).contains("the wanted share is 1"));
    assert!(fair(FairTopK::new("f", 2).alpha(0.0)).contains("the level is 0"));
    assert!(fair(FairTopK::new("f", 3).share(0.99).alpha(0.9)).contains("there are 1 candidates"));
    assert!(fair_top_k(&[1.0], &[true], &[2]).is_err() && fair_top_k(&[1.0], &[], &[]).is_err());
    assert_eq!(fair_top_k(&[], &[], &[0, 0]).unwrap(), Vec::<usize>::new());
    assert!(rerank(Rule::DetCons, &[1.0], &[], &[1.0], 1).is_err());
    assert!(rerank(Rule::DetCons, &[1.0], &[0], &[], 1).is_err());
    assert_eq!(rerank(Rule::DetCons, &[f64::NAN, 1.0, 2.0], &[0, 0, 7], &[1.0], 9).unwrap(), [1]);
    assert_eq!(rerank(Rule::DetConstSort, &[0.0, -0.0, f64::INFINITY], &[0; 3], &[1.0], 9).unwrap(), [2, 0, 1]);
    let decided = Batch::builder().attribute(Categorical::from_values("sex", ["m"])).decision([1]).build().unwrap();
    assert!(text(Rerank::new().apply(&decided).unwrap_err()).contains("needs a score"));
}
