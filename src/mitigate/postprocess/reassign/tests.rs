use ndarray::Array2;
use proptest::prelude::*;
use rand::Rng;

use super::*;
use crate::data::Segments;
use crate::metrics::Confidence;
use crate::metrics::segments::SegmentCounts;
use crate::metrics::segments::balance::{RepresentationBounds, balance, bounded_representation};
use crate::mitigate::flow::Range;

const GROUPS: [&str; 3] = ["a", "b", "c"];
const SEGMENTS: [&str; 3] = ["x", "y", "z"];

fn batch(groups: &[usize], segments: &[usize]) -> Batch<'static> {
    let named = Categorical::from_codes("tier", SEGMENTS, Vec::from_iter(segments.iter().map(|s| *s as u8))).unwrap();
    Batch::builder()
        .attribute(Categorical::from_codes("g", GROUPS, Vec::from_iter(groups.iter().map(|g| *g as u8))).unwrap())
        .segments(Segments::of(named))
        .build()
        .unwrap()
}

/// The fewest moves by trying every count of every cell (of groups with rows), where some keep the bounds.
fn fewest(counts: &[[u64; 3]], cells: &[Range], sizes: &[Range]) -> Option<u64> {
    fn of_group(rows: u64) -> Vec<[u64; 3]> {
        (0..=rows).flat_map(|x| (0..=rows - x).map(move |y| [x, y, rows - x - y])).collect()
    }
    let within = |n: u64, range: &Range| n >= range.0 && n <= range.1;
    let mut states: Vec<([u64; 3], u64)> = vec![([0; 3], 0)];
    for (group, own) in counts.iter().enumerate() {
        let mut next: std::collections::BTreeMap<[u64; 3], u64> = Default::default();
        for (sums, cost) in &states {
            for new in of_group(own.iter().sum()) {
                if (0..3).all(|s| within(new[s], &cells[group * 3 + s])) {
                    let moves: u64 = (0..3).map(|s| new[s].saturating_sub(own[s])).sum();
                    let key = [0, 1, 2].map(|s| sums[s] + new[s]);
                    let best = next.entry(key).or_insert(u64::MAX);
                    *best = (*best).min(cost + moves);
                }
            }
        }
        states = next.into_iter().collect();
    }
    states.iter().filter(|(sums, _)| (0..3).all(|s| within(sums[s], &sizes[s]))).map(|(_, cost)| *cost).min()
}

fn people() -> impl Strategy<Value = (Vec<usize>, Vec<usize>)> {
    prop::collection::vec((0usize..3, 0usize..3), 1..24).prop_map(|rows| rows.into_iter().unzip())
}

fn bound() -> impl Strategy<Value = Bound> {
    prop_oneof![
        (0u8..5).prop_map(|g| Bound::Gap(f64::from(g) / 10.0)),
        (0u8..9).prop_map(|r| Bound::Ratio(f64::from(r) / 10.0)),
        (0u8..5, 5u8..10).prop_map(|(b, a)| Bound::Representation(vec![(
            "a".into(),
            f64::from(b) / 10.0,
            f64::from(a) / 10.0
        )])),
    ]
}

fn size() -> impl Strategy<Value = Sizes> {
    prop_oneof![Just(Sizes::Kept), Just(Sizes::Within(0.25)), Just(Sizes::Free)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn no_fewer_moves_would_do((groups, segments) in people(), bound in bound(), strict: bool) {
        // A group without rows is not among the batch's groups.
        prop_assume!(groups.contains(&0) || !matches!(bound, Bound::Representation(_)));
        let batch = batch(&groups, &segments);
        let mut method = Reassign::new(bound);
        method.strict = strict;
        let people = People::of(&batch, &[], None).unwrap();
        let counts: Vec<[u64; 3]> = people.counts.chunks(3).map(|c| [c[0], c[1], c[2]]).collect();
        let cells = method.cells(&people, &method.bound, &people.sizes()).unwrap();
        let allowed: Vec<Range> = people.sizes().iter().map(|size| (*size, *size)).collect();
        match (method.apply(&batch), fewest(&counts, &cells, &allowed)) {
            (Ok(found), Some(least)) => {
                prop_assert_eq!(found.summary.moved, least);
                prop_assert_eq!(found.moved.len() as u64, least);
                for (group, of) in found.summary.groups.iter().enumerate() {
                    prop_assert_eq!(of.after.iter().sum::<u64>(), of.rows);
                    for segment in 0..3 {
                        let (low, high) = cells[group * 3 + segment];
                        prop_assert!(of.after[segment] >= low && of.after[segment] <= high);
                    }
                }
                // On rows, costs of 1 are the same question.
                let costs = Array2::from_shape_fn((groups.len(), 3), |(row, s)| f64::from(u8::from(segments[row] != s)));
                let rows = method.apply_with_costs(&batch, costs.view()).unwrap();
                prop_assert_eq!(rows.summary.cost, least as f64);
                prop_assert_eq!(rows.summary.moved, least);
            }
            (Err(Error::Infeasible { .. }), None) => {}
            (found, least) => prop_assert!(false, "{found:?} {least:?}"),
        }
    }

    #[test]
    fn other_sizes_are_no_dearer_and_keep_the_bound(
        (groups, segments) in prop::collection::vec((0usize..3, 0usize..3), 1..11).prop_map(|rows| rows.into_iter().unzip::<_, _, Vec<_>, Vec<_>>()),
        bound in bound(),
        sizes in prop_oneof![Just(Sizes::Within(0.5)), Just(Sizes::Free)],
    ) {
        prop_assume!(groups.contains(&0) || !matches!(bound, Bound::Representation(_)));
        let batch = batch(&groups, &segments);
        let method = Reassign::new(bound).sizes(sizes);
        let people = People::of(&batch, &[], None).unwrap();
        let counts: Vec<[u64; 3]> = people.counts.chunks(3).map(|c| [c[0], c[1], c[2]]).collect();
        let rows = groups.len() as u64;
        let allowed = |s: usize, size: u64| {
            sizes == Sizes::Free || size.abs_diff(people.sizes()[s]) <= people.sizes()[s] / 2
        };
        // The best of all sizes.
        let mut least: Option<u64> = None;
        for (x, y) in (0..=rows).flat_map(|x| (0..=rows - x).map(move |y| (x, y))) {
            let size = [x, y, rows - x - y];
            if (0..3).all(|s| allowed(s, size[s])) {
                let cells = method.cells(&people, &method.bound, &size).unwrap();
                let found = fewest(&counts, &cells, &size.map(|n| (n, n)));
                least = [least, found].into_iter().flatten().min();
            }
        }
        let kept = method.clone().sizes(Sizes::Kept).apply(&batch);
        match (method.apply(&batch), kept) {
            (Ok(found), kept) => {
                prop_assert!(found.summary.moved >= least.unwrap());
                prop_assert!(kept.is_err() || found.summary.moved <= kept.unwrap().summary.moved);
                let after: Vec<Vec<u64>> = found.summary.groups.iter().map(|g| g.after.clone()).collect();
                let size: Vec<u64> = (0..3).map(|s| after.iter().map(|g| g[s]).sum()).collect();
                let cells = method.cells(&people, &method.bound, &size).unwrap();
                for (range, n) in cells.iter().zip(after.concat()) {
                    prop_assert!(n >= range.0 && n <= range.1);
                }
                prop_assert!((0..3).all(|s| allowed(s, size[s])));
            }
            (Err(Error::Infeasible { .. }), Err(_)) => {}
            (found, kept) => prop_assert!(false, "{found:?} {kept:?}"),
        }
    }

    #[test]
    fn bounds_around_the_shares_can_be_kept_to_the_nearest_person((groups, segments) in people(), slack in 0u8..10, sizes in size()) {
        let batch = batch(&groups, &segments);
        let slack = f64::from(slack) / 10.0;
        prop_assert!(Reassign::new(Bound::Gap(slack)).sizes(sizes).apply(&batch).is_ok());
        prop_assert!(Reassign::new(Bound::Ratio(slack)).sizes(sizes).apply(&batch).is_ok());
    }
}

fn drawn(rows: usize) -> Batch<'static> {
    let mut rng = stream(5, 0, 0);
    let groups: Vec<usize> =
        (0..rows).map(|_| usize::from(rng.gen_bool(0.4)) + usize::from(rng.gen_bool(0.1))).collect();
    let segments: Vec<usize> =
        groups.iter().map(|g| if rng.gen_bool(0.5) { *g } else { rng.gen_range(0..3) }).collect();
    batch(&groups, &segments)
}

fn counts(shares: &[GroupShares], of: fn(&GroupShares) -> &Vec<u64>) -> Vec<SegmentCounts> {
    shares.iter().map(|g| SegmentCounts::of_rows(&of(g).iter().map(|n| *n as f64).collect::<Vec<_>>())).collect()
}

#[test]
fn segments_mirror_the_people() {
    let batch = drawn(5000);
    let found = Reassign::new(Bound::Ratio(0.2)).strict().apply(&batch).unwrap();
    let summary = &found.summary;
    let tables = [counts(&summary.groups, |g| &g.before), counts(&summary.groups, |g| &g.after)];
    for (table, own) in tables.iter().zip(summary.balance) {
        let audited = balance(&table.iter().collect::<Vec<_>>(), Confidence::at(0.95)).estimate.value.unwrap();
        assert!((audited - own).abs() < 1e-12);
    }
    assert!(
        summary.balance[0] < 0.5 && summary.balance[1] >= 0.8 && summary.balance[1] < 0.81,
        "{:?}",
        summary.balance
    );
    let sizes =
        |of: fn(&GroupShares) -> &Vec<u64>| [0, 1, 2].map(|s| summary.groups.iter().map(|g| of(g)[s]).sum::<u64>());
    assert_eq!(sizes(|g| &g.before), sizes(|g| &g.after));
    let whole: Vec<(String, f64, f64)> = GROUPS.map(|g| (g.to_string(), 0.03, 0.6)).to_vec();
    let found = Reassign::new(Bound::Representation(whole)).strict().apply(&batch).unwrap();
    let table = counts(&found.summary.groups, |g| &g.after);
    let bounds = [RepresentationBounds { least: 0.03, most: 0.6 }; 3];
    let audited = bounded_representation(&table.iter().collect::<Vec<_>>(), &bounds, Confidence::at(0.95));
    assert_eq!(audited.violation.value, Some(0.0));
    assert!(found.summary.moved > 0);
    let column = found.column();
    assert!((0..5000).all(|row| column.codes().get(row) == found.segments[row].map(|s| s as usize)));
    let json = serde_json::to_string(&found.summary).unwrap();
    assert_eq!(serde_json::from_str::<ReassignSummary>(&json).unwrap(), found.summary);
}

#[test]
fn who_moves_is_drawn_by_the_seed_alone() {
    let batch = drawn(2000);
    let of = |seed| Reassign::new(Bound::Gap(0.02)).seed(seed).apply(&batch).unwrap();
    let (first, again, other) = (of(1), of(1), of(2));
    assert_eq!(first, again);
    assert_eq!(first.summary, other.summary);
    assert_ne!(first.moved, other.moved);
    let rows: u64 = first.summary.moves.iter().map(|m| m.rows).sum();
    assert_eq!(rows as usize, first.moved.len());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(pool.install(|| of(1)), first);
}

#[test]
fn the_fewest_bad_bounds_are_named_with_the_smallest_good_one() {
    // Three of group a, of which a third is the smallest step: P(x) = 1/2.
    let batch = batch(&[0, 0, 0, 1, 1, 1, 1, 1], &[0, 0, 0, 1, 1, 1, 1, 0]);
    let text = Reassign::new(Bound::Gap(0.05)).strict().apply(&batch).unwrap_err().to_string();
    assert!(text.contains("the gap 0.05 cannot be kept: of the group `a` (3 rows)"), "{text}");
    assert!(text.contains("the smallest that can is 0.16666"), "{text}");
    assert!(Reassign::new(Bound::Gap(0.166668)).strict().apply(&batch).is_ok());
    assert!(Reassign::new(Bound::Gap(0.16666)).strict().apply(&batch).is_err());
    let bounds = vec![("a".to_string(), 0.9, 1.0)];
    let text = Reassign::new(Bound::Representation(bounds)).apply(&batch).unwrap_err().to_string();
    assert!(text.contains("representation cannot be kept: of the group `a`"), "{text}");
    assert!(text.contains("`a` is 0.375 of everybody"), "{text}");
}

#[test]
fn what_is_not_known_is_left_alone() {
    let sex = [Some("f"), Some("f"), None, Some("m"), Some("m"), Some("m")];
    let tier = [Some("x"), Some("x"), Some("x"), Some("y"), Some("y"), None];
    let batch = Batch::builder()
        .attribute(Categorical::from_options("sex", sex))
        .segments(Segments::of(Categorical::from_options("tier", tier)))
        .build()
        .unwrap();
    let found = Reassign::new(Bound::Gap(0.0)).apply(&batch).unwrap();
    assert_eq!((found.summary.left_alone, found.summary.moved), (2, 2));
    assert_eq!((found.segments[2], found.segments[5]), (Some(0), None));
    assert_eq!(found.summary.largest_gap, [0.5, 0.0]);
    assert_eq!(found.summary.balance, [0.0, 1.0]);
}

#[test]
fn slips_are_named() {
    let batch = batch(&[0, 1, 2], &[0, 1, 2]);
    let text = |method: Reassign| method.apply(&batch).unwrap_err().to_string();
    assert!(text(Reassign::new(Bound::Gap(-0.1))).contains("the gap is -0.1"));
    assert!(text(Reassign::new(Bound::Gap(f64::NAN))).contains("the gap is NaN"));
    assert!(text(Reassign::new(Bound::Ratio(1.0))).contains("the slack is 1"));
    assert!(text(Reassign::new(Bound::Gap(0.1)).sizes(Sizes::Within(2.0))).contains("slack of sizes"));
    assert!(text(Reassign::new(Bound::Gap(0.1)).segmentation("teir")).contains("did you mean `tier`"));
    let bounds = |name: &str, low, high| Reassign::new(Bound::Representation(vec![(name.into(), low, high)]));
    assert!(text(bounds("d", 0.0, 1.0)).contains("no group `d`"));
    assert!(text(bounds("a", 0.5, 0.4)).contains("bounds of `a`"));
    let costs = Array2::zeros((2, 3));
    let with = |costs: &Array2<f64>| {
        Reassign::new(Bound::Gap(0.1)).apply_with_costs(&batch, costs.view()).unwrap_err().to_string()
    };
    assert!(with(&costs).contains("2 rows where 3"));
    assert!(with(&Array2::zeros((3, 2))).contains("columns of costs is 2"));
    let mut costs = Array2::zeros((3, 3));
    costs[[1, 2]] = f64::NAN;
    assert!(with(&costs).contains("row 2"));
    let none = Batch::builder().attribute(Categorical::from_values("g", ["a"])).label([1]).build().unwrap();
    assert!(Reassign::new(Bound::Gap(0.1)).apply(&none).unwrap_err().to_string().contains("no segments"));
}
