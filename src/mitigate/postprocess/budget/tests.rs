use proptest::prelude::*;

use super::*;
use crate::data::Categorical;

fn batch(groups: &[Option<u8>], scores: &[Option<f64>]) -> Batch<'static> {
    let names = groups.iter().map(|g| g.map(|g| format!("g{g}"))).collect::<Vec<_>>();
    Batch::builder().attribute(Categorical::from_options("group", names)).score(scores).build().unwrap()
}

/// The best sum over all numbers of people of each group, none where no numbers keep the gap.
fn by_force(groups: &[u8], scores: &[f64], people: usize, gap: f64, part: fn(f64) -> f64) -> Option<f64> {
    let count = usize::from(*groups.iter().max().unwrap()) + 1;
    let mut lists: Vec<Vec<f64>> = vec![Vec::new(); count];
    groups.iter().zip(scores).for_each(|(g, s)| lists[usize::from(*g)].push(*s));
    lists.iter_mut().for_each(|l| l.sort_by(|a, b| b.total_cmp(a)));
    let mut best: Option<f64> = None;
    let sizes: Vec<usize> = lists.iter().map(|l| l.len() + 1).collect();
    for number in 0..sizes.iter().product::<usize>() {
        let mut rest = number;
        let counts: Vec<usize> = sizes
            .iter()
            .map(|n| {
                let count = rest % n;
                rest /= n;
                count
            })
            .collect();
        let rates = counts.iter().zip(&lists).filter(|(_, l)| !l.is_empty()).map(|(c, l)| {
            let sum = |of: &[f64]| of.iter().map(|s| part(*s)).sum::<f64>();
            sum(&l[..*c]) / sum(l)
        });
        let (low, high) = rates.fold((1.0f64, 0.0f64), |(l, h), r| (l.min(r), h.max(r)));
        if counts.iter().sum::<usize>() == people && high - low <= gap + 1e-9 {
            let sum: f64 = counts.iter().zip(&lists).map(|(c, l)| l[..*c].iter().sum::<f64>()).sum();
            best = Some(best.map_or(sum, |best| best.max(sum)));
        }
    }
    best
}

proptest! {
    #[test]
    fn no_other_numbers_are_better(
        rows in prop::collection::vec((0u8..3, prop_oneof![-2.0f64..2.0, Just(0.5), Just(-1.0)]), 1..14),
        people in 1usize..14,
        gap in prop_oneof![Just(0.0), 0.0f64..0.6],
    ) {
        prop_assume!(people <= rows.len());
        let groups: Vec<u8> = rows.iter().map(|r| r.0).collect();
        let scores: Vec<f64> = rows.iter().map(|r| r.1).collect();
        let of_batch = batch(
            &groups.iter().map(|g| Some(*g)).collect::<Vec<_>>(),
            &scores.iter().map(|s| Some(*s)).collect::<Vec<_>>(),
        );
        let chosen = Budget::new(people).gap(gap).apply(&of_batch);
        match by_force(&groups, &scores, people, gap, |_| 1.0) {
            Some(best) => {
                let chosen = chosen.unwrap();
                prop_assert_eq!(chosen.selected.iter().filter(|s| **s).count(), people);
                let sum: f64 = chosen.selected.iter().zip(&scores).filter(|(s, _)| **s).map(|(_, s)| s).sum();
                prop_assert!((sum - best).abs() < 1e-9, "{} for {}", sum, best);
                prop_assert!((sum - chosen.summary.score).abs() < 1e-9);
                prop_assert!(chosen.summary.gap <= gap + 1e-9);
            }
            None => {
                let error = chosen.unwrap_err().to_string();
                prop_assert!(error.contains("at least"), "{}", error);
                // The gap that the error names is one that can be kept.
                let least: f64 = error.split("at least ").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
                prop_assert!(Budget::new(people).gap((least + 1e-6).min(1.0)).apply(&of_batch).is_ok());
            }
        }
    }
}

proptest! {
    #[test]
    fn expected_rates_are_held_as_well(
        rows in prop::collection::vec((0u8..3, prop_oneof![0.05f64..0.95, Just(0.5)]), 1..12),
        people in 1usize..12,
        gap in 0.1f64..0.6,
    ) {
        prop_assume!(people <= rows.len());
        let groups: Vec<u8> = rows.iter().map(|r| r.0).collect();
        let scores: Vec<f64> = rows.iter().map(|r| r.1).collect();
        let of = batch(
            &groups.iter().map(|g| Some(*g)).collect::<Vec<_>>(),
            &scores.iter().map(|s| Some(*s)).collect::<Vec<_>>(),
        );
        for favorable in [true, false] {
            let (constraint, part): (_, fn(f64) -> f64) = match favorable {
                true => (Constraint::EqualOpportunity, |s| s),
                false => (Constraint::FalsePositiveRateParity, |s| 1.0 - s),
            };
            let chosen = Budget::new(people).constraint(constraint).gap(gap).apply(&of);
            match by_force(&groups, &scores, people, gap, part) {
                Some(best) => {
                    let summary = chosen.unwrap().summary;
                    prop_assert!((summary.score - best).abs() < 1e-9, "{constraint:?}: {} for {best}", summary.score);
                    let rates = summary.groups.iter().map(|g| g.rate);
                    let (low, high) = rates.fold((1.0f64, 0.0f64), |(l, h), r| (l.min(r), h.max(r)));
                    prop_assert!((high - low - summary.gap).abs() < 1e-12 && summary.gap <= gap + 1e-9);
                    prop_assert!(summary.groups.iter().map(|g| g.after).sum::<u64>() == people as u64);
                }
                None => prop_assert!(chosen.unwrap_err().to_string().contains("positive rates with")),
            }
        }
    }
}

#[test]
fn expected_rates_need_probabilities() {
    let of = |scores: &[f64]| {
        let scores: Vec<Option<f64>> = scores.iter().map(|s| Some(*s)).collect();
        batch(&[Some(0), Some(0), Some(1)], &scores)
    };
    let said = |scores: &[f64], constraint| {
        Budget::new(1).constraint(constraint).gap(1.0).apply(&of(scores)).unwrap_err().to_string()
    };
    assert!(said(&[0.1, 1.2, 0.3], Constraint::EqualOpportunity).contains("row 2"));
    let slip = said(&[0.1, 0.2, 0.0], Constraint::EqualOpportunity);
    assert!(slip.contains("`g1`") && slip.contains("a favourable label"), "{slip}");
    assert!(said(&[0.1, 0.2, 1.0], Constraint::FalsePositiveRateParity).contains("an unfavourable label"));
    assert!(said(&[0.1, 0.2, 0.3], Constraint::EqualizedOdds).contains("equalized odds"));
}

#[test]
fn large_groups_are_searched_near_the_top_only() {
    // Two groups of some thousands: every number of one of them is tried.
    let n = 9_000usize;
    let groups: Vec<Option<u8>> = (0..n).map(|i| Some(u8::from(i.is_multiple_of(3)))).collect();
    let score = |i: usize| ((i * 7919) % 9973) as f64 / 9973.0 * if i.is_multiple_of(3) { 0.6 } else { 1.0 };
    let scores: Vec<Option<f64>> = (0..n).map(|i| Some(score(i))).collect();
    let mut lists = [Vec::new(), Vec::new()];
    (0..n).for_each(|i| lists[usize::from(i.is_multiple_of(3))].push(score(i)));
    lists.iter_mut().for_each(|l| l.sort_by(|a, b| b.total_cmp(a)));
    let sums = lists.clone().map(|l| {
        l.iter()
            .scan(0.0, |sum, x| {
                *sum += x;
                Some(*sum)
            })
            .collect::<Vec<f64>>()
    });
    let sum = |g: usize, count: usize| if count == 0 { 0.0 } else { sums[g][count - 1] };
    for (people, gap) in [(1_000, 0.01), (2_500, 0.0004), (7_000, 0.05), (40, 0.002)] {
        let mut best = f64::NEG_INFINITY;
        for first in 0..=lists[0].len().min(people) {
            let second = people - first;
            if second <= lists[1].len() {
                let rates = [first as f64 / lists[0].len() as f64, second as f64 / lists[1].len() as f64];
                if (rates[0] - rates[1]).abs() <= gap + 1e-9 {
                    best = best.max(sum(0, first) + sum(1, second));
                }
            }
        }
        let found = Budget::new(people).gap(gap).apply(&batch(&groups, &scores)).unwrap().summary;
        assert!((found.score - best).abs() < 1e-6, "{people} {gap}: {} for {best}", found.score);
        assert!(found.price_of_a_point.unwrap() > 0.0 && found.swapped > 0);
        assert_eq!(found.groups.iter().map(|g| g.after).sum::<u64>(), people as u64);
    }
}

#[test]
fn ties_are_told_apart_and_what_is_missing_is_counted() {
    let groups = [Some(0), Some(0), Some(0), Some(1), Some(1), None, Some(1)];
    let scores = [Some(0.5), Some(0.5), Some(0.5), Some(0.5), Some(0.1), Some(0.9), None];
    let of_batch = batch(&groups, &scores);
    let chosen = Budget::new(3).gap(1.0).seed(1).apply(&of_batch).unwrap();
    assert_eq!(chosen.selected.iter().filter(|s| **s).count(), 3);
    assert!(chosen.selected[5] && !chosen.selected[6]);
    assert_eq!((chosen.summary.without_group, chosen.summary.without_score), (1, 1));
    assert_eq!(chosen.summary.price_of_a_point, None);
    let different = (0..20).any(|seed| Budget::new(3).gap(1.0).seed(seed).apply(&of_batch).unwrap() != chosen);
    assert!(different, "other seeds take others of the tied");
    let text = serde_json::to_string(&chosen.summary).unwrap();
    assert_eq!(serde_json::from_str::<BudgetSummary>(&text).unwrap(), chosen.summary);

    let fails = |budget: Budget| budget.apply(&of_batch).unwrap_err().to_string();
    assert!(fails(Budget::new(7)).contains("from 1 to the 6 people"));
    assert!(fails(Budget::new(0)).contains("from 1"));
    assert!(fails(Budget::new(1).gap(-0.1)).contains("gap"));
    assert!(fails(Budget::new(1).attributes(["grup"])).contains("`group`"));
    assert!(fails(Budget::new(1).model("m")).contains("`m`"));
}
