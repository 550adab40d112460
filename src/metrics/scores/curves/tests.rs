use approx::assert_relative_eq;
use rand::Rng;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::*;
use crate::inference::rng::stream;

fn sure() -> Confidence {
    Confidence::at(0.95)
}

/// Tied scores, labels of all three kinds, weights.
fn rows(rng: &mut Xoshiro256PlusPlus, n: usize, power: f64) -> (Vec<f64>, Vec<u8>, Vec<f64>) {
    let scores: Vec<f64> = (0..n).map(|_| (rng.r#gen::<f64>().powf(power) * 20.0).round()).collect();
    let labels = scores.iter().map(|s| if rng.gen_bool(0.1) { 2 } else { u8::from(rng.gen_bool(s / 30.0 + 0.1)) });
    let labels = labels.collect();
    let weights = (0..n).map(|_| f64::from(rng.gen_range(0..4u8))).collect();
    (scores, labels, weights)
}

#[test]
fn every_cut_is_what_counting_rows_gives() {
    let mut rng = stream(1, 0, 0);
    for round in 0..6 {
        let drawn = [rows(&mut rng, 50, 1.0), rows(&mut rng, 40, 1.5), rows(&mut rng, 30, 0.7)];
        let weight = |g: usize, i: usize| if round % 2 == 0 { 1.0 } else { drawn[g].2[i] };
        let made = drawn.iter().map(|(s, l, w)| ScoredGroup::from_rows(s, l, (round % 2 == 1).then_some(&w[..])));
        let made: Vec<ScoredGroup> = made.collect();
        let groups: Vec<&ScoredGroup> = made.iter().collect();
        let curve = threshold_curve(&groups, 1000, sure());
        assert_eq!(curve.points.len(), curve.distinct);
        assert!(curve.points.windows(2).all(|p| p[0].threshold > p[1].threshold && p[0].share < p[1].share));
        for point in &curve.points {
            // The weight of a group's rows that some rule holds for.
            let count = |g: usize, rule: &dyn Fn(f64, u8) -> bool| -> f64 {
                let (s, l, _) = &drawn[g];
                (0..s.len()).filter(|i| rule(s[*i], l[*i])).map(|i| weight(g, i)).sum()
            };
            let t = point.threshold;
            let rate = |g: usize, of: &dyn Fn(u8) -> bool| count(g, &|s, l| s >= t && of(l)) / count(g, &|_, l| of(l));
            let selection = [0, 1, 2].map(|g| rate(g, &|_| true));
            let tpr = [0, 1, 2].map(|g| rate(g, &|l| l == 1));
            for g in 0..3 {
                let found = &point.groups[g];
                assert_relative_eq!(found.selection_rate.value.unwrap(), selection[g], epsilon = 1e-12);
                assert_relative_eq!(found.true_positive_rate.as_ref().unwrap().value.unwrap(), tpr[g], epsilon = 1e-12);
                let fpr = found.false_positive_rate.as_ref().unwrap().value.unwrap();
                assert_relative_eq!(fpr, rate(g, &|l| l == 0), epsilon = 1e-12);
                let (good, all) = (count(g, &|s, l| s >= t && l == 1), count(g, &|s, l| s >= t && l < 2));
                let precision = found.precision.as_ref().unwrap();
                assert_eq!(precision.value.is_none(), all == 0.0);
                assert_relative_eq!(
                    precision.value.unwrap_or(0.0),
                    if all > 0.0 { good / all } else { 0.0 },
                    epsilon = 1e-12
                );
            }
            let ends = |v: [f64; 3]| (v.iter().copied().fold(1.0, f64::min), v.iter().copied().fold(0.0, f64::max));
            let ((low, high), (least, most)) = (ends(selection), ends(tpr));
            assert_relative_eq!(point.selection_difference.value.unwrap(), high - low, epsilon = 1e-12);
            assert_relative_eq!(point.impact_ratio.value.unwrap(), low / high, epsilon = 1e-12);
            let gap = point.true_positive_gap.as_ref().unwrap().value.unwrap();
            assert_relative_eq!(gap, most - least, epsilon = 1e-12);
            let all = |rule: &dyn Fn(f64, u8) -> bool| -> f64 { (0..3).map(|g| count(g, rule)).sum() };
            let right = all(&|s, l| l < 2 && (s >= t) == (l == 1)) / all(&|_, l| l < 2);
            assert_relative_eq!(point.accuracy.as_ref().unwrap().value.unwrap(), right, epsilon = 1e-12);
            let both = all(&|s, l| l == 1 && s >= t) / all(&|_, l| l == 1)
                + all(&|s, l| l == 0 && s < t) / all(&|_, l| l == 0);
            assert_relative_eq!(point.balanced_accuracy.as_ref().unwrap().value.unwrap(), both / 2.0, epsilon = 1e-12);
            assert_eq!(*point, cut_at(&groups, t, 1.0, sure()));
            let figures = [&point.selection_difference, &point.impact_ratio, point.accuracy.as_ref().unwrap()];
            for figure in figures.into_iter().chain(point.groups.iter().map(|g| &g.selection_rate)) {
                let (value, interval, band) = (figure.value.unwrap(), figure.interval.unwrap(), figure.band.unwrap());
                assert!(interval[0] <= value && value <= interval[1] && band[0] <= value && value <= band[1]);
            }
        }
    }
}

#[test]
fn figures_over_all_budgets_match_a_fine_grid() {
    let mut rng = stream(2, 0, 0);
    for _ in 0..8 {
        let made = [rows(&mut rng, 40, 1.0), rows(&mut rng, 30, 1.3), rows(&mut rng, 50, 0.8)];
        let made = made.map(|(s, l, w)| ScoredGroup::from_rows(&s, &l, Some(&w)));
        let groups: Vec<&ScoredGroup> = made.iter().collect();
        let budgets: Vec<f64> = (0..1000).map(|k| (f64::from(k) + 0.5) / 1000.0).collect();
        let grid = budget_curve(&groups, &budgets, sure());
        assert_eq!(grid.points.len(), 1000);
        assert!(grid.points.iter().zip(&budgets).all(|(p, b)| (p.share - b).abs() < 1e-9));
        let mean = grid.points.iter().map(|p| p.selection_difference.value.unwrap()).sum::<f64>() / 1000.0;
        let gap = selection_gap_over_budgets(&groups, sure());
        assert_relative_eq!(gap.value.unwrap(), mean, epsilon = 1e-3);
        assert!(gap.low.unwrap() <= mean && mean <= gap.high.unwrap());
        let from = grid.points.iter().filter(|p| p.share >= LEAST_BUDGET);
        let least = from.map(|p| p.impact_ratio.value.unwrap()).fold(1.0, f64::min);
        let worst = worst_impact_ratio_over_budgets(&groups, sure());
        assert!(worst.value.unwrap() <= least + 1e-12 && least - worst.value.unwrap() < 0.02, "{worst:?} {least}");
    }
}

#[test]
fn few_points_of_many_and_nasty_input() {
    let mut rng = stream(3, 0, 0);
    let mut draw = |n: usize| {
        let scores: Vec<f64> = (0..n).map(|_| rng.r#gen::<f64>()).collect();
        let labels: Vec<u8> = scores.iter().map(|s| u8::from(*s > 0.5)).collect();
        ScoredGroup::from_rows(&scores, &labels, None)
    };
    let (a, b) = (draw(300), draw(200));
    let curve = threshold_curve(&[&a, &b], 10, sure());
    assert_eq!((curve.points.len(), curve.distinct), (10, 500));
    assert!(curve.points.iter().enumerate().all(|(k, p)| (p.share - (k as f64 + 1.0) / 10.0).abs() < 1e-9));
    assert!(threshold_curve(&[&a, &b], 0, sure()).points.is_empty());
    let none = ScoredGroup::default();
    assert!(budget_curve(&[&none, &none], &[0.5], sure()).points.is_empty());
    assert!(budget_curve(&[], &[0.5], sure()).points.is_empty());
    let light = ScoredGroup::from_rows(&[1.0, 2.0], &[0, 1], Some(&[0.0, 0.0]));
    assert!(threshold_curve(&[&light, &none], 10, sure()).points.is_empty());
    // A group without rows is left out of the gap, which then has nothing to compare.
    let half = budget_curve(&[&a, &none], &[0.5, f64::NAN, 2.0, -1.0], sure());
    assert_eq!(half.points.len(), 1);
    assert_eq!(half.points[0].selection_difference.reason, Some(Undefined::TooFewGroups));
    assert_eq!(half.points[0].groups[1].selection_rate.reason, Some(Undefined::NoScores));
    let nobody = &budget_curve(&[&a, &b], &[0.0], sure()).points[0];
    assert_eq!(nobody.groups[0].precision.as_ref().unwrap().reason, Some(Undefined::NobodySelected));
    assert_eq!(nobody.impact_ratio.reason, Some(Undefined::OverZero));
    // All tied: every budget is shared out.
    let tied = ScoredGroup::from_rows(&[1.0; 4], &[0, 1, 0, 1], None);
    let shared = budget_curve(&[&tied, &tied], &[0.25, 1.0], sure());
    assert_eq!((shared.distinct, shared.points[0].tied, shared.points[1].tied), (1, 0.25, 1.0));
    assert_eq!(shared.points[0].impact_ratio.value, Some(1.0));
    // No labels: selection rates alone. One label: the rest has its reason.
    let unknown = ScoredGroup::from_rows(&[0.1, 0.9], &[2, 2], None);
    let point = cut_at(&[&unknown, &unknown], 0.5, 1.0, sure());
    assert!(point.accuracy.is_none() && point.groups[0].precision.is_none());
    let positive = ScoredGroup::from_rows(&[0.1, 0.9], &[1, 1], None);
    let point = cut_at(&[&positive, &positive], f64::NAN, f64::NAN, sure());
    assert_eq!(point.balanced_accuracy.unwrap().reason, Some(Undefined::NoNegatives));
    for figure in [selection_gap_over_budgets, worst_impact_ratio_over_budgets] {
        assert_eq!(figure(&[], sure()).value(), Err(Undefined::TooFewGroups));
        assert_eq!(figure(&[&a], sure()).value(), Err(Undefined::TooFewGroups));
        assert_eq!(figure(&[&a, &none], sure()).value(), Err(Undefined::UndefinedPart));
    }
    assert_eq!(selection_gap_over_budgets(&[&a, &a], sure()).value(), Ok(0.0));
    assert_eq!(worst_impact_ratio_over_budgets(&[&a, &a], sure()).value(), Ok(1.0));
}

/// A group whose scores have the distribution function `tᵏ`, and whose labels are positive with the score as chance.
fn known(rng: &mut Xoshiro256PlusPlus, n: usize, k: f64) -> ScoredGroup {
    let scores: Vec<f64> = (0..n).map(|_| rng.r#gen::<f64>().powf(1.0 / k)).collect();
    let labels: Vec<u8> = scores.iter().map(|s| u8::from(rng.gen_bool(*s))).collect();
    ScoredGroup::from_rows(&scores, &labels, None)
}

#[test]
fn bands_hold_at_every_cut_at_once_and_intervals_at_each() {
    let mut rng = stream(4, 0, 0);
    let draws = 400;
    let ks = [1.0, 2.0];
    let (mut missed, mut alone, mut looked) = ([0; 7], [0; 4], 0);
    for _ in 0..draws {
        let made = [known(&mut rng, 50, ks[0]), known(&mut rng, 40, ks[1])];
        let curve = threshold_curve(&[&made[0], &made[1]], 1000, sure());
        // Which band is broken somewhere: rates, positives, precision, difference, ratio, gap of positives, accuracy.
        let mut broken = [false; 7];
        for point in &curve.points {
            let t = point.threshold;
            let selection = ks.map(|k| 1.0 - t.powf(k));
            let positives = ks.map(|k| 1.0 - t.powf(k + 1.0));
            let precision = ks.map(|k| k / (k + 1.0) * (1.0 - t.powf(k + 1.0)) / (1.0 - t.powf(k)));
            let base = ks.map(|k| k / (k + 1.0));
            let right = |g: usize| base[g] * positives[g] + 1.0 - base[g] - selection[g] + base[g] * positives[g];
            let out = |figure: &CurveFigure, truth: f64| {
                let band = figure.band.unwrap();
                truth < band[0] - 1e-12 || truth > band[1] + 1e-12
            };
            for g in 0..2 {
                let at = &point.groups[g];
                broken[0] |= out(&at.selection_rate, selection[g]);
                broken[1] |= out(at.true_positive_rate.as_ref().unwrap(), positives[g]);
                broken[2] |= at.precision.as_ref().is_some_and(|p| p.value.is_some() && out(p, precision[g]));
            }
            let apart = |v: [f64; 2]| (v[0] - v[1]).abs();
            broken[3] |= out(&point.selection_difference, apart(selection));
            broken[4] |= out(&point.impact_ratio, selection[0].min(selection[1]) / selection[0].max(selection[1]));
            broken[5] |= out(point.true_positive_gap.as_ref().unwrap(), apart(positives));
            broken[6] |= out(point.accuracy.as_ref().unwrap(), (50.0 * right(0) + 40.0 * right(1)) / 90.0);
        }
        missed.iter_mut().zip(broken).for_each(|(m, b)| *m += usize::from(b));
        // At the budget of 30 %, of the population at the cut that it led to.
        let point = &budget_curve(&[&made[0], &made[1]], &[0.3], sure()).points[0];
        let held = |figure: &CurveFigure, truth: f64| {
            let interval = figure.interval.unwrap();
            usize::from(interval[0] <= truth && truth <= interval[1])
        };
        let t = point.threshold;
        let truth = ks.map(|k| 1.0 - t.powf(k));
        looked += 1;
        alone[0] += held(&point.groups[0].selection_rate, truth[0]);
        alone[1] += held(&point.groups[1].selection_rate, truth[1]);
        alone[2] += held(&point.selection_difference, (truth[1] - truth[0]).abs());
        alone[3] += held(&point.impact_ratio, truth[0] / truth[1]);
    }
    println!("missed {missed:?} of {draws}; held {alone:?} of {looked}");
    // 5 % is 20 of 400; three standard deviations more are 33.
    assert!(missed.iter().all(|m| *m <= 33), "{missed:?}");
    assert!(missed[0] > 2, "the bands of rates are not that wide: {missed:?}");
    assert!(alone.iter().all(|h| *h >= 367), "{alone:?}");
}

#[test]
fn bands_hold_where_weights_go_with_scores() {
    let mut rng = stream(5, 0, 0);
    let draws = 500;
    // The weight as a function of the score, and its integral from 0.
    type Weighing = (fn(f64) -> f64, fn(f64) -> f64);
    let weighings: [Weighing; 3] = [
        (|s| 0.2 + 4.0 * s * s, |t| 0.2 * t + 4.0 / 3.0 * t * t * t),
        (|s| if s > 0.9 { 10.0 } else { 1.0 }, |t| t + 9.0 * (t - 0.9).max(0.0)),
        (|s| 0.1 + 2.0 * (s - 0.5).abs(), |t| 0.1 * t + if t < 0.5 { t - t * t } else { 0.5 - t + t * t }),
    ];
    for (weigh, below) in weighings {
        let mut missed = 0;
        for _ in 0..draws {
            let scores: Vec<f64> = (0..80).map(|_| rng.r#gen()).collect();
            let weights: Vec<f64> = scores.iter().map(|s| weigh(*s)).collect();
            let group = ScoredGroup::from_rows(&scores, &[2; 80], Some(&weights));
            let curve = threshold_curve(&[&group], 1000, sure());
            let broken = curve.points.iter().any(|p| {
                let (truth, band) = (1.0 - below(p.threshold) / below(1.0), p.groups[0].selection_rate.band.unwrap());
                truth < band[0] || truth > band[1]
            });
            missed += usize::from(broken);
        }
        println!("missed {missed} of {draws}");
        // 5 % is 25 of 500; three standard deviations more are 40.
        assert!(missed <= 40, "{missed}");
    }
}

#[test]
fn figures_over_all_budgets_are_held() {
    let mut rng = stream(6, 0, 0);
    let draws = 400;
    let (mut fair, mut held) = (0, [0; 2]);
    for _ in 0..draws {
        let (a, b, c) = (known(&mut rng, 60, 1.0), known(&mut rng, 60, 1.0), known(&mut rng, 90, 2.0));
        let same = [selection_gap_over_budgets(&[&a, &b], sure()), worst_impact_ratio_over_budgets(&[&a, &b], sure())];
        fair += usize::from(same[0].low.unwrap() > 0.0 || same[1].high.unwrap() < 1.0);
        // Of 60 with F = t and 90 with F = t², all cuts with at least a tenth above: 0.4 (1 - t) + 0.6 (1 - t²) = q. The
        // ratio (1 - t) / (1 - t²) = 1 / (1 + t) is least at the highest such t; the gap is t - t².
        let t = (-0.4 + (0.16_f64 + 4.0 * 0.6 * (1.0 - LEAST_BUDGET)).sqrt()) / 1.2;
        let least = 1.0 / (1.0 + t);
        // dq = (0.4 + 1.2 t) dt.
        let gap = 0.4 * (1.0 / 2.0 - 1.0 / 3.0) + 1.2 * (1.0 / 3.0 - 1.0 / 4.0);
        let apart = [worst_impact_ratio_over_budgets(&[&a, &c], sure()), selection_gap_over_budgets(&[&a, &c], sure())];
        for ((held, found), truth) in held.iter_mut().zip(&apart).zip([least, gap]) {
            *held += usize::from(found.low.unwrap() <= truth && truth <= found.high.unwrap());
        }
    }
    println!("fair {fair}, held {held:?} of {draws}");
    assert!(fair <= 33 && held.iter().all(|h| *h >= 367), "{fair} {held:?}");
}
