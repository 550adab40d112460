//! Twins by brute force, invariants, and simulations of levels and coverage, over the files of this room.

use rand::Rng;
use rand::seq::SliceRandom;

use super::exposure::{Attention, awrf, expected_exposure, exposure, exposure_per_merit, exposure_ratio};
use super::{Ranking, skew};
use crate::inference::bootstrap::Bootstrap;
use crate::inference::rng::stream;
use crate::metrics::{Confidence, Undefined};

fn quick(replicates: usize) -> Confidence {
    Confidence { level: 0.95, bootstrap: Bootstrap { replicates, seed: 5 } }
}

/// All orders of `items`.
fn orders(items: &[usize]) -> Vec<Vec<usize>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let without = |at: usize| [&items[..at], &items[at + 1..]].concat();
    let with = |at: usize| orders(&without(at)).into_iter().map(move |o| [vec![items[at]], o].concat());
    (0..items.len()).flat_map(with).collect()
}

#[test]
fn figures_over_ties_are_means_over_all_orders() {
    // Two rows, then six tied ones, then two.
    let codes = [0, 1, 0, 0, 1, 1, 2, 0, 1, 0];
    let scores = [9.0, 8.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 2.0, 1.0];
    let tied = Ranking::from_scores(&scores, &codes, 3, None);
    let lists: Vec<Ranking> = orders(&codes[2..8])
        .into_iter()
        .map(|middle| Ranking::from_ordered(&[&codes[..2], &middle[..], &codes[8..]].concat(), 3, None))
        .collect();
    let at = quick(2);
    let mean = |of: &dyn Fn(&Ranking) -> f64| lists.iter().map(of).sum::<f64>() / lists.len() as f64;
    let same = |of: &dyn Fn(&Ranking) -> f64| assert!((of(&tied) - mean(of)).abs() < 1e-12, "{}", of(&tied));
    same(&|r| skew::ndkl(r, None, at).tested.estimate.value.unwrap());
    same(&|r| skew::infeasible(r, 10, None).unwrap().count);
    for attention in [Attention::Logarithmic, Attention::Geometric(0.7)] {
        for group in 0..3 {
            same(&|r| exposure(r, attention, at)[group].value.unwrap());
        }
    }
    for k in 0..=10 {
        same(&|r| r.among_first(k)[1]);
    }
}

#[test]
fn infeasible_prefixes_of_a_known_list() {
    let list = Ranking::from_ordered(&[0, 1, 1, 1, 0, 0, 0, 1, 0, 1], 2, None);
    let found = skew::infeasible(&list, 10, Some(&[0.5, 0.5])).unwrap();
    assert_eq!((found.index, found.count), (1.0, 1.0));
    // Three groups: brute force, in both orders of listing; the last prefix counts.
    let mut rng = stream(3, 0, 0);
    for _ in 0..50 {
        let codes: Vec<usize> = (0..30).map(|_| rng.gen_range(0..3)).collect();
        let targets = [0.2, 0.5, 0.3];
        let (mut index, mut count) = (0.0, 0.0);
        for k in 1..=30 {
            let short = |g: &usize| {
                (codes[..k].iter().filter(|c| *c == g).count() as f64) < (targets[*g] * k as f64 + 1e-9).floor()
            };
            let groups = (0..3).filter(short).count();
            index += f64::from(u8::from(groups > 0));
            count += groups as f64;
        }
        let found = skew::infeasible(&Ranking::from_ordered(&codes, 3, None), 30, Some(&targets)).unwrap();
        assert_eq!((found.index, found.count), (index, count));
        let turned: Vec<usize> = codes.iter().map(|c| 2 - c).collect();
        let again = skew::infeasible(&Ranking::from_ordered(&turned, 3, None), 30, Some(&[0.3, 0.5, 0.2])).unwrap();
        assert_eq!(found, again);
    }
}

/// The largest that a discounted distance can be, over all ways to place `members` among `rows`: by dynamic programming.
fn largest(rows: usize, members: usize, of: impl Fn(f64, f64, f64) -> f64) -> f64 {
    let p = members as f64 / rows as f64;
    let mut best = vec![f64::NEG_INFINITY; members + 1];
    best[0] = 0.0;
    for i in 1..=rows {
        for x in (1..=members).rev() {
            best[x] = f64::max(best[x], best[x - 1]);
        }
        for (x, b) in best.iter_mut().enumerate() {
            if x > i || members - x > rows - i {
                *b = f64::NEG_INFINITY;
            } else if i % 10 == 0 {
                *b += of(x as f64, i as f64, p) / (i as f64).log2();
            }
        }
    }
    best[members]
}

#[test]
fn the_normaliser_is_the_largest_value() {
    for rows in [20, 40, 100, 130] {
        for members in [1, 5, rows / 4, rows / 2, rows - 3] {
            let sum = |codes: &[usize], of: &dyn Fn(f64, f64, f64) -> f64| -> f64 {
                let p = members as f64 / rows as f64;
                let part = |i: usize| {
                    let x = codes[..i].iter().sum::<usize>() as f64;
                    of(x, i as f64, p) / (i as f64).log2()
                };
                (10..=rows).step_by(10).map(part).sum()
            };
            let first: Vec<usize> = (0..rows).map(|i| usize::from(i < members)).collect();
            let last: Vec<usize> = (0..rows).map(|i| usize::from(i >= rows - members)).collect();
            let difference = |x: f64, i: f64, p: f64| (x / i - p).abs();
            let z = sum(&first, &difference).max(sum(&last, &difference));
            let most = largest(rows, members, difference);
            assert!((most / z - 1.0).abs() < 1e-9, "{rows} {members}: {most} {z}");
            let found = [&first, &last].map(|codes| {
                skew::rnd(&Ranking::from_ordered(codes, 2, None), 1, quick(2)).tested.estimate.value.unwrap()
            });
            assert!((found[0].max(found[1]) - 1.0).abs() < 1e-12);
        }
    }
}

#[test]
fn fair_lists_are_not_accused() {
    let mut rng = stream(4, 0, 0);
    let runs = 300;
    let mut names = [("ndkl", 0), ("rnd", 0), ("rkl", 0), ("rrd", 0), ("awrf", 0), ("min skew", 0), ("exposure", 0)];
    let mut excess = Vec::new();
    for run in 0..runs {
        let mut codes: Vec<usize> = (0..120).map(|i| if i < 30 { 0 } else { 1 + i % 2 }).collect();
        codes.shuffle(&mut rng);
        // A third of the lists are of scores with ties.
        let scores: Vec<f64> = (0..120).map(|i| if run % 3 == 0 { f64::from(-i / 7) } else { f64::from(-i) }).collect();
        let list = Ranking::from_scores(&scores, &codes, 3, None);
        let at = Confidence { level: 0.95, bootstrap: Bootstrap { replicates: 99, seed: run } };
        let distance = skew::ndkl(&list, None, at);
        excess.push(distance.excess.unwrap());
        let p = [
            distance.tested.p_value,
            skew::rnd(&list, 0, at).tested.p_value,
            skew::rkl(&list, 0, at).tested.p_value,
            skew::rrd(&list, 0, at).tested.p_value,
            awrf(&list, 120, Attention::Logarithmic, None, at).p_value,
            skew::min_skew_at_k(&list, 20, None, at).p_value,
            exposure_ratio(&list, 0, 1, Attention::Logarithmic, at).p_value,
        ];
        names.iter_mut().zip(p).for_each(|(name, p)| name.1 += usize::from(p.unwrap() <= 0.05));
    }
    let mean = excess.iter().sum::<f64>() / runs as f64;
    let error = (excess.iter().map(|e| (e - mean) * (e - mean)).sum::<f64>() / (runs * runs) as f64).sqrt();
    println!("accused of {runs}: {names:?}; mean excess {mean} +- {error}");
    // 5 % of 300, and four standard errors.
    assert!(names.iter().all(|(_, accused)| *accused <= 30), "{names:?}");
    assert!(mean.abs() < 4.0 * error, "{mean} {error}");
}

#[test]
fn long_fair_lists_are_not_accused() {
    // Of 40,000 rows the order is dealt, not shuffled, in stretches; and with the wanted shares.
    let mut rng = stream(14, 0, 0);
    let runs = 60;
    let mut accused = [0; 3];
    for run in 0..runs {
        let mut codes: Vec<usize> = (0..40_000).map(|i| usize::from(i % 5 == 0)).collect();
        codes.shuffle(&mut rng);
        let list = Ranking::from_ordered(&codes, 2, None);
        let at = Confidence { level: 0.95, bootstrap: Bootstrap { replicates: 59, seed: run } };
        let found = skew::rnd(&list, 1, at);
        accused[0] += usize::from(found.tested.p_value <= Some(0.05));
        accused[1] += usize::from(skew::ndkl(&list, None, at).tested.p_value <= Some(0.05));
        accused[2] += usize::from(skew::ndkl(&list, Some(&[0.8, 0.2]), at).tested.p_value <= Some(0.05));
    }
    println!("accused of {runs}: {accused:?}");
    assert!(accused.iter().all(|a| *a <= 10), "{accused:?}");
}

#[test]
fn what_chance_shows_is_its_mean() {
    // All orders of nine rows of three groups.
    let codes = [0, 0, 1, 1, 1, 1, 2, 2];
    let mut sum = (0.0, 0.0);
    for order in orders(&[0, 1, 2, 3, 4, 5, 6, 7]) {
        let codes: Vec<usize> = order.iter().map(|i| codes[*i]).collect();
        let found = brute_ndkl(&codes, 3);
        sum = (sum.0 + found, sum.1 + 1.0);
    }
    let found = skew::ndkl(&Ranking::from_ordered(&codes, 3, None), None, quick(9));
    assert!((found.by_chance.unwrap() - sum.0 / sum.1).abs() < 1e-12);
    assert!((found.tested.estimate.value.unwrap() - brute_ndkl(&codes, 3)).abs() < 1e-12);
    // Further down in lines between points: against the draws' mean.
    let mut rng = stream(15, 0, 0);
    let mut codes: Vec<usize> = (0..3000).map(|i| usize::from(i < 300) + usize::from(i < 4)).collect();
    let mut values = Vec::new();
    for _ in 0..400 {
        codes.shuffle(&mut rng);
        values.push(brute_ndkl(&codes, 3));
    }
    let mean = values.iter().sum::<f64>() / 400.0;
    let error = (values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / 400.0 / 400.0).sqrt();
    let found = skew::ndkl(&Ranking::from_ordered(&codes, 3, None), None, quick(9)).by_chance.unwrap();
    assert!((found - mean).abs() < 4.0 * error && error < 0.05 * mean, "{found} {mean} {error}");
}

/// NDKL by its formula.
fn brute_ndkl(codes: &[usize], groups: usize) -> f64 {
    let n = codes.len();
    let (mut counts, mut sum, mut weight) = (vec![0.0; groups], 0.0, 0.0);
    let share = |g: usize| codes.iter().filter(|c| **c == g).count() as f64 / n as f64;
    let shares: Vec<f64> = (0..groups).map(share).collect();
    for (i, code) in codes.iter().enumerate() {
        counts[*code] += 1.0;
        let (rows, discount) = (i as f64 + 1.0, 1.0 / (i as f64 + 2.0).log2());
        let part = |(x, q): (&f64, &f64)| if *x > 0.0 { x / rows * (x / rows / q).ln() } else { 0.0 };
        sum += discount * counts.iter().zip(&shares).map(part).sum::<f64>();
        weight += discount;
    }
    sum / weight
}

#[test]
fn intervals_cover() {
    // Scores of group 1 are lower by half a standard deviation or so; truth from many lists.
    let list = |rng: &mut rand_xoshiro::Xoshiro256PlusPlus| {
        let codes: Vec<usize> = (0..200).map(|_| usize::from(rng.r#gen::<f64>() < 0.4)).collect();
        let scores: Vec<f64> = codes.iter().map(|c| rng.r#gen::<f64>() - 0.25 * *c as f64).collect();
        Ranking::from_scores(&scores, &codes, 2, None)
    };
    let mut rng = stream(6, 0, 0);
    let (mut first, mut seen, draws) = (0.0, [0.0; 2], 10_000);
    for _ in 0..draws {
        let ranking = list(&mut rng);
        first += ranking.among_first(20)[1] / 20.0 / f64::from(draws);
        let e = exposure(&ranking, Attention::Logarithmic, quick(1));
        seen.iter_mut().zip(e).for_each(|(s, e)| *s += e.value.unwrap() / f64::from(draws));
    }
    let skewed = (first / 0.4).ln();
    let runs = 400;
    let mut covered = [0; 3];
    let mut rejected = 0;
    for _ in 0..runs {
        let ranking = list(&mut rng);
        let within = |e: &crate::metrics::Estimate, v: f64| usize::from(e.low <= Some(v) && e.high >= Some(v));
        rejected += usize::from(skew::ndkl(&ranking, None, quick(99)).tested.p_value <= Some(0.05));
        let e = exposure(&ranking, Attention::Logarithmic, quick(1));
        covered[0] += within(&e[1], seen[1]);
        // The difference by the two errors, as the audit compares groups.
        let half = |i: usize| (e[i].high.unwrap() - e[i].low.unwrap()) / 2.0;
        let apart = e[0].value.unwrap() - e[1].value.unwrap();
        covered[1] += usize::from((apart - (seen[0] - seen[1])).abs() <= half(0).hypot(half(1)));
        let s = skew::skew_at_k(&ranking, 20, None, quick(1));
        covered[2] += usize::from(s[1].low.is_none_or(|l| l <= skewed) && s[1].high >= Some(skewed));
    }
    println!(
        "of {runs}: exposure {}, its difference {}, skew {}; ndkl rejects {rejected}",
        covered[0], covered[1], covered[2]
    );
    assert!(covered.iter().all(|c| *c >= 365), "{covered:?}");
    assert!(rejected > 390, "{rejected}");
}

#[test]
fn invariants_hold() {
    let mut rng = stream(7, 0, 0);
    let codes: Vec<usize> = (0..3000).map(|_| rng.gen_range(0..3)).collect();
    let scores: Vec<f64> = codes.iter().map(|c| (rng.r#gen::<f64>() * 40.0).round() + *c as f64).collect();
    let relevance: Vec<f64> = codes.iter().map(|_| rng.r#gen::<f64>()).collect();
    let list = Ranking::from_scores(&scores, &codes, 3, Some(&relevance));
    // Rows in another order, scores on another scale, groups renamed.
    let mut order: Vec<usize> = (0..3000).collect();
    order.shuffle(&mut rng);
    let pick = |v: &[f64]| order.iter().map(|r| v[*r]).collect::<Vec<f64>>();
    let renamed: Vec<usize> = order.iter().map(|r| (codes[*r] + 1) % 3).collect();
    let scaled: Vec<f64> = pick(&scores).iter().map(|s| s * 3.0 - 7.0).collect();
    let other = Ranking::from_scores(&scaled, &renamed, 3, Some(&pick(&relevance)));
    let at = quick(20);
    let close = |a: Option<f64>, b: Option<f64>| assert!((a.unwrap() - b.unwrap()).abs() < 1e-9);
    close(skew::ndkl(&list, None, at).tested.estimate.value, skew::ndkl(&other, None, at).tested.estimate.value);
    for g in 0..3 {
        let h = (g + 1) % 3;
        close(
            exposure_per_merit(&list, Attention::Logarithmic, at)[g].value,
            exposure_per_merit(&other, Attention::Logarithmic, at)[h].value,
        );
        close(skew::skew_at_k(&list, 300, None, at)[g].value, skew::skew_at_k(&other, 300, None, at)[h].value);
        close(skew::rkl(&list, g, at).tested.estimate.value, skew::rkl(&other, h, at).tested.estimate.value);
    }
    // Far down one prefix stands for a stretch; the figure stays near the exact one.
    let long: Vec<usize> = (0..60_000).map(|i| usize::from(i % 3 == 0 || i > 50_000)).collect();
    let found = skew::ndkl(&Ranking::from_ordered(&long, 2, None), None, at);
    let (value, exact) = (found.tested.estimate.value.unwrap(), brute_ndkl(&long, 2));
    assert!((value / exact - 1.0).abs() < 1e-4 && found.tested.p_value < Some(0.05), "{value} {exact}");
}

#[test]
fn expected_exposure_adds_up() {
    let relevance = [1.0, 0.0, 1.0, 0.0];
    let found = expected_exposure(&[&[0, 1, 2, 3], &[3, 2, 1, 0]], &relevance, Attention::Geometric(0.5)).unwrap();
    // By hand: each outer item 0.5 (0.5 + 0.0625), each inner one 0.5 (0.25 + 0.125); the ideal 0.375 and 0.09375.
    let (outer, inner) = (0.28125, 0.1875);
    assert!((found.disparity - 2.0 * (outer * outer + inner * inner)).abs() < 1e-12);
    assert!((found.relevance - (0.375 * (outer + inner) + 0.09375 * (outer + inner))).abs() < 1e-12);
    let ideal = 2.0 * (0.375 * 0.375 + 0.09375 * 0.09375);
    assert!((found.loss - (found.disparity - 2.0 * found.relevance + ideal)).abs() < 1e-12);
}

#[test]
fn odd_input_has_its_reason() {
    let at = quick(10);
    let reason = |list: &Ranking, targets: Option<&[f64]>| skew::ndkl(list, targets, at).tested.estimate.reason;
    let empty = Ranking::from_ordered(&[], 2, None);
    assert_eq!(reason(&empty, None), Some(Undefined::NoRows));
    let one = Ranking::from_ordered(&[0, 0, 0], 2, None);
    assert_eq!(reason(&one, None), Some(Undefined::TooFewGroups));
    let two = Ranking::from_ordered(&[0, 1, 0], 2, None);
    for targets in [&[1.0][..], &[f64::NAN, 1.0], &[-1.0, 2.0], &[0.0, 0.0], &[1.0, 0.0]] {
        assert_eq!(reason(&two, Some(targets)), Some(Undefined::NoTarget));
    }
    assert_eq!(skew::rnd(&two, 0, at).tested.estimate.reason, Some(Undefined::NoRows));
    let ten = Ranking::from_ordered(&[0, 1, 0, 1, 0, 1, 0, 1, 0, 1], 2, None);
    assert_eq!(skew::rnd(&ten, 0, at).tested.estimate.reason, Some(Undefined::NoVariation));
    assert_eq!(skew::rnd(&ten, 5, at).tested.estimate.reason, Some(Undefined::TooFewGroups));
    // Nobody of group 1 first: no figure, but an upper end.
    let apart = Ranking::from_ordered(&[vec![0; 50], vec![1; 50]].concat(), 2, None);
    let least = skew::min_skew_at_k(&apart, 50, None, at);
    assert_eq!(least.estimate.reason, Some(Undefined::NobodySelected));
    assert!(least.estimate.high.unwrap() < 0.0 && least.p_value.unwrap() < 1e-9);
    assert_eq!(awrf(&empty, 5, Attention::Logarithmic, None, at).estimate.reason, Some(Undefined::NoRows));
    let merit =
        exposure_per_merit(&Ranking::from_ordered(&[0, 1], 3, Some(&[0.0, f64::NAN])), Attention::Logarithmic, at);
    let reasons: Vec<_> = merit.iter().map(|e| e.reason).collect();
    assert_eq!(reasons, [Some(Undefined::NoMerit), Some(Undefined::NoLabels), Some(Undefined::NoRows)]);
}
