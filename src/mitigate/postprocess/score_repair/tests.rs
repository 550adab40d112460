use proptest::prelude::*;

use super::*;
use crate::data::Categorical;

fn batch(groups: &[Option<&str>], scores: &[f64], weights: Option<&[f64]>) -> Batch<'static> {
    let builder = Batch::builder()
        .attribute(Categorical::from_options("g", groups.iter().copied()))
        .score(&scores.iter().map(|s| (!s.is_nan()).then_some(*s)).collect::<Vec<_>>());
    match weights {
        Some(w) => builder.weight(w.to_vec()).build().unwrap(),
        None => builder.build().unwrap(),
    }
}

/// The largest distance of two distribution functions, by looking at every score.
fn largest_distance(a: &[f64], b: &[f64]) -> f64 {
    let share = |of: &[f64], at: f64| of.iter().filter(|v| **v <= at).count() as f64 / of.len() as f64;
    a.iter().chain(b).map(|at| (share(a, *at) - share(b, *at)).abs()).fold(0.0, f64::max)
}

fn of_group<'a>(names: &'a [Option<&str>], values: &'a [f64], group: &'a str) -> Vec<f64> {
    names.iter().zip(values).filter(|(n, _)| **n == Some(group)).map(|(_, v)| *v).collect()
}

/// Two groups of other shapes and sizes, scores all different.
fn unlike() -> (Vec<Option<&'static str>>, Vec<f64>) {
    let names: Vec<_> = (0..300).map(|i| Some(if i % 3 == 0 { "a" } else { "b" })).collect();
    let scores = (0..300).map(|i| {
        let u = ((i * 7919 + 13) % 300) as f64 / 300.0;
        if i % 3 == 0 { u * u } else { u.sqrt() }
    });
    (names, scores.collect())
}

#[test]
fn full_repair_makes_distributions_one() {
    let (names, scores) = unlike();
    let of = batch(&names, &scores, None);
    for target in [RepairTarget::Mean, RepairTarget::Median] {
        let fitted = ScoreRepair::new().target(target).fit(&of).unwrap();
        let out = fitted.repair(&of, &scores).unwrap();
        let (a, b) = (of_group(&names, &out, "a"), of_group(&names, &out, "b"));
        assert!(largest_distance(&a, &b) <= 1.0 / 100.0 + 1e-12, "{target:?}: {}", largest_distance(&a, &b));
        assert!(largest_distance(&of_group(&names, &scores, "a"), &of_group(&names, &scores, "b")) > 0.4);
        assert!(out.iter().all(|s| (0.0..=1.0).contains(s)));
    }
}

#[test]
fn moves_are_the_barycentres_and_cost_the_square_of_the_degree() {
    // Of two groups of equal size with the same number of scores, the barycentre pairs the k-th with the k-th.
    let names: Vec<_> = (0..20).map(|i| Some(["a", "b"][i / 10])).collect();
    let scores: Vec<f64> = (0..20).map(|i| if i < 10 { i as f64 } else { ((i - 10) as f64).powi(2) + 50.0 }).collect();
    let of = batch(&names, &scores, None);
    let whole = ScoreRepair::new().fit(&of).unwrap();
    let out = whole.repair(&of, &scores).unwrap();
    for k in 0..10 {
        let middle = (scores[k] + scores[10 + k]) / 2.0;
        assert!((out[k] - middle).abs() < 1e-12 && (out[10 + k] - middle).abs() < 1e-12);
    }
    let by_hand: f64 = out.iter().zip(&scores).map(|(o, s)| (o - s).powi(2)).sum::<f64>() / 20.0;
    assert!((whole.cost - by_hand).abs() < 1e-9);
    let half = ScoreRepair::new().degree(0.5).fit(&of).unwrap();
    assert!((half.cost - whole.cost / 4.0).abs() < 1e-9);
    let there = half.repair(&of, &scores).unwrap();
    assert!(there.iter().zip(&out).zip(&scores).all(|((h, o), s)| (h - (o + s) / 2.0).abs() < 1e-12));
    // Weights are people: each of `a` twice moves the barycentre towards them.
    let weights: Vec<f64> = (0..20).map(|i| if i < 10 { 2.0 } else { 1.0 }).collect();
    let out = ScoreRepair::new().fit(&batch(&names, &scores, Some(&weights))).unwrap().repair(&of, &scores).unwrap();
    assert!((out[3] - (2.0 * scores[3] + scores[13]) / 3.0).abs() < 1e-12);
}

#[test]
fn ties_stay_together_or_are_drawn_apart() {
    // Everybody of `a` has one of two scores.
    let names: Vec<_> = (0..4000).map(|i| Some(["a", "b"][i % 2])).collect();
    let scores: Vec<f64> =
        (0..4000).map(|i| if i % 2 == 0 { [0.2, 0.6][i / 2 % 2] } else { i as f64 / 4000.0 }).collect();
    let of = batch(&names, &scores, None);
    let fitted = ScoreRepair::new().fit(&of).unwrap();
    let together = fitted.repair(&of, &scores).unwrap();
    assert_eq!(together[0], together[4]);
    let ids: Vec<u64> = (0..4000).collect();
    let apart = fitted.repair_spread(&of, &scores, &ids, 3).unwrap();
    let distance = |out: &[f64]| largest_distance(&of_group(&names, out, "a"), &of_group(&names, out, "b"));
    assert!(distance(&together) > 0.2 && distance(&apart) < 0.06, "{} {}", distance(&together), distance(&apart));
    assert_eq!(apart, fitted.repair_spread(&of, &scores, &ids, 3).unwrap());
    assert_ne!(apart, fitted.repair_spread(&of, &scores, &ids, 4).unwrap());
}

#[test]
fn small_groups_lean_on_all() {
    let names: Vec<_> = (0..105).map(|i| Some(if i < 5 { "few" } else { "many" })).collect();
    let scores: Vec<f64> = (0..105).map(|i| if i < 5 { 200.0 + i as f64 } else { i as f64 }).collect();
    let of = batch(&names, &scores, None);
    let fit = |shrink: f64| ScoreRepair::new().shrink(shrink).fit(&of).unwrap();
    // A group drawn all the way has the quantiles of all, and is moved by next to nothing there.
    let lean = fit(1e12);
    let few = &lean.groups[0];
    assert!(few.moves.iter().all(|m| (m.score - m.repaired).abs() < 1e-6), "{:?}", few.moves);
    assert!(fit(5.0).groups[0].moves[2].score < 202.0);
    assert_eq!(fit(0.0).groups[0].moves[2].score, 202.0);
}

#[test]
fn few_points_serve_nearly_as_well_and_it_serialises() {
    let (names, scores) = unlike();
    let of = batch(&names, &scores, None);
    let full = ScoreRepair::new().fit(&of).unwrap();
    let thin = ScoreRepair::new().points(20).fit(&of).unwrap();
    assert!(thin.groups.iter().all(|g| g.moves.len() == 20));
    assert_eq!(thin.groups[1].moves[19], full.groups[1].moves[199]);
    let (a, b) = (full.repair(&of, &scores).unwrap(), thin.repair(&of, &scores).unwrap());
    // The root rises steeply at 0, where no line follows it.
    let apart: f64 = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum::<f64>() / 300.0;
    assert!(apart > 0.0 && apart < 0.01, "{apart}");
    let text = serde_json::to_string(&thin).unwrap();
    assert_eq!(serde_json::from_str::<RepairedScores>(&text).unwrap(), thin);
}

#[test]
fn what_is_not_known_is_left_and_what_cannot_be_is_said() {
    let names = [Some("a"), Some("a"), Some("b"), Some("b"), None, Some("b")];
    let scores = [0.0, 1.0, 2.0, 3.0, 7.0, f64::NAN];
    let of = batch(&names, &scores, None);
    let fitted = ScoreRepair::new().fit(&of).unwrap();
    assert_eq!((fitted.left_alone, fitted.unit), (2, false));
    let out = fitted.repair(&of, &scores).unwrap();
    assert_eq!(out[4], 7.0);
    assert!(out[5].is_nan());
    // Beyond what was seen: as the nearest of it.
    let new = batch(&[Some("a"), Some("b")], &[5.0, -5.0], None);
    assert_eq!(fitted.repair(&new, &[5.0, -5.0]).unwrap(), [6.0, -6.0]);
    let slip = fitted.repair(&batch(&[Some("c")], &[0.1], None), &[0.1]).unwrap_err().to_string();
    assert!(slip.contains("`c`") && slip.contains("row 1"), "{slip}");
    assert!(fitted.repair(&of, &[1.0]).is_err());
    assert!(fitted.repair_spread(&of, &scores, &[1], 1).is_err());
    let fails = |r: ScoreRepair, b: &Batch| r.fit(b).unwrap_err().to_string();
    assert!(fails(ScoreRepair::new().degree(f64::NAN), &of).contains("degree of repair"));
    assert!(fails(ScoreRepair::new().shrink(-1.0), &of).contains("shrink"));
    assert!(fails(ScoreRepair::new().points(1), &of).contains("points"));
    assert!(fails(ScoreRepair::new(), &batch(&[None, None], &[0.1, 0.2], None)).contains("no row has a known group"));
    assert!(fails(ScoreRepair::new(), &batch(&names[..2], &[0.1, 0.2], Some(&[0.0, 0.0]))).contains("weight"));
    let labels = Batch::builder().attribute(Categorical::from_values("g", ["a"])).label([1u8]).build().unwrap();
    assert!(fails(ScoreRepair::new(), &labels).contains("score"));
}

proptest! {
    #[test]
    fn ranks_are_kept_and_names_do_not_matter(rows in prop::collection::vec((0usize..3, -40i32..40, 1u8..4), 1..60)) {
        let scores: Vec<f64> = rows.iter().map(|r| f64::from(r.1) / 8.0).collect();
        let weights: Vec<f64> = rows.iter().map(|r| f64::from(r.2)).collect();
        let run = |names: [&'static str; 3], weights: &[f64], order: &[usize]| {
            let names: Vec<_> = order.iter().map(|i| Some(names[rows[*i].0])).collect();
            let pick = |of: &[f64]| order.iter().map(|i| of[*i]).collect::<Vec<_>>();
            let of = batch(&names, &pick(&scores), Some(&pick(weights)));
            let out = ScoreRepair::new().fit(&of).unwrap().repair(&of, &pick(&scores)).unwrap();
            let mut back = vec![0.0; order.len()];
            order.iter().zip(out).for_each(|(i, v)| back[*i] = v);
            back
        };
        let (forth, back): (Vec<usize>, Vec<usize>) = ((0..rows.len()).collect(), (0..rows.len()).rev().collect());
        let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9);
        let all = run(["a", "b", "c"], &weights, &forth);
        prop_assert!(near(&all, &run(["z", "y", "b"], &weights, &back)));
        let heavy: Vec<f64> = weights.iter().map(|w| w * 7.0).collect();
        prop_assert!(near(&all, &run(["a", "b", "c"], &heavy, &forth)));
        prop_assert!(near(&scores, &run(["a", "a", "a"], &weights, &forth)));
        for i in 0..rows.len() {
            for j in 0..rows.len() {
                if rows[i].0 == rows[j].0 && rows[i].1 <= rows[j].1 {
                    prop_assert!(all[i] <= all[j] + 1e-9);
                }
            }
        }
    }
}
