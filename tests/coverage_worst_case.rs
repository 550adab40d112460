//! How often the verdict is wrong: by simulation, with fixed seeds.

mod small;

use evenhand::audit::{Against, Comparison, Comparison::Difference, Comparison::Ratio, Policy, Verdict};
use evenhand::data::{Batch, Categorical};
use rand::SeedableRng;
use rand_distr::{Binomial, Distribution};
use rand_xoshiro::Xoshiro256PlusPlus;

use small::{plan, policy};

const SAMPLES: usize = 400;

/// 5 % of the samples, and four standard errors of that.
const FIVE_PERCENT: usize = 37;

/// Groups: so many rows each, selected at these rates. How many of the samples fail and how many pass.
fn verdicts(groups: &[(u64, f64)], criterion: Policy, seed: u64) -> (usize, usize) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let plan = plan().order(1).reference("group", "g0").policy(criterion);
    let codes: Vec<u8> = groups.iter().enumerate().flat_map(|(g, (n, _))| (0..*n).map(move |_| g as u8)).collect();
    let (mut failed, mut passed) = (0, 0);
    for _ in 0..SAMPLES {
        let mut decision: Vec<u8> = Vec::with_capacity(codes.len());
        for (n, rate) in groups {
            let selected = Binomial::new(*n, *rate).unwrap().sample(&mut rng);
            decision.extend((0..*n).map(|i| u8::from(i < selected)));
        }
        let names: Vec<String> = (0..groups.len()).map(|g| format!("g{g}")).collect();
        let group = Categorical::from_codes("group", names, &codes).unwrap();
        let batch = Batch::builder().attribute(group).decision(&decision).build().unwrap();
        match plan.run(&batch).unwrap().verdict {
            Verdict::Fail => failed += 1,
            Verdict::Pass => passed += 1,
            Verdict::Inconclusive => {}
        }
    }
    (failed, passed)
}

fn parity(maximum: f64) -> Policy {
    policy("demographic_parity", Difference, Against::BetweenGroups, maximum)
}

fn impact(against: Against) -> Policy {
    policy("disparate_impact", Ratio, against, 0.8)
}

#[test]
fn fair_data_seldom_fail_parity_between_two_groups() {
    for (rate, seed) in [(0.02, 1), (0.3, 2), (0.9, 3)] {
        let (failed, _) = verdicts(&[(400, rate), (150, rate)], parity(0.005), seed);
        assert!(failed <= FIVE_PERCENT, "rate {rate}: {failed} of {SAMPLES}");
    }
}

#[test]
fn fair_data_seldom_fail_parity_between_five_groups() {
    for (rate, seed) in [(0.05, 4), (0.5, 5)] {
        let groups = [300, 200, 100, 80, 50].map(|n| (n, rate));
        let (failed, _) = verdicts(&groups, parity(0.005), seed);
        assert!(failed <= FIVE_PERCENT, "rate {rate}: {failed} of {SAMPLES}");
    }
}

#[test]
fn fair_data_seldom_fail_parity_between_ten_groups() {
    for (rate, seed) in [(0.1, 6), (0.6, 7)] {
        let groups: Vec<(u64, f64)> = (0..10).map(|g| (60 + 20 * g, rate)).collect();
        let (failed, _) = verdicts(&groups, parity(0.005), seed);
        assert!(failed <= FIVE_PERCENT, "rate {rate}: {failed} of {SAMPLES}");
    }
}

#[test]
fn fair_data_seldom_fail_the_four_fifths_rule() {
    for (groups, seed) in [(2, 8), (5, 9), (10, 10)] {
        let (failed, _) = verdicts(&vec![(120, 0.25); groups], impact(Against::BetweenGroups), seed);
        assert!(failed <= FIVE_PERCENT, "{groups} groups: {failed} of {SAMPLES}");
    }
}

/// At the bound itself either verdict is wrong in a sense; neither may be reached more often than the level says.
#[test]
fn data_at_the_bound_are_seldom_failed_and_seldom_passed() {
    for (against, seed) in [(Against::BetweenGroups, 11), (Against::Reference, 12)] {
        let (failed, passed) = verdicts(&[(600, 0.5), (500, 0.4)], impact(against), seed);
        assert!(failed <= FIVE_PERCENT && passed <= FIVE_PERCENT, "{against:?}: {failed} failed, {passed} passed");
    }
    let groups = [(500, 0.5), (500, 0.45), (500, 0.42), (500, 0.4)];
    for (against, seed) in [(Against::BetweenGroups, 13), (Against::Reference, 14)] {
        let (failed, passed) = verdicts(&groups, impact(against), seed);
        assert!(failed <= FIVE_PERCENT && passed <= FIVE_PERCENT, "{against:?}: {failed} failed, {passed} passed");
    }
}

/// Caution alone would be easy: with enough rows the verdict is reached.
#[test]
fn plain_cases_are_decided() {
    let (failed, passed) = verdicts(&[(2000, 0.5), (2000, 0.3)], impact(Against::BetweenGroups), 15);
    assert!(failed >= SAMPLES * 95 / 100 && passed == 0, "{failed} failed, {passed} passed");
    let (failed, passed) = verdicts(&[(2000, 0.5), (2000, 0.5)], impact(Against::BetweenGroups), 16);
    assert!(passed >= SAMPLES * 95 / 100 && failed == 0, "{failed} failed, {passed} passed");
    let (failed, passed) = verdicts(&[(4000, 0.3), (4000, 0.3), (4000, 0.3)], parity(0.06), 17);
    assert!(passed >= SAMPLES * 95 / 100 && failed == 0, "{failed} failed, {passed} passed");
}

/// The interval of a worst case holds the true one as often as it says.
#[test]
fn intervals_of_the_worst_case_cover_it() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(18);
    for rates in [vec![0.5, 0.5], vec![0.2, 0.3, 0.25], vec![0.05, 0.1, 0.4, 0.4, 0.41]] {
        let (most, least) = (rates.iter().copied().fold(0.0, f64::max), rates.iter().copied().fold(1.0, f64::min));
        let mut missed = [0, 0];
        for _ in 0..SAMPLES {
            let counts: Vec<(String, usize, usize)> = rates
                .iter()
                .enumerate()
                .map(|(g, rate)| (format!("g{g}"), Binomial::new(250, *rate).unwrap().sample(&mut rng) as usize, 250))
                .collect();
            let counts: Vec<(&str, usize, usize)> = counts.iter().map(|(g, x, n)| (g.as_str(), *x, *n)).collect();
            let report = plan().run(&small::Rows::of_rates(&counts).decisions()).unwrap();
            let rate = report.metric("selection_rate").unwrap();
            let holds = |comparison: Comparison, truth: f64| {
                let found = if comparison == Difference { rate.difference("group") } else { rate.ratio("group") };
                found.unwrap().estimate.interval().is_some_and(|(low, high)| low <= truth && truth <= high)
            };
            missed[0] += usize::from(!holds(Difference, most - least));
            missed[1] += usize::from(!holds(Ratio, least / most));
        }
        assert!(missed.iter().all(|m| *m <= FIVE_PERCENT), "{rates:?}: {missed:?} of {SAMPLES} missed");
    }
}
