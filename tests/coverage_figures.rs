//! Do the intervals of pooled differences and ratios, of F1 and of mean scores hold as often as they say?

use evenhand::audit::AuditPlan;
use evenhand::data::{Batch, Categorical};
use evenhand::inference::stratified::{
    Stratum, mantel_haenszel_difference, mantel_haenszel_odds_ratio, mantel_haenszel_ratio,
};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

const LEVEL: f64 = 0.95;

fn draw(rng: &mut impl Rng, n: u32, p: f64) -> f64 {
    f64::from((0..n).filter(|_| rng.gen_bool(p)).count() as u32)
}

#[test]
fn pooled_figures_cover() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let runs = 2000;
    let (mut difference, mut ratio, mut odds) = (0, 0, 0);
    for _ in 0..runs {
        let mut strata = |second: fn(f64) -> f64| -> Vec<Stratum> {
            let one = |(base, n1, n2): (f64, u32, u32)| Stratum {
                x1: draw(&mut rng, n1, base),
                n1: f64::from(n1),
                x2: draw(&mut rng, n2, second(base)),
                n2: f64::from(n2),
            };
            [(0.2, 40, 60), (0.35, 80, 30), (0.5, 25, 25), (0.3, 120, 90)].map(one).into()
        };
        let apart = mantel_haenszel_difference(&strata(|p| p + 0.1), LEVEL).unwrap();
        difference += u32::from(apart.interval.low <= -0.1 && -0.1 <= apart.interval.high);
        let over = mantel_haenszel_ratio(&strata(|p| p * 1.5), LEVEL).unwrap();
        ratio += u32::from(over.interval.low <= 1.0 / 1.5 && 1.0 / 1.5 <= over.interval.high);
        let over = mantel_haenszel_odds_ratio(&strata(|p| p / (p + (1.0 - p) * 2.0)), LEVEL).unwrap();
        odds += u32::from(over.interval.low <= 2.0 && 2.0 <= over.interval.high);
    }
    for (name, held) in [("difference", difference), ("ratio", ratio), ("odds ratio", odds)] {
        let share = f64::from(held) / f64::from(runs);
        assert!((0.93..=0.97).contains(&share), "{name}: {share}");
    }
}

#[test]
fn harmonic_means_and_mean_scores_cover() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
    let plan = AuditPlan::new().order(1).replicates(10);
    let (runs, n) = (600, 150);
    let (mut f1, mut score, mut positives) = (0, 0, 0);
    for _ in 0..runs {
        // Labels at 0.4; of the positives 0.7 are selected, of the negatives 0.2: tp 0.28, fp 0.12, fn 0.12.
        let label: Vec<u8> = (0..n).map(|_| u8::from(rng.gen_bool(0.4))).collect();
        let decision: Vec<u8> = label.iter().map(|y| u8::from(rng.gen_bool(if *y == 1 { 0.7 } else { 0.2 }))).collect();
        // Squares of uniform scores: their mean is 1/3.
        let scores: Vec<f64> = (0..n).map(|_| rng.r#gen::<f64>().powi(2)).collect();
        let batch = Batch::builder()
            .attribute(Categorical::from_keys("g", vec![0; n]))
            .label(label)
            .model(evenhand::data::Model::decision("d", decision).with_score(scores))
            .build()
            .unwrap();
        let report = plan.run(&batch).unwrap();
        let holds = |metric: &str, truth: f64| {
            let (low, high) = report.metric(metric).unwrap().group("0").unwrap().interval().unwrap();
            u32::from(low <= truth && truth <= high)
        };
        f1 += holds("f1", 2.0 * 0.28 / (2.0 * 0.28 + 0.24));
        score += holds("mean_score", 1.0 / 3.0);
        positives += holds("mean_score_positives", 1.0 / 3.0);
    }
    for (name, held) in [("f1", f1), ("mean score", score), ("mean score of the positives", positives)] {
        let share = f64::from(held) / f64::from(runs);
        assert!((0.925..=0.98).contains(&share), "{name}: {share}");
    }
}
