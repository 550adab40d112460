use proptest::prelude::*;

use super::*;

/// The least cost over all assignments that keep the bounds, where there is one.
fn brute_force(problem: &Problem) -> Option<f64> {
    let (segments, items) = (problem.segments, problem.groups.len());
    let mut best: Option<f64> = None;
    for code in 0..segments.pow(items as u32) {
        let mut rest = code;
        let chosen: Vec<usize> = (0..items)
            .map(|_| {
                let segment = rest % segments;
                rest /= segments;
                segment
            })
            .collect();
        let mut cells = vec![0u64; problem.cells.len()];
        let mut sizes = vec![0u64; segments];
        let mut cost = 0.0;
        for (item, segment) in chosen.iter().enumerate() {
            cells[problem.groups[item] as usize * segments + segment] += 1;
            sizes[*segment] += 1;
            cost += problem.costs[item * segments + segment];
        }
        let within = |counts: &[u64], ranges: &[Range]| counts.iter().zip(ranges).all(|(n, r)| *n >= r.0 && *n <= r.1);
        if within(&cells, problem.cells) && within(&sizes, problem.sizes) {
            best = Some(best.map_or(cost, |b| b.min(cost)));
        }
    }
    best
}

fn cost(problem: &Problem, units: &[u32]) -> f64 {
    units.iter().zip(problem.costs).map(|(n, c)| f64::from(*n) * c).sum()
}

fn keeps(problem: &Problem, units: &[u32]) -> bool {
    let segments = problem.segments;
    let mut cells = vec![0u64; problem.cells.len()];
    for (item, group) in problem.groups.iter().enumerate() {
        for segment in 0..segments {
            cells[*group as usize * segments + segment] += u64::from(units[item * segments + segment]);
        }
    }
    let size = |segment: usize| cells.iter().skip(segment).step_by(segments).sum::<u64>();
    cells.iter().zip(problem.cells).all(|(n, r)| *n >= r.0 && *n <= r.1)
        && (0..segments).all(|s| (problem.sizes[s].0..=problem.sizes[s].1).contains(&size(s)))
}

fn range() -> impl Strategy<Value = Range> {
    prop_oneof![Just((0, 9)), (0u64..3, 0u64..4).prop_map(|(low, more)| (low, low + more))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_assignment_is_cheaper(
        items in prop::collection::vec((0u32..2, prop::array::uniform3(0u8..12)), 1..8),
        cells in prop::collection::vec(range(), 6),
        sizes in prop::collection::vec(range(), 3),
    ) {
        let groups: Vec<u32> = items.iter().map(|i| i.0).collect();
        let costs: Vec<f64> = items.iter().flat_map(|i| i.1.map(|c| f64::from(c) / 4.0)).collect();
        let problem = Problem { segments: 3, groups: &groups, units: None, costs: &costs, cells: &cells, sizes: &sizes };
        match (assign(&problem), brute_force(&problem)) {
            (Ok(units), Some(least)) => {
                prop_assert!(keeps(&problem, &units));
                prop_assert!((cost(&problem, &units) - least).abs() < 1e-9, "{} {least}", cost(&problem, &units));
                for item in units.chunks(3) {
                    prop_assert_eq!(item.iter().sum::<u32>(), 1);
                }
            }
            (Err(_), None) => {}
            (found, least) => prop_assert!(false, "{found:?} {least:?}"),
        }
    }

    #[test]
    fn units_are_as_good_as_so_many_items(
        items in prop::collection::vec((0u32..2, 1u32..5, prop::array::uniform3(0u8..12)), 1..5),
        cells in prop::collection::vec(range(), 6),
        sizes in prop::collection::vec(range(), 3),
    ) {
        let groups: Vec<u32> = items.iter().map(|i| i.0).collect();
        let units: Vec<u32> = items.iter().map(|i| i.1).collect();
        let costs: Vec<f64> = items.iter().flat_map(|i| i.2.map(f64::from)).collect();
        let few = Problem { segments: 3, groups: &groups, units: Some(&units), costs: &costs, cells: &cells, sizes: &sizes };
        let each = || items.iter().flat_map(|i| std::iter::repeat_n(i, i.1 as usize));
        let groups: Vec<u32> = each().map(|i| i.0).collect();
        let costs: Vec<f64> = each().flat_map(|i| i.2.map(f64::from)).collect();
        let many = Problem { segments: 3, groups: &groups, units: None, costs: &costs, cells: &cells, sizes: &sizes };
        match (assign(&few), assign(&many)) {
            (Ok(a), Ok(b)) => prop_assert!((cost(&few, &a) - cost(&many, &b)).abs() < 1e-9),
            (Err(_), Err(_)) => {}
            (a, b) => prop_assert!(false, "{a:?} {b:?}"),
        }
    }
}

#[test]
fn what_cannot_be_kept_is_named() {
    let of = |cells: &[Range], sizes: &[Range]| {
        let costs = [0.0, 1.0, 0.0, 1.0];
        assign(&Problem { segments: 2, groups: &[0, 1], units: None, costs: &costs, cells, sizes })
    };
    let free = [(0, 9); 4];
    assert_eq!(of(&free, &[(0, 9), (0, 9)]), Ok(vec![1, 0, 1, 0]));
    assert_eq!(of(&free, &[(0, 9), (1, 9)]), Ok(vec![0, 1, 1, 0]));
    assert_eq!(of(&[(0, 9), (2, 1), (0, 9), (0, 9)], &[(0, 9); 2]), Err(Unmet::Cell { group: 0, segment: 1 }));
    assert_eq!(of(&[(0, 9), (0, 9), (0, 9), (2, 9)], &[(0, 9); 2]), Err(Unmet::Cell { group: 1, segment: 1 }));
    assert_eq!(of(&free, &[(0, 9), (3, 9)]), Err(Unmet::Segment(1)));
    assert_eq!(of(&free, &[(0, 0), (0, 1)]), Err(Unmet::Segment(0)));
}
