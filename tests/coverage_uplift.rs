//! Uplift: by simulation with known truth, intervals hold it as often as they say, tests reject as often as they say.

use evenhand::data::Categorical;
use evenhand::metrics::uplift::{Assignment, Figure, Trial, UpliftAudit, UpliftGroup};
use evenhand::metrics::uplift::{calibration, curves, effects, quadrants, targeting};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// What is measured, by which function, and the truth.
type Measure = (&'static str, fn(&UpliftGroup, f64) -> Figure, f64);

const LEVEL: f64 = 0.95;
const RUNS: usize = 1500;

/// A hold-out whose truth is known. With u uniform: buys untreated with probability .2 + .2u, treated .1 + .6u, so that
/// the effect is .4u - .1; the policy treats u > .5.
struct World {
    rows: usize,
    /// Whether the chance of treatment is .3 + .4u, not .5.
    confounded: bool,
    /// Whether those who buy spend a random sum of mean 20.
    revenue: bool,
    /// Whether weights are 1 and 4 at random.
    weighted: bool,
    /// Whether outcomes are predicted, wrongly.
    predicted: bool,
}

const PLAIN: World = World { rows: 800, confounded: false, revenue: false, weighted: false, predicted: false };

impl World {
    fn draw(&self, rng: &mut impl Rng) -> UpliftGroup {
        let mut propensities = Vec::new();
        let row = |_| {
            let u: f64 = rng.gen_range(0.0..1.0);
            let e = if self.confounded { 0.3 + 0.4 * u } else { 0.5 };
            propensities.push(e);
            let treated = rng.gen_bool(e);
            let [m0, m1] = [0.2 + 0.2 * u, 0.1 + 0.6 * u];
            let buys = f64::from(u8::from(rng.gen_bool(if treated { m1 } else { m0 })));
            let spent = if self.revenue { -20.0 * rng.gen_range(f64::MIN_POSITIVE..1.0).ln() } else { 1.0 };
            let mut trial = Trial::new(treated, buys * spent);
            trial.decision = Some(u > 0.5);
            trial.score = Some(0.4 * u - 0.1);
            trial.weight = if self.weighted && rng.gen_bool(0.5) { 4.0 } else { 1.0 };
            trial.predicted = self.predicted.then_some([0.3, 0.35 + 0.2 * u]);
            trial
        };
        let rows: Vec<Trial> = (0..self.rows).map(row).collect();
        let assignment = if self.confounded {
            Assignment::Propensities(&propensities)
        } else {
            Assignment::Randomised { propensity: None }
        };
        UpliftGroup::new(rows, assignment).unwrap()
    }
}

fn stream(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

/// Checks the coverage and the bias of each measure.
fn check(world: &World, seed: u64, measures: &[Measure], least: f64) {
    let mut rng = stream(seed);
    let mut held = vec![0; measures.len()];
    let mut sums = vec![0.0; measures.len()];
    let mut errors = vec![0.0; measures.len()];
    for _ in 0..RUNS {
        let group = world.draw(&mut rng);
        for (at, (name, measure, truth)) in measures.iter().enumerate() {
            let figure = measure(&group, LEVEL);
            let (low, high) = figure.estimate.interval().unwrap_or_else(|| panic!("{name}: {figure:?}"));
            held[at] += usize::from(low <= *truth && *truth <= high);
            sums[at] += figure.estimate.value.unwrap();
            errors[at] += figure.error.unwrap();
        }
    }
    for (at, (name, _, truth)) in measures.iter().enumerate() {
        let (coverage, mean) = (held[at] as f64 / RUNS as f64, sums[at] / RUNS as f64);
        let error = errors[at] / RUNS as f64;
        println!("{name}: coverage {coverage:.3}, mean {mean:.4} for {truth:.4}, error {error:.4}");
        assert!(coverage > least && coverage < 0.975, "{name}: coverage {coverage}");
        // A small bias of order 1/n is allowed: a tenth of the error.
        assert!((mean - truth).abs() < 0.1 * error + 4.0 * error / (RUNS as f64).sqrt(), "{name}: {mean} for {truth}");
    }
}

#[test]
fn intervals_of_a_binary_outcome_hold() {
    let measures: &[Measure] = &[
        ("average effect", effects::average_treatment_effect, 0.1),
        ("effect among selected", effects::effect_among_selected, 0.2),
        ("effect among unselected", effects::effect_among_unselected, 0.0),
        ("selection rate", targeting::selection_rate, 0.5),
        ("benefit", targeting::benefit_per_person, 0.1),
        ("forgone", targeting::benefit_forgone, 0.0),
        ("policy value", targeting::policy_value, 0.4),
        ("policy value ipw", targeting::policy_value_ipw, 0.4),
        ("policy value snipw", targeting::policy_value_snipw, 0.4),
        ("area under uplift curve", curves::area_under_uplift_curve, 0.2 * 2.0 / 3.0 - 0.05),
        ("qini area", curves::qini_area, 0.2 * 2.0 / 3.0 - 0.1),
        // The best: .4 after the treated buyers, at x = .2; flat to x = .85; down to .1.
        ("qini coefficient", curves::qini_coefficient, (0.2 * 2.0 / 3.0 - 0.1) / (0.3375 - 0.05)),
        ("uplift at 30 %", |g, level| curves::uplift_at(g, 0.3, level), 0.24),
        ("calibration bias", calibration::calibration_bias, 0.0),
    ];
    check(&PLAIN, 1, measures, 0.935);
}

#[test]
fn intervals_of_other_outcomes_weights_and_assignments_hold() {
    let effects: &[Measure] = &[
        ("average effect", effects::average_treatment_effect, 0.1),
        ("effect among selected", effects::effect_among_selected, 0.2),
        ("benefit", targeting::benefit_per_person, 0.1),
        ("policy value", targeting::policy_value, 0.4),
        ("policy value snipw", targeting::policy_value_snipw, 0.4),
        ("qini area", curves::qini_area, 0.2 * 2.0 / 3.0 - 0.1),
        ("area under uplift curve", curves::area_under_uplift_curve, 0.2 * 2.0 / 3.0 - 0.05),
    ];
    println!("weighted");
    check(&World { weighted: true, ..PLAIN }, 2, effects, 0.93);
    println!("confounded, by propensities");
    check(&World { confounded: true, ..PLAIN }, 3, effects, 0.93);
    println!("predicted, wrongly");
    check(&World { predicted: true, ..PLAIN }, 4, &effects[..4], 0.935);
    println!("confounded and predicted wrongly");
    check(&World { predicted: true, confounded: true, ..PLAIN }, 5, &effects[..4], 0.93);
    let revenue: &[Measure] = &[
        ("average effect", effects::average_treatment_effect, 2.0),
        ("effect among selected", effects::effect_among_selected, 4.0),
        ("benefit", targeting::benefit_per_person, 2.0),
        ("policy value", targeting::policy_value, 8.0),
        ("qini area", curves::qini_area, 20.0 * (0.2 * 2.0 / 3.0 - 0.1)),
    ];
    println!("few rows");
    check(&World { rows: 150, ..PLAIN }, 9, effects, 0.93);
    println!("revenue");
    check(&World { revenue: true, ..PLAIN }, 6, revenue, 0.93);
}

/// Of 1,500 people 30 % are persuadable, 25 % buy either way, the others never. The policy treats this share of the
/// persuadable, and 30 % of the others.
fn persuadables(rng: &mut impl Rng, recall: f64) -> Vec<Trial> {
    let row = |_| {
        let kind: f64 = rng.gen_range(0.0..1.0);
        let (persuadable, sure) = (kind < 0.3, kind > 0.75);
        let treated = rng.gen_bool(0.5);
        let buys = sure || (persuadable && treated);
        let decision = rng.gen_bool(if persuadable { recall } else { 0.3 });
        Trial { decision: Some(decision), ..Trial::new(treated, f64::from(u8::from(buys))) }
    };
    (0..1500).map(row).collect()
}

#[test]
fn the_share_of_persuadables_treated_is_recovered() {
    let mut rng = stream(7);
    for truth in [0.75, 0.64] {
        let (mut held, mut sum, mut bounded) = (0, 0.0, 0);
        for _ in 0..RUNS {
            let rows = persuadables(&mut rng, truth);
            let group = UpliftGroup::new(rows, Assignment::Randomised { propensity: Some(0.5) }).unwrap();
            let figure = targeting::equal_opportunity_on_persuadables(&group, LEVEL).estimate;
            let (low, high) = figure.interval().unwrap();
            held += usize::from(low <= truth && truth <= high);
            sum += figure.value.unwrap();
            let bounds = quadrants::persuadable_recall_bounds(&group, LEVEL);
            let share = quadrants::quadrants(&group, LEVEL).unwrap().persuadable.within;
            let (low, high) = bounds.interval().unwrap();
            bounded += usize::from(low <= truth && truth <= high && share.contains(0.3));
        }
        let (coverage, mean, bounded) = (held as f64 / RUNS as f64, sum / RUNS as f64, bounded as f64 / RUNS as f64);
        println!("persuadables {truth}: mean {mean:.4}, coverage {coverage:.3}, bounds hold {bounded:.3}");
        assert!(coverage > 0.935 && coverage < 0.97, "{coverage}");
        assert!((mean - truth).abs() < 0.01, "{mean}");
        assert!(bounded > 0.95);
    }
}

#[test]
fn gaps_between_groups_hold_and_tests_keep_their_level() {
    let mut rng = stream(8);
    let runs = 400;
    let (mut pair, mut worst, mut fair, mut calibrated) = (0, 0, 0, 0);
    for _ in 0..runs {
        // Groups a and b alike, c apart.
        let rows = [0.75, 0.75, 0.64].map(|recall| persuadables(&mut rng, recall)).concat();
        let groups = Categorical::from_values("g", (0..4500).map(|i| ["a", "b", "c"][i / 1500]));
        let treated: Vec<bool> = rows.iter().map(|r| r.treated).collect();
        let outcome: Vec<f64> = rows.iter().map(|r| r.outcome).collect();
        let decision: Vec<bool> = rows.iter().map(|r| r.decision == Some(true)).collect();
        let audit = UpliftAudit::new(Assignment::Randomised { propensity: None }).attribute(groups);
        let report = audit.treated(&treated).outcome(&outcome).decision(&decision).run().unwrap();
        let table = report.table("g").unwrap();
        let of = |group: &str| {
            let name = "equal_opportunity_on_persuadables";
            table.comparisons.iter().find(|c| c.metric == name && c.group.as_deref() == Some(group)).unwrap()
        };
        let holds = |e: &evenhand::metrics::Estimate, v: f64| e.low.unwrap() <= v && v <= e.high.unwrap();
        pair += usize::from(holds(&of("c").estimate, -0.11));
        fair += usize::from(of("b").p_value.unwrap() < 0.05);
        worst += usize::from(holds(&table.between("equal_opportunity_on_persuadables").unwrap().estimate, 0.11));
        let bins = calibration::by_score(&PLAIN.draw(&mut rng), 5, LEVEL);
        calibrated += usize::from(calibration::calibration_test(&bins).p_value.unwrap() < 0.05);
    }
    let [pair, worst, fair, calibrated] = [pair, worst, fair, calibrated].map(|n| n as f64 / f64::from(runs));
    println!("pair {pair:.3}, worst case {worst:.3}, level {fair:.3}, calibration test {calibrated:.3}");
    assert!(pair > 0.92 && worst > 0.92, "{pair} {worst}");
    assert!(fair < 0.08 && calibrated < 0.09, "{fair} {calibrated}");
}
