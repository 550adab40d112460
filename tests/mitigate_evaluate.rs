//! Mitigations whose effect is known, judged: what does nothing, helps or hurts must be said to; and what does nothing may
//! be said to help in no more cases than the level allows.

use std::sync::Mutex;

use evenhand::Result;
use evenhand::data::{Batch, Categorical};
use evenhand::mitigate::evaluate::{
    Effect, Evaluation, Held, Measure, Mitigation, Outcome, Plain, PointKind, Reweighted, Train, Utility,
};
use evenhand::mitigate::learn::{Learner, Scorer};
use evenhand::mitigate::prepare::{CorrelationRemover, Massage, QuantileRepair, Suppress};
use evenhand::mitigate::reweight::Reweight;
use ndarray::{Array2, ArrayView2, Axis};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Customers of two groups alike in merit, of whom women's responses were recorded less often; the first feature tells the
/// group, the second the merit.
fn customers(n: usize, seed: u64) -> (Array2<f64>, Batch<'static>) {
    let (features, sex, label) = draw(n, seed);
    (features, Batch::builder().attribute(Categorical::from_values("sex", &sex)).label(&label).build().unwrap())
}

fn draw(n: usize, seed: u64) -> (Array2<f64>, Vec<&'static str>, Vec<bool>) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut features = Array2::zeros((n, 2));
    let (mut sex, mut label) = (Vec::new(), Vec::new());
    for mut row in features.outer_iter_mut() {
        let (man, merit) = (rng.gen_bool(0.5), rng.r#gen::<f64>() * 2.0 - 1.0);
        row[0] = f64::from(u8::from(man)) - 0.5 + 0.6 * (rng.r#gen::<f64>() - 0.5);
        row[1] = merit + 0.6 * (rng.r#gen::<f64>() - 0.5);
        label.push(rng.r#gen::<f64>() < 1.0 / (1.0 + (-(2.5 * merit + if man { 0.7 } else { -0.7 })).exp()));
        sex.push(if man { "m" } else { "f" });
    }
    (features, sex, label)
}

type Model = Box<dyn Fn(ArrayView2<f64>) -> Vec<f64> + Send + Sync>;

/// Logistic regression by steps down its gradient.
fn logistic(x: ArrayView2<f64>, y: &[bool], w: &[f64]) -> Result<Model> {
    let total: f64 = w.iter().sum();
    let mut beta = vec![0.0; x.ncols() + 1];
    let score = |beta: &[f64], row: ndarray::ArrayView1<f64>| {
        1.0 / (1.0 + (-(beta[0] + row.iter().zip(&beta[1..]).map(|(x, b)| x * b).sum::<f64>())).exp())
    };
    for _ in 0..150 {
        let mut step = vec![0.0; beta.len()];
        for (i, row) in x.outer_iter().enumerate() {
            let off = w[i] * (f64::from(u8::from(y[i])) - score(&beta, row)) / total;
            step[0] += off;
            row.iter().enumerate().for_each(|(j, v)| step[j + 1] += off * v);
        }
        beta.iter_mut().zip(step).for_each(|(b, s)| *b += 3.0 * s);
    }
    Ok(Box::new(move |x: ArrayView2<f64>| x.outer_iter().map(|row| score(&beta, row)).collect()))
}

/// Leaves out features that tell the group.
fn without_proxies(train: &Train) -> Result<impl Fn(&Held) -> Result<Outcome> + Send + Sync + use<>> {
    let suppressed = Suppress::new().limit(0.5).fit(train.features(), train.batch())?;
    let model = logistic(suppressed.transform(train.features())?.view(), train.labels(), train.weights())?;
    Ok(move |held: &Held| Ok(Outcome::of_scores(model.scores(suppressed.transform(held.features())?.view()))))
}

/// Repairs features by quantiles: new people must say their group.
fn repaired(train: &Train) -> Result<impl Fn(&Held) -> Result<Outcome> + Send + Sync + use<>> {
    let repair = QuantileRepair::new().fit(train.features(), train.batch())?;
    let features = repair.transform(train.features(), train.batch())?;
    let model = logistic(features.view(), train.labels(), train.weights())?;
    Ok(move |held: &Held| {
        Ok(Outcome::of_scores(model.scores(repair.transform(held.features(), held.people()?)?.view())))
    })
}

fn decorrelated(train: &Train) -> Result<impl Fn(&Held) -> Result<Outcome> + Send + Sync + use<>> {
    let fitted = CorrelationRemover::new().fit_groups(train.features(), train.batch(), ["sex"])?;
    let features = fitted.transform(train.features(), train.batch())?;
    let model = logistic(features.view(), train.labels(), train.weights())?;
    Ok(move |held: &Held| {
        Ok(Outcome::of_scores(model.scores(fitted.transform(held.features(), held.people()?)?.view())))
    })
}

fn massaged(train: &Train) -> Result<impl Fn(&Held) -> Result<Outcome> + Send + Sync + use<>> {
    let ranker = logistic(train.features(), train.labels(), train.weights())?;
    let done = Massage::new().apply(train.batch(), &ranker.scores(train.features()))?;
    let labels: Vec<bool> = done.labels.iter().map(|l| *l == 1).collect();
    let model = logistic(train.features(), &labels, train.weights())?;
    Ok(move |held: &Held| Ok(Outcome::of_scores(model.scores(held.features()))))
}

/// Adds to the score what tells the group: worse.
fn worse(train: &Train) -> Result<impl Fn(&Held) -> Result<Outcome> + Send + Sync + use<>> {
    let model = logistic(train.features(), train.labels(), train.weights())?;
    Ok(move |held: &Held| {
        let tilt = |(s, x): (f64, &f64)| if *x > 0.0 { (s + 0.3).min(1.0) } else { (s - 0.3).max(0.0) };
        Ok(Outcome::of_scores(
            model.scores(held.features()).into_iter().zip(held.features().column(0)).map(tilt).collect(),
        ))
    })
}

#[test]
fn what_helps_helps_and_what_hurts_hurts() {
    let (features, batch) = customers(3000, 5);
    let report = Evaluation::new(logistic)
        .mitigation("the same again", Plain(logistic))
        .mitigation("without proxies", without_proxies)
        .mitigation("reweighted", Reweighted { reweight: Reweight::new(), learner: logistic })
        .mitigation("massaged", massaged)
        .knowing_groups("repaired", repaired)
        .knowing_groups("decorrelated", decorrelated)
        .mitigation("worse", worse)
        .utility(Utility { true_positive: 20.0, false_positive: -10.0, false_negative: 0.0, true_negative: 0.0 })
        .frontier([0.0, 0.1, 0.3, 1.0])
        .run(features.view(), &batch)
        .unwrap();
    let effect = |name: &str, measure| report.mitigation(name).unwrap().effect(measure);
    let parity = Measure::DemographicParityDifference;
    for measure in Measure::ALL {
        assert_eq!(effect("the same again", measure), Effect::NotShown, "{measure}");
    }
    for name in ["without proxies", "reweighted", "massaged", "repaired", "decorrelated"] {
        assert_eq!(effect(name, parity), Effect::Helped, "{name}");
        assert_eq!(effect(name, Measure::DemographicParityRatio), Effect::Helped, "{name}");
        assert_ne!(effect(name, Measure::Accuracy), Effect::Helped, "{name}");
    }
    for measure in [parity, Measure::EqualizedOddsDifference, Measure::Accuracy, Measure::BalancedAccuracy] {
        assert_eq!(effect("worse", measure), Effect::Hurt, "{measure}");
    }
    assert_eq!(effect("without proxies", Measure::Auc), Effect::Hurt);
    let worst = report.mitigation("worse").unwrap();
    assert!(worst.sentence.starts_with("worse: demographic parity difference hurt"), "{}", worst.sentence);
    // Thresholds bound the disparity on people that they were not found on, and only `worse` is shown to be beaten by them.
    let points = &report.frontier.as_ref().unwrap().points;
    let gap = |t: f64| points.iter().find(|p| p.kind == PointKind::Thresholds(t)).unwrap().disparity.value.unwrap();
    assert!(gap(0.0) < 0.06 && gap(0.1) < 0.16 && gap(0.0) < gap(0.1) && gap(0.1) < gap(0.3), "{points:?}");
    assert!(!points.iter().find(|p| p.name == "worse").unwrap().dominated_by.is_empty());
    assert!(points.iter().find(|p| p.name == "the same again").unwrap().dominated_by.is_empty());
    let text = report.to_text();
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(text.contains("looks better than it is") && text.contains("repaired ‡"), "{text}");
    let page = report.to_markdown();
    assert!(page.contains("| worse |") && page.contains("## Accuracy\n"), "{page}");
}

/// Decides by one feature, above its mean among the training rows.
struct Column(usize);

impl Learner for Column {
    type Model = Model;

    fn fit(&self, features: ArrayView2<f64>, _: &[bool], _: &[f64]) -> Result<Model> {
        let (column, mean) = (self.0, features.column(self.0).mean().unwrap_or(0.0));
        Ok(Box::new(move |x: ArrayView2<f64>| {
            x.column(column).iter().map(|v| 1.0 / (1.0 + (mean - v).exp())).collect()
        }))
    }
}

#[test]
fn what_does_nothing_is_rarely_said_to_help() {
    // Models that each read a feature of their own, all features alike: as unfair and as good as each other, and as different
    // in whom they choose as can be.
    let (runs, models) = (400, 5);
    let measures = [
        Measure::DemographicParityDifference,
        Measure::EqualizedOddsDifference,
        Measure::Accuracy,
        Measure::Auc,
        Measure::Profit,
    ];
    let mut helped = [0; 5];
    for run in 0..runs {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(run);
        let n = 300;
        let sex: Vec<&str> = (0..n).map(|_| if rng.gen_bool(0.4) { "f" } else { "m" }).collect();
        let label: Vec<bool> = sex.iter().map(|s| rng.gen_bool(if *s == "f" { 0.3 } else { 0.5 })).collect();
        let features = Array2::from_shape_fn((n, models + 1), |(i, _)| {
            let of = f64::from(u8::from(label[i])) + if sex[i] == "f" { -0.4 } else { 0.0 };
            of + 3.0 * (rng.r#gen::<f64>() + rng.r#gen::<f64>() - 1.0)
        });
        let batch = Batch::builder().attribute(Categorical::from_values("sex", &sex)).label(&label).build().unwrap();
        let evaluation = Evaluation::new(Column(0))
            .utility(Utility { true_positive: 3.0, false_positive: -2.0, false_negative: 0.0, true_negative: 0.0 })
            .seed(run);
        // Folds and a single split in turn.
        let evaluation = if run % 2 == 0 { evaluation.folds(4) } else { evaluation.held_out(0.5) };
        let evaluation = (1..=models).fold(evaluation, |e, k| e.mitigation(format!("feature {k}"), Plain(Column(k))));
        let report = evaluation.run(features.view(), &batch).unwrap();
        for (count, measure) in helped.iter_mut().zip(measures) {
            *count += i32::from(report.mitigations.iter().any(|m| m.effect(measure) == Effect::Helped));
        }
    }
    // At most 0.05 of the runs, and three standard errors.
    for (count, measure) in helped.into_iter().zip(measures) {
        let share = f64::from(count) / runs as f64;
        assert!(share <= 0.05 + 0.033, "{measure}: {share}");
    }
}

/// The line between the labels' means, by the features from `from` on; notes the accuracy and the parity gap that each
/// fitted line has among all people there are.
struct Line<'p> {
    from: usize,
    people: &'p [([f64; 2], bool, bool)],
    truth: &'p Mutex<Vec<[f64; 2]>>,
}

impl Learner for Line<'_> {
    type Model = Model;

    fn fit(&self, x: ArrayView2<f64>, y: &[bool], _: &[f64]) -> Result<Model> {
        let mean = |label: bool, j: usize| {
            let rows = || (0..y.len()).filter(|i| y[*i] == label);
            rows().map(|i| x[[i, j]]).sum::<f64>() / rows().count().max(1) as f64
        };
        let means = [0, 1].map(|j| [mean(true, j), mean(false, j)]);
        let slope = [0, 1].map(|j| if j < self.from { 0.0 } else { means[j][0] - means[j][1] });
        let middle = (0..2).map(|j| slope[j] * (means[j][0] + means[j][1]) / 2.0).sum::<f64>();
        let line = move |a: f64, b: f64| slope[0] * a + slope[1] * b - middle;
        let (mut right, mut selected, mut men) = (0.0, [0.0; 2], 0.0);
        for ([a, b], man, label) in self.people {
            let chosen = line(*a, *b) >= 0.0;
            right += f64::from(u8::from(chosen == *label));
            selected[usize::from(*man)] += f64::from(u8::from(chosen));
            men += f64::from(u8::from(*man));
        }
        let n = self.people.len() as f64;
        self.truth.lock().unwrap().push([right / n, selected[1] / men - selected[0] / (n - men)]);
        Ok(Box::new(move |x: ArrayView2<f64>| {
            x.outer_iter().map(|r| 1.0 / (1.0 + (-line(r[0], r[1])).exp())).collect()
        }))
    }
}

#[test]
fn intervals_cover_what_the_folds_models_do_to_new_people() {
    let everybody = |n: usize, seed: u64| {
        let (features, sex, label) = draw(n, seed);
        let of = |((r, sex), label): ((ndarray::ArrayView1<f64>, &str), bool)| ([r[0], r[1]], sex == "m", label);
        features.outer_iter().zip(sex).zip(label).map(of).collect::<Vec<_>>()
    };
    let people = everybody(20_000, u64::MAX);
    let (runs, mut covered) = (250, [0.0; 2]);
    for seed in 0..runs {
        let (features, batch) = customers(400, seed);
        let (plain, mended) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
        let report = Evaluation::new(Line { from: 0, people: &people, truth: &plain })
            .mitigation("without the proxy", Plain(Line { from: 1, people: &people, truth: &mended }))
            .seed(seed)
            .run(features.view(), &batch)
            .unwrap();
        let mean = |of: &Mutex<Vec<[f64; 2]>>, at: usize| {
            let all = of.lock().unwrap();
            all.iter().map(|t| t[at]).sum::<f64>() / all.len() as f64
        };
        // A gap is one, whichever group is above.
        let of = |at: usize| mean(&mended, at).abs() - mean(&plain, at).abs();
        let measures = [Measure::Accuracy, Measure::DemographicParityDifference];
        for (at, measure) in measures.into_iter().enumerate() {
            let change = &report.mitigations[0].change(measure).unwrap().change;
            let (low, high) = change.interval().unwrap();
            covered[at] += f64::from(u8::from(low <= of(at) && of(at) <= high));
        }
    }
    // 0.95 less three standard errors.
    let coverage = covered.map(|c| c / runs as f64);
    assert!(coverage.iter().all(|c| *c >= 0.909), "{coverage:?}");
}

#[test]
fn a_mitigation_is_shown_no_label_and_no_other_row() {
    struct Spy;
    impl Mitigation for Spy {
        fn fit(&self, train: &Train) -> Result<Box<dyn evenhand::mitigate::evaluate::Fitted>> {
            assert_eq!(train.features().len_of(Axis(0)), train.labels().len());
            let (fit, tune) = train.split(0.7)?;
            assert_eq!(fit.rows() + tune.rows(), train.rows());
            let rate = |t: &Train| t.labels().iter().filter(|l| **l).count() as f64 / t.rows() as f64;
            assert!((rate(&fit) - rate(&tune)).abs() < 0.02);
            let scored = tune.scored(vec![0.5; tune.rows()])?;
            assert_eq!(scored.rows(), tune.rows());
            assert!(tune.scored(vec![f64::NAN; tune.rows()]).is_err());
            Ok(Box::new(|held: &Held| {
                assert!(held.people().is_err());
                Ok(Outcome::of_chances(vec![0.5; held.rows()]))
            }))
        }
    }
    let (features, batch) = customers(400, 1);
    let report = Evaluation::new(logistic).mitigation("spy", Spy).held_out(0.25).run(features.view(), &batch).unwrap();
    assert_eq!(report.rows, 100);
}
