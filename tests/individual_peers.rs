//! Measures of rows, against what a peer answers on real data.

use std::io::Read;

use evenhand::individual::{Clustering, Limit, silhouette, social_fairness};
use evenhand::metrics::Confidence;
use ndarray::Array2;

struct Rows {
    features: Array2<f64>,
    segments: Vec<u32>,
    /// 0: Male, White; 1: others.
    sex: Vec<u32>,
    race: Vec<u32>,
}

fn adult(limit: usize) -> Rows {
    let file = std::fs::File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/adult_segments.csv.gz")).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let lines: Vec<Vec<&str>> = text.lines().skip(1).take(limit).map(|line| line.split(',').collect()).collect();
    let column = |at: usize, first: &str| lines.iter().map(|l| u32::from(l[at] != first)).collect();
    Rows {
        features: Array2::from_shape_fn((lines.len(), 3), |(row, f)| lines[row][3 + f].parse().unwrap()),
        segments: lines.iter().map(|l| l[2].parse().unwrap()).collect(),
        sex: column(0, "Male"),
        race: column(1, "White"),
    }
}

fn same(ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() < 1e-9, "{ours} {theirs}");
}

#[test]
fn social_fairness_agrees_with_holisticai() {
    // holisticai 1.0.14, social_fairness_ratio: others over Male (White), of plain distances to the segments' means.
    let rows = adult(usize::MAX);
    assert_eq!(rows.segments.len(), 24_391);
    for (groups, expected) in [(&rows.sex, 0.913588736426509), (&rows.race, 0.9098624180657162)] {
        let clustering = Clustering::new(rows.features.view(), &rows.segments, groups, None).unwrap();
        let fairness = social_fairness(&clustering, None, false, Confidence::at(0.95)).unwrap();
        let ratio = fairness.ratio_of(1, 0);
        same(ratio.value.unwrap(), expected);
        assert!(ratio.low.unwrap() < expected && ratio.high.unwrap() < 1.0);
    }
}

#[test]
fn silhouettes_agree_with_holisticai() {
    // holisticai 1.0.14, silhouette_diff on the first 3,000 rows: half of others minus Male (White).
    let rows = adult(3000);
    for (groups, expected) in [(&rows.sex, 0.01437619167941609), (&rows.race, 0.00898964597565638)] {
        let clustering = Clustering::new(rows.features.view(), &rows.segments, groups, None).unwrap();
        let answer = silhouette(&clustering, Limit::default(), Confidence::at(0.95));
        same(answer.difference_of(1, 0).value.unwrap(), 2.0 * expected);
    }
}
