use super::super::neighbors::{NOBODY, Near, Points};
use super::super::pairs::by_pairs;
use super::*;
use proptest::prelude::{prop, proptest};

/// All distances, sorted.
fn plain(numbers: &[Vec<f64>], codes: &[Vec<u32>], penalty: f64, query: usize, among: usize) -> Vec<(f64, u32)> {
    let square = |other: usize| {
        let numbers: f64 = numbers.iter().map(|column| (column[query] - column[other]).powi(2)).sum();
        numbers + penalty * codes.iter().filter(|column| column[query] != column[other]).count() as f64
    };
    let mut all: Vec<(f64, u32)> = (0..among).filter(|o| *o != query).map(|o| (square(o), o as u32)).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    all
}

/// That the distances are those of a plain loop, and each row is at its distance.
fn agrees(numbers: &[Vec<f64>], codes: &[Vec<u32>], penalty: f64, rows: usize, among: usize, k: usize) {
    let points = Points::new(rows, numbers, codes, penalty.sqrt());
    let queries: Vec<u32> = (0..rows as u32).rev().collect();
    let near = points.nearest(&queries, among, k);
    for (query, near) in queries.iter().zip(near.chunks(k)) {
        let expected = plain(numbers, codes, penalty, *query as usize, among);
        let mut seen = Vec::new();
        for (place, found) in near.iter().enumerate() {
            let Some((square, _)) = expected.get(place) else {
                assert_eq!(*found, Near { square: f64::INFINITY, row: NOBODY });
                continue;
            };
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-12 * (a + b);
            assert!(close(points.distance(*found), square.sqrt()), "{query} {place}: {found:?} {square}");
            let own = expected.iter().find(|(_, row)| *row == found.row).expect("another row");
            assert!(close(own.0, *square));
            assert!(!seen.contains(&found.row));
            seen.push(found.row);
        }
    }
}

fn normal(rows: usize, columns: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut rng = stream(seed, 1, 1);
    (0..columns).map(|_| (0..rows).map(|_| rng.sample(StandardNormal)).collect()).collect()
}

#[test]
fn blocks_find_what_a_plain_loop_finds() {
    for (rows, columns) in [(1, 3), (2, 1), (300, 20), (700, 6), (515, 1)] {
        agrees(&normal(rows, columns, 3), &[], 0.0, rows, rows, 5);
    }
}

#[test]
fn an_outlier_makes_no_neighbour_wrong() {
    // One value a million million times the others leaves `f32` blind.
    let mut numbers = normal(1500, 5, 4);
    numbers[2][77] = 1e12;
    agrees(&numbers, &[], 0.0, 1500, 1500, 3);
    for scale in [1e-160, 1e150] {
        let numbers: Vec<Vec<f64>> =
            normal(300, 5, 4).into_iter().map(|c| c.into_iter().map(|v| v * scale).collect()).collect();
        let points = Points::new(300, &numbers, &[], 0.0);
        let unscaled = Points::new(300, &normal(300, 5, 4), &[], 0.0);
        let queries: Vec<u32> = (0..300).collect();
        let rows = |near: Vec<Near>| near.into_iter().map(|n| n.row).collect::<Vec<_>>();
        assert_eq!(rows(points.nearest(&queries, 300, 4)), rows(unscaled.nearest(&queries, 300, 4)));
    }
}

#[test]
fn levels_count_their_penalty_however_many_there_are() {
    let mut rng = stream(8, 0, 0);
    let mut codes = |levels: u32| (0..400).map(|_| rng.gen_range(0..levels)).collect::<Vec<u32>>();
    let codes = [codes(3), codes(16), codes(17), codes(200)];
    agrees(&normal(400, 3, 5), &codes, 0.7, 400, 400, 5);
    // Of levels alone, most distances are tied.
    agrees(&[], &codes, 1.0, 400, 400, 5);
    agrees(&[], &codes[..1], 1.0, 400, 400, 2);
    // Others are asked for than the rows that answer.
    agrees(&normal(400, 3, 5), &codes, 0.7, 400, 150, 5);
}

#[test]
fn whoever_asks_and_however_many_at_once_the_answer_is_the_same() {
    // Whole numbers, whose squares are exact: many rows are at the same distance, and the first ones count.
    let mut rng = stream(9, 0, 0);
    let numbers: Vec<Vec<f64>> =
        (0..5).map(|_| (0..700).map(|_| f64::from(rng.gen_range(-3i32..4))).collect()).collect();
    let points = Points::new(700, &numbers, &[], 0.0);
    // Rows that ask and answer, rows that only ask, and rows that ask again.
    let some: Vec<u32> = (0..900).map(|i| i * 37 % 700).filter(|row| row % 3 != 0).collect();
    for (queries, among) in [(&some[..], 700), (&some[..], 450), (&some[..50], 700), (&some[200..], 3)] {
        for together in [1, 100, 128, 300, 5000] {
            let mut near = vec![Near::NONE; queries.len() * 4];
            by_pairs(&points, queries, among, 4, together, &mut near);
            for (query, near) in queries.iter().zip(near.chunks(4)) {
                let expected = plain(&numbers, &[], 0.0, *query as usize, among);
                let mut rows: Vec<u32> = expected.iter().map(|(_, row)| *row).take(4).collect();
                rows.resize(4, NOBODY);
                assert_eq!(near.iter().map(|near| near.row).collect::<Vec<_>>(), rows, "{query} {among} {together}");
            }
        }
    }
}

#[test]
fn a_tree_finds_what_a_plain_loop_finds() {
    for columns in [1, 2, 4] {
        agrees(&normal(2100, columns, 6), &[], 0.0, 2100, 2100, 4);
    }
    // Half of the rows are alike.
    let mut same = normal(2100, 2, 7);
    same.iter_mut().for_each(|c| c[..1000].fill(0.25));
    agrees(&same, &[], 0.0, 2100, 2100, 3);
}

#[test]
fn neighbours_are_scikit_learns() {
    // scikit-learn 1.9.1, NearestNeighbors(n_neighbors=4) without the row itself.
    let numbers = vec![
        (0..12).map(|i| f64::from(i * 7 % 11) + f64::from(i) / 10.0).collect(),
        (0..12).map(|i| f64::from(i * 5 % 13).powf(1.5)).collect::<Vec<f64>>(),
    ];
    let near = Points::new(12, &numbers, &[], 0.0).nearest(&(0..12).collect::<Vec<_>>(), 12, 3);
    let rows: Vec<u32> = near.into_iter().map(|near| near.row).collect();
    assert_eq!(rows, SCIKIT_LEARN);
}

const SCIKIT_LEARN: [u32; 36] =
    [8, 11, 3, 9, 6, 4, 10, 7, 5, 6, 8, 1, 9, 1, 7, 10, 2, 7, 1, 3, 9, 2, 4, 10, 0, 11, 3, 1, 4, 6, 2, 5, 7, 8, 0, 1];

proptest! {
    #[test]
    fn any_small_grid_agrees(values in prop::collection::vec(-3i32..4, 2..60), k in 1usize..8) {
        // Whole numbers: most distances are tied.
        let rows = values.len() / 2;
        let column = |at: usize| values.iter().skip(at).step_by(2).take(rows).map(|v| f64::from(*v)).collect::<Vec<f64>>();
        agrees(&[column(0), column(1)], &[], 0.0, rows, rows, k);
    }
}
