use ndarray::{Array2, ArrayView2};
use rand::Rng;
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;

use super::area::Areas;
use super::change::{Paired, change};
use super::measure::{Rules, estimate};
use super::moments::Joint;
use super::*;
use crate::Result;
use crate::data::{Batch, Categorical};
use crate::inference::rng::stream;

/// Chances of a group's people: a favourable label; and for each label, of (before, after) being (0,0), (0,1), (1,0), (1,1).
struct Truth {
    share: f64,
    base: f64,
    joint: [[f64; 4]; 2],
}

impl Truth {
    fn rate(&self, rate: Rate, side: usize) -> f64 {
        let of = |label: usize| self.joint[label][3] + self.joint[label][if side == 0 { 2 } else { 1 }];
        match rate {
            Rate::TruePositive => of(1),
            Rate::FalsePositive => of(0),
            _ => self.base * of(1) + (1.0 - self.base) * of(0),
        }
    }
}

fn draw(truth: &[Truth], n: usize, rng: &mut Xoshiro256PlusPlus) -> Joint {
    let (mut group, mut labels, mut before, mut after) = (vec![], vec![], vec![], vec![]);
    for _ in 0..n {
        let (mut u, mut g): (f64, usize) = (rng.r#gen(), 0);
        while g + 1 < truth.len() && u >= truth[g].share {
            u -= truth[g].share;
            g += 1;
        }
        let label = rng.r#gen::<f64>() < truth[g].base;
        let (mut u, mut cell): (f64, usize) = (rng.r#gen(), 0);
        let chances = &truth[g].joint[usize::from(label)];
        while cell < 3 && u >= chances[cell] {
            u -= chances[cell];
            cell += 1;
        }
        group.push(g as u32);
        labels.push(label);
        before.push((cell / 2) as f64);
        after.push((cell % 2) as f64);
    }
    Joint::of(truth.len(), &group, &labels, &vec![1.0; n], [&before, &after])
}

/// Of independent decisions at these rates.
fn apart(before: f64, after: f64) -> [f64; 4] {
    [(1.0 - before) * (1.0 - after), (1.0 - before) * after, before * (1.0 - after), before * after]
}

/// Decisions that mostly agree: so many move up, so many down.
fn moved(before: f64, up: f64, down: f64) -> [f64; 4] {
    [1.0 - before - up, up, down, before - down]
}

const UTILITY: Utility = Utility { true_positive: 40.0, false_positive: -5.0, false_negative: 0.0, true_negative: 0.0 };

fn simulate<T: Send>(truth: &[Truth], n: usize, runs: usize, each: impl Fn(Joint, &Rules) -> T + Sync) -> Vec<T>
where
    Truth: Sync,
{
    let judged: Vec<usize> = (0..truth.len()).collect();
    let rules = Rules { level: 0.95, utility: Some(&UTILITY), judged: &judged };
    (0..runs).into_par_iter().map(|r| each(draw(truth, n, &mut stream(11, n, r)), &rules)).collect()
}

fn of(joint: &Joint, measure: Measure, rules: &Rules) -> Option<Paired> {
    change(joint, measure, [&Areas::default(), &Areas::default()], rules).ok()
}

#[test]
fn paired_intervals_cover() {
    let two = [
        Truth { share: 0.3, base: 0.3, joint: [moved(0.15, 0.08, 0.01), moved(0.4, 0.15, 0.05)] },
        Truth { share: 0.7, base: 0.45, joint: [moved(0.35, 0.02, 0.1), moved(0.7, 0.03, 0.08)] },
    ];
    let all = |rate, side| two.iter().map(|t| t.share * t.rate(rate, side)).sum::<f64>();
    let of_label = |label: usize, side: usize| {
        let rate = if label == 1 { Rate::TruePositive } else { Rate::FalsePositive };
        let weight = |t: &Truth| t.share * if label == 1 { t.base } else { 1.0 - t.base };
        let total: f64 = two.iter().map(weight).sum();
        (total, two.iter().map(|t| weight(t) * t.rate(rate, side)).sum::<f64>() / total)
    };
    let by_label = |gains: [f64; 2]| {
        [0, 1].map(|y| of_label(y, 0).0 * gains[y] * (of_label(y, 1).1 - of_label(y, 0).1)).iter().sum::<f64>()
    };
    let gap = |rate, side| two[1].rate(rate, side) - two[0].rate(rate, side);
    let ratio = |side| two[0].rate(Rate::Selection, side) / two[1].rate(Rate::Selection, side);
    let truth = [
        (Measure::SelectionRate, all(Rate::Selection, 1) - all(Rate::Selection, 0)),
        (Measure::Accuracy, by_label([-1.0, 1.0])),
        (Measure::Profit, by_label([-5.0, 40.0])),
        (Measure::BalancedAccuracy, (of_label(1, 1).1 - of_label(1, 0).1 - of_label(0, 1).1 + of_label(0, 0).1) / 2.0),
        (Measure::DemographicParityDifference, gap(Rate::Selection, 1) - gap(Rate::Selection, 0)),
        (Measure::EqualOpportunityDifference, gap(Rate::TruePositive, 1) - gap(Rate::TruePositive, 0)),
        (Measure::DemographicParityRatio, ratio(1) - ratio(0)),
    ];
    for n in [300, 2000] {
        let runs = 1500;
        let held: Vec<Vec<f64>> = simulate(&two, n, runs, |joint, rules| {
            let covers = |(m, t): &(Measure, f64)| of(&joint, *m, rules).unwrap().interval.unwrap().contains(*t);
            truth.iter().map(|t| f64::from(u8::from(covers(t)))).collect()
        });
        for (at, (measure, _)) in truth.iter().enumerate() {
            let coverage = held.iter().map(|h| h[at]).sum::<f64>() / runs as f64;
            // 0.95 less three standard errors of 1,500 runs, and not wider than useful.
            assert!((0.933..0.985).contains(&coverage), "{measure} at {n}: {coverage}");
        }
    }
}

/// Of how many runs a measure is said to be better, and to be worse.
fn claims(truth: &[Truth], n: usize, measure: Measure) -> [f64; 2] {
    let runs = 1500;
    let said = simulate(truth, n, runs, |joint, rules| {
        let Some(found) = of(&joint, measure, rules) else { return [0.0; 2] };
        let shown = found.p_value.unwrap() < 0.05;
        let rose = found.tails[1] < found.tails[0];
        let better = rose == measure.larger_is_better().unwrap();
        [f64::from(u8::from(shown && better)), f64::from(u8::from(shown && !better))]
    });
    [0, 1].map(|i| said.iter().map(|s| s[i]).sum::<f64>() / runs as f64)
}

#[test]
fn a_change_of_nothing_is_rarely_claimed() {
    // Decisions drawn anew at the same rates: the worst case for what is chosen by what was seen.
    let fair = |k: usize| -> Vec<Truth> {
        (0..k).map(|_| Truth { share: 1.0 / k as f64, base: 0.4, joint: [apart(0.3, 0.3); 2] }).collect()
    };
    let unfair = |k: usize| -> Vec<Truth> {
        let rate = |g: usize| 0.3 + 0.3 * g as f64 / (k - 1) as f64;
        (0..k).map(|g| Truth { share: 1.0 / k as f64, base: 0.4, joint: [apart(rate(g), rate(g)); 2] }).collect()
    };
    for measure in
        [Measure::DemographicParityDifference, Measure::DemographicParityRatio, Measure::EqualizedOddsDifference]
    {
        for k in [2, 6] {
            for truth in [fair(k), unfair(k)] {
                let [helped, hurt] = claims(&truth, 150 * k, measure);
                assert!(helped < 0.05 && hurt < 0.05, "{measure} of {k}: {helped} {hurt}");
            }
        }
    }
    let [helped, hurt] = claims(&fair(2), 300, Measure::Accuracy);
    assert!(helped < 0.04 && hurt < 0.04, "accuracy: {helped} {hurt}");
}

#[test]
fn what_is_there_is_found_and_a_gap_turned_round_is_no_help() {
    let of = |rates: &[(f64, f64)]| -> Vec<Truth> {
        let share = 1.0 / rates.len() as f64;
        rates.iter().map(|(b, a)| Truth { share, base: 0.5, joint: [apart(*b, *a); 2] }).collect()
    };
    for measure in [Measure::DemographicParityDifference, Measure::DemographicParityRatio] {
        assert!(claims(&of(&[(0.6, 0.4), (0.2, 0.38)]), 600, measure)[0] > 0.95);
        assert!(claims(&of(&[(0.4, 0.6), (0.35, 0.2)]), 600, measure)[1] > 0.9);
        // From +0.2 to −0.25: the signed change is large, the gap is no smaller.
        assert!(claims(&of(&[(0.5, 0.25), (0.3, 0.5)]), 600, measure)[0] < 0.01);
        // Another pair takes the worst one's place.
        assert!(claims(&of(&[(0.6, 0.4), (0.3, 0.4), (0.4, 0.9)]), 900, measure)[0] < 0.01);
        assert!(claims(&of(&[(0.5, 0.4), (0.3, 0.3), (0.4, 0.9)]), 1500, measure)[1] > 0.6);
    }
}

#[test]
fn figures_are_those_of_a_loop_over_rows() {
    let (b, a) = ([1.0, 0.0, 0.25, 1.0, 0.0, 1.0], [1.0, 1.0, 0.5, 0.0, 0.0, f64::NAN]);
    let labels = [true, false, true, false, true, true];
    let weights = [1.0, 2.0, 1.0, 3.0, 0.5, 9.0];
    let joint = Joint::of(2, &[0, 0, 1, 1, u32::MAX, 0], &labels, &weights, [&b, &a]);
    let rules = Rules { level: 0.95, utility: Some(&UTILITY), judged: &[0, 1] };
    let value = |m, side| estimate(&joint, m, side, None, &rules).value.unwrap();
    let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    // The row that was never held out is not there.
    close(value(Measure::Accuracy, 1), (1.0 + 0.0 + 0.5 + 3.0) / 7.5);
    close(value(Measure::Profit, 1), (40.0 - 2.0 * 5.0 + 0.5 * 40.0) / 7.5);
    close(value(Measure::SelectionRate, 0), (1.0 + 0.25 + 3.0) / 7.5);
    close(value(Measure::BalancedAccuracy, 0), (1.25 / 2.5 + 2.0 / 5.0) / 2.0);
    close(value(Measure::DemographicParityDifference, 0), 3.25 / 4.0 - 1.0 / 3.0);
    close(value(Measure::EqualizedOddsDifference, 0), 1.0);
    let found = of(&joint, Measure::DemographicParityDifference, &rules).unwrap();
    close(found.value, (1.0 - 0.5 / 4.0) - (3.25 / 4.0 - 1.0 / 3.0));
    assert!(estimate(&joint, Measure::Auc, 0, None, &rules).reason.is_some());
}

#[test]
fn the_scale_of_weights_and_the_order_of_groups_and_rows_change_nothing() {
    let n = 500;
    let group: Vec<u32> = (0..n).map(|i| (i * i % 7 % 4) as u32).collect();
    let labels: Vec<bool> = (0..n).map(|i| i * 5 % 11 < 4).collect();
    let weights: Vec<f64> = (0..n).map(|i| (i % 5) as f64).collect();
    let decisions = [13, 29].map(|k| (0..n).map(|i| ((i * k) % 17) as f64 / 16.0).collect::<Vec<f64>>());
    let judged = [0, 1, 2];
    let rules = Rules { level: 0.9, utility: Some(&UTILITY), judged: &judged };
    let joint = |order: &dyn Fn(usize) -> usize, name: &dyn Fn(u32) -> u32, scale: f64| {
        let of = |v: &[f64]| (0..n).map(|i| v[order(i)]).collect::<Vec<f64>>();
        let g: Vec<u32> = (0..n).map(|i| name(group[order(i)])).collect();
        let l: Vec<bool> = (0..n).map(|i| labels[order(i)]).collect();
        let w: Vec<f64> = (0..n).map(|i| scale * weights[order(i)]).collect();
        Joint::of(3, &g, &l, &w, [&of(&decisions[0]), &of(&decisions[1])])
    };
    let first = joint(&|i| i, &|g| g, 1.0);
    let others = [
        joint(&|i| i, &|g| g, 1e-30),
        joint(&|i| i, &|g| if g < 3 { 2 - g } else { g }, 1.0),
        joint(&|i| (i * 3 + 1) % n, &|g| g, 7.0),
    ];
    for measure in Measure::ALL.into_iter().filter(|m| *m != Measure::Auc) {
        for other in &others {
            let [a, b] = [&first, other].map(|j| of(j, measure, &rules).unwrap());
            let (i, j) = (a.interval.unwrap(), b.interval.unwrap());
            let close = |x: f64, y: f64| assert!((x - y).abs() < 1e-9, "{measure}: {x} {y}");
            [(a.value, b.value), (i.low, j.low), (i.high, j.high), (a.p_value.unwrap(), b.p_value.unwrap())]
                .into_iter()
                .for_each(|(x, y)| close(x, y));
            let [a, b] = [&first, other].map(|j| estimate(j, measure, 1, None, &rules));
            close(a.value.unwrap(), b.value.unwrap());
            close(a.high.unwrap(), b.high.unwrap());
        }
    }
}

/// Rows of two groups with one feature, which tells the group more than the label.
pub(super) fn people(n: usize, seed: u64) -> (Array2<f64>, Batch<'static>) {
    let mut rng = stream(seed, n, 0);
    let sex: Vec<&str> = (0..n).map(|_| if rng.gen_bool(0.5) { "m" } else { "f" }).collect();
    let label: Vec<bool> = sex.iter().map(|s| rng.gen_bool(if *s == "m" { 0.6 } else { 0.35 })).collect();
    let features = Array2::from_shape_fn((n, 2), |(i, j)| {
        let of = if j == 0 { f64::from(u8::from(sex[i] == "m")) } else { f64::from(u8::from(label[i])) };
        of + 1.5 * (rng.r#gen::<f64>() + rng.r#gen::<f64>() - 1.0)
    });
    (features, Batch::builder().attribute(Categorical::from_values("sex", &sex)).label(&label).build().unwrap())
}

/// Logistic regression by a few steps of gradient descent.
pub(super) fn logistic(
    x: ArrayView2<f64>,
    y: &[bool],
    w: &[f64],
) -> Result<impl Fn(ArrayView2<f64>) -> Vec<f64> + Send + Sync + use<>> {
    let total: f64 = w.iter().sum();
    let mut beta = vec![0.0; x.ncols() + 1];
    let score = |beta: &[f64], row: ndarray::ArrayView1<f64>| {
        1.0 / (1.0 + (-(beta[0] + row.iter().zip(&beta[1..]).map(|(x, b)| x * b).sum::<f64>())).exp())
    };
    for _ in 0..60 {
        let mut step = vec![0.0; beta.len()];
        for (i, row) in x.outer_iter().enumerate() {
            let off = w[i] * (f64::from(u8::from(y[i])) - score(&beta, row)) / total;
            step[0] += off;
            row.iter().enumerate().for_each(|(j, v)| step[j + 1] += off * v);
        }
        beta.iter_mut().zip(step).for_each(|(b, s)| *b += 2.0 * s);
    }
    Ok(move |x: ArrayView2<f64>| x.outer_iter().map(|row| score(&beta, row)).collect::<Vec<f64>>())
}

#[test]
fn nothing_leaks_and_all_is_the_same_again() {
    let (features, batch) = people(300, 1);
    // A mitigation that remembers its rows by their features finds none of them again.
    let memory = |train: &Train| {
        assert_eq!((train.rows(), train.batch().rows()), (240, 240));
        let known: Vec<f64> = train.features().column(0).to_vec();
        Ok(move |held: &Held| {
            assert!(held.people().is_err());
            assert!(held.features().column(0).iter().all(|v| !known.contains(v)));
            Ok(Outcome::of_decisions(&vec![true; held.rows()]))
        })
    };
    let seeing = |_: &Train| {
        Ok(|held: &Held| {
            let people = held.people()?;
            assert!(people.label.is_none() && people.weight.is_none());
            Ok(Outcome::of_chances(
                people.attributes()[0].codes().len().checked_div(1).map_or(vec![], |n| vec![0.5; n]),
            ))
        })
    };
    let run = || {
        Evaluation::new(logistic)
            .mitigation("memory", memory)
            .knowing_groups("seeing", seeing)
            .mitigation(
                "reweighted",
                Reweighted { reweight: crate::mitigate::reweight::Reweight::new(), learner: logistic },
            )
            .repeats(2)
            .frontier([0.0, 0.1, 1.0])
            .run(features.view(), &batch)
            .unwrap()
    };
    let report = run();
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(run);
    assert_eq!(report, alone);
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<MitigationReport>(&text).unwrap(), report);
    assert_eq!((report.rows, report.unknown_labels, report.missing_group), (300, 0, 0));
    assert!(report.mitigation("seeing").unwrap().knows_groups);
    let points = &report.frontier.as_ref().unwrap().points;
    assert_eq!(points.len(), 7);
    let gap = |i: usize| points[i].disparity.value.unwrap();
    assert!(gap(1) < gap(3), "thresholds within 0 are fairer than without a bound");
    assert!(report.mitigations[0].changes[0].between_repeats.is_some());
}

#[test]
fn slips_are_named() {
    let (features, batch) = people(60, 2);
    let all = |_: &Train| Ok(|held: &Held| Ok(Outcome::of_decisions(&vec![true; held.rows()])));
    let with = |change: fn(Evaluation<'static, Learn>) -> Evaluation<'static, Learn>| {
        let evaluation = Evaluation::new(logistic_boxed as Learn).mitigation("all", all);
        change(evaluation).run(features.view(), &batch).map(|_| ()).map_err(|e| e.to_string())
    };
    assert_eq!(with(|e| e), Ok(()));
    for (change, wanted) in [
        ((|e| e.folds(1)) as fn(Evaluation<'static, Learn>) -> Evaluation<'static, Learn>, "folds"),
        (|e| e.held_out(1.0), "share"),
        (|e| e.repeats(0), "repeats"),
        (|e| e.confidence(1.0), "confidence"),
        (|e| e.mitigation("all", |_: &Train| Ok(|_: &Held| Ok(Outcome::of_decisions(&[])))), "`all` is given twice"),
        (|e| e.mitigation("short", |_: &Train| Ok(|_: &Held| Ok(Outcome::of_decisions(&[])))), "decisions of short"),
        (|e| e.mitigation("odd", |_: &Train| Ok(|h: &Held| Ok(Outcome::of_chances(vec![2.0; h.rows()])))), "`2`"),
        (
            |e| e.mitigation("blind", |_: &Train| Ok(|h: &Held| h.people().map(|_| Outcome::of_decisions(&[])))),
            "the mitigation `blind` failed",
        ),
        (|e| e.disparity(Measure::Accuracy), "the disparity is accuracy"),
        (|e| e.performance(Measure::Profit), "utility"),
        (|e| e.performance(Measure::SelectionRate), "AUC or profit"),
        (|e| e.frontier([2.0]), "tolerance"),
        (|e| e.frontier([0.1]).disparity(Measure::EqualizedOddsDifference), "frontier"),
        (|e| e.attributes(["sexx"]), "did you mean `sex`"),
    ] {
        let error = with(change).unwrap_err();
        assert!(error.contains(wanted), "{error}");
    }
    let evaluation = Evaluation::new(logistic).mitigation("all", all);
    assert!(evaluation.run(features.select(ndarray::Axis(0), &[0, 1, 2]).view(), &batch).is_err());
    let mut broken = features.clone();
    broken[[4, 1]] = f64::NAN;
    assert!(evaluation.run(broken.view(), &batch).unwrap_err().to_string().contains("row 5"));
    let one = Batch::builder().attribute(Categorical::from_values("sex", vec!["m"; 60])).label(vec![1u8; 60]).build();
    assert!(evaluation.run(features.view(), &one.unwrap()).unwrap_err().to_string().contains("both kinds"));
    // One group only, all weights of a label zero, few rows: undefined, not wrong.
    let label: Vec<u8> = (0..60).map(|i| (i % 3) as u8).collect();
    let weight: Vec<f64> = label.iter().map(|l| f64::from(*l == 0)).collect();
    let odd = Batch::builder().attribute(Categorical::from_values("sex", vec!["m"; 60])).label(label).weight(weight);
    let report = evaluation.run(features.view(), &odd.build().unwrap()).unwrap();
    assert_eq!((report.rows, report.unknown_labels), (40, 20));
    let undefined = |m| report.mitigations[0].change(m).unwrap().change.reason.is_some();
    assert!(undefined(Measure::DemographicParityDifference) && undefined(Measure::BalancedAccuracy));
    assert!(report.mitigations[0].sentence.contains("undefined"), "{}", report.mitigations[0].sentence);
}

type Boxed = Box<dyn Fn(ArrayView2<f64>) -> Vec<f64> + Send + Sync>;
type Learn = fn(ArrayView2<f64>, &[bool], &[f64]) -> Result<Boxed>;

fn logistic_boxed(x: ArrayView2<f64>, y: &[bool], w: &[f64]) -> Result<Boxed> {
    let model = logistic(x, y, w)?;
    Ok(Box::new(model))
}
