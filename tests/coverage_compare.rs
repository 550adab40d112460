//! How often a comparison of two reports is wrong: by simulation of two independent audits, with fixed seeds.

mod small;

use evenhand::audit::{Against, Comparison, Policy};
use evenhand::compare::{Change, Changes, Compare, Effect};
use evenhand::data::{Batch, Categorical};
use evenhand::report::Report;
use rand::SeedableRng;
use rand_distr::{Binomial, Distribution};
use rand_xoshiro::Xoshiro256PlusPlus;

use small::{plan, policy};

const SAMPLES: usize = 400;
/// 5 % of the samples, and four standard errors of that.
const FIVE_PERCENT: usize = 37;

/// Groups of so many rows, selected at these rates.
type Groups = [(u64, f64)];

fn audit(groups: &Groups, criterion: &Policy, rng: &mut Xoshiro256PlusPlus) -> Report {
    let codes: Vec<u8> = groups.iter().enumerate().flat_map(|(g, (n, _))| (0..*n).map(move |_| g as u8)).collect();
    let mut decision: Vec<u8> = Vec::with_capacity(codes.len());
    for (n, rate) in groups {
        let selected = Binomial::new(*n, *rate).unwrap().sample(rng);
        decision.extend((0..*n).map(|i| u8::from(i < selected)));
    }
    let names: Vec<String> = (0..groups.len()).map(|g| format!("g{g}")).collect();
    let group = Categorical::from_codes("group", names, &codes).unwrap();
    let batch = Batch::builder().attribute(group).decision(&decision).build().unwrap();
    plan().order(1).reference("group", "g0").policy(criterion.clone()).run(&batch).unwrap()
}

fn criterion(comparison: Comparison) -> Policy {
    let (metric, bound) =
        if comparison == Comparison::Ratio { ("disparate_impact", 0.8) } else { ("demographic_parity", 0.1) };
    policy(metric, comparison, Against::BetweenGroups, bound)
}

/// What is counted over the samples.
#[derive(Debug, Default)]
struct Wrong {
    /// Intervals of the gap's, the ratio's, a pair's and a rate's change that miss the true one.
    gap: usize,
    ratio: usize,
    pair: usize,
    rate: usize,
    /// Samples in which anything is said to be worse, better, or to have moved.
    worse: usize,
    better: usize,
    moved: usize,
}

fn all(changes: &Changes) -> impl Iterator<Item = &Change> {
    let models = changes.models.iter();
    models.flat_map(|m| m.findings.iter().map(|f| &f.change).chain(&m.disparities).chain(&m.figures))
}

fn simulate(before: &Groups, after: &Groups, seed: u64) -> Wrong {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut wrong = Wrong::default();
    let ends = |groups: &Groups| {
        let rates = groups.iter().map(|g| g.1);
        (rates.clone().fold(f64::INFINITY, f64::min), rates.fold(0.0, f64::max))
    };
    let ((low, high), (least, most)) = (ends(before), ends(after));
    let parity = criterion(Comparison::Difference);
    for _ in 0..SAMPLES {
        let (was, is) = (audit(before, &parity, &mut rng), audit(after, &parity, &mut rng));
        let changes = Compare::new().run(&was, &is).unwrap();
        let model = &changes.models[0];
        let misses = |c: &Change, truth: f64| {
            let (low, high) = (c.difference.low.unwrap(), c.difference.high.unwrap());
            usize::from(truth < low - 1e-12 || truth > high + 1e-12)
        };
        let find = |comparison: Comparison, group: Option<&str>, against: &str| {
            let wanted = |c: &&Change| {
                c.metric == "selection_rate"
                    && c.comparison == Some(comparison)
                    && c.group.as_deref() == group
                    && c.against.as_deref() == Some(against)
            };
            model.disparities.iter().find(wanted).unwrap()
        };
        let gap = find(Comparison::Difference, None, "between_groups");
        wrong.gap += misses(gap, (most - least) - (high - low));
        let ratio = find(Comparison::Ratio, None, "between_groups");
        wrong.ratio += misses(ratio, least / most - low / high);
        let size = |groups: &Groups| (groups[1].1 - groups[0].1).abs();
        wrong.pair += misses(find(Comparison::Difference, Some("g1"), "g0"), size(after) - size(before));
        let rate = |c: &&Change| c.metric == "selection_rate" && c.group.as_deref() == Some("g1");
        wrong.rate += misses(model.figures.iter().find(rate).unwrap(), after[1].1 - before[1].1);
        let any = |effect: Effect| usize::from(all(&changes).any(|c| c.effect == effect));
        wrong.worse += any(Effect::Worse);
        wrong.better += any(Effect::Better);
        wrong.moved += usize::from(all(&changes).any(|c| matches!(c.effect, Effect::Rose | Effect::Fell)));
    }
    println!("{before:?} to {after:?}: {wrong:?} of {SAMPLES}");
    wrong
}

#[track_caller]
fn covers(wrong: &Wrong) {
    for (what, n) in [("gap", wrong.gap), ("ratio", wrong.ratio), ("pair", wrong.pair), ("rate", wrong.rate)] {
        assert!(n <= FIVE_PERCENT, "{what}: {n} of {SAMPLES} missed");
    }
}

/// The true change is none: of two groups, at parity and far from it, in batches of unlike sizes.
#[test]
fn no_change_is_seldom_called_one_between_two_groups() {
    for (before, after, seed) in [
        ([(400, 0.3), (400, 0.3)], [(400, 0.3), (400, 0.3)], 1),
        ([(400, 0.5), (400, 0.3)], [(400, 0.5), (400, 0.3)], 2),
        ([(2000, 0.3), (900, 0.25)], [(300, 0.3), (120, 0.25)], 3),
        ([(200, 0.06), (150, 0.04)], [(900, 0.06), (900, 0.04)], 4),
    ] {
        let wrong = simulate(&before, &after, seed);
        covers(&wrong);
        assert!(
            wrong.worse <= FIVE_PERCENT && wrong.better <= FIVE_PERCENT && wrong.moved <= FIVE_PERCENT,
            "{wrong:?}"
        );
    }
}

/// A gap that only turns round has not grown.
#[test]
fn a_gap_that_turns_round_is_no_change_of_its_size() {
    let wrong = simulate(&[(600, 0.5), (600, 0.4)], &[(600, 0.4), (600, 0.5)], 5);
    covers(&wrong);
    assert!(wrong.worse <= FIVE_PERCENT && wrong.better <= FIVE_PERCENT, "{wrong:?}");
    // The groups' own figures did move.
    assert!(wrong.moved > SAMPLES / 2, "{wrong:?}");
}

/// Noise overrates a worst case, and the more so in the smaller batch.
#[test]
fn no_change_is_seldom_called_one_between_many_groups() {
    let of = |k: u64, rows: u64, rates: [f64; 2]| -> Vec<(u64, f64)> {
        (0..k).map(|g| (rows + 10 * g, if g % 3 == 0 { rates[0] } else { rates[1] })).collect()
    };
    for (k, rows, rates, seed) in [
        (3, [300, 300], [0.3, 0.3], 6),
        (3, [120, 1500], [0.4, 0.3], 7),
        (5, [1500, 120], [0.4, 0.3], 8),
        (10, [100, 100], [0.3, 0.3], 9),
        (10, [80, 2000], [0.3, 0.3], 10),
    ] {
        let wrong = simulate(&of(k, rows[0], rates), &of(k, rows[1], rates), seed);
        covers(&wrong);
        assert!(
            wrong.worse <= FIVE_PERCENT && wrong.better <= FIVE_PERCENT && wrong.moved <= FIVE_PERCENT,
            "{wrong:?}"
        );
    }
}

/// A true change is covered, whichever way it goes.
#[test]
fn a_true_change_is_covered() {
    let wrong = simulate(&[(500, 0.45), (400, 0.40)], &[(450, 0.45), (450, 0.30)], 11);
    covers(&wrong);
    let wrong = simulate(&[(500, 0.45), (400, 0.25)], &[(450, 0.35), (450, 0.35)], 12);
    covers(&wrong);
    let wrong = simulate(
        &[(300, 0.30), (250, 0.28), (200, 0.33), (220, 0.29)],
        &[(300, 0.30), (250, 0.18), (200, 0.38), (220, 0.29)],
        13,
    );
    covers(&wrong);
}

/// Caution alone would be easy: with enough rows a change is shown.
#[test]
fn plain_changes_are_shown() {
    let fair = [(2000, 0.5), (2000, 0.5)];
    let unfair = [(2000, 0.5), (2000, 0.35)];
    let wrong = simulate(&fair, &unfair, 14);
    assert!(wrong.worse >= SAMPLES * 95 / 100 && wrong.better == 0, "{wrong:?}");
    let wrong = simulate(&unfair, &fair, 15);
    assert!(wrong.better >= SAMPLES * 95 / 100 && wrong.worse == 0, "{wrong:?}");
    let five = |last: f64| [(1500, 0.5), (1500, 0.5), (1500, 0.5), (1500, 0.5), (1500, last)];
    let wrong = simulate(&five(0.5), &five(0.3), 16);
    assert!(wrong.worse >= SAMPLES * 95 / 100 && wrong.better == 0, "{wrong:?}");
}
